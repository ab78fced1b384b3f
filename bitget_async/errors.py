"""
The tree of errors, ordered by the first question after a failure: *may I repeat it?*

    BitgetError
    ├── UsageError (also ValueError)     your call is wrong: nothing was sent, repeating gives the same
    ├── NotSent                          proven: no byte of the request left; safe to repeat
    ├── OutcomeUnknown                   sent, and no answer that proves anything: reconcile, do not repeat blindly
    ├── Refused                          the exchange answered no, and did not execute
    │   ├── AuthenticationFailed         key, passphrase, signature
    │   │   └── ClockSkewed              the timestamp, after one resynchronisation
    │   ├── PermissionDenied             the key, address, account or region may not
    │   ├── AccountModeMismatch          40085: the account is unified, this API is the classic one
    │   ├── RateLimited                  too many requests
    │   ├── UnknownSymbol                no such symbol, or not open for trading
    │   ├── OrderNotFound                the exchange does not know the order (any more)
    │   ├── OrderAlreadyFinal            filled or cancelled before
    │   ├── NothingToCancel              the exchange says that nothing is open
    │   ├── InsufficientFunds            balance too low
    │   └── DuplicateClientOid           a pending order has this clientOid
    ├── StreamError                      a subscription has ended; subscribe again
    │   ├── SubscriptionFailed           the exchange refused it, or never acknowledged it
    │   └── StreamOverflow               its reader was too slow, and records that must not be skipped were lost
    └── Unconfirmed                      a pending command settled without a yes; see `.report`
        ├── CancellationUnconfirmed      STILL_OPEN or UNKNOWN
        ├── StopUnconfirmed              STILL_OPEN or UNKNOWN, of a stop of everything
        ├── PlacementUnconfirmed         NOT_PLACED, PARTLY_PLACED or UNKNOWN
        ├── ReplacementUnconfirmed       anything but REPLACED
        └── ModificationUnconfirmed      NOT_MODIFIED or UNKNOWN

Which exchange code gives which class stands in `codes`. Errors carry fields, the text is built from them;
what the exchange wrote is shortened and its control characters are escaped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitget_async.models import (
        CancellationReport,
        ModificationReport,
        PlacementReport,
        ReplacementReport,
        StopReport,
    )

__all__ = [
    "AccountModeMismatch",
    "AuthenticationFailed",
    "BitgetError",
    "CancellationUnconfirmed",
    "ClockSkewed",
    "DuplicateClientOid",
    "InsufficientFunds",
    "ModificationUnconfirmed",
    "NotSent",
    "NothingToCancel",
    "OrderAlreadyFinal",
    "OrderNotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "PlacementUnconfirmed",
    "RateLimited",
    "Refused",
    "ReplacementUnconfirmed",
    "StopUnconfirmed",
    "StreamError",
    "StreamOverflow",
    "SubscriptionFailed",
    "Unconfirmed",
    "UnknownSymbol",
    "UsageError",
]

TEXT_LIMIT = 256


def printable(text: object) -> str:
    """Text of the exchange made safe for one line of a log: at most 256 characters, control characters escaped."""
    whole = text if isinstance(text, str) else repr(text)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in whole[:TEXT_LIMIT])[:TEXT_LIMIT]


class BitgetError(Exception):
    """
    Root of everything that this package raises on purpose. Errors survive `pickle` and `copy` with their fields.

    Attributes:
        position: of an error of a paged read: where it stopped, to go on from there (see `Pages`); else `None`.
    """

    position: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args` alone, which keyword-only parameters refuse.
        return _rebuilt, (type(self), self.args), self.__dict__


class UsageError(BitgetError, ValueError):
    """The call itself is wrong. Raised before any request; no token was taken."""


class NotSent(BitgetError):
    """
    Proven: no byte of the request left this process. Safe to repeat.

    Attributes:
        reason: one of `rate_limit`, `connect`, `tls`, `closed`, `fenced` (behind a cancellation that is not cleared
            yet); more may come.
        endpoint: `"POST /api/..."`.
        expected_wait_s: with `rate_limit`, the least number of seconds until a token can be had.
        detail: a few words more, without secrets.
    """

    def __init__(
        self, reason: str, *, endpoint: str = "", expected_wait_s: float | None = None, detail: str = ""
    ) -> None:
        self.reason = reason
        self.endpoint = endpoint
        self.expected_wait_s = expected_wait_s
        self.detail = printable(detail)
        super().__init__(reason, endpoint, expected_wait_s, self.detail)

    def __str__(self) -> str:
        wait = "" if self.expected_wait_s is None else f"; a token is expected in {self.expected_wait_s:.2f} s"
        detail = f": {self.detail}" if self.detail else ""
        return f"not sent ({self.reason}){detail}{wait}{_at(self.endpoint)}"


class OutcomeUnknown(BitgetError):
    """
    The request was sent, or may have been, and no answer proves what became of it.

    A read may simply be repeated. A command must be reconciled first: it may have been executed, or may be yet.

    Attributes:
        reason: `timeout`, `connection`, `unreadable`, `http_status`, `code`, `redirect`, `too_large`, `closed`.
        endpoint: `"POST /api/..."`.
        code: the exchange's code if there was one (documented as doubtful, or unknown to us), else `None`.
        message: the exchange's text, or a few words on the failure.
        http_status: status of the answer, or `None` if none arrived.
        client_oid: of a transfer: repeated with this name it is made at most once; else `None`.
    """

    client_oid: str | None = None

    def __init__(
        self,
        reason: str,
        *,
        endpoint: str = "",
        code: str | None = None,
        message: str = "",
        http_status: int | None = None,
    ) -> None:
        self.reason = reason
        self.endpoint = endpoint
        self.code = None if code is None else printable(code)
        self.message = printable(message)
        self.http_status = http_status
        super().__init__(reason, endpoint, self.code, self.message, http_status)

    def __str__(self) -> str:
        parts = [f"outcome unknown ({self.reason})"]
        if self.code is not None:
            parts.append(f"code {self.code}")
        if self.http_status is not None:
            parts.append(f"HTTP {self.http_status}")
        if self.message:
            parts.append(self.message)
        return ", ".join(parts) + _at(self.endpoint)


class Refused(BitgetError):
    """
    The exchange answered no, in an envelope of its own: it did not execute the request.

    Attributes:
        code: the exchange's code, a string (leading zeros matter).
        message: the exchange's text; never branch on it.
        http_status: status of the answer.
        endpoint: `"POST /api/..."`.
    """

    remedy = ""

    def __init__(self, code: str, message: str = "", *, http_status: int | None = None, endpoint: str = "") -> None:
        self.code = printable(code)
        self.message = printable(message)
        self.http_status = http_status
        self.endpoint = endpoint
        super().__init__(self.code, self.message, http_status, endpoint)

    def __str__(self) -> str:
        status = "" if self.http_status is None else f" (HTTP {self.http_status})"
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"refused with code {self.code}{status}: {self.message}{_at(self.endpoint)}{remedy}"


class AuthenticationFailed(Refused):
    """Key, passphrase or signature is wrong. Repeating gives the same."""


class ClockSkewed(AuthenticationFailed):
    """The timestamp was refused, even after the clock was set by the exchange's own answer."""


