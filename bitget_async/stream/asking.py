"""
Which topics are wanted on one connection, where each of them stands, and what to ask for next. Pure.

An acknowledgement may be lost, late, or refused without saying what was refused; nothing waits for one for ever.
"""

from __future__ import annotations

import enum
from collections import deque

import msgspec

from bitget_async.stream.events import Acknowledged, Complaint, Event, Left, Remedy, SubscriptionLost, remedy
from bitget_async.stream.protocol import Topic, subscribe_frames, unsubscribe_frames

__all__ = ["Asking"]

SECOND_NS = 1_000_000_000
ANSWER_NS = 5 * SECOND_NS
# Asked once, and then this often again.
REPEATS = 3
MOST_REQUESTS = 240
# The exchange's hour begins when a request arrives, not when it leaves.
HOUR_NS = 3610 * SECOND_NS
WAIT_NS = 5 * SECOND_NS
LONGEST_WAIT_NS = 60 * SECOND_NS
LOGIN_NEEDED = "30004"


class _Phase(enum.Enum):
    OFF = enum.auto()
    ASKED = enum.auto()
    ON = enum.auto()
    LEAVING = enum.auto()


_Key = tuple[str, str]


class _Standing(msgspec.Struct, eq=False):
    """
    One topic. `maybe`: the exchange may send it, for it was asked for since this connection began and its end was not
    told. `alone`: it is asked for by itself, since an error did not say which one of many it meant.
    """

    topic: Topic
    wanted: bool = True
    phase: _Phase = _Phase.OFF
    asked_ns: int = 0
    times: int = 0
    waits: int = 0
    not_before_ns: int = 0
    maybe: bool = False
    alone: bool = False


