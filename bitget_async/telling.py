"""
What is told of handles: their states, and the fates of their orders. Each begins once and ends once, whoever listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import msgspec

from bitget_async.course import Course, NamedCourse
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown, UsageError
from bitget_async.events import Events, FateKnown, HandleChanged
from bitget_async.events.copies import code_of
from bitget_async.evidence import Certainty
from bitget_async.models import (
    CancellationReport,
    Fate,
    Modification,
    ModificationReport,
    OrderFate,
    Outcome,
    Placement,
    PlacementOutcome,
    PlacementReport,
    ReplacementOutcome,
    ReplacementReport,
    Report,
)

__all__ = ["Telling", "kind_of", "why"]

ENDS = frozenset(("settled", "refused", "not_sent", "withdrawn"))
UNPROVEN = (Fate.OPEN, Fate.VANISHED)


class _Known(msgspec.Struct, frozen=True):
    """What became of one order."""

    order_id: str
    client_oid: str
    symbol: str
    fate: str
    source: str


class Telling:
    """
    Tells of the handles of one client.

    Args:
        events: whom to tell.
        now_ns: the monotonic clock.
    """

    def __init__(self, events: Events, now_ns: Callable[[], int]) -> None:
        self._events = events
        self._now_ns = now_ns

    def begun(self, course: Course, state: str = "begun") -> None:
        """It was called for, or taken up again (`resumed`)."""
        course.began_ns = self._now_ns()
        self.now(course, state)

    def fenced(self, course: Course) -> None:
        """It waits behind a cancellation."""
        self.begun(course)
        self.now(course, "fenced")

    def intended(self, course: Course) -> None:
        """It is about to wait for its token."""
        if course.told:
            self.now(course, "unfenced")
        else:
            self.begun(course)

    def kept_out(self, course: Course, error: BaseException) -> None:
        """It did not get past the cancellation that it waited behind, if it waited behind one."""
        if course.told[-1:] == ("fenced",):
            self.ended(course, error)

    def learnt(self, course: Course) -> None:
        """Something may have become known of its orders."""
        fresh, course.shown = course.changes[course.shown :], len(course.changes)
        if fresh and self._events.wants(FateKnown):
            self._tell_fates(course, _fates(fresh))
        cleared = course.evidence.cleared_ms is not None and "cleared" not in course.told
        if cleared and kind_of(course) == "cancellation":
            self.now(course, "cleared")

    def settled(self, course: Course) -> None:
        """It has its report."""
        assert course.report is not None
        self.learnt(course)
        if self._events.wants(FateKnown):
            self._tell_fates(course, _last_fates(course, course.report))
        self.now(course, "settled", outcome=course.report.outcome.name, reason=course.report.reason)

    def ended(self, course: Course, error: BaseException) -> None:
        """It ends without a report: what that was."""
        state, reason = why(error)
        self.now(course, state, reason=reason)

    def now(self, course: Course, state: str, *, outcome: str | None = None, reason: str = "") -> None:
        """It is in that state; nothing follows on the last one."""
        if course.told and course.told[-1] in ENDS:
            return
        course.told = (*course.told, state)
        if not self._events.wants(HandleChanged):
            return
        now = self._now_ns()
        self._events.emit(
            HandleChanged(
                at_ns=now,
                call=course.call,
                kind=kind_of(course),
                command=course.command,
                symbol=course.symbol,
                state=state,
                outcome=outcome,
                reason=reason,
                acknowledged=course.evidence.certainty is Certainty.ACKED,
                attempts=course.attempts,
                orders=course.size,
                age_s=(now - course.began_ns) / 1e9,
                within=course.within,
            )
        )

    def _tell_fates(self, course: Course, fates: Iterable[_Known]) -> None:
        now = self._now_ns()
        for each in fates:
            name = each.order_id or each.client_oid, each.fate
            if course.fated is None:
                course.fated = set()
            if name in course.fated:
                continue
            course.fated.add(name)
            self._events.emit(
                FateKnown(
                    at_ns=now,
                    call=course.call,
                    order_id=each.order_id,
                    client_oid=each.client_oid,
                    symbol=each.symbol or course.symbol,
                    fate=each.fate,
                    source=each.source,
                )
            )


def kind_of(course: Course) -> str:
    """`cancellation`, `placement`, `replacement` or `modification`."""
    return type(course.handle).__name__.removeprefix("Pending").lower()


def why(error: BaseException) -> tuple[str, str]:
    """The last state of a handle that ends by that error, and the reason."""
    if isinstance(error, UsageError):
        return "not_sent", "usage"
    if isinstance(error, (NotSent, OutcomeUnknown)):
        return "not_sent", error.reason
    if isinstance(error, BitgetError):
        return "refused", code_of(error) or type(error).__name__
    return "withdrawn", ""


def _fates(items: Sequence[OrderFate | Placement]) -> Iterator[_Known]:
    """Those of these that are proven."""
    for item in items:
        if isinstance(item, OrderFate):
            if item.fate not in UNPROVEN:
                yield _fate(item)
        elif item.outcome is not PlacementOutcome.UNKNOWN:
            symbol = "" if item.order is None else item.order.symbol
            yield _Known(item.order_id or "", item.client_oid, symbol, item.outcome.value, item.source)


def _fate(item: OrderFate) -> _Known:
    order = item.order
    return _Known(order.order_id, order.client_oid, order.symbol, item.fate.value, item.source)


def _last_fates(course: Course, report: Report) -> Iterator[_Known]:
    """What its report proves of single orders."""
    if isinstance(report, CancellationReport):
        yield from _fates(report.orders)
        if report.outcome is Outcome.STILL_OPEN:
            yield from map(_fate, report.still_open)
    elif isinstance(report, PlacementReport):
        yield from _fates(report.placements)
    elif isinstance(report, ReplacementReport):
        for each in report.replacements:
            yield from _fates((each.old, each.new))
            if each.outcome in (ReplacementOutcome.OLD_KEPT, ReplacementOutcome.BOTH_OPEN):
                yield _fate(each.old)
    elif isinstance(report, ModificationReport) and report.order and report.outcome is not Modification.UNKNOWN:
        order, source = report.order, cast("NamedCourse", course).named.targets[0].source
        yield _Known(order.order_id, order.client_oid, order.symbol, report.outcome.value, source)
