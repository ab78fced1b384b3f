"""`client.stream` against the simulated exchange, in virtual time: what readers and listeners get, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    NotSent,
    OrderStatus,
    OrderUpdate,
    StreamState,
    Subscription,
    SubscriptionFailed,
    UsageError,
)
from bitget_async.sim import SimulatedExchange
from bitget_async.sim.market import SYMBOLS
from bitget_async.stream.streams import INTERVALS
from tests.conftest import with_exchange

LIMIT: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}


async def placed(client: BitgetClient, symbol: str = "BTCUSDT") -> str:
    """Place an order that rests, and return its id once it is proven."""
    report = await (await client.place_order(symbol, "buy", "limit", **LIMIT))
    (order_id,) = [each.order_id for each in report.placements]
    assert order_id is not None
    return order_id


class Ear:
    """An order listener that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def connected(self, now_ns: int) -> None:
        """The channel is there."""
        self.heard.append("connected")

    def disconnected(self, now_ns: int) -> None:
        """It is gone."""
        self.heard.append("disconnected")

    def pushed(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """One frame."""
        self.heard += [f"{each.order_id} {each.status.value}" for each in updates]


# -- orders --------------------------------------------------------------------------------------------------------


def test_an_order_is_told_from_its_placing_to_its_end() -> None:
    """The plain case: whoever subscribed before sees every change, as a record of the class that reads give."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders() as updates:
            await updates.ready()
            order_id = await placed(client)
            _ = await (await client.cancel_order("BTCUSDT", order_id=order_id))
            told = [await anext(updates), await anext(updates)]
        assert [each.order_id for each in told] == [order_id] * 2
        assert [each.status for each in told] == [OrderStatus.LIVE, OrderStatus.CANCELLED]
        assert {each.symbol for each in told} == {"BTCUSDT"}
        assert told[0].price == Decimal(10000)

    with_exchange(main)


def test_a_reader_of_one_symbol_hears_of_no_other() -> None:
    """The channel is subscribed to once for all symbols: each reader's choice is ours to keep."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders("ETHUSDT") as eth, client.stream.orders() as all_of_them:
            await eth.ready()
            await all_of_them.ready()
            first = await placed(client, "BTCUSDT")
            report = await (await client.place_order("ETHUSDT", "buy", "limit", size="0.1", price="1000", force="gtc"))
            second = report.placements[0].order_id
            assert (await anext(eth)).order_id == second
            assert [(await anext(all_of_them)).order_id for _ in range(2)] == [first, second]
        (record,) = exchange.sockets.records
        assert record.subscribes == 1

    with_exchange(main)


def test_listeners_hear_of_the_channel_and_its_rows_in_order() -> None:
    """The watcher and the tracker draw conclusions from exactly this order of calls."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ear = Ear()
        desk = client.stream.order_desk
        desk.listen(ear)
        desk.hold()
        _ = await client.stream.wait_state(StreamState.LIVE)
        order_id = await placed(client)
        exchange.sockets.cut()
        _ = await client.stream.wait_state(StreamState.STALE)
        _ = await client.stream.wait_state(StreamState.LIVE)
        assert ear.heard == ["connected", f"{order_id} live", "disconnected", "connected"]

    with_exchange(main)


def test_with_stream_true_the_order_channel_opens_at_the_first_call() -> None:
    """It is there before it is needed, and nobody has to ask for it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.market.symbols("BTCUSDT")
        assert await client.stream.wait_state(StreamState.LIVE) is StreamState.LIVE
        (record,) = exchange.sockets.records
        assert (record.path, record.logged_in) == ("/v2/ws/private", True)

    with_exchange(main, options={"stream": True})


def test_without_stream_true_no_socket_is_opened() -> None:
    """Who does not want it pays nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await placed(client)
        assert client.stream.state is StreamState.OFF
        assert exchange.sockets.records == []

    with_exchange(main)


# -- public --------------------------------------------------------------------------------------------------------


def test_public_streams_need_no_key() -> None:
    """Prices are for everybody."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with BitgetClient(base_url=exchange.base_url, clock=client._clock) as anybody:
            async for ticker in anybody.stream.ticker("BTCUSDT"):
                assert ticker.symbol == "BTCUSDT"
                assert ticker.last_pr is not None
                break
            with pytest.raises(UsageError, match="needs credentials"):
                _ = anybody.stream.orders()
        (record,) = exchange.sockets.records
        assert not record.logged_in

    with_exchange(main)


def test_sixty_topics_take_two_connections_with_thirty_each() -> None:
    """More than 50 on one are known to miss pings; an even spread leaves room on both."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        symbols = tuple(SYMBOLS)[:30]
        prices, candles = client.stream.ticker(*symbols), client.stream.candles("1m", *symbols)
        await prices.ready()
        await candles.ready()
        assert client.stream.connections == 2
        assert [(each.messages, each.subscribes) for each in exchange.sockets.records] == [(1, 1), (1, 1)]
        assert {(await anext(prices)).symbol for _ in range(30)} == set(symbols)

    with_exchange(main)


def test_topics_that_come_one_by_one_fill_a_connection_before_the_next_is_opened() -> None:
    """Who subscribes a symbol at a time must not open a connection a symbol, nor send ten messages a second."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        subscriptions: list[Subscription[Any]] = []
        for number, symbol in enumerate([*SYMBOLS, *SYMBOLS][:60]):
            subscriptions.append(client.stream.ticker(symbol) if number < 42 else client.stream.trades(symbol))
            await asyncio.sleep(0.01)
        for each in subscriptions:
            await each.ready()
        assert client.stream.connections == 2
        assert max(each.worst_second for each in exchange.sockets.records) <= 8

    with_exchange(main)


# -- ends ----------------------------------------------------------------------------------------------------------


def test_closing_the_client_ends_every_loop() -> None:
    """A program that ends must not hang in a reader, nor leave one behind."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        updates = client.stream.orders()
        prices = client.stream.ticker("BTCUSDT")
        await updates.ready()
        await client.close()
        assert [each async for each in updates] == []
        assert [each.symbol async for each in prices] in ([], ["BTCUSDT"])
        assert updates.state is StreamState.CLOSED
        with pytest.raises(NotSent, match="closed"):
            await updates.ready()

    with_exchange(main)


def test_an_unknown_symbol_ends_its_subscription_with_the_code() -> None:
    """A reader that waited for ever for a symbol that does not exist would never learn of the typing error."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        wrong = client.stream.ticker("NOSUCHUSDT")
        right = client.stream.ticker("BTCUSDT")
        with pytest.raises(SubscriptionFailed) as caught:
            await wrong.ready()
        assert caught.value.code == "30001"
        assert caught.value.topic == "ticker NOSUCHUSDT"
        with pytest.raises(SubscriptionFailed):
            _ = await anext(wrong)
        assert (await anext(right)).symbol == "BTCUSDT"

    with_exchange(main)


def test_a_refused_login_ends_private_readers_and_leaves_public_ones() -> None:
    """A wrong key is told at once to those who need it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.login_refusal = "30015"
        prices = client.stream.ticker("BTCUSDT")
        updates = client.stream.orders()
        with pytest.raises(SubscriptionFailed) as caught:
            await updates.ready()
        assert (caught.value.code, caught.value.topic) == ("30015", "login")
        assert (await anext(prices)).symbol == "BTCUSDT"
        assert exchange.truth.count("time") <= 1

    with_exchange(main)


def test_streams_of_before_a_fork_are_refused() -> None:
    """The connections belong to the parent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        streams = client.stream
        streams._process = 0
        for begin in (streams.orders, lambda: streams.ticker("BTCUSDT")):
            with pytest.raises(UsageError, match="fork"):
                _ = begin()

    with_exchange(main)


@pytest.mark.parametrize("call", ["ticker", "trades", "books"])
@pytest.mark.parametrize("symbols", [(), ("btcusdt",), ("BTCUSDT", "BTCUSDT"), (5,), ("default",), ("BTC USDT",)])
def test_symbols_are_checked_before_anything_is_sent(call: str, symbols: tuple[Any, ...]) -> None:
    """In the spelling of the exchange, as everywhere; a wrong one must not cost a connection."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="symbol"):
            getattr(client.stream, call)(*symbols)
        assert exchange.sockets.records == []

    with_exchange(main)


@pytest.mark.parametrize("interval", ["1min", "1h", "1day", "", "1Dutc ", 60, None])
def test_an_interval_in_another_spelling_is_answered_with_the_list(interval: Any) -> None:
    """The calls spell them otherwise, and the exchange answers a wrong one with an error that names nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="interval must be one of 1m, 5m, 15m, 30m, 1H"):
            _ = client.stream.candles(interval, "BTCUSDT")

    with_exchange(main)


