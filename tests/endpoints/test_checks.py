"""Parameters: what is certainly wrong is refused before any request, and nothing is corrected silently."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import OrderType, Side, UsageError
from bitget_async.endpoints import (
    ASSETS,
    BATCH_CANCEL_ORDER,
    BATCH_CANCEL_PLAN_ORDER,
    BATCH_CANCEL_REPLACE_ORDER,
    BATCH_ORDERS,
    BILLS,
    CANCEL_ORDER,
    CANCEL_PLAN_ORDER,
    CANCEL_REPLACE_ORDER,
    CANCEL_SYMBOL_ORDER,
    DEPOSIT_ADDRESS,
    HISTORY_CANDLES,
    HISTORY_ORDERS,
    MODIFY_PLAN_ORDER,
    ORDER_INFO,
    PLACE_ORDER,
    PLACE_PLAN_ORDER,
    SUBACCOUNT_TRANSFER,
    SYMBOLS,
    UNFILLED_ORDERS,
    WALLET_TRANSFER,
    Endpoint,
    checks,
    items,
)

BAD_SYMBOLS = [
    "",
    " ",
    "B",
    "btcusdt",
    "BtcUsdt",
    "BTC USDT",
    " BTCUSDT",
    "BTCUSDT ",
    "BTC/USDT",
    "BTC\\USDT",
    "BTCUSDT\n",
    "BTCUSDT\r\nX: y",
    "BTC\tUSDT",
    "BTC\x00USDT",
    "BTCUSDT?x=1",
    "BTC&USDT",
    "BTC%55SDT",
    '"BTCUSDT"',
    "BTC'USDT",
    "BTCUSDT" * 715,
    "A" * 41,
    "ＢＴＣＵＳＤＴ",
    "BТCUSDT",
    "BTC₿USDT",
    "BTC１USDT",
    None,
    17,
    1.5,
    True,
    b"BTCUSDT",
    ["BTCUSDT"],
    {"symbol": "BTCUSDT"},
]


@pytest.mark.parametrize("value", BAD_SYMBOLS, ids=lambda value: repr(value)[:30])
def test_malformed_symbols_are_refused(value: object) -> None:
    """Not trimmed, not upper-cased: the symbol of an irreversible command is what stands there, or nothing."""
    with pytest.raises(UsageError, match="must be a symbol") as caught:
        checks.symbol(value)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()
    if value is not None:
        for row in (CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS, HISTORY_ORDERS, SYMBOLS):
            with pytest.raises(UsageError, match=f"^{row.name}: symbol must be a symbol"):
                row.checked({"symbol": value})


@pytest.mark.parametrize(
    "value", ["BTCUSDT", "$AI16ZUSDT", "1INCHUSDT", "1000SATSUSDT", "A8USDT", "BTC_USDC", "AB", "A" * 40]
)
def test_real_symbols_pass_unchanged(value: str) -> None:
    """`$` and digits occur in real ones."""
    assert checks.symbol(value) == value


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_a_symbol_that_passes_needs_no_escaping(value: str) -> None:
    """Whatever text is given: it is refused, or it is plain ASCII without blanks, slashes and control characters."""
    try:
        passed = checks.symbol(value)
    except UsageError:
        return
    assert passed == value
    assert passed.isascii()
    assert passed.isprintable()
    assert not set(passed) & set(" /\\?&%#+'\"")
    assert 2 <= len(passed) <= 40


AMOUNTS = [
    (Decimal("0.001"), "0.001"),
    (Decimal("1E+3"), "1000"),
    (Decimal("1E-8"), "0.00000001"),
    (Decimal("1.500"), "1.5"),
    (3, "3"),
    ("0.10", "0.1"),
    ("100.000", "100"),
    ("1e-7", "0.0000001"),
    ("1E5", "100000"),
    (10**30, "1" + "0" * 30),
    (Decimal("123456789012345678901234567890.12345678"), "123456789012345678901234567890.12345678"),
]


@pytest.mark.parametrize(("value", "text"), AMOUNTS, ids=str)
def test_amounts_are_written_plainly_with_the_digits_that_count(value: object, text: str) -> None:
    """The exchange reads no exponents, counts the decimals that are written, and a rounded amount is another order."""
    assert checks.amount(value) == text
    assert checks.price_text(value) == text


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1.0,
        float("nan"),
        True,
        False,
        None,
        b"1",
        [1],
        "",
        "abc",
        "1,5",
        "0x10",
        "1 000",
        "1\n2",
        "NaN",
        "Infinity",
        "-1",
        "0",
        0,
        -3,
        Decimal(0),
        Decimal("-0.1"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1E+41"),
        "1E-41",
        "1E+999999",
        "9" * 5_000,
    ],
    ids=lambda value: repr(value)[:30],
)
def test_amounts_that_are_none_are_refused(value: object) -> None:
    """Floats above all: they do not hold what was typed. And nothing that would be written out as a megabyte."""
    with pytest.raises(UsageError, match=r"^must be a") as caught:
        checks.amount(value)
    assert len(str(caught.value)) < 200


def test_a_number_too_long_to_be_written_is_refused_like_any_other() -> None:
    """Python raises ValueError of its own for an int of more than 4300 digits."""
    with pytest.raises(UsageError, match="thousands of digits"):
        checks.amount(10**5000)


@settings(max_examples=300, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("1e-30"), max_value=Decimal("1e30")))
def test_an_amount_on_the_wire_is_the_amount_given(value: Decimal) -> None:
    """Equal as a Decimal, and without an exponent."""
    text = checks.amount(value)
    assert Decimal(text) == value
    assert set(text) <= set("0123456789.")


def test_an_empty_price_is_left_to_the_exchange_where_it_means_at_market() -> None:
    """The execute prices of attached orders, and nowhere else."""
    assert checks.price_text("") == ""
    with pytest.raises(UsageError):
        checks.amount("")


@pytest.mark.parametrize("value", ["1308742897634820105", "1", "0" * 32])
def test_order_ids_are_digits_in_a_text(value: str) -> None:
    """Ids have up to 20 digits; nothing is made of them."""
    assert checks.order_id(value) == value


@pytest.mark.parametrize(
    "value", [1308742897634820105, "", "12a", " 12", "12\n", "-1", "1.0", "１２", "9" * 33, None, b"12"]
)
def test_other_order_ids_are_refused(value: object) -> None:
    """An int would do today and lose digits in somebody's JSON tomorrow."""
    with pytest.raises(UsageError, match="must be an order id"):
        checks.order_id(value)


