"""A client with a listener, and what it hears in short lines: numbers count from 1 in each story."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bitget_async import (
    BitgetClient,
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
    TokenTaken,
)
from bitget_async.sim import SimulatedExchange
from tests.conftest import with_exchange
from tests.heard import Heard

__all__ = ["in_short", "story"]

Story = Callable[[SimulatedExchange, BitgetClient, Heard], Awaitable[None]]


def story(main: Story, **settings: Any) -> Heard:
    """Run it in virtual time, close the client, and return what was heard: it is whole."""
    kept: list[Heard] = []

    async def whole(exchange: SimulatedExchange, client: BitgetClient) -> None:
        heard = Heard(client)
        kept.append(heard)
        await main(exchange, client, heard)

    with_exchange(whole, **settings)
    (heard,) = kept
    broken = heard.broken()
    assert not broken, "\n".join(broken)
    return heard


def in_short(events: Sequence[Event]) -> list[str]:
    """One line an event."""
    calls: dict[int, int] = {}

    def number(call: int) -> int:
        return calls.setdefault(call, len(calls) + 1)

    lines = []
    for event in events:
        match event:
            case RequestEvent():
                whose = ",".join(str(number(call)) for call in event.calls)
                line = f"{type(event).__name__} {event.endpoint}" + (f" for {whose}" if whose else "")
                line += _of_request(event)
            case HandleChanged():
                more = [each for each in (event.outcome, event.reason) if each]
                line = " ".join([f"{number(event.call)} {event.kind} {event.state}", *more])
            case FateKnown():
                line = f"{number(event.call)} {event.fate} by {event.source}"
            case ForeignUse():
                line = f"ForeignUse {event.endpoint} {event.cause} {event.tokens}"
            case BucketTightened():
                line = f"BucketTightened {event.endpoint} {event.quota} {event.refusals}"
            case ClockSynchronised():
                line = f"ClockSynchronised {event.cause} {event.offset_ms:+d}"
            case StreamChanged():
                line = f"{event.stream} {event.state}" + (f" ({event.reason})" if event.reason else "")
            case _:
                line = repr(event)
        lines.append(line)
    return lines


def _of_request(event: RequestEvent) -> str:
    if isinstance(event, RequestEnded):
        return " " + " ".join([event.certainty, *(each for each in (event.code, event.reason) if each)])
    if isinstance(event, TokenTaken) and event.waited_s:
        return f" after {event.waited_s:.2f} s"
    return f" {event.reason}" if isinstance(event, TokenMissed) else ""
