"""When to read again after reads that failed: little during a ban, soon after it, and no ban where only one read is."""

from __future__ import annotations

import itertools
import random

import pytest

from bitget_async import Outcome
from bitget_async.evidence import Certainty, Sweep
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.breaker import Breaker
from tests.inquiry.world import NEVER, SECOND, START_NS, World, ms, some

pytestmark = pytest.mark.failure(59)


@pytest.mark.parametrize("orders", [0, 1, 5])
@pytest.mark.parametrize("begins_s", [0.0, 0.1, 0.3, 1.0, 1.99, 5.0])
def test_a_ban_of_five_minutes_meets_ten_reads_and_ends_within_35_seconds(
    begins_s: float, orders: int, count_cases
) -> None:
    """Whatever the handle was doing when it began: at most ten reads inside, and the report 35 s after it."""
    for seed in range(20):
        world = World(
            some(orders, "BTCUSDT", ended_s=begins_s + 0.2, told_s=begins_s + 0.5),
            fails=lambda at_s, read: begins_s <= at_s < begins_s + 300,
            banned=True,
            seed=seed,
            latency_s=0.02,
        )
        world.usual("BTCUSDT")
        world.run(begins_s + 300)
        assert sum(at_s >= begins_s for at_s, _ in world.reads) <= 10 or world.settled
        world.run(400)
        settled_s, outcome = world.settled["BTCUSDT"]
        assert outcome is (Outcome.CONFIRMED if orders else Outcome.NOTHING_TO_CANCEL)
        # A look, and what it leaves to be read.
        assert settled_s <= begins_s + 300 + 35 + 1
    count_cases(20)


def test_all_commands_park_behind_one_probe() -> None:
    """Eight symbols whose reads do not fit on a page of the account: after the first refusals one read at a time."""
    names = [f"S{number}USDT" for number in range(8)]
    orders = some(2, *names, first=100_000, ended_s=0.2, told_s=0.4)
    orders |= some(5_000, "OTHERUSDT", ended_s=NEVER, told_s=NEVER)
    world = World(orders, fails=lambda at_s, read: 2.05 <= at_s < 302.05, banned=True, latency_s=0.02)
    world.usual(*names)
    world.run(303)
    during = [at_s for at_s, _ in world.reads if 2.3 <= at_s < 302.05]
    assert len(during) <= 10
    assert all(later - at_s >= 30 for at_s, later in itertools.pairwise(during[1:]))
    world.run(360)
    assert {outcome for _, outcome in world.settled.values()} == {Outcome.CONFIRMED}
    assert max(settled_s for settled_s, _ in world.settled.values()) <= 302.05 + 36


@pytest.mark.failure(58)
@pytest.mark.parametrize("kind", [ReadKind.LISTING, ReadKind.HISTORY])
def test_a_quota_that_others_use_up_is_no_ban(kind: ReadKind) -> None:
    """One kind of read is turned away and the other answered: slower, but never for more than five seconds."""
    world = World(
        some(2, "BTCUSDT"), fails=lambda at_s, read: read.kind is kind and 0.2 <= at_s < 40, banned=True, latency_s=0.02
    )
    world.usual("BTCUSDT")
    world.run(60)
    turned_away = [at_s for at_s, read in world.reads if read.kind is kind and 0.2 <= at_s < 40]
    assert max(world.gaps) <= 5.1
    assert len(turned_away) <= 20
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 46


def test_a_parked_breaker_says_when_it_looks_again() -> None:
    """Thirty to 35 s after the last refusal; nothing to say while only one kind is turned away."""
    world = World(some(1, "BTCUSDT"), fails=lambda at_s, read: True, banned=True, latency_s=0.02)
    world.sign("BTCUSDT")
    world.run(0.1)
    told = [world.inquiry.retry_ns]
    world.run(20)
    told.append(world.inquiry.retry_ns)
    last_ns = START_NS + round(world.reads[-1][0] * SECOND)
    world.fails = lambda at_s, read: False
    world.run(60)
    told.append(world.inquiry.retry_ns)
    assert told[0] is told[2] is None
    assert 30 * SECOND <= (told[1] or 0) - last_ns <= 35 * SECOND


@pytest.mark.failure(45)
def test_what_fails_without_being_turned_away_slows_down_to_five_seconds() -> None:
    """A broken network is not a ban: 0.3 s at first, twice that each time, 5 s at most; a success forgets all."""
    breaker, now = Breaker(random.Random(1)), START_NS
    gaps = []
    for _ in range(12):
        breaker.failed(ReadKind.LISTING, now, turned_away=False)
        gaps.append((breaker.resume_ns - now) / SECOND)
        now = breaker.resume_ns
    assert 0.3 <= gaps[0] <= 0.4
    assert all(3.75 <= gap <= 5.0 for gap in gaps[5:])
    assert not breaker.parked
    assert not breaker.probing
    breaker.answered(ReadKind.HISTORY)
    breaker.failed(ReadKind.LISTING, now, turned_away=False)
    assert (breaker.resume_ns - now) / SECOND <= 0.4


