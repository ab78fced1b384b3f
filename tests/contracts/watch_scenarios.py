"""
Directed histories of looking: rows that mislead, reads that fail, readers that misbehave, and the end of a client.

As in `scenarios`: each builds its own world and raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bitget_async import Fate, Outcome
from bitget_async.course import SweepCourse
from bitget_async.sim import faults

from .road_scenarios import CALM
from .scenarios import BTC, COMMAND, must_be, world
from .world import World, demand

WATCH: dict[str, Callable[[], None]] = {}
INF = float("inf")


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    WATCH[play.__name__] = play
    return play


@scenario
def some_survive_the_sweep() -> None:
    """Two of five orders are missed: STILL_OPEN, and the report has both sets."""
    with world(**CALM) as it:
        ids = it.exchange.rest(BTC, 5)
        it.exchange.faults.add(COMMAND, faults.executed_in_part((ids[1], ids[3])), times=1)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.STILL_OPEN, 5)
        open_ids = [each.order.order_id for each in report.still_open]
        demand(
            open_ids == [ids[1], ids[3]] and len(report.cancelled) == 3, "33 of the failure model: both sets", report
        )


@scenario
def an_order_fills_while_it_is_cancelled() -> None:
    """Filled between the signing and the sweep: FILLED is final too, and called by its name."""
    with world(**CALM | {"sweep_delay_s": 0.5}) as it:
        ids = it.exchange.rest(BTC, 2)
        it.exchange.schedule_fill(ids[0], 0.3)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 2)
        demand([each.order.order_id for each in report.filled] == [ids[0]], "15: filled", report)


@scenario
def an_order_fills_for_a_part_and_is_cancelled() -> None:
    """The amount is in the report to the last digit."""
    with world(**CALM) as it:
        (order_id,) = it.exchange.rest(BTC, 1)
        it.exchange.fill(order_id, Decimal("0.00037"))
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 1)
        demand(report.cancelled[0].order.base_volume == Decimal("0.00037"), "15: the amount", report)


@scenario
def a_replica_shows_an_order_again_that_has_ended() -> None:
    """One order is final while another still stands, and then a listing of before comes back."""
    with world(**CALM) as it:
        ids = it.exchange.rest(BTC, 2)
        it.exchange.faults.add(COMMAND, faults.executed_in_part((ids[1],)), times=1)
        call = it.cancel(BTC)
        it.advance(3)
        again = faults.edited_rows(lambda rows: [*rows, *(row | {"orderId": ids[0]} for row in rows)])
        it.exchange.faults.add("unfilled-orders", again, times=1)
        it.advance(6)
        it.exchange.cancel(ids[1])
        must_be(it.settle(call), Outcome.CONFIRMED, 2)
        handle = call.task.result()

        async def changes() -> list[Any]:
            return [(each.order.order_id, each.fate) async for each in handle.changes()]

        for order_id in ids:
            ended = [fate in (Fate.CANCELLED, Fate.FILLED) for each, fate in it.do(changes()) if each == order_id]
            demand(ended == sorted(ended) and sum(ended) == 1, "36 of the failure model: final absorbs", ended)


@scenario
def a_young_order_hides_behind_an_old_listing() -> None:
    """Placed right before the signing, swept by nobody, and every listing is two seconds old."""
    with world(request_latency_s=0.02, answer_latency_s=0.02, listing_lag_s=1.99, sweep_delay_s=0.0) as it:
        it.exchange.rest(BTC, 1)
        it.exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 1)


@scenario
def take_profit_orders_are_left_alone() -> None:
    """They stand beside the others, are not swept, and are not waited for."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 2)
        it.exchange.rest(BTC, 2, tpsl=True)
        apart: dict[str, object] = {
            "orderId": "77",
            "symbol": BTC,
            "status": "live",
            "cTime": "1749999999000",
            "tpslType": "tpsl",
        }
        show = faults.edited_rows(lambda rows: [*rows, apart])
        it.exchange.faults.add("unfilled-orders", show, times=None)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 2)
        demand("tpsl" in report.assumptions["not_touched"], "40 of the failure model: said so", report)


@scenario
def the_history_never_comes_but_single_orders_do() -> None:
    """Gone from the listing and in no history: asked for one by one."""
    with world(**CALM, history_lag_s=INF) as it:
        it.exchange.rest(BTC, 3, age_s=60)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 3)


@scenario
def a_status_that_nobody_knows() -> None:
    """Finished orders are told with a new word: neither open nor final, and noted."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 2, age_s=60)
        for endpoint in ("history-orders", "orderInfo"):
            it.exchange.faults.add(endpoint, faults.status_text("paused"), times=None)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.UNKNOWN, 2)
        demand(any("paused" in each for each in report.anomalies), "46 of the failure model: noted", report.anomalies)


@scenario
def a_page_of_the_listing_fails() -> None:
    """Of three pages the second one fails every time: what the first one shows is not all, and proves nothing."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 250, age_s=60)
        it.exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        below = faults.page(502, executed=True)
        it.exchange.faults.add("unfilled-orders", below, times=None, where=lambda copy: "idLessThan" in copy.query)
        must_be(it.settle(it.cancel(BTC)), Outcome.UNKNOWN, 0)


