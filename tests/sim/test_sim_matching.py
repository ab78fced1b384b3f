"""Who trades with whom, at what price, and where the money goes."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import pytest

PRICE = "100000"
ENDPOINTS = ("place-order", "cancel-symbol-order")


def place(ask, key=None, **changes):
    """Place an order on BTCUSDT; returns its id."""
    body = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": PRICE, "size": "0.001"}
    answer = ask.post("place-order", {k: v for k, v in (body | changes).items() if v is not None}, key)
    assert answer.code == "00000", answer.body
    return answer.data["orderId"]


@pytest.fixture
def hall(sim):
    """`hall(**settings)`: an exchange where only orders trade with each other, and a stranger's key."""

    def make(**changes):
        made = sim(standing_market=False, engine_delay_s=0.0, quotas={"place-order": 10_000}, **changes)
        return made.exchange, made.ask, made.exchange.credentials(made.exchange.add_account())

    return make


def told(exchange, *ids):
    """Status and filled amount of orders."""
    return [(exchange.order(order_id).status, str(exchange.order(order_id).filled)) for order_id in ids]


def test_better_prices_trade_first_and_older_orders_within_a_price(hall):
    """Price, then time; each at the price of the order that stood there."""
    exchange, ask, them = hall()
    dear = place(ask, them, side="sell", price="100200")
    first = place(ask, them, side="sell", price="100100")
    second = place(ask, them, side="sell", price="100100")
    taker = place(ask, price="100300", size="0.0025")
    assert told(exchange, first, second, dear, taker) == [
        ("filled", "0.001"),
        ("filled", "0.001"),
        ("partially_filled", "0.0005"),
        ("filled", "0.0025"),
    ]
    fills = [(fill.order.order_id, str(fill.price), fill.scope) for fill in exchange.truth.fills]
    assert fills == [
        (first, "100100", "maker"),
        (taker, "100100", "taker"),
        (second, "100100", "maker"),
        (taker, "100100", "taker"),
        (dear, "100200", "maker"),
        (taker, "100200", "taker"),
    ]
    assert exchange.order(taker).filled_quote == Decimal("250.3")


def test_what_is_left_of_an_order_rests_and_keeps_its_place(hall):
    """Partly filled, it is still first in its price."""
    exchange, ask, them = hall()
    place(ask, them, side="sell", size="0.0004")
    early = place(ask)
    late = place(ask, them)
    assert told(exchange, early) == [("partially_filled", "0.0004")]
    place(ask, them, side="sell", size="0.0006")
    assert told(exchange, early, late) == [("filled", "0.0010"), ("live", "0")]


def test_prices_that_do_not_cross_do_not_trade(hall):
    """One step apart."""
    exchange, ask, them = hall()
    ids = [place(ask, price="99999.99"), place(ask, them, side="sell")]
    assert told(exchange, *ids) == [("live", "0")] * 2


def test_an_ended_order_does_not_trade(hall):
    """A cancelled order leaves the book."""
    exchange, ask, them = hall()
    gone = place(ask, them, side="sell")
    exchange.cancel(gone)
    assert told(exchange, place(ask)) == [("live", "0")]


@pytest.mark.parametrize(
    ("changes", "status", "filled"),
    [
        ({"force": "ioc", "size": "0.002"}, "cancelled", "0.001"),
        ({"force": "ioc", "price": "99000"}, "cancelled", "0"),
        ({"force": "ioc"}, "filled", "0.001"),
        ({"force": "fok", "size": "0.002"}, "cancelled", "0"),
        ({"force": "fok"}, "filled", "0.001"),
        ({"force": "post_only"}, "cancelled", "0"),
        ({"force": "post_only", "price": "99999.99"}, "live", "0"),
        ({"orderType": "market", "price": None, "size": "50"}, "filled", "0.000500"),
        ({"orderType": "market", "price": None, "size": "150"}, "cancelled", "0.001"),
    ],
)
def test_the_force_decides_what_happens_to_the_rest(hall, changes, status, filled):
    """Against one sell of 0.001 at 100000: accepted first, then it is seen."""
    exchange, ask, them = hall()
    exchange.settings.engine_delay_s = 0.01
    place(ask, them, side="sell")
    order_id = place(ask, **changes)
    doomed = status == "cancelled"
    assert exchange.order(order_id).status == (
        ("partially_filled" if Decimal(filled) else "live") if doomed else status
    )
    ask.pass_s(0.01)
    assert told(exchange, order_id) == [(status, filled)]
    assert exchange.account.balance("USDT").frozen == (Decimal("99.99999") if status == "live" else 0)


