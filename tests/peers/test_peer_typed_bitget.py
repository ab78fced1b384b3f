"""typed-bitget against the simulated exchange: it validates every field of every row."""

from __future__ import annotations

import asyncio
import importlib
from decimal import Decimal

import pytest

pytest.importorskip("typed_bitget")
pydantic = pytest.importorskip("pydantic")
pytestmark = pytest.mark.peers


@pytest.fixture
def client(typed_classic):
    """The classic spot surface with validation on."""
    return typed_classic.spot


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


async def test_order_info_validates(exchange, client):
    """The third dialect of an order, and a fee text in it: by either id, for limit, market and cancelled orders."""
    limit = {
        "symbol": "BTCUSDT",
        "side": "buy",
        "orderType": "limit",
        "force": "gtc",
        "price": "60000",
        "size": "0.001",
    }
    market = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "force": "gtc", "size": "100"}
    placed = [await client.order.place({**limit, "clientOid": "typed-1"}), await client.order.place(market)]
    placed.append(await client.order.place({**limit, "price": "61000"}))
    exchange.cancel(placed[2]["orderId"])
    for ack in placed:
        (row,) = await client.order.info(order_id=ack["orderId"])
        truth = exchange.order(ack["orderId"])
        assert (row["clientOid"], row["status"]) == (truth.client_oid, truth.status)
        assert (row["size"], row["price"]) == (truth.draft.size, truth.draft.price)
        assert (row["baseVolume"], row["quoteVolume"]) == (truth.filled, truth.filled_quote)
        assert bool(row["feeDetail"]) is (truth.status == "filled")
    (row,) = await client.order.info(client_oid="typed-1")
    assert row["orderId"] == placed[0]["orderId"]


async def test_fills_validate(exchange, client):
    """Own trades as maker and as taker, with the fee as an object."""
    (resting,) = exchange.rest("BTCUSDT", 1, size=Decimal("0.004"))
    exchange.fill(resting, Decimal("0.001"))
    exchange.fill(resting)
    await client.order.place(
        {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "force": "gtc", "size": "0.1"}
    )
    rows = await client.order.fills(symbol="BTCUSDT")
    truth = list(reversed(exchange.truth.fills))
    assert [row["tradeId"] for row in rows] == [fill.trade_id for fill in truth]
    for row, fill in zip(rows, truth, strict=True):
        assert tuple(Decimal(row[name]) for name in ("size", "amount", "priceAvg")) == (
            fill.base,
            fill.quote,
            fill.price,
        )
        assert Decimal(row["feeDetail"]["totalFee"]) == -fill.fee
        assert row["tradeScope"] == fill.scope


async def test_batches_validate(exchange, client):
    """A good and a bad item each way: both lists are there, and a failure carries its code."""
    item = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "60000"}
    answer = await client.order.batch.place(
        "BTCUSDT", order_list=[{**item, "size": "0.001"}, {**item, "size": "0.0000001"}]
    )
    (good,), (bad,) = answer["successList"], answer["failureList"]
    assert exchange.truth.open_ids(exchange.account.uid) == (good["orderId"],)
    assert (bad["orderId"], bad["errorCode"]) == ("", "40808")
    answer = await client.order.batch.cancel("BTCUSDT", order_list=[{"orderId": good["orderId"]}, {"orderId": "123"}])
    assert [row["orderId"] for row in answer["successList"]] == [good["orderId"]]
    assert [(row["orderId"], row["errorCode"]) for row in answer["failureList"]] == [("123", "43001")]


async def test_replacements_validate(exchange, client):
    """One that succeeds, the recorded failure inside success, and a batch of one."""
    (old,) = exchange.rest("BTCUSDT", 1)
    done = await client.order.cancel_replace(symbol="BTCUSDT", price="61000", size="0.002", order_id=old)
    assert done["success"] == "success"
    assert exchange.truth.open_ids(exchange.account.uid) == (done["orderId"],)
    failed = await client.order.cancel_replace(
        symbol="BTCUSDT", price="61000", size="0.002", order_id=exchange.record()
    )
    assert (failed["success"], failed["clientOid"]) == ("failure", None)
    (row,) = await client.order.batch.cancel_replace(
        [{"symbol": "BTCUSDT", "price": "62000", "size": "0.002", "orderId": done["orderId"]}]
    )
    assert exchange.truth.open_ids(exchange.account.uid) == (row["orderId"],)


async def test_trigger_orders_validate_but_for_two_fields(exchange, client):
    """Commands and sub-orders pass; in listings its schema has lower-case plan types, real ones are upper-case."""
    plan = client.order.plan
    request = {"symbol": "BTCUSDT", "side": "buy", "triggerPrice": "60000", "triggerType": "fill_price"}
    limit = await plan.place({**request, "orderType": "limit", "executePrice": "59000", "size": "0.001"})
    market = await plan.place({**request, "orderType": "market", "planType": "total", "size": "100"})
    page = await plan.current(symbol="BTCUSDT", validate=False)
    assert [row["orderId"] for row in page["orderList"]] == [market["orderId"], limit["orderId"]]
    assert [row["planType"] for row in page["orderList"]] == ["TOTAL", "AMOUNT"]
    accepted(typed_bitget_plan("current", "SpotCurrentPlanOrderList"), page)
    changed = await plan.modify(
        order_id=limit["orderId"], trigger_price="61000", order_type="limit", execute_price="60500", size="0.002"
    )
    assert changed["orderId"] == limit["orderId"]
    exchange.fire(market["orderId"])
    await asyncio.sleep(0.05)
    (born,) = await plan.sub_orders(market["orderId"])
    assert born["orderId"] == exchange.truth.triggers[market["orderId"]].born.order_id
    assert await plan.cancel(order_id=limit["orderId"]) == {"result": "success"}
    await asyncio.sleep(0.05)
    page = await plan.history(symbol="BTCUSDT", validate=False)
    assert {row["orderId"]: row["status"] for row in page["orderList"]} == {
        market["orderId"]: "executed",
        limit["orderId"]: "cancelled",
    }
    accepted(typed_bitget_plan("history", "SpotHistoryPlanOrderList"), page)
    exchange.rest_trigger("BTCUSDT", 2)
    # Its schema wants lists; where there is nothing the recorded answer has null, and so have we.
    answer = await plan.batch_cancel(["BTCUSDT"], validate=False)
    assert (len(answer["successList"]), answer["failureList"]) == (2, None)


def typed_bitget_plan(module, name):
    """The schema of a page of trigger orders."""
    return getattr(importlib.import_module(f"typed_bitget.classic.spot.order.plan.{module}"), name)


def accepted(schema, page):
    """The page passes that schema with nothing but plan types in lower case, and a text for a missing price."""
    rows = [
        {**row, "planType": row["planType"].lower(), "executePrice": row["executePrice"] or ""}
        for row in page["orderList"]
    ]
    pydantic.TypeAdapter(schema).validate_python({**page, "orderList": rows})


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
