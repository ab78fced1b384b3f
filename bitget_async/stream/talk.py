"""
What is said on one connection, and when: login first, then what is subscribed, pings, and what to make of silence.

Pure: `now_ns` comes in, frames to send and events go out, and a shell around it reads and writes the socket.

Source: https://www.bitget.com/api-doc/common/websocket-intro, read 2025-11-30.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from bitget_async.stream.asking import Asking
from bitget_async.stream.events import Dead, Event, Remedy, Renewal, SignedIn, SignInRefused, remedy
from bitget_async.stream.protocol import (
    PING,
    Failed,
    Frame,
    LoggedIn,
    LoginFailed,
    Subscribed,
    Topic,
    Unsubscribed,
)

__all__ = ["LoginDue", "Talk"]

SECOND_NS = 1_000_000_000
PING_NS = 25 * SECOND_NS
# Without a word for two pings.
SILENCE_NS = 2 * PING_NS
ANSWER_NS = 5 * SECOND_NS
# The exchange closes a connection after 24 hours.
LIFE_NS = (23 * 3600 + 1800) * SECOND_NS
# Later than this, and the loop stood still: answers may lie unread in the socket.
STALL_NS = SECOND_NS
# The exchange blocks addresses that come back at once.
OVER_LIMIT = "30007"
OVER_LIMIT_NS = 60 * SECOND_NS


class LoginDue(enum.Enum):
    """Stands for the login frame, which only the shell can make: it has the key and the exchange's clock."""

    NOW = "now"


class _State(enum.Enum):
    CLOSED = enum.auto()
    LOGIN_DUE = enum.auto()
    LOGIN_SENT = enum.auto()
    READY = enum.auto()
    OVER = enum.auto()


