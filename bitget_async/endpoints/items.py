"""Lists of a batch: each item is checked like a call of its own, and the error names its place, counted from 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bitget_async.endpoints.checks import client_oid, order_id, symbol
from bitget_async.endpoints.row import Fields, Param
from bitget_async.errors import UsageError

__all__ = ["MOST_ITEMS", "Items", "id_items", "one_id", "one_mode"]

# The pages say 50, the best practices and code 40306 say 20.
MOST_ITEMS = 20


class Items:
    """
    Check of a batch: 1 to 20 mappings in snake case -> what goes on the wire.

    Args:
        fields: what one item takes.
        once: parameters whose value may stand in one item only.
    """

    def __init__(self, fields: Fields, once: tuple[str, ...] = ()) -> None:
        self.fields = fields
        self._once = tuple(param.wire_name for param in fields.params if param.name in once)

    def __call__(self, value: object) -> list[dict[str, Any]]:
        """The items as they go on the wire, in the order given."""
        if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
            raise UsageError("must be a list of mappings")
        items = [self._item(place, each) for place, each in enumerate(value)]
        if not 1 <= len(items) <= MOST_ITEMS:
            raise UsageError(f"must name 1 to {MOST_ITEMS} orders, not {len(items)}")
        for name in self._once:
            given = [item[name] for item in items if name in item]
            if len(set(given)) != len(given):
                raise UsageError(f"names an order twice (by {name})")
        return items

    def _item(self, place: int, item: object) -> dict[str, Any]:
        if not isinstance(item, Mapping):
            raise UsageError(f"item {place} must be a mapping")
        try:
            return self.fields.checked(item)
        except UsageError as error:
            raise UsageError(f"item {place}: {error}") from None


def one_id(given: Mapping[str, Any]) -> None:
    """Exactly one of the two names of an order."""
    if ("order_id" in given) == ("client_oid" in given):
        raise UsageError("give either order_id or client_oid")


_ID_ITEMS = Items(
    Fields((Param("symbol", symbol), Param("order_id", order_id), Param("client_oid", client_oid)), one_id),
    once=("order_id", "client_oid"),
)


def id_items(value: object) -> list[dict[str, Any]]:
    """
    Orders of a batch by id: 1 to 20 mappings with `order_id` or `client_oid`, one kind for all, and perhaps `symbol`.

    A call that mixes the kinds fails for the clientOid-only items, and the same order twice within a second
    gives 45129.
    """
    items = _ID_ITEMS(value)
    if len({"orderId" in item for item in items}) != 1:
        raise UsageError("must name all orders by order_id or all by client_oid, not mixed")
    return items


def one_mode(given: Mapping[str, Any]) -> None:
    """
    A symbol for each order, said once. In mode `single`, the default, the call names it and the exchange ignores the
    items' symbols; in mode `multiple` each item names its own and the call's is ignored. What it would ignore is
    refused.
    """
    symbols = [item.get("symbol") for item in given["order_list"]]
    if given.get("batch_mode") == "multiple":
        if "symbol" in given:
            raise UsageError('symbol goes into the items with batch_mode="multiple"')
        if None in symbols:
            raise UsageError(f'order_list item {symbols.index(None)}: symbol is missing with batch_mode="multiple"')
        return
    if "symbol" not in given:
        raise UsageError('symbol is missing; for several symbols give batch_mode="multiple" and name them in the items')
    for place, named in enumerate(symbols):
        if named not in (None, given["symbol"]):
            raise UsageError(f'order_list item {place}: another symbol needs batch_mode="multiple"')
