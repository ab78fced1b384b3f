"""
The desk for trigger (plan) orders.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal

from bitget_async.sim.after import delay_ns, split
from bitget_async.sim.call import Call
from bitget_async.sim.drafts import amount, check_client_oid, known_symbol, one_of
from bitget_async.sim.fields import plain
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.pages import Wanted
from bitget_async.sim.refusals import MESSAGES, Refusal
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.trading import struck_items
from bitget_async.sim.triggers import PENDING, Plan, TriggerBook, TriggerMark, TriggerOrder

__all__ = ["TriggerDesk"]

DAY_MS = 86_400_000
CLOSED = "43026"
UNKNOWN = "43025"


class TriggerDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, book: TriggerBook, settings: Settings, dice: Dice) -> None:
        self._book = book
        self._settings = settings
        self._dice = dice
        self._replica_view_ns: dict[int, int] = {}

    def table(self) -> dict[str, Callable[[Call], object]]:
        """Route name -> who answers."""
        return {
            "place-plan-order": self.place,
            "modify-plan-order": self.modify,
            "cancel-plan-order": self.cancel,
            "batch-cancel-plan-order": self.batch_cancel,
            "current-plan-order": self.current,
            "history-plan-order": self.history,
            "plan-sub-order": self.sub_order,
        }

    def place(self, call: Call) -> object:
        """POST place-plan-order: takes effect at once, unless a fault says otherwise."""
        check_client_oid(call.params.get("clientOid", ""), self._settings.client_oid_limit)
        plan = Plan(
            symbol=known_symbol(call),
            side=one_of(call, "side", ("buy", "sell")),
            order_type=one_of(call, "orderType", ("limit", "market")),
            trigger_price=amount(call, "triggerPrice"),
            size=amount(call, "size"),
            execute_price=_execute_price(call),
            plan_type=one_of(call, "planType", ("amount", "total"), usual="amount"),
            trigger_type=one_of(call, "triggerType", ("fill_price", "mark_price")),
            client_oid=call.params.get("clientOid", ""),
        )
        due_ns = call.now_ns + delay_ns(call, 0, self._dice)
        order_id, client_oid = self._book.accept(call.account, plan, call.now_ns, due_ns, call.copy)
        return {"orderId": order_id, "clientOid": client_oid}

    def modify(self, call: Call) -> object:
        """POST modify-plan-order: answers at once, takes effect as late as a cancel does."""
        order = self._live(call)
        plan = dataclasses.replace(
            order.plan,
            trigger_price=amount(call, "triggerPrice"),
            order_type=one_of(call, "orderType", ("limit", "market")),
            size=amount(call, "size"),
            execute_price=_execute_price(call),
        )
        self._book.modify_later(order, plan, self._due_ns(call))
        return _names(order)

    def cancel(self, call: Call) -> object:
        """POST cancel-plan-order: answers at once and is executed later."""
        try:
            order = self._live(call)
        except Refusal as refusal:
            if self._settings.trigger_failure_inside and refusal.code in (CLOSED, UNKNOWN):
                return {"result": "failure"}
            raise
        inner = call.fault.inner if call.fault is not None else None
        if inner is None or inner.executed:
            self._cancel_soon("cancel-plan-order", call, order.plan.symbol, [order])
        return {"result": "success" if inner is None else "failure"}

    def batch_cancel(self, call: Call) -> object:
        """POST batch-cancel-plan-order: all symbols unless `symbolList` names some; any other key is not looked at."""
        symbols = call.body.get("symbolList")
        if symbols is not None and not isinstance(symbols, list):
            raise Refusal("40017", "symbolList")
        for symbol in symbols or ():
            if symbol not in SYMBOLS:
                raise Refusal("40034", str(symbol))
        orders = self._book.pending(call.account.uid, symbols or None)
        inner = call.fault.inner if call.fault is not None else None
        struck = struck_items(call, [_names(order) for order in orders], self._dice)
        done: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        take = []
        for index, order in enumerate(orders):
            told = inner if index in struck else None
            if order.is_live and (told is None or told.executed):
                take.append(order)
            if order.is_live and told is None:
                done.append(_names(order))
            else:
                failed.append(_names(order) | {"errorMsg": MESSAGES[CLOSED] if told is None else told.text})
        self._cancel_soon("batch-cancel-plan-order", call, ",".join(symbols or ()), take)
        return {"successList": done or None, "failureList": failed or None}

    def current(self, call: Call) -> object:
        """GET current-plan-order: live and executing ones, from a replica that lags."""
        wanted = Wanted(call, 20, 100)
        view_ns = self._view_ns(call.now_ns)
        pairs = [(order, mark) for order in self._of(call) if (mark := order.at(view_ns)) is not None]
        return _page(wanted, [(order, mark) for order, mark in pairs if mark.status in PENDING])

    def history(self, call: Call) -> object:
        """GET history-plan-order: final ones of the last days, each visible after a lag of its own."""
        wanted = Wanted(call, 100, 100)
        oldest_ms = call.now_ms - self._settings.history_days * DAY_MS
        return _page(
            wanted,
            [
                (order, order.marks[-1])
                for order in self._of(call)
                if not order.is_pending and order.history_from_ns <= call.now_ns and order.created_ms >= oldest_ms
            ],
        )

    def sub_order(self, call: Call) -> object:
        """GET plan-sub-order: nothing before the price came, then one row."""
        order = self._book.find(call.account.uid, call.need("planOrderId"), None)
        if order is None:
            raise Refusal(UNKNOWN)
        status = {"executing": "in_progress", "executed": "success", "fail_execute": "fail"}.get(order.status)
        if status is None:
            return []
        plan = order.plan
        price = "0" if plan.execute_price is None else plain(plan.execute_price)
        born = "" if order.born is None else order.born.order_id
        return [{"orderId": born, "price": price, "type": plan.order_type, "status": status}]

    def _live(self, call: Call) -> TriggerOrder:
        """The live order of a call. Raises `Refusal` 40913 without an id, 43025 if unknown, 43026 if not live."""
        order_id, client_oid = call.params.get("orderId"), call.params.get("clientOid")
        if not order_id and not client_oid:
            raise Refusal("40913", "orderId or clientOid")
        order = self._book.find(call.account.uid, order_id, client_oid)
        if order is None:
            raise Refusal(UNKNOWN)
        if not order.is_live:
            raise Refusal(CLOSED)
        return order

    def _of(self, call: Call) -> list[TriggerOrder]:
        symbol = call.params.get("symbol") or None
        if symbol is not None and symbol not in SYMBOLS:
            raise Refusal("40034", symbol)
        return [o for o in self._book.of(call.account.uid) if symbol is None or o.plan.symbol == symbol]

    def _cancel_soon(self, endpoint: str, call: Call, symbol: str, orders: list[TriggerOrder]) -> None:
        if orders:
            uid = call.account.uid
            self._book.cancel_later(
                endpoint,
                uid,
                symbol,
                self._due_ns(call),
                call.copy,
                lambda: split(call, orders, lambda order: order.order_id, self._dice),
            )

    def _due_ns(self, call: Call) -> int:
        usual_ns = draw_ns(self._settings.cancel_delay_s, self._dice.triggers)
        return call.now_ns + delay_ns(call, usual_ns, self._dice)

    def _view_ns(self, now_ns: int) -> int:
        """As of when the replica that answers knows the orders. A replica's view never goes back."""
        dice = self._dice.triggers
        replica = dice.randrange(self._settings.replicas)
        lag_ns = min(draw_ns(self._settings.listing_lag_s, dice), round(self._settings.staleness_limit_s * 1e9))
        view_ns = max(now_ns - lag_ns, self._replica_view_ns.get(replica, now_ns - lag_ns))
        self._replica_view_ns[replica] = view_ns
        return view_ns


