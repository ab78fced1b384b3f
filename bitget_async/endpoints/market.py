"""Public calls: the exchange's pages under "spot/market", and the public ones under "common"."""

from __future__ import annotations

from bitget_async.endpoints.checks import coin, cursor, integer, milliseconds, one_of, symbol
from bitget_async.endpoints.row import DAY_MS, KIB, Effect, Endpoint, Paging, Param, Quota, Scope
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
    ServerTime,
    SupportSymbols,
    Symbol,
    Ticker,
    WhaleFlow,
)

__all__ = [
    "AUCTION",
    "CANDLES",
    "COINS",
    "FUND_FLOW",
    "FUND_NET_FLOW",
    "HISTORY_CANDLES",
    "MARKET_FILLS",
    "MARKET_FILLS_HISTORY",
    "MERGE_DEPTH",
    "ORDERBOOK",
    "SERVER_TIME",
    "SUPPORT_SYMBOLS",
    "SYMBOLS",
    "TICKERS",
    "VIP_FEE_RATE",
    "WHALE_NET_FLOW",
]

PAGES = "https://www.bitget.com/api-doc/spot/market/"
COMMON = "https://www.bitget.com/api-doc/common/"
READ_ON = "2025-11-30"
# No dated copy of its page was at hand: names and fields are those that other public clients use.
UNDATED = ""
HOME = "market"
GRANULARITY = one_of(
    *("1min", "3min", "5min", "15min", "30min", "1h", "4h", "6h", "12h", "1day", "3day", "1week", "1M"),
    *("6Hutc", "12Hutc", "1Dutc", "3Dutc", "1Wutc", "1Mutc"),
)

SERVER_TIME = Endpoint(
    name="server_time",
    method="GET",
    path="/api/v2/public/time",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(),
    returns=ServerTime,
    page=COMMON + "public/Get-Server-Time",
    read_on=READ_ON,
    home=HOME,
)

COINS = Endpoint(
    name="coins",
    method="GET",
    path="/api/v2/spot/public/coins",
    signed=False,
    quota=Quota(3, Scope.IP),
    effect=Effect.READ,
    params=(Param("coin", coin),),
    returns=list[Coin],
    page=PAGES + "Get-Coin-List",
    read_on=READ_ON,
    home=HOME,
    # About 800 kB in 2025 without `coin`.,
    max_bytes=16 * 1024 * KIB,
)

SYMBOLS = Endpoint(
    name="symbols",
    method="GET",
    path="/api/v2/spot/public/symbols",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol),),
    returns=list[Symbol],
    page=PAGES + "Get-Symbols",
    read_on=READ_ON,
    home=HOME,
    # 3,169 pairs of about 500 bytes were seen in 2026.,
    max_bytes=16 * 1024 * KIB,
)

VIP_FEE_RATE = Endpoint(
    name="vip_fee_rate",
    method="GET",
    path="/api/v2/spot/market/vip-fee-rate",
    signed=False,
    quota=Quota(10, Scope.IP),
    effect=Effect.READ,
    params=(),
    returns=list[FeeTier],
    page=PAGES + "Get-VIP-Fee-Rate",
    read_on=READ_ON,
    home=HOME,
)

TICKERS = Endpoint(
    name="tickers",
    method="GET",
    path="/api/v2/spot/market/tickers",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol),),
    returns=list[Ticker],
    page=PAGES + "Get-Tickers",
    read_on=READ_ON,
    home=HOME,
    # One row for each of the symbols, about 350 bytes each.,
    max_bytes=16 * 1024 * KIB,
)

ORDERBOOK = Endpoint(
    name="orderbook",
    method="GET",
    path="/api/v2/spot/market/orderbook",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(
        Param("symbol", symbol, required=True),
        Param("type", one_of("step0", "step1", "step2", "step3", "step4", "step5")),
        Param("limit", integer(1, 150)),
    ),
    returns=Book,
    page=PAGES + "Get-Orderbook",
    read_on=READ_ON,
    home=HOME,
)

