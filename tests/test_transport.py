"""The seam to aiohttp, over real sockets: one copy each, nowhere else, and nothing of the key in any failure."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import aiohappyeyeballs
import aiohttp
import pytest

from bitget_async import BitgetClient, BitgetError, Credentials, NotSent, OutcomeUnknown, UsageError
from bitget_async.clock import SystemClock, VirtualClock
from bitget_async.endpoints import CANCEL_ORDER, CANCEL_SYMBOL_ORDER, SERVER_TIME, UNFILLED_ORDERS
from bitget_async.sim import SimulatedExchange
from bitget_async.transport import AiohttpTransport, _describe, _write, is_loopback, origin_of
from bitget_async.wire import Reply, Request, encode
from tests.conftest import client_of
from tests.network.line import trusting, witness

ACK = b'{"code":"00000","msg":"success","requestTime":1747574763291,"data":{"symbol":"BTCUSDT"}}'
TIME = b'{"code":"00000","msg":"success","requestTime":1688008631614,"data":{"serverTime":"1688008631614"}}'
COMMAND = encode(CANCEL_SYMBOL_ORDER, {"symbol": "BTCUSDT"})
READ = encode(SERVER_TIME, {})
LISTING = encode(UNFILLED_ORDERS, {})
KEY = Credentials("canary-key-7Qx", "canary-secret-7Qx", "canary-pass-7Qx")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def http(body: bytes = ACK, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Raw:
    """What a raw server saw, and where it listens."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self.got = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Answer = Callable[[Raw], bytes | None]


@asynccontextmanager
async def served(answer: Answer, *, tls: ssl.SSLContext | None = None, hurried: bool = False) -> AsyncIterator[Raw]:
    """
    A server that reads requests and answers each with those bytes, closing after `None` or after bytes without a
    length. `hurried` ones close every connection before they read.
    """
    raw = Raw()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.connections += 1
        writers.add(writer)
        try:
            while not hurried:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                raw.requests.append(head + await reader.readexactly(length))
                raw.got.set()
                told = answer(raw)
                if told is None:
                    break
                writer.write(told)
                await writer.drain()
                if b"ontent-Length" not in told:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
        await asyncio.sleep(0.02)


def stamp() -> Mapping[str, str]:
    """Signed headers with canaries in them."""
    return KEY.headers(1_700_000_000_123, "POST", COMMAND.raw_target, COMMAND.body)


@asynccontextmanager
async def transport_to(url: str, **options: Any) -> AsyncIterator[AiohttpTransport]:
    """A transport to that address."""
    clock = options.pop("clock", SystemClock())
    made = AiohttpTransport(url, clock, headers={"Accept-Encoding": "identity"}, **options)
    try:
        yield made
    finally:
        await made.close()


async def failed(sending: Awaitable[object]) -> BaseException:
    """The error that it must end with, checked for what must not be in it."""
    with pytest.raises((BitgetError, asyncio.CancelledError)) as caught:
        await sending
    assert_no_canary(caught.value)
    return caught.value


def assert_no_canary(error: BaseException) -> None:
    """No aiohttp exception in the chain, and no part of the key in the traceback with the locals of every frame."""
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "canary" not in text.replace("assert_no_canary", "").replace('"canary"', "")
    assert KEY.sign(b"x") not in text
    assert stamp()["ACCESS-SIGN"] not in text
    linked: BaseException | None = error
    while linked is not None:
        assert not type(linked).__module__.startswith("aiohttp")
        linked = linked.__cause__ or linked.__context__


async def test_an_answer_comes_back_as_it_is() -> None:
    """Status, bytes, the remaining header; and what went out is what was encoded."""
    async with (
        served(lambda raw: http(ACK, "200 OK", "X-Mbx-Used-Remain-Limit: 19")) as raw,
        transport_to(raw.url) as transport,
    ):
        reply = await transport.send(COMMAND, stamp, 5)
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body, reply.remaining) == (200, ACK, 19)
        assert 0 < reply.sent_ns <= reply.received_ns
        head, _, body = raw.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /api/v2/spot/trade/cancel-symbol-order HTTP/1.1\r\n")
        assert body == COMMAND.body
        assert b"ACCESS-SIGN: " + stamp()["ACCESS-SIGN"].encode() in head


