"""
The judge of pending commands: what handles and errors claim, held against the simulator's truth.

Not held against the client: what the network did by itself. Where a fault makes the exchange process a request twice,
an order that the second arrival made counts for nobody; it must not be claimed absent either, unless the exchange
itself refused the first arrival.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bitget_async import (
    Fate,
    Modification,
    ModificationReport,
    NotSent,
    Outcome,
    Pending,
    PlacementOutcome,
    PlacementReport,
    Refused,
    ReplacementOutcome,
    ReplacementReport,
    Scope,
)
from bitget_async.course import NamedCourse, SweepCourse
from bitget_async.evidence import Book, Certainty, Target
from bitget_async.sim import Settings

from .commands_world import Asked, Driven, Item, Wire, plain
from .world import QUOTAS, SECOND_NS, Settled, demand

STALE_NS = 2 * SECOND_NS
GRACE_NS = 10 * SECOND_NS
ACCEPTED_NS = 30 * SECOND_NS
QUOTAS |= {
    "place-order": 10,
    "batch-orders": 5,
    "cancel-order": 10,
    "batch-cancel-order": 10,
    "cancel-replace-order": 5,
    "batch-cancel-replace-order": 5,
    "place-plan-order": 20,
    "modify-plan-order": 20,
    "cancel-plan-order": 20,
    "batch-cancel-plan-order": 5,
    "current-plan-order": 20,
    "history-plan-order": 20,
}
ENDPOINTS = {
    "place_order": "place-order",
    "batch_orders": "batch-orders",
    "cancel_order": "cancel-order",
    "batch_cancel_orders": "batch-cancel-order",
    "cancel_replace_order": "cancel-replace-order",
    "batch_cancel_replace_orders": "batch-cancel-replace-order",
    "place_plan_order": "place-plan-order",
    "modify_plan_order": "modify-plan-order",
    "cancel_plan_order": "cancel-plan-order",
}
# Answers that prove that the copy was not executed, and after which a client may send another one.
NOT_EXECUTED = ("429", "40008", "40005", "40078")
STATUSES = {
    Fate.CANCELLED: "cancelled",
    Fate.FILLED: "filled",
    Fate.TRIGGERED: "executed",
    Fate.FAILED: "fail_execute",
}


class CommandsWorld(Driven):
    """A world with every verb and its judge."""

    def __init__(self, seed: int = 0, settings: Settings | None = None, offset_ms: int = 0, **options: Any) -> None:
        super().__init__(seed, settings, offset_ms, **options)
        self.facts = Wire()
        self._absent: list[tuple[Item, bool]] = []

    def judge(self) -> None:
        """Every promise about what has happened so far."""
        self.facts.read(self)
        super().judge()
        for asked in self.asked:
            self._judge_call(asked)
        self._judge_absences()
        self._judge_copies()

    def finish(self) -> None:
        """Faults stop, all that is pending settles; then what needs the end of the example, and all the rest."""
        self.exchange.faults.clear()
        for _ in range(20):
            if not self.client.pending and all(task.done() for task in self.callers()):
                break
            self.advance(8)
        # What is on its way arrives, and what was taken late is executed.
        self.advance(45)
        self.judge()
        self._judge_runs()
        self._judge_fence()
        super().finish()

    # -- reports ----------------------------------------------------------------------------------------------

    def _asked(self, handle: Pending[Any, Any]) -> Asked | None:
        course = handle._course
        return next(
            (each for each in self.asked if each.handle is not None and _same(each.handle._course, course)), None
        )

    def _judge_report(self, settled: Settled) -> None:
        course = settled.handle._course
        if settled.judged:
            return
        if isinstance(course, SweepCourse) and course.book is Book.NORMAL:
            super()._judge_report(settled)
            return
        settled.judged = True
        demand(self._in_time(settled), "g: settled by its deadline", settled.report)
        if isinstance(course, SweepCourse):
            self._judge_plan_sweep(settled, course)
            return
        asked = self._asked(settled.handle)
        assert asked is not None
        assert isinstance(course, NamedCourse)
        report, targets = settled.report, course.named.targets
        if isinstance(report, PlacementReport):
            demand(len(report.placements) == len(asked.items), "e: one entry an order", report.symbol)
            for item, placement in zip(asked.items, report.placements, strict=True):
                self._judge_placement(settled, item, placement)
        elif isinstance(report, ReplacementReport):
            demand(len(report.replacements) == len(asked.items), "e: one entry a replacement", report.symbol)
            for number, (item, each) in enumerate(zip(asked.items, report.replacements, strict=True)):
                self._judge_fate_of(settled, targets[2 * number], asked.named[number], each.old)
                self._judge_placement(settled, item, each.new)
                self._judge_replacement(settled, targets[2 * number], each)
        elif isinstance(report, ModificationReport):
            self._judge_change(settled, asked, targets[0])
        else:
            self._judge_named(settled, asked, targets)

    def _judge_fate(self, settled: Settled, fate: Any, signed_ns: int) -> None:
        if fate.order.order_id not in self.exchange.truth.orders:
            # An answer named it wrongly. The client may look for it; it must not say that it has seen it.
            demand(fate.fate is Fate.VANISHED and fate.source == "client", "an order that there is", fate)
            return
        if fate.source == "client" and fate.order.created_ms is None:
            # Known by the id in its receipt alone: it may have come into being later than it was acknowledged.
            demand(fate.fate is Fate.VANISHED, "nothing is claimed of an order that was not seen", fate)
            return
        super()._judge_fate(settled, fate, signed_ns)

    def _judge_placement(self, settled: Settled, item: Item, placement: Any) -> None:
        made = self.facts.born[item.symbol, item.size]
        if placement.outcome is PlacementOutcome.PLACED:
            mine = [order_id for order_id, _, time_ns in made if time_ns <= settled.settled_ns]
            demand(placement.order_id in mine, "a: PLACED names an order that the call has made", placement, made)
            if item.client_oid is not None:
                demand(placement.client_oid == item.client_oid, "a: by its own client id", placement)
            if placement.order is not None and item.book != "plan" and placement.order.status.final:
                truth = self.exchange.truth.orders[placement.order_id]
                demand(truth.status == placement.order.status.value, "a: the true status", placement, truth)
                demand(placement.order.base_volume == truth.filled, "a: the true amount", placement, truth)
        if placement.outcome is PlacementOutcome.NOT_PLACED:
            self._absent.append((item, placement.refusal is not None))

    def _judge_absences(self) -> None:
        for item, refused in self._absent:
            demand(not self._made(item, again=not refused), "b: NOT_PLACED and there is none", item)
        for asked in self.asked:
            for item in asked.items:
                made = self._made(item)
                demand(len(made) <= 1, "d: no double placement", item, made)

    def _made(self, item: Item, *, again: bool = False) -> list[str]:
        """The orders that came of an item; with `again` those too that the network's own copy made."""
        made = self.facts.born.get((item.symbol, item.size), [])
        return [order_id for order_id, copy, _ in made if again or copy not in self.facts.again]

    def _judge_named(self, settled: Settled, asked: Asked, targets: tuple[Target, ...]) -> None:
        report = settled.report
        demand(len(report.orders) == len(asked.named), "e: exactly the named orders", report)
        for name, target, fate in zip(asked.named, targets, report.orders, strict=True):
            self._judge_fate_of(settled, target, name, fate)
            if report.outcome is Outcome.STILL_OPEN and fate.fate is Fate.OPEN:
                self._judge_open(target, fate)
        final = all(fate.fate in STATUSES for fate in report.orders)
        demand((report.outcome is Outcome.CONFIRMED) == final, "e: CONFIRMED is that all are final", report)
        demand(report.outcome is not Outcome.NOTHING_TO_CANCEL, "e: named orders are not nothing", report)

    def _judge_fate_of(self, settled: Settled, target: Target, name: tuple[str, str], fate: Any) -> None:
        kind, text = name
        told = fate.order.order_id if kind == "order_id" else fate.order.client_oid
        demand(told == text, "e: exactly the named order is claimed", name, fate)
        if fate.fate not in STATUSES:
            return
        plan = target.command is not None and fate.trigger is not None
        truth: Any = (self.exchange.truth.triggers if plan else self.exchange.truth.orders)[fate.order.order_id]
        demand(truth.uid == self.exchange.account.uid, "e: an order of ours", fate)
        ended = truth.final_ns is not None and truth.final_ns <= settled.settled_ns
        demand(ended, "e: a final fate is final in truth", name, fate.fate, truth)
        demand(truth.status == STATUSES[fate.fate], "e: the fate is the true one", name, fate.fate, truth)
        if not plan:
            demand(fate.order.base_volume == truth.filled, "e: the amount is the true one", name, truth)
        if kind == "client_oid":
            demand(truth.client_oid == text, "e: the order has that client id", name, truth)
            for other in (self.exchange.truth.triggers if plan else self.exchange.truth.orders).values():
                lives = other.final_ns is None or other.final_ns > settled.settled_ns
                named = other.client_oid == text and other.uid == truth.uid
                if not plan:
                    # A command for an order names its symbol too, and takes none of another one.
                    named = named and other.symbol == truth.symbol
                older = other.created_ns <= target.command.signed_ns
                demand(not (named and lives and older), "e: no order of that name is open", name, other)

    def _judge_open(self, target: Target, fate: Any) -> None:
        """STILL_OPEN: open in truth when the command could do nothing any more."""
        command = target.command
        floor_ns = command.signed_ns + ACCEPTED_NS + GRACE_NS
        if target.certainty is Certainty.REFUSED:
            floor_ns = command.signed_ns
        elif command.heard and target.certainty is not Certainty.ACKED:
            floor_ns = (command.answered_ns or 0) + GRACE_NS
        truth: Any = self.exchange.truth.orders.get(fate.order.order_id) or self.exchange.truth.triggers.get(
            fate.order.order_id
        )
        demand(truth is not None, "e: what is open is there", fate)
        demand(truth.final_ns is None or truth.final_ns > floor_ns, "e: STILL_OPEN was open at the end", truth)

    def _judge_replacement(self, settled: Settled, old: Target, each: Any) -> None:
        final, placed = each.old.fate in STATUSES, each.new.outcome is PlacementOutcome.PLACED
        outcome = each.outcome
        if outcome in (ReplacementOutcome.REPLACED, ReplacementOutcome.NEW_MISSING):
            demand(final, "f: the old order is final", each)
        if outcome in (ReplacementOutcome.REPLACED, ReplacementOutcome.BOTH_OPEN):
            demand(placed, "f: the new order was placed", each)
        if outcome in (ReplacementOutcome.OLD_KEPT, ReplacementOutcome.NEW_MISSING):
            demand(each.new.outcome is PlacementOutcome.NOT_PLACED, "f: there is no new order", each)
        if outcome in (ReplacementOutcome.OLD_KEPT, ReplacementOutcome.BOTH_OPEN):
            self._judge_open(old, each.old)

    def _judge_change(self, settled: Settled, asked: Asked, target: Target) -> None:
        assert asked.wanted is not None
        kind, text = asked.named[0]
        signed_ns, triggers = target.command.signed_ns, self.exchange.truth.triggers
        orders = [o for o in triggers.values() if text == (o.order_id if kind == "order_id" else o.client_oid)]
        spans = [
            (mark.time_ns, after.time_ns if after else None)
            for order in orders
            for mark, after in zip(order.marks, [*order.marks[1:], None], strict=True)
            if _values(mark.plan) == asked.wanted
        ]
        had = any(begin <= settled.settled_ns and (end is None or end >= signed_ns) for begin, end in spans)
        outcome = settled.report.outcome
        if outcome is Modification.MODIFIED:
            demand(had, "l: MODIFIED and it had the new values", asked.named, spans)
        if outcome is Modification.NOT_MODIFIED:
            # Another call may have changed it again since, or may have asked for the same values.
            last = [order.marks[-1] for order in orders]
            since = [mark for mark in last if mark.time_ns >= signed_ns and _values(mark.plan) == asked.wanted]
            same = sum(each.wanted == asked.wanted for each in self.asked)
            demand(not since or same > 1, "l: NOT_MODIFIED and it has not", asked.named, spans)

    def _judge_plan_sweep(self, settled: Settled, course: SweepCourse) -> None:
        report, signed_ns = settled.report, course.sweep.signed_ns
        mine = [o for o in self.exchange.truth.triggers.values() if o.uid == self.exchange.account.uid]
        if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL):
            for order in mine:
                if order.plan.symbol == report.symbol and order.created_ns <= signed_ns:
                    final = order.final_ns is not None and order.final_ns <= settled.settled_ns
                    demand(final, f"1, 2: {report.outcome.name} and a trigger order is open", order)
        for fate in report.orders:
            truth = self.exchange.truth.triggers[fate.order.order_id]
            demand(truth.plan.symbol == report.symbol, "only this symbol's orders", truth)
            if fate.scope is Scope.LATE:
                demand(truth.created_ns > signed_ns, "12: LATE was created after the signing", truth)
            if fate.fate in STATUSES:
                demand(truth.status == STATUSES[fate.fate], "15: the fate is the true one", truth, fate.fate)

    # -- calls and the wire -----------------------------------------------------------------------------------

    def _judge_call(self, asked: Asked) -> None:
        error = asked.error
        if error is not None:
            demand(
                isinstance(error, (NotSent, Refused)), "only NotSent and Refused are raised", asked.verb, repr(error)
            )
            for item in asked.items:
                demand(not self._made(item), "c: NotSent, Refused: not executed", asked.verb, repr(error), item)
        if asked.task.done() and asked.task.cancelled() and asked.handle is None:
            for item in asked.items:
                demand(not self._made(item), "withdrawn before the signing: not executed", asked.verb, item)

    def _keys(self, asked: Asked) -> list[tuple[Any, ...]]:
        """What the commands of a call ask for."""
        endpoint = ENDPOINTS.get(asked.verb)
        if endpoint is None:
            return []
        names = [plain(item.size) for item in asked.items] or [text for _, text in asked.named]
        if asked.wanted is not None:
            names = [plain(asked.wanted[1])]
        return [(endpoint, *names[start : start + 20]) for start in range(0, len(names), 20)]

    def _judge_copies(self) -> None:
        """No copy of a command after one that was, or may have been, executed."""
        calls = Counter(key for asked in self.asked for key in self._keys(asked))
        for key, copies in self.facts.keyed.items():
            # `ensure` cancels by id too, on behalf of a cancellation by symbol, and again after some seconds.
            ensured = key[0] == "batch-cancel-order" and any(call.ensure for call in self.calls)
            if key[0] in ENDPOINTS.values() and len(copies) > calls[key] and not ensured:
                unproven = [copy for copy in copies if copy.code not in NOT_EXECUTED]
                demand(len(unproven) <= calls[key], "d: no copy after ACKED or MAYBE", key, unproven)

    def _judge_runs(self) -> None:
        """NotSent and Refused of commands that place nothing: none of their copies was executed."""
        kept = Counter(key for asked in self.asked if asked.error is None for key in self._keys(asked))
        truth = self.exchange.truth
        copies = {run.copy for run in (*truth.cancels, *truth.trigger_cancels)} - self.facts.again
        ran = Counter(self.facts.keys[copy] for copy in copies if copy in self.facts.keys)
        for key, count in ran.items():
            ensured = key[0] == "batch-cancel-order" and any(call.ensure for call in self.calls)
            if key[0] in ENDPOINTS.values() and not ensured:
                demand(count <= kept[key], "c: NotSent, Refused: not executed", key, count)

    # -- the fence --------------------------------------------------------------------------------------------

    def _judge_fence(self) -> None:
        """
        What a cancel-by-symbol took of this client's own placements.

        1. All of it stands in the cancellation's report, as an order or in `placed_meanwhile`, if the report proves
        anything, the command ran before it was settled, and the placement was known for no longer than two listings
        can be old: of older orders the snapshot tells if it is served before the command runs, or the history if it
        is not late too. 2. A placement behind the fence, signed
        after the command, is taken only if it stands in `placed_meanwhile`; or the command ran later than a listing
        can be old. Of both the exception: an order of the symbol ended otherwise about that time. Then the client
        saw an order go, and took it for the sweep.
        """
        # The spot order that a trigger order made is nobody's placement.
        items = {
            (item.symbol, item.size): (asked, item)
            for asked in self.asked
            for item in asked.items
            if item.book == "normal"
        }
        orders = self.exchange.truth.orders
        sweeps = [course for course in self.signings if isinstance(course, SweepCourse) and course.book is Book.NORMAL]
        copies = {copy.index: copy for copy in self.exchange.truth.copies("cancel-symbol-order")}
        for run in self.exchange.truth.executions:
            mine = [course for course in sweeps if course.sweep.symbol == run.symbol]
            sent = [c for c in mine if self.signings[c][0] <= copies[run.copy].received_ns]
            if run.copy in self.facts.again or not sent:
                continue
            sweep = max(sent, key=lambda course: self.signings[course][-1])
            for order_id in run.order_ids:
                known = items.get((run.symbol, orders[order_id].draft.size))
                if known is not None and order_id in self._made(known[1]):
                    self._judge_swept(sweep, run, order_id, *known)

    def _judge_swept(self, sweep: SweepCourse, run: Any, order_id: str, asked: Asked, item: Item) -> None:
        settled = self.handles.get(sweep.handle)
        if settled is None or asked.handle is None:
            return
        target = _target(asked, item)
        report, signed_ns = settled.report, sweep.sweep.signed_ns
        meanwhile = target.client_oid in report.placed_meanwhile
        listed = order_id in {fate.order.order_id for fate in report.orders}
        story = (
            f"{item.size} {order_id} of {target.client_oid}, {target.certainty}, signed {target.command.signed_ns}, "
            f"answered {target.command.answered_ns}; sweep signed {signed_ns}, run {run.time_ns} took {run.order_ids}, "
            f"settled {settled.settled_ns} as {report.outcome}, cleared {report.cleared_at_ms}, {report.acknowledged}, "
            f"named {report.placed_meanwhile}, listed {[fate.order.order_id for fate in report.orders]}"
        )
        after = asked.fence and target.command.signed_ns > signed_ns
        trusted = after and self._ended_otherwise(run, signed_ns)
        known_ns = target.command.answered_ns if target.certainty is Certainty.ACKED else None
        if known_ns is None and target.order_id is not None:
            # Some read told it, nobody knows which: not before this.
            known_ns = target.command.signed_ns
        if known_ns is None and self.handles.get(asked.handle) is not None:
            # Given up: it is remembered for as long as it can still be executed.
            known_ns = target.command.signed_ns + target.command.accepted_for_ns + GRACE_NS
        fresh = known_ns is None or known_ns >= signed_ns - 2 * STALE_NS
        if fresh and report.outcome is not Outcome.UNKNOWN and run.time_ns <= settled.settled_ns - 260_000_000:
            demand(meanwhile or listed or trusted, "k: what was swept stands in the report", story)
        if after and run.time_ns <= signed_ns + STALE_NS:
            demand(meanwhile or trusted, "k: swept behind the fence", story)

    def _ended_otherwise(self, run: Any, signed_ns: int) -> bool:
        return any(
            order.symbol == run.symbol
            and order.created_ns <= signed_ns
            and order.final_ns is not None
            and signed_ns - STALE_NS <= order.final_ns < run.time_ns
            for order in self.exchange.truth.orders.values()
        )


def _same(one: Any, other: Any) -> bool:
    """Whether they are of one call: the course itself, or another look at its commands."""
    if one is other:
        return True
    both = isinstance(one, NamedCourse) and isinstance(other, NamedCourse)
    return both and one.named.commands[0] is other.named.commands[0]


def _values(plan: Any) -> tuple[Any, Any]:
    """What the calls of these tests make of a trigger order: a limit order at the trigger price; else nothing of it."""
    limit = plan.order_type == "limit" and plan.execute_price == plan.trigger_price
    return (plan.trigger_price, plan.size) if limit else (None, None)


def _target(asked: Asked, item: Item) -> Target:
    """What the client holds of an item."""
    assert asked.handle is not None
    course = asked.handle._course
    assert isinstance(course, NamedCourse)
    number = asked.items.index(item)
    replaces = asked.verb in ("cancel_replace_order", "batch_cancel_replace_orders")
    return course.named.targets[2 * number + 1 if replaces else number]
