"""
Bytes and records: what a call looks like on the wire, and what an answer proves. Pure.

Bytes are made once: the raw query is signed, its percent-encoded form is sent, the body is signed as sent.
An answer is an acknowledgement only if it is HTTP 2xx with a JSON object whose `code` is the string `"00000"`;
it is a refusal only if its code stands in the table of definitive refusals. All else proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any, Generic, TypeVar, get_args, get_origin
from urllib.parse import quote

import msgspec
import orjson

from bitget_async.codes import classify
from bitget_async.endpoints import Effect, Endpoint
from bitget_async.errors import BitgetError, OutcomeUnknown
from bitget_async.models.glances import Glances
from bitget_async.models.salvage import ROWS, read_after_all, salvage, without_empty

__all__ = ["Answer", "Reply", "Request", "date", "decode", "encode"]

T = TypeVar("T")
SUCCESS = "00000"

# Nothing that fits in here can hurt, and a page of 100 orders does.
SMALL = 80 * 1024


class Request(msgspec.Struct, frozen=True, gc=False):
    """
    A call ready to be signed and sent.

    Attributes:
        row: the catalogue row.
        raw_target: path and raw query: what is signed.
        sent_target: path and percent-encoded query: what is sent.
        body: what is signed and sent; empty for GET.
        dated: whether the body still wants its `requestTime`: see `date`.
    """

    row: Endpoint
    raw_target: str
    sent_target: str
    body: bytes
    dated: bool = False


class Reply(msgspec.Struct, frozen=True, gc=False):
    """
    An answer as it came.

    Attributes:
        status: HTTP status.
        body: the whole body.
        remaining: the header `x-mbx-used-remain-limit` as a number, or `None`.
        sent_ns, received_ns: monotonic moments of the first byte handed to the transport and of the last received.
    """

    status: int
    body: bytes
    remaining: int | None
    sent_ns: int
    received_ns: int


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """
    What an answer says.

    Attributes:
        value: the record, where the call succeeded.
        error: what it proves otherwise: `Refused` or a subclass, or `OutcomeUnknown`.
        request_time_ms: the exchange's clock, or `None` if it was not told.
        sent_ns, received_ns: monotonic moments, from the reply.
        anomalies: what was odd about it, in words.
    """

    value: T | None
    error: BitgetError | None
    request_time_ms: int | None
    sent_ns: int
    received_ns: int
    anomalies: tuple[str, ...] = ()


class _Envelope(msgspec.Struct, Generic[T], rename="camel"):
    code: str = ""
    msg: str | None = None
    message: str | None = None
    request_time: int | None = None
    data: T | None = None


class _Loose(msgspec.Struct, rename="camel"):
    code: Any = None
    msg: Any = None
    message: Any = None
    request_time: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")


def encode(row: Endpoint, given: Mapping[str, Any]) -> Request:
    """
    Check the parameters (snake-case names) and make the bytes.

    Raises:
        UsageError: a parameter is missing, unknown or wrong.
    """
    wire = row.checked(given)
    if row.method == "POST":
        dated = row.dated and "receiveWindow" in wire and "requestTime" not in wire
        return Request(row, row.path, row.path, orjson.dumps(wire), dated)
    if not wire:
        return Request(row, row.path, row.path, b"")
    pairs = sorted(wire.items())
    raw = "&".join(f"{name}={value}" for name, value in pairs)
    sent = "&".join(f"{name}={_percent(value)}" for name, value in pairs)
    return Request(row, f"{row.path}?{raw}", f"{row.path}?{sent}", b"")


def _percent(value: str) -> str:
    # Most are letters and digits, and looking is ten times cheaper than encoding nothing.
    return value if value.isascii() and value.isalnum() else quote(value, safe="")


def date(request: Request, timestamp_ms: int) -> Request:
    """The request with its `requestTime`, from which the receive window counts: taken right before the signing."""
    body = request.body[:-1] + b',"requestTime":"%d"}' % timestamp_ms
    return Request(request.row, request.raw_target, request.sent_target, body)


def decode(row: Endpoint, reply: Reply, *, glance: bool = False) -> Answer[Any]:
    """
    Read an answer: the record, or the error that says what it proves. Never raises for anything an answer holds.
    With `glance`, and if that can be done, its rows are only looked at: the value is `Glances`.
    """
    if glance and row.glance is not None and (seen := _glanced(row, reply)) is not None:
        return seen
    if len(reply.body) > SMALL and _crowded(row, reply.body):
        return _unreadable(row, reply, "it has more parts than any page")
    envelope = _whole(row, reply.body)
    data, readable = (envelope.data, True) if envelope is not None else (None, False)
    if envelope is None:
        loose = _loose(reply.body)
        if loose is None:
            return _unreadable(row, reply)
        envelope = _Envelope(_text(loose.code), _text(loose.msg), _text(loose.message), _integer(loose.request_time))
        data = _salvage(row, loose.data) if envelope.code == SUCCESS else None
        if not isinstance(loose.code, str):
            return _unreadable(row, reply, "its code is not a text")
    if (
        readable
        and data is not None
        and envelope.code == SUCCESS
        and 200 <= reply.status < 300
        and not (row.effect is Effect.COMMAND and reply.body.count(b'"code"') > 1)
    ):
        # The same as below, without the questions that do not come up here.
        return Answer(data, None, _plausible(envelope.request_time), reply.sent_ns, reply.received_ns)
    readable = readable or (data is not None and read_after_all(data))
    odd = () if readable else ("an answer held fields that could not be read",)
    if row.effect is Effect.COMMAND and reply.body.count(b'"code"') > 1 and _code_twice(reply.body):
        return _unreadable(row, reply, "its code stands there twice")
    error = _error(row, reply, envelope, data)
    value = None if error else _bare(row) if data is None else data
    return Answer(value, error, _plausible(envelope.request_time), reply.sent_ns, reply.received_ns, odd)


def _glanced(row: Endpoint, reply: Reply) -> Answer[Any] | None:
    """The answer at a glance; `None` where anything about it is odd, or it is longer than any page is."""
    if len(reply.body) > SMALL or not 200 <= reply.status < 300:
        return None
    try:
        envelope = _glancer(row).decode(reply.body)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None
    if envelope.code != SUCCESS or envelope.data is None:
        return None
    value = Glances(envelope.data, reply.body)
    return Answer(value, None, _plausible(envelope.request_time), reply.sent_ns, reply.received_ns)


def _crowded(row: Endpoint, body: bytes) -> bool:
    """Whether a body has more parts than any answer to that row: a record of 250 bytes can be made of three: `{},`."""
    objects, fields = min(row.max_bytes // 100, 40_000), min(row.max_bytes // 10, 120_000)
    return body.count(b"{") + body.count(b"[") > objects or body.count(b",") > fields


def _error(row: Endpoint, reply: Reply, envelope: _Envelope[Any], data: Any) -> BitgetError | None:
    """
    1. A redirect is never followed and never believed. 2. Code 00000 with HTTP 2xx succeeds, if the data can be
    read or the row is a command (then it is a receipt, whatever the data). 3. A code of the table of definitive
    refusals is a refusal; on a read every other code is one too, for nothing hangs on it. 4. The rest is unknown.
    """
    message = envelope.msg or envelope.message or ""
    if 300 <= reply.status < 400:
        return _redirected(row, reply)
    if envelope.code == SUCCESS:
        if not 200 <= reply.status < 300:
            return OutcomeUnknown("http_status", endpoint=row.label, http_status=reply.status, code=SUCCESS)
        if data is None and row.effect is Effect.READ:
            return OutcomeUnknown("unreadable", endpoint=row.label, http_status=reply.status, message="no usable data")
        return None
    if not envelope.code:
        reason = "http_status" if reply.status >= 400 else "unreadable"
        return OutcomeUnknown(reason, endpoint=row.label, http_status=reply.status, message="an answer without a code")
    verdict = classify(envelope.code)
    if verdict.definitive or row.effect is Effect.READ:
        return verdict.error(envelope.code, message, http_status=reply.status, endpoint=row.label)
    return OutcomeUnknown("code", endpoint=row.label, code=envelope.code, message=message, http_status=reply.status)


def _redirected(row: Endpoint, reply: Reply) -> OutcomeUnknown:
    return OutcomeUnknown("redirect", endpoint=row.label, http_status=reply.status, message="redirects are refused")


def _unreadable(row: Endpoint, reply: Reply, why: str = "") -> Answer[Any]:
    error: BitgetError
    if 300 <= reply.status < 400:
        error = _redirected(row, reply)
    elif reply.status >= 400:
        error = OutcomeUnknown("http_status", endpoint=row.label, http_status=reply.status, message=why)
    else:
        text = why or "the body is not the exchange's JSON"
        error = OutcomeUnknown("unreadable", endpoint=row.label, http_status=reply.status, message=text)
    return Answer(None, error, None, reply.sent_ns, reply.received_ns)


@cache
def _decoder(row: Endpoint) -> msgspec.json.Decoder[_Envelope[Any]]:
    # The exchange writes numbers as texts here and there ("1747391309583"): lax mode reads both.
    return msgspec.json.Decoder(_Envelope[row.returns], strict=False)  # type: ignore[name-defined]


@cache
def _glancer(row: Endpoint) -> msgspec.json.Decoder[_Envelope[Any]]:
    return msgspec.json.Decoder(_Envelope[list[row.glance]], strict=False)  # type: ignore[name-defined]


def _whole(row: Endpoint, body: bytes) -> _Envelope[Any] | None:
    """The answer if all of it fits the record, as it came or without the fields that were left empty."""
    try:
        return _decoder(row).decode(body)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        pass
    filled = without_empty(body)
    if len(filled) == len(body):
        return None
    try:
        return _decoder(row).decode(filled)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None


def _bare(row: Endpoint) -> Any:
    """What a receipt without usable data is read into."""
    if get_origin(row.returns) is list:
        return [get_args(row.returns)[0](unreadable=("data",))]
    return row.returns(unreadable=("data",))


_LOOSE = msgspec.json.Decoder(_Loose)


def _loose(body: bytes) -> _Loose | None:
    try:
        return _LOOSE.decode(body)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _plausible(request_time_ms: int | None) -> int | None:
    """The exchange's time if it is one in milliseconds (13 digits), else `None`."""
    return request_time_ms if request_time_ms is not None and 10**12 <= request_time_ms < 10**13 else None


def _code_twice(body: bytes) -> bool:
    """Whether `code` stands twice at the top: then nobody can say which one counts."""
    tops: list[list[str]] = [[]]

    def pairs(items: list[tuple[str, Any]]) -> None:
        tops[0] = [name for name, _ in items]

    try:
        json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return True
    # The outermost object is closed last.
    return tops[0].count("code") > 1


def _salvage(row: Endpoint, raw: msgspec.Raw) -> Any:
    """
    Read data of which some field does not fit its record: rows one by one, fields one by one; what cannot be
    read becomes the field's default and is named in `unreadable`. `None` if the data is of another shape.
    """
    bad = count(1)
    try:
        if get_origin(row.returns) is list:
            (record,) = get_args(row.returns)
            return [salvage(record, each, bad) for each in ROWS.decode(raw)]
        return salvage(row.returns, raw, bad)
    except (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, RecursionError):
        return None