def test_a_doomed_order_trades_with_nobody(hall):
    """Between being taken and being cancelled it is live, and not in the book."""
    exchange, ask, them = hall()
    exchange.settings.engine_delay_s = 1.0
    doomed = place(ask, force="ioc")
    assert told(exchange, doomed, place(ask, them, side="sell")) == [("live", "0")] * 2
    ask.pass_s(1)
    assert told(exchange, doomed) == [("cancelled", "0")]


def test_a_market_buy_takes_whole_lots_and_gives_back_the_rest(sim):
    """As recorded: 12 USDT at 1.115 with four decimals are 10.7623 coins, and the order is filled."""
    exchange, ask, _ = sim()
    exchange.set_price("DOTUSDT", Decimal("1.115"))
    held = exchange.account.balance("USDT")
    start = held.available
    order_id = place(ask, symbol="DOTUSDT", orderType="market", price=None, size="12")
    assert told(exchange, order_id) == [("filled", "10.76")]
    assert exchange.order(order_id).filled_quote == Decimal("11.9974")
    assert (held.available, held.frozen) == (start - Decimal("11.9974"), 0)


@pytest.mark.parametrize(
    ("mode", "mine", "taker", "theirs"),
    [
        ("none", "filled", "filled", "live"),
        ("cancel_taker", "live", "cancelled", "live"),
        ("cancel_maker", "cancelled", "filled", "filled"),
        ("cancel_both", "cancelled", "cancelled", "live"),
    ],
)
def test_the_taker_s_mode_decides_when_an_account_meets_itself(hall, mode, mine, taker, theirs):
    """The older own order stands before a stranger's of the same price."""
    exchange, ask, them = hall()
    own = place(ask, side="sell", stpMode="cancel_both")
    other = place(ask, them, side="sell")
    ids = [own, place(ask, stpMode=mode), other]
    assert [exchange.order(order_id).status for order_id in ids] == [mine, taker, theirs]
    for order_id in ids:
        order = exchange.order(order_id)
        assert order.cancel_reason == ("stp_cancel" if order.status == "cancelled" else "")


@pytest.mark.parametrize(
    ("mode", "status"), [("none", "filled"), ("cancel_maker", "cancelled"), ("cancel_taker", "cancelled")]
)
def test_fill_or_kill_does_not_count_own_orders_that_may_not_trade(hall, mode, status):
    """Whole or not at all, also where a part of what stands there is one's own."""
    exchange, ask, them = hall()
    place(ask, side="sell")
    place(ask, them, side="sell")
    order_id = place(ask, force="fok", size="0.002", stpMode=mode)
    assert exchange.order(order_id).status == status
    assert len(exchange.truth.fills) == (4 if status == "filled" else 0)


def test_the_market_stands_at_the_last_price_until_it_is_moved(sim):
    """A move fills what it reaches, at the orders' own prices, and tickers and hooks follow."""
    exchange, ask, _ = sim()
    near, far = place(ask, price="103000"), place(ask, price="101000")
    heard = []
    exchange.venue.price_hooks.append(lambda *news: heard.append((*news[:2], exchange.order(near).status)))
    sell = place(ask, side="sell", price="105000")
    exchange.set_price("BTCUSDT", Decimal(102000))
    assert told(exchange, near, far, sell) == [("filled", "0.001"), ("live", "0"), ("live", "0")]
    assert exchange.order(near).filled_quote == 103
    assert heard == [("BTCUSDT", Decimal(102000), "filled")]
    assert ask.get("/api/v2/spot/market/tickers", symbol="BTCUSDT").data[0]["lastPr"] == "102000"
    exchange.schedule_price("BTCUSDT", 5, Decimal(105000))
    ask.pass_s(4.9)
    assert told(exchange, sell) == [("live", "0")]
    ask.pass_s(0.1)
    assert told(exchange, far, sell) == [("live", "0"), ("filled", "0.001")]
    assert [fill.scope for fill in exchange.truth.fills] == ["maker", "maker"]