@pytest.mark.parametrize(
    "value", ["t-1#a", "a:b_c+d", "with space", "x", "A" * 64, "5fec19b7-1f3a-4b4a-ab47-013724c9e7dc"]
)
def test_client_oids_of_the_exchanges_pattern_pass(value: str) -> None:
    """Letters, digits and - + _ # : space; the exchange itself hands out 36 characters."""
    assert checks.client_oid(value) == value


@pytest.mark.parametrize(
    "value", ["", "A" * 65, "a/b", "a?b", "a&b", "a%b", "a=b", "a\nb", "a\tb", "é", "日本", 7, None]
)
def test_other_client_oids_are_refused(value: object) -> None:
    """What could break a query, a header or the exchange's own pattern."""
    with pytest.raises(UsageError, match="must be 1 to 64"):
        checks.client_oid(value)


@pytest.mark.parametrize("value", ["USDT", "usdt", "$AI16Z", "1INCH", "A" * 40])
def test_coins_pass(value: str) -> None:
    """The documented example has lower case."""
    assert checks.coin(value) == value
    assert ASSETS.checked({"coin": value}) == {"coin": value}


@pytest.mark.parametrize("value", ["", "A B", "A/B", "A\n", "A" * 41, "é", 1, None])
def test_other_coins_are_refused(value: object) -> None:
    """Like a symbol, but for the case."""
    with pytest.raises(UsageError, match="must be a coin name"):
        checks.coin(value)


