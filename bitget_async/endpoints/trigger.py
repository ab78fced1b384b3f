"""Trigger (plan) orders: the exchange's pages under "spot/plan"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitget_async.endpoints.checks import amount, client_oid, integer, milliseconds, one_of, order_id, symbol, symbols
from bitget_async.endpoints.items import one_id
from bitget_async.endpoints.row import DAY_MS, KIB, Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.endpoints.trade import ORDER_TYPE, SIDE, STP_MODE
from bitget_async.errors import UsageError
from bitget_async.models import BatchAck, ResultAck, SubOrder, TriggerAck, TriggerPage

__all__ = [
    "BATCH_CANCEL_PLAN_ORDER",
    "CANCEL_PLAN_ORDER",
    "CURRENT_PLAN_ORDER",
    "HISTORY_PLAN_ORDER",
    "MODIFY_PLAN_ORDER",
    "PLACE_PLAN_ORDER",
    "PLAN_SUB_ORDER",
]

PAGES = "https://www.bitget.com/api-doc/spot/plan/"
READ_ON = "2025-11-30"
HOME = "trigger"
ACK = 64 * KIB
LISTED = (
    Param("symbol", symbol),
    Param("limit", integer(1, 100)),
    Param("id_less_than", order_id),
    Param("start_time", milliseconds),
    Param("end_time", milliseconds),
)
BY_ANSWER = Paging(by="answer", key="", limit=100, rows="order_list", span_ms=90 * DAY_MS)


def _executed(given: Mapping[str, Any]) -> None:
    if given["order_type"] == "limit" and "execute_price" not in given:
        raise UsageError("a limit order needs an execute_price")
    if given["order_type"] == "market" and "execute_price" in given:
        raise UsageError("a market order takes no execute_price")


def _modified(given: Mapping[str, Any]) -> None:
    one_id(given)
    _executed(given)


PLACE_PLAN_ORDER = Endpoint(
    name="place_plan_order",
    method="POST",
    path="/api/v2/spot/trade/place-plan-order",
    signed=True,
    # Recorded answers leave 9 after the first call, as of 10 a second: the limiter follows that header.
    quota=Quota(20, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol, required=True),
        Param("side", SIDE, required=True),
        Param("trigger_price", amount, required=True),
        Param("order_type", ORDER_TYPE, required=True),
        Param("execute_price", amount),
        Param("plan_type", one_of("amount", "total")),
        Param("size", amount, required=True),
        Param("trigger_type", one_of("fill_price", "mark_price"), required=True),
        Param("client_oid", client_oid),
        Param("stp_mode", STP_MODE),
    ),
    returns=TriggerAck,
    page=PAGES + "Place-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    check=_executed,
    max_bytes=ACK,
)

MODIFY_PLAN_ORDER = Endpoint(
    name="modify_plan_order",
    method="POST",
    path="/api/v2/spot/trade/modify-plan-order",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("order_id", order_id),
        Param("client_oid", client_oid),
        Param("trigger_price", amount, required=True),
        Param("order_type", ORDER_TYPE, required=True),
        Param("execute_price", amount),
        Param("size", amount, required=True),
    ),
    returns=TriggerAck,
    page=PAGES + "Modify-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    check=_modified,
    max_bytes=ACK,
)

CANCEL_PLAN_ORDER = Endpoint(
    name="cancel_plan_order",
    method="POST",
    path="/api/v2/spot/trade/cancel-plan-order",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.COMMAND,
    params=(Param("order_id", order_id), Param("client_oid", client_oid)),
    returns=ResultAck,
    page=PAGES + "Cancel-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    cancels=True,
    check=one_id,
    max_bytes=ACK,
)

BATCH_CANCEL_PLAN_ORDER = Endpoint(
    name="batch_cancel_plan_orders",
    method="POST",
    path="/api/v2/spot/trade/batch-cancel-plan-order",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.COMMAND,
    # Without the list, or with a key that it does not know, the exchange cancels every trigger order of the account.
    params=(Param("symbol_list", symbols, required=True),),
    returns=BatchAck,
    page=PAGES + "Batch-Cancel-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    cancels=True,
)

CURRENT_PLAN_ORDER = Endpoint(
    name="current_plan_orders",
    method="GET",
    path="/api/v2/spot/trade/current-plan-order",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTED,
    returns=TriggerPage,
    page=PAGES + "Get-Current-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    paging=BY_ANSWER,
)

HISTORY_PLAN_ORDER = Endpoint(
    name="history_plan_orders",
    method="GET",
    path="/api/v2/spot/trade/history-plan-order",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTED,
    returns=TriggerPage,
    page=PAGES + "Get-History-Plan-Order",
    read_on=READ_ON,
    home=HOME,
    paging=BY_ANSWER,
)

PLAN_SUB_ORDER = Endpoint(
    name="plan_sub_orders",
    method="GET",
    path="/api/v2/spot/trade/plan-sub-order",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=(Param("plan_order_id", order_id, required=True),),
    returns=list[SubOrder],
    page=PAGES + "Get-Plan-Sub-Order",
    read_on=READ_ON,
    home=HOME,
)
