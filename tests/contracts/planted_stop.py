"""Bugs of stops: what is taken for flat, whom it takes along, and what goes on without anybody. See `planting`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from msgspec import structs

from bitget_async import reading
from bitget_async.evidence import Listing
from bitget_async.limits.bucket import Bucket
from bitget_async.models import Fate
from bitget_async.stop import Stopper
from bitget_async.stop.listing import Lists
from bitget_async.stop.sending import Lanes
from bitget_async.stopping import Checks, Rests, Stopping, state

from .planting import patched, plant


@plant("stop_of_more_than_a_page", 44)
def one_page_is_all_that_is_open() -> Iterator[None]:
    """Whatever the first page does not show is not there, before and after."""
    original = reading.Reading.listing

    async def listing(self: Any, symbol: Any, book: Any, **given: Any) -> Any:
        found, pages = await original(self, symbol, book, **{**given, "most": 1})
        return structs.replace(found, complete=True), pages

    with patched(reading.Reading, "listing", listing):
        yield


@plant("stop_with_orders_that_no_listing_shows_yet", 39)
def first_clear_listing_believed() -> Iterator[None]:
    """None left: flat."""
    with patched(Checks, "trusted_ns", property(lambda self: 0)):
        yield


@plant("stop_that_is_taken_and_never_executed", 32)
def every_command_executes() -> Iterator[None]:
    """It was taken, so nothing is left."""
    original = Stopping.checked

    def checked(self: Stopping, rows: Any, latest_ms: Any) -> int:
        return original(self, (), latest_ms)

    with patched(Stopping, "checked", checked):
        yield


@plant("stop_that_misses_some", 33)
def one_round_is_enough() -> Iterator[None]:
    """Each order is cancelled once."""

    async def again(self: Stopper, course: Any) -> None:
        course.checks.again()
        course.checks.sent(course.now_ns())

    with patched(Stopper, "_again", again):
        yield


@plant("stop_called_for_twice", 12)
def every_stop_rests_for_itself() -> Iterator[None]:
    """What another stop has just cancelled is cancelled again at once."""
    with patched(Rests, "of", lambda self, ids, now: {}):
        yield


@plant("stop_that_keeps_an_order", 38)
def symbols_taken_whole_with_orders_to_keep() -> Iterator[None]:
    """One command for a symbol is cheaper than names."""
    with patched(Stopping, "by_id", property(lambda self: set())):
        yield


@plant("stop_with_orders_that_come_later", 37)
def late_orders_required() -> Iterator[None]:
    """All that a listing shows has to go."""
    with patched(Stopping, "late", staticmethod(lambda row, latest_ms: False)):
        yield


@plant("stop_of_which_no_history_tells", 41)
def gone_is_cancelled() -> Iterator[None]:
    """No listing shows it: it must have been cancelled."""
    with patched(state, "FINAL", (*state.FINAL, Fate.VANISHED)):
        yield


@plant("stop_whose_listings_fail_afterwards", 45)
def failed_listings_are_empty() -> Iterator[None]:
    """A listing that fails shows nothing open."""
    original = Lists.look

    async def look(self: Any, course: Any) -> Any:
        found = await original(self, course)
        now_ns = course.now_ns()
        (book,) = course.state.scope.books
        return found or [Listing(None, now_ns, self._session.server.estimate_ms(now_ns), (), True, book)]

    with patched(Lists, "look", look):
        yield


@plant("stop_of_trigger_orders_that_stay", 40)
def only_normal_orders_listed_afterwards() -> Iterator[None]:
    """The first list is clear, so all are."""
    original = Lists.look

    async def look(self: Any, course: Any) -> Any:
        found = await original(self, course)
        return found and found[:1]

    with patched(Lists, "look", look):
        yield


@plant("stop_whose_caller_leaves_at_once", 48)
def left_alone_it_goes_on() -> Iterator[None]:
    """What is planned is sent, whether anybody waits or not."""
    begin = Stopper._begin

    async def detached(self: Any, course: Any) -> None:
        await asyncio.shield(self._tasks.spawn(begin(self, course), "bitget_async: stop"))

    with patched(Stopping, "withdraw", lambda self: None), patched(Stopper, "_begin", detached):
        yield


@plant("stop_whose_client_is_closed", 51)
def stops_left_open_at_the_end() -> Iterator[None]:
    """Closing ends the tasks; who awaits a stop waits for ever."""

    async def close(self: Any) -> None:
        self._closed = True
        self._pending.clear()
        await self._tasks.close()

    with patched(Stopper, "close", close):
        yield


@plant("stop_that_is_turned_away_for_ever", 12)
def all_commands_first() -> Iterator[None]:
    """It looks at the time when everything was sent."""
    original = Lanes.drained

    async def drained(self: Any, course: Any, page_ns: Any, **given: Any) -> None:
        course.deadline_ns += 3_600_000_000_000
        await original(self, course, page_ns, **given)

    with patched(Lanes, "drained", drained):
        yield


@plant("stop_of_a_book_that_takes_seconds", 58)
def tokens_back_with_the_answer() -> Iterator[None]:
    """A stop is urgent: what was answered may be asked again."""
    original = Bucket._settle

    def settle(self: Bucket, lease: Any, at_ns: int) -> None:
        original(self, lease, 0)

    with patched(Bucket, "_settle", settle):
        yield
