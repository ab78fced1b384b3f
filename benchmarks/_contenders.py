"""
The clients that are compared, each with the same few calls: a signed command, and a page of finished orders.

Every one of them is used as its users use it, against the address of the benchmark's own server; pacing is off in all,
for what is measured is the work. `bare` is what one would write by hand with aiohttp, hmac and orjson; `floor` is a
protocol of asyncio's that knows nothing but this exchange, without timeouts, TLS, redirects or errors.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import time
import warnings
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Protocol

import orjson

KEY, SECRET, PASSPHRASE = "bg_0123456789abcdef0123456789abcdef", "a" * 64, "benchmark"
ORDER_ID = "1234567890123456789"
TRADE = "/api/v2/spot/trade/"
COMMON = {
    "locale": "en-US",
    "Content-Type": "application/json",
    "User-Agent": "bitget-async",
    "Accept-Encoding": "identity",
}
ORDER = {
    "symbol": "BTCUSDT",
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "price": "26000.5",
    "size": "0.0013",
    "clientOid": "bench-000000000001",
}


class Contender(Protocol):
    """What is asked of each."""

    async def place(self) -> Any:
        """One signed order; its receipt."""

    async def page(self, rows: int) -> Any:
        """So many finished orders, as this client gives them."""

    def right(self, receipt: Any, page: Any) -> bool:
        """Whether the answers were really read: the id of the receipt, and every row of a page of 100."""

    async def close(self) -> None:
        """Give back what it holds."""


def signed(method: str, target: str, body: bytes) -> dict[str, str]:
    """The four signed headers, by hand."""
    stamp = str(time.time_ns() // 1_000_000)
    digest = hmac.digest(SECRET.encode(), f"{stamp}{method}{target}".encode() + body, "sha256")
    return {
        "ACCESS-KEY": KEY,
        "ACCESS-SIGN": base64.b64encode(digest).decode(),
        "ACCESS-TIMESTAMP": stamp,
        "ACCESS-PASSPHRASE": PASSPHRASE,
    }


class Bare:
    """The yardstick: aiohttp, hmac and orjson by hand; answers are dicts of texts."""

    def __init__(self, base_url: str) -> None:
        import aiohttp

        self.base_url = base_url
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=COMMON)

    async def place(self) -> Any:
        body = orjson.dumps(ORDER)
        target = TRADE + "place-order"
        headers = signed("POST", target, body)
        async with self.session.post(self.base_url + target, data=body, headers=headers) as response:
            return orjson.loads(await response.read())

    async def page(self, rows: int) -> Any:
        target = f"{TRADE}history-orders?limit={rows}&symbol=BTCUSDT"
        async with self.session.get(self.base_url + target, headers=signed("GET", target, b"")) as response:
            return orjson.loads(await response.read())

    def right(self, receipt: Any, page: Any) -> bool:
        return receipt["data"]["orderId"] == ORDER_ID and len(page["data"]) == 100

    async def close(self) -> None:
        await self.session.close()


class Line(asyncio.Protocol):
    """One kept connection of the floor: one request at a time, its answer's body in a future."""

    def __init__(self) -> None:
        self.buffer = b""
        self.need = 0
        self.answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: Any) -> None:
        self.write = transport.write
        self.close = transport.close

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data
        if not self.need:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = buffer.index(b"Content-Length: ") + 16
            self.need = end + 4 + int(buffer[at : buffer.index(b"\r", at)])
            self.head = end + 4
        if len(buffer) >= self.need:
            assert self.answer is not None
            self.answer.set_result(buffer[self.head : self.need])
            self.buffer, self.need = b"", 0


class Floor:
    """The floor: a request written as bytes, an answer read as bytes; signature and orjson as in the yardstick."""

    def __init__(self, base_url: str) -> None:
        host, _, port = base_url.removeprefix("http://").partition(":")
        self.address = (host, int(port))
        self.common = f"Host: {host}:{port}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in COMMON.items())
        self.idle: list[Line] = []

    async def ask(self, method: str, target: str, body: bytes) -> Any:
        """One request."""
        if self.idle:
            line = self.idle.pop()
        else:
            _, line = await asyncio.get_running_loop().create_connection(Line, *self.address)
        headers = "".join([f"{name}: {value}\r\n" for name, value in signed(method, target, body).items()])
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        line.answer = asyncio.get_running_loop().create_future()
        line.write(f"{method} {target} HTTP/1.1\r\n{self.common}{headers}{length}\r\n".encode() + body)
        answer = await line.answer
        self.idle.append(line)
        return orjson.loads(answer)

    async def place(self) -> Any:
        return await self.ask("POST", TRADE + "place-order", orjson.dumps(ORDER))

    async def page(self, rows: int) -> Any:
        return await self.ask("GET", f"{TRADE}history-orders?limit={rows}&symbol=BTCUSDT", b"")

    def right(self, receipt: Any, page: Any) -> bool:
        return receipt["data"]["orderId"] == ORDER_ID and len(page["data"]) == 100

    async def close(self) -> None:
        for line in self.idle:
            line.close()


