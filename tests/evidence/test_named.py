"""Named: what is proven of an order that a command names, rule by rule, and everything that must not prove it."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bitget_async import Fate, Order, PlacementOutcome
from bitget_async.evidence import (
    Assumptions,
    Book,
    Certainty,
    Command,
    Listing,
    Named,
    Page,
    Row,
    Target,
    Verdict,
    Want,
)
from bitget_async.evidence.target import has_values
from bitget_async.models import OrderFailure, TriggerOrder, TriggerStatus
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

BTC = "BTCUSDT"
ID = str(FIRST_ID + 1)
NEW = FIRST_ID + 50
ANSWERED_S = 0.05
# Accepted for 30 s, acts for 10 s more, and a listing is 2 s old at most; the clock is known to 5 ms.
HORIZON_S = 30 + 10 + 2 + ERROR_MS / 1_000
# After a claim it can begin nothing any more: 10 s and 2 s from the answer.
FINISHED_S = ANSWERED_S + 10 + 2
DECIDING_S = 2.0


def signed(certainty: Certainty = Certainty.ACKED, answered_s: float | None = ANSWERED_S, **fields: Any) -> Command:
    """A command that was signed at zero and answered then."""
    command = Command(**{"bounds_ms": bounds, **fields})
    command.signed(SIGNED_NS, T_MS)
    if answered_s is not None:
        command.answered(certainty, ns(answered_s))
    return command


def target(want: Want, command: Command | None = None, **fields: Any) -> Target:
    """An order of BTCUSDT that a command names; what the answer says of it is what it says of the command."""
    command = command or signed()
    fields.setdefault("certainty", command.certainty)
    return Target(command=command, symbol=fields.pop("symbol", BTC), want=want, **fields)


def fed(made: Named, *facts: Listing | Page) -> Named:
    """The same with these facts, in that order."""
    for fact in facts:
        if isinstance(fact, Listing):
            made.saw_listing(fact)
        else:
            made.saw_page(fact)
    return made


def judged(one: Target, *facts: Listing | Page, book: Book = Book.NORMAL) -> Verdict | None:
    """What those facts prove of that order."""
    fed(Named((one,), book), *facts)
    return one.verdict(book)


def asked(at_s: float, *rows: Row, of: str = ID) -> Page:
    """The answer of orderInfo for one order."""
    return Page("orderInfo", BTC, ns(at_s), ms(at_s), rows, asked=of)


# -- an order that is to end -------------------------------------------------------------------------------------

FINALS: list[tuple[str, tuple[Any, ...], Verdict | None]] = [
    ("a final row of the history", (page(1, done()),), Verdict.DONE),
    ("of orderInfo", (asked(1, done()),), Verdict.DONE),
    ("filled is final too", (page(1, done(status="filled")),), Verdict.DONE),
    ("the other spelling", (page(1, done(status="canceled")),), Verdict.DONE),
    ("a row that was read before the answer", (page(0.01, done()),), Verdict.DONE),
    ("one that ended long before the signing", (page(1, done(ended_s=-5)),), Verdict.DONE),
    ("final, then shown open by a replica that lags", (page(1, done()), listing(3, order())), Verdict.DONE),
    ("open after the horizon", (listing(HORIZON_S, order()),), Verdict.NOT_DONE),
    (
        "open after the horizon, and gone in a newer listing that came before that one",
        (listing(HORIZON_S + 1), listing(HORIZON_S, order())),
        None,
    ),
    ("told open by orderInfo after the horizon", (asked(HORIZON_S, order()),), Verdict.NOT_DONE),
    ("part-filled after the horizon", (listing(HORIZON_S, order(status="partially_filled")),), Verdict.NOT_DONE),
    # Nothing below proves anything.
    ("nothing read", (), None),
    ("open a moment before the horizon", (listing(HORIZON_S - 0.001, order()),), None),
    ("not listed, for ever", (listing(0.1, order()), listing(90)), None),
    ("not known to orderInfo, for ever", (asked(90),), None),
    ("no row in a whole history", (page(90),), None),
    ("all three of them", (listing(90), asked(90), page(90)), None),
    ("a listing with a page missing", (listing(HORIZON_S, order(), whole=False),), None),
    ("another order's final row", (page(1, done(2)),), None),
    ("a status that we do not know", (page(90, edited(done(), status=type(done().status)("zz"))),), None),
    ("a final row with unreadable fields", (page(1, edited(done(), unreadable=("size",))),), None),
    ("a row without a readable id", (page(1, edited(done(), order_id="?")),), None),
]


@pytest.mark.parametrize("certainty", [Certainty.ACKED, Certainty.MAYBE])
@pytest.mark.parametrize(("facts", "verdict"), [case[1:] for case in FINALS], ids=[case[0] for case in FINALS])
def test_what_proves_that_an_order_ended_or_did_not(facts: Any, verdict: Verdict | None, certainty: Certainty) -> None:
    """By its id; the answer, a receipt or none, changes nothing of it."""
    assert judged(target(Want.FINAL, signed(certainty), order_id=ID), *facts) is verdict


def test_nothing_is_proven_before_the_answer() -> None:
    """A command that is on its way may still do anything; what was read by then counts once it has come."""
    command = signed(answered_s=None)
    one = target(Want.FINAL, command, order_id=ID)
    made = fed(Named((one,)), page(1, done()))
    assert one.verdict(Book.NORMAL) is None
    assert (made.settled, made.answered_ns, made.certainty) == (False, None, Certainty.PENDING)
    command.answered(Certainty.ACKED, ns(1.5))
    assert one.verdict(Book.NORMAL) is Verdict.DONE
    assert (made.settled, made.answered_ns, made.certainty) == (True, ns(1.5), Certainty.ACKED)


@pytest.mark.parametrize(
    ("certainty", "heard", "item", "over_s"),
    [
        (Certainty.ACKED, True, Certainty.ACKED, HORIZON_S),
        (Certainty.MAYBE, False, Certainty.MAYBE, HORIZON_S),
        # The exchange has spoken: it cannot accept it any more, but may still be at it.
        (Certainty.MAYBE, True, Certainty.MAYBE, FINISHED_S),
        (Certainty.MAYBE, True, Certainty.ACKED, HORIZON_S),
        # Refused with a code that proves it: a listing must only be new enough to show the order.
        (Certainty.REFUSED, True, Certainty.REFUSED, DECIDING_S),
        (Certainty.MAYBE, True, Certainty.REFUSED, DECIDING_S),
    ],
)
def test_from_when_on_an_open_row_shows_that_the_cancel_did_nothing(
    certainty: Certainty, heard: bool, item: Certainty, over_s: float
) -> None:
    """An answer shortens the wait, a refusal more; of an item that was taken, nothing does."""
    for at_s, verdict in ((over_s - 0.001, None), (over_s, Verdict.NOT_DONE)):
        command = signed(certainty, heard=heard)
        assert judged(target(Want.FINAL, command, order_id=ID, certainty=item), listing(at_s, order())) is verdict


@pytest.mark.failure(44)
def test_ids_are_compared_as_integers() -> None:
    """The caller's leading zeros do not hide the row."""
    assert judged(target(Want.FINAL, order_id="00" + ID), page(1, done())) is Verdict.DONE


