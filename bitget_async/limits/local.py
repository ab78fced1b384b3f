"""
Waiting for tokens inside one process, and the registry that lets all clients of one account share them.

Buckets belong to (exchange, account or address, endpoint) and to the running event loop. They outlive the
clients: a new client of the same account finds the tokens where the last one left them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Protocol

from bitget_async.clock import Clock
from bitget_async.endpoints import Endpoint, Scope
from bitget_async.errors import NotSent, UsageError
from bitget_async.limits.bucket import Bucket, Lease
from bitget_async.limits.pace import Pace
from bitget_async.models import BucketState

if TYPE_CHECKING:
    from bitget_async.limits.ledger import Ledger

__all__ = ["Grant", "Limits", "Line", "LocalLimits", "Unlimited"]


class Grant(Protocol):
    """A token taken for one copy of one request. Exactly one of its ends is called."""

    def answered(self, now: int, remaining: int | None) -> int:
        """
        A whole answer arrived at `now`, with that many calls left by its header. Returns how many free tokens were put
        to rest because that is less than was thought: somebody else spends them too.
        """

    def lost(self, now: int, until_ns: int) -> None:
        """No whole answer; the exchange may process the request until then."""

    def unsent(self) -> None:
        """No byte left."""

    def refused(self, now: int) -> None:
        """The exchange answered "too many requests"."""


class Limits(Protocol):
    """
    What a client asks before every copy of a request. `LocalLimits` is the one to use; others may follow.
    """

    async def acquire(
        self,
        row: Endpoint,
        account: str,
        origin: str,
        *,
        clock: Clock,
        max_wait_s: float | None,
        owner: object,
        first: bool = False,
    ) -> Grant:
        """
        Wait for a token of the row's bucket; with `first`, in front of all who wait without it.

        Raises:
            NotSent: it cannot be had within `max_wait_s` (at once, with the expected wait), or the owner closed.
        """

    def abandon(self, owner: object) -> None:
        """Every waiter of this owner gets `NotSent("closed")`."""


class Line:
    """One bucket and those who wait for it, first come first served; but `first` of them stand before all others."""

    # Whether other processes use the bucket too.
    shared: ClassVar[bool] = False

    def __init__(self, name: str, bucket: Bucket | Ledger) -> None:
        self.name = name
        self.bucket = bucket
        self.waiters: deque[tuple[asyncio.Future[Lease], object, int | None]] = deque()
        self.first = 0
        self.waiting = 0
        self.timer: asyncio.TimerHandle | None = None
        self.due_ns: int | None = None
        self.clock: Clock | None = None
        self.refusals = 0

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
        """Hand free tokens to the first waiters, and see that the one timer is set for the next token."""
        assert self.clock is not None
        now = self.clock.monotonic_ns()
        while self.waiters:
            future, *_ = self.waiters[0]
            if future.done():
                self._next()
                continue
            lease = self.bucket.take(now)
            if lease is None:
                break
            self._next()
            self.waiting -= 1
            future.set_result(lease)
        due_ns = self.bucket.next_ns(now) if self.waiters else None
        if self.timer is not None:
            if due_ns == self.due_ns:
                return
            self.timer.cancel()
            self.timer = None
        if due_ns is not None:
            # At least 10 us: a timer may fire a little early, and a shorter one could spin until its time.
            delay = max(due_ns - now, 10_000) / 1e9
            self.timer = asyncio.get_running_loop().call_later(delay, self._timed)
        self.due_ns = due_ns

    def _timed(self) -> None:
        self.timer = None
        self.wake()

    def leave(self, future: asyncio.Future[Lease]) -> None:
        """A waiter goes without using its place: a token that it was just handed goes straight back."""
        if future.cancelled() or not future.done():
            # Stays in the line until it comes to the front, where `wake` drops it: leaving costs nothing.
            future.cancel()
            self.waiting -= 1
        elif future.exception() is None:
            self.bucket.unsent(future.result())
        self.wake()

    def expected_s(self, ahead: int) -> float:
        """The least wait in seconds behind that many waiters."""
        assert self.clock is not None
        return self.bucket.wait_ns(self.clock.monotonic_ns(), ahead) / 1e9

    def state(self) -> BucketState:
        """How it is now, as far as this process knows."""
        assert self.clock is not None
        now, bucket = self.clock.monotonic_ns(), self.bucket
        return BucketState(
            endpoint=self.name.rsplit("/", 1)[1],
            quota=bucket.capacity,
            free=sum(moment <= 0 for moment in bucket.moments(now)),
            waiting=self.waiting,
            wait_s=bucket.wait_ns(now, self.waiting) / 1e9,
            refusals=self.refusals,
            shared=self.shared,
        )

    def settled(self) -> None:
        """A token's return became known: if somebody waits, look again."""
        if self.waiters:
            self.wake()


