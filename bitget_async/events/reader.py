"""`client.events()`: events as an async iterator, for readers at their own pace."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from typing import Self

from bitget_async.errors import UsageError
from bitget_async.events.hub import Events
from bitget_async.events.records import Event

__all__ = ["EventReader"]


class _Waiting:
    """What waits for a reader. The hub holds this and not the reader, so that nobody need close one."""

    def __init__(self, most: int) -> None:
        self.events: deque[Event] = deque()
        self.most = most
        self.news = asyncio.Event()
        self.ended = False
        self.lost = 0

    def put(self, event: Event) -> None:
        """One more."""
        if len(self.events) >= self.most:
            self.events.popleft()
            self.lost += 1
        self.events.append(event)
        self.news.set()

    def end(self) -> None:
        """There will be no more."""
        self.ended = True
        self.news.set()


class EventReader:
    """
    What happens from its making on, until the client closes, `close()` is called, or nobody holds it any more.

    A slow reader holds nobody up: of what waits for it the oldest is dropped, and counted in `lost`.
    """

    def __init__(self, events: Events, kinds: tuple[type[Event], ...], most: int) -> None:
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise UsageError(f"most must be a whole number above 0, not {most!r}")
        self._waiting = waiting = _Waiting(most)
        offs: list[Callable[[], object]] = []
        # A loop that was left with `break` must not be fed for ever.
        self._let_go = weakref.finalize(self, _call_all, offs)
        self._let_go.atexit = False
        wanted = tuple(dict.fromkeys(kinds)) or (Event,)
        for kind in wanted:
            # One that is heard with a wider class is not heard twice.
            if not any(other is not kind and _within(kind, other) for other in wanted):
                offs.append(events.on(kind, waiting.put))
        offs.append(events.at_close(waiting.end))
        if events.closed:
            self.close()

    def __repr__(self) -> str:
        waiting = self._waiting
        state = "ended" if waiting.ended else "open"
        return f"<EventReader {state}, {len(waiting.events)} waiting, {waiting.lost} lost>"

    @property
    def lost(self) -> int:
        """How many were dropped because the reader was slow."""
        return self._waiting.lost

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next one. Cancelling: safe, none is lost by it."""
        waiting = self._waiting
        while not waiting.events:
            if waiting.ended:
                raise StopAsyncIteration
            waiting.news.clear()
            _ = await waiting.news.wait()
        return waiting.events.popleft()

    def close(self) -> None:
        """Hear nothing more; what waits can still be read. Safe to call twice."""
        _ = self._let_go()
        self._waiting.end()


def _call_all(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        _ = call()


def _within(kind: object, other: object) -> bool:
    return isinstance(kind, type) and isinstance(other, type) and issubclass(kind, other)
