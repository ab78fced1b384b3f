"""What signs a private line in: the key, and the exchange's clock as a session knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bitget_async.clock import Clock, ServerClock
from bitget_async.credentials import Credentials
from bitget_async.endpoints import SERVER_TIME, Endpoint
from bitget_async.errors import BitgetError
from bitget_async.events import Events
from bitget_async.stream.protocol import login_frame

__all__ = ["Reader", "SessionLogin"]

CLOCK_S = 5.0


class Reader(Protocol):
    """What the streams need of a session: the clocks, and a read of the exchange's."""

    clock: Clock
    server: ServerClock
    events: Events

    async def call(
        self, row: Endpoint, given: Mapping[str, Any], *, max_wait_s: float | None, repeat: bool, timeout_s: float
    ) -> object:
        """One call."""


class SessionLogin:
    """Signs private lines in, by the clock of a session."""

    def __init__(self, credentials: Credentials, session: Reader) -> None:
        self._credentials = credentials
        self._session = session

    def frame(self) -> bytes:
        """The login of this moment."""
        session = self._session
        return login_frame(self._credentials, session.server.estimate_ms(session.clock.monotonic_ns()) // 1000)

    async def set_clock(self, *, anew: bool) -> None:
        """
        Ask for the exchange's time, unless it is known; `anew` twice: one answer against all before is not believed.
        """
        if self._session.server.synchronised and not anew:
            return
        for _ in range(2 if anew else 1):
            try:
                _ = await self._session.call(SERVER_TIME, {}, max_wait_s=CLOCK_S, repeat=False, timeout_s=CLOCK_S)
            except BitgetError:
                # Then the login is dated by the clock as it is, and refused if that is wrong.
                return

    def redact(self, text: str) -> str:
        """See `Credentials.redact`."""
        return self._credentials.redact(text)
