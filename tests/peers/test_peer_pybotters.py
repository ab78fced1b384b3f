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
