"""
Heartbeats over Redis or Valkey: the bot sets a key that expires, the guard looks at it and sets one with its answer.

What counts as a beat is that the number in the key has risen, seen on the guard's own clock; not that the key is there.
So a Redis that comes back with old data, and clocks that are off, forge no sign of life. That Redis cannot be reached
is no silence of the bot: the guard is told that it cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bitget_async.clock import Clock
from bitget_async.guard.words import Answer, Beat
from bitget_async.pulse.unheard import Unheard
from bitget_async.redis_server import Away, RedisClient
from bitget_async.tasks import Tasks

__all__ = ["RedisInlet", "RedisRoad"]

PREFIX = "bitget_async:guard"
# A dead bot's key and a guard's answer go by themselves. A goodbye stays for a guard that is away.
BEAT_MS = 120_000
GOODBYE_MS = 7 * 86_400_000
LEAST_ANSWER_MS = 1_000
RETRY_S = 0.02
ANSWER_S = 2.0
LEAST_WAIT_S = 0.5


class RedisRoad:
    """The bot's end."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Raises UsageError."""
        self._server = RedisClient(url, answer_s=ANSWER_S)
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
            return await self._server.ask(lambda client: self._asked(client, beat), within_s=within_s)
        except Away as away:
            why = away.reason
        raise Unheard(f"no answer within {within_s:g} s" if why == "TimeoutError" else why)

    async def _asked(self, client: Any, beat: Beat) -> Answer:
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
        self._server = RedisClient(url, answer_s=ANSWER_S)
        # Short: as long as it waits it cannot tell blindness from silence.
        self._wait_s = max(look_s, LEAST_WAIT_S)
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
        async def once(client: Any) -> None:
            raws = await client.mget([_key("beat", name) for name in self._names])
            await self._answer(client, {name: hear(raw) for name, raw in zip(self._names, raws, strict=True) if raw})

        while True:
            try:
                await self._server.ask(once, within_s=self._wait_s)
            except Away as away:
                sight(False, away.reason)
            else:
                # Only now: where nothing can be written, bots cannot beat either.
                sight(True, "")
            await self._clock.sleep(self._look_s)

    async def _answer(self, client: Any, answers: dict[str, bytes]) -> None:
        """An answer lives for as long as a few looks: an old one would speak for a guard that is gone."""
        life_ms = max(LEAST_ANSWER_MS, round(4000 * self._look_s))
        async with client.pipeline(transaction=False) as pipe:
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
