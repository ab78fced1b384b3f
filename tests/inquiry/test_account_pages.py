"""Orders of many symbols that are to end: pages of the whole account, or of each symbol."""

from __future__ import annotations

import random

import pytest

from bitget_async.evidence import Book, Certainty, Command, Named, Page, Target, Want
from bitget_async.inquiry import Breaker, Inquiry, Read, ReadKind
from bitget_async.inquiry.planner import ACCOUNT_HISTORIES, CROWD, MOST_VAIN
from tests.inquiry.world import SECOND, START_NS, ms

LATER = 10 * SECOND


def asking(numbers: list[int], symbols: int, book: Book = Book.NORMAL) -> tuple[Inquiry, Named]:
    """One command that names these orders, spread over so many symbols, answered at the start."""
    rng = random.Random(3)
    command = Command(bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
    targets = tuple(
        Target(command=command, symbol=f"X{place % symbols}USDT", want=Want.FINAL, order_id=str(number))
        for place, number in enumerate(numbers)
    )
    named = Named(targets, book)
    inquiry = Inquiry(rng, Breaker(rng))
    command.signed(START_NS, ms(START_NS))
    inquiry.add("a", named, START_NS)
    command.answered(Certainty.ACKED, START_NS)
    _ = inquiry.answered("a", START_NS)
    return inquiry, named


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
