"""Trigger orders: placed, changed, cancelled, triggered, and listed."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from bitget_async.sim import faults

ROW = {"symbol": "BTCUSDT", "side": "buy", "triggerPrice": "50000", "orderType": "limit", "executePrice": "50100"}
BODY = ROW | {"size": "0.002", "triggerType": "fill_price"}


def place(ask, **changes):
    """Place a trigger order, with changes; `None` leaves a field out."""
    return ask.post("place-plan-order", {k: v for k, v in (BODY | changes).items() if v is not None})


def move(exchange, price, symbol="BTCUSDT"):
    """Let the last price move."""
    exchange.set_price(symbol, Decimal(price))


def pending(exchange, symbol=None):
    """The default account's trigger orders that wait."""
    return exchange.truth.open_trigger_ids(exchange.account.uid, symbol)


def test_placed_order_is_listed_as_the_exchange_spells_it(sim):
    """The fields of a really seen row: upper-case plan type, numbers as sent, a made-up clientOid of digits."""
    exchange, ask, _ = sim()
    made = place(ask).data
    page = ask.get("current-plan-order", symbol="BTCUSDT").data
    assert page == {
        "nextFlag": False,
        "idLessThan": made["orderId"],
        "orderList": [
            {
                "orderId": made["orderId"],
                "clientOid": made["clientOid"],
                "symbol": "BTCUSDT",
                "size": "0.002",
                "planType": "AMOUNT",
                "executePrice": "50100",
                "triggerPrice": "50000",
                "status": "live",
                "orderType": "limit",
                "side": "buy",
                "triggerType": "fill_price",
                "enterPointSource": "API",
                "cTime": "1750000000000",
                "uTime": "1750000000000",
            }
        ],
    }
    assert len(made["orderId"]) == 19
    assert made["clientOid"].isdigit()
    assert pending(exchange) == (made["orderId"],)


def test_empty_list_has_an_empty_cursor(sim):
    """As recorded on 2025-05-18."""
    _, ask, _ = sim()
    assert ask.get("current-plan-order").data == {"nextFlag": False, "idLessThan": "", "orderList": []}


def test_nothing_is_frozen_and_the_spot_list_stays_empty(sim):
    """A trigger order is not an order yet: other ids, other lists, no money."""
    exchange, ask, _ = sim(cancel_delay_s=0.0, sweep_delay_s=0.0)
    (trigger,) = exchange.rest_trigger("BTCUSDT")
    assert exchange.account.balance("USDT").frozen == 0
    assert ask.get("unfilled-orders").data == []
    assert ask.get("orderInfo", orderId=trigger).data == []
    assert ask.post("cancel-order", {"symbol": "BTCUSDT", "orderId": trigger}).code == "43001"
    assert ask.cancel().code == "00000"
    assert pending(exchange) == (trigger,)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": None}, "40019"),
        ({"symbol": "NOPE"}, "40034"),
        ({"side": "up"}, "40017"),
        ({"orderType": "stop"}, "40017"),
        ({"triggerType": None}, "40019"),
        ({"triggerType": "market_price"}, "40017"),
        ({"triggerPrice": "0"}, "40017"),
        ({"triggerPrice": "dear"}, "40017"),
        ({"executePrice": None}, "40019"),
        ({"planType": "all"}, "40017"),
        ({"size": "NaN"}, "40017"),
        ({"size": None}, "40019"),
    ],
)
def test_bad_orders_are_refused(sim, changes, code):
    """With the code for what is wrong, and without an order."""
    exchange, ask, _ = sim()
    answer = place(ask, **changes)
    assert (answer.status, answer.code) == (400, code)
    assert not exchange.truth.triggers


