"""
The other side of the benchmarks over HTTP: a raw asyncio server whose cost is small and always the same.

It checks that a private call is signed, and nothing more. A GET is answered with a page of finished orders, as many as
its `limit` says, or with open ones: that of the receipt, or those of the symbols S0USDT to S999USDT, which are open for
ever. A POST is answered with the receipt of a command.
Run by a benchmark in a process of its own: `python _server.py CPU` (`-1`: any) prints its port and serves until its
standard input closes.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time

HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {length}\r\n"
    "Connection: keep-alive\r\nx-mbx-used-remain-limit: 9\r\nCache-Control: no-cache\r\n\r\n"
)
FRONT = b'{"code":"00000","msg":"success","requestTime":'
RECEIPT = b',"data":{"orderId":"1234567890123456789","clientOid":"bench-000000000001"}}'
FEES = (
    r"{\"newFees\":{\"c\":0,\"d\":0,\"deduction\":false,\"r\":-0.0112,\"t\":-0.0112,\"totalDeductionFee\":0},"
    r"\"USDT\":{\"deduction\":false,\"feeCoinCode\":\"USDT\",\"totalDeductionFee\":0,\"totalFee\":-0.0112}}"
)
ROW = (
    '{{"userId":"8888888888","symbol":"{symbol}","orderId":"{order_id}","clientOid":"bench-{at:012d}",'
    '"baseCoin":"BTC","quoteCoin":"USDT","tpslType":"normal","triggerPrice":null,'
    '"price":"26000.{cents:02d}00000000000000","size":"0.0013000000000000","orderType":"limit","side":"{side}",'
    '"status":"{status}","priceAvg":"{average}","baseVolume":"{base}","quoteVolume":"{quote}",'
    '"enterPointSource":"API","feeDetail":"{fees}","orderSource":"normal","cancelReason":"{reason}",'
    '"cTime":"{created}","uTime":"{updated}"}}'
)
# An hour ago: a client that asks for the last days only takes these.
MADE_MS = time.time_ns() // 1_000_000 - 3_600_000
FIRST = 1_234_567_890_123_456_789
OPEN_FIRST = 2_000_000_000_000_000_000
CROWD = 1000
LIMIT = re.compile(rb"[?&]limit=(\d+)")
BELOW = re.compile(rb"[?&]idLessThan=(\d+)")
OF_CROWD = re.compile(rb"symbol=S(\d+)USDT")
SYMBOL = re.compile(rb'"symbol":\s*"(\w+)"')


def finished(at: int) -> str:
    """A finished order, filled or cancelled in turn, in the exchange's spelling."""
    filled = at % 2 == 0
    return ROW.format(
        symbol="BTCUSDT",
        order_id=FIRST - 1 - at,
        at=at,
        cents=at,
        side="buy" if at % 4 < 2 else "sell",
        status="filled" if filled else "cancelled",
        average="26000.0000000000000000" if filled else "0",
        base="0.0013000000000000" if filled else "0.0000000000000000",
        quote="33.8000000000000000" if filled else "0.0000000000000000",
        fees=FEES if filled else "",
        reason="" if filled else "normal_cancel",
        created=MADE_MS + at,
        updated=MADE_MS + 60_000 + at,
    )


def still_open(symbol: str, order_id: int) -> str:
    """An order that is open, for unfilled-orders and orderInfo."""
    return ROW.format(
        symbol=symbol,
        order_id=order_id,
        at=1,
        cents=1,
        side="buy",
        status="live",
        average="26000.5",
        base="0",
        quote="0",
        fees="",
        reason="",
        created=MADE_MS,
        updated=MADE_MS,
    )


def answer(rows: list[str]) -> tuple[bytes, bytes]:
    """A list of rows: what stands before and after the 13 digits of `requestTime`."""
    return whole(b',"data":[' + ",".join(rows).encode() + b"]}")


def whole(data: bytes) -> tuple[bytes, bytes]:
    """The same with that data."""
    return HEAD.format(length=len(FRONT) + 13 + len(data)).encode() + FRONT, data


class Answers:
    """Everything that is ever answered, made once."""

    def __init__(self) -> None:
        rows = [finished(at) for at in range(100)]
        self.pages = {str(many).encode(): answer(rows[:many]) for many in (1, 10, 100)}
        self.receipt = whole(RECEIPT)
        self.one = answer([still_open("BTCUSDT", FIRST)])
        self.crowd = [still_open(f"S{number}USDT", OPEN_FIRST + number) for number in range(CROWD)]
        self.time = whole(b',"data":{"serverTime":"%d"}}' % MADE_MS)
        self.nowhere = whole(b',"data":null}')

    def get(self, target: bytes) -> tuple[bytes, bytes]:
        """What a GET of that target is answered with."""
        if b"unfilled" in target:
            return self.listing(target)
        if b"orderInfo" in target:
            return self.one
        if b"public/time" in target:
            return self.time
        if b"history-orders" not in target:
            return self.nowhere
        limit = LIMIT.search(target)
        return self.pages[limit[1] if limit and limit[1] in self.pages else b"100"]

    def listing(self, target: bytes) -> tuple[bytes, bytes]:
        """The open order of a symbol, or a page of those of the crowd."""
        if (of := OF_CROWD.search(target)) is not None:
            return answer([self.crowd[int(of[1])]])
        if b"symbol=" in target:
            return self.one
        below = BELOW.search(target)
        last = int(below[1]) - OPEN_FIRST if below else CROWD
        return answer(self.crowd[max(0, last - 100) : max(0, last)][::-1])


class Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    answers = Answers()

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        if buffer.startswith(b"POST"):
            at = buffer.index(b"Content-Length: ") + 16
            if len(buffer) < end + 4 + int(buffer[at : buffer.index(b"\r", at)]):
                return
            before, after = self.answers.receipt
            if b"cancel-symbol-order" in buffer[:64]:
                symbol = SYMBOL.search(buffer, end)
                assert symbol is not None
                before, after = whole(b',"data":{"symbol":"%b"}}' % symbol[1])
        else:
            before, after = self.answers.get(buffer[: buffer.index(b"\r\n")])
        if b"/trade/" in buffer[:64] and b"ACCESS-SIGN: " not in buffer[:end].upper():
            before, after = self.answers.nowhere
        self.buffer = b""
        assert self.transport is not None
        self.transport.write(b"%b%d%b" % (before, time.time_ns() // 1_000_000, after))


async def serve() -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    closed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), closed.set)
    await closed.wait()


def allow_connections() -> None:
    """A dozen clients keep a hundred connections each: more files than a process may usually have open."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most != resource.RLIM_INFINITY else 65_536, most))


if __name__ == "__main__":
    allow_connections()
    if int(sys.argv[1]) >= 0:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(serve())
