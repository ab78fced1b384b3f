"""Facts that tests make: rows, listings and pages around one signing, with the exchange's clock known to 5 ms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from bitget_async import Order, OrderStatus, OrderUpdate
from bitget_async.evidence import Listing, Page, Push

SECOND = 1_000_000_000
SIGNED_NS = 5_000 * SECOND
T_MS = 1_750_000_000_000
ERROR_MS = 5
FIRST_ID = 1_308_742_897_634_820_000


def ns(at_s: float) -> int:
    """Monotonic moment of so many seconds after the signing."""
    return SIGNED_NS + round(at_s * SECOND)


def ms(at_s: float) -> int:
    """The exchange's clock then."""
    return T_MS + round(at_s * 1_000)


def bounds(at_ns: int) -> tuple[int, int]:
    """A clock known to 5 ms each way."""
    middle = T_MS + (at_ns - SIGNED_NS) // 1_000_000
    return middle - ERROR_MS, middle + ERROR_MS


def order(
    number: int = 1,
    created_s: float | None = -10,
    status: str = "live",
    ended_s: float | None = None,
    oid: str = "",
) -> Order:
    """A row of BTCUSDT."""
    return Order(
        order_id=str(FIRST_ID + number),
        symbol="BTCUSDT",
        client_oid=oid,
        status=OrderStatus(status),
        size=Decimal(1),
        created_ms=None if created_s is None else ms(created_s),
        updated_ms=None if ended_s is None else ms(ended_s),
    )


def done(
    number: int = 1,
    ended_s: float = 0.1,
    status: str = "cancelled",
    created_s: float | None = -10,
    oid: str = "",
) -> Order:
    """A final row."""
    return order(number, created_s, status, ended_s, oid)


def edited(row: Order, **fields: Any) -> Order:
    """The row with other fields."""
    return msgspec.structs.replace(row, **fields)


def listing(at_s: float, *rows: Order, symbol: str | None = "BTCUSDT", whole: bool = True) -> Listing:
    """A listing requested then."""
    return Listing(symbol, ns(at_s), ms(at_s), rows, whole)


def page(
    at_s: float,
    *rows: Order,
    source: str = "history-orders",
    symbol: str | None = "BTCUSDT",
    below: int | None = None,
    last: bool = True,
    asked: str | None = None,
) -> Page:
    """A page requested then; short, so that nothing lies below it, unless said otherwise."""
    return Page(source, symbol, ns(at_s), ms(at_s), rows, below, last, asked=asked)


def push(at_s: float, *rows: Order) -> Push:
    """A frame of the order stream that came then, with these rows as the stream tells them."""
    return Push(tuple(OrderUpdate.of(edited(row, quote_volume=None), "orders") for row in rows), ns(at_s), ms(at_s))
