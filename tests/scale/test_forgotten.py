"""What the program does with its handles: never reads them, drops them, reads them badly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import BitgetClient, Outcome, Pending, PendingCancellation, Report
from bitget_async.course import Course
from bitget_async.evidence import Named, Sweep
from bitget_async.sim import SYMBOLS, SimulatedExchange
from tests.conftest import with_exchange

BTC = "BTCUSDT"
NAMES = list(SYMBOLS)[:20]
KEPT = (Pending, Course, Report, Sweep, Named)


def kept() -> int:
    """How many handles, courses, reports and bodies of evidence are alive."""
    gc.collect()
    return sum(isinstance(each, KEPT) for each in gc.get_objects())


async def all_settled(client: BitgetClient) -> None:
    """Wait without keeping a handle."""
    while client.pending:
        await client.pending[0].settled()


@pytest.mark.failure(62)
def test_nothing_is_kept_of_handles_that_nobody_reads(count_cases: Callable[[int], None]) -> None:
    """Five kinds of calls, thrown away as they come: once settled they are gone for good."""
    before = kept()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for _ in range(5):
            for name in NAMES:
                exchange.rest(name, 2, age_s=60)
                _ = await client.cancel_symbol_orders(name)
            ids = exchange.rest(BTC, 30, age_s=60)
            _ = await client.cancel_order(BTC, order_id=ids[0])
            _ = await client.batch_cancel_orders(BTC, order_ids=ids[1:29])
            _ = await client.cancel_replace_order(BTC, order_id=ids[29], price="50000", size="0.001", fence=False)
            _ = await client.place_order(BTC, "buy", "limit", "0.001", price="50000", fence=False)
            del _
            await all_settled(client)
            assert kept() == before

    with_exchange(main)
    count_cases(5 * (len(NAMES) + 4))


@pytest.mark.failure(62)
def test_a_handle_keeps_itself_and_nobody_else() -> None:
    """Whoever holds one report of many holds one report."""
    before = kept()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        handles = []
        for name in NAMES:
            exchange.rest(name, 2, age_s=60)
            handles.append(await client.cancel_symbol_orders(name))
        await all_settled(client)
        handle = handles[7]
        handles.clear()
        assert kept() - before == len((handle, "its course", "its evidence", "its report"))

    with_exchange(main)


@pytest.mark.failure(61)
def test_a_reader_that_raises_harms_nobody() -> None:
    """An exception in the body of `async for` is the reader's own; so is one that leaves the iterator half-way."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 3, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)

        async def fails() -> None:
            async for _ in pending.changes():
                raise ZeroDivisionError

        async def leaves() -> None:
            async for _ in pending.changes():
                break

        async def reads() -> int:
            return len([change async for change in pending.changes()])

        results = await asyncio.gather(fails(), reads(), leaves(), fails(), reads(), return_exceptions=True)
        assert [type(each) for each in results] == [ZeroDivisionError, int, type(None), ZeroDivisionError, int]
        assert results[1] == results[4] == 6
        assert (await pending).outcome is Outcome.CONFIRMED

    with_exchange(main)


@pytest.mark.failure(61)
@pytest.mark.parametrize("blocks_s", [0.3, 5.0, 35.0, 120.0])
def test_a_reader_that_blocks_the_loop_changes_no_outcome(blocks_s: float) -> None:
    """It stands still in the body of `async for`, again and again, for the longest past every deadline."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        loop: Any = asyncio.get_running_loop()
        # asyncio's debug mode logs a broken pipe together with the frame that wrote, and the request in it.
        loop.set_debug(False)
        handles: list[PendingCancellation] = []
        for name in NAMES[:3]:
            exchange.rest(name, 2, age_s=60)
            handles.append(await client.cancel_symbol_orders(name))

        async def blocks(pending: PendingCancellation) -> None:
            async for _ in pending.changes():
                loop._selector.clock.advance(blocks_s)

        await asyncio.gather(*(blocks(each) for each in handles))
        assert {(await each.settled()).outcome for each in handles} == {Outcome.CONFIRMED}
        assert exchange.truth.answers_429 == 0

    with_exchange(main)


@pytest.mark.failure(61)
def test_a_reader_that_never_comes_back_holds_nothing_up() -> None:
    """It waits for something else in the body of `async for`: the handle settles, the client closes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)

        async def hangs() -> None:
            async for _ in pending.changes():
                await asyncio.Event().wait()

        hanging = asyncio.ensure_future(hangs())
        assert (await pending).outcome is Outcome.CONFIRMED
        await client.close()
        assert not hanging.done()
        hanging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hanging

    with_exchange(main)