@pytest.mark.parametrize(
    "header",
    ["", "X-Mbx-Used-Remain-Limit: many", "X-Mbx-Used-Remain-Limit: 9999999999", "X-Mbx-Used-Remain-Limit: -1"],
)
async def test_a_remaining_header_that_is_no_number_is_none(header: str) -> None:
    """It may only tighten, so nothing is better than a wrong one."""
    async with (
        served(lambda raw: http(ACK, "200 OK", *filter(None, [header]))) as raw,
        transport_to(raw.url) as transport,
    ):
        assert (await transport.send(COMMAND, stamp, 5)).remaining is None


@pytest.mark.failure(21)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [COMMAND, READ], ids=["command", "read"])
async def test_redirects_are_never_followed(status: int, request_: Any) -> None:
    """A 307 across hosts would carry key, passphrase, signature and body along: the other host sees no byte."""
    async with served(lambda raw: http()) as evil:
        location = f"Location: {evil.url}/api/v2/public/time"
        async with (
            served(lambda raw: http(b"", f"{status} Moved", location)) as raw,
            transport_to(raw.url) as transport,
        ):
            reply = await transport.send(request_, stamp, 5)
            assert reply.status == status
            assert len(raw.requests) == 1
        assert evil.connections == 0


@pytest.mark.failure(21)
async def test_the_client_tells_a_redirect_of_a_command_as_unknown() -> None:
    """Whatever stands between us and the exchange, nothing is known of the command."""
    async with served(lambda raw: http(ACK, "307 Moved", "Location: http://127.0.0.1:9/")) as raw:
        async with BitgetClient(KEY, base_url=raw.url) as client:
            error = await failed(client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id="1"))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "redirect"
        assert len(raw.requests) == 1


