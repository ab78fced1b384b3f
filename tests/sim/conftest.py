"""A clock that tests move by hand, and somebody who asks the simulated exchange with signatures of their own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from bitget_async.sim import Request, Settings, SimulatedExchange, SimulatedKey

START_MS = 1_750_000_000_000
TRADE = "/api/v2/spot/trade/"


class ManualClock:
    """Time stands still until a test moves it; whoever sleeps moves it too."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns

    def epoch_ms(self) -> int:
        return START_MS + (self.now_ns - 1_000_000_000_000) // 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class Answered(NamedTuple):
    """A reply, taken apart."""

    kind: str
    status: int
    code: str | None
    data: Any
    headers: dict[str, str]
    body: bytes


class Asker:
    """Signs and sends to the gateway, no socket between. Runs each call to its end."""

    def __init__(self, exchange: SimulatedExchange, clock: ManualClock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.loop = asyncio.new_event_loop()

    def sign(self, method: str, target: str, body: bytes = b"", key: SimulatedKey | None = None) -> dict[str, str]:
        key = key or self.exchange.credentials()
        stamp = str(self.exchange.server_ms)
        digest = hmac.new(key.secret.encode(), f"{stamp}{method}{target}".encode() + body, hashlib.sha256).digest()
        return {
            "access-key": key.api_key,
            "access-sign": base64.b64encode(digest).decode(),
            "access-timestamp": stamp,
            "access-passphrase": key.passphrase,
            "content-type": "application/json",
        }

    def get(self, path: str, key: SimulatedKey | None = None, **params: object) -> Answered:
        path = path if path.startswith("/") else TRADE + path
        pairs = [(name, str(value)) for name, value in params.items()]
        raw = "&".join(f"{name}={value}" for name, value in pairs)
        wire = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        headers = self.sign("GET", path + ("?" + raw if raw else ""), key=key)
        return self.send(Request(method="GET", path=path, query=wire, headers=headers))

    def post(self, path: str, body: object, key: SimulatedKey | None = None) -> Answered:
        path = path if path.startswith("/") else TRADE + path
        data = json.dumps(body).encode()
        headers = self.sign("POST", path, data, key)
        return self.send(Request(method="POST", path=path, body=data, headers=headers))

    def send(self, request: Request) -> Answered:
        reply = self.run(self.exchange.gateway.handle(request))
        try:
            envelope = json.loads(reply.body)
        except ValueError:
            envelope = {}
        code, data = envelope.get("code"), envelope.get("data")
        return Answered(reply.kind, reply.status, code, data, dict(reply.headers), reply.body)

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(work)

    def cancel(self, symbol: str = "BTCUSDT") -> Answered:
        return self.post("cancel-symbol-order", {"symbol": symbol})

    def open(self, symbol: str = "BTCUSDT") -> tuple[str, ...]:
        return self.exchange.truth.open_ids(self.exchange.account.uid, symbol)

    def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)


class Made(NamedTuple):
    """What the `sim` fixture hands out."""

    exchange: SimulatedExchange
    ask: Asker
    clock: ManualClock


@pytest.fixture
def sim() -> Iterator[Any]:
    """`sim(seed=0, **settings)`: an exchange without socket, lag or latency on a manual clock."""
    loops = []

    def make(seed: int = 0, **settings: Any) -> Made:
        clock = ManualClock()
        quiet: dict[str, Any] = {"listing_lag_s": 0.0, "history_lag_s": 0.0, "order_info_lag_s": 0.0}
        exchange = SimulatedExchange(seed, clock=clock, settings=Settings(**(quiet | settings)))
        ask = Asker(exchange, clock)
        loops.append(ask.loop)
        return Made(exchange, ask, clock)

    yield make
    for loop in loops:
        loop.close()
