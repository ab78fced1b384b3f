"""
What a running client shows of itself over a Unix socket: its snapshots, to any process of the same user. `bitget-async
top` draws them. Nothing can be changed over it.

A line in, lines out. An empty line or `{}` asks for one snapshot; `{"every_s": 0.5}` for one now and one each half
second until the connection ends or asks for something else. Each snapshot is one line of JSON. A line that asks for
nothing that there is gets `{"error": "..."}`, and ends the connection.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

import orjson

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.sockets import PrivateServer

__all__ = ["LEAST_EVERY_S", "MOST_EVERY_S", "Exposure", "interval_of"]

log = logging.getLogger("bitget_async.exposure")

LEAST_EVERY_S, MOST_EVERY_S = 0.1, 60.0
MOST_REQUEST_BYTES = 1024
# A reader that has not taken a snapshot after so long is stopped, or hangs.
SLOW_S = 5.0
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
