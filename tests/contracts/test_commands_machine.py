"""Pending commands against the simulator's truth, in virtual time: lost answers, duplicates, late executions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .commands_machine import Commanding
from .test_state_machine import EXAMPLES, PARTS, run_part


@pytest.mark.slow
@pytest.mark.failure(6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 19, 29, 30, 31, 32, 33, 34, 36, 41, 45, 46, 48)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_commands_faults_and_time_breaks_a_promise(part: int, count_cases: Callable[[int], None]) -> None:
    """300 examples of 50 steps in all: nothing is placed twice, nothing that was placed is called absent."""
    run_part(Commanding, part)
    count_cases(max(1, EXAMPLES // PARTS))
