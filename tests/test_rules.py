"""Trading rules: what is rounded lands on the grid and on the right side, what is checked is refused for a reason."""

from __future__ import annotations

import dataclasses
import decimal
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.errors import UsageError
from bitget_async.models import OrderType, Side, Symbol
from bitget_async.rules import Rulebook, TradingRules
from bitget_async.sim import SimulatedExchange
from bitget_async.sim.market import SYMBOLS, symbol_row
from bitget_async.sim.orders import Draft
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.rules import OrderRules

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = FIXTURES / "recorded" / "public__symbols-when_symbol_is_supplied.json"
DOCUMENTED = FIXTURES / "documented" / "get_api_v2_spot_public_symbols.json"
S = 1_000_000_000

# The recorded row of BTCUSDT, with the two values that the exchange tells since 2026.
BTC: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "minTradeAmount": "0",
    "maxTradeAmount": "900000000000000000000",
    "pricePrecision": "2",
    "quantityPrecision": "6",
    "quotePrecision": "8",
    "status": "online",
    "minTradeUSDT": "1",
    "buyLimitPriceRatio": "0.05",
    "sellLimitPriceRatio": "0.05",
    "orderQuantity": "200",
    "openTime": "1532454360000",
    "offTime": "",
    "maxLimitOrderValue": "10000000",
    "maxMarketOrderValue": "1000000",
}


def rules(**changed: Any) -> TradingRules:
    """The rules in that row as the wire decodes it; `None` leaves a field out."""
    fields = {name: value for name, value in {**BTC, **changed}.items() if value is not None and value != ""}
    return TradingRules.of(msgspec.convert(fields, Symbol, strict=False))


def refused(text: str, call: Any, *args: Any, **kwargs: Any) -> None:
    """That call raises a `UsageError` with exactly this text."""
    with pytest.raises(UsageError) as caught:
        call(*args, **kwargs)
    assert str(caught.value) == text


# -- what the exchange tells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "at"), [(RECORDED, ("response", "body")), (DOCUMENTED, ("body",))])
def test_the_exchange_s_own_row_gives_its_rules(path: Path, at: tuple[str, ...]) -> None:
    """Precisions become steps, and the obsolete amounts ("0", 9e20) become nothing."""
    body = json.loads(path.read_text(encoding="utf-8"))
    for key in at:
        body = body[key]
    (row,) = body["data"]
    told = TradingRules.of(msgspec.convert({k: v for k, v in row.items() if v != ""}, Symbol, strict=False))
    assert told == TradingRules(
        symbol="BTCUSDT",
        base_coin="BTC",
        quote_coin="USDT",
        status="online",
        price_step=Decimal("0.01"),
        size_step=Decimal("0.000001"),
        quote_step=Decimal("0.00000001"),
        min_trade_usdt=Decimal(1),
        buy_limit_price_ratio=Decimal("0.05"),
        sell_limit_price_ratio=Decimal("0.05"),
        order_quantity=200,
        open_ms=1532454360000,
    )
    assert told.online
    told.check("buy", "limit", "0.001", "103884.30", market_price="103884.3")


@pytest.mark.parametrize(
    ("field", "attribute", "texts"),
    [
        ("pricePrecision", "price_step", [None, "-1", "31", "900"]),
        ("quantityPrecision", "size_step", [None, "-1", "31"]),
        ("quotePrecision", "quote_step", [None, "-1", "31"]),
        ("minTradeUSDT", "min_trade_usdt", [None, "0", "-1"]),
        ("buyLimitPriceRatio", "buy_limit_price_ratio", [None, "0", "-0.05"]),
        ("sellLimitPriceRatio", "sell_limit_price_ratio", [None, "0", "-0.05"]),
        ("orderQuantity", "order_quantity", [None, "0"]),
        ("maxLimitOrderValue", "max_limit_order_value", [None, "0", "-1"]),
        ("maxMarketOrderValue", "max_market_order_value", [None, "0", "-1"]),
    ],
)
def test_what_cannot_be_meant_is_no_rule(field: str, attribute: str, texts: list[str | None]) -> None:
    """A limit of zero would refuse every order, and a price step of 10^900 too."""
    for text in texts:
        assert getattr(rules(**{field: text}), attribute) is None


