"""Topics over lines: one subscription for all who want a topic, no line too full, and nobody harmed by another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pytest

from bitget_async import StreamState
from bitget_async.clock import VirtualClock
from bitget_async.errors import StreamError
from bitget_async.stream.pool import Pool, named
from bitget_async.stream.protocol import Push, Topic
from tests.conftest import run_on, run_virtual
from tests.virtualtime import virtual_loop

BTC, ETH = Topic("ticker", "BTCUSDT"), Topic("ticker", "ETHUSDT")
BOOK = Topic("books", "BTCUSDT")
ACCOUNT = Topic("account", coin="default")


class FakeLine:
    """Writes down what is asked of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        self.topics: dict[Topic, None] = {}

    def want(self, topics: Iterable[Topic]) -> None:
        """As a line."""
        topics = list(topics)
        self.topics |= dict.fromkeys(topics)
        self.asked.append("+" + " ".join(named(each) for each in topics))

    def urge(self) -> None:
        """As a line."""

    def unwant(self, topics: Iterable[Topic]) -> None:
        """As a line."""
        for topic in (topics := list(topics)):
            del self.topics[topic]
        self.asked.append("-" + " ".join(named(each) for each in topics))

    def renew(self, topic: Topic) -> None:
        """As a line."""
        self.asked.append("~" + named(topic))

    async def close(self) -> None:
        """As a line."""
        self.asked.append("close")


class Ear:
    """A receiver that keeps what it hears."""

    def __init__(self, *topics: Topic) -> None:
        self.topics = topics
        self.heard: list[str] = []

    def live(self, topic: Topic, now_ns: int) -> None:
        """It comes."""
        self.heard.append(f"live {named(topic)}")

    def lapsed(self, topic: Topic, now_ns: int, *, cut: bool) -> None:
        """It does not."""
        self.heard.append(f"{'cut' if cut else 'silent'} {named(topic)}")

    def pushed(self, records: Sequence[Any], received_ns: int) -> None:
        """It came."""
        self.heard += [f"{each.symbol} {each.last_pr}" for each in records]

    def failed(self, error: StreamError) -> None:
        """It cannot come."""
        self.heard.append(str(error))


class World:
    """A pool of fake lines."""

    def __init__(self, most: int = 50) -> None:
        self.lines: list[FakeLine] = []
        self.changes = 0
        self.pool = Pool(self._make, VirtualClock(), self._changed, most=most)

    def _make(self, pool: Pool) -> FakeLine:
        self.lines.append(FakeLine(str(len(self.lines) + 1)))
        return self.lines[-1]

    def _changed(self) -> None:
        self.changes += 1


def push(topic: Topic, price: str = "1") -> Push:
    """A ticker push."""
    row = f'[{{"instId":"{(topic.inst_id or "").upper()}","lastPr":"{price}"}}]'
    return Push(topic, "snapshot", msgspec.Raw(row.encode()), 1_700_000_000_000)


def in_world(main: Callable[[World], None], *, most: int = 50) -> None:
    """On a loop of its own."""

    async def whole() -> None:
        main(World(most))

    run_virtual(whole)


def test_a_topic_is_asked_for_once_and_given_up_with_its_last_reader() -> None:
    """240 requests an hour are all that a connection has."""

    def main(world: World) -> None:
        first, second = Ear(BTC), Ear(BTC, ETH)
        world.pool.join(first)
        world.pool.join(second)
        world.pool.leave(first)
        world.pool.leave(first)
        world.pool.leave(second)
        assert world.lines[0].asked == ["+ticker BTCUSDT", "+ticker ETHUSDT", "-ticker BTCUSDT ticker ETHUSDT"]
        assert world.pool.state is StreamState.OFF

    in_world(main)


