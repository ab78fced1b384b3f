"""What a stop knows: whom it may touch, who was named, and what that comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bitget_async.evidence import Book
from bitget_async.models import Fate, Order, OrderFate, Outcome, PlanType, StopPlan, TriggerOrder
from bitget_async.models import Scope as OrderScope
from bitget_async.stopping import Quota, Quotas, Rests, Scope, Stopping
from bitget_async.stopping.state import GROWTH, MOST_ODD, outcome_of

SECOND = 1_000_000_000
CALL_MS = 1_700_000_000_000
PER_SECOND = {
    "cancel-symbol-order": 5,
    "batch-cancel-order": 10,
    "cancel-order": 10,
    "batch-cancel-plan-order": 5,
    "cancel-plan-order": 20,
}
FREE = Quotas(*(Quota(name, (0,) * count) for name, count in PER_SECOND.items()))
# Nothing takes a symbol whole.
NAMES_ONLY = Quotas(Quota("cancel-symbol-order", ()), FREE.batch, FREE.single, FREE.trigger_symbol, FREE.trigger_single)


def order(number: int, symbol: str = "BTCUSDT", *, made_ms: int | None = CALL_MS - 60_000, **more: Any) -> Order:
    """An open order of 2 at 100, a minute older than the call."""
    given: dict[str, Any] = {"price": Decimal(100), "size": Decimal(2), **more}
    return Order(order_id=str(number), symbol=symbol, created_ms=made_ms, **given)


def fated(row: Order, fate: Fate, scope: OrderScope = OrderScope.IN) -> OrderFate:
    """What a handle says of an order."""
    return OrderFate(order=row, fate=fate, scope=scope, source="history-orders", server_ms=CALL_MS + 500)


def planned(state: Stopping, quotas: Quotas = FREE, now: int = 0, *, again: bool = False) -> StopPlan:
    """Plan, when all that is open is known."""
    state.surveyed = True
    state.replan(quotas, now, again=again)
    return state.plan


def given_out(state: Stopping, now: int = 0) -> list[tuple[str, tuple[str, ...]]]:
    """All commands there are, given out: whole symbols by their name, else the ids."""
    found = []
    for endpoint in PER_SECOND:
        while (command := state.next(endpoint, now)) is not None:
            found.append((endpoint, command.order_ids or command.symbols))
    return found


def ids(state: Stopping, **how: bool) -> dict[str, tuple[Fate, OrderScope]]:
    """The fate of each order."""
    symbols = state.symbols(CALL_MS, **{"clear": True, "over": False, **how})
    return {each.order.order_id: (each.fate, each.scope) for symbol in symbols for each in symbol.orders}


# -- whom it may touch ----------------------------------------------------------------------------------------------


def test_orders_of_other_symbols_are_not_seen() -> None:
    """A listing of the account shows them all; a stop of one symbol must not touch, nor count, the others."""
    state = Stopping(Scope(symbols=frozenset({"BTCUSDT"})))
    state.saw([order(2, "ETHUSDT"), order(1)], Book.NORMAL, CALL_MS)
    assert planned(state).orders == 1
    assert state.checked([(Book.NORMAL, order(3, "ETHUSDT"))], CALL_MS) == 0
    assert list(ids(state)) == ["1"]


def test_symbol_without_orders_is_in_the_report_all_the_same() -> None:
    """Who names a symbol wants to read what became of it."""
    state = Stopping(Scope(symbols=frozenset({"BTCUSDT"})))
    (symbol,) = state.symbols(CALL_MS, clear=True, over=False)
    assert (symbol.symbol, symbol.outcome, symbol.orders) == ("BTCUSDT", Outcome.NOTHING_TO_CANCEL, ())


def test_kept_orders_are_neither_planned_nor_counted() -> None:
    """They stand in the report by their ids, and no handle's word about them goes in."""
    state = Stopping(Scope(kept_oids=frozenset({"mine"})))
    kept = order(2, client_oid="mine")
    state.saw([order(1), kept], Book.NORMAL, CALL_MS)
    plan = planned(state)
    assert (plan.orders, plan.kept) == (1, 1)
    assert given_out(state) == [("batch-cancel-order", ("1",))]
    state.told(Book.NORMAL, [fated(order(1), Fate.CANCELLED), fated(kept, Fate.FILLED)])
    assert state.checked([(Book.NORMAL, kept)], CALL_MS) == 0
    (symbol,) = state.symbols(CALL_MS, clear=True, over=False)
    assert symbol.outcome is Outcome.CONFIRMED
    assert symbol.kept == ("2",)
    assert [each.order.order_id for each in symbol.orders] == ["1"]
    assert (state.size, state.ended) == (1, 1)


