"""Symbols, coins and fees, as the exchange tells everybody."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names
from bitget_async.models.texts import YesNo

__all__ = ["Chain", "Coin", "FeeTier", "ServerTime", "SupportSymbols", "Symbol"]


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


class Chain(Amounts, frozen=True, kw_only=True, rename="camel"):
    """
    One chain on which a coin can be moved, amounts in that coin.

    Attributes:
        chain: its name.
        need_tag, withdrawable, rechargeable: what it takes and allows; `None` where not told.
        withdraw_fee: fee of a withdrawal.
        extra_withdraw_fee: part of the amount that is burnt on top: 0.1 is 10 %.
        deposit_confirm, withdraw_confirm: blocks until it counts.
        min_deposit_amount, min_withdraw_amount: least amounts.
        withdraw_step: withdrawals must be a multiple of it, if it is not 0.
        withdraw_min_scale: decimal places of a withdrawal.
        browser_url, contract_address: block explorer and contract, or `None`.
        congestion: `normal` or `congested`.
    """

    chain: str = ""
    need_tag: bool | None = None
    withdrawable: bool | None = None
    rechargeable: bool | None = None
    withdraw_fee: Decimal | None = None
    extra_withdraw_fee: Decimal | None = None
    deposit_confirm: int | None = None
    withdraw_confirm: int | None = None
    min_deposit_amount: Decimal | None = None
    min_withdraw_amount: Decimal | None = None
    browser_url: str | None = None
    contract_address: str | None = None
    withdraw_step: Decimal | None = None
    withdraw_min_scale: int | None = None
    congestion: str = ""


class Coin(Record, frozen=True, kw_only=True, rename="camel"):
    """
    One coin.

    Attributes:
        coin_id, coin: its number and its name.
        transfer: whether it can be moved between accounts; `None` where not told.
        area_coin: whether it belongs to a trading area. In no document; seen in answers.
        chains: where it can be moved; `None` where the exchange sent `null` or nothing.
    """

    coin_id: str = ""
    coin: str = ""
    transfer: bool | None = None
    area_coin: YesNo = YesNo.UNKNOWN
    chains: tuple[Chain, ...] | None = None


class FeeTier(Amounts, frozen=True, kw_only=True, rename="camel"):
    """
    What an account of one VIP level pays.

    Attributes:
        level: the level.
        deal_amount: traded in 30 days to get it, in USDT.
        asset_amount: held to get it, in USDT.
        taker_fee_rate, maker_fee_rate: as fractions. 0 means "see the announcement", says the page.
        btc_withdraw_amount, usdt_withdraw_amount: most withdrawn in 24 hours, in BTC and in USDT.
    """

    level: int | None = None
    deal_amount: Decimal | None = None
    asset_amount: Decimal | None = None
    taker_fee_rate: Decimal | None = None
    maker_fee_rate: Decimal | None = None
    btc_withdraw_amount: Decimal | None = None
    usdt_withdraw_amount: Decimal | None = None


class SupportSymbols(Record, frozen=True, kw_only=True, rename="camel"):
    """Symbols that the exchange keeps statistics of: spot and futures; `None` where it sent `null` or nothing."""

    spot_list: tuple[str, ...] | None = None
    future_list: tuple[str, ...] | None = None
