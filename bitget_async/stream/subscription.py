"""
What a reader holds: an iterator of records with a bounded queue in front.

The pool's side is the `Feed`, the reader's the `Subscription`; a reader that is forgotten leaves by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from bitget_async.errors import BitgetError, NotSent, StreamOverflow
from bitget_async.stream.protocol import Topic
from bitget_async.stream.state import News, StreamState

__all__ = ["Backlog", "Every", "Feed", "Latest", "Subscription"]

T = TypeVar("T")


class Backlog(Protocol[T]):
    """Records that wait for their reader. `lost` counts those that he will never see."""

    lost: int

    def put(self, record: T) -> None:
        """One more."""

    def take(self) -> T | None:
        """The next one, or `None` if there is none."""

    @property
    def broken(self) -> bool:
        """Whether the reader must be told of a loss once he has had what came before it."""


class Every(Generic[T]):
    """
    Every record, in order. What does not fit is counted, and so is all that comes after it: a reader who goes on behind
    a hole would not see it.

    Args:
        most: how many records may wait.
    """

    __slots__ = ("_most", "_records", "lost")

    def __init__(self, most: int) -> None:
        self._most = most
        self._records: deque[T] = deque()
        self.lost = 0

    def put(self, record: T) -> None:
        """One more."""
        if self.lost or len(self._records) >= self._most:
            self.lost += 1
        else:
            self._records.append(record)

    def take(self) -> T | None:
        """The oldest."""
        return self._records.popleft() if self._records else None

    @property
    def broken(self) -> bool:
        """Whether any was lost."""
        return self.lost > 0


class Latest(Generic[T]):
    """
    The latest record of each kind, in the order in which they became news. One that is overwritten before the reader
    came is lost, rightly: the later one says all.

    Args:
        kind: what a record replaces: those for which this is equal.
        most: how many kinds may wait; then the oldest is lost.
    """

    __slots__ = ("_kind", "_most", "_records", "lost")

    def __init__(self, kind: Callable[[T], Hashable], most: int) -> None:
        self._kind = kind
        self._most = most
        self._records: OrderedDict[Hashable, T] = OrderedDict()
        self.lost = 0

    def put(self, record: T) -> None:
        """One more: it takes the place in the line of the one that it replaces."""
        kind = self._kind(record)
        if kind in self._records:
            self.lost += 1
        elif len(self._records) >= self._most:
            _ = self._records.popitem(last=False)
            self.lost += 1
        self._records[kind] = record

    def take(self) -> T | None:
        """The one that has been news for longest."""
        return self._records.popitem(last=False)[1] if self._records else None

    @property
    def broken(self) -> bool:
        """Never."""
        return False


class Feed(Generic[T]):
    """
    The side of a subscription that is fed.

    Args:
        topics: what it is about; empty if no single topic stands for it.
        backlog: keeps what the reader has not had yet.
        wanted: which records are for it.
        leave: called once, with this feed, when it has ended.
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        backlog: Backlog[T],
        leave: Callable[[Feed[Any]], None],
        *,
        wanted: Callable[[T], bool] | None = None,
    ) -> None:
        self.topics = tuple(topics)
        self.news = News()
        self.backlog = backlog
        self.error: BitgetError | None = None
        self._wanted = wanted
        self._leave = leave
        self._live: set[Topic] = set()
        self._was_live = False
        self._ended = False

    @property
    def state(self) -> StreamState:
        """How it is."""
        if self._ended:
            return StreamState.CLOSED
        if len(self._live) == len(self.topics):
            return StreamState.LIVE
        return StreamState.STALE if self._was_live else StreamState.CONNECTING

    def live(self, topic: Topic, now_ns: int) -> None:
        """Pushes of this topic come from now on."""
        self._live.add(topic)
        self._was_live = self._was_live or len(self._live) == len(self.topics)
        self.news.tell()

    def lapsed(self, topic: Topic, now_ns: int, *, cut: bool) -> None:
        """No pushes of this topic come any more; not `cut`: the line stands and is silent, so none was missed yet."""
        self._live.discard(topic)
        self.news.tell()

    def pushed(self, records: Sequence[T], received_ns: int) -> None:
        """They came."""
        wanted, put = self._wanted, self.backlog.put
        for record in records:
            if wanted is None or wanted(record):
                put(record)
        self.news.tell()

    def failed(self, error: BitgetError) -> None:
        """A topic of it cannot be had."""
        self.end(error)

    def end(self, error: BitgetError | None = None) -> None:
        """No more: the reader gets what waits, and then the error, or the end of his loop."""
        if not self._ended:
            self._ended = True
            self.error = error
            self._leave(self)
            self.news.tell()


class Subscription(AsyncIterator[T]):
    """
    Records as they come: `async for record in subscription`. Begins when it is made; ends when it is closed, when its
    client closes, or when nobody holds it any more. Use it with `async with`, and it is closed at the end.

    Several tasks may read: each record goes to one of them. Waiting can be cancelled at any moment, and loses nothing.
    """

    def __init__(self, feed: Feed[T], what: str) -> None:
        self._feed = feed
        self._what = what
        loop = asyncio.get_running_loop()
        self._finalizer = weakref.finalize(self, _forgotten, feed, loop)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        lost = f", {self.lost} lost" if self.lost else ""
        return f"<Subscription {self._what} {self.state.value}{lost}>"

    @property
    def state(self) -> StreamState:
        """CONNECTING until every topic is acknowledged, then LIVE; STALE while the connection is lost or silent."""
        return self._feed.state

    @property
    def lost(self) -> int:
        """How many records its reader will never see, because he was slow."""
        return self._feed.backlog.lost

    async def ready(self) -> None:
        """
        Wait until the exchange has acknowledged every topic: what happens from then on is pushed.

        Raises:
            SubscriptionFailed: the exchange refused it, or did not answer.
            NotSent: it was closed.

        Cancelling: safe.
        """
        if await self.wait_state(StreamState.LIVE) is not StreamState.LIVE:
            raise self._feed.error or NotSent("closed", detail="the subscription was closed")

    async def wait_state(self, *states: StreamState) -> StreamState:
        """Wait until it is in one of those states, or CLOSED, and return the state. Cancelling: safe."""
        while (state := self.state) not in states and state is not StreamState.CLOSED:
            await self._feed.news.wait()
        return state

    def close(self) -> None:
        """End it: nothing more is queued, and its reader's loop ends. Safe to call twice. Sends nothing by itself."""
        _ = self._finalizer.detach()
        self._feed.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """
        The next record.

        Raises:
            SubscriptionFailed: the exchange refused the subscription, or did not answer.
            StreamOverflow: its reader was slow, and records that must not be skipped were lost.
            StopAsyncIteration: it was closed.
        """
        feed = self._feed
        while True:
            record = feed.backlog.take()
            if record is not None:
                return record
            if feed.backlog.broken and feed.state is not StreamState.CLOSED:
                feed.end(StreamOverflow(self._what, feed.backlog.lost))
            if feed.state is StreamState.CLOSED:
                if feed.error is None:
                    raise StopAsyncIteration
                raise feed.error.with_traceback(None)
            await feed.news.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _forgotten(feed: Feed[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Nobody holds the subscription any more. The collector may run anywhere, so the loop is asked to end it."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(feed.end)
