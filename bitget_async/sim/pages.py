"""
Which rows of a paged read are asked for: a span of time, a cursor, a number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bitget_async.sim.call import Call
from bitget_async.sim.refusals import Refusal

__all__ = ["Wanted", "page_limit"]

DAY_MS = 86_400_000
T = TypeVar("T")


def page_limit(call: Call, usual: int, most: int) -> int:
    """`limit`, or the usual one. Raises `Refusal` 40017 beyond the most: the stricter of two readings of the pages."""
    limit = call.integer("limit")
    if limit is not None and not 1 <= limit <= most:
        raise Refusal("40017", "limit")
    return usual if limit is None else limit


class Wanted:
    """
    `startTime`, `endTime`, `idLessThan` and `limit` of a call. Ids are compared as integers, both times belong to the
    span.

    Args:
        call: who asks.
        usual, most: rows of a page without and at most with `limit`.
        days: how long the span may be.
        too_long: the code for a longer one.
        needs_span: whether both times must be there.
        default_days: how long the span is when no times are sent; `None`: everything.

    Raises: `Refusal` 40019, 40017, 40707 for a start after the end, `too_long`.
    """

    def __init__(
        self,
        call: Call,
        usual: int,
        most: int,
        *,
        days: int = 90,
        too_long: str = "40705",
        needs_span: bool = False,
        default_days: int | None = None,
    ) -> None:
        if needs_span:
            call.need("startTime")
            call.need("endTime")
        self.limit = page_limit(call, usual, most)
        self.below = call.integer("idLessThan")
        self.start_ms = call.integer("startTime")
        self.end_ms = call.integer("endTime")
        if self.start_ms is not None:
            end_ms = call.now_ms if self.end_ms is None else self.end_ms
            if self.end_ms is not None and self.start_ms > end_ms:
                raise Refusal("40707")
            if end_ms - self.start_ms > days * DAY_MS:
                raise Refusal(too_long, str(days))
        elif default_days is not None:
            self.start_ms = (call.now_ms if self.end_ms is None else self.end_ms) - default_days * DAY_MS

    def has(self, number: int, time_ms: int) -> bool:
        """Whether a row with that id and time is asked for, the limit aside."""
        return (
            (self.below is None or number < self.below)
            and (self.start_ms is None or time_ms >= self.start_ms)
            and (self.end_ms is None or time_ms <= self.end_ms)
        )

    def page(self, rows: Iterable[T], key: Callable[[T], tuple[int, int]]) -> tuple[list[T], bool]:
        """
        The page out of rows with the newest first, `key` giving each one's id and time. Also returns whether more
        would follow.
        """
        found: list[T] = []
        for row in rows:
            if self.has(*key(row)):
                if len(found) == self.limit:
                    return found, True
                found.append(row)
        return found, False
