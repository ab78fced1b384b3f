"""
Heartbeats over a Unix socket. The socket has mode 600 and lies in a directory that only its owner can write; who is at
the other end is asked of the system where it tells (Linux). A line of JSON each way; a line that is none ends the
connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from bitget_async.errors import UsageError
from bitget_async.guard.words import MOST_BYTES, Answer, Beat
from bitget_async.pulse.unheard import Unheard
from bitget_async.tasks import Tasks

__all__ = ["SocketInlet", "SocketRoad"]

log = logging.getLogger("bitget_async.guard")

MOST_CONNECTIONS = 64
# What the systems allow at the least, with the zero at the end.
MOST_PATH_BYTES = 103


class SocketRoad:
    """The bot's end: one connection, made anew when it breaks."""

    def __init__(self, path: str) -> None:
        """Raises UsageError."""
        self._path = _checked(path)
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def __str__(self) -> str:
        return str(self._path)

    async def beat(self, beat: Beat, within_s: float) -> Answer:
        """See `Road.beat`. Cancelling: safe; the connection is made anew then."""
        try:
            async with asyncio.timeout(within_s):
                raw = await self._asked(beat.encode())
        except TimeoutError:
            self._hang_up()
            raise Unheard(f"no answer within {within_s:g} s") from None
        except (OSError, ValueError) as error:
            self._hang_up()
            raise Unheard(getattr(error, "strerror", None) or "no line of ours") from None
        except BaseException:
            self._hang_up()
            raise
        answer = Answer.decode(raw)
        if answer is None or answer.session != beat.session:
            self._hang_up()
            raise Unheard("the connection was closed" if not raw else "an answer that cannot be read")
        return answer

    async def _asked(self, raw: bytes) -> bytes:
        if self._line is None:
            self._line = await asyncio.open_unix_connection(self._path, limit=MOST_BYTES)
        reader, writer = self._line
        if not _trusted(writer):
            raise PermissionError(errno.EPERM, "another user listens there")
        writer.write(raw + b"\n")
        await writer.drain()
        return await reader.readline()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line[1].close()

    async def close(self) -> None:
        """See `Road.close`."""
        line, self._line = self._line, None
        if line is not None:
            line[1].close()
            with contextlib.suppress(OSError):
                await line[1].wait_closed()


class SocketInlet:
    """The guard's end. `open` removes the socket of a guard that is gone; never that of one that listens."""

    blind = False

    def __init__(self, path: str) -> None:
        """Raises UsageError."""
        self._path = _checked(path)
        self._tasks = Tasks()
        self._server: asyncio.AbstractServer | None = None
        self._made: os.stat_result | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._hear: Callable[[bytes], bytes] = lambda raw: b""

    def __str__(self) -> str:
        return str(self._path)

    async def open(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        """See `Inlet.open`. A directory that others can write is refused: they could put their socket there."""
        self._hear = hear
        _check_directory(self._path.parent)
        _remove_stale(self._path)
        bound = _bound(self._path)
        self._made = os.lstat(self._path)
        try:
            self._server = await asyncio.start_unix_server(self._joined, sock=bound, limit=MOST_BYTES)
        except BaseException:
            bound.close()
            raise

    async def close(self) -> None:
        """See `Inlet.close`. The file goes if it is still ours."""
        if self._server is not None:
            self._server.close()
        if self._made is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(self._made, os.lstat(self._path)):
                    self._path.unlink()
            self._made = None
        await self._tasks.close()
        # A connection whose task had not begun has nobody else to close it.
        for writer in self._lines:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._lines.clear()

    def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._lines) >= MOST_CONNECTIONS or not _trusted(writer):
            log.warning("a connection was turned away: too many, or another user's")
            writer.close()
            return
        self._lines.add(writer)
        self._tasks.start(self._listen(reader, writer), "bitget_async: heartbeats of a connection")

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Longer than the limit: ValueError.
            while raw := await reader.readline():
                answer = self._hear(raw.rstrip(b"\r\n"))
                if not answer:
                    log.warning("a connection said something that is no heartbeat, and was closed")
                    return
                writer.write(answer + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:
            log.debug("a connection ended: %s", type(error).__name__)
        finally:
            self._lines.discard(writer)
            writer.close()


def _checked(path: str) -> Path:
    whole = Path(os.path.abspath(path)) if isinstance(path, str) and path and "\0" not in path else None
    if whole is None:
        raise UsageError("the path of a guard's socket is a non-empty str")
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("this system has no Unix sockets for Python: use Redis")
    if len(os.fsencode(whole)) > MOST_PATH_BYTES:
        raise UsageError(f"the path of a socket has at most {MOST_PATH_BYTES} bytes")
    return whole


def _check_directory(directory: Path) -> None:
    try:
        found = os.stat(directory)
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{directory} is no directory")
    if found.st_uid not in (0, os.geteuid()):
        raise UsageError(f"{directory} belongs to another user")
    if found.st_mode & 0o022:
        raise UsageError(f"others may write to {directory}: take one of your own, with mode 700")


def _remove_stale(path: Path) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise UsageError(f"{path} is there already, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            # Above all "would block": somebody has a full line of callers.
            raise UsageError(f"{path} is in use ({error.strerror})") from None
    raise UsageError(f"{path} is in use: another guard listens there")


def _bound(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Private from its first moment on: a `chmod` would come after it.
    before = os.umask(0o177)
    try:
        made.bind(os.fspath(path))
    except OSError as error:
        made.close()
        raise UsageError(f"{path}: {error.strerror}") from None
    finally:
        _ = os.umask(before)
    made.setblocking(False)
    return made


def _trusted(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end is of this user or of root, as far as the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    end: socket.socket = writer.get_extra_info("socket")
    _, uid, _ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return uid in (0, os.geteuid())
