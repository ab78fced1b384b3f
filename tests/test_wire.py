"""Bytes and records: what is signed and sent, and what an answer proves. Nothing is believed unread."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, get_args, get_origin

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitget_async import (
    AccountModeMismatch,
    AuthenticationFailed,
    BitgetError,
    Credentials,
    InsufficientFunds,
    NothingToCancel,
    OrderNotFound,
    OrderStatus,
    OutcomeUnknown,
    RateLimited,
    Refused,
    UnknownSymbol,
    UsageError,
    codes,
)
from bitget_async.endpoints import (
    ASSETS,
    BATCH_CANCEL_ORDER,
    CANCEL_ORDER,
    CANCEL_SYMBOL_ORDER,
    CATALOGUE,
    HISTORY_ORDERS,
    ORDER_INFO,
    PLACE_ORDER,
    SERVER_TIME,
    SWITCH_DEDUCT,
    SYMBOLS,
    UNFILLED_ORDERS,
    Effect,
    Endpoint,
)
from bitget_async.errors import printable
from bitget_async.wire import Answer, Reply, date, decode, encode

READS = [row for row in CATALOGUE if row.effect is Effect.READ]
COMMANDS = [row for row in CATALOGUE if row.effect is Effect.COMMAND]
ACK = b'{"code":"00000","msg":"success","requestTime":1747574763291,"data":{"symbol":"BTCUSDT"}}'
T_MS = 1_747_574_763_291

each_row = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
each_read = pytest.mark.parametrize("row", READS, ids=lambda row: row.name)
each_command = pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)


def answer(row: Endpoint, body: bytes | dict[str, Any], status: int = 200) -> Any:
    """What that body with that status says to a call of that row."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = decode(row, Reply(status, text, None, 1_000, 2_000))
    assert isinstance(said, Answer)
    return said


def envelope(data: object, code: object = "00000", **more: object) -> dict[str, Any]:
    """An envelope as the exchange writes it."""
    return {"code": code, "msg": "success", "requestTime": T_MS, "data": data, **more}


def unknown(said: Any, reason: str) -> OutcomeUnknown:
    """The error, which must prove nothing for that reason."""
    assert said.value is None
    error = said.error
    assert isinstance(error, OutcomeUnknown)
    assert error.reason == reason
    return error


# -- what is sent -------------------------------------------------------------------------------------------------


def test_query_is_sorted_by_name_whatever_the_order_given() -> None:
    """One string is built, signed and sent: an order that differs between the two gave 40009 to others."""
    made = encode(HISTORY_ORDERS, {"symbol": "BTCUSDT", "limit": 100, "start_time": T_MS, "end_time": T_MS + 1})
    query = f"endTime={T_MS + 1}&limit=100&startTime={T_MS}&symbol=BTCUSDT"
    assert made.raw_target == made.sent_target == f"/api/v2/spot/trade/history-orders?{query}"
    assert made.body == b""
    assert made.row is HISTORY_ORDERS


@pytest.mark.parametrize(
    ("oid", "sent"),
    [
        ("t-1#a", "t-1%23a"),
        ("a+b", "a%2Bb"),
        ("a b", "a%20b"),
        ("a:b", "a%3Ab"),
        ("A_z-9", "A_z-9"),
    ],
)
def test_raw_form_is_signed_and_encoded_form_is_sent(oid: str, sent: str) -> None:
    """The exchange checks the decoded query: vector 5 of the reference signs `#`, the address carries `%23`."""
    made = encode(ORDER_INFO, {"client_oid": oid})
    assert made.raw_target == f"/api/v2/spot/trade/orderInfo?clientOid={oid}"
    assert made.sent_target == f"/api/v2/spot/trade/orderInfo?clientOid={sent}"


PLACED: dict[str, Any] = {"symbol": "BTCUSDT", "side": "buy", "order_type": "limit", "size": "1", "price": "2"}


