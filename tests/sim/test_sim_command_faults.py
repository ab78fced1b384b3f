"""Faults of placements, batches and replacements: what is answered, and what is true."""

from __future__ import annotations

import pytest

from bitget_async.sim import faults

ORDER = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "30000", "size": "0.001"}


def place(ask, **changes):
    """Place a resting order."""
    return ask.post("place-order", ORDER | changes)


def batch(ask, *names):
    """Place a batch of resting orders with these clientOids."""
    items = [ORDER | {"clientOid": name} for name in names]
    return ask.post("batch-orders", {"symbol": "BTCUSDT", "orderList": items})


def made(exchange):
    """The clientOids of the orders that requests have really made."""
    return [placement.client_oid for placement in exchange.truth.placements]


def test_truth_knows_which_wire_copy_made_which_order(sim):
    """So that two orders of one command can be told from two commands."""
    exchange, ask, clock = sim()
    exchange.rest("BTCUSDT")
    order_id = place(ask, clientOid="a").data["orderId"]
    assert place(ask, clientOid="a").code == "43118"
    batch(ask, "b", "c")
    assert made(exchange) == ["a", "b", "c"]
    first = exchange.truth.placements[0]
    assert (first.uid, first.symbol, first.order_id) == (exchange.account.uid, "BTCUSDT", order_id)
    assert (first.time_ns, first.time_ms) == (clock.now_ns, clock.epoch_ms())
    wire = exchange.truth.wire
    assert [wire[placement.copy].endpoint for placement in exchange.truth.placements] == [
        "place-order",
        "batch-orders",
        "batch-orders",
    ]


def test_an_order_that_is_never_executed_is_acknowledged_and_nowhere(sim):
    """An id in the answer proves nothing: no listing, no history, no order behind it, no money frozen."""
    exchange, ask, _ = sim()
    exchange.faults.add("place-order", faults.never_executed())
    data = place(ask, clientOid="a").data
    assert (len(data["orderId"]), data["clientOid"]) == (19, "a")
    ask.pass_s(60)
    assert ask.get("orderInfo", orderId=data["orderId"]).data == []
    assert ask.get("orderInfo", clientOid="a").data == []
    assert ask.get("unfilled-orders").data == ask.get("history-orders").data == []
    assert exchange.account.balance("USDT").frozen == 0
    assert place(ask, clientOid="a").code == "00000"


def test_an_order_that_is_executed_late_comes_into_being_then(sim):
    """Under the names that were given out, with the time of its birth."""
    exchange, ask, clock = sim()
    exchange.faults.add("place-order", faults.executed_late(5.0))
    data = place(ask, clientOid="a").data
    ask.pass_s(4.999)
    assert ask.get("orderInfo", orderId=data["orderId"]).data == ask.get("unfilled-orders").data == []
    assert made(exchange) == []
    ask.pass_s(0.001)
    (row,) = ask.get("unfilled-orders").data
    assert (row["orderId"], row["clientOid"], row["cTime"]) == (data["orderId"], "a", str(clock.epoch_ms()))
    assert ask.get("orderInfo", clientOid="a").data[0]["orderId"] == data["orderId"]
    assert made(exchange) == ["a"]


