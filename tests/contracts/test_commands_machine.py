"""Pending commands against the simulator's truth, in virtual time: lost answers, duplicates, late executions."""

from __future__ import annotations

import pytest

from .commands_machine import Commanding
from .test_state_machine import PARTS, run_part


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_commands_faults_and_time_breaks_a_promise(part: int) -> None:
    """300 examples of 50 steps in all: nothing is placed twice, nothing that was placed is called absent."""
    run_part(Commanding, part)
