"""When each token will be free: what a stop is planned by."""

from __future__ import annotations

import asyncio

import pytest

from bitget_async import BitgetClient, Unlimited
from bitget_async.endpoints import CANCEL_ORDER, CANCEL_SYMBOL_ORDER
from bitget_async.limits.bucket import Bucket
from bitget_async.sim import SimulatedExchange
from tests.conftest import with_exchange

SECOND = 1_000_000_000
HOLD = 1_004_000_000


def test_tokens_that_are_free_are_free_now() -> None:
    """As many entries as tokens."""
    assert Bucket(3).moments(5 * SECOND) == [0, 0, 0]


def test_each_token_has_its_moment() -> None:
    """Free, on its way back, or lent: then at best an answer comes at once."""
    bucket = Bucket(4)
    first, second = bucket.take(0), bucket.take(0)
    assert first is not None
    assert second is not None
    assert bucket.moments(0) == [0, 0, HOLD, HOLD]
    bucket.answered(first, SECOND)
    assert bucket.moments(SECOND) == [0, 0, HOLD, HOLD]
    assert bucket.moments(SECOND + 500_000_000) == [0, 0, HOLD - 500_000_000, HOLD]
    assert bucket.moments(SECOND + HOLD) == [0, 0, 0, HOLD]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0, [0, 0]), (1, [0, HOLD]), (2, [HOLD, HOLD]), (3, [HOLD, 2 * HOLD]), (5, [2 * HOLD, 3 * HOLD])],
)
def test_those_who_wait_take_theirs_first(ahead: int, expected: list[int]) -> None:
    """A plan that forgets them would promise too much."""
    assert Bucket(2).moments(7, ahead) == expected


def test_least_of_them_is_the_wait() -> None:
    """Both are told by the same bucket, and must not contradict each other."""
    bucket = Bucket(3)
    lease = bucket.take(0)
    assert lease is not None
    bucket.lost(lease, 0, 10 * SECOND)
    for ahead in range(9):
        assert bucket.moments(SECOND, ahead)[0] == bucket.wait_ns(SECOND, ahead)


def test_moments_are_in_order_and_the_first_one_is_taken_first() -> None:
    """Tokens come back in another order than they were lent; one whose answer never came comes back last."""
    bucket = Bucket(4)
    lost, soon, late, lent = (bucket.take(0) for _ in range(4))
    assert lost is not None
    assert soon is not None
    assert late is not None
    assert lent is not None
    bucket.lost(lost, 0, 10 * SECOND)
    assert bucket.moments(0) == [HOLD, HOLD, HOLD, 10 * SECOND + HOLD]
    bucket.answered(soon, SECOND // 2)
    bucket.answered(late, SECOND)
    half = SECOND // 2
    assert bucket.moments(SECOND) == [HOLD - half, HOLD, HOLD, 9 * SECOND + HOLD]
    assert bucket.moments(SECOND, 1) == [HOLD, HOLD, 2 * HOLD - half, 9 * SECOND + HOLD]
    assert bucket.wait_ns(SECOND, 1) == HOLD


def test_a_lent_token_may_be_back_before_one_that_was_lost() -> None:
    """The answer to a call on its way may come at once; where none came, the call may be processed for ten seconds."""
    bucket = Bucket(2)
    lost, lent = bucket.take(0), bucket.take(0)
    assert lost is not None
    assert lent is not None
    bucket.lost(lost, 0, 10 * SECOND)
    assert bucket.moments(0) == [HOLD, 10 * SECOND + HOLD]
    assert bucket.moments(0, 1) == [2 * HOLD, 10 * SECOND + HOLD]
    assert [bucket.wait_ns(0, ahead) for ahead in range(3)] == [HOLD, 2 * HOLD, 3 * HOLD]


def test_client_sees_what_its_calls_have_taken() -> None:
    """And each row apart, as the exchange counts."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        session = client._open().session
        assert session.outlook(CANCEL_SYMBOL_ORDER) == [0] * 5
        _ = await client.cancel_symbol_orders("BTCUSDT")
        free = session.outlook(CANCEL_SYMBOL_ORDER)
        assert free[:4] == [0] * 4
        assert 0.9 * SECOND < free[4] <= HOLD
        assert session.outlook(CANCEL_ORDER) == [0] * 10
        await asyncio.sleep(1.02)
        assert session.outlook(CANCEL_SYMBOL_ORDER) == [0] * 5

    with_exchange(main)


def test_limits_that_cannot_tell_are_taken_to_be_free() -> None:
    """The plan is an estimate then; what leaves is decided by them all the same."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.cancel_symbol_orders("BTCUSDT")
        assert client._open().session.outlook(CANCEL_SYMBOL_ORDER) == [0] * 5

    with_exchange(main, options={"limits": Unlimited()})
