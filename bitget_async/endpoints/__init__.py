"""
The catalogue: one row a call, one file a family of the exchange's own documents.

To add a call, add a row (and a record, if its answer is new): it can then be called with
`await client.call(ROW, ...)`, limited, signed, error-mapped, and it is listed in the docs.
"""

from __future__ import annotations

from bitget_async.endpoints import account, common, market, trade, trigger, wallet
from bitget_async.endpoints.account import (
    ACCOUNT_INFO,
    ACCOUNT_UPGRADE,
    ASSETS,
    BILLS,
    DEDUCT_INFO,
    SUB_MAIN_TRANS_RECORD,
    SUBACCOUNT_ASSETS,
    SWITCH_DEDUCT,
    TRANSFER_RECORDS,
    UPGRADE_STATUS,
)
from bitget_async.endpoints.common import (
    ALL_ACCOUNT_BALANCE,
    ALL_TRADE_RATE,
    BOT_ASSETS,
    FUNDING_ASSETS,
    TAX_SPOT_RECORD,
    TRADE_RATE,
)
from bitget_async.endpoints.market import (
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
from bitget_async.endpoints.row import Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.endpoints.trade import (
    BATCH_CANCEL_ORDER,
    BATCH_CANCEL_REPLACE_ORDER,
    BATCH_ORDERS,
    CANCEL_ORDER,
    CANCEL_REPLACE_ORDER,
    CANCEL_SYMBOL_ORDER,
    FILLS,
    HISTORY_ORDERS,
    ORDER_INFO,
    PLACE_ORDER,
    UNFILLED_ORDERS,
)
from bitget_async.endpoints.trigger import (
    BATCH_CANCEL_PLAN_ORDER,
    CANCEL_PLAN_ORDER,
    CURRENT_PLAN_ORDER,
    HISTORY_PLAN_ORDER,
    MODIFY_PLAN_ORDER,
    PLACE_PLAN_ORDER,
    PLAN_SUB_ORDER,
)
from bitget_async.endpoints.wallet import (
    DEPOSIT_ADDRESS,
    DEPOSIT_RECORDS,
    SUBACCOUNT_DEPOSIT_ADDRESS,
    SUBACCOUNT_DEPOSIT_RECORDS,
    SUBACCOUNT_TRANSFER,
    TRANSFER_COIN_INFO,
    WALLET_TRANSFER,
    WITHDRAWAL_RECORDS,
)

__all__ = [
    "ACCOUNT_INFO",
    "ACCOUNT_UPGRADE",
    "ALL_ACCOUNT_BALANCE",
    "ALL_TRADE_RATE",
    "ASSETS",
    "AUCTION",
    "BATCH_CANCEL_ORDER",
    "BATCH_CANCEL_PLAN_ORDER",
    "BATCH_CANCEL_REPLACE_ORDER",
    "BATCH_ORDERS",
    "BILLS",
    "BOT_ASSETS",
    "CANCEL_ORDER",
    "CANCEL_PLAN_ORDER",
    "CANCEL_REPLACE_ORDER",
    "CANCEL_SYMBOL_ORDER",
    "CANDLES",
    "CATALOGUE",
    "COINS",
    "CURRENT_PLAN_ORDER",
    "DEDUCT_INFO",
    "DEPOSIT_ADDRESS",
    "DEPOSIT_RECORDS",
    "FILLS",
    "FUNDING_ASSETS",
    "FUND_FLOW",
    "FUND_NET_FLOW",
    "HISTORY_CANDLES",
    "HISTORY_ORDERS",
    "HISTORY_PLAN_ORDER",
    "LEFT_OUT",
    "MARKET_FILLS",
    "MARKET_FILLS_HISTORY",
    "MERGE_DEPTH",
    "MODIFY_PLAN_ORDER",
    "ORDERBOOK",
    "ORDER_INFO",
    "PLACE_ORDER",
    "PLACE_PLAN_ORDER",
    "PLAN_SUB_ORDER",
    "SERVER_TIME",
    "SUBACCOUNT_ASSETS",
    "SUBACCOUNT_DEPOSIT_ADDRESS",
    "SUBACCOUNT_DEPOSIT_RECORDS",
    "SUBACCOUNT_TRANSFER",
    "SUB_MAIN_TRANS_RECORD",
    "SUPPORT_SYMBOLS",
    "SWITCH_DEDUCT",
    "SYMBOLS",
    "TAX_SPOT_RECORD",
    "TICKERS",
    "TRADE_RATE",
    "TRANSFER_COIN_INFO",
    "TRANSFER_RECORDS",
    "UNFILLED_ORDERS",
    "UPGRADE_STATUS",
    "VIP_FEE_RATE",
    "WALLET_TRANSFER",
    "WHALE_NET_FLOW",
    "WITHDRAWAL_RECORDS",
    "Effect",
    "Endpoint",
    "Paging",
    "Param",
    "Quota",
    "Scope",
]

CATALOGUE: tuple[Endpoint, ...] = tuple(
    getattr(family, name) for family in (trade, trigger, account, wallet, common, market) for name in family.__all__
)

_WITHDRAWS = "needs a key that may withdraw, and a trading key must not be one"
LEFT_OUT: dict[str, str] = {
    "POST /api/v2/spot/wallet/withdrawal": _WITHDRAWS,
    "POST /api/v2/spot/wallet/cancel-withdrawal": _WITHDRAWS,
    "POST /api/v2/spot/wallet/modify-deposit-account": "changes where deposits go: not for a trading key",
}
