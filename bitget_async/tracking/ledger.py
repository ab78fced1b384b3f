"""The orders: rows in, in any order and any number of times; the open ones, the missing ones and the news out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import msgspec

from bitget_async.evidence import Listing, id_number
from bitget_async.models import Order, OrderStatus, OrderUpdate

__all__ = ["NEVER_MS", "Known", "Ledger", "changed_ms"]

NEVER_MS = -1
ZERO = Decimal(0)
RANKS = {OrderStatus.LIVE: 1, OrderStatus.PARTIALLY_FILLED: 2}
# Orders that ended: who hears of one again, from a late push or from the history, must not take it for news.
REMEMBERED = 4096
# Unknown texts of one order at one filled amount: the exchange has no reason to send more.
MOST_TEXTS = 8


def changed_ms(row: Order) -> int | None:
    """When the order became what the row shows, by the row's own word."""
    return row.created_ms if row.updated_ms is None else row.updated_ms


class Known(msgspec.Struct):
    """
    An order that is not known to be final.

    Attributes:
        symbol: of the order.
        order: as last told, never an older state than before.
        source: what told it.
        open_ms: the newest moment for which it was shown open.
        volume, rank: how far it is: filled amount, and `live` before `partially_filled`.
        told: texts of its status that were told at this amount.
    """

    symbol: str
    order: Order
    source: str
    open_ms: int = NEVER_MS
    volume: Decimal = ZERO
    rank: int = 0
    told: tuple[str, ...] = ()

    def advance(self, row: Order, source: str) -> bool:
        """
        Take in a row that is not final; returns whether it is news. A state that lies behind the known one is none: it
        comes late. A time alone is none either: reads and pushes need not agree on it to the millisecond.
        """
        volume = self.volume if row.base_volume is None else row.base_volume
        rank = RANKS.get(row.status, self.rank)
        if volume < self.volume or rank < self.rank:
            return False
        text = row.status.value
        known = volume == self.volume and text in self.told
        if known and not self._modified(row):
            if not _older(row, self.order):
                self.order, self.source = row, source
            return False
        self.told = (text,) if volume > self.volume else (*self.told, *(() if known else (text,)))[-MOST_TEXTS:]
        self.order, self.source, self.volume, self.rank = row, source, volume, rank
        return True

    def _modified(self, row: Order) -> bool:
        mine, its = changed_ms(self.order), changed_ms(row)
        if mine is None or its is None or its <= mine:
            return False
        return _differ(self.order.price, row.price) or _differ(self.order.size, row.size)


