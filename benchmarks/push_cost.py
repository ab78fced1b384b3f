"""
What a push costs from the socket to the record, beside those who stop at a dict; and what a hundred books cost.

First part: the same order pushes from the same raw server, to each side in turn, round by round. What counts is the
ratio of processor times to bare aiohttp with orjson in the same round. Second part: a hundred books, each with five
updates a second of twenty levels and a checksum: the share of one core, and how late the event loop is.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from _common import arguments, cores, machine, pin, ratio, report, sized, where

from bitget_async import BitgetClient, Credentials, OrderStatus, OrderUpdate
from bitget_async.stream.connection import Dialer
from bitget_async.stream.protocol import Push, read_frame
from bitget_async.stream.rows import records_of

PACKAGES = ("picows", "websockets")
KEY = Credentials("bg_0123456789abcdef0123456789abcdef", "a" * 64, "benchmark")


@dataclass
class Inbox:
    """What a side has read, and who waits for how many."""

    read: int = 0
    last: Any = None
    wanted: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, what: Any) -> None:
        """One more."""
        self.read += 1
        self.last = what
        if self.read == self.wanted:
            self.enough.set()

    async def come(self, count: int) -> None:
        """Wait for so many from now on."""
        self.wanted = self.read + count
        self.enough.clear()
        try:
            async with asyncio.timeout(60):
                await self.enough.wait()
        except TimeoutError:
            raise RuntimeError(f"{self.wanted - self.read} of {count} pushes did not come") from None


class Server:
    """The raw server in its own process."""

    def __init__(self, cpu: int, seconds: float) -> None:
        command = [sys.executable, str(Path(__file__).with_name("_push_server.py")), str(cpu), str(int(seconds) + 1)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.base_url = f"127.0.0.1:{int(self.process.stdout.readline())}"

    def tell(self, command: str) -> None:
        """One command."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    async def done(self) -> None:
        """Wait until it is carried out."""
        assert self.process.stdout is not None
        assert await asyncio.to_thread(self.process.stdout.readline) == "done\n"

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


@asynccontextmanager
async def reading(loop: Callable[[Inbox], Awaitable[None]]) -> AsyncIterator[Inbox]:
    """A reader in a task of its own."""
    inbox = Inbox()
    task = asyncio.ensure_future(loop(inbox))
    try:
        yield inbox
    finally:
        task.cancel()
        await asyncio.wait((task,))


@asynccontextmanager
async def ours(server: Server, line: str) -> AsyncIterator[Inbox]:
    """Our socket, our frame, our records."""
    dialer = Dialer(f"ws://{server.base_url}", ssl_context=None, headers={})
    socket = await dialer.open(f"/v2/ws/{line}")

    async def loop(inbox: Inbox) -> None:
        while (text := await socket.receive()) is not None:
            frame = read_frame(text)
            if type(frame) is Push:
                for record in records_of(frame):
                    inbox.take(record)

    async with reading(loop) as inbox:
        yield inbox
    await socket.close()
    await dialer.close()


@asynccontextmanager
async def whole(server: Server, line: str) -> AsyncIterator[Inbox]:
    """The whole client: the reader of `client.stream.orders()`, with the tracker and the watcher listening, too."""
    async with BitgetClient(KEY, base_url=f"http://{server.base_url}") as client, client.stream.orders() as updates:
        await updates.ready()

        async def loop(inbox: Inbox) -> None:
            async for update in updates:
                inbox.take(update)

        async with reading(loop) as inbox:
            yield inbox


@asynccontextmanager
async def bare(server: Server, line: str) -> AsyncIterator[Inbox]:
    """By hand: aiohttp and orjson."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{server.base_url}/v2/ws/{line}") as socket:

        async def loop(inbox: Inbox) -> None:
            async for message in socket:
                frame = orjson.loads(message.data)
                for row in frame["data"]:
                    inbox.take(row)

        async with reading(loop) as inbox:
            yield inbox


@asynccontextmanager
async def with_websockets(server: Server, line: str) -> AsyncIterator[Inbox]:
    """The same with websockets."""
    import websockets

    async with websockets.connect(f"ws://{server.base_url}/v2/ws/{line}", compression=None) as socket:

        async def loop(inbox: Inbox) -> None:
            while True:
                frame = orjson.loads(await socket.recv(decode=False))
                for row in frame["data"]:
                    inbox.take(row)

        async with reading(loop) as inbox:
            yield inbox


@asynccontextmanager
async def with_picows(server: Server, line: str) -> AsyncIterator[Inbox]:
    """The same with picows: a callback, and no task in between."""
    import picows

    inbox = Inbox()

    class Listener(picows.WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                told = orjson.loads(frame.get_payload_as_memoryview())
                for row in told["data"]:
                    inbox.take(row)

    transport, _ = await picows.ws_connect(Listener, f"ws://{server.base_url}/v2/ws/{line}")
    yield inbox
    transport.disconnect()
    await transport.wait_disconnected()


BASE = "aiohttp + orjson"
SIDES: dict[str, tuple[str, Callable[[Server, str], Any]]] = {
    BASE: ("bare", bare),
    "ours, to the record": ("ours", ours),
    "ours, whole client": ("private", whole),
    "websockets + orjson": ("websockets", with_websockets),
    "picows + orjson": ("picows", with_picows),
}
SIDES = {name: side for name, side in SIDES.items() if side[0] not in PACKAGES or find_spec(side[0])}


def right(last: Any) -> bool:
    """Whether the last push was really read."""
    if isinstance(last, dict):
        return last["status"] == "filled"
    return isinstance(last, OrderUpdate) and last.status is OrderStatus.FILLED and not last.unreadable


async def spent(server: Server, inbox: Inbox, line: str, pushes: int, burst: int) -> float:
    """Microseconds of this process's processor time a push."""
    gc.collect()
    coming = asyncio.ensure_future(inbox.come(pushes))
    await asyncio.sleep(0)
    cpu = time.process_time()
    server.tell(f"push {line} {pushes} {burst} {1000 if burst == 1 else 5000}")
    try:
        await coming
    except RuntimeError as error:
        raise RuntimeError(f"{line}: {error}") from None
    cpu = time.process_time() - cpu
    await server.done()
    return cpu * 1e6 / pushes


