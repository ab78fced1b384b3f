"""Thirty symbols are quoted for ten minutes: no quote is lost to the sweep before it, and the limits are kept."""

from __future__ import annotations

import pytest

from .quoting import COMMANDS, GOOD, NETWORK, READS, Run, play


def kept(run: Run) -> None:
    """What holds of every run."""
    assert run.rounds >= 30 * 30
    assert set(run.outcomes) <= GOOD
    assert all(run.worst_second[endpoint] <= quota for endpoint, quota in COMMANDS.items())
    assert all(run.worst_second[endpoint] <= 20 for endpoint in READS)


@pytest.mark.slow
def test_with_the_fence_no_quote_is_lost_to_its_own_sweep() -> None:
    """Item 4 of the issue: cancel by symbol, wait for `cleared`, quote again."""
    run = play(1, fence=True, cleared=True, **NETWORK)
    kept(run)
    assert run.quotes >= 2 * run.rounds
    assert run.lost == 0


@pytest.mark.slow
def test_without_the_fence_waiting_for_cleared_is_not_enough() -> None:
    """Where both quotes have filled a clear listing does not tell whether the sweep has run."""
    run = play(1, fence=False, cleared=True, **NETWORK)
    kept(run)
    assert run.lost > 0
    assert run.named == run.lost


@pytest.mark.slow
def test_without_the_fence_a_quote_that_goes_at_once_is_lost_and_named() -> None:
    """What the fence is for. The cancellation's report names every quote that it may have taken."""
    run = play(1, minutes=2.0, fence=False, cleared=False, **NETWORK)
    assert run.lost > run.quotes / 10
    assert run.named == run.lost
