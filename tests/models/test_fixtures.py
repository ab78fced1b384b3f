"""Answers that nobody here wrote: every one is read whole, with every digit, and nothing of it is lost silently."""

from __future__ import annotations

import json
import types
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec
import pytest

from bitget_async import OrderStatus, UnknownSymbol
from bitget_async.endpoints import CATALOGUE, Endpoint
from bitget_async.models import PlanType, Record, Result, Side, TradeScope, TriggerStatus, YesNo
from bitget_async.wire import Reply, decode

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDED, DOCUMENTED = 11, 55

# Rows of the catalogue of which no example was found anywhere.
NO_EXAMPLE = {"account_upgrade", "upgrade_status", "auction"}

# Keys of a fixture that its record leaves out, each with the reason.
NOT_READ: dict[str, str] = {}

# Fields of a fixture that cannot be read, each with the reason.
NOT_READABLE: dict[str, str] = {}


class Case(NamedTuple):
    """One fixture: its name, the row that it answers, HTTP status, and the body as it stands in the file."""

    name: str
    row: Endpoint
    status: int
    body: bytes


def fixtures() -> list[Case]:
    """All of them. The bodies keep the digits of the file, and are as compact as the exchange sends them."""
    found = []
    for path in sorted(FIXTURES.glob("recorded/*.json")) + sorted(FIXTURES.glob("documented/*.json")):
        held = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
        assert json.loads(bytes(held["_meta"]))["kind"]
        status = 200
        if "request" in held:
            request = json.loads(bytes(held["request"]))
            label = f"{request['method']} {request['uri'].removeprefix('https://api.bitget.com').partition('?')[0]}"
            answered = msgspec.json.decode(held["response"], type=dict[str, msgspec.Raw])
            status, body = json.loads(bytes(answered["status"])), bytes(answered["body"])
        else:
            label, body = json.loads(bytes(held["endpoint"])), bytes(held["body"])
        row = next(row for row in CATALOGUE if row.label == label)
        found.append(Case(f"{path.parent.name}/{path.stem}", row, status, msgspec.json.format(body, indent=-1)))
    return found


ALL = fixtures()
each_answer = pytest.mark.parametrize("case", [case for case in ALL if case.status == 200], ids=lambda case: case.name)


def read(case: Case) -> Any:
    """What the wire says to it."""
    return decode(case.row, Reply(case.status, case.body, None, 1_000, 2_000))


def told(name: str) -> Any:
    """The value read from that fixture."""
    return read(next(case for case in ALL if case.name == name)).value


def plain(case: Case) -> Any:
    """Its data by another parser; JSON numbers with their digits."""
    return json.loads(case.body, parse_float=Decimal)["data"]


def record_in(kind: Any, holding: type) -> Any:
    """The record that a field of that kind can hold as an object (`dict`), or as rows of a list (`list`)."""
    for each in get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,):
        if holding is list and get_origin(each) is tuple:
            each = get_args(each)[0]
        elif holding is list:
            continue
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


def pairs(record: Any, value: Any) -> list[tuple[str, Any, Any]]:
    """
    Every leaf of an answer beside what became of it: (record.key, what the fixture says, what the record says).
    A key that the record does not know is beside `KeyError`.
    """
    if isinstance(value, list):
        if isinstance(record, msgspec.Struct):
            names = [field.name for field in msgspec.structs.fields(type(record)) if field.name != "unreadable"]
            assert len(names) == len(value)
            known = [(name, each, getattr(record, name)) for name, each in zip(names, value, strict=True)]
            return [(f"{type(record).__name__}.{name}", each, said) for name, each, said in known]
        assert isinstance(record, list | tuple)
        assert len(record) == len(value)
        return [pair for row, each in zip(record, value, strict=True) for pair in pairs(row, each)]
    if not isinstance(value, dict):
        return [("", value, getattr(record, record.bare) if isinstance(record, Record) else record)]
    name, found = type(record).__name__, []
    fields = {field.encode_name: field for field in msgspec.structs.fields(type(record))}
    for key, each in value.items():
        if key not in fields:
            found.append((f"{name}.{key}", each, KeyError))
        elif isinstance(each, dict | list) and record_in(fields[key].type, type(each)):
            found += pairs(getattr(record, fields[key].name), each)
        else:
            found.append((f"{name}.{key}", each, getattr(record, fields[key].name)))
    return found


