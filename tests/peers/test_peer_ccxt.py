"""ccxt against the simulated exchange: a client that nobody here wrote must find it plausible."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

ccxt = pytest.importorskip("ccxt.async_support")
pytestmark = pytest.mark.peers


@pytest.fixture
def client(bitget_of_ccxt):
    """The client at the simulator's address."""
    return bitget_of_ccxt


async def test_load_markets_finds_every_symbol(exchange, client):
    """Start-up calls are answered, and precisions survive, the odd name included."""
    markets = await client.load_markets()
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-06, "price": 0.01}
    assert markets["$1DOLLAR/USDT"]["id"] == "$1DOLLARUSDT"
    assert {copy.status for copy in exchange.truth.wire} <= {200, 400}
    assert not [copy for copy in exchange.truth.wire if copy.status == 404]


async def test_cancel_all_orders_of_a_symbol(exchange, client):
    """The orders of the symbol are cancelled in truth, and no other."""
    exchange.rest("BTCUSDT", 3)
    kept = exchange.rest("ETHUSDT", 1)
    await client.cancel_all_orders("BTC/USDT")
    assert len(exchange.truth.copies("cancel-symbol-order")) == 1
    await asyncio.sleep(0.06)
    assert exchange.truth.open_ids(exchange.account.uid) == tuple(kept)
    assert len(exchange.truth.executions[0].order_ids) == 3


async def test_open_orders_are_read_right(exchange, client):
    """`priceAvg` is the price there: a wrong dialect would show as a wrong price."""
    (order_id,) = exchange.rest("BTCUSDT", 1, price=Decimal("50000.5"), size=Decimal("0.004"))
    exchange.fill(order_id, Decimal("0.001"))
    (order,) = await client.fetch_open_orders("BTC/USDT")
    assert (order["id"], order["price"], order["amount"], order["filled"]) == (order_id, 50000.5, 0.004, 0.001)
    assert order["status"] == "open"


async def test_history_is_read_right(exchange, client):
    """Cancelled and filled orders, with amounts and fees as in truth."""
    cancelled, filled = exchange.rest("BTCUSDT", 2, price=Decimal(50000))
    exchange.cancel(cancelled)
    exchange.fill(filled)
    orders = {o["id"]: o for o in await client.fetch_canceled_and_closed_orders("BTC/USDT")}
    assert {i: o["status"] for i, o in orders.items()} == {cancelled: "canceled", filled: "closed"}
    truth = exchange.order(filled)
    assert orders[filled]["filled"] == float(truth.filled)
    assert orders[filled]["average"] == 50000.0
    assert orders[filled]["fee"]["cost"] == float(truth.marks[-1].fee)
    assert orders[filled]["fee"]["currency"] == "BTC"


async def test_place_and_fetch_one(exchange, client):
    """A round trip through place-order, orderInfo and cancel-order."""
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.002, 40000)
    assert exchange.order(placed["id"]).draft.price == 40000
    assert (await client.fetch_order(placed["id"], "BTC/USDT"))["status"] == "open"
    await client.cancel_order(placed["id"], "BTC/USDT")
    await asyncio.sleep(0.05)
    assert exchange.truth.orders[placed["id"]].status == "cancelled"


async def test_orders_that_trade_at_once(exchange, client):
    """Market and crossing limit orders: amounts, cost, average and fee as in truth; a market buy spends quote coin."""
    bought = await client.create_order("BTC/USDT", "market", "buy", 0.002, 100000)
    assert exchange.order(bought["id"]).draft.size == 200
    sold = await client.create_order("BTC/USDT", "market", "sell", 0.001)
    crossed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, 104000)
    closed = {order["id"]: order for order in await client.fetch_closed_orders("BTC/USDT")}
    assert list(closed) == [bought["id"], sold["id"], crossed["id"]]
    for order_id, order in closed.items():
        truth = exchange.order(order_id)
        assert (truth.status, order["status"]) == ("filled", "closed")
        assert (order["filled"], order["cost"]) == (float(truth.filled), float(truth.filled_quote))
        assert order["average"] == 103884.3
        assert order["fee"]["cost"] == float(truth.marks[-1].fee)
    assert [order["fee"]["currency"] for order in closed.values()] == ["BTC", "USDT", "BTC"]


