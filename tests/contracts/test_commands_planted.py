"""The judge of pending commands is judged: bugs that such clients have, planted into ours, and each must be caught."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .commands_machine import Commanding
from .commands_planted import BUGS
from .commands_scenarios import COMMANDS
from .planted import Plant
from .world import BrokenPromiseError


def judge() -> None:
    """Every scenario, and then the state machine."""
    for play in COMMANDS.values():
        play()
    run_state_machine_as_test(
        Commanding,
        settings=settings(
            max_examples=300,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            database=None,
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
def test_a_planted_bug_of_pending_commands_is_caught(bug: Plant) -> None:
    """By a scenario, or else by the state machine."""
    with bug(), pytest.raises(BrokenPromiseError):
        judge()


def test_there_are_nineteen() -> None:
    """None lost."""
    assert len(BUGS) == 19