@pytest.mark.parametrize(
    ("more", "dated"),
    [
        ({"receive_window": 5_000}, True),
        ({"receive_window": 5_000, "request_time": T_MS}, False),
        ({"request_time": T_MS}, False),
        ({}, False),
    ],
)
def test_a_body_with_a_receive_window_wants_its_request_time(more: dict[str, Any], dated: bool) -> None:
    """The window counts from it: it is written at the signing, unless the caller gave one."""
    made = encode(PLACE_ORDER, PLACED | more)
    assert made.dated is dated
    assert ("requestTime" in json.loads(made.body)) is ("request_time" in more)
    if dated:
        one, two = date(made, T_MS), date(made, T_MS + 1)
        assert json.loads(one.body) == {**json.loads(made.body), "requestTime": str(T_MS)}
        assert json.loads(two.body)["requestTime"] == str(T_MS + 1)
        assert (one.row, one.raw_target, one.sent_target) == (made.row, made.raw_target, made.sent_target)
        assert not one.dated


def test_reads_take_a_receive_window_without_being_dated() -> None:
    """Only bodies are; a late copy of a read does no harm."""
    assert not encode(ORDER_INFO, {"order_id": "7", "receive_window": 5_000}).dated


def test_the_reference_vector_goes_through_encode_and_sign() -> None:
    """The whole way from the parameters to the signature, with the key of reference 1.5."""
    made = encode(ORDER_INFO, {"client_oid": "t-1#a"})
    key = Credentials("bg_testkey0123456789abcdef", "s3cr3t-made-up-for-docs-ONLY", "x")
    headers = key.headers(1_700_000_000_123, made.row.method, made.raw_target, made.body)
    assert headers["ACCESS-SIGN"] == "KiWv3egWJDlnTZB4B4w7j8vodf0zJ+DRZqTdf/XbSG0="


def test_a_symbol_with_a_dollar_is_encoded_in_the_query_and_plain_in_a_body() -> None:
    """`$` does occur in spot symbols."""
    made = encode(UNFILLED_ORDERS, {"symbol": "$AI16ZUSDT"})
    assert (made.raw_target[-17:], made.sent_target[-19:]) == ("symbol=$AI16ZUSDT", "symbol=%24AI16ZUSDT")
    assert encode(CANCEL_SYMBOL_ORDER, {"symbol": "$AI16ZUSDT"}).body == b'{"symbol":"$AI16ZUSDT"}'


BODIES: list[tuple[Endpoint, dict[str, Any], bytes]] = [
    (CANCEL_SYMBOL_ORDER, {"symbol": "BTCUSDT"}, b'{"symbol":"BTCUSDT"}'),
    (
        PLACE_ORDER,
        {
            "client_oid": "t-1#a",
            "symbol": "BTCUSDT",
            "size": Decimal("1E-3"),
            "side": "buy",
            "force": "gtc",
            "price": 30000,
            "order_type": "limit",
            "stp_mode": None,
        },
        b'{"symbol":"BTCUSDT","side":"buy","orderType":"limit","force":"gtc","price":"30000","size":"0.001",'
        b'"clientOid":"t-1#a"}',
    ),
    (
        BATCH_CANCEL_ORDER,
        {"symbol": "BTCUSDT", "order_list": [{"order_id": "12"}, {"order_id": "13"}]},
        b'{"symbol":"BTCUSDT","orderList":[{"orderId":"12"},{"orderId":"13"}]}',
    ),
    (CANCEL_ORDER, {"symbol": "BTCUSDT", "client_oid": "a b"}, b'{"symbol":"BTCUSDT","clientOid":"a b"}'),
]


@pytest.mark.parametrize(("row", "given_", "body"), BODIES, ids=lambda value: getattr(value, "name", ""))
def test_body_is_made_once_as_bytes(row: Endpoint, given_: dict[str, Any], body: bytes) -> None:
    """Signed as sent; text values, no blanks, nothing that was not given."""
    made = encode(row, given_)
    assert made.body == body
    assert made.raw_target == made.sent_target == row.path


def test_calls_without_parameters_have_no_question_mark() -> None:
    """The signature has none either."""
    assert encode(SERVER_TIME, {}).sent_target == "/api/v2/public/time"
    assert encode(ASSETS, {"coin": None}).raw_target == "/api/v2/spot/account/assets"