def test_order_without_a_client_id_is_not_kept_for_an_empty_one() -> None:
    """The exchange shows none for some orders; an empty text is no name."""
    assert not Scope(kept_oids=frozenset({""})).keeps(order(1))


def test_function_is_asked_once_for_each_order() -> None:
    """What it says of an order that was cancelled a moment ago must not make it one that was kept."""
    asked = []

    def keep(row: Order) -> bool:
        asked.append(row.order_id)
        return len(asked) > 1

    state = Stopping(Scope(keep=keep))
    for _ in range(3):
        state.saw([order(1)], Book.NORMAL, CALL_MS)
    assert asked == ["1"]
    assert not state.kept
    state.saw([order(2)], Book.NORMAL, CALL_MS)
    state.saw([order(2)], Book.NORMAL, CALL_MS)
    assert asked == ["1", "2"]
    assert list(state.kept) == [(Book.NORMAL, "2")]


def test_order_about_which_the_function_raises_is_kept_and_named() -> None:
    """It may be the hedge; the stop goes on for the others, and the report says so."""

    def keep(row: Order) -> bool:
        return {"1": False}[row.order_id]

    state = Stopping(Scope(keep=keep))
    state.saw([order(1), order(7)], Book.NORMAL, CALL_MS)
    assert planned(state).orders == 1
    assert list(state.kept) == [(Book.NORMAL, "7")]
    assert list(state.anomalies) == ["keep raised KeyError: order 7 was left alone"]


def test_function_sees_a_trigger_order_as_an_order() -> None:
    """One function for all that a stop includes."""
    seen = []

    def keep(row: Order) -> bool:
        seen.append(row)
        return False

    state = Stopping(Scope(books=(Book.PLAN,), keep=keep))
    state.saw([TriggerOrder(order_id="5", symbol="BTCUSDT", client_oid="t")], Book.PLAN, CALL_MS)
    assert [(type(each), each.order_id, each.client_oid) for each in seen] == [(Order, "5", "t")]


def test_anomalies_are_noted_once_and_not_without_end() -> None:
    """Thousands of orders must not make a report of thousands of lines."""
    state = Stopping(Scope())
    for number in range(2 * MOST_ODD):
        state.odd(f"order {number}")
        state.odd("order 0")
    assert len(state.anomalies) == MOST_ODD


@pytest.mark.parametrize(
    ("scope", "seen", "expected"),
    [
        (Scope(), [order(1)], set()),
        (Scope(kept_oids=frozenset({"a"})), [order(1)], None),
        (Scope(kept_oids=frozenset({"a"})), [order(1, client_oid="a")], {"BTCUSDT"}),
        (Scope(kept_oids=frozenset({"a", "b"})), [order(1, client_oid="a")], None),
        (Scope(keep=lambda _: False), [order(1)], None),
        (Scope(books=(Book.NORMAL, Book.PLAN), kept_oids=frozenset({"a"})), [order(1, client_oid="a")], None),
        (Scope(books=(Book.NORMAL, Book.PLAN)), [order(1)], set()),
    ],
)
def test_symbol_with_an_order_to_keep_is_not_taken_whole(
    scope: Scope, seen: list[Order], expected: set[str] | None
) -> None:
    """Nor any, while one of the ids was not seen: it may be on each of them, and in each list."""
    state = Stopping(scope)
    state.saw(seen, Book.NORMAL, CALL_MS)
    assert state.by_id == expected


def test_at_first_nothing_is_known() -> None:
    """Whoever asks before the first page must not read of a plan."""
    state = Stopping(Scope())
    assert state.plan == StopPlan(commands=(), last_leaves_s=0.0, orders=0)
    assert (state.planned_ns, state.handed, state.through, state.ended, state.size) == (0, 0, 0, 0, 0)
    assert (state.surveyed, state.withdrawn, state.open) == (False, False, None)
    assert state.next("batch-cancel-order", 0) is None


