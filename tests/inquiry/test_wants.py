"""One look after named orders, decision by decision: what it wants to read, and what an answer changes."""

from __future__ import annotations

from typing import Any

import pytest

from bitget_async import Order, OrderStatus
from bitget_async.evidence import Book, Certainty, Command, Listing, Page, Target, Want
from bitget_async.inquiry import Read, ReadKind
from bitget_async.inquiry.named_looks import NamedLook
from tests.inquiry.test_named_looks import BTC, ETH, LOST, OVER_S, at, cancels, command, look_of, places
from tests.inquiry.world import SECOND, START_NS, ms

# Another command, which may be accepted for five seconds longer.
LATER_S = OVER_S + 5


def later(oid: str) -> Target:
    """An order to be placed by such a command."""
    one = Command(bounds_ms=lambda moment: (ms(moment) - 2, ms(moment) + 2), accepted_for_ns=10 * SECOND)
    return Target(command=one, symbol=BTC, want=Want.PRESENT, client_oid=oid)


def young(number: int) -> Order:
    """A finished order of somebody else that was placed after the signing."""
    made_ms = ms(START_NS) + 1_000
    return Order(
        order_id=str(number),
        symbol=BTC,
        status=OrderStatus.FILLED,
        client_oid="z",
        created_ms=made_ms,
        updated_ms=made_ms,
    )


def history(seconds: float, *numbers: int, below: int | None = None, last: bool = False) -> Page:
    """A page of such orders."""
    rows = tuple(young(number) for number in numbers)
    return Page("history-orders", BTC, at(seconds), ms(at(seconds)), rows, below, last)


def listing(seconds: float) -> Listing:
    """Nothing is open."""
    return Listing(BTC, at(seconds), ms(at(seconds)), (), True)


def asked(seconds: float, oid: str) -> Page:
    """The answer of orderInfo that knows nothing of a client id."""
    return Page("orderInfo", BTC, at(seconds), ms(at(seconds)), (), asked=oid)


def wanted(look: NamedLook, seconds: float, *, few: bool = False) -> tuple[list[str], list[Any], list[str | None]]:
    """Listings, pages, and orders by the name that they are asked by."""
    wants = look.wants(at(seconds), few=few)
    return wants.listings, wants.pages, [read.order_id or read.client_oid for read in wants.orders]


def test_each_symbol_is_read_for_its_own_orders() -> None:
    """A page begins above the newest of them."""
    look = look_of(*cancels(10, 20), *cancels(30, 40, symbol=ETH))
    assert wanted(look, 0.3) == ([], [(BTC, 21), (ETH, 41)], [])


@pytest.mark.parametrize(("seconds", "absent"), [(OVER_S - 0.001, False), (OVER_S, True), (OVER_S + 1, True)])
def test_from_that_very_moment_on_a_lost_order_is_looked_for_to_be_absent(seconds: float, absent: bool) -> None:
    """By all three reads; before it orderInfo alone tells whether it is there."""
    look = look_of(*places("a"), certainty=LOST)
    assert wanted(look, seconds, few=True) == (([BTC], [(BTC, None)], ["a"]) if absent else ([], [], ["a"]))


@pytest.mark.parametrize(
    ("target", "certainty"),
    [
        (lambda: places("a")[0], Certainty.ACKED),
        (lambda: Target(command=command(), symbol=BTC, want=Want.FINAL, client_oid="a"), LOST),
        (lambda: Target(command=command(), symbol=BTC, want=Want.FINAL, client_oid="a"), Certainty.ACKED),
        (lambda: Target(command=command(), symbol=BTC, want=Want.PRESENT, order_id="a"), LOST),
    ],
)
def test_only_a_lost_order_with_a_client_id_can_be_proven_absent(target: Any, certainty: Certainty) -> None:
    """For all others a listing and a page that do not show them prove nothing."""
    assert wanted(look_of(target(), certainty=certainty), 90, few=True) == ([], [], ["a"])


def test_what_was_read_at_that_very_moment_is_not_read_again() -> None:
    """Each of the three by itself."""
    look = look_of(*places("a", "b"), certainty=LOST)
    look.evidence.saw_page(asked(OVER_S, "a"))
    assert wanted(look, 18, few=True) == ([BTC], [(BTC, None)], ["b"])
    look.evidence.saw_listing(listing(OVER_S))
    assert wanted(look, 18, few=True) == ([], [(BTC, None)], ["b"])
    look.evidence.saw_page(history(OVER_S, last=True))
    assert wanted(look, 18, few=True) == ([], [], ["b"])


def test_orders_of_two_commands_are_absent_from_the_later_moment_on() -> None:
    """What was read between the two decides only one of them, and a history begun then is too early for the other."""
    look = look_of(*places("a"), later("b"), certainty=LOST)
    look.evidence.saw_listing(listing(20))
    assert wanted(look, 30) == ([BTC], [(BTC, None)], ["a", "b"])
    page = history(20, 90, 80)
    look.evidence.saw_page(page)
    assert wanted(look, 20, few=True)[1] == [(BTC, 80)]
    assert wanted(look, 30)[1] == [(BTC, None)]
    look.window(at(99))
    look.told(Read(ReadKind.HISTORY, BTC), page, at(30), moved=False)
    assert look.from_ns == at(99)
    look.evidence.saw_page(history(20, last=True))
    assert wanted(look, 30)[1] == [(BTC, None)]


@pytest.mark.parametrize("seconds", [OVER_S, OVER_S + 1])
def test_a_history_that_may_prove_absence_is_followed_at_once(seconds: float) -> None:
    """From that very moment on."""
    look = look_of(*places("a"), certainty=LOST)
    page = history(seconds, 90, 80)
    look.evidence.saw_page(page)
    look.window(at(99))
    look.told(Read(ReadKind.HISTORY, BTC), page, at(seconds), moved=False)
    assert look.from_ns == at(seconds)


