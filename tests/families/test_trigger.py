"""Trigger orders: placed, changed and cancelled with proof, with answers lost and with orders that fire meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import json
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    CancellationUnconfirmed,
    Fate,
    Outcome,
    PlacementOutcome,
    Refused,
    UsageError,
)
from bitget_async.endpoints import BATCH_CANCEL_PLAN_ORDER
from bitget_async.families.trigger import Trigger
from bitget_async.models import Modification, TriggerStatus
from bitget_async.sim import Fault, SimulatedExchange, faults
from tests.conftest import with_exchange

BTC, ETH = "BTCUSDT", "ETHUSDT"
PLACE, MODIFY, CANCEL, SWEEP = (
    "place-plan-order",
    "modify-plan-order",
    "cancel-plan-order",
    "batch-cancel-plan-order",
)


async def place(client: BitgetClient, **more: Any) -> Any:
    """A trigger order far below the market."""
    given: dict[str, Any] = {"size": "0.01", "trigger_price": "50000", "trigger_type": "fill_price", **more}
    size = given.pop("size")
    return await client.trigger.place_plan_order(BTC, "buy", given.pop("order_type", "market"), size, **given)


def bodies(exchange: SimulatedExchange, endpoint: str) -> list[dict[str, Any]]:
    """What was sent."""
    return [json.loads(copy.body) for copy in exchange.truth.copies(endpoint)]


def waiting(exchange: SimulatedExchange, symbol: str | None = None) -> tuple[str, ...]:
    """Trigger orders that wait."""
    return exchange.truth.open_trigger_ids(exchange.account.uid, symbol)


# -- placing -----------------------------------------------------------------------------------------------------


def test_a_trigger_order_is_placed_and_proven_by_its_own_lists() -> None:
    """By its row in the open listing; orderInfo does not know it and is not asked."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await place(client, client_oid="t", order_type="limit", execute_price="49000", stp_mode="none")
        assert bodies(exchange, PLACE) == [
            {
                "symbol": BTC,
                "side": "buy",
                "triggerPrice": "50000",
                "orderType": "limit",
                "executePrice": "49000",
                "planType": "amount",
                "size": "0.01",
                "triggerType": "fill_price",
                "clientOid": "t",
                "stpMode": "none",
            }
        ]
        report = await pending
        placement = report.placement
        assert waiting(exchange) == (placement.order_id,)
        assert (placement.client_oid, placement.source) == ("t", "current-plan-order")
        assert placement.trigger is not None
        assert (placement.trigger.trigger_price, placement.trigger.status) == (Decimal(50_000), TriggerStatus.LIVE)
        assert placement.order is not None
        assert placement.order.order_id == placement.order_id
        assert set(report.requests) == {PLACE, "current-plan-order"}

    with_exchange(main)


