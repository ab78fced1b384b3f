"""One look after a sweep, decision by decision: when it happens next, and what it wants to read."""

from __future__ import annotations

import random

import pytest

from bitget_async import Order, OrderStatus
from bitget_async.evidence import Book, Certainty, Listing, Page, Sweep
from bitget_async.inquiry import Read, ReadKind
from bitget_async.inquiry.breaker import Breaker
from bitget_async.inquiry.looks import Look, SweepLook
from tests.inquiry.world import SECOND, START_NS, ms

BTC, ETH = "BTCUSDT", "ETHUSDT"
MS = 1_000_000
NEVER_NS = 1_000_000_000 * SECOND


class Lowest(random.Random):
    """Jitter at its lower bound."""

    def uniform(self, a: float, b: float) -> float:
        return a


class Highest(random.Random):
    """Jitter at its upper bound."""

    def uniform(self, a: float, b: float) -> float:
        return b


def at(milliseconds: float) -> int:
    """That moment after the signing."""
    return START_NS + round(milliseconds * MS)


def listing(at_ms: float, *numbers: int) -> Listing:
    """A listing that shows these orders open."""
    rows = tuple(
        Order(order_id=str(number), symbol=BTC, status=OrderStatus.LIVE, created_ms=ms(START_NS) - 60_000)
        for number in numbers
    )
    return Listing(BTC, at(at_ms), ms(at(at_ms)), rows, True)


def history(at_ms: float, *numbers: int, symbol: str | None = BTC, below: int | None = None, last: bool = True) -> Page:
    """A page that shows these orders cancelled just after the signing."""
    rows = tuple(
        Order(
            order_id=str(number),
            symbol=BTC,
            status=OrderStatus.CANCELLED,
            created_ms=ms(START_NS) - 60_000,
            updated_ms=ms(START_NS) + 10,
        )
        for number in numbers
    )
    return Page("history-orders", symbol, at(at_ms), ms(at(at_ms)), rows, below, last)


def look_after(*facts: Listing | Page, answered_ms: float | None = 50, rng: random.Random | None = None) -> SweepLook:
    """A look after a sweep that was signed at the start, with what was read."""
    evidence = Sweep(BTC, bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2))
    evidence.signed(START_NS, ms(START_NS))
    if answered_ms is not None:
        evidence.answered(Certainty.ACKED, at(answered_ms))
    for fact in facts:
        if isinstance(fact, Listing):
            evidence.saw_listing(fact)
        else:
            evidence.saw_page(fact)
    return SweepLook(rng or Lowest(), evidence=evidence)


def lacking(count: int) -> SweepLook:
    """A decided look after a sweep whose history was read without showing so many orders."""
    look = look_after(listing(0, *range(1, count + 1)), listing(2_000), history(2_100))
    look.decided = True
    return look


# -- when --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rng", "first_ms"), [(Lowest(), 150), (Highest(), 250)])
@pytest.mark.parametrize(("alone", "slack_ms"), [(True, 0), (False, 100)])
def test_the_first_look_comes_150_to_250_ms_after_the_answer(
    rng: random.Random, first_ms: int, alone: bool, slack_ms: int
) -> None:
    """Alone at that moment; with others about up to 100 ms later, if that saves a read."""
    look = Look(rng)
    look.first(at(50), alone=alone)
    assert (look.from_ns, look.until_ns) == (at(50 + first_ms), at(50 + first_ms + slack_ms))


@pytest.mark.parametrize(
    ("stops_ms", "own_ms", "from_ms", "until_ms"),
    [
        # A second, by the shortest jitter: 700 ms, and a fifth of that as slack.
        ([], None, 700, 840),
        ([None], None, 700, 840),
        # A moment at which something is due lies before the end of the window; a horizon moves by up to 20 ms.
        ([500], None, 520, 520),
        ([600, 500], None, 520, 520),
        ([600], 500, 520, 520),
        ([], 820, 840, 840),
        ([820], None, 840, 840),
        ([821], None, 700, 840),
        # It is over.
        ([-20], None, 700, 840),
        ([-19], None, 1, 1),
    ],
)
def test_the_next_look_is_not_later_than_a_moment_that_can_prove_something(
    stops_ms: list[int | None], own_ms: int | None, from_ms: int, until_ms: int
) -> None:
    """The earliest of all such moments that the window reaches."""
    look = Look(Lowest())
    look.stop_ns = None if own_ms is None else at(own_ms)
    look.later(at(0), SECOND, [None if each is None else at(each) for each in stops_ms])
    assert (look.from_ns, look.until_ns) == (at(from_ms), at(until_ms))


