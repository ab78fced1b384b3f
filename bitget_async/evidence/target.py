"""One order that a command names, and all that is known of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from bitget_async.evidence.facts import Book, Certainty, Command, Glance, Page, Row, id_number
from bitget_async.models import OrderFailure

__all__ = ["Target", "Verdict", "Want", "has_values"]

# orderInfo by client id finds "only orders of the last 2 hours" (reference: "orderInfo"), less what listings may lag.
BY_CLIENT_OID_MS = 2 * 3_600_000 - 60_000


class Want(enum.Enum):
    """What a command wants of an order."""

    FINAL = "final"
    PRESENT = "present"
    CHANGED = "changed"


class Verdict(enum.Enum):
    """What is proven of a target."""

    DONE = "done"
    NOT_DONE = "not done"


class Target(msgspec.Struct, eq=False, kw_only=True):
    """
    One order that a command names, and all that is known of it.

    Attributes:
        command: the command.
        symbol: its symbol.
        want: what is wanted of it.
        order_id: its id, `None` until it is known.
        client_oid: its client id, or `""`.
        own_oid: whether the client made the client id up: no other order has it.
        wanted: CHANGED: the new values, by the row's names of them, as texts.
        certainty: what is known of the command as far as this order goes: an answer can take some and refuse others.
        refusal: what the exchange said against it; a proof only with REFUSED.
        row: the last row seen.
        source, server_ms: what told it, and when.
        final: whether a final row was seen.
        pushed: whether it is final by a push alone, whose row lacks what a read tells.
        shown_ns, open_ns: when the newest read was requested that showed it, and showed it open; -1 before. Where a
            push told that it ended, until when reads may show it open rightly.
        listed_ns, asked_ns, paged_ns: when the newest listing, orderInfo, and history down to the signing were
            requested that should have shown it and did not; -1 before.
        hidden_ns: when the newest read was requested with a row that may be its own and proves nothing; -1 before.
        earlier: an order with the same client id that ended before the signing.
    """

    command: Command
    symbol: str
    want: Want
    order_id: str | None = None
    client_oid: str = ""
    own_oid: bool = False
    wanted: Mapping[str, str] | None = None
    certainty: Certainty = Certainty.PENDING
    refusal: OrderFailure | None = None
    row: Row | None = None
    source: str = "client"
    server_ms: int | None = None
    final: bool = False
    pushed: bool = False
    shown_ns: int = -1
    open_ns: int = -1
    listed_ns: int = -1
    asked_ns: int = -1
    paged_ns: int = -1
    hidden_ns: int = -1
    earlier: tuple[Row, str, int] | None = None

    @property
    def over_ns(self) -> int:
        """A read requested from this moment on shows what the command did to it: it can do nothing any more."""
        command = self.command
        if self.certainty is Certainty.REFUSED:
            return command.deciding_ns
        told = command.heard and self.certainty is not Certainty.ACKED
        return command.finished_ns if told else command.horizon_ns

    def fits(self, row: Glance) -> bool:
        """
        Whether a row with its client id is this order's, by its times: a new order is created after the signing; an
        old one before it, and it does not end before it, for then another one could have the id.
        """
        bounds = self.command.sign_bounds
        if not self.client_oid or row.client_oid != self.client_oid or bounds is None:
            return False
        if row.symbol not in (self.symbol, ""):
            return False
        if self.want is Want.PRESENT:
            return row.created_ms is not None and row.created_ms >= bounds[0]
        if row.created_ms is not None and row.created_ms > bounds[1]:
            return False
        return row.status.open or (row.updated_ms is not None and row.updated_ms >= bounds[0])

    def called(self, row: Row) -> bool:
        """Whether a pushed row is this order's: by its id, or by its client id as far as its times fit."""
        if self.order_id is None:
            return id_number(row.order_id) is not None and self.fits(row) and row.symbol == self.symbol
        mine = row.client_oid in ("", self.client_oid) or not self.client_oid
        return mine and row.symbol == self.symbol and id_number(self.order_id) == id_number(row.order_id)

    def stirred(self, row: Row) -> bool:
        """
        Whether a pushed row with an open status tells what is wanted: that it exists, or has the new values since the
        signing. A push may be late: that it is open, or still has the old ones, it does not tell.
        """
        if self.want is not Want.CHANGED:
            return self.want is Want.PRESENT and self.row is None
        bounds = self.command.sign_bounds
        since = bounds is not None and row.updated_ms is not None and row.updated_ms >= bounds[0]
        return since and self.wanted is not None and has_values(row, self.wanted)

    def findable(self, server_ms: int) -> bool:
        """Whether orderInfo would find it by its client id at that exchange time: it forgets them after two hours."""
        bounds = self.command.sign_bounds
        return self.want is not Want.PRESENT or (bounds is not None and server_ms < bounds[0] + BY_CLIENT_OID_MS)

    def deep(self, page: Page) -> bool:
        """
        Whether a page, with those above it, reaches down to where it would stand: a new order to the signing; one whose
        client id another order had before, to that one, for the id was free only after it.
        """
        if self.earlier is not None:
            return bool(page.numbers) and min(page.numbers) <= int(self.earlier[0].order_id)
        bounds = self.command.sign_bounds
        created = [row.created_ms for row in page.rows if row.created_ms is not None]
        return bool(created) and bounds is not None and min(created) < bounds[0]

    def may_be(self, row: Row, *, alone: bool) -> bool:
        """
        Whether a row keeps an answer from showing that the order is absent: it may be the order's own, with a name, a
        time or a status that we cannot read; or it stands where its own would, `alone` in its answer.
        """
        nameless = self.want is Want.PRESENT and not row.client_oid
        if not (nameless or row.client_oid == self.client_oid) or row.symbol not in (self.symbol, ""):
            return False
        bounds = self.command.sign_bounds
        if bounds is None or row.created_ms is None:
            return True
        # An open order of before keeps the exchange from taking another one with its client id; an ended one does not.
        ended = row.status.final and not row.unreadable
        if self.want is Want.PRESENT:
            return row.created_ms >= bounds[0] or (alone and not row.status.open)
        return alone if row.created_ms > bounds[1] else not ended

    def absent_ns(self, book: Book) -> int:
        """All reads that could show it were requested at this moment or later, and none did; -1: not so."""
        witnesses = (self.listed_ns, self.paged_ns, self.asked_ns if book is Book.NORMAL else self.paged_ns)
        return min(witnesses) if min(witnesses) > self.hidden_ns else -1

    def verdict(self, book: Book) -> Verdict | None:
        """What is proven so far, or `None`."""
        if self.command.answered_ns is None:
            return None
        if self.want is Want.PRESENT:
            return self._placed(book)
        if self.want is Want.CHANGED and self._has_changed():
            return Verdict.DONE
        if self.final:
            return Verdict.DONE if self.want is Want.FINAL else Verdict.NOT_DONE
        if self.open_ns >= max(self.over_ns, self.listed_ns):
            return Verdict.NOT_DONE
        return None

    def _has_changed(self) -> bool:
        """
        Whether it had the new values after the signing: an old listing can show the same ones from before. What ended
        with them keeps them.
        """
        row, bounds = self.row, self.command.sign_bounds
        if row is None or bounds is None or self.wanted is None or not has_values(row, self.wanted):
            return False
        since = row.updated_ms is not None and row.updated_ms >= bounds[0]
        return self.final or since or self.shown_ns >= self.command.deciding_ns

    def _placed(self, book: Book) -> Verdict | None:
        """
        1. Seen. 2. Refused by itself, or with the whole command. 3. No answer, and it can appear no more. Only where
        orderInfo speaks too: an order that ended at once stands in no listing, and the history may lag.
        """
        if self.row is not None:
            return Verdict.DONE
        if self.certainty is Certainty.REFUSED:
            return Verdict.NOT_DONE
        if self.certainty is not Certainty.MAYBE or book is not Book.NORMAL or not self.client_oid:
            return None
        return Verdict.NOT_DONE if self.absent_ns(book) >= self.over_ns else None


def has_values(row: Row, wanted: Mapping[str, str]) -> bool:
    """Whether a row has these values: amounts as numbers, whatever zeros are written, and words as they are."""
    for name, text in wanted.items():
        value = getattr(row, name, None)
        if value != (Decimal(text) if isinstance(value, Decimal) else text) and getattr(value, "value", None) != text:
            return False
    return True
