"""A stop of everything, from the call to the report; the simulator's truth is the judge."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    Order,
    Outcome,
    OutcomeUnknown,
    PendingStop,
    Refused,
    StopReport,
    StopUnconfirmed,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, SimulatedExchange, faults
from tests.conftest import with_exchange
from tests.scale.crowds import listed
from tests.stops import NAMES, left, named_twice, rest

READS = ("unfilled-orders",)


def test_all_is_cancelled_and_proven() -> None:
    """The promise: nothing open in truth, each order with its final row, and each symbol in the report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, orders=30)
        pending = await client.cancel_all_orders()
        assert pending in client.pending
        assert pending.plan.orders == 60
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert {each.symbol for each in report.symbols if each.outcome is Outcome.CONFIRMED} == set(NAMES)
        assert not left(exchange)
        assert report.clear_at_ms is not None
        assert pending not in client.pending
        assert await pending is report

    with_exchange(main)


def test_nothing_open_is_a_yes_without_a_command() -> None:
    """A desk that calls it twice must not be told "unknown", and no token is spent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        report = await (await client.cancel_all_orders())
        assert report.outcome is Outcome.NOTHING_TO_CANCEL
        assert report.attempts == 0
        assert exchange.truth.count("cancel-symbol-order") == 0

    with_exchange(main)


def test_dry_run_sends_nothing() -> None:
    """It plans with what is open and what is free, and leaves no handle behind."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange)
        pending = await client.cancel_all_orders(dry_run=True)
        assert pending.plan.orders == len(ids)
        assert pending.eta_s == 0.0
        assert "6 orders" in str(pending.plan)
        assert client.pending == ()
        await asyncio.sleep(5)
        assert left(exchange) == set(ids)
        with pytest.raises(UsageError, match="dry run"):
            _ = await pending
        with pytest.raises(UsageError, match="dry run"):
            _ = await pending.cleared()

    with_exchange(main)


def test_kept_orders_stay_open() -> None:
    """By client id or by a function: the stop of their symbol goes by ids, and never takes the symbol whole."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        others = rest(exchange)
        (kept,) = exchange.rest(NAMES[0], 1, client_oid="hedge", age_s=60)
        report = await (await client.cancel_all_orders(keep=["hedge"]))
        assert report.outcome is Outcome.CONFIRMED
        assert left(exchange) == {kept}
        assert {run.symbol for run in exchange.truth.executions} <= {NAMES[1]}
        assert [each.kept for each in report.symbols if each.symbol == NAMES[0]] == [(kept,)]
        assert {each.order.order_id for each in report.orders} == set(others)

        def sells(order: Order) -> bool:
            return order.client_oid == "hedge"

        again = rest(exchange)
        assert (await (await client.cancel_all_orders(keep=sells))).outcome is Outcome.CONFIRMED
        assert left(exchange) == {kept}
        assert exchange.truth.orders[again[0]].status == "cancelled"

    with_exchange(main)


def test_only_the_symbols_named_are_stopped() -> None:
    """What is given must not be widened."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange, NAMES[:1])
        others = rest(exchange, NAMES[1:])
        report = await (await client.cancel_all_orders(NAMES[:1]))
        assert report.symbol == NAMES[0]
        assert left(exchange) == set(others)

    with_exchange(main)


def test_tpsl_and_trigger_orders_are_included_on_demand() -> None:
    """They stand in lists of their own; without `include` they are not touched, and the report says so."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange)
        (tpsl,) = exchange.rest(NAMES[0], 1, tpsl=True, age_s=60)
        (trigger,) = exchange.rest_trigger(NAMES[1], 1, age_s=60)
        uid, truth = exchange.account.uid, exchange.truth
        first = await (await client.cancel_all_orders())
        assert "tpsl orders" in first.assumptions["not_touched"]
        assert truth.open_ids(uid, tpsl=True) == (tpsl,)
        assert truth.open_trigger_ids(uid) == (trigger,)
        report = await (await client.cancel_all_orders(include=("normal", "tpsl", "trigger")))
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.orders} == {tpsl, trigger}
        assert truth.open_ids(uid, tpsl=True) == truth.open_trigger_ids(uid) == ()

    with_exchange(main)


@pytest.mark.parametrize("late", ["report", "sweep"])
def test_late_arrivals_are_reported_or_swept(late: str) -> None:
    """A bot that still quotes: with "sweep" its orders end too, with "report" they are named and left alone."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange)
        pending = await client.cancel_all_orders(late=late)
        await asyncio.sleep(1)
        (new,) = exchange.rest("SOLUSDT", 1)
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert left(exchange) == ({new} if late == "report" else set())
        assert (new in report.late) == (late == "report")
        assert not named_twice(exchange)

    with_exchange(main)


def test_survivors_are_cancelled_by_id_after_a_second() -> None:
    """A command that the exchange takes and never executes: the ids are named again, none of them within a second."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange, orders=4)
        exchange.settings.sweep_delay_s = float("inf")
        exchange.settings.cancel_delay_s = float("inf")
        pending = await client.cancel_all_orders()
        exchange.settings.cancel_delay_s = 0.01
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert not named_twice(exchange)

    with_exchange(main)


def test_orders_that_cannot_be_ended_are_still_open() -> None:
    """Named one by one, after the last command can act no more; awaiting raises with the report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, NAMES[:1])
        exchange.settings.sweep_delay_s = exchange.settings.cancel_delay_s = float("inf")
        pending = await client.cancel_all_orders()
        with pytest.raises(StopUnconfirmed, match="STILL_OPEN") as caught:
            _ = await pending
        report: StopReport = caught.value.report
        assert report.outcome is Outcome.STILL_OPEN
        assert {each.order.order_id for each in report.still_open} == set(ids) == left(exchange)
        assert not named_twice(exchange)

    with_exchange(main)


