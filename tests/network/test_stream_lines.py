"""The stream over real sockets and TLS: the rules of requests, and ends that do not wait for the other side."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import trustme

from bitget_async import StreamState
from tests.network.line import bench, run_over_sockets, serving

LIVE, STALE = StreamState.LIVE, StreamState.STALE


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


@pytest.mark.failure(47)
@pytest.mark.parametrize("reset", [False, True])
def test_a_line_that_ends_is_opened_again(reset: bool) -> None:
    """By a goodbye or by a reset, through TLS."""

    async def main() -> None:
        async with bench(stream=True) as case, case.client.stream.orders("BTCUSDT") as updates:
            await updates.ready()
            case.proxy.hang_up(reset=reset)
            assert await updates.wait_state(STALE) is STALE
            assert await updates.wait_state(LIVE) is LIVE
            (placed,) = case.exchange.rest("BTCUSDT")
            assert (await anext(updates)).order_id == placed

    run_over_sockets(main)


def test_no_login_leaves_for_a_host_that_cannot_show_its_certificate() -> None:
    """The passphrase goes to nobody whom we do not know."""

    async def main() -> None:
        impostor = serving(trustme.CA().issue_cert("127.0.0.1"))
        async with bench(tls=impostor) as case:
            updates = case.client.stream.orders()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await updates.ready()
            assert case.proxy.connections > 1
            assert case.proxy.heard == 0
            assert case.exchange.sockets.records == []
            assert updates.state is StreamState.CONNECTING

    run_over_sockets(main)


@pytest.mark.parametrize("trouble", ["none", "silent", "deaf"])
def test_closing_does_not_wait_for_the_goodbye_of_tls(trouble: str) -> None:
    """With TLS aiohttp would wait for most of a minute; `run_on` finds every socket and task that is left."""

    async def main() -> None:
        async with bench(stream=True) as case:
            updates, prices = case.client.stream.orders(), case.client.stream.ticker("BTCUSDT")
            await updates.ready()
            await prices.ready()
            if trouble == "silent":
                case.exchange.sockets.stall(True, newcomers=True)
            elif trouble == "deaf":
                case.proxy.ignore()
                case.proxy.hang_up()
                _ = await updates.wait_state(STALE)
                await asyncio.sleep(3)
            began = now_s()
            await case.client.close()
            assert now_s() - began <= 1.0

    run_over_sockets(main)


def test_an_exchange_that_is_not_there_is_tried_for_as_long_as_it_takes() -> None:
    """A release of the exchange takes half an hour; afterwards nobody has to do anything."""

    async def main() -> None:
        async with bench(stream=True) as case, case.client.stream.orders() as updates:
            await updates.ready()
            await case.proxy.refuse()
            case.proxy.hang_up()
            _ = await updates.wait_state(STALE)
            await asyncio.sleep(300)
            await case.proxy.listen()
            began = now_s()
            assert await updates.wait_state(LIVE) is LIVE
            # The longest pause, and what it takes.
            assert now_s() - began <= 31.0

    run_over_sockets(main, debug=False)
