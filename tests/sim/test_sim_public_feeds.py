"""Tickers, trades and candles on the sockets: the same truth that the endpoints tell, when it changes."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from bitget_async.sim.sockets.topics import NoTopic
from tests.sim.listening import Listener

MARKET = "/api/v2/spot/market/"
TICKER = """
instId lastPr open24h high24h low24h change24h bidPr askPr bidSz askSz baseVolume quoteVolume openUtc changeUtc24h ts
"""
INTERVALS = (
    ("1m", "1min", 60),
    ("5m", "5min", 300),
    ("15m", "15min", 900),
    ("30m", "30min", 1800),
    ("1H", "1h", 3600),
    ("4H", "4h", 4 * 3600),
    ("6H", "6h", 6 * 3600),
    ("12H", "12h", 12 * 3600),
    ("1D", "1day", 86400),
    ("3D", "3day", 3 * 86400),
    ("1W", "1week", 7 * 86400),
    ("1M", "1M", None),
    ("6Hutc", "6Hutc", 6 * 3600),
    ("12Hutc", "12Hutc", 12 * 3600),
    ("1Dutc", "1Dutc", 86400),
    ("3Dutc", "3Dutc", 3 * 86400),
    ("1Wutc", "1Wutc", 7 * 86400),
    ("1Mutc", "1Mutc", None),
)


def wait(exchange, clock, seconds, step=0.05):
    """Let time pass in steps, so that what is due happens at its time."""
    for _ in range(round(seconds / step)):
        clock.pass_s(step)
        exchange.venue.timeline.advance()


def switched(row):
    """A candle of the endpoint as the sockets have it: quote volume before that in USDT."""
    return [*row[:6], row[7], row[6]]


def test_a_ticker_has_the_documented_fields(sim):
    """Those of the documented frame; last price and best levels as the endpoint tells them."""
    exchange, ask, _ = sim()
    snapshot = Listener(exchange, "ticker").snapshot
    (row,) = snapshot.rows
    assert (snapshot.action, set(row)) == ("snapshot", set(TICKER.split()))
    assert all(isinstance(value, str) for value in row.values())
    (told,) = ask.get(MARKET + "tickers", symbol="BTCUSDT").data
    shared = ("lastPr", "bidPr", "askPr", "bidSz", "askSz", "high24h", "ts")
    assert {name: row[name] for name in shared} == {name: told[name] for name in shared}
    assert (row["instId"], row["open24h"]) == ("BTCUSDT", told["open"])


def test_a_ticker_follows_price_and_best_levels(sim):
    """At most every 250 ms, always a snapshot, never the same twice; what is last is true."""
    exchange, _, clock = sim()
    listener = Listener(exchange, "ticker")
    exchange.depths.stir("BTCUSDT", 500)
    for number in range(20):
        wait(exchange, clock, 0.1)
        exchange.set_price("BTCUSDT", Decimal("103884.3") + number)
    exchange.depths.stir("BTCUSDT", 0)
    wait(exchange, clock, 1)
    heard = listener.later
    assert 7 <= len(heard) <= 9
    assert all(b.now_ns - a.now_ns >= 250_000_000 for a, b in itertools.pairwise(heard))
    assert {each.action for each in heard} == {"snapshot"}
    told = [{**each.rows[0], "ts": None} for each in heard]
    assert all(a != b for a, b in itertools.pairwise(told))
    depth = exchange.depths.now("BTCUSDT")
    assert told[-1]["lastPr"] == "103903.3"
    for price, size, side in (("bidPr", "bidSz", "buy"), ("askPr", "askSz", "sell")):
        assert (Decimal(told[-1][price]), Decimal(told[-1][size])) == depth.levels(side, 1)[0]
    listener.rows()
    exchange.rest("BTCUSDT", price=Decimal(5))
    exchange.set_price("ETHUSDT", Decimal(2500))
    wait(exchange, clock, 1)
    assert listener.rows() == []


def test_trades_begin_with_recent_ones(sim):
    """Newest first, as the endpoint has them; five fields, all texts."""
    exchange, ask, _ = sim()
    snapshot = Listener(exchange, "trade").snapshot
    told = ask.get(MARKET + "fills", symbol="BTCUSDT", limit=50).data
    assert snapshot.action == "snapshot"
    assert set(snapshot.rows[0]) == {"ts", "price", "size", "side", "tradeId"}
    assert snapshot.rows == [{name: row[name] for name in snapshot.rows[0]} for row in told]


def test_each_trade_is_told_once_when_it_is_made(sim):
    """Over an hour: the endpoint lists afterwards what was told, no more and no less, each at its own time."""
    exchange, ask, clock = sim(quotas={"fills": 99})
    listener = Listener(exchange, "trade")
    begun_ms = clock.epoch_ms()
    told = []
    for _ in range(72):
        clock.pass_s(10)
        for heard in listener.later:
            assert heard.action == "update"
            assert exchange.venue.timeline.epoch_ms(heard.now_ns) == int(heard.rows[0]["ts"])
        told += listener.rows()
    assert [int(row["ts"]) for row in told] == sorted(int(row["ts"]) for row in told)
    listed = ask.get(MARKET + "fills", symbol="BTCUSDT", limit=500).data
    assert [row["tradeId"] for row in told][::-1] == [row["tradeId"] for row in listed if int(row["ts"]) > begun_ms]
    assert 355 <= len(told) <= 365


def test_a_clock_that_drifts_loses_no_trade(sim):
    """Times are the exchange's own, also when its clock runs faster or slower than ours."""
    for drift in (-50_000, 50_000):
        exchange, ask, clock = sim(clock_drift_ppm=drift, quotas={"fills": 99})
        listener = Listener(exchange, "trade")
        begun_ms = exchange.server_ms
        wait(exchange, clock, 300, step=1)
        told = [row["tradeId"] for row in listener.rows()]
        listed = ask.get(MARKET + "fills", symbol="BTCUSDT", limit=500).data
        assert told[::-1] == [row["tradeId"] for row in listed if int(row["ts"]) > begun_ms]
        assert len(told) > 100