class PermissionDenied(Refused):
    """The key, the address, the account or the region may not do this."""


class AccountModeMismatch(Refused):
    """Code 40085: the account has been upgraded to a unified account, which the classic API does not serve."""

    remedy = (
        "The account is in unified mode (UTA), and the classic V2 spot API serves classic accounts only: use a key "
        "of a classic account or sub-account, or switch this main account back to classic mode at the exchange"
    )


class RateLimited(Refused):
    """Too many requests, although ours were counted: somebody else spends the same quota."""


class UnknownSymbol(Refused):
    """No such symbol, or it is not open for trading (any more, or yet)."""


class OrderNotFound(Refused):
    """The exchange does not know this order, or not any more. For a cancel: find out why, it may have filled."""


class OrderAlreadyFinal(Refused):
    """The order is filled or cancelled, or otherwise past changing."""


class NothingToCancel(Refused):
    """The exchange says that nothing was open. A claim, not a proof."""


class InsufficientFunds(Refused):
    """The balance does not cover the order."""


class DuplicateClientOid(Refused):
    """A pending order has this clientOid already: look that order up."""


class StreamError(BitgetError):
    """A subscription has ended by itself. Nothing was changed at the exchange; subscribe again."""


class SubscriptionFailed(StreamError):
    """
    The exchange refused a subscription, or the login before it, or never acknowledged it.

    Attributes:
        topic: what was asked for, e.g. `"ticker BTCUSDT"`, or `"login"`.
        code: the exchange's code on the socket, a string; `None` if it did not answer at all.
        message: the exchange's text, or a few words on the failure; never branch on it.
    """

    def __init__(self, topic: str, code: str | None, message: str = "") -> None:
        self.topic = printable(topic)
        self.code = None if code is None else printable(code)
        self.message = printable(message)
        super().__init__(self.topic, self.code, self.message)

    def __str__(self) -> str:
        how = "was not acknowledged" if self.code is None else f"was refused with code {self.code}"
        message = f": {self.message}" if self.message else ""
        return f"{self.topic} {how}{message}"


