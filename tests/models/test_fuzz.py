"""Anything at all as an answer: no exception, no float, no amount that nobody sent, nothing lost silently."""

from __future__ import annotations

import json
import types
from decimal import Decimal, InvalidOperation
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitget_async import BitgetError
from bitget_async.endpoints import CATALOGUE, Endpoint
from bitget_async.models import Record, Side
from bitget_async.wire import Reply, decode

NUMBERS = st.sampled_from(
    ["0", "0.10", "1", "-3.5", "169.0000000000000000", "1747574763291", "1622697148", "1e5", "12.0"]
)
ODD = st.sampled_from(
    ["NaN", "sNaN", "Infinity", "-inf", "abc", "", " ", "null", "true", "YES", "off", "1_0", "１２", "0x1"]
)
NO_NUMBERS = st.sampled_from(["NaN", "sNaN", "Infinity", "-inf"])
TEXTS = st.sampled_from(["live", "Buy", "cancelled", "AMOUNT", "btcusdt", "success", "Successful", "x" * 70]) | st.text(
    max_size=6
)
PLAIN: st.SearchStrategy[Any] = (
    NUMBERS
    | ODD
    | TEXTS
    | st.none()
    | st.booleans()
    | st.integers(-(10**24), 10**24)
    | st.floats(allow_nan=False, allow_infinity=False)
)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def kinds(kind: Any) -> list[Any]:
    """The members of a union, or the one kind."""
    return list(get_args(kind)) if get_origin(kind) in (Union, types.UnionType) else [kind]


def likely(kind: Any) -> st.SearchStrategy[Any]:
    """Values that the exchange could send for a field of that kind."""
    ways: list[st.SearchStrategy[Any]] = []
    for each in kinds(kind):
        if get_origin(each) is tuple:
            ways.append(st.lists(likely(get_args(each)[0]), max_size=3))
        elif isinstance(each, type) and issubclass(each, msgspec.Struct):
            ways.append(rows(each))
        elif each is Decimal:
            ways += [NUMBERS, NUMBERS.map(json.loads)]
        elif each is int:
            ways.append(st.sampled_from(["0", 1, "1747574763291", 1622697148]))
        elif each is types.NoneType:
            ways.append(st.none())
        elif each is bool:
            ways.append(st.sampled_from([True, "false", "TRUE"]))
        else:
            ways.append(TEXTS)
    return st.one_of(*ways)


def rows(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Rows of that record with fields missing, fields too many, and one or many fields of another kind."""
    fields = [field for field in msgspec.structs.fields(kind) if field.name != "unreadable"]
    wild = PLAIN | ODD | NO_NUMBERS | ANYTHING
    if kind.__struct_config__.array_like:
        exact = st.tuples(*(likely(field.type) for field in fields)).map(list)
        one_off = st.tuples(exact, st.integers(0, len(fields) - 1), wild).map(
            lambda drawn: [drawn[2] if place == drawn[1] else each for place, each in enumerate(drawn[0])]
        )
        return st.one_of(exact, one_off, st.lists(wild, max_size=10), wild)
    known = st.fixed_dictionaries({}, optional={field.encode_name: likely(field.type) for field in fields})
    names = st.sampled_from([field.encode_name for field in fields])
    extra = st.dictionaries(st.text(max_size=5), ANYTHING, max_size=2)
    changed = st.one_of(*(st.dictionaries(names, wild, min_size=1, max_size=most) for most in (1, 1, 4)), extra)
    return st.one_of(known, st.tuples(known, changed).map(lambda two: {**two[0], **two[1]}))


def data(row: Endpoint) -> st.SearchStrategy[Any]:
    """Data of an answer to that row, in the right shape most of the time."""
    if get_origin(row.returns) is list:
        (kind,) = get_args(row.returns)
        one = TEXTS if kind is str else rows(kind)
        return st.one_of(st.lists(one, max_size=3), st.lists(one, max_size=3), st.lists(ANYTHING, max_size=2), ANYTHING)
    return st.one_of(rows(row.returns), rows(row.returns), st.lists(rows(row.returns), max_size=2), ANYTHING)


def amount_of(value: Any) -> Decimal | None:
    """A number, as the exchange could mean one: a JSON number or a text of one."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def leaves(value: Any) -> list[Any]:
    """Every value of plain JSON that holds no other."""
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def held(value: Any) -> list[Any]:
    """Every value in records that holds no other; raw JSON is as it was sent."""
    if isinstance(value, msgspec.Struct):
        return [leaf for name in value.__struct_fields__ for leaf in held(getattr(value, name))]
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in held(each)]
    return [value]