def _page(wanted: Wanted, pairs: list[tuple[TriggerOrder, TriggerMark]]) -> dict[str, object]:
    """A page, newest id first; `idLessThan` is its lowest id, or empty as recorded."""
    found, more = wanted.page(pairs, lambda pair: (pair[0].number, pair[0].created_ms))
    return {
        "nextFlag": more,
        "idLessThan": found[-1][0].order_id if found else "",
        "orderList": [_row(order, mark) for order, mark in found],
    }


def _row(order: TriggerOrder, mark: TriggerMark) -> dict[str, object]:
    """A row of either listing, with the plan type in upper case as the exchange really spells it."""
    plan = mark.plan
    return {
        "orderId": order.order_id,
        "clientOid": order.client_oid,
        "symbol": plan.symbol,
        "size": plain(plan.size),
        "planType": plan.plan_type.upper(),
        "executePrice": None if plan.execute_price is None else plain(plan.execute_price),
        "triggerPrice": plain(plan.trigger_price),
        "status": mark.status,
        "orderType": plan.order_type,
        "side": plan.side,
        "triggerType": plan.trigger_type,
        "enterPointSource": plan.source,
        "cTime": str(order.created_ms),
        "uTime": str(mark.time_ms),
    }


def _names(order: TriggerOrder) -> dict[str, str]:
    return {"orderId": order.order_id, "clientOid": order.client_oid}


def _execute_price(call: Call) -> Decimal | None:
    return amount(call, "executePrice") if call.params.get("orderType") == "limit" else None