class Talk:
    """
    One connection's side of the talk. Call `opened`, then in turns: `tick`, at `due_ns` at the latest; `next_frame`
    until it gives nothing (what it gives counts as sent); `heard` with each frame; and act on the events. It outlives
    its connection: what is wanted stays, and is asked for anew on the next one.

    Args:
        private: whether to sign in first.
        life_ns: age at which a connection is to be renewed.
    """

    def __init__(self, *, private: bool, life_ns: int = LIFE_NS) -> None:
        self._private = private
        self._life_ns = life_ns
        self._state = _State.CLOSED
        self._asking = Asking(private=private)
        self._clock_refusals = 0
        self._opened_ns = self._heard_ns = self._pinged_ns = self._login_ns = self._due_ns = 0
        self._renewal_said = False

    @property
    def signed_in(self) -> bool:
        """Whether topics may be asked for: at once on a public connection, after the login on a private one."""
        return self._state is _State.READY

    @property
    def due_ns(self) -> int:
        """When `tick`, and `next_frame` after it, have to be called again at the latest."""
        return self._due_ns

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What is wanted, in the order in which it was."""
        return self._asking.topics

    def acknowledged(self, topic: Topic) -> bool:
        """Whether it is wanted, and pushes of it come."""
        return self._asking.on(topic)

    def want(self, topics: Iterable[Topic]) -> None:
        """
        Ask for these from now on, on this connection and on those that follow, until `SubscriptionLost`. Nothing
        changes for those that are wanted already, and no second `Acknowledged` comes for those that have one.
        """
        for topic in topics:
            self._asking.want(topic)

    def unwant(self, topics: Iterable[Topic]) -> None:
        """Ask for these no more, and for the end of those that come; `Left` follows if the exchange was asked."""
        for topic in topics:
            self._asking.unwant(topic)

    def opened(self, now_ns: int) -> None:
        """A new connection is there, and knows nothing."""
        self._asking.restart()
        self._state = _State.LOGIN_DUE if self._private else _State.READY
        self._opened_ns = self._heard_ns = self._pinged_ns = self._due_ns = now_ns
        self._renewal_said = False

    def closed(self) -> None:
        """The connection is gone; nothing is on."""
        self._asking.restart()
        self._state = _State.CLOSED

    def heard(self, frame: Frame, now_ns: int) -> tuple[Event, ...]:
        """A frame came. For a `Push` take `heard_push`: it costs less."""
        self._heard_ns = now_ns
        if self._state in (_State.CLOSED, _State.OVER):
            return ()
        match frame:
            case LoggedIn():
                return self._logged_in()
            case LoginFailed(code, message):
                return self._login_failed(code, message)
            case Subscribed(topic):
                return self._asking.told(topic)
            case Unsubscribed(topic):
                return self._asking.left(topic)
            case Failed(topic, code, message):
                return self._failed(topic, code, message, now_ns)
            case _:
                return ()

    def heard_push(self, topic: Topic, now_ns: int) -> tuple[Event, ...]:
        """A push of that topic came. If it was not acknowledged, it is now: the acknowledgement is late or lost."""
        self._heard_ns = now_ns
        if not self._asking.unsure:
            return ()
        return self._asking.told(topic) or self._asking.told(Topic(topic.channel, "default"))

    def tick(self, now_ns: int) -> tuple[Event, ...]:
        """What time brings: silence, missing answers, age. Sets `due_ns` anew."""
        if self._state in (_State.CLOSED, _State.OVER):
            return ()
        if now_ns - self._due_ns > STALL_NS:
            # Nothing was read meanwhile: what is due now gets another second, in which the socket is read.
            forgiven_ns = now_ns - self._due_ns + STALL_NS
            self._heard_ns = min(self._heard_ns + forgiven_ns, now_ns)
            self._login_ns += forgiven_ns
            self._asking.forgive(forgiven_ns)
        if now_ns - self._heard_ns >= SILENCE_NS:
            return self._over("nothing was heard for two pings")
        if self._state is _State.LOGIN_SENT and now_ns - self._login_ns >= ANSWER_NS:
            return self._over("the login was not answered")
        events = self._asking.overdue(now_ns)
        if not self._renewal_said and now_ns - self._opened_ns >= self._life_ns:
            self._renewal_said = True
            events += (Renewal(),)
        self._set_due(now_ns)
        return events

    def next_frame(self, now_ns: int) -> bytes | LoginDue | None:
        """
        What is to be sent now: a ping before all else, then the login, then ends of subscriptions, then subscriptions;
        `None` if nothing is. The exchange reads ten messages a second: the shell paces.
        """
        if self._state in (_State.CLOSED, _State.OVER):
            return None
        frame: bytes | LoginDue | None = None
        if now_ns - self._pinged_ns >= PING_NS:
            self._pinged_ns = now_ns
            frame = PING.encode()
        elif self._state is _State.LOGIN_DUE:
            self._state, self._login_ns = _State.LOGIN_SENT, now_ns
            frame = LoginDue.NOW
        elif self._state is _State.READY:
            frame = self._asking.next_frame(now_ns)
        self._set_due(now_ns)
        return frame

    def _set_due(self, now_ns: int) -> None:
        moments = [self._pinged_ns + PING_NS, self._heard_ns + SILENCE_NS]
        if not self._renewal_said:
            moments.append(self._opened_ns + self._life_ns)
        if self._state is _State.LOGIN_SENT:
            moments.append(self._login_ns + ANSWER_NS)
        asking_ns = self._asking.due_ns(now_ns)
        if self._state is _State.READY and asking_ns is not None:
            moments.append(asking_ns)
        self._due_ns = max(min(moments), now_ns)

    def _over(self, reason: str, pause_ns: int = 0) -> tuple[Event, ...]:
        self._state = _State.OVER
        return (Dead(reason, pause_ns),)

    def _logged_in(self) -> tuple[Event, ...]:
        if self._state is not _State.LOGIN_SENT:
            return ()
        self._state, self._clock_refusals = _State.READY, 0
        return (SignedIn(),)

    def _login_failed(self, code: str, message: str) -> tuple[Event, ...]:
        self._state = _State.OVER
        what = remedy(code)
        if what is Remedy.CLOCK:
            # Twice, although the clock was read in between: it is something else.
            what = Remedy.STOP if self._clock_refusals else Remedy.CLOCK
            self._clock_refusals += 1
        return (SignInRefused(code, message, what),)

    def _failed(self, topic: Topic | None, code: str, message: str, now_ns: int) -> tuple[Event, ...]:
        if code == OVER_LIMIT:
            return self._over("too many messages", OVER_LIMIT_NS)
        if self._state is _State.LOGIN_SENT:
            return self._login_failed(code, message)
        return self._asking.failed(topic, code, message, now_ns)
