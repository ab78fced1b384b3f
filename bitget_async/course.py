"""
The course of one cancellation, from the signing to the report: what the watcher feeds and the handle shows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.errors import UsageError
from bitget_async.evidence import Certainty, Evidence
from bitget_async.models import CancellationReport, OrderFate, Outcome

__all__ = ["Course", "Options", "is_seconds"]

SNAPSHOTS = ("concurrent", "before", "none")
DAY_S = 86_400.0
NOT_TOUCHED = "tpsl orders, trigger (plan) orders, margin orders, other sub-accounts"


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asked for; see `BitgetClient.cancel_symbol_orders`."""

    snapshot: str = "concurrent"
    ensure: bool = False
    confirm_within_s: float = 60.0
    max_wait_s: float | None = None

    def __post_init__(self) -> None:
        if self.snapshot not in SNAPSHOTS:
            raise UsageError(f"snapshot must be one of {', '.join(SNAPSHOTS)}, not {self.snapshot!r}")
        if not is_seconds(self.confirm_within_s, DAY_S):
            raise UsageError(f"confirm_within_s must be seconds above 0 and up to a day, not {self.confirm_within_s!r}")


def is_seconds(value: object, most: float) -> bool:
    """Whether that is a number of seconds above 0 and up to `most`."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most


@dataclass(slots=True, eq=False)
class Course:
    """
    One cancellation by symbol.

    Attributes:
        evidence: all facts.
        options: what the caller asked for.
        deadline_ns: monotonic moment at which it settles whatever is known.
        attempts: copies of the command that may have reached the exchange.
        acknowledged_ms: `requestTime` of the answer "taken", or `None`.
        requests: requests that served it, by the exchange's name of the call.
        ensured: when each id was last cancelled by id, monotonic ns.
        changes: each order as it became known and as its fate did, in that order.
        report: the report, once settled.
        handle: the one `PendingCancellation` that shows it.
    """

    evidence: Evidence
    options: Options
    deadline_ns: int = 1 << 62
    attempts: int = 0
    acknowledged_ms: int | None = None
    requests: dict[str, int] = field(default_factory=dict)
    ensured: dict[str, int] = field(default_factory=dict)
    changes: list[OrderFate] = field(default_factory=list)
    report: CancellationReport | None = None
    handle: Any = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.evidence.symbol

    def signed(self, now: int, timestamp_ms: int, copy: int) -> None:
        """That copy of the command was signed; the time to confirm counts from here."""
        self.evidence.signed(now, timestamp_ms)
        self.deadline_ns = now + round(self.options.confirm_within_s * 1e9)
        self.attempts = copy

    def learn(self, news: list[OrderFate], endpoint: str, requests: int) -> bool:
        """Count the requests of a read that served it and tell what it brought; whether that is anything."""
        self.count(endpoint, requests)
        self.changes += news
        self.tell()
        return bool(news)

    def count(self, endpoint: str, requests: int = 1) -> None:
        """Count requests that served it."""
        self.requests[endpoint] = self.requests.get(endpoint, 0) + requests

    async def news(self) -> None:
        """Wait until anything is told. Safe to cancel."""
        await self._news.wait()

    def tell(self) -> None:
        """Wake all who wait, and let the next wait be for the next news."""
        self._news.set()
        self._news = asyncio.Event()

    def settle(self, outcome: Outcome, reason: str, server_ms: int) -> None:
        """Settle, once and for all."""
        assert self.report is None
        evidence = self.evidence
        proven = outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)
        self.report = CancellationReport(
            symbol=self.symbol,
            outcome=outcome,
            reason=reason,
            orders=evidence.fates,
            acknowledged=evidence.certainty is Certainty.ACKED,
            signed_at_ms=evidence.signed_ms,
            acknowledged_at_ms=self.acknowledged_ms,
            cleared_at_ms=evidence.clear_ms if proven else evidence.cleared_ms,
            settled_at_ms=server_ms,
            attempts=self.attempts,
            requests=MappingProxyType({CANCEL_SYMBOL_ORDER.short: self.attempts, **self.requests}),
            anomalies=tuple(evidence.anomalies),
            assumptions=MappingProxyType(
                {
                    "staleness_s": f"{evidence.assumptions.staleness_s:g}",
                    "execution_grace_s": f"{evidence.assumptions.execution_grace_s:g}",
                    "clock_error_ms": str(evidence.clock_error_ms),
                    "snapshot": self.options.snapshot,
                    "not_touched": NOT_TOUCHED,
                }
            ),
        )
        self.tell()
