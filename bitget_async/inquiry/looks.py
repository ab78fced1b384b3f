"""
The rhythm of looking after one command, and what the next look after a cancellation by symbol wants to read.

A snapshot at the signing; quick looks from 150-250 ms after the answer until a listing is clear, for little more than a
second; the deciding look, with the history, when a listing can no longer be older than the signing; then ever slower,
up to 5 s.

Where pushes say that all its orders have ended, one look more, at once: the others stay where they were, for a listing
may lag behind the pushes. Where it does, such looks are made less often: see `Hints`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bitget_async.evidence import Book, Page, Sweep
from bitget_async.inquiry.breaker import FIRST_GAP, MOST_GAP, MS
from bitget_async.inquiry.reads import Read, ReadKind

__all__ = ["Hints", "Look", "SweepLook"]

FIRST_LOOK = (150 * MS, 250 * MS)
QUICK_LOOK = (200 * MS, 290 * MS)
ALONE = 120 * MS
QUICK_FOR = 1_300 * MS
DECIDING_SLACK = 175 * MS
PATIENCE = 3_000 * MS
TOGETHER = 30 * MS
# What is known of the exchange's clock widens, and moves a horizon by milliseconds while it is waited for.
AGEING = 20 * MS
MOST_PASSED_OVER = 31
# An early look is waited for longer than a quick one: it is the better of both.
EARLY_LOOK = 400 * MS
MOST_SINGLE = 3
MOST_AT_LAST = 9
NEVER = 1 << 62


@dataclass(slots=True)
class Hints:
    """
    Whether an early look is worth its read, by how the last ones of this client went: after one whose listing still
    showed what the pushes had ended, the next hint is passed over, then the next three, and so on up to 31.
    """

    _in_vain: int = 0
    _left: int = 0

    def taken(self) -> bool:
        """Whether this one is to be taken."""
        self._left -= 1
        return self._left < 0

    def came_to(self, *, clear: bool) -> None:
        """An early look was answered."""
        self._in_vain = 0 if clear else min(2 * self._in_vain + 1, MOST_PASSED_OVER)
        self._left = self._in_vain


@dataclass(slots=True, eq=False)
class Look:
    """
    The next look after one command, and how the last ones went.

    Attributes:
        planned: where the next window is an early look: the one that follows, whatever the early one brings.
    """

    rng: random.Random
    from_ns: int = NEVER
    until_ns: int = NEVER
    gap_ns: int = FIRST_GAP
    stop_ns: int | None = None
    stuck: int = 0
    planned: tuple[int, int] | None = None

    def window(self, from_ns: int, slack_ns: int = 0) -> None:
        """Look next between these moments."""
        self.from_ns, self.until_ns, self.planned = from_ns, from_ns + slack_ns, None

    def early(self, now: int, slack_ns: int) -> None:
        """One look more, before the next."""
        planned = self.planned or (self.from_ns, self.until_ns)
        self.window(now, min(slack_ns, max(0, planned[1] - now)))
        self.planned = planned

    def resumes(self, now: int) -> bool:
        """After a look at `now`: whether it was one more, and the window is again what it was before it."""
        planned, self.planned = self.planned, None
        if planned is None or planned[0] <= now:
            return False
        self.from_ns, self.until_ns = planned
        return True

    def first(self, now: int, *, alone: bool) -> None:
        """The answer came: look soon; with others about, a little later will do if it saves a read."""
        low, high = FIRST_LOOK
        self.window(now + round(self.rng.uniform(low, high)), 0 if alone else high - low)

    def later(self, now: int, gap_ns: int, stops: Iterable[int | None]) -> None:
        """Look again after about that long, but not past a moment at which a look is due."""
        gap = round(gap_ns * self.rng.uniform(0.7, 0.83))
        slack = gap // 5
        last = now + gap + slack
        due = [stop + AGEING for stop in (*stops, self.stop_ns) if stop is not None and now < stop + AGEING <= last]
        if due:
            self.window(min(due))
        else:
            self.window(now + gap, slack)


@dataclass(slots=True, eq=False)
class SweepLook(Look):
    """
    Looking after a cancellation by symbol.

    Attributes:
        evidence: what is known of it.
        decided: whether its deciding look was made.
        hints: shared by all looks of a client.
        hinted_ns: when the push came that brought on the last early look; -1 before.
        early_ns: from when on a listing tells what the last early look came to; `None`: that is told.
    """

    evidence: Sweep = field(kw_only=True)
    hints: Hints = field(default_factory=Hints)
    decided: bool = False
    hinted_ns: int = -1
    early_ns: int | None = None
    own_page: bool = False
    helped: int = 0
    patience: int = MOST_SINGLE

    @property
    def book(self) -> Book:
        """Whose lists it reads."""
        return self.evidence.book

    @property
    def symbols(self) -> frozenset[str]:
        """Whose rows it needs."""
        return frozenset((self.evidence.symbol,))

    @property
    def wants_listing(self) -> bool:
        """Whether it needs the open orders."""
        return self.evidence.answered_ns is None or self.evidence.clear_since_ns is None

    @property
    def wants_history(self) -> bool:
        """Whether it needs finished orders."""
        evidence = self.evidence
        if evidence.answered_ns is None or self.from_ns < evidence.deciding_ns:
            return False
        if evidence.missing or not self.decided:
            return True
        return evidence.clear_since_ns is not None and not evidence.history_read

    def histories(self) -> Iterator[Read]:
        """
        1. A symbol whose history is not read yet: its newest page, or the next one. 2. One order missing, or pages that
        brought nothing: single ids, others each time; while they help more at once, and a page now and then. 3. More
        missing: the page that begins with the newest of them.
        """
        symbol, missing, book = self.evidence.symbol, self.evidence.missing, self.book
        if not self.evidence.history_read:
            yield Read(ReadKind.HISTORY, symbol, below=self.evidence.history_below, book=book)
        elif (
            missing and book is Book.NORMAL and (len(missing) == 1 or self.stuck % 2 or 0 < self.helped < self.patience)
        ):
            start = self.stuck // 2 * MOST_SINGLE % len(missing)
            some = (*missing[start:], *missing[:start])[: MOST_AT_LAST if self.helped else MOST_SINGLE]
            yield from (Read(ReadKind.ORDER, symbol, order_id=str(each)) for each in some)
        elif missing:
            yield Read(ReadKind.HISTORY, symbol, below=missing[-1] + 1, book=book)

    def next(self, now: int, crowd: int, pages: float, *, alone: bool) -> None:
        """
        Set the window after a look at `now`, as if its answer brought nothing; `listed` and `paged` move it.

        1. Not answered yet: the answer sets it. 2. Quick looks while there is time. 3. The deciding look.
        4. Slower and slower, but not past the horizon.
        """
        evidence = self.evidence
        if evidence.answered_ns is None:
            self.window(now + NEVER)
            return
        if now < evidence.deciding_ns:
            # Where one read cannot serve all, many quick looks at once would only queue up behind their quota.
            low, high = QUICK_LOOK if pages == 1 else (max(each, crowd * ALONE) for each in QUICK_LOOK)
            # Each quick look is one more chance to say "cleared"; one right before the deciding look is not.
            quick = now + high <= min(evidence.answered_ns + QUICK_FOR, evidence.deciding_ns)
            if evidence.cleared_ms is None and quick:
                self.window(now + low, high - low)
            else:
                self.await_deciding(alone=alone)
            return
        if self.decided:
            self.gap_ns = min(self.gap_ns * 2, MOST_GAP)
        else:
            self.decided, self.gap_ns = True, FIRST_GAP
        # The answers set the next look; this one is for the case that none comes.
        self.later(now, max(self.gap_ns, PATIENCE), [evidence.horizon_ns])

    def await_deciding(self, *, alone: bool) -> None:
        """Look next at the deciding moment; with others about, a little later will do if it saves a read."""
        self.window(self.evidence.deciding_ns, 0 if alone else DECIDING_SLACK)

    def hint(self, now: int, *, alone: bool) -> None:
        """
        Look at once where pushes say that a listing will be clear, once for each push that does. Not while nobody knows
        what was open: then the last push of those that have come need not be the last.
        """
        evidence = self.evidence
        if evidence.answered_ns is None or evidence.heard_ns <= self.hinted_ns or not evidence.foretold:
            return
        known = evidence.tracked or evidence.last_listing_ns >= 0
        if evidence.clear_since_ns is not None if self.decided else evidence.cleared_ms is not None or not known:
            return
        self.hinted_ns = evidence.heard_ns
        if self.decided or self.hints.taken():
            # One that is on its way was served after the push had left, or else its answer would be here: it will do.
            self.early_ns = evidence.deciding_ns if self.decided else evidence.answered_ns
            self.early(now, 0 if alone else TOGETHER)

    def listed(self, requested_ns: int, now: int) -> None:
        """
        A listing that concerns it was told. Where it was the early one, and came too early, the next look follows soon:
        as one quick look another one, or as if something had been learnt.
        """
        if self.early_ns is None or requested_ns < self.early_ns:
            return
        self.early_ns = None
        clear = (self.evidence.clear_since_ns if self.decided else self.evidence.cleared_ms) is not None
        if not self.decided:
            self.hints.came_to(clear=clear)
            next_ns = max(now, requested_ns + QUICK_LOOK[0])
        else:
            self.gap_ns = FIRST_GAP
            next_ns = now + FIRST_GAP
        if not clear and next_ns < self.from_ns:
            self.window(next_ns)

    def missed(self, now: int) -> None:
        """Pushes come again and some may be missing: one look more where a listing is waited for, and not soon."""
        if self.decided and self.evidence.clear_since_ns is None and self.from_ns - now > FIRST_GAP:
            self.early(now, FIRST_GAP)

    def told(self, read: Read, page: Page | None, now: int, *, moved: bool, alone: bool) -> None:
        """A read that concerns it, or any that cleared it, was answered."""
        evidence = self.evidence
        if evidence.answered_ns is None:
            return
        if not self.decided:
            if evidence.cleared_ms is not None:
                self.await_deciding(alone=alone)
            self.hint(now, alone=alone)
            return
        if read.symbol not in (None, evidence.symbol) or read.book is not self.book:
            return
        if self.from_ns - now > self.gap_ns:
            self.later(now, self.gap_ns, [evidence.horizon_ns])
        if page is not None:
            self._paged(read, page, now, moved)
        elif evidence.clear_since_ns is not None and self.wants_history:
            self.window(now)

    def _paged(self, read: Read, page: Page, now: int, moved: bool) -> None:
        """Finished rows came in after the deciding look: if they helped, go on at once, else think again later."""
        evidence = self.evidence
        if page.symbol is None and evidence.paged_ns < page.requested_ns:
            # The account's page did not reach down to this symbol's orders.
            self.own_page = True
            self.window(now)
        elif (moved and evidence.missing) or evidence.history_below not in (None, page.below):
            if read.kind is ReadKind.ORDER:
                self.helped += 1
                self.stuck -= self.stuck % 2
            else:
                self.helped, self.patience, self.stuck = 0, MOST_SINGLE, 0
            self.window(now)
        elif evidence.missing and self.helped and read.kind is ReadKind.HISTORY:
            # Rows that no page shows, as those of orders older than the history: a page again after twice as many ids.
            self.helped, self.patience = 1, 2 * self.patience
            self.window(now)
        elif evidence.missing:
            self.helped = 0
            self.stuck += 1

    def failed(self, now: int, resume_ns: int) -> None:
        """A read brought nothing; none is made before `resume_ns`."""
        if self.evidence.answered_ns is None and self.evidence.last_listing_ns < 0:
            self.window(now)
        elif self.decided:
            self.window(min(self.from_ns, resume_ns))
