"""Whom a stop is for, as a caller says it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable

import msgspec

from bitget_async.errors import UsageError
from bitget_async.evidence import Book
from bitget_async.models import Order, TriggerOrder
from bitget_async.models.reports import order_view
from bitget_async.stopping.planner import NAMES

__all__ = ["BOOKS", "Scope", "scope_of"]

BOOKS = {name: book for book, name in NAMES.items()}


class Scope(msgspec.Struct, frozen=True):
    """
    Whom a stop is for.

    Attributes:
        symbols: these, or `None` for all.
        books: whose lists.
        kept_oids: client ids of orders that are left alone; keep: or those of which it says so.
        sweep_late: whether orders that arrive meanwhile are to end too.
    """

    symbols: frozenset[str] | None = None
    books: tuple[Book, ...] = (Book.NORMAL,)
    kept_oids: frozenset[str] = frozenset()
    keep: Callable[[Order], bool] | None = None
    sweep_late: bool = False

    def keeps(self, row: Order | TriggerOrder) -> bool:
        """Whether it is left alone. Raises what the caller's function raises."""
        if row.client_oid and row.client_oid in self.kept_oids:
            return True
        return self.keep is not None and bool(self.keep(order_view(row)))


def scope_of(
    symbols: Iterable[str] | None,
    include: Collection[str],
    keep: Collection[str] | Callable[[Order], bool] | None,
    exclude_client_oids: Collection[str],
    late: str,
) -> Scope:
    """
    The arguments of `cancel_all_orders` as a scope.

    Raises:
        UsageError: one of them cannot be meant. What is given wrongly must not widen a stop, nor keep everything.
    """
    if symbols is not None:
        symbols = _names("symbols", symbols)
        if not symbols:
            raise UsageError("cancel_all_orders: symbols names none; None means all")
    books = _names("include", include)
    if not books or books - BOOKS.keys():
        raise UsageError(f"cancel_all_orders: include takes {', '.join(BOOKS)}, not {include!r}")
    if late not in ("report", "sweep"):
        raise UsageError(f'cancel_all_orders: late must be "report" or "sweep", not {late!r}')
    kept = _names("exclude_client_oids", exclude_client_oids)
    if inspect.iscoroutinefunction(keep):
        raise UsageError("cancel_all_orders: keep must answer at once: what an async function returns is always true")
    if keep is not None and not callable(keep):
        kept |= _names("keep", keep)
    return Scope(
        symbols=symbols,
        books=tuple(book for name, book in BOOKS.items() if name in books),
        kept_oids=kept,
        keep=keep if callable(keep) else None,
        sweep_late=late == "sweep",
    )


def _names(what: str, given: object) -> frozenset[str]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise UsageError(f"cancel_all_orders: {what} must be a list of texts, not {given!r}")
    names = list(given)
    if not all(isinstance(each, str) and each for each in names):
        raise UsageError(f"cancel_all_orders: {what} must be a list of texts, not {given!r}")
    return frozenset(names)
