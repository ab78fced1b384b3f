"""Real processes: bot killed, bot hung, guard restarted, Redis gone; judged by what is open at the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.guard.rehearsal import run
from tests.guard.stage import Pace
from tests.sharing.server import program

# Half of what is measured for docs/guard.md: what is shown is the order of events, and that a stop is never early.
PACE = Pace(after_s=1.5, every_s=0.2, blind_after_s=1.2, away_s=2.0)
# How late a process may be on a busy machine, in seconds.
LATE_S = 10.0
LEAST_S = {
    "bot killed": PACE.after_s,
    "bot hung": PACE.after_s,
    "guard restarted, bot killed meanwhile": PACE.away_s,
}
LEAST_S_ON_REDIS = {"Redis gone, --if-blind fire": PACE.blind_after_s}
needs_server = pytest.mark.skipif(program() is None, reason="redis-server is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    "least_s", [LEAST_S, pytest.param(LEAST_S_ON_REDIS, marks=needs_server)], ids=["over a socket", "over Redis"]
)
def test_the_stop_goes_out_and_is_proven(least_s: dict[str, float], figure: Callable[[str, Any], None]) -> None:
    """Never early, and confirmed only where the truth agrees: `run` compares them. All at once, to save time."""
    for name, found in asyncio.run(run(list(least_s), PACE)).items():
        assert least_s[name] <= found["stop_after_last_beat_s"] <= least_s[name] + LATE_S, name
        assert found["confirmed_after_last_beat_s"] > found["stop_after_last_beat_s"]
        assert found["open_at_the_exchange"] == 0
        figure(f"guard.{name}", found)
