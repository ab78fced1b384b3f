"""What is open, page by page: for `--dry-run`, and for the question before a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bitget_async import BitgetClient, BitgetError, Order

__all__ = ["Listed", "list_open", "order_dict", "plain"]

MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Listed:
    """
    Open orders of one symbol, newest first. `complete` is False if the pages did not come to an end, or `error` ended
    them.
    """

    symbol: str
    orders: tuple[Order, ...] = ()
    complete: bool = True
    error: BitgetError | None = None

    @property
    def count(self) -> str:
        """How many, in words that do not claim more than is known."""
        if self.error is not None and not self.orders:
            return "an unknown number of"
        return str(len(self.orders)) if self.complete else f"at least {len(self.orders)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "symbol": self.symbol,
            "open": len(self.orders),
            "complete": self.complete,
            "error": None if self.error is None else str(self.error),
            "orders": [order_dict(order) for order in self.orders],
        }


async def list_open(client: BitgetClient, symbols: Sequence[str]) -> list[Listed]:
    """All pages of the open orders of each symbol. An error stands in its place; it does not end the others."""
    return [await _one(client, symbol) for symbol in symbols]


async def _one(client: BitgetClient, symbol: str) -> Listed:
    orders: list[Order] = []
    try:
        async for order in client.unfilled_orders(symbol):
            orders.append(order)
            if len(orders) >= MOST_ROWS:
                return Listed(symbol, tuple(orders), False)
    except BitgetError as error:
        return Listed(symbol, tuple(orders), False, error)
    return Listed(symbol, tuple(orders))


def order_dict(order: Order) -> dict[str, Any]:
    """An open order as plain JSON values; amounts as text."""
    return {
        "order_id": order.order_id,
        "client_oid": order.client_oid,
        "side": order.side.value,
        "order_type": order.order_type.value,
        "status": order.status.value,
        "price": plain(order.price),
        "size": plain(order.size),
        "filled": plain(order.base_volume),
        "created_ms": order.created_ms,
        "source": order.enter_point_source,
    }


def plain(amount: Decimal | None) -> str | None:
    """An amount without exponent and trailing zeros."""
    return None if amount is None else f"{amount.normalize():f}"
