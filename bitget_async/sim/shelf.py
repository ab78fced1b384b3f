"""
The orders of one account, arranged for the questions that are asked of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from bitget_async.sim.orders import OPEN, Mark, Order

__all__ = ["Shelf"]


class Shelf:
    """Open and final orders of one account."""

    def __init__(self) -> None:
        self.open: dict[int, Order] = {}
        self._open_of: dict[str, dict[int, Order]] = {}
        self._ended: list[tuple[int, int, Order]] = []
        self._final: list[tuple[int, Order]] = []
        self._final_of: dict[str, list[tuple[int, Order]]] = {}
        self.by_client_oid: dict[str, Order] = {}

    def add(self, order: Order) -> None:
        """Take in a new order, open or already final."""
        self.by_client_oid[order.client_oid] = order
        if order.is_open:
            self.open[order.number] = order
            self._open_of.setdefault(order.symbol, {})[order.number] = order
        else:
            self._file(order)

    def end(self, order: Order) -> None:
        """Move an order that has just become final."""
        del self.open[order.number]
        del self._open_of[order.symbol][order.number]
        insort(self._ended, (order.marks[-1].time_ns, order.number, order))
        self._file(order)

    def open_now(self, symbol: str | None = None, *, tpsl: bool = False) -> list[Order]:
        """Open orders, oldest first."""
        orders = self.open if symbol is None else self._open_of.get(symbol, {})
        return [order for order in orders.values() if order.draft.tpsl is tpsl]

    def count_open(self, symbol: str) -> int:
        """How many orders of a symbol are open, of both lists."""
        return len(self._open_of.get(symbol, ()))

    def open_at(self, view_ns: int, symbol: str | None, *, tpsl: bool) -> list[tuple[Order, Mark]]:
        """Orders that were open at that monotonic time, newest id first, each with what it was then."""
        found = []
        for order in self._candidates(view_ns, symbol):
            mark = order.at(view_ns)
            if mark is not None and mark.status in OPEN and order.draft.tpsl is tpsl:
                found.append((order, mark))
        found.sort(key=lambda pair: -pair[0].number)
        return found

    def final(self, symbol: str | None = None, below: int | None = None) -> Iterator[Order]:
        """Final orders with an id below that number, newest id first."""
        rows = self._final if symbol is None else self._final_of.get(symbol, [])
        end = len(rows) if below is None else bisect_left(rows, (below,))
        for index in range(end - 1, -1, -1):
            yield rows[index][1]

    def drop_final_before(self, time_ns: int) -> list[Order]:
        """Forget final orders that ended before that monotonic time. Returns them."""
        gone = [order for _, order in self._final if order.marks[-1].time_ns < time_ns]
        if gone:
            numbers = {order.number for order in gone}
            self._ended = [entry for entry in self._ended if entry[1] not in numbers]
            self._final = [entry for entry in self._final if entry[0] not in numbers]
            for symbol, rows in self._final_of.items():
                self._final_of[symbol] = [entry for entry in rows if entry[0] not in numbers]
            for order in gone:
                if self.by_client_oid.get(order.client_oid) is order:
                    del self.by_client_oid[order.client_oid]
        return gone

    def _file(self, order: Order) -> None:
        insort(self._final, (order.number, order))
        insort(self._final_of.setdefault(order.symbol, []), (order.number, order))

    def _candidates(self, view_ns: int, symbol: str | None) -> Iterator[Order]:
        yield from (self.open if symbol is None else self._open_of.get(symbol, {})).values()
        for time_ns, _, order in reversed(self._ended):
            if time_ns <= view_ns:
                return
            if symbol is None or order.symbol == symbol:
                yield order
