"""
Where the processor time of a signed command and of a page of 100 orders goes, by room of the package and by library.

By Python's own profiler, ten calls in flight, against the raw server. The profiler makes Python's functions dearer than
those in C, so the shares are rough, and the totals larger than in `stack_overhead`; what it is for is to find what
dominates, and to see that it is gone: `--beside` profiles another version of the package next to this one.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import pstats
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from _common import arguments, cores, machine, pin, report, server, sized, where
from _contenders import Call, Ours

KINDS = {"place": "a signed command", "page": "a page of 100 orders", "looked": "a page of 100 as the watcher reads it"}
KERNEL = ("socket", "select", "epoll")
LEAST_US = 1.0


def room_of(file: str, function: str) -> str:
    """What a function belongs to."""
    if file in ("~", ""):
        if any(word in function for word in KERNEL):
            return "the kernel: sockets and waiting"
        if "Decoder" in function or "decode" in function or "loads" in function:
            return "msgspec and orjson"
        return "other built-ins"
    parts = Path(file).parts
    if "bitget_async" in parts:
        inside = parts[len(parts) - parts[::-1].index("bitget_async") :]
        return "bitget_async." + inside[0].removesuffix(".py")
    for library in ("aiohttp", "yarl", "multidict", "asyncio"):
        if library in parts:
            return library
    return "the rest of Python"


async def profiled(ours: Ours, kind: str, calls: int) -> dict[str, float]:
    """Microseconds a call by room."""
    made: dict[str, Call] = {"place": ours.place, "page": lambda: ours.page(100), "looked": ours.looked}
    call = made[kind]

    async def caller(left: Any) -> None:
        for _ in left:
            _ = await call()

    async def all_of(count: int) -> None:
        left = iter(range(count))
        _ = await asyncio.gather(*(caller(left) for _ in range(10)))

    await all_of(30)
    # Processor time, not the clock: what waits, or is kept from the core, costs nothing.
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    await all_of(calls)
    profile.disable()
    found: dict[str, float] = defaultdict(float)
    stats: Any = pstats.Stats(profile)
    for (file, _, function), (_, _, own_s, _, _) in stats.stats.items():
        found[room_of(file, function)] += own_s * 1e6 / calls
    return found


async def inner(base_url: str, calls: int) -> dict[str, dict[str, float]]:
    """All kinds, in a process of its own."""
    ours = Ours(base_url)
    found = {kind: await profiled(ours, kind, calls if kind == "place" else max(1, calls // 3)) for kind in KINDS}
    await ours.close()
    return found


def outer(base_url: str, core: int, calls: int, package: Path | None) -> dict[str, dict[str, float]]:
    """The same of this package, or of one that stands elsewhere."""
    env = {**os.environ, "PYTHONPATH": str(package)} if package else None
    command = [sys.executable, str(Path(__file__)), "--inner", base_url, str(core), str(calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env, timeout=300)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def rows_of(now: dict[str, float], before: dict[str, float] | None) -> list[dict[str, Any]]:
    """One table, the dearest first."""
    rooms = sorted({*now, *(before or {})}, key=lambda room: -max(now.get(room, 0), (before or {}).get(room, 0)))
    rows = []
    for room in rooms:
        row: dict[str, Any] = {"room": room, "us": now.get(room, 0.0)}
        if before is not None:
            row["us before"] = before.get(room, 0.0)
        if max(row["us"], row.get("us before", 0.0)) >= LEAST_US:
            rows.append(row)
    total = {"room": "all", "us": sum(now.values())}
    return [*rows, total if before is None else total | {"us before": sum(before.values())}]


NOTES = "us: microseconds a call that the functions of a room take themselves, by the profiler"


def main() -> None:
    """Run, and print the tables."""
    if sys.argv[1:2] == ["--inner"]:
        pin(int(sys.argv[3]))
        print(json.dumps(asyncio.run(inner(sys.argv[2], int(sys.argv[4])))))
        return
    parser = arguments(__doc__)
    parser.add_argument("--beside", type=Path, help="folder of another version of this package")
    args = parser.parse_args()
    calls = sized(args, 1500, 300, 3)
    header, (mine, other) = machine(), cores()
    with server(other) as base_url:
        now = outer(base_url, mine, calls, None)
        before = outer(base_url, mine, calls, args.beside) if args.beside else None
    header["spread"] = f"{calls} commands, a third of it pages, {where(mine)}"
    sections = {title: rows_of(now[kind], before[kind] if before else None) for kind, title in KINDS.items()}
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
