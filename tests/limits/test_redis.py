"""
One budget for several processes, in virtual time: the very script, an exchange that counts, and what goes wrong.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections.abc import Callable
from unittest import mock

import pytest

from bitget_async import NotSent, RedisLimits, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import ACCOUNT_INFO, CANCEL_SYMBOL_ORDER, SERVER_TIME, UNFILLED_ORDERS, Endpoint
from bitget_async.limits.local import Grant
from bitget_async.limits.server import Away
from tests.conftest import run_virtual
from tests.limits.shared_server import FakeServer, Link
from tests.limits.shared_world import ORIGIN, Process, Witness, limits_of

HOLD_S = 1.004
AFTER_SILENCE_S = 3 * 2.0 + 10.0 + HOLD_S + 0.1


class Pair:
    """A server and limits of some processes on it."""

    def __init__(self, count: int = 2, **options: float) -> None:
        self.server = FakeServer()
        self.clock = VirtualClock()
        options.setdefault("share", 1 / count)
        self.limits = [limits_of(self.server, random.Random(each), **options) for each in range(count)]

    async def take(
        self, who: int = 0, row: Endpoint = CANCEL_SYMBOL_ORDER, *, max_wait_s: float | None = None, first: bool = False
    ) -> Grant:
        return await self.limits[who].acquire(
            row, "a", ORIGIN, clock=self.clock, max_wait_s=max_wait_s, owner=self, first=first
        )

    async def now(self, who: int = 0, row: Endpoint = CANCEL_SYMBOL_ORDER) -> list[Grant]:
        """All tokens that this process gets within a tenth of a second."""
        grants: list[Grant] = []
        try:
            async with asyncio.timeout(0.1):
                while True:
                    grants.append(await self.take(who, row))
        except TimeoutError:
            return grants

    def answer(self, grants: list[Grant]) -> None:
        for grant in grants:
            grant.answered(self.clock.monotonic_ns(), None)

    def link(self, who: int = 0) -> Link:
        link = self.limits[who]._server
        assert isinstance(link, Link)
        return link

    async def close(self) -> None:
        for limits in self.limits:
            await limits.close()

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()


def playing(main: Callable[[Pair], object], count: int = 2, **options: float) -> None:
    """Run it in virtual time and close everything."""

    async def whole() -> None:
        pair = Pair(count, **options)
        await main(pair)  # type: ignore[misc]
        await pair.close()

    run_virtual(whole)


def test_one_process_alone_has_the_whole_quota() -> None:
    """The same bucket as in one process: five at once, the sixth 1.004 s after the first answer."""

    async def main(pair: Pair) -> None:
        grants = await pair.now()
        assert len(grants) == 5
        pair.answer(grants)
        answered_s = pair.now_s
        _ = await pair.take()
        assert pair.now_s - answered_s == pytest.approx(HOLD_S, abs=0.01)

    playing(main)


def test_two_processes_have_one_quota_together() -> None:
    """What one has taken the other cannot have: five in all, and the one in the pocket is always there."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        mine = await pair.now(0)
        others = await pair.now(1)
        assert (len(mine), len(others)) == (4, 1)

    playing(main)


def test_reads_have_a_bucket_of_their_own() -> None:
    """Twenty reads taken delay no command."""

    async def main(pair: Pair) -> None:
        assert len(await pair.now(0, UNFILLED_ORDERS)) == 20
        assert len(await pair.now(0)) == 5

    playing(main)


def test_a_quota_counted_by_ip_stays_with_the_process() -> None:
    """Machines have addresses of their own."""

    async def main(pair: Pair) -> None:
        assert len(await pair.now(0, SERVER_TIME)) == SERVER_TIME.quota.per_s
        assert len(await pair.now(1, SERVER_TIME)) == SERVER_TIME.quota.per_s
        assert pair.server.calls == 0

    playing(main)


def test_a_wait_that_is_too_long_is_refused_when_the_server_has_told_it() -> None:
    """`NotSent` after one round trip, with the wait that is to be expected, and not at the end of the time given."""

    async def main(pair: Pair) -> None:
        pair.answer(await pair.now())
        await asyncio.sleep(0.3)
        began_s = pair.now_s
        with pytest.raises(NotSent) as told:
            _ = await pair.take(max_wait_s=0.2)
        assert told.value.reason == "rate_limit"
        assert told.value.expected_wait_s == pytest.approx(HOLD_S - 0.35, abs=0.1)
        assert pair.now_s - began_s < 0.01

    playing(main)


