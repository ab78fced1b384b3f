"""The exchange's clock as an interval: it narrows, ages, survives a lying answer, and always holds the truth."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.clock import ServerClock, SystemClock, VirtualClock

MS = 1_000_000
SECOND = 1_000 * MS
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WALL_MS = 1_750_000_000_000
START_NS = 5_000 * SECOND


class StillClock:
    """A wall clock that shows `WALL_MS` at `START_NS` and runs with the monotonic one."""

    def __init__(self, off_ms: int = 0) -> None:
        self.now_ns = START_NS
        self.off_ms = off_ms

    def monotonic_ns(self) -> int:
        return self.now_ns

    def epoch_ms(self) -> int:
        return WALL_MS + self.off_ms + (self.now_ns - START_NS) // MS

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the server clock never sleeps")


def clock_of(off_ms: int = 0) -> tuple[ServerClock, StillClock]:
    """A server clock and the local clocks that it stands on, the wall clock off by that much."""
    local = StillClock(off_ms)
    return ServerClock(local), local


def told(true_ms: int, at_ns: int, took_ms: int) -> tuple[int, int, int]:
    """Arguments of `observe` for an answer whose stamp was made half-way, on a server at `true_ms` at START_NS."""
    return true_ms + (at_ns - START_NS) // MS, at_ns - took_ms * MS // 2, at_ns + took_ms * MS // 2


def test_before_any_answer_there_is_only_the_wall_clock() -> None:
    """A guess is given to sign with, and never a bound to reason from."""
    server, local = clock_of(off_ms=250)
    assert not server.synchronised
    assert server.bounds_ms(START_NS) is None
    assert server.estimate_ms(START_NS) == WALL_MS + 250
    local.now_ns += 3 * SECOND
    assert server.estimate_ms(START_NS + 7 * SECOND) == WALL_MS + 7_000 + 250


def test_one_answer_gives_an_interval_as_wide_as_its_round_trip() -> None:
    """The stamp lies between sending and receiving, and is cut to milliseconds."""
    server, _ = clock_of()
    server.observe(WALL_MS, START_NS - 40 * MS, START_NS + 60 * MS)
    assert server.synchronised
    low, high = server.bounds_ms(START_NS + 60 * MS) or (0, 0)
    # Up to 1 ms of cutting, 100 ms of travel, and 10 us that the exchange's clock may have gained, rounded up.
    assert (low, high) == (WALL_MS, WALL_MS + 102)
    assert low <= server.estimate_ms(START_NS + 60 * MS) <= high


def test_a_quick_answer_narrows_what_a_slow_one_left_open() -> None:
    """The intersection is kept: the tightest answer counts, in whatever order they come."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 400))
    wide = server.bounds_ms(START_NS + SECOND) or (0, 0)
    server.observe(*told(WALL_MS, START_NS + SECOND, 10))
    narrow = server.bounds_ms(START_NS + SECOND) or (0, 0)
    server.observe(*told(WALL_MS, START_NS + SECOND, 900))
    after = server.bounds_ms(START_NS + SECOND) or (0, 0)
    assert wide[1] - wide[0] >= 400
    assert narrow[1] - narrow[0] <= 13
    assert wide[0] <= narrow[0] <= WALL_MS + 1_000 <= narrow[1] <= wide[1]
    assert after[1] - after[0] <= narrow[1] - narrow[0] + 1


@pytest.mark.parametrize(("age_s", "widening_ms"), [(0, 0), (10, 1), (100, 10), (1_000, 100), (-100, 10)])
def test_an_interval_grows_by_100_parts_in_a_million(age_s: int, widening_ms: int) -> None:
    """Two quartz clocks drift apart; nothing that was measured stays exact. Backwards as well as forwards."""
    server, _ = clock_of()
    server.observe(WALL_MS, START_NS, START_NS)
    low, high = server.bounds_ms(START_NS + age_s * SECOND) or (0, 0)
    now_ms = WALL_MS + age_s * 1_000
    assert (now_ms - low, high - now_ms) == (widening_ms, widening_ms + 1)