def test_an_answer_of_another_kind_does_not_quicken_the_one_that_is_turned_away() -> None:
    """Listings are refused, history answers in between: the listings go on slowing down."""
    breaker, now, gaps = Breaker(random.Random(1)), START_NS, []
    for _ in range(8):
        breaker.failed(ReadKind.LISTING, now, turned_away=True)
        assert breaker.suspect is ReadKind.LISTING
        gaps.append((breaker.resume_ns - now) / SECOND)
        now = breaker.resume_ns
        breaker.answered(ReadKind.HISTORY)
        assert breaker.suspect is None
    assert gaps[0] <= 0.4
    assert min(gaps[5:]) >= 3.75
    # Twice in a row without a refusal: that was that.
    breaker.answered(ReadKind.HISTORY)
    breaker.failed(ReadKind.LISTING, now, turned_away=True)
    assert (breaker.resume_ns - now) / SECOND <= 0.4


def test_a_straggler_does_not_end_the_pause() -> None:
    """Reads under way when all park fail late; the next read is no earlier for it."""
    breaker = Breaker(random.Random(1))
    breaker.failed(ReadKind.LISTING, START_NS, turned_away=True)
    breaker.failed(ReadKind.ORDER, START_NS, turned_away=True)
    parked_ns = breaker.resume_ns
    assert breaker.parked
    assert parked_ns >= START_NS + 30 * SECOND
    breaker.failed(ReadKind.HISTORY, START_NS + SECOND, turned_away=False)
    assert breaker.resume_ns >= parked_ns
    assert breaker.parked
    breaker.answered(ReadKind.HISTORY)
    assert not breaker.parked


def test_the_probe_is_of_another_kind_than_the_one_that_was_turned_away() -> None:
    """A listing is refused: the next read asks the history, which has a quota of its own; and the reverse."""
    world = World(some(1, "BTCUSDT"), fails=lambda at_s, read: at_s == 0, banned=True, latency_s=0.02)
    world.sign("BTCUSDT")
    world.run(2)
    assert [read for _, read in world.reads[:2]] == [
        Read(ReadKind.LISTING, "BTCUSDT"),
        Read(ReadKind.HISTORY, "BTCUSDT"),
    ]
    world = World(
        some(1, "BTCUSDT", told_s=NEVER),
        fails=lambda at_s, read: read.kind is ReadKind.HISTORY,
        banned=True,
        latency_s=0.02,
    )
    world.usual("BTCUSDT")
    world.run(20)
    first = next(index for index, (_, read) in enumerate(world.reads) if read.kind is ReadKind.HISTORY)
    after = [read.kind for _, read in world.reads[first + 1 :]]
    assert after[0] is not ReadKind.HISTORY


def test_one_probe_serves_all_who_share_the_breaker() -> None:
    """The watcher and the tracker wake at the same moment: whoever asks first asks for both, and both hear of it."""
    breaker = Breaker(random.Random(1))
    breaker.began(START_NS)
    assert breaker.resume_ns == 0, "nothing is wrong yet: nobody waits for anybody"
    breaker.failed(ReadKind.LISTING, START_NS, turned_away=True)
    breaker.failed(ReadKind.HISTORY, START_NS, turned_away=True)
    now = breaker.resume_ns
    breaker.began(now)
    assert breaker.resume_ns == now + SECOND // 5, "the other one waits for the answer"
    breaker.failed(ReadKind.LISTING, now, turned_away=True)
    assert 30 * SECOND <= breaker.resume_ns - now <= 35 * SECOND
    now = breaker.resume_ns
    breaker.began(now)
    breaker.answered(ReadKind.LISTING)
    assert breaker.resume_ns == now, "the ban is over: for the other one at once, too"


def test_the_probe_of_one_planner_is_waited_for_by_the_other() -> None:
    """A planner that makes the probe says so: whoever shares its breaker would make another one at the same moment."""
    breaker = Breaker(random.Random(1))
    planners = [Inquiry(random.Random(seed), breaker) for seed in range(2)]
    for planner in planners:
        evidence = Sweep("BTCUSDT", bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
        evidence.signed(START_NS, ms(START_NS))
        planner.add("a", evidence, START_NS)
        evidence.answered(Certainty.ACKED, START_NS)
        _ = planner.answered("a", START_NS)
    planners[0].failed(Read(ReadKind.LISTING, "BTCUSDT"), START_NS + SECOND, turned_away=True)
    now = breaker.resume_ns
    assert len(planners[0].due(now)) == 1
    assert planners[1].due(now) == []
    assert planners[1].wake_ns() == now + SECOND // 5
    breaker.answered(ReadKind.HISTORY)
    assert len(planners[1].due(now + SECOND // 20)) == 1
