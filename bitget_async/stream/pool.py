"""Topics over lines: each topic is subscribed to once, whoever wants it, and no line has more than 50."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from bitget_async.clock import Clock
from bitget_async.errors import StreamError, SubscriptionFailed
from bitget_async.stream.protocol import Push, Topic
from bitget_async.stream.rows import records_of
from bitget_async.stream.state import StreamState

__all__ = ["Line", "Pool", "Receiver", "named"]

log = logging.getLogger("bitget_async.stream")

# The exchange takes 1000, and recommends less than 50.
MOST_TOPICS = 50
# Their first push after the acknowledgement is the state that later ones change.
SNAPSHOT_FIRST = ("account", "books")


class Receiver(Protocol):
    """Who wants the pushes of some topics. All of it is called synchronously; what raises is a defect of ours."""

    @property
    def topics(self) -> Sequence[Topic]:
        """What it wants."""

    def live(self, topic: Topic, now_ns: int) -> None:
        """Pushes of this topic come from now on; those before may have been missed, unless the line was only silent."""

    def lapsed(self, topic: Topic, now_ns: int, *, cut: bool) -> None:
        """No more pushes of this topic come: the line was cut, or (not `cut`) it stands and is silent."""

    def pushed(self, records: Sequence[Any], received_ns: int) -> None:
        """What one push told."""

    def failed(self, error: StreamError) -> None:
        """A topic of it cannot be had."""


class Line(Protocol):
    """What the pool needs of a line."""

    name: str

    def want(self, topics: Iterable[Topic]) -> None:
        """Subscribe to these, too."""

    def urge(self) -> None:
        """Somebody new waits for it."""

    def unwant(self, topics: Iterable[Topic]) -> None:
        """Not to these any more."""

    def renew(self, topic: Topic) -> None:
        """Unsubscribe from it and subscribe again."""

    async def close(self) -> None:
        """End it."""


class _Member:
    """One topic: where it is subscribed to, and for whom."""

    __slots__ = ("line", "live", "receivers", "was_live")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.live = self.was_live = False
        self.receivers: dict[Receiver, None] = {}


class Pool:
    """
    The lines of one kind, public or private.

    Args:
        make_line: makes one more line, which tells this pool.
        clock: for moments.
        changed: called when a state may have changed.
        most: topics a line.
    """

    def __init__(
        self, make_line: Callable[[Pool], Line], clock: Clock, changed: Callable[[], None], *, most: int = MOST_TOPICS
    ) -> None:
        self._make_line = make_line
        self._clock = clock
        self._changed = changed
        self._most = most
        self._lines: dict[Line, set[Topic]] = {}
        self._ending: set[Line] = set()
        self._members: dict[Topic, _Member] = {}
        self._loose: dict[tuple[str, str], Topic] = {}

    @property
    def state(self) -> StreamState:
        """OFF if nobody wants anything; else how the worst topic is."""
        members = self._members.values()
        if not members:
            return StreamState.OFF
        if any(each.was_live and not each.live for each in members):
            return StreamState.STALE
        return StreamState.LIVE if all(each.live for each in members) else StreamState.CONNECTING

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that there are, oldest first."""
        return tuple(self._lines)

    # -- who wants what ---------------------------------------------------------------------------------------

    def join(self, receiver: Receiver) -> None:
        """Feed it, from the moments on at which its topics are live."""
        fresh = [topic for topic in dict.fromkeys(receiver.topics) if topic not in self._members]
        added: dict[Line, list[Topic]] = {}
        for topic, line in zip(fresh, self._room(len(fresh)), strict=True):
            self._members[topic] = _Member(line)
            self._loose[_loosely(topic)] = topic
            self._lines[line].add(topic)
            added.setdefault(line, []).append(topic)
        for topic in receiver.topics:
            member = self._members[topic]
            member.receivers[receiver] = None
            if not member.live:
                member.line.urge()
            else:
                receiver.live(topic, self._clock.monotonic_ns())
                if topic.channel in SNAPSHOT_FIRST:
                    # It came too late for the first push.
                    member.line.renew(topic)
        for line, topics in added.items():
            line.want(topics)
        self._changed()

    def leave(self, receiver: Receiver) -> None:
        """Feed it no more. Topics that nobody else wants are unsubscribed from."""
        left: dict[Line, list[Topic]] = {}
        for topic in receiver.topics:
            member = self._members.get(topic)
            if member is None or receiver not in member.receivers:
                continue
            del member.receivers[receiver]
            if not member.receivers:
                del self._members[topic]
                del self._loose[_loosely(topic)]
                self._lines[member.line].discard(topic)
                left.setdefault(member.line, []).append(topic)
        for line, topics in left.items():
            line.unwant(topics)
        self._changed()

    def urge(self, topic: Topic) -> None:
        """Somebody new waits for that topic."""
        member = self._members.get(topic)
        if member is not None:
            member.line.urge()

    def line_of(self, topic: Topic) -> Line | None:
        """Where that topic is subscribed to."""
        member = self._members.get(topic)
        return None if member is None else member.line

    def renew(self, topic: Topic) -> None:
        """Ask for the first push of a topic again."""
        member = self._members.get(topic)
        if member is not None:
            member.line.renew(topic)

    def _room(self, count: int) -> list[Line]:
        """A line for each of so many topics: as few lines as can be, each with about as many topics."""
        while count > sum(self._most - len(topics) for topics in self._lines.values()):
            self._lines[self._make_line(self)] = set()
        loads = {line: len(topics) for line, topics in self._lines.items()}
        chosen = []
        for _ in range(count):
            line = min(loads, key=lambda each: loads[each])
            loads[line] += 1
            chosen.append(line)
        return chosen

    async def close(self) -> None:
        """End every line. Receivers are not told: whoever closes the pool ends them."""
        lines = [*self._lines, *self._ending]
        self._members.clear()
        self._loose.clear()
        self._lines.clear()
        await asyncio.gather(*(line.close() for line in lines))

    # -- what lines tell --------------------------------------------------------------------------------------

    def live(self, line: Line, topic: Topic) -> None:
        """The topic is acknowledged, or heard of again."""
        member = self._member(line, topic)
        if member is not None and not member.live:
            member.live = member.was_live = True
            now = self._clock.monotonic_ns()
            self._tell(member, lambda each: each.live(topic, now))
            self._changed()

    def lapsed(self, line: Line, *, cut: bool) -> None:
        """The line was cut, or is silent."""
        now = self._clock.monotonic_ns()
        for topic in tuple(self._lines.get(line, ())):
            member = self._member(line, topic)
            if member is not None and (member.live or cut):
                member.live = False
                self._tell(member, lambda each, topic=topic: each.lapsed(topic, now, cut=cut))  # type: ignore[misc]
        self._changed()

    def pushed(self, line: Line, push: Push, received_ns: int) -> None:
        """A push came."""
        member = self._member(line, push.topic)
        if member is None:
            topic = self._loose.get(_loosely(push.topic))
            member = None if topic is None else self._member(line, topic)
        if member is None:
            # Of a topic that was just unsubscribed from.
            return
        records = records_of(push, self._strange)
        if records:
            for receiver in tuple(member.receivers):
                self._guarded(receiver.pushed, records, received_ns)

    def failed(self, line: Line, topic: Topic | None, code: str | None, message: str) -> None:
        """The exchange refused the topic, or did not acknowledge it; `None`: it refused the login."""
        error = SubscriptionFailed("login" if topic is None else named(topic), code, message)
        for each in tuple(self._lines.get(line, ())) if topic is None else (topic,):
            member = self._member(line, each)
            if member is not None:
                self._tell(member, lambda receiver: receiver.failed(error))

    def idle(self, line: Line) -> None:
        """Nobody has wanted anything of the line for a while, and it ends."""
        if self._lines.pop(line, None) is not None:
            self._ending.add(line)

    def ended(self, line: Line) -> None:
        """It has."""
        self._ending.discard(line)

    def _member(self, line: Line, topic: Topic) -> _Member | None:
        member = self._members.get(topic)
        return member if member is not None and member.line is line else None

    def _tell(self, member: _Member, what: Callable[[Receiver], None]) -> None:
        for receiver in tuple(member.receivers):
            self._guarded(what, receiver)

    @staticmethod
    def _guarded(what: Callable[..., None], *given: Any) -> None:
        """A defect of ours harms nobody else: the loop's exception handler hears of it."""
        try:
            what(*given)
        except Exception as error:
            context = {"message": "bitget_async: a receiver of pushes failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    @staticmethod
    def _strange(reason: str) -> None:
        log.debug("a push with %s", reason)


def named(topic: Topic) -> str:
    """A topic in words: `ticker BTCUSDT`."""
    name = topic.inst_id or topic.coin or ""
    return topic.channel if name in ("", "default") else f"{topic.channel} {name}"


def _loosely(topic: Topic) -> tuple[str, str]:
    """The same for every way in which the exchange may echo it."""
    return topic.channel, (topic.inst_id or topic.coin or "").upper()
