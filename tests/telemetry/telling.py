"""A client that only tells what it is told to tell, and what OpenTelemetry makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_span_id

from bitget_async.events import Event, Events, HandleChanged, RequestEnded, RequestStarted
from bitget_async.models import ClockState, Snapshot

E = TypeVar("E", bound=Event)

EPOCH_MS = 1_700_000_000_000
MS_NS = 1_000_000


class SetClock:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.epoch_offset_ms = EPOCH_MS

    def monotonic_ns(self) -> int:
        """Since 0."""
        return self.now_ms * MS_NS

    def epoch_ms(self) -> int:
        """The same, from the epoch."""
        return self.epoch_offset_ms + self.now_ms

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps here."""
        raise AssertionError(seconds)


class Teller:
    """Stands for a client."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.hub = Events()
        self.shown = Snapshot(
            at_ms=EPOCH_MS,
            state="open",
            origin="https://api.bitget.com",
            up_s=1.0,
            clock=ClockState(synchronised=False, offset_ms=0, uncertainty_ms=None),
        )

    def on(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """As a client's."""
        return self.hub.on(kind, callback)

    def snapshot(self) -> Snapshot:
        """As a client's."""
        return self.shown

    # -- to tell ----------------------------------------------------------------------------------------------

    def handle(self, at_ms: int, call: int, state: str, **more: Any) -> None:
        """A handle is in another state."""
        told = {"kind": "cancellation", "command": "cancel-symbol-order", "symbol": "BTCUSDT", **more}
        self.clock.now_ms = at_ms
        self.hub.emit(HandleChanged(at_ns=at_ms * MS_NS, call=call, state=state, **told))

    def started(self, at_ms: int, request: int, calls: tuple[int, ...] = (), **more: Any) -> None:
        """A copy is handed to the network."""
        told = {"endpoint": "unfilled-orders", "method": "GET", "path": "/unfilled", "copy": 1, **more}
        self.clock.now_ms = at_ms
        self.hub.emit(RequestStarted(at_ns=at_ms * MS_NS, request=request, calls=calls, **told))

    def ended(self, at_ms: int, request: int, calls: tuple[int, ...] = (), **more: Any) -> None:
        """What became of it."""
        told = {"endpoint": "unfilled-orders", "method": "GET", "path": "/unfilled", "copy": 1, **more}
        told = {"certainty": "accepted", "http_status": 200, **told}
        self.clock.now_ms = at_ms
        self.hub.emit(RequestEnded(at_ns=at_ms * MS_NS, request=request, calls=calls, **told))


@dataclass
class Desk:
    """Providers that keep what they are told in memory."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    tracers: TracerProvider = field(default_factory=TracerProvider)
    meters: MeterProvider = field(init=False)

    def __post_init__(self) -> None:
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])

    @property
    def options(self) -> dict[str, Any]:
        """For a `Telemetry`."""
        return {"tracer_provider": self.tracers, "meter_provider": self.meters}

    @property
    def spans(self) -> list[ReadableSpan]:
        """All that have ended, in that order."""
        return list(self.exporter.get_finished_spans())

    def points(self, name: str) -> dict[tuple[tuple[str, Any], ...], Any]:
        """
        What one metric shows now, by its attributes: a number, or for a histogram how many and their sum. Collects.
        """
        found: dict[tuple[tuple[str, Any], ...], Any] = {}
        for metric in self.metrics():
            if metric.name == name:
                for point in metric.data.data_points:
                    value = (point.count, round(point.sum, 9)) if hasattr(point, "count") else point.value
                    found[tuple(sorted(point.attributes.items()))] = value
        return found

    def metrics(self) -> list[Any]:
        """Every metric with its points."""
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        return [metric for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]


def parent_of(span: ReadableSpan) -> str | None:
    """The span id of a span's parent."""
    return None if span.parent is None else format_span_id(span.parent.span_id)


def id_of(span: ReadableSpan) -> str:
    """The span id of a span."""
    context = span.get_span_context()
    assert context is not None
    return format_span_id(context.span_id)
