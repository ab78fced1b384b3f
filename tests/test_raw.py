"""Fields that no record knows: `BitgetClient(keep_raw=True)` keeps the JSON of each row, and nothing else changes."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bitget_async import BitgetClient, Order, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import (
    ASSETS,
    BATCH_CANCEL_ORDER,
    CANCEL_SYMBOL_ORDER,
    HISTORY_ORDERS,
    UNFILLED_ORDERS,
    Endpoint,
)
from bitget_async.models.raw import keep_rows
from bitget_async.sim import SimulatedExchange
from bitget_async.wire import Reply, decode

ROW = {
    "orderId": "1300000000000000007",
    "symbol": "BTCUSDT",
    "price": "26000.5",
    "status": "filled",
    "cTime": "1750000000000",
    "newIn2027": {"depth": [1, None, "x"], "flag": True},
}


def read(row: Endpoint, data: str, *, keep: bool = True) -> Any:
    """The value of an answer with that JSON as its data, with or without its rows kept."""
    body = f'{{"code":"00000","msg":"success","requestTime":1750000000000,"data":{data}}}'.encode()
    answer = decode(row, Reply(200, body, None, 0, 1))
    if keep:
        keep_rows(answer.value, body)
    return answer.value


def test_each_record_has_the_json_of_its_own_row() -> None:
    """Unknown fields included, whatever the order of the rows."""
    rows = [{**ROW, "orderId": str(number), "place": number} for number in (9, 3, 7)]
    orders = read(HISTORY_ORDERS, json.dumps(rows))
    assert [order.raw for order in orders] == rows
    assert [order.order_id for order in orders] == ["9", "3", "7"]


def test_numbers_are_never_floats() -> None:
    """An amount in an unknown field is as exact as in a known one, however long it is."""
    digits = "7" * 5_000
    (order,) = read(HISTORY_ORDERS, f'[{{"orderId":"1","fee":-0.1000,"big":1e30,"count":12,"long":{digits}}}]')
    raw = order.raw
    assert repr(raw["fee"]) == "Decimal('-0.1000')"
    assert raw["big"] == Decimal("1e30")
    assert not isinstance(raw["big"], float)
    assert raw["count"] == 12
    assert str(raw["long"]) == digits


def test_what_is_handed_out_is_fresh_each_time() -> None:
    """A caller that edits it does not edit the record."""
    (order,) = read(HISTORY_ORDERS, json.dumps([ROW]))
    order.raw["newIn2027"]["depth"].clear()
    assert order.raw == ROW


def test_records_inside_a_record_have_their_rows() -> None:
    """The orders of a batch, each with its own fields."""
    taken = {"orderId": "1", "clientOid": "a", "more": 1}
    left = {"orderId": "2", "errorCode": "43001", "errorMsg": "", "more": 2}
    data = {"successList": [taken], "failureList": [left], "note": "n"}
    ack = read(BATCH_CANCEL_ORDER, json.dumps(data))
    assert ack.raw == data
    assert ack.success[0].raw == taken
    assert ack.failure[0].raw == left


@pytest.mark.parametrize("lists", ["null", "[]"])
def test_an_empty_or_missing_list_has_nothing_to_keep(lists: str) -> None:
    """The exchange sends null for an empty list."""
    ack = read(BATCH_CANCEL_ORDER, f'{{"successList":{lists},"failureList":{lists}}}')
    assert not ack.success
    assert ack.raw == {"successList": json.loads(lists), "failureList": json.loads(lists)}


def test_a_row_that_does_not_fit_its_record_can_still_be_looked_at() -> None:
    """That is when one wants to see what came."""
    (order,) = read(HISTORY_ORDERS, '[{"orderId":"1","price":"a lot"}]')
    assert order.unreadable == ("price",)
    assert order.raw == {"orderId": "1", "price": "a lot"}


@pytest.mark.parametrize("data", ["null", "7", '"text"', "[1]"])
def test_a_receipt_without_usable_data_is_still_a_receipt(data: str) -> None:
    """Keeping rows never turns a taken command into a failure."""
    ack = read(CANCEL_SYMBOL_ORDER, data)
    assert ack.symbol is None
    assert ack.raw == json.loads(data)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data":', b'{"data":[{},{}]}', b'{"data":"\xff"}'])
def test_a_body_that_does_not_match_is_left_alone(body: bytes) -> None:
    """Never an exception from here."""
    orders = [Order(order_id="1")]
    keep_rows(orders, body)
    with pytest.raises(UsageError, match="keep_raw=True"):
        _ = orders[0].raw


def test_without_the_option_raw_says_which_option_it_needs() -> None:
    """Also on records that the program made itself."""
    (order,) = read(HISTORY_ORDERS, json.dumps([ROW]), keep=False)
    for record in (order, Order(order_id="1")):
        with pytest.raises(UsageError, match=r"BitgetClient\(keep_raw=True\)"):
            _ = record.raw


def test_a_record_that_keeps_its_row_is_the_same_record() -> None:
    """Equal, hashed, printed, written and copied as without, in both directions."""
    row = {"coin": "USDT", "available": "1.5", "uTime": "1750000000000", "newIn2027": 1}
    (kept,), (plain,) = (read(ASSETS, json.dumps([row]), keep=keep) for keep in (True, False))
    assert kept == plain
    assert plain == kept
    assert hash(kept) == hash(plain)
    assert repr(kept) == repr(plain)
    assert "2027" not in repr(kept)
    assert msgspec.to_builtins(kept) == msgspec.to_builtins(plain)
    assert msgspec.json.encode(kept) == msgspec.json.encode(plain)
    assert msgspec.structs.asdict(kept) == msgspec.structs.asdict(plain)


def test_the_row_does_not_travel_with_pickles_and_deep_copies() -> None:
    """A log or another process gets the record, not what else the exchange wrote about the account."""
    (kept,) = read(HISTORY_ORDERS, json.dumps([{**ROW, "secretive": "abcdef"}]))
    stream = pickle.dumps(kept)
    assert b"abcdef" not in stream
    for twin in (pickle.loads(stream), copy.deepcopy(kept)):  # noqa: S301
        assert twin == kept
        assert type(twin.unreadable) is tuple
        with pytest.raises(UsageError):
            _ = twin.raw


def test_the_client_keeps_rows_if_asked(virtual: Callable[..., Any]) -> None:
    """By option, for every call; without it nothing is kept."""

    async def main() -> None:
        async with SimulatedExchange(1, clock=VirtualClock()) as exchange:
            exchange.rest("BTCUSDT", 2, age_s=60)
            for keep in (True, False):
                client = BitgetClient(
                    exchange.credentials(),
                    base_url=exchange.base_url,
                    clock=VirtualClock(),
                    rng=random.Random(1),
                    keep_raw=keep,
                )
                async with client:
                    first, second = await client.call(UNFILLED_ORDERS)
                    if keep:
                        assert first.raw["orderId"] == first.order_id != second.raw["orderId"]
                        assert first.raw["enterPointSource"] == "API"
                    else:
                        with pytest.raises(UsageError):
                            _ = first.raw

    virtual(main)
