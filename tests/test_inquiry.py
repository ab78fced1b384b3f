"""Which reads are made and when: enough to settle as soon as the contract allows, and no more than it promises."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bitget_async import Order, OrderStatus, Outcome
from bitget_async.evidence import Certainty, Evidence, Listing, Page, complete
from bitget_async.inquiry import MOST_IN_FLIGHT, Inquiry, Read, ReadKind

SECOND = 1_000_000_000
START_NS = 5_000 * SECOND
T_MS = 1_750_000_000_000
NEVER = math.inf


def ms(at_ns: int) -> int:
    """The exchange's clock at that moment."""
    return T_MS + (at_ns - START_NS) // 1_000_000


@dataclass
class Truth:
    """One order: when it began and ended, in seconds from the start, and when the history shows it."""

    symbol: str
    born_s: float = -60.0
    ended_s: float = 0.15
    told_s: float = 0.6


@dataclass
class World:
    """An inquiry, an exchange without lag in its listings, and the time between them."""

    orders: dict[int, Truth] = field(default_factory=dict)
    latency_s: float = 0.05
    fails: Callable[[float, Read], bool] = lambda at_s, read: False
    banned: bool = False
    seed: int = 1
    now: int = START_NS
    reads: list[tuple[float, Read]] = field(default_factory=list)
    pages: int = 0
    settled: dict[str, tuple[float, Outcome]] = field(default_factory=dict)
    cleared: dict[str, float] = field(default_factory=dict)
    pending: dict[str, Evidence] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(random.Random(self.seed))
        self._flying: list[tuple[int, int, Read, int, bool]] = []
        self._count = itertools.count()

    @property
    def now_s(self) -> float:
        return (self.now - START_NS) / SECOND

    def sign(self, *symbols: str, snapshot: bool = True) -> None:
        for symbol in symbols:
            evidence = self.pending[symbol] = Evidence(symbol, lambda at: (ms(at) - 2, ms(at) + 2))
            evidence.signed(self.now, ms(self.now))
            self.inquiry.add(symbol, evidence, self.now, snapshot=snapshot)

    def answer(self, *symbols: str, stop_s: float | None = None) -> None:
        for symbol in symbols:
            self.pending[symbol].answered(Certainty.ACKED, self.now)
            stop_ns = None if stop_s is None else self.now + round(stop_s * SECOND)
            self.inquiry.answered(symbol, self.now, stop_ns=stop_ns)

    def usual(self, *symbols: str, snapshot: bool = True, stop_s: float | None = None) -> None:
        """Signed now, answered 50 ms later."""
        self.sign(*symbols, snapshot=snapshot)
        self.run(0.05)
        self.answer(*symbols, stop_s=stop_s)

    def run(self, until_s: float) -> None:
        """Let time pass; nothing happens between two events."""
        end = START_NS + round(until_s * SECOND)
        while True:
            wake = self.inquiry.wake_ns()
            moments = [self._flying[0][0]] if self._flying else []
            if wake is not None:
                moments.append(max(wake, self.now))
            if not moments or min(moments) > end:
                self.now = end
                return
            self.now = min(moments)
            if self._flying and self._flying[0][0] <= self.now:
                self._finish(*heapq.heappop(self._flying)[2:])
                continue
            for read in self.inquiry.due(self.now):
                self.reads.append((self.now_s, read))
                fails = self.fails(self.now_s, read)
                back = self.now + round(self.latency_s * SECOND * self._cost(read))
                heapq.heappush(self._flying, (back, next(self._count), read, self.now, fails))

    def _cost(self, read: Read) -> int:
        """Pages of a listing come one after the other."""
        if read.kind is not ReadKind.LISTING:
            return 1
        return 1 + len(self._open(read.symbol, self.now_s)) // 100

    def _open(self, symbol: str | None, at_s: float) -> list[Order]:
        return [
            self._row(number, "live")
            for number, order in sorted(self.orders.items(), reverse=True)
            if order.born_s <= at_s < order.ended_s and symbol in (None, order.symbol)
        ]

    def _row(self, number: int, status: str) -> Order:
        order = self.orders[number]
        ended = None if order.ended_s == NEVER else ms(START_NS + round(order.ended_s * SECOND))
        born = ms(START_NS + round(order.born_s * SECOND))
        return Order(
            order_id=str(number), symbol=order.symbol, status=OrderStatus(status), created_ms=born, updated_ms=ended
        )

    def _finish(self, read: Read, asked_ns: int, fails: bool) -> None:
        if fails:
            self.inquiry.failed(read, self.now, rate_limited=self.banned)
            return
        at_s = (asked_ns - START_NS) / SECOND
        fed = {name: each for name, each in self.pending.items() if read.symbol in (None, name)}
        if read.kind is ReadKind.LISTING:
            rows = tuple(self._open(read.symbol, at_s))
            cut = [rows[start : start + 100] for start in range(0, len(rows) + 1, 100)]
            self.pages += len(cut)
            listing = Listing(read.symbol, asked_ns, ms(asked_ns), rows, complete(cut, 100))
            for evidence in fed.values():
                evidence.saw_listing(listing)
            self.inquiry.done(read, self.now, listing=listing)
        else:
            page = self._page(read, asked_ns, at_s)
            self.pages += 1
            progress = [name for name, evidence in fed.items() if evidence.saw_page(page)]
            self.inquiry.done(read, self.now, page=page, progress=progress)
        for name, evidence in fed.items():
            if evidence.cleared_ms is not None:
                self.cleared.setdefault(name, self.now_s)
            outcome = evidence.outcome()
            if outcome is not None:
                self.settled[name] = (self.now_s, outcome)
                self.inquiry.remove(name)
                del self.pending[name]

    def _page(self, read: Read, asked_ns: int, at_s: float) -> Page:
        rows = [
            self._row(number, "cancelled")
            for number, order in sorted(self.orders.items(), reverse=True)
            if order.told_s <= at_s
            and read.symbol in (None, order.symbol)
            and (read.below is None or number < read.below)
            and (read.order_id is None or str(number) == read.order_id)
        ][:100]
        source = "orderInfo" if read.kind is ReadKind.ORDER else "history-orders"
        return Page(source, read.symbol, asked_ns, ms(asked_ns), tuple(rows), read.below, len(rows) < 100)

    def times(self, kind: ReadKind) -> list[float]:
        """When reads of that kind were made."""
        return [at_s for at_s, read in self.reads if read.kind is kind]