OIDS: list[tuple[str, tuple[Any, ...], Verdict | None, str | None]] = [
    ("open at the signing, then final", (listing(0.1, order(oid="a")), page(1, done())), Verdict.DONE, ID),
    ("final after the signing", (page(1, done(oid="a")),), Verdict.DONE, ID),
    ("ended within the error of the clock", (page(1, done(ended_s=-0.005, oid="a")),), Verdict.DONE, ID),
    ("created within the error of the clock", (page(1, done(created_s=0.005, oid="a")),), Verdict.DONE, ID),
    ("without a creation time", (page(1, done(created_s=None, oid="a")),), Verdict.DONE, ID),
    ("without a symbol", (page(1, edited(done(oid="a"), symbol="")),), Verdict.DONE, ID),
    ("open after the horizon", (listing(HORIZON_S, order(oid="a")),), Verdict.NOT_DONE, ID),
    # Of another order that had, or got, the same client id.
    ("ended before the signing", (page(1, done(ended_s=-0.006, oid="a"), last=False),), None, None),
    ("without the time of its end", (page(1, edited(done(oid="a"), updated_ms=None), last=False),), None, None),
    ("created after the signing", (page(1, done(created_s=0.006, ended_s=0.5, oid="a")),), None, None),
    ("created after the signing and open", (listing(HORIZON_S, order(created_s=1, oid="a")),), None, None),
    ("of another symbol", (page(1, edited(done(oid="a"), symbol="ETHUSDT"), symbol=None),), None, None),
    ("of another client id", (page(1, done(oid="b")),), None, None),
    ("without a readable id", (page(1, edited(done(oid="a"), order_id="")),), None, None),
]


@pytest.mark.parametrize(("facts", "verdict", "found"), [case[1:] for case in OIDS], ids=[case[0] for case in OIDS])
def test_a_row_with_the_client_id_is_ours_only_if_its_times_fit(
    facts: Any, verdict: Verdict | None, found: str | None
) -> None:
    """Client ids are unique among pending orders only: another order may have had it, or may have it now."""
    one = target(Want.FINAL, client_oid="a")
    assert judged(one, *facts) is verdict
    assert one.order_id == found


def earlier(number: int = 1, ended_s: float = -5.0, **more: Any) -> Order:
    """An order of the same client id that ended before the signing."""
    return edited(done(number, ended_s, oid="a"), **more)


# All that could show another order with that client id, requested when a listing is new enough.
RECYCLED = (listing(2), page(2.1, earlier()), asked(2.2, earlier(), of="a"))


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (RECYCLED, Verdict.DONE),
        (RECYCLED[::-1], Verdict.DONE),
        (RECYCLED[:2], None),
        (RECYCLED[1:], None),
        ((listing(1.999), *RECYCLED[1:]), None),
        ((listing(2, order(2, oid="a")), *RECYCLED[1:]), None),
        ((listing(2), page(1.9, earlier()), RECYCLED[2]), None),
        # A page of before it was known that such an order is to be looked for need not reach down to it.
        ((page(2.1, done(9, created_s=-1), last=False), asked(2.2, earlier(), of="a"), listing(2)), None),
        ((asked(2.2, earlier(), of="a"), page(2.3, done(9, created_s=-1), last=False), listing(2)), None),
        ((asked(2.2, earlier(), of="a"), page(2.3, done(0, created_s=-20), last=False), listing(2)), Verdict.DONE),
        # Another one of that name that was placed after the signing hides what was there before.
        ((*RECYCLED[:2], asked(2.2, order(9, created_s=1, oid="a"), of="a")), None),
        # Rows of which it cannot be said that they are not ours.
        ((*RECYCLED, listing(3, edited(order(2, oid="a"), status=type(order().status)("zz")))), None),
        ((*RECYCLED[:2], asked(2.2, earlier(unreadable=("size",)), of="a")), None),
        ((page(2.1, earlier(created_ms=None, updated_ms=None)), listing(2), asked(2.2, of="a")), None),
    ],
)
def test_a_client_id_whose_order_ended_before_the_signing(facts: Any, verdict: Verdict | None) -> None:
    """Its end is the answer, once listing, orderInfo and the history down to it show no other order of that name."""
    one = target(Want.FINAL, client_oid="a")
    made = Named((one,))
    if verdict is None and facts[: len(RECYCLED)] == RECYCLED:
        # Proven by then, and what is shown later is odd, not a proof.
        fed(made, *facts)
        assert one.verdict(Book.NORMAL) is Verdict.DONE
        return
    fed(made, *facts)
    assert one.verdict(Book.NORMAL) is verdict
    if verdict is Verdict.DONE:
        assert (one.order_id, one.final, made.fate(one).fate) == (ID, True, Fate.CANCELLED)


def test_of_several_orders_of_before_the_newest_is_named() -> None:
    """The one that the caller can have meant, in whatever order they are shown."""
    rows = (earlier(3), earlier(7), earlier(5))
    one = target(Want.FINAL, client_oid="a")
    made = fed(Named((one,)), listing(2), page(2.1, *rows), page(2.2, *rows[::-1]))
    assert made.next_over_ns(ns(1)) == ns(DECIDING_S)
    changed = made.saw_page(asked(2.3, of="a"))
    assert changed == [one]
    assert one.order_id == str(FIRST_ID + 7)


def test_trigger_orders_of_before_need_no_order_info() -> None:
    """It does not know them: the listing and the history are all there is."""
    one = target(Want.FINAL, client_oid="a")
    row = TriggerOrder(
        order_id=ID, client_oid="a", symbol=BTC, status=TriggerStatus.EXECUTED, created_ms=ms(-9), updated_ms=ms(-5)
    )
    book = Book.PLAN
    made = Named((one,), book)
    made.saw_page(Page("history-plan-order", BTC, ns(2), ms(2), (row,), last=True, book=book))
    assert one.verdict(book) is None
    made.saw_listing(Listing(BTC, ns(2), ms(2), (), True, book))
    assert one.verdict(book) is Verdict.DONE
    fate = made.fate(one)
    assert (fate.fate, fate.trigger, fate.source) == (Fate.TRIGGERED, row, "history-plan-order")