# -- late orders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_ms", "latest_ms", "late"),
    [(CALL_MS, CALL_MS, False), (CALL_MS + 1, CALL_MS, True), (None, CALL_MS, False), (CALL_MS + 1, None, False)],
)
def test_late_is_what_was_created_after_the_call(made_ms: int | None, latest_ms: int | None, late: bool) -> None:
    """By the exchange's clock at its latest; where nobody can tell, it has to go."""
    assert Stopping.late(order(1, made_ms=made_ms), latest_ms) is late


def test_late_orders_are_noted_and_left_where_they_are_to_be_reported() -> None:
    """Neither the first listing nor one after the commands makes them orders to end."""
    state = Stopping(Scope())
    young = order(2, made_ms=CALL_MS + 1)
    state.saw([order(1), young], Book.NORMAL, CALL_MS)
    assert planned(state).orders == 1
    _ = given_out(state)
    assert state.checked([(Book.NORMAL, young), (Book.NORMAL, order(3, made_ms=CALL_MS + 9))], CALL_MS) == 0
    state.told(Book.NORMAL, [fated(order(1), Fate.CANCELLED)])
    assert ids(state) == {
        "1": (Fate.CANCELLED, OrderScope.IN),
        "2": (Fate.OPEN, OrderScope.LATE),
        "3": (Fate.OPEN, OrderScope.LATE),
    }
    assert [each.outcome for each in state.symbols(CALL_MS, clear=True, over=False)] == [Outcome.CONFIRMED]


def test_late_orders_end_like_the_others_where_they_are_to_be_swept() -> None:
    """Also those that arrive after the commands; nothing is late then."""
    state = Stopping(Scope(sweep_late=True))
    state.saw([order(1), order(2, made_ms=CALL_MS + 1)], Book.NORMAL, CALL_MS)
    assert planned(state).orders == 2
    _ = given_out(state)
    assert state.checked([(Book.NORMAL, order(3, made_ms=CALL_MS + 9))], CALL_MS) == 1
    assert ids(state)["3"] == (Fate.OPEN, OrderScope.IN)
    state.told(Book.NORMAL, [fated(order(3, made_ms=CALL_MS + 9), Fate.CANCELLED, OrderScope.LATE)])
    assert ids(state)["3"] == (Fate.CANCELLED, OrderScope.IN)


def test_late_order_that_ended_is_late_still() -> None:
    """A symbol's command may take it; the outcome does not speak of it."""
    state = Stopping(Scope())
    state.told(Book.NORMAL, [fated(order(2, made_ms=CALL_MS + 1), Fate.CANCELLED)])
    assert ids(state) == {"2": (Fate.CANCELLED, OrderScope.LATE)}
    (symbol,) = state.symbols(CALL_MS, clear=True, over=False)
    assert symbol.outcome is Outcome.NOTHING_TO_CANCEL


# -- what is given out ----------------------------------------------------------------------------------------------


def test_each_order_is_given_out_once() -> None:
    """Pages overlap, and are read again: what a command has named, or taken with its symbol, is not named again."""
    state = Stopping(Scope())
    state.saw([order(1), order(2), order(3, "ETHUSDT")], Book.NORMAL, CALL_MS)
    _ = planned(state)
    first = state.next("cancel-symbol-order", 0)
    assert first is not None
    assert first.symbols == ("BTCUSDT",)
    assert (state.handed, state.through, state.out, state.left) == (1, 0, 1, 1)
    state.saw([order(1), order(4), order(3, "ETHUSDT")], Book.NORMAL, CALL_MS)
    _ = planned(state, NAMES_ONLY)
    assert given_out(state) == [("batch-cancel-order", ("3",))]
    state.saw([order(3, "ETHUSDT"), order(5, "ETHUSDT")], Book.NORMAL, CALL_MS)
    _ = planned(state, NAMES_ONLY)
    assert given_out(state) == [("batch-cancel-order", ("5",))]
    assert state.waiting == state.left == 0
    assert not state.waits("batch-cancel-order")


