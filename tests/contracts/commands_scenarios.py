"""
Directed histories of pending commands: the hardest ones, and what must come of each.

As in `scenarios`: each builds its own world, raises `BrokenPromiseError` if a promise is broken, and judges the planted
bugs together with the state machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import aiohappyeyeballs

from bitget_async import Fate, Modification, Outcome, PlacementOutcome, ReplacementOutcome
from bitget_async.sim import Fault, Settings, faults

from .commands_judge import CommandsWorld
from .commands_world import Asked
from .world import demand

BTC, ETH = "BTCUSDT", "ETHUSDT"
NEVER = float("inf")
COMMANDS: dict[str, Callable[[], None]] = {}

LOST_DONE = [
    faults.drop(executed=True),
    faults.reset(executed=True),
    faults.hang(executed=True),
    faults.truncated(0.4),
    faults.page(502, executed=True),
    faults.envelope("40010", executed=True),
    faults.envelope("40015", executed=True),
    faults.envelope("45001", executed=True),
    faults.envelope("12345", executed=True),
]
LOST = [
    faults.drop(executed=False),
    faults.reset(executed=False),
    faults.hang(executed=False),
    faults.page(503, executed=False),
    faults.envelope("45001", executed=False),
]


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    COMMANDS[play.__name__] = play
    return play


@contextlib.contextmanager
def world(seed: int = 1, **settings: Any) -> Iterator[CommandsWorld]:
    """A world that is judged and closed at the end, and given back whatever happens."""
    made = CommandsWorld(seed, Settings(**settings))
    try:
        yield made
        made.finish()
    finally:
        if not made.closed:
            made.dispose()


def came_to(it: CommandsWorld, asked: Asked, outcome: Any) -> Any:
    """The report, which must say that."""
    report = it.settled(asked)
    demand(report.outcome is outcome, f"{outcome.name} is provable and proven", report.outcome, report.reason)
    return report


def played(it: CommandsWorld, endpoint: str, fault: Fault, times: int | None = 1) -> None:
    """The next such request meets that."""
    it.exchange.faults.add(endpoint, fault, times=times)


def one_copy(it: CommandsWorld, endpoint: str) -> None:
    """A command without an answer is never repeated."""
    demand(it.exchange.truth.count(endpoint) == 1, "d: one copy", it.exchange.truth.count(endpoint))


def took_s(report: Any) -> float:
    """Seconds from the signing to the report."""
    taken: float = (report.settled_at_ms - report.signed_at_ms) / 1_000
    return taken


# -- placing ---------------------------------------------------------------------------------------------------


@scenario
def a_lost_answer_to_a_placement_is_found_by_the_client_id() -> None:
    """Executed, and the answer is lost in every way there is: PLACED, one copy on the wire."""
    for fault in LOST_DONE:
        with world() as it:
            played(it, "place-order", fault)
            came_to(it, it.place(BTC), PlacementOutcome.PLACED)
            one_copy(it, "place-order")


@scenario
def a_placement_that_got_lost_is_not_placed_once_it_cannot_appear() -> None:
    """Never processed: NOT_PLACED, not before the receive window and the grace are over."""
    for fault in LOST:
        with world() as it:
            played(it, "place-order", fault)
            report = came_to(it, it.place(BTC), PlacementOutcome.NOT_PLACED)
            demand(15 <= took_s(report) <= 25, "b: after window and grace, and then soon", took_s(report))
            one_copy(it, "place-order")


@scenario
def a_placement_that_comes_late_is_found() -> None:
    """It arrives at the end of its window, and is executed at the end of the grace: PLACED."""
    for fault in (faults.delayed(before_s=4.9), faults.executed_late(9.5), faults.delayed(before_s=4.8) | LATE):
        with world(listing_lag_s=1.9, order_info_lag_s=1.9) as it:
            played(it, "place-order", fault | faults.drop(executed=True))
            came_to(it, it.place(BTC), PlacementOutcome.PLACED)


LATE = faults.executed_late(9.5)


@scenario
def a_placement_behind_its_window_is_refused_at_the_exchange() -> None:
    """It arrives after its receive window and nobody hears the refusal: NOT_PLACED, and that is true for ever."""
    with world() as it:
        played(it, "place-order", faults.delayed(before_s=5.5) | faults.drop(executed=True))
        came_to(it, it.place(BTC), PlacementOutcome.NOT_PLACED)
        results = [copy.result for copy in it.exchange.truth.copies("place-order")]
        demand(results == ["40078"], "the window was sent and is what refused it", results)


@scenario
def an_order_that_filled_at_once_stands_in_no_listing() -> None:
    """IOC, executed, the answer lost, the history never comes: only orderInfo can tell."""
    for kind in ("ioc", "market", "ioc_away", "post_only_crossing"):
        with world(history_lag_s=NEVER, unknown_order_code="43001") as it:
            played(it, "place-order", faults.drop(executed=True))
            came_to(it, it.place(BTC, kind), PlacementOutcome.PLACED)
    with world(history_lag_s=NEVER) as it:
        played(it, "batch-orders", faults.drop(executed=True))
        came_to(it, it.batch([BTC, ETH, BTC], ["ioc", "resting", "market"]), PlacementOutcome.PLACED)


@scenario
def one_empty_answer_proves_nothing() -> None:
    """Listings and orderInfo are almost two seconds old: the first looks do not show the order."""
    with world(listing_lag_s=1.9, order_info_lag_s=1.9) as it:
        played(it, "place-order", faults.drop(executed=True))
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)


@scenario
def a_refusal_of_order_info_is_an_answer() -> None:
    """OrderInfo says 43001 for an order that there is not: that is its way to say nothing, and NOT_PLACED is proven."""
    for code in ("43001", "40109"):
        with world(unknown_order_code=code) as it:
            played(it, "place-order", faults.drop(executed=False))
            came_to(it, it.place(BTC), PlacementOutcome.NOT_PLACED)


@scenario
def reads_that_fail_do_not_make_an_order_absent() -> None:
    """For 20 s every listing and history fails, or orderInfo: no NOT_PLACED from what is left."""
    for endpoint in ("unfilled-orders", "history-orders", "orderInfo"):
        with world() as it:
            played(it, "place-order", faults.drop(executed=True))
            played(it, endpoint, faults.page(502, executed=True), times=6)
            came_to(it, it.place(BTC, "ioc"), PlacementOutcome.PLACED)


@scenario
def order_info_is_down_and_the_history_late() -> None:
    """For 25 s only listings and an empty history are answered, and the order filled at once: nothing is proven."""
    with world(history_lag_s=NEVER) as it:
        played(it, "place-order", faults.drop(executed=True))
        played(it, "orderInfo", faults.page(502, executed=True), times=None)
        asked = it.place(BTC, "ioc")
        it.advance(25)
        it.exchange.faults.clear("orderInfo")
        came_to(it, asked, PlacementOutcome.PLACED)


@scenario
def a_client_id_is_used_again() -> None:
    """
    The first order of that name is over, the second one got lost. orderInfo tells the first, and may hide another one
    by it: the second is not PLACED, whatever else can be said.
    """
    with world() as it:
        came_to(it, it.place(BTC, "ioc", "mine"), PlacementOutcome.PLACED)
        it.advance(5)
        played(it, "place-order", faults.drop(executed=False))
        report = it.settled(it.place(BTC, "ioc", "mine"))
        demand(report.outcome is not PlacementOutcome.PLACED, "b: the first is not the second", report)
        played(it, "place-order", faults.drop(executed=True))
        came_to(it, it.place(BTC, "resting", "mine"), PlacementOutcome.PLACED)


@scenario
def a_duplicate_client_id_may_be_our_own() -> None:
    """43118 to our first copy, which was executed: PLACED. To a name that another order has: that one is not ours."""
    with world() as it:
        played(it, "place-order", faults.envelope("43118", executed=True))
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)
    with world() as it:
        it.exchange.rest(BTC, 1, client_oid="mine", age_s=60)
        came_to(it, it.place(BTC, "resting", "mine"), PlacementOutcome.NOT_PLACED)


@scenario
def an_answer_names_the_order_of_somebody_else() -> None:
    """The id in the answer is that of another open order of ours: the row's client id tells, and PLACED names ours."""
    with world() as it:
        (other,) = it.exchange.rest(BTC, 1)
        played(it, "place-order", faults.edited_data(lambda data: data | {"orderId": other}))
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)


