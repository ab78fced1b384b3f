"""
One connection that is kept up: opened, talked on, closed when nobody needs it, and opened again when it is lost.

`Talk` decides what is said and when; this file waits, sends, reads and hands on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from aiolimiter import AsyncLimiter

from bitget_async.clock import Clock
from bitget_async.errors import NotSent, printable
from bitget_async.stream.events import (
    Acknowledged,
    Complaint,
    Dead,
    Event,
    Left,
    Remedy,
    Renewal,
    SignedIn,
    SignInRefused,
    SubscriptionLost,
)
from bitget_async.stream.protocol import (
    PING,
    Frame,
    Push,
    Strange,
    Topic,
    TradeAnswer,
    read_frame,
)
from bitget_async.stream.talk import LoginDue, Talk
from bitget_async.tasks import Tasks

__all__ = ["Backoff", "KeptLine", "Login", "Opener", "Wire"]

log = logging.getLogger("bitget_async.stream")

SECOND_NS = 1_000_000_000
# 10 messages a second are allowed. A limiter of 4 lets through at most 4 + 4 in any second, and 10 if they bunch up on
# half a second of the way.
MESSAGES = 4
ROOM_S = 0.05
IDLE_NS = 30 * SECOND_NS
# A ping that is not answered within this makes the line stale; it is dead after two pings.
PONG_NS = 5 * SECOND_NS
STALL_NS = SECOND_NS
FIRST_PAUSE_S = 0.1
PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# Signing in with a key that was refused, for those who stay all the same.
REFUSED_PAUSE_S = 300.0
REFUSED_NS = 60 * SECOND_NS
HEALTHY_NS = 10 * SECOND_NS
MOST_LOGINS = 3


class Socket(Protocol):
    """An open socket, as `connection` makes it."""

    ended: str

    async def receive(self) -> str | bytes | None:
        """The next message, or `None` at the end."""

    async def send(self, frame: bytes) -> bool:
        """Write one message; False if nothing can have left."""

    async def close(self) -> None:
        """Close it, within a second."""


class Opener(Protocol):
    """Opens sockets."""

    async def open(self, path: str) -> Socket:
        """One more. Raises `NotSent`."""


class Login(Protocol):
    """What signs in a private line."""

    def frame(self) -> bytes:
        """The login, made for this moment."""

    async def set_clock(self, *, anew: bool) -> None:
        """Read the exchange's clock if it is not known, or in any case. Never raises for an answer that fails."""

    def redact(self, text: str) -> str:
        """The text without any part of the key."""


class Wire(Protocol):
    """Who is told what happens on a line."""

    def live(self, line: KeptLine, topic: Topic) -> None:
        """Pushes of the topic come."""

    def lapsed(self, line: KeptLine, *, cut: bool) -> None:
        """They come no more, or the line is silent."""

    def pushed(self, line: KeptLine, push: Push, received_ns: int) -> None:
        """One came."""

    def failed(self, line: KeptLine, topic: Topic | None, code: str | None, message: str) -> None:
        """A topic, or with `None` the login, was refused."""

    def idle(self, line: KeptLine) -> None:
        """Nobody has wanted anything for a while: it ends."""

    def ended(self, line: KeptLine) -> None:
        """It has."""