@pytest.mark.parametrize(
    ("facts", "fate"),
    [
        ((), Fate.VANISHED),
        ((listing(1, order()),), Fate.OPEN),
        ((asked(1, order()),), Fate.OPEN),
        ((listing(1, order()), listing(2)), Fate.VANISHED),
        ((listing(1), listing(2, order())), Fate.OPEN),
        ((listing(1, order()), page(2, done())), Fate.CANCELLED),
        ((page(2, done(status="filled")),), Fate.FILLED),
    ],
)
def test_what_is_shown_of_an_order_that_is_to_end(facts: Any, fate: Fate) -> None:
    """What the newest read says, as long as nothing final is known."""
    one = target(Want.FINAL, order_id=ID)
    made = fed(Named((one,)), *facts)
    shown = made.fate(one)
    assert shown.fate is fate
    assert shown.order.order_id == ID
    assert shown.source == ("client" if not facts or one.row is None else shown.source)


def test_what_is_shown_of_an_order_whose_id_nobody_knows() -> None:
    """Its client id, and no id made up."""
    one = target(Want.FINAL, client_oid="a")
    shown = Named((one,)).fate(one).order
    assert (shown.order_id, shown.client_oid, shown.symbol) == ("", "a", BTC)
    assert not one.own_oid


# -- an order that is to exist -----------------------------------------------------------------------------------


def fresh(number: int = 50, status: str = "live", **more: Any) -> Order:
    """A row of the new order."""
    return edited(order(number, 0.1, status, 0.2, oid="a"), **more)


UNSEEN = (listing(HORIZON_S), page(HORIZON_S), asked(HORIZON_S, of="a"))
STRANGE = type(order().status)("zz")

PLACED: list[tuple[str, tuple[Any, ...], Verdict | None]] = [
    ("listed", (listing(0.5, fresh()),), Verdict.DONE),
    ("told by orderInfo", (asked(0.5, fresh(), of="a"),), Verdict.DONE),
    ("filled at once", (page(0.5, fresh(status="filled")),), Verdict.DONE),
    ("cancelled already", (page(0.5, fresh(status="cancelled")),), Verdict.DONE),
    ("created within the error of the clock", (listing(0.5, fresh(created_ms=ms(-0.005))),), Verdict.DONE),
    ("seen after all reads together had not shown it", (*UNSEEN, listing(90, fresh())), Verdict.DONE),
    ("nowhere, by all three, when it can appear no more", UNSEEN, Verdict.NOT_DONE),
    ("other orders, and an open one of that name from before", (
        listing(HORIZON_S, order(oid="a"), order(2)), page(HORIZON_S, done(3)), asked(HORIZON_S, order(oid="a"), of="a")
    ), Verdict.NOT_DONE),
    ("an order of that name that ended before, in the history", (
        UNSEEN[0], page(HORIZON_S, earlier()), UNSEEN[2]
    ), Verdict.NOT_DONE),
    # Nothing below proves anything.
    ("nothing read", (), None),
    ("no orderInfo", UNSEEN[:2], None),
    ("no listing", UNSEEN[1:], None),
    ("no history", (UNSEEN[0], UNSEEN[2]), None),
    ("a listing too early", (listing(HORIZON_S - 0.001), *UNSEEN[1:]), None),
    ("a history too early", (UNSEEN[0], page(HORIZON_S - 0.001), UNSEEN[2]), None),
    ("orderInfo too early", (*UNSEEN[:2], asked(HORIZON_S - 0.001, of="a")), None),
    ("a listing with a page missing", (listing(HORIZON_S, whole=False), *UNSEEN[1:]), None),
    ("a history that does not reach down to the signing", (
        UNSEEN[0], page(HORIZON_S, done(80, created_s=5, ended_s=6, oid="z"), last=False), UNSEEN[2]
    ), None),
    ("only a lower page of it", (UNSEEN[0], page(HORIZON_S, below=NEW), UNSEEN[2]), None),
    ("orderInfo of another order", (*UNSEEN[:2], asked(HORIZON_S, of="b")), None),
    ("a history of another symbol", (UNSEEN[0], page(HORIZON_S, symbol="ETHUSDT"), UNSEEN[2]), None),
    ("reads of another symbol", (
        listing(HORIZON_S, symbol="ETHUSDT"), page(HORIZON_S, symbol="ETHUSDT"), UNSEEN[2]
    ), None),
    ("created before the signing", (listing(0.5, fresh(created_ms=ms(-0.006))),), None),
    ("without a creation time", (listing(0.5, fresh(created_ms=None)),), None),
    ("of another symbol", (listing(0.5, fresh(symbol="ETHUSDT"), symbol=None),), None),
    ("of another client id", (listing(0.5, fresh(client_oid="b")),), None),
    ("without a readable id", (page(0.5, fresh(order_id="")),), None),
    # Rows that may be its own, and do not tell what it is: it is not absent either.
    ("listed with a status that we do not know", (listing(HORIZON_S, fresh(status=STRANGE)), *UNSEEN[1:]), None),
    ("told with it by orderInfo", (*UNSEEN[:2], asked(HORIZON_S, fresh(status=STRANGE), of="a")), None),
    ("told with it by the history", (UNSEEN[0], page(HORIZON_S, fresh(status=STRANGE)), UNSEEN[2]), None),
    ("final with unreadable fields", (
        UNSEEN[0], page(HORIZON_S, fresh(status="filled", unreadable=("size",))), UNSEEN[2]
    ), None),
    ("listed without a creation time", (listing(HORIZON_S, fresh(created_ms=None)), *UNSEEN[1:]), None),
    ("listed without a client id", (listing(HORIZON_S, fresh(client_oid="")), *UNSEEN[1:]), None),
    ("in the history without a readable id", (UNSEEN[0], page(HORIZON_S, fresh(order_id="x")), UNSEEN[2]), None),
    ("a row that may be its own, seen last of all", (*UNSEEN, listing(91, fresh(created_ms=None))), None),
    ("another one that ended stands where its own would", (*UNSEEN[:2], asked(HORIZON_S, earlier(), of="a")), None),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "verdict"), [case[1:] for case in PLACED], ids=[case[0] for case in PLACED])
def test_what_proves_that_a_lost_order_was_placed_or_was_not(facts: Any, verdict: Verdict | None) -> None:
    """By its client id, after an answer that was lost."""
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    made = fed(Named((one,)), *facts)
    assert one.verdict(Book.NORMAL) is verdict
    outcomes = {Verdict.DONE: "PLACED", Verdict.NOT_DONE: "NOT_PLACED", None: "UNKNOWN"}
    assert made.placement(one).outcome is PlacementOutcome[outcomes[verdict]]


