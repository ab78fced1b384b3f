"""Commands that name their orders: what each answer says of each order, what is raised, and what is looked into."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    InsufficientFunds,
    NotSent,
    Outcome,
    OutcomeUnknown,
    PendingPlacement,
    PermissionDenied,
    PlacementOutcome,
    PlacementUnconfirmed,
    RateLimited,
    Refused,
    ReplacementOutcome,
    UnknownSymbol,
    UsageError,
)
from bitget_async.codes import classify
from bitget_async.commands import CLAIMS, read_batch, read_one, read_replacements, read_result
from bitget_async.endpoints import BATCH_ORDERS, CANCEL_PLAN_ORDER, CANCEL_REPLACE_ORDER, PLACE_ORDER, Endpoint
from bitget_async.evidence import Certainty, Command, Target, Want
from bitget_async.sim import Fault, SimulatedExchange, faults
from bitget_async.wire import Reply, decode
from tests.conftest import with_exchange

BTC, ETH = "BTCUSDT", "ETHUSDT"
PENDING, ACKED, REFUSED = Certainty.PENDING, Certainty.ACKED, Certainty.REFUSED


def named(*names: tuple[str | None, str], want: Want = Want.PRESENT) -> list[Target]:
    """Orders of one command, as (order id, client id)."""
    command = Command(bounds_ms=lambda at_ns: (0, 10))
    return [Target(command=command, symbol=BTC, want=want, order_id=number, client_oid=oid) for number, oid in names]


def told(row: Endpoint, data: Any) -> Any:
    """The record of an answer with that data, as the wire gives it."""
    body = json.dumps({"code": "00000", "msg": "success", "requestTime": 1750000000000, "data": data}).encode()
    answer = decode(row, Reply(200, body, None, 0, 1))
    assert answer.error is None
    return answer.value


def read(
    reader: Callable[..., None], row: Endpoint, data: Any, targets: Sequence[Target]
) -> tuple[list[Certainty], list[str]]:
    """What the answer says of each order, and what was odd."""
    odd: list[str] = []
    reader(told(row, data), targets, odd.append)
    return [each.certainty for each in targets], odd


# -- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "certainty", "order_id", "odd"),
    [
        ({"orderId": "12", "clientOid": "a"}, (None, "a"), ACKED, "12", ""),
        ({"orderId": "12", "clientOid": None}, (None, "a"), ACKED, "12", ""),
        ({"orderId": "12"}, (None, "a"), ACKED, "12", ""),
        ({"orderId": "12", "clientOid": "made up"}, (None, ""), ACKED, "12", ""),
        ({"orderId": "12", "clientOid": "x"}, ("12", ""), ACKED, "12", ""),
        ({"orderId": "0012"}, ("12", ""), ACKED, "0012", ""),
        ({"orderId": 12, "clientOid": "a"}, (None, "a"), ACKED, "12", ""),
        ({"orderId": "12", "clientOid": "b"}, (None, "a"), PENDING, None, "another client id"),
        ({"orderId": "13", "clientOid": "a"}, ("12", "a"), PENDING, "12", "another order"),
        ({"orderId": "x1", "clientOid": "a"}, (None, "a"), PENDING, None, "did not name the order"),
        ({"orderId": "", "clientOid": "a"}, (None, "a"), PENDING, None, "did not name the order"),
        ({}, (None, "a"), PENDING, None, "did not name the order"),
        (None, (None, "a"), PENDING, None, "did not name the order"),
        ([], (None, "a"), PENDING, None, "did not name the order"),
        ("taken", (None, "a"), PENDING, None, "did not name the order"),
    ],
)
def test_the_receipt_of_one_order(
    data: Any, name: tuple[str | None, str], certainty: Certainty, order_id: str | None, odd: str
) -> None:
    """It names the order that was asked for, or it is a receipt for nothing."""
    targets = named(name)
    known, said = read(read_one, PLACE_ORDER, data, targets)
    assert known == [certainty]
    assert targets[0].order_id == order_id
    assert [odd in each for each in said] == [True] * bool(odd)


@pytest.mark.parametrize(
    ("data", "certainty"),
    [
        ({"result": "success"}, ACKED),
        ({"result": "failure"}, PENDING),
        ({"result": "maybe"}, PENDING),
        ({}, PENDING),
        (None, PENDING),
    ],
)
def test_only_success_says_that_a_trigger_order_is_being_cancelled(data: Any, certainty: Certainty) -> None:
    """Anything else is looked into."""
    known, odd = read(read_result, CANCEL_PLAN_ORDER, data, named(("12", "")))
    assert known == [certainty]
    assert bool(odd) is (certainty is PENDING)


GOOD = {"orderId": "12", "clientOid": "b"}
ABC = ((None, "a"), (None, "b"), (None, "c"))


def failed(oid: str, code: str, order_id: str | None = "") -> dict[str, Any]:
    """An item of the list of failures."""
    return {"orderId": order_id, "clientOid": oid, "errorMsg": "no", "errorCode": code}


@pytest.mark.parametrize(
    ("success", "failure", "known", "odd"),
    [
        (
            [{"orderId": "13", "clientOid": "c"}, {"orderId": "11", "clientOid": "a"}, GOOD],
            [],
            [ACKED, ACKED, ACKED],
            [],
        ),
        # Refused with a code that proves it, and with one that does not.
        (
            [GOOD],
            [failed("c", "43012"), failed("a", "43118")],
            [PENDING, ACKED, REFUSED],
            ["order c was refused with code 43012", "order a was refused with code 43118"],
        ),
        (
            [GOOD],
            [failed("c", "99999"), failed("a", "")],
            [PENDING, ACKED, PENDING],
            ["order c was refused with code 99999", "order a was refused with code "],
        ),
        ([GOOD], [], [PENDING, ACKED, PENDING], ["the answer said nothing of 2 orders"]),
        (None, None, [PENDING] * 3, ["the answer said nothing of 3 orders"]),
        # Of orders that nobody asked for.
        (
            [GOOD, {"orderId": "14", "clientOid": "z"}],
            [failed("y", "43012")],
            [PENDING, ACKED, PENDING],
            ["the answer named an order that was not asked for", "the answer said nothing of 2 orders"],
        ),
        # One order in both lists, or twice: the first word counts.
        (
            [GOOD, GOOD],
            [failed("b", "43012")],
            [PENDING, ACKED, PENDING],
            ["the answer named an order that was not asked for", "the answer said nothing of 2 orders"],
        ),
        (
            [{"orderId": "?", "clientOid": "b"}],
            [failed("a", "43012"), failed("c", "43012")],
            [REFUSED, PENDING, REFUSED],
            [
                "the answer did not name the order",
                "order a was refused with code 43012",
                "order c was refused with code 43012",
            ],
        ),
    ],
    ids=["all taken", "mixed", "doubtful codes", "some missing", "null", "foreign", "twice", "unreadable id"],
)
def test_the_answer_of_a_batch_speaks_of_each_order_by_itself(
    success: Any, failure: Any, known: list[Certainty], odd: list[str]
) -> None:
    """00000 says nothing of any of them; what stands in neither list stays in doubt."""
    targets = named(*ABC)
    result, said = read(read_batch, BATCH_ORDERS, {"successList": success, "failureList": failure}, targets)
    assert result == known
    assert list(dict.fromkeys(said)) == odd
    assert targets[1].order_id == ("12" if known[1] is ACKED else None)
    refusals = [each.refusal.error_code if each.refusal else None for each in targets]
    told_codes = {each["clientOid"]: each["errorCode"] for each in failure or [] if each["clientOid"] in "ac"}
    assert refusals == [told_codes.get("a"), None, told_codes.get("c")]


def test_a_batch_of_cancels_is_matched_by_order_ids_first() -> None:
    """The exchange echoes both; its client ids of those orders are not ours to know."""
    targets = named(("12", ""), ("13", ""), want=Want.FINAL)
    data = {
        "successList": [{"orderId": "13", "clientOid": "made by others"}],
        "failureList": [failed("", "43001", order_id="0012")],
    }
    assert read(read_batch, BATCH_ORDERS, data, targets)[0] == [PENDING, ACKED]
    targets = named((None, "a"), (None, "b"), want=Want.FINAL)
    data = {"successList": [{"orderId": "7", "clientOid": "b"}, {"orderId": "6", "clientOid": "a"}], "failureList": []}
    assert read(read_batch, BATCH_ORDERS, data, targets)[0] == [ACKED, ACKED]
    assert [each.order_id for each in targets] == ["6", "7"]


def replaced(order_id: str, success: str = "success", oid: str | None = "n", msg: str | None = None) -> dict[str, Any]:
    """One item of the answer of a replacement."""
    return {"orderId": order_id, "clientOid": oid, "success": success, "msg": msg}


@pytest.mark.parametrize(
    ("data", "known", "odd"),
    [
        (replaced("20"), [ACKED, ACKED], ""),
        (replaced("20", oid=None), [ACKED, ACKED], ""),
        # As recorded: a failure echoes the OLD id and tells its reason in words.
        (replaced("12", "failure", None, "The order has been filled"), [PENDING, PENDING], "has been filled"),
        (replaced("20", "failure"), [PENDING, PENDING], "no reason given"),
        (replaced("20", "sure"), [PENDING, PENDING], "no reason given"),
        (replaced("0012"), [PENDING, PENDING], "the old order instead of the new one"),
        (replaced("20", oid="other"), [PENDING, PENDING], "another client id"),
        (replaced(""), [PENDING, PENDING], "did not name the order"),
        (None, [PENDING, PENDING], ""),
    ],
)
def test_the_answer_of_a_replacement_speaks_of_both_or_of_neither(data: Any, known: list[Certainty], odd: str) -> None:
    """A failure proves nothing of the old order: it may be gone."""
    targets = [*named(("12", ""), want=Want.FINAL), *named((None, "n"))]
    result, said = read(read_replacements, CANCEL_REPLACE_ORDER, data, targets)
    assert result == known
    assert targets[1].order_id == ("20" if known == [ACKED, ACKED] else None)
    assert targets[0].order_id == "12"
    assert all(odd in each for each in said)
    assert bool(said) is (known == [PENDING, PENDING])


def test_a_batch_of_replacements_is_matched_by_place() -> None:
    """A failure has no client id. An answer of another length says nothing of any."""
    pairs = [named((None, "old"), want=Want.FINAL) + named((None, f"n{number}")) for number in range(2)]
    targets = [each for pair in pairs for each in pair]
    acks = [told(CANCEL_REPLACE_ORDER, each) for each in (replaced("5", "failure", None), replaced("20", oid="n1"))]
    odd: list[str] = []
    read_replacements(acks, targets, odd.append)
    assert [each.certainty for each in targets] == [PENDING, PENDING, ACKED, ACKED]
    assert odd == ["the replacement of old failed: no reason given"]
    fresh = [*named(("1", ""), want=Want.FINAL), *named((None, "n"))]
    read_replacements(acks, fresh, odd.append)
    assert [each.certainty for each in fresh] == [PENDING, PENDING]
    assert odd[-1] == "the answer has 2 items for 1 replacements"


def test_the_claims_are_codes_that_speak_of_orders() -> None:
    """Nothing to cancel, no such order, past changing, name taken: each may be true, and none says why."""
    assert all(issubclass(classify(code).error, CLAIMS) for code in ("43001", "43118", "22001"))
    assert not any(issubclass(classify(code).error, CLAIMS) for code in ("43012", "40034", "40009", "429", "99999"))


# -- one command -------------------------------------------------------------------------------------------------


def buy(client: BitgetClient, **more: Any) -> Any:
    """A resting order, far from the market."""
    given: dict[str, Any] = {"size": "0.001", "price": "50000", **more}
    return client.place_order(given.pop("symbol", BTC), "buy", "limit", given.pop("size"), **given)


def test_a_placement_is_given_at_the_answer_and_proven_by_the_next_look() -> None:
    """The exchange's id is known at once; that the order exists, when a read has shown it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        began_s = asyncio.get_running_loop().time()
        pending = await buy(client, client_oid="mine")
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.04, abs=0.01)
        (made,) = exchange.truth.placements
        assert (pending.order_id, pending.client_oid) == (made.order_id, "mine")
        assert (pending.state, pending.acknowledged, pending.attempts, pending.outcome) == ("pending", True, 1, None)
        report = await pending
        assert asyncio.get_running_loop().time() - began_s <= 0.5
        assert (report.outcome, report.acknowledged, report.symbol) == (PlacementOutcome.PLACED, True, BTC)
        placement = report.placement
        assert placement.order is not None
        assert (placement.order.order_id, placement.order.client_oid) == (made.order_id, "mine")
        assert placement.source == "orderInfo"
        assert dict(report.requests) == {"place-order": 1, "orderInfo": 1}
        assert report.assumptions["receive_window_ms"] == "5000"

    with_exchange(main)