def test_precision_zero_means_whole_units() -> None:
    """PEPE and SHIB trade in whole coins: 0 is a precision, not a missing one."""
    whole = rules(quantityPrecision="0")
    assert whole.size_step == 1
    assert whole.size("12.9") == 12
    refused(
        "BTCUSDT: size 12.5 is not a multiple of 1, the lot in BTC: size() of its rules rounds",
        whole.check_size,
        "12.5",
    )


# -- rounding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "how", "rounded"),
    [
        ("103884.309", {"side": "buy"}, "103884.30"),
        ("103884.301", {"side": "sell"}, "103884.31"),
        ("103884.309", {"side": Side.BUY}, "103884.30"),
        ("103884.301", {"side": Side.SELL}, "103884.31"),
        ("103884.30", {"side": "sell"}, "103884.30"),
        ("103884.309", {"rounding": "down"}, "103884.30"),
        ("103884.301", {"rounding": "up"}, "103884.31"),
        ("103884.305", {"rounding": "nearest"}, "103884.30"),
        ("103884.3051", {"rounding": "nearest"}, "103884.31"),
        ("103884.305", {"rounding": decimal.ROUND_HALF_UP}, "103884.31"),
        ("103884.309", {"rounding": decimal.ROUND_FLOOR}, "103884.30"),
        ("103884.301", {"rounding": decimal.ROUND_CEILING}, "103884.31"),
        (Decimal("1E+5"), {"side": "buy"}, "100000.00"),
        (7, {"side": "sell"}, "7.00"),
    ],
)
def test_price_rounds_as_told(price: Any, how: dict[str, Any], rounded: str) -> None:
    """A buy never pays more than asked and a sell never gets less, unless somebody says so."""
    assert str(rules().price(price, **how)) == rounded


@pytest.mark.parametrize("how", [{}, {"side": "buy", "rounding": "down"}])
def test_price_has_no_rounding_of_its_own(how: dict[str, str]) -> None:
    """Down is safe for a buy and worse for a sell: whoever names neither, or both, has not decided."""
    refused(
        'BTCUSDT: price: give either side= or rounding=: "down" is worse for a sell, "up" for a buy',
        rules().price,
        "1.001",
        **how,
    )


@pytest.mark.parametrize("way", ["DOWN", "floor", "", 4, None])
def test_unknown_words_for_rounding_are_refused(way: Any) -> None:
    """A misspelt word must not become some other rounding."""
    with pytest.raises(UsageError, match='rounding must be "down", "up", "nearest"'):
        rules().size("1", rounding=way)
    with pytest.raises(UsageError, match='side must be "buy" or "sell"'):
        rules().price("1", side="Buy")


def test_sizes_round_down_unless_told() -> None:
    """More than asked could be more than there is; base and quote coin have grids of their own."""
    btc = rules()
    assert str(btc.size("0.0012349")) == "0.001234"
    assert str(btc.size("0.0012341", rounding="up")) == "0.001235"
    assert str(btc.quote_size("99.999999999")) == "99.99999999"
    assert str(btc.quote_size(Decimal("99.999999991"), rounding="up")) == "100.00000000"


def test_nothing_is_ever_rounded_to_zero() -> None:
    """An order of zero is a refusal at best; at worst `0` reads as "no size given"."""
    btc = rules()
    refused("BTCUSDT: size 0.0000009 rounded down to a multiple of 0.000001 is zero", btc.size, "0.0000009")
    refused("BTCUSDT: quote_size 0.000000009 rounded down to a multiple of 0.00000001 is zero", btc.quote_size, "9E-9")
    refused("BTCUSDT: price 0.009 rounded down to a multiple of 0.01 is zero", btc.price, "0.009", side="buy")
    assert btc.price("0.001", side="sell") == Decimal("0.01")