def test_a_history_of_several_pages_is_read_down_to_the_signing() -> None:
    """Each page below the last; the moment of the first one counts for all."""
    new = [done(80 - number, created_s=5, ended_s=6, oid="z") for number in range(3)]
    old = done(20, created_s=-1)
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    made = fed(Named((one,)), UNSEEN[0], UNSEEN[2], page(HORIZON_S, *new, last=False))
    assert one.verdict(Book.NORMAL) is None
    below = FIRST_ID + 78
    assert made.history_below(BTC, ns(HORIZON_S)) == below
    assert made.history_below(BTC, ns(HORIZON_S) + 1) is None
    assert made.history_below(None, 0) is None
    fed(made, page(HORIZON_S + 1, old, below=below - 5, last=False))
    assert one.verdict(Book.NORMAL) is None
    fed(made, page(HORIZON_S + 1, old, below=below, last=False))
    assert one.verdict(Book.NORMAL) is Verdict.NOT_DONE
    assert one.paged_ns == ns(HORIZON_S)
    assert made.history_below(BTC, 0) is None


@pytest.mark.parametrize(
    "page_",
    [
        page(HORIZON_S, last=False),
        page(HORIZON_S, edited(done(80, created_s=5, oid="z"), order_id="x"), last=True),
        page(HORIZON_S, done(20, created_s=-1), symbol=None, last=False),
    ],
    ids=["empty", "short", "of the account"],
)
def test_which_pages_end_the_history(page_: Page) -> None:
    """Nothing below, or something from before the signing; of the symbol or of the whole account."""
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    assert judged(one, UNSEEN[0], UNSEEN[2], page_) is Verdict.NOT_DONE


def test_pages_are_followed_only_for_orders_that_are_left() -> None:
    """One that is known needs no older page."""
    found = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    made = fed(Named((found,)), listing(0.5, fresh()), page(HORIZON_S, done(80, created_s=5, oid="z"), last=False))
    assert made.history_below(BTC, 0) is None


@pytest.mark.failure(44)
def test_a_page_that_ignores_its_cursor_is_not_followed_for_ever() -> None:
    """The same rows again: the chain ends there and begins anew at the next look."""
    rows = [done(80 - number, created_s=5, oid="z") for number in range(3)]
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    made = fed(Named((one,)), page(HORIZON_S, *rows, last=False))
    below = FIRST_ID + 78
    assert made.history_below(BTC, 0) == below
    fed(made, page(HORIZON_S, *rows, below=below, last=False))
    assert made.history_below(BTC, 0) is None
    assert one.paged_ns == -1


def test_a_page_without_a_readable_id_leads_nowhere() -> None:
    """No cursor can be made of it."""
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    made = fed(Named((one,)), page(HORIZON_S, edited(done(80, created_s=5, oid="z"), order_id="x"), last=False))
    assert made.history_below(BTC, 0) is None
    assert one.paged_ns == -1


@pytest.mark.parametrize("book", [Book.TPSL, Book.PLAN])
def test_orders_that_order_info_does_not_know_are_never_proven_absent(book: Book) -> None:
    """An order that ended at once stands in no listing, and nobody knows how far its history lags."""
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    facts = (
        Listing(BTC, ns(90), ms(90), (), True, book),
        Page("history-plan-order", BTC, ns(90), ms(90), (), last=True, book=book),
        asked(90, of="a"),
    )
    assert judged(one, *facts, book=book) is None


def test_without_a_name_nothing_can_be_found() -> None:
    """A tpsl order has no client id: after a lost answer no read can tell anything."""
    one = target(Want.PRESENT, signed(Certainty.MAYBE))
    made = fed(Named((one,)), listing(90, fresh()), page(90, fresh()), asked(90, of=""))
    assert one.verdict(Book.NORMAL) is None
    hopeless = [made.hopeless]
    assert not Named((one, target(Want.FINAL, order_id=ID))).hopeless
    one.order_id = str(NEW)
    hopeless.append(made.hopeless)
    fed(made, listing(91, fresh()))
    assert one.verdict(Book.NORMAL) is Verdict.DONE
    assert [*hopeless, made.hopeless] == [True, False, False]


def test_an_order_that_was_taken_and_is_nowhere_is_not_proven_absent() -> None:
    """The exchange named its id: it never said that there is none."""
    one = target(Want.PRESENT, order_id=str(NEW), client_oid="a")
    assert judged(one, *UNSEEN, asked(90, of=str(NEW))) is None


def test_an_order_that_was_taken_is_known_by_its_id_alone() -> None:
    """Another row with its client id is not it, and is odd."""
    one = target(Want.PRESENT, order_id=str(NEW), client_oid="a")
    made = fed(Named((one,)), listing(0.5, fresh(51)))
    assert one.verdict(Book.NORMAL) is None
    assert made.anomalies == ["another order carries the client id a"]
    fed(made, listing(0.6, fresh(), fresh(51)))
    assert one.verdict(Book.NORMAL) is Verdict.DONE
    assert len(made.anomalies) == 1


@pytest.mark.parametrize("command", [Certainty.REFUSED, Certainty.MAYBE, Certainty.ACKED])
def test_a_refused_item_is_not_placed(command: Certainty) -> None:
    """At once, whatever became of the others; and it is placed if it is seen all the same."""
    refusal = OrderFailure(client_oid="a", error_code="43012", error_msg="low")
    one = target(Want.PRESENT, signed(command), client_oid="a", certainty=Certainty.REFUSED, refusal=refusal)
    made = Named((one,))
    placement = made.placement(one)
    assert (placement.outcome, placement.refusal) == (PlacementOutcome.NOT_PLACED, refusal)
    assert (placement.order, placement.order_id, placement.source) == (None, None, "client")
    fed(made, listing(0.5, fresh()))
    placement = made.placement(one)
    assert (placement.outcome, placement.refusal) == (PlacementOutcome.PLACED, None)
    assert (placement.order, placement.order_id, placement.source) == (fresh(), str(NEW), "unfilled-orders")


@pytest.mark.failure(8, 9)
@pytest.mark.parametrize(
    ("fields", "over_s"),
    [
        ({}, HORIZON_S),
        # requestTime and receiveWindow bound its arrival: 5 s instead of 30 s.
        ({"accepted_for_ns": 5_000_000_000}, 5 + 10 + 2 + ERROR_MS / 1_000),
        # A claim (the client id is taken): the exchange has spoken.
        ({"accepted_for_ns": 5_000_000_000, "heard": True}, FINISHED_S),
        ({"assumptions": Assumptions(staleness_s=0.5, execution_grace_s=0)}, 30 + 0.5 + ERROR_MS / 1_000),
    ],
)
def test_from_when_on_a_lost_order_can_appear_no_more(fields: dict[str, Any], over_s: float) -> None:
    """Its window, the grace, and how old a listing may be."""
    for at_s, verdict in ((over_s - 0.001, None), (over_s, Verdict.NOT_DONE)):
        one = target(Want.PRESENT, signed(Certainty.MAYBE, **fields), client_oid="a")
        made = Named((one,))
        assert made.next_over_ns(ns(at_s) - 1) == (ns(over_s) if at_s <= over_s else None)
        assert judged(one, listing(at_s), page(at_s), asked(at_s, of="a")) is verdict


