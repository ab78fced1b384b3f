"""The planner, choice by choice: whose read serves whom, what is postponed, what is still worth waiting for."""

from __future__ import annotations

import random

import pytest

from bitget_async import Order, OrderStatus
from bitget_async.evidence import Book, Certainty, Command, Listing, Named, Page, Sweep, Target, Want
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.looks import SweepLook
from bitget_async.inquiry.planner import MOST_IN_FLIGHT
from tests.inquiry.world import SECOND, START_NS, ms

BTC, ETH, XRP = "BTCUSDT", "ETHUSDT", "XRPUSDT"
MS = 1_000_000
LISTING, HISTORY, ORDER = ReadKind


def at(milliseconds: int) -> int:
    """That moment after the signing."""
    return START_NS + milliseconds * MS


def listing(at_ms: int, *numbers: int, symbol: str | None = None, of: str = BTC) -> Listing:
    """A listing that shows these orders of one symbol open."""
    rows = tuple(
        Order(order_id=str(number), symbol=of, status=OrderStatus.LIVE, created_ms=ms(START_NS) - 60_000)
        for number in numbers
    )
    return Listing(symbol, at(at_ms), ms(at(at_ms)), rows, True)


def page(at_ms: int, *numbers: int, symbol: str | None = None, last: bool = False) -> Page:
    """A page of orders that ended before the signing."""
    rows = tuple(Order(order_id=str(number), symbol=XRP, status=OrderStatus.FILLED) for number in numbers)
    return Page("history-orders", symbol, at(at_ms), ms(at(at_ms)), rows, None, last)


def inquiry_of(*symbols: str, book: Book = Book.NORMAL) -> tuple[Inquiry, dict[str, Sweep]]:
    """Sweeps that were signed at the start and answered 50 ms later, none of them with a snapshot."""
    inquiry, made = Inquiry(random.Random(1)), {}
    for symbol in symbols:
        made[symbol] = Sweep(symbol, book, bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2))
        made[symbol].signed(START_NS, ms(START_NS))
        inquiry.add(symbol, made[symbol], START_NS)
        made[symbol].answered(Certainty.ACKED, at(50))
        inquiry.answered(symbol, at(50))
    return inquiry, made


def call_on(*symbols: str, book: Book = Book.NORMAL, answered_ms: int = 50) -> Named:
    """A command on one new order of each symbol, whose answer was lost."""
    command = Command(bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2))
    command.signed(START_NS, ms(START_NS))
    command.answered(Certainty.MAYBE, at(answered_ms))
    return Named(
        tuple(Target(command=command, symbol=each, want=Want.PRESENT, client_oid=f"c{each}") for each in symbols), book
    )


def sweep_look(inquiry: Inquiry, key: str) -> SweepLook:
    """The look of a sweep."""
    look = inquiry._looks[key]
    assert isinstance(look, SweepLook)
    return look


@pytest.mark.parametrize(
    ("symbols", "rows", "account"),
    [
        (1, 0, False),
        # The whole account on one page tells all the others something too.
        (2, 0, True),
        (2, 99, True),
        (2, 100, False),
        (4, 100, False),
        (5, 100, True),
        (5, 200, False),
        # More than five share a listing of several pages as long as it has no more pages than they are.
        (6, 200, True),
        (6, 599, True),
        (6, 600, False),
        (9, 900, False),
    ],
)
def test_the_accounts_listing_is_worth_two_of_its_pages_a_symbol(symbols: int, rows: int, account: bool) -> None:
    """Its pages come one after the other, those of several symbols at once."""
    names = [f"S{number}USDT" for number in range(symbols)]
    inquiry, _ = inquiry_of(*names)
    inquiry.done(Read(LISTING), at(10), listing=listing(0, *range(1, rows + 1), of=XRP))
    expected = [Read(LISTING)] if account else [Read(LISTING, name) for name in names]
    assert inquiry.due(at(400)) == expected