def test_unknown_precision_rounds_nothing_and_checks_nothing() -> None:
    """To round to a guessed grid would change an order silently; to refuse would let an unread field stop trading."""
    bare = rules(pricePrecision=None, quantityPrecision=None, quotePrecision=None)
    for method, name in ((bare.size, "size"), (bare.quote_size, "quote_size")):
        refused(f"BTCUSDT: its precision of {name} is not known, so nothing can be rounded to it", method, "1")
    refused("BTCUSDT: its precision of price is not known, so nothing can be rounded to it", bare.price, 1, side="buy")
    bare.check("buy", "limit", "0.123456789012", "103884.123456789")
    bare.check("buy", "market", quote_size="100.123456789012")


@pytest.mark.parametrize(
    "value",
    [1.5, True, None, b"1", "", "abc", "1,5", "nan", "inf", "-1", "0", 0, -3, Decimal("sNaN"), Decimal("-0"), "1E41"],
    ids=repr,
)
def test_only_positive_decimal_numbers_are_amounts(value: Any) -> None:
    """A float does not hold what was typed; everything else here is no amount at all."""
    btc = rules()
    for call in (
        lambda: btc.size(value),
        lambda: btc.quote_size(value),
        lambda: btc.price(value, side="buy"),
        lambda: btc.check_size(value),
        lambda: btc.check_quote_size(value),
        lambda: btc.check_price(value, "trigger_price"),
    ):
        with pytest.raises(UsageError, match=r"^BTCUSDT: \w+ must be a "):
            call()


def test_a_monstrous_value_is_a_usage_error_with_a_short_text() -> None:
    """`repr` of a long int raises by itself, and a message must not be a megabyte."""
    for value in (10**5000, "9" * 100_000, Decimal("1E999999"), "1." + "3" * 10_000):
        with pytest.raises(UsageError) as caught:
            rules().check_size(value)
        assert len(str(caught.value)) < 200


def test_rounding_is_exact_whatever_the_caller_s_context_is() -> None:
    """Six digits of precision, or traps on inexact results, are somebody else's setting."""
    with decimal.localcontext(decimal.Context(prec=6, traps=[decimal.Inexact])):
        btc = rules()
        assert str(btc.price("123456789.129", side="buy")) == "123456789.12"
        assert btc.check_size("1234567.123456") == Decimal("1234567.123456")
        refused(
            "BTCUSDT: its value 10000000.000001 USDT is above its max_limit_order_value 10000000",
            btc.check,
            "buy",
            "limit",
            "0.0001",
            "100000000000.01",
        )


