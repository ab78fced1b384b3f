"""
The consistency cross: one cancellation for each way in which an exchange can show its orders late, judged by the truth.

Lag x replicas x orders x age x fill x late order: 2520 points, each a client and a simulated exchange of its own in
virtual time. `covering` picks some of them so that every pair of values is met.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bitget_async import CancellationReport, Fate, Outcome, Scope
from bitget_async.clock import VirtualClock
from bitget_async.sim import Order, Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual

__all__ = ["AXES", "Point", "Verdict", "covering", "every", "play"]

BTC = "BTCUSDT"
SIZE = Decimal("0.0010")
DAY_S = 86_400.0
NEVER = math.inf
SECOND_NS = 1_000_000_000
# Rounding to the exchange's milliseconds.
SLACK_NS = 2_000_000
# Within this a listing of one page is read.
ONE_PAGE_NS = 100_000_000
AXES: dict[str, tuple[Any, ...]] = {
    "lag_s": (0.0, 0.5, 2.0, 10.0, NEVER),
    "replicas": (1, 2),
    "orders": (0, 1, 99, 100, 101, 250, 1000),
    "age_s": (1.0, 3600.0, 5 * DAY_S, 91 * DAY_S),
    "fill": ("no", "part", "full"),
    "late": ("no", "same client", "other process"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """
    One point of the cross.

    Attributes:
        lag_s: from an order's end to its row in the history and in orderInfo; listings lag as much, up to 2 s.
        replicas: how many servers answer listings, each with a view of its own.
        orders: how many are open at the call.
        age_s: of those.
        fill: whether some of them are filled, in part or in full, around the signing.
        late: who places another order around the signing.
    """

    lag_s: float
    replicas: int
    orders: int
    age_s: float
    fill: str
    late: str

    @property
    def seed(self) -> str:
        """Decides all draws of this point."""
        return "/".join(str(getattr(self, name)) for name in AXES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one point came to: the outcome, what is wrong with it (nothing, as a rule), and what it cost."""

    point: Point
    outcome: str
    wrong: tuple[str, ...]
    settled_s: float
    requests: int


def every() -> Iterator[Point]:
    """All 2520 points."""
    return (Point(*values) for values in itertools.product(*AXES.values()))


@lru_cache(maxsize=1)
def covering(seed: int, share: float) -> tuple[Point, ...]:
    """
    Points that meet every pair of values at least once, and that share of all others, drawn with the seed. A thousand
    orders that no page shows cost as much as hundreds of other points: they are met in the pairs only.
    """
    dice = random.Random(seed)
    points = {point: set(_pairs(point)) for point in dice.sample(list(every()), 2520)}
    left = set().union(*points.values())
    chosen: dict[Point, None] = {}
    while left:
        best = max(points, key=lambda point: len(points[point] & left))
        chosen[best] = None
        left -= points[best]
    cheap = [point for point in points if point.orders < 1000 or point.age_s < 90 * DAY_S]
    chosen |= dict.fromkeys(dice.sample(cheap, round(share * len(points))))
    return tuple(chosen)


def _pairs(point: Point) -> Iterator[tuple[tuple[str, Any], ...]]:
    return itertools.combinations([(name, getattr(point, name)) for name in AXES], 2)


def play(point: Point, *, debug: bool = False) -> Verdict:
    """One cancellation at that point, and the judgement of its report."""
    return run_virtual(lambda: _Case(point).run(), debug=debug)


