"""
The world of pending commands: every verb that changes orders, driven step by step beside cancel-by-symbol.

Every order that is asked for has a size of its own, which no other order of the example has. So the judge knows by the
truth alone which order came of which item of which call, whatever ids the client and the answers tell.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bitget_async import BitgetClient
from bitget_async.sim import Settings

from .world import BrokenPromiseError, World

# First size and step of the sizes in base coin; those of market buys are in quote coin.
SIZES = {
    "BTCUSDT": (Decimal("0.001001"), Decimal("0.000001")),
    "ETHUSDT": (Decimal("0.0101"), Decimal("0.0001")),
    "SOLUSDT": (Decimal("0.1001"), Decimal("0.0001")),
}
CENT = Decimal("0.01")
# Ways to place: side, order type, price as a share of the last one, further fields.
KINDS: dict[str, tuple[str, str, Decimal | None, dict[str, Any]]] = {
    "resting": ("buy", "limit", Decimal("0.5"), {}),
    "resting_sell": ("sell", "limit", Decimal("1.5"), {}),
    "crossing": ("buy", "limit", Decimal("1.01"), {}),
    "ioc": ("buy", "limit", Decimal("1.01"), {"force": "ioc"}),
    "ioc_away": ("buy", "limit", Decimal("0.5"), {"force": "ioc"}),
    "post_only": ("buy", "limit", Decimal("0.5"), {"force": "post_only"}),
    "post_only_crossing": ("buy", "limit", Decimal("1.01"), {"force": "post_only"}),
    "market": ("buy", "market", None, {}),
}

ASKED: contextvars.ContextVar[Asked | None] = contextvars.ContextVar("asked", default=None)


@dataclass(eq=False)
class Item:
    """One order that a call is to place: the size tells it from all others."""

    symbol: str
    size: Decimal
    client_oid: str | None = None
    book: str = "normal"


@dataclass(eq=False)
class Asked:
    """
    One call by one caller.

    Attributes:
        verb: which.
        items: the orders that it is to place.
        named: the orders that it is to end or to change, as ("order_id" or "client_oid", the id).
        fence: whether a placement waits behind cancellations by symbol.
        wanted: of a change: trigger price and size.
        handle: what watches it, once a command of it is signed, whoever still waits.
    """

    verb: str
    items: list[Item] = field(default_factory=list)
    named: list[tuple[str, str]] = field(default_factory=list)
    fence: bool = True
    wanted: tuple[Decimal, Decimal] | None = None
    called_ns: int = 0
    task: asyncio.Task[Any] = field(init=False)
    handle: Any = None

    @property
    def error(self) -> BaseException | None:
        """What the call raised."""
        done = self.task.done() and not self.task.cancelled()
        return self.task.exception() if done else None


class Driven(World):
    """A world with every verb. `commands_judge.CommandsWorld` judges what comes of them."""

    def __init__(self, seed: int = 0, settings: Settings | None = None, offset_ms: int = 0, **options: Any) -> None:
        super().__init__(seed, settings, offset_ms, **options)
        self.asked: list[Asked] = []
        self.changed_by_others: defaultdict[str, list[int]] = defaultdict(list)
        self._numbers = itertools.count()
        # After so many turns of the loop each caller is cancelled.
        self.turns: int | None = None
        # The judge must know every handle, also one that is settled before anybody looks.
        watcher = self.do(_parts(self.client)).watcher
        signed = watcher.signed
        self.signings: dict[Any, list[int]] = defaultdict(list)

        def noticed(course: Any) -> None:
            self.handles.setdefault(course.handle, None)
            self.signings[course].append(self.now_ns)
            asked = ASKED.get()
            if asked is not None:
                asked.handle = course.handle
            signed(course)

        watcher.signed = noticed

    def callers(self) -> list[asyncio.Task[Any]]:
        """Everybody who made a call."""
        return [*super().callers(), *(asked.task for asked in self.asked)]

    def _ask(self, asked: Asked, call: Callable[[], Awaitable[Any]]) -> Asked:
        async def work() -> Any:
            ASKED.set(asked)
            return await call()

        async def start() -> asyncio.Task[Any]:
            task = asyncio.create_task(work())
            if self.turns is not None:
                for _ in range(self.turns):
                    await asyncio.sleep(0)
                task.cancel()
            return task

        asked.called_ns = self.now_ns
        asked.task = self.do(start())
        self.asked.append(asked)
        return asked

    # -- orders -----------------------------------------------------------------------------------------------

    def item(self, symbol: str, kind: str = "resting", client_oid: str | None = None) -> tuple[Item, dict[str, Any]]:
        """A new order to be placed, and its parameters."""
        side, order_type, share, more = KINDS[kind]
        first, step = (Decimal(20), CENT) if kind == "market" else SIZES[symbol]
        item = Item(symbol, first + next(self._numbers) * step, client_oid)
        fields: dict[str, Any] = {"side": side, "order_type": order_type, "client_oid": client_oid, **more}
        fields["quote_size" if kind == "market" else "size"] = item.size
        if share is not None:
            fields["price"] = (self.exchange.venue.last(symbol) * share).quantize(CENT)
        return item, fields

    def place(self, symbol: str, kind: str = "resting", client_oid: str | None = None, **options: Any) -> Asked:
        """place_order."""
        item, fields = self.item(symbol, kind, client_oid)
        asked = Asked("place_order", [item], fence=options.get("fence", True))
        side, order_type = fields.pop("side"), fields.pop("order_type")
        return self._ask(asked, lambda: self.client.place_order(symbol, side, order_type, **fields, **options))

    def place_tpsl(self, symbol: str, **options: Any) -> Asked:
        """place_order of a stand-alone take-profit order."""
        item, fields = self.item(symbol)
        item.book = "tpsl"
        trigger = fields["price"]
        asked = Asked("place_order", [item], fence=False)
        return self._ask(
            asked,
            lambda: self.client.place_order(
                symbol,
                "buy",
                "limit",
                item.size,
                price=trigger,
                tpsl_type="tpsl",
                trigger_price=trigger,
                **options,
            ),
        )

    def batch(self, symbols: Sequence[str], kinds: Sequence[str], *, single: bool = False, **options: Any) -> Asked:
        """batch_orders: an order for each symbol."""
        made = [self.item(symbol, kind) for symbol, kind in zip(symbols, itertools.cycle(kinds), strict=False)]
        asked = Asked("batch_orders", [item for item, _ in made], fence=options.get("fence", True))
        orders = [fields if single else {"symbol": item.symbol, **fields} for item, fields in made]
        return self._ask(asked, lambda: self.client.batch_orders(orders, symbols[0] if single else None, **options))

    def cancel_one(self, symbol: str, **name_and_options: Any) -> Asked:
        """cancel_order."""
        given = name_and_options
        names: list[tuple[str, str]] = [(kind, given[kind]) for kind in ("order_id", "client_oid") if kind in given]
        asked = Asked("cancel_order", named=names)
        return self._ask(asked, lambda: self.client.cancel_order(symbol, **name_and_options))

    def cancel_many(self, symbol: str, kind: str, ids: Sequence[str], **options: Any) -> Asked:
        """batch_cancel_orders."""
        asked = Asked("batch_cancel_orders", named=[(kind, each) for each in ids])
        given: dict[str, Any] = {f"{kind}s": list(ids)}
        return self._ask(asked, lambda: self.client.batch_cancel_orders(symbol, **given, **options))

    def replace(self, symbol: str, name: tuple[str, str], **options: Any) -> Asked:
        """cancel_replace_order."""
        item, fields = self.item(symbol)
        item.client_oid = options.get("new_client_oid")
        asked = Asked("cancel_replace_order", [item], [name], fence=options.get("fence", True))
        given: dict[str, Any] = {name[0]: name[1], "price": fields["price"], "size": item.size}
        return self._ask(asked, lambda: self.client.cancel_replace_order(symbol, **given, **options))

    def replace_many(self, names: Sequence[tuple[str, str, str]], **options: Any) -> Asked:
        """batch_cancel_replace_orders, of orders given as (symbol, kind of name, name)."""
        made = [self.item(symbol) for symbol, _, _ in names]
        asked = Asked("batch_cancel_replace_orders", [item for item, _ in made], [(kind, n) for _, kind, n in names])
        asked.fence = options.get("fence", True)
        orders = [
            {"symbol": symbol, kind: name, "price": fields["price"], "size": item.size}
            for (symbol, kind, name), (item, fields) in zip(names, made, strict=True)
        ]
        return self._ask(asked, lambda: self.client.batch_cancel_replace_orders(orders, **options))

    # -- trigger orders ---------------------------------------------------------------------------------------

    def _plan(self, symbol: str, share: str) -> tuple[Item, Decimal]:
        item, _ = self.item(symbol)
        item.book = "plan"
        return item, (self.exchange.venue.last(symbol) * Decimal(share)).quantize(CENT)

    def place_plan(self, symbol: str, client_oid: str | None = None, share: str = "0.6", **options: Any) -> Asked:
        """trigger.place_plan_order."""
        item, price = self._plan(symbol, share)
        item.client_oid = client_oid
        return self._ask(
            Asked("place_plan_order", [item]),
            lambda: self.client.trigger.place_plan_order(
                symbol,
                "buy",
                "limit",
                item.size,
                trigger_price=price,
                execute_price=price,
                trigger_type="fill_price",
                client_oid=client_oid,
                **options,
            ),
        )

    def modify_plan(
        self, symbol: str, name: tuple[str, str], wanted: tuple[Decimal, Decimal] | None = None, **options: Any
    ) -> Asked:
        """trigger.modify_plan_order, to values that no order has, or to these."""
        item, price = self._plan(symbol, "0.55")
        price, size = wanted or (price, item.size)
        given: dict[str, Any] = {name[0]: name[1], **options}
        return self._ask(
            Asked("modify_plan_order", named=[name], wanted=(price, size)),
            lambda: self.client.trigger.modify_plan_order(
                symbol, "limit", size, trigger_price=price, execute_price=price, **given
            ),
        )

    def cancel_plan(self, symbol: str, name: tuple[str, str], **options: Any) -> Asked:
        """trigger.cancel_plan_order."""
        given: dict[str, Any] = {name[0]: name[1], **options}
        return self._ask(
            Asked("cancel_plan_order", named=[name]),
            lambda: self.client.trigger.cancel_plan_order(symbol, **given),
        )

    def cancel_plans(self, symbol: str, **options: Any) -> Asked:
        """trigger.batch_cancel_plan_orders."""
        return self._ask(
            Asked("batch_cancel_plan_orders"), lambda: self.client.trigger.batch_cancel_plan_orders(symbol, **options)
        )

    # -- others -----------------------------------------------------------------------------------------------

    def others_fill(self, order_id: str, after_s: float, amount: Decimal | None = None) -> None:
        """Somebody trades with an order."""
        self._others(order_id, after_s)
        self.exchange.schedule_fill(order_id, after_s, amount)

    def others_cancel(self, order_id: str) -> None:
        """The owner cancels an order on the website."""
        self._others(order_id, 0.0)
        self.exchange.cancel(order_id)

    def _others(self, order_id: str, after_s: float) -> None:
        due_ns = self.now_ns + round(after_s * 1e9)
        self.changed_by_others[self.exchange.order(order_id).symbol].append(due_ns)

    # -- waiting ----------------------------------------------------------------------------------------------

    def settled(self, asked: Asked, within_s: float = 130.0) -> Any:
        """Let time pass until the call's handle is settled, and return its report."""
        for _ in range(round(within_s / 0.5)):
            self.advance(0.5)
            if asked.error is not None:
                raise BrokenPromiseError(f"the call raised {asked.error!r}")
            known = None if asked.handle is None else self.handles.get(asked.handle)
            if known is not None:
                return known.report
        raise BrokenPromiseError(f"g: settles in time: {asked.verb}")

    def refused(self, asked: Asked, within_s: float = 30.0) -> BaseException:
        """Let time pass until the call has raised, and return what."""
        for _ in range(round(within_s / 0.5)):
            self.advance(0.5)
            if asked.error is not None:
                return asked.error
        raise BrokenPromiseError(f"the call raises: {asked.verb}")


