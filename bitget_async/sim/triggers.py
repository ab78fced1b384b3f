"""
Trigger (plan) orders: they wait for a price, and then a spot order is born from each. Pure: no I/O, no timers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import QUOTE_DIGITS, SYMBOLS
from bitget_async.sim.orders import ZERO, Draft, Order
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.rules import OrderRules
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.venue import Execution, Venue

__all__ = ["Plan", "TriggerBook", "TriggerMark", "TriggerOrder"]

FIRST_ID = 1_308_900_000_000_000_000
PENDING = ("live", "executing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What a trigger order is to do. `size` is base coin for the plan type `amount`, quote coin for `total`;
    `execute_price` is the price of the order that is born, `None` for a market order.
    """

    symbol: str
    side: str
    order_type: str
    trigger_price: Decimal
    size: Decimal
    execute_price: Decimal | None = None
    plan_type: str = "amount"
    trigger_type: str = "fill_price"
    client_oid: str = ""
    source: str = "API"


class TriggerMark(NamedTuple):
    """What a trigger order was from `time_ns` on."""

    time_ns: int
    time_ms: int
    status: str
    plan: Plan


@dataclass(slots=True, eq=False)
class TriggerOrder:
    """
    One trigger order of one account. Tests read it as the truth; only the book writes it.

    Attributes:
        number, order_id, uid, client_oid: as for a spot order; the ids are its own.
        created_ns, created_ms: monotonic and exchange time of its creation; may lie long before the start.
        marks: its states, oldest first: live, executing, then executed, fail_execute or cancelled.
        rising: whether it waits for a price at or above the trigger price; else at or below.
        copy: index of the wire copy that asked for it, `None` if nobody did.
        born: the spot order that came of it.
        refusal: the code for which none came, after fail_execute.
        history_from_ns: when its row appears in history-plan-order; meaningless before the final state.
    """

    number: int
    order_id: str
    uid: str
    client_oid: str
    created_ns: int
    created_ms: int
    marks: list[TriggerMark]
    rising: bool
    copy: int | None = None
    born: Order | None = None
    refusal: str | None = None
    history_from_ns: int = 0

    def __repr__(self) -> str:
        return f"<TriggerOrder {self.order_id} {self.plan.symbol} {self.status} uid={self.uid}>"

    @property
    def plan(self) -> Plan:
        """What it is to do, as last changed."""
        return self.marks[-1].plan

    @property
    def status(self) -> str:
        """What it is now: live, executing, executed, fail_execute, cancelled."""
        return self.marks[-1].status

    @property
    def is_live(self) -> bool:
        """Whether it still waits for its price, and so can be changed or cancelled."""
        return self.marks[-1].status == "live"

    @property
    def is_pending(self) -> bool:
        """Whether it stands in the list of current ones: live or executing."""
        return self.marks[-1].status in PENDING

    @property
    def final_ns(self) -> int | None:
        """Monotonic time of its last event, `None` while pending."""
        return None if self.is_pending else self.marks[-1].time_ns

    def at(self, view_ns: int) -> TriggerMark | None:
        """What it was at that monotonic time, `None` before its creation."""
        return next((mark for mark in reversed(self.marks) if mark.time_ns <= view_ns), None)


@dataclass(slots=True)
class Tray:
    """The trigger orders of one account, newest last."""

    orders: list[TriggerOrder] = field(default_factory=list)
    by_client_oid: dict[str, TriggerOrder] = field(default_factory=dict)


