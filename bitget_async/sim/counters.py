"""
The limits of the simulated exchange: calls a second per endpoint, requests a minute per address.
"""

from __future__ import annotations

from collections import deque

from bitget_async.sim.routes import Route
from bitget_async.sim.settings import Settings

__all__ = ["Counters"]

SECOND_NS = 1_000_000_000


class Counters:
    """
    Sliding windows, counted at the moment of processing. A call that is refused takes no place in a window.

    Args:
        settings: quotas that differ from the routes', and the limit of an address.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._calls: dict[tuple[str, str], deque[int]] = {}
        self._addresses: dict[str, deque[int]] = {}
        self._banned_until_ns: dict[str, int] = {}

    def admit_address(self, ip: str, now_ns: int) -> bool:
        """Count a request of an address. False: it is banned, or is from now on."""
        limit = self._settings.ip_per_minute
        if limit is None:
            return True
        if now_ns < self._banned_until_ns.get(ip, 0):
            return False
        times = self._addresses.setdefault(ip, deque())
        while times and times[0] <= now_ns - 60 * SECOND_NS:
            times.popleft()
        if len(times) >= limit:
            self._banned_until_ns[ip] = now_ns + round(self._settings.ip_ban_s * 1e9)
            times.clear()
            return False
        times.append(now_ns)
        return True

    def admit(self, route: Route, who: str, now_ns: int) -> tuple[bool, int]:
        """
        Count a call of `who` (user id or address). Returns whether it is within the quota, and how many more
        the remaining-limit header shows for this second.
        """
        settings = self._settings
        quota = settings.quotas.get(route.name, route.per_second)
        times = self._calls.setdefault((route.name, who), deque())
        while times and times[0] <= now_ns - SECOND_NS:
            times.popleft()
        admitted = len(times) < quota
        if admitted:
            times.append(now_ns)
        shown = settings.advertised_quotas.get(route.name, quota)
        return admitted, max(0, shown - len(times))
