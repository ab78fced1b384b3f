"""
Directed histories: each shows one promise where it is hardest to keep, and says what must come of it.

A scenario takes no arguments, builds its own world and raises `BrokenPromiseError` if a promise is broken. They are
tests of their own, and together with the state machine they judge the planted bugs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from bitget_async import CancellationReport, Outcome
from bitget_async.sim import Settings, faults

from .world import World, demand

BTC, ETH = "BTCUSDT", "ETHUSDT"
COMMAND = "cancel-symbol-order"
SCENARIOS: dict[str, Callable[[], None]] = {}


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    SCENARIOS[play.__name__] = play
    return play


@contextlib.contextmanager
def world(seed: int = 1, **settings: Any) -> Iterator[World]:
    """A world that is judged and closed at the end, and given back whatever happens."""
    made = World(seed, Settings(**settings))
    try:
        yield made
        made.finish()
    finally:
        if not made.closed:
            made.dispose()


def must_be(report: CancellationReport, outcome: Outcome, count: int) -> None:
    """Demand that outcome, with so many orders in scope."""
    demand(report.outcome is outcome, f"{outcome.name} is provable and proven", report.outcome.name, report.reason)
    in_scope = len(report.orders) - len(report.late)
    demand(in_scope == count, "11: every order that existed is in the report", in_scope, "of", count)


@scenario
def the_answer_is_not_the_end() -> None:
    """Acknowledged and never executed: the orders stay open, and the report says so."""
    with world() as it:
        it.exchange.rest(BTC, 3)
        it.exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 3)


@scenario
def old_orders_are_confirmed_by_the_history() -> None:
    """Orders of an hour ago: a history filtered by the time of the command would never show them."""
    with world() as it:
        it.exchange.rest(BTC, 3, age_s=3600)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 3)


@scenario
def an_old_order_hides_behind_a_page_of_late_ones() -> None:
    """The survivor is the oldest of 121 open orders: only the second page shows it."""
    with world(sweep_delay_s=0.0, listing_lag_s=0.0, request_latency_s=0.02, answer_latency_s=0.02) as it:
        it.exchange.rest(BTC, 1, age_s=60)
        it.exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        for _ in range(120):
            it.exchange.schedule_order(BTC, 0.05)
        must_be(it.settle(it.cancel(BTC, snapshot="none")), Outcome.STILL_OPEN, 1)


@scenario
def ids_of_different_length_fill_two_pages() -> None:
    """150 orders with the ids 1 to 150: as text 100 is the smallest of the first page, as a number 51 is."""
    with world() as it:
        it.exchange.rest(BTC, ids=[str(number) for number in range(1, 151)], age_s=60)
        it.exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 150)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 150)


@scenario
def reads_fail_while_orders_live() -> None:
    """Every listing fails for seconds, and the command was lost: an empty answer must not be made of that."""
    with world() as it:
        it.exchange.rest(BTC, 2, age_s=60)
        it.exchange.faults.add(COMMAND, faults.drop(executed=False), times=1)
        it.exchange.faults.add("unfilled-orders", faults.page(502, executed=True), times=8)
        must_be(it.settle(it.cancel(BTC, snapshot="none")), Outcome.STILL_OPEN, 2)


@scenario
def a_lost_answer_resolves_from_evidence() -> None:
    """Executed, then the connection dies: one copy on the wire, and CONFIRMED."""
    for fault in (faults.drop(executed=True), faults.page(403, executed=True), faults.truncated(0.3)):
        with world() as it:
            it.exchange.rest(BTC, 4)
            it.exchange.faults.add(COMMAND, fault, times=1)
            must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 4)
            demand(it.exchange.truth.count(COMMAND) == 1, "7: one copy", it.exchange.truth.count(COMMAND))


@scenario
def a_redirect_goes_nowhere() -> None:
    """307 after executing: the other address sees no byte, the orders are judged by evidence."""
    with world() as it:
        it.exchange.rest(BTC, 2)
        there = f"{it.exchange.base_url}/api/v2/spot/trade/elsewhere"
        it.exchange.faults.add(COMMAND, faults.redirect(there, executed=True), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 2)


@scenario
def a_call_after_the_signing_gets_a_command_of_its_own() -> None:
    """Orders may have been placed since: a signed command is never joined."""
    with world(request_latency_s=0.3) as it:
        it.exchange.rest(BTC, 1)
        first = it.cancel(BTC)
        it.advance(0.1)
        it.exchange.rest(BTC, 1)
        second = it.cancel(BTC)
        reports = [it.settle(first), it.settle(second)]
        demand(it.exchange.truth.count(COMMAND) == 2, "11: two commands", it.exchange.truth.count(COMMAND))
        demand(reports[0] is not reports[1], "11: two handles")


@scenario
def forty_calls_wait_for_tokens_and_sign_late() -> None:
    """The last of 40 commands waits 7 s for its token: its stamp is as fresh as the first one's."""
    with world() as it:
        it.exchange.rest(BTC, 1)
        calls = [it.cancel(BTC, confirm_within_s=30.0 + number) for number in range(40)]
        for call in calls:
            it.settle(call)


