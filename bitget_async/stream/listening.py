"""Who is told of order pushes inside the package, before any reader: the watcher and the tracker of open orders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bitget_async.models import OrderUpdate

__all__ = ["OrderListener", "OrderListeners"]


class OrderListener(Protocol):
    """Hears of the private order channel. All of it is called synchronously, in the order of the frames."""

    def connected(self, now_ns: int) -> None:
        """The channel is subscribed (again) and acknowledged: pushes come from now on; earlier ones may be missed."""

    def disconnected(self, now_ns: int) -> None:
        """No push comes from now on, or none can be relied on."""

    def pushed(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """One frame came, with these rows in the order in which it has them. It may be late, or come twice."""


class OrderListeners:
    """
    Several listeners as one. One that raises is a defect of ours: the loop's exception handler hears of it, and the
    others are told all the same.
    """

    def __init__(self) -> None:
        self._listeners: list[OrderListener] = []
        self._connected_ns: int | None = None

    @property
    def connected_ns(self) -> int | None:
        """Since when pushes come; `None` while none do."""
        return self._connected_ns

    def add(self, listener: OrderListener) -> None:
        """Tell that one too from now on; that pushes come already, at once."""
        self._listeners.append(listener)
        if self._connected_ns is not None:
            self._tell(listener.connected, self._connected_ns)

    def remove(self, listener: OrderListener) -> None:
        """Tell it nothing any more."""
        self._listeners.remove(listener)

    def connected(self, now_ns: int) -> None:
        """See `OrderListener`."""
        self._connected_ns = now_ns
        for listener in tuple(self._listeners):
            self._tell(listener.connected, now_ns)

    def disconnected(self, now_ns: int) -> None:
        """See `OrderListener`; said once."""
        if self._connected_ns is None:
            return
        self._connected_ns = None
        for listener in tuple(self._listeners):
            self._tell(listener.disconnected, now_ns)

    def pushed(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """See `OrderListener`."""
        for listener in tuple(self._listeners):
            self._tell(listener.pushed, updates, received_ns)

    @staticmethod
    def _tell(what: Callable[..., None], *given: Any) -> None:
        try:
            what(*given)
        except Exception as error:
            context = {"message": "bitget_async: a listener of the order stream failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