class Ours:
    """This client, whole: check, encode, sign, send, bound, decode into records; with no limits."""

    def __init__(self, base_url: str, **options: Any) -> None:
        from bitget_async import BitgetClient, Credentials, Unlimited
        from bitget_async.endpoints import PLACE_ORDER

        key = Credentials(KEY, SECRET, PASSPHRASE)
        self.client = BitgetClient(key, base_url=base_url, limits=Unlimited(), **options)
        self.row = PLACE_ORDER
        self.given = {
            "symbol": "BTCUSDT",
            "side": "buy",
            "order_type": "limit",
            "force": "gtc",
            "price": Decimal("26000.5"),
            "size": Decimal("0.0013"),
            "client_oid": "bench-000000000001",
        }

    async def place(self) -> Any:
        return await self.client.call(self.row, **self.given)

    async def page(self, rows: int) -> Any:
        return await self.client.history_orders("BTCUSDT", limit=rows)

    async def proven(self) -> Any:
        """The verb, with its handle; what proves it comes after, see `settled`."""
        size, price = self.given["size"], self.given["price"]
        return await self.client.place_order(
            "BTCUSDT", "buy", "limit", size, price=price, client_oid="bench-000000000001"
        )

    async def settled(self) -> None:
        """Until the watcher has settled every handle: its reads are part of the price."""
        for handle in self.client.pending:
            report = await handle.settled()
            if report.outcome.value != "placed":
                raise RuntimeError(f"an order was not proven: {report}")

    async def looked(self) -> Any:
        """A page of 100 as the watcher reads it."""
        from bitget_async.inquiry import Read, ReadKind

        return await self.reading.page(Read(ReadKind.HISTORY, "BTCUSDT"))

    @property
    def reading(self) -> Any:
        """The watcher's reads, without the share of the quota that holds them back."""
        from bitget_async import Unlimited

        parts = self.client._open()
        parts.session._share = Unlimited()
        return parts.watcher._reading

    def right(self, receipt: Any, page: Any) -> bool:
        from bitget_async import Order, OrderAck

        return (
            isinstance(receipt, OrderAck)
            and receipt.order_id == ORDER_ID
            and len(page) == 100
            and all(type(row) is Order and isinstance(row.price, Decimal) and not row.unreadable for row in page)
            and isinstance(page[0].created_ms, int)
            and page[0].fees is not None
        )

    async def close(self) -> None:
        await self.client.close()


class Ccxt:
    """ccxt's unified calls; answers are its dicts with floats."""

    def __init__(self, base_url: str) -> None:
        import ccxt.async_support as ccxt

        logging.getLogger("ccxt").setLevel(logging.WARNING)
        key = {"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE}
        self.client = ccxt.bitget(key | {"enableRateLimit": False, "options": {"uta": False}})
        self.client.urls["api"] = dict.fromkeys(self.client.urls["api"], base_url)
        market = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "baseId": "BTC"}
        kind = {"quoteId": "USDT", "type": "spot", "spot": True, "active": True, "limits": {}}
        scales = {"precision": {"amount": 1e-06, "price": 0.01}}
        self.client.set_markets([self.client.safe_market_structure(market | kind | scales)])

    async def place(self) -> Any:
        more = {"clientOrderId": "bench-000000000001"}
        return await self.client.create_order("BTC/USDT", "limit", "buy", 0.0013, 26000.5, more)

    async def page(self, rows: int) -> Any:
        return await self.client.fetch_canceled_and_closed_orders("BTC/USDT", limit=rows)

    def right(self, receipt: Any, page: Any) -> bool:
        return receipt["id"] == ORDER_ID and len(page) == 100 and page[0]["amount"] == 0.0013

    async def close(self) -> None:
        await self.client.close()


class Pybotters:
    """pybotters, which signs by host name; answers are dicts of texts."""

    def __init__(self, base_url: str) -> None:
        import pybotters
        from pybotters import auth

        warnings.filterwarnings("ignore", "The 'auth' parameter is deprecated", DeprecationWarning)
        auth.Hosts.items["127.0.0.1"] = auth.Hosts.items["api.bitget.com"]
        self.client = pybotters.Client(apis={"bitget": [KEY, SECRET, PASSPHRASE]}, base_url=base_url)

    async def place(self) -> Any:
        return (await self.client.fetch("POST", TRADE + "place-order", data=ORDER)).data

    async def page(self, rows: int) -> Any:
        params = {"limit": str(rows), "symbol": "BTCUSDT"}
        return (await self.client.fetch("GET", TRADE + "history-orders", params=params)).data

    def right(self, receipt: Any, page: Any) -> bool:
        return receipt["data"]["orderId"] == ORDER_ID and len(page["data"]) == 100

    async def close(self) -> None:
        await self.client.close()


class TypedBitget:
    """typed-bitget with its validation; answers are dicts with `Decimal` and `datetime`."""

    def __init__(self, base_url: str) -> None:
        import typed_bitget

        self.client = typed_bitget.Bitget.new(access_key=KEY, secret_key=SECRET, passphrase=PASSPHRASE)
        self.client.http_client.base_url = base_url
        self.order = self.client.classic.spot.order
        self.entered = False

    async def enter(self) -> None:
        """It is a context manager."""
        if not self.entered:
            self.entered = True
            _ = await self.client.__aenter__()

    async def place(self) -> Any:
        await self.enter()
        return await self.order.place(ORDER)

    async def page(self, rows: int) -> Any:
        await self.enter()
        return await self.order.history(symbol="BTCUSDT", limit=rows)

    def right(self, receipt: Any, page: Any) -> bool:
        return receipt["orderId"] == ORDER_ID and len(page) == 100 and page[0]["size"] == Decimal("0.0013")

    async def close(self) -> None:
        if self.entered:
            await self.client.__aexit__(None, None, None)


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "ours": Ours,
    "bare aiohttp": Bare,
    "raw asyncio": Floor,
    "pybotters": Pybotters,
    "ccxt": Ccxt,
    "typed-bitget": TypedBitget,
}
PACKAGE = {"ccxt": "ccxt", "pybotters": "pybotters", "typed-bitget": "typed_bitget"}


def present() -> list[str]:
    """Those of them that are installed."""
    from importlib.util import find_spec

    return [name for name in CONTENDERS if name not in PACKAGE or find_spec(PACKAGE[name]) is not None]


Call = Callable[[], Awaitable[Any]]
