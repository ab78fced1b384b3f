"""
Frames of the exchange's WebSockets: what we send, and what came. Pure: no socket, no clock.

Nothing here raises for anything that a frame holds. What cannot be read is `Strange`, and never proof of anything.
Source: https://www.bitget.com/api-doc/common/websocket-intro, read 2025-11-30.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
import orjson

from bitget_async.credentials import Credentials
from bitget_async.models.salvage import ROWS

__all__ = [
    "MOST_BYTES",
    "PING",
    "Failed",
    "Frame",
    "LoggedIn",
    "LoginFailed",
    "Pong",
    "Push",
    "SealedFrame",
    "Strange",
    "Subscribed",
    "Topic",
    "TradeAnswer",
    "Unsubscribed",
    "login_frame",
    "read_frame",
    "subscribe_frames",
    "trade_frame",
    "unsubscribe_frames",
]

PING = "ping"
# The exchange reads no longer message than this.
MOST_SENT = 4096
# A snapshot of 400 levels a side has 25 KB, one of 2000 coins 250 KB.
MOST_BYTES = 512 * 1024
# Nothing that fits in here can hurt; a longer frame with more parts than these is no honest one.
SMALL = 16 * 1024
MOST_PARTS = 6_000
MOST_COMMAS = 20_000
SUCCESS = frozenset({"0", "00000"})
# Codes of a login that failed; others that come while one waits for it are for `Talk` to judge.
LOGIN_CODES = frozenset({"30005", "30011", "30012", "30013", "30014", "30015"})


class Topic(msgspec.Struct, frozen=True, gc=False, rename={"inst_id": "instId", "inst_type": "instType"}):
    """
    What one subscription is for: one argument of a subscribe request.

    Attributes:
        channel: `orders`, `fill`, `account`, `orders-algo`, `ticker`, `trade`, `candle1m`, `books`, ...
        inst_id: the symbol, or `default` for all of them on private channels; `None` for `account`.
        coin: `default` for `account`, else `None`.
        inst_type: `SPOT`.
    """

    channel: str
    inst_id: str | None = None
    coin: str | None = None
    inst_type: str = "SPOT"


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The answer to `ping`."""


class LoggedIn(msgspec.Struct, frozen=True, gc=False):
    """The socket is signed in."""


class LoginFailed(msgspec.Struct, frozen=True, gc=False):
    """The socket is not signed in; the exchange closes it."""

    code: str
    message: str


class Subscribed(msgspec.Struct, frozen=True, gc=False):
    """Pushes of this topic come from now on."""

    topic: Topic


