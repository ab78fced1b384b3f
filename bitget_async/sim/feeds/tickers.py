"""
The channels `ticker` and `auction`.
"""

from __future__ import annotations

from collections.abc import Iterable

from bitget_async.sim.feeds.pace import BookPace, symbol_of
from bitget_async.sim.fields import plain
from bitget_async.sim.market import auction_row, ticker_row
from bitget_async.sim.sockets.topics import Push, Stage

__all__ = ["AuctionChannel", "TickerChannel"]

PACE_S = 0.25


class TickerChannel:
    """`ticker`: last price and best levels, at most every 250 ms when one of them has changed; always a snapshot."""

    def __init__(self, stage: Stage) -> None:
        now_ns = stage.venue.timeline.now_ns
        self._stage = stage
        self._symbol = symbol_of(stage)
        self._depth = stage.venue.depths.at(self._symbol.name, now_ns)
        self._told = self._facts(now_ns)
        self._pace = BookPace(stage, PACE_S, self._depth, self._tick, now_ns)

    def first(self, now_ns: int) -> Iterable[Push]:
        """The ticker as it is."""
        return [self._push(self._facts(now_ns), now_ns)]

    def start(self, now_ns: int) -> None:
        """Watch the book; the last price tells it, too."""
        self._pace.start()

    def stop(self) -> None:
        """Watch it no more."""
        self._pace.stop()

    def _tick(self, now_ns: int) -> None:
        facts = self._facts(now_ns)
        if facts != self._told:
            self._told = facts
            self._stage.publish(self._push(facts, now_ns))

    def _facts(self, now_ns: int) -> dict[str, object]:
        """What makes a new ticker."""
        self._depth.look(now_ns)
        row = ticker_row(self._symbol, self._stage.venue.last(self._symbol.name), 0)
        facts: dict[str, object] = {"instId": row["symbol"], "lastPr": row["lastPr"], "open24h": row["open"]}
        names = ("high24h", "low24h", "change24h", "bidPr", "askPr", "bidSz", "askSz")
        facts |= {name: row[name] for name in (*names, "baseVolume", "quoteVolume", "openUtc", "changeUtc24h")}
        for side, price, size in (("buy", "bidPr", "bidSz"), ("sell", "askPr", "askSz")):
            for level in self._depth.levels(side, 1):
                facts[price], facts[size] = plain(level.price), plain(level.size)
        return facts

    def _push(self, facts: dict[str, object], now_ns: int) -> Push:
        return Push("snapshot", [{**facts, "ts": str(self._stage.epoch_ms(now_ns))}])


class AuctionChannel:
    """`auction`: nothing is opened by auction here, so a snapshot says so and nothing follows."""

    def __init__(self, stage: Stage) -> None:
        self._symbol = symbol_of(stage)

    def first(self, now_ns: int) -> Iterable[Push]:
        """As the endpoint has it."""
        return [Push("snapshot", [auction_row()])]

    def start(self, now_ns: int) -> None:
        """Nothing will happen."""

    def stop(self) -> None:
        """Nothing has happened."""
