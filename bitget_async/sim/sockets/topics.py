"""
What stands between a channel and those who listen to it.

A **topic** is what somebody subscribes to. Behind every topic that has a listener stands one **channel**, shared by all
its listeners: it is made by the factory that the registry has under the channel's name when the first one comes, and
told to stop when the last one has gone. The registries are `PUBLIC` in `public.py` and `PRIVATE` in `private.py`.

A channel gets a `Stage` and talks to its listeners through it:

    class Ticker:
        def __init__(self, stage: Stage) -> None: ...

        def first(self, now_ns: int) -> Iterable[Push]:
            return [Push("snapshot", [row])]           # for the new listener alone, right behind its acknowledgement

        def start(self, now_ns: int) -> None:
            self._stage.venue.price_hooks.append(self._moved)          # on events,
            self._stage.at(now_ns + 250_000_000, self._tick)           # or at a time, unless it has stopped by then

        def stop(self) -> None:
            self._stage.venue.price_hooks.remove(self._moved)

        def _tick(self, now_ns: int) -> None:
            self._stage.publish(Push("update", [row]))                 # for all listeners

`publish` is called at the time of the event, inside the timeline, and the rows are written to bytes at once: they may
change afterwards. What happens to a frame then (lag, loss, order, `ts`) is not the channel's business: each listener's
line has its own luck. A listener gets what is published after its `first`, in that order unless a fault says otherwise.

A factory is called as `factory(stage)` and refuses a topic that it does not serve by raising `NoTopic`. Chance comes
from `stage.dice`, so that an exchange without sockets draws what it always drew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from bitget_async.sim.funds import Funds
from bitget_async.sim.settings import Settings
from bitget_async.sim.triggers import TriggerBook
from bitget_async.sim.venue import Venue

__all__ = ["Channel", "Factory", "NoTopic", "Push", "Stage", "Topic"]


class Topic(NamedTuple):
    """One argument of a subscription. `field` says what `name` is: `instId` or `coin`."""

    channel: str
    name: str
    field: str = "instId"
    inst_type: str = "SPOT"

    def echo(self) -> dict[str, str]:
        """As it stands in acknowledgements and pushes."""
        return {"instType": self.inst_type, "channel": self.channel, self.field: self.name}


class NoTopic(Exception):  # noqa: N818 - nothing went wrong
    """The channel does not serve that topic. `code` is 30001 (no such channel or name) or 30016 (bad argument)."""

    def __init__(self, code: int = 30001) -> None:
        super().__init__(code)
        self.code = code


class Push(NamedTuple):
    """What a frame tells: `action` (`snapshot` or `update`) and the rows of its `data`."""

    action: str
    rows: list[object]


class Stage:
    """
    Where a channel stands.

    Attributes:
        topic: what its listeners have asked for.
        uid: whose listeners they are; empty for a public channel.
        venue, triggers, funds, settings: the exchange.
        dice: chance for whatever the channel makes up.
    """

    __slots__ = ("_on", "_publish", "dice", "funds", "settings", "topic", "triggers", "uid", "venue")

    def __init__(
        self,
        topic: Topic,
        uid: str,
        venue: Venue,
        triggers: TriggerBook,
        funds: Funds,
        settings: Settings,
        dice: random.Random,
        publish: Callable[[Stage, Push], None],
    ) -> None:
        self.topic = topic
        self.uid = uid
        self.venue = venue
        self.triggers = triggers
        self.funds = funds
        self.settings = settings
        self.dice = dice
        self._publish = publish
        self._on = True

    def publish(self, push: Push) -> None:
        """Send it to everybody who listens to the topic now."""
        self._publish(self, push)

    def epoch_ms(self, at_ns: int) -> int:
        """The exchange's clock at that monotonic time, in Unix milliseconds."""
        return self.venue.timeline.epoch_ms(at_ns)

    def at(self, time_ns: int, action: Callable[[int], None]) -> None:
        """Have `action(time_ns)` called at that monotonic time, unless the channel has stopped by then."""
        self.venue.timeline.at(time_ns, lambda now_ns: action(now_ns) if self._on else None)

    def close(self) -> None:
        """For the hall: nothing more is called."""
        self._on = False


class Channel(Protocol):
    """What stands behind one topic."""

    def first(self, now_ns: int) -> Iterable[Push]:
        """What a new listener gets, and nobody else, before anything that is published later."""

    def start(self, now_ns: int) -> None:
        """The first listener has come."""

    def stop(self) -> None:
        """The last listener has gone; what it has put on the stage's timeline ends by itself."""


Factory = Callable[[Stage], Channel]
"""Makes the channel of a topic. Raises `NoTopic`."""
