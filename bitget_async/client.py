"""`BitgetClient`: lifetime and verbs."""

from __future__ import annotations

import logging
import os
import random
import ssl
import warnings
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import orjson

from bitget_async.cancellation import Canceller
from bitget_async.clock import Clock, SystemClock
from bitget_async.course import is_seconds
from bitget_async.credentials import Credentials, KeyMaterial
from bitget_async.desk import ClientOids, Desk
from bitget_async.endpoints import (
    CANCEL_SYMBOL_ORDER,
    FILLS,
    HISTORY_ORDERS,
    ORDER_INFO,
    UNFILLED_ORDERS,
    Effect,
    Endpoint,
)
from bitget_async.errors import NotSent, OrderNotFound, UsageError
from bitget_async.events import Event, EventReader, Events
from bitget_async.events.log import EventLog
from bitget_async.evidence import Assumptions
from bitget_async.families.account import Account
from bitget_async.families.market import Market
from bitget_async.families.trigger import Trigger
from bitget_async.halt import PendingStop
from bitget_async.handle import Pending
from bitget_async.journal import Journal
from bitget_async.limits import Limits, LocalLimits, Unlimited
from bitget_async.models import ClockState, Fill, Order, Snapshot
from bitget_async.overview import overview
from bitget_async.pages import Pages, Position
from bitget_async.redis_server import sealed
from bitget_async.resumer import Resumer
from bitget_async.resumption import Home, Recorder
from bitget_async.rules import Rulebook
from bitget_async.session import Session
from bitget_async.stop import Stopper
from bitget_async.stream.connection import ws_origin_of
from bitget_async.stream.road import SocketRoad
from bitget_async.stream.streams import Streams
from bitget_async.tracker import OpenOrders, Tracker
from bitget_async.transport import AiohttpTransport, is_loopback, origin_of
from bitget_async.verbs import Parts, TradingVerbs
from bitget_async.watcher import Watcher

if TYPE_CHECKING:
    from bitget_async.exposure import Exposure
    from bitget_async.heartbeat import Heartbeat

__all__ = ["BitgetClient"]

log = logging.getLogger("bitget_async.journal")

BASE_URL = "https://api.bitget.com"
USER_AGENT = "bitget-async"
MOST_EVENTS = 10_000

E = TypeVar("E", bound=Event)


