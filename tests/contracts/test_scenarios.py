"""Each scenario of `scenarios` as a test of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .scenarios import SCENARIOS


@pytest.mark.parametrize("play", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_the_promise_is_kept_where_it_is_hard(play: Callable[[], None]) -> None:
    """See the scenario's own words."""
    play()