class Unsubscribed(msgspec.Struct, frozen=True, gc=False):
    """No more pushes of this topic."""

    topic: Topic


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The exchange refused something: what `topic` names, or `None` where it does not say what."""

    topic: Topic | None
    code: str
    message: str


class Push(msgspec.Struct, frozen=True, gc=False, rename={"topic": "arg", "ts_ms": "ts"}):
    """
    News of a topic.

    Attributes:
        topic: as the exchange echoed it.
        action: `snapshot` or `update`.
        data: the rows as they came; see `rows`. A view: it keeps the whole frame in memory.
        ts_ms: exchange time of the frame, or `None`.
    """

    topic: Topic
    action: str
    data: msgspec.Raw
    ts_ms: int | None = None


class TradeAnswer(msgspec.Struct, frozen=True, gc=False):
    """
    Answer to a command that went over the socket. `ok` means taken, not done.

    Attributes:
        request_id: the id that the request had.
        ok: whether the exchange took it.
        code, message: its code as a text, and its words.
        order_id, client_oid: the order's names, `""` where not told.
        ts_ms: exchange time, or `None`.
    """

    request_id: str
    ok: bool
    code: str
    message: str
    order_id: str = ""
    client_oid: str = ""
    ts_ms: int | None = None


class Strange(msgspec.Struct, frozen=True, gc=False):
    """A frame that is none of the others."""

    reason: str


Frame: TypeAlias = Pong | LoggedIn | LoginFailed | Subscribed | Unsubscribed | Failed | Push | TradeAnswer | Strange


class SealedFrame(bytes):
    """A frame to send that holds a key and a signature: its repr shows neither, so no traceback or log can."""

    def __repr__(self) -> str:
        return "<login frame>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


def login_frame(credentials: Credentials, timestamp_s: int) -> SealedFrame:
    """
    The request that signs a socket in.

    Args:
        credentials: the key.
        timestamp_s: exchange time in seconds, at most 30 s off when it arrives.
    """
    return SealedFrame(orjson.dumps({"op": "login", "args": [dict(credentials.login(timestamp_s))]}))


def subscribe_frames(topics: Iterable[Topic]) -> list[tuple[bytes, tuple[Topic, ...]]]:
    """Requests for pushes of those topics, in their order, each with those that it asks for: 4096 bytes at most."""
    return _frames(b"subscribe", topics)


def unsubscribe_frames(topics: Iterable[Topic]) -> list[tuple[bytes, tuple[Topic, ...]]]:
    """Requests for the end of them, in the same way."""
    return _frames(b"unsubscribe", topics)


def trade_frame(request_id: str, channel: str, inst_id: str, params: Mapping[str, Any]) -> bytes:
    """
    A command over the private socket.

    Args:
        request_id: at most 40 characters; the answer repeats it.
        channel: `place-order` or `cancel-order`.
        inst_id: the symbol.
        params: the fields of the REST call in the exchange's names, without `symbol`.
    """
    row = {"id": request_id, "instType": "SPOT", "instId": inst_id, "channel": channel, "params": dict(params)}
    return orjson.dumps({"op": "trade", "args": [row]})


def _frames(op: bytes, topics: Iterable[Topic]) -> list[tuple[bytes, tuple[Topic, ...]]]:
    head, tail = b'{"op":"%b","args":[' % op, b"]}"
    frames: list[tuple[bytes, tuple[Topic, ...]]] = []
    texts: list[bytes] = []
    asked: list[Topic] = []
    length = len(head) + len(tail)
    for topic in topics:
        text = orjson.dumps(_argument(topic))
        if texts and length + len(text) + len(texts) > MOST_SENT:
            frames.append((head + b",".join(texts) + tail, tuple(asked)))
            texts, asked, length = [], [], len(head) + len(tail)
        texts.append(text)
        asked.append(topic)
        length += len(text)
    if texts:
        frames.append((head + b",".join(texts) + tail, tuple(asked)))
    return frames


def _argument(topic: Topic) -> dict[str, str]:
    told = {"instType": topic.inst_type, "channel": topic.channel, "instId": topic.inst_id, "coin": topic.coin}
    return {name: text for name, text in told.items() if text is not None}


_PUSH = msgspec.json.Decoder(Push, strict=False)
_ANY = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BROKEN = (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, RecursionError)


def read_frame(text: str | bytes) -> Frame:
    """What came. Never raises for anything that `text` holds."""
    if len(text) > SMALL and (problem := _crowded(text)):
        return Strange(problem)
    try:
        push = _PUSH.decode(text)
    except _BROKEN:
        return _read_slowly(text)
    topic, ts_ms = push.topic, push.ts_ms
    if (topic.inst_id is None and topic.coin is None) or not (ts_ms is None or 10**12 <= ts_ms < 10**13):
        return _read_slowly(text)
    return push


def _crowded(text: str | bytes) -> str:
    """How a frame is longer, or has more parts, than any honest one; `""` if it is not."""
    if len(text) > MOST_BYTES:
        return "it is too long"
    told = text.encode("utf-8", "replace") if isinstance(text, str) else text
    parts, commas = told.count(b"{") + told.count(b"["), told.count(b",")
    return "it has too many parts" if parts > MOST_PARTS or commas > MOST_COMMAS else ""


def _read_slowly(text: str | bytes) -> Frame:
    """
    Everything that is no plain push, which is rare: 1. pong; 2. a push written oddly; 3. an event with its code;
    4. what we do not know.
    """
    if text in ("pong", b"pong"):
        return Pong()
    try:
        fields = _ANY.decode(text)
    except _BROKEN:
        return Strange("it is no JSON object")
    event = _word(fields.get("event"))
    code, message = _word(fields.get("code")), _word(fields.get("msg"))
    if not event:
        return _odd_push(fields)
    rows = _arguments(fields.get("arg"))
    topic = _topic(rows[0]) if rows else None
    if event == "login":
        return LoggedIn() if code in SUCCESS else LoginFailed(code, message)
    if event == "trade" or (event == "error" and rows and "id" in rows[0]):
        return _trade_answer(event, rows, code, message, _ts_ms(fields.get("ts")))
    if event == "error":
        return _failed(topic, code, message)
    if topic is None or event not in ("subscribe", "unsubscribe"):
        return Strange(f"an event of another kind: {event[:40]!r}")
    if code and code not in SUCCESS:
        return Failed(topic, code, message)
    return Subscribed(topic) if event == "subscribe" else Unsubscribed(topic)


def _odd_push(fields: dict[str, msgspec.Raw]) -> Frame:
    topic = next((_topic(row) for row in _arguments(fields.get("arg"))), None)
    if topic is None or "data" not in fields:
        return Strange("it has neither an event nor a topic with data")
    return Push(topic, _word(fields.get("action")), fields["data"], _ts_ms(fields.get("ts")))


# "instType:sp,channel:candleundefined,instId:BTCUSDT doesn't exist": seen in place of the argument.
_NAMED = r"channel:([\w-]{1,40}),(instId|coin):([^\s,]{1,40})"


def _failed(topic: Topic | None, code: str, message: str) -> Failed | LoginFailed:
    if topic is None and code in LOGIN_CODES:
        return LoginFailed(code, message)
    if topic is None and (named := re.search(_NAMED, message)):
        channel, kind, name = named.groups()
        topic = Topic(channel, inst_id=name) if kind == "instId" else Topic(channel, coin=name)
    return Failed(topic, code, message)


def _trade_answer(
    event: str, rows: list[dict[str, msgspec.Raw]], code: str, message: str, ts_ms: int | None
) -> TradeAnswer | Strange:
    request_id = _word(rows[0].get("id")) if rows else ""
    if not request_id:
        return Strange("an answer to a command without its id")
    (params,) = _arguments(rows[0].get("params")) or [{}]
    order_id, client_oid = _word(params.get("orderId")), _word(params.get("clientOid"))
    return TradeAnswer(request_id, event == "trade" and code in SUCCESS, code, message, order_id, client_oid, ts_ms)


def _arguments(raw: msgspec.Raw | None) -> list[dict[str, msgspec.Raw]]:
    """The objects of `arg`, which is one or a list; empty for anything else."""
    if raw is None:
        return []
    try:
        return [_ANY.decode(each) for each in (ROWS.decode(raw) if bytes(raw)[:1] == b"[" else (raw,))]
    except _BROKEN:
        return []


def _topic(row: dict[str, msgspec.Raw]) -> Topic | None:
    """An echoed argument, whatever the capitals of its names."""
    told = {name.lower(): _word(raw) for name, raw in row.items()}
    channel, inst_id, coin = told.get("channel"), told.get("instid"), told.get("coin")
    if not channel:
        return None
    return Topic(channel, inst_id or None, coin or None, told.get("insttype") or "SPOT")


def _word(raw: msgspec.Raw | None) -> str:
    """A text, or a number's digits; `""` for anything else, and for what is too long to be either."""
    if raw is None or len(bytes(raw)) > 4096:
        return ""
    try:
        value = msgspec.json.decode(raw)
    except _BROKEN:
        return ""
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _ts_ms(raw: msgspec.Raw | None) -> int | None:
    digits = _word(raw)
    return int(digits) if len(digits) == 13 and digits.isascii() and digits.isdigit() else None
