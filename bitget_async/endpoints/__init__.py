"""
The catalogue: one row a call, one file a family of the exchange's own documents.

To add a call, add a row (and a record, if its answer is new): it can then be called with
`await client.call(ROW, ...)`, limited, signed, error-mapped, and it is listed in the docs.
"""

from __future__ import annotations

from bitget_async.endpoints import account, public, trade
from bitget_async.endpoints.account import ACCOUNT_INFO, ASSETS
from bitget_async.endpoints.public import SERVER_TIME, SYMBOLS
from bitget_async.endpoints.row import Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.endpoints.trade import (
    BATCH_CANCEL_ORDER,
    CANCEL_ORDER,
    CANCEL_SYMBOL_ORDER,
    HISTORY_ORDERS,
    ORDER_INFO,
    PLACE_ORDER,
    UNFILLED_ORDERS,
)

__all__ = [
    "ACCOUNT_INFO",
    "ASSETS",
    "BATCH_CANCEL_ORDER",
    "CANCEL_ORDER",
    "CANCEL_SYMBOL_ORDER",
    "CATALOGUE",
    "HISTORY_ORDERS",
    "ORDER_INFO",
    "PLACE_ORDER",
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
    getattr(family, name) for family in (public, account, trade) for name in family.__all__
)