def test_those_with_first_are_served_before_the_others() -> None:
    """The watcher's reads, also against the waiters of another process."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        pair.answer(await pair.now(0))
        pair.answer(await pair.now(1))
        order: list[str] = []

        async def one(who: int, name: str, *, first: bool) -> None:
            grant = await pair.take(who, first=first)
            order.append(name)
            grant.answered(pair.clock.monotonic_ns(), None)

        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(one(0, "other", first=False)) for _ in range(8)]
        await asyncio.sleep(0.01)
        tasks += [loop.create_task(one(0, "first", first=True)) for _ in range(2)]
        await asyncio.gather(*tasks)
        assert order[:2] == ["first", "first"]

    playing(main)


def test_a_waiter_who_leaves_takes_nothing_with_him() -> None:
    """Ten give up at any moment; afterwards all five tokens are there, and nobody stands in line."""

    async def main(pair: Pair) -> None:
        pair.answer(await pair.now())
        rng = random.Random(4)
        tasks = [asyncio.get_running_loop().create_task(pair.take()) for _ in range(10)]
        for task in tasks:
            await asyncio.sleep(rng.uniform(0.0, 0.11))
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for each in done:
            if not isinstance(each, BaseException):
                each.unsent()
        await asyncio.sleep(3)
        assert len(await pair.now()) == 5

    playing(main)


def test_closing_an_owner_ends_its_waiting() -> None:
    """`abandon`: `NotSent("closed")`, as with local limits."""

    async def main(pair: Pair) -> None:
        pair.answer(await pair.now())
        task = asyncio.get_running_loop().create_task(pair.take())
        await asyncio.sleep(0.05)
        pair.limits[0].abandon(pair)
        with pytest.raises(NotSent, match="closed"):
            _ = await task

    playing(main)


def test_tokens_of_a_killed_process_come_back() -> None:
    """Two seconds of silence, the lease and a second: what it had sent may be processed until then."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        assert len(await pair.now(0)) == 4
        pair.link(0).up = False
        began_s = pair.now_s
        _ = await pair.take(1)
        _ = await pair.take(1)
        assert pair.now_s - began_s == pytest.approx(2.0 + 10.0 + HOLD_S + 0.1, abs=0.2)

    playing(main)


def test_without_the_server_the_pocket_is_there_at_once_and_the_share_when_it_is_sure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A cancel waits for nothing; the second token of 5 x 1/2 only when nobody else can have it. One warning."""

    async def main(pair: Pair) -> None:
        (await pair.take()).unsent()
        (await pair.take(1)).unsent()
        pair.server.up = False
        began_s = pair.now_s
        _ = await pair.take()
        assert pair.now_s - began_s < 0.005
        _ = await pair.take()
        assert pair.now_s - began_s == pytest.approx(AFTER_SILENCE_S, abs=0.6)
        assert sum(each.levelno == logging.WARNING for each in caplog.records if "away" in each.message) == 2

    playing(main)


def test_a_process_that_never_reaches_the_server_has_its_share() -> None:
    """Started during an outage: the first cancel leaves as soon as the connection is refused."""

    async def main(pair: Pair) -> None:
        pair.server.up = False
        _ = await pair.take()
        assert pair.now_s < 0.005

    playing(main)


@pytest.mark.failure(58)
def test_a_newcomer_is_not_taken_for_somebody_who_was_there() -> None:
    """
    The server starts anew while one process is cut off, and another joins: the share of the first is still its own, so
    three others have no more than what is left of five.
    """

    async def main(pair: Pair) -> None:
        for who in range(3):
            (await pair.take(who)).unsent()
        await asyncio.sleep(2)
        pair.link(0).up = False
        pair.server.restart()
        await asyncio.sleep(AFTER_SILENCE_S + 1)
        (await pair.take(3)).unsent()
        await asyncio.sleep(1)
        assert [len(await pair.now(who)) for who in (1, 2, 3, 0)] == [2, 1, 1, 1]

    playing(main, 4)


@pytest.mark.failure(58)
def test_a_server_that_forgets_everything_gives_nothing_until_all_is_back() -> None:
    """Whoever was here and is not known any more proves it; those who have tokens go on with them."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        mine = await pair.now(0)
        pair.server.flush()
        await asyncio.sleep(1)
        for grant in mine:
            grant.unsent()
        mine = await pair.now(0)
        assert len(mine) == 4
        began_s = pair.now_s
        assert len(await pair.now(1)) == 1
        for grant in mine:
            grant.unsent()
        _ = await pair.take(1)
        assert began_s + 10.0 < pair.now_s < began_s + 14.5

    playing(main)


@pytest.mark.failure(58)
def test_the_wall_clock_of_the_server_may_be_set_back() -> None:
    """Time goes on there from where it was: nobody is kept waiting for an hour."""

    async def main(pair: Pair) -> None:
        pair.answer(await pair.now())
        pair.server.step_us = -3_600_000_000
        await asyncio.sleep(1.2)
        assert len(await pair.now()) == 5

    playing(main)


