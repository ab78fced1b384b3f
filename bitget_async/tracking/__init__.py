"""
Which orders are open now, from pushes and reads: pure, it is handed facts and moments.

A row proves what it says of the moment that it tells: an order that was shown open at t, by whatever source, was open
at t. A complete listing has a *floor*, the oldest moment of its view: what it does not show was not open then.
So an order counts as open if it is not final and was shown open at the newest floor or later; every other one that is
not final is *missing*, and is asked for until its end is known. Late, doubled and reordered pushes change nothing in
that.

`ledger` has the orders and says what is news, `rounds` says what to read next, `sureness` what the answers promise.
"""

from __future__ import annotations

from bitget_async.tracking.state import Tracking
from bitget_async.tracking.sureness import Sureness, TrackedOrder

__all__ = ["Sureness", "TrackedOrder", "Tracking"]
