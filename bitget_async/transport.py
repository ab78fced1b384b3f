"""
The seam to aiohttp: the one REST file that imports it, and the map of its errors.

aiohttp opens and keeps the connections, and reads the answers. The bytes of a request are written here, in one piece:
aiohttp's session makes everything about a request anew each time, which is half of its cost. So there is nobody who
could follow a redirect, keep a cookie, believe a proxy of the environment or repeat a GET unasked. TLS is always
verified, bodies are bounded.

"Not sent" is told on one certainty only: no connection stood for this copy, or it was not stamped yet. From the moment
before the first byte every failure is unknown.

What is raised passes through frames that hold the signed headers, so it does not leave this file: every failure is
described in our own words and raised outside the `except` block, with no cause and no context.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal, Protocol
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
# Deadlines are ours, around all of it.
_UNTIMED = aiohttp.ClientTimeout(total=None)
# Message of a `CancelledError` that proves that no byte left: no connection stood.
UNSENT = "unsent"
LENGTH = aiohttp.hdrs.CONTENT_LENGTH
REMAINING = "x-mbx-used-remain-limit"
# More than asyncio asks for before it reads (256 KB), and than some dozens of pages at once.
ROOM = 4 * 1024 * 1024


class Transport(Protocol):
    """Sends one copy of a request."""

    async def send(self, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        """
        Send one copy and read the whole answer.

        Args:
            request: what to send.
            stamp: makes the headers that depend on the moment; called once, when a connection stands, right before
                the write.
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
    """One request on its way: the connection that it goes over, and whether a byte of it may have left."""

    __slots__ = ("connection", "departed")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.departed = False

    def depart(self) -> None:
        """A connection stands and the request is stamped. The write is next: from here on every failure is unknown."""
        self.departed = True

    def fail(self) -> None:
        """
        Cut the line. aiohttp only closes it, and TLS would wait half a minute for the other side's goodbye: on a dead
        network each lost request would leave a socket behind, even when the client is closed.
        """
        if self.connection is not None:
            if self.connection.transport is not None:
                self.connection.transport.abort()
            self.connection.close()


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
        self._connector: aiohttp.TCPConnector | None = None

    def _open(self) -> aiohttp.TCPConnector:
        _make_room()
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S, ssl=self._context)
        loop = asyncio.get_running_loop()
        # All requests go to one place, with headers of which all but the signed ones stay the same.
        self._place = aiohttp.ClientRequest("GET", URL(self._origin), headers=self._headers, loop=loop)
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in self._place.headers.items())
        return connector

    async def send(self, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        """
        See `Transport.send`. Safe to cancel; what was written stays written, `CancelledError("unsent")` if nothing was.
        """
        flight = _Flight()
        result: Reply | BitgetError | None = None
        try:
            async with asyncio.timeout(timeout_s):
                result = await self._exchange(request, stamp, flight)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            result = _describe(error, request.row.label, flight.departed)
        finally:
            if not isinstance(result, Reply):
                flight.fail()
        if result is None:
            # A fresh one: the caught one's traceback goes through frames that hold the signed headers.
            raise asyncio.CancelledError(*([] if flight.departed else [UNSENT]))
        if isinstance(result, BitgetError):
            raise result
        return result

    async def _exchange(
        self, request: Request, stamp: Callable[[], Mapping[str, str]], flight: _Flight
    ) -> Reply | BitgetError:
        if self._connector is None:
            self._connector = self._open()
        flight.connection = connection = await self._connector.connect(self._place, [], _UNTIMED)
        protocol, line = connection.protocol, connection.transport
        # aiohttp looks for bytes that nobody asked for when a connection comes back, not when it goes out again: what
        # came meanwhile would be read as the answer to this request.
        if protocol is None or line is None or protocol.should_close:
            raise aiohttp.ClientConnectionError
        protocol.set_response_params(read_until_eof=True, auto_decompress=False)
        sent_ns = self._clock.monotonic_ns()
        written = self._written(request, stamp())
        flight.depart()
        _write(line, written)
        head, content = await protocol.read()
        while 100 <= head.code < 200 and head.code != 101:
            head, content = await protocol.read()
        body = await _bounded(content, _number(head.headers.get(LENGTH)), request.row.max_bytes)
        if body is None:
            return OutcomeUnknown("too_large", endpoint=request.row.label, http_status=head.code)
        connection.release()
        return Reply(head.code, body, _number(head.headers.get(REMAINING)), sent_ns, self._clock.monotonic_ns())

    def _written(self, request: Request, signed: Mapping[str, str]) -> bytes:
        """The request in one piece, as it leaves."""
        method, target, body = request.row.method, request.sent_target, request.body
        if " " in target or not target.isprintable():
            raise ValueError("a target of several words")
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        stamped = "".join([f"{name}: {value}\r\n" for name, value in signed.items()])
        return f"{method} {target} HTTP/1.1\r\n{self._fixed}{stamped}{length}\r\n".encode("ascii") + body

    async def close(self) -> None:
        """Close every connection."""
        connector, self._connector = self._connector, None
        if connector is not None:
            await connector.close()


@cache
def _make_room() -> None:
    """
    Have glibc keep the memory of answers: it maps blocks of such a size anew each time, zeroed page by page, until the
    process has freed a larger one once. Nobody writes to this one, so making it takes microseconds and no memory.
    """
    bytes(ROOM)


def _write(line: asyncio.WriteTransport, written: bytes) -> None:
    """
    Write, without a word by asyncio if it fails: in debug mode it logs the traceback, and a frame of that holds the
    signed headers. Whoever reads the answer hears of the failure.
    """
    if not asyncio.get_running_loop().get_debug():
        line.write(written)
        return
    theirs = logging.getLogger("asyncio")
    silent, theirs.disabled = theirs.disabled, True
    try:
        line.write(written)
    finally:
        theirs.disabled = silent


def _number(header: str | None) -> int | None:
    """A header that counts something, or `None` if it does not."""
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 9 else None


async def _bounded(content: aiohttp.StreamReader, length: int | None, most: int) -> bytes | None:
    """The whole body, or `None` once it is longer than `most` bytes."""
    if length is not None:
        if length > most:
            return None
        # The parser ends the body there: what was declared is what can come. Mostly all of it has, with the head.
        return content.read_nowait() if content.is_eof() else await content.read()
    parts: list[bytes] = []
    size = 0
    async for part in content.iter_any():
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