def test_client_oid_is_unique_among_pending_trigger_orders_only(sim):
    """43118 while the first waits; free again after it; spot orders have a space of their own."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    exchange.rest("BTCUSDT", 1, client_oid="a")
    first = place(ask, clientOid="a").data
    assert first["clientOid"] == "a"
    assert place(ask, clientOid="a").code == "43118"
    assert ask.post("cancel-plan-order", {"clientOid": "a"}).data == {"result": "success"}
    second = place(ask, clientOid="a").data["orderId"]
    assert pending(exchange) == (second,)
    assert exchange.truth.triggers[first["orderId"]].status == "cancelled"


@pytest.mark.parametrize(
    ("trigger", "path", "fires_at"),
    [
        ("50000", ["60000", "50000.01", "50000"], 2),
        ("50000", ["49000"], 0),
        ("110000", ["105000", "109999.99", "110000"], 2),
        ("110000", ["120000"], 0),
    ],
)
def test_crossing_the_trigger_price_executes(sim, trigger, path, fires_at):
    """From above for a price below the last one, from below for one above; reaching it is enough."""
    exchange, ask, _ = sim(trigger_delay_s=0.0)
    made = place(ask, triggerPrice=trigger, side="buy", executePrice="20000").data["orderId"]
    for index, price in enumerate(path):
        move(exchange, price)
        assert exchange.truth.triggers[made].status == ("executed" if index == fires_at else "live")


def test_executed_order_has_a_spot_order(sim):
    """Its own id in unfilled-orders, found through plan-sub-order; the trigger order itself is history."""
    exchange, ask, _ = sim(trigger_delay_s=0.25)
    made = place(ask, executePrice="20000").data["orderId"]
    assert ask.get("plan-sub-order", planOrderId=made).data == []
    move(exchange, "50000")
    (row,) = ask.get("current-plan-order").data["orderList"]
    assert row["status"] == "executing"
    (sub,) = ask.get("plan-sub-order", planOrderId=made).data
    assert sub == {"orderId": "", "price": "20000", "type": "limit", "status": "in_progress"}
    ask.pass_s(0.25)
    (spot,) = ask.get("unfilled-orders").data
    assert spot["orderId"] != made
    assert (Decimal(spot["priceAvg"]), Decimal(spot["size"])) == (Decimal(20000), Decimal("0.002"))
    (sub,) = ask.get("plan-sub-order", planOrderId=made).data
    assert (sub["orderId"], sub["status"]) == (spot["orderId"], "success")
    assert ask.get("current-plan-order").data["orderList"] == []
    (row,) = ask.get("history-plan-order").data["orderList"]
    assert (row["orderId"], row["status"], row["uTime"]) == (made, "executed", "1750000000250")
    assert pending(exchange) == ()


def test_market_order_is_born_and_trades(sim):
    """A market buy spends quote coin: a plan in base coin is converted at the last price."""
    exchange, ask, _ = sim(trigger_delay_s=0.0)
    made = place(ask, orderType="market", executePrice=None, size="0.5").data["orderId"]
    move(exchange, "40000")
    order = exchange.truth.triggers[made].born
    assert order.status == "filled"
    assert order.draft.size == Decimal(20000)
    assert exchange.account.balance("BTC").available > Decimal(1_000_000_000)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"planType": "total", "size": "100", "executePrice": "30000"}, "0.003333"),
        ({"planType": "total", "size": "100", "orderType": "market"}, "100"),
        ({"planType": "total", "size": "100", "orderType": "market", "side": "sell"}, "0.0025"),
        ({"planType": "total", "size": "0.001"}, None),
    ],
)
def test_size_in_quote_coin_is_converted(sim, changes, size):
    """By the execution price or the last one, down to a whole lot; less than a lot fails."""
    exchange, ask, _ = sim(trigger_delay_s=0.0)
    made = place(ask, **changes).data["orderId"]
    move(exchange, "40000")
    order = exchange.truth.triggers[made]
    if size is None:
        assert (order.status, order.refusal, order.born) == ("fail_execute", "45111", None)
    else:
        assert order.born.draft.size == Decimal(size)


def test_missing_balance_shows_when_the_price_comes(sim):
    """Taken without a question, then fail_execute: a trigger order is no promise."""
    exchange, ask, _ = sim(trigger_delay_s=0.0)
    poor = exchange.add_account(balances={"USDT": Decimal(10)})
    key = exchange.credentials(poor)
    made = ask.post("place-plan-order", BODY, key).data["orderId"]
    move(exchange, "50000")
    order = exchange.truth.triggers[made]
    assert (order.status, order.refusal, order.born) == ("fail_execute", "43012", None)
    (row,) = ask.get("history-plan-order", key=key).data["orderList"]
    assert row["status"] == "fail_execute"
    (sub,) = ask.get("plan-sub-order", key=key, planOrderId=made).data
    assert (sub["orderId"], sub["status"]) == ("", "fail")


def test_born_order_is_held_to_the_trading_rules(sim):
    """What place-order would refuse fails when it is born; nobody checks it before."""
    exchange, ask, _ = sim(trigger_delay_s=0.0)
    made = place(ask, size="0.00000001").data["orderId"]
    move(exchange, "50000")
    assert (exchange.truth.triggers[made].status, exchange.truth.triggers[made].refusal) == ("fail_execute", "40808")


def test_sub_order_of_an_unknown_or_foreign_id_is_refused(sim):
    """43025, also for somebody else's order."""
    exchange, ask, _ = sim()
    (theirs,) = exchange.rest_trigger("BTCUSDT", account=exchange.add_account())
    assert ask.get("plan-sub-order", planOrderId=theirs).code == "43025"
    assert ask.get("plan-sub-order").code == "40019"


