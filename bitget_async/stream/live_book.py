"""An order book that is kept for its reader, and mended alone when it cannot be right."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Self

from bitget_async.clock import Clock
from bitget_async.errors import NotSent, StreamError
from bitget_async.models import BookLevel, BookUpdate
from bitget_async.stream.book import LocalBook, Verdict
from bitget_async.stream.protocol import Topic
from bitget_async.stream.state import News, StreamState
from bitget_async.tasks import Tasks

__all__ = ["BookKeeper", "LiveBook"]

log = logging.getLogger("bitget_async.stream")

SECOND_NS = 1_000_000_000
# A snapshot comes with the acknowledgement; without one in this time it is asked for again.
SNAPSHOT_S = 5.0
# Who mends again within this time waits first, twice as long each time.
SOON_NS = 60 * SECOND_NS
LONGEST_PAUSE_S = 30.0


class BookKeeper:
    """
    A `Receiver` that keeps one book.

    Args:
        symbol: whose.
        clock: time.
        tasks: own the wait for a snapshot.
        renew: asks for the topic anew.
        leave: called once, at the end.
    """

    def __init__(
        self,
        symbol: str,
        clock: Clock,
        tasks: Tasks,
        renew: Callable[[Topic], None],
        leave: Callable[[BookKeeper], None],
    ) -> None:
        self.topics = (Topic("books", symbol),)
        self.local = LocalBook(symbol)
        self.news = News()
        self.error: StreamError | None = None
        self.mended = 0
        self._clock = clock
        self._tasks = tasks
        self._renew = renew
        self._leave = leave
        self._live = self._was_good = self._ended = self._mending = False
        self._renewed_ns: int | None = None
        self._streak = 0

    @property
    def state(self) -> StreamState:
        """How it is."""
        if self._ended:
            return StreamState.CLOSED
        if self._live and self.local.good:
            return StreamState.LIVE
        return StreamState.STALE if self._was_good else StreamState.CONNECTING

    def live(self, topic: Topic, now_ns: int) -> None:
        """Acknowledged: the snapshot follows."""
        self._live = True
        self.news.tell()
        if not self.local.good:
            self._mend(SNAPSHOT_S)

    def lapsed(self, topic: Topic, now_ns: int, *, cut: bool) -> None:
        """The line is lost, and the book with it; or silent, and the book old."""
        self._live = False
        if cut:
            self.local.reset()
        self.news.tell()

    def pushed(self, records: Sequence[BookUpdate], received_ns: int) -> None:
        """Snapshots and changes."""
        for update in records:
            verdict = self.local.apply(update)
            if verdict is Verdict.APPLIED:
                self._was_good = True
            elif verdict.needs_snapshot and verdict is not Verdict.NO_SNAPSHOT:
                log.info("book of %s: %s; asking for it anew", self.local.symbol, verdict.value)
                self._mend(self._pause_s(received_ns))
        self.news.tell()

    def failed(self, error: StreamError) -> None:
        """It cannot be had."""
        self.error = error
        self.end()

    def end(self) -> None:
        """No more."""
        if not self._ended:
            self._ended = True
            self.local.reset()
            self._leave(self)
            self.news.tell()

    def _pause_s(self, now_ns: int) -> float:
        soon = self._renewed_ns is not None and now_ns - self._renewed_ns < SOON_NS
        self._streak = self._streak + 1 if soon else 0
        return min(0.5 * 2.0**self._streak, LONGEST_PAUSE_S) if soon else 0.0

    def _mend(self, pause_s: float) -> None:
        if not self._mending:
            self._mending = True
            self._tasks.start(self._until_good(pause_s), f"bitget_async: book of {self.local.symbol}")

    async def _until_good(self, pause_s: float) -> None:
        """Ask for the topic anew after that pause, and then now and then, until there is a snapshot."""
        try:
            while True:
                if pause_s:
                    await self._clock.sleep(pause_s)
                if self._ended or self.local.good or not self._live:
                    return
                self.mended += 1
                self._renewed_ns = self._clock.monotonic_ns()
                self._renew(self.topics[0])
                pause_s = min(max(2 * pause_s, SNAPSHOT_S), LONGEST_PAUSE_S)
        finally:
            self._mending = False


class LiveBook:
    """
    The order book of one symbol as it is now: `book = await client.stream.book("BTCUSDT")`. It follows the pushes by
    itself; each is checked by its number and its checksum, and if the book cannot be right, its symbol alone is
    subscribed anew. Until the snapshot comes, and while the connection is lost, the book is empty and not `ready`.

    Use it with `async with`, or close it. One that nobody holds any more ends by itself.
    """

    def __init__(self, keeper: BookKeeper) -> None:
        self._keeper = keeper
        self._finalizer = weakref.finalize(self, _forgotten, keeper, asyncio.get_running_loop())
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        return f"<LiveBook {self.symbol} {self.state.value}, bid {self.best_bid}, ask {self.best_ask}>"

    @property
    def symbol(self) -> str:
        """Exchange spelling."""
        return self._keeper.local.symbol

    @property
    def state(self) -> StreamState:
        """LIVE while it is complete and the connection is heard of; STALE while that is not so, after it was."""
        return self._keeper.state

    @property
    def ready(self) -> bool:
        """Whether the book is complete, and nothing speaks against it: `state` is LIVE."""
        return self.state is StreamState.LIVE

    @property
    def stale(self) -> bool:
        """Whether it was ready and is not now; what it shows, if anything, may be old."""
        return self.state is StreamState.STALE

    @property
    def mended(self) -> int:
        """How often it had to be asked for anew."""
        return self._keeper.mended

    @property
    def best_bid(self) -> BookLevel | None:
        """The highest level that buys, or `None`."""
        return self._keeper.local.best_bid

    @property
    def best_ask(self) -> BookLevel | None:
        """The lowest level that sells, or `None`."""
        return self._keeper.local.best_ask

    @property
    def mid(self) -> Decimal | None:
        """Half way between the best prices, in quote coin; `None` if a side is empty."""
        return self._keeper.local.mid

    @property
    def spread(self) -> Decimal | None:
        """From the best bid up to the best ask, in quote coin; `None` if a side is empty."""
        return self._keeper.local.spread

    @property
    def seq(self) -> int | None:
        """The exchange's number of this state."""
        return self._keeper.local.seq

    @property
    def time_ms(self) -> int | None:
        """The exchange's time of this state, Unix milliseconds."""
        return self._keeper.local.time_ms

    def bids(self, most: int | None = None) -> tuple[BookLevel, ...]:
        """Levels that buy, highest first: all of them, or `most`."""
        return self._keeper.local.bids(most)

    def asks(self, most: int | None = None) -> tuple[BookLevel, ...]:
        """Levels that sell, lowest first: all of them, or `most`."""
        return self._keeper.local.asks(most)

    async def changed(self) -> StreamState:
        """
        Wait for the next push or change of state; several that come at once are one. Returns the state.

        Raises:
            SubscriptionFailed: the exchange refused it, or did not answer.

        Cancelling: safe.
        """
        if not self.closed:
            await self._keeper.news.wait()
        if self._keeper.error is not None:
            raise self._keeper.error.with_traceback(None)
        return self.state

    async def wait_ready(self) -> None:
        """
        Wait until it is ready.

        Raises:
            SubscriptionFailed: the exchange refused it, or did not answer.
            NotSent: it was closed.

        Cancelling: safe.
        """
        while not self.ready:
            if await self.changed() is StreamState.CLOSED:
                raise NotSent("closed", detail="the book was closed")

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.state is StreamState.CLOSED

    def close(self) -> None:
        """End it: it is empty from now on. Safe to call twice."""
        _ = self._finalizer.detach()
        self._keeper.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _forgotten(keeper: BookKeeper, loop: asyncio.AbstractEventLoop) -> None:
    """Nobody holds the book any more. The collector may run anywhere, so the loop is asked to end it."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(keeper.end)
