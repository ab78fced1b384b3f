"""What a session counts and tells: requests, refusals, failures, and the setting of its clock."""

from __future__ import annotations

from collections import deque

from bitget_async.clock import ServerClock
from bitget_async.endpoints import Endpoint
from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown
from bitget_async.events import BucketTightened, ClockSynchronised, Events, ForeignUse, RequestEvent
from bitget_async.events.copies import Told, code_of
from bitget_async.models import PastError

__all__ = ["Tally"]

MOST_ERRORS = 50


class Tally:
    """
    Counts, for `client.snapshot()`, and events, for who listens.

    Args:
        events: whom to tell.
        server: the exchange's clock.

    Attributes:
        requests: copies that may have been on the wire so far.
        reads: calls made in the background, for handles and the tracker.
        errors: the last copies that did not succeed. failed: how many there were.
    """

    def __init__(self, events: Events, server: ServerClock) -> None:
        self.events = events
        self.requests: dict[Endpoint, int] = {}
        self.reads = 0
        self.errors: deque[PastError] = deque(maxlen=MOST_ERRORS)
        self.failed = 0
        self._refusals: dict[Endpoint, int] = {}
        self._server = server

    def told(
        self,
        row: Endpoint,
        calls: tuple[int, ...],
        *,
        method: str = "",
        path: str = "",
        first: bool = False,
        since_ns: int | None = None,
    ) -> Told | None:
        """What tells of one request, if anybody listens. `method` and `path`: of another way than the row's."""
        if not self.events.wants(RequestEvent):
            return None
        return Told(
            self.events, row.short, method or row.method, path or row.path, calls, first=first, since_ns=since_ns
        )

    def sent(self, row: Endpoint) -> None:
        """A copy was, or may have been, on the wire."""
        self.requests[row] = self.requests.get(row, 0) + 1

    def unsuccessful(self, row: Endpoint, error: BitgetError, now: int) -> None:
        """A copy did not succeed."""
        self.failed += 1
        self.errors.append(
            PastError(
                at_ms=self._server.estimate_ms(now),
                endpoint=row.short,
                error=type(error).__name__,
                reason=error.reason if isinstance(error, (NotSent, OutcomeUnknown)) else "",
                code=code_of(error),
            )
        )

    def refused(self, row: Endpoint, now: int) -> None:
        """The exchange said "too many requests", although we had kept to what it allows: the bucket is tightened."""
        refusals = self._refusals[row] = self._refusals.get(row, 0) + 1
        if self.events.wants(ForeignUse):
            self.events.emit(ForeignUse(at_ns=now, endpoint=row.short, cause="refused"))
        if self.events.wants(BucketTightened):
            quota = row.quota.per_s
            self.events.emit(BucketTightened(at_ns=now, endpoint=row.short, quota=quota, refusals=refusals))

    def rested(self, row: Endpoint, tokens: int, now: int) -> None:
        """The exchange's header left fewer calls than were free here: so many were put to rest."""
        if self.events.wants(ForeignUse):
            self.events.emit(ForeignUse(at_ns=now, endpoint=row.short, cause="remaining", tokens=tokens))

    def clock_set(self, cause: str, now: int) -> None:
        """The exchange's clock was set."""
        offset = self._server.offset_ms(now)
        if offset is not None and self.events.wants(ClockSynchronised):
            offset_ms, uncertainty_ms = offset
            event = ClockSynchronised(at_ns=now, offset_ms=offset_ms, uncertainty_ms=uncertainty_ms, cause=cause)
            self.events.emit(event)
