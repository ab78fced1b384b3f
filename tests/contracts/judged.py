"""
The judge is judged: for every row of the failure model the bugs that it guards against, and what catches each.

Generated pages read `PLANTED_BY_ROW` and `NOT_PLANTED`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.failures import FAILURES

from . import commands_planted, planted, planted_journal, planted_road, planted_stop, planted_stream, planted_watch
from .commands_scenarios import COMMANDS
from .journal_scenarios import JOURNAL
from .planting import BUGS, Bug
from .road_scenarios import ROAD
from .scenarios import SCENARIOS
from .stop_scenarios import STOPS
from .stream_scenarios import STREAM
from .watch_scenarios import WATCH

__all__ = ["ALL", "BUGS", "CATCHERS", "NOT_PLANTED", "PLANTED_BY_ROW", "Bug", "rows_of"]

# Importing them fills the register.
PLANTED_IN = (planted, commands_planted, planted_road, planted_watch, planted_journal, planted_stream, planted_stop)

# Each of them is a test of its own, too.
ALL = (SCENARIOS, COMMANDS, ROAD, WATCH, JOURNAL, STREAM, STOPS)
CATCHERS: dict[str, Callable[[], None]] = {name: play for each in ALL for name, play in each.items()}

PLANTED_BY_ROW: dict[int, tuple[str, ...]] = {
    row: tuple(name for name, bug in BUGS.items() if row in bug.rows) for row in FAILURES
}


def rows_of(scenario: str) -> list[int]:
    """The rows whose bugs that scenario catches."""
    return sorted({row for bug in BUGS.values() if bug.caught_by == scenario for row in bug.rows})


# Why a row has no bug.
NOT_PLANTED: dict[int, str] = {}