@pytest.mark.failure(27)
def test_bad_parameters_make_no_bytes() -> None:
    """The error of the check, before a token is spent."""
    with pytest.raises(UsageError, match="symbol"):
        encode(CANCEL_SYMBOL_ORDER, {"symbol": "btcusdt"})


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.failure(27)
def test_recorded_refusal_keeps_the_exchanges_text() -> None:
    """Really recorded on another endpoint: HTTP 400, code 40034, the text in Chinese."""
    held = {"code": "40034", "msg": "参数 INVALID 不存在", "requestTime": 1748170743805, "data": None}
    error = answer(CANCEL_SYMBOL_ORDER, json.dumps(held, ensure_ascii=False).encode(), 400).error
    assert isinstance(error, UnknownSymbol)
    assert (error.code, error.message, error.http_status) == ("40034", "参数 INVALID 不存在", 400)
    assert error.endpoint == "POST /api/v2/spot/trade/cancel-symbol-order"


# -- acknowledged -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_acknowledgement_is_code_00000_with_a_success_status(status: int) -> None:
    """And carries the moments of the reply and the exchange's clock."""
    said = answer(CANCEL_SYMBOL_ORDER, ACK, status)
    assert said.error is None
    assert said.value.symbol == "BTCUSDT"
    assert (said.request_time_ms, said.sent_ns, said.received_ns, said.anomalies) == (T_MS, 1_000, 2_000, ())


@pytest.mark.parametrize(
    ("body", "time_ms"),
    [
        (envelope({"symbol": "BTCUSDT"}, requestTime=str(T_MS)), T_MS),
        ({"code": "00000", "data": {"symbol": "BTCUSDT"}}, None),
        (envelope({"symbol": "BTCUSDT"}, requestTime=None), None),
        (envelope({"symbol": "BTCUSDT"}, requestTime="soon"), None),
        (envelope({"symbol": "BTCUSDT"}, requestTime=True), None),
        (envelope({"symbol": "BTCUSDT"}, requestTime=[1]), None),
        (envelope({"symbol": "BTCUSDT"}, extra={"a": [1]}, msg=None), T_MS),
        (envelope({"symbol": "BTCUSDT"}, msg=17), T_MS),
        (envelope({"symbol": "BTCUSDT"}, message="success"), T_MS),
    ],
    ids=str,
)
def test_an_acknowledgement_does_not_hang_on_its_other_fields(body: dict[str, Any], time_ms: int | None) -> None:
    """A clock that was not told, or told as a text, changes nothing about the receipt."""
    said = answer(CANCEL_SYMBOL_ORDER, body)
    assert said.error is None
    assert said.request_time_ms == time_ms
    assert said.value.symbol == "BTCUSDT"


@pytest.mark.failure(18)
@each_command
@pytest.mark.parametrize("data", [None, [], "x", 17, True, [1, 2], {"nothing": "known"}])
def test_a_receipt_with_unusable_data_is_still_a_receipt(row: Endpoint, data: object) -> None:
    """The command was taken; that nothing more is known stands in `unreadable` and not in made-up values."""
    said = answer(row, envelope(data))
    assert said.error is None
    if row is SWITCH_DEDUCT and not isinstance(data, (list, dict)):
        # Its answer is a bare `true`, told or not told.
        assert bool(said.value.done) is (data is True)
        assert said.value.unreadable == (("data",) if data is None else ("done",) if data == 17 else ())
        return
    if get_origin(row.returns) is list:
        # A list of receipts: none at all is one that can be read.
        (record,) = get_args(row.returns)
        assert said.value == ([] if data == [] else [record(unreadable=("data",))])
        return
    assert isinstance(said.value, row.returns)
    if not isinstance(data, dict):
        assert said.value.unreadable == ("data",)
        assert (said.anomalies != ()) is (data is not None)
    assert said.value == row.returns(unreadable=said.value.unreadable)


