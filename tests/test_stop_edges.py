"""A stop where things go wrong, or happen at the same time; the simulator's truth is the judge."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    NotSent,
    Order,
    Outcome,
    OutcomeUnknown,
    PendingStop,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange, faults
from bitget_async.tracking import Sureness
from tests.conftest import CALM, client_of, run_virtual, with_exchange
from tests.stops import NAMES, left, named_twice, rest

COMMANDS = (
    "cancel-symbol-order",
    "batch-cancel-order",
    "cancel-order",
    "batch-cancel-plan-order",
    "cancel-plan-order",
)


def sent(exchange: SimulatedExchange) -> int:
    """Commands that arrived."""
    return sum(exchange.truth.count(each) for each in COMMANDS)


# -- what is included -----------------------------------------------------------------------------------------------

KINDS = ("normal", "tpsl", "trigger")


@pytest.mark.parametrize(
    "include", [some for count in (1, 2, 3) for some in itertools.combinations(KINDS, count)], ids="+".join
)
def test_each_kind_is_stopped_if_it_is_included_and_only_then(include: tuple[str, ...]) -> None:
    """They stand in lists of their own, under commands of their own."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        _ = exchange.rest(NAMES[0], 2, tpsl=True, age_s=60)
        _ = exchange.rest_trigger(NAMES[1], 2, age_s=60)
        report = await (await client.cancel_all_orders(include=include))
        assert report.outcome is Outcome.CONFIRMED
        uid, truth = exchange.account.uid, exchange.truth
        open_now = {
            "normal": len(truth.open_ids(uid)),
            "tpsl": len(truth.open_ids(uid, tpsl=True)),
            "trigger": len(truth.open_trigger_ids(uid)),
        }
        assert open_now == {
            kind: 0 if kind in include else number for kind, number in zip(KINDS, (6, 2, 2), strict=True)
        }

    with_exchange(main)


# -- who is kept ----------------------------------------------------------------------------------------------------


def test_order_about_which_the_function_raises_stays_and_is_named() -> None:
    """It may be the hedge. All others end, and the report says what happened."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange)
        (odd,) = exchange.rest(NAMES[0], 1, client_oid="odd", age_s=60)

        def keep(order: Order) -> bool:
            if order.client_oid == "odd":
                raise ValueError(order.client_oid)
            return False

        report = await (await client.cancel_all_orders(keep=keep))
        assert report.outcome is Outcome.CONFIRMED
        assert left(exchange) == {odd}
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert report.anomalies == (f"keep raised ValueError: order {odd} was left alone",)
        assert exchange.truth.count("cancel-symbol-order") == 0

    with_exchange(main)


def test_async_function_is_refused() -> None:
    """What it returns is always true: a stop that keeps everything would say that all is well."""

    async def keep(order: Order) -> bool:
        return False

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        with pytest.raises(UsageError, match="answer at once"):
            _ = await client.cancel_all_orders(keep=keep)  # type: ignore[arg-type]
        assert sent(exchange) == 0

    with_exchange(main)


@pytest.mark.parametrize("how", ["keep", "exclude_client_oids", "both"])
def test_ids_to_keep_may_be_given_either_way(how: str) -> None:
    """And together."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        mine = {exchange.rest(name, 1, client_oid=f"mine{place}", age_s=60)[0] for place, name in enumerate(NAMES)}
        ways: dict[str, dict[str, Any]] = {
            "keep": {"keep": ["mine0", "mine1"]},
            "exclude_client_oids": {"exclude_client_oids": {"mine0", "mine1"}},
            "both": {"keep": ["mine0"], "exclude_client_oids": ["mine1"]},
        }
        assert (await (await client.cancel_all_orders(**ways[how]))).outcome is Outcome.CONFIRMED
        assert left(exchange) == mine

    with_exchange(main)


# -- what is known at the beginning ---------------------------------------------------------------------------------


