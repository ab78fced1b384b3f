"""
What one process has of a quota that it shares, and what it has to tell the others: arithmetic on `now`, no waiting.

Every token belongs to one process at every moment, or to nobody, and its owner alone applies the rule of one second to
it. A process gives a token up only while it is free, and tells so afterwards; it gets one only by an answer. So the
server never thinks that a process has fewer tokens than it has, and hands out only what nobody has.

Whoever has heard no answer for `TERM_NS` goes on with no more than its share. See docs/limits.md for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import ceil

from bitget_async.limits.bucket import HOLD_NS, SECOND_NS, Bucket, Lease

__all__ = ["Ledger", "Terms"]

MS_NS = 1_000_000
# Both stand in shared.lua too: how long tokens are one's own after the last answer, and how old an answer a message
# may build upon.
TERM_NS = 2 * SECOND_NS
AGE_NS = 2 * SECOND_NS
# For clocks that do not run alike.
SPARE_NS = 100 * MS_NS
BEAT_NS = 500 * MS_NS
# Of those who have nothing but what they would keep anyway.
REST_NS = 1_000 * MS_NS
LEAST_PAUSE_NS, MOST_PAUSE_NS = 100 * MS_NS, SECOND_NS
UNUSED_NS = 60 * SECOND_NS
# A little less than in shared.lua: whoever was away for longer is a stranger to the server.
FORGOTTEN_NS = 590 * SECOND_NS
# Silence may be our own slowness, for a while: so often before a process that never reached the server is on its own.
MOST_SILENCES = 3
# Those whose share is less than a token take turns: how long one is, and the part in which a request may leave.
TURN_NS = 3 * SECOND_NS
LEAVE_NS = SECOND_NS
NOBODY, LATE = -1, -2


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What all processes agree on: the quota, and of it the declared share of each and the tokens in its pocket.

    Attributes:
        quota: tokens of the whole bucket.
        places: how many processes there may be.
        share, pocket: whole tokens of one process; the pocket is part of the share.
        lease_ns: how long after its token a request may still be processed.
    """

    quota: int
    places: int
    share: int
    pocket: int
    lease_ns: int

    @classmethod
    def of(cls, quota: int, share: float, pocket: int, lease_ns: int) -> Terms:
        """From the part of each quota that a process declares as its own."""
        # 1/3 x 3 must be 1: a rounding error is no reason to lose a token.
        part = int(quota * share + 1e-9)
        return cls(quota, int(1 / share + 1e-9), part, min(pocket, part), lease_ns)

    @property
    def back_ns(self) -> int:
        """How long after its owner stopped taking it a token is surely free."""
        return self.lease_ns + HOLD_NS + SPARE_NS

    @property
    def sure_ns(self) -> int:
        """
        How long after the last answer the share is surely put aside. Until AGE the server may hear of this process;
        after TERM it takes it for silent; within TERM the others hear of that, or stop by themselves.
        """
        return AGE_NS + 2 * TERM_NS + self.back_ns


