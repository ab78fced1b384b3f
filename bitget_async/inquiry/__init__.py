"""
Which reads would settle most for least: pure, given what is pending and the moment.

Every pending command has a window in which its next look should happen: not before `from_ns`, not after
`until_ns`. When the first window closes, everybody whose window is open is served by the same reads:

    open orders      one listing of the whole account, or one a symbol, whichever is fewer pages
    finished orders  one history page of the account for several symbols, a page a symbol, or single ids
    a few orders     orderInfo, one call each

`looks` has the rhythm of each kind of command, `planner` the choice among the reads.
"""

from __future__ import annotations

from bitget_async.inquiry.breaker import Breaker
from bitget_async.inquiry.planner import Inquiry
from bitget_async.inquiry.reads import Read, ReadKind

__all__ = ["Breaker", "Inquiry", "Read", "ReadKind"]
