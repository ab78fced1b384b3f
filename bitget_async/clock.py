"""
Time: a clock to be given, and the exchange's clock as an interval.

Durations are monotonic nanoseconds; only the exchange's own times are epoch milliseconds. Nothing else in
the package reads a clock or sleeps, so a test can run any part of it in virtual time.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["RESOLUTION_NS", "Clock", "ServerClock", "SystemClock", "VirtualClock"]

DAY_NS = 86_400_000_000_000
MS_NS = 1_000_000
# How far behind the truth a reading of the machine's monotonic clock may be: 1 ns here, 15.6 ms on some systems.
RESOLUTION_NS = round(time.get_clock_info("monotonic").resolution * 1e9)


class Clock(Protocol):
    """What the package needs of time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step, from an arbitrary start."""

    def epoch_ms(self) -> int:
        """This machine's wall clock in Unix milliseconds; may be wrong, may step."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds. Safe to cancel."""


class SystemClock:
    """
    The machine's clocks. `monotonic_ns` is the monotonic clock itself, the one that asyncio's timers follow: it is
    read half a dozen times a request.
    """

    monotonic_ns = staticmethod(time.monotonic_ns)

    def epoch_ms(self) -> int:
        """Unix milliseconds of the wall clock."""
        return time.time_ns() // MS_NS

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds. Safe to cancel."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """
    A clock that follows an event loop, for tests on a loop with virtual time.

    Args:
        epoch_ms: Unix milliseconds at the loop's time 0.
        drift_ppm: how much faster than the loop the wall clock runs, in parts per million.
        loop: the loop; the running one unless given.
    """

    def __init__(
        self,
        epoch_ms: int = 1_750_000_000_000,
        *,
        drift_ppm: float = 0.0,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = loop
        self._epoch_ms = epoch_ms
        self._rate = 1.0 + drift_ppm / 1e6

    def monotonic_ns(self) -> int:
        """The loop's time in nanoseconds."""
        return round(self._loop_s() * 1e9)

    def epoch_ms(self) -> int:
        """Unix milliseconds: the start value, the loop's time with the drift, and every step so far."""
        return self._epoch_ms + int(self._loop_s() * 1000.0 * self._rate)

    def _loop_s(self) -> float:
        return (self._loop or asyncio.get_running_loop()).time()

    def step(self, by_ms: int) -> None:
        """Move the wall clock by that many milliseconds, as NTP or an operator would."""
        self._epoch_ms += by_ms

    async def sleep(self, seconds: float) -> None:
        """Wait that many virtual seconds. Safe to cancel."""
        await asyncio.sleep(seconds)


