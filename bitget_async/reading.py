"""
Reading for the watcher: what a listing, a page of the history or one order looks like as a fact.

Reads of this kind are never repeated here, and wait for nobody's answer but their own: `inquiry` decides what is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.endpoints import (
    CURRENT_PLAN_ORDER,
    HISTORY_ORDERS,
    HISTORY_PLAN_ORDER,
    ORDER_INFO,
    UNFILLED_ORDERS,
    Endpoint,
)
from bitget_async.errors import OrderNotFound
from bitget_async.evidence import Book, Glance, Listing, Page, Row, complete, id_number
from bitget_async.inquiry import Read, ReadKind
from bitget_async.models import TriggerPage
from bitget_async.models.glances import Glances

__all__ = ["Answered", "Reading"]

PAGE_ROWS = 100
MOST_PAGES = 50


class Answered(Protocol):
    """What is needed of an answer."""

    @property
    def value(self) -> Any:
        """What `returns` of the row says."""

    @property
    def request_time_ms(self) -> int | None:
        """The exchange's time of it."""

    @property
    def sent_ns(self) -> int:
        """When the request left, monotonic."""


class Source(Protocol):
    """What is needed of a session."""

    clock: Clock
    server: ServerClock

    async def background(self, row: Endpoint, given: Mapping[str, Any], *, calls: tuple[int, ...] = ()) -> Answered:
        """One read, never repeated, inside a share of its quota."""


class Reading:
    """
    Makes the reads of a watcher.

    Args:
        session: sends them.
    """

    def __init__(self, session: Source) -> None:
        self._session = session

    async def listing(
        self,
        symbol: str | None,
        book: Book,
        *,
        most: int | None = None,
        tell: Callable[[tuple[Row, ...]], None] | None = None,
        calls: tuple[int, ...] = (),
    ) -> tuple[Listing, int]:
        """
        All pages of the open orders.

        Args:
            symbol: one symbol, or `None` for the whole account.
            book: whose list.
            most: pages to read, 50 if not given; with more, it is incomplete.
            tell: is told each page as it comes.
            calls: numbers of the handles that it is made for.

        Returns: what they show together, and how many there were.

        Raises: NotSent, OutcomeUnknown, Refused: one of them failed, and the others are no evidence.
        """
        row = CURRENT_PLAN_ORDER if book is Book.PLAN else UNFILLED_ORDERS
        pages: list[tuple[Row, ...]] = []
        first: Answered | None = None
        below: int | None = None
        most = MOST_PAGES if most is None else most
        while len(pages) < most:
            answer = await self._session.background(row, _paged(symbol, below, book), calls=calls)
            first = first or answer
            rows = _rows(answer.value)
            pages.append(rows)
            if tell is not None:
                tell(rows)
            lowest = min((n for each in rows if (n := id_number(each.order_id)) is not None), default=None)
            if len(rows) < PAGE_ROWS or lowest is None or (below is not None and lowest >= below):
                break
            below = lowest
        assert first is not None
        listed = tuple(each for page in pages for each in page)
        whole = complete(pages, PAGE_ROWS) and not _more(answer.value)
        return Listing(symbol, first.sent_ns, self._told_ms(first), listed, whole, book), len(pages)

    async def page(self, read: Read, *, calls: tuple[int, ...] = ()) -> Page:
        """
        One page of finished orders, or one order.

        Raises: NotSent, OutcomeUnknown, Refused.
        """
        if read.kind is ReadKind.ORDER:
            row = ORDER_INFO
            given: dict[str, Any] = {"order_id": read.order_id, "client_oid": read.client_oid}
        else:
            row = HISTORY_PLAN_ORDER if read.book is Book.PLAN else HISTORY_ORDERS
            given = _paged(read.symbol, read.below, read.book)
        asked_ns = self._session.clock.monotonic_ns()
        try:
            answer = await self._session.background(row, given, calls=calls)
        except OrderNotFound:
            if row is not ORDER_INFO:
                raise
            # The exchange's other way to answer with no row.
            told_ms = self._session.server.estimate_ms(asked_ns)
            return Page(row.short, read.symbol, asked_ns, told_ms, (), asked=read.order_id or read.client_oid)
        glances = answer.value if isinstance(answer.value, Glances) else None
        rows: tuple[Glance, ...] = _rows(answer.value) if glances is None else glances.rows
        last = read.kind is ReadKind.HISTORY and len(rows) < PAGE_ROWS and not _more(answer.value)
        asked = read.order_id or read.client_oid
        told_ms = self._told_ms(answer)
        named = (row.short, read.symbol, answer.sent_ns, told_ms)
        return Page(*named, rows, read.below, last, read.book, asked, glances)

    def _told_ms(self, answer: Answered) -> int:
        told = answer.request_time_ms
        return self._session.server.estimate_ms(answer.sent_ns) if told is None else told


def _paged(symbol: str | None, below: int | None, book: Book) -> dict[str, Any]:
    """Parameters of one page, of open or of finished orders."""
    cursor = None if below is None else str(below)
    given = {"symbol": symbol, "limit": PAGE_ROWS, "id_less_than": cursor}
    return {**given, "tpsl_type": "tpsl"} if book is Book.TPSL else given


def _rows(value: Any) -> tuple[Row, ...]:
    """The rows of an answer: a list, or a page of trigger orders."""
    return tuple(value.order_list or ()) if isinstance(value, TriggerPage) else tuple(value)


def _more(value: Any) -> bool:
    """Whether a page of trigger orders may be followed by another one, whatever its length."""
    return isinstance(value, TriggerPage) and value.next_flag is not False
