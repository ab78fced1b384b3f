"""Somebody who listens to one public channel without a socket, and a book kept from what is told, by other code."""

from __future__ import annotations

import random
import zlib
from decimal import Decimal
from typing import Any, NamedTuple

from bitget_async.sim import SimulatedExchange
from bitget_async.sim.sockets.public import public_channel
from bitget_async.sim.sockets.topics import Push, Stage, Topic


class Heard(NamedTuple):
    """A push, and the monotonic time at which it was made."""

    action: str
    rows: list[Any]
    now_ns: int


class Listener:
    """Takes a topic as the first listener would; `later` is what comes after the snapshot."""

    def __init__(
        self, exchange: SimulatedExchange, channel: str, name: str = "BTCUSDT", inst_type: str = "SPOT"
    ) -> None:
        self.exchange = exchange
        self.timeline = exchange.venue.timeline
        now_ns = self.timeline.advance()
        self.later: list[Heard] = []
        self.stage = Stage(
            Topic(channel, name, "instId", inst_type),
            "",
            exchange.venue,
            exchange.triggers,
            exchange.funds,
            exchange.settings,
            random.Random(5),
            lambda _, push: self.later.append(self._heard(push)),
        )
        self.channel = public_channel(self.stage)
        self.channel.start(now_ns)
        (first,) = self.first()
        self.snapshot = first

    def first(self) -> list[Heard]:
        """What one more listener gets now."""
        return [self._heard(push) for push in self.channel.first(self.timeline.advance())]

    def rows(self) -> list[Any]:
        """The rows told since the last call."""
        self.timeline.advance()
        told, self.later = self.later, []
        return [row for heard in told for row in heard.rows]

    def leave(self) -> None:
        """As the last listener."""
        self.stage.close()
        self.channel.stop()

    def _heard(self, push: Push) -> Heard:
        return Heard(push.action, push.rows, self.timeline.now_ns)


class Copy:
    """A book kept from the rows of channel `books`, with the sums of section 5.5 of the reference."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.asks: dict[str, str] = dict(row["asks"])
        self.bids: dict[str, str] = dict(row["bids"])
        self.seq = row["seq"]

    def take(self, row: dict[str, Any]) -> bool:
        """Apply an update. Returns whether the checksum is that of the book kept."""
        for side, book in (("asks", self.asks), ("bids", self.bids)):
            for price, size in row[side]:
                if size == "0":
                    book.pop(price, None)
                else:
                    book[price] = size
        self.seq = row["seq"]
        return self.checksum() == row["checksum"]

    def checksum(self) -> int:
        """Signed CRC32 over the best 25 levels of each side in turn."""
        asks, bids = self.best()
        text = []
        for place in range(25):
            text += [":".join(side[place]) for side in (bids, asks) if place < len(side)]
        return int.from_bytes(zlib.crc32(":".join(text).encode()).to_bytes(4, "big"), "big", signed=True)

    def best(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Asks and bids, best first."""
        asks = sorted(self.asks.items(), key=lambda level: Decimal(level[0]))
        return asks, sorted(self.bids.items(), key=lambda level: Decimal(level[0]), reverse=True)

    def is_true(self, exchange: SimulatedExchange, symbol: str = "BTCUSDT") -> bool:
        """Whether it is the true book now, level by level."""
        depth = exchange.depths.now(symbol)
        mine = [[(Decimal(price), Decimal(size)) for price, size in side] for side in self.best()]
        return mine == [[tuple(level) for level in depth.levels(side)] for side in ("sell", "buy")]