@pytest.mark.parametrize(("symbols", "account"), [(6, False), (7, True)])
def test_an_account_of_three_pages_is_listed_for_new_orders_of_seven_symbols(symbols: int, account: bool) -> None:
    """Where its pages are fewer than half the symbols: six listings at once are quicker than three pages in turn."""
    names = [f"S{number}USDT" for number in range(symbols)]
    inquiry = Inquiry(random.Random(1))
    inquiry.done(Read(LISTING), at(10), listing=listing(0, *range(1, 201), of=XRP))
    inquiry.add("call", call_on(*names), START_NS)
    inquiry.answered("call", at(50), at_once=True)
    assert inquiry.due(at(50)) == ([Read(LISTING)] if account else [Read(LISTING, name) for name in names])


def test_an_early_look_of_one_is_the_usual_look_of_another() -> None:
    """The first goes on as it was before the push; the second was due anyway, and is not made again and again."""
    inquiry, _ = inquiry_of(BTC, ETH)
    hinted, due = sweep_look(inquiry, BTC), sweep_look(inquiry, ETH)
    hinted.window(at(500))
    hinted.early(at(400), 0)
    due.window(at(400))
    assert inquiry.due(at(400)) == [Read(LISTING)]
    assert hinted.from_ns == at(500)
    assert at(600) <= due.from_ns <= at(690)


def test_an_account_of_two_pages_is_not_read_again_while_it_is_being_read() -> None:
    """Each of its pages waits for the last one; single symbols are quicker."""
    names = [f"S{number}USDT" for number in range(5)]
    inquiry, _ = inquiry_of(*names)
    inquiry.done(Read(LISTING), at(10), listing=listing(0, *range(1, 101), of=XRP))
    assert inquiry.due(at(400)) == [Read(LISTING)]
    assert inquiry.due(at(1_000)) == [Read(LISTING, name) for name in names]


@pytest.mark.parametrize("book", [Book.TPSL, Book.PLAN])
def test_other_lists_are_read_by_their_own_name_alone(book: Book) -> None:
    """A command on them has nothing to find among the normal orders."""
    inquiry, _ = inquiry_of(BTC, ETH, book=book)
    assert inquiry.due(at(400)) == [Read(LISTING, BTC, book=book), Read(LISTING, ETH, book=book)]
    inquiry = Inquiry(random.Random(1))
    inquiry.add("call", call_on(BTC, book=book), START_NS)
    inquiry.answered("call", at(50), at_once=True)
    assert inquiry.due(at(50)) == [Read(LISTING, BTC, book=book)]


@pytest.mark.parametrize(("counts", "account"), [((25, 25), True), ((25, 26), False)])
def test_half_a_page_of_missing_orders_is_read_from_the_accounts_page(counts: tuple[int, int], account: bool) -> None:
    """More of them need not stand on it."""
    inquiry, made = inquiry_of(BTC, ETH)
    for (name, evidence), first, count in zip(made.items(), (1_000, 2_000), counts, strict=True):
        evidence.saw_listing(listing(0, *range(first, first + count), symbol=name, of=name))
        evidence.saw_listing(listing(2_000, symbol=name))
        look = sweep_look(inquiry, name)
        look.window(at(2_000))
    reads = [read for read in inquiry.due(at(2_000)) if read.kind is HISTORY]
    assert reads == ([Read(HISTORY)] if account else [Read(HISTORY, BTC), Read(HISTORY, ETH)])


@pytest.mark.parametrize(
    ("number", "own_page", "read", "begun", "fits"),
    [
        (500, False, False, False, True),
        (499, False, False, False, False),
        (500, True, False, False, False),
        (500, False, True, False, False),
        (500, False, False, True, False),
    ],
)
def test_the_accounts_page_serves_whom_the_last_one_reached_and_who_has_not_begun(
    number: int, own_page: bool, read: bool, begun: bool, fits: bool
) -> None:
    """By the lowest id of it; who has read its own history, or begun to, goes on there."""
    inquiry, made = inquiry_of(BTC, ETH)
    inquiry.done(Read(HISTORY), at(10), page=page(0, 700, 500, 600))
    made[BTC].saw_listing(listing(0, number, symbol=BTC))
    made[BTC].saw_listing(listing(2_000, symbol=BTC))
    if read:
        made[BTC].saw_page(page(2_100, symbol=BTC, last=True))
    if begun:
        row = Order(
            order_id="900",
            symbol=BTC,
            status=OrderStatus.CANCELLED,
            created_ms=ms(START_NS) - 9,
            updated_ms=ms(START_NS) + 9,
        )
        made[BTC].saw_page(Page("history-orders", BTC, at(2_100), 0, (row,), None, False))
    look = sweep_look(inquiry, BTC)
    look.own_page = own_page
    assert inquiry._on_account_page(look) is fits
    # The last page of all reaches down to everything.
    inquiry.done(Read(HISTORY), at(10), page=page(0, 700, 600, last=True))
    assert inquiry._on_account_page(look) is (fits or number == 499)


