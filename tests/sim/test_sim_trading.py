"""Commands: what they answer, and what they do later."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bitget_async.sim import faults
from bitget_async.sim.settings import usual_sweep_delay


def test_cancel_by_symbol_answers_before_it_acts(sim):
    """The gap that the client is built around: taken at once, done later, and only the symbol is echoed."""
    exchange, ask, _ = sim(sweep_delay_s=0.4)
    ids = exchange.rest("BTCUSDT", 3)
    answer = ask.cancel()
    assert (answer.status, answer.code, answer.data) == (200, "00000", {"symbol": "BTCUSDT"})
    ask.pass_s(0.399)
    assert ask.open() == tuple(ids)
    ask.pass_s(0.001)
    assert ask.open() == ()
    (run,) = exchange.truth.executions
    assert run.order_ids == tuple(ids)
    assert run.copy == exchange.truth.copies("cancel-symbol-order")[0].index
    assert exchange.order(ids[0]).final_ns == run.time_ns


def test_sweep_takes_what_is_open_when_it_runs(sim):
    """Orders placed between answer and execution go too; orders filled meanwhile are not cancelled."""
    exchange, ask, _ = sim(sweep_delay_s=1.0)
    old, doomed = exchange.rest("BTCUSDT", 2)
    ask.cancel()
    exchange.schedule_order("BTCUSDT", 0.5, order_id="99")
    exchange.schedule_order("BTCUSDT", 1.5, order_id="100")
    exchange.schedule_fill(doomed, 0.2)
    ask.pass_s(2)
    orders = exchange.truth.orders
    assert [orders[i].status for i in (old, doomed, "99", "100")] == ["cancelled", "filled", "cancelled", "live"]
    assert exchange.truth.executions[0].order_ids == (old, "99")


def test_sweep_leaves_everything_else_alone(sim):
    """Other symbols, other accounts, and the list of tpsl orders are not touched; WEB and APP orders are taken."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    stranger = exchange.add_account()
    theirs = exchange.rest("BTCUSDT", 2, account=stranger)
    elsewhere = exchange.rest("ETHUSDT", 1)
    waiting = exchange.rest("BTCUSDT", 1, tpsl=True)
    exchange.rest("BTCUSDT", 1, source="WEB")
    exchange.rest("BTCUSDT", 1, source="APP")
    ask.cancel()
    assert ask.open() == ()
    assert exchange.truth.open_ids(stranger.uid) == tuple(theirs)
    assert exchange.truth.open_ids(exchange.account.uid) == tuple(elsewhere)
    assert exchange.truth.open_ids(exchange.account.uid, tpsl=True) == tuple(waiting)


def test_unknown_symbol_is_refused(sim):
    """HTTP 400, code 40034, the recorded text."""
    _, ask, _ = sim()
    answer = ask.cancel("INVALID")
    assert (answer.status, answer.code) == (400, "40034")
    assert b"Parameter INVALID does not exist" in answer.body


@pytest.mark.parametrize("code", [None, "22001", "43004"])
def test_nothing_open_has_a_switch(sim, code):
    """Nobody knows what the exchange says then; both must be playable."""
    exchange, ask, _ = sim(nothing_open_code=code)
    answer = ask.cancel()
    assert (answer.status, answer.code) == ((200, "00000") if code is None else (400, code))
    exchange.rest("BTCUSDT", 1)
    assert ask.cancel().code == "00000"


def test_usual_delay_is_short_and_bounded(sim):
    """Median about 120 ms, never above one second."""
    exchange, _, _ = sim()
    drawn = sorted(usual_sweep_delay(exchange.faults._dice) for _ in range(2001))
    assert 0.10 < drawn[1000] < 0.14
    assert drawn[-1] <= 1.0


def place(ask, **changes):
    """Place a resting order, with changes; `None` leaves a field out."""
    body = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "30000", "size": "0.001"}
    return ask.post("place-order", {k: v for k, v in (body | changes).items() if v is not None})


def test_placed_order_rests_and_has_a_long_id(sim):
    """19 digits, growing; the exchange makes a clientOid of 36 characters when none is sent."""
    exchange, ask, _ = sim()
    first, second = place(ask).data, place(ask, clientOid="mine").data
    assert len(first["orderId"]) == 19
    assert int(first["orderId"]) < int(second["orderId"])
    assert (len(first["clientOid"]), second["clientOid"]) == (36, "mine")
    assert exchange.order(first["orderId"]).status == "live"


@pytest.mark.parametrize(
    ("changes", "status", "filled"),
    [
        ({"orderType": "market", "side": "sell", "price": None}, "filled", "0.001"),
        ({"price": "109000"}, "filled", "0.001"),
        ({"price": "109000", "force": "post_only"}, "cancelled", "0"),
        ({"force": "post_only"}, "live", "0"),
        ({"force": "IOC"}, "cancelled", "0"),
        ({"force": "fok", "price": "109000"}, "filled", "0.001"),
    ],
)
def test_simple_matching(sim, changes, status, filled):
    """Market and crossing orders trade at once; post_only dies of crossing, ioc and fok of not crossing."""
    exchange, ask, _ = sim(engine_delay_s=0.01)
    order = exchange.order(place(ask, **changes).data["orderId"])
    assert order.status == ("live" if status == "cancelled" else status)
    ask.pass_s(0.01)
    assert exchange.order(order.order_id).status == status
    assert order.filled == Decimal(filled)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": None}, "40019"),
        ({"symbol": "btcusdt"}, "40034"),
        ({"side": "both"}, "40017"),
        ({"force": "never"}, "40017"),
        ({"size": "-1"}, "40017"),
        ({"size": "NaN"}, "40017"),
        ({"price": None}, "40019"),
        ({"price": "1e400000"}, "40017"),
        ({"price": "9" * 400}, "43009"),
        ({"size": "9" * 400}, "45113"),
    ],
)
def test_bad_placements_are_refused(sim, changes, code):
    """With the code for what is wrong, and without an order."""
    exchange, ask, _ = sim()
    assert place(ask, **changes).code == code
    assert not exchange.truth.orders


def test_client_oid_is_unique_among_pending_orders_only(sim):
    """43118 while the first is open, free again when it is final."""
    exchange, ask, _ = sim()
    first = place(ask, clientOid="a").data["orderId"]
    assert place(ask, clientOid="a").code == "43118"
    exchange.cancel(first)
    assert place(ask, clientOid="a").code == "00000"


