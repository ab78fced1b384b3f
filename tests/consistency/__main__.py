"""
The consistency cross as a command.

    python -m tests.consistency          the points that `make test` plays
    python -m tests.consistency --full   all 2520, in two processes; writes docs/measured/consistency.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.consistency.cross import Verdict, covering, every, play
from tests.consistency.test_cross import SEED

MEASURED = Path(__file__).parents[2] / "docs" / "measured" / "consistency.json"
PROCESSES = 2


def main() -> int:
    """Play the points, print what was found, and for the full cross write it down."""
    parser = argparse.ArgumentParser(prog="python -m tests.consistency", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all 2520 points")
    full = parser.parse_args().full
    points = list(every()) if full else list(covering(SEED, 0.1))
    began = time.monotonic()
    with multiprocessing.Pool(PROCESSES) as pool:
        verdicts = []
        for verdict in pool.imap_unordered(play, points, chunksize=8):
            verdicts.append(verdict)
            if len(verdicts) % 100 == 0:
                print(f"{len(verdicts)} of {len(points)} points", file=sys.stderr, flush=True)
            for wrong in verdict.wrong:
                print(f"{verdict.point}: {wrong}", flush=True)
    found = figures(verdicts)
    print(json.dumps(found, indent=1))
    if full:
        record = {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "command": "python -m tests.consistency --full",
            "seed": "each point's own values",
            "machine": f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}",
            "seconds": round(time.monotonic() - began),
            "figures": found,
        }
        MEASURED.parent.mkdir(exist_ok=True)
        MEASURED.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if found["points_with_a_mistake"] else 0


def figures(verdicts: list[Verdict]) -> dict[str, Any]:
    """What the page on reliability shows."""
    wrong = Counter(text.split(":")[0] for verdict in verdicts for text in verdict.wrong)
    slowest = max(verdicts, key=lambda verdict: verdict.settled_s)
    return {
        "points": len(verdicts),
        "points_with_a_mistake": sum(bool(verdict.wrong) for verdict in verdicts),
        "false_confirmations": wrong["false confirmation"],
        "false_failures": wrong["false failure"],
        "outcomes": dict(sorted(Counter(verdict.outcome for verdict in verdicts).items())),
        "requests": sum(verdict.requests for verdict in verdicts),
        "longest_s": round(slowest.settled_s, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
