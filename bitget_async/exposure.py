"""
What a running client shows of itself over a Unix socket: its snapshots, to any process of the same user. `bitget-async
top` draws them. Nothing can be changed over it. `Exposure` is the client's end, `Onlooker` the other one.

A line in, lines out. An empty line or `{}` asks for one snapshot; `{"every_s": 0.5}` for one now and one each half
second until the connection ends or asks for something else. Each snapshot is one line of JSON. A line that asks for
nothing that there is gets `{"error": "..."}`, and ends the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import orjson

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.models import Snapshot
from bitget_async.sockets import PrivateServer, checked_path, is_trusted

__all__ = ["LEAST_EVERY_S", "MOST_EVERY_S", "Exposure", "Onlooker", "interval_of"]

log = logging.getLogger("bitget_async.exposure")

LEAST_EVERY_S, MOST_EVERY_S = 0.1, 60.0
MOST_REQUEST_BYTES = 1024
MOST_ANSWER_BYTES = 1 << 26
# A reader that has not taken a snapshot after so long is stopped, or hangs.
SLOW_S = 5.0
ANSWER_WITHIN_S = 5.0
# Many readers cost one snapshot: each gets the last one if it is not older.
FRESH_NS = 50_000_000


class Exposure:
    """
    An open socket that tells what a client is doing; made by `BitgetClient.expose`, which closes it with the client.

    Any number of readers (up to 64) may be connected. One that does not read for 5 s is dropped. An async context
    manager, for those who want it closed earlier.

    Args:
        path: where to listen.
        snapshot: gives a snapshot as JSON, without a line break.
        clock: the client's.

    Raises:
        UsageError: that can be no path of a socket.
    """

    def __init__(self, path: str | os.PathLike[str], snapshot: Callable[[], bytes], clock: Clock) -> None:
        self._server = PrivateServer(path, self._serve, what="client", log=log, most_bytes=MOST_REQUEST_BYTES)
        self._snapshot = snapshot
        self._clock = clock
        self._last: tuple[int, bytes] | None = None

    def __repr__(self) -> str:
        return f"<Exposure {self._server}, {self._server.connections} readers>"

    @property
    def path(self) -> str:
        """Where it listens."""
        return str(self._server)

    @property
    def readers(self) -> int:
        """How many are connected."""
        return self._server.connections

    async def open(self) -> None:
        """Begin to listen. Raises UsageError: see `BitgetClient.expose`."""
        await self._server.open()

    async def close(self) -> None:
        """Drop all readers and listen no more. Safe to call twice."""
        await self._server.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # With this `drain` waits until all of it has left, so that what is behind is known.
        writer.transport.set_write_buffer_limits(high=0)
        every_s: float | None = None
        try:
            while (raw := await self._asked(reader, every_s)) != b"":
                try:
                    every_s = every_s if raw is None else interval_of(raw)
                    line = self._line()
                except Exception as error:
                    await self._tell(writer, orjson.dumps({"error": _why(error)}))
                    return
                await self._tell(writer, line)
        except TimeoutError:
            log.warning("a reader was dropped: it took no snapshot for %g s", SLOW_S)
        finally:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()

    @staticmethod
    async def _asked(reader: asyncio.StreamReader, within_s: float | None) -> bytes | None:
        """The next request; `None` where none comes in that time, and no bytes at the end."""
        try:
            async with asyncio.timeout(within_s):
                return await reader.readline()
        except TimeoutError:
            return None

    @staticmethod
    async def _tell(writer: asyncio.StreamWriter, line: bytes) -> None:
        writer.write(line + b"\n")
        async with asyncio.timeout(SLOW_S):
            await writer.drain()

    def _line(self) -> bytes:
        now = self._clock.monotonic_ns()
        if self._last is None or now - self._last[0] > FRESH_NS:
            self._last = now, self._snapshot()
        return self._last[1]


def _why(error: Exception) -> str:
    """What the reader is told. A defect of ours reaches the loop's exception handler too."""
    if isinstance(error, UsageError):
        return str(error)
    context = {"message": "bitget_async: a snapshot failed", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)
    return f"the client could not tell ({type(error).__name__})"


def interval_of(raw: bytes) -> float | None:
    """
    What a line asks for: seconds between snapshots, or `None` for one.

    Raises:
        UsageError: it asks for nothing that there is.
    """
    try:
        asked = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError:
        raise UsageError('ask with an empty line for one snapshot, or with {"every_s": 1}') from None
    if asked == {}:
        return None
    every_s = asked.get("every_s") if isinstance(asked, dict) and len(asked) == 1 else None
    number = isinstance(every_s, (int, float)) and not isinstance(every_s, bool)
    if not number or not LEAST_EVERY_S <= every_s <= MOST_EVERY_S:  # type: ignore[operator]
        raise UsageError(f"every_s is a number of seconds from {LEAST_EVERY_S:g} to {MOST_EVERY_S:g}")
    return float(every_s)  # type: ignore[arg-type]


class Onlooker:
    """
    Looks at a client from another process. An async context manager; made by `at`.

    Everything that can go wrong is a UsageError that says what to do: the socket is not there, is none, belongs to
    another user or to something else, or the client has ended or hangs.
    """

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer

    @classmethod
    async def at(cls, path: str | os.PathLike[str]) -> Self:
        """Connect to the client that shows itself at that path. Cancelling: safe."""
        whole = checked_path(path, "client")
        try:
            if not stat.S_ISSOCK(os.stat(whole).st_mode):
                raise UsageError(f"{whole} is no socket")
            reader, writer = await asyncio.open_unix_connection(whole, limit=MOST_ANSWER_BYTES)
        except FileNotFoundError:
            raise UsageError(f"there is no socket at {whole}: a client opens it with `expose`") from None
        except ConnectionRefusedError:
            raise UsageError(f"nobody listens at {whole}: the client that made it has ended") from None
        except OSError as error:
            raise UsageError(f"{whole}: {error.strerror}") from None
        if not is_trusted(writer):
            writer.close()
            raise UsageError(f"another user listens at {whole}")
        return cls(whole, reader, writer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def once(self) -> Snapshot:
        """One snapshot. Cancelling: safe, and nothing more can be asked afterwards."""
        return await self._next(b"{}\n", ANSWER_WITHIN_S)

    async def every(self, seconds: float) -> AsyncIterator[Snapshot]:
        """One snapshot now, and one after each so many seconds, until the reader stops or the client ends."""
        ask = orjson.dumps({"every_s": seconds}) + b"\n"
        while True:
            yield await self._next(ask, seconds + ANSWER_WITHIN_S)
            ask = b""

    async def _next(self, ask: bytes, within_s: float) -> Snapshot:
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(ask)
                await self._writer.drain()
                raw = await self._reader.readline()
        except TimeoutError:
            raise UsageError(
                f"no answer from {self._path}: the client hangs, or it is something else's socket"
            ) from None
        except (OSError, ValueError):
            raw = b""
        if not raw:
            raise UsageError(f"{self._path} was closed: the client has ended, or it is something else's socket")
        try:
            return msgspec.json.decode(raw, type=Snapshot)
        except (msgspec.DecodeError, RecursionError):
            raise UsageError(
                f"what {self._path} tells cannot be read: it is of another version, or no client"
            ) from None