LOST: dict[str, Callable[[bool], Fault]] = {
    "dropped": lambda executed: faults.drop(executed=executed),
    "reset": lambda executed: faults.reset(executed=executed),
    "no envelope": lambda executed: faults.page(502, executed=executed),
    "not understood": lambda executed: faults.raw(b"{}", executed=executed),
    "in doubt by its code": lambda executed: faults.envelope("45001", executed=executed),
    "unknown code": lambda executed: faults.envelope("99999", executed=executed),
}


@pytest.mark.failure(6, 7, 8, 9)
@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("how", LOST)
def test_a_placement_whose_answer_is_lost_is_found_or_proven_absent(how: str, executed: bool) -> None:
    """Never sent twice; PLACED soon, NOT_PLACED when its window and the grace have passed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        exchange.faults.add("place-order", LOST[how](executed))
        began_s = asyncio.get_running_loop().time()
        pending = await buy(client)
        assert not pending.acknowledged
        report = await pending.settled()
        took_s = asyncio.get_running_loop().time() - began_s
        assert exchange.truth.count("place-order") == 1
        assert len(exchange.truth.placements) == executed
        if executed:
            assert report.outcome is PlacementOutcome.PLACED
            assert report.placement.order_id == exchange.truth.placements[0].order_id
            assert took_s <= 1
        else:
            assert report.outcome is PlacementOutcome.NOT_PLACED
            # 5 s of window, 10 s of grace, 2 s of staleness.
            assert 17 <= took_s <= 18
            with pytest.raises(PlacementUnconfirmed, match="NOT_PLACED"):
                await pending

    with_exchange(main)


@pytest.mark.parametrize("code", [None, "43001"])
def test_an_order_that_order_info_does_not_know_is_absent_however_it_says_so(code: str | None) -> None:
    """An empty list, or an error code: both are its word that there is no such order."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.drop(executed=False))
        report = await (await buy(client)).settled()
        assert report.outcome is PlacementOutcome.NOT_PLACED
        assert report.requests["orderInfo"] <= 12

    with_exchange(main, unknown_order_code=code)


