"""Market data and trading rules, as the exchange tells them."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names

__all__ = ["ServerTime", "Symbol"]


class ServerTime(Record, frozen=True, kw_only=True, rename=wire_names(server_ms="serverTime")):
    """The exchange's clock in Unix milliseconds."""

    server_ms: int


class Symbol(
    Amounts,
    frozen=True,
    kw_only=True,
    rename=wire_names(min_trade_usdt="minTradeUSDT", open_ms="openTime", off_ms="offTime"),
):
    """
    Trading rules of one symbol.

    Attributes:
        symbol, base_coin, quote_coin: exchange spelling.
        status: `online`, `halt`, `gray`, `offline`, ...
        price_precision, quantity_precision, quote_precision: decimal places.
        min_trade_usdt: least value of an order in USDT.
        maker_fee_rate, taker_fee_rate: default rates as fractions.
        buy_limit_price_ratio, sell_limit_price_ratio: how far a limit may be from the market, as fractions.
        order_quantity: most open orders on this symbol.
        open_ms, off_ms: start of trading and planned delisting, or `None`.
        max_limit_order_value, max_market_order_value: in quote coin, or `None` where not told.
    """

    symbol: str = ""
    base_coin: str = ""
    quote_coin: str = ""
    status: str = ""
    price_precision: int | None = None
    quantity_precision: int | None = None
    quote_precision: int | None = None
    min_trade_amount: Decimal | None = None
    max_trade_amount: Decimal | None = None
    min_trade_usdt: Decimal | None = None
    taker_fee_rate: Decimal | None = None
    maker_fee_rate: Decimal | None = None
    buy_limit_price_ratio: Decimal | None = None
    sell_limit_price_ratio: Decimal | None = None
    area_symbol: str = ""
    order_quantity: int | None = None
    open_ms: int | None = None
    off_ms: int | None = None
    max_limit_order_value: Decimal | None = None
    max_market_order_value: Decimal | None = None