def test_nothing_is_read_before_the_answer_unless_a_snapshot_is_asked_for() -> None:
    """By silence the fewest requests are made."""
    inquiry, made = inquiry_of(BTC)
    inquiry.add(BTC, made[BTC], at(0))
    assert inquiry.due(at(0)) == []
    inquiry.add(BTC, made[BTC], at(0), snapshot=True)
    assert inquiry.due(at(0)) == [Read(LISTING, BTC)]


def test_a_failure_is_no_ban_unless_that_is_said() -> None:
    """Others may go on reading beside the one that failed."""
    inquiry, _ = inquiry_of(BTC)
    inquiry.failed(Read(LISTING, BTC), at(60))
    assert not inquiry._breaker.probing
    inquiry.failed(Read(LISTING, BTC), at(60), turned_away=True)
    assert inquiry._breaker.probing


def test_answered_says_until_when_the_first_look_happens() -> None:
    """Who waits for it sets a timer."""
    inquiry, _ = inquiry_of(BTC)
    assert inquiry.answered(BTC, at(50), at_once=True) == at(50)
    assert at(200) <= inquiry.answered(BTC, at(50)) <= at(300)
    assert inquiry.wake_ns() == sweep_look(inquiry, BTC).until_ns


def test_an_urged_look_begins_its_rhythm_anew() -> None:
    """200 to 250 ms from now, and the next ones as after the answer."""
    inquiry, _ = inquiry_of(BTC)
    look = sweep_look(inquiry, BTC)
    look.gap_ns = 5 * SECOND
    look.window(at(9_000))
    inquiry.urged(BTC, at(3_000))
    assert (look.from_ns, look.until_ns, look.gap_ns) == (at(3_200), at(3_250), 200 * MS)
    look.window(at(3_100))
    inquiry.urged(BTC, at(3_000))
    assert look.from_ns == at(3_100)


def test_signing_again_takes_the_decision_back() -> None:
    """What was decided for the first copy is not for the second."""
    inquiry, _ = inquiry_of(BTC)
    look = sweep_look(inquiry, BTC)
    look.decided = True
    inquiry.resigned(BTC)
    assert not look.decided


# -- postponed and under way -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "concerns"),
    [
        (Read(LISTING), True),
        (Read(LISTING, BTC), True),
        (Read(HISTORY, BTC, below=7), True),
        (Read(LISTING, ETH), False),
        (Read(LISTING, book=Book.PLAN), False),
        (Read(LISTING, BTC, book=Book.PLAN), False),
    ],
)
def test_whom_a_read_concerns(read: Read, concerns: bool) -> None:
    """By its list, and by its symbol unless it is of the whole account."""
    inquiry, _ = inquiry_of(BTC)
    inquiry._postponed = [read]
    assert inquiry._still_wanted() == ([read] if concerns else [])


def postponing() -> tuple[Inquiry, list[Read], list[str]]:
    """Twelve symbols that need a read each, beside a big account: the reads under way, and who found no room."""
    names = [f"S{number:02}USDT" for number in range(12)]
    inquiry, _ = inquiry_of(*names)
    inquiry.done(Read(LISTING), at(10), listing=listing(0, *range(1, 2_001), of=XRP))
    under_way = inquiry.due(at(400))
    assert len(under_way) == MOST_IN_FLIGHT
    return inquiry, under_way, names[MOST_IN_FLIGHT:]


