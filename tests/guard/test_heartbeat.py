"""The bot's side, in virtual time, with a guard that says what the test wants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bitget_async.clock import VirtualClock
from bitget_async.errors import NotSent, UsageError
from bitget_async.guard import Answer, Beat, Word
from bitget_async.heartbeat import Heartbeat
from bitget_async.pulse import Unheard
from tests.conftest import run_virtual


class Line:
    """A way to a guard that a test plays."""

    def __init__(self, says: Callable[[Beat], Word | str] = lambda beat: Word.ARMED) -> None:
        self.says = says
        self.beats: list[tuple[float, Beat]] = []
        self.closed = False
        self.after_s = 10.0
        self.rehearsal = False

    async def beat(self, beat: Beat, within_s: float) -> Answer:
        self.beats.append((asyncio.get_running_loop().time(), beat))
        said = Word.DISARMED if beat.goodbye and self.says(beat) is Word.ARMED else self.says(beat)
        if not isinstance(said, Word):
            await asyncio.sleep(within_s)
            raise Unheard(said)
        return Answer(said, beat.session, beat.number, self.after_s, self.rehearsal)

    async def close(self) -> None:
        self.closed = True

    def __str__(self) -> str:
        return "a line"


def played(main: Callable[[Line, Heartbeat], Awaitable[None]], line: Line | None = None, **options: Any) -> Line:
    """Run that in virtual time with a heartbeat over the line."""
    the_line = Line() if line is None else line

    async def whole() -> None:
        heartbeat = Heartbeat("/nowhere/sock", clock=VirtualClock(), **options)
        vars(heartbeat)["_road"] = the_line
        await main(the_line, heartbeat)

    run_virtual(whole)
    assert the_line.closed
    return the_line


def test_it_beats_each_second_and_says_goodbye() -> None:
    """One session, numbers that rise, and an end that the guard knows for one."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            assert str(heartbeat.state) == "guarded"
            await asyncio.sleep(5.5)
        assert str(heartbeat.state) == "ended"

    line = played(main)
    assert [round(at, 3) for at, _ in line.beats] == [0, 1, 2, 3, 4, 5, 5.5]
    beats = [beat for _, beat in line.beats]
    assert [beat.number for beat in beats] == list(range(1, 8))
    assert len({beat.session for beat in beats}) == 1
    assert [beat.goodbye for beat in beats] == [False] * 6 + [True]


def test_a_loop_that_hangs_does_not_beat() -> None:
    """The beats come from the loop: a blocking call of two minutes is two minutes of silence, and no burst after it."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        loop: Any = asyncio.get_running_loop()
        async with heartbeat:
            await asyncio.sleep(2.5)
            before = len(line.beats)
            loop._selector.clock.advance(120)
            assert len(line.beats) == before
            await asyncio.sleep(2.2)
            assert len(line.beats) <= before + 3

    played(main)


@pytest.mark.parametrize("kind", [ValueError, asyncio.CancelledError])
def test_a_bot_that_falls_over_says_no_goodbye(kind: type[BaseException]) -> None:
    """That is what the guard is for."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        with pytest.raises(kind):
            async with heartbeat:
                raise kind

    line = played(main)
    assert not any(beat.goodbye for _, beat in line.beats)


def test_a_peaceful_end_with_an_exception_can_say_it() -> None:
    """Ctrl-C, after the orders are gone."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        heard = []
        with pytest.raises(KeyError):  # noqa: PT012 - what happens inside is the matter
            async with heartbeat:
                heard.append(await heartbeat.goodbye())
                raise KeyError
        assert (heard, heartbeat.state) == ([True], "ended")

    assert [beat.goodbye for _, beat in played(main).beats] == [False, True]


@pytest.mark.parametrize(
    ("says", "why"),
    [(lambda beat: "gone", "gone"), (lambda beat: Word.STOPPING, "being stopped"), (lambda beat: Word.FIRED, "fired")],
)
def test_without_a_guard_nobody_enters(says: Callable[[Beat], Any], why: str) -> None:
    """A bot that takes itself for guarded and is not would be worse off than without all this."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        with pytest.raises(NotSent, match=why) as raised:
            async with heartbeat:
                raise AssertionError("entered")
        assert raised.value.reason == "guard"
        assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.2)
        assert str(heartbeat.state) == "ended"

    played(main, Line(says))


