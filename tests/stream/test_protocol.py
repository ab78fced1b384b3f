"""Frames: what we send to the byte, and what we make of everything that comes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import traceback
from typing import Any

import pytest

from bitget_async import Credentials
from bitget_async.stream.protocol import (
    MOST_BYTES,
    PING,
    Failed,
    LoggedIn,
    LoginFailed,
    Pong,
    Push,
    Strange,
    Subscribed,
    Topic,
    TradeAnswer,
    Unsubscribed,
    login_frame,
    read_frame,
    subscribe_frames,
    trade_frame,
    unsubscribe_frames,
)
from tests.stream.frames import DOCUMENTED, RECORDED, compact, frames

PARTS = ("an-api-key", "a-secret-of-a-key", "a-passphrase")
KEY = Credentials(*PARTS)
TICKER = Topic("ticker", "BTCUSDT")


def test_the_login_is_signed_over_the_path_of_the_check() -> None:
    """`timestamp + GET + /user/verify`, seconds (reference 5.2); the signature is computed here by hand."""
    frame = json.loads(bytes(login_frame(KEY, 1538054050)))
    signed = hmac.new(PARTS[1].encode(), b"1538054050GET/user/verify", hashlib.sha256).digest()
    assert frame == {
        "op": "login",
        "args": [
            {
                "apiKey": PARTS[0],
                "passphrase": PARTS[2],
                "timestamp": "1538054050",
                "sign": base64.b64encode(signed).decode(),
            }
        ],
    }


def test_an_rsa_key_signs_the_login_too() -> None:
    """The signer is the one of the calls."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    frame = json.loads(bytes(login_frame(Credentials("an-api-key", pem.decode(), "a-passphrase"), 7)))
    sign = base64.b64decode(frame["args"][0]["sign"])
    private.public_key().verify(sign, b"7GET/user/verify", padding.PKCS1v15(), hashes.SHA256())


def test_a_login_frame_shows_nothing_of_itself() -> None:
    """It holds key, passphrase and signature: no log and no traceback with locals may have them."""
    frame = login_frame(KEY, 1538054050)
    try:
        raise RuntimeError("while sending")
    except RuntimeError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    for text in (repr(frame), str(frame), f"{frame}", f"{frame!r:>3}", told):
        assert "login frame" in text
        for part in (*PARTS, "sign"):
            assert part not in text


def test_a_subscription_is_written_as_the_page_has_it() -> None:
    """To the byte, one argument a topic."""
    topics = [TICKER, Topic("candle5m", "BTCUSDT"), Topic("account", coin="default")]
    ((frame, asked),) = subscribe_frames(topics)
    assert asked == tuple(topics)
    assert frame == (
        b'{"op":"subscribe","args":[{"instType":"SPOT","channel":"ticker","instId":"BTCUSDT"},'
        b'{"instType":"SPOT","channel":"candle5m","instId":"BTCUSDT"},'
        b'{"instType":"SPOT","channel":"account","coin":"default"}]}'
    )
    assert json.loads(frame)["args"][:2] == frames("websocket-intro")[5]["args"]
    ((frame, _),) = unsubscribe_frames([TICKER])
    assert frame == b'{"op":"unsubscribe","args":[{"instType":"SPOT","channel":"ticker","instId":"BTCUSDT"}]}'
    assert subscribe_frames([]) == []


@pytest.mark.parametrize("symbol", ["BTCUSDT", "A-RATHER-LONG-SYMBOL-USDT", "ÜBERUSDT"])
def test_no_request_is_longer_than_the_exchange_reads(symbol: str) -> None:
    """4096 bytes; every topic is asked for exactly once, in order."""
    topics = [Topic("ticker", f"{number}{symbol}") for number in range(500)]
    made = subscribe_frames(topics)
    assert max(len(frame) for frame, _ in made) <= 4096
    # None could be longer by one argument: requests are counted, too.
    assert all(len(frame) > 4096 - 120 for frame, _ in made[:-1])
    assert [topic for _, asked in made for topic in asked] == topics
    for frame, asked in made:
        assert [row["instId"] for row in json.loads(frame)["args"]] == [topic.inst_id for topic in asked]


