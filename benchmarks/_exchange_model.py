"""
A cancellation by symbol as a pure model: when each of its orders ends in truth, and what each read of it shows.

No loop, no wire, no client: a draw of lags and faults, so that hundreds of thousands of cancellations take a minute.
Moments are seconds since the signing, on a clock that the exchange and the program share; what the program knows of the
exchange's clock is as wide as a round trip leaves it.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from bitget_async.evidence import Listing, Page
from bitget_async.models import OrderStatus

SYMBOL = "BTCUSDT"
DAY_ZERO_MS = 1_800_000_000_000
NEVER = math.inf
DEADLINE_S = 60.0
STALENESS_S = 2.0

LAGS = {
    "orders of a symbol": "1 to 4, up to an hour old; in three of ten cancellations the last one at most 1.5 s",
    "ended by itself": "5 % of the orders fill between 1 s before the signing and 3 s after it",
    "a way of a request": "10 to 80 ms",
    "the sweep": "at the answer in one of eight, else log-normal later (median 0.25 s, at most 8 s)",
    "its orders": "one after the other in up to 30 ms each, one in fifty up to 3 s later",
    "never executed": "1 % of the commands that were answered",
    "a listing": "0 to 0.3 s old; one in five up to 2 s",
    "the history": "an order's row comes 0.1 to 0.8 s after its end, one in ten up to 6 s",
    "failed reads": "5 %",
}


@dataclass(slots=True)
class Life:
    """One order: when it was made and ended, and when the history shows it."""

    order_id: str
    made_s: float
    ended_s: float
    told_s: float
    filled: bool


@dataclass(slots=True, frozen=True)
class Row:
    """An order as a read shows it."""

    order_id: str
    status: OrderStatus
    created_ms: int
    updated_ms: int
    client_oid: str = ""
    symbol: str = SYMBOL
    unreadable: tuple[str, ...] = ()


def ns(at_s: float) -> int:
    """A moment as monotonic nanoseconds."""
    return round((at_s + 10_000) * 1e9)


def ms(at_s: float) -> int:
    """A moment as the exchange's milliseconds."""
    return DAY_ZERO_MS + math.floor(at_s * 1000)


@dataclass(slots=True)
class Look:
    """What one look brought: each of its reads, or `None` where that failed."""

    answered_s: float
    listing: Listing | None
    page: Page | None


class Cancellation:
    """One draw."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.taken_s = self._way()
        self.answered_s = self.taken_s + self._way()
        delay_s = 0.0 if rng.random() < 0.125 else min(8.0, 0.25 * math.exp(rng.gauss(0.0, 0.9)))
        swept_s = NEVER if rng.random() < 0.01 else self.taken_s + delay_s
        self.orders: list[Life] = []
        count, young = rng.randint(1, 4), rng.random() < 0.3
        for number in range(count):
            made_s = -rng.uniform(0, 1.5) if young and number == count - 1 else -rng.uniform(1.5, 3600)
            swept_s += rng.uniform(0, 3.0) if rng.random() < 0.02 else rng.uniform(0, 0.03)
            filled_s = rng.uniform(-1, 3) if rng.random() < 0.05 else NEVER
            filled = made_s < filled_s < swept_s
            ended_s = filled_s if filled else swept_s
            lag_s = rng.uniform(0.8, 6.0) if rng.random() < 0.1 else rng.uniform(0.1, 0.8)
            self.orders.append(Life(str(10**18 + number), made_s, ended_s, ended_s + lag_s, filled))

    def _way(self) -> float:
        return self.rng.uniform(0.01, 0.08)

    @property
    def done_s(self) -> float:
        """When the last order that existed at the signing ended."""
        return max(order.ended_s for order in self.orders)

    def known(self, at_ns: int) -> tuple[int, int]:
        """What the program knows of the exchange's clock: bounds in milliseconds."""
        now_ms = DAY_ZERO_MS + at_ns / 1e6 - 10_000_000
        return math.floor(now_ms) - 12, math.ceil(now_ms) + 9

    def look(self, at_s: float, *, history: bool = True) -> Look:
        """Open orders, and with them a page of the history."""
        listing, last_s = self._listing(at_s)
        if not history:
            return Look(last_s, listing, None)
        page, told_s = self._page(at_s)
        return Look(max(last_s, told_s), listing, page)

    def _listing(self, at_s: float) -> tuple[Listing | None, float]:
        rng = self.rng
        served_s = at_s + self._way()
        lag_s = rng.uniform(0.3, STALENESS_S) if rng.random() < 0.2 else rng.uniform(0.0, 0.3)
        answered_s = served_s + self._way()
        if rng.random() < 0.05:
            return None, answered_s
        seen_s = served_s - lag_s
        rows = tuple(
            Row(order.order_id, OrderStatus.LIVE, ms(order.made_s), ms(order.made_s))
            for order in self.orders
            if order.made_s <= seen_s < order.ended_s
        )
        return Listing(SYMBOL, ns(at_s), ms(served_s), rows, complete=True), answered_s

    def _page(self, at_s: float) -> tuple[Page | None, float]:
        served_s = at_s + self._way()
        answered_s = served_s + self._way()
        if self.rng.random() < 0.05:
            return None, answered_s
        rows = tuple(
            Row(
                order.order_id,
                OrderStatus.FILLED if order.filled else OrderStatus.CANCELLED,
                ms(order.made_s),
                ms(order.ended_s),
            )
            for order in reversed(self.orders)
            if order.told_s <= served_s
        )
        return Page("history-orders", SYMBOL, ns(at_s), ms(served_s), rows, last=True), answered_s

    def moments(self) -> list[float]:
        """When looks begin: the client's own rhythm, the same for every rule."""
        rng = self.rng
        at_s = self.answered_s + rng.uniform(0.15, 0.35)
        found = []
        while at_s < self.answered_s + 1.3:
            found.append(at_s)
            at_s += rng.uniform(0.2, 0.29)
        at_s, gap_s = STALENESS_S + rng.uniform(0, 0.175), 0.2
        while at_s < DEADLINE_S:
            found.append(at_s)
            at_s += gap_s
            gap_s = min(5.0, 2 * gap_s)
        return found