@pytest.mark.parametrize("endpoint", ["unfilled-orders", "history-orders", "orderInfo"])
@pytest.mark.parametrize("how", ["fails", "has a status that nobody knows"])
def test_an_order_is_not_absent_while_one_of_the_three_reads_does_not_say_so(endpoint: str, how: str) -> None:
    """Of a lost order that was placed and shows nowhere else: never NOT_PLACED."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.drop(executed=True))
        empty = faults.edited_rows(lambda rows: [])
        for each in ("unfilled-orders", "history-orders", "orderInfo"):
            strange = faults.page(502, executed=True) if how == "fails" else faults.status_text("zz")
            exchange.faults.add(each, strange if each == endpoint else empty, times=None)
        pending = await buy(client, confirm_within_s=40)
        if endpoint == "history-orders":
            exchange.fill(exchange.truth.placements[0].order_id)
        report = await pending.settled()
        assert report.outcome is PlacementOutcome.UNKNOWN

    with_exchange(main)


REFUSALS: list[tuple[str, type[Refused]]] = [
    ("43012", InsufficientFunds),
    ("40034", UnknownSymbol),
    ("40014", PermissionDenied),
    ("40019", Refused),
]


@pytest.mark.failure(25)
@pytest.mark.parametrize(("code", "error"), REFUSALS)
@pytest.mark.parametrize("call", ["place", "cancel", "replace", "batch"])
def test_a_definitive_refusal_is_raised_and_leaves_nothing_behind(call: str, code: str, error: type[Refused]) -> None:
    """No handle: there is nothing to wait for."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        calls: dict[str, tuple[str, Callable[[], Any]]] = {
            "place": ("place-order", lambda: buy(client)),
            "cancel": ("cancel-order", lambda: client.cancel_order(BTC, order_id="7")),
            "replace": (
                "cancel-replace-order",
                lambda: client.cancel_replace_order(BTC, order_id="7", price="50000", size="0.001"),
            ),
            "batch": ("batch-cancel-order", lambda: client.batch_cancel_orders(BTC, order_ids=["7"])),
        }
        endpoint, make = calls[call]
        exchange.faults.add(endpoint, faults.envelope(code))
        with pytest.raises(error) as caught:
            await make()
        assert (type(caught.value), caught.value.code) == (error, code)
        assert client.pending == ()
        await asyncio.sleep(60)
        assert exchange.truth.count() == 1

    with_exchange(main)


