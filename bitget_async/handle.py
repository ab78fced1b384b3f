"""
Handles: calls that the exchange has taken, pending until it is known what became of their orders.

The exchange answers "taken" and acts later. Every command therefore returns a handle as soon as the exchange has
answered, or as soon as it is clear that nobody can know, and the client's watcher reads until it is settled, whether
anybody looks at the handle or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from msgspec import structs

from bitget_async.course import (
    Course,
    NamedCourse,
    SweepCourse,
    cancellation_report,
    modification_report,
    placement_report,
    replacement_report,
)
from bitget_async.errors import (
    CancellationUnconfirmed,
    ModificationUnconfirmed,
    PlacementUnconfirmed,
    ReplacementUnconfirmed,
    Unconfirmed,
    UsageError,
)
from bitget_async.evidence import Certainty
from bitget_async.models import (
    CancellationReport,
    Modification,
    ModificationReport,
    OrderFate,
    Outcome,
    Placement,
    PlacementOutcome,
    PlacementReport,
    Replacement,
    ReplacementOutcome,
    ReplacementReport,
    TriggerOrder,
)
from bitget_async.watcher import Watcher

__all__ = [
    "Pending",
    "PendingCancellation",
    "PendingModification",
    "PendingPlacement",
    "PendingReplacement",
    "handle_of",
]

R = TypeVar("R", CancellationReport, PlacementReport, ReplacementReport, ModificationReport)
C = TypeVar("C")


class Pending(Generic[R, C]):
    """
    A call on its way from "taken" to "known": the base of all handles.

    `await pending` gives the report if it is a yes, and raises a kind of `Unconfirmed`, which carries the report,
    otherwise. Awaiting it twice, from two tasks, late or never is all the same: the client's watcher resolves it.
    Cancelling whoever awaits changes nothing.
    """

    _unconfirmed: ClassVar[type[Unconfirmed]] = Unconfirmed

    def __init__(self, course: Course, watcher: Watcher) -> None:
        self._course = course
        self._watcher = watcher
        course.handle = self

    def __await__(self) -> Generator[Any, None, R]:
        return self._proven().__await__()

    def __bool__(self) -> bool:
        raise TypeError(f"a {type(self).__name__} is neither yes nor no: await it, or look at .outcome")

    def __repr__(self) -> str:
        taken = "acknowledged" if self.acknowledged else "not acknowledged"
        return f"<{type(self).__name__} {self.symbol} {self.state}, {taken}{self._shown()}>"

    def _shown(self) -> str:
        """What else `repr` tells."""
        return ""

    @property
    def call(self) -> int:
        """Its number in events, log records and snapshots of this process."""
        return self._course.call

    @property
    def symbol(self) -> str:
        """The symbol, or several joined by commas."""
        return self._course.symbol

    @property
    def state(self) -> str:
        """`pending` or `settled`."""
        return "pending" if self._course.report is None else "settled"

    @property
    def acknowledged(self) -> bool:
        """Whether the exchange said "taken". It proves nothing about the orders."""
        return self._course.evidence.certainty is Certainty.ACKED

    @property
    def attempts(self) -> int:
        """Copies of the command that may have reached the exchange."""
        return self._course.attempts

    @property
    def report(self) -> R | None:
        """The report, or `None` while it is open."""
        return cast("R | None", self._course.report)

    async def settled(self, timeout_s: float | None = None) -> R:
        """
        The report, whatever the outcome.

        Args:
            timeout_s: longest wait in seconds; `None` waits until it is settled (`confirm_within_s` bounds that).

        Raises:
            TimeoutError: it is not settled yet. The handle goes on.

        Cancelling: safe.
        """
        async with asyncio.timeout(timeout_s):
            while self._course.report is None:
                await self._course.news()
        return cast("R", self._course.report)

    async def changes(self) -> AsyncIterator[C]:
        """
        What becomes known, order by order, from the start, until the handle is settled. Any number of readers, each at
        its own pace.
        """
        seen = 0
        while True:
            while seen < len(self._course.changes):
                seen += 1
                yield self._course.changes[seen - 1]
            if self._course.report is not None:
                return
            await self._course.news()

    async def recheck(self) -> Self:
        """
        Look once more at the same orders where something was not known, or still open: a new handle. No command is
        sent, and this handle's report stays as it is. `confirm_within_s` counts from now.

        Raises:
            UsageError: this handle is not settled, or settled with certainty.
        """
        report = self._course.report
        if report is None or report.outcome.name not in ("STILL_OPEN", "UNKNOWN"):
            raise UsageError("recheck() is for a handle that settled as STILL_OPEN or UNKNOWN")
        course = _again(self._course)
        # The watcher may settle it at once: it must have its handle by then.
        handle = type(self)(course, self._watcher)
        self._watcher.again(course)
        return handle

    @property
    def journaled(self) -> bool:
        """Whether all of it stands in the client's journal; `False` without one, or when it cannot be written."""
        return self._course.journaled

    def to_dict(self) -> dict[str, Any]:
        """
        The handle as plain JSON values, with a version and without secrets: `BitgetClient.resume` makes a handle of it
        again, in this or in another process.
        """
        return self._watcher.described(self._course)

    async def _proven(self) -> R:
        report = await self.settled()
        if report.proven:
            return report
        raise self._unconfirmed(report)


