"""Sweep: each outcome of the contract's sections 3 and 4, and everything that must not lead to one."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import Fate, Order, OrderStatus, Outcome, Scope
from bitget_async.evidence import Assumptions, Certainty, Listing, Page, Sweep, complete, id_number
from tests.evidence.making import (
    ERROR_MS,
    FIRST_ID,
    SIGNED_NS,
    T_MS,
    bounds,
    done,
    edited,
    listing,
    ms,
    ns,
    order,
    page,
)


def evidence(*facts: Listing | Page, answered_s: float | None = 0.05, certainty: Certainty = Certainty.ACKED) -> Sweep:
    """A signed command, answered then, and those facts in that order."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    if answered_s is not None:
        made.answered(certainty, ns(answered_s))
    return fed(made, *facts)


def fed(made: Sweep, *facts: Listing | Page) -> Sweep:
    """The same with more facts."""
    for fact in facts:
        if isinstance(fact, Listing):
            made.saw_listing(fact)
        else:
            made.saw_page(fact)
    return made


HORIZON_S = 30 + 10 + 2 + ERROR_MS / 1_000
PROVEN = (listing(0, order()), listing(2, symbol=None), page(2.1, done()))

# facts, and what they prove; the comment says which words of the contract decide
OUTCOMES: list[tuple[str, tuple[Any, ...], Outcome | None]] = [
    ("clear listing at staleness, history, every id final", PROVEN, Outcome.CONFIRMED),
    ("the same told by orderInfo", (*PROVEN[:2], page(2.1), page(2.2, done(), source="orderInfo")), Outcome.CONFIRMED),
    ("filled counts as final", (*PROVEN[:2], page(2.1, done(status="filled"))), Outcome.CONFIRMED),
    ("the other spelling", (*PROVEN[:2], page(2.1, done(status="canceled"))), Outcome.CONFIRMED),
    (
        "final before the deciding listing",
        (listing(0, order()), page(1, done()), listing(2), page(2)),
        Outcome.CONFIRMED,
    ),
    ("swept before the first listing", (listing(2), page(2.1, done())), Outcome.CONFIRMED),
    ("swept in the very millisecond of the signing", (listing(2), page(2, done(ended_s=0))), Outcome.CONFIRMED),
    ("swept within the error of the clock", (listing(2), page(2, done(ended_s=-0.005))), Outcome.CONFIRMED),
    ("an old row of 91 days", (listing(2), page(2, done(created_s=-91 * 86_400))), Outcome.CONFIRMED),
    ("nothing listed, nothing in the history", (listing(2), page(2)), Outcome.NOTHING_TO_CANCEL),
    ("rows that ended before", (listing(2), page(2, done(ended_s=-1))), Outcome.NOTHING_TO_CANCEL),
    ("late orders only", (listing(2, order(9, 1)), page(2)), Outcome.NOTHING_TO_CANCEL),
    ("late and final", (listing(2), page(2, done(9, 1.5, created_s=1))), Outcome.NOTHING_TO_CANCEL),
    ("open after the horizon", (listing(0, order()), listing(HORIZON_S, order())), Outcome.STILL_OPEN),
    (
        "one of two open after the horizon",
        (*PROVEN, listing(HORIZON_S, order(2)), page(HORIZON_S + 1)),
        Outcome.STILL_OPEN,
    ),
    ("open after the horizon and never seen before", (listing(HORIZON_S, order()),), Outcome.STILL_OPEN),
    # Nothing below proves anything.
    ("no fact at all", (), None),
    ("listing too young", (listing(0, order()), listing(1.999), page(3, done())), None),
    ("no listing", (page(3, done()),), None),
    ("no history", (listing(0, order()), listing(2), page(2.1, done(), source="orderInfo")), None),
    ("history older than the listing", (listing(0, order()), listing(2), page(1.9, done())), None),
    ("only a lower page of the history", (listing(0, order()), listing(2), page(3, done(), below=FIRST_ID + 9)), None),
    ("vanished", (listing(0, order()), listing(2), page(2.1)), None),
    ("vanished for ever", (listing(0, order()), listing(90), page(91)), None),
    ("one of two vanished", (listing(0, order(1), order(2)), listing(2), page(2.1, done(1))), None),
    ("empty history alone", (page(3),), None),
    ("empty listing without history", (listing(2),), None),
    ("incomplete listing", (listing(0, order()), listing(2, whole=False), page(2.1, done())), None),
    ("incomplete and empty", (listing(2, whole=False), page(2.1)), None),
    ("incomplete after the horizon", (listing(HORIZON_S + 1, order(), whole=False),), None),
    ("still listed at staleness", (listing(0, order()), listing(2, order()), page(2.1)), None),
    ("gone, then listed again", (listing(0, order()), listing(2), listing(3, order()), page(3.1)), None),
    (
        "open after the horizon, and gone in a newer listing that came before that one",
        (listing(0, order()), listing(HORIZON_S + 1), listing(HORIZON_S, order())),
        None,
    ),
    ("open a moment before the horizon", (listing(HORIZON_S - 0.001, order()),), None),
    ("unknown status in the listing after the horizon", (listing(HORIZON_S, order(status="frozen")),), None),
    ("unknown status in the history", (*PROVEN[:2], page(2.1, order(status="reject", ended_s=1))), None),
    ("no final status in the history", (*PROVEN[:2], page(2.1, order(ended_s=1))), None),
    ("final row of another symbol", (*PROVEN[:2], page(2.1, edited(done(), symbol="ETHUSDT"))), None),
    ("final row with an unreadable field", (*PROVEN[:2], page(2.1, edited(done(), unreadable=("size",)))), None),
    ("final row without a readable id", (*PROVEN[:2], page(2.1, edited(done(), order_id="x1"))), None),
    ("final row of a tpsl order", (*PROVEN[:2], page(2.1, edited(done(), tpsl_type="tpsl"))), None),
]


