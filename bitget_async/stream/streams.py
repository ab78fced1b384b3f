"""`client.stream`: subscriptions to what the exchange pushes, and what they share."""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bitget_async.clock import ServerClock
from bitget_async.credentials import Credentials
from bitget_async.endpoints import checks
from bitget_async.errors import NotSent, UsageError
from bitget_async.models import (
    Asset,
    BookUpdate,
    CandleUpdate,
    Fill,
    MarketFill,
    OrderUpdate,
    StreamLine,
    Ticker,
    TriggerOrder,
)
from bitget_async.stream.connection import Dialer
from bitget_async.stream.login import Reader, SessionLogin
from bitget_async.stream.order_desk import ORDERS, OrderDesk
from bitget_async.stream.pool import Pool, named
from bitget_async.stream.protocol import Topic, TradeAnswer
from bitget_async.stream.state import News, StreamState
from bitget_async.stream.subscription import Backlog, Every, Feed, Latest, Subscription
from bitget_async.tasks import Tasks

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

    from bitget_async.stream.line import KeptLine, Login
    from bitget_async.stream.live_book import BookKeeper, LiveBook

__all__ = ["INTERVALS", "Streams"]

T = TypeVar("T")

PUBLIC = "/v2/ws/public"
PRIVATE = "/v2/ws/private"
# 300 connections in 5 minutes are allowed to an address. 100 at once and one every two seconds are 250.
CONNECTS = 100
CONNECTS_S = 200.0
# Records that may wait for a reader: some seconds of the busiest account.
MOST_WAITING = 10_000
INTERVALS = (
    *("1m", "5m", "15m", "30m", "1H", "4H", "6H", "12H", "1D", "3D", "1W", "1M"),
    *("6Hutc", "12Hutc", "1Dutc", "3Dutc", "1Wutc", "1Mutc"),
)
_interval = checks.one_of(*INTERVALS)
BOOKS = {1: "books1", 5: "books5", 15: "books15", "all": "books"}


