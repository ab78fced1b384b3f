"""One line with sockets that a test plays: what it sends, when it asks again, and what it never shows."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from typing import Any

import pytest
from aiolimiter import AsyncLimiter

from bitget_async.clock import VirtualClock
from bitget_async.errors import NotSent
from bitget_async.stream.line import Backoff, KeptLine
from bitget_async.stream.protocol import Push, Topic
from tests.conftest import run_on, run_virtual
from tests.virtualtime import virtual_loop

BTC, ETH = Topic("books", "BTCUSDT"), Topic("books", "ETHUSDT")
KEY = "a-key-that-nobody-may-see"


class Played:
    """A socket: keeps what is sent with its second, and says what the test wants it to."""

    def __init__(self, answer: Callable[[str], list[str]]) -> None:
        self.sent: list[tuple[float, str]] = []
        self.ended = ""
        self.open = True
        self._answer = answer
        self._said: asyncio.Queue[str | None] = asyncio.Queue()

    async def receive(self) -> str | None:
        """What was said, in order."""
        return await self._said.get()

    async def send(self, frame: bytes) -> bool:
        """Keep it, and answer."""
        if not self.open:
            return False
        self.sent.append((round(asyncio.get_running_loop().time(), 1), short(frame)))
        for text in self._answer(short(frame)):
            self._said.put_nowait(text)
        return True

    def say(self, text: str | None) -> None:
        """Say that."""
        self._said.put_nowait(text)

    async def close(self) -> None:
        """Be closed."""
        self.open = False


def short(frame: bytes) -> str:
    """A request in short."""
    if frame == b"ping":
        return "ping"
    request = json.loads(frame)
    return " ".join([request["op"], *(row.get("instId", "") for row in request["args"])]).strip()


def obliging(request: str) -> list[str]:
    """An exchange that does what is asked."""
    op, *names = request.split()
    if op == "ping":
        return ["pong"]
    if op == "login":
        return ['{"event":"login","code":0}']
    arg = '{"event":"%s","arg":{"instType":"SPOT","channel":"books","instId":"%s"}}'
    return [arg % (op, name) for name in names]


class World:
    """A line, the sockets that it opened, and what it told."""

    def __init__(self, answer: Callable[[str], list[str]] = obliging, *, private: bool = False) -> None:
        self.sockets: list[Played] = []
        self.told: list[str] = []
        self.unreachable = False
        self._answer = answer
        self.line = KeptLine(
            "a line",
            "/path",
            opener=self,
            login=self if private else None,
            wire=self,
            clock=VirtualClock(),
            rng=random.Random(1),
            connects=AsyncLimiter(100, 200),
        )

    async def open(self, path: str) -> Played:
        """As `Dialer`."""
        if self.unreachable:
            raise NotSent("connect")
        self.sockets.append(Played(self._answer))
        return self.sockets[-1]

    def frame(self) -> bytes:
        """As `SessionLogin`."""
        return b'{"op":"login","args":[]}'

    async def set_clock(self, *, anew: bool) -> None:
        """As `SessionLogin`."""
        self.told.append(f"clock {'anew' if anew else 'if unknown'}")

    def redact(self, text: str) -> str:
        """As `SessionLogin`."""
        return text.replace(KEY, "***")

    def live(self, line: KeptLine, topic: Topic) -> None:
        """As `Pool`."""
        self.told.append(f"live {topic.inst_id}")

    def lapsed(self, line: KeptLine, *, cut: bool) -> None:
        """As `Pool`."""
        self.told.append("cut" if cut else "silent")

    def pushed(self, line: KeptLine, push: Push, received_ns: int) -> None:
        """As `Pool`."""
        self.told.append(f"push {push.topic.inst_id}")

    def failed(self, line: KeptLine, topic: Topic | None, code: str | None, message: str) -> None:
        """As `Pool`, with a receiver that stays."""
        self.told.append(f"failed {'login' if topic is None else topic.inst_id} {code} {message}")

    def idle(self, line: KeptLine) -> None:
        """As `Pool`."""
        self.told.append("idle")

    def ended(self, line: KeptLine) -> None:
        """As `Pool`."""
        self.told.append("ended")


def play(main: Callable[[World], Any], *, expected: Any = (), **options: Any) -> World:
    """On a loop of its own; closes the line at the end."""
    made: list[World] = []

    async def whole() -> None:
        world = World(**options)
        made.append(world)
        await main(world)
        await world.line.close()

    if expected:
        run_on(virtual_loop(), whole, expected=expected)
    else:
        run_virtual(whole)
    return made[0]


@pytest.mark.parametrize("seed", range(5))
def test_pauses_double_up_to_half_a_minute_and_begin_anew_after_a_good_connection(seed: int) -> None:
    """The first one is quick, for most cuts are one; full jitter, so that many clients do not come back together."""
    backoff = Backoff(random.Random(seed))
    bounds = [0.0, 0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    drawn = [backoff.pause_s() for _ in bounds]
    assert all(0.0 <= pause <= bound for pause, bound in zip(drawn, bounds, strict=True))
    assert max(drawn) > 1.0
    backoff.lasted()
    assert backoff.pause_s() <= 0.1


def test_a_topic_that_is_renewed_is_given_up_and_asked_for_again_alone() -> None:
    """Its first push is what is wanted; the others are left in peace."""

    async def main(world: World) -> None:
        world.line.want([BTC, ETH])
        await asyncio.sleep(1)
        world.line.renew(BTC)
        await asyncio.sleep(1)
        assert [each for _, each in world.sockets[0].sent] == [
            *("subscribe BTCUSDT ETHUSDT", "unsubscribe BTCUSDT", "subscribe BTCUSDT")
        ]
        assert world.told == ["live BTCUSDT", "live ETHUSDT", "live BTCUSDT"]

    play(main)


def test_a_cut_in_the_middle_of_a_renewal_leaves_the_topic_wanted() -> None:
    """It was given up for a moment only."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)
        world.line.renew(BTC)
        world.sockets[0].say(None)
        await asyncio.sleep(2)
        assert world.sockets[1].sent[0][1] == "subscribe BTCUSDT"
        assert world.told == ["live BTCUSDT", "cut", "live BTCUSDT"]

    play(main)


