"""Which reads are made and when: enough to settle as soon as the contract allows, and no more than it promises."""

from __future__ import annotations

import itertools
import random

import pytest

from bitget_async import Order, OrderStatus, Outcome
from bitget_async.evidence import Certainty, Listing, Page, Sweep
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.planner import MOST_IN_FLIGHT
from tests.inquiry.world import NEVER, SECOND, START_NS, T_MS, Truth, World, ms, some

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


def test_a_symbol_below_the_accounts_last_page_gets_its_own_at_once() -> None:
    """The page of the account is asked once in vain; whoever comes later knows how far down it reached."""
    busy = some(150, "OTHERUSDT", first=50_000, ended_s=-5, told_s=-4)
    world = World(some(1, "AUSDT", "BUSDT", "CUSDT", "DUSDT", told_s=0.2) | busy)
    world.usual("AUSDT", "BUSDT")
    world.run(3)
    assert len(world.settled) == 2
    before = len(world.reads)
    for name, truth in zip((2_000, 2_001), ("CUSDT", "DUSDT"), strict=True):
        world.orders[name] = Truth(truth, ended_s=3.15, told_s=3.3)
    world.usual_from(3, "CUSDT", "DUSDT")
    world.run(10)
    assert len(world.settled) == 4
    later = [read for _, read in world.reads[before:] if read.kind is ReadKind.HISTORY]
    assert {read.symbol for read in later} == {"CUSDT", "DUSDT"}
    # One that is newer than all of that is served by the account's page again.
    for name, truth in zip((90_000, 90_001), ("EUSDT", "FUSDT"), strict=True):
        world.orders[name] = Truth(truth, born_s=9.5, ended_s=10.15, told_s=10.3)
    before = len(world.reads)
    world.usual_from(10, "EUSDT", "FUSDT")
    world.run(15)
    assert len(world.settled) == 6
    assert [read.symbol for _, read in world.reads[before:] if read.kind is ReadKind.HISTORY] == [None]


def test_a_look_with_nothing_left_to_ask_asks_nothing() -> None:
    """Everything is read, and only the exchange's clock is unknown, so that nothing can be decided."""
    evidence = Sweep("BTCUSDT", bounds_ms=lambda at: None)
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


@pytest.mark.failure(44)
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


@pytest.mark.failure(39, 44)
def test_every_swept_order_is_in_the_report_though_no_listing_showed_it() -> None:
    """250 orders gone before the first look: the pages of the history are followed down to what ended before."""
    world = World(some(250, "BTCUSDT", ended_s=0.1) | some(300, "BTCUSDT", first=100, ended_s=-3, told_s=-2))
    world.usual("BTCUSDT", snapshot=False)
    world.run(20)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.CONFIRMED
    assert settled_s <= 2.3
    assert len(world.closed["BTCUSDT"].fates) == 250
    below = [read.below for _, read in world.reads if read.kind is ReadKind.HISTORY]
    # The third page still shows 50 of them, so one more is asked.
    assert below == [None, 1_150, 1_050, 350]


@pytest.mark.failure(44, 45)
def test_a_page_that_fails_is_asked_again_and_the_chain_goes_on() -> None:
    """What the pages above have shown is not lost with one that failed."""
    failed: list[int | None] = []

    def fails(at_s: float, read: Read) -> bool:
        fresh = read.kind is ReadKind.HISTORY and read.below is not None and read.below not in failed
        failed.extend([read.below] if fresh else [])
        return fresh

    world = World(some(250, "BTCUSDT", ended_s=0.1), fails=fails)
    world.usual("BTCUSDT", snapshot=False)
    world.run(20)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 5
    assert len(world.closed["BTCUSDT"].fates) == 250
    assert failed == [1_150, 1_050]