def test_the_size_of_a_trigger_order_is_in_one_coin() -> None:
    """`size` makes it plan type "amount", `quote_size` "total"."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await (await place(client))
        await (await place(client, size=None, quote_size=Decimal("25.0")))
        sent = [(each["planType"], each["size"]) for each in bodies(exchange, PLACE)]
        assert sent == [("amount", "0.01"), ("total", "25")]

    with_exchange(main)


WRONG: list[dict[str, Any]] = [
    {"size": None},
    {"quote_size": "25"},
    {"order_type": "limit"},
    {"execute_price": "49000"},
    {"order_type": "stop"},
    {"trigger_type": "last"},
    {"trigger_price": "0"},
    {"trigger_price": 50000.0},
    {"client_oid": "no spaces!"},
    {"confirm_within_s": 0},
    {"max_wait_s": -1},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_a_trigger_order_that_cannot_be_meant_makes_no_request(changes: dict[str, Any]) -> None:
    """Neither request nor handle."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError):
            _ = await place(client, **changes)
        assert (exchange.truth.count(), client.pending) == (0, ())

    with_exchange(main)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"trigger_price": "50000.001"}, "trigger_price 50000.001 is not a multiple"),
        ({"order_type": "limit", "execute_price": "49000.001"}, "execute_price 49000.001 is not a multiple"),
        ({"size": "0.0000001"}, "size"),
        ({"size": None, "quote_size": "25.000000001"}, "quote_size"),
    ],
)
def test_amounts_are_held_to_the_known_grid(changes: dict[str, Any], text: str) -> None:
    """Placing and changing alike; without a check, or without rules, the exchange decides."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.symbols(BTC)
        before = exchange.truth.count()
        with pytest.raises(UsageError, match=text):
            _ = await place(client, **changes)
        given = {"size": "0.01", "trigger_price": "50000", "order_type": "market", **changes}
        with pytest.raises(UsageError, match=text):
            _ = await client.trigger.modify_plan_order(
                BTC, given.pop("order_type"), given.pop("size"), order_id="7", **given
            )
        assert exchange.truth.count() == before
        try:
            handle = await place(client, **changes, check=False)
        except Refused:
            pass
        else:
            assert handle.acknowledged
        assert exchange.truth.count(PLACE) == 1

    with_exchange(main)


@pytest.mark.parametrize("executed", [True, False])
def test_a_trigger_order_whose_answer_is_lost_is_found_or_unknown(executed: bool) -> None:
    """It can be shown to be there, never not to be: nothing tells of one that ended at once."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(PLACE, faults.drop(executed=executed))
        pending = await place(client)
        report = await pending.settled()
        assert exchange.truth.count(PLACE) == 1
        if executed:
            assert report.outcome is PlacementOutcome.PLACED
            assert report.placement.order_id == waiting(exchange)[0]
        else:
            assert (report.outcome, report.reason) == (PlacementOutcome.UNKNOWN, "not_found")

    with_exchange(main)


def test_a_lost_trigger_order_that_fired_at_once_is_found_in_the_history() -> None:
    """Placed, and EXECUTED by the time of the first look."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(PLACE, faults.drop(executed=True))
        pending = await place(client)
        exchange.fire(waiting(exchange)[0])
        placement = (await pending).placement
        assert placement.trigger is not None
        assert placement.trigger.status in (TriggerStatus.EXECUTING, TriggerStatus.EXECUTED)

    with_exchange(main)


# -- changing ----------------------------------------------------------------------------------------------------


async def modify(exchange: SimulatedExchange, client: BitgetClient, **more: Any) -> Any:
    """A change of an order that waits."""
    (order_id,) = exchange.rest_trigger(BTC, 1, age_s=60, client_oid="old")
    given: dict[str, Any] = {"order_id": order_id, "trigger_price": "51000", **more}
    return await client.trigger.modify_plan_order(BTC, "limit", "0.02", execute_price="51500", **given)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, "MODIFIED"),
        (faults.drop(executed=True), "MODIFIED"),
        (faults.drop(executed=False), "NOT_MODIFIED"),
        (faults.never_executed(), "NOT_MODIFIED"),
        (faults.executed_late(3.0), "MODIFIED"),
        (faults.envelope("43025"), "NOT_MODIFIED"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_change_is_known_by_the_row(fault: Fault | None, outcome: str) -> None:
    """Whatever the answer said."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if fault is not None:
            exchange.faults.add(MODIFY, fault)
        report = await (await modify(exchange, client)).settled()
        assert report.outcome is Modification[outcome]
        assert report.order is not None
        plan = exchange.truth.triggers[report.order.order_id].plan
        assert (report.order.trigger_price, report.order.size) == (plan.trigger_price, plan.size)
        assert (plan.trigger_price == 51_000) is (outcome == "MODIFIED")
        assert exchange.truth.count(MODIFY) == 1

    with_exchange(main)


def test_an_order_that_fires_before_it_is_changed_is_not_modified() -> None:
    """It ended with its old values; by its client id, as it was named."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(MODIFY, faults.never_executed())
        pending = await modify(exchange, client, order_id=None, client_oid="old")
        exchange.fire(waiting(exchange)[0])
        report = await pending.settled()
        assert report.outcome is Modification.NOT_MODIFIED
        assert report.order is not None
        assert report.order.status is TriggerStatus.EXECUTED
        assert bodies(exchange, MODIFY)[0]["clientOid"] == "old"
        assert "symbol" not in bodies(exchange, MODIFY)[0]

    with_exchange(main)


@pytest.mark.parametrize(
    "changes",
    [{"order_id": None}, {"client_oid": "old"}, {"quote_size": "25"}, {"trigger_price": None}],
    ids=str,
)
def test_a_change_that_cannot_be_meant_makes_no_request(changes: dict[str, Any]) -> None:
    """One name, one size, all values."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError):
            _ = await modify(exchange, client, **changes)
        assert exchange.truth.count() == 0

    with_exchange(main)


