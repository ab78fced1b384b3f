"""The judge is judged: bugs that such clients have, planted into ours one by one, and each must be caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from tests.failures import FAILURES
from tests.virtualtime import virtual_loop

from . import world
from .judged import ALL, BUGS, CATCHERS, NOT_PLANTED, PLANTED_BY_ROW
from .world import BrokenPromiseError


def quiet_loop() -> Any:
    """A virtual loop without asyncio's debug mode: what is watched here is the judge."""
    loop = virtual_loop()
    loop.set_debug(False)
    return loop


@pytest.fixture
def leaks_forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """A planted bug may show a made-up key on purpose: the search for leaks of the whole run must not count that."""
    plugin: Any = request.config.pluginmanager.get_plugin("leaks")
    if plugin is None:
        yield
        return
    before = plugin.search.counts["leaks"]
    yield
    plugin.search.end()
    plugin.search.counts["leaks"] = before


@pytest.mark.usefixtures("leaks_forgotten")
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str) -> None:
    """By the scenario that is named for it."""
    bug = BUGS[name]
    with mock.patch.object(world, "virtual_loop", quiet_loop), bug.plant(), pytest.raises(BrokenPromiseError):
        CATCHERS[bug.caught_by]()


def test_every_row_has_its_bug_or_a_reason_why_not(figure: Callable[[str, Any], None]) -> None:
    """None of the model is guarded by tests that nobody has seen fail."""
    without = {row for row in FAILURES if not PLANTED_BY_ROW[row]}
    assert without == NOT_PLANTED.keys()
    assert len(BUGS) >= 25
    assert all(set(bug.rows) <= FAILURES.keys() and bug.rows for bug in BUGS.values())
    figure("planted.bugs", len(BUGS))
    figure("planted.rows", len(FAILURES) - len(without))


def test_the_names_of_scenarios_do_not_collide() -> None:
    """Each bug names one scenario, whichever file it stands in."""
    assert len(CATCHERS) == sum(map(len, ALL))
    assert {bug.caught_by for bug in BUGS.values()} <= CATCHERS.keys()
