"""
A shorter way from a session to the simulated exchange.

A million cancels over aiohttp on both sides take an hour of one core, and that road is walked by every other test. So
most requests of the long run are handed to the gateway as they are, signed and counted like all; one in so many goes
over aiohttp as usual, drawn by lot. Faults end both ways alike: a cut answer is a lost one, a silent server a timeout.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from bitget_async.clock import Clock
from bitget_async.errors import OutcomeUnknown
from bitget_async.sim.call import Request as Arriving
from bitget_async.sim.gateway import REMAINING, Gateway
from bitget_async.transport import Transport
from bitget_async.wire import Reply, Request

# The share of requests that go over aiohttp.
USUAL = 0.06


class Shortcut:
    """
    `Transport` to a gateway in this process.

    Args:
        usual: the transport that it stands in for.
        gateway: answers.
        clock: for the moments in the reply.
        dice: which requests go the usual way.
    """

    def __init__(self, usual: Transport, gateway: Gateway, clock: Clock, dice: random.Random) -> None:
        self._usual = usual
        self._gateway = gateway
        self._clock = clock
        self._dice = dice
        self.usual = 0

    async def send(self, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        """See `Transport.send`."""
        if self._dice.random() < USUAL:
            self.usual += 1
            return await self._usual.send(request, stamp, timeout_s)
        path, _, query = request.sent_target.partition("?")
        sent_ns = self._clock.monotonic_ns()
        headers = {name.lower(): value for name, value in stamp().items()} | {"content-type": "application/json"}
        arriving = Arriving(method=request.row.method, path=path, query=query, headers=headers, body=request.body)
        answer: Any = None
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._gateway.handle(arriving)
                if answer.kind == "hang":
                    await asyncio.sleep(2 * timeout_s)
        except TimeoutError:
            raise OutcomeUnknown("timeout", endpoint=request.row.label) from None
        if answer.kind != "send" or answer.cut_at is not None:
            raise OutcomeUnknown("connection", endpoint=request.row.label)
        left = answer.headers.get(REMAINING)
        return Reply(
            answer.status, answer.body, None if left is None else int(left), sent_ns, self._clock.monotonic_ns()
        )

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._usual.close()