class _Case:
    def __init__(self, point: Point) -> None:
        self.point = point
        self.dice = random.Random(point.seed)
        settings = Settings(
            request_latency_s=(0.005, 0.03),
            answer_latency_s=(0.005, 0.03),
            listing_lag_s=(0.0, min(point.lag_s, 2.0)),
            history_lag_s=point.lag_s,
            order_info_lag_s=point.lag_s,
            replicas=point.replicas,
            most_open_orders=2_000,
        )
        clock = VirtualClock()
        self.exchange = SimulatedExchange(self.dice.getrandbits(32), clock=clock, settings=settings, keep_headers=False)

    async def run(self) -> Verdict:
        point = self.point
        async with self.exchange as exchange, client_of(exchange, rng=random.Random(point.seed)) as client:
            ids = exchange.rest(BTC, point.orders, age_s=point.age_s, size=SIZE)
            self._fill(ids)
            late = self._late(client)
            # By id alone, three at a time, 1000 orders take their time; pages of the history take none.
            alone = point.age_s > 90 * DAY_S and point.orders > 250
            pending = await client.cancel_symbol_orders(BTC, confirm_within_s=400.0 if alone else 60.0)
            report = await pending.settled()
            settled_ns = round(asyncio.get_running_loop().time() * 1e9)
            if late is not None:
                await late
            course: Any = pending._course
            signed_ns = course.sweep.signed_ns
            wrong = tuple(self._wrong(report, signed_ns, settled_ns))
            requests = exchange.truth.count()
        return Verdict(point, report.outcome.value, wrong, (settled_ns - signed_ns) / SECOND_NS, requests)

    def _fill(self, ids: list[str]) -> None:
        """A third of the orders, at most fifty: filled in part before or during the sweep, or in full during it."""
        some = self.dice.sample(ids, min(50, -(-len(ids) // 3)))
        for order_id in some if self.point.fill != "no" else ():
            after_s = self.dice.uniform(0.0, 0.25)
            if self.point.fill == "full":
                self.exchange.schedule_fill(order_id, after_s)
            elif self.dice.random() < 0.5:
                self.exchange.fill(order_id, SIZE * self.dice.randrange(1, 10) / 10)
            else:
                self.exchange.schedule_fill(order_id, after_s, SIZE * self.dice.randrange(1, 10) / 10)

    def _late(self, client: Any) -> asyncio.Task[Any] | None:
        """Another order, from just before the signing to a second after it."""
        after_s = self.dice.choice((0.0, 0.01, self.dice.uniform(0.0, 0.1), self.dice.uniform(0.0, 1.5)))
        if self.point.late == "other process":
            self.exchange.schedule_order(BTC, after_s, source="WEB", size=SIZE)
        if self.point.late != "same client":
            return None
        fence = self.dice.random() < 0.5

        async def place() -> None:
            await asyncio.sleep(after_s)
            _ = await client.place_order(BTC, "buy", "limit", SIZE, price="2000", fence=fence)

        return asyncio.create_task(place())

    # -- judging ----------------------------------------------------------------------------------------------

    def _wrong(self, report: CancellationReport, signed_ns: int, settled_ns: int) -> Iterator[str]:
        """All that is false in the report."""
        mine = {order.order_id: order for order in self.exchange.truth.orders.values()}
        due = [order for order in mine.values() if order.created_ns <= signed_ns]
        done = all(order.final_ns is not None and order.final_ns <= settled_ns for order in due)
        if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL) and not done:
            yield "false confirmation: an order was open"
        if report.outcome is Outcome.STILL_OPEN:
            yield "false failure: STILL_OPEN, and nothing was kept from being cancelled"
        if report.outcome is Outcome.UNKNOWN:
            if report.reason != "vanished":
                yield f"UNKNOWN for a reason that was not there: {report.reason}"
            if self.point.lag_s < NEVER:
                yield "false failure: UNKNOWN, and every row could be read"
        elif self.point.lag_s == NEVER and report.outcome is Outcome.CONFIRMED:
            yield "false confirmation: no final row was ever shown"
        told = {fate.order.order_id: fate for fate in report.orders}
        missing = [order for order in due if order.order_id not in told and self._must_be_told(order, signed_ns)]
        if missing:
            yield f"{len(missing)} orders that existed at the signing are not in the report"
        for fate in report.orders:
            yield from self._wrong_fate(fate, mine[fate.order.order_id], signed_ns, settled_ns)

    def _must_be_told(self, order: Order, signed_ns: int) -> bool:
        """
        Whether anything shows it. A listing does, unless it lags behind the order's creation; and then the history,
        unless the order is too old for that: then the one listing beside the command must have come before its end.
        """
        listed = order.created_ns <= signed_ns - round(min(self.point.lag_s, 2.0) * SECOND_NS)
        kept = self.point.age_s < 90 * DAY_S and self.point.lag_s < NEVER
        seen = order.final_ns is None or order.final_ns > signed_ns + ONE_PAGE_NS
        return listed and (kept or (seen and self.point.orders < 100))

    @staticmethod
    def _wrong_fate(fate: Any, order: Order, signed_ns: int, settled_ns: int) -> Iterator[str]:
        if fate.scope is Scope.LATE and order.created_ns <= signed_ns - SLACK_NS:
            yield f"{order.order_id}: LATE, and it was there at the signing"
        if fate.scope is Scope.IN and order.created_ns > signed_ns + SLACK_NS:
            yield f"{order.order_id}: claimed, and it was created after the signing"
        if fate.fate in (Fate.CANCELLED, Fate.FILLED):
            if order.final_ns is None or order.final_ns > settled_ns or order.status != fate.fate.value:
                yield f"{order.order_id}: {fate.fate.name}, and in truth {order.status}"
            if (fate.order.base_volume, fate.order.quote_volume) != (order.filled, order.filled_quote):
                yield f"{order.order_id}: filled {fate.order.base_volume}, and in truth {order.filled}"
