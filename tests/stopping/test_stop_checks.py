"""When a stop looks, and what a listing lets it do."""

from __future__ import annotations

import pytest

from bitget_async.stopping import Checks, Rests, Verdict

SECOND = 1_000_000_000
FAR = 1_000 * SECOND


def checks(*, last_s: float = 10.0, **more: object) -> Checks:
    """A stop called for at 1 s whose last command was answered at `last_s`; 2 s of staleness, 10 s of grace."""
    made = Checks(SECOND, 2 * SECOND, 10 * SECOND)
    made.moved(round(last_s * SECOND))
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_listing_can_be_trusted_a_while_after_the_last_command() -> None:
    """It cannot be older than that; and no older than the call, where there was no command."""
    assert checks().trusted_ns == 12 * SECOND
    assert checks(last_s=0).trusted_ns == 3 * SECOND
    made = checks()
    made.moved(9 * SECOND)
    assert made.trusted_ns == 12 * SECOND
    made.moved(11 * SECOND)
    assert made.trusted_ns == 13 * SECOND


def test_looks_come_soon_after_the_last_command_and_when_they_can_be_trusted() -> None:
    """The early ones are for `cleared()`; then every two seconds."""
    made, now, moments = checks(), 10 * SECOND, []
    for _ in range(7):
        now = made.look_ns(now, FAR)
        made.looks += 1
        moments.append(now / SECOND)
    assert moments == [10.15, 10.35, 10.7, 11.2, 12.0, 14.0, 16.0]


def test_early_looks_end_when_one_was_clear() -> None:
    """What is left to know is told by the one that can be trusted."""
    assert checks(cleared=True).look_ns(10 * SECOND, FAR) == 12 * SECOND
    assert checks(looks=4).look_ns(10 * SECOND, FAR) == 12 * SECOND


def test_look_that_is_overdue_is_not_made_at_once_and_again() -> None:
    """A listing that took longer than to the next look must not make the loop spin."""
    assert checks(looks=1).look_ns(10 * SECOND + 360_000_000, FAR) == 10 * SECOND + 700_000_000
    assert checks().look_ns(20 * SECOND, 20 * SECOND) == 20 * SECOND + 1_000_000
    assert checks().look_ns(20 * SECOND, 21 * SECOND) == 21 * SECOND


@pytest.mark.parametrize(
    ("asked_s", "left", "now_s", "out", "verdict"),
    [
        (11.9, 0, 11.9, False, Verdict.LOOK),
        (12.0, 0, 12.0, False, Verdict.CLEAR),
        (12.0, 0, 12.0, True, Verdict.CLEAR),
        (12.0, 1, 12.0, False, Verdict.AGAIN),
        (12.0, 1, 12.0, True, Verdict.LOOK),
        (51.9, 1, 51.9, False, Verdict.AGAIN),
        (52.0, 1, 52.0, False, Verdict.OVER),
        (52.0, 1, 52.0, True, Verdict.LOOK),
        (52.0, 0, 52.0, False, Verdict.CLEAR),
    ],
)
def test_verdict(asked_s: float, left: int, now_s: float, out: bool, verdict: Verdict) -> None:
    """Over 42 s after the last command (30 s to take it, 10 s grace, 2 s staleness), and not while one is out."""
    made = checks()
    assert made.act_ns == 42 * SECOND
    assert made.verdict(round(asked_s * SECOND), left, round(now_s * SECOND), FAR, out=out) is verdict


def test_rounds_wait_twice_as_long_each_time() -> None:
    """An exchange that executes late is not flooded with the same ids."""
    made, waits = checks(), []
    for _ in range(3):
        made.again()
        assert made.looks == 0
        made.sent(20 * SECOND)
        waits.append((made.again_ns - 20 * SECOND) / SECOND)
        made.looks = 3
    assert waits == [2, 4, 8]
    asked = 13 * SECOND
    assert made.verdict(asked, 1, made.again_ns - 1, FAR, out=False) is Verdict.LOOK
    assert made.verdict(asked, 1, made.again_ns, FAR, out=False) is Verdict.AGAIN


def test_further_round_must_be_able_to_end_in_time() -> None:
    """The first goes out whatever the time; another one only if what it does can be known by then."""
    now = 13 * SECOND
    assert checks().verdict(now, 1, now, now + SECOND, out=False) is Verdict.AGAIN
    once = checks(rounds=1)
    assert once.verdict(now, 1, now, now + 42 * SECOND, out=False) is Verdict.LOOK
    assert once.verdict(now, 1, now, now + 42 * SECOND + 1, out=False) is Verdict.AGAIN


def test_ids_rest_for_a_second_after_the_answer() -> None:
    """And as long as there is none; nobody else does."""
    rests = Rests()
    rests.began(["1", "2"])
    assert set(rests.of(["1", "2", "3"], 99 * SECOND)) == {"1", "2"}
    rests.ended(["1"], 100 * SECOND)
    assert rests.of(["1", "3"], 100 * SECOND) == {"1": SECOND}
    assert rests.of(["1"], 101 * SECOND - 1) == {"1": 1}
    assert rests.of(["1"], 101 * SECOND) == {}
    assert set(rests.of(["2"], 101 * SECOND)) == {"2"}


def test_ids_whose_second_is_over_are_forgotten() -> None:
    """A client may stop a thousand times in its life."""
    rests = Rests()
    for place in range(100):
        rests.began([str(place)])
        rests.ended([str(place)], place * SECOND)
    assert len(rests) == 1