class Asking:
    """The subscriptions of one connection. Args: private: whether it signs in, so that "login needed" may pass."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._standings: dict[_Key, _Standing] = {}
        self._sent_ns: deque[int] = deque(maxlen=MOST_REQUESTS)
        self._quiet_until_ns = 0
        self._unsure = 0

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What is wanted, in the order in which it was."""
        return tuple(each.topic for each in self._standings.values() if each.wanted)

    @property
    def unsure(self) -> bool:
        """Whether any wanted topic has been asked for and is not acknowledged: then a push can tell something."""
        return self._unsure > 0

    def on(self, topic: Topic) -> bool:
        """Whether it is wanted and acknowledged."""
        standing = self._standings.get(_key(topic))
        return standing is not None and standing.wanted and standing.phase is _Phase.ON

    def want(self, topic: Topic) -> None:
        """Ask for it; nothing changes if it is wanted already."""
        standing = self._standings.setdefault(_key(topic), _Standing(topic))
        if not standing.wanted:
            standing.wanted, standing.times, standing.waits, standing.not_before_ns = True, 0, 0, 0

    def unwant(self, topic: Topic) -> None:
        """Ask for its end, if it was asked for at all."""
        standing = self._standings.get(_key(topic))
        if standing is None or not standing.wanted:
            return
        self._end(standing)

    def restart(self) -> None:
        """Another connection, on which nothing is asked yet."""
        self._sent_ns.clear()
        self._quiet_until_ns = 0
        for standing in list(self._standings.values()):
            standing.phase, standing.times, standing.waits, standing.not_before_ns = _Phase.OFF, 0, 0, 0
            standing.maybe = standing.alone = False
            if not standing.wanted:
                self._forget(standing)
        self._unsure = 0

    def forgive(self, stood_still_ns: int) -> None:
        """Time in which nobody listened is not the exchange's."""
        for standing in self._standings.values():
            standing.asked_ns += stood_still_ns

    def told(self, topic: Topic) -> tuple[Event, ...]:
        """An acknowledgement came, or a push in its place; late ones count."""
        standing = self._standings.get(_key(topic))
        if standing is None or not (
            standing.phase is _Phase.ASKED or (standing.phase is _Phase.OFF and standing.times)
        ):
            return ()
        standing.phase, standing.times, standing.waits, standing.alone = _Phase.ON, 0, 0, False
        self._count()
        return (Acknowledged(standing.topic),) if standing.wanted else ()

    def left(self, topic: Topic) -> tuple[Event, ...]:
        """The end of a subscription was acknowledged."""
        standing = self._standings.get(_key(topic))
        if standing is None or standing.phase is not _Phase.LEAVING:
            return ()
        standing.phase, standing.times, standing.maybe = _Phase.OFF, 0, False
        if standing.wanted:
            return ()
        self._forget(standing)
        return (Left(standing.topic),)

    def failed(self, topic: Topic | None, code: str, message: str, now_ns: int) -> tuple[Event, ...]:
        """
        Something was refused: 1. the topic that is named, or the only one that was asked for; 2. without a name, too
        many requests mean all; 3. any other error means one of those asked, which asking one by one finds.
        """
        standing = self._standings.get(_key(topic)) if topic is not None else None
        waiting = [each for each in self._standings.values() if each.phase in (_Phase.ASKED, _Phase.LEAVING)]
        what = remedy(code)
        if standing is None and len(waiting) == 1:
            (standing,) = waiting
        if standing is not None:
            return self._refused(standing, code, message, what, now_ns)
        for each in waiting:
            if what is Remedy.WAIT:
                self._later(each, now_ns)
            elif each.phase is _Phase.ASKED:
                each.phase, each.times, each.alone = _Phase.OFF, 0, True
        self._count()
        return () if waiting else (Complaint(code, message),)

    def overdue(self, now_ns: int) -> tuple[Event, ...]:
        """Answers that did not come: ask again, or give up."""
        late = [each for each in self._standings.values() if each.phase in (_Phase.ASKED, _Phase.LEAVING)]
        events = [event for each in late if now_ns - each.asked_ns >= ANSWER_NS for event in self._overdue(each)]
        self._count()
        return tuple(events)

    def next_frame(self, now_ns: int) -> bytes | None:
        """The next request, if one may be sent now: ends first, then subscriptions. It counts as sent."""
        if self._free_ns() > now_ns:
            return None
        ending = [each for each in self._standings.values() if not each.wanted and each.phase is not _Phase.LEAVING]
        if ending:
            frame, topics = unsubscribe_frames(each.topic for each in ending)[0]
            return self._send(frame, topics, _Phase.LEAVING, now_ns)
        ready = self._ready(now_ns)
        if not ready:
            return None
        frame, topics = subscribe_frames(each.topic for each in ready)[0]
        return self._send(frame, topics, _Phase.ASKED, now_ns)

    def due_ns(self, now_ns: int) -> int | None:
        """When there will be something to send or to give up, after now; `None` if there is not."""
        free_ns = self._free_ns()
        moments = []
        for each in self._standings.values():
            if each.phase in (_Phase.ASKED, _Phase.LEAVING):
                moments.append(each.asked_ns + ANSWER_NS)
            elif not each.wanted:
                moments.append(free_ns)
            elif each.phase is _Phase.OFF:
                moments.append(max(each.not_before_ns, free_ns))
        return min((moment for moment in moments if moment > now_ns), default=None)

    def _ready(self, now_ns: int) -> list[_Standing]:
        """What to subscribe now. Of those to be asked alone one at a time, and not while another answer is missing."""
        waiting = [each for each in self._standings.values() if each.phase in (_Phase.ASKED, _Phase.LEAVING)]
        if any(each.alone for each in waiting):
            return []
        off = [each for each in self._standings.values() if each.wanted and each.phase is _Phase.OFF]
        ready = [each for each in off if each.not_before_ns <= now_ns]
        return [each for each in ready if not each.alone] or ([] if waiting else ready[:1])

    def _send(self, frame: bytes, topics: tuple[Topic, ...], phase: _Phase, now_ns: int) -> bytes:
        self._sent_ns.append(now_ns)
        for topic in topics:
            standing = self._standings[_key(topic)]
            standing.phase, standing.asked_ns, standing.times = phase, now_ns, standing.times + 1
            standing.maybe = True
        self._count()
        return frame

    def _free_ns(self) -> int:
        """From when on a request may be sent."""
        full = len(self._sent_ns) == MOST_REQUESTS
        return max(self._quiet_until_ns, self._sent_ns[0] + HOUR_NS if full else 0)

    def _overdue(self, standing: _Standing) -> tuple[Event, ...]:
        spent = standing.times > REPEATS
        if standing.phase is _Phase.LEAVING:
            if not spent or standing.wanted:
                # What is wanted again is asked for again: whether it still comes, nobody said.
                standing.phase, standing.times = _Phase.OFF, 0 if standing.wanted else standing.times
                return ()
            self._forget(standing)
            return (Left(standing.topic),)
        if spent and standing.wanted:
            lost = SubscriptionLost(standing.topic, "", f"not acknowledged after {standing.times} requests")
            standing.phase = _Phase.OFF
            self._end(standing)
            return (lost,)
        standing.phase = _Phase.OFF
        return ()

    def _refused(self, standing: _Standing, code: str, message: str, what: Remedy, now_ns: int) -> tuple[Event, ...]:
        if what is Remedy.WAIT:
            self._later(standing, now_ns)
        elif not standing.wanted:
            # It does not come, or its end was refused: nothing is left to do about it.
            self._forget(standing)
            return (Left(standing.topic),)
        elif standing.phase is _Phase.LEAVING:
            standing.phase, standing.times = _Phase.OFF, 0
        elif (what is Remedy.STOP and not (self._private and code == LOGIN_NEEDED)) or standing.times > REPEATS:
            self._forget(standing)
            return (SubscriptionLost(standing.topic, code, message),)
        else:
            standing.phase, standing.not_before_ns = _Phase.OFF, now_ns + ANSWER_NS
        self._count()
        return ()

    def _later(self, standing: _Standing, now_ns: int) -> None:
        until_ns = now_ns + min(WAIT_NS << min(standing.waits, 10), LONGEST_WAIT_NS)
        standing.phase, standing.times, standing.waits = _Phase.OFF, 0, standing.waits + 1
        standing.not_before_ns = until_ns
        self._quiet_until_ns = max(self._quiet_until_ns, until_ns)

    def _end(self, standing: _Standing) -> None:
        """It is wanted no more: what may come is to be ended."""
        standing.wanted, standing.times, standing.alone = False, 0, False
        if standing.phase is _Phase.OFF and not standing.maybe:
            self._forget(standing)
        self._count()

    def _forget(self, standing: _Standing) -> None:
        del self._standings[_key(standing.topic)]
        self._count()

    def _count(self) -> None:
        self._unsure = sum(
            each.phase is _Phase.ASKED or (each.phase is _Phase.OFF and each.maybe) for each in self._standings.values()
        )


def _key(topic: Topic) -> _Key:
    # Echoes may have other capitals, and `instId` where `coin` was asked with.
    return topic.channel, (topic.inst_id or topic.coin or "").upper()
