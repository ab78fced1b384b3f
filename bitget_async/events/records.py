"""
The records. Times `at_ns` are monotonic nanoseconds of the client's clock, as `time.monotonic_ns()`.

`call` is the number of a pending handle, `request` that of a request: both count up from 1 in each process, and mean
nothing outside of it.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "BucketTightened",
    "ClockSynchronised",
    "Event",
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


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    Something happened at `at_ns`. Whoever listens to this class hears everything.
    """

    at_ns: int


class RequestEvent(Event, frozen=True, kw_only=True, gc=False):
    """
    Something about one copy of a request. Whoever listens to this class hears the four below.

    Attributes:
        request: number of the request; its repeats have the same.
        copy: 1 for the first, counting up with each repeat, also of copies that were not sent.
        endpoint: the exchange's name of the call, as in a report's `requests`.
        calls: the handles on whose behalf it is made: one for a command and for reads of its own, several for a read
            that they share, none for a request that the program made.
    """

    request: int
    copy: int
    endpoint: str
    calls: tuple[int, ...] = ()


class TokenTaken(RequestEvent, frozen=True, kw_only=True, gc=False):
    """
    A copy has its token, and goes next.

    Attributes:
        waited_s: how long it waited; for a read in the background, in both of its lines.
        first: whether it stood in front of those who wait without this.
    """

    waited_s: float
    first: bool = False


class TokenMissed(RequestEvent, frozen=True, kw_only=True, gc=False):
    """
    A copy got no token: it does not go, and no more copy does.

    Attributes:
        waited_s: how long it waited.
        reason: as in `NotSent`: `rate_limit` or `closed`; `cancelled` where the caller went away.
        expected_wait_s: the least wait until a token can be had, where that is known.
    """

    waited_s: float
    reason: str
    expected_wait_s: float | None = None


class RequestStarted(RequestEvent, frozen=True, kw_only=True, gc=False):
    """
    A copy is handed to the network. Exactly one `RequestEnded` follows.

    Attributes:
        method: `GET` or `POST`; `WS` for a command over the private stream.
        path: without the query.
    """

    method: str
    path: str


class RequestEnded(RequestEvent, frozen=True, kw_only=True, gc=False):
    """
    What became of a copy.

    Attributes:
        method, path: as in `RequestStarted`.
        certainty: "accepted": answered with 00000. "refused": answered with a code that proves that it was not
            executed. "not_sent": proven that no byte left. "unknown": anything else.
        http_status: of the answer, or `None`.
        code: the exchange's code, or `None`.
        reason: of "not_sent" and "unknown": as in `NotSent` and `OutcomeUnknown`; `cancelled` where the caller went
            away meanwhile. Else `""`.
        sent_bytes, received_bytes: of the two bodies, without headers; 0 where there was none.
        queue_s: wait for the token. wire_s: from the first byte to the last of the answer, or until it was given up.
            decode_s: reading the answer.
    """

    method: str
    path: str
    certainty: str
    http_status: int | None = None
    code: str | None = None
    reason: str = ""
    sent_bytes: int = 0
    received_bytes: int = 0
    queue_s: float = 0.0
    wire_s: float = 0.0
    decode_s: float = 0.0


class BucketTightened(Event, frozen=True, kw_only=True, gc=False):
    """
    The exchange said "too many requests": what is left of the bucket rests for a second, half of it for ten more.

    Attributes:
        endpoint: the exchange's name of the call.
        quota: documented calls a second.
        refusals: answers of this kind to this client so far, on this endpoint.
    """

    endpoint: str
    quota: int
    refusals: int


class ForeignUse(Event, frozen=True, kw_only=True, gc=False):
    """
    Somebody else uses the quota of this account or address: this client kept within it.

    Attributes:
        endpoint: the exchange's name of the call.
        cause: "refused": it was answered with "too many requests". "remaining": the exchange's header left fewer
            calls than were free here.
        tokens: how many free tokens were put to rest for it.
    """

    endpoint: str
    cause: str
    tokens: int = 0


class ClockSynchronised(Event, frozen=True, kw_only=True, gc=False):
    """
    The exchange's clock was set: at first, or anew. That it is known ever better is not told.

    Attributes:
        offset_ms: the exchange's clock less this machine's wall clock.
        uncertainty_ms: how far it can be off, either way.
        cause: "first"; "refused": the exchange refused a timestamp; "moved": two answers in a row contradicted it.
    """

    offset_ms: int
    uncertainty_ms: int
    cause: str


class HandleChanged(Event, frozen=True, kw_only=True, gc=False):
    """
    A handle is in another state. Each handle begins once, with `begun` or `resumed`, and ends once, with one of the
    last four states.

    Attributes:
        call: its number.
        kind: "cancellation", "placement", "replacement", "modification" or "stop".
        command: the exchange's name of the command; `cancel_all_orders` for a stop.
        symbol: the symbol, or several joined by commas; `*` for a stop of all.
        state: "begun" (called), "fenced" (waits behind a cancellation), "signed" (a copy was stamped), "answered" (or
            it is known that no answer comes), "cleared" (nothing in scope is open any more), "resumed" (taken up again
            by `resume` or `recheck`; nothing is sent); for a stop also "checking" and "proving". At the end "settled"
            (with an outcome), "refused", "not_sent" or "withdrawn" (its caller went away before it was signed).
        outcome: of "settled": the name in the report, such as `CONFIRMED`; else `None`.
        reason: of an outcome that is no yes: as in the report. Of "refused": the exchange's code; of "not_sent": as in
            `NotSent`.
        acknowledged: whether the exchange said "taken".
        attempts: copies of its command that may have reached the exchange.
        orders: orders known so far.
        age_s: seconds since it began.
        parts: for a stop: the numbers of its commands' handles so far.
        within: the number of the stop that it is a command of, or `None`.
    """

    call: int
    kind: str
    command: str
    symbol: str
    state: str
    outcome: str | None = None
    reason: str = ""
    acknowledged: bool = False
    attempts: int = 0
    orders: int = 0
    age_s: float = 0.0
    parts: tuple[int, ...] = ()
    within: int | None = None


class FateKnown(Event, frozen=True, kw_only=True, gc=False):
    """
    What became of one order of a handle is proven.

    Attributes:
        call: the handle's number.
        order_id, client_oid: of the order, `""` where not known.
        symbol: of the order.
        fate: "cancelled", "filled", "triggered", "failed", "modified" ..., as in the report; "placed" or "not_placed".
        source: what told it, as in the report; `orders` is the order stream.
    """

    call: int
    order_id: str
    client_oid: str
    symbol: str
    fate: str
    source: str


class StreamChanged(Event, frozen=True, kw_only=True, gc=False):
    """
    A connection of the stream is in another state.

    Attributes:
        stream: its name, such as `private stream 1`.
        state: "connected"; "live" (every topic acknowledged, pushes come); "silent"; "lost"; "closed" (it ended, and
            nobody wants it); "unreachable" (no connection could be made; told once an outage); "refused" (the login, or
            a topic).
        reason: of the last five, in a few words.
        topics: how many are wanted of it.
    """

    stream: str
    state: str
    reason: str = ""
    topics: int = 0
