"""
Made-up market history: candles and public trades that depend on nothing but the symbol and the time.
"""

from __future__ import annotations

import datetime
import math
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from bitget_async.sim.market import Symbol

__all__ = [
    "GRANULARITIES",
    "Candle",
    "Trade",
    "candles",
    "next_candle_ms",
    "trade_after",
    "trade_number",
    "trade_time_ms",
    "trades",
]

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LOCAL_MS = 8 * HOUR_MS
# The first Monday; weeks begin there.
MONDAY_MS = 4 * DAY_MS
BEGIN_MS = 1_532_454_360_000
# Recorded trade ids are the milliseconds since this moment, shifted by 22 bits, and a small number.
IDS_BEGIN_MS = 1_435_725_921_000
SLOT_MS = 2_000


class Granularity(NamedTuple):
    """A candle's length (0: a month), what its days are shifted by, and for how many days back `candles` has it."""

    size_ms: int
    shift_ms: int
    days: int | None


GRANULARITIES: dict[str, Granularity] = {
    "1min": Granularity(MINUTE_MS, 0, 30),
    "3min": Granularity(3 * MINUTE_MS, 0, 30),
    "5min": Granularity(5 * MINUTE_MS, 0, 30),
    "15min": Granularity(15 * MINUTE_MS, 0, 52),
    "30min": Granularity(30 * MINUTE_MS, 0, 62),
    "1h": Granularity(HOUR_MS, 0, 83),
    "4h": Granularity(4 * HOUR_MS, 0, 240),
    "6h": Granularity(6 * HOUR_MS, LOCAL_MS, 360),
    "12h": Granularity(12 * HOUR_MS, LOCAL_MS, None),
    "1day": Granularity(DAY_MS, LOCAL_MS, None),
    "3day": Granularity(3 * DAY_MS, LOCAL_MS, None),
    "1week": Granularity(7 * DAY_MS, LOCAL_MS - MONDAY_MS, None),
    "1M": Granularity(0, LOCAL_MS, None),
    "6Hutc": Granularity(6 * HOUR_MS, 0, 360),
    "12Hutc": Granularity(12 * HOUR_MS, 0, None),
    "1Dutc": Granularity(DAY_MS, 0, None),
    "3Dutc": Granularity(3 * DAY_MS, 0, None),
    "1Wutc": Granularity(7 * DAY_MS, -MONDAY_MS, None),
    "1Mutc": Granularity(0, 0, None),
}
"""The exchange's spelling -> candle. Those without `utc` begin their days at midnight of UTC+8."""


class Candle(NamedTuple):
    """Prices and the volume in base and quote coin of the time from `open_ms` on."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    base: Decimal
    quote: Decimal


class Trade(NamedTuple):
    """A public trade."""

    number: int
    time_ms: int
    side: str
    price: Decimal
    size: Decimal


def candles(symbol: Symbol, granularity: str, before_ms: int, now_ms: int, last: Decimal) -> Iterator[Candle]:
    """
    The candles that open before that time and not later than now, newest first, back to the day the symbol opened.
    Each opens at the price at which the one before closed; the current one closes at the last price.
    """
    kind = GRANULARITIES[granularity]
    opens = _floor(kind, min(before_ms - 1, now_ms))
    closes = _next(kind, opens)
    while opens >= BEGIN_MS:
        first, end = _price(symbol, opens), last if closes > now_ms else _price(symbol, closes)
        noise = _noise(symbol, granularity, opens)
        tick = Decimal(1).scaleb(-symbol.price_digits)
        high, low = max(first, end) + noise % 7 * tick, min(first, end) - noise % 5 * tick
        minutes = (closes - opens) // MINUTE_MS
        base = Decimal(1 + noise % 9_999 * minutes).scaleb(-symbol.size_digits)
        yield Candle(opens, first, high, low, end, base, base * (first + end) / 2)
        closes, opens = opens, _floor(kind, opens - 1)


def next_candle_ms(granularity: str, now_ms: int) -> int:
    """When the candle after the present one opens."""
    kind = GRANULARITIES[granularity]
    return _next(kind, _floor(kind, now_ms))


def trades(symbol: Symbol, before_ms: int) -> Iterator[Trade]:
    """The public trades before that time, newest first, one in each two seconds, without end."""
    slot = before_ms // SLOT_MS
    while True:
        trade = _trade(symbol, slot)
        if trade.time_ms < before_ms:
            yield trade
        slot -= 1


def trade_after(symbol: Symbol, time_ms: int) -> Trade:
    """The first of these trades after that time."""
    slot = time_ms // SLOT_MS
    trade = _trade(symbol, slot)
    return trade if trade.time_ms > time_ms else _trade(symbol, slot + 1)


def trade_number(time_ms: int, small: int) -> int:
    """The id of a trade made then; the small number tells those of one millisecond apart."""
    return (time_ms - IDS_BEGIN_MS) << 22 | small


def trade_time_ms(number: int) -> int:
    """When the trade with that id was made."""
    return (number >> 22) + IDS_BEGIN_MS


def _trade(symbol: Symbol, slot: int) -> Trade:
    noise = _noise(symbol, "trade", slot)
    time_ms = slot * SLOT_MS + noise % SLOT_MS
    side = "buy" if noise & 1 else "sell"
    size = Decimal(1 + (noise >> 8) % 9_999).scaleb(-symbol.size_digits)
    return Trade(trade_number(time_ms, 1 + (noise >> 4) % 9), time_ms, side, _price(symbol, time_ms), size)


def _floor(kind: Granularity, time_ms: int) -> int:
    """When the candle began that this moment belongs to."""
    if kind.size_ms:
        return (time_ms + kind.shift_ms) // kind.size_ms * kind.size_ms - kind.shift_ms
    day = datetime.datetime.fromtimestamp((time_ms + kind.shift_ms) / 1000, datetime.UTC)
    first = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp()) * 1000 - kind.shift_ms


def _next(kind: Granularity, opens_ms: int) -> int:
    """When the candle ends that began then."""
    return _floor(kind, opens_ms + (kind.size_ms or 32 * DAY_MS))


def _price(symbol: Symbol, time_ms: int) -> Decimal:
    """A slow wave of a percent and a quick one of three per mille around the symbol's first price."""
    phase = zlib.crc32(symbol.name.encode()) % 628 / 100
    slow = math.sin(math.tau * (time_ms % DAY_MS) / DAY_MS + phase)
    quick = math.sin(math.tau * (time_ms % HOUR_MS) / HOUR_MS + 2 * phase)
    factor = 1 + Decimal(round(10_000 * slow + 3_000 * quick)).scaleb(-6)
    return (symbol.last * factor).quantize(Decimal(1).scaleb(-symbol.price_digits))


def _noise(symbol: Symbol, kind: str, moment: int) -> int:
    return zlib.crc32(f"{symbol.name}/{kind}/{moment}".encode())