@dataclass
class Wire:
    """
    What the truth tells of commands, read up to where it was read last.

    Attributes:
        again: index of each copy that the network made of another one.
        keyed: copies by what they ask for: endpoint, and the sizes or ids in the body, or the symbol.
        keys: index of a copy -> what it asks for.
        born: (symbol, size) -> orders that requests have made, as (order id, copy, time).
    """

    again: set[int] = field(default_factory=set)
    keyed: defaultdict[tuple[Any, ...], list[Any]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    born: defaultdict[tuple[str, Decimal], list[tuple[str, int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _copies: int = 0
    _placements: int = 0
    _triggers: int = 0

    def read(self, world: World) -> None:
        """Take in what is new."""
        truth = world.exchange.truth
        for copy in truth.wire[self._copies :]:
            self._copies += 1
            if copy.fault == "second arrival":
                self.again.add(copy.index)
                world.resent[copy.endpoint] += 1
            elif copy.method == "POST":
                key = (copy.endpoint, *asked_for(json.loads(copy.body)))
                self.keyed[key].append(copy)
                self.keys[copy.index] = key
        orders = truth.orders
        for made in truth.placements[self._placements :]:
            self._placements += 1
            size = orders[made.order_id].draft.size
            self.born[made.symbol, size].append((made.order_id, made.copy, made.time_ns))
        triggers = truth.triggers
        for order in list(triggers.values())[self._triggers :]:
            self._triggers += 1
            if order.copy is not None:
                plan = order.marks[0].plan
                self.born[plan.symbol, plan.size].append((order.order_id, order.copy, order.created_ns))


def asked_for(body: dict[str, Any]) -> tuple[str, ...]:
    """What a body asks for: the size or else the id of each order in it, or else its symbols."""
    names = []
    for item in body.get("orderList") or [body]:
        if item.get("size"):
            names.append(plain(Decimal(item["size"])))
        elif item.get("orderId") or item.get("clientOid"):
            names.append(item.get("orderId") or item["clientOid"])
    return tuple(names) if names else tuple(body.get("symbolList") or [str(body.get("symbol"))])


def plain(size: Decimal) -> str:
    """A size as text, always the same."""
    return f"{size.normalize():f}"


async def _parts(client: BitgetClient) -> Any:
    """Its inner parts, made on the running loop."""
    return client._open()