def test_listing_that_cannot_be_read_is_an_error_before_anything_is_sent() -> None:
    """Without a listing nobody knows what to stop; the caller must hear it, not a handle that says nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange)
        _ = exchange.faults.add("unfilled-orders", faults.envelope("40034"), times=None)
        with pytest.raises(Refused):
            _ = await client.cancel_all_orders()
        assert client.pending == ()
        assert left(exchange) == set(ids)

    with_exchange(main)


def test_closing_the_client_settles_it() -> None:
    """Nobody hangs: what is not known by then is UNKNOWN, with the reason."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange)
        pending = await client.cancel_all_orders()
        await client.close()
        report = await pending.settled()
        assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "client_closed")

    with_exchange(main)


def test_progress_goes_from_sending_to_settled() -> None:
    """A desk watches it; any number of readers, and the last word is the report's."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange)
        pending = await client.cancel_all_orders()
        seen = [each async for each in pending.progress()]
        assert seen[-1].phase == "settled"
        assert seen[-1].ended == seen[-1].orders == 6
        assert seen[-1].left == 0
        assert seen[-1].answered == seen[-1].commands
        assert "checking" in [each.phase for each in seen]
        json.dumps(pending.to_dict())
        assert pending.to_dict()["report"]["outcome"] == "confirmed"

    with_exchange(main)


def test_neither_handle_nor_report_is_a_yes() -> None:
    """A forgotten check cannot pass."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await client.cancel_all_orders()
        with pytest.raises(TypeError):
            bool(pending)
        report = await pending
        with pytest.raises(TypeError):
            bool(report)

    with_exchange(main)


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbols": "BTCUSDT"},
        {"symbols": []},
        {"include": ()},
        {"include": ("margin",)},
        {"include": "normal"},
        {"late": "ignore"},
        {"keep": "hedge"},
        {"keep": [7]},
        {"exclude_client_oids": "hedge"},
        {"confirm_within_s": 0},
    ],
    ids=str,
)
def test_what_is_given_wrongly_sends_nothing(wrong: dict[str, Any]) -> None:
    """A text taken for a list of its letters would stop other symbols than meant, or keep nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rest(exchange)
        with pytest.raises(UsageError):
            _ = await client.cancel_all_orders(**wrong)
        assert exchange.truth.count() == 0

    with_exchange(main)


FAULTS = (
    faults.drop(executed=True),
    faults.drop(executed=False),
    faults.envelope("429", status=429),
    faults.page(429, executed=False),
    faults.page(502, executed=True),
    faults.envelope("40010", executed=True),
    faults.never_executed(),
    faults.executed_late(1.0),
)


@pytest.mark.parametrize("seed", range(12))
def test_confirmed_means_that_nothing_in_scope_is_open(seed: int, count_cases: Any) -> None:
    """Lost answers and requests, 429, pages of HTML, lagging listings, orders that fill or arrive meanwhile."""
    dice = random.Random(f"stop/{seed}")

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        names = tuple(dice.sample(tuple(SYMBOLS), 3))
        ids = set(rest(exchange, names, dice.randint(1, 30)))
        (kept,) = exchange.rest(names[0], 1, client_oid="mine", age_s=60)
        for endpoint in ("cancel-symbol-order", "batch-cancel-order", "unfilled-orders"):
            if dice.random() < 0.6:
                _ = exchange.faults.add(endpoint, dice.choice(FAULTS[: 6 if endpoint in READS else None]))
        try:
            pending = await client.cancel_all_orders(keep=["mine"], late=dice.choice(("report", "sweep")))
        except (Refused, OutcomeUnknown):
            assert ids <= left(exchange)
            return
        await asyncio.sleep(dice.random())
        late = set(exchange.rest(names[1], dice.randint(0, 2)))
        report = await pending.settled()
        open_now = left(exchange)
        assert kept in open_now
        if report.outcome is Outcome.CONFIRMED:
            assert not open_now & ids
            if report.assumptions["late"] == "sweep":
                assert not open_now & late
        assert exchange.truth.worst_second("batch-cancel-order") <= 10
        assert exchange.truth.worst_second("cancel-symbol-order") <= 5
        assert not named_twice(exchange)

    with_exchange(main, listing_lag_s=(0.0, 1.9), history_lag_s=(0.1, 0.8), sweep_delay_s=(0.05, 1.5))
    count_cases(1)


def test_two_hundred_symbols_are_flat_as_fast_as_the_quotas_allow() -> None:
    """200 orders on 200 symbols: one second's tokens are enough, where cancels by symbol take 40 seconds."""

    with listed(200) as names:

        async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
            ids = rest(exchange, tuple(names), 1)
            began_ns = VirtualClock().monotonic_ns()
            pending: PendingStop = await client.cancel_all_orders()
            _ = await pending.cleared()
            ended = [exchange.truth.orders[each].final_ns or 1 << 62 for each in ids]
            assert (max(ended) - began_ns) / 1e9 < 0.5
            assert not left(exchange)

        with_exchange(main)