@scenario
def failing_reads_slow_down() -> None:
    """Every read fails for half a minute: no more than a handful a second, and never faster."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        for endpoint in ("unfilled-orders", "history-orders", "orderInfo"):
            it.exchange.faults.add(endpoint, faults.page(502, executed=False), times=None)
        call = it.cancel(BTC)
        it.advance(30)
        reads = it.exchange.truth.count() - 1
        it.exchange.faults.clear()
        must_be(it.settle(call), Outcome.CONFIRMED, 1)
        demand(reads <= 25, "45 of the failure model: slower", reads)


@scenario
def a_ban_of_five_minutes() -> None:
    """The address is turned away for 300 s: at most ten requests in them, and UNKNOWN says why."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        call = it.cancel(BTC, confirm_within_s=290.0, snapshot="none")
        it.advance(0.1)
        it.exchange.faults.add(None, faults.page(403, executed=False), times=None)
        before = it.exchange.truth.count()
        report = it.settle(call, 300.0)
        asked = it.exchange.truth.count() - before
        demand(report.reason == "rate_banned", "59 of the failure model: it says so", report.reason)
        demand(asked <= 10, "59 of the failure model: few probes", asked)


@scenario
def a_standstill_is_followed_by_a_look() -> None:
    """The loop stands still for two minutes, past the deadline: nothing is given up before one fresh look."""
    with world(**CALM) as it:
        # In debug mode asyncio logs a write to a closed connection with the frame that holds the signed bytes.
        it.loop.set_debug(False)
        it.exchange.rest(BTC, 2)
        call = it.cancel(BTC, confirm_within_s=20.0)
        it.advance(0.5)
        it.stall(120)
        it.advance(10)
        report = call.task.result().report
        demand(report is not None and report.outcome is Outcome.CONFIRMED, "55 of the failure model", report)
        for settled in it.handles.values():
            # It was put off for the look: later than the deadline of before.
            assert settled is not None
            settled.judged = True


@scenario
def a_timeout_fires_in_the_turn_of_the_answer() -> None:
    """The caller's own timeout, at every millisecond around the answer: the command lives on, in `client.pending`."""
    for wait_ms in (38, 39, 40, 41, 42):
        with world(**CALM, seed=wait_ms) as it:
            it.exchange.rest(BTC, 1)

            async def impatient(it: World = it, wait_ms: int = wait_ms) -> None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_ms / 1000):
                        _ = await it.client.cancel_symbol_orders(BTC)

            it.do(impatient())
            demand(len(it.client.pending) == 1, "49 of the failure model: it lives on", wait_ms)
            (handle,) = it.client.pending
            report = it.do(handle.settled())
            demand(report.outcome is Outcome.CONFIRMED and report.acknowledged, "49: nothing was lost", report)


@scenario
def a_reader_raises_and_another_reads_on() -> None:
    """Two readers of one handle: one raises at its first change, and the other one gets all of them."""
    with world(**CALM | {"sweep_delay_s": 0.4}) as it:
        ids = it.exchange.rest(BTC, 3)
        call = it.cancel(BTC)
        it.advance(0.05)
        handle = call.task.result()
        seen: list[Any] = []

        async def raising() -> None:
            async for _ in handle.changes():
                raise ZeroDivisionError

        async def reading() -> None:
            async for each in handle.changes():
                await asyncio.sleep(0.01)
                seen.append(each.order.order_id)

        async def waiting() -> Any:
            return await handle.settled()

        async def whole() -> None:
            tasks = [asyncio.create_task(work()) for work in (raising, reading, waiting, waiting)]
            await asyncio.sleep(0.2)
            tasks[2].cancel()
            await asyncio.sleep(10)
            # Each order is first open, and then cancelled.
            demand(
                tasks[1].done() and sorted(seen) == sorted(ids * 2),
                "61 of the failure model: the other one reads on",
                seen,
            )
            demand(tasks[3].done() and not tasks[3].cancelled(), "61 of the failure model: so does who waits")
            for task in tasks:
                if not task.cancelled():
                    task.exception()

        it.do(whole())


@scenario
def everybody_hears_of_the_end() -> None:
    """The client is closed under a pending handle and those who wait for it: each gets an answer."""
    with world(**CALM | {"sweep_delay_s": 5.0}) as it:
        it.exchange.rest(BTC, 1)
        call = it.cancel(BTC)
        it.advance(0.5)
        handle = call.task.result()

        async def whole() -> None:
            waiting = [asyncio.create_task(handle.settled()) for _ in range(3)]
            await asyncio.sleep(0.1)
            await it.client.close()
            await asyncio.sleep(0.1)
            for task in waiting:
                demand(task.done(), "20: every awaiter has an answer after close", task)
                demand(task.result().reason == "client_closed", "51 of the failure model", task.result())

        it.do(whole())


@scenario
def handles_that_nobody_reads_are_let_go() -> None:
    """Forty commands whose handles nobody keeps: nothing of them is left in memory when they are settled."""
    with world(**CALM) as it:

        async def whole() -> None:
            for _ in range(40):
                _ = await it.client.cancel_symbol_orders(BTC)
            await asyncio.sleep(30)

        alive = _courses()
        it.do(whole())
        demand(_courses() - alive <= 2, "62 of the failure model: nothing is kept", _courses() - alive)


def _courses() -> int:
    gc.collect()
    return sum(type(each) is SweepCourse for each in gc.get_objects())