@pytest.mark.parametrize("code", ["43001", "22001"])
@pytest.mark.parametrize("fate", ["open", "filled", "cancelled", "never was"])
def test_a_cancel_that_is_told_that_there_is_no_such_order_finds_out_why(code: str, fate: str) -> None:
    """A claim is not raised: it is verified by the order's own rows."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        if fate == "filled":
            exchange.fill(order_id)
        elif fate == "cancelled":
            exchange.cancel(order_id)
        exchange.faults.add("cancel-order", faults.envelope(code))
        began_s = asyncio.get_running_loop().time()
        pending = await client.cancel_order(BTC, order_id="7" if fate == "never was" else order_id)
        assert not pending.acknowledged
        report = await pending.settled()
        took_s = asyncio.get_running_loop().time() - began_s
        assert any(code in each for each in report.anomalies)
        if fate in ("filled", "cancelled"):
            assert (report.outcome, report.orders[0].fate.value) == (Outcome.CONFIRMED, fate)
            assert took_s <= 0.5
        elif fate == "open":
            assert report.outcome is Outcome.STILL_OPEN
            # The exchange has spoken: the grace and the staleness count from the answer, 30 s of acceptance do not.
            assert 12 <= took_s <= 13
        else:
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "not_found")
        assert exchange.truth.count("cancel-order") == 1

    with_exchange(main)


def test_a_placement_whose_name_is_taken_is_not_placed_and_the_other_order_is_not_taken_for_it() -> None:
    """43118 says that a pending order has the client id: ours may be that one, if a copy came before. It did not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (other,) = exchange.rest(BTC, 1, age_s=60, client_oid="taken")
        began_s = asyncio.get_running_loop().time()
        pending = await buy(client, client_oid="taken")
        report = await pending.settled()
        assert report.outcome is PlacementOutcome.NOT_PLACED
        assert 12 <= asyncio.get_running_loop().time() - began_s <= 13
        refusal = report.placement.refusal
        assert refusal is not None
        assert refusal.error_code == "43118"
        assert report.placement.order_id is None
        assert exchange.truth.open_ids(exchange.account.uid, BTC) == (other,)

    with_exchange(main)


