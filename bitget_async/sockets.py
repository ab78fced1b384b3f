"""
Unix sockets of one user: mode 600, in a directory that only its owner can write. Who is at the other end is asked of
the system where it tells (Linux).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bitget_async.errors import UsageError
from bitget_async.tasks import Tasks

__all__ = ["PrivateServer", "checked_path", "is_trusted"]

MOST_CONNECTIONS = 64
# What the systems allow at the least, with the zero at the end.
MOST_PATH_BYTES = 103

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class PrivateServer:
    """
    Listens at a path, and serves each connection in a task of its own. `open` removes the socket of a process that is
    gone; never that of one that listens.

    Args:
        path: where.
        serve: a connection from its beginning to its end; it is closed when this returns, also by an error of it.
        what: for texts: who listens ("guard").
        log: where connections are reported that were turned away, or broke.
        most_bytes: of a line that is read.

    Raises:
        UsageError: that can be no path of a socket.
    """

    def __init__(
        self, path: str | os.PathLike[str], serve: Serve, *, what: str, log: logging.Logger, most_bytes: int
    ) -> None:
        self._path = checked_path(path, what)
        self._serve = serve
        self._what = what
        self._log = log
        self._most_bytes = most_bytes
        self._tasks = Tasks()
        self._server: asyncio.AbstractServer | None = None
        self._closed = False
        self._made: os.stat_result | None = None
        self._lines: set[asyncio.StreamWriter] = set()

    def __str__(self) -> str:
        return str(self._path)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._lines)

    async def open(self) -> None:
        """
        Begin to listen.

        Raises:
            UsageError: somebody listens there, something else lies there, or others can write to the directory: they
                could put a socket of theirs there.
        """
        self._closed = False
        _check_directory(self._path.parent)
        _remove_stale(self._path, self._what)
        bound = _bound(self._path)
        self._made = os.lstat(self._path)
        try:
            self._server = await asyncio.start_unix_server(self._joined, sock=bound, limit=self._most_bytes)
        except BaseException:
            bound.close()
            raise

    async def close(self) -> None:
        """End all connections and listen no more. The file goes if it is still ours. Safe to call twice."""
        self._closed = True
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
        if self._closed:
            # It was on its way while this was closed.
            writer.close()
            return
        if len(self._lines) >= MOST_CONNECTIONS or not is_trusted(writer):
            self._log.warning("a connection was turned away: too many, or another user's")
            writer.close()
            return
        self._lines.add(writer)
        self._tasks.start(self._listen(reader, writer), f"bitget_async: a connection of the {self._what}")

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (OSError, ValueError) as error:
            # ValueError: a line that is longer than the limit.
            self._log.debug("a connection ended: %s", type(error).__name__)
        finally:
            self._lines.discard(writer)
            writer.close()


def checked_path(path: str | os.PathLike[str], what: str) -> Path:
    """The path as a whole. Raises UsageError where it can be none of a socket."""
    given = os.fspath(path) if isinstance(path, str | os.PathLike) else b""
    whole = Path(os.path.abspath(given)) if isinstance(given, str) and given and "\0" not in given else None
    if whole is None:
        raise UsageError(f"the path of a {what}'s socket is a non-empty str")
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("this system has no Unix sockets for Python")
    if len(os.fsencode(whole)) > MOST_PATH_BYTES:
        raise UsageError(f"the path of a socket has at most {MOST_PATH_BYTES} bytes")
    return whole


def is_trusted(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end is of this user or of root, as far as the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    end: socket.socket = writer.get_extra_info("socket")
    _, uid, _ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return uid in (0, os.geteuid())


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


def _remove_stale(path: Path, what: str) -> None:
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
    raise UsageError(f"{path} is in use: another {what} listens there")


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
