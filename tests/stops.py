"""What tests of stops share: a book, and what the exchange saw."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bitget_async.sim import SYMBOLS, SimulatedExchange

__all__ = ["NAMES", "left", "named_twice", "rest"]

NAMES = tuple(SYMBOLS)[:2]
NAMING = ("cancel-order", "batch-cancel-order")
SECOND = 1_000_000_000


def rest(exchange: SimulatedExchange, names: Iterable[str] = NAMES, orders: int = 3) -> list[str]:
    """So many orders on each, a minute old."""
    return [each for name in names for each in exchange.rest(name, orders, age_s=60)]


def left(exchange: SimulatedExchange) -> set[str]:
    """Ids open in truth."""
    return set(exchange.truth.open_ids(exchange.account.uid))


def named_twice(exchange: SimulatedExchange) -> list[str]:
    """Ids that were named by two commands within a second, as they were processed; not by one that was turned away."""
    last: dict[str, int] = {}
    found = []
    for copy in exchange.truth.wire:
        if copy.endpoint in NAMING and copy.result is not None and copy.processed_ns is not None:
            body = json.loads(copy.body)
            for item in body.get("orderList", [body]):
                if copy.processed_ns - last.get(item["orderId"], -(1 << 62)) < SECOND:
                    found.append(item["orderId"])
                last[item["orderId"]] = copy.processed_ns
    return found
