"""
The shared watcher: one for all pending cancellations of a client.

`inquiry` decides what to read and when, `evidence` what it proves; this file waits, reads, feeds and settles. Where the
order stream is on, its pushes are fed too (`hearing`): they settle early, and bring the next read forward.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.codes import asks_to_wait
from bitget_async.course import Course, NamedCourse, SweepCourse
from bitget_async.endpoints import BATCH_CANCEL_ORDER, Endpoint
from bitget_async.errors import BitgetError, OutcomeUnknown, RateLimited, UsageError
from bitget_async.events import Events, RequestEvent
from bitget_async.evidence import Book, Certainty, Command, Listing, Page, Sweep, Want
from bitget_async.hearing import Hearing
from bitget_async.inquiry import Breaker, Inquiry, Read, ReadKind
from bitget_async.models import Order, OrderUpdate
from bitget_async.reading import Answered, Reading
from bitget_async.resumption import Home, Recorder, describe
from bitget_async.tasks import Tasks
from bitget_async.telling import Telling

__all__ = ["Watcher"]

SECOND_NS = 1_000_000_000
ENSURE_AFTER_NS = 2 * SECOND_NS
ENSURE_EVERY_NS = 5 * SECOND_NS
ENSURE_IDS = 20
# Pages of the network in front, without an envelope.
TURNED_AWAY = (403, 429)
STALL_NS = SECOND_NS
STALL_GRACE_NS = 6 * SECOND_NS
NOWHERE = Home()
LEFT = ("client_closed", "internal")
# How long placements are remembered that no listing need show.
KEEP_NS = 60 * SECOND_NS


class Reader(Protocol):
    """What the watcher needs of a session."""

    clock: Clock
    server: ServerClock
    events: Events

    async def background(self, row: Endpoint, given: Mapping[str, Any], *, calls: tuple[int, ...] = ()) -> Answered:
        """One read, never repeated, inside a share of its quota."""

    async def command(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        max_wait_s: float | None = None,
        calls: tuple[int, ...] = (),
    ) -> Answered:
        """One command."""


class Tracker(Protocol):
    """What the watcher needs of a tracker of open orders, and what it tells it in return."""

    def snapshot(self, symbol: str) -> tuple[Order, ...] | None:
        """What is open now, or `None` where nobody can be sure."""

    def placed(self, order: Order) -> None:
        """This client has placed an order."""

    def listed(self, listing: Listing) -> None:
        """A listing was read."""

    def looked_up(self, page: Page) -> None:
        """Finished orders were read, or one order."""


class Watcher:
    """
    Reads for every pending call of a client, and settles them. A listener of the order stream, too.

    Args:
        session: makes the reads.
        rng: jitter.
        home: where its calls belong.
        recorder: writes them into the journal, if there is one.
        tracker: knows what is open, if there is one; may be set later.

    Attributes:
        breaker: says when the next read may go; for all who read in the background.
        telling: tells who listens of the handles.
        outcomes: how many settled with which outcome.
    """

    def __init__(
        self,
        session: Reader,
        rng: random.Random,
        home: Home = NOWHERE,
        recorder: Recorder | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        self.home = home
        self.recorder = recorder
        self.tracker = tracker
        self.breaker = Breaker(rng)
        self.telling = Telling(session.events, session.clock.monotonic_ns)
        self.outcomes: Counter[str] = Counter()
        self._session = session
        self._reading = Reading(session)
        self._inquiry = Inquiry(rng, self.breaker)
        self._pending: dict[Course, None] = {}
        self._sweeps: dict[SweepCourse, None] = {}
        # With thousands pending, whoever wants those of one symbol must not look at all.
        self._of: dict[str, dict[Course, None]] = {}
        # Settled without knowing: see `_give_up`.
        self._given_up: dict[str, deque[Course]] = {}
        self._hearing = Hearing(session.server.estimate_ms)
        self._tasks = Tasks()
        self._running = False
        self._news = asyncio.Event()
        self._wake_ns = 0
        self._held_ns = 0
        self._account: Listing | None = None
        self._placed: dict[str, deque[tuple[int, Order]]] = {}
        self._rate_limited = False

    @property
    def pending(self) -> tuple[Course, ...]:
        """Calls that are not settled, oldest first."""
        return tuple(self._pending)

    # -- what happens to a call -------------------------------------------------------------------------------

    def intended(self, course: Course) -> None:
        """It is about to wait for its tokens."""
        self.telling.intended(course)
        if self.recorder is not None:
            self.recorder.intended(course)

    def withdrawn(self, course: Course, error: BaseException) -> None:
        """It was given up before anything of it was stamped."""
        self.telling.ended(course, error)
        if self.recorder is not None:
            self.recorder.settled(course, "withdrawn")

    def sending(self, course: Course, command: Command) -> None:
        """That command of it was stamped, and leaves when the stamp is made."""
        if self.recorder is not None:
            self.recorder.sending(course, command)

    def signed(self, course: Course) -> None:
        """A command of it was stamped: start watching it, or start anew if it was stamped again."""
        self.telling.now(course, "signed")
        now = self._session.clock.monotonic_ns()
        if course.report is not None:
            # Its time was up before this copy, or the last of its commands, could go out: the report stands.
            self._give_up(course, now)
            if isinstance(course, NamedCourse):
                self._note_placements(course)
            return
        if course in self._pending:
            self._inquiry.resigned(course)
            self._wake(course.deadline_ns)
            return
        if isinstance(course, SweepCourse):
            self._begin(course, now)
        elif isinstance(course, NamedCourse):
            self._note_placements(course)
            self._inquiry.add(course, course.named, now)
        self._join(course)
        _ = self._learnt(course)
        self._wake(now if isinstance(course, SweepCourse) else course.deadline_ns)

    def _join(self, course: Course) -> None:
        self._pending[course] = None
        if isinstance(course, SweepCourse):
            self._sweeps[course] = None
        for symbol in course.symbols:
            self._of.setdefault(symbol, {})[course] = None
        self._hearing.add(course)

    def _begin(self, course: SweepCourse, now: int) -> None:
        """What a cancellation by symbol knows from the start: orders placed a moment ago, and a fresh listing."""
        evidence = course.sweep
        account = self._account if course.book is Book.NORMAL else None
        if account is not None and now - account.requested_ns > self._inquiry.fresh_ns:
            account = None
        # What was placed since the snapshot, or a moment before it, stands in no listing: the token may take long.
        looked_ns = now if account is None else account.requested_ns
        looked_ns = looked_ns if course.looked_ns is None else course.looked_ns
        since_ns = looked_ns - round(2 * evidence.assumptions.staleness_s * SECOND_NS)
        if course.book is Book.NORMAL:
            for placed_ns, order in self._placed.get(evidence.symbol, ()):
                if placed_ns >= since_ns:
                    evidence.placed(order)
            if account is not None:
                evidence.saw_listing(account)
            self._ask_tracker(evidence)
        given_up = self._given_up.get(evidence.symbol, ())
        acting = (other for other in given_up if other.evidence.horizon_ns >= since_ns)
        for other in (*self._of.get(evidence.symbol, ()), *acting):
            if _cancelling(other, course):
                course.alone = False
                if isinstance(other, SweepCourse):
                    other.alone = False
            if isinstance(other, NamedCourse):
                course.meanwhile.update(_placing(other, course))
        self._inquiry.add(course, evidence, now, snapshot=course.options.snapshot != "none")

    def _ask_tracker(self, evidence: Sweep) -> None:
        """What pushes say is open: known at once, and proven like all else."""
        rows = None if self.tracker is None else self.tracker.snapshot(evidence.symbol)
        for row in rows or ():
            evidence.placed(row, "tracker", hearsay=True)
        evidence.tracked = rows is not None

    def _note_placements(self, course: NamedCourse) -> None:
        """Tell every cancellation by symbol which placements it may take, and who else cancels beside it."""
        for sweep in self._sweeps:
            if _cancelling(course, sweep):
                sweep.alone = sweep.passed
            (sweep.trusting if sweep.passed else sweep.meanwhile).update(_placing(course, sweep))

    def sweeps(self) -> list[SweepCourse]:
        """The cancellations by symbol that are not settled."""
        return list(self._sweeps)

    def heard(self, course: Course, command: Command) -> None:
        """The answer to that command of it came, or it is known that none will."""
        if self.recorder is not None:
            self.recorder.answered(course, command)

    def _learnt(self, course: Course, *, news: bool = True) -> bool:
        self.telling.learnt(course)
        if self.recorder is not None:
            self.recorder.learnt(course, news=news)
        return news

    def answered(self, course: Course) -> None:
        """All its answers came, or it is known that none will."""
        if course in self._pending:
            self.telling.now(course, "answered")
            self.telling.learnt(course)
            self._answered(course)

    def _answered(self, course: Course) -> None:
        now = self._session.clock.monotonic_ns()
        ensure = isinstance(course, SweepCourse) and course.options.ensure
        lost = isinstance(course, NamedCourse) and course.named.certainty is not Certainty.ACKED
        stop_ns = now + ENSURE_AFTER_NS if ensure else None
        look_ns = self._inquiry.answered(course, now, stop_ns=stop_ns, at_once=lost)
        if course.ripe:
            self._settle(course)
        elif isinstance(course, NamedCourse) and lost and course.named.hopeless:
            self._settle(course, "not_found")
        self._wake(min(look_ns, course.deadline_ns))

    async def look_before(self, course: SweepCourse) -> None:
        """List its orders before the command is signed. A listing that fails is noted: it must not stop a cancel."""
        try:
            listing, pages = await self._listing(course.sweep.symbol, course.book, (course.call,))
        except BitgetError as error:
            course.sweep.odd(f"the snapshot before the command failed ({type(error).__name__})")
        else:
            course.looked_ns = listing.requested_ns
            self._feed_listing(listing, [course], pages)

    async def look(self, symbol: str | None, book: Book, call: int) -> tuple[Listing, int]:
        """
        List open orders for somebody else, whose number that is; all who are pending hear it. Returns the listing and
        how many pages it had.

        Raises: NotSent, OutcomeUnknown, Refused: it could not be read.
        """
        listing, pages = await self._listing(symbol, book, (call, *self._calls(symbol, book)))
        fed = self._fed(symbol, book)
        self._note_found(self._feed_listing(listing, fed, pages))
        for course in fed:
            if course in self._pending and course.ripe:
                self._settle(course)
        self._news.set()
        return listing, pages

    def hold(self, until_ns: int) -> None:
        """Start no read before that moment: somebody else needs the tokens more. A later call changes it."""
        self._held_ns = until_ns
        self._news.set()

    def described(self, course: Course) -> dict[str, Any]:
        """A call as plain JSON values."""
        return describe(course, self.home, self._session.server.estimate_ms(self._session.clock.monotonic_ns()))

    def again(self, course: Course) -> None:
        """Look at a call's orders on this new course, of a settled or of a resumed one; its time counts from now."""
        self.telling.begun(course, "resumed")
        now = self._session.clock.monotonic_ns()
        course.deadline_ns = now + round(course.confirm_within_s * 1e9)
        self._join(course)
        self._inquiry.add(course, course.evidence, now)
        self._answered(course)

    def dropped(self, course: Course, error: BitgetError) -> None:
        """Its command was refused, or never left: there is nothing to watch."""
        self._forget(course)
        self.telling.ended(course, error)
        if self.recorder is not None:
            self.recorder.settled(course, "refused, or not sent")

    def _forget(self, course: Course) -> None:
        self._pending.pop(course, None)
        if isinstance(course, SweepCourse):
            self._sweeps.pop(course, None)
        for symbol in course.symbols:
            same = self._of.get(symbol, {})
            same.pop(course, None)
            if not same:
                self._of.pop(symbol, None)
        self._hearing.remove(course)
        self._inquiry.remove(course)
        course.tell()

    def placed(self, order: Order) -> None:
        """This client placed an order: a listing may be too old to show it yet."""
        if self.tracker is not None:
            self.tracker.placed(order)
        now = self._session.clock.monotonic_ns()
        recent = self._placed.setdefault(order.symbol, deque(maxlen=1000))
        while recent and now - recent[0][0] > KEEP_NS:
            recent.popleft()
        recent.append((now, order))

    def _note_found(self, courses: Sequence[Course]) -> None:
        """Placements of which no answer told the id, and now a read does."""
        for course in courses:
            if isinstance(course, NamedCourse) and course.book is Book.NORMAL:
                for each in course.named.targets:
                    found = each.want is Want.PRESENT and each.certainty is not Certainty.ACKED
                    if found and isinstance(each.row, Order):
                        self.placed(each.row)

    # -- the order stream -------------------------------------------------------------------------------------

    def pushed(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """
        A frame of the order stream came: late, doubled or out of order as may be. A call of which it proves the rest is
        settled at once; where the next listing will be clear by what it says, that is read at once.
        """
        try:
            for course, found, news in self._hearing.told(updates, received_ns):
                self._note_found([course])
                _ = self._learnt(course, news=found)
                if not news or (isinstance(course, SweepCourse) and not course.sweep.foretold):
                    continue
                if course.ripe:
                    self._settle(course)
                else:
                    self._wake(self._inquiry.hinted(course, self._session.clock.monotonic_ns()))
        except Exception as error:
            self._broken(error)

    def connected(self, now_ns: int) -> None:
        """Pushes come from now on; those of before may be missing, so what waits for a listing looks once more."""
        self._inquiry.missed(now_ns)
        if self._pending:
            self._wake(now_ns)

    def disconnected(self, now_ns: int) -> None:
        """Pushes come no more. Nothing changes: no read was ever left out because of them."""

    async def close(self) -> None:
        """Settle all that is pending as UNKNOWN (`client_closed`) and stop. Safe to call twice."""
        self._settle_all("client_closed")
        await self._tasks.close()

    # -- the loop ---------------------------------------------------------------------------------------------

    def _wake(self, at_ns: int) -> None:
        """There is something to do at that moment: the loop need not hear of it if it wakes before that anyway."""
        if at_ns < self._wake_ns:
            self._news.set()
        if not self._running:
            self._running = True
            self._wake_ns = 0
            self._tasks.start(self._watch(), "bitget_async: watcher")

    async def _watch(self) -> None:
        try:
            while self._pending:
                self._news.clear()
                now = self._session.clock.monotonic_ns()
                self._mind_stall(now)
                self._expire(now)
                for read in self._inquiry.due(now) if now >= self._held_ns else ():
                    self._tasks.start(self._guarded(self._read, read), f"bitget_async: {read.kind.value}")
                await self._pause(now)
        except Exception as error:
            self._broken(error)
        finally:
            self._running = False

    async def _pause(self, now: int) -> None:
        """Wait for news, for the next look or for the next deadline, whichever comes first."""
        moments = [course.deadline_ns for course in self._pending]
        if (look := self._inquiry.wake_ns()) is not None:
            moments.append(max(look, self._held_ns))
        if not moments:
            return
        self._wake_ns = max(min(moments), now)
        try:
            # At least 10 us: a timer may fire a little early, and a shorter one could spin until its moment has come.
            async with asyncio.timeout(max(self._wake_ns - now, 10_000) / 1e9):
                await self._news.wait()
        except TimeoutError:
            pass

    def _mind_stall(self, now: int) -> None:
        """After the loop stood still, nobody's time is up before one fresh look."""
        if self._wake_ns and now - self._wake_ns > STALL_NS:
            for course in self._pending:
                if course.deadline_ns < now + STALL_GRACE_NS:
                    course.deadline_ns = now + STALL_GRACE_NS
                    self._inquiry.urged(course, now)

    def _expire(self, now: int) -> None:
        for course in [each for each in self._pending if each.deadline_ns <= now]:
            reason = course.evidence.why_unknown()
            if self._rate_limited and reason != "vanished":
                reason = "rate_banned"
            if (retry_ns := self._inquiry.retry_ns) is not None:
                course.retry_at_ms = self._session.server.estimate_ms(retry_ns)
            self._settle(course, reason)

    def _settle(self, course: Course, reason: str | None = None) -> None:
        self._forget(course)
        now = self._session.clock.monotonic_ns()
        course.settle(reason, self._session.server.estimate_ms(now))
        assert course.report is not None
        self.outcomes[course.report.outcome.name] += 1
        if course.report.outcome.name == "UNKNOWN":
            self._give_up(course, now)
        self.telling.settled(course)
        if self.recorder is not None:
            self._close_entry(course)

    def _give_up(self, course: Course, now: int) -> None:
        """It is settled, and what the exchange has of it may still be executed: remember it until long after that."""
        for symbol in course.symbols:
            recent = self._given_up.setdefault(symbol, deque(maxlen=1000))
            while recent and now - recent[0].evidence.horizon_ns > KEEP_NS:
                recent.popleft()
            recent.append(course)

    def _close_entry(self, course: Course) -> None:
        """A call that only this client gave up stays in the journal: another process may still find out."""
        assert self.recorder is not None
        assert course.report is not None
        if course.report.reason in LEFT:
            self.recorder.left(course)
        else:
            self.recorder.settled(course, course.report.outcome.name)

    def _settle_all(self, reason: str) -> None:
        for course in self.pending:
            self._settle(course, reason)

    def _broken(self, error: Exception) -> None:
        """A defect of ours: nobody hangs, and the loop's exception handler hears of it."""
        self._settle_all("internal")
        context = {"message": "bitget_async: the watcher failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)

    async def _guarded(self, work: Callable[..., Awaitable[None]], *given: Any) -> None:
        # The work is made in here: a task that is closed before its first step would leave it never awaited.
        try:
            await work(*given)
        except Exception as error:
            self._broken(error)

    # -- reads ------------------------------------------------------------------------------------------------

    async def _read(self, read: Read) -> None:
        """Make one read, feed what it brought, settle what it settles."""
        try:
            if read.kind is ReadKind.LISTING:
                listing, pages = await self._listing(read.symbol, read.book, self._calls(read.symbol, read.book))
                fed = self._fed(read.symbol, read.book)
                progress = self._feed_listing(listing, fed, pages)
                self._note_found(progress)
                self._inquiry.done(read, self._session.clock.monotonic_ns(), listing=listing, progress=progress)
            else:
                page = await self._reading.page(read, calls=self._calls(read.symbol, read.book))
                if self.tracker is not None:
                    self.tracker.looked_up(page)
                fed = self._fed(read.symbol, read.book)
                progress = [
                    course
                    for course in fed
                    if self._learnt(course, news=course.learn(course.evidence.saw_page(page), page.source, 1))
                ]
                self._note_found(progress)
                self._inquiry.done(read, self._session.clock.monotonic_ns(), page=page, progress=progress)
        except BitgetError as error:
            if isinstance(error, UsageError):
                raise
            status = error.http_status if isinstance(error, OutcomeUnknown) else None
            self._rate_limited = isinstance(error, RateLimited) or status in TURNED_AWAY
            waiting = self._rate_limited or asks_to_wait(getattr(error, "code", None))
            self._inquiry.failed(read, self._session.clock.monotonic_ns(), turned_away=waiting)
            self._news.set()
            return
        self._rate_limited = False
        for course in fed:
            if course in self._pending and course.ripe:
                self._settle(course)
        self._news.set()

    def _fed(self, symbol: str | None, book: Book) -> list[Course]:
        """Whom a read of that tells something."""
        courses = self._pending if symbol is None else self._of.get(symbol, {})
        return [course for course in courses if course.covers(symbol, book)]

    def _calls(self, symbol: str | None, book: Book) -> tuple[int, ...]:
        """Their numbers, if anybody listens."""
        if not self._session.events.wants(RequestEvent):
            return ()
        return tuple(course.call for course in self._fed(symbol, book))

    async def _listing(self, symbol: str | None, book: Book, calls: tuple[int, ...]) -> tuple[Listing, int]:
        listing, pages = await self._reading.listing(symbol, book, calls=calls)
        if self.tracker is not None:
            self.tracker.listed(listing)
        if symbol is None and listing.complete and book is Book.NORMAL:
            self._account = listing
        return listing, pages

    def _feed_listing(self, listing: Listing, fed: list[Course], pages: int) -> list[Course]:
        """Tell them what a listing shows; returns those that learnt anything."""
        progress = []
        for course in fed:
            if self._learnt(course, news=course.learn(course.evidence.saw_listing(listing), listing.source, pages)):
                progress.append(course)
            if not listing.complete:
                course.evidence.odd("an open listing was incomplete and was not used")
            if isinstance(course, SweepCourse):
                self._ensure(course, listing)
        return progress

    # -- ensure -----------------------------------------------------------------------------------------------

    def _ensure(self, course: SweepCourse, listing: Listing) -> None:
        """Cancel by id what a listing still shows open two seconds after the answer; never an id twice in 5 s."""
        answered_ns = course.sweep.answered_ns
        if not course.options.ensure or answered_ns is None or not listing.complete:
            return
        if listing.requested_ns < answered_ns + ENSURE_AFTER_NS:
            return
        now = self._session.clock.monotonic_ns()
        ids = [each for each in course.sweep.open_ids if now - course.ensured.get(each, 0) >= ENSURE_EVERY_NS]
        for start in range(0, len(ids), ENSURE_IDS):
            chunk = ids[start : start + ENSURE_IDS]
            course.ensured.update(dict.fromkeys(chunk, now))
            self._tasks.start(self._guarded(self._cancel_ids, course, chunk), "bitget_async: ensure")

    async def _cancel_ids(self, course: SweepCourse, ids: list[str]) -> None:
        """One batch-cancel-order. Its answer is a receipt: what became of the orders is read like everything else."""
        course.count(BATCH_CANCEL_ORDER.short)
        given = {"symbol": course.sweep.symbol, "order_list": [{"order_id": each} for each in ids]}
        try:
            await self._session.command(BATCH_CANCEL_ORDER, given, calls=(course.call,))
        except UsageError:
            raise
        except BitgetError as error:
            course.evidence.odd(f"cancelling by id brought {type(error).__name__}")
        self._inquiry.urged(course, self._session.clock.monotonic_ns())
        self._news.set()


def _cancelling(course: Course, sweep: SweepCourse) -> bool:
    """Whether one may cancel orders that the other sweeps: it is another sweep that may not have run, or names some."""
    if not course.covers(sweep.sweep.symbol, sweep.book):
        return False
    if isinstance(course, SweepCourse):
        # Of those with a report only one that was given up is asked about.
        return course.report is not None or not course.passed
    return isinstance(course, NamedCourse) and any(each.want is Want.FINAL for each in course.named.targets)


def _placing(course: NamedCourse, sweep: SweepCourse) -> dict[str, None]:
    """Client ids of the orders that one places on the symbol that the other sweeps, and that are not known yet."""
    if course.book is not sweep.book:
        return {}
    placed = (each for each in course.named.targets if each.want is Want.PRESENT and each.symbol == sweep.sweep.symbol)
    return {each.client_oid: None for each in placed if each.order_id is None and each.verdict(course.book) is None}
