"""Looks that pushes bring forward: one more, at once, and nothing else moves."""

from __future__ import annotations

import itertools
import random

import pytest

from bitget_async import Order, OrderStatus, Outcome
from bitget_async.evidence import Certainty, Command, Named, Push, Sweep, Target, Want
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.looks import Hints, Look, SweepLook
from tests.inquiry.test_rhythm import BTC, Lowest, at, history, listing, look_after
from tests.inquiry.world import SECOND, START_NS, Truth, World, ms, some


def ended(at_ms: float, *numbers: int) -> Push:
    """A frame that came then: these orders were cancelled just after the signing."""
    page = history(at_ms, *numbers)
    return Push(tuple(map(page.whole, page.rows)), at(at_ms), ms(at(at_ms)))


def hinted(*facts: object, at_ms: float = 100, alone: bool = True, **fields: object) -> SweepLook:
    """A look after a sweep with the first look planned, these facts, and order 1 pushed final then."""
    look = look_after(*facts)  # type: ignore[arg-type]
    look.first(at(50), alone=True)
    for name, value in fields.items():
        setattr(look, name, value)
    look.evidence.saw_push(ended(at_ms, 1))
    look.hint(at(at_ms), alone=alone)
    return look


def test_an_early_look_is_one_more() -> None:
    """The window of before comes back after it, as if it had not been."""
    look = Look(Lowest())
    look.window(at(500), 40)
    look.early(at(100), 30)
    assert (look.from_ns, look.until_ns) == (at(100), at(100) + 30)
    look.early(at(110), 0)
    assert (look.from_ns, look.until_ns) == (at(110), at(110))
    assert look.resumes(at(120))
    assert (look.from_ns, look.until_ns) == (at(500), at(500) + 40)
    assert not look.resumes(at(500))


def test_an_early_look_delays_nothing() -> None:
    """Where a look is due before the early one would have to be, it is that one; and then it was not one more."""
    look = Look(Lowest())
    look.window(at(100), 40)
    look.early(at(90), 10_000_000_000)
    assert look.until_ns == at(100) + 40
    assert not look.resumes(at(100))
    look.window(at(100))
    look.early(at(101), 5)
    assert look.until_ns == at(101)


def test_whatever_else_is_decided_ends_an_early_look() -> None:
    """A window that is set anew is the one that counts."""
    look = Look(Lowest())
    look.window(at(500))
    look.early(at(100), 0)
    look.window(at(700))
    assert not look.resumes(at(700))


@pytest.mark.failure(47)
@pytest.mark.parametrize(("alone", "slack_ms"), [(True, 0), (False, 30)])
def test_where_pushes_say_that_a_listing_will_be_clear_it_is_read_at_once(alone: bool, slack_ms: int) -> None:
    """When the last order in scope is pushed final; with others about a little later, if that saves a read."""
    look = hinted(listing(0, 1), alone=alone)
    assert (look.from_ns, look.until_ns) == (at(100), at(100 + slack_ms))
    assert look.wants_listing
    assert not look.wants_history
    assert look.resumes(at(130))
    assert look.from_ns == at(200)


@pytest.mark.failure(47)
@pytest.mark.parametrize(
    ("look", "why"),
    [
        (hinted(listing(0, 1, 2)), "another order is open"),
        (hinted(), "nobody knows what was open"),
        (hinted(listing(0, 1), listing(60)), "it is cleared"),
        (hinted(listing(0, 1), hinted_ns=at(100)), "that push brought on a look already"),
        (hinted(listing(0), listing(2_000), decided=True, at_ms=2_100), "the deciding listing is clear"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_when_a_push_brings_no_look_forward(look: SweepLook, why: str) -> None:
    """Where a listing would not be clear, or is not needed."""
    assert look.from_ns == at(200), why


def test_what_a_tracker_knows_is_enough_to_look_early() -> None:
    """Without a listing: what was open is known from pushes of before."""
    look = look_after()
    look.first(at(50), alone=True)
    look.evidence.tracked = True
    look.evidence.saw_push(ended(60, 1))
    look.hint(at(60), alone=True)
    assert look.from_ns == at(60)


def test_before_the_answer_nothing_is_hinted() -> None:
    """The answer sets the first look; a listing from before it clears nothing."""
    look = look_after(listing(0, 1), answered_ms=None)
    look.window(at(0))
    look.evidence.saw_push(ended(40, 1))
    look.hint(at(40), alone=True)
    assert look.from_ns == at(0)


def test_a_deciding_look_in_vain_is_made_again_when_the_last_order_is_pushed_final() -> None:
    """It waited up to five seconds for its next turn; the rhythm stays as it is."""
    look = hinted(listing(0, 1), listing(2_000, 1), at_ms=2_700, decided=True, gap_ns=at(5_000) - START_NS)
    assert (look.from_ns, look.gap_ns) == (at(2_700), at(5_000) - START_NS)


@pytest.mark.parametrize(
    ("decided", "from_ms", "early"), [(True, 900, True), (True, 400, False), (True, 150, False), (False, 900, False)]
)
def test_what_waits_for_a_listing_looks_once_more_when_pushes_come_again(
    decided: bool, from_ms: int, early: bool
) -> None:
    """Some may have been missed. Where the next look is near, or decides, nothing is gained."""
    look = look_after(listing(0, 1), listing(2_000, 1))
    look.decided = decided
    look.window(at(from_ms))
    look.missed(at(200))
    assert (look.from_ns, look.until_ns) == ((at(200), at(400)) if early else (at(from_ms), at(from_ms)))
    clear = look_after(listing(0, 1), listing(2_000))
    clear.decided = True
    clear.window(at(9_000))
    clear.missed(at(200))
    assert clear.from_ns == at(9_000)


def test_connections_that_are_soon_lost_bring_on_a_look_in_five_seconds() -> None:
    """A stream that flaps must not make anybody read all the time."""
    inquiry = Inquiry(Lowest())
    look = look_after(listing(0, 1), listing(2_000, 1))
    inquiry.add("sweep", look.evidence, at(0))
    target = Target(command=Command(bounds_ms=lambda at: None), symbol=BTC, want=Want.FINAL, order_id="1")

    inquiry.add("named", Named((target,)), at(0))
    kept = inquiry._looks["sweep"]
    assert isinstance(kept, SweepLook)
    kept.decided = True
    wakes = []
    for moment_ms in (10_000, 12_000, 14_999, 15_000):
        kept.window(at(60_000))
        inquiry.missed(at(moment_ms))
        wakes.append(kept.from_ns)
    assert wakes == [at(10_000), at(60_000), at(60_000), at(15_000)]


def test_the_first_cut_counts_on_a_machine_that_has_just_started() -> None:
    """Its clock counts from there: nothing was missed before, whatever small number it shows."""
    inquiry = Inquiry(Lowest())
    evidence = Sweep(BTC, bounds_ms=lambda at: None)
    evidence.signed(0, 0)
    inquiry.add("sweep", evidence, 0)
    evidence.answered(Certainty.ACKED, 50_000_000)
    look = inquiry._looks["sweep"]
    assert isinstance(look, SweepLook)
    look.decided = True
    look.window(60 * SECOND)
    inquiry.missed(3 * SECOND)
    assert look.from_ns == 3 * SECOND


# -- in time -------------------------------------------------------------------------------------------------------


@pytest.mark.failure(47)
@pytest.mark.parametrize("seed", range(5))
def test_cleared_comes_a_round_trip_after_the_last_push(seed: int) -> None:
    """Ended 100 ms after the answer, pushed 10 ms later: read then, and no read more than without the stream."""
    orders = some(3, BTC, ended_s=0.15)
    world, without = World(orders, seed=seed, push_lag_s=lambda _: 0.01), World(orders, seed=seed)
    for each in (world, without):
        each.usual(BTC)
        each.run(10)
    assert world.cleared[BTC] == pytest.approx(0.15 + 0.01 + 0.05)
    assert world.cleared[BTC] < without.cleared[BTC]
    assert world.settled[BTC] == without.settled[BTC]
    assert len(world.reads) <= len(without.reads)


@pytest.mark.failure(47)
def test_pushes_that_beat_the_answer_bring_the_listing_right_after_it() -> None:
    """Cleared means a listing that was requested after the answer."""
    world = World(some(2, BTC, ended_s=0.01), push_lag_s=lambda _: 0.01, latency_s=0.02)
    world.usual(BTC)
    world.run(10)
    assert world.times(ReadKind.LISTING)[:2] == [0.0, 0.05]
    assert world.cleared[BTC] == pytest.approx(0.07)


@pytest.mark.failure(47)
def test_a_snapshot_that_comes_back_late_is_waited_for() -> None:
    """All pushes are there, but not what was open: once the snapshot tells, the listing follows at once."""
    world = World(some(2, BTC, ended_s=0.06), push_lag_s=lambda _: 0.01, latency_s=0.1)
    world.usual(BTC)
    world.run(10)
    assert world.times(ReadKind.LISTING)[:2] == [0.0, pytest.approx(0.1)]
    assert world.cleared[BTC] == pytest.approx(0.2)
    assert world.settled[BTC][1] is Outcome.CONFIRMED


@pytest.mark.failure(47)
def test_without_a_snapshot_pushes_bring_nothing_forward() -> None:
    """A hundred orders are pushed final one after the other: none of them is known to be the last."""
    world = World({n: Truth(BTC, ended_s=0.06 + n / 1_000) for n in range(1, 100)}, push_lag_s=lambda _: 0.001)
    world.sign(BTC, snapshot=False)
    world.run(0.05)
    world.answer(BTC)
    world.run(0.19)
    assert world.reads == []


@pytest.mark.failure(47)
@pytest.mark.parametrize("seed", range(3))
def test_a_lost_push_costs_nothing_but_time(seed: int) -> None:
    """One of three orders is never pushed: the rhythm is that of a client without the stream."""
    orders = some(3, BTC, ended_s=0.15)
    world = World(orders, seed=seed, push_lag_s=lambda n: None if n == 1_001 else 0.01)
    without = World(orders, seed=seed)
    for each in (world, without):
        each.usual(BTC)
        each.run(10)
    assert (world.cleared, world.settled) == (without.cleared, without.settled)
    assert world.reads == without.reads


@pytest.mark.failure(41, 47)
@pytest.mark.parametrize("seed", range(3))
def test_a_history_that_lags_costs_no_reads_where_all_was_pushed(seed: int) -> None:
    """Without pushes the missing orders are asked for again and again until the history shows them."""
    orders = some(20, BTC, ended_s=0.15, told_s=9.0)
    world, without = World(orders, seed=seed, push_lag_s=lambda _: 0.01), World(orders, seed=seed)
    for each in (world, without):
        each.usual(BTC)
        each.run(20)
    assert world.settled[BTC][1] is Outcome.CONFIRMED
    assert world.settled[BTC][0] == pytest.approx(2.05)
    assert without.settled[BTC][0] > 8
    assert len(world.reads) == 4 < len(without.reads)


@pytest.mark.failure(47)
def test_an_order_that_ends_late_is_confirmed_soon_after_its_push() -> None:
    """Executed 29 s after the command: read at once instead of up to five seconds later, listing and history."""
    orders = some(1, BTC, ended_s=29.0, told_s=29.0)
    world, without = World(orders, push_lag_s=lambda _: 0.01), World(orders)
    for each in (world, without):
        each.usual(BTC)
        each.run(40)
    assert world.settled[BTC][1] is Outcome.CONFIRMED
    assert world.settled[BTC][0] == pytest.approx(29.01 + 2 * 0.05)
    assert without.settled[BTC][0] > 30


@pytest.mark.failure(47)
def test_a_listing_that_lags_behind_the_pushes_leaves_the_rhythm_alone() -> None:
    """The early look shows the orders still open: the first look comes when it would have come anyway."""
    orders = some(2, BTC, ended_s=0.06)
    world = World(orders, push_lag_s=lambda _: 0.005, lag_s=lambda at_s: 0.1 if at_s < 0.15 else 0.0)
    without = World(orders, lag_s=world.lag_s)
    for each in (world, without):
        each.usual(BTC)
        each.run(10)
    early = world.times(ReadKind.LISTING)
    assert early[1] == pytest.approx(0.065)
    assert early[:1] + early[2:] == without.times(ReadKind.LISTING)
    assert (world.cleared, world.settled) == (without.cleared, without.settled)


@pytest.mark.parametrize(
    ("asked_ms", "hint_ms", "again"),
    [
        # On its way since before the answer: it clears nothing. Since after it: it was served after the push had left.
        (40, 100, True),
        (60, 100, False),
        (60, 459, False),
        # An early look is waited for a while, and then another one is made.
        (60, 460, True),
    ],
)
def test_which_listings_on_their_way_will_do_for_an_early_look(asked_ms: int, hint_ms: int, again: bool) -> None:
    """Those that can say cleared, and are not too old."""
    look_ = look_after(listing(0, 1), answered_ms=None)
    inquiry = Inquiry(random.Random(1))
    inquiry.add("sweep", look_.evidence, at(0))
    kept = inquiry._looks["sweep"]
    if asked_ms < 50:
        kept.window(at(asked_ms))
        assert inquiry.due(at(asked_ms)) == [Read(ReadKind.LISTING, BTC)]
    look_.evidence.answered(Certainty.ACKED, at(50))
    inquiry.answered("sweep", at(50))
    if asked_ms > 50:
        kept.window(at(asked_ms))
        assert inquiry.due(at(asked_ms)) == [Read(ReadKind.LISTING, BTC)]
    kept.window(at(9_000))
    look_.evidence.saw_push(ended(hint_ms, 1))
    assert inquiry.hinted("sweep", at(hint_ms)) == at(hint_ms)
    assert inquiry.due(at(hint_ms)) == ([Read(ReadKind.LISTING, BTC)] if again else [])
    assert kept.from_ns == at(9_000)
    # A second push of the same brings nothing more.
    look_.evidence.saw_push(ended(hint_ms + 1, 1))
    assert inquiry.hinted("sweep", at(hint_ms + 1)) == at(9_000)


@pytest.mark.failure(45, 47)
def test_pushes_do_not_make_failing_reads_come_faster() -> None:
    """Every read fails for ten seconds while orders are pushed final one by one: no more reads than without pushes."""

    def fails(at_s: float, read: Read) -> bool:
        return 0.1 < at_s < 10

    orders = {n: Truth(BTC, ended_s=0.3 * n) for n in range(1, 30)}
    world, without = World(orders, push_lag_s=lambda _: 0.01, fails=fails), World(orders, fails=fails)
    for each in (world, without):
        each.usual(BTC)
        each.run(30)
    failing = [sum(at_s < 10 for at_s, _ in each.reads) for each in (world, without)]
    assert failing[0] <= failing[1]
    assert world.settled[BTC][1] is without.settled[BTC][1] is Outcome.CONFIRMED


@pytest.mark.failure(47)
def test_named_orders_are_proven_by_their_pushes_without_a_read() -> None:
    """A cancel by id, and one order of several of which no push came: that one is read."""
    world = World(some(2, BTC, ended_s=0.1), push_lag_s=lambda n: 0.01 if n == 1_000 else None)
    for key, number in (("told", 1_000), ("untold", 1_001)):
        command = Command(bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2))
        world.call(key, Target(command=command, symbol=BTC, want=Want.FINAL, order_id=str(number)))
    world.run(0.05)
    for key in ("told", "untold"):
        world.replied(key, Certainty.ACKED)
    world.run(10)
    assert world.proven["told"] == pytest.approx(0.11)
    assert {read.order_id for _, read in world.reads if read.kind is ReadKind.ORDER} == {"1001"}


def test_an_open_push_of_a_new_order_is_no_hint() -> None:
    """Only an end can be the last one."""
    look = look_after(listing(0, 1))
    look.first(at(50), alone=True)
    live = Order(order_id="2", symbol=BTC, status=OrderStatus.LIVE, created_ms=ms(START_NS) - 9)
    look.evidence.saw_push(Push((live,), at(90), ms(at(90))))
    look.hint(at(90), alone=True)
    assert look.from_ns == at(200)


# -- where listings lag behind the pushes ------------------------------------------------------------------------------


@pytest.mark.failure(47)
def test_hints_are_passed_over_where_early_looks_come_too_early() -> None:
    """One, three, seven, ... up to 31 after each in vain; a clear one, and all are taken again."""
    hints = Hints()
    passed_over = []
    for _ in range(7):
        passed_over.append(next(count for count in itertools.count() if hints.taken()))
        hints.came_to(clear=False)
    assert passed_over == [0, 1, 3, 7, 15, 31, 31]
    assert not hints.taken()
    hints.came_to(clear=True)
    assert hints.taken()
    assert hints.taken()


def test_what_an_early_look_came_to_is_told_by_its_own_listing() -> None:
    """The first that was requested after the answer: one that is on its way when the push comes will do."""
    look = hinted(listing(0, 1))
    waiting = []
    for moment_ms in (49, 50, 200):
        waiting.append(look.early_ns)
        look.listed(at(moment_ms), at(moment_ms + 60))
    assert waiting == [at(50), at(50), None]
    # One came in vain: the next hint is passed over, and the one after it is taken.
    other = hinted(listing(0, 1), hints=look.hints)
    assert (other.from_ns, other.early_ns) == (at(200), None)
    other.evidence.saw_push(ended(120, 2))
    other.hint(at(120), alone=True)
    assert (other.from_ns, other.early_ns) == (at(120), at(50))


def test_after_an_early_look_that_is_clear_the_next_hint_is_taken() -> None:
    """It was worth its read, long before the deciding look; and the look that was planned stays where it was."""
    look = hinted(listing(0, 1))
    look.window(at(900))
    look.evidence.saw_listing(listing(100))
    look.listed(at(100), at(150))
    assert look.from_ns == at(900)
    assert look.hints.taken()


def test_a_look_that_has_decided_takes_every_hint() -> None:
    """Its next turn may be seconds away: there a read is worth it, and tells nothing of those that are in a hurry."""
    hints = Hints()
    hints.came_to(clear=False)
    look = hinted(listing(0, 1), listing(2_000, 1), at_ms=2_700, decided=True, hints=hints)
    assert (look.from_ns, look.early_ns) == (at(2_700), at(2_000))
    look.resumes(at(2_700))
    look.listed(at(2_700), at(2_760))
    assert look.early_ns is None
    assert hints.taken() is False


@pytest.mark.parametrize(
    ("asked_ms", "told_ms", "planned_ms", "next_ms"),
    [
        # 200 ms after the early look was asked for, as one quick look follows another one; at once if that is over.
        (100, 150, 900, 300),
        (100, 420, 900, 420),
        (100, 150, 250, 250),
    ],
)
def test_after_an_early_look_in_vain_the_next_follows_as_after_a_quick_one(
    asked_ms: int, told_ms: int, planned_ms: int, next_ms: int
) -> None:
    """It shows them open still, because it lags: the next look is no later for it."""
    look = hinted(listing(0, 1))
    look.window(at(planned_ms))
    look.evidence.saw_listing(listing(asked_ms, 1))
    look.listed(at(asked_ms), at(told_ms))
    assert look.from_ns == at(next_ms)


def test_a_decided_look_in_vain_is_followed_as_if_something_was_learnt() -> None:
    """All have ended by their pushes, and the listing will show it within two seconds: not in five."""
    look = hinted(listing(0, 1), listing(2_000, 1), at_ms=7_000, decided=True, gap_ns=at(5_000) - START_NS)
    look.window(at(11_000))
    look.evidence.saw_listing(listing(7_000, 1))
    look.listed(at(7_000), at(7_050))
    assert (look.from_ns, look.gap_ns) == (at(7_250), at(200) - START_NS)
    # So it is where an earlier listing was clear, which a deciding one contradicts.
    again = hinted(listing(0, 1), listing(100), listing(2_000, 1), at_ms=7_000, decided=True)
    again.window(at(11_000))
    again.evidence.saw_listing(listing(7_000, 1))
    again.listed(at(7_000), at(7_050))
    assert again.from_ns == at(7_250)
    clear = hinted(listing(0, 1), listing(2_000, 1), at_ms=7_000, decided=True)
    clear.window(at(11_000))
    clear.evidence.saw_listing(listing(7_000))
    clear.listed(at(7_000), at(7_050))
    assert clear.from_ns == at(11_000)


@pytest.mark.failure(47)
def test_where_listings_lag_the_stream_costs_few_reads() -> None:
    """Thirty cancellations one after the other, each listing 0.4 s old: a handful of early looks, not thirty."""
    reads = []
    for lag_s in (None, 0.01):
        orders: dict[int, Truth] = {}
        for turn in range(30):
            orders |= some(1, f"S{turn}USDT", first=1_000 + turn, ended_s=turn * 5 + 0.1, told_s=turn * 5 + 0.6)
        world = World(orders, push_lag_s=lambda _, lag_s=lag_s: lag_s, lag_s=lambda _: 0.4)  # type: ignore[misc]
        for turn in range(30):
            world.usual_from(turn * 5, f"S{turn}USDT")
            world.run(turn * 5 + 4.9)
        assert len(world.settled) == 30
        reads.append(len(world.reads))
    assert reads[0] < reads[1] <= reads[0] + 5
