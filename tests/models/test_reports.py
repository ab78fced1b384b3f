"""Reports: views by fate, plain values, no truth value, no changes."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from bitget_async.models import (
    CancellationReport,
    Fate,
    Modification,
    ModificationReport,
    Order,
    OrderFailure,
    OrderFate,
    OrderStatus,
    OrderType,
    Outcome,
    Placement,
    PlacementOutcome,
    PlacementReport,
    Replacement,
    ReplacementOutcome,
    ReplacementReport,
    Scope,
    Side,
    TriggerOrder,
    TriggerStatus,
)
from bitget_async.models.reports import final_fate, order_fate, order_view

COMMON: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "reason": "",
    "acknowledged": True,
    "signed_at_ms": 1,
    "acknowledged_at_ms": None,
    "settled_at_ms": 2,
    "attempts": 1,
    "requests": MappingProxyType({"place-order": 1}),
    "anomalies": ("odd",),
    "assumptions": MappingProxyType({"staleness_s": "2"}),
}
ROW = Order(
    order_id="7",
    symbol="BTCUSDT",
    status=OrderStatus("zz"),
    side=Side.BUY,
    price=Decimal("50000.10"),
    fee_detail=msgspec.Raw(b'{"newFees":{"t":"-0.1"}}'),
)
PLAN = TriggerOrder(
    order_id="9",
    client_oid="t",
    symbol="BTCUSDT",
    size=Decimal(1),
    trigger_price=Decimal(7),
    execute_price=Decimal(8),
    status=TriggerStatus.EXECUTED,
    order_type=OrderType.LIMIT,
    side=Side.SELL,
    enter_point_source="API",
    created_ms=1_750_000_000_005,
    updated_ms=1_750_000_000_006,
)


def fated(number: int, fate: Fate, scope: Scope = Scope.IN) -> OrderFate:
    """One order and its fate."""
    return OrderFate(order=Order(order_id=str(number)), fate=fate, scope=scope, source="client")


def placement(outcome: PlacementOutcome) -> Placement:
    """One new order."""
    refusal = OrderFailure(client_oid="a", error_code="43012", error_msg="low")
    return Placement(
        client_oid="a", order_id="7", outcome=outcome, order=ROW, source="orderInfo", server_ms=3, refusal=refusal
    )


REPORTS: list[Any] = [
    CancellationReport(
        outcome=Outcome.STILL_OPEN,
        orders=(fated(1, Fate.OPEN), order_fate(PLAN, Fate.TRIGGERED, Scope.IN, "history-plan-order", 4)),
        cleared_at_ms=None,
        placed_meanwhile=("a",),
        **COMMON,
    ),
    PlacementReport(outcome=PlacementOutcome.PLACED, placements=(placement(PlacementOutcome.PLACED),), **COMMON),
    ReplacementReport(
        outcome=ReplacementOutcome.REPLACED,
        replacements=(
            Replacement(
                old=fated(1, Fate.FILLED),
                new=placement(PlacementOutcome.PLACED),
                outcome=ReplacementOutcome.REPLACED,
            ),
        ),
        **COMMON,
    ),
    ModificationReport(outcome=Modification.MODIFIED, order=PLAN, **COMMON),
]
every_report = pytest.mark.parametrize("report", REPORTS, ids=lambda each: type(each).__name__)


@every_report
def test_a_report_is_plain_json(report: Any) -> None:
    """Amounts as texts, enums by value (also ones that nobody knows), raw fields as what they hold."""
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["outcome"] == report.outcome.value
    assert plain["requests"] == {"place-order": 1}
    assert plain["anomalies"] == ["odd"]
    text = json.dumps(plain)
    if "50000.1" in text:
        assert '"price": "50000.10"' in text
        assert '"status": "zz"' in text
        assert '"t": "-0.1"' in text


@every_report
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_report_survives_pickle_and_stays_read_only(report: Any, protocol: int) -> None:
    """Errors carry it to other processes."""
    again = pickle.loads(pickle.dumps(report, protocol))  # noqa: S301 - our own bytes
    assert type(again) is type(report)
    assert again.to_dict() == report.to_dict()
    with pytest.raises(TypeError):
        again.requests["more"] = 1


@every_report
def test_a_report_is_no_yes_and_no_no_and_cannot_be_changed(report: Any) -> None:
    """`if report:` is the mistake that costs money."""
    with pytest.raises(TypeError, match=f"a {type(report).__name__} is neither yes nor no"):
        bool(report)
    with pytest.raises(AttributeError):
        report.outcome = None
    assert type(report.proven) is bool


def test_a_cancellation_shows_its_orders_by_fate_and_late_ones_apart() -> None:
    """A late order is in `late` alone, whatever became of it."""
    orders = tuple(fated(number, fate) for number, fate in enumerate(Fate))
    late = tuple(fated(number + 10, fate, Scope.LATE) for number, fate in enumerate(Fate))
    edge = fated(30, Fate.CANCELLED, Scope.BOUNDARY)
    report = CancellationReport(outcome=Outcome.UNKNOWN, orders=(*orders, *late, edge), cleared_at_ms=None, **COMMON)
    views = {
        Fate.CANCELLED: report.cancelled,
        Fate.FILLED: report.filled,
        Fate.TRIGGERED: report.triggered,
        Fate.FAILED: report.failed,
        Fate.OPEN: report.still_open,
        Fate.VANISHED: report.vanished,
    }
    assert set(views) == set(Fate)
    for fate, view in views.items():
        expected = [each for each in orders if each.fate is fate] + ([edge] if fate is Fate.CANCELLED else [])
        assert list(view) == expected
    assert report.late == late


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (OrderStatus.CANCELLED, Fate.CANCELLED),
        (OrderStatus.FILLED, Fate.FILLED),
        (TriggerStatus.EXECUTED, Fate.TRIGGERED),
        (TriggerStatus.FAIL_EXECUTE, Fate.FAILED),
        (TriggerStatus.CANCELLED, Fate.CANCELLED),
    ],
)
def test_every_final_status_proves_a_fate(status: Any, fate: Fate) -> None:
    """Of both kinds of orders, and no other status is final."""
    assert status.final
    assert final_fate(status) is fate
    finals = [each for kind in (OrderStatus, TriggerStatus) for each in kind if each.final]
    assert len(finals) == 5


def test_a_trigger_order_is_shown_as_an_order_too() -> None:
    """With what both have in common; its status is its own."""
    view = order_view(PLAN)
    assert (view.order_id, view.client_oid, view.symbol, view.side) == ("9", "t", "BTCUSDT", Side.SELL)
    assert (view.price, view.trigger_price, view.size) == (Decimal(8), Decimal(7), Decimal(1))
    assert (view.created_ms, view.updated_ms) == (PLAN.created_ms, PLAN.updated_ms)
    assert view.status.value == ""
    assert order_view(ROW) is ROW
    fate = order_fate(ROW, Fate.OPEN, Scope.IN, "unfilled-orders", None)
    assert (fate.order, fate.trigger) == (ROW, None)
