"""
What the whole stack costs beside bare aiohttp doing the same work.

Ours is `client.call` and the public read: check, encode, sign, send, bound, decode into records. One row more has the
public verb, with its handle and with the reads that prove each order. Bare is what one would write by hand
with aiohttp, hmac and orjson: the same signature, the same headers, one kept connection a caller, the answer read and
parsed by orjson into dicts. Both talk to the same raw server in a process of its own, in turns, round by round; what
counts is the ratio of the two in one round.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hmac
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from _common import dump, machine, show

from bitget_async import BitgetClient, Credentials, Order, OrderAck, PendingPlacement
from bitget_async.endpoints import CANCEL_ORDER, PLACE_ORDER
from bitget_async.limits import Unlimited

KEY, SECRET, PASSPHRASE = "bg_0123456789abcdef0123456789abcdef", "a" * 64, "benchmark"
ORDER_ID = "1234567890123456789"
COMMON = {
    "locale": "en-US",
    "Content-Type": "application/json",
    "User-Agent": "bitget-async",
    "Accept-Encoding": "identity",
}

Call = Callable[[], Awaitable[Any]]


class Bare:
    """The same requests by hand."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.secret = SECRET.encode()
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=COMMON)

    def signed(self, method: str, target: str, body: bytes) -> dict[str, str]:
        """The four signed headers."""
        stamp = str(time.time_ns() // 1_000_000)
        digest = hmac.digest(self.secret, f"{stamp}{method}{target}".encode() + body, "sha256")
        return {
            "ACCESS-KEY": KEY,
            "ACCESS-SIGN": base64.b64encode(digest).decode(),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": PASSPHRASE,
        }

    async def post(self, target: str, fields: dict[str, str]) -> Any:
        """One signed POST, its answer parsed."""
        body = orjson.dumps(fields)
        headers = self.signed("POST", target, body)
        async with self.session.post(self.base_url + target, data=body, headers=headers) as response:
            return orjson.loads(await response.read())

    async def get(self, target: str) -> Any:
        """One signed GET, its answer parsed."""
        async with self.session.get(self.base_url + target, headers=self.signed("GET", target, b"")) as response:
            return orjson.loads(await response.read())


@dataclass
class Case:
    """One kind of call, ours and bare, and how to see that an answer was really read."""

    name: str
    ours: Call
    bare: Call
    right: Callable[[Any, Any], bool]
    calls: int
    rest: Call | None = None


def cases(client: BitgetClient, bare: Bare, calls: int) -> list[Case]:
    """The calls that are compared."""
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "26000.5"}
    placed = {**order, "size": "0.0013", "clientOid": "bench-000000000001"}
    size, price = Decimal("0.0013"), Decimal("26000.5")
    cancelled = {"symbol": "BTCUSDT", "orderId": ORDER_ID}
    trade = "/api/v2/spot/trade/"
    return [
        Case(
            "place order",
            lambda: client.call(
                PLACE_ORDER,
                symbol="BTCUSDT",
                side="buy",
                order_type="limit",
                force="gtc",
                price=price,
                size=size,
                client_oid="bench-000000000001",
            ),
            lambda: bare.post(trade + "place-order", placed),
            _is_receipt,
            calls,
        ),
        Case(
            "place order, proven",
            lambda: client.place_order("BTCUSDT", "buy", "limit", size, price=price, client_oid="bench-000000000001"),
            lambda: bare.post(trade + "place-order", placed),
            _is_handle,
            calls,
            rest=lambda: _all_proven(client),
        ),
        Case(
            "cancel order",
            lambda: client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id=ORDER_ID),
            lambda: bare.post(trade + "cancel-order", cancelled),
            _is_receipt,
            calls,
        ),
        Case(
            "history page of 100",
            lambda: client.history_orders("BTCUSDT"),
            lambda: bare.get(trade + "history-orders?limit=100&symbol=BTCUSDT"),
            _is_page,
            calls // 2,
        ),
    ]


def _is_receipt(ours: Any, bare: Any) -> bool:
    return isinstance(ours, OrderAck) and ours.order_id == bare["data"]["orderId"] == ORDER_ID


def _is_handle(ours: Any, bare: Any) -> bool:
    return isinstance(ours, PendingPlacement) and ours.order_id == bare["data"]["orderId"] == ORDER_ID


async def _all_proven(client: BitgetClient) -> None:
    """Until the watcher has settled every handle: its reads are part of the price."""
    for handle in client.pending:
        await handle