class StreamOverflow(StreamError):
    """
    The reader of a subscription was too slow, and records that must not be skipped were lost: read anew what they were
    about, and subscribe again.

    Attributes:
        topic: what was subscribed to, e.g. `"orders"`.
        lost: how many records were lost until the reader was told.
    """

    def __init__(self, topic: str, lost: int) -> None:
        self.topic = printable(topic)
        self.lost = lost
        super().__init__(self.topic, lost)

    def __str__(self) -> str:
        return f"the reader of {self.topic} was too slow: {self.lost} records were lost"


class Unconfirmed(BitgetError):
    """
    A pending command settled without a yes.

    Attributes:
        report: the report: its outcome, the reason, and what is known of each order.
    """

    def __init__(self, report: Any) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        what = type(self).__name__.removesuffix("Unconfirmed").lower() or "command"
        reason = f" ({self.report.reason})" if self.report.reason else ""
        return f"{what} of {self.report.symbol} is {self.report.outcome.name}{reason}{self._orders()}"

    def _orders(self) -> str:
        """The orders that stand in the way, in words."""
        return ""


class CancellationUnconfirmed(Unconfirmed):
    """A cancellation settled without proof that every order is final: STILL_OPEN or UNKNOWN."""

    report: CancellationReport

    def _orders(self) -> str:
        left = [fate.order.order_id for fate in (*self.report.still_open, *self.report.vanished)]
        return f": {len(left)} without a final row: {_some(left)}" if left else ""


class StopUnconfirmed(Unconfirmed):
    """A stop settled without proof that every order in scope is final: STILL_OPEN or UNKNOWN."""

    report: StopReport

    def _orders(self) -> str:
        left = [fate.order.order_id for fate in (*self.report.still_open, *self.report.vanished)]
        return f": {len(left)} without a final row: {_some(left)}" if left else ""


class PlacementUnconfirmed(Unconfirmed):
    """A placement settled, and not every order is proven to have been placed: NOT_PLACED, PARTLY_PLACED or UNKNOWN."""

    report: PlacementReport

    def _orders(self) -> str:
        left = [*self.report.not_placed, *self.report.unknown]
        codes = {each.refusal.error_code: each.refusal.error_msg for each in left if each.refusal is not None}
        why = "".join(f"; code {printable(code)}: {printable(text)}" for code, text in list(codes.items())[:3])
        return f": {_some([each.client_oid for each in left])}{why}" if left else ""


class ReplacementUnconfirmed(Unconfirmed):
    """A replacement settled otherwise than REPLACED; `.report` tells the fates of the old and the new order apart."""

    report: ReplacementReport

    def _orders(self) -> str:
        pairs = [each for each in self.report.replacements if each.outcome.name != "REPLACED"]
        told = [
            f"{each.old.order.order_id or each.old.order.client_oid} {each.old.fate.name}, new {each.new.outcome.name}"
            for each in pairs
        ]
        return f": {_some(told, '; ')}" if told else ""


class ModificationUnconfirmed(Unconfirmed):
    """A change of a trigger order settled without proof that it has the new values: NOT_MODIFIED or UNKNOWN."""

    report: ModificationReport


def _some(texts: list[str], between: str = ", ") -> str:
    return between.join(texts[:5]) + (f"{between}..." if len(texts) > 5 else "")


def redact(error: Refused | OutcomeUnknown, hide: Callable[[str], str]) -> None:
    """Pass every text of the error through `hide`: an answer may echo what it was sent."""
    error.message = hide(error.message)
    if error.code is not None:
        error.code = hide(error.code)
    error.args = tuple(hide(each) if isinstance(each, str) else each for each in error.args)


def _at(endpoint: str) -> str:
    return f" [{endpoint}]" if endpoint else ""


def _rebuilt(error: type[BitgetError], args: tuple[object, ...]) -> BitgetError:
    return error.__new__(error, *args)
