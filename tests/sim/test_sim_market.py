"""Market data: books, candles, public trades, tiers and statistics, with the traps of the recordings."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal

import pytest

from bitget_async.sim import ROUTES

MARKET = "/api/v2/spot/market/"
NOW = 1_750_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.fixture
def market(sim):
    """An exchange and somebody who asks it as often as he likes."""
    exchange, ask, _ = sim(quotas=dict.fromkeys([route.name for route in ROUTES.values()], 1000))
    return exchange, ask


def test_book_stands_around_the_last_price(market):
    """Best first, prices and sizes as texts, the best ones those of the tickers; at most 150 levels."""
    _, ask = market
    book = ask.get(MARKET + "orderbook", symbol="BTCUSDT").data
    (ticker,) = ask.get(MARKET + "tickers", symbol="BTCUSDT").data
    assert [len(book["asks"]), len(book["bids"])] == [150, 150]
    assert [book["asks"][0][0], book["bids"][0][0]] == [ticker["askPr"], ticker["bidPr"]] == ["103884.3", "103884.29"]
    asks, bids = ([Decimal(level[0]) for level in book[side]] for side in ("asks", "bids"))
    assert (asks, bids) == (sorted(asks), sorted(bids, reverse=True))
    assert book["ts"] == str(NOW)
    assert len(ask.get(MARKET + "orderbook", symbol="BTCUSDT", limit=3).data["asks"]) == 3
    for wrong in ({"limit": 151}, {"type": "step6"}):
        assert ask.get(MARKET + "orderbook", symbol="BTCUSDT", **wrong).code == "40017"


def test_book_shows_the_orders_of_all_accounts(market):
    """Summed by price, what is left of them; gone when they are; trigger and tpsl orders are not in it."""
    exchange, ask = market
    exchange.settings.standing_market = False
    price = Decimal(100_000)
    first, _ = exchange.rest("BTCUSDT", 2, price=price, size=Decimal("0.5"))
    exchange.rest("BTCUSDT", account=exchange.add_account(), price=price, size=Decimal("0.25"))
    exchange.rest("BTCUSDT", side="sell", price=Decimal(110_000), size=Decimal(1))
    exchange.rest("BTCUSDT", tpsl=True, price=price)
    exchange.rest_trigger("BTCUSDT")
    exchange.fill(first, Decimal("0.125"))
    book = ask.get(MARKET + "orderbook", symbol="BTCUSDT").data
    assert (book["asks"], book["bids"]) == ([["110000", "1"]], [["100000", "1.125"]])
    exchange.cancel(first)
    assert ask.get(MARKET + "orderbook", symbol="BTCUSDT").data["bids"] == [["100000", "0.75"]]


def test_steps_merge_away_from_the_other_side(market):
    """Asks upwards, bids downwards, so that a merged book does not cross."""
    exchange, ask = market
    exchange.settings.standing_market = False
    for side, prices in (("buy", ("100.11", "100.19")), ("sell", ("200.11", "200.2"))):
        for price in prices:
            exchange.rest("ETHUSDT", side=side, price=Decimal(price), size=Decimal(1))
    book = ask.get(MARKET + "orderbook", symbol="ETHUSDT", type="step1").data
    assert (book["asks"], book["bids"]) == ([["200.2", "2"]], [["100.1", "2"]])


def test_merged_depth_has_numbers_as_recorded(market):
    """JSON numbers where the page has texts, the same keys as in the recording, and its scale and precision."""
    exchange, ask = market
    answer = ask.get(MARKET + "merge-depth", symbol="BTCUSDT")
    data = answer.data
    assert list(data) == ["asks", "bids", "ts", "scale", "precision", "isMaxPrecision"]
    assert (data["scale"], data["precision"], data["isMaxPrecision"]) == ("0.01", "scale0", "NO")
    assert [len(data["asks"]), len(data["bids"])] == [100, 100]
    assert b"[[103884.3,1.0],[103884.31,1.000037]" in answer.body
    deep = ask.get(MARKET + "merge-depth", symbol="BTCUSDT", precision="scale3", limit="max").data
    assert (deep["scale"], deep["isMaxPrecision"]) == ("10", "YES")
    assert deep["asks"][0][0] == 103_890
    assert len(ask.get(MARKET + "merge-depth", symbol="BTCUSDT", limit="5").data["bids"]) == 5
    exchange.set_price("PEPEUSDT", Decimal("0.0000000003"))
    assert [level[0] for level in ask.get(MARKET + "merge-depth", symbol="PEPEUSDT").data["bids"]] == [2e-10, 1e-10]
    for wrong in ({"limit": "7"}, {"precision": "scale4"}):
        assert ask.get(MARKET + "merge-depth", symbol="BTCUSDT", **wrong).code == "40017"


def test_candles_come_oldest_first(market):
    """Rows of eight texts; each opens where the last one closed; the current one closes at the last price."""
    exchange, ask = market
    exchange.set_price("BTCUSDT", Decimal(90_000))
    rows = ask.get(MARKET + "candles", symbol="BTCUSDT", granularity="1min").data
    assert len(rows) == 100
    assert {len(row) for row in rows} == {8}
    times = [int(row[0]) for row in rows]
    assert times == [NOW // MINUTE * MINUTE - MINUTE * back for back in range(99, -1, -1)]
    assert rows[-1][4] == "90000"
    for earlier, later in itertools.pairwise(rows):
        assert earlier[4] == later[1]
    for row in rows:
        first, high, low, last, base = map(Decimal, row[1:6])
        assert low <= min(first, last) <= max(first, last) <= high
        assert base > 0
    assert rows[0][6] == rows[0][7]


def test_usdt_volume_stands_before_the_quote_volume(market):
    """The order of the page; the two differ where the quote coin is another one."""
    exchange, ask = market
    exchange.set_price("BTCUSDT", Decimal(100_000))
    row = ask.get(MARKET + "candles", symbol="ETHBTC", granularity="1h").data[0]
    assert abs(Decimal(row[6]) / Decimal(row[7]) - 100_000) < 1


def test_candles_are_the_same_whenever_asked(market):
    """Made up from the symbol and the time alone, so pages fit together."""
    _, ask = market
    ask_for = {"symbol": "BTCUSDT", "granularity": "5min", "endTime": NOW - HOUR}
    before = ask.get(MARKET + "candles", **ask_for).data
    ask.pass_s(3600)
    assert ask.get(MARKET + "candles", **ask_for).data == before
    assert ask.get(MARKET + "history-candles", **ask_for).data == before


def test_span_of_candles(market):
    """Start and end narrow, the end excludes; 1 to 1000 rows; the finest reach back thirty days."""
    _, ask = market
    path, ask_for = MARKET + "candles", {"symbol": "BTCUSDT", "granularity": "1min"}
    whole = NOW // MINUTE * MINUTE
    rows = ask.get(path, startTime=whole - 5 * MINUTE, endTime=whole, **ask_for).data
    assert [int(row[0]) for row in rows] == [whole - MINUTE * back for back in (5, 4, 3, 2, 1)]
    assert len(ask.get(path, limit=1000, **ask_for).data) == 1000
    assert ask.get(path, limit=1001, **ask_for).code == "40017"
    assert ask.get(path, endTime=NOW - 31 * DAY, **ask_for).data == []
    assert ask.get(path, symbol="BTCUSDT", granularity="2h").code == "40017"
    assert ask.get(path, symbol="BTCUSDT").code == "40019"


def test_history_candles_need_an_end(market):
    """Excluded, whatever the start; at most 200 rows; page by page down to the day the symbol opened."""
    _, ask = market
    path, ask_for = MARKET + "history-candles", {"symbol": "BTCUSDT", "granularity": "1week"}
    assert ask.get(path, **ask_for).code == "40019"
    assert ask.get(path, endTime=NOW, limit=201, **ask_for).code == "40017"
    assert len(ask.get(path, endTime=NOW, startTime=NOW, **ask_for).data) == 100
    seen: list[int] = []
    page = ask.get(path, endTime=NOW, limit=200, **ask_for).data
    while page:
        seen = [int(row[0]) for row in page] + seen
        page = ask.get(path, endTime=seen[0], limit=200, **ask_for).data
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert 1_532_454_360_000 <= seen[0] < 1_532_454_360_000 + 7 * DAY


@pytest.mark.parametrize(
    ("granularity", "begins"),
    [
        ("1min", "2025-06-15 15:06"),
        ("30min", "2025-06-15 15:00"),
        ("4h", "2025-06-15 12:00"),
        ("6h", "2025-06-15 10:00"),
        ("6Hutc", "2025-06-15 12:00"),
        ("1day", "2025-06-14 16:00"),
        ("1Dutc", "2025-06-15 00:00"),
        ("1week", "2025-06-08 16:00"),
        ("1Wutc", "2025-06-09 00:00"),
        ("1M", "2025-05-31 16:00"),
        ("1Mutc", "2025-06-01 00:00"),
    ],
)
def test_candles_begin_when_their_name_says(market, granularity, begins):
    """At midnight of UTC+8 unless the name says utc, weeks on Monday, months on the first."""
    _, ask = market
    row = ask.get(MARKET + "candles", symbol="BTCUSDT", granularity=granularity).data[-1]
    moment = datetime.datetime.fromtimestamp(int(row[0]) / 1000, datetime.UTC)
    assert moment.strftime("%Y-%m-%d %H:%M") == begins


def test_months_follow_each_other(market):
    """They have no fixed length."""
    _, ask = market
    rows = ask.get(MARKET + "candles", symbol="BTCUSDT", granularity="1Mutc", limit=5).data
    days = [datetime.datetime.fromtimestamp(int(row[0]) / 1000, datetime.UTC).strftime("%m-%d") for row in rows]
    assert days == ["02-01", "03-01", "04-01", "05-01", "06-01"]


def test_recent_trades_are_in_milliseconds(market):
    """Lower-case sides, ids and times falling; 100 rows unless up to 500 are asked for."""
    _, ask = market
    rows = ask.get(MARKET + "fills", symbol="BTCUSDT").data
    assert len(rows) == 100
    assert list(rows[0]) == ["symbol", "tradeId", "side", "price", "size", "ts"]
    assert {row["side"] for row in rows} == {"buy", "sell"}
    times, ids = [int(row["ts"]) for row in rows], [int(row["tradeId"]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert ids == sorted(set(ids), reverse=True)
    assert NOW - 5_000 < times[0] <= NOW
    assert any(time % 1000 for time in times)
    assert len(ask.get(MARKET + "fills", symbol="BTCUSDT", limit=500).data) == 500
    assert ask.get(MARKET + "fills", symbol="BTCUSDT", limit=501).code == "40017"


def test_trade_history_is_in_seconds_and_capitalised(market):
    """As recorded: Buy and Sell, whole seconds, and about two minutes behind."""
    _, ask = market
    rows = ask.get(MARKET + "fills-history", symbol="BTCUSDT").data
    assert len(rows) == 500
    assert {row["side"] for row in rows} == {"Buy", "Sell"}
    assert all(int(row["ts"]) % 1000 == 0 for row in rows)
    assert NOW - 135_000 < int(rows[0]["ts"]) <= NOW - 128_000
    recent = {row["tradeId"]: row for row in ask.get(MARKET + "fills", symbol="BTCUSDT", limit=500).data}
    assert recent[rows[0]["tradeId"]]["price"] == rows[0]["price"]


def test_trade_history_is_paged_and_bounded(market):
    """By trade id downwards, seven days in one question (and without times), ninety days back."""
    _, ask = market
    path, span = MARKET + "fills-history", {"startTime": NOW - HOUR, "endTime": NOW - HOUR + 600_000}
    seen: list[int] = []
    page = ask.get(path, symbol="BTCUSDT", limit=120, **span).data
    while page:
        seen += [int(row["tradeId"]) for row in page]
        page = ask.get(path, symbol="BTCUSDT", limit=120, idLessThan=seen[-1], **span).data
    assert len(seen) in (299, 300, 301)
    assert seen == sorted(set(seen), reverse=True)
    everything = ask.get(path, symbol="BTCUSDT", limit=1000, **span).data
    assert [int(row["tradeId"]) for row in everything] == seen
    assert ask.get(path, symbol="BTCUSDT", startTime=NOW - 8 * DAY, endTime=NOW).code == "00001"
    assert ask.get(path, symbol="BTCUSDT", limit=1001).code == "40017"
    old = {"startTime": NOW - 96 * DAY, "endTime": NOW - 91 * DAY}
    assert ask.get(path, symbol="BTCUSDT", **old).data == []
    late = ask.get(path, symbol="BTCUSDT", endTime=NOW - 30 * DAY, limit=1).data
    assert NOW - 30 * DAY - 5_000 < int(late[0]["ts"]) <= NOW - 30 * DAY


def test_own_and_public_fills_share_a_name_only(market):
    """The last part of both paths is `fills`; each has its answer, one needs a key."""
    exchange, ask = market
    (order_id,) = exchange.rest("BTCUSDT")
    exchange.fill(order_id)
    ask.pass_s(1)
    assert [row["orderId"] for row in ask.get("fills").data] == [order_id]
    assert "orderId" not in ask.get(MARKET + "fills", symbol="BTCUSDT").data[0]


def test_fee_tiers_are_the_recorded_ones(market):
    """Seven, with the level as a text."""
    _, ask = market
    rows = ask.get(MARKET + "vip-fee-rate").data
    assert [row["level"] for row in rows] == list("1234567")
    assert rows[1] == {
        "level": "2",
        "dealAmount": "2000000",
        "assetAmount": "50000",
        "takerFeeRate": "0.0007",
        "makerFeeRate": "0.00065",
        "btcWithdrawAmount": "300",
        "usdtWithdrawAmount": "6000000",
    }


def test_statistics_have_the_fields_of_their_pages(market):
    """Texts all of them; a day by the hour, a week by the day, shares that add up."""
    _, ask = market
    flow = ask.get(MARKET + "fund-flow", symbol="BTCUSDT", period="4h").data
    assert len(flow) == 12
    assert sum(Decimal(value) for name, value in flow.items() if name.endswith("Ratio")) == 1
    assert all(isinstance(value, str) for value in flow.values())
    assert ask.get(MARKET + "fund-flow", symbol="BTCUSDT", period="3h").code == "40017"
    hours = ask.get(MARKET + "fund-net-flow", symbol="BTCUSDT").data
    assert [set(row) for row in hours] == [{"netFlow", "ts"}] * 24
    days = ask.get(MARKET + "whale-net-flow", symbol="BTCUSDT").data
    assert [set(row) for row in days] == [{"volume", "date"}] * 7
    assert any(row["netFlow"].startswith("-") for row in hours)
    names = ask.get(MARKET + "support-symbols").data
    assert set(names) == {"spotList", "futureList"}
    assert "BTCUSDT" in names["spotList"]
    auction = ask.get(MARKET + "auction", symbol="BTCUSDT").data
    assert list(auction) == ["stage", "stageEndTime", "estOpeningPrice", "matchedVolume", "auctionEndTime"]


@pytest.mark.parametrize(
    "name",
    [
        "orderbook",
        "merge-depth",
        "candles",
        "history-candles",
        "fills",
        "fills-history",
        "auction",
        "fund-flow",
        "fund-net-flow",
        "whale-net-flow",
    ],
)
def test_an_unknown_symbol_is_refused(market, name):
    """40034 as everywhere; 40019 without one."""
    _, ask = market
    answer = ask.get(MARKET + name, symbol="INVALID", granularity="1min", endTime=NOW)
    assert (answer.status, answer.code) == (400, "40034")
    assert ask.get(MARKET + name).code == "40019"


def test_statistics_are_counted_by_address_once_a_second(sim):
    """The pages' quota; the header tells what is left."""
    _, ask, _ = sim()
    first = ask.get(MARKET + "support-symbols")
    assert first.headers["X-Mbx-Used-Remain-Limit"] == "0"
    assert ask.get(MARKET + "support-symbols").status == 429
    ask.pass_s(1)
    assert ask.get(MARKET + "support-symbols").code == "00000"
