"""Rows of finished orders, read as far as one must look to know whom they concern, and whole where they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import msgspec

from bitget_async.models.orders import Order
from bitget_async.models.record import SECONDS_BELOW, keep_raw, wire_names
from bitget_async.models.salvage import salvage
from bitget_async.models.texts import OrderStatus

__all__ = ["Glances", "OrderGlance"]


class OrderGlance(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, rename=wire_names(created_ms="cTime", updated_ms="uTime")
):
    """
    Name, status and times of an order, as in its `Order`. It does not say whether the rest can be read: it is no proof
    of anything, and has no `unreadable`, so that nobody can take it for one.
    """

    symbol: str = ""
    order_id: str = ""
    client_oid: str = ""
    status: OrderStatus = OrderStatus.UNKNOWN
    created_ms: int | None = None
    updated_ms: int | None = None
    tpsl_type: str | None = None

    def __post_init__(self) -> None:
        # As `Order` does it.
        created_ms, updated_ms = self.created_ms, self.updated_ms
        if created_ms is not None and created_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "created_ms", created_ms * 1000)
        if updated_ms is not None and updated_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "updated_ms", updated_ms * 1000)
        if not self.symbol.isupper():
            msgspec.structs.force_setattr(self, "symbol", self.symbol.upper())


class _Rows(msgspec.Struct):
    data: list[msgspec.Raw]


_ROWS = msgspec.json.Decoder(_Rows)
_ORDER = msgspec.json.Decoder(Order, strict=False)


class Glances:
    """
    The rows of an answer, at a glance.

    Args:
        rows: they.
        body: the answer that they were read from. Only this object holds it.

    Attributes:
        keep_raw: whether whole rows keep their JSON, for `Order.raw`.
    """

    def __init__(self, rows: Sequence[OrderGlance], body: bytes) -> None:
        self.rows = tuple(rows)
        self.keep_raw = False
        self._body = body
        self._texts: dict[int, msgspec.Raw] = {}
        self._whole: dict[int, Order] = {}

    def whole(self, row: OrderGlance) -> Order:
        """The record of one of these rows, made once; what of it cannot be read is named in `unreadable`."""
        made = self._whole.get(id(row))
        if made is None:
            made = self._whole[id(row)] = _order(row, self._text(row), self.keep_raw)
        return made

    def later(self, row: OrderGlance) -> Callable[[], Order]:
        """What makes the record of one of these rows some day: it holds the bytes of that row and no others."""
        return partial(_order, row, self._text(row), self.keep_raw)

    def _text(self, row: OrderGlance) -> bytes:
        """A copy of the row's JSON: a view would hold the whole answer as long as one of its records lives."""
        if not self._texts:
            texts = _ROWS.decode(self._body).data
            self._texts = {id(each): text for each, text in zip(self.rows, texts, strict=True)}
        return bytes(self._texts[id(row)])


def _order(row: OrderGlance, text: bytes, keep: bool) -> Order:
    try:
        order = _ORDER.decode(text)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        order = _as_far_as_it_goes(row, text)
    if keep:
        keep_raw(order, text)
    return order


def _as_far_as_it_goes(row: OrderGlance, text: bytes) -> Order:
    try:
        return salvage(Order, msgspec.Raw(text), count(1))
    except (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, RecursionError):
        seen = {name: getattr(row, name) for name in OrderGlance.__struct_fields__}
        return Order(**seen, unreadable=("data",))