@scenario
def acknowledged_is_not_placed() -> None:
    """An answer with an id and no order behind it: never PLACED."""
    with world() as it:
        played(it, "place-order", faults.never_executed())
        came_to(it, it.place(BTC), PlacementOutcome.UNKNOWN)


@scenario
def too_many_requests_is_the_one_refusal_that_is_repeated() -> None:
    """429 in an envelope proves that nothing was done: three copies, one order."""
    with world() as it:
        played(it, "place-order", faults.envelope("429", status=429), times=2)
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)
        demand(it.exchange.truth.count("place-order") == 3, "three copies", it.exchange.truth.count("place-order"))


@scenario
def a_request_that_the_network_doubles() -> None:
    """The second arrival finds the first order pending, or over and makes another one: PLACED names the first."""
    with world() as it:
        played(it, "place-order", faults.processed_twice(0.2))
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)
        played(it, "place-order", faults.processed_twice(0.2))
        came_to(it, it.place(BTC, "ioc"), PlacementOutcome.PLACED)


@scenario
def a_copy_is_stamped_after_the_report() -> None:
    """The time to confirm ends before the 429 is heard and the next copy goes out: the report stands."""
    with world() as it:
        played(it, "place-order", faults.envelope("429", status=429) | faults.delayed(after_s=2.0))
        came_to(it, it.place(BTC, confirm_within_s=1.0), PlacementOutcome.UNKNOWN)
        it.advance(5)
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)


