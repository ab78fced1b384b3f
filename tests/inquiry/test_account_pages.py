"""Orders of many symbols that are to end: pages of the whole account, or of each symbol."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from bitget_async.evidence import Book, Certainty, Command, Named, Page, Sweep, Target, Want
from bitget_async.inquiry import Breaker, Inquiry, Read, ReadKind
from bitget_async.inquiry.planner import ACCOUNT_HISTORIES, CROWD, MOST_VAIN
from tests.inquiry.world import SECOND, START_NS, ms

LATER = 10 * SECOND


def signed() -> Command:
    """A command that was signed at the start."""
    command = Command(bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
    command.signed(START_NS, ms(START_NS))
    return command


def ending(
    numbers: Sequence[int | str],
    symbols: int,
    book: Book = Book.NORMAL,
    name: str = "X",
    command: Command | None = None,
) -> Named:
    """One command that is to end these orders, spread over so many symbols."""
    command = command or signed()
    return Named(
        tuple(
            Target(command=command, symbol=f"{name}{place % symbols}USDT", want=Want.FINAL, order_id=str(number))
            for place, number in enumerate(numbers)
        ),
        book,
    )


def asking(numbers: Sequence[int | str], symbols: int, book: Book = Book.NORMAL) -> tuple[Inquiry, Named]:
    """Such a command, answered at the start."""
    rng = random.Random(3)
    inquiry = Inquiry(rng, Breaker(rng))
    named = ending(numbers, symbols, book)
    ask(inquiry, "a", named)
    return inquiry, named


def ask(inquiry: Inquiry, key: str, named: Named) -> None:
    """It is answered, and looked after from the start on."""
    inquiry.add(key, named, START_NS)
    for command in named.commands:
        command.answered(Certainty.ACKED, START_NS)
    _ = inquiry.answered(key, START_NS)


def in_vain(inquiry: Inquiry, read: Read, now: int) -> None:
    """That page shows nothing of what is looked for."""
    page = Page("history-orders", read.symbol, now, ms(now), (), read.below, False, Book.NORMAL, None)
    inquiry.done(read, now, page=page)


def pages(reads: list[Read]) -> list[tuple[str | None, int | None]]:
    """Symbol and cursor of each page of the history."""
    return [(read.symbol, read.below) for read in reads if read.kind is ReadKind.HISTORY]


def test_up_to_five_symbols_are_read_each_by_itself() -> None:
    """A page of a symbol is full of what is looked for; one of the account is full of what others did."""
    inquiry, _ = asking(list(range(1, 21)), CROWD)
    assert pages(inquiry.due(START_NS + LATER)) == [(f"X{place}USDT", 17 + place) for place in range(CROWD)]


def test_orders_of_more_symbols_are_looked_for_on_pages_of_the_account() -> None:
    """Twenty symbols in a batch would be twenty reads; three pages, for the orders may lie apart."""
    inquiry, _ = asking(list(range(1, 21)), CROWD + 1)
    assert pages(inquiry.due(START_NS + LATER)) == [(None, 21), (None, 14), (None, 7)]


@pytest.mark.parametrize(
    ("count", "starts"),
    [(1000, [1001, 901, 801]), (300, [301, 201, 101]), (299, [300, 200, 100]), (6, [7, 5, 3])],
)
def test_pages_begin_a_page_apart_and_closer_where_fewer_are_missing(count: int, starts: list[int]) -> None:
    """Many lie close together; a few that are left over lie anywhere, and one page may show but one of them."""
    inquiry, _ = asking(list(range(1, count + 1)), 6)
    assert pages(inquiry.due(START_NS + LATER)) == [(None, start) for start in starts]
    assert len(starts) == ACCOUNT_HISTORIES


def test_account_is_not_read_twice_at_once() -> None:
    """Another look while pages of it are under way waits for what they show."""
    inquiry, _ = asking(list(range(1, 21)), 6)
    assert inquiry.due(START_NS + LATER)
    assert pages(inquiry.due(START_NS + 2 * LATER)) == []


def test_trigger_orders_are_read_by_symbol() -> None:
    """Their history takes a symbol."""
    inquiry, _ = asking(list(range(1, 21)), 6, Book.PLAN)
    assert {symbol for symbol, _ in pages(inquiry.due(START_NS + LATER))} == {f"X{place}USDT" for place in range(6)}


@pytest.mark.parametrize(("helpful", "at_least"), [(None, 8), (6, 14)])
def test_account_whose_pages_bring_nothing_is_left_for_the_symbols(helpful: int | None, at_least: int) -> None:
    """Orders below thousands of others: eight pages in vain are enough, up to three at once; help starts anew."""
    assert MOST_VAIN == 8
    inquiry, _ = asking(list(range(1, 21)), 6)
    now, count = START_NS + LATER, 0
    reads = inquiry.due(now)
    while {read.symbol for read in reads} == {None}:
        for read in reads:
            count += 1
            page = Page("history-orders", None, now, ms(now), (), read.below, False, Book.NORMAL, None)
            inquiry.done(read, now, page=page, progress=["a"] if count == helpful else [])
        now += LATER
        reads = inquiry.due(now)
    assert at_least <= count < at_least + 3
    assert {symbol for symbol, _ in pages(reads)} == {f"X{place}USDT" for place in range(6)}


def test_pages_of_the_account_are_given_up_after_the_eighth_in_vain() -> None:
    """Not after the seventh, nor after the ninth: of the third and fourth look two pages fail, which tells nothing."""
    inquiry, _ = asking(list(range(1, 21)), 6)
    now, on_account = START_NS, []
    for answers in (3, 3, 1, 1, 0):
        now += LATER
        reads = inquiry.due(now)
        on_account.append({symbol for symbol, _ in pages(reads)} == {None})
        for read in reads[answers:]:
            inquiry.failed(read, now)
        for read in reads[:answers]:
            in_vain(inquiry, read, now)
    assert on_account == [True, True, True, True, False]


def test_only_pages_of_the_account_are_counted_among_those_in_vain() -> None:
    """A symbol's history that brought nothing says nothing of the account's."""
    inquiry, _ = asking(list(range(1, 21)), 6)
    for _ in range(2 * MOST_VAIN):
        in_vain(inquiry, Read(ReadKind.HISTORY, "X0USDT", below=18), START_NS)
    assert pages(inquiry.due(START_NS + LATER)) == [(None, 21), (None, 14), (None, 7)]


@pytest.mark.parametrize(
    ("read", "waits"),
    [
        (Read(ReadKind.HISTORY, below=99), True),
        (Read(ReadKind.HISTORY), False),
        (Read(ReadKind.LISTING), False),
        (Read(ReadKind.HISTORY, "X0USDT", below=99), False),
    ],
)
def test_which_reads_under_way_are_waited_for_before_the_next_pages_of_the_account(read: Read, waits: bool) -> None:
    """Those that may show the same orders: a listing never does, nor does the newest page, nor another symbol's."""
    inquiry, _ = asking(list(range(1, 21)), 6)
    inquiry._in_flight[read] = START_NS
    assert pages(inquiry.due(START_NS + LATER)) == ([] if waits else [(None, 21), (None, 14), (None, 7)])


