"""
`python -m tests.mutation`: change the pure rooms in every small way, and see whether their tests notice.

Writes docs/measured/mutation.json and fails if a room is below the bar, or if a mutant survives that
`survivors.py` gives no reason for. `--room NAME` runs one room, `--again` only what survived the last time, `--step N`
every Nth mutant (and writes nothing), `--workers N` by so many processes. After the source of a room has changed,
`--again` counts what was killed before it: run the room in full.

Why a runner of our own: mutmut 3 leaves decorated functions alone, and most of what evidence says is said in properties
and dataclasses; cosmic-ray writes each mutant into the source and starts an interpreter and a test run for it, which is
seconds a mutant. Here a mutant costs a fork and the few tests that call its function.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .rooms import ROOMS, ROOT
from .survivors import REASONS
from .worker import alone, work

BAR = 0.85
WHAT = "Mutation testing: changes to the pure rooms, one small thing each, that their own tests notice"
MEASURED = ROOT / "docs" / "measured" / "mutation.json"


def results_of(room: str, step: int, only: list[str] | None, workers: int) -> dict[str, str]:
    """Run all of a room's mutants, or only those, by several processes."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / "only.json"
        chosen.write_text(json.dumps(only), encoding="utf-8")
        files = [Path(folder) / f"{number}.json" for number in range(workers)]
        running = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.mutation",
                    "--work",
                    room,
                    str(number),
                    str(workers),
                    str(step),
                    str(file),
                    str(chosen),
                ],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            for number, file in enumerate(files)
        ]
        for process in running:
            if process.wait() != 0:
                raise SystemExit(f"a worker of {room} failed")
        found: dict[str, str] = {}
        for file in files:
            for line in file.read_text(encoding="utf-8").splitlines():
                result, key = json.loads(line)
                found[key] = result
    return found


def reason_for(room: str, key: str) -> str | None:
    """Why that mutant may survive, or `None`."""
    for reason, keys in REASONS.get(room, {}).items():
        if any(_fits(key, pattern) for pattern in keys):
            return reason
    return None


def _fits(key: str, pattern: str) -> bool:
    """Brackets and question marks stand in source everywhere: only `*` is special."""
    return fnmatchcase(key, pattern.replace("[", "[[]").replace("?", "[?]"))


def unused(room: str, results: dict[str, str]) -> list[str]:
    """Entries of `survivors.py` that nothing needs any longer."""
    survivors = [key for key, result in results.items() if result == "survived"]
    listed = [pattern for keys in REASONS.get(room, {}).values() for pattern in keys]
    return [pattern for pattern in listed if not any(_fits(key, pattern) for key in survivors)]


def summary(room: str, results: dict[str, str]) -> dict[str, Any]:
    """What is written about a room."""
    names = sorted(key for key, result in results.items() if result == "survived")
    survivors = [{"mutant": key, "reason": reason_for(room, key)} for key in names]
    return {
        "mutants": len(results),
        "killed": len(results) - len(survivors),
        "score": round(1 - len(survivors) / max(1, len(results)), 4),
        "survivors_without_a_reason": sum(each["reason"] is None for each in survivors),
        "survivors": survivors,
    }


def kept() -> dict[str, Any]:
    """What the last runs have written, by room."""
    if not MEASURED.exists():
        return {}
    whole: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {room: whole[room] for room in ROOMS if room in whole}


def merged(before: dict[str, Any], results: dict[str, str]) -> dict[str, str]:
    """The results of a room of which only the survivors ran again: what was killed before stays killed."""
    killed = {f"killed before: {number}": "killed" for number in range(before["killed"])}
    return killed | results


def run(rooms: Sequence[str], step: int, again: bool, workers: int) -> int:
    """Run, print, write; returns the exit code."""
    failed = False
    for room in rooms:
        began = time.monotonic()
        before = kept().get(room)
        only = [each["mutant"] for each in before["survivors"]] if again and before else None
        results = results_of(room, step, only, workers)
        if again and before:
            results = merged(before, results)
        found = summary(room, results)
        print(f"{room}: {found['killed']} of {found['mutants']} killed, {found['score']:.1%}", flush=True)
        failed = failed or found["score"] < BAR
        for each in found["survivors"]:
            if each["reason"] is None:
                failed = True
                print(f"  survives without a reason: {each['mutant']}", flush=True)
        for pattern in unused(room, results) if step == 1 else ():
            print(f"  listed, and does not survive: {pattern}", flush=True)
        if step == 1:
            found["seconds"] = before["seconds"] if again and before else round(time.monotonic() - began)
            # Another room may have been written meanwhile.
            write(kept() | {room: found})
    return int(failed)


def write(figures: dict[str, Any]) -> None:
    """Keep the figures, room by room."""
    MEASURED.parent.mkdir(exist_ok=True)
    whole = {
        "what": WHAT,
        "command": "python -m tests.mutation",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, CPython {platform.python_version()}",
    }
    whole |= {room: figures[room] for room in ROOMS if room in figures}
    MEASURED.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--room", choices=list(ROOMS), action="append")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        return alone(*given.alone)
    if given.work:
        room, number, count, step, out, only = given.work
        work(room, int(number), int(count), int(step), Path(out), json.loads(Path(only).read_text(encoding="utf-8")))
        return 0
    return run(given.room or list(ROOMS), given.step, given.again, given.workers)


if __name__ == "__main__":
    sys.exit(main())
