"""The queue between pushes and their reader: what waits, what is lost, and how it ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitget_async import NotSent, StreamOverflow, StreamState, SubscriptionFailed
from bitget_async.stream.protocol import Topic
from bitget_async.stream.subscription import Backlog, Every, Feed, Latest, Subscription
from tests.conftest import run_virtual

BTC, ETH = Topic("ticker", "BTCUSDT"), Topic("ticker", "ETHUSDT")
Numbers = list[tuple[str, int]]


def latest(most: int = 100) -> Latest[tuple[str, int]]:
    """A backlog of the latest number of each name."""
    return Latest(lambda each: each[0], most)


class Fed:
    """A feed with its reader, and whether it has left."""

    def __init__(self, backlog: Backlog[Any], *topics: Topic, wanted: Callable[[Any], bool] | None = None) -> None:
        self.left = 0
        self.feed: Feed[Any] = Feed(topics or (BTC,), backlog, self._leave, wanted=wanted)
        self.reader: Subscription[Any] = Subscription(self.feed, "tickers")

    def _leave(self, feed: Feed[Any]) -> None:
        self.left += 1

    def live(self, *topics: Topic) -> None:
        """They are acknowledged."""
        for topic in topics or self.feed.topics:
            self.feed.live(topic, 1)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """On a loop of its own."""
    run_virtual(main)


async def turns(count: int = 3) -> None:
    """Let others run."""
    for _ in range(count):
        await asyncio.sleep(0)


# -- what waits ----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=30), st.integers(1, 4))
def test_every_keeps_all_up_to_the_first_loss_and_counts_the_rest(told: Numbers, most: int) -> None:
    """Whoever reads orders must get an unbroken beginning, and know that it was broken off."""
    backlog: Every[tuple[str, int]] = Every(most)
    for each in told:
        backlog.put(each)
    read = []
    while (record := backlog.take()) is not None:
        read.append(record)
    assert read == told[:most]
    assert backlog.lost == max(len(told) - most, 0)
    assert backlog.broken is (len(told) > most)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=30))
def test_latest_keeps_the_last_of_each_kind_in_the_order_in_which_they_became_news(told: Numbers) -> None:
    """A slow reader of prices gets the present of every symbol, and none starves behind a busy one."""
    backlog = latest()
    for each in told:
        backlog.put(each)
    read = []
    while (record := backlog.take()) is not None:
        read.append(record)
    assert read == [(name, dict(told)[name]) for name in dict.fromkeys(name for name, _ in told)]
    assert backlog.lost == len(told) - len(read)
    assert not backlog.broken


def test_latest_is_bounded_in_kinds_too() -> None:
    """A thousand candles of a snapshot must not grow without end; the oldest goes, and is counted."""
    backlog = latest(2)
    for each in (("a", 1), ("b", 2), ("c", 3)):
        backlog.put(each)
    assert [backlog.take(), backlog.take(), backlog.take()] == [("b", 2), ("c", 3), None]
    assert backlog.lost == 1


# -- reading -------------------------------------------------------------------------------------------------------


def test_records_come_in_order_and_waiting_ones_at_once() -> None:
    """The plain case, with the reader before and behind."""

    async def main() -> None:
        fed = Fed(Every(10))
        fed.feed.pushed([1, 2], 0)
        assert [await anext(fed.reader), await anext(fed.reader)] == [1, 2]
        waiting = asyncio.ensure_future(anext(fed.reader))
        await turns()
        assert not waiting.done()
        fed.feed.pushed([3], 0)
        assert await waiting == 3
        fed.reader.close()

    run(main)


def test_what_is_not_wanted_takes_no_place() -> None:
    """One symbol's reader must not overflow with another's orders."""

    async def main() -> None:
        fed = Fed(Every(1), wanted=lambda each: each != "other")
        fed.feed.pushed(["other", "mine", "other"], 0)
        assert await anext(fed.reader) == "mine"
        assert fed.reader.lost == 0
        fed.reader.close()

    run(main)


@pytest.mark.parametrize("turn", range(6))
def test_a_cancelled_wait_loses_nothing(turn: int) -> None:
    """Readers wait under timeouts: whichever turn the cancellation hits, the record is there for the next wait."""

    async def main() -> None:
        fed = Fed(Every(10))
        reading = asyncio.ensure_future(anext(fed.reader))
        await turns(turn % 3)
        fed.feed.pushed([7], 0)
        await turns(turn // 3)
        reading.cancel()
        got = (await asyncio.gather(reading, return_exceptions=True))[0]
        if isinstance(got, asyncio.CancelledError):
            got = await anext(fed.reader)
        assert got == 7
        fed.reader.close()

    run(main)


def test_two_readers_of_one_subscription_share_its_records() -> None:
    """Workers may read from one queue: nothing twice, nothing lost, nobody left waiting at the end."""

    async def main() -> None:
        fed = Fed(Every(100))

        async def work() -> list[int]:
            return [each async for each in fed.reader]

        workers = [asyncio.ensure_future(work()) for _ in range(2)]
        await turns()
        for number in range(10):
            fed.feed.pushed([number], 0)
            await turns()
        fed.reader.close()
        first, second = await asyncio.gather(*workers)
        assert sorted(first + second) == list(range(10))

    run(main)


# -- ends ----------------------------------------------------------------------------------------------------------


def test_an_overflow_gives_what_came_before_and_then_says_how_many_were_lost() -> None:
    """Orders are never skipped silently: the reader knows that he has to read anew, and from where."""

    async def main() -> None:
        fed = Fed(Every(2))
        fed.feed.pushed([1, 2, 3], 0)
        assert [await anext(fed.reader), await anext(fed.reader)] == [1, 2]
        fed.feed.pushed([4], 0)
        for _ in range(2):
            with pytest.raises(StreamOverflow) as caught:
                _ = await anext(fed.reader)
            assert (caught.value.lost, caught.value.topic) == (2, "tickers")
        assert fed.left == 1
        assert fed.reader.state is StreamState.CLOSED

    run(main)


def test_a_failure_comes_behind_what_waits() -> None:
    """What came is true whatever came after."""

    async def main() -> None:
        fed = Fed(Every(5))
        fed.feed.pushed([1], 0)
        fed.feed.failed(SubscriptionFailed("tickers", "30001", "no"))
        assert await anext(fed.reader) == 1
        for _ in range(2):
            with pytest.raises(SubscriptionFailed):
                _ = await anext(fed.reader)
        with pytest.raises(SubscriptionFailed):
            await fed.reader.ready()
        assert fed.left == 1

    run(main)


def test_closing_ends_the_loop_of_a_waiting_reader() -> None:
    """Somebody else may close it; the reader's loop ends as a loop does."""

    async def main() -> None:
        fed = Fed(Every(5))

        async def read() -> list[int]:
            return [each async for each in fed.reader]

        reading = asyncio.ensure_future(read())
        await turns()
        fed.reader.close()
        fed.reader.close()
        assert await reading == []
        assert fed.left == 1
        with pytest.raises(NotSent, match="closed"):
            await fed.reader.ready()

    run(main)