# -- batches ---------------------------------------------------------------------------------------------------


@scenario
def a_batch_without_an_answer() -> None:
    """25 orders in two commands, of which the first gets lost, or its answer, or it arrives at the last moment."""
    cases = [(faults.drop(executed=True), 25), (faults.drop(executed=False), 5)]
    cases.append((faults.delayed(before_s=29.0) | faults.drop(executed=True), 25))
    for fault, count in cases:
        with world() as it:
            played(it, "batch-orders", fault)
            asked = it.batch([BTC] * 25, ["resting", "ioc"], single=True)
            report = it.settled(asked)
            demand(len(report.placed) == count and not report.unknown, "each is known", len(report.placed), count)


@scenario
def a_batch_that_was_taken_in_part() -> None:
    """Items refused inside, missing from the answer, in a wrong order, or told to have failed and yet taken."""
    with world() as it:
        played(it, "batch-orders", faults.inner_failure("43012", items=0.4))
        report = came_to(it, it.batch([BTC] * 5, ["resting"]), PlacementOutcome.PARTLY_PLACED)
        demand(len(report.not_placed) == 2, "the refused ones", report.not_placed)
    told: list[Callable[[Any], Any]] = [
        lambda data: data | {"successList": data["successList"][::-1]},
        lambda data: data | {"successList": data["successList"][::2]},
    ]
    for edit in told:
        with world() as it:
            played(it, "batch-orders", faults.edited_data(edit))
            came_to(it, it.batch([BTC, ETH, BTC, ETH], ["resting", "ioc"]), PlacementOutcome.PLACED)
    for code in ("45001", "43118"):
        with world() as it:
            played(it, "batch-orders", faults.inner_failure(code, executed=True, items=0.5))
            came_to(it, it.batch([BTC] * 4, ["resting"]), PlacementOutcome.PLACED)


