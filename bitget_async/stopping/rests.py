"""Which ids must not be cancelled yet: the exchange takes a cancel of the same id once a second."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["REST_NS", "Rests"]

REST_NS = 1_000_000_000
# While the answer is out, nobody knows when the cancel arrives.
NEVER_NS = 1 << 62


class Rests:
    """When each id that was cancelled may be cancelled again; one for all stops of a client."""

    def __init__(self) -> None:
        self._until_ns: dict[str, int] = {}

    def began(self, ids: Iterable[str]) -> None:
        """A command that names these, or takes them, is on its way."""
        self._until_ns.update(dict.fromkeys(ids, NEVER_NS))

    def ended(self, ids: Iterable[str], now: int) -> None:
        """It was answered or given up; those whose second is over are forgotten."""
        self._until_ns = {each: until for each, until in self._until_ns.items() if until > now}
        self._until_ns.update(dict.fromkeys(ids, now + REST_NS))

    def of(self, ids: Iterable[str], now: int) -> dict[str, int]:
        """Those of them that rest, and how long from now."""
        found = ((each, self._until_ns.get(each, now)) for each in ids)
        return {each: until - now for each, until in found if until > now}

    def __len__(self) -> int:
        return len(self._until_ns)
