"""Listings: lag, pages, filters, dialects."""

from __future__ import annotations

import itertools
import json
import math
from decimal import Decimal

import pytest

from bitget_async.sim import SYMBOLS, faults

DAY_S = 86_400.0


def ids(answer):
    """Order ids of a listing, in its order."""
    return [row["orderId"] for row in answer.data]


def test_open_orders_come_newest_first_and_in_pages(sim):
    """250 orders: three pages by cursor, compared as integers, the last one short."""
    exchange, ask, _ = sim()
    placed = exchange.rest("BTCUSDT", 250)
    seen, cursor = [], None
    for size in (100, 100, 50):
        page = ids(ask.get("unfilled-orders", symbol="BTCUSDT", **({"idLessThan": cursor} if cursor else {})))
        assert len(page) == size
        seen += page
        cursor = page[-1]
    assert seen == placed[::-1]
    assert ids(ask.get("unfilled-orders", limit=7)) == placed[::-1][:7]


def test_ids_are_numbers_not_texts(sim):
    """Ids of different lengths: 99 comes after 100, whatever their texts say."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", ids=["99", "1000", "100", "9"])
    assert ids(ask.get("unfilled-orders")) == ["1000", "100", "99", "9"]
    assert ids(ask.get("unfilled-orders", idLessThan="100")) == ["99", "9"]
    ask.cancel()
    assert ids(ask.get("history-orders", idLessThan="1000")) == ["100", "99", "9"]


@pytest.mark.parametrize(("limit", "code"), [("0", "40017"), ("101", "40017"), ("x", "40017"), ("100", "00000")])
def test_limit_is_checked(sim, limit, code):
    """A client that asks for more than a page must notice."""
    _, ask, _ = sim()
    assert ask.get("unfilled-orders", limit=limit).code == code


def test_listing_lags_and_does_not_know_newer_things(sim):
    """As of 0.3 s ago: a new order is not yet there, a cancelled one still is."""
    exchange, ask, _ = sim(listing_lag_s=0.3, replicas=1, sweep_delay_s=0.0)
    old = exchange.rest("BTCUSDT", 1, age_s=60)
    ask.get("unfilled-orders")
    ask.pass_s(1)
    ask.cancel()
    new = exchange.rest("BTCUSDT", 1)
    ask.pass_s(0.29)
    assert ids(ask.get("unfilled-orders")) == old
    ask.pass_s(0.01)
    assert ids(ask.get("unfilled-orders")) == new


def test_a_replica_never_goes_back_but_replicas_disagree(sim):
    """One replica forgets an order once; among three, it can come back."""
    for replicas, comes_back in ((1, False), (3, True)):
        exchange, ask, _ = sim(seed=5, listing_lag_s=(0.0, 1.9), replicas=replicas, quotas={"unfilled-orders": 999})
        exchange.rest("BTCUSDT", 1, age_s=60)
        exchange.settings.sweep_delay_s = 0.0
        ask.cancel()
        seen = []
        for _ in range(40):
            ask.pass_s(0.05)
            seen.append(bool(ask.get("unfilled-orders").data))
        flips = sum(1 for a, b in itertools.pairwise(seen) if b and not a)
        assert (flips > 0) is comes_back
        ask.pass_s(2)
        assert ask.get("unfilled-orders").data == []


def test_lag_beyond_the_limit_is_a_mistake_of_the_test(sim):
    """The client assumes 2 s: a lag above it must be asked for by both names."""
    exchange, _, _ = sim()
    with pytest.raises(ValueError, match="staleness_limit_s"):
        exchange.settings.listing_lag_s = (0.0, 2.5)
    exchange.settings.staleness_limit_s = 3.0
    exchange.settings.listing_lag_s = (0.0, 2.5)
    with pytest.raises(AttributeError):
        exchange.settings.listing_lag = 1.0


def test_history_has_a_lag_of_its_own(sim):
    """Gone from the open list and not yet in the history: the window in which nothing is proven."""
    exchange, ask, _ = sim(history_lag_s=0.5, sweep_delay_s=0.0)
    placed = exchange.rest("BTCUSDT", 1)
    ask.cancel()
    assert ids(ask.get("unfilled-orders")) == ids(ask.get("history-orders")) == []
    ask.pass_s(0.499)
    assert ids(ask.get("history-orders")) == []
    ask.pass_s(0.001)
    assert ids(ask.get("history-orders")) == placed


def test_history_can_lag_for_ever(sim):
    """An infinite lag, and the way out of it."""
    exchange, ask, _ = sim(history_lag_s=math.inf, sweep_delay_s=0.0)
    placed = exchange.rest("BTCUSDT", 1)
    ask.cancel()
    ask.pass_s(DAY_S)
    assert ids(ask.get("history-orders")) == []
    assert ask.get("orderInfo", orderId=placed[0]).data[0]["status"] == "cancelled"
    exchange.publish_history()
    assert ids(ask.get("history-orders")) == placed


def test_history_filters(sim):
    """Final orders only, of ninety days, by symbol, creation time and id."""
    exchange, ask, _ = sim()
    exchange.rest("BTCUSDT", 1)
    exchange.record("BTCUSDT", age_s=91 * DAY_S, order_id="1")
    exchange.record("BTCUSDT", age_s=89 * DAY_S, order_id="2")
    exchange.record("BTCUSDT", age_s=60, order_id="3", status="filled")
    exchange.record("ETHUSDT", age_s=60, order_id="4")
    now = exchange.server_ms
    assert ids(ask.get("history-orders")) == ["4", "3", "2"]
    assert ids(ask.get("history-orders", symbol="BTCUSDT")) == ["3", "2"]
    assert ids(ask.get("history-orders", startTime=now - 60_000)) == ["4", "3"]
    assert ids(ask.get("history-orders", startTime=now - 59_999)) == []
    assert ids(ask.get("history-orders", endTime=now - 60_001)) == ["2"]
    assert ids(ask.get("history-orders", orderId="2")) == ["2"]
    assert ids(ask.get("history-orders", tpslType="tpsl")) == []
    assert ids(ask.get("orderInfo", orderId="1")) == ["1"]


def test_old_order_cancelled_now_keeps_its_creation_time(sim):
    """The trap for clients that filter the history from now on: the row has an old cTime and a new uTime."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 1, age_s=5 * DAY_S)
    exchange.rest("BTCUSDT", 1, age_s=91 * DAY_S)
    ask.cancel()
    (row,) = ask.get("history-orders").data
    assert int(row["uTime"]) - int(row["cTime"]) == 5 * 86_400_000
    assert ask.get("history-orders", startTime=exchange.server_ms - 1000).data == []


