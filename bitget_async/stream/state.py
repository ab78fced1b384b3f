"""How a stream is, and waiting for a change of it."""

from __future__ import annotations

import asyncio
import enum

__all__ = ["News", "StreamState"]


class StreamState(enum.Enum):
    """
    How a stream, or one subscription, is.

    Attributes:
        OFF: nothing was asked for yet.
        CONNECTING: not every topic was acknowledged yet.
        LIVE: every topic is acknowledged, and the connection has been heard of lately.
        STALE: it was live; now the connection is lost, or silent. What was told before may be out of date.
        CLOSED: it has ended.
    """

    OFF = "off"
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    CLOSED = "closed"


class News:
    """Wakes whoever waits, once each time that it is told."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Something changed."""
        if self._waiting:
            waiting, self._waiting = self._waiting, set()
            for each in waiting:
                if not each.done():
                    each.set_result(None)

    async def wait(self) -> None:
        """Until the next change. Safe to cancel."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
