"""
Commands over the private socket: place-order and cancel-order, where the account may.

The certainty is that of a request. Nothing written: another way may be taken. Written and answered with a code that
proves that nothing was executed: refused. Written, and anything else: nobody knows, and it is never sent again.

The exchange's changelog of 2025-07-01 announces them. How they are counted, and for how long one may still be accepted,
is not documented: docs/streams.md says what is assumed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from bitget_async.clock import Clock, ServerClock
from bitget_async.codes import classify
from bitget_async.endpoints import CANCEL_ORDER, PLACE_ORDER, Endpoint
from bitget_async.errors import NotSent, OutcomeUnknown, PermissionDenied, Refused
from bitget_async.events.copies import Told
from bitget_async.models import OrderAck
from bitget_async.stream.protocol import TradeAnswer, trade_frame
from bitget_async.tally import Tally
from bitget_async.wire import Answer, encode

__all__ = ["SocketRoad"]

log = logging.getLogger("bitget_async.stream")

PATH = "/v2/ws/private"
OnSigned = Callable[[int, int, int], None]
CHANNELS = {PLACE_ORDER: "place-order", CANCEL_ORDER: "cancel-order"}
# Fields of the REST call that a plain order has. What else the channel takes is not documented: it goes over REST.
PLAIN = frozenset({"side", "orderType", "force", "price", "size", "clientOid", "stpMode", "orderId"})
# Not sent over the socket: nothing says that it counts there.
LEFT_OUT = frozenset({"symbol", "receiveWindow"})
# Nothing was executed: the socket is not for commands of this account.
NOT_HERE = frozenset({"30001", "30002", "30003", "30004"})


class Grant(Protocol):
    """A token; see `limits.local.Grant`."""

    def answered(self, now: int, remaining: int | None) -> int:
        """An answer came."""

    def lost(self, now: int, until_ns: int) -> None:
        """None came."""

    def unsent(self) -> None:
        """Nothing left."""


class Teller(Protocol):
    """What the road needs of a session."""

    clock: Clock
    server: ServerClock
    timeout_s: float
    tally: Tally

    async def token(self, row: Endpoint, max_wait_s: float | None, told: Told | None = None) -> Grant:
        """A token of the row's bucket."""

    def redact(self, text: str) -> str:
        """The text without any part of the key."""


class CommandLine(Protocol):
    """A line that may carry commands."""

    @property
    def roomy(self) -> bool:
        """Whether a command could be written now."""

    async def command(self, frame: bytes) -> bool:
        """Write one; False if nothing of it can have left."""