def _is_page(ours: Any, bare: Any) -> bool:
    return (
        len(ours) == len(bare["data"]) == 100
        and all(type(row) is Order and isinstance(row.price, Decimal) and not row.unreadable for row in ours)
        and [row.order_id for row in ours] == [row["orderId"] for row in bare["data"]]
        and isinstance(ours[0].created_ms, int)
        and ours[0].fees is not None
    )


@dataclass
class Spent:
    """Microseconds a call: on the clock, and of this process's processor time."""

    wall_us: float
    cpu_us: float


async def spent(call: Call, calls: int, in_flight: int, rest: Call | None = None) -> Spent:
    """Make that many calls, so many at a time, and what comes after them."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await call()

    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    if rest is not None:
        await rest()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Spent(wall * 1e6 / calls, cpu * 1e6 / calls)


async def compare(case: Case, in_flight: int, rounds: int) -> dict[str, Any]:
    """Paired rounds; who goes first alternates."""
    if not case.right(await case.ours(), await case.bare()):
        raise RuntimeError(f"{case.name}: an answer was not read as it should be")
    for call, rest in ((case.ours, case.rest), (case.bare, None)):
        await spent(call, case.calls // 2, in_flight, rest)
    ours: list[Spent] = []
    bare: list[Spent] = []
    for number in range(rounds):
        pair = [(case.ours, case.rest, ours), (case.bare, None, bare)]
        for call, rest, into in pair if number % 2 else reversed(pair):
            into.append(await spent(call, case.calls, in_flight, rest))
    return row(case.name, in_flight, ours, bare)


def row(name: str, in_flight: int, ours: list[Spent], bare: list[Spent]) -> dict[str, Any]:
    """One line of the table."""
    pairs = list(zip(ours, bare, strict=True))
    cpu = [mine.cpu_us / other.cpu_us for mine, other in pairs]
    wall = [mine.wall_us / other.wall_us for mine, other in pairs]
    return {
        "call": name,
        "in flight": in_flight,
        "cpu ratio": statistics.median(cpu),
        "cpu min-max": f"{min(cpu):.2f}-{max(cpu):.2f}",
        "wall ratio": statistics.median(wall),
        "wall min-max": f"{min(wall):.2f}-{max(wall):.2f}",
        "ours cpu us": round(statistics.median(each.cpu_us for each in ours)),
        "bare cpu us": round(statistics.median(each.cpu_us for each in bare)),
        "ours wall us": round(statistics.median(each.wall_us for each in ours)),
        "bare wall us": round(statistics.median(each.wall_us for each in bare)),
    }


@contextmanager
def server(cpu: int) -> Iterator[str]:
    """The raw server in its own process; yields its base URL."""
    command = [sys.executable, str(Path(__file__).with_name("_server.py")), str(cpu)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def pinned() -> int:
    """Keep this process on one core, and name another for the server; -1 where that cannot be had."""
    if not hasattr(os, "sched_setaffinity"):
        return -1
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return -1
    os.sched_setaffinity(0, {cores[0]})
    return cores[1]


async def measure(base_url: str, in_flights: list[int], rounds: int, calls: int) -> list[dict[str, Any]]:
    """All lines of the table."""
    bare = Bare(base_url)
    key = Credentials(KEY, SECRET, PASSPHRASE)
    async with bare.session, BitgetClient(key, base_url=base_url, limits=Unlimited()) as client:
        return [
            await compare(case, in_flight, rounds) for case in cases(client, bare, calls) for in_flight in in_flights
        ]


NOTES = """\
ratio      ours / bare of one round: median over the rounds, then the smallest and the largest
cpu, wall  processor time of the client process, and time on the clock, in microseconds a call (medians)
At 1 in flight the wall time holds the server's answer and two wake-ups; at 10 the client's core is busy all the time.
The page is decoded into 100 frozen records with Decimal amounts by us, into dicts of texts by bare orjson."""


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="9 short rounds")
    parser.add_argument("--rounds", type=int, help="paired rounds a line")
    parser.add_argument("--calls", type=int, help="calls a round (half as many for pages)")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 10], help="callers at once")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    args = parser.parse_args()
    rounds = args.rounds or (9 if args.quick else 31)
    calls = args.calls or (200 if args.quick else 500)
    header, other = machine(), pinned()
    with server(other) as base_url:
        rows = asyncio.run(measure(base_url, args.in_flight, rounds, calls))
    where = "client and server each on a core of its own" if other >= 0 else "client and server not pinned"
    header["spread"] = f"{rounds} paired rounds of {calls} calls ({calls // 2} pages), {where}"
    if args.json:
        dump(header, {"rows": rows})
    else:
        show(header, [("The whole stack beside bare aiohttp + hmac + orjson", rows)], NOTES)


if __name__ == "__main__":
    main()
