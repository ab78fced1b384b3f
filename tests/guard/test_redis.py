"""Heartbeats over Redis: a real server where one is installed, and a played one for what a real one seldom does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, RedisLimits, redis_server
from bitget_async.clock import SystemClock, VirtualClock
from bitget_async.errors import UsageError
from bitget_async.guard import Answer, Beat, Rules, Watchdog, Word
from bitget_async.heartbeat import Heartbeat
from bitget_async.pulse import Unheard, inlet_of, road_of
from bitget_async.redis_server import Away, RedisClient, sealed
from tests.conftest import run_virtual
from tests.guard.stage import PASSWORD
from tests.leaks import MARK, Search
from tests.sharing.server import RealServer, program

SESSION = "ab" * 16
needs_server = pytest.mark.skipif(program() is None, reason="redis-server is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """A Redis of this test's own."""
    made = RealServer(tmp_path, PASSWORD)
    made.start()
    yield made
    made.kill()


class Guard:
    """The guard's end, with a watchdog behind it."""

    def __init__(self, url: str, look_s: float = 0.02) -> None:
        self.inlet = inlet_of(url, ("bot",), look_s, SystemClock())
        self.dog = Watchdog(Rules(after_s=10.0), SystemClock().monotonic_ns(), blind=self.inlet.blind)
        self.sights: list[tuple[bool, str]] = []
        self.changed = asyncio.Event()

    def hear(self, raw: bytes) -> bytes:
        beat = Beat.decode(raw)
        if beat is None:
            return b""
        word = self.dog.hear(beat, SystemClock().monotonic_ns())
        return Answer(word, beat.session, beat.number, 10.0).encode()

    def sight(self, seen: bool, why: str) -> None:
        if not self.sights or self.sights[-1][0] != seen:
            self.sights.append((seen, why))
            self.changed.set()

    async def open(self) -> Guard:
        await self.inlet.open(self.hear, self.sight)
        return self

    async def turn(self) -> tuple[bool, str]:
        """Wait for the next change of what can be seen."""
        async with asyncio.timeout(30):
            _ = await self.changed.wait()
        self.changed.clear()
        return self.sights[-1]


@needs_server
async def test_a_beat_is_seen_and_answered(server: RealServer) -> None:
    """The usual case: armed, goodbye, gone."""
    guard = await Guard(server.url).open()
    road = road_of(server.url, SystemClock())
    assert (await road.beat(Beat("bot", SESSION, 1, 1.0), 20.0)).word is Word.ARMED
    assert (await road.beat(Beat("bot", SESSION, 2, 1.0), 20.0)).word is Word.ARMED
    assert (await road.beat(Beat("bot", SESSION, 3, 1.0, True), 20.0)).word is Word.DISARMED
    assert guard.dog.armed == ()
    await road.close()
    await guard.inlet.close()


@needs_server
async def test_a_redis_that_goes_and_comes_is_told_apart_from_silence(server: RealServer) -> None:
    """Blind, sighted, blind, sighted; and the bot's beat after it counts though the server has forgotten all."""
    guard = await Guard(server.url).open()
    road = road_of(server.url, SystemClock())
    assert (await guard.turn())[0] is True
    _ = await road.beat(Beat("bot", SESSION, 1, 1.0), 20.0)
    server.kill()
    seen, why = await guard.turn()
    assert seen is False
    assert why
    assert PASSWORD not in why
    with pytest.raises(Unheard) as raised:
        _ = await road.beat(Beat("bot", SESSION, 2, 1.0), 20.0)
    assert PASSWORD not in str(raised.value)
    await asyncio.to_thread(server.start)
    assert (await guard.turn())[0] is True
    assert (await road.beat(Beat("bot", SESSION, 3, 1.0), 20.0)).word is Word.ARMED
    await road.close()
    await guard.inlet.close()


@needs_server
async def test_without_a_guard_a_beat_is_not_answered(server: RealServer) -> None:
    """The key of the answer has expired with the guard."""
    road = road_of(server.url, SystemClock())
    with pytest.raises(Unheard, match="no answer within"):
        _ = await road.beat(Beat("bot", SESSION, 1, 1.0), 0.1)
    await road.close()


@needs_server
async def test_a_wrong_password_is_blindness_and_is_not_shown(server: RealServer) -> None:
    """The guard says why it cannot see."""
    guard = await Guard(server.url.replace(PASSWORD, "wrong-password-11")).open()
    seen, why = await guard.turn()
    assert seen is False
    assert "wrong-password-11" not in why
    await guard.inlet.close()