@pytest.mark.parametrize("value", [1_000_000_000_000, 1_750_000_000_000, 9_999_999_999_999])
def test_times_are_thirteen_digits(value: int) -> None:
    """Unix milliseconds."""
    assert checks.milliseconds(value) == str(value)


@pytest.mark.parametrize(
    "value", [1_750_000_000, 999_999_999_999, 10_000_000_000_000, -1, 1.75e12, "1750000000000", True]
)
def test_seconds_and_other_times_are_refused(value: object) -> None:
    """A filter in the wrong unit would show an empty page, which looks like an answer."""
    with pytest.raises(UsageError, match="Unix milliseconds"):
        checks.milliseconds(value)


def test_integers_have_bounds() -> None:
    """Both included; a bool is no number and neither is a text."""
    check = checks.integer(1, 100)
    assert [check(1), check(100)] == ["1", "100"]
    for value in (0, 101, -1, True, "5", 5.0, None):
        with pytest.raises(UsageError, match="must be an int from 1 to 100"):
            check(value)


class Colour(enum.Enum):
    BUY = "buy"
    NUMBER = 1


@pytest.mark.parametrize("value", ["buy", Side.BUY, Colour.BUY])
def test_a_choice_is_one_of_its_texts_or_an_enum_of_it(value: object) -> None:
    """`Side.BUY` and "buy" are the same."""
    assert checks.one_of("buy", "sell")(value) == "buy"


@pytest.mark.parametrize("value", ["BUY", "Buy", "hold", "", Side("hold"), Colour.NUMBER, None, 1, ["buy"]])
def test_other_choices_are_refused(value: object) -> None:
    """An unknown side, even as an enum that holds its text, never reaches the wire."""
    with pytest.raises(UsageError, match="must be one of buy, sell"):
        checks.one_of("buy", "sell")(value)


def ids(count: int, kind: str = "order_id") -> list[dict[str, str]]:
    """That many items of a batch."""
    return [{kind: str(number + 1)} for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 20])
def test_batches_hold_one_to_twenty_ids_of_one_kind(count: int) -> None:
    """In the order given; any iterable will do."""
    assert items.id_items(ids(count)) == [{"orderId": str(number + 1)} for number in range(count)]
    assert items.id_items(iter(ids(count, "client_oid"))) == [{"clientOid": str(number + 1)} for number in range(count)]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "1 to 20 orders, not 0"),
        (ids(21), "1 to 20 orders, not 21"),
        (ids(1) + ids(1, "client_oid"), "not mixed"),
        (ids(2) + ids(1), "names an order twice"),
        (ids(2, "client_oid") + ids(1, "client_oid"), "names an order twice"),
        (17, "must be a list"),
        (None, "must be a list"),
        ("12", "must be a list"),
        (b"12", "must be a list"),
        ({"order_id": "1"}, "must be a list"),
        (["1"], "^item 0 must be a mapping"),
        ([{}], "^item 0: give either order_id or client_oid"),
        ([*ids(3), {"orderId": "1"}], "^item 3: unknown parameter orderId"),
        ([{"order_id": "1", "client_oid": "a"}], "^item 0: give either"),
        ([{"order_id": 1}], "^item 0: order_id must be an order id"),
        ([*ids(1), {"order_id": "7", "symbol": "btc"}], "^item 1: symbol must be a symbol"),
        ([{"client_oid": "a/b"}], "^item 0: client_oid must be 1 to 64"),
    ],
    ids=str,
)
def test_other_batches_are_refused(value: object, problem: str) -> None:
    """A mixed batch half-fails at the exchange, and an order named twice gets 45129."""
    with pytest.raises(UsageError, match=problem):
        items.id_items(value)


LIMIT = {"symbol": "BTCUSDT", "side": "buy", "order_type": "limit", "size": "1", "price": "2"}
MARKET = {"symbol": "BTCUSDT", "side": Side.SELL, "order_type": OrderType.MARKET, "size": 1}
STOP = {**MARKET, "tpsl_type": "tpsl", "trigger_price": 5}

