"""
Which reads the tracker wants, and when.

A *listing* of the account when the stream is (back) up, another one `staleness_s` later, and one each 20 s. After each
a *sweep* of the history, from the top down to what the last one has seen and to what a listing before that has shown:
it finds orders that came and went unseen.
And for orders that are missing: orderInfo for up to three of them, a page of the history from the newest of them down
for more; each again after 0.2 s, doubling to a minute, for an hour.
"""

from __future__ import annotations

import random
from collections.abc import Set

import msgspec

from bitget_async.evidence import Listing, Page
from bitget_async.inquiry import Breaker, Read, ReadKind

__all__ = ["RELIST_NS", "Rounds"]

SECOND_NS = 1_000_000_000
RELIST_NS = 20 * SECOND_NS
# How late a finished order may turn up in the history to be found by a sweep.
HISTORY_LAG_MS = 60_000
# An order that is so much older than the answer of a listing, and open, stands in it.
LISTING_LAG_MS = 10_000
SWEEP_PAGES = 20
FEW = 3
MOST_ASKED = 5
FIRST_GAP_NS = SECOND_NS // 5
MOST_GAP_NS = 60 * SECOND_NS
GIVE_UP_NS = 3_600 * SECOND_NS


class _Ask(msgspec.Struct):
    """One missing order: since when, when to ask next, how often it was asked, whether an answer is awaited."""

    since_ns: int
    next_ns: int
    tries: int = 0
    out: bool = False


class _Sweep(msgspec.Struct):
    """One sweep: down to orders created at `floor_ms`; the next page begins `below`."""

    floor_ms: int
    below: int | None = None
    began_ms: int = 0
    pages: int = 0
    read: Read | None = None