def test_symbol_of_which_an_order_was_named_gets_its_own_command_all_the_same() -> None:
    """That one has its command, and rests; those that a later page shows must not wait for it."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    _ = planned(state, NAMES_ONLY)
    assert given_out(state) == [("batch-cancel-order", ("1",))]
    state.saw([order(2), order(3)], Book.NORMAL, CALL_MS)
    _ = planned(state)
    assert given_out(state) == [("cancel-symbol-order", ("BTCUSDT",))]


def test_rows_of_a_symbol_command_are_all_that_are_known_of_it() -> None:
    """Its handle has to account for each of them, also for one that came with a later page."""
    state = Stopping(Scope())
    state.saw([order(1), order(2), order(3, "ETHUSDT")], Book.NORMAL, CALL_MS)
    state.saw([TriggerOrder(order_id="9", symbol="BTCUSDT")], Book.PLAN, CALL_MS)
    _ = planned(state)
    command = state.next("cancel-symbol-order", 0)
    assert command is not None
    assert [row.order_id for row in state.known(command)] == ["1", "2"]
    state.saw([order(4)], Book.NORMAL, CALL_MS)
    assert [row.order_id for row in state.known(command)] == ["1", "2", "4"]


def test_plan_tells_all_commands_that_were_given_out_too() -> None:
    """It is shown to people: a plan that forgets what has left would count too few."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    state.replan(NAMES_ONLY, 5)
    assert state.planned_ns == 5
    _ = given_out(state)
    state.saw([order(2), order(3)], Book.NORMAL, CALL_MS)
    plan = planned(state, NAMES_ONLY, 7)
    assert [each.order_ids for each in plan.commands] == [("1",), ("2", "3")]
    assert plan.orders == 3
    assert state.planned_ns == 7
    assert state.waiting == 1
    assert state.waits("batch-cancel-order")
    assert not state.waits("cancel-order")


def test_while_pages_come_more_symbols_are_reserved_for_commands_of_their_own() -> None:
    """An order that is named before its symbol is taken whole is a name wasted."""
    few = Quotas(
        Quota("cancel-symbol-order", (0,)),
        Quota("batch-cancel-order", (0,)),
        Quota("cancel-order", ()),
        FREE.trigger_symbol,
        FREE.trigger_single,
    )
    rows = [order(20 * place + each, f"X{place}") for place in range(4) for each in range(10)]
    whole = []
    for surveyed in (False, True):
        state = Stopping(Scope())
        state.saw(rows, Book.NORMAL, CALL_MS)
        state.surveyed = surveyed
        state.replan(few, 0)
        whole.append(sum(not each.order_ids for each in state.plan.commands))
    # Two bursts: 40 names would do, and one symbol can leave at once. Of twice as many orders two symbols have to.
    assert whole == [2, 1]
    assert GROWTH == 2


def test_withdrawn_nothing_is_given_out_any_more() -> None:
    """The caller has left before the first command: whatever another page shows stays as it is."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    _ = planned(state)
    state.withdraw()
    assert state.waiting == 0
    state.saw([order(2)], Book.NORMAL, CALL_MS)
    _ = planned(state)
    assert given_out(state) == []
    assert state.handed == 0


def test_another_round_goes_by_ids_and_leaves_the_plan_as_it_was() -> None:
    """A symbol's command that took nothing is not sent again; the plan is what was meant at first."""
    state = Stopping(Scope())
    state.saw([order(1), order(2)], Book.NORMAL, CALL_MS)
    plan = planned(state)
    assert [endpoint for endpoint, _ in given_out(state)] == ["cancel-symbol-order"]
    state.answered(plan.commands[0], SECOND)
    assert state.checked([(Book.NORMAL, order(1)), (Book.NORMAL, order(2))], CALL_MS) == 2
    assert planned(state, now=3 * SECOND, again=True) is plan
    assert given_out(state, 3 * SECOND) == [("batch-cancel-order", ("1", "2"))]


def test_listing_after_the_commands_says_what_is_left_and_nothing_else_is() -> None:
    """What an older listing showed, and no command was given out for, is not left if this one does not show it."""
    state = Stopping(Scope())
    state.saw([order(1), order(2)], Book.NORMAL, CALL_MS)
    assert state.checked([(Book.NORMAL, order(2))], CALL_MS) == state.left == 1
    assert state.checked([], CALL_MS) == state.left == 0
    assert ids(state) == {"1": (Fate.VANISHED, OrderScope.IN), "2": (Fate.VANISHED, OrderScope.IN)}


# -- a second between two cancels ----------------------------------------------------------------------------------


