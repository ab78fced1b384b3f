"""
The talk of one connection: what the client says, and what the exchange answers. Pure: no I/O, no timers, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import orjson

from bitget_async.sim.accounts import Key
from bitget_async.sim.gateway import Gateway
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.sockets.line import Line, Luck, Wire
from bitget_async.sim.sockets.login import LOGIN_TEXTS, NoLogin, log_in
from bitget_async.sim.sockets.private import PRIVATE
from bitget_async.sim.sockets.records import SocketRecord
from bitget_async.sim.sockets.topics import NoTopic, Topic
from bitget_async.sim.sockets.trade import BadCommand, command
from bitget_async.sim.venue import Venue

__all__ = ["PRIVATE_PATH", "PUBLIC_PATH", "Hall", "Talk"]

PUBLIC_PATH = "/v2/ws/public"
PRIVATE_PATH = "/v2/ws/private"
SECOND_NS = 1_000_000_000
HOUR_NS = 3_600_000_000_000
MESSAGES_A_SECOND = 10
SUBSCRIBES_AN_HOUR = 240
TOPICS = 1000
MESSAGE_BYTES = 4096
# Nobody documents the codes of the exchange's goodbyes; these are the ones that the standard has for the cases.
GOING_AWAY, POLICY = 1001, 1008
TEXTS = LOGIN_TEXTS | {
    30002: "Illegal request",
    30003: "Invalid op",
    30004: "User needs to log in",
    30006: "Request too many",
    30007: "request over limit,connection close",
    30016: "Param error",
    # A guess: what an account without the permission to read is told.
    40014: "Incorrect permissions, need spot order read permissions",
}


class Hall(Protocol):
    """What a talk needs of the exchange."""

    gateway: Gateway
    venue: Venue
    settings: Settings
    dice: Dice
    luck: Luck
    keys: Mapping[str, Key]

    def join(self, talk: Talk, topic: Topic, now_ns: int) -> None:
        """Listen to a topic. Raises `NoTopic`."""

    def part(self, talk: Talk, topic: Topic) -> None:
        """Listen to it no more."""

    def leave(self, talk: Talk, now_ns: int) -> None:
        """Be gone."""


class Talk:
    """
    One connection.

    Args:
        hall: the exchange.
        record: what is remembered of it.
        wire: the way to the client.

    Attributes:
        uid: whose login it has, empty before one.
        topics: what it listens to.
        line: what it sends.
    """

    def __init__(self, hall: Hall, record: SocketRecord, wire: Wire) -> None:
        self._hall = hall
        self._wire = wire
        self._timeline = hall.venue.timeline
        self._key: Key | None = None
        self._times: deque[int] = deque()
        self._subscribes: deque[int] = deque()
        self._pinged_ns = record.opened_ns
        self._heard_ns = 0
        self._leaving = False
        self.record = record
        self.topics: dict[Topic, None] = {}
        self.line = Line(self._timeline, hall.settings, hall.dice, hall.luck, wire, record, self.cut)

    @property
    def uid(self) -> str:
        """Whose login it has, empty before one."""
        return self.record.uid

    def begin(self, now_ns: int) -> None:
        """The connection has been opened."""
        self._timeline.at(self._limit_ns(), self._watch)

    def received(self, message: str | None) -> None:
        """The client has sent a text, or (`None`) something else."""
        now_ns, latency = self._timeline.advance(), self._hall.settings.socket_latency_s
        due_ns = max(self._heard_ns, now_ns + (draw_ns(latency, self._hall.dice.sockets) if latency != 0.0 else 0))
        if due_ns <= now_ns:
            self._hear(message, now_ns)
        else:
            self._heard_ns = due_ns
            self._timeline.at(due_ns, lambda at_ns: self._hear(message, at_ns))

    def pinged(self, data: bytes) -> None:
        """The client has sent a ping of the protocol; that it counts as no message is a guess."""
        self.line.pong(data, self._timeline.advance())

    def gone(self, code: int | None) -> None:
        """The connection is no more; `code` is the client's goodbye if there was one. Safe to call twice."""
        if self.record.closed_ns is not None:
            return
        now_ns = self._timeline.advance()
        self.record.closed_ns = now_ns
        if self.record.close_code is None:
            self.record.close_code = code
        self.line.end()
        self._hall.leave(self, now_ns)

    def cut(self, *, mid_frame: bool = False) -> None:
        """Be gone without a goodbye."""
        self._leaving = True
        self._wire.abort(mid_frame=mid_frame)
        self.gone(None)

    def shut(self, now_ns: int) -> None:
        """The exchange closes: a goodbye, and then its server hangs up."""
        self._bye(GOING_AWAY, now_ns)
        self.gone(None)

    def _hear(self, message: str | None, now_ns: int) -> None:
        if self._leaving:
            return
        if self._too_many(now_ns):
            self._error(30007, now_ns)
            self._bye(POLICY, now_ns)
        elif message == "ping":
            self.record.pings += 1
            self._pinged_ns = now_ns
            self.line.say(b"pong", now_ns)
        elif message is None or len(message.encode()) > MESSAGE_BYTES:
            # A guess: the limit is documented for subscriptions, its answer is not.
            self._error(30002, now_ns)
        else:
            self._understand(message, now_ns)

    def _too_many(self, now_ns: int) -> bool:
        times, record = self._times, self.record
        times.append(now_ns)
        while times[0] <= now_ns - SECOND_NS:
            times.popleft()
        record.messages += 1
        record.worst_second = max(record.worst_second, len(times))
        return len(times) > MESSAGES_A_SECOND

    def _understand(self, message: str, now_ns: int) -> None:
        try:
            request = orjson.loads(message)
        except orjson.JSONDecodeError:
            self._error(30002, now_ns)
            return
        if not isinstance(request, dict):
            self._error(30002, now_ns)
            return
        does = {"login": self._login, "subscribe": self._subscribe, "unsubscribe": self._unsubscribe}
        does["trade"] = self._trade
        op, args = request.get("op"), request.get("args")
        if self.record.closed_ns is not None and op != "trade":
            # The client has gone, but what it had sent before arrives: a command is a command.
            return
        if not isinstance(op, str) or op not in does:
            self._error(30003, now_ns)
        elif not isinstance(args, list) or not args:
            self._error(30016, now_ns)
        else:
            does[op](args, now_ns)

    def _login(self, args: list[object], now_ns: int) -> None:
        hall = self._hall
        try:
            if hall.settings.login_refusal:
                raise NoLogin(int(hall.settings.login_refusal))
            now_ms, tolerance_ms = self._timeline.epoch_ms(now_ns), hall.settings.clock_tolerance_ms
            key = log_in(hall.keys, args[0], now_ms=now_ms, tolerance_ms=tolerance_ms)
            if self.uid not in ("", key.account.uid):
                # A guess: nothing says what a second login does; it must not mix two accounts.
                raise NoLogin(30005)
        except NoLogin as refusal:
            self._error(refusal.code, now_ns)
            self._bye(POLICY, now_ns)
            return
        self._key = key
        self.record.uid, self.record.logged_in = key.account.uid, True
        name = f"{hall.dice.sockets.getrandbits(128):032x}"
        self.line.answer({"event": "login", "code": 0, "connId": name}, now_ns)

    def _subscribe(self, args: list[object], now_ns: int) -> None:
        times = self._subscribes
        while times and times[0] <= now_ns - HOUR_NS:
            times.popleft()
        self.record.subscribes += 1
        if len(times) >= SUBSCRIBES_AN_HOUR:
            self._error(30006, now_ns)
            return
        times.append(now_ns)
        for arg in args:
            topic = _topic(arg)
            code = 30016 if topic is None else self._refusal(topic)
            if topic is None or code:
                self._error(code, now_ns, topic)
                continue
            try:
                self._hall.join(self, topic, now_ns)
            except NoTopic as refusal:
                self._error(refusal.code, now_ns, topic)
                continue
            self.topics[topic] = None
            self.line.answer({"event": "subscribe", "arg": topic.echo()}, now_ns)

    def _refusal(self, topic: Topic) -> int:
        """The code for which a topic is refused before its channel is asked, or 0."""
        if topic.inst_type != "SPOT":
            return 30001
        if topic.channel in PRIVATE:
            if self._key is None:
                return 30004
            if not self._key.read:
                return 40014
        # A guess: which code the thousand-and-first subscription gets.
        return 30006 if len(self.topics) >= TOPICS and topic not in self.topics else 0

    def _unsubscribe(self, args: list[object], now_ns: int) -> None:
        for arg in args:
            topic = _topic(arg)
            if topic is None:
                self._error(30016, now_ns)
                continue
            if topic in self.topics:
                del self.topics[topic]
                self._hall.part(self, topic)
            self.line.answer({"event": "unsubscribe", "arg": topic.echo()}, now_ns)

    def _trade(self, args: list[object], now_ns: int) -> None:
        self.record.trades += 1
        if self._key is None or self.record.path != PRIVATE_PATH:
            self._error(30004, now_ns)
            return
        try:
            answer = command(self._hall, self._key, args, self.record.ip, now_ns)
        except BadCommand:
            self._error(30016, now_ns)
            return
        if answer is not None:
            self.line.answer(answer, now_ns)

    def _error(self, code: int, now_ns: int, topic: Topic | None = None) -> None:
        frame: dict[str, object] = {"event": "error", "code": code, "msg": TEXTS.get(code, "")}
        if topic is not None:
            frame["arg"] = topic.echo()
            if code == 30001:
                frame["msg"] = f"{','.join(f'{name}:{text}' for name, text in topic.echo().items())} doesn't exist"
        self.record.errors.append(code)
        self.line.say(orjson.dumps(frame), now_ns)

    def _bye(self, code: int, now_ns: int) -> None:
        self._leaving = True
        self.record.close_code = code
        for topic in self.topics:
            self._hall.part(self, topic)
        self.topics = {}
        self.line.close(code, now_ns)

    def _limit_ns(self) -> int:
        settings = self._hall.settings
        life_ns = self.record.opened_ns + round(settings.socket_life_s * 1e9)
        return min(life_ns, self._pinged_ns + round(settings.socket_silence_s * 1e9))

    def _watch(self, now_ns: int) -> None:
        """Too long without a ping, or too old: goodbye."""
        if self._leaving or self.record.closed_ns is not None:
            return
        if (limit_ns := self._limit_ns()) > now_ns:
            self._timeline.at(limit_ns, self._watch)
        else:
            self._bye(GOING_AWAY, now_ns)


def _topic(arg: object) -> Topic | None:
    """The topic of an argument, whose names may be spelt `instId` or `inst_id`; `None` for anything else."""
    if not isinstance(arg, dict):
        return None
    named = {str(name).replace("_", "").lower(): value for name, value in arg.items()}
    field, name = ("coin", named["coin"]) if "coin" in named else ("instId", named.get("instid"))
    kind, channel = named.get("insttype"), named.get("channel")
    if not (isinstance(name, str) and isinstance(kind, str) and isinstance(channel, str)):
        return None
    return Topic(channel, name, field, kind)
