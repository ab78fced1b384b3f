"""
A bad line: a TCP or TLS proxy between a client and the simulated exchange that misbehaves on command or by a script.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import ssl
import struct
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, cast

from bitget_async.sim.settings import Delay, draw_ns

__all__ = ["FaultProxy", "LineFault", "Passed"]

CHUNK = 1 << 16
CLOSE_S = 0.2

End = Literal["close", "reset", "half", "hang", "deaf", "on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """
    How the line treats one request and its answer, or one connection.

    A cut ends what still passes: `insert` goes to the client, and `end` says what comes then.

    Attributes:
        name: for the log, `Passed.fault`.
        stage: "accept": when a connection is accepted, before TLS; then only `insert` and `end` count. "request": from
            the first byte of a request to the last of its answer.
        latency_s: seconds before each piece, each way; a `(low, high)` range jitters.
        bytes_per_s: bandwidth, each way.
        piece_bytes: both ways pass in pieces of that size; 0: as they come.
        before: bytes that the exchange gets ahead of the request.
        up: cut after that many bytes of the request; `None`: no cut.
        down: cut after that many bytes of the answer; `None`: no cut.
        insert: what the client gets at the cut.
        end: "close" (FIN; with TLS a proper goodbye), "reset" (RST, both sides), "half" (FIN to the client, without a
            goodbye of TLS; its bytes are still read), "hang" (read on, answer nothing), "deaf" (read nothing), "on"
            (the rest passes).
    """

    name: str = "line"
    stage: Literal["accept", "request"] = "request"
    latency_s: Delay = 0.0
    bytes_per_s: float = math.inf
    piece_bytes: int = 0
    before: bytes = b""
    up: int | None = None
    down: int | None = None
    insert: bytes = b""
    end: End = "close"


CALM = LineFault(name="")


class Passed(NamedTuple):
    """A request that the proxy saw begin: number of its connection, last segment of its path, fault played on it."""

    connection: int
    endpoint: str
    fault: str


@dataclass(slots=True, eq=False)
class _Entry:
    fault: LineFault
    endpoint: str | None
    times: int | None
    after: int
    probability: float

    def meets(self, endpoint: str, stage: str, dice: random.Random) -> bool:
        """Whether this request or connection gets the fault; counts it."""
        if self.fault.stage != stage or self.endpoint not in (None, endpoint) or self.times == 0:
            return False
        if self.after > 0 or (self.probability < 1.0 and dice.random() >= self.probability):
            self.after -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class FaultProxy:
    """
    Passes connections on to `target` and plays faults on them.

        async with SimulatedExchange() as exchange, FaultProxy(exchange.base_url) as proxy:
            proxy.play(LineFault(down=17, end="reset"), "cancel-symbol-order")
            ...  # a client with base_url=proxy.base_url

    It waits with `asyncio.sleep` only, so without TLS it also runs in virtual time.

    Args:
        target: `http://host:port` of what is behind it, spoken to without TLS.
        tls: the server's context; `None` for plain TCP.
        host, port: where to listen; port 0 picks a free one, which is kept by `refuse` and `listen`.
        seed: decides every draw, given the same order of requests.

    Attributes:
        connections: how many were accepted.
        requests: those that began, oldest first.
        heard: bytes that clients have sent, inside TLS if there is TLS.
    """

    def __init__(
        self, target: str, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0, seed: int = 0
    ) -> None:
        self._target = target.rpartition("/")[2].rpartition(":")
        self._tls = tls
        self._address = (host, port)
        self._dice = random.Random(f"{seed}/line")
        self._script: list[_Entry] = []
        self._listener: asyncio.Server | None = None
        self._passages: dict[asyncio.Task[None], _Passage] = {}
        self._crowd: list[socket.socket] = []
        self.connections = 0
        self.requests: list[Passed] = []
        self.heard = 0

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        host, port = self._address
        return f"{'http' if self._tls is None else 'https'}://{host}:{port}"

    def play(
        self,
        fault: LineFault,
        endpoint: str | None = None,
        *,
        times: int | None = 1,
        after: int = 0,
        probability: float = 1.0,
    ) -> None:
        """
        Add a line to the script; the first that meets a request or a connection is played on it.

        Args:
            fault: what to play.
            endpoint: last segment of a path, `None` for every one; a connection has none.
            times: on how many, `None` for ever.
            after: how many fitting ones pass before it starts.
            probability: with which it is played on a fitting one.
        """
        self._script.append(_Entry(fault, endpoint, times, after, probability))

    def clear(self) -> None:
        """Drop the script; what is being played goes on."""
        self._script.clear()

    def take(self, endpoint: str, stage: str) -> LineFault:
        """For a connection: the fault of this moment."""
        return next((each.fault for each in self._script if each.meets(endpoint, stage, self._dice)), CALM)

    def draw_s(self, delay: Delay) -> float:
        """For a connection: one drawn delay in seconds."""
        return draw_ns(delay, self._dice) / 1e9 if delay else 0.0

    async def listen(self) -> None:
        """Listen (again)."""
        await self.refuse()
        self._listener = await asyncio.start_server(self._accept, *self._address)
        self._address = self._listener.sockets[0].getsockname()[:2]

    async def refuse(self) -> None:
        """Listen no more: new connections are refused, those that stand stay."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            await asyncio.sleep(0)
        while self._crowd:
            self._crowd.pop().close()

    def ignore(self) -> None:
        """Accept no more, with a full backlog: the kernel drops what would connect. Until `listen` or `refuse`."""
        if self._listener is None:
            return
        for listening in self._listener.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
            with socket.fromfd(listening.fileno(), listening.family, listening.type) as twin:
                twin.listen(0)
            for _ in range(4):
                filler = socket.socket(listening.family, listening.type)
                filler.setblocking(False)
                filler.connect_ex(listening.getsockname())
                self._crowd.append(filler)

    def hang_up(self, *, reset: bool = False) -> None:
        """End every connection now, with FIN or RST."""
        for passage in self._passages.values():
            passage.end(reset=reset)

    def say(self, told: bytes) -> None:
        """Write to every client now, whether it has asked or not."""
        for passage in self._passages.values():
            passage.say(told)

    async def close(self) -> None:
        """End everything."""
        await self.refuse()
        passages = list(self._passages)
        for task in passages:
            task.cancel()
        await asyncio.gather(*passages, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        passage = _Passage(self, self.connections, reader, writer)
        task = asyncio.get_running_loop().create_task(passage.run(self._target[0], int(self._target[2]), self._tls))
        self._passages[task] = passage
        task.add_done_callback(self._passages.pop)


class _Passage:
    """One connection through the proxy. A request begins with the client's first bytes after an answer."""

    def __init__(
        self, proxy: FaultProxy, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._number = number
        self._reader = reader
        self._writer = writer
        # Asked now: a TLS transport reads on when it is told not to, and knows its socket no more when it closes.
        self._raw = cast(asyncio.Transport, writer.transport)
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._far: asyncio.StreamWriter | None = None
        self._fault = CALM
        self._left: dict[str, float] = {}
        self._answered = True
        self._over: LineFault | None = None

    async def run(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """From the accepted connection to its end, whatever that is."""
        with contextlib.suppress(OSError, EOFError):
            try:
                fault = self._proxy.take("", "accept")
                if fault is not CALM:
                    self._writer.write(fault.insert)
                    await self._finish(fault)
                    return
                if tls is not None:
                    await self._writer.start_tls(tls)
                far, self._far = await asyncio.open_connection(host, port)
                await _either(self._up(self._far), self._down(far))
                await self._finish(self._over or CALM)
            finally:
                await _closed(self._writer, self._far)

    def end(self, *, reset: bool) -> None:
        """On command."""
        if reset:
            self._reset()
        else:
            self._writer.close()

    def say(self, told: bytes) -> None:
        """On command."""
        self._writer.write(told)

    def _reset(self) -> None:
        _linger_not(self._socket)
        if self._far is not None:
            _linger_not(self._far.get_extra_info("socket"))
        self._writer.transport.abort()

    async def _up(self, far: asyncio.StreamWriter) -> None:
        while piece := await self._reader.read(CHUNK):
            self._proxy.heard += len(piece)
            if self._answered:
                self._begin(piece)
                far.write(self._fault.before)
            if await self._passes("up", piece, far):
                return

    async def _down(self, far: asyncio.StreamReader) -> None:
        while piece := await far.read(CHUNK):
            self._answered = True
            if await self._passes("down", piece, self._writer):
                return

    def _begin(self, piece: bytes) -> None:
        path = piece.split(b"\r\n", 1)[0].split(b" ")[1:2]
        endpoint = b"".join(path).partition(b"?")[0].rpartition(b"/")[2].decode("ascii", "replace")
        self._fault = self._proxy.take(endpoint, "request")
        self._proxy.requests.append(Passed(self._number, endpoint, self._fault.name))
        cuts = {"up": self._fault.up, "down": self._fault.down}
        self._left = {way: math.inf if cut is None else cut for way, cut in cuts.items()}
        self._answered = False

    async def _passes(self, way: str, piece: bytes, sink: asyncio.StreamWriter) -> bool:
        """Pass a piece on, as slowly as it has to; True if the line ends here."""
        fault = self._fault
        size = fault.piece_bytes or len(piece)
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            if fault.latency_s or fault.bytes_per_s < math.inf:
                await asyncio.sleep(self._proxy.draw_s(fault.latency_s) + len(part) / fault.bytes_per_s)
            left = self._left.get(way, math.inf)
            if len(part) < left:
                self._left[way] = left - len(part)
            else:
                sink.write(part[: int(left)])
                self._writer.write(fault.insert)
                if fault.end != "on":
                    self._over = fault
                    return True
                self._left[way], part = math.inf, part[int(left) :]
            sink.write(part)
            await sink.drain()
        return False

    async def _finish(self, fault: LineFault) -> None:
        """What comes after the cut."""
        if fault.end == "reset":
            self._reset()
            return
        if fault.end == "half":
            await self._writer.drain()
            self._socket.shutdown(socket.SHUT_WR)
        elif fault.end == "deaf":
            self._raw.pause_reading()
            await asyncio.get_running_loop().create_future()
        if fault.end in ("half", "hang"):
            while piece := await self._reader.read(CHUNK):
                self._proxy.heard += len(piece) if fault.stage == "request" else 0


async def _either(*flows: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends; the other is cancelled."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(flow) for flow in flows]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _closed(*writers: asyncio.StreamWriter | None) -> None:
    """Close them; who does not say goodbye in time is cut off."""
    standing = [writer for writer in writers if writer is not None]
    for writer in standing:
        writer.close()
    try:
        async with asyncio.timeout(CLOSE_S):
            await asyncio.gather(*(writer.wait_closed() for writer in standing), return_exceptions=True)
    except TimeoutError:
        for writer in standing:
            writer.transport.abort()


def _linger_not(raw: socket.socket) -> None:
    """Make its close a reset. A socket without options, as in virtual time, just closes; a closed one stays so."""
    if isinstance(raw.fileno(), int) and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