def test_id_rests_from_the_command_to_a_second_after_its_answer() -> None:
    """The exchange refuses the same id within a second, and nobody knows when a command without an answer arrives."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    _ = planned(state, NAMES_ONLY)
    command = state.next("batch-cancel-order", 0)
    assert command is not None
    _ = state.checked([(Book.NORMAL, order(1))], CALL_MS)
    for now in (0, 20 * SECOND):
        state.replan(NAMES_ONLY, now, again=True)
        assert (state.waiting, state.left) == (0, 1)
    state.answered(command, 21 * SECOND)
    assert (state.through, state.out) == (1, 0)
    state.replan(NAMES_ONLY, 22 * SECOND - 1, again=True)
    assert state.waiting == 0
    state.replan(NAMES_ONLY, 22 * SECOND, again=True)
    assert state.waiting == 1


def test_two_stops_share_what_rests() -> None:
    """An operator who presses twice must not have an id named twice within a second."""
    rests = Rests()
    first, second = Stopping(Scope(), rests), Stopping(Scope(), rests)
    for state in (first, second):
        state.saw([order(1)], Book.NORMAL, CALL_MS)
        _ = planned(state)
    assert given_out(first) == [("cancel-symbol-order", ("BTCUSDT",))]
    # It was planned before the other one acted.
    assert second.waiting == 1
    assert given_out(second) == []
    assert (second.handed, second.waiting, second.left) == (0, 0, 1)
    assert planned(second).resting == ("1",)
    assert given_out(second) == []


# -- what became of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("final", [Fate.CANCELLED, Fate.FILLED, Fate.TRIGGERED, Fate.FAILED])
def test_final_row_stands_for_ever(final: Fate) -> None:
    """Whatever another handle, or a listing from a replica that lags, says later."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    state.told(Book.NORMAL, [fated(order(1), Fate.OPEN)])
    assert state.ended == 0
    state.told(Book.NORMAL, [fated(order(1), final)])
    state.told(Book.NORMAL, [fated(order(1), Fate.OPEN), fated(order(1), Fate.VANISHED)])
    _ = state.checked([(Book.NORMAL, order(1))], CALL_MS)
    assert state.ended == 1
    assert ids(state) == {"1": (final, OrderScope.IN)}


def test_what_is_not_final_is_what_the_last_listing_shows() -> None:
    """A handle may have said "open" long ago; before any listing after the commands all that was seen is open."""
    state = Stopping(Scope())
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    state.told(Book.NORMAL, [fated(order(1), Fate.VANISHED)])
    assert ids(state) == {"1": (Fate.OPEN, OrderScope.IN)}
    _ = state.checked([], CALL_MS)
    state.told(Book.NORMAL, [fated(order(1), Fate.OPEN)])
    assert ids(state) == {"1": (Fate.VANISHED, OrderScope.IN)}
    _ = state.checked([(Book.NORMAL, order(1))], CALL_MS)
    assert ids(state) == {"1": (Fate.OPEN, OrderScope.IN)}


def test_order_that_only_a_handle_knows_counts_like_the_others() -> None:
    """A symbol's command takes orders that no listing of ours showed."""
    state = Stopping(Scope())
    state.told(Book.NORMAL, [fated(order(8), Fate.OPEN)])
    assert state.size == 1
    assert ids(state) == {"8": (Fate.OPEN, OrderScope.IN)}
    _ = state.checked([], CALL_MS)
    assert ids(state) == {"8": (Fate.VANISHED, OrderScope.IN)}


def test_same_id_in_two_lists_is_two_orders() -> None:
    """Trigger orders have ids of their own."""
    state = Stopping(Scope(books=(Book.NORMAL, Book.PLAN)))
    state.saw([order(1)], Book.NORMAL, CALL_MS)
    state.saw([TriggerOrder(order_id="1", symbol="BTCUSDT")], Book.PLAN, CALL_MS)
    state.told(Book.NORMAL, [fated(order(1), Fate.CANCELLED)])
    (symbol,) = state.symbols(CALL_MS, clear=True, over=False)
    assert [(each.fate, each.source) for each in symbol.orders] == [
        (Fate.CANCELLED, "history-orders"),
        (Fate.OPEN, "current-plan-order"),
    ]
    assert state.size == 2


def test_symbols_and_orders_stand_in_order() -> None:
    """Symbols by name, orders by id as numbers: a report is read by people."""
    state = Stopping(Scope())
    state.saw([order(10), order(9), order(3, "ADAUSDT")], Book.NORMAL, CALL_MS)
    found = state.symbols(CALL_MS, clear=False, over=False)
    assert [(each.symbol, [one.order.order_id for one in each.orders]) for each in found] == [
        ("ADAUSDT", ["3"]),
        ("BTCUSDT", ["9", "10"]),
    ]
    assert {one.source for each in found for one in each.orders} == {"unfilled-orders"}
    many = Stopping(Scope(symbols=frozenset("HGFEDCBA")))
    assert [each.symbol for each in many.symbols(CALL_MS, clear=True, over=False)] == list("ABCDEFGH")


