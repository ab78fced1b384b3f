"""What rows say of orders, row by row: what counts as open, what is news, what is forgotten."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from bitget_async.evidence import Book, Listing, Page
from bitget_async.models import Order, OrderStatus, OrderUpdate, TriggerOrder
from bitget_async.models.glances import Glances, OrderGlance
from bitget_async.tracking import Sureness, Tracking
from bitget_async.tracking.ledger import REMEMBERED, Ledger

T0 = 1_750_000_000_000
NOW_MS = T0 + 10_000
LATER_MS = T0 + 1_000_000
STALE_MS = 2_000
BTC, ETH = "BTCUSDT", "ETHUSDT"


def row(number: int, status: str = "live", at_ms: int = 0, kind: type[Order] = Order, **more: Any) -> Any:
    """A row that says: this since that many ms after T0."""
    more = {"symbol": BTC, "base_volume": Decimal(0), "created_ms": T0 + min(at_ms, 0), **more}
    return kind(order_id=str(number), status=OrderStatus(status), updated_ms=T0 + at_ms, **more)


def push(number: int, status: str = "live", at_ms: int = 0, **more: Any) -> OrderUpdate:
    """The same, pushed."""
    update: OrderUpdate = row(number, status, at_ms, OrderUpdate, **more)
    return update


def listing(*rows: Order, at_ms: int, symbol: str | None = None) -> Listing:
    """A complete one that was served that many ms after T0."""
    return Listing(symbol, at_ms * 1_000_000, T0 + at_ms, rows, True)


def ledger() -> Ledger:
    """An empty one, whose tracker began at T0."""
    made = Ledger(STALE_MS, lambda what: None)
    made.since_ms = T0
    return made


def open_ids(made: Ledger, symbol: str = BTC) -> list[str]:
    """What counts as open."""
    return [known.order.order_id for known in made.open_of(symbol)]


def test_a_listing_takes_away_no_order_that_it_can_be_too_old_to_show() -> None:
    """The push of a young order is newer than the listing that was asked for after it."""
    made = ledger()
    assert made.pushed(push(1, at_ms=8_500), NOW_MS) is not None
    assert made.listed(listing(at_ms=10_000), LATER_MS) == []
    assert open_ids(made) == ["1"]
    assert made.listed(listing(at_ms=10_501), LATER_MS) == []
    assert open_ids(made) == []
    assert made.missing == {"1"}


def test_a_listing_may_show_an_order_that_a_push_has_ended() -> None:
    """The push wins: nothing that ended opens again, and the reader is not told that it did."""
    made = ledger()
    assert made.pushed(push(1, "cancelled", at_ms=9_000), NOW_MS) is not None
    assert made.listed(listing(row(1), at_ms=9_100), LATER_MS) == []
    assert open_ids(made) == []
    assert not made.missing


def test_a_late_push_of_an_open_order_proves_that_it_was_open_then_and_not_now() -> None:
    """A listing has been read that would show it: it is asked for, and not called open."""
    made = ledger()
    assert made.listed(listing(at_ms=10_000), LATER_MS) == []
    assert made.pushed(push(1, at_ms=7_999), NOW_MS) is not None
    assert open_ids(made) == []
    assert made.missing == {"1"}
    assert made.pushed(push(2, at_ms=8_000), NOW_MS) is not None
    assert open_ids(made) == ["2"]


def test_a_row_from_the_future_is_worth_no_more_than_the_moment_of_its_telling() -> None:
    """Else one wrong clock at the exchange would keep an order open for ever."""
    made = ledger()
    assert made.pushed(push(1, at_ms=10**9), NOW_MS) is not None
    assert made.listed(listing(at_ms=12_001), LATER_MS) == []
    assert made.missing == {"1"}


def test_a_row_without_times_is_open_for_as_long_as_nothing_contradicts() -> None:
    """It says nothing of when: the listings do."""
    made = ledger()
    assert made.listed(listing(Order(order_id="1", symbol=BTC, status=OrderStatus.LIVE), at_ms=5_000), LATER_MS)
    assert open_ids(made) == ["1"]
    assert made.listed(listing(at_ms=5_001), LATER_MS) == []
    assert made.missing == {"1"}


def test_a_listing_of_one_symbol_says_nothing_of_another() -> None:
    """The watcher lists symbol by symbol."""
    made = ledger()
    for each in (push(1), push(2, symbol=ETH)):
        assert made.pushed(each, NOW_MS) is not None
    assert made.listed(listing(at_ms=9_000, symbol=ETH), LATER_MS) == []
    assert (open_ids(made), open_ids(made, ETH)) == (["1"], [])
    assert made.floor_ms == 0
    assert made.floor_of(ETH) == T0 + 7_000
    assert made.listed(listing(row(1), at_ms=10_000), LATER_MS) == []
    assert made.floor_of(ETH) == made.floor_of(BTC) == T0 + 8_000
    assert made.symbols == (BTC,)


def test_of_two_listings_the_later_one_counts_in_whichever_order_they_come() -> None:
    """Reads overlap: an answer that was asked for earlier may come later."""
    made = ledger()
    assert [each.order_id for each in made.listed(listing(row(1), at_ms=10_000), LATER_MS)] == ["1"]
    assert made.listed(listing(row(2, at_ms=-9), at_ms=5_000), LATER_MS) == []
    assert open_ids(made) == ["1"]
    assert made.missing == {"2"}


def test_what_was_open_before_the_tracker_began_is_no_news_and_its_end_is() -> None:
    """Readers hear of changes; what is open already is for whoever asks."""
    made = ledger()
    assert made.listed(listing(row(1, at_ms=-5_000), at_ms=100), LATER_MS) == []
    assert open_ids(made) == ["1"]
    assert made.pushed(push(1, at_ms=-5_000), NOW_MS) is None
    assert made.looked_up([row(2, "filled", at_ms=-1)], "history-orders", NOW_MS) == []
    (ended,) = made.looked_up([row(1, "cancelled", at_ms=200)], "history-orders", NOW_MS)
    assert (type(ended), ended.source, ended.status) == (OrderUpdate, "history-orders", OrderStatus.CANCELLED)


@pytest.mark.parametrize(
    ("second", "news"),
    [
        (push(1, "partially_filled", 500, base_volume=Decimal(3), price=Decimal(5)), False),
        (push(1, "partially_filled", 501, base_volume=Decimal(3), price=Decimal(5)), False),
        (push(1, "partially_filled", 501, base_volume=Decimal("3.0"), price=Decimal("5.00")), False),
        (push(1, "partially_filled", 501, base_volume=None, price=Decimal(5)), False),
        (push(1, "partially_filled", 501, base_volume=Decimal(3), price=Decimal(0)), False),
        (push(1, "partially_filled", 501, base_volume=Decimal(3)), False),
        (push(1, "partially_filled", 400, base_volume=Decimal(2), price=Decimal(5)), False),
        (push(1, "partially_filled", 600, base_volume=Decimal(2), price=Decimal(5)), False),
        (push(1, "live", 600, base_volume=Decimal(3), price=Decimal(5)), False),
        (push(1, "partially_filled", 499, base_volume=Decimal(3), price=Decimal(6)), False),
        (push(1, "partially_filled", 500, base_volume=Decimal(3), price=Decimal(6)), False),
        (push(1, "partially_filled", 501, base_volume=Decimal(3), price=Decimal(6)), True),
        (push(1, "partially_filled", 500, base_volume=Decimal(4), price=Decimal(5)), True),
        (push(1, "partially_filled", 499, base_volume=Decimal(4), price=Decimal(5)), True),
        (push(1, "filled", 500, base_volume=Decimal(3), price=Decimal(5)), True),
        (push(1, "canceled", 400, base_volume=None), True),
        (push(1, "weighing", 500, base_volume=Decimal(3), price=Decimal(5)), True),
    ],
)
def test_what_is_news_after_a_part_fill(second: OrderUpdate, news: bool) -> None:
    """More filled, ended, changed: news. The same again, an older state, another time alone: none."""
    made = ledger()
    assert made.pushed(push(1), NOW_MS) is not None
    first = push(1, "partially_filled", 500, base_volume=Decimal(3), price=Decimal(5))
    assert made.pushed(first, NOW_MS) is not None
    assert (made.pushed(second, NOW_MS) is not None) is news
    assert made.pushed(second, NOW_MS) is None


def test_the_two_pushes_of_a_recorded_market_order_are_two() -> None:
    """Partially filled with everything, then filled, in the same millisecond (recorded 2026-03-25)."""
    made = ledger()
    assert made.pushed(push(1, "partially_filled", 5, base_volume=Decimal("10.7623")), NOW_MS) is not None
    assert made.pushed(push(1, "filled", 5, base_volume=Decimal("10.7623")), NOW_MS) is not None


def test_final_absorbs() -> None:
    """Whatever comes later, of whichever source, the first end stands and is told once."""
    made = ledger()
    assert made.pushed(push(1, "filled"), NOW_MS) is not None
    for status in ("filled", "cancelled", "live"):
        assert made.pushed(push(1, status, 100), NOW_MS) is None
        assert made.looked_up([row(1, status, 100)], "orderInfo", NOW_MS) == []
    assert open_ids(made) == []


def test_an_order_with_an_unknown_status_is_told_and_not_called_open_unless_it_is_listed() -> None:
    """A new text of the exchange proves nothing, and the list of open orders is its word all the same."""
    made = ledger()
    assert made.pushed(push(1, "weighing", 9_000), NOW_MS) is not None
    assert made.missing == {"1"}
    assert made.listed(listing(row(1, "weighing", 9_000), at_ms=10_000), LATER_MS) == []
    assert open_ids(made) == ["1"]
    many = [made.pushed(push(1, f"text {number}", 9_000), NOW_MS) for number in range(100)]
    assert all(many)
    assert len(next(made.open_of(BTC)).told) <= 8


def test_a_final_row_in_the_open_listing_is_final() -> None:
    """A row with an id and a final status proves the end, wherever it stands."""
    made = ledger()
    assert made.pushed(push(1), NOW_MS) is not None
    assert [each.status for each in made.listed(listing(row(1, "filled", 900), at_ms=1_000), LATER_MS)] == [
        OrderStatus.FILLED
    ]
    assert open_ids(made) == []


def test_order_info_is_as_old_as_it_may_be() -> None:
    """Its row shows the order open two seconds before the answer, not at it; the history's row when it says."""
    made = ledger()
    assert made.listed(listing(at_ms=5_000), LATER_MS) == []
    assert made.looked_up([row(1)], "orderInfo", T0 + 4_999)
    assert made.missing == {"1"}
    assert made.looked_up([row(1)], "orderInfo", T0 + 5_000) == []
    assert open_ids(made) == ["1"]
    assert made.looked_up([row(2, at_ms=2_999)], "history-orders", T0 + 60_000)
    assert made.missing == {"2"}


