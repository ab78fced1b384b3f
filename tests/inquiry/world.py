"""An inquiry, an exchange without lag in its listings, and the time between them."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bitget_async import Order, OrderStatus, Outcome
from bitget_async.evidence import Certainty, Listing, Named, Page, Push, Sweep, Target, complete
from bitget_async.inquiry import Inquiry, Read, ReadKind

SECOND = 1_000_000_000
START_NS = 5_000 * SECOND
T_MS = 1_750_000_000_000
NEVER = math.inf


def ms(at_ns: int) -> int:
    """The exchange's clock at that moment."""
    return T_MS + (at_ns - START_NS) // 1_000_000


@dataclass
class Truth:
    """One order: when it began and ended, in seconds from the start, and when the history and orderInfo show it."""

    symbol: str
    born_s: float = -60.0
    ended_s: float = 0.15
    told_s: float = 0.6
    oid: str = ""
    asked_s: float | None = None


@dataclass
class World:
    """
    An inquiry, an exchange without lag in its listings, and the time between them. `prompt`: orderInfo has no lag.
    `stuck`: the history answers with its first page, whatever the cursor. `push_lag_s`: the end of each order, by its
    number, is pushed so much later; `None`: never. `lag_s`: how old a listing is, by the moment of its request.
    """

    orders: dict[int, Truth] = field(default_factory=dict)
    latency_s: float = 0.05
    fails: Callable[[float, Read], bool] = lambda at_s, read: False
    banned: bool = False
    prompt: bool = False
    stuck: bool = False
    push_lag_s: Callable[[int], float | None] = lambda number: None
    lag_s: Callable[[float], float] = lambda at_s: 0.0
    seed: int = 1
    now: int = START_NS
    reads: list[tuple[float, Read]] = field(default_factory=list)
    pages: int = 0
    settled: dict[str, tuple[float, Outcome]] = field(default_factory=dict)
    cleared: dict[str, float] = field(default_factory=dict)
    pending: dict[str, Sweep] = field(default_factory=dict)
    closed: dict[str, Sweep] = field(default_factory=dict)
    calls: dict[str, Named] = field(default_factory=dict)
    proven: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(random.Random(self.seed))
        self._flying: list[tuple[int, int, Read, int, bool]] = []
        self._count = itertools.count()
        lags = {number: self.push_lag_s(number) for number in self.orders}
        pushes = [(self.orders[number].ended_s + lag, number) for number, lag in lags.items() if lag is not None]
        self._pushes = [(START_NS + round(at_s * SECOND), number) for at_s, number in sorted(pushes) if at_s < NEVER]

    @property
    def now_s(self) -> float:
        return (self.now - START_NS) / SECOND

    def sign(self, *symbols: str, snapshot: bool = True) -> None:
        for symbol in symbols:
            evidence = self.pending[symbol] = Sweep(symbol, bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
            evidence.signed(self.now, ms(self.now))
            self.inquiry.add(symbol, evidence, self.now, snapshot=snapshot)

    def answer(self, *symbols: str, stop_s: float | None = None) -> None:
        for symbol in symbols:
            self.pending[symbol].answered(Certainty.ACKED, self.now)
            stop_ns = None if stop_s is None else self.now + round(stop_s * SECOND)
            self.inquiry.answered(symbol, self.now, stop_ns=stop_ns)

    def usual(self, *symbols: str, snapshot: bool = True, stop_s: float | None = None) -> None:
        """Signed now, answered 50 ms later."""
        self.sign(*symbols, snapshot=snapshot)
        self.run(0.05)
        self.answer(*symbols, stop_s=stop_s)

    def usual_from(self, at_s: float, *symbols: str) -> None:
        """Signed then, answered 50 ms later."""
        self.run(at_s)
        self.sign(*symbols)
        self.run(at_s + 0.05)
        self.answer(*symbols)

    def call(self, key: str, *targets: Target) -> Named:
        """Commands on these orders are signed now."""
        evidence = self.calls[key] = Named(targets)
        for command in evidence.commands:
            command.signed(self.now, ms(self.now))
        self.inquiry.add(key, evidence, self.now)
        return evidence

    def replied(self, key: str, certainty: Certainty = Certainty.ACKED) -> None:
        """All of them are answered now, or it is known that none will come."""
        evidence = self.calls[key]
        for target in evidence.targets:
            target.certainty = certainty
            target.command.answered(certainty, self.now)
        self.inquiry.answered(key, self.now, at_once=certainty is not Certainty.ACKED)

    def run(self, until_s: float) -> None:
        """Let time pass; nothing happens between two events."""
        end = START_NS + round(until_s * SECOND)
        while True:
            wake = self.inquiry.wake_ns()
            moments = [self._flying[0][0]] if self._flying else []
            moments += [at_ns for at_ns, _ in self._pushes[:1]]
            if wake is not None:
                moments.append(max(wake, self.now))
            if not moments or min(moments) > end:
                self.now = end
                return
            self.now = min(moments)
            if self._pushes and self._pushes[0][0] <= self.now:
                self._push(self._pushes.pop(0)[1])
                continue
            if self._flying and self._flying[0][0] <= self.now:
                self._finish(*heapq.heappop(self._flying)[2:])
                continue
            for read in self.inquiry.due(self.now):
                self.reads.append((self.now_s, read))
                fails = self.fails(self.now_s, read)
                back = self.now + round(self.latency_s * SECOND * self._cost(read))
                heapq.heappush(self._flying, (back, next(self._count), read, self.now, fails))

    def _push(self, number: int) -> None:
        push = Push((self._row(number, "cancelled"),), self.now, ms(self.now))
        fed: dict[str, Sweep | Named] = {**self.pending, **self.calls}
        for key, evidence in fed.items():
            if evidence.saw_push(push):
                self._settle(key, evidence)
                if key in self.pending or key in self.calls:
                    self.inquiry.hinted(key, self.now)

    def _cost(self, read: Read) -> int:
        """Pages of a listing come one after the other."""
        if read.kind is not ReadKind.LISTING:
            return 1
        return 1 + len(self._open(read.symbol, self.now_s)) // 100

    def _open(self, symbol: str | None, at_s: float) -> list[Order]:
        return [
            self._row(number, "live")
            for number, order in sorted(self.orders.items(), reverse=True)
            if order.born_s <= at_s < order.ended_s and symbol in (None, order.symbol)
        ]

    def _row(self, number: int, status: str) -> Order:
        order = self.orders[number]
        ended = None if order.ended_s == NEVER else ms(START_NS + round(order.ended_s * SECOND))
        born = ms(START_NS + round(order.born_s * SECOND))
        return Order(
            order_id=str(number),
            symbol=order.symbol,
            client_oid=order.oid,
            status=OrderStatus(status),
            created_ms=born,
            updated_ms=ended if status == "cancelled" else None,
        )

    def _finish(self, read: Read, asked_ns: int, fails: bool) -> None:
        if fails:
            self.inquiry.failed(read, self.now, turned_away=self.banned)
            return
        at_s = (asked_ns - START_NS) / SECOND
        fed: dict[str, Sweep | Named] = {
            name: each for name, each in self.pending.items() if read.symbol in (None, name)
        }
        fed |= {key: each for key, each in self.calls.items() if read.symbol in (None, *each.symbols)}
        if read.kind is ReadKind.LISTING:
            rows = tuple(self._open(read.symbol, at_s - self.lag_s(at_s)))
            cut = [rows[start : start + 100] for start in range(0, len(rows) + 1, 100)]
            self.pages += len(cut)
            listing = Listing(read.symbol, asked_ns, ms(asked_ns), rows, complete(cut, 100))
            progress = [name for name, evidence in fed.items() if evidence.saw_listing(listing)]
            self.inquiry.done(read, self.now, listing=listing, progress=progress)
        else:
            page = self._page(read, asked_ns, at_s)
            self.pages += 1
            progress = [name for name, evidence in fed.items() if evidence.saw_page(page)]
            self.inquiry.done(read, self.now, page=page, progress=progress)
        for name, evidence in fed.items():
            self._settle(name, evidence)

    def _settle(self, name: str, evidence: Sweep | Named) -> None:
        if isinstance(evidence, Named):
            if evidence.settled:
                self.proven[name] = self.now_s
                self.inquiry.remove(name)
                del self.calls[name]
            return
        if evidence.cleared_ms is not None:
            self.cleared.setdefault(name, self.now_s)
        outcome = evidence.outcome()
        if outcome is not None:
            self.settled[name] = (self.now_s, outcome)
            self.inquiry.remove(name)
            self.closed[name] = self.pending.pop(name)

    def _told_s(self, order: Truth, single: bool) -> float:
        """From when on that read shows it ended."""
        if single and order.asked_s is not None:
            return order.asked_s
        return order.ended_s if single and self.prompt else order.told_s

    def _page(self, read: Read, asked_ns: int, at_s: float) -> Page:
        single = read.kind is ReadKind.ORDER
        rows = [
            self._row(number, "cancelled" if self._told_s(order, single) <= at_s else "live")
            for number, order in sorted(self.orders.items(), reverse=True)
            if (order.born_s <= at_s if single else order.told_s <= at_s)
            and read.symbol in (None, order.symbol)
            and (read.below is None or self.stuck or number < read.below)
            and (read.order_id is None or str(number) == read.order_id)
            and (read.client_oid is None or order.oid == read.client_oid)
        ][:100]
        source = "orderInfo" if single else "history-orders"
        asked = read.order_id or read.client_oid
        last = not single and len(rows) < 100
        return Page(source, read.symbol, asked_ns, ms(asked_ns), tuple(rows), read.below, last, asked=asked)

    def times(self, kind: ReadKind) -> list[float]:
        """When reads of that kind were made."""
        return [at_s for at_s, read in self.reads if read.kind is kind]

    @property
    def gaps(self) -> list[float]:
        """Seconds between one read and the next."""
        moments = sorted({at_s for at_s, _ in self.reads})
        return [later - at_s for at_s, later in itertools.pairwise(moments)]


def some(count: int, *symbols: str, first: int = 1_000, **truth: Any) -> dict[int, Truth]:
    """That many orders of each symbol."""
    made = {}
    for index, symbol in enumerate(symbols):
        for number in range(count):
            made[first + number * len(symbols) + index] = Truth(symbol, **truth)
    return made
