"""
The real client over real sockets and TLS, through the fault proxy, with time that passes only while nobody works.

The judge knows what a user sees (reports, rows, errors), what the proxy saw pass, and the simulator's truth.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import ssl
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import trustme

from bitget_async import BitgetClient, BitgetError, NotSent, Outcome, PlacementOutcome, Refused
from bitget_async.clock import Clock, VirtualClock
from bitget_async.endpoints import Endpoint
from bitget_async.limits import LocalLimits
from bitget_async.sim import FaultProxy, Settings, SimulatedExchange
from tests.conftest import run_on

__all__ = [
    "CALLS",
    "EXECUTED",
    "NOT_EXECUTED",
    "READ",
    "Bench",
    "Told",
    "authority",
    "bench",
    "judge",
    "run_over_sockets",
    "secrets_in",
    "serving",
    "trusting",
    "witness",
]

T = TypeVar("T")

# How long the kernel may take over loopback before "nothing is ready" counts as "nobody works"...
PATIENCE_S = 0.001
# ... and how far time moves then: a hiccup of the machine costs little of it.
STEP_S = 0.25
READ = "unfilled-orders"
CLIENT_OID = "judged-1"


class _IdleTime(selectors.DefaultSelector):
    """A selector that, instead of waiting for a timer, moves the time on."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        events = super().select(None if timeout is None else PATIENCE_S)
        if not events and timeout is not None:
            self.now_s += max(min(timeout, STEP_S), 1e-6)
        return events


def run_over_sockets(main: Callable[[], Awaitable[T]], *, debug: bool = True) -> T:
    """
    Run `main()` on a loop with real sockets whose time stands still while anything is ready: deadlines are exact on
    a busy machine, and an hour of silence takes seconds. Fails on tasks left behind and on what only the loop heard.
    """
    selector = _IdleTime()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now_s  # type: ignore[method-assign]
    loop.set_debug(debug)
    # The server's side of a failed handshake is told to the loop only.
    return run_on(loop, main, expected=(ssl.SSLError, ConnectionError))


@cache
def authority() -> trustme.CA:
    """Whom the client trusts."""
    return trustme.CA()


def serving(issued: trustme.LeafCert) -> ssl.SSLContext:
    """A server's context with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


@cache
def witness() -> ssl.SSLContext:
    """The context of a server that is what it says."""
    return serving(authority().issue_cert("127.0.0.1"))


@cache
def trusting() -> ssl.SSLContext:
    """The client's context."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


class _Tokens(LocalLimits):
    """Limits that count what is taken, and what is spent: not given back as proven not sent."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()

    async def acquire(self, row: Endpoint, account: str, origin: str, **options: Any) -> Any:
        grant = await super().acquire(row, account, origin, **options)
        name = row.path.rpartition("/")[2]
        self.taken[name] += 1
        self.spent[name] += 1
        give_back = grant.unsent

        def unsent() -> None:
            self.spent[name] -= 1
            give_back()

        return _Grant(grant, unsent)


class _Grant:
    def __init__(self, grant: Any, unsent: Callable[[], None]) -> None:
        self.answered, self.lost, self.refused, self.unsent = grant.answered, grant.lost, grant.refused, unsent


@dataclass(slots=True, eq=False)
class Bench:
    """
    One case: an exchange with two open orders of the account, a proxy before it, a client that comes through the proxy.
    """

    exchange: SimulatedExchange
    proxy: FaultProxy
    client: BitgetClient
    tokens: _Tokens
    ids: tuple[str, ...]
    clock: Clock

    def begun(self, endpoint: str) -> int:
        """How many requests of that name the proxy saw begin."""
        return sum(each.endpoint == endpoint for each in self.proxy.requests)

    def open(self) -> set[str]:
        """The orders open in truth."""
        return set(self.exchange.truth.open_ids(self.exchange.account.uid, "BTCUSDT"))

    def placed(self) -> bool:
        """Whether the order of the case came to be in truth."""
        return any(each.client_oid == CLIENT_OID for each in self.exchange.truth.placements)


@asynccontextmanager
async def bench(
    seed: int = 1, *, tls: ssl.SSLContext | None = None, orders: int = 2, url: str = "", **client: Any
) -> AsyncIterator[Bench]:
    """A fresh case; `url` is where the client goes instead of the proxy."""
    clock = VirtualClock()
    settings = Settings(sweep_delay_s=0.1, listing_lag_s=0.0, history_lag_s=0.1)
    tokens = _Tokens()
    async with (
        SimulatedExchange(seed, clock=clock, settings=settings) as exchange,
        FaultProxy(exchange.base_url, tls=tls or witness(), seed=seed) as proxy,
        BitgetClient(
            exchange.credentials(),
            base_url=url or proxy.base_url,
            ssl_context=trusting(),
            clock=clock,
            rng=random.Random(seed),
            limits=tokens,
            **client,
        ) as made,
    ):
        ids = tuple(exchange.rest("BTCUSDT", orders, age_s=60))
        yield Bench(exchange, proxy, made, tokens, ids, clock)


@dataclass(frozen=True, slots=True)
class Told:
    """What a user was told: one of them."""

    report: Any = None
    rows: frozenset[str] | None = None
    error: BitgetError | None = None

    @property
    def word(self) -> str:
        """In a word: the outcome, "rows", or the error's class."""
        if self.error is not None:
            return type(self.error).__name__
        return "rows" if self.report is None else str(self.report.outcome.name)