def test_what_else_is_looked_for_changes_no_page_of_the_account() -> None:
    """
    Beside the orders of six symbols a cancellation by symbol, one by id that has no answer yet, one of trigger orders
    and placements: none of them is looked for on such a page, and none stands in its way.
    """
    inquiry, _ = asking(list(range(1, 21)), 6)
    sweep = Sweep("SWEPTUSDT", bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
    sweep.signed(START_NS, ms(START_NS))
    inquiry.add("sweep", sweep, START_NS)
    sweep.answered(Certainty.ACKED, START_NS)
    _ = inquiry.answered("sweep", START_NS)
    inquiry.add("unanswered", ending(range(900, 910), 2, name="U"), START_NS)
    ask(inquiry, "trigger", ending(range(800, 810), 2, Book.PLAN, name="P"))
    placed = signed()
    targets = (Target(command=placed, symbol="NEWUSDT", want=Want.PRESENT, client_oid=f"c{each}") for each in range(5))
    ask(inquiry, "placed", Named(tuple(targets)))
    reads = [read for read in inquiry.due(START_NS + LATER) if read.book is Book.NORMAL]
    assert pages(reads) == [(None, 21), (None, 14), (None, 7)]


def test_only_symbols_whose_history_is_asked_for_make_a_crowd() -> None:
    """Three symbols with orders to look for, and three of a command that has no answer yet: each is read by itself."""
    inquiry, _ = asking(list(range(1, 21)), 3)
    inquiry.add("unanswered", ending(range(900, 910), 3, name="U"), START_NS)
    assert pages(inquiry.due(START_NS + LATER)) == [("X0USDT", 20), ("X1USDT", 21), ("X2USDT", 19)]


def test_an_id_that_is_no_number_stands_in_nobodys_way() -> None:
    """No page begins at it, and the others are looked for as ever: whatever the exchange or a user calls an order."""
    inquiry, _ = asking([*range(1, 21), "x-7", "21st"], 6)
    assert pages(inquiry.due(START_NS + LATER)) == [(None, 21), (None, 14), (None, 7)]
