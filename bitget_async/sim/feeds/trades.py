"""
The channel `trade`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from bitget_async.sim.feeds.pace import at_ms, symbol_of
from bitget_async.sim.fields import plain
from bitget_async.sim.series import Trade, trade_after
from bitget_async.sim.sockets.topics import Push, Stage

__all__ = ["TradeChannel"]

RECENT = 50


class TradeChannel:
    """`trade`: the newest ones, newest first, then each as it is made: made-up ones and those of the accounts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._symbol = symbol_of(stage)
        self._tape = stage.venue.tape

    def first(self, now_ns: int) -> Iterable[Push]:
        """The newest trades."""
        newest = self._tape.before(self._symbol.name, self._stage.epoch_ms(now_ns) + 1)
        return [Push("snapshot", [_row(trade) for trade in islice(newest, RECENT)])]

    def start(self, now_ns: int) -> None:
        """Listen to the tape."""
        self._tape.hooks.append(self._traded)
        self._wait(self._stage.epoch_ms(now_ns), now_ns)

    def stop(self) -> None:
        """Listen no more."""
        self._tape.hooks.remove(self._traded)

    def _wait(self, after_ms: int, now_ns: int) -> None:
        """For the next made-up trade."""
        trade = trade_after(self._symbol, after_ms)

        def made(due_ns: int) -> None:
            self._traded(self._symbol.name, trade)
            self._wait(trade.time_ms, due_ns)

        at_ms(self._stage, trade.time_ms, made, now_ns)

    def _traded(self, symbol: str, trade: Trade) -> None:
        if symbol == self._symbol.name:
            self._stage.publish(Push("update", [_row(trade)]))


def _row(trade: Trade) -> dict[str, object]:
    return {
        "ts": str(trade.time_ms),
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": trade.side,
        "tradeId": str(trade.number),
    }