@pytest.mark.failure(18, 45)
@each_read
@pytest.mark.parametrize("data", [None, "x", 17, True, [1], ["x"], [None]])
def test_a_read_without_usable_data_is_no_empty_answer(row: Endpoint, data: object) -> None:
    """`data: null` taken for "no orders" would be the worst mistake that this package could make."""
    if row.returns == list[str] and data == ["x"]:
        assert answer(row, envelope(data)).value == data
        return
    unknown(answer(row, envelope(data)), "unreadable")


@pytest.mark.failure(18, 45)
@each_read
def test_an_object_where_rows_belong_and_the_reverse(row: Endpoint) -> None:
    """The other shape proves nothing either."""
    listed = get_origin(row.returns) is list
    assert isinstance(answer(row, envelope([])).value, list) == listed
    unknown(answer(row, envelope({"serverTimes": "1"} if listed else [])), "unreadable")


@pytest.mark.failure(18)
def test_a_missing_required_field_is_no_default() -> None:
    """There is no server time to make up."""
    unknown(answer(SERVER_TIME, envelope({})), "unreadable")
    unknown(answer(SERVER_TIME, envelope({"serverTime": "x"})), "unreadable")
    assert answer(SERVER_TIME, envelope({"serverTime": T_MS})).value.server_ms == T_MS


# -- everything else proves nothing -------------------------------------------------------------------------------

GARBAGE: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("blank", b" \r\n"),
    ("html", b"<html><head><title>502 Bad Gateway</title></head></html>"),
    ("text", b"error code: 1015"),
    ("null", b"null"),
    ("true", b"true"),
    ("number", b"0"),
    ("string", b'"00000"'),
    ("list", b'["00000"]'),
    ("list of envelopes", b"[" + ACK + b"]"),
    ("two envelopes", ACK + ACK),
    ("trailing comma", ACK[:-1] + b",}"),
    ("single quotes", ACK.replace(b'"', b"'")),
    ("utf-16", ACK.decode().encode("utf-16")),
    ("byte order mark", b"\xef\xbb\xbf" + ACK),
    ("bad utf-8 in the code", ACK.replace(b"00000", b"\xff0000")),
    ("nul behind it", ACK + b"\x00"),
    ("NaN", ACK.replace(b"1747574763291", b"NaN")),
    ("Infinity", ACK.replace(b'"success"', b"-Infinity")),
    ("deep lists", b"[" * 200_000),
    ("deep data", b'{"code":"00000","data":' + b"[" * 200_000),
    ("deep and closed", b'{"code":"00000","data":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ("ring balancer", b'{"message": "failure to get a peer from the ring-balancer"}'),
    ("no code", b'{"msg":"success","data":{"symbol":"BTCUSDT"}}'),
    ("empty object", b"{}"),
    ("code null", ACK.replace(b'"00000"', b"null")),
    ("code empty", ACK.replace(b'"00000"', b'""')),
    ("code int", ACK.replace(b'"00000"', b"0")),
    ("code zeros", ACK.replace(b'"00000"', b"00000")),
    ("code float", ACK.replace(b'"00000"', b"0.0")),
    ("code bool", ACK.replace(b'"00000"', b"true")),
    ("code list", ACK.replace(b'"00000"', b'["00000"]')),
    ("code object", ACK.replace(b'"00000"', b'{"code":"00000"}')),
    ("Code", ACK.replace(b'"code"', b'"Code"')),
]


@pytest.mark.failure(13, 14, 16, 18)
@each_row
@pytest.mark.parametrize("body", [body for _, body in GARBAGE], ids=[name for name, _ in GARBAGE])
@pytest.mark.parametrize(
    ("status", "reason"), [(200, "unreadable"), (400, "http_status"), (404, "http_status"), (502, "http_status")]
)
def test_what_is_not_the_exchanges_envelope_proves_nothing(
    row: Endpoint, body: bytes, status: int, reason: str
) -> None:
    """Bodies of proxies, of broken pipes and of nobody: with any status, on commands and on reads."""
    error = unknown(answer(row, body, status), reason)
    assert error.http_status == status
    assert error.endpoint == row.label


