"""So many at once, and after that so many a second. Arithmetic on `now`, in integer nanoseconds: pure."""

from __future__ import annotations

__all__ = ["Drip"]


class Drip:
    """
    What a leaky bucket lets through: `burst` at once, and one more each time a place has run dry again.

    Args:
        burst: places in it.
        per_s: how many of them run dry a second.
    """

    __slots__ = ("_burst_ns", "_dry_ns", "_step_ns")

    def __init__(self, burst: int, per_s: float) -> None:
        self._step_ns = round(1e9 / per_s)
        self._burst_ns = burst * self._step_ns
        self._dry_ns = 0

    def wait_ns(self, now: int, ahead: int = 0) -> int:
        """How long until one may pass who has that many before him; 0 for at once."""
        return max(max(self._dry_ns - now, 0) + (ahead + 1) * self._step_ns - self._burst_ns, 0)

    def passed(self, now: int) -> None:
        """One passed."""
        self._dry_ns = max(self._dry_ns, now) + self._step_ns

    def undo(self) -> None:
        """Whoever passed last has not used it."""
        self._dry_ns -= self._step_ns
