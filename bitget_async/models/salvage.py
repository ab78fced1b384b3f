"""Reading what does not fit its record: row by row, field by field, so that one odd value costs nothing but itself."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from bitget_async.models.record import Record, finite
from bitget_async.models.texts import YesNo

__all__ = ["ROWS", "read_after_all", "salvage", "without_empty"]

T = TypeVar("T", bound=Record)

# Empty fields that are left out at most, and rows that are read field by field at most: more is no honest answer.
MOST_EMPTY = 20_000
MOST_SALVAGED = 1_000
ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])

# The exchange writes "" and null where it has nothing to say, numbers included. Inside a text every quote has a
# backslash before it, so this finds fields only. Compiled when it is first needed, as few programs do.
_EMPTY = rb',"[A-Za-z0-9_]+":(?:""|null)(?=[,}])|(?<=\{)(?:"[A-Za-z0-9_]+":(?:""|null)(?:,|(?=\})))+'


def without_empty(text: bytes) -> bytes:
    """That JSON without fields that hold `""` or `null`; the same bytes where nothing was left out."""
    return re.sub(_EMPTY, b"", text, count=MOST_EMPTY)


@cache
def _reader(kind: Any) -> msgspec.json.Decoder[Any]:
    # Making one takes longer than most of what it reads.
    return msgspec.json.Decoder(kind, strict=False)


@cache
def _told(record: type[Record]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return tuple(field for field in msgspec.structs.fields(record) if field.name != "unreadable")


def salvage(record: type[T], raw: msgspec.Raw, bad: Iterator[int]) -> T:
    """
    Read one row, field by field where it does not fit: what cannot be read becomes the field's default and is named in
    `unreadable`. `bad` counts such rows, of one answer or frame.

    Raises:
        msgspec.DecodeError, ValueError, RecursionError: it is no row at all.
        TypeError: too many rows do not fit.
    """
    try:
        whole: T = _reader(record).decode(raw)
    except (msgspec.ValidationError, ValueError):
        if next(bad) > MOST_SALVAGED:
            raise TypeError("too many rows do not fit") from None
    else:
        return whole
    values: dict[str, Any] = {}
    unreadable: list[str] = []
    told = _told(record)
    if record.bare and bytes(raw)[:1] not in (b"{", b"[", b"n"):
        fields = {record.bare: raw}
    elif record.__struct_config__.array_like:
        fields = {field.encode_name: text for field, text in zip(told, ROWS.decode(raw), strict=False)}
    else:
        fields = _FIELDS.decode(raw)
    for field in told:
        text = fields.get(field.encode_name)
        if text is None or bytes(text) in (b'""', b"null"):
            continue
        value = _salvage_field(field.type, text, bad)
        if value is None:
            unreadable.append(field.encode_name)
        else:
            values[field.name] = value
    return record(**values, unreadable=tuple(unreadable))


def _salvage_field(kind: Any, text: msgspec.Raw, bad: Iterator[int]) -> Any:
    said = bytes(text)
    try:
        for each in get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,):
            if said[:1] == b"{" and _is(each, Record):
                return salvage(each, text, bad)
            if said[:1] == b"[" and get_origin(each) is tuple and _is(get_args(each)[0], Record):
                return tuple(salvage(get_args(each)[0], row, bad) for row in ROWS.decode(text))
            if said in (b"true", b"false") and each is YesNo:
                return YesNo(said.decode())
        value = _reader(kind).decode(text)
        finite(value)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return said.decode() if str in (kind, *get_args(kind)) and said.isdigit() else None
    return value


def _is(kind: Any, of: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)


def read_after_all(value: Any) -> bool:
    """Whether nothing of salvaged data was lost: no record in it names a field that could not be read."""
    if isinstance(value, Record):
        fields = [getattr(value, name) for name in value.__struct_fields__]
        return not value.unreadable and all(map(read_after_all, fields))
    return not isinstance(value, (list, tuple)) or all(map(read_after_all, value))