def test_leaving_the_block_closes_whatever_happens_in_it() -> None:
    """A reader that raises harms nobody."""

    async def main() -> None:
        fed = Fed(Every(5))
        with pytest.raises(ZeroDivisionError):
            async with fed.reader:
                raise ZeroDivisionError
        assert fed.left == 1

    run(main)


def test_a_forgotten_subscription_leaves_by_itself() -> None:
    """`async for ... break` is how most loops end, and nobody closes what he has no name for."""

    async def main() -> None:
        fed = Fed(Every(5))
        del fed.reader
        _ = gc.collect()
        await turns()
        assert fed.left == 1

    run(main)


def test_a_subscription_forgotten_after_its_loop_has_ended_is_quiet() -> None:
    """At the end of a program there is no loop to tell."""
    kept: list[Fed] = []

    async def main() -> None:
        kept.append(Fed(Every(5)))

    run(main)
    del kept[0].reader
    _ = gc.collect()


# -- state ---------------------------------------------------------------------------------------------------------


def test_it_is_live_when_all_its_topics_are_and_stale_when_one_is_not_any_more() -> None:
    """`ready()` promises every symbol; a reader of many must hear of the one that went."""

    async def main() -> None:
        fed = Fed(latest(), BTC, ETH)
        states = [fed.reader.state]
        fed.live(BTC)
        states.append(fed.reader.state)
        fed.live(ETH)
        states.append(fed.reader.state)
        fed.feed.lapsed(BTC, 2, cut=True)
        states.append(fed.reader.state)
        fed.live(BTC)
        states.append(fed.reader.state)
        connecting, live, stale = StreamState.CONNECTING, StreamState.LIVE, StreamState.STALE
        assert states == [connecting, connecting, live, stale, live]
        assert "live" in repr(fed.reader)
        fed.reader.close()

    run(main)


def test_waiting_for_a_state_ends_with_the_subscription() -> None:
    """Nobody waits for a state that cannot come any more."""

    async def main() -> None:
        fed = Fed(latest())
        waiting = asyncio.ensure_future(fed.reader.wait_state(StreamState.STALE))
        ready = asyncio.ensure_future(fed.reader.ready())
        await turns()
        fed.live()
        await ready
        assert not waiting.done()
        fed.reader.close()
        assert await waiting is StreamState.CLOSED

    run(main)


def test_an_error_survives_a_second_reading_with_its_fields() -> None:
    """`StreamOverflow` and `SubscriptionFailed` are told apart by fields, not by texts."""
    failed, lost = SubscriptionFailed("orders", "30004", "login"), StreamOverflow("orders", 7)
    assert (failed.topic, failed.code, failed.message) == ("orders", "30004", "login")
    assert (lost.topic, lost.lost) == ("orders", 7)
