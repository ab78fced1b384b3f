"""Which reads the tracker makes, and when: its rhythm, decision by decision."""

from __future__ import annotations

import pytest

from bitget_async.evidence import Listing
from bitget_async.inquiry import Read, ReadKind
from bitget_async.models import OrderStatus, OrderUpdate
from bitget_async.tracking import Sureness
from bitget_async.tracking.rounds import _Sweep
from tests.tracking.world import CALM, EPOCH_MS, HISTORY_ROWS, MS, Faults, World

LOST = Faults(loss=1.0)


def listings(world: World, since_ms: int = 0) -> list[int]:
    """When listings were asked for, in ms after that moment."""
    return [at - since_ms for at, read in world.reads if read.kind is ReadKind.LISTING and at >= since_ms]


def looks(world: World) -> list[str | None]:
    """Which orders were asked for, in turn."""
    return [read.order_id for _, read in world.reads if read.kind is ReadKind.ORDER]


def live(**given: object) -> World:
    """A world whose tracker is LIVE."""
    world = World(**given)  # type: ignore[arg-type]
    world.connect()
    world.run(2_100)
    assert world.sureness() is Sureness.LIVE
    world.reads.clear()
    return world


def test_nothing_is_read_before_pushes_come() -> None:
    """A client that wants no stream pays nothing for its tracker."""
    world = World()
    world.run(60_000)
    assert world.reads == []
    assert world.sureness() is Sureness.UNKNOWN
    assert world.tracking.as_of_ms is None


def test_the_stream_up_lists_at_once_again_after_the_staleness_and_then_each_twenty_seconds() -> None:
    """The first listing may be older than the subscription; the second is not, and lost pushes cost 20 s at most."""
    world = World()
    world.connect()
    world.run(1_900)
    assert world.sureness() is Sureness.LISTED
    world.run(200)
    assert world.sureness() is Sureness.LIVE
    assert listings(world, 100_000) == [0, 2_000]
    world.run(100_000)
    later = listings(world, 100_000)[2:]
    gaps = [after - before for before, after in zip([2_000, *later], later, strict=False)]
    assert 5 <= len(gaps) <= 6
    assert all(18_000 <= gap <= 20_001 for gap in gaps)


def test_every_reconnect_begins_anew() -> None:
    """What happened in the gap was pushed to nobody."""
    world = live()
    world.cut()
    assert world.sureness() is Sureness.LISTED
    world.run(5_000)
    began_ms = world.now_ms
    world.connect()
    world.run(2_050)
    assert listings(world, began_ms) == [0, 2_000]


def test_without_a_stream_the_listings_go_on_and_without_both_the_set_is_stale() -> None:
    """LISTED says what reads can say; STALE that they cannot."""
    world = live()
    world.cut()
    world.run(120_000)
    assert world.sureness() is Sureness.LISTED
    world.faults = Faults(failing=1.0)
    world.run(40_000)
    assert world.sureness() is Sureness.STALE


def test_a_lone_missing_order_is_asked_for_by_its_id() -> None:
    """Its final push was lost: the listing does not show it, and one read tells its end, beside the usual sweep."""
    world = live()
    real = world.place()
    world.run(5_000)
    world.faults = LOST
    world.become(real, "cancelled")
    world.run(20_000)
    assert looks(world) == ["1"]
    assert [each.status.value for each in world.told] == ["live", "cancelled"]
    assert world.told[1].source in ("orderInfo", "history-orders")


def test_many_missing_orders_are_found_on_pages_of_the_history() -> None:
    """Thirty single reads would say what six pages do."""
    world = live()
    many = [world.place() for _ in range(30)]
    world.run(5_000)
    world.faults = LOST
    for real in many:
        world.become(real, "filled", 10)
    world.run(25_000)
    assert world.tracking.missing == 0
    assert looks(world) == []
    assert len([read for _, read in world.reads if read.kind is ReadKind.HISTORY]) <= 30 // HISTORY_ROWS + 4


def test_orders_made_long_ago_are_found_by_pages_from_their_own_ids_down() -> None:
    """A sweep ends where it has been; what is older and missing has a cursor of its own."""
    world = World()
    many = [world.place() for _ in range(9)]
    world.run(200_000)
    world.connect()
    world.run(2_100)
    for real in [world.place() for _ in range(40)]:
        world.become(real, "filled", 10)
    world.run(200_000)
    world.faults = LOST
    for real in many:
        world.become(real, "cancelled")
    world.reads.clear()
    world.run(25_000)
    assert world.tracking.missing == 0
    assert 10 in {read.below for _, read in world.reads}


def test_an_end_that_only_the_history_shows_is_found_there() -> None:
    """The answer of orderInfo may know nothing of it: the two are asked in turns."""
    world = live(faults=Faults(loss=1.0, stale_ms=0))
    real = world.place()
    world.run(20_000)
    world.tracking._rounds._sweep = None
    world.orders[real.number].past.append((world.now_ms, "live", 0))
    world.become(real, "cancelled")
    told = world.orders[real.number]
    hidden = World.__dict__["_fact"]

    def blind(read, asked_ns):
        fact = hidden(world, read, asked_ns)
        if read.kind is ReadKind.ORDER:
            return type(fact)(fact.source, None, asked_ns, fact.server_ms, (), asked=read.order_id)
        return fact

    world._fact = blind  # type: ignore[method-assign]
    world.run(30_000)
    assert told.past[-1][1] == "cancelled"
    assert world.told[-1].source == "history-orders"


