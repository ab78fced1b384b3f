"""
When to read again after reads that failed: one breaker for all who read in the background for a client.

A read that failed slows everybody down. Where the exchange turns reads away ("too many requests", a release window),
the question is whether it means this one read, whose quota somebody else has used up, or everybody: a ban of the
address. So the next read is of another kind, with a quota of its own. If that is turned away too, everybody parks, and
one read in some thirty seconds asks whether it is over.
"""

from __future__ import annotations

import random

from bitget_async.inquiry.reads import ReadKind

__all__ = ["Breaker"]

MS = 1_000_000
FIRST_GAP = 200 * MS
MOST_GAP = 5_000 * MS
# Two reads to find out and then these: at most ten in the five minutes of a ban, and back 35 s after it at the latest.
PROBE_GAP = (33_400 * MS, 34_800 * MS)
# Whoever asks first asks for all: the others wait so long for what it hears; after a failure all wait longer than that.
CLAIM = 200 * MS


class Breaker:
    """
    Kept up to date by `began`, `failed` and `answered`.

    Args:
        rng: jitter.

    Attributes:
        parked: whether everybody is turned away.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0
        self._away: set[ReadKind] = set()
        self._resume_ns = 0
        self._claimed_ns = 0
        self.parked = False

    @property
    def resume_ns(self) -> int:
        """No read before this moment."""
        return max(self._resume_ns, self._claimed_ns)

    @property
    def probing(self) -> bool:
        """Whether one read at a time is to be made."""
        return bool(self._away)

    @property
    def suspect(self) -> ReadKind | None:
        """The one kind of read that was turned away: another kind tells whether all are."""
        return next(iter(self._away)) if len(self._away) == 1 and not self.parked else None

    def began(self, now: int) -> None:
        """A read leaves now."""
        if self.probing:
            self._claimed_ns = now + CLAIM

    def failed(self, kind: ReadKind, now: int, *, turned_away: bool) -> None:
        """A read brought nothing; with `turned_away` the exchange asked to wait."""
        self._failures += 1
        if turned_away:
            self._away.add(kind)
            self.parked = self.parked or len(self._away) > 1
        if self.parked:
            gap = self._rng.uniform(*PROBE_GAP)
        else:
            gap = min(FIRST_GAP << min(self._failures, 16), MOST_GAP) * self._rng.uniform(0.75, 1.0)
        self._resume_ns = max(self._resume_ns, now + round(gap))

    def answered(self, kind: ReadKind) -> None:
        """A read was answered. If only the other kind was turned away, that one goes on slowing down."""
        self._claimed_ns = 0
        if self.parked or not self._away or kind in self._away:
            self._failures = 0
        self.parked = False
        self._away.clear()