@pytest.mark.failure(14, 16)
@pytest.mark.parametrize(("status", "reason"), [(200, "unreadable"), (299, "unreadable"), (400, "http_status")])
def test_an_envelope_without_a_code_proves_nothing(status: int, reason: str) -> None:
    """Neither a receipt nor a refusal; where the status says more than the body, it is named."""
    assert unknown(answer(CANCEL_SYMBOL_ORDER, envelope({}, ""), status), reason).http_status == status


def test_a_long_honest_answer_is_read() -> None:
    """A page of large records is above the size from which bodies are looked at for too many parts."""
    rows = [GOOD_ROW | {"clientOid": "x" * 900} for _ in range(100)]
    said = answer(HISTORY_ORDERS, envelope(rows))
    assert len(said.value) == 100
    assert said.anomalies == ()


@pytest.mark.failure(18, 31)
@pytest.mark.parametrize("code", ["0", "000000", "0000", " 00000", "00000 ", "00000\n", "success", "٠٠٠٠٠", "O0000"])
def test_only_five_zeros_are_a_yes(code: str) -> None:
    """On a command everything else is at best unknown."""
    assert unknown(answer(CANCEL_SYMBOL_ORDER, envelope({"symbol": "BTCUSDT"}, code)), "code").code is not None


@pytest.mark.failure(21)
@each_row
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("body", [ACK, b"", b'{"code":"40034","msg":"x"}', b'{"code":17}'])
def test_a_redirect_is_never_believed(row: Endpoint, status: int, body: bytes) -> None:
    """Whatever stands in it."""
    unknown(answer(row, body, status), "redirect")


@pytest.mark.failure(14)
@each_row
@pytest.mark.parametrize("status", [100, 199, 400, 403, 429, 500, 502, 503, 504, 520, 526])
def test_code_00000_with_another_status_proves_nothing(row: Endpoint, status: int) -> None:
    """Somebody between us and the exchange disagrees with it."""
    error = unknown(answer(row, envelope({}), status), "http_status")
    assert (error.code, error.http_status) == ("00000", status)


@pytest.mark.failure(17)
def test_an_answer_cut_at_any_byte_proves_nothing() -> None:
    """110 places, on a command and on a listing: only the whole text counts."""
    listing = json.dumps(envelope([{"orderId": "1", "symbol": "BTCUSDT", "status": "live"}])).encode()
    for row, whole in ((CANCEL_SYMBOL_ORDER, ACK), (UNFILLED_ORDERS, listing)):
        assert answer(row, whole).error is None
        for cut in range(len(whole)):
            unknown(answer(row, whole[:cut]), "unreadable")


@pytest.mark.failure(18)
@each_command
@pytest.mark.parametrize(
    "body",
    [
        b'{"code":"00000","code":"40034","data":null}',
        b'{"code":"40034","code":"00000","data":null}',
        b'{"code":"00000","data":null,"code":"00000"}',
        b'{"code":"22001","msg":"","code":"43001"}',
        # What a second parser refuses cannot be searched for the second one.
        b'{"code":"00000","\xff":0,"data":{"code":"1"}}',
        b'{"code":"00000","x":{"code":' + b"9" * 5_000 + b"}}",
    ],
)
def test_a_code_that_stands_there_twice_proves_nothing(row: Endpoint, body: bytes) -> None:
    """Nobody can say which one counts."""
    unknown(answer(row, body), "unreadable")


@pytest.mark.failure(18)
def test_a_code_inside_the_data_is_another_code() -> None:
    """Only the envelope's own one decides."""
    body = b'{"code":"00000","data":{"symbol":"BTCUSDT","code":"40034","list":[{"code":"1"}]}}'
    assert answer(CANCEL_SYMBOL_ORDER, body).error is None
    assert isinstance(answer(CANCEL_SYMBOL_ORDER, body.replace(b"00000", b"22001")).error, NothingToCancel)


