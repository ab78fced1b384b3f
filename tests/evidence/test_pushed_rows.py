"""Pushes as evidence: a final one proves, an open one shows that its order exists, and a missing one means nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bitget_async import Fate, Order, OrderUpdate, Outcome, Scope
from bitget_async.evidence import Certainty, Command, Listing, Named, Page, Push, Sweep, Target, Verdict, Want
from bitget_async.models import TriggerOrder, TriggerStatus
from tests.evidence.making import (
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
    push,
)

Fact = Listing | Page | Push
HORIZON_S = 30 + 10 + 2 + 0.005


def sweep(*facts: Fact, answered_s: float | None = 0.05) -> Sweep:
    """A cancellation by symbol, answered then, and those facts in that order."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    if answered_s is not None:
        made.answered(Certainty.ACKED, ns(answered_s))
    return fed(made, *facts)


def fed(made: Any, *facts: Fact) -> Any:
    """The same with more facts."""
    for fact in facts:
        if isinstance(fact, Push):
            made.saw_push(fact)
        elif isinstance(fact, Listing):
            made.saw_listing(fact)
        else:
            made.saw_page(fact)
    return made


ENDED = push(0.2, done())
DECIDED = (listing(2), page(2.1))

OUTCOMES: list[tuple[str, tuple[Fact, ...], Outcome | None]] = [
    ("listed, then pushed final", (listing(0, order()), ENDED, *DECIDED), Outcome.CONFIRMED),
    ("pushed final twice", (listing(0, order()), ENDED, push(0.3, done()), *DECIDED), Outcome.CONFIRMED),
    ("pushed final before it was listed", (ENDED, listing(0, order()), *DECIDED), Outcome.CONFIRMED),
    ("pushed final and never listed", (ENDED, *DECIDED), Outcome.CONFIRMED),
    ("filled is final too", (push(0.2, done(status="filled")), *DECIDED), Outcome.CONFIRMED),
    ("the final push comes last of all", (listing(0, order()), *DECIDED, push(9, done())), Outcome.CONFIRMED),
    ("open after final", (listing(0, order()), ENDED, push(3, order()), *DECIDED), Outcome.CONFIRMED),
    ("pushed open, ended in the history", (push(0.1, order()), listing(2), page(2.1, done())), Outcome.CONFIRMED),
    ("pushed open, had ended before", (push(0.1, order()), listing(2), page(2.1, done(ended_s=-1))), None),
    ("pushed final, had ended before", (push(0.1, done(ended_s=-1)), *DECIDED), None),
    ("a late order pushed open", (push(1, order(9, 0.5)), *DECIDED), None),
    ("a late order pushed final", (push(1, done(9, 0.9, created_s=0.5)), *DECIDED), None),
    ("of another symbol", (push(1, edited(done(), symbol="ETHUSDT")), *DECIDED), None),
    ("of another list", (push(1, edited(done(), tpsl_type="tpsl")), *DECIDED), None),
    ("open, of another list", (push(0.1, edited(order(), tpsl_type="tpsl")), *DECIDED), None),
    ("without a readable id", (push(1, edited(done(), order_id="x1")), *DECIDED), None),
    ("open, without a readable id", (push(0.1, edited(order(), order_id="x1")), *DECIDED), None),
    ("with a status that nobody knows", (push(1, order(status="frozen", ended_s=0.5)), *DECIDED), None),
    ("with fields that cannot be read", (push(1, edited(done(), unreadable=("size",))), *DECIDED), None),
]