MERGE_DEPTH = Endpoint(
    name="merge_depth",
    method="GET",
    path="/api/v2/spot/market/merge-depth",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(
        Param("symbol", symbol, required=True),
        Param("precision", one_of("scale0", "scale1", "scale2", "scale3")),
        Param("limit", one_of("1", "5", "15", "50", "max")),
    ),
    returns=MergedBook,
    page=PAGES + "Merge-Orderbook",
    read_on=READ_ON,
    home=HOME,
)

CANDLES = Endpoint(
    name="candles",
    method="GET",
    path="/api/v2/spot/market/candles",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(
        Param("symbol", symbol, required=True),
        Param("granularity", GRANULARITY, required=True),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
        Param("limit", integer(1, 1000)),
    ),
    returns=list[Candle],
    page=PAGES + "Get-Candle-Data",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="time", key="open_ms", limit=1000),
)

HISTORY_CANDLES = Endpoint(
    name="history_candles",
    method="GET",
    path="/api/v2/spot/market/history-candles",
    signed=False,
    # Recorded answers leave 4 after the first call, as of 5 a second: the limiter follows that header.
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(
        Param("symbol", symbol, required=True),
        Param("granularity", GRANULARITY, required=True),
        Param("end_time", milliseconds, required=True),
        Param("limit", integer(1, 200)),
    ),
    returns=list[Candle],
    page=PAGES + "Get-History-Candle-Data",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="time", key="open_ms", limit=200),
)

MARKET_FILLS = Endpoint(
    name="market_fills",
    method="GET",
    path="/api/v2/spot/market/fills",
    signed=False,
    quota=Quota(10, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True), Param("limit", integer(1, 500))),
    returns=list[MarketFill],
    page=PAGES + "Get-Recent-Trades",
    read_on=READ_ON,
    home=HOME,
)

MARKET_FILLS_HISTORY = Endpoint(
    name="market_fills_history",
    method="GET",
    path="/api/v2/spot/market/fills-history",
    signed=False,
    quota=Quota(10, Scope.IP),
    effect=Effect.READ,
    params=(
        Param("symbol", symbol, required=True),
        Param("limit", integer(1, 1000)),
        Param("id_less_than", cursor),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
    ),
    returns=list[MarketFill],
    page=PAGES + "Get-Market-Trades",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="id", key="trade_id", limit=1000, span_ms=7 * DAY_MS, kept_ms=90 * DAY_MS),
)

AUCTION = Endpoint(
    name="auction",
    method="GET",
    path="/api/v2/spot/market/auction",
    signed=False,
    # The documents at hand name no quota: 1 a second is our choice.
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True),),
    returns=Auction,
    page=PAGES + "Get-Auction",
    read_on=UNDATED,
    home=HOME,
    unnamed=True,
)

FUND_FLOW = Endpoint(
    name="fund_flow",
    method="GET",
    path="/api/v2/spot/market/fund-flow",
    signed=False,
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True), Param("period", one_of("15m", "30m", "1h", "2h", "4h", "1d"))),
    returns=FundFlow,
    page=COMMON + "apidata/Get-Spot-Fund-Flow",
    read_on=READ_ON,
    home=HOME,
)

FUND_NET_FLOW = Endpoint(
    name="fund_net_flow",
    method="GET",
    path="/api/v2/spot/market/fund-net-flow",
    signed=False,
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True),),
    returns=list[NetFlow],
    page=COMMON + "apidata/Fund-Net-Flow",
    read_on=READ_ON,
    home=HOME,
)

WHALE_NET_FLOW = Endpoint(
    name="whale_net_flow",
    method="GET",
    path="/api/v2/spot/market/whale-net-flow",
    signed=False,
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True),),
    returns=list[WhaleFlow],
    page=COMMON + "apidata/Whale-Net-Flow",
    read_on=READ_ON,
    home=HOME,
)

SUPPORT_SYMBOLS = Endpoint(
    name="support_symbols",
    method="GET",
    path="/api/v2/spot/market/support-symbols",
    signed=False,
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(),
    returns=SupportSymbols,
    page=COMMON + "apidata/Get-Big-Data-Symbol",
    read_on=READ_ON,
    home=HOME,
)
