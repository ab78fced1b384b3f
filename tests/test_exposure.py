"""The socket at which a client shows its snapshots: who may read, what they get, and what none of them can do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, NotSent
from bitget_async import exposure as exposing
from bitget_async.clock import SystemClock
from bitget_async.errors import UsageError
from bitget_async.exposure import Exposure, Onlooker, interval_of


@pytest.fixture
def nook() -> Iterator[Path]:
    """A private folder with a short name: the path of a socket is bounded."""
    folder = Path(tempfile.mkdtemp(prefix="x"))
    yield folder
    shutil.rmtree(folder)


class Client:
    """Tells how many snapshots were taken of it."""

    def __init__(self, size: int = 0) -> None:
        self.taken = 0
        self.padding = "x" * size

    def snapshot(self) -> bytes:
        """One more."""
        self.taken += 1
        return json.dumps({"number": self.taken, "padding": self.padding}).encode()


@contextlib.asynccontextmanager
async def exposed(path: Path, client: Client) -> Any:
    """A client at that path."""
    exposure = Exposure(path, client.snapshot, SystemClock())
    await exposure.open()
    async with exposure:
        yield exposure


class Reader:
    """A connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, path: Path) -> Reader:
        """Connect."""
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 22))

    async def ask(self, line: bytes) -> dict[str, Any]:
        """Ask, and get the first answer."""
        self.writer.write(line + b"\n")
        return await self.next()

    async def next(self) -> dict[str, Any]:
        """The next line."""
        told: dict[str, Any] = json.loads(await self.reader.readline())
        return told

    async def close(self) -> None:
        """Go."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@pytest.fixture
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No snapshot is used twice."""
    monkeypatch.setattr(exposing, "FRESH_NS", -1)


async def test_a_line_asks_for_a_snapshot(nook: Path, always_fresh: None) -> None:
    """As a person would ask with a shell; as often as wanted over one connection."""
    async with exposed(nook / "s", Client()) as exposure:
        assert stat.S_IMODE(os.lstat(nook / "s").st_mode) == 0o600
        reader = await Reader.at(nook / "s")
        assert [(await reader.ask(line))["number"] for line in (b"", b"{}", b" \r", b'{"every_s": 60}', b"")] == [
            1,
            2,
            3,
            4,
            5,
        ]
        assert exposure.readers == 1
        assert repr(exposure) == f"<Exposure {nook / 's'}, 1 readers>"
        await reader.close()
    assert not (nook / "s").exists()