def test_a_command_over_the_socket_is_written_as_the_reference_has_it() -> None:
    """Reference 5.6."""
    frame = trade_frame("id-1", "cancel-order", "BTCUSDT", {"orderId": "7"})
    assert json.loads(frame) == {
        "op": "trade",
        "args": [
            {
                "id": "id-1",
                "instType": "SPOT",
                "instId": "BTCUSDT",
                "channel": "cancel-order",
                "params": {"orderId": "7"},
            }
        ],
    }


@pytest.mark.parametrize("text", ["pong", b"pong"])
def test_pong_is_no_json(text: str | bytes) -> None:
    """Neither is the ping."""
    assert read_frame(text) == Pong()
    assert PING == "ping"


@pytest.mark.parametrize("name", [*RECORDED, *DOCUMENTED])
def test_every_example_of_what_comes_is_read(name: str) -> None:
    """Nothing that the exchange was seen to send, or says that it sends, is strange."""
    for frame in frames(name):
        for text in (compact(frame), json.dumps(frame)):
            read = read_frame(text)
            if "op" in frame:
                continue
            if "data" in frame:
                assert isinstance(read, Push)
                assert (read.action, read.ts_ms) == (frame["action"], frame["ts"])
                assert json.loads(bytes(read.data)) == frame["data"]
                assert read.topic == Topic(
                    frame["arg"]["channel"], frame["arg"].get("instId"), frame["arg"].get("coin")
                )
            elif frame["event"] == "login":
                assert read == LoggedIn()
            elif frame["event"] == "error":
                assert read == LoginFailed("30005", "error")
            else:
                assert isinstance(read, Subscribed)


def test_the_errors_that_were_seen_are_read() -> None:
    """The first names its topic in its text only, and the last says of nothing what it means."""
    seen = [read_frame(compact(frame)) for frame in frames("login_and_errors", "ws_errors_seen_in_ccxt_comments")]
    text = "instType:sp,channel:candleundefined,instId:BTCUSDT doesn't exist"
    assert seen == [
        Failed(Topic("candleundefined", "BTCUSDT"), "30001", text),
        LoginFailed("30015", "Invalid sign"),
        Failed(None, "30016", "Param error"),
    ]


@pytest.mark.parametrize("code", [0, "0", "00000"])
def test_a_login_succeeds_with_any_spelling_of_zero(code: Any) -> None:
    """A text on the page, the number on the wire (reference 5.2)."""
    assert read_frame(compact({"event": "login", "code": code, "connId": "0621ccff"})) == LoggedIn()


@pytest.mark.parametrize("code", [30005, "30005", "30011", 30012, 30013, 30014, 30015])
def test_a_login_fails_with_a_code_in_either_spelling(code: Any) -> None:
    """Codes arrive as numbers (reference 5.7), the page shows texts."""
    assert read_frame(compact({"event": "error", "code": code, "msg": "no"})) == LoginFailed(str(code), "no")
    assert read_frame(compact({"event": "login", "code": code, "msg": "no"})) == LoginFailed(str(code), "no")


def test_a_login_without_a_code_is_no_success() -> None:
    """Nothing may follow from what is missing."""
    assert read_frame(b'{"event":"login"}') == LoginFailed("", "")


