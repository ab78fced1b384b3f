"""The budget of the address: 6000 requests a minute per IP, paced in each process for itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bitget_async.endpoints import Endpoint
from bitget_async.errors import NotSent
from bitget_async.tasks import Tasks

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

__all__ = ["IP_BURST", "IP_RATE_PER_S", "Pace"]

# 6000 a minute per address. The pace lets through at most BURST + RATE_PER_S x 60 = 4500 in any minute and leaves
# 1500 to commands that cancel: all three cancelling calls at their full 5 + 10 + 10 a second.
IP_BURST = 300
IP_RATE_PER_S = 70.0


class Pace:
    """What everything but cancelling waits for after its token."""

    def __init__(self) -> None:
        self._paces: dict[str, AsyncLimiter] = {}
        self._pacing: dict[asyncio.Task[None], object] = {}
        self._tasks = Tasks()

    async def wait(self, row: Endpoint, origin: str, max_wait_s: float | None, owner: object) -> None:
        """Wait until the address has room. In a task of its own, so that closing a client can end the wait."""
        pace = self._paces.get(origin)
        if pace is None:
            # Its import is dear, and who only cancels has no need of it.
            from aiolimiter import AsyncLimiter

            pace = self._paces[origin] = AsyncLimiter(IP_BURST, IP_BURST / IP_RATE_PER_S)
        if pace.has_capacity():
            await pace.acquire()
            return
        expected_s = (len(self._pacing) + 1) / IP_RATE_PER_S
        if max_wait_s is not None and expected_s > max_wait_s:
            raise NotSent("rate_limit", endpoint=row.label, expected_wait_s=expected_s, detail="IP budget")
        task = self._tasks.spawn(pace.acquire(), "bitget_async: IP budget")
        self._pacing[task] = owner
        try:
            done, _ = await asyncio.wait({task}, timeout=max_wait_s)
            if not done:
                raise NotSent("rate_limit", endpoint=row.label, expected_wait_s=expected_s, detail="IP budget")
            if task.cancelled():
                raise NotSent("closed", endpoint=row.label)
        finally:
            del self._pacing[task]
            task.cancel()

    def abandon(self, owner: object) -> None:
        """Every waiter of this owner gets `NotSent("closed")`."""
        for task, waiting in self._pacing.items():
            if waiting is owner:
                task.cancel()
