"""Those who wait for something that comes back in time, first come first served."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from bitget_async.clock import Clock
from bitget_async.errors import NotSent
from bitget_async.limits.bucket import Lease

__all__ = ["Queue", "Source"]


class _AbandonedError(Exception):
    """The owner of a waiter has closed."""


class Source(Protocol):
    """What is waited for: arithmetic on `now`, monotonic nanoseconds."""

    def take(self, now: int) -> Lease | None:
        """One of it, or `None` while there is none."""

    def unsent(self, lease: Lease) -> None:
        """It was not used: it is there again at once."""

    def next_ns(self, now: int) -> int | None:
        """When there may next be one: `now`, a later moment, or `None` while nobody can tell."""

    def wait_ns(self, now: int, ahead: int) -> int:
        """The least wait for somebody with that many waiters before him."""


class Queue:
    """
    A source and those who wait for it, first come first served; but `first` of them stand before all others.

    Args:
        source: see there.
        detail: what an error says about it.
    """

    def __init__(self, source: Source, detail: str = "") -> None:
        self.waiters: deque[tuple[asyncio.Future[Lease], object, int | None]] = deque()
        self.first = 0
        self.waiting = 0
        self.timer: asyncio.TimerHandle | None = None
        self.clock: Clock | None = None
        self._source = source
        self._detail = detail

    async def lease(self, endpoint: str, left_s: float | None, owner: object, *, first: bool = False) -> Lease:
        """
        One of the source, after those who stand before.

        Raises:
            NotSent: it cannot be had within `left_s` (at once, with the expected wait), or the owner closed.

        Cancelling: leaves no trace.
        """
        assert self.clock is not None
        lease = None if self.waiting else self._source.take(self.clock.monotonic_ns())
        if lease is not None:
            return lease
        expected_s = self.expected_s(self.first if first else self.waiting)
        if left_s is not None and expected_s > left_s:
            raise NotSent("rate_limit", endpoint=endpoint, expected_wait_s=expected_s, detail=self._detail)
        future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        until_ns = None if left_s is None else self.clock.monotonic_ns() + round(left_s * 1e9)
        self.join(future, owner, until_ns, first=first)
        try:
            async with asyncio.timeout(left_s):
                return await future
        except TimeoutError:
            self.leave(future)
            expected_s = self.expected_s(0)
            raise NotSent("rate_limit", endpoint=endpoint, expected_wait_s=expected_s, detail=self._detail) from None
        except _AbandonedError:
            raise NotSent("closed", endpoint=endpoint) from None
        except BaseException:
            self.leave(future)
            raise

    def join(self, future: asyncio.Future[Lease], owner: object, until_ns: int | None, *, first: bool) -> None:
        """One more waiter, at the end of his part of the line; he will not wait longer than that."""
        self.waiting += 1
        if first:
            self.waiters.insert(self.first, (future, owner, until_ns))
            self.first += 1
        else:
            self.waiters.append((future, owner, until_ns))
        self.wake()

    def _next(self) -> None:
        """Whoever stood at the front is gone."""
        self.waiters.popleft()
        self.first = max(self.first - 1, 0)

    def wake(self) -> None:
        """Serve the first waiters, and set the one timer for the next of them."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        assert self.clock is not None
        now = self.clock.monotonic_ns()
        while self.waiters:
            future, *_ = self.waiters[0]
            if future.done():
                self._next()
                continue
            lease = self._source.take(now)
            if lease is None:
                break
            self._next()
            self.waiting -= 1
            future.set_result(lease)
        if self.waiters:
            at = self._source.next_ns(now)
            if at is not None:
                # At least 10 us: a timer may fire a little early, and a shorter one could spin until its time.
                delay = max(at - now, 10_000) / 1e9
                self.timer = asyncio.get_running_loop().call_later(delay, self.wake)

    def leave(self, future: asyncio.Future[Lease]) -> None:
        """A waiter goes without using its place: what it was just handed goes straight back."""
        if future.cancelled() or not future.done():
            # Stays in the line until it comes to the front, where `wake` drops it: leaving costs nothing.
            future.cancel()
            self.waiting -= 1
        elif future.exception() is None:
            self._source.unsent(future.result())
        self.wake()

    def abandon(self, owner: object) -> None:
        """Every waiter of this owner gets `NotSent("closed")`."""
        for future, waiting, _ in self.waiters:
            if waiting is owner and not future.done():
                self.waiting -= 1
                future.set_exception(_AbandonedError())

    def expected_s(self, ahead: int) -> float:
        """The least wait in seconds behind that many waiters."""
        assert self.clock is not None
        return self._source.wait_ns(self.clock.monotonic_ns(), ahead) / 1e9
