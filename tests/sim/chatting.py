"""A raw WebSocket client in virtual time that signs, asks and listens by code of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson

from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, SimulatedKey
from bitget_async.sim.sockets.talk import PRIVATE_PATH
from tests.conftest import run_virtual

# Everything is told 10 ms after it happens, and answered at once: a test can count on the order.
STEADY: dict[str, Any] = {"push_lag_s": 0.01, "ack_lag_s": 0.0, "cancel_delay_s": 0.0, "standing_market": False}


def login_frame(key: SimulatedKey, stamp: object, *, key_name: str = "apiKey", **changed: Any) -> dict[str, Any]:
    """A login with that timestamp as it stands; `changed` replaces what would be right."""
    message = f"{stamp}GET/user/verify".encode()
    sign = base64.b64encode(hmac.new(key.secret.encode(), message, hashlib.sha256).digest()).decode()
    fields = {key_name: key.api_key, "passphrase": key.passphrase, "timestamp": stamp, "sign": sign}
    return {"op": "login", "args": [fields | changed]}


def topic(channel: str, name: str = "default") -> dict[str, str]:
    """An argument of a subscription."""
    return {"instType": "SPOT", "channel": channel, "coin" if channel == "account" else "instId": name}


class Chat:
    """One connection. Frames that are JSON come as objects, others as text."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, exchange: SimulatedExchange) -> None:
        self.socket = socket
        self.exchange = exchange

    async def say(self, message: object) -> None:
        """Send a text, or an object as JSON."""
        await self.socket.send_str(message if isinstance(message, str) else orjson.dumps(message).decode())

    async def next(self) -> Any:
        """The next frame, or the number of the goodbye (1006: none)."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data
        if message.type is not aiohttp.WSMsgType.TEXT:
            return self.socket.close_code
        try:
            return orjson.loads(message.data)
        except orjson.JSONDecodeError:
            return message.data

    async def hear(self, count: int) -> list[Any]:
        """That many frames."""
        return [await self.next() for _ in range(count)]

    async def rest(self, seconds: float) -> list[Any]:
        """Everything that comes within that many seconds."""
        heard = []
        try:
            async with asyncio.timeout(seconds):
                while not self.socket.closed:
                    heard.append(await self.next())
        except TimeoutError:
            pass
        return heard

    async def ask(self, message: object) -> Any:
        """Send, and give the next frame."""
        await self.say(message)
        return await self.next()

    async def log_in(self, key: SimulatedKey | None = None) -> Any:
        """Log in now, in seconds; gives the answer."""
        return await self.ask(login_frame(key or self.exchange.credentials(), str(self.exchange.server_ms // 1000)))

    async def listen(self, *topics: dict[str, str]) -> list[Any]:
        """Subscribe with one message; gives as many frames as there are topics."""
        await self.say({"op": "subscribe", "args": topics})
        return await self.hear(len(topics))


class Door:
    """Opens connections; keeps them to close them in the end."""

    def __init__(self, exchange: SimulatedExchange, session: aiohttp.ClientSession) -> None:
        self.exchange = exchange
        self.session = session
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def open(self, path: str = PRIVATE_PATH, **options: Any) -> Chat:
        """A new connection."""
        socket = await self.session.ws_connect(self.exchange.ws_url + path, **options)
        self._sockets.append(socket)
        return Chat(socket, self.exchange)

    async def member(self, *topics: dict[str, str], key: SimulatedKey | None = None) -> Chat:
        """A new private connection that has logged in and subscribed."""
        chat = await self.open()
        assert (await chat.log_in(key))["event"] == "login"
        assert all(frame["event"] == "subscribe" for frame in (await chat.listen(*topics) if topics else ()))
        return chat

    async def close(self) -> None:
        """Close them all."""
        for socket in self._sockets:
            await socket.close()


def with_door(main: Callable[[Door], Awaitable[None]], *, seed: int = 3, **settings: Any) -> None:
    """Run `main(door)` on a fresh exchange in virtual time."""

    async def whole() -> None:
        made = SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**(STEADY | settings)))
        async with made as exchange, aiohttp.ClientSession() as session:
            door = Door(exchange, session)
            try:
                await main(door)
            finally:
                await door.close()

    run_virtual(whole)
