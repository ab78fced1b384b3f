"""What the exchange tells by itself: records of the WebSocket channels where they differ from those of the calls."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from bitget_async.models.orders import Order
from bitget_async.models.prices import Candle, Ticker
from bitget_async.models.record import LEAST_DIGITS, MOST_DIGITS, SECONDS_BELOW, Amounts, Record, wire_names
from bitget_async.models.texts import OrderType, Side, TradeScope
from bitget_async.models.triggers import TriggerOrder

__all__ = [
    "BookLevel",
    "BookUpdate",
    "CandleUpdate",
    "OrderUpdate",
    "PushedCandle",
    "PushedTicker",
    "PushedTrigger",
]


class OrderUpdate(
    Order,
    frozen=True,
    kw_only=True,
    gc=False,
    rename=wire_names(
        created_ms="cTime",
        updated_ms="uTime",
        fill_size="baseVolume",
        fill_ms="fillTime",
        quote_size="size",
        source="-source",
        pushed_ms="-pushed",
    ),
):
    """
    One order as a push told it, or as a read told it where a push was missing. An `Order` in every respect, with the
    last trade of it where there was one. Cost: nothing, pushes are not counted by the exchange.

    What the channel writes differs: `size` comes as `newSize`, `base_volume` as `accBaseVolume`; `quote_volume` is not
    told (`base_volume * price_avg` is near it). Fill fields may be missing from any push, the last one included.

    Attributes:
        size: ordered amount in base coin; in QUOTE coin for a market buy; `None` for a limit buy without `newSize`.
        quote_size: the channel's own field `size`: quote coin for a buy, base coin for a sell.
        notional: worth of the order in quote coin as the exchange counts it: of the whole order, not of what traded.
        trade_id, fill_price, fill_size, fill_ms: the trade that this push is about, in quote and base coin.
        fill_fee, fill_fee_coin: its fee; negative when paid.
        trade_scope: taker or maker.
        stp_mode: prevention of trades with oneself, in the exchange's words.
        source: what told it: `orders` (the channel), or the call that did: `unfilled-orders`, `orderInfo`,
            `history-orders`.
        pushed_ms: exchange time of the frame, or `None`.

    Source: https://www.bitget.com/api-doc/spot/websocket/private/Order-Channel, read 2025-11-10.
    """

    symbol: str = msgspec.field(default="", name="instId")
    size: Decimal | None = msgspec.field(default=None, name="newSize")
    base_volume: Decimal | None = msgspec.field(default=None, name="accBaseVolume")
    quote_volume: Decimal | None = msgspec.field(default=None, name="-quoteVolume")
    quote_size: Decimal | None = None
    notional: Decimal | None = None
    trade_id: str = ""
    fill_price: Decimal | None = None
    fill_size: Decimal | None = None
    fill_ms: int | None = None
    fill_fee: Decimal | None = None
    fill_fee_coin: str = ""
    trade_scope: TradeScope = TradeScope.UNKNOWN
    stp_mode: str = ""
    source: str = "orders"
    pushed_ms: int | None = None

    def __post_init__(self) -> None:
        Order.__post_init__(self)
        quote_size = self.quote_size
        # As there: no loop, for this runs with every push.
        if not (
            (quote_size is None or (quote_size.is_finite() and LEAST_DIGITS <= quote_size.adjusted() <= MOST_DIGITS))
            and ((it := self.notional) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.fill_price) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.fill_size) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.fill_fee) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
        ):
            raise ValueError("an amount is not a number")
        if self.fill_ms is not None and self.fill_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "fill_ms", self.fill_ms * 1000)
        if self.size is None and (self.side is Side.SELL or self.order_type is OrderType.MARKET):
            msgspec.structs.force_setattr(self, "size", quote_size)

    @classmethod
    def of(cls, order: Order, source: str) -> OrderUpdate:
        """The same order as an update that `source` told: a call's path without what is before the last slash."""
        told = {name: getattr(order, name) for name in Order.__struct_fields__}
        return cls(**told, source=source)


class BookLevel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    One level of a pushed book, as texts: the checksum is made of them. `price` is in quote coin, `size` in base coin;
    a size of 0 takes the level away.
    """

    price_text: str
    size_text: str

    @property
    def price(self) -> Decimal:
        """The price."""
        return Decimal(self.price_text)

    @property
    def size(self) -> Decimal:
        """How much is there."""
        return Decimal(self.size_text)


class BookUpdate(
    Record, frozen=True, kw_only=True, rename=wire_names(time_ms="ts", action="-action", symbol="-symbol")
):
    """
    The order book of one symbol, or what changed in it.

    Attributes:
        symbol: exchange spelling, upper case.
        action: `snapshot`: these levels and no others; `update`: these levels changed.
        asks, bids: levels, best first; `None` where the exchange sent `null` or nothing, or where one level of that
            side cannot be read (then the side stands in `unreadable`): half a side is no side.
        checksum: of the book's 25 best levels after this, signed 32 bit; `None` or 0 where there is none.
        seq: grows with each change of the book; `None` where not told.
        pseq: the `seq` before this one, on newer feeds; `None` where not told.
        time_ms: exchange time.

    Source: https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel, read 2025-11-10.
    """

    symbol: str = ""
    action: str = ""
    asks: tuple[BookLevel, ...] | None = None
    bids: tuple[BookLevel, ...] | None = None
    checksum: int | None = None
    seq: int | None = None
    pseq: int | None = None
    time_ms: int | None = None

    def __post_init__(self) -> None:
        force = msgspec.structs.force_setattr
        if self.time_ms is not None and self.time_ms < SECONDS_BELOW:
            force(self, "time_ms", self.time_ms * 1000)
        if self.asks and not _plain(self.asks):
            force(self, "asks", None)
            force(self, "unreadable", (*self.unreadable, "asks"))
        if self.bids and not _plain(self.bids):
            force(self, "bids", None)
            force(self, "unreadable", (*self.unreadable, "bids"))


# A book has hundreds of numbers, thousands of times a second: one look for all of them.
_PLAIN = re.compile(r"(?:[0-9]{1,40}+(?:\.[0-9]{1,40}+)?+ )*+")


def _plain(levels: tuple[BookLevel, ...]) -> bool:
    """Whether every text in them is a number without sign or exponent, and no longer than any price."""
    texts = [level.price_text for level in levels] + [level.size_text for level in levels]
    return _PLAIN.fullmatch(" ".join(texts) + " ") is not None and " " not in "".join(texts)


class CandleUpdate(Candle, frozen=True, array_like=True):
    """
    A `Candle` that is told anew while it grows.

    Attributes:
        symbol: exchange spelling, upper case.
        interval: as in the channel's name: `1m`, `4H`, `1Dutc`, ...

    Source: the page of the spot candlestick channel, read 2025-11-10.
    """

    symbol: str = ""
    interval: str = ""


class PushedCandle(Amounts, frozen=True, array_like=True):
    """A candle as the channel writes it: there the last two volumes stand the other way round."""

    open_ms: int | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    base_volume: Decimal | None = None
    quote_volume: Decimal | None = None
    usdt_volume: Decimal | None = None


class PushedTicker(Ticker, frozen=True, kw_only=True):
    """A ticker as the channel writes it."""

    symbol: str = msgspec.field(default="", name="instId")
    open: Decimal | None = msgspec.field(default=None, name="open24h")


class PushedTrigger(TriggerOrder, frozen=True, kw_only=True):
    """A trigger order as the channel writes it."""

    symbol: str = msgspec.field(default="", name="instId")
