"""Keeping the JSON of every row of an answer behind its record, for clients that asked for it."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, get_args

import msgspec

from bitget_async.models.glances import Glances
from bitget_async.models.record import Record, keep_raw

__all__ = ["keep_rows"]

T = TypeVar("T")


class _Data(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"")


_DATA = msgspec.json.Decoder(_Data)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def keep_rows(value: Any, body: bytes) -> None:
    """
    Put the JSON of its row behind each record of an answer: `Record.raw` reads it.

    Args:
        value: what was read from the answer: a record, or a list of them; anything else is left alone.
        body: the answer. What does not match the records in it is left alone, too.
    """
    if isinstance(value, Glances):
        value.keep_raw = True
        return
    _keep(value, _split(_DATA, body, _Data()).data)


def _keep(value: Any, text: msgspec.Raw) -> None:
    if isinstance(value, Record):
        # A copy: a view would hold the whole answer as long as one of its records lives.
        whole = bytes(text)
        if whole:
            keep_raw(value, whole)
        if names := _holders(type(value)):
            fields = _split(_FIELDS, whole, {})
            for name, wire_name in names.items():
                if wire_name in fields:
                    _keep(getattr(value, name), fields[wire_name])
    elif isinstance(value, (list, tuple)):
        rows = _split(_ROWS, text, [])
        if len(rows) == len(value):
            for each, row in zip(value, rows, strict=True):
                _keep(each, row)


def _split(decoder: msgspec.json.Decoder[T], text: bytes | msgspec.Raw, otherwise: T) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # A record may be read in a way of its own, for example from a JSON text inside a text.
        return otherwise


@cache
def _holders(record: type[Record]) -> dict[str, str]:
    """Fields of a record that hold records: our name -> the exchange's."""
    return {field.name: field.encode_name for field in msgspec.structs.fields(record) if _is_record(field.type)}


def _is_record(kind: Any) -> bool:
    return any(map(_is_record, get_args(kind))) or (isinstance(kind, type) and issubclass(kind, Record))