# -- cancelling by id ------------------------------------------------------------------------------------------


@scenario
def a_lost_answer_to_a_cancel_is_found_out() -> None:
    """Executed: CONFIRMED. Not executed: STILL_OPEN, and not before it can be executed no more."""
    for fault in LOST_DONE:
        with world() as it:
            (order_id,) = it.exchange.rest(BTC, 1)
            played(it, "cancel-order", fault)
            came_to(it, it.cancel_one(BTC, order_id=order_id), Outcome.CONFIRMED)
            one_copy(it, "cancel-order")
    with world() as it:
        (order_id,) = it.exchange.rest(BTC, 1)
        played(it, "cancel-order", faults.drop(executed=False))
        report = came_to(it, it.cancel_one(BTC, order_id=order_id), Outcome.STILL_OPEN)
        demand(took_s(report) >= 40, "e: only when it can act no more", took_s(report))


@scenario
def a_cancel_that_acts_at_the_last_moment() -> None:
    """Accepted after 29 s, executed 9.5 s later: not STILL_OPEN before that, and CONFIRMED after it."""
    with world() as it:
        (order_id,) = it.exchange.rest(BTC, 1)
        played(it, "cancel-order", faults.delayed(before_s=29.0) | LATE | faults.drop(executed=True))
        came_to(it, it.cancel_one(BTC, order_id=order_id), Outcome.CONFIRMED)


@scenario
def order_not_found_asks_what_became_of_it() -> None:
    """43001 of a filled order: CONFIRMED, filled. Of one that is open: STILL_OPEN. Of one that never was: UNKNOWN."""
    with world() as it:
        (order_id,) = it.exchange.rest(BTC, 1)
        it.exchange.fill(order_id)
        report = came_to(it, it.cancel_one(BTC, order_id=order_id), Outcome.CONFIRMED)
        demand(report.orders[0].fate is Fate.FILLED, "e: filled, not cancelled", report.orders[0].fate)
        (open_id,) = it.exchange.rest(BTC, 1)
        played(it, "cancel-order", faults.envelope("43001"))
        came_to(it, it.cancel_one(BTC, order_id=open_id), Outcome.STILL_OPEN)
        came_to(it, it.cancel_one(BTC, client_oid="nobody"), Outcome.UNKNOWN)


@scenario
def many_ids_each_with_its_own_fate() -> None:
    """45 ids in three commands: cancelled, filled before, refused but executed, refused and open, out of order."""
    with world() as it:
        ids = it.exchange.rest(BTC, 45)
        it.exchange.fill(ids[44])
        played(it, "batch-cancel-order", faults.inner_failure("43001", executed=True, items=0.5))
        reverse: Any = faults.edited_data(lambda data: data | {"successList": data["successList"][::-1]})
        played(it, "batch-cancel-order", reverse | faults.inner_failure("43001", items=(ids[20],)))
        report = came_to(it, it.cancel_many(BTC, "order_id", ids), Outcome.STILL_OPEN)
        demand(len(report.cancelled) == 43 and len(report.filled) == 1, "e: each its own", len(report.cancelled))


@scenario
def the_answer_to_a_cancel_names_another_order() -> None:
    """It names one that is over: the order that was asked for is still open, and nobody else is claimed."""
    with world() as it:
        ids = it.exchange.rest(BTC, 2)
        it.exchange.cancel(ids[1])
        wrong = faults.edited_data(lambda data: data | {"orderId": ids[1]})
        played(it, "cancel-order", wrong | faults.never_executed())
        came_to(it, it.cancel_one(BTC, order_id=ids[0]), Outcome.STILL_OPEN)


