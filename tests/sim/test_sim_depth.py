"""The true books: what stands where, how they are stirred, and that REST shows the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bitget_async.sim.depth import Ladder, checksum, price_text

BOOK = "/api/v2/spot/market/orderbook"


def levels(exchange, symbol="BTCUSDT"):
    """Both sides as they are now."""
    depth = exchange.depths.now(symbol)
    return depth.levels("sell"), depth.levels("buy")


@pytest.mark.parametrize(
    ("bids", "asks", "expected"),
    [
        ([["43231.1", "4"], ["43231", "6"]], [["43232.8", "9"], ["43232.9", "8"]], -1504501796),
        ([["3366.1", "7"]], [["3366.8", "9"], ["3368", "8"], ["3372", "8"]], 831078360),
        ([], [], 0),
    ],
)
def test_checksums_are_those_of_the_documents(bids, asks, expected):
    """The two check values of the reference, section 5.5; the second has a shorter side."""
    assert checksum(bids, asks) == expected


def test_a_checksum_covers_twenty_five_levels_in_their_own_texts():
    """The 26th does not count, a trailing zero does: whoever turns texts into numbers must fail here."""
    side = [[str(price), "1"] for price in range(1, 27)]
    assert checksum(side, side) == checksum(side[:25], side[:25]) != checksum(side[:24], side[:24])
    assert checksum([["1", "0.50"]], []) != checksum([["1", "0.5"]], [])


def test_a_ladder_keeps_the_best_first():
    """Either way up; zero takes away what is there, and nothing where nothing is."""
    for side, best in (("sell", [1, 3, 7]), ("buy", [7, 3, 1])):
        ladder = Ladder(side)
        for tick in (3, 7, 1, 5):
            ladder.put(tick, Decimal(tick))
        ladder.put(5, Decimal(0))
        ladder.put(6, Decimal(0))
        assert [tick for tick, _ in ladder.best()] == best
        assert ladder.best(1) == [(best[0], Decimal(best[0]))]


@pytest.mark.parametrize(
    ("tick", "digits", "text"), [(10388430, 2, "103884.30"), (5, 4, "0.0005"), (7, 0, "7"), (120, 1, "12.0")]
)
def test_prices_have_all_their_decimals(tick, digits, text):
    """As in the documented frames, where 26275.0 keeps its zero."""
    assert price_text(tick, digits) == text


def test_the_market_stands_on_both_sides_of_the_last_price(sim):
    """About 400 levels, a tick apart, none that is worth nothing, and those of one symbol alone."""
    exchange, _, clock = sim()
    asks, bids = levels(exchange)
    assert [len(asks), len(bids)] == [200, 200]
    assert (asks[0].price, bids[0].price) == (Decimal("103884.30"), Decimal("103884.29"))
    assert asks[-1].price - asks[0].price == bids[0].price - bids[-1].price == Decimal("1.99")
    assert all(level.size > 0 for level in (*asks, *bids))
    exchange.set_price("PEPEUSDT", Decimal("0.0000000003"))
    assert [len(side) for side in levels(exchange, "PEPEUSDT")] == [200, 2]
    exchange.depths.stir("PEPEUSDT", 1000)
    clock.pass_s(5)
    assert all(level.price > 0 and level.size > 0 for side in levels(exchange, "PEPEUSDT") for level in side)
    before = levels(exchange)
    exchange.set_price("ETHUSDT", Decimal(2500))
    exchange.rest("ETHUSDT")
    assert levels(exchange) == before


def test_a_moved_price_slides_the_book(sim):
    """Levels that stay keep their sizes, and the way back leads to the same book."""
    exchange, _, _ = sim()
    asks, bids = levels(exchange)
    exchange.set_price("BTCUSDT", Decimal("103884.35"))
    moved_asks, moved_bids = levels(exchange)
    assert (moved_asks[0].price, moved_bids[0].price) == (Decimal("103884.35"), Decimal("103884.34"))
    assert moved_asks[:195] == asks[5:]
    assert moved_bids[5:] == bids[:195]
    exchange.set_price("BTCUSDT", Decimal("103884.30"))
    assert levels(exchange) == (asks, bids)
    exchange.set_price("BTCUSDT", Decimal(50_000))
    assert [len(side) for side in levels(exchange)] == [200, 200]


def test_orders_stand_among_the_market_s_levels(sim):
    """Added to what the market has at their price, away from the other side between two ticks, gone with them."""
    exchange, _, _ = sim()
    before = levels(exchange)
    (order_id,) = exchange.rest("BTCUSDT", price=before[1][3].price, size=Decimal("0.5"))
    (odd,) = exchange.rest("BTCUSDT", side="sell", price=Decimal("200000.005"), size=Decimal("0.25"))
    asks, bids = levels(exchange)
    assert bids[3].size == before[1][3].size + Decimal("0.5")
    assert asks[-1] == (Decimal("200000.01"), Decimal("0.25"))
    exchange.fill(order_id, Decimal("0.125"))
    assert levels(exchange)[1][3].size == before[1][3].size + Decimal("0.375")
    exchange.cancel(order_id)
    exchange.cancel(odd)
    assert levels(exchange) == before


def test_without_a_market_only_orders_stand(sim):
    """Also when it goes while somebody looks, and it comes back as it was."""
    exchange, ask, clock = sim(engine_delay_s=10.0)
    before = levels(exchange)
    exchange.rest("BTCUSDT", price=Decimal(100), size=Decimal(1))
    exchange.settings.standing_market = False
    exchange.depths.stir("BTCUSDT", 1000)
    clock.pass_s(1)
    exchange.depths.stir("BTCUSDT", 0)
    market = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "size": "100"}
    assert ask.post("place-order", market).code == "00000"
    assert len(ask.open()) == 2
    assert levels(exchange) == ([], [(Decimal(100), Decimal(1))])
    exchange.settings.standing_market = True
    assert levels(exchange) == (before[0], [*before[1], (Decimal(100), Decimal(1))])


def test_stirring_is_decided_by_seed_and_time_alone(sim):
    """Whoever looks, and how often, changes nothing: else two runs of a test would differ."""
    books = []
    for seed, looks in ((1, 1), (1, 50), (2, 1)):
        exchange, _, clock = sim(seed)
        exchange.depths.stir("BTCUSDT", 40)
        for _ in range(looks):
            clock.pass_s(10 / looks)
            exchange.set_price("ETHUSDT", Decimal(2500))
            if looks > 1:
                levels(exchange)
        exchange.set_price("BTCUSDT", Decimal("103884.40"))
        for _ in range(looks):
            clock.pass_s(3 / looks)
            if looks > 1:
                levels(exchange)
        exchange.set_price("BTCUSDT", Decimal("103884.30"))
        books.append(levels(exchange))
    assert books[0] == books[1] != books[2]


def test_stirring_changes_levels_at_its_rate_and_ends(sim):
    """Sizes change, levels go and come; every change is counted in `seq`; at rate zero nothing moves any more."""
    exchange, _, clock = sim()
    before, depth = levels(exchange), exchange.depths.now("BTCUSDT")
    first = depth.seq
    exchange.depths.stir("BTCUSDT", 100)
    clock.pass_s(10)
    asks, bids = levels(exchange)
    assert first + 990 <= depth.seq <= first + 1000
    assert [len(asks), len(bids)] != [200, 200]
    assert min(len(asks), len(bids)) > 100
    assert asks != before[0]
    assert bids != before[1]
    assert asks[0].price > bids[0].price
    # More sizes change than levels go: in the long run about three of four stand.
    exchange.depths.stir("BTCUSDT", 10_000)
    clock.pass_s(5)
    asks, bids = levels(exchange)
    assert all(140 < len(side) < 170 for side in (asks, bids))
    exchange.depths.stir("BTCUSDT", 0)
    clock.pass_s(10)
    assert levels(exchange) == (asks, bids)
    assert depth.next_change_ns() is None


def test_rest_shows_the_true_book(sim):
    """One truth for both ways of asking, also when it is stirred and has orders in it."""
    exchange, ask, clock = sim()
    exchange.rest("BTCUSDT", 3, price=Decimal("103884.25"))
    exchange.depths.stir("BTCUSDT", 100)
    clock.pass_s(5)
    told = ask.get(BOOK, symbol="BTCUSDT").data
    asks, bids = levels(exchange)
    for side, true in (("asks", asks), ("bids", bids)):
        assert [(Decimal(price), Decimal(size)) for price, size in told[side]] == true[:150]


def test_mistaken_commands_are_refused(sim):
    """A misspelt fault would make a test that proves nothing."""
    exchange, _, _ = sim()
    with pytest.raises(ValueError, match="loss, checksum, level"):
        exchange.depths.spoil("BTCUSDT", "lost")
    for command in (exchange.depths.now, lambda name: exchange.depths.stir(name, 1)):
        with pytest.raises(KeyError):
            command("NOPEUSDT")
