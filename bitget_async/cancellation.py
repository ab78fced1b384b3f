"""
The handle: a cancellation by symbol, pending until the fate of every order is known.

The exchange answers "taken" and cancels later. `cancel_symbol_orders` therefore returns a `PendingCancellation` as
soon as the exchange has answered, or as soon as it is clear that nobody can know, and the client's watcher reads
until it is settled, whether anybody looks at the handle or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.course import Course, Options
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, Endpoint
from bitget_async.errors import (
    BitgetError,
    CancellationUnconfirmed,
    NothingToCancel,
    NotSent,
    OrderAlreadyFinal,
    OrderNotFound,
    OutcomeUnknown,
    UsageError,
)
from bitget_async.evidence import Assumptions, Certainty, Evidence
from bitget_async.models import CancellationReport, OrderFate, Outcome, SymbolAck
from bitget_async.tasks import Tasks
from bitget_async.watcher import Answered, Watcher

__all__ = ["Canceller", "PendingCancellation"]

# Claims that nothing was open: the command did nothing, and whether they are true is read like everything else.
CLAIMS = (NothingToCancel, OrderNotFound, OrderAlreadyFinal)
VERSION = 1


class Sender(Protocol):
    """What cancelling needs of a session."""

    clock: Clock
    server: ServerClock

    async def call(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        max_wait_s: float | None = None,
        on_signed: Callable[[int, int, int], None] | None = None,
    ) -> Answered:
        """One call."""


class PendingCancellation:
    """
    A cancellation by symbol on its way from "taken" to "known".

    `await pending` gives the `CancellationReport` if every order is proven final (CONFIRMED) or none was open
    (NOTHING_TO_CANCEL), and raises `CancellationUnconfirmed` otherwise. Awaiting it twice, from two tasks, late or
    never is all the same: the client's watcher resolves it. Cancelling whoever awaits changes nothing.

    """

    def __init__(self, course: Course, watcher: Watcher) -> None:
        self._course = course
        self._watcher = watcher
        course.handle = self

    def __await__(self) -> Generator[Any, None, CancellationReport]:
        return self._confirmed().__await__()

    def __bool__(self) -> bool:
        raise TypeError("a PendingCancellation is neither yes nor no: await it, or look at .outcome")

    def __repr__(self) -> str:
        taken = "acknowledged" if self.acknowledged else "not acknowledged"
        return f"<PendingCancellation {self.symbol} {self.state}, {taken}, {len(self.orders)} orders>"

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self._course.symbol

    @property
    def state(self) -> str:
        """`pending`, `cleared` (a complete listing shows no order in scope any more) or `settled`."""
        if self._course.report is not None:
            return "settled"
        return "pending" if self._course.evidence.cleared_ms is None else "cleared"

    @property
    def acknowledged(self) -> bool:
        """Whether the exchange said "taken". It proves nothing about the orders."""
        return self._course.evidence.certainty is Certainty.ACKED

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, or `None` while it is open."""
        return None if self._course.report is None else self._course.report.outcome

    @property
    def orders(self) -> tuple[OrderFate, ...]:
        """Every order seen so far and what is known of it, oldest id first."""
        return self._course.evidence.fates if self._course.report is None else self._course.report.orders

    @property
    def attempts(self) -> int:
        """Copies of the command that may have reached the exchange."""
        return self._course.attempts

    async def settled(self, timeout_s: float | None = None) -> CancellationReport:
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
        return self._course.report

    async def cleared(self, timeout_s: float | None = None) -> int:
        """
        Wait for the early signal: a complete open listing, requested after the answer, without any order in scope.

        It says that none of them is open any more, not how they ended: for that, await the handle.

        Returns:
            Exchange time of that listing in Unix milliseconds.

        Raises:
            CancellationUnconfirmed: the handle settled without one.
            TimeoutError: not cleared within `timeout_s` seconds. The handle goes on.

        Cancelling: safe.
        """
        async with asyncio.timeout(timeout_s):
            while self._course.evidence.cleared_ms is None and self._course.report is None:
                await self._course.news()
        cleared_ms = (
            self._course.evidence.cleared_ms if self._course.report is None else self._course.report.cleared_at_ms
        )
        if cleared_ms is None:
            assert self._course.report is not None
            raise CancellationUnconfirmed(self._course.report)
        return cleared_ms

    async def changes(self) -> AsyncIterator[OrderFate]:
        """
        Each order as it becomes known and again as its fate does, from the start, until the handle is settled.
        Any number of readers, each at its own pace.
        """
        seen = 0
        while True:
            while seen < len(self._course.changes):
                seen += 1
                yield self._course.changes[seen - 1]
            if self._course.report is not None:
                return
            await self._course.news()

    async def recheck(self) -> PendingCancellation:
        """
        Look once more at the same orders after STILL_OPEN or UNKNOWN: a new handle. No command is sent, and this
        handle's report stays as it is. `confirm_within_s` counts from now.

        Raises:
            UsageError: this handle is not settled, or settled with certainty.
        """
        if self.outcome not in (Outcome.STILL_OPEN, Outcome.UNKNOWN):
            raise UsageError("recheck() is for a handle that settled as STILL_OPEN or UNKNOWN")
        old = self._course
        course = Course(
            old.evidence.again(),
            replace(old.options, ensure=False),
            attempts=old.attempts,
            acknowledged_ms=old.acknowledged_ms,
        )
        self._watcher.again(course)
        return PendingCancellation(course, self._watcher)

    def to_dict(self) -> dict[str, Any]:
        """The handle as plain JSON values with a version. No secrets."""
        return {
            "version": VERSION,
            "command": CANCEL_SYMBOL_ORDER.name,
            "symbol": self.symbol,
            "state": self.state,
            "certainty": self._course.evidence.certainty.value,
            "signed_at_ms": self._course.evidence.signed_ms,
            "acknowledged_at_ms": self._course.acknowledged_ms,
            "attempts": self.attempts,
            "options": {
                "snapshot": self._course.options.snapshot,
                "ensure": self._course.options.ensure,
                "confirm_within_s": self._course.options.confirm_within_s,
                "staleness_s": self._course.evidence.assumptions.staleness_s,
                "execution_grace_s": self._course.evidence.assumptions.execution_grace_s,
            },
            "orders": [
                {
                    "order_id": each.order.order_id,
                    "created_ms": each.order.created_ms,
                    "fate": each.fate.value,
                    "scope": each.scope.value,
                }
                for each in self.orders
            ],
            "report": None if self._course.report is None else self._course.report.to_dict(),
        }

    async def _confirmed(self) -> CancellationReport:
        report = await self.settled()
        if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL):
            return report
        raise CancellationUnconfirmed(report)


