"""
What one process has of a bucket that it shares, and what it has to tell the others: arithmetic on `now`, no waiting.

Every token has one owner at every moment. A process has its pocket, which nobody else is ever given; the tokens that
the server has lent it; and, once the server is sure to have put it aside, its share.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import ceil

from bitget_async.limits.bucket import HOLD_NS, SECOND_NS, Bucket, Lease

__all__ = ["Ledger", "Loan", "Terms"]

MS_NS = 1_000_000
# The same figures stand in shared.lua. After so long without a word the share of a process is set aside.
SILENT_NS = 2 * SECOND_NS
LOOK_NS = 700 * MS_NS
BEAT_NS = 500 * MS_NS
FLUSH_NS = 250 * MS_NS
# Who has never reached the server is on his own when nobody is there; silence may be our own slowness, for a while.
MOST_SILENCES = 3
# A message that arrives later than this after its sending is not acted upon.
STALE_NS = SECOND_NS
SPARE_NS = 100 * MS_NS
RECENT_NS = 60 * SECOND_NS
MOST_PAUSE_NS = SECOND_NS
# Rotation, for those whose share is less than a token: a turn, and the part of it in which a request may leave.
TURN_NS = 3 * SECOND_NS
LEAVE_NS = SECOND_NS
UNUSED = -1
NEVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What all processes agree on: the quota, and of it the declared share of each and the tokens in its pocket.

    Attributes:
        quota: tokens of the whole bucket.
        places: how many processes there may be.
        share, pocket: whole tokens of one process; the pocket is part of the share.
        lease_ns: how long a token of somebody who is silent may be in use.
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


@dataclass(slots=True, eq=False)
class Loan(Lease):
    """
    A token that others may have again. `back_ns` is unknown while it is in use; `told_ns` is when the server was last
    told that it is, or `None` if it does not know of it at all.
    """

    taken_ns: int = 0
    back_ns: int | None = None
    told_ns: int | None = None


@dataclass(slots=True)
class _Sent:
    """A message that waits for its answer."""

    sent_ns: int
    base: int
    want: int
    told: dict[str, tuple[Loan, int | None]]


class Ledger:
    """
    The tokens of this process in one bucket. It serves a line as `Bucket` does, and talks with the server by
    `message`, `heard` and `unheard`: one message at a time.
    """

    def __init__(self, member: str, terms: Terms, now: int) -> None:
        self._member = member
        self.terms = terms
        self._born_ns = now
        self._pocket = Bucket(terms.pocket)
        self._owns = False
        self._place: int | None = None
        self._granted: deque[Loan] = deque()
        self._loans: dict[str, Loan] = {}
        self._own: set[Loan] = set()
        self._base = 0
        self._sent: _Sent | None = None
        self._contact_ns: int | None = None
        self._doubt_ns = now - STALE_NS
        self._failures = 0
        self._spoke_ns = now - BEAT_NS
        self._offset_ns: int | None = None
        self._wanted = 0
        self._come_ns: int | None = None
        self._free = 0
        self._peers = 0
        self._left: int | None = None
        self._refused = False
        self._flush_ns: int | None = None
        self._used_ns = now
        self.silent = 0

    # What a line asks of a bucket.

    def take(self, now: int) -> Lease | None:
        """A token from the pocket, from what the server gave, or from the share; `None` while there is none."""
        self._used_ns = now
        if self._owns and (lease := self._pocket.take(now)):
            return lease
        while self._granted:
            loan = self._granted.popleft()
            if now - loan.taken_ns < self.terms.lease_ns // 2:
                return loan
            # This process stood still for so long that the server may have lent it to somebody else.
            self.unsent(loan)
        if self._share_ns(now) <= now:
            loan = Loan(taken_ns=now)
            self._enter(self._name(), loan)
            self._own.add(loan)
            return loan
        return None

    def answered(self, lease: Lease, now: int) -> None:
        """See `Bucket.answered`."""
        self._settle(lease, now, now)

    def lost(self, lease: Lease, now: int, until_ns: int) -> None:
        """See `Bucket.lost`."""
        self._settle(lease, now, max(now, until_ns))

    def unsent(self, lease: Lease) -> None:
        """See `Bucket.unsent`."""
        if lease.settled:
            return
        if isinstance(lease, Loan):
            lease.settled = True
            lease.back_ns = UNUSED
            self._flush_ns = 0
        else:
            self._pocket.unsent(lease)

    def remaining(self, left: int, now: int) -> None:
        """See `Bucket.remaining`. The server is told where it proves something."""
        self._pocket.remaining(left, now)
        if left < self._free and self._contact_ns is not None:
            self._left = left if self._left is None else min(left, self._left)
            self._flush_ns = 0

    def tighten(self, now: int) -> None:
        """See `Bucket.tighten`: for the pocket at once, for all others with the next message."""
        self._pocket.tighten(now)
        self._refused = True
        self._flush_ns = 0

    def next_ns(self, now: int) -> int | None:
        """When a token may be had without the server."""
        moments = [self._share_ns(now)]
        if self._granted:
            moments.append(now)
        if self._owns and (at := self._pocket.next_ns(now)) is not None:
            moments.append(at)
        first = min(moments)
        return max(first, now) if first < NEVER_NS else None

    def wait_ns(self, now: int, ahead: int) -> int:
        """The least wait behind so many others of this process; 0 where only the server could tell."""
        waits = []
        if self._owns and self.terms.pocket:
            waits.append(self._pocket.wait_ns(now, ahead))
        if self.away:
            at = self._share_ns(now)
            if at < NEVER_NS:
                waits.append(max(0, at - now) + ahead // max(1, self.terms.share) * HOLD_NS)
        elif self._come_ns is None:
            return 0
        else:
            waits.append(max(0, self._come_ns - now) + ahead // self.terms.quota * HOLD_NS)
        return min(waits, default=0)

    def moments(self, now: int, ahead: int = 0) -> list[int]:
        """See `Bucket.moments`: as far as this process knows."""
        moments = self._pocket.moments(now) if self._owns else []
        if self.away:
            moments += [max(0, self._share_ns(now) - now)] * max(0, self.terms.share - len(moments))
        else:
            moments += [0] * len(self._granted)
            moments += [0] * max(0, min(self._free, self.terms.quota - len(moments)))
            moments += [HOLD_NS] * (self.terms.quota - len(moments))
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
    def unproven(self) -> bool:
        """Whether the server should show that it is there before a message goes out."""
        return self.away or self._contact_ns is None

    @property
    def crowded(self) -> bool:
        """Whether the server has no place for this process: more of them than the shares allow."""
        return self._place == -1

    def idle(self, now: int) -> bool:
        """Whether nothing is out, and nothing was asked for in a minute."""
        resting = self._pocket.free(now) < self.terms.pocket
        return now - self._used_ns > RECENT_NS and not (self._loans or self._granted or resting)

    def speak_ns(self, now: int, wanting: int) -> int:
        """When to send the next message."""
        if self.away:
            return self._spoke_ns + min(MOST_PAUSE_NS, 100 * MS_NS << min(self._failures - 1, 5))
        if wanting > self._wanted:
            return now
        at = self._spoke_ns + BEAT_NS
        if wanting and self._come_ns is not None:
            at = min(self._come_ns, self._spoke_ns + LOOK_NS)
            # The next question tells them too.
            return 0 if self._flush_ns == 0 else at
        return at if self._flush_ns is None else min(at, self._flush_ns)

    def message(self, now: int, wanting: int, first: int, *, leaving: bool = False) -> list[str | int]:
        """The arguments of the script: who, on which terms, what for, and what came of earlier tokens."""
        terms = self.terms
        told: dict[str, tuple[Loan, int | None]] = {}
        entries: list[str | int] = []
        lease_us = (terms.lease_ns + HOLD_NS) // 1000
        for name, loan in self._loans.items():
            if loan.back_ns is None:
                if not leaving and loan.told_ns is not None and now - loan.told_ns < terms.lease_ns // 3:
                    continue
                entries += (name, lease_us)
            elif loan.back_ns == UNUSED:
                entries += (name, -1)
            else:
                entries += (name, max(0, loan.back_ns - now) // 1000 + 1)
            told[name] = (loan, loan.back_ns)
        if leaving:
            for number in range(terms.pocket - self._pocket.free(now) if self._owns else 0):
                entries += (f"{self._member}~{number}", lease_us)
        want = max(0, wanting - len(self._granted))
        self._sent = _Sent(now, self._base, want, told)
        self._base += want
        recent = self._contact_ns is not None and now - self._contact_ns < RECENT_NS and not self.crowded
        not_after_us = 0 if self._offset_ns is None else (now + self._offset_ns + STALE_NS) // 1000
        left, self._left = self._left, None
        refused, self._refused = self._refused, False
        self._flush_ns = None
        self._wanted = wanting
        return [
            *(self._member, terms.quota, terms.places, terms.pocket, terms.share, HOLD_NS // 1000),
            *(terms.lease_ns // 1000, int(recent), int(self._owns), want, min(first, want), self._sent.base),
            *(-1 if left is None else left, int(refused), int(leaving), not_after_us, self._peers),
            *entries,
        ]

    def heard(self, answer: Sequence[int], now: int) -> None:
        """The answer to the message."""
        sent, self._sent = self._sent, None
        assert sent is not None
        server_us, place, owns, silent, granted, come_us, free, peers = answer
        self._offset_ns = server_us * 1000 - (sent.sent_ns + now) // 2
        if place == -2:
            # It came too late and changed nothing; by now the server's time is known better.
            self._spoke_ns, self._failures, self._wanted = now, self._failures + 1, 0
            self._flush_ns = 0
            return
        for name, (loan, back_ns) in sent.told.items():
            loan.told_ns = sent.sent_ns
            self._own.discard(loan)
            if back_ns is not None:
                del self._loans[name]
        for number in range(granted):
            loan = Loan(taken_ns=sent.sent_ns, told_ns=sent.sent_ns)
            self._loans[f"{self._member}:{sent.base + number}"] = loan
            self._granted.append(loan)
        self._place, self.silent, self._free, self._peers = place, silent, free, peers
        self._owns = bool(owns) or (self._owns and place >= 0)
        self._contact_ns, self._spoke_ns, self._failures = now, now, 0
        self._come_ns = now + come_us * 1000 if come_us >= 0 else None
        self._wanted = max(0, self._wanted - granted)

    def returned(self) -> None:
        """Nobody waits: what was given and is not wanted any more goes back."""
        while self._granted:
            self.unsent(self._granted.popleft())

    def unheard(self, now: int, *, doubtful: bool, silent: bool = False) -> None:
        """
        No answer, or nobody to send it to. `doubtful`: it was written, and may be acted upon until it is stale.
        `silent`: nothing came in time; else it is known that nobody is there.
        """
        sent, self._sent = self._sent, None
        if doubtful and sent is not None:
            self._doubt_ns = max(self._doubt_ns, sent.sent_ns)
            for number in range(sent.want):
                # If it was given, it was for nothing.
                self._loans[f"{self._member}:{sent.base + number}"] = Loan(settled=True, back_ns=UNUSED)
        self._failures += 1
        if self._contact_ns is None and (not silent or self._failures >= MOST_SILENCES):
            self._owns = True
        self._spoke_ns, self._wanted, self._come_ns, self._free = now, 0, None, 0

    # Inside.

    @property
    def _unsure(self) -> bool:
        return self._contact_ns is None

    def _share_ns(self, now: int) -> int:
        """
        When a token of the share beyond the pocket may be taken. Not while a message is on its way: its answer could
        end what the share rests upon.
        """
        if self._sent is not None or (not self.away and not (self._unsure and self._owns)) or self.crowded:
            return NEVER_NS
        terms = self.terms
        sure_ns = max(self._contact_ns or self._born_ns, self._doubt_ns + STALE_NS)
        sure_ns += SILENT_NS + terms.lease_ns + HOLD_NS + SPARE_NS
        out = [loan.back_ns for loan in self._own if not (loan.back_ns is not None and loan.back_ns <= now)]
        if terms.share:
            spare = terms.share - terms.pocket
            if len(out) < spare:
                return sure_ns
            backs = sorted(each for each in out if each is not None)
            # Those in use come last; with all of them in use nobody knows.
            return max(sure_ns, backs[len(out) - spare]) if spare and len(backs) > len(out) - spare else NEVER_NS
        if self._place is None or self._offset_ns is None or out:
            return NEVER_NS
        return self._turn_ns(max(sure_ns, now), self._place)

    def _turn_ns(self, from_ns: int, place: int) -> int:
        """The first moment from then on at which it is this place's turn, on the server's clock."""
        assert self._offset_ns is not None
        groups = ceil(self.terms.places / self.terms.quota)
        at = from_ns + self._offset_ns
        turn = at // TURN_NS
        if turn % groups == place % groups and at - turn * TURN_NS < LEAVE_NS:
            return from_ns
        turn += 1
        turn += (place - turn) % groups
        return turn * TURN_NS - self._offset_ns

    def _name(self) -> str:
        self._base += 1
        return f"{self._member}:{self._base - 1}"

    def _enter(self, name: str, loan: Loan) -> None:
        for each in [one for one, old in self._loans.items() if old in self._own and _over(old, loan.taken_ns)]:
            self._own.discard(self._loans.pop(each))
        self._loans[name] = loan

    def _settle(self, lease: Lease, now: int, from_ns: int) -> None:
        if lease.settled:
            return
        if not isinstance(lease, Loan):
            self._pocket.lost(lease, now, from_ns)
            return
        lease.settled = True
        lease.back_ns = from_ns + HOLD_NS
        if self._flush_ns is None:
            self._flush_ns = now + FLUSH_NS


def _over(loan: Loan, now: int) -> bool:
    return loan.back_ns is not None and loan.back_ns <= now
