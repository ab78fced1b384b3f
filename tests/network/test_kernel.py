"""
The network of the kernel: the client alone in a network namespace of its own, behind a cable that can be pulled.

Needs root, and ip(8); what time it takes is real.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from bitget_async import BitgetClient, NotSent
from bitget_async.limits import LocalLimits
from bitget_async.sim import FaultProxy, Settings, SimulatedExchange, faults
from tests.network.line import authority, serving, trusting

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
NUMBERS = itertools.count()
IP = shutil.which("ip") or ""


def ip(*words: str) -> bool:
    """Run ip(8); whether it worked."""
    return subprocess.run([IP, *words], capture_output=True, check=False).returncode == 0


def rooted() -> bool:
    """Whether namespaces can be made here."""
    name = f"bg{os.getpid()}"
    if not IP or not ip("netns", "add", name):
        return False
    return ip("netns", "del", name)


pytestmark = pytest.mark.skipif(not rooted(), reason="needs root: network namespaces")


class Cable:
    """A cable between this namespace and another one, in which the client lives."""

    def __init__(self) -> None:
        # Other workers of the same run make cables too.
        process, number = os.getpid(), next(NUMBERS) % 16
        self.name = f"bg{process}x{number:x}"
        self.near, self.far = f"bgn{process}{number:x}", f"bgf{process}{number:x}"
        net = f"10.{200 + process // 16 % 50}.{process % 16 * 16 + number}"
        self.host, self._there = f"{net}.1", f"{net}.2"

    def __enter__(self) -> Cable:
        assert ip("netns", "add", self.name)
        assert ip("link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.name)
        assert ip("addr", "add", f"{self.host}/30", "dev", self.near)
        assert ip("link", "set", self.near, "up")
        self.inside("addr", "add", f"{self._there}/30", "dev", self.far)
        self.inside("link", "set", self.far, "up")
        return self

    def __exit__(self, *_: object) -> None:
        ip("link", "del", self.near)
        ip("netns", "del", self.name)

    def inside(self, *words: str) -> None:
        """ip(8) in the client's namespace."""
        assert ip("-n", self.name, *words), words

    def shape(self, *words: str) -> None:
        """A queue of tc(8) on the client's end."""
        there = [IP, "netns", "exec", self.name, "tc", "qdisc", "add", "dev", self.far, "root", *words]
        subprocess.run(there, capture_output=True, check=True)

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run that in a thread that lives in the other namespace; the sockets that it opens live there too."""
        ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()

        def live() -> None:
            try:
                with open(f"/run/netns/{self.name}") as there:
                    assert ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET) == 0
                result = asyncio.run(work())
            except BaseException as error:
                loop.call_soon_threadsafe(ended.set_exception, error)
            else:
                loop.call_soon_threadsafe(ended.set_result, result)

        thread = threading.Thread(target=live)
        thread.start()
        try:
            return await ended
        finally:
            thread.join()


@asynccontextmanager
async def cabled(cable: Cable) -> AsyncIterator[tuple[SimulatedExchange, FaultProxy]]:
    """An exchange with two open orders, heard behind TLS on the near end of the cable."""
    settings = Settings(sweep_delay_s=0.05, listing_lag_s=0.0, history_lag_s=0.05)
    tls = serving(authority().issue_cert(cable.host))
    async with (
        SimulatedExchange(settings=settings) as exchange,
        FaultProxy(exchange.base_url, tls=tls, host=cable.host) as proxy,
    ):
        exchange.rest("BTCUSDT", 2, age_s=60)
        yield exchange, proxy


async def cancelled(exchange: SimulatedExchange, proxy: FaultProxy, timeout_s: float) -> str:
    """What a cancellation comes to."""
    async with BitgetClient(
        exchange.credentials(),
        base_url=proxy.base_url,
        ssl_context=trusting(),
        timeout_s=timeout_s,
        staleness_s=0.3,
        limits=LocalLimits(),
    ) as client:
        try:
            pending = await client.cancel_symbol_orders("BTCUSDT", snapshot="none", confirm_within_s=12.0)
            return (await pending.settled()).outcome.name
        except NotSent as error:
            return f"NotSent {error.reason}"


async def tried(before: Callable[[Cable], None], timeout_s: float = 0.5) -> tuple[str, int, int]:
    """Prepare the cable, cancel; the outcome, bytes heard, executions."""
    with Cable() as cable:
        async with cabled(cable) as (exchange, proxy):
            before(cable)
            word = await cable.run(lambda: cancelled(exchange, proxy, timeout_s))
            return word, proxy.heard, len(exchange.truth.executions)


WAYS: dict[str, Callable[[Cable], None]] = {
    "no route": lambda cable: cable.inside("addr", "flush", "dev", cable.far),
    "unreachable": lambda cable: cable.inside("route", "add", "unreachable", f"{cable.host}/32"),
    "prohibited": lambda cable: cable.inside("route", "add", "prohibit", f"{cable.host}/32"),
    "swallowed by the route": lambda cable: cable.inside("route", "add", "blackhole", f"{cable.host}/32"),
    "its end is down": lambda cable: cable.inside("link", "set", cable.far, "down"),
    "the other end is down": lambda cable: assert_(ip("link", "set", cable.near, "down")),
}


def assert_(worked: bool) -> None:
    """As an expression."""
    assert worked


@pytest.mark.failure(2, 3)
@pytest.mark.parametrize("way", WAYS)
async def test_without_a_way_to_the_exchange_nothing_is_sent(way: str) -> None:
    """The kernel says so, or nobody says anything."""
    assert await tried(WAYS[way]) == ("NotSent connect", 0, 0)


@pytest.mark.failure(7)
async def test_a_cable_pulled_before_the_answer_leaves_doubt_and_then_proof() -> None:
    """Executed, and the answer cannot come; the cable is back after two seconds, and the orders are looked at."""
    with Cable() as cable:
        async with cabled(cable) as (exchange, proxy):
            exchange.faults.add("cancel-symbol-order", faults.delayed(after_s=0.4))
            client = asyncio.ensure_future(cable.run(lambda: cancelled(exchange, proxy, 0.8)))
            for _ in range(500):
                await asyncio.sleep(0.02)
                if exchange.truth.executions:
                    break
            assert ip("link", "set", cable.near, "down")
            await asyncio.sleep(2.0)
            assert ip("link", "set", cable.near, "up")
            assert await client == "CONFIRMED"
            assert exchange.truth.count("cancel-symbol-order") == 1


@pytest.mark.failure(7, 20)
async def test_a_line_of_a_kilobyte_a_second_changes_nothing_but_the_time() -> None:
    """Requests and looks queue up before it: one copy, taken and confirmed."""

    def slow(cable: Cable) -> None:
        cable.shape("tbf", "rate", "8kbit", "burst", "1600", "latency", "9s")

    word, _, executions = await tried(slow, 8.0)
    assert (word, executions) == ("CONFIRMED", 1)
