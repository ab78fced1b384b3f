"""The fault proxy by itself: a plain server behind it, a plain socket before it, and every way of ending a line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bitget_async.clock import VirtualClock
from bitget_async.sim import FaultProxy, LineFault, Passed, SimulatedExchange
from bitget_async.sim.proxy import End
from tests.conftest import client_of
from tests.network.line import trusting, witness

REQUEST = b"POST /api/v2/spot/trade/cancel-order?x=1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"


class Behind:
    """A server that answers every whole request, and what it got."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while piece := await reader.read(65_536):
                self.got.append(piece)
                if b"".join(self.got).endswith(b"body"):
                    writer.write(ANSWER)
            self.ended.append("FIN")
        except ConnectionResetError:
            self.ended.append("RST")
        finally:
            writer.close()


@asynccontextmanager
async def line(**options: Any) -> AsyncIterator[tuple[Behind, FaultProxy]]:
    """The server and the proxy before it."""
    behind = Behind()
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    async with FaultProxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", **options) as proxy:
        yield behind, proxy
    server.close()
    await asyncio.sleep(0.01)


async def asked(proxy: FaultProxy, *, times: int = 1, silent: bool = False, **options: Any) -> bytes:
    """What comes back on one connection for that many requests, and how it ends: `|FIN`, `|RST`, or `|...`."""
    host, port = proxy.base_url.rpartition("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port), **options)
    told = b""
    try:
        async with asyncio.timeout(0.05 if silent else 10):
            for number in range(times):
                writer.write(REQUEST)
                while told.count(b"0123456789") <= number:
                    piece = await reader.read(65_536)
                    if not piece:
                        return told + b"|FIN"
                    told += piece
    except ConnectionResetError:
        return told + b"|RST"
    except TimeoutError:
        return told + b"|..."
    finally:
        writer.close()
    return told


@pytest.mark.parametrize("tls", [False, True])
async def test_a_calm_line_passes_everything_and_names_what_passed(tls: bool) -> None:
    """Without a script it is not there; requests are told apart by the answers between them."""
    options: dict[str, Any] = {"ssl": trusting()} if tls else {}
    async with line(tls=witness() if tls else None) as (behind, proxy):
        assert proxy.base_url.startswith("https://" if tls else "http://")
        assert await asked(proxy, times=3, **options) == ANSWER * 3
        assert b"".join(behind.got) == REQUEST * 3
        assert proxy.requests == [Passed(1, "cancel-order", "")] * 3
        assert (proxy.connections, proxy.heard) == (1, 3 * len(REQUEST))


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("end", "told"), [("close", b"|FIN"), ("half", b"|FIN"), ("reset", b"|RST"), ("hang", b"|...")]
)
async def test_an_answer_is_cut_at_its_byte_and_ends_as_told(tls: bool, end: End, told: bytes) -> None:
    """The request has arrived whole; the client gets that many bytes, what is inserted, and that end."""
    options: dict[str, Any] = {"ssl": trusting()} if tls else {}
    async with line(tls=witness() if tls else None) as (behind, proxy):
        proxy.play(LineFault(name="cut", down=20, insert=b"<>", end=end))
        got = await asked(proxy, silent=end == "hang", **options)
        # A reset may overtake what was sent before it.
        assert got == ANSWER[:20] + b"<>" + told or (end == "reset" and got == told)
        assert b"".join(behind.got) == REQUEST
        assert proxy.requests == [Passed(1, "cancel-order", "cut")]


@pytest.mark.parametrize("end", ["close", "reset", "half", "hang", "deaf"])
async def test_a_request_is_cut_at_its_byte(end: End) -> None:
    """The server gets that many bytes; an RST goes to both sides."""
    async with line() as (behind, proxy):
        proxy.play(LineFault(up=30, end=end))
        assert await asked(proxy, silent=end in ("hang", "deaf")) in (b"|FIN", b"|RST", b"|...")
        await proxy.close()
        await asyncio.sleep(0.01)
        assert b"".join(behind.got) in ((REQUEST[:30], b"") if end == "reset" else (REQUEST[:30],))
        assert behind.ended == ["RST" if end == "reset" else "FIN"]


async def test_garbage_goes_in_and_the_rest_passes() -> None:
    """In the middle of an answer, and ahead of a request; once."""
    async with line() as (behind, proxy):
        proxy.play(LineFault(before=b"GARBAGE", down=10, insert=b"##", end="on"))
        assert await asked(proxy, times=2) == ANSWER[:10] + b"##" + ANSWER[10:] + ANSWER
        assert b"".join(behind.got) == b"GARBAGE" + REQUEST * 2


async def test_a_sliced_line_passes_pieces() -> None:
    """Every byte arrives, in pieces of that size on both ways."""
    async with line() as (behind, proxy):
        proxy.play(LineFault(piece_bytes=7, latency_s=0.0001))
        assert await asked(proxy) == ANSWER
        assert b"".join(behind.got) == REQUEST
        assert len(behind.got) > 5