def test_cancel_answers_before_it_acts(sim):
    """`success` is an acknowledgement: the order still triggers until the cancel has run."""
    exchange, ask, _ = sim(cancel_delay_s=0.4, trigger_delay_s=0.0)
    kept, lost = exchange.rest_trigger("BTCUSDT", 2, trigger_price=Decimal(50000), execute_price=Decimal(20000))
    assert ask.post("cancel-plan-order", {"orderId": kept}).data == {"result": "success"}
    ask.pass_s(0.399)
    assert pending(exchange) == (kept, lost)
    ask.pass_s(0.001)
    assert pending(exchange) == (lost,)
    assert ask.post("cancel-plan-order", {"orderId": lost}).data == {"result": "success"}
    move(exchange, "50000")
    ask.pass_s(1)
    assert [exchange.truth.triggers[i].status for i in (kept, lost)] == ["cancelled", "executed"]
    first, second = exchange.truth.trigger_cancels
    assert (first.endpoint, first.symbol, first.order_ids) == ("cancel-plan-order", "BTCUSDT", (kept,))
    assert first.copy == exchange.truth.copies("cancel-plan-order")[0].index
    assert second.order_ids == ()
    assert exchange.truth.cancels == exchange.truth.executions == []


def test_cancel_of_what_is_not_live_is_refused(sim):
    """43025 for unknown and foreign ids, 43026 for closed and triggered ones, 40913 for none."""
    exchange, ask, _ = sim(cancel_delay_s=0.0, trigger_delay_s=math.inf)
    closed, stuck = exchange.rest_trigger("BTCUSDT", 2)
    (theirs,) = exchange.rest_trigger("BTCUSDT", account=exchange.add_account())
    ask.post("cancel-plan-order", {"orderId": closed})
    exchange.fire(stuck)
    for order_id, code in ((closed, "43026"), (stuck, "43026"), (theirs, "43025"), ("7", "43025")):
        answer = ask.post("cancel-plan-order", {"orderId": order_id})
        assert (answer.status, answer.code) == (400, code)
    assert ask.post("cancel-plan-order", {"symbol": "BTCUSDT"}).code == "40913"


def test_refused_cancel_can_hide_inside_success(sim):
    """Nobody knows which of the two forms comes; `result` failure with 00000 must be playable."""
    exchange, ask, _ = sim(trigger_failure_inside=True)
    answer = ask.post("cancel-plan-order", {"orderId": "7"})
    assert (answer.status, answer.code, answer.data) == (200, "00000", {"result": "failure"})
    assert ask.post("cancel-plan-order", {}).code == "40913"
    (live,) = exchange.rest_trigger("BTCUSDT")
    assert ask.post("cancel-plan-order", {"orderId": live}).data == {"result": "success"}


@pytest.mark.parametrize("body", [{}, {"symbolList": []}, {"symbolList": None}, {"symbols": ["ETHUSDT"]}])
def test_batch_cancel_without_a_list_it_knows_takes_everything(sim, body):
    """The exchange's own trap: a misspelt key is no list, and no list is all."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    ids = exchange.rest_trigger("BTCUSDT", 2) + exchange.rest_trigger("ETHUSDT")
    (theirs,) = exchange.rest_trigger("BTCUSDT", account=(other := exchange.add_account()))
    data = ask.post("batch-cancel-plan-order", body).data
    assert [item["orderId"] for item in data["successList"]] == ids
    assert data["failureList"] is None
    assert pending(exchange) == ()
    assert exchange.truth.open_trigger_ids(other.uid) == (theirs,)
    (run,) = exchange.truth.trigger_cancels
    assert (run.endpoint, run.symbol, run.order_ids) == ("batch-cancel-plan-order", "", tuple(ids))


def test_batch_cancel_takes_the_symbols_that_it_is_given(sim):
    """And says null where it has nothing to say, as recorded; what has triggered meanwhile is a failure."""
    exchange, ask, _ = sim(cancel_delay_s=0.1, trigger_delay_s=math.inf)
    (kept,) = exchange.rest_trigger("BTCUSDT")
    live, stuck = exchange.rest_trigger("ETHUSDT", 2)
    exchange.fire(stuck)
    data = ask.post("batch-cancel-plan-order", {"symbolList": ["ETHUSDT", "SOLUSDT"]}).data
    assert [item["orderId"] for item in data["successList"]] == [live]
    assert [(item["orderId"], item["errorMsg"]) for item in data["failureList"]] == [
        (stuck, "The planned order has been closed")
    ]
    assert pending(exchange) == (kept, live, stuck)
    ask.pass_s(0.1)
    assert pending(exchange) == (kept, stuck)
    nothing = ask.post("batch-cancel-plan-order", {"symbolList": ["SOLUSDT"]}).data
    assert nothing == {"successList": None, "failureList": None}
    assert ask.post("batch-cancel-plan-order", {"symbolList": "BTCUSDT"}).code == "40017"
    assert ask.post("batch-cancel-plan-order", {"symbolList": ["NOPE"]}).code == "40034"


def test_cancel_faults(sim):
    """Never, in part, late, lost answer: the truth says each time what became of it."""
    exchange, ask, _ = sim(cancel_delay_s=0.1)
    ids = exchange.rest_trigger("BTCUSDT", 10)
    for fault in (
        faults.never_executed(),
        faults.executed_in_part(0.3),
        faults.executed_late(20.0) | faults.drop(executed=True),
    ):
        exchange.faults.add("batch-cancel-plan-order", fault)
    assert len(ask.post("batch-cancel-plan-order", {}).data["successList"]) == 10
    ask.pass_s(60)
    assert pending(exchange) == tuple(ids)
    assert ask.post("batch-cancel-plan-order", {}).code == "00000"
    ask.pass_s(0.1)
    assert len(pending(exchange)) == 3
    assert exchange.truth.trigger_cancels[-1].spared == pending(exchange)
    assert ask.post("batch-cancel-plan-order", {}).kind == "close"
    ask.pass_s(19.99)
    assert len(pending(exchange)) == 3
    ask.pass_s(0.01)
    assert pending(exchange) == ()
    exchange.faults.add("cancel-plan-order", faults.envelope("40010", status=400))
    (last,) = exchange.rest_trigger("BTCUSDT")
    assert ask.post("cancel-plan-order", {"orderId": last}).code == "40010"
    ask.pass_s(60)
    assert pending(exchange) == (last,)


def test_placement_faults(sim):
    """Acknowledged and lost, acknowledged and late, done with the answer lost: what a lost answer may hide."""
    exchange, ask, _ = sim()
    for fault in (faults.never_executed(), faults.executed_late(5.0), faults.drop(executed=True)):
        exchange.faults.add("place-plan-order", fault)
    never, late = place(ask).data, place(ask, clientOid="a").data
    assert place(ask).kind == "close"
    (lost,) = pending(exchange)
    assert exchange.truth.triggers[lost].copy == exchange.truth.copies("place-plan-order")[2].index
    ask.pass_s(5)
    assert pending(exchange) == (lost, late["orderId"])
    assert never["orderId"] not in exchange.truth.triggers
    exchange.faults.add("place-plan-order", faults.executed_late(5.0))
    assert place(ask, clientOid="b").code == "00000"
    place(ask, clientOid="b")
    ask.pass_s(5)
    assert [o.copy for o in exchange.truth.triggers.values() if o.client_oid == "b"] == [
        exchange.truth.copies("place-plan-order")[-1].index
    ]


def test_inner_failures(sim):
    """A failure told inside success, executed or not: the answer alone proves nothing."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    one, two, three = exchange.rest_trigger("BTCUSDT", 3)
    exchange.faults.add("cancel-plan-order", faults.inner_failure("43025"))
    assert ask.post("cancel-plan-order", {"orderId": one}).data == {"result": "failure"}
    assert pending(exchange) == (one, two, three)
    exchange.faults.add("batch-cancel-plan-order", faults.inner_failure("43025", "no", executed=True, items=(two,)))
    exchange.faults.add("batch-cancel-plan-order", faults.inner_failure("43025", "no", items=(three,)), after=1)
    data = ask.post("batch-cancel-plan-order", {}).data
    assert [item["orderId"] for item in data["successList"]] == [one, three]
    assert [(item["orderId"], item["errorMsg"]) for item in data["failureList"]] == [(two, "no")]
    assert pending(exchange) == ()
    (four,) = exchange.rest_trigger("BTCUSDT")
    exchange.faults.clear()
    exchange.faults.add("batch-cancel-plan-order", faults.inner_failure("43025", "no"))
    assert ask.post("batch-cancel-plan-order", {}).data["successList"] is None
    ask.pass_s(1)
    assert pending(exchange) == (four,)