@pytest.mark.failure(41)
def test_a_history_that_lags_is_asked_ever_more_slowly() -> None:
    """The row comes after eight seconds: no more than a handful of reads wait for it, and no gap exceeds 5 s."""
    world = World(some(1, "BTCUSDT", told_s=8.0))
    world.usual("BTCUSDT")
    world.run(30)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.CONFIRMED
    assert 8.0 <= settled_s <= 8.0 + 5.5
    after = [at_s for at_s, _ in world.reads if at_s >= 2.0]
    assert len(after) <= 10
    assert max(world.gaps) <= 5.0
    # A vanished order is asked for by its id as well.
    assert ReadKind.ORDER in {read.kind for _, read in world.reads}


@pytest.mark.failure(42)
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


@pytest.mark.failure(42)
@pytest.mark.parametrize("count", [2, 99, 250])
def test_many_orders_too_old_for_the_history_are_proven_one_by_one(count: int) -> None:
    """The history never shows them, their ids do: as fast as ten answers a second allow, and in time."""
    world = World(some(count, "BTCUSDT", told_s=NEVER), prompt=True)
    world.usual("BTCUSDT")
    world.run(60)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 4 + count / 5
    histories = [read for _, read in world.reads if read.kind is ReadKind.HISTORY]
    assert len(histories) <= 8
    assert len(world.reads) <= count + 25


@pytest.mark.failure(42)
def test_ids_that_nobody_knows_do_not_hide_the_others() -> None:
    """Six purged orders stand at the front, two that can be read behind them: others are asked each time."""
    hidden, shown = some(6, "BTCUSDT", told_s=NEVER), some(2, "BTCUSDT", first=2_000, told_s=NEVER, asked_s=0.2)
    world = World(hidden | shown)
    world.usual("BTCUSDT")
    world.run(60)
    assert world.pending["BTCUSDT"].missing == sorted(hidden)


@pytest.mark.failure(41)
def test_a_page_is_asked_again_soon_where_ids_and_pages_lag_alike() -> None:
    """A hundred rows that come after ten seconds, by id and by page: a page brings them, not a hundred questions."""
    world = World(some(100, "BTCUSDT", told_s=10.0))
    world.usual("BTCUSDT")
    world.run(60)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 16
    assert len(world.reads) <= 50


@pytest.mark.failure(44)
def test_a_history_that_ignores_its_cursor_is_not_asked_ever_faster() -> None:
    """250 swept orders and the first page again and again: asked in the usual rhythm, and never confirmed by it."""
    world = World(some(250, "BTCUSDT", ended_s=0.1), stuck=True)
    world.usual("BTCUSDT", snapshot=False)
    world.run(30)
    assert world.settled == {}
    assert len(world.reads) <= 30


@pytest.mark.failure(9, 32)
@pytest.mark.parametrize("seed", range(8))
def test_an_order_that_stays_open_is_read_at_the_horizon(seed: int) -> None:
    """STILL_OPEN as soon as the contract allows, few looks until then, and never longer than 5 s without one."""
    world = World(some(2, "BTCUSDT", ended_s=NEVER, told_s=NEVER), seed=seed)
    world.usual("BTCUSDT")
    world.run(60)
    settled_s, outcome = world.settled["BTCUSDT"]
    assert outcome is Outcome.STILL_OPEN
    horizon_s = 30 + 10 + 2 + 0.002
    assert horizon_s <= settled_s <= horizon_s + 2 * world.latency_s
    assert len(world.reads) <= 25
    assert max(world.gaps) <= 5.0


@pytest.mark.parametrize("seed", range(8))
def test_a_stop_is_kept(seed: int) -> None:
    """Two seconds after the answer `ensure` wants to know what is open, whatever the rhythm says."""
    world = World(some(1, "BTCUSDT", ended_s=NEVER, told_s=NEVER), seed=seed)
    world.usual("BTCUSDT", stop_s=7.0)
    world.run(20)
    assert min(at_s for at_s in world.times(ReadKind.LISTING) if at_s >= 7.05) <= 7.2


