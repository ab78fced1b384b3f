"""Batches and replacements: failure inside success, item by item."""

from __future__ import annotations

import pytest

BTC = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "30000", "size": "0.001"}
ETH = BTC | {"symbol": "ETHUSDT", "price": "2000", "size": "0.01"}


def batch(ask, *items, **top):
    """Hand in a batch of placements."""
    return ask.post("batch-orders", {"orderList": list(items), **top})


def replace(ask, **changes):
    """Replace an order on BTCUSDT."""
    body = {"symbol": "BTCUSDT", "price": "31000", "size": "0.001"} | changes
    return ask.post("cancel-replace-order", {k: v for k, v in body.items() if v is not None})


def test_the_recorded_batch_is_answered_as_recorded(sim):
    """Two orders of two symbols; long ids, made-up clientOids, an empty list of failures."""
    exchange, ask, _ = sim()
    answer = batch(ask, BTC, ETH, batchMode="multiple")
    assert (answer.status, answer.code, answer.data["failureList"]) == (200, "00000", [])
    rows = answer.data["successList"]
    assert [(len(row["orderId"]), len(row["clientOid"])) for row in rows] == [(19, 36), (19, 36)]
    assert [exchange.order(row["orderId"]).symbol for row in rows] == ["BTCUSDT", "ETHUSDT"]


def test_single_mode_takes_the_symbol_of_the_top_and_multiple_mode_that_of_the_item(sim):
    """The other one is ignored, as the page says; without a mode it is single."""
    exchange, ask, _ = sim()
    for top, symbol in (({}, "ETHUSDT"), ({"batchMode": "single"}, "ETHUSDT"), ({"batchMode": "multiple"}, "BTCUSDT")):
        (row,) = batch(ask, BTC | {"price": "2000", "size": "0.01"}, symbol="ETHUSDT", **top).data["successList"]
        assert exchange.order(row["orderId"]).symbol == symbol
    assert batch(ask, BTC).code == "40019"
    (row,) = batch(ask, {k: v for k, v in BTC.items() if k != "symbol"}, batchMode="multiple").data["failureList"]
    assert row["errorCode"] == "40019"
    ask.pass_s(1)
    assert batch(ask, BTC, symbol="BTCUSDT", batchMode="several").code == "40017"
    assert batch(ask, "text", symbol="BTCUSDT").code == "40017"


def test_items_fail_one_by_one_inside_success(sim):
    """No order id, the clientOid that was sent, a text and a code; 200 and 00000 even if nothing was taken."""
    exchange, ask, _ = sim()
    items = [BTC | {"clientOid": "a"}, BTC | {"clientOid": "a"}, BTC | {"size": "0.00001"}, BTC | {"side": "none"}]
    answer = batch(ask, *items, symbol="BTCUSDT")
    assert [row["clientOid"] for row in answer.data["successList"]] == ["a"]
    assert [tuple(row.values()) for row in answer.data["failureList"]] == [
        ("", "a", "clientOrderId duplicate", "43118"),
        ("", "", "less than the minimum amount 1 USDT", "45110"),
        ("", "", "Parameter verification failed side", "40017"),
    ]
    assert len(ask.open()) == 1
    answer = batch(ask, *items[1:], symbol="BTCUSDT")
    assert (answer.status, answer.code, answer.data["successList"]) == (200, "00000", [])
    assert len(answer.data["failureList"]) == 3
    assert len(exchange.truth.placements) == 1


@pytest.mark.parametrize("endpoint", ["batch-orders", "batch-cancel-replace-order"])
def test_a_batch_of_placements_has_a_size_limit(sim, endpoint):
    """The pages say 50, the code 20: which of them holds has a setting, and beyond 50 nothing is taken."""
    exchange, ask, _ = sim()
    for limit, count, code in ((20, 20, "00000"), (20, 21, "40306"), (50, 50, "00000"), (50, 51, "40306")):
        exchange.settings.batch_limit = limit
        items = [BTC | {"orderId": "1"}] * count
        assert ask.post(endpoint, {"symbol": "BTCUSDT", "orderList": items}).code == code
    ask.pass_s(1)
    assert ask.post(endpoint, {"symbol": "BTCUSDT", "orderList": []}).code == "40019"


def test_batch_cancel_in_multiple_mode_takes_orders_of_many_symbols(sim):
    """Each item names its symbol; one that names a wrong one, or none, fails alone."""
    exchange, ask, _ = sim(cancel_delay_s=0.01)
    (one,), (two,), (kept, also_kept) = exchange.rest("BTCUSDT"), exchange.rest("ETHUSDT"), exchange.rest("BTCUSDT", 2)
    items = [
        {"symbol": "BTCUSDT", "orderId": one},
        {"symbol": "ETHUSDT", "orderId": two},
        {"symbol": "ETHUSDT", "orderId": kept},
        {"orderId": also_kept},
    ]
    data = ask.post("batch-cancel-order", {"batchMode": "multiple", "orderList": items}).data
    assert [row["orderId"] for row in data["successList"]] == [one, two]
    assert [(row["orderId"], row["errorCode"]) for row in data["failureList"]] == [
        (kept, "43001"),
        (also_kept, "40019"),
    ]
    ask.pass_s(0.01)
    assert exchange.truth.open_ids(exchange.account.uid) == (kept, also_kept)


