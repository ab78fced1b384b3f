"""
Which command goes when, so that the last one leaves as early as the quotas allow.

Three kinds of commands end normal orders, each with a quota of its own: one takes a whole symbol (5 a second), one
names up to 20 orders of any symbols (10 a second), one names a single order (10 a second). By the moment T the quotas
let through S(T), B(T) and C(T) of them. All can have left by T if, and only if,

    orders outside the S(T) symbols with the most of them  <=  20 B(T) + C(T) - orders that only C can end

for a symbol's command saves as many names as the symbol has orders, and a batch mixes symbols. The least such T is
found by bisection, and `plan` ends at it: it is the lower bound, for that number of tokens and that round trip.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import heapify, heapreplace
from itertools import takewhile

import msgspec

from bitget_async.evidence import Book
from bitget_async.models import StopCommand, StopPlan

__all__ = ["BATCH", "Quota", "Quotas", "Resting", "Stoppable", "bound_ns", "plan"]

BATCH = 20
SECOND_NS = 1_000_000_000
NAMES = {Book.NORMAL: "normal", Book.TPSL: "tpsl", Book.PLAN: "trigger"}


class Stoppable(msgspec.Struct, frozen=True):
    """
    An open order that is to end.

    Attributes:
        order_id, symbol: its names.
        exposure: price times what is left of the size, in quote coin, or `None`: then it counts as the largest.
        book: which list it stands in.
    """

    order_id: str
    symbol: str
    exposure: Decimal | None = None
    book: Book = Book.NORMAL


class Quota(msgspec.Struct, frozen=True):
    """
    What an endpoint lets through.

    Attributes:
        endpoint: the exchange's name of the call.
        ready_ns: one entry a token: when it is free, from now; 0 for now. Empty: the endpoint is not to be used.
        hold_ns: from the use of a token until it can be used again: the round trip, and a second after the answer.
    """

    endpoint: str
    ready_ns: tuple[int, ...]
    hold_ns: int = SECOND_NS

    def count(self, until_ns: int) -> int:
        """How many commands can have left by then."""
        hold = self.hold_ns
        return sum((until_ns - ready) // hold + 1 for ready in self.ready_ns if ready <= until_ns)

    def moments(self) -> Iterator[int]:
        """When the first command can leave, the second, and so on without end."""
        tokens = list(self.ready_ns)
        heapify(tokens)
        while tokens:
            yield tokens[0]
            heapreplace(tokens, tokens[0] + self.hold_ns)


class Quotas(msgspec.Struct, frozen=True):
    """What takes a whole symbol, what names many orders, and what names one; for normal and for trigger orders."""

    symbol: Quota
    batch: Quota
    single: Quota
    trigger_symbol: Quota
    trigger_single: Quota


Resting = Mapping[str, int]
"""Order id -> when it may be cancelled again, from now."""


class _Task(msgspec.Struct):
    """
    One list of orders, and the calls that end them.

    Attributes:
        whole: symbols that a command may take whole, those with the most orders first.
        named: orders that must be named, and may be named together.
        alone: orders that only a call of their own ends.
    """

    symbol: Quota
    batch: Quota
    single: Quota
    whole: list[list[Stoppable]] = msgspec.field(default_factory=list)
    named: list[Stoppable] = msgspec.field(default_factory=list)
    alone: list[Stoppable] = msgspec.field(default_factory=list)

    def bound_ns(self, growth: int = 1) -> int:
        """
        The least moment by which the last command can have left; 0 if there is nothing to do. With a `growth`, of a
        book so many times larger.
        """
        total = len(self.named) + sum(map(len, self.whole))
        taken = [0]
        for orders in self.whole:
            taken.append(taken[-1] + len(orders))

        def enough(until_ns: int) -> bool:
            singles = self.single.count(until_ns) - growth * len(self.alone)
            left = growth * (total - taken[min(self.symbol.count(until_ns), len(self.whole))])
            return singles >= 0 and left <= BATCH * self.batch.count(until_ns) + singles

        late = 1
        if not enough(0):
            while not enough(late):
                late *= 2
        low, high = -1, late if not enough(0) else 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return high

    def _whole_by(self, until_ns: int, growth: int) -> int:
        """How many symbols must be taken whole, those with the most orders first, so that all is gone by then."""
        room = BATCH * self.batch.count(until_ns) + self.single.count(until_ns) - growth * len(self.alone)
        left = len(self.named) + sum(map(len, self.whole))
        for place, orders in enumerate(self.whole):
            if growth * left <= room:
                return place
            left -= len(orders)
        return len(self.whole)

    def commands(self, growth: int) -> Iterator[StopCommand]:
        """
        The commands that end at the bound. Symbols are taken whole by all commands that can leave now, for such a one
        misses nothing, and by as many later ones as the bound needs: names leave sooner. With a `growth`, as many as a
        book so many times larger will need, and the others are named symbol by symbol: an order that was named before
        its symbol is taken whole is a name wasted.
        """
        until_ns = self.bound_ns(growth)
        whole = self._whole_by(until_ns, growth)
        taken, left = _spread(self.whole, max(self.symbol.count(0), whole))
        taken.sort(key=_largest_first)
        for orders, at_ns in zip(taken, self.symbol.moments(), strict=False):
            yield _command(self.symbol, at_ns, orders, whole=True)
        named = _in_turn([*self.named, *(each for orders in left for each in orders)], together=growth > 1)
        singles = self.single.moments()
        for order, at_ns in zip(sorted(self.alone, key=_exposed_first), singles, strict=False):
            yield _command(self.single, at_ns, [order])
        # At the same moment a batch goes first: it takes more.
        slots = [(at_ns, BATCH) for at_ns in takewhile(lambda each: each <= until_ns, self.batch.moments())]
        slots += [(at_ns, 1) for at_ns in takewhile(lambda each: each <= until_ns, singles)]
        start = 0
        for at_ns, most in sorted(slots, key=lambda each: (each[0], -each[1])):
            if start == len(named):
                break
            some = named[start : start + most]
            start += len(some)
            yield _command(self.single if most == 1 else self.batch, at_ns, some)


def plan(
    orders: Iterable[Stoppable],
    quotas: Quotas,
    *,
    by_id: Collection[str] | None = (),
    resting: Resting | None = None,
    kept: int = 0,
    growth: int = 1,
) -> StopPlan:
    """
    The commands that end these orders.

    Args:
        orders: what is open and is to end; each id counts once.
        quotas: what is free in each bucket, and when it is free again.
        by_id: symbols of which no command may take the whole; `None`: all of them.
        resting: ids that must not be cancelled yet: they are left out, and named.
        kept: known orders that are left alone, for the record.
        growth: how many times larger the book may be than what is known of it.

    Returns:
        The plan: no id twice, the largest exposure of each endpoint first; and without growth, nothing ends later than
        need be.
    """
    unique = {(each.book is Book.PLAN, each.order_id): each for each in orders}
    rests = {} if resting is None else resting
    waiting = {each.symbol for each in unique.values() if each.order_id in rests}
    todo = [each for each in unique.values() if each.order_id not in rests]
    # A symbol's command would take those that rest, too.
    blocked = None if by_id is None else {*by_id, *waiting}
    commands = [each for task in _tasks(todo, quotas, blocked) for each in task.commands(growth)]
    commands.sort(key=lambda each: each.leaves_s)
    return StopPlan(
        commands=tuple(commands),
        last_leaves_s=max((each.leaves_s for each in commands), default=0.0),
        orders=len(todo),
        kept=kept,
        resting=tuple(each.order_id for each in unique.values() if each.order_id in rests),
    )


def bound_ns(orders: Iterable[Stoppable], quotas: Quotas, *, by_id: Collection[str] | None = ()) -> int:
    """The least moment, from now, by which the last command that ends these orders can have left."""
    return max((task.bound_ns() for task in _tasks(list(orders), quotas, by_id)), default=0)


def _tasks(orders: Sequence[Stoppable], quotas: Quotas, by_id: Collection[str] | None) -> list[_Task]:
    """One for normal and tpsl orders, which share a call, and one for trigger orders."""
    normal = _Task(quotas.symbol, quotas.batch, quotas.single)
    trigger = _Task(quotas.trigger_symbol, Quota("", ()), quotas.trigger_single)
    for task, book in ((normal, Book.NORMAL), (trigger, Book.PLAN)):
        symbols: dict[str, list[Stoppable]] = {}
        for each in orders:
            if each.book is not book:
                continue
            if by_id is None or each.symbol in by_id:
                task.named.append(each)
            else:
                symbols.setdefault(each.symbol, []).append(each)
        task.whole = sorted(symbols.values(), key=lambda each: (-len(each), *_largest_first(each)))
    normal.alone = [each for each in orders if each.book is Book.TPSL]
    return [task for task in (normal, trigger) if task.whole or task.named or task.alone]


def _spread(whole: list[list[Stoppable]], most: int) -> tuple[list[list[Stoppable]], list[list[Stoppable]]]:
    """
    The symbols to take whole, and the others: those with the most orders. Those at the
    border that have equally many are chosen from the whole range of exposures: both parts are worked off at the same
    time, the largest first.
    """
    if most >= len(whole):
        return list(whole), []
    if most == 0:
        return [], list(whole)
    border = len(whole[most - 1])
    more = [orders for orders in whole if len(orders) > border]
    equal = [orders for orders in whole if len(orders) == border]
    want = most - len(more)
    chosen = {place * len(equal) // want for place in range(want)}
    taken = more + [orders for place, orders in enumerate(equal) if place in chosen]
    left = [orders for place, orders in enumerate(equal) if place not in chosen]
    return taken, left + [orders for orders in whole if len(orders) < border]


def _command(quota: Quota, at_ns: int, orders: Sequence[Stoppable], *, whole: bool = False) -> StopCommand:
    return StopCommand(
        endpoint=quota.endpoint,
        leaves_s=at_ns / 1e9,
        symbols=tuple(sorted({each.symbol for each in orders})),
        order_ids=() if whole else tuple(each.order_id for each in orders),
        orders=len(orders),
        exposure=_exposure(orders),
        book=NAMES[orders[0].book],
    )


def _in_turn(orders: Iterable[Stoppable], *, together: bool) -> list[Stoppable]:
    """By exposure, the largest first; `together`: those of a symbol one after the other."""
    turn = sorted(orders, key=_exposed_first)
    if not together:
        return turn
    symbols: dict[str, list[Stoppable]] = {}
    for each in turn:
        symbols.setdefault(each.symbol, []).append(each)
    return [each for mine in sorted(symbols.values(), key=_largest_first) for each in mine]


def _exposed_first(order: Stoppable) -> tuple[bool, Decimal, str]:
    """By exposure, the largest first; one that is not known may be larger still."""
    return order.exposure is not None, -(order.exposure or Decimal(0)), order.order_id


def _largest_first(orders: Sequence[Stoppable]) -> tuple[bool, Decimal, str]:
    exposure = _exposure(orders)
    return exposure is not None, -(exposure or Decimal(0)), orders[0].symbol


def _exposure(orders: Sequence[Stoppable]) -> Decimal | None:
    """Of all of them together."""
    known = [each.exposure for each in orders if each.exposure is not None]
    return sum(known, Decimal(0)) if len(known) == len(orders) else None