def lost(record: Any, sent: Any) -> list[str]:
    """Fields that something was sent for, that say nothing, and that nobody names."""
    if isinstance(record, (list, tuple)) and isinstance(sent, list) and len(record) == len(sent):
        return [name for one, row in zip(record, sent, strict=True) for name in lost(one, row)]
    if not isinstance(record, Record) or not isinstance(sent, dict):
        return []
    found = []
    for field in msgspec.structs.fields(type(record)):
        value = sent.get(field.encode_name)
        empty = value is None or (isinstance(value, str) and value.lower() in ("", "null"))
        if field.name == "unreadable" or empty or field.encode_name in record.unreadable:
            continue
        said = getattr(record, field.name)
        nothing = said is None or said == "" or (said == () and value != [])
        if nothing:
            found.append(f"{type(record).__name__}.{field.encode_name}={value!r}")
        found += lost(said, value)
    return found


def body_of(sent: Any) -> bytes:
    """An envelope around it, as compact as the exchange's."""
    envelope = {"code": "00000", "msg": "success", "requestTime": 1_747_574_763_291, "data": sent}
    return json.dumps(envelope, separators=(",", ":")).encode()


def judge(row: Endpoint, sent: Any) -> Any:
    """What every answer to every row must hold."""
    body = body_of(sent)
    said = decode(row, Reply(200, body, None, 1, 2))
    if said.error is not None:
        assert isinstance(said.error, BitgetError)
        assert said.value is None
        return said
    exact = json.loads(body, parse_float=Decimal)["data"]
    numbers = {number for leaf in leaves(exact) if (number := amount_of(leaf)) is not None}
    for leaf in held(said.value):
        assert not isinstance(leaf, float)
        if isinstance(leaf, Decimal):
            assert leaf.is_finite()
            assert leaf in numbers
        elif isinstance(leaf, int) and not isinstance(leaf, bool):
            assert leaf in numbers or Decimal(leaf) / 1000 in numbers
    assert lost(said.value, exact) == []
    return said


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
def test_any_answer_is_read_or_refused_and_nothing_is_made_up(row: Endpoint) -> None:
    """Every record of the catalogue, with rows that lack fields, have too many, or hold what belongs elsewhere."""

    @settings(max_examples=150, deadline=None)
    @given(data(row))
    @example(None)
    @example([])
    @example({})
    @example([[]])
    @example([{}])
    @example([None])
    def drawn(sent: Any) -> None:
        judge(row, sent)

    drawn()


def by_name(name: str) -> Endpoint:
    """That row."""
    return next(row for row in CATALOGUE if row.name == name)


def test_a_bad_field_of_a_nested_row_costs_that_field_alone() -> None:
    """The other rows, and the page around them, stay as they are."""
    good = {"orderId": "1", "size": "0.10"}
    page = judge(
        by_name("current_plan_orders"), {"nextFlag": "true", "orderList": [{**good, "size": "NaN"}, good]}
    ).value
    assert (page.next_flag, page.unreadable) == (True, ())
    assert [(order.order_id, order.size, order.unreadable) for order in page.order_list] == [
        ("1", None, ("size",)),
        ("1", Decimal("0.10"), ()),
    ]


TRICKY = st.text(alphabet='",:{}[]\\anul1 ', max_size=30) | st.sampled_from(
    [',"size":""', '{"size":""}', '","size":"","', '{"size":null', "\\", '\\"', '":""', ',"a":null,']
)


@settings(max_examples=300, deadline=None)
@given(TRICKY, TRICKY, st.permutations(["orderId", "size", "clientOid", "priceAvg", "feeDetail"]))
def test_what_stands_in_a_text_is_never_taken_for_a_field(one: str, two: str, order: list[str]) -> None:
    """Fields that were left empty are dropped before a second look; a text that only looks like one is not touched."""
    row = {"orderId": one, "clientOid": two, "size": "0.10", "priceAvg": "", "feeDetail": '{"a":"","b":null}'}
    (said,) = judge(by_name("history_orders"), [{name: row[name] for name in order}]).value
    assert (said.order_id, said.client_oid) == (one, two)
    assert (said.size, said.price_avg, said.unreadable) == (Decimal("0.10"), None, ())


def test_a_list_that_is_none_is_not_an_empty_one() -> None:
    """No trigger orders, and no list of them, are two things."""
    row = by_name("current_plan_orders")
    assert judge(row, {"orderList": []}).value.order_list == ()
    assert judge(row, {"orderList": None}).value.order_list is None
    assert judge(row, {}).value.order_list is None
    odd = judge(row, {"orderList": "none"})
    assert (odd.value.order_list, odd.value.unreadable) == (None, ("orderList",))
    assert odd.anomalies


@pytest.mark.parametrize("fee", ["", None, {}, [], {"totalDeductionFee": "", "deduction": "no"}])
def test_a_fee_that_is_left_empty_is_no_anomaly(fee: Any) -> None:
    """Every recorded fill has an empty `totalDeductionFee`."""
    said = judge(by_name("fills"), [{"tradeId": "1", "size": "1", "feeDetail": fee}])
    assert said.anomalies == ()
    assert said.value[0].size == 1
    assert all(each.total_deduction_fee is None for each in said.value[0].fees)