async def test_the_environment_can_neither_redirect_nor_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Proxies of the environment and ~/.netrc are ignored."""
    async with served(lambda raw: http()) as evil, served(lambda raw: http()) as raw:
        for name in PROXIES:
            monkeypatch.setenv(name, evil.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login user password canary-netrc\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        async with transport_to(raw.url) as transport:
            await transport.send(COMMAND, stamp, 5)
        assert evil.connections == 0
        assert b"authorization" not in raw.requests[0].lower()


async def test_cookies_are_not_kept() -> None:
    """A session of the network in front must not stick to the key."""
    async with (
        served(lambda raw: http(ACK, "200 OK", "Set-Cookie: a=b; Path=/")) as raw,
        transport_to(raw.url) as transport,
    ):
        for _ in range(2):
            await transport.send(COMMAND, stamp, 5)
        assert len(raw.requests) == 2
        assert b"\r\ncookie:" not in raw.requests[1].lower()
        assert raw.connections == 1


@pytest.mark.failure(6, 10, 11)
@pytest.mark.parametrize("first", [False, True], ids=["fresh", "kept"])
@pytest.mark.parametrize("request_", [COMMAND, READ], ids=["command", "read"])
async def test_a_request_that_is_read_and_dropped_is_sent_once(first: bool, request_: Any) -> None:
    """HTTP lets a GET be repeated when a kept connection drops, and many clients do: that copy would have no token."""

    def answer(raw: Raw) -> bytes | None:
        return http() if first and len(raw.requests) == 1 else None

    async with served(answer) as raw, transport_to(raw.url) as transport:
        if first:
            await transport.send(request_, stamp, 5)
        error = await failed(transport.send(request_, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "connection"
        assert len(raw.requests) == 1 + first


BROKEN = {
    "garbage status line": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "100 kB header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "header without a colon": b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
    "short body": b"HTTP/1.1 200 OK\r\nContent-length: 200\r\n\r\n" + ACK,
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "short chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + ACK,
    "nothing": b"",
}


@pytest.mark.failure(16, 17, 20)
@pytest.mark.parametrize("told", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_is_no_http_proves_nothing(told: bytes) -> None:
    """Some of them are "400" to aiohttp: the server has executed all the same, so it is never a refusal."""
    async with served(lambda raw: told) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "connection"
        assert error.endpoint == CANCEL_SYMBOL_ORDER.label
        assert error.http_status is None
        assert len(raw.requests) == 1


@pytest.mark.failure(20)
@pytest.mark.parametrize(
    "told",
    [
        http(b"x" * (64 * 1024 + 1)),
        http(b"x" * (1024 * 1024)),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (64 * 1024 + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 5
        + b"0\r\n\r\n",
    ],
    ids=["announced", "megabyte", "until close", "chunked"],
)
async def test_a_body_longer_than_its_row_allows_is_not_read_on(told: bytes) -> None:
    """64 kB for an acknowledgement, announced or not."""
    async with served(lambda raw: told) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert (error.reason, error.http_status) == ("too_large", 200)


async def test_a_body_of_exactly_the_most_bytes_is_read() -> None:
    """In many parts."""
    body = b"x" * (64 * 1024)
    async with served(lambda raw: http(body)) as raw, transport_to(raw.url) as transport:
        assert (await transport.send(COMMAND, stamp, 5)).body == body


async def test_a_body_of_many_buffers_comes_whole_and_keeps_its_connection() -> None:
    """Aiohttp stops reading while its buffer is full: whoever takes the body has to make it go on."""
    body = bytes(range(256)) * 4000
    async with served(lambda raw: http(body)) as raw, transport_to(raw.url) as transport:
        for _ in range(2):
            assert (await transport.send(LISTING, stamp, 5)).body == body
        assert raw.connections == 1


@pytest.mark.failure(20)
async def test_a_compressed_answer_is_not_inflated() -> None:
    """A bomb stays as small as it came: we ask for no compression and unpack none."""
    bomb = gzip.compress(b"\0" * 10_000_000)
    async with (
        served(lambda raw: http(bomb, "200 OK", "Content-Encoding: gzip")) as raw,
        transport_to(raw.url) as transport,
    ):
        assert (await transport.send(COMMAND, stamp, 5)).body == bomb
    async with served(lambda raw: http(TIME)) as raw:
        async with BitgetClient(base_url=raw.url) as client:
            await client.market.server_time()
        assert b"\r\naccept-encoding: identity\r\n" in raw.requests[0].lower()


@pytest.mark.failure(2)
async def test_a_refused_connection_is_proven_not_sent() -> None:
    """Nobody listens there: no byte left."""
    async with served(lambda raw: None) as raw:
        url = raw.url
    async with transport_to(url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
    assert isinstance(error, NotSent)
    assert (error.reason, error.endpoint) == ("connect", CANCEL_SYMBOL_ORDER.label)


@pytest.mark.failure(1)
async def test_a_name_that_does_not_resolve_is_proven_not_sent() -> None:
    """No address, no byte."""
    with mock.patch("aiohttp.resolver.ThreadedResolver.resolve", side_effect=OSError("no such host")):
        async with transport_to("https://no-such-host.invalid") as transport:
            error = await failed(transport.send(COMMAND, stamp, 5))
    assert isinstance(error, NotSent)
    assert error.reason == "connect"


@pytest.mark.failure(10)
async def test_an_accepted_connection_that_closes_at_once_is_unknown() -> None:
    """Whether the close is seen before the headers go is chance: a connection stood, so nothing is proven."""
    async with served(lambda raw: None, hurried=True) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "connection"
        assert raw.requests == []


async def test_a_stamp_that_fails_on_a_connection_that_stands_is_not_sent() -> None:
    """Without a stamp nothing is written, and the connection is not kept."""

    def failing() -> Mapping[str, str]:
        raise ValueError("canary")

    async with served(lambda raw: http()) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, failing, 5))
        assert isinstance(error, NotSent)
        assert raw.requests == []
        assert (await transport.send(COMMAND, stamp, 5)).status == 200
        assert raw.connections == 2


async def test_a_request_is_one_head_and_nothing_that_was_smuggled_in() -> None:
    """A row of the caller's own can have any path: a line break in it would begin another request."""
    async with served(lambda raw: http()) as raw, transport_to(raw.url) as transport:
        for target in ("/x HTTP/1.1\r\nX: y", "/x y", "/\u00e9"):
            smuggled = Request(COMMAND.row, target, target, COMMAND.body)
            assert isinstance(await failed(transport.send(smuggled, stamp, 5)), NotSent)
        assert raw.requests == []


