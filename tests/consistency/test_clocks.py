"""A clock that is wrong, steps and drifts: at most one refusal, one execution, and no outcome that it changes."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from bitget_async import BitgetClient, LocalLimits, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import run_virtual

BTC = "BTCUSDT"
COMMAND = "cancel-symbol-order"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = 1_750_000_000_000


def stall(seconds: float) -> None:
    """Time passes in which the loop does nothing."""
    loop: Any = asyncio.get_running_loop()
    loop._selector.clock.advance(seconds)


class StallingLimits(LocalLimits):
    """The loop stands still right after the token of the command was granted."""

    seconds = 0.0

    async def acquire(self, row: Any, account: str, origin: str, **options: Any) -> Any:
        grant = await super().acquire(row, account, origin, **options)
        if row.path.endswith(COMMAND):
            stall(self.seconds)
        return grant


async def played(
    skew_ms: int, step_ms: int, ppm: float, *, stall_s: float = 0.0, warm: bool = False, seed: int = 1
) -> SimulatedExchange:
    """One cancellation by a client with such a clock; returns the closed exchange, whose truth stays readable."""
    clock = VirtualClock(START_MS + skew_ms, drift_ppm=ppm)
    limits = StallingLimits()
    limits.seconds = stall_s
    settings = Settings(listing_lag_s=0.0, history_lag_s=0.3, sweep_delay_s=0.1, order_info_lag_s=0.0)
    exchange = SimulatedExchange(seed, clock=VirtualClock(START_MS), settings=settings)
    async with (
        exchange,
        BitgetClient(
            exchange.credentials(),
            base_url=exchange.base_url,
            clock=clock,
            rng=random.Random(seed),
            limits=limits,
        ) as client,
    ):
        ids = exchange.rest(BTC, 3, age_s=60)
        if warm:
            _ = await client.market.server_time()
        pending = await client.cancel_symbol_orders(BTC)
        course: Any = pending._course
        signed_ns = course.sweep.signed_ns
        await asyncio.sleep(0.5)
        clock.step(step_ms)
        report = await pending.settled()
        clock.step(-2 * step_ms)
        assert report.outcome is Outcome.CONFIRMED
        assert {fate.order.order_id for fate in report.cancelled} == set(ids)
        # Durations are monotonic: neither sooner nor later than the deciding look and what follows it.
        settled_s = asyncio.get_running_loop().time() - signed_ns / 1e9
        assert 1.999 <= settled_s <= 3.0
        # On a network that takes no time, what arrives was stamped when it was written.
        assert exchange.truth.copies(COMMAND)[-1].received_ns - signed_ns <= 50_000_000
    return exchange


@pytest.mark.failure(22, 23)
@pytest.mark.parametrize("skew_ms", [-29_000, 29_000, -31_000, 31_000, -DAY_MS, DAY_MS])
@pytest.mark.parametrize("step_ms", [-HOUR_MS, HOUR_MS])
@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_a_wrong_clock_that_steps_and_drifts_costs_at_most_one_refusal(skew_ms: int, step_ms: int, ppm: float) -> None:
    """Inside the exchange's 30 s none, outside one; always one execution, and a report at the usual time."""

    async def main() -> None:
        exchange = await played(skew_ms, step_ms, ppm)
        results = [copy.result for copy in exchange.truth.copies(COMMAND)]
        assert results[-1] == "00000"
        assert len(results) == (1 if abs(skew_ms) < 30_000 else 2)
        assert len(exchange.truth.executions) == 1
        refused = [copy for copy in exchange.truth.wire if copy.result not in ("00000", None)]
        # The listing beside the command has the same clock, and is not repeated.
        assert len(refused) <= (0 if abs(skew_ms) < 30_000 else 2)

    run_virtual(main)


@pytest.mark.failure(22)
@pytest.mark.parametrize("skew_ms", [HOUR_MS - DAY_MS, -31_000, 31_000, DAY_MS - HOUR_MS])
def test_any_earlier_answer_makes_the_first_signature_right(skew_ms: int) -> None:
    """Public time, or any answer at all, tells the exchange's clock: no refusal, and a stamp of less than 50 ms."""

    async def main() -> None:
        exchange = await played(skew_ms, HOUR_MS, 200.0, warm=True)
        (copy,) = exchange.truth.copies(COMMAND)
        assert copy.timestamp_age_ms is not None
        assert abs(copy.timestamp_age_ms) <= 50

    run_virtual(main)


@pytest.mark.failure(24, 55)
@pytest.mark.parametrize("stall_s", [5.0, 35.0, 120.0])
@pytest.mark.parametrize("warm", [False, True])
def test_a_stall_between_the_token_and_the_write_does_not_age_the_signature(stall_s: float, warm: bool) -> None:
    """The loop stands still right after the token: the stamp is made after it, so nothing is refused."""

    async def main() -> None:
        exchange = await played(0, 0, 0.0, stall_s=stall_s, warm=warm)
        (copy,) = exchange.truth.copies(COMMAND)
        assert copy.result == "00000"
        assert abs(copy.timestamp_age_ms or 0) <= 50

    run_virtual(main)
