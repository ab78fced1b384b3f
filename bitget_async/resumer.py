"""Takes up calls that another process began, or this one described: reads, never commands."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.endpoints import SERVER_TIME, Endpoint
from bitget_async.errors import OutcomeUnknown, UsageError
from bitget_async.handle import Pending, handle_of
from bitget_async.journal import Entry, Kind
from bitget_async.resumption import Now, fold, read, restore, was_sent
from bitget_async.watcher import Watcher

__all__ = ["Resumer"]

log = logging.getLogger("bitget_async.journal")

CLOCK_READS = 4
CLOCK_GOOD_MS = 1_000


class Caller(Protocol):
    """What is needed of a session."""

    clock: Clock
    server: ServerClock

    async def call(self, row: Endpoint, given: Mapping[str, Any]) -> Any:
        """One call."""


class Resumer:
    """
    Makes handles of descriptions and of journal entries.

    Args:
        session: tells the exchange's time.
        watcher: watches what was taken up.
    """

    def __init__(self, session: Caller, watcher: Watcher) -> None:
        self._session = session
        self._watcher = watcher

    async def resume(self, data: object) -> Pending[Any, Any]:
        """See `BitgetClient.resume`."""
        state = read(data, self._watcher.home)
        if state.state == "settled" and (state.report or {}).get("outcome") not in ("still_open", "unknown"):
            raise UsageError("state: that handle settled with certainty; its report says all there is to know")
        now = await self._now()
        course = restore(state, now, whole=False)
        handle = handle_of(course, self._watcher)
        if self._watcher.recorder is not None:
            self._watcher.recorder.intended(course)
        self._watcher.again(course)
        return handle

    async def resume_pending(self) -> tuple[Pending[Any, Any], ...]:
        """See `BitgetClient.resume_pending`."""
        recorder = self._watcher.recorder
        if recorder is None:
            raise UsageError("resume_pending() needs BitgetClient(journal=...)")
        if not recorder.file.unsettled():
            return ()
        now = await self._now()
        # Asked again: another call may have taken them up while this one read the clock.
        entries = [entry for entry in recorder.file.unsettled() if not recorder.has(entry.number)]
        handles = [self._take_up(entry, now) for entry in entries]
        return tuple(handle for handle in handles if handle is not None)

    def _take_up(self, entry: Entry, now: Now) -> Pending[Any, Any] | None:
        recorder = self._watcher.recorder
        assert recorder is not None
        try:
            state, whole = fold(entry.data, entry.notes, self._watcher.home)
        except UsageError as error:
            log.warning("entry %d of the journal cannot be taken up and stays: %s", entry.number, error)
            return None
        if whole and not was_sent(state):
            log.info("entry %d of the journal: %s of %s was never sent", entry.number, state.command, state.symbol)
            _ = recorder.file.note(entry.number, Kind.DONE, {"settled": "never sent"})
            return None
        course = restore(state, now, whole=whole)
        handle = handle_of(course, self._watcher)
        recorder.took_over(course, entry.number)
        self._watcher.again(course)
        return handle

    async def _now(self) -> Now:
        """
        This moment by the exchange's clock. One answer alone could be a stale copy, and until a second one agrees the
        wall clock, which may be hours off, counts as possible too.

        Raises: NotSent, OutcomeUnknown, Refused: it cannot be read.
        """
        session = self._session
        for _ in range(CLOCK_READS):
            _ = await session.call(SERVER_TIME, {})
            now_ns = session.clock.monotonic_ns()
            bounds = session.server.bounds_ms(now_ns)
            if bounds is not None and bounds[1] - bounds[0] <= CLOCK_GOOD_MS:
                break
        if bounds is None:
            raise OutcomeUnknown("clock", endpoint=SERVER_TIME.label, message="the exchange's clock cannot be told")
        return Now(now_ns, bounds)
