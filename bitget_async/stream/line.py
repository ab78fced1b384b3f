"""
One connection that is kept up: opened when somebody wants a topic of it, opened again when it is lost, closed when
nobody wants anything any more.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from bitget_async.clock import Clock
from bitget_async.errors import NotSent, printable
from bitget_async.events import Events, StreamChanged
from bitget_async.events.copies import plain_code
from bitget_async.stream.conversation import Conversation, Socket, guarded, room, until
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
from bitget_async.stream.protocol import Push, Topic, TradeAnswer
from bitget_async.stream.state import StreamState
from bitget_async.stream.talk import Talk
from bitget_async.tasks import Tasks

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

__all__ = ["Backoff", "KeptLine", "Login", "Opener", "Wire"]

log = logging.getLogger("bitget_async.stream")

SECOND_NS = 1_000_000_000
IDLE_NS = 30 * SECOND_NS
FIRST_PAUSE_S = 0.1
PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# Signing in with a key that was refused, and asking for a topic that was, for those who stay all the same.
REFUSED_PAUSE_S = 300.0
REFUSED_NS = 60 * SECOND_NS
HEALTHY_NS = 10 * SECOND_NS
MOST_LOGINS = 3


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
    One connection to one path, kept up as long as topics are wanted. A `Listener` of the conversation on it.

    Args:
        name: for the log.
        path: of the socket.
        opener: opens it.
        login: signs in; `None` for a public line.
        wire: is told what happens.
        clock, rng: time and jitter.
        connects: paces the connections of all lines together.
        answered: is told of answers to commands.
        events: who is told how it is.

    Attributes:
        connected: how often it was.
        pushed_at: exchange time (ms, or `None`) and arrival (monotonic ns) of the last push; `None` before it.
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
        events: Events | None = None,
    ) -> None:
        self.name = name
        self.connected = 0
        self.pushed_at: tuple[int | None, int] | None = None
        self._events = events or Events()
        self._said = ""
        self._path = path
        self._opener = opener
        self._login = login
        self._wire = wire
        self._clock = clock
        self._rng = rng
        self._connects = connects
        self._answered = answered
        self._talk = Talk(private=login is not None)
        self._now: Conversation | None = None
        self._backoff = Backoff(rng)
        self._tasks = Tasks()
        self._news = asyncio.Event()
        self._renewing: dict[Topic, None] = {}
        self._refused: dict[Topic, int] = {}
        self._logins = 0
        self._least_pause_s = 0.0
        self._idle_ns: int | None = None
        self._clock_doubted = self._urged = self._good = self._unreachable = self._silent = False
        self._running = self._ending = False

    def __repr__(self) -> str:
        return f"<line {self.name}, {len(self._talk.topics)} topics>"

    # -- how it is --------------------------------------------------------------------------------------------

    @property
    def state(self) -> StreamState:
        """CONNECTING, LIVE (every topic is acknowledged), or STALE (lost or silent)."""
        if self._now is None or self._silent:
            return StreamState.STALE if self.connected else StreamState.CONNECTING
        whole = self._talk.topics and all(map(self._talk.acknowledged, self._talk.topics))
        return StreamState.LIVE if whole else StreamState.CONNECTING

    @property
    def topics(self) -> int:
        """How many are wanted."""
        return len(self._talk.topics)

    @property
    def heard_ns(self) -> int | None:
        """When anything came last, or `None` while there is no connection."""
        return None if self._now is None else self._now.heard_ns

    def _say(self, state: str, reason: str = "") -> None:
        """Tell who listens."""
        self._said = state
        if self._events.wants(StreamChanged):
            now = self._clock.monotonic_ns()
            event = StreamChanged(at_ns=now, stream=self.name, state=state, reason=reason, topics=self.topics)
            self._events.emit(event)

    def _say_live(self) -> None:
        if self._said != "live" and self.state is StreamState.LIVE:
            self._say("live")

    # -- what is wanted ---------------------------------------------------------------------------------------

    def want(self, topics: Iterable[Topic]) -> None:
        """Subscribe to these, too; the first ones open the line."""
        self._said = ""
        self._talk.want(topics)
        self.urge()
        if not self._running:
            self._running = True
            self._tasks.start(self._run(), f"bitget_async: {self.name}")

    def urge(self) -> None:
        """Somebody new waits for it: a long pause after a refused login becomes a short one."""
        self._urged = True
        self._tell()

    def unwant(self, topics: Iterable[Topic]) -> None:
        """Not to these any more."""
        topics = tuple(topics)
        for topic in topics:
            self._renewing.pop(topic, None)
            self._refused.pop(topic, None)
        self._talk.unwant(topics)
        self._tell()

    def renew(self, topic: Topic) -> None:
        """Unsubscribe and subscribe again. Where it is not acknowledged yet, its first push is still to come."""
        if self._talk.acknowledged(topic):
            self._renewing[topic] = None
            self._talk.unwant((topic,))
            self._tell()

    @property
    def roomy(self) -> bool:
        """Whether a command could be written now, and a ping after it."""
        return self._now is not None and self._now.roomy

    async def command(self, frame: bytes) -> bool:
        """Write a command; False if nothing of it can have left."""
        return self._now is not None and await self._now.command(frame)

    async def close(self) -> None:
        """End it. Safe to call twice."""
        self._ending = True
        await self._tasks.close()

    def _tell(self) -> None:
        self._news.set()
        if self._now is not None:
            self._now.news.set()

    # -- connections ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not self._ending and self._needed:
                await self._pause()
                if self._needed:
                    await guarded(self.name, self._connect)
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
            await until(self._news, now, until_ns)
        await room(self._connects, self._clock)

    async def _connect(self) -> None:
        """Open a connection, and talk on it until it ends."""
        if self._login is not None:
            await self._login.set_clock(anew=self._clock_doubted)
            self._clock_doubted = False
        try:
            socket = await self._opener.open(self._path)
        except NotSent as error:
            # Once an outage: the attempts go on for as long as it takes.
            if not self._unreachable:
                self._say("unreachable", error.reason)
            self._unreachable = True
            return
        self._unreachable, self._good, self._idle_ns = False, self._login is None, None
        self._silent = False
        self._talk.want((*self._renewing, *self._refused))
        self._renewing.clear()
        self._refused.clear()
        self._now = now = Conversation(self.name, socket, self._talk, self, self._clock)
        self.connected += 1
        self._say("connected")
        try:
            await now.run(self._tasks)
        finally:
            self._cut(now)

    def _cut(self, past: Conversation) -> None:
        """The connection is gone."""
        self._now = None
        if self._good and past.heard_ns - past.opened_ns >= HEALTHY_NS:
            self._backoff.lasted()
        self._talk.closed()
        self._talk.want(self._renewing)
        self._renewing.clear()
        quiet = self._ending or not self._needed
        self._say("closed" if quiet else "lost", past.over)
        if not self._ending:
            self._wire.lapsed(self, cut=True)

    # -- what happens on it -----------------------------------------------------------------------------------

    def due_ns(self, now: int) -> int | None:
        """Ask again for what was refused and is wanted all the same; end the line when nobody has wanted it long."""
        due = [topic for topic, at_ns in self._refused.items() if at_ns <= now]
        for topic in due:
            del self._refused[topic]
        self._talk.want(due)
        self._idle_ns = None if self._needed else self._idle_ns or now + IDLE_NS
        if self._idle_ns is not None and now >= self._idle_ns:
            self._end("idle")
        moments = [*self._refused.values(), *([] if self._idle_ns is None else [self._idle_ns])]
        return min(moments, default=None)

    def act(self, events: Iterable[Event]) -> None:
        """What `Talk` makes of what happened."""
        for event in events:
            match event:
                case Acknowledged(topic):
                    self._wire.live(self, topic)
                    self._say_live()
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
                    why = f"code {plain_code(code)}" if code else "never acknowledged"
                    self._say("refused", f"{topic.channel}, {why}")
                    self._wire.failed(self, topic, code or None, self.clean(message))
                case SignInRefused(code, message, remedy):
                    self._sign_in_refused(code, message, remedy)
                case Dead(reason, pause_ns):
                    self._least_pause_s = pause_ns / 1e9
                    self._end(reason)
                case Renewal():
                    self._end("it is nearly a day old")
                case Complaint(code, message):
                    log.warning("%s: code %s: %s", self.name, printable(code), self.clean(message))

    def _end(self, why: str) -> None:
        if self._now is not None:
            self._now.over = self._now.over or why

    def _sign_in_refused(self, code: str, message: str, remedy: Remedy) -> None:
        """
        1. The clock: read it, and sign in again. 2. It proves nothing, or asks to wait: again, a few times. 3. The key
        is not good for it: those who wait hear of it, and who stays all the same is asked for rarely.
        """
        self._end(f"the login was refused with code {plain_code(code)}")
        self._logins += 1
        self._clock_doubted = remedy is Remedy.CLOCK
        if remedy is Remedy.STOP or self._logins >= MOST_LOGINS:
            self._least_pause_s = self._rng.uniform(REFUSED_PAUSE_S / 2, REFUSED_PAUSE_S)
            self._say("refused", f"login, code {plain_code(code)}")
            self._wire.failed(self, None, code, self.clean(message))

    def silent(self, *, on: bool) -> None:
        """See `Listener`."""
        self._silent = on
        if on:
            self._say("silent")
            self._wire.lapsed(self, cut=False)
            return
        self._say_live()
        for topic in self._talk.topics:
            if self._talk.acknowledged(topic):
                self._wire.live(self, topic)

    def pushed(self, push: Push, received_ns: int) -> None:
        """See `Listener`."""
        self.pushed_at = push.ts_ms, received_ns
        self._wire.pushed(self, push, received_ns)

    def answered(self, answer: TradeAnswer) -> None:
        """See `Listener`."""
        if self._answered is not None:
            self._answered(answer)

    def login(self) -> bytes:
        """See `Listener`."""
        assert self._login is not None
        return self._login.frame()

    def clean(self, text: str) -> str:
        """See `Listener`."""
        return printable(text if self._login is None else self._login.redact(text))
