"""Shared limits through histories that a seed decides: whatever happens, the exchange never counts too many."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.limits.shared_histories import play

EACH = 4


@pytest.mark.failure(58)
@pytest.mark.parametrize("chunk", range(5))
def test_no_history_breaks_the_limit(chunk: int, count_cases: Callable[[int], None]) -> None:
    """
    Kills, leaves, joins, restarts with and without old data, cuts, stalls, late messages: the whole is kept, and once
    all is well everybody is served.
    """
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        history = play(seed)
        assert not history.breach, f"seed {seed}: {history.breach}"
        # At the end all is well again: nobody who has something to send starves.
        served = history.witness.by_process(history.ended_s - 20.0)
        assert set(served) == {each.number for each in history.lasting}, f"seed {seed}"
    count_cases(EACH)
