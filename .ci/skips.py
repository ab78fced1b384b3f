"""
Fail if the test run left out anything that CI is able to run.

A skipped test looks like a passed one in the summary line, so a missing peer client or a broken import could hide for
ever. Only what needs rights that CI may lack is allowed to be skipped, and says so in its reason.

Usage: skips.py JUNIT_XML
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ALLOWED = ("needs root",)


def unexpected(report: Path) -> Iterator[str]:
    """Each skipped test of that JUnit file whose reason does not begin with one of `ALLOWED`."""
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        for skipped in case.iter("skipped"):
            reason = skipped.get("message", "")
            if skipped.get("type") != "pytest.xfail" and not reason.startswith(ALLOWED):
                yield f"{case.get('classname')}::{case.get('name')}: {reason}"


def main() -> int:
    """Print the unexpected skips; 1 if there are any, or if no test ran at all."""
    report = Path(sys.argv[1])
    left_out = list(unexpected(report))
    for line in left_out:
        print(f"skipped, though CI can run it: {line}", file=sys.stderr)
    ran = sum(1 for _ in ElementTree.parse(report).iter("testcase"))  # noqa: S314 - as above
    if not ran:
        print("no test ran", file=sys.stderr)
    return 1 if left_out or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