def test_what_has_no_id_is_left_out_and_noted() -> None:
    """Nothing can be said of it."""
    odd: list[str] = []
    made = Ledger(STALE_MS, odd.append)
    assert made.pushed(push(0).__class__(order_id="", symbol=BTC), NOW_MS) is None
    assert made.expect(Order(order_id="x", symbol=BTC)) is False
    assert odd == ["an order came without an id"]


def test_thousands_of_ends_later_an_order_is_not_told_again() -> None:
    """Memory is bounded: of what was created before the last one forgotten, only what is open now counts."""
    made = ledger()
    for number in range(1, REMEMBERED + 101):
        assert made.pushed(push(number, "filled", number, created_ms=T0 + number), NOW_MS) is not None
    assert len(made._ended) == REMEMBERED
    for number in (1, 100):
        late: dict[str, Any] = {"created_ms": T0 + number}
        assert made.pushed(push(number, "filled", number, **late), NOW_MS) is None
        assert made.looked_up([row(number, "filled", number, **late)], "history-orders", NOW_MS) == []
    assert made.listed(listing(at_ms=9_000), LATER_MS) == []
    assert made.pushed(push(7, at_ms=7, created_ms=T0 + 7), NOW_MS) is None
    assert not made.missing
    assert made.listed(listing(row(50_000, created_ms=T0), at_ms=9_500), LATER_MS)
    assert open_ids(made) == ["50000"]


