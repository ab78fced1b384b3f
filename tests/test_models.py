"""Records: the traps of the wire stay inside them, and what cannot be read never becomes a number."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bitget_async.models import (
    Asset,
    BatchAck,
    CancellationReport,
    Fate,
    FeeDetail,
    OpenOrder,
    Order,
    OrderFate,
    OrderStatus,
    OrderType,
    Outcome,
    Scope,
    Side,
)

T_MS = 1_750_000_000_000


def read(fields: dict[str, Any], kind: Any = Order) -> Any:
    """A record from wire fields, as the wire decodes it."""
    return msgspec.json.decode(json.dumps(fields), type=kind, strict=False)


@pytest.mark.parametrize(
    ("text", "status", "final"),
    [
        ("live", OrderStatus.LIVE, False),
        ("partially_filled", OrderStatus.PARTIALLY_FILLED, False),
        ("filled", OrderStatus.FILLED, True),
        ("cancelled", OrderStatus.CANCELLED, True),
        ("canceled", OrderStatus.CANCELLED, True),
        ("Cancelled", OrderStatus.CANCELLED, True),
        ("CANCELED", OrderStatus.CANCELLED, True),
        ("Filled", OrderStatus.FILLED, True),
    ],
)
def test_status_has_one_member_for_every_spelling(text: str, status: OrderStatus, final: bool) -> None:
    """Both spellings of cancelled, any case: whoever compares with `is` must not miss one."""
    assert read({"status": text}).status is status
    assert OrderStatus(text) is status
    assert status.final is final


@pytest.mark.parametrize("text", ["init", "new", "reject", "cancelling", "filled ", "partial_cancelled", "已取消", ""])
def test_unknown_status_keeps_its_text_and_is_neither_open_nor_final(text: str) -> None:
    """What the exchange invents tomorrow proves nothing today, and can be read in the report."""
    status = read({"status": text}).status
    assert status.name == "UNKNOWN"
    assert status.value == text
    assert isinstance(status, OrderStatus)
    assert not status.final
    assert status not in (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELLED)
    assert repr(status) == f"<OrderStatus.UNKNOWN: {text!r}>"
    assert repr(OrderStatus.FILLED) == "<OrderStatus.FILLED: 'filled'>"


def test_other_enums_have_a_place_for_the_unknown() -> None:
    """Side and type of an order, and a value that is no text at all."""
    order = read({"side": "BUY", "orderType": "trailing"})
    assert order.side is Side.BUY
    assert (order.order_type.name, order.order_type.value) == ("UNKNOWN", "trailing")
    for kind in (Side, OrderType, OrderStatus):
        with pytest.raises(ValueError, match="17"):
            kind(17)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1698736299656", 1_698_736_299_656),
        (1698736299656, 1_698_736_299_656),
        ("1622697148", 1_622_697_148_000),
        (1622697148, 1_622_697_148_000),
    ],
)
def test_times_are_milliseconds_whether_told_in_seconds_or_not(text: object, ms: int) -> None:
    """Documented examples show seconds where recordings show milliseconds; 1970 would put every order in scope."""
    order = read({"cTime": text, "uTime": text})
    assert (order.created_ms, order.updated_ms) == (ms, ms)
    assert (read({}).created_ms, read({}).updated_ms) == (None, None)


def test_symbol_is_upper_case_whatever_the_example_shows() -> None:
    """The documented listing says btcusdt; an order missed for its spelling would be missed in the evidence."""
    assert read({"symbol": "btcusdt"}).symbol == "BTCUSDT"
    assert read({"symbol": "$AI16ZUSDT"}).symbol == "$AI16ZUSDT"


def test_open_listing_has_its_prices_under_other_names() -> None:
    """There `priceAvg` is the order price and `basePrice` the average fill; everywhere else `price` and `priceAvg`."""
    row = {"priceAvg": "34829.12", "basePrice": "34000.5", "price": "1"}
    shown = read(row, OpenOrder)
    assert (shown.price, shown.price_avg) == (Decimal("34829.12"), Decimal("34000.5"))
    final = read({"price": "34829.12", "priceAvg": "34000.5", "basePrice": "1"})
    assert (final.price, final.price_avg) == (Decimal("34829.12"), Decimal("34000.5"))
    unfilled = read({"priceAvg": "34829.12", "basePrice": "0"}, OpenOrder)
    assert (unfilled.price, unfilled.price_avg) == (Decimal("34829.12"), Decimal(0))


@pytest.mark.parametrize("text", ["0.1", "0.10000000000000000", "1E+2", "123456789.123456789012345678", "0"])
def test_amounts_keep_every_digit(text: str) -> None:
    """As text and as a JSON number: nothing passes through a float."""
    for wire in (f'{{"size":"{text}"}}', f'{{"size":{text}}}'):
        order = msgspec.json.decode(wire, type=Order, strict=False)
        assert isinstance(order.size, Decimal)
        assert str(order.size) == str(Decimal(text))


@pytest.mark.parametrize("text", ["NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "-inf"])
@pytest.mark.parametrize("field", ["price", "priceAvg", "size", "baseVolume", "quoteVolume"])
def test_amounts_that_are_no_numbers_do_not_decode(text: str, field: str) -> None:
    """A NaN compares false with everything: it would pass every check that was written for numbers."""
    with pytest.raises(msgspec.ValidationError):
        read({field: text})
    if field != "price":
        with pytest.raises(msgspec.ValidationError):
            read({field: text}, OpenOrder)


NEW_FEES = (
    '{"newFees":{"c":-0.1,"d":-0.2,"deduction":false,"r":-0.112079256,"t":-0.412079256,"totalDeductionFee":0},'
    '"USDT":{"deduction":false,"feeCoinCode":"ETH","totalDeductionFee":0,"totalFee":-0.1120792560000000}}'
)
DEDUCTED = '{"BGB":{"deduction":true,"feeCoinCode":"BGB","totalDeductionFee":-0.0041,"totalFee":-0.0041}}'


@pytest.mark.parametrize("as_text", [True, False])
def test_fees_are_read_from_text_and_from_an_object(as_text: bool) -> None:
    """JSON inside a string, or the object itself; the figures keep their digits."""
    fees = read({"feeDetail": NEW_FEES if as_text else json.loads(NEW_FEES)}).fees
    assert isinstance(fees, FeeDetail)
    assert (fees.total, fees.coupon, fees.bgb, fees.rest) == (
        Decimal("-0.412079256"),
        Decimal("-0.1"),
        Decimal("-0.2"),
        Decimal("-0.112079256"),
    )
    assert [(each.coin, each.amount) for each in fees.by_coin] == [("ETH", Decimal("-0.112079256"))]


def test_fees_without_the_new_part_and_as_a_list() -> None:
    """Older rows have the coins alone; the stream sends a list."""
    fees = read({"feeDetail": DEDUCTED}).fees
    assert (fees.total, [(each.coin, each.amount) for each in fees.by_coin]) == (None, [("BGB", Decimal("-0.0041"))])
    listed = read({"feeDetail": [{"feeCoin": "BTC", "fee": "-0.000001"}, {"feeCoin": "X"}]}).fees
    assert [(each.coin, each.amount) for each in listed.by_coin] == [("BTC", Decimal("-0.000001"))]
    assert listed.total is None


@pytest.mark.parametrize(
    "raw",
    [
        "",
        [],
        None,
        17,
        True,
        "garbage",
        "{",
        "17",
        "null",
        '{"newFees":[]}',
        '{"newFees":{"t":"x"}}',
        '{"BGB":17}',
        [17],
        '{"a":' * 5_000,
        '"' + "\\ud800" + '"',
    ],
    ids=str,
)
def test_fees_that_cannot_be_read_are_none_and_cost_nothing_else(raw: object) -> None:
    """A fee field is never worth losing the row: the order is read, its fees are not."""
    order = read({"orderId": "7", "status": "cancelled", "feeDetail": raw})
    assert (order.order_id, order.status) == ("7", OrderStatus.CANCELLED)
    assert order.fees is None
    assert order.unreadable == ()


def test_fees_not_told_are_none() -> None:
    """Open listings do not send the field at all."""
    assert read({}).fees is None


def test_lists_of_a_batch_may_be_null() -> None:
    """Recorded on the plan variant: null where nothing was open."""
    ack = read({"successList": None, "failureList": None}, BatchAck)
    assert (ack.success, ack.failure) == (None, None)
    ack = read({"successList": [{"orderId": "1"}], "failureList": [{"orderId": "", "errorCode": "45110"}]}, BatchAck)
    assert [each.order_id for each in ack.success] == ["1"]
    assert [each.error_code for each in ack.failure] == ["45110"]


def test_records_are_frozen() -> None:
    """What was told once is never edited."""
    with pytest.raises(AttributeError):
        read({}).order_id = "1"
    with pytest.raises(AttributeError):
        read({"coin": "BTC"}, Asset).coin = "ETH"
    with pytest.raises(AttributeError):
        report().outcome = Outcome.UNKNOWN  # type: ignore[misc]


def fate(number: int, kind: Fate, scope: Scope = Scope.IN) -> OrderFate:
    """One order of a report."""
    order = Order(
        order_id=str(number),
        symbol="BTCUSDT",
        status=OrderStatus("reject"),
        base_volume=Decimal("0.10"),
        created_ms=T_MS,
        fee_detail=msgspec.Raw(json.dumps(NEW_FEES).encode()),
    )
    return OrderFate(order=order, fate=kind, scope=scope, source="history-orders", server_ms=T_MS + number)


def report(*orders: OrderFate, outcome: Outcome = Outcome.STILL_OPEN) -> CancellationReport:
    """A report with those orders."""
    return CancellationReport(
        symbol="BTCUSDT",
        outcome=outcome,
        reason="",
        orders=orders,
        acknowledged=True,
        signed_at_ms=T_MS,
        acknowledged_at_ms=None,
        cleared_at_ms=None,
        settled_at_ms=T_MS + 2_000,
        attempts=1,
        requests={"unfilled-orders": 3},
        anomalies=("odd",),
        assumptions={"staleness_s": "2"},
    )


def test_views_of_a_report_divide_its_orders() -> None:
    """Every order in scope stands in exactly one view; what came late stands in `late` only, whatever its fate."""
    orders = [fate(index, kind) for index, kind in enumerate(Fate)]
    orders += [fate(10 + index, kind, Scope.BOUNDARY) for index, kind in enumerate(Fate)]
    late = [fate(20 + index, kind, Scope.LATE) for index, kind in enumerate(Fate)]
    made = report(*orders, *late)
    views = {
        Fate.CANCELLED: made.cancelled,
        Fate.FILLED: made.filled,
        Fate.OPEN: made.still_open,
        Fate.VANISHED: made.vanished,
    }
    for kind, view in views.items():
        assert view == tuple(each for each in orders if each.fate is kind)
        assert len(view) == 2
    assert made.late == tuple(late)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_report_is_neither_yes_nor_no(outcome: Outcome) -> None:
    """`if report:` would pass on STILL_OPEN."""
    with pytest.raises(TypeError, match="outcome"):
        bool(report(outcome=outcome))
    with pytest.raises(TypeError):
        _ = not report(outcome=outcome)


def untupled(value: Any) -> Any:
    """Plain JSON values with every tuple as a list; anything else is no plain value."""
    if isinstance(value, dict):
        assert all(type(name) is str for name in value)
        return {name: untupled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [untupled(each) for each in value]
    assert value is None or type(value) in (str, int, bool)
    return value


def test_a_report_as_a_dict_is_plain_json() -> None:
    """Amounts as text with their digits, enums by value, unknown texts kept, the fee field as it came."""
    made = report(fate(1, Fate.CANCELLED), fate(2, Fate.OPEN, Scope.LATE))
    plain = made.to_dict()
    assert untupled(json.loads(json.dumps(plain))) == untupled(plain)
    assert set(plain) == set(CancellationReport.__struct_fields__)
    assert (plain["outcome"], plain["requests"], plain["assumptions"]) == (
        "still_open",
        {"unfilled-orders": 3},
        {"staleness_s": "2"},
    )
    first = plain["orders"][0]
    assert (first["fate"], first["scope"], first["source"]) == ("cancelled", "in", "history-orders")
    order = first["order"]
    assert order["status"] == "reject"
    assert "0.10" in order.values()
    assert all(not isinstance(value, float) for value in order.values())


def test_a_report_with_bare_orders_is_plain_json_too() -> None:
    """An order known by its id alone has no amounts and no fee field."""
    bare = OrderFate(order=Order(order_id="1"), fate=Fate.VANISHED, scope=Scope.IN, source="client")
    plain = report(bare).to_dict()
    assert untupled(json.loads(json.dumps(plain))) == untupled(plain)
    assert plain["orders"][0]["server_ms"] is None