@pytest.mark.failure(22)
@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS, 20 * HOUR_MS])
def test_a_wall_clock_that_is_hours_off_is_set_right_by_the_first_answer(off_ms: int) -> None:
    """A machine in the wrong time zone must work; only a day or more looks like a lie."""
    server, _ = clock_of(off_ms)
    server.observe(*told(WALL_MS, START_NS, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 11


@pytest.mark.failure(22)
@pytest.mark.parametrize("off_ms", [DAY_MS + 60_000, -DAY_MS - 60_000, 300 * DAY_MS])
def test_a_first_answer_more_than_a_day_off_needs_a_second_that_agrees(off_ms: int) -> None:
    """One mangled answer must not move every timestamp; a machine that woke in 1970 must still get there."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS + off_ms, START_NS, 20))
    assert server.bounds_ms(START_NS) is None
    server.observe(*told(WALL_MS - off_ms, START_NS, 20))
    assert server.bounds_ms(START_NS) is None
    server.observe(*told(WALL_MS - off_ms + 5, START_NS + SECOND, 20))
    assert server.synchronised
    assert abs(server.estimate_ms(START_NS) - (WALL_MS - off_ms)) <= 30


@pytest.mark.failure(23)
@pytest.mark.parametrize("jump_ms", [2_000, HOUR_MS, 2 * DAY_MS, -2 * DAY_MS])
def test_an_answer_that_contradicts_the_clock_needs_a_second_that_agrees(jump_ms: int) -> None:
    """Once synchronised, a single answer from elsewhere changes nothing; two in a row do."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 20))
    server.observe(*told(WALL_MS + jump_ms, START_NS + SECOND, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 11
    server.observe(*told(WALL_MS + jump_ms, START_NS + 2 * SECOND, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS - jump_ms) <= 11


def test_an_answer_says_whether_it_set_the_clock() -> None:
    """At first, and anew once a second answer agrees; not when it makes it better known, and not by a single lie."""
    server, _ = clock_of()
    assert not server.observe(*told(WALL_MS + 2 * DAY_MS, START_NS, 20))
    assert server.observe(*told(WALL_MS, START_NS + SECOND, 20))
    assert not server.observe(*told(WALL_MS, START_NS + 2 * SECOND, 10))
    # Servers that disagree by less than a second are both covered.
    assert not server.observe(*told(WALL_MS + 500, START_NS + 3 * SECOND, 10))
    assert not server.observe(*told(WALL_MS + 5_000, START_NS + 4 * SECOND, 10))
    assert server.observe(*told(WALL_MS + 5_000, START_NS + 5 * SECOND, 10))


@pytest.mark.parametrize("off_ms", [0, 300, -HOUR_MS])
def test_the_offset_is_what_the_exchange_shows_more_than_this_machine(off_ms: int) -> None:
    """And how far that can be off, either way; after one stamp alone the wall clock may be right too."""
    server, _ = clock_of(off_ms)
    assert server.offset_ms(START_NS) is None
    server.observe(*told(WALL_MS, START_NS, 20))
    first = server.offset_ms(START_NS)
    assert first is not None
    assert abs(first[0] + off_ms) <= 11
    assert first[1] >= abs(off_ms) - 11
    server.observe(*told(WALL_MS + 1, START_NS, 20))
    second = server.offset_ms(START_NS)
    assert second is not None
    assert abs(second[0] + off_ms) <= 12
    assert 9 <= second[1] <= 12


@pytest.mark.failure(22)
@pytest.mark.parametrize("between_s", [1, 10])
def test_one_answer_served_twice_does_not_agree_with_itself(between_s: int) -> None:
    """A stale copy out of some cache tells the same time later: two such ones are no clock that runs."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 20))
    for second in (1, 1 + between_s):
        at = START_NS + second * SECOND
        server.observe(WALL_MS - DAY_MS, at - 10 * MS, at + 10 * MS)
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 11


def test_a_doubted_answer_is_forgotten_when_a_good_one_follows() -> None:
    """Two lies with a truth between them are still single lies."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 20))
    for second in (1, 2, 3):
        server.observe(*told(WALL_MS + 2 * DAY_MS, START_NS + second * SECOND, 20))
        server.observe(*told(WALL_MS, START_NS + second * SECOND, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 11


def test_doubt_of_before_the_first_good_answer_is_forgotten() -> None:
    """The same before anything is known: an accepted answer takes back the doubted one before it."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS + 2 * DAY_MS, START_NS, 20))
    server.observe(*told(WALL_MS, START_NS, 20))
    server.observe(*told(WALL_MS + 2 * DAY_MS, START_NS, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 20


@pytest.mark.parametrize(
    ("apart_ms", "agree"), [(0, False), (1, True), (20, True), (22, False), (-20, True), (-22, False)]
)
def test_two_doubted_answers_agree_if_one_clock_can_have_told_both(apart_ms: int, agree: bool) -> None:
    """Round trips of 20 ms leave 21 ms each: further apart are two lies, and the same stamp twice is one copied."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 20))
    server.observe(*told(WALL_MS + DAY_MS, START_NS, 20))
    server.observe(*told(WALL_MS + DAY_MS + apart_ms, START_NS, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS - (DAY_MS if agree else 0)) <= 33


@pytest.mark.failure(22)
def test_servers_that_disagree_by_less_than_a_second_are_both_covered() -> None:
    """Machines behind one address: neither is wrong, so the interval holds both."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 10))
    server.observe(*told(WALL_MS + 300, START_NS, 10))
    low, high = server.bounds_ms(START_NS) or (0, 0)
    assert low <= WALL_MS <= WALL_MS + 300 <= high
    assert high - low <= 330


@pytest.mark.failure(22)
def test_resync_starts_from_the_answer_that_refused_us() -> None:
    """40008 says that what we believed is wrong: nothing of it is kept, whatever the distance."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS, START_NS, 20))
    server.observe(*told(WALL_MS + 5 * DAY_MS, START_NS, 20))
    server.resync(*told(WALL_MS - 3 * DAY_MS, START_NS + SECOND, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS + 3 * DAY_MS) <= 11
    # The doubt of before is gone too: one more answer from there stays a single one.
    server.observe(*told(WALL_MS + 5 * DAY_MS, START_NS + SECOND, 20))
    assert abs(server.estimate_ms(START_NS) - WALL_MS + 3 * DAY_MS) <= 11


@pytest.mark.failure(22)
def test_resync_before_any_answer_and_in_agreement() -> None:
    """The first answer of all may be the refusal; and one that agrees with what is known only narrows it."""
    server, _ = clock_of(off_ms=HOUR_MS)
    server.resync(*told(WALL_MS, START_NS, 50))
    assert abs(server.estimate_ms(START_NS) - WALL_MS) <= 26
    server.resync(*told(WALL_MS, START_NS, 10))
    server.resync(*told(WALL_MS, START_NS + SECOND, 500))
    low, high = server.bounds_ms(START_NS) or (0, 0)
    assert high - low <= 13


@st.composite
def honest_answers(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]]]:
    """A true offset in ns, and (sent, stamped, received) of answers in the order in which they arrive."""
    offset = WALL_MS * MS - START_NS + draw(st.integers(-12 * HOUR_MS * MS, 12 * HOUR_MS * MS))
    at, answers = START_NS, []
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.integers(0, 100 * SECOND))
        took = draw(st.integers(0, 10 * SECOND))
        answers.append((at - took, at - draw(st.integers(0, took)), at))
    return offset, answers


@pytest.mark.failure(22, 23)
@settings(max_examples=300, deadline=None)
@given(honest_answers(), st.integers(-100 * SECOND, 2_000 * SECOND))
def test_the_bounds_hold_the_truth_whatever_the_latencies(
    case: tuple[int, list[tuple[int, int, int]]], later_ns: int
) -> None:
    """Scope and horizon are computed from these bounds: an honest exchange must never lie outside them."""
    offset, answers = case
    server, local = clock_of()
    for sent, stamped, received in answers:
        local.now_ns = received
        server.observe((stamped + offset) // MS, sent, received)
        for at in (sent, stamped, received, received + later_ns):
            low, high = server.bounds_ms(at) or (0, 0)
            assert low * MS <= at + offset <= high * MS
            assert low <= server.estimate_ms(at) <= high


@pytest.mark.failure(22, 23)
@settings(max_examples=300, deadline=None)
@given(honest_answers(), st.integers(-100, 100))
def test_the_bounds_hold_a_drifting_truth(case: tuple[int, list[tuple[int, int, int]]], ppm: int) -> None:
    """The same for an exchange whose clock runs faster or slower, also while an answer of ten seconds is on its way."""
    offset, answers = case
    server, local = clock_of()

    def true_ns(at: int) -> int:
        return at + offset + (at - START_NS) * ppm // 1_000_000

    for sent, stamped, received in answers:
        sent, stamped = received - (received - sent) // 100, received - (received - stamped) // 100
        local.now_ns = received
        server.observe(true_ns(stamped) // MS, sent, received)
        for at in (received, received + 500 * SECOND):
            low, high = server.bounds_ms(at) or (0, 0)
            # Both sides of the comparison are cut to whole nanoseconds.
            assert low * MS - 2 <= true_ns(at) <= high * MS + 2


@pytest.mark.failure(22)
def test_a_server_that_runs_fast_and_stamps_early_stays_inside() -> None:
    """Ten seconds at 100 ppm gain a millisecond: the upper bound is true at the sending, and ages from there."""
    server, local = clock_of()
    sent, received = START_NS, START_NS + 10 * SECOND
    local.now_ns = received
    true_ns = WALL_MS * MS + 999_999
    server.observe(true_ns // MS, sent, received)
    low, high = server.bounds_ms(received) or (0, 0)
    assert low * MS <= true_ns + 10 * SECOND + MS <= high * MS


async def test_the_system_clock_shows_the_machines_clocks() -> None:
    """The monotonic one is the one that asyncio's timers follow, so waits and deadlines agree."""
    clock = SystemClock()
    assert abs(clock.monotonic_ns() / 1e9 - asyncio.get_running_loop().time()) < 1
    assert abs(clock.epoch_ms() - time.time() * 1_000) < 1_000
    before = clock.monotonic_ns()
    await clock.sleep(0.001)
    assert clock.monotonic_ns() - before >= MS


def test_the_virtual_clock_follows_the_loop(virtual) -> None:
    """Drift and steps move the wall clock only; durations stay what the loop says."""

    async def main() -> None:
        clock = VirtualClock(WALL_MS, drift_ppm=1_000)
        await clock.sleep(100)
        assert clock.monotonic_ns() == pytest.approx(100 * SECOND, abs=MS)
        assert clock.epoch_ms() == pytest.approx(WALL_MS + 100_100, abs=1)
        clock.step(-HOUR_MS)
        assert clock.epoch_ms() == pytest.approx(WALL_MS + 100_100 - HOUR_MS, abs=1)
        assert clock.monotonic_ns() == pytest.approx(100 * SECOND, abs=MS)

    virtual(main)


def test_one_stamp_alone_does_not_rule_out_the_wall_clock() -> None:
    """It could be a stale copy: orders of the time between must not be called late for it. A second one decides."""
    server, _ = clock_of()
    server.observe(*told(WALL_MS - 60_000, START_NS, 20))
    low, high = server.bounds_ms(START_NS) or (0, 0)
    assert low <= WALL_MS - 60_000
    assert high >= WALL_MS
    server.observe(*told(WALL_MS - 60_000, START_NS, 20))
    assert (server.bounds_ms(START_NS) or (0, 0))[1] >= WALL_MS
    server.observe(*told(WALL_MS - 60_000, START_NS + SECOND, 20))
    low, high = server.bounds_ms(START_NS) or (0, 0)
    assert abs(low - WALL_MS + 60_000) <= 12
    assert abs(high - WALL_MS + 60_000) <= 12
