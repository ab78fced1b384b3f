"""The one place that starts tasks: every task has an owner that keeps it, ends it and reads its exception."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["Tasks"]

T = TypeVar("T")


class Tasks:
    """The tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start the work as a task that is kept until it ends."""
        return self._keep(asyncio.get_running_loop().create_task(work, name=name))

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """
        `spawn` for work that nobody waits for. It serves all, so it runs in a context of its own: not in that of
        whoever happened to be the first to need it, with his trace and his decimal precision.
        """
        _ = self._keep(asyncio.get_running_loop().create_task(work, name=name, context=Context()))

    def shielded(self, work: Coroutine[Any, Any, T], name: str) -> tuple[asyncio.Task[T], asyncio.Future[T]]:
        """
        Start the work as a task that outlives whoever waits for the future. As `asyncio.shield(spawn(...))`, with one
        callback at the end instead of three: every command pays for them.
        """
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name=name)
        outcome: asyncio.Future[T] = loop.create_future()

        def ended(task: asyncio.Task[T]) -> None:
            self._ended(task)
            if outcome.done():
                return
            if task.cancelled():
                outcome.cancel()
            elif (error := task.exception()) is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(task.result())

        self._tasks.add(task)
        task.add_done_callback(ended)
        return task, outcome

    async def outliving(
        self, work: Coroutine[Any, Any, T], name: str, *, signed: Callable[[], bool], closed: Callable[[], Exception]
    ) -> T:
        """
        Wait for work that goes on without its caller once a command is signed; before that, cancelling the caller
        withdraws it.

        Args:
            work: to be done, in a task of its own.
            name: of the task.
            signed: whether a command of it was signed.
            closed: makes the error for a caller under whom the owner was closed.
        """
        task, outcome = self.shielded(work, name)
        try:
            return await outcome
        except asyncio.CancelledError:
            if task.cancelled():
                # Not the caller was cancelled: the owner was closed under it.
                raise closed() from None
            if not signed():
                task.cancel()
            raise

    def _keep(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever waits gets it too; reading it here keeps "never retrieved" out of the log when nobody does.
            task.exception()

    async def close(self) -> None:
        """Cancel all that still run, except the calling task, and wait until they have ended."""
        current = asyncio.current_task()
        while left := [task for task in self._tasks if task is not current]:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