class TriggerBook:
    """
    Trigger orders of every account. Nothing is frozen for them: a balance that is missing shows when the price comes.

    Args:
        venue: where the orders are born; also the timeline.
        settings, dice: delays.

    Attributes:
        hooks: called with each trigger order that has changed.
    """

    def __init__(self, venue: Venue, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._timeline = venue.timeline
        self._settings = settings
        self._dice = dice
        self._rules = OrderRules(venue, settings)
        self._trays: dict[str, Tray] = {}
        self._waiting: dict[str, dict[int, TriggerOrder]] = {}
        self._next = FIRST_ID
        self.orders: dict[str, TriggerOrder] = {}
        self.executions: list[Execution] = []
        self.hooks: list[Callable[[TriggerOrder], None]] = []
        venue.price_hooks.append(self.price_moved)

    def check(self, account: Account, plan: Plan) -> None:
        """
        Whether a trigger order could be placed now. Raises `Refusal` 40034 for an unknown symbol, 43118 for a clientOid
        that a pending trigger order of the account has.
        """
        if plan.symbol not in SYMBOLS:
            raise Refusal("40034", plan.symbol)
        known = self._tray(account.uid).by_client_oid.get(plan.client_oid) if plan.client_oid else None
        if known is not None and known.is_pending:
            raise Refusal("43118")

    def accept(self, account: Account, plan: Plan, now_ns: int, due_ns: int, copy: int) -> tuple[str, str]:
        """
        Check and number a trigger order that comes into being at that time, now or by a fault later. Returns its id
        and clientOid. Raises `Refusal` as `check` does.
        """
        self.check(account, plan)
        order_id, client_oid = self._names(plan, None)
        if due_ns <= now_ns:
            self._enter(account.uid, plan, now_ns, order_id, client_oid, copy)
        else:
            self._timeline.at(due_ns, lambda at_ns: self._enter_late(account, plan, at_ns, order_id, client_oid, copy))
        return order_id, client_oid

    def place(
        self,
        account: Account,
        plan: Plan,
        now_ns: int,
        *,
        order_id: str | None = None,
        created_ns: int | None = None,
    ) -> TriggerOrder:
        """Take in a trigger order past the API. `created_ns` back-dates it. Raises `Refusal` as `check` does."""
        self.check(account, plan)
        text, client_oid = self._names(plan, order_id)
        if text in self.orders:
            raise ValueError(f"trigger order id {text} is taken")
        return self._enter(account.uid, plan, now_ns if created_ns is None else created_ns, text, client_oid, None)

    def find(self, uid: str, order_id: str | None, client_oid: str | None) -> TriggerOrder | None:
        """The account's trigger order with that id, or the latest one with that clientOid."""
        if order_id:
            order = self.orders.get(order_id)
            return order if order is not None and order.uid == uid else None
        return self._tray(uid).by_client_oid.get(client_oid or "")

    def of(self, uid: str) -> Iterator[TriggerOrder]:
        """The account's trigger orders, highest id first."""
        return iter(sorted(self._tray(uid).orders, key=lambda order: -order.number))

    def pending(self, uid: str, symbols: Iterable[str] | None = None) -> list[TriggerOrder]:
        """The account's pending trigger orders on those symbols (`None`: all), oldest first."""
        wanted = None if symbols is None else set(symbols)
        return [o for o in self._tray(uid).orders if o.is_pending and (wanted is None or o.plan.symbol in wanted)]

    def price_moved(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Trigger everything that waited for this price."""
        for order in list(self._waiting.get(symbol, {}).values()):
            limit = order.plan.trigger_price
            if price >= limit if order.rising else price <= limit:
                self.fire(order, now_ns)

    def fire(self, order: TriggerOrder, now_ns: int) -> None:
        """Trigger an order now, whatever the price; its spot order is born a moment later. Only a live one can be."""
        if not order.is_live:
            return
        del self._waiting[order.plan.symbol][order.number]
        self._turn(order, "executing", now_ns)
        due_ns = now_ns + draw_ns(self._settings.trigger_delay_s, self._dice.triggers)
        self._timeline.at(due_ns, lambda at_ns: self._execute(order, at_ns))

    def modify_later(self, order: TriggerOrder, plan: Plan, due_ns: int) -> None:
        """Replace it at that time, if it is still live then."""
        self._timeline.at(due_ns, lambda now_ns: self._modify(order, plan, now_ns))

    def cancel(self, order: TriggerOrder, now_ns: int) -> bool:
        """Cancel a live order. Returns whether it was live."""
        if not order.is_live:
            return False
        del self._waiting[order.plan.symbol][order.number]
        self._turn(order, "cancelled", now_ns)
        self._finish(order, now_ns)
        return True

    def cancel_later(
        self,
        endpoint: str,
        uid: str,
        symbol: str,
        due_ns: int,
        copy: int,
        pick: Callable[[], tuple[list[TriggerOrder], list[TriggerOrder]]],
    ) -> None:
        """Cancel, at that time, what `pick` then gives as (take, spare), and write it down as an `Execution`."""

        def run(now_ns: int) -> None:
            take, spare = pick()
            taken = tuple(order.order_id for order in take if self.cancel(order, now_ns))
            spared = tuple(order.order_id for order in spare)
            now_ms = self._timeline.epoch_ms(now_ns)
            self.executions.append(Execution(endpoint, uid, symbol, now_ns, now_ms, taken, spared, copy))

        self._timeline.at(due_ns, run)

    def forget_before(self, time_ns: int) -> None:
        """Drop trigger orders that ended and executions that ran before that monotonic time."""
        for tray in self._trays.values():
            gone = [o for o in tray.orders if o.final_ns is not None and o.final_ns < time_ns]
            tray.orders = [o for o in tray.orders if o.final_ns is None or o.final_ns >= time_ns]
            for order in gone:
                del self.orders[order.order_id]
                if tray.by_client_oid.get(order.client_oid) is order:
                    del tray.by_client_oid[order.client_oid]
        self.executions = list(itertools.dropwhile(lambda run: run.time_ns < time_ns, self.executions))

    def publish(self, now_ns: int) -> None:
        """End every history lag now."""
        for order in self.orders.values():
            order.history_from_ns = min(order.history_from_ns, now_ns)

    def _modify(self, order: TriggerOrder, plan: Plan, now_ns: int) -> None:
        if order.is_live:
            self._turn(order, "live", now_ns, plan)
            order.rising = self._rises(plan)

    def _execute(self, order: TriggerOrder, now_ns: int) -> None:
        account = self._venue.accounts[order.uid]
        try:
            draft = self._draft(order.plan)
            self._rules.check(account, draft)
            order.born = self._venue.place(account, draft, now_ns)
        except Refusal as refusal:
            order.refusal = refusal.code
        self._turn(order, "fail_execute" if order.born is None else "executed", now_ns)
        self._finish(order, now_ns)

    def _draft(self, plan: Plan) -> Draft:
        """
        The spot order of a plan. A market buy spends quote coin, everything else has a size in base coin; where the
        plan counts in the other one, the execution price or the last price converts it. Raises `Refusal` 45111 if
        nothing is left of the size.
        """
        last = self._last(plan.symbol)
        price = last if plan.execute_price is None else plan.execute_price
        spends_quote = plan.order_type == "market" and plan.side == "buy"
        size = plan.size
        if spends_quote and plan.plan_type == "amount":
            size = (plan.size * price).quantize(Decimal(1).scaleb(-QUOTE_DIGITS), ROUND_DOWN)
        elif not spends_quote and plan.plan_type == "total":
            step = Decimal(1).scaleb(-SYMBOLS[plan.symbol].size_digits)
            size = (plan.size / price).quantize(step, ROUND_DOWN)
        if not size:
            raise Refusal("45111")
        return Draft(
            symbol=plan.symbol,
            side=plan.side,
            order_type=plan.order_type,
            size=size,
            price=ZERO if plan.execute_price is None else plan.execute_price,
            source=plan.source,
        )

    def _names(self, plan: Plan, order_id: str | None) -> tuple[str, str]:
        self._next += self._dice.triggers.randrange(1, 5_000_000) << 10
        text = order_id or str(self._next)
        # Without one the exchange makes a number close to the order id (seen), not a UUID as for spot orders.
        return text, plan.client_oid or str(max(1, int(text) - self._dice.triggers.randrange(1, 1 << 20)))

    def _enter_late(self, account: Account, plan: Plan, now_ns: int, order_id: str, client_oid: str, copy: int) -> None:
        try:
            self.check(account, plan)
        except Refusal:
            return
        self._enter(account.uid, plan, now_ns, order_id, client_oid, copy)

    def _enter(
        self, uid: str, plan: Plan, born_ns: int, order_id: str, client_oid: str, copy: int | None
    ) -> TriggerOrder:
        born_ms = self._timeline.epoch_ms(born_ns)
        marks = [TriggerMark(born_ns, born_ms, "live", plan)]
        rising = self._rises(plan)
        order = TriggerOrder(int(order_id), order_id, uid, client_oid, born_ns, born_ms, marks, rising, copy)
        self.orders[order_id] = order
        tray = self._tray(uid)
        tray.orders.append(order)
        tray.by_client_oid[client_oid] = order
        self._waiting.setdefault(plan.symbol, {})[order.number] = order
        self._tell(order)
        return order

    def _turn(self, order: TriggerOrder, status: str, now_ns: int, plan: Plan | None = None) -> None:
        now_ms = self._timeline.epoch_ms(now_ns)
        order.marks.append(TriggerMark(now_ns, now_ms, status, plan or order.plan))
        self._tell(order)

    def _tell(self, order: TriggerOrder) -> None:
        for hook in self.hooks:
            hook(order)

    def _finish(self, order: TriggerOrder, now_ns: int) -> None:
        lag_ns = draw_ns(self._settings.history_lag_s, self._dice.triggers)
        order.history_from_ns = min(now_ns + lag_ns, NEVER_NS)

    def _rises(self, plan: Plan) -> bool:
        return plan.trigger_price >= self._last(plan.symbol)

    def _last(self, symbol: str) -> Decimal:
        return self._venue.last(symbol)

    def _tray(self, uid: str) -> Tray:
        return self._trays.setdefault(uid, Tray())
