"""
The seam to aiohttp: the one REST file that imports it, and the map of its errors.

No redirects, no cookies, no environment proxies, no hidden repeat of a GET, TLS always verified, bodies bounded.
"Not sent" is told on one certainty only: no connection stood for this copy. From the moment that one stands, before the
first byte, every failure is unknown.

aiohttp's exceptions hold the request headers (their repr shows the passphrase), so none of them leaves this file:
every failure is described in our own words and raised outside the `except` block, with no cause and no context.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from bitget_async.clock import Clock
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown, UsageError
from bitget_async.wire import Reply, Request

__all__ = ["AiohttpTransport", "Transport", "is_loopback", "origin_of", "tls_context"]

# The exchange's own idle limit is not documented; ours has to be the shorter one, or a command meets a closing socket.
KEEPALIVE_S = 15.0
# Message of a `CancelledError` that proves that no byte left: no connection stood.
UNSENT = "unsent"
# A stamp younger than this when the connection stands is good: a kept connection costs nothing like it.
AGED_NS = 2_000_000
REMAINING = "x-mbx-used-remain-limit"


class Transport(Protocol):
    """Sends one copy of a request."""

    async def send(self, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        """
        Send one copy and read the whole answer.

        Args:
            request: what to send.
            stamp: makes the headers that depend on the moment; called right before the write, and again if
                that had to wait for a connection.
            timeout_s: seconds for everything from connecting to the last byte.

        Raises:
            NotSent: no connection stood, so no byte of it was handed to the network.
            OutcomeUnknown: one stood, so bytes may have been, and no whole answer came back.
        """

    async def close(self) -> None:
        """Close every connection."""


def origin_of(url: str, *, name: str = "base_url", schemes: tuple[str, str] = ("https", "http")) -> str:
    """
    Check an address and return it without a trailing slash.

    Args:
        url: what was given.
        name: the argument's, for the error.
        schemes: the one to use, and the one for loopback only.

    Raises:
        UsageError: not `https://host[:port]`, or `http://` to anything but loopback.
    """
    problem = ""
    secure, plain = schemes
    example = f"must be a URL such as {secure}://{'api' if secure == 'https' else 'ws'}.bitget.com"
    try:
        parts = urlsplit(url) if isinstance(url, str) and url.isprintable() else None
        if parts is None or parts.hostname is None or parts.port == 0:
            problem = example
        elif parts.username is not None or parts.password is not None:
            problem = "may not hold credentials"
        elif parts.path not in ("", "/") or parts.query or parts.fragment:
            problem = "must be scheme, host and port only"
        elif parts.scheme not in schemes:
            problem = f"must start with {secure}://"
        elif parts.scheme == plain and not is_loopback(url):
            problem = f"may be {plain}:// on loopback only: the passphrase would travel in clear"
    except ValueError:
        problem = example
    if problem:
        raise UsageError(f"{name} {problem}")
    return url.rstrip("/")


def is_loopback(base_url: str) -> bool:
    """Whether the URL's host is `localhost` or a loopback address."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(given: ssl.SSLContext | None, origin: str) -> ssl.SSLContext | Literal[True]:
    """The context to use for that origin: the one given, if it verifies, or one that does."""
    if given is None and origin.startswith(("http:", "ws:")):
        # Loopback without TLS: reading the machine's certificates is the dearest part of making a client.
        return True
    if given is None:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    if given.verify_mode is not ssl.CERT_REQUIRED or not given.check_hostname:
        raise UsageError("ssl_context must verify certificates and host names")
    # MINIMUM_SUPPORTED, which some systems set, is below all others: there the system's own settings decide.
    if given.minimum_version in (ssl.TLSVersion.SSLv3, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        raise UsageError("ssl_context must not speak anything older than TLS 1.2")
    return given


class _Flight:
    """One request on its way: the moment and the headers of its write, and whether a byte may have left."""

    __slots__ = ("_clock", "_line", "_made_ns", "_stamp", "headers_sent", "sent_ns")

    def __init__(self, clock: Clock, stamp: Callable[[], Mapping[str, str]]) -> None:
        self._clock = clock
        self._stamp = stamp
        self._line: asyncio.Transport | None = None
        self.headers_sent = False
        self.sent_ns = 0
        self._made_ns = 0

    def stamp(self) -> Mapping[str, str]:
        """The headers of this moment."""
        self.sent_ns = self._clock.monotonic_ns()
        headers = self._stamp()
        # Whoever signs may have taken its time, and signed anew: what counts is how old the headers grow from here.
        self._made_ns = self._clock.monotonic_ns()
        return headers

    def depart(self, request: aiohttp.ClientRequest, line: asyncio.Transport | None) -> None:
        """
        A connection stands, and aiohttp writes next. If it had to be waited for, stamp again: opening may take
        seconds, and a stamp is good for the write only.
        """
        if self._clock.monotonic_ns() - self._made_ns > AGED_NS:
            request.headers.update(self.stamp())
        self._line = line
        self.headers_sent = True

    def fail(self) -> None:
        """
        Cut the line. aiohttp only closes it, and TLS would wait half a minute for the other side's goodbye: on a dead
        network each lost request would leave a socket behind, even when the client is closed.
        """
        if self._line is not None:
            self._line.abort()

    def end(self) -> None:
        """Let go of the key: the callbacks of a kept connection hold on to the context that it was opened in."""
        self._stamp = dict
        self._line = None


_FLIGHT: ContextVar[_Flight] = ContextVar("bitget_async.flight")


class _Connector(aiohttp.TCPConnector):
    """
    A connector that tells the current flight when a connection stands. Before that aiohttp has nothing to write to, so
    what failed in `connect` or earlier was not sent; after it only the write follows, so what fails later is unknown.
    """

    async def connect(self, req: aiohttp.ClientRequest, *rest: Any, **options: Any) -> Connection:
        connection = await super().connect(req, *rest, **options)
        try:
            # aiohttp looks for bytes that nobody asked for when a connection comes back, not when it goes out again:
            # what came meanwhile would be read as the answer to this request.
            if connection.protocol is None or connection.protocol.should_close:
                raise aiohttp.ClientConnectionError
            _FLIGHT.get().depart(req, connection.transport)
        except BaseException:
            connection.close()
            raise
        return connection


class AiohttpTransport:
    """
    `Transport` on an aiohttp session of its own.

    Args:
        base_url: `https://host[:port]`; `http://` on loopback only.
        clock: for the moments in the reply.
        ssl_context: for a private certificate authority; must verify.
        headers: sent with every request.
    """

    def __init__(
        self, base_url: str, clock: Clock, *, ssl_context: ssl.SSLContext | None = None, headers: Mapping[str, str]
    ) -> None:
        self._origin = origin_of(base_url)
        self._clock = clock
        self._context = tls_context(ssl_context, self._origin)
        self._headers = dict(headers)
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    def _open(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=_Connector(limit=0, keepalive_timeout=KEEPALIVE_S, ssl=self._context),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            trust_env=False,
            auto_decompress=False,
            raise_for_status=False,
        )
        # aiohttp repeats a GET by itself when a kept connection drops: that copy would have no token.
        session._retry_connection = False
        return session

    async def send(self, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        """
        See `Transport.send`. Safe to cancel; what was written stays written, `CancelledError("unsent")` if nothing was.
        """
        if self._session is None:
            self._session = self._open()
        flight = _Flight(self._clock, stamp)
        result: Reply | BitgetError | None = None
        token = _FLIGHT.set(flight)
        try:
            result = await self._exchange(request, flight, timeout_s)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            result = _describe(error, request.row.label, flight.headers_sent)
        finally:
            _FLIGHT.reset(token)
            if not isinstance(result, Reply):
                flight.fail()
            flight.end()
        if result is None:
            # A fresh one: the caught one's traceback goes through frames that hold the signed headers.
            raise asyncio.CancelledError(*([] if flight.headers_sent else [UNSENT]))
        if isinstance(result, BitgetError):
            raise result
        return result

    async def _exchange(self, request: Request, flight: _Flight, timeout_s: float) -> Reply | BitgetError:
        assert self._session is not None
        row = request.row
        url = self._url(request.sent_target)
        response = await self._session.request(
            row.method,
            url,
            data=request.body or None,
            headers=flight.stamp(),
            allow_redirects=False,
            timeout=_timeout(timeout_s),
        )
        try:
            body = await _bounded(response, row.max_bytes)
        finally:
            response.release() if response.content.at_eof() else response.close()
        if body is None:
            return OutcomeUnknown("too_large", endpoint=row.label, http_status=response.status)
        left = response.headers.get(REMAINING, "")
        remaining = int(left) if left.isascii() and left.isdigit() and len(left) < 9 else None
        return Reply(response.status, body, remaining, flight.sent_ns, self._clock.monotonic_ns())

    def _url(self, target: str) -> URL:
        url = self._urls.get(target)
        if url is None:
            # encoded=True: yarl would otherwise rewrite what was signed.
            url = URL(self._origin + target, encoded=True)
            if "?" not in target:
                self._urls[target] = url
        return url

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


@lru_cache(maxsize=16)
def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s)


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The whole body, or `None` once it is longer than `most` bytes."""
    length = response.content_length
    if length is not None:
        # The parser ends the body there: what was declared is what can come.
        return await response.content.read() if length <= most else None
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _describe(error: Exception, endpoint: str, headers_sent: bool) -> BitgetError:
    """
    What a failure proves.

    1. No connection stood: not sent. Certificate trouble is told apart, for it does not pass.
    2. Anything later: unknown, even if no byte was written yet, and whatever status aiohttp puts on it (a garbage
       status line becomes "400" after the server has executed).
    """
    kind = type(error).__name__
    if not headers_sent:
        tls = isinstance(error, (ssl.SSLError, aiohttp.ClientSSLError))
        return NotSent("tls" if tls else "connect", endpoint=endpoint, detail=kind)
    if isinstance(error, TimeoutError):
        return OutcomeUnknown("timeout", endpoint=endpoint, message="no whole answer in time")
    return OutcomeUnknown("connection", endpoint=endpoint, message=f"the connection failed ({kind})")
