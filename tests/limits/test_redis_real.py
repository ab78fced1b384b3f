"""The script on a real server, and redis-py: what the interpreter in the other tests cannot show."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitget_async import NotSent, RedisLimits
from bitget_async.clock import SystemClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.limits.local import Grant
from tests.sharing.server import RealServer, program

pytestmark = pytest.mark.skipif(program() is None, reason="no redis-server and no valkey-server on this machine")

CLOCK = SystemClock()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """A server that has just started."""
    server = RealServer(tmp_path)
    server.start()
    yield server
    server.kill()


def limits_on(server: RealServer) -> RedisLimits:
    """Limits that do not wait long for what a server that has just started may not know."""
    return RedisLimits(server.url, uid="1234567890", lease_s=0.2)


class Heard(logging.Handler):
    """Tells when those words are logged."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self._said = asyncio.Event()

    async def __aenter__(self) -> asyncio.Event:
        logging.getLogger("bitget_async.limits").addHandler(self)
        return self._said

    async def __aexit__(self, *_: object) -> None:
        logging.getLogger("bitget_async.limits").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if self._words in record.getMessage():
            self._said.set()


async def take(limits: RedisLimits, max_wait_s: float | None = None) -> Grant:
    """One token of the panic button."""
    return await limits.acquire(
        CANCEL_SYMBOL_ORDER, "a", "http://127.0.0.1", clock=CLOCK, max_wait_s=max_wait_s, owner=limits
    )


async def test_five_go_at_once_and_the_sixth_is_told_when(server: RealServer) -> None:
    """The same rule as in one process, on a real server with its own Lua, its own packing and its own clock."""
    async with limits_on(server) as one, limits_on(server) as other:
        grants = [await take(one) for _ in range(3)] + [await take(other) for _ in range(2)]
        with pytest.raises(NotSent) as told:
            _ = await take(one, max_wait_s=0.3)
        assert 0.3 < (told.value.expected_wait_s or 0.0) <= 1.01
        for grant in grants:
            grant.unsent()


async def test_the_script_is_loaded_again_where_it_was_forgotten(server: RealServer) -> None:
    """SCRIPT FLUSH, or a failover: NOSCRIPT proves that nothing ran, and the message goes again with the text."""
    async with limits_on(server) as limits:
        (await take(limits)).unsent()
        with server.client() as client:
            client.script_flush()
        began_s = time.monotonic()
        grants = [await take(limits) for _ in range(3)]
        assert time.monotonic() - began_s < 0.9
        for grant in grants:
            grant.unsent()


async def test_a_cancel_does_not_wait_for_a_server_that_is_gone(
    server: RealServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The token in the pocket needs nobody: five milliseconds are allowed. One warning, and the way back is found."""
    async with limits_on(server) as limits:
        (await take(limits)).unsent()
        server.kill()
        began_s = time.monotonic()
        grant = await take(limits)
        assert time.monotonic() - began_s < 0.005
        grant.unsent()
        async with asyncio.timeout(10), Heard("away") as away, Heard("is back") as back:
            _ = await away.wait()
            server.start()
            _ = await back.wait()
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 1


async def test_a_password_is_shown_nowhere(server: RealServer, caplog: pytest.LogCaptureFixture) -> None:
    """Refused by the server, named in the log as a kind of failure; the uid is not in a key's name either."""
    secret = "s3cr3t-" + "horse"
    url = server.url.replace("unix://", f"unix://user:{secret}@")
    async with RedisLimits(url, uid="1234567890", lease_s=0.2) as limits, limits_on(server) as open_one:
        grant = await take(limits)
        grant.unsent()
        (await take(open_one)).unsent()
        assert secret not in repr(limits) + repr(limits._server)
        with server.client() as client:
            names = [name.decode() for name in client.scan_iter()]
    assert "away" in caplog.text
    assert secret not in caplog.text
    assert names
    assert not [name for name in names if "1234567890" in name]
