"""The local book: checksums of the reference, gaps, repeats, and a naive model beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import BookLevel, BookUpdate
from bitget_async.stream.book import MOST_LEVELS, LocalBook, Verdict, checksum

Texts = list[tuple[str, str]]

T = 1_774_423_279_000

ASKS: Texts = [("26274.9", "0.0009"), ("26275.0", "0.0500"), ("26276", "1")]
BIDS: Texts = [("26274.8", "0.0009"), ("26274.7", "0.0027")]


def levels(texts: Texts) -> tuple[BookLevel, ...]:
    """Levels of these prices and sizes."""
    return tuple(BookLevel(price, size) for price, size in texts)


def push(action: str, asks: Texts = (), bids: Texts = (), **fields: Any) -> BookUpdate:  # type: ignore[assignment]
    """An update of a book."""
    return BookUpdate(symbol="BTCUSDT", action=action, asks=levels(asks), bids=levels(bids), **fields)


def book(**fields: Any) -> LocalBook:
    """A book with a snapshot."""
    made = LocalBook("BTCUSDT")
    assert made.apply(push("snapshot", ASKS, BIDS, **{"seq": 10, "time_ms": T, **fields})) is Verdict.APPLIED
    return made


def texts(of: tuple[BookLevel, ...]) -> Texts:
    """Their prices and sizes."""
    return [(level.price_text, level.size_text) for level in of]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("43231.1:4:43232.8:9:43231:6:43232.9:8", -1504501796),
        ("3366.1:7:3366.8:9:3368:8:3372:8", 831078360),
    ],
)
def test_the_checksums_of_the_reference(text: str, value: int) -> None:
    """Values computed from the page's two samples (reference 5.5); the second has one bid and three asks."""
    parts = text.split(":")
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    # bid, ask, bid, ask; in the second sample the asks go on alone.
    bids, asks = (pairs[::2], pairs[1::2]) if value < 0 else (pairs[:1], pairs[1:])
    assert checksum(levels(asks), levels(bids)) == value


def test_a_checksum_goes_on_with_the_longer_side_up_to_25_levels() -> None:
    """25 a side, whatever the other one has."""
    many = [(str(100 + number), "1") for number in range(40)]
    text = ":".join(f"{price}:1" for price, _ in many[:25])
    expected = crc32(text.encode())
    assert checksum(levels(many), ()) & 0xFFFFFFFF == expected
    assert checksum((), levels(many)) & 0xFFFFFFFF == expected
    assert checksum((), ()) == 0


def test_a_book_without_a_snapshot_is_empty_and_says_so() -> None:
    """Nothing can be put onto nothing."""
    made = LocalBook("BTCUSDT")
    assert made.apply(push("update", ASKS, BIDS, seq=5)) is Verdict.NO_SNAPSHOT
    assert (made.good, len(made), made.best_ask, made.best_bid, made.mid, made.spread) == (
        False,
        0,
        None,
        None,
        None,
        None,
    )
    assert repr(made) == "<LocalBook BTCUSDT: waits for a snapshot>"


def test_a_snapshot_is_the_book() -> None:
    """Sides are sorted whatever the order in which they came; numbers are exact."""
    made = LocalBook("BTCUSDT")
    assert made.apply(push("snapshot", ASKS[::-1], BIDS[::-1], seq=10, time_ms=T)) is Verdict.APPLIED
    assert (texts(made.asks()), texts(made.bids())) == (ASKS, BIDS)
    assert (texts(made.asks(1)), texts(made.bids(1))) == (ASKS[:1], BIDS[:1])
    assert (made.best_ask, made.best_bid) == (BookLevel(*ASKS[0]), BookLevel(*BIDS[0]))
    assert (made.mid, made.spread) == (Decimal("26274.85"), Decimal("0.1"))
    assert (made.good, made.verified, made.seq, made.time_ms, len(made)) == (True, False, 10, T, 5)
    assert repr(made) == "<LocalBook BTCUSDT: 3 asks, 2 bids>"


