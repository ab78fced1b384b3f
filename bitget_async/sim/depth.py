"""
The true order books of the simulated exchange: what stands at which price, of the market and of all accounts together.

The standing market is 400 levels, a tick apart, around the last price. Stirred, its levels change at a rate; one
generator a symbol decides all of it, so that a book depends on the seed and the time, not on who looks when. Pure: no
I/O, no timers.
"""

from __future__ import annotations

import random
import zlib
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple, Protocol

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import SYMBOLS, Symbol
from bitget_async.sim.orders import ZERO, Fill, Order
from bitget_async.sim.settings import Dice, Settings
from bitget_async.sim.shelf import Shelf
from bitget_async.sim.timeline import Timeline

__all__ = ["CHECKED", "SIDES", "SPOILS", "Depth", "Depths", "Ladder", "Level", "Stand", "checksum", "price_text"]

SECOND_NS = 1_000_000_000
LEVELS = 200
CHECKED = 25
FIRST_SEQ = 1_000_000
# Of the changes that meet a level, those that take it away; a change that meets none always brings one.
TAKEN = 0.3
SIDES = ("sell", "buy")
SPOILS = ("loss", "checksum", "level")


class Stand(Protocol):
    """Where prices and orders come from: the venue."""

    timeline: Timeline
    price_hooks: list[Callable[[str, Decimal, int], None]]
    order_hooks: list[Callable[[Order, Fill | None], None]]

    @property
    def accounts(self) -> Mapping[str, Account]:
        """User id -> account."""

    def last(self, symbol: str) -> Decimal:
        """The last price."""

    def shelf(self, uid: str) -> Shelf:
        """The orders of an account."""


class Level(NamedTuple):
    """A price, and how much stands there."""

    price: Decimal
    size: Decimal


class Ladder:
    """One side of a book by ticks, best first. A key is the tick, for bids the negative one."""

    __slots__ = ("_keys", "_sign", "sizes")

    def __init__(self, side: str) -> None:
        self._sign = 1 if side == "sell" else -1
        self._keys: list[int] = []
        self.sizes: dict[int, Decimal] = {}

    def put(self, tick: int, size: Decimal) -> None:
        """Have that much at that tick; zero: nothing."""
        key, known = self._sign * tick, tick in self.sizes
        if size:
            self.sizes[tick] = size
            if not known:
                insort(self._keys, key)
        elif known:
            del self.sizes[tick]
            del self._keys[bisect_left(self._keys, key)]

    def best(self, count: int | None = None) -> list[tuple[int, Decimal]]:
        """Tick and size of the best levels: of that many at most."""
        sign, sizes = self._sign, self.sizes
        return [(sign * key, sizes[sign * key]) for key in self._keys[:count]]


class Depth:
    """
    The book of one symbol.

    Args:
        symbol: whose.
        stand: prices and orders.
        settings: `standing_market`.
        dice: decides the stirring.

    Attributes:
        sides: `sell` and `buy` -> ladder, true as of the last `look`.
        seq: grows with every change of a level.
        watchers: each gets every (side, tick) that changes; whoever put it there empties it.
        hooks: called with the time when the book may have changed, or its stirring has.
        spoils: what shall happen to how many of the next updates on the sockets, see `SPOILS`.
    """

    def __init__(self, symbol: Symbol, stand: Stand, settings: Settings, dice: random.Random) -> None:
        self.symbol = symbol
        self.sides = {side: Ladder(side) for side in SIDES}
        self.seq = FIRST_SEQ
        self.watchers: list[set[tuple[str, int]]] = []
        self.hooks: list[Callable[[int], None]] = []
        self.spoils: Counter[str] = Counter()
        self._stand = stand
        self._settings = settings
        self._dice = dice
        self._tick = Decimal(1).scaleb(-symbol.price_digits)
        self._lot = Decimal(1).scaleb(-symbol.size_digits)
        self._first = self._ticks(symbol.last, "sell")
        self._middle: int | None = None
        self._market: dict[str, dict[int, Decimal]] = {side: {} for side in SIDES}
        self._orders: dict[str, dict[int, Decimal]] = {side: {} for side in SIDES}
        self._begun_ns = 0
        self._rate = 0.0
        self._stirred = 0

    def stir(self, changes_per_s: float, now_ns: int) -> None:
        """Change so many levels a second from now on; 0: none any more."""
        self.look(now_ns)
        self._begun_ns, self._rate, self._stirred = now_ns, changes_per_s, 0
        self.tell(now_ns)

    def tell(self, now_ns: int) -> None:
        """Call the hooks."""
        for hook in list(self.hooks):
            hook(now_ns)

    def next_change_ns(self) -> int | None:
        """When the next level is stirred; `None`: never."""
        if not self._rate:
            return None
        return self._begun_ns + round((self._stirred + 1) / self._rate * SECOND_NS)

    def look(self, now_ns: int) -> None:
        """Bring the book up to that time; times never go back."""
        while (due_ns := self.next_change_ns()) is not None and due_ns <= now_ns:
            self._stirred += 1
            self._stir_once()
        self._follow_price()
        self._follow_orders()

    def levels(self, side: str, count: int | None = None) -> list[Level]:
        """The levels of a side, best first, as of the last `look`."""
        return [Level(tick * self._tick, size) for tick, size in self.sides[side].best(count)]

    def texts(self, side: str, count: int | None = None) -> list[list[str]]:
        """The same as the sockets spell it: with all decimals that the symbol has."""
        return [self.row(tick, size) for tick, size in self.sides[side].best(count)]

    def row(self, tick: int, size: Decimal) -> list[str]:
        """One level as the sockets spell it; a level that is gone has the size 0."""
        return [price_text(tick, self.symbol.price_digits), format(size, "f") if size else "0"]

    def _ticks(self, price: Decimal, side: str) -> int:
        """An order between two ticks is shown away from the other side."""
        return int((price / self._tick).to_integral_value(ROUND_CEILING if side == "sell" else ROUND_FLOOR))

    def _stir_once(self) -> None:
        if self._middle is None:
            return
        dice = self._dice
        side = SIDES[dice.getrandbits(1)]
        # Most changes are near the middle.
        distance = int(LEVELS * dice.random() ** 3)
        tick = self._middle + distance if side == "sell" else self._middle - 1 - distance
        taken, size = dice.random() < TAKEN, (1 + dice.getrandbits(20)) * self._lot
        if tick <= 0:
            return
        market = self._market[side]
        if taken and tick in market:
            del market[tick]
        else:
            market[tick] = size
        self._show(side, tick)

    def _follow_price(self) -> None:
        """Slide the market's levels; those that stay keep their sizes."""
        old = self._middle
        new = self._ticks(self._stand.last(self.symbol.name), "sell") if self._settings.standing_market else None
        if new == old:
            return
        self._middle = new
        for side in SIDES:
            was, now = _band(side, old), _band(side, new)
            market = self._market[side]
            for tick in was:
                if tick not in now:
                    market.pop(tick, None)
                    self._show(side, tick)
            for tick in now:
                if tick not in was:
                    market[tick] = self._usual(side, tick)
                    self._show(side, tick)

    def _usual(self, side: str, tick: int) -> Decimal:
        """What stands there unless it was stirred: decided by the tick alone."""
        number = tick - self._first if side == "sell" else self._first - 1 - tick
        return 1 + (number * 37 % 10_000) * self._lot

    def _follow_orders(self) -> None:
        found: dict[str, dict[int, Decimal]] = {side: {} for side in SIDES}
        for uid in self._stand.accounts:
            for order in self._stand.shelf(uid).open_now(self.symbol.name):
                draft = order.draft
                if draft.order_type == "limit":
                    tick = self._ticks(draft.price, draft.side)
                    at = found[draft.side]
                    at[tick] = at.get(tick, ZERO) + order.unfilled
        for side in SIDES:
            old, new = self._orders[side], found[side]
            if old != new:
                self._orders[side] = new
                for tick in old.keys() | new.keys():
                    self._show(side, tick)

    def _show(self, side: str, tick: int) -> None:
        ladder = self.sides[side]
        size = self._market[side].get(tick, ZERO) + self._orders[side].get(tick, ZERO)
        if size == ladder.sizes.get(tick, ZERO) or tick <= 0:
            return
        ladder.put(tick, size)
        self.seq += 1
        for watcher in self.watchers:
            watcher.add((side, tick))


