"""
The resting orders of one symbol, best price first and oldest first within a price.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from decimal import Decimal

from bitget_async.sim.orders import Order

__all__ = ["Book"]

ROOM = 64


class Book:
    """
    Both sides of one symbol, over all accounts.

    Orders are never taken out when they end: who looks drops those that have ended, so that a sweep of thousands costs
    the book nothing.
    """

    __slots__ = ("_count", "_heaps", "_room")

    def __init__(self) -> None:
        self._heaps: dict[str, list[tuple[Decimal, int, Order]]] = {"buy": [], "sell": []}
        self._room = {"buy": ROOM, "sell": ROOM}
        self._count = 0

    def add(self, order: Order) -> None:
        """Take in an open limit order, behind all others of its price."""
        side = order.draft.side
        heap = self._heaps[side]
        if len(heap) >= self._room[side]:
            heap[:] = [entry for entry in heap if entry[2].is_open]
            heapq.heapify(heap)
            self._room[side] = max(ROOM, 2 * len(heap))
        self._count += 1
        price = order.draft.price
        heapq.heappush(heap, (-price if side == "buy" else price, self._count, order))

    def best(self, side: str) -> Order | None:
        """The open order of that side which trades first."""
        heap = self._heaps[side]
        while heap:
            order = heap[0][2]
            if order.is_open:
                return order
            heapq.heappop(heap)
        return None

    def open_orders(self, side: str) -> Iterator[Order]:
        """The open orders of that side, in no particular order."""
        return (order for _, _, order in self._heaps[side] if order.is_open)
