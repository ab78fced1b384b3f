"""
Exit codes, and the one line that an error becomes.

    0    proven: every order is final, or none was open
    1    demo only: a claim of the client does not agree with the simulator's truth
    2    usage: nothing was sent
    3    still open: a listing showed orders open after the command can have had no more effect
    4    unknown: the command may have been executed, or how an order ended is not proven
    5    refused: the exchange said no and executed nothing
    6    not sent: no byte left this machine
    130  interrupted: what was sent stays sent

Several symbols give the worst of their codes. Worst first: 4, 3, 5, 6, 0: what nobody knows comes before what is known.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from bitget_async import (
    AuthenticationFailed,
    BitgetError,
    ClockSkewed,
    NotSent,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    UnknownSymbol,
    UsageError,
)

__all__ = ["Exit", "exit_of", "exit_of_outcome", "sentence", "worst"]


class Exit(enum.IntEnum):
    """What the program ends with."""

    OK = 0
    WRONG = 1
    USAGE = 2
    STILL_OPEN = 3
    UNKNOWN = 4
    REFUSED = 5
    NOT_SENT = 6
    INTERRUPTED = 130


WORST_FIRST = (
    Exit.INTERRUPTED,
    Exit.WRONG,
    Exit.UNKNOWN,
    Exit.STILL_OPEN,
    Exit.REFUSED,
    Exit.NOT_SENT,
    Exit.USAGE,
    Exit.OK,
)

# The first class that fits is taken: special ones stand before general ones.
REMEDIES: tuple[tuple[type[BitgetError], str], ...] = (
    (ClockSkewed, "Set this machine's clock, and run it again"),
    (
        AuthenticationFailed,
        "Check BITGET_API_KEY, BITGET_API_SECRET and BITGET_API_PASSPHRASE; a key made for demo trading needs "
        "--demo-trading, and no other key takes it",
    ),
    (PermissionDenied, "The key needs the permission to trade spot, and this machine's address if it is bound to one"),
    (RateLimited, "Somebody else spends the quota of this account or address: wait, and run it again"),
    (UnknownSymbol, "Symbols are spelt like BTCUSDT, and must be open for trading"),
    (Refused, "Nothing was executed"),
    (NotSent, "Nothing was sent, so it is safe to run again"),
    (OutcomeUnknown, "It may have been executed: look with --dry-run before you repeat it"),
)


def exit_of(error: BitgetError) -> Exit:
    """The code for an error."""
    if isinstance(error, UsageError):
        return Exit.USAGE
    if isinstance(error, NotSent):
        return Exit.NOT_SENT
    return Exit.REFUSED if isinstance(error, Refused) else Exit.UNKNOWN


def exit_of_outcome(outcome: Outcome) -> Exit:
    """The code for an outcome."""
    if outcome is Outcome.STILL_OPEN:
        return Exit.STILL_OPEN
    return Exit.UNKNOWN if outcome is Outcome.UNKNOWN else Exit.OK


def worst(codes: Iterable[Exit]) -> Exit:
    """The worst of several, OK for none."""
    return min(codes, key=WORST_FIRST.index, default=Exit.OK)


def sentence(error: BitgetError) -> str:
    """One line: what happened, and what to do about it."""
    own = getattr(error, "remedy", "")
    remedy = "" if own else next((text for kind, text in REMEDIES if isinstance(error, kind)), "")
    if isinstance(error, UsageError) and "BITGET_API" in str(error):
        remedy = "Put the three parts of a trade-only key there, or try `bitget-async demo`, which needs no key"
    text = str(error).rstrip(".")
    return f"{text}. {remedy}." if remedy else f"{text}."
