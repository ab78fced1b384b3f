"""
The public channels.
"""

from __future__ import annotations

from bitget_async.sim.feeds.books import BooksChannel, best_levels
from bitget_async.sim.feeds.candles import INTERVALS, candle
from bitget_async.sim.feeds.tickers import AuctionChannel, TickerChannel
from bitget_async.sim.feeds.trades import TradeChannel
from bitget_async.sim.sockets.topics import Channel, Factory, NoTopic, Stage

__all__ = ["PUBLIC", "public_channel"]

PUBLIC: dict[str, Factory] = {
    "ticker": TickerChannel,
    "trade": TradeChannel,
    "books": BooksChannel,
    "books1": best_levels(1),
    "books5": best_levels(5),
    "books15": best_levels(15),
    "auction": AuctionChannel,
    **{f"candle{interval}": candle(interval) for interval in INTERVALS},
}
"""Channel name -> what makes it."""


def public_channel(stage: Stage) -> Channel:
    """
    Make the channel of a topic. Raises `NoTopic` with 30001 for an unknown channel or symbol, with 30016 for a candle
    of another interval.
    """
    factory = PUBLIC.get(stage.topic.channel)
    if factory is None:
        raise NoTopic(30016 if stage.topic.channel.startswith("candle") else 30001)
    return factory(stage)