ITEM = {key: value for key, value in LIMIT.items() if key != "symbol"}
SOLD = {"side": "sell", "order_type": "market", "size": Decimal("0.1"), "client_oid": "a"}
REPLACE = {"symbol": "BTCUSDT", "price": "2", "size": "1", "order_id": "7"}
TRIGGER = {
    "symbol": "BTCUSDT",
    "side": Side.BUY,
    "trigger_price": "100",
    "order_type": "limit",
    "execute_price": Decimal(99),
    "size": 1,
    "trigger_type": "fill_price",
}
MOVE = {"from_type": "spot", "to_type": "p2p", "amount": "1.50", "coin": "USDT"}

ALLOWED: list[tuple[Endpoint, Mapping[str, Any], Mapping[str, Any]]] = [
    (
        PLACE_ORDER,
        LIMIT,
        {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "price": "2", "size": "1"},
    ),
    (PLACE_ORDER, MARKET, {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "1"}),
    (
        PLACE_ORDER,
        STOP,
        {
            "symbol": "BTCUSDT",
            "side": "sell",
            "orderType": "market",
            "size": "1",
            "tpslType": "tpsl",
            "triggerPrice": "5",
        },
    ),
    (CANCEL_ORDER, {"symbol": "BTCUSDT", "order_id": "1"}, {"symbol": "BTCUSDT", "orderId": "1"}),
    (CANCEL_ORDER, {"symbol": "BTCUSDT", "client_oid": "a"}, {"symbol": "BTCUSDT", "clientOid": "a"}),
    (CANCEL_ORDER, {"order_id": "1", "tpsl_type": "tpsl"}, {"orderId": "1", "tpslType": "tpsl"}),
    (ORDER_INFO, {"order_id": "1"}, {"orderId": "1"}),
    (ORDER_INFO, {"client_oid": "t-1#a"}, {"clientOid": "t-1#a"}),
    (BATCH_CANCEL_ORDER, {"symbol": "AB", "order_list": ids(1)}, {"symbol": "AB", "orderList": [{"orderId": "1"}]}),
    (
        BATCH_CANCEL_ORDER,
        {"batch_mode": "multiple", "order_list": [{"symbol": "AB", "client_oid": "x"}]},
        {"batchMode": "multiple", "orderList": [{"symbol": "AB", "clientOid": "x"}]},
    ),
    (
        BATCH_ORDERS,
        {"symbol": "BTCUSDT", "order_list": (ITEM, {**SOLD, "stp_mode": "cancel_maker"})},
        {
            "symbol": "BTCUSDT",
            "orderList": [
                {"side": "buy", "orderType": "limit", "price": "2", "size": "1"},
                {"side": "sell", "orderType": "market", "size": "0.1", "clientOid": "a", "stpMode": "cancel_maker"},
            ],
        },
    ),
    (
        BATCH_ORDERS,
        {"batch_mode": "multiple", "order_list": [{**SOLD, "symbol": "BTCUSDT"}]},
        {
            "batchMode": "multiple",
            "orderList": [
                {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.1", "clientOid": "a"},
            ],
        },
    ),
    (
        CANCEL_REPLACE_ORDER,
        {**REPLACE, "new_client_oid": "b", "preset_stop_loss_price": 1, "execute_stop_loss_price": ""},
        {
            "symbol": "BTCUSDT",
            "price": "2",
            "size": "1",
            "orderId": "7",
            "newClientOid": "b",
            "presetStopLossPrice": "1",
            "executeStopLossPrice": "",
        },
    ),
    (
        BATCH_CANCEL_REPLACE_ORDER,
        {"order_list": [REPLACE, {"symbol": "AB", "price": "3", "size": "1", "client_oid": "7"}]},
        {
            "orderList": [
                {"symbol": "BTCUSDT", "price": "2", "size": "1", "orderId": "7"},
                {"symbol": "AB", "price": "3", "size": "1", "clientOid": "7"},
            ]
        },
    ),
    (
        PLACE_PLAN_ORDER,
        {**TRIGGER, "plan_type": "total"},
        {
            "symbol": "BTCUSDT",
            "side": "buy",
            "triggerPrice": "100",
            "orderType": "limit",
            "executePrice": "99",
            "planType": "total",
            "size": "1",
            "triggerType": "fill_price",
        },
    ),
    (
        MODIFY_PLAN_ORDER,
        {"client_oid": "a", "trigger_price": "1", "order_type": "market", "size": "2"},
        {"clientOid": "a", "triggerPrice": "1", "orderType": "market", "size": "2"},
    ),
    (CANCEL_PLAN_ORDER, {"order_id": "1"}, {"orderId": "1"}),
    (BATCH_CANCEL_PLAN_ORDER, {"symbol_list": iter(["AB", "CD"])}, {"symbolList": ["AB", "CD"]}),
    (
        WALLET_TRANSFER,
        MOVE,
        {"fromType": "spot", "toType": "p2p", "amount": "1.5", "coin": "USDT"},
    ),
    (
        SUBACCOUNT_TRANSFER,
        {**MOVE, "to_type": "isolated_margin", "symbol": "AB", "from_user_id": "1", "to_user_id": "2"},
        {
            "fromType": "spot",
            "toType": "isolated_margin",
            "amount": "1.5",
            "coin": "USDT",
            "symbol": "AB",
            "fromUserId": "1",
            "toUserId": "2",
        },
    ),
    (DEPOSIT_ADDRESS, {"coin": "BTC", "chain": "BTC-Bitcoin"}, {"coin": "BTC", "chain": "BTC-Bitcoin"}),
    (
        HISTORY_ORDERS,
        {"limit": 100, "start_time": 1_750_000_000_000, "id_less_than": "9", "receive_window": 5_000},
        {"startTime": "1750000000000", "idLessThan": "9", "limit": "100", "receiveWindow": "5000"},
    ),
]


@pytest.mark.parametrize(("row", "given_", "wire"), ALLOWED, ids=lambda value: getattr(value, "name", ""))
def test_rules_over_several_parameters_let_right_calls_through(row: Endpoint, given_: Any, wire: Any) -> None:
    """One call for each branch of each rule."""
    assert row.checked(given_) == wire


REFUSED: list[tuple[Endpoint, Mapping[str, Any], str]] = [
    (PLACE_ORDER, {**LIMIT, "price": None}, "a limit order needs a price"),
    (PLACE_ORDER, {**MARKET, "price": 5}, "a market order takes no price"),
    (PLACE_ORDER, {**LIMIT, "trigger_price": 5}, "trigger_price goes with"),
    (PLACE_ORDER, {**MARKET, "tpsl_type": "tpsl"}, "trigger_price goes with"),
    (PLACE_ORDER, {**LIMIT, "tpsl_type": "normal", "trigger_price": 5}, "trigger_price goes with"),
    (PLACE_ORDER, {**LIMIT, "size": 0.5}, "^place_order: size must be a Decimal"),
    (PLACE_ORDER, {**LIMIT, "side": None}, "^place_order: side is missing"),
    (PLACE_ORDER, {**LIMIT, "receive_window": 60_000}, "receive_window must be an int from 1 to 59999"),
    (CANCEL_ORDER, {"symbol": "BTCUSDT"}, "either order_id or client_oid"),
    (CANCEL_ORDER, {"symbol": "BTCUSDT", "order_id": "1", "client_oid": "a"}, "either order_id or client_oid"),
    (CANCEL_ORDER, {"order_id": "1"}, "symbol is missing"),
    (CANCEL_ORDER, {"client_oid": "a", "tpsl_type": "tpsl"}, "named by order_id"),
    (ORDER_INFO, {}, "^order_info: give either order_id or client_oid"),
    (ORDER_INFO, {"order_id": "1", "client_oid": "a"}, "^order_info: give either"),
    (BATCH_CANCEL_ORDER, {"order_list": ids(1)}, "^batch_cancel_orders: symbol is missing"),
    (BATCH_CANCEL_ORDER, {"symbol": "AB"}, "^batch_cancel_orders: order_list is missing"),
    (BATCH_CANCEL_ORDER, {"symbol": "AB", "order_list": ids(21)}, "order_list must name 1 to 20 orders, not 21"),
    (
        BATCH_CANCEL_ORDER,
        {"symbol": "AB", "order_list": [*ids(1), {"order_id": "9", "symbol": "CD"}]},
        "order_list item 1: another symbol",
    ),
    (
        BATCH_CANCEL_ORDER,
        {"batch_mode": "multiple", "order_list": [{"order_id": "1", "symbol": "AB"}, {"order_id": "2"}]},
        "order_list item 1: symbol is missing",
    ),
    (BATCH_ORDERS, {"order_list": [ITEM]}, "^batch_orders: symbol is missing; for several symbols"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": []}, "order_list must name 1 to 20 orders, not 0"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [ITEM] * 21}, "must name 1 to 20 orders, not 21"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": ITEM}, "order_list must be a list of mappings"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [ITEM, 7]}, "order_list item 1 must be a mapping"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [SOLD, SOLD]}, "names an order twice \\(by clientOid\\)"),
    (
        BATCH_ORDERS,
        {"symbol": "AB", "order_list": [ITEM, {**ITEM, "price": None}]},
        "^batch_orders: order_list item 1: a limit order needs a price",
    ),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [{**SOLD, "price": 1}]}, "item 0: a market order takes no price"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [ITEM, {**ITEM, "size": 0.5}]}, "item 1: size must be a Decimal"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [{**ITEM, "orderType": "limit"}]}, "unknown parameter orderType"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [{**ITEM, "trigger_price": 1}]}, "unknown parameter trigger_price"),
    (BATCH_ORDERS, {"symbol": "AB", "order_list": [{**ITEM, 7: 1}]}, "unknown parameter 7"),
    (BATCH_ORDERS, {"symbol": "AB", "batch_mode": "multiple", "order_list": [ITEM]}, "symbol goes into the items"),
    (BATCH_ORDERS, {"batch_mode": "many", "order_list": [ITEM]}, "batch_mode must be one of single, multiple"),
    (CANCEL_REPLACE_ORDER, {**REPLACE, "order_id": None}, "give either order_id or client_oid"),
    (CANCEL_REPLACE_ORDER, {**REPLACE, "client_oid": "a"}, "give either order_id or client_oid"),
    (CANCEL_REPLACE_ORDER, {**REPLACE, "price": None}, "price is missing"),
    (BATCH_CANCEL_REPLACE_ORDER, {"order_list": [REPLACE, REPLACE]}, "names an order twice \\(by orderId\\)"),
    (BATCH_CANCEL_REPLACE_ORDER, {"order_list": [{**REPLACE, "size": None}]}, "item 0: size is missing"),
    (PLACE_PLAN_ORDER, {**TRIGGER, "execute_price": None}, "a limit order needs an execute_price"),
    (PLACE_PLAN_ORDER, {**TRIGGER, "order_type": "market"}, "a market order takes no execute_price"),
    (PLACE_PLAN_ORDER, {**TRIGGER, "trigger_type": "market_price"}, "trigger_type must be one of fill_price, mark_pri"),
    (
        MODIFY_PLAN_ORDER,
        {"trigger_price": "1", "order_type": "market", "size": "2"},
        "^modify_plan_order: give either",
    ),
    (CANCEL_PLAN_ORDER, {}, "^cancel_plan_order: give either"),
    (WALLET_TRANSFER, {**MOVE, "to_type": "isolated_margin"}, "^transfer: symbol is missing"),
    (WALLET_TRANSFER, {**MOVE, "to_type": "futures"}, "to_type must be one of spot, p2p"),
    (SUBACCOUNT_TRANSFER, {**MOVE, "from_user_id": 1, "to_user_id": "2"}, "from_user_id must be a user id"),
    (BILLS, {"id_less_than": "x"}, "id_less_than must be the id of a row"),
    (BILLS, {"limit": 501}, "limit must be an int from 1 to 500"),
    (BILLS, {"business_type": "\n"}, "business_type must be 1 to 64 printable"),
    (HISTORY_CANDLES, {"symbol": "AB", "granularity": "2h", "end_time": 1_750_000_000_000}, "granularity must be one"),
    (HISTORY_CANDLES, {"symbol": "AB", "granularity": "1h"}, "end_time is missing"),
    (CANCEL_SYMBOL_ORDER, {}, "^cancel_symbol_orders: symbol is missing"),
    (HISTORY_ORDERS, {"limit": 101}, "^history_orders: limit must be an int from 1 to 100"),
]


