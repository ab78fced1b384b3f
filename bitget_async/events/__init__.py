"""
What happens inside a client, as frozen records, and who hears of it. See docs/observability.md.

No record has a field that could hold a secret: no headers, no bodies, no query, no text that the exchange wrote.
"""

from __future__ import annotations

from bitget_async.events.hub import Events
from bitget_async.events.reader import EventReader
from bitget_async.events.records import (
    BucketTightened,
    ClockSynchronised,
    Event,
    FateKnown,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    RequestEvent,
    RequestStarted,
    StreamChanged,
    TokenMissed,
    TokenTaken,
)

__all__ = [
    "BucketTightened",
    "ClockSynchronised",
    "Event",
    "EventReader",
    "Events",
    "FateKnown",
    "ForeignUse",
    "HandleChanged",
    "RequestEnded",
    "RequestEvent",
    "RequestStarted",
    "StreamChanged",
    "TokenMissed",
    "TokenTaken",
]
