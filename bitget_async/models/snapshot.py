"""How a client is at one moment: `client.snapshot()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from bitget_async.models.reports import _plain

__all__ = [
    "BucketState",
    "ClockState",
    "HandleState",
    "PastError",
    "Snapshot",
    "StopState",
    "StreamLine",
]


class BucketState(msgspec.Struct, frozen=True, kw_only=True):
    """
    One quota, as far as this process knows.

    Attributes:
        endpoint: the exchange's name of the call.
        quota: tokens of this process, or with `RedisLimits` of all.
        free: tokens that could be taken now without waiting.
        waiting: requests that wait for one, of all clients that share these limits.
        wait_s: the least wait for one who came now, in seconds.
        refusals: answers "too many requests" so far.
        shared: whether other processes use it too (`RedisLimits`).
    """

    endpoint: str
    quota: int
    free: int
    waiting: int
    wait_s: float
    refusals: int
    shared: bool = False


class HandleState(msgspec.Struct, frozen=True, kw_only=True):
    """
    One pending handle.

    Attributes:
        call: its number, as in events.
        kind: "cancellation", "placement", "replacement" or "modification".
        command: the exchange's name of the command.
        symbol: the symbol, or several joined by commas.
        state: `pending` or `cleared`.
        acknowledged: whether the exchange said "taken".
        age_s: seconds since the call, or since it was taken up again.
        left_s: seconds until it settles, whatever is known then.
        attempts: copies of the command that may have reached the exchange.
        orders: orders known so far. ended: those of them of which it is proven what became of them.
        reads: reads that served it; shared ones count for each.
    """

    call: int
    kind: str
    command: str
    symbol: str
    state: str
    acknowledged: bool
    age_s: float
    left_s: float
    attempts: int
    orders: int
    ended: int
    reads: int


class StopState(msgspec.Struct, frozen=True, kw_only=True):
    """
    One stop of everything that is not settled. See `StopProgress`.

    Attributes:
        call: its number, as in events.
        symbol: the symbols in scope, joined by commas, or `*`.
        state: `sending`, `checking` or `proving`.
        age_s: seconds since the call.
        commands: planned so far. answered: those of them that are through.
        orders: known so far. ended: those of them with a final row.
        left: orders that the last listing after the commands showed; `None` before it.
        eta_s: seconds until the last planned command leaves.
    """

    call: int
    symbol: str
    state: str
    age_s: float
    commands: int
    answered: int
    orders: int
    ended: int
    left: int | None
    eta_s: float


class StreamLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    One connection of the stream.

    Attributes:
        stream: its name, such as `private stream 1`.
        state: "connecting", "live" (every topic acknowledged) or "stale" (lost or silent).
        topics: how many are wanted of it.
        silent_s: seconds since anything came, or `None` while there is no connection.
        lag_ms: how old the last push was when it came, by the exchange's clock as it is known here; `None` before one.
        reconnects: how often it was connected anew.
    """

    stream: str
    state: str
    topics: int
    silent_s: float | None
    lag_ms: int | None
    reconnects: int


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """
    The exchange's clock as it is known here.

    Attributes:
        synchronised: whether any answer has told it yet.
        offset_ms: the exchange's clock less this machine's wall clock.
        uncertainty_ms: how far it can be off, either way; `None` before the first answer.
    """

    synchronised: bool
    offset_ms: int
    uncertainty_ms: int | None


class PastError(msgspec.Struct, frozen=True, kw_only=True):
    """
    A request that did not succeed. No text of the exchange: what it wrote stands in the error that was raised.

    Attributes:
        at_ms: exchange time.
        endpoint: the exchange's name of the call.
        error: the class, such as `OutcomeUnknown`.
        reason: of `NotSent` and `OutcomeUnknown`; else `""`.
        code: the exchange's code, or `None`.
    """

    at_ms: int
    endpoint: str
    error: str
    reason: str
    code: str | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a client is at one moment. Holds no secrets, and no amounts: how many orders, not how much.

    Attributes:
        at_ms: exchange time as well as it is known.
        state: "not used yet", "open" or "closed".
        origin: scheme, host and port of the exchange.
        up_s: seconds since the first use.
        clock: the exchange's clock.
        buckets: quotas that were used so far, by endpoint.
        handles: pending handles, oldest first. stops: stops that are not settled.
        settled: handles that settled so far, by outcome, such as `{"CONFIRMED": 12}`.
        streams: connections of the stream. stream: the state of all of them together, see `StreamState`.
        open_orders: what `client.open_orders` is worth, see `Sureness`.
        requests: copies on the wire so far, by the exchange's name of the call.
        reads: those of them that were made for handles, in the background.
        errors: the last requests that did not succeed, oldest first, 50 at most.
        failed: how many there were.
        journal: whether there is one.
    """

    at_ms: int
    state: str
    origin: str
    clock: ClockState
    up_s: float = 0.0
    buckets: tuple[BucketState, ...] = ()
    handles: tuple[HandleState, ...] = ()
    stops: tuple[StopState, ...] = ()
    settled: Mapping[str, int] = {}
    streams: tuple[StreamLine, ...] = ()
    stream: str = "off"
    open_orders: str = ""
    requests: Mapping[str, int] = {}
    reads: int = 0
    errors: tuple[PastError, ...] = ()
    failed: int = 0
    journal: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The snapshot as plain JSON values."""
        return cast("dict[str, Any]", _plain(self))
