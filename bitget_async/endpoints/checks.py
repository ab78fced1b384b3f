"""
Checks of parameter values: each turns what the caller gave into what goes on the wire, or raises `UsageError`.

They refuse what is certainly wrong and leave doubtful cases to the exchange. Nothing is corrected silently:
a lower-case symbol in an irreversible command is a mistake, not a spelling.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation

from bitget_async.errors import UsageError

__all__ = [
    "amount",
    "client_oid",
    "coin",
    "cursor",
    "integer",
    "milliseconds",
    "one_of",
    "order_id",
    "price_text",
    "symbol",
    "symbols",
    "user_id",
    "wait_s",
    "word",
]

SYMBOL = re.compile(r"[A-Z0-9$._\-]{2,40}")
COIN = re.compile(r"[A-Za-z0-9$._\-]{1,40}")
CLIENT_OID = re.compile(r"[0-9A-Za-z_:#+\- ]{1,64}")
DIGITS = re.compile(r"[0-9]{1,32}")
WORD = re.compile(r"[!-~][ -~]{0,63}")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:
        # An int of more digits than Python writes out.
        text = f"{type(value).__name__} of thousands of digits"
    return text if len(text) <= 50 else text[:47] + "..."


def symbol(value: object) -> str:
    """A symbol in the exchange's spelling: 2 to 40 of A-Z, 0-9, $ . _ -."""
    if not isinstance(value, str) or SYMBOL.fullmatch(value) is None:
        raise UsageError(f'must be a symbol in the exchange\'s own spelling, such as "BTCUSDT", not {_shown(value)}')
    return value


def coin(value: object) -> str:
    """A coin name such as "USDT"."""
    if not isinstance(value, str) or COIN.fullmatch(value) is None:
        raise UsageError(f'must be a coin name such as "USDT", not {_shown(value)}')
    return value


def _digits(what: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or DIGITS.fullmatch(value) is None:
            raise UsageError(f"must be {what} (a string of digits), not {_shown(value)}")
        return value

    return check


order_id = _digits("an order id")
user_id = _digits("a user id")
cursor = _digits("the id of a row")


def word(value: object) -> str:
    """A name of the exchange's, of a chain for example: 1 to 64 printable ASCII characters."""
    if not isinstance(value, str) or WORD.fullmatch(value) is None:
        raise UsageError(f"must be 1 to 64 printable ASCII characters, not {_shown(value)}")
    return value


def client_oid(value: object) -> str:
    """A client order id: 1 to 64 of letters, digits, _ : # + - and space. 32 or fewer of [0-9A-Za-z_-] is safest."""
    if not isinstance(value, str) or CLIENT_OID.fullmatch(value) is None:
        raise UsageError(f"must be 1 to 64 letters, digits or _ : # + - and space, not {_shown(value)}")
    return value


def amount(value: object) -> str:
    """
    A positive amount: `Decimal`, `int` or decimal text; never `float`, which does not hold what you typed.

    Zeros at the end of its decimals are left out: the exchange counts the decimals that are written.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise UsageError(f"must be a Decimal, an int or a decimal text, not {_shown(value)}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise UsageError(f"must be a decimal number, not {_shown(value)}") from None
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > 40:
        raise UsageError(f"must be a positive number, not {_shown(value)}")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def wait_s(max_wait_s: object) -> None:
    """Raise `UsageError` unless that is a longest wait: a number of seconds from 0, or `None` for no bound."""
    number = isinstance(max_wait_s, (int, float)) and not isinstance(max_wait_s, bool)
    if max_wait_s is not None and not (number and 0 <= max_wait_s < float("inf")):  # type: ignore[operator]
        raise UsageError(f"max_wait_s must be a number of seconds from 0, or None, not {_shown(max_wait_s)}")


def price_text(value: object) -> str:
    """A positive price, or `""` where the exchange reads that as "at market"."""
    return "" if value == "" else amount(value)


def milliseconds(value: object) -> str:
    """A Unix time in milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"must be an int of Unix milliseconds, not {_shown(value)}")
    if not 1_000_000_000_000 <= value < 10_000_000_000_000:
        raise UsageError(f"must be Unix milliseconds (13 digits), not {_shown(value)}")
    return str(value)


def integer(low: int, high: int) -> Callable[[object], str]:
    """An `int` between `low` and `high`, both included."""

    def check(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"must be an int from {low} to {high}, not {_shown(value)}")
        return str(value)

    return check


def one_of(*texts: str) -> Callable[[object], str]:
    """One of these texts, or an enum member with such a value."""

    def check(value: object) -> str:
        text = value.value if isinstance(value, enum.Enum) else value
        if not isinstance(text, str) or text not in texts:
            raise UsageError(f"must be one of {', '.join(texts)}, not {_shown(value)}")
        return text

    return check


def symbols(value: object) -> list[str]:
    """A list of symbols, each once; never an empty one, which the exchange could read as "all"."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
        raise UsageError(f"must be a list of symbols, not {_shown(value)}")
    found = [symbol(each) for each in value]
    if not found:
        raise UsageError("must name at least one symbol")
    if len(set(found)) != len(found):
        raise UsageError("names a symbol twice")
    return found