class BitgetClient(TradingVerbs):
    """
    The Bitget V2 spot API on asyncio.

    Use it as an async context manager, on one event loop. All methods may be called from any number of tasks.

    Args:
        credentials: `Credentials`, or anything with `api_key`, `secret` and `passphrase`; `None` for public calls only.
        base_url: scheme and host; `http://` on loopback only.
        demo: demo trading: every request carries `paptrading: 1`. Needs a key made for demo trading.
        uid: the account's UID. Limits are counted per UID: give it whenever two keys of one account are used in one
            process. Without it the API key stands for it, and two keys of one account would count apart.
        timeout_s: seconds for one request from connecting to the last byte, and for a read with its repeats.
        limits: `LocalLimits` shared by all clients on this loop by default. `Unlimited()` on loopback only.
        staleness_s: assumption: how old an open listing may be when the exchange serves it.
        execution_grace_s: assumption: how long after the exchange's last chance to accept a command it may still act.
        ssl_context: for a private certificate authority; must verify certificates and host names.
        clock: for tests in virtual time.
        rng: jitter and client ids; give a seeded one for a repeatable run, another one to each client of an account.
        client_oid_prefix: begins every client id that this client makes up: at most 12 of [0-9A-Za-z_-].
        journal: a path, or a `Journal`: what is about to be sent is written there first, so that `resume_pending`
            can take it up after a crash. One client at a time; opened at the first use. See docs/journal.md.
        stream: hold the private order stream open from the first use on, in the background: it tells pending
            calls early of what the reads will prove. Without it they come to the same, later. See docs/streams.md.
        trade_over: "stream": `place_order` and `cancel_order` go over the private stream where that is up and takes
            them, with the same handles; over REST where not. Holds the stream open as `stream=True`. See
            docs/streams.md.
        ws_url: scheme and host of the WebSockets; `ws://` on loopback only. `None`: those that belong to `base_url`.
        keep_raw: keep the JSON of each row behind its record, for fields that we do not know: `record.raw`. A page of
            100 orders takes half as long again to read.

    Raises:
        UsageError: an argument cannot be meant.
    """

    def __init__(
        self,
        credentials: Credentials | KeyMaterial | None = None,
        *,
        base_url: str = BASE_URL,
        demo: bool = False,
        uid: str | None = None,
        timeout_s: float = 10.0,
        limits: Limits | None = None,
        staleness_s: float = 2.0,
        execution_grace_s: float = 10.0,
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        client_oid_prefix: str = "",
        journal: str | os.PathLike[str] | Journal | None = None,
        stream: bool = False,
        trade_over: str = "rest",
        ws_url: str | None = None,
        keep_raw: bool = False,
    ) -> None:
        self._origin = origin_of(base_url)
        self._ws_origin = ws_origin_of(ws_url, self._origin, demo=bool(demo))
        if isinstance(limits, Unlimited) and not is_loopback(base_url):
            raise UsageError("Unlimited() is for loopback only: the exchange bans who breaks its limits")
        for name, value in (("timeout_s", timeout_s), ("staleness_s", staleness_s)):
            _positive(name, value)
        if execution_grace_s != 0:
            _positive("execution_grace_s", execution_grace_s)
        if uid is not None and (not isinstance(uid, str) or not uid):
            raise UsageError("uid must be the account's UID as a non-empty str")
        self._credentials = None if credentials is None else Credentials.of(credentials)
        self._account = uid or (self._credentials.fingerprint if self._credentials else "")
        self._limits = limits
        self._timeout_s = float(timeout_s)
        self._assumptions = Assumptions(float(staleness_s), float(execution_grace_s))
        self._clock: Clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._client_oids = ClientOids(client_oid_prefix, random.Random(self._rng.getrandbits(64)))
        self._rulebook = Rulebook()
        self._keep_raw = bool(keep_raw)
        self._market = Market(
            self.call, now_ms=self._now_ms, monotonic_ns=self._clock.monotonic_ns, rulebook=self._rulebook
        )
        headers = {"locale": "en-US", "Content-Type": "application/json", "User-Agent": USER_AGENT}
        headers["Accept-Encoding"] = "identity"
        if demo:
            headers["paptrading"] = "1"
        self._ssl_context = ssl_context
        self._transport = AiohttpTransport(base_url, self._clock, ssl_context=ssl_context, headers=headers)
        if journal is not None and self._credentials is None:
            raise UsageError("a journal is for commands, and they need credentials")
        if trade_over not in ("rest", "stream"):
            raise UsageError(f'trade_over must be "rest" or "stream", not {trade_over!r}')
        self._trade_over = trade_over
        self._stream_due = bool(stream) or trade_over == "stream"
        if self._stream_due and self._credentials is None:
            raise UsageError("the private order stream needs credentials")
        self._journal = journal if journal is None or isinstance(journal, Journal) else Journal(os.fspath(journal))
        # Demo trading answers at the same address, and is another exchange.
        self._home = Home(self._origin + (" demo" if demo else ""), self._account, os.urandom(8).hex())
        self._parts: Parts | None = None
        self._unclosed: weakref.finalize[[Watcher, Streams], BitgetClient] | None = None
        self._process = os.getpid()
        self._closed = False
        self._events = Events(EventLog())
        self._exposures: list[Exposure] = []

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._parts else "not used yet"
        return f"<BitgetClient {self._origin} {state}>"

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        Close the client: pending cancellations settle as UNKNOWN (`client_closed`), waiters for tokens get
        `NotSent`, connections close. What was sent stays sent, and stands in the journal if there is one. Safe to call
        twice. Wait for `pending` first where the outcome matters.
        """
        self._closed = True
        if self._unclosed is not None:
            _ = self._unclosed.detach()
        for exposure in self._exposures:
            await exposure.close()
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.tracker.close()
            await parts.streams.close()
            await parts.stopper.close()
            await parts.watcher.close()
            await parts.canceller.close()
            await parts.desk.close()
            # A command may have been signed while the watcher was closing: its handle is settled now.
            await parts.watcher.close()
            await parts.session.close()
            if parts.journal is not None:
                parts.journal.close()
        self._events.close()

    def _open(self) -> Parts:
        if self._closed:
            raise NotSent("closed", detail="the client is closed")
        if self._process != os.getpid():
            raise UsageError("this client was made before fork(): its connections belong to the parent; make a new one")
        if self._parts is None:
            file = None
            if self._journal is not None:
                file = self._journal.open(account=self._account, origin=self._home.origin, warn=log.warning)
            session = Session(
                self._credentials,
                origin=self._origin,
                account=self._account,
                transport=self._transport,
                limits=self._limits or LocalLimits.shared(),
                clock=self._clock,
                timeout_s=self._timeout_s,
                rng=self._rng,
                keep_raw=self._keep_raw,
                events=self._events,
            )
            recorder = None if file is None else Recorder(file, self._home, lambda: _server_ms(session))
            watcher = Watcher(session, self._rng, self._home, recorder)
            canceller = Canceller(session, watcher, self._assumptions)
            streams = Streams(
                session,
                self._credentials,
                origin=self._ws_origin,
                ssl_context=self._ssl_context,
                headers={"User-Agent": USER_AGENT},
                rng=self._rng,
            )
            road = SocketRoad(session, lambda: streams.command_line) if self._trade_over == "stream" else None
            desk = Desk(session, watcher, self._assumptions, self._client_oids, road)
            tracker = Tracker(session, self._rng, self._assumptions.staleness_s, streams.order_desk, watcher.breaker)
            watcher.tracker = tracker
            # What settles calls goes first, readers later.
            streams.order_desk.listen(watcher)
            streams.order_desk.listen(tracker)
            stopper = Stopper(session, watcher, canceller, desk, tracker, self._assumptions)
            resumer = Resumer(session, watcher)
            self._parts = Parts(session, watcher, canceller, desk, resumer, file, streams, tracker, stopper)
            self._unclosed = weakref.finalize(self, _warn_of_left, watcher, streams)
            if road is not None:
                streams.order_desk.listen(road)
                streams.tell_answers(road.answered)
            if self._stream_due:
                streams.order_desk.hold()
        return self._parts

    # -- what happens inside ----------------------------------------------------------------------------------

    def on(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """
        Have a function called with each event of that class, or of a subclass: `Event` hears everything. See
        docs/observability.md. It is called in the middle of the client's work, so it should be quick; what it raises is
        logged once, and harms nobody.

        Args:
            kind: `Event`, `RequestEvent` or a class of `bitget_async.events`.
            callback: gets the record.

        Returns:
            What ends it. Calling that twice does no harm.

        Raises:
            UsageError: an argument cannot be meant.

        Cost: what nobody listens to is not made.
        """
        return self._events.on(kind, callback)

    def events(self, *kinds: type[Event], most: int = MOST_EVENTS) -> EventReader:
        """
        Events as an async iterator: what happens from this call on, until the client closes.

        Args:
            kinds: classes of `bitget_async.events`; none: everything.
            most: events that may wait for a slow reader; then the oldest are dropped and counted in `lost`.

        Raises:
            UsageError: an argument cannot be meant.

        Cancelling: safe.
        """
        return EventReader(self._events, kinds, most)

    def snapshot(self) -> Snapshot:
        """
        How the client is at this moment: quotas, pending handles, streams, the clock, what was requested, the last
        errors. Holds no secrets, and can be given away as it is: `to_dict()`. See docs/observability.md.

        Cost: no request; about a microsecond a pending handle and bucket.
        """
        parts = self._parts
        if parts is not None:
            limits = self._limits or LocalLimits.shared()
            return overview(parts, limits, self._account, self._origin)
        return Snapshot(
            at_ms=self._clock.epoch_ms(),
            state="closed" if self._closed else "not used yet",
            origin=self._origin,
            clock=ClockState(synchronised=False, offset_ms=0, uncertainty_ms=None),
        )

    async def expose(self, path: str | os.PathLike[str]) -> Exposure:
        """
        Show this client's snapshots at a Unix socket, to processes of this user: `bitget-async top PATH` draws them,
        and any program can read them as JSON (see docs/observability.md). Nothing can be changed over it.

        Args:
            path: of the socket, in a directory that only you can write; made with mode 600. One that a process left
                behind is replaced. It goes with the client, or by `close()` of what is returned.

        Returns:
            The open socket.

        Raises:
            UsageError: it can be no path of a socket, somebody listens there, something else lies there, or others can
                write to the directory.
            NotSent: the client is closed.

        Cancelling: safe. Cost: no request; a snapshot each time that a reader asks for one.
        """
        # As with a heartbeat: who is shown to nobody does not pay for it.
        from bitget_async.exposure import Exposure

        _ = self._open()
        exposure = Exposure(path, lambda: orjson.dumps(self.snapshot().to_dict()), self._clock)
        await exposure.open()
        self._exposures.append(exposure)
        return exposure

    @property
    def clock(self) -> Clock:
        """The clock that the client goes by: `at_ns` of an event is its `monotonic_ns()`."""
        return self._clock

    # -- handles ----------------------------------------------------------------------------------------------

    @property
    def pending(self) -> tuple[Pending[Any, Any] | PendingStop, ...]:
        """
        The handles that are not settled yet, oldest first, whether anybody holds them or not: stops, then the others,
        among them those of the stops' commands.
        """
        if self._parts is None:
            return ()
        return (*self._parts.stopper.pending, *(course.handle for course in self._parts.watcher.pending))

    async def resume(self, data: Mapping[str, Any]) -> Pending[Any, Any]:
        """
        Take up the call that a handle's `to_dict()` described, in this process or in another one. The command is never
        sent again: its orders are read until they are accounted for, and `confirm_within_s` counts from now. A handle
        that had settled as STILL_OPEN or UNKNOWN is looked at anew, as by `recheck()`.

        Args:
            data: what `to_dict()` gave, after JSON or not. Best taken when the call had returned: before the answer,
                nobody knows whether the command was signed again later, and every order up to now counts as concerned.

        Returns:
            A handle of the class of the first one.

        Raises:
            UsageError: it is no such dict, of another version, origin or account, or settled with certainty.
            NotSent, OutcomeUnknown, Refused: the exchange's clock could not be read; nothing was changed.

        Cancelling: safe. Cost: 2 tokens of server-time, and reads that are shared by all handles.
        """
        return await self._open().resumer.resume(data)

    async def resume_pending(self) -> tuple[Pending[Any, Any], ...]:
        """
        Take up every call in the journal that an earlier process did not settle. No command is sent again. What is
        proven not to have been sent is dropped from the journal, and has no handle.

        Returns:
            The handles, oldest call first; also in `pending`. None of those that were taken up before.

        Raises:
            UsageError: the client has no journal, or it cannot be opened.
            NotSent, OutcomeUnknown, Refused: the exchange's clock could not be read; nothing is lost, call it again.

        Cancelling: safe. Cost: 2 tokens of server-time, and reads that are shared by all handles.
        """
        return await self._open().resumer.resume_pending()

    @property
    def market(self) -> Market:
        """Prices and trading rules; no key is needed."""
        return self._market

    @property
    def account(self) -> Account:
        """The account: balances, ledgers, fees, and transfers between its own accounts."""
        return Account(self.call, now_ms=self._now_ms, new_client_oid=self._client_oids.new)

    @property
    def stream(self) -> Streams:
        """What the exchange pushes: subscriptions to orders, prices and books."""
        return self._open().streams

    @property
    def open_orders(self) -> OpenOrders:
        """What is open now, by symbol: kept true by the order stream and by reads."""
        return OpenOrders(self._open().tracker)

    def heartbeat(
        self,
        where: str | os.PathLike[str],
        *,
        name: str = "bot",
        every_s: float = 1.0,
        within_s: float = 5.0,
        alive: Callable[[], bool] | None = None,
    ) -> Heartbeat:
        """
        Beat for a guard (`bitget-async guard`), which stops the account when the beats stay away:

            async with client.heartbeat("/run/bot/guard.sock"):
                ...  # guarded from here on

        The beats come from the event loop: a loop that hangs does not beat. See docs/guard.md for what it cannot do.

        Args:
            where: the path of the guard's socket, or the URL of its Redis (`redis://`, `rediss://`, `unix://`).
            name: of the bot, as the guard was told.
            every_s: seconds between beats, at most a third of what the guard waits for.
            within_s: longest wait for the guard at the entering and at the goodbye, in seconds.
            alive: asked before each beat; it goes out only if this gives `True`. For what the loop cannot know: that
                the bot's own work goes on. It must not block.

        Raises:
            UsageError: an argument cannot be meant; at the entering: the guard knows no such bot, or `every_s` is long.
            NotSent: at the entering: `reason="guard"`, no guard answers, or it is stopping the account.

        Cost: no request to the exchange.
        """
        # Few programs have a guard; those that have one pay for it here.
        from bitget_async.heartbeat import Heartbeat

        where = sealed(where)
        return Heartbeat(where, name=name, every_s=every_s, within_s=within_s, alive=alive, clock=self._clock)

    @property
    def trigger(self) -> Trigger:
        """Trigger (plan) orders: place, modify, cancel, list."""

        def parts() -> tuple[Desk, Canceller]:
            opened = self._open()
            return opened.desk, opened.canceller

        return Trigger(self.call, self._now_ms, parts, self._rulebook.rules)

    # -- any row ----------------------------------------------------------------------------------------------

    async def call(self, row: Endpoint, /, *, max_wait_s: float | None = None, **params: Any) -> Any:
        """
        Make any call of the catalogue: `await client.call(HISTORY_ORDERS, symbol="BTCUSDT")`.

        Args:
            row: a row of `bitget_async.endpoints`.
            max_wait_s: longest wait for a token in seconds.
            params: the row's parameters in snake case; `None` counts as not given.

        Returns:
            What `row.returns` says. For a command: a receipt, not a result.

        Raises:
            UsageError, NotSent, OutcomeUnknown, Refused: see `bitget_async.errors`.

        Cancelling: reads: safe. Commands: safe before the signing; afterwards the command goes on without you.
        Cost: 1 token of the row's quota for each copy on the wire.
        """
        session = self._open().session
        if row is CANCEL_SYMBOL_ORDER:
            raise UsageError("use cancel_symbol_orders(): the bare answer of this call proves nothing")
        send = session.command if row.effect is Effect.COMMAND else session.call
        return (await send(row, params, max_wait_s=max_wait_s)).value

    # -- trade ------------------------------------------------------------------------------------------------

    async def order_info(self, *, order_id: str | None = None, client_oid: str | None = None) -> Order:
        """
        One order by one of its ids. By `client_oid` the exchange finds only orders of the last two hours.

        Raises:
            UsageError: none or both ids.
            OrderNotFound: the exchange does not know it (yet: an order can take a moment to appear).
            NotSent, OutcomeUnknown, Refused.

        Cancelling: safe. Cost: 1 token of orderInfo (20 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/trade/Get-Order-Info, read 2025-11-30.
        """
        rows: list[Order] = await self.call(ORDER_INFO, order_id=order_id, client_oid=client_oid)
        if not rows:
            raise OrderNotFound("00000", "an empty answer", http_status=200, endpoint=ORDER_INFO.label)
        return rows[0]

    def unfilled_orders(
        self,
        symbol: str | None = None,
        *,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        order_id: str | None = None,
        tpsl_type: str | None = None,
        position: Position | None = None,
    ) -> Pages[Order]:
        """
        Open orders, newest first: await it for one page, iterate over it for all; see `Pages`. They can be as old as a
        lagging replica, an empty page too.

        Args:
            symbol: one symbol, or `None` for all.
            limit: rows a page, 1 to 100.
            id_less_than: only orders older than this order id.
            start_ms, end_ms: creation time, Unix milliseconds.
            order_id: one order.
            tpsl_type: "normal" (default) or "tpsl": two separate lists.
            position: go on where an earlier read with the same parameters stopped.

        Raises (when it is used): UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of unfilled-orders (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/trade/Get-Unfilled-Orders, read 2025-11-30.
        """
        return self._listing(
            UNFILLED_ORDERS, position, symbol, limit, id_less_than, start_ms, end_ms, order_id, tpsl_type=tpsl_type
        )

    def history_orders(
        self,
        symbol: str | None = None,
        *,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        order_id: str | None = None,
        tpsl_type: str | None = None,
        position: Position | None = None,
    ) -> Pages[Order]:
        """
        Finished orders of the last 90 days, newest first: await it for one page, iterate over it for all; see `Pages`.
        They lag behind the truth.

        Args:
            symbol: one symbol, or `None` for all.
            limit: rows a page, 1 to 100.
            id_less_than: only orders older than this order id.
            start_ms, end_ms: Unix milliseconds; which time they filter on is not documented (creation, presumably).
                More than 30 days are asked in parts, newest first.
            order_id: one order.
            tpsl_type: "normal" (default) or "tpsl": two separate lists.
            position: go on where an earlier read with the same parameters stopped.

        Raises (when it is used): UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of history-orders (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/trade/Get-History-Orders, read 2025-11-30.
        """
        return self._listing(
            HISTORY_ORDERS, position, symbol, limit, id_less_than, start_ms, end_ms, order_id, tpsl_type=tpsl_type
        )

    def fills(
        self,
        symbol: str | None = None,
        *,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        order_id: str | None = None,
        position: Position | None = None,
    ) -> Pages[Fill]:
        """
        The account's trades of the last 90 days, newest first: await it for one page, iterate over it for all; see
        `Pages`.

        Args:
            symbol: one symbol, or `None` for all.
            limit: rows a page, 1 to 100.
            id_less_than: only trades older than this TRADE id.
            start_ms, end_ms: Unix milliseconds. More than 90 days are asked in parts, newest first.
            order_id: the trades of one order.
            position: go on where an earlier read with the same parameters stopped.

        Raises (when it is used): UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of fills (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/trade/Get-Fills, read 2025-11-30.
        """
        return self._listing(FILLS, position, symbol, limit, id_less_than, start_ms, end_ms, order_id)

    def _listing(
        self,
        row: Endpoint,
        position: Position | None,
        symbol: str | None,
        limit: int,
        id_less_than: str | None,
        start_ms: int | None,
        end_ms: int | None,
        order_id: str | None,
        **more: Any,
    ) -> Pages[Any]:
        given = {"symbol": symbol, "limit": limit, "id_less_than": id_less_than, "order_id": order_id, **more}
        given |= {"start_time": start_ms, "end_time": end_ms}
        return Pages(self.call, row, given, now_ms=self._now_ms, position=position)

    def _now_ms(self) -> int:
        """The exchange's clock as well as it is known."""
        return _server_ms(self._open().session)


def _server_ms(session: Session) -> int:
    return session.server.estimate_ms(session.clock.monotonic_ns())


def _warn_of_left(watcher: Watcher, streams: Streams) -> None:
    """The client is gone, or the interpreter ends, and nobody closed it."""
    if streams.connections:
        text = "a BitgetClient was not closed; its streams are still connected"
        warnings.warn(text, ResourceWarning, stacklevel=2)
    left = [f"{course.command} of {course.symbol}" for course in watcher.pending]
    if left:
        text = f"a BitgetClient was not closed; nobody knows what became of: {', '.join(left)}"
        warnings.warn(text, ResourceWarning, stacklevel=2)


def _positive(name: str, value: object) -> None:
    if not is_seconds(value, 3600):
        raise UsageError(f"{name} must be a number of seconds above 0 and up to an hour, not {value!r}")
