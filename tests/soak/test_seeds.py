"""A thousand histories, each decided by its seed: no promise is broken, and a seed decides all of it."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.contracts.judged import BUGS
from tests.soak.seeds import REPLAYS, base_seed, replays_equal, run
from tests.soak.story import HANDLES, play

SEEDS = int(os.environ.get("SOAK_SEEDS", "1000"))
PARTS = 20
BASE = base_seed()


@pytest.mark.slow
@pytest.mark.failure(*(5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 22, 23, 24, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37))
@pytest.mark.failure(*(38, 39, 40, 41, 42, 43, 44, 45, 46, 48, 49, 50, 51, 55, 56, 59))
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_breaks_a_promise(part: int, count_cases: Callable[[int], None]) -> None:
    """Callers, others, faults, lags, bans, stalls and clocks as the seed draws them, judged by the exchange's truth."""
    share = SEEDS // PARTS
    first = BASE + part * share
    tally = run(range(first, first + share))
    count_cases(tally.seeds)
    assert not tally.failures, f"base seed {BASE}\n{tally.told()}"
    assert tally.handles >= HANDLES * tally.seeds


def test_the_same_seed_gives_the_same_log(count_cases: Callable[[int], None]) -> None:
    """To the last byte, also in another process with another order of its sets: a failure can be seen again."""
    again = range(BASE, BASE + REPLAYS)
    count_cases(len(again))
    assert replays_equal(again) == len(again)


def test_another_seed_gives_another_log() -> None:
    """A digest of nothing would be equal too."""
    one, other = play(BASE), play(BASE + 1)
    assert one.digest != other.digest
    assert len(one.log) > 100


@pytest.mark.parametrize(
    "name",
    [
        "answer_taken_as_done",
        "vanished_taken_as_cancelled",
        "unknown_taken_as_cancelled_in_the_end",
        "only_own_orders_counted",
        "open_means_still_open",
        "late_orders_claimed",
        "acknowledged_taken_as_placed",
        "resent_after_a_lost_answer",
    ],
)
def test_a_planted_bug_is_found_by_a_few_histories(name: str) -> None:
    """Nobody tells them where to look: if any history passes with these, a thousand that pass say nothing."""
    with BUGS[name].plant():
        assert any(play(seed).failure for seed in range(24))