# -- cancelling one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, Outcome.CONFIRMED),
        (faults.drop(executed=True), Outcome.CONFIRMED),
        (faults.drop(executed=False), Outcome.STILL_OPEN),
        (faults.never_executed(), Outcome.STILL_OPEN),
        (faults.executed_late(2.5), Outcome.CONFIRMED),
        (faults.inner_failure("43025", executed=False), Outcome.STILL_OPEN),
        (faults.inner_failure("43025", executed=True), Outcome.CONFIRMED),
    ],
    ids=lambda value: getattr(value, "name", None),
)
@pytest.mark.parametrize("by", ["order_id", "client_oid"])
def test_a_cancelled_trigger_order_is_proven_by_its_row(fault: Fault | None, outcome: Outcome, by: str) -> None:
    """`result: failure` and a lost answer prove nothing; neither does `success`."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest_trigger(BTC, 1, age_s=60, client_oid="named")
        if fault is not None:
            exchange.faults.add(CANCEL, fault)
        name: dict[str, Any] = {by: order_id if by == "order_id" else "named"}
        pending = await client.trigger.cancel_plan_order(BTC, **name)
        report = await pending.settled()
        assert report.outcome is outcome
        (fate,) = report.orders
        assert fate.fate is (Fate.CANCELLED if outcome is Outcome.CONFIRMED else Fate.OPEN)
        assert (fate.order.order_id, fate.trigger is not None) == (order_id, True)
        assert (waiting(exchange) == ()) is (outcome is Outcome.CONFIRMED)
        assert exchange.truth.count(CANCEL) == 1

    with_exchange(main)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("funds", "fate"), [(True, Fate.TRIGGERED), (False, Fate.FAILED)])
def test_an_order_that_fired_before_its_cancel_is_told_as_triggered(inside: bool, funds: bool, fate: Fate) -> None:
    """However the exchange says that there is nothing to cancel: the order's row tells why."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest_trigger(BTC, 1, age_s=60)
        if not funds:
            exchange.account.balance("USDT").available = Decimal(0)
        exchange.fire(order_id)
        await asyncio.sleep(1)
        pending = await client.trigger.cancel_plan_order(BTC, order_id=order_id)
        assert not pending.acknowledged
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert [each.order.order_id for each in (report.triggered if funds else report.failed)] == [order_id]
        assert report.orders[0].fate is fate
        assert report.anomalies

    with_exchange(main, trigger_failure_inside=inside)


# -- cancelling all of a symbol ----------------------------------------------------------------------------------


def test_all_trigger_orders_of_a_symbol_are_cancelled_and_no_others() -> None:
    """The command always names one symbol: with none the exchange would take those of all."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        mine = exchange.rest_trigger(BTC, 3, age_s=60)
        others = exchange.rest_trigger(ETH, 2, age_s=60)
        spot = exchange.rest(BTC, 1, age_s=60)
        exchange.fire(mine[0])
        pending = await client.trigger.batch_cancel_plan_orders(BTC)
        report = await pending
        assert bodies(exchange, SWEEP) == [{"symbolList": [BTC]}]
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(mine[1:])
        assert [each.order.order_id for each in report.triggered] in ([], [mine[0]])
        assert waiting(exchange) == tuple(others)
        assert spot[0] in exchange.truth.open_ids(exchange.account.uid, BTC)
        assert "spot orders" in report.assumptions["not_touched"]

    with_exchange(main)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (faults.drop(executed=True), Outcome.CONFIRMED),
        (faults.drop(executed=False), Outcome.STILL_OPEN),
        (faults.never_executed(), Outcome.STILL_OPEN),
        (faults.executed_in_part(0.5), Outcome.STILL_OPEN),
        (faults.envelope("43025"), Outcome.STILL_OPEN),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_the_batch_cancel_did_is_read_from_the_orders(fault: Fault, outcome: Outcome) -> None:
    """As with cancel-by-symbol."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest_trigger(BTC, 3, age_s=60)
        exchange.faults.add(SWEEP, fault)
        pending = await client.trigger.batch_cancel_plan_orders(BTC)
        report = await pending.settled()
        assert report.outcome is outcome
        assert tuple(each.order.order_id for each in report.still_open) == waiting(exchange, BTC)
        if outcome is not Outcome.CONFIRMED:
            with pytest.raises(CancellationUnconfirmed):
                await pending

    with_exchange(main)


