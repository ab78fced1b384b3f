"""What the rows of a push hold: records, one a row. Pure, and read straight from the socket's bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


def _ignore(reason: str) -> None:
    pass


def records_of(push: Push, lost: Callable[[str], None] = _ignore) -> tuple[Record, ...]:
    """
    The records of a push, in the exchange's order: `OrderUpdate`, `Fill`, `Asset`, `TriggerOrder`, `Ticker`,
    `MarketFill`, `CandleUpdate`, `BookUpdate`. Never raises for anything that the push holds. A field that cannot be
    read stands in its record's `unreadable`; a row that cannot be read is left out, and `lost` is called with a
    reason, once a row. Empty for channels that we do not know, which `lost` is told, too.
    """
    channel = "candle" if push.topic.channel.startswith("candle") else push.topic.channel
    kind = _KINDS.get("books" if channel.startswith("books") else channel)
    if kind is None:
        lost(f"a channel of another kind: {push.topic.channel[:40]!r}")
        return ()
    row_type, rows_decoder, finish = kind
    rows: Iterable[Any]
    try:
        rows = rows_decoder.decode(push.data)
    except _BROKEN:
        rows = _salvaged(row_type, rows_decoder, push.data, lost)
    return tuple([finish(row, push) for row in rows])


def _salvaged(
    row_type: type[Record], whole: msgspec.json.Decoder[Any], data: msgspec.Raw, lost: Callable[[str], None]
) -> Iterator[Record]:
    filled = without_empty(bytes(data))
    try:
        yield from whole.decode(filled)
        return
    except _BROKEN:
        pass
    try:
        rows = ROWS.decode(data)
    except _BROKEN:
        lost("the data is no list of rows")
        return
    bad = count(1)
    for raw in rows:
        try:
            yield salvage(row_type, raw, bad)
        except _BROKEN:
            lost("a row that cannot be read")


def _order(row: OrderUpdate, push: Push) -> OrderUpdate:
    force = msgspec.structs.force_setattr
    force(row, "source", "orders")
    force(row, "pushed_ms", push.ts_ms)
    if not row.symbol:
        force(row, "symbol", _symbol(push))
    return row


def _book(row: BookUpdate, push: Push) -> BookUpdate:
    force = msgspec.structs.force_setattr
    force(row, "symbol", _symbol(push))
    force(row, "action", push.action)
    return row


def _market_fill(row: MarketFill, push: Push) -> MarketFill:
    msgspec.structs.force_setattr(row, "symbol", _symbol(push))
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


def _kind(record: type[Record], finish: Callable[..., Record]) -> tuple[Any, Any, Callable[..., Record]]:
    return record, msgspec.json.Decoder(list[record], strict=False), finish  # type: ignore[valid-type]


_KINDS = {
    "orders": _kind(OrderUpdate, _order),
    "fill": _kind(Fill, _as_it_is),
    "account": _kind(Asset, _as_it_is),
    "orders-algo": _kind(PushedTrigger, _trigger),
    "ticker": _kind(PushedTicker, _ticker),
    "trade": _kind(MarketFill, _market_fill),
    "candle": _kind(PushedCandle, _candle),
    "books": _kind(BookUpdate, _book),
}
