"""
The tracker of open orders: hears the order stream, reads what it says is wanted, and feeds the stream's readers.

`tracking` decides; this file waits, reads, feeds and hands on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.codes import asks_to_wait
from bitget_async.endpoints import Endpoint
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown, RateLimited, StreamError, UsageError
from bitget_async.evidence import Book, Listing, Page
from bitget_async.inquiry import Breaker, Read, ReadKind
from bitget_async.models import Order, OrderUpdate
from bitget_async.reading import Answered, Reading
from bitget_async.stream.state import News
from bitget_async.tasks import Tasks
from bitget_async.tracking import Sureness, TrackedOrder, Tracking

__all__ = ["OpenOrders", "Tracker"]

log = logging.getLogger("bitget_async.tracker")

TURNED_AWAY = (403, 429)


class Reader(Protocol):
    """What the tracker needs of a session."""

    clock: Clock
    server: ServerClock

    async def background(self, row: Endpoint, given: Mapping[str, Any], *, calls: tuple[int, ...] = ()) -> Answered:
        """One read, never repeated, inside a share of its quota."""


class Channel(Protocol):
    """What the tracker needs of the order channel."""

    news: News

    @property
    def wanted(self) -> bool:
        """Whether anybody holds it or reads it."""

    @property
    def failure(self) -> StreamError | None:
        """Why it cannot be had at the moment, if the exchange has said so."""

    def deliver(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """Hand these on to its readers."""


class Tracker:
    """
    Keeps the open orders of one account true while the order channel is wanted. A listener of the order stream.

    Args:
        session: makes the reads.
        rng: jitter.
        staleness_s: how old a listing may be when the exchange serves it.
        channel: whose readers it feeds.
        breaker: says when the next read may go; shared with the watcher.
    """

    def __init__(
        self, session: Reader, rng: random.Random, staleness_s: float, channel: Channel, breaker: Breaker
    ) -> None:
        self.news = channel.news
        self.channel = channel
        self.closed = False
        self._session = session
        self._reading = Reading(session)
        self._rng = rng
        self._staleness_s = staleness_s
        self._breaker = breaker
        self._tasks = Tasks()
        self._change = asyncio.Event()
        self._running = False
        self._told_odd: set[str] = set()
        self.tracking = self._anew()

    def _anew(self) -> Tracking:
        return Tracking(self._staleness_s, self._rng, self._odd, self._breaker)

    # -- what others tell -------------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> None:
        """See `OrderListener`."""
        # By the earliest that it can be there: what changes at this moment is news rather than not.
        bounds = self._session.server.bounds_ms(now_ns)
        self.tracking.connected(now_ns, self._session.server.estimate_ms(now_ns) if bounds is None else bounds[0])
        self._wake()

    def disconnected(self, now_ns: int) -> None:
        """See `OrderListener`."""
        self.tracking.disconnected()
        self._wake()

    def pushed(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """See `OrderListener`."""
        try:
            news = self.tracking.pushed(updates, received_ns, self._latest_ms(received_ns))
        except Exception as error:
            # Readers are not to pay for it: they get what came.
            news = list(updates)
            self._broken(error)
        self._tell(news, received_ns)
        if self.tracking.missing:
            self._wake()

    def placed(self, order: Order) -> None:
        """This client has placed an order."""
        self._guard(self.tracking.placed, order)

    def listed(self, listing: Listing) -> None:
        """The watcher has read a listing."""
        self._guard(self.tracking.listed, listing)

    def looked_up(self, page: Page) -> None:
        """The watcher has read finished orders."""
        self._guard(self.tracking.looked_up, page)

    def _latest_ms(self, now_ns: int) -> int:
        """The latest that the exchange's clock can show then."""
        bounds = self._session.server.bounds_ms(now_ns)
        return self._session.server.estimate_ms(now_ns) if bounds is None else bounds[1]

    def _guard(self, take: Callable[[Any, int, int], list[OrderUpdate] | None], fact: Any) -> None:
        """Take in a fact of somebody else's, who is not to pay for a defect here."""
        if not self.tracking.begun:
            return
        now = self._session.clock.monotonic_ns()
        try:
            self._tell(take(fact, now, self._latest_ms(now)) or [], now)
        except Exception as error:
            self._broken(error)
        self._wake()

    # -- what others ask --------------------------------------------------------------------------------------

    @property
    def sureness(self) -> Sureness:
        """See there."""
        now = self._session.clock.monotonic_ns()
        return self.tracking.sureness(now, self._session.server.estimate_ms(now))

    def of(self, symbol: str) -> tuple[TrackedOrder, ...]:
        """The open orders of a symbol, oldest id first."""
        now = self._session.clock.monotonic_ns()
        return self.tracking.of(symbol, now, self._session.server.estimate_ms(now))

    def snapshot(self, symbol: str) -> tuple[Order, ...] | None:
        """The open orders of a symbol if that is LIVE, else `None`."""
        now = self._session.clock.monotonic_ns()
        return self.tracking.snapshot(symbol, now, self._session.server.estimate_ms(now))

    async def close(self) -> None:
        """Stop. Safe to call twice."""
        self.closed = True
        self.tracking = self._anew()
        self.news.tell()
        await self._tasks.close()

    # -- the loop ---------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._change.set()
        if not self._running and self.tracking.begun and not self.closed:
            self._running = True
            self._tasks.start(self._track(), "bitget_async: tracker")
        self.news.tell()

    async def _track(self) -> None:
        try:
            while self.channel.wanted:
                self._change.clear()
                now = self._session.clock.monotonic_ns()
                for read in self.tracking.due(now):
                    self._tasks.start(self._guarded(read), f"bitget_async: tracker, {read.kind.value}")
                await self._pause(now)
        except Exception as error:
            self._broken(error)
        else:
            # Nobody hears pushes any more, so nobody knows: what comes next begins anew.
            self.tracking = self._anew()
        finally:
            self._running = False

    async def _pause(self, now: int) -> None:
        wake_ns = self.tracking.wake_ns(now)
        if wake_ns is None:
            _ = await self._change.wait()
            return
        try:
            # At least 10 us: a timer may fire a little early, and a shorter one could spin until its moment has come.
            async with asyncio.timeout(max(wake_ns - now, 10_000) / 1e9):
                _ = await self._change.wait()
        except TimeoutError:
            pass

    async def _guarded(self, read: Read) -> None:
        try:
            await self._read(read, self.tracking)
        except Exception as error:
            self._broken(error)

    async def _read(self, read: Read, tracking: Tracking) -> None:
        """Make one read for that mind, and feed it; it may have been given up meanwhile."""
        try:
            if read.kind is ReadKind.LISTING:
                fact: Listing | Page = (await self._reading.listing(None, Book.NORMAL))[0]
            else:
                fact = await self._reading.page(read)
        except BitgetError as error:
            if isinstance(error, UsageError):
                raise
            status = error.http_status if isinstance(error, OutcomeUnknown) else None
            limited = isinstance(error, RateLimited) or status in TURNED_AWAY
            waiting = limited or asks_to_wait(getattr(error, "code", None))
            tracking.failed(read, self._session.clock.monotonic_ns(), turned_away=waiting)
        else:
            now = self._session.clock.monotonic_ns()
            news = tracking.done(read, fact, now, self._latest_ms(now))
            if tracking is self.tracking:
                self._tell(news, now)
        self._wake()

    def _tell(self, news: Sequence[OrderUpdate], received_ns: int) -> None:
        if news:
            self.channel.deliver(news, received_ns)

    def _odd(self, what: str) -> None:
        if what not in self._told_odd and len(self._told_odd) < 1_000:
            self._told_odd.add(what)
            log.warning("%s", what)

    def _broken(self, error: Exception) -> None:
        """A defect of ours: what is known is thrown away, and the loop's exception handler hears of it."""
        self.tracking = self._anew()
        context = {"message": "bitget_async: the tracker of open orders failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
        self.news.tell()


class OpenOrders:
    """
    The account's open orders as they are now: `client.open_orders`. Normal spot orders of all symbols, whoever placed
    them; no trigger orders.

        async with BitgetClient(credentials, stream=True) as client:
            await client.open_orders.ready()
            for tracked in client.open_orders.of("BTCUSDT"):
                print(tracked.order.order_id, tracked.order.price, tracked.age_s)

    It is kept while the private order stream is up: with `stream=True`, or while `client.stream.orders()` is read. Each
    answer is of the moment of asking and costs nothing; changes come from `client.stream.orders()`.
    Cost of keeping it: about 6 tokens a minute of unfilled-orders and history-orders; 4 and some more a reconnect.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __repr__(self) -> str:
        return f"<OpenOrders {len(self)}, {self.sureness.value}>"

    def __len__(self) -> int:
        """How many count as open."""
        return sum(len(self.of(symbol)) for symbol in self.symbols)

    def __iter__(self) -> Iterator[TrackedOrder]:
        """All of them, as of now, by symbol."""
        return iter(self.all)

    def __bool__(self) -> bool:
        raise TypeError("none known is not none open: ask len() and .sureness")

    @property
    def sureness(self) -> Sureness:
        """What the set is worth at this moment; see `Sureness`. LISTED or better before a decision is built on it."""
        return self._tracker.sureness

    @property
    def as_of_ms(self) -> int | None:
        """
        The newest moment (exchange ms) about which a listing has spoken: what was open then and has not ended since as
        far as anybody told is here. `None` before the first listing.
        """
        return self._tracker.tracking.as_of_ms

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols with open orders, in alphabetical order."""
        return self._tracker.tracking.symbols

    @property
    def all(self) -> tuple[TrackedOrder, ...]:
        """All of them, by symbol and then oldest id first."""
        return tuple(each for symbol in self.symbols for each in self.of(symbol))

    def of(self, symbol: str) -> tuple[TrackedOrder, ...]:
        """The open orders of one symbol, oldest id first; empty if none is known, so look at `sureness` too."""
        return self._tracker.of(symbol)

    async def ready(self) -> None:
        """
        Wait until it is LIVE: about `staleness_s` after the stream has come up.

        Raises:
            UsageError: nobody keeps the order stream open.
            SubscriptionFailed: the exchange refuses the order stream.
            NotSent: the client is closed.

        Cancelling: safe. Without a stream it waits for as long as it takes: bound it with `asyncio.timeout`.
        """
        tracker = self._tracker
        while self.sureness is not Sureness.LIVE:
            if tracker.closed:
                raise NotSent("closed", detail="the client is closed")
            if not tracker.channel.wanted:
                raise UsageError(
                    "open orders are tracked over the order stream, which is off: make the client with stream=True, "
                    "or read client.stream.orders()"
                )
            if tracker.channel.failure is not None:
                raise tracker.channel.failure.with_traceback(None)
            await tracker.news.wait()
