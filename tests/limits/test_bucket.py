"""The token bucket: whatever the network does, no second at the exchange holds more than the quota."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.limits.bucket import HOLD_NS, REST_NS, SECOND_NS, Bucket, Lease

MS = 1_000_000


def test_all_tokens_can_be_taken_at_once_and_then_none() -> None:
    """The burst is the whole quota; the next one has to wait."""
    bucket = Bucket(5)
    assert bucket.free(0) == 5
    leases = [bucket.take(0) for _ in range(5)]
    assert all(isinstance(lease, Lease) for lease in leases)
    assert bucket.take(0) is None
    assert bucket.take(10**12) is None
    assert bucket.next_ns(0) is None


def test_a_token_comes_back_a_second_and_four_milliseconds_after_the_answer() -> None:
    """Not after the sending: a slow request may have been processed right before its answer."""
    bucket = Bucket(1)
    lease = taken(bucket, 0)
    bucket.answered(lease, 700 * MS)
    assert bucket.next_ns(700 * MS) == 700 * MS + 1_004 * MS
    assert bucket.take(700 * MS + 1_004 * MS - 1) is None
    assert bucket.take(700 * MS + 1_004 * MS) is not None
    assert HOLD_NS == 1_004 * MS


@pytest.mark.failure(7)
@pytest.mark.parametrize(
    ("lost_at", "until", "back"), [(100, 10_000, 11_004), (10_000, 10_000, 11_004), (12_000, 10_000, 13_004)]
)
def test_without_an_answer_the_token_stays_out_for_the_whole_timeout(lost_at: int, until: int, back: int) -> None:
    """A request whose connection broke after 100 ms may be processed later all the same."""
    bucket = Bucket(1)
    bucket.lost(taken(bucket, 0), lost_at * MS, until * MS)
    assert bucket.next_ns(lost_at * MS) == back * MS
    assert bucket.take(back * MS - 1) is None
    assert bucket.take(back * MS) is not None


def test_a_token_of_what_was_never_sent_is_free_at_once() -> None:
    """No byte left: the exchange has counted nothing."""
    bucket = Bucket(1)
    bucket.unsent(taken(bucket, 5))
    assert bucket.next_ns(5) == 5
    assert bucket.take(5) is not None


@pytest.mark.parametrize("first", ["answered", "lost", "unsent"])
@pytest.mark.parametrize("second", ["answered", "lost", "unsent"])
def test_a_token_is_given_back_once(first: str, second: str) -> None:
    """Whatever is told twice: a token that came back twice would be a sixth call in a second."""
    bucket = Bucket(2)
    lease, other = taken(bucket, 0), taken(bucket, 0)
    for end in (first, second):
        settle(bucket, lease, end, SECOND_NS)
    assert bucket.take(60 * SECOND_NS) is not None
    assert bucket.take(60 * SECOND_NS) is None
    bucket.unsent(other)
    assert bucket.take(60 * SECOND_NS) is not None


@pytest.mark.failure(58)
def test_the_remaining_header_may_only_tighten() -> None:
    """It shows 20 where the page says 5; fewer than we thought means that somebody else spends them too."""
    bucket = Bucket(5)
    assert bucket.remaining(19, 0) == 0
    assert bucket.remaining(5, 0) == 0
    assert bucket.free(0) == 5
    assert bucket.remaining(2, 0) == 3
    assert bucket.free(0) == 2
    assert bucket.remaining(4, 0) == 0
    assert bucket.free(HOLD_NS - 1) == 2
    assert bucket.free(HOLD_NS) == 5


def test_remaining_counts_free_tokens_only() -> None:
    """Tokens that are out already are not taken twice for the same news."""
    bucket = Bucket(5)
    leases = [taken(bucket, 0) for _ in range(3)]
    bucket.remaining(2, 0)
    assert bucket.free(0) == 2
    bucket.remaining(0, 0)
    assert bucket.free(0) == 0
    for lease in leases:
        bucket.unsent(lease)
    assert bucket.free(0) == 3
    assert bucket.free(HOLD_NS) == 5


@pytest.mark.failure(12, 58)
def test_a_refusal_rests_every_free_token_and_half_of_all_for_longer() -> None:
    """429 although the promise was kept: somebody else is there, so go slower for a while, and not for ever."""
    bucket = Bucket(5)
    bucket.tighten(0)
    assert bucket.free(0) == 0
    assert bucket.free(HOLD_NS - 1) == 0
    assert bucket.free(HOLD_NS) == 3
    assert bucket.free(HOLD_NS + REST_NS - 1) == 3
    assert bucket.free(HOLD_NS + REST_NS) == 5


@pytest.mark.failure(12, 58)
def test_lent_tokens_rest_when_they_come_back_after_a_refusal() -> None:
    """The half that rests is counted when tokens return, from wherever they were."""
    bucket = Bucket(4)
    leases = [taken(bucket, 0) for _ in range(4)]
    bucket.tighten(0)
    for lease in leases:
        bucket.answered(lease, 0)
    assert bucket.free(HOLD_NS) == 2
    assert bucket.free(HOLD_NS + REST_NS) == 4


def test_the_rest_after_a_refusal_counts_from_the_return_and_not_from_the_next_look() -> None:
    """Tokens come back lazily: after an hour without calls everything is there again."""
    bucket = Bucket(5)
    bucket.tighten(0)
    assert bucket.free(3_600 * SECOND_NS) == 5


def test_a_bucket_of_one_never_rests_for_ten_seconds() -> None:
    """Half of one token is none: a single token would stop the endpoint."""
    bucket = Bucket(1)
    bucket.tighten(0)
    assert bucket.free(HOLD_NS) == 1


@pytest.mark.failure(12, 58)
def test_refusals_in_a_row_never_stop_a_bucket() -> None:
    """Three refusals, a second apart: half the tokens rest, and never the other half too: a cancel must get out."""
    bucket, now = Bucket(5), 0
    for _ in range(3):
        bucket.answered(taken(bucket, now), now)
        bucket.tighten(now)
        now += HOLD_NS
        assert bucket.free(now) == 3
    # Ten seconds after the first one the two others are back.
    assert bucket.free(HOLD_NS + REST_NS) >= 4
    assert bucket.free(now + HOLD_NS + REST_NS) == 5


@pytest.mark.failure(12, 58)
def test_a_refusal_after_the_rest_is_a_new_one() -> None:
    """Eleven seconds later somebody else is still there: the same again."""
    bucket = Bucket(4)
    for start in (0, HOLD_NS + REST_NS):
        bucket.tighten(start)
        assert bucket.free(start + HOLD_NS) == 2
        assert bucket.free(start + HOLD_NS + REST_NS) == 4


def test_a_refusal_within_the_rest_of_another_is_the_same_one() -> None:
    """Until the last token of the first one is back: what returns then does not rest again."""
    bucket = Bucket(4)
    bucket.tighten(0)
    bucket.tighten(REST_NS)
    assert bucket.free(REST_NS + HOLD_NS) == 4
    assert (REST_NS, SECOND_NS) == (10_000 * MS, 1_000 * MS)


def test_what_was_never_sent_is_not_waited_for() -> None:
    """Its token is free, and not lent any more: two are out, and each comes back once a round."""
    bucket = Bucket(2)
    bucket.unsent(taken(bucket, 0))
    taken(bucket, 0)
    taken(bucket, 0)
    assert [bucket.wait_ns(0, ahead) for ahead in range(4)] == [HOLD_NS, HOLD_NS, 2 * HOLD_NS, 2 * HOLD_NS]


def taken(bucket: Bucket, now: int) -> Lease:
    """A token that must be there."""
    lease = bucket.take(now)
    assert lease is not None
    return lease


def settle(bucket: Bucket, lease: Lease, end: str, now: int) -> None:
    """Give a token back in one of the three ways; a lost one may be processed for two seconds more."""
    if end == "answered":
        bucket.answered(lease, now)
    elif end == "lost":
        bucket.lost(lease, now, now + 2 * SECOND_NS)
    else:
        bucket.unsent(lease)


@dataclass
class World:
    """A client that takes whenever it may, and a network and an exchange that do their worst."""

    bucket: Bucket
    now: int = 0
    out: list[tuple[Lease, int]] = field(default_factory=list)
    processed: list[int] = field(default_factory=list)

    def take(self) -> None:
        before = self.bucket.next_ns(self.now)
        lease = self.bucket.take(self.now)
        # `next_ns` says "now" exactly when there is one, and never a moment that has passed.
        assert (before == self.now) is (lease is not None)
        if lease is not None:
            self.out.append((lease, self.now))

    def end(self, which: int, how: str, when: int) -> None:
        """One of those on the way ends; the exchange processed it anywhere between sending and end."""
        if not self.out:
            return
        lease, sent = self.out.pop(which % len(self.out))
        settle(self.bucket, lease, how, self.now)
        if how != "unsent":
            last = self.now + (2 * SECOND_NS if how == "lost" else 0)
            self.processed.append(sent + (last - sent) * when // 100)


OPS = st.one_of(
    st.tuples(st.just("take"), st.just(0), st.just(0)),
    st.tuples(st.just("take"), st.just(0), st.just(0)),
    st.tuples(st.just("pass"), st.integers(0, 1_500), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1_003, 1_004, 1_005, 3_004]), st.just(0)),
    st.tuples(st.sampled_from(["answered", "lost", "unsent"]), st.integers(0, 9), st.sampled_from([0, 50, 99, 100])),
    st.tuples(st.just("answered"), st.integers(0, 9), st.sampled_from([0, 100])),
    st.tuples(st.sampled_from(["remaining", "tighten"]), st.integers(0, 25), st.just(0)),
)


@pytest.mark.failure(55, 58)
@settings(max_examples=400, deadline=None)
@given(st.integers(1, 6), st.lists(OPS, max_size=120))
def test_no_second_at_the_exchange_holds_more_than_the_quota(capacity: int, ops: list[tuple[str, int, int]]) -> None:
    """Any order of events, any delay, processing at the worst moment: the promise of the limiter, and no token lost."""
    world = World(Bucket(capacity))
    for op, number, when in ops:
        if op == "take":
            world.take()
        elif op == "pass":
            world.now += number * MS
        elif op == "remaining":
            world.bucket.remaining(number, world.now)
        elif op == "tighten":
            world.bucket.tighten(world.now)
        else:
            world.end(number, op, when)
    # Those still on the way have been processed somewhere: at once is the worst for what came before them.
    moments = sorted(world.processed + [sent for _, sent in world.out])
    for first, beyond in zip(moments, moments[capacity:], strict=False):
        assert beyond - first > SECOND_NS
    for lease, _ in world.out:
        world.bucket.unsent(lease)
    for _ in range(capacity):
        world.now += 20 * SECOND_NS
        world.bucket.free(world.now)
    assert world.bucket.free(world.now) == capacity


@pytest.mark.parametrize(
    ("ahead", "wait_ms"), [(0, 504), (1, 1_004), (2, 1_004), (3, 1_508), (4, 2_008), (5, 2_008), (6, 2_512)]
)
def test_the_expected_wait_counts_those_ahead(ahead: int, wait_ms: int) -> None:
    """Three tokens: one on its way back, two lent whose answer might come at once; then everything once more."""
    bucket = Bucket(3)
    lease = taken(bucket, 0)
    taken(bucket, 0)
    taken(bucket, 0)
    bucket.answered(lease, 0)
    assert bucket.wait_ns(500 * MS, ahead) == wait_ms * MS


def test_nobody_waits_for_a_free_token() -> None:
    """The first as many as there are free tokens; the next one needs a token that those have to bring back."""
    bucket = Bucket(3)
    assert [bucket.wait_ns(7, ahead) for ahead in range(4)] == [0, 0, 0, HOLD_NS]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 5),
    st.lists(OPS.filter(lambda op: op[0] != "unsent"), max_size=40),
    st.integers(0, 12),
)
def test_the_expected_wait_is_never_too_long(capacity: int, ops: list[tuple[str, int, int]], ahead: int) -> None:
    """Whoever is refused for it could really not have had a token: not even if every answer came at once."""
    world = World(Bucket(capacity))
    for op, number, when in ops:
        if op == "take":
            world.take()
        elif op == "pass":
            world.now += number * MS
        elif op == "remaining":
            world.bucket.remaining(number, world.now)
        elif op == "tighten":
            world.bucket.tighten(world.now)
        else:
            world.end(number, op, when)
    start, expected = world.now, world.bucket.wait_ns(world.now, ahead)
    assert expected >= 0
    for lease, _ in world.out:
        world.bucket.answered(lease, world.now)
    for _ in range(ahead + 1):
        while (at := world.bucket.next_ns(world.now)) is not None and at > world.now:
            world.now = at
        world.bucket.answered(taken(world.bucket, world.now), world.now)
    assert world.now - start >= expected


def test_tokens_come_and_go_and_one_that_is_out_stays() -> None:
    """A bucket that others share: more tokens are free at once, and only a free one can be given up."""
    bucket = Bucket(1)
    assert bucket.take(0) is not None
    assert not bucket.retire(0)
    bucket.grow(2)
    assert (bucket.capacity, bucket.free(0)) == (3, 2)
    assert bucket.retire(0)
    assert (bucket.capacity, bucket.free(0)) == (2, 1)
    assert bucket.retire(0)
    assert not bucket.retire(0)
    assert (bucket.capacity, bucket.free(0)) == (1, 0)