def test_an_order_that_was_executed_by_a_copy_is_placed_though_its_name_is_taken() -> None:
    """The network sent it twice and the second answer came: 43118 is about our own order."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("43118", executed=True))
        report = await (await buy(client))
        assert report.placement.order_id == exchange.truth.placements[0].order_id

    with_exchange(main)


@pytest.mark.parametrize(
    "data", [{}, None, {"orderId": "x"}, {"orderId": "7", "clientOid": "somebody else's"}, [], "ok"]
)
def test_a_receipt_that_names_nothing_of_ours_is_none(data: Any) -> None:
    """The order is looked up like one whose answer was lost."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.edited_data(lambda real: data))
        pending = await buy(client)
        assert not pending.acknowledged
        report = await pending
        assert report.placement.order_id == exchange.truth.placements[0].order_id
        assert report.anomalies

    with_exchange(main)


@pytest.mark.failure(21)
def test_a_redirect_is_doubt_and_is_named() -> None:
    """Nobody knows what stands between; the exchange's rows decide."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.redirect("http://127.0.0.1:9/", executed=True))
        report = await (await buy(client))
        assert report.anomalies == ("the command was answered with a redirect",)

    with_exchange(main)


@pytest.mark.failure(12)
def test_copies_that_were_refused_for_their_number_are_counted() -> None:
    """429 twice: three copies were on the wire, one order came of it, and its time counts from the last."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("429", status=429), times=2)
        pending = await buy(client)
        assert pending.attempts == 3
        report = await pending
        assert (report.attempts, report.requests["place-order"]) == (3, 3)
        assert report.signed_at_ms == exchange.truth.copies("place-order")[-1].timestamp_ms

    with_exchange(main)


