"""A few reconnects under load; `python -m tests.stream.reconnects` has five hundred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import run_virtual
from tests.stream.reconnects import Found, Storm


def judge(found: Found, count: int) -> None:
    """Every end known, nothing twice or backwards, no more messages than allowed, no limit broken."""
    assert found.wrong == []
    assert found.reconnects == count
    assert found.ends > 5 * count
    assert found.worst_second <= 10
    assert not found.socket_errors
    assert found.reads_worst_second <= 20
    assert found.answers_429 == 0


@pytest.mark.slow
@pytest.mark.failure(47)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_end_is_known_after_reconnects_under_load(
    seed: int, count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """Orders end while the line is cut, silent or robbed of pushes: readers are told of each end once, and rightly."""
    found = run_virtual(Storm(20, seed).run, debug=False)
    judge(found, 20)
    assert {"orders", "unfilled-orders", "history-orders"} <= set(found.told)
    count_cases(found.ends)
    figure(f"streams.reconnects_ends_{seed}", found.ends)