@scenario
def a_named_order_fills_while_it_is_cancelled() -> None:
    """Gone from the listing is not cancelled: it has filled, and the history comes late."""
    with world(cancel_delay_s=0.5, history_lag_s=3.0) as it:
        ids = it.exchange.rest(BTC, 6)
        for order_id in ids:
            it.exchange.schedule_fill(order_id, 0.2)
        report = came_to(it, it.cancel_many(BTC, "order_id", ids), Outcome.CONFIRMED)
        demand(len(report.filled) == 6, "e: filled", report.orders)


@scenario
def a_cancel_by_a_client_id_that_two_orders_had() -> None:
    """The first is over, the second is open, and the command got lost: the end of the first proves nothing."""
    with world() as it:
        came_to(it, it.place(BTC, "ioc", "mine"), PlacementOutcome.PLACED)
        it.advance(3)
        came_to(it, it.place(BTC, "resting", "mine"), PlacementOutcome.PLACED)
        it.advance(3)
        played(it, "cancel-order", faults.drop(executed=False))
        came_to(it, it.cancel_one(BTC, client_oid="mine"), Outcome.STILL_OPEN)
        came_to(it, it.cancel_one(BTC, client_oid="mine"), Outcome.CONFIRMED)


# -- replacing -------------------------------------------------------------------------------------------------


@scenario
def a_replacement_without_an_answer() -> None:
    """Executed: REPLACED. Not executed: OLD_KEPT. By half: NEW_MISSING or BOTH_OPEN."""
    half: list[tuple[Fault, ReplacementOutcome]] = [
        (faults.drop(executed=False), ReplacementOutcome.OLD_KEPT),
        (faults.half_replaced("cancelled") | faults.drop(executed=True), ReplacementOutcome.NEW_MISSING),
        (faults.half_replaced("placed") | faults.drop(executed=True), ReplacementOutcome.BOTH_OPEN),
        (faults.delayed(before_s=29.0) | LATE | faults.drop(executed=True), ReplacementOutcome.REPLACED),
        (faults.inner_failure("45001", executed=True), ReplacementOutcome.REPLACED),
        (faults.inner_failure("45001", executed=False), ReplacementOutcome.OLD_KEPT),
    ]
    for fault, outcome in [*((each, ReplacementOutcome.REPLACED) for each in LOST_DONE[:4]), *half]:
        with world() as it:
            (order_id,) = it.exchange.rest(BTC, 1)
            played(it, "cancel-replace-order", fault)
            came_to(it, it.replace(BTC, ("order_id", order_id)), outcome)
            one_copy(it, "cancel-replace-order")


@scenario
def a_replacement_fails_after_the_old_order_was_cancelled() -> None:
    """The new one's client id is taken: failure inside success, the old one gone: NEW_MISSING."""
    with world() as it:
        (order_id,) = it.exchange.rest(BTC, 1)
        it.exchange.rest(BTC, 1, client_oid="taken", age_s=60)
        asked = it.replace(BTC, ("order_id", order_id), new_client_oid="taken")
        report = came_to(it, asked, ReplacementOutcome.NEW_MISSING)
        demand(report.old.fate is Fate.CANCELLED, "f: the old one is gone", report.old.fate)


@scenario
def many_replacements_each_for_itself() -> None:
    """22 in two commands, one of an order that has filled, answers out of order."""
    with world() as it:
        ids = it.exchange.rest(BTC, 22)
        it.exchange.fill(ids[3])
        played(it, "batch-cancel-replace-order", faults.edited_data(lambda data: data[::-1]))
        report = came_to(it, it.replace_many([(BTC, "order_id", each) for each in ids]), ReplacementOutcome.MIXED)
        outcomes = [each.outcome for each in report.replacements]
        demand(outcomes.count(ReplacementOutcome.REPLACED) == 21, "f: each its own", outcomes)
        demand(outcomes[3] is ReplacementOutcome.NEW_MISSING, "f: filled, and no new one", outcomes[3])


# -- trigger orders --------------------------------------------------------------------------------------------


