"""When looks at an account of several pages are gathered, and that nobody waits long for one."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import Order, OrderStatus, Outcome
from bitget_async.evidence import Book, Certainty, Listing, Sweep
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.pace import Pace
from tests.inquiry.world import NEVER, SECOND, START_NS, World, ms, some

ACCOUNT = Read(ReadKind.LISTING)
NAMES = [f"S{number}USDT" for number in range(60)]


def at(milliseconds: float) -> int:
    """That moment after the start."""
    return START_NS + round(milliseconds * 1_000_000)


def pace_of(symbols: int, rows: int) -> Pace:
    """So many symbols wait, and the account's listing had so many rows; it was started at the start."""
    pace = Pace()
    for name in NAMES[:symbols]:
        pace.joined(name)
    pace.began(at(0))
    pace.ended(rows)
    return pace


def beside(rows: int, *names: str, at_s: float = 0.0) -> World:
    """An order of each symbol that ends 150 ms after its signing, beside so many of others that stay."""
    mine = some(1, *names, first=100_000, ended_s=at_s + 0.15, told_s=at_s + 0.2)
    return World(mine | some(rows, "OTHERUSDT", ended_s=NEVER, told_s=NEVER), latency_s=0.02)


@pytest.mark.parametrize(
    ("symbols", "rows", "shared"),
    [
        # Up to five look as each of them alone would.
        (5, 199, False),
        (6, 199, True),
        # One page costs too little to wait for.
        (6, 99, False),
        (6, 100, True),
        # More pages than symbols: their own listings are fewer reads.
        (6, 599, True),
        (6, 600, False),
        (60, 5_999, True),
        (60, 6_000, False),
    ],
)
def test_the_looks_of_many_at_an_account_of_several_pages_are_gathered(symbols: int, rows: int, shared: bool) -> None:
    """And the last listing is then new enough to be the snapshot of the next: 5 s, the gap and its reading."""
    pace = pace_of(symbols, rows)
    assert pace.shared is shared
    assert pace.fresh_ns == (5.0 if shared else 1.0) * SECOND


def test_nothing_is_gathered_before_the_size_of_the_account_is_known() -> None:
    """It may be a page, and then nobody should wait; an answer that was incomplete says nothing of it."""
    pace = pace_of(20, 0)
    assert not pace.shared
    unknown = Pace()
    for name in NAMES[:20]:
        unknown.joined(name)
    unknown.ended()
    assert not unknown.shared
    known = pace_of(20, 300)
    known.began(at(5_000))
    known.ended()
    assert known.shared
    assert known.opens_ns == at(5_000 + 3_500)


def test_several_cancellations_of_a_symbol_are_one() -> None:
    """One listing of it would serve them all; it counts until the last of them is settled."""
    pace = pace_of(5, 300)
    pace.joined(NAMES[0])
    pace.joined(NAMES[5])
    assert pace.shared
    pace.left(NAMES[0])
    assert pace.shared
    pace.left(NAMES[0])
    assert not pace.shared


@pytest.mark.parametrize(("rows", "gap_ms"), [(100, 2_000), (199, 2_000), (200, 3_000), (300, 3_500), (1_900, 3_500)])
def test_the_next_look_comes_a_second_later_for_each_page(rows: int, gap_ms: int) -> None:
    """A page a second where there are up to three, and never later than three and a half seconds."""
    assert pace_of(20, rows).opens_ns == at(gap_ms)


def test_a_listing_that_is_under_way_is_waited_for_for_three_seconds() -> None:
    """A second one beside it would only make both slower; one that hangs must not hold up everybody."""
    pace = pace_of(20, 300)
    pace.began(at(2_000))
    assert pace.opens_ns == at(5_000)
    pace.ended(300)
    assert pace.opens_ns == at(5_500)


# -- in the planner --------------------------------------------------------------------------------------------------


