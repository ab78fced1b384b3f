"""
The desk that takes cancellations.
"""

from __future__ import annotations

import dataclasses
import math
from operator import attrgetter

from bitget_async.sim.after import delay_ns, split
from bitget_async.sim.call import Call
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Order
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.venue import Venue

__all__ = ["TradingDesk", "batch_items", "check_receive_window", "chosen", "struck_items"]

SECOND_NS = 1_000_000_000
BATCH = 50
ORDER_ID = attrgetter("order_id")
ID_NAMES = ("orderId", "clientOid", "newClientOid")


class TradingDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._settings = settings
        self._dice = dice
        self._asked: dict[str, int] = {}

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
        due_ns = call.now_ns + delay_ns(call, draw_ns(self._settings.sweep_delay_s, self._dice.engine), self._dice)
        self._venue.cancel_later(
            "cancel-symbol-order",
            uid,
            symbol,
            due_ns,
            call.copy,
            lambda: split(call, shelf.open_now(symbol), ORDER_ID, self._dice),
        )
        return {"symbol": symbol}

    def cancel_order(self, call: Call) -> object:
        """POST cancel-order."""
        tpsl = call.params.get("tpslType") == "tpsl"
        if not tpsl:
            call.need("symbol")
        order = self.find(call, tpsl=tpsl)
        self._cancel_soon("cancel-order", call, [order])
        return {"orderId": order.order_id, "clientOid": order.client_oid}

    def batch_cancel_order(self, call: Call) -> object:
        """POST batch-cancel-order: every item succeeds or fails by itself."""
        items = batch_items(call, self._settings.batch_limit, most=BATCH, too_many="40912")
        mixed = any(item.params.get("orderId") for item in items)
        struck = struck_items(call, [item.params for item in items], self._dice)
        done: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        orders = []
        for index, item in enumerate(items):
            try:
                # The page says: do not mix the kinds of ids; those that have only a clientOid then fail.
                if mixed and not item.params.get("orderId"):
                    raise Refusal("43001")
                item.need("symbol")
                order = self.find(item, tpsl=False)
                inner = call.fault.inner if call.fault is not None and index in struck else None
                if inner is None or inner.executed:
                    orders.append(order)
                if inner is not None:
                    raise Refusal(inner.code, text=inner.text)
            except Refusal as refusal:
                names = {name: item.params.get(name, "") for name in ("orderId", "clientOid")}
                failed.append(names | {"errorMsg": refusal.text, "errorCode": refusal.code})
            else:
                done.append({"orderId": order.order_id, "clientOid": order.client_oid})
        self._cancel_soon("batch-cancel-order", call, orders)
        return {"successList": done, "failureList": failed}

    def find(self, call: Call, *, tpsl: bool) -> Order:
        """
        The open order that is to be cancelled. Raises `Refusal` 40913 without an id, 43001 if it is not open on that
        symbol, 45129 if the same was asked for within the last second.
        """
        order_id, client_oid = call.params.get("orderId"), call.params.get("clientOid")
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
        if call.params.get("symbol", order.symbol) != order.symbol:
            raise Refusal("43001")
        return order

    def _cancel_soon(self, endpoint: str, call: Call, orders: list[Order]) -> None:
        if not orders:
            return
        usual = draw_ns(self._settings.cancel_delay_s, self._dice.engine)
        due_ns = call.now_ns + delay_ns(call, usual, self._dice)
        symbol = orders[0].symbol
        self._venue.cancel_later(
            endpoint, call.account.uid, symbol, due_ns, call.copy, lambda: split(call, orders, ORDER_ID, self._dice)
        )


def check_receive_window(call: Call) -> None:
    """`requestTime` and `receiveWindow`, both in ms. Raises `Refusal` 40079 for too wide a window, 40078 outside it."""
    sent_ms, window_ms = call.integer("requestTime"), call.integer("receiveWindow")
    if window_ms is not None and window_ms >= 60_000:
        raise Refusal("40079")
    if sent_ms is not None and window_ms is not None and call.now_ms - sent_ms > window_ms:
        raise Refusal("40078")


def batch_items(call: Call, limit: int, *, most: int, too_many: str) -> list[Call]:
    """
    The items of a batch, each as a call of its own; `single` mode gives all of them the symbol at the top.

    Raises `Refusal` 40019 without items, 40306 for more than `limit`, `too_many` for more than `most`, 40017 for an
    unknown mode or an item that is no object.
    """
    items = call.body.get("orderList")
    if not isinstance(items, list) or not items:
        raise Refusal("40019", "orderList")
    if len(items) > most:
        raise Refusal(too_many)
    if len(items) > limit:
        raise Refusal("40306")
    mode = call.params.get("batchMode") or "single"
    if mode not in ("single", "multiple"):
        raise Refusal("40017", "batchMode")
    top = {"symbol": call.need("symbol")} if mode == "single" else {}
    if not all(isinstance(item, dict) for item in items):
        raise Refusal("40017", "orderList")
    texts = [{name: str(value) for name, value in item.items() if value is not None} for item in items]
    return [dataclasses.replace(call, params=text | top) for text in texts]


def struck_items(call: Call, items: list[dict[str, str]], dice: Dice) -> set[int]:
    """Which items of a batch an inner failure strikes: a fraction of them, or those with one of the given ids."""
    inner = call.fault.inner if call.fault is not None else None
    return set() if inner is None else chosen(inner.items, items, dice)


def chosen(which: float | tuple[str, ...], items: list[dict[str, str]], dice: Dice) -> set[int]:
    """The places of a fraction of the items (rounded up), or of those that have one of the given ids."""
    if isinstance(which, tuple):
        ids = set(which)
        return {index for index, item in enumerate(items) if ids & {item.get(name) for name in ID_NAMES}}
    return set(dice.faults.sample(range(len(items)), math.ceil(which * len(items))))
