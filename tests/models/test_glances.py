"""Rows that are only looked at: what they tell, when they become whole, and what they hold."""

from __future__ import annotations

import gc
import json
import sys
import weakref
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from bitget_async.endpoints import HISTORY_ORDERS, ORDER_INFO
from bitget_async.evidence import Certainty, Page, Sweep
from bitget_async.models import Fate, FeeDetail, Order, OrderStatus, glances
from bitget_async.models.glances import Glances, OrderGlance
from bitget_async.models.raw import keep_rows
from bitget_async.wire import Reply, decode

T_MS = 1_747_391_309_583
SECOND_NS = 1_000_000_000
ROW = {
    "userId": "88",
    "symbol": "BTCUSDT",
    "orderId": "1308742897634820105",
    "clientOid": "a",
    "price": "26000.5",
    "size": "0.0013",
    "orderType": "limit",
    "side": "buy",
    "status": "cancelled",
    "feeDetail": '{"newFees":{"t":-0.0112}}',
    "cTime": str(T_MS),
    "uTime": str(T_MS + 500),
    "tpslType": "normal",
}


def body(*rows: dict[str, Any], **more: Any) -> bytes:
    """An answer with these rows."""
    return json.dumps({"code": "00000", "msg": "success", "requestTime": T_MS, "data": rows, **more}).encode()


def looked(text: bytes) -> Glances:
    """What a look at that answer brings."""
    answer = decode(HISTORY_ORDERS, Reply(200, text, None, 0, 0), glance=True)
    assert isinstance(answer.value, Glances)
    return answer.value


def read(text: bytes) -> list[Order]:
    """The same answer, read whole."""
    found = decode(HISTORY_ORDERS, Reply(200, text, None, 0, 0)).value
    assert isinstance(found, list)
    return found


def page(looks: Glances, at_s: float = 5.0) -> Page:
    """The page of it, requested so long after the start."""
    at_ns, served_ms = round(at_s * SECOND_NS), T_MS + round(at_s * 1000)
    return Page("history-orders", "BTCUSDT", at_ns, served_ms, looks.rows, None, True, glances=looks)


def sweep() -> Sweep:
    """A cancellation of BTCUSDT, signed at T_MS by a clock that is known to the millisecond, and answered."""
    made = Sweep("BTCUSDT", bounds_ms=lambda at_ns: (T_MS + at_ns // 1_000_000, T_MS + at_ns // 1_000_000))
    made.signed(0, T_MS)
    made.answered(Certainty.ACKED, SECOND_NS // 10)
    return made


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"symbol": "btcusdt"},
        {"cTime": str(T_MS // 1000), "uTime": T_MS // 1000},
        {"status": "canceled"},
        {"status": "new_one"},
        {"tpslType": "tpsl"},
        {"clientOid": "", "cTime": None},
    ],
)
def test_a_glance_says_what_the_record_says(given: dict[str, Any]) -> None:
    """Whom a row concerns is decided by a glance: another answer than the record's would lose it."""
    text = body({**ROW, **given})
    looks = looked(text)
    (seen,), (row,) = looks.rows, read(text)
    for name in OrderGlance.__struct_fields__:
        assert getattr(seen, name) == getattr(row, name)
    assert seen.status.name == row.status.name
    assert not hasattr(seen, "unreadable")
    assert looks.whole(seen) == row
    assert looks.whole(seen) is looks.whole(seen)


def test_the_right_row_becomes_whole() -> None:
    """Rows may look alike, and their order is all that tells them apart."""
    looks = looked(body(*({**ROW, "size": str(number)} for number in range(1, 6))))
    assert [looks.whole(row).size for row in reversed(looks.rows)] == [Decimal(n) for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("size", ["a lot", "NaN", [1], {"a": 1}])
def test_what_cannot_be_read_is_named_once_the_row_is_whole(size: Any) -> None:
    """A final row is believed only if every field of it can be read, and a glance does not see them all."""
    looks = looked(body({**ROW, "size": size}, {**ROW, "orderId": "1308742897634820104"}))
    bad, good = (looks.whole(row) for row in looks.rows)
    assert (bad.unreadable, bad.size, bad.status) == (("size",), None, OrderStatus.CANCELLED)
    assert (good.unreadable, good.size) == ((), Decimal("0.0013"))


def test_a_row_that_cannot_be_read_is_no_proof() -> None:
    """The same, where it counts: in the evidence for a cancellation."""
    bad, good = sweep(), sweep()
    assert bad.saw_page(page(looked(body({**ROW, "size": "a lot"})))) == []
    assert bad.fates == ()
    assert "cannot be read" in bad.anomalies[0]
    (fate,) = good.saw_page(page(looked(body(ROW))))
    assert (fate.fate, fate.order.price) == (Fate.CANCELLED, Decimal("26000.5"))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, body({**ROW, "cTime": "yesterday"}), None, 0, 0),
        Reply(200, body({**ROW, "uTime": ""}), None, 0, 0),
        Reply(200, body(ROW, code="40404"), None, 0, 0),
        Reply(300, body(ROW), None, 0, 0),
        Reply(500, body(ROW), None, 0, 0),
        Reply(200, body(data=None), None, 0, 0),
        Reply(200, b"<html>", None, 0, 0),
        Reply(200, body(*[ROW] * 300), None, 0, 0),
    ],
)
def test_an_odd_answer_is_read_as_ever(reply: Reply) -> None:
    """A look is only for what fits: of all else, what it proves is decided in one place."""
    seen, usual = decode(HISTORY_ORDERS, reply, glance=True), decode(HISTORY_ORDERS, reply)
    assert seen.value == usual.value
    assert repr(seen.error) == repr(usual.error)
    assert seen.anomalies == usual.anomalies


