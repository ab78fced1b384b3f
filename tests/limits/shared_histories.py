"""Histories of several processes and their server that a seed decides: kills, restarts, cuts, stalls, lost answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS
from bitget_async.limits.server import Away
from tests.conftest import run_virtual
from tests.limits.shared_server import FakeServer, Link
from tests.limits.shared_world import ORIGIN, Process, Witness, limits_of

__all__ = ["EVENTS", "History", "play"]

EVENTS = ("kill", "leave", "join", "restart", "restore", "down", "up", "cut", "mend", "stall")
CALM_S = 3.0


class SlowLink(Link):
    """A way that is now and then much longer, and ends in a process that may stand still."""

    process: Process
    usual_s = 0.0
    frozen_until_s = 0.0

    async def ask(self, key: str, message: Sequence[str | int]) -> Sequence[int]:
        """As `Link.ask`, when the process runs again: at both ends."""
        await self._thawed()
        self.latency_s = self.usual_s * self.rng.choice((1, 1, 1, 5))
        try:
            return await super().ask(key, message)
        except Away:
            if self.rng.random() < 0.2:
                await asyncio.sleep(1.0)
            raise
        finally:
            await self._thawed()

    async def _thawed(self) -> None:
        await asyncio.sleep(max(0.0, self.frozen_until_s - asyncio.get_running_loop().time()))


class History:
    """One of them. Left out is only what docs/limits.md says is not covered."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.server = FakeServer()
        self.witness = Witness()
        self.row = rng.choice((CANCEL_SYMBOL_ORDER, CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS))
        self.count = rng.choice((2, 3, 4, 5, 8))
        self.options: dict[str, Any] = {
            "share": 1 / (self.count + rng.choice((0, 0, 1, 2))),
            "pocket": rng.choice((1, 1, 1, 0, 2)),
            "lease_s": rng.choice((3.0, 10.0)),
        }
        self.latency_s = rng.choice((0.001, 0.02, 0.15))
        self.processes: list[Process] = []
        self.told: list[tuple[float, str]] = []
        self.lasting: list[Process] = []
        self.ended_s = 0.0

    @property
    def alive(self) -> list[Process]:
        return [each for each in self.processes if not each.killed]

    @property
    def breach(self) -> str:
        """What went wrong, if anything did."""
        worst, quota = self.witness.worst_second, self.row.quota.per_s
        if worst <= quota:
            return ""
        return f"{worst} of {quota} in a second, {self.count} processes, {self.options}: {self.told}"

    async def play(self, steps: int) -> None:
        """All start; things happen; in the end all is well again for a while."""
        for _ in range(self.count):
            self._join()
        await asyncio.sleep(CALM_S)
        for _ in range(steps):
            await asyncio.sleep(self.rng.expovariate(1 / self.rng.choice((0.3, 2.0, 6.0))))
            await self._happen(self.rng.choice(EVENTS))
        self.server.up = True
        self._mend()
        # A stall, what a server that has just started does not know, and then the time that is looked at.
        await asyncio.sleep(20.0 + 15.0 + 20.0)
        self.ended_s = asyncio.get_running_loop().time()
        self.lasting = self.alive
        for process in self.alive:
            process.killed = True
            await process.stop()

    def _join(self) -> None:
        rng = self.rng
        limits = limits_of(self.server, rng, **self.options)
        link = SlowLink(self.server, random.Random(rng.random()), self.latency_s)
        link.usual_s = self.latency_s
        limits._server = link
        process = Process(
            len(self.processes),
            limits,
            self.witness,
            random.Random(rng.random()),
            row=self.row,
            latency_s=rng.choice((0.02, 0.15, 0.3)),
            pause_s=rng.choice((0.0, 0.0, 0.5, 3.0)),
            trouble=rng.choice((0.0, 0.0, 0.1, 0.3)),
        )
        # Known to the server before anything happens to it.
        _ = limits._line(self.row, "a", ORIGIN, process.clock)
        process.start(rng.choice((1, 4, 10)))
        self.processes.append(process)

    def _mend(self) -> None:
        for process in self.alive:
            process.link.up = True

    async def _happen(self, what: str) -> None:
        rng, server, alive = self.rng, self.server, self.alive
        one = rng.choice(alive)
        self.told.append((round(asyncio.get_running_loop().time(), 3), f"{what} {one.number}"))
        if what == "kill" and len(alive) > 1:
            await one.kill()
        elif what == "leave" and len(alive) > 1:
            one.killed = True
            await one.stop()
        elif what == "join" and server.up and all(each.link.up for each in alive) and len(alive) < self.count:
            self._join()
            await asyncio.sleep(CALM_S)
        elif what in ("restart", "restore"):
            server.restart(kept=what == "restore")
            server.up = True
        elif what in ("down", "up"):
            server.up = what == "up"
        elif what == "cut":
            one.link.up = False
        elif what == "mend":
            self._mend()
        elif what == "stall":
            assert isinstance(one.link, SlowLink)
            one.link.frozen_until_s = asyncio.get_running_loop().time() + rng.choice((0.5, 1.5, 2.5, 5.0, 20.0))


def play(seed: int, steps: int = 25) -> History:
    """That history, in virtual time."""
    history = History(seed)
    run_virtual(lambda: history.play(steps), debug=False)
    return history
