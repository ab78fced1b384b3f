"""
The other side of `stack_overhead.py`: a raw asyncio server whose cost is small and always the same.

It checks nothing. A GET is answered with a page of 100 finished orders, or where open ones are asked for with the one
of the receipt; a POST with the receipt of a command.
Run by the benchmark in a process of its own: `python _server.py CPU` (`-1`: any) prints its port and serves until
its standard input closes.
"""

from __future__ import annotations

import asyncio
import os
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
    '{{"userId":"8888888888","symbol":"BTCUSDT","orderId":"{order_id}","clientOid":"bench-{at:012d}",'
    '"price":"26000.{at:02d}00000000000000","size":"0.0013000000000000","orderType":"limit","side":"{side}",'
    '"status":"{status}","priceAvg":"{average}","baseVolume":"{base}","quoteVolume":"{quote}",'
    '"enterPointSource":"API","feeDetail":"{fees}","orderSource":"normal","cancelReason":"{reason}",'
    '"cTime":"17473913{at:05d}","uTime":"17473914{at:05d}"}}'
)


def page() -> bytes:
    """100 finished orders, filled and cancelled in turn, in the exchange's spelling."""
    rows = []
    for at in range(100):
        filled = at % 2 == 0
        rows.append(
            ROW.format(
                order_id=1_234_567_890_123_456_789 - at,
                at=at,
                side="buy" if at % 4 < 2 else "sell",
                status="filled" if filled else "cancelled",
                average="26000.0000000000000000" if filled else "0",
                base="0.0013000000000000" if filled else "0.0000000000000000",
                quote="33.8000000000000000" if filled else "0.0000000000000000",
                fees=FEES if filled else "",
                reason="" if filled else "normal_cancel",
            )
        )
    return b',"data":[' + ",".join(rows).encode() + b"]}"


def open_order() -> bytes:
    """The order of the receipt, open: one row, for unfilled-orders and orderInfo."""
    row = ROW.format(
        order_id=1_234_567_890_123_456_789,
        at=1,
        side="buy",
        status="live",
        average="26000.5",
        base="0",
        quote="0",
        fees="",
        reason="",
    )
    return b',"data":[' + row.encode() + b"]}"


def answer(data: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the 13 digits of `requestTime`."""
    return HEAD.format(length=len(FRONT) + 13 + len(data)).encode() + FRONT, data


class Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    get = answer(page())
    post = answer(RECEIPT)
    one = answer(open_order())

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
        asked = buffer[:64]
        before, after = self.one if b"unfilled" in asked or b"orderInfo" in asked else self.get
        if buffer.startswith(b"POST"):
            before, after = self.post
            at = buffer.index(b"Content-Length: ") + 16
            if len(buffer) < end + 4 + int(buffer[at : buffer.index(b"\r", at)]):
                return
        self.buffer = b""
        assert self.transport is not None
        self.transport.write(b"%b%d%b" % (before, time.time_ns() // 1_000_000, after))


async def serve() -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    closed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), closed.set)
    await closed.wait()


if __name__ == "__main__":
    if int(sys.argv[1]) >= 0:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(serve())