@pytest.mark.failure(36, 46, 47)
@pytest.mark.parametrize(("facts", "outcome"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
def test_what_is_pushed_beside_a_clear_listing_and_an_empty_history(facts: Any, outcome: Outcome | None) -> None:
    """Where nothing that is pushed concerns the command, there was nothing to cancel."""
    assert sweep(*facts).outcome() is (outcome or Outcome.NOTHING_TO_CANCEL)


UNDECIDED: list[tuple[str, tuple[Fact, ...]]] = [
    ("no listing", (ENDED, page(2.1))),
    ("a listing too young", (ENDED, listing(1.9), page(2.1))),
    ("an incomplete listing", (ENDED, listing(2, whole=False), page(2.1))),
    ("no history", (listing(0, order()), ENDED, listing(2))),
    ("one of two", (listing(0, order(1), order(2)), ENDED, *DECIDED)),
    ("pushed open and nothing else", (push(0.1, order()), *DECIDED)),
    ("pushed open after the horizon", (push(HORIZON_S + 1, order()), *DECIDED)),
    (
        "listed, and pushed with an unknown status",
        (listing(0, order()), push(0.2, order(status="gone", ended_s=0.1)), *DECIDED),
    ),
    (
        "listed, and pushed with fields that cannot be read",
        (listing(0, order()), push(0.2, edited(done(), unreadable=("uTime",))), *DECIDED),
    ),
]


@pytest.mark.failure(46, 47)
@pytest.mark.parametrize("facts", [case[1] for case in UNDECIDED], ids=[case[0] for case in UNDECIDED])
def test_what_no_push_makes_up_for(facts: Any) -> None:
    """The deciding listing, the history, and the final row of every order in scope are needed as without the stream."""
    assert sweep(*facts).outcome() is None


@pytest.mark.failure(47)
def test_nothing_is_cleared_by_a_push() -> None:
    """All known orders are pushed final: only that a listing will be clear is known, and it is cleared when one is."""
    made = sweep(listing(0, order()))
    assert made.saw_push(ENDED) != []
    assert (made.cleared_ms, made.foretold) == (None, True)
    made.saw_listing(listing(0.3))
    assert made.cleared_ms == ms(0.3)


@pytest.mark.failure(36, 47)
def test_a_listing_may_lag_behind_a_push() -> None:
    """Pushed final at 0.2, listed open at 2.2: no contradiction, and not a clear listing. At 2.201 it is one."""
    made = sweep(listing(0, order()), ENDED, listing(2.2, order()))
    assert (made.cleared_ms, made.anomalies, made.clear_since_ns) == (None, [], None)
    fed(made, listing(2.201, order()), page(2.3))
    assert made.outcome() is Outcome.CONFIRMED
    assert made.anomalies == [f"order {FIRST_ID + 1} was listed open after it was final"]


@pytest.mark.failure(36, 47)
def test_a_read_of_the_end_dates_it_where_it_is_earlier() -> None:
    """As without the stream: a listing that was requested after the history told the end lags, and counts as clear."""
    made = sweep(listing(0, order()), push(1.9, done()), page(2, done()), listing(2.1, order()))
    assert made.clear_since_ns == ns(2.1)


@pytest.mark.failure(36, 47)
@pytest.mark.parametrize(("ended_s", "odd"), [(0.05, False), (0.1, False), (0.11, True), (None, False)])
def test_a_late_push_is_no_contradiction_and_one_of_afterwards_is(ended_s: float | None, odd: bool) -> None:
    """Pushes come out of order. One that tells a change after the end contradicts, and changes nothing either."""
    made = sweep(listing(0, order()), ENDED, *DECIDED)
    before = made.fates
    made.saw_push(push(3, order(ended_s=ended_s)))
    assert (made.fates, made.outcome()) == (before, Outcome.CONFIRMED)
    assert made.anomalies == ([f"order {FIRST_ID + 1} was told open after it was final"] if odd else [])


@pytest.mark.failure(36, 47)
def test_two_ends_of_one_order_are_an_anomaly() -> None:
    """The first one stands, whoever told it."""
    filled = done(status="filled")
    one = sweep(listing(0, order()), ENDED, push(0.3, filled), *DECIDED)
    other = sweep(listing(0, order()), ENDED, listing(2), page(2.1, filled))
    for made in (one, other):
        assert [fate.fate for fate in made.fates] == [Fate.CANCELLED]
        assert made.anomalies == [f"order {FIRST_ID + 1} was told both cancelled and filled"]


@pytest.mark.failure(35, 47)
def test_a_row_that_is_read_completes_a_pushed_one() -> None:
    """The channel does not tell the filled quote amount. A read does later: no news, no anomaly, told by the stream."""
    pushed = edited(done(), base_volume=Decimal("0.3"))
    read = edited(pushed, quote_volume=Decimal(12))
    made = sweep(listing(0, order()))
    (fate,) = made.saw_push(push(0.2, pushed))
    assert isinstance(fate.order, OrderUpdate)
    assert (fate.source, fate.server_ms, fate.order.base_volume) == ("orders", ms(0.2), Decimal("0.3"))
    assert made.saw_page(page(2.1, read)) == []
    (fate,) = fed(made, listing(2), push(3, pushed)).fates
    assert (fate.source, fate.order, made.anomalies) == ("orders", read, [])
    # Once: what another read tells does not take its place.
    assert fed(made, page(3.1, edited(read, quote_volume=Decimal(13)))).fates[0].order == read
    # One that cannot be read completes nothing, and neither does one that shows it open.
    other = sweep(ENDED, page(2.1, edited(done(), unreadable=("size",)), order()))
    assert isinstance(other.fates[0].order, OrderUpdate)


@pytest.mark.failure(38, 47)
def test_an_order_that_is_pushed_open_is_in_scope_like_one_that_was_placed() -> None:
    """Its end has to be proven. It is no news before it is listed, and then it is once."""
    made = sweep()
    assert made.saw_push(push(0.1, order(2))) == []
    assert (made.oldest, made.size, sweep(push(0.1, order(2)), listing(0.1)).missing) == (
        FIRST_ID + 2,
        1,
        [FIRST_ID + 2],
    )
    assert [fate.fate for fate in made.saw_listing(listing(0.2, order(2)))] == [Fate.OPEN]
    assert made.saw_listing(listing(0.3, order(2))) == []
    assert made.saw_push(push(0.4, order(2))) == []


@pytest.mark.parametrize(("created_s", "scope"), [(-1, Scope.IN), (0, Scope.BOUNDARY), (0.5, None)])
def test_the_scope_of_an_order_that_is_pushed_open(created_s: float, scope: Scope | None) -> None:
    """By its creation. What was placed after the signing is not kept: nobody looks what becomes of it."""
    made = sweep(push(1, order(2, created_s)))
    assert [fate.scope for fate in made.fates] == ([] if scope is None else [scope])


@pytest.mark.failure(37, 47)
def test_late_orders_that_are_pushed_final_are_reported_up_to_a_thousand() -> None:
    """A cancellation that waits for a day on a busy symbol must not keep them all. Those in scope are kept."""
    made = sweep()
    for number in range(2_000):
        made.saw_push(push(2, done(number, 1.5, created_s=1)))
    assert {fate.scope for fate in made.fates} == {Scope.LATE}
    assert made.size == 1_000
    made.saw_push(push(2, done(3_000)))
    assert made.size == 1_001
    made.saw_push(push(2, order(3_001)))
    assert (made.size, made.oldest) == (1_002, FIRST_ID + 3_000)


@pytest.mark.failure(47)
def test_a_push_that_comes_late_brings_back_nothing() -> None:
    """It ended before the signing, by a final push or by the history that follows a push of before: it is not ours."""
    one = sweep(push(0.1, done(ended_s=-1)), push(0.2, order()), *DECIDED)
    other = sweep(push(0.2, order()), listing(2), page(2.1, done(ended_s=-1)))
    for made in (one, other):
        fed(made, push(3, order()))
        assert (made.fates, made.outcome()) == ((), Outcome.NOTHING_TO_CANCEL)
    # A listing that lags shows one of them: then it is ours, with the row that proves its end.
    fed(one, listing(1, order()))
    assert [(fate.fate, fate.source) for fate in one.fates] == [(Fate.CANCELLED, "orders")]


@pytest.mark.failure(39)
def test_an_order_that_this_client_placed_stays_when_a_push_tells_of_it() -> None:
    """Its row is known then, and it is required although it ended in the moment before the signing, as ever."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    made.placed(Order(order_id=str(FIRST_ID + 1), symbol="BTCUSDT"))
    made.answered(Certainty.ACKED, ns(0.05))
    made.saw_push(push(0.1, order()))
    assert made.fates[0].order.created_ms == ms(-10)
    fed(made, listing(2), page(2.1, done(ended_s=-1)))
    assert made.outcome() is Outcome.CONFIRMED


@pytest.mark.failure(40)
@pytest.mark.parametrize("told", [ENDED, push(0.1, order())])
@pytest.mark.parametrize(
    "read", [listing(2, edited(order(), tpsl_type="tpsl")), page(2, edited(done(), tpsl_type="tpsl"))]
)
def test_an_order_that_turns_out_to_stand_in_another_list_is_let_go(told: Push, read: Listing | Page) -> None:
    """The stream does not tell which list an order stands in; reads do."""
    assert sweep(told).size == 1
    made = sweep(told, read)
    assert made.size == 0
    # Another order's row lets nothing go, and neither does one of an order that was listed.
    other = edited(done(7), tpsl_type="tpsl")
    assert sweep(told, page(2, other)).size == 1
    assert sweep(listing(0, order()), told, read).size == 1


@pytest.mark.failure(40)
@pytest.mark.parametrize("facts", [(ENDED, page(2, done())), (page(1, done(ended_s=-1)), listing(0.5, order()))])
def test_an_order_that_a_read_has_shown_is_not_let_go(facts: tuple[Fact, ...]) -> None:
    """A proof is a proof for ever: a row that then puts the order in another list contradicts it, and takes nothing."""
    made = sweep(*facts, listing(2, edited(order(), tpsl_type="tpsl")))
    assert [fate.fate for fate in made.fates] == [Fate.CANCELLED]


def test_the_clock_has_to_be_known_to_date_a_push() -> None:
    """A final row of an order that nobody knew may be of before: the history tells of it again, in time."""
    known: list[tuple[int, int] | None] = [None]
    made = Sweep("BTCUSDT", bounds_ms=lambda at: known[0])
    made.signed(SIGNED_NS, T_MS)
    made.answered(Certainty.ACKED, ns(0.05))
    assert made.saw_push(ENDED) == []
    known[0] = bounds(SIGNED_NS)
    fed(made, listing(2), page(2.1, done()))
    assert made.outcome() is Outcome.CONFIRMED


@pytest.mark.parametrize(
    ("facts", "foretold"),
    [
        ((), False),
        ((listing(0),), False),
        ((ENDED,), True),
        ((listing(0, order(1), order(2)), ENDED), False),
        ((listing(0, order(1), order(2)), ENDED, push(0.3, done(2))), True),
        # What the history tells is no push, and is read when the deciding listing is.
        ((listing(0, order()), page(1, done())), False),
        ((push(0.2, done(9, 0.2, created_s=0.1)),), False),
        ((push(0.2, done(ended_s=-1)),), False),
        ((listing(0, order()), ENDED, push(0.3, order(2))), False),
        ((listing(0, order()), ENDED, push(0.3, order(2, 1))), True),
    ],
)
def test_when_pushes_say_that_a_listing_will_be_clear(facts: Any, foretold: bool) -> None:
    """All orders in scope have ended, and at least one is known: nothing known is nothing said."""
    assert sweep(*facts).foretold is foretold


def test_another_round_keeps_what_was_pushed_and_looks_as_without_it() -> None:
    """A proof is a proof for ever; when to look is decided anew."""
    made = sweep(listing(0, order()), ENDED)
    made.tracked = True
    again = made.again()
    again.signed(SIGNED_NS, T_MS)
    assert (again.foretold, again.tracked, again.missing) == (False, False, [])
    assert fed(again, *DECIDED).outcome() is Outcome.CONFIRMED


def test_orders_of_a_tracker_are_told_as_such() -> None:
    """Known from pushes and reads of before: in scope, and let go if they had ended by the signing."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    for number in (1, 2):
        made.placed(order(number), "tracker", hearsay=True)
    made.answered(Certainty.ACKED, ns(0.05))
    assert [(fate.source, fate.fate) for fate in made.fates] == [("tracker", Fate.VANISHED)] * 2
    fed(made, listing(2), page(2.1, done(1, ended_s=-1), done(2)))
    assert [fate.order.order_id for fate in made.fates] == [str(FIRST_ID + 2)]


# -- orders that a command names -----------------------------------------------------------------------------------


def command(answered_s: float | None = 0.05) -> Command:
    """A command that was signed at zero and answered then."""
    made = Command(bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    if answered_s is not None:
        made.answered(Certainty.ACKED, ns(answered_s))
    return made


def named(want: Want, *facts: Fact, **fields: Any) -> Named:
    """One order that a command names, and those facts."""
    fields.setdefault("certainty", Certainty.ACKED)
    target = Target(command=fields.pop("command", command()), symbol="BTCUSDT", want=want, **fields)
    made: Named = fed(Named((target,)), *facts)
    return made


def verdict(made: Named) -> Verdict | None:
    """What is proven of its order."""
    return made.targets[0].verdict(made.book)


BY_ID: dict[str, Any] = {"order_id": str(FIRST_ID + 1)}
BY_OID: dict[str, Any] = {"client_oid": "mine"}
MINE: dict[str, Any] = {"oid": "mine"}

ENDS: list[tuple[str, dict[str, Any], Push, Verdict | None]] = [
    ("cancelled", BY_ID, push(0.2, done()), Verdict.DONE),
    ("filled", BY_ID, push(0.2, done(status="filled")), Verdict.DONE),
    ("by an id with zeros before it", {"order_id": f"00{FIRST_ID + 1}"}, push(0.2, done()), Verdict.DONE),
    ("it had ended long before", BY_ID, push(0.2, done(ended_s=-9)), Verdict.DONE),
    ("by both names", BY_ID | BY_OID, push(0.2, done(**MINE)), Verdict.DONE),
    ("by id, its client id not told", BY_ID | BY_OID, push(0.2, done()), Verdict.DONE),
    ("by client id", BY_OID, push(0.2, done(**MINE)), Verdict.DONE),
    # Nothing below proves anything.
    ("by id, with another client id", BY_ID | BY_OID, push(0.2, done(oid="other")), None),
    ("open", BY_ID, push(HORIZON_S + 1, order()), None),
    ("open by client id", BY_OID, push(HORIZON_S + 1, order(ended_s=1, **MINE)), None),
    ("another id", BY_ID, push(0.2, done(2)), None),
    ("another symbol", BY_ID, push(0.2, edited(done(), symbol="ETHUSDT")), None),
    ("another symbol by client id", BY_OID, push(0.2, edited(done(**MINE), symbol="ETHUSDT")), None),
    ("without its symbol", BY_OID, push(0.2, edited(done(**MINE), symbol="")), None),
    ("unknown status", BY_ID, push(0.2, order(status="zz")), None),
    ("fields that cannot be read", BY_ID, push(0.2, edited(done(), unreadable=("size",))), None),
    ("no readable id", BY_OID, push(0.2, edited(done(**MINE), order_id="?")), None),
    ("another client id", BY_OID, push(0.2, done(oid="other")), None),
    ("one of before with its client id", BY_OID, push(0.2, done(ended_s=-1, **MINE)), None),
    ("one of afterwards with its client id", BY_OID, push(2, done(ended_s=1.5, created_s=1, **MINE)), None),
]


@pytest.mark.failure(46, 47)
@pytest.mark.parametrize(("names", "told", "found"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_what_a_push_proves_of_an_order_that_is_to_end(names: Any, told: Push, found: Verdict | None) -> None:
    """Its end, by its id, or by its client id if the times fit; never that it is open, and never that it is not."""
    made = named(Want.FINAL, told, **names)
    assert (verdict(made), made.settled) == (found, found is Verdict.DONE)
    assert made.cleared_ms == (ms(0.2) if found else None)
    if found:
        assert (made.fate(made.targets[0]).source, made.targets[0].order_id is not None) == ("orders", True)


PLACED: list[tuple[str, Push, Verdict | None]] = [
    ("live", push(0.2, order(50, 0.03, **MINE)), Verdict.DONE),
    ("part-filled", push(0.2, order(50, 0.03, "partially_filled", **MINE)), Verdict.DONE),
    ("ended at once", push(0.2, done(50, 0.04, created_s=0.03, **MINE)), Verdict.DONE),
    ("created before the signing", push(0.2, order(50, -1, **MINE)), None),
    ("no creation time", push(0.2, order(50, None, **MINE)), None),
    ("unknown status", push(0.2, order(50, 0.03, "zz", **MINE)), None),
    (
        "ended, with fields that cannot be read",
        push(0.2, edited(done(50, 0.04, created_s=0.03, **MINE), unreadable=("x",))),
        None,
    ),
    ("another client id", push(0.2, order(50, 0.03, oid="other")), None),
]


@pytest.mark.failure(46, 47)
@pytest.mark.parametrize(("told", "found"), [case[1:] for case in PLACED], ids=[case[0] for case in PLACED])
@pytest.mark.parametrize("certainty", [Certainty.ACKED, Certainty.MAYBE])
def test_what_a_push_proves_of_an_order_that_is_to_exist(
    told: Push, found: Verdict | None, certainty: Certainty
) -> None:
    """Any row of it with a status that we know, whether an answer came or not."""
    made = named(Want.PRESENT, told, certainty=certainty, **BY_OID)
    assert verdict(made) is found
    placement = made.placement(made.targets[0])
    assert (placement.order_id, placement.source) == ((str(FIRST_ID + 50), "orders") if found else (None, "client"))


def test_the_first_open_push_is_enough_and_the_final_one_is_kept() -> None:
    """Of an order that exists a second push tells nothing new, unless it ended; a read tells more than a push."""
    live, ended = order(50, 0.03, **MINE), done(50, 0.04, created_s=0.03, **MINE)
    made = named(Want.PRESENT, **BY_OID)
    (target,) = made.targets
    assert made.saw_push(push(0.2, live)) == [target]
    assert made.saw_push(push(0.3, edited(live, price=Decimal(3)))) == []
    assert made.saw_push(push(0.4, ended)) == [target]
    assert made.saw_push(push(0.5, live)) == made.saw_push(push(0.5, ended)) == []
    assert isinstance(target.row, OrderUpdate)
    assert target.shown_ns == ns(2.4)
    read = edited(ended, quote_volume=Decimal(3))
    assert made.saw_page(page(0.6, read)) == []
    assert (target.row, target.source, made.anomalies) == (read, "orders", [])
    # Once: what another read tells does not take its place.
    assert made.saw_page(page(0.7, edited(read, quote_volume=Decimal(4)))) == []
    assert target.row is read


@pytest.mark.failure(36, 47)
def test_what_contradicts_a_pushed_end_of_a_named_order_is_noted() -> None:
    """Another end, pushed or read; or open in a read that cannot lag so far."""
    filled = done(status="filled")
    texts = {
        f"order {FIRST_ID + 1} was told both cancelled and filled": (push(0.3, filled), page(0.3, filled)),
        f"order {FIRST_ID + 1} was told open after it was final": (listing(2.3, order()),),
    }
    for text, facts in texts.items():
        for fact in facts:
            assert named(Want.FINAL, ENDED, fact, **BY_ID).anomalies == [text]
    for fact in (push(0.3, order()), listing(2.2, order()), page(0.3, edited(done(), unreadable=("size",)))):
        made = named(Want.FINAL, ENDED, fact, **BY_ID)
        assert (made.anomalies, isinstance(made.targets[0].row, OrderUpdate)) == ([], True)


@pytest.mark.failure(47)
def test_an_open_push_does_not_keep_reads_from_showing_that_an_order_is_gone() -> None:
    """An order that is pushed open and then not listed is gone from the listing, as it would be without the push."""
    made = named(Want.FINAL, push(0.3, order()), listing(0.2), **BY_ID)
    assert (made.targets[0].listed_ns, made.targets[0].row, made.cleared_ms) == (ns(0.2), None, ms(0.2))


def trigger(at_s: float, price: str, status: str = "live", changed_s: float | None = 0.1) -> Push:
    """A push of a trigger order."""
    row = TriggerOrder(
        order_id=str(FIRST_ID + 1),
        symbol="BTCUSDT",
        status=TriggerStatus(status),
        trigger_price=Decimal(price),
        updated_ms=None if changed_s is None else ms(changed_s),
    )
    return Push((row,), ns(at_s), ms(at_s), "orders-algo")


@pytest.mark.failure(47)
@pytest.mark.parametrize(
    ("told", "found"),
    [
        (trigger(0.2, "7.0"), Verdict.DONE),
        (trigger(0.2, "7", "executed"), Verdict.DONE),
        (trigger(0.2, "7", changed_s=-0.005), Verdict.DONE),
        (trigger(0.2, "6", "cancelled"), Verdict.NOT_DONE),
        # Old values, or the new ones from before the signing: it may have been pushed before the command ran.
        (trigger(HORIZON_S + 1, "6"), None),
        (trigger(0.2, "7", changed_s=-0.006), None),
        (trigger(0.2, "7", changed_s=None), None),
    ],
)
def test_what_a_push_proves_of_an_order_that_is_to_change(told: Push, found: Verdict | None) -> None:
    """New values since the signing; old ones only where it ended with them. What proves nothing is not even kept."""
    made = named(Want.CHANGED, told, wanted={"trigger_price": "7"}, **BY_ID)
    assert verdict(made) is found
    assert (made.targets[0].row is None) is (found is None)


def test_while_the_clock_is_unknown_a_push_changes_nothing_but_by_id() -> None:
    """Times cannot be compared: neither with a client id, nor with the moment of a change."""
    blind = Command(bounds_ms=lambda at: None)
    blind.signed(SIGNED_NS, T_MS)
    blind.answered(Certainty.ACKED, ns(0.05))
    assert (
        verdict(named(Want.CHANGED, trigger(0.2, "7"), wanted={"trigger_price": "7"}, command=blind, **BY_ID)) is None
    )
    assert verdict(named(Want.CHANGED, trigger(0.2, "7"), **BY_ID)) is None
    assert verdict(named(Want.FINAL, push(0.2, done(**MINE)), command=blind, **BY_OID)) is None
    assert verdict(named(Want.FINAL, push(0.2, done()), command=blind, **BY_ID)) is Verdict.DONE


def test_nothing_is_settled_by_a_push_before_the_answer() -> None:
    """As ever: what the answer says decides what the report says of the command."""
    waiting = command(answered_s=None)
    made = named(Want.FINAL, push(0.03, done()), command=waiting, **BY_ID)
    assert (made.settled, verdict(made)) == (False, None)
    waiting.answered(Certainty.MAYBE, ns(10))
    assert (made.settled, verdict(made)) == (True, Verdict.DONE)


def test_a_push_of_several_rows_reaches_each_order_of_a_call() -> None:
    """A frame may hold several orders, and a call may name several."""
    one = command()
    targets = [
        Target(
            command=one, symbol="BTCUSDT", want=Want.FINAL, order_id=str(FIRST_ID + number), certainty=Certainty.ACKED
        )
        for number in (1, 2, 3)
    ]
    made = Named(tuple(targets))
    assert made.saw_push(push(0.2, done(3), done(1), done(8))) == [targets[2], targets[0]]
    assert (made.cleared_ms, made.settled, made.left) == (None, False, [targets[1]])
    assert made.saw_push(push(0.4, done(2))) == [targets[1]]
    assert (made.cleared_ms, made.settled) == (ms(0.4), True)