def test_what_was_postponed_for_somebody_who_is_settled_is_not_read() -> None:
    """It would tell nobody anything."""
    inquiry, under_way, (gone, left) = postponing()
    inquiry.remove(gone)
    for read in under_way[:2]:
        inquiry.done(read, at(401), listing=listing(400, symbol=read.symbol))
    assert inquiry.due(at(402)) == [Read(LISTING, left)]


def test_after_a_failure_everybody_looks_anew() -> None:
    """What was postponed before it may not be what is wanted then."""
    inquiry, under_way, _ = postponing()
    for number, read in enumerate(under_way):
        inquiry.failed(read, at(401 + number))
    looks = inquiry._looks.values()
    assert (inquiry.wake_ns() or 0) >= max(inquiry._breaker.resume_ns, min(look.until_ns for look in looks))
    assert inquiry._postponed == []


def test_the_probe_comes_first_and_once() -> None:
    """Of another kind than the one that was turned away; where nothing is wanted, nothing is read."""
    inquiry, _ = inquiry_of(BTC)
    reads = [Read(LISTING, BTC), Read(HISTORY, BTC)]
    assert inquiry._probe_first(reads) == reads
    inquiry.failed(reads[0], at(60), turned_away=True)
    assert inquiry._probe_first(reads) == reads[::-1]
    assert inquiry._probe_first(reads[:1]) == reads[::-1]
    assert inquiry._probe_first([]) == []


@pytest.mark.parametrize(
    ("read", "age_ms", "others", "decided", "waits"),
    [
        # A quick look overlaps the one before, while no more than three reads are under way.
        (Read(LISTING, BTC), 199, 0, False, True),
        (Read(LISTING, BTC), 200, 0, False, False),
        (Read(LISTING), 199, 0, False, True),
        (Read(LISTING), 200, 0, False, False),
        (Read(LISTING, BTC), 200, 2, False, False),
        (Read(LISTING, BTC), 200, 3, False, True),
        # Everything else is waited for, three seconds.
        (Read(LISTING, BTC), 2_999, 0, True, True),
        (Read(LISTING, BTC), 3_000, 0, True, False),
        (Read(LISTING, XRP), 2_999, 0, False, True),
        (Read(HISTORY, BTC), 2_999, 0, False, True),
        (Read(HISTORY, BTC), 3_000, 0, False, False),
    ],
)
def test_how_long_a_read_that_is_under_way_is_waited_for(
    read: Read, age_ms: int, others: int, decided: bool, waits: bool
) -> None:
    """ "Cleared" must not wait for a slow answer; a page that is made twice tells nothing new."""
    inquiry, _ = inquiry_of(BTC, ETH)
    looks = [sweep_look(inquiry, name) for name in (BTC, ETH)]
    looks[0].decided = decided
    looks[1].decided = True
    assert inquiry._still_out(read, at(0), looks, []) is False
    inquiry._in_flight[read] = at(0)
    inquiry._in_flight |= {Read(ORDER, BTC, order_id=str(number)): at(0) for number in range(others)}
    assert inquiry._still_out(read, at(age_ms), looks, []) is waits


@pytest.mark.parametrize(
    ("read", "waits"),
    [
        (Read(ORDER, BTC, client_oid="c"), False),
        (Read(LISTING), False),
        (Read(ORDER, ETH, client_oid="c"), True),
        (Read(LISTING, BTC, book=Book.PLAN), True),
        (Read(LISTING, book=Book.PLAN), True),
    ],
)
def test_a_read_from_before_an_answer_is_not_waited_for_by_whom_it_concerns(read: Read, waits: bool) -> None:
    """It cannot tell what that command did. Those whose answer came earlier do not change that."""
    inquiry = Inquiry(random.Random(1))
    inquiry.add("early", call_on(BTC, answered_ms=20), START_NS)
    inquiry.add("late", call_on(BTC, answered_ms=100), START_NS)
    named = [each for each in inquiry._looks.values() if not isinstance(each, SweepLook)]
    inquiry._in_flight[read] = at(50)
    assert inquiry._still_out(read, at(120), [], named) is waits
    inquiry._in_flight[read] = at(100)
    assert inquiry._still_out(read, at(120), [], named) is True
