"""The looks after commands on named orders: which reads, when, and how few."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from bitget_async import Order, OrderStatus
from bitget_async.evidence import Book, Certainty, Command, Listing, Named, Page, Target, Want
from bitget_async.inquiry import Inquiry, Read, ReadKind
from bitget_async.inquiry.named_looks import NamedLook
from tests.inquiry.world import NEVER, SECOND, START_NS, Truth, World, ms, some

BTC, ETH = "BTCUSDT", "ETHUSDT"
LOST = Certainty.MAYBE
# Accepted for 5 s, acts for 10 s, shown after 2 s; the clock of the world is known to 2 ms.
WINDOW_S, OVER_S = 5, 17.002


def command(**fields: Any) -> Command:
    """A command in the world's clock."""
    return Command(bounds_ms=lambda at: (ms(at) - 2, ms(at) + 2), accepted_for_ns=WINDOW_S * SECOND, **fields)


def cancels(*numbers: int, symbol: str = BTC, of: Command | None = None) -> list[Target]:
    """Orders to be cancelled by id, by one command."""
    one = of or command()
    return [Target(command=one, symbol=symbol, want=Want.FINAL, order_id=str(number)) for number in numbers]


def places(*oids: str, symbol: str = BTC, **fields: Any) -> list[Target]:
    """Orders to be placed, by one command."""
    one = command()
    return [Target(command=one, symbol=symbol, want=Want.PRESENT, client_oid=oid, **fields) for oid in oids]


def usual(world: World, key: str, *targets: Target, certainty: Certainty = Certainty.ACKED) -> Named:
    """Signed now, answered 50 ms later."""
    made = world.call(key, *targets)
    world.run(world.now_s + 0.05)
    world.replied(key, certainty)
    return made


def kinds(world: World) -> list[ReadKind]:
    """What was read, in order."""
    return [read.kind for _, read in world.reads]


# -- few: one by one ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_orders_are_asked_for_one_by_one(count: int, seed: int) -> None:
    """150 to 250 ms after the answer, one call each, and no more once they are known."""
    world = World(some(count, BTC, ended_s=0.1, told_s=0.1), seed=seed)
    usual(world, "a", *cancels(*world.orders))
    assert world.reads == []
    world.run(20)
    assert kinds(world) == [ReadKind.ORDER] * count
    assert {read.order_id for _, read in world.reads} == {str(number) for number in world.orders}
    assert all(0.2 <= at_s <= 0.301 for at_s, _ in world.reads)
    assert world.proven["a"] <= 0.36
    assert world.inquiry.wake_ns() is None


def test_a_new_order_is_asked_for_by_its_client_id_until_its_id_is_known() -> None:
    """Then by its id."""
    world = World({7: Truth(BTC, born_s=0.05, ended_s=NEVER, told_s=NEVER, oid="a")})
    (target,) = places("a")
    usual(world, "a", target, certainty=LOST)
    world.run(1)
    (read,) = [read for _, read in world.reads]
    assert (read.client_oid, read.order_id, read.symbol) == ("a", None, BTC)
    assert world.proven["a"] <= 0.11
    target.row = None
    world = World({7: Truth(BTC, born_s=0.05, ended_s=NEVER, told_s=NEVER, oid="a")})
    usual(world, "a", *places("a", order_id="7"))
    world.run(1)
    assert world.reads[0][1].order_id == "7"


def test_after_a_lost_answer_the_first_look_is_at_once() -> None:
    """There is nothing to wait for: time went by already."""
    world = World({})
    usual(world, "a", *places("a"), certainty=LOST)
    world.run(0.051)
    assert [at_s for at_s, _ in world.reads] == [0.05]


@pytest.mark.parametrize("seed", range(3))
def test_looks_come_ever_more_slowly_up_to_five_seconds(seed: int) -> None:
    """An order that stays as it is costs little: a read each 5 s in the end."""
    world = World(some(1, BTC, ended_s=NEVER, told_s=NEVER), seed=seed, latency_s=0.01)
    usual(world, "a", *cancels(1_000))
    world.run(16)
    gaps = world.gaps
    assert gaps[0] <= 0.25
    assert all(later >= 1.3 * gap for gap, later in itertools.pairwise(gaps[2:6]))
    assert max(gaps) <= 5.0
    assert len(world.reads) <= 9