def test_nothing_to_cancel_is_proven_too() -> None:
    """No trigger order waits: the lists say so."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        report = await (await client.trigger.batch_cancel_plan_orders(BTC))
        assert report.outcome is Outcome.NOTHING_TO_CANCEL
        assert set(report.requests) == {SWEEP, "current-plan-order", "history-plan-order"}

    with_exchange(main)


@pytest.mark.parametrize("symbol", [None, "", "*", "btcusdt", [], [BTC], [BTC, ETH], (), {}, 0, b"BTCUSDT"], ids=repr)
def test_no_call_can_go_out_without_a_symbol(symbol: Any) -> None:
    """Nothing that is not one symbol makes a request: the exchange would cancel all trigger orders of the account."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        kept = exchange.rest_trigger(BTC, 1, age_s=60)
        with pytest.raises((UsageError, TypeError)):
            _ = await client.trigger.batch_cancel_plan_orders(symbol)
        wrong: list[dict[str, Any]] = [{}, {"symbolList": [BTC]}]
        wrong += [{"symbol_list": None}, {"symbol_list": []}, {"symbol_list": ""}, {"symbol_list": BTC}]
        for given in wrong:
            with pytest.raises(UsageError):
                await client.call(BATCH_CANCEL_PLAN_ORDER, **given)
        with pytest.raises(UsageError):
            await client.call(BATCH_CANCEL_PLAN_ORDER, symbol_list=[BTC], symbols=[ETH])
        assert exchange.truth.count() == 0
        assert waiting(exchange) == tuple(kept)

    with_exchange(main)


def test_every_body_of_the_batch_cancel_names_its_symbols() -> None:
    """Through the verb and through the bare call alike."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest_trigger(BTC, 1, age_s=60)
        _ = await client.trigger.batch_cancel_plan_orders(BTC, snapshot="before")
        _ = await client.trigger.batch_cancel_plan_orders(ETH, snapshot="none")
        await client.call(BATCH_CANCEL_PLAN_ORDER, symbol_list=(BTC, ETH))
        sent = bodies(exchange, SWEEP)
        assert sent == [{"symbolList": [BTC]}, {"symbolList": [ETH]}, {"symbolList": [BTC, ETH]}]

    with_exchange(main)


def test_the_symbol_of_the_batch_cancel_has_no_default() -> None:
    """Forgetting it is an error of the program, not "all"."""
    parameter = inspect.signature(Trigger.batch_cancel_plan_orders).parameters["symbol"]
    assert parameter.default is inspect.Parameter.empty


# -- lists -------------------------------------------------------------------------------------------------------


def test_the_lists_of_trigger_orders_are_walked_to_their_end() -> None:
    """Waiting ones, ended ones, and the spot orders that they made."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest_trigger(BTC, 5, age_s=60)
        other = exchange.rest_trigger(ETH, 1, age_s=60)
        found = [each.order_id async for each in client.trigger.current_plan_orders(BTC, limit=2)]
        assert found == ids[::-1]
        assert len(await client.trigger.current_plan_orders()) == 6
        exchange.fire(ids[0])
        await (await client.trigger.cancel_plan_order(ETH, order_id=other[0]))
        await asyncio.sleep(1)
        ended = {each.order_id: each.status async for each in client.trigger.history_plan_orders(limit=1)}
        assert ended == {ids[0]: TriggerStatus.EXECUTED, other[0]: TriggerStatus.CANCELLED}
        (born,) = await client.trigger.plan_sub_orders(ids[0])
        assert born.order_id in exchange.truth.orders
        assert await client.trigger.plan_sub_orders(ids[1]) == []

    with_exchange(main)
