"""The sockets of ccxt.pro against those of the simulated exchange, asserted on its truth."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.peers.waiting import come_true, patient

ccxt = pytest.importorskip("ccxt.pro")
UnsubscribeError = pytest.importorskip("ccxt.base.errors").UnsubscribeError
pytestmark = pytest.mark.peers


@pytest.fixture
def client(streams_of_ccxt):
    """The client at the simulator's address, its markets loaded."""
    return streams_of_ccxt


async def watching(exchange, watch, channel):
    """Begin to watch a private channel, which tells nothing at first; returns what will have the next change."""
    task = asyncio.ensure_future(watch)
    await come_true(lambda: channel in [topic.channel for topic in exchange.sockets.topics])
    return task


async def many(watch, *args):
    """Watch until it fails, or long enough."""
    for _ in range(50):
        await watch(*args)


def is_the_book(exchange, book, symbol="BTCUSDT"):
    """Whether a book of the client is the true one, level by level."""
    depth = exchange.depths.now(symbol)
    return all(
        [(Decimal(level[2][0]), Decimal(level[2][1])) for level in book[mine]] == [tuple(each) for each in levels]
        for mine, levels in (("asks", depth.levels("sell")), ("bids", depth.levels("buy")))
    )


@patient
async def test_ticker_follows_the_price(exchange, client):
    """The snapshot, and the next push after a price has moved."""
    first = await client.watch_ticker("BTC/USDT")
    assert (first["last"], first["bid"], first["ask"]) == (103884.3, 103884.29, 103884.3)
    exchange.set_price("BTCUSDT", Decimal(104000))
    ticker = await client.watch_ticker("BTC/USDT")
    assert (ticker["last"], ticker["ask"]) == (104000, 104000)
    assert ticker["bid"] < 104000
    assert abs(ticker["timestamp"] - exchange.server_ms) < 5000


@patient
async def test_several_topics_in_one_message_are_acknowledged_one_by_one(exchange, client):
    """It asks for both in one frame and waits for whichever comes."""
    seen: dict[str, Any] = {}
    while len(seen) < 2:
        seen |= await client.watch_tickers(["ETH/USDT", "SOL/USDT"])
    assert {name: each["last"] for name, each in seen.items()} == {"ETH/USDT": 2490.11, "SOL/USDT": 168.42}
    assert exchange.sockets.records[-1].subscribes == 1


@patient
async def test_trades_come_once_each(exchange, client):
    """Recent ones first, then that of an account, with the side of the taker."""
    recent = await client.watch_trades("BTC/USDT")
    assert len(recent) == 50
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal(50000), size=Decimal("0.004"))
    exchange.fill(order_id)
    found: list[Any] = []
    while not found:
        found = [trade for trade in await client.watch_trades("BTC/USDT") if trade["price"] == 50000]
    (trade,) = found
    assert (trade["side"], trade["amount"], trade["cost"]) == ("sell", 0.004, 200)
    assert trade["id"] not in {each["id"] for each in recent}


@patient
async def test_candles_follow_the_price_and_are_given_up(exchange, client):
    """The current one closes at the last price; and the unsubscription is answered."""
    candles = await client.watch_ohlcv("BTC/USDT", "1m")
    assert candles[-1][4] == 103884.3
    exchange.set_price("BTCUSDT", Decimal(104000))
    while candles[-1][4] != 104000:
        candles = await client.watch_ohlcv("BTC/USDT", "1m")
    opened, first, high, low, last, volume = candles[-1]
    assert opened % 60_000 == 0
    assert low <= min(first, last) <= max(first, last) <= high
    assert volume > 0
    assert await client.un_watch_ohlcv("BTC/USDT", "1m")
    assert exchange.sockets.topics == []


@patient
async def test_a_book_passes_its_checksums(exchange, client):
    """It checks every update; five of them, with orders among the levels, lead to the true book."""
    book = await client.watch_order_book("BTC/USDT")
    assert is_the_book(exchange, book)
    exchange.depths.stir("BTCUSDT", 100)
    exchange.rest("BTCUSDT", 2, price=Decimal("103884.20"), size=Decimal("0.5"))
    for _ in range(4):
        book = await client.watch_order_book("BTC/USDT")
    exchange.depths.stir("BTCUSDT", 0)
    exchange.set_price("BTCUSDT", Decimal("103884.27"))
    while not is_the_book(exchange, book):
        book = await client.watch_order_book("BTC/USDT")
    assert book["asks"][0][0] == 103884.27


@patient
async def test_best_levels_are_read(exchange, client):
    """Channel books5, whose pushes are whole."""
    await client.watch_order_book("ETH/USDT", 5)
    exchange.set_price("ETHUSDT", Decimal(2500))
    book = await client.watch_order_book("ETH/USDT", 5)
    assert [len(book["asks"]), len(book["bids"])] == [5, 5]
    assert (book["asks"][0][0], book["bids"][0][0]) == (2500, 2499.99)


