"""
Everybody who is connected, and the channels that they listen to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from bitget_async.sim.accounts import Key
from bitget_async.sim.funds import Funds
from bitget_async.sim.gateway import Gateway
from bitget_async.sim.settings import Dice, Settings
from bitget_async.sim.sockets.line import Luck, Wire
from bitget_async.sim.sockets.private import PRIVATE, private_channel
from bitget_async.sim.sockets.public import public_channel
from bitget_async.sim.sockets.records import SocketRecord
from bitget_async.sim.sockets.talk import PRIVATE_PATH, PUBLIC_PATH, Talk
from bitget_async.sim.sockets.topics import Channel, Push, Stage, Topic
from bitget_async.sim.triggers import TriggerBook

__all__ = ["Sockets"]

FIVE_MINUTES_NS = 300_000_000_000


@dataclass(slots=True)
class Room:
    """A channel and its listeners."""

    channel: Channel
    stage: Stage
    arg: bytes
    listeners: dict[Talk, None] = field(default_factory=dict)


class Sockets:
    """
    The sockets of the simulated exchange, `exchange.sockets`. What a test does with them:

        exchange.sockets.cut()
        exchange.sockets.stall(True)
        assert exchange.sockets.records[-1].worst_second <= 10

    Args:
        gateway: takes the commands that come over a socket; knows the rest of the exchange.
        triggers, funds, settings, dice: what the channels tell, and chance.
        keys: api key -> key.
        luck: what is done to all connections.

    Attributes:
        records: one for each connection that there ever was, oldest first.
        opened, closed: called when the first connection has come and when the last one has gone.
    """

    def __init__(
        self,
        gateway: Gateway,
        triggers: TriggerBook,
        funds: Funds,
        settings: Settings,
        dice: Dice,
        keys: Mapping[str, Key],
        luck: Luck,
    ) -> None:
        self.gateway = gateway
        self.venue = gateway.venue
        self.settings = settings
        self.dice = dice
        self.keys = keys
        self.luck = luck
        self.records: list[SocketRecord] = []
        self.opened: Callable[[], None] = _nothing
        self.closed: Callable[[], None] = _nothing
        self._triggers = triggers
        self._funds = funds
        self._talks: dict[Talk, None] = {}
        self._rooms: dict[tuple[str, Topic], Room] = {}
        self._arrivals: dict[str, deque[int]] = {}
        self._stall: bool = False

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._talks)

    @property
    def topics(self) -> list[Topic]:
        """What is listened to now, once for each account that does."""
        return [topic for _, topic in self._rooms]

    def cut(self, *, mid_frame: bool = False, private: bool | None = None) -> int:
        """
        Cut open connections without a goodbye, with `mid_frame` in the middle of a frame. Returns how many.

        Args:
            mid_frame: whether half a frame is sent before.
            private: only the private ones, or only the public ones; `None`: all.
        """
        chosen = self._chosen(private)
        for talk in chosen:
            talk.cut(mid_frame=mid_frame)
        return len(chosen)

    def stall(self, on: bool, *, private: bool | None = None, keep: bool = False, newcomers: bool = False) -> None:
        """
        Send nothing on the open connections from now on, not even a pong or a goodbye; or, with `on=False`, send again.

        Args:
            on: whether it begins or ends.
            private: only on private connections, or only on public ones; `None`: on all.
            keep: at the end, send what would have been sent meanwhile; else it is lost.
            newcomers: whether connections that come later are silent from their first moment, until it ends.
        """
        self._stall = on and newcomers
        for talk in self._chosen(private):
            talk.line.stall(on, keep=keep)

    def drop_pushes(self, n: int) -> None:
        """Lose the next n pushes, counted over all connections."""
        self.luck.drop += n

    def admits(self, ip: str) -> bool:
        """For the server: whether the address may open one more connection; counts it if so."""
        now_ns, settings = self.venue.timeline.advance(), self.settings
        here = sum(talk.record.ip == ip for talk in self._talks)
        if settings.sockets_open is not None and here >= settings.sockets_open:
            return False
        times = self._arrivals.setdefault(ip, deque())
        while times and times[0] <= now_ns - FIVE_MINUTES_NS:
            times.popleft()
        if settings.sockets_opened is not None and len(times) >= settings.sockets_opened:
            return False
        times.append(now_ns)
        return True

    def enter(self, path: str, ip: str, wire: Wire) -> Talk:
        """For the server: a connection has been opened."""
        now_ns = self.venue.timeline.advance()
        talk = Talk(self, SocketRecord(path, ip, now_ns), wire)
        self._talks[talk] = None
        self.records.append(talk.record)
        talk.line.stall(self._stall, keep=False)
        if len(self._talks) == 1:
            self.opened()
        talk.begin(now_ns)
        return talk

    def leave(self, talk: Talk, now_ns: int) -> None:
        """For a talk: its connection is gone."""
        del self._talks[talk]
        for topic in list(talk.topics):
            self.part(talk, topic)
        if not self._talks:
            self.closed()

    def shut(self) -> None:
        """For the server: say goodbye to everybody."""
        now_ns = self.venue.timeline.advance()
        for talk in list(self._talks):
            talk.shut(now_ns)

    def join(self, talk: Talk, topic: Topic, now_ns: int) -> None:
        """For a talk: it listens to a topic from now on. Raises `NoTopic`."""
        place = (talk.uid if topic.channel in PRIVATE else "", topic)
        room = self._rooms.get(place)
        if room is None:
            stage = Stage(
                topic,
                place[0],
                self.venue,
                self._triggers,
                self._funds,
                self.settings,
                self.dice.sockets,
                self._publish,
            )
            # Each socket has its own channels; that the private one serves no public ones is a guess.
            channel = (private_channel if talk.record.path == PRIVATE_PATH else public_channel)(stage)
            room = self._rooms[place] = Room(channel, stage, orjson.dumps(topic.echo()))
            channel.start(now_ns)
        for push in room.channel.first(now_ns):
            talk.line.push(_head(push, room.arg), now_ns)
        room.listeners[talk] = None

    def part(self, talk: Talk, topic: Topic) -> None:
        """For a talk: it listens to that topic no more."""
        place = (talk.uid if topic.channel in PRIVATE else "", topic)
        room = self._rooms[place]
        del room.listeners[talk]
        if not room.listeners:
            del self._rooms[place]
            room.stage.close()
            room.channel.stop()

    def _publish(self, stage: Stage, push: Push) -> None:
        room = self._rooms[stage.uid, stage.topic]
        head, now_ns = _head(push, room.arg), self.venue.timeline.now_ns
        for talk in room.listeners:
            talk.line.push(head, now_ns)

    def _chosen(self, private: bool | None) -> list[Talk]:
        self.venue.timeline.advance()
        wanted = {None: (PUBLIC_PATH, PRIVATE_PATH), True: (PRIVATE_PATH,), False: (PUBLIC_PATH,)}[private]
        return [talk for talk in self._talks if talk.record.path in wanted]


def _head(push: Push, arg: bytes) -> bytes:
    return b'{"action":"%b","arg":%b,"data":%b' % (push.action.encode(), arg, orjson.dumps(push.rows))


def _nothing() -> None:
    """Nobody wants to know."""
