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


class EventReader:
    """
    What happens from its making on, until the client closes, `close()` is called, or nobody holds it any more.

    A slow reader holds nobody up: of what waits for it the oldest is dropped, and counted in `lost`.
    """

    def __init__(self, events: Events, kinds: tuple[type[Event], ...], most: int) -> None:
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise UsageError(f"most must be a whole number above 0, not {most!r}")
        self._waiting: deque[Event] = deque()
        self._most = most
        self._news = asyncio.Event()
        self._ended = False
        self.lost = 0
        self._let_go = _listen(self, events, kinds)
        if events.closed:
            self.close()

    def __repr__(self) -> str:
        state = "ended" if self._ended else "open"
        return f"<EventReader {state}, {len(self._waiting)} waiting, {self.lost} lost>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next one. Cancelling: safe, none is lost by it."""
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            _ = await self._news.wait()
        return self._waiting.popleft()

    def put(self, event: Event) -> None:
        """One more."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(event)
        self._news.set()

    def close(self) -> None:
        """Hear nothing more; what waits can still be read. Safe to call twice."""
        self._let_go()
        self._ended = True
        self._news.set()


def _listen(reader: EventReader, events: Events, kinds: tuple[type[Event], ...]) -> Callable[[], None]:
    """
    Feed the reader for as long as somebody holds it: a loop that was left with `break` must not fill it for ever.
    """
    ref = weakref.ref(reader)
    offs: list[Callable[[], object]] = []

    def put(event: Event) -> None:
        alive = ref()
        if alive is not None:
            alive.put(event)

    def close() -> None:
        alive = ref()
        if alive is not None:
            alive.close()

    def let_go() -> None:
        for off in offs:
            _ = off()

    finish = weakref.finalize(reader, let_go)
    finish.atexit = False
    wanted = tuple(dict.fromkeys(kinds)) or (Event,)
    for kind in wanted:
        # One that is heard with a wider class is not heard twice.
        if not any(other is not kind and _within(kind, other) for other in wanted):
            offs.append(events.on(kind, put))
    offs.append(events.at_close(close))
    return finish


def _within(kind: object, other: object) -> bool:
    return isinstance(kind, type) and isinstance(other, type) and issubclass(kind, other)
