"""A thousand handles over a hundred symbols, cancels behind thousands of readers; `python -m tests.scale` has more."""

from __future__ import annotations

import asyncio
import logging
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bitget_async import BitgetClient, Outcome, Unlimited
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import run_virtual, with_exchange
from tests.scale.crowds import Crowd, Queue, behind, crowd, listed, p99, weight

BTC = "BTCUSDT"
Figure = Callable[[str, Any], None]


@pytest.fixture
def traced(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Memory is counted; that of log records, which the test run keeps, is not the client's."""
    with caplog.at_level(logging.WARNING, "bitget_async"):
        tracemalloc.start(1)
        yield
        tracemalloc.stop()


def judge_crowd(found: Crowd, handles: int) -> None:
    """Everything confirmed at the pace of the exchange's limit, with a listing read every tenth of a second at most."""
    assert found.outcomes == {Outcome.CONFIRMED: handles}
    assert found.commands == handles
    assert found.commands_worst <= 5
    assert found.answers_429 == 0
    assert found.virtual_s <= handles / 5 * 1.4 + 60
    assert found.listings_per_s <= 10
    assert found.listings_worst <= 20


@pytest.mark.failure(57)
def test_a_thousand_handles_share_their_reads(count_cases: Callable[[int], None]) -> None:
    """All calls in one turn, ten a symbol: none is starved, and the reads do not grow with the number that waits."""
    with listed(100) as symbols:
        judge_crowd(run_virtual(lambda: crowd(symbols, 1_000), debug=False), 1_000)
    count_cases(1_000)


@pytest.mark.failure(62)
@pytest.mark.usefixtures("traced")
def test_a_handle_weighs_less_than_ten_kilobytes_and_nothing_is_left_of_it(figure: Figure) -> None:
    """Pending, settled and held, and let go: a client that cancels for years must not grow."""
    with listed(80) as symbols:
        found = run_virtual(lambda: weight(symbols), debug=False)
    assert found.pending <= 10_000
    assert found.settled <= 10_000
    assert found.left <= 500
    assert found.listings_worst <= 10
    figure("handles.bytes_pending", found.pending)
    figure("handles.bytes_settled", found.settled)
    figure("handles.bytes_left", found.left)


def judge_queue(found: Queue, quiet: Queue) -> int:
    """How much longer 99 of 100 cancels waited behind readers, in nanoseconds."""
    more = [late - early for late, early in zip(found.arrived_ns, quiet.arrived_ns, strict=True)]
    assert p99(more) <= 5_000_000
    return p99(more)


@pytest.mark.failure(57)
def test_cancels_pass_a_queue_of_readers(figure: Figure, count_cases: Callable[[int], None]) -> None:
    """A cancel waits for its own bucket and nothing else, to the microsecond; the reads that confirm it go first."""
    with listed(20) as symbols:
        quiet = run_virtual(lambda: behind(0, 200, 0.21, symbols), debug=False)
        found = run_virtual(lambda: behind(5_000, 200, 0.21, symbols), debug=False)
    assert found.served < 5_000, "the readers were gone before the last cancel"
    assert found.confirmed == quiet.confirmed == 200
    figure("priority.extra_wait_p99_ms", judge_queue(found, quiet) / 1e6)
    count_cases(200)


@pytest.mark.failure(57)
def test_a_cancel_needs_no_connection_that_a_read_holds() -> None:
    """Three hundred reads hang on their connections, more than an HTTP client's usual limit: a cancel opens its own."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("history-orders", faults.hang(executed=True), times=None)
        reading = [asyncio.ensure_future(_read(client)) for _ in range(300)]
        await asyncio.sleep(1)
        assert exchange.truth.count("history-orders") == 300
        began_s = asyncio.get_running_loop().time()
        pending = await client.cancel_symbol_orders(BTC)
        assert asyncio.get_running_loop().time() - began_s <= 0.05
        assert pending.acknowledged
        for task in reading:
            task.cancel()
        _ = await asyncio.gather(*reading, return_exceptions=True)

    with_exchange(main, options={"limits": Unlimited()}, quotas={"history-orders": 1_000}, ip_per_minute=None)


async def _read(client: BitgetClient) -> object:
    return await client.history_orders(limit=1)


@pytest.mark.failure(56)
@pytest.mark.parametrize("callers", [2, 10, 100, 1_000])
def test_any_number_of_callers_of_one_symbol_cost_two_commands(
    callers: int, count_cases: Callable[[int], None]
) -> None:
    """Half of them come at once, half when the first command is being stamped; all get a report that is true."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(4):
            _ = await client.cancel_symbol_orders("ETHUSDT", confirm_within_s=50.0 + number)
        exchange.rest(BTC, 3, age_s=60)
        calls = [asyncio.ensure_future(client.cancel_symbol_orders(BTC)) for _ in range(callers // 2)]
        await asyncio.sleep(0)
        calls += [asyncio.ensure_future(client.cancel_symbol_orders(BTC)) for _ in range(callers // 2)]
        handles = set(await asyncio.gather(*calls))
        assert len(handles) <= 2
        assert sum(BTC.encode() in copy.body for copy in exchange.truth.copies("cancel-symbol-order")) == len(handles)
        for handle in handles:
            report = await handle
            assert len(report.cancelled) == 3 or report.outcome is Outcome.NOTHING_TO_CANCEL

    with_exchange(main)
    count_cases(callers)