@pytest.mark.failure(45)
@pytest.mark.parametrize("banned", [False, True])
def test_failing_reads_never_come_faster_than_succeeding_ones(banned: bool) -> None:
    """Everything fails for five minutes: ever slower, up to 5 s, or once in some thirty seconds under a ban."""
    world = World(some(1, "BTCUSDT"), fails=lambda at_s, read: True, banned=banned)
    world.usual("BTCUSDT")
    world.run(300)
    # The failure comes back after 50 ms; from there it is 75 to 100 % of 5 s, or the pause of a ban.
    for gap in world.gaps[-3:]:
        assert (30 if banned else 3.75) <= gap <= (35 if banned else 5.05)
    # Never quicker than what a success would have been followed by.
    assert min(world.gaps) >= 0.14
    assert len(world.reads) <= (10 if banned else 80)
    assert world.settled == {}


@pytest.mark.failure(45)
def test_reads_recover_after_failures() -> None:
    """A minute of failures is over: settled within one of the slow gaps."""
    world = World(some(3, "BTCUSDT"), fails=lambda at_s, read: at_s < 60)
    world.usual("BTCUSDT")
    world.run(80)
    assert world.settled["BTCUSDT"][1] is Outcome.CONFIRMED
    assert world.settled["BTCUSDT"][0] <= 60 + 5.1


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


def inquiry_of(*symbols: str, seed: int = 1) -> tuple[Inquiry, dict[str, Sweep]]:
    """Commands signed and answered at the start, without a snapshot."""
    inquiry, made = Inquiry(random.Random(seed)), {}
    for symbol in symbols:
        made[symbol] = Sweep(symbol, bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2))
        made[symbol].signed(START_NS, ms(START_NS))
        inquiry.add(symbol, made[symbol], START_NS, snapshot=False)
        made[symbol].answered(Certainty.ACKED, START_NS)
        inquiry.answered(symbol, START_NS)
    return inquiry, made


def account_of(rows: int, at_ns: int) -> Listing:
    """A listing of the account with so many orders of nobody here."""
    shown = tuple(Order(order_id=str(9_000 + n), symbol="OTHERUSDT", status=OrderStatus.LIVE) for n in range(rows))
    return Listing(None, at_ns, ms(at_ns), shown, True)


@pytest.mark.parametrize(
    ("rows", "account"), [(0, True), (99, True), (100, True), (199, True), (200, False), (5_000, False)]
)
def test_the_accounts_listing_is_taken_where_it_is_the_fewer_pages(rows: int, account: bool) -> None:
    """Five symbols: at 2 pages the whole account is still worth it, for its pages come one after the other."""
    inquiry, _ = inquiry_of(*SYMBOLS[:5])
    first = START_NS + 2 * SECOND // 5
    (read,) = inquiry.due(first)
    assert read == Read(ReadKind.LISTING)
    inquiry.done(read, first + 1, listing=account_of(rows, first))
    reads = inquiry.due(first + 3 * SECOND)
    listed = [each.symbol for each in reads if each.kind is ReadKind.LISTING]
    assert listed == ([None] if account else SYMBOLS[:5])


def test_while_an_account_of_unknown_size_is_read_symbols_are_read_by_name() -> None:
    """It could be of fifty pages, one after the other: "cleared" does not wait for the last of them."""
    inquiry, _ = inquiry_of(*SYMBOLS[:3])
    first = START_NS + 2 * SECOND // 5
    (read,) = inquiry.due(first)
    assert read == Read(ReadKind.LISTING)
    later = first + 700_000_000
    assert inquiry.due(later) == [Read(ReadKind.LISTING, symbol) for symbol in SYMBOLS[:3]]
    # Known to fit on a page, it is read again although the last one is still on its way.
    inquiry, _ = inquiry_of(*SYMBOLS[:3])
    (read,) = inquiry.due(first)
    inquiry.done(read, first + 1, listing=account_of(20, first))
    assert inquiry.due(first + 300_000_000) == [read]
    assert inquiry.due(first + 600_000_000) == [read]