@pytest.mark.parametrize(
    "echo",
    [
        {"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"},
        {"InstType": "SPOT", "channel": "ticker", "instID": "BTCUSDT"},
        {"insttype": "SPOT", "Channel": "ticker", "instid": "BTCUSDT", "coin": ""},
    ],
)
@pytest.mark.parametrize(("event", "kind"), [("subscribe", Subscribed), ("unsubscribe", Unsubscribed)])
def test_an_acknowledgement_is_read_whatever_the_capitals_of_its_echo(echo: Any, event: str, kind: Any) -> None:
    """The exchange was seen to echo names in capitals of its own; a list of one is one."""
    assert read_frame(compact({"event": event, "arg": echo})) == kind(TICKER)
    assert read_frame(compact({"event": event, "arg": [echo], "code": 0})) == kind(TICKER)
    assert read_frame(compact({"event": event, "arg": echo, "code": 30001, "msg": "no"})) == Failed(
        TICKER, "30001", "no"
    )


def test_a_push_is_read_whatever_the_capitals_of_its_echo() -> None:
    """The same for pushes; and a time that is none is none."""
    echo = {"InstType": "SPOT", "channel": "ticker", "instID": "BTCUSDT"}
    for ts, ts_ms in ((1774423279501, 1774423279501), ("1774423279501", 1774423279501), (5, None), (None, None)):
        read = read_frame(compact({"action": "update", "arg": echo, "data": [1], "ts": ts}))
        assert isinstance(read, Push)
        assert (read.topic, read.action, bytes(read.data), read.ts_ms) == (TICKER, "update", b"[1]", ts_ms)


@pytest.mark.parametrize("ts", [5, -1, 10**13, 10**400, "soon", 1.5, None, [], True])
def test_a_push_with_a_time_that_is_none_is_still_one(ts: Any) -> None:
    """What it holds counts; its time is only told."""
    echo = {"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"}
    text = json.dumps({"action": "update", "arg": echo, "data": [1], "ts": 0}).replace('"ts": 0', f'"ts": {told(ts)}')
    read = read_frame(text)
    assert isinstance(read, Push)
    assert (read.topic, read.ts_ms) == (TICKER, None)


def told(value: Any) -> str:
    """JSON of a value, of integers longer than Python likes to print, too."""
    return "1" + "0" * 400 if value == 10**400 else json.dumps(value)


ROW = {"id": "a", "instType": "SPOT", "channel": "place-order", "instId": "BTCUSDT"}
DONE = {**ROW, "params": {"orderId": "7", "clientOid": "c"}}


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (
            {"event": "trade", "arg": [DONE], "code": 0, "msg": "Success", "ts": 1774423279501},
            TradeAnswer("a", True, "0", "Success", "7", "c", 1774423279501),
        ),
        ({"event": "trade", "arg": [DONE], "code": "0"}, TradeAnswer("a", True, "0", "", "7", "c")),
        ({"event": "trade", "arg": DONE, "code": "0"}, TradeAnswer("a", True, "0", "", "7", "c")),
        (
            {"event": "error", "arg": [ROW], "code": 43012, "msg": "Insufficient balance"},
            TradeAnswer("a", False, "43012", "Insufficient balance"),
        ),
        ({"event": "trade", "arg": [ROW], "code": 43012}, TradeAnswer("a", False, "43012", "")),
        ({"event": "trade", "arg": [ROW]}, TradeAnswer("a", False, "", "")),
        # An error with the code of a success is none.
        ({"event": "error", "arg": [ROW], "code": 0}, TradeAnswer("a", False, "0", "")),
        ({"event": "trade", "arg": [{**ROW, "params": [], "id": 5}], "code": 0}, TradeAnswer("5", True, "0", "")),
    ],
)
def test_answers_to_commands_over_the_socket(frame: Any, answer: TradeAnswer) -> None:
    """`arg` is a list there, codes are numbers or texts, and only a plain yes is one (reference 5.6)."""
    assert read_frame(compact(frame)) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        b"",
        "PONG",
        "pong ",
        "{",
        "[]",
        "7",
        "null",
        '"pong"',
        b"\xff\xfe",
        b'{"event":"\xff"}',
        "\ud800",
        "{}",
        '{"event":[]}',
        '{"event":"subscribe"}',
        '{"event":"subscribe","arg":5}',
        '{"event":"subscribe","arg":{}}',
        '{"event":"subscribe","arg":{"channel":[]}}',
        '{"event":"hello","arg":{"channel":"ticker"}}',
        '{"event":"trade","code":0}',
        '{"event":"trade","arg":[{"id":[]}],"code":0}',
        '{"action":"update","data":[1]}',
        '{"action":"update","arg":{"channel":"ticker"}}',
        '{"arg":[],"data":[]}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_whatever_else_comes_is_strange_and_says_why(text: str | bytes) -> None:
    """An unknown frame never crashes the reader, and never counts."""
    read = read_frame(text)
    assert isinstance(read, Strange)
    assert read.reason
    assert len(read.reason) < 120


