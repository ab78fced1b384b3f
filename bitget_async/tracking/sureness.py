"""How sure the tracker is, and one order as it hands it out."""

from __future__ import annotations

import enum

import msgspec

from bitget_async.models import Order

__all__ = ["Sureness", "TrackedOrder"]


class Sureness(enum.Enum):
    """
    What the set of open orders is worth, at the moment of asking.

    LIVE: pushes come, and a complete listing that cannot be older than the subscription was taken in. What happens is
        known as soon as the exchange tells it, usually tens of milliseconds later. The exchange says itself that
        private pushes can be lost: then the next listing tells. So an order that is shown is open or ended at most 30
        seconds ago, and one that is open and not shown is at most 30 seconds old (28 s + `staleness_s`).
    LISTED: a listing says so, at most that old, but no stream stands behind it: between two listings nothing is heard.
    STALE: the newest listing is older than that: the reads fail. What is shown was open at `as_of_ms` or later.
    UNKNOWN: no complete listing yet. What is shown comes from pushes alone, and much may be missing.
    """

    LIVE = "live"
    LISTED = "listed"
    STALE = "stale"
    UNKNOWN = "unknown"


class TrackedOrder(msgspec.Struct, frozen=True):
    """
    One order that counts as open.

    Attributes:
        order: as it was last told.
        seen_ms: the newest moment (exchange ms) for which it was shown open.
        age_s: seconds since then. If it has ended, then within this time.
        source: what told it last: `orders` (the stream), `unfilled-orders`, `orderInfo`, `history-orders`.
        sureness: of the whole set.
    """

    order: Order
    seen_ms: int
    age_s: float
    source: str
    sureness: Sureness
