"""Facts: what a read brought, in the form in which it can be evidence; and what is known of the command itself."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Protocol, TypeVar, cast

import msgspec

from bitget_async.models.glances import Glances, OrderGlance

__all__ = [
    "SECOND_NS",
    "Assumptions",
    "Book",
    "Certainty",
    "Command",
    "Glance",
    "Listing",
    "Page",
    "Push",
    "Row",
    "complete",
    "id_number",
]

SomeRow = TypeVar("SomeRow", bound="Glance")
SECOND_NS = 1_000_000_000
# The exchange refuses a timestamp older than this (reference: "Clock").
ACCEPTED_FOR_NS = 30 * SECOND_NS

Bounds = Callable[[int], tuple[int, int] | None]


class Book(enum.Enum):
    """Which of the exchange's lists an order stands in: normal orders, stand-alone TP/SL orders, trigger orders."""

    NORMAL = "normal"
    TPSL = "tpsl"
    PLAN = "plan"


class Certainty(enum.Enum):
    """What is known of a command. REFUSED: proven not executed, by the exchange's word or because nothing left."""

    PENDING = "pending"
    ACKED = "acked"
    MAYBE = "maybe"
    REFUSED = "refused"


class Status(Protocol):
    """What evidence asks of a status. One that we do not know is neither open nor final."""

    @property
    def open(self) -> bool:
        """It can still trade."""

    @property
    def final(self) -> bool:
        """It can never change again."""

    @property
    def name(self) -> str:
        """Our name of it."""

    @property
    def value(self) -> str:
        """The exchange's text."""


class Glance(Protocol):
    """What evidence asks of any row: an order's or a trigger order's; see `Order`. By itself it proves nothing."""

    @property
    def order_id(self) -> str:
        """Its id."""

    @property
    def client_oid(self) -> str:
        """The client's id of it."""

    @property
    def symbol(self) -> str:
        """Its symbol."""

    @property
    def status(self) -> Status:
        """What it is."""

    @property
    def created_ms(self) -> int | None:
        """When it was created."""

    @property
    def updated_ms(self) -> int | None:
        """When it last changed."""


class Row(Glance, Protocol):
    """What evidence asks of a row that it keeps, or takes for a proof: that all of it was read."""

    @property
    def unreadable(self) -> tuple[str, ...]:
        """What of it could not be read."""


class Assumptions(msgspec.Struct, frozen=True):
    """
    What nobody outside the exchange can check; printed in every report.

    Attributes:
        staleness_s: how old a listing, or the answer of orderInfo, may be when it is served.
        execution_grace_s: how long after the exchange's last chance to accept the command it may still act.
    """

    staleness_s: float = 2.0
    execution_grace_s: float = 10.0


class Command(msgspec.Struct, eq=False, kw_only=True):
    """
    One command: when it was signed, what its answer said, and until when it may act.

    Attributes:
        bounds_ms: the exchange's clock at a monotonic ns, earliest and latest ms; `None` while unknown.
        assumptions: see there.
        accepted_for_ns: how long after its timestamp the exchange may still accept it.
        certainty: see there.
        stamped: whether it was; `signed_ns`, `signed_ms`: when, monotonic and by the estimate of the exchange's clock.
        answered_ns: when the answer came, or when it was known that none will; `None` before.
        heard: whether the exchange said what it did with it: after that it cannot accept it any more.
    """

    bounds_ms: Bounds
    assumptions: Assumptions = Assumptions()
    accepted_for_ns: int = ACCEPTED_FOR_NS
    certainty: Certainty = Certainty.PENDING
    stamped: bool = False
    signed_ns: int = 0
    signed_ms: int = 0
    answered_ns: int | None = None
    heard: bool = False

    def signed(self, now: int, timestamp_ms: int) -> None:
        """A copy of the command was stamped; an earlier one, if any, is proven not executed."""
        self.stamped = True
        self.signed_ns = now
        self.signed_ms = timestamp_ms

    def answered(self, certainty: Certainty, now: int) -> None:
        """The answer came, or it is known that none will."""
        self.certainty = certainty
        self.answered_ns = now

    @property
    def sign_bounds(self) -> tuple[int, int] | None:
        """Earliest and latest exchange ms of the signing, or `None` while the exchange's clock is unknown."""
        return self.bounds_ms(self.signed_ns)

    @property
    def clock_error_ms(self) -> int:
        """Width of what is known of the exchange's clock at the signing."""
        bounds = self.sign_bounds
        return 0 if bounds is None else bounds[1] - bounds[0]

    @property
    def deciding_ns(self) -> int:
        """A listing requested from this moment on shows every order that existed at the signing and is open."""
        return self.signed_ns + round(self.assumptions.staleness_s * SECOND_NS)

    @property
    def finished_ns(self) -> int:
        """The same as `horizon_ns` where the exchange has answered: it can act a while longer, but not begin to."""
        since = self.signed_ns if self.answered_ns is None else self.answered_ns
        return since + round((self.assumptions.staleness_s + self.assumptions.execution_grace_s) * SECOND_NS)

    @property
    def horizon_ns(self) -> int:
        """A read requested from this moment on shows what the command did: it can do nothing any more."""
        bounds = self.sign_bounds
        ahead_ms = 0 if bounds is None else max(0, self.signed_ms - bounds[0])
        late_ns = min(ahead_ms * 1_000_000, ACCEPTED_FOR_NS) + self.accepted_for_ns
        return self.deciding_ns + late_ns + round(self.assumptions.execution_grace_s * SECOND_NS)


