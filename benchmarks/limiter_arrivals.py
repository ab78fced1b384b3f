"""
Limiters that are to keep five requests a second: what the server sees, what a waiter costs, who is overtaken and what
a cancelled waiter takes along.

Callers ask a limiter at once, send, and are answered. On the way to the server and on the way back each message
takes a random time. The server notes when it processes each request; nothing else counts. Everything but the cost runs
in virtual time, so the figures are exact and the same on every machine; the cost is real processor time.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heapreplace
from typing import Any

from _common import VirtualLoop, arguments, machine, ratio, report, sized
from _limiters import LIMIT, POLLS, Slot, loop_time, present

PACKAGES = ("aiolimiter", "ccxt", "limits", "pyrate-limiter", "throttled-py")
ROUND_NS = 1_000
SECOND_NS = 1_000_000_000
CALLERS = 50
# The least and the longest delay of one way, milliseconds.
NETWORKS = {"the network takes no time": (0, 0), "20 ms each way": (20, 20), "each way takes 0-300 ms": (0, 300)}
CROWDS = (1, 100, 10_000)


@contextmanager
def virtual() -> Iterator[VirtualLoop]:
    """A loop for one run, whose tasks end with it."""
    loop = VirtualLoop()
    try:
        with loop_time():
            yield loop
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


@dataclass
class Run:
    """
    One seed: how long each request is on its way there and back, when it was sent, and when the server processed it, in
    seconds of virtual time.
    """

    travel: list[tuple[float, float]]
    sent: list[float] = field(default_factory=list)
    processed: list[float] = field(default_factory=list)

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

    @property
    def bound_s(self) -> float:
        """When the last one leaves if a token is back exactly a second after the answer to its request."""
        tokens = [0.0] * LIMIT
        for there_s, back_s in self.travel[:-1]:
            _ = heapreplace(tokens, tokens[0] + there_s + back_s + 1.0)
        return tokens[0]


def simulate(make: Callable[[], Slot], network: tuple[int, int], seed: int) -> Run:
    """Let all callers go at once."""
    rng = random.Random(seed)
    least_s, longest_s = network[0] / 1000, network[1] / 1000
    run = Run([(rng.uniform(least_s, longest_s), rng.uniform(least_s, longest_s)) for _ in range(CALLERS)])

    async def everybody(loop: VirtualLoop) -> None:
        slot = make()

        async def caller(there_s: float, back_s: float) -> None:
            async with slot():
                run.sent.append(loop.time())
                await asyncio.sleep(there_s)
                run.processed.append(loop.time())
                await asyncio.sleep(back_s)

        work: list[Awaitable[None]] = [caller(there_s, back_s) for there_s, back_s in run.travel]
        _ = await asyncio.gather(*work)

    with virtual() as loop:
        loop.run_until_complete(everybody(loop))
    if len(run.processed) != CALLERS:
        raise RuntimeError("a request got lost")
    return run


def arrivals(name: str, make: Callable[[], Slot], network: tuple[int, int], seeds: int) -> dict[str, Any]:
    """One line of the tables of arrivals."""
    if name in POLLS:
        seeds = max(1, seeds // 10)
    runs = [simulate(make, network, seed) for seed in range(seeds)]
    worst = [run.worst_second for run in runs]
    last_s = [max(run.sent) for run in runs]
    bound_s = statistics.median(run.bound_s for run in runs)
    return {
        "limiter": name,
        "seeds": seeds,
        "worst second": max(worst),
        "median worst": statistics.median_low(worst),
        "breach %": 100.0 * sum(each > LIMIT for each in worst) / seeds,
        "first five ms": 1000 * statistics.median(sorted(run.sent)[LIMIT - 1] for run in runs),
        "fifty s": statistics.median(last_s),
        "bound s": bound_s,
        "ratio": statistics.median(last_s) / bound_s,
        "worst ratio": max(at_s / run.bound_s for at_s, run in zip(last_s, runs, strict=True)),
    }


def moments(make: Callable[[], Slot]) -> list[float]:
    """When the server processes each of the fifty with 0-300 ms each way, of one seed, for the picture."""
    return [round(at, 3) for at in sorted(simulate(make, NETWORKS["each way takes 0-300 ms"], 1).processed)]


def grant_us(make: Callable[[], Slot], waiters: int, grants: int, budget_s: float) -> float:
    """Processor time for one grant while so many wait, microseconds: whoever had one stands in line again."""
    spent: list[float] = []

    async def measure() -> None:
        slot, done = make(), asyncio.Event()
        seen, began_s = 0, 0.0
        # Apart, so that tokens come back one at a time: then a single caller waits for each grant, too.
        for _ in range(LIMIT):
            async with slot():
                pass
            await asyncio.sleep(1 / LIMIT)

        async def caller() -> None:
            nonlocal seen, began_s
            while True:
                async with slot():
                    pass
                seen += 1
                # Everybody has stood in line by then.
                if seen == 2 * LIMIT:
                    began_s = time.process_time()
                elif seen > 2 * LIMIT and not spent:
                    used_s = time.process_time() - began_s
                    if seen == 2 * LIMIT + grants or (used_s > budget_s and seen > 3 * LIMIT):
                        spent.append(used_s * 1e6 / (seen - 2 * LIMIT))
                        done.set()

        tasks = [asyncio.ensure_future(caller()) for _ in range(waiters)]
        _ = await done.wait()
        for task in tasks:
            task.cancel()

    gc.collect()
    gc.disable()
    try:
        with virtual() as loop:
            loop.run_until_complete(measure())
    finally:
        gc.enable()
    return spent[0]


def costs(
    limiters: dict[str, Callable[[], Slot]], crowds: tuple[int, ...], rounds: int, grants: int, budget_s: float
) -> list[dict[str, Any]]:
    """What a grant costs with so many waiters, in turns."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for name, make in limiters.items():
            for waiters in crowds:
                found.setdefault((name, waiters), []).append(grant_us(make, waiters, grants, budget_s))
    return [
        {
            "limiter": name,
            **{f"us, {waiters:,}": statistics.median(found[name, waiters]) for waiters in crowds},
            **ratio(found[name, crowds[-1]], found[name, crowds[0]]),
        }
        for name in limiters
    ]


