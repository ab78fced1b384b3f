"""
The candle channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

from bitget_async.sim.feeds.pace import Pace, at_ms, symbol_of
from bitget_async.sim.rows import candle_row
from bitget_async.sim.series import candles, next_candle_ms
from bitget_async.sim.sockets.topics import Factory, Push, Stage

__all__ = ["INTERVALS", "CandleChannel", "candle"]

PACE_S = 1.0
RECENT = 100
INTERVALS = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1H": "1h",
    "4H": "4h",
    "6H": "6h",
    "12H": "12h",
    "1D": "1day",
    "3D": "3day",
    "1W": "1week",
    "1M": "1M",
    "6Hutc": "6Hutc",
    "12Hutc": "12Hutc",
    "1Dutc": "1Dutc",
    "3Dutc": "3Dutc",
    "1Wutc": "1Wutc",
    "1Mutc": "1Mutc",
}
"""The sockets' spelling -> that of the endpoints."""


class CandleChannel:
    """
    `candle...`: the newest ones, oldest first, then the current one at most once a second when the last price has
    moved; when one is over, it and the one that begins.
    """

    def __init__(self, stage: Stage, granularity: str) -> None:
        self._stage = stage
        self._symbol = symbol_of(stage)
        self._granularity = granularity
        self._told = stage.venue.last(self._symbol.name)
        self._pace = Pace(stage, PACE_S, self._tick, stage.venue.timeline.now_ns)

    def first(self, now_ns: int) -> Iterable[Push]:
        """The newest candles."""
        return [Push("snapshot", self._rows(RECENT, now_ns))]

    def start(self, now_ns: int) -> None:
        """Follow the last price and the time."""
        self._stage.venue.price_hooks.append(self._moved)
        self._wait(now_ns)

    def stop(self) -> None:
        """Follow them no more."""
        self._stage.venue.price_hooks.remove(self._moved)

    def _wait(self, now_ns: int) -> None:
        """For the next candle."""
        opens_ms = next_candle_ms(self._granularity, self._stage.epoch_ms(now_ns))
        at_ms(self._stage, opens_ms, self._opened, now_ns)

    def _opened(self, now_ns: int) -> None:
        self._stage.publish(Push("update", self._rows(2, now_ns)))
        self._wait(now_ns)

    def _moved(self, symbol: str, price: Decimal, now_ns: int) -> None:
        if symbol == self._symbol.name:
            self._pace.nudge(now_ns)

    def _tick(self, now_ns: int) -> None:
        last = self._stage.venue.last(self._symbol.name)
        if last != self._told:
            self._told = last
            self._stage.publish(Push("update", self._rows(1, now_ns)))

    def _rows(self, count: int, now_ns: int) -> list[object]:
        """The newest so many, oldest first: the volume in quote coin comes before that in USDT."""
        now_ms, usdt = self._stage.epoch_ms(now_ns), self._stage.funds.usdt
        last = self._stage.venue.last(self._symbol.name)
        found = islice(candles(self._symbol, self._granularity, now_ms + 1, now_ms, last), count)
        quote = self._symbol.quote
        rows: list[object] = [candle_row(each, each.base, each.quote, usdt(quote, each.quote)) for each in found]
        return rows[::-1]


def candle(interval: str) -> Factory:
    """The channel of an interval in the sockets' spelling."""
    return lambda stage: CandleChannel(stage, INTERVALS[interval])
