"""
Evidence: rows, listings and answers in; the fate of each order and the outcome out. No I/O, no clock.

What counts, from strongest to nothing:

    a row with the order's id and a final status,       that order is final, for ever
    read or pushed
    a complete open listing requested at t              what it shows was open at t - staleness or later,
                                                        what it does not show was not open at t
    a pushed row with an open status                    that order exists, since its creation time
    the answer 00000                                    receipt
    "nothing to cancel", "order does not exist"         a claim to verify
    error, timeout, empty history, missing row,         nothing
    missing push, time

Facts are only ever added, and outcomes are computed from all of them together, so the order in which answers arrive
does not matter. Moments are monotonic nanoseconds of one clock; creation times are the exchange's milliseconds and
are compared with the signing through the bounds of the exchange's clock.

`sweep` is for a cancellation by symbol; `named` for commands that name their orders, each of them a `target`.
"""

from __future__ import annotations

from bitget_async.evidence.facts import (
    Assumptions,
    Book,
    Certainty,
    Command,
    Glance,
    Listing,
    Page,
    Push,
    Row,
    complete,
    id_number,
)
from bitget_async.evidence.named import Named
from bitget_async.evidence.sweep import Sweep
from bitget_async.evidence.target import Target, Verdict, Want

__all__ = [
    "Assumptions",
    "Book",
    "Certainty",
    "Command",
    "Glance",
    "Listing",
    "Named",
    "Page",
    "Push",
    "Row",
    "Sweep",
    "Target",
    "Verdict",
    "Want",
    "complete",
    "id_number",
]