class Listing(msgspec.Struct, frozen=True, dict=True):
    """
    An open listing, all its pages together.

    Attributes:
        symbol: the symbol asked for, or `None` for the whole account.
        requested_ns: when its first page was requested.
        server_ms: the exchange's time of its first page.
        rows: every row of every page.
        complete: every page was answered, the cursor fell strictly, the last page was short, every id is readable.
        book: whose list it is.
    """

    symbol: str | None
    requested_ns: int
    server_ms: int
    rows: tuple[Row, ...]
    complete: bool
    book: Book = Book.NORMAL

    # Each is made once for all who are pending, and not at all if nobody asks for it; so are those of a page.

    @cached_property
    def by_id(self) -> dict[int | None, Row]:
        """The rows by their ids."""
        return {id_number(row.order_id): row for row in self.rows}

    @cached_property
    def by_oid(self) -> dict[str, list[Row]]:
        """The rows by their client ids, nameless ones too."""
        return _grouped(self.rows, lambda row: row.client_oid)

    @cached_property
    def by_symbol(self) -> dict[str, list[Row]]:
        """The rows by their symbols, nameless ones too."""
        return _grouped(self.rows, lambda row: row.symbol)

    def whole(self, row: Glance) -> Row:
        """One of its rows: they all are."""
        return cast("Row", row)

    @property
    def source(self) -> str:
        """The exchange's name of the call."""
        return "current-plan-order" if self.book is Book.PLAN else "unfilled-orders"


class Page(msgspec.Struct, frozen=True, dict=True):
    """
    Rows of finished orders: a page of the history, or the answer of orderInfo.

    Attributes:
        source: the exchange's name of the call: `history-orders`, `orderInfo`, ...
        symbol: the symbol asked for, or `None` for the whole account.
        requested_ns: when it was requested.
        server_ms: the exchange's time of the answer.
        rows: the rows.
        below: the cursor it started from (ids below this one), or `None` for the top.
        last: whether nothing lies below it.
        book: whose history it is.
        asked: the order id or client id that alone was asked for, or `None`.
        glances: makes the rows whole, where they were only looked at.
    """

    source: str
    symbol: str | None
    requested_ns: int
    server_ms: int
    rows: tuple[Glance, ...]
    below: int | None = None
    last: bool = False
    book: Book = Book.NORMAL
    asked: str | None = None
    glances: Glances | None = None

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The readable ids as integers."""
        numbers = (id_number(row.order_id) for row in self.rows)
        return tuple(number for number in numbers if number is not None)

    @cached_property
    def by_id(self) -> dict[int | None, Glance]:
        """The rows by their ids."""
        return {id_number(row.order_id): row for row in self.rows}

    @cached_property
    def by_oid(self) -> dict[str, list[Glance]]:
        """The rows by their client ids, nameless ones too."""
        return _grouped(self.rows, lambda row: row.client_oid)

    def whole(self, row: Glance) -> Row:
        """One of its rows with all that was told of it: to be kept, or to prove something."""
        return cast("Row", row) if self.glances is None else self.glances.whole(cast("OrderGlance", row))

    def later(self, row: Glance) -> Callable[[], Row]:
        """What makes one of its rows whole some day; it does not hold the page."""
        if self.glances is None:
            return partial(_same, cast("Row", row))
        return self.glances.later(cast("OrderGlance", row))


class Push(msgspec.Struct, frozen=True):
    """
    Rows that the private order stream told by itself. They may be late, doubled or out of order, and any may be
    missing: a final row is a proof, an open one shows that its order exists, and nothing shows that one does not.

    Attributes:
        rows: the rows, in the order of the frame.
        received_ns: when the frame came.
        server_ms: the exchange's time of it.
        source: the name of the channel.
    """

    rows: tuple[Row, ...]
    received_ns: int
    server_ms: int
    source: str = "orders"

    def whole(self, row: Glance) -> Row:
        """One of its rows: they all are."""
        return cast("Row", row)

    def later(self, row: Glance) -> Callable[[], Row]:
        """As of a `Page`."""
        return partial(_same, cast("Row", row))


def _same(row: Row) -> Row:
    return row


def _grouped(rows: Iterable[SomeRow], name: Callable[[SomeRow], str]) -> dict[str, list[SomeRow]]:
    found: dict[str, list[SomeRow]] = {}
    for row in rows:
        found.setdefault(name(row), []).append(row)
    return found


def id_number(order_id: str) -> int | None:
    """An order id as the integer by which ids compare, or `None` if it is not one."""
    return int(order_id) if order_id.isascii() and order_id.isdigit() and len(order_id) <= 40 else None


def complete(pages: Iterable[tuple[Row, ...]], limit: int) -> bool:
    """
    Whether these pages, in the order they were read, are a whole listing: every id readable and none of them on a
    page where the cursor excluded it, every page but the last full, the last one short.
    """
    cursor: int | None = None
    # Nothing read is no listing.
    last_full = True
    for number, page in enumerate(pages):
        if number and not last_full:
            return False
        ids = [id_number(row.order_id) for row in page]
        known = [each for each in ids if each is not None]
        if len(known) != len(ids) or (cursor is not None and any(each >= cursor for each in known)):
            return False
        cursor = min(known, default=cursor)
        last_full = len(page) >= limit
    return not last_full