@pytest.mark.parametrize(
    ("fault", "least_s", "most_s"),
    [
        (LineFault(latency_s=0.5), 1.0, 1.0),
        (LineFault(latency_s=(0.1, 0.3)), 0.2, 0.6),
        (LineFault(bytes_per_s=1_000), 0.3, 0.7),
        (LineFault(piece_bytes=100, latency_s=1.0), 4.0, 7.0),
        (LineFault(), 0.0, 0.0),
    ],
    ids=["latency", "jitter", "bandwidth", "slicer", "calm"],
)
def test_a_slow_line_takes_its_time_in_virtual_time(
    virtual: Callable[..., Any], fault: LineFault, least_s: float, most_s: float
) -> None:
    """Latency counts for each piece each way; it is the loop's time, so no test need wait for it."""

    async def main() -> float:
        async with SimulatedExchange(clock=VirtualClock()) as exchange, FaultProxy(exchange.base_url) as proxy:
            client = client_of(exchange)
            client._transport._origin = proxy.base_url
            async with client:
                proxy.play(fault, "time")
                began = asyncio.get_running_loop().time()
                assert await client.market.server_time()
                return asyncio.get_running_loop().time() - began

    assert least_s <= virtual(main) <= most_s + 0.01


async def test_faults_meet_the_requests_that_they_are_meant_for() -> None:
    """By path, by number and by how many pass before; the first line of the script wins."""
    async with line() as (_, proxy):
        proxy.play(LineFault(name="other"), "place-order", times=None)
        proxy.play(LineFault(name="third"), "cancel-order", after=2, times=2)
        proxy.play(LineFault(name="any"), times=1)
        assert await asked(proxy, times=6) == ANSWER * 6
        assert [each.fault for each in proxy.requests] == ["any", "", "third", "third", "", ""]
        proxy.play(LineFault(name="again"), times=None)
        proxy.clear()
        assert await asked(proxy) == ANSWER
        assert proxy.requests[-1] == Passed(2, "cancel-order", "")


async def test_one_seed_decides_every_draw() -> None:
    """The same requests meet the same faults; another seed gives others."""
    runs = []
    for seed in (1, 1, 2):
        async with line(seed=seed) as (_, proxy):
            proxy.play(LineFault(name="x"), times=None, probability=0.5)
            assert await asked(proxy, times=20) == ANSWER * 20
            runs.append([each.fault for each in proxy.requests])
    assert runs[0] == runs[1] != runs[2]
    assert 3 < runs[0].count("x") < 17


@pytest.mark.parametrize(
    ("end", "told"), [("close", b"?|FIN"), ("reset", b"|RST"), ("hang", b"?|..."), ("deaf", b"?|...")]
)
async def test_a_connection_can_fail_when_it_is_accepted(end: End, told: bytes) -> None:
    """Before TLS and before any request: nothing of it goes on."""
    async with line(tls=witness()) as (behind, proxy):
        proxy.play(LineFault(stage="accept", insert=b"" if end == "reset" else b"?", end=end))
        got = await asked(proxy, silent=end in ("hang", "deaf"))
        # Who closes on unread bytes sends a reset.
        assert got in (told, told.replace(b"FIN", b"RST"))
        assert (behind.got, proxy.requests, proxy.heard) == ([], [], 0)
        assert await asked(proxy, ssl=trusting()) == ANSWER


async def test_it_refuses_and_listens_again_on_the_same_port() -> None:
    """What stands stays; who comes anew is refused until it listens."""
    async with line() as (_, proxy):
        url = proxy.base_url
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            _ = await asked(proxy)
        await proxy.listen()
        assert proxy.base_url == url
        assert await asked(proxy) == ANSWER


async def test_a_full_backlog_lets_nobody_connect() -> None:
    """The kernel drops what would connect: neither accepted nor refused, until it listens again."""
    async with line() as (_, proxy):
        proxy.ignore()
        host, port = proxy.base_url.rpartition("/")[2].split(":")
        with socket.socket() as late:
            late.setblocking(False)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await asyncio.get_running_loop().sock_connect(late, (host, int(port)))
        await proxy.listen()
        assert await asked(proxy) == ANSWER
        assert proxy.connections == 1
        await proxy.refuse()
        proxy.ignore()


@pytest.mark.parametrize("reset", [False, True])
async def test_every_connection_ends_on_command(reset: bool) -> None:
    """With FIN or RST, idle ones too."""
    async with line() as (_, proxy):
        host, port = proxy.base_url.rpartition("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(REQUEST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        proxy.hang_up(reset=reset)
        if reset:
            with pytest.raises(ConnectionResetError):
                _ = await reader.read()
        else:
            assert await reader.read() == b""
        writer.close()


async def test_it_speaks_unasked_on_command() -> None:
    """To every client, between its requests."""
    async with line() as (_, proxy):
        host, port = proxy.base_url.rpartition("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(REQUEST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        proxy.say(b"unasked")
        assert await reader.readexactly(7) == b"unasked"
        writer.close()


async def test_nobody_behind_it_is_a_closed_line() -> None:
    """The proxy stands, the exchange does not."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with FaultProxy(f"http://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            assert await asked(proxy) in (b"|FIN", b"|RST")
            assert proxy.requests == []
