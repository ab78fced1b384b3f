"""
Cancelling by symbol: one command for all callers who ask for the same before it is signed, and the fence behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from bitget_async.commands import CLAIMS, Sender
from bitget_async.course import Options, SweepCourse
from bitget_async.endpoints import BATCH_CANCEL_PLAN_ORDER, CANCEL_SYMBOL_ORDER, Endpoint
from bitget_async.endpoints.checks import wait_s
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown
from bitget_async.evidence import Assumptions, Book, Certainty, Row, Sweep
from bitget_async.handle import PendingCancellation
from bitget_async.models import BatchAck, SymbolAck, TriggerOrder
from bitget_async.reading import Answered
from bitget_async.tasks import Tasks
from bitget_async.watcher import Watcher

__all__ = ["Canceller"]


class _Flight(msgspec.Struct, eq=False):
    """A command that callers wait for: joined only until it is signed, withdrawn when nobody waits before that."""

    handle: PendingCancellation
    course: SweepCourse
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
        self._unsigned: dict[_Key, _Flight] = {}
        self._closed = False

    async def cancel(
        self, symbol: str, options: Options, book: Book = Book.NORMAL, *, known: Iterable[Row] = ()
    ) -> PendingCancellation:
        """
        See `BitgetClient.cancel_symbol_orders`; for trigger orders, `Trigger.batch_cancel_plan_orders`. Orders that are
        `known` to be open have to be accounted for like those that a listing shows.
        """
        key = _Key(book, symbol, options)
        row, given = key.request
        row.checked(given)
        if self._closed:
            raise NotSent("closed", endpoint=row.label)
        flight = self._unsigned.get(key) or self._start(key)
        for each in known:
            flight.course.sweep.placed(each, "unfilled-orders" if book is Book.NORMAL else "current-plan-order")
        flight.callers += 1
        assert flight.task is not None
        try:
            await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled():
                # Not the caller was cancelled: the client was closed under it.
                if flight.signed:
                    return flight.handle
                raise NotSent("closed", endpoint=row.label) from None
            flight.callers -= 1
            if flight.callers == 0 and not flight.signed:
                self._unsigned.pop(key, None)
                flight.task.cancel()
                flight.course.tell()
            raise
        return flight.handle

    async def fence(
        self, symbols: Collection[str], max_wait_s: float | None, check: Callable[[], None]
    ) -> float | None:
        """
        Wait until no cancellation of this client on these symbols can take an order that is placed now. Where there is
        one to wait for, `check` first says what is wrong with the call.

        Returns: what is left of `max_wait_s`.

        Raises:
            UsageError: `max_wait_s` cannot be meant, or as `check` raises it.
            NotSent: that takes longer than `max_wait_s`.
        """
        wait_s(max_wait_s)
        blocking = self._blocking(symbols)
        if blocking is None:
            return max_wait_s
        check()
        began_ns = self._session.clock.monotonic_ns()
        try:
            async with asyncio.timeout(max_wait_s):
                while blocking is not None:
                    await blocking.news()
                    blocking = self._blocking(symbols)
        except TimeoutError:
            assert blocking is not None
            raise NotSent("fenced", detail=f"a cancellation of {blocking.symbol} is not cleared yet") from None
        if max_wait_s is None:
            return None
        return max(max_wait_s - (self._session.clock.monotonic_ns() - began_ns) / 1e9, 0.0)

    def _blocking(self, symbols: Collection[str]) -> SweepCourse | None:
        """A cancellation of normal orders of these symbols that may still take one placed now, or `None`."""
        waiting = [flight.course for key, flight in self._unsigned.items() if key.book is Book.NORMAL]
        courses = [*waiting, *(each for each in self._watcher.sweeps() if each.book is Book.NORMAL)]
        return next((each for each in courses if each.sweep.symbol in symbols and not each.passed), None)

    async def close(self) -> None:
        """Commands in flight end; their callers get the handle, or `NotSent` if nothing was signed."""
        self._closed = True
        await self._tasks.close()
        # What was not signed never will be: whoever waits behind it, with no caller left to say so, looks again.
        unsigned, self._unsigned = self._unsigned, {}
        for flight in unsigned.values():
            flight.course.tell()

    def _start(self, key: _Key) -> _Flight:
        sweep = Sweep(key.symbol, key.book, bounds_ms=self._session.server.bounds_ms, assumptions=self._assumptions)
        course = SweepCourse(
            command=key.request[0].short,
            sweep=sweep,
            options=key.options,
            confirm_within_s=key.options.confirm_within_s,
        )
        flight = self._unsigned[key] = _Flight(PendingCancellation(course, self._watcher), course)
        flight.task = self._tasks.spawn(self._send(key, flight, course), f"bitget_async: cancel {key.symbol}")
        return flight

    async def _send(self, key: _Key, flight: _Flight, course: SweepCourse) -> None:
        """
        From the snapshot to the answer.

        1. "Taken": ACKED, unless it echoes another symbol. 2. A claim that nothing was open, or no usable answer:
        MAYBE, verify. 3. Refused, or proven not sent: there is nothing to wait for, the callers get the error.
        """
        sweep, options = course.sweep, course.options
        row, given = key.request

        def on_signed(now: int, timestamp_ms: int, copy: int) -> None:
            self._leave(key, flight)
            flight.signed = True
            course.attempts = copy
            course.signed(now)
            sweep.signed(now, timestamp_ms)
            self._watcher.sending(course, sweep)
            self._watcher.signed(course)

        self._watcher.intended(course)
        try:
            if options.snapshot == "before":
                await self._watcher.look_before(course)
            answer = await self._session.call(
                row,
                given,
                max_wait_s=options.max_wait_s,
                on_signed=on_signed,
                repeat_within_s=options.confirm_within_s,
                calls=(course.call,),
            )
        except OutcomeUnknown as error:
            if error.reason == "redirect":
                sweep.odd("the command was answered with a redirect")
            self._answered(course, Certainty.MAYBE)
        except CLAIMS as error:
            sweep.odd(f"the exchange claimed that nothing was open (code {error.code})")
            self._answered(course, Certainty.MAYBE)
        except BitgetError as error:
            self._leave(key, flight)
            self._watcher.dropped(course, error)
            raise
        except asyncio.CancelledError as error:
            if not flight.signed:
                self._watcher.withdrawn(course, error)
            raise
        else:
            self._read_ack(course, answer)

    def _leave(self, key: _Key, flight: _Flight) -> None:
        """From now on nobody joins this command."""
        if self._unsigned.get(key) is flight:
            del self._unsigned[key]

    def _read_ack(self, course: SweepCourse, answer: Answered) -> None:
        ack, sweep = answer.value, course.sweep
        if isinstance(ack, BatchAck):
            # Of trigger orders: the exchange names those that it takes.
            named = [each.order_id for each in ack.success or ()] + [each.order_id for each in ack.failure or ()]
            for order_id in named:
                sweep.placed(TriggerOrder(order_id=order_id or "", symbol=sweep.symbol))
        else:
            echo = ack.symbol if isinstance(ack, SymbolAck) else None
            if echo is not None and echo != sweep.symbol:
                sweep.odd("the answer named another symbol")
                self._answered(course, Certainty.MAYBE)
                return
            if echo is None:
                sweep.odd("the answer did not name the symbol")
        course.acknowledged_ms = answer.request_time_ms
        self._answered(course, Certainty.ACKED)

    def _answered(self, course: SweepCourse, certainty: Certainty) -> None:
        course.sweep.answered(certainty, self._session.clock.monotonic_ns())
        self._watcher.heard(course, course.sweep)
        self._watcher.answered(course)


class _Key(msgspec.Struct, frozen=True):
    """What callers must ask for to share a command."""

    book: Book
    symbol: str
    options: Options

    @property
    def request(self) -> tuple[Endpoint, Mapping[str, Any]]:
        """The command and its parameters."""
        if self.book is Book.PLAN:
            return BATCH_CANCEL_PLAN_ORDER, {"symbol_list": [self.symbol]}
        return CANCEL_SYMBOL_ORDER, {"symbol": self.symbol}
