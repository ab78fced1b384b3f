"""
The desk that takes commands: place and cancel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from bitget_async.sim.call import Call
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Draft, Order
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.venue import Venue

__all__ = ["TradingDesk"]

SECOND_NS = 1_000_000_000
BATCH = 50
EXTRAS = ("presetTakeProfitPrice", "executeTakeProfitPrice", "presetStopLossPrice", "executeStopLossPrice")


class TradingDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._settings = settings
        self._dice = dice
        self._asked: dict[str, int] = {}

    def place_order(self, call: Call) -> object:
        """POST place-order."""
        check_receive_window(call)
        order = self._venue.place(call.account, _draft(call), call.now_ns)
        return {"orderId": order.order_id, "clientOid": order.client_oid}

    def cancel_symbol_order(self, call: Call) -> object:
        """POST cancel-symbol-order: answers at once, takes what is open when it is executed."""
        symbol = call.need("symbol")
        if symbol not in SYMBOLS:
            raise Refusal("40034", symbol)
        uid = call.account.uid
        shelf = self._venue.shelf(uid)
        nothing = self._settings.nothing_open_code
        if nothing is not None and not shelf.open_now(symbol):
            raise Refusal(nothing)
        due_ns = call.now_ns + self._delay_ns(call, usual=draw_ns(self._settings.sweep_delay_s, self._dice.engine))
        self._venue.cancel_later(
            "cancel-symbol-order", uid, symbol, due_ns, call.copy, lambda: self._split(call, shelf.open_now(symbol))
        )
        return {"symbol": symbol}

    def cancel_order(self, call: Call) -> object:
        """POST cancel-order."""
        tpsl = call.params.get("tpslType") == "tpsl"
        if not tpsl:
            call.need("symbol")
        order = self._find(call, call.params.get("orderId"), call.params.get("clientOid"), tpsl=tpsl)
        self._cancel_soon("cancel-order", call, [order])
        return {"orderId": order.order_id, "clientOid": order.client_oid}

    def batch_cancel_order(self, call: Call) -> object:
        """POST batch-cancel-order: every item succeeds or fails by itself."""
        items = call.body.get("orderList")
        if not isinstance(items, list) or not items:
            raise Refusal("40019", "orderList")
        if len(items) > BATCH:
            raise Refusal("40912")
        mixed = any(_text(item, "orderId") for item in items)
        done: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        orders = []
        for item in items:
            order_id, client_oid = _text(item, "orderId"), _text(item, "clientOid")
            try:
                # The page says: do not mix the kinds of ids; those that have only a clientOid then fail.
                if mixed and not order_id:
                    raise Refusal("43001")
                order = self._find(call, order_id, client_oid, tpsl=False)
            except Refusal as refusal:
                names = {"orderId": order_id or "", "clientOid": client_oid or ""}
                failed.append(names | {"errorMsg": refusal.text, "errorCode": refusal.code})
            else:
                orders.append(order)
                done.append({"orderId": order.order_id, "clientOid": order.client_oid})
        self._cancel_soon("batch-cancel-order", call, orders)
        return {"successList": done, "failureList": failed}

    def _find(self, call: Call, order_id: str | None, client_oid: str | None, *, tpsl: bool) -> Order:
        """
        The open order that is to be cancelled. Raises `Refusal` 40913 without an id, 43001 if it is not open, 45129
        if the same was asked for within the last second.
        """
        uid = call.account.uid
        if order_id:
            order = self._venue.orders.get(order_id)
        elif client_oid:
            order = self._venue.shelf(uid).by_client_oid.get(client_oid)
        else:
            raise Refusal("40913", "orderId or clientOid")
        name = f"{uid}/{order.order_id if order is not None else order_id or client_oid}"
        asked_ns = self._asked.get(name)
        self._asked[name] = call.now_ns
        if asked_ns is not None and call.now_ns - asked_ns < SECOND_NS:
            raise Refusal("45129")
        if len(self._asked) > 10_000:
            self._asked = {n: t for n, t in self._asked.items() if call.now_ns - t < SECOND_NS}
        if order is None or order.uid != uid or not order.is_open or order.draft.tpsl is not tpsl:
            raise Refusal("43001")
        return order

    def _cancel_soon(self, endpoint: str, call: Call, orders: list[Order]) -> None:
        if not orders:
            return
        usual = draw_ns(self._settings.cancel_delay_s, self._dice.engine)
        due_ns = call.now_ns + self._delay_ns(call, usual=usual)
        symbol = call.params.get("symbol") or orders[0].symbol
        self._venue.cancel_later(
            endpoint, call.account.uid, symbol, due_ns, call.copy, lambda: self._split(call, orders)
        )

    def _delay_ns(self, call: Call, *, usual: int) -> int:
        fault = call.fault
        if fault is None:
            return usual
        if fault.never:
            return NEVER_NS
        return usual if fault.late_s is None else draw_ns(fault.late_s, self._dice.faults)

    def _split(self, call: Call, orders: list[Order]) -> tuple[Iterable[Order], Iterable[Order]]:
        """What an execution takes and what a fault makes it miss."""
        survivors = call.fault.survivors if call.fault is not None else None
        if survivors is None:
            return orders, []
        if isinstance(survivors, tuple):
            lucky = set(survivors)
        else:
            count = math.ceil(survivors * len(orders))
            lucky = {order.order_id for order in self._dice.faults.sample(orders, count)}
        return [o for o in orders if o.order_id not in lucky], [o for o in orders if o.order_id in lucky]


def check_receive_window(call: Call) -> None:
    """`requestTime` and `receiveWindow`, both in ms. Raises `Refusal` 40079 for too wide a window, 40078 outside it."""
    sent_ms, window_ms = call.integer("requestTime"), call.integer("receiveWindow")
    if window_ms is not None and window_ms >= 60_000:
        raise Refusal("40079")
    if sent_ms is not None and window_ms is not None and call.now_ms - sent_ms > window_ms:
        raise Refusal("40078")


def _draft(call: Call) -> Draft:
    symbol = call.need("symbol")
    if symbol not in SYMBOLS:
        raise Refusal("40034", symbol)
    side, order_type = call.need("side"), call.need("orderType")
    # A recorded client sends the force in upper case and is served.
    force = call.params.get("force", "gtc").lower()
    tpsl = call.params.get("tpslType") == "tpsl"
    _check(side in ("buy", "sell"), "side")
    _check(order_type in ("limit", "market"), "orderType")
    _check(force in ("gtc", "post_only", "ioc", "fok"), "force")
    return Draft(
        symbol=symbol,
        side=side,
        order_type=order_type,
        force=force,
        size=_amount(call, "size"),
        price=_amount(call, "price") if order_type == "limit" else Decimal(0),
        client_oid="" if tpsl else call.params.get("clientOid", ""),
        tpsl=tpsl,
        trigger_price=_amount(call, "triggerPrice") if tpsl else None,
        extras={name: call.params[name] for name in EXTRAS if name in call.params},
    )


def _amount(call: Call, name: str) -> Decimal:
    try:
        amount = Decimal(call.need(name))
    except InvalidOperation:
        raise Refusal("40017", name) from None
    _check(amount.is_finite() and amount > 0, name)
    return amount


def _check(right: bool, name: str) -> None:
    if not right:
        raise Refusal("40017", name)


def _text(item: object, name: str) -> str | None:
    value = item.get(name) if isinstance(item, dict) else None
    return None if value is None else str(value)
