"""
Time at the simulated exchange: its clock, and what is going to happen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from bitget_async.clock import Clock
from bitget_async.sim.settings import NEVER_NS, Settings

__all__ = ["Timeline"]


class Timeline:
    """
    Events in a heap, applied lazily and in order by `advance`: the venue needs no timer and works in virtual time.

    The exchange's clock is read once from the given clock, and then follows its monotonic time with the offset
    and drift of the settings: a step of this machine's wall clock is no step of the exchange's.

    Args:
        clock: the only clock there is.
        settings: offset and drift.

    Attributes:
        alarm: called with the time of each event that becomes the next one; for whoever must not be late.
    """

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._start: tuple[int, int] | None = None
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0
        self.now_ns = 0
        self.alarm: Callable[[int], None] | None = None

    def advance(self) -> int:
        """Apply everything due by now, each at its own time. Returns now in monotonic ns."""
        until_ns = max(self._clock.monotonic_ns(), self.now_ns)
        if self._start is None:
            self._anchor()
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            due_ns, _, action = heapq.heappop(heap)
            self.now_ns = max(self.now_ns, due_ns)
            action(self.now_ns)
        self.now_ns = until_ns
        return until_ns

    def at(self, time_ns: int, action: Callable[[int], None]) -> None:
        """Have `action(time_ns)` applied at that monotonic time; an infinitely late one is dropped."""
        if time_ns >= NEVER_NS:
            return
        self._count += 1
        heapq.heappush(self._heap, (time_ns, self._count, action))
        if self.alarm is not None and self._heap[0][1] == self._count:
            self.alarm(time_ns)

    def epoch_ms(self, at_ns: int) -> int:
        """The exchange's clock at that monotonic time, in Unix milliseconds."""
        start_ns, start_ms = self._start or self._anchor()
        elapsed = at_ns - start_ns
        drift = int(elapsed * self._settings.clock_drift_ppm) // 1_000_000 if self._settings.clock_drift_ppm else 0
        return start_ms + (elapsed + drift) // 1_000_000 + self._settings.clock_offset_ms

    def _anchor(self) -> tuple[int, int]:
        self._start = (self._clock.monotonic_ns(), self._clock.epoch_ms())
        return self._start

    @property
    def next_ns(self) -> int | None:
        """When the next event is due, `None` if none is to come."""
        return self._heap[0][0] if self._heap else None

    @property
    def waiting(self) -> int:
        """How many events are still to come."""
        return len(self._heap)
