"""
The desk that takes orders: one, or a batch.
"""

from __future__ import annotations

from bitget_async.sim.after import delay_ns
from bitget_async.sim.call import Call
from bitget_async.sim.drafts import read_draft
from bitget_async.sim.orders import Draft
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.rules import OrderRules
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.trading import batch_items, check_receive_window, chosen, struck_items
from bitget_async.sim.venue import Venue

__all__ = ["PlacingDesk", "missed_items"]

BATCH = 50


class PlacingDesk:
    """Every method named like an endpoint answers it: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._settings = settings
        self._dice = dice
        self._rules = OrderRules(venue, settings)

    def place_order(self, call: Call) -> object:
        """POST place-order."""
        check_receive_window(call)
        missed = missed_items(call, [call.params], self._dice)
        order_id, client_oid = self._accept(call, read_draft(call, self._settings), missed=bool(missed))
        return {"orderId": order_id, "clientOid": client_oid}

    def batch_orders(self, call: Call) -> object:
        """POST batch-orders: every item succeeds or fails by itself, in an answer that says success either way."""
        items = batch_items(call, self._settings.batch_limit, most=BATCH, too_many="40306")
        fields = [item.params for item in items]
        missed, struck = missed_items(call, fields, self._dice), struck_items(call, fields, self._dice)
        done: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        for index, item in enumerate(items):
            inner = call.fault.inner if call.fault is not None and index in struck else None
            try:
                draft = read_draft(item, self._settings)
                if inner is None or inner.executed:
                    order_id, client_oid = self._accept(item, draft, missed=index in missed)
                if inner is not None:
                    raise Refusal(inner.code, text=inner.text)
            except Refusal as refusal:
                names = {"orderId": "", "clientOid": item.params.get("clientOid", "")}
                failed.append(names | {"errorMsg": refusal.text, "errorCode": refusal.code})
            else:
                done.append({"orderId": order_id, "clientOid": client_oid})
        return {"successList": done, "failureList": failed}

    def create(self, call: Call, draft: Draft, now_ns: int, names: tuple[str, str] | None = None) -> tuple[str, str]:
        """Make the order, held to the rules; `names` were given out before. Returns its names. Raises `Refusal`."""
        self._rules.check(call.account, draft)
        order_id, client_oid = names or (None, None)
        order = self._venue.place(call.account, draft, now_ns, order_id=order_id, client_oid=client_oid, copy=call.copy)
        return order.order_id, order.client_oid

    def _accept(self, call: Call, draft: Draft, *, missed: bool) -> tuple[str, str]:
        """Check and number an order; it comes into being now, later, or by a fault never."""
        usual_ns = draw_ns(self._settings.place_delay_s, self._dice.engine)
        wait_ns = NEVER_NS if missed else delay_ns(call, usual_ns, self._dice)
        if wait_ns == 0:
            return self.create(call, draft, call.now_ns)
        self._rules.check(call.account, draft)
        self._venue.check(call.account, draft)
        names = self._venue.names(draft)
        self._venue.timeline.at(call.now_ns + wait_ns, lambda now_ns: self.create_late(call, draft, now_ns, names))
        return names

    def create_late(self, call: Call, draft: Draft, now_ns: int, names: tuple[str, str]) -> None:
        """Make an order that was acknowledged before, under the names that were given out."""
        try:
            self.create(call, draft, now_ns, names)
        except Refusal:
            # It was acknowledged, and now there is no money for it, or no room: it never comes into being.
            return


def missed_items(call: Call, items: list[dict[str, str]], dice: Dice) -> set[int]:
    """Which items are acknowledged and then silently forgotten, by a fault."""
    survivors = call.fault.survivors if call.fault is not None else None
    return set() if survivors is None else chosen(survivors, items, dice)
