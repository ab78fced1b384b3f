"""
What the next look after a command on named orders wants to read, and when it comes.

The first look at the same time after the answer as after a sweep's, at once if there was none; then ever slower, up to
5 s; and one at the moment from which on a read can prove the contrary.
"""

from __future__ import annotations

import msgspec

from bitget_async.evidence import Book, Certainty, Named, Page, Target, Want, id_number
from bitget_async.inquiry.breaker import FIRST_GAP, MOST_GAP
from bitget_async.inquiry.looks import MOST_AT_LAST, MOST_SINGLE, NEVER, Look
from bitget_async.inquiry.reads import Read, ReadKind

__all__ = ["NamedLook", "Wants"]


class Wants(msgspec.Struct):
    """What a look wants to read: symbols to list, history pages as (symbol, below), and single orders."""

    listings: list[str] = msgspec.field(default_factory=list)
    pages: list[tuple[str, int | None]] = msgspec.field(default_factory=list)
    orders: list[Read] = msgspec.field(default_factory=list)


class NamedLook(Look, eq=False, kw_only=True):
    """Looking after a command that names its orders."""

    evidence: Named

    @property
    def book(self) -> Book:
        """Whose lists it reads."""
        return self.evidence.book

    @property
    def symbols(self) -> frozenset[str]:
        """Whose rows it needs."""
        return self.evidence.symbols

    @property
    def single(self) -> int:
        """How many orders it could ask for one by one; many where it cannot."""
        return len(self.evidence.left) if self.book is Book.NORMAL else 0

    @property
    def asks_history(self) -> bool:
        """Whether it reads the history for orders that it knows by their ids."""
        evidence = self.evidence
        return self.book is Book.NORMAL and evidence.answered_ns is not None and evidence.named

    @property
    def missing(self) -> list[int]:
        """Ids that are known of orders of which nothing is proven."""
        numbers = (id_number(target.order_id) for target in self.evidence.left if target.order_id is not None)
        return [number for number in numbers if number is not None]

    def wants(self, now: int, *, few: bool, crowd: bool = False) -> Wants:
        """
        What to read at `now`; with `few` orders wanted by all together, they are asked for one by one. In a `crowd` the
        history of known ids is read for all together, by whoever asks.
        """
        wants = Wants()
        of: dict[str, list[Target]] = {}
        for target in self.evidence.left:
            of.setdefault(target.symbol, []).append(target)
        crowd = crowd and self.asks_history
        for symbol, mine in of.items():
            hidden = [target for target in mine if self._floor_ns(target) <= now]
            self._absences(wants, symbol, hidden)
            self._presences(wants, symbol, [each for each in mine if each not in hidden], now, few=few, crowd=crowd)
        return wants

    def _floor_ns(self, target: Target) -> int:
        """From when on reads that do not show it prove something, or `NEVER`."""
        if self.book is not Book.NORMAL:
            return NEVER
        if target.earlier is not None:
            return target.command.deciding_ns
        lost = target.want is Want.PRESENT and target.certainty is Certainty.MAYBE
        return target.over_ns if lost and target.client_oid else NEVER

    def _absences(self, wants: Wants, symbol: str, hidden: list[Target]) -> None:
        """All reads that could still show them."""
        if not hidden:
            return
        floor = max(self._floor_ns(target) for target in hidden)
        if any(target.listed_ns < self._floor_ns(target) for target in hidden):
            wants.listings.append(symbol)
        if any(target.paged_ns < self._floor_ns(target) for target in hidden):
            wants.pages.append((symbol, self.evidence.history_below(symbol, floor)))
        wants.orders += [_order(target) for target in hidden if target.asked_ns < self._floor_ns(target)]

    def _presences(self, wants: Wants, symbol: str, mine: list[Target], now: int, *, few: bool, crowd: bool) -> None:
        """
        1. Few: one by one. 2. What may be open: the listing. 3. What may have ended: the history from the newest of
        them on, and where that brought nothing, some one by one.
        """
        if few and self.book is Book.NORMAL:
            wants.orders += [_order(target) for target in mine]
            return
        if any(self._may_be_open(target, now) for target in mine):
            wants.listings.append(symbol)
        gone = [] if crowd else [target for target in mine if self._may_have_ended(target)]
        if gone and self.book is Book.NORMAL and self.stuck % 3 == 2:
            # Others each time, and more: those at the front may be what nobody knows, and the history may never come.
            turn = self.stuck // 3
            start = sum(min(MOST_SINGLE * (each + 1), MOST_AT_LAST) for each in range(turn)) % len(gone)
            some = (*gone[start:], *gone[:start])[: min(MOST_SINGLE * (turn + 1), MOST_AT_LAST)]
            wants.orders += [_order(target) for target in some]
        elif gone:
            numbers = [None if each.order_id is None else id_number(each.order_id) for each in gone]
            known = [number for number in numbers if number is not None]
            wants.pages.append((symbol, max(known) + 1 if len(known) == len(gone) else None))

    @staticmethod
    def _may_be_open(target: Target, now: int) -> bool:
        """
        Whether a listing would tell something: of an order that is to exist, until one cannot be too old to show it; of
        one that is to end, what its id is, or that it is still open.
        """
        if now >= target.over_ns:
            return max(target.listed_ns, target.open_ns) < target.over_ns
        return (target.want is not Want.FINAL or target.order_id is None) and (
            max(target.listed_ns, target.shown_ns) < target.command.deciding_ns
        )

    @staticmethod
    def _may_have_ended(target: Target) -> bool:
        """Whether the history would tell something."""
        return target.listed_ns >= 0 or (target.want is Want.FINAL and target.order_id is not None)

    def next(self, now: int) -> None:
        """Set the window after a look at `now`: slower and slower, but not past a moment that can prove something."""
        if self.evidence.answered_ns is None:
            self.window(now + NEVER)
            return
        self.later(now, self.gap_ns, [self.evidence.next_over_ns(now)])
        self.gap_ns = min(self.gap_ns * 2, MOST_GAP)
        self.stuck += 1

    def told(self, read: Read, page: Page | None, now: int, *, moved: bool) -> None:
        """A read was answered: where its page goes on, go on at once; where it helped, look again soon."""
        evidence = self.evidence
        concerns = read.symbol in (None, *evidence.symbols) and read.book is self.book
        if evidence.answered_ns is None or not concerns or not evidence.left:
            return
        history = page is not None and page.asked is None
        if page is not None and history and (self._goes_on(page, now) or (moved and not page.last)):
            self.window(now)
            if moved:
                self.stuck = 0
        elif moved:
            if read.kind is not ReadKind.ORDER:
                self.stuck = 0
            elif self.stuck % 3 == 0:
                # One by one is what helps: so again.
                self.stuck += 2
            self.gap_ns = FIRST_GAP
            self.later(now, FIRST_GAP, [evidence.next_over_ns(now)])

    def _goes_on(self, page: Page, now: int) -> bool:
        """Whether it reads the history down to where an order would stand, and the next page lies below this one."""
        floors = [floor for each in self.evidence.left if each.paged_ns < (floor := self._floor_ns(each)) <= now]
        if not floors or not page.numbers:
            return False
        return self.evidence.history_below(page.symbol, max(floors)) == min(page.numbers)

    def failed(self, resume_ns: int) -> None:
        """A read brought nothing; none is made before `resume_ns`."""
        if self.evidence.answered_ns is not None:
            self.window(min(self.from_ns, resume_ns))


def _order(target: Target) -> Read:
    if target.order_id is not None:
        return Read(ReadKind.ORDER, target.symbol, order_id=target.order_id)
    return Read(ReadKind.ORDER, target.symbol, client_oid=target.client_oid)
