"""
What the demo's exchange has in store: orders, and everything that may go wrong between "taken" and "done".

A plan is made from a seed alone; `Stage` plays it at a simulated exchange. The client knows nothing of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bitget_async.sim import SYMBOLS, SimulatedExchange, WireCopy, faults
from bitget_async.sim import Settings as SimSettings

__all__ = ["MOST_SYMBOLS", "Part", "Stage", "plan", "settings"]

USDT_SYMBOLS = tuple(name for name, symbol in SYMBOLS.items() if symbol.quote == "USDT")
MOST_SYMBOLS = len(USDT_SYMBOLS)
COMMAND = "cancel-symbol-order"
# In this order: a demo of few symbols still has the most telling ones.
ROLES = ("", "lost", "survivor", "late", "late", "big", "nothing")


@dataclass(frozen=True, slots=True)
class Part:
    """
    What happens to one symbol.

    Attributes:
        orders: how many are open at the start.
        role: `lost` (executed, and the answer is dropped), `survivor` (the sweep misses an order), `late` (orders
            are placed after the sweep), `big` (many orders), `nothing` (no order is open), or `""`.
        fills: (index of the order, seconds after the answer, part of what is left) of each trade that races the sweep.
    """

    symbol: str
    orders: int
    role: str
    fills: tuple[tuple[int, float, Decimal | None], ...] = ()


def plan(seed: int, symbols: int) -> tuple[Part, ...]:
    """The parts for that many symbols; the same seed gives the same plan."""
    dice = random.Random(f"demo/{seed}")
    parts = []
    for index, symbol in enumerate(USDT_SYMBOLS[:symbols]):
        role = ROLES[index] if index < len(ROLES) else ""
        orders = {"big": 130, "nothing": 0}.get(role, dice.randint(12, 40))
        racing = [] if role == "survivor" else dice.sample(range(orders), min(orders, dice.randint(2, 6)))
        fills = [(each, dice.uniform(0.0, 0.6), Decimal("0.4") if dice.random() < 0.4 else None) for each in racing]
        parts.append(Part(symbol, orders, role, tuple(fills)))
    return tuple(parts)


def settings() -> SimSettings:
    """An exchange 10 to 60 ms away, which executes a command 0.2 to 0.8 s after its answer: slow enough to watch."""
    return SimSettings(request_latency_s=(0.005, 0.03), answer_latency_s=(0.005, 0.03), sweep_delay_s=(0.2, 0.8))


@dataclass(eq=False)
class Stage:
    """
    Plays a plan.

    Attributes:
        ids: symbol -> ids of the client's orders that are open at the start, oldest first.
        late: ids of the orders placed after the sweep.
        others: ids of the orders of another user.
    """

    exchange: SimulatedExchange
    parts: Sequence[Part]
    dice: random.Random
    ids: dict[str, list[str]] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def set_up(self) -> None:
        """Place the orders, and write the script of faults."""
        stranger = self.exchange.add_account()
        for part in self.parts:
            self.ids[part.symbol] = [self._rest(part.symbol) for _ in range(part.orders)]
            self.others += self.exchange.rest(part.symbol, 5, account=stranger)
            if part.role == "lost":
                self._fault(part.symbol, faults.drop(executed=True))
            if part.role == "survivor":
                self._fault(part.symbol, faults.executed_in_part((self.ids[part.symbol][-1],)))

    def taken(self, symbol: str) -> None:
        """The command of that symbol was answered: its trades begin to race the sweep."""
        part = next(part for part in self.parts if part.symbol == symbol)
        for index, after_s, share in part.fills:
            order_id = self.ids[symbol][index]
            amount = None if share is None else self._part_of(order_id, share)
            self.exchange.schedule_fill(order_id, after_s, amount)

    def tick(self) -> None:
        """Where a sweep is over and the plan says so, another bot of the account goes on and places new orders."""
        swept = {run.symbol for run in self.exchange.truth.executions}
        busy = {self.exchange.order(each).symbol for each in self.late}
        for part in self.parts:
            if part.role == "late" and part.symbol in swept - busy:
                self.late += [self._rest(part.symbol) for _ in range(2)]

    def _rest(self, symbol: str) -> str:
        market = SYMBOLS[symbol]
        side, factor = self.dice.choice((("buy", self.dice.uniform(0.9, 0.99)), ("sell", self.dice.uniform(1.01, 1.1))))
        step = Decimal(1).scaleb(-market.price_digits)
        price = max((market.last * Decimal(str(round(factor, 4)))).quantize(step), step)
        size = (Decimal(self.dice.randint(20, 200)) / market.last).quantize(Decimal(1).scaleb(-market.size_digits))
        size = max(size, Decimal(10).scaleb(-market.size_digits))
        return self.exchange.rest(symbol, side=side, price=price, size=size)[0]

    def _part_of(self, order_id: str, share: Decimal) -> Decimal:
        order = self.exchange.order(order_id)
        digits = SYMBOLS[order.symbol].size_digits
        return (order.draft.size * share).quantize(Decimal(1).scaleb(-digits))

    def _fault(self, symbol: str, fault: faults.Fault) -> None:
        def here(copy: WireCopy) -> bool:
            return f'"{symbol}"'.encode() in copy.body

        self.exchange.faults.add(COMMAND, fault, where=here)