def test_a_push_of_a_new_shape_is_a_push() -> None:
    """An action or a channel that we do not know is for those who read rows."""
    read = read_frame('{"action":"merge","arg":{"channel":"new"},"data":{"a":1},"ts":1774423279501}')
    assert isinstance(read, Push)
    assert (read.topic, read.action) == (Topic("new"), "merge")


def test_an_error_names_its_topic_where_it_can() -> None:
    """In `arg`, or in the text; the text of others is no topic."""
    arg = {"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"}
    assert read_frame(compact({"event": "error", "arg": arg, "code": 30001, "msg": "x"})) == Failed(
        TICKER, "30001", "x"
    )
    for text, topic in (
        ("instType:sp,channel:account,coin:default doesn't exist", Topic("account", coin="default")),
        ("channel:orders-algo,instId:default", Topic("orders-algo", "default")),
        ("channel:,instId:", None),
        ("too many requests", None),
    ):
        assert read_frame(compact({"event": "error", "code": 30001, "msg": text})) == Failed(topic, "30001", text)
    # A login's code with a topic is about the topic.
    assert read_frame(compact({"event": "error", "arg": arg, "code": 30005})) == Failed(TICKER, "30005", "")


@pytest.mark.parametrize(
    "frame",
    [
        b" " * (MOST_BYTES + 1),
        '{"action":"update","arg":{"channel":"orders","instId":"default"},"data":[' + "{}," * 11_000 + '{}],"ts":1}',
        b'{"action":"update","arg":{"channel":"orders","instId":"default"},"data":[' + b"1," * 40_001 + b"1]}",
    ],
    ids=["long", "objects", "values"],
)
def test_a_frame_longer_or_fuller_than_any_honest_one_is_strange(frame: str | bytes) -> None:
    """A record of 800 bytes can be made of three; a megabyte of them may not fill the memory."""
    before = time.process_time()
    assert isinstance(read_frame(frame), Strange)
    assert time.process_time() - before < 0.05


def test_the_longest_honest_frames_are_read() -> None:
    """A snapshot of 400 levels a side, and balances of 2000 coins."""
    levels = [[f"{26000 + number}.12", "0.12345678"] for number in range(400)]
    arg = {"instType": "SPOT", "channel": "books", "instId": "BTCUSDT"}
    book = {"action": "snapshot", "arg": arg, "data": [{"asks": levels, "bids": levels}], "ts": 1774423279501}
    coin = {"coin": "LONGCOIN", "available": "1.23456789", "frozen": "0", "locked": "0", "limitAvailable": "0"}
    account = {"action": "snapshot", "arg": {"channel": "account", "coin": "default"}, "data": [coin] * 2000}
    assert isinstance(read_frame(compact(book)), Push)
    assert isinstance(read_frame(compact(account)), Push)


def test_topics_are_told_apart_and_found_again() -> None:
    """They are keys of every table of subscriptions."""
    assert Topic("ticker", "BTCUSDT") == TICKER
    assert {TICKER: 1}[Topic("ticker", "BTCUSDT")] == 1
    assert len({TICKER, Topic("ticker", "ETHUSDT"), Topic("trade", "BTCUSDT"), Topic("account", coin="default")}) == 4
