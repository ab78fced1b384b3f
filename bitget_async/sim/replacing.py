"""
The desk that cancels an order and places another in its stead, in two steps of which only the first may succeed.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import NamedTuple

from bitget_async.sim.after import delay_ns
from bitget_async.sim.call import Call
from bitget_async.sim.drafts import amount, check_client_oid, extras, known_symbol
from bitget_async.sim.orders import Draft, Order
from bitget_async.sim.placing import PlacingDesk, missed_items
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.trading import TradingDesk, batch_items, struck_items
from bitget_async.sim.venue import Venue

__all__ = ["ReplacingDesk"]

BATCH = 50
DEAD = "The order has been filled or cancelled"
Row = dict[str, str | None]


class Change(NamedTuple):
    """What the new order has of its own; the rest is the old one's."""

    price: Decimal
    size: Decimal
    client_oid: str
    extras: dict[str, str]


class ReplacingDesk:
    """Every public method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(
        self, venue: Venue, settings: Settings, dice: Dice, trading: TradingDesk, placing: PlacingDesk
    ) -> None:
        self._venue = venue
        self._settings = settings
        self._dice = dice
        self._trading = trading
        self._placing = placing

    def cancel_replace_order(self, call: Call) -> object:
        """POST cancel-replace-order."""
        change = self._read(call)
        missed, struck = self._played(call, [call])
        return self._answer(call, change, "cancel-replace-order", missed=bool(missed), struck=bool(struck))

    def batch_cancel_replace_order(self, call: Call) -> object:
        """POST batch-cancel-replace-order: a row for each item, in their order."""
        by_item = dataclasses.replace(call, params=call.params | {"batchMode": "multiple"})
        items = batch_items(by_item, self._settings.batch_limit, most=BATCH, too_many="40306")
        missed, struck = self._played(call, items)
        rows = []
        for index, item in enumerate(items):
            try:
                change = self._read(item)
            except Refusal as refusal:
                rows.append(_failure(item.params.get("orderId"), refusal.text))
                continue
            endpoint = "batch-cancel-replace-order"
            rows.append(self._answer(item, change, endpoint, missed=index in missed, struck=index in struck))
        return rows

    def _played(self, call: Call, items: list[Call]) -> tuple[set[int], set[int]]:
        """Which items a fault makes the exchange miss, and which it has it report as failed."""
        fields = [item.params for item in items]
        return missed_items(call, fields, self._dice), struck_items(call, fields, self._dice)

    def _read(self, call: Call) -> Change:
        """The fields of one replacement. Raises `Refusal` as for an order, 40913 without an id of the old one."""
        known_symbol(call)
        price, size = amount(call, "price"), amount(call, "size")
        if not (call.params.get("orderId") or call.params.get("clientOid")):
            raise Refusal("40913", "orderId or clientOid")
        client_oid = call.params.get("newClientOid", "")
        check_client_oid(client_oid, self._settings.client_oid_limit)
        return Change(price, size, client_oid, extras(call))

    def _answer(self, call: Call, change: Change, endpoint: str, *, missed: bool, struck: bool) -> Row:
        inner = call.fault.inner if struck and call.fault is not None else None
        if inner is None:
            return self._replace(call, change, endpoint, missed=missed)
        if inner.executed:
            self._replace(call, change, endpoint, missed=missed)
        return _failure(call.params.get("orderId"), Refusal(inner.code, text=inner.text).text)

    def _replace(self, call: Call, change: Change, endpoint: str, *, missed: bool) -> Row:
        try:
            old = self._trading.find(call, tpsl=False)
        except Refusal as refusal:
            return _failure(call.params.get("orderId"), DEAD if refusal.code == "43001" else refusal.text)
        if old.draft.order_type != "limit":
            return _failure(old.order_id, Refusal("45056").text)
        draft = dataclasses.replace(old.draft, **change._asdict(), source="API")
        usual_ns = draw_ns(self._settings.replace_delay_s, self._dice.engine)
        wait_ns = NEVER_NS if missed else delay_ns(call, usual_ns, self._dice)
        if wait_ns:
            names = self._venue.names(draft)
            self._venue.timeline.at(
                call.now_ns + wait_ns, lambda now_ns: self._replace_late(call, old, draft, endpoint, now_ns, names)
            )
            return _success(names)
        self._cancel_old(call, old, endpoint, call.now_ns)
        if _half(call) == "cancelled":
            return _success(self._venue.names(draft))
        try:
            return _success(self._placing.create(call, draft, call.now_ns))
        except Refusal as refusal:
            return _failure(old.order_id, refusal.text)

    def _replace_late(
        self, call: Call, old: Order, draft: Draft, endpoint: str, now_ns: int, names: tuple[str, str]
    ) -> None:
        if self._cancel_old(call, old, endpoint, now_ns) and _half(call) != "cancelled":
            self._placing.create_late(call, draft, now_ns, names)

    def _cancel_old(self, call: Call, old: Order, endpoint: str, now_ns: int) -> bool:
        """The first step. Returns whether the second may follow."""
        if _half(call) == "placed":
            return True
        return bool(self._venue.cancel_now(endpoint, old.uid, old.symbol, now_ns, call.copy, [old]))


def _half(call: Call) -> str | None:
    return call.fault.half if call.fault is not None else None


def _success(names: tuple[str, str]) -> Row:
    return {"orderId": names[0], "clientOid": names[1], "success": "success", "msg": None}


def _failure(old_id: str | None, text: str) -> Row:
    """As recorded: the OLD id, no clientOid, a text instead of a code."""
    return {"orderId": old_id, "clientOid": None, "success": "failure", "msg": text}
