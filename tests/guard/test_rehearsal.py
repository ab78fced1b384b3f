"""Real processes: bot killed, bot hung, guard restarted, Redis gone; judged by what is open at the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.guard.rehearsal import AFTER_S, AWAY_S, BLIND_AFTER_S, REDIS, run

# How late a process may be on a busy machine, in seconds; what it may not be is early.
LATE_S = 10.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least_s"),
    [
        ("bot killed", AFTER_S),
        ("bot hung", AFTER_S),
        ("guard restarted, bot killed meanwhile", AWAY_S),
        pytest.param(
            "Redis gone, --if-blind fire",
            BLIND_AFTER_S,
            marks=pytest.mark.skipif(REDIS is None, reason="redis-server is not installed"),
        ),
    ],
)
def test_the_stop_goes_out_and_is_proven(name: str, least_s: float, figure: Callable[[str, Any], None]) -> None:
    """Never early, and confirmed only where the truth agrees: `run` compares them."""
    found = asyncio.run(run([name]))[name]
    assert least_s <= found["stop_after_last_beat_s"] <= least_s + LATE_S
    assert found["confirmed_after_last_beat_s"] > found["stop_after_last_beat_s"]
    assert found["open_at_the_exchange"] == 0
    figure(f"guard.{name}", found)
