"""The shell of a paged read: it asks what a `Walk` says, hands out its rows, and says where it stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from bitget_async.endpoints import Endpoint
from bitget_async.errors import BitgetError, UsageError
from bitget_async.pages.walk import Position, Walk

__all__ = ["Call", "Page", "Pages"]

T = TypeVar("T")


class Call(Protocol):
    """What makes a call: a row of the catalogue and its parameters in, what `row.returns` says out."""

    def __call__(self, row: Endpoint, /, **params: Any) -> Awaitable[Any]:
        """Make the call."""
        ...


class Page(list[T]):
    """
    One page: a list of records in the exchange's order.

    Attributes:
        more: whether there may be further pages.
        next_cursor: what the next page of this range is asked with: an id, a page number or a time, as text. `None`
            where this range, or the part of it that fits into one call, is at its end.
    """

    more: bool = False
    next_cursor: str | None = None


class Pages(Coroutine[Any, Any, Page[T]], AsyncIterator[T]):
    """
    A paged read. It makes no request before it is used, and costs one token a page.

        page = await client.fills("BTCUSDT")                  # one page, a list
        async for fill in client.fills("BTCUSDT"): ...        # every record, newest first
        async for page in client.fills("BTCUSDT").pages(): ...

    It goes on where it stands: awaiting it again gives the next page, and iterating again after an error takes up where
    that stopped. In another process, give `position` to the same verb with the same parameters.

    A row that was given is not given again: each has its ids remembered, some 200 bytes a record, for as long as
    rows of the same range of time can follow. Nothing else is left out. Records that come into being while a list is
    walked may be missing, for they stand above where it began.

    Raises (on use, not when made):
        UsageError: a parameter is wrong or the position belongs to another read; no request was made.
        NotSent, OutcomeUnknown, Refused: as of the call, with the place where it stopped as `error.position` and as a
            note. OutcomeUnknown (`unreadable`) also where a page leads no further down: that is no end of the list.

    Cancelling: safe; what was not given is read again.
    """

    def __init__(
        self,
        call: Call,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        now_ms: Callable[[], int],
        position: Position | None = None,
    ) -> None:
        self._call = call
        self._row = row
        self._walk = Walk(row, given, now_ms, position)
        self._busy = False
        self._running: Coroutine[Any, Any, Page[T]] | None = None

    def __repr__(self) -> str:
        return f"<Pages {self._row.verb}>"

    @property
    def position(self) -> Position:
        """Where it stands: what was given before, and what is asked next."""
        return self._walk.position

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages that hold anything, one by one."""
        return _ByPage(self)

    # -- as an iterator ---------------------------------------------------------------------------------------

    async def __anext__(self) -> T:
        while not self._walk.waiting:
            if not await self._turn():
                raise StopAsyncIteration
        record: T = self._walk.give()
        return record

    async def next_page(self) -> Page[T]:
        """The next page, at the price of one token; what `await` gives. At the end it is empty, and free."""
        if not self._walk.waiting:
            await self._turn()
        page: Page[T] = Page(self._walk.give_all())
        page.more, page.next_cursor = self._walk.outlook
        return page

    async def _turn(self) -> bool:
        """Read one page. False when there is none left to read."""
        if self._busy:
            raise UsageError(f"{self._row.name}: one paged read cannot be used by two tasks at once: make two")
        self._busy = True
        try:
            params = self._walk.ask()
            if params is not None:
                self._walk.take(await self._call(self._row, **params))
        except BitgetError as error:
            if not isinstance(error, UsageError):
                self._mark(error)
            raise
        finally:
            self._busy = False
        return params is not None

    def _mark(self, error: BitgetError) -> None:
        error.position = position = self.position
        error.add_note(f"stopped at {position}")

    # -- as a coroutine: so that `asyncio.create_task` and a TaskGroup take it as they take the other verbs ----

    def __await__(self) -> Any:
        return self.next_page().__await__()

    def send(self, value: Any, /) -> Any:
        """Of the coroutine protocol."""
        return self._step(lambda running: running.send(value))

    def throw(self, kind: Any, value: BaseException | object = None, trace: TracebackType | None = None, /) -> Any:
        """Of the coroutine protocol."""
        error = kind if isinstance(kind, BaseException) else value if isinstance(value, BaseException) else kind()
        return self._step(lambda running: running.throw(error))

    def close(self) -> None:
        """Of the coroutine protocol: it ends a step that is under way, nothing else. There is nothing to close."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def _step(self, step: Callable[[Coroutine[Any, Any, Page[T]]], Any]) -> Any:
        self._running = running = self._running or self.next_page()
        try:
            return step(running)
        except BaseException:
            self._running = None
            raise


class _ByPage(AsyncIterator[Page[T]], Generic[T]):
    def __init__(self, read: Pages[T]) -> None:
        self._read = read

    async def __anext__(self) -> Page[T]:
        more = True
        while more:
            page = await self._read.next_page()
            if page:
                return page
            more = page.more
        raise StopAsyncIteration
