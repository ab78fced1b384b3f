"""Pending commands against the simulator's truth, in virtual time: lost answers, duplicates, late executions."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .commands_machine import Commanding
from .test_state_machine import EXAMPLES, STEPS


@pytest.mark.slow
def test_no_history_of_commands_faults_and_time_breaks_a_promise() -> None:
    """300 examples of 50 steps: nothing is placed twice, nothing that was placed is called absent."""
    run_state_machine_as_test(
        Commanding,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )
