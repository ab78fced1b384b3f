"""Spot trade: the exchange's pages under "spot/trade"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitget_async.endpoints.checks import (
    amount,
    client_oid,
    integer,
    milliseconds,
    one_of,
    order_id,
    price_text,
    symbol,
)
from bitget_async.endpoints.items import Items, id_items, one_id, one_mode
from bitget_async.endpoints.row import DAY_MS, KIB, Effect, Endpoint, Fields, Paging, Param, Quota, Scope
from bitget_async.errors import UsageError
from bitget_async.models import BatchAck, Fill, OpenOrder, Order, OrderAck, ReplaceAck, SymbolAck
from bitget_async.models.glances import OrderGlance

__all__ = [
    "BATCH_CANCEL_ORDER",
    "BATCH_CANCEL_REPLACE_ORDER",
    "BATCH_ORDERS",
    "CANCEL_ORDER",
    "CANCEL_REPLACE_ORDER",
    "CANCEL_SYMBOL_ORDER",
    "FILLS",
    "HISTORY_ORDERS",
    "ORDER_INFO",
    "PLACE_ORDER",
    "UNFILLED_ORDERS",
]

PAGES = "https://www.bitget.com/api-doc/spot/trade/"
READ_ON = "2025-11-30"
ACK = 64 * KIB
WINDOW = (Param("request_time", milliseconds), Param("receive_window", integer(1, 59_999)))
SIDE = one_of("buy", "sell")
ORDER_TYPE = one_of("limit", "market")
STP_MODE = one_of("none", "cancel_taker", "cancel_maker", "cancel_both")
BATCH_MODE = Param("batch_mode", one_of("single", "multiple"))
PRESETS = (
    Param("preset_take_profit_price", amount),
    Param("execute_take_profit_price", price_text),
    Param("preset_stop_loss_price", amount),
    Param("execute_stop_loss_price", price_text),
)
PLACED = (
    Param("side", SIDE, required=True),
    Param("order_type", ORDER_TYPE, required=True),
    Param("force", one_of("gtc", "post_only", "fok", "ioc")),
    Param("price", amount),
    Param("size", amount, required=True),
    Param("client_oid", client_oid),
)
REPLACED = (
    Param("symbol", symbol, required=True),
    Param("price", amount, required=True),
    Param("size", amount, required=True),
    Param("order_id", order_id),
    Param("client_oid", client_oid),
    Param("new_client_oid", client_oid),
    *PRESETS,
)


def _priced(given: Mapping[str, Any]) -> None:
    if given["order_type"] == "limit" and "price" not in given and given.get("tpsl_type") != "tpsl":
        raise UsageError("a limit order needs a price")
    if given["order_type"] == "market" and "price" in given:
        raise UsageError("a market order takes no price")
    if (given.get("tpsl_type") == "tpsl") != ("trigger_price" in given):
        raise UsageError('trigger_price goes with tpsl_type="tpsl", and is needed there')


def _cancel_one(given: Mapping[str, Any]) -> None:
    one_id(given)
    tpsl = given.get("tpsl_type") == "tpsl"
    if tpsl and "order_id" not in given:
        raise UsageError("a tpsl order is named by order_id")
    if not tpsl and "symbol" not in given:
        raise UsageError("symbol is missing")


PLACE_ORDER = Endpoint(
    name="place_order",
    method="POST",
    path="/api/v2/spot/trade/place-order",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol, required=True),
        *PLACED,
        Param("tpsl_type", one_of("normal", "tpsl")),
        Param("trigger_price", amount),
        Param("stp_mode", STP_MODE),
        *PRESETS,
        *WINDOW,
    ),
    returns=OrderAck,
    page=PAGES + "Place-Order",
    read_on=READ_ON,
    check=_priced,
    max_bytes=ACK,
    dated=True,
)

BATCH_ORDERS = Endpoint(
    name="batch_orders",
    method="POST",
    path="/api/v2/spot/trade/batch-orders",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol),
        BATCH_MODE,
        Param(
            "order_list",
            Items(
                Fields((Param("symbol", symbol), *PLACED, Param("stp_mode", STP_MODE), *PRESETS), _priced),
                once=("client_oid",),
            ),
            required=True,
        ),
    ),
    returns=BatchAck,
    page=PAGES + "Batch-Place-Orders",
    read_on=READ_ON,
    check=one_mode,
    max_bytes=ACK,
)

CANCEL_ORDER = Endpoint(
    name="cancel_order",
    method="POST",
    path="/api/v2/spot/trade/cancel-order",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol),
        Param("order_id", order_id),
        Param("client_oid", client_oid),
        Param("tpsl_type", one_of("normal", "tpsl")),
    ),
    returns=OrderAck,
    page=PAGES + "Cancel-Order",
    read_on=READ_ON,
    cancels=True,
    check=_cancel_one,
    max_bytes=ACK,
)

BATCH_CANCEL_ORDER = Endpoint(
    name="batch_cancel_orders",
    method="POST",
    path="/api/v2/spot/trade/batch-cancel-order",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol),
        BATCH_MODE,
        Param("order_list", id_items, required=True),
    ),
    returns=BatchAck,
    page=PAGES + "Batch-Cancel-Orders",
    read_on=READ_ON,
    cancels=True,
    check=one_mode,
    max_bytes=ACK,
)

CANCEL_REPLACE_ORDER = Endpoint(
    name="cancel_replace_order",
    method="POST",
    path="/api/v2/spot/trade/cancel-replace-order",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.COMMAND,
    params=REPLACED,
    returns=ReplaceAck,
    page=PAGES + "Cancel-Replace-Order",
    read_on=READ_ON,
    check=one_id,
    max_bytes=ACK,
)

BATCH_CANCEL_REPLACE_ORDER = Endpoint(
    name="batch_cancel_replace_orders",
    method="POST",
    path="/api/v2/spot/trade/batch-cancel-replace-order",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param(
            "order_list",
            Items(Fields(REPLACED, one_id), once=("order_id", "client_oid", "new_client_oid")),
            required=True,
        ),
    ),
    returns=list[ReplaceAck],
    page=PAGES + "Batch-Cancel-Replace-Order",
    read_on=READ_ON,
    max_bytes=ACK,
)

CANCEL_SYMBOL_ORDER = Endpoint(
    name="cancel_symbol_orders",
    method="POST",
    path="/api/v2/spot/trade/cancel-symbol-order",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.COMMAND,
    params=(Param("symbol", symbol, required=True),),
    returns=SymbolAck,
    page=PAGES + "Cancel-Symbol-Orders",
    read_on=READ_ON,
    cancels=True,
    max_bytes=ACK,
)

ORDER_INFO = Endpoint(
    name="order_info",
    method="GET",
    path="/api/v2/spot/trade/orderInfo",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=(Param("order_id", order_id), Param("client_oid", client_oid), *WINDOW),
    returns=list[Order],
    page=PAGES + "Get-Order-Info",
    read_on=READ_ON,
    check=one_id,
    max_bytes=ACK,
)

LISTING = (
    Param("symbol", symbol),
    Param("start_time", milliseconds),
    Param("end_time", milliseconds),
    Param("id_less_than", order_id),
    Param("limit", integer(1, 100)),
    Param("order_id", order_id),
)
LISTED = (*LISTING, Param("tpsl_type", one_of("normal", "tpsl")), *WINDOW)

UNFILLED_ORDERS = Endpoint(
    name="unfilled_orders",
    method="GET",
    path="/api/v2/spot/trade/unfilled-orders",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTED,
    returns=list[OpenOrder],
    page=PAGES + "Get-Unfilled-Orders",
    read_on=READ_ON,
    paging=Paging(by="id", key="order_id", limit=100),
)

HISTORY_ORDERS = Endpoint(
    name="history_orders",
    method="GET",
    path="/api/v2/spot/trade/history-orders",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTED,
    returns=list[Order],
    page=PAGES + "Get-History-Orders",
    read_on=READ_ON,
    # The page names no longest range. Codes 40704 and 40705 speak of 90 days and three months: a third is safe.
    paging=Paging(by="id", key="order_id", limit=100, span_ms=30 * DAY_MS, kept_ms=90 * DAY_MS),
    glance=OrderGlance,
)

FILLS = Endpoint(
    name="fills",
    method="GET",
    path="/api/v2/spot/trade/fills",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=LISTING,
    returns=list[Fill],
    page=PAGES + "Get-Fills",
    read_on=READ_ON,
    paging=Paging(by="id", key="trade_id", limit=100, span_ms=90 * DAY_MS, kept_ms=90 * DAY_MS),
)