def test_a_placement_of_which_nobody_tells_is_asked_for() -> None:
    """Its pushes are lost and it ends before the next listing: its end is known 2 s later, not at the next sweep."""
    world = live(faults=LOST)
    real = world.place(here=True)
    world.become(real, "filled", 10)
    world.run(2_100)
    assert looks(world) == ["1"]
    assert [each.status.value for each in world.told] == ["filled"]


def test_an_order_that_came_and_went_unseen_is_found_by_a_sweep() -> None:
    """Somebody else's order, all of whose pushes were lost: it stands in the history alone."""
    world = live(faults=LOST)
    real = world.place()
    world.become(real, "cancelled")
    world.run(21_000)
    assert [(each.status.value, each.source) for each in world.told] == [("cancelled", "history-orders")]


def test_what_nobody_knows_is_asked_for_ever_more_rarely_and_given_up_after_an_hour() -> None:
    """A hint that never comes true must not cost reads for ever."""
    world = live()
    push = OrderUpdate(order_id="77", symbol="BTCUSDT", status=OrderStatus.LIVE, updated_ms=EPOCH_MS + 1)
    assert len(world.tracking.pushed([push], world.now_ns, EPOCH_MS + world.now_ms)) == 1
    assert world.tracking.missing == 1

    def unknown(read, asked_ns):
        row = hidden(world, read, asked_ns) if read.kind is not ReadKind.ORDER else None
        return row or type(world)._nothing(read, asked_ns, EPOCH_MS + world.now_ms)

    hidden = World.__dict__["_fact"]
    world._fact = unknown  # type: ignore[method-assign]
    world.run(3_700_000)
    assert world.tracking.missing == 0
    assert world.odd == ["nobody tells what became of order 77"]
    assert 20 <= len(looks(world)) <= 70


@pytest.mark.parametrize("away", [True, False])
def test_reads_that_fail_are_not_asked_for_faster(away: bool) -> None:
    """A ban of five minutes meets ten reads at most; a line that is cut meets one each few seconds."""
    world = live()
    missed = [world.place() for _ in range(20)]
    world.run(1_000)
    world.faults = LOST
    for real in missed:
        world.become(real, "cancelled")
    world.reads.clear()

    def fails(read: Read) -> None:
        world.reads.append((world.now_ms, read))
        world.later(20, lambda: world.tracking.failed(read, world.now_ns, turned_away=away))

    world._asked = fails  # type: ignore[method-assign]
    world.run(300_000)
    assert len(world.reads) <= (10 if away else 120)
    del world._asked
    world.faults = CALM
    world.run(60_000)
    assert world.tracking.missing == 0


def test_a_listing_that_is_incomplete_is_not_used_and_asked_for_again() -> None:
    """Half a listing would end every order that it leaves out."""
    world = live()
    _ = world.place()
    world.run(1_000)
    whole = World.__dict__["_fact"]

    def half(read, asked_ns):
        fact = whole(world, read, asked_ns)
        if read.kind is not ReadKind.LISTING:
            return fact
        return type(fact)(None, asked_ns, fact.server_ms, (), False)

    world._fact = half  # type: ignore[method-assign]
    world.run(40_000)
    assert world.shown() == {1}
    assert world.sureness() is Sureness.STALE
    assert world.odd
    assert len(listings(world)) <= 8


def test_an_answer_that_comes_late_does_not_count_for_newer() -> None:
    """The watcher reads listings too: the rhythm goes by the newest request, not by the newest answer."""
    world = live()
    before = world.tracking.wake_ns(world.now_ns)
    old = Listing(None, 101_000 * MS, EPOCH_MS + 101_020, (), True)
    assert world.tracking.listed(old, world.now_ns, world.server_ms) == []
    assert world.tracking.wake_ns(world.now_ns) == before
    assert world.sureness() is Sureness.LIVE


def test_a_listing_of_the_watcher_moves_no_round() -> None:
    """It says more than was asked for; the sweep that belongs to each round would else never come."""
    world = live()
    before = world.tracking.wake_ns(world.now_ns)
    world.run(5_000)
    assert world.tracking.as_of_ms == EPOCH_MS + 100_020
    young = Listing(None, world.now_ns, world.server_ms, (), True)
    assert world.tracking.listed(young, world.now_ns, world.server_ms) == []
    assert world.tracking.listed(Listing("BTCUSDT", 0, EPOCH_MS, (), True), world.now_ns, world.server_ms) == []
    assert world.tracking.as_of_ms == world.server_ms - 2_000
    assert world.tracking.wake_ns(world.now_ns) == before


def test_a_page_that_failed_is_asked_for_again() -> None:
    """Many orders wait for it."""
    world = live()
    many = [world.place() for _ in range(10)]
    world.run(5_000)
    world.faults = LOST
    for real in many:
        world.become(real, "filled", 10)
    asked = world._asked
    failed: list[Read] = []

    def once(read: Read) -> None:
        if read.below == 11 and not failed:
            failed.append(read)
            world.reads.append((world.now_ms, read))
            world.later(20, lambda: world.tracking.failed(read, world.now_ns, turned_away=False))
        else:
            asked(read)

    # The sweep would find them first.
    world.faults = Faults(loss=1.0, history_ms=0)
    world._asked = once  # type: ignore[method-assign]
    world.tracking._rounds._sweep = _Sweep(0, read=Read(ReadKind.HISTORY))
    world.run(30_000)
    assert failed
    assert world.tracking.missing == 0
