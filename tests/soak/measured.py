"""What long runs leave behind: a file in docs/measured, and lines that say how far they are."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parents[2] / "docs" / "measured"


def machine() -> str:
    """What it ran on."""
    return f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"


def write(name: str, facts: dict[str, Any]) -> None:
    """Keep the facts of a run in docs/measured/<name>.json."""
    MEASURED.mkdir(parents=True, exist_ok=True)
    dated = {"date": time.strftime("%Y-%m-%d", time.gmtime()), **facts}
    (MEASURED / f"{name}.json").write_text(json.dumps(dated, indent=1) + "\n", encoding="utf-8")


def progress(done: int, total: int, story: str, began: float) -> None:
    """One line for the whole run on a terminal, else one for each hundredth."""
    terminal = sys.stdout.isatty()
    if not terminal and done % max(1, total // 100) and done != total:
        return
    left_s = (time.monotonic() - began) / max(done, 1) * (total - done)
    line = f"{done} of {total}: {story}; {left_s:.0f} s left"
    print(f"\r{line:<100}" if terminal else line, end="" if terminal else "\n", flush=True)
