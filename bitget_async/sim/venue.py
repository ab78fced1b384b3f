"""
The trading part of the simulated exchange: orders come, trade and go. Pure: no I/O, no timers, no clock of its own.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from bitget_async.sim.accounts import Account
from bitget_async.sim.depth import Depths
from bitget_async.sim.ledger import Ledger, cost, trim
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.matching import Matching
from bitget_async.sim.orders import ZERO, Draft, Fill, Mark, Order, Placement
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import NEVER_NS, Dice, Settings, draw_ns
from bitget_async.sim.shelf import Shelf
from bitget_async.sim.tape import Tape
from bitget_async.sim.timeline import Timeline

__all__ = ["Execution", "Venue"]

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
    Orders of every account, and the last price of every symbol.

    Every method takes `now_ns`, the monotonic time at which it happens; the timeline hands it in.

    Args:
        timeline: for the exchange's clock and for what happens later.
        settings: lags and spellings.
        dice: where chance comes from.

    Attributes:
        ledger: accounts, money, fills.
        price_hooks: called as `hook(symbol, price, now_ns)` after a price moved and what it crosses was filled.
        order_hooks: called as `hook(order, fill)` after an order changed, with the fill that did it if one did.
        placements: orders that requests have made, oldest first.
        depths: the books of all symbols.
        tape: the public trades.
    """

    def __init__(self, timeline: Timeline, settings: Settings, dice: Dice) -> None:
        self.timeline = timeline
        self._settings = settings
        self._dice = dice
        self.ledger = Ledger()
        self.orders: dict[str, Order] = {}
        self._shelves: dict[str, Shelf] = {}
        self._next = FIRST_ID
        self.executions: list[Execution] = []
        self.placements: list[Placement] = []
        self.price_hooks: list[Callable[[str, Decimal, int], None]] = []
        self.order_hooks: list[Callable[[Order, Fill | None], None]] = []
        self._moved: dict[str, Decimal] = {}
        self._matching = Matching(self, settings, dice)
        self.depths = Depths(self, settings, dice)
        self.tape = Tape()

    @property
    def accounts(self) -> dict[str, Account]:
        """User id -> account."""
        return self.ledger.accounts

    def open_account(self, account: Account) -> None:
        """Take in an account."""
        self.ledger.accounts[account.uid] = account
        self._shelves[account.uid] = Shelf()

    def last(self, symbol: str) -> Decimal:
        """The last price of a symbol: as it was set or traded, at first that of `SYMBOLS`."""
        moved = self._moved.get(symbol)
        return SYMBOLS[symbol].last if moved is None else moved

    def move_price(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Move the last price, have the market fill the resting orders that it crosses, then call the hooks."""
        self._moved[symbol] = price
        self._matching.follow(symbol, now_ns)
        self._tell_price(symbol, price, now_ns)

    def shelf(self, uid: str) -> Shelf:
        """The orders of one account."""
        return self._shelves[uid]

    def check(self, account: Account, draft: Draft) -> None:
        """
        Whether an order could be placed now. Raises `Refusal` 40034 for an unknown symbol, 43118 for a clientOid that a
        pending order has, 43012 for too little balance.
        """
        if draft.symbol not in SYMBOLS:
            raise Refusal("40034", draft.symbol)
        known = self._shelves[account.uid].by_client_oid.get(draft.client_oid) if draft.client_oid else None
        if known is not None and known.is_open:
            raise Refusal("43118")
        coin, amount = cost(draft)
        if account.balance(coin).available < amount:
            raise Refusal("43012")

    def names(self, draft: Draft) -> tuple[str, str]:
        """A new order id, and the clientOid: as sent, or made up."""
        order_id = self._new_id()
        return order_id, draft.client_oid or self._new_uuid()

    def place(
        self,
        account: Account,
        draft: Draft,
        now_ns: int,
        *,
        order_id: str | None = None,
        client_oid: str | None = None,
        created_ns: int | None = None,
        match: bool = True,
        copy: int | None = None,
    ) -> Order:
        """
        Place an order.

        `client_oid` is one that was made up before; `created_ns` back-dates the order; `match=False` lets it rest
        whatever its price; `copy` is the wire copy that asked for it. Raises `Refusal` as `check` does.
        """
        self.check(account, draft)
        text = order_id or self._new_id()
        if text in self.orders:
            raise ValueError(f"order id {text} is taken")
        born_ns = now_ns if created_ns is None else created_ns
        born_ms = self.timeline.epoch_ms(born_ns)
        coin, amount = cost(draft)
        account.freeze(coin, amount, born_ms)
        mark = Mark(born_ns, born_ms, "live", ZERO, ZERO, ZERO)
        oid = client_oid or draft.client_oid or self._new_uuid()
        order = Order(int(text), text, account.uid, draft, oid, born_ns, born_ms, [mark])
        self.orders[text] = order
        self._shelves[account.uid].add(order)
        if copy is not None:
            self.placements.append(Placement(account.uid, draft.symbol, oid, text, born_ns, born_ms, copy))
        self._tell_order(order)
        if match and not draft.tpsl:
            self._matching.take(order, now_ns)
        elif not draft.tpsl:
            self._matching.book(draft.symbol).add(order)
        return order

    def fill(
        self,
        order: Order,
        now_ns: int,
        amount: Decimal | None = None,
        price: Decimal | None = None,
        scope: str = "maker",
    ) -> None:
        """
        Trade an amount of base coin (`None`: all that is left) with the market at a price (`None`: its own, or the
        last one). Does nothing for an order that is final.
        """
        if not order.is_open:
            return
        at = price or order.draft.price or self.last(order.symbol)
        left = trim(order.unfilled / at) if order.spends_quote else order.unfilled
        base = left if amount is None else min(amount, left)
        quote = trim(base * at)
        self._book(order, base, quote, at, scope, now_ns)
        now_ms = self.timeline.epoch_ms(now_ns)
        self.ledger.against_market(order, base, quote, now_ms)
        bought = (order.draft.side == "buy") is (scope == "taker")
        self.tape.add(order.symbol, "buy" if bought else "sell", at, base, now_ms)

    def trade(self, taker: Order, maker: Order, base: Decimal, price: Decimal, now_ns: int) -> None:
        """Two open orders trade that amount of base coin. Where no market stands, it moves the last price."""
        quote = trim(base * price)
        self._book(maker, base, quote, price, "maker", now_ns)
        self._book(taker, base, quote, price, "taker", now_ns)
        self.tape.add(taker.symbol, taker.draft.side, price, base, self.timeline.epoch_ms(now_ns))
        if not self._settings.standing_market:
            symbol = taker.symbol
            self._moved[symbol] = price
            # Once the engine is through with the order: what a hook does must not meet a half-matched book.
            self.timeline.at(now_ns, lambda due_ns: self._tell_price(symbol, price, due_ns))

    def complete(self, order: Order, now_ns: int) -> None:
        """End a market buy that cannot buy another lot: it is filled, and what it did not spend goes back."""
        last = order.marks[-1]
        now_ms = self.timeline.epoch_ms(now_ns)
        coin, amount = cost(order.draft, order.unfilled)
        self.accounts[order.uid].release(coin, amount, now_ms)
        order.marks.append(last._replace(time_ns=now_ns, time_ms=now_ms, status="filled"))
        self._finish(order, now_ns)
        self._tell_order(order)

    def cancel(self, order: Order, now_ns: int, reason: str = "normal_cancel") -> bool:
        """Cancel what is left of an order. Returns whether it was open."""
        if not order.is_open:
            return False
        last = order.marks[-1]
        now_ms = self.timeline.epoch_ms(now_ns)
        coin, amount = cost(order.draft, order.unfilled)
        self.accounts[order.uid].release(coin, amount, now_ms)
        order.marks.append(last._replace(time_ns=now_ns, time_ms=now_ms, status="cancelled"))
        order.cancel_reason = reason
        self._finish(order, now_ns)
        self._tell_order(order)
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
            self.cancel_now(endpoint, uid, symbol, now_ns, copy, take, spare)

        self.timeline.at(due_ns, run)

    def cancel_now(
        self,
        endpoint: str,
        uid: str,
        symbol: str,
        now_ns: int,
        copy: int,
        take: Iterable[Order],
        spare: Iterable[Order] = (),
    ) -> tuple[str, ...]:
        """Cancel those orders by a command, and write it down as an `Execution`. Returns the ids of those taken."""
        taken = tuple(order.order_id for order in list(take) if self.cancel(order, now_ns))
        spared = tuple(order.order_id for order in spare)
        now_ms = self.timeline.epoch_ms(now_ns)
        self.executions.append(Execution(endpoint, uid, symbol, now_ns, now_ms, taken, spared, copy))
        return taken

    def record(self, account: Account, draft: Draft, marks: list[Mark], order_id: str | None = None) -> Order:
        """Write down an order that began and ended in the past; balances are not touched."""
        text = order_id or self._new_id()
        oid = draft.client_oid or self._new_uuid()
        first, last = marks[0], marks[-1]
        order = Order(int(text), text, account.uid, draft, oid, first.time_ns, first.time_ms, marks)
        order.history_from_ns = last.time_ns
        order.cancel_reason = "normal_cancel" if order.status == "cancelled" else ""
        self.orders[text] = order
        self._shelves[account.uid].add(order)
        if last.filled:
            price = last.quote / last.filled
            self.ledger.note(order, last.filled, last.quote, price, last.fee, "maker", last.time_ns, last.time_ms)
        return order

    def forget_before(self, time_ns: int) -> None:
        """Drop orders that ended, and executions, placements and fills that happened, before that monotonic time."""
        for shelf in self._shelves.values():
            for order in shelf.drop_final_before(time_ns):
                del self.orders[order.order_id]
        self.executions = list(itertools.dropwhile(lambda run: run.time_ns < time_ns, self.executions))
        self.placements = list(itertools.dropwhile(lambda made: made.time_ns < time_ns, self.placements))
        self.ledger.forget_before(time_ns)

    def _tell_price(self, symbol: str, price: Decimal, now_ns: int) -> None:
        for hook in list(self.price_hooks):
            hook(symbol, price, now_ns)

    def _book(self, order: Order, base: Decimal, quote: Decimal, price: Decimal, scope: str, now_ns: int) -> None:
        """One order's side of a trade."""
        now_ms = self.timeline.epoch_ms(now_ns)
        fill = self.ledger.book(order, base, quote, price, scope, now_ns, now_ms)
        last = order.marks[-1]
        left = order.unfilled - (quote if order.spends_quote else base)
        status = "partially_filled" if left else "filled"
        order.marks.append(Mark(now_ns, now_ms, status, last.filled + base, last.quote + quote, last.fee + fill.fee))
        if not left:
            self._finish(order, now_ns)
        self._tell_order(order, fill)

    def _tell_order(self, order: Order, fill: Fill | None = None) -> None:
        for hook in self.order_hooks:
            hook(order, fill)

    def _finish(self, order: Order, now_ns: int) -> None:
        order.history_from_ns = min(now_ns + draw_ns(self._settings.history_lag_s, self._dice.history), NEVER_NS)
        self._shelves[order.uid].end(order)

    def _new_id(self) -> str:
        self._next += self._dice.ids.randrange(1, 5_000_000)
        return str(self._next)

    def _new_uuid(self) -> str:
        return str(uuid.UUID(int=self._dice.ids.getrandbits(128), version=4))