@pytest.mark.parametrize("sweep", [False, True])
def test_orders_of_which_nothing_final_is_known_are_asked_for(sweep: bool) -> None:
    """One that ended before a command named it has no handle that looks for its final row."""
    state = Stopping(Scope(kept_oids=frozenset({"mine"}), sweep_late=sweep))
    rows = [order(1), order(2), order(3, client_oid="mine"), order(4, made_ms=CALL_MS + 1)]
    _ = state.checked([(Book.NORMAL, row) for row in rows], CALL_MS)
    state.told(Book.NORMAL, [fated(order(1), Fate.FILLED), fated(order(2), Fate.OPEN)])
    assert state.ask(CALL_MS) == state.left == (2 if sweep else 1)
    _ = planned(state, again=True)
    assert given_out(state) == [("batch-cancel-order", ("2", "4") if sweep else ("2",))]


C, OPEN, V = Fate.CANCELLED, Fate.OPEN, Fate.VANISHED


@pytest.mark.parametrize(
    ("fates", "clear", "over", "outcome"),
    [
        ([], True, False, Outcome.NOTHING_TO_CANCEL),
        ([], False, False, Outcome.UNKNOWN),
        ([C], True, False, Outcome.CONFIRMED),
        ([C, Fate.FILLED, Fate.TRIGGERED, Fate.FAILED], True, False, Outcome.CONFIRMED),
        ([C], False, False, Outcome.UNKNOWN),
        ([C], False, True, Outcome.UNKNOWN),
        ([C, V], True, False, Outcome.UNKNOWN),
        ([C, OPEN], True, False, Outcome.UNKNOWN),
        ([C, OPEN], False, True, Outcome.STILL_OPEN),
        ([OPEN], False, False, Outcome.UNKNOWN),
        ([V], False, True, Outcome.UNKNOWN),
    ],
)
def test_outcome_says_what_is_proven_and_no_more(fates: list[Fate], clear: bool, over: bool, outcome: Outcome) -> None:
    """The table of docs/stopping.md: both the listing and each final row, or nobody says yes."""
    found = [fated(order(place), fate) for place, fate in enumerate(fates)]
    assert outcome_of(found, clear=clear, over=over) is outcome


@pytest.mark.parametrize("fate", [OPEN, V, C])
def test_late_orders_do_not_decide(fate: Fate) -> None:
    """The outcome is about those of before the call."""
    found = [fated(order(1), C), fated(order(2), fate, OrderScope.LATE)]
    assert outcome_of(found, clear=True, over=False) is Outcome.CONFIRMED
    assert outcome_of(found[1:], clear=True, over=False) is Outcome.NOTHING_TO_CANCEL
    assert outcome_of(found[1:], clear=False, over=True) is Outcome.UNKNOWN


# -- exposure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "book", "exposure"),
    [
        (order(1), Book.NORMAL, Decimal(200)),
        (order(1, base_volume=Decimal("0.5")), Book.NORMAL, Decimal(150)),
        (order(1, price=None, trigger_price=Decimal(7)), Book.TPSL, Decimal(14)),
        (order(1, price=Decimal(0), trigger_price=Decimal(7)), Book.TPSL, Decimal(14)),
        (order(1, price=None), Book.NORMAL, None),
        (order(1, size=None), Book.NORMAL, None),
        (
            TriggerOrder(order_id="1", symbol="BTCUSDT", size=Decimal(3), trigger_price=Decimal(5)),
            Book.PLAN,
            Decimal(15),
        ),
        (
            TriggerOrder(
                order_id="1",
                symbol="BTCUSDT",
                size=Decimal(3),
                trigger_price=Decimal(5),
                execute_price=Decimal(4),
                plan_type=PlanType.TOTAL,
            ),
            Book.PLAN,
            Decimal(3),
        ),
    ],
)
def test_exposure_is_price_times_what_is_left(row: Order | TriggerOrder, book: Book, exposure: Decimal | None) -> None:
    """In quote coin; a size in quote coin is one already, and what is not known is not guessed."""
    state = Stopping(Scope(books=(book,)))
    state.saw([row], book, CALL_MS)
    (command,) = planned(state).commands
    assert command.exposure == exposure
