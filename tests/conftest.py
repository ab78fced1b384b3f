"""
What every test may use: virtual time with the real aiohttp stack.

`virtual` runs a coroutine function on a loop whose clock jumps from timer to timer: the client, aiohttp and the
simulator all run for real, over sockets that live in memory, and hours take milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from bitget_async import BitgetClient
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange
from tests.virtualtime import virtual_loop, virtual_sockets

pytest_plugins = ["tests.leaks", "tests.reliability"]

T = TypeVar("T")


# An exchange on which nothing lags, 20 ms away.
CALM: dict[str, Any] = {
    "request_latency_s": 0.02,
    "answer_latency_s": 0.02,
    "listing_lag_s": 0.0,
    "history_lag_s": 0.0,
    "order_info_lag_s": 0.0,
    "sweep_delay_s": 0.1,
}


def run_virtual(main: Callable[[], Awaitable[T]], *, debug: bool = True) -> T:
    """
    Run `main()` on a fresh loop in virtual time and return what it returns. Fails on anything left behind: a task,
    or an exception that only the loop's handler heard of.
    """
    loop = virtual_loop()
    loop.set_debug(debug)
    with virtual_sockets():
        return run_on(loop, main)


def run_on(loop: asyncio.AbstractEventLoop, main: Callable[[], Awaitable[T]], *, expected: Any = ()) -> T:
    """
    The same on that loop, which is closed then; exceptions of the `expected` classes may be told to its handler alone.
    """
    unheard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unheard.append(context))

    async def whole() -> T:
        result = await main()
        # Closing transports say goodbye in the next turns.
        await asyncio.sleep(1)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"
        return result

    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(whole())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    unheard = [each for each in unheard if not isinstance(each.get("exception"), expected)]
    assert not unheard, f"the loop's exception handler heard: {unheard}"
    return result


@pytest.fixture
def virtual() -> Callable[..., Any]:
    """`run_virtual` as a fixture."""
    return run_virtual


def client_of(exchange: SimulatedExchange, **options: Any) -> BitgetClient:
    """A client of that simulated exchange, in virtual time, with a seeded jitter."""
    options.setdefault("clock", VirtualClock())
    options.setdefault("rng", random.Random(7))
    return BitgetClient(exchange.credentials(), base_url=exchange.base_url, **options)


def with_exchange(
    main: Callable[[SimulatedExchange, BitgetClient], Awaitable[None]],
    *,
    seed: int = 5,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> None:
    """
    Run `main(exchange, client)` in virtual time: 20 ms each way, and nothing lags unless the settings say so.
    `options` are the client's.
    """

    async def whole() -> None:
        made = SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**{**CALM, **settings}))
        async with made as exchange, client_of(exchange, **(options or {})) as client:
            await main(exchange, client)

    run_virtual(whole)


@pytest.fixture(autouse=True)
def debug_logging() -> Iterator[None]:
    """Everything is logged in tests, so that what must not be logged would be found."""
    logger = logging.getLogger("bitget_async")
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.NOTSET)