@pytest.mark.parametrize(
    ("joins", "loads"), [([60], [30, 30]), ([50, 10], [50, 10]), ([1] * 51, [50, 1]), ([120], [40] * 3)]
)
def test_no_line_has_more_than_fifty_topics_and_a_crowd_is_spread(joins: list[int], loads: list[int]) -> None:
    """The exchange recommends less than 50; what comes together is spread evenly."""

    def main(world: World) -> None:
        number = 0
        for count in joins:
            world.pool.join(Ear(*[Topic("ticker", f"S{number + each}USDT") for each in range(count)]))
            number += count
        assert [len(line.topics) for line in world.lines] == loads

    in_world(main)


def test_room_that_was_left_is_used_again() -> None:
    """Readers come and go: connections must not."""

    def main(world: World) -> None:
        ears = [Ear(Topic("ticker", f"S{number}USDT")) for number in range(4)]
        for ear in ears:
            world.pool.join(ear)
        world.pool.leave(ears[0])
        world.pool.join(Ear(BTC))
        assert [len(line.topics) for line in world.lines] == [2, 2]

    in_world(main, most=2)


def test_all_who_want_it_hear_what_happens_to_it() -> None:
    """Acknowledged, pushed, silent, cut: each reader's state depends on hearing all of it."""

    def main(world: World) -> None:
        ear, other = Ear(BTC), Ear(ETH)
        world.pool.join(ear)
        world.pool.join(other)
        (line,) = world.lines
        pool = world.pool
        pool.live(line, BTC)
        pool.pushed(line, push(BTC), 1)
        pool.lapsed(line, cut=False)
        pool.live(line, BTC)
        pool.lapsed(line, cut=True)
        assert ear.heard == [
            *("live ticker BTCUSDT", "BTCUSDT 1", "silent ticker BTCUSDT"),
            *("live ticker BTCUSDT", "cut ticker BTCUSDT"),
        ]
        assert other.heard == ["cut ticker ETHUSDT"]

    in_world(main)


def test_a_late_reader_is_told_that_it_is_live_and_gets_a_snapshot_where_there_is_one() -> None:
    """The first push of books and of the account is the state: who comes later must not build on changes alone."""

    def main(world: World) -> None:
        for topic in (BTC, BOOK, ACCOUNT):
            world.pool.join(Ear(topic))
        (line,) = world.lines
        for topic in (BTC, BOOK, ACCOUNT):
            world.pool.live(line, topic)
        line.asked.clear()
        late = Ear(BTC, BOOK, ACCOUNT)
        world.pool.join(late)
        assert late.heard == ["live ticker BTCUSDT", "live books BTCUSDT", "live account"]
        assert line.asked == ["~books BTCUSDT", "~account"]

    in_world(main)


def test_a_refused_topic_ends_only_those_who_want_it() -> None:
    """One wrong symbol must not take the others with it."""

    def main(world: World) -> None:
        ear, other = Ear(BTC), Ear(ETH)
        world.pool.join(ear)
        world.pool.join(other)
        world.pool.failed(world.lines[0], BTC, "30001", "no such symbol")
        assert ear.heard == ["ticker BTCUSDT was refused with code 30001: no such symbol"]
        assert other.heard == []

    in_world(main)


def test_a_refused_login_ends_all_of_its_line() -> None:
    """None of them can be had with that key."""

    def main(world: World) -> None:
        ears = [Ear(BTC), Ear(ETH)]
        for ear in ears:
            world.pool.join(ear)
        world.pool.failed(world.lines[0], None, "30015", "wrong sign")
        world.pool.failed(world.lines[0], BTC, None, "4 requests")
        assert [ear.heard for ear in ears] == [
            ["login was refused with code 30015: wrong sign", "ticker BTCUSDT was not acknowledged: 4 requests"],
            ["login was refused with code 30015: wrong sign"],
        ]

    in_world(main)


@pytest.mark.parametrize("echo", [Topic("ticker", "btcusdt"), Topic("ticker", "BTCUSDT", inst_type="sp")])
def test_an_echo_in_another_spelling_is_found(echo: Topic) -> None:
    """The exchange repeats the argument in capitals of its own choice."""

    def main(world: World) -> None:
        ear = Ear(BTC)
        world.pool.join(ear)
        world.pool.pushed(world.lines[0], push(echo), 1)
        assert ear.heard == ["BTCUSDT 1"]

    in_world(main)


