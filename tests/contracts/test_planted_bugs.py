"""The judge is judged: twelve bugs that such clients have, planted into ours, and each must be caught."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Cancelling
from .planted import PLANTED, Plant
from .scenarios import SCENARIOS
from .world import BrokenPromiseError


def judge() -> None:
    """Every scenario, and then the state machine."""
    for play in SCENARIOS.values():
        play()
    run_state_machine_as_test(
        Cancelling,
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
@pytest.mark.parametrize("bug", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_bug_is_caught(bug: Plant) -> None:
    """By a scenario, or else by the state machine."""
    with bug(), pytest.raises(BrokenPromiseError):
        judge()


def test_there_are_twelve() -> None:
    """The list of the contract, none lost."""
    assert len(PLANTED) == 12