async def test_answers_before_the_answer_are_passed_over() -> None:
    """Whatever stands in between may say "100 Continue" or "103 Early Hints": neither tells what became of it."""
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with served(lambda raw: early + http()) as raw, transport_to(raw.url) as transport:
        reply = await transport.send(COMMAND, stamp, 5)
        assert (reply.status, reply.body) == (200, ACK)
        assert (await transport.send(COMMAND, stamp, 5)).status == 200
        assert raw.connections == 1


@pytest.mark.failure(20)
@pytest.mark.parametrize("coding", ["chunked", "identity"])
async def test_a_length_beside_a_transfer_coding_is_no_answer(coding: str) -> None:
    """A declared length bounds the body only because nothing may contradict it: the parser refuses both together."""
    chunks = (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 5 + b"0\r\n\r\n"
    told = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: " + coding.encode() + b"\r\n\r\n" + chunks
    async with served(lambda raw: told) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "connection"


async def test_every_copy_is_stamped_once_and_after_the_connecting() -> None:
    """Opening may take seconds, and a stamp is good for the write only; nobody is told of a stamp that is not sent."""
    moments: list[str] = []
    start = aiohappyeyeballs.start_connection

    def counted() -> Mapping[str, str]:
        moments.append("stamped")
        return {"X-Stamp": str(len(moments))}

    async def slow(*args: Any, **kwargs: Any) -> Any:
        moments.append("opening")
        return await start(*args, **kwargs)

    async with served(lambda raw: http()) as raw, transport_to(raw.url) as transport:
        with mock.patch("aiohappyeyeballs.start_connection", slow):
            await transport.send(COMMAND, counted, 5)
            await transport.send(COMMAND, counted, 5)
        assert raw.connections == 1
        assert moments == ["opening", "stamped", "stamped"]
        assert b"X-Stamp: 2\r\n" in raw.requests[0]
        assert b"X-Stamp: 3\r\n" in raw.requests[1]


@pytest.mark.failure(7)
async def test_no_answer_in_time_is_unknown() -> None:
    """The total time is kept, and the failure says that it was the time."""
    async with served(lambda raw: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") as raw:
        async with transport_to(raw.url) as transport:
            error = await failed(transport.send(COMMAND, stamp, 0.1))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "timeout"


@pytest.mark.failure(4)
async def test_a_handshake_that_never_ends_is_proven_not_sent() -> None:
    """The connection stands and TLS does not: no header byte was written."""
    async with served(lambda raw: http()) as raw, transport_to(f"https://127.0.0.1:{raw.port}") as transport:
        error = await failed(transport.send(COMMAND, stamp, 0.1))
        assert isinstance(error, NotSent)
        assert raw.requests == []


@pytest.mark.parametrize("when", ["connecting", "waiting"])
async def test_a_cancelled_request_shows_nothing_of_the_key(when: str) -> None:
    """CancelledError goes through frames that hold the headers: a fresh one comes out."""
    async with (
        served(lambda raw: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") as raw,
        transport_to(raw.url) as transport,
    ):
        task = asyncio.get_running_loop().create_task(transport.send(COMMAND, stamp, 5))
        if when == "waiting":
            await raw.got.wait()
        else:
            await asyncio.sleep(0)
        task.cancel()
        error = await failed(task)
        assert isinstance(error, asyncio.CancelledError)


# -- TLS ----------------------------------------------------------------------------------------------------------


def quiet(loop: asyncio.AbstractEventLoop) -> None:
    """The server's side of a failed handshake is reported to the loop; that is its business."""
    loop.set_exception_handler(lambda *_: None)


async def test_a_private_authority_can_be_trusted() -> None:
    """With a context of the caller's own, which verifies."""
    async with (
        served(lambda raw: http(), tls=witness()) as raw,
        transport_to(f"https://127.0.0.1:{raw.port}", ssl_context=trusting()) as transport,
    ):
        assert (await transport.send(COMMAND, stamp, 5)).status == 200


@pytest.mark.failure(4)
async def test_the_default_context_trusts_no_private_authority() -> None:
    """Without a context of the caller's own, only the machine's authorities count."""
    quiet(asyncio.get_running_loop())
    async with served(lambda raw: http(), tls=witness()) as raw:
        async with transport_to(f"https://127.0.0.1:{raw.port}") as transport:
            error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, NotSent)
        assert error.reason == "tls"
        assert raw.requests == []


@pytest.mark.parametrize(("url", "made"), [("http://127.0.0.1:1", 0), ("https://127.0.0.1:1", 1)])
def test_only_a_client_that_needs_certificates_reads_them(url: str, made: int) -> None:
    """It takes longer than all the rest of making a client."""
    with mock.patch("ssl.create_default_context", side_effect=ssl.create_default_context) as default:
        BitgetClient(KEY, base_url=url)
    assert default.call_count == made


@pytest.mark.failure(4)
def test_a_context_that_does_not_verify_is_refused() -> None:
    """There is no way to switch verification off."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    for context in (unchecked, unverified):
        with pytest.raises(UsageError, match="must verify"):
            BitgetClient(ssl_context=context)


# -- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.bitget.com", "https://api.bitget.com"),
        ("https://api.bitget.com/", "https://api.bitget.com"),
        ("https://vip-api.bitget.com:8443", "https://vip-api.bitget.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://127.9.9.9", "http://127.9.9.9"),
    ],
)
def test_addresses_that_are_taken(url: str, origin: str) -> None:
    """Scheme, host, port; plain HTTP on loopback only."""
    assert origin_of(url) == origin
    assert is_loopback(url) == url.startswith("http:")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.bitget.com",
        "//api.bitget.com",
        "https://",
        "https:///path",
        "http://api.bitget.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "ws://127.0.0.1",
        "https://api.bitget.com/api",
        "https://api.bitget.com?x=1",
        "https://api.bitget.com#x",
        "https://user@api.bitget.com",
        "https://user:canary-word@api.bitget.com",
        "https://:canary-word@api.bitget.com",
        "https://api.bitget.com:0",
        "https://api.bitget.com:99999",
        "https://api.bitget.com:port",
        "https://[::1",
        "https://api.bitget.com\r\nX: y",
        None,
        17,
        b"https://api.bitget.com",
    ],
    ids=repr,
)
def test_addresses_that_are_refused(url: Any) -> None:
    """A passphrase never travels in clear, and what stands in the address is not repeated in the text."""
    with pytest.raises(UsageError, match=r"^base_url ") as caught:
        origin_of(url)
    assert "canary" not in str(caught.value)


# -- errors -------------------------------------------------------------------------------------------------------


def below(kind: type[BaseException]) -> set[type[BaseException]]:
    """That class and all its subclasses."""
    return {kind}.union(*(below(each) for each in kind.__subclasses__()))


AIOHTTP: set[type[BaseException]] = {
    kind for kind in below(aiohttp.ClientError) if kind.__module__.startswith("aiohttp")
}
AIOHTTP |= {
    kind for kind in vars(aiohttp.http_exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)
}
OTHERS: set[type[BaseException]] = {
    TimeoutError,
    OSError,
    ConnectionResetError,
    BrokenPipeError,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
}
OTHERS |= {asyncio.IncompleteReadError, ValueError, RuntimeError, UnicodeError, EOFError}


@pytest.mark.failure(1, 2, 3, 4, 5, 6)
@pytest.mark.parametrize("kind", sorted(AIOHTTP | OTHERS, key=str), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("headers_sent", [False, True])
def test_every_exception_is_mapped_by_what_left_and_not_by_its_name(kind: Any, headers_sent: bool) -> None:
    """Before the headers: not sent. After them: unknown, whatever status stands on it. Its own text stays out."""
    error = kind.__new__(kind, "canary")
    told = _describe(error, "POST /x", headers_sent)
    assert type(told) is (OutcomeUnknown if headers_sent else NotSent)
    assert "canary" not in str(told)
    assert "POST /x" in str(told)
    if not headers_sent:
        assert isinstance(told, NotSent)
        certificate = issubclass(kind, (ssl.SSLError, aiohttp.ClientSSLError))
        assert told.reason == ("tls" if certificate else "connect")
    else:
        assert isinstance(told, OutcomeUnknown)
        assert told.reason == ("timeout" if issubclass(kind, TimeoutError) else "connection")


def test_the_walk_finds_aiohttps_exceptions() -> None:
    """A walk over nothing would pass emptily."""
    assert len(AIOHTTP) >= 25
    assert {aiohttp.ServerDisconnectedError, aiohttp.ClientConnectorError, aiohttp.ClientPayloadError} <= AIOHTTP


# -- the stamp ----------------------------------------------------------------------------------------------------


@pytest.mark.failure(24)
@pytest.mark.parametrize("slow_s", [0.0, 3.0, 8.0])
def test_the_timestamp_is_taken_right_before_the_write(virtual: Callable[..., Any], slow_s: float) -> None:
    """Connecting took seconds: the stamp of before would be that old, and after 30 s it is refused."""
    told: list[int] = []

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange, client_of(exchange) as client:
            start = aiohappyeyeballs.start_connection

            async def slow(*args: Any, **kwargs: Any) -> Any:
                await asyncio.sleep(slow_s)
                return await start(*args, **kwargs)

            with mock.patch("aiohappyeyeballs.start_connection", slow):
                pending = await client.cancel_symbol_orders("BTCUSDT", snapshot="none")
            (copy,) = exchange.truth.copies("cancel-symbol-order")
            assert copy.timestamp_age_ms is not None
            told.append(copy.timestamp_age_ms)
            # What the handle counts from is the stamp that was sent.
            report = await pending
            assert report.signed_at_ms == copy.timestamp_ms
            assert report.attempts == 1

    virtual(main)
    assert 0 <= told[0] <= 50


async def test_a_closed_transport_opens_again_only_when_used() -> None:
    """Closing twice is safe; nothing is opened by closing."""
    async with served(lambda raw: http()) as raw, transport_to(raw.url) as transport:
        await transport.close()
        await transport.close()
        assert raw.connections == 0
        assert (await transport.send(READ, dict, 5)).status == 200


def test_a_write_that_fails_is_not_logged_with_what_was_written(caplog: pytest.LogCaptureFixture) -> None:
    """In debug mode asyncio logs the traceback of a failing write, and a frame of that holds the signed headers."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        line, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        theirs.close()
        try:
            _write(line, b"a secret")
            assert line.is_closing()
            assert not logging.getLogger("asyncio").disabled
        finally:
            line.abort()
            await asyncio.sleep(0)

    with caplog.at_level(logging.DEBUG, "asyncio"):
        asyncio.run(main(), debug=True)
    assert not [record for record in caplog.records if record.exc_info]
