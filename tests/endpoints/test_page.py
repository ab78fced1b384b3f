"""The page of endpoints is the catalogue, and the catalogue is the exchange's index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bitget_async.endpoints import CATALOGUE, LEFT_OUT, Endpoint
from bitget_async.endpoints.page import page

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
INDEX = json.loads((ROOT / "tests" / "fixtures" / "spot_index.json").read_text(encoding="utf-8"))["rows"]


def cells(label: str) -> list[str]:
    """The one line of the page that is about that call, cell by cell."""
    (line,) = [line for line in PAGE.splitlines() if f"| `{label}` |" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_is_what_the_catalogue_makes() -> None:
    """A row that is changed without `make docs` would be documented as it was."""
    assert page() == PAGE


@pytest.mark.parametrize("call", INDEX, ids=lambda call: call[1])
def test_every_call_of_the_index_stands_on_the_page(call: list[object]) -> None:
    """Once: with its quota, or with the reason why it is left out."""
    method, path, per_second, scope, needs = call
    found = cells(f"{method} {path}")
    if needs == "withdraw":
        assert found[1] == LEFT_OUT[f"{method} {path}"]
        return
    assert found[3] == (f"{per_second} {scope}" if per_second is not None else f"1 (ours) {scope}")
    assert found[4] == ("read" if method == "GET" else "command")


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
def test_a_row_of_the_page_says_all_of_the_row(row: Endpoint) -> None:
    """Verb, parameters with the required ones in bold, record, page and date."""
    verb, _, params, _, _, record, _, source = cells(row.label)
    assert verb == f"`{row.verb}`"
    for param in row.params:
        assert (f"**`{param.name}`**" in params) is param.required
        assert f"`{param.name}`" in params
    assert record.startswith("list of") == isinstance(row.returns, type(list[str]))
    assert row.page in source
    assert source.endswith(row.read_on or "no dated copy")


def test_a_page_without_rows_has_no_empty_tables() -> None:
    """A family without calls is not shown."""
    assert "##" not in page((), {}).split("## Left out")[0]
