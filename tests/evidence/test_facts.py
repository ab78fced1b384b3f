"""Commands, their moments, and the forms in which reads become facts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bitget_async.evidence import Assumptions, Book, Certainty, Command, Listing, Page, Verdict, Want
from bitget_async.models import OrderStatus
from bitget_async.models.glances import Glances, OrderGlance
from tests.evidence.making import SIGNED_NS, T_MS, bounds, done, edited, ms, ns, page


def command(ahead_ms: int = 0, clock: object = bounds, **fields: object) -> Command:
    """A command whose timestamp is that much ahead of the middle of the bounds."""
    made = Command(bounds_ms=clock, **fields)  # type: ignore[arg-type]
    made.signed(SIGNED_NS, T_MS + ahead_ms)
    return made


def test_a_command_knows_when_it_was_signed_and_how_well() -> None:
    """By the bounds of the exchange's clock at that moment, as they are known when they are asked for."""
    made = command()
    assert (made.signed_ns, made.signed_ms) == (SIGNED_NS, T_MS)
    assert made.sign_bounds == (T_MS - 5, T_MS + 5)
    assert made.clock_error_ms == 10
    assert (made.certainty, made.answered_ns, made.heard) == (Certainty.PENDING, None, False)
    assert made.stamped
    assert not Command(bounds_ms=bounds).stamped
    unknown = command(clock=lambda at_ns: None)
    assert (unknown.sign_bounds, unknown.clock_error_ms) == (None, 0)


@pytest.mark.parametrize(
    ("ahead_ms", "accepted_s", "horizon_s"),
    [
        (0, 30, 42.005),
        (1_000, 30, 43.005),
        # A timestamp from the future is refused when it is more than 30 s ahead.
        (60_000, 30, 72),
        # Behind: it is accepted for a shorter time, which is not counted upon.
        (-3_000, 30, 42),
        (0, 5, 17.005),
        (2_000, 5, 19.005),
    ],
)
def test_the_horizon_is_when_it_can_do_nothing_any_more(ahead_ms: int, accepted_s: int, horizon_s: float) -> None:
    """Accepted for that long after its timestamp; acting for 10 s; shown by a read that is 2 s old at most."""
    assert command(ahead_ms, accepted_for_ns=accepted_s * 10**9).horizon_ns == ns(horizon_s)


def test_an_unknown_clock_adds_nothing_to_the_horizon() -> None:
    """Nobody knows how far ahead the timestamp was; the window and the grace still count."""
    assert command(clock=lambda at_ns: None).horizon_ns == ns(42)


def test_after_the_answer_it_acts_a_while_but_does_not_begin() -> None:
    """The grace and the staleness count from there; before the answer from the signing."""
    made = command(assumptions=Assumptions(staleness_s=1, execution_grace_s=4))
    assert made.deciding_ns == ns(1)
    assert made.finished_ns == ns(5)
    made.answered(Certainty.MAYBE, ns(3))
    assert (made.certainty, made.answered_ns) == (Certainty.MAYBE, ns(3))
    assert made.finished_ns == ns(8)


@pytest.mark.parametrize(
    ("book", "source"),
    [(Book.NORMAL, "unfilled-orders"), (Book.TPSL, "unfilled-orders"), (Book.PLAN, "current-plan-order")],
)
def test_a_listing_is_named_as_the_exchange_names_the_call(book: Book, source: str) -> None:
    """That is what reports say told them."""
    assert Listing("BTCUSDT", ns(0), ms(0), (), True, book).source == source


def test_a_page_counts_the_ids_that_can_be_read() -> None:
    """The cursor of the next page is made of them."""
    rows = (done(3), edited(done(2), order_id="?"), done(1))
    made = page(1, *rows)
    assert made.numbers == (int(rows[0].order_id), int(rows[2].order_id))
    assert "numbers" not in repr(made)


def test_the_rows_of_a_page_are_made_whole_now_or_later() -> None:
    """A page is only looked at, and most of its rows concern nobody; the others must still tell all that was told."""
    seen = OrderGlance(order_id="7", symbol="BTCUSDT", status=OrderStatus.CANCELLED)
    body = b'{"data":[{"orderId":"7","symbol":"BTCUSDT","status":"cancelled","size":"3"}]}'
    looked = Page("history-orders", "BTCUSDT", ns(1), ms(1), (seen,), glances=Glances((seen,), body))
    whole = looked.whole(seen)
    assert (whole, looked.later(seen)()) == (whole, whole)
    assert (whole.order_id, whole.unreadable, getattr(whole, "size", None)) == ("7", (), Decimal(3))
    row = done()
    assert page(1, row).whole(row) is page(1, row).later(row)() is row


def test_a_page_is_the_last_one_only_if_that_is_said() -> None:
    """Nobody may believe by silence that nothing lies below it."""
    assert not Page("history-orders", "BTCUSDT", ns(0), ms(0), ()).last


def test_what_stands_in_journals_is_spelt_as_it_was() -> None:
    """A handle of an earlier process is read by these texts."""
    assert [each.value for each in Book] == ["normal", "tpsl", "plan"]
    assert [each.value for each in Certainty] == ["pending", "acked", "maybe", "refused"]
    assert [each.value for each in Want] == ["final", "present", "changed"]
    assert [each.value for each in Verdict] == ["done", "not done"]
    assert Assumptions() == Assumptions(staleness_s=2.0, execution_grace_s=10.0)
