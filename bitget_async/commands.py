"""
Commands that name their orders: place, cancel by id, replace, modify. One sender for all of them.

A call may take several commands (a batch of more ids than one command holds); its handle shows them together.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from bitget_async.clock import Clock, ServerClock
from bitget_async.codes import classify
from bitget_async.course import NamedCourse
from bitget_async.endpoints import Endpoint
from bitget_async.errors import (
    BitgetError,
    DuplicateClientOid,
    NothingToCancel,
    NotSent,
    OrderAlreadyFinal,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    UsageError,
)
from bitget_async.evidence import Book, Certainty, Command, Target, Want, id_number
from bitget_async.evidence.facts import ACCEPTED_FOR_NS
from bitget_async.models import BatchAck, Order, OrderAck, OrderFailure, ReplaceAck, ResultAck, TriggerAck
from bitget_async.reading import Answered
from bitget_async.tasks import Tasks
from bitget_async.watcher import Watcher

__all__ = ["CLAIMS", "Commander", "Part", "Sender", "read_batch", "read_one", "read_replacements", "read_result"]

# What the exchange says of an order is a claim about the order, not about the command: it is read like all else.
OVER_SOCKET = {"sent_over": "the private stream, without a timestamp: taken within 30 s or never"}
CLAIMS = (NothingToCancel, OrderNotFound, OrderAlreadyFinal, DuplicateClientOid)

Odd = Callable[[str], None]
ReadAck = Callable[[Any, Sequence[Target], Odd], None]


class Sender(Protocol):
    """What commands need of a session."""

    clock: Clock
    server: ServerClock

    async def call(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        max_wait_s: float | None = None,
        on_signed: Callable[[int, int, int], None] | None = None,
        repeat_within_s: float | None = None,
        calls: tuple[int, ...] = (),
    ) -> Answered:
        """One call."""


class Part(msgspec.Struct, eq=False):
    """
    One command of a call.

    Attributes:
        row, given: what to send.
        command: its times and its certainty.
        targets: the orders that it names, in the order of its items.
        read: reads the answer into the targets; says what it proves of the command.
        copies: how many may have reached the exchange.
        error: why it was refused, or not sent.
    """

    row: Endpoint
    given: Mapping[str, Any]
    command: Command
    targets: Sequence[Target]
    read: ReadAck
    copies: int = 0
    error: BitgetError | None = None


class Road(Protocol):
    """Another way to the exchange than a request."""

    def carries(self, row: Endpoint, given: Mapping[str, Any]) -> bool:
        """Whether that command could go this way now."""

    async def send(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        on_signed: Callable[[int, int, int], None],
        max_wait_s: float | None,
        calls: tuple[int, ...] = (),
    ) -> Answered | None:
        """Send it; `None` if it is proven that nothing of it was executed, and that a request may be sent."""


class Commander:
    """
    Sends commands that name their orders.

    Args:
        session: sends them.
        watcher: watches what they started.
        road: is asked first, if there is one.
    """

    def __init__(self, session: Sender, watcher: Watcher, road: Road | None = None) -> None:
        self._session = session
        self._watcher = watcher
        self._road = road
        self._tasks = Tasks()

    async def start(self, course: NamedCourse, parts: Sequence[Part], *, max_wait_s: float | None = None) -> None:
        """
        Send the commands of a call; returns when all are answered, or it is known that no answer will come.

        Raises:
            NotSent, Refused: that is proven of every one of them; there is nothing to wait for.

        Cancelling: safe before the signing; afterwards the call goes on without its caller.
        """
        if len(parts) > 1 or self._watcher.recorder is not None:
            # One wrong item must not come to light when the others are on their way, and none stands in a journal.
            self.check(parts)

        def signed() -> bool:
            return any(part.copies for part in parts)

        def closed() -> Exception:
            if signed():
                return OutcomeUnknown("closed", endpoint=parts[0].row.label, message="the client was closed")
            return NotSent("closed", endpoint=parts[0].row.label)

        work = self._send_all(course, parts, max_wait_s)
        name = f"bitget_async: {parts[0].row.name}"
        # Closed with the command on its way: the handle says what is known of it.
        with contextlib.suppress(OutcomeUnknown):
            await self._tasks.outliving(work, name, signed=signed, closed=closed)

    @staticmethod
    def check(parts: Sequence[Part]) -> None:
        """Raise `UsageError` if anything is wrong with a call."""
        place = 0
        for part in parts:
            try:
                part.row.checked(part.given)
            except UsageError as error:
                raise UsageError(f"items from {place} on: {error}" if len(parts) > 1 else str(error)) from None
            place += len(part.given.get("order_list", ()))

    async def close(self) -> None:
        """Commands in flight end."""
        await self._tasks.close()

    async def _send_all(self, course: NamedCourse, parts: Sequence[Part], max_wait_s: float | None) -> None:
        self._watcher.intended(course)
        try:
            await self._send_each(course, parts, max_wait_s)
        except asyncio.CancelledError as error:
            if not any(part.copies for part in parts):
                self._watcher.withdrawn(course, error)
            raise
        errors = [part.error for part in parts if part.error is not None]
        if len(errors) == len(parts):
            self._watcher.dropped(course, errors[0])
            raise errors[0]
        if errors:
            course.named.odd(f"{len(errors)} of {len(parts)} commands were not taken ({type(errors[0]).__name__})")
        self._watcher.answered(course)

    async def _send_each(self, course: NamedCourse, parts: Sequence[Part], max_wait_s: float | None) -> None:
        if len(parts) == 1:
            await self._send(course, parts[0], max_wait_s)
        else:
            sending = [
                self._tasks.spawn(self._send(course, part, max_wait_s), f"bitget_async: {part.row.name}")
                for part in parts
            ]
            try:
                # Not the tasks themselves: cancelling who awaits one of them would cancel that one.
                await asyncio.wait(sending)
            except asyncio.CancelledError:
                if not any(part.copies for part in parts):
                    for task in sending:
                        task.cancel()
                    raise
                # One was stamped in the very turn in which the caller left: then the call goes on without it.
                await asyncio.wait(sending)
            for task in sending:
                await task

    async def _send(self, course: NamedCourse, part: Part, max_wait_s: float | None) -> None:
        """
        One command. 1. Taken: what its answer says of each order. 2. A claim about its orders, or no usable answer:
        MAYBE. 3. Refused, or proven not sent: its orders are not touched by it.
        """
        command, known = part.command, Certainty.MAYBE

        def on_signed(now: int, timestamp_ms: int, copy: int) -> None:
            command.signed(now, timestamp_ms)
            course.attempts += copy - part.copies
            part.copies = copy
            course.signed(now)
            self._watcher.sending(course, command)
            self._watcher.signed(course)

        try:
            answer = await self._transmit(course, part, on_signed, max_wait_s)
        except OutcomeUnknown as error:
            if error.reason == "redirect":
                course.named.odd("the command was answered with a redirect")
        except CLAIMS as error:
            course.named.odd(f"the exchange claimed: code {error.code} ({type(error).__name__})")
            command.heard = True
            _refuse(part.targets, error)
        except BitgetError as error:
            part.error, known = error, Certainty.REFUSED
            if not part.copies:
                # Never stamped: its orders are judged by what is read from now on.
                now = self._session.clock.monotonic_ns()
                command.signed(now, self._session.server.estimate_ms(now))
                course.signed(now)
            if isinstance(error, Refused):
                _refuse(part.targets, error)
        else:
            part.read(answer.value, part.targets, course.named.odd)
            command.heard = True
            if course.book is Book.NORMAL:
                self._note_placed(part)
            known = _together(part.targets)
            if known is Certainty.ACKED:
                course.acknowledged_ms = answer.request_time_ms
        for target in part.targets:
            if target.certainty is Certainty.PENDING:
                target.certainty = known
        command.answered(known, self._session.clock.monotonic_ns())
        self._watcher.heard(course, command)
        course.tell()

    async def _transmit(
        self, course: NamedCourse, part: Part, on_signed: Callable[[int, int, int], None], max_wait_s: float | None
    ) -> Answered:
        """By the other road where there is one that can take it now; else as a request."""
        road, within_s = self._road, course.confirm_within_s
        if road is not None and road.carries(part.row, part.given):
            answer, stamped_ns = await self._over(road, course, part, on_signed, max_wait_s)
            if answer is not None:
                return answer
            if stamped_ns is not None:
                # It was stamped, and is proven not executed: the next copy has what is left of the handle's time.
                within_s -= (self._session.clock.monotonic_ns() - stamped_ns) / 1e9
                if within_s <= 0:
                    raise NotSent("connect", endpoint=part.row.label, detail="the socket took no commands")
                max_wait_s = within_s if max_wait_s is None else min(max_wait_s, within_s)
        return await self._session.call(
            part.row,
            part.given,
            max_wait_s=max_wait_s,
            on_signed=on_signed,
            repeat_within_s=within_s,
            calls=(course.call,),
        )

    @staticmethod
    async def _over(
        road: Road,
        course: NamedCourse,
        part: Part,
        on_signed: Callable[[int, int, int], None],
        max_wait_s: float | None,
    ) -> tuple[Answered | None, int | None]:
        """Send it by the other road, which has no timestamp and no receive window: what that allows is assumed."""
        window_ns, more = part.command.accepted_for_ns, course.more
        stamped: list[int] = []

        def on_written(now: int, timestamp_ms: int, copy: int) -> None:
            stamped.append(now)
            part.command.accepted_for_ns = ACCEPTED_FOR_NS
            course.more = {**more, **OVER_SOCKET}
            course.more.pop("receive_window_ms", None)
            on_signed(now, timestamp_ms, copy)

        answer = await road.send(
            part.row, part.given, on_signed=on_written, max_wait_s=max_wait_s, calls=(course.call,)
        )
        if answer is None:
            part.command.accepted_for_ns, course.more = window_ns, more
        return answer, stamped[0] if stamped else None

    def _note_placed(self, part: Part) -> None:
        for target in part.targets:
            if target.want is Want.PRESENT and target.order_id is not None:
                self._watcher.placed(
                    Order(order_id=target.order_id, symbol=target.symbol, client_oid=target.client_oid)
                )


def _refuse(targets: Sequence[Target], error: Refused) -> None:
    """Note the exchange's refusal of the whole command at each of its orders."""
    for target in targets:
        target.refusal = OrderFailure(client_oid=target.client_oid, error_code=error.code, error_msg=error.message)


