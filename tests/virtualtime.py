"""An event loop whose clock jumps from timer to timer, with sockets that live in memory."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from unittest import mock

import async_solipsism

RESOLUTION_S = 1e-6
# asyncio asks its selector for at most a day; this one's takes a whole day for "no timer at all".
LONGEST_S = 43_200.0


class VirtualLoop(async_solipsism.EventLoop):  # type: ignore[misc]
    """
    A loop in virtual time.

    asyncio fires a timer up to one clock resolution early, and a virtual clock never moves by less than one: a
    callback that sets itself again until its moment has come (as aiohttp's server does with its keep-alive timer)
    would spin for ever. So here timers are never early, and the clock moves by at least one step. A timer that is
    just due must still fire: the resolution is the least that can be added to the time, which grows with it.
    """

    @property
    def _clock_resolution(self) -> float:
        return math.ulp(self.time())

    @_clock_resolution.setter
    def _clock_resolution(self, _: float) -> None:
        """What the base class would have."""


def virtual_loop() -> VirtualLoop:
    """A new loop in virtual time, in debug mode."""
    loop = VirtualLoop()
    loop.set_debug(True)
    # A callback of 100 real milliseconds is "slow" to the debug mode; on a busy machine that is no news.
    loop.slow_callback_duration = 60.0
    selector = loop._selector
    clock, select = selector.clock, selector.select

    def advance(delta_s: float) -> None:
        clock._ticks += max(1, math.ceil(delta_s / RESOLUTION_S - 1e-6))

    clock.advance = advance
    selector.select = lambda timeout_s=None: select(None if timeout_s is None else min(timeout_s, LONGEST_S))
    return loop


@contextlib.contextmanager
def virtual_sockets() -> Iterator[None]:
    """The client of aiohttp connects through the loop's own sockets."""
    connect = async_solipsism.aiohappyeyeballs_start_connection
    with mock.patch("aiohappyeyeballs.start_connection", connect):
        yield
