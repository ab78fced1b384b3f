"""The sockets of typed-bitget against those of the simulated exchange: it validates every field of every push."""

from __future__ import annotations

import asyncio
import datetime
import itertools
from decimal import Decimal

import pytest

from tests.peers.waiting import come_true, patient

pytest.importorskip("typed_bitget")
transport = pytest.importorskip("typed_bitget.core.transport.ws.classic")
classic = pytest.importorskip("typed_bitget.classic_streams")
auth = pytest.importorskip("typed_bitget.core.auth")
errors = pytest.importorskip("typed_bitget.core.exc")
pytestmark = pytest.mark.peers


def sockets(exchange, **changes):
    """Its pair of connections, at the simulator's address."""
    key = exchange.credentials()
    fields = {"access_key": key.api_key, "secret_key": key.secret, "passphrase": key.passphrase} | changes
    return transport.ClassicSocketStreamClient.new(
        public_url=f"{exchange.ws_url}/v2/ws/public",
        private_url=f"{exchange.ws_url}/v2/ws/private",
        credentials=auth.Credentials(**fields),
        timeout=datetime.timedelta(seconds=3),
    )


@pytest.fixture
async def client(exchange):
    """The classic channels with validation on."""
    async with sockets(exchange) as client:
        yield classic.ClassicStreams(client=client)


class Reader:
    """Reads one subscription; pushes that fail its validation raise here."""

    def __init__(self, stream):
        self.pushes = stream.__aiter__()

    async def next(self):
        """The rows of the next push."""
        return (await anext(self.pushes))["data"]


def told(book, row):
    """Apply the rows of an update to a book of numbers."""
    for side in ("asks", "bids"):
        for price, size in row[side]:
            if size:
                book[side][price] = size
            else:
                book[side].pop(price, None)


def is_the_book(exchange, book):
    """Whether that is the true one."""
    depth = exchange.depths.now("BTCUSDT")
    return all(
        book[mine] == {level.price: level.size for level in depth.levels(side)}
        for mine, side in (("asks", "sell"), ("bids", "buy"))
    )


@patient
async def test_tickers_validate_and_end_with_an_answer(exchange, client):
    """The acknowledgement echoes the topic; every field of snapshot and update passes; leaving it unsubscribes."""
    async with client.ticker("SPOT", inst_id="BTCUSDT") as stream:
        assert stream.reply["arg"] == {"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"}
        pushes = Reader(stream)
        (row,) = await pushes.next()
        assert (row["lastPr"], row["bidPr"]) == (Decimal("103884.3"), Decimal("103884.29"))
        exchange.set_price("BTCUSDT", Decimal(104000))
        (row,) = await pushes.next()
        assert (row["lastPr"], row["askPr"]) == (104000, 104000)
    assert exchange.sockets.topics == []
    assert exchange.sockets.records[0].errors == []


@patient
async def test_books_validate_and_add_up(exchange, client):
    """Snapshot and updates, applied as they come, are the true book; `seq` grows, `pseq` is the one before."""
    exchange.settings.book_pseq = True
    async with client.orderbook("SPOT", inst_id="BTCUSDT", depth="") as stream:
        pushes = Reader(stream)
        (row,) = await pushes.next()
        book = {side: dict(row[side]) for side in ("asks", "bids")}
        assert is_the_book(exchange, book)
        exchange.depths.stir("BTCUSDT", 200)
        seq = row["seq"]
        for _ in range(4):
            (row,) = await pushes.next()
            told(book, row)
            assert row["pseq"] == seq < row["seq"]
            seq = row["seq"]
        exchange.depths.stir("BTCUSDT", 0)
        exchange.set_price("BTCUSDT", Decimal("103884.35"))
        while not is_the_book(exchange, book):
            told(book, (await pushes.next())[0])


@patient
@pytest.mark.parametrize("depth", ["1", "5", "15"])
async def test_best_levels_validate(exchange, client, depth):
    """So many on each side, each time."""
    async with client.orderbook("SPOT", inst_id="ETHUSDT", depth=depth) as stream:
        pushes = Reader(stream)
        await pushes.next()
        exchange.set_price("ETHUSDT", Decimal(2500))
        (row,) = await pushes.next()
    assert [len(row["asks"]), len(row["bids"])] == [int(depth)] * 2
    assert row["asks"][0][0] == 2500


@patient
async def test_candles_and_trades_validate(exchange, client):
    """Two subscriptions of one connection, side by side."""
    async with (
        client.candle("SPOT", inst_id="BTCUSDT", interval="1Dutc") as candles,
        client.trade("SPOT", inst_id="BTCUSDT") as trades,
    ):
        days = await Reader(candles).next()
        assert {int(b[0]) - int(a[0]) for a, b in itertools.pairwise(days)} == {86_400_000}
        assert days[-1][4] == Decimal("103884.3")
        tape = Reader(trades)
        assert len(await tape.next()) == 50
        (order_id,) = exchange.rest("BTCUSDT", price=Decimal(50000), size=Decimal("0.004"))
        exchange.fill(order_id)
        rows = await tape.next()
        while rows[0]["price"] != 50000:
            rows = await tape.next()
        assert [(row["side"], row["size"]) for row in rows] == [("sell", Decimal("0.004"))]


