"""What a stop came to, put together from what it knows."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType

import msgspec

from bitget_async.evidence import Book
from bitget_async.models import Outcome, StopReport
from bitget_async.models import Scope as OrderScope
from bitget_async.stopping.state import Stopping, outcome_of

__all__ = ["Found", "report_of"]

CALLED = {Book.NORMAL: "normal orders", Book.TPSL: "tpsl orders", Book.PLAN: "trigger (plan) orders"}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the shell has seen, for the report.

    Attributes:
        clear: whether a trusted listing shows none; over: whether one shows some though no command can act any more.
        read: whether any listing after the commands was read.
        reason: why it ends now, where that is not the evidence.
        latest_ms: exchange time of the call, the latest that it can have been, if anybody knows.
        covers_ms: exchange time that the last listing speaks of.
        began_ms, clear_ms, now_ms: exchange times of the call, of the first clear listing, and of now.
        attempts, requests: what was sent.
        staleness_s, grace_s: the assumptions.
    """

    clear: bool
    over: bool
    read: bool
    reason: str
    latest_ms: int | None
    covers_ms: int | None
    began_ms: int
    clear_ms: int | None
    now_ms: int
    attempts: int
    requests: Counter[str]
    staleness_s: float
    grace_s: float


def report_of(state: Stopping, found: Found) -> StopReport:
    """The report; it is not changed by what comes later."""
    symbols = state.symbols(found.latest_ms, clear=found.clear, over=found.over)
    orders = [each for symbol in symbols for each in symbol.orders]
    outcome = outcome_of(orders, clear=found.clear, over=found.over)
    why = found.reason or ("unreadable" if not found.read else "vanished" if found.clear else "deadline")
    swept_ms = found.covers_ms if state.scope.sweep_late else None
    return StopReport(
        outcome=outcome,
        reason=why if outcome is Outcome.UNKNOWN else "",
        symbols=symbols,
        covers_ms=found.latest_ms or found.began_ms if swept_ms is None else swept_ms,
        began_at_ms=found.began_ms,
        clear_at_ms=found.clear_ms,
        settled_at_ms=found.now_ms,
        plan=state.plan,
        attempts=found.attempts,
        requests=MappingProxyType(dict(found.requests)),
        anomalies=tuple(state.anomalies),
        late=tuple(each.order.order_id for each in orders if each.scope is OrderScope.LATE),
        assumptions=MappingProxyType(_assumed(state, found)),
    )


def _assumed(state: Stopping, found: Found) -> dict[str, str]:
    missing = [CALLED[each] for each in Book if each not in state.scope.books]
    return {
        "staleness_s": f"{found.staleness_s:g}",
        "execution_grace_s": f"{found.grace_s:g}",
        "late": "sweep" if state.scope.sweep_late else "report",
        "not_touched": ", ".join([*missing, "margin orders", "other sub-accounts"]),
    }
