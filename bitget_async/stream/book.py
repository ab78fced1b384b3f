"""
One symbol's order book, kept from pushes. Pure: what cannot be right is not repaired here but said.

Source: https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel, read 2025-11-10.
"""

from __future__ import annotations

import enum
from collections import deque
from decimal import Decimal
from itertools import islice
from zlib import crc32

from sortedcontainers import SortedDict

from bitget_async.models import BookLevel, BookUpdate

__all__ = ["LocalBook", "Verdict", "checksum"]

# The checksum is made of so many levels a side.
CHECKED = 25
# The exchange's book has some hundred levels a side; levels that are never taken away end somewhere.
MOST_LEVELS = 20_000
REMEMBERED = 64

Texts = tuple[list[str], list[str]]


class Verdict(enum.Enum):
    """
    What became of an update.

    APPLIED: the book is as it says. OLD: it is in the book already; nothing changed. Any other: the book cannot be
    right any more and is empty until the next snapshot, which has to be asked for. NO_SNAPSHOT: none came yet. GAP: an
    update before this one is missing. CHECKSUM: the book is not the exchange's. UNREADABLE: the update cannot be read.
    TOO_LONG: it grew beyond any honest size.
    """

    APPLIED = "applied"
    OLD = "old"
    NO_SNAPSHOT = "no snapshot"
    GAP = "gap"
    CHECKSUM = "checksum"
    UNREADABLE = "unreadable"
    TOO_LONG = "too long"

    @property
    def needs_snapshot(self) -> bool:
        """Whether the symbol has to be subscribed anew."""
        return self is not Verdict.APPLIED and self is not Verdict.OLD


class _Side:
    """
    One side of a book. Sizes are found by the text of their price: most changes concern a price that is there, in the
    same spelling, and then nothing has to be sorted.
    """

    __slots__ = ("_falling", "_order", "_sizes")

    def __init__(self, *, falling: bool) -> None:
        self._falling = falling
        self._sizes: dict[str, str] = {}
        self._order: SortedDict[Decimal, str] = SortedDict()

    def __len__(self) -> int:
        return len(self._sizes)

    def clear(self) -> None:
        """Nothing is left."""
        self._sizes.clear()
        self._order.clear()

    def change(self, levels: tuple[BookLevel, ...]) -> None:
        """Change, add and take away."""
        sizes, order = self._sizes, self._order
        for level in levels:
            text, size = level.price_text, level.size_text
            if size.strip("0."):
                if text not in sizes:
                    self._add(text)
                sizes[text] = size
            elif text in sizes:
                del sizes[text], order[Decimal(text)]
            elif (other := order.pop(Decimal(text), None)) is not None:
                del sizes[other]

    def _add(self, text: str) -> None:
        price = Decimal(text)
        if price in self._order:
            # The same price in another spelling.
            del self._sizes[self._order[price]]
        self._order[price] = text

    def best(self) -> tuple[Decimal, BookLevel] | None:
        """The best price and its level."""
        if not self._sizes:
            return None
        price, text = self._order.peekitem(-1 if self._falling else 0)
        return price, BookLevel(text, self._sizes[text])

    def texts(self, most: int | None) -> Texts:
        """Prices and sizes, best first."""
        order = self._order
        prices = list(map(order.__getitem__, islice(reversed(order) if self._falling else iter(order), most)))
        return prices, list(map(self._sizes.__getitem__, prices))