class Streams:
    """
    What the exchange pushes, as async iterators of records: `client.stream`. Made by the client; nothing is connected
    before the first subscription.

    A push tells what happened; that none came tells nothing. The exchange says that private pushes can be lost, and
    that the order channel does not begin with what is open.
    """

    def __init__(
        self,
        session: Reader,
        credentials: Credentials | None,
        *,
        origin: str,
        ssl_context: ssl.SSLContext | None,
        headers: Mapping[str, str],
        rng: random.Random,
    ) -> None:
        self._session = session
        self._login = None if credentials is None else SessionLogin(credentials, session)
        self._dialer = Dialer(origin, ssl_context=ssl_context, headers=headers)
        self._rng = rng
        self._news = News()
        self._made = 0
        self._answered: Callable[[TradeAnswer], None] | None = None
        self._public = Pool(self._line(PUBLIC, None), session.clock, self._news.tell)
        self._private = Pool(self._line(PRIVATE, self._login), session.clock, self._news.tell)
        self._feeds: dict[Feed[Any], None] = {}
        self._keepers: dict[BookKeeper, None] = {}
        self._tasks = Tasks()
        self._process = os.getpid()
        self._closed = False
        self.order_desk = OrderDesk(self._private, session.clock, self._news)

    def __repr__(self) -> str:
        return f"<Streams {self._dialer.origin} {self.state.value}>"

    @cached_property
    def _connects(self) -> AsyncLimiter:
        # Only when something is subscribed to: its import is dear.
        from aiolimiter import AsyncLimiter

        return AsyncLimiter(CONNECTS, CONNECTS_S)

    # -- state ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> StreamState:
        """OFF while nothing is subscribed to; else how the worst topic is. CLOSED with the client."""
        if self._closed:
            return StreamState.CLOSED
        states = {self._public.state, self._private.state}
        order = (StreamState.STALE, StreamState.CONNECTING, StreamState.LIVE)
        return next((each for each in order if each in states), StreamState.OFF)

    @property
    def connections(self) -> int:
        """How many connections are kept up."""
        return len(self._public.lines) + len(self._private.lines)

    def states(self, server: ServerClock, now: int) -> tuple[StreamLine, ...]:
        """How each connection is at that moment, by the exchange's clock."""
        lines = cast("tuple[KeptLine, ...]", (*self._public.lines, *self._private.lines))
        return tuple(_state(line, server, now) for line in lines)

    async def changed(self) -> StreamState:
        """Wait until `state` is another one, and return it. Cancelling: safe."""
        before = self.state
        while (state := self.state) is before:
            await self._news.wait()
        return state

    async def wait_state(self, *states: StreamState) -> StreamState:
        """Wait until `state` is one of those, or CLOSED, and return it. Cancelling: safe."""
        while (state := self.state) not in states and state is not StreamState.CLOSED:
            await self._news.wait()
        return state

    # -- private ----------------------------------------------------------------------------------------------

    def orders(self, symbol: str | None = None) -> Subscription[OrderUpdate]:
        """
        Every change of an order of the account: placed, traded, cancelled, changed.

        Nothing is told of what is open already: see `client.open_orders` for that. Of a market order, or of one that
        trades at once, the first push need not be `live`. Fill fields may be missing, from the last push too.

        Args:
            symbol: one symbol, or `None` for all.

        Slow reader: none is skipped; after 10 000 that wait the subscription ends with `StreamOverflow`.

        Raises:
            UsageError: the client has no credentials, or that is no symbol.
            NotSent: the client is closed.
            SubscriptionFailed, StreamOverflow: when it is read.

        Cost: none in tokens; one message for all readers of orders together.
        Source: https://www.bitget.com/api-doc/spot/websocket/private/Order-Channel, read 2025-11-10.
        """
        self._check_private("orders")
        feed = Feed((ORDERS,), Every[OrderUpdate](MOST_WAITING), self._left_orders, wanted=_of(symbol))
        self._feeds[feed] = None
        self.order_desk.join(feed)
        return Subscription(feed, _what("orders", symbol))

    def fills(self, symbol: str | None = None) -> Subscription[Fill]:
        """
        Every trade of the account.

        Args:
            symbol: one symbol, or `None` for all.

        Slow reader, errors and cost: as for `orders`.
        Source: https://www.bitget.com/api-doc/spot/websocket/private/Fill-Channel, read 2025-11-10.
        """
        self._check_private("fills")
        topic = Topic("fill", "default")
        return self._subscribe(self._private, (topic,), Every(MOST_WAITING), _what("fills", symbol), _of(symbol))

    def account(self) -> Subscription[Asset]:
        """
        The balance of each coin: first of all that are not empty, then of each that changes.

        Slow reader, errors and cost: as for `orders`.
        Source: https://www.bitget.com/api-doc/spot/websocket/private/Account-Channel, read 2025-11-10.
        """
        self._check_private("account")
        return self._subscribe(self._private, (Topic("account", coin="default"),), Every(MOST_WAITING), "account")

    def trigger_orders(self, symbol: str | None = None) -> Subscription[TriggerOrder]:
        """
        Every change of a trigger (plan) order of the account.

        Args:
            symbol: one symbol, or `None` for all.

        Slow reader, errors and cost: as for `orders`.
        Source: the page of the spot plan order channel, read 2025-11-10.
        """
        self._check_private("trigger_orders")
        topic = Topic("orders-algo", "default")
        return self._subscribe(
            self._private, (topic,), Every(MOST_WAITING), _what("trigger orders", symbol), _of(symbol)
        )

    # -- public -----------------------------------------------------------------------------------------------

    def ticker(self, *symbols: str) -> Subscription[Ticker]:
        """
        Prices, when they change, every 200 to 300 ms at most.

        Args:
            symbols: one or more.

        Slow reader: gets the latest of each symbol; `lost` counts those that were overwritten.

        Raises:
            UsageError: no symbols, one twice, or that is none.
            NotSent: the client is closed.
            SubscriptionFailed: when it is read.

        Cost: a topic a symbol, 50 of them a connection; 50 fit into one message.
        Source: https://www.bitget.com/api-doc/spot/websocket/public/Tickers-Channel, read 2025-11-10.
        """
        return self._of_symbols("ticker", symbols, Latest(lambda each: each.symbol, MOST_WAITING))

    def trades(self, *symbols: str) -> Subscription[MarketFill]:
        """
        Everybody's trades. First some that were before; they may come again after a reconnect.

        Args:
            symbols: one or more.

        Slow reader: none is skipped; after 10 000 that wait the subscription ends with `StreamOverflow`.
        Errors and cost: as for `ticker`.
        Source: the page of the spot trades channel, read 2025-11-10.
        """
        return self._of_symbols("trade", symbols, Every(MOST_WAITING))

    def candles(self, interval: str, *symbols: str) -> Subscription[CandleUpdate]:
        """
        Candles as they grow, once a second at most. First some hundred that were before.

        Args:
            interval: in the spelling of the stream, which is not that of the calls: 1m, 5m, 15m, 30m, 1H, 4H, 6H, 12H,
                1D, 3D, 1W, 1M, and by UTC days 6Hutc, 12Hutc, 1Dutc, 3Dutc, 1Wutc, 1Mutc.
            symbols: one or more.

        Slow reader: gets the latest state of each candle.
        Errors and cost: as for `ticker`.
        Source: the page of the spot candlestick channel, read 2025-11-10.
        """
        try:
            channel = "candle" + _interval(interval)
        except UsageError as error:
            raise UsageError(f"interval {error}") from None
        return self._of_symbols(channel, symbols, Latest(lambda each: (each.symbol, each.open_ms), MOST_WAITING))

    def books(self, *symbols: str, depth: int | str = 15) -> Subscription[BookUpdate]:
        """
        Order books as they are pushed. For a book that is kept for you see `book`.

        Args:
            symbols: one or more.
            depth: 1, 5 or 15 levels: each push is the whole of it. "all": first a snapshot, then changes, in which a
                size of 0 takes a level out; after a reconnect a snapshot again.

        Slow reader: gets the latest of each symbol; with "all", where each counts, none is skipped, and after 10 000
        that wait the subscription ends with `StreamOverflow`.
        Errors and cost: as for `ticker`.
        Source: https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel, read 2025-11-10.
        """
        channel = BOOKS.get(depth) if isinstance(depth, (int, str)) and not isinstance(depth, bool) else None
        if channel is None:
            raise UsageError(f'depth must be 1, 5, 15 or "all", not {depth!r}')
        every = depth == "all"
        backlog: Backlog[BookUpdate] = Every(MOST_WAITING) if every else Latest(lambda each: each.symbol, MOST_WAITING)
        return self._of_symbols(channel, symbols, backlog)

    async def book(self, symbol: str) -> LiveBook:
        """
        The order book of one symbol, kept up to date: returns when it is complete. As long as no connection can be had
        that does not happen; bound it with `asyncio.timeout`.

        Raises:
            UsageError: that is no symbol.
            NotSent: the client is closed, or was meanwhile.
            SubscriptionFailed: the exchange refused it, or did not answer.

        Cancelling: safe. Cost: one topic, shared with `books(depth="all")`; two messages each time it is mended.
        Source: https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel, read 2025-11-10.
        """
        # Read with its sorted containers by those who keep books: every program pays for what the package imports.
        from bitget_async.stream.live_book import BookKeeper, LiveBook

        self._check()

        def leave(keeper: BookKeeper) -> None:
            self._keepers.pop(keeper, None)
            self._public.leave(keeper)

        keeper = BookKeeper(checks.symbol(symbol), self._session.clock, self._tasks, self._public.renew, leave)
        self._keepers[keeper] = None
        self._public.join(keeper)
        book = LiveBook(keeper)
        try:
            await book.wait_ready()
        except BaseException:
            book.close()
            raise
        return book

    # -- commands ---------------------------------------------------------------------------------------------

    @property
    def command_line(self) -> KeptLine | None:
        """The line that has the order channel: where commands may go."""
        return cast("KeptLine | None", self._private.line_of(ORDERS))

    def tell_answers(self, answered: Callable[[TradeAnswer], None]) -> None:
        """Hand the answers to commands to that one."""
        self._answered = answered

    def _command_answered(self, answer: TradeAnswer) -> None:
        if self._answered is not None:
            self._answered(answer)

    # -- inside -----------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End every subscription and close every connection, within a second. Safe to call twice."""
        self._closed = True
        for feed in tuple(self._feeds):
            feed.end()
        for keeper in tuple(self._keepers):
            keeper.end()
        self.order_desk.close()
        await self._tasks.close()
        await self._public.close()
        await self._private.close()
        await self._dialer.close()
        self._news.tell()

    def _line(self, path: str, login: Login | None) -> Callable[[Pool], KeptLine]:
        def make(pool: Pool) -> KeptLine:
            # As dear as that of the limiter.
            from bitget_async.stream.line import KeptLine

            self._made += 1
            return KeptLine(
                f"{'public' if login is None else 'private'} stream {self._made}",
                path,
                opener=self._dialer,
                login=login,
                wire=pool,
                clock=self._session.clock,
                rng=self._rng,
                connects=self._connects,
                answered=None if login is None else self._command_answered,
                events=self._session.events,
            )

        return make

    def _of_symbols(self, channel: str, symbols: tuple[str, ...], backlog: Backlog[T]) -> Subscription[T]:
        topics = tuple(Topic(channel, each) for each in checks.symbols(symbols))
        what = named(topics[0]) if len(topics) == 1 else f"{channel} of {len(topics)} symbols"
        return self._subscribe(self._public, topics, backlog, what)

    def _subscribe(
        self,
        pool: Pool,
        topics: tuple[Topic, ...],
        backlog: Backlog[T],
        what: str,
        wanted: Callable[[T], bool] | None = None,
    ) -> Subscription[T]:
        self._check()

        def leave(feed: Feed[Any]) -> None:
            self._feeds.pop(feed, None)
            pool.leave(feed)

        feed = Feed(topics, backlog, leave, wanted=wanted)
        self._feeds[feed] = None
        pool.join(feed)
        return Subscription(feed, what)

    def _left_orders(self, feed: Feed[Any]) -> None:
        self._feeds.pop(feed, None)
        self.order_desk.leave(feed)

    def _check(self) -> None:
        if self._closed:
            raise NotSent("closed", detail="the client is closed")
        if self._process != os.getpid():
            raise UsageError("this client was made before fork(): its connections belong to the parent; make a new one")

    def _check_private(self, what: str) -> None:
        self._check()
        if self._login is None:
            raise UsageError(f"stream.{what} needs credentials")


def _of(symbol: str | None) -> Callable[[Any], bool] | None:
    if symbol is None:
        return None
    name = checks.symbol(symbol)
    return lambda record: bool(record.symbol == name)


def _state(line: KeptLine, server: ServerClock, now: int) -> StreamLine:
    heard_ns, told_ms = line.heard_ns, None
    if line.pushed_at is not None and line.pushed_at[0] is not None:
        told_ms = server.estimate_ms(line.pushed_at[1]) - line.pushed_at[0]
    return StreamLine(
        stream=line.name,
        state=line.state.value,
        topics=line.topics,
        silent_s=None if heard_ns is None else (now - heard_ns) / 1e9,
        lag_ms=told_ms,
        reconnects=max(line.connected - 1, 0),
    )


def _what(what: str, symbol: str | None) -> str:
    return what if symbol is None else f"{what} {symbol}"
