"""
The public trades: made-up ones, and those of the accounts among them.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal

from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.series import Trade, trade_number, trades

__all__ = ["Tape"]

KEPT = 1_000
# Numbers of made-up trades end with less.
OWN = 16


class Tape:
    """
    Every trade, by symbol.

    Attributes:
        hooks: called as `hook(symbol, trade)` for each trade of an account.
    """

    def __init__(self) -> None:
        self.hooks: list[Callable[[str, Trade], None]] = []
        self._own: dict[str, deque[Trade]] = {}

    def add(self, symbol: str, side: str, price: Decimal, size: Decimal, time_ms: int) -> None:
        """An account has traded; the side is that of the taker. The newest thousand of a symbol are kept."""
        own = self._own.setdefault(symbol, deque(maxlen=KEPT))
        number = trade_number(time_ms, OWN)
        if own:
            number = max(number, own[-1].number + 1)
        trade = Trade(number, time_ms, side, price, size)
        own.append(trade)
        for hook in list(self.hooks):
            hook(symbol, trade)

    def before(self, symbol: str, before_ms: int) -> Iterator[Trade]:
        """The trades before that time, newest first, without end."""
        own = (trade for trade in reversed(self._own.get(symbol, ())) if trade.time_ms < before_ms)
        made_up = trades(SYMBOLS[symbol], before_ms)
        return heapq.merge(own, made_up, key=lambda trade: trade.number, reverse=True)
