"""The report of a stop, from what was seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bitget_async.evidence import Book
from bitget_async.models import Fate, Order, OrderFate, Outcome, StopReport
from bitget_async.models import Scope as OrderScope
from bitget_async.stopping import Scope, Stopping
from bitget_async.stopping.report import Found, report_of

CALL_MS = 1_700_000_000_000
ROW = Order(order_id="1", symbol="BTCUSDT", created_ms=CALL_MS - 5)


def report(state: Stopping, **given: Any) -> StopReport:
    """With these findings; all is well where nothing else is said."""
    usual: dict[str, Any] = {
        "clear": True,
        "over": False,
        "read": True,
        "reason": "",
        "latest_ms": CALL_MS,
        "covers_ms": CALL_MS + 900,
        "began_ms": CALL_MS - 3,
        "clear_ms": CALL_MS + 800,
        "now_ms": CALL_MS + 2_000,
        "attempts": 4,
        "requests": Counter({"unfilled-orders": 2}),
        "staleness_s": 2.0,
        "grace_s": 10.0,
    }
    return report_of(state, Found(**{**usual, **given}))


def ended(state: Stopping, row: Order = ROW) -> Stopping:
    """One order of it is proven cancelled."""
    fate = OrderFate(order=row, fate=Fate.CANCELLED, scope=OrderScope.IN, source="history-orders")
    state.told(Book.NORMAL, [fate])
    return state


def test_report_says_what_was_found() -> None:
    """Each field from where it belongs."""
    state = ended(Stopping(Scope()))
    state.odd("something")
    made = report(state)
    assert (made.outcome, made.reason) == (Outcome.CONFIRMED, "")
    assert (made.began_at_ms, made.clear_at_ms, made.settled_at_ms) == (CALL_MS - 3, CALL_MS + 800, CALL_MS + 2_000)
    assert (made.attempts, dict(made.requests)) == (4, {"unfilled-orders": 2})
    assert made.anomalies == ("something",)
    assert made.plan is state.plan
    assert [each.symbol for each in made.symbols] == ["BTCUSDT"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"clear": True}, "vanished"),
        ({"clear": False}, "deadline"),
        ({"clear": False, "read": False}, "unreadable"),
        ({"clear": False, "reason": "client_closed"}, "client_closed"),
        ({"clear": True, "reason": "internal"}, "internal"),
    ],
)
def test_unknown_has_a_reason(given: dict[str, Any], reason: str) -> None:
    """Gone without a final row, still there when time was up, never read, or an end from outside."""
    state = Stopping(Scope())
    state.saw([ROW], Book.NORMAL, CALL_MS)
    made = report(state, **given)
    assert (made.outcome, made.reason) == (Outcome.UNKNOWN, reason)


def test_what_is_proven_has_no_reason() -> None:
    """Also if the client is closed in that very moment."""
    assert report(ended(Stopping(Scope())), reason="client_closed").reason == ""


@pytest.mark.parametrize(
    ("sweep", "latest_ms", "covers_ms", "expected"),
    [
        (False, CALL_MS, CALL_MS + 900, CALL_MS),
        (True, CALL_MS, CALL_MS + 900, CALL_MS + 900),
        (True, CALL_MS, None, CALL_MS),
        (False, None, CALL_MS + 900, CALL_MS - 3),
    ],
)
def test_report_speaks_of_orders_created_by_the_call_or_by_the_last_listing(
    sweep: bool, latest_ms: int | None, covers_ms: int | None, expected: int
) -> None:
    """With "sweep" the listing decides; where nobody knows the exchange's clock, our estimate does."""
    state = Stopping(Scope(sweep_late=sweep))
    made = report(state, latest_ms=latest_ms, covers_ms=covers_ms)
    assert made.covers_ms == expected
    assert made.assumptions["late"] == ("sweep" if sweep else "report")


def test_late_orders_are_named() -> None:
    """So that somebody can look after them."""
    state = ended(Stopping(Scope()))
    state.saw([Order(order_id="2", symbol="BTCUSDT", created_ms=CALL_MS + 1)], Book.NORMAL, CALL_MS)
    made = report(state)
    assert made.late == ("2",)
    assert [each.order.order_id for each in made.cancelled] == ["1"]
    assert made.still_open == ()


def test_lists_that_were_not_touched_are_named() -> None:
    """A stop that leaves trigger orders must say so."""
    assert report(Stopping(Scope())).assumptions["not_touched"] == (
        "tpsl orders, trigger (plan) orders, margin orders, other sub-accounts"
    )
    assert report(Stopping(Scope(books=tuple(Book)))).assumptions["not_touched"] == "margin orders, other sub-accounts"
    assert report(Stopping(Scope())).assumptions["staleness_s"] == "2"
    assert report(Stopping(Scope())).assumptions["execution_grace_s"] == "10"