async def compare(server: Server, rounds: int, pushes: int, bursts: list[int]) -> list[dict[str, Any]]:
    """All lines of the first table: in each round every side in turn, in an order of its own."""
    rng, rows = random.Random(1), []
    async with AsyncExitStack() as stack:
        inboxes = {name: await stack.enter_async_context(make(server, line)) for name, (line, make) in SIDES.items()}
        for burst in bursts:
            costs: dict[str, list[float]] = {name: [] for name in SIDES}
            for number in range(rounds + 1):
                for name in rng.sample(list(SIDES), len(SIDES)):
                    us = await spent(server, inboxes[name], SIDES[name][0], pushes, burst)
                    if not right(inboxes[name].last):
                        raise RuntimeError(f"{name}: a push was not read as it should be")
                    if number:
                        costs[name].append(us)
            rows += [row(name, burst, costs) for name in SIDES]
    return rows


def row(name: str, burst: int, costs: dict[str, list[float]]) -> dict[str, Any]:
    """One line of the table."""
    cpu_us = statistics.median(costs[name])
    return {"side": name, "at a time": burst, "cpu us a push": cpu_us, **ratio(costs[name], costs[BASE])}


async def lags(into: list[float]) -> None:
    """How much later than 10 ms a sleep of 10 ms ends."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        into.append(time.perf_counter() - before - 0.01)


async def watched(server: Server, seconds: float) -> dict[str, float]:
    """Processor time and lag while the books are pushed."""
    late: list[float] = []
    gc.collect()
    watcher = asyncio.ensure_future(lags(late))
    cpu, wall = time.process_time(), time.perf_counter()
    server.tell(f"books {seconds}")
    await server.done()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    watcher.cancel()
    late.sort()
    return {
        "seconds": wall,
        "share of a core %": 100 * cpu / wall,
        "lag p50 ms": 1e3 * late[len(late) // 2],
        "lag p99 ms": 1e3 * late[len(late) * 99 // 100],
        "lag max ms": 1e3 * late[-1],
    }


async def our_books(server: Server, symbols: list[str], seconds: float) -> dict[str, Any]:
    """A hundred books of ours."""
    async with BitgetClient(KEY, base_url=f"http://{server.base_url}") as client, AsyncExitStack() as stack:
        books = [await stack.enter_async_context(await client.stream.book(symbol)) for symbol in symbols]
        found = await watched(server, seconds)
        await asyncio.sleep(0.5)
        good = sum(book.seq == int(seconds * 5) and book.mended == 0 for book in books)
    return {"side": "ours: kept, checked", **found, "good books": good}


async def bare_books(server: Server, symbols: list[str], seconds: float) -> dict[str, Any]:
    """The same pushes read into dicts, and no book."""
    counts = dict.fromkeys(symbols, 0)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{server.base_url}/v2/ws/bare") as socket:
        args = [{"instType": "SPOT", "channel": "books", "instId": symbol} for symbol in symbols]
        await socket.send_str(orjson.dumps({"op": "subscribe", "args": args}).decode())

        async def loop() -> None:
            async for message in socket:
                frame = orjson.loads(message.data)
                if frame.get("action") == "update":
                    counts[frame["arg"]["instId"]] += 1

        task = asyncio.ensure_future(loop())
        await asyncio.sleep(0.5)
        found = await watched(server, seconds)
        await asyncio.sleep(0.5)
        task.cancel()
    full = sum(count == int(seconds * 5) for count in counts.values())
    return {"side": "aiohttp + orjson: dicts", **found, "good books": full}


async def measure(server: Server, args: argparse.Namespace) -> dict[str, Any]:
    """Both tables."""
    pushes = await compare(server, args.rounds, args.pushes, [1, 50])
    symbols = [f"S{number}USDT" for number in range(args.books)]
    books = [await make(server, symbols, args.seconds) for make in (our_books, bare_books)]
    return {"pushes": pushes, "books": books}


NOTES = """\
cpu        processor time of the client process, microseconds a push (median of the rounds)
ratio      to aiohttp + orjson in the same round: median, smallest, largest
at a time  1: one push each millisecond, each wakes the loop; 50: that many in one write, nothing but the reading counts
Ours end at a frozen record with Decimal amounts, the others at a dict of texts. lag: of a sleep of 10 ms."""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--pushes", type=int, help="pushes a round")
    parser.add_argument("--books", type=int)
    parser.add_argument("--seconds", type=float, help="of books")
    args = parser.parse_args()
    args.rounds = args.rounds or sized(args, 15, 5, 1)
    args.pushes = args.pushes or sized(args, 300, 100, 5)
    args.books = args.books or sized(args, 100, 100, 2)
    args.seconds = args.seconds or sized(args, 20.0, 5.0, 1.0)
    header, (mine, other) = machine(PACKAGES), cores()
    pin(mine)
    server = Server(other, args.seconds)
    try:
        found = asyncio.run(measure(server, args))
    finally:
        server.close()
    header["spread"] = f"{args.rounds} rounds of {args.pushes} pushes a side, {where(mine)}"
    titles = ("One order push from the socket to the reader", f"{args.books} books, five updates a second each")
    report(args, header, dict(zip(titles, found.values(), strict=True)), NOTES)


if __name__ == "__main__":
    main()