class LocalBook:
    """
    An order book that follows a `books` channel: `apply` each update in the order in which it came. Reading copies
    nothing but what is returned.

    Args:
        symbol: exchange spelling. Updates of other symbols are the caller's mistake, and are not looked for.
    """

    __slots__ = ("_asks", "_bids", "_good", "_seen", "_seq", "_time_ms", "_verified", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._asks = _Side(falling=False)
        self._bids = _Side(falling=True)
        self._seen: deque[int] = deque(maxlen=REMEMBERED)
        self.reset()

    def __repr__(self) -> str:
        state = f"{len(self._asks)} asks, {len(self._bids)} bids" if self._good else "waits for a snapshot"
        return f"<LocalBook {self.symbol}: {state}>"

    @property
    def good(self) -> bool:
        """Whether it has a snapshot, and nothing since then speaks against it. While it is not, it is empty."""
        return self._good

    @property
    def verified(self) -> bool:
        """Whether the last update had a checksum that fits."""
        return self._verified

    @property
    def seq(self) -> int | None:
        """The exchange's number of this state; `None` where not told."""
        return self._seq

    @property
    def time_ms(self) -> int | None:
        """The exchange's time of this state; `None` where not told."""
        return self._time_ms

    @property
    def best_ask(self) -> BookLevel | None:
        """The lowest level that sells; `None` if nobody does."""
        best = self._asks.best()
        return None if best is None else best[1]

    @property
    def best_bid(self) -> BookLevel | None:
        """The highest level that buys; `None` if nobody does."""
        best = self._bids.best()
        return None if best is None else best[1]

    @property
    def mid(self) -> Decimal | None:
        """Half way between the best prices; `None` if one side is empty."""
        ask, bid = self._asks.best(), self._bids.best()
        return None if ask is None or bid is None else (ask[0] + bid[0]) / 2

    @property
    def spread(self) -> Decimal | None:
        """From the best bid up to the best ask; `None` if one side is empty."""
        ask, bid = self._asks.best(), self._bids.best()
        return None if ask is None or bid is None else ask[0] - bid[0]

    def asks(self, most: int | None = None) -> tuple[BookLevel, ...]:
        """Levels that sell, lowest first; all of them, or `most`."""
        return tuple(map(BookLevel, *self._asks.texts(most)))

    def bids(self, most: int | None = None) -> tuple[BookLevel, ...]:
        """Levels that buy, highest first; all of them, or `most`."""
        return tuple(map(BookLevel, *self._bids.texts(most)))

    def __len__(self) -> int:
        return len(self._asks) + len(self._bids)

    def reset(self) -> None:
        """Forget everything: after a new connection, whatever its first push says counts."""
        self._asks.clear()
        self._bids.clear()
        self._seen.clear()
        self._good = self._verified = False
        self._seq: int | None = None
        self._time_ms: int | None = None

    def apply(self, update: BookUpdate) -> Verdict:
        """Take an update, and say what became of it. Never raises for anything that a `BookUpdate` can hold."""
        if update.unreadable:
            return self._wrong(Verdict.UNREADABLE)
        whole = update.action == "snapshot"
        if self._good and self._is_old(update):
            return Verdict.OLD
        if whole:
            self.reset()
            self._good = True
        elif not self._good:
            return Verdict.NO_SNAPSHOT
        elif self._is_beyond(update):
            return self._wrong(Verdict.GAP)
        self._asks.change(update.asks or ())
        self._bids.change(update.bids or ())
        if len(self._asks) > MOST_LEVELS or len(self._bids) > MOST_LEVELS:
            return self._wrong(Verdict.TOO_LONG)
        # Snapshots have 0 here; whether any other value in one is of the same kind is nowhere said.
        told = 0 if whole else update.checksum
        if told and (told ^ self.checksum()) & 0xFFFFFFFF:
            return self._wrong(Verdict.CHECKSUM)
        self._verified = bool(told)
        self._time_ms = update.time_ms
        if update.seq is not None:
            self._seq = update.seq
            self._seen.append(update.seq)
        return Verdict.APPLIED

    def checksum(self) -> int:
        """The checksum of the book as it is, signed 32 bit: see `checksum`."""
        return _crc32(self._asks.texts(CHECKED), self._bids.texts(CHECKED))

    def _is_old(self, update: BookUpdate) -> bool:
        """
        Whether it is in the book already: it was applied, or it is older than a state that was proven by its checksum.
        A snapshot with a lower number and a later time is no old one: the exchange counts anew.
        """
        if update.seq is None or self._seq is None or update.seq > self._seq:
            return False
        later = update.time_ms is not None and self._time_ms is not None and update.time_ms > self._time_ms
        return not later and (update.seq in self._seen or self._verified or update.action == "snapshot")

    def _is_beyond(self, update: BookUpdate) -> bool:
        """Whether one before it is missing: it says which one it follows, or it comes after its successor."""
        if update.seq is None or self._seq is None:
            return False
        return update.seq <= self._seq or (update.pseq is not None and update.pseq > 0 and update.pseq != self._seq)

    def _wrong(self, verdict: Verdict) -> Verdict:
        self.reset()
        return verdict


def checksum(asks: tuple[BookLevel, ...], bids: tuple[BookLevel, ...]) -> int:
    """
    CRC32 of the best 25 levels of each side, signed 32 bit: bid, ask, bid, ask, ... as `price:size` in the exchange's
    own spelling, joined with `:`; where one side is shorter, the other goes on.
    """
    asks, bids = asks[:CHECKED], bids[:CHECKED]
    return _crc32(
        ([level.price_text for level in asks], [level.size_text for level in asks]),
        ([level.price_text for level in bids], [level.size_text for level in bids]),
    )


def _crc32(asks: Texts, bids: Texts) -> int:
    both = min(len(asks[0]), len(bids[0]))
    # By slices: this is made anew for each update of each book.
    texts = [""] * (4 * both)
    texts[::4], texts[1::4] = bids[0][:both], bids[1][:both]
    texts[2::4], texts[3::4] = asks[0][:both], asks[1][:both]
    for prices, sizes in (bids, asks):
        for pair in zip(prices[both:], sizes[both:], strict=True):
            texts += pair
    crc = crc32(":".join(texts).encode())
    return crc - (1 << 32) if crc >> 31 else crc
