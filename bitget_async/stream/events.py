"""What can happen on a connection, and what a code of the exchange asks for."""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

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


class SignedIn(msgspec.Struct, frozen=True):
    """The exchange knows us; subscriptions follow."""


class SignInRefused(msgspec.Struct, frozen=True):
    """The exchange does not know us, and closes the connection. Nothing more is sent on it."""

    code: str
    message: str
    remedy: Remedy


class Acknowledged(msgspec.Struct, frozen=True):
    """Pushes of this topic come from now on; what was before may have been missed."""

    topic: Topic


class SubscriptionLost(msgspec.Struct, frozen=True):
    """This topic is not wanted any more: refused with that code, or (code `""`) never acknowledged."""

    topic: Topic
    code: str
    message: str


class Left(msgspec.Struct, frozen=True):
    """The exchange sends this topic no longer, as wanted."""

    topic: Topic


class Dead(msgspec.Struct, frozen=True):
    """Close this connection and make another, not before `pause_ns` from now. Nothing more is sent on it."""

    reason: str
    pause_ns: int = 0


class Renewal(msgspec.Struct, frozen=True):
    """The exchange will close this connection soon, for its age: make another one. Said once a connection."""


class Complaint(msgspec.Struct, frozen=True):
    """An error that belongs to nothing that was asked."""

    code: str
    message: str


Event: TypeAlias = SignedIn | SignInRefused | Acknowledged | SubscriptionLost | Left | Dead | Renewal | Complaint
