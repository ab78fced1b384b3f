"""
Stops everything: lists what is open, sends what the planner says as its quotas allow, and lists until none is left.

`stopping` decides which command goes when and what all of it comes to; the commands are those of the client, each with
its handle, and the watcher proves them. This file waits and calls.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from bitget_async.cancellation import Canceller
from bitget_async.course import STOPPING, Options, check_confirm_within
from bitget_async.desk import Desk
from bitget_async.endpoints import (
    BATCH_CANCEL_ORDER,
    BATCH_CANCEL_PLAN_ORDER,
    CANCEL_ORDER,
    CANCEL_PLAN_ORDER,
    CANCEL_SYMBOL_ORDER,
    Endpoint,
)
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown, UsageError
from bitget_async.events import Events, HandleChanged
from bitget_async.evidence import Assumptions, Book, Listing
from bitget_async.halt import PendingStop, StopCourse
from bitget_async.handle import PendingCancellation
from bitget_async.models import Order, Outcome, StopCommand, StopReport, TriggerOrder
from bitget_async.models import Scope as OrderScope
from bitget_async.reading import Answered, Reading
from bitget_async.stopping import Quota, Quotas, Scope, Stopping
from bitget_async.stopping.state import BOOKS, outcome_of
from bitget_async.tasks import Tasks
from bitget_async.telling import why
from bitget_async.tracker import OpenOrders, Tracker
from bitget_async.tracking import Sureness
from bitget_async.watcher import Watcher

__all__ = ["Stopper"]

SECOND_NS = 1_000_000_000
HOLD_NS = 1_010_000_000
ROUND_TRIP_NS = 50_000_000
MOST_PAGES = 1_000
# So many symbols are listed one by one; more, or all, by the pages of the account.
FEW_SYMBOLS = 5
FIRST_LOOKS_NS = (150_000_000, 350_000_000, 700_000_000, 1_200_000_000)
LATER_LOOK_NS = 2_000_000_000
ACCEPTED_NS = 30 * SECOND_NS
LANES = (CANCEL_SYMBOL_ORDER, BATCH_CANCEL_ORDER, CANCEL_ORDER, BATCH_CANCEL_PLAN_ORDER, CANCEL_PLAN_ORDER)
MOST_ODD = 50

Row = Order | TriggerOrder


class Caller(Protocol):
    """What a stop needs of a session."""

    clock: Any
    server: Any
    events: Events

    async def call(
        self, row: Endpoint, given: Mapping[str, Any], *, first: bool = False, calls: tuple[int, ...] = ()
    ) -> Answered:
        """One call."""

    def outlook(self, row: Endpoint) -> list[int]:
        """When each token of the row is free, from now."""


class _Urgent:
    """Reads in front of all others, with the whole quota and repeats: commands wait for what they show."""

    def __init__(self, session: Caller) -> None:
        self.clock = session.clock
        self.server = session.server
        self._session = session

    async def background(self, row: Endpoint, given: Mapping[str, Any], *, calls: tuple[int, ...] = ()) -> Answered:
        """One read."""
        return await self._session.call(row, given, first=True, calls=calls)


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
        self._watcher = watcher
        self._canceller = canceller
        self._desk = desk
        self._tracker = tracker
        self._staleness_ns = round(assumptions.staleness_s * SECOND_NS)
        self._grace_ns = round(assumptions.execution_grace_s * SECOND_NS)
        self._reading = Reading(_Urgent(session))
        self._pending: dict[StopCourse, PendingStop] = {}
        self._tasks = Tasks()
        self._round_trip_ns = ROUND_TRIP_NS
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
        now_ns = self._session.clock.monotonic_ns
        course = StopCourse(Stopping(scope), now_ns, now_ns(), confirm_within_s, dry_run)
        handle = PendingStop(course)
        if not dry_run:
            self._pending[course] = handle
            self._tell(course, "begun")

        def goes_on() -> bool:
            # With nothing to send it still lists until that is proven.
            return course.state.handed > 0 or course.surveyed

        def closed() -> Exception:
            if course.state.handed:
                return OutcomeUnknown("closed", endpoint="cancel_all_orders", message="the client was closed")
            return NotSent("closed", detail="the client was closed")

        try:
            await self._tasks.outliving(self._begin(course), "bitget_async: stop", signed=goes_on, closed=closed)
        except BaseException as error:
            if not goes_on() and self._pending.pop(course, None) is not None:
                state, reason = why(error)
                self._tell(course, state, reason=reason)
            raise
        return handle

    async def close(self) -> None:
        """Settle all stops with what is known, and end. Safe to call twice."""
        self._closed = True
        for course in list(self._pending):
            self._settle(course, "client_closed")
        await self._tasks.close()

    # -- what is open -----------------------------------------------------------------------------------------

    async def _begin(self, course: StopCourse) -> None:
        """List what is open, and send meanwhile what is known already; the rest goes on without the caller."""
        try:
            if not self._tracked(course):
                await self._survey(course)
        except BitgetError as error:
            if not course.state.handed:
                raise
            course.odd(f"the listing of open orders broke off ({type(error).__name__})")
        course.surveyed = True
        self._plan(course)
        course.last_ns = max(course.last_ns, course.now_ns())
        within_ns = round((course.state.plan.last_leaves_s + course.confirm_within_s) * SECOND_NS)
        course.deadline_ns = course.now_ns() + within_ns
        course.tell(work=True)
        if not course.dry:
            self._tasks.start(self._guarded(course), "bitget_async: stop, to its end")

    def _tracked(self, course: StopCourse) -> bool:
        """Take what is open from the tracker, if it is sure of it."""
        scope, opened = course.state.scope, OpenOrders(self._tracker)
        if scope.books != (Book.NORMAL,) or opened.sureness is not Sureness.LIVE:
            return False
        course.state.saw([each.order for each in opened], Book.NORMAL, self._latest_ms(course))
        return True

    async def _survey(self, course: StopCourse) -> None:
        scope = course.state.scope

        def tell(book: Book) -> Callable[[Sequence[Any]], None]:
            def page(rows: Sequence[Any]) -> None:
                course.state.saw(rows, book, self._latest_ms(course))
                self._plan(course)

            return page

        work = [
            self._tasks.spawn(self._list(course, symbol, book, tell(book)), "bitget_async: stop, listing")
            for book in scope.books
            for symbol in self._targets(scope)
        ]
        try:
            _ = await asyncio.wait(work)
        except asyncio.CancelledError:
            for task in work:
                task.cancel()
            raise
        for task in work:
            listing, pages = await task
            course.requests[listing.source] += pages
            if not listing.complete:
                course.odd("the listing of open orders was incomplete")

    async def _list(
        self, course: StopCourse, symbol: str | None, book: Book, tell: Callable[[Sequence[Any]], None]
    ) -> tuple[Listing, int]:
        began_ns = self._session.clock.monotonic_ns()
        first: list[int] = []

        def page(rows: Sequence[Any]) -> None:
            if not first:
                first.append(self._session.clock.monotonic_ns() - began_ns)
                self._round_trip_ns = first[0]
            tell(rows)

        # Of a rehearsal nobody is told: nothing of it begins.
        calls = () if course.dry else (course.call,)
        return await self._reading.listing(symbol, book, most=MOST_PAGES, tell=page, calls=calls)

    @staticmethod
    def _targets(scope: Scope) -> Sequence[str | None]:
        few = scope.symbols is not None and len(scope.symbols) <= FEW_SYMBOLS
        return sorted(scope.symbols) if few and scope.symbols is not None else (None,)

    def _latest_ms(self, course: StopCourse) -> int | None:
        """The latest that the exchange's clock can have shown at the call; `None` while nobody knows."""
        bounds = self._session.server.bounds_ms(course.began_ns)
        return None if bounds is None else bounds[1]

    # -- what is sent -----------------------------------------------------------------------------------------

    def _plan(self, course: StopCourse, *, again: bool = False) -> None:
        def quota(row: Endpoint) -> Quota:
            return Quota(row.short, tuple(self._session.outlook(row)), HOLD_NS + self._round_trip_ns)

        quotas = Quotas(*(quota(row) for row in LANES))
        course.state.replan(quotas, course.now_ns(), again=again)
        if course.dry:
            return
        if not course.surveyed and course.state.waiting and not course.lanes:
            self._start_lanes(course)
        course.tell(work=True)

    def _start_lanes(self, course: StopCourse) -> None:
        """As many senders as there are tokens: each one's token comes back when it has sent, and not before."""
        for row in LANES:
            for _ in self._session.outlook(row):
                course.lanes.append(self._tasks.spawn(self._send_all(course, row.short), f"bitget_async: {row.short}"))

    async def _send_all(self, course: StopCourse, endpoint: str) -> None:
        _ = STOPPING.set(course.call)
        while True:
            command = course.state.next(endpoint, course.now_ns())
            if command is not None:
                await self._send(course, command)
            elif course.surveyed:
                return
            else:
                await course.work()

    async def _send(self, course: StopCourse, command: StopCommand) -> None:
        book = BOOKS[command.book]
        try:
            handle = await self._command(course, command, book)
        except BitgetError as error:
            if len(course.anomalies) < MOST_ODD:
                course.odd(f"{command.endpoint} of {command.symbols[0]}: {error}")
        else:
            course.taken += 1
            course.handles.append((book, handle))
            self._tasks.start(self._follow(course, book, handle), "bitget_async: stop, handle")
        course.answered += 1
        course.last_ns = max(course.last_ns, course.now_ns())
        course.tell()

    async def _command(self, course: StopCourse, command: StopCommand, book: Book) -> PendingCancellation:
        within_s = course.confirm_within_s
        if not command.order_ids:
            rows = course.state.known(command)
            options = Options("none", confirm_within_s=within_s)
            return await self._canceller.cancel(command.symbols[0], options, book, known=rows)
        items = [{"symbol": row.symbol, "order_id": row.order_id} for row in course.state.known(command)]
        if command.endpoint == BATCH_CANCEL_ORDER.short:
            return await self._desk.cancel_batch(None, items, confirm_within_s=within_s, max_wait_s=None)
        (item,) = items
        if book is Book.PLAN:
            given = {"order_id": item["order_id"]}
            return await self._desk.cancel_plan(item["symbol"], given, confirm_within_s=within_s, max_wait_s=None)
        tpsl = {"tpsl_type": "tpsl"} if book is Book.TPSL else {}
        return await self._desk.cancel({**item, **tpsl}, confirm_within_s=within_s, max_wait_s=None)

    async def _follow(self, course: StopCourse, book: Book, handle: PendingCancellation) -> None:
        course.state.told(book, (await handle.settled()).orders)
        course.tell()

    # -- until none is left -----------------------------------------------------------------------------------

    async def _guarded(self, course: StopCourse) -> None:
        """A defect of ours: nobody hangs, and the loop's exception handler hears of it."""
        try:
            await self._finish(course)
        except Exception as error:
            self._settle(course, "internal")
            context = {"message": "bitget_async: a stop failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _finish(self, course: StopCourse) -> None:
        await self._drain(course)
        clear, over = await self._check(course)
        course.phase = "proving"
        self._tell(course, "proving")
        course.tell()
        while not self._known(course, clear=clear) and course.now_ns() < course.deadline_ns:
            await self._news_until(course, course.deadline_ns)
        self._settle(course, clear=clear, over=over)

    async def _drain(self, course: StopCourse) -> None:
        """Until every command that was planned is through."""
        if course.state.waiting and not course.lanes:
            self._start_lanes(course)
        lanes, course.lanes = course.lanes, []
        if lanes:
            _ = await asyncio.wait(lanes)
        for task in lanes:
            await task

    async def _check(self, course: StopCourse) -> tuple[bool, bool]:
        """
        List until no order in scope is left; what a listing that cannot be older than the last command still shows is
        cancelled by id, later and later. Returns whether none is left, and else whether nothing can act any more.
        """
        course.phase = "checking"
        self._tell(course, "checking")
        course.tell()
        looks, rounds = 0, 0
        while True:
            await self._pause(course, looks)
            looks += 1
            now = course.now_ns()
            listings = await self._listed(course)
            if listings is not None:
                asked_ns = min(each.requested_ns for each in listings)
                left = self._checked(course, listings)
                over = asked_ns >= course.last_ns + self._act_ns
                if asked_ns >= max(course.began_ns, course.last_ns) + self._staleness_ns:
                    if not left:
                        course.covers_ms = min(each.server_ms for each in listings) - self._staleness_ns // 1_000_000
                        return True, False
                    if over:
                        return False, True
                    due = now >= course.again_ns and (not rounds or now + self._act_ns < course.deadline_ns)
                    if due:
                        rounds, looks = rounds + 1, 0
                        await self._again(course, rounds)
            if course.now_ns() >= course.deadline_ns:
                return False, False

    @property
    def _act_ns(self) -> int:
        """How long after its signing a command may act."""
        return ACCEPTED_NS + self._grace_ns + self._staleness_ns

    async def _again(self, course: StopCourse, rounds: int) -> None:
        """One more round of commands, for what is left."""
        taken = course.taken
        self._plan(course, again=True)
        await self._drain(course)
        course.again_ns = course.now_ns() + (SECOND_NS << rounds)
        if course.taken == taken:
            course.odd("no command of a further round was taken")

    async def _pause(self, course: StopCourse, looks: int) -> None:
        """Until the next look: soon after the last command, when a listing can be trusted, and now and then."""
        trusted_ns = max(course.began_ns, course.last_ns) + self._staleness_ns
        moments = [course.last_ns + each for each in FIRST_LOOKS_NS[looks:]] if course.clear_ms is None else []
        now = course.now_ns()
        at = min([each for each in (*moments, trusted_ns) if each > now], default=now + LATER_LOOK_NS)
        await self._session.clock.sleep(max(min(at, course.deadline_ns) - now, 1_000_000) / 1e9)

    async def _listed(self, course: StopCourse) -> list[Listing] | None:
        """What is open now in all lists in scope, or `None` where one could not be read."""
        scope, found = course.state.scope, []
        try:
            for book in scope.books:
                for symbol in self._targets(scope):
                    listing, pages = await self._watcher.look(symbol, book, course.call)
                    course.requests[listing.source] += pages
                    found.append(listing)
        except BitgetError as error:
            if isinstance(error, UsageError):
                raise
            course.odd(f"a listing failed ({type(error).__name__})")
            return None
        if not all(each.complete for each in found):
            course.odd("an open listing was incomplete and was not used")
            return None
        return found

    def _checked(self, course: StopCourse, listings: Iterable[Listing]) -> int:
        rows = [(each.book, row) for each in listings for row in each.rows]
        left = course.left = course.state.checked(rows, self._latest_ms(course))  # type: ignore[arg-type]
        if not left and course.clear_ms is None:
            course.clear_ms = min(each.server_ms for each in listings)
        course.tell()
        return left

    async def _news_until(self, course: StopCourse, at_ns: int) -> None:
        try:
            async with asyncio.timeout(max(at_ns - course.now_ns(), 10_000) / 1e9):
                await course.news()
        except TimeoutError:
            pass

    # -- what it came to --------------------------------------------------------------------------------------

    @staticmethod
    def _known(course: StopCourse, *, clear: bool) -> bool:
        """Whether waiting longer brings nothing: every order has its final row, or every handle is settled."""
        if clear and course.state.ended >= course.state.size:
            return True
        return all(handle.report is not None for _, handle in course.handles)

    def _settle(self, course: StopCourse, reason: str = "", *, clear: bool = False, over: bool = False) -> None:
        """Put together what is known, once and for all."""
        if course.report is not None:
            return
        state = course.state
        for book, handle in course.handles:
            state.told(book, handle.orders)
        began_ms = self._latest_ms(course)
        symbols = state.symbols(began_ms, clear=clear, over=over)
        orders = [each for symbol in symbols for each in symbol.orders]
        outcome = outcome_of(orders, clear=clear, over=over)
        unread = course.left is None
        why = reason or ("unreadable" if unread else "vanished" if clear else "deadline")
        covers_ms = course.covers_ms if state.scope.sweep_late else None
        now_ms = self._session.server.estimate_ms(course.now_ns())
        course.report = StopReport(
            outcome=outcome,
            reason=why if outcome is Outcome.UNKNOWN else "",
            symbols=symbols,
            covers_ms=began_ms or 0 if covers_ms is None else covers_ms,
            began_at_ms=self._session.server.estimate_ms(course.began_ns),
            clear_at_ms=course.clear_ms,
            settled_at_ms=now_ms,
            plan=state.plan,
            attempts=sum(handle.attempts for _, handle in course.handles),
            requests=MappingProxyType(dict(self._requests(course))),
            anomalies=tuple(course.anomalies),
            late=tuple(each.order.order_id for each in orders if each.scope is OrderScope.LATE),
            assumptions=MappingProxyType(self._assumed(state.scope)),
        )
        _ = self._pending.pop(course, None)
        self._tell(course, "settled", outcome=outcome.name, reason=course.report.reason)
        course.tell(work=True)

    def _tell(self, course: StopCourse, state: str, *, outcome: str | None = None, reason: str = "") -> None:
        """Tell who listens."""
        if not self._session.events.wants(HandleChanged):
            return
        handles = [handle for _, handle in course.handles]
        self._session.events.emit(
            HandleChanged(
                at_ns=course.now_ns(),
                call=course.call,
                kind="stop",
                command="cancel_all_orders",
                symbol=course.symbol,
                state=state,
                outcome=outcome,
                reason=reason,
                acknowledged=bool(handles) and all(handle.acknowledged for handle in handles),
                attempts=sum(handle.attempts for handle in handles),
                orders=course.state.size,
                age_s=(course.now_ns() - course.began_ns) / 1e9,
                parts=tuple(handle.call for handle in handles),
            )
        )

    @staticmethod
    def _requests(course: StopCourse) -> Counter[str]:
        found = Counter(course.requests)
        for _, handle in course.handles:
            if handle.report is not None:
                found.update(handle.report.requests)
        return found

    def _assumed(self, scope: Scope) -> dict[str, str]:
        missing = [each for each in Book if each not in scope.books]
        names = {Book.NORMAL: "normal orders", Book.TPSL: "tpsl orders", Book.PLAN: "trigger (plan) orders"}
        return {
            "staleness_s": f"{self._staleness_ns / 1e9:g}",
            "execution_grace_s": f"{self._grace_ns / 1e9:g}",
            "late": "sweep" if scope.sweep_late else "report",
            "not_touched": ", ".join([*(names[each] for each in missing), "margin orders", "other sub-accounts"]),
        }
