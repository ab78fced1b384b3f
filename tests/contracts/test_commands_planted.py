"""The judge of pending commands is judged: bugs that such clients have, planted into ours, and each must be caught."""

from __future__ import annotations

import pytest

from .commands_planted import BUGS, CAUGHT_BY
from .commands_scenarios import COMMANDS
from .world import BrokenPromiseError


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_of_pending_commands_is_caught(name: str) -> None:
    """By the scenario that was written for it."""
    with BUGS[name](), pytest.raises(BrokenPromiseError):
        COMMANDS[CAUGHT_BY[name]]()


def test_there_are_nineteen() -> None:
    """None lost."""
    assert len(BUGS) == 19