class Backoff:
    """
    How long to wait before the next connection: full jitter, doubling with every one that did not last.

    Args:
        rng: jitter.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._tries = -1

    def pause_s(self) -> float:
        """Seconds to wait now. The first connection goes at once, and so, nearly, does the one after a good one."""
        self._tries += 1
        if self._tries < 2:
            return self._rng.uniform(0.0, FIRST_PAUSE_S) if self._tries else 0.0
        return self._rng.uniform(0.0, min(PAUSE_S * 2 ** min(self._tries - 1, 16), LONGEST_PAUSE_S))

    def lasted(self) -> None:
        """The last connection was a good one."""
        self._tries = 0


class KeptLine:
    """
    One connection to one path, kept up as long as topics are wanted.

    Args:
        name: for the log.
        path: of the socket.
        opener: opens it.
        login: signs in; `None` for a public line.
        wire: is told what happens.
        clock, rng: time and jitter.
        connects: paces the connections of all lines together.
        answered: is told of answers to commands.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        opener: Opener,
        login: Login | None,
        wire: Wire,
        clock: Clock,
        rng: random.Random,
        connects: AsyncLimiter,
        answered: Callable[[TradeAnswer], None] | None = None,
    ) -> None:
        self.name = name
        self._path = path
        self._opener = opener
        self._login = login
        self._wire = wire
        self._clock = clock
        self._rng = rng
        self._connects = connects
        self._answered = answered
        self._talk = Talk(private=login is not None)
        self._backoff = Backoff(rng)
        self._pace = AsyncLimiter(MESSAGES, 1.0)
        self._tasks = Tasks()
        self._news = asyncio.Event()
        self._renewing: dict[Topic, None] = {}
        self._refused: dict[Topic, int] = {}
        self._logins = 0
        self._least_pause_s = 0.0
        self._clock_doubted = False
        self._over = ""
        self._urged = self._good = self._unreachable = False
        self._socket: Socket | None = None
        self._pinged_ns = self._heard_ns = self._planned_ns = 0
        self._silent = False
        self._running = False
        self._ending = False

    def __repr__(self) -> str:
        return f"<line {self.name}, {len(self._talk.topics)} topics>"

    # -- what is wanted ---------------------------------------------------------------------------------------

    def want(self, topics: Iterable[Topic]) -> None:
        """Subscribe to these, too; the first ones open the line."""
        self._talk.want(topics)
        self.urge()
        if not self._running:
            self._running = True
            self._tasks.start(self._run(), f"bitget_async: {self.name}")

    def urge(self) -> None:
        """Somebody new waits for it: a long pause after a refused login becomes a short one."""
        self._urged = True
        self._news.set()

    def unwant(self, topics: Iterable[Topic]) -> None:
        """Not to these any more."""
        topics = tuple(topics)
        for topic in topics:
            self._renewing.pop(topic, None)
            self._refused.pop(topic, None)
        self._talk.unwant(topics)
        self._news.set()

    def renew(self, topic: Topic) -> None:
        """Unsubscribe and subscribe again. Where it is not acknowledged yet, its first push is still to come."""
        if self._talk.acknowledged(topic):
            self._renewing[topic] = None
            self._talk.unwant((topic,))
            self._news.set()

    @property
    def roomy(self) -> bool:
        """Whether a command could be written now, and a ping after it."""
        fit = self._socket is not None and self._talk.signed_in and not self._silent and not self._over
        return fit and self._pace.has_capacity(2)

    async def command(self, frame: bytes) -> bool:
        """Write a command; False if nothing of it can have left."""
        socket = self._socket
        if socket is None or not self.roomy:
            return False
        # There is room: this does not wait.
        await self._pace.acquire()
        log.debug("%s: sent: %s", self.name, frame)
        return await socket.send(frame)

    async def close(self) -> None:
        """End it. Safe to call twice."""
        self._ending = True
        await self._tasks.close()

    # -- connections ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not self._ending and self._needed:
                await self._pause()
                if self._needed:
                    await self._guarded(self._connect)
            self._wire.idle(self)
        finally:
            self._running = False
            self._wire.ended(self)

    @property
    def _needed(self) -> bool:
        return bool(self._talk.topics or self._renewing or self._refused)

    async def _pause(self) -> None:
        """Wait before the next connection, as long as one is needed."""
        short_s, long_s = self._backoff.pause_s(), self._least_pause_s
        self._least_pause_s, self._urged = 0.0, False
        started_ns = self._clock.monotonic_ns()
        while self._needed:
            now = self._clock.monotonic_ns()
            until_ns = started_ns + round((short_s if self._urged else max(short_s, long_s)) * 1e9)
            if now >= until_ns:
                break
            self._news.clear()
            await self._wait(now, until_ns)
        await self._room(self._connects)

    async def _connect(self) -> None:
        """Open a connection, and talk on it until it ends."""
        if self._login is not None:
            await self._login.set_clock(anew=self._clock_doubted)
            self._clock_doubted = False
        try:
            socket = await self._opener.open(self._path)
        except NotSent as error:
            # Once an outage: the attempts go on for as long as it takes.
            log.log(logging.DEBUG if self._unreachable else logging.WARNING, "%s: no connection: %s", self.name, error)
            self._unreachable = True
            return
        self._unreachable = False
        opened_ns = self._clock.monotonic_ns()
        log.debug("%s: connected", self.name)
        self._over, self._silent, self._good = "", False, self._login is None
        self._pinged_ns = self._heard_ns = self._planned_ns = opened_ns
        self._talk.want((*self._renewing, *self._refused))
        self._renewing.clear()
        self._refused.clear()
        self._talk.opened(opened_ns)
        self._socket = socket
        reader = self._tasks.spawn(self._listen(socket), f"bitget_async: {self.name}, reading")
        try:
            await self._speak(socket)
        finally:
            self._socket = None
            reader.cancel()
            await asyncio.wait((reader,))
            await socket.close()
            self._cut(socket.ended, opened_ns)

    def _cut(self, ended: str, opened_ns: int) -> None:
        """The connection is gone."""
        if self._good and self._heard_ns - opened_ns >= HEALTHY_NS:
            self._backoff.lasted()
        self._talk.closed()
        self._talk.want(self._renewing)
        self._renewing.clear()
        level = logging.DEBUG if self._ending or not self._needed else logging.INFO
        log.log(level, "%s: %s", self.name, self._over or ended)
        if not self._ending:
            self._wire.lapsed(self, cut=True)

    # -- talking ----------------------------------------------------------------------------------------------

    async def _speak(self, socket: Socket) -> None:
        """Send what is due, until the connection is over or nobody needs it."""
        idle_ns: int | None = None
        while not self._over:
            self._news.clear()
            now = self._clock.monotonic_ns()
            self._mind_silence(now)
            self._act(self._talk.tick(now))
            again_ns = self._ask_again(now)
            frame = None if self._over else self._talk.next_frame(now)
            if frame is not None:
                await self._send(socket, frame)
                continue
            idle_ns = None if self._needed else idle_ns or now + IDLE_NS
            if idle_ns is not None and now >= idle_ns:
                self._over = "idle"
                return
            moments = (self._talk.due_ns, idle_ns, self._pong_due_ns, again_ns)
            await self._wait(now, min(each for each in moments if each is not None))

    def _ask_again(self, now: int) -> int | None:
        """Topics that were refused, and that somebody wants all the same, are asked for now and then."""
        due = [topic for topic, at_ns in self._refused.items() if at_ns <= now]
        for topic in due:
            del self._refused[topic]
        self._talk.want(due)
        return min(self._refused.values(), default=None)

    async def _send(self, socket: Socket, frame: bytes | LoginDue) -> None:
        """One message, as soon as the pace allows it."""
        await self._room(self._pace)
        if isinstance(frame, LoginDue):
            assert self._login is not None
            log.debug("%s: sent: login", self.name)
            sent = await socket.send(self._login.frame())
        else:
            log.debug("%s: sent: %s", self.name, frame)
            sent = await socket.send(frame)
        if frame == PING.encode():
            self._pinged_ns = self._clock.monotonic_ns()
        if not sent:
            self._over = self._over or "the line was closed"

    async def _room(self, pace: AsyncLimiter) -> None:
        """
        Wait for the limiter. Not by its own timer: that can be due a rounding error before there is room, and then sets
        itself again for the same moment, for ever where time does not pass in between.
        """
        while not pace.has_capacity():
            await self._clock.sleep(ROOM_S)
        await pace.acquire()

    async def _wait(self, now: int, until_ns: int) -> None:
        self._planned_ns = max(until_ns, now)
        try:
            # At least 10 us: a timer may fire a little early, and a shorter one could spin until its moment has come.
            async with asyncio.timeout(max(until_ns - now, 10_000) / 1e9):
                await self._news.wait()
        except TimeoutError:
            pass

    @property
    def _pong_due_ns(self) -> int | None:
        """When the line is stale if nothing is heard until then."""
        waiting = self._pinged_ns > self._heard_ns and not self._silent
        return self._pinged_ns + PONG_NS if waiting else None

    def _mind_silence(self, now: int) -> None:
        """A ping without an answer makes the line stale; but who stood still himself has not listened."""
        if now - self._planned_ns > STALL_NS:
            self._pinged_ns += now - self._planned_ns
        self._planned_ns = max(self._planned_ns, now)
        due_ns = self._pong_due_ns
        if due_ns is not None and now >= due_ns:
            self._silent = True
            log.info("%s: silent", self.name)
            self._wire.lapsed(self, cut=False)

    def _act(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Acknowledged(topic):
                    self._wire.live(self, topic)
                case SignedIn():
                    self._logins, self._good = 0, True
                    log.debug("%s: signed in", self.name)
                case Left(topic):
                    if topic in self._renewing:
                        del self._renewing[topic]
                        self._talk.want((topic,))
                case SubscriptionLost(topic, code, message):
                    # Stands until nobody wants it any more, which may be at once.
                    self._refused[topic] = self._clock.monotonic_ns() + REFUSED_NS
                    self._wire.failed(self, topic, code or None, self._clean(message))
                case SignInRefused(code, message, remedy):
                    self._sign_in_refused(code, message, remedy)
                case Dead(reason, pause_ns):
                    self._over = reason
                    self._least_pause_s = pause_ns / 1e9
                case Renewal():
                    self._over = "it is nearly a day old"
                case Complaint(code, message):
                    log.warning("%s: code %s: %s", self.name, printable(code), self._clean(message))

    def _sign_in_refused(self, code: str, message: str, remedy: Remedy) -> None:
        """
        1. The clock: read it, and sign in again. 2. It proves nothing, or asks to wait: again, a few times. 3. The key
        is not good for it: those who wait hear of it, and who stays all the same is asked for rarely.
        """
        self._over = f"the login was refused with code {printable(code)}"
        self._logins += 1
        self._clock_doubted = remedy is Remedy.CLOCK
        if remedy is Remedy.STOP or self._logins >= MOST_LOGINS:
            self._least_pause_s = self._rng.uniform(REFUSED_PAUSE_S / 2, REFUSED_PAUSE_S)
            self._wire.failed(self, None, code, self._clean(message))

    # -- listening --------------------------------------------------------------------------------------------

    async def _listen(self, socket: Socket) -> None:
        await self._guarded(self._read, socket)
        self._over = self._over or socket.ended or "reading failed"
        self._news.set()

    async def _read(self, socket: Socket) -> None:
        """Until there is no more to read. Nothing in here waits but for the next frame."""
        while (text := await socket.receive()) is not None:
            now = self._heard_ns = self._clock.monotonic_ns()
            if self._silent:
                self._back()
            frame = read_frame(text)
            if type(frame) is Push:
                if events := self._talk.heard_push(frame.topic, now):
                    self._act(events)
                if log.isEnabledFor(logging.DEBUG):
                    log.debug(
                        "%s: push: %s %s", self.name, frame.topic.channel, frame.topic.inst_id or frame.topic.coin
                    )
                self._wire.pushed(self, frame, now)
            else:
                self._heard(frame, now)

    def _heard(self, frame: Frame, now: int) -> None:
        """Anything but a push."""
        if isinstance(frame, Strange):
            log.warning("%s: a frame that cannot be read: %s", self.name, printable(frame.reason))
        else:
            log.debug("%s: %s", self.name, self._clean(repr(frame)))
        if isinstance(frame, TradeAnswer):
            if self._answered is not None:
                self._answered(frame)
        else:
            self._act(self._talk.heard(frame, now))
            self._news.set()

    def _back(self) -> None:
        """It was silent, and is heard again: the line is in order, so nothing was missed."""
        self._silent = False
        log.info("%s: heard again", self.name)
        for topic in self._talk.topics:
            if self._talk.acknowledged(topic):
                self._wire.live(self, topic)

    def _clean(self, text: str) -> str:
        """Text of the exchange for a log or an error: it may echo what it was sent."""
        return printable(text if self._login is None else self._login.redact(text))

    async def _guarded(self, work: Callable[..., Awaitable[None]], *given: Any) -> None:
        """A defect of ours: the loop's exception handler hears of it, and the line goes on."""
        try:
            await work(*given)
        except Exception as error:
            context = {"message": f"bitget_async: {self.name} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