class ServerClock:
    """
    The exchange's clock, known as an interval of offsets to the local monotonic clock.

    Every answer carries `requestTime`, stamped somewhere between sending and receiving, so each answer gives
    an interval that must hold the true offset. The intersection of all of them is kept and widened by
    `AGE_PPM` as it grows old. A single answer that moves the clock by more than a day is not believed until a
    second one agrees with it. What cannot be told: a very first answer that is a stale copy, on a machine whose own
    clock is behind, until the second answer comes; and a stamp that is wrong by less than its own round trip.

    Times in are monotonic nanoseconds, times out are the exchange's Unix milliseconds.
    """

    AGE_PPM = 100

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._low_ns: int | None = None
        self._high_ns = 0
        self._as_of_ns = 0
        self._doubted: tuple[int, int, int, int] | None = None
        self._only: int | None = None

    @property
    def synchronised(self) -> bool:
        """Whether any answer has told the exchange's time yet."""
        return self._low_ns is not None

    def observe(self, request_time_ms: int, sent_ns: int, received_ns: int) -> bool:
        """
        Take in the `requestTime` (exchange ms) of an answer to a request sent and received at those
        monotonic ns. Returns whether that set the clock: at first, or anew because two answers contradicted it.
        """
        low, high = self._interval(request_time_ms, sent_ns, received_ns)
        if self._low_ns is None:
            known = self._local_guess_ns(received_ns)
            if abs((low + high) // 2 - known) > DAY_NS and not self._agrees_with_doubted(
                request_time_ms, low, high, received_ns
            ):
                return False
            self._doubted = None
            self._only = request_time_ms
            self._set(low, high, received_ns)
            return True
        old_low, old_high = self._aged(received_ns)
        if low <= old_high and high >= old_low:
            self._doubted = None
            if request_time_ms != self._only:
                self._only = None
            self._set(max(low, old_low), min(high, old_high), received_ns)
        elif self._gap(low, high, old_low, old_high) < 1_000 * MS_NS:
            # Servers behind one address disagree by a little: both may be right, so keep what covers both.
            self._set(min(low, old_low), max(high, old_high), received_ns)
        elif self._agrees_with_doubted(request_time_ms, low, high, received_ns):
            self._only = None
            self._set(low, high, received_ns)
            return True
        return False

    def resync(self, request_time_ms: int, sent_ns: int, received_ns: int) -> None:
        """
        Forget what was known and start from this answer: the exchange has just refused our timestamp.
        """
        self._doubted = None
        low, high = self._interval(request_time_ms, sent_ns, received_ns)
        if self._low_ns is not None:
            old_low, old_high = self._aged(received_ns)
            if low <= old_high and high >= old_low:
                _ = self.observe(request_time_ms, sent_ns, received_ns)
                return
        self._only = request_time_ms
        self._set(low, high, received_ns)

    def estimate_ms(self, at_ns: int) -> int:
        """The exchange's time at that monotonic ns, as well as it is known; before any answer, the wall clock."""
        if self._low_ns is None:
            return (at_ns + self._local_guess_ns(self._clock.monotonic_ns())) // MS_NS
        return (at_ns + (self._low_ns + self._high_ns) // 2) // MS_NS

    def bounds_ms(self, at_ns: int) -> tuple[int, int] | None:
        """
        Earliest and latest that the exchange's clock can have shown at that monotonic ns, or `None` before
        the first answer. One stamp alone could be a stale copy: until a second agrees, the wall clock may be right too.
        """
        if self._low_ns is None:
            return None
        low, high = self._aged(at_ns)
        if self._only is not None:
            local = self._local_guess_ns(self._clock.monotonic_ns())
            low, high = min(low, local), max(high, local)
        return (at_ns + low) // MS_NS, -(-(at_ns + high) // MS_NS)

    def offset_ms(self, at_ns: int) -> tuple[int, int] | None:
        """
        What the exchange's clock shows more than this machine's wall clock, and how far that can be off either way;
        `None` before the first answer.
        """
        bounds = self.bounds_ms(at_ns)
        if bounds is None:
            return None
        estimate_ms = self.estimate_ms(at_ns)
        local_ms = (at_ns + self._local_guess_ns(self._clock.monotonic_ns())) // MS_NS
        return estimate_ms - local_ms, max(bounds[1] - estimate_ms, estimate_ms - bounds[0])

    @classmethod
    def _interval(cls, request_time_ms: int, sent_ns: int, received_ns: int) -> tuple[int, int]:
        """The offsets that an answer allows, as of its arrival: the upper one holds at the sending, so it is aged."""
        age = (received_ns - sent_ns) * cls.AGE_PPM // 1_000_000
        return request_time_ms * MS_NS - received_ns, (request_time_ms + 1) * MS_NS - sent_ns + age

    def _set(self, low: int, high: int, as_of_ns: int) -> None:
        self._low_ns, self._high_ns, self._as_of_ns = low, high, as_of_ns

    def _aged(self, at_ns: int) -> tuple[int, int]:
        assert self._low_ns is not None
        age = abs(at_ns - self._as_of_ns) * self.AGE_PPM // 1_000_000
        return self._low_ns - age, self._high_ns + age

    def _local_guess_ns(self, at_ns: int) -> int:
        return self._clock.epoch_ms() * MS_NS - at_ns

    @staticmethod
    def _gap(low: int, high: int, old_low: int, old_high: int) -> int:
        return max(low - old_high, old_low - high)

    def _agrees_with_doubted(self, request_time_ms: int, low: int, high: int, received_ns: int) -> bool:
        """
        Whether the answer before this one, which was not believed, says the same. It must be another stamp, and the
        intervals must overlap: copies of one stale answer tell one time at once, or an offset that moves.
        """
        doubted, self._doubted = self._doubted, (request_time_ms, low, high, received_ns)
        if doubted is None or doubted[0] == request_time_ms:
            return False
        age = (received_ns - doubted[3]) * self.AGE_PPM // 1_000_000
        agrees = self._gap(low, high, doubted[1] - age, doubted[2] + age) <= 0
        if agrees:
            self._doubted = None
        return agrees