def test_a_history_that_is_deep_enough_for_who_needs_it_now_is_not_followed() -> None:
    """It goes on for another order, which it can tell nothing of yet."""
    old = Target(command=command(), symbol=BTC, want=Want.FINAL, client_oid="o", earlier=(young(80), "orderInfo", 0))
    look = look_of(old, *places("a"), certainty=LOST)
    page = history(2, 90, 80)
    look.evidence.saw_page(page)
    assert look.evidence.history_below(BTC, at(2)) == 80
    look.window(at(99))
    look.told(Read(ReadKind.HISTORY, BTC), page, at(2.1), moved=False)
    assert look.from_ns == at(99)


def test_a_history_that_proves_nothing_yet_is_not_followed() -> None:
    """The next look will read it anew."""
    look = look_of(*places("a"), certainty=LOST)
    page = history(1, 90, 80)
    look.evidence.saw_page(page)
    look.window(at(99))
    look.told(Read(ReadKind.HISTORY, BTC), page, at(1), moved=False)
    assert look.from_ns == at(99)


def test_one_order_that_may_be_open_is_reason_enough_for_a_listing() -> None:
    """Beside others whose history tells more."""
    assert wanted(look_of(*cancels(30, 10, 20), *places("a")), 0.3) == ([BTC], [(BTC, 31)], [])


@pytest.mark.parametrize(("seconds", "again"), [(1.999, True), (2.0, False)])
def test_a_listing_of_two_seconds_after_the_signing_need_not_be_read_again(seconds: float, again: bool) -> None:
    """It cannot be too old to show a new order."""
    look = look_of(*places("a", "b", "c", "d"))
    look.evidence.saw_listing(listing(seconds))
    assert wanted(look, 3)[0] == ([BTC] if again else [])


@pytest.mark.parametrize(("seconds", "again"), [(OVER_S - 0.001, True), (OVER_S, False)])
def test_a_listing_that_can_prove_the_contrary_is_read_once(seconds: float, again: bool) -> None:
    """Which may show that an order is still open."""
    look = look_of(*cancels(1, 2, 3, 4))
    look.evidence.saw_listing(listing(seconds))
    assert wanted(look, OVER_S + 1)[0] == ([BTC] if again else [])


@pytest.mark.parametrize(
    ("stuck", "ids"),
    [
        (0, None),
        (1, None),
        (2, [1, 2, 3]),
        (3, None),
        (5, [4, 5, 6, 7, 8, 9]),
        (8, [10, 11, 12, 13, 14, 15, 16, 17, 18]),
        (11, [19, 20, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_many_that_are_stuck_are_asked_for_in_growing_turns(stuck: int, ids: list[int] | None) -> None:
    """Every third look: three, six, then nine, and others each time."""
    look = look_of(*cancels(*range(1, 21)))
    look.stuck = stuck
    expected: tuple[list[str], list[Any], list[str]]
    expected = ([], [(BTC, 21)], []) if ids is None else ([], [], [str(number) for number in ids])
    assert wanted(look, 0.3) == expected


@pytest.mark.parametrize(
    ("kind", "stuck", "then"),
    [
        (ReadKind.ORDER, 0, 2),
        (ReadKind.ORDER, 3, 5),
        (ReadKind.ORDER, 4, 4),
        (ReadKind.ORDER, 5, 5),
        (ReadKind.LISTING, 4, 0),
        (ReadKind.HISTORY, 5, 0),
    ],
)
def test_what_helped_is_done_again_soon(kind: ReadKind, stuck: int, then: int) -> None:
    """Ids after ids, pages after a page, and in the rhythm of the beginning."""
    look = look_of(*cancels(*range(1, 21)))
    look.stuck, look.gap_ns = stuck, 5 * SECOND
    page = None if kind is ReadKind.LISTING else history(1, last=True)
    look.told(Read(kind, BTC), page, at(1), moved=True)
    assert (look.stuck, look.gap_ns) == (then, SECOND // 5)
    assert at(1.1) <= look.from_ns <= at(1.2)


@pytest.mark.parametrize("symbol", [BTC, None])
def test_a_page_that_helps_and_goes_on_is_followed_at_once_by_the_next(symbol: str | None) -> None:
    """Of the symbol or of the account: pages are what helps, however many looks brought nothing before."""
    look = look_of(*cancels(*range(1, 21)))
    look.stuck = 4
    page = Page("history-orders", symbol, at(1), ms(at(1)), (young(30), young(20)), 31, False)
    look.told(Read(ReadKind.HISTORY, symbol, below=31), page, at(1), moved=True)
    assert (look.stuck, look.from_ns) == (0, at(1))


def test_a_look_before_the_answer_is_put_off_until_it() -> None:
    """Whatever was set before."""
    look = look_of(*cancels(1))
    for target in look.evidence.targets:
        target.command.answered_ns = None
    look.window(at(1))
    look.next(at(1))
    assert look.from_ns > at(1_000_000)


@pytest.mark.parametrize("book", [Book.TPSL, Book.PLAN])
def test_no_absence_is_looked_for_where_order_info_does_not_speak(book: Book) -> None:
    """The listing was read late enough: it is not asked for again for ever."""
    look = look_of(*places("a"), book=book, certainty=LOST)
    look.evidence.saw_listing(Listing(BTC, at(OVER_S), 0, (), True, book))
    assert wanted(look, 90, few=True) == ([], [(BTC, None)], [])
