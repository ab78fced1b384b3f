"""
The sockets of pybotters against those of the simulated exchange. It sends `ping` before it logs in, calls its key
`api_key`, and keeps what is pushed in stores.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.peers.waiting import come_true, patient

pybotters = pytest.importorskip("pybotters")
pytestmark = [
    pytest.mark.peers,
    # It hands its own `auth` through aiohttp, which will drop the parameter in version 4.
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


@pytest.fixture
async def client(exchange, monkeypatch):
    """It looks up by host name what to sign and how to ping, so its tables get the simulator's."""
    from pybotters import ws

    for table in (ws.AuthHosts.items, ws.HeartbeatHosts.items):
        monkeypatch.setitem(table, "127.0.0.1", table["ws.bitget.com"])
    key = exchange.credentials()
    async with pybotters.Client(apis={"bitget": list(key)}, base_url=exchange.base_url) as client:
        yield client


@pytest.fixture
def store():
    """Where it keeps what is pushed."""
    return pybotters.BitgetV2DataStore()


async def listen(exchange, client, store, path, *topics):
    """Connect and subscribe to topics of (channel, name), all in one message; returns once they are acknowledged."""
    acknowledged = []

    def heard(message, ws):
        if message.get("event") == "subscribe":
            acknowledged.append(message["arg"])
        store.onmessage(message, ws)

    args = [{"instType": "SPOT", "channel": channel, "instId": name} for channel, name in topics]
    await client.ws_connect(
        f"{exchange.ws_url}/v2/ws/{path}", send_json={"op": "subscribe", "args": args}, hdlr_json=heard
    )
    await come_true(lambda: len(acknowledged) == len(topics))
    assert acknowledged == args


def levels(store, symbol="BTCUSDT"):
    """Both sides of the book that it keeps, best first, as numbers."""
    rows = store.book.find({"instId": symbol})
    sides = [
        sorted((Decimal(row["price"]), Decimal(row["amount"])) for row in rows if row["side"] == side)
        for side in ("asks", "bids")
    ]
    return sides[0], sides[1][::-1]


def is_the_book(exchange, store):
    """Whether the book that it keeps is the true one."""
    depth = exchange.depths.now("BTCUSDT")
    return levels(store) == tuple([tuple(each) for each in depth.levels(side)] for side in ("sell", "buy"))


@patient
async def test_public_stores_follow_the_market(exchange, client, store):
    """Four channels asked for in one message: ticker, book, candles and trades, each as in truth."""
    topics = [(channel, "BTCUSDT") for channel in ("ticker", "books", "candle1H", "trade")]
    await listen(exchange, client, store, "public", *topics)
    await come_true(lambda: store.ticker.find() and store.candle.find() and store.trade.find() and levels(store)[0])
    assert is_the_book(exchange, store)
    exchange.depths.stir("BTCUSDT", 200)
    exchange.set_price("BTCUSDT", Decimal("103884.35"))
    await come_true(lambda: store.ticker.find()[0]["lastPr"] == "103884.35")
    exchange.depths.stir("BTCUSDT", 0)
    await come_true(lambda: is_the_book(exchange, store))
    assert len(store.candle.find()) >= 100
    assert store.candle.find()[-1]["granularity"] == "candle1H"
    await come_true(lambda: max(store.candle.find(), key=lambda row: int(row["startTime"]))["closePr"] == "103884.35")
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal(50000))
    exchange.fill(order_id)
    await come_true(lambda: [row["side"] for row in store.trade.find() if row["price"] == "50000"] == ["sell"])
    (record,) = exchange.sockets.records
    assert (record.subscribes, record.pings, record.errors) == (1, 1, [])