@pytest.mark.parametrize(("row", "given_", "problem"), REFUSED, ids=lambda value: getattr(value, "name", ""))
def test_rules_over_several_parameters_refuse_wrong_calls(row: Endpoint, given_: Any, problem: str) -> None:
    """Each names the call and the parameter, so that the text alone tells what to mend."""
    with pytest.raises(UsageError, match=problem):
        row.checked(given_)


SLIPS: list[Mapping[str, Any]] = [
    {},
    {"symbol_list": None},
    {"symbol_list": []},
    {"symbol_list": ()},
    {"symbol_list": iter(())},
    {"symbol_list": ""},
    {"symbol_list": "BTCUSDT"},
    {"symbol_list": [""]},
    {"symbol_list": [None]},
    {"symbol_list": [["BTCUSDT"]]},
    {"symbol_list": {"BTCUSDT": 1}},
    {"symbol_list": ["btcusdt"]},
    {"symbol_list": ["BTCUSDT", "BTCUSDT"]},
    {"symbol": "BTCUSDT"},
    {"symbols": ["BTCUSDT"]},
    {"symbolList": ["BTCUSDT"]},
    {"symbol_list": ["BTCUSDT"], "symbols": ["ETHUSDT"]},
]


@pytest.mark.parametrize("given_", SLIPS, ids=range(len(SLIPS)))
def test_no_slip_cancels_every_trigger_order(given_: Mapping[str, Any]) -> None:
    """Without the list, or with a key that it does not know, the exchange cancels all of the account's."""
    with pytest.raises(UsageError, match=r"^batch_cancel_plan_orders: "):
        BATCH_CANCEL_PLAN_ORDER.checked(given_)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["BTCUSDT", "ETHUSDT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["symbol_list", "symbolList", "symbols", "symbol", "order_id", ""]) | st.text(max_size=8),
        ANYTHING,
        max_size=4,
    )
)
def test_whatever_is_given_all_trigger_orders_are_never_meant(given_: dict[str, Any]) -> None:
    """What passes names one or more symbols under the one key that the exchange knows, and nothing else."""
    try:
        wire = BATCH_CANCEL_PLAN_ORDER.checked(given_)
    except UsageError:
        return
    assert list(wire) == ["symbolList"]
    assert wire["symbolList"]
    assert all(isinstance(each, str) and len(each) >= 2 for each in wire["symbolList"])


@pytest.mark.parametrize("value", ["trc20", "BTC-Bitcoin", "ORDER_DEALT_IN", "a", "x" * 64])
def test_names_of_the_exchange_pass(value: str) -> None:
    """Chains and kinds of bills: the pages do not list them all."""
    assert checks.word(value) == value


@pytest.mark.parametrize("value", ["", " a", "a\n", "é", "x" * 65, 7, None, True])
def test_other_names_are_refused(value: object) -> None:
    """What could break a query."""
    with pytest.raises(UsageError, match="must be 1 to 64 printable ASCII"):
        checks.word(value)
