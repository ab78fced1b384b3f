"""
Who is told of which pushes: an index of pending calls by symbol, order id and client id.

With thousands of calls pending a push costs the few that it concerns, not a look at all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from bitget_async.course import Course, NamedCourse, SweepCourse
from bitget_async.evidence import Book, Push, id_number
from bitget_async.models import OrderUpdate

__all__ = ["Hearing"]


class Hearing:
    """
    The pending calls on normal orders: the order stream tells of no others.

    Args:
        now_ms: the exchange's time at a monotonic ns, for frames that do not tell theirs.
    """

    def __init__(self, now_ms: Callable[[int], int]) -> None:
        self._now_ms = now_ms
        self._courses: dict[Hashable, dict[Course, None]] = {}
        self._names: dict[Course, tuple[Hashable, ...]] = {}

    def add(self, course: Course) -> None:
        """It is pending."""
        self._names[course] = names = tuple(_names(course))
        for name in names:
            self._courses.setdefault(name, {})[course] = None

    def remove(self, course: Course) -> None:
        """It is not any more."""
        for name in self._names.pop(course, ()):
            same = self._courses[name]
            same.pop(course, None)
            if not same:
                del self._courses[name]

    def told(self, updates: Sequence[OrderUpdate], received_ns: int) -> Iterator[tuple[Course, bool, bool]]:
        """
        Feed the rows of a frame to those whom they concern. Yields each that learnt anything; whether of an order
        that a journal has to know; and whether it is news to whoever waits.
        """
        concerned: dict[Course, list[OrderUpdate]] = {}
        for row in updates:
            names = (("symbol", row.symbol), id_number(row.order_id), ("client id", row.client_oid))
            for course in {each: None for name in names for each in self._courses.get(name, ())}:
                concerned.setdefault(course, []).append(row)
        for course, rows in concerned.items():
            told_ms = rows[0].pushed_ms
            push = Push(tuple(rows), received_ns, self._now_ms(received_ns) if told_ms is None else told_ms)
            known = _size(course)
            news = course.take(course.evidence.saw_push(push))
            found = _size(course) != known if isinstance(course, SweepCourse) else news
            if news or found:
                yield course, found, news


def _size(course: Course) -> int:
    return course.sweep.size if isinstance(course, SweepCourse) else 0


def _names(course: Course) -> Iterator[Hashable]:
    """By what a row is found to concern it. An id that is not known yet is not needed: the client id is."""
    if course.book is not Book.NORMAL:
        return
    if isinstance(course, NamedCourse):
        for target in course.named.targets:
            if target.client_oid:
                yield "client id", target.client_oid
            if target.order_id is not None:
                yield id_number(target.order_id)
    else:
        yield "symbol", course.symbol