def test_while_the_clock_is_unknown_no_row_fits_and_none_is_missing() -> None:
    """Client ids decide nothing without times: a row with ours is neither it nor proof that it is not there."""
    for want, row in ((Want.PRESENT, fresh()), (Want.FINAL, done(oid="a"))):
        command = signed(Certainty.MAYBE, bounds_ms=lambda at_ns: None)
        assert (command.sign_bounds, command.clock_error_ms) == (None, 0)
        one = target(want, command, client_oid="a")
        made = fed(Named((one,)), listing(90, row), page(90, row), asked(90, row, of="a"))
        assert one.verdict(Book.NORMAL) is None
        assert (one.order_id, one.earlier) == (None, None)
        assert want is Want.PRESENT or made.cleared_ms is None
    one = target(Want.PRESENT, signed(Certainty.MAYBE, bounds_ms=lambda at_ns: None), client_oid="a")
    fed(Named((one,)), page(HORIZON_S, done(20, created_s=-1), last=False))
    assert one.paged_ns == -1


# -- an order that is to change ----------------------------------------------------------------------------------


def trigger(status: str = "live", price: int = 7, at_s: float | None = None) -> TriggerOrder:
    """A row of a trigger order with that trigger price."""
    return TriggerOrder(
        order_id=ID,
        client_oid="a",
        symbol=BTC,
        status=TriggerStatus(status),
        trigger_price=Decimal(price),
        created_ms=ms(-10),
        updated_ms=None if at_s is None else ms(at_s),
    )


def plans(at_s: float, *rows: TriggerOrder) -> Listing:
    """A listing of trigger orders."""
    return Listing(BTC, ns(at_s), ms(at_s), rows, True, Book.PLAN)


def ended(at_s: float, *rows: TriggerOrder) -> Page:
    """A history of trigger orders."""
    return Page("history-plan-order", BTC, ns(at_s), ms(at_s), rows, last=True, book=Book.PLAN)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ((plans(0.5, trigger(price=8, at_s=0.3)),), Verdict.DONE),
        ((ended(0.5, trigger("executed", price=8, at_s=0.4)),), Verdict.DONE),
        # An old listing may show these values from before an earlier change; one that cannot be so old may not.
        ((plans(0.5, trigger(price=8, at_s=-1.0)),), None),
        ((plans(0.5, trigger(price=8)),), None),
        ((plans(2, trigger(price=8)),), Verdict.DONE),
        ((ended(0.5, trigger("cancelled")),), Verdict.NOT_DONE),
        ((plans(HORIZON_S, trigger()),), Verdict.NOT_DONE),
        ((plans(HORIZON_S, trigger("executing")),), Verdict.NOT_DONE),
        ((plans(0.5, trigger()), plans(1, trigger(price=8, at_s=0.7))), Verdict.DONE),
        # An older look that arrives later says nothing new.
        ((plans(1, trigger(price=8, at_s=0.7)), plans(0.5, trigger())), Verdict.DONE),
        ((), None),
        ((plans(HORIZON_S - 0.001, trigger()),), None),
        ((plans(90), ended(90)), None),
        ((plans(90, trigger("zz", price=8)),), None),
    ],
)
def test_what_proves_that_a_trigger_order_has_its_new_values(facts: Any, verdict: Verdict | None) -> None:
    """A row with them; the contrary by a row without them when the command can act no more, or by its end."""
    one = target(Want.CHANGED, order_id=ID, wanted={"trigger_price": "8"})
    assert judged(one, *facts, book=Book.PLAN) is verdict


def test_every_row_of_an_order_that_is_to_change_is_news() -> None:
    """Its status stays while its values change."""
    one = target(Want.CHANGED, order_id=ID, wanted={"trigger_price": "9"})
    made = Named((one,), Book.PLAN)
    assert made.saw_listing(plans(0.5, trigger())) == [one]
    assert made.saw_listing(plans(0.6, trigger())) == [one]
    fate = made.fate(one)
    assert (fate.fate, fate.trigger, fate.order.trigger_price) == (Fate.OPEN, trigger(), Decimal(7))
    assert made.placement(one).trigger == trigger()


# -- many orders, facts in any order -----------------------------------------------------------------------------


def test_news_are_told_once_and_only_of_orders_that_the_read_covers() -> None:
    """What `changes()` yields: an order when it is first seen, when its status changes, when it is final."""
    one, two = target(Want.FINAL, order_id=ID), target(Want.FINAL, order_id=str(FIRST_ID + 2), symbol="ETHUSDT")
    made = Named((one, two))
    rows = (order(), edited(order(2), symbol="ETHUSDT"))
    assert made.saw_listing(listing(0.1, *rows)) == [one]
    assert made.saw_listing(listing(0.2, *rows, symbol=None)) == [two]
    assert made.saw_listing(listing(0.3, *rows, symbol=None)) == []
    assert made.saw_listing(listing(0.4, order(status="partially_filled"))) == [one]
    assert made.saw_listing(listing(0.2, order())) == []
    assert made.saw_page(page(1, done())) == [one]
    assert made.saw_page(page(2, done())) == []
    assert made.symbols == {BTC, "ETHUSDT"}


def test_a_row_that_cannot_be_believed_is_no_news() -> None:
    """It is an anomaly, and nothing became known by it."""
    made = Named((target(Want.FINAL, order_id=ID),))
    assert made.saw_listing(listing(1, order(status="zz"))) == []
    assert made.saw_page(page(1, edited(done(), unreadable=("size",)))) == []
    assert len(made.anomalies) == 2


def test_of_two_reads_of_one_moment_the_last_one_counts() -> None:
    """They came in that order; and one of the moment of the proof may show the order open."""
    one = target(Want.FINAL, order_id=ID)
    made = Named((one,))
    made.saw_listing(listing(1, order()))
    assert made.saw_listing(listing(1, order(status="partially_filled"))) == [one]
    fed(made, page(1, done()), listing(1, order()))
    assert made.anomalies == []


