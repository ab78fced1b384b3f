"""ccxt against the simulated exchange: a client that nobody here wrote must find it plausible."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

ccxt = pytest.importorskip("ccxt.async_support")
pytestmark = pytest.mark.peers


@pytest.fixture
async def client(exchange):
    """The client with its own pacing, pointed at the simulator; only spot markets are loaded."""
    key = exchange.credentials()
    bitget = ccxt.bitget({"apiKey": key.api_key, "secret": key.secret, "password": key.passphrase})
    bitget.urls["api"] = dict.fromkeys(bitget.urls["api"], exchange.base_url)
    bitget.options["fetchMarkets"]["types"] = ["spot"]
    try:
        yield bitget
    finally:
        await bitget.close()


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