class PendingCancellation(Pending[CancellationReport, OrderFate]):
    """
    A cancellation on its way from "taken" to "known": of all orders of a symbol, or of orders named by their ids.

    `await pending` gives the `CancellationReport` if every order is proven final (CONFIRMED) or none was open
    (NOTHING_TO_CANCEL), and raises `CancellationUnconfirmed` otherwise; see `Pending`.
    """

    _unconfirmed = CancellationUnconfirmed

    def _shown(self) -> str:
        return f", {len(self.orders)} orders"

    @property
    def state(self) -> str:
        """`pending`, `cleared` (a complete listing shows no order in scope any more) or `settled`."""
        if self._course.report is not None:
            return "settled"
        return "pending" if self._course.evidence.cleared_ms is None else "cleared"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, or `None` while it is open."""
        return None if self.report is None else self.report.outcome

    @property
    def orders(self) -> tuple[OrderFate, ...]:
        """Every order seen so far and what is known of it, oldest id first, or as they were named."""
        if self.report is not None:
            return self.report.orders
        if isinstance(self._course, SweepCourse):
            return self._course.sweep.fates
        named = cast("NamedCourse", self._course).named
        return tuple(named.fate(target) for target in named.targets)

    async def cleared(self, timeout_s: float | None = None) -> int:
        """
        Wait for the early signal: nothing of what was to be cancelled is open any more, by a complete open listing that
        was requested after the answer, or by final rows.

        It says that none of them is open any more, not how they ended: for that, await the handle.

        Returns:
            Exchange time of that read in Unix milliseconds.

        Raises:
            CancellationUnconfirmed: the handle settled without one.
            TimeoutError: not cleared within `timeout_s` seconds. The handle goes on.

        Cancelling: safe.
        """
        course = self._course
        async with asyncio.timeout(timeout_s):
            while course.evidence.cleared_ms is None and course.report is None:
                await course.news()
        report = self.report
        cleared_ms = course.evidence.cleared_ms if report is None else report.cleared_at_ms
        if cleared_ms is None:
            assert report is not None
            raise CancellationUnconfirmed(report)
        return cleared_ms


class PendingPlacement(Pending[PlacementReport, Placement]):
    """
    A placement on its way from "taken" to "known": of one order, or of a batch.

    `await pending` gives the `PlacementReport` if every order is proven to have been placed (PLACED), and raises
    `PlacementUnconfirmed` otherwise; see `Pending`. An order that was placed may have ended since: `order.status`.
    """

    _unconfirmed = PlacementUnconfirmed

    def _shown(self) -> str:
        placements = self.placements
        return f", {placements[0].client_oid}" if len(placements) == 1 else f", {len(placements)} orders"

    @property
    def outcome(self) -> PlacementOutcome | None:
        """The outcome, or `None` while it is open."""
        return None if self.report is None else self.report.outcome

    @property
    def placements(self) -> tuple[Placement, ...]:
        """What is known of each order now, in the order in which they were given."""
        if self.report is not None:
            return self.report.placements
        named = cast("NamedCourse", self._course).named
        return tuple(named.placement(target) for target in named.targets)

    @property
    def client_oid(self) -> str:
        """The client id of the one order. Raises `ValueError` for a batch."""
        (placement,) = self.placements
        return placement.client_oid

    @property
    def order_id(self) -> str | None:
        """The id of the one order, `None` while it is not known. Raises `ValueError` for a batch."""
        (placement,) = self.placements
        return placement.order_id


class PendingReplacement(Pending[ReplacementReport, OrderFate | Placement]):
    """
    A replacement (cancel, then place; not atomic) on its way from "taken" to "known", of one order or of a batch.

    `await pending` gives the `ReplacementReport` if every old order is final and every new one was placed (REPLACED),
    and raises `ReplacementUnconfirmed` otherwise; see `Pending`.
    """

    _unconfirmed = ReplacementUnconfirmed

    @property
    def outcome(self) -> ReplacementOutcome | None:
        """The outcome, or `None` while it is open."""
        return None if self.report is None else self.report.outcome

    @property
    def replacements(self) -> tuple[Replacement, ...] | None:
        """The fates of old and new orders, or `None` while it is open."""
        return None if self.report is None else self.report.replacements


class PendingModification(Pending[ModificationReport, OrderFate]):
    """
    A change of a trigger order on its way from "taken" to "known".

    `await pending` gives the `ModificationReport` if the order is proven to have the new values (MODIFIED), and raises
    `ModificationUnconfirmed` otherwise; see `Pending`.
    """

    _unconfirmed = ModificationUnconfirmed

    @property
    def outcome(self) -> Modification | None:
        """The outcome, or `None` while it is open."""
        return None if self.report is None else self.report.outcome

    @property
    def order(self) -> TriggerOrder | None:
        """The trigger order's last row, or `None`."""
        row = cast("NamedCourse", self._course).named.targets[0].row
        return row if isinstance(row, TriggerOrder) else None


HANDLES: dict[Any, type[Pending[Any, Any]]] = {
    cancellation_report: PendingCancellation,
    placement_report: PendingPlacement,
    replacement_report: PendingReplacement,
    modification_report: PendingModification,
}


def handle_of(course: Course, watcher: Watcher) -> Pending[Any, Any]:
    """The handle of a resumed call, of the class that its first process had."""
    kind = HANDLES[course.build] if isinstance(course, NamedCourse) else PendingCancellation
    return kind(course, watcher)


def _again(old: Course) -> Course:
    """A course for another round of looking after the same orders."""
    if isinstance(old, SweepCourse):
        return SweepCourse(
            command=old.command,
            sweep=old.sweep.again(),
            options=structs.replace(old.options, ensure=False),
            confirm_within_s=old.confirm_within_s,
            attempts=old.attempts,
            acknowledged_ms=old.acknowledged_ms,
            meanwhile=dict(old.meanwhile),
            trusting=dict(old.trusting),
        )
    assert isinstance(old, NamedCourse)
    return NamedCourse(
        command=old.command,
        named=old.named.again(),
        build=old.build,
        more=old.more,
        confirm_within_s=old.confirm_within_s,
        attempts=old.attempts,
        acknowledged_ms=old.acknowledged_ms,
    )