def test_empty_account_is_flat_and_listed_twice_at_most_a_second() -> None:
    """Nothing to cancel is proven like everything else, at a handful of reads."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await client.cancel_all_orders(include=KINDS)
        assert pending.plan.commands == ()
        assert pending.eta_s == 0
        report = await pending
        assert report.outcome is Outcome.NOTHING_TO_CANCEL
        assert report.orders == ()
        assert sent(exchange) == 0
        assert exchange.truth.count("unfilled-orders") <= 14

    with_exchange(main)


def test_tracker_that_is_live_saves_the_listing_before_the_commands() -> None:
    """What pushes told is enough to begin; the proof is read all the same."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange)
        opened = client.open_orders
        await opened.ready()
        await asyncio.sleep(5)
        assert opened.sureness is Sureness.LIVE
        before = exchange.truth.count("unfilled-orders")
        pending = await client.cancel_all_orders()
        assert pending.plan.orders == len(ids)
        await asyncio.sleep(0.022)
        assert sent(exchange) == 2
        assert exchange.truth.count("unfilled-orders") == before
        assert (await pending).outcome is Outcome.CONFIRMED
        assert not left(exchange)

    with_exchange(main, options={"stream": True})


def test_symbol_that_the_exchange_does_not_know_does_not_hold_up_the_others() -> None:
    """It was taken off the list with orders on it: its command is refused, its orders are named, the report tells."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        gone = rest(exchange, ["SOLUSDT"])
        _ = exchange.faults.add(
            "cancel-symbol-order",
            faults.envelope("40034"),
            times=None,
            where=lambda copy: b"SOLUSDT" in copy.body,
        )
        report = await (await client.cancel_all_orders())
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert {each.order.order_id for each in report.cancelled} >= set(gone)
        assert any("40034" in each for each in report.anomalies)
        assert not named_twice(exchange)

    with_exchange(main)


def test_listing_that_breaks_off_after_commands_have_left_is_no_error() -> None:
    """The first page was acted on; what the others would have shown is found by the listings afterwards."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, NAMES, 130)
        _ = exchange.faults.add("unfilled-orders", faults.envelope("40034"), after=1, times=1)
        pending = await client.cancel_all_orders()
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert any("broke off" in each for each in report.anomalies)
        assert not named_twice(exchange)

    with_exchange(main)


def test_function_of_ours_that_fails_hangs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect while commands are on their way: whoever awaits hears of it, and so does the loop's handler."""
    from bitget_async.stopping import Stopping

    def broken(self: Stopping, rows: object, latest_ms: object) -> int:
        raise RuntimeError("planted")

    monkeypatch.setattr(Stopping, "checked", broken)
    heard: list[Any] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
        _ = rest(exchange)
        pending = await client.cancel_all_orders()
        report = await pending.settled()
        assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "internal")
        assert client.pending == () or pending not in client.pending

    with_exchange(main)
    assert [str(each) for each in heard] == ["planted"]


def test_dry_run_of_all_kinds_prints_the_plan_and_sends_nothing() -> None:
    """A rehearsal must be safe whatever it includes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange, NAMES, 60)
        _ = exchange.rest(NAMES[0], 12, tpsl=True, age_s=60)
        _ = exchange.rest_trigger(NAMES[1], 2, age_s=60)
        pending = await client.cancel_all_orders(include=KINDS, dry_run=True)
        assert str(pending.plan).splitlines() == [
            "134 orders, 15 commands, the last leaves after 1.04 s",
            "  batch-cancel-plan-order: 1 for 2 orders, until 0.00 s",
            "  cancel-order: 12 for 12 orders, until 1.04 s",
            "  cancel-symbol-order: 2 for 120 orders, until 0.00 s",
        ]
        assert 1.04 < pending.eta_s < 1.06
        assert pending.state == "dry run"
        assert pending.handles == ()
        await asyncio.sleep(60)
        assert sent(exchange) == 0

    with_exchange(main)


# -- who leaves -----------------------------------------------------------------------------------------------------


def test_caller_who_leaves_before_the_first_command_withdraws_all_of_it() -> None:
    """At each moment: either nothing was sent, and nothing will be, or all goes on to its end."""
    goes_on = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, NAMES, 130)
        step, cancelled = 0, True
        while cancelled and not client.pending:
            call = asyncio.ensure_future(client.cancel_all_orders())
            for _ in range(step):
                await asyncio.sleep(0)
                await asyncio.sleep(0.0005)
            _ = call.cancel()
            (outcome,) = await asyncio.gather(call, return_exceptions=True)
            cancelled = isinstance(outcome, asyncio.CancelledError)
            stops = [each for each in client.pending if isinstance(each, PendingStop)]
            await asyncio.sleep(3)
            if not stops:
                assert cancelled
                assert sent(exchange) == 0
            else:
                goes_on.append(step)
                report = await stops[0].settled()
                assert report.outcome is Outcome.CONFIRMED
                assert {each.order.order_id for each in report.cancelled} == set(ids)
                assert not left(exchange)
                break
            step += 1

    with_exchange(main)
    assert goes_on
    assert goes_on[0] > 30, "it was never withdrawn"


@pytest.mark.parametrize("moment_s", [0.0, 0.03, 0.045, 0.1, 0.5, 2.05, 2.2])
def test_client_that_is_closed_meanwhile_ends_it(moment_s: float) -> None:
    """Nobody hangs, no task is left, and no command leaves after that."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange, NAMES, 130)
        call = asyncio.ensure_future(client.cancel_all_orders())
        await asyncio.sleep(moment_s)
        await client.close()
        before = sent(exchange)
        try:
            pending = await call
        except NotSent:
            assert before == 0
        except OutcomeUnknown:
            assert moment_s <= 0.1
        else:
            report = await pending.settled()
            assert report.outcome in (Outcome.UNKNOWN, Outcome.CONFIRMED)
            assert report.reason in ("client_closed", "")
        await asyncio.sleep(30)
        assert sent(exchange) <= before + 10
        with pytest.raises(NotSent):
            _ = await client.cancel_all_orders()

    with_exchange(main)


