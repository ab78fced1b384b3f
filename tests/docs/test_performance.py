"""docs/performance.md is what the benchmarks found, and every benchmark still runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "performance.md"
# What runs the others, and what makes the page of them.
TOOLS = {"run", "report"}
NAMES = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py") if path.stem not in TOOLS)
# Written before there was a smaller size.
SIZES = {"time_to_flat": "--quick"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A script of the benchmarks, as `make bench` starts it: without asyncio's debug mode, which would be timed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_page_and_pictures_are_what_the_figures_make() -> None:
    """Nobody writes a figure by hand, and no picture shows what was measured before."""
    done = run("benchmarks/report.py", "--check")
    assert done.returncode == 0, done.stderr


def test_every_picture_stands_on_the_page() -> None:
    """A picture that nothing shows is left over, and a link without a picture is broken."""
    shown = set(re.findall(r"\(pictures/([a-z]+\.svg)\)", PAGE.read_text(encoding="utf-8")))
    pictures = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "pictures").glob("*.svg")}
    assert shown == {name for name, drawn in pictures.items() if "<!-- figures " in drawn}


def test_every_benchmark_is_in_the_whole_run() -> None:
    """One that `make bench` forgets is one whose figures nobody makes again."""
    source = (BENCHMARKS / "run.py").read_text(encoding="utf-8")
    listed = re.search(r"^BENCHES = \((.*?)^\)", source, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert sorted(re.findall(r'"(\w+)"', listed[1])) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_runs_and_says_on_what(name: str) -> None:
    """Code that runs once a release rots; and a figure without machine, versions and command says nothing."""
    done = run(f"benchmarks/{name}.py", SIZES.get(name, "--tiny"), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"machine", "python", "packages", "commit", "command"} <= set(found)
    tables = found.get("tables") or {"rows": found.get("rows")}
    assert all(rows and all(row.keys() == rows[0].keys() for row in rows) for rows in tables.values())
