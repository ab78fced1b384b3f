"""Properties 1-7, 9-15 and 18-20 of the contract, against the simulator's truth, in virtual time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Cancelling

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "300"))
STEPS = int(os.environ.get("MACHINE_STEPS", "50"))
PARTS = 10


def run_part(machine: Any, part: int, share: int = 1) -> None:
    """
    A tenth of the examples, or of that share of them. The first part runs with asyncio's debug mode on, which makes it
    three times as dear.
    """
    run_state_machine_as_test(
        type(machine.__name__, (machine,), {"debug": part == 0}),
        settings=settings(
            max_examples=max(1, EXAMPLES // PARTS // share),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )


@pytest.mark.slow
@pytest.mark.failure(6, 7, 8, 9, *range(12, 20), 21, 22, 23, *range(28, 39), 41, 43, 44, 45, 46, 48, 56)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_calls_faults_and_time_breaks_a_promise(part: int, count_cases: Callable[[int], None]) -> None:
    """300 examples of 50 steps in all: CONFIRMED is never false, limits are never broken, nothing leaks."""
    run_part(Cancelling, part)
    count_cases(max(1, EXAMPLES // PARTS))