def test_balances_freeze_trade_and_come_back(sim):
    """Money is neither made nor lost but for the fee, whatever way an order ends."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    held = exchange.account.balance("USDT")
    start = held.available
    order_id = place(ask, price="50000", size="0.002").data["orderId"]
    assert (held.available, held.frozen) == (start - 100, Decimal(100))
    exchange.fill(order_id, Decimal("0.0005"))
    assert (held.available, held.frozen) == (start - 100, Decimal(75))
    assert ask.post("cancel-order", {"symbol": "BTCUSDT", "orderId": order_id}).code == "00000"
    assert exchange.order(order_id).status == "cancelled"
    assert (held.available, held.frozen) == (start - 25, Decimal(0))
    assert exchange.account.balance("BTC").available == Decimal("1000000000") + Decimal("0.0005") * Decimal("0.999")
    better = place(ask, price="109000", size="0.001").data["orderId"]
    assert (held.available, held.frozen) == (start - 25 - exchange.order(better).filled_quote, 0)


def test_poor_account_is_refused(sim):
    """43012 when the order costs more than there is."""
    exchange, ask, _ = sim()
    poor = exchange.credentials(exchange.add_account(balances={"USDT": Decimal(10)}))
    body = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "price": "30000", "size": "0.001"}
    assert ask.post("place-order", body, poor).code == "43012"


def test_single_cancel_of_a_final_order_is_refused(sim):
    """43001 for unknown, final, foreign and tpsl orders; tpsl ones need their own flag."""
    exchange, ask, _ = sim(cancel_delay_s=0.0)
    final = exchange.record("BTCUSDT")
    (theirs,) = exchange.rest("BTCUSDT", 1, account=exchange.add_account())
    (waiting,) = exchange.rest("BTCUSDT", 1, tpsl=True)
    for order_id in (final, theirs, waiting, "1"):
        answer = ask.post("cancel-order", {"symbol": "BTCUSDT", "orderId": order_id})
        assert (answer.status, answer.code) == (400, "43001")
    ask.pass_s(1)
    assert ask.post("cancel-order", {"orderId": waiting, "tpslType": "tpsl"}).code == "00000"
    assert ask.post("cancel-order", {"symbol": "BTCUSDT"}).code == "40913"


def test_batch_cancel_answers_item_by_item(sim):
    """Open ids succeed, others fail with 43001, all in an answer that says success."""
    exchange, ask, _ = sim(cancel_delay_s=0.05)
    one, two = exchange.rest("BTCUSDT", 2)
    answer = ask.post("batch-cancel-order", {"symbol": "BTCUSDT", "orderList": [{"orderId": one}, {"orderId": "7"}]})
    assert answer.code == "00000"
    assert [item["orderId"] for item in answer.data["successList"]] == [one]
    assert [(item["orderId"], item["errorCode"]) for item in answer.data["failureList"]] == [("7", "43001")]
    assert ask.open() == (one, two)
    ask.pass_s(0.05)
    assert ask.open() == (two,)
    assert exchange.truth.executions == []
    assert exchange.truth.cancels[0].order_ids == (one,)


def test_same_id_twice_within_a_second_is_refused(sim):
    """45129 inside the second, whichever endpoint asks, and whatever name of the order is used."""
    exchange, ask, _ = sim(cancel_delay_s=5.0)
    (order_id,) = exchange.rest("BTCUSDT", 1, client_oid="mine")
    body = {"symbol": "BTCUSDT", "orderList": [{"orderId": order_id}]}
    assert len(ask.post("batch-cancel-order", body).data["successList"]) == 1
    ask.pass_s(0.999)
    assert ask.post("cancel-order", {"symbol": "BTCUSDT", "clientOid": "mine"}).code == "45129"
    ask.pass_s(1.0)
    assert ask.post("batch-cancel-order", body).data["failureList"] == []


def test_mixed_kinds_of_ids_fail_the_client_oids(sim):
    """As the exchange's page says since 2025-11."""
    exchange, ask, _ = sim()
    (one,) = exchange.rest("BTCUSDT", 1)
    (two,) = exchange.rest("BTCUSDT", 1, client_oid="mine")
    items = [{"orderId": one}, {"clientOid": "mine"}]
    data = ask.post("batch-cancel-order", {"symbol": "BTCUSDT", "orderList": items}).data
    assert [item["clientOid"] for item in data["failureList"]] == ["mine"]
    ask.pass_s(1)
    assert ask.open() == (two,)
    data = ask.post("batch-cancel-order", {"symbol": "BTCUSDT", "orderList": items[1:]}).data
    assert [item["orderId"] for item in data["successList"]] == [two]


def test_batch_has_a_size_limit(sim):
    """The pages say 50 and the codes 20: by default 21 are refused as a whole, 51 with a code of their own."""
    _, ask, _ = sim()
    for count, code in ((20, "00000"), (21, "40306"), (50, "40306"), (51, "40912"), (0, "40019")):
        items = [{"orderId": str(number)} for number in range(count)]
        assert ask.post("batch-cancel-order", {"symbol": "BTCUSDT", "orderList": items}).code == code


def test_sweep_faults(sim):
    """Never, in part, late: the answer is the usual one each time, the truth is not."""
    exchange, ask, _ = sim(sweep_delay_s=0.1)
    ids = exchange.rest("BTCUSDT", 10)
    for fault in (
        faults.never_executed(),
        faults.executed_in_part(0.3),
        faults.executed_in_part((ids[0],)) | faults.executed_late(20.0),
    ):
        exchange.faults.add("cancel-symbol-order", fault)
    assert ask.cancel().code == "00000"
    ask.pass_s(60)
    assert ask.open() == tuple(ids)
    assert ask.cancel().code == "00000"
    ask.pass_s(0.1)
    assert len(ask.open()) == 3
    assert set(exchange.truth.executions[-1].spared) == set(ask.open())
    exchange.rest("BTCUSDT", 1)
    assert ask.cancel().code == "00000"
    ask.pass_s(19.99)
    assert len(ask.open()) == 4
    ask.pass_s(0.01)
    assert set(ask.open()) <= {ids[0]}
