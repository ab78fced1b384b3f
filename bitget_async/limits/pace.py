"""The budget of the address: 6000 requests a minute per IP, paced in each process for itself."""

from __future__ import annotations

from bitget_async.clock import Clock
from bitget_async.drip import Drip
from bitget_async.limits.bucket import Lease
from bitget_async.limits.queue import Queue

__all__ = ["IP_BURST", "IP_RATE_PER_S", "Pace"]

# 6000 a minute per address. The pace lets through at most BURST + RATE_PER_S x 60 = 4500 in any minute and leaves
# 1500 to commands that cancel: all three cancelling calls at their full 5 + 10 + 10 a second.
IP_BURST = 300
IP_RATE_PER_S = 70.0

_PASSED = Lease()


class _Budget(Drip):
    """As a source of what nobody gives back."""

    __slots__ = ()

    def take(self, now: int) -> Lease | None:
        if self.wait_ns(now):
            return None
        self.passed(now)
        return _PASSED

    def unsent(self, lease: Lease) -> None:
        self.undo()

    def next_ns(self, now: int) -> int | None:
        return now + self.wait_ns(now)


class Pace:
    """What everything but cancelling waits for after its token."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    async def wait(self, endpoint: str, origin: str, clock: Clock, max_wait_s: float | None, owner: object) -> None:
        """
        Wait until the address has room.

        Raises:
            NotSent: as `Queue.lease`.
        """
        queue = self._queues.get(origin)
        if queue is None:
            queue = self._queues[origin] = Queue(_Budget(IP_BURST, IP_RATE_PER_S), "IP budget")
        queue.clock = clock
        _ = await queue.lease(endpoint, max_wait_s, owner)

    def abandon(self, owner: object) -> None:
        """Every waiter of this owner gets `NotSent("closed")`."""
        for queue in self._queues.values():
            queue.abandon(owner)