def test_a_refused_topic_that_is_still_wanted_is_asked_for_once_a_minute() -> None:
    """The order channel is held whether it can be had or not: an account may be converted back."""

    def refusing(request: str) -> list[str]:
        return ['{"event":"error","arg":{"channel":"books","instId":"BTCUSDT"},"code":30001,"msg":"no"}']

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(150)
        asked = [at for at, each in world.sockets[0].sent if each.startswith("subscribe")]
        assert asked == pytest.approx([0, 60, 120], abs=1)

    world = play(main, answer=lambda request: ["pong"] if request == "ping" else refusing(request))
    assert world.told[:2] == ["failed BTCUSDT 30001 no"] * 2


def test_nothing_of_the_key_is_told_or_logged_where_the_exchange_repeats_it(caplog: pytest.LogCaptureFixture) -> None:
    """An error may echo what it was sent."""

    def echoing(request: str) -> list[str]:
        return [f'{{"event":"error","code":30015,"msg":"wrong sign of {KEY}"}}']

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)

    with caplog.at_level(logging.DEBUG):
        world = play(main, answer=echoing, private=True)
    assert world.told[:3] == ["clock if unknown", "failed login 30015 wrong sign of ***", "cut"]
    assert KEY not in caplog.text
    assert "wrong sign of ***" in caplog.text


@pytest.mark.parametrize("frame", ["{", "[]", "\x00", '{"event":"what"}', '{"arg":{},"data":[]}', "x" * 100_000])
def test_a_frame_that_cannot_be_read_is_passed_over(frame: str) -> None:
    """Whatever comes, the line goes on."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)
        world.sockets[0].say(frame)
        world.sockets[0].say(
            '{"action":"update","arg":{"channel":"books","instId":"BTCUSDT"},"data":[],"ts":1750000000000}'
        )
        await asyncio.sleep(1)
        assert world.told == ["live BTCUSDT", "push BTCUSDT"]

    play(main)


def test_a_defect_of_ours_is_heard_of_and_costs_one_connection() -> None:
    """Nobody hangs on a line that died without a word."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)

        def broken(line: KeptLine, push: Push, received_ns: int) -> None:
            raise ZeroDivisionError

        world.pushed = broken  # type: ignore[method-assign]
        world.sockets[0].say(
            '{"action":"update","arg":{"channel":"books","instId":"BTCUSDT"},"data":[],"ts":1750000000000}'
        )
        await asyncio.sleep(2)
        assert world.told == ["live BTCUSDT", "cut", "live BTCUSDT"]
        assert len(world.sockets) == 2

    play(main, expected=ZeroDivisionError)


def test_a_line_that_nobody_needs_ends_after_half_a_minute() -> None:
    """Not at once: a reader that reconnects is the rule."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)
        world.line.unwant([BTC])
        await asyncio.sleep(29)
        assert world.sockets[0].open
        await asyncio.sleep(2)
        assert [each.open for each in world.sockets] == [False]
        assert world.told == ["live BTCUSDT", "cut", "idle", "ended"]

    play(main)


def test_a_line_that_nobody_needs_any_more_does_not_go_on_trying() -> None:
    """Its last reader left while the exchange could not be reached."""

    async def main(world: World) -> None:
        world.unreachable = True
        world.line.want([BTC])
        await asyncio.sleep(60)
        world.line.unwant([BTC])
        await asyncio.sleep(1)
        assert world.told == ["idle", "ended"]

    play(main)


def test_what_cannot_be_written_is_asked_for_on_the_next_connection() -> None:
    """The line may be gone before its reader hears of it."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)
        world.sockets[0].open = False
        world.line.want([ETH])
        await asyncio.sleep(2)
        assert world.sockets[1].sent[0][1] == "subscribe BTCUSDT ETHUSDT"
        assert world.told == ["live BTCUSDT", "cut", "live BTCUSDT", "live ETHUSDT"]

    play(main)


def test_too_many_messages_is_answered_with_a_minute_of_quiet() -> None:
    """Whoever comes back at once gets his address blocked."""

    async def main(world: World) -> None:
        world.line.want([BTC])
        await asyncio.sleep(1)
        world.sockets[0].say('{"event":"error","code":30007,"msg":"over limit"}')
        await asyncio.sleep(58)
        assert len(world.sockets) == 1
        await asyncio.sleep(4)
        assert len(world.sockets) == 2

    play(main)
