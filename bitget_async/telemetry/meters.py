"""Events, and now and then a snapshot, to metrics."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import Counter as Counts
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from bitget_async.events import (
    BucketTightened,
    FateKnown,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    StreamChanged,
    TokenMissed,
    TokenTaken,
)
from bitget_async.models import Snapshot
from bitget_async.telemetry.names import BUCKETS_S, METRICS, error_of_request, is_read
from bitget_async.telemetry.spans import ENDINGS, NOWHERE, server_of

__all__ = ["Meters"]

# How long a collecting thread waits for the event loop: one that hangs has no tokens to tell of.
MOST_WAIT_S = 0.5
OfCall = Callable[[int], Context]
OfRequest = Callable[[int, int], Context]


class Meters:
    """
    Counters and histograms from events; gauges from snapshots, which are taken when somebody collects.

    Args:
        meter: makes the instruments. provider: where it comes from.
        snapshot: of the client; called on the loop's thread only.
        origin: of the exchange.
        common: attributes of every point.
        of_call, of_request: the context of a span, so that a point can lead to its trace.
        most: calls whose times are kept at once.
    """

    def __init__(
        self,
        meter: Meter,
        provider: MeterProvider,
        *,
        snapshot: Callable[[], Snapshot],
        origin: str,
        common: dict[str, str],
        of_call: OfCall,
        of_request: OfRequest,
        most: int,
    ) -> None:
        self._made = {name: _instrument(meter, name) for name, each in METRICS.items() if each.kind != "gauge"}
        self._snapshot = snapshot
        self._server = server_of(origin)
        self._common = common
        self._of_call, self._of_request = of_call, of_request
        self._most = most
        self._began_ns: dict[int, int] = {}
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._seen: Snapshot | None = None
        _gauges_of(provider, meter).join(self)
        self._gauges = _gauges_of(provider, meter)

    @property
    def open(self) -> int:
        """Calls whose times are kept."""
        return len(self._began_ns)

    # -- from events ------------------------------------------------------------------------------------------

    def token(self, event: TokenTaken) -> None:
        """A copy has its token."""
        self._record("bitget.queue.duration", event.waited_s, {"bitget.endpoint": event.endpoint}, NOWHERE)

    def missed(self, event: TokenMissed) -> None:
        """A copy got none."""
        self._count("bitget.tokens.missed", {"bitget.endpoint": event.endpoint, "bitget.reason": event.reason})

    def ended(self, event: RequestEnded) -> None:
        """What became of a copy."""
        if is_read(event):
            self._count("bitget.reads", {"bitget.endpoint": event.endpoint})
        if event.method == "WS":
            return
        told: dict[str, Any] = {"http.request.method": event.method, "url.template": event.path, **self._server}
        if event.http_status is not None:
            told["http.response.status_code"] = event.http_status
        if (error := error_of_request(event)) is not None:
            told["error.type"] = error
        self._record("http.client.request.duration", event.wire_s, told, self._of_request(event.request, event.copy))

    def handle(self, event: HandleChanged) -> None:
        """A handle is in another state: from its signing on its time counts; that of a stop from its beginning."""
        if event.state in ("begun", "resumed", "signed"):
            self._begin(event)
        elif event.state == "answered":
            told = {"bitget.kind": event.kind, "bitget.acknowledged": event.acknowledged}
            self._took("bitget.ack.duration", event, told)
        elif event.state in ENDINGS:
            told = {"bitget.kind": event.kind, "bitget.outcome": event.outcome or event.state}
            if event.state == "settled":
                self._took("bitget.confirmation.duration", event, told)
            self._began_ns.pop(event.call, None)
            self._count("bitget.outcomes", {**told, "bitget.reason": event.reason} if event.reason else told)

    def fate(self, event: FateKnown) -> None:
        """What became of an order is proven."""
        self._count("bitget.fates", {"bitget.fate": event.fate})

    def tightened(self, event: BucketTightened) -> None:
        """The exchange said "too many requests"."""
        self._count("bitget.buckets.tightened", {"bitget.endpoint": event.endpoint})

    def foreign(self, event: ForeignUse) -> None:
        """Somebody else uses the quota."""
        self._count("bitget.foreign_uses", {"bitget.endpoint": event.endpoint, "bitget.cause": event.cause})

    def stream(self, event: StreamChanged) -> None:
        """A connection of the stream is in another state."""
        self._count("bitget.stream.changes", {"bitget.stream.state": event.state})

    def close(self) -> None:
        """Tell nothing any more."""
        self._gauges.leave(self)
        self._began_ns.clear()

    def _begin(self, event: HandleChanged) -> None:
        if event.state == "signed" and event.attempts > 1:
            # A later copy: the time counts from the first one.
            return
        if event.call not in self._began_ns and len(self._began_ns) >= self._most:
            del self._began_ns[next(iter(self._began_ns))]
        self._began_ns[event.call] = event.at_ns

    def _took(self, name: str, event: HandleChanged, told: dict[str, Any]) -> None:
        began_ns = self._began_ns.get(event.call)
        if began_ns is not None:
            self._record(name, (event.at_ns - began_ns) / 1e9, told, self._of_call(event.call))

    def _count(self, name: str, told: dict[str, Any]) -> None:
        self._made[name].add(1, {**told, **self._common}, NOWHERE)

    def _record(self, name: str, seconds: float, told: dict[str, Any], context: Context) -> None:
        self._made[name].record(seconds, {**told, **self._common}, context)

    # -- from snapshots, in whatever thread collects ----------------------------------------------------------

    def look(self) -> None:
        """Take a snapshot, for all gauges of one collection."""
        try:
            self._seen = self._snapshot() if threading.get_ident() == self._thread else self._fetched()
        except (RuntimeError, TimeoutError):
            # The loop is closed, or hangs.
            self._seen = None

    def _fetched(self) -> Snapshot:
        answer: Future[Snapshot] = Future()

        def take() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(self._snapshot())
                except Exception as error:
                    answer.set_exception(error)

        self._loop.call_soon_threadsafe(take)
        try:
            return answer.result(MOST_WAIT_S)
        finally:
            _ = answer.cancel()

    def points(self, name: str) -> Iterable[Observation]:
        """What that gauge shows by the last snapshot."""
        seen = self._seen
        for value, told in () if seen is None or seen.state == "closed" else _points(name, seen):
            yield Observation(value, {**told, **self._common})


def _points(name: str, seen: Snapshot) -> Iterable[tuple[float, dict[str, str]]]:
    match name:
        case "bitget.tokens.free":
            return [(each.free, {"bitget.endpoint": each.endpoint}) for each in seen.buckets]
        case "bitget.tokens.waiting":
            return [(each.waiting, {"bitget.endpoint": each.endpoint}) for each in seen.buckets]
        case "bitget.calls.pending":
            kinds = Counts([each.kind for each in seen.handles] + ["stop"] * len(seen.stops))
            return [(count, {"bitget.kind": kind}) for kind, count in kinds.items()]
        case "bitget.stream.live":
            return [(float(each.state == "live"), {"bitget.stream": each.stream}) for each in seen.streams]
        case "bitget.clock.offset" if seen.clock.synchronised:
            return [(seen.clock.offset_ms / 1000, {})]
        case "bitget.clock.uncertainty" if seen.clock.uncertainty_ms is not None:
            return [(seen.clock.uncertainty_ms / 1000, {})]
        case _:
            return []


class _Gauges:
    """
    The gauges of one provider. Once made, OpenTelemetry keeps a gauge for ever and makes no second one by its name: so
    all who are attached share them, and whoever is not attached any more is not asked.
    """

    def __init__(self, meter: Meter) -> None:
        self._lock = threading.Lock()
        self._attached: weakref.WeakSet[Meters] = weakref.WeakSet()
        for index, metric in enumerate(each for each in METRICS.values() if each.kind == "gauge"):
            callback = self._callback(metric.name, first=index == 0)
            meter.create_observable_gauge(metric.name, [callback], metric.unit, metric.text)

    def join(self, meters: Meters) -> None:
        """Ask it too."""
        with self._lock:
            self._attached.add(meters)

    def leave(self, meters: Meters) -> None:
        """Ask it no more."""
        with self._lock:
            self._attached.discard(meters)

    def _callback(self, name: str, *, first: bool) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observed(options: CallbackOptions) -> Iterable[Observation]:
            with self._lock:
                attached = list(self._attached)
            for each in attached:
                if first:
                    each.look()
                yield from each.points(name)

        return observed


_GAUGES: weakref.WeakKeyDictionary[MeterProvider, _Gauges] = weakref.WeakKeyDictionary()


def _gauges_of(provider: MeterProvider, meter: Meter) -> _Gauges:
    gauges = _GAUGES.get(provider)
    if gauges is None:
        gauges = _GAUGES[provider] = _Gauges(meter)
    return gauges


def _instrument(meter: Meter, name: str) -> Any:
    metric = METRICS[name]
    if metric.kind == "counter":
        return meter.create_counter(name, metric.unit, metric.text)
    return meter.create_histogram(name, metric.unit, metric.text, explicit_bucket_boundaries_advisory=list(BUCKETS_S))
