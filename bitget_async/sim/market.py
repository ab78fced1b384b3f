"""
The market data of the simulated exchange: symbols, coins, first prices. Constants; the venue knows what has moved.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from bitget_async.sim.settings import Settings

__all__ = [
    "COINS",
    "MOST_LIMIT_USDT",
    "MOST_MARKET_USDT",
    "QUOTE_DIGITS",
    "SYMBOLS",
    "Symbol",
    "auction_row",
    "coin_row",
    "currency_row",
    "symbol_row",
    "ticker_row",
]

QUOTE_DIGITS = 8
MOST_LIMIT_USDT = Decimal(10_000_000)
MOST_MARKET_USDT = Decimal(1_000_000)


class Symbol(NamedTuple):
    """One pair: its coins, the last price at the start, and how many decimals a price and an amount may have."""

    name: str
    base: str
    quote: str
    last: Decimal
    price_digits: int
    size_digits: int


_TABLE = """
BTC USDT 103884.3 2 6|ETH USDT 2490.11 2 4|SOL USDT 168.42 2 4|XRP USDT 2.3391 4 2|DOGE USDT 0.22417 5 1
ADA USDT 0.7466 4 2|BNB USDT 648.9 2 4|LTC USDT 99.63 2 4|BCH USDT 397.2 2 4|ETC USDT 18.71 3 3
LINK USDT 15.63 3 3|TRX USDT 0.2666 5 1|DOT USDT 4.629 4 2|AVAX USDT 22.54 3 3|MATIC USDT 0.2233 4 2
UNI USDT 5.893 4 2|ATOM USDT 4.871 3 3|XLM USDT 0.2868 5 1|NEAR USDT 2.774 4 2|APT USDT 5.041 4 2
ARB USDT 0.3921 4 2|OP USDT 0.7488 4 2|SUI USDT 3.7401 4 2|TON USDT 3.043 4 2|PEPE USDT 0.00001331 10 0
SHIB USDT 0.0000148 9 0|FIL USDT 2.795 4 2|AAVE USDT 222.7 2 4|INJ USDT 11.62 3 3|TIA USDT 2.551 4 2
BGB USDT 4.7712 4 2|USDC USDT 0.9998 4 2|$1DOLLAR USDT 0.00142 6 1|1INCH USDT 0.2141 4 2
BTC USDC 103877.1 2 6|ETH USDC 2490.02 2 4|SOL USDC 168.4 2 4|ETH BTC 0.02397 6 4|SOL BTC 0.001621 7 4
BGB BTC 0.0000459 8 2|BTC EUR 93012.7 2 6|ETH EUR 2229.4 2 4
"""


def _read(row: str) -> Symbol:
    base, quote, last, price_digits, size_digits = row.split()
    return Symbol(base + quote, base, quote, Decimal(last), int(price_digits), int(size_digits))


SYMBOLS: dict[str, Symbol] = {
    symbol.name: symbol for symbol in (_read(row) for line in _TABLE.split("\n") if line for row in line.split("|"))
}
"""Exchange spelling -> symbol."""

COINS: tuple[str, ...] = tuple(dict.fromkeys(coin for s in SYMBOLS.values() for coin in (s.quote, s.base)))
"""Every coin of the symbols, quote coins early."""


def symbol_row(symbol: Symbol, settings: Settings) -> dict[str, object]:
    """A row of public/symbols: exactly the rules that placements are held to."""
    return {
        "symbol": symbol.name,
        "baseCoin": symbol.base,
        "quoteCoin": symbol.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": "900000000000000000000",
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "pricePrecision": str(symbol.price_digits),
        "quantityPrecision": str(symbol.size_digits),
        "quotePrecision": str(QUOTE_DIGITS),
        "status": "online",
        "minTradeUSDT": format(settings.minimum_usdt, "f"),
        "buyLimitPriceRatio": format(settings.price_band, "f"),
        "sellLimitPriceRatio": format(settings.price_band, "f"),
        "areaSymbol": "no",
        "orderQuantity": str(settings.most_open_orders),
        "openTime": "1532454360000",
        "offTime": "",
        "maxLimitOrderValue": str(MOST_LIMIT_USDT),
        "maxMarketOrderValue": str(MOST_MARKET_USDT),
    }


def coin_row(coin: str) -> dict[str, object]:
    """A row of public/coins, with one chain of the coin's own name."""
    chain = {
        "chain": coin,
        "needTag": "false",
        "withdrawable": "true",
        "rechargeable": "true",
        "withdrawFee": "0.005",
        "extraWithdrawFee": "0",
        "depositConfirm": "1",
        "withdrawConfirm": "1",
        "minDepositAmount": "0.001",
        "minWithdrawAmount": "0.001",
        "browserUrl": "",
        "contractAddress": None,
        "withdrawStep": "0",
        "withdrawMinScale": "8",
        "congestion": "normal",
    }
    number = str(COINS.index(coin) + 1)
    return {"coinId": number, "coin": coin, "transfer": "true", "areaCoin": "no", "chains": [chain]}


def ticker_row(symbol: Symbol, price: Decimal, now_ms: int) -> dict[str, object]:
    """A row of market/tickers at a last price; what a day would tell stands still."""
    step = Decimal(1).scaleb(-symbol.price_digits)
    last = format(price, "f")
    return {
        "open": last,
        "symbol": symbol.name,
        "high24h": last,
        "low24h": last,
        "lastPr": last,
        "quoteVolume": "0",
        "baseVolume": "0",
        "usdtVolume": "0",
        "ts": str(now_ms),
        "bidPr": format(price - step, "f"),
        "askPr": last,
        "bidSz": "1",
        "askSz": "1",
        "openUtc": last,
        "changeUtc24h": "0",
        "change24h": "0",
    }


def auction_row() -> dict[str, object]:
    """What is told of an auction that does not take place."""
    return {"stage": "", "stageEndTime": "", "estOpeningPrice": "0", "matchedVolume": "0", "auctionEndTime": ""}


def currency_row(symbol: Symbol) -> dict[str, object]:
    """A row of margin/currencies."""
    return {
        "symbol": symbol.name,
        "baseCoin": symbol.base,
        "quoteCoin": symbol.quote,
        "maxCrossedLeverage": "3",
        "maxIsolatedLeverage": "10",
        "warningRiskRatio": "0.8",
        "liquidationRiskRatio": "1",
        "minTradeAmount": "0.0001",
        "maxTradeAmount": "10000",
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "pricePrecision": str(symbol.price_digits),
        "quantityPrecision": str(symbol.size_digits),
        "minTradeUSDT": "1",
        "isBorrowable": True,
        "userMinBorrow": "0.00000001",
        "status": "1",
        "isIsolatedBaseBorrowable": True,
        "isIsolatedQuoteBorrowable": True,
        "isCrossBorrowable": True,
    }