@scenario
def a_trigger_order_fires_while_it_is_cancelled() -> None:
    """The cancel is acknowledged, and comes too late: TRIGGERED, not cancelled; the same for all of a symbol."""
    with world(cancel_delay_s=0.5) as it:
        ids = it.exchange.rest_trigger(BTC, 3)
        asked = it.cancel_plan(BTC, ("order_id", ids[0]))
        every = it.cancel_plans(BTC)
        it.advance(0.1)
        it.exchange.fire(ids[0])
        report = came_to(it, asked, Outcome.CONFIRMED)
        demand(report.orders[0].fate is Fate.TRIGGERED, "e: it has triggered", report.orders[0].fate)
        report = came_to(it, every, Outcome.CONFIRMED)
        demand((len(report.triggered), len(report.cancelled)) == (1, 2), "e: each its own", report.orders)


@scenario
def a_trigger_order_without_an_answer() -> None:
    """Placed: found by its client id. Not placed: UNKNOWN, for orderInfo does not know trigger orders."""
    with world() as it:
        played(it, "place-plan-order", faults.drop(executed=True))
        came_to(it, it.place_plan(BTC), PlacementOutcome.PLACED)
        played(it, "place-plan-order", faults.drop(executed=False))
        came_to(it, it.place_plan(BTC), PlacementOutcome.UNKNOWN)
        played(it, "cancel-plan-order", faults.drop(executed=True))
        (order_id,) = it.exchange.rest_trigger(BTC, 1)
        came_to(it, it.cancel_plan(BTC, ("order_id", order_id)), Outcome.CONFIRMED)


@scenario
def a_change_is_proven_by_what_the_order_has_since() -> None:
    """
    Answer lost: MODIFIED. Never executed: NOT_MODIFIED. Back to the values of before, never executed, and the listing
    is almost two seconds old: what it shows is the past.
    """
    with world(listing_lag_s=1.9) as it:
        placed = it.place_plan(BTC)
        came_to(it, placed, PlacementOutcome.PLACED)
        name = ("order_id", placed.handle.order_id)
        plan = it.exchange.truth.triggers[name[1]].plan
        it.advance(3)
        played(it, "modify-plan-order", faults.drop(executed=True))
        asked = it.modify_plan(BTC, name)
        it.advance(0.3)
        played(it, "modify-plan-order", faults.never_executed())
        back = it.modify_plan(BTC, name, (plan.trigger_price, plan.size))
        came_to(it, asked, Modification.MODIFIED)
        came_to(it, back, Modification.NOT_MODIFIED)


@scenario
def a_change_of_an_order_that_ended_with_these_values() -> None:
    """It has executed with the values that are asked for: it has them, and for ever."""
    with world() as it:
        placed = it.place_plan(BTC)
        came_to(it, placed, PlacementOutcome.PLACED)
        order = it.exchange.truth.triggers[placed.handle.order_id]
        it.exchange.fire(order.order_id)
        it.advance(3)
        wanted = (order.plan.trigger_price, order.plan.size)
        came_to(it, it.modify_plan(BTC, ("order_id", order.order_id), wanted), Modification.MODIFIED)


# -- the fence -------------------------------------------------------------------------------------------------


@scenario
def a_quote_behind_the_fence_is_not_swept() -> None:
    """The sweep takes 0.8 s: placements wait for it, one by one, in a batch, and in a replacement."""
    for fault in (None, faults.drop(executed=True)):
        with world(sweep_delay_s=0.8) as it:
            it.exchange.rest(BTC, 2)
            if fault is not None:
                played(it, "cancel-symbol-order", fault)
            it.cancel(BTC)
            it.advance(0.05)
            asked = [it.place(BTC), it.batch([ETH, BTC], ["resting"])]
            for each in asked:
                came_to(it, each, PlacementOutcome.PLACED)
            open_now = it.exchange.truth.open_ids(it.exchange.account.uid)
            demand(len(open_now) == 3, "k: none of them was swept", open_now)


