"""
A client in a process that has imported nothing yet: `python _fresh.py NAME URL CPU COMMANDS` prints what its import,
its first command and so many commands cost, as JSON.
"""

# ruff: noqa: E402 - what is measured must not have been imported before.

from __future__ import annotations

import os
import sys
import time

if int(sys.argv[3]) >= 0:
    os.sched_setaffinity(0, {int(sys.argv[3])})

MODULES = {
    "ours": "bitget_async",
    "bare aiohttp": "aiohttp",
    "raw asyncio": "asyncio",
    "pybotters": "pybotters",
    "ccxt": "ccxt.async_support",
    "typed-bitget": "typed_bitget",
}
CPU = time.process_time()
_ = __import__(MODULES[sys.argv[1]])
CPU = time.process_time() - CPU

import asyncio
import json
import resource
from pathlib import Path

from _contenders import CONTENDERS


def resident_mb() -> float:
    """Memory of this process that is in use, MB; where the kernel does not tell, the most that ever was."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(name: str, base_url: str, commands: int) -> None:
    """The client, its first command, and the others."""
    wall, cpu = time.perf_counter(), time.process_time()
    contender = CONTENDERS[name](base_url)
    _ = await contender.place()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for _ in range(commands - 1):
        _ = await contender.place()
    found = {"import_s": CPU, "first_ms": wall * 1e3, "first_cpu_ms": cpu * 1e3, "resident_mb": resident_mb()}
    await contender.close()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[4])))