@pytest.mark.parametrize(
    ("now_ms", "crowd", "pages", "from_ms", "until_ms"),
    [
        (300, 1, 1, 500, 590),
        (300, 9, 1, 500, 590),
        # Where one read does not serve all: 120 ms for each of them.
        (300, 5, 2, 900, 900),
        (300, 1, 2, 500, 590),
        (300, 2, 2, 540, 590),
        # Quick looks end 1.3 s after the answer; the next one is the deciding one.
        (1_060, 1, 1, 1_260, 1_350),
        (1_060.001, 1, 1, 2_000, 2_175),
        (750, 5, 2, 1_350, 1_350),
        (751, 5, 2, 2_000, 2_175),
    ],
)
def test_quick_looks_until_the_deciding_one(now_ms: float, crowd: int, pages: int, from_ms: int, until_ms: int) -> None:
    """Each is one more chance to say "cleared"; a crowd shares what its quota allows."""
    look = look_after(listing(0, 1))
    look.next(at(now_ms), crowd, pages, alone=False)
    assert (look.from_ns, look.until_ns) == (at(from_ms), at(until_ms))


def test_what_was_answered_late_looks_quickly_only_until_the_deciding_moment() -> None:
    """The deciding look comes two seconds after the signing, whenever the answer came."""
    look = look_after(listing(0, 1), answered_ms=1_500)
    look.next(at(1_700), 1, 1, alone=True)
    assert (look.from_ns, look.until_ns) == (at(1_900), at(1_990))
    look.next(at(1_711), 1, 1, alone=True)
    assert (look.from_ns, look.until_ns) == (at(2_000), at(2_000))


def test_what_is_clear_waits_for_the_deciding_moment() -> None:
    """There is nothing left to see before it; alone it needs no slack."""
    look = look_after(listing(0, 1), listing(200))
    look.next(at(300), 1, 1, alone=True)
    assert (look.from_ns, look.until_ns) == (at(2_000), at(2_000))