def test_answering_before_executing_can_be_usual(sim):
    """Two settings, without any fault: names are given out, and orders come and go a little later."""
    exchange, ask, _ = sim(place_delay_s=0.03, replace_delay_s=0.05)
    old = place(ask, clientOid="a").data["orderId"]
    assert ask.open() == ()
    ask.pass_s(0.03)
    assert ask.open() == (old,)
    body = {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001"}
    new = ask.post("cancel-replace-order", body).data["orderId"]
    assert ask.open() == (old,)
    ask.pass_s(0.05)
    assert ask.open() == (new,)
    assert [made.order_id for made in exchange.truth.placements] == [old, new]


def test_a_late_order_for_which_there_is_no_room_then_is_never_made(sim):
    """Acknowledged, and its name is taken by the time it should come into being."""
    exchange, ask, _ = sim()
    exchange.faults.add("place-order", faults.executed_late(5.0))
    place(ask, clientOid="a")
    kept = place(ask, clientOid="a").data["orderId"]
    ask.pass_s(5)
    assert ask.open() == (kept,)


@pytest.mark.parametrize("fault", [faults.never_executed(), faults.executed_late(5.0), faults.executed_in_part(1.0)])
def test_a_fault_of_the_execution_acknowledges_nothing_that_would_be_refused(sim, fault):
    """Rules, names and money are checked when the answer is given."""
    exchange, ask, _ = sim()
    exchange.rest("BTCUSDT", client_oid="taken")
    for changes, code in (
        ({"clientOid": "taken"}, "43118"),
        ({"size": "0.0000001"}, "40808"),
        ({"size": "1"}, "43012"),
    ):
        exchange.faults.add("place-order", fault)
        exchange.account.balance("USDT").available = 29999
        assert place(ask, **changes).code == code
    ask.pass_s(10)
    assert made(exchange) == []


@pytest.mark.parametrize(("survivors", "count"), [(0.5, 2), (1.0, 0), (("b", "d"), 2)])
def test_a_batch_executed_in_part_misses_some_silently(sim, survivors, count):
    """All are acknowledged."""
    exchange, ask, _ = sim()
    exchange.faults.add("batch-orders", faults.executed_in_part(survivors))
    data = batch(ask, "a", "b", "c", "d").data
    assert [row["clientOid"] for row in data["successList"]] == ["a", "b", "c", "d"]
    ask.pass_s(60)
    assert len(made(exchange)) == len(ask.open()) == count
    if isinstance(survivors, tuple):
        assert made(exchange) == ["a", "c"]


@pytest.mark.parametrize("executed", [True, False])
def test_an_inner_failure_of_a_batch_may_have_been_executed(sim, executed):
    """Told as failed with the code of the fault, and no id; the others are as usual."""
    exchange, ask, _ = sim()
    fault = faults.inner_failure("45023", "Error creating order", executed=executed, items=("b",))
    exchange.faults.add("batch-orders", fault)
    data = batch(ask, "a", "b", "c").data
    assert [row["clientOid"] for row in data["successList"]] == ["a", "c"]
    assert data["failureList"] == [
        {"orderId": "", "clientOid": "b", "errorMsg": "Error creating order", "errorCode": "45023"}
    ]
    assert made(exchange) == (["a", "b", "c"] if executed else ["a", "c"])


@pytest.mark.parametrize("executed", [True, False])
def test_an_inner_failure_of_a_batch_of_cancels_may_have_been_executed(sim, executed):
    """The same for ids."""
    exchange, ask, _ = sim(cancel_delay_s=0.01)
    one, two = exchange.rest("BTCUSDT", 2)
    exchange.faults.add("batch-cancel-order", faults.inner_failure("45024", executed=executed, items=(one,)))
    items = [{"orderId": one}, {"orderId": two}]
    data = ask.post("batch-cancel-order", {"symbol": "BTCUSDT", "orderList": items}).data
    assert [row["orderId"] for row in data["successList"]] == [two]
    assert [(row["orderId"], row["errorCode"]) for row in data["failureList"]] == [(one, "45024")]
    ask.pass_s(0.01)
    assert ask.open() == (() if executed else (one,))


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("endpoint", ["cancel-replace-order", "batch-cancel-replace-order"])
def test_an_inner_failure_of_a_replacement_may_have_been_executed(sim, endpoint, executed):
    """`failure` with the text of the fault, whatever is true of both orders."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    exchange.faults.add(endpoint, faults.inner_failure("45023", "try later", executed=executed))
    item = {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001", "newClientOid": "new"}
    data = ask.post(endpoint, item if endpoint == "cancel-replace-order" else {"orderList": [item]}).data
    row = data if endpoint == "cancel-replace-order" else data[0]
    assert row == {"orderId": old, "clientOid": None, "success": "failure", "msg": "try later"}
    assert made(exchange) == (["new"] if executed else [])
    assert exchange.order(old).status == ("cancelled" if executed else "live")


@pytest.mark.parametrize(("fault", "after_s"), [(faults.never_executed(), None), (faults.executed_late(5.0), 5.0)])
def test_a_replacement_can_be_executed_late_or_never(sim, fault, after_s):
    """Both of its steps; the answer names a new order that may never be."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    exchange.faults.add("cancel-replace-order", fault)
    body = {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001"}
    data = ask.post("cancel-replace-order", body).data
    assert data["success"] == "success"
    ask.pass_s(4.999)
    assert ask.open() == (old,)
    ask.pass_s(0.001)
    assert ask.open() == ((old,) if after_s is None else (data["orderId"],))


@pytest.mark.parametrize(("step", "count"), [("cancelled", 0), ("placed", 2)])
def test_a_replacement_can_be_executed_by_half(sim, step, count):
    """Success is told, and one of its two steps never happens."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    exchange.faults.add("cancel-replace-order", faults.half_replaced(step))
    body = {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001"}
    data = ask.post("cancel-replace-order", body).data
    assert (data["success"], len(data["orderId"])) == ("success", 19)
    ask.pass_s(60)
    assert ask.open() == ((old, data["orderId"])[:count])


def test_a_late_replacement_of_an_order_that_was_filled_meanwhile_places_nothing(sim):
    """Its first step fails then, and nobody is told."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    exchange.faults.add("cancel-replace-order", faults.executed_late(5.0))
    ask.post("cancel-replace-order", {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001"})
    exchange.fill(old)
    ask.pass_s(5)
    assert (ask.open(), made(exchange)) == ((), [])


def test_a_request_that_is_processed_twice_counts_twice_and_is_answered_once(sim):
    """A name protects while the first order is open, and only then: without one there are two orders."""
    exchange, ask, _ = sim()
    exchange.faults.add("place-order", faults.processed_twice(0.5), times=3)
    assert place(ask, clientOid="a").code == "00000"
    assert place(ask).code == "00000"
    done = place(ask, clientOid="c").data["orderId"]
    exchange.cancel(done)
    assert len(exchange.truth.copies("place-order")) == 3
    ask.pass_s(0.5)
    copies = exchange.truth.copies("place-order")
    assert [(copy.result, copy.status) for copy in copies] == [("00000", 200)] * 3 + [
        ("43118", None),
        ("00000", None),
        ("00000", None),
    ]
    assert [copy.body for copy in copies[:3]] == [copy.body for copy in copies[3:]]
    assert made(exchange).count("a") == 1
    assert made(exchange).count("c") == 2
    assert len(exchange.truth.placements) == 5
    assert exchange.truth.worst_second("place-order") == 6


def test_the_second_arrival_may_be_the_first_to_be_processed(sim):
    """The first is lost, the resent one is executed after the client has given up; unless its window has passed."""
    exchange, ask, _ = sim()
    fault = faults.drop(executed=False) | faults.processed_twice(3.0)
    exchange.faults.add("place-order", fault, times=2)
    now = exchange.server_ms
    assert place(ask, clientOid="a").kind == "close"
    assert place(ask, clientOid="b", requestTime=str(now), receiveWindow="2999").kind == "close"
    assert made(exchange) == []
    ask.pass_s(3)
    assert made(exchange) == ["a"]
    assert [copy.result for copy in exchange.truth.copies("place-order")] == [None, None, "00000", "40078"]


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("endpoint", ["place-order", "batch-orders", "cancel-replace-order"])
@pytest.mark.parametrize("make", [faults.drop, faults.reset, faults.hang])
def test_lost_answers_of_placements_leave_the_truth_to_truth(sim, make, endpoint, executed):
    """Executed or not, nobody is told."""
    exchange, ask, _ = sim()
    (old,) = exchange.rest("BTCUSDT")
    exchange.faults.add(endpoint, make(executed=executed))
    body = {
        "place-order": ORDER,
        "batch-orders": {"symbol": "BTCUSDT", "orderList": [ORDER]},
        "cancel-replace-order": {"symbol": "BTCUSDT", "orderId": old, "price": "31000", "size": "0.001"},
    }[endpoint]
    assert ask.post(endpoint, body).kind == make(executed=executed).answer.kind
    assert len(exchange.truth.placements) == executed
