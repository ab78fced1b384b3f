"""
What a stop knows: which orders are open and to end, which of them no command has named yet, and what became of whom.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from bitget_async.evidence import Book, id_number
from bitget_async.models import (
    Fate,
    Order,
    OrderFate,
    Outcome,
    PlanType,
    StopCommand,
    StopPlan,
    StopSymbol,
    TriggerOrder,
)
from bitget_async.models import Scope as OrderScope
from bitget_async.models.reports import order_fate, order_view
from bitget_async.stopping.planner import Quotas, Stoppable, plan
from bitget_async.stopping.rests import Rests
from bitget_async.stopping.scope import BOOKS, Scope

__all__ = ["Stopping", "outcome_of"]

FINAL = (Fate.CANCELLED, Fate.FILLED, Fate.TRIGGERED, Fate.FAILED)
Key = tuple[Book, str]
MOST_ODD = 50
# As long as pages come, the book counts as so many times larger than what is known of it.
GROWTH = 2


class Stopping:
    """
    The mind of one stop.

    Args:
        scope: whom it is for.
        rests: which ids were cancelled less than a second ago, by whatever stop.

    Attributes:
        rows: every order seen that is in scope or late; kept: those left alone; fates: what handles told of whom.
        open: those that the last listing after the commands showed; `None` before it.
        surveyed: whether all that was open at the call is known; withdrawn: whether no more commands are given out.
        plan: as it was when commands were last chosen by what is open, `planned_ns` when.
        handed: commands given out; `through`: those of them that were answered or given up.
        ended: orders with a final row.
        anomalies: what went wrong, in words, each once.
    """

    def __init__(self, scope: Scope, rests: Rests | None = None) -> None:
        self.scope = scope
        self.rests = Rests() if rests is None else rests
        self.rows: dict[Key, Order | TriggerOrder] = {}
        self.kept: dict[Key, Order | TriggerOrder] = {}
        self.fates: dict[Key, OrderFate] = {}
        self.open: set[Key] | None = None
        self.plan = StopPlan(commands=(), last_leaves_s=0.0, orders=0)
        self.planned_ns = 0
        self.surveyed = False
        self.withdrawn = False
        self.handed = 0
        self.through = 0
        self.ended = 0
        self.anomalies: dict[str, None] = {}
        self._todo: dict[Key, Stoppable] = {}
        # A stop over a thousand symbols must not look at all orders for each of them.
        self._of: dict[tuple[Book, str], dict[str, None]] = {}
        self._whole: set[tuple[Book, str]] = set()
        self._lanes: dict[str, deque[StopCommand]] = {}
        self._given: list[StopCommand] = []

    # -- what is open -----------------------------------------------------------------------------------------

    def saw(self, rows: Iterable[Order | TriggerOrder], book: Book, latest_ms: int | None) -> None:
        """
        Rows of the listing by which the commands are chosen. Those created after `latest_ms` are late: with
        `sweep_late` they end like the others, else they are only noted.
        """
        for key, row in self._mine(rows, book):
            known = key in self.rows
            self._note(key, row)
            late = self.late(row, latest_ms) and not self.scope.sweep_late
            if not known and not late and (book, row.symbol) not in self._whole:
                self._todo[key] = _stoppable(row, book)

    def checked(self, rows: Iterable[tuple[Book, Order | TriggerOrder]], latest_ms: int | None) -> int:
        """
        All rows of a listing after the commands: what of them is in scope is left, and to be named by a command of
        another round. Returns how many.
        """
        self.open, self._todo = set(), {}
        for book, each in rows:
            for key, row in self._mine([each], book):
                self._note(key, row)
                self.open.add(key)
                if not self.late(row, latest_ms) or self.scope.sweep_late:
                    self._todo[key] = _stoppable(row, book)
        return len(self._todo)

    def _note(self, key: Key, row: Order | TriggerOrder) -> None:
        self.rows[key] = row
        self._of.setdefault((key[0], row.symbol), {})[key[1]] = None

    def _mine(self, rows: Iterable[Order | TriggerOrder], book: Book) -> Iterable[tuple[Key, Order | TriggerOrder]]:
        for row in rows:
            if self.scope.symbols is not None and row.symbol not in self.scope.symbols:
                continue
            key = book, row.order_id
            # Asked once: whatever is to end was perhaps cancelled by now.
            if key not in self.rows and key not in self.kept and self._keeps(row):
                self.kept[key] = row
            if key not in self.kept:
                yield key, row

    def _keeps(self, row: Order | TriggerOrder) -> bool:
        """Whether it is left alone; so it is where the caller's function cannot tell."""
        try:
            return self.scope.keeps(row)
        except Exception as error:
            self.odd(f"keep raised {type(error).__name__}: order {row.order_id} was left alone")
            return True

    def odd(self, what: str) -> None:
        """Note an anomaly, once; no more than so many, for there may be thousands of orders."""
        if len(self.anomalies) < MOST_ODD:
            self.anomalies[what] = None

    @staticmethod
    def late(row: Order | TriggerOrder, latest_ms: int | None) -> bool:
        """Whether it was created after that moment; not, if nobody can tell."""
        return latest_ms is not None and row.created_ms is not None and row.created_ms > latest_ms

    # -- what to send -----------------------------------------------------------------------------------------

    @property
    def by_id(self) -> set[str] | None:
        """
        Symbols of which no command may take the whole, or `None`: no symbol. An order to keep that no listing has shown
        may be on any.
        """
        scope = self.scope
        found = {row.client_oid for row in self.kept.values()}
        if scope.keep is not None or not scope.kept_oids <= found or (scope.kept_oids and len(scope.books) > 1):
            return None
        return {row.symbol for row in self.kept.values()}

    def replan(self, quotas: Quotas, now: int, *, again: bool = False) -> None:
        """
        Make the plan for all that no command has been given for. `again`: by ids alone, for what a command has named
        before.
        """
        made = plan(
            self._todo.values(),
            quotas,
            by_id=None if again else self.by_id,
            resting=self.rests.of((each for _, each in self._todo), now),
            kept=len(self.kept),
            growth=1 if self.surveyed else GROWTH,
        )
        if not self.withdrawn:
            self._lanes = {endpoint: deque(made.of(endpoint)) for endpoint in made.endpoints}
        self.planned_ns = now
        if again:
            return
        given = tuple(self._given)
        self.plan = StopPlan(
            commands=given + made.commands,
            last_leaves_s=made.last_leaves_s,
            orders=made.orders + sum(each.orders for each in given),
            kept=len(self.kept),
            resting=made.resting,
        )

    def next(self, endpoint: str, now: int) -> StopCommand | None:
        """
        The next command of that endpoint: it is sent now. One with an order that another stop has cancelled since the
        plan was made is left out, until there is a new plan.
        """
        lane = self._lanes.get(endpoint, deque())
        while lane:
            command = lane.popleft()
            ids, book = self._ids(command), BOOKS[command.book]
            if not self.rests.of((each for each in ids if (book, each) in self._todo), now):
                self._hand(command, ids)
                return command
        return None

    def _hand(self, command: StopCommand, ids: Iterable[str]) -> None:
        self._given.append(command)
        self.handed += 1
        book = BOOKS[command.book]
        if not command.order_ids:
            self._whole.add((book, command.symbols[0]))
        self.rests.began(ids)
        for each in ids:
            _ = self._todo.pop((book, each), None)

    def answered(self, command: StopCommand, now: int) -> None:
        """It was answered or given up."""
        self.through += 1
        self.rests.ended(self._ids(command), now)

    def withdraw(self) -> None:
        """No command is given out any more."""
        self.withdrawn = True
        self._lanes = {}

    def waits(self, endpoint: str) -> bool:
        """Whether there is a command of that endpoint to give out."""
        return bool(self._lanes.get(endpoint))

    @property
    def waiting(self) -> int:
        """Commands that were not given out yet."""
        return sum(map(len, self._lanes.values()))

    @property
    def out(self) -> int:
        """Commands that nothing was heard of yet."""
        return self.handed - self.through

    @property
    def left(self) -> int:
        """Orders that no command was given out for: those that rest, if none waits."""
        return len(self._todo)

    def known(self, command: StopCommand) -> list[Order | TriggerOrder]:
        """The rows of the orders that a command is to end."""
        book = BOOKS[command.book]
        return [self.rows[book, each] for each in self._ids(command)]

    def _ids(self, command: StopCommand) -> tuple[str, ...]:
        return command.order_ids or tuple(self._of.get((BOOKS[command.book], command.symbols[0]), ()))

    # -- what became of them ----------------------------------------------------------------------------------

    def told(self, book: Book, fates: Iterable[OrderFate]) -> None:
        """What a handle knows of its orders: a final row stands for ever."""
        for fate in fates:
            key = book, fate.order.order_id
            if key not in self.kept and not self._final(key):
                self.fates[key] = fate
                self.ended += fate.fate in FINAL

    def ask(self, latest_ms: int | None) -> int:
        """
        Orders in scope without a final row of which no handle tells more: each ended before a command named it. They
        are to be named now, for the handle of that command finds out how. Returns how many.
        """
        self._todo = {
            key: _stoppable(row, key[0])
            for key, row in self.rows.items()
            if not self._final(key) and (self.scope.sweep_late or not self.late(row, latest_ms))
        }
        return len(self._todo)

    def _final(self, key: Key) -> bool:
        told = self.fates.get(key)
        return told is not None and told.fate in FINAL

    @property
    def size(self) -> int:
        """How many are known."""
        return len(self.rows.keys() | self.fates.keys())

    def symbols(self, covers_ms: int | None, *, clear: bool, over: bool) -> tuple[StopSymbol, ...]:
        """
        What became of each symbol. `clear`: a listing that speaks of that moment shows none in scope. `over`: a listing
        that shows one does so although no command can act any more.
        """
        found: dict[str, list[OrderFate]] = {}
        for key in dict.fromkeys((*self.rows, *self.fates)):
            fate = self._fate(key, covers_ms)
            found.setdefault(fate.order.symbol, []).append(fate)
        kept: dict[str, list[str]] = {}
        for row in self.kept.values():
            kept.setdefault(row.symbol, []).append(row.order_id)
        names = found.keys() | kept.keys() | (self.scope.symbols or set())
        return tuple(
            StopSymbol(
                symbol=name,
                outcome=outcome_of(found.get(name, []), clear=clear, over=over),
                orders=tuple(sorted(found.get(name, []), key=lambda each: id_number(each.order.order_id) or 0)),
                kept=tuple(kept.get(name, [])),
            )
            for name in sorted(names)
        )

    def _fate(self, key: Key, covers_ms: int | None) -> OrderFate:
        """What is known of one order: its final row, or what the last listing after the commands shows."""
        told, row = self.fates.get(key), self.rows.get(key)
        if told is not None and self._final(key):
            scope = OrderScope.LATE if self._beside(told.order, covers_ms) else OrderScope.IN
            return OrderFate(
                order=told.order,
                fate=told.fate,
                scope=scope,
                source=told.source,
                server_ms=told.server_ms,
                trigger=told.trigger,
            )
        if row is None:
            assert told is not None
            row = told.trigger or told.order
        shown = self.open is None or key in self.open
        scope = OrderScope.LATE if self._beside(row, covers_ms) else OrderScope.IN
        source = "current-plan-order" if key[0] is Book.PLAN else "unfilled-orders"
        return order_fate(row, Fate.OPEN if shown else Fate.VANISHED, scope, source, None)

    def _beside(self, row: Order | TriggerOrder, covers_ms: int | None) -> bool:
        return not self.scope.sweep_late and self.late(row, covers_ms)


def outcome_of(fates: Iterable[OrderFate], *, clear: bool, over: bool) -> Outcome:
    """What orders came to together; see `StopReport`."""
    required = [each for each in fates if each.scope is not OrderScope.LATE]
    unproven = [each for each in required if each.fate not in FINAL]
    if clear and not unproven:
        return Outcome.CONFIRMED if required else Outcome.NOTHING_TO_CANCEL
    if over and any(each.fate is Fate.OPEN for each in unproven):
        return Outcome.STILL_OPEN
    return Outcome.UNKNOWN


def _stoppable(row: Order | TriggerOrder, book: Book) -> Stoppable:
    view = order_view(row)
    price, size = view.price or view.trigger_price, view.size
    if isinstance(row, TriggerOrder) and row.plan_type is PlanType.TOTAL:
        price = Decimal(1)
    exposure = None if not price or size is None else price * (size - (view.base_volume or Decimal(0)))
    return Stoppable(row.order_id, row.symbol, exposure, book)
