"""Pushes and the watcher: who hears of them, what they settle, and what they cost with thousands of calls pending."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from msgspec import structs

from bitget_async import (
    BitgetClient,
    Order,
    OrderStatus,
    OrderUpdate,
    Outcome,
    PendingCancellation,
    PlacementOutcome,
)
from bitget_async.clock import VirtualClock
from bitget_async.course import NamedCourse, SweepCourse, cancellation_report
from bitget_async.evidence import Command, Listing, Named, Page, Sweep, Target, Want
from bitget_async.hearing import Hearing
from bitget_async.sim import Settings, SimulatedExchange, faults
from bitget_async.watcher import Watcher
from tests.conftest import CALM, client_of, run_virtual, with_exchange

BTC = "BTCUSDT"


def watcher_of(client: BitgetClient) -> Watcher:
    """The client's watcher."""
    return client._open().watcher


def update(exchange: SimulatedExchange, order_id: str, **fields: Any) -> OrderUpdate:
    """What a push would tell of that order now."""
    truth = exchange.truth.orders[order_id]
    ended = truth.final_ns is not None
    told: dict[str, Any] = {
        "order_id": order_id,
        "symbol": truth.symbol,
        "client_oid": truth.client_oid,
        "status": OrderStatus(truth.status),
        "base_volume": truth.filled,
        "created_ms": exchange.server_ms - 5_000,
        "updated_ms": exchange.server_ms if ended else exchange.server_ms - 5_000,
        "pushed_ms": exchange.server_ms,
    }
    return OrderUpdate(**(told | fields))


def now_ns() -> int:
    """The loop's time."""
    return VirtualClock().monotonic_ns()


def no_ends(exchange: SimulatedExchange) -> None:
    """No read tells of the end of any order."""
    exchange.settings.history_lag_s = float("inf")
    exchange.faults.add("orderInfo", faults.page(502, executed=False), times=None)


@pytest.mark.failure(47)
def test_a_final_push_settles_a_cancellation_by_id_without_a_read() -> None:
    """The answer, the push, done: no look has begun by then."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1)
        pending = await client.cancel_order(BTC, order_id=order_id)
        await asyncio.sleep(0.13)
        watcher_of(client).pushed([update(exchange, order_id)], now_ns())
        assert pending.state == "settled"
        report = await pending
        assert report.requests == {"cancel-order": 1}
        assert [each.source for each in report.orders] == ["orders"]

    with_exchange(main, cancel_delay_s=0.05)


@pytest.mark.failure(47)
def test_a_push_before_the_answer_settles_with_the_answer() -> None:
    """A placement is pushed while its answer is still on the way: proven, and settled with the answer."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        # Some answer, for the exchange's clock has to be known to tell that the order is younger than the command.
        _ = await client.order_info(order_id=exchange.rest(BTC, 1)[0])
        limit: dict[str, Any] = {"size": "0.01", "price": "10000", "client_oid": "mine"}
        task = asyncio.create_task(client.place_order(BTC, "buy", "limit", **limit))
        await asyncio.sleep(0.15)
        order_id = max(exchange.truth.open_ids(exchange.account.uid, BTC), key=int)
        watcher_of(client).pushed([update(exchange, order_id, created_ms=exchange.server_ms - 10)], now_ns())
        pending = await task
        assert pending.state == "settled"
        report = await pending
        assert (report.outcome, report.placement.order_id) == (PlacementOutcome.PLACED, order_id)
        assert report.placement.source == "orders"

    with_exchange(main, answer_latency_s=0.3)


@pytest.mark.failure(47)
def test_the_last_final_push_confirms_where_only_that_was_missing() -> None:
    """Clear listing and history are there, but no read tells the end of one order: its push settles at once."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 2, age_s=5)
        no_ends(exchange)
        pending = await client.cancel_symbol_orders(BTC)
        await asyncio.sleep(4)
        watcher = watcher_of(client)
        watcher.pushed([update(exchange, ids[0])], now_ns())
        assert pending.state != "settled"
        watcher.pushed([update(exchange, ids[1]), update(exchange, ids[0])], now_ns())
        assert pending.state == "settled"
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        told = [(each.order.order_id, each.fate.value) async for each in pending.changes()]
        assert told[-2:] == [(ids[0], "cancelled"), (ids[1], "cancelled")]

    with_exchange(main)


@pytest.mark.failure(47)
def test_pushes_of_orders_that_nobody_waits_for_are_passed_over() -> None:
    """Most pushes of a busy account concern no pending call; trigger orders have another channel."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 1)
        (trigger_id,) = exchange.rest_trigger(BTC, 1)
        watcher = watcher_of(client)
        watcher.connected(now_ns())
        watcher.pushed([update(exchange, ids[0])], now_ns())
        pending = await client.trigger.cancel_plan_order(BTC, order_id=trigger_id)
        final = structs.replace(update(exchange, ids[0]), order_id=trigger_id, status=OrderStatus.CANCELLED)
        watcher.pushed([final], now_ns())
        watcher.disconnected(now_ns())
        assert pending.state != "settled"
        _ = await pending

    with_exchange(main)


