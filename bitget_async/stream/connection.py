"""
The stream's seam to aiohttp: opens WebSockets, hands on their texts, cuts them.

As for requests: no redirects, no cookies, no environment proxies, TLS always verified, messages bounded, no
compression. aiohttp's exceptions go through frames that hold the login, so none of them leaves this file.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from bitget_async.errors import NotSent
from bitget_async.stream.protocol import MOST_BYTES
from bitget_async.transport import origin_of, tls_context

__all__ = ["Dialer", "Socket", "ws_origin_of"]

OPEN_S = 10.0
CLOSE_S = 0.5
SEND_S = 5.0

HOSTS = {"https://api.bitget.com": "wss://ws.bitget.com", "https://vip-api.bitget.com": "wss://vip-ws.bitget.com"}
DEMO_HOST = "wss://wspap.bitget.com"


def ws_origin_of(ws_url: str | None, base_url: str, *, demo: bool) -> str:
    """
    Where the sockets are: what was given, or what belongs to the address of the calls.

    Args:
        ws_url: `wss://host[:port]`; `ws://` on loopback only; `None` for the one that belongs to `base_url`.
        base_url: an origin as `origin_of` returns it. One that is not the exchange's serves both.
        demo: whether this is demo trading.

    Raises:
        UsageError: `ws_url` is no such address.
    """
    if ws_url is not None:
        return origin_of(ws_url, name="ws_url", schemes=("wss", "ws"))
    if base_url in HOSTS:
        return DEMO_HOST if demo else HOSTS[base_url]
    return "ws" + base_url.removeprefix("http")


class _Opening:
    """One attempt to open a socket: where to, and the line once it stands."""

    __slots__ = ("line", "url")

    def __init__(self, url: URL) -> None:
        self.url = url
        self.line: asyncio.Transport | None = None


_OPENING: ContextVar[_Opening] = ContextVar("bitget_async.opening")


class _Connector(aiohttp.TCPConnector):
    """A connector that goes to one address only, wherever a redirect points, and notes the line."""

    async def connect(self, req: aiohttp.ClientRequest, *rest: Any, **options: Any) -> Connection:
        opening = _OPENING.get()
        if req.url != opening.url:
            raise aiohttp.ClientConnectionError
        connection = await super().connect(req, *rest, **options)
        opening.line = connection.transport
        return connection


class Socket:
    """An open WebSocket. Nothing in here raises but `CancelledError`."""

    __slots__ = ("_line", "_socket", "ended")

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, line: asyncio.Transport | None) -> None:
        self._socket = socket
        self._line = line
        self.ended = ""

    async def receive(self) -> str | bytes | None:
        """The next message, or `None` when there will be no more: then `ended` says why. Safe to cancel."""
        try:
            message = await self._socket.receive()
        except Exception as error:
            self.ended = f"reading failed ({type(error).__name__})"
            return None
        if message.type is aiohttp.WSMsgType.TEXT or message.type is aiohttp.WSMsgType.BINARY:
            told: str | bytes = message.data
            return told
        if message.type is aiohttp.WSMsgType.ERROR:
            self.ended = f"reading failed ({type(message.data).__name__})"
        else:
            self.ended = f"closed by the exchange, code {self._socket.close_code}"
        return None

    async def send(self, frame: bytes) -> bool:
        """
        Write one text message; False if nothing of it can have left. Waits for the transport's buffer only.
        """
        line = self._line
        if line is None or line.is_closing() or self._socket.closed:
            return False
        try:
            async with asyncio.timeout(SEND_S):
                await self._socket.send_frame(frame, aiohttp.WSMsgType.TEXT)
        except Exception as error:
            # It may have been written: whoever waits for an answer will see the line end.
            self.ended = self.ended or f"writing failed ({type(error).__name__})"
            self.abort()
        return True

    async def close(self) -> None:
        """Say goodbye and cut the line, whether the other side answers or not. Nobody may be reading."""
        try:
            async with asyncio.timeout(CLOSE_S):
                _ = await self._socket.close()
        except Exception as error:
            self.ended = self.ended or f"closing failed ({type(error).__name__})"
        finally:
            self.abort()

    def abort(self) -> None:
        """Cut the line: TLS would wait half a minute for the other side's goodbye."""
        if self._line is not None:
            self._line.abort()


class Dialer:
    """
    Opens sockets at one address.

    Args:
        origin: as `ws_origin_of` returns it.
        ssl_context: for a private certificate authority; must verify.
        headers: of the request that opens a socket.
    """

    def __init__(self, origin: str, *, ssl_context: ssl.SSLContext | None, headers: Mapping[str, str]) -> None:
        self.origin = origin
        self._given = ssl_context
        self._headers = dict(headers)
        self._session: aiohttp.ClientSession | None = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Made now: most clients never open a socket, and reading the machine's certificates takes its time.
            context = tls_context(self._given, self.origin)
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=0, force_close=True, ssl=context),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                auto_decompress=False,
                raise_for_status=False,
            )
            self._session._retry_connection = False
        return self._session

    async def open(self, path: str) -> Socket:
        """
        Open a socket.

        Raises:
            NotSent: it could not be opened within 10 s; `reason` is `connect`, or `tls` for trouble with a certificate.

        Cancelling: safe.
        """
        opening = _Opening(URL(self.origin + path, encoded=True))
        token = _OPENING.set(opening)
        socket: Socket | None = None
        failure = "connect", "no answer in time"
        try:
            async with asyncio.timeout(OPEN_S):
                response = await self._opened().ws_connect(
                    opening.url,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    max_msg_size=MOST_BYTES,
                    compress=0,
                )
            socket = Socket(response, opening.line)
        except TimeoutError:
            pass
        except aiohttp.WSServerHandshakeError as error:
            failure = "connect", f"refused with HTTP {error.status}"
        except Exception as error:
            tls = isinstance(error, (ssl.SSLError, aiohttp.ClientSSLError))
            failure = "tls" if tls else "connect", type(error).__name__
        finally:
            _OPENING.reset(token)
            if socket is None and opening.line is not None:
                opening.line.abort()
        if socket is None:
            raise NotSent(failure[0], endpoint=path, detail=failure[1])
        return socket

    async def close(self) -> None:
        """Let go of every connection. Safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
