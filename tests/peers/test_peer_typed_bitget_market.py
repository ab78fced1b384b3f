"""typed-bitget validates the market rows of the simulated exchange."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

pytest.importorskip("typed_bitget")
pytestmark = pytest.mark.peers


@pytest.fixture
def client(typed_classic):
    """The classic spot surface with validation on."""
    return typed_classic.spot


async def test_books_validate(exchange, client):
    """Texts in the book, numbers in the merged one."""
    book = await client.orderbook("BTCUSDT", limit=5)
    merged = await client.merge_depth("BTCUSDT", precision="scale0", limit=5)
    for each in (book, merged):
        assert each["bids"][0][0] < each["asks"][0][0]


async def test_candles_validate(exchange, client):
    """Eight columns, ascending; the older ones end before the time that was asked for."""
    now = datetime.fromtimestamp(exchange.server_ms / 1000, UTC)
    recent = await client.candles("BTCUSDT", granularity="1min", limit=3)
    older = await client.history_candles("BTCUSDT", granularity="1min", end_time=now, limit=3)
    for rows in (recent, older):
        assert [len(row) for row in rows] == [8, 8, 8]
        assert rows == sorted(rows)
    assert older[-1][0] < now


async def test_public_trades_validate(client):
    """Lower case in one listing, capitals and whole seconds in the other, and both tell the same trades."""
    recent = {row["tradeId"]: row for row in await client.recent_trades("BTCUSDT", limit=100)}
    older = {row["tradeId"]: row for row in await client.historical_trades(symbol="BTCUSDT", limit=100)}
    shared = recent.keys() & older.keys()
    assert len(shared) >= 20
    for name in shared:
        assert recent[name]["side"] == older[name]["side"].lower()
        assert (recent[name]["price"], recent[name]["size"]) == (older[name]["price"], older[name]["size"])


async def test_statistics_validate(client):
    """Fee tiers, the call auction, and who buys."""
    tiers = await client.vip_fee_rate()
    assert [tier["takerFeeRate"] for tier in tiers] == sorted((tier["takerFeeRate"] for tier in tiers), reverse=True)
    # Outside an auction its schema has null for the times. Nobody has recorded it; ours are empty texts.
    auction = await client.call_auction("BTCUSDT", validate=False)
    assert (auction["stage"], auction["stageEndTime"], auction["auctionEndTime"]) == ("", "", "")
    assert await client.fund_flow("BTCUSDT")
    assert await client.whale_net_flow("BTCUSDT")