class Played:
    """As much of redis-py's client as is used, over a dict."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self.keys = keys
        self.lives: dict[str, int] = {}
        self.fails: BaseException | None = None

    async def _answer(self, value: Any) -> Any:
        await asyncio.sleep(0.001)
        if self.fails is not None:
            raise self.fails
        return value

    async def ping(self) -> None:
        await self._answer(None)

    async def set(self, key: str, raw: bytes, *, px: int) -> None:
        self.keys[key] = await self._answer(raw)
        self.lives[key] = px

    async def get(self, key: str) -> Any:
        return await self._answer(self.keys.get(key))

    async def mget(self, keys: list[str]) -> Any:
        return await self._answer([self.keys.get(key) for key in keys])

    def pipeline(self, *, transaction: bool) -> Any:
        client = self

        class Pipe:
            async def __aenter__(self) -> Any:
                return self

            async def __aexit__(self, *error: object) -> None:
                pass

            def set(self, key: str, raw: bytes, *, px: int) -> None:
                client.keys[key] = raw
                client.lives[key] = px

            async def execute(self) -> None:
                await client._answer(None)

        return Pipe()

    async def aclose(self) -> None:
        pass


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """Both ends talk to the same dict."""
    client = Played({})
    monkeypatch.setattr(redis_server, "_client", lambda url, answer_s: client)
    return client


def test_the_keys_expire(played: Played) -> None:
    """A beat after two minutes, a goodbye after a week, an answer after about a second: it would speak for nobody."""

    async def main() -> None:
        inlet = inlet_of("redis://host", ("bot",), 0.25, VirtualClock())
        answer = Answer(Word.ARMED, SESSION, 9, 10.0).encode()
        await inlet.open(lambda raw: answer, lambda seen, why: None)
        road = road_of("redis://host", VirtualClock())
        _ = await road.beat(Beat("bot", SESSION, 1, 1.0), 5.0)
        assert played.lives["bitget_async:guard:beat:bot"] == 120_000
        assert played.lives["bitget_async:guard:answer:bot"] == 1_000
        _ = await road.beat(Beat("bot", SESSION, 2, 1.0, True), 5.0)
        assert played.lives["bitget_async:guard:beat:bot"] == 7 * 86_400_000
        await inlet.close()
        await road.close()

    run_virtual(main)


def test_an_answer_to_an_older_beat_will_do_but_not_for_the_first_and_the_last(played: Played) -> None:
    """The guard looks each quarter of a second; a goodbye must be heard before the bot is gone."""

    async def main() -> None:
        road = road_of("redis://host", VirtualClock())
        key = "bitget_async:guard:answer:bot"
        played.keys[key] = Answer(Word.ARMED, SESSION, 4, 10.0).encode()
        with pytest.raises(Unheard):
            _ = await road.beat(Beat("bot", SESSION, 5, 1.0), 1.0)
        played.keys[key] = Answer(Word.ARMED, SESSION, 6, 10.0).encode()
        assert (await road.beat(Beat("bot", SESSION, 6, 1.0), 1.0)).number == 6
        assert (await road.beat(Beat("bot", SESSION, 7, 1.0), 1.0)).number == 6
        with pytest.raises(Unheard):
            _ = await road.beat(Beat("bot", SESSION, 8, 1.0, True), 1.0)
        played.keys[key] = Answer(Word.ARMED, "cd" * 16, 99, 10.0).encode()
        with pytest.raises(Unheard):
            _ = await road.beat(Beat("bot", SESSION, 9, 1.0), 1.0)
        await road.close()

    run_virtual(main)


def test_a_redis_that_cannot_be_written_is_blindness(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica, or a full one: it can be read, but no bot can beat. And it must not look as if sight came and went."""
    sights: list[bool] = []
    real = played.pipeline

    def read_only(*, transaction: bool) -> Any:
        pipe = real(transaction=transaction)

        async def execute() -> None:
            raise OSError("READONLY You can't write against a read only replica.")

        pipe.execute = execute
        return pipe

    async def main() -> None:
        inlet = inlet_of("redis://host", ("bot",), 0.25, VirtualClock())
        monkeypatch.setattr(played, "pipeline", read_only)
        await inlet.open(lambda raw: b"", lambda seen, why: sights.append(seen))
        await asyncio.sleep(2)
        await inlet.close()

    run_virtual(main)
    assert sights
    assert not any(sights)


def test_a_redis_that_hangs_is_blindness(played: Played) -> None:
    """It takes the connection and says nothing."""
    sights: list[bool] = []

    async def hang(keys: list[str]) -> Any:
        await asyncio.sleep(3600)

    async def main() -> None:
        inlet = inlet_of("redis://host", ("bot",), 0.25, VirtualClock())
        vars(played)["mget"] = hang
        await inlet.open(lambda raw: b"", lambda seen, why: sights.append(seen))
        await asyncio.sleep(2)
        await inlet.close()

    run_virtual(main)
    assert sights
    assert not any(sights)