def test_the_three_dialects(sim):
    """unfilled: `priceAvg` is the price and `basePrice` the average; elsewhere `price` and `priceAvg`."""
    exchange, ask, _ = sim()
    (order_id,) = exchange.rest("BTCUSDT", 1, price=Decimal(50000), size=Decimal("0.004"))
    exchange.venue.fill(exchange.order(order_id), exchange.venue.timeline.now_ns, Decimal("0.001"), Decimal(49000))
    (row,) = ask.get("unfilled-orders").data
    assert "price" not in row
    assert (Decimal(row["priceAvg"]), Decimal(row["basePrice"])) == (Decimal(50000), Decimal(49000))
    assert row["status"] == "partially_filled"
    (info,) = ask.get("orderInfo", orderId=order_id).data
    assert (Decimal(info["price"]), Decimal(info["priceAvg"])) == (Decimal(50000), Decimal(49000))
    assert Decimal(info["baseVolume"]) == Decimal("0.001")
    fees = json.loads(info["feeDetail"], parse_float=Decimal)
    assert fees["newFees"]["t"] == Decimal("-0.000001") == fees["BTC"]["totalFee"]
    exchange.cancel(order_id)
    (row,) = ask.get("history-orders").data
    assert (row["status"], row["cancelReason"]) == ("cancelled", "normal_cancel")
    assert Decimal(row["quoteVolume"]) == 49
    exchange.settings.cancelled_text = "canceled"
    assert ask.get("history-orders").data[0]["status"] == "canceled"


def test_order_info_forgets_client_oids_after_two_hours(sim):
    """By orderId there is no such limit; the header of what is left is missing here."""
    exchange, ask, _ = sim()
    (order_id,) = exchange.rest("BTCUSDT", 1, client_oid="mine")
    ask.pass_s(7200)
    assert ids(ask.get("orderInfo", clientOid="mine")) == [order_id]
    ask.pass_s(0.001)
    answer = ask.get("orderInfo", clientOid="mine")
    assert (answer.code, answer.data) == ("00000", [])
    assert "X-Mbx-Used-Remain-Limit" not in answer.headers
    assert ids(ask.get("orderInfo", orderId=order_id)) == [order_id]
    exchange.settings.unknown_order_code = "43001"
    assert ask.get("orderInfo", clientOid="mine").code == "43001"
    assert ask.get("orderInfo").code == "40913"