def test_what_contradicts_itself_is_noted_once() -> None:
    """Open after it was final, two ends, a status that nobody knows, a final row that cannot be read."""
    one, two, three = (target(Want.FINAL, order_id=str(FIRST_ID + number)) for number in (1, 2, 3))
    made = Named((one, two, three))
    facts: list[Listing | Page] = [
        page(1, done()),
        listing(2, order()),
        page(3, done(status="filled")),
        listing(2, edited(order(2), status=STRANGE)),
        page(2, edited(done(3), unreadable=("size",))),
    ]
    fed(made, *facts, *facts)
    assert made.anomalies == [
        f"order {ID} was told open after it was final",
        f"order {ID} was told both cancelled and filled",
        f"order {FIRST_ID + 2} has the unknown status 'zz'",
        f"order {FIRST_ID + 3} has a final status and fields that cannot be read",
    ]
    # A listing from before the proof may show it rightly.
    calm = fed(Named((target(Want.FINAL, order_id=ID),)), page(1, done()), listing(0.5, order()), page(2, done()))
    assert calm.anomalies == []


@pytest.mark.parametrize(
    ("facts", "cleared_s"),
    [
        ((listing(0.04), listing(0.06)), 0.06),
        ((listing(ANSWERED_S),), ANSWERED_S),
        ((listing(0.1, order(1), order(2)), listing(0.2, order(2)), listing(0.3)), 0.3),
        ((listing(0.1, order(1), order(2)), page(0.2, done(1), done(2, status="filled"))), 0.2),
        ((listing(0.1, order(2)), page(0.2, done(2))), 0.2),
        ((listing(0.1, edited(order(1), status=STRANGE)),), None),
        ((listing(0.1, order(1)), listing(0.2, order(1))), None),
        ((listing(0.2, whole=False),), None),
        ((), None),
    ],
)
def test_cleared_is_when_no_order_that_is_to_end_is_open_any_more(facts: Any, cleared_s: float | None) -> None:
    """By final rows and by listings of after the answer; an order that is shown with any status is not gone."""
    made = Named((target(Want.FINAL, order_id=ID), target(Want.FINAL, order_id=str(FIRST_ID + 2))))
    fed(made, *facts)
    assert made.cleared_ms == (None if cleared_s is None else ms(cleared_s))


def test_new_orders_do_not_stand_in_the_way_of_cleared() -> None:
    """Of a replacement, the old order alone is to be gone."""
    command = signed()
    made = Named((target(Want.FINAL, command, order_id=ID), target(Want.PRESENT, command, client_oid="a")))
    fed(made, listing(0.1, fresh()))
    assert made.cleared_ms == ms(0.1)


@pytest.mark.parametrize(
    ("known", "together"),
    [
        ([Certainty.ACKED, Certainty.ACKED], Certainty.ACKED),
        ([Certainty.ACKED, Certainty.MAYBE], Certainty.MAYBE),
        ([Certainty.MAYBE, Certainty.REFUSED], Certainty.MAYBE),
        ([Certainty.ACKED, Certainty.REFUSED], Certainty.REFUSED),
        ([Certainty.REFUSED, Certainty.PENDING], Certainty.PENDING),
    ],
)
def test_several_commands_are_as_certain_as_the_least_certain(known: list[Certainty], together: Certainty) -> None:
    """`acknowledged` of a handle means all of them."""
    commands = [signed(each, answered_s=number) for number, each in enumerate(known)]
    targets = [target(Want.FINAL, each, order_id=str(number)) for each in commands for number in (1, 2)]
    made = Named(tuple(targets))
    assert made.commands == tuple(commands)
    assert made.certainty is together
    assert made.answered_ns == ns(1)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((), "unreadable"),
        ((listing(90, whole=False),), "unreadable"),
        ((listing(1, order()), listing(2)), "vanished"),
        ((listing(1),), "not_found"),
        ((asked(1),), "not_found"),
        ((listing(1, order()),), "deadline"),
        # Of one moment: what shows it is right.
        ((listing(1), asked(1, order())), "deadline"),
    ],
)
def test_why_it_is_unknown(facts: Any, reason: str) -> None:
    """Nothing could be read; it was there and is gone; it was never there; or its time was up."""
    assert fed(Named((target(Want.FINAL, order_id=ID),)), *facts).why_unknown() == reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((listing(1, order(1), order(2)), listing(2, order(2))), "vanished"),
        ((listing(1, order(2)),), "not_found"),
        ((listing(1, order(1), order(2)),), "deadline"),
    ],
)
def test_why_it_is_unknown_of_one_order_among_others(facts: Any, reason: str) -> None:
    """The worst that is known of any of them."""
    made = fed(Named((target(Want.FINAL, order_id=ID), target(Want.FINAL, order_id=str(FIRST_ID + 2)))), *facts)
    assert made.why_unknown() == reason
    assert not made.settled


def test_another_round_keeps_what_was_read_and_reads_absence_anew() -> None:
    """A recheck: the rows stay, what was not shown has to be not shown again."""
    lost = signed(Certainty.MAYBE)
    gone, kept = target(Want.PRESENT, lost, client_oid="a"), target(Want.FINAL, lost, order_id=ID)
    made = fed(
        Named((gone, kept), Book.NORMAL), listing(HORIZON_S, order(), edited(fresh(), status=STRANGE)), *UNSEEN[1:]
    )
    assert kept.verdict(Book.NORMAL) is Verdict.NOT_DONE
    again = made.again()
    assert again.anomalies == made.anomalies
    assert (again.cleared_ms, again.read_ns, again.book) == (None, -1, Book.NORMAL)
    first, second = again.targets
    assert first.command is lost
    assert (second.row, second.verdict(Book.NORMAL)) == (order(), None)
    fed(again, *UNSEEN[:2])
    assert first.verdict(Book.NORMAL) is None
    fed(again, UNSEEN[2])
    assert first.verdict(Book.NORMAL) is Verdict.NOT_DONE
    assert gone.verdict(Book.NORMAL) is None


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Listing | Page], list[Target]]:
    """Orders of one call, each with its truth, and reads that tell it, all of one book and each at its own moment."""
    lost = draw(st.booleans())
    command = signed(Certainty.MAYBE if lost else Certainty.ACKED)
    targets, lives = [], []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        want = draw(st.sampled_from([Want.FINAL, Want.PRESENT]))
        oid = f"c{number}"
        old = want is Want.FINAL
        by_id = draw(st.booleans()) if old else not lost
        born_s = -10.0 if old else 0.1
        exists = old or draw(st.booleans())
        end_s = draw(st.one_of(st.none(), st.floats(0.2, 60).map(lambda s: round(s, 3))))
        lives.append((number, oid, born_s, end_s) if exists else None)
        known = str(FIRST_ID + number) if by_id else None
        targets.append(target(want, command, order_id=known, client_oid=oid))
    facts: list[Listing | Page] = []
    for at_s in draw(st.lists(st.floats(0.1, 100).map(lambda s: round(s, 3)), max_size=6, unique=True)):
        kind = draw(st.sampled_from(["listing", "history", "single"]))
        alive = [each for each in lives if each is not None and each[2] <= at_s]
        opened = [order(n, b, oid=o) for n, o, b, e in alive if e is None or e > at_s]
        final = [done(n, e, "filled", b, oid=o) for n, o, b, e in alive if e is not None and e <= at_s]
        if kind == "listing":
            facts.append(listing(at_s, *opened, symbol=draw(st.sampled_from([BTC, None]))))
        elif kind == "history":
            facts.append(page(at_s, *final))
        else:
            number = draw(st.integers(1, len(targets)))
            one = targets[number - 1]
            rows = [row for row in (*opened, *final) if row.client_oid == one.client_oid]
            facts.append(asked(at_s, *rows, of=one.order_id or one.client_oid))
    return facts, targets


