"""`client.stream.book`: equal to the exchange's truth, mended alone after a fault, and honest while it is not whole."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal

import pytest

from bitget_async import BitgetClient, BookLevel, LiveBook, NotSent, StreamState, SubscriptionFailed, UsageError
from bitget_async.sim import SimulatedExchange
from tests.conftest import with_exchange


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def levels(told: tuple[BookLevel, ...]) -> list[tuple[Decimal, Decimal]]:
    """Price and size of each."""
    return [(each.price, each.size) for each in told]


def same(book: LiveBook, exchange: SimulatedExchange, symbol: str = "BTCUSDT") -> None:
    """Fails unless the book is what the exchange has."""
    truth = exchange.depths.now(symbol)
    for told, side in ((book.bids(25), "buy"), (book.asks(25), "sell")):
        assert levels(told) == [(Decimal(price), Decimal(size)) for price, size in truth.texts(side, 25)]


async def calm(exchange: SimulatedExchange, *symbols: str) -> None:
    """Let the last change arrive."""
    for symbol in symbols or ("BTCUSDT",):
        exchange.depths.stir(symbol, 0)
    await asyncio.sleep(1)


def test_it_follows_the_exchange_level_by_level() -> None:
    """Best prices, depth, middle and spread are those of the truth after a minute of changes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 50)
        async with await client.stream.book("BTCUSDT") as book:
            assert book.ready
            await asyncio.sleep(60)
            await calm(exchange)
            same(book, exchange)
            assert book.best_bid is not None
            assert book.best_ask is not None
            assert book.mid == (book.best_bid.price + book.best_ask.price) / 2
            assert book.spread == book.best_ask.price - book.best_bid.price
            assert book.mended == 0
            assert book.symbol == "BTCUSDT"
            assert book.time_ms is not None
            assert book.seq is not None
        assert book.closed
        assert book.bids() == ()

    with_exchange(main)


@pytest.mark.failure(47)
@pytest.mark.parametrize("fault", ["loss", "checksum", "level"])
def test_a_spoilt_update_is_found_and_its_symbol_alone_is_asked_for_anew(fault: str) -> None:
    """A book that is wrong by one level is worse than none; the others have done nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            exchange.depths.stir(symbol, 20)
        async with await client.stream.book("BTCUSDT") as book, await client.stream.book("ETHUSDT") as other:
            await asyncio.sleep(5)
            exchange.depths.spoil("BTCUSDT", fault)
            await asyncio.sleep(20)
            await calm(exchange, "BTCUSDT", "ETHUSDT")
            # One that takes away what was never there changes nothing.
            assert book.mended == (0 if fault == "level" else 1)
            assert other.mended == 0
            same(book, exchange)
            same(other, exchange, "ETHUSDT")
        (record,) = exchange.sockets.records
        assert record.worst_second <= 8

    with_exchange(main)


def test_an_exchange_that_spoils_everything_is_not_asked_without_end() -> None:
    """240 subscriptions an hour are all that a connection has: who mends all the time must wait longer each time."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.book_wrong_checksum = 1.0
        exchange.depths.stir("BTCUSDT", 10)
        async with await client.stream.book("BTCUSDT") as book:
            await asyncio.sleep(600)
            assert 15 <= book.mended <= 40
            exchange.settings.book_wrong_checksum = 0.0
            await asyncio.sleep(120)
            await calm(exchange)
            same(book, exchange)

    with_exchange(main)


@pytest.mark.failure(47)
def test_after_a_cut_it_is_empty_and_stale_until_the_new_snapshot() -> None:
    """Nobody trades on a book of before the cut without knowing it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 20)
        async with await client.stream.book("BTCUSDT") as book:
            _ = exchange.sockets.cut()
            while not book.stale:
                _ = await book.changed()
            assert (book.best_bid, book.best_ask, book.mid) == (None, None, None)
            assert not book.ready
            await book.wait_ready()
            await calm(exchange)
            same(book, exchange)
            assert book.mended == 0

    with_exchange(main)


def test_a_silent_line_makes_it_stale_and_leaves_its_levels() -> None:
    """The last known prices may still be wanted; that they are old is said."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with await client.stream.book("BTCUSDT") as book:
            exchange.sockets.stall(True)
            while not book.stale:
                _ = await book.changed()
            assert book.best_bid is not None
            exchange.sockets.stall(False, keep=True)
            await book.wait_ready()
            same(book, exchange)

    with_exchange(main)


