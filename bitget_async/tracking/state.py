"""The tracker's mind: facts in; the open orders, how sure that is, the next reads and the news out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from bitget_async.evidence import Book, Listing, Page
from bitget_async.inquiry import Breaker, Read
from bitget_async.models import Order, OrderUpdate
from bitget_async.tracking.ledger import Known, Ledger
from bitget_async.tracking.rounds import RELIST_NS, Rounds
from bitget_async.tracking.sureness import Sureness, TrackedOrder

__all__ = ["Tracking"]

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
# What a listing may take, with its repeats, before the set counts as stale.
PATIENCE_NS = 8 * SECOND_NS


class Tracking:
    """
    The open orders of one account. `now` is monotonic ns; `now_ms` is the exchange's time at it: no word of the
    exchange counts for later than that, or one wrong stamp would outlive all that comes after it.

    Args:
        staleness_s: how old a listing, or the answer of orderInfo, may be when it is served.
        rng: jitter.
        odd: told what should not be.
        breaker: shared with whoever else reads in the background; its own unless given.
    """

    def __init__(
        self, staleness_s: float, rng: random.Random, odd: Callable[[str], None], breaker: Breaker | None = None
    ) -> None:
        self._staleness_ns = round(staleness_s * SECOND_NS)
        self._ledger = Ledger(round(staleness_s * 1_000), odd)
        self._rounds = Rounds(self._staleness_ns, rng, breaker)
        self._odd = odd
        self.begun = False

    @property
    def within_ns(self) -> int:
        """What is shown under LIVE and LISTED is open, or ended at most so long ago."""
        return RELIST_NS + PATIENCE_NS + self._staleness_ns

    # -- facts ------------------------------------------------------------------------------------------------

    def connected(self, now: int, now_ms: int) -> None:
        """Pushes come from now on; what was before may have been missed."""
        if not self.begun:
            self.begun = True
            self._ledger.since_ms = now_ms
        self._rounds.connected(now, now_ms)

    def disconnected(self) -> None:
        """None come any more."""
        self._rounds.disconnected()

    def pushed(self, updates: Sequence[OrderUpdate], now: int, now_ms: int) -> list[OrderUpdate]:
        """Pushes, in the order of their coming; returns those that are news."""
        news = [self._ledger.pushed(each, now_ms) for each in updates]
        self._miss(now)
        return [each for each in news if each is not None]

    def placed(self, order: Order, now: int, now_ms: int) -> None:
        """This client has placed an order: it is asked for if nobody tells of it."""
        if self.begun and self._ledger.expect(order):
            self._miss(now, soon_ns=self._staleness_ns)

    def listed(self, listing: Listing, now: int, now_ms: int) -> list[OrderUpdate]:
        """A listing of the account or of one symbol, made by whomever; returns what is news."""
        if not self.begun or not listing.complete or listing.book is not Book.NORMAL:
            return []
        news = self._ledger.listed(listing, now_ms)
        if listing.symbol is None:
            self._rounds.listed(listing)
        self._miss(now)
        return news

    def looked_up(self, page: Page, now: int, now_ms: int) -> list[OrderUpdate]:
        """A page of the history, or an answer of orderInfo, asked by whomever; returns what is news."""
        if not self.begun or page.book is not Book.NORMAL:
            return []
        rows = (page.whole(row) for row in page.rows if not self._ledger.has_ended(row.order_id))
        news = self._ledger.looked_up(rows, page.source, min(page.server_ms, now_ms))
        self._miss(now)
        return news

    def done(self, read: Read, fact: Listing | Page, now: int, now_ms: int) -> list[OrderUpdate]:
        """A read that was wanted brought that; returns what is news."""
        if isinstance(fact, Page):
            news = self.looked_up(fact, now, now_ms)
            self._rounds.done(read, fact, now)
            return news
        self._rounds.done(read, None, now)
        if not fact.complete:
            self._odd("an open listing was incomplete and was not used")
            self._rounds.unusable(now)
        return self.listed(fact, now, now_ms)

    def failed(self, read: Read, now: int, *, turned_away: bool) -> None:
        """A read that was wanted brought nothing; with `turned_away` the exchange asked to wait."""
        self._rounds.failed(read, now, turned_away=turned_away)

    def _miss(self, now: int, soon_ns: int = 0) -> None:
        for order_id in self._rounds.miss(self._ledger.missing, now, soon_ns=soon_ns):
            self._odd(f"nobody tells what became of order {order_id}")
            self._ledger.give_up(order_id)

    # -- what to read -----------------------------------------------------------------------------------------

    def due(self, now: int) -> list[Read]:
        """The reads to make now; each is to be told to `done` or `failed`."""
        return self._rounds.due(now)

    def wake_ns(self, now: int) -> int | None:
        """When to ask `due` again, after it was asked now, if nothing happens before; `None`: not at all."""
        return self._rounds.wake_ns(now)

    # -- answers ----------------------------------------------------------------------------------------------

    def sureness(self, now: int, now_ms: int) -> Sureness:
        """See there."""
        listed_ns, connected_ns = self._rounds.listed_ns, self._rounds.connected_ns
        if listed_ns is None:
            return Sureness.UNKNOWN
        # By our clock, and by the exchange's: an answer may be an old copy.
        age_ns = max(now - listed_ns + self._staleness_ns, (now_ms - self._ledger.floor_ms) * MS_NS)
        if age_ns > self.within_ns:
            return Sureness.STALE
        if connected_ns is None or listed_ns < connected_ns + self._staleness_ns:
            return Sureness.LISTED
        return Sureness.LIVE

    @property
    def as_of_ms(self) -> int | None:
        """What the newest listing does not show was not open at this moment (exchange ms); `None` before the first."""
        return self._ledger.floor_ms or None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols with open orders, in alphabetical order."""
        return self._ledger.symbols

    @property
    def missing(self) -> int:
        """How many orders are not known to be open and not known to have ended."""
        return len(self._ledger.missing)

    def of(self, symbol: str, now: int, now_ms: int) -> tuple[TrackedOrder, ...]:
        """The open orders of a symbol, oldest id first."""
        sureness = self.sureness(now, now_ms)
        found = sorted(self._ledger.open_of(symbol), key=lambda known: int(known.order.order_id))
        return tuple(_tracked(known, now_ms, sureness) for known in found)

    def snapshot(self, symbol: str, now: int, now_ms: int) -> tuple[Order, ...] | None:
        """The open orders of a symbol, if that is LIVE."""
        if self.sureness(now, now_ms) is not Sureness.LIVE:
            return None
        return tuple(known.order for known in self._ledger.open_of(symbol))


def _tracked(known: Known, now_ms: int, sureness: Sureness) -> TrackedOrder:
    age_s = max(0, now_ms - known.open_ms) / 1_000
    return TrackedOrder(known.order, known.open_ms, age_s, known.source, sureness)