@pytest.mark.parametrize("zero", ["0", "0.0", "0.0000", "00"])
def test_an_update_changes_adds_and_takes_away(zero: str) -> None:
    """A size of 0 takes a level away (reference 5.5); one that is not there is no mistake."""
    made = book()
    update = push(
        "update", [("26274.9", zero), ("26275.0", "2"), ("26274.95", "3"), ("1", zero)], [("26274.8", zero)], seq=11
    )
    assert made.apply(update) is Verdict.APPLIED
    assert texts(made.asks()) == [("26274.95", "3"), ("26275.0", "2"), ("26276", "1")]
    assert texts(made.bids()) == [("26274.7", "0.0027")]
    assert made.seq == 11


def test_a_price_is_the_same_however_it_is_spelt() -> None:
    """And the last spelling is the one that the checksum is made of."""
    made = book()
    assert made.apply(push("update", [("26275", "7"), ("26276.00", "0")], seq=11)) is Verdict.APPLIED
    assert texts(made.asks()) == [("26274.9", "0.0009"), ("26275", "7")]


@pytest.mark.parametrize("unsigned", [False, True])
def test_a_checksum_that_fits_verifies_the_book(unsigned: bool) -> None:
    """Signed, 32 bit; somebody may send it without the sign."""
    made = book()
    asks = [("26274.9", "5"), *ASKS[1:]]
    value = checksum(levels(asks), levels(BIDS))
    told = value & 0xFFFFFFFF if unsigned else value
    assert made.apply(push("update", [("26274.9", "5")], seq=11, checksum=told)) is Verdict.APPLIED
    assert (made.good, made.verified) == (True, True)


def test_a_checksum_that_does_not_fit_empties_the_book() -> None:
    """A wrong book is worse than none; only a snapshot helps."""
    made = book()
    assert made.apply(push("update", [("26274.9", "5")], seq=11, checksum=12345)) is Verdict.CHECKSUM
    assert (made.good, len(made), made.seq) == (False, 0, None)
    assert made.apply(push("update", [("26274.9", "5")], seq=12)) is Verdict.NO_SNAPSHOT
    assert made.apply(push("snapshot", ASKS, BIDS, seq=3, time_ms=T - 5)) is Verdict.APPLIED
    assert made.good


@pytest.mark.parametrize("told", [0, None])
def test_no_checksum_is_none_to_fail(told: int | None) -> None:
    """0 on snapshots and small books (reference 5.5)."""
    made = book()
    assert made.apply(push("update", [("26274.9", "5")], seq=11, checksum=told)) is Verdict.APPLIED
    assert (made.good, made.verified) == (True, False)


def test_the_checksum_of_a_snapshot_is_not_looked_at() -> None:
    """It is 0 there; other values would be of a kind that nobody described, and a loop of resubscriptions."""
    assert book(checksum=12345).good


def test_only_the_best_25_levels_are_checked() -> None:
    """As the exchange does; what changes behind them is not in the checksum."""
    asks = [(str(1000 + number), "1") for number in range(60)]
    bids = [(str(999 - number), "1") for number in range(60)]
    made = LocalBook("BTCUSDT")
    made.apply(push("snapshot", asks, bids, seq=1))
    value = checksum(levels(asks[:25]), levels(bids[:25]))
    assert made.apply(push("update", [("1040", "3")], [("960", "0")], seq=2, checksum=value)) is Verdict.APPLIED
    assert made.apply(push("update", [("1024", "3")], seq=3, checksum=value)) is Verdict.CHECKSUM


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"seq": 11}, Verdict.APPLIED),
        ({"seq": 500}, Verdict.APPLIED),
        ({"seq": None}, Verdict.APPLIED),
        ({"seq": 11, "pseq": 10}, Verdict.APPLIED),
        ({"seq": 11, "pseq": 0}, Verdict.APPLIED),
        ({"seq": 12, "pseq": 11}, Verdict.GAP),
        ({"seq": 12, "pseq": 9}, Verdict.GAP),
        # Twice the same.
        ({"seq": 10, "time_ms": T}, Verdict.OLD),
        ({"seq": 10}, Verdict.OLD),
        # From before, and never applied: it came after its successor.
        ({"seq": 9, "time_ms": T - 1}, Verdict.GAP),
        # The exchange counts anew.
        ({"seq": 2, "time_ms": T + 1}, Verdict.GAP),
        ({"seq": 10, "time_ms": T + 1}, Verdict.GAP),
    ],
)
def test_what_the_sequence_says(fields: dict[str, Any], verdict: Verdict) -> None:
    """It grows, by any step; newer feeds say what they follow (reference 5.5)."""
    made = book()
    assert made.apply(push("update", [("26274.9", "5")], **fields)) is verdict
    changed = verdict is Verdict.APPLIED
    assert (made.best_ask == BookLevel("26274.9", "5")) is changed
    assert made.good is not verdict.needs_snapshot


