"""What can be read."""

from __future__ import annotations

import enum

import msgspec

from bitget_async.evidence import Book

__all__ = ["Read", "ReadKind"]


class ReadKind(enum.Enum):
    """What is read."""

    LISTING = "listing"
    HISTORY = "history"
    ORDER = "order"


class Read(msgspec.Struct, frozen=True):
    """
    One read to make.

    Attributes:
        kind: LISTING (all pages of the open orders), HISTORY (one page of the finished ones), ORDER (orderInfo).
        symbol: the symbol, or `None` for the whole account.
        below: HISTORY: only ids below this one; `None` for the newest.
        order_id: ORDER: the id, or `None` where it is asked for by `client_oid`.
        client_oid: ORDER: the client id.
        book: whose list.
    """

    kind: ReadKind
    symbol: str | None = None
    below: int | None = None
    order_id: str | None = None
    client_oid: str | None = None
    book: Book = Book.NORMAL
