"""
The asyncio client for the Bitget spot exchange that waits for the proof.

    async with BitgetClient(Credentials.from_env()) as client:
        pending = await client.cancel_symbol_orders("BTCUSDT")   # taken by the exchange
        await pending.cleared()                                  # none of the orders is open any more
        report = await pending                                   # every order accounted for
"""

from __future__ import annotations

from bitget_async.cancellation import PendingCancellation
from bitget_async.client import BitgetClient
from bitget_async.credentials import Credentials
from bitget_async.errors import (
    AccountModeMismatch,
    AuthenticationFailed,
    BitgetError,
    CancellationUnconfirmed,
    ClockSkewed,
    DuplicateClientOid,
    InsufficientFunds,
    NothingToCancel,
    NotSent,
    OrderAlreadyFinal,
    OrderNotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    UnknownSymbol,
    UsageError,
)
from bitget_async.limits import Limits, LocalLimits, Unlimited
from bitget_async.models import (
    AccountInfo,
    Asset,
    BatchAck,
    CancellationReport,
    Fate,
    FeeDetail,
    Order,
    OrderAck,
    OrderFailure,
    OrderFate,
    OrderStatus,
    OrderType,
    Outcome,
    Scope,
    Side,
    Symbol,
)
from bitget_async.rules import TradingRules

__all__ = [
    "AccountInfo",
    "AccountModeMismatch",
    "Asset",
    "AuthenticationFailed",
    "BatchAck",
    "BitgetClient",
    "BitgetError",
    "CancellationReport",
    "CancellationUnconfirmed",
    "ClockSkewed",
    "Credentials",
    "DuplicateClientOid",
    "Fate",
    "FeeDetail",
    "InsufficientFunds",
    "Limits",
    "LocalLimits",
    "NotSent",
    "NothingToCancel",
    "Order",
    "OrderAck",
    "OrderAlreadyFinal",
    "OrderFailure",
    "OrderFate",
    "OrderNotFound",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "OutcomeUnknown",
    "PendingCancellation",
    "PermissionDenied",
    "RateLimited",
    "Refused",
    "Scope",
    "Side",
    "Symbol",
    "TradingRules",
    "UnknownSymbol",
    "Unlimited",
    "UsageError",
]
