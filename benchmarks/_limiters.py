"""
The limiters that are compared: ours, six that others have written, and an exact window by hand.

All of them are to keep five requests a second, each used as its own documentation says. Time is virtual: those that
read a clock of the operating system have it replaced, in their own modules only, by the loop's; nothing else of them is
touched. Two helpers of theirs are left out because they run in threads: pyrate-limiter's, which throws away what is
older than the window, is not started, and what `limits` hands to a thread runs in place.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from importlib.util import find_spec
from unittest import mock

from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.limits import LocalLimits

LIMIT = CANCEL_SYMBOL_ORDER.quota.per_s
AN_HOUR_S = 3600.0

Slot = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for permission on entry; left when the answer has come."""


class LoopTime:
    """In place of the module `time`: the loop's, since some day at an odd moment."""

    BASE_S = itertools.count(1_000_000, 0.137)

    def __init__(self) -> None:
        self.base_s = next(self.BASE_S)

    def time(self) -> float:
        """Seconds."""
        return self.base_s + asyncio.get_running_loop().time()

    monotonic = time

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return round(self.time() * 1e9)


@contextmanager
def loop_time() -> Iterator[None]:
    """All limiters in the loop's time."""
    clock = LoopTime()
    with ExitStack() as stack:
        for package, name, value in (
            ("ccxt", "ccxt.async_support.base.throttler.time", clock.time),
            ("limits", "limits.aio.storage.memory.time", clock),
            ("pyrate_limiter", "pyrate_limiter.clocks.monotonic_ns", clock.monotonic_ns),
            ("throttled", "throttled.utils.time", clock),
        ):
            if find_spec(package) is not None:
                stack.enter_context(mock.patch(name, value))
        yield


def ours() -> Slot:
    """`LocalLimits`, told of each answer as the session tells it."""
    limits, clock = LocalLimits(), VirtualClock()

    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        grant = await limits.acquire(
            CANCEL_SYMBOL_ORDER, "account", "http://127.0.0.1", clock=clock, max_wait_s=None, owner=limits
        )
        yield
        grant.answered(clock.monotonic_ns(), None)

    return slot


def window() -> Slot:
    """The exact window at the client: a call starts a second after the fifth start before it."""
    starts: deque[float] = deque(maxlen=LIMIT)
    turn = asyncio.Lock()

    async def acquire() -> None:
        loop = asyncio.get_running_loop()
        async with turn:
            if len(starts) == LIMIT:
                await asyncio.sleep(max(0.0, starts[0] + 1.0 - loop.time()))
            starts.append(loop.time())

    return entered(acquire)


def leaky(rate: int, period_s: float) -> Callable[[], Slot]:
    """`aiolimiter.AsyncLimiter(rate, period_s)`."""

    def make() -> Slot:
        from aiolimiter import AsyncLimiter

        limiter = AsyncLimiter(rate, period_s)
        return lambda: limiter

    return make


def pyrate() -> Slot:
    """pyrate-limiter's `Limiter`: a list of the last moments, and a lock for who may look at it."""
    from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate
    from pyrate_limiter.limiter import SingleBucketFactory

    bucket = InMemoryBucket([Rate(LIMIT, Duration.SECOND)])
    limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False))
    return entered(lambda: limiter.try_acquire_async("cancel"))


def throttled(using: str) -> Callable[[], Slot]:
    """throttled-py's `Throttled` with that algorithm: everybody asks again until his turn has come."""

    def make() -> Slot:
        from throttled.asyncio import MemoryStore, Throttled, rate_limiter

        quota = rate_limiter.per_sec(LIMIT)
        limiter = Throttled(key="cancel", using=using, quota=quota, store=MemoryStore(), timeout=AN_HOUR_S)
        return entered(limiter.limit)

    return make


def moving() -> Slot:
    """The moving window of limits, which does not wait: everybody sleeps until it says that there is room again."""
    from limits import RateLimitItemPerSecond
    from limits.aio.storage import MemoryStorage
    from limits.aio.strategies import MovingWindowRateLimiter

    limiter, item = MovingWindowRateLimiter(MemoryStorage()), RateLimitItemPerSecond(LIMIT)

    async def acquire() -> None:
        from limits.aio.storage import memory

        while not await limiter.hit(item, "cancel"):
            reset_s = (await limiter.get_window_stats(item, "cancel")).reset_time
            await asyncio.sleep(max(reset_s - memory.time.time(), 0.001))

    return entered(acquire)


def of_ccxt() -> Slot:
    """The throttler of ccxt as its client of this exchange sets it: a unit each 50 ms, and a cancel costs four."""
    from ccxt.async_support.base.throttler import Throttler

    throttler = Throttler({"delay": 0.001, "capacity": 1, "cost": 1, "refillRate": 1 / 50})
    return entered(lambda: throttler(4))


def entered(acquire: Callable[[], Awaitable[object]]) -> Slot:
    """A limiter that only has a call to wait with."""

    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        _ = await acquire()
        yield

    return slot


OURS = "bitget_async LocalLimits"
LIMITERS: dict[str, tuple[str, Callable[[], Slot]]] = {
    OURS: ("bitget_async", ours),
    "exact window of 1 s, by hand": ("bitget_async", window),
    f"aiolimiter({LIMIT}, 1 s)": ("aiolimiter", leaky(LIMIT, 1.0)),
    f"aiolimiter(1, {1 / LIMIT:g} s)": ("aiolimiter", leaky(1, 1 / LIMIT)),
    "pyrate-limiter": ("pyrate_limiter", pyrate),
    "throttled-py, token bucket": ("throttled", throttled("token_bucket")),
    "throttled-py, sliding window": ("throttled", throttled("sliding_window")),
    "limits, moving window": ("limits", moving),
    "ccxt's throttler": ("ccxt", of_ccxt),
}
# Each of its waits is hundreds of looks at the clock: fewer runs say the same.
POLLS = ("ccxt's throttler",)


def present() -> dict[str, Callable[[], Slot]]:
    """Those whose package is installed."""
    return {name: make for name, (package, make) in LIMITERS.items() if find_spec(package) is not None}
