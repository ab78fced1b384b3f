"""The start of the long run: the same clients again and again, and nothing that grows, leaks or breaks a promise."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.soak.cancels import play

CANCELS = int(os.environ.get("SOAK_CANCELS", "5000"))
PARTS = 4


@pytest.mark.slow
@pytest.mark.failure(6, 7, 9, 12, 14, 15, 17, 22, 29, 32, 33, 36, 45, 48, 50, 62)
@pytest.mark.parametrize("part", range(PARTS))
def test_thousands_of_cancels_break_no_promise_and_leave_nothing(
    part: int, count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """Four accounts, twenty symbols, one in a hundred requests with each fault: nothing stays behind, nothing grows."""
    done = play(part + 1, CANCELS // PARTS)
    count_cases(done["cancels"])
    assert done["broken"] == []
    assert (done["breaches"], done["tasks_left"]) == (0, 0)
    assert done["cancels"] >= CANCELS // PARTS
    assert done["outcomes"]["CONFIRMED"] > done["cancels"] / 2
    assert done["over_aiohttp"] >= done["requests"] / 20
    first, last = done["samples"][0], done["samples"][-1]
    assert last["pending"] < 80
    assert last["tasks"] < first["tasks"] + 150