def test_closing_ends_where_the_library_swallows_a_cancellation() -> None:
    """redis-py may take the end of a task for a failed connection: the task looks by itself whether it is over."""

    async def main(pair: Pair) -> None:
        link = pair.link()

        async def ask(key: str, message: object) -> list[int]:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise Away("ConnectionError") from None
            raise AssertionError

        link.ask = ask  # type: ignore[method-assign]
        task = asyncio.get_running_loop().create_task(pair.take())
        await asyncio.sleep(1)
        async with asyncio.timeout(2):
            await pair.limits[0].close()
        with pytest.raises(NotSent, match="closed"):
            _ = await task

    playing(main, 1)


def test_the_outlook_tells_what_the_server_told() -> None:
    """A stop plans with it: its own tokens, what is free at the server, and a second for those of others."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        (await pair.take()).unsent()
        _ = await pair.now(1)
        await asyncio.sleep(1)
        outlook = pair.limits[0].outlook(CANCEL_SYMBOL_ORDER, "a", ORIGIN, clock=pair.clock)
        assert outlook == [0] + [1_004_000_000] * 4
        pair.server.up = False
        await asyncio.sleep(3)
        first, second = pair.limits[0].outlook(CANCEL_SYMBOL_ORDER, "a", ORIGIN, clock=pair.clock)
        assert first == 0
        assert 13e9 < second < 17e9

    playing(main)


def test_a_share_of_less_than_a_token_is_used_in_turns() -> None:
    """Twelve processes, five tokens, no server: never more than five at once, and everybody has his turn."""

    async def whole() -> None:
        pair = Pair(12)
        witness = Witness()
        every = [Process(each, limits, witness, random.Random(each)) for each, limits in enumerate(pair.limits)]
        for process in every:
            process.start(1)
        await asyncio.sleep(3)
        pair.server.up = False
        await asyncio.sleep(60)
        assert set(witness.by_process(20.0)) == set(range(12))
        assert witness.worst_second <= 5
        for process in every:
            await process.stop()

    run_virtual(whole, debug=False)


def test_a_busy_process_does_not_starve_another() -> None:
    """Forty callers beside one: the one gets what it can use, or its half."""

    async def whole() -> None:
        pair = Pair(2)
        witness = Witness()
        every = [Process(each, limits, witness, random.Random(each)) for each, limits in enumerate(pair.limits)]
        every[0].start(40)
        await asyncio.sleep(5)
        every[1].start(5)
        await asyncio.sleep(40)
        counts = witness.by_process(6.0)
        assert witness.worst_second == 5
        assert counts[1] > 0.4 * counts.total()
        assert counts.total() > 0.9 * 39 * 5 / (HOLD_S + 0.3)
        for process in every:
            await process.stop()

    run_virtual(whole, debug=False)


def test_a_429_makes_all_processes_slower() -> None:
    """Somebody else uses the account: all free tokens rest for a second, and half of all for ten more."""

    async def main(pair: Pair) -> None:
        (await pair.take(1)).unsent()
        (await pair.take(0)).refused(pair.clock.monotonic_ns())
        await asyncio.sleep(0.1)
        assert len(await pair.now(1)) == 1
        await asyncio.sleep(1.2)
        assert len(await pair.now(0)) <= 3

    playing(main)


def test_limits_that_are_closed_give_nothing() -> None:
    """And closing twice is no mistake."""

    async def main(pair: Pair) -> None:
        (await pair.take()).unsent()
        await pair.close()
        assert pair.server.state()["members"] in ([], {})
        with pytest.raises(NotSent, match="closed"):
            _ = await pair.take()

    playing(main, 1)


def test_a_quota_of_one_is_shared_too() -> None:
    """Half of one token is no token: nothing is in the pocket, all goes over the server."""

    async def main(pair: Pair) -> None:
        assert len(await pair.now(0, ACCOUNT_INFO)) == 1
        assert await pair.now(1, ACCOUNT_INFO) == []

    playing(main)


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://127.0.0.1"},
        {"url": "redis://127.0.0.1:port"},
        {"uid": ""},
        {"share": 0},
        {"share": 1.5},
        {"share": True},
        {"pocket": -1},
        {"lease_s": 0},
        {"prefix": ""},
    ],
    ids=str,
)
def test_arguments_that_cannot_be_meant_are_refused(given: dict[str, object]) -> None:
    """Before anything is connected, and without showing the address."""
    options: dict[str, object] = {"url": "redis://user:secret@127.0.0.1", "uid": "1", **given}
    with pytest.raises(UsageError) as refused:
        _ = RedisLimits(str(options.pop("url")), **options)  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


def test_without_the_extra_the_error_names_it() -> None:
    """Not an ImportError from somewhere inside."""
    with (
        mock.patch.dict(sys.modules, {"redis.asyncio": None}),
        pytest.raises(UsageError, match=r"bitget_async\[redis\]"),
    ):
        _ = RedisLimits("redis://127.0.0.1", uid="1")