def verdicts(targets: list[Target], facts: list[Listing | Page]) -> list[Any]:
    """What those facts prove of each, in that order of arrival."""
    copies = tuple(structs.replace(each) for each in targets)
    made = fed(Named(copies), *facts)
    return [(each.verdict(made.book), each.final) for each in copies]


@pytest.mark.failure(36)
@settings(deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_what_is_proven(
    story: tuple[list[Listing | Page], list[Target]], dice: random.Random
) -> None:
    """Reads overlap: their answers come as they like, and twice."""
    facts, targets = story
    shuffled = [*facts, *dice.sample(facts, dice.randint(0, len(facts)))]
    dice.shuffle(shuffled)
    assert verdicts(targets, shuffled) == verdicts(targets, facts)


@pytest.mark.failure(45)
@settings(deadline=None)
@given(stories(), st.data())
def test_leaving_facts_out_can_delay_but_never_turn_a_verdict(
    story: tuple[list[Listing | Page], list[Target]], data: st.DataObject
) -> None:
    """Fewer reads prove less, not the contrary; but an order that was not seen may look as if it were not there."""
    facts, targets = story
    left = [fact for fact in facts if data.draw(st.booleans())]
    for (few, _), (all_, _) in zip(verdicts(targets, left), verdicts(targets, facts), strict=True):
        assert few is None or all_ is not None
        assert not (few is Verdict.DONE and all_ is Verdict.NOT_DONE)


def test_an_answer_that_names_the_order_of_another_client_id_is_taken_back() -> None:
    """The receipt's id is a claim: a row that carries it and another client id is not ours, whatever it shows."""
    one = target(Want.PRESENT, client_oid="a", order_id=ID, certainty=Certainty.ACKED)
    made = Named((one,))
    made.saw_listing(listing(0.5, order(oid="b")))
    assert (one.order_id, one.row, one.certainty) == (None, None, Certainty.MAYBE)
    assert len(made.anomalies) == 1


# -- one question at a time ----------------------------------------------------------------------------------------


def test_a_page_is_deep_when_its_oldest_row_is_from_before_the_signing() -> None:
    """Rows without a creation time say nothing of it."""
    new = target(Want.PRESENT, client_oid="a")
    assert new.deep(page(1, done(3, created_s=1), done(2, created_s=-1)))
    assert new.deep(page(1, done(3, created_s=None), done(2, created_s=-1)))
    assert not new.deep(page(1, done(3, created_s=1), done(2, created_s=0.5)))
    # The clock is known to 5 ms: a row of that very moment may be younger.
    assert not new.deep(page(1, done(2, created_s=-0.005)))
    assert new.deep(page(1, done(2, created_s=-0.006)))
    assert not new.deep(page(1, done(3, created_s=None)))


def test_a_page_that_ends_with_the_earlier_order_is_deep() -> None:
    """The id was free only after that one: ours stands above it."""
    one = target(Want.FINAL, client_oid="a", earlier=(done(5, oid="a"), "history-orders", 0))
    assert one.deep(page(1, done(6), done(5)))
    assert not one.deep(page(1, done(7), done(6)))
    assert not one.deep(page(1))


@pytest.mark.parametrize(
    ("row", "alone", "may"),
    [
        (order(oid="a", created_s=1), False, True),
        (order(oid="b", created_s=1), False, False),
        (edited(order(oid="a", created_s=1), symbol="ETHUSDT"), False, False),
        (edited(order(oid="a", created_s=1), symbol=""), False, True),
        (order(created_s=1), False, True),
        (edited(order(created_s=1), symbol="ETHUSDT"), False, False),
        (order(oid="a", created_s=None), False, True),
        # The clock is known to 5 ms.
        (order(oid="a", created_s=-0.005), False, True),
        (order(oid="a", created_s=-0.006), False, False),
        # In an answer of its own: an open one of before keeps the exchange from taking ours; an ended one may be ours.
        (order(oid="a", created_s=-1), True, False),
        (done(oid="a", created_s=-1), True, True),
    ],
)
def test_what_keeps_an_answer_from_showing_that_a_new_order_is_absent(row: Order, alone: bool, may: bool) -> None:
    """It may be the order itself, as far as can be told from its name, symbol and time."""
    assert bool(target(Want.PRESENT, client_oid="a").may_be(row, alone=alone)) is may


@pytest.mark.parametrize(
    ("row", "alone", "may"),
    [
        # By its times an old order with its client id, open or with a status nobody knows: perhaps ours.
        (order(oid="a"), False, True),
        (order(oid="a", status="zz"), False, True),
        (order(oid="a", created_s=0.005), False, True),
        (done(oid="a"), False, False),
        # A newer one hides it only where the answer has room for one.
        (order(oid="a", created_s=0.006), False, False),
        (order(oid="a", created_s=0.006), True, True),
        (order(), True, False),
    ],
)
def test_what_keeps_an_answer_from_showing_that_an_old_order_is_absent(row: Order, alone: bool, may: bool) -> None:
    """Of one that is to end and is known by its client id alone."""
    assert bool(target(Want.FINAL, client_oid="a").may_be(row, alone=alone)) is may


@pytest.mark.parametrize("moment_ms", [-1, 0])
def test_order_info_finds_a_client_id_for_two_hours_less_what_reads_may_lag(moment_ms: int) -> None:
    """Of a new order; an old one that is still open is found, and one that ended is another matter."""
    server_ms = T_MS - ERROR_MS + 7_200_000 - 60_000 + moment_ms
    assert target(Want.PRESENT, client_oid="a").findable(server_ms) is (moment_ms < 0)
    assert target(Want.FINAL, client_oid="a").findable(server_ms)
    assert not target(Want.PRESENT, signed(bounds_ms=lambda at_ns: None), client_oid="a").findable(T_MS)


def test_a_read_with_a_row_that_may_be_the_order_is_no_witness() -> None:
    """Of its absence: what has to be read again is read again."""
    row = fresh(status="zz")
    one = target(Want.PRESENT, signed(Certainty.MAYBE), client_oid="a")
    fed(Named((one,)), listing(1, row), page(1, row), asked(1, row, of="a"))
    assert (one.hidden_ns, one.listed_ns, one.paged_ns, one.asked_ns) == (ns(1), -1, -1, -1)


def test_the_next_moment_that_can_prove_the_contrary_lies_ahead() -> None:
    """Only an order that had the client id before is decided as soon as a listing can be."""
    made = Named((target(Want.FINAL, order_id=ID),))
    assert made.next_over_ns(ns(0)) == ns(HORIZON_S)
    assert made.next_over_ns(ns(HORIZON_S)) is None


def test_each_order_is_judged_whatever_stands_before_it() -> None:
    """One that is known by its id says nothing of the next one, whose client id another order had before."""
    one, other = target(Want.FINAL, order_id=str(NEW)), target(Want.FINAL, client_oid="a")
    fed(Named((one, other)), *RECYCLED)
    assert (one.verdict(Book.NORMAL), other.verdict(Book.NORMAL)) == (None, Verdict.DONE)


@pytest.mark.parametrize(("created_s", "noted"), [(-1, True), (0.005, True), (0.006, False), (None, False)])
def test_an_earlier_order_was_created_by_the_signing_as_far_as_can_be_known(
    created_s: float | None, noted: bool
) -> None:
    """A later one tells nothing of what had the client id before."""
    one = target(Want.FINAL, client_oid="a")
    fed(Named((one,)), page(1, edited(done(created_s=created_s, oid="a"), updated_ms=None)))
    assert (one.earlier is not None) is noted


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        ({"trigger_price": "7"}, True),
        ({"trigger_price": "7.00"}, True),
        ({"trigger_price": "8"}, False),
        ({"symbol": BTC}, True),
        ({"status": "live"}, True),
        ({"status": "executed"}, False),
        ({"trigger_price": "7", "status": "executed"}, False),
        ({"nothing": "7"}, False),
        ({}, True),
    ],
)
def test_values_compare_as_what_they_are(wanted: dict[str, str], has: bool) -> None:
    """Amounts as numbers, words as words, and what the exchange writes for one of its words."""
    assert has_values(trigger(), wanted) is has


