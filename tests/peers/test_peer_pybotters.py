"""pybotters against the simulated exchange."""

from __future__ import annotations

import asyncio

import pytest

pybotters = pytest.importorskip("pybotters")
pytestmark = [
    pytest.mark.peers,
    # It hands its own `auth` through aiohttp, which will drop the parameter in version 4.
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

TRADE = "/api/v2/spot/trade/"


@pytest.fixture
async def client(exchange, monkeypatch):
    """It signs by host name, so its table gets the simulator's; the rest is as its users have it."""
    from pybotters import auth

    monkeypatch.setitem(auth.Hosts.items, "127.0.0.1", auth.Hosts.items["api.bitget.com"])
    key = exchange.credentials()
    async with pybotters.Client(apis={"bitget": list(key)}, base_url=exchange.base_url) as client:
        yield client


async def test_cancel_by_symbol(exchange, client):
    """Signed, taken, executed."""
    placed = exchange.rest("BTCUSDT", 3)
    kept = exchange.rest("ETHUSDT", 1)
    response = await client.fetch("POST", f"{TRADE}cancel-symbol-order", data={"symbol": "BTCUSDT"})
    assert response.data["data"] == {"symbol": "BTCUSDT"}
    assert exchange.truth.open_ids(exchange.account.uid, "BTCUSDT") == tuple(placed)
    await asyncio.sleep(0.06)
    assert exchange.truth.open_ids(exchange.account.uid) == tuple(kept)
    assert exchange.truth.executions[0].order_ids == tuple(placed)


async def test_place_and_cancel(exchange, client):
    """An order placed and cancelled by its own clientOid; a body is signed as it is written."""
    order = {
        "symbol": "BTCUSDT",
        "side": "buy",
        "orderType": "limit",
        "force": "gtc",
        "price": "60000",
        "size": "0.001",
    }
    placed = await client.fetch("POST", f"{TRADE}place-order", data={**order, "clientOid": "pyb-1"})
    order_id = placed.data["data"]["orderId"]
    assert exchange.order(order_id).client_oid == "pyb-1"
    assert exchange.truth.open_ids(exchange.account.uid) == (order_id,)
    cancelled = await client.fetch("POST", f"{TRADE}cancel-order", data={"symbol": "BTCUSDT", "clientOid": "pyb-1"})
    assert cancelled.data["data"] == {"orderId": order_id, "clientOid": "pyb-1"}
    await asyncio.sleep(0.05)
    assert exchange.order(order_id).status == "cancelled"


async def test_batch_and_replace(exchange, client):
    """Lists inside a body, and the answer that fails inside success."""
    item = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "60000", "size": "0.001"}
    body = {"symbol": "BTCUSDT", "orderList": [item, {**item, "size": "0.00000001"}]}
    answer = (await client.fetch("POST", f"{TRADE}batch-orders", data=body)).data["data"]
    (good,), (bad,) = answer["successList"], answer["failureList"]
    assert bad["errorCode"] == "40808"
    change = {"symbol": "BTCUSDT", "orderId": good["orderId"], "price": "61000", "size": "0.002"}
    replaced = (await client.fetch("POST", f"{TRADE}cancel-replace-order", data=change)).data["data"]
    assert replaced["success"] == "success"
    assert exchange.truth.open_ids(exchange.account.uid) == (replaced["orderId"],)
    dead = {**change, "orderId": exchange.record()}
    failed = (await client.fetch("POST", f"{TRADE}cancel-replace-order", data=dead)).data
    assert (failed["code"], failed["data"]["success"]) == ("00000", "failure")


async def test_trigger_order(exchange, client):
    """Placed, listed and cancelled by symbol."""
    plan = {
        "symbol": "BTCUSDT",
        "side": "buy",
        "orderType": "market",
        "planType": "total",
        "size": "100",
        "triggerPrice": "60000",
        "triggerType": "fill_price",
    }
    placed = await client.fetch("POST", f"{TRADE}place-plan-order", data=plan)
    order_id = placed.data["data"]["orderId"]
    listing = await client.fetch("GET", f"{TRADE}current-plan-order", params={"symbol": "BTCUSDT"})
    assert [row["orderId"] for row in listing.data["data"]["orderList"]] == [order_id]
    await client.fetch("POST", f"{TRADE}batch-cancel-plan-order", data={"symbolList": ["BTCUSDT"]})
    await asyncio.sleep(0.05)
    assert exchange.truth.open_trigger_ids(exchange.account.uid) == ()


async def test_open_orders_and_history(exchange, client):
    """Both listings with query parameters in the order in which they were written."""
    one, two = exchange.rest("BTCUSDT", 2)
    exchange.cancel(one)
    listing = await client.fetch("GET", f"{TRADE}unfilled-orders", params={"symbol": "BTCUSDT", "limit": "100"})
    history = await client.fetch("GET", f"{TRADE}history-orders", params={"symbol": "BTCUSDT", "limit": "100"})
    assert [row["orderId"] for row in listing.data["data"]] == [two]
    assert [row["orderId"] for row in history.data["data"]] == [one]
    assert exchange.truth.wire[-1].query == "symbol=BTCUSDT&limit=100"
    assert {copy.code for copy in exchange.truth.wire} == {"00000"}


async def test_encoded_signature_is_refused(exchange, client):
    """It signs the encoded path: for a name with a sign in it the exchange says 40009, and so must we."""
    response = await client.fetch("GET", f"{TRADE}orderInfo", params={"clientOid": "t-1#a"})
    assert response.data["code"] == "40009"
    assert exchange.truth.wire[-1].status == 400