@pytest.mark.failure(12)
def test_a_command_that_is_refused_for_its_number_for_ever_raises_that() -> None:
    """`RateLimited`, and no handle stays behind although copies were stamped."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("429", status=429), times=None)
        with pytest.raises(RateLimited):
            await buy(client)
        assert client.pending == ()

    with_exchange(main)


# -- several commands --------------------------------------------------------------------------------------------


def quotes(count: int, start: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Items of a batch."""
    return [
        {"side": "buy", "order_type": "limit", "size": "0.001", "price": 50_000 + number, "client_oid": f"q{number}"}
        | more
        for number in range(start, start + count)
    ]


def test_a_batch_of_many_is_several_commands_and_one_handle() -> None:
    """45 orders: three commands, every order in the order given."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await client.batch_orders(quotes(45), BTC)
        sizes = [len(json.loads(copy.body)["orderList"]) for copy in exchange.truth.copies("batch-orders")]
        assert sorted(sizes) == [5, 20, 20]
        assert (pending.acknowledged, pending.attempts) == (True, 3)
        report = await pending
        assert report.requests["batch-orders"] == 3
        assert [each.client_oid for each in report.placed] == [f"q{number}" for number in range(45)]
        assert len(exchange.truth.placements) == 45

    with_exchange(main)


def second(copy: Any) -> bool:
    """Whether that is the command with the items from 20 on."""
    return '"q20"' in copy.body.decode()


def test_a_refused_command_beside_others_is_in_the_report_and_not_raised() -> None:
    """Those of one command were not placed, and say why; the others were."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("batch-orders", faults.envelope("43012"), where=second)
        pending = await client.batch_orders(quotes(25), BTC)
        report = await pending.settled()
        assert report.outcome is PlacementOutcome.PARTLY_PLACED
        assert [each.client_oid for each in report.not_placed] == [f"q{number}" for number in range(20, 25)]
        assert {each.refusal.error_code for each in report.not_placed if each.refusal} == {"43012"}
        assert len(report.placed) == 20
        assert report.anomalies == ("1 of 2 commands were not taken (InsufficientFunds)",)
        assert not report.acknowledged

    with_exchange(main)


@pytest.mark.failure(6, 9)
@pytest.mark.parametrize("executed", [True, False])
def test_a_lost_command_beside_others_leaves_only_its_own_orders_in_doubt(executed: bool) -> None:
    """The others are settled by their own reads; the report waits for all."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("batch-orders", faults.drop(executed=executed), where=second)
        report = await (await client.batch_orders(quotes(25), BTC)).settled()
        assert len(report.placed) == (25 if executed else 20)
        assert len(report.not_placed) == (0 if executed else 5)
        assert len(exchange.truth.placements) == len(report.placed)

    with_exchange(main)


def test_a_command_that_gets_no_token_beside_others_is_not_placed() -> None:
    """Five batches a second: the sixth may not wait. An older order of the same name is not taken for it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60, client_oid="q100")
        pending = await client.batch_orders(quotes(105), BTC, max_wait_s=0)
        report = await pending.settled()
        assert exchange.truth.count("batch-orders") == 5
        assert (len(report.placed), len(report.not_placed)) == (100, 5)
        assert all(each.refusal is None for each in report.not_placed)
        assert report.anomalies[0] == "1 of 6 commands were not taken (NotSent)"

    with_exchange(main)


def test_orders_whose_cancel_was_never_sent_are_shown_as_they_are() -> None:
    """STILL_OPEN, by reads of now: also where they are known by their client ids only."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(22):
            exchange.rest(BTC, 1, age_s=60, client_oid=f"c{number}")
        for _ in range(9):
            _ = await client.batch_cancel_orders(BTC, order_ids=["7"])
        oids = [f"c{number}" for number in range(22)]
        pending = await client.batch_cancel_orders(BTC, client_oids=oids, max_wait_s=0)
        report = await pending.settled()
        assert report.outcome is Outcome.STILL_OPEN
        assert [len(report.cancelled), len(report.still_open)] in ([20, 2], [2, 20])
        assert report.signed_at_ms > 0

    with_exchange(main)


@pytest.mark.parametrize("fault", [faults.envelope("40034"), None])
def test_what_is_proven_of_every_command_is_raised(fault: Fault | None) -> None:
    """All refused, or none sent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if fault is not None:
            exchange.faults.add("batch-orders", fault, times=None)
            with pytest.raises(UnknownSymbol):
                _ = await client.batch_orders(quotes(25), BTC)
        else:
            for number in range(5):
                _ = await client.batch_orders(quotes(1, 200 + number), BTC)
            with pytest.raises(NotSent) as caught:
                _ = await client.batch_orders(quotes(25), BTC, max_wait_s=0)
            assert caught.value.reason == "rate_limit"
            await asyncio.sleep(5)
        assert client.pending == ()

    with_exchange(main)