def test_trades_of_accounts_are_public_once_with_the_side_of_the_taker(sim):
    """With the market as maker and as taker, and with each other: two fills, one public trade; REST agrees."""
    exchange, ask, _ = sim(quotas={"fills": 99}, standing_market=False)
    listener, other = Listener(exchange, "trade"), Listener(exchange, "trade", "ETHUSDT")
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal(100_000), size=Decimal("0.5"))
    exchange.fill(order_id, Decimal("0.125"))
    them = exchange.credentials(exchange.add_account())
    body = {"symbol": "BTCUSDT", "side": "sell", "orderType": "limit", "price": "100000", "size": "0.25"}
    ask.post("place-order", body | {"force": "gtc"}, them)
    exchange.settings.standing_market = True
    ask.post("place-order", {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "size": "100000"})
    told = listener.rows()
    assert [(row["side"], row["price"], row["size"]) for row in told] == [
        ("sell", "100000", "0.125"),
        ("sell", "100000", "0.25"),
        ("buy", "100000", "1"),
    ]
    assert len(exchange.truth.fills) == 4
    ids = [int(row["tradeId"]) for row in told]
    assert ids == sorted(set(ids))
    assert other.rows() == []
    listed = ask.get(MARKET + "fills", symbol="BTCUSDT", limit=5).data
    assert [row["tradeId"] for row in listed][:3] == [row["tradeId"] for row in told][::-1]


@pytest.mark.parametrize(("interval", "granularity", "length_s"), INTERVALS)
def test_candles_are_those_of_the_endpoint_in_another_order(sim, interval, granularity, length_s):
    """Every interval, in the sockets' spelling; of a pair not quoted in USDT, whose last two volumes differ."""
    exchange, ask, _ = sim()
    listener = Listener(exchange, f"candle{interval}", "ETHBTC")
    rows = listener.snapshot.rows
    told = ask.get(MARKET + "candles", symbol="ETHBTC", granularity=granularity, limit=100).data
    assert listener.snapshot.action == "snapshot"
    assert rows == [switched(row) for row in told]
    assert any(row[6] != row[7] for row in rows)
    assert all(len(row) == 8 and all(isinstance(text, str) for text in row) for row in rows)
    if length_s is not None:
        assert {int(b[0]) - int(a[0]) for a, b in itertools.pairwise(rows)} == {length_s * 1000}


