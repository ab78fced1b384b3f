"""
The handle of a stop, and the course that it shows.

A stop is made of commands, each with a handle of its own that the client's watcher settles. What is here puts
together what they tell.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import msgspec

from bitget_async.course import next_call
from bitget_async.errors import StopUnconfirmed, UsageError
from bitget_async.evidence import Book
from bitget_async.handle import PendingCancellation
from bitget_async.models import Outcome, StopPlan, StopProgress, StopReport
from bitget_async.stopping import Checks, Stopping

__all__ = ["PendingStop", "StopCourse"]

VERSION = 1


class StopCourse(msgspec.Struct, eq=False):
    """
    One stop, from the call to the report.

    Attributes:
        state: what it knows.
        now_ns: the monotonic clock.
        began_ns: when it was called for.
        checks: when it is looked for orders that are left.
        confirm_within_s: how long after its last planned command it settles, whatever is known.
        dry: whether nothing is to be sent.
        phase: see `StopProgress`.
        handles: of its commands, with the list that their orders stand in; taken: how many.
        deadline_ns: when it settles, whatever is known.
        left: orders in scope that the last listing after the commands showed.
        clear_ms: exchange time of the first listing after the commands that shows none in scope.
        covers_ms: exchange time of which the last listing speaks.
        lanes: how many senders it has, by endpoint.
        requests: for the report.
        call: its number, for who is told of it.
    """

    state: Stopping
    now_ns: Callable[[], int]
    began_ns: int
    checks: Checks
    confirm_within_s: float = 60.0
    dry: bool = False
    phase: str = "sending"
    deadline_ns: int = 1 << 62
    handles: list[tuple[Book, PendingCancellation]] = msgspec.field(default_factory=list)
    taken: int = 0
    left: int | None = None
    clear_ms: int | None = None
    requests: Counter[str] = msgspec.field(default_factory=Counter)
    covers_ms: int | None = None
    lanes: Counter[str] = msgspec.field(default_factory=Counter)
    report: StopReport | None = None
    call: int = msgspec.field(default_factory=next_call)
    _news: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    _work: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def tell(self, *, work: bool = False) -> None:
        """Wake all who wait for news; with `work`, those who send, too."""
        self._news.set()
        self._news = asyncio.Event()
        if work:
            self._work.set()
            self._work = asyncio.Event()

    async def news(self) -> None:
        """Wait until anything is told. Safe to cancel."""
        _ = await self._news.wait()

    async def news_until(self, at_ns: int) -> None:
        """The same, but no longer than until then."""
        try:
            async with asyncio.timeout(max(at_ns - self.now_ns(), 10_000) / 1e9):
                await self.news()
        except TimeoutError:
            pass

    async def work(self) -> None:
        """Wait until there may be commands to send. Safe to cancel."""
        _ = await self._work.wait()

    @property
    def symbol(self) -> str:
        """The symbols in scope, joined by commas, or `*` for all."""
        symbols = self.state.scope.symbols
        return "*" if symbols is None else ",".join(sorted(symbols))

    @property
    def eta_s(self) -> float:
        """Seconds from now until the last planned command leaves."""
        if self.phase != "sending":
            return 0.0
        gone_s = (self.now_ns() - self.state.planned_ns) / 1e9
        return max(self.state.plan.last_leaves_s - gone_s, 0.0)

    @property
    def progress(self) -> StopProgress:
        """How far it is."""
        return StopProgress(
            phase="settled" if self.report is not None else self.phase,
            commands=self.state.handed + self.state.waiting,
            answered=self.state.through,
            orders=self.state.size,
            ended=self.state.ended,
            left=self.left,
            eta_s=self.eta_s,
        )


class PendingStop:
    """
    A stop on its way from the call to "known".

    `await pending` gives the `StopReport` if every order in scope is proven final (CONFIRMED) or none was open
    (NOTHING_TO_CANCEL), and raises `StopUnconfirmed`, which carries the report, otherwise. Awaiting it twice, from two
    tasks, late or never is all the same; cancelling whoever awaits changes nothing.
    """

    def __init__(self, course: StopCourse) -> None:
        self._course = course

    def __await__(self) -> Generator[Any, None, StopReport]:
        return self._proven().__await__()

    def __bool__(self) -> bool:
        raise TypeError("a PendingStop is neither yes nor no: await it, or look at .outcome")

    def __repr__(self) -> str:
        plan = self.plan
        return f"<PendingStop {self.symbol} {self.state}, {plan.orders} orders, {len(plan.commands)} commands>"

    @property
    def call(self) -> int:
        """Its number in events, log records and snapshots of this process."""
        return self._course.call

    @property
    def symbol(self) -> str:
        """The symbols in scope, joined by commas, or `*` for all."""
        return self._course.symbol

    @property
    def state(self) -> str:
        """`dry run`, `sending`, `checking`, `proving` or `settled`."""
        return "dry run" if self._course.dry else self._course.progress.phase

    @property
    def plan(self) -> StopPlan:
        """The commands as planned when all open orders were known."""
        return self._course.state.plan

    @property
    def eta_s(self) -> float:
        """Seconds from now until the last planned command leaves; 0 when it has left."""
        return self._course.eta_s

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, or `None` while it is open."""
        return None if self.report is None else self.report.outcome

    @property
    def report(self) -> StopReport | None:
        """The report, or `None` while it is open."""
        return self._course.report

    @property
    def handles(self) -> tuple[PendingCancellation, ...]:
        """The handles of the commands that were taken so far, or of which nobody knows."""
        return tuple(handle for _, handle in self._course.handles)

    async def settled(self, timeout_s: float | None = None) -> StopReport:
        """
        The report, whatever the outcome.

        Args:
            timeout_s: longest wait in seconds; `None` waits until it is settled.

        Raises:
            TimeoutError: it is not settled yet. The stop goes on.
            UsageError: it is a dry run: nothing was sent, and nothing will be known.

        Cancelling: safe.
        """
        if self._course.dry:
            raise UsageError("a dry run sends nothing and settles nothing: look at .plan")
        async with asyncio.timeout(timeout_s):
            while self._course.report is None:
                await self._course.news()
        return self._course.report

    async def cleared(self, timeout_s: float | None = None) -> int:
        """
        Wait for the early signal: a complete listing that was requested after the last command had left shows no order
        in scope. It says that none is open any more, as far as a listing can be trusted that may be `staleness_s` old;
        not how they ended: for that, await the handle.

        Returns:
            Exchange time of that listing in Unix milliseconds.

        Raises:
            StopUnconfirmed: the stop settled without one.
            TimeoutError: not cleared within `timeout_s` seconds. The stop goes on.

        Cancelling: safe.
        """
        course = self._course
        if course.dry:
            raise UsageError("a dry run sends nothing and clears nothing: look at .plan")
        async with asyncio.timeout(timeout_s):
            while course.clear_ms is None and course.report is None:
                await course.news()
        if course.clear_ms is None:
            assert course.report is not None
            raise StopUnconfirmed(course.report)
        return course.clear_ms

    @property
    def age_s(self) -> float:
        """Seconds since the call."""
        return (self._course.now_ns() - self._course.began_ns) / 1e9

    @property
    def progress_now(self) -> StopProgress:
        """How far it is, at this moment."""
        return self._course.progress

    async def progress(self) -> AsyncIterator[StopProgress]:
        """
        How far it is: now, and each time that changes, until it is settled. A slow reader gets the latest, not all.
        Any number of readers.
        """
        while True:
            progress = self._course.progress
            yield progress
            if self._course.report is not None or self._course.dry:
                return
            if progress == self._course.progress:
                await self._course.news()

    def to_dict(self) -> dict[str, Any]:
        """
        What is known now as plain JSON values, without secrets: the plan, the progress, the report if there is one,
        and each command's handle: those can be taken up with `BitgetClient.resume`, one by one.
        """
        report = self.report
        return {
            "version": VERSION,
            "kind": "stop",
            "plan": self.plan.to_dict(),
            "phase": self.state,
            "report": None if report is None else report.to_dict(),
            "handles": [handle.to_dict() for handle in self.handles],
        }

    async def _proven(self) -> StopReport:
        report = await self.settled()
        if report.proven:
            return report
        raise StopUnconfirmed(report)
