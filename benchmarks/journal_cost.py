"""
How long the event loop stands still for one record of the journal.

A command writes four records: intent, sending, answer, done. Timed are the plain calls, one command after the other, on
the file system of `--directory`. The medium decides what `fdatasync` costs: measure where the journal will stand.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from _common import arguments, machine, report, sized

from bitget_async.journal import Fsync, Journal, JournalFile, Kind

MODES: tuple[Fsync, ...] = ("never", "sending", "always")
STEPS = ("intent", "sending", "answer", "done")
DATA = {
    "verb": "cancel_symbol_orders",
    "symbol": "BTCUSDT",
    "at_ms": 1_760_000_000_000,
    "orders": ["1098765432109876543"] * 3,
}
NOTES = """\
us              microseconds that the call takes, and the loop with it: median, 99th percentile, longest
open ms         opening a journal of that many unsettled commands; rewrite ms: putting a new file in its place"""


def opened(path: Path, fsync: Fsync = "never") -> JournalFile:
    """A journal of nobody."""
    return Journal(path, fsync=fsync).open(account="1", origin="https://api.bitget.com", warn=print)


def measure(directory: Path, fsync: Fsync, commands: int) -> list[dict[str, Any]]:
    """One line for each kind of record."""
    took: dict[str, list[float]] = {step: [] for step in STEPS}
    journal = opened(directory / fsync, fsync)
    for _ in range(commands):
        number = 0
        for step in STEPS:
            before = time.perf_counter()
            if step == "intent":
                number = journal.begin(DATA)
            else:
                _ = journal.note(number, Kind(step), DATA)
            took[step].append((time.perf_counter() - before) * 1e6)
    journal.close()
    return [{"fsync": fsync, "record": step, **spread(took[step])} for step in STEPS]


def spread(times: list[float]) -> dict[str, float]:
    """Median, 99th percentile and longest."""
    times = sorted(times)
    return {
        "median us": times[len(times) // 2],
        "p99 us": times[min(len(times) - 1, len(times) * 99 // 100)],
        "longest us": times[-1],
    }


def whole(directory: Path, commands: int) -> dict[str, Any]:
    """What a journal with so many unsettled commands costs at once."""
    path = directory / f"whole{commands}"
    journal = opened(path)
    for _ in range(commands):
        _ = journal.note(journal.begin(DATA), Kind.SENDING, DATA)
    journal.close()
    # One settled command makes that opening rewrites the file.
    before = time.perf_counter()
    journal = opened(path)
    open_ms = (time.perf_counter() - before) * 1e3
    _ = journal.note(journal.begin(DATA), Kind.DONE)
    journal.close()
    before = time.perf_counter()
    opened(path).close()
    rewrite_ms = (time.perf_counter() - before) * 1e3 - open_ms
    return {"unsettled": commands, "kB": os.path.getsize(path) // 1000, "open ms": open_ms, "rewrite ms": rewrite_ms}


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--directory", type=Path, help="where the journal would stand; else the temporary directory")
    args = parser.parse_args()
    header = machine()
    commands = sized(args, 1000, 100, 5)
    opened_with = sized(args, (100, 1000, 10_000), (100,), (10,))
    with tempfile.TemporaryDirectory(dir=args.directory) as name:
        directory = Path(name)
        records = [line for fsync in MODES for line in measure(directory, fsync, commands)]
        opening = [whole(directory, count) for count in opened_with]
    header["spread"] = f"{commands} commands a mode"
    report(args, header, {"one record": records, "a whole journal": opening}, NOTES)


if __name__ == "__main__":
    main()
