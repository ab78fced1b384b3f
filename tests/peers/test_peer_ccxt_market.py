"""ccxt reads the market data of the simulated exchange."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

pytest.importorskip("ccxt.async_support")
pytestmark = pytest.mark.peers

MINUTE_MS = 60_000


@pytest.fixture
def client(bitget_of_ccxt):
    """The client at the simulator's address."""
    return bitget_of_ccxt


async def test_order_book_is_read_right(exchange, client):
    """Best first on both sides, a gap between them, and our own resting order at its price."""
    exchange.rest("BTCUSDT", 1, price=Decimal("103884.20"), size=Decimal("0.5"))
    book = await client.fetch_order_book("BTC/USDT", 20)
    bids, asks = book["bids"], book["asks"]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0][0] < asks[0][0]
    assert 103884.2 in [price for price, _ in bids]
    assert abs(book["timestamp"] - exchange.server_ms) < 5000


@pytest.mark.parametrize("since_days", [None, 60])
async def test_candles_are_read_right(exchange, client, since_days):
    """Recent and older ones come from two calls: ascending, a minute apart, high and low around the rest."""
    since = None if since_days is None else exchange.server_ms - since_days * 86_400_000
    candles = await client.fetch_ohlcv("BTC/USDT", "1m", since=since, limit=10)
    assert 1 <= len(candles) <= 10
    assert [b[0] - a[0] for a, b in itertools.pairwise(candles)] == [MINUTE_MS] * (len(candles) - 1)
    for opened_ms, opened, high, low, closed, volume in candles:
        assert opened_ms % MINUTE_MS == 0
        assert 0 < low <= min(opened, closed) <= max(opened, closed) <= high
        assert volume >= 0


async def test_public_trades_are_read_right(exchange, client):
    """Recent ones and their history, which lags by minutes, tell the same trades, though spelt in two ways."""
    recent, older = [
        await client.fetch_trades("BTC/USDT", limit=100, params={"method": f"publicSpotGetV2SpotMarket{name}"})
        for name in ("Fills", "FillsHistory")
    ]
    assert len(recent) == len(older) == 100
    assert {trade["side"] for trade in recent} == {"buy", "sell"}
    for trade in (*recent, *older):
        assert trade["price"] > 0
        assert trade["cost"] == pytest.approx(trade["price"] * trade["amount"])
        assert 0 <= exchange.server_ms - trade["timestamp"] < 3_600_000
    shared = {trade["id"]: trade for trade in older}
    both = [(trade, shared[trade["id"]]) for trade in recent if trade["id"] in shared]
    assert len(both) >= 20
    for new, old in both:
        assert (new["side"], new["price"], new["amount"]) == (old["side"], old["price"], old["amount"])
        assert new["timestamp"] // 1000 == old["timestamp"] // 1000


async def test_ticker_follows_the_price(exchange, client):
    """Last price, and a bid below the ask."""
    exchange.set_price("BTCUSDT", Decimal(104000))
    ticker = await client.fetch_ticker("BTC/USDT")
    assert ticker["last"] == 104000
    assert ticker["bid"] < ticker["ask"]