def planner_of(rows: int, *names: str) -> Inquiry:
    """
    Cancellations of these symbols wait, signed at the start and answered 50 ms later; the account was listed for them
    400 ms after the start, and 100 ms later that listing was there, with so many rows of others.
    """
    inquiry = Inquiry(random.Random(1))
    for name in names:
        signed(inquiry, name).answered(Certainty.ACKED, at(50))
        inquiry.answered(name, at(50))
    assert inquiry.due(at(400)) == [ACCOUNT]
    shown = tuple(Order(order_id=str(each), symbol="OTHERUSDT", status=OrderStatus.LIVE) for each in range(rows))
    inquiry.done(ACCOUNT, at(500), listing=Listing(None, at(400), ms(at(400)), shown, True))
    return inquiry


def signed(inquiry: Inquiry, key: str, at_ms: float = 0, *, book: Book = Book.NORMAL, snapshot: bool = False) -> Sweep:
    """A cancellation of the symbol that its key begins with is signed then."""
    evidence = Sweep(key.split(" ")[0], book, bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2))
    evidence.signed(at(at_ms), ms(at(at_ms)))
    inquiry.add(key, evidence, at(at_ms), snapshot=snapshot)
    return evidence


def listings(inquiry: Inquiry, at_ms: float) -> list[Read]:
    """What is listed then."""
    return [read for read in inquiry.due(at(at_ms)) if read.kind is ReadKind.LISTING]


@pytest.mark.parametrize(("rows", "opens_ms"), [(150, 2_400), (250, 3_400), (450, 3_900)])
def test_who_waits_is_served_by_one_listing_at_the_moment_it_may_start(rows: int, opens_ms: float) -> None:
    """A second after the last for each of its pages, 3.5 s at most: not before, and then for all six at once."""
    inquiry = planner_of(rows, *NAMES[:6])
    assert inquiry.wake_ns() == at(opens_ms)
    assert listings(inquiry, opens_ms - 0.001) == []
    assert listings(inquiry, opens_ms) == [ACCOUNT]
    # While its pages come, three seconds at most, no other one is started.
    assert inquiry.wake_ns() == at(opens_ms + 3_000)


def test_a_snapshot_does_not_wait_and_brings_nobody_forward() -> None:
    """The orders of the first moment may be gone by the next look: its symbol is listed at once, and no other one."""
    inquiry = planner_of(250, *NAMES[:6])
    _ = signed(inquiry, NAMES[6], 1_000, snapshot=True)
    assert inquiry.wake_ns() == at(1_000)
    assert inquiry.due(at(1_000)) == [Read(ReadKind.LISTING, NAMES[6])]
    assert inquiry.wake_ns() == at(3_400)


def test_a_gathered_listing_that_fails_is_followed_in_the_same_rhythm() -> None:
    """Two pages, so two seconds after it was started: an answer that will not come is not waited for."""
    inquiry = planner_of(150, *NAMES[:6])
    assert listings(inquiry, 2_400) == [ACCOUNT]
    inquiry.failed(ACCOUNT, at(2_500))
    assert inquiry.wake_ns() == at(2_400 + 2_000)


def test_a_failure_of_another_read_ends_no_listing() -> None:
    """Its pages still come: a second one beside it would make both slower."""
    inquiry = planner_of(150, *NAMES[:6])
    assert listings(inquiry, 2_400) == [ACCOUNT]
    inquiry.failed(Read(ReadKind.HISTORY, NAMES[0]), at(2_500))
    assert inquiry.wake_ns() == at(2_400 + 3_000)


def test_how_old_the_snapshot_of_the_next_may_be_follows_who_waits() -> None:
    """5 s while six symbols wait, 1 s with five; trigger orders have another list, and neither come nor go here."""
    inquiry = planner_of(250, *NAMES[:5])
    _ = signed(inquiry, f"{NAMES[5]} trigger", book=Book.PLAN)
    told = [inquiry.fresh_ns]
    _ = signed(inquiry, NAMES[5])
    told.append(inquiry.fresh_ns)
    inquiry.remove(f"{NAMES[5]} trigger")
    told.append(inquiry.fresh_ns)
    inquiry.remove(NAMES[5])
    told.append(inquiry.fresh_ns)
    assert told == [1 * SECOND, 5 * SECOND, 5 * SECOND, 1 * SECOND]