def test_calls_without_a_glance_are_read_as_ever() -> None:
    """What orderInfo answers is asked for because all of it is wanted."""
    answer = decode(ORDER_INFO, Reply(200, body(ROW), None, 0, 0), glance=True)
    assert isinstance(answer.value, list)
    assert [type(each) for each in answer.value] == [Order]


def test_strangers_stay_at_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of other symbols, and those that had ended before the signing, cost a look and no more."""
    made: list[str] = []
    original = glances._order

    def order(row: OrderGlance, text: bytes, keep: bool) -> Order:
        made.append(row.order_id)
        return original(row, text, keep)

    monkeypatch.setattr(glances, "_order", order)
    before = {**ROW, "orderId": "7", "cTime": str(T_MS - 9_000), "uTime": str(T_MS - 8_000)}
    other = {**ROW, "symbol": "ETHUSDT", "orderId": "8"}
    evidence = sweep()
    (fate,) = evidence.saw_page(page(looked(body(before, other, ROW))))
    assert made == [fate.order.order_id] == [ROW["orderId"]]


def test_a_kept_row_holds_no_page() -> None:
    """A cancellation may wait for a day, and reads hundreds of pages: each would stay for one row."""
    before = {**ROW, "orderId": "7", "uTime": str(T_MS - 8_000), "cTime": str(T_MS - 9_000)}
    text = body(ROW, before, *[{**ROW, "symbol": "ETHUSDT"}] * 90)
    held = sys.getrefcount(text)
    looks, evidence = looked(text), sweep()
    _ = evidence.saw_page(page(looks))
    kept, later = looks.whole(looks.rows[0]), looks.later(looks.rows[1])
    assert sys.getrefcount(text) > held
    gone = weakref.ref(looks)
    del looks
    gc.collect()
    assert gone() is None
    assert sys.getrefcount(text) == held
    assert (kept.fees, later().order_id) == (FeeDetail(total=Decimal("-0.0112")), "7")
    assert evidence.size == 1


def test_whole_rows_keep_their_json_if_wanted() -> None:
    """`keep_raw` is a promise for every record that a program gets, those of reports too."""
    text = body({**ROW, "new": 1})
    looks = looked(text)
    keep_rows(looks, text)
    assert looks.whole(looks.rows[0]).raw == {**ROW, "new": 1}


def test_pages_are_equal_whatever_was_asked_of_them() -> None:
    """What is worked out on demand is no part of a fact."""
    one = page(looked(body(ROW)))
    two = structs.replace(one)
    assert one.numbers == (1308742897634820105,)
    assert list(one.by_id) == [1308742897634820105]
    assert list(one.by_oid) == ["a"]
    assert one == two
