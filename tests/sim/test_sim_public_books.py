"""The channels of order books: what they tell adds up to the true book, unless they are told to spoil it."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from bitget_async.sim.feeds.pace import Pace
from tests.sim.listening import Copy, Listener

FIELDS = {"asks", "bids", "checksum", "seq", "ts"}


def live(exchange, clock, listener, copy, seconds, *, step=0.05):
    """Let time pass in steps and apply what is told. Returns the rows, and whether each one's checksum was right."""
    told = []
    for _ in range(round(seconds / step)):
        clock.pass_s(step)
        told += [(row, copy.take(row)) for row in listener.rows()]
    return told


def test_a_snapshot_holds_the_whole_book(sim):
    """About 400 levels with all their decimals, checksum 0, `seq` a number, `ts` a text; best first."""
    exchange, _, clock = sim()
    snapshot = Listener(exchange, "books").snapshot
    (row,) = snapshot.rows
    assert (snapshot.action, set(row)) == ("snapshot", FIELDS)
    assert [len(row["asks"]), len(row["bids"])] == [200, 200]
    assert (row["asks"][0], row["bids"][0]) == (["103884.30", "1.000000"], ["103884.29", "1.000000"])
    assert (row["checksum"], row["ts"]) == (0, str(clock.epoch_ms()))
    assert isinstance(row["seq"], int)
    copy = Copy(row)
    assert copy.is_true(exchange)
    assert copy.best() == tuple([tuple(level) for level in row[side]] for side in ("asks", "bids"))


@pytest.mark.parametrize("seed", range(4))
def test_updates_lead_to_the_true_book(sim, seed):
    """A minute of stirring, moving prices, orders that come, trade and go: every checksum right, `seq` growing."""
    exchange, _, clock = sim(seed)
    exchange.depths.stir("BTCUSDT", 30 + 40 * seed)
    listener = Listener(exchange, "books")
    copy = Copy(listener.snapshot.rows[0])
    told = []
    for round_ in range(20):
        price = Decimal("103884.30") + (round_ * 7919 % 400 - 200) * Decimal("0.01")
        placed = exchange.rest("BTCUSDT", 2, price=price - Decimal("0.05"), size=Decimal("0.5"))
        exchange.fill(placed[0], Decimal("0.1"))
        told += live(exchange, clock, listener, copy, 1.7)
        exchange.set_price("BTCUSDT", price)
        exchange.cancel(placed[1])
        told += live(exchange, clock, listener, copy, 1.3)
    exchange.depths.stir("BTCUSDT", 0)
    told += live(exchange, clock, listener, copy, 0.4)
    assert len(told) > 250
    assert all(right for _, right in told)
    seqs = [row["seq"] for row, _ in told]
    assert all(a < b for a, b in itertools.pairwise(seqs))
    assert any(b - a > 1 for a, b in itertools.pairwise(seqs))
    assert any(size == "0" for row, _ in told for _, size in row["asks"] + row["bids"])
    for row, _ in told:
        asks, bids = ([Decimal(price) for price, _ in row[side]] for side in ("asks", "bids"))
        assert (asks, bids) == (sorted(asks), sorted(bids, reverse=True))
    assert copy.is_true(exchange)


def test_updates_keep_their_pace_and_rest_when_nothing_changes(sim):
    """At most one in 200 ms; a book that nobody stirs has nothing on the timeline, so idle hours cost nothing."""
    exchange, _, clock = sim()
    listener = Listener(exchange, "books")
    assert exchange.venue.timeline.next_ns is None
    exchange.depths.stir("BTCUSDT", 500)
    for _ in range(100):
        clock.pass_s(0.02)
        exchange.venue.timeline.advance()
    times = [heard.now_ns for heard in listener.later]
    assert len(times) == 10
    assert all(b - a == 200_000_000 for a, b in itertools.pairwise(times))
    assert {heard.action for heard in listener.later} == {"update"}
    assert exchange.depths.now("BTCUSDT").watchers == [set()]
    exchange.depths.stir("BTCUSDT", 0)
    clock.pass_s(1)
    listener.rows()
    assert exchange.venue.timeline.next_ns is None
    exchange.set_price("BTCUSDT", Decimal(103_000))
    assert listener.rows() != []