async def _told(asking: Awaitable[Any]) -> Told:
    try:
        return Told(report=await (await asking).settled())
    except BitgetError as error:
        return Told(error=error)


async def _cancel_symbol(case: Bench) -> Told:
    return await _told(case.client.cancel_symbol_orders("BTCUSDT"))


async def _place(case: Bench) -> Told:
    return await _told(
        case.client.place_order(
            "BTCUSDT", "buy", "limit", Decimal("0.001"), price=60_000, client_oid=CLIENT_OID, check=False
        )
    )


async def _cancel(case: Bench) -> Told:
    return await _told(case.client.cancel_order("BTCUSDT", order_id=case.ids[0]))


async def _read(case: Bench) -> Told:
    try:
        return Told(rows=frozenset(each.order_id for each in await case.client.unfilled_orders("BTCUSDT")))
    except BitgetError as error:
        return Told(error=error)


CALLS: dict[str, Callable[[Bench], Awaitable[Told]]] = {
    "cancel-symbol-order": _cancel_symbol,
    "place-order": _place,
    "cancel-order": _cancel,
    READ: _read,
}
EXECUTED = {"cancel-symbol-order": "CONFIRMED", "place-order": "PLACED", "cancel-order": "CONFIRMED", READ: "rows"}
NOT_EXECUTED = {
    "cancel-symbol-order": "STILL_OPEN",
    "place-order": "NOT_PLACED",
    "cancel-order": "STILL_OPEN",
    READ: "rows",
}


def judge(case: Bench, call: str, told: Told) -> None:
    """No word that the truth contradicts, no copy without a token, none of a doubtful command, no part of the key."""
    truth, still_open = case.exchange.truth, case.open()
    executions = {"place-order": truth.placements, "cancel-order": truth.cancels}.get(call, truth.executions)
    if isinstance(told.error, NotSent | Refused):
        assert not executions, f"{told.word} of a command that was executed"
    if told.report is not None:
        if told.report.outcome is Outcome.CONFIRMED:
            assert not still_open & {each.order.order_id for each in told.report.orders}
            assert not still_open & set(case.ids if call == "cancel-symbol-order" else case.ids[:1])
        elif told.report.outcome is Outcome.STILL_OPEN:
            assert {each.order.order_id for each in told.report.still_open} <= still_open
        elif isinstance(told.report.outcome, PlacementOutcome):
            assert (told.word, case.placed()) in {("PLACED", True), ("NOT_PLACED", False), ("UNKNOWN", case.placed())}
        assert told.report.outcome is not Outcome.NOTHING_TO_CANCEL, "there were two orders"
    if told.rows is not None:
        assert told.rows == still_open
    spent = {name: count for name, count in case.tokens.spent.items() if count}
    assert spent == Counter(each.endpoint for each in case.proxy.requests), "copies and tokens differ"
    if told.error is not None:
        assert not secrets_in(case, told.error)


def secrets_in(case: Bench, error: BaseException) -> list[str]:
    """What of the key stands in the error, its text, its fields or its traceback with the locals of our frames."""
    key = case.exchange.credentials()
    lines = [str(error), repr(error), repr(error.args), repr(vars(error))]
    lines += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    linked: BaseException | None = error
    while linked is not None:
        lines.append(f"from {type(linked).__module__}")
        linked = linked.__cause__ or linked.__context__
    text = "\n".join(lines)
    found = [name for name in ("api_key", "secret", "passphrase") if getattr(key, name) in text]
    return found + [word for word in ("ACCESS-SIGN", "from aiohttp") if word in text]
