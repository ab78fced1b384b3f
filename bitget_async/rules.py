"""
Trading rules: what an order must look like to be taken, and who told us when. Pure: no I/O, no clock.

`TradingRules` are the rules of one symbol: they round to its grid and check an order before it is sent. `Rulebook`
keeps the rules of many symbols with the moment they were told.

A rule is checked only where it is known. What the exchange did not tell, told as zero, or told in a way that cannot
be meant is not a rule, and the exchange decides.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

import msgspec

from bitget_async.errors import UsageError
from bitget_async.models import OrderType, Side, Symbol

__all__ = ["Amount", "Rulebook", "TradingRules"]

Amount = Decimal | int | str
"""What an amount may be given as. Never `float`, which does not hold what you typed."""

ONE = Decimal(1)
# Room for the longest product of two amounts; the caller's own context may be set to six digits.
EXACT = decimal.Context(
    prec=400, rounding=decimal.ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[decimal.InvalidOperation]
)
MOST_DIGITS = 40
MOST_PLACES = 30
ROUNDINGS = {
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
    "nearest": decimal.ROUND_HALF_EVEN,
    **{name: name for name in vars(decimal) if name.startswith("ROUND_")},
}
# `gray` is left out: the exchange lets some accounts trade then, and does not say which.
CLOSED = frozenset({"halt", "offline"})
DOLLAR = "USDT"


class TradingRules(msgspec.Struct, frozen=True, kw_only=True):
    """
    The rules of one symbol. Every amount is `None` where no such rule is known; then it is not checked.

    The obsolete `minTradeAmount` and `maxTradeAmount` (told as "0" and 9e20) are no rules. Opening and delisting times
    are told and not checked: orders may be taken in a call auction before the one, and `status` says what counts.

    Attributes:
        symbol, base_coin, quote_coin: exchange spelling.
        status: as told: `online`, `gray`, `halt`, `offline`, or what we do not know.
        price_step: the tick: every price is a multiple of it. From the exchange's number of decimals.
        size_step: the lot: every size in base coin is a multiple of it.
        quote_step: the same for amounts in quote coin, which is what a market buy is sized in.
        min_trade_usdt: least value of an order in USDT. Checked where the quote coin is USDT or its rate is given.
        buy_limit_price_ratio: a limit buy may be this far above the market price, as a fraction.
        sell_limit_price_ratio: a limit sell may be this far below the market price, as a fraction.
        order_quantity: most open orders of an account on this symbol. Not checked: only the exchange can count them.
        max_limit_order_value, max_market_order_value: greatest value of one order, in quote coin.
        open_ms, off_ms: start of trading and planned delisting in Unix milliseconds of the exchange.
    """

    symbol: str
    base_coin: str
    quote_coin: str
    status: str = ""
    price_step: Decimal | None = None
    size_step: Decimal | None = None
    quote_step: Decimal | None = None
    min_trade_usdt: Decimal | None = None
    buy_limit_price_ratio: Decimal | None = None
    sell_limit_price_ratio: Decimal | None = None
    order_quantity: int | None = None
    max_limit_order_value: Decimal | None = None
    max_market_order_value: Decimal | None = None
    open_ms: int | None = None
    off_ms: int | None = None

    @classmethod
    def of(cls, row: Symbol) -> Self:
        """The rules in that record of the exchange."""
        return cls(
            symbol=row.symbol,
            base_coin=row.base_coin,
            quote_coin=row.quote_coin,
            status=row.status,
            price_step=_step(row.price_precision),
            size_step=_step(row.quantity_precision),
            quote_step=_step(row.quote_precision),
            min_trade_usdt=_told(row.min_trade_usdt),
            buy_limit_price_ratio=_told(row.buy_limit_price_ratio),
            sell_limit_price_ratio=_told(row.sell_limit_price_ratio),
            order_quantity=row.order_quantity or None,
            max_limit_order_value=_told(row.max_limit_order_value),
            max_market_order_value=_told(row.max_market_order_value),
            open_ms=row.open_ms,
            off_ms=row.off_ms,
        )

    @property
    def online(self) -> bool:
        """Whether the exchange said that everybody may trade. False is no proof that nobody may: see `check`."""
        return self.status.lower() == "online"

    # -- rounding ---------------------------------------------------------------------------------------------

    def price(self, price: Amount, *, rounding: str | None = None, side: Side | str | None = None) -> Decimal:
        """
        A price on the grid.

        No rounding is safe for both sides, so one of the two has to be named.

        Args:
            price: in quote coin for one base coin.
            rounding: "down", "up", "nearest", or a constant of the module `decimal`.
            side: "buy" rounds down and "sell" up, so that the order is never worse than asked.

        Returns: a `Decimal` with exactly the decimals of the grid.

        Raises:
            UsageError: no positive decimal number, neither or both of `rounding` and `side`, nothing left after
                rounding, or the tick is not known.
        """
        if (rounding is None) == (side is None):
            raise self._wrong('price: give either side= or rounding=: "down" is worse for a sell, "up" for a buy')
        way = rounding if rounding is not None else "down" if self._side(side) == "buy" else "up"
        return self._rounded("price", price, self.price_step, way)

    def size(self, size: Amount, *, rounding: str = "down") -> Decimal:
        """
        A size in BASE coin on the grid: of a limit order and of a market sell.

        Args:
            size: in base coin.
            rounding: "down" (the default: never more than asked), "up", "nearest", or a constant of `decimal`.

        Raises: UsageError: no positive decimal number, nothing left after rounding, or the lot is not known.
        """
        return self._rounded("size", size, self.size_step, rounding)

    def quote_size(self, quote_size: Amount, *, rounding: str = "down") -> Decimal:
        """
        A size in QUOTE coin on the grid: of a market buy.

        Args:
            quote_size: how much quote coin to spend.
            rounding: as in `size`.

        Raises: UsageError: as in `size`.
        """
        return self._rounded("quote_size", quote_size, self.quote_step, rounding)

    # -- checking ---------------------------------------------------------------------------------------------

    def check(
        self,
        side: Side | str | None,
        order_type: OrderType | str,
        size: Amount | None = None,
        price: Amount | None = None,
        *,
        quote_size: Amount | None = None,
        trigger_price: Amount | None = None,
        market_price: Amount | None = None,
        usdt_per_quote: Amount | None = None,
    ) -> None:
        """
        Raise if an order breaks a known rule. Nothing is rounded here.

        Args:
            side: "buy" or "sell"; `None` where it is not known, as when an order is replaced: then a limit order only,
                and the price band is not checked.
            order_type: "limit" or "market".
            size: in BASE coin: of a limit order and of a market sell.
            price: limit price in quote coin.
            quote_size: in QUOTE coin: of a market buy, which takes no `size`. Nothing else takes a `quote_size`.
            trigger_price: of a tpsl order: its limit price may be missing, and today's market price does not count.
            market_price: the last price. With it the price band and the value of a market sell are checked.
            usdt_per_quote: what one quote coin is worth in USDT, where the quote coin is another: for the least value.

        Raises: UsageError: names the symbol, the rule, the exchange's value and yours.
        """
        if self.status.lower() in CLOSED:
            raise self._wrong(f"not open for trading: its status is {self.status}")
        market = self._shape(side, order_type, size, price, quote_size, trigger_price)
        at = None if price is None else self.check_price(price)
        if trigger_price is not None:
            self.check_price(trigger_price, "trigger_price")
            market_price = None
        last = None if market_price is None else self._number("market_price", market_price)
        if quote_size is not None:
            value: Decimal | None = self.check_quote_size(quote_size)
        else:
            amount = self.check_size(size)
            worth = last if market else at
            value = None if worth is None else EXACT.multiply(amount, worth)
        if at is not None and last is not None:
            self._band(side, at, last)
        if value is not None:
            self._value(market, value, usdt_per_quote)

    def check_price(self, price: Amount, name: str = "price") -> Decimal:
        """The same price with the decimals of the grid; `UsageError` if it is not on it. `name` is for the message."""
        return self._on_grid(name, price, self.price_step, "the tick", "price")

    def check_size(self, size: Amount | None, name: str = "size") -> Decimal:
        """The same size in BASE coin with the decimals of the grid; `UsageError` if it is not on it."""
        return self._on_grid(name, size, self.size_step, f"the lot in {self.base_coin}", "size")

    def check_quote_size(self, quote_size: Amount | None, name: str = "quote_size") -> Decimal:
        """The same size in QUOTE coin with the decimals of the grid; `UsageError` if it is not on it."""
        return self._on_grid(name, quote_size, self.quote_step, f"the step in {self.quote_coin}", "quote_size")

    # -- inside -----------------------------------------------------------------------------------------------

    def _shape(
        self,
        side: Side | str | None,
        order_type: OrderType | str,
        size: object,
        price: object,
        quote_size: object,
        trigger_price: object,
    ) -> bool:
        """Whether it is a market order. The exchange reads `size` of a market buy as quote coin: the one trap here."""
        if order_type not in ("limit", "market"):
            raise self._wrong(f'order_type must be "limit" or "market", not {_shown(order_type)}')
        market = order_type == "market"
        if side is None and market:
            raise self._wrong("side of a market order is missing: it decides which coin its size is in")
        kind = f"{order_type} {'order' if side is None else self._side(side)}"
        if kind == "market buy":
            if size is not None or quote_size is None:
                raise self._wrong(
                    f"a market buy says how much {self.quote_coin} to spend: give quote_size=, and no size="
                )
        elif quote_size is not None or size is None:
            raise self._wrong(f"the size of a {kind} is in {self.base_coin}: give size=, and no quote_size=")
        if market and price is not None:
            raise self._wrong("a market order takes no price")
        if not market and price is None and trigger_price is None:
            raise self._wrong("a limit order needs a price")
        return market

    def _side(self, side: Side | str | None) -> str:
        if side not in ("buy", "sell"):
            raise self._wrong(f'side must be "buy" or "sell", not {_shown(side)}')
        return str(side)

    def _band(self, side: Side | str | None, price: Decimal, market_price: Decimal) -> None:
        # Only the side on which the order would trade far from the market: resting far behind it is nowhere forbidden.
        if side == "buy" and self.buy_limit_price_ratio is not None:
            most = EXACT.multiply(market_price, EXACT.add(ONE, self.buy_limit_price_ratio))
            if price > most:
                raise self._wrong(
                    f"price {_plain(price)} of a buy is above {_plain(most)}, which is the market price "
                    f"{_plain(market_price)} and its buy_limit_price_ratio {self.buy_limit_price_ratio:f}"
                )
        elif side == "sell" and self.sell_limit_price_ratio is not None:
            least = EXACT.multiply(market_price, EXACT.subtract(ONE, self.sell_limit_price_ratio))
            if price < least:
                raise self._wrong(
                    f"price {_plain(price)} of a sell is below {_plain(least)}, which is the market price "
                    f"{_plain(market_price)} less its sell_limit_price_ratio {self.sell_limit_price_ratio:f}"
                )

    def _value(self, market: bool, value: Decimal, usdt_per_quote: Amount | None) -> None:
        most = self.max_market_order_value if market else self.max_limit_order_value
        if most is not None and value > most:
            name = f"max_{'market' if market else 'limit'}_order_value"
            raise self._wrong(f"its value {_plain(value)} {self.quote_coin} is above its {name} {most:f}")
        if self.min_trade_usdt is None:
            return
        if self.quote_coin != DOLLAR:
            if usdt_per_quote is None:
                return
            value = EXACT.multiply(value, self._number("usdt_per_quote", usdt_per_quote))
        if value < self.min_trade_usdt:
            raise self._wrong(f"its value {_plain(value)} USDT is below its min_trade_usdt {self.min_trade_usdt:f}")

    def _on_grid(self, name: str, given: object, step: Decimal | None, grid: str, verb: str) -> Decimal:
        number = self._number(name, given)
        if step is None:
            return number
        # The exchange counts the decimals that are written: what is returned has no more than the grid.
        same = number.quantize(step, decimal.ROUND_DOWN, EXACT)
        if same != number:
            raise self._wrong(
                f"{name} {_plain(number)} is not a multiple of {step:f}, {grid}: {verb}() of its rules rounds"
            )
        return same

    def _rounded(self, name: str, given: object, step: Decimal | None, rounding: object) -> Decimal:
        way = ROUNDINGS.get(rounding) if isinstance(rounding, str) else None
        if way is None:
            raise self._wrong(
                f'rounding must be "down", "up", "nearest" or a constant of decimal, not {_shown(rounding)}'
            )
        number = self._number(name, given)
        if step is None:
            raise self._wrong(f"its precision of {name} is not known, so nothing can be rounded to it")
        result = number.quantize(step, way, EXACT)
        if not result:
            raise self._wrong(f"{name} {_plain(number)} rounded {rounding} to a multiple of {step:f} is zero")
        return result

    def _number(self, name: str, given: object) -> Decimal:
        if isinstance(given, bool) or not isinstance(given, (Decimal, int, str)):
            raise self._wrong(f"{name} must be a Decimal, an int or a decimal text, not {_shown(given)}")
        try:
            number = given if type(given) is Decimal else Decimal(given)
        except decimal.InvalidOperation:
            raise self._wrong(f"{name} must be a decimal number, not {_shown(given)}") from None
        if not number.is_finite() or number <= 0 or abs(number.adjusted()) > MOST_DIGITS:
            raise self._wrong(f"{name} must be a positive number, not {_shown(given)}")
        return number

    def _wrong(self, text: str) -> UsageError:
        return UsageError(f"{self.symbol}: {text}")


class Rulebook:
    """
    The rules of many symbols, each with the moment it was told. Moments are monotonic nanoseconds of the caller.

    A symbol that a later listing leaves out stays, and grows old: see `fresh`.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, Symbol]] = {}
        # Made when first asked for: a listing has thousands of symbols, and a program trades a few.
        self._rules: dict[str, TradingRules] = {}
        self._whole: tuple[int, tuple[str, ...]] | None = None

    def __len__(self) -> int:
        return len(self._told)

    def take(self, symbols: Iterable[Symbol], now_ns: int, *, whole: bool = False) -> None:
        """
        Take in what the exchange told. A record that is older than the one known is left.

        Args:
            symbols: one record, some, or the whole listing.
            now_ns: when the answer came, or better: when it was asked for.
            whole: these are all symbols of the exchange, in its order.
        """
        symbols = tuple(symbols)
        if whole and (self._whole is None or self._whole[0] <= now_ns):
            self._whole = now_ns, tuple(row.symbol for row in symbols if row.symbol)
        for row in symbols:
            known = self._told.get(row.symbol)
            if row.symbol and (known is None or known[0] <= now_ns):
                self._told[row.symbol] = (now_ns, row)
                self._rules.pop(row.symbol, None)

    def rules(self, symbol: str) -> TradingRules | None:
        """The rules of a symbol, whatever their age; `None` if it was never told."""
        rules = self._rules.get(symbol)
        if rules is None and symbol in self._told:
            rules = self._rules[symbol] = TradingRules.of(self._told[symbol][1])
        return rules

    def row(self, symbol: str) -> Symbol | None:
        """What the exchange told of a symbol last, whatever its age; `None` if it never did."""
        told = self._told.get(symbol)
        return None if told is None else told[1]

    def listing(self, now_ns: int, max_age_s: float) -> list[Symbol] | None:
        """All symbols in the exchange's order if they were told at most `max_age_s` seconds ago, else `None`."""
        if self._whole is None or now_ns - self._whole[0] > max_age_s * 1e9:
            return None
        return [self._told[symbol][1] for symbol in self._whole[1]]

    def age_s(self, symbol: str, now_ns: int) -> float | None:
        """Seconds since the rules of a symbol were told; `None` if they never were."""
        told = self._told.get(symbol)
        return None if told is None else (now_ns - told[0]) / 1e9

    def fresh(self, symbol: str, now_ns: int, max_age_s: float) -> bool:
        """Whether the rules of a symbol are known and at most `max_age_s` seconds old."""
        age_s = self.age_s(symbol, now_ns)
        return age_s is not None and age_s <= max_age_s


def _step(places: int | None) -> Decimal | None:
    if places is None or not 0 <= places <= MOST_PLACES:
        return None
    return ONE.scaleb(-places, EXACT)


def _told(amount: Decimal | None) -> Decimal | None:
    """Zero and less stand for "not told": no limit of zero can be meant."""
    return amount if amount is not None and amount > 0 else None


def _shown(value: object) -> str:
    # `repr` of an int with thousands of digits raises.
    return _short(str(Decimal(value)) if isinstance(value, int) and not isinstance(value, bool) else repr(value))


def _plain(number: Decimal) -> str:
    return _short(f"{number.normalize(EXACT):f}")


def _short(text: str) -> str:
    return text if len(text) <= 50 else text[:47] + "..."
