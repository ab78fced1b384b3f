"""
One connection from its opening to its end: sends what is due at a pace, reads, and notices silence.

`Talk` decides what is said and when; this file waits, sends, reads and hands on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from bitget_async.clock import Clock
from bitget_async.errors import printable
from bitget_async.stream.events import Event
from bitget_async.stream.protocol import PING, Frame, Push, Strange, TradeAnswer, read_frame
from bitget_async.stream.talk import LoginDue, Talk
from bitget_async.tasks import Tasks

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

__all__ = ["Conversation", "Listener", "Socket", "guarded", "room", "until"]

log = logging.getLogger("bitget_async.stream")

SECOND_NS = 1_000_000_000
# 10 messages a second are allowed. A limiter of 4 lets through at most 4 + 4 in any second, and 10 if they bunch up on
# half a second of the way.
MESSAGES = 4
ROOM_S = 0.05
# A ping that is not answered within this makes the line stale; it is dead after two pings.
PONG_NS = 5 * SECOND_NS
STALL_NS = SECOND_NS


class Socket(Protocol):
    """An open socket, as `connection` makes it."""

    ended: str

    async def receive(self) -> str | bytes | None:
        """The next message, or `None` at the end."""

    async def send(self, frame: bytes) -> bool:
        """Write one message; False if nothing can have left."""

    async def close(self) -> None:
        """Close it, within a second."""


class Listener(Protocol):
    """Who is told what happens on a connection. All of it is called synchronously."""

    def act(self, events: Iterable[Event]) -> None:
        """What `Talk` makes of it."""

    def silent(self, *, on: bool) -> None:
        """It stands and says nothing; or it is heard again. It is in order, so nothing was missed."""

    def pushed(self, push: Push, received_ns: int) -> None:
        """A push came."""

    def answered(self, answer: TradeAnswer) -> None:
        """An answer to a command came."""

    def login(self) -> bytes:
        """The login of this moment."""

    def clean(self, text: str) -> str:
        """Text of the exchange for a log: it may echo what it was sent."""

    def due_ns(self, now: int) -> int | None:
        """What there is to do beside the talk is done; when to ask again, or `None`. May end the connection."""


class Conversation:
    """
    One connection.

    Args:
        name: for the log.
        socket: open.
        talk: what is said; told that the connection is there.
        listener: is told what happens.
        clock: time.

    Attributes:
        over: why it is to end; empty while it is not.
        heard_ns: when anything came last.
        news: to be set when there is something to say.
    """

    def __init__(self, name: str, socket: Socket, talk: Talk, listener: Listener, clock: Clock) -> None:
        self.over = ""
        self.news = asyncio.Event()
        self._name = name
        self._socket = socket
        self._talk = talk
        self._listener = listener
        self._clock = clock
        # Only here, and not with the package: its import is dear.
        from aiolimiter import AsyncLimiter

        self._pace = AsyncLimiter(MESSAGES, 1.0)
        self._silent = False
        self.opened_ns = self.heard_ns = self._pinged_ns = self._planned_ns = clock.monotonic_ns()
        talk.opened(self.opened_ns)

    @property
    def roomy(self) -> bool:
        """Whether a command could be written now, and a ping after it."""
        return self._talk.signed_in and not self._silent and not self.over and self._pace.has_capacity(2)

    async def command(self, frame: bytes) -> bool:
        """Write a command; False if nothing of it can have left."""
        if not self.roomy:
            return False
        # There is room: this does not wait.
        await self._pace.acquire()
        log.debug("%s: sent: %s", self._name, frame)
        return await self._socket.send(frame)

    async def run(self, tasks: Tasks) -> None:
        """Talk until it is over, and close the socket."""
        reader = tasks.spawn(self._listen(), f"bitget_async: {self._name}, reading")
        try:
            await self._speak()
        finally:
            self.over = self.over or "given up"
            reader.cancel()
            await asyncio.wait((reader,))
            await self._socket.close()

    # -- talking ----------------------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Send what is due, until the connection is over."""
        while not self.over:
            self.news.clear()
            now = self._clock.monotonic_ns()
            self._mind_silence(now)
            self._listener.act(self._talk.tick(now))
            due_ns = self._listener.due_ns(now)
            frame = None if self.over else self._talk.next_frame(now)
            if frame is not None:
                await self._send(frame)
            elif not self.over:
                moments = (self._talk.due_ns, due_ns, self._pong_due_ns)
                self._planned_ns = max(now, min(each for each in moments if each is not None))
                await until(self.news, now, self._planned_ns)

    async def _send(self, frame: bytes | LoginDue) -> None:
        """One message, as soon as the pace allows it."""
        await room(self._pace, self._clock)
        if isinstance(frame, LoginDue):
            log.debug("%s: sent: login", self._name)
            sent = await self._socket.send(self._listener.login())
        else:
            log.debug("%s: sent: %s", self._name, frame)
            sent = await self._socket.send(frame)
        if frame == PING.encode():
            self._pinged_ns = self._clock.monotonic_ns()
        if not sent:
            self.over = self.over or "the line was closed"

    @property
    def _pong_due_ns(self) -> int | None:
        """When the line is stale if nothing is heard until then."""
        waiting = self._pinged_ns > self.heard_ns and not self._silent
        return self._pinged_ns + PONG_NS if waiting else None

    def _mind_silence(self, now: int) -> None:
        """A ping without an answer makes the line stale; but who stood still himself has not listened."""
        if now - self._planned_ns > STALL_NS:
            self._pinged_ns += now - self._planned_ns
        self._planned_ns = max(self._planned_ns, now)
        due_ns = self._pong_due_ns
        if due_ns is not None and now >= due_ns:
            self._silent = True
            self._listener.silent(on=True)

    # -- listening --------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        await guarded(self._name, self._read)
        self.over = self.over or self._socket.ended or "reading failed"
        self.news.set()

    async def _read(self) -> None:
        """Until there is no more to read. Nothing in here waits but for the next frame."""
        while (text := await self._socket.receive()) is not None:
            now = self.heard_ns = self._clock.monotonic_ns()
            if self._silent:
                self._silent = False
                self._listener.silent(on=False)
            frame = read_frame(text)
            if type(frame) is Push:
                if events := self._talk.heard_push(frame.topic, now):
                    self._listener.act(events)
                if log.isEnabledFor(logging.DEBUG):
                    topic = frame.topic
                    log.debug("%s: push: %s %s", self._name, topic.channel, topic.inst_id or topic.coin)
                self._listener.pushed(frame, now)
            else:
                self._heard(frame, now)

    def _heard(self, frame: Frame, now: int) -> None:
        """Anything but a push."""
        if isinstance(frame, Strange):
            log.warning("%s: a frame that cannot be read: %s", self._name, printable(frame.reason))
        elif log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s", self._name, self._listener.clean(repr(frame)))
        self._listener.act(self._talk.heard(frame, now))
        if isinstance(frame, TradeAnswer):
            self._listener.answered(frame)
        self.news.set()


async def room(pace: AsyncLimiter, clock: Clock) -> None:
    """
    Wait for the limiter. Not by its own timer: that can be due a rounding error before there is room, and then sets
    itself again for the same moment, for ever where time does not pass in between.
    """
    while not pace.has_capacity():
        await clock.sleep(ROOM_S)
    await pace.acquire()


async def until(news: asyncio.Event, now: int, at_ns: int) -> None:
    """Wait for news, or until that moment."""
    try:
        # At least 10 us: a timer may fire a little early, and a shorter one could spin until its moment has come.
        async with asyncio.timeout(max(at_ns - now, 10_000) / 1e9):
            _ = await news.wait()
    except TimeoutError:
        pass


async def guarded(name: str, work: Callable[..., Awaitable[None]], *given: Any) -> None:
    """A defect of ours: the loop's exception handler hears of it, and what stands around it goes on."""
    try:
        await work(*given)
    except Exception as error:
        context = {"message": f"bitget_async: {name} failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