# -- checking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "more", "text"),
    [
        (
            ("buy", "limit", "0.001", "103884.305"),
            {},
            "price 103884.305 is not a multiple of 0.01, the tick: price() of its rules rounds",
        ),
        (
            ("sell", "limit", "0.0000015", "103884.3"),
            {},
            "size 0.0000015 is not a multiple of 0.000001, the lot in BTC: size() of its rules rounds",
        ),
        (
            ("buy", "market"),
            {"quote_size": "1.000000001"},
            "quote_size 1.000000001 is not a multiple of 0.00000001, the step in USDT: "
            "quote_size() of its rules rounds",
        ),
        (
            ("sell", "limit", "0.001", "1"),
            {"trigger_price": "0.999"},
            "trigger_price 0.999 is not a multiple of 0.01, the tick: price() of its rules rounds",
        ),
        (("buy", "limit", "0.000009", "100000"), {}, "its value 0.9 USDT is below its min_trade_usdt 1"),
        (("buy", "market"), {"quote_size": "0.99"}, "its value 0.99 USDT is below its min_trade_usdt 1"),
        (
            ("sell", "market", "0.000009"),
            {"market_price": "100000"},
            "its value 0.9 USDT is below its min_trade_usdt 1",
        ),
        (
            ("sell", "limit", "100.000001", "100000"),
            {},
            "its value 10000000.1 USDT is above its max_limit_order_value 10000000",
        ),
        (
            ("buy", "market"),
            {"quote_size": "1000000.01"},
            "its value 1000000.01 USDT is above its max_market_order_value 1000000",
        ),
        (
            ("sell", "market", 11),
            {"market_price": "100000"},
            "its value 1100000 USDT is above its max_market_order_value 1000000",
        ),
        (
            ("buy", "limit", "0.001", "105000.01"),
            {"market_price": "100000"},
            "price 105000.01 of a buy is above 105000, which is the market price 100000 and its "
            "buy_limit_price_ratio 0.05",
        ),
        (
            ("sell", "limit", "0.001", "94999.99"),
            {"market_price": "100000"},
            "price 94999.99 of a sell is below 95000, which is the market price 100000 less its "
            "sell_limit_price_ratio 0.05",
        ),
        (("buy", "limit", "0.001"), {}, "a limit order needs a price"),
        (("sell", "market", "0.001", "100000"), {}, "a market order takes no price"),
        (("Buy", "limit", "0.001", "1"), {}, 'side must be "buy" or "sell", not \'Buy\''),
        (("buy", "stop", "0.001", "1"), {}, 'order_type must be "limit" or "market", not \'stop\''),
        (
            (None, "market", "0.001"),
            {},
            "side of a market order is missing: it decides which coin its size is in",
        ),
        (
            ("buy", "limit", "0.001", "1"),
            {"market_price": "x"},
            "market_price must be a decimal number, not 'x'",
        ),
    ],
)
def test_a_broken_rule_is_named_with_both_values(args: tuple[Any, ...], more: dict[str, Any], text: str) -> None:
    """The symbol, the rule, the exchange's value and the offending one: enough to mend the order."""
    refused(f"BTCUSDT: {text}", rules().check, *args, **more)


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (("buy", "limit", "0.00001", "100000.00"), {"market_price": "100000"}),
        (("buy", "limit", "0.001", "105000"), {"market_price": "100000"}),
        (("sell", "limit", "0.001", "95000"), {"market_price": "100000"}),
        (("buy", "limit", "0.001", "40000"), {"market_price": "100000"}),
        (("sell", "limit", "0.001", "200000"), {"market_price": "100000"}),
        (("buy", "limit", 100, 100000), {}),
        (("buy", "market"), {"quote_size": 1000000}),
        (("buy", "market"), {"quote_size": 1, "market_price": "100000"}),
        (("sell", "market", "0.000001"), {}),
        (("sell", "market", 10), {"market_price": "100000"}),
        ((Side.SELL, OrderType.MARKET, Decimal("0.001")), {}),
        ((None, "limit", "0.001", "105000.01"), {"market_price": "100000"}),
        (("buy", "limit", "0.010000000", "100.000"), {}),
        (("buy", "limit", "0.001"), {"trigger_price": "100000"}),
        (("buy", "limit", "0.001", "200000"), {"trigger_price": "200000", "market_price": "100000"}),
        (("sell", "market", "0.000001"), {"trigger_price": "200000", "market_price": "100000"}),
    ],
)
def test_an_order_at_its_limits_passes(args: tuple[Any, ...], more: dict[str, Any]) -> None:
    """A refusal of ours costs an order that the exchange would have taken: every limit itself is allowed."""
    rules().check(*args, **more)


def test_a_checked_amount_has_the_decimals_of_the_grid() -> None:
    """A scale error was recorded as "checkScale=2": written decimals are counted, so 100.000 must go out as 100.00."""
    btc = rules()
    assert str(btc.check_price("100.000")) == "100.00"
    assert str(btc.check_size(Decimal("1E+1"))) == "10.000000"
    assert str(btc.check_quote_size(25)) == "25.00000000"
    assert str(rules(pricePrecision=None).check_price("100.000")) == "100.000"


