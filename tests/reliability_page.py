"""
docs/reliability.md: the failure model beside the tests that prove it, from the last whole run of `make test`, and the
figures of the longer runs kept in docs/measured. `make docs` writes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.judged import NOT_PLANTED, PLANTED_BY_ROW
from tests.failures import FAILURES
from tests.reliability import FACTS, ROOT

__all__ = ["page"]

PAGE = ROOT / "docs" / "reliability.md"
MEASURED = ROOT / "docs" / "measured"
TITLES = {
    "consistency": "The consistency cross in full: lags, replicas, orders, ages, fills, late orders",
    "fuzz": "Fuzz of the parsers, guided by coverage",
    "seeds": "Histories that a seed decides",
    "shared_limits": "One budget for four processes, one of them killed, its server started anew",
    "soak": "A million cancels: the same few clients for days",
}

HEAD = """\
# Reliability

How we tried to break the word CONFIRMED, and what happened. `make docs` makes this page from the last whole run of
`make test` and from the longer runs whose results are kept in `docs/measured`; nothing in its tables is written by
hand.

A simulated exchange that shares no code with the client knows the truth, and the client is judged by it: a *false
confirmation* is a CONFIRMED while an order that existed at the signing is still open; a *false failure* is an error
that says "not executed" of a command that was, or a STILL_OPEN for orders that are not; a *breach* is a second, as the
exchange counts it, with more requests than its limit. The real HTTP library runs on both sides, over real sockets and
TLS where the network is the matter, and in virtual time where time is.

Nothing here ran against the exchange itself: what it does on a bad day is known from its documentation only, and the
assumptions (`staleness_s`, `execution_grace_s`) are printed in every report.
"""


def page(facts: Mapping[str, Any]) -> str:
    """The whole page, from what a test run left."""
    blocks = [
        HEAD,
        "## Longer runs\n",
        *_longer(),
        "## The last whole run of `make test`\n",
        _run(facts),
        "## The failure model\n",
        "A case is one run of a test's body with one set of inputs. The planted bug is one that the row guards\n"
        "against, built into the client on purpose; each of them is caught (`tests/contracts`).\n",
        _matrix(facts["rows"]),
        "## The tests of each row\n",
        *_tests(facts["rows"]),
    ]
    return "\n".join(blocks)


def _matrix(rows: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    lines = ["| # | failure | right answer | tests | cases | result | planted bug |", "|---|---|---|---|---|---|---|"]
    for number, (failure, answer) in FAILURES.items():
        tests = rows[str(number)].values()
        cases = sum(each["cases"] for each in tests)
        bugs = NOT_PLANTED.get(number) or ", ".join(f"`{bug}`" for bug in PLANTED_BY_ROW[number])
        lines.append(
            f"| {number} | {failure} | {answer} | {len(tests)} | {cases:,} | {_result(list(tests))} | {bugs} |"
        )
    return "\n".join(lines) + "\n"


def _result(tests: list[Mapping[str, int]]) -> str:
    failed, skipped = (sum(each[what] for each in tests) for what in ("failed", "skipped"))
    if failed:
        return f"{failed} FAILED"
    if not sum(each["passed"] for each in tests):
        return "not tested"
    return f"passed, {skipped} skipped" if skipped else "passed"


def _tests(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for number in FAILURES:
        places: dict[str, list[str]] = {}
        for name in sorted(rows[str(number)]):
            file, _, test = name.partition("::")
            places.setdefault(file, []).append(test.replace("test_", "", 1).replace("_", " "))
        yield f"**{number}.** " + "; ".join(f"`{file}`: {', '.join(tests)}" for file, tests in places.items()) + "\n"


def _run(facts: Mapping[str, Any]) -> str:
    tests = facts["tests"]
    lines = ["| figure | value |", "|---|---|"]
    lines.append(f"| tests passed, failed, skipped | {tests['passed']:,}, {tests['failed']}, {tests['skipped']} |")
    lines += [f"| leak search: {name} | {_text(value)} |" for name, value in _flat(facts["leaks"])]
    lines += [f"| {name} | {_text(value)} |" for name, value in sorted(_flat(facts["figures"]))]
    return "\n".join(lines) + "\n"


def _longer() -> Iterator[str]:
    for path in sorted(MEASURED.glob("*.json")):
        facts = json.loads(path.read_text())
        title = facts.pop("what", TITLES.get(path.stem))
        if title is None:
            # A benchmark: docs/performance.md has it.
            continue
        yield f"### {title}\n"
        if command := facts.pop("command", None):
            yield f"`{command}`, {facts.pop('date', '')}, {facts.pop('machine', '')}\n"
        rows = [f"| {name} | {_text(value)} |" for name, value in _flat(facts)]
        yield "\n".join(["| figure | value |", "|---|---|", *rows]) + "\n"


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names joined by dots, and plain values; a list of rows of numbers by its columns. Texts of a list stay there."""
    for name, each in value.items():
        rows = each if isinstance(each, list) and all(isinstance(row, Mapping) for row in each) else []
        if isinstance(each, Mapping):
            yield from _flat(each, f"{before}{name}.")
        elif name == "processes":
            for number, row in enumerate(rows, 1):
                yield from _flat(row, f"{before}process {number}.")
        elif rows and all(isinstance(cell, int | float) for row in rows for cell in row.values()):
            yield from ((f"{before}{name}.{column}", [row[column] for row in rows]) for column in rows[0])
        elif not rows:
            yield before + name, each


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def main() -> int:
    """Write the page."""
    if FACTS.exists():
        PAGE.write_text(page(json.loads(FACTS.read_text())))
    else:
        print("docs/reliability.md is left as it is: nothing is known of a whole test run (make test)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
