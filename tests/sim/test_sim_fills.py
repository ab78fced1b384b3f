"""Own fills: rows, filters, pages, lag."""

from __future__ import annotations

from decimal import Decimal

FIELDS = "userId symbol orderId tradeId orderType side priceAvg size amount feeDetail tradeScope cTime uTime"
DAY_S = 86_400


def trade(ask, **changes):
    """Sell at the last price of BTCUSDT, 103884.3; returns the order's id."""
    body = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.001"}
    return ask.post("place-order", body | changes).data["orderId"]


def trades(answer):
    """The trade ids of a page."""
    return [row["tradeId"] for row in answer.data]


def test_a_row_has_the_documented_fields(sim):
    """The fee is an object here, negative when paid, in the coin that was received."""
    exchange, ask, clock = sim(fills_lag_s=0.0)
    order_id = trade(ask)
    (row,) = ask.get("fills").data
    assert set(row) == set(FIELDS.split())
    assert (row["orderId"], row["symbol"], row["side"], row["orderType"]) == (order_id, "BTCUSDT", "sell", "market")
    assert (row["priceAvg"], row["size"], row["amount"]) == ("103884.3", "0.001", "103.8843")
    assert row["feeDetail"] == {
        "deduction": "no",
        "feeCoin": "USDT",
        "totalDeductionFee": "",
        "totalFee": "-0.1038843",
    }
    assert (row["tradeScope"], row["cTime"]) == ("taker", str(clock.epoch_ms()))
    assert exchange.truth.fills[0].trade_id == row["tradeId"]


def test_fills_are_the_account_s_own_and_say_which_side_they_were(sim):
    """Two accounts trade with each other: each sees one row."""
    exchange, ask, _ = sim(fills_lag_s=0.0, standing_market=False)
    them = exchange.credentials(exchange.add_account())
    body = {"symbol": "BTCUSDT", "side": "sell", "orderType": "limit", "price": "100000", "size": "0.001"}
    ask.post("place-order", body, them)
    ask.post("place-order", body | {"side": "buy"})
    assert [row["tradeScope"] for row in ask.get("fills").data] == ["taker"]
    assert [row["tradeScope"] for row in ask.get("fills", key=them).data] == ["maker"]
    assert ask.get("fills").data[0]["feeDetail"]["feeCoin"] == "BTC"


def test_fills_can_be_filtered_and_paged(sim):
    """By symbol, order, time; the cursor is a trade id, newest first."""
    exchange, ask, clock = sim(fills_lag_s=0.0, quotas={"fills": 99})
    first = trade(ask)
    ask.pass_s(10)
    second = trade(ask, symbol="ETHUSDT", size="0.01")
    (order_id,) = exchange.rest("BTCUSDT")
    for _ in range(3):
        exchange.fill(order_id, Decimal("0.0002"))
    everything = trades(ask.get("fills"))
    assert everything == sorted(everything, key=int, reverse=True)
    assert len(everything) == 5
    assert [row["orderId"] for row in ask.get("fills", symbol="ETHUSDT").data] == [second]
    assert trades(ask.get("fills", orderId=order_id)) == everything[:3]
    assert trades(ask.get("fills", limit=2)) == everything[:2]
    assert trades(ask.get("fills", limit=2, idLessThan=everything[1])) == everything[2:4]
    now = clock.epoch_ms()
    assert [row["orderId"] for row in ask.get("fills", endTime=now - 1).data] == [first]
    assert trades(ask.get("fills", startTime=now)) == everything[:4]
    assert ask.get("fills", startTime=now - 90 * DAY_S * 1000, endTime=now).code == "00000"
    assert ask.get("fills", startTime=now - 90 * DAY_S * 1000 - 1, endTime=now).code == "40705"
    assert ask.get("fills", startTime=now, endTime=now - 1).code == "40707"
    assert ask.get("fills", symbol="INVALID").code == "40034"
    assert ask.get("fills", limit=101).code == "40017"


def test_fills_are_shown_late_and_for_ninety_days(sim):
    """A lag of their own; and what a test wrote down as filled long ago has its row."""
    exchange, ask, _ = sim(fills_lag_s=0.3)
    trade(ask)
    assert ask.get("fills").data == []
    ask.pass_s(0.3)
    assert len(ask.get("fills").data) == 1
    exchange.record("BTCUSDT", status="filled", age_s=91 * DAY_S)
    exchange.record("BTCUSDT")
    kept = exchange.record("BTCUSDT", status="filled", age_s=89 * DAY_S)
    assert [row["orderId"] for row in ask.get("fills").data][:-1] == [kept]
    ask.pass_s(90 * DAY_S)
    assert ask.get("fills").data == []


def test_old_fills_and_placements_can_be_forgotten(sim):
    """For long runs."""
    exchange, ask, _ = sim(fills_lag_s=0.0)
    trade(ask)
    ask.pass_s(10)
    kept = trade(ask)
    exchange.forget(older_than_s=5)
    assert [row["orderId"] for row in ask.get("fills").data] == [kept]
    assert [made.order_id for made in exchange.truth.placements] == [kept]
    assert [fill.order.order_id for fill in exchange.truth.fills] == [kept]
