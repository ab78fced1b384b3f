"""Spot trade: the exchange's pages under "spot/trade"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitget_async.endpoints.checks import (
    amount,
    client_oid,
    id_items,
    integer,
    milliseconds,
    one_of,
    order_id,
    price_text,
    symbol,
)
from bitget_async.endpoints.row import KIB, Effect, Endpoint, Param, Quota, Scope
from bitget_async.errors import UsageError
from bitget_async.models import BatchAck, OpenOrder, Order, OrderAck, SymbolAck

__all__ = [
    "BATCH_CANCEL_ORDER",
    "CANCEL_ORDER",
    "CANCEL_SYMBOL_ORDER",
    "HISTORY_ORDERS",
    "ORDER_INFO",
    "PLACE_ORDER",
    "UNFILLED_ORDERS",
]

PAGES = "https://www.bitget.com/api-doc/spot/trade/"
READ_ON = "2025-11-30"
ACK = 64 * KIB
WINDOW = (Param("request_time", milliseconds), Param("receive_window", integer(1, 59_999)))


def _priced(given: Mapping[str, Any]) -> None:
    if given["order_type"] == "limit" and "price" not in given and given.get("tpsl_type") != "tpsl":
        raise UsageError("place_order: a limit order needs a price")
    if given["order_type"] == "market" and "price" in given:
        raise UsageError("place_order: a market order takes no price")
    if (given.get("tpsl_type") == "tpsl") != ("trigger_price" in given):
        raise UsageError('place_order: trigger_price goes with tpsl_type="tpsl", and is needed there')


def _one_id(call: str) -> Any:
    def check(given: Mapping[str, Any]) -> None:
        if ("order_id" in given) == ("client_oid" in given):
            raise UsageError(f"{call}: give either order_id or client_oid")

    return check


_one_to_cancel = _one_id("cancel_order")


def _cancel_one(given: Mapping[str, Any]) -> None:
    _one_to_cancel(given)
    tpsl = given.get("tpsl_type") == "tpsl"
    if tpsl and "order_id" not in given:
        raise UsageError("cancel_order: a tpsl order is named by order_id")
    if not tpsl and "symbol" not in given:
        raise UsageError("cancel_order: symbol is missing")


PLACE_ORDER = Endpoint(
    name="place_order",
    method="POST",
    path="/api/v2/spot/trade/place-order",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=(
        Param("symbol", symbol, required=True),
        Param("side", one_of("buy", "sell"), required=True),
        Param("order_type", one_of("limit", "market"), required=True),
        Param("force", one_of("gtc", "post_only", "fok", "ioc")),
        Param("price", amount),
        Param("size", amount, required=True),
        Param("client_oid", client_oid),
        Param("tpsl_type", one_of("normal", "tpsl")),
        Param("trigger_price", amount),
        Param("stp_mode", one_of("none", "cancel_taker", "cancel_maker", "cancel_both")),
        Param("preset_take_profit_price", amount),
        Param("execute_take_profit_price", price_text),
        Param("preset_stop_loss_price", amount),
        Param("execute_stop_loss_price", price_text),
        *WINDOW,
    ),
    returns=OrderAck,
    page=PAGES + "Place-Order",
    read_on=READ_ON,
    check=_priced,
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
        Param("symbol", symbol, required=True),
        Param("order_list", id_items, required=True),
    ),
    returns=BatchAck,
    page=PAGES + "Batch-Cancel-Orders",
    read_on=READ_ON,
    cancels=True,
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
    check=_one_id("order_info"),
    max_bytes=ACK,
)

LISTING = (
    Param("symbol", symbol),
    Param("start_time", milliseconds),
    Param("end_time", milliseconds),
    Param("id_less_than", order_id),
    Param("limit", integer(1, 100)),
    Param("order_id", order_id),
    Param("tpsl_type", one_of("normal", "tpsl")),
    *WINDOW,
)

UNFILLED_ORDERS = Endpoint(
    name="unfilled_orders",
    method="GET",
    path="/api/v2/spot/trade/unfilled-orders",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTING,
    returns=list[OpenOrder],
    page=PAGES + "Get-Unfilled-Orders",
    read_on=READ_ON,
)

HISTORY_ORDERS = Endpoint(
    name="history_orders",
    method="GET",
    path="/api/v2/spot/trade/history-orders",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=LISTING,
    returns=list[Order],
    page=PAGES + "Get-History-Orders",
    read_on=READ_ON,
)
