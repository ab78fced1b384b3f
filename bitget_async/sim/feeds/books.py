"""
The channels of order books: `books` tells changes, `books1`, `books5` and `books15` the best levels as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from bitget_async.sim.depth import CHECKED, SIDES, Ladder, checksum
from bitget_async.sim.feeds.pace import BookPace, symbol_of
from bitget_async.sim.orders import ZERO
from bitget_async.sim.sockets.topics import Factory, Push, Stage

__all__ = ["BestLevelsChannel", "BooksChannel", "best_levels"]

PACE_S = 0.2
BEST_PACE_S = {1: 0.06, 5: 0.2, 15: 0.2}
# A level that is never there is so far from the worst one.
FAR = 1_000


class BooksChannel:
    """`books`: a snapshot, then what has changed since the push before it, at most every 200 ms."""

    def __init__(self, stage: Stage) -> None:
        symbol = symbol_of(stage)
        now_ns = stage.venue.timeline.now_ns
        self._stage = stage
        self._depth = stage.venue.depths.at(symbol.name, now_ns)
        self._told = {side: Ladder(side) for side in SIDES}
        for side in SIDES:
            for tick, size in self._depth.sides[side].best():
                self._told[side].put(tick, size)
        self._seq = self._depth.seq
        self._changed: set[tuple[str, int]] = set()
        self._pace = BookPace(stage, PACE_S, self._depth, self._tick, now_ns)

    def first(self, now_ns: int) -> Iterable[Push]:
        """The whole book as everybody has been told it: what has changed since comes as an update."""
        return [Push("snapshot", [self._row(self._texts("sell"), self._texts("buy"), 0, 0, now_ns)])]

    def start(self, now_ns: int) -> None:
        """Watch the book."""
        self._depth.watchers.append(self._changed)
        self._pace.start()

    def stop(self) -> None:
        """Watch it no more."""
        # By identity: two sets are equal when nothing has changed in either.
        self._depth.watchers[:] = [each for each in self._depth.watchers if each is not self._changed]
        self._pace.stop()

    def _tick(self, now_ns: int) -> None:
        rows = {side: self._take(side) for side in SIDES}
        self._changed.clear()
        if rows["sell"] or rows["buy"]:
            self._send(rows, now_ns)

    def _take(self, side: str) -> list[list[str]]:
        """The changed levels of a side, best first; told from now on."""
        told, true = self._told[side], self._depth.sides[side].sizes
        rows = []
        for tick in sorted((tick for of, tick in self._changed if of == side), reverse=side == "buy"):
            size = true.get(tick, ZERO)
            if size != told.sizes.get(tick, ZERO):
                told.put(tick, size)
                rows.append(self._depth.row(tick, size))
        return rows

    def _send(self, rows: dict[str, list[list[str]]], now_ns: int) -> None:
        if self._spoilt("level"):
            far = max(self._told["sell"].sizes, default=0) + FAR
            rows["sell"].append(self._depth.row(far, ZERO))
        total = checksum(self._texts("buy", CHECKED), self._texts("sell", CHECKED))
        if self._spoilt("checksum"):
            total ^= 1
        before, self._seq = self._seq, self._depth.seq
        if not self._spoilt("loss"):
            self._stage.publish(Push("update", [self._row(rows["sell"], rows["buy"], total, before, now_ns)]))

    def _spoilt(self, what: str) -> bool:
        """Whether this update is to be spoilt in that way: by command, or by chance."""
        if self._depth.spoils[what]:
            self._depth.spoils[what] -= 1
            return True
        settings = self._stage.settings
        chance = {
            "loss": settings.book_loss,
            "checksum": settings.book_wrong_checksum,
            "level": settings.book_unknown_level,
        }[what]
        return chance > 0 and self._stage.dice.random() < chance

    def _texts(self, side: str, count: int | None = None) -> list[list[str]]:
        return [self._depth.row(tick, size) for tick, size in self._told[side].best(count)]

    def _row(
        self, asks: list[list[str]], bids: list[list[str]], total: int, before: int, now_ns: int
    ) -> dict[str, object]:
        ts = str(self._stage.epoch_ms(now_ns))
        row: dict[str, object] = {"asks": asks, "bids": bids, "checksum": total, "seq": self._seq, "ts": ts}
        if self._stage.settings.book_pseq:
            row["pseq"] = before
        return row


class BestLevelsChannel:
    """`books1`, `books5`, `books15`: the best levels, whole each time, when one of them has changed."""

    def __init__(self, stage: Stage, count: int) -> None:
        symbol = symbol_of(stage)
        now_ns = stage.venue.timeline.now_ns
        self._stage = stage
        self._count = count
        self._depth = stage.venue.depths.at(symbol.name, now_ns)
        self._told = self._texts()
        self._pace = BookPace(stage, BEST_PACE_S[count], self._depth, self._tick, now_ns)

    def first(self, now_ns: int) -> Iterable[Push]:
        """The levels as they are."""
        self._depth.look(now_ns)
        return [self._push(self._texts(), now_ns)]

    def start(self, now_ns: int) -> None:
        """Watch the book."""
        self._pace.start()

    def stop(self) -> None:
        """Watch it no more."""
        self._pace.stop()

    def _tick(self, now_ns: int) -> None:
        texts = self._texts()
        if texts != self._told:
            self._told = texts
            self._stage.publish(self._push(texts, now_ns))

    def _texts(self) -> tuple[list[list[str]], list[list[str]]]:
        return self._depth.texts("sell", self._count), self._depth.texts("buy", self._count)

    def _push(self, texts: tuple[list[list[str]], list[list[str]]], now_ns: int) -> Push:
        asks, bids = texts
        ts = str(self._stage.epoch_ms(now_ns))
        return Push("snapshot", [{"asks": asks, "bids": bids, "checksum": 0, "seq": self._depth.seq, "ts": ts}])


def best_levels(count: int) -> Factory:
    """The channel of so many levels."""
    return lambda stage: BestLevelsChannel(stage, count)