def overtaken(make: Callable[[], Slot]) -> int:
    """
    Thirty callers wait, the program stands still for three seconds, and twenty more come: how many callers saw somebody
    go who had come after them.
    """
    went: list[int] = []

    async def everybody(loop: VirtualLoop) -> None:
        slot = make()

        async def caller(number: int) -> None:
            async with slot():
                went.append(number)

        callers = [asyncio.ensure_future(caller(number)) for number in range(30)]
        await asyncio.sleep(0.55)
        loop.stall(3.0)
        callers += [asyncio.ensure_future(caller(number)) for number in range(30, 50)]
        _ = await asyncio.gather(*callers)

    with virtual() as loop:
        loop.run_until_complete(everybody(loop))
    return sum(any(later > number for later in went[:at]) for at, number in enumerate(went))


def last_s(make: Callable[[], Slot], *, crowd: bool) -> float:
    """
    Twenty callers behind a burst: when the last of them went. With the crowd there are two more behind each of them,
    who are cancelled at the moment when he goes: some of them have just been let go too.
    """
    went: list[float] = []

    async def everybody(loop: VirtualLoop) -> None:
        slot = make()
        tasks: dict[tuple[int, int], asyncio.Future[None]] = {}

        async def caller(number: int, place: int) -> None:
            async with slot():
                if not place and number >= LIMIT:
                    went.append(loop.time())
                    for behind in (1, 2):
                        if crowd:
                            tasks[number, behind].cancel()

        for number in range(LIMIT):
            await caller(number, 0)
        for number in range(LIMIT, LIMIT + 20):
            for place in (0, 1, 2) if crowd else (0,):
                tasks[number, place] = asyncio.ensure_future(caller(number, place))
        _ = await asyncio.wait(tasks.values(), timeout=60)

    with virtual() as loop:
        loop.run_until_complete(everybody(loop))
    return went[-1] if len(went) == 20 else float("inf")


def manners(name: str, make: Callable[[], Slot]) -> dict[str, Any]:
    """One line of the table of manners."""
    alone, beside = last_s(make, crowd=False), last_s(make, crowd=True)
    lost = "some never go" if beside == float("inf") else max(0, round((beside - alone) * LIMIT))
    return {"limiter": name, "overtaken": overtaken(make), "lost": str(lost), "alone s": alone, "beside s": beside}


NOTES = f"""\
worst second    most requests that the server processed in any sliding second, over all seeds (the limit is {LIMIT})
breach %        share of the seeds in which some second held more than {LIMIT}
first five ms   when the fifth request was sent; fifty s: the last one (medians over the seeds)
bound s         last sent if a token is back exactly 1 s after the answer to its request, with the same travel times
ratio           last sent / bound (median; largest); a limiter below 1 sends before it can know that a second has passed
                at the server
us              processor time a grant while so many wait, closed loop; ratio: 10,000 waiters by 1, in the same round
overtaken       callers who saw somebody go that had come after them, when the program had stood still for three seconds
lost            tokens that cancelled waiters took along: by how much twenty callers go later among forty cancelled ones
                than alone, in fifths of a second"""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, help="how many seeds where the network takes a random time")
    args = parser.parse_args()
    seeds = args.seeds or sized(args, 200, 20, 1)
    crowds, rounds, grants = sized(args, (CROWDS, 9, 500), (CROWDS, 3, 200), (CROWDS[:2], 1, 10))
    header, began = machine(PACKAGES), time.perf_counter()
    limiters = present() if not args.tiny else {name: make for name, make in present().items() if name not in POLLS}
    sections: dict[str, list[dict[str, Any]]] = {}
    for title, network in NETWORKS.items():
        # Nothing is random then but the phase of a clock.
        many = seeds if network[0] != network[1] else min(seeds, 20)
        rows = [arrivals(name, make, network, many) for name, make in limiters.items()]
        sections[f"{CALLERS} callers at once, {title}"] = rows
    sections["a grant, and how many wait"] = costs(limiters, crowds, rounds, grants, 0.2)
    sections["order and cancelled waiters"] = [manners(name, make) for name, make in limiters.items()]
    header["spread"] = f"up to {seeds} seeds a line, {rounds} rounds of costs, {time.perf_counter() - began:.1f} s"
    if args.json:
        sections["moments"] = [{"limiter": name, "at_s": moments(make)} for name, make in limiters.items()]
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