@pytest.mark.parametrize("seed", range(3))
def test_an_order_that_stays_open_is_read_at_the_moment_that_decides(seed: int) -> None:
    """Not earlier, which would prove nothing, and not seconds later."""
    world = World(some(1, BTC, ended_s=NEVER, told_s=NEVER), seed=seed)
    usual(world, "a", *cancels(1_000))
    world.run(60)
    assert OVER_S <= world.proven["a"] <= OVER_S + 0.09


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_order_is_proven_absent_by_three_reads_at_the_moment_that_decides(seed: int) -> None:
    """Listing, history and orderInfo together, requested when it can appear no more."""
    world = World(some(2, BTC, ended_s=NEVER, told_s=NEVER), seed=seed)
    usual(world, "a", *places("a"), certainty=LOST)
    world.run(60)
    assert OVER_S <= world.proven["a"] <= OVER_S + 0.09
    last = [read.kind for at_s, read in world.reads if at_s >= OVER_S]
    assert sorted(kind.value for kind in last) == ["history", "listing", "order"]
    assert all(kind is ReadKind.ORDER for kind in kinds(world)[:-3])


@pytest.mark.parametrize("kind", ReadKind)
def test_of_the_three_reads_only_those_that_failed_are_made_again(kind: ReadKind) -> None:
    """What has been read late enough need not be read again."""
    failures = itertools.count()
    world = World(fails=lambda at_s, read: at_s >= OVER_S and read.kind is kind and next(failures) < 2)
    usual(world, "a", *places("a"), certainty=LOST)
    world.run(60)
    late = [read.kind for at_s, read in world.reads if at_s >= OVER_S]
    assert {each: late.count(each) for each in ReadKind} == {each: 3 if each is kind else 1 for each in ReadKind}
    assert world.proven["a"] <= OVER_S + 3


def test_a_history_that_does_not_reach_down_to_the_signing_is_followed_at_once() -> None:
    """Each page as soon as the one above it is there."""
    orders = {5_000 + number: Truth(BTC, born_s=1.0, ended_s=2.0, told_s=2.1, oid="z") for number in range(250)}
    orders |= {100: Truth(BTC, born_s=-100, ended_s=-50, told_s=-49)}
    world = World(orders)
    usual(world, "a", *places("a"), certainty=LOST)
    world.run(60)
    pages = [(at_s, read.below) for at_s, read in world.reads if read.kind is ReadKind.HISTORY]
    assert [below for _, below in pages] == [None, 5_150, 5_050]
    assert all(later - at_s <= 0.051 for (at_s, _), (later, _) in itertools.pairwise(pages))
    assert world.proven["a"] <= OVER_S + 0.2


def test_an_order_whose_client_id_another_one_had_before_is_decided_as_soon_as_a_listing_can_be() -> None:
    """It ended before the signing: listing, history and orderInfo two seconds after it."""
    world = World({7: Truth(BTC, born_s=-60, ended_s=-30, told_s=-29, oid="a")})
    one = command()
    usual(world, "a", Target(command=one, symbol=BTC, want=Want.FINAL, client_oid="a"), certainty=LOST)
    world.run(60)
    assert 2.0 <= world.proven["a"] <= 2.2


# -- many: together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_many_orders_that_are_to_end_are_read_by_the_page(seed: int) -> None:
    """A history page for all, from the newest on, and nothing one by one."""
    world = World(some(20, BTC, ended_s=0.1, told_s=0.15), seed=seed)
    usual(world, "a", *cancels(*world.orders))
    world.run(20)
    assert kinds(world) == [ReadKind.HISTORY]
    assert world.reads[0][1].below == 1_020
    assert world.proven["a"] <= 0.36