def _together(targets: Sequence[Target]) -> Certainty:
    """What an answer that succeeded says of the whole command: it was taken, unless it left an order in doubt."""
    doubt = any(target.certainty in (Certainty.PENDING, Certainty.MAYBE) for target in targets)
    return Certainty.MAYBE if doubt else Certainty.ACKED


# -- answers: what they say of each order; an order of which they say nothing stays in doubt ---------------------


def read_one(ack: OrderAck | TriggerAck, targets: Sequence[Target], odd: Odd) -> None:
    """The receipt of a command on one order: its id, unless it names another one."""
    (target,) = targets
    _name(ack.order_id, ack.client_oid, target, odd)


def read_result(ack: ResultAck, targets: Sequence[Target], odd: Odd) -> None:
    """The answer of cancel-plan-order: `success`, or else nothing is proven."""
    (target,) = targets
    if ack.result:
        target.certainty = Certainty.ACKED
    else:
        odd(f"the exchange answered with result {ack.result.value!r}")


def read_batch(ack: BatchAck, targets: Sequence[Target], odd: Odd) -> None:
    """
    The answer of a batch: each order stands in the list of those taken or in that of those refused. 1. Taken: its id.
    2. Refused with a code that proves that nothing was done. 3. A claim, another code, or in neither list: doubt.
    """
    left = list(targets)
    for taken in ack.success or ():
        target = _take(left, taken.order_id, taken.client_oid, odd)
        if target is not None:
            _name(taken.order_id, taken.client_oid, target, odd)
    for failure in ack.failure or ():
        target = _take(left, failure.order_id or "", failure.client_oid, odd)
        if target is None:
            continue
        verdict, target.refusal = classify(failure.error_code), failure
        odd(f"order {target.client_oid or target.order_id} was refused with code {failure.error_code}")
        if verdict.definitive and not issubclass(verdict.error, CLAIMS):
            target.certainty = Certainty.REFUSED
    if left:
        odd(f"the answer said nothing of {len(left)} orders")