def test_a_candle_follows_the_last_price_once_a_second(sim):
    """The current one alone, as an update; nothing for another symbol or a price that stands still."""
    exchange, ask, clock = sim()
    listener = Listener(exchange, "candle1H")
    for number in range(40):
        wait(exchange, clock, 0.1)
        exchange.set_price("BTCUSDT", Decimal(100_000) + number)
        exchange.set_price("ETHUSDT", Decimal(2_000) + number)
    wait(exchange, clock, 2)
    heard = list(listener.later)
    assert 4 <= len(heard) <= 5
    assert all(b.now_ns - a.now_ns >= 1_000_000_000 for a, b in itertools.pairwise(heard))
    assert all((each.action, len(each.rows)) == ("update", 1) for each in heard)
    (now,) = ask.get(MARKET + "candles", symbol="BTCUSDT", granularity="1h", limit=1).data
    assert heard[-1].rows == [switched(now)]
    assert now[4] == "100039"
    listener.rows()
    exchange.set_price("BTCUSDT", Decimal(100_039))
    wait(exchange, clock, 2)
    assert listener.rows() == []


def test_a_new_candle_comes_with_the_end_of_the_old_one(sim):
    """At the full minute, in one push: what the old one closed at, and the one that begins."""
    exchange, ask, clock = sim()
    listener = Listener(exchange, "candle1m")
    wait(exchange, clock, 180, step=0.5)
    heard = listener.later
    assert [exchange.venue.timeline.epoch_ms(each.now_ns) % 60_000 for each in heard] == [0, 0, 0]
    opened = [[int(row[0]) for row in each.rows] for each in heard]
    assert opened == [[first, first + 60_000] for first in range(opened[0][0], opened[0][0] + 180_000, 60_000)]
    rows = ask.get(MARKET + "candles", symbol="BTCUSDT", granularity="1min", limit=4).data
    assert [each.rows[0] for each in heard] == [switched(row) for row in rows[:3]]


def test_whoever_has_gone_hears_nothing_more(sim):
    """No hook stays and what is on the timeline ends by itself."""
    exchange, _, clock = sim()
    hooks = list(exchange.venue.price_hooks)
    listeners = [Listener(exchange, "trade"), Listener(exchange, "candle1m"), Listener(exchange, "auction")]
    for listener in listeners:
        listener.leave()
    assert exchange.venue.price_hooks == hooks
    assert exchange.venue.tape.hooks == []
    exchange.set_price("BTCUSDT", Decimal(90_000))
    wait(exchange, clock, 120, step=1)
    assert [listener.rows() for listener in listeners] == [[], [], []]
    assert exchange.venue.timeline.next_ns is None


def test_no_auction_takes_place(sim):
    """As the endpoint says it, once."""
    exchange, ask, clock = sim()
    listener = Listener(exchange, "auction")
    assert listener.snapshot.rows == [ask.get(MARKET + "auction", symbol="BTCUSDT").data]
    wait(exchange, clock, 10, step=1)
    assert listener.rows() == []


@pytest.mark.parametrize(
    ("channel", "name", "inst_type", "code"),
    [
        ("candle2h", "BTCUSDT", "SPOT", 30016),
        ("candle1min", "BTCUSDT", "SPOT", 30016),
        ("candle", "BTCUSDT", "SPOT", 30016),
        ("candle1m", "NOPEUSDT", "SPOT", 30001),
        ("books", "NOPEUSDT", "SPOT", 30001),
        ("books50", "BTCUSDT", "SPOT", 30001),
        ("ticker", "btcusdt", "SPOT", 30001),
        ("ticker", "BTCUSDT", "USDT-FUTURES", 30001),
        ("trade", "default", "SPOT", 30001),
        ("orders", "default", "SPOT", 30001),
        ("nothing", "BTCUSDT", "SPOT", 30001),
    ],
)
def test_topics_that_do_not_exist_are_refused(sim, channel, name, inst_type, code):
    """A wrong interval is a bad parameter, everything else does not exist; the private ones are not served here."""
    exchange, _, _ = sim()
    with pytest.raises(NoTopic) as caught:
        Listener(exchange, channel, name, inst_type)
    assert caught.value.code == code