@patient
async def test_private_stores_follow_the_account(exchange, client, store):
    """Its ping comes before its login, both are answered; orders come and go, a fill stays with its fee."""
    exchange.settings.cancelled_text = "canceled"
    await listen(exchange, client, store, "private", ("orders", "default"), ("fill", "default"))
    first, second = exchange.rest("BTCUSDT", 2, price=Decimal("50000.5"), size=Decimal("0.004"))
    exchange.fill(first, Decimal("0.001"))
    await come_true(lambda: len(store.orders.find()) == 2 and store.fill.find())
    rows = {row["orderId"]: row for row in store.orders.find()}
    assert rows[first]["status"] == "partially_filled"
    assert (rows[first]["accBaseVolume"], rows[second]["newSize"]) == ("0.001", "0.004")
    (fill,) = store.fill.find()
    (true,) = exchange.truth.fills
    assert (fill["tradeId"], fill["orderId"], Decimal(fill["size"])) == (true.trade_id, first, true.base)
    assert (fill["feeDetail"][0]["feeCoin"], Decimal(fill["feeDetail"][0]["totalFee"])) == ("BTC", true.fee)
    exchange.cancel(second)
    exchange.fill(first)
    await come_true(lambda: store.orders.find() == [])
    (record,) = exchange.sockets.records
    assert (record.uid, record.logged_in, record.pings) == (exchange.account.uid, True, 1)


@patient
async def test_an_order_that_the_exchange_calls_cancelled_stays_in_its_store(exchange, client, store):
    """It knows `canceled` only, the futures' spelling; the spot channel says `cancelled`, and so must we."""
    await listen(exchange, client, store, "private", ("orders", "BTCUSDT"))
    (order_id,) = exchange.rest("BTCUSDT")
    await come_true(store.orders.find)
    watched = []
    store.orders._onmessage = lambda message: watched.extend(message["data"])
    exchange.cancel(order_id)
    await come_true(lambda: watched)
    assert watched[0]["status"] == "cancelled"
    assert store.orders.find()[0]["orderId"] == order_id


@patient
async def test_balances_come_with_the_subscription(exchange, client, store):
    """Channel account goes by coin; the snapshot has the amounts of the account."""
    heard = []
    args = [{"instType": "SPOT", "channel": "account", "coin": "default"}]
    await client.ws_connect(
        f"{exchange.ws_url}/v2/ws/private",
        send_json={"op": "subscribe", "args": args},
        hdlr_json=lambda message, ws: heard.append(message),
    )
    await come_true(lambda: [message for message in heard if "data" in message])
    acknowledged = [message for message in heard if message.get("event") == "subscribe"]
    pushed = [message for message in heard if "data" in message]
    assert acknowledged == [{"event": "subscribe", "arg": args[0]}]
    rows = {row["coin"]: Decimal(row["available"]) for row in pushed[0]["data"]}
    assert rows["USDT"] == exchange.account.balance("USDT").available


@patient
async def test_a_private_channel_without_login_is_refused(exchange, client, store):
    """On the public path it does not log in: 30004 as a number, beside the topic, and nothing is ever pushed."""
    heard = []
    args = [{"instType": "SPOT", "channel": "orders", "instId": "default"}]
    await client.ws_connect(
        f"{exchange.ws_url}/v2/ws/public",
        send_json={"op": "subscribe", "args": args},
        hdlr_json=lambda message, ws: heard.append(message),
    )
    await come_true(lambda: heard)
    exchange.rest("BTCUSDT")
    (answer,) = heard
    assert (answer["event"], answer["code"], answer["arg"]) == ("error", 30004, args[0])
    (record,) = exchange.sockets.records
    assert (record.errors, record.logged_in) == ([30004], False)
    assert exchange.sockets.topics == []


@patient
async def test_an_unsubscription_is_answered(exchange, client, store):
    """One answer an argument, also for what was never subscribed, and silence afterwards."""
    heard = []
    args = [{"instType": "SPOT", "channel": "ticker", "instId": name} for name in ("BTCUSDT", "ETHUSDT")]
    ws = await client.ws_connect(
        f"{exchange.ws_url}/v2/ws/public",
        send_json={"op": "subscribe", "args": args[:1]},
        hdlr_json=lambda message, ws: heard.append(message),
    )
    await come_true(lambda: [message for message in heard if "data" in message])
    await ws.current_ws.send_json({"op": "unsubscribe", "args": args})
    await come_true(lambda: len([message for message in heard if message.get("event") == "unsubscribe"]) == 2)
    assert [message["arg"] for message in heard if message.get("event") == "unsubscribe"] == args
    assert exchange.sockets.topics == []
