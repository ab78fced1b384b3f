"""What goes at most so often: pure arithmetic, checked against counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bitget_async.drip import Drip

SECOND_NS = 1_000_000_000


@given(
    burst=st.integers(1, 20),
    per_s=st.sampled_from([0.5, 1.0, 4.0, 70.0]),
    gaps=st.lists(st.integers(0, 2 * SECOND_NS), max_size=60),
)
def test_in_no_span_of_time_pass_more_than_the_burst_and_the_rate_allow(
    burst: int, per_s: float, gaps: list[int]
) -> None:
    """Whoever comes when he may passes: counted over every span between two that passed."""
    drip, now, passed = Drip(burst, per_s), 10 * SECOND_NS, []
    for gap in gaps:
        now += gap
        if drip.wait_ns(now) == 0:
            drip.passed(now)
            passed.append(now)
    for first, began in enumerate(passed):
        for last in range(first, len(passed)):
            allowed = burst + (passed[last] - began) * per_s / SECOND_NS
            assert last - first + 1 <= allowed + 1e-6


@given(burst=st.integers(1, 20), per_s=st.sampled_from([0.5, 1.0, 4.0, 70.0]), ahead=st.integers(0, 50))
def test_the_wait_that_is_told_is_the_wait_that_it_takes(burst: int, per_s: float, ahead: int) -> None:
    """For the last of so many who all pass as soon as they may."""
    drip, start = Drip(burst, per_s), 10 * SECOND_NS
    told, now = drip.wait_ns(start, ahead), start
    for _ in range(ahead):
        now += drip.wait_ns(now)
        drip.passed(now)
    assert now + drip.wait_ns(now) == start + told


def test_who_did_not_go_after_all_leaves_his_place() -> None:
    """A caller that is cancelled in the moment in which it is its turn costs the next one nothing."""
    drip = Drip(1, 1.0)
    drip.passed(SECOND_NS)
    assert drip.wait_ns(SECOND_NS) == SECOND_NS
    drip.undo()
    assert drip.wait_ns(SECOND_NS) == 0
