"""Several processes with one budget, an exchange that counts, and everything that goes wrong between them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bitget_async import RedisLimits
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, Endpoint
from bitget_async.errors import NotSent
from tests.limits.shared_server import FakeServer, Link

ORIGIN = "http://127.0.0.1"
SECOND_US = 1_000_000


@dataclass
class Witness:
    """The exchange: when it processed requests of whom, in microseconds."""

    processed: list[tuple[int, int]] = field(default_factory=list)

    def note(self, who: int) -> None:
        self.processed.append((round(asyncio.get_running_loop().time() * 1e6), who))

    @property
    def worst_second(self) -> int:
        """Most requests in any half-open second."""
        moments = sorted(at for at, _ in self.processed)
        first, worst = 0, 0
        for last, at in enumerate(moments):
            while at - moments[first] >= SECOND_US:
                first += 1
            worst = max(worst, last - first + 1)
        return worst

    def by_process(self, from_s: float = 0.0, until_s: float = 1e9) -> Counter[int]:
        """Requests of each process in that time."""
        return Counter(who for at, who in self.processed if from_s * 1e6 <= at < until_s * 1e6)


def limits_of(server: FakeServer, rng: random.Random, *, latency_s: float = 0.001, **options: Any) -> RedisLimits:
    """Limits of one process on that server."""
    limits = RedisLimits("redis://127.0.0.1", uid="1234567890", **options)
    limits._server = Link(server, rng, latency_s)
    return limits


class Process:
    """
    One process: some callers, each sending one request after the other, and each of them answered, lost, or never sent.
    """

    def __init__(self, number: int, limits: RedisLimits, witness: Witness, rng: random.Random, **how: Any) -> None:
        self.number = number
        self.limits = limits
        self.witness = witness
        self.rng = rng
        self.row: Endpoint = how.get("row", CANCEL_SYMBOL_ORDER)
        self.latency_s: float = how.get("latency_s", 0.3)
        self.timeout_s: float = how.get("timeout_s", 2.0)
        self.pause_s: float = how.get("pause_s", 0.0)
        self.trouble: float = how.get("trouble", 0.0)
        self.clock = VirtualClock()
        self.granted = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.killed = False

    @property
    def link(self) -> Link:
        link = self.limits._server
        assert isinstance(link, Link)
        return link

    def start(self, callers: int) -> None:
        """That many callers go."""
        loop = asyncio.get_running_loop()
        self.tasks += [loop.create_task(self._caller()) for _ in range(callers)]

    async def stop(self) -> None:
        """End in an orderly way."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.limits.close()

    async def kill(self) -> None:
        """No goodbye, to nobody: from now on this process does nothing at all."""
        self.killed = True
        self.link.up = False
        await self.stop()

    async def _caller(self) -> None:
        while True:
            if self.pause_s:
                await asyncio.sleep(self.rng.expovariate(1 / self.pause_s))
            try:
                await self._one()
            except NotSent:
                await asyncio.sleep(0.05)

    async def _one(self) -> None:
        rng, dice = self.rng, self.rng.random()
        max_wait_s = rng.choice((0.1, 1.0, 5.0)) if rng.random() < self.trouble else None
        ask = self.limits.acquire(
            self.row, "a", ORIGIN, clock=self.clock, max_wait_s=max_wait_s, owner=self, first=rng.random() < 0.2
        )
        if rng.random() < self.trouble:
            # Somebody who changes his mind.
            try:
                async with asyncio.timeout(rng.uniform(0.0, 0.5)):
                    grant = await ask
            except TimeoutError:
                return
        else:
            grant = await ask
        self.granted += 1
        loop = asyncio.get_running_loop()
        sent_ns = self.clock.monotonic_ns()
        if dice < self.trouble / 4:
            grant.unsent()
            return
        if dice < self.trouble / 2:
            # Lost: processed at any time until the timeout, or never.
            if rng.random() < 0.7:
                _ = loop.call_later(rng.uniform(0.0, self.timeout_s), self.witness.note, self.number)
            await asyncio.sleep(rng.uniform(0.0, self.timeout_s))
            grant.lost(self.clock.monotonic_ns(), sent_ns + round(self.timeout_s * 1e9))
            return
        # On its way even if this process is killed meanwhile.
        there_s = rng.uniform(0.0, self.latency_s)
        _ = loop.call_later(there_s, self.witness.note, self.number)
        await asyncio.sleep(there_s + rng.uniform(0.0, self.latency_s))
        grant.answered(self.clock.monotonic_ns(), None)