def test_orders_put_there_by_a_test_rest_and_are_reached_by_the_price(sim):
    """`rest` does not trade, even through the last price; a move of the price finds it."""
    exchange, _, _ = sim()
    high, low = exchange.rest("BTCUSDT", price=Decimal(200000)) + exchange.rest("BTCUSDT")
    assert told(exchange, high, low) == [("live", "0")] * 2
    exchange.set_price("BTCUSDT", Decimal(103884))
    assert told(exchange, high, low) == [("filled", "0.001"), ("live", "0")]


def test_an_order_with_a_better_price_than_the_market_trades_before_it(sim):
    """Beside the market at 103884.3; and such a trade does not move it."""
    exchange, ask, _ = sim()
    better, equal = (
        exchange.rest("BTCUSDT", side="sell", price=Decimal(price), account=exchange.add_account())[0]
        for price in ("103000", "103884.3")
    )
    taker = place(ask, price="103884.3", size="0.0025")
    assert told(exchange, better, equal, taker) == [("filled", "0.001"), ("filled", "0.001"), ("filled", "0.0025")]
    assert [str(fill.price) for fill in exchange.truth.fills if fill.scope == "taker"] == [
        "103000",
        "103884.3",
        "103884.3",
    ]
    assert exchange.venue.last("BTCUSDT") == Decimal("103884.3")


def test_a_market_buy_that_cannot_buy_a_lot_dies(sim):
    """Two USDT at a price where the smallest lot costs more; the money comes back."""
    exchange, ask, _ = sim(engine_delay_s=0.01)
    exchange.set_price("BTCUSDT", Decimal(3_000_000))
    order_id = place(ask, orderType="market", price=None, size="2")
    assert told(exchange, order_id) == [("live", "0")]
    ask.pass_s(0.01)
    assert told(exchange, order_id) == [("cancelled", "0")]
    assert exchange.account.balance("USDT").frozen == 0


def test_trades_move_the_last_price_where_no_market_stands(hall):
    """And nobody else's orders are filled by that."""
    exchange, ask, them = hall()
    heard = []
    exchange.venue.price_hooks.append(lambda symbol, price, now_ns: heard.append((symbol, price)))
    place(ask, them, side="sell", size="0.003")
    place(ask)
    assert exchange.venue.last("BTCUSDT") == 100000
    assert len(exchange.truth.fills) == 2
    assert heard == [("BTCUSDT", Decimal(100000))]


def test_a_price_must_be_one(sim):
    """The test's own mistake."""
    exchange, _, _ = sim()
    for wrong in ("0", "-1", "NaN"):
        with pytest.raises(ValueError, match="no price"):
            exchange.set_price("BTCUSDT", Decimal(wrong))
    with pytest.raises(KeyError):
        exchange.schedule_price("INVALID", 1, Decimal(1))


def test_a_coin_is_neither_made_nor_lost_in_one_trade(hall):
    """Both sides of a trade and the fees, to the last decimal."""
    exchange, ask, them = hall()
    mine, theirs = exchange.venue.accounts.values()
    place(ask, them, side="sell", size="0.000333")
    place(ask, price="100000.01", size="0.001")
    assert mine.balance("BTC").available == 1_000_000_000 + Decimal("0.000332667")
    assert theirs.balance("USDT").available == 1_000_000_000 + Decimal("33.2667")
    assert dict(exchange.venue.ledger.fees) == {"BTC": Decimal("0.000000333"), "USDT": Decimal("0.0333")}
    assert mine.balance("USDT").frozen == Decimal("0.000667") * Decimal("100000.01")
    assert mine.balance("USDT").available == 1_000_000_000 - Decimal("33.3") - mine.balance("USDT").frozen