def test_modify_takes_effect_later_and_only_while_live(sim):
    """Acknowledged at once; the new price counts from its execution on, also for the side it is reached from."""
    exchange, ask, _ = sim(cancel_delay_s=0.5, trigger_delay_s=0.0)
    made = place(ask, clientOid="a").data
    change = {"clientOid": "a", "triggerPrice": "110000", "orderType": "limit", "executePrice": "20000", "size": "3"}
    assert ask.post("modify-plan-order", change).data == made
    (row,) = ask.get("current-plan-order").data["orderList"]
    assert (row["triggerPrice"], row["size"]) == ("50000", "0.002")
    ask.pass_s(0.5)
    (row,) = ask.get("current-plan-order").data["orderList"]
    assert (row["triggerPrice"], row["size"], row["uTime"]) == ("110000", "3", "1750000000500")
    move(exchange, "50000")
    assert exchange.truth.triggers[made["orderId"]].status == "live"
    assert ask.post("modify-plan-order", change | {"triggerPrice": "10"}).code == "00000"
    move(exchange, "110000")
    ask.pass_s(1)
    order = exchange.truth.triggers[made["orderId"]]
    assert (order.status, order.plan.trigger_price) == ("executed", Decimal(110000))
    assert ask.post("modify-plan-order", change).code == "43026"
    assert ask.post("modify-plan-order", change | {"clientOid": "b"}).code == "43025"
    assert ask.post("modify-plan-order", change | {"triggerPrice": ""}).code == "43026"


def test_modify_that_never_runs_changes_nothing(sim):
    """A fault on modify works as on a cancel."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    exchange.faults.add("modify-plan-order", faults.never_executed())
    made = place(ask).data["orderId"]
    change = {"orderId": made, "triggerPrice": "1", "orderType": "market", "size": "1"}
    assert ask.post("modify-plan-order", change).code == "00000"
    ask.pass_s(60)
    assert exchange.truth.triggers[made].plan.trigger_price == Decimal(50000)


def test_lists_are_paged_downwards(sim):
    """Twenty rows unless more are asked for, at most a hundred; the cursor is the lowest id, compared as a number."""
    exchange, ask, _ = sim()
    ids = exchange.rest_trigger("BTCUSDT", 5, ids=["7", "89", "901", "9000", "10000"])
    first = ask.get("current-plan-order", limit=2).data
    assert ([r["orderId"] for r in first["orderList"]], first["nextFlag"]) == (["10000", "9000"], True)
    second = ask.get("current-plan-order", limit=3, idLessThan=first["idLessThan"]).data
    assert ([r["orderId"] for r in second["orderList"]], second["nextFlag"]) == (["901", "89", "7"], False)
    assert len(ids) == 5
    exchange.rest_trigger("ETHUSDT", 30)
    assert len(ask.get("current-plan-order").data["orderList"]) == 20
    assert len(ask.get("current-plan-order", limit=100).data["orderList"]) == 35
    assert len(ask.get("current-plan-order", limit=100, symbol="ETHUSDT").data["orderList"]) == 30
    assert ask.get("current-plan-order", limit=101).code == "40017"


def test_span_of_a_list_is_bounded(sim):
    """90 days between the times (40705), the start before the end (40707); rows by their creation."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest_trigger("BTCUSDT", age_s=7200)
    exchange.rest_trigger("BTCUSDT")
    now, day = 1_750_000_000_000, 86_400_000
    page = ask.get("current-plan-order", startTime=now - day, endTime=now - 3_600_000).data
    assert [row["orderId"] for row in page["orderList"]] == [old]
    assert ask.get("current-plan-order", startTime=now - 91 * day, endTime=now).code == "40705"
    assert ask.get("history-plan-order", startTime=now - 91 * day).code == "40705"
    assert ask.get("history-plan-order", startTime=now, endTime=now - 1).code == "40707"