def test_fees_come_one_or_several() -> None:
    """An object over REST, a list in the stream; a bad one is named where it stands."""
    one = {"feeCoin": "BTC", "totalFee": "-0.1", "deduction": "yes"}
    row = by_name("fills")
    assert [fee.total_fee for fee in judge(row, [{"feeDetail": one}]).value[0].fees] == [Decimal("-0.1")]
    two = judge(row, [{"feeDetail": [one, {**one, "totalFee": "x"}]}]).value[0].fees
    assert [(fee.total_fee, bool(fee.deduction), fee.unreadable) for fee in two] == [
        (Decimal("-0.1"), True, ()),
        (None, True, ("totalFee",)),
    ]


@pytest.mark.parametrize("level", [["1"], ["1", "x"], ["NaN", "1"], {}, None, "1", [], [True, "1"]])
def test_half_a_side_of_a_book_is_no_side(level: Any) -> None:
    """A book that lacks a level in the middle would show a gap that is not there."""
    book = judge(by_name("orderbook"), {"asks": [["2", "1"], level], "bids": [["1", 0.5]], "ts": "1747574763291"}).value
    assert (book.asks, book.unreadable) == (None, ("asks",))
    assert (book.bids[0].price, book.bids[0].size) == (Decimal(1), Decimal("0.5"))
    assert book.time_ms == 1_747_574_763_291


def test_candles_are_bare_lists() -> None:
    """Short ones lack their end, long ones are read as far as we know, and a bad field is named by our name."""
    row = by_name("candles")
    full = ["1747574763000", "1", "2", "0.5", "1.5", "10", "15", "15.1"]
    (candle,) = judge(row, [full]).value
    assert (candle.open_ms, candle.low, candle.quote_volume) == (1_747_574_763_000, Decimal("0.5"), Decimal("15.1"))
    (longer,) = judge(row, [[*full, "17"]]).value
    assert longer == candle
    (shorter,) = judge(row, [full[:5]]).value
    assert (shorter.close, shorter.base_volume) == (Decimal("1.5"), None)
    (bad,) = judge(row, [[*full[:4], "x", "", *full[6:]]]).value
    assert (bad.close, bad.base_volume, bad.unreadable, bad.usdt_volume) == (None, None, ("close",), Decimal(15))
    assert judge(row, [{"open": "1"}]).error is not None


def test_words_for_yes_and_no_and_real_booleans() -> None:
    """yes, on, true, YES, 1 and `true`; an unknown word is neither, and keeps its text."""
    row = by_name("deduct_info")
    for word in ("yes", "on", "true", "YES", "On", True):
        assert judge(row, {"deduct": word}).value.deduct
    for other in ("no", "off", "false", "NO", False, "", None):
        assert not judge(row, {"deduct": other}).value.deduct
    odd = judge(row, {"deduct": "perhaps"}).value.deduct
    assert (odd.name, odd.value, bool(odd)) == ("UNKNOWN", "perhaps", False)


def test_capital_sides_and_unknown_ones() -> None:
    """`Buy` in the history of trades; what we do not know keeps its text and is neither side."""
    trades = judge(by_name("market_fills_history"), [{"side": "Buy"}, {"side": "SELL"}, {"side": "Cross"}]).value
    assert [trade.side for trade in trades[:2]] == [Side.BUY, Side.SELL]
    assert (trades[2].side.name, trades[2].side.value) == ("UNKNOWN", "Cross")


def test_seconds_become_milliseconds_in_every_record() -> None:
    """Pages show seconds here and there; a bill of 1970 would be lost in every range."""
    for name, key, attribute in (
        ("bills", "cTime", "created_ms"),
        ("market_fills_history", "ts", "time_ms"),
        ("current_plan_orders", "cTime", "created_ms"),
        ("fills", "uTime", "updated_ms"),
        ("deposit_records", "cTime", "created_ms"),
    ):
        row = by_name(name)
        listed = row.paging is not None and row.paging.rows
        for text in ("1622697148", 1622697148, "1622697148000"):
            sent: Any = {"orderList": [{key: text}]} if listed else [{key: text}]
            value = judge(row, sent).value
            (record,) = value.order_list if listed else value
            assert getattr(record, attribute) == 1_622_697_148_000


def test_ids_that_come_as_numbers_keep_their_digits() -> None:
    """Documented for sub-accounts; 19 digits do not fit a float."""
    said = judge(by_name("subaccount_assets"), [{"id": 1308742897634820105, "userId": 7, "assetsList": None}])
    assert (said.value[0].id, said.value[0].user_id, said.value[0].assets_list) == ("1308742897634820105", "7", None)
    assert said.anomalies == ()