# symbol -> last price, price step of the drawn orders, lot of the drawn orders
GRID = {
    "BTCUSDT": ("103884.3", "103.11", "0.000317"),
    "ETHBTC": ("0.02397", "0.000024", "0.0013"),
    "PEPEUSDT": ("0.00001331", "0.0000000133", "333333"),
}

COINS = {"BTCUSDT": ("BTC", "USDT"), "ETHBTC": ("ETH", "BTC"), "PEPEUSDT": ("PEPE", "USDT")}


@pytest.mark.parametrize("market", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_money_is_conserved_whatever_happens(sim, seed, market):
    """Accounts, the market and the fees hold together what the accounts began with; and frozen is what is open."""
    dice = random.Random(seed)
    exchange, ask, _ = sim(
        standing_market=market, engine_delay_s=0.001, sweep_delay_s=0.01, quotas=dict.fromkeys(ENDPOINTS, 10**6)
    )
    keys = [exchange.credentials(), exchange.credentials(exchange.add_account())]
    start = totals(exchange)
    for _ in range(200):
        take_a_step(exchange, ask, keys, dice)
        assert totals(exchange) == start
    ask.pass_s(1)
    scopes = [fill.scope for fill in exchange.truth.fills]
    assert min(scopes.count("taker"), scopes.count("maker")) > 4
    assert totals(exchange) == start
    for account in exchange.venue.accounts.values():
        frozen: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order_id in exchange.truth.open_ids(account.uid):
            order = exchange.order(order_id)
            base, quote = COINS[order.symbol]
            left = order.draft.size - order.filled
            if order.draft.side == "buy":
                frozen[quote] += left * order.draft.price
            else:
                frozen[base] += left
        for coin, held in account.balances.items():
            assert held.frozen == frozen[coin]
            assert held.available >= 0


def take_a_step(exchange, ask, keys, dice):
    """Place, most of the time; or cancel, fill, sweep, or move a price."""
    draw, orders = dice.random(), list(exchange.truth.orders)
    if draw < 0.7:
        ask.post("place-order", draw_order(dice), dice.choice(keys))
    elif draw < 0.8:
        symbol, (last, tick, _) = dice.choice(list(GRID.items()))
        exchange.set_price(symbol, Decimal(last) + Decimal(tick) * dice.randint(-9, 9))
    elif draw < 0.85:
        ask.post("cancel-symbol-order", {"symbol": dice.choice(list(GRID))}, dice.choice(keys))
        ask.pass_s(dice.choice([0.0, 0.005, 0.02]))
    elif orders and draw < 0.95:
        exchange.cancel(dice.choice(orders))
    elif orders:
        order_id = dice.choice(orders)
        exchange.fill(order_id, exchange.order(order_id).draft.size / 4)


def draw_order(dice):
    """The fields of a placement near the first price of its symbol."""
    symbol, (last, tick, lot) = dice.choice(list(GRID.items()))
    size = Decimal(lot) * dice.randint(1, 9)
    body = {
        "symbol": symbol,
        "side": dice.choice(["buy", "sell"]),
        "orderType": dice.choice(["limit", "limit", "limit", "market"]),
        "force": dice.choice(["gtc", "gtc", "gtc", "ioc", "fok", "post_only"]),
        "stpMode": dice.choice(["none", "none", "cancel_taker", "cancel_maker", "cancel_both"]),
    }
    if body["orderType"] == "limit":
        body["price"] = format(Decimal(last) + Decimal(tick) * dice.randint(-9, 9), "f")
    elif body["side"] == "buy":
        size = (size * Decimal(last)).quantize(Decimal("0.00000001"))
    return body | {"size": format(size, "f")}


def totals(exchange):
    """Coin -> what everybody has of it together, the market and the exchange included."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for account in (*exchange.venue.accounts.values(), exchange.venue.ledger.market):
        for coin, held in account.balances.items():
            sums[coin] += held.available + held.frozen
    for coin, fee in exchange.venue.ledger.fees.items():
        sums[coin] += fee
    return {coin: amount for coin, amount in sums.items() if amount}
