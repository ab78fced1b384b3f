"""What a pending command came to: frozen reports."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from bitget_async.models.orders import Order

__all__ = ["CancellationReport", "Fate", "OrderFate", "Outcome", "Scope"]


class Outcome(enum.Enum):
    """What a cancellation came to. Only the first two are a yes."""

    CONFIRMED = "confirmed"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    STILL_OPEN = "still_open"
    UNKNOWN = "unknown"


class Fate(enum.Enum):
    """What is known of one order. CANCELLED and FILLED are proven by a final row; the others are not final."""

    CANCELLED = "cancelled"
    FILLED = "filled"
    OPEN = "open"
    VANISHED = "vanished"


class Scope(enum.Enum):
    """
    Whether a cancellation answers for an order.

    IN: created by the moment of signing. BOUNDARY: created within the uncertainty of the exchange's clock
    around that moment; required like IN. LATE: created after it; reported, never required, never claimed.
    """

    IN = "in"
    BOUNDARY = "boundary"
    LATE = "late"


class OrderFate(msgspec.Struct, frozen=True, kw_only=True):
    """
    One order and what became of it.

    Attributes:
        order: the last row seen. An order known by its id alone has no amounts.
        fate: see `Fate`.
        scope: see `Scope`.
        source: what told it: `history-orders`, `orderInfo`, `unfilled-orders`, or `client` (ours, not seen yet).
        server_ms: exchange time of the answer that told it, or `None`.
    """

    order: Order
    fate: Fate
    scope: Scope
    source: str
    server_ms: int | None = None


class CancellationReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a cancellation by symbol came to, order by order. Frozen, and never changed after it is given.

    Attributes:
        symbol: the symbol.
        outcome: CONFIRMED, NOTHING_TO_CANCEL, STILL_OPEN or UNKNOWN.
        reason: why UNKNOWN (`vanished`, `unreadable`, `rate_banned`, `client_closed`, `deadline`, `internal`),
            else `""`.
        orders: every order seen, in scope or late, oldest id first.
        acknowledged: whether the exchange said "taken".
        signed_at_ms: exchange time of the command's timestamp.
        acknowledged_at_ms: `requestTime` of the answer, or `None`.
        cleared_at_ms: exchange time of the first complete listing without an in-scope order, or `None`.
        settled_at_ms: exchange time of settling.
        attempts: copies of the command on the wire.
        requests: how many requests by endpoint served this handle (shared reads count for each).
        anomalies: what contradicted itself, in words, each once.
        assumptions: the assumed parameters and what the report says nothing about, by name.
    """

    symbol: str
    outcome: Outcome
    reason: str
    orders: tuple[OrderFate, ...]
    acknowledged: bool
    signed_at_ms: int
    acknowledged_at_ms: int | None
    cleared_at_ms: int | None
    settled_at_ms: int
    attempts: int
    requests: Mapping[str, int]
    anomalies: tuple[str, ...]
    assumptions: Mapping[str, str]

    def __bool__(self) -> bool:
        raise TypeError("a CancellationReport is neither yes nor no: look at .outcome")

    def _fated(self, fate: Fate) -> tuple[OrderFate, ...]:
        return tuple(each for each in self.orders if each.fate is fate and each.scope is not Scope.LATE)

    @property
    def cancelled(self) -> tuple[OrderFate, ...]:
        """In-scope orders proven cancelled, part-filled ones included (see `order.base_volume`)."""
        return self._fated(Fate.CANCELLED)

    @property
    def filled(self) -> tuple[OrderFate, ...]:
        """In-scope orders proven filled."""
        return self._fated(Fate.FILLED)

    @property
    def still_open(self) -> tuple[OrderFate, ...]:
        """In-scope orders that the last complete listing showed open."""
        return self._fated(Fate.OPEN)

    @property
    def vanished(self) -> tuple[OrderFate, ...]:
        """In-scope orders gone from the listing without a final row: they may have filled."""
        return self._fated(Fate.VANISHED)

    @property
    def late(self) -> tuple[OrderFate, ...]:
        """Orders created after the signing, whatever became of them."""
        return tuple(each for each in self.orders if each.scope is Scope.LATE)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: amounts as strings, enums by value. Holds no secrets."""
        return cast("dict[str, Any]", msgspec.to_builtins(_jsonable(self), enc_hook=_plain, str_keys=True))


def _jsonable(report: CancellationReport) -> dict[str, Any]:
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    orders = [
        {**{name: getattr(fate, name) for name in fate.__struct_fields__}, "order": _by_our_names(fate.order)}
        for fate in report.orders
    ]
    return {
        **fields,
        "orders": orders,
        "requests": dict(report.requests),
        "assumptions": dict(report.assumptions),
    }


def _by_our_names(order: Order) -> dict[str, Any]:
    """An order by our field names: on the wire the same name means different things in different listings."""
    return {name: getattr(order, name) for name in order.__struct_fields__}


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value) if bytes(value) else None
    raise NotImplementedError(type(value).__name__)
