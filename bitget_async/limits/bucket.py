"""
The token bucket: arithmetic on `now`, in integer nanoseconds. No waiting, no clock.

The exchange says "5 times a second" and not how it counts. A request is processed somewhere between its sending
and its answer, so a token that comes back one second after the *answer* can never be used twice within one
second of the exchange's own clock, whatever the network does.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace

from bitget_async.clock import RESOLUTION_NS

__all__ = ["HOLD_NS", "Bucket", "Lease"]

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
# More than a second: an exchange may count in whole milliseconds, and no two clocks run alike. What the way there and
# back adds is never counted on.
HOLD_NS = SECOND_NS + 4 * MS_NS + RESOLUTION_NS // MS_NS * MS_NS
REST_NS = 10 * SECOND_NS


class Lease:
    """One token on loan. `settled` once it was given back, with whatever return time."""

    __slots__ = ("settled",)

    def __init__(self) -> None:
        self.settled = False


class Bucket:
    """
    `capacity` tokens, each of which comes back `hold_ns` after the answer to its request.

    Every token is free, lent, or on its way back at a known moment. Calls that look at time take `now`:
    monotonic nanoseconds that never go back.
    """

    __slots__ = ("_free", "_hold_ns", "_lent", "_resting", "_returns", "_tight_until_ns", "capacity")

    def __init__(self, capacity: int, hold_ns: int = HOLD_NS) -> None:
        self.capacity = capacity
        self._hold_ns = hold_ns
        self._free = capacity
        self._lent = 0
        self._returns: list[int] = []
        self._resting = 0
        self._tight_until_ns = 0

    def take(self, now: int) -> Lease | None:
        """A token, or `None` while there is none."""
        if self.free(now) == 0:
            return None
        self._free -= 1
        self._lent += 1
        return Lease()

    def free(self, now: int) -> int:
        """Tokens that could be taken now."""
        while self._returns and self._returns[0] <= now:
            back_ns = heappop(self._returns)
            if self._resting:
                self._resting -= 1
                heappush(self._returns, back_ns + REST_NS)
            else:
                self._free += 1
        return self._free

    def answered(self, lease: Lease, now: int) -> None:
        """The answer has come: the token returns `hold_ns` from now."""
        self._settle(lease, now + self._hold_ns)

    def lost(self, lease: Lease, now: int, until_ns: int) -> None:
        """
        No whole answer came: the request may be processed until `until_ns` (sending plus timeout), and the
        token returns `hold_ns` after that, or after now if that is later.
        """
        self._settle(lease, max(now, until_ns) + self._hold_ns)

    def unsent(self, lease: Lease) -> None:
        """No byte of the request left: the token is free at once."""
        if not lease.settled:
            lease.settled = True
            self._lent -= 1
            self._free += 1

    def remaining(self, left: int, now: int) -> int:
        """
        The exchange said how many calls are left in this second. Fewer than we thought: somebody else spends
        them too, so that many tokens of ours rest for a second. More proves nothing, and changes nothing.

        Returns: how many were put to rest.
        """
        rested = 0
        while self.free(now) > left:
            self._free -= 1
            heappush(self._returns, now + self._hold_ns)
            rested += 1
        return rested

    def tighten(self, now: int) -> None:
        """
        The exchange said "too many" although we kept the promise: all free tokens rest for a second, and half
        of all tokens for another ten when they come back. Never more than half: a cancel must get out.
        """
        _ = self.remaining(0, now)
        if now >= self._tight_until_ns:
            self._resting = self.capacity // 2
            self._tight_until_ns = now + REST_NS + self._hold_ns

    def grow(self, count: int) -> None:
        """That many tokens more, free at once."""
        self.capacity += count
        self._free += count

    def retire(self, now: int) -> bool:
        """Give up a token for good, if one is free."""
        if self.free(now) == 0:
            return False
        self.capacity -= 1
        self._free -= 1
        return True

    def moments(self, now: int, ahead: int = 0) -> list[int]:
        """
        When each token is free, from now, for somebody with `ahead` waiters before him: known returns, and for lent
        tokens the best case, an answer at once.
        """
        free = self.free(now)
        moments = [0] * free + [each - now for each in self._returns] + [self._hold_ns] * self._lent
        heapify(moments)
        for _ in range(ahead):
            heapreplace(moments, moments[0] + self._hold_ns)
        return sorted(moments)

    def next_ns(self, now: int) -> int | None:
        """When a token may next be free: `now`, a later moment, or `None` while all are lent."""
        if self.free(now):
            return now
        return self._returns[0] if self._returns else None

    def wait_ns(self, now: int, ahead: int) -> int:
        """
        The least wait for somebody with `ahead` waiters before him: known returns, and for lent tokens the best
        case, an answer at once. A token that is back early is used several times before a late one is used once.
        """
        hold = self._hold_ns
        moments = [now] * self.free(now) + self._returns + [now + hold] * self._lent
        heapify(moments)
        # Once the latest token has joined in, every round is like the one before.
        uneven = sum((max(moments) - each) // hold + 1 for each in moments)
        rounds = max(0, ahead - uneven) // self.capacity
        for _ in range(ahead - rounds * self.capacity):
            heapreplace(moments, moments[0] + hold)
        return moments[0] - now + rounds * hold

    def _settle(self, lease: Lease, at_ns: int) -> None:
        if not lease.settled:
            lease.settled = True
            self._lent -= 1
            heappush(self._returns, at_ns)