# -- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.failure(25, 26, 27)
@each_row
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 502])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40009", AuthenticationFailed),
        ("40085", AccountModeMismatch),
        ("429", RateLimited),
        ("40034", UnknownSymbol),
        ("43001", OrderNotFound),
        ("22001", NothingToCancel),
        ("43012", InsufficientFunds),
    ],
)
def test_a_definitive_code_is_its_class_with_any_status(
    row: Endpoint, status: int, code: str, kind: type[Refused]
) -> None:
    """The envelope decides, the status does not: recordings have 400, transcripts 200."""
    said = answer(row, envelope(None, code, msg="why"), status)
    error = said.error
    assert type(error) is kind
    assert isinstance(error, Refused)
    assert (error.code, error.message, error.http_status, error.endpoint) == (code, "why", status, row.label)
    assert said.request_time_ms == T_MS


@pytest.mark.failure(29, 30, 31)
@pytest.mark.parametrize("code", ["40010", "40910", "45001", "40725", "40808", "40015", "40200", "99999", "7", "41114"])
def test_a_doubtful_code_is_unknown_on_a_command_and_a_refusal_on_a_read(code: str) -> None:
    """On a read nothing hangs on it; on a command it may have been executed, or may be yet."""
    error = unknown(answer(CANCEL_SYMBOL_ORDER, envelope(None, code, msg="busy"), 400), "code")
    assert (error.code, error.message, error.http_status) == (code, "busy", 400)
    read = answer(UNFILLED_ORDERS, envelope(None, code, msg="busy"), 400).error
    assert isinstance(read, Refused)
    assert type(read) is codes.classify(code).error


@pytest.mark.failure(25, 29, 30)
def test_every_code_of_the_table_is_a_refusal_only_if_it_is_definitive() -> None:
    """The one table decides, on every code that it holds."""
    for _, definitive, _, listed in codes._ROWS:
        for code in listed.split():
            error = answer(CANCEL_SYMBOL_ORDER, envelope(None, code), 400).error
            assert isinstance(error, Refused) is definitive
            assert isinstance(error, OutcomeUnknown) is not definitive


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"msg": "m", "message": "other"}, "m"),
        ({"msg": "", "message": "other"}, "other"),
        ({"msg": None, "message": "other"}, "other"),
        ({"msg": None}, ""),
        ({"msg": 17}, ""),
        ({"msg": "two\nlines\x1b[31m"}, "two\\nlines\\x1b[31m"),
        ({"msg": "x" * 5_000}, "x" * 256),
    ],
    ids=str,
)
def test_the_text_of_a_refusal_is_either_of_two_fields_and_fit_for_a_log(fields: dict[str, Any], text: str) -> None:
    """Old examples call it `message`; nothing of it can break a line of a log."""
    error = answer(CANCEL_SYMBOL_ORDER, {"code": "40034", "requestTime": T_MS, "data": None, **fields}, 400).error
    assert isinstance(error, UnknownSymbol)
    assert error.message == text


# -- rows that do not fit -----------------------------------------------------------------------------------------

GOOD_ROW = {
    "orderId": "1308742897634820105",
    "symbol": "BTCUSDT",
    "status": "cancelled",
    "size": "0.10",
    "baseVolume": "0.05",
    "cTime": str(T_MS),
    "feeDetail": "",
}