def test_a_second_book_of_a_symbol_comes_at_once_and_disturbs_the_first_for_a_moment_only() -> None:
    """The topic is shared: its snapshot is asked for again, and serves both."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 50)
        async with await client.stream.book("BTCUSDT") as first:
            await asyncio.sleep(3)
            async with asyncio.timeout(2), await client.stream.book("BTCUSDT") as second:
                pass
            async with await client.stream.book("BTCUSDT") as second:
                await asyncio.sleep(3)
                await calm(exchange)
                same(first, exchange)
                same(second, exchange)
                assert first.ready
                assert (first.mended, second.mended) == (0, 0)

    with_exchange(main)


def test_a_reader_of_all_updates_who_comes_late_begins_with_a_snapshot() -> None:
    """Changes alone are no book."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 50)
        async with client.stream.books("BTCUSDT", depth="all") as first:
            await first.ready()
            assert (await anext(first)).action == "snapshot"
            await asyncio.sleep(3)
            async with client.stream.books("BTCUSDT", depth="all") as late:
                async for update in late:
                    if update.action == "snapshot":
                        break

    with_exchange(main)


def test_a_symbol_that_does_not_exist_is_told() -> None:
    """Waiting for its snapshot would last for ever."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(SubscriptionFailed, match="NOSUCHUSDT"):
            _ = await client.stream.book("NOSUCHUSDT")
        with pytest.raises(UsageError):
            _ = await client.stream.book("btcusdt")
        assert client.stream.state is StreamState.OFF

    with_exchange(main)


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_waiting_for_a_book_ends_with_its_caller_or_its_client(end: str) -> None:
    """No topic and no task is left behind."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        waiting = asyncio.ensure_future(client.stream.book("BTCUSDT"))
        await asyncio.sleep(0.001)
        if end == "cancel":
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                _ = await waiting
            assert client.stream.state is StreamState.OFF
        else:
            await client.close()
            with pytest.raises(NotSent, match="closed"):
                _ = await waiting

    with_exchange(main)


def test_a_forgotten_book_leaves_by_itself() -> None:
    """As a forgotten subscription."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.stream.book("BTCUSDT")
        del _
        _ = gc.collect()
        await asyncio.sleep(0.01)
        assert client.stream.state is StreamState.OFF

    with_exchange(main)


def test_a_hundred_cuts_and_spoilt_updates_end_in_the_truth(count_cases: Callable[[int], None]) -> None:
    """Whatever mixture of faults, a book that says that it is ready is right."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 30)
        exchange.settings.book_loss = 0.01
        exchange.settings.book_wrong_checksum = 0.005
        exchange.settings.push_disorder = 0.01
        exchange.settings.push_doubling = 0.02
        async with await client.stream.book("BTCUSDT") as book:
            for round_ in range(20):
                await asyncio.sleep(30)
                _ = exchange.sockets.cut(mid_frame=bool(round_ % 2))
                await book.wait_ready()
                await asyncio.sleep(3)
                exchange.depths.stir("BTCUSDT", 0)
                await asyncio.sleep(2)
                if book.ready:
                    same(book, exchange)
                exchange.depths.stir("BTCUSDT", 30)
            for name in ("book_loss", "book_wrong_checksum", "push_disorder", "push_doubling"):
                setattr(exchange.settings, name, 0.0)
            await asyncio.sleep(60)
            await calm(exchange)
            assert book.ready
            same(book, exchange)
            count_cases(21)

    with_exchange(main)
