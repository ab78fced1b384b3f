"""
Arrivals in the worst sliding second at a server that allows five a second.

Callers ask a limiter at once, send, and are answered. On the way to the server and on the way back each message
takes a random time. The server notes when it processes each request; nothing else counts. Everything runs in virtual
time, so the figures are exact and the same on every machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from _common import VirtualLoop, dump, machine, show
from aiolimiter import AsyncLimiter

from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.limits import LocalLimits

LIMIT = CANCEL_SYMBOL_ORDER.quota.per_s
ROUND_NS = 1_000
SECOND_NS = 1_000_000_000

Slot = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for permission on entry; left when the answer has come."""


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


def leaky(rate: int, period_s: float) -> Callable[[], Slot]:
    """`aiolimiter.AsyncLimiter(rate, period_s)`."""

    def make() -> Slot:
        limiter = AsyncLimiter(rate, period_s)
        return lambda: limiter

    return make


def window() -> Slot:
    """The exact window at the client: a call starts a second after the fifth start before it."""
    starts: deque[float] = deque(maxlen=LIMIT)
    turn = asyncio.Lock()

    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with turn:
            if len(starts) == LIMIT:
                await asyncio.sleep(max(0.0, starts[0] + 1.0 - loop.time()))
            starts.append(loop.time())
        yield

    return slot


LIMITERS: dict[str, Callable[[], Slot]] = {
    "bitget_async LocalLimits": ours,
    "exact window of 1 s at the client": window,
    f"aiolimiter({LIMIT}, 1 s)": leaky(LIMIT, 1.0),
    f"aiolimiter(1, {1 / LIMIT:g} s)": leaky(1, 1 / LIMIT),
}


@dataclass
class Run:
    """One seed: when each request was sent and when the server processed it, in seconds of virtual time."""

    sent: list[float]
    processed: list[float]

    @property
    def worst_second(self) -> int:
        """Most requests processed in any half-open second."""
        moments = sorted(round(at * 1e9 / ROUND_NS) * ROUND_NS for at in self.processed)
        first, worst = 0, 0
        for last, at in enumerate(moments):
            while at - moments[first] >= SECOND_NS:
                first += 1
            worst = max(worst, last - first + 1)
        return worst


def simulate(loop: VirtualLoop, make: Callable[[], Slot], callers: int, jitter_s: float, seed: int) -> Run:
    """Let that many callers go at once."""
    rng, run = random.Random(seed), Run([], [])
    travel = [(rng.uniform(0, jitter_s), rng.uniform(0, jitter_s)) for _ in range(callers)]

    async def caller(slot: Slot, there_s: float, back_s: float, start: float) -> None:
        async with slot():
            run.sent.append(loop.time() - start)
            await asyncio.sleep(there_s)
            run.processed.append(loop.time() - start)
            await asyncio.sleep(back_s)

    async def everybody() -> None:
        slot, start = make(), loop.time()
        work: list[Awaitable[None]] = [caller(slot, there_s, back_s, start) for there_s, back_s in travel]
        await asyncio.gather(*work)

    loop.run_until_complete(everybody())
    if len(run.processed) != callers:
        raise RuntimeError("a request got lost")
    return run


def measure(name: str, callers: int, jitter_s: float, seeds: int) -> dict[str, Any]:
    """One line of the table."""
    loop = VirtualLoop()
    try:
        runs = [simulate(loop, LIMITERS[name], callers, jitter_s, seed) for seed in range(seeds)]
    finally:
        loop.close()
    worst = [run.worst_second for run in runs]
    last_s = [max(run.sent) for run in runs]
    # Each way takes half the jitter on average, so a cycle is a second and one mean round trip.
    bound_s = (callers / LIMIT - 1) * (1.0 + jitter_s)
    return {
        "limiter": name,
        "callers": callers,
        "jitter ms": jitter_s * 1000,
        "worst second": max(worst),
        "median worst": statistics.median_low(worst),
        "breach %": 100.0 * sum(each > LIMIT for each in worst) / seeds,
        "first five s": statistics.median(sorted(run.sent)[LIMIT - 1] for run in runs),
        "last sent s": statistics.median(last_s),
        "bound s": bound_s,
        "ratio": statistics.median(last_s) / bound_s,
        "worst ratio": max(last_s) / bound_s,
    }


NOTES = f"""\
worst second    most requests that the server processed in any sliding second, over all seeds (the limit is {LIMIT})
breach %        share of the seeds in which some second held more than {LIMIT}
first five s    when the fifth request was sent; last sent s: the last one (medians over the seeds)
bound s         (callers / {LIMIT} - 1) x (1 s + mean round trip): a token comes back 1 s after the answer
ratio           last sent / bound (median; largest); a limiter below 1 sends before it can know that a second has passed
                at the server"""


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 seeds instead of 500")
    parser.add_argument("--seeds", type=int, help="how many seeds")
    parser.add_argument("--callers", type=int, nargs="+", default=[30, 50], help="how many callers at once")
    parser.add_argument("--jitter-ms", type=float, nargs="+", default=[0.0, 300.0], help="longest delay of one way")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    args = parser.parse_args()
    seeds = args.seeds or (50 if args.quick else 500)
    header, began = machine(), time.perf_counter()
    sections: list[tuple[str, list[dict[str, Any]]]] = []
    for jitter_ms in args.jitter_ms:
        for callers in args.callers:
            rows = [measure(name, callers, jitter_ms / 1000, seeds) for name in LIMITERS]
            way = f"each way takes 0-{jitter_ms:.0f} ms" if jitter_ms else "the network takes no time"
            sections.append((f"{callers} callers at once, {way}", rows))
    header["spread"] = f"{seeds} seeds a line, virtual time, {time.perf_counter() - began:.1f} s real time"
    if args.json:
        dump(header, {"rows": [row for _, rows in sections for row in rows]})
    else:
        shown = [
            (title, [{k: v for k, v in row.items() if k not in ("callers", "jitter ms")} for row in rows])
            for title, rows in sections
        ]
        show(header, shown, NOTES)


if __name__ == "__main__":
    main()