def some(count: int, *symbols: str, first: int = 1_000, **truth: float) -> dict[int, Truth]:
    """That many orders of each symbol."""
    made = {}
    for index, symbol in enumerate(symbols):
        for number in range(count):
            made[first + number * len(symbols) + index] = Truth(symbol, **truth)
    return made


SYMBOLS = [f"S{number}USDT" for number in range(26)]


@pytest.mark.parametrize("seed", range(5))
def test_one_symbol_is_settled_with_few_reads_soon_after_the_deciding_moment(seed: int) -> None:
    """A snapshot beside the command, quick looks until clear, one deciding look with the history: at most 8 reads."""
    world = World(some(5, "BTCUSDT"), seed=seed)
    world.usual("BTCUSDT")
    world.run(10)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.CONFIRMED
    assert 2.0 <= settled_s <= 2.0 + 0.2 + world.latency_s
    assert len(world.reads) <= 8
    listings, histories = world.times(ReadKind.LISTING), world.times(ReadKind.HISTORY)
    assert listings[0] == 0
    # 150 to 250 ms after the answer.
    assert 0.05 + 0.15 <= listings[1] <= 0.05 + 0.25 + 0.1
    assert world.cleared["BTCUSDT"] <= 0.15 + 0.3 + 0.1
    assert min(histories) >= 2.0
    assert any(2.0 <= at_s <= 2.2 for at_s in listings)
    assert world.inquiry.wake_ns() is None
    assert world.inquiry.due(world.now) == []