@pytest.mark.parametrize(
    ("params", "price", "status", "canceled"),
    [
        ({"timeInForce": "GTC"}, 60000, "live", []),
        ({"timeInForce": "IOC"}, 60000, "cancelled", ["ioc"]),
        ({"timeInForce": "FOK"}, 60000, "cancelled", ["fok"]),
        ({"timeInForce": "IOC"}, 104000, "filled", []),
        ({"postOnly": True}, 60000, "live", []),
        ({"postOnly": True}, 104000, "cancelled", ["post_only"]),
    ],
)
async def test_time_in_force_in_capitals(exchange, client, params, price, status, canceled):
    """It sends GTC, FOK and IOC in capitals, which the exchange takes; being taken is not being matched."""
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, price, params)
    await asyncio.sleep(0.02)
    assert exchange.order(placed["id"]).status == status
    found = await client.fetch_canceled_orders("BTC/USDT")
    assert [order["id"] for order in found] == [placed["id"] for _ in canceled]


async def test_client_order_id_finds_the_order(exchange, client):
    """The id of our own choice goes in, comes back in every row, and is refused while it is in use."""
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, 60000, {"clientOrderId": "mine-1"})
    found = await client.fetch_order(None, "BTC/USDT", {"clientOrderId": "mine-1"})
    assert (found["id"], found["clientOrderId"]) == (placed["id"], "mine-1")
    with pytest.raises(ccxt.ExchangeError):
        await client.create_order("BTC/USDT", "limit", "buy", 0.001, 60000, {"clientOrderId": "mine-1"})
    assert exchange.truth.wire[-1].code == "43118"
    assert exchange.truth.open_ids(exchange.account.uid) == (placed["id"],)


async def test_batches(exchange, client):
    """Three orders in one call and two cancelled in another; an item that fails takes nobody with it."""
    orders = [
        {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": 0.001, "price": price}
        for price in (60000, 61000, 62000)
    ]
    placed = [order["id"] for order in await client.create_orders(orders)]
    assert exchange.truth.open_ids(exchange.account.uid) == tuple(placed)
    assert [exchange.order(order_id).draft.price for order_id in placed] == [60000, 61000, 62000]
    await client.cancel_orders(placed[:2], "BTC/USDT")
    await asyncio.sleep(0.05)
    assert exchange.truth.open_ids(exchange.account.uid) == (placed[2],)
    (good,) = await client.create_orders([orders[0], {**orders[0], "amount": 0.000001}])
    assert exchange.truth.open_ids(exchange.account.uid) == (placed[2], good["id"])


async def test_edit_gives_a_new_order(exchange, client):
    """cancel-replace: another id comes back, the old order is gone, and the new one has the new price and size."""
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, 60000)
    edited = await client.edit_order(placed["id"], "BTC/USDT", "limit", "buy", 0.002, 61000)
    assert exchange.order(placed["id"]).status == "cancelled"
    assert exchange.truth.open_ids(exchange.account.uid) == (edited["id"],)
    draft = exchange.order(edited["id"]).draft
    assert (draft.price, draft.size) == (61000, Decimal("0.002"))


async def test_my_trades_are_read_right(exchange, client):
    """Both sides of the fee, maker and taker, amounts and their order in time, as in truth."""
    (resting,) = exchange.rest("BTCUSDT", 1, price=Decimal(50000), size=Decimal("0.004"))
    exchange.fill(resting, Decimal("0.001"))
    await client.create_order("BTC/USDT", "market", "sell", 0.002)
    await client.create_order("ETH/USDT", "market", "sell", 0.5)
    trades = await client.fetch_my_trades("BTC/USDT")
    truth = [fill for fill in exchange.truth.fills if fill.order.symbol == "BTCUSDT"]
    assert len(trades) == 2
    for trade, fill in zip(trades, truth, strict=True):
        assert (trade["id"], trade["order"]) == (fill.trade_id, fill.order.order_id)
        assert (trade["side"], trade["takerOrMaker"]) == (fill.order.draft.side, fill.scope)
        assert (trade["price"], trade["amount"], trade["cost"]) == tuple(
            map(float, (fill.price, fill.base, fill.quote))
        )
        assert trade["fee"]["cost"] == float(fill.fee)
        assert trade["timestamp"] == fill.time_ms
    assert [trade["fee"]["currency"] for trade in trades] == ["BTC", "USDT"]


async def test_balance_is_frozen_and_freed(exchange, client):
    """What an open order holds is used, not free; cancelling gives it back."""
    before = (await client.fetch_balance())["USDT"]
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.002, 60000)
    held = (await client.fetch_balance())["USDT"]
    assert (before["used"], held["used"], before["free"] - held["free"]) == (0, 120, 120)
    await client.cancel_order(placed["id"], "BTC/USDT")
    await asyncio.sleep(0.05)
    assert (await client.fetch_balance())["USDT"] == before