@pytest.mark.parametrize("sizes", [{"size": "100"}, {"size": "100", "quote_size": "100"}, {}])
def test_a_market_buy_takes_quote_size_and_nothing_else(sizes: dict[str, str]) -> None:
    """The exchange reads `size` there as quote coin: 0.001 meant as BTC would be a tenth of a cent, 100 be 100 USDT."""
    refused(
        "BTCUSDT: a market buy says how much USDT to spend: give quote_size=, and no size=",
        rules().check,
        "buy",
        "market",
        **sizes,
    )


@pytest.mark.parametrize("sizes", [{"quote_size": "100"}, {"size": "100", "quote_size": "100"}, {}])
@pytest.mark.parametrize(
    ("side", "order_type", "kind"),
    [
        ("buy", "limit", "limit buy"),
        ("sell", "limit", "limit sell"),
        ("sell", "market", "market sell"),
        (None, "limit", "limit order"),
    ],
)
def test_everything_else_takes_size_and_nothing_else(
    side: str | None, order_type: str, kind: str, sizes: dict[str, str]
) -> None:
    """The other way round: 100 meant as USDT would sell 100 BTC."""
    refused(
        f"BTCUSDT: the size of a {kind} is in BTC: give size=, and no quote_size=",
        rules().check,
        side,
        order_type,
        price="100000" if order_type == "limit" else None,
        **sizes,
    )


@pytest.mark.parametrize(
    ("status", "online", "taken"),
    [
        ("online", True, True),
        ("ONLINE", True, True),
        ("gray", False, True),
        ("auction", False, True),
        ("", False, True),
        ("halt", False, False),
        ("Offline", False, False),
    ],
)
def test_only_a_status_that_says_closed_closes(status: str, online: bool, taken: bool) -> None:
    """`gray` and what the exchange invents tomorrow prove nothing."""
    told = rules(status=status)
    assert told.online is online
    if taken:
        told.check("buy", "limit", "0.001", "100000")
    else:
        refused(f"BTCUSDT: not open for trading: its status is {status}", told.check, "buy", "limit", "0.001", "100000")


def test_least_value_is_in_usdt_and_needs_its_rate_elsewhere() -> None:
    """0.00002 BTC is worth more than a dollar or less: without the rate nobody here knows."""
    eth = rules(symbol="ETHBTC", baseCoin="ETH", quoteCoin="BTC", pricePrecision="6", quantityPrecision="4")
    eth.check("buy", "limit", "0.0001", "0.024")
    eth.check("buy", "limit", "0.001", "0.024", usdt_per_quote="100000")
    refused(
        "ETHBTC: its value 0.24 USDT is below its min_trade_usdt 1",
        eth.check,
        "buy",
        "limit",
        "0.0001",
        "0.024",
        usdt_per_quote="100000",
    )
    rules(minTradeUSDT=None).check("buy", "limit", "0.000001", "0.01")


def test_a_missing_limit_checks_nothing() -> None:
    """Rows of 2025 have no maximum values, and a row may lack anything."""
    bare = TradingRules(symbol="BTCUSDT", base_coin="BTC", quote_coin="USDT")
    bare.check("buy", "limit", "1E-40", "1E-40", market_price="1E+40")
    bare.check("sell", "limit", "1E+40", "1E+40", market_price="1E-40")
    bare.check("sell", "limit", "1E+40", "1E-40", market_price="1E+40")
    bare.check("buy", "market", quote_size="1E+40")
    bare.check("sell", "market", "1E+40", market_price="1E+40")


def test_a_band_wider_than_the_price_forbids_no_sell() -> None:
    """A ratio of 1 or more reaches zero, and below it there are no prices."""
    rules(sellLimitPriceRatio="1.5").check("sell", "limit", "100", "0.01", market_price="100000")


# -- properties -------------------------------------------------------------------------------------------------------

places = st.integers(0, 30)
numbers = st.decimals(min_value=Decimal("1E-30"), max_value=Decimal("1E+30"), allow_nan=False, allow_infinity=False)
spelt = st.sampled_from([lambda x: x, str, lambda x: format(x, "f")])