@pytest.mark.failure(46)
@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("size", "1e", "size"),
        ("size", "NaN", "size"),
        ("size", "Infinity", "size"),
        ("size", "-inf", "size"),
        ("size", [1], "size"),
        ("size", True, "size"),
        ("baseVolume", "abc", "base_volume"),
        ("baseVolume", {}, "base_volume"),
        ("cTime", "yesterday", "created_ms"),
        ("cTime", 1.5, "created_ms"),
        ("uTime", [], "updated_ms"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_and_never_a_zero(field: str, value: object, attribute: str) -> None:
    """The rest of the row, and the other rows, stay readable."""
    said = answer(HISTORY_ORDERS, envelope([GOOD_ROW | {field: value}, GOOD_ROW]))
    assert said.error is None
    assert said.anomalies
    bad, good = said.value
    assert getattr(bad, attribute) is None
    assert bad.unreadable == (field,)
    assert bad.order_id == GOOD_ROW["orderId"]
    assert bad.status is OrderStatus.CANCELLED
    assert good.unreadable == ()
    assert (good.size, good.base_volume, good.created_ms) == (Decimal("0.10"), Decimal("0.05"), T_MS)


@pytest.mark.parametrize("value", [True, 1.5, -7, [], {}, ["1"]])
def test_an_order_id_that_cannot_be_read_is_named(value: object) -> None:
    """It must not pass for an order without an id."""
    (row,) = answer(HISTORY_ORDERS, envelope([GOOD_ROW | {"orderId": value}])).value
    assert (row.order_id, row.unreadable) == ("", ("orderId",))


def test_an_order_id_as_a_number_keeps_all_its_digits() -> None:
    """19 digits do not fit a float; as a JSON number they are taken by their text."""
    (row,) = answer(HISTORY_ORDERS, envelope([GOOD_ROW | {"orderId": 1308742897634820105}])).value
    assert (row.order_id, row.unreadable) == ("1308742897634820105", ())


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_amount_is_not_told_and_not_zero(value: object) -> None:
    """The exchange leaves fields empty where it has nothing to say; that is no defect of the row."""
    (row,) = answer(HISTORY_ORDERS, envelope([GOOD_ROW | {"size": value, "priceAvg": value, "uTime": value}])).value
    assert (row.size, row.price_avg, row.updated_ms, row.unreadable) == (None, None, None, ())


@pytest.mark.failure(46)
def test_a_status_that_is_no_text_is_unknown_and_named() -> None:
    """It neither ends an order nor keeps it open."""
    (row,) = answer(HISTORY_ORDERS, envelope([GOOD_ROW | {"status": 4}])).value
    assert (row.status.name, row.unreadable) == ("UNKNOWN", ("status",))


def test_a_batch_with_an_unreadable_list_names_it() -> None:
    """An empty list of failures would read as "all taken"."""
    ack = answer(BATCH_CANCEL_ORDER, envelope({"successList": [{"orderId": "1"}], "failureList": "none"})).value
    assert ack.unreadable == ("failureList",)
    assert [each.order_id for each in ack.success] == ["1"]
    ack = answer(BATCH_CANCEL_ORDER, envelope({"successList": None, "failureList": None})).value
    assert ack.unreadable == ()


def test_one_bad_field_of_the_envelope_does_not_cost_the_rows() -> None:
    """A clock that cannot be read, beside rows that can."""
    said = answer(ORDER_INFO, envelope([GOOD_ROW], requestTime="soon"))
    assert [row.unreadable for row in said.value] == [()]
    assert said.request_time_ms is None


@pytest.mark.parametrize(
    ("told_ms", "time_ms"),
    [
        (str(T_MS), T_MS),
        (T_MS, T_MS),
        ("9" * 19, None),
        ("", None),
        (True, None),
        (None, None),
        # Thirteen digits: milliseconds of the years 2001 to 2286.
        (999_999_999_999, None),
        (1_000_000_000_000, 1_000_000_000_000),
        ("9999999999999", 9_999_999_999_999),
        (10_000_000_000_000, None),
    ],
)
def test_the_clock_is_told_beside_data_that_cannot_be_read(told_ms: object, time_ms: int | None) -> None:
    """As a number or as a text of a sensible length."""
    said = answer(CANCEL_SYMBOL_ORDER, envelope({"symbol": 17.5}, requestTime=told_ms))
    assert said.request_time_ms == time_ms
    assert said.value.unreadable == ("symbol",)


def test_symbols_with_a_planned_delisting_left_empty() -> None:
    """`offTime: ""` stands in every recorded row."""
    (row,) = answer(SYMBOLS, envelope([{"symbol": "BTCUSDT", "offTime": "", "openTime": "1532454360000"}])).value
    assert (row.off_ms, row.open_ms, row.unreadable) == (None, 1_532_454_360_000, ())


def test_symbols_are_read_however_many_there_are() -> None:
    """One such field in each of more rows than are read field by field; without blanks, as the exchange writes."""
    rows = [{"symbol": f"S{number}USDT", "offTime": ""} for number in range(1_500)]
    said = answer(SYMBOLS, json.dumps(envelope(rows), separators=(",", ":")).encode())
    assert [row.symbol for row in said.value] == [row["symbol"] for row in rows]
    assert said.anomalies == ()


# -- anything at all ----------------------------------------------------------------------------------------------

LEAVES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(["00000", "40034", "99999", "", "NaN", "1e5", "live", "cancelled"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["orderId", "symbol", "status", "size", "cTime", "uTime", "feeDetail", "serverTime", "successList", "coin"]
ROWS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(["00000", "40034", "45001", "1", 0]) | VALUES,
        "msg": VALUES,
        "message": VALUES,
        "requestTime": VALUES,
        "data": ROWS | st.lists(ROWS, max_size=3) | VALUES,
    },
)
BODIES_OF_ANY_KIND = st.binary(max_size=80) | (ENVELOPES | VALUES).map(lambda value: json.dumps(value).encode())


def strict_code(body: bytes) -> object:
    """The code by a parser that is not ours, or `None`."""
    try:
        # Bytes that are no UTF-8 may stand in names that nobody reads; numbers of any length are left alone.
        parsed = json.loads(body.decode("utf-8", "replace"), parse_int=str)
    except (ValueError, RecursionError):
        return None
    return parsed.get("code") if isinstance(parsed, dict) else None


@pytest.mark.failure(16, 18, 31)
@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(CATALOGUE),
    BODIES_OF_ANY_KIND,
    st.sampled_from([100, 200, 201, 204, 301, 307, 400, 401, 403, 404, 429, 500, 502, 503]) | st.integers(100, 599),
)
@example(CANCEL_SYMBOL_ORDER, ACK, 200)
@example(UNFILLED_ORDERS, b'{"code":"00000","data":[{"orderId":' + b"9" * 5_000 + b"}]}", 200)
@example(UNFILLED_ORDERS, b'{"code":"00000","data":[{"size":1e999999999}]}', 200)
@example(UNFILLED_ORDERS, b'{"code":"00000","data":[{"cTime":' + b"9" * 400 + b"}]}", 200)
@example(UNFILLED_ORDERS, b'{"code":"00000","data":[{"symbol":"\\ud800"}]}', 200)
@example(SERVER_TIME, b'{"code":"\\f"}', 100)
def test_decode_never_raises_and_never_says_yes_to_anything_but_a_yes(row: Endpoint, body: bytes, status: int) -> None:
    """Any bytes, any status: an error with a class of ours, or a value that stands on code 00000 and HTTP 2xx."""
    said = answer(row, body, status)
    assert (said.value is None) is (said.error is not None)
    if said.error is None:
        assert strict_code(body) == "00000"
        assert 200 <= status < 300
        for record in said.value if isinstance(said.value, list) else [said.value]:
            for amount in ("size", "price", "price_avg", "base_volume", "quote_volume"):
                value = getattr(record, amount, None)
                assert value is None or (isinstance(value, Decimal) and value.is_finite())
        return
    assert isinstance(said.error, BitgetError)
    assert str(said.error).isprintable()
    if isinstance(said.error, Refused):
        code = strict_code(body)
        assert isinstance(code, str)
        # What the exchange wrote is shown with its control characters escaped.
        assert said.error.code == printable(code)
        assert row.effect is Effect.READ or codes.classify(code).definitive
    else:
        assert isinstance(said.error, OutcomeUnknown)


@pytest.mark.failure(18)
@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(ACK) - 1), st.integers(0, 255))
def test_one_changed_byte_never_makes_an_acknowledgement_of_another_code(place: int, value: int) -> None:
    """Bit rot in the code never passes for five zeros."""
    body = ACK[:place] + bytes([value]) + ACK[place + 1 :]
    said = answer(CANCEL_SYMBOL_ORDER, body)
    if said.error is None:
        assert strict_code(body) == "00000"