def test_lists_lag_behind_the_truth(sim):
    """Current ones come from a replica that is behind, the history has a lag of its own: neither proves an absence."""
    exchange, ask, _ = sim(cancel_delay_s=0.0, listing_lag_s=1.0, history_lag_s=5.0)
    made = place(ask).data["orderId"]
    assert ask.get("current-plan-order").data["orderList"] == []
    ask.pass_s(1)
    assert [row["orderId"] for row in ask.get("current-plan-order").data["orderList"]] == [made]
    ask.post("cancel-plan-order", {"orderId": made})
    assert pending(exchange) == ()
    (row,) = ask.get("current-plan-order").data["orderList"]
    assert row["status"] == "live"
    ask.pass_s(1)
    assert ask.get("current-plan-order").data["orderList"] == []
    assert ask.get("history-plan-order").data["orderList"] == []
    ask.pass_s(3.9)
    assert ask.get("history-plan-order").data["orderList"] == []
    exchange.publish_history()
    (row,) = ask.get("history-plan-order", symbol="BTCUSDT").data["orderList"]
    assert (row["orderId"], row["status"]) == (made, "cancelled")


def test_history_goes_back_ninety_days(sim):
    """By creation, as for spot orders."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    old, young = exchange.rest_trigger("BTCUSDT", age_s=91 * 86400) + exchange.rest_trigger("BTCUSDT", age_s=89 * 86400)
    ask.post("batch-cancel-plan-order", {})
    assert [row["orderId"] for row in ask.get("history-plan-order").data["orderList"]] == [young]
    assert exchange.truth.triggers[old].status == "cancelled"


def test_forgetting_keeps_what_waits(sim):
    """For long runs: final ones go, with their clientOid; pending ones stay and can still be cancelled."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    gone = place(ask, clientOid="a").data["orderId"]
    ask.post("cancel-plan-order", {"orderId": gone})
    (kept,) = exchange.rest_trigger("BTCUSDT")
    ask.pass_s(10)
    exchange.forget()
    assert list(exchange.truth.triggers) == [kept]
    assert exchange.truth.trigger_cancels == []
    assert ask.post("cancel-plan-order", {"clientOid": "a"}).code == "43025"
    assert ask.post("cancel-plan-order", {"orderId": kept}).data == {"result": "success"}


def test_trading_key_is_needed_for_commands(sim):
    """40014 without the permission; reading needs the other one."""
    exchange, ask, _ = sim()
    reader = exchange.add_key(trade=False)
    for name in ("place-plan-order", "modify-plan-order", "cancel-plan-order", "batch-cancel-plan-order"):
        assert ask.post(name, BODY, reader).code == "40014"
    assert ask.get("current-plan-order", key=reader).code == "00000"
    assert not exchange.truth.triggers


def test_a_test_cannot_give_an_id_twice(sim):
    """A slip of a test is a `ValueError`, not a refusal; the symbol is checked as for everybody."""
    exchange, ask, _ = sim()
    exchange.rest_trigger("BTCUSDT", ids=["7"])
    with pytest.raises(ValueError, match="taken"):
        exchange.rest_trigger("BTCUSDT", ids=["7"])
    assert ask.get("current-plan-order", symbol="NOPE").code == "40034"


def test_an_order_triggers_once(sim):
    """Firing one that is executing or over changes nothing."""
    exchange, ask, _ = sim(trigger_delay_s=1.0)
    (made,) = exchange.rest_trigger("BTCUSDT", trigger_price=Decimal(50_000), execute_price=Decimal(20_000))
    exchange.fire(made)
    move(exchange, "40000")
    exchange.fire(made)
    ask.pass_s(1)
    exchange.fire(made)
    ask.pass_s(1)
    assert [mark.status for mark in exchange.truth.triggers[made].marks] == ["live", "executing", "executed"]
    assert len(exchange.truth.orders) == 1
