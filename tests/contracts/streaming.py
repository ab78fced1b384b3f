"""Worlds with the private order stream on, whose pushes get lost, doubled, late and out of order."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bitget_async.sim import Settings

from .road_scenarios import CALM
from .world import World, demand

__all__ = ["PUSHES", "Pushing", "listening", "streaming", "unlucky"]

# What is done to pushes, a row drawn for each example.
PUSHES: tuple[dict[str, Any], ...] = (
    {},
    {"push_loss": 0.1},
    {"push_loss": 0.5, "push_doubling": 0.5, "push_disorder": 0.5},
    {"push_doubling": 1.0},
    {"push_disorder": 1.0, "push_lag_s": (0.0, 0.4)},
    {"push_lag_s": (0.5, 3.0), "push_disorder": 0.3},
    {"push_lag_s": (5.0, 45.0)},
    {"push_loss": 1.0},
    {"push_lag_s": 0.0, "socket_latency_s": (0.0, 0.3)},
    {"ack_loss": 0.5, "ack_lag_s": (0.0, 2.0)},
)


def unlucky(settings: Settings, seed: int) -> Settings:
    """The same settings with one of `PUSHES`."""
    for name, value in random.Random(f"{seed}/unlucky").choice(PUSHES).items():
        setattr(settings, name, value)
    return settings


def listening(world: World) -> World:
    """Its client has begun to listen, and has been given a moment for it."""

    async def begin() -> None:
        world.client._open()

    world.do(begin())
    world.advance(0.3)
    return world


@contextlib.contextmanager
def streaming(seed: int = 1, **settings: Any) -> Iterator[World]:
    """A calm world with the stream on, that is judged and closed at the end, and given back whatever happens."""
    made = World(seed, Settings(**(CALM | settings)), stream=True)
    try:
        listening(made)
        demand(made.client.stream.order_desk.live_ns is not None, "the stream is on")
        yield made
        made.finish()
    finally:
        if not made.closed:
            made.dispose()


class Pushing(RuleBasedStateMachine):
    """What can happen to the sockets, for a machine that has a world."""

    world: Any

    @rule(mid_frame=st.booleans())
    def the_sockets_are_cut(self, mid_frame: bool) -> None:
        self.world.exchange.sockets.cut(mid_frame=mid_frame)

    @rule(newcomers=st.booleans())
    def the_sockets_fall_silent(self, newcomers: bool) -> None:
        self.world.exchange.sockets.stall(True, newcomers=newcomers)

    @rule(keep=st.booleans())
    def the_sockets_talk_again(self, keep: bool) -> None:
        self.world.exchange.sockets.stall(False, keep=keep)

    @rule(n=st.integers(1, 5))
    def the_next_pushes_are_lost(self, n: int) -> None:
        self.world.exchange.sockets.drop_pushes(n)

    @rule(what=st.sampled_from(PUSHES))
    def pushes_fare_otherwise(self, what: dict[str, Any]) -> None:
        for name in ("push_loss", "push_doubling", "push_disorder"):
            setattr(self.world.exchange.settings, name, what.get(name, 0.0))
        self.world.exchange.settings.push_lag_s = what.get("push_lag_s", (0.005, 0.03))

    @rule(code=st.sampled_from(["", "", "30005", "30015", "30011"]))
    def logins_are_refused_or_taken(self, code: str) -> None:
        self.world.exchange.settings.login_refusal = code

    def judge_sockets(self) -> None:
        """At most ten messages in any second on every connection that there ever was."""
        worst = max((each.worst_second for each in self.world.exchange.sockets.records), default=0)
        demand(worst <= 10, "at most 10 messages a second on a socket", worst)
