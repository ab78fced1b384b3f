"""
Frozen records: what the exchange says, and what a command came to. One file a family of the exchange's documents.

Amounts are `Decimal`, ids are `str`, times are Unix milliseconds of the exchange's clock. A value that the
exchange spells in a way we do not know keeps its text (`OrderStatus.UNKNOWN.value`); a field that cannot be
read is `None` and its wire name stands in `unreadable`. Neither is ever proof of anything.
"""

from __future__ import annotations

from bitget_async.models.account import AccountInfo, Asset
from bitget_async.models.fills import Fill, FillFee
from bitget_async.models.market import ServerTime, Symbol
from bitget_async.models.orders import (
    BatchAck,
    CoinFee,
    FeeDetail,
    OpenOrder,
    Order,
    OrderAck,
    OrderFailure,
    ReplaceAck,
    SymbolAck,
)
from bitget_async.models.record import Record
from bitget_async.models.reports import CancellationReport, Fate, OrderFate, Outcome, Scope
from bitget_async.models.texts import (
    OrderStatus,
    OrderType,
    PlanType,
    Result,
    Side,
    SubOrderStatus,
    TradeScope,
    TriggerStatus,
    TriggerType,
    YesNo,
)
from bitget_async.models.triggers import ResultAck, SubOrder, TriggerAck, TriggerOrder, TriggerPage

__all__ = [
    "AccountInfo",
    "Asset",
    "BatchAck",
    "CancellationReport",
    "CoinFee",
    "Fate",
    "FeeDetail",
    "Fill",
    "FillFee",
    "OpenOrder",
    "Order",
    "OrderAck",
    "OrderFailure",
    "OrderFate",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "PlanType",
    "Record",
    "ReplaceAck",
    "Result",
    "ResultAck",
    "Scope",
    "ServerTime",
    "Side",
    "SubOrder",
    "SubOrderStatus",
    "Symbol",
    "SymbolAck",
    "TradeScope",
    "TriggerAck",
    "TriggerOrder",
    "TriggerPage",
    "TriggerStatus",
    "TriggerType",
    "YesNo",
]