@pytest.mark.parametrize("seed", range(3))
def test_nothing_open_costs_the_least(seed: int) -> None:
    """No order at all: the snapshot, one clear look, the deciding one and a page."""
    world = World({}, seed=seed)
    world.usual("BTCUSDT")
    world.run(10)
    assert world.settled["BTCUSDT"][1] is Outcome.NOTHING_TO_CANCEL
    assert len(world.reads) <= 5


def test_without_a_snapshot_nothing_is_read_before_the_answer() -> None:
    """The fewest requests: the caller asked for that."""
    world = World(some(2, "BTCUSDT"))
    world.sign("BTCUSDT", snapshot=False)
    world.run(0.8)
    assert world.reads == []
    world.answer("BTCUSDT")
    world.run(10)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.reads[0][0] >= 0.8 + 0.15


@pytest.mark.parametrize("seed", range(3))
def test_many_symbols_at_once_share_their_reads(seed: int) -> None:
    """26 symbols signed together: at most two reads for each of them, account-wide listings first of all."""
    world = World(some(3, *SYMBOLS), seed=seed)
    world.usual(*SYMBOLS)
    world.run(10)
    assert {outcome for _, outcome in world.settled.values()} == {Outcome.CONFIRMED}
    assert len(world.settled) == 26
    assert world.pages <= 2 * 26
    assert all(read.symbol is None for at_s, read in world.reads if read.kind is ReadKind.LISTING and at_s > 0)
    assert max(at_s for at_s, _ in world.settled.values()) <= 2.8


def test_an_account_full_of_other_orders_is_read_by_symbol() -> None:
    """5 000 open orders of others: once their number is known, single symbols are the cheaper look."""
    world = World(
        some(2, *SYMBOLS[:4], first=100_000) | some(5_000, "OTHERUSDT", ended_s=NEVER, told_s=NEVER), latency_s=0.02
    )
    world.usual(*SYMBOLS[:4])
    world.run(15)
    assert len(world.settled) == 4
    late = [read for at_s, read in world.reads if read.kind is ReadKind.LISTING and at_s > 1.9]
    assert late
    assert all(read.symbol is not None for read in late)


def test_one_symbol_alone_is_read_by_its_name() -> None:
    """An account-wide listing could be of many pages, for nothing."""
    world = World(some(2, "BTCUSDT"))
    world.usual("BTCUSDT")
    world.run(10)
    assert {read.symbol for _, read in world.reads} == {"BTCUSDT"}


def test_orders_that_lie_too_deep_for_the_accounts_page_are_read_by_symbol() -> None:
    """Two symbols, and a hundred newer finished orders of others between them and the top of the history."""
    world = World(some(1, "BTCUSDT", "ETHUSDT") | some(150, "OTHERUSDT", first=50_000, ended_s=-5, told_s=-4))
    world.usual("BTCUSDT", "ETHUSDT")
    world.run(10)
    assert {outcome for _, outcome in world.settled.values()} == {Outcome.CONFIRMED}
    assert len(world.settled) == 2
    histories = [read.symbol for _, read in world.reads if read.kind is ReadKind.HISTORY]
    assert histories[0] is None
    assert set(histories[1:]) == {"BTCUSDT", "ETHUSDT"}


