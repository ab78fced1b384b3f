"""typed-bitget against the simulated exchange: it validates every field of every row."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

typed_bitget = pytest.importorskip("typed_bitget")
pytestmark = pytest.mark.peers


@pytest.fixture
async def client(exchange):
    """The classic spot surface with validation on, at the simulator's address."""
    key = exchange.credentials()
    async with typed_bitget.Bitget.new(
        access_key=key.api_key, secret_key=key.secret, passphrase=key.passphrase
    ) as bitget:
        bitget.http_client.base_url = exchange.base_url
        yield bitget.classic.spot


async def test_cancel_by_symbol(exchange, client):
    """Taken at once, executed a little later."""
    placed = exchange.rest("BTCUSDT", 3)
    assert await client.order.cancel_symbol("BTCUSDT") == {"symbol": "BTCUSDT"}
    assert exchange.truth.executions == []
    await asyncio.sleep(0.06)
    assert exchange.truth.executions[0].order_ids == tuple(placed)


async def test_open_orders_validate(exchange, client):
    """Live, partly filled and tpsl rows pass a strict schema."""
    live, part = exchange.rest("BTCUSDT", 2, source="WEB")
    exchange.fill(part, Decimal("0.0004"))
    waiting = exchange.rest("BTCUSDT", 1, tpsl=True)
    rows = await client.order.open(symbol="BTCUSDT")
    assert [row["orderId"] for row in rows] == [part, live]
    assert Decimal(rows[0]["baseVolume"]) == exchange.order(part).filled
    rows = await client.order.open(tpsl_type="tpsl")
    assert [row["orderId"] for row in rows] == waiting


async def test_history_validates(exchange, client):
    """Filled, cancelled, and cancelled after a part: every row passes, amounts equal the truth."""
    filled, cancelled, part = exchange.rest("BTCUSDT", 3)
    exchange.fill(filled)
    exchange.cancel(cancelled)
    exchange.fill(part, Decimal("0.0004"))
    exchange.cancel(part)
    rows = {row["orderId"]: row for row in await client.order.history(symbol="BTCUSDT", limit=10)}
    for order_id, status in ((filled, "filled"), (cancelled, "cancelled"), (part, "cancelled")):
        truth = exchange.order(order_id)
        assert rows[order_id]["status"] == truth.status == status
        assert rows[order_id]["baseVolume"] == truth.filled
        assert rows[order_id]["quoteVolume"] == truth.filled_quote
        assert round(rows[order_id]["cTime"].timestamp() * 1000) == truth.created_ms


async def test_symbols_and_account_validate(exchange, client):
    """The other answers that its schema covers."""
    assert len(await client.symbols()) > 20
    assert await client.coins(coin="BTC")
    assert await client.tickers(symbol="BTCUSDT")
    assert await client.account.assets(coin="USDT")
    # Its schema wants a text as `inviterId`; the recorded answer has null, and so have we.
    assert (await client.account.info(validate=False))["userId"] == exchange.account.uid


async def test_unified_account_is_recognised(exchange, client):
    """40085 with HTTP 400 reaches its own error class."""
    from typed_bitget.core.exc import AccountModeMismatch

    exchange.account.mode = "unified"
    with pytest.raises(AccountModeMismatch):
        await client.order.open()
    assert exchange.truth.wire[-1].status == 400