def test_an_update_that_came_before_a_proven_state_is_old() -> None:
    """The checksum says that nothing is missing: what comes late is in it already."""
    made = book()
    value = checksum(levels([("26274.9", "5"), *ASKS[1:]]), levels(BIDS))
    assert made.apply(push("update", [("26274.9", "5")], seq=12, checksum=value, time_ms=T + 2)) is Verdict.APPLIED
    assert made.apply(push("update", [("26274.9", "4")], seq=11, time_ms=T + 1)) is Verdict.OLD
    assert made.best_ask == BookLevel("26274.9", "5")


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"seq": 11, "time_ms": T + 1}, Verdict.APPLIED),
        ({"seq": 2, "time_ms": T + 1}, Verdict.APPLIED),
        ({"seq": None, "time_ms": T - 100}, Verdict.APPLIED),
        ({"seq": 10, "time_ms": T}, Verdict.OLD),
        ({"seq": 9, "time_ms": T - 100}, Verdict.OLD),
    ],
)
def test_a_later_snapshot_replaces_the_book(fields: dict[str, Any], verdict: Verdict) -> None:
    """`books5` sends nothing else; one that comes late or twice changes nothing."""
    made = book()
    assert made.apply(push("snapshot", [("5", "5")], [("4", "4")], **fields)) is verdict
    assert len(made) == (2 if verdict is Verdict.APPLIED else 5)
    assert made.good


def test_a_sequence_that_begins_later_is_followed_from_there() -> None:
    """Feeds without it are known by their checksum alone."""
    made = book(seq=None)
    assert made.apply(push("update", [("26274.9", "5")], seq=7)) is Verdict.APPLIED
    assert made.apply(push("update", [("26274.9", "5")], seq=7)) is Verdict.OLD


@pytest.mark.parametrize("what", ["asks", "bids", "data", "checksum", "seq"])
def test_an_update_that_cannot_be_read_empties_the_book(what: str) -> None:
    """It may have changed anything."""
    made = book()
    assert made.apply(push("update", [("26274.9", "5")], seq=11, unreadable=(what,))) is Verdict.UNREADABLE
    assert (made.good, len(made)) == (False, 0)


def test_sides_that_are_not_told_did_not_change() -> None:
    """`null` and a missing field alike."""
    made = book()
    assert made.apply(BookUpdate(action="update", seq=11)) is Verdict.APPLIED
    assert (texts(made.asks()), texts(made.bids())) == (ASKS, BIDS)


def test_a_book_that_never_ends_is_given_up() -> None:
    """Memory has a bound, whoever sends the levels."""
    made = book()
    for start in range(0, MOST_LEVELS + 1_000, 1_000):
        many = [(str(100_000 + start + number), "1") for number in range(1_000)]
        verdict = made.apply(push("update", many, seq=11 + start))
        if verdict is not Verdict.APPLIED:
            break
    assert verdict is Verdict.TOO_LONG
    assert (made.good, len(made)) == (False, 0)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_book_needs_a_snapshot_unless_all_is_well(verdict: Verdict) -> None:
    """The shell resubscribes on this word."""
    assert verdict.needs_snapshot is (verdict not in (Verdict.APPLIED, Verdict.OLD))


PRICES = st.integers(1, 60).map(lambda number: f"{number / 10:.1f}")
SIZES = st.sampled_from(["0", "0.00", "1", "2.50", "0.1"])
CHANGES = st.lists(st.tuples(PRICES, SIZES), max_size=8)


