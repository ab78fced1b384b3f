"""
A listener that hears everything of a client, and says what cannot be: for tests that drive a client through faults.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TypeVar

from bitget_async import (
    BitgetClient,
    Event,
    FateKnown,
    HandleChanged,
    RequestEnded,
    RequestEvent,
    RequestStarted,
    TokenMissed,
    TokenTaken,
)

__all__ = ["Heard"]

E = TypeVar("E", bound=Event)

BEGINNINGS = ("begun", "resumed")
ENDS = ("settled", "refused", "not_sent", "withdrawn")
PLAIN = (str, int, float, bool, type(None))


class Heard:
    """Everything that a client told from now on."""

    def __init__(self, client: BitgetClient) -> None:
        self.client = client
        self.events: list[Event] = []
        _ = client.on(Event, self.events.append)

    def of(self, kind: type[E]) -> list[E]:
        """Those of one class."""
        return [each for each in self.events if isinstance(each, kind)]

    def broken(self) -> list[str]:
        """What cannot be, once the client is closed."""
        return [*self._values(), *self._requests(), *self._handles(), *self._fates(), *self._counts()]

    def _values(self) -> Iterator[str]:
        """Nothing but plain values, so nothing that could hold a secret by accident."""
        for event in self.events:
            for name in event.__struct_fields__:
                value = getattr(event, name)
                parts = value if isinstance(value, tuple) else (value,)
                if not all(isinstance(each, PLAIN) for each in parts):
                    yield f"{event}: {name} is no plain value"

    def _requests(self) -> Iterator[str]:
        """A token, a start and an end for each copy, in this order; or a token that was not had, and nothing more."""
        copies: dict[tuple[int, int], list[RequestEvent]] = defaultdict(list)
        for event in self.of(RequestEvent):
            copies[event.request, event.copy].append(event)
        for (request, copy), told in copies.items():
            kinds = [type(each) for each in told]
            if kinds not in ([TokenMissed], [TokenTaken, RequestStarted, RequestEnded]):
                yield f"request {request}, copy {copy}: {[kind.__name__ for kind in kinds]}"
            if copy > 1 and (request, copy - 1) not in copies:
                yield f"request {request}: copy {copy} without the one before"
            if len({(each.endpoint, each.calls) for each in told}) > 1:
                yield f"request {request}, copy {copy}: told with different names"

    def _handles(self) -> Iterator[str]:
        """One beginning and one end, and whoever a request is made for has begun."""
        states: dict[int, list[str]] = defaultdict(list)
        for event in self.events:
            if isinstance(event, HandleChanged):
                states[event.call].append(event.state)
            elif isinstance(event, RequestEvent):
                for call in event.calls:
                    if not states[call]:
                        yield f"{event}: handle {call} has not begun"
        for call, told in states.items():
            if [each for each in told if each in BEGINNINGS] != told[:1]:
                yield f"handle {call} does not begin once: {told}"
            if [each for each in told if each in ENDS] != told[-1:]:
                yield f"handle {call} does not end once: {told}"

    def _fates(self) -> Iterator[str]:
        """The fate of an order is told once for each handle."""
        told = Counter((each.call, each.order_id or each.client_oid, each.fate) for each in self.of(FateKnown))
        for what, times in told.items():
            if times > 1:
                yield f"a fate was told {times} times: {what}"

    def _counts(self) -> Iterator[str]:
        """Lost answers and refusals hold no answer; what was not sent has no bytes."""
        for each in self.of(RequestEnded):
            if each.certainty == "not_sent" and (each.sent_bytes or each.received_bytes or each.http_status):
                yield f"not sent, and yet: {each}"
            if each.certainty == "accepted" and each.code != "00000":
                yield f"accepted, and yet: {each}"
            if min(each.queue_s, each.wire_s, each.decode_s) < 0:
                yield f"less than no time: {each}"
