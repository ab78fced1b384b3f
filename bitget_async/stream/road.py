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
from bitget_async.errors import OutcomeUnknown, PermissionDenied
from bitget_async.models import OrderAck
from bitget_async.stream.protocol import TradeAnswer, trade_frame
from bitget_async.wire import Answer, encode

__all__ = ["SocketRoad"]

log = logging.getLogger("bitget_async.stream")

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

    def answered(self, now: int, remaining: int | None) -> None:
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

    async def token(self, row: Endpoint, max_wait_s: float | None) -> Grant:
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
        self, row: Endpoint, given: Mapping[str, Any], *, on_signed: OnSigned, max_wait_s: float | None
    ) -> Answer[OrderAck] | None:
        """
        Send a command and return its answer, or `None` if it is proven that nothing of it was executed and another way
        may be taken.

        Args:
            row, given: the command.
            on_signed: called with (monotonic ns, exchange ms, 1) right before the write. There is no timestamp in it.
            max_wait_s: longest wait for a token in seconds.

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
        grant = await session.token(row, max_wait_s)
        sent_ns = session.clock.monotonic_ns()
        until_ns = sent_ns + round(session.timeout_s * 1e9)
        written = True
        answer: TradeAnswer | None = None
        try:
            line = self._line()
            written = self._live and line is not None and line.roomy
            if line is None or not written:
                return None
            on_signed(sent_ns, session.server.estimate_ms(sent_ns), 1)
            written, answer = await self._exchange(line, request_id, frame)
        finally:
            now = session.clock.monotonic_ns()
            if not written:
                grant.unsent()
            elif answer is None:
                grant.lost(now, until_ns)
            else:
                grant.answered(now, None)
        return self._read(row, answer, sent_ns, now) if written else None

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

    def _read(self, row: Endpoint, answer: TradeAnswer | None, sent_ns: int, now: int) -> Answer[OrderAck] | None:
        """What an answer proves; see `wire.decode`."""
        label = f"socket {CHANNELS[row]}"
        if answer is None:
            raise OutcomeUnknown("connection" if not self._live else "timeout", endpoint=label, message="no answer")
        if answer.ok:
            ack = OrderAck(order_id=answer.order_id, client_oid=answer.client_oid)
            return Answer(ack, None, answer.ts_ms, sent_ns, now)
        verdict, message = classify(answer.code), self._session.redact(answer.message)
        if not verdict.definitive:
            raise OutcomeUnknown("code", endpoint=label, code=answer.code, message=message)
        if issubclass(verdict.error, PermissionDenied) or answer.code in NOT_HERE:
            self._barred = True
            log.warning("commands over the socket are refused with code %s: they go over REST from now on", answer.code)
            return None
        raise verdict.error(answer.code, message, endpoint=label)

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
