"""Each directed history as a test of its own, with the rows of the failure model whose planted bugs it catches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .journal_scenarios import JOURNAL
from .judged import rows_of
from .road_scenarios import ROAD
from .scenarios import SCENARIOS
from .stop_scenarios import STOPS
from .stream_scenarios import STREAM
from .watch_scenarios import WATCH


def cases(plays: dict[str, Callable[[], None]]) -> list[object]:
    """Parameters for pytest, each marked with its rows."""
    found: list[object] = []
    for name, play in plays.items():
        rows = rows_of(name)
        marks = [pytest.mark.failure(*rows)] if rows else []
        found.append(pytest.param(play, id=name, marks=marks))
    return found


@pytest.mark.parametrize("play", cases(SCENARIOS | ROAD | WATCH | JOURNAL | STREAM | STOPS))
def test_the_promise_is_kept_where_it_is_hard(play: Callable[[], None]) -> None:
    """See the scenario's own words."""
    play()
