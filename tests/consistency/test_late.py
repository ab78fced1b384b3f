"""Orders placed around the signing, by anybody, at every millisecond; and commands that are executed late or never."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from bitget_async import Fate, Outcome, Scope
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import client_of, run_virtual

BTC = "BTCUSDT"
COMMAND = "cancel-symbol-order"
# The client knows the exchange's clock to the round trip at best; rounding costs a millisecond more.
SLACK_NS = 2_000_000


def settings() -> Settings:
    """20 ms each way; the sweep runs 100 ms after its answer."""
    return Settings(
        request_latency_s=0.02, answer_latency_s=0.02, listing_lag_s=0.0, history_lag_s=0.2, sweep_delay_s=0.1
    )


def judge(report: Any, orders: dict[str, Any], signed_ns: int) -> None:
    """What was there is required and final; what came later is LATE, with its true fate; the rest may be either."""
    told = {fate.order.order_id: fate for fate in report.orders}
    for order in orders.values():
        if order.created_ns <= signed_ns:
            assert order.order_id in told
            assert told[order.order_id].scope is not Scope.LATE
        elif order.order_id in told and order.created_ns > signed_ns + SLACK_NS:
            assert told[order.order_id].scope is not Scope.IN
        fate = told.get(order.order_id)
        if fate is not None and fate.fate in (Fate.CANCELLED, Fate.FILLED):
            assert order.status == fate.fate.value


@pytest.mark.failure(37, 38)
@pytest.mark.parametrize("source", ["API", "WEB"])
@pytest.mark.parametrize("chunk", range(4))
def test_an_order_at_every_millisecond_around_the_signing_is_in_or_late(
    chunk: int, source: str, count_cases: Any
) -> None:
    """From 20 ms before the call to 200 ms after it: required if it was there, else LATE, and never in the way."""

    async def main(after_ms: int) -> None:
        exchange = SimulatedExchange(after_ms, clock=VirtualClock(), settings=settings(), keep_headers=False)
        async with exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1, age_s=60)
            # The clock of the exchange is known by then, and a connection stands.
            _ = await client.market.server_time()
            exchange.schedule_order(BTC, after_ms / 1000, source=source)
            await asyncio.sleep(0.02)
            pending = await client.cancel_symbol_orders(BTC)
            report = await pending.settled()
            assert report.outcome is Outcome.CONFIRMED
            course: Any = pending._course
            judge(report, dict(exchange.truth.orders), course.sweep.signed_ns)

    moments = range(chunk, 220, 4)
    for after_ms in moments:
        run_virtual(partial(main, after_ms), debug=after_ms % 40 == 0)
    count_cases(len(moments))


@pytest.mark.failure(37)
@pytest.mark.parametrize("fence", [False, True])
def test_an_order_of_this_client_at_every_fifth_millisecond_never_blocks(fence: bool, count_cases: Any) -> None:
    """Placed by the same client while the cancellation is under way: behind the fence it lives, else it is named."""

    async def main(after_ms: int) -> None:
        exchange = SimulatedExchange(after_ms, clock=VirtualClock(), settings=settings(), keep_headers=False)
        async with exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1, age_s=60)

            async def place() -> None:
                await asyncio.sleep(after_ms / 1000)
                placed = await client.place_order(BTC, "buy", "limit", "0.001", price="2000", fence=fence)
                _ = await placed.settled()

            placing = asyncio.create_task(place())
            pending = await client.cancel_symbol_orders(BTC)
            report = await pending.settled()
            await placing
            assert report.outcome is Outcome.CONFIRMED
            course: Any = pending._course
            orders = dict(exchange.truth.orders)
            judge(report, orders, course.sweep.signed_ns)
            mine = next(order for order in orders.values() if order.draft.price == 2000)
            if fence and mine.created_ns > course.sweep.signed_ns:
                assert mine.is_open

    moments = range(0, 260, 5)
    for after_ms in moments:
        run_virtual(partial(main, after_ms), debug=after_ms % 50 == 0)
    count_cases(len(moments))


@pytest.mark.failure(8)
def test_a_command_that_is_executed_late_is_confirmed_late(count_cases: Any) -> None:
    """No answer, executed 0 to 29 s later: never called open or unknown before the horizon, CONFIRMED after it ran."""

    async def main(late_s: float, fault: Any) -> None:
        exchange = SimulatedExchange(int(late_s), clock=VirtualClock(), settings=settings(), keep_headers=False)
        async with exchange, client_of(exchange) as client:
            ids = exchange.rest(BTC, 2, age_s=60)
            exchange.faults.add(COMMAND, faults.executed_late(late_s) | fault, times=1)
            report = await (await client.cancel_symbol_orders(BTC)).settled()
            assert report.outcome is Outcome.CONFIRMED
            (run,) = exchange.truth.executions
            assert set(run.order_ids) == set(ids)
            assert exchange.truth.count(COMMAND) == 1

    cases = [(late_s, fault) for late_s in range(30) for fault in (faults.drop(executed=True), faults.truncated(0.5))]
    for late_s, fault in cases:
        run_virtual(partial(main, float(late_s), fault), debug=late_s % 10 == 0)
    count_cases(len(cases))


@pytest.mark.failure(9, 32)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "fault", [faults.hang(executed=False), faults.drop(executed=False), faults.never_executed()], ids=lambda f: f.name
)
def test_a_command_that_never_runs_is_still_open_after_the_horizon_and_not_before(fault: Any, seed: int) -> None:
    """Taken or not answered: STILL_OPEN from 42 s after the signing, with the orders by name, and one copy."""

    async def main() -> None:
        exchange = SimulatedExchange(seed, clock=VirtualClock(), settings=settings())
        async with exchange, client_of(exchange) as client:
            ids = exchange.rest(BTC, 3, age_s=60)
            exchange.faults.add(COMMAND, fault, times=1)
            pending = await client.cancel_symbol_orders(BTC)
            report = await pending.settled()
            course: Any = pending._course
            after_s = asyncio.get_running_loop().time() - course.sweep.signed_ns / 1e9
            assert report.outcome is Outcome.STILL_OPEN
            assert 42 <= after_s <= 43
            assert [fate.order.order_id for fate in report.still_open] == ids
            assert exchange.truth.count(COMMAND) == 1

    run_virtual(main)
