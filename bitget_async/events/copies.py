"""What is told of the copies of one request: made only where somebody listens."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from bitget_async.errors import BitgetError, NotSent, OutcomeUnknown
from bitget_async.events.hub import Events
from bitget_async.events.records import RequestEnded, RequestEvent, RequestStarted, TokenMissed, TokenTaken

__all__ = ["Told", "code_of", "plain_code"]

REQUESTS = count(1)
SUCCESS = "00000"
CANCELLED = "cancelled"
MOST_DIGITS = 8


class Told:
    """
    One request, copy by copy.

    Args:
        events: whom to tell.
        endpoint, method, path, calls: as in the records.
        first: whether it waits for its tokens in front of others.
        since_ns: when the first copy began to wait, where that was before the request was made.
    """

    __slots__ = (
        *("_began_ns", "_calls", "_copy", "_endpoint", "_events", "_first", "_method", "_number", "_path"),
        *("_queue_s", "_since_ns"),
    )

    def __init__(
        self,
        events: Events,
        endpoint: str,
        method: str,
        path: str,
        calls: tuple[int, ...],
        *,
        first: bool = False,
        since_ns: int | None = None,
    ) -> None:
        self._events = events
        self._endpoint = endpoint
        self._method = method
        self._path = path
        self._calls = calls
        self._first = first
        self._since_ns = since_ns
        self._number = next(REQUESTS)
        self._copy = 0
        self._queue_s = 0.0
        self._began_ns = 0

    def asks(self, now: int) -> None:
        """One more copy begins to wait for its token."""
        self._copy += 1
        if self._copy > 1 or self._since_ns is None:
            self._since_ns = now

    def got(self, now: int) -> None:
        """It has it."""
        self._queue_s = self._waited_s(now)
        self._tell(TokenTaken, now, waited_s=self._queue_s, first=self._first)

    def missed(self, now: int, error: NotSent | None) -> None:
        """It does not get one; without an error, because its caller has gone."""
        reason, expected_wait_s = (CANCELLED, None) if error is None else (error.reason, error.expected_wait_s)
        self._tell(TokenMissed, now, waited_s=self._waited_s(now), reason=reason, expected_wait_s=expected_wait_s)

    def started(self, now: int) -> None:
        """It is handed to the network."""
        self._began_ns = now
        self._tell(RequestStarted, now, method=self._method, path=self._path)

    def answered(
        self,
        now: int,
        *,
        error: BitgetError | None,
        http_status: int | None,
        sent_bytes: int,
        received_bytes: int,
        wire_ns: int | None = None,
        decode_ns: int = 0,
    ) -> None:
        """A whole answer came; with what it proves against the call, if anything."""
        self._end(
            now,
            _certainty(error),
            code=SUCCESS if error is None else code_of(error),
            reason=error.reason if isinstance(error, OutcomeUnknown) else "",
            http_status=http_status,
            sent_bytes=sent_bytes,
            received_bytes=received_bytes,
            wire_s=(now - self._began_ns if wire_ns is None else wire_ns) / 1e9,
            decode_s=decode_ns / 1e9,
        )

    def lost(self, now: int, error: NotSent | OutcomeUnknown | None, *, unsent: bool = False, sent_bytes: int) -> None:
        """No whole answer came; without an error, because its caller has gone."""
        unsent = unsent or isinstance(error, NotSent)
        self._end(
            now,
            "not_sent" if unsent else "unknown",
            code=None,
            reason=CANCELLED if error is None else error.reason,
            http_status=error.http_status if isinstance(error, OutcomeUnknown) else None,
            sent_bytes=0 if unsent else sent_bytes,
            received_bytes=0,
            wire_s=(now - self._began_ns) / 1e9,
            decode_s=0.0,
        )

    def _end(self, now: int, sure: str, **how: Any) -> None:
        self._tell(
            RequestEnded,
            now,
            method=self._method,
            path=self._path,
            certainty=sure,
            queue_s=self._queue_s,
            **how,
        )

    def _tell(self, kind: Callable[..., RequestEvent], now: int, **more: Any) -> None:
        """What every record of this copy says, and more."""
        self._events.emit(
            kind(
                at_ns=now,
                request=self._number,
                copy=self._copy,
                endpoint=self._endpoint,
                calls=self._calls,
                **more,
            )
        )

    def _waited_s(self, now: int) -> float:
        assert self._since_ns is not None
        return (now - self._since_ns) / 1e9


def _certainty(error: BitgetError | None) -> str:
    """What a whole answer proves, in a word."""
    if error is None:
        return "accepted"
    return "unknown" if isinstance(error, OutcomeUnknown) else "refused"


def code_of(error: BitgetError) -> str | None:
    """The exchange's code, if the error has one."""
    code = getattr(error, "code", None)
    return plain_code(code) if code else None


def plain_code(code: str) -> str:
    """A code as it may be told: all of them are short numbers, and what is not may be anything."""
    return code if code.isascii() and code.isdigit() and len(code) <= MOST_DIGITS else "unreadable"
