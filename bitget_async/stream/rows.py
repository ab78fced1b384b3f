"""What the rows of a push hold: records, one a row. Pure, and read straight from the socket's bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any

import msgspec

from bitget_async.models import Asset, Fill, MarketFill, Record, Ticker, TriggerOrder
from bitget_async.models.pushes import (
    BookUpdate,
    CandleUpdate,
    OrderUpdate,
    PushedCandle,
    PushedTicker,
    PushedTrigger,
)
from bitget_async.models.salvage import ROWS, salvage, without_empty
from bitget_async.stream.protocol import Push

__all__ = ["records_of"]

_BROKEN = (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, RecursionError)
_force = msgspec.structs.force_setattr


def _ignore(reason: str) -> None:
    pass


def records_of(push: Push, lost: Callable[[str], None] = _ignore) -> tuple[Record, ...]:
    """
    The records of a push, in the exchange's order: `OrderUpdate`, `Fill`, `Asset`, `TriggerOrder`, `Ticker`,
    `MarketFill`, `CandleUpdate`, `BookUpdate`. Never raises for anything that the push holds. A field that cannot be
    read stands in its record's `unreadable`. A row that cannot be read is left out, and `lost` is called with a reason;
    so it is for data that is no list of rows, and for channels that we do not know. Only of a book nothing is left out,
    for the updates after it would not fit: what cannot be read of it is a `BookUpdate` with `unreadable`.
    """
    channel = push.topic.channel
    kind = _KINDS.get(channel) or (_CANDLES if channel.startswith("candle") else None)
    if kind is None:
        lost(f"a channel of another kind: {channel[:40]!r}")
        return ()
    try:
        rows = kind.rows.decode(push.data)
    except _BROKEN:
        rows = _salvaged(kind, push.data, lost)
    return tuple([kind.finish(row, push) for row in rows])


class _Kind:
    def __init__(self, row: type[Record], finish: Callable[..., Record]) -> None:
        self.row = row
        self.finish = finish

    @cached_property
    def rows(self) -> msgspec.json.Decoder[list[Any]]:
        """Reads them. Made for the first push: most programs hear one or two kinds."""
        return msgspec.json.Decoder(list[self.row], strict=False)  # type: ignore[name-defined]


def _salvaged(kind: _Kind, data: msgspec.Raw, lost: Callable[[str], None]) -> list[Record]:
    """Rows that do not fit as they are: without their empty fields, or one by one."""
    try:
        return kind.rows.decode(without_empty(bytes(data)))
    except _BROKEN:
        pass
    bad = count(1)
    told: list[Record] = []
    try:
        for raw in ROWS.decode(data):
            try:
                told.append(salvage(kind.row, raw, bad))
            except _BROKEN:
                lost("a row that cannot be read")
                told += _unread(kind)
    except _BROKEN:
        lost("data that is no list of rows")
        told += _unread(kind)
    return told


def _unread(kind: _Kind) -> list[Record]:
    return [BookUpdate(unreadable=("data",))] if kind.row is BookUpdate else []


def _order(row: OrderUpdate, push: Push) -> OrderUpdate:
    # What the frame says of itself goes for what a row may hold under these names.
    if row.source != "orders":
        _force(row, "source", "orders")
    _force(row, "pushed_ms", push.ts_ms)
    if not row.symbol:
        _force(row, "symbol", _symbol(push))
    return row


def _book(row: BookUpdate, push: Push) -> BookUpdate:
    _force(row, "symbol", _symbol(push))
    _force(row, "action", push.action)
    return row


def _market_fill(row: MarketFill, push: Push) -> MarketFill:
    _force(row, "symbol", _symbol(push))
    return row


def _candle(row: PushedCandle, push: Push) -> CandleUpdate:
    told = _fields(row, PushedCandle)
    return CandleUpdate(**told, symbol=_symbol(push), interval=push.topic.channel.removeprefix("candle"))


def _ticker(row: PushedTicker, push: Push) -> Ticker:
    told = _fields(row, Ticker)
    told["symbol"] = told["symbol"] or _symbol(push)
    return Ticker(**told)


def _trigger(row: PushedTrigger, push: Push) -> TriggerOrder:
    told = _fields(row, TriggerOrder)
    told["symbol"] = told["symbol"] or _symbol(push)
    return TriggerOrder(**told)


def _as_it_is(row: Record, push: Push) -> Record:
    return row


def _fields(row: Record, of: type[Record]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in of.__struct_fields__}


def _symbol(push: Push) -> str:
    name = push.topic.inst_id or ""
    return "" if name == "default" else name.upper()


_CANDLES = _Kind(PushedCandle, _candle)
_BOOKS = _Kind(BookUpdate, _book)
_KINDS = {
    "orders": _Kind(OrderUpdate, _order),
    "fill": _Kind(Fill, _as_it_is),
    "account": _Kind(Asset, _as_it_is),
    "orders-algo": _Kind(PushedTrigger, _trigger),
    "ticker": _Kind(PushedTicker, _ticker),
    "trade": _Kind(MarketFill, _market_fill),
    "books": _BOOKS,
    "books1": _BOOKS,
    "books5": _BOOKS,
    "books15": _BOOKS,
}