def test_the_password_is_in_no_text(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a repr, a reason or a log, also where the error of the library holds it; encoded or not."""
    url = "redis://user:p%40ss-word-77@host:6390/2"
    whys: list[str] = []

    async def main() -> None:
        inlet = inlet_of(url, ("bot",), 0.25, VirtualClock())
        road = road_of(url, VirtualClock())
        played.fails = OSError("cannot connect with p@ss-word-77")
        await inlet.open(lambda raw: b"", lambda seen, why: whys.append(why))
        with pytest.raises(Unheard) as raised:
            _ = await road.beat(Beat("bot", SESSION, 1, 1.0), 1.0)
        whys.append(str(raised.value))
        played.fails = OSError(f"cannot connect to {url}")
        await asyncio.sleep(1)
        whys.extend([str(inlet), str(road), repr(inlet), repr(road), str(vars(road))])
        await inlet.close()
        await road.close()

    with caplog.at_level(logging.DEBUG):
        run_virtual(main)
    assert str(whys).count("redis://host:6390/2") >= 2
    assert "ss-word-77" not in str(whys) + caplog.text


WRONG = [
    "redis://:{}@host:nonsense/0",
    "redis://:{}@[::1/0",
    "redis://:{}@host/0?db=x",
    "reds://:{}@host/0",
    "http://user:{}@host",
]


@pytest.mark.parametrize("url", WRONG)
async def test_a_url_that_is_none_is_refused_and_shown_nowhere(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """
    A password with a slash in it makes such a URL. A crash reporter shows the locals of every frame: those of whoever
    made the client or the heartbeat too. The leak search of the suite says what it finds.
    """
    password = f"{MARK}p-of-redis"
    given = url.format(password)
    async with BitgetClient(base_url="http://127.0.0.1:1") as client:
        made: list[Callable[[], object]] = [
            lambda: client.heartbeat(given),
            lambda: Heartbeat(given, clock=SystemClock()),
            lambda: road_of(given, SystemClock()),
            lambda: inlet_of(given, ("bot",), 0.1, SystemClock()),
            lambda: RedisLimits(given, uid="1"),
        ]
        for make in made:
            search = Search()
            with pytest.raises(UsageError) as raised:
                _ = make()
            search.exception(raised.value)
            assert search.counts["texts"] > 5
            assert search.found == []
    assert password not in caplog.text


def test_a_sealed_url_shows_nothing_and_is_the_same_text() -> None:
    """However it is printed; sealed twice too. A path is no URL and stays as it is."""
    url = sealed(sealed("redis://:sec-ret-77@host"))
    shown = f"{url} {url!s} {url!r} {[url]} {url:>80} " + "{}".format(url) + "%s" % url  # noqa: UP031, UP032
    assert "sec-ret-77" not in shown
    assert url == "redis://:sec-ret-77@host"
    assert sealed("/run/guard.sock") == "/run/guard.sock"
    assert str(sealed("/run/guard.sock")) == "/run/guard.sock"


@needs_server
async def test_a_cancellation_that_redis_py_loses_is_heeded(server: RealServer) -> None:
    """Python 3.11's `wait_for` returns when it is cancelled at its end: a guard could not be stopped then."""
    client = RedisClient(server.url, answer_s=5.0)
    await client.ask(lambda redis: redis.ping())
    lost = 0
    for step in range(400):
        asked = asyncio.ensure_future(client.ask(lambda redis: redis.ping()))
        for _ in range(step % 12):
            await asyncio.sleep(0)
        if asked.done():
            continue
        asked.cancel()
        _ = await asyncio.wait({asked})
        lost += not asked.cancelled()
    assert lost == 0
    await client.close()


def test_a_cancellation_that_is_lost_below_is_raised(played: Played) -> None:
    """The same without a server: the client swallows it."""

    async def swallow(client: Any) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return "as if nothing had happened"

    async def main() -> None:
        client = RedisClient("redis://host", answer_s=1.0)
        asked = asyncio.ensure_future(client.ask(swallow))
        await asyncio.sleep(1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            _ = await asked
        with pytest.raises(Away, match="TimeoutError"):
            _ = await client.ask(swallow, within_s=1.0)
        await client.close()

    run_virtual(main)


def test_a_slow_line_is_found_once_it_is_made(played: Played) -> None:
    """A connection that takes longer than a beat may wait is made all the same: the next beat finds it."""
    pings: list[float] = []

    async def slow() -> None:
        pings.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1.5)

    async def main() -> None:
        vars(played)["ping"] = slow
        played.keys["bitget_async:guard:answer:bot"] = Answer(Word.ARMED, SESSION, 9, 10.0).encode()
        road = road_of("redis://host", VirtualClock())
        for number in range(2):
            with pytest.raises(Unheard, match=r"no answer within 0\.7 s"):
                _ = await road.beat(Beat("bot", SESSION, number, 1.0), 0.7)
        assert (await road.beat(Beat("bot", SESSION, 3, 1.0), 0.7)).word is Word.ARMED
        assert len(pings) == 1
        await road.close()

    run_virtual(main)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package itself does not need Redis."""
    import sys

    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(UsageError, match=r"bitget_async\[redis\]"):
        _ = road_of("redis://host", SystemClock())


def test_a_guard_needs_a_place() -> None:
    """And one that is no URL is a path."""
    with pytest.raises(UsageError):
        _ = inlet_of("", ("bot",), 0.1, SystemClock())
    where: Callable[[str], object] = lambda text: inlet_of(text, ("bot",), 0.1, SystemClock())  # noqa: E731
    assert str(where("/run/guard.sock")) == "/run/guard.sock"
