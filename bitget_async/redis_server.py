"""
The way to a Redis or Valkey server: redis-py's asyncio client, with every failure as one `Away`, and a URL that nothing
shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from bitget_async.errors import UsageError
from bitget_async.tasks import Tasks

__all__ = ["Away", "RedisClient", "SealedUrl", "sealed"]

SCHEMES = ("redis://", "rediss://", "unix://")
T = TypeVar("T")
Where = TypeVar("Where", bound="str | os.PathLike[str]")


class Away(Exception):  # noqa: N818 - a state, and never leaves the package
    """The server did not answer. `reason` names the kind of failure and nothing of the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SealedUrl(str):
    """
    A URL that may hold a password: it can be split and searched, but repr, str and format show nothing of it. Whoever
    is given one seals it first: a refusal has the frames of all callers in its traceback, with what they were given.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Seal it; what is sealed stays as it is."""
        return text if isinstance(text, cls) else super().__new__(cls, text)

    def __repr__(self) -> str:
        return "<URL>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


def sealed(where: Where) -> Where:
    """The same; sealed, if it is a URL and not a path."""
    return cast(Where, SealedUrl(where)) if isinstance(where, str) and "://" in where else where


class RedisClient:
    """
    The connections to one server, made at the first use.

    redis-py's own repeats are off: a repeated message would count twice, and hide that the server is away.

    Args:
        url: begins with `redis://`, `rediss://` or `unix://`.
        answer_s: longest wait for a connection, and for each answer, in seconds.

    Raises:
        UsageError: that is no such URL, which is not shown, or the extra is not installed.
    """

    def __init__(self, url: str, *, answer_s: float) -> None:
        url = SealedUrl(url)
        if not url.startswith(SCHEMES):
            raise UsageError("the URL of a Redis begins with redis://, rediss:// or unix://")
        self._client, self._place = _client(url, answer_s), _place(url)
        if self._client is None:
            raise UsageError("that is no URL of a Redis, such as redis://:password@host:6379/0; it is not shown here")
        from redis.exceptions import RedisError

        self._failures = (RedisError, OSError)
        self._tasks = Tasks()
        self._up = False
        self._connecting: asyncio.Task[None] | None = None

    def __str__(self) -> str:
        return self._place

    async def ask(self, work: Callable[[Any], Awaitable[T]], *, within_s: float | None = None) -> T:
        """
        What `work` gets of the client. Cancelling: safe; what was sent stays sent.

        Args:
            work: what to do with redis-py's client.
            within_s: longest wait for all of it, in seconds. A connection that is not there by then is still made: on
                a slow line the next call finds it.

        Raises:
            Away: it failed, or took too long.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._connected()
                return await _heeding(work(self._client))
        except self._failures as error:
            # TimeoutError is an OSError, and redis-py's own has the same name.
            reason = type(error).__name__
        self._up = False
        raise Away(reason)

    async def _connected(self) -> None:
        if not self._up:
            if self._connecting is None or self._connecting.done():
                self._connecting = self._tasks.spawn(self._connect(), "bitget_async: a connection to Redis")
            await asyncio.shield(self._connecting)

    async def _connect(self) -> None:
        _ = await _heeding(self._client.ping())
        self._up = True

    async def close(self) -> None:
        """End all connections."""
        await self._tasks.close()
        with contextlib.suppress(*self._failures):
            await self._client.aclose()


async def _heeding(work: Awaitable[T]) -> T:
    """
    Wait for redis-py without losing a cancellation: it sends through `asyncio.wait_for`, which in Python 3.11 returns
    as if nothing had happened when it is cancelled in the moment in which it is done.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    result = await work
    if task.cancelling() > before:
        raise asyncio.CancelledError
    return result


def _client(url: str, answer_s: float) -> Any:
    """redis-py's client, or `None` where it does not take that URL. Raises UsageError: the extra is not installed."""
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise UsageError("Redis needs the extra: pip install 'bitget_async[redis]'") from None
    waits: dict[str, Any] = {"socket_timeout": answer_s, "socket_connect_timeout": answer_s}
    try:
        return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **waits)
    except Exception:
        # What it says of a wrong URL may show it, and with it the password.
        return None


def _place(url: str) -> str:
    """What may be shown of it."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    return repr(url)