class _Token:
    """`Grant` on a line."""

    __slots__ = ("_lease", "_line")

    def __init__(self, line: Line, lease: Lease) -> None:
        self._line = line
        self._lease = lease

    def answered(self, now: int, remaining: int | None) -> int:
        bucket = self._line.bucket
        bucket.answered(self._lease, now)
        rested = 0 if remaining is None else bucket.remaining(remaining, now)
        self._line.settled()
        return rested

    def lost(self, now: int, until_ns: int) -> None:
        self._line.bucket.lost(self._lease, now, until_ns)
        self._line.settled()

    def unsent(self) -> None:
        self._line.bucket.unsent(self._lease)
        self._line.settled()

    def refused(self, now: int) -> None:
        line = self._line
        line.bucket.answered(self._lease, now)
        line.bucket.tighten(now)
        line.refusals += 1
        line.settled()


class LocalLimits:
    """
    Token buckets for all clients of this process on one event loop. By default clients share `LocalLimits.shared()`.

    Args:
        share: the part of each documented quota to use, above 0 and up to 1 (never less than one token): what is
            left is for other processes of the same account.
    """

    _of_loop: ClassVar[dict[asyncio.AbstractEventLoop, LocalLimits]] = {}

    def __init__(self, share: float = 1.0) -> None:
        if not 0 < share <= 1:
            raise UsageError(f"share must be above 0 and at most 1, not {share!r}")
        self._share = share
        self._lines: dict[tuple[str, str, str], Line] = {}
        self._pace = Pace()

    @classmethod
    def shared(cls) -> LocalLimits:
        """The limits that belong to the running loop."""
        loop = asyncio.get_running_loop()
        limits = cls._of_loop.get(loop)
        if limits is None:
            for closed in [each for each in cls._of_loop if each.is_closed()]:
                del cls._of_loop[closed]
            limits = cls._of_loop[loop] = cls()
        return limits

    async def acquire(
        self,
        row: Endpoint,
        account: str,
        origin: str,
        *,
        clock: Clock,
        max_wait_s: float | None,
        owner: object,
        first: bool = False,
    ) -> Grant:
        """See `Limits.acquire`. A cancelled waiter leaves no trace."""
        asked_ns = clock.monotonic_ns()
        line = self._line(row, account, origin, clock)
        lease = None if line.waiting else line.bucket.take(asked_ns)
        if lease is None:
            lease = await self._queued(line, row, max_wait_s, owner, first=first)
        if not row.cancels:
            left_s = None if max_wait_s is None else max_wait_s - (clock.monotonic_ns() - asked_ns) / 1e9
            try:
                await self._pace.wait(row, origin, left_s, owner)
            except BaseException:
                line.bucket.unsent(lease)
                line.settled()
                raise
        return _Token(line, lease)

    def outlook(self, row: Endpoint, account: str, origin: str, *, clock: Clock) -> list[int]:
        """When each token of the row's bucket is free, in nanoseconds from now, if nobody else takes it."""
        line = self._line(row, account, origin, clock)
        return line.bucket.moments(clock.monotonic_ns(), line.waiting)

    def states(self, account: str, origin: str) -> tuple[BucketState, ...]:
        """How the buckets of that account and of the address are that were used so far, by endpoint."""
        lines = (line for (where, whose, _), line in self._lines.items() if where == origin and whose in (account, ""))
        return tuple(sorted((line.state() for line in lines), key=lambda each: each.endpoint))

    def _line(self, row: Endpoint, account: str, origin: str, clock: Clock) -> Line:
        key = (origin, account if row.quota.scope is Scope.UID else "", row.path)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(row.label, Bucket(max(1, int(row.quota.per_s * self._share))))
        line.clock = clock
        return line

    def abandon(self, owner: object) -> None:
        """See `Limits.abandon`."""
        for line in self._lines.values():
            for future, waiting, _ in line.waiters:
                if waiting is owner and not future.done():
                    line.waiting -= 1
                    future.set_exception(NotSent("closed", endpoint=line.name))
        self._pace.abandon(owner)

    async def _queued(self, line: Line, row: Endpoint, left_s: float | None, owner: object, *, first: bool) -> Lease:
        if left_s is not None and (expected_s := line.expected_s(line.first if first else line.waiting)) > left_s:
            raise NotSent("rate_limit", endpoint=row.label, expected_wait_s=expected_s)
        future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        assert line.clock is not None
        until_ns = None if left_s is None else line.clock.monotonic_ns() + round(left_s * 1e9)
        line.join(future, owner, until_ns, first=first)
        try:
            async with asyncio.timeout(left_s):
                return await future
        except TimeoutError:
            line.leave(future)
            raise NotSent("rate_limit", endpoint=row.label, expected_wait_s=line.expected_s(0)) from None
        except BaseException:
            line.leave(future)
            raise


class _Free:
    """`Grant` of nothing."""

    def answered(self, now: int, remaining: int | None) -> int:
        return 0

    def lost(self, now: int, until_ns: int) -> None:
        pass

    def unsent(self) -> None:
        pass

    def refused(self, now: int) -> None:
        pass


class Unlimited:
    """No limits at all, for benchmarks on loopback; a client refuses it anywhere else."""

    async def acquire(
        self,
        row: Endpoint,
        account: str,
        origin: str,
        *,
        clock: Clock,
        max_wait_s: float | None,
        owner: object,
        first: bool = False,
    ) -> Grant:
        """A grant at once."""
        return _FREE

    def abandon(self, owner: object) -> None:
        """Nobody waits."""


_FREE = _Free()
