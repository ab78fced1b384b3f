"""Keeps every pending call of a client in its journal. Nothing here raises, or waits for anything but the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bitget_async.course import Course, NamedCourse, SweepCourse
from bitget_async.evidence import Command
from bitget_async.journal import JournalFile, Kind
from bitget_async.models import Scope
from bitget_async.resumption.describing import Home, aimed, command_state, commands_of, describe, swept
from bitget_async.resumption.states import AimedOrder, NamedNote, SweepNote

__all__ = ["Recorder"]


class _Page(msgspec.Struct):
    """The entry of one call: its number, and what of its orders stands in it already."""

    number: int
    known: dict[Any, Any] = msgspec.field(default_factory=dict)
    snapshot: bool = False


class Recorder:
    """
    Writes what happens to calls.

    Args:
        file: the open journal.
        home: where the calls belong.
        now_ms: the exchange's time.
    """

    def __init__(self, file: JournalFile, home: Home, now_ms: Callable[[], int]) -> None:
        self.file = file
        self._home = home
        self._now_ms = now_ms
        self._pages: dict[Course, _Page] = {}

    def intended(self, course: Course) -> None:
        """It is about to be sent: before it waits for anything."""
        page = self._pages[course] = _Page(self.file.begin(describe(course, self._home, self._now_ms())))
        self._note_known(course, page)
        self._flag(course, self.file.holds(page.number))

    def took_over(self, course: Course, number: int) -> None:
        """An earlier process began it; its entry goes on."""
        page = self._pages[course] = _Page(number)
        self._note_known(course, page)
        self._flag(course, self.file.holds(number))

    def has(self, number: int) -> bool:
        """Whether that entry is of a call that is pending here."""
        return any(page.number == number for page in self._pages.values())

    def sending(self, course: Course, command: Command) -> None:
        """A copy was stamped, its first byte leaves when this returns."""
        self._write(course, Kind.SENDING, attempts=course.attempts, **_became(course, command))

    def answered(self, course: Course, command: Command) -> None:
        """The answer came, or it is known that none will."""
        orders: dict[str, Any] = {}
        if isinstance(course, NamedCourse):
            orders["orders"] = self._news(course, command)
        self._write(
            course, Kind.ANSWER, acknowledged_at_ms=course.acknowledged_ms, **_became(course, command), **orders
        )
        if isinstance(course, SweepCourse):
            self.learnt(course)

    def learnt(self, course: Course, *, news: bool = True) -> None:
        """
        A read was fed: orders that are new belong in the entry, for no other process may find them again. Without
        `news` at most that there is a snapshot now is new: one listing may be fed to thousands of calls.
        """
        page = self._pages.get(course)
        if page is None:
            return
        if isinstance(course, SweepCourse) and not news and (page.snapshot or not course.sweep.snapshot_known):
            return
        if isinstance(course, SweepCourse):
            first = not page.snapshot and course.sweep.snapshot_known
            new = [fate for fate in course.sweep.fates if fate.scope is not Scope.LATE]
            new = [fate for fate in new if fate.order.order_id not in page.known]
            if new or first:
                page.snapshot = page.snapshot or first
                page.known.update((fate.order.order_id, None) for fate in new)
                self._write(course, Kind.ORDERS, orders=[swept(each) for each in new], snapshot_known=page.snapshot)
        elif isinstance(course, NamedCourse) and (orders := self._news(course)):
            self._write(course, Kind.ORDERS, orders=orders)

    def settled(self, course: Course, why: str) -> None:
        """It is settled, or was never sent: nobody has to take it up again."""
        if course in self._pages:
            self._write(course, Kind.DONE, settled=why)
            del self._pages[course]

    def left(self, course: Course) -> None:
        """It is not followed here any more; its entry stays for another process."""
        self._pages.pop(course, None)

    def _news(self, course: NamedCourse, command: Command | None = None) -> list[tuple[int, AimedOrder]]:
        """The orders, of a command or of all, of which more is known than what stands in the entry."""
        page = self._pages.get(course)
        if page is None:
            return []
        places = {id(each): place for place, each in enumerate(commands_of(course))}
        news = []
        for place, target in enumerate(course.named.targets):
            if command is not None and target.command is not command:
                continue
            known = (target.order_id, target.certainty, target.refusal)
            if page.known.get(place) != known:
                page.known[place] = known
                news.append((place, aimed(target, places[id(target.command)], course)))
        return news

    def _note_known(self, course: Course, page: _Page) -> None:
        if isinstance(course, SweepCourse):
            page.snapshot = course.sweep.snapshot_known
            page.known = {fate.order.order_id: None for fate in course.sweep.fates}
        elif isinstance(course, NamedCourse):
            page.known = {
                place: (each.order_id, each.certainty, each.refusal) for place, each in enumerate(course.named.targets)
            }

    def _write(self, course: Course, what: Kind, **changed: Any) -> None:
        page = self._pages.get(course)
        if page is None:
            return
        if what is Kind.DONE:
            data = changed
        else:
            made = SweepNote(**changed) if isinstance(course, SweepCourse) else NamedNote(**changed)
            data = msgspec.to_builtins(made)
        self._flag(course, self.file.note(page.number, what, data))

    @staticmethod
    def _flag(course: Course, held: bool) -> None:
        course.journaled = held
        if not held:
            course.evidence.odd("not_journaled")


def _became(course: Course, command: Command) -> dict[str, Any]:
    place = next(place for place, each in enumerate(commands_of(course)) if each is command)
    return {"command": place, "became": command_state(command)}
