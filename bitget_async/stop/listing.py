"""What is open, for a stop: before its commands, page by page, and after them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.endpoints import Endpoint
from bitget_async.errors import BitgetError, UsageError
from bitget_async.events import Events
from bitget_async.evidence import Book, Listing
from bitget_async.halt import StopCourse
from bitget_async.reading import Answered, Reading
from bitget_async.stopping import Scope
from bitget_async.tasks import Tasks
from bitget_async.tracker import OpenOrders, Tracker
from bitget_async.tracking import Sureness
from bitget_async.watcher import Watcher

__all__ = ["Caller", "Lists"]

MOST_PAGES = 1_000
# So long the watcher may be kept from reading while what is open is listed.
HELD_NS = 5_000_000_000
# So many symbols are listed one by one; more, or all, by the pages of the account.
FEW_SYMBOLS = 5


class Caller(Protocol):
    """What a stop needs of a session."""

    clock: Clock
    server: ServerClock
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


class Lists:
    """
    Lists open orders for the stops of a client.

    Args:
        session, watcher, tracker: of the client.
        tasks: own the listings that go on side by side.

    Attributes:
        page_ns: how long the first page of the last listing took, if there was one.
    """

    def __init__(self, session: Caller, watcher: Watcher, tracker: Tracker, tasks: Tasks) -> None:
        self._session = session
        self._watcher = watcher
        self._tracker = tracker
        self._tasks = tasks
        self._reading = Reading(_Urgent(session))
        self.page_ns: int | None = None

    def latest_ms(self, course: StopCourse) -> int | None:
        """The latest that the exchange's clock can have shown at the call; `None` while nobody knows."""
        bounds = self._session.server.bounds_ms(course.began_ns)
        return None if bounds is None else bounds[1]

    def tracked(self, course: StopCourse) -> bool:
        """Take what is open from the tracker, if it is sure of it."""
        scope, opened = course.state.scope, OpenOrders(self._tracker)
        if scope.books != (Book.NORMAL,) or opened.sureness is not Sureness.LIVE:
            return False
        course.state.saw([each.order for each in opened], Book.NORMAL, self.latest_ms(course))
        return True

    async def survey(self, course: StopCourse, found: Callable[[], None]) -> None:
        """
        Read all that is open; `found` is called after each page.

        Raises: NotSent, OutcomeUnknown, Refused: one of the lists could not be read.
        """
        scope = course.state.scope
        work = [
            self._tasks.spawn(self._list(course, symbol, book, found), "bitget_async: stop, listing")
            for book in scope.books
            for symbol in _targets(scope)
        ]
        # What became of the first commands can be read a little later: until then all pages are needed here.
        now_ns = self._session.clock.monotonic_ns
        self._watcher.hold(now_ns() + HELD_NS)
        try:
            _ = await asyncio.wait(work)
        except asyncio.CancelledError:
            for task in work:
                task.cancel()
            raise
        finally:
            self._watcher.hold(now_ns())
        for task in work:
            await task

    async def _list(self, course: StopCourse, symbol: str | None, book: Book, found: Callable[[], None]) -> None:
        began_ns: int | None = self._session.clock.monotonic_ns()

        def page(rows: Sequence[Any]) -> None:
            nonlocal began_ns
            if began_ns is not None:
                self.page_ns = self._session.clock.monotonic_ns() - began_ns
                began_ns = None
            course.state.saw(rows, book, self.latest_ms(course))
            found()

        # Nobody is told of a rehearsal: of whom these reads were would mean nothing.
        calls = () if course.dry else (course.call,)
        listing, pages = await self._reading.listing(symbol, book, most=MOST_PAGES, tell=page, calls=calls)
        course.requests[listing.source] += pages
        if not listing.complete:
            course.state.odd("the listing of open orders was incomplete")

    async def look(self, course: StopCourse) -> list[Listing] | None:
        """
        What is open now in all lists in scope, or `None` where one could not be read. All pending calls hear it.
        """
        scope = course.state.scope
        found: list[Listing] = []
        try:
            for book in scope.books:
                for symbol in _targets(scope):
                    listing, pages = await self._watcher.look(symbol, book, course.call)
                    course.requests[listing.source] += pages
                    found.append(listing)
        except BitgetError as error:
            if isinstance(error, UsageError):
                raise
            course.state.odd(f"a listing failed ({type(error).__name__})")
            return None
        if not all(each.complete for each in found):
            course.state.odd("an open listing was incomplete and was not used")
            return None
        return found

    def left(self, course: StopCourse, listings: Iterable[Listing]) -> int:
        """Tell the stop what they show; returns how many orders in scope are left."""
        rows: list[tuple[Book, Any]] = [(each.book, row) for each in listings for row in each.rows]
        left = course.left = course.state.checked(rows, self.latest_ms(course))
        if not left and course.clear_ms is None:
            course.clear_ms = min(each.server_ms for each in listings)
            course.checks.cleared = True
        course.tell()
        return left


def _targets(scope: Scope) -> Sequence[str | None]:
    if scope.symbols is not None and len(scope.symbols) <= FEW_SYMBOLS:
        return sorted(scope.symbols)
    return (None,)
