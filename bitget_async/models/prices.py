"""Prices: tickers, books, candles, everybody's trades, and statistics of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from bitget_async.models.record import Amounts, finite, wire_names
from bitget_async.models.texts import AuctionStage, Side, YesNo

__all__ = [
    "Auction",
    "Book",
    "Candle",
    "FundFlow",
    "Level",
    "MarketFill",
    "MergedBook",
    "NetFlow",
    "Ticker",
    "WhaleFlow",
]


class Ticker(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    Prices of one symbol, in quote coin, over the last 24 hours where nothing else is said.

    Attributes:
        symbol: exchange spelling, upper case.
        last_pr, open, high24h, low24h: last, first, highest, lowest price.
        bid_pr, bid_sz, ask_pr, ask_sz: best prices, and what is there in base coin.
        base_volume, quote_volume, usdt_volume: traded.
        open_utc: price at midnight UTC.
        change24h, change_utc24h: change over 24 hours and since midnight UTC, as fractions.
        time_ms: exchange time.
    """

    symbol: str = ""
    last_pr: Decimal | None = None
    open: Decimal | None = None
    high24h: Decimal | None = None
    low24h: Decimal | None = None
    bid_pr: Decimal | None = None
    bid_sz: Decimal | None = None
    ask_pr: Decimal | None = None
    ask_sz: Decimal | None = None
    base_volume: Decimal | None = None
    quote_volume: Decimal | None = None
    usdt_volume: Decimal | None = None
    open_utc: Decimal | None = None
    change24h: Decimal | None = None
    change_utc24h: Decimal | None = None
    time_ms: int | None = None


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One level of a book: the price in quote coin, and how much is there in base coin."""

    price: Decimal
    size: Decimal

    def __post_init__(self) -> None:
        finite(self.price)
        finite(self.size)


class Book(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    The order book of one symbol.

    Attributes:
        asks, bids: levels, best first; `None` where the exchange sent `null` or nothing, or where one level of that
            side cannot be read (then the side stands in `unreadable`): half a side is no side.
        time_ms: time of the matching engine.
    """

    asks: tuple[Level, ...] | None = None
    bids: tuple[Level, ...] | None = None
    time_ms: int | None = None


class MergedBook(Book, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    The order book of one symbol with prices drawn together.

    Attributes:
        scale: the step between prices, in quote coin.
        precision: the exchange's name of that step: `scale0` (none drawn together) to `scale3`.
        is_max_precision: whether there is no coarser one.
    """

    scale: Decimal | None = None
    precision: str = ""
    is_max_precision: YesNo = YesNo.UNKNOWN


class Candle(Amounts, frozen=True, array_like=True):
    """
    One candle. On the wire it is a bare list in this order.

    Attributes:
        open_ms: when it began.
        open, high, low, close: prices in quote coin.
        base_volume, usdt_volume, quote_volume: traded, in base coin, in USDT and in quote coin.
    """

    open_ms: int | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    base_volume: Decimal | None = None
    usdt_volume: Decimal | None = None
    quote_volume: Decimal | None = None


class MarketFill(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    One trade of anybody.

    Attributes:
        symbol: exchange spelling, upper case.
        trade_id: digits as a string; listings are ordered by it, compare as integers.
        side: the taker's, as far as the exchange says; an enum that keeps unknown texts.
        price: in quote coin.
        size: in base coin.
        time_ms: exchange time; whole seconds in the history.
    """

    symbol: str = ""
    trade_id: str = ""
    side: Side = Side.UNKNOWN
    price: Decimal | None = None
    size: Decimal | None = None
    time_ms: int | None = None


class Auction(
    Amounts, frozen=True, kw_only=True, rename=wire_names(stage_end_ms="stageEndTime", auction_end_ms="auctionEndTime")
):
    """
    The opening auction of a new symbol. Everything is empty when there is none.

    Attributes:
        stage: an enum that keeps unknown texts.
        stage_end_ms, auction_end_ms: when the stage and the auction end.
        est_opening_price: expected first price, in quote coin.
        matched_volume: what would trade at it, in base coin.
    """

    stage: AuctionStage = AuctionStage.UNKNOWN
    stage_end_ms: int | None = None
    est_opening_price: Decimal | None = None
    matched_volume: Decimal | None = None
    auction_end_ms: int | None = None


class FundFlow(Amounts, frozen=True, kw_only=True, rename="camel"):
    """
    Who bought and sold in a period, by size of account as the exchange draws the lines: whale, dolphin, fish.
    Volumes in base coin, ratios as the exchange sends them.
    """

    whale_buy_volume: Decimal | None = None
    dolphin_buy_volume: Decimal | None = None
    fish_buy_volume: Decimal | None = None
    whale_sell_volume: Decimal | None = None
    dolphin_sell_volume: Decimal | None = None
    fish_sell_volume: Decimal | None = None
    whale_buy_ratio: Decimal | None = None
    dolphin_buy_ratio: Decimal | None = None
    fish_buy_ratio: Decimal | None = None
    whale_sell_ratio: Decimal | None = None
    dolphin_sell_ratio: Decimal | None = None
    fish_sell_ratio: Decimal | None = None


class NetFlow(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """What flowed into a symbol up to one moment; negative for out of it. The page names no unit."""

    net_flow: Decimal | None = None
    time_ms: int | None = None


class WhaleFlow(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="date")):
    """What large accounts bought less what they sold, up to one moment. The page names no unit."""

    volume: Decimal | None = None
    time_ms: int | None = None