@scenario
def timeouts_do_not_give_tokens_back_early() -> None:
    """Every command hangs after it was processed: the next five may not follow before the limit allows."""
    with world() as it:
        it.exchange.faults.add(COMMAND, faults.delayed(before_s=9.9) | faults.drop(executed=True), times=10)
        for number in range(15):
            it.cancel(BTC, confirm_within_s=30.0 + number)
        it.advance(40)


@scenario
def gone_from_the_listing_is_not_cancelled() -> None:
    """The history never shows the orders, and orderInfo does not either: UNKNOWN, vanished."""
    with world(history_lag_s=float("inf")) as it:
        it.exchange.rest(BTC, 2, age_s=60)
        it.exchange.faults.add("orderInfo", faults.edited_data(lambda data, scene: []), times=None)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.UNKNOWN, 2)
        demand(report.reason == "vanished", "the reason is given", report.reason)


@scenario
def late_orders_neither_block_nor_count() -> None:
    """An order placed half a second after the signing lives on: CONFIRMED without it."""
    with world(sweep_delay_s=0.05) as it:
        it.exchange.rest(BTC, 2)
        it.exchange.schedule_order(BTC, 0.5)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 2)
        demand(len(report.late) == 1, "12: the late one is reported", len(report.late))


@scenario
def swept_before_any_listing_and_still_in_the_report() -> None:
    """250 orders go at once and no listing ever showed them: the history is followed over its pages."""
    with world(sweep_delay_s=0.0, request_latency_s=0.02, answer_latency_s=0.02) as it:
        it.exchange.rest(BTC, 250, age_s=60)
        must_be(it.settle(it.cancel(BTC, snapshot="none")), Outcome.CONFIRMED, 250)


@scenario
def nothing_to_cancel_is_found_out_not_believed() -> None:
    """22001 although orders are open: a claim, and a wrong one."""
    with world() as it:
        it.exchange.rest(BTC, 1, age_s=60)
        it.exchange.faults.add(COMMAND, faults.envelope("22001"), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 1)
    with world(nothing_open_code="22001") as it:
        must_be(it.settle(it.cancel(BTC)), Outcome.NOTHING_TO_CANCEL, 0)


@scenario
def a_survivor_is_removed_by_id() -> None:
    """The sweep leaves one order; `ensure` cancels exactly that one."""
    with world(sweep_delay_s=0.1) as it:
        ids = it.exchange.rest(BTC, 4, age_s=60)
        it.exchange.faults.add(COMMAND, faults.executed_in_part((ids[1],)), times=1)
        must_be(it.settle(it.cancel(BTC, ensure=True)), Outcome.CONFIRMED, 4)
        asked = [run.order_ids for run in it.exchange.truth.cancels]
        demand(asked == [(ids[1],)] or asked == [[ids[1]]], "ensure names exactly the survivors", asked)


@scenario
def a_withdrawn_call_takes_no_token() -> None:
    """The last caller goes before the signing: no copy, no execution. After it: nothing changes."""
    with world() as it:
        it.exchange.rest(BTC, 1)
        for number in range(5):
            it.cancel(ETH, confirm_within_s=30.0 + number)
        it.advance(0.2)
        waiting = [it.cancel(BTC), it.cancel(BTC)]
        it.do(asyncio.sleep(0.01))
        for call in waiting:
            call.task.cancel()
        it.advance(5)
        demand(it.exchange.truth.count(COMMAND) == 5, "10: withdrawn", it.exchange.truth.count(COMMAND))
        signed = it.cancel(BTC)
        it.do(asyncio.sleep(0))
        it.do(asyncio.sleep(0))
        it.do(asyncio.sleep(0))
        it.do(asyncio.sleep(0))
        signed.task.cancel()
        it.advance(6)
        handles = [handle for handle in it.handles if handle.symbol == BTC]
        demand(len(handles) == it.exchange.truth.count(COMMAND) - 5, "10: it lives on", handles)