def test_one_wrong_item_stops_all_commands_and_is_named_by_its_place() -> None:
    """Before any of them is sent; places count through the whole list."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        orders = quotes(45)
        orders[33]["force"] = "sometimes"
        with pytest.raises(UsageError, match=r"items from 20 on: .*item 13: force"):
            _ = await client.batch_orders(orders, BTC)
        assert exchange.truth.count() == 0

    with_exchange(main)


# -- callers that go, clients that close -------------------------------------------------------------------------


@pytest.mark.failure(48)
def test_a_caller_that_is_cancelled_leaves_the_command_to_its_handle() -> None:
    """Once signed it goes on, placed and known to `client.pending`; before that it is withdrawn. Never in between."""
    outcomes: list[int] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        task = asyncio.ensure_future(buy(client, client_oid="mine"))
        for _ in range(len(outcomes)):
            await asyncio.sleep(0)
        signed = bool(client.pending)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        handles = client.pending
        assert len(handles) >= signed
        for handle in handles:
            assert isinstance(handle, PendingPlacement)
            assert (await handle).placement.client_oid == "mine"
        await asyncio.sleep(60)
        assert len(exchange.truth.placements) == len(handles)
        outcomes.append(len(handles))

    for _ in range(12):
        with_exchange(main)
    assert set(outcomes) == {0, 1}


@pytest.mark.failure(48, 50)
@pytest.mark.parametrize("count", [1, 25])
def test_a_caller_that_is_cancelled_while_waiting_for_a_token_withdraws_the_command(count: int) -> None:
    """Nothing is sent later, and whoever waits behind it gets the token."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(5):
            _ = await client.batch_orders(quotes(1, 200 + number), BTC)
        task = asyncio.ensure_future(client.batch_orders(quotes(count), BTC))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            _ = await task
        await asyncio.sleep(60)
        assert exchange.truth.count("batch-orders") == 5
        assert client.pending == ()

    with_exchange(main)


@pytest.mark.failure(48)
def test_a_caller_that_is_cancelled_leaves_all_commands_of_its_call_or_none() -> None:
    """In whatever turn it goes: also in the one in which the first of them is stamped."""
    outcomes: list[int] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        task = asyncio.ensure_future(client.batch_orders(quotes(25), BTC))
        for _ in range(len(outcomes)):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            _ = await task
        handles = client.pending
        for handle in handles:
            assert (await handle.settled(30)).outcome is PlacementOutcome.PLACED
        await asyncio.sleep(60)
        assert client.pending == ()
        outcomes.append(exchange.truth.count("batch-orders"))
        assert outcomes[-1] == 2 * len(handles)

    for _ in range(20):
        with_exchange(main)
    assert set(outcomes) == {0, 2}


@pytest.mark.failure(48)
def test_commands_of_a_call_go_on_when_one_of_them_is_signed() -> None:
    """Half of a batch is worse than all of it: its caller asked for all."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(4):
            _ = await client.batch_orders(quotes(1, 200 + number), BTC)
        task = asyncio.ensure_future(client.batch_orders(quotes(25), BTC))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            _ = await task
        handle = client.pending[-1]
        assert isinstance(handle, PendingPlacement)
        assert len((await handle).placed) == 25

    with_exchange(main)


@pytest.mark.failure(51)
def test_closing_under_a_command_gives_its_caller_a_handle_if_it_was_signed() -> None:
    """It says what is known: UNKNOWN (client_closed). Nothing was sent of what still waited: NotSent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("batch-orders", faults.hang(executed=True), times=None)
        tasks = [asyncio.ensure_future(client.batch_orders(quotes(1, number), BTC)) for number in range(7)]
        await asyncio.sleep(0.5)
        await client.close()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        signed = [each for each in answers if isinstance(each, PendingPlacement)]
        assert len(signed) == 5
        for handle in signed:
            report = await handle.settled()
            assert (report.outcome, report.reason) == (PlacementOutcome.UNKNOWN, "client_closed")
        assert [each.reason for each in answers if isinstance(each, NotSent)] == ["closed"] * 2
        assert not any(isinstance(each, OutcomeUnknown) for each in answers)

    with_exchange(main)