def test_two_stops_at_once_name_no_id_twice_within_a_second() -> None:
    """An operator presses twice, or two guards act: both hear that it is done."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:12], 2)
        first, second = await asyncio.gather(
            client.cancel_all_orders(keep=lambda _: False), client.cancel_all_orders(keep=lambda _: False)
        )
        assert client.pending[:2] == (first, second)
        reports = [await first, await second]
        assert {each.outcome for each in reports} == {Outcome.CONFIRMED}
        assert {each.order.order_id for report in reports for each in report.cancelled} == set(ids)
        assert not named_twice(exchange)

    with_exchange(main)


# -- what happens meanwhile -----------------------------------------------------------------------------------------


def test_orders_that_fill_meanwhile_are_reported_filled() -> None:
    """Flat it is, and the desk has to know that it holds something now."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange)
        exchange.schedule_fill(ids[0], 0.05)
        exchange.schedule_fill(ids[-1], 0.12)
        report = await (await client.cancel_all_orders())
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.filled} == {ids[0], ids[-1]}
        assert {each.order.order_id for each in report.cancelled} == set(ids[1:-1])

    with_exchange(main, sweep_delay_s=0.3, cancel_delay_s=0.3)


def test_bot_that_goes_on_placing_is_swept_until_it_stops() -> None:
    """Every order that it placed until the last listing is gone, and the report speaks of that moment."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        for place in range(12):
            exchange.schedule_order(NAMES[place % 2], 0.3 + 0.5 * place)
        report = await (await client.cancel_all_orders(late="sweep"))
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert report.late == ()
        assert report.covers_ms > report.began_at_ms + 5_000
        assert not named_twice(exchange)

    with_exchange(main)


def test_trigger_order_that_fires_meanwhile_leaves_nothing_behind_where_late_ones_are_swept() -> None:
    """It makes a spot order after the call: only a sweep ends that."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange)
        (trigger,) = exchange.rest_trigger(NAMES[0], 1, age_s=60)
        pending = await client.cancel_all_orders(late="sweep")
        exchange.fire(trigger)
        report = await pending.settled()
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)

    with_exchange(main)


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_batch_that_refuses_some_rows_is_followed_by_another_one() -> None:
    """00000 with failures inside: those are open still, and are named again a second later at the earliest."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:12], 1)
        _ = exchange.faults.add("batch-cancel-order", faults.inner_failure("43001", items=0.5))
        pending = await client.cancel_all_orders(keep=lambda _: False)
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert exchange.truth.count("batch-cancel-order") >= 2
        assert not named_twice(exchange)

    with_exchange(main)


@pytest.mark.parametrize("endpoint", COMMANDS[:3])
def test_lane_that_is_turned_away_for_a_while_goes_on_later(endpoint: str) -> None:
    """429: not executed, and sent again; the other lanes have not waited."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = rest(exchange, tuple(SYMBOLS)[:8], 30)
        _ = exchange.rest(NAMES[0], 3, tpsl=True, age_s=60)
        _ = exchange.faults.add(endpoint, faults.envelope("429", status=429), times=3)
        report = await (await client.cancel_all_orders(include=KINDS[:2]))
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert not named_twice(exchange)

    with_exchange(main)