def test_an_unknown_text_that_comes_again_is_no_news() -> None:
    """Texts that we cannot order are told once each at the same amount."""
    made = ledger()
    told = [made.pushed(push(1, text, 9_000), NOW_MS) is not None for text in ("a", "b", "a", "b", "live", "a", "live")]
    assert told == [True, True, False, False, True, False, False]
    assert made.pushed(push(1, "a", 9_000, base_volume=Decimal(1)), NOW_MS) is not None
    assert made.pushed(push(1, "live", 9_000, base_volume=Decimal(1)), NOW_MS) is not None


def test_the_order_is_as_it_was_told_last() -> None:
    """The same state from a later row may know more of it; an older row takes nothing back."""
    made = ledger()
    assert made.pushed(push(1, at_ms=500), NOW_MS) is not None
    assert made.listed(listing(row(1, at_ms=500, quote_volume=Decimal(0)), at_ms=9_000), LATER_MS) == []
    (known,) = made.open_of(BTC)
    assert (known.source, known.order.quote_volume) == ("unfilled-orders", Decimal(0))
    assert made.pushed(push(1, at_ms=499), NOW_MS) is None
    assert known.source == "unfilled-orders"
    assert made.pushed(OrderUpdate(order_id="1", symbol=BTC, status=OrderStatus.LIVE), NOW_MS) is None
    assert known.source == "orders"
    assert made.pushed(push(1, at_ms=1), NOW_MS) is None
    assert known.order.updated_ms == T0 + 1


