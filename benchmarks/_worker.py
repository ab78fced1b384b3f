"""
One contender in a process of its own, so that no client carries what another one has imported.

`python _worker.py NAME LOOP URL CPU` prints `ready`, then answers one line of JSON for each line that it reads: what so
many calls of a kind cost, so many at a time. Between them it does nothing at all.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _common import pin
from _contenders import CONTENDERS, Call, Contender

ATTEMPTS = 3


class Worker:
    """The benchmark's end of it."""

    def __init__(self, name: str, loop: str, base_url: str, core: int, package: Path | None = None) -> None:
        self.name, self.loop = name, loop
        command = [sys.executable, str(Path(__file__)), "ours" if package else name, loop, base_url, str(core)]
        env = {**os.environ, "PYTHONPATH": str(package)} if package else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ready(self) -> None:
        """Wait until it is. Raises RuntimeError: it has read an answer wrongly, or did not come up."""
        assert self.process.stdout is not None
        if (line := self.process.stdout.readline()) != "ready\n":
            raise RuntimeError(f"{self.name} on {self.loop}: {line or 'ended'}")

    def spent(self, kind: str, in_flight: int, calls: int) -> dict[str, float]:
        """Processor time and time on the clock, microseconds a call, and how long the calls took, milliseconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"kind": kind, "in_flight": in_flight, "calls": calls}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} on {self.loop} ended in the middle of {kind}")
        found: dict[str, float] = json.loads(line)
        return found

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def workers(
    names: list[str], loops: list[str], base_url: str, core: int, packages: dict[str, Path] | None = None
) -> Iterator[list[Worker]]:
    """One for each contender and loop; by some names our own package as it stands elsewhere."""
    elsewhere = packages or {}
    made = [Worker(name, loop, base_url, core, elsewhere.get(name)) for name in names for loop in loops]
    try:
        for each in made:
            each.ready()
        yield made
    finally:
        for each in made:
            each.close()


def call_of(contender: Any, kind: str) -> tuple[Call, Call | None]:
    """A call of that kind, and what comes after all of them."""
    if kind == "proven":
        return contender.proven, contender.settled
    if kind == "looked":
        return contender.looked, None
    if kind == "place":
        return contender.place, None
    rows = int(kind.removeprefix("page"))
    return lambda: contender.page(rows), None


async def spend(call: Call, calls: int, in_flight: int, rest: Call | None, took: list[float]) -> None:
    """Make that many calls, so many at a time, and what comes after them."""
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            began = time.perf_counter()
            _ = await call()
            took.append(time.perf_counter() - began)

    _ = await asyncio.gather(*(caller() for _ in range(in_flight)))
    if rest is not None:
        _ = await rest()


async def measured(contender: Contender, kind: str, in_flight: int, calls: int) -> dict[str, float]:
    """The same, warmed up and with its costs."""
    call, rest = call_of(contender, kind)
    # Connections that were idle too long are opened again before the clock runs.
    await spend(call, max(in_flight, 5), in_flight, rest, [])
    gc.collect()
    took: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    await spend(call, calls, in_flight, rest, took)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    took.sort()
    return {
        "cpu_us": cpu * 1e6 / calls,
        "wall_us": wall * 1e6 / calls,
        "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[len(took) * 99 // 100] * 1e3,
    }


def runner_of(loop: str) -> asyncio.Runner:
    """A runner on asyncio's own loop, or on uvloop's."""
    if loop == "uvloop":
        import uvloop

        return asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return asyncio.Runner()


async def begin(make: Any, base_url: str) -> tuple[Any, bool]:
    """A contender, and whether it reads answers as it should."""
    made = make(base_url)
    return made, made.right(await made.place(), await made.page(100))


def insisted(runner: asyncio.Runner, contender: Contender, asked: dict[str, Any]) -> dict[str, float]:
    """The measurement, made again where the machine was too busy for a client's own timeouts."""
    for _ in range(ATTEMPTS - 1):
        try:
            return runner.run(measured(contender, **asked))
        except Exception as error:
            print(f"{type(contender).__name__}, {asked}: {type(error).__name__}; measured again", file=sys.stderr)
    return runner.run(measured(contender, **asked))


def main(name: str, loop: str, base_url: str, core: int) -> None:
    """Serve standard input."""
    pin(core)
    with runner_of(loop) as runner:
        contender, right = runner.run(begin(CONTENDERS[name], base_url))
        # What was made so far stays: the collector need not look at it in the middle of a measurement.
        gc.collect()
        gc.freeze()
        print("ready" if right else "an answer was not read as it should be", flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(insisted(runner, contender, asked)), flush=True)
        runner.run(contender.close())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
