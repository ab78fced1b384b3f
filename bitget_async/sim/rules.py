"""
The trading rules that placements are held to: those that the rows of public/symbols tell, and no others.
"""

from __future__ import annotations

from decimal import Decimal

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import MOST_LIMIT_USDT, MOST_MARKET_USDT, QUOTE_DIGITS, SYMBOLS, Symbol
from bitget_async.sim.orders import Draft
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Settings
from bitget_async.sim.venue import Venue

__all__ = ["OrderRules"]


class OrderRules:
    """What the exchange checks before it numbers an order."""

    def __init__(self, venue: Venue, settings: Settings) -> None:
        self._venue = venue
        self._settings = settings

    def check(self, account: Account, draft: Draft) -> None:
        """
        Raises `Refusal`: 40808 too many decimals, 43009 a buy too far above the last price, 43008 a sell too far below
        it, 45110 too small a value, 45113 too large a one, 43005 too many open orders on the symbol.
        """
        symbol = SYMBOLS[draft.symbol]
        last = self._venue.last(draft.symbol)
        _check_digits("size", draft.size, QUOTE_DIGITS if draft.spends_quote else symbol.size_digits)
        if draft.order_type == "limit":
            _check_digits("price", draft.price, symbol.price_digits)
            if not draft.tpsl:
                self._check_band(draft, last, symbol)
        self._check_value(draft, last, symbol)
        if self._venue.shelf(account.uid).count_open(draft.symbol) >= self._settings.most_open_orders:
            raise Refusal("43005")

    def _check_band(self, draft: Draft, last: Decimal, symbol: Symbol) -> None:
        """
        The band has one side for each: a buy at 30000 was taken in 2025 while the price stood above 100000 and the
        rows told a ratio of 0.05.
        """
        band = self._settings.price_band
        if not band:
            return
        if draft.side == "buy" and draft.price > (most := last * (1 + band)):
            raise Refusal("43009", f"{most:f}{symbol.quote}")
        if draft.side == "sell" and draft.price < (least := last * (1 - band)):
            raise Refusal("43008", f"{least:f}{symbol.quote}")

    def _check_value(self, draft: Draft, last: Decimal, symbol: Symbol) -> None:
        limit = draft.order_type == "limit"
        quote = draft.size if draft.spends_quote else draft.size * (draft.price if limit else last)
        usdt = quote * self._usdt_rate(symbol.quote)
        least = self._settings.minimum_usdt
        if usdt < least:
            raise Refusal("45110", f"{least:f}")
        if usdt > (MOST_LIMIT_USDT if limit else MOST_MARKET_USDT):
            raise Refusal("45113")

    def _usdt_rate(self, coin: str) -> Decimal:
        """What one of a quote coin is worth in USDT."""
        if coin == "USDT":
            return Decimal(1)
        if coin + "USDT" in SYMBOLS:
            return self._venue.last(coin + "USDT")
        return self._venue.last("BTCUSDT") / self._venue.last("BTC" + coin)


def _check_digits(name: str, value: Decimal, digits: int) -> None:
    """Decimals count as they are written: the exchange's text speaks of the scale of the number."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > digits:
        raise Refusal("40808", f"{name} checkBDScale error value={value:f} checkScale={digits}")
