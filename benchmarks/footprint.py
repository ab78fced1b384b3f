"""
What the client weighs: its import, its first command, its memory after a thousand, and a thousand pending handles.

Import, first command and memory are taken in fresh processes, one for each client and round, in turns; a raw server in
another process answers them. Pending handles are cancellations whose orders that server shows open for ever: what they
cost while they wait, and how much later the loop is for them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

from _common import arguments, cores, machine, pin, report, server, sized, where
from _contenders import Ours, present
from _server import CROWD

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.conftest import run_virtual
from tests.scale.crowds import listed, weight

PACKAGES = ("ccxt", "pybotters", "typed-bitget")
TOGETHER = 20


def fresh(name: str, base_url: str, core: int, commands: int) -> dict[str, float]:
    """One client in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("_fresh.py")), name, base_url, str(core), str(commands)]
    # Compiled modules are kept, as where a program is installed.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def starts(base_url: str, core: int, names: list[str], rounds: int, commands: int) -> list[dict[str, Any]]:
    """The table of fresh processes: in every round each client in turn."""
    rng = random.Random(1)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    # Once for nothing: the compiled modules are written then.
    for number in range(rounds + 1):
        for name in rng.sample(names, len(names)):
            each = fresh(name, base_url, core, commands)
            if number:
                found[name].append(each)
    return [start_row(name, each) for name, each in found.items()]


def start_row(name: str, found: list[dict[str, float]]) -> dict[str, Any]:
    """One line: medians, and the spread of the import."""
    imports = [each["import_s"] for each in found]
    return {
        "client": name,
        "import cpu s": statistics.median(imports),
        "least": min(imports),
        "most": max(imports),
        "first command ms": statistics.median(each["first_ms"] for each in found),
        "of it cpu ms": statistics.median(each["first_cpu_ms"] for each in found),
        "memory MB": statistics.median(each["resident_mb"] for each in found),
    }


async def lags(into: list[float]) -> None:
    """How much later than 10 ms a sleep of 10 ms ends."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        into.append(time.perf_counter() - before - 0.01)


async def watched(title: str, seconds: float, reads: Any) -> dict[str, Any]:
    """Processor time and lag for so long."""
    late: list[float] = []
    gc.collect()
    asked = reads()
    watcher = asyncio.ensure_future(lags(late))
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    watcher.cancel()
    late.sort()
    return {
        "what": title,
        "share of a core %": 100 * cpu / wall,
        "reads a second": (reads() - asked) / wall,
        "lag p50 ms": 1e3 * late[len(late) // 2],
        "lag p99 ms": 1e3 * late[len(late) * 99 // 100],
        "lag max ms": 1e3 * late[-1],
    }


async def waiting(base_url: str, handles: int, seconds: float) -> list[dict[str, Any]]:
    """The loop with no handle, and with so many that have waited for a while."""
    ours = Ours(base_url)
    client = ours.client
    _ = await client.market.server_time()
    reading = client._open().watcher._reading
    background, asked = reading._session.background, 0

    async def counted(*given: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        return await background(*given, **named)

    rows = [await watched("an open client, nothing pending", seconds, lambda: asked)]
    reading._session.background = counted
    for start in range(0, handles, TOGETHER):
        names = [f"S{number}USDT" for number in range(start, min(handles, start + TOGETHER))]
        _ = await asyncio.gather(*(client.cancel_symbol_orders(name, confirm_within_s=3600) for name in names))
    # Until nobody looks quickly any more.
    await asyncio.sleep(min(4.0, seconds))
    if len(client.pending) != handles:
        raise RuntimeError(f"{handles - len(client.pending)} handles are not pending any more")
    rows.append(await watched(f"{handles} pending handles", seconds, lambda: asked))
    await ours.close()
    return rows


def bytes_a_handle(symbols: int) -> list[dict[str, Any]]:
    """What `tests.scale` finds: memory of the client for one handle of one order."""
    tracemalloc.start(1)
    try:
        with listed(symbols) as names:
            found = run_virtual(lambda: weight(names), debug=False)
    finally:
        tracemalloc.stop()
    return [
        {"a handle": "pending", "bytes": found.pending},
        {"a handle": "settled, and still held", "bytes": found.settled},
        {"a handle": "let go", "bytes": found.left},
    ]


NOTES = """\
import       processor time of the import in a process that has imported nothing of it
first        from the client's making to its first receipt, its connection and late imports included
memory       resident, after a thousand commands one after the other
lag          of a sleep of 10 ms
bytes        of the client's own files and asyncio's, by tracemalloc"""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="fresh processes of each client")
    args = parser.parse_args()
    rounds = args.rounds or sized(args, 9, 3, 1)
    names, commands = sized(args, (present(), 1000), (present(), 300), (["ours"], 3))
    handles, seconds = sized(args, (CROWD, 15.0), (CROWD, 5.0), (20, 0.2))
    header, (mine, other) = machine(PACKAGES), cores()
    with server(other) as base_url:
        sections = {"a fresh process": starts(base_url, mine, names, rounds, commands)}
        pin(mine)
        sections["handles that wait"] = asyncio.run(waiting(base_url, handles, seconds))
    sections["memory of a handle"] = bytes_a_handle(sized(args, 80, 40, 21))
    header["spread"] = f"{rounds} processes of {commands} commands a client, {where(mine)}"
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