@scenario
def a_fresh_order_that_an_old_listing_does_not_show_is_not_gone() -> None:
    """The snapshot shows it, the next listing comes from a replica that has not heard of it: no sweep has run yet."""
    with world(sweep_delay_s=1.2, listing_lag_s=0.0, history_lag_s=NEVER, replicas=20) as it:
        it.exchange.rest(BTC, 1)
        it.cancel(BTC)
        it.advance(0.05)
        it.exchange.settings.listing_lag_s = 1.9
        came_to(it, it.place(BTC), PlacementOutcome.PLACED)


@scenario
def a_placement_whose_answer_was_lost_right_before_a_sweep() -> None:
    """Nobody knows yet whether it is there, the sweep takes it, and the history never tells: the report names it."""
    for info_lag_s in (0.0, 1.0):
        with world(sweep_delay_s=0.02, listing_lag_s=1.9, history_lag_s=NEVER, order_info_lag_s=info_lag_s) as it:
            played(it, "place-order", faults.drop(executed=True))
            it.place(BTC)
            it.advance(0.1)
            it.settle(it.cancel(BTC, snapshot="none"))


@scenario
def the_fence_is_bounded() -> None:
    """A sweep that is not over in time: NotSent, and nothing on the wire."""
    with world(sweep_delay_s=1.5) as it:
        it.exchange.rest(BTC, 2)
        it.cancel(BTC)
        it.advance(0.05)
        error: Any = it.refused(it.place(BTC, max_wait_s=0.5))
        demand(getattr(error, "reason", None) == "fenced", "k: NotSent, fenced", repr(error))
        demand(it.exchange.truth.count("place-order") == 0, "k: nothing was sent")


@scenario
def a_quote_without_the_fence_is_named() -> None:
    """It goes at once and is swept; the history never tells: the cancellation's report names it all the same."""
    with world(sweep_delay_s=0.8, history_lag_s=NEVER, order_info_lag_s=0.0) as it:
        it.exchange.rest(BTC, 2)
        call = it.cancel(BTC)
        it.advance(0.05)
        came_to(it, it.place(BTC, client_oid="swept", fence=False), PlacementOutcome.PLACED)
        report = it.settle(call)
        demand(report.placed_meanwhile == ("swept",), "k: it is named", report.placed_meanwhile)


@scenario
def a_placement_that_a_sweep_overtakes_while_its_connection_is_opened() -> None:
    """It was called first and leaves behind the sweep, which takes it: its time counts from then; it is named."""
    with world(sweep_delay_s=1.5, history_lag_s=NEVER) as it, _slow_connections(until_s=0.5, by_s=1.5):
        asked = it.place(BTC, confirm_within_s=1.0)
        it.advance(1.2)
        call = it.cancel(BTC)
        it.advance(0.2)
        (copy,) = it.exchange.truth.copies("cancel-symbol-order")
        demand(not it.exchange.truth.count("place-order"), "the sweep goes first", copy)
        came_to(it, asked, PlacementOutcome.PLACED)
        report = it.settle(call)
        demand(bool(it.exchange.truth.executions[0].order_ids), "it is swept", report)
        demand(asked.handle.client_oid in report.placed_meanwhile, "k: it is named", report.placed_meanwhile)


@scenario
def a_placement_that_was_given_up_before_it_was_placed() -> None:
    """Its report is UNKNOWN, then a sweep is signed, and only then is it placed and swept: it is named all the same."""
    for fault in (faults.delayed(before_s=3.0), faults.delayed(before_s=3.0) | faults.drop(executed=True)):
        with world(sweep_delay_s=1.5, history_lag_s=NEVER, order_info_lag_s=NEVER) as it:
            played(it, "place-order", fault)
            asked = it.place(BTC, confirm_within_s=1.0)
            came_to(it, asked, PlacementOutcome.UNKNOWN)
            it.advance(1.0)
            report = it.settle(it.cancel(BTC))
            demand(bool(it.exchange.truth.executions[0].order_ids), "it is swept", report)
            demand(asked.handle.client_oid in report.placed_meanwhile, "k: it is named", report.placed_meanwhile)
            it.advance(50)
            later = it.settle(it.cancel(BTC))
            demand(later.placed_meanwhile == (), "it can be placed no more", later.placed_meanwhile)


