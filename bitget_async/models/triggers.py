"""Trigger (plan) orders: they wait for a price, and then make a spot order."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names
from bitget_async.models.texts import OrderType, PlanType, Result, Side, SubOrderStatus, TriggerStatus, TriggerType

__all__ = ["ResultAck", "SubOrder", "TriggerAck", "TriggerOrder", "TriggerPage"]


class TriggerOrder(Amounts, frozen=True, kw_only=True, rename=wire_names(created_ms="cTime", updated_ms="uTime")):
    """
    One trigger order as the exchange last told it. It is no spot order: it has ids and listings of its own, freezes
    nothing before it fires, and then makes a spot order with another id (`SubOrder`).

    Attributes:
        order_id, client_oid: its own names; digits as a string, and the caller's text.
        symbol: exchange spelling, upper case.
        size: in base coin with plan type `amount`, in QUOTE coin with `total`.
        trigger_price: the price it waits for, in quote coin.
        execute_price: limit price of the order that it makes; `None` or 0 for a market order.
        status, order_type, side, plan_type, trigger_type: enums that keep unknown texts.
        enter_point_source: `API`, `WEB`, `APP`, ...: where it came from.
        created_ms, updated_ms: exchange time of creation and of the last change, or `None` if not told.
    """

    order_id: str = ""
    client_oid: str = ""
    symbol: str = ""
    size: Decimal | None = None
    trigger_price: Decimal | None = None
    execute_price: Decimal | None = None
    status: TriggerStatus = TriggerStatus.UNKNOWN
    order_type: OrderType = OrderType.UNKNOWN
    side: Side = Side.UNKNOWN
    plan_type: PlanType = PlanType.UNKNOWN
    trigger_type: TriggerType = TriggerType.UNKNOWN
    enter_point_source: str = ""
    created_ms: int | None = None
    updated_ms: int | None = None


class TriggerPage(Record, frozen=True, kw_only=True, rename="camel"):
    """
    One page of trigger orders.

    Attributes:
        next_flag: whether there are older ones; `None` if the exchange did not say.
        id_less_than: what to ask for the next page with.
        order_list: the orders; `None` where the exchange sent `null` or nothing: not the same as an empty list.
    """

    next_flag: bool | None = None
    id_less_than: str | None = None
    order_list: tuple[TriggerOrder, ...] | None = None


class SubOrder(Amounts, frozen=True, kw_only=True, rename=wire_names(order_type="type")):
    """
    The spot order that a trigger order made.

    Attributes:
        order_id: id of the spot order.
        price: its price in quote coin.
        order_type, status: enums that keep unknown texts.
    """

    order_id: str = ""
    price: Decimal | None = None
    order_type: OrderType = OrderType.UNKNOWN
    status: SubOrderStatus = SubOrderStatus.UNKNOWN


class TriggerAck(Record, frozen=True, kw_only=True, rename="camel"):
    """Receipt of a command on one trigger order: taken, not done. `client_oid` is `None` where none was told."""

    order_id: str = ""
    client_oid: str | None = None


class ResultAck(Record, frozen=True, kw_only=True):
    """Receipt of a cancellation of one trigger order: `result` is true only where the exchange said `success`."""

    result: Result = Result.UNKNOWN
