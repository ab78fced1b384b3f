"""
Directed histories of stops: each shows one promise where it is hardest to keep.

As in `scenarios`: each builds its own world and raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bitget_async import Outcome, PendingStop
from bitget_async.sim import SYMBOLS, faults

from .stop_world import COMMANDS, KINDS, StopWorld, stop_world
from .world import demand

STOPS: dict[str, Callable[[], None]] = {}
BTC, ETH = "BTCUSDT", "ETHUSDT"
NEVER = float("inf")


def scenario(**settings: Any) -> Callable[[Callable[[StopWorld], Awaitable[None]]], Callable[[], None]]:
    """Register a scenario under its name, on an exchange with these settings."""

    def register(main: Callable[[StopWorld], Awaitable[None]]) -> Callable[[], None]:
        def play() -> None:
            stop_world(main, **settings)

        play.__doc__ = main.__doc__
        STOPS[f"stop_{main.__name__}"] = play
        return play

    return register


@scenario()
async def of_more_than_a_page(world: StopWorld) -> None:
    """Every page counts, before and after: the first is full of orders to keep."""
    ids = set(world.exchange.rest(BTC, 30, age_s=60))
    world.kept = set(world.exchange.rest(ETH, 100, age_s=60))
    report = await world.judged(await world.begin(keep=lambda order: order.symbol == ETH))
    demand({each.order.order_id for each in report.cancelled} == ids, "44: every page is read", len(report.cancelled))


@scenario(listing_lag_s=1.9)
async def with_orders_that_no_listing_shows_yet(world: StopWorld) -> None:
    """Nothing is shown for two seconds, and all of it is open: no listing of that time may say "flat"."""
    _ = world.exchange.rest(BTC, 3, age_s=0.1)
    report = await world.judged(await world.begin())
    demand(report.outcome is Outcome.CONFIRMED, "39: young orders end too", report.outcome)
    demand(not world.open_now(), "39: flat", world.open_now())


@scenario(sweep_delay_s=NEVER, cancel_delay_s=NEVER)
async def that_is_taken_and_never_executed(world: StopWorld) -> None:
    """All commands are acknowledged, and nothing happens."""
    ids = set(world.exchange.rest(BTC, 3, age_s=60))
    report = await world.judged(await world.begin())
    demand(report.outcome is Outcome.STILL_OPEN, "32: an answer is not the end", report.outcome)
    demand({each.order.order_id for each in report.still_open} == ids, "32: each of them", report.still_open)


@scenario(sweep_delay_s=0.3, cancel_delay_s=0.3)
async def that_misses_some(world: StopWorld) -> None:
    """Half of the orders survive the first commands: they are named again, not at once, and end."""
    _ = world.exchange.rest(BTC, 6, age_s=60)
    for endpoint in COMMANDS:
        _ = world.exchange.faults.add(endpoint, faults.executed_in_part(0.5), times=1)
    report = await world.judged(await world.begin())
    demand(report.outcome is Outcome.CONFIRMED, "33: what is left is cancelled again", report.outcome, report.reason)


@scenario(listing_lag_s=0.5, sweep_delay_s=0.3, cancel_delay_s=0.3)
async def called_for_twice(world: StopWorld) -> None:
    """Both calls end all, and no id is named twice within a second."""
    for name in tuple(SYMBOLS)[:12]:
        _ = world.exchange.rest(name, 2, age_s=60)
    first = await world.begin(keep=lambda _: False)
    second = await world.begin(keep=lambda _: False)
    reports = [await world.judged(each) for each in (first, second)]
    demand(all(each.proven for each in reports), "both are proven", reports)


@scenario()
async def that_keeps_an_order(world: StopWorld) -> None:
    """Its symbol's command would take it, whoever placed it."""
    _ = world.exchange.rest(BTC, 3, age_s=60)
    world.kept = set(world.exchange.rest(BTC, 1, client_oid="hedge", age_s=60, source="WEB"))
    report = await world.judged(await world.begin(keep=["hedge"]))
    demand(report.outcome is Outcome.CONFIRMED, "38: the others end", report.outcome)


@scenario()
async def with_orders_that_come_later(world: StopWorld) -> None:
    """They are named, and nothing is done about them; the outcome is about those of before."""
    _ = world.exchange.rest(BTC, 3, age_s=60)
    pending = await world.begin()
    await asyncio.sleep(0.5)
    (late,) = world.exchange.rest(ETH, 1)
    report = await world.judged(pending)
    demand(report.outcome is Outcome.CONFIRMED and report.late == (late,), "37: late is late", report.outcome)
    demand(world.exchange.order(late).status == "live", "37: and left alone")


