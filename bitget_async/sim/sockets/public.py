"""
The public channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bitget_async.sim.market import SYMBOLS, ticker_row
from bitget_async.sim.sockets.topics import Factory, NoTopic, Push, Stage

__all__ = ["PUBLIC"]


class TickerChannel:
    """`ticker`: the last price, when it moves."""

    def __init__(self, stage: Stage) -> None:
        if stage.topic.name not in SYMBOLS:
            raise NoTopic
        self._stage = stage

    def first(self, now_ns: int) -> Iterable[Push]:
        """The ticker as it stands."""
        return [self._push(now_ns)]

    def start(self, now_ns: int) -> None:
        """Follow the price."""
        self._stage.venue.price_hooks.append(self._moved)

    def stop(self) -> None:
        """Follow it no more."""
        self._stage.venue.price_hooks.remove(self._moved)

    def _moved(self, symbol: str, price: Decimal, now_ns: int) -> None:
        if symbol == self._stage.topic.name:
            self._stage.publish(self._push(now_ns))

    def _push(self, now_ns: int) -> Push:
        name = self._stage.topic.name
        row = ticker_row(SYMBOLS[name], self._stage.venue.last(name), self._stage.epoch_ms(now_ns))
        del row["usdtVolume"], row["symbol"], row["open"]
        return Push("snapshot", [{"instId": name, "open24h": row["lastPr"], **row}])


PUBLIC: dict[str, Factory] = {
    "ticker": TickerChannel,
}
"""Channel name -> what makes it."""