class Naive:
    """The same by a dict a side, sorted anew each time."""

    def __init__(self) -> None:
        self.asks: dict[Decimal, tuple[str, str]] = {}
        self.bids: dict[Decimal, tuple[str, str]] = {}

    def apply(self, asks: Texts, bids: Texts) -> None:
        """Change levels."""
        for side, changes in ((self.asks, asks), (self.bids, bids)):
            for price, size in changes:
                if Decimal(size):
                    side[Decimal(price)] = (price, size)
                else:
                    side.pop(Decimal(price), None)

    def sides(self) -> tuple[Texts, Texts]:
        """Asks and bids, best first."""
        return (
            [self.asks[price] for price in sorted(self.asks)],
            [self.bids[price] for price in sorted(self.bids, reverse=True)],
        )

    def checksum(self) -> int:
        """The checksum as the page describes it."""
        asks, bids = (side[:25] for side in self.sides())
        parts = []
        for number in range(25):
            parts += [":".join(side[number]) for side in (bids, asks) if number < len(side)]
        value = crc32(":".join(parts).encode())
        return value - 2**32 if value >= 2**31 else value


@settings(max_examples=200, deadline=None, database=None)
@given(CHANGES, CHANGES, st.lists(st.tuples(CHANGES, CHANGES, st.booleans()), max_size=12))
def test_the_book_is_the_one_of_a_naive_model(
    asks: Texts, bids: Texts, updates: list[tuple[Texts, Texts, bool]]
) -> None:
    """Whatever changes: the same levels in the same order and spelling, and the same checksum."""
    made, naive = LocalBook("BTCUSDT"), Naive()
    naive.apply(asks, bids)
    assert made.apply(push("snapshot", asks, bids, seq=1)) is Verdict.APPLIED
    assert (texts(made.asks()), texts(made.bids())) == naive.sides()
    for number, (more_asks, more_bids, checked) in enumerate(updates, 2):
        naive.apply(more_asks, more_bids)
        value = naive.checksum() if checked else 0
        assert made.apply(push("update", more_asks, more_bids, seq=number, checksum=value)) is Verdict.APPLIED
        assert (texts(made.asks()), texts(made.bids())) == naive.sides()
        assert made.checksum() == naive.checksum()
        assert made.verified is bool(value)
        best_asks, best_bids = naive.sides()
        if best_asks and best_bids:
            ask, bid = Decimal(best_asks[0][0]), Decimal(best_bids[0][0])
            assert (made.spread, made.mid) == (ask - bid, (ask + bid) / 2)


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.tuples(PRICES, SIZES), min_size=2, max_size=12), st.booleans(), st.data())
def test_a_lost_update_never_leaves_a_book_that_claims_to_be_right(
    changes: Texts, linked: bool, data: st.DataObject
) -> None:
    """With a checksum or with `pseq`: pushes lost, doubled and swapped end in the true book, or in none."""
    naive, made = Naive(), book()
    naive.apply(ASKS, BIDS)
    feed: list[tuple[BookUpdate, tuple[Texts, Texts]]] = []
    for number, change in enumerate(changes, 11):
        naive.apply([change], [])
        told = naive.checksum() if not linked or data.draw(st.booleans()) else 0
        before = number - 1 if linked else None
        update = push("update", [change], seq=number, pseq=before, time_ms=T + number, checksum=told)
        feed.append((update, naive.sides()))
    lost, doubled, swapped = (data.draw(st.booleans()) for _ in range(3))
    if lost:
        del feed[data.draw(st.integers(0, len(feed) - 1))]
    if doubled:
        feed.insert(data.draw(st.integers(0, len(feed))), data.draw(st.sampled_from(feed)))
    if swapped and len(feed) > 1:
        at = data.draw(st.integers(0, len(feed) - 2))
        feed[at], feed[at + 1] = feed[at + 1], feed[at]
    for update, sides in feed:
        if made.apply(update) is Verdict.APPLIED:
            assert (texts(made.asks()), texts(made.bids())) == sides
