"""Sends the commands of a stop: as many at once as there are tokens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bitget_async.cancellation import Canceller
from bitget_async.course import STOPPING, Options
from bitget_async.desk import Desk
from bitget_async.endpoints import (
    BATCH_CANCEL_ORDER,
    BATCH_CANCEL_PLAN_ORDER,
    CANCEL_ORDER,
    CANCEL_PLAN_ORDER,
    CANCEL_SYMBOL_ORDER,
    Endpoint,
)
from bitget_async.errors import BitgetError
from bitget_async.evidence import Book
from bitget_async.halt import StopCourse
from bitget_async.handle import PendingCancellation
from bitget_async.limits import HOLD_NS
from bitget_async.models import StopCommand
from bitget_async.stop.listing import Caller
from bitget_async.stopping import Quota, Quotas
from bitget_async.stopping.scope import BOOKS
from bitget_async.tasks import Tasks

__all__ = ["Lanes"]

ROUND_TRIP_NS = 50_000_000
# An answer that takes longer is not waited for before the first look.
PATIENCE_NS = 1_000_000_000
REST_NS = 250_000_000
ROWS = (CANCEL_SYMBOL_ORDER, BATCH_CANCEL_ORDER, CANCEL_ORDER, BATCH_CANCEL_PLAN_ORDER, CANCEL_PLAN_ORDER)

Guard = Callable[..., Coroutine[Any, Any, None]]


class Lanes:
    """
    The senders of a client's stops.

    Args:
        session, canceller, desk: of the client.
        tasks: own the senders.
        guarded: does work for a stop, and minds what it raises.
    """

    def __init__(self, session: Caller, canceller: Canceller, desk: Desk, tasks: Tasks, guarded: Guard) -> None:
        self._session = session
        self._canceller = canceller
        self._desk = desk
        self._tasks = tasks
        self._guarded = guarded

    def plan(self, course: StopCourse, page_ns: int | None, *, again: bool = False) -> None:
        """Plan for all that no command was given out for, and send it. `again`: by ids alone."""
        hold_ns = HOLD_NS + (ROUND_TRIP_NS if page_ns is None else page_ns)
        outlook = self._session.outlook
        quotas = Quotas(*(Quota(row.short, tuple(outlook(row)), hold_ns) for row in ROWS))
        course.state.replan(quotas, course.now_ns(), again=again)
        if not course.dry:
            self._start(course)
            course.tell(work=True)

    def _start(self, course: StopCourse) -> None:
        """As many senders as there are tokens: each one's token comes back when it has sent, and not before."""
        for row in ROWS:
            if course.lanes[row.short] or not course.state.waiting:
                continue
            for _ in self._session.outlook(row):
                course.lanes[row.short] += 1
                self._tasks.start(self._guarded(course, self._lane, row), f"bitget_async: {row.short}")

    async def _lane(self, course: StopCourse, row: Endpoint) -> None:
        _ = STOPPING.set(course.call)
        try:
            while course.report is None and not course.state.withdrawn:
                if course.state.waits(row.short):
                    # Whoever chose now and left in a second would choose by what is known now. No longer than until a
                    # token may be free: where others want them too, a stop has to stand in line.
                    await self._session.clock.sleep(self._session.outlook(row)[0] / 1e9)
                command = course.state.next(row.short, course.now_ns())
                if command is not None:
                    await self._send(course, command)
                elif course.state.surveyed:
                    return
                else:
                    await course.work()
        finally:
            course.lanes[row.short] -= 1
            course.tell()

    async def _send(self, course: StopCourse, command: StopCommand) -> None:
        book = BOOKS[command.book]
        course.checks.moved(course.now_ns())
        try:
            handle = await self._command(course, command, book)
        except BitgetError as error:
            course.state.odd(f"{command.endpoint} of {command.symbols[0]}: {error}")
        else:
            course.taken += 1
            course.handles.append((book, handle))
            self._tasks.start(self._guarded(course, self._follow, book, handle), "bitget_async: stop, handle")
        course.state.answered(command, course.now_ns())
        course.checks.moved(course.now_ns())
        course.tell()

    async def _command(self, course: StopCourse, command: StopCommand, book: Book) -> PendingCancellation:
        within_s, rows = course.confirm_within_s, course.state.known(command)
        if not command.order_ids:
            options = Options("none", confirm_within_s=within_s)
            return await self._canceller.cancel(command.symbols[0], options, book, known=rows)
        if command.endpoint == BATCH_CANCEL_ORDER.short:
            items = [{"symbol": row.symbol, "order_id": row.order_id} for row in rows]
            return await self._desk.cancel_batch(None, items, confirm_within_s=within_s, max_wait_s=None)
        (row,) = rows
        if book is Book.PLAN:
            given = {"order_id": row.order_id}
            return await self._desk.cancel_plan(row.symbol, given, confirm_within_s=within_s, max_wait_s=None)
        tpsl = {"tpsl_type": "tpsl"} if book is Book.TPSL else {}
        given = {"symbol": row.symbol, "order_id": row.order_id, **tpsl}
        return await self._desk.cancel(given, confirm_within_s=within_s, max_wait_s=None)

    @staticmethod
    async def _follow(course: StopCourse, book: Book, handle: PendingCancellation) -> None:
        course.state.told(book, (await handle.settled()).orders)
        course.tell()

    async def drained(self, course: StopCourse, page_ns: int | None, *, again: bool = False) -> None:
        """
        Until every command that is planned has left, and is through or has waited for its answer for a while; or until
        time is up. Orders that another stop has just cancelled rest, and have their turn after that.
        """
        state, now_ns = course.state, course.now_ns
        while now_ns() < course.deadline_ns and not state.withdrawn:
            until_ns = course.deadline_ns
            if not state.waiting and not state.left:
                until_ns = min(until_ns, course.checks.last_ns + PATIENCE_NS)
                if not state.out or now_ns() >= until_ns:
                    return
            elif not state.waiting and not state.out:
                await self._session.clock.sleep(REST_NS / 1e9)
                self.plan(course, page_ns, again=again)
                continue
            await course.news_until(until_ns)