def test_entering_waits_until_the_stop_is_over() -> None:
    """A bot that was restarted places no orders into it."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.2)

    played(main, Line(lambda beat: Word.STOPPING if asyncio.get_running_loop().time() < 3 else Word.ARMED))


def test_a_stranger_is_a_usage_error() -> None:
    """Waiting would not help."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        with pytest.raises(UsageError, match="maker"):
            async with heartbeat:
                raise AssertionError("entered")

    played(main, Line(lambda beat: Word.STRANGER), name="maker")


def test_a_beat_that_is_too_slow_for_the_guard_is_refused_and_disarmed() -> None:
    """One lost beat would stop the account; and the guard must not be left armed."""
    line = Line()
    line.after_s = 2.9

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        with pytest.raises(UsageError, match="a third"):
            async with heartbeat:
                raise AssertionError("entered")

    played(main, line)
    assert line.beats[-1][1].goodbye is True


def test_a_guard_that_goes_away_is_noticed_and_heard_again(caplog: pytest.LogCaptureFixture) -> None:
    """The bot goes on; the pace of the beats stays, so that a guard that comes back hears one within a second."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            line.says = lambda beat: "away"
            await asyncio.sleep(10)
            assert str(heartbeat.state) == "unheard"
            line.says = lambda beat: Word.ARMED
            await asyncio.sleep(1.5)
            assert str(heartbeat.state) == "guarded"

    with caplog.at_level(logging.INFO, "bitget_async.guard"):
        line = played(main)
    assert [round(at, 3) for at, _ in line.beats[:11]] == list(range(11))
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1


def test_a_bot_that_was_stopped_is_told() -> None:
    """It had hung and woke up: its orders are gone, and nobody guards it."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        with pytest.raises(UsageError):
            await heartbeat.fired()
        async with heartbeat:
            line.says = lambda beat: Word.STOPPING
            await heartbeat.fired()
            states = [heartbeat.state]
            line.says = lambda beat: Word.FIRED
            await asyncio.sleep(1.5)
            states.append(heartbeat.state)
        assert [*states, heartbeat.state] == ["stopping", "fired", "fired"]

    played(main)


def test_a_rehearsal_leaves_the_bot_alone() -> None:
    """It has stopped nothing: the bot is to go on."""
    line = Line()
    line.rehearsal = True

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            line.says = lambda beat: Word.FIRED
            await asyncio.sleep(1.5)
            assert str(heartbeat.state) == "guarded"

    played(main, line)


@pytest.mark.parametrize("alive", [lambda: False, lambda: None, lambda: 1 / 0])
def test_a_bot_that_does_not_vouch_for_itself_does_not_beat(alive: Callable[[], Any]) -> None:
    """Its loop runs, and its work does not; a check that fails is no yes either."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            await asyncio.sleep(5)
            assert len(line.beats) == 1

    played(main, alive=alive)


def test_a_goodbye_that_nobody_hears_is_said() -> None:
    """The guard is going to stop the account, and the log says why."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            line.says = lambda beat: "away"
        assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.3)

    played(main)


def test_it_is_entered_once() -> None:
    """A second life needs a session of its own."""

    async def main(line: Line, heartbeat: Heartbeat) -> None:
        async with heartbeat:
            pass
        with pytest.raises(UsageError, match="once"):
            async with heartbeat:
                raise AssertionError("entered")

    played(main)


@pytest.mark.parametrize(
    "options",
    [{"name": ""}, {"name": "a b"}, {"every_s": 0}, {"every_s": "1"}, {"within_s": -1}, {"every_s": float("nan")}],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    """When the heartbeat is made."""
    with pytest.raises(UsageError):
        _ = Heartbeat("/nowhere/sock", clock=VirtualClock(), **options)