@scenario(history_lag_s=NEVER, order_info_lag_s=NEVER)
async def of_which_no_history_tells(world: StopWorld) -> None:
    """Gone from the listing is not cancelled: it may have filled."""
    ids = world.exchange.rest(BTC, 2, age_s=60)
    exchange = world.exchange
    exchange.schedule_fill(ids[0], 0.05)
    report = await world.judged(await world.begin())
    demand(report.outcome is Outcome.UNKNOWN and report.reason == "vanished", "41: vanished", report.outcome)


@scenario(sweep_delay_s=NEVER, cancel_delay_s=NEVER)
async def whose_listings_fail_afterwards(world: StopWorld) -> None:
    """A read that fails shows nothing, and least of all that nothing is open."""
    _ = world.exchange.rest(BTC, 2, age_s=60)
    pending = await world.begin()
    _ = world.exchange.faults.add("unfilled-orders", faults.page(502, executed=False), times=None)
    report = await world.judged(pending)
    demand(report.outcome is Outcome.UNKNOWN and report.clear_at_ms is None, "45: no evidence", report.outcome)


@scenario()
async def of_trigger_orders_that_stay(world: StopWorld) -> None:
    """They stand in a list of their own, and that one has to be clear, too."""
    _ = world.exchange.rest(BTC, 2, age_s=60)
    _ = world.exchange.rest_trigger(ETH, 2, age_s=60)
    for endpoint in COMMANDS[3:]:
        _ = world.exchange.faults.add(endpoint, faults.never_executed(), times=None)
    report = await world.judged(await world.begin(include=KINDS))
    demand(report.outcome is Outcome.STILL_OPEN, "40: trigger orders count", report.outcome)
    demand(report.clear_at_ms is None, "40: it is not clear", report.clear_at_ms)


@scenario()
async def whose_caller_leaves_at_once(world: StopWorld) -> None:
    """Before the first command all of it is withdrawn, also what was planned in that very moment."""
    _ = world.exchange.rest(BTC, 130, age_s=60)
    for steps in range(60):
        call = asyncio.ensure_future(world.begin())
        for _ in range(steps):
            await asyncio.sleep(0.001)
        _ = call.cancel()
        _ = await asyncio.gather(call, return_exceptions=True)
        if any(isinstance(each, PendingStop) for each in world.client.pending) or not call.cancelled():
            demand(steps > 30, "48: it waits for the listing", steps)
            return
        await asyncio.sleep(2)
        demand(not any(map(world.exchange.truth.count, COMMANDS)), "48: withdrawn is withdrawn", steps)


@scenario()
async def whose_client_is_closed(world: StopWorld) -> None:
    """Whoever awaits it gets an answer."""
    _ = world.exchange.rest(BTC, 130, age_s=60)
    pending = await world.begin()
    await asyncio.sleep(0.2)
    await world.client.close()
    report = await world.judged(pending)
    demand(report.reason == "client_closed", "51: every awaiter gets a result", report.reason)


@scenario()
async def that_is_turned_away_for_ever(world: StopWorld) -> None:
    """Time that is up ends it, the sending too."""
    world.within_s = 15.0
    for name in tuple(SYMBOLS)[:12]:
        _ = world.exchange.rest(name, 30, age_s=60)
    for endpoint in COMMANDS:
        _ = world.exchange.faults.add(endpoint, faults.envelope("429", status=429), times=None)
    report = await world.judged(await world.begin())
    spent_s = (report.settled_at_ms - report.began_at_ms) / 1000
    demand(report.outcome is Outcome.UNKNOWN and spent_s < 30, "12: it settles in time", report.outcome, spent_s)


@scenario()
async def of_a_book_that_takes_seconds(world: StopWorld) -> None:
    """More commands than a second's tokens: no endpoint is asked more often than it allows."""
    for name in tuple(SYMBOLS):
        _ = world.exchange.rest(name, 14, age_s=60)
    for each in world.exchange.truth.open_ids(world.exchange.account.uid, BTC)[:1]:
        world.exchange.fill(each)
    report = await world.judged(await world.begin(keep=lambda _: False))
    demand(report.outcome is Outcome.CONFIRMED, "58: all end", report.outcome)
    demand(world.exchange.truth.answers_429 == 0, "58: nothing is turned away")