@settings(max_examples=300, deadline=None)
@given(
    steps=st.integers(1, 10**30),
    rest=st.integers(0, 10**20 - 1),
    digits=places,
    way=st.sampled_from(["down", "up", "nearest", decimal.ROUND_HALF_DOWN]),
    spell=spelt,
)
def test_rounded_amounts_are_on_the_grid_near_and_stay(
    steps: int, rest: int, digits: int, way: str, spell: Any
) -> None:
    """On the grid, less than a step away, on the named side, never zero; rounding again changes nothing."""
    told = rules(pricePrecision=digits, quantityPrecision=digits, quotePrecision=digits)
    step = Decimal((0, (1,), -digits))
    with decimal.localcontext(prec=200):
        x = Decimal(steps * 10**20 + rest).scaleb(-20 - digits)
        for call, check in (
            (told.price, told.check_price),
            (told.size, told.check_size),
            (told.quote_size, told.check_quote_size),
        ):
            rounded = call(spell(x), rounding=way)
            assert rounded.as_tuple().exponent == -digits
            assert rounded > 0
            assert abs(rounded - x) < step
            assert way != "down" or rounded <= x
            assert way != "up" or rounded >= x
            assert call(rounded, rounding=way) == rounded
            assert check(rounded) == rounded


@settings(max_examples=300, deadline=None)
@given(numbers, places)
def test_rounding_for_a_side_never_worsens_it(x: Decimal, digits: int) -> None:
    """Down for a buy, up for a sell; a buy that would be zero is refused instead."""
    told = rules(pricePrecision=digits)
    assert told.price(x, side="sell") >= x
    if x >= Decimal((0, (1,), -digits)):
        assert told.price(x, side="buy") <= x
    else:
        with pytest.raises(UsageError, match="is zero"):
            told.price(x, side="buy")


def takes(told: TradingRules, *args: Any, **kwargs: Any) -> bool:
    """Whether that order passes."""
    try:
        told.check(*args, **kwargs)
    except UsageError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(
    side=st.sampled_from(["buy", "sell"]),
    size=st.integers(1, 10**9).map(lambda n: (n, 7)),
    price=st.integers(1, 10**9).map(lambda n: (n, 3)),
    last=st.one_of(st.none(), st.integers(1, 10**9)),
)
def test_check_takes_exactly_what_is_on_the_grid_and_within_limits(
    side: str, size: tuple[int, int], price: tuple[int, int], last: int | None
) -> None:
    """Against whole-number arithmetic: ten-millionths of BTC, thousandths of USDT, and rules written out again."""
    told = rules(minTradeUSDT="5", maxLimitOrderValue="50000000")
    on_grid = size[0] % 10 == 0 and price[0] % 10 == 0
    value = size[0] * price[0]
    valued = 5 * 10**10 <= value <= 50_000_000 * 10**10
    banded = last is None or (price[0] * 100 <= last * 105 if side == "buy" else price[0] * 100 >= last * 95)
    given_price = Decimal(price[0]).scaleb(-3)
    market = None if last is None else Decimal(last).scaleb(-3)
    amount = Decimal(size[0]).scaleb(-7)
    assert takes(told, side, "limit", amount, given_price, market_price=market) is (on_grid and valued and banded)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**18))
