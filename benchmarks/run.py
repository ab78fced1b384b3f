"""
`make bench`: every benchmark, one after the other; then docs/performance.md with its pictures.

    python benchmarks/run.py                all of it: about twelve minutes; the figures go to docs/measured/bench
    python benchmarks/run.py --quick        about two minutes; page, pictures and figures go to .cache/bench
    python benchmarks/run.py stack_overhead growth      those only; the other figures stay as they are

It is for a machine that does nothing else: the load stands in every header. Where the repository has its history, the
version of before anything was measured is compared too.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from report import MEASURED, write

HERE = Path(__file__).parent
ROOT = HERE.parent
SCRATCH = ROOT / ".cache" / "bench"
# The package before its speed was looked at; what can be told to run beside it.
BEFORE = "8a738c7"
WITH_BEFORE = ("stack_overhead", "profile_by_room")
BENCHES = (
    "stack_overhead",
    "profile_by_room",
    "listening_cost",
    "footprint",
    "push_cost",
    "journal_cost",
    "limiter_arrivals",
    "rule_table",
    "growth",
    "time_to_flat",
    "confirmation_latency",
    "quoting_loop",
    "sequence",
)


def before() -> list[str]:
    """The earlier version, unpacked; nothing without the history."""
    asked = ["git", "-C", str(ROOT), "archive", BEFORE, "bitget_async"]
    done = subprocess.run(asked, capture_output=True, check=False)
    if done.returncode:
        return []
    folder = ROOT / ".cache" / "before"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return ["--beside", str(folder.relative_to(ROOT))]


def bench(name: str, into: Path, size: list[str]) -> None:
    """Run one, and keep what it found."""
    began = time.monotonic()
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", *size]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{name} failed with {done.returncode}")
    found = json.loads(done.stdout, parse_float=lambda text: float(f"{float(text):.5g}"))
    # It keeps its figures itself, with those of the long test runs.
    if name != "time_to_flat" or size:
        (into / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{name:<22}{time.monotonic() - began:6.0f} s   {found.get('spread', '')}", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="short runs, and nothing in docs is touched")
    args = parser.parse_args()
    if unknown := set(args.names) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    size = ["--quick"] if args.quick else []
    measured = SCRATCH if args.quick else MEASURED
    measured.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    beside = before()
    for name in args.names or BENCHES:
        bench(name, measured, [*size, *beside] if name in WITH_BEFORE else size)
    page = write(measured, SCRATCH / "docs" if args.quick else ROOT / "docs")
    print(f"{time.monotonic() - began:.0f} s; {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
