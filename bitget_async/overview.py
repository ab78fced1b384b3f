"""Puts together how a client is: `client.snapshot()`."""

from __future__ import annotations

from bitget_async.course import Course
from bitget_async.halt import PendingStop
from bitget_async.limits import LocalLimits
from bitget_async.limits.local import Limits
from bitget_async.models import ClockState, HandleState, Snapshot, StopState
from bitget_async.session import Session
from bitget_async.telling import kind_of
from bitget_async.verbs import Parts

__all__ = ["overview"]


def overview(parts: Parts, limits: Limits, account: str, origin: str) -> Snapshot:
    """
    An open client at this moment.

    Args:
        parts: what it is made of.
        limits, account, origin: whose quotas.
    """
    session, watcher = parts.session, parts.watcher
    now = session.clock.monotonic_ns()
    return Snapshot(
        at_ms=session.server.estimate_ms(now),
        state="open",
        origin=origin,
        up_s=(now - session.began_ns) / 1e9,
        clock=_clock(session, now),
        buckets=limits.states(account, origin) if isinstance(limits, LocalLimits) else (),
        handles=tuple(_handle(course, now) for course in watcher.pending),
        stops=tuple(_stop(stop) for stop in parts.stopper.pending),
        settled=dict(watcher.outcomes),
        streams=parts.streams.states(session.server, now),
        stream=parts.streams.state.value,
        open_orders=parts.tracker.sureness.value,
        requests={row.short: count for row, count in session.tally.requests.items()},
        reads=session.tally.reads,
        errors=tuple(session.tally.errors),
        failed=session.tally.failed,
        journal=parts.journal is not None,
    )


def _clock(session: Session, now: int) -> ClockState:
    offset = session.server.offset_ms(now)
    if offset is None:
        return ClockState(synchronised=False, offset_ms=0, uncertainty_ms=None)
    return ClockState(synchronised=True, offset_ms=offset[0], uncertainty_ms=offset[1])


def _handle(course: Course, now: int) -> HandleState:
    handle = course.handle
    return HandleState(
        call=course.call,
        kind=kind_of(course),
        command=course.command,
        symbol=course.symbol,
        state=handle.state,
        acknowledged=handle.acknowledged,
        age_s=(now - course.began_ns) / 1e9,
        left_s=max(course.deadline_ns - now, 0) / 1e9,
        attempts=course.attempts,
        orders=course.size,
        ended=course.ended,
        reads=sum(course.requests.values()),
    )


def _stop(stop: PendingStop) -> StopState:
    progress = stop.progress_now
    return StopState(
        call=stop.call,
        symbol=stop.symbol,
        state=progress.phase,
        age_s=stop.age_s,
        commands=progress.commands,
        answered=progress.answered,
        orders=progress.orders,
        ended=progress.ended,
        left=progress.left,
        eta_s=progress.eta_s,
    )