def test_a_replacement_has_the_old_order_s_side_and_a_new_id(sim):
    """One order ends, another begins; the answer names the new one."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT", side="sell")
    answer = replace(ask, orderId=old, price="120000", size="0.002", newClientOid="new")
    new = answer.data["orderId"]
    assert answer.data == {"orderId": new, "clientOid": "new", "success": "success", "msg": None}
    assert (exchange.order(old).status, exchange.order(new).status) == ("cancelled", "live")
    draft = exchange.order(new).draft
    assert (draft.side, str(draft.price), str(draft.size)) == ("sell", "120000", "0.002")
    assert exchange.truth.cancels[0].order_ids == (old,)
    assert [made.order_id for made in exchange.truth.placements] == [new]


def test_replacing_a_dead_order_is_answered_as_recorded(sim):
    """200, 00000, and inside a failure with the old id, no clientOid, and a text; nothing is placed."""
    exchange, ask, _ = sim()
    answer = replace(ask, orderId="123456")
    assert (answer.status, answer.code) == (200, "00000")
    assert answer.data == {"orderId": "123456", "clientOid": None, "success": "failure", "msg": answer.data["msg"]}
    assert answer.data["msg"]
    assert not exchange.truth.orders


def test_only_limit_orders_can_be_replaced(sim):
    """A market order that found nobody is live for a moment; it keeps its end."""
    _, ask, _ = sim(standing_market=False, engine_delay_s=1.0)
    body = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.001"}
    old = ask.post("place-order", body).data["orderId"]
    data = replace(ask, orderId=old).data
    assert (data["orderId"], data["success"]) == (old, "failure")
    assert ask.open() == (old,)


@pytest.mark.parametrize(
    ("changes", "msg"),
    [
        ({"newClientOid": "taken"}, "clientOrderId duplicate"),
        ({"size": "0.00001"}, "less than the minimum amount 1 USDT"),
        ({"price": "31000.001"}, "Parameter verification exception price checkBDScale"),
        ({"size": "90"}, "Insufficient balance"),
    ],
)
def test_the_old_order_is_gone_when_the_new_one_fails(sim, changes, msg):
    """Not atomic: the page says so of the clientOid, and the simulator does the same for every rule."""
    exchange, ask, _ = sim()
    exchange.account.balance("USDT").available -= 999_000_000
    exchange.rest("BTCUSDT", client_oid="taken")
    (old,) = exchange.rest("BTCUSDT")
    data = replace(ask, orderId=old, **changes).data
    assert (data["orderId"], data["clientOid"], data["success"]) == (old, None, "failure")
    assert data["msg"].startswith(msg)
    assert exchange.order(old).status == "cancelled"
    assert exchange.truth.placements == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": None}, "40019"),
        ({"size": "much"}, "40017"),
        ({"symbol": "INVALID"}, "40034"),
        ({"orderId": None}, "40913"),
        ({"newClientOid": "?"}, "40305"),
    ],
)
def test_a_malformed_replacement_is_refused_as_a_whole(sim, changes, code):
    """Before the old order is touched."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    answer = replace(ask, **({"orderId": old} | changes))
    assert (answer.status, answer.code) == (400, code)
    assert ask.open() == (old,)


def test_a_batch_of_replacements_answers_every_item_in_order(sim):
    """A row for each, failed or not, malformed ones too."""
    exchange, ask, _ = sim()
    one, two = exchange.rest("BTCUSDT"), exchange.rest("ETHUSDT", client_oid="mine")
    items = [
        {"symbol": "BTCUSDT", "orderId": one[0], "price": "31000", "size": "0.001"},
        {"symbol": "BTCUSDT", "orderId": "7", "price": "31000", "size": "0.001"},
        {"symbol": "ETHUSDT", "clientOid": "mine", "price": "2001", "size": "0.01", "newClientOid": "mine"},
        {"symbol": "BTCUSDT", "orderId": "8"},
    ]
    answer = ask.post("batch-cancel-replace-order", {"orderList": items})
    assert (answer.status, answer.code) == (200, "00000")
    assert [row["success"] for row in answer.data] == ["success", "failure", "success", "failure"]
    assert [row["orderId"] for row in answer.data[1::2]] == ["7", "8"]
    # A name is free as soon as its order is final.
    assert answer.data[2]["clientOid"] == "mine"
    assert [exchange.order(order_id).status for order_id in (*one, *two)] == ["cancelled"] * 2


def test_the_routes_have_the_documented_quotas(sim):
    """Five a second for batches and replacements, ten for fills: the sixth is refused."""
    _, ask, _ = sim()
    for endpoint, quota in (("batch-orders", 5), ("cancel-replace-order", 5), ("batch-cancel-replace-order", 5)):
        statuses = [ask.post(endpoint, {}).status for _ in range(quota + 1)]
        assert statuses == [400] * quota + [429]
    assert [ask.get("fills").status for _ in range(11)] == [200] * 10 + [429]
