"""
The catalogue: one row a call, one file a family of the exchange's own documents.

To add a call, add a row (and a record, if its answer is new): it can then be called with
`await client.call(ROW, ...)`, limited, signed, error-mapped, and it is listed in the docs.
"""

from __future__ import annotations

from bitget_async.endpoints import account, public, trade, trigger
from bitget_async.endpoints.account import ACCOUNT_INFO, ASSETS
from bitget_async.endpoints.public import SERVER_TIME, SYMBOLS
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

__all__ = [
    "ACCOUNT_INFO",
    "ASSETS",
    "BATCH_CANCEL_ORDER",
    "BATCH_CANCEL_PLAN_ORDER",
    "BATCH_CANCEL_REPLACE_ORDER",
    "BATCH_ORDERS",
    "CANCEL_ORDER",
    "CANCEL_PLAN_ORDER",
    "CANCEL_REPLACE_ORDER",
    "CANCEL_SYMBOL_ORDER",
    "CATALOGUE",
    "CURRENT_PLAN_ORDER",
    "FILLS",
    "HISTORY_ORDERS",
    "HISTORY_PLAN_ORDER",
    "MODIFY_PLAN_ORDER",
    "ORDER_INFO",
    "PLACE_ORDER",
    "PLACE_PLAN_ORDER",
    "PLAN_SUB_ORDER",
    "SERVER_TIME",
    "SYMBOLS",
    "UNFILLED_ORDERS",
    "Effect",
    "Endpoint",
    "Paging",
    "Param",
    "Quota",
    "Scope",
]

CATALOGUE: tuple[Endpoint, ...] = tuple(
    getattr(family, name) for family in (public, account, trade, trigger) for name in family.__all__
)