def test_a_look_with_nothing_left_to_ask_asks_nothing() -> None:
    """Everything is read, and only the exchange's clock is unknown, so that nothing can be decided."""
    evidence = Evidence("BTCUSDT", lambda at: None)
    evidence.signed(START_NS, T_MS)
    inquiry = Inquiry(random.Random(1))
    inquiry.add("key", evidence, START_NS, snapshot=False)
    evidence.answered(Certainty.ACKED, START_NS)
    inquiry.answered("key", START_NS)
    # The last quick look: the next one is the deciding one.
    assert inquiry.due(START_NS + 3 * SECOND // 2) == [Read(ReadKind.LISTING, "BTCUSDT")]
    late = START_NS + 3 * SECOND
    evidence.saw_listing(Listing("BTCUSDT", late, ms(late), (), True))
    evidence.saw_page(Page("history-orders", "BTCUSDT", late, ms(late), (), None, True))
    assert evidence.outcome() is None
    for seconds in (1, 10, 60):
        assert inquiry.due(late + seconds * SECOND) == []


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_many_orders_of_one_symbol_are_followed_page_by_page(count: int) -> None:
    """Every one of them needs its final row; the pages go on below what the last one showed."""
    world = World(some(count, "BTCUSDT"))
    world.usual("BTCUSDT")
    world.run(20)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 3.5
    histories = [read for _, read in world.reads if read.kind is ReadKind.HISTORY]
    assert len(histories) <= 2 * (count // 100) + 3


def test_a_history_that_lags_is_asked_ever_more_slowly() -> None:
    """The row comes after eight seconds: no more than a handful of reads wait for it, and no gap exceeds 5 s."""
    world = World(some(1, "BTCUSDT", told_s=8.0))
    world.usual("BTCUSDT")
    world.run(30)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.CONFIRMED
    assert 8.0 <= settled_s <= 8.0 + 5.5
    after = [at_s for at_s, _ in world.reads if at_s >= 2.0]
    assert len(after) <= 14
    # A vanished order is asked for by its id as well.
    assert ReadKind.ORDER in {read.kind for _, read in world.reads}


def test_pages_that_bring_nothing_are_followed_by_single_ids() -> None:
    """Three orders gone and in no history: pages and ids take turns, at most three ids at once."""
    world = World(some(5, "BTCUSDT", told_s=NEVER))
    world.usual("BTCUSDT")
    world.run(60)
    assert world.settled == {}
    assert len(world.reads) <= 60
    by_moment: dict[float, int] = {}
    for at_s, read in world.reads:
        if read.kind is ReadKind.ORDER:
            by_moment[at_s] = by_moment.get(at_s, 0) + 1
    assert by_moment
    assert max(by_moment.values()) <= 3
    assert {read.below for _, read in world.reads if read.kind is ReadKind.HISTORY} > {None}


def test_an_order_that_stays_open_is_read_at_the_horizon() -> None:
    """STILL_OPEN as soon as the contract allows, and few looks until then."""
    world = World(some(2, "BTCUSDT", ended_s=NEVER, told_s=NEVER))
    world.usual("BTCUSDT")
    world.run(60)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.STILL_OPEN
    horizon_s = 30 + 10 + 2 + 0.002
    assert horizon_s <= settled_s <= horizon_s + 1.5
    assert len(world.reads) <= 40


def test_a_stop_is_kept() -> None:
    """Two seconds after the answer `ensure` wants to know what is open, whatever the rhythm says."""
    world = World(some(1, "BTCUSDT", ended_s=NEVER, told_s=NEVER))
    world.usual("BTCUSDT", stop_s=7.0)
    world.run(20)
    assert any(7.05 <= at_s <= 7.2 for at_s in world.times(ReadKind.LISTING))


@pytest.mark.parametrize("banned", [False, True])
def test_failing_reads_never_come_faster_than_succeeding_ones(banned: bool) -> None:
    """Everything fails for five minutes: ever slower, up to 5 s, or up to 30 s under a ban."""
    world = World(some(1, "BTCUSDT"), fails=lambda at_s, read: True, banned=banned)
    world.usual("BTCUSDT")
    world.run(300)
    moments = sorted({at_s for at_s, _ in world.reads})
    gaps = [later - at_s for at_s, later in itertools.pairwise(moments)]
    assert gaps[-3:] == pytest.approx([26.25, 26.25, 26.25] if banned else [4.4, 4.4, 4.4], rel=0.2)
    # Never quicker than what a success would have been followed by.
    assert min(gaps) >= 0.14
    assert len(world.reads) <= (25 if banned else 160)
    assert world.settled == {}


def test_a_ban_of_five_minutes_is_met_with_few_requests() -> None:
    """A few quick ones until it is clear that it is a ban, then one in some thirty seconds."""
    world = World(
        some(1, "BTCUSDT", told_s=NEVER), fails=lambda at_s, read: 5 <= at_s < 305, banned=True, latency_s=0.02
    )
    world.usual("BTCUSDT")
    world.run(305)
    assert len({at_s for at_s, _ in world.reads if at_s >= 5}) <= 20


def test_reads_recover_after_failures() -> None:
    """A minute of failures is over: settled within one of the slow gaps."""
    world = World(some(3, "BTCUSDT"), fails=lambda at_s, read: at_s < 60)
    world.usual("BTCUSDT")
    world.run(80)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 67


def test_a_failed_snapshot_is_tried_again_before_the_answer() -> None:
    """The orders of the first moment may be gone by the next look."""
    world = World(some(1, "BTCUSDT", ended_s=3, told_s=3.2), fails=lambda at_s, read: at_s < 0.1)
    world.sign("BTCUSDT")
    world.run(2)
    assert len(world.reads) == 2
    assert 0.1 <= world.reads[1][0] <= 0.6


def test_quick_looks_overlap_where_the_network_is_slow() -> None:
    """A look every 170 to 280 ms although each takes 600: "cleared" must not wait for an answer under way."""
    world = World(some(1, "BTCUSDT", ended_s=0.3), latency_s=0.6)
    world.usual("BTCUSDT")
    world.run(10)
    assert world.cleared["BTCUSDT"] <= 0.3 + 0.6 + 0.4
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert len(world.reads) <= 12


def test_no_more_than_ten_reads_are_under_way() -> None:
    """However many cancellations there are; the rest is read when answers come."""
    world = World(
        some(1, *SYMBOLS, first=100_000) | some(3_000, "OTHERUSDT", ended_s=NEVER, told_s=NEVER), latency_s=0.2
    )
    world.usual(*SYMBOLS)
    most = 0
    for step in range(1, 400):
        world.run(0.05 + step * 0.05)
        most = max(most, len(world._flying))
    assert most <= MOST_IN_FLIGHT
    assert len(world.settled) == 26


def test_the_next_cancellation_joins_the_looks_of_the_last() -> None:
    """A second command while the first is watched: each has its own deciding moment, and both settle."""
    world = World(some(2, "BTCUSDT", "ETHUSDT", ended_s=0.15) | {9_000: Truth("ETHUSDT", ended_s=1.2, told_s=1.5)})
    world.usual("BTCUSDT")
    world.run(1)
    world.sign("ETHUSDT")
    world.run(1.05)
    world.answer("ETHUSDT")
    world.run(10)
    assert world.settled["BTCUSDT"][0] <= 2.5
    assert 3.0 <= world.settled["ETHUSDT"][0] <= 3.5


def test_urged_looks_come_soon_and_unknown_keys_are_ignored() -> None:
    """Something was cancelled by id: look again at once, not at the end of a long gap."""
    world = World(some(1, "BTCUSDT", ended_s=20.1, told_s=20.2))
    world.usual("BTCUSDT")
    world.run(20.3)
    world.inquiry.urged("BTCUSDT", world.now)
    world.inquiry.urged("nobody", world.now)
    world.inquiry.remove("nobody")
    world.run(22)
    assert world.settled["BTCUSDT"][0] <= 21.2


def test_signing_again_moves_the_deciding_look() -> None:
    """The first copy was refused for its timestamp: what was decided for it no longer is."""
    world = World(some(1, "BTCUSDT", ended_s=5.2, told_s=5.3))
    world.usual("BTCUSDT")
    world.run(5)
    world.pending["BTCUSDT"].signed(world.now, ms(world.now))
    world.inquiry.resigned("BTCUSDT")
    world.answer("BTCUSDT")
    world.run(15)
    assert 7.0 <= world.settled["BTCUSDT"][0] <= 7.6


def test_nothing_pending_needs_no_timer() -> None:
    """An idle client does nothing."""
    inquiry = Inquiry(random.Random(0))
    assert inquiry.wake_ns() is None
    assert inquiry.due(START_NS) == []
