"""What is told of a stop: its states, from the call to the report."""

from __future__ import annotations

from bitget_async.events import Events, HandleChanged
from bitget_async.halt import StopCourse

__all__ = ["tell"]


def tell(events: Events, course: StopCourse, state: str, *, reason: str = "") -> None:
    """It is in that state now: tell who listens. Of a rehearsal nobody is told: nothing of it begins."""
    if course.dry or not events.wants(HandleChanged):
        return
    handles = [handle for _, handle in course.handles]
    now = course.now_ns()
    events.emit(
        HandleChanged(
            at_ns=now,
            call=course.call,
            kind="stop",
            command="cancel_all_orders",
            symbol=course.symbol,
            state=state,
            outcome=None if course.report is None else course.report.outcome.name,
            reason=reason,
            acknowledged=bool(handles) and all(handle.acknowledged for handle in handles),
            attempts=sum(handle.attempts for handle in handles),
            orders=course.state.size,
            age_s=(now - course.began_ns) / 1e9,
            parts=tuple(handle.call for handle in handles),
        )
    )
