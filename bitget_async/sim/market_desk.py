"""
The desk for market data: books, candles, public trades, fee tiers, statistics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import islice, takewhile

from bitget_async.sim.call import Call
from bitget_async.sim.drafts import known_symbol, one_of
from bitget_async.sim.fields import plain
from bitget_async.sim.funds import Funds
from bitget_async.sim.market import SYMBOLS, Symbol, auction_row
from bitget_async.sim.pages import Wanted, page_limit
from bitget_async.sim.rows import candle_row
from bitget_async.sim.series import GRANULARITIES, Candle, Trade, candles, trade_time_ms
from bitget_async.sim.venue import Venue

__all__ = ["MarketDesk"]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# In the recording the newest trade of fills-history was that old.
TAPE_LAG_MS = 128_000
STEPS = tuple(f"step{number}" for number in range(6))
SCALES = tuple(f"scale{number}" for number in range(4))
KINDS = tuple(GRANULARITIES)
PERIODS = ("15m", "30m", "1h", "2h", "4h", "1d")
Level = tuple[Decimal, Decimal]

# Level, volume and assets in USDT for it, taker and maker rate, what may be withdrawn a day; as recorded 2025-05-18.
VIP = """
1 500000 30000 0.0008 0.0008 300 4000000
2 2000000 50000 0.0007 0.00065 300 6000000
3 8000000 250000 0.0006 0.0005 300 8000000
4 30000000 750000 0.0005 0.0004 300 10000000
5 50000000 2000000 0.0004 0.0003 500 12000000
6 75000000 2010001 0.00035 0.00025 500 15000000
7 100000000 2020002 0.00032 0.0002 500 18000000
"""
WITHDRAWN = ("btcWithdrawAmount", "usdtWithdrawAmount")
VIP_FIELDS = ("level", "dealAmount", "assetAmount", "takerFeeRate", "makerFeeRate", *WITHDRAWN)


class MarketDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, funds: Funds) -> None:
        self._venue = venue
        self._funds = funds

    def table(self) -> dict[str, Callable[[Call], object]]:
        """Route name, or path where the name is taken, -> who answers."""
        return {
            "vip-fee-rate": self.vip_fee_rate,
            "orderbook": self.orderbook,
            "merge-depth": self.merge_depth,
            "candles": self.candles,
            "history-candles": self.history_candles,
            "/api/v2/spot/market/fills": self.fills,
            "fills-history": self.fills_history,
            "auction": self.auction,
            "fund-flow": self.fund_flow,
            "fund-net-flow": self.fund_net_flow,
            "whale-net-flow": self.whale_net_flow,
            "support-symbols": self.support_symbols,
        }

    def vip_fee_rate(self, call: Call) -> object:
        """GET vip-fee-rate: the level is a text, whatever the page says."""
        return [dict(zip(VIP_FIELDS, line.split(), strict=True)) for line in VIP.split("\n") if line]

    def orderbook(self, call: Call) -> object:
        """GET orderbook: levels of two texts."""
        symbol = SYMBOLS[known_symbol(call)]
        step = one_of(call, "type", STEPS, "step0")
        asks, bids = self._levels(symbol, int(step[-1]))
        limit = page_limit(call, 150, 150)
        return {
            "asks": [[plain(price), plain(size)] for price, size in asks[:limit]],
            "bids": [[plain(price), plain(size)] for price, size in bids[:limit]],
            "ts": str(call.now_ms),
        }

    def merge_depth(self, call: Call) -> object:
        """GET merge-depth: levels of two JSON numbers, as recorded."""
        symbol = SYMBOLS[known_symbol(call)]
        precision = one_of(call, "precision", SCALES, "scale0")
        rows = one_of(call, "limit", ("1", "5", "15", "50", "100", "max"), "100")
        step = int(precision[-1])
        asks, bids = self._levels(symbol, step)
        limit = None if rows == "max" else int(rows)
        return {
            "asks": [[float(price), float(size)] for price, size in asks[:limit]],
            "bids": [[float(price), float(size)] for price, size in bids[:limit]],
            "ts": str(call.now_ms),
            "scale": plain(Decimal(1).scaleb(step - symbol.price_digits)),
            "precision": precision,
            "isMaxPrecision": "YES" if step == 3 else "NO",
        }

    def candles(self, call: Call) -> object:
        """GET candles: the newest of the span, oldest first; the finer ones reach back some weeks only."""
        symbol, granularity = SYMBOLS[known_symbol(call)], one_of(call, "granularity", KINDS)
        limit = page_limit(call, 100, 1000)
        start_ms, end_ms = call.integer("startTime") or 0, call.integer("endTime")
        days = GRANULARITIES[granularity].days
        if days is not None:
            start_ms = max(start_ms, call.now_ms - days * DAY_MS)
        found = self._candles(symbol, granularity, call.now_ms + 1 if end_ms is None else end_ms, call.now_ms)
        return self._rows(symbol, islice(takewhile(lambda candle: candle.open_ms >= start_ms, found), limit))

    def history_candles(self, call: Call) -> object:
        """GET history-candles: those that open before `endTime`, oldest first; `startTime` is not looked at."""
        symbol, granularity = SYMBOLS[known_symbol(call)], one_of(call, "granularity", KINDS)
        call.need("endTime")
        limit = page_limit(call, 100, 200)
        found = self._candles(symbol, granularity, call.integer("endTime") or 0, call.now_ms)
        return self._rows(symbol, islice(found, limit))

    def fills(self, call: Call) -> object:
        """GET market/fills: newest first, lower-case side, milliseconds."""
        symbol = SYMBOLS[known_symbol(call)]
        found = islice(self._venue.tape.before(symbol.name, call.now_ms + 1), page_limit(call, 100, 500))
        return [_trade_row(symbol, trade, trade.side, trade.time_ms) for trade in found]

    def fills_history(self, call: Call) -> object:
        """GET fills-history: newest first, capitalised side, whole seconds; seven days at once, ninety back."""
        symbol = SYMBOLS[known_symbol(call)]
        wanted = Wanted(call, 500, 1000, days=7, too_long="00001", default_days=7)
        newest_ms = call.now_ms - TAPE_LAG_MS
        before_ms = newest_ms if wanted.end_ms is None else min(newest_ms, wanted.end_ms + 1)
        if wanted.below is not None:
            before_ms = min(before_ms, trade_time_ms(wanted.below) + 1)
        oldest_ms = max(wanted.start_ms or 0, call.now_ms - 90 * DAY_MS)
        found = takewhile(lambda trade: trade.time_ms >= oldest_ms, self._venue.tape.before(symbol.name, before_ms))
        page, _ = wanted.page(found, lambda trade: (trade.number, trade.time_ms))
        return [_trade_row(symbol, trade, trade.side.title(), trade.time_ms // 1000 * 1000) for trade in page]

    def auction(self, call: Call) -> object:
        """GET auction: nothing is opened by auction here, so empty texts and zeros."""
        known_symbol(call)
        return auction_row()

    def fund_flow(self, call: Call) -> object:
        """GET fund-flow: who bought and sold how much, in amounts and shares."""
        symbol = SYMBOLS[known_symbol(call)]
        one_of(call, "period", PERIODS, "15m")
        (candle,) = islice(self._candles(symbol, "1h", call.now_ms, call.now_ms), 1)
        shares = {"whale": Decimal("0.6"), "dolphin": Decimal("0.3"), "fish": Decimal("0.1")}
        told = {}
        for side, part in (("Buy", Decimal("0.52")), ("Sell", Decimal("0.48"))):
            for who, share in shares.items():
                told[f"{who}{side}Volume"] = plain(candle.base * part * share)
                told[f"{who}{side}Ratio"] = plain(part * share)
        return told

    def fund_net_flow(self, call: Call) -> object:
        """GET fund-net-flow: the last 24 hours, oldest first."""
        return [{"netFlow": plain(flow), "ts": str(open_ms)} for open_ms, flow in self._flow(call, "1h", 24)]

    def whale_net_flow(self, call: Call) -> object:
        """GET whale-net-flow: the last seven days, oldest first."""
        return [{"volume": plain(flow), "date": str(open_ms)} for open_ms, flow in self._flow(call, "1Dutc", 7)]

    def support_symbols(self, call: Call) -> object:
        """GET support-symbols."""
        names = [symbol.name for symbol in SYMBOLS.values() if symbol.quote == "USDT"]
        return {"spotList": names, "futureList": names[:10]}

    def _flow(self, call: Call, granularity: str, count: int) -> list[tuple[int, Decimal]]:
        symbol = SYMBOLS[known_symbol(call)]
        found = list(islice(self._candles(symbol, granularity, call.now_ms, call.now_ms), count))
        return [(c.open_ms, c.base if c.close >= c.open else -c.base) for c in reversed(found)]

    def _candles(self, symbol: Symbol, granularity: str, before_ms: int, now_ms: int) -> Iterator[Candle]:
        return candles(symbol, granularity, before_ms, now_ms, self._venue.last(symbol.name))

    def _rows(self, symbol: Symbol, found: Iterator[Candle]) -> list[list[str]]:
        """Rows of eight texts, oldest first: the volume in USDT comes before that in quote coin."""
        usdt = self._funds.usdt
        return [candle_row(each, each.base, usdt(symbol.quote, each.quote), each.quote) for each in found][::-1]

    def _levels(self, symbol: Symbol, step: int) -> tuple[list[Level], list[Level]]:
        """
        Asks and bids, best first: the open orders of all accounts, and the market where one stands. Prices are merged
        to steps of ten to that power of ticks, away from the other side.
        """
        unit = Decimal(1).scaleb(step - symbol.price_digits)
        sides: dict[str, dict[Decimal, Decimal]] = {"sell": defaultdict(Decimal), "buy": defaultdict(Decimal)}
        depth = self._venue.depths.at(symbol.name, self._venue.timeline.now_ns)
        for side, rounding in (("sell", ROUND_CEILING), ("buy", ROUND_FLOOR)):
            for price, size in depth.levels(side):
                sides[side][(price / unit).to_integral_value(rounding) * unit] += size
        asks = sorted(sides["sell"].items())
        bids = sorted(((price, size) for price, size in sides["buy"].items() if price > 0), reverse=True)
        return asks, bids


def _trade_row(symbol: Symbol, trade: Trade, side: str, time_ms: int) -> dict[str, object]:
    return {
        "symbol": symbol.name,
        "tradeId": str(trade.number),
        "side": side,
        "price": plain(trade.price),
        "size": plain(trade.size),
        "ts": str(time_ms),
    }