@pytest.mark.failure(32, 33, 34, 39, 41, 45, 46)
@pytest.mark.parametrize(("facts", "outcome"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
@pytest.mark.parametrize("certainty", [Certainty.ACKED, Certainty.MAYBE])
def test_outcome_is_what_the_facts_prove(facts: Any, outcome: Outcome | None, certainty: Certainty) -> None:
    """The contract's table, row by row. Whether the answer was "taken" or lost changes nothing."""
    assert evidence(*facts, certainty=certainty).outcome() is outcome


def test_no_outcome_before_the_answer_and_before_the_clock_is_known() -> None:
    """While the command is on its way everything is open; without bounds nothing can be dated."""
    made = evidence(*PROVEN, answered_s=None)
    assert made.outcome() is None
    made.answered(Certainty.MAYBE, ns(10))
    assert made.outcome() is Outcome.CONFIRMED
    blind = Sweep("BTCUSDT", bounds_ms=lambda at: None)
    blind.signed(SIGNED_NS, T_MS)
    blind.answered(Certainty.ACKED, ns(0.05))
    assert fed(blind, *PROVEN).outcome() is None
    assert (blind.sign_bounds, blind.clock_error_ms) == (None, 0)
    assert blind.horizon_ns == ns(42)
    assert blind.scope_of(order(9, 100)) is Scope.IN


@pytest.mark.failure(37, 38)
@pytest.mark.parametrize(
    ("created_s", "scope"),
    [
        (-1_000_000, Scope.IN),
        (-0.005, Scope.IN),
        (-0.004, Scope.BOUNDARY),
        (0, Scope.BOUNDARY),
        (0.005, Scope.BOUNDARY),
        (0.006, Scope.LATE),
        (100, Scope.LATE),
        (None, Scope.IN),
    ],
)
def test_scope_is_decided_by_the_creation_and_the_error_of_the_clock(created_s: float | None, scope: Scope) -> None:
    """Inside the error an order is required and marked; without a creation time it is required."""
    made = evidence(listing(0.1, order(1, created_s)), listing(2), page(2.1))
    assert [fate.scope for fate in made.fates] == [scope]
    assert made.clock_error_ms == 2 * ERROR_MS
    # Required means: it is missing, and nothing is confirmed or denied.
    assert (made.outcome() is None) is (scope is not Scope.LATE)
    assert (made.missing == []) is (scope is Scope.LATE)


@pytest.mark.failure(37)
def test_late_orders_are_reported_with_their_fate_and_never_required() -> None:
    """They stand in the fates, and in none of the lists of what is left to do."""
    made = evidence(*PROVEN, listing(3, order(7, 1), order(8, 2)), page(3.1, done(7, 3, created_s=1)))
    assert made.outcome() is Outcome.CONFIRMED
    assert [(fate.fate, fate.scope) for fate in made.fates] == [
        (Fate.CANCELLED, Scope.IN),
        (Fate.CANCELLED, Scope.LATE),
        (Fate.OPEN, Scope.LATE),
    ]
    assert (made.missing, made.open_ids, made.oldest) == ([], [], FIRST_ID + 1)
    assert made.cleared_ms is not None


@pytest.mark.failure(40)
def test_orders_of_other_lists_and_symbols_are_not_ours() -> None:
    """A tpsl order, another symbol; but a row that lost its symbol may be ours and is not missed."""
    rows = (edited(order(1), tpsl_type="tpsl"), edited(order(2), symbol="ETHUSDT"), edited(order(3), symbol=""))
    made = evidence(listing(2, *rows, symbol=None))
    assert [fate.order.order_id for fate in made.fates] == [str(FIRST_ID + 3)]
    made = evidence(listing(2, edited(order(1), order_id="none")))
    assert made.fates == ()


@pytest.mark.failure(35)
def test_amounts_come_from_the_final_row() -> None:
    """Filled while it was cancelled: the last row says how much."""
    final = edited(done(), base_volume=Decimal("0.3"))
    made = evidence(listing(0, order()), listing(2), page(2.1, final))
    (fate,) = made.fates
    assert fate.order.base_volume == Decimal("0.3")
    assert (fate.fate, fate.source, fate.server_ms) == (Fate.CANCELLED, "history-orders", ms(2.1))


@pytest.mark.failure(36)
def test_a_final_row_absorbs_whatever_comes_later() -> None:
    """A replica that lags shows it open again, a page tells another end: anomalies, and nothing changes."""
    made = evidence(*PROVEN)
    before = made.fates
    fed(made, listing(3, order()), page(3.1, done(status="filled")), page(3.2, done()), page(3.3, order()))
    assert made.fates == before
    assert made.outcome() is Outcome.CONFIRMED
    assert [text.split(" ", 2)[2] for text in made.anomalies] == [
        "was listed open after it was final",
        "was told both cancelled and filled",
    ]


@pytest.mark.parametrize(
    ("facts", "run"),
    [
        ((), False),
        ((listing(0.1),), False),
        ((listing(0.1, order()),), False),
        ((listing(0.1, order()), listing(0.2)), True),
        ((listing(0.1, order(1), order(2)), listing(0.2, order(2))), True),
        ((page(0.2, done()),), True),
        ((page(0.2, done(status="filled")),), False),
        ((listing(0.1, order()), page(0.2, done(status="filled")), listing(0.3)), False),
        ((listing(0.1, order(1), order(2)), page(0.2, done(1, status="filled")), listing(0.3)), True),
        ((page(0.2, done(ended_s=-5)),), False),
        ((listing(0.1, order(9, 1)), listing(0.2)), False),
        # Perhaps younger than the command: it may have ended by itself, as one that must fill at once does.
        ((page(0.2, done(created_s=0.004)),), False),
        ((page(0.2, done(created_s=-0.004)),), False),
        ((page(0.2, done(created_s=-0.005)),), True),
        ((page(0.2, done(created_s=None)),), False),
        ((listing(0.1, order(created_s=0.004)), listing(3)), False),
    ],
)
def test_that_the_sweep_has_run_is_shown_by_an_order_that_it_took(facts: Any, run: bool) -> None:
    """A clear listing alone does not tell: it may come yet, and take what is placed by then."""
    assert evidence(*facts).has_run is run


@pytest.mark.failure(36, 46)
def test_anomalies_are_noted_once_each() -> None:
    """A poll that goes on for a minute must not fill the report."""
    made = evidence(listing(0, order()))
    for at_s in range(3, 9):
        fed(made, listing(at_s, order(status="odd")), page(at_s, order(status="reject")))
        fed(made, page(at_s, edited(done(), unreadable=("size",))))
    assert len(made.anomalies) == len(set(made.anomalies)) == 3


def test_orders_are_counted_and_so_are_those_that_have_ended() -> None:
    """For whoever looks how far it is."""
    made = evidence(listing(0, order(1), order(2)))
    assert (made.size, made.ended) == (2, 0)
    fed(made, page(2.1, done(1)))
    assert (made.size, made.ended) == (2, 1)
    fed(made, page(2.2, done(2)))
    assert (made.size, made.ended) == (2, 2)


def test_a_final_row_that_lost_its_creation_time_is_noted() -> None:
    """Its scope is then "in", which is the careful side."""
    made = evidence(*PROVEN[:2], page(2.1, done(created_s=None)))
    assert made.outcome() is Outcome.CONFIRMED
    assert any("creation time" in text for text in made.anomalies)


def foreign(number: int) -> Order:
    """A finished order of another symbol."""
    return edited(done(number, ended_s=-5), symbol="ETHUSDT")


@pytest.mark.parametrize(
    ("page_", "read"),
    [
        (page(2), True),
        (page(2, done(ended_s=-5), last=False), True),
        (page(2, done(5, 1, created_s=0.5), last=False), True),
        (page(2, last=False), True),
        (page(2, done(), last=False), False),
        (page(2, symbol=None), True),
        (page(2, foreign(1), symbol=None, last=False), True),
        (page(2, foreign(2), symbol=None, last=False), False),
        (page(2, symbol=None, last=False), False),
        (page(2, edited(done(), order_id="x"), symbol=None, last=False), False),
        (page(2, foreign(0), done(2), symbol=None, last=False), False),
        (page(2, source="orderInfo"), False),
        (page(2, below=FIRST_ID + 99), False),
        (page(2, symbol=None, below=FIRST_ID + 99), False),
        (page(1.9), False),
    ],
)
def test_which_pages_count_as_the_history_of_the_symbol(page_: Page, read: bool) -> None:
    """Its own pages until nothing swept is shown; or one of the account that reaches down and brings nothing new."""
    made = evidence(listing(0, order()), listing(2), page_)
    assert made.history_read is read


def test_pages_are_followed_down_while_they_show_what_the_sweep_can_have_taken() -> None:
    """A full page of swept orders: more may lie below it. The moment of the first page counts."""
    made = evidence(listing(2), page(2.1, done(30), done(20), last=False))
    assert (made.history_read, made.history_below, made.outcome()) == (False, FIRST_ID + 20, None)
    # Another page than the next one proves nothing.
    fed(made, page(2.2, done(5, -5), below=FIRST_ID + 9, last=False))
    assert (made.history_read, made.history_below) == (False, FIRST_ID + 20)
    fed(made, page(2.3, done(19), done(10), below=FIRST_ID + 20, last=False))
    assert (made.history_read, made.history_below) == (False, FIRST_ID + 10)
    fed(made, page(2.4, done(9, -5), below=FIRST_ID + 10, last=False))
    assert (made.history_read, made.history_below, made.outcome()) == (True, None, Outcome.CONFIRMED)
    assert [fate.order.order_id for fate in made.fates] == [str(FIRST_ID + n) for n in (10, 19, 20, 30)]


@pytest.mark.failure(44)
def test_pages_of_a_hundred_are_followed_down_through_all_that_was_swept() -> None:
    """250 orders that no listing showed, older ones below: down to a page without any, and all 250 are reported."""
    newest_first = [done(number) for number in range(250, 0, -1)] + [done(-number, -60) for number in range(200)]
    made = evidence(listing(2))
    asked: list[int | None] = []
    while not made.history_read:
        below = made.history_below
        asked.append(below)
        rows = [row for row in newest_first if below is None or int(row.order_id) < below][:100]
        fed(made, page(2.1 + len(asked) / 10, *rows, below=below, last=False))
    assert asked == [None, FIRST_ID + 151, FIRST_ID + 51, FIRST_ID - 49]
    assert made.outcome() is Outcome.CONFIRMED
    assert [fate.order.order_id for fate in made.fates] == [str(FIRST_ID + number) for number in range(1, 251)]


def test_late_orders_alone_end_the_chain() -> None:
    """A full page of orders that were placed after the signing and are over: nothing below is newer, so it goes on."""
    late = tuple(done(number, 1.5, created_s=1) for number in range(300, 200, -1))
    made = evidence(listing(2), page(2.1, *late, last=False))
    assert made.history_read
    mixed = evidence(listing(2), page(2.1, *late, done(200), last=False))
    assert (mixed.history_read, mixed.history_below) == (False, FIRST_ID + 200)


@pytest.mark.parametrize(
    ("rows", "known", "read"),
    [
        ((done(9, 1.5, created_s=1), done(8, 1.5, created_s=1)), (), False),
        # Down to one from before the signing, to nothing, or in vain where it is known what is looked for.
        ((done(9, 1.5, created_s=1), done(8, -5)), (), True),
        ((), (), True),
        ((done(9, 1.5, created_s=1),), (order(3),), True),
    ],
)
def test_a_resumed_sweep_reads_down_through_what_is_newer_than_it(
    rows: tuple[Order, ...], known: tuple[Order, ...], read: bool
) -> None:
    """Without a snapshot: days after it a page of nothing but newer orders does not end its history."""
    made = Sweep("BTCUSDT", snapshot=False, bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    for each in known:
        made.placed(each)
    made.answered(Certainty.MAYBE, ns(0.05))
    fed(made, listing(2), page(2.1, *rows, last=False))
    assert made.history_read is read
    assert made.history_below == (None if read else FIRST_ID + 8)


@pytest.mark.failure(41, 44)
def test_what_lies_below_a_page_whose_rows_came_late_is_owed() -> None:
    """
    The history was empty when it was read. Later the page of the missing orders comes full of swept ones: those below
    it may have been swept too, before any listing reached them.
    """
    made = evidence(listing(0, order(30), order(20)), listing(2), page(2.1))
    assert made.history_read
    fed(made, page(9, done(30), done(20), below=FIRST_ID + 31, last=False))
    assert (made.missing, made.history_read, made.history_below) == ([], False, FIRST_ID + 20)
    assert made.outcome() is None
    # Not the page that is owed: a lower one, the last of all, a higher one, the top, or one that ignores its cursor.
    fed(made, page(9.05, done(5, -5), below=FIRST_ID + 10, last=False), page(9.06, below=FIRST_ID + 10))
    fed(made, page(9.1, done(40, -5), below=FIRST_ID + 50, last=False), page(9.2, done(45, -5), last=False))
    fed(made, page(9.3, done(30), done(20), below=FIRST_ID + 20, last=False))
    assert made.history_below == FIRST_ID + 20
    fed(made, page(9.4, done(19), done(10), below=FIRST_ID + 20, last=False))
    assert made.history_below == FIRST_ID + 10
    fed(made, page(9.5, done(9, -5), below=FIRST_ID + 10, last=False))
    assert made.history_read
    assert made.outcome() is Outcome.CONFIRMED
    assert [fate.order.order_id for fate in made.fates] == [str(FIRST_ID + n) for n in (10, 19, 20, 30)]
    # Another look further up brings nothing that was not read.
    assert fed(made, page(9.6, done(30), done(20), below=FIRST_ID + 31, last=False)).outcome() is Outcome.CONFIRMED


@pytest.mark.failure(41, 44)
@pytest.mark.parametrize(
    "page_",
    [
        page(9.1, below=FIRST_ID + 20),
        page(9.1, done(19), below=FIRST_ID + 20),
        page(9.1, done(19), below=FIRST_ID + 25),
        page(9.1, done(30), done(20), done(19)),
    ],
)
def test_the_last_page_ends_what_is_owed(page_: Page) -> None:
    """Nothing lies below it."""
    made = evidence(listing(0, order(30), order(20)), listing(2), page(2.1))
    fed(made, page(9, done(30), done(20), below=FIRST_ID + 31, last=False))
    assert fed(made, page_).outcome() is Outcome.CONFIRMED


def test_what_was_read_from_the_top_is_not_owed_again() -> None:
    """Pages of single missing orders that lie inside what was followed down already: nothing more to read."""
    made = evidence(listing(0, order(30), order(20)), listing(2), page(2.1, done(30), done(20), last=False))
    fed(made, page(2.2, done(5, -5), below=FIRST_ID + 20, last=False))
    assert made.outcome() is Outcome.CONFIRMED
    assert fed(made, page(2.3, done(30), done(20), below=FIRST_ID + 31, last=False)).history_read
    # A row that was not there then: it was read too early.
    assert not fed(made, page(2.4, done(25), done(20), below=FIRST_ID + 26, last=False)).history_read


@pytest.mark.failure(44)
def test_a_history_page_that_ignores_its_cursor_leads_nowhere() -> None:
    """The first page again: it is named, not counted, and the place to go on from stays."""
    made = evidence(listing(2), page(2.1, done(30), done(20), last=False))
    fed(made, page(2.2, done(30), done(20), below=FIRST_ID + 20, last=False))
    assert (made.history_read, made.history_below) == (False, FIRST_ID + 20)
    assert made.anomalies == ["a page of the history did not follow its cursor and was not counted"]


def test_a_new_first_page_begins_the_chain_anew() -> None:
    """Read again from the top: the place below the old pages is forgotten, and the new moment counts."""
    made = evidence(listing(2), page(2.1, done(30), done(20), last=False))
    fed(made, page(2.2, done(40), done(31), last=False))
    assert made.history_below == FIRST_ID + 31
    fed(made, page(2.3, done(19), below=FIRST_ID + 20))
    assert not made.history_read
    # Another listing shows an order: what was read before it is over no longer decides.
    fed(made, listing(2.4, order(50)), listing(2.5))
    assert made.history_below is None


def test_a_final_row_does_not_make_an_earlier_listing_a_clear_one() -> None:
    """Listed at 3.0, over at 3.2, told at 3.4: in whatever order the two answers come, nothing is clear yet."""
    shown, told = listing(3, order()), page(3.4, done(ended_s=3.2))
    one = evidence(listing(0, order()), shown, told)
    other = evidence(listing(0, order()), told, shown)
    assert one.outcome() is other.outcome() is None
    assert one.clear_since_ns is other.clear_since_ns is None
    assert one.anomalies == other.anomalies == []
    for made in (one, other):
        assert fed(made, listing(3.5), page(3.5)).outcome() is Outcome.CONFIRMED


@pytest.mark.failure(39)
def test_an_order_that_ended_before_the_signing_and_is_still_listed_keeps_its_row() -> None:
    """A listing 1.5 s behind shows it: then it is one of ours, and its final row counts, from before or after."""
    told, shown = page(2.0, done(ended_s=-0.5)), listing(1.0, order())
    for facts in ((told, shown), (shown, told)):
        made = evidence(*facts, listing(2.5))
        assert [(fate.fate, fate.source) for fate in made.fates] == [(Fate.CANCELLED, "history-orders")]
        assert made.missing == []
        assert fed(made, page(2.6)).outcome() is Outcome.CONFIRMED
    # Without such a listing it is none of ours.
    assert evidence(told, listing(2.5)).fates == ()


def test_a_chain_of_pages_that_began_before_the_deciding_listing_begins_anew() -> None:
    """Its first page may have been read before the last order reached the history."""
    made = evidence(page(1, done(30), last=False), listing(2))
    assert made.history_below is None
    fed(made, page(2.1, below=FIRST_ID + 30))
    assert not made.history_read


def test_a_page_of_the_account_needs_an_order_to_reach_down_to() -> None:
    """Without any order in scope nobody knows how far down is far enough."""
    made = evidence(listing(2), page(2, foreign(1), symbol=None, last=False))
    assert not made.history_read
    assert made.oldest is None


def test_cleared_is_the_first_complete_listing_after_the_answer_without_an_order_in_scope() -> None:
    """Not one before the answer, not an incomplete one, not one with an order; late ones may stand in it."""
    early = (listing(0.04), listing(0.2, order()), listing(0.3, whole=False))
    assert evidence(*early).cleared_ms is None
    made = evidence(*early, listing(0.5, order(9, 0.4)), listing(0.7))
    assert made.cleared_ms == ms(0.5)
    assert made.clear_ms == ms(0.5)


def test_cleared_is_found_when_the_answer_comes_after_the_listing() -> None:
    """The answer was lost: what counts is the moment when it was known that none will come."""
    made = evidence(listing(1), answered_s=None)
    assert made.cleared_ms is None
    made.answered(Certainty.MAYBE, ns(0.9))
    fed(made, page(1.1))
    assert made.cleared_ms == ms(1)


def test_the_deciding_listing_stands_for_cleared_where_no_early_one_was() -> None:
    """The report of a proven outcome always has the time of a clear listing."""
    made = evidence(listing(2), answered_s=None)
    assert (made.cleared_ms, made.clear_ms) == (None, ms(2))
    assert evidence().clear_ms is None


def test_a_later_listing_that_shows_an_order_takes_back_the_clear_one() -> None:
    """A replica that was behind, or the other way round: the newest word counts."""
    facts = [listing(0, order()), listing(2)]
    since: list[int | None] = []
    for fact in (listing(3, order()), listing(2.5), listing(3.5)):
        since.append(evidence(*facts).clear_since_ns)
        facts.append(fact)
    made = evidence(*facts)
    assert since == [ns(2), None, None]
    assert made.clear_since_ns == ns(3.5)
    assert made.missing == [FIRST_ID + 1]
    assert evidence(*facts[:3]).open_ids == [str(FIRST_ID + 1)]


@pytest.mark.failure(8, 9)
@pytest.mark.parametrize(
    ("ahead_ms", "horizon_s"), [(0, HORIZON_S), (1_000, HORIZON_S + 1), (29_000, HORIZON_S + 29), (3_600_000, 72)]
)
def test_horizon_is_later_when_our_timestamp_was_ahead(ahead_ms: int, horizon_s: float) -> None:
    """A timestamp from the future is accepted for that much longer; more than 30 s ahead it is refused."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS + ahead_ms)
    assert made.horizon_ns == ns(horizon_s)
    made.answered(Certainty.MAYBE, ns(10))
    fed(made, listing(horizon_s - 0.001, order()))
    assert made.outcome() is None
    fed(made, listing(horizon_s, order()))
    assert made.outcome() is Outcome.STILL_OPEN


def test_assumptions_move_the_deciding_moment_and_the_horizon() -> None:
    """They are parameters, not constants."""
    made = Sweep("BTCUSDT", bounds_ms=bounds, assumptions=Assumptions(staleness_s=5, execution_grace_s=0))
    made.signed(SIGNED_NS, T_MS)
    assert made.deciding_ns == ns(5)
    assert made.horizon_ns == ns(35.005)


def test_signing_again_moves_everything() -> None:
    """The first copy was proven not executed: only the last stamp counts."""
    made = evidence(listing(2), page(2))
    made.signed(ns(5), ms(5))
    assert made.outcome() is None
    assert made.deciding_ns == ns(7)


@pytest.mark.failure(39)
@pytest.mark.parametrize("number", [None, 7])
def test_orders_known_from_elsewhere_are_in_scope(number: int | None) -> None:
    """Placed by this client and hidden from a lagging listing: without its final row nothing is confirmed."""
    made = evidence()
    made.placed(Order(order_id="" if number is None else str(FIRST_ID + number), symbol="BTCUSDT"))
    fed(made, listing(2), page(2))
    if number is None:
        assert made.outcome() is Outcome.NOTHING_TO_CANCEL
        return
    assert made.outcome() is None
    assert made.missing == [FIRST_ID + number]
    assert [(fate.fate, fate.source) for fate in made.fates] == [(Fate.VANISHED, "client")]
    assert made.saw_page(page(2.1, done(number)))
    assert made.outcome() is Outcome.CONFIRMED


def test_a_placed_order_is_news_when_it_is_first_listed_and_known_afterwards() -> None:
    """Placing it again over what is known changes nothing."""
    made = evidence()
    made.placed(Order(order_id=str(FIRST_ID + 1), symbol="BTCUSDT"))
    assert [fate.fate for fate in made.saw_listing(listing(0.1, order()))] == [Fate.OPEN]
    assert made.saw_listing(listing(0.2, order())) == []
    made.placed(Order(order_id=str(FIRST_ID + 1), symbol="BTCUSDT"))
    assert [fate.source for fate in made.fates] == ["unfilled-orders"]


def test_news_are_told_once() -> None:
    """What `changes()` yields: each order when it becomes known and when it becomes final."""
    made = evidence()
    assert [fate.fate for fate in made.saw_listing(listing(0.1, order(1), order(2)))] == [Fate.OPEN, Fate.OPEN]
    assert [fate.fate for fate in made.saw_page(page(1, done(1, status="filled"), done(3)))] == [
        Fate.FILLED,
        Fate.CANCELLED,
    ]
    assert made.saw_page(page(1.1, done(1, status="filled"))) == []
    assert made.saw_listing(listing(2, whole=False)) == []


@pytest.mark.failure(36)
def test_an_older_listing_that_arrives_later_changes_nothing() -> None:
    """Reads overlap on purpose: the moment of the request counts, not that of the arrival."""
    made = evidence(listing(1, order(status="partially_filled")), listing(0.5, order()))
    (fate,) = made.fates
    assert fate.order.status is OrderStatus.PARTIALLY_FILLED
    assert fate.server_ms == ms(1)


def test_rechecking_keeps_the_orders_and_forgets_the_readings() -> None:
    """Final stays final; every listing and page has to be read anew."""
    made = evidence(listing(0, order(1), order(2)), listing(2), page(2.1, done(1)))
    made.odd("something")
    fresh = made.again()
    assert (fresh.outcome(), fresh.last_listing_ns, fresh.cleared_ms) == (None, -1, None)
    assert (fresh.signed_ns, fresh.signed_ms, fresh.certainty) == (SIGNED_NS, T_MS, Certainty.ACKED)
    assert fresh.anomalies == ["something"]
    assert [fate.fate for fate in fresh.fates] == [Fate.CANCELLED, Fate.VANISHED]
    fed(fresh, listing(70), page(70, done(2)))
    assert fresh.outcome() is Outcome.CONFIRMED
    assert made.outcome() is None


@pytest.mark.failure(41, 42, 45)
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((), "unreadable"),
        ((page(50, done()),), "unreadable"),
        ((listing(1, whole=False),), "unreadable"),
        ((listing(-1, order()),), "unreadable"),
        ((listing(0, order()), listing(2), page(2)), "vanished"),
        ((listing(0, order(1), order(2)), listing(2, order(2))), "deadline"),
        ((listing(2, order()),), "deadline"),
        ((listing(2),), "deadline"),
        ((listing(1, order(1), order(2, 1)), listing(2, order(1))), "deadline"),
        ((listing(1, order(1)), listing(2, order(2, 1))), "vanished"),
        ((listing(0, order(1)),), "deadline"),
    ],
)
def test_why_it_is_unknown(facts: Any, reason: str) -> None:
    """Nothing could be read since the signing; or orders are gone without a final row; or time ran out."""
    assert evidence(*facts).why_unknown() == reason


# -- ids and pages ------------------------------------------------------------------------------------------------


@pytest.mark.failure(44)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1308742897634820105", 1_308_742_897_634_820_105),
        ("0", 0),
        ("007", 7),
        ("9" * 40, int("9" * 40)),
        ("9" * 41, None),
        ("", None),
        ("-1", None),
        ("1.0", None),
        ("12a", None),
        (" 12", None),
        ("１２", None),
        ("²", None),
    ],
)
def test_ids_compare_as_integers(text: str, number: int | None) -> None:
    """Digits only, of a length that costs nothing."""
    assert id_number(text) == number


def numbered(*numbers: int) -> tuple[Order, ...]:
    """Rows with those ids."""
    return tuple(Order(order_id=str(number), symbol="BTCUSDT") for number in numbers)


def pages_of(count: int) -> list[tuple[Order, ...]]:
    """A listing of so many rows as it is read: newest first, 100 a page, until a page is short."""
    ids = list(range(count, 0, -1))
    return [numbered(*ids[start : start + 100]) for start in range(0, count + 1, 100)]


@pytest.mark.failure(44)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250, 1_000])
def test_a_listing_is_complete_when_its_last_page_is_short(count: int) -> None:
    """A full last page leaves open what lies below it."""
    pages = pages_of(count)
    assert complete(pages, 100)
    for read in range(1, len(pages)):
        assert not complete(pages[:read], 100)


FULL = tuple(range(300, 200, -1))


@pytest.mark.failure(44)
@pytest.mark.parametrize(
    "pages",
    [
        [numbered(*FULL), numbered(*FULL), numbered()],
        [numbered(*FULL), numbered(*FULL)],
        [numbered(*FULL), numbered(201)],
        [numbered(*FULL), numbered(250, 199)],
        [numbered(*FULL), numbered(500)],
        [numbered(3, 2), numbered(1)],
        [numbered(*FULL), numbered(1), numbered()],
        [(Order(order_id="x", symbol="BTCUSDT"),)],
        [numbered(*FULL), (*numbered(200), Order(symbol="BTCUSDT"))],
    ],
    ids=[
        "repeated",
        "cursor ignored",
        "overlap",
        "one above",
        "above",
        "short first",
        "behind a short one",
        "id",
        "no id",
    ],
)
def test_a_listing_is_incomplete_when_a_page_does_not_follow(pages: list[tuple[Order, ...]]) -> None:
    """A repeated page, an ignored cursor, an unreadable id: then nobody knows what was left out."""
    assert not complete(pages, 100)


@pytest.mark.failure(36, 44)
def test_row_order_inside_a_page_and_duplicates_do_not_matter() -> None:
    """The exchange does not promise an order; ids of other lengths compare as numbers, not as texts."""
    rng = random.Random(5)
    pages = [tuple(rng.sample(page_, len(page_))) for page_ in pages_of(250)]
    assert complete(pages, 100)
    assert complete([numbered(9, 10, 9, 10)], 100)
    # As texts "99" > "100", and this page would seem to repeat.
    assert complete([numbered(*range(199, 99, -1)), numbered(99, 9)], 100)


# -- any order ----------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Listing | Page], Outcome]:
    """Facts told by an exchange that lags but does not lie, the last of them after everything has ended."""
    orders = []
    for number in range(draw(st.integers(0, 5))):
        created_s = draw(st.sampled_from([-1e6, -60, -1, -0.1, 0.5, 3]))
        ended_s = max(created_s, 0) + draw(st.sampled_from([0.01, 0.2, 1, 2.5, 5]))
        if created_s <= -1:
            ended_s = draw(st.sampled_from([ended_s, ended_s, -0.5]))
        orders.append((number, created_s, ended_s, draw(st.sampled_from(["cancelled", "filled"]))))
    facts: list[Listing | Page] = []
    for _ in range(draw(st.integers(0, 8))):
        at_s = draw(st.integers(0, 70)) / 10
        seen_s = at_s - draw(st.sampled_from([0, 0.3, 1.9]))
        if draw(st.booleans()):
            shown = [order(n, born) for n, born, end, _ in orders if born <= seen_s < end]
            facts.append(listing(at_s, *shown, whole=draw(st.booleans()) or bool(shown)))
        else:
            ended = [done(n, end, status, born) for n, born, end, status in orders if end <= seen_s]
            facts.append(page(at_s, *ended, source=draw(st.sampled_from(["history-orders", "orderInfo"]))))
    finals = [done(n, end, status, born) for n, born, end, status in orders]
    facts += [listing(20), page(20.1, *finals)]
    # What had ended before the signing is ours only if a listing that lags showed it.
    seen = {row.order_id for fact in facts if isinstance(fact, Listing) and fact.complete for row in fact.rows}
    mine = any(born < 0 and (end > 0 or order(n).order_id in seen) for n, born, end, _ in orders)
    return facts, Outcome.CONFIRMED if mine else Outcome.NOTHING_TO_CANCEL


@pytest.mark.failure(36)
@settings(max_examples=400, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_the_outcome(
    history: tuple[list[Listing | Page], Outcome], rng: random.Random
) -> None:
    """The same facts in any order, each perhaps twice: the same outcome and the same fate of every order."""
    facts, outcome = history
    first = evidence(*facts)
    again = evidence(*rng.sample(facts, len(facts)), *rng.sample(facts, len(facts) // 2))
    assert first.outcome() is again.outcome() is outcome
    told = [(fate.order.order_id, fate.fate, fate.scope) for fate in first.fates]
    assert [(fate.order.order_id, fate.fate, fate.scope) for fate in again.fates] == told


@pytest.mark.failure(45)
@settings(max_examples=300, deadline=None)
@given(histories(), st.data())
def test_leaving_facts_out_can_delay_but_never_create_an_outcome(
    history: tuple[list[Listing | Page], Outcome], data: st.DataObject
) -> None:
    """A failed read is a fact that is missing: with fewer facts there is the same outcome or none."""
    facts, outcome = history
    kept = [fact for fact in facts if data.draw(st.booleans())]
    found = evidence(*kept).outcome()
    if found is Outcome.NOTHING_TO_CANCEL:
        # A history that was not read cannot tell of orders that no listing showed.
        assert any(isinstance(fact, Page) for fact in kept)
        return
    assert found in (None, outcome)


def test_a_page_of_the_account_may_hold_orders_of_others() -> None:
    """Younger ones, and of another symbol: it reaches down past ours all the same."""
    made = evidence(listing(0, order()), listing(2, symbol=None))
    other = edited(done(5), symbol="ETHUSDT")
    assert fed(made, page(2.1, other, done(), symbol=None, last=False)).outcome() is Outcome.CONFIRMED


def test_a_listing_of_the_moment_of_the_proof_may_show_the_order_rightly() -> None:
    """Requested together with the history that shows it final: no anomaly, and no clear listing either."""
    made = evidence(listing(0, order()), page(2, done()), listing(2, order()))
    assert made.anomalies == []
    assert made.clear_since_ns is None


def test_of_two_listings_of_one_moment_the_last_one_counts() -> None:
    """The pages came in that order."""
    made = evidence(listing(1, order()), listing(1, order(status="partially_filled")))
    assert made.fates[0].order.status is OrderStatus.PARTIALLY_FILLED


def test_a_new_first_page_counts_from_its_own_moment() -> None:
    """The chain of before went on below; what is read from the top now is read now."""
    made = evidence(listing(2), page(2, done(9), last=False))
    assert made.paged_ns == -1
    assert made.history_below == FIRST_ID + 9
    assert fed(made, page(3, done(9))).paged_ns == ns(3)


def test_what_was_read_to_the_bottom_is_not_owed_again() -> None:
    """A page in the middle of what a whole chain has read, with rows that it showed: nothing is missing below it."""
    made = evidence(listing(2), page(2, done(5), done(1)))
    assert made.outcome() is Outcome.CONFIRMED
    assert fed(made, page(2.1, done(5), below=FIRST_ID + 6, last=False)).outcome() is Outcome.CONFIRMED


def test_missing_and_oldest_go_by_number_and_leave_out_what_is_late_or_shown() -> None:
    """Whatever order the rows came in: the next page begins below the newest that is missing."""
    made = evidence(listing(0, order(3), order(2), order(1, created_s=5)), listing(1, order(3)))
    assert (made.missing, made.oldest) == ([FIRST_ID + 2], FIRST_ID + 2)
    assert fed(made, listing(2)).missing == [FIRST_ID + 2, FIRST_ID + 3]


@pytest.mark.parametrize(("created_s", "run"), [(-0.5, False), (-1.0, True), (-1.001, True)])
def test_a_listing_too_old_for_an_order_does_not_show_that_it_is_gone(created_s: float, run: bool) -> None:
    """Requested a second after the signing and up to 2 s old: it shows what there was a second before the signing."""
    assert evidence(listing(0, order(created_s=created_s)), listing(1)).has_run is run


@pytest.mark.parametrize(
    ("at_s", "answered_s", "known"),
    [(None, 0.5, False), (None, None, False), (0.2, None, True), (0.2, 0.5, True), (0.5, 0.5, True), (0.6, 0.5, False)],
)
def test_a_snapshot_is_a_listing_from_before_the_answer(
    at_s: float | None, answered_s: float | None, known: bool
) -> None:
    """Later ones can have missed what the command took."""
    made = evidence(*([] if at_s is None else [listing(at_s)]), answered_s=answered_s)
    assert made.snapshot_known is known
    assert made.blind is False


@pytest.mark.parametrize(("told", "known", "blind"), [(True, True, False), (False, False, True)])
def test_what_is_told_of_a_snapshot_counts_whatever_is_listed_since(told: bool, known: bool, blind: bool) -> None:
    """A resumed sweep cannot have listings from before its answer: it has to be told."""
    made = Sweep("BTCUSDT", snapshot=told, bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    fed(made, listing(0.1))
    made.answered(Certainty.ACKED, ns(0.5))
    assert (made.snapshot_known, made.blind) == (known, blind)


def test_no_page_is_no_listing_and_the_answer_is_yes_or_no() -> None:
    """Nothing read is not "nothing open"."""
    assert complete([], 2) is False
    assert complete([(order(1),)], 2) is True
    assert complete([(order(1),), (order(2),)], 2) is False
    assert complete([(order(2), edited(order(1), order_id="?"))], 3) is False


def test_open_is_what_the_last_listing_showed() -> None:
    """Neither what an earlier one showed, nor what only this client knows of, nor what is final."""
    made = evidence()
    made.placed(order(1))
    assert made.open_ids == []
    fed(made, listing(0, order(3), order(2)), listing(1, order(4), order(3)))
    assert made.open_ids == [str(FIRST_ID + 3), str(FIRST_ID + 4)]
    assert fed(made, page(1, done(4))).open_ids == [str(FIRST_ID + 3)]
    assert evidence(listing(0, order(2), order(1))).open_ids == [str(FIRST_ID + 1), str(FIRST_ID + 2)]


def test_what_is_owed_is_where_the_next_page_begins() -> None:
    """The history was read at the moment of the clear listing, and a page further down was late."""
    made = evidence(listing(2), page(2, done(9)), page(2.1, done(5), below=FIRST_ID + 6, last=False))
    assert made.history_below == FIRST_ID + 5
    assert made.outcome() is None


@pytest.mark.parametrize(("at_s", "known"), [(0.01, True), (1, False)])
def test_another_round_knows_the_snapshot_that_the_first_one_had(at_s: float, known: bool) -> None:
    """Its listings go, and what they said of the time before the answer stays."""
    assert evidence(listing(at_s, order())).again().snapshot_known is known