class SocketRoad:
    """
    The way of commands over the private socket. An `OrderListener`, for it has to hear when the line is lost.

    Args:
        session: tokens and the clocks.
        line: the private line, if there is one.
    """

    def __init__(self, session: Teller, line: Callable[[], CommandLine | None]) -> None:
        self._session = session
        self._line = line
        self._waiting: dict[str, asyncio.Future[TradeAnswer | None]] = {}
        self._count = 0
        self._live = False
        self._barred = False

    def carries(self, row: Endpoint, given: Mapping[str, Any]) -> bool:
        """Whether that command could go this way now. Raises `UsageError` if it is wrong."""
        if self._barred or row not in CHANNELS:
            return False
        line = self._line()
        if not self._live or line is None or not line.roomy:
            return False
        names = set(row.checked(given))
        return "symbol" in names and names - LEFT_OUT <= PLAIN and given.get("tpsl_type") != "tpsl"

    async def send(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        on_signed: OnSigned,
        max_wait_s: float | None,
        calls: tuple[int, ...] = (),
    ) -> Answer[OrderAck] | None:
        """
        Send a command and return its answer, or `None` if it is proven that nothing of it was executed and another way
        may be taken.

        Args:
            row, given: the command.
            on_signed: called with (monotonic ns, exchange ms, 1) right before the write. There is no timestamp in it.
            max_wait_s: longest wait for a token in seconds.
            calls: numbers of the handles that it is sent for.

        Raises:
            NotSent: no token.
            OutcomeUnknown: written, and no answer that proves anything.
            Refused: answered with a code that proves that nothing was executed.

        Cancelling: safe while waiting for the token; afterwards it may have been executed.
        """
        session = self._session
        body = orjson.loads(encode(row, given).body)
        self._count += 1
        request_id = f"b{self._count}"
        params = {name: value for name, value in body.items() if name not in LEFT_OUT}
        frame = trade_frame(request_id, CHANNELS[row], body["symbol"], params)
        told = session.tally.told(row, calls, method="WS", path=PATH)
        grant = await session.token(row, max_wait_s, told)
        sent_ns = session.clock.monotonic_ns()
        if told is not None:
            told.started(sent_ns)
        until_ns = sent_ns + round(session.timeout_s * 1e9)
        written = gone = True
        answer: TradeAnswer | None = None
        try:
            line = self._line()
            written = self._live and line is not None and line.roomy
            if line is not None and written:
                on_signed(sent_ns, session.server.estimate_ms(sent_ns), 1)
                written, answer = await self._exchange(line, request_id, frame)
            gone = False
        finally:
            now = session.clock.monotonic_ns()
            if not written:
                grant.unsent()
            elif answer is None:
                grant.lost(now, until_ns)
            else:
                _ = grant.answered(now, None)
            if gone and told is not None:
                told.lost(now, None, unsent=not written, sent_bytes=len(frame))
        found = self._read(row, answer, sent_ns, now) if written else NotSent("connect", endpoint=row.label)
        self._note(row, found, told, now, len(frame), answered=answer is not None)
        if isinstance(found, Answer):
            return found
        if isinstance(found, NotSent) or _bars(found):
            return None
        raise found

    def _note(
        self,
        row: Endpoint,
        found: Answer[OrderAck] | NotSent | OutcomeUnknown | Refused,
        told: Told | None,
        now: int,
        sent_bytes: int,
        *,
        answered: bool,
    ) -> None:
        """Count it, and tell who listens."""
        tally, error = self._session.tally, None if isinstance(found, Answer) else found
        if not isinstance(error, NotSent):
            tally.sent(row)
        if error is not None:
            tally.unsuccessful(row, error, now)
        if told is None:
            return
        if answered:
            told.answered(now, error=error, http_status=None, sent_bytes=sent_bytes, received_bytes=0)
        elif not isinstance(error, Refused):
            told.lost(now, error, sent_bytes=sent_bytes)

    async def _exchange(self, line: CommandLine, request_id: str, frame: bytes) -> tuple[bool, TradeAnswer | None]:
        """Whether it was written, and the answer if one came in time."""
        future: asyncio.Future[TradeAnswer | None] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            if not await line.command(frame):
                return False, None
            async with asyncio.timeout(self._session.timeout_s):
                return True, await future
        except TimeoutError:
            return True, None
        finally:
            del self._waiting[request_id]

    def _read(
        self, row: Endpoint, answer: TradeAnswer | None, sent_ns: int, now: int
    ) -> Answer[OrderAck] | OutcomeUnknown | Refused:
        """What an answer proves; see `wire.decode`."""
        label = f"socket {CHANNELS[row]}"
        if answer is None:
            return OutcomeUnknown("connection" if not self._live else "timeout", endpoint=label, message="no answer")
        if answer.ok:
            ack = OrderAck(order_id=answer.order_id, client_oid=answer.client_oid)
            return Answer(ack, None, answer.ts_ms, sent_ns, now)
        verdict, message = classify(answer.code), self._session.redact(answer.message)
        if not verdict.definitive:
            return OutcomeUnknown("code", endpoint=label, code=answer.code, message=message)
        refused = verdict.error(answer.code, message, endpoint=label)
        if _bars(refused):
            self._barred = True
            log.warning(
                "commands over the socket are refused with code %s: they go over REST from now on", refused.code
            )
        return refused

    # -- what the line tells ----------------------------------------------------------------------------------

    def answered(self, answer: TradeAnswer) -> None:
        """An answer came. One that nobody waits for any more was given up as unknown."""
        future = self._waiting.get(answer.request_id)
        if future is not None and not future.done():
            future.set_result(answer)

    def connected(self, now_ns: int) -> None:
        """See `OrderListener`."""
        self._live = True

    def disconnected(self, now_ns: int) -> None:
        """See `OrderListener`: the answers to what was written will not come, or nobody knows when."""
        self._live = False
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)

    def pushed(self, updates: Sequence[object], received_ns: int) -> None:
        """See `OrderListener`."""


def _bars(error: OutcomeUnknown | Refused) -> bool:
    """Whether that says that the socket is not for commands of this account: nothing was executed."""
    return isinstance(error, PermissionDenied) or (isinstance(error, Refused) and error.code in NOT_HERE)