async def test_snapshots_come_by_themselves_where_that_is_asked_for(
    nook: Path, always_fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until something else is asked for."""
    monkeypatch.setattr(exposing, "LEAST_EVERY_S", 0.001)
    async with exposed(nook / "s", Client()):
        reader = await Reader.at(nook / "s")
        numbers = [(await reader.ask(b'{"every_s": 0.001}'))["number"]]
        numbers += [(await reader.next())["number"] for _ in range(3)]
        assert numbers == [1, 2, 3, 4]
        reader.writer.write(b"{}\n")
        reader.writer.write_eof()
        left = await reader.reader.read()
        assert left.endswith(b"\n")
        await reader.close()


@pytest.mark.parametrize(
    "line",
    [
        *(b"hello", b"[]", b"1", b"null", b"\xff", b"[" * 900),
        *(b'{"every_s": 0.09}', b'{"every_s": 60.1}', b'{"every_s": true}', b'{"every_s": "1"}', b'{"every_s": null}'),
        *(b'{"cancel": "BTCUSDT"}', b'{"every_s": 1, "x": 2}'),
    ],
)
async def test_whoever_asks_for_nothing_that_there_is_hears_why(line: bytes, nook: Path) -> None:
    """And is let go; the client is not touched by it."""
    client = Client()
    async with exposed(nook / "s", client):
        reader = await Reader.at(nook / "s")
        assert set(await reader.ask(line)) == {"error"}
        assert await reader.reader.read() == b""
        await reader.close()
    assert client.taken == 0


@pytest.mark.parametrize("noise", [b"x" * 100_000, b"x" * 5000 + b"\n" + b"y" * 5000])
async def test_a_line_without_an_end_is_not_kept(noise: bytes, nook: Path) -> None:
    """A reader cannot make the client hold what it sends."""
    async with exposed(nook / "s", Client()):
        reader = await Reader.at(nook / "s")
        reader.writer.write(noise)
        with contextlib.suppress(ConnectionError):
            assert await reader.reader.read() == b""
        await reader.close()
        again = await Reader.at(nook / "s")
        assert (await again.ask(b""))["number"] == 1
        await again.close()


async def test_many_readers_cost_one_snapshot(nook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand pending handles are described once for all of them."""
    monkeypatch.setattr(exposing, "FRESH_NS", 10**12)
    client = Client()
    async with exposed(nook / "s", client) as exposure:
        readers = [await Reader.at(nook / "s") for _ in range(20)]
        assert [(await reader.ask(b""))["number"] for reader in readers] == [1] * 20
        assert exposure.readers == 20
        for reader in readers:
            await reader.close()
    assert client.taken == 1


async def test_a_reader_that_does_not_read_is_dropped(
    nook: Path, always_fresh: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It was stopped with ctrl-Z, say; the others get theirs meanwhile, and nothing piles up."""
    monkeypatch.setattr(exposing, "SLOW_S", 0.02)
    async with exposed(nook / "s", Client(size=1 << 20)) as exposure:
        slow = socket.socket(socket.AF_UNIX)
        slow.setblocking(False)
        slow.connect(str(nook / "s"))
        slow.send(b'{"every_s": 0.1}\n')
        quick = await Reader.at(nook / "s")
        assert (await quick.ask(b""))["number"] >= 1
        while "was dropped" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.001)
        assert (await quick.ask(b""))["number"] >= 2
        assert exposure.readers == 1
        slow.close()
        await quick.close()


async def test_closing_ends_readers_that_do_not_read(nook: Path) -> None:
    """A client must not hang in `close` because somebody looks at it."""
    exposure = Exposure(nook / "s", Client(size=1 << 20).snapshot, SystemClock())
    await exposure.open()
    slow = socket.socket(socket.AF_UNIX)
    slow.setblocking(False)
    slow.connect(str(nook / "s"))
    slow.send(b"\n")
    for _ in range(20):
        await asyncio.sleep(0)
    await exposure.close()
    await exposure.close()
    assert exposure.readers == 0
    assert not (nook / "s").exists()
    slow.close()


async def test_a_socket_that_is_in_use_is_not_taken(nook: Path) -> None:
    """Two clients at one path: the second hears it, the first goes on."""
    async with exposed(nook / "s", Client()):
        with pytest.raises(UsageError, match="another client listens"):
            await Exposure(nook / "s", Client().snapshot, SystemClock()).open()
        reader = await Reader.at(nook / "s")
        assert (await reader.ask(b""))["number"] == 1
        await reader.close()


async def test_a_socket_that_was_left_behind_is_replaced(nook: Path) -> None:
    """The bot was killed, and starts again."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(nook / "s"))
    async with exposed(nook / "s", Client()):
        reader = await Reader.at(nook / "s")
        assert (await reader.ask(b""))["number"] == 1
        await reader.close()


async def test_a_snapshot_that_fails_is_told_to_both_sides(nook: Path) -> None:
    """The reader knows that it gets none; the loop's exception handler hears of the defect."""

    def broken() -> bytes:
        raise ZeroDivisionError("secret")

    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    exposure = Exposure(nook / "s", broken, SystemClock())
    await exposure.open()
    async with exposure:
        reader = await Reader.at(nook / "s")
        assert await reader.ask(b"") == {"error": "the client could not tell (ZeroDivisionError)"}
        await reader.close()
    assert [type(each["exception"]) for each in heard] == [ZeroDivisionError]


async def test_another_user_is_turned_away(nook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the modes of the files are: the system says who it is."""
    monkeypatch.setattr("bitget_async.sockets.is_trusted", lambda writer: False)
    async with exposed(nook / "s", Client()):
        reader = await Reader.at(nook / "s")
        with contextlib.suppress(ConnectionError):
            assert await reader.reader.read() == b""
        await reader.close()


def test_an_interval_is_read_as_it_is_meant() -> None:
    """From a tenth of a second to a minute."""
    assert [interval_of(each) for each in (b"", b"{}", b'{"every_s": 0.1}', b'{"every_s":60}\r\n')] == [
        None,
        None,
        0.1,
        60.0,
    ]


async def test_nothing_is_logged_where_all_is_well(nook: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A reader that comes and goes all day is no news."""
    caplog.set_level(logging.INFO)
    async with exposed(nook / "s", Client()):
        reader = await Reader.at(nook / "s")
        assert await reader.ask(b"")
        await reader.close()
    assert caplog.records == []


async def test_a_client_shows_itself_until_it_is_closed(nook: Path) -> None:
    """Its own snapshot, as `snapshot()` gives it; with the client the socket goes, and afterwards there is none."""
    client = BitgetClient(base_url="http://127.0.0.1:9")
    async with client:
        first = await client.expose(nook / "a")
        async with await client.expose(str(nook / "b")):
            assert (nook / "b").exists()
        assert not (nook / "b").exists()
        async with await Onlooker.at(nook / "a") as onlooker:
            seen = await onlooker.once()
            assert (seen.state, seen.origin) == ("open", "http://127.0.0.1:9")
        assert first.path == str(nook / "a")
    assert not (nook / "a").exists()
    with pytest.raises(NotSent):
        _ = await client.expose(nook / "a")


async def test_a_socket_that_cannot_be_opened_leaves_the_client_as_it_was(nook: Path) -> None:
    """A wrong path in a configuration is no reason to trade no more."""
    async with BitgetClient(base_url="http://127.0.0.1:9") as client:
        for path, said in ((nook / "no" / "s", "No such file"), ("/" + "x" * 200, "at most"), ("", "non-empty")):
            with pytest.raises(UsageError, match=said):
                _ = await client.expose(path)
        assert client.snapshot().state == "open"
