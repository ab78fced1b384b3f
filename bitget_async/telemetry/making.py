"""Puts together what an attached `Telemetry` consists of. Everything beside this room's front needs OpenTelemetry."""

from __future__ import annotations

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.trace import TracerProvider, get_tracer_provider

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.models import Snapshot
from bitget_async.telemetry.meters import Meters
from bitget_async.telemetry.spans import Spans

__all__ = ["Epoch", "made"]

SCOPE = "bitget_async"
MS_NS = 1_000_000


class Told(Protocol):
    """What is told of a client beside its events."""

    @property
    def clock(self) -> Clock:
        """The clock of the events."""

    def snapshot(self) -> Snapshot:
        """How it is now."""


class Epoch:
    """
    Monotonic nanoseconds to Unix nanoseconds. The wall clock tells whole milliseconds, cut off: so the best that is
    known of the distance is the greatest that was seen, until the wall clock steps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns = 0

    def __call__(self, at_ns: int | None) -> int:
        """Unix nanoseconds of that moment, or of now."""
        now_ns = self._clock.monotonic_ns()
        seen_ns = self._clock.epoch_ms() * MS_NS - now_ns
        if not 0 <= self._offset_ns - seen_ns <= MS_NS:
            self._offset_ns = seen_ns
        return self._offset_ns + (now_ns if at_ns is None else at_ns)


def made(
    client: Told,
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
    common: dict[str, str],
    most: int,
) -> tuple[Spans, Meters]:
    """Spans and metrics of one client. Raises UsageError: no event loop runs."""
    try:
        _ = asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError("telemetry is attached on the event loop of the client, and none runs") from None
    release = _version()
    meters_of = meter_provider or get_meter_provider()
    tracer = (tracer_provider or get_tracer_provider()).get_tracer(SCOPE, release)
    origin = client.snapshot().origin
    spans = Spans(tracer, Epoch(client.clock), origin, common, most)
    meters = Meters(
        meters_of.get_meter(SCOPE, release),
        meters_of,
        snapshot=client.snapshot,
        origin=origin,
        common=common,
        of_call=spans.of_call,
        of_request=spans.of_request,
        most=most,
    )
    return spans, meters


def _version() -> str:
    try:
        return version("bitget-async")
    except PackageNotFoundError:
        return ""
