"""Stops of a client, from the call to the report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from bitget_async.cancellation import Canceller
from bitget_async.course import check_confirm_within
from bitget_async.desk import Desk
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown
from bitget_async.evidence import Assumptions
from bitget_async.halt import PendingStop, StopCourse
from bitget_async.stop.listing import Caller, Lists
from bitget_async.stop.sending import Lanes
from bitget_async.stop.telling import tell
from bitget_async.stopping import Checks, Rests, Scope, Stopping, Verdict
from bitget_async.stopping.report import Found, report_of
from bitget_async.tasks import Tasks
from bitget_async.telling import why
from bitget_async.tracker import Tracker
from bitget_async.watcher import Watcher

__all__ = ["Stopper"]

SECOND_NS = 1_000_000_000


class Stopper:
    """
    Stops of one client.

    Args:
        session, watcher, canceller, desk, tracker: of the client.
        assumptions: of every handle.
    """

    def __init__(
        self,
        session: Caller,
        watcher: Watcher,
        canceller: Canceller,
        desk: Desk,
        tracker: Tracker,
        assumptions: Assumptions,
    ) -> None:
        self._session = session
        self._assumptions = assumptions
        self._tasks = Tasks()
        self._rests = Rests()
        self._lists = Lists(session, watcher, tracker, self._tasks)
        self._lanes = Lanes(session, canceller, desk, self._tasks, self._guarded)
        self._pending: dict[StopCourse, PendingStop] = {}
        self._closed = False

    @property
    def pending(self) -> tuple[PendingStop, ...]:
        """Stops that are not settled, oldest first."""
        return tuple(self._pending.values())

    async def stop(self, scope: Scope, *, dry_run: bool, confirm_within_s: float) -> PendingStop:
        """See `BitgetClient.cancel_all_orders`."""
        check_confirm_within(confirm_within_s)
        if self._closed:
            raise NotSent("closed", detail="the client is closed")
        course = self._course(scope, dry_run=dry_run, confirm_within_s=confirm_within_s)
        handle = PendingStop(course)
        if not dry_run:
            self._pending[course] = handle
            tell(self._session.events, course, "begun")

        def goes_on() -> bool:
            """
            Asked when the caller leaves: if no command was given out by now, none will be. With none to give out it
            still lists until that is proven.
            """
            state = course.state
            if state.handed or (state.surveyed and not state.waiting and not state.left):
                return True
            state.withdraw()
            course.tell(work=True)
            return False

        def closed() -> Exception:
            if course.state.handed:
                return OutcomeUnknown("closed", endpoint="cancel_all_orders", message="the client was closed")
            return NotSent("closed", detail="the client was closed")

        try:
            await self._tasks.outliving(self._begin(course), "bitget_async: stop", signed=goes_on, closed=closed)
        except BaseException as error:
            if not goes_on() and self._pending.pop(course, None) is not None:
                state, reason = why(error)
                tell(self._session.events, course, state, reason=reason)
            raise
        return handle

    def _course(self, scope: Scope, *, dry_run: bool, confirm_within_s: float) -> StopCourse:
        now_ns = self._session.clock.monotonic_ns
        checks = Checks(
            now_ns(),
            round(self._assumptions.staleness_s * SECOND_NS),
            round(self._assumptions.execution_grace_s * SECOND_NS),
        )
        return StopCourse(Stopping(scope, self._rests), now_ns, checks.began_ns, checks, confirm_within_s, dry_run)

    async def close(self) -> None:
        """Settle all stops with what is known, and end. Safe to call twice."""
        self._closed = True
        for course in list(self._pending):
            self._settle(course, "client_closed")
        await self._tasks.close()

    async def _guarded(self, course: StopCourse, work: Callable[..., Awaitable[None]], *given: Any) -> None:
        """A defect of ours: nobody hangs, and the loop's exception handler hears of it."""
        # The work is made in here: a task that is closed before its first step would leave it never awaited.
        try:
            await work(course, *given)
        except Exception as error:
            self._settle(course, "internal")
            context = {"message": "bitget_async: a stop failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    # -- its course -------------------------------------------------------------------------------------------

    async def _begin(self, course: StopCourse) -> None:
        """List what is open, and send meanwhile what is known already; the rest goes on without the caller."""
        state = course.state
        try:
            if not self._lists.tracked(course):
                await self._lists.survey(course, lambda: self._plan(course))
        except BitgetError as error:
            if not state.handed:
                raise
            state.odd(f"the listing of open orders broke off ({type(error).__name__})")
        except Exception:
            if state.handed:
                self._settle(course, "internal")
            raise
        state.surveyed = True
        self._plan(course)
        course.checks.moved(course.now_ns())
        within_ns = round((state.plan.last_leaves_s + course.confirm_within_s) * SECOND_NS)
        course.deadline_ns = course.now_ns() + within_ns
        if not course.dry:
            self._tasks.start(self._guarded(course, self._finish), "bitget_async: stop, to its end")

    def _plan(self, course: StopCourse, *, again: bool = False) -> None:
        self._lanes.plan(course, self._lists.page_ns, again=again)

    async def _finish(self, course: StopCourse) -> None:
        await self._lanes.drained(course, self._lists.page_ns)
        if course.state.withdrawn and not course.state.handed:
            # Its caller left before anything was sent.
            return
        verdict = await self._check(course)
        course.phase = "proving"
        tell(self._session.events, course, course.phase)
        course.tell()
        clear = verdict is Verdict.CLEAR
        await self._proven(course, clear=clear)
        in_time = course.now_ns() < course.deadline_ns
        if clear and in_time and course.state.ask(self._lists.latest_ms(course)):
            await self._again(course)
            await self._proven(course, clear=clear)
        self._settle(course, clear=clear, over=verdict is Verdict.OVER)

    async def _proven(self, course: StopCourse, *, clear: bool) -> None:
        """Until every order has its final row, or no handle brings anything more, or time is up."""
        while not self._known(course, clear=clear) and course.now_ns() < course.deadline_ns:
            await course.news_until(course.deadline_ns)

    async def _check(self, course: StopCourse) -> Verdict:
        """List until no order in scope is left; what is still shown is cancelled by id, later and later."""
        checks, state = course.checks, course.state
        course.phase = "checking"
        tell(self._session.events, course, course.phase)
        course.tell()
        while True:
            at_ns = checks.look_ns(course.now_ns(), course.deadline_ns)
            await self._session.clock.sleep((at_ns - course.now_ns()) / 1e9)
            checks.looks += 1
            now = course.now_ns()
            listings = await self._lists.look(course)
            if listings is not None:
                asked_ns = min(each.requested_ns for each in listings)
                left = self._lists.left(course, listings)
                verdict = checks.verdict(asked_ns, left, now, course.deadline_ns, out=state.out > 0)
                if verdict is Verdict.CLEAR:
                    course.covers_ms = min(each.server_ms for each in listings) - checks.staleness_ns // 1_000_000
                if verdict in (Verdict.CLEAR, Verdict.OVER):
                    return verdict
                if verdict is Verdict.AGAIN:
                    await self._again(course)
            if course.now_ns() >= course.deadline_ns:
                return Verdict.LOOK

    async def _again(self, course: StopCourse) -> None:
        """One more round of commands, for what is left."""
        taken = course.taken
        course.checks.again()
        self._plan(course, again=True)
        await self._lanes.drained(course, self._lists.page_ns, again=True)
        course.checks.sent(course.now_ns())
        if course.taken == taken and not course.state.out:
            course.state.odd("no command of a further round was taken")

    # -- what it came to --------------------------------------------------------------------------------------

    @staticmethod
    def _known(course: StopCourse, *, clear: bool) -> bool:
        """Whether waiting longer brings nothing: every order has its final row, or every handle is settled."""
        if clear and course.state.ended >= course.state.size:
            return True
        return not course.state.out and all(handle.report is not None for _, handle in course.handles)

    def _settle(self, course: StopCourse, reason: str = "", *, clear: bool = False, over: bool = False) -> None:
        """Put together what is known, once and for all."""
        if course.report is not None:
            return
        state, server = course.state, self._session.server
        state.withdraw()
        for book, handle in course.handles:
            state.told(book, handle.orders)
        if state.out:
            state.odd(f"{state.out} commands were without an answer when it settled")
        requests = Counter(course.requests)
        for _, handle in course.handles:
            if handle.report is not None:
                requests.update(handle.report.requests)
        found = Found(
            clear=clear,
            over=over,
            read=course.left is not None,
            reason=reason,
            latest_ms=self._lists.latest_ms(course),
            covers_ms=course.covers_ms,
            began_ms=server.estimate_ms(course.began_ns),
            clear_ms=course.clear_ms,
            now_ms=server.estimate_ms(course.now_ns()),
            attempts=sum(handle.attempts for _, handle in course.handles),
            requests=requests,
            staleness_s=self._assumptions.staleness_s,
            grace_s=self._assumptions.execution_grace_s,
        )
        course.report = report_of(state, found)
        _ = self._pending.pop(course, None)
        tell(self._session.events, course, "settled", reason=course.report.reason)
        course.tell(work=True)
