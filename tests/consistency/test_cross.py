"""The consistency cross, a tenth of it. All of it: `python -m tests.consistency --full`."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.consistency.cross import AXES, covering, every, play

SEED = 20
CHUNKS = 8


@pytest.mark.failure(32, 34, 35, 36, 37, 38, 41, 42, 43, 44)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_point_of_the_cross_brings_a_false_report(chunk: int, count_cases, figure) -> None:
    """However late, old, many or filled the orders are: nothing false is confirmed, nothing true is denied."""
    points = covering(SEED, 0.1)[chunk::CHUNKS]
    verdicts = [play(point, debug=number % 10 == 0) for number, point in enumerate(points)]
    assert [verdict for verdict in verdicts if verdict.wrong] == []
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert outcomes.keys() <= {"confirmed", "nothing_to_cancel", "unknown"}
    assert outcomes["confirmed"] > len(points) // 3
    count_cases(len(points))
    figure(f"consistency.chunk_{chunk}.points", len(points))


def test_the_chosen_points_meet_every_pair_of_values() -> None:
    """What `make test` leaves out of the cross is no pair of values."""
    points = covering(SEED, 0.1)
    assert len(list(every())) == 2520
    for one, other in itertools.combinations(AXES, 2):
        met = {(getattr(point, one), getattr(point, other)) for point in points}
        assert met == set(itertools.product(AXES[one], AXES[other]))
