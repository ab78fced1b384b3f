"""The page about the simulator says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from bitget_async.sim import faults

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")


def test_the_ten_lines_run():
    """The example is code, not decoration: its own asserts judge it."""
    lines = PAGE.partition("## Ten lines")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", lines, re.DOTALL)
    exec(compile(code, "docs/simulator.md", "exec"), {})  # noqa: S102 - our own page


def test_every_fault_stands_in_the_table():
    """A fault that nobody can find is not there."""
    makers = {name for name in faults.__all__ if name[0].islower()}
    table = PAGE.partition("## Faults")[2].partition("\n## ")[0]
    assert makers == set(re.findall(r"`(\w+)\(", table)) - {"add", "where", "clear"} - {"exchange"}
