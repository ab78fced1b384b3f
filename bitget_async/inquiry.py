"""
Which reads would settle most for least: pure, given what is pending and the moment.

Every pending cancellation has a window in which its next look should happen: not before `from_ns`, not after
`until_ns`. When the first window closes, everybody whose window is open is served by the same reads:

    open orders      one listing of the whole account, or one a symbol, whichever is fewer pages
    finished orders  one history page of the account for several symbols, a page a symbol, or single ids

The rhythm of one cancellation: a snapshot at the signing; quick looks from 150-250 ms after the answer until a
listing is clear, for little more than a second; the deciding look, with the history, when a listing can no longer be
older than the signing; then ever slower, up to 5 s. Reads that fail slow everybody down, and twice as much each time.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import inf

from bitget_async.evidence import Evidence, Listing, Page

__all__ = ["Inquiry", "Read", "ReadKind"]

MS = 1_000_000
FIRST_LOOK = (150 * MS, 250 * MS)
QUICK_LOOK = (200 * MS, 290 * MS)
ALONE = 120 * MS
QUICK_FOR = 1_300 * MS
DECIDING_SLACK = 175 * MS
FIRST_GAP = 200 * MS
MOST_GAP = 5_000 * MS
BANNED_GAP = 30_000 * MS
PATIENCE = 3_000 * MS
PAGE_ROWS = 100
MOST_SINGLE = 3
MOST_IN_FLIGHT = 10
FEW_IN_FLIGHT = 3


class ReadKind(enum.Enum):
    """What is read."""

    LISTING = "listing"
    HISTORY = "history"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Read:
    """
    One read to make.

    Attributes:
        kind: LISTING (all pages of unfilled-orders), HISTORY (one page of history-orders), ORDER (orderInfo).
        symbol: the symbol, or `None` for the whole account.
        below: HISTORY: only ids below this one; `None` for the newest.
        order_id: ORDER: the id.
    """

    kind: ReadKind
    symbol: str | None = None
    below: int | None = None
    order_id: str | None = None


@dataclass(slots=True)
class _Look:
    """The next look of one cancellation, and how the last ones went."""

    evidence: Evidence
    from_ns: int
    until_ns: int
    gap_ns: int = FIRST_GAP
    stop_ns: int | None = None
    decided: bool = False
    own_page: bool = False
    stuck: int = 0

    def window(self, from_ns: int, slack_ns: int = 0) -> None:
        self.from_ns, self.until_ns = from_ns, from_ns + slack_ns


class Inquiry:
    """
    The looks of all pending cancellations of one client. Keys are whatever the caller has for them.

    Args:
        rng: jitter.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._looks: dict[Hashable, _Look] = {}
        self._in_flight: dict[Read, int] = {}
        self._failures = 0
        self._resume_ns = 0
        self._foreign_rows: int | None = None
        self._page_floor = 0

    def add(self, key: Hashable, evidence: Evidence, now: int, *, snapshot: bool) -> None:
        """A command was signed. With `snapshot` its orders are listed at once."""
        never = now + (1 << 62)
        look = self._looks[key] = _Look(evidence, never, never)
        if snapshot and evidence.last_listing_ns < 0:
            look.window(now)

    def answered(self, key: Hashable, now: int, *, stop_ns: int | None = None) -> None:
        """The answer came, or none will: looking begins. At `stop_ns` a look must happen."""
        look = self._looks[key]
        look.stop_ns = stop_ns
        low, high = FIRST_LOOK
        first = now + round(self._rng.uniform(low, high))
        look.window(first, high - low if len(self._looks) > 1 else 0)

    def urged(self, key: Hashable, now: int) -> None:
        """Something was done about its orders: look again soon, as after the answer."""
        look = self._looks.get(key)
        if look is not None:
            look.gap_ns = FIRST_GAP
            look.window(min(look.from_ns, now + FIRST_GAP), FIRST_GAP // 4)

    def resigned(self, key: Hashable) -> None:
        """The command was stamped again: what was decided before no longer is."""
        self._looks[key].decided = False

    def remove(self, key: Hashable) -> None:
        """It is settled."""
        self._looks.pop(key, None)

    def wake_ns(self) -> int | None:
        """When `due` has something next, or `None` while nothing is pending or enough is in flight."""
        if not self._looks or len(self._in_flight) >= MOST_IN_FLIGHT:
            return None
        return max(self._resume_ns, min(look.until_ns for look in self._looks.values()))

    def due(self, now: int) -> list[Read]:
        """The reads to start now; each must be followed by `done`."""
        at = self.wake_ns()
        if at is None or at > now:
            return []
        looks = [look for look in self._looks.values() if look.from_ns <= now]
        listed = [look for look in looks if self._wants_listing(look)]
        told = [look for look in looks if self._wants_history(look)]
        reads = [read for read in self._listings(listed) if not self._still_out(read, now, listed)]
        reads += [read for read in self._histories(told) if not self._still_out(read, now, [])]
        room = MOST_IN_FLIGHT - len(self._in_flight)
        postponed = {read.symbol for read in reads[room:]}
        del reads[room:]
        crowd = sum(not look.decided for look in listed)
        for look in looks:
            if look.evidence.symbol not in postponed:
                self._next(look, now, crowd)
        self._in_flight.update(dict.fromkeys(reads, now))
        return reads

    def done(
        self,
        read: Read,
        now: int,
        *,
        listing: Listing | None = None,
        page: Page | None = None,
        progress: Iterable[Hashable] = (),
    ) -> None:
        """
        A read was answered and its facts are in the evidence.

        Args:
            read: which.
            now: the moment.
            listing: the listing, if it was one.
            page: the page, if it was one.
            progress: keys of cancellations of which an order became final by it.
        """
        self._in_flight.pop(read, None)
        self._failures = 0
        if listing is not None and listing.symbol is None and listing.complete:
            mine = {look.evidence.symbol for look in self._looks.values()}
            self._foreign_rows = sum(row.symbol not in mine for row in listing.rows)
        if page is not None and page.symbol is None and page.below is None:
            self._page_floor = 0 if page.last else min(page.numbers, default=0)
        moved = set(progress)
        for key, look in self._looks.items():
            evidence = look.evidence
            if evidence.answered_ns is None:
                continue
            if not look.decided:
                if evidence.cleared_ms is not None:
                    self._await_deciding(look)
                continue
            if read.symbol not in (None, evidence.symbol):
                continue
            if look.from_ns - now > look.gap_ns:
                self._later(look, now, look.gap_ns)
            if page is not None:
                self._after_page(look, page, now, key in moved)
            elif evidence.clear_since_ns is not None and self._wants_history(look):
                look.window(now)

    def failed(self, read: Read, now: int, *, rate_limited: bool = False) -> None:
        """A read brought nothing: everybody slows down."""
        self._in_flight.pop(read, None)
        self._failures += 1
        most = BANNED_GAP if rate_limited and self._failures > 3 else MOST_GAP
        gap = min(FIRST_GAP << min(self._failures, 16), most)
        self._resume_ns = max(self._resume_ns, now + round(gap * self._rng.uniform(0.75, 1.0)))
        for look in self._looks.values():
            if look.evidence.answered_ns is None and look.evidence.last_listing_ns < 0:
                look.window(now)
            elif look.decided:
                look.window(min(look.from_ns, self._resume_ns))

    # -- wants ------------------------------------------------------------------------------------------------

    @staticmethod
    def _wants_listing(look: _Look) -> bool:
        evidence = look.evidence
        if evidence.answered_ns is None:
            return True
        return evidence.clear_since_ns is None

    @staticmethod
    def _wants_history(look: _Look) -> bool:
        evidence = look.evidence
        if evidence.answered_ns is None or look.from_ns < evidence.deciding_ns:
            return False
        if evidence.missing or not look.decided:
            return True
        return evidence.clear_since_ns is not None and not evidence.history_read

    # -- choices ----------------------------------------------------------------------------------------------

    def _listings(self, looks: list[_Look]) -> list[Read]:
        symbols = list(dict.fromkeys(look.evidence.symbol for look in looks))
        # At the same price the whole account is the better look: it tells all the others something too. But its
        # pages come one after the other, while those of several symbols come at once.
        pages, alone = self._account_pages(), len(self._looks) == 1
        if symbols and (len(symbols) > 2 * pages or (pages == 1 and not alone)):
            return [Read(ReadKind.LISTING)]
        return [Read(ReadKind.LISTING, symbol) for symbol in symbols]

    def _account_pages(self) -> float:
        """
        Pages of the whole account's listing: from the last one, and from what has become of our orders since.
        Not again while one of unknown or several pages is still being read, for each page waits for the last.
        """
        rows = self._foreign_rows or 0
        rows += sum(len(look.evidence.open_ids) for look in self._looks.values())
        pages = 1 + rows // PAGE_ROWS
        reading = Read(ReadKind.LISTING) in self._in_flight
        return inf if reading and (self._foreign_rows is None or pages > 1) else pages

    def _histories(self, looks: list[_Look]) -> list[Read]:
        """
        1. Several symbols that have not had a page yet, with few orders that are not too old: one page of the
           account.
        2. A symbol whose history is not read yet: its newest page, or the next one.
        3. One order missing, or pages that brought nothing: single ids.
        4. More missing: the page that begins with the newest of them.
        """
        reads: list[Read] = []
        fresh = [look for look in looks if self._on_account_page(look)]
        few = sum(len(look.evidence.missing) for look in fresh) <= PAGE_ROWS // 2
        if len({look.evidence.symbol for look in fresh}) > 1 and few:
            reads.append(Read(ReadKind.HISTORY))
            looks = [look for look in looks if look not in fresh]
        for look in looks:
            symbol, missing = look.evidence.symbol, look.evidence.missing
            if not look.evidence.history_read:
                reads.append(Read(ReadKind.HISTORY, symbol, below=look.evidence.history_below))
            elif not missing:
                continue
            elif len(missing) == 1 or look.stuck % 2:
                reads += [Read(ReadKind.ORDER, symbol, order_id=str(each)) for each in missing[:MOST_SINGLE]]
            else:
                reads.append(Read(ReadKind.HISTORY, symbol, below=missing[-1] + 1))
        return list(dict.fromkeys(reads))

    def _on_account_page(self, look: _Look) -> bool:
        """Whether the newest page of the account may do for this symbol, by what the last one reached down to."""
        oldest = look.evidence.oldest
        return (
            not look.own_page and not look.evidence.history_read and oldest is not None and oldest >= self._page_floor
        )

    def _still_out(self, read: Read, now: int, looks: list[_Look]) -> bool:
        """Whether the same read is on its way and young enough to wait for. Quick looks overlap on purpose."""
        started = self._in_flight.get(read)
        if started is None:
            return False
        quick = len(self._in_flight) <= FEW_IN_FLIGHT and any(
            not look.decided and read.symbol in (None, look.evidence.symbol) for look in looks
        )
        return now - started < (QUICK_LOOK[0] if quick else PATIENCE)

    # -- rhythm -----------------------------------------------------------------------------------------------

    def _next(self, look: _Look, now: int, crowd: int) -> None:
        """
        Set the window after a look at `now`, as if its answer brought nothing; `done` moves it when it does.

        1. Not answered yet: the answer sets it. 2. Quick looks while there is time. 3. The deciding look.
        4. Slower and slower, but not past the horizon.
        """
        evidence = look.evidence
        if evidence.answered_ns is None:
            look.window(now + (1 << 62))
            return
        if now < evidence.deciding_ns:
            # Where one read cannot serve all, many quick looks at once would only queue up behind their quota.
            low, high = QUICK_LOOK if self._account_pages() == 1 else (max(each, crowd * ALONE) for each in QUICK_LOOK)
            # Each quick look is one more chance to say "cleared"; one right before the deciding look is not.
            quick = now + high <= min(evidence.answered_ns + QUICK_FOR, evidence.deciding_ns)
            if evidence.cleared_ms is None and quick:
                look.window(now + low, high - low)
            else:
                self._await_deciding(look)
            return
        if look.decided:
            look.gap_ns = min(look.gap_ns * 2, MOST_GAP)
        else:
            look.decided, look.gap_ns = True, FIRST_GAP
        # The answers set the next look; this one is for the case that none comes.
        self._later(look, now, max(look.gap_ns, PATIENCE))

    def _later(self, look: _Look, now: int, gap_ns: int) -> None:
        """Look again after about that long, but not past the horizon or another moment at which a look is due."""
        gap = round(gap_ns * self._rng.uniform(0.7, 0.83))
        slack = gap // 5
        last = now + gap + slack
        stops = [stop for stop in (look.evidence.horizon_ns, look.stop_ns) if stop is not None and now < stop <= last]
        if stops:
            look.window(min(stops))
        else:
            look.window(now + gap, slack)

    def _await_deciding(self, look: _Look) -> None:
        """Look next at the deciding moment; with others about, a little later will do if it saves a read."""
        look.window(look.evidence.deciding_ns, DECIDING_SLACK if len(self._looks) > 1 else 0)

    def _after_page(self, look: _Look, page: Page, now: int, moved: bool) -> None:
        """Finished rows came in after the deciding look: if they helped, go on at once, else think again later."""
        evidence = look.evidence
        if page.symbol is None and evidence.paged_ns < page.requested_ns:
            # The account's page did not reach down to this symbol's orders.
            look.own_page = True
            look.window(now)
        elif (moved and evidence.missing) or evidence.history_below is not None:
            look.stuck = 0
            look.window(now)
        elif evidence.missing:
            look.stuck += 1