# -- replacements ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, ReplacementOutcome.REPLACED),
        (faults.drop(executed=True), ReplacementOutcome.REPLACED),
        (faults.drop(executed=False), ReplacementOutcome.OLD_KEPT),
        (faults.inner_failure("43012", "Insufficient balance"), ReplacementOutcome.OLD_KEPT),
        (faults.inner_failure("43012", executed=True), ReplacementOutcome.REPLACED),
        (faults.half_replaced("cancelled") | faults.drop(executed=True), ReplacementOutcome.NEW_MISSING),
        (faults.half_replaced("placed") | faults.drop(executed=True), ReplacementOutcome.BOTH_OPEN),
        (faults.half_replaced("placed"), ReplacementOutcome.BOTH_OPEN),
        # Acknowledged and nowhere: the exchange named its id, and never said that there is none.
        (faults.half_replaced("cancelled"), ReplacementOutcome.UNKNOWN),
        (faults.never_executed(), ReplacementOutcome.UNKNOWN),
        (faults.envelope("43001"), ReplacementOutcome.OLD_KEPT),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_replacement_tells_the_fates_of_both_orders_apart(fault: Fault | None, outcome: ReplacementOutcome) -> None:
    """It is not atomic, and what it did is read from the orders' own rows."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        (old,) = exchange.rest(BTC, 1, age_s=60)
        if fault is not None:
            exchange.faults.add("cancel-replace-order", fault)
        pending = await client.cancel_replace_order(
            BTC, order_id=old, price="50000", size="0.002", new_client_oid="new"
        )
        assert pending.replacements is None
        report = await pending.settled()
        assert report.outcome is outcome
        truth = exchange.truth
        is_open = old in truth.open_ids(exchange.account.uid, BTC)
        made = [each for each in truth.placements if each.order_id != old]
        assert exchange.truth.count("cancel-replace-order") == 1
        if outcome is not ReplacementOutcome.UNKNOWN:
            assert (report.old.fate.value == "open") is is_open
            assert (report.new.outcome is PlacementOutcome.PLACED) is bool(made)
        assert pending.replacements == report.replacements

    with_exchange(main)


def test_the_batch_of_replacements_tells_each_apart() -> None:
    """One worked, one was refused inside, one lost its old order before."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        olds = exchange.rest(BTC, 3, age_s=60)
        exchange.cancel(olds[2])
        exchange.faults.add("batch-cancel-replace-order", faults.inner_failure("43012", items=(olds[1],)))
        items = [
            {"symbol": BTC, "order_id": each, "price": "50000", "size": "0.002", "new_client_oid": f"n{place}"}
            for place, each in enumerate(olds)
        ]
        report = await (await client.batch_cancel_replace_orders(items)).settled()
        assert report.outcome is ReplacementOutcome.MIXED
        assert [each.outcome.name for each in report.replacements] == ["REPLACED", "OLD_KEPT", "NEW_MISSING"]
        assert [each.new.client_oid for each in report.replacements] == ["n0", "n1", "n2"]
        with pytest.raises(ValueError, match="unpack"):
            _ = report.old
        with pytest.raises(ValueError, match="unpack"):
            _ = report.new

    with_exchange(main)


def test_a_call_in_a_hurry_settles_on_time_though_its_last_command_waited_for_its_token() -> None:
    """Its deadline is known only when that one is stamped, and nothing else wakes the watcher then."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.answer_latency_s = 3.0
        others = [asyncio.ensure_future(client.batch_orders(quotes(1, 200 + number), BTC)) for number in range(4)]
        await asyncio.sleep(0)
        task = asyncio.ensure_future(client.batch_orders(quotes(25), BTC, confirm_within_s=0.3))
        await asyncio.sleep(0.01)
        (pending,) = [
            each for each in client.pending if isinstance(each, PendingPlacement) and len(each.placements) > 1
        ]
        await pending.settled(30)
        course = pending._course
        assert client._clock.monotonic_ns() - course.deadline_ns < 1_000_000
        for each in (task, *others):
            _ = await each

    with_exchange(main)
