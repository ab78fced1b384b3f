"""
How heartbeats travel, both ends of each way: a Unix socket (`socket`) or keys in Redis (`redis`).

A `Road` is the bot's end: a beat goes out, and the guard's answer comes back. An `Inlet` is the guard's end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bitget_async.clock import Clock
from bitget_async.guard.words import Answer, Beat
from bitget_async.pulse.redis import RedisInlet, RedisRoad
from bitget_async.pulse.socket import SocketInlet, SocketRoad
from bitget_async.pulse.unheard import Unheard
from bitget_async.redis_server import SealedUrl, sealed

__all__ = ["Inlet", "Road", "Unheard", "inlet_of", "road_of"]


class Road(Protocol):
    """The bot's end."""

    async def beat(self, beat: Beat, within_s: float) -> Answer:
        """
        Send a beat and wait for the answer of the guard.

        Raises:
            Unheard: there was none within that many seconds, or none that can be read.
        """

    async def close(self) -> None:
        """Give the connection back."""


class Inlet(Protocol):
    """
    The guard's end.

    Attributes:
        blind: whether beats cannot be seen before `sight` was called with `True`.
    """

    blind: bool

    async def open(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        """
        Begin to listen. `hear` takes a line and gives the answer, none if it is no beat; `sight` is told whether
        beats can be seen, and why not.

        Raises:
            UsageError: it cannot be listened there.
        """

    async def close(self) -> None:
        """End it."""

    def __str__(self) -> str:
        """Where it listens, without a password."""


def road_of(where: str, clock: Clock) -> Road:
    """
    The way to the guard: a `redis://`, `rediss://` or `unix://` URL, or the path of its socket.

    Raises: UsageError: it cannot be meant, or the extra `redis` is not installed.
    """
    where = sealed(where)
    return RedisRoad(where, clock) if isinstance(where, SealedUrl) else SocketRoad(where)


def inlet_of(where: str, names: Sequence[str], look_s: float, clock: Clock) -> Inlet:
    """The guard's end of `road_of`. Raises: UsageError."""
    where = sealed(where)
    return RedisInlet(where, names, look_s, clock) if isinstance(where, SealedUrl) else SocketInlet(where)