def test_symbols_stand_in_order_and_only_with_open_orders() -> None:
    """Whoever walks over them meets no empty one."""
    made = ledger()
    for number, symbol in enumerate(("ETHUSDT", "BTCUSDT", "BGBUSDT"), 1):
        assert made.pushed(push(number, at_ms=9_000, symbol=symbol), NOW_MS) is not None
    assert list(made.symbols) == ["BGBUSDT", "BTCUSDT", "ETHUSDT"]
    assert made.listed(listing(row(1, symbol="ETHUSDT"), at_ms=20_000), LATER_MS) == []
    assert list(made.symbols) == ["ETHUSDT"]
    assert made.missing == {"2", "3"}


def test_floors_of_symbols_are_kept_while_they_are_newer_only() -> None:
    """The watcher may list a thousand symbols once."""
    made = ledger()
    for number in range(100):
        assert made.listed(listing(at_ms=5_000, symbol=f"A{number}USDT"), LATER_MS) == []
    assert made.listed(listing(at_ms=9_000, symbol=BTC), LATER_MS) == []
    assert made.listed(listing(at_ms=5_000), LATER_MS) == []
    assert made._floors == {BTC: T0 + 7_000}
    assert made.listed(listing(at_ms=8_000, symbol=BTC), LATER_MS) == []
    assert made.floor_of(BTC) == T0 + 7_000


def test_an_order_is_forgotten_by_when_it_was_created_whoever_told_that() -> None:
    """Its last row may leave that out."""
    made = ledger()
    assert made.pushed(push(1, created_ms=T0 + 500), NOW_MS) is not None
    assert made.pushed(push(1, "filled", created_ms=None), NOW_MS) is not None
    assert made.pushed(push(2, "filled", created_ms=None), NOW_MS) is not None
    for number in range(3, REMEMBERED + 3):
        assert made.pushed(push(number, "filled", 9_000, created_ms=T0 + 9_000), NOW_MS) is not None
    assert made._forgotten_ms == T0 + 500
    assert made.pushed(push(90_000, "filled", created_ms=T0 + 500), NOW_MS) is None
    assert made.pushed(push(90_001, "filled", created_ms=None), NOW_MS) is None
    assert made.pushed(push(90_002, "filled", created_ms=T0 + 501), NOW_MS) is not None


