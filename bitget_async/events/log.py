"""
Events as log records: the one place that writes what events tell, so that nobody else logs the same.

One tree, `bitget_async`, with a handler that writes nothing: a program that configures no logging hears nothing. INFO
says what became of each command, and what changed for all; DEBUG has every request. The fields of an event stand in
its record under their own names, beside `event`, the name of its class.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bitget_async.errors import printable
from bitget_async.events.records import (
    BucketTightened,
    ClockSynchronised,
    Event,
    FateKnown,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    RequestEvent,
    StreamChanged,
    TokenMissed,
)

__all__ = ["ROOT", "EventLog"]

ROOT = "bitget_async"
logging.getLogger(ROOT).addHandler(logging.NullHandler())

requests = logging.getLogger(f"{ROOT}.requests")
limits = logging.getLogger(f"{ROOT}.limits")
clock = logging.getLogger(f"{ROOT}.clock")
calls = logging.getLogger(f"{ROOT}.calls")
streams = logging.getLogger(f"{ROOT}.stream")

# The least level at which a record of that class may be written.
LEAST: dict[type[Event], tuple[logging.Logger, int]] = {
    RequestEvent: (requests, logging.DEBUG),
    TokenMissed: (requests, logging.DEBUG),
    RequestEnded: (requests, logging.DEBUG),
    BucketTightened: (limits, logging.INFO),
    ForeignUse: (limits, logging.WARNING),
    ClockSynchronised: (clock, logging.INFO),
    HandleChanged: (calls, logging.INFO),
    FateKnown: (calls, logging.DEBUG),
    StreamChanged: (streams, logging.WARNING),
}
ENDED = ("settled", "refused", "not_sent", "withdrawn")
STREAM_LEVELS = {
    "connected": logging.DEBUG,
    "closed": logging.DEBUG,
    "unreachable": logging.WARNING,
    "refused": logging.WARNING,
}


class EventLog:
    """A `Listener` that writes log records."""

    def __init__(self) -> None:
        self._warned: set[str] = set()
        self._write: dict[type[Event], Callable[[Any], None]] = {
            TokenMissed: self._missed,
            RequestEnded: self._ended,
            BucketTightened: self._tightened,
            ForeignUse: self._foreign,
            ClockSynchronised: self._clock,
            HandleChanged: self._handle,
            FateKnown: self._fate,
            StreamChanged: self._stream,
        }

    def wants(self, kind: type[Event]) -> bool:
        """See `Listener`."""
        least = LEAST.get(kind)
        return least is not None and least[0].isEnabledFor(least[1])

    def __call__(self, event: Event) -> None:
        """See `Listener`."""
        self._write[type(event)](event)

    @staticmethod
    def _missed(event: TokenMissed) -> None:
        wait = "" if event.expected_wait_s is None else f", one is expected in {event.expected_wait_s:.2f} s"
        text = f"{event.endpoint}: no token after {event.waited_s:.3f} s ({event.reason}{wait})"
        _log(requests, logging.DEBUG, event, text)

    @staticmethod
    def _ended(event: RequestEnded) -> None:
        status = "" if event.http_status is None else f", HTTP {event.http_status}"
        code = "" if event.code is None else f", code {event.code}"
        reason = f" ({event.reason})" if event.reason else ""
        copy = f", copy {event.copy}" if event.copy > 1 else ""
        times = f"{event.wire_s * 1e3:.1f} ms after {event.queue_s * 1e3:.1f} ms for a token"
        text = f"{event.method} {event.endpoint}{copy}: {event.certainty}{reason}{status}{code}, {times}"
        _log(requests, logging.DEBUG, event, text)

    @staticmethod
    def _tightened(event: BucketTightened) -> None:
        text = (
            f"{event.endpoint}: slower for eleven seconds after refusal {event.refusals} of a quota of {event.quota}/s"
        )
        _log(limits, logging.INFO, event, text)

    def _foreign(self, event: ForeignUse) -> None:
        """Loud once for each endpoint."""
        level = logging.DEBUG if event.endpoint in self._warned else logging.WARNING
        self._warned.add(event.endpoint)
        if event.cause == "refused":
            text = (
                f"{event.endpoint}: too many requests, although the limit was kept: somebody else uses this account or "
                f"address, or the quota is lower than documented"
            )
        else:
            text = (
                f"{event.endpoint}: the exchange counts {event.tokens} requests more than were made here: somebody "
                f"else uses this account or address"
            )
        _log(limits, level, event, text)

    @staticmethod
    def _clock(event: ClockSynchronised) -> None:
        offset = f"{event.offset_ms:+d} ms to this machine's, to within {event.uncertainty_ms} ms"
        _log(clock, logging.INFO, event, f"the exchange's clock: {offset} ({event.cause})")

    @staticmethod
    def _handle(event: HandleChanged) -> None:
        what = f"call {event.call}: {event.command} of {event.symbol}"
        if event.state not in ENDED:
            _log(calls, logging.DEBUG, event, f"{what}: {event.state}")
            return
        outcome = event.outcome or event.state
        reason = f" ({event.reason})" if event.reason else ""
        size = f"{event.orders} order{'' if event.orders == 1 else 's'}"
        taken = "" if event.acknowledged or event.state != "settled" else ", never acknowledged"
        _log(calls, logging.INFO, event, f"{what}: {outcome}{reason}, {size}, after {event.age_s:.2f} s{taken}")

    @staticmethod
    def _fate(event: FateKnown) -> None:
        order = event.order_id or event.client_oid
        text = f"call {event.call}: order {order} of {event.symbol}: {event.fate}, says {event.source}"
        _log(calls, logging.DEBUG, event, text)

    @staticmethod
    def _stream(event: StreamChanged) -> None:
        reason = f" ({event.reason})" if event.reason else ""
        level = STREAM_LEVELS.get(event.state, logging.INFO)
        _log(streams, level, event, f"{event.stream}: {event.state}{reason}, {event.topics} topics")


def _log(logger: logging.Logger, level: int, event: Event, text: str) -> None:
    if logger.isEnabledFor(level):
        fields = {name: _plain(getattr(event, name)) for name in event.__struct_fields__}
        logger.log(level, "%s", _plain(text), extra={"event": type(event).__name__, **fields})


def _plain(value: Any) -> Any:
    """Symbols and ids are the exchange's: half a character, or the end of a line, must not spoil a log."""
    return printable(value) if isinstance(value, str) and not value.isprintable() else value