class Ledger:
    """
    All orders of the account that are not final, and the last few thousand that ended.

    Args:
        staleness_ms: how old a listing, or the answer of orderInfo, may be when it is served.
        odd: told what should not be.

    Attributes:
        since_ms: when pushes first came: what no push told of then, and did not change since, is no news.
        floor_ms: of the newest listing of the account; 0 before the first.
        missing: ids of orders that are neither final nor known to be open.
    """

    def __init__(self, staleness_ms: int, odd: Callable[[str], None]) -> None:
        self.since_ms = 0
        self.floor_ms = 0
        self.missing: set[str] = set()
        self._staleness_ms = staleness_ms
        self._odd = odd
        self._floors: dict[str, int] = {}
        self._known: dict[str, Known] = {}
        self._of: dict[str, dict[str, Known]] = {}
        self._ended: dict[str, int] = {}
        self._forgotten_ms = NEVER_MS

    # -- facts ------------------------------------------------------------------------------------------------

    def pushed(self, row: OrderUpdate, now_ms: int) -> OrderUpdate | None:
        """A push of one order; returns it if it is news."""
        return self._saw(row, row.source, _shown_ms(row, now_ms) if row.status.open else NEVER_MS, pushed=True)

    def listed(self, listing: Listing, now_ms: int) -> list[OrderUpdate]:
        """A complete listing of the account or of a symbol; returns what is news in it."""
        told_ms = min(listing.server_ms, now_ms)
        floor, news = told_ms - self._staleness_ms, []
        for row in listing.rows:
            # Whatever the status, the exchange counts it among the open ones.
            if isinstance(row, Order):
                news.append(self._saw(row, listing.source, max(floor, _shown_ms(row, told_ms))))
        if listing.symbol is None:
            self.floor_ms = max(self.floor_ms, floor)
            self._floors = {symbol: each for symbol, each in self._floors.items() if each > self.floor_ms}
        elif floor > self.floor_of(listing.symbol):
            self._floors[listing.symbol] = floor
        concerned = self._known if listing.symbol is None else self._of.get(listing.symbol, {})
        for order_id, known in concerned.items():
            self._sort(order_id, known)
        return [each for each in news if each is not None]

    def looked_up(self, rows: Iterable[object], source: str, told_ms: int) -> list[OrderUpdate]:
        """Whole rows of orderInfo or of the history, told at that time; returns what is news in them."""
        news = []
        for row in rows:
            if isinstance(row, Order):
                shown = _shown_ms(row, told_ms) if row.status.open else NEVER_MS
                if row.status.open and source == "orderInfo":
                    shown = max(shown, told_ms - self._staleness_ms)
                news.append(self._saw(row, source, shown))
        return [each for each in news if each is not None]

    def has_ended(self, order_id: str) -> bool:
        """Whether that order has ended, so that no row of it can be news."""
        return order_id in self._ended

    def expect(self, order: Order) -> bool:
        """An order was placed and nothing is known of it yet; returns whether that is so. It must be heard of."""
        if id_number(order.order_id) is None or order.order_id in self._known or order.order_id in self._ended:
            return False
        self._add(order, "client")
        self.missing.add(order.order_id)
        return True

    def give_up(self, order_id: str) -> None:
        """Nobody tells what became of it."""
        self._drop(order_id)

    # -- what follows -----------------------------------------------------------------------------------------

    def floor_of(self, symbol: str) -> int:
        """The oldest moment that the newest listing of the symbol can show; 0 before the first."""
        return max(self.floor_ms, self._floors.get(symbol, 0))

    def open_of(self, symbol: str) -> Iterator[Known]:
        """Those that count as open, oldest known first."""
        return (known for order_id, known in self._of.get(symbol, {}).items() if order_id not in self.missing)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols with open orders, in alphabetical order."""
        return tuple(sorted(symbol for symbol in self._of if any(True for _ in self.open_of(symbol))))

    # -- inside -----------------------------------------------------------------------------------------------

    def _saw(self, row: Order, source: str, open_ms: int, *, pushed: bool = False) -> OrderUpdate | None:
        order_id, changed = row.order_id, changed_ms(row)
        if id_number(order_id) is None:
            self._odd("an order came without an id")
            return None
        if order_id in self._ended:
            return None
        known = self._known.get(order_id)
        # Which of the orders before that moment were known to have ended is forgotten: only what is open now counts.
        if known is None and open_ms < self.floor_of(row.symbol) and (row.created_ms or 0) <= self._forgotten_ms:
            return None
        old = known is None and not pushed and changed is not None and changed < self.since_ms
        if row.status.final:
            self._end(row)
            return None if old else _told(row, source)
        if known is None:
            known = self._add(row, source)
        news = known.advance(row, source)
        known.open_ms = max(known.open_ms, open_ms)
        self._sort(order_id, known)
        return _told(row, source) if news and not old else None

    def _add(self, row: Order, source: str) -> Known:
        known = Known(row.symbol, row, source)
        self._known[row.order_id] = known
        self._of.setdefault(row.symbol, {})[row.order_id] = known
        return known

    def _drop(self, order_id: str) -> Known | None:
        known = self._known.pop(order_id, None)
        self.missing.discard(order_id)
        if known is not None:
            same = self._of[known.symbol]
            del same[order_id]
            if not same:
                del self._of[known.symbol]
        return known

    def _end(self, row: Order) -> None:
        known = self._drop(row.order_id)
        created = row.created_ms if known is None or known.order.created_ms is None else known.order.created_ms
        self._ended[row.order_id] = created or 0
        if len(self._ended) > REMEMBERED:
            self._forgotten_ms = max(self._forgotten_ms, self._ended.pop(next(iter(self._ended))))

    def _sort(self, order_id: str, known: Known) -> None:
        if known.open_ms >= self.floor_of(known.symbol) and known.open_ms != NEVER_MS:
            self.missing.discard(order_id)
        else:
            self.missing.add(order_id)


def _shown_ms(row: Order, told_ms: int) -> int:
    """The moment for which a row shows an open order: by its own word, but not later than it was told."""
    changed = changed_ms(row)
    return NEVER_MS if changed is None else min(changed, told_ms)


def _told(row: Order, source: str) -> OrderUpdate:
    return row if isinstance(row, OrderUpdate) else OrderUpdate.of(row, source)


def _older(row: Order, other: Order) -> bool:
    mine, its = changed_ms(row), changed_ms(other)
    return mine is not None and its is not None and mine < its


def _differ(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether both are told and not the same; 0 is how some sources leave out what does not apply."""
    return bool(one) and bool(other) and one != other
