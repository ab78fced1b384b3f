"""The choice among the reads: one planner for all pending commands of a client."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable
from math import inf

from bitget_async.evidence import Book, Listing, Named, Page, Sweep
from bitget_async.inquiry.breaker import FIRST_GAP, MOST_GAP, Breaker
from bitget_async.inquiry.looks import (
    EARLY_LOOK,
    MOST_SINGLE,
    PATIENCE,
    QUICK_LOOK,
    Hints,
    SweepLook,
)
from bitget_async.inquiry.named_looks import NamedLook
from bitget_async.inquiry.pace import PAGE_ROWS, Pace
from bitget_async.inquiry.reads import Read, ReadKind

__all__ = ["Inquiry"]

MOST_IN_FLIGHT = 10
FEW_IN_FLIGHT = 3
# With orders of more symbols to look for, the history is read for all of them together.
CROWD = 5
ACCOUNT_HISTORIES = 3
MOST_VAIN = 8
ACCOUNT = Read(ReadKind.LISTING)


class Inquiry:
    """
    The looks of all pending commands of one client. Keys are whatever the caller has for them.

    Reads that fail slow everybody down, and twice as much each time: see `Breaker`.

    Args:
        rng: jitter.
        breaker: shared with whoever else reads in the background; its own unless given.
    """

    def __init__(self, rng: random.Random, breaker: Breaker | None = None) -> None:
        self._rng = rng
        self._looks: dict[Hashable, SweepLook | NamedLook] = {}
        self._in_flight: dict[Read, int] = {}
        # Reads that were chosen when there was no room: they come first when there is.
        self._postponed: list[Read] = []
        self._breaker = breaker or Breaker(rng)
        self._foreign_rows: int | None = None
        self._page_floor = 0
        self._missed_ns = -MOST_GAP
        self._hints = Hints()
        # Pages of the account from a known id on that brought nothing, one after the other.
        self._account_vain = 0
        self._pace = Pace()

    def add(self, key: Hashable, evidence: Sweep | Named, now: int, *, snapshot: bool = False) -> None:
        """A command was signed. With `snapshot` the orders of its symbol are listed at once."""
        if isinstance(evidence, Named):
            self._looks[key] = NamedLook(self._rng, evidence=evidence)
            return
        look = self._looks[key] = SweepLook(self._rng, evidence=evidence, hints=self._hints)
        if not _apart(look):
            self._pace.joined(evidence.symbol)
        if snapshot and evidence.last_listing_ns < 0:
            look.window(now)

    def answered(self, key: Hashable, now: int, *, stop_ns: int | None = None, at_once: bool = False) -> int:
        """The answer came, or none will: looking begins; returns when. At `stop_ns` a look must happen."""
        look = self._looks[key]
        look.stop_ns = stop_ns
        if at_once:
            look.window(now)
        else:
            look.first(now, alone=self._alone)
        return self.hinted(key, now)

    def hinted(self, key: Hashable, now: int) -> int:
        """A push told that an order of it has ended: where that was the last one, look at once; returns when."""
        look = self._looks[key]
        if isinstance(look, SweepLook):
            look.hint(now, alone=self._alone)
        return look.until_ns

    def missed(self, now: int) -> None:
        """Pushes come again, and some may be missing. Not for each of many new connections that are soon lost."""
        if now - self._missed_ns >= MOST_GAP:
            self._missed_ns = now
            for look in self._looks.values():
                if isinstance(look, SweepLook):
                    look.missed(now)

    def urged(self, key: Hashable, now: int) -> None:
        """Something was done about its orders: look again soon, as after the answer."""
        look = self._looks.get(key)
        if look is not None:
            look.gap_ns = FIRST_GAP
            look.window(min(look.from_ns, now + FIRST_GAP), FIRST_GAP // 4)

    def resigned(self, key: Hashable) -> None:
        """The command was stamped again: what was decided before no longer is."""
        look = self._looks[key]
        if isinstance(look, SweepLook):
            look.decided = False

    def remove(self, key: Hashable) -> None:
        """It is settled."""
        look = self._looks.pop(key, None)
        if isinstance(look, SweepLook) and not _apart(look):
            self._pace.left(look.evidence.symbol)

    def wake_ns(self) -> int | None:
        """When `due` has something next, or `None` while nothing is pending or enough is in flight."""
        if not self._looks or len(self._in_flight) >= self._room:
            return None
        if self._postponed:
            return self._breaker.resume_ns
        looks = self._looks.values()
        if self._pace.shared:
            opens_ns = self._pace.opens_ns
            first_ns = min(max(look.until_ns, opens_ns) if _waits(look) else look.until_ns for look in looks)
        else:
            first_ns = min(look.until_ns for look in looks)
        return max(self._breaker.resume_ns, first_ns)

    @property
    def fresh_ns(self) -> int:
        """How old a listing of the account may be that serves as the snapshot of the next cancellation."""
        return self._pace.fresh_ns

    @property
    def retry_ns(self) -> int | None:
        """The next read while the exchange turns all of them away, else `None`."""
        return self._breaker.resume_ns if self._breaker.parked else None

    def due(self, now: int) -> list[Read]:
        """The reads to start now; each must be followed by `done` or `failed`."""
        at = self.wake_ns()
        if at is None or at > now:
            return []
        looks = [look for look in self._looks.values() if look.from_ns <= now]
        if self._pace.shared and now < self._pace.opens_ns:
            looks = [look for look in looks if not _waits(look)]
        sweeps = [look for look in looks if isinstance(look, SweepLook)]
        named = [look for look in looks if isinstance(look, NamedLook)]
        wanted = self._named_reads(named, now)
        listed = [look for look in sweeps if look.wants_listing]
        reads = [*self._listings(listed, wanted, now), *self._histories(sweeps, wanted)]
        reads += [read for read in wanted if read.kind is ReadKind.ORDER]
        reads = self._still_wanted() + reads
        reads = [read for read in dict.fromkeys(reads) if not self._still_out(read, now, listed, named)]
        if self._breaker.probing:
            reads = self._probe_first(reads)
        room = self._room - len(self._in_flight)
        # A look is done with when its reads are chosen: if it chose again each time that one of them was answered, the
        # first of them would be made for ever and the last never.
        self._postponed = reads[room:]
        del reads[room:]
        crowd = sum(not look.decided for look in listed)
        # Most turns only make what was postponed; counting the orders of thousands each time would cost more than that.
        pages = self._account_pages() if sweeps else 1
        for look in looks:
            if look.resumes(now):
                continue
            if isinstance(look, SweepLook):
                look.next(now, crowd, pages, alone=self._alone)
            else:
                look.next(now)
        self._in_flight.update(dict.fromkeys(reads, now))
        if ACCOUNT in reads:
            self._pace.began(now)
        if reads:
            self._breaker.began(now)
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
            progress: keys of the commands of whose orders something became known by it.
        """
        self._in_flight.pop(read, None)
        self._breaker.answered(read.kind)
        if read == ACCOUNT:
            self._pace.ended(len(listing.rows) if listing is not None and listing.complete else None)
        normal = read.book is Book.NORMAL
        if listing is not None and listing.symbol is None and listing.complete and normal:
            mine = {look.evidence.symbol for look in self._looks.values() if isinstance(look, SweepLook)}
            self._foreign_rows = sum(row.symbol not in mine for row in listing.rows)
        if page is not None and page.symbol is None and page.below is None and normal:
            self._page_floor = 0 if page.last else min(page.numbers, default=0)
        moved = set(progress)
        if page is not None and page.asked is None:
            if moved:
                self._account_vain = 0
            elif _on_account(read):
                self._account_vain += 1
        for key, look in self._looks.items():
            if isinstance(look, SweepLook):
                if listing is not None and listing.complete and read.symbol in (None, look.evidence.symbol):
                    look.listed(listing.requested_ns, now)
                look.told(read, page, now, moved=key in moved, alone=self._alone)
            else:
                look.told(read, page, now, moved=key in moved)

    def failed(self, read: Read, now: int, *, turned_away: bool = False) -> None:
        """A read brought nothing: everybody slows down. `turned_away`: the exchange asked to wait."""
        self._in_flight.pop(read, None)
        if read == ACCOUNT:
            self._pace.ended()
        self._breaker.failed(read.kind, now, turned_away=turned_away)
        # Everybody looks anew.
        self._postponed.clear()
        for look in self._looks.values():
            if isinstance(look, SweepLook):
                look.failed(now, self._breaker.resume_ns)
            else:
                look.failed(self._breaker.resume_ns)

    # -- choices ----------------------------------------------------------------------------------------------

    @property
    def _alone(self) -> bool:
        return len(self._looks) == 1

    @property
    def _room(self) -> int:
        """How many reads may be under way."""
        return 1 if self._breaker.probing else MOST_IN_FLIGHT

    def _still_wanted(self) -> list[Read]:
        """The postponed reads that somebody is left for. With thousands pending there may be thousands of both."""
        if not self._postponed:
            return []
        lists = {(look.book, symbol) for look in self._looks.values() for symbol in (None, *look.symbols)}
        return [read for read in self._postponed if (read.book, read.symbol) in lists]

    def _probe_first(self, reads: list[Read]) -> list[Read]:
        """These reads, and before them one of another kind than the one that was turned away."""
        suspect = self._breaker.suspect
        if suspect is None or not reads:
            return reads
        other = next((read for read in reads if read.kind is not suspect), None)
        if other is None:
            kind = ReadKind.LISTING if suspect is ReadKind.HISTORY else ReadKind.HISTORY
            look = next(iter(self._looks.values()))
            other = Read(kind, min(look.symbols), book=look.book)
        return [other, *(read for read in reads if read != other)]

    def _named_reads(self, looks: list[NamedLook], now: int) -> list[Read]:
        """What the commands on named orders want, each read for itself."""
        few = sum(look.single for look in looks) <= MOST_SINGLE
        crowd = self._crowd(looks)
        reads: list[Read] = []
        for look in looks:
            wants = look.wants(now, few=few, crowd=crowd)
            reads += [Read(ReadKind.LISTING, symbol, book=look.book) for symbol in wants.listings]
            reads += [Read(ReadKind.HISTORY, symbol, below=below, book=look.book) for symbol, below in wants.pages]
            reads += wants.orders
        return [*reads, *(self._account_histories() if crowd else ())]

    def _crowd(self, looks: list[NamedLook]) -> bool:
        """
        Whether orders of so many symbols are to be looked for that pages of the whole account are the better look; not
        where the last such pages brought nothing.
        """
        if not any(look.asks_history for look in looks) or self._account_vain >= MOST_VAIN:
            return False
        symbols: set[str] = set()
        for look in self._looks.values():
            if isinstance(look, NamedLook) and look.asks_history:
                symbols |= look.symbols
        return len(symbols) > CROWD

    def _account_histories(self) -> list[Read]:
        """
        Pages of the account's history, the first from the newest order that is looked for on, the others where the last
        would end if there were no other rows; of fewer orders evenly spread, for they lie apart. Not while such pages
        are on their way.
        """
        if any(_on_account(read) for read in self._in_flight):
            return []
        looks = (look for look in self._looks.values() if isinstance(look, NamedLook) and look.asks_history)
        missing = sorted({number for look in looks for number in look.missing}, reverse=True)
        step = min(PAGE_ROWS, -(-len(missing) // ACCOUNT_HISTORIES)) or 1
        return [Read(ReadKind.HISTORY, below=start + 1) for start in missing[::step][:ACCOUNT_HISTORIES]]

    def _listings(self, looks: list[SweepLook], wanted: list[Read], now: int) -> list[Read]:
        named = [read for read in wanted if read.kind is ReadKind.LISTING]
        apart = [read for read in named if read.book is not Book.NORMAL]
        apart += [Read(ReadKind.LISTING, each.evidence.symbol, book=each.book) for each in looks if _apart(each)]
        symbols = [look.evidence.symbol for look in looks if not _apart(look)]
        symbols = list(dict.fromkeys([*symbols, *(read.symbol or "" for read in named if read.book is Book.NORMAL)]))
        if not symbols:
            return apart
        # At the same price the whole account is the better look: it tells all the others something too. But its
        # pages come one after the other, while those of several symbols come at once.
        pages = self._account_pages()
        gathered = self._pace.shared and now >= self._pace.opens_ns
        if gathered or len(symbols) > 2 * pages or (pages == 1 and not self._alone):
            return [ACCOUNT, *apart]
        return [*(Read(ReadKind.LISTING, symbol) for symbol in symbols), *apart]

    def _account_pages(self) -> float:
        """
        Pages of the whole account's listing: from the last one, and from what has become of our orders since.
        Not again while one of unknown or several pages is still being read, for each page waits for the last.
        """
        rows = self._foreign_rows or 0
        rows += sum(len(look.evidence.open_ids) for look in self._looks.values() if isinstance(look, SweepLook))
        pages = 1 + rows // PAGE_ROWS
        reading = ACCOUNT in self._in_flight
        return inf if reading and (self._foreign_rows is None or pages > 1) else pages

    def _histories(self, sweeps: list[SweepLook], wanted: list[Read]) -> list[Read]:
        """One page of the account for several symbols that have few orders which are not too old; else each its own."""
        looks = [look for look in sweeps if look.wants_history]
        named = [read for read in wanted if read.kind is ReadKind.HISTORY]
        reads: list[Read] = []
        fresh = [look for look in looks if not _apart(look) and self._on_account_page(look)]
        few = sum(len(look.evidence.missing) for look in fresh) <= PAGE_ROWS // 2
        if len({look.evidence.symbol for look in fresh}) > 1 and few:
            reads.append(Read(ReadKind.HISTORY))
            looks = [look for look in looks if look not in fresh]
        for look in looks:
            reads += look.histories()
        return list(dict.fromkeys([*reads, *named]))

    def _on_account_page(self, look: SweepLook) -> bool:
        """Whether the newest page of the account may do for this symbol, by what the last one reached down to."""
        evidence = look.evidence
        oldest = evidence.oldest
        fresh = not look.own_page and not evidence.history_read and evidence.history_below is None
        return fresh and oldest is not None and oldest >= self._page_floor

    def _still_out(self, read: Read, now: int, listed: list[SweepLook], named: list[NamedLook]) -> bool:
        """
        Whether the same read is on its way and young enough to wait for. Quick looks overlap on purpose, and one that
        started before an answer cannot tell what the command did.
        """
        started = self._in_flight.get(read)
        if started is None:
            return False
        answers = [
            look.evidence.answered_ns or 0
            for look in named
            if read.book is look.book and (read.symbol is None or read.symbol in look.symbols)
        ]
        concerned = [look for look in listed if read.symbol in (None, look.evidence.symbol)]
        early = [look.early_ns for look in concerned if look.early_ns is not None]
        if read.kind is ReadKind.LISTING:
            answers += early
        if any(started < answered_ns for answered_ns in answers):
            return False
        quick = (
            read.kind is ReadKind.LISTING
            and len(self._in_flight) <= FEW_IN_FLIGHT
            and any(not look.decided for look in concerned)
        )
        return now - started < ((EARLY_LOOK if early else QUICK_LOOK[0]) if quick else PATIENCE)


def _on_account(read: Read) -> bool:
    """Whether it is a page of the account's history from a known id on."""
    return read.kind is ReadKind.HISTORY and read.symbol is None and read.below is not None


def _apart(look: SweepLook) -> bool:
    """Whether it reads other lists than those of normal orders."""
    return look.book is not Book.NORMAL


def _waits(look: SweepLook | NamedLook) -> bool:
    """Whether it can wait for a listing that many share; a snapshot cannot."""
    return (
        isinstance(look, SweepLook)
        and not _apart(look)
        and look.evidence.answered_ns is not None
        and look.evidence.clear_since_ns is None
    )
