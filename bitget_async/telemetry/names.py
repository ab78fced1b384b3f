"""
What telemetry tells and how it is called: `http.*`, `server.*`, `url.*` and `error.*` as in the semantic conventions
for HTTP, all else under `bitget.`.
"""

from __future__ import annotations

from typing import NamedTuple

from bitget_async.codes import known
from bitget_async.events import HandleChanged, RequestEnded

__all__ = [
    "BUCKETS_S",
    "METRICS",
    "PROVEN",
    "Metric",
    "error_of_call",
    "error_of_request",
    "is_read",
]

# The outcomes that are a yes. `withdrawn` is none: the caller went away, and nothing was sent.
PROVEN = frozenset({"CONFIRMED", "NOTHING_TO_CANCEL", "PLACED", "REPLACED", "MODIFIED"})

# Up to the exchange's 60 s; the first part is the one that the conventions recommend for requests.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)


class Metric(NamedTuple):
    """
    One metric.

    Attributes:
        name: as OpenTelemetry has it.
        kind: "histogram", "counter" or "gauge".
        unit: as OpenTelemetry has it: `s`, or what is counted, in braces.
        text: what it says.
        attributes: that its points may have.
    """

    name: str
    kind: str
    unit: str
    text: str
    attributes: tuple[str, ...]


SERVER = ("server.address", "server.port")
REQUEST = ("http.request.method", "url.template", "http.response.status_code", "error.type")

METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "http.client.request.duration",
            "histogram",
            "s",
            "One copy of a request, from its first byte to the last of the answer.",
            (*REQUEST, *SERVER),
        ),
        Metric(
            "bitget.queue.duration",
            "histogram",
            "s",
            "Wait of a copy for its token.",
            ("bitget.endpoint",),
        ),
        Metric(
            "bitget.ack.duration",
            "histogram",
            "s",
            "From the signing of a command to its answer, or until it is known that none will come.",
            ("bitget.kind", "bitget.acknowledged"),
        ),
        Metric(
            "bitget.confirmation.duration",
            "histogram",
            "s",
            "From the signing of a command to the report; of a stop, from the call.",
            ("bitget.kind", "bitget.outcome"),
        ),
        Metric(
            "bitget.outcomes",
            "counter",
            "{call}",
            "Calls with a handle, by how they ended.",
            ("bitget.kind", "bitget.outcome", "bitget.reason"),
        ),
        Metric("bitget.fates", "counter", "{order}", "Orders, by what is proven of them.", ("bitget.fate",)),
        Metric("bitget.reads", "counter", "{read}", "Reads made for pending handles.", ("bitget.endpoint",)),
        Metric(
            "bitget.tokens.missed",
            "counter",
            "{request}",
            "Requests that got no token: not in time, withdrawn, or the client was closed.",
            ("bitget.endpoint", "bitget.reason"),
        ),
        Metric(
            "bitget.buckets.tightened",
            "counter",
            "{refusal}",
            'Answers "too many requests".',
            ("bitget.endpoint",),
        ),
        Metric(
            "bitget.foreign_uses",
            "counter",
            "{sighting}",
            "Signs that somebody else uses the quota of this account or address.",
            ("bitget.endpoint", "bitget.cause"),
        ),
        Metric(
            "bitget.stream.changes",
            "counter",
            "{change}",
            "Changes of the stream's connections.",
            ("bitget.stream.state",),
        ),
        Metric("bitget.tokens.free", "gauge", "{token}", "Tokens that can be taken now.", ("bitget.endpoint",)),
        Metric("bitget.tokens.waiting", "gauge", "{request}", "Requests that wait for one.", ("bitget.endpoint",)),
        Metric("bitget.calls.pending", "gauge", "{call}", "Handles that are not settled.", ("bitget.kind",)),
        Metric(
            "bitget.stream.live",
            "gauge",
            "{connection}",
            "1 where every topic of that connection is acknowledged, else 0.",
            ("bitget.stream",),
        ),
        Metric("bitget.clock.offset", "gauge", "s", "The exchange's clock less this machine's.", ()),
        Metric("bitget.clock.uncertainty", "gauge", "s", "How far that can be off, either way.", ()),
    )
}


def is_read(event: RequestEnded) -> bool:
    """Whether that was a read for pending handles which reached the network."""
    return bool(event.calls) and event.method == "GET" and event.certainty != "not_sent"


def error_of_request(event: RequestEnded) -> str | None:
    """
    `error.type` of a copy, or `None`: the HTTP status where that is the error, else the exchange's code, or the reason.
    """
    if event.certainty == "accepted":
        return None
    if event.http_status is not None and event.http_status >= 400:
        return str(event.http_status)
    if event.code is not None:
        return event.code if known(event.code) else "_OTHER"
    return event.reason or event.certainty


def error_of_call(event: HandleChanged) -> str | None:
    """`error.type` of a call that has ended, or `None`: its outcome where that is no yes, or why nothing was done."""
    if event.state == "settled":
        outcome = event.outcome or "UNKNOWN"
        return None if outcome in PROVEN else outcome.lower()
    return None if event.state == "withdrawn" else event.state
