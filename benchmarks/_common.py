"""
What the benchmarks share: the header that names machine and versions, how big a run is, a plain table, cores, spread,
and a loop in virtual time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

PACKAGES = ("aiohttp", "msgspec", "multidict", "orjson", "yarl")

T = TypeVar("T")


class VirtualLoop(asyncio.BaseEventLoop):
    """
    An event loop on which time passes only while every task waits, and then at once.

    A turn takes at least `TURN_S`: a limiter whose timer is a rounding error too early would otherwise spin for ever.
    What is meant for a thread runs in place, so that nothing happens outside.
    """

    TURN_S = 1e-6

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = self

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now_s

    def stall(self, seconds: float) -> None:
        """The program stands still for so long."""
        self._now_s += seconds

    def select(self, timeout: float | None) -> list[object]:
        """The selector's part: nothing ever happens outside, so sleep by moving the time."""
        if timeout is None:
            raise RuntimeError("everybody waits and no timer runs")
        self._now_s += max(timeout, self.TURN_S)
        return []

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """The function's result, at once."""
        future = self.create_future()
        future.set_result(func(*args))
        return future

    def _process_events(self, event_list: list[object]) -> None:
        pass


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """A parser with what every benchmark understands."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short: to look, not to compare")
    parser.add_argument("--tiny", action="store_true", help="the least that runs at all, for the test that it does")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    return parser


def sized(args: argparse.Namespace, full: T, quick: T, tiny: T) -> T:
    """The one of these that was asked for."""
    return tiny if args.tiny else quick if args.quick else full


def machine(packages: Iterable[str] = ()) -> dict[str, str]:
    """Processor, cores, load, Python and package versions, commit and command of this run."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, load {load}",
        "python": f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in sorted({*PACKAGES, *packages})),
        "commit": _commit(),
        "command": " ".join(["python", os.path.relpath(sys.argv[0], Path(__file__).parent.parent), *sys.argv[1:]]),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    here = Path(__file__).parent
    asked = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def cores() -> tuple[int, int]:
    """A core for the client and one for the server; -1 and -1 where they cannot each have one."""
    if not hasattr(os, "sched_setaffinity"):
        return -1, -1
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[1]) if len(mine) > 1 else (-1, -1)


def pin(core: int) -> None:
    """Keep this process on that core; -1: any."""
    if core >= 0:
        os.sched_setaffinity(0, {core})


def where(core: int) -> str:
    """How that went, for the header."""
    return "client and server each on a core of its own" if core >= 0 else "client and server not pinned"


@contextmanager
def server(core: int) -> Iterator[str]:
    """The raw server in its own process; yields its base URL."""
    command = [sys.executable, str(Path(__file__).with_name("_server.py")), str(core)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def ratio(mine: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """The ratios of two series that were measured in turns, round by round: the median, the least and the largest."""
    ratios = [one / other for one, other in zip(mine, base, strict=True)]
    return {"ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def show(header: dict[str, str], sections: Sequence[tuple[str, Sequence[dict[str, Any]]]], notes: str) -> None:
    """Print header, tables and notes as plain text."""
    width = max(map(len, header))
    for name, value in header.items():
        print(f"{name:<{width}}  {value}")
    for title, rows in sections:
        print(f"\n{title}\n{table(rows)}")
    print(f"\n{notes}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with the same keys as an aligned table; texts to the left, numbers to the right."""
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    left = [isinstance(rows[0][name], str) for name in names]
    lines = [
        "  ".join(f"{text:{'<' if left[at] else '>'}{widths[at]}}" for at, text in enumerate(line)).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def report(
    args: argparse.Namespace, header: dict[str, str], sections: dict[str, list[dict[str, Any]]], notes: str
) -> None:
    """Print what was found, as tables or as one JSON object."""
    if args.json:
        print(json.dumps({**header, "tables": sections}, indent=1))
    else:
        show(header, list(sections.items()), notes)


def dump(header: dict[str, str], body: dict[str, Any]) -> None:
    """Print the same as one JSON object."""
    print(json.dumps({**header, **body}, indent=1))
