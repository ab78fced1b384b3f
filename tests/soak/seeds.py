"""Many histories, each of its own seed: no promise is broken, and a history told again is the same to the last byte."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.measured import machine, progress, write
from tests.soak.story import Played, play

ROOT = Path(__file__).parents[2]
# Each so many-th history has asyncio's debug mode on, which makes it two to three times as dear.
DEBUG_EVERY = 20
PROCESSES = 2
# So many of them are told again, half of those in another process with another order of its sets.
REPLAYS = 20


def base_seed() -> int:
    """`SOAK_SEED`, or the date: every day looks elsewhere, and a failure names its seed."""
    given = os.environ.get("SOAK_SEED")
    return int(given) if given else int(time.strftime("%Y%m%d", time.gmtime())) * 1_000_000


def command(seed: int) -> str:
    """What to type to see a history again."""
    return f"python -m tests.soak seeds --seed {seed} --verbose"


@dataclass
class Tally:
    """What many histories came to."""

    seeds: int = 0
    handles: int = 0
    requests: int = 0
    virtual_s: float = 0.0
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, played: Played) -> None:
        """One more."""
        self.seeds += 1
        self.handles += played.handles
        self.requests += played.requests
        self.virtual_s += played.virtual_s
        if played.failure:
            self.failures[played.seed] = played.failure

    def told(self) -> str:
        """Every failure, and how to see it again."""
        return "\n".join(f"{command(seed)}\n    {failure[:2000]}" for seed, failure in self.failures.items())


def tell(seed: int) -> Played:
    """Play one history, without keeping its log."""
    played = play(seed, debug=seed % DEBUG_EVERY == 0)
    played.log.clear()
    return played


def run(seeds: Iterable[int]) -> Tally:
    """Play them here, one after the other."""
    tally = Tally()
    for seed in seeds:
        tally.add(tell(seed))
    return tally


def digests(seeds: Iterable[int]) -> list[str]:
    """The digest of each history."""
    return [play(seed).digest for seed in seeds]


def digests_elsewhere(seeds: range, hash_seed: int) -> list[str]:
    """The same as another process comes to them, whose sets of texts have another order."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    line = [sys.executable, "-m", "tests.soak", "seeds", "--digest"]
    line += ["--seed", str(seeds.start), "--count", str(len(seeds))]
    told = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return told.stdout.split()


def replays_equal(seeds: range) -> int:
    """Tell each history again, half of them here and half in another process; how many were the same."""
    here, there = seeds[: len(seeds) // 2], seeds[len(seeds) // 2 :]
    again = digests(here) + digests_elsewhere(there, seeds.start % 1000 + 1)
    return sum(one == other for one, other in zip(digests(seeds), again, strict=True))


def many(first: int, count: int) -> int:
    """The long run: on two processes, with a line of progress, kept in docs/measured. Returns 1 if a promise broke."""
    tally, began = Tally(), time.monotonic()
    for played in _spread(range(first, first + count)):
        tally.add(played)
        if played.failure:
            print(f"\n{command(played.seed)}\n    {played.failure[:2000]}", flush=True)
        progress(tally.seeds, count, f"{tally.handles} handles, {len(tally.failures)} failures", began)
    took_s = time.monotonic() - began
    again = range(first, first + min(REPLAYS, count))
    equal = replays_equal(again)
    figures: dict[str, Any] = {
        "seeds": tally.seeds,
        "handles": tally.handles,
        "requests": tally.requests,
        "virtual_hours": round(tally.virtual_s / 3600, 1),
        "failures": len(tally.failures),
        "failed_seeds": sorted(tally.failures)[:100],
        "duration_s": round(took_s),
        "replays": len(again),
        "replays_equal": equal,
    }
    line = f"python -m tests.soak seeds --count {count} --seed {first}"
    write("seeds", {"command": line, "seed": first, **figures, "machine": machine()})
    print(f"\n{figures}")
    return int(bool(tally.failures) or equal < len(again))


def _spread(seeds: range) -> Iterator[Played]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, maxtasksperchild=2000) as pool:
        yield from pool.imap_unordered(tell, seeds, chunksize=10)
