"""`client.market`: prices and trading rules. None of it needs a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bitget_async.endpoints import (
    AUCTION,
    CANDLES,
    COINS,
    FUND_FLOW,
    FUND_NET_FLOW,
    HISTORY_CANDLES,
    MARKET_FILLS,
    MARKET_FILLS_HISTORY,
    MERGE_DEPTH,
    ORDERBOOK,
    SERVER_TIME,
    SUPPORT_SYMBOLS,
    SYMBOLS,
    TICKERS,
    VIP_FEE_RATE,
    WHALE_NET_FLOW,
)
from bitget_async.errors import UnknownSymbol, UsageError
from bitget_async.models import (
    Auction,
    Book,
    Candle,
    Coin,
    FeeTier,
    FundFlow,
    MarketFill,
    MergedBook,
    NetFlow,
    SupportSymbols,
    Symbol,
    Ticker,
    WhaleFlow,
)
from bitget_async.pages import Call, Pages, Position
from bitget_async.rules import Rulebook, TradingRules

__all__ = ["Market"]

MAX_AGE_S = 300.0


class Market:
    """
    Prices and trading rules, under the exchange's names.

    Every verb raises UsageError (nothing was sent), NotSent, OutcomeUnknown or Refused (`UnknownSymbol`), each may be
    repeated; cancelling one is safe. Symbols are in the exchange's spelling ("BTCUSDT"), prices in quote coin, times in
    Unix milliseconds. Public quotas are counted by address: all clients of this machine share them.

    Args:
        call: makes the calls.
        now_ms: the exchange's clock.
        monotonic_ns: the clock that ages are measured with.
        rulebook: where symbols are kept.
    """

    def __init__(
        self, call: Call, *, now_ms: Callable[[], int], monotonic_ns: Callable[[], int], rulebook: Rulebook
    ) -> None:
        self._call = call
        self._now_ms = now_ms
        self._monotonic_ns = monotonic_ns
        self._rulebook = rulebook
        self._flights: dict[str | None, asyncio.Future[list[Symbol]]] = {}

    # -- rules ------------------------------------------------------------------------------------------------

    async def server_time(self) -> int:
        """
        The exchange's clock in Unix milliseconds.

        Cost: 1 token of time (20 a second per IP).
        Source: https://www.bitget.com/api-doc/common/public/Get-Server-Time, read 2025-11-30.
        """
        told: int = (await self._call(SERVER_TIME)).server_ms
        return told

    async def symbols(self, symbol: str | None = None, *, max_age_s: float = MAX_AGE_S) -> list[Symbol]:
        """
        Trading rules of one symbol or of all, in the exchange's order. They are kept: `place_order` checks by them.

        Callers who ask for the same at once share one request, and its error.

        Args:
            symbol: one symbol, or `None` for all.
            max_age_s: what was told at most so many seconds ago is not asked for again; 0 always asks.

        Cost: 1 token of symbols (20 a second per IP), or none; all of them are more than a megabyte.
        Source: https://www.bitget.com/api-doc/spot/market/Get-Symbols, read 2025-11-30.
        """
        if isinstance(max_age_s, bool) or not isinstance(max_age_s, (int, float)) or not max_age_s >= 0:
            raise UsageError(f"symbols: max_age_s must be a number of seconds from 0, not {max_age_s!r}")
        SYMBOLS.checked({"symbol": symbol})
        while True:
            kept = self._kept(symbol, max_age_s)
            if kept is not None:
                return kept
            flight = self._flights.get(symbol)
            if flight is None:
                return await self._fetch(symbol)
            await asyncio.wait([flight])
            if not flight.cancelled():
                return list(flight.result())

    async def rules(self, symbol: str, *, max_age_s: float = MAX_AGE_S) -> TradingRules:
        """
        Trading rules of one symbol, to round prices and sizes to its grid and to check orders: see `TradingRules`.

        Args: as `symbols`.

        Raises (besides those of every read): UnknownSymbol: the exchange does not list it.

        Cost: 1 token of symbols (20 a second per IP), or none.
        Source: https://www.bitget.com/api-doc/spot/market/Get-Symbols, read 2025-11-30.
        """
        await self.symbols(symbol, max_age_s=max_age_s)
        rules = self._rulebook.rules(symbol)
        if rules is None:
            raise UnknownSymbol("00000", f"no row for {symbol}", http_status=200, endpoint=SYMBOLS.label)
        return rules

    def _kept(self, symbol: str | None, max_age_s: float) -> list[Symbol] | None:
        if not max_age_s:
            return None
        now_ns = self._monotonic_ns()
        if symbol is None:
            return self._rulebook.listing(now_ns, max_age_s)
        row = self._rulebook.row(symbol) if self._rulebook.fresh(symbol, now_ns, max_age_s) else None
        return None if row is None else [row]

    async def _fetch(self, symbol: str | None) -> list[Symbol]:
        flight = self._flights[symbol] = asyncio.get_running_loop().create_future()
        asked_ns = self._monotonic_ns()
        try:
            rows: list[Symbol] = await self._call(SYMBOLS, symbol=symbol)
            self._rulebook.take(rows, asked_ns, whole=symbol is None)
            flight.set_result(rows)
            return list(rows)
        except Exception as error:
            flight.set_exception(error)
            # Read here, for perhaps nobody waits for it.
            flight.exception()
            raise
        finally:
            del self._flights[symbol]
            # Still open if this caller was cancelled: then one of the others asks.
            flight.cancel()

    async def coins(self, coin: str | None = None) -> list[Coin]:
        """
        Coins and the chains on which they move.

        Args: coin: one coin, or `None` for all: about 800 kB.
        Cost: 1 token of coins (3 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-Coin-List, read 2025-11-30.
        """
        rows: list[Coin] = await self._call(COINS, coin=coin)
        return rows

    async def vip_fee_rate(self) -> list[FeeTier]:
        """
        Fee rates and withdrawal limits of each VIP level.

        Cost: 1 token of vip-fee-rate (10 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-VIP-Fee-Rate, read 2025-11-30.
        """
        rows: list[FeeTier] = await self._call(VIP_FEE_RATE)
        return rows

    # -- prices -----------------------------------------------------------------------------------------------

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        """
        Last and best prices, and the last 24 hours: of one symbol (a list of one) or of all.

        Cost: 1 token of tickers (20 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-Tickers, read 2025-11-30.
        """
        rows: list[Ticker] = await self._call(TICKERS, symbol=symbol)
        return rows

    async def orderbook(self, symbol: str, *, step: str | None = None, limit: int | None = None) -> Book:
        """
        The order book, best prices first.

        Args:
            symbol: which.
            step: "step0" (default: every price) to "step5": how far prices are drawn together.
            limit: levels a side, 1 to 150 (the exchange's default).

        Cost: 1 token of orderbook (20 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-Orderbook, read 2025-11-30.
        """
        book: Book = await self._call(ORDERBOOK, symbol=symbol, type=step, limit=limit)
        return book

    async def merge_depth(
        self, symbol: str, *, precision: str | None = None, limit: int | str | None = None
    ) -> MergedBook:
        """
        The order book with prices drawn together.

        Args:
            symbol: which.
            precision: "scale0" (default: every price) to "scale3".
            limit: levels a side: 1, 5, 15, 50 or "max"; 100 where `None`.

        Cost: 1 token of merge-depth (20 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Merge-Orderbook, read 2025-11-30.
        """
        levels = None if limit is None else str(limit)
        book: MergedBook = await self._call(MERGE_DEPTH, symbol=symbol, precision=precision, limit=levels)
        return book

    def candles(
        self,
        symbol: str,
        granularity: str,
        *,
        limit: int = 1000,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[Candle]:
        """
        Recent candles, the unfinished one included: await it for one page, iterate over it for all; see `Pages`. A page
        ascends and is the newest of its range; iterating goes from the newest to the oldest, page by page.

        The exchange keeps about a month of "1min"; older ones: `history_candles`.

        Args:
            symbol, granularity: "1min", "5min", "1h", "1day", "1week", "1M", "1Dutc", ...; there is no "2h".
            limit: rows a page, 1 to 1000.
            start_ms: no candle that began before it.
            end_ms: no candle that began at or after it, as far as the exchange goes by its page.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of candles (20 a second per IP) a page.
        Source: https://www.bitget.com/api-doc/spot/market/Get-Candle-Data, read 2025-11-30.
        """
        given = {"granularity": granularity, "limit": limit, "start_time": start_ms, "end_time": end_ms}
        return self._pages(CANDLES, position, symbol=symbol, **given)

    def history_candles(
        self,
        symbol: str,
        granularity: str,
        *,
        limit: int = 200,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[Candle]:
        """
        Older candles: await it for one page, iterate over it for all; see `Pages`. A page ascends and is the newest of
        its range; iterating goes from the newest to the oldest, page by page.

        Args:
            symbol, granularity: as in `candles`.
            limit: rows a page, 1 to 200.
            start_ms: no candle that began before it. The exchange takes no start: the walk ends there.
            end_ms: no candle that began at or after it; `None`: now.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of history-candles (20 a second per IP) a page; 5 a second were measured, which the limiter
        follows once it was told.
        Source: https://www.bitget.com/api-doc/spot/market/Get-History-Candle-Data, read 2025-11-30.
        """
        given = {"granularity": granularity, "limit": limit, "start_time": start_ms, "end_time": end_ms}
        return self._pages(HISTORY_CANDLES, position, symbol=symbol, **given)

    async def fills(self, symbol: str, *, limit: int | None = None) -> list[MarketFill]:
        """
        The last trades of everybody, newest first.

        Args:
            symbol: which.
            limit: rows, 1 to 500; 100 where `None`, and perhaps never more than 100.

        Cost: 1 token of fills (10 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-Recent-Trades, read 2025-11-30.
        """
        rows: list[MarketFill] = await self._call(MARKET_FILLS, symbol=symbol, limit=limit)
        return rows

    def fills_history(
        self,
        symbol: str,
        *,
        limit: int = 1000,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[MarketFill]:
        """
        Trades of everybody in the last 90 days, newest first: await it for one page, iterate over it for all; see
        `Pages`.

        Args:
            symbol: which.
            limit: rows a page, 1 to 1000.
            id_less_than: only trades older than this trade id.
            start_ms, end_ms: Unix milliseconds; without both the exchange shows the last 7 days. More than 7 days are
                asked in parts, newest first.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of fills-history (10 a second per IP) a page.
        Source: https://www.bitget.com/api-doc/spot/market/Get-Market-Trades, read 2025-11-30.
        """
        given = {"limit": limit, "id_less_than": id_less_than, "start_time": start_ms, "end_time": end_ms}
        return self._pages(MARKET_FILLS_HISTORY, position, symbol=symbol, **given)

    # -- statistics -------------------------------------------------------------------------------------------

    async def auction(self, symbol: str) -> Auction:
        """
        The opening auction of a new symbol; everything is empty when there is none.

        Cost: 1 token of auction (1 a second per IP).
        Source: https://www.bitget.com/api-doc/spot/market/Get-Auction, read 2025-11-30.
        """
        auction: Auction = await self._call(AUCTION, symbol=symbol)
        return auction

    async def fund_flow(self, symbol: str, *, period: str | None = None) -> FundFlow:
        """
        Who bought and sold, by size of account.

        Args:
            symbol: one of `support_symbols`.
            period: "15m" (the exchange's default), "30m", "1h", "2h", "4h" or "1d".

        Cost: 1 token of fund-flow (1 a second per IP).
        Source: https://www.bitget.com/api-doc/common/apidata/Get-Spot-Fund-Flow, read 2025-11-30.
        """
        flow: FundFlow = await self._call(FUND_FLOW, symbol=symbol, period=period)
        return flow

    async def fund_net_flow(self, symbol: str) -> list[NetFlow]:
        """
        What flowed into a symbol, over time.

        Cost: 1 token of fund-net-flow (1 a second per IP).
        Source: https://www.bitget.com/api-doc/common/apidata/Fund-Net-Flow, read 2025-11-30.
        """
        rows: list[NetFlow] = await self._call(FUND_NET_FLOW, symbol=symbol)
        return rows

    async def whale_net_flow(self, symbol: str) -> list[WhaleFlow]:
        """
        What large accounts bought less what they sold, over time.

        Cost: 1 token of whale-net-flow (1 a second per IP).
        Source: https://www.bitget.com/api-doc/common/apidata/Whale-Net-Flow, read 2025-11-30.
        """
        rows: list[WhaleFlow] = await self._call(WHALE_NET_FLOW, symbol=symbol)
        return rows

    async def support_symbols(self) -> SupportSymbols:
        """
        Symbols that the exchange keeps statistics of.

        Cost: 1 token of support-symbols (1 a second per IP).
        Source: https://www.bitget.com/api-doc/common/apidata/Get-Big-Data-Symbol, read 2025-11-30.
        """
        told: SupportSymbols = await self._call(SUPPORT_SYMBOLS)
        return told

    def _pages(self, row: Any, position: Position | None, **given: Any) -> Pages[Any]:
        return Pages(self._call, row, given, now_ms=self._now_ms, position=position)