class Depths:
    """
    The books of all symbols, each made on first use. Raises `KeyError` for an unknown one.

    Args:
        stand: prices and orders.
        settings: for the books.
        dice: gives each symbol its generator.
    """

    def __init__(self, stand: Stand, settings: Settings, dice: Dice) -> None:
        self._stand = stand
        self._settings = settings
        self._dice = dice
        self._books: dict[str, Depth] = {}

    def now(self, symbol: str) -> Depth:
        """The true book of a symbol, as it is now."""
        return self.at(symbol, self._stand.timeline.advance())

    def stir(self, symbol: str, changes_per_s: float) -> None:
        """Change so many of the market's levels a second from now on, most of them near the best; 0: none any more."""
        self.now(symbol).stir(changes_per_s, self._stand.timeline.now_ns)

    def spoil(self, symbol: str, what: str, times: int = 1) -> None:
        """
        Spoil the next updates of channel `books`, so many of them: `loss` (never sent), `checksum` (a wrong one) or
        `level` (it takes away a level that was never there). Raises `ValueError` for anything else.
        """
        if what not in SPOILS:
            raise ValueError(f"not one of {', '.join(SPOILS)}: {what}")
        self.now(symbol).spoils[what] += times

    def at(self, symbol: str, now_ns: int) -> Depth:
        """The true book of a symbol, as it is at that time."""
        book = self._books.get(symbol)
        if book is None:
            if not self._books:
                self._stand.price_hooks.append(self._price_moved)
                self._stand.order_hooks.append(self._order_changed)
            book = Depth(SYMBOLS[symbol], self._stand, self._settings, self._dice.of(f"depth/{symbol}"))
            self._books[symbol] = book
        book.look(now_ns)
        return book

    def _price_moved(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """What was stirred before concerned the price before."""
        if (book := self._books.get(symbol)) is not None:
            book.look(now_ns)
            book.tell(now_ns)

    def _order_changed(self, order: Order, fill: Fill | None) -> None:
        if (book := self._books.get(order.symbol)) is not None:
            book.tell(self._stand.timeline.now_ns)


def price_text(tick: int, digits: int) -> str:
    """A number of ticks with all its decimals."""
    if not digits:
        return str(tick)
    text = str(tick).zfill(digits + 1)
    return f"{text[:-digits]}.{text[-digits:]}"


def checksum(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> int:
    """
    CRC32, as a signed number, over the 25 best levels of each side in turn, `price:size` in the texts that were sent;
    when one side ends the other goes on.
    """
    parts = []
    for number in range(max(min(len(bids), CHECKED), min(len(asks), CHECKED))):
        parts += [
            f"{side[number][0]}:{side[number][1]}" for side in (bids[:CHECKED], asks[:CHECKED]) if number < len(side)
        ]
    value = zlib.crc32(":".join(parts).encode())
    return value - (1 << 32) if value >> 31 else value


def _band(side: str, middle: int | None) -> range:
    """The ticks of the market's levels around that one."""
    if middle is None:
        return range(0)
    return range(middle, middle + LEVELS) if side == "sell" else range(max(1, middle - LEVELS), middle)