class Rounds:
    """
    Told what was read, it says what to read.

    Args:
        staleness_ns: how old a listing may be when it is served.
        rng: jitter.
        breaker: shared with whoever else reads in the background; its own unless given.

    Attributes:
        connected_ns: since when pushes come; `None` while they do not.
        listed_ns: when the newest complete listing of the account was requested; `None` before the first.
    """

    def __init__(self, staleness_ns: int, rng: random.Random, breaker: Breaker | None = None) -> None:
        self.connected_ns: int | None = None
        self.listed_ns: int | None = None
        self._staleness_ns = staleness_ns
        self._rng = rng
        self._breaker = breaker or Breaker(rng)
        self._out = 0
        self._listing_ns: int | None = None
        self._listing_out = False
        self._sweep: _Sweep | None = None
        self._swept_ms = self._began_ms = 0
        self._listed_ms: list[int] = []
        self._asks: dict[str, _Ask] = {}
        self._page: tuple[Read, list[str]] | None = None

    # -- what happened ----------------------------------------------------------------------------------------

    def connected(self, now: int, now_ms: int) -> None:
        """Pushes come from now on."""
        if self._listing_ns is None:
            self._swept_ms = self._began_ms = now_ms
        self.connected_ns = self._listing_ns = now

    def disconnected(self) -> None:
        """They do not any more."""
        self.connected_ns = None

    def listed(self, listing: Listing) -> None:
        """A complete listing of the account was read, by whomever."""
        if self.listed_ns is not None and listing.requested_ns <= self.listed_ns:
            return
        self.listed_ns = listing.requested_ns
        self._listed_ms.append(listing.server_ms)
        if self._listing_ns is None or listing.requested_ns < self._listing_ns:
            # The watcher's: it says more than was asked for.
            return
        sure_ns = None if self.connected_ns is None else self.connected_ns + self._staleness_ns
        if sure_ns is not None and listing.requested_ns < sure_ns:
            self._listing_ns = sure_ns
        else:
            self._listing_ns = listing.requested_ns + round(RELIST_NS * self._rng.uniform(0.9, 1.0))
        if self._sweep is None:
            self._sweep = self._new_sweep()

    def done(self, read: Read, page: Page | None, now: int) -> None:
        """A read was answered; `page` is what it brought, `None` for a listing."""
        self._out -= 1
        self._breaker.answered(read.kind)
        if page is None:
            self._listing_out = False
        elif self._sweep is not None and read is self._sweep.read:
            self._swept(self._sweep, page)
        elif self._page is not None and read is self._page[0]:
            self._paged(self._page[1], page, now)
        else:
            self._asked([read.order_id or ""], now)

    def failed(self, read: Read, now: int, *, turned_away: bool) -> None:
        """A read brought nothing; with `turned_away` the exchange asked to wait."""
        self._out -= 1
        self._breaker.failed(read.kind, now, turned_away=turned_away)
        if read.kind is ReadKind.LISTING:
            self._listing_out = False
        elif self._sweep is not None and read is self._sweep.read:
            self._sweep.read = None
        elif self._page is not None and read is self._page[0]:
            self._page = None
        elif (ask := self._asks.get(read.order_id or "")) is not None:
            ask.out = False

    def unusable(self, now: int) -> None:
        """The listing was incomplete: it counts as one that failed, and only the listing is put off."""
        self._listing_ns = now + round(5 * SECOND_NS * self._rng.uniform(0.8, 1.0))

    def miss(self, missing: Set[str], now: int, *, soon_ns: int = 0) -> list[str]:
        """These orders are missing, and no others; those not known yet are asked for then. Returns whom to give up."""
        if self._asks.keys() != missing:
            fresh = [order_id for order_id in missing if order_id not in self._asks]
            if len(fresh) > FEW:
                # A sweep is due as well, and may bring all of them.
                soon_ns = max(soon_ns, SECOND_NS // 2)
            self._asks = {order_id: ask for order_id, ask in self._asks.items() if order_id in missing}
            self._asks |= {order_id: _Ask(now, now + soon_ns) for order_id in fresh}
        return [order_id for order_id, ask in self._asks.items() if now - ask.since_ns > GIVE_UP_NS]

    # -- what to read -----------------------------------------------------------------------------------------

    def due(self, now: int) -> list[Read]:
        """The reads to make now; each is to be told to `done` or `failed`, itself and not a copy."""
        if now < self._breaker.resume_ns or (self._breaker.probing and self._out):
            return []
        if not self._breaker.probing:
            reads = [*self._listings(now), *self._sweeps(), *self._looks(now)]
        elif self._breaker.suspect is ReadKind.LISTING:
            # Is it this read alone, or everybody? Another kind tells.
            self._sweep = self._sweep or self._new_sweep()
            reads = self._sweeps()
        else:
            reads = self._listings(now) or self._looks(now, 1) or self._sweeps()
        if reads:
            self._breaker.began(now)
        self._out += len(reads)
        return reads

    def wake_ns(self, now: int) -> int | None:
        """When to ask `due` again, after it was asked now, if nothing happens before; `None`: not at all."""
        if self._breaker.probing and self._out:
            return None
        # Those that are due and not asked for wait for an answer to others.
        full = self._page is not None or any(ask.out for ask in self._asks.values())
        moments = [ask.next_ns for ask in self._asks.values() if ask.next_ns > now or not full]
        if self._listing_ns is not None and not self._listing_out:
            moments.append(self._listing_ns)
        if self._sweep is not None and self._sweep.read is None:
            moments.append(now)
        return max(min(moments), self._breaker.resume_ns) if moments else None

    def _listings(self, now: int) -> list[Read]:
        if self._listing_out or self._listing_ns is None or now < self._listing_ns:
            return []
        self._listing_out = True
        return [Read(ReadKind.LISTING)]

    def _new_sweep(self) -> _Sweep:
        """
        Down to where an order that ended since the last sweep, or turned up in the history since, cannot be new to us:
        one that was created before the newest listing of before that stood in it, or had ended.
        """
        past = [each for each in self._listed_ms if each <= self._swept_ms - HISTORY_LAG_MS]
        self._listed_ms = [each for each in self._listed_ms if each >= max(past, default=0)]
        return _Sweep(max(past) - LISTING_LAG_MS if past else self._began_ms)

    def _sweeps(self) -> list[Read]:
        sweep = self._sweep
        if sweep is None or sweep.read is not None:
            return []
        sweep.read = Read(ReadKind.HISTORY, below=sweep.below)
        return [sweep.read]

    def _looks(self, now: int, most: int = MOST_ASKED) -> list[Read]:
        """For missing orders: pages for many, ids for few, and in turns where one of the two brings nothing."""
        due = [(order_id, ask) for order_id, ask in self._asks.items() if ask.next_ns <= now and not ask.out]
        if not due:
            return []
        many = len(due) > FEW
        paged = [(each, ask) for each, ask in due if (ask.tries % 2 == 0 if many else ask.tries % 3 == 2)]
        reads: list[Read] = []
        if paged and self._page is None:
            top = max(int(order_id) for order_id, _ in paged)
            read = Read(ReadKind.HISTORY, below=top + 1)
            self._page = (read, [order_id for order_id, _ in paged])
            reads.append(read)
        alone = [(each, ask) for each, ask in due if (each, ask) not in paged]
        free = most - (self._page is not None) - sum(ask.out for ask in self._asks.values())
        for order_id, ask in alone[: max(0, free)]:
            ask.out = True
            reads.append(Read(ReadKind.ORDER, order_id=order_id))
        return reads

    # -- answers ----------------------------------------------------------------------------------------------

    def _swept(self, sweep: _Sweep, page: Page) -> None:
        """One page of a sweep: it ends below its floor, at the end of the history, or after too many pages."""
        sweep.read = None
        sweep.pages += 1
        if sweep.below is None:
            sweep.began_ms = page.server_ms
        lowest = min(page.numbers, default=None)
        stuck = lowest is None or (sweep.below is not None and lowest >= sweep.below)
        deep = any(row.created_ms is not None and row.created_ms < sweep.floor_ms for row in page.rows)
        if page.last or stuck or deep or sweep.pages >= SWEEP_PAGES:
            self._swept_ms = max(self._swept_ms, sweep.began_ms)
            self._sweep = None
        else:
            sweep.below = lowest

    def _paged(self, wanted: list[str], page: Page, now: int) -> None:
        """A page for missing orders: those below its last row stay due."""
        self._page = None
        top, lowest = page.below or 0, min(page.numbers, default=0)
        reached = [each for each in wanted if page.last or lowest <= int(each)] if lowest < top else wanted
        self._asked(reached, now)

    def _asked(self, order_ids: list[str], now: int) -> None:
        for order_id in order_ids:
            if (ask := self._asks.get(order_id)) is not None:
                ask.out = False
                ask.tries += 1
                gap = min(FIRST_GAP_NS << min(ask.tries, 16), MOST_GAP_NS)
                ask.next_ns = now + round(gap * self._rng.uniform(0.75, 1.0))
