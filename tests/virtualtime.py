"""An event loop whose clock jumps from timer to timer, with sockets that live in memory."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from unittest import mock

import async_solipsism
from async_solipsism.socket import Socket

RESOLUTION_S = 1e-6


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
    loop.slow_callback_duration = math.inf
    selector = loop._selector
    clock, select = selector.clock, selector.select

    def advance(delta_s: float) -> None:
        clock._ticks += max(1, math.ceil(delta_s / RESOLUTION_S - 1e-6))

    def look(timeout_s: float | None = None) -> list[tuple[SelectorKey, int]]:
        # The selector's own loop does the same by way of two mappings: with many connections most of a run's time.
        ready = []
        for key in selector._fd_to_key.values():
            socket = key.fd.socket
            if key.events == EVENT_READ and type(socket) is Socket:
                queue = socket._read_queue
                if queue is None or queue._buffer or queue._eof:
                    ready.append((key, EVENT_READ))
                continue
            seen = EVENT_READ if key.events & EVENT_READ and socket.read_ready() else 0
            seen |= EVENT_WRITE if key.events & EVENT_WRITE and socket.write_ready() else 0
            if seen:
                ready.append((key, seen))
        if not ready and timeout_s is None:
            return select(None)
        if not ready and timeout_s:
            advance(timeout_s)
        return ready

    clock.advance = advance
    selector.select = look
    return loop


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


@contextlib.contextmanager
def virtual_sockets() -> Iterator[None]:
    """
    The client of aiohttp connects through the loop's own sockets, and its idle connections age with the loop: else one
    that was idle during a stall of minutes would look fresh.
    """
    connect = async_solipsism.aiohappyeyeballs_start_connection
    with (
        mock.patch("aiohappyeyeballs.start_connection", connect),
        mock.patch("aiohttp.connector.monotonic", _loop_s),
    ):
        yield