@pytest.mark.failure(47)
def test_when_the_stream_comes_back_what_waits_for_a_listing_looks_at_once() -> None:
    """Pushes may have been missed. The command was executed late, and the next look would have been seconds away."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1)
        exchange.faults.add("cancel-symbol-order", faults.executed_late(21.0), times=1)
        pending = await client.cancel_symbol_orders(BTC)
        await asyncio.sleep(14)
        before = exchange.truth.count("unfilled-orders")
        for _ in range(60):
            if before == exchange.truth.count("unfilled-orders"):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        watcher_of(client).connected(now_ns())
        await asyncio.sleep(0.3)
        assert exchange.truth.count("unfilled-orders") == before + 2
        assert (await pending).outcome is Outcome.CONFIRMED

    with_exchange(main)


def test_a_defect_in_hearing_settles_everybody_and_reaches_the_handler() -> None:
    """Nobody hangs on a bug of ours, and who reads the socket does not die of it."""
    heard: list[Any] = []

    async def main() -> None:
        made = SimulatedExchange(5, clock=VirtualClock(), settings=Settings(**CALM))
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
        async with made as exchange, client_of(exchange) as client:
            (order_id,) = exchange.rest(BTC, 1)
            pending = await client.cancel_symbol_orders(BTC)
            with mock.patch.object(Sweep, "saw_push", side_effect=ZeroDivisionError):
                watcher_of(client).pushed([update(exchange, order_id)], now_ns())
            report = await pending.settled()
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "internal")

    run_virtual(main)
    assert [type(each) for each in heard] == [ZeroDivisionError]


class Tracked:
    """A tracker that knows these orders."""

    def __init__(self, rows: tuple[Order, ...] | None) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def snapshot(self, symbol: str) -> tuple[Order, ...] | None:
        """What it knows."""
        self.asked.append(symbol)
        return self.rows

    def placed(self, order: Order) -> None:
        """It is told of more than it wants to know."""

    def listed(self, listing: Listing) -> None:
        """The same."""

    def looked_up(self, page: Page) -> None:
        """The same."""


@pytest.mark.parametrize("sure", [True, False])
def test_what_the_tracker_knows_is_in_scope_from_the_start(sure: bool) -> None:
    """Without any snapshot by a read: the report says who knew it. A tracker that is not sure is not asked twice."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 2, age_s=5)
        tracked = Tracked(tuple(update(exchange, each) for each in ids) if sure else None)
        watcher_of(client).tracker = tracked
        pending = await client.cancel_symbol_orders(BTC, snapshot="none")
        known = [(each.order.order_id, each.source) for each in pending.orders]
        assert known == ([(each, "tracker") for each in ids] if sure else [])
        await asyncio.sleep(0.06)
        watcher_of(client).pushed([update(exchange, each) for each in ids], now_ns())
        await asyncio.sleep(0.04)
        # All that was open is known, and has ended: so the listing is read at once.
        assert exchange.truth.count("unfilled-orders") == (1 if sure else 0)
        report = await pending
        assert report.assumptions["snapshot"] == ("none, open-order tracker" if sure else "none")
        assert {each.source for each in report.cancelled} == {"orders"}
        assert tracked.asked == [BTC]

    with_exchange(main, sweep_delay_s=0.05)


