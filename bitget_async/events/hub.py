"""
Who hears what. Telling is synchronous, in the order in which things happened, and harms nobody: a callback that raises
is reported once and called again the next time.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from bitget_async.errors import UsageError
from bitget_async.events.records import Event

__all__ = ["Events", "Listener"]

E = TypeVar("E", bound=Event)

log = logging.getLogger("bitget_async.events")


class Listener(Protocol):
    """Hears everything that it wants at the moment: the log, whose level may change at any time."""

    def wants(self, kind: type[Event]) -> bool:
        """Whether it wants records of that class now, or of a subclass."""

    def __call__(self, event: Event) -> None:
        """One happened."""


class _Ear:
    """One callback, until it is let go."""

    __slots__ = ("call", "kind", "reported")

    def __init__(self, kind: type[Event], call: Callable[[Any], None]) -> None:
        self.kind = kind
        self.call: Callable[[Any], None] | None = call
        self.reported = False

    def failed(self, error: BaseException) -> None:
        """It raised: say so once, without the error's text, which is somebody else's."""
        if not self.reported:
            self.reported = True
            last = error.__traceback__
            while last is not None and last.tb_next is not None:
                last = last.tb_next
            place = "" if last is None else f", line {last.tb_lineno} of {last.tb_frame.f_code.co_name}"
            name = getattr(self.call, "__qualname__", type(self.call).__name__)
            log.error("a listener failed and is not reported again: %s raised %s%s", name, type(error).__name__, place)


class Events:
    """
    The listeners of one client. Whoever has something to tell asks first, so that nothing is made for nobody:

        if events.wants(BucketTightened):
            events.emit(BucketTightened(...))

    Args:
        journal: is told first, of what it wants.
    """

    __slots__ = ("_busy", "_closing", "_ears", "_journal", "_of", "_queue", "_wanted", "closed")

    def __init__(self, journal: Listener | None = None) -> None:
        self._journal = journal
        self._ears: dict[_Ear, None] = {}
        # Worked out once for each class, until somebody comes or goes.
        self._of: dict[type[Event], tuple[_Ear, ...]] = {}
        self._wanted: dict[type[Event], bool] = {}
        self._queue: deque[Event] = deque()
        self._busy = False
        self._closing: dict[Callable[[], None], None] = {}
        self.closed = False

    def on(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """
        Have that callback called with each record of that class or a subclass. Returns what ends that: once called, it
        is not called any more, not even with what is being told right now. Calling it twice does no harm.

        Raises:
            UsageError: `kind` is no class of events, or the callback cannot be called, or is a coroutine function.
        """
        if not (isinstance(kind, type) and issubclass(kind, Event)):
            raise UsageError(f"kind must be Event or a subclass of it, not {kind!r}")
        if not callable(callback) or inspect.iscoroutinefunction(callback):
            raise UsageError("a listener must be a plain function: for coroutines there is client.events()")
        ear = _Ear(kind, callback)
        self._ears[ear] = None
        self._forget()

        def off() -> None:
            ear.call = None
            self._ears.pop(ear, None)
            self._forget()

        return off

    def wants(self, kind: type[Event]) -> bool:
        """Whether anybody would hear a record of that class, or of a subclass."""
        wanted = self._wanted.get(kind)
        if wanted is None:
            wanted = any(issubclass(kind, each.kind) or issubclass(each.kind, kind) for each in self._ears)
            self._wanted[kind] = wanted
        return wanted or (self._journal is not None and self._journal.wants(kind))

    def emit(self, event: Event) -> None:
        """Tell everybody. What a callback sets off is told after what is being told."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                self._tell(self._queue.popleft())
        finally:
            self._busy = False

    def at_close(self, callback: Callable[[], None]) -> Callable[[], object]:
        """Have that called when the client closes, unless it has already. Returns what calls that off."""
        self._closing[callback] = None
        return lambda: self._closing.pop(callback, None)

    def close(self) -> None:
        """Nothing happens any more. Safe to call twice."""
        self.closed = True
        closing, self._closing = self._closing, {}
        for callback in closing:
            callback()

    def _forget(self) -> None:
        self._of.clear()
        self._wanted.clear()

    def _tell(self, event: Event) -> None:
        kind = type(event)
        if self._journal is not None and self._journal.wants(kind):
            self._journal(event)
        ears = self._of.get(kind)
        if ears is None:
            ears = self._of[kind] = tuple(each for each in self._ears if issubclass(kind, each.kind))
        for ear in ears:
            if ear.call is None:
                continue
            try:
                ear.call(event)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                ear.failed(error)
