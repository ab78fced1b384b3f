"""
The only timer of the simulated exchange: it keeps what happens later on time while somebody listens.
"""

from __future__ import annotations

import asyncio

from bitget_async.clock import Clock
from bitget_async.sim.timeline import Timeline

__all__ = ["Pump"]


class Pump:
    """
    Advances the timeline at each of its events, between `start` and `stop`. Nothing to come, no timer; no task either.

    Args:
        timeline: what is advanced.
        clock: the timeline's own; its monotonic time must run as the event loop's.
    """

    def __init__(self, timeline: Timeline, clock: Clock) -> None:
        self._timeline = timeline
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._at_ns = 0
        self._running = False

    def start(self) -> None:
        """Run; needs a running loop. What happens later may be decided while that stands still."""
        self._loop = asyncio.get_running_loop()
        self._running = True
        self._timeline.alarm = self._earlier
        self._set()

    def stop(self) -> None:
        """Run no more; what is to come waits for the next request, as before."""
        self._running = False
        self._timeline.alarm = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _earlier(self, time_ns: int) -> None:
        if self._timer is None or time_ns < self._at_ns:
            self._set()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        next_ns = self._timeline.next_ns
        if next_ns is None or self._loop is None:
            return
        self._at_ns = next_ns
        wait_s = max(0, next_ns - self._clock.monotonic_ns()) / 1e9
        self._timer = self._loop.call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        # While the timeline advances, each event that becomes the next one would set a timer.
        self._timeline.alarm = None
        try:
            self._timeline.advance()
        finally:
            if self._running:
                self._timeline.alarm = self._earlier
                self._set()
