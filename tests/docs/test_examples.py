"""
The examples of README.md and docs/ do what they say.

A ```python block is one of three things, by what it holds:

    asyncio.run(...)                    a whole program: run as it stands, against the simulator that it starts
    async def name(client, exchange):   an example: each is called in virtual time with a fresh client and simulator
    anything else                       a fragment, which needs a real key or stands for more: it must compile
"""

from __future__ import annotations

import ast
import inspect
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bitget_async import BitgetClient
from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code, with the page and the line where it begins."""

    page: str
    line: int
    source: str

    @property
    def kind(self) -> str:
        """Program, example or fragment."""
        if "asyncio.run(" in self.source:
            return "program"
        return "example" if re.search(r"^async def \w+\(client, exchange\)", self.source, re.MULTILINE) else "fragment"


def blocks(kind: str) -> list[Any]:
    """Every block of that kind as a parameter."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            block = Block(page.name, text[: match.start()].count("\n") + 2, match[1])
            if block.kind == kind:
                found.append(pytest.param(block, id=f"{block.page}:{block.line}"))
    return found


def compiled(block: Block) -> Any:
    """Line numbers are those of the page, so that a failure points there."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if block.kind == "fragment" else 0
    return compile("\n" * (block.line - 1) + block.source, block.page, "exec", flags=flags)


@pytest.mark.parametrize("block", blocks("program"))
def test_whole_program_runs_as_it_stands(block: Block) -> None:
    """What a reader copies works without a key and without a network."""
    exec(compiled(block), {"__name__": "__main__"})  # noqa: S102


@pytest.mark.parametrize("block", blocks("example"))
def test_example_does_what_it_asserts(block: Block, virtual: Callable[..., Any]) -> None:
    """Each outcome and error in the docs is one that the client really gives."""
    names: dict[str, Any] = {}
    exec(compiled(block), names)  # noqa: S102
    functions = [each for each in names.values() if inspect.iscoroutinefunction(each)]
    assert functions
    for function in functions:

        async def run(function: Callable[..., Any] = function) -> None:
            clock = VirtualClock()
            async with SimulatedExchange(seed=1, clock=clock) as exchange:
                client = BitgetClient(
                    exchange.credentials(), base_url=exchange.base_url, clock=clock, rng=random.Random(1)
                )
                async with client:
                    await function(client, exchange)

        virtual(run)


@pytest.mark.parametrize("block", blocks("fragment"))
def test_fragment_compiles(block: Block) -> None:
    """A fragment is not run, but it is Python."""
    compiled(block)


def test_the_pages_have_examples() -> None:
    """If the fences changed, the tests above would pass by finding nothing."""
    assert len(blocks("program")) >= 2
    assert len(blocks("example")) >= 6
