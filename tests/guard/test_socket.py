"""Heartbeats over a real Unix socket: who may join, whose file it is, and what breaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitget_async import sockets
from bitget_async.errors import UsageError
from bitget_async.guard import Answer, Beat, Word
from bitget_async.pulse import Unheard
from bitget_async.pulse import socket as pulse_socket
from bitget_async.pulse.socket import SocketInlet, SocketRoad

SESSION = "ab" * 16
BEAT = Beat("bot", SESSION, 1, 1.0)


def hear(raw: bytes) -> bytes:
    """A guard that takes every beat."""
    beat = Beat.decode(raw)
    return b"" if beat is None else Answer(Word.ARMED, beat.session, beat.number, 10.0).encode()


def sight(seen: bool, why: str) -> None:
    """A socket is never blind."""
    raise AssertionError(why)


@pytest.fixture
def nook() -> Iterator[Path]:
    """A private folder with a short name: the path of a socket is bounded."""
    folder = Path(tempfile.mkdtemp(prefix="g"))
    yield folder
    shutil.rmtree(folder)


async def listening(path: Path) -> SocketInlet:
    """A guard's end that listens there."""
    inlet = SocketInlet(str(path))
    await inlet.open(hear, sight)
    return inlet


async def test_a_beat_is_answered_over_one_connection(nook: Path) -> None:
    """The usual case; the socket is private and goes with its guard."""
    inlet = await listening(nook / "sock")
    assert stat.S_IMODE(os.lstat(nook / "sock").st_mode) == 0o600
    road = SocketRoad(str(nook / "sock"))
    for number in range(3):
        answer = await road.beat(Beat("bot", SESSION, number, 1.0), 5.0)
        assert answer == Answer(Word.ARMED, SESSION, number, 10.0)
    await road.close()
    await inlet.close()
    assert not (nook / "sock").exists()


async def test_the_connection_is_made_anew_when_the_guard_is_back(nook: Path) -> None:
    """One beat is lost with the old guard, and one or more find nobody."""
    inlet = await listening(nook / "sock")
    road = SocketRoad(str(nook / "sock"))
    _ = await road.beat(BEAT, 5.0)
    await inlet.close()
    for _ in range(2):
        with pytest.raises(Unheard):
            _ = await road.beat(BEAT, 5.0)
    inlet = await listening(nook / "sock")
    assert (await road.beat(BEAT, 5.0)).word is Word.ARMED
    await road.close()
    await inlet.close()


async def test_the_socket_of_a_dead_guard_is_removed(nook: Path) -> None:
    """It was killed and could not do it itself."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(nook / "sock"))
    inlet = await listening(nook / "sock")
    road = SocketRoad(str(nook / "sock"))
    assert (await road.beat(BEAT, 5.0)).word is Word.ARMED
    await road.close()
    await inlet.close()


async def test_the_socket_of_a_guard_that_lives_is_not(nook: Path) -> None:
    """Its bots would beat to nobody."""
    inlet = await listening(nook / "sock")
    with pytest.raises(UsageError, match="another guard listens"):
        _ = await listening(nook / "sock")
    road = SocketRoad(str(nook / "sock"))
    assert (await road.beat(BEAT, 5.0)).word is Word.ARMED
    await road.close()
    await inlet.close()


async def test_a_file_that_is_no_socket_is_left_alone(nook: Path) -> None:
    """A typing error must not cost a file."""
    (nook / "sock").write_text("mine")
    with pytest.raises(UsageError, match="is no socket"):
        _ = await listening(nook / "sock")
    assert (nook / "sock").read_text() == "mine"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720, 0o702])
async def test_a_directory_that_others_can_write_is_refused(mode: int, nook: Path) -> None:
    """They could put their own socket there, and the bots would beat to them."""
    os.chmod(nook, mode)
    with pytest.raises(UsageError, match="others may write"):
        _ = await listening(nook / "sock")
    os.chmod(nook, 0o700)
    with pytest.raises(UsageError):
        _ = await listening(nook / "nowhere" / "sock")


async def test_a_directory_of_another_user_is_refused(nook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner can change what lies there."""
    uid = os.geteuid()
    os.stat(nook)
    if uid == 0:
        os.chown(nook, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(UsageError, match="another user"):
        _ = await listening(nook / "sock")


@pytest.mark.parametrize("path", ["", "a\0b", "/" + "x" * 103])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    """Before anything begins."""
    with pytest.raises(UsageError):
        _ = SocketRoad(path)
    with pytest.raises(UsageError):
        _ = SocketInlet(path)


@pytest.mark.parametrize("noise", [b"\n", b"hello\n", b"{}\n", b"x" * 5000 + b"\n", b"\xff\xfe\n"])
async def test_noise_ends_its_connection_and_nothing_else(noise: bytes, nook: Path) -> None:
    """The guard goes on to hear the others."""
    inlet = await listening(nook / "sock")
    reader, writer = await asyncio.open_unix_connection(nook / "sock")
    writer.write(noise)
    # Reset: closed with something of ours unread.
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    road = SocketRoad(str(nook / "sock"))
    assert (await road.beat(BEAT, 5.0)).word is Word.ARMED
    await road.close()
    await inlet.close()


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="this system does not tell who is at the other end")
@pytest.mark.parametrize("end", ["guard", "bot"])
async def test_another_user_is_turned_away(end: str, nook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the guard, which would count his beats; and by the bot, which would rely on his answers."""
    inlet = await listening(nook / "sock")
    real = sockets.is_trusted

    def trusted(writer: asyncio.StreamWriter) -> bool:
        server = bool(writer.get_extra_info("sockname"))
        assert real(writer)
        return server != (end == "guard")

    for module in (sockets, pulse_socket):
        monkeypatch.setattr(module, "is_trusted", trusted)
    road = SocketRoad(str(nook / "sock"))
    with pytest.raises(Unheard):
        _ = await road.beat(BEAT, 5.0)
    while end == "bot" and not vars(inlet)["_server"].connections:  # noqa: ASYNC110 - it has no event for that
        # The bot may be gone before the guard has noticed that it came.
        await asyncio.sleep(0)
    await road.close()
    await inlet.close()


async def test_too_many_connections_are_turned_away(nook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that connects and never closes cannot use up the guard's descriptors."""
    monkeypatch.setattr(sockets, "MOST_CONNECTIONS", 2)
    inlet = await listening(nook / "sock")
    roads = [SocketRoad(str(nook / "sock")) for _ in range(3)]
    for road in roads[:2]:
        _ = await road.beat(BEAT, 5.0)
    with pytest.raises(Unheard):
        _ = await roads[2].beat(BEAT, 5.0)
    for road in roads:
        await road.close()
    await inlet.close()


async def test_a_guard_that_does_not_answer_is_not_waited_for(nook: Path) -> None:
    """It hangs: the bot goes on, and knows that nobody guards it."""
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(nook / "sock"))
        deaf.listen()
        road = SocketRoad(str(nook / "sock"))
        with pytest.raises(Unheard, match="no answer within"):
            _ = await road.beat(BEAT, 0.01)
        await road.close()
