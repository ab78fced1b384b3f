"""
The other side of `push_cost.py`: a raw WebSocket server whose cost is small and always the same.

It answers logins, subscriptions, pings and a GET with as little as they need, and checks nothing. Run by the benchmark
in a process of its own: `python _push_server.py CPU SECONDS` (CPU -1: any) makes books for so many seconds, prints its
port and serves until its standard input closes. A line there is a command: `push LINE COUNT BURST GAP_US` sends order
pushes, BURST of them at a time, to the connection whose path ends with LINE; `books SECONDS` sends updates of all books
that are subscribed to. `done` is printed after each.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import random
import sys
import time
from typing import ClassVar
from zlib import crc32

ORDER = (
    b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"orders","instId":"default"},"data":[{"instId":"BTCUSDT",'
    b'"orderId":"%d","clientOid":"bench-%d","size":"33.8","newSize":"0.0013","notional":"33.8","orderType":"limit",'
    b'"force":"gtc","side":"buy","price":"26000.5","fillPrice":"26000.5","tradeId":"1420599686786174976",'
    b'"baseVolume":"0.0013","fillTime":"1774423279472","fillFee":"-0.0000013","fillFeeCoin":"BTC","tradeScope":"T",'
    b'"accBaseVolume":"0.0013","priceAvg":"26000.5","status":"filled","cTime":"%d","uTime":"%d",'
    b'"feeDetail":[{"feeCoin":"BTC","fee":"-0.0000013"}],"enterPointSource":"API","stpMode":"none"}],"ts":1774423279501}'
)
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
UPDATES_S = 5
LEVELS = 10


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """One unmasked frame."""
    length = len(payload)
    if length < 126:
        return bytes([0x80 | opcode, length]) + payload
    if length < 1 << 16:
        return bytes([0x80 | opcode, 126]) + length.to_bytes(2, "big") + payload
    return bytes([0x80 | opcode, 127]) + length.to_bytes(8, "big") + payload


class Line(asyncio.Protocol):
    """One connection: a GET, or a socket."""

    all: ClassVar[dict[str, Line]] = {}
    books: ClassVar[list[tuple[Line, str]]] = []

    def __init__(self) -> None:
        self.buffer = b""
        self.open = False
        self.write = lambda data: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.write = transport, transport.write

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.buffer = rest
            self.answer(head)
        while self.open and (message := self.message()) is not None:
            self.heard(*message)

    def answer(self, head: bytes) -> None:
        """The handshake, or an empty list as the answer to a read."""
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"sec-websocket-key" not in fields:
            body = b'{"code":"00000","msg":"success","requestTime":%d,"data":%b}'
            data = b'{"serverTime":"%d"}' % (time.time_ns() // 10**6) if b"public/time" in head[:60] else b"[]"
            text = body % (time.time_ns() // 10**6, data)
            self.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
            return
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key.split(b": ")[1] + MAGIC).digest())  # noqa: S324
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        self.open = True
        Line.all[head.split(b" ")[1].decode().rsplit("/", 1)[1]] = self

    def message(self) -> tuple[int, bytes] | None:
        """The next masked frame of the client."""
        buffer = self.buffer
        if len(buffer) < 6:
            return None
        length, at = buffer[1] & 127, 2
        if length == 126:
            length, at = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < at + 4 + length:
            return None
        mask, body = buffer[at : at + 4], buffer[at + 4 : at + 4 + length]
        self.buffer = buffer[at + 4 + length :]
        return buffer[0] & 15, bytes(byte ^ mask[number % 4] for number, byte in enumerate(body))

    def heard(self, opcode: int, payload: bytes) -> None:
        """What the exchange would answer."""
        if opcode == 8:
            self.write(frame(payload, 8))
            self.transport.close()
        elif opcode == 9:
            self.write(frame(payload, 10))
        elif payload == b"ping":
            self.write(frame(b"pong"))
        elif payload[:1] == b"{":
            request = json.loads(payload)
            if request["op"] == "login":
                self.write(frame(b'{"event":"login","code":0}'))
                return
            for row in request["args"]:
                self.write(frame(json.dumps({"event": request["op"], "arg": row}).encode()))
                if row["channel"] == "books" and request["op"] == "subscribe":
                    Line.books.append((self, row["instId"]))
                    self.write(frame(pushed("snapshot", row["instId"], FEED.first)))


def pushed(action: str, symbol: str, row: bytes) -> bytes:
    """A push of a book."""
    head = b'{"action":"%b","arg":{"instType":"SPOT","channel":"books","instId":"%b"},"data":['
    return head % (action.encode(), symbol.encode()) + row + b'],"ts":1774423279501}'


class Feed:
    """A book of 400 levels a side, and its changes: 10 levels a side near the touch, each with its checksum."""

    def __init__(self, updates: int) -> None:
        rng = random.Random(1)
        sides = [{26274 + 0.1 * sign * step: f"{rng.random():.4f}" for step in range(1, 401)} for sign in (1, -1)]
        self.first = self.row(sides[0].items(), sides[1].items(), 0, 0)
        self.rows = []
        for seq in range(1, updates + 1):
            changes: list[dict[float, str]] = []
            for sign, side in zip((1, -1), sides, strict=True):
                prices = [26274 + 0.1 * sign * step for step in rng.sample(range(1, 40), LEVELS)]
                change = {price: "0" if rng.random() < 0.25 else f"{rng.random():.4f}" for price in prices}
                side.update(change)
                for price in [price for price, size in side.items() if size == "0"]:
                    del side[price]
                changes.append(change)
            self.rows.append(self.row(changes[0].items(), changes[1].items(), self.checksum(sides), seq))

    @staticmethod
    def row(asks: object, bids: object, checksum: int, seq: int) -> bytes:
        """The row of a push."""
        told = [[[f"{price:.1f}", size] for price, size in side] for side in (asks, bids)]  # type: ignore[attr-defined]
        fields = {"asks": told[0], "bids": told[1], "checksum": checksum, "seq": seq, "ts": "1774423279501"}
        return json.dumps(fields, separators=(",", ":")).encode()

    @staticmethod
    def checksum(sides: list[dict[float, str]]) -> int:
        """Of the best 25 levels a side."""
        asks = [f"{price:.1f}:{sides[0][price]}" for price in sorted(sides[0])[:25]]
        bids = [f"{price:.1f}:{sides[1][price]}" for price in sorted(sides[1], reverse=True)[:25]]
        value = crc32(":".join(text for pair in zip(bids, asks, strict=True) for text in pair).encode())
        return value - (1 << 32) if value >> 31 else value


async def push(line: Line, count: int, burst: int, gap_s: float) -> None:
    """Order pushes, so many at a time; each of another order, a millisecond later."""
    for start in range(0, count, burst):
        numbers = [next(NUMBERS) for _ in range(min(burst, count - start))]
        orders = [(1_420_599_686 << 30 | each, each, FIRST_MS + each, FIRST_MS + each + 29) for each in numbers]
        line.write(b"".join([frame(ORDER % order) for order in orders]))
        await asyncio.sleep(gap_s)


async def books(seconds: float) -> None:
    """Five updates a second for each book, evenly spread."""
    loop = asyncio.get_running_loop()
    started, step = loop.time(), 1 / (UPDATES_S * len(Line.books))
    for number in range(int(seconds * UPDATES_S)):
        for at, (line, symbol) in enumerate(Line.books):
            due = started + (number * len(Line.books) + at) * step
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            line.write(frame(pushed("update", symbol, FEED.rows[number])))


async def serve() -> None:
    """Serve, and do what standard input says, until it closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    commands = asyncio.StreamReader()
    _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while words := (await commands.readline()).decode().split():
        if words[0] == "push":
            await push(Line.all[words[1]], int(words[2]), int(words[3]), int(words[4]) / 1e6)
        else:
            await books(float(words[1]))
            Line.books.clear()
        print("done", flush=True)


NUMBERS = iter(range(1 << 30))
FIRST_MS = 1_774_423_279_495

if __name__ == "__main__":
    if int(sys.argv[1]) >= 0:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    FEED = Feed(int(sys.argv[2]) * UPDATES_S)
    asyncio.run(serve())