def test_after_the_deciding_look_they_come_ever_more_slowly() -> None:
    """If no answer sets the next one: after three seconds at first, in the end after five."""
    look = look_after(listing(0, 1))
    gaps, ahead = [], []
    for _ in range(7):
        look.next(at(2_000), 1, 1, alone=True)
        gaps.append(look.gap_ns // MS)
        ahead.append(round((look.from_ns - at(2_000)) / MS))
    assert look.decided
    assert gaps == [200, 400, 800, 1_600, 3_200, 5_000, 5_000]
    assert ahead == [2_100, 2_100, 2_100, 2_100, 2_240, 3_500, 3_500]


@pytest.mark.parametrize(
    ("rng", "gaps_ms", "parked_ms"),
    [
        (Lowest(), [300, 600, 1_200, 2_400, 3_750, 3_750], 33_400),
        (Highest(), [400, 800, 1_600, 3_200, 5_000, 5_000], 34_800),
    ],
)
def test_the_bounds_of_the_breakers_jitter(rng: random.Random, gaps_ms: list[int], parked_ms: int) -> None:
    """Never more than five seconds without a ban; in one, eight such pauses are less than the five minutes."""
    breaker, found = Breaker(rng), []
    for _ in gaps_ms:
        now = breaker.resume_ns
        breaker.failed(ReadKind.LISTING, now, turned_away=False)
        found.append((breaker.resume_ns - now) // MS)
    assert found == gaps_ms
    now = breaker.resume_ns
    for kind in (ReadKind.LISTING, ReadKind.HISTORY):
        breaker.failed(kind, now, turned_away=True)
    assert breaker.resume_ns - now == parked_ms * MS


# -- what --------------------------------------------------------------------------------------------------------


def test_the_history_is_wanted_from_the_deciding_moment_on() -> None:
    """Before it, it could not be counted; after it, until it is read and every order has its end."""
    look = look_after(listing(0, 1))
    wanted = []
    for from_ms in (1_999, 2_000):
        look.window(at(from_ms))
        wanted.append(look.wants_history)
    look.decided = True
    wanted.append(look.wants_history)
    look.evidence.saw_listing(listing(2_000))
    wanted.append(look.wants_history)
    look.evidence.saw_page(history(2_100, 1))
    wanted.append(look.wants_history)
    assert wanted == [False, True, False, True, False]


@pytest.mark.parametrize(
    ("count", "stuck", "helped", "patience", "ids"),
    [
        (1, 0, 0, 3, [1]),
        (2, 0, 0, 3, None),
        (10, 0, 0, 3, None),
        (10, 1, 0, 3, [1, 2, 3]),
        (10, 2, 0, 3, None),
        (10, 3, 0, 3, [4, 5, 6]),
        (10, 5, 0, 3, [7, 8, 9]),
        (10, 7, 0, 3, [10, 1, 2]),
        # Ids help: nine at once, until as many turns have gone by as patience says.
        (10, 0, 1, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (10, 2, 2, 3, [4, 5, 6, 7, 8, 9, 10, 1, 2]),
        (10, 0, 3, 3, None),
        (10, 0, 3, 6, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_pages_and_ids_take_turns_for_what_is_missing(
    count: int, stuck: int, helped: int, patience: int, ids: list[int] | None
) -> None:
    """A page begins with the newest that is missing; ids are others each time."""
    look = lacking(count)
    look.stuck, look.helped, look.patience = stuck, helped, patience
    expected = (
        [Read(ReadKind.HISTORY, BTC, below=count + 1)]
        if ids is None
        else [Read(ReadKind.ORDER, BTC, order_id=str(number)) for number in ids]
    )
    assert list(look.histories()) == expected


# -- what an answer changes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "moved", "before", "after", "at_once"),
    [
        (ReadKind.ORDER, True, (3, 0, 3), (2, 1, 3), True),
        (ReadKind.ORDER, True, (2, 1, 3), (2, 2, 3), True),
        (ReadKind.HISTORY, True, (3, 2, 6), (0, 0, 3), True),
        # A page in vain while ids help: ids again, and twice as long.
        (ReadKind.HISTORY, False, (2, 2, 3), (2, 1, 6), True),
        (ReadKind.ORDER, False, (2, 2, 3), (3, 0, 3), False),
        (ReadKind.HISTORY, False, (2, 0, 3), (3, 0, 3), False),
    ],
)
def test_what_helps_is_done_again_and_what_does_not_is_not(
    kind: ReadKind, moved: bool, before: tuple[int, int, int], after: tuple[int, int, int], at_once: bool
) -> None:
    """`before`, `after`: stuck, helped, patience."""
    look = lacking(5)
    look.stuck, look.helped, look.patience = before
    look.window(at(2_300))
    look.told(Read(kind, BTC), history(2_100), at(2_200), moved=moved, alone=True)
    assert (look.stuck, look.helped, look.patience) == after
    assert (look.from_ns == at(2_200)) is at_once


@pytest.mark.parametrize(("deep", "own"), [(False, True), (True, False)])
def test_a_page_of_the_account_that_does_not_reach_down_is_followed_by_its_own(deep: bool, own: bool) -> None:
    """At once; one that does is as good."""
    look = look_after(listing(0, 5), listing(2_000))
    look.decided = True
    look.window(at(2_300))
    page = history(2_100, symbol=None, last=deep)
    look.evidence.saw_page(page)
    look.told(Read(ReadKind.HISTORY), page, at(2_200), moved=False, alone=False)
    assert look.own_page is own
    assert (look.from_ns == at(2_200)) is own


def test_a_page_that_goes_on_is_followed_at_once() -> None:
    """Nothing is missing, and more may lie below it."""
    look = look_after(listing(2_000))
    look.decided, look.stuck, look.helped = True, 3, 1
    look.window(at(2_300))
    page = history(2_100, 9, 8, last=False)
    look.evidence.saw_page(page)
    look.told(Read(ReadKind.HISTORY, BTC), page, at(2_200), moved=True, alone=True)
    assert (look.from_ns, look.stuck, look.helped) == (at(2_200), 0, 0)


@pytest.mark.parametrize(
    "read", [Read(ReadKind.LISTING, ETH), Read(ReadKind.LISTING, BTC, book=Book.TPSL), Read(ReadKind.HISTORY, ETH)]
)
def test_reads_of_other_symbols_and_lists_do_not_move_a_look(read: Read) -> None:
    """Nothing of what it waits for stands in them."""
    look = lacking(3)
    look.window(at(9_000))
    look.told(read, history(2_100) if read.kind is ReadKind.HISTORY else None, at(2_200), moved=False, alone=True)
    assert (look.from_ns, look.stuck) == (at(9_000), 0)


@pytest.mark.parametrize(("from_ms", "then_ms"), [(9_000, 2_340), (2_401, 2_340), (2_400, 2_400), (2_300, 2_300)])
def test_an_answer_brings_the_next_look_forward(from_ms: int, then_ms: int) -> None:
    """The look was set for the case that none comes; an answer sets the usual gap, and never a longer one."""
    look = look_after(listing(0, 1), listing(2_100, 1))
    look.decided = True
    look.window(at(from_ms))
    look.told(Read(ReadKind.LISTING, BTC), None, at(2_200), moved=False, alone=True)
    assert look.from_ns == at(then_ms)


@pytest.mark.parametrize(
    ("facts", "at_once"),
    [
        ((listing(0, 1), listing(2_000)), True),
        # One is missing and another open: the history does not decide yet.
        ((listing(0, 1, 2), listing(2_000, 2)), False),
        # All is read.
        ((listing(2_000), history(2_100)), False),
    ],
)
def test_a_clear_listing_is_followed_by_the_history_at_once(facts: tuple[Listing | Page, ...], at_once: bool) -> None:
    """Both together decide."""
    look = look_after(*facts)
    look.decided = True
    look.window(at(2_300))
    look.told(Read(ReadKind.LISTING, BTC), None, at(2_200), moved=False, alone=True)
    assert (look.from_ns == at(2_200)) is at_once


def test_a_failed_read_moves_a_look_only_where_it_has_nothing_or_was_the_deciding_one() -> None:
    """The snapshot is tried again, quick looks go on as they were, and later ones come when reads are made again."""
    snapshot = look_after(answered_ms=None)
    snapshot.failed(at(10), at(300))
    assert snapshot.from_ns == at(10)
    known = look_after(listing(0, 1), answered_ms=None)
    known.failed(at(10), at(300))
    assert known.from_ns > NEVER_NS
    for look in (look_after(), look_after(listing(0, 1))):
        look.window(at(250))
        look.failed(at(100), at(300))
        assert look.from_ns == at(250)
        look.decided = True
        look.window(at(900))
        look.failed(at(100), at(300))
        assert look.from_ns == at(300)
