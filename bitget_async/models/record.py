"""What all records share: how names and amounts are read, and what happens to what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from bitget_async.errors import UsageError

__all__ = ["LEAST_DIGITS", "MOST_DIGITS", "SECONDS_BELOW", "Amounts", "Record", "finite", "keep_raw", "wire_names"]

# Unix milliseconds pass this in 1973, Unix seconds in 5138.
SECONDS_BELOW = 100_000_000_000
# Before or behind the point; tokens have up to 18 behind it, and a product of two twice that.
MOST_DIGITS = 60
# Written out: a sign is worked out anew each time.
LEAST_DIGITS = -60


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def wire_names(**special: str) -> Callable[[str], str]:
    """Our field names -> the exchange's: camel case, but for those given."""
    return lambda name: special.get(name) or camel(name)


def finite(value: object) -> None:
    """
    Raise for NaN and infinity, which `Decimal` reads from a text like any number; and for 1e999999999, which is a
    number of three bytes until somebody multiplies it or writes its digits.
    """
    if isinstance(value, Decimal) and not (value.is_finite() and LEAST_DIGITS <= value.adjusted() <= MOST_DIGITS):
        raise ValueError("an amount is not a number")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """
    Base of what the exchange answers. `unreadable` lists the wire names of fields that could not be read.
    `bare` names the field that holds the answer where it is no object, but `true` for example.
    """

    bare: ClassVar[str] = ""

    unreadable: tuple[str, ...] = msgspec.field(default=(), name="-")

    @property
    def raw(self) -> Any:
        """
        The row as the exchange sent it, unknown fields included: plain JSON values, made anew each time. Numbers are
        `int` where they are whole and `Decimal` otherwise, never `float`; texts stay texts.

        Raises: UsageError: the client was not made with `keep_raw=True`, or the record does not come from an answer.
        """
        kept = self.unreadable
        if not isinstance(kept, _Kept):
            raise UsageError("raw rows are kept by BitgetClient(keep_raw=True) only, and only of what an answer held")
        return json.loads(kept.text, parse_float=Decimal, parse_int=_whole)


def _whole(digits: str) -> int | Decimal:
    # Python refuses to make an int of thousands of digits.
    return int(digits) if len(digits) <= 1000 else Decimal(digits)


class _Kept(tuple[str, ...]):
    """
    `unreadable` with the row's JSON behind it: a record is equal, hashed, printed, written and pickled as without,
    and one that keeps nothing pays nothing. Records have no room for an attribute that is no field (`gc=False`).
    """

    text: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (list(self),)


def keep_raw(record: Record, text: bytes) -> None:
    """Put the JSON of its row behind a record: `raw` reads it. Pickling and deep copies leave it behind."""
    kept = _Kept(record.unreadable)
    kept.text = text
    msgspec.structs.force_setattr(record, "unreadable", kept)


class Amounts(Record, frozen=True, kw_only=True):
    """
    Base of records with amounts and times. All amounts are numbers, or the record is not made; all `_ms` are
    milliseconds, though the exchange writes seconds here and there; `symbol` is in capitals.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                finite(value)
            elif name == "symbol" and isinstance(value, str) and not value.isupper():
                msgspec.structs.force_setattr(self, name, value.upper())
            elif isinstance(value, int) and name.endswith("_ms") and value < SECONDS_BELOW:
                msgspec.structs.force_setattr(self, name, value * 1000)
