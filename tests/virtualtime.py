"""An event loop whose clock jumps from timer to timer, with sockets that live in memory."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from unittest import mock

import async_solipsism

RESOLUTION_S = 1e-6


def virtual_loop() -> async_solipsism.EventLoop:
    """
    A new loop in virtual time, in debug mode.

    asyncio fires a timer up to one clock resolution early, and a virtual clock never moves by less than one: a
    callback that sets itself again until its moment has come (as aiohttp's server does with its keep-alive timer)
    would spin for ever. So here timers are never early, and the clock moves by at least one step.
    """
    loop = async_solipsism.EventLoop()
    loop.set_debug(True)
    # A callback of 100 real milliseconds is "slow" to the debug mode; on a busy machine that is no news.
    loop.slow_callback_duration = 60.0
    loop._clock_resolution = 1e-12
    clock = loop._selector.clock

    def advance(delta_s: float) -> None:
        clock._ticks += max(1, math.ceil(delta_s / RESOLUTION_S - 1e-6))

    clock.advance = advance
    return loop


@contextlib.contextmanager
def virtual_sockets() -> Iterator[None]:
    """The client of aiohttp connects through the loop's own sockets."""
    connect = async_solipsism.aiohappyeyeballs_start_connection
    with mock.patch("aiohappyeyeballs.start_connection", connect):
        yield
