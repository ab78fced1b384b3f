"""What can happen on a connection, and what a code of the exchange asks for."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from bitget_async.codes import classify
from bitget_async.errors import (
    AccountModeMismatch,
    AuthenticationFailed,
    ClockSkewed,
    PermissionDenied,
    RateLimited,
)
from bitget_async.stream.protocol import Topic

__all__ = [
    "Acknowledged",
    "Complaint",
    "Dead",
    "Event",
    "Left",
    "Remedy",
    "Renewal",
    "SignInRefused",
    "SignedIn",
    "SubscriptionLost",
    "remedy",
]


class Remedy(enum.Enum):
    """
    What to do about a code of the exchange.

    STOP: asking again gets the same answer; for a login, this key is not good for it. CLOCK: read the exchange's clock,
    then sign in again. WAIT: too many requests; the same later. AGAIN: it proves nothing; ask again, a few times.
    """

    STOP = "stop"
    CLOCK = "clock"
    WAIT = "wait"
    AGAIN = "again"


def remedy(code: str) -> Remedy:
    """What to do about that code."""
    verdict = classify(code)
    if issubclass(verdict.error, RateLimited):
        return Remedy.WAIT
    if issubclass(verdict.error, ClockSkewed):
        return Remedy.CLOCK
    account = issubclass(verdict.error, (AuthenticationFailed, PermissionDenied, AccountModeMismatch))
    return Remedy.STOP if account or verdict.definitive else Remedy.AGAIN


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The exchange knows us; subscriptions follow."""


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The exchange does not know us, and closes the connection. Nothing more is sent on it."""

    code: str
    message: str
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Pushes of this topic come from now on; what was before may have been missed."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class SubscriptionLost:
    """This topic is not wanted any more: refused with that code, or (code `""`) never acknowledged."""

    topic: Topic
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Left:
    """The exchange sends this topic no longer, as wanted."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class Dead:
    """Close this connection and make another, not before `pause_ns` from now. Nothing more is sent on it."""

    reason: str
    pause_ns: int = 0


@dataclass(frozen=True, slots=True)
class Renewal:
    """The exchange will close this connection soon, for its age: make another one. Said once a connection."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error that belongs to nothing that was asked."""

    code: str
    message: str


Event: TypeAlias = SignedIn | SignInRefused | Acknowledged | SubscriptionLost | Left | Dead | Renewal | Complaint
