"""
The steps of a paged read, pure: what to ask for next, which rows are new, and when it is over.

A walk never ends in silence before its end: a page that leads no further down, or that cannot be followed, is an error.
A row is left out only if it was given before, by its ids. A range that is longer than one call may have is asked in
windows, newest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from bitget_async.endpoints import Endpoint
from bitget_async.endpoints.checks import milliseconds
from bitget_async.errors import OutcomeUnknown, UsageError
from bitget_async.models import Record

__all__ = ["Position", "Walk"]

# A cap that the exchange does not tell is a round number: a page of so many rows, or a multiple, may have been cut.
ROUND = 100
CURSORS = {"id": "id_less_than", "answer": "id_less_than", "number": "page_num", "time": "end_time"}


class Position(msgspec.Struct, frozen=True):
    """
    Where a walk stands: give it to the same verb with the same parameters to go on from there, also in another process.

    Attributes:
        call: the row's name.
        start_ms, end_ms: the part of the range that is asked now, Unix milliseconds; `None`: open at that end.
        cursor: what the next page is asked with: an id, a page number or a time; `None` for the first page.
        given: how many records were given so far.
        over: whether the walk came to its end.
    """

    call: str
    start_ms: int | None = None
    end_ms: int | None = None
    cursor: int | None = None
    given: int = 0
    over: bool = False
    # Start of the whole range, the caller's parameters, and the ids that were given in this window and the one before.
    since_ms: int | None = None
    asked: frozenset[tuple[str, str]] = frozenset()
    seen: frozenset[Any] = frozenset()

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__[:6])
        return f"Position({told})"

    def __str__(self) -> str:
        window = "" if self.start_ms is None and self.end_ms is None else f", in {self.start_ms} to {self.end_ms} ms"
        cursor = "" if self.cursor is None else f", cursor {self.cursor}"
        return f"{self.call} after {self.given} records{window}{cursor}"


class Walk:
    """
    One walk: `ask` for parameters, `take` the answer, `give` its rows.

    Args:
        row: a row with `paging`.
        given: the caller's parameters by snake-case name; `limit` is the page size.
        now_ms: the exchange's clock.
        position: where to begin, instead of the beginning.
    """

    def __init__(
        self, row: Endpoint, given: Mapping[str, Any], now_ms: Callable[[], int], position: Position | None = None
    ) -> None:
        if row.paging is None:
            raise UsageError(f"{row.name} has no pages")
        self._row, self._paging, self._now_ms = row, row.paging, now_ms
        self._given = {"limit": row.paging.limit} | {name: each for name, each in given.items() if each is not None}
        self._resumed = position
        self._at: Position | None = None
        self._after: Position | None = None
        self._rows: deque[Any] = deque()
        self._count = 0
        self._trouble = ""
        # Ids are remembered for this window and the one before it: rows of the border stand in both. Those of the last
        # page are worked out when they are needed, which a caller who wants one page never does.
        self._given_rows: list[Any] = []
        self._seen: set[Any] = set()
        self._before: set[Any] = set()

    @property
    def position(self) -> Position:
        """Where to go on: what was given does not come again, and what was not is not left out."""
        at = self._here()
        self._remember()
        return replace(at, given=self._count, asked=self._asked(), seen=frozenset(self._seen | self._before))

    @property
    def waiting(self) -> int:
        """How many rows were taken and not given yet."""
        return len(self._rows)

    @property
    def outlook(self) -> tuple[bool, str | None]:
        """Whether there may be more, and the next cursor in the present window as text, where it is known."""
        at = self._here()
        return not at.over, None if at.over or at.cursor is None or self._trouble else str(at.cursor)

    # -- where it begins --------------------------------------------------------------------------------------

    def _here(self) -> Position:
        """The present position. The first is worked out when it is needed: it may depend on the time."""
        if self._at is None:
            self._at = self._beginning() if self._resumed is None else self._resume(self._resumed)
        return self._at

    def _resume(self, position: Position) -> Position:
        if not isinstance(position, Position) or (position.call, position.asked) != (self._row.name, self._asked()):
            raise UsageError(f"{self._row.name}: this position belongs to a read with other parameters")
        self._seen, self._count = set(position.seen), position.given
        return replace(position, seen=frozenset())

    def _asked(self) -> frozenset[tuple[str, str]]:
        return frozenset((name, str(value)) for name, value in self._given.items())

    def _beginning(self) -> Position:
        name, span = self._row.name, self._paging.span_ms
        start, end = self._given.get("start_time"), self._given.get("end_time")
        if end is None and _wants_end(self._row):
            end = self._now_ms()
        self._row.checked(self._told({**self._given, "end_time": end}))
        if start is not None:
            milliseconds(start)
            if end is not None and start > end:
                raise UsageError(f"{name}: the range ends before it starts")
        elif end is not None and span is not None and self._paging.kept_ms is not None:
            oldest = self._now_ms() - self._paging.kept_ms
            start = oldest if end - oldest > span else None
        first = start
        if start is not None and span is not None:
            # Open at its end, the newest window grows while it is walked: it gets a margin.
            newest, most = (self._now_ms(), span - span // 10) if end is None else (end, span)
            first = max(start, newest - most)
        return Position(name, first, end, since_ms=start)

    # -- what to ask ------------------------------------------------------------------------------------------

    def ask(self) -> dict[str, Any] | None:
        """
        Parameters of the next page, or `None` when the walk is over.

        Raises:
            UsageError: a parameter is wrong, or the position is of another read.
            OutcomeUnknown: the last page cannot be followed. Asking once more asks for that page again.
        """
        at = self._here()
        if self._trouble:
            trouble, self._trouble = self._trouble, ""
            raise OutcomeUnknown("unreadable", endpoint=self._row.label, message=trouble)
        if at.over:
            return None
        params = {**self._given, "start_time": at.start_ms, "end_time": at.end_ms}
        name = CURSORS[self._paging.by]
        if at.cursor is not None:
            params[name] = str(at.cursor) if name == "id_less_than" else at.cursor
        return self._told(params)

    def _told(self, params: dict[str, Any]) -> dict[str, Any]:
        """
        Without what is not given. Where the cursor is a time, the start is kept by us, see `_by_key`: what the exchange
        shows of a range that is longer than a page is not told.
        """
        ours = self._paging.by == "time"
        return {
            name: value for name, value in params.items() if value is not None and not (ours and name == "start_time")
        }

    # -- what came --------------------------------------------------------------------------------------------

    def take(self, answer: Any) -> None:
        """Take in the answer to what was asked: its new rows can be given, and it says where to go on."""
        at = self._here()
        told = getattr(answer, self._paging.rows) if self._paging.rows else answer
        rows = list(told or ())
        self._remember()
        if self._paging.by == "time":
            rows.sort(key=lambda row: self._key(row) or 0)
        keys = _keys(list(map(attrgetter(self._paging.key), rows))) if self._paging.key else _Keys()
        self._rows = self._new(rows, keys)
        full = len(rows) >= self._given["limit"] or (bool(rows) and len(rows) % ROUND == 0)
        if self._paging.by == "answer":
            cursor, self._trouble = self._by_answer(answer, told is None, full, at.cursor)
        elif self._paging.by == "number":
            cursor, self._trouble = self._by_number(rows, full, at.cursor or self._given.get("page_num") or 1)
        else:
            cursor, self._trouble = self._by_key(keys, full, at)
        if self._trouble:
            self._after = at
        else:
            self._after = self._older(at) if cursor is None else replace(at, cursor=cursor)
        if not self._rows:
            self._go_on()

    def _by_key(self, keys: _Keys, full: bool, at: Position) -> tuple[int | None, str]:
        """
        1. A range that we keep: what is older is left, and ends the walk. 2. A page that is not below the cursor leads
        nowhere; but the row of the cursor itself, alone on a short page, is an inclusive bound and the end. 3. A short
        page is the last. 4. A full page is followed from its smallest key, if all of them can be read.
        """
        name, lowest = self._paging.key, keys.lowest
        below = at.cursor
        if self._paging.by == "time" and (floor := at.start_ms) is not None:
            self._rows = deque(row for row in self._rows if (self._key(row) or floor) >= floor)
            full = full and (lowest is None or lowest > floor)
        elif self._paging.by == "id" and below is None:
            below = _number(self._given.get("id_less_than"))
        if lowest is not None and below is not None and lowest >= below:
            if not full and lowest == below and keys.different == 1 and not keys.unreadable:
                return None, ""
            return None, f"a page leads no further: its smallest {name} {lowest} is not below {below}"
        if not full:
            return None, ""
        if keys.unreadable:
            return None, f"the {name} of a row on a full page cannot be read: nobody knows where the next page begins"
        return lowest, ""

    def _by_number(self, rows: list[Any], full: bool, page: int) -> tuple[int | None, str]:
        """New rows on top push known ones down, to the top of the next page: its last row is new all the same."""
        if full and (not self._rows or self._known(rows[-1])):
            return None, f"page {page} leads no further: its last row was on an earlier one"
        return (page + 1 if full else None), ""

    def _by_answer(self, answer: Any, missing: bool, full: bool, below: int | None) -> tuple[int | None, str]:
        more, cursor = answer.next_flag, _number(answer.id_less_than)
        if missing and (more or answer.unreadable):
            return None, "a page came without its rows"
        if not more:
            return None, "a full page does not say whether there is more" if more is None and full else ""
        if cursor is None:
            return None, "a page says that there is more, and not where"
        if not self._rows or (below is not None and cursor >= below):
            return None, f"a page leads no further: it says that there is more below {cursor}, and shows nothing new"
        return cursor, ""

    def _older(self, at: Position) -> Position:
        """The next window, older than this one, or the end."""
        span = self._paging.span_ms
        if span is None or at.start_ms is None or at.since_ms is None or at.start_ms <= at.since_ms:
            return replace(at, over=True)
        # Whether bounds are inclusive is not told: a millisecond of overlap covers each case, ids tell what came twice.
        end = at.start_ms + 1
        return replace(at, start_ms=max(at.since_ms, end - span), end_ms=end, cursor=None)

    # -- what is given ----------------------------------------------------------------------------------------

    def give(self) -> Any:
        """The next row of the page that was taken, newest first: pages of times ascend and are given from their end."""
        row = self._rows.pop() if self._paging.by == "time" else self._rows.popleft()
        self._given_rows.append(row)
        self._count += 1
        if not self._rows:
            self._go_on()
        return row

    def give_all(self) -> list[Any]:
        """The rest of the page that was taken, in its own order."""
        rows = list(self._rows)
        if rows:
            self._rows.clear()
            self._given_rows += rows
            self._count += len(rows)
            self._go_on()
        return rows

    def _go_on(self) -> None:
        before, self._at = self._at, self._after
        assert before is not None
        assert self._at is not None
        if (before.start_ms, before.end_ms) != (self._at.start_ms, self._at.end_ms):
            self._remember()
            self._before, self._seen = self._seen, set()

    def _remember(self) -> None:
        if self._given_rows:
            rows, self._given_rows = self._given_rows, []
            self._seen.update(identity for identity in map(self._identity, rows) if identity is not None)

    def _new(self, rows: list[Any], keys: _Keys) -> deque[Any]:
        first = not self._seen and not self._before
        if first and keys.different + keys.unreadable == len(rows) and keys.unreadable <= 1:
            return deque(rows)
        new: deque[Any] = deque()
        here: set[Any] = set()
        for row in rows:
            identity = self._identity(row)
            if identity not in here and not self._known(row):
                new.append(row)
                here.add(identity)
                here.discard(None)
        return new

    def _known(self, row: Record) -> bool:
        identity = self._identity(row)
        return identity is not None and (identity in self._seen or identity in self._before)

    def _key(self, row: Any) -> int | None:
        return _number(getattr(row, self._paging.key))

    def _identity(self, row: Record) -> tuple[Any, ...] | None:
        """What tells a row from others, or `None` if that cannot be read."""
        key = self._paging.key
        if key and self._key(row) is None:
            return None
        values = [getattr(row, name) for name in _names(type(row), key)]
        return tuple(_number(value) or value for value in values) if any(values) else None


@cache
def _wants_end(row: Endpoint) -> bool:
    return any(param.name == "end_time" and param.required for param in row.params)


@cache
def _names(record: type[Record], key: str) -> tuple[str, ...]:
    """The key, with the order's id: both sides of a trade with oneself have one trade id. Without a key, all ids."""
    fields = record.__struct_fields__
    if key:
        return tuple(dict.fromkeys((key, "order_id"))) if "order_id" in fields else (key,)
    return tuple(name for name in fields if name.endswith("_id") and not name.endswith("user_id"))


class _Keys(NamedTuple):
    """The keys of a page: the lowest that can be read, how many different ones, and how many cannot be read."""

    lowest: int | None = None
    different: int = 0
    unreadable: int = 0


def _keys(values: list[Any]) -> _Keys:
    """What is asked of them: without making numbers of ids as they should be, for this is done with every page."""
    try:
        whole = "".join(values)
    except TypeError:
        whole = ""
    # Bytes know ten digits, and look at them ten times faster than texts, which know hundreds.
    if whole.isascii() and whole.encode().isdigit():
        longest = max(map(len, values))
        if longest <= 40 and longest * len(values) == len(whole):
            return _Keys(int(min(values)), len(set(values)))
    numbers = [number for number in map(_number, values) if number is not None]
    return _Keys(min(numbers, default=None), len(set(numbers)), len(values) - len(numbers))


def _number(value: object) -> int | None:
    """An id as an integer: as text, "9" comes after "10"."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 40 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