def test_every_fixture_is_here() -> None:
    """The count, and which calls have no example."""
    print(f"\n{len(ALL)} answers that nobody here wrote, of {len({case.row for case in ALL})} calls")
    assert len([case for case in ALL if case.name.startswith("recorded/")]) == RECORDED
    assert len([case for case in ALL if case.name.startswith("documented/")]) == DOCUMENTED
    assert {row.name for row in CATALOGUE} - {case.row.name for case in ALL} == NO_EXAMPLE


@each_answer
def test_fixture_decodes_and_nothing_of_it_is_unreadable(case: Case) -> None:
    """Recorded answers and the exchange's own examples, all fields of all rows, nested ones too."""
    said = read(case)
    assert said.error is None
    assert said.anomalies == ()
    assert said.request_time_ms == json.loads(case.body)["requestTime"]

    def unreadable(value: Any) -> list[str]:
        if isinstance(value, list | tuple):
            return [name for each in value for name in unreadable(each)]
        if not isinstance(value, msgspec.Struct):
            return []
        own = [f"{type(value).__name__}.{name}" for name in getattr(value, "unreadable", ())]
        return own + [n for field in value.__struct_fields__ for n in unreadable(getattr(value, field))]

    assert set(unreadable(said.value)) <= set(NOT_READABLE)


@each_answer
def test_no_key_of_a_fixture_is_lost(case: Case) -> None:
    """A key that no field reads stands in the table above with its reason, or the record is not complete."""
    unknown = {name for name, _, said in pairs(read(case).value, plain(case)) if said is KeyError}
    assert unknown <= set(NOT_READ)


@each_answer
def test_every_leaf_of_a_fixture_is_what_the_record_says(case: Case) -> None:
    """Amounts digit by digit, times in milliseconds, texts as sent; empty and null are not told, and never zero."""
    for name, value, said in pairs(read(case).value, plain(case)):
        if said is KeyError or isinstance(said, msgspec.Raw):
            continue
        if value in ("", None):
            assert said in ("", None), name
        elif isinstance(said, Decimal):
            assert str(said) == str(Decimal(value)), name
        elif isinstance(said, YesNo):
            assert (said is YesNo.YES) is (str(value).lower() in ("true", "yes", "on")), name
        elif isinstance(said, bool):
            assert said is (str(value).lower() == "true"), name
        elif isinstance(said, int):
            assert said in (int(value), int(value) * 1000), name
            assert not name.lower().endswith("time") or said > 10**12, name
        elif isinstance(said, str):
            assert str(value).lower() in (said.lower(), {"live": "not_trigger"}.get(said)), name
        else:
            assert said == (tuple(value) if isinstance(value, list) else value), name


@each_answer
def test_blanks_in_an_answer_change_nothing(case: Case) -> None:
    """The exchange sends none today."""
    spaced = case._replace(body=msgspec.json.format(case.body, indent=2))
    assert spaced.body != case.body
    assert read(spaced).value == read(case).value


def test_the_recorded_refusal_is_one() -> None:
    """HTTP 400 with an envelope, its text in Chinese for want of a locale header."""
    (case,) = [case for case in ALL if case.status != 200]
    error = read(case).error
    assert isinstance(error, UnknownSymbol)
    assert (case.status, error.code, error.message) == (400, "40034", "参数 INVALID 不存在")


def test_recorded_answers_have_their_values() -> None:
    """By hand, for the traps: null lists, numbers in a book, a failure inside success, an id that is a number."""
    assets = told("recorded/account__assets")
    assert (assets[1].coin, assets[1].frozen) == ("USDT", Decimal("169.0000000000000000"))
    assert assets[0].updated_ms == 1_738_557_485_856
    info = told("recorded/account__info")
    assert (info.user_id, info.parent_id, info.ips, info.inviter_id) == ("1000000001", "1000000001", "", None)
    assert "stow" in info.authorities
    symbol = told("recorded/public__symbols-when_symbol_is_supplied")[0]
    assert (symbol.order_quantity, symbol.price_precision, symbol.min_trade_usdt) == (200, 2, Decimal(1))
    assert (symbol.open_ms, symbol.off_ms) == (1_532_454_360_000, None)
    assert told("recorded/trade__cancel-symbol-order").symbol == "BTCUSDT"
    assert told("recorded/trade__place-order").order_id == "1308742897634820105"
    replaced = told("recorded/trade__cancel-replace-order")
    assert (replaced.success, replaced.order_id, replaced.client_oid) == (Result.FAILURE, "123456", None)
    assert not replaced.success
    assert replaced.msg == "该订单已成交或者已撤单"
    nothing = told("recorded/trade__batch-cancel-plan-order")
    assert (nothing.success, nothing.failure) == (None, None)
    book = told("recorded/market__merge-depth")
    assert (book.asks[1].price, book.asks[1].size) == (Decimal("103874.0"), Decimal("0.194161"))
    assert (len(book.asks), len(book.bids), book.is_max_precision) == (100, 100, YesNo.NO)
    assert told("recorded/market__tickers-when_symbol_is_supplied")[0].change24h == Decimal("0.00966")