def test_an_order_that_nobody_knows_of_is_given_up() -> None:
    """It is neither open nor missing then; a word of it would be news."""
    made = ledger()
    assert made.expect(Order(order_id="1", symbol=BTC)) is True
    assert made.expect(Order(order_id="1", symbol=BTC)) is False
    assert made.missing == {"1"}
    assert open_ids(made) == []
    made.give_up("1")
    made.give_up("1")
    assert not made.missing
    assert made._of == {}
    assert made.pushed(push(1, "filled"), NOW_MS) is not None


# -- what the tracker makes of it --------------------------------------------------------------------------------


def tracking() -> Tracking:
    """LIVE since T0, at 2 s."""
    made = Tracking(STALE_MS / 1_000, random.Random(1), lambda what: None)
    made.connected(0, T0)
    assert made.listed(listing(at_ms=2_000), 2_000_000_000, NOW_MS) == []
    return made


def test_the_snapshot_is_given_while_it_is_live_only() -> None:
    """A cancellation may lean on it: it must not be one that a listing of its own would correct."""
    made = tracking()
    assert made.pushed([push(1), push(2, symbol=ETH)], 0, NOW_MS)
    snapshot = made.snapshot(BTC, 3_000_000_000, T0 + 3_000_000_000 // 1_000_000)
    assert snapshot is not None
    assert [order.order_id for order in snapshot] == ["1"]
    assert made.snapshot("BGBUSDT", 3_000_000_000, T0 + 3_000_000_000 // 1_000_000) == ()
    assert made.snapshot(BTC, 31_000_000_000, T0 + 31_000_000_000 // 1_000_000) is None
    made.disconnected()
    assert made.snapshot(BTC, 3_000_000_000, T0 + 3_000_000_000 // 1_000_000) is None


def test_lists_of_other_books_are_nothing_to_it() -> None:
    """Stand-alone take-profit orders have a list of their own: an empty one takes no normal order away."""
    made = tracking()
    assert made.pushed([push(1, at_ms=100)], 0, NOW_MS)
    assert made.listed(Listing(None, 0, T0 + 60_000, (row(9),), True, Book.TPSL), 0, NOW_MS) == []
    assert made.looked_up(Page("history-orders", None, 0, T0, (row(1, "filled"),), book=Book.TPSL), 0, NOW_MS) == []
    assert made.missing == 0
    assert made.symbols == (BTC,)


def test_rows_of_orders_that_have_ended_are_not_even_made_whole() -> None:
    """Most of a history page is old: to make a record of each of its rows is most of what the page costs."""
    made = tracking()
    assert made.pushed([push(1, "filled")], 0, NOW_MS)
    old = OrderGlance(order_id="1", symbol=BTC, status=OrderStatus.FILLED)
    unread = Glances((old,), b"to make a row of this would fail")
    page = Page("history-orders", None, 0, T0, (old,), glances=unread)
    assert made.looked_up(page, 0, NOW_MS) == []


def test_a_tracked_order_says_how_long_it_may_have_ended() -> None:
    """Age counts from the newest moment for which it was shown open, by whatever told it."""
    made = tracking()
    assert made.pushed([push(12, at_ms=1_500), push(1, at_ms=1_000)], 0, NOW_MS)
    one, other = made.of(BTC, 3_000_000_000, NOW_MS)
    assert (one.order.order_id, one.seen_ms, one.age_s, one.source) == ("1", T0 + 1_000, 9.0, "orders")
    assert (other.order.order_id, other.sureness) == ("12", Sureness.LIVE)
    assert made.listed(listing(row(1), row(12), at_ms=9_000), 9_000_000_000, NOW_MS) == []
    assert [each.age_s for each in made.of(BTC, 10_000_000_000, NOW_MS)] == [3.0, 3.0]
    assert made.as_of_ms == T0 + 7_000
    # By an estimate of the exchange's clock that is a little behind.
    assert [each.age_s for each in made.of(BTC, 10_000_000_000, T0)] == [0.0, 0.0]


def test_an_answer_about_one_order_is_not_believed_from_the_future_either() -> None:
    """It would keep the order open against the listings of a day."""
    made = tracking()
    page = Page("orderInfo", None, 0, T0 + 10**9, (row(1),), asked="1")
    assert made.looked_up(page, 0, NOW_MS)
    assert [each.seen_ms for each in made.of(BTC, 0, NOW_MS)] == [NOW_MS - STALE_MS]


def test_a_push_that_leaves_a_question_has_it_asked_at_once() -> None:
    """No other fact need come first."""
    made = Tracking(STALE_MS / 1_000, random.Random(1), lambda what: None)
    made.connected(0, T0)
    assert made.pushed([push(1, "weighing")], 0, NOW_MS)
    assert [read.order_id for read in made.due(0)] == [None, "1"]


def test_a_placement_that_was_heard_of_is_not_asked_for() -> None:
    """The push may come before the answer of the command."""
    made = tracking()
    assert made.pushed([push(1), push(2, "filled")], 0, NOW_MS)
    for number in (1, 2, 3):
        made.placed(Order(order_id=str(number), symbol=BTC), 0, NOW_MS)
    assert made.missing == 1


def test_facts_before_the_stream_is_used_are_nothing_to_it() -> None:
    """A client without a stream keeps no books: they would grow and nobody would correct them."""
    made = Tracking(2.0, random.Random(1), lambda what: None)
    made.placed(Order(order_id="1", symbol=BTC), 0, NOW_MS)
    assert made.listed(listing(row(1), at_ms=0), 0, NOW_MS) == []
    assert made.looked_up(Page("orderInfo", None, 0, T0, (row(1),)), 0, NOW_MS) == []
    assert (made.missing, made.symbols, made.wake_ns(0)) == (0, (), None)


def test_a_stamp_from_the_future_is_not_believed() -> None:
    """A listing that says it was served tomorrow would else be the newest one until tomorrow."""
    made = tracking()
    assert made.pushed([push(1, at_ms=100)], 0, NOW_MS)
    assert made.listed(Listing(None, 9_000_000_000, T0 + 10**9, (row(1),), True), 10_000_000_000, NOW_MS) == []
    assert made.as_of_ms == NOW_MS - STALE_MS
    later = listing(row(1), at_ms=29_000)
    assert made.listed(later, 30_000_000_000, T0 + 30_000) == []
    assert made.as_of_ms == T0 + 27_000
    assert [each.order.order_id for each in made.of(BTC, 30_000_000_000, T0 + 30_000)] == ["1"]


def test_an_old_copy_of_a_listing_does_not_pass_for_a_new_one() -> None:
    """Its stamp says how old it is: what it shows is not LIVE for half a minute from now."""
    made = tracking()
    assert made.sureness(31_000_000_000, T0 + 30_000) is Sureness.STALE
    assert made.listed(Listing(None, 31_000_000_000, T0 + 2_500, (), True), 31_000_000_000, T0 + 31_000) == []
    assert made.sureness(31_000_000_000, T0 + 31_000) is Sureness.STALE


def test_rows_that_are_no_orders_are_left_out() -> None:
    """The shape of a fact allows for trigger orders."""
    made = ledger()
    trigger: Any = TriggerOrder(order_id="1", symbol=BTC)
    assert made.listed(listing(trigger, at_ms=1_000), LATER_MS) == []
    assert made.looked_up([trigger], "history-orders", LATER_MS) == []
    assert made.symbols == ()