@pytest.mark.parametrize("executed", [True, False], ids=["executed", "not executed"])
@pytest.mark.parametrize("endpoint", ["cancel-symbol-order", "batch-cancel-order"])
def test_lost_answer_is_no_answer(endpoint: str, executed: bool) -> None:
    """What the command did is read; what it did not do is done by another one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:8], 1)
        _ = exchange.faults.add(endpoint, faults.drop(executed=executed))
        report = await (await client.cancel_all_orders())
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert not left(exchange)
        assert not named_twice(exchange)

    with_exchange(main)


def test_answer_that_never_comes_does_not_hold_up_the_rest() -> None:
    """It was executed: a listing begins while it is out, and all is proven before the connection is given up."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:8], 1)
        _ = exchange.faults.add("cancel-symbol-order", faults.hang(executed=True))
        began_ns = VirtualClock().monotonic_ns()
        pending = await client.cancel_all_orders()
        _ = await pending.cleared()
        assert VirtualClock().monotonic_ns() - began_ns < 2_000_000_000
        await asyncio.sleep(30)
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(ids)

    with_exchange(main)


def test_answer_that_never_comes_is_waited_for_before_its_orders_are_named_again() -> None:
    """It was not executed: nobody knows, so nothing is named twice while it may still arrive in that second."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:8], 1)
        _ = exchange.faults.add("batch-cancel-order", faults.hang(executed=False))
        pending = await client.cancel_all_orders()
        await asyncio.sleep(9)
        assert exchange.truth.count("batch-cancel-order") == 1
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        assert {each.order.order_id for each in report.cancelled} == set(ids)
        assert not named_twice(exchange)

    with_exchange(main)


def test_time_that_is_up_ends_the_sending_too() -> None:
    """Everything is turned away for minutes: it settles when it said it would, and sends nothing after that."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = rest(exchange, tuple(SYMBOLS)[:12], 30)
        for endpoint in COMMANDS:
            _ = exchange.faults.add(endpoint, faults.envelope("429", status=429), times=None)
        began_ns = VirtualClock().monotonic_ns()
        pending = await client.cancel_all_orders(confirm_within_s=20)
        report = await pending.settled()
        assert report.outcome is Outcome.UNKNOWN
        assert report.reason == "deadline"
        assert {each.order.order_id for each in report.still_open} == set(ids)
        assert (VirtualClock().monotonic_ns() - began_ns) / 1e9 < 40
        await asyncio.sleep(30)
        before = sent(exchange)
        await asyncio.sleep(60)
        assert sent(exchange) == before

    with_exchange(main)


def test_listing_that_lags_proves_nothing_too_early() -> None:
    """It shows orders that have ended, and not those that came a moment ago: each listing is as old as it may be."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        old = rest(exchange)
        young = [each for name in NAMES for each in exchange.rest(name, 2, age_s=0.2)]
        report = await (await client.cancel_all_orders())
        assert report.outcome is Outcome.CONFIRMED
        assert not left(exchange)
        assert {each.order.order_id for each in report.cancelled} == {*old, *young}
        assert not named_twice(exchange)

    with_exchange(main, listing_lag_s=1.9)


# -- after a crash --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment_s", [0.045, 0.07, 0.3, 1.1, 2.3])
def test_after_a_crash_the_commands_are_taken_up_and_the_stop_is_called_again(moment_s: float, tmp_path: Path) -> None:
    """The journal has every command that left; none is sent again; the second stop ends what the first did not."""

    async def main() -> None:
        made = SimulatedExchange(5, clock=VirtualClock(), settings=Settings(**CALM))
        async with made as exchange:
            ids = rest(exchange, tuple(SYMBOLS)[:30], 8)
            first = client_of(exchange, journal=tmp_path / "journal")
            pending = await first.cancel_all_orders()
            await asyncio.sleep(moment_s)
            before = sent(exchange)
            # For the next process the journal of a client that was closed is as that of one that was killed.
            await first.close()
            async with client_of(exchange, journal=tmp_path / "journal") as second:
                taken = await second.resume_pending()
                proven = sum(each.report is not None and each.report.proven for each in pending.handles)
                assert len(taken) + proven >= before
                await asyncio.sleep(1)
                assert sent(exchange) == before
                assert (await (await second.cancel_all_orders())).proven
                assert not left(exchange)
                assert all([(await handle.settled()).outcome is not Outcome.STILL_OPEN for handle in taken])
                assert {exchange.truth.orders[each].status for each in ids} == {"cancelled"}
                assert not named_twice(exchange)

    run_virtual(main)
