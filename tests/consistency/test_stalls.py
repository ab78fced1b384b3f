"""After the loop stood still: no burst at the exchange, and nobody's time is up before one fresh look."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from bitget_async import BitgetClient, LocalLimits, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual
from tests.consistency.test_clocks import stall

COMMAND = "cancel-symbol-order"
READS = ("unfilled-orders", "history-orders", "orderInfo")
NAMES = list(SYMBOLS)[:24]
JITTERS: dict[str, float | tuple[float, float]] = {"none": 0.0, "20-320 ms": (0.02, 0.32), "0-2 s": (0.0, 2.0)}


def settings_of(jitter: str) -> Settings:
    """A network that takes that long to the exchange."""
    return Settings(request_latency_s=JITTERS[jitter])


def judge_limits(exchange: SimulatedExchange) -> None:
    """In any second of the exchange at most 5 commands and 20 reads of a kind."""
    assert exchange.truth.worst_second(COMMAND) <= 5
    for read in READS:
        assert exchange.truth.worst_second(read) <= 20


async def cancel_all(client: BitgetClient, names: list[str], **options: Any) -> list[Any]:
    """One call a symbol, all in one turn of the loop, to their reports."""

    async def one(name: str) -> Any:
        return await (await client.cancel_symbol_orders(name, **options)).settled()

    return await asyncio.gather(*(one(name) for name in names))


@pytest.mark.failure(55)
@pytest.mark.parametrize("stall_s", [5.0, 35.0, 120.0])
@pytest.mark.parametrize("at_s", [0.0, 0.02, 0.3, 1.1, 1.99, 2.2, 3.5])
def test_a_stall_makes_no_burst_and_ends_nobodys_time(stall_s: float, at_s: float) -> None:
    """24 cancellations wait, fly and are watched when the loop stops: all are confirmed, and no limit is broken."""

    async def main() -> None:
        exchange = SimulatedExchange(3, clock=VirtualClock(), settings=settings_of("20-320 ms"))
        async with exchange, client_of(exchange) as client:
            for name in NAMES:
                exchange.rest(name, 2, age_s=60)
            asyncio.get_running_loop().call_later(at_s, stall, stall_s)
            reports = await cancel_all(client, NAMES)
            assert {report.outcome for report in reports} == {Outcome.CONFIRMED}
            assert len(exchange.truth.executions) == len(NAMES)
            judge_limits(exchange)

    run_virtual(main)


@pytest.mark.failure(55)
def test_several_stalls_in_a_row_are_survived() -> None:
    """The machine swaps: a second of work, half a minute of nothing, five times."""

    async def main() -> None:
        exchange = SimulatedExchange(4, clock=VirtualClock(), settings=settings_of("20-320 ms"))
        async with exchange, client_of(exchange) as client:
            for name in NAMES:
                exchange.rest(name, 2, age_s=60)
            for number in range(5):
                asyncio.get_running_loop().call_later(0.5 + 31 * number, stall, 30.0)
            reports = await cancel_all(client, NAMES)
            assert {report.outcome for report in reports} <= {Outcome.CONFIRMED}
            judge_limits(exchange)

    run_virtual(main)


@pytest.mark.failure(55)
@pytest.mark.parametrize("stall_s", [65.0, 120.0])
def test_a_deadline_inside_a_stall_waits_for_one_fresh_look(stall_s: float) -> None:
    """The time to confirm ended while nothing ran: the look that follows confirms, and nobody is told UNKNOWN."""

    async def main() -> None:
        exchange = SimulatedExchange(5, clock=VirtualClock(), settings=settings_of("none"))
        async with exchange, client_of(exchange) as client:
            exchange.rest(NAMES[0], 2, age_s=60)
            pending = await client.cancel_symbol_orders(NAMES[0])
            reads = sum(exchange.truth.count(read) for read in READS)
            stall(stall_s)
            report = await pending.settled()
            assert report.outcome is Outcome.CONFIRMED
            assert sum(exchange.truth.count(read) for read in READS) > reads

    run_virtual(main)


@pytest.mark.failure(55, 58)
@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize("clients", [1, 3])
@pytest.mark.parametrize("stall_s", [0.0, 5.0])
def test_bursts_stay_within_the_limits_and_use_them(
    jitter: str, clients: int, stall_s: float, count_cases: Any, figure: Any
) -> None:
    """Clients of one user in one process share the tokens: never more than the limit, and most of it is used."""

    async def main(seed: int) -> float:
        exchange = SimulatedExchange(seed, clock=VirtualClock(), settings=settings_of(jitter), keep_headers=False)
        async with exchange:
            for name in NAMES:
                exchange.rest(name, 1, age_s=60)
            made = [client_of(exchange, rng=random.Random(seed + number)) for number in range(clients)]
            if stall_s:
                asyncio.get_running_loop().call_later(1.3, stall, stall_s)
            each = [NAMES[number::clients] for number in range(clients)]
            options: dict[str, Any] = {"snapshot": "none", "confirm_within_s": 90}
            told = await asyncio.gather(
                *(cancel_all(client, names, **options) for client, names in zip(made, each, strict=True))
            )
            for client in made:
                await client.close()
            assert {report.outcome for reports in told for report in reports} <= {
                Outcome.CONFIRMED,
                Outcome.NOTHING_TO_CANCEL,
            }
            judge_limits(exchange)
            moments = [copy.processed_ns or 0 for copy in exchange.truth.copies(COMMAND)]
            assert exchange.truth.answers_429 == 0
            # The first five go at once; the others at five a second at best.
            return (len(moments) - 5) / 5 / ((max(moments) - min(moments)) / 1e9)

    used = [run_virtual(partial(main, seed), debug=seed == 0) for seed in range(3)]
    count_cases(len(used))
    if not stall_s:
        figure(f"limits.utilisation.jitter_{jitter}.clients_{clients}", round(sum(used) / len(used), 3))
        # Two seconds of jitter: a token comes back when its answer does.
        least = {"none": 0.9, "20-320 ms": 0.7, "0-2 s": 0.35}[jitter]
        assert min(used) >= least


@pytest.mark.failure(58)
@pytest.mark.parametrize("jitter", JITTERS)
def test_four_processes_that_share_the_quota_break_no_limit(jitter: str) -> None:
    """Each takes a quarter: nothing is refused, whatever the network does."""

    async def main() -> None:
        exchange = SimulatedExchange(6, clock=VirtualClock(), settings=settings_of(jitter))
        async with exchange:
            for name in NAMES:
                exchange.rest(name, 1, age_s=60)
            made = [client_of(exchange, limits=LocalLimits(share=0.25)) for _ in range(4)]
            told = await asyncio.gather(*(cancel_all(client, NAMES[n::4]) for n, client in enumerate(made)))
            for client in made:
                await client.close()
            assert {report.outcome for reports in told for report in reports} == {Outcome.CONFIRMED}
            judge_limits(exchange)
            assert exchange.truth.answers_429 == 0

    run_virtual(main)


@pytest.mark.failure(12, 58)
@pytest.mark.parametrize("jitter", JITTERS)
def test_four_processes_that_know_nothing_of_each_other_are_told_and_slow_down(jitter: str, figure: Any) -> None:
    """Each believes that it has the whole quota: 429 tells them, nothing is executed twice, and all is confirmed."""

    async def main() -> None:
        exchange = SimulatedExchange(7, clock=VirtualClock(), settings=settings_of(jitter))
        async with exchange:
            for name in NAMES:
                exchange.rest(name, 1, age_s=60)
            made = [client_of(exchange, limits=LocalLimits(), rng=random.Random(each)) for each in range(4)]
            told = await asyncio.gather(
                *(cancel_all(client, NAMES[n::4], confirm_within_s=120) for n, client in enumerate(made))
            )
            for client in made:
                await client.close()
            assert {report.outcome for reports in told for report in reports} == {Outcome.CONFIRMED}
            assert len(exchange.truth.executions) == len(NAMES)
            refused = sum(copy.result == "429" for copy in exchange.truth.copies(COMMAND))
            figure(f"limits.refused_of_four_unaware.jitter_{jitter}", refused)
            assert refused <= 2 * len(NAMES)

    run_virtual(main)


@pytest.mark.failure(58)
def test_another_program_that_eats_the_reads_does_not_stop_the_proof() -> None:
    """Fifteen of twenty listings a second are somebody else's: slower, never banned by it, confirmed."""

    async def main() -> None:
        exchange = SimulatedExchange(8, clock=VirtualClock(), settings=settings_of("20-320 ms"))
        async with exchange, client_of(exchange) as client, client_of(exchange, limits=LocalLimits()) as other:
            for name in NAMES:
                exchange.rest(name, 1, age_s=60)
            ends_s = asyncio.get_running_loop().time() + 30

            async def eat() -> None:
                while asyncio.get_running_loop().time() < ends_s:
                    try:
                        _ = await other.unfilled_orders(NAMES[0])
                    except Exception:
                        await asyncio.sleep(0.05)

            eaters = [asyncio.create_task(eat()) for _ in range(5)]
            reports = await cancel_all(client, NAMES[:8])
            assert {report.outcome for report in reports} == {Outcome.CONFIRMED}
            assert asyncio.get_running_loop().time() < ends_s
            for task in eaters:
                task.cancel()
            _ = await asyncio.gather(*eaters, return_exceptions=True)

    run_virtual(main)
