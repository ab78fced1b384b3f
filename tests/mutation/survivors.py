"""
Mutants that may survive, by room and reason: `*` in a key stands for anything.

Whoever adds one says why no test can or should notice it.
"""

from __future__ import annotations

REASONS: dict[str, dict[str, tuple[str, ...]]] = {
    "bucket": {
        "slower, with the same result: more rounds are counted one by one, and a heap is made by its first use": (
            "bucket.Bucket.wait_ns: (max(moments) - each) // hold -> (max(moments) - each) * hold",
            "bucket.Bucket.wait_ns: 1 -> 2",
            "bucket.Bucket.wait_ns: max(moments) - each -> max(moments) + each",
            "bucket.Bucket.wait_ns: heapify(moments) -> pass",
        ),
    },
    "evidence": {
        "the moment before all others: whatever it is, nothing happened then": (
            "sweep.Sweep.has_run: 0 -> 1*",
            "sweep.Sweep.has_run: 0 <= known.shown_ns *",
            "sweep.Sweep.again: 1 -> 2*",
            "sweep.Sweep.again: -1 -> 1*",
            "sweep.Sweep.open_ids: 0 -> 1",
            "sweep.Sweep._fate: 0 -> 1",
            "sweep.Sweep._last_shown_ns: 1 -> 2",
            "sweep.Sweep._last_shown_ns: -1 -> 1",
            "named.Named.again: 1 -> 2*",
            "named.Named.again: -1 -> 1*",
            "named.Named.fate: 0 <= target.open_ns *",
            "named.Named.why_unknown: 0 -> 1",
            "named.module: -1 -> 1*",
            "named.module: 1 -> 2*",
            "sweep.module: -1 -> 1*",
            "sweep.module: 1 -> 2*",
            "facts.module: 0 -> 1*",
        ),
        "a nanosecond more or less": (
            "sweep.Sweep._clear_from: 1 -> 2",
            "sweep.Sweep.why_unknown: moment >= self.signed_ns -> moment > self.signed_ns",
        ),
        "no is no: nobody asks whether it is False": ("*: return False -> return None*",),
        "an error of the clock that is exactly the whole interval, or a moment that is exactly the limit": (
            "named.Target.deep: min(created) < bounds[0] -> min(created) <= bounds[0]",
            "named.Target.may_be: row.created_ms > bounds[1] -> row.created_ms >= bounds[1]",
            "named.Target.findable: server_ms < bounds[0] + BY_CLIENT_OID_MS -> *",
            "named.Target.findable: 0 -> 1",
            "named.Target.deep: 0 -> 1*",
        ),
        "a page without ids ends the chain, and its lowest id is not asked for": ("sweep.Sweep._follow: 0 -> 1",),
    },
    "classifier": {
        "the name of a group, for readers of the table": ("codes.module: 'region' -> 'Xregion'",),
    },
    "inquiry": {
        "rhythm: a look a little earlier or later finds the same": (
            "looks.Look.first: high - low -> high + low",
            "looks.Look.later: 5 -> 6",
            "looks.Look.later: now < stop <= last -> now < stop < last",
        ),
        "the moment before all others: whatever it is, nothing happened then": (
            "breaker.Breaker.__init__: 0 -> 1*",
            "looks.Look.first: 0 -> 1",
        ),
        "doubling ends at the longest gap long before that": ("breaker.Breaker.failed: 16 -> 17",),
    },
}
