"""
Heartbeats over a Unix socket (see `sockets`): a line of JSON each way; a line that is none ends the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable

from bitget_async.guard.words import MOST_BYTES, Answer, Beat
from bitget_async.pulse.unheard import Unheard
from bitget_async.sockets import PrivateServer, checked_path, is_trusted

__all__ = ["SocketInlet", "SocketRoad"]

log = logging.getLogger("bitget_async.guard")


class SocketRoad:
    """The bot's end: one connection, made anew when it breaks."""

    def __init__(self, path: str) -> None:
        """Raises UsageError."""
        self._path = checked_path(path, "guard")
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
        if not is_trusted(writer):
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
    """The guard's end."""

    blind = False

    def __init__(self, path: str) -> None:
        """Raises UsageError."""
        self._server = PrivateServer(path, self._listen, what="guard", log=log, most_bytes=MOST_BYTES)
        self._hear: Callable[[bytes], bytes] = lambda raw: b""

    def __str__(self) -> str:
        return str(self._server)

    async def open(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        """See `Inlet.open`. A directory that others can write is refused: they could put their socket there."""
        self._hear = hear
        await self._server.open()

    async def close(self) -> None:
        """See `Inlet.close`. The file goes if it is still ours."""
        await self._server.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while raw := await reader.readline():
            answer = self._hear(raw.rstrip(b"\r\n"))
            if not answer:
                log.warning("a connection said something that is no heartbeat, and was closed")
                return
            writer.write(answer + b"\n")
            await writer.drain()
