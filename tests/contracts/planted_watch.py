"""Bugs of looking: what rows prove, what failed reads are taken for, and who hears of it. See `planting`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import structs

from bitget_async import cancellation, evidence, handle, watcher
from bitget_async.course import Course
from bitget_async.errors import NotSent
from bitget_async.evidence import Command, Listing, Sweep
from bitget_async.evidence import sweep as sweeping
from bitget_async.inquiry import Inquiry, ReadKind, looks
from bitget_async.inquiry.breaker import Breaker
from bitget_async.models import Fate, Order, OrderStatus, Outcome
from bitget_async.models.reports import final_fate, order_fate
from bitget_async.reading import Reading

from .planting import patched, plant


@plant("executed_half_a_minute_later", 8, 32)
def open_means_still_open() -> Iterator[None]:
    """A listing after the command shows an order open: STILL_OPEN, though the command may act for 40 s."""
    with patched(Command, "horizon_ns", Command.deciding_ns):
        yield


@plant("the_answer_is_not_the_end", 9, 42)
def unknown_taken_as_cancelled_in_the_end() -> Iterator[None]:
    """After so many looks it must be done."""
    original = watcher.Watcher._settle

    def settle(self: Any, course: Any, reason: str | None = None) -> None:
        original(self, course, reason)
        report = course.report
        if report.outcome in (Outcome.UNKNOWN, Outcome.STILL_OPEN):
            course.report = structs.replace(report, outcome=Outcome.CONFIRMED) if _struct(report) else _made(report)

    with patched(watcher.Watcher, "_settle", settle):
        yield


def _struct(report: Any) -> bool:
    return hasattr(report, "__struct_fields__")


def _made(report: Any) -> Any:
    import dataclasses

    return dataclasses.replace(report, outcome=Outcome.CONFIRMED)


@plant("nothing_to_cancel_is_found_out_not_believed", 28)
def claims_believed() -> Iterator[None]:
    """22001: there was nothing."""
    original = Sweep.outcome

    def outcome(self: Sweep) -> Outcome | None:
        claimed = any("claimed" in each for each in self.anomalies)
        return Outcome.NOTHING_TO_CANCEL if claimed else original(self)

    with patched(Sweep, "outcome", outcome):
        yield


@plant("some_survive_the_sweep", 33)
def part_taken_as_all() -> Iterator[None]:
    """One order is cancelled: so the command was executed, and all are."""
    original = Sweep.outcome

    def outcome(self: Sweep) -> Outcome | None:
        return Outcome.CONFIRMED if any(each.fate is Fate.CANCELLED for each in self.fates) else original(self)

    with patched(Sweep, "outcome", outcome):
        yield


@plant("an_order_fills_while_it_is_cancelled", 34)
def every_end_called_cancelled() -> Iterator[None]:
    """Gone is cancelled: fills that cross the command are not told apart."""
    with patched(sweeping, "final_fate", lambda status: Fate.CANCELLED):
        yield


@plant("an_order_fills_for_a_part_and_is_cancelled", 35)
def filled_amounts_forgotten() -> Iterator[None]:
    """A cancelled order has nothing filled."""

    def fate(row: Any, *given: Any) -> Any:
        if row.status is OrderStatus.CANCELLED and isinstance(row, Order):
            row = structs.replace(row, base_volume=Decimal(0))
        return order_fate(row, *given)

    with patched(sweeping, "order_fate", fate):
        yield


@plant("a_replica_shows_an_order_again_that_has_ended", 36)
def later_rows_win() -> Iterator[None]:
    """The last row that came is the truth, also where it comes from a replica that lags."""
    original = Sweep._saw_open

    def saw_open(self: Sweep, row: Any, listing: Listing) -> Any:
        number = evidence.id_number(row.order_id)
        known = None if number is None else self._orders.get(number)
        again = known is not None and known.final
        if known is not None and again:
            known.final, known.shown_ns, known.source = False, -1, "client"
        return original(self, row, listing)

    with patched(Sweep, "_saw_open", saw_open):
        yield


@plant("the_answer_is_not_the_end", 38)
def only_own_orders_counted() -> Iterator[None]:
    """What this client did not place is not looked for, though the command takes it."""
    original = Sweep.saw_listing

    def saw_listing(self: Sweep, listing: Listing) -> Any:
        rows = tuple(row for row in listing.rows if evidence.id_number(row.order_id) in self._orders)
        return original(self, structs.replace(listing, rows=rows))

    with patched(Sweep, "saw_listing", saw_listing):
        yield


@plant("a_young_order_hides_behind_an_old_listing", 39)
def listings_never_stale() -> Iterator[None]:
    """A listing shows what is true when it is asked for."""
    with patched(Command, "deciding_ns", property(lambda self: self.signed_ns)):
        yield


@plant("take_profit_orders_are_left_alone", 40)
def other_lists_required() -> Iterator[None]:
    """Whatever a listing shows has to go, also what the command does not touch."""
    with patched(Sweep, "_foreign", lambda self, row: False):
        yield


@plant("the_history_never_comes_but_single_orders_do", 42)
def single_orders_never_asked() -> Iterator[None]:
    """The history has all of it, some day."""
    original = looks.SweepLook.histories

    def histories(self: Any) -> Any:
        return (read for read in original(self) if read.kind is not ReadKind.ORDER)

    with patched(looks.SweepLook, "histories", histories):
        yield


@plant("a_page_of_the_listing_fails", 44)
def failed_pages_left_out() -> Iterator[None]:
    """A listing is the pages that came."""
    original = Reading.listing

    async def listing(self: Any, symbol: Any, book: Any, **options: Any) -> Any:
        first = self._session.background
        answers: list[Any] = []

        async def background(row: Any, given: Any, **more: Any) -> Any:
            try:
                answers.append(await first(row, given, **more))
            except Exception:
                if not answers:
                    raise
                answers.append(structs.replace(answers[-1], value=[]))
            return answers[-1]

        with patched(self._session, "background", background):
            return await original(self, symbol, book, **options)

    with patched(Reading, "listing", listing):
        yield


@plant("failing_reads_slow_down", 45)
def failing_reads_at_full_pace() -> Iterator[None]:
    """A read that fails is made again at once."""

    def failed(self: Breaker, kind: Any, now: int, *, turned_away: bool) -> None:
        self._resume_ns = now

    original = Inquiry.failed

    def again(self: Any, read: Any, now: int, **options: Any) -> None:
        original(self, read, now, **options)
        for look in self._looks.values():
            look.window(now + 50_000_000)

    with patched(Breaker, "failed", failed), patched(Inquiry, "failed", again):
        yield


@plant("a_ban_of_five_minutes", 59)
def bans_ignored() -> Iterator[None]:
    """Turned away is a failure like others: every five seconds once more."""
    original = Breaker.failed

    def failed(self: Breaker, kind: Any, now: int, *, turned_away: bool) -> None:
        original(self, kind, now, turned_away=False)

    with patched(Breaker, "failed", failed):
        yield


@plant("a_status_that_nobody_knows", 46)
def unknown_status_taken_as_final() -> Iterator[None]:
    """What is not open has ended."""
    fates = {"UNKNOWN": Fate.CANCELLED}
    with (
        patched(OrderStatus, "final", property(lambda self: not self.open)),
        patched(sweeping, "final_fate", lambda status: fates.get(status.name) or final_fate(status)),
    ):
        yield


@plant("a_timeout_fires_in_the_turn_of_the_answer", 48)
def command_dies_with_its_caller() -> Iterator[None]:
    """No shield: cancelling the caller ends the command that is on the wire."""

    class Bare:
        """`asyncio` as it is, without the shield."""

        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        @staticmethod
        async def shield(task: Any) -> Any:
            return await task

    with patched(cancellation, "asyncio", Bare()):
        yield


@plant("a_timeout_fires_in_the_turn_of_the_answer", 48, 49)
def answer_lost_with_its_caller() -> Iterator[None]:
    """The handle is made of the answer by the caller: who is cancelled in that turn leaves nothing behind."""
    original = cancellation.Canceller.cancel

    async def cancel(self: Any, symbol: str, options: Any, *given: Any) -> Any:
        try:
            return await original(self, symbol, options, *given)
        except asyncio.CancelledError:
            for course in self._watcher.pending:
                self._watcher.dropped(course, NotSent("closed"))
            raise

    with patched(cancellation.Canceller, "cancel", cancel):
        yield


@plant("everybody_hears_of_the_end", 51)
def closing_forgets_the_handles() -> Iterator[None]:
    """Closing ends the tasks, and nobody tells those who wait."""

    async def close(self: Any) -> None:
        await self._tasks.close()

    with patched(watcher.Watcher, "close", close):
        yield


@plant("a_standstill_is_followed_by_a_look", 55)
def stalls_not_minded() -> Iterator[None]:
    """The deadline is the deadline, also where the program itself stood still."""
    with patched(watcher.Watcher, "_mind_stall", lambda self, now: None):
        yield


@plant("a_reader_raises_and_another_reads_on", 61)
def changes_taken_from_one_another() -> Iterator[None]:
    """A queue instead of a list: what one reader has got, the others do not get."""

    async def changes(self: Any) -> Any:
        while True:
            while self._course.changes:
                yield self._course.changes.pop(0)
            if self._course.report is not None:
                return
            await self._course.news()

    with patched(handle.Pending, "changes", changes):
        yield


@plant("a_reader_raises_and_another_reads_on", 61)
def one_future_for_all_who_wait() -> Iterator[None]:
    """All wait for the same future, unshielded: one who is cancelled cancels it for all."""
    shared: dict[int, asyncio.Future[None]] = {}
    original = Course.tell

    async def news(self: Course) -> None:
        future = shared.setdefault(id(self), asyncio.get_running_loop().create_future())
        await future

    def tell(self: Course) -> None:
        original(self)
        future = shared.pop(id(self), None)
        if future is not None and not future.done():
            future.set_result(None)

    with patched(Course, "news", news), patched(Course, "tell", tell):
        yield


@plant("handles_that_nobody_reads_are_let_go", 62)
def settled_calls_kept() -> Iterator[None]:
    """A list of all that ever was."""
    kept: list[Any] = []
    original = watcher.Watcher._forget

    def forget(self: Any, course: Any) -> None:
        kept.append(course)
        original(self, course)

    with patched(watcher.Watcher, "_forget", forget):
        yield