def test_reads_beyond_the_tenth_are_postponed_and_not_forgotten() -> None:
    """Fifteen symbols that need a page each: ten go now, the others as soon as there is room."""
    names = SYMBOLS[:15]
    inquiry, made = inquiry_of(*names)
    first = START_NS + 2 * SECOND // 5
    (read,) = inquiry.due(first)
    inquiry.done(read, first + 1, listing=account_of(9_000, first))
    late = START_NS + 3 * SECOND
    one = inquiry.due(late)
    assert len(one) == MOST_IN_FLIGHT
    assert inquiry.wake_ns() is None
    assert inquiry.due(late + 1) == []
    for read in one:
        listing = Listing(read.symbol, late, ms(late), (), True)
        made[read.symbol or ""].saw_listing(listing)
        inquiry.done(read, late + 1, listing=listing)
    asked = {read.symbol for read in one}
    while len(asked) < 15:
        more = inquiry.due(late + 2)
        assert more
        assert len(more) <= MOST_IN_FLIGHT
        asked |= {read.symbol for read in more}
        for read in more:
            inquiry.done(read, late + 3, page=Page("history-orders", read.symbol, late, ms(late), (), None, True))
    assert asked == set(names)


def test_what_found_no_room_is_read_before_anything_is_read_again() -> None:
    """Answers come one at a time, as behind a quota: each makes room for one, which must not always be the first."""
    names = SYMBOLS[:15]
    inquiry, _ = inquiry_of(*names)
    first = START_NS + 2 * SECOND // 5
    (read,) = inquiry.due(first)
    inquiry.done(read, first + 1, listing=account_of(9_000, first))
    now = START_NS + 3 * SECOND
    reads = inquiry.due(now)
    for number in range(5):
        now += 50_000_000
        answered = reads[number]
        if answered.kind is ReadKind.LISTING:
            inquiry.done(answered, now, listing=Listing(answered.symbol, now, ms(now), (), True))
        else:
            inquiry.done(answered, now, page=Page("history-orders", answered.symbol, now, ms(now), (), None, True))
        more = inquiry.due(now)
        assert len(more) == 1
        reads += more
    assert len(set(reads)) == len(reads) == 15


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_that_no_single_read_serves_looks_less_often(seed: int) -> None:
    """Eight symbols beside 5 000 orders of others: quick looks keep inside ten reads a second and skip nobody."""
    names = SYMBOLS[:8]
    orders = some(2, *names, first=100_000, ended_s=1.7, told_s=1.9)
    world = World(orders | some(5_000, "OTHERUSDT", ended_s=NEVER, told_s=NEVER), latency_s=0.02, seed=seed)
    world.usual(*names)
    world.run(15)
    assert {outcome for _, outcome in world.settled.values()} == {Outcome.CONFIRMED}
    quick = [(at_s, read.symbol) for at_s, read in world.reads if 0.1 <= at_s < 2.0]
    for name in names:
        mine = [at_s for at_s, symbol in quick if symbol == name]
        assert 1 <= len(mine) <= 3
        assert all(later - at_s >= len(names) * 0.12 - 0.001 for at_s, later in itertools.pairwise(mine))
    worst = max(sum(at_s <= other < at_s + 1 for other, _ in quick) for at_s, _ in quick)
    assert worst <= 2 * len(names)
    # Alone, the same symbol has its steady quick looks.
    alone = World(some(2, "BTCUSDT", ended_s=1.7, told_s=1.9), latency_s=0.02, seed=seed)
    alone.usual("BTCUSDT")
    alone.run(10)
    steady = [at_s for at_s in alone.times(ReadKind.LISTING) if 0.1 <= at_s <= 1.4]
    assert len(steady) >= 4
    assert all(0.2 <= later - at_s <= 0.291 for at_s, later in itertools.pairwise(steady))


def test_an_urged_look_is_never_later_than_it_was() -> None:
    """Shortly before the next look anyway, urging changes nothing; in a long gap it brings it within 250 ms."""
    world = World(some(1, "BTCUSDT", ended_s=NEVER, told_s=NEVER))
    world.usual("BTCUSDT")
    world.run(20)
    for _ in range(20):
        planned = world.inquiry.wake_ns() or 0
        world.inquiry.urged("BTCUSDT", world.now)
        urged = world.inquiry.wake_ns() or 0
        assert urged <= max(planned, world.now) + 50_000_000
        assert urged <= world.now + 250_000_000
        world.run(world.now_s + 0.4)


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