@pytest.mark.parametrize("depth", [0, 2, 400, "5", "ALL", True, None, 15.5])
def test_a_depth_that_the_exchange_does_not_have_is_refused(depth: Any) -> None:
    """It would be another channel than was meant."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="depth"):
            _ = client.stream.books("BTCUSDT", depth=depth)

    with_exchange(main)


def test_every_interval_of_the_documents_is_taken() -> None:
    """18 spellings, each acknowledged and with candles of its symbol."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for interval in INTERVALS:
            async with client.stream.candles(interval, "BTCUSDT") as candles:
                candle = await anext(candles)
                assert (candle.symbol, candle.interval) == ("BTCUSDT", interval)
        assert len(INTERVALS) == 18

    with_exchange(main)


def test_a_slow_reader_gets_the_latest_prices_and_every_trade_up_to_the_hole() -> None:
    """The two policies, with pushes from the exchange."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.depths.stir("BTCUSDT", 50)
        async with client.stream.books("BTCUSDT", depth=5) as books:
            await books.ready()
            await asyncio.sleep(30)
            assert books.lost > 10
            book = await anext(books)
            await asyncio.sleep(0)
            truth = exchange.depths.now("BTCUSDT")
            assert book.bids is not None
            assert len(book.bids) == 5
            assert abs(book.bids[0].price - Decimal(truth.texts("buy", 1)[0][0])) < 100

    with_exchange(main)


def test_a_reader_that_leaves_its_loop_leaves_the_topic() -> None:
    """Nobody closes a subscription that he only had in a `for`."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async for _ in client.stream.ticker("BTCUSDT"):
            break
        await asyncio.sleep(0)
        assert client.stream.state is StreamState.OFF

    with_exchange(main)