def read_replacements(ack: ReplaceAck | Sequence[ReplaceAck], targets: Sequence[Target], odd: Odd) -> None:
    """
    The answer of a replacement: "success" gives the new order's id. A failure says nothing of either order: a duplicate
    client id fails after the old order was cancelled. Targets come in pairs, old and new.
    """
    answers = [ack] if isinstance(ack, ReplaceAck) else list(ack)
    if len(answers) * 2 != len(targets):
        odd(f"the answer has {len(answers)} items for {len(targets) // 2} replacements")
        return
    for item, old, new in zip(answers, targets[::2], targets[1::2], strict=True):
        if not item.success:
            odd(f"the replacement of {old.order_id or old.client_oid} failed: {item.msg or 'no reason given'}")
        elif old.order_id is not None and id_number(item.order_id) == id_number(old.order_id):
            odd("the answer named the old order instead of the new one")
        else:
            _name(item.order_id, item.client_oid, new, odd)
            old.certainty = new.certainty


def _name(order_id: str, client_oid: str | None, target: Target, odd: Odd) -> None:
    """Take what a receipt names: taken, unless it names another order than was asked for, or none at all."""
    if client_oid and target.client_oid and client_oid != target.client_oid:
        odd("the answer named another client id")
    elif id_number(order_id) is None:
        odd("the answer did not name the order")
    elif target.order_id is not None and id_number(target.order_id) != id_number(order_id):
        odd("the answer named another order")
    else:
        target.order_id, target.certainty = order_id, Certainty.ACKED


def _take(left: list[Target], order_id: str, client_oid: str | None, odd: Odd) -> Target | None:
    """Take the target out of those left that an item of an answer names, by its id or else by its client id."""
    number = id_number(order_id)
    by_id = (each for each in left if number is not None and each.order_id and id_number(each.order_id) == number)
    by_oid = (each for each in left if client_oid and each.client_oid == client_oid)
    target = next(by_id, None) or next(by_oid, None)
    if target is None:
        odd("the answer named an order that was not asked for")
    else:
        left.remove(target)
    return target