def test_who_is_left_when_others_are_settled_looks_in_its_own_time() -> None:
    """Five are not gathered: they need not wait for the seconds that six would have."""
    inquiry = planner_of(250, *NAMES[:6])
    assert inquiry.wake_ns() == at(3_400)
    inquiry.remove(NAMES[0])
    assert (inquiry.wake_ns() or 0) < at(1_300)


@pytest.mark.parametrize("failing", [False, True])
def test_a_steady_crowd_is_served_by_an_account_wide_look_now_and_then(failing: bool) -> None:
    """
    Five symbols a second beside 450 orders: five pages every 3.5 s serve seventeen symbols. A listing that fails is
    followed by the next one in the same rhythm.
    """
    world = beside(450)
    world.fails = lambda at_s, read: failing and read == ACCOUNT and 7 < at_s < 8
    for second in range(12):
        names = NAMES[second * 5 : second * 5 + 5]
        world.orders |= some(1, *names, first=200_000 + second * 5, ended_s=second + 0.15, told_s=second + 0.2)
    for second in range(12):
        world.run(second)
        world.sign(*NAMES[second * 5 : second * 5 + 5], snapshot=second == 0)
        world.run(second + 0.05)
        world.answer(*NAMES[second * 5 : second * 5 + 5])
    world.run(20)
    assert [outcome for _, outcome in world.settled.values()] == [Outcome.CONFIRMED] * 60
    listed = [(at_s, read) for at_s, read in world.reads if 3 <= at_s < 16 and read.kind is ReadKind.LISTING]
    assert {read for _, read in listed} == {ACCOUNT}
    moments = [at_s for at_s, _ in listed]
    assert all(3.5 <= later - at_s <= 3.9 for at_s, later in itertools.pairwise(moments))
    assert len(moments) >= 4
    assert max(world.settled[name][0] - index // 5 for index, name in enumerate(NAMES)) <= (9.6 if failing else 6.0)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_look_each_in_their_own_time(count: int) -> None:
    """Beside 450 orders: the first look within 350 ms of the answer, the deciding one at most 175 ms late."""
    names = NAMES[:count]
    world = beside(450, *names)
    world.usual(*names)
    world.run(10)
    assert len(world.settled) == count
    for name in names:
        first = next(at_s for at_s, read in world.reads if at_s > 0.05 and read.symbol in (None, name))
        assert 0.05 + 0.15 <= first <= 0.05 + 0.35
        assert world.settled[name][0] <= 2.0 + 0.175 + 0.15


@settings(max_examples=60, deadline=None)
@given(
    signed=st.lists(st.integers(0, 60), min_size=6, max_size=30),
    rows=st.integers(0, 900),
    latency_ms=st.integers(5, 50),
    seed=st.integers(0, 9),
)
def test_nobody_waits_longer_than_the_bound(signed: list[int], rows: int, latency_ms: int, seed: int) -> None:
    """
    Whoever comes when, and however large the account: a deciding look at most 3.5 s late, or 175 ms for what is not
    gathered, and then a listing page by page, with the reads that were before it, and the history.
    """
    moments = sorted(each / 10 for each in signed)
    latency_s = latency_ms / 1_000
    orders = some(rows, "OTHERUSDT", ended_s=NEVER, told_s=NEVER)
    for index, at_s in enumerate(moments):
        orders |= some(1, NAMES[index], first=100_000 + index, ended_s=at_s + 0.15, told_s=at_s + 0.2)
    world = World(orders, latency_s=latency_s, seed=seed)
    for at_s, group in itertools.groupby(enumerate(moments), key=lambda each: each[1]):
        names = [NAMES[index] for index, _ in group]
        world.usual_from(at_s, *names)
    world.run(30)
    assert len(world.settled) == len(moments)
    pages = 1 + (rows + len(moments)) // 100
    bound_s = 2.0 + 3.5 + 0.175 + latency_s * (2 * pages + 6)
    for index, at_s in enumerate(moments):
        assert world.settled[NAMES[index]][0] - at_s <= bound_s
        assert world.cleared[NAMES[index]] - at_s <= bound_s