@dataclass(slots=True, eq=False)
class _Flight:
    """A command that callers wait for: joined only until it is signed, withdrawn when nobody waits before that."""

    handle: PendingCancellation
    task: asyncio.Task[None] | None = None
    callers: int = 0
    signed: bool = False


class Canceller:
    """
    Sends cancel-by-symbol commands, one for all callers who ask for the same before it is signed.

    Args:
        session: sends them.
        watcher: watches what they started.
        assumptions: of every handle.
    """

    def __init__(self, session: Sender, watcher: Watcher, assumptions: Assumptions) -> None:
        self._session = session
        self._watcher = watcher
        self._assumptions = assumptions
        self._tasks = Tasks()
        self._unsigned: dict[tuple[str, Options], _Flight] = {}
        self._closed = False

    @property
    def pending(self) -> tuple[PendingCancellation, ...]:
        """The unsettled handles, oldest first."""
        return tuple(course.handle for course in self._watcher.pending)

    async def cancel(self, symbol: str, options: Options) -> PendingCancellation:
        """See `BitgetClient.cancel_symbol_orders`."""
        CANCEL_SYMBOL_ORDER.checked({"symbol": symbol})
        if self._closed:
            raise NotSent("closed", endpoint=CANCEL_SYMBOL_ORDER.label)
        key = (symbol, options)
        flight = self._unsigned.get(key) or self._start(key)
        flight.callers += 1
        assert flight.task is not None
        try:
            await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled():
                # Not the caller was cancelled: the client was closed under it.
                if flight.signed:
                    return flight.handle
                raise NotSent("closed", endpoint=CANCEL_SYMBOL_ORDER.label) from None
            flight.callers -= 1
            if flight.callers == 0 and not flight.signed:
                self._unsigned.pop(key, None)
                flight.task.cancel()
            raise
        return flight.handle

    async def close(self) -> None:
        """Commands in flight end; their callers get the handle, or `NotSent` if nothing was signed."""
        self._closed = True
        await self._tasks.close()

    def _start(self, key: tuple[str, Options]) -> _Flight:
        symbol, options = key
        course = Course(Evidence(symbol, self._session.server.bounds_ms, self._assumptions), options)
        flight = self._unsigned[key] = _Flight(PendingCancellation(course, self._watcher))
        flight.task = self._tasks.spawn(self._send(flight, course), f"bitget_async: cancel {symbol}")
        return flight

    async def _send(self, flight: _Flight, course: Course) -> None:
        """
        From the snapshot to the answer.

        1. "Taken": ACKED, unless it echoes another symbol. 2. A claim that nothing was open, or no usable answer:
        MAYBE, verify. 3. Refused, or proven not sent: there is nothing to wait for, the callers get the error.
        """
        evidence, options = course.evidence, course.options
        key = (course.symbol, options)

        def on_signed(now: int, timestamp_ms: int, copy: int) -> None:
            self._leave(key, flight)
            flight.signed = True
            course.signed(now, timestamp_ms, copy)
            self._watcher.signed(course)

        try:
            if options.snapshot == "before":
                await self._watcher.look_before(course)
            answer = await self._session.call(
                CANCEL_SYMBOL_ORDER, {"symbol": course.symbol}, max_wait_s=options.max_wait_s, on_signed=on_signed
            )
        except OutcomeUnknown as error:
            if error.reason == "redirect":
                evidence.odd("the command was answered with a redirect")
            self._answered(course, Certainty.MAYBE)
        except CLAIMS as error:
            evidence.odd(f"the exchange claimed that nothing was open (code {error.code})")
            self._answered(course, Certainty.MAYBE)
        except BitgetError:
            self._leave(key, flight)
            self._watcher.dropped(course)
            raise
        else:
            self._read_ack(course, answer)

    def _leave(self, key: tuple[str, Options], flight: _Flight) -> None:
        """From now on nobody joins this command."""
        if self._unsigned.get(key) is flight:
            del self._unsigned[key]

    def _read_ack(self, course: Course, answer: Answered) -> None:
        ack = answer.value
        echo = ack.symbol if isinstance(ack, SymbolAck) else None
        if echo is not None and echo != course.symbol:
            course.evidence.odd("the answer named another symbol")
            self._answered(course, Certainty.MAYBE)
            return
        if echo is None:
            course.evidence.odd("the answer did not name the symbol")
        course.acknowledged_ms = answer.request_time_ms
        self._answered(course, Certainty.ACKED)

    def _answered(self, course: Course, certainty: Certainty) -> None:
        course.evidence.answered(certainty, self._session.clock.monotonic_ns())
        self._watcher.answered(course)