@pytest.mark.parametrize("count", [300, 1_000])
def test_pages_that_help_are_followed_by_pages_down_to_the_last_order(count: int) -> None:
    """A hundred orders a page, each as soon as the one above it is there; nothing is asked for one by one."""
    world = World(some(count, BTC, ended_s=0.1, told_s=0.15))
    usual(world, "a", *cancels(*world.orders))
    world.run(30)
    assert kinds(world) == [ReadKind.HISTORY] * (count // 100)
    assert world.proven["a"] <= 0.05 + 0.25 + 0.05 * (count // 100) + 0.01


@pytest.mark.parametrize("seed", range(3))
def test_many_new_orders_are_read_by_one_listing(seed: int) -> None:
    """Those that ended at once by one page, beside another listing: the first one may have been too old."""
    live = {number: Truth(BTC, 0.05, NEVER, NEVER, f"c{number}") for number in range(10)}
    gone = {number: Truth(BTC, 0.05, 0.06, 0.07, f"c{number}") for number in range(10, 20)}
    world = World(live | gone, seed=seed)
    usual(world, "a", *places(*(f"c{number}" for number in range(20))))
    world.run(20)
    assert kinds(world) == [ReadKind.LISTING, ReadKind.LISTING, ReadKind.HISTORY]
    assert world.proven["a"] <= 0.9


def test_many_that_are_stuck_are_asked_for_one_by_one_now_and_then() -> None:
    """Pages that bring nothing may be wrong; orderInfo has its own way to know."""
    world = World({})
    usual(world, "a", *cancels(*range(1, 8)))
    world.run(16)
    found = kinds(world)
    assert found[0] is ReadKind.HISTORY
    assert 3 <= found.count(ReadKind.ORDER) <= 9
    assert found.count(ReadKind.HISTORY) >= 4
    # Others each time, and in turn.
    asked = [read.order_id for _, read in world.reads if read.kind is ReadKind.ORDER]
    assert len(set(asked[:7])) == 7


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_whose_history_never_comes_is_proven_one_by_one_in_time(seed: int) -> None:
    """More of them in each turn: sixty seconds are enough for twenty-five."""
    world = World(some(25, BTC, ended_s=0.1, told_s=NEVER), seed=seed, prompt=True)
    made = usual(world, "a", *cancels(*world.orders))
    world.run(60)
    assert made.left == []
    assert world.proven["a"] <= 5
    assert len(world.reads) <= 35


@pytest.mark.parametrize("seed", range(3))
def test_a_page_that_goes_on_is_followed_only_by_who_reads_downwards(seed: int) -> None:
    """Pages full of others' orders show nothing new each time: that is no reason to ask at once again."""
    others = some(150, BTC, ended_s=-50.0, told_s=-49.0)
    mine = {number + 5_000: order for number, order in some(10, BTC, ended_s=0.1, told_s=NEVER).items()}
    world = World(others | mine, seed=seed, prompt=True)
    usual(world, "a", *cancels(*mine))
    world.run(30)
    assert world.proven["a"] <= 3
    assert len(world.reads) <= 20


def test_orders_that_nobody_knows_do_not_stand_in_the_way_of_the_others() -> None:
    """Three ids that never were, before ten whose history lags by seconds: the ten are found when it tells them."""
    orders = some(10, BTC, ended_s=0.1, told_s=4.0)
    world = World(orders)
    made = usual(world, "a", *cancels(1, 2, 3, *orders))
    world.run(10)
    assert [target.order_id for target in made.left] == ["1", "2", "3"]


def test_orders_of_several_symbols_are_read_symbol_by_symbol() -> None:
    """Each with a page of its own."""
    world = World(some(5, BTC, ETH, ended_s=0.1, told_s=0.15))
    targets = [cancels(number, symbol=order.symbol)[0] for number, order in world.orders.items()]
    usual(world, "a", *targets)
    world.run(20)
    assert {(read.kind, read.symbol) for _, read in world.reads} == {
        (ReadKind.HISTORY, BTC),
        (ReadKind.HISTORY, ETH),
    }
    assert world.proven["a"] <= 0.4


def test_an_account_listing_serves_many_placements_and_a_sweep() -> None:
    """One read for all who want one, at the price of one symbol's."""
    names = [f"S{number}USDT" for number in range(8)]
    orders = {number: Truth(name, 0.05, NEVER, NEVER, f"c{number}") for number, name in enumerate(names)}
    world = World(orders | {100: Truth(BTC)})
    world.sign(BTC)
    for number, name in enumerate(names):
        world.call(name, *places(f"c{number}", symbol=name))
    world.run(0.05)
    world.answer(BTC)
    for name in names:
        world.replied(name)
    world.run(1.5)
    listings = [read for at_s, read in world.reads if read.kind is ReadKind.LISTING and at_s > 0.05]
    assert {read.symbol for read in listings} == {None}
    assert len(listings) <= 4
    assert ReadKind.ORDER not in kinds(world)
    assert set(world.proven) == set(names)
    world.run(5)
    assert BTC in world.settled


def test_reads_are_shared_by_calls_on_the_same_orders() -> None:
    """The same order is not asked for twice at once."""
    world = World(some(1, BTC, ended_s=0.1, told_s=0.1))
    world.call("a", *cancels(1_000))
    world.call("b", *cancels(1_000))
    world.run(0.05)
    world.replied("a", LOST)
    world.replied("b", LOST)
    world.run(0.06)
    assert len(world.reads) == 1
    world.run(1)
    assert set(world.proven) == {"a", "b"}


def test_a_read_that_began_before_an_answer_does_not_stand_for_one_after_it() -> None:
    """It cannot tell what that command did: the same read is made once more."""
    world = World(some(1, BTC, ended_s=0.4, told_s=0.4), latency_s=1.0)
    world.call("a", *cancels(1_000))
    world.call("b", *cancels(1_000))
    world.run(0.05)
    world.replied("a", LOST)
    world.run(0.5)
    world.replied("b", LOST)
    world.run(0.55)
    assert [at_s for at_s, _ in world.reads] == [0.05, 0.5]
    world.run(2)
    assert set(world.proven) == {"a", "b"}


# -- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.failure(45)
@pytest.mark.parametrize("banned", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_failing_reads_slow_everybody_down(banned: bool, seed: int) -> None:
    """Twice as slow each time, up to 5 s; once in some thirty seconds where the exchange says "too many" to all."""
    world = World(some(1, BTC), fails=lambda at_s, read: True, banned=banned, seed=seed, latency_s=0.01)
    usual(world, "a", *cancels(1_000))
    world.run(120)
    gaps = world.gaps
    assert len(world.reads) <= (5 if banned else 32)
    assert max(gaps) <= (35.0 if banned else 5.1)
    assert min(gaps[2 if banned else 4 :]) >= 2.0
    assert world.proven == {}


def test_looks_recover_after_failures() -> None:
    """The first success sets the usual rhythm."""
    world = World(some(1, BTC, ended_s=0.1, told_s=0.1), fails=lambda at_s, read: at_s < 10)
    usual(world, "a", *cancels(1_000))
    world.run(60)
    assert 10 <= world.proven["a"] <= 15.2


def test_a_failed_read_before_the_answer_changes_nothing_for_it() -> None:
    """It does not look before its answer, whatever others read."""
    world = World(some(1, BTC), fails=lambda at_s, read: True)
    world.call("a", *cancels(1_000))
    world.usual(ETH)
    world.run(3)
    assert world.reads
    assert all(read.kind is not ReadKind.ORDER for _, read in world.reads)


# -- one look ----------------------------------------------------------------------------------------------------


def look_of(*targets: Target, book: Book = Book.NORMAL, certainty: Certainty = Certainty.ACKED) -> NamedLook:
    """A look after commands that were signed at the start and answered 50 ms later."""
    for target in targets:
        target.command.signed(START_NS, ms(START_NS))
        target.command.answered(certainty, START_NS + SECOND // 20)
        target.certainty = certainty
    return NamedLook(random.Random(1), evidence=Named(targets, book))


def at(seconds: float) -> int:
    """That moment after the start."""
    return START_NS + round(seconds * SECOND)


@pytest.mark.parametrize("book", [Book.PLAN, Book.TPSL])
def test_lists_that_order_info_does_not_know_are_never_asked_one_by_one(book: Book) -> None:
    """A listing and a page instead, also for one order; nothing is looked for to be absent."""
    look = look_of(*places("a"), book=book, certainty=LOST)
    assert look.single == 0
    for seconds in (0.1, 90):
        wants = look.wants(at(seconds), few=True)
        assert (wants.listings, wants.orders) == ([BTC], [])
    look.evidence.saw_listing(Listing(BTC, at(91), 0, (), True, book))
    wants = look.wants(at(92), few=True)
    assert (wants.listings, wants.pages) == ([], [(BTC, None)])
    look.stuck = 2
    assert look.wants(at(92), few=True).orders == []


def test_orders_to_be_cancelled_are_listed_again_when_a_listing_decides() -> None:
    """Before that their history tells more."""
    look = look_of(*cancels(1, 2, 3, 4))
    assert look.wants(at(0.3), few=False).listings == []
    assert look.wants(at(OVER_S), few=False).listings == [BTC]
    rows = tuple(
        Order(order_id=str(number), symbol=BTC, status=OrderStatus.LIVE, created_ms=ms(START_NS) - 10_000)
        for number in (1, 2, 3, 4)
    )
    look.evidence.saw_listing(Listing(BTC, at(OVER_S), 0, rows, True))
    assert look.wants(at(OVER_S + 1), few=False).listings == []


def test_an_order_known_by_its_client_id_alone_is_listed_to_learn_its_id() -> None:
    """Until a listing is new enough to show it, and the history has its turn."""
    one = command()
    targets = [Target(command=one, symbol=BTC, want=Want.FINAL, client_oid=f"c{number}") for number in range(4)]
    look = look_of(*targets)
    wants = look.wants(at(0.3), few=False)
    assert (wants.listings, wants.pages) == ([BTC], [])
    look.evidence.saw_listing(Listing(BTC, at(0.3), 0, (), True))
    wants = look.wants(at(0.5), few=False)
    assert (wants.listings, wants.pages) == ([BTC], [(BTC, None)])
    look.evidence.saw_listing(Listing(BTC, at(2.1), 0, (), True))
    assert look.wants(at(2.2), few=False).listings == []


def test_a_page_begins_above_the_newest_order_that_is_missing() -> None:
    """Where all their ids are known; else at the top."""
    look = look_of(*cancels(30, 10, 20, 5))
    assert look.wants(at(0.3), few=False).pages == [(BTC, 31)]
    mixed = [*cancels(30, 10, 20), *places("a", listed_ns=0)]
    assert look_of(*mixed).wants(at(0.3), few=False).pages == [(BTC, None)]


def test_what_does_not_concern_it_does_not_move_it() -> None:
    """Reads of other symbols and lists, reads before the answer, reads when nothing is left."""
    look = look_of(*cancels(1))
    look.window(at(5))
    page = Page("history-orders", ETH, at(1), 0, ())
    look.told(Read(ReadKind.HISTORY, ETH), page, at(1), moved=True)
    look.told(Read(ReadKind.HISTORY, BTC, book=Book.PLAN), page, at(1), moved=True)
    assert look.from_ns == at(5)
    look.told(Read(ReadKind.LISTING, BTC), None, at(1), moved=False)
    assert (look.from_ns, look.stuck) == (at(5), 0)
    look.told(Read(ReadKind.HISTORY, BTC), page, at(1), moved=False)
    look.stuck = 1
    assert look.from_ns == at(5)
    look.told(Read(ReadKind.LISTING), None, at(1), moved=True)
    assert (look.stuck, look.gap_ns) == (0, SECOND // 5)
    assert at(1.1) <= look.from_ns <= at(1.2)
    done = Order(order_id="1", symbol=BTC, status=OrderStatus.FILLED)
    look.evidence.saw_page(Page("orderInfo", BTC, at(1), 0, (done,), asked="1"))
    look.window(at(5))
    look.told(Read(ReadKind.LISTING), None, at(1), moved=True)
    assert look.from_ns == at(5)


def test_a_page_that_helped_and_has_more_below_is_followed_at_once() -> None:
    """The rest of them stand there."""
    look = look_of(*cancels(1, 2))
    look.window(at(5))
    look.told(Read(ReadKind.HISTORY, BTC), Page("history-orders", BTC, at(1), 0, (), last=False), at(1), moved=True)
    assert look.from_ns == at(1)


def test_before_the_answer_nothing_is_looked_for() -> None:
    """The answer sets the first look; failures of others do not."""
    target = cancels(1)[0]
    look = NamedLook(random.Random(1), evidence=Named((target,)))
    look.next(at(0))
    assert look.until_ns > at(1_000_000)
    look.told(Read(ReadKind.LISTING), None, at(0), moved=True)
    look.failed(at(3))
    assert look.until_ns > at(1_000_000)


def test_signing_again_leaves_the_looks_of_named_orders_alone() -> None:
    """Their evidence knows the new moment; there is no decision to take back."""
    inquiry = Inquiry(random.Random(1))
    target = cancels(1)[0]
    inquiry.add("a", Named((target,)), START_NS)
    inquiry.resigned("a")
    assert inquiry.due(START_NS) == []
    assert (inquiry.wake_ns() or 0) > at(1_000_000)
