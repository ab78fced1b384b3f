"""Every row of the failure model has its test, and the page that says so names tests that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failures import FAILURES
from tests.reliability import ROOT

TESTS = Path(__file__).parent
PAGE = ROOT / "docs" / "reliability.md"


def marked() -> Iterator[int]:
    """The rows named by `mark.failure(...)` anywhere in the tests."""
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.failure"):
                yield from (ast.literal_eval(each) for each in node.args if not isinstance(each, ast.Starred))


def test_every_row_of_the_failure_model_has_a_test() -> None:
    """A row without a test is a promise that nobody holds."""
    assert not FAILURES.keys() - set(marked())


@pytest.mark.parametrize("row", FAILURES)
def test_the_page_shows_each_row_as_passed(row: int) -> None:
    """The page is made by hand of `make docs`: one that was made of a failed run must not be kept."""
    (line,) = re.findall(rf"^\| {row} \| .*$", PAGE.read_text(), re.MULTILINE)
    result = line.split(" | ")[-2]
    assert result.startswith("passed")


def test_the_page_names_files_that_exist() -> None:
    """A test that moved must not leave the page pointing at nothing."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE.read_text()))
    assert named
    assert not [each for each in named if not (ROOT / each).exists()]
