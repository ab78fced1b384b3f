"""
Traces and metrics of a client by OpenTelemetry: the extra `otel`. See docs/observability.md.

    async with BitgetClient(credentials) as client:
        with Telemetry(client):
            ...
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.events import (
    BucketTightened,
    Event,
    FateKnown,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    RequestStarted,
    StreamChanged,
    TokenMissed,
    TokenTaken,
)
from bitget_async.models import Snapshot

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from bitget_async.telemetry.meters import Meters
    from bitget_async.telemetry.spans import Spans

__all__ = ["Telemetry"]

E = TypeVar("E", bound=Event)

MOST_OPEN = 10_000


class Observed(Protocol):
    """What telemetry needs of a client."""

    @property
    def clock(self) -> Clock:
        """The clock of the events."""

    def on(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """Hear events."""

    def snapshot(self) -> Snapshot:
        """How it is now."""


class Telemetry:
    """
    Listens to the events of a client, and tells them to OpenTelemetry as spans and metrics. Does nothing else: without
    it, and after `detach`, nothing is different. What a provider or an exporter raises harms no call.

    Args:
        client: to listen to.
        tracer_provider, meter_provider: where to tell it; `None`: the global ones, as they are when it is attached.
        name: tells clients of one process apart: the attribute `bitget.client` of every span and point.
        most_open: calls that may be open at once, and requests. Of more the oldest end as abandoned: so what never
            ends cannot fill the memory.

    Raises:
        UsageError: an argument cannot be meant, or the extra `otel` is not installed.
    """

    def __init__(
        self,
        client: Observed,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        name: str = "",
        most_open: int = MOST_OPEN,
    ) -> None:
        if isinstance(most_open, bool) or not isinstance(most_open, int) or most_open < 1:
            raise UsageError(f"most_open must be a whole number above 0, not {most_open!r}")
        _check_extra()
        self._client = client
        self._providers = tracer_provider, meter_provider
        self._common = {"bitget.client": name} if name else {}
        self._most = most_open
        self._parts: tuple[Spans, Meters] | None = None
        self._offs: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        state = "detached" if self._parts is None else f"attached, {self._parts[0].open} spans open"
        return f"<Telemetry {state}>"

    def attach(self) -> Self:
        """
        Begin, on the client's event loop. Twice is once. It ends with the client, or with `detach`.

        Raises:
            UsageError: no event loop runs.
        """
        if self._parts is None:
            from bitget_async.telemetry.making import made

            self._parts = spans, meters = made(self._client, *self._providers, self._common, self._most)
            # Metrics hear of an end first: their points lead to a span that is still known then.
            self._hear(TokenTaken, meters.token)
            self._hear(TokenMissed, meters.missed)
            self._hear(RequestStarted, spans.started)
            self._hear(RequestEnded, meters.ended)
            self._hear(RequestEnded, spans.ended)
            self._hear(HandleChanged, meters.handle)
            self._hear(HandleChanged, spans.handle)
            self._hear(FateKnown, meters.fate)
            self._hear(FateKnown, spans.fate)
            self._hear(BucketTightened, meters.tightened)
            self._hear(ForeignUse, meters.foreign)
            self._hear(StreamChanged, meters.stream)
        return self

    def detach(self) -> None:
        """End: open spans end as abandoned, and nothing more is told. Safe to call twice."""
        for off in self._offs:
            off()
        self._offs.clear()
        parts, self._parts = self._parts, None
        if parts is not None:
            for part in parts:
                part.close()

    def __enter__(self) -> Self:
        return self.attach()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()

    def _hear(self, kind: type[E], callback: Callable[[E], None]) -> None:
        self._offs.append(self._client.on(kind, callback))


def _check_extra() -> None:
    try:
        importlib.import_module("bitget_async.telemetry.making")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise UsageError("telemetry needs OpenTelemetry: install bitget-async[otel]") from None
