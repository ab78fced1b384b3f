"""What both benchmarks share: the header that names machine and versions, a plain table, a loop in virtual time."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("aiohttp", "aiolimiter", "msgspec", "multidict", "orjson", "yarl")


class VirtualLoop(asyncio.BaseEventLoop):
    """
    An event loop on which time passes only while every task waits, and then at once.

    A turn takes at least `TURN_S`: a limiter whose timer is a rounding error too early would otherwise spin for ever.
    """

    TURN_S = 1e-6

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = self

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now_s

    def select(self, timeout: float | None) -> list[object]:
        """The selector's part: nothing ever happens outside, so sleep by moving the time."""
        if timeout is None:
            raise RuntimeError("everybody waits and no timer runs")
        self._now_s += max(timeout, self.TURN_S)
        return []

    def _process_events(self, event_list: list[object]) -> None:
        pass


def machine() -> dict[str, str]:
    """Processor, cores, load, Python and package versions, commit and command of this run."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, load {load}",
        "python": f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "commit": _commit(),
        "command": "python " + " ".join([os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
    }


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


def dump(header: dict[str, str], body: dict[str, Any]) -> None:
    """Print the same as one JSON object."""
    print(json.dumps({**header, **body}, indent=1))