@pytest.mark.parametrize("what", ["loss", "checksum"])
@patient
async def test_a_spoilt_book_is_noticed_and_given_up(exchange, client, what):
    """Its own check finds a lost update and a wrong sum; it unsubscribes and is answered."""
    await client.watch_order_book("BTC/USDT")
    exchange.depths.spoil("BTCUSDT", what)
    exchange.depths.stir("BTCUSDT", 300)
    # Whichever it hears of first: the answer to its unsubscription, or what that was about.
    with pytest.raises((UnsubscribeError, ccxt.ChecksumError)):
        await many(client.watch_order_book, "BTC/USDT")
    await come_true(lambda: exchange.sockets.topics == [])
    assert exchange.sockets.records[-1].errors == []


@patient
async def test_orders_are_followed_to_their_end(exchange, client):
    """Placed, filled in part, cancelled: each push read as the truth is then, and no push for another symbol."""
    watch = await watching(exchange, client.watch_orders("BTC/USDT"), "orders")
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal("50000.5"), size=Decimal("0.004"))
    (order,) = await watch
    assert (order["id"], order["status"], order["price"], order["amount"], order["filled"]) == (
        order_id,
        "open",
        50000.5,
        0.004,
        0,
    )
    exchange.rest("ETHUSDT")
    exchange.fill(order_id, Decimal("0.001"))
    (order,) = await client.watch_orders("BTC/USDT")
    assert (order["status"], order["filled"], order["average"]) == ("open", 0.001, 50000.5)
    exchange.cancel(order_id)
    (order,) = await client.watch_orders("BTC/USDT")
    assert (order["id"], order["status"], order["filled"], order["remaining"]) == (order_id, "canceled", 0.001, 0.003)
    truth = exchange.order(order_id)
    assert truth.status == "cancelled"
    assert order["lastTradeTimestamp"] == truth.marks[1].time_ms or order["timestamp"] == truth.created_ms


@patient
async def test_own_trades_come_with_their_fees(exchange, client):
    """Taker of a market order; the fee, positive here and negative on REST, is what was paid."""
    watch = await watching(exchange, client.watch_my_trades("BTC/USDT"), "fill")
    order = await client.create_order("BTC/USDT", "market", "sell", 0.002)
    (trade,) = await watch
    (fill,) = exchange.truth.fills
    assert (trade["id"], trade["order"], trade["side"]) == (fill.trade_id, order["id"], "sell")
    assert (trade["price"], trade["amount"], trade["takerOrMaker"]) == (103884.3, 0.002, "taker")
    assert trade["fee"] == {"currency": "USDT", "cost": float(fill.fee)}


@patient
async def test_balances_are_those_of_the_account(exchange, client):
    """The snapshot, then what a resting order freezes or a trade moves."""
    balance = await client.watch_balance()
    assert set(balance["free"]) >= {"BTC", "USDT"}
    await client.create_order("BTC/USDT", "market", "sell", 0.002)
    balance = await client.watch_balance()
    for coin in ("BTC", "USDT"):
        held = exchange.account.balance(coin)
        assert (balance[coin]["free"], balance[coin]["used"]) == (float(held.available), float(held.frozen))


@patient
async def test_a_wrong_secret_is_refused(exchange, client):
    """30015 as a number, which it knows; then the exchange hangs up."""
    client.secret = "0" * 64
    with pytest.raises(ccxt.AuthenticationError, match="30015"):
        await client.watch_orders("BTC/USDT")
    await come_true(lambda: not exchange.sockets.open)
    (record,) = [record for record in exchange.sockets.records if record.path == "/v2/ws/private"]
    assert (record.logged_in, record.errors) == (False, [30015])


@patient
async def test_an_unknown_topic_is_refused(exchange, client):
    """A three-minute candle exists on REST and not here: 30016 by the number that it knows."""
    with pytest.raises(ccxt.BadRequest, match="30016"):
        await client.watch_ohlcv("BTC/USDT", "3m")
    assert exchange.sockets.topics == []


@patient
async def test_after_a_cut_it_can_begin_again(exchange, client):
    """Cut in the middle of a frame: a network error for whoever waits, and a fresh socket for whoever asks again."""
    await client.watch_ticker("BTC/USDT")
    waiting = asyncio.ensure_future(client.watch_ticker("BTC/USDT"))
    await asyncio.sleep(0)
    assert exchange.sockets.cut(mid_frame=True) == 1
    with pytest.raises(ccxt.NetworkError):
        await waiting
    assert (await client.watch_ticker("BTC/USDT"))["last"] == 103884.3
    assert len(exchange.sockets.records) == 2