def test_a_pace_is_kept_whatever_was_asked_for_before(sim):
    """A run that was due later, and then came sooner, does not come a second time before its pace."""
    exchange, _, clock = sim()
    stage = Listener(exchange, "auction").stage
    begun_ns = exchange.venue.timeline.advance()
    runs = []

    def run(now_ns):
        runs.append((now_ns - begun_ns) / 1e9)
        pace.nudge(now_ns)

    pace = Pace(stage, 0.2, run, begun_ns)
    pace.nudge(begun_ns + 300_000_000)
    pace.nudge(begun_ns)
    clock.pass_s(0.7)
    exchange.venue.timeline.advance()
    assert runs == [0.2, 0.4, 0.6]


def test_a_changed_level_that_changes_back_is_not_told(sim):
    """What is told is what differs from what was told before, not every step of the way."""
    exchange, _, clock = sim()
    listener = Listener(exchange, "books")
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal(90_000))
    exchange.cancel(order_id)
    clock.pass_s(1)
    assert listener.rows() == []


def test_whoever_comes_later_gets_what_was_told_so_far(sim):
    """Its snapshot fits the updates that follow, even if the book has changed since the last one."""
    exchange, _, clock = sim()
    exchange.depths.stir("BTCUSDT", 200)
    listener = Listener(exchange, "books")
    for _ in range(7):
        clock.pass_s(0.13)
        listener.rows()
        (late,) = listener.first()
        copy = Copy(late.rows[0])
        told = live(exchange, clock, listener, copy, 0.6)
        assert len(told) == 3
        assert all(right for _, right in told)


def test_whoever_has_gone_leaves_nothing_behind(sim):
    """A channel without listeners costs nothing, also on a book that goes on being stirred."""
    exchange, _, clock = sim()
    exchange.depths.stir("BTCUSDT", 50)
    listeners = [Listener(exchange, channel) for channel in ("books", "books5", "ticker")]
    depth = exchange.depths.now("BTCUSDT")
    assert (len(depth.watchers), len(depth.hooks)) == (1, 3)
    for listener in listeners:
        listener.leave()
    clock.pass_s(5)
    assert [listener.rows() for listener in listeners] == [[], [], []]
    assert (depth.watchers, depth.hooks) == ([], [])
    assert exchange.venue.timeline.next_ns is None


def test_newer_feeds_name_the_seq_before(sim):
    """`pseq` by a setting: an unbroken chain from the snapshot on."""
    exchange, _, clock = sim(book_pseq=True)
    exchange.depths.stir("BTCUSDT", 50)
    listener = Listener(exchange, "books")
    (first,) = listener.snapshot.rows
    clock.pass_s(0.1)
    rows = [first]
    for _ in range(10):
        clock.pass_s(0.2)
        rows += listener.rows()
    assert len(rows) > 5
    assert all(b["pseq"] == a["seq"] for a, b in itertools.pairwise(rows))


@pytest.mark.parametrize("by_chance", [False, True])
def test_a_lost_update_shows_in_the_next(sim, by_chance):
    """A gap between `seq` and `pseq`, and checksums that are wrong until the book is taken afresh."""
    exchange, _, clock = sim(book_pseq=True)
    exchange.depths.stir("BTCUSDT", 300)
    listener = Listener(exchange, "books")
    copy = Copy(listener.snapshot.rows[0])
    assert all(right for _, right in live(exchange, clock, listener, copy, 1))
    seq = copy.seq
    if by_chance:
        exchange.settings.book_loss = 1.0
        assert live(exchange, clock, listener, copy, 0.4) == []
        exchange.settings.book_loss = 0.0
    else:
        exchange.depths.spoil("BTCUSDT", "loss")
    (row, right), *_ = told = live(exchange, clock, listener, copy, 1)
    assert not right
    assert row["pseq"] != seq
    assert len(told) >= 4
    (fresh,) = listener.first()
    assert all(right for _, right in live(exchange, clock, listener, Copy(fresh.rows[0]), 1))


