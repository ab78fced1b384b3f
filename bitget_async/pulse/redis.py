"""
Heartbeats over Redis or Valkey: the bot sets a key that expires, the guard looks at it and sets one with its answer.

What counts as a beat is that the number in the key has risen, seen on the guard's own clock; not that the key is there.
So a Redis that comes back with old data, and clocks that are off, forge no sign of life. That Redis cannot be reached
is no silence of the bot: the guard is told that it cannot see.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.guard.words import Answer, Beat
from bitget_async.pulse.unheard import Unheard
from bitget_async.tasks import Tasks

__all__ = ["RedisInlet", "RedisRoad", "is_redis"]

log = logging.getLogger("bitget_async.guard")

SCHEMES = ("redis://", "rediss://", "unix://")
PREFIX = "bitget_async:guard"
# A dead bot's key and a guard's answer go by themselves. A goodbye stays for a guard that is away.
BEAT_MS = 120_000
GOODBYE_MS = 7 * 86_400_000
LEAST_ANSWER_MS = 1_000
RETRY_S = 0.02
LEAST_WAIT_S = 0.5


def is_redis(where: object) -> bool:
    """Whether that is the URL of a Redis."""
    return isinstance(where, str) and where.startswith(SCHEMES)


class _Server:
    """A connection to Redis. The URL may hold a password: it is kept where no repr and no traceback shows it."""

    def __init__(self, url: str, wait_s: float) -> None:
        """Raises UsageError."""
        self._texts = _secrets(url)
        self._client = _client(lambda: url, wait_s)
        self._shown = _shown(url)

    def __str__(self) -> str:
        return self._shown

    @property
    def client(self) -> Any:
        """redis-py's asyncio client."""
        return self._client

    def why(self, error: BaseException) -> str:
        """What went wrong, in one line and without the password."""
        text = str(error)
        if not text or any(secret in text for secret in self._texts):
            text = type(error).__name__
        return "".join(each for each in text if each.isprintable())[:200]

    async def close(self) -> None:
        """Give the connections back."""
        with contextlib.suppress(*_failures()):
            await self._client.aclose()


class RedisRoad:
    """The bot's end."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Raises UsageError."""
        self._server = _Server(url, LEAST_WAIT_S)
        self._clock = clock
        self._answered = False

    def __str__(self) -> str:
        return str(self._server)

    async def beat(self, beat: Beat, within_s: float) -> Answer:
        """
        See `Road.beat`. The first beat and the goodbye wait until the guard has looked; for the others its last answer
        will do, which expires soon after a guard that is gone. Cancelling: safe.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._asked(beat)
        except TimeoutError:
            raise Unheard(f"no answer within {within_s:g} s") from None
        except _failures() as error:
            why = self._server.why(error)
        raise Unheard(why)

    async def _asked(self, beat: Beat) -> Answer:
        client = self._server.client
        least = 0 if self._answered and not beat.goodbye else beat.number
        await client.set(_key("beat", beat.name), beat.encode(), px=GOODBYE_MS if beat.goodbye else BEAT_MS)
        while True:
            raw = await client.get(_key("answer", beat.name))
            answer = None if raw is None else Answer.decode(raw)
            if answer is not None and answer.session == beat.session and answer.number >= least:
                self._answered = True
                return answer
            await self._clock.sleep(RETRY_S)

    async def close(self) -> None:
        """See `Road.close`."""
        await self._server.close()


class RedisInlet:
    """The guard's end: looks at the key of every bot each `look_s` seconds, at all of them with two round trips."""

    blind = True

    def __init__(self, url: str, names: Sequence[str], look_s: float, clock: Clock) -> None:
        """Raises UsageError."""
        self._wait_s = max(look_s, LEAST_WAIT_S)
        self._server = _Server(url, self._wait_s)
        self._names = tuple(names)
        self._look_s = look_s
        self._clock = clock
        self._tasks = Tasks()

    def __str__(self) -> str:
        return str(self._server)

    async def open(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        """See `Inlet.open`. A Redis that is away now may come later: that is no error."""
        self._tasks.start(self._look(hear, sight), "bitget_async: heartbeats in Redis")

    async def _look(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._wait_s):
                    raws = await self._server.client.mget([_key("beat", name) for name in self._names])
                    await self._answer({name: hear(raw) for name, raw in zip(self._names, raws, strict=True) if raw})
                    # Only now: where nothing can be written, bots cannot beat either.
                    sight(True, "")
            except TimeoutError:
                sight(False, f"no answer within {self._wait_s:g} s")
            except _failures() as error:
                sight(False, self._server.why(error))
            await self._clock.sleep(self._look_s)

    async def _answer(self, answers: dict[str, bytes]) -> None:
        """An answer lives for as long as a few looks: an old one would speak for a guard that is gone."""
        life_ms = max(LEAST_ANSWER_MS, round(4000 * self._look_s))
        async with self._server.client.pipeline(transaction=False) as pipe:
            pipe.set(_key("looked", self._names[0]), b"1", px=life_ms)
            for name, raw in answers.items():
                if raw:
                    pipe.set(_key("answer", name), raw, px=life_ms)
            await pipe.execute()

    async def close(self) -> None:
        """See `Inlet.close`."""
        await self._tasks.close()
        await self._server.close()


def _key(what: str, name: str) -> str:
    return f"{PREFIX}:{what}:{name}"


def _client(url: Callable[[], str], wait_s: float) -> Any:
    """Raises UsageError: the extra is not installed, or that is no URL of a Redis."""
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise UsageError("heartbeats over Redis need the extra: pip install 'bitget-async[redis]'") from None
    waits: dict[str, Any] = {"socket_timeout": wait_s, "socket_connect_timeout": wait_s}
    try:
        # Asked again at the next beat or look anyway: trying again in between would only hide that it is away.
        return Redis.from_url(url(), retry=Retry(NoBackoff(), 0), **waits)
    except (ValueError, TypeError):
        pass
    raise UsageError("that is no URL of a Redis, such as redis://:password@host:6379/0; it is not shown here")


def _failures() -> tuple[type[Exception], ...]:
    """What going to Redis can end with."""
    from redis.exceptions import RedisError

    return (RedisError, OSError)


def _secrets(url: str) -> tuple[str, ...]:
    """What must not be shown of the URL."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return (url,)
    return (url,) + ((password, unquote(password)) if password else ())


def _shown(url: str) -> str:
    parts = urlsplit(url)
    place = parts.hostname or ""
    return f"{parts.scheme}://{place}{f':{parts.port}' if parts.port else ''}{os.fspath(parts.path)}"
