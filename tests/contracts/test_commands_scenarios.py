"""Each scenario of `commands_scenarios` as a test of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .commands_scenarios import COMMANDS
from .test_scenarios import cases


@pytest.mark.parametrize("play", cases(COMMANDS))
def test_a_pending_command_keeps_its_promise_where_it_is_hard(play: Callable[[], None]) -> None:
    """See the scenario's own words."""
    play()