def test_other_accounts_orders_are_invisible(sim):
    """In no listing, and by no id."""
    exchange, ask, _ = sim()
    stranger = exchange.add_account()
    (theirs,) = exchange.rest("BTCUSDT", 1, account=stranger)
    done = exchange.record("BTCUSDT", account=stranger)
    assert ids(ask.get("unfilled-orders")) == ids(ask.get("history-orders")) == []
    assert ids(ask.get("orderInfo", orderId=theirs)) == ids(ask.get("orderInfo", orderId=done)) == []


def test_receive_window(sim):
    """40078 outside the window, 40079 for one of a minute."""
    exchange, ask, _ = sim()
    now = exchange.server_ms
    for sent, window, code in ((now - 10, 10, "00000"), (now - 11, 10, "40078"), (now, 60_000, "40079")):
        assert ask.get("unfilled-orders", requestTime=sent, receiveWindow=window).code == code


def test_public_answers(sim):
    """Shapes that other clients validate; a name with a sign and digits is among the symbols."""
    exchange, ask, _ = sim(clock_offset_ms=3_600_000)
    assert ask.get("/api/v2/public/time").data == {"serverTime": str(1_750_000_000_000 + 3_600_000)}
    assert len(ask.get("/api/v2/spot/public/symbols").data) == len(SYMBOLS) >= 24
    (row,) = ask.get("/api/v2/spot/public/symbols", symbol="$1DOLLARUSDT").data
    assert row["symbol"] == row["baseCoin"] + row["quoteCoin"]
    assert ask.get("/api/v2/spot/public/coins", coin="INVALID").code == "40034"
    assert ask.get("/api/v2/spot/market/tickers", symbol="BTCUSDT").data[0]["lastPr"] == "103884.3"
    assert ask.get("/api/v2/margin/currencies").data
    answer = ask.get("/api/v2/spot/trade/cancel-symbol-orders")
    assert (answer.status, answer.code) == (404, "40404")
    assert exchange.truth.wire[-1].endpoint == "cancel-symbol-orders"


def test_rows_have_the_documented_fields(sim):
    """Every field of the reference's table, and amounts as texts."""
    exchange, ask, _ = sim()
    exchange.rest("BTCUSDT", 1)
    done = exchange.record("BTCUSDT", status="filled")
    common = "userId symbol orderId clientOid priceAvg size orderType side status baseVolume quoteVolume"
    common += " enterPointSource orderSource cTime uTime"
    told = common + " price feeDetail cancelReason baseCoin quoteCoin tpslType triggerPrice"
    presets = "presetTakeProfitPrice executeTakeProfitPrice presetStopLossPrice executeStopLossPrice"
    for answer, fields in (
        (ask.get("unfilled-orders"), f"{common} basePrice force tpslType triggerPrice {presets}"),
        (ask.get("history-orders"), told),
        (ask.get("orderInfo", orderId=done), told),
    ):
        assert set(answer.data[0]) == set(fields.split())
        assert all(value is None or isinstance(value, str) for value in answer.data[0].values())


def test_faults_of_pages(sim):
    """Ignored cursor, repeated page, shuffled, doubled and spoilt rows."""
    exchange, ask, _ = sim()
    placed = exchange.rest("BTCUSDT", 6)[::-1]
    for fault in (
        faults.ignored_cursor(),
        faults.repeated_page(),
        faults.shuffled_rows(),
        faults.duplicated_rows(),
        faults.status_text("odd"),
        faults.bad_number("size", "1e"),
    ):
        exchange.faults.add("unfilled-orders", fault)
    assert ids(ask.get("unfilled-orders", idLessThan=placed[3])) == placed
    assert ids(ask.get("unfilled-orders", idLessThan=placed[3])) == placed
    shuffled = ids(ask.get("unfilled-orders"))
    assert shuffled != placed
    assert sorted(shuffled) == sorted(placed)
    assert ids(ask.get("unfilled-orders", limit=2)) == [placed[0], placed[0], placed[1], placed[1]]
    assert {row["status"] for row in ask.get("unfilled-orders").data} == {"odd"}
    assert {row["size"] for row in ask.get("unfilled-orders").data} == {"1e"}
    assert ids(ask.get("unfilled-orders")) == placed