def test_pushes_of_what_nobody_wants_and_of_lines_that_are_gone_are_passed_over() -> None:
    """After an unsubscribe some are still under way."""

    def main(world: World) -> None:
        ear = Ear(BTC)
        world.pool.join(ear)
        world.pool.pushed(world.lines[0], push(ETH), 1)
        world.pool.pushed(FakeLine("old"), push(BTC), 1)
        world.pool.live(FakeLine("old"), BTC)
        world.pool.failed(FakeLine("old"), BTC, "1", "")
        world.pool.lapsed(FakeLine("old"), cut=True)
        assert ear.heard == []

    in_world(main)


def test_the_state_is_that_of_the_worst_topic() -> None:
    """One number for a health check."""

    def main(world: World) -> None:
        pool, states = world.pool, [world.pool.state]
        pool.join(Ear(BTC))
        (line,) = world.lines
        states.append(pool.state)
        pool.live(line, BTC)
        states.append(pool.state)
        pool.join(Ear(ETH))
        states.append(pool.state)
        pool.live(line, ETH)
        pool.lapsed(line, cut=False)
        states.append(pool.state)
        assert [each.value for each in states] == ["off", "connecting", "live", "connecting", "stale"]
        assert world.changes >= 5

    in_world(main)


def test_a_line_that_ends_for_want_of_readers_is_replaced_by_a_new_one() -> None:
    """Between its decision to end and its end nobody may be put on it."""

    def main(world: World) -> None:
        ear = Ear(BTC)
        world.pool.join(ear)
        world.pool.leave(ear)
        world.pool.idle(world.lines[0])
        world.pool.join(Ear(BTC))
        world.pool.ended(world.lines[0])
        assert [line.asked for line in world.lines] == [["+ticker BTCUSDT", "-ticker BTCUSDT"], ["+ticker BTCUSDT"]]
        assert [line.name for line in world.pool.lines] == ["2"]

    in_world(main)


def test_closing_closes_lines_that_are_about_to_end_too() -> None:
    """No task may be left."""

    async def main() -> None:
        world = World(most=1)
        ears = [Ear(BTC), Ear(ETH)]
        for ear in ears:
            world.pool.join(ear)
        world.pool.leave(ears[0])
        world.pool.idle(world.lines[0])
        await world.pool.close()
        assert [line.asked[-1] for line in world.lines] == ["close", "close"]
        assert world.pool.lines == ()

    run_virtual(main)


def test_a_receiver_that_raises_harms_no_other_and_is_heard_of() -> None:
    """A defect of ours is not hidden, and costs nobody his pushes."""

    class Broken(Ear):
        def pushed(self, records: Sequence[Any], received_ns: int) -> None:
            raise ZeroDivisionError

        def live(self, topic: Topic, now_ns: int) -> None:
            raise ZeroDivisionError

    heard: list[str] = []

    async def main() -> None:
        world = World()
        ear = Ear(BTC)
        world.pool.join(Broken(BTC))
        world.pool.join(ear)
        world.pool.live(world.lines[0], BTC)
        world.pool.pushed(world.lines[0], push(BTC), 1)
        heard.extend(ear.heard)

    run_on(virtual_loop(), main, expected=ZeroDivisionError)
    assert heard == ["live ticker BTCUSDT", "BTCUSDT 1"]


def test_leaving_while_being_told_is_allowed() -> None:
    """A reader that ends at a push leaves in the middle of the round."""

    class Leaver(Ear):
        def pushed(self, records: Sequence[Any], received_ns: int) -> None:
            world.pool.leave(self)
            world.pool.leave(ear)

    world = World()
    ear = Ear(BTC)

    async def main() -> None:
        world.pool.join(Leaver(BTC))
        world.pool.join(ear)
        world.pool.pushed(world.lines[0], push(BTC), 1)
        assert world.pool.state is StreamState.OFF

    run_virtual(main)