@contextlib.contextmanager
def _slow_connections(until_s: float, by_s: float) -> Iterator[None]:
    """Connections that are begun before the loop's time `until_s` take `by_s` longer."""
    connect: Callable[..., Awaitable[Any]] = aiohappyeyeballs.start_connection

    async def slowly(*given: Any, **options: Any) -> Any:
        if asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(by_s)
        return await connect(*given, **options)

    with mock.patch.object(aiohappyeyeballs, "start_connection", slowly):
        yield


@scenario
def a_placement_refused_for_its_number_until_its_time_is_up() -> None:
    """Proven not executed, and no further copy: a sweep signed later has nothing to take, and takes no late one."""
    with world(sweep_delay_s=1.5) as it:
        played(it, "place-order", faults.envelope("429", status=429) | faults.delayed(after_s=2.0))
        it.place(BTC, confirm_within_s=1.0)
        it.advance(1.9)
        call = it.cancel(BTC)
        it.advance(10.0)
        one_copy(it, "place-order")
        demand(not it.exchange.truth.executions[0].order_ids, "nothing to take", it.settle(call))


# -- callers ---------------------------------------------------------------------------------------------------


@scenario
def a_caller_is_cancelled_while_it_waits_for_a_token() -> None:
    """Ten placements have taken the tokens: the eleventh is withdrawn, and nothing of it is sent."""
    with world() as it:
        for _ in range(10):
            it.place(ETH)
        it.advance(0.1)
        asked = it.place(BTC)
        it.advance(0.1)
        asked.task.cancel()
        it.advance(5)
        demand(it.exchange.truth.count("place-order") == 10, "withdrawn", it.exchange.truth.count("place-order"))


@scenario
def a_caller_is_cancelled_behind_the_fence() -> None:
    """It waits for a sweep, and goes: nothing of it is sent."""
    with world(sweep_delay_s=0.8) as it:
        it.exchange.rest(BTC, 1)
        it.cancel(BTC)
        it.advance(0.1)
        asked = it.place(BTC)
        it.advance(0.2)
        asked.task.cancel()
        it.advance(5)
        demand(it.exchange.truth.count("place-order") == 0, "withdrawn", it.exchange.truth.count("place-order"))


@scenario
def a_caller_is_cancelled_while_it_waits_for_the_answer() -> None:
    """Signed and on its way, or executed already: the handle goes on without its caller, to PLACED."""
    for after_s in (0.001, 0.03, 0.06, 0.09):
        with world(request_latency_s=0.05, answer_latency_s=0.05) as it:
            asked = it.place(BTC)
            it.do(asyncio.sleep(after_s))
            asked.task.cancel()
            it.advance(0.01)
            demand(asked.handle is not None, "signed: there is a handle", after_s)
            came_to(it, asked, PlacementOutcome.PLACED)


@scenario
def a_caller_is_cancelled_at_every_turn_of_the_loop() -> None:
    """From the call to the signing and beyond: either nothing was sent, or there is a handle and it goes on."""
    sent = []
    for turns in range(16):
        with world(request_latency_s=0.01, answer_latency_s=0.01) as it:
            it.turns = turns
            asked = it.place(BTC)
            it.advance(3)
            copies = it.exchange.truth.count("place-order")
            demand(copies == (asked.handle is not None), "what was sent has a handle", turns, copies)
            if asked.handle is not None:
                came_to(it, asked, PlacementOutcome.PLACED)
            sent.append(copies)
    demand(sent[0] == 0 and sent[-1] == 1 and sent == sorted(sent), "both were met", sent)