def test_check_takes_exactly_the_market_buys_within_limits(units: int) -> None:
    """Billionths of USDT against the quote precision of eight places, one dollar, and a million."""
    amount = Decimal(units).scaleb(-9)
    assert takes(rules(), "buy", "market", quote_size=amount) is (units % 10 == 0 and 10**9 <= units <= 10**15)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(["BTCUSDT", "PEPEUSDT", "XRPUSDT"]),
    side=st.sampled_from(["buy", "sell"]),
    order_type=st.sampled_from(["limit", "market"]),
    factor=st.one_of(st.just(1), st.decimals("0.9", "1.1", places=4)),
    value=st.one_of(st.decimals("0.5", "2", places=4), st.decimals("900000", "11000000", places=2)),
    extra=st.sampled_from([0, 0, 0, 1, 2]),
)
def test_the_simulated_exchange_refuses_the_same_orders(
    name: str, side: str, order_type: str, factor: Decimal, value: Decimal, extra: int
) -> None:
    """
    Written by somebody else from the exchange's codes: what passes here is taken there, and the other way round.

    Spare zeros are left out: there decimals count as they are written.
    """
    exchange = SimulatedExchange(1)
    symbol = SYMBOLS[name]
    last = symbol.last
    buys_at_market = (side, order_type) == ("buy", "market")
    price = (last * factor).quantize(Decimal(1).scaleb(-symbol.price_digits - (extra == 2)))
    digits = 8 if buys_at_market else symbol.size_digits
    size = (value if buys_at_market else value / price).quantize(Decimal(1).scaleb(-digits - (extra == 1)))
    limit = order_type == "limit"
    draft = Draft(symbol=name, side=side, order_type=order_type, price=price if limit else Decimal(0), size=size)
    draft = dataclasses.replace(draft, price=draft.price.normalize(), size=draft.size.normalize())
    taken = True
    try:
        OrderRules(exchange.venue, exchange.settings).check(exchange.account, draft)
    except Refusal:
        taken = False
    told = rules(**symbol_row(symbol, exchange.settings))
    sizes = {"quote_size": size} if buys_at_market else {"size": size}
    passes = takes(told, side, order_type, price=price if limit else None, market_price=last, **sizes)
    assert passes is taken


# -- the book ---------------------------------------------------------------------------------------------------------


def row(symbol: str, digits: int = 2) -> Symbol:
    """A record with little in it."""
    return Symbol(symbol=symbol, status="online", price_precision=digits)


def test_the_book_tells_rules_and_their_age() -> None:
    """Stale rules refuse good orders: whoever asks must be able to see how old they are."""
    book = Rulebook()
    assert (book.rules("BTCUSDT"), book.age_s("BTCUSDT", 5 * S), len(book)) == (None, None, 0)
    assert not book.fresh("BTCUSDT", 5 * S, 3600.0)
    book.take([row("BTCUSDT"), row("ETHUSDT", 3)], 5 * S)
    found = book.rules("ETHUSDT")
    assert found is not None
    assert (found.symbol, found.price_step) == ("ETHUSDT", Decimal("0.001"))
    assert book.rules("ETHUSDT") is found
    assert book.rules("SOLUSDT") is None
    assert book.age_s("BTCUSDT", 8 * S) == 3.0
    assert book.fresh("BTCUSDT", 8 * S, 3.0)
    assert not book.fresh("BTCUSDT", 8 * S + 1, 3.0)


def test_the_book_keeps_the_newest_word_on_each_symbol() -> None:
    """Answers overtake each other; one that was asked for earlier must not bring back an old tick."""
    book = Rulebook()
    book.take([row("BTCUSDT", 2), row("ETHUSDT", 2)], 10 * S)
    assert book.rules("BTCUSDT") is not None
    book.take([row("BTCUSDT", 1)], 20 * S)
    book.take([row("BTCUSDT", 4), row("ETHUSDT", 4)], 15 * S)
    steps = {name: told.price_step for name in ("BTCUSDT", "ETHUSDT") if (told := book.rules(name))}
    assert steps == {"BTCUSDT": Decimal("0.1"), "ETHUSDT": Decimal("0.0001")}
    assert (book.age_s("BTCUSDT", 20 * S), book.age_s("ETHUSDT", 20 * S)) == (0.0, 5.0)
    book.take([row("BTCUSDT", 3)], 20 * S)
    again = book.rules("BTCUSDT")
    assert again is not None
    assert again.price_step == Decimal("0.001")


def test_a_record_without_a_name_is_nobody_s_rules() -> None:
    """A row that could not be read must not become rules of the empty symbol."""
    book = Rulebook()
    book.take([Symbol()], S)
    assert len(book) == 0
    assert book.rules("") is None
