"""The HTTP shell: real loopback, and the same over sockets in virtual time."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import aiohappyeyeballs
import aiohttp
import async_solipsism
import pytest
from aiohttp.abc import AbstractResolver

from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, faults

TIME = "/api/v2/public/time"


async def fetch(session, exchange, path=TIME):
    """Status and body, or the name of the failure."""
    try:
        async with session.get(exchange.base_url + path) as response:
            return response.status, await response.text()
    except aiohttp.ClientError as error:
        return type(error).__name__, ""


def one_shot():
    """A session that neither keeps connections nor repeats requests."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
    session._retry_connection = False
    return session


def others():
    """Tasks that should not be there."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_serves_over_loopback():
    """Status, envelope and the remaining-limit header arrive."""
    async with SimulatedExchange() as exchange, one_shot() as session:
        async with session.get(exchange.base_url + TIME) as response:
            assert response.status == 200
            assert response.headers["x-mbx-used-remain-limit"] == "19"
            assert (await response.json())["code"] == "00000"
        (copy,) = exchange.truth.wire
        assert (copy.ip, copy.path, copy.status) == ("127.0.0.1", TIME, 200)


async def test_raw_query_arrives_as_it_was_sent():
    """Order, percent signs and case of the wire survive: the signature depends on them."""
    import yarl

    async with SimulatedExchange() as exchange, one_shot() as session:
        url = yarl.URL(f"{exchange.base_url}{TIME}?z=1&a=%24%2f&z=t-1%23a", encoded=True)
        async with session.get(url) as response:
            assert response.status == 200
        assert exchange.truth.wire[0].query == "z=1&a=%24%2f&z=t-1%23a"


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (faults.drop(executed=True), "ServerDisconnectedError"),
        (faults.reset(executed=False), "ClientOSError"),
        (faults.truncated(), "ClientPayloadError"),
        (faults.truncated(0), "ClientPayloadError"),
        (faults.page(502, executed=True), 502),
        (faults.raw(b""), 200),
    ],
)
async def test_connection_faults_look_real(fault, failure):
    """What a client sees on a real socket; the next request is served."""
    async with SimulatedExchange() as exchange, one_shot() as session:
        exchange.faults.add("time", fault)
        assert (await fetch(session, exchange))[0] == failure
        assert (await fetch(session, exchange))[0] == 200
        assert exchange.truth.count("time") == 2


@pytest.mark.parametrize("fault", [faults.hang(executed=True), faults.delayed(before_s=60.0)], ids=lambda f: f.name)
@pytest.mark.parametrize("leave", ["client first", "exchange first"])
async def test_closing_waits_for_nobody(fault, leave):
    """A hanging answer neither delays the close nor leaves a task behind."""
    loop = asyncio.get_running_loop()
    exchange = SimulatedExchange()
    await exchange.start()
    arrived = asyncio.Event()

    def fits(copy):
        arrived.set()
        return True

    exchange.faults.add("time", fault, where=fits)
    async with one_shot() as session:
        asking = loop.create_task(fetch(session, exchange))
        await arrived.wait()
        start = loop.time()
        if leave == "client first":
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
        await exchange.close()
        if leave == "exchange first":
            assert (await asking)[0] in ("ServerDisconnectedError", "ClientOSError")
        assert loop.time() - start < 1.0
    assert others() == []
    await exchange.close()


async def test_two_exchanges_live_side_by_side():
    """Each with its own port, accounts and truth."""
    async with SimulatedExchange(1) as one, SimulatedExchange(2) as two, one_shot() as session:
        assert one.base_url != two.base_url
        assert (await fetch(session, one))[0] == 200
        assert (one.truth.count(), two.truth.count()) == (1, 0)
        assert one.credentials() != two.credentials()


class Loopback(AbstractResolver):
    """Virtual time has no name service."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [{"hostname": host, "host": host, "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self):
        pass


def test_runs_in_virtual_time(monkeypatch):
    """A minute of latencies and a hang over virtual sockets; wakes at the exact virtual times, no real waiting."""
    monkeypatch.setattr(aiohappyeyeballs, "start_connection", async_solipsism.aiohappyeyeballs_start_connection)

    async def story():
        settings = Settings(request_latency_s=0.25, answer_latency_s=0.25)
        loop = asyncio.get_running_loop()
        async with SimulatedExchange(clock=VirtualClock(), settings=settings) as exchange:
            connector = aiohttp.TCPConnector(resolver=Loopback(), force_close=True)
            timeout = aiohttp.ClientTimeout(total=30)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                session._retry_connection = False
                for _ in range(120):
                    assert (await fetch(session, exchange))[0] == 200
                assert 60.0 <= loop.time() < 60.1
                exchange.faults.add("time", faults.reset(executed=True))
                assert (await fetch(session, exchange))[0] == "ServerDisconnectedError"
                exchange.faults.add("time", faults.hang(executed=True))
                with pytest.raises(TimeoutError):
                    await fetch(session, exchange)
                exchange.faults.add("time", faults.hang(executed=True))
                last = loop.create_task(fetch(session, exchange))
                await asyncio.sleep(1.0)
                start = loop.time()
                await exchange.close()
                assert loop.time() == start, "a hang is released, not waited for"
                assert (await last)[0] == "ServerDisconnectedError"
                copies = exchange.truth.wire
                assert {(copy.processed_ns or 0) - copy.received_ns for copy in copies} == {250_000_000}
        assert others() == []

    loop = async_solipsism.EventLoop()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
