"""
The matching part of the simulated exchange: orders come, trade and go. Pure: no I/O, no timers, no clock of its own.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import ZERO, Draft, Mark, Order
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.shelf import Shelf
from bitget_async.sim.timeline import Timeline

__all__ = ["Execution", "Venue"]

FEE = Decimal("0.001")
SMALLEST = Decimal(1).scaleb(-16)
FIRST_ID = 1_308_742_897_634_820_105


class Execution(NamedTuple):
    """
    One execution of a cancel command.

    `time_ns` and `time_ms` are when it ran, `order_ids` what it took, `spared` what it should have taken and
    by a fault did not, `copy` the index of the wire copy that asked for it.
    """

    endpoint: str
    uid: str
    symbol: str
    time_ns: int
    time_ms: int
    order_ids: tuple[str, ...]
    spared: tuple[str, ...]
    copy: int


class Venue:
    """
    Orders of every account.

    Every method takes `now_ns`, the monotonic time at which it happens; the timeline hands it in.

    Args:
        timeline: for the exchange's clock and for what happens later.
        settings: lags and spellings.
        dice: where chance comes from.
    """

    def __init__(self, timeline: Timeline, settings: Settings, dice: Dice) -> None:
        self.timeline = timeline
        self._settings = settings
        self._dice = dice
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}
        self._shelves: dict[str, Shelf] = {}
        self._next = FIRST_ID
        self.executions: list[Execution] = []

    def open_account(self, account: Account) -> None:
        """Take in an account."""
        self.accounts[account.uid] = account
        self._shelves[account.uid] = Shelf()

    def shelf(self, uid: str) -> Shelf:
        """The orders of one account."""
        return self._shelves[uid]

    def place(
        self,
        account: Account,
        draft: Draft,
        now_ns: int,
        *,
        order_id: str | None = None,
        created_ns: int | None = None,
        match: bool = True,
    ) -> Order:
        """
        Place an order.

        `created_ns` back-dates it; `match=False` lets it rest whatever its price. Raises `Refusal` 40034 for an
        unknown symbol, 43118 for a clientOid that a pending order has, 43012 for too little balance.
        """
        if draft.symbol not in SYMBOLS:
            raise Refusal("40034", draft.symbol)
        shelf = self._shelves[account.uid]
        known = shelf.by_client_oid.get(draft.client_oid) if draft.client_oid else None
        if known is not None and known.is_open:
            raise Refusal("43118")
        text = order_id or self._new_id()
        if text in self.orders:
            raise ValueError(f"order id {text} is taken")
        born_ns = now_ns if created_ns is None else created_ns
        born_ms = self.timeline.epoch_ms(born_ns)
        coin, amount = _cost(draft)
        account.freeze(coin, amount, born_ms)
        mark = Mark(born_ns, born_ms, "live", ZERO, ZERO, ZERO)
        client_oid = draft.client_oid or str(uuid.UUID(int=self._dice.ids.getrandbits(128), version=4))
        order = Order(int(text), text, account.uid, draft, client_oid, born_ns, born_ms, [mark])
        self.orders[text] = order
        shelf.add(order)
        if match and not draft.tpsl:
            self._match(order, now_ns)
        return order

    def fill(self, order: Order, now_ns: int, amount: Decimal | None = None, price: Decimal | None = None) -> None:
        """
        Trade an amount (unit of its size; `None`: all that is left) at a price (`None`: its own, or the last one).
        Does nothing for an order that is final.
        """
        if not order.is_open:
            return
        last = order.marks[-1]
        left = order.unfilled
        part = left if amount is None else min(amount, left)
        draft = order.draft
        at = price or draft.price or SYMBOLS[draft.symbol].last
        base, quote = (_trim(part / at), part) if order.spends_quote else (part, _trim(part * at))
        received = base if draft.side == "buy" else quote
        fee = _trim(received * FEE)
        now_ms = self.timeline.epoch_ms(now_ns)
        status = "filled" if part == left else "partially_filled"
        self._trade(order, base, quote, received - fee, now_ms)
        mark = Mark(now_ns, now_ms, status, last.filled + base, last.quote + quote, last.fee + fee)
        order.marks.append(mark)
        if status == "filled":
            self._finish(order, now_ns)

    def cancel(self, order: Order, now_ns: int, reason: str = "normal_cancel") -> bool:
        """Cancel what is left of an order. Returns whether it was open."""
        if not order.is_open:
            return False
        last = order.marks[-1]
        now_ms = self.timeline.epoch_ms(now_ns)
        coin, amount = _cost(order.draft, order.unfilled)
        self.accounts[order.uid].release(coin, amount, now_ms)
        order.marks.append(last._replace(time_ns=now_ns, time_ms=now_ms, status="cancelled"))
        order.cancel_reason = reason
        self._finish(order, now_ns)
        return True

    def cancel_later(
        self,
        endpoint: str,
        uid: str,
        symbol: str,
        due_ns: int,
        copy: int,
        pick: Callable[[], tuple[Iterable[Order], Iterable[Order]]],
    ) -> None:
        """
        Cancel, at that time, what `pick` then gives as (take, spare), and write it down as an `Execution`.
        """

        def run(now_ns: int) -> None:
            take, spare = pick()
            taken = tuple(order.order_id for order in list(take) if self.cancel(order, now_ns))
            spared = tuple(order.order_id for order in spare)
            now_ms = self.timeline.epoch_ms(now_ns)
            self.executions.append(Execution(endpoint, uid, symbol, now_ns, now_ms, taken, spared, copy))

        self.timeline.at(due_ns, run)

    def record(self, account: Account, draft: Draft, marks: list[Mark], order_id: str | None = None) -> Order:
        """Write down an order that began and ended in the past; balances are not touched."""
        text = order_id or self._new_id()
        client_oid = draft.client_oid or str(uuid.UUID(int=self._dice.ids.getrandbits(128), version=4))
        first = marks[0]
        order = Order(int(text), text, account.uid, draft, client_oid, first.time_ns, first.time_ms, marks)
        order.history_from_ns = marks[-1].time_ns
        order.cancel_reason = "normal_cancel" if order.status == "cancelled" else ""
        self.orders[text] = order
        self._shelves[account.uid].add(order)
        return order

    def forget_before(self, time_ns: int) -> None:
        """Drop orders that ended and executions that ran before that monotonic time."""
        for shelf in self._shelves.values():
            for order in shelf.drop_final_before(time_ns):
                del self.orders[order.order_id]
        self.executions = list(itertools.dropwhile(lambda run: run.time_ns < time_ns, self.executions))

    def _match(self, order: Order, now_ns: int) -> None:
        """
        Simple matching against a book that stands still at the last price: a market order trades at once; a limit
        order that crosses the last price trades at once, except that post_only dies of it; ioc and fok that do not
        cross die.
        """
        draft = order.draft
        last = SYMBOLS[draft.symbol].last
        if draft.order_type == "market":
            self.fill(order, now_ns, price=last)
            return
        crosses = draft.price >= last if draft.side == "buy" else draft.price <= last
        if crosses and draft.force != "post_only":
            self.fill(order, now_ns, price=last)
        elif crosses or draft.force in ("ioc", "fok"):
            self.cancel(order, now_ns)

    def _trade(self, order: Order, base: Decimal, quote: Decimal, received: Decimal, now_ms: int) -> None:
        account, draft = self.accounts[order.uid], order.draft
        symbol = SYMBOLS[draft.symbol]
        if draft.side == "sell":
            account.pay(symbol.base, base, now_ms)
            account.receive(symbol.quote, received, now_ms)
            return
        # A buy froze its own price: what a better one leaves over goes back.
        frozen = quote if order.spends_quote else base * draft.price
        account.pay(symbol.quote, frozen, now_ms)
        account.receive(symbol.quote, frozen - quote, now_ms)
        account.receive(symbol.base, received, now_ms)

    def _finish(self, order: Order, now_ns: int) -> None:
        order.history_from_ns = min(now_ns + draw_ns(self._settings.history_lag_s, self._dice.history), NEVER_NS)
        self._shelves[order.uid].end(order)

    def _new_id(self) -> str:
        self._next += self._dice.ids.randrange(1, 5_000_000)
        return str(self._next)


def _trim(amount: Decimal) -> Decimal:
    """Rows show sixteen decimals, so no amount has more."""
    return amount.quantize(SMALLEST, ROUND_DOWN)


def _cost(draft: Draft, size: Decimal | None = None) -> tuple[str, Decimal]:
    """What an order freezes: coin and amount."""
    symbol = SYMBOLS[draft.symbol]
    amount = draft.size if size is None else size
    if draft.side == "sell":
        return symbol.base, amount
    return symbol.quote, amount if draft.order_type == "market" else amount * draft.price
