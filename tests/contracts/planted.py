"""Bugs that clients of this exchange have, planted into our cancellation by symbol: the judge must find each."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Iterator
from typing import Any
from unittest import mock

from msgspec import structs

from bitget_async import cancellation, evidence, reading, session, wire
from bitget_async.errors import BitgetError, OutcomeUnknown, Refused
from bitget_async.evidence import Listing, Page, Sweep, facts, sweep
from bitget_async.limits.bucket import Bucket
from bitget_async.models import OrderStatus, Outcome, Scope
from bitget_async.wire import Answer

from .naive import aiohttp_as_it_comes
from .planting import plant


@plant("the_answer_is_not_the_end", 32)
def answer_taken_as_done() -> Iterator[None]:
    """00000 confirms: whatever is known of the orders is called final."""

    def outcome(self: Sweep) -> Outcome | None:
        if self.certainty is not evidence.Certainty.ACKED:
            return original(self)
        return Outcome.CONFIRMED if self._orders else Outcome.NOTHING_TO_CANCEL

    original = Sweep.outcome
    with mock.patch.object(Sweep, "outcome", outcome):
        yield


@plant("reads_fail_while_orders_live", 45)
def failed_read_taken_as_empty() -> Iterator[None]:
    """A read that fails gives an empty page."""
    original = session.Session.background

    async def background(self: session.Session, row: Any, given: Any, **options: Any) -> Answer[Any]:
        sent_ns = self.clock.monotonic_ns()
        try:
            return await original(self, row, given, **options)
        except BitgetError:
            now = self.clock.monotonic_ns()
            return Answer([], None, self.server.estimate_ms(now), sent_ns, now)

    with mock.patch.object(session.Session, "background", background):
        yield


@plant("an_old_order_hides_behind_a_page_of_late_ones", 44)
def first_page_only() -> Iterator[None]:
    """The first page of a listing is taken for all of it."""
    with mock.patch.object(reading, "MOST_PAGES", 1), mock.patch.object(reading, "complete", return_value=True):
        yield


@plant("ids_of_different_length_fill_two_pages", 44)
def ids_compared_as_text() -> Iterator[None]:
    """The cursor is the smallest id as text, and pages are checked the same way."""

    class Text(int):
        """An id that sorts as text does."""

        def __lt__(self, other: Any) -> bool:
            return str(int(self)) < str(int(other))

        def __le__(self, other: Any) -> bool:
            return str(int(self)) <= str(int(other))

        def __gt__(self, other: Any) -> bool:
            return str(int(self)) > str(int(other))

        def __ge__(self, other: Any) -> bool:
            return str(int(self)) >= str(int(other))

        __hash__ = int.__hash__

    original = facts.id_number

    def id_number(order_id: str) -> int | None:
        number = original(order_id)
        return None if number is None else Text(number)

    with contextlib.ExitStack() as patches:
        for room in (facts, sweep, reading):
            patches.enter_context(mock.patch.object(room, "id_number", id_number))
        yield


@plant("old_orders_are_confirmed_by_the_history", 43)
def history_filtered_by_time_since_the_command() -> Iterator[None]:
    """Only history rows created after the command are looked at."""
    original = Sweep.saw_page

    def saw_page(self: Sweep, page: Page) -> Any:
        rows = tuple(row for row in page.rows if (row.created_ms or 0) >= self.signed_ms)
        return original(self, structs.replace(page, rows=rows))

    with mock.patch.object(Sweep, "saw_page", saw_page):
        yield


@plant("a_call_after_the_signing_gets_a_command_of_its_own", 56)
def joining_a_signed_command() -> Iterator[None]:
    """A call joins a command for its symbol that is on the wire already."""
    with mock.patch.object(cancellation.Canceller, "_leave", return_value=None):
        original = cancellation.Canceller._send

        async def send(self: Any, key: Any, flight: Any, course: Any) -> None:
            try:
                await original(self, key, flight, course)
            finally:
                self._unsigned.pop(key, None)

        with mock.patch.object(cancellation.Canceller, "_send", send):
            yield


@plant("forty_calls_wait_for_tokens_and_sign_late", 24)
def signing_before_the_token() -> Iterator[None]:
    """The timestamp is taken when the call is made, not after the wait for the token."""
    original_call, original_stamp = session.Session.call, session.Session._stamp
    made: dict[asyncio.Task[Any] | None, int] = {}

    @functools.wraps(original_call)
    async def call(self: Any, row: Any, given: Any, **options: Any) -> Any:
        made[asyncio.current_task()] = self.clock.monotonic_ns()
        return await original_call(self, row, given, **options)

    def stamp(self: Any, request: Any, on_signed: Any, copy: int) -> Any:
        early = made.get(asyncio.current_task())
        if early is None or not request.row.signed:
            return original_stamp(self, request, on_signed, copy)

        def headers() -> Any:
            timestamp_ms = self.server.estimate_ms(early)
            if on_signed is not None:
                on_signed(early, timestamp_ms, copy)
            return self._credentials.headers(timestamp_ms, request.row.method, request.raw_target, request.body)

        return headers

    with mock.patch.object(session.Session, "call", call), mock.patch.object(session.Session, "_stamp", stamp):
        yield


@plant("a_lost_answer_resolves_from_evidence", 13)
def http_4xx_taken_as_refused() -> Iterator[None]:
    """Any 4xx is a refusal, envelope or not."""
    original = wire.decode

    def decode(row: Any, reply: Any) -> Answer[Any]:
        answer = original(row, reply)
        if isinstance(answer.error, OutcomeUnknown) and 400 <= reply.status < 500:
            error = Refused(answer.error.code or "", http_status=reply.status)
            return Answer(None, error, answer.request_time_ms, answer.sent_ns, answer.received_ns)
        return answer

    with mock.patch.object(session, "decode", decode):
        yield


@plant("gone_from_the_listing_is_not_cancelled", 41, 42)
def vanished_taken_as_cancelled() -> Iterator[None]:
    """An order that is gone from the listing is called cancelled."""
    original = Sweep.saw_listing

    def saw_listing(self: Sweep, listing: Listing) -> Any:
        news = original(self, listing)
        if self.answered_ns is not None and listing.complete:
            for known in self._orders.values():
                if not known.final and known.shown_ns < listing.requested_ns:
                    known.final = True
                    row: Any = known.order
                    known.order = structs.replace(row, status=OrderStatus("cancelled"))
        return news

    with mock.patch.object(Sweep, "saw_listing", saw_listing):
        yield


@plant("late_orders_neither_block_nor_count", 37, 38)
def late_orders_claimed() -> Iterator[None]:
    """Orders created after the signing are counted as ours."""
    original = Sweep.scope_of

    def scope_of(self: Sweep, order: Any) -> Scope:
        scope = original(self, order)
        return Scope.IN if scope is Scope.LATE else scope

    with mock.patch.object(Sweep, "scope_of", scope_of):
        yield


@plant("timeouts_do_not_give_tokens_back_early", 7, 58)
def token_back_at_once_on_a_timeout() -> Iterator[None]:
    """A request without an answer gives its token back at once."""
    with mock.patch.object(Bucket, "lost", lambda self, lease, now, until_ns: self.unsent(lease)):
        yield


@plant("a_redirect_goes_nowhere", 21)
def redirects_followed() -> Iterator[None]:
    """Aiohttp's default: a 307 takes the command, its body and its signature elsewhere."""
    with aiohttp_as_it_comes(redirects=True):
        yield
