"""
The failure model and what the tests say of it: a pytest plugin that counts, and the page that shows it.

A test that proves a row of the model is marked `@pytest.mark.failure(5, 6)`. One whose body runs many cases takes the
fixture `count_cases`; a figure worth showing goes through the fixture `figure`. A whole run leaves all of it in
`.cache/reliability.json`; `python -m tests.reliability_page` makes docs/reliability.md of that, of the planted bugs,
and of the longer runs kept in docs/measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.failures import FAILURES

__all__ = ["FACTS"]

ROOT = Path(__file__).parent.parent
FACTS = ROOT / ".cache" / "reliability.json"
LEAKS = ROOT / ".cache" / "leaks.json"

CASES = pytest.StashKey[int]()
FIGURES = pytest.StashKey[dict[str, Any]]()


class Gathering:
    """What this run has shown so far; under xdist only the controlling process keeps one that is written."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.rows: dict[int, dict[str, dict[str, int]]] = {number: {} for number in FAILURES}
        self.figures: dict[str, Any] = {}
        self.tests = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take in one report, of this process or of a worker."""
        if report.when != "call" and report.outcome == "passed":
            return
        self.tests[report.outcome] += 1
        self.figures.update(getattr(report, "figures", {}))
        name = report.nodeid.split("[")[0]
        for row in getattr(report, "failure_rows", ()):
            counts = self.rows[row].setdefault(name, {"cases": 0, "passed": 0, "failed": 0, "skipped": 0})
            counts["cases"] += report.cases
            counts[report.outcome] += 1

    def pytest_unconfigure(self) -> None:
        """Leave the facts of a whole run, with what the search for leaks has left by now."""
        if not self.whole:
            return
        leaks = json.loads(LEAKS.read_text()) if LEAKS.exists() else {}
        facts = {"tests": self.tests, "rows": self.rows, "figures": self.figures, "leaks": leaks}
        FACTS.write_text(json.dumps(facts, indent=1, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    """Gather in the controlling process."""
    if not hasattr(config, "workerinput"):
        chosen = config.option.keyword or config.option.markexpr
        whole = not chosen and config.args_source is not pytest.Config.ArgsSource.ARGS
        config.pluginmanager.register(Gathering(whole=whole), "reliability-gathering")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A row that does not exist is a slip of the pen."""
    for item in items:
        unknown = rows_of(item) - FAILURES.keys()
        if unknown:
            raise pytest.UsageError(f"{item.nodeid}: the failure model has no row {sorted(unknown)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the rows, cases and figures of a test into its report: that is what a worker sends home."""
    report: Any = yield
    if rows := rows_of(item):
        report.failure_rows = sorted(rows)
        report.cases = item.stash.get(CASES, 1)
    if figures := item.stash.get(FIGURES, None):
        report.figures = figures
    return report


def rows_of(item: pytest.Item) -> set[int]:
    """The rows of the failure model that a test proves."""
    return {row for marker in item.iter_markers("failure") for row in marker.args}


@pytest.fixture
def count_cases(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """`count_cases(110)`: this test ran so many cases; calls add up."""

    def count(cases: int) -> None:
        stash = request.node.stash
        stash[CASES] = stash.get(CASES, 0) + cases

    return count


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """`figure("handles.bytes_each", 7312)`: a number, text or flat mapping for docs/reliability.md."""

    def note(name: str, value: Any) -> None:
        request.node.stash.setdefault(FIGURES, {})[name] = value

    return note