@pytest.mark.parametrize("by_chance", [False, True])
def test_a_wrong_checksum_comes_with_the_right_levels(sim, by_chance):
    """A client that takes the book afresh needlessly may do so; one that never looks keeps the true book here."""
    exchange, _, clock = sim()
    exchange.depths.stir("BTCUSDT", 100)
    listener = Listener(exchange, "books")
    copy = Copy(listener.snapshot.rows[0])
    if by_chance:
        exchange.settings.book_wrong_checksum = 1.0
        assert [right for _, right in live(exchange, clock, listener, copy, 0.61)] == [False] * 3
        exchange.settings.book_wrong_checksum = 0.0
    else:
        exchange.depths.spoil("BTCUSDT", "checksum", times=2)
        assert [right for _, right in live(exchange, clock, listener, copy, 0.61)] == [False, False, True]
    assert all(right for _, right in live(exchange, clock, listener, copy, 1))
    exchange.depths.stir("BTCUSDT", 0)
    live(exchange, clock, listener, copy, 0.3)
    assert copy.is_true(exchange)


@pytest.mark.parametrize("by_chance", [False, True])
def test_an_update_may_take_away_what_was_never_there(sim, by_chance):
    """Harmless if it is ignored: the checksum is that of the true book."""
    exchange, _, clock = sim()
    exchange.depths.stir("BTCUSDT", 100)
    listener = Listener(exchange, "books")
    if by_chance:
        exchange.settings.book_unknown_level = 1.0
    else:
        exchange.depths.spoil("BTCUSDT", "level")
    known = {price for price, _ in listener.snapshot.rows[0]["asks"]}
    copy = Copy(listener.snapshot.rows[0])
    (row, right), *_ = live(exchange, clock, listener, copy, 0.3)
    assert right
    assert row["asks"][-1][1] == "0"
    assert row["asks"][-1][0] not in known
    assert Decimal(row["asks"][-1][0]) > max(map(Decimal, known))


@pytest.mark.parametrize(("channel", "count", "pace_ms"), [("books1", 1, 60), ("books5", 5, 200), ("books15", 15, 200)])
def test_best_levels_come_whole_each_time(sim, channel, count, pace_ms):
    """Always snapshots with checksum 0, at their own pace, and only when one of the levels has changed."""
    exchange, _, clock = sim()
    exchange.depths.stir("BTCUSDT", 2000)
    listener = Listener(exchange, channel)
    for _ in range(200):
        clock.pass_s(0.01)
        exchange.venue.timeline.advance()
    heard = [listener.snapshot, *listener.later]
    assert {each.action for each in heard} == {"snapshot"}
    assert 2000 / pace_ms * 0.8 <= len(listener.later) <= 2000 / pace_ms
    assert all(b.now_ns - a.now_ns >= pace_ms * 1_000_000 for a, b in itertools.pairwise(heard[1:]))
    rows = [row for each in heard for row in each.rows]
    assert all((set(row), row["checksum"]) == (FIELDS, 0) for row in rows)
    assert all(len(row["asks"]) == len(row["bids"]) == count for row in rows)
    assert all(
        a["seq"] < b["seq"] and a["asks"] + a["bids"] != b["asks"] + b["bids"] for a, b in itertools.pairwise(rows)
    )
    exchange.depths.stir("BTCUSDT", 0)
    clock.pass_s(1)
    last = (rows + listener.rows())[-1]
    depth = exchange.depths.now("BTCUSDT")
    assert last["asks"] == depth.texts("sell", count)
    exchange.rest("BTCUSDT", price=Decimal(5))
    clock.pass_s(1)
    assert listener.rows() == []


def test_a_book_with_nothing_on_one_side_is_told_as_it_is(sim):
    """Without a market and with one order: an empty list, and a checksum over what there is."""
    exchange, _, clock = sim(standing_market=False)
    listener = Listener(exchange, "books")
    copy = Copy(listener.snapshot.rows[0])
    assert (copy.asks, copy.bids) == ({}, {})
    (order_id,) = exchange.rest("BTCUSDT", price=Decimal(100), size=Decimal("0.50"))
    ((row, right),) = live(exchange, clock, listener, copy, 1)
    assert (row["asks"], row["bids"], right) == ([], [["100.00", "0.50"]], True)
    exchange.cancel(order_id)
    ((row, right),) = live(exchange, clock, listener, copy, 1)
    assert (row["bids"], row["checksum"], right) == ([["100.00", "0"]], 0, True)