@pytest.mark.parametrize(
    ("side", "amount", "price", "error", "code"),
    [
        ("buy", 0.00001, 60000, "InvalidOrder", "45110"),
        ("buy", 0.001, 200000, "ExchangeError", "43009"),
        ("sell", 0.001, 60000, "ExchangeError", "43008"),
        ("buy", 90, 103000, "InsufficientFunds", "43012"),
    ],
)
async def test_refusals_have_its_error_classes(exchange, client, side, amount, price, error, code):
    """Real codes land in somebody else's table of real codes."""
    if code == "43012":
        poor = exchange.add_account(balances={"USDT": Decimal(100)})
        key = exchange.credentials(poor)
        client.apiKey, client.secret, client.password = key.api_key, key.secret, key.passphrase
    with pytest.raises(getattr(ccxt, error)):
        await client.create_order("BTC/USDT", "limit", side, amount, price)
    assert exchange.truth.wire[-1].code == code
    assert exchange.truth.orders == {}


async def test_cancelling_twice_is_order_not_found(exchange, client):
    """43001 for an order that is not open any more."""
    (order_id,) = exchange.rest("BTCUSDT", 1)
    exchange.cancel(order_id)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(order_id, "BTC/USDT")
    assert exchange.truth.wire[-1].code == "43001"


async def test_trigger_orders_from_placing_to_history(exchange, client):
    """Placed, listed, changed, cancelled, found in their history; plain orders stay out of all of it."""
    (plain,) = exchange.rest("BTCUSDT", 1)
    limit = await client.create_order("BTC/USDT", "limit", "buy", 0.002, 60000, {"triggerPrice": 61000})
    market = await client.create_order("BTC/USDT", "market", "sell", 0.001, None, {"triggerPrice": 90000})
    uid = exchange.account.uid
    assert exchange.truth.open_trigger_ids(uid) == (limit["id"], market["id"])
    shown = {order["id"]: order for order in await client.fetch_open_orders("BTC/USDT", params={"trigger": True})}
    assert sorted(shown) == sorted((limit["id"], market["id"]))
    row = shown[limit["id"]]
    assert (row["price"], row["triggerPrice"], row["amount"], row["status"]) == (60000, 61000, 0.002, "open")
    await client.edit_order(limit["id"], "BTC/USDT", "limit", "buy", 0.003, 59000, {"triggerPrice": 60500})
    await asyncio.sleep(0.05)
    plan = exchange.truth.triggers[limit["id"]].plan
    assert (plan.execute_price, plan.trigger_price, plan.size) == (59000, 60500, Decimal("0.003"))
    await client.cancel_order(limit["id"], "BTC/USDT", {"trigger": True})
    await asyncio.sleep(0.05)
    assert exchange.truth.open_trigger_ids(uid) == (market["id"],)
    gone = await client.fetch_canceled_orders("BTC/USDT", params={"trigger": True})
    assert [order["id"] for order in gone] == [limit["id"]]
    assert exchange.truth.open_ids(uid) == (plain,)


async def test_cancel_all_trigger_orders_of_a_symbol(exchange, client):
    """It names its symbol in `symbolList`: triggers of other symbols stay, and so do plain orders."""
    exchange.rest_trigger("BTCUSDT", 3)
    kept = exchange.rest_trigger("ETHUSDT", 1)
    plain = exchange.rest("BTCUSDT", 1)
    await client.cancel_all_orders("BTC/USDT", {"trigger": True})
    await asyncio.sleep(0.05)
    assert exchange.truth.open_trigger_ids(exchange.account.uid) == tuple(kept)
    assert exchange.truth.open_ids(exchange.account.uid) == tuple(plain)


async def test_trigger_order_that_fires_becomes_a_spot_order(exchange, client):
    """Its spot order has an id of its own, and is found among the closed ones."""
    placed = await client.create_order("BTC/USDT", "market", "buy", 0.002, 60000, {"triggerPrice": 60000})
    exchange.fire(placed["id"])
    await asyncio.sleep(0.02)
    (closed,) = await client.fetch_closed_orders("BTC/USDT")
    assert closed["id"] == exchange.truth.triggers[placed["id"]].born.order_id != placed["id"]
    assert closed["cost"] <= 120
    (done,) = await client.fetch_canceled_and_closed_orders("BTC/USDT", params={"trigger": True})
    assert (done["id"], done["info"]["status"]) == (placed["id"], "executed")


async def test_query_with_a_special_character_is_signed_right(exchange, client):
    """The one symbol whose encoded and raw forms differ."""
    exchange.rest("$1DOLLARUSDT", 1, size=Decimal(5000))
    assert len(await client.fetch_open_orders("$1DOLLAR/USDT")) == 1
    assert exchange.truth.wire[-1].code == "00000"


async def test_wrong_secret_is_an_authentication_error(exchange, client):
    """Our refusals land in the right class of somebody else's table."""
    await client.load_markets()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_open_orders("BTC/USDT")
    assert exchange.truth.wire[-1].code == "40009"