@patient
async def test_an_auction_is_told_as_rest_tells_it(client):
    """Unvalidated: its schema knows the stages of an auction and nothing for none, which nobody has recorded."""
    async with client.auction("SPOT", inst_id="BTCUSDT", validate=False) as stream:
        (row,) = await Reader(stream).next()
    assert (row["stage"], row["stageEndTime"], row["auctionEndTime"]) == ("", "", "")


@patient
async def test_orders_fills_and_balances_validate(exchange, client):
    """A market order from its birth to its end: each row passes and tells the truth; one login for three topics."""
    async with (
        client.orders("SPOT", inst_id="default") as orders,
        client.fill("SPOT", inst_id="BTCUSDT") as fills,
        client.account("SPOT", coin="default") as account,
    ):
        balances = Reader(account)
        assert {row["coin"] for row in await balances.next()} >= {"BTC", "USDT"}
        (order_id,) = exchange.rest("BTCUSDT", price=Decimal("50000.5"), size=Decimal("0.004"))
        told = Reader(orders)
        (row,) = await told.next()
        assert (row["orderId"], row["status"], row["newSize"]) == (order_id, "live", "0.004")
        exchange.fill(order_id, Decimal("0.001"))
        (row,) = await told.next()
        assert (row["status"], row["baseVolume"], row["fillPrice"]) == ("partially_filled", "0.001", "50000.5")
        (fill,) = await Reader(fills).next()
        (true,) = exchange.truth.fills
        assert (fill["tradeId"], fill["tradeScope"], Decimal(fill["amount"])) == (true.trade_id, "maker", true.quote)
        held = {row["coin"]: row for row in await balances.next()}
        for coin in ("BTC", "USDT"):
            true = exchange.account.balance(coin)
            assert (held[coin]["available"], held[coin]["frozen"]) == (true.available, true.frozen)
        exchange.cancel(order_id)
        (row,) = await told.next()
        assert (row["status"], Decimal(row["accBaseVolume"])) == ("cancelled", Decimal("0.001"))
        assert "fillPrice" not in row
    assert [record.logged_in for record in exchange.sockets.records if record.path == "/v2/ws/private"] == [True]


@patient
async def test_trigger_orders_validate(exchange, client):
    """Placed, then triggered: live, executing, executed."""
    async with client.plan_orders("SPOT", inst_id="BTCUSDT") as stream:
        pushes = Reader(stream)
        (order_id,) = exchange.rest_trigger("BTCUSDT", trigger_price=Decimal(90000))
        (row,) = await pushes.next()
        assert (row["orderId"], row["status"], row["triggerPrice"]) == (order_id, "live", "90000")
        exchange.fire(order_id)
        seen = []
        while "executed" not in seen:
            seen += [row["status"] for row in await pushes.next()]
        assert exchange.truth.triggers[order_id].status == "executed"


@patient
async def test_orders_are_placed_and_cancelled_over_the_socket(exchange, client):
    """Its commands carry an id that must come back; a refused one comes back as an error."""
    params = {"orderType": "limit", "side": "buy", "size": "0.001", "force": "gtc", "price": "60000"}
    answer = await client.order.place("SPOT", "BTCUSDT", {**params, "clientOid": "typed-1"})
    order_id = answer["arg"][0]["params"]["orderId"]
    assert exchange.order(order_id).client_oid == "typed-1"
    cancelled = await client.order.cancel("SPOT", "BTCUSDT", {"orderId": order_id})
    assert cancelled["arg"][0]["params"]["orderId"] == order_id
    await come_true(lambda: exchange.order(order_id).status == "cancelled")
    with pytest.raises(errors.BadRequest):
        await client.order.place("SPOT", "BTCUSDT", {**params, "size": "0.00000001"})


@patient
async def test_a_wrong_passphrase_is_refused(exchange):
    """Its login fails, nothing is subscribed, and the exchange hangs up."""
    async with sockets(exchange, passphrase="wrong") as client:
        with pytest.raises(errors.AuthError):
            await classic.ClassicStreams(client=client).orders("SPOT", inst_id="default")
        await come_true(lambda: exchange.sockets.records[-1].closed_ns)
    assert exchange.sockets.records[-1].errors == [30012]
    assert exchange.sockets.topics == []


@patient
async def test_an_unknown_symbol_is_refused(exchange, client):
    """An error with the topic in it, and the connection goes on."""
    with pytest.raises(errors.BadRequest):
        await client.ticker("SPOT", inst_id="NOPEUSDT")
    async with client.ticker("SPOT", inst_id="BTCUSDT") as stream:
        await Reader(stream).next()
    await asyncio.sleep(0)
    assert [record.errors for record in exchange.sockets.records if record.subscribes] == [[30001]]