class Ledger:
    """
    The tokens of this process in one bucket. It serves a line as `Bucket` does, and talks with the server by
    `message`, `heard` and `unheard`: one message at a time.
    """

    def __init__(self, member: str, terms: Terms, now: int) -> None:
        self._member = member
        self.terms = terms
        self._bucket = Bucket(0)
        self._limit = 0
        self._place: int | None = None
        self._number = 0
        self._sent: tuple[int, int] | None = None
        # The last answer: the server's time in it and ours; and the sending of the last message that was taken.
        self._server_us = 0
        self._heard_ns = now
        self._taken_ns: int | None = None
        self._failures = 0
        self._alone = False
        self._spoke_ns = now
        self._urgent = True
        self._unmet = False
        self._come_ns: int | None = None
        self._server_free = 0
        self._peers = 0
        self._unneeded = 0
        self._refused = False
        self._used_ns = now
        self.silent = 0

    # What a line asks of a bucket.

    @property
    def capacity(self) -> int:
        """Tokens of the whole bucket, whoever has them."""
        return self.terms.quota

    def take(self, now: int) -> Lease | None:
        """A token that belongs to this process; `None` while there is none."""
        self._used_ns = now
        self._fit(now)
        lease = self._bucket.take(now)
        self._unneeded = min(self._unneeded, self._bucket.free(now))
        return lease

    def answered(self, lease: Lease, now: int) -> None:
        """See `Bucket.answered`."""
        self._bucket.answered(lease, now)

    def lost(self, lease: Lease, now: int, until_ns: int) -> None:
        """See `Bucket.lost`."""
        self._bucket.lost(lease, now, until_ns)

    def unsent(self, lease: Lease) -> None:
        """See `Bucket.unsent`."""
        self._bucket.unsent(lease)

    def remaining(self, left: int, now: int) -> int:
        """See `Bucket.remaining`: of those that are free here."""
        return self._bucket.remaining(left, now)

    def tighten(self, now: int) -> None:
        """See `Bucket.tighten`: for what is free here at once, for all with the next message."""
        if self.away:
            self._bucket.tighten(now)
            return
        _ = self._bucket.remaining(0, now)
        self._refused = self._urgent = True

    def next_ns(self, now: int) -> int | None:
        """When a token may be had without the server, or has to be given up."""
        moments = [max(now, at) for at in (self._bucket.next_ns(now), self._grows_ns(now)) if at is not None]
        return min(moments, default=None)

    def wait_ns(self, now: int, ahead: int) -> int:
        """The least wait behind so many others of this process, as far as known; 0 where only the server can tell."""
        if not self.away and not self._unmet and self._bucket.capacity < self.terms.quota:
            return 0
        waits = [self._bucket.wait_ns(now, ahead)] if self._bucket.capacity else []
        later = [self._grows_ns(now)] if self.away else [] if self._bucket.capacity else [self._come_ns]
        waits += [max(0, at - now) + ahead // max(1, self.terms.share) * HOLD_NS for at in later if at is not None]
        return min(waits, default=0)

    def moments(self, now: int, ahead: int = 0) -> list[int]:
        """See `Bucket.moments`: of its own tokens, and of others as far as the server told."""
        moments = self._bucket.moments(now)
        if not self.away:
            free = min(self._server_free, self.terms.quota - len(moments))
            moments += [0] * free
            moments += [HOLD_NS] * (self.terms.quota - len(moments))
        elif (grows_ns := self._grows_ns(now)) is not None:
            moments += [max(0, grows_ns - now)] * (max(1, self.terms.share) - len(moments))
        heapify(moments)
        for _ in range(ahead if moments else 0):
            heapreplace(moments, moments[0] + HOLD_NS)
        return sorted(moments)

    # What its task asks.

    @property
    def away(self) -> bool:
        """Whether the last message got no answer."""
        return self._failures > 0

    @property
    def known(self) -> bool:
        """Whether the server was there a moment ago and has to hear a goodbye."""
        return self._taken_ns is not None and not self.away

    @property
    def crowded(self) -> bool:
        """Whether the server has no place for this process: more of them than the shares allow."""
        return self._place == NOBODY

    def idle(self, now: int) -> bool:
        """Whether nothing is out, and nothing was asked for in a minute."""
        return now - self._used_ns > UNUSED_NS and self._bucket.free(now) == self._bucket.capacity

    def speak_ns(self, now: int, wanting: int) -> int:
        """When to send the next message."""
        if self.away:
            return self._spoke_ns + min(MOST_PAUSE_NS, LEAST_PAUSE_NS << min(self._failures - 1, 5))
        if self._urgent or (wanting and not self._unmet):
            return now
        at = self._spoke_ns + (BEAT_NS if wanting or self._bucket.capacity > self.terms.pocket else REST_NS)
        return min(at, self._come_ns) if wanting and self._come_ns is not None else at

    def message(self, now: int, wanting: int, *, leaving: bool = False) -> list[str | int]:
        """The arguments of the script: who, on which terms, what this process has and what it wants."""
        self._fit(now)
        bucket, terms = self._bucket, self.terms
        # What was free all the time since the last message is not needed here.
        unneeded = bucket.capacity if leaving else 0 if wanting else self._unneeded
        kept = 0 if leaving else terms.pocket
        while unneeded > 0 and bucket.capacity > kept and bucket.retire(now):
            unneeded -= 1
        self._unneeded = bucket.free(now)
        self._number += 1
        self._sent = (now, wanting)
        peers = self._peers if now < self._heard_ns + FORGOTTEN_NS and not self.crowded else 0
        refused, self._refused, self._urgent = self._refused, False, False
        return [
            *(self._member, self._number, self._server_us),
            *(terms.quota, terms.places, terms.pocket, terms.share, terms.back_ns // 1000, HOLD_NS // 1000),
            *(bucket.capacity, wanting, peers, int(refused), int(leaving)),
        ]

    def heard(self, answer: Sequence[int], now: int) -> None:
        """The answer to the message."""
        assert self._sent is not None
        (sent_ns, wanted), self._sent = self._sent, None
        self._server_us, place, granted, limit, come_us, free, peers, silent = answer
        self._heard_ns = self._spoke_ns = now
        self._failures = 0
        if place == LATE:
            # It changed nothing; now the time of the server is known, and the next one will be taken.
            self._urgent = True
            return
        self._bucket.grow(granted)
        self._unneeded = self._bucket.free(now)
        self._taken_ns, self._alone = sent_ns, False
        self._place, self._limit, self.silent, self._server_free, self._peers = place, limit, silent, free, peers
        self._unmet = wanted > granted
        self._come_ns = now + come_us * 1000 if come_us >= 0 else None

    def unheard(self, now: int, *, silent: bool) -> None:
        """No answer. `silent`: nothing came in time; else it is known that nobody is there."""
        self._sent = None
        self._failures += 1
        self._alone |= self._taken_ns is None and (not silent or self._failures >= MOST_SILENCES)
        self._spoke_ns, self._unmet, self._come_ns, self._server_free = now, False, None, 0

    # Inside.

    def _fit(self, now: int) -> None:
        """Give up what is too much here, and take what has become this process's own without the server."""
        bucket, limit = self._bucket, self._limit
        leased = self._taken_ns is not None and now < self._taken_ns + TERM_NS
        if not leased:
            limit = 0 if self.crowded else self.terms.share
        while bucket.capacity > limit and bucket.retire(now):
            # Somebody waits for it.
            self._urgent = True
        grows_ns = None if leased else self._grows_ns(now)
        if grows_ns is not None and grows_ns <= now:
            bucket.grow(max(1, self._own(now)) - bucket.capacity)

    def _own(self, now: int) -> int:
        """Whole tokens that are put aside for this process by now."""
        return self.terms.share if now >= self._heard_ns + self.terms.sure_ns else self.terms.pocket * self._alone

    def _grows_ns(self, now: int) -> int | None:
        """When there will be more tokens of its own, should the server stay away."""
        capacity, terms = self._bucket.capacity, self.terms
        sure_ns = self._heard_ns + terms.sure_ns
        if not self.away or self.crowded:
            return None
        if capacity < self._own(now):
            return now
        if capacity < terms.share:
            return sure_ns
        if terms.share or capacity or self._place is None:
            return None
        return self._turn_ns(max(sure_ns, now), self._place)

    def _turn_ns(self, from_ns: int, place: int) -> int:
        """The first moment from then on at which it is this place's turn, on the server's clock."""
        groups = ceil(self.terms.places / self.terms.quota)
        ahead_ns = self._server_us * 1000 - self._heard_ns
        turn, into_ns = divmod(from_ns + ahead_ns, TURN_NS)
        if turn % groups == place % groups and into_ns < LEAVE_NS:
            return from_ns
        turn += 1
        turn += (place - turn) % groups
        return turn * TURN_NS - ahead_ns
