"""Events to spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from bitget_async.events import FateKnown, HandleChanged, RequestEnded, RequestStarted
from bitget_async.telemetry.names import error_of_call, error_of_request, is_read

__all__ = ["ENDINGS", "NOWHERE", "Spans", "server_of"]

BEGINNINGS = ("begun", "resumed")
ENDINGS = ("settled", "refused", "not_sent", "withdrawn")
# A parent that is none: else the current span of whichever task happens to tell would be it. An empty context would be
# taken for no context by some.
NOWHERE = set_span_in_context(INVALID_SPAN, Context())

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Call:
    """A call that has not ended: its span, what its reads cost and what its orders came to."""

    span: Span
    context: Context
    reads: int = 0
    shared: int = 0
    fates: Counter[str] = field(default_factory=Counter)


class Spans:
    """
    One span for each call with a handle, one for each copy of a request.

    Args:
        tracer: makes them.
        epoch_ns: monotonic nanoseconds of the client's clock to Unix nanoseconds; `None`: now.
        origin: of the exchange.
        common: attributes of every span.
        most: open spans of either kind; beyond that the oldest are ended as abandoned.
    """

    def __init__(
        self, tracer: Tracer, epoch_ns: Callable[[int | None], int], origin: str, common: dict[str, str], most: int
    ) -> None:
        self._tracer = tracer
        self._epoch_ns = epoch_ns
        self._origin = origin
        self._common = common
        self._server = server_of(origin)
        self._most = most
        self._calls: dict[int, _Call] = {}
        self._requests: dict[tuple[int, int], Span] = {}

    @property
    def open(self) -> int:
        """Spans that have not ended."""
        return len(self._calls) + len(self._requests)

    def of_call(self, call: int) -> Context:
        """The context of a call's span, for what is measured of it; an empty one after its end."""
        found = self._calls.get(call)
        return NOWHERE if found is None else found.context

    def of_request(self, request: int, copy: int) -> Context:
        """The same of a copy of a request."""
        found = self._requests.get((request, copy))
        return NOWHERE if found is None else set_span_in_context(found, NOWHERE)

    # -- calls with a handle ----------------------------------------------------------------------------------

    def handle(self, event: HandleChanged) -> None:
        """A handle is in another state."""
        call = self._calls.get(event.call)
        if call is None:
            if event.state in BEGINNINGS:
                self._begin(event)
        elif event.state in ENDINGS:
            del self._calls[event.call]
            self._end(call, event)
        else:
            call.span.add_event(event.state, timestamp=self._epoch_ns(event.at_ns))

    def fate(self, event: FateKnown) -> None:
        """What became of an order is proven."""
        if (call := self._calls.get(event.call)) is not None:
            call.fates[event.fate] += 1

    def _begin(self, event: HandleChanged) -> None:
        # Heard in the caller's own context: a call inside a span of the caller is a child of that; a command of a stop
        # is one of the stop's.
        told: dict[str, Any] = {"bitget.call": event.call, "bitget.kind": event.kind, "bitget.command": event.command}
        stop = None if event.within is None else self._calls.get(event.within)
        span = self._tracer.start_span(
            event.command,
            context=None if stop is None else stop.context,
            kind=SpanKind.INTERNAL,
            start_time=self._epoch_ns(event.at_ns),
            attributes={**self._common, **told, "bitget.symbol": event.symbol},
        )
        if event.state == "resumed":
            span.set_attribute("bitget.resumed", True)
        _make_room(self._calls, self._most, lambda call: self._abandon(call.span))
        self._calls[event.call] = _Call(span, set_span_in_context(span, NOWHERE))

    def _end(self, call: _Call, event: HandleChanged) -> None:
        span = call.span
        span.set_attributes(
            {
                "bitget.state": event.state,
                "bitget.acknowledged": event.acknowledged,
                "bitget.attempts": event.attempts,
                "bitget.reads": call.reads,
                "bitget.reads.shared": call.shared,
                "bitget.orders": event.orders,
                **{f"bitget.orders.{fate}": count for fate, count in call.fates.items()},
            }
        )
        if event.outcome is not None:
            span.set_attribute("bitget.outcome", event.outcome)
        if event.reason:
            span.set_attribute("bitget.reason", event.reason)
        _fail(span, error_of_call(event), event.reason)
        span.end(self._epoch_ns(event.at_ns))

    # -- requests ---------------------------------------------------------------------------------------------

    def started(self, event: RequestStarted) -> None:
        """A copy is handed to the network."""
        parents = [self._calls[each] for each in event.calls if each in self._calls]
        # Made for handles whose spans nobody has: the current context is of the task that reads for all.
        context = parents[0].context if parents else NOWHERE if event.calls else None
        span = self._tracer.start_span(
            f"{event.method} {event.path}" if event.method != "WS" else f"WS {event.endpoint}",
            context=context,
            kind=SpanKind.CLIENT,
            attributes=self._of_request(event),
            links=[Link(each.span.get_span_context()) for each in parents[1:]],
            start_time=self._epoch_ns(event.at_ns),
        )
        _make_room(self._requests, self._most, self._abandon)
        self._requests[event.request, event.copy] = span

    def _of_request(self, event: RequestStarted) -> dict[str, Any]:
        found: dict[str, Any] = {**self._common, "bitget.endpoint": event.endpoint, "bitget.request": event.request}
        if event.calls:
            found["bitget.calls"] = event.calls
        if event.method == "WS":
            return found | {"network.protocol.name": "websocket"}
        found |= {
            "http.request.method": event.method,
            "url.full": self._origin + event.path,
            "url.template": event.path,
            **self._server,
        }
        return found | {"http.request.resend_count": event.copy - 1} if event.copy > 1 else found

    def ended(self, event: RequestEnded) -> None:
        """What became of a copy."""
        if is_read(event):
            for each in event.calls:
                if (call := self._calls.get(each)) is not None:
                    call.reads += 1
                    call.shared += len(event.calls) > 1
        span = self._requests.pop((event.request, event.copy), None)
        if span is None:
            return
        told: dict[str, Any] = {"bitget.certainty": event.certainty, "bitget.queue.duration": event.queue_s}
        if event.http_status is not None:
            told["http.response.status_code"] = event.http_status
        if event.code is not None:
            told["bitget.code"] = event.code
        span.set_attributes(told)
        _fail(span, error_of_request(event), event.code or event.reason)
        span.end(self._epoch_ns(event.at_ns))

    def close(self) -> None:
        """End all that is open as abandoned: nobody will hear how it ends."""
        for span in [*self._requests.values(), *(call.span for call in self._calls.values())]:
            self._abandon(span)
        self._requests.clear()
        self._calls.clear()

    def _abandon(self, span: Span) -> None:
        span.set_attribute("bitget.abandoned", True)
        span.end(self._epoch_ns(None))


def server_of(origin: str) -> dict[str, str | int]:
    """Address and port of an origin, as attributes."""
    parts = urlsplit(origin)
    return {
        "server.address": parts.hostname or "",
        "server.port": parts.port or (80 if parts.scheme == "http" else 443),
    }


def _make_room(held: dict[Any, T], most: int, drop: Callable[[T], None]) -> None:
    if len(held) >= most:
        drop(held.pop(next(iter(held))))


def _fail(span: Span, error: str | None, text: str) -> None:
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, text or error))
