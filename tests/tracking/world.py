"""
An exchange of a few lines, with the faults of streams and reads, around the pure tracker: no I/O, its own time.

Pushes are lost, doubled, and come up to a minute late and in any order; listings and orderInfo are old;
finished orders turn up in the history late; reads fail. What really happened is written down, and judges.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from bitget_async.evidence import Listing, Page
from bitget_async.inquiry import Read, ReadKind
from bitget_async.models import Order, OrderStatus, OrderUpdate
from bitget_async.tracking import Sureness, Tracking

__all__ = ["Faults", "World"]

MS = 1_000_000
EPOCH_MS = 1_750_000_000_000
STALENESS_MS = 2_000
HISTORY_ROWS = 5
FINAL = ("filled", "cancelled")


@dataclass(frozen=True)
class Faults:
    """
    Chances from 0 to 1 and times in ms: of pushes lost and doubled, of reads failing; the longest delay of a push, age
    of a view, lag of the history.
    """

    loss: float = 0.0
    doubling: float = 0.0
    late_ms: int = 0
    stale_ms: int = 0
    history_ms: int = 0
    failing: float = 0.0


CALM = Faults(late_ms=20)


@dataclass
class Real:
    """One order as it really was: (ms, status, filled) from its creation on."""

    number: int
    symbol: str
    past: list[tuple[int, str, int]]
    in_history_ms: int = 0

    def at(self, moment_ms: int) -> tuple[int, str, int] | None:
        """What it was then."""
        return next((each for each in reversed(self.past) if each[0] <= moment_ms), None)

    def open_since(self, moment_ms: int) -> bool:
        """Whether it was open at that moment or later."""
        return self.past[-1][1] not in FINAL or self.past[-1][0] > moment_ms

    def told(self, moment_ms: int, kind: type[Order] = Order, **more: object) -> Order | None:
        """Its row as of that moment."""
        state = self.at(moment_ms)
        if state is None:
            return None
        changed_ms, status, filled = state
        return kind(
            order_id=str(self.number),
            symbol=self.symbol,
            status=OrderStatus(status),
            size=Decimal(10),
            base_volume=Decimal(filled),
            created_ms=EPOCH_MS + self.past[0][0],
            updated_ms=EPOCH_MS + changed_ms,
            **more,  # type: ignore[arg-type]
        )


@dataclass
class World:
    """
    The tracker with all that it hears. `now_ms` begins at 100 000; the exchange's clock is that plus `EPOCH_MS`.

    Attributes:
        orders: the truth, by number.
        told: what readers were given, in order.
        reads: every read that was made, with its moment.
    """

    seed: int = 1
    faults: Faults = CALM
    now_ms: int = 100_000
    orders: dict[int, Real] = field(default_factory=dict)
    told: list[OrderUpdate] = field(default_factory=list)
    reads: list[tuple[int, Read]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    up: bool = False
    began_ms: int | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.tracking = Tracking(STALENESS_MS / 1_000, random.Random(self.seed), self.odd.append)
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._line = 0

    @property
    def now_ns(self) -> int:
        """The tracker's clock."""
        return self.now_ms * MS

    @property
    def server_ms(self) -> int:
        """The exchange's clock."""
        return EPOCH_MS + self.now_ms

    def sureness(self) -> Sureness:
        """How sure the tracker is now."""
        return self.tracking.sureness(self.now_ns, self.server_ms)

    # -- the stream -------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """The stream comes up: what happens from now on is pushed."""
        if not self.up:
            self.up = True
            self.began_ms = self.began_ms if self.began_ms is not None else self.now_ms
            self.tracking.connected(self.now_ns, self.server_ms)

    def cut(self) -> None:
        """It goes down, with all pushes that are under way."""
        if self.up:
            self.up = False
            self._line += 1
            self.tracking.disconnected()

    def _push(self, real: Real) -> None:
        if not self.up or self.dice.random() < self.faults.loss:
            return
        row, line = real.told(self.now_ms, OrderUpdate), self._line
        assert isinstance(row, OrderUpdate)

        def arrive() -> None:
            if line == self._line:
                self._heard(self.tracking.pushed([row], self.now_ns, self.server_ms))

        for _ in range(2 if self.dice.random() < self.faults.doubling else 1):
            self.later(self.dice.randint(0, self.faults.late_ms), arrive)

    # -- orders -----------------------------------------------------------------------------------------------

    def place(self, symbol: str = "BTCUSDT", *, here: bool = False) -> Real:
        """A new order; with `here` this client placed it, and says so to the tracker."""
        real = Real(len(self.orders) + 1, symbol, [(self.now_ms, "live", 0)])
        self.orders[real.number] = real
        self._push(real)
        if here:
            self.tracking.placed(Order(order_id=str(real.number), symbol=symbol), self.now_ns, self.server_ms)
        return real

    def become(self, real: Real, status: str, filled: int | None = None) -> None:
        """It changes."""
        _, before, amount = real.past[-1]
        if before not in FINAL:
            real.past.append((self.now_ms, status, amount if filled is None else filled))
            real.in_history_ms = self.now_ms + self.dice.randint(0, self.faults.history_ms)
            self._push(real)

    def open_now(self) -> list[Real]:
        """What is open in truth."""
        return [real for real in self.orders.values() if real.past[-1][1] not in FINAL]

    # -- time and reads ---------------------------------------------------------------------------------------

    def later(self, after_ms: int, what: Callable[[], None]) -> None:
        """Have that done in so many ms."""
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + after_ms, self._count, what))

    def run(self, for_ms: int) -> None:
        """Let time pass: what is due happens, reads are made and answered."""
        until_ms = self.now_ms + for_ms
        while True:
            for read in self.tracking.due(self.now_ns):
                self._asked(read)
            wake_ns = self.tracking.wake_ns(self.now_ns)
            assert wake_ns is None or wake_ns > self.now_ns, "the loop would spin"
            moments = [] if wake_ns is None else [max(-(-wake_ns // MS), self.now_ms + 1)]
            moments += [self._queue[0][0]] if self._queue else []
            if min(moments, default=until_ms + 1) > until_ms:
                break
            self.now_ms = max(self.now_ms, min(moments))
            while self._queue and self._queue[0][0] <= self.now_ms:
                heapq.heappop(self._queue)[2]()
            self.judge()
        self.now_ms = until_ms
        self.judge()

    def _asked(self, read: Read) -> None:
        self.reads.append((self.now_ms, read))
        asked_ns = self.now_ns
        if self.dice.random() < self.faults.failing:
            away = self.dice.random() < 0.3
            self.later(200, lambda: self.tracking.failed(read, self.now_ns, turned_away=away))
            return

        def serve() -> None:
            # Processed here; what it shows may be older.
            fact = self._fact(read, asked_ns)
            self.later(20, lambda: self._heard(self.tracking.done(read, fact, self.now_ns, self.server_ms)))

        self.later(20, serve)

    def _fact(self, read: Read, asked_ns: int) -> Listing | Page:
        told_ms = EPOCH_MS + self.now_ms
        # Not before the request less the staleness, which is 20 ms less than the moment of the answer allows.
        view_ms = self.now_ms - self.dice.randint(0, self.faults.stale_ms)
        if read.kind is ReadKind.LISTING:
            shown = [row for real in self.orders.values() if (row := real.told(view_ms)) and row.status.open]
            return Listing(None, asked_ns, told_ms, tuple(shown), True)
        if read.kind is ReadKind.ORDER:
            assert read.order_id is not None
            row = self.orders[int(read.order_id)].told(view_ms)
            return Page("orderInfo", None, asked_ns, told_ms, (row,) if row else (), asked=read.order_id)
        ended = [
            real.told(self.now_ms)
            for number, real in sorted(self.orders.items(), reverse=True)
            if real.past[-1][1] in FINAL
            and real.in_history_ms <= self.now_ms
            and (read.below is None or number < read.below)
        ]
        rows = [row for row in ended if row is not None]
        last = len(rows) < HISTORY_ROWS
        return Page("history-orders", None, asked_ns, told_ms, tuple(rows[:HISTORY_ROWS]), read.below, last)

    @staticmethod
    def _nothing(read: Read, asked_ns: int, told_ms: int) -> Page:
        """An answer without a row."""
        return Page("orderInfo", None, asked_ns, told_ms, (), asked=read.order_id)

    def _heard(self, news: list[OrderUpdate]) -> None:
        self.told += news

    # -- the judge --------------------------------------------------------------------------------------------

    def shown(self) -> set[int]:
        """Numbers of the orders that the tracker calls open."""
        now, now_ms = self.now_ns, self.server_ms
        return {
            int(each.order.order_id)
            for symbol in self.tracking.symbols
            for each in self.tracking.of(symbol, now, now_ms)
        }

    def judge(self) -> None:
        """What LIVE and LISTED promise; LIVE the truth itself where no push is late or lost."""
        sureness = self.sureness()
        if sureness not in (Sureness.LIVE, Sureness.LISTED):
            return
        since_ms = self.now_ms - self.tracking.within_ns // MS
        shown = self.shown()
        if sureness is Sureness.LIVE and not (self.faults.loss or self.faults.late_ms):
            assert shown == {real.number for real in self.open_now()}
        ended = {number for number in shown if not self.orders[number].open_since(since_ms)}
        assert not ended, f"called open, but ended before: {ended}"
        unseen = {real.number for real in self.open_now() if real.number not in shown and real.past[0][0] < since_ms}
        assert not unseen, f"open for long, and not shown: {unseen}"

    def judge_told(self) -> None:
        """Each state once, never an older one after a newer one, and nothing that is older than the tracker."""
        assert self.began_ms is not None
        assert all((each.updated_ms or 0) >= EPOCH_MS + self.began_ms for each in self.told)
        states: dict[str, list[tuple[int, str, Decimal]]] = {}
        for update in self.told:
            rank = ("live", "partially_filled").index(update.status.value) if update.status.open else 2
            states.setdefault(update.order_id, []).append((rank, update.status.value, update.base_volume or Decimal(0)))
        for order_id, those in states.items():
            assert len(set(those)) == len(those), f"told twice: {order_id} {those}"
            assert sorted(those, key=lambda each: (each[0], each[2])) == those, f"told backwards: {order_id} {those}"
