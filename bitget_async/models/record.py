"""What all records share: how names and amounts are read, and what happens to what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

__all__ = ["Amounts", "Record", "finite", "wire_names"]


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def wire_names(**special: str) -> Callable[[str], str]:
    """Our field names -> the exchange's: camel case, but for those given."""
    return lambda name: special.get(name) or camel(name)


def finite(value: object) -> None:
    """Raise for NaN and infinity, which `Decimal` reads from a text like any number."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("an amount is not a number")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the exchange answers. `unreadable` lists the wire names of fields that could not be read."""

    unreadable: tuple[str, ...] = msgspec.field(default=(), name="-")


class Amounts(Record, frozen=True, kw_only=True):
    """Base of records with amounts: all of them are numbers, or the record is not made."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            finite(getattr(self, name))