def test_documented_answers_have_their_values() -> None:
    """By hand, for the traps: the open listing's prices, texts for numbers, capitals, seconds, bare values."""
    shown = told("documented/get_api_v2_spot_trade_unfilled_orders")[0]
    assert (shown.price, shown.price_avg, shown.symbol) == (Decimal("34829.12"), Decimal(0), "BTCUSDT")
    assert (shown.status.name, shown.status.value) == ("UNKNOWN", "new")
    assert shown.created_ms == 1_622_697_148_000
    final = told("documented/get_api_v2_spot_trade_history_orders")[0]
    assert (final.status, final.price_avg) == (OrderStatus.FILLED, Decimal("1598.1"))
    assert final.fees.total == Decimal("-0.112079256")
    fill = told("documented/get_api_v2_spot_trade_fills")[0]
    assert (fill.trade_scope, fill.fees[0].total_fee) == (TradeScope.TAKER, Decimal("-0.0000007"))
    assert (fill.fees[0].deduction, fill.fees[0].total_deduction_fee) == (YesNo.NO, None)
    page = told("documented/get_api_v2_spot_trade_current_plan_order")
    assert (page.next_flag, page.id_less_than) == (False, "1")
    assert page.order_list[0].status is TriggerStatus.LIVE
    assert page.order_list[0].plan_type is PlanType.AMOUNT
    assert told("documented/get_api_v2_public_time").server_ms == 1_688_008_631_614
    assert told("documented/post_api_v2_spot_trade_batch_cancel_order").failure[0].client_oid == "xxx001"
    trades = told("documented/get_api_v2_spot_market_fills_history")
    assert [trade.side for trade in trades] == [Side.BUY, Side.SELL]
    candle = told("documented/get_api_v2_spot_market_history_candles")[1]
    assert (candle.open_ms, candle.low, candle.usdt_volume) == (
        1_648_742_400_000,
        Decimal("15522.1"),
        Decimal("1726993402150.991724"),
    )
    assert told("documented/get_api_v2_spot_account_subaccount_assets")[1].id == "2222"
    assert told("documented/get_api_v2_spot_account_bills")[0].created_ms == 1_622_697_148_000
    assert told("documented/get_api_v2_account_funding_assets")[0].frozen is None
    assert told("documented/get_api_v2_spot_wallet_transfer_coin_info") == ["BTC", "USDT", "ETH"]
    assert told("documented/post_api_v2_spot_account_switch_deduct").done is YesNo.YES
    assert told("documented/get_api_v2_spot_account_deduct_info").deduct is YesNo.YES
    coin = told("documented/get_api_v2_spot_public_coins")[0]
    assert (coin.transfer, coin.chains[0].need_tag, coin.chains[0].withdraw_min_scale) == (True, False, 8)


def test_every_record_of_the_catalogue_says_what_its_fields_are() -> None:
    """Units and `None` stand in the docstring: each field is named there."""
    silent = []
    for kind in {get_args(row.returns)[0] if get_origin(row.returns) is list else row.returns for row in CATALOGUE}:
        if kind is str or kind.__name__ in ("FundFlow", "Order", "OpenOrder", "Symbol"):
            continue
        assert issubclass(kind, Record)
        doc = " ".join(base.__doc__ or "" for base in kind.__mro__)
        own = [name for name in kind.__struct_fields__ if name != "unreadable"]
        if len(own) > 3:
            silent += [f"{kind.__name__}.{name}" for name in own if name not in doc]
    assert silent == []
