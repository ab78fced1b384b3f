"""
How often a listing of the whole account that has several pages is read for the many that wait for it.

Where cancellations of more than five symbols wait, their looks at such a listing are gathered: the next one starts as
many seconds after the last as that one had pages, 3.5 s after it at the latest, and serves whoever is due. That is a
page a second, a twentieth of the quota, up to three pages; three a second, where a thousand orders rest.
"""

from __future__ import annotations

from collections import Counter

from bitget_async.inquiry.breaker import MS

__all__ = ["Pace"]

# Cancellations of so many symbols look each in its own time.
FEW = 5
A_PAGE = 1_000 * MS
MOST = 3_500 * MS
# A listing without an answer for so long is not waited for.
PATIENCE = 3_000 * MS
FRESH = 1_000 * MS
# The last one that was gathered, with the time that its pages take.
FRESH_SHARED = 5_000 * MS
PAGE_ROWS = 100


class Pace:
    """When the next look may come that many share."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._pages = 0
        self._began_ns = 0
        self._reading = False

    def joined(self, symbol: str) -> None:
        """A cancellation of it waits."""
        self._waiting[symbol] += 1

    def left(self, symbol: str) -> None:
        """It is settled."""
        self._waiting[symbol] -= 1
        if self._waiting[symbol] <= 0:
            del self._waiting[symbol]

    def began(self, now: int) -> None:
        """A listing of the account is on its way."""
        self._began_ns, self._reading = now, True

    def ended(self, rows: int | None = None) -> None:
        """It was answered; with how many rows, where it was complete."""
        self._reading = False
        if rows is not None:
            self._pages = 1 + rows // PAGE_ROWS

    @property
    def shared(self) -> bool:
        """
        Whether looks are gathered. Not for few; nor where one page is all, which costs too little to wait for; nor
        where it has more pages than symbols wait, for their own listings are the cheaper look.
        """
        return len(self._waiting) > FEW and 1 < self._pages <= len(self._waiting)

    @property
    def opens_ns(self) -> int:
        """Where they are, when the next may start: not while the pages of the last still come."""
        return self._began_ns + (PATIENCE if self._reading else min(self._pages * A_PAGE, MOST))

    @property
    def fresh_ns(self) -> int:
        """How old a listing of the account may be that serves as the snapshot of the next cancellation."""
        return FRESH_SHARED if self.shared else FRESH
