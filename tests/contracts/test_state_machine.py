"""Properties 1-7, 9-15 and 18-20 of the contract, against the simulator's truth, in virtual time."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Cancelling

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "300"))
STEPS = int(os.environ.get("MACHINE_STEPS", "50"))


@pytest.mark.slow
def test_no_history_of_calls_faults_and_time_breaks_a_promise() -> None:
    """300 examples of 50 steps: CONFIRMED is never false, limits are never broken, nothing leaks."""
    run_state_machine_as_test(
        Cancelling,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )
