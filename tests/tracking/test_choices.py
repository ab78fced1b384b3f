"""Choices of the rounds, one by one: what is read for which orders, how often, and how deep a sweep goes."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from bitget_async.evidence import Listing, Page
from bitget_async.inquiry import Breaker, Read, ReadKind
from bitget_async.models import Order, OrderStatus
from bitget_async.tracking import Tracking
from bitget_async.tracking.rounds import Rounds, _Sweep
from tests.tracking.world import EPOCH_MS, HISTORY_ROWS, MS, Faults, World

SECOND = 1_000_000_000
STALENESS_NS = 2 * SECOND


def rounds(*, listed: bool = True) -> Rounds:
    """Connected at 0, when the exchange's clock showed `EPOCH_MS`; with the first listing and its sweep behind it."""
    made = Rounds(STALENESS_NS, random.Random(3))
    made.connected(0, EPOCH_MS)
    if listed:
        (read,) = made.due(0)
        made.done(read, None, 0)
        made.listed(Listing(None, 0, EPOCH_MS, (), True))
        (sweep,) = made.due(0)
        made.done(sweep, history(served_ms=0, last=True), 0)
    return made


def history(
    *numbers: int,
    below: int | None = None,
    last: bool = False,
    served_ms: int = 0,
    created: Callable[[int], int | None] = lambda number: None,
) -> Page:
    """A page of the history with those ids."""
    rows = tuple(
        Order(order_id=str(each), status=OrderStatus.FILLED, base_volume=Decimal(1), created_ms=created(each))
        for each in numbers
    )
    return Page("history-orders", None, 0, EPOCH_MS + served_ms, rows, below, last)


def info(read: Read) -> Page:
    """An answer of orderInfo without a row."""
    return Page("orderInfo", None, 0, 0, (), asked=read.order_id)


def kinds(reads: list[Read]) -> list[str]:
    """Ids that are asked for alone, and where pages begin."""
    return [each.order_id or f"below {each.below}" for each in reads]


# -- missing orders ------------------------------------------------------------------------------------------------


def test_up_to_three_are_asked_for_alone_at_once_and_more_by_a_page_half_a_second_later() -> None:
    """A sweep is under way when many are missing: it may bring them."""
    made = rounds()
    assert made.miss({"7", "5", "9"}, SECOND) == []
    assert sorted(kinds(made.due(SECOND))) == ["5", "7", "9"]
    made = rounds()
    assert made.miss({"7", "5", "9", "6"}, SECOND) == []
    assert made.due(SECOND + SECOND // 2 - 1) == []
    assert made.wake_ns(SECOND) == SECOND + SECOND // 2
    assert kinds(made.due(SECOND + SECOND // 2)) == ["below 10"]
    assert made.due(SECOND + SECOND // 2) == []


def test_those_that_a_page_did_not_reach_are_asked_for_by_the_next_one_at_once() -> None:
    """The others wait: it would have shown them."""
    made = rounds()
    _ = made.miss({"10", "20", "30", "40"}, 0)
    (page,) = made.due(SECOND)
    made.done(page, history(39, 30, below=41), SECOND)
    # 30 and 40 were covered; the listing that is due at 2 s is not yet.
    assert sorted(kinds(made.due(SECOND))) == ["10", "20"]


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        # Down to below all of them, or to the end of the history: all were covered.
        (history(39, 5, below=41), []),
        (history(39, 20, below=41, last=True), []),
        (history(below=41, last=True), []),
        (history(below=41), []),
        # The cursor was not followed: the page says nothing, and asking for it again at once would not help.
        (history(90, 41, below=41), []),
        (history(39, 11, below=41), ["10"]),
        (history(39, 10, below=41), []),
    ],
)
def test_what_a_page_covers_waits_for_its_next_turn(answer: Page, left: list[str]) -> None:
    """Else one order that no page shows would be asked for without a pause."""
    made = rounds()
    _ = made.miss({"10", "20", "30", "40"}, 0)
    (page,) = made.due(SECOND)
    made.done(page, answer, SECOND)
    assert kinds(made.due(SECOND)) == left


def turns(made: Rounds, ids: set[str], count: int) -> tuple[list[list[str]], list[float]]:
    """So many turns that bring nothing: what was read in each, and the pauses between them in seconds."""
    now, turn, pauses, seen = 0, 0, [], []
    _ = made.miss(ids, 0)
    made._listing_ns = None
    while turn < count:
        reads = made.due(now)
        if reads:
            seen.append(sorted(kinds(reads)))
            for read in reads:
                page = info(read) if read.order_id else history(below=read.below, last=True)
                made.done(read, page, now)
            turn += 1
        wake = made.wake_ns(now)
        assert wake is not None
        pauses.append((wake - now) / SECOND)
        now = max(wake, now)
    return seen, pauses[-count:]


def test_a_lone_order_is_asked_for_twice_alone_and_then_by_a_page_and_so_on() -> None:
    """One of the two may know nothing of it: orderInfo where it is old, the history where it lags."""
    seen, pauses = turns(rounds(), {"7"}, 12)
    assert seen == [["7"], ["7"], ["below 8"]] * 4
    for pause, most in zip(pauses, (0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60, 60, 60), strict=True):
        assert 0.75 * most <= pause <= most
    # Jitter: no two clients of an account keep in step.
    assert len(set(pauses[-4:])) == 4


def test_many_are_asked_for_by_pages_and_alone_in_turns_and_never_more_than_five_at_once() -> None:
    """The reads of a tracker leave the quota to others."""
    made = rounds()
    made._listing_ns = None
    ids = {str(number) for number in range(10, 20)}
    _ = made.miss(ids, 0)
    (page,) = made.due(SECOND)
    assert kinds([page]) == ["below 20"]
    made.done(page, history(below=20, last=True), SECOND)
    later = 2 * SECOND
    alone = made.due(later)
    assert len(alone) == 5
    assert set(kinds(alone)) < ids
    assert made.due(later) == []
    for read in alone[:2]:
        made.done(read, info(read), later)
    more = made.due(later)
    assert len(more) == 2
    for read in [*alone[2:], *more]:
        made.done(read, info(read), later)
    last = made.due(later)
    assert len(last) == 3
    for read in last:
        made.done(read, info(read), later)
    assert [each.order_id for each in made.due(4 * SECOND)] == [None]


def test_a_page_is_one_of_the_five() -> None:
    """Some were on a page before, some are new."""
    made = rounds()
    made._listing_ns = None
    ids = {str(number) for number in range(10, 16)}
    _ = made.miss(ids, 0)
    (page,) = made.due(SECOND)
    made.done(page, history(below=16, last=True), SECOND)
    _ = made.miss(ids | {"90", "91"}, 2 * SECOND)
    reads = made.due(3 * SECOND)
    assert kinds(reads)[0] == "below 92"
    assert len(reads) == 5
    assert made.due(3 * SECOND) == []
    # Some are due, and wait for an answer: the loop must not spin until then.
    assert made.wake_ns(3 * SECOND) is None
    made.done(reads[1], info(reads[1]), 3 * SECOND)
    assert len(made.due(3 * SECOND)) == 1
    wake = made.wake_ns(3 * SECOND)
    assert wake is not None
    assert wake > 3 * SECOND


def test_what_is_due_beyond_the_five_wakes_nobody() -> None:
    """It goes out with the answer to another one."""
    made = rounds()
    made._listing_ns = None
    _ = made.miss({"1", "2", "3"}, 0)
    first = made.due(SECOND)
    _ = made.miss({"1", "2", "3", "4", "5", "6"}, SECOND)
    assert len(made.due(SECOND)) == 2
    assert made.wake_ns(SECOND) is None
    made.done(first[0], info(first[0]), SECOND)
    assert len(made.due(SECOND)) == 1


def test_a_look_that_is_out_wakes_nobody() -> None:
    """Else the loop would spin until it is answered."""
    made = rounds()
    made._listing_ns = None
    _ = made.miss({"1"}, 0)
    assert len(made.due(SECOND)) == 1
    assert made.wake_ns(SECOND) is None
    _ = made.miss({"1", "2"}, SECOND, soon_ns=SECOND)
    assert made.wake_ns(SECOND) == 2 * SECOND


def test_an_order_that_is_found_is_asked_for_no_more_and_one_that_is_missing_again_anew() -> None:
    """The set of missing orders is what counts, not what was asked."""
    made = rounds()
    made._listing_ns = None
    _ = made.miss({"1", "2"}, 0)
    first = made.due(0)
    _ = made.miss({"2"}, 0)
    for read in first:
        made.done(read, info(read), 0)
    assert kinds(made.due(SECOND)) == ["2"]
    _ = made.miss({"1", "2"}, 2 * SECOND)
    assert kinds(made.due(2 * SECOND)) == ["1"]
    assert made.miss({"1"}, 3_602 * SECOND) == []
    assert made.miss({"1"}, 3_602 * SECOND + 1) == ["1"]


def test_a_look_that_failed_is_made_again() -> None:
    """After the pause of the breaker, and not as another try."""
    made = rounds()
    made._listing_ns = None
    _ = made.miss({"1"}, 0)
    (read,) = made.due(0)
    made.failed(read, SECOND, turned_away=False)
    assert made.due(SECOND) == []
    wake = made.wake_ns(SECOND)
    assert wake is not None
    assert SECOND < wake <= SECOND + SECOND * 4 // 10
    assert kinds(made.due(wake)) == ["1"]


# -- sweeps --------------------------------------------------------------------------------------------------------


def sweep(made: Rounds, requested_ns: int, served_ms: int, *pages: Page) -> list[str]:
    """A listing then, and the sweep after it with those pages; returns where its pages began."""
    made._listing_ns = requested_ns
    made.listed(Listing(None, requested_ns, EPOCH_MS + served_ms, (), True))
    seen = []
    for page in pages:
        reads = [read for read in made.due(requested_ns) if read.kind is ReadKind.HISTORY]
        if not reads:
            break
        seen += kinds(reads)
        made.done(reads[0], page, requested_ns)
    return seen


def old(number: int) -> int:
    """Of order n: created n seconds after the tracker began."""
    return EPOCH_MS + number * 1_000


@pytest.mark.parametrize(
    ("pages", "began"),
    [
        # A page that reaches below its floor, by one row, is the last one.
        ([history(500, 400, 229, created=old), history(228)], ["below None"]),
        ([history(500, 400, 230, created=old), history(229, below=230, created=old)], ["below None", "below 230"]),
        ([history(500, 400), history(300, below=400, last=True)], ["below None", "below 400"]),
        ([history(), history(1)], ["below None"]),
        ([history(500, 400), history(450, below=400), history(1)], ["below None", "below 400"]),
        ([history(500, 400), history(400, below=400), history(1)], ["below None", "below 400"]),
    ],
)
def test_how_deep_a_sweep_goes(pages: list[Page], began: list[str]) -> None:
    """
    Down to ten seconds before the newest listing of a minute before the last one; to the end; or to where the exchange
    does not follow its cursor.
    """
    made = rounds()
    for at_s in (200, 240, 241, 300):
        assert sweep(made, at_s * SECOND, at_s * 1_000, history(served_ms=at_s * 1_000, last=True)) == ["below None"]
    assert sweep(made, 600 * SECOND, 600_000, *pages) == began


@pytest.mark.parametrize(("before_ms", "began"), [(0, ["below None", "below 4"]), (1, ["below None"])])
def test_the_first_sweep_goes_down_to_when_the_tracker_began(before_ms: int, began: list[str]) -> None:
    """What ended before is nobody's news."""
    made = rounds(listed=False)
    made._listing_out = True
    page = history(5, 4, created=lambda _: EPOCH_MS - before_ms)
    assert sweep(made, SECOND, 1_000, page, history(3, below=4, last=True)) == began


def test_of_listings_only_those_are_remembered_that_a_sweep_may_go_down_to() -> None:
    """A client may run for months: the newest of more than a minute before, and those since."""
    made = rounds()
    for at_s in range(20, 2_000, 20):
        _ = sweep(made, at_s * SECOND, at_s * 1_000, history(served_ms=at_s * 1_000, last=True))
    assert made._listed_ms == [old(at_s) for at_s in range(1_900, 2_000, 20)]


def test_a_sweep_ends_after_twenty_pages() -> None:
    """Two thousand orders in a minute are more than any account may place."""
    made = rounds()
    pages = [history(10_000 - 10 * n, below=10_010 - 10 * n if n else None) for n in range(30)]
    assert len(sweep(made, 300 * SECOND, 300_000, *pages)) == 20


def test_the_moment_of_a_sweep_is_that_of_its_first_page() -> None:
    """What ended while it went down is for the next one."""
    made = rounds()
    _ = sweep(made, 240 * SECOND, 240_000, history(served_ms=240_000, last=True))
    first = history(500, 400, served_ms=300_000)
    _ = sweep(made, 300 * SECOND, 300_000, first, history(300, below=400, last=True, served_ms=999_000))
    assert sweep(made, 600 * SECOND, 600_000, history(500, 230, created=old), history(1, below=230)) == [
        "below None",
        "below 230",
    ]


def test_what_no_listing_showed_for_long_is_found_by_a_sweep() -> None:
    """Listings fail while sweeps do not, pushes are lost: an order of then is older than the last sweep."""
    made = rounds()
    assert sweep(made, 20 * SECOND, 20_000, history(served_ms=20_000, last=True)) == ["below None"]
    for at_s in (100, 200):
        made._sweep = made._new_sweep()
        (read,) = [each for each in made.due(20 * SECOND) if each.kind is ReadKind.HISTORY]
        made.done(read, history(served_ms=at_s * 1_000, last=True), at_s * SECOND)
    pages = [history(220, 10, created=old), history(9, below=10, created=old), history(8, below=9)]
    assert sweep(made, 220 * SECOND, 220_000, *pages) == ["below None", "below 10"]


def test_orders_that_came_and_went_while_the_line_was_cut_are_all_found() -> None:
    """More of them than a page holds: the sweep goes down to where the last one has been."""
    world = World(faults=Faults())
    world.connect()
    world.run(120_000)
    world.cut()
    for real in [world.place() for _ in range(4 * HISTORY_ROWS)]:
        world.become(real, "cancelled")
    world.run(1_000)
    world.connect()
    world.run(3_000)
    assert {each.order_id for each in world.told} == {str(number) for number in world.orders}


def test_sweeps_of_a_quiet_account_read_one_page_each() -> None:
    """However long its history is."""
    world = World()
    world.connect()
    world.run(3_000)
    for real in [world.place() for _ in range(6 * HISTORY_ROWS)]:
        world.become(real, "cancelled")
    world.run(200_000)
    world.reads.clear()
    world.run(200_000)
    pages = [read for _, read in world.reads if read.kind is ReadKind.HISTORY]
    assert {read.below for read in pages} == {None}
    assert len(pages) <= 12


@pytest.mark.parametrize(("lag_ms", "found"), [(55_000, True), (225_000, False)])
def test_an_end_that_turns_up_in_the_history_within_a_minute_is_found(lag_ms: int, found: bool) -> None:
    """Beyond that an order that nobody ever told of stays unknown; the docs say so."""
    world = World(faults=Faults())
    world.connect()
    world.run(3_000)
    world.faults = Faults(loss=1.0)
    real = world.place()
    world.become(real, "cancelled")
    real.in_history_ms = world.now_ms + lag_ms
    for number in range(6 * HISTORY_ROWS):
        world.run(10_000)
        world.become(world.place(), "filled", 10)
        assert number >= 0
    world.run(60_000)
    assert ("1" in {each.order_id for each in world.told}) is found


# -- the rhythm ----------------------------------------------------------------------------------------------------


def test_the_sweep_goes_at_once_after_its_listing() -> None:
    """It is part of the round: nothing has to happen first."""
    made = rounds(listed=False)
    (read,) = made.due(0)
    assert made.wake_ns(0) is None
    made.done(read, None, SECOND)
    made.listed(Listing(None, 0, EPOCH_MS, (), True))
    assert made.wake_ns(SECOND) == SECOND
    (page,) = made.due(SECOND)
    assert page.kind is ReadKind.HISTORY
    assert made.wake_ns(SECOND) == STALENESS_NS


def test_listings_have_jitter() -> None:
    """Many clients that came back together do not list together for ever."""
    made = rounds()
    moments = []
    for number in range(1, 9):
        requested_ns = number * 100 * SECOND
        made._listing_ns = requested_ns
        made.listed(Listing(None, requested_ns, 0, (), True))
        assert made._listing_ns is not None
        moments.append(made._listing_ns - requested_ns)
    assert len(set(moments)) == 8
    assert all(18 * SECOND <= each <= 20 * SECOND for each in moments)


def test_an_unusable_listing_is_put_off_for_some_seconds() -> None:
    """Fifty pages each fifth of a second would eat the quota."""
    made = rounds()
    made.unusable(100 * SECOND)
    wake = made.wake_ns(100 * SECOND)
    assert wake is not None
    assert 104 * SECOND <= wake <= 105 * SECOND


def test_while_reads_fail_one_at_a_time_asks_whether_they_work_again() -> None:
    """First another kind of read: only a ban turns away both."""
    made = rounds()
    made._listing_ns = SECOND
    _ = made.miss({"1"}, 0)
    reads = made.due(SECOND)
    assert [read.kind for read in reads] == [ReadKind.LISTING, ReadKind.ORDER]
    made.failed(reads[0], SECOND, turned_away=True)
    # One is still out.
    assert made.due(10 * SECOND) == []
    assert made.wake_ns(10 * SECOND) is None
    made.failed(reads[1], SECOND, turned_away=False)
    (probe,) = made.due(10 * SECOND)
    assert probe.kind is ReadKind.HISTORY
    made.failed(probe, 10 * SECOND, turned_away=True)
    assert made.due(43 * SECOND) == []
    (probe,) = made.due(45 * SECOND)
    assert probe.kind is ReadKind.LISTING
    made.done(probe, None, 45 * SECOND)
    made.listed(Listing(None, 45 * SECOND, 45_000, (), True))
    assert len(made.due(46 * SECOND)) == 2


def test_a_history_that_is_turned_away_is_tried_by_one_look_at_an_order() -> None:
    """One read at a time, and of another kind than the one that was turned away, if any is due."""
    made = rounds()
    made._listing_ns = None
    made._sweep = _Sweep(0)
    (read,) = made.due(SECOND)
    _ = made.miss({"1", "2", "3"}, SECOND)
    made.failed(read, SECOND, turned_away=True)
    (probe,) = made.due(10 * SECOND)
    assert probe.kind is ReadKind.ORDER


def test_with_a_shared_breaker_only_one_of_two_probes() -> None:
    """The watcher reads from the same address: a ban is to meet one read of the client, not one of each."""
    breaker = Breaker(random.Random(1))
    one, other = (Rounds(STALENESS_NS, random.Random(1), breaker) for _ in range(2))
    for each in (one, other):
        each.connected(0, EPOCH_MS)
    (read,) = one.due(0)
    one.failed(read, 0, turned_away=True)
    later = 10 * SECOND
    (probe,) = one.due(later)
    assert other.due(later) == []
    one.done(probe, history(last=True), later)
    assert len(other.due(later)) == 1
    assert not breaker.probing


def test_thirty_seconds_are_what_it_promises() -> None:
    """The docs say so; with another staleness so much more or less."""
    assert Tracking(2.0, random.Random(1), print).within_ns == 30 * SECOND
    assert Tracking(5.0, random.Random(1), print).within_ns == 33 * SECOND
    assert EPOCH_MS % MS == 0