@pytest.mark.parametrize(("hidden_s", "absent_s"), [(0.5, 1), (0.999, 1), (1, None), (2, None)])
def test_absence_counts_from_the_oldest_witness_unless_a_younger_row_may_be_it(
    hidden_s: float, absent_s: float | None
) -> None:
    """A listing, the history and orderInfo, none of which shows it; a row of the same moment may be it."""
    one = target(Want.PRESENT, listed_ns=ns(1), paged_ns=ns(2), asked_ns=ns(3), hidden_ns=ns(hidden_s))
    assert one.absent_ns(Book.NORMAL) == (-1 if absent_s is None else ns(absent_s))


@pytest.mark.parametrize(("updated_s", "verdict"), [(-0.005, Verdict.DONE), (-0.006, None), (None, None)])
def test_a_change_counts_from_the_signing_as_far_as_the_clock_is_known(
    updated_s: float | None, verdict: Verdict | None
) -> None:
    """In a listing that may be older than the command, only the row's own time tells."""
    one = target(Want.CHANGED, order_id=ID, wanted={"size": "1"})
    assert judged(one, listing(1, order(ended_s=updated_s))) is verdict


def test_the_earlier_order_is_found_behind_rows_that_are_none() -> None:
    """A younger one of that name comes first in the answer."""
    one = target(Want.FINAL, client_oid="a")
    rows = (order(9, 1, oid="a"), done(5, ended_s=-1, oid="a"), done(4, ended_s=-2, oid="a"))
    fed(Named((one,)), page(1, *rows))
    assert one.earlier is not None
    assert one.earlier[0].order_id == str(FIRST_ID + 5)


def test_an_incomplete_listing_brings_nothing() -> None:
    """No news, and no moment of a reading."""
    one = target(Want.FINAL, order_id=ID)
    made = Named((one,))
    assert made.saw_listing(listing(1, order(), whole=False)) == []
    assert (made.read_ns, one.row) == (-1, None)


def test_what_is_known_before_anything_was_answered() -> None:
    """Of two commands the moment counts at which the last answer came, once all have."""
    first, second = signed(answered_s=None), signed(answered_s=None)
    made = Named((target(Want.FINAL, first, order_id=ID), target(Want.FINAL, second, order_id=str(NEW))))
    assert made.answered_ns is None
    first.answered(Certainty.ACKED, ns(2))
    assert made.answered_ns is None
    second.answered(Certainty.ACKED, ns(1))
    assert made.answered_ns == ns(2)


def test_commands_can_act_until_the_last_of_them_can_do_nothing_any_more() -> None:
    """A placement that was given up can still come: by any of its commands, in whatever order they were signed."""
    first, last = signed(), signed()
    last.signed(ns(7), ms(7))
    for commands in ((first, last), (last, first)):
        made = Named(tuple(target(Want.PRESENT, each, client_oid="a") for each in commands))
        assert made.horizon_ns == ns(7 + HORIZON_S)


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ([(Want.FINAL, ID), (Want.FINAL, str(NEW))], True),
        ([(Want.FINAL, ID), (Want.FINAL, None)], False),
        ([(Want.FINAL, ID), (Want.CHANGED, str(NEW))], False),
        ([(Want.PRESENT, str(NEW))], False),
    ],
)
def test_orders_are_named_where_each_is_to_end_and_its_id_is_known(
    targets: list[tuple[Want, str | None]], named: bool
) -> None:
    """Then each is asked for by its id; one client id among them has to be looked for in listings and the history."""
    made = Named(tuple(target(want, order_id=order_id, client_oid="a") for want, order_id in targets))
    assert made.named is named


def test_the_row_that_was_read_stays() -> None:
    """An end is proven once: what a later read tells of it replaces nothing, or amounts would change in a report."""
    one, other = done(), edited(done(), size=Decimal(2))
    target_ = target(Want.FINAL, order_id=ID)
    fed(Named((target_,)), page(1, one), page(2, other))
    assert target_.row is one


def test_of_two_earlier_orders_the_first_one_told_stays_where_they_are_the_same() -> None:
    """The newest by its id; a second reading of it changes nothing."""
    one = target(Want.FINAL, client_oid="a")
    early: dict[str, Any] = {"ended_s": -1, "oid": "a"}
    fed(
        Named((one,)), page(1, done(5, **early), source="history-orders"), page(2, done(5, **early), source="orderInfo")
    )
    assert one.earlier is not None
    assert one.earlier[1] == "history-orders"
    fed(Named((one,)), page(3, done(6, **early), source="orderInfo"))
    assert one.earlier[0].order_id == str(FIRST_ID + 6)