@pytest.mark.failure(40)
def test_the_tracker_is_asked_for_normal_orders_only() -> None:
    """It follows the order channel, which tells of no take-profit and no trigger orders."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest_trigger(BTC, 1)
        tracked = Tracked(())
        watcher_of(client).tracker = tracked
        report = await (await client.trigger.batch_cancel_plan_orders(BTC)).settled()
        assert (report.outcome, tracked.asked) == (Outcome.CONFIRMED, [])

    with_exchange(main)


@pytest.mark.failure(53)
def test_an_order_that_only_a_push_told_of_stands_in_the_journal(tmp_path: Path) -> None:
    """The next process must know of it: the history may hide it for long."""

    async def main() -> None:
        made = SimulatedExchange(5, clock=VirtualClock(), settings=Settings(**CALM))
        path = tmp_path / "calls"
        async with made as exchange:
            (order_id,) = exchange.rest(BTC, 1)
            live = update(exchange, order_id)
            no_ends(exchange)
            async with client_of(exchange, journal=path) as client:
                _ = await client.cancel_symbol_orders(BTC, snapshot="none")
                watcher_of(client).pushed([live], now_ns())
            async with client_of(exchange, journal=path) as client:
                (pending,) = await client.resume_pending()
                assert isinstance(pending, PendingCancellation)
                assert [each.order.order_id for each in pending.orders] == [order_id]
                await asyncio.sleep(1)
                watcher_of(client).pushed([update(exchange, order_id)], now_ns())
                assert (await pending).outcome is Outcome.CONFIRMED

    run_virtual(main)


# -- ten thousand of them --------------------------------------------------------------------------------------------


def sweep_of(symbol: str) -> SweepCourse:
    """A pending cancellation by symbol."""
    return SweepCourse(command="cancel-symbol-order", sweep=Sweep(symbol, bounds_ms=lambda at: (0, 0)))


def named_of(symbol: str, **names: str) -> NamedCourse:
    """A pending cancellation of one order."""
    command = Command(bounds_ms=lambda at: (0, 0))
    target = Target(command=command, symbol=symbol, want=Want.FINAL, **names)  # type: ignore[arg-type]
    return NamedCourse(command="cancel-order", named=Named((target,)), build=cancellation_report)


@pytest.mark.failure(47, 57)
def test_a_push_costs_only_those_whom_it_concerns(figure: Callable[[str, Any], None]) -> None:
    """Of 10 000 calls, nearly all on one symbol, a push reaches the sweeps of its symbol and the call of its order."""
    hearing = Hearing(lambda at_ns: 0)
    courses = [named_of(BTC, order_id=str(number)) for number in range(1, 9_991)]
    sweeps = [sweep_of(BTC), *(sweep_of(f"S{number}USDT") for number in range(9))]
    for course in (*courses, *sweeps):
        hearing.add(course)
    fed: list[Any] = []

    def note(evidence: Any, push: Any) -> list[Any]:
        fed.append(evidence)
        return []

    rng = random.Random(1)
    with mock.patch.object(Named, "saw_push", note), mock.patch.object(Sweep, "saw_push", note):
        for _ in range(1_000):
            number = rng.randrange(1, 9_991)
            row = OrderUpdate(order_id=str(number), symbol=BTC, status=OrderStatus.CANCELLED, client_oid=f"n{number}")
            assert list(hearing.told([row], 5)) == []
            assert fed == [sweeps[0].sweep, courses[number - 1].named]
            fed.clear()
    figure("streams.calls_reached_by_a_push_of_10000", 2)
    for course in (*courses, *sweeps):
        hearing.remove(course)
    assert (hearing._courses, hearing._names) == ({}, {})


def test_a_call_is_found_by_what_it_knew_when_it_began() -> None:
    """An id that was learnt, or taken back, while it was pending leaves nothing behind."""
    hearing = Hearing(lambda at_ns: 0)
    both = named_of(BTC, order_id="0077", client_oid="mine")
    hearing.add(both)
    both.named.targets[0].order_id = None
    hearing.remove(both)
    hearing.remove(both)
    assert hearing._courses == {}
    hearing.add(sweep_of("mine"))
    assert list(hearing.told([OrderUpdate(order_id="x", symbol=BTC, client_oid="mine")], 5)) == []


def test_a_frame_without_its_time_counts_as_of_its_arrival() -> None:
    """Every fate in a report has the exchange's time of what told it."""
    hearing = Hearing(lambda at_ns: at_ns * 2)
    course = named_of(BTC, order_id="7")
    hearing.add(course)
    row = OrderUpdate(order_id="7", symbol=BTC, status=OrderStatus.FILLED)
    assert list(hearing.told([row], 5)) == [(course, True, True)]
    assert course.named.targets[0].server_ms == 10
