"""
The bot's side of the dead man's switch: beats that come from the event loop itself, so that a loop that hangs stops
beating. See docs/guard.md; the other side is `bitget-async guard`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from bitget_async.clock import Clock
from bitget_async.errors import NotSent, UsageError
from bitget_async.guard.words import MOST_EVERY_S, NAME, Answer, Beat, Word
from bitget_async.pulse import Road, Unheard, road_of
from bitget_async.redis_server import sealed
from bitget_async.tasks import Tasks

__all__ = ["Heartbeat", "HeartbeatState"]

log = logging.getLogger("bitget_async.guard")

HeartbeatState = Literal["idle", "guarded", "unheard", "stopping", "fired", "superseded", "ended"]
STATES: dict[Word, HeartbeatState] = {
    Word.ARMED: "guarded",
    Word.STOPPING: "stopping",
    Word.FIRED: "fired",
    Word.SUPERSEDED: "superseded",
    Word.STRANGER: "unheard",
    Word.DISARMED: "ended",
}
TELL: dict[HeartbeatState, tuple[int, str]] = {
    "guarded": (logging.INFO, "the guard hears %s"),
    "unheard": (logging.WARNING, "nobody guards %s now: the guard does not answer"),
    "stopping": (logging.ERROR, "the guard is stopping the account of %s"),
    "fired": (logging.ERROR, "the guard has stopped the account of %s, and guards this session no longer"),
    "superseded": (logging.ERROR, "another session beats as %s: the guard does not count this one any more"),
}
SESSION_BYTES = 16
ASK_AGAIN_S = 0.1


class Heartbeat:
    """
    The heartbeat of one bot; made by `BitgetClient.heartbeat`. An async context manager, to be entered once.

    Entering waits until the guard has answered: inside, the bot is guarded. Leaving without an exception says goodbye,
    and the guard forgets the bot. Leaving with one does not (`goodbye` does): a bot that fell over is what the guard is
    for.

    Args:
        where: the path of the guard's socket, or the URL of its Redis.
        name: of the bot, as the guard was told.
        every_s: seconds between beats; at most a third of what the guard waits for.
        within_s: longest wait for the guard at the entering and at the goodbye, in seconds.
        alive: asked before each beat, on the loop; it goes out only if this gives `True`.
        clock: the client's.

    Raises:
        UsageError: an argument cannot be meant, or the extra `redis` is not installed.
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        *,
        name: str = "bot",
        every_s: float = 1.0,
        within_s: float = 5.0,
        alive: Callable[[], bool] | None = None,
        clock: Clock,
    ) -> None:
        where = sealed(where)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UsageError(f"a bot's name is up to 64 of [0-9A-Za-z_.-], not {name!r}")
        for what, value in (("every_s", every_s), ("within_s", within_s)):
            if type(value) not in (int, float) or not 0 < value <= MOST_EVERY_S:
                raise UsageError(f"{what} is above 0 and at most {MOST_EVERY_S:.0f} s, not {value!r}")
        self._road: Road = road_of(os.fspath(where), clock)
        self._name = name
        self._every_s = float(every_s)
        self._within_s = float(within_s)
        self._alive = alive
        self._clock = clock
        self._session = os.urandom(SESSION_BYTES).hex()
        self._number = 0
        self._state: HeartbeatState = "idle"
        self._fired: asyncio.Event | None = None
        self._tasks = Tasks()

    def __repr__(self) -> str:
        return f"<Heartbeat {self._name} at {self._road}: {self._state}>"

    @property
    def state(self) -> HeartbeatState:
        """
        `idle` (not entered), `guarded` (the guard has answered the last beat), `unheard` (it has not), `stopping` and
        `fired` (it stops, or has stopped the account), `superseded` (another session has the name), `ended`.
        """
        return self._state

    async def fired(self) -> None:
        """
        Wait until the guard says that it stops the account, or has stopped it. What the bot does then is its own
        affair: its orders are gone or going, and this session is not guarded any more. Safe to cancel.
        """
        if self._fired is None:
            raise UsageError("the heartbeat has not been entered")
        _ = await self._fired.wait()

    async def __aenter__(self) -> Self:
        """
        Begin to beat, and wait for the guard.

        Raises:
            NotSent: `reason="guard"`: no guard answered within `within_s`, or it is stopping the account.
            UsageError: it watches over no such name, or waits for less than three beats; or this was entered before.
        """
        if self._state != "idle":
            raise UsageError("a heartbeat is entered once: make a new one")
        self._fired = asyncio.Event()
        try:
            await self._begin()
        except BaseException:
            self._turn("ended")
            await self._road.close()
            raise
        self._tasks.start(self._beat(), f"bitget_async: heartbeat of {self._name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.goodbye()
        await self._end()

    async def goodbye(self) -> bool:
        """
        Stop beating, and tell the guard to forget this session. Leaving without an exception does it; call it where the
        bot ends in peace with one.

        Returns:
            Whether the guard has heard it. If not, it is going to stop the account.
        """
        await self._tasks.close()
        if self._state in ("idle", "ended", "fired", "superseded"):
            return self._state == "ended"
        until_ns = self._until_ns()
        while (left_s := self._left_s(until_ns)) > 0:
            try:
                answer = await self._road.beat(self._next(goodbye=True), left_s)
            except Unheard:
                await self._clock.sleep(min(ASK_AGAIN_S, max(left_s, 0.0)))
                continue
            if answer.word is Word.DISARMED:
                self._turn("ended")
                return True
            self._turn(_state(answer))
            break
        log.error("the guard has not heard the goodbye of %s: it may stop the account", self._name)
        return False

    async def _begin(self) -> None:
        until_ns = self._until_ns()
        why = "no time"
        while (left_s := self._left_s(until_ns)) > 0:
            try:
                answer = await self._road.beat(self._next(), left_s)
            except Unheard as error:
                why = str(error)
            else:
                if answer.word is Word.STRANGER:
                    raise UsageError(f"the guard at {self._road} watches over no bot named {self._name!r}")
                if answer.word is Word.ARMED:
                    return await self._fits(answer.after_s, rehearsal=answer.rehearsal)
                why = "the account is being stopped" if answer.word is Word.STOPPING else f"it says {answer.word.value}"
            await self._clock.sleep(min(ASK_AGAIN_S, self._every_s))
        raise NotSent("guard", detail=f"the guard at {self._road} does not guard {self._name}: {why}")

    async def _fits(self, after_s: float, *, rehearsal: bool) -> None:
        self._turn("guarded")
        if rehearsal:
            log.warning("the guard of %s only rehearses: it will not stop anything", self._name)
        if self._every_s * 3 > after_s:
            _ = await self.goodbye()
            raise UsageError(f"the guard fires after {after_s:g} s: every_s must be at most a third of that")

    async def _beat(self) -> None:
        """One beat each `every_s`; an answer that stays away does not slow them down."""
        pause_s = self._every_s
        while True:
            await self._clock.sleep(pause_s)
            began_ns = self._clock.monotonic_ns()
            if self._vouched():
                try:
                    answer = await self._road.beat(self._next(), self._every_s * 0.8)
                except Unheard as error:
                    log.debug("a beat of %s was not answered: %s", self._name, error)
                    self._turn("unheard")
                else:
                    self._turn(_state(answer))
            pause_s = max(self._every_s - (self._clock.monotonic_ns() - began_ns) / 1e9, 0.0)

    def _vouched(self) -> bool:
        """Whether the bot says that it is well. A check that fails is no yes, and must not end the beating."""
        if self._alive is None:
            return True
        try:
            return self._alive() is True
        except Exception:
            log.exception("the check before the heartbeat of %s failed: no beat", self._name)
            return False

    def _next(self, *, goodbye: bool = False) -> Beat:
        self._number += 1
        return Beat(self._name, self._session, self._number, self._every_s, goodbye)

    def _turn(self, state: HeartbeatState) -> None:
        if state == self._state:
            return
        self._state = state
        if state in TELL:
            log.log(*TELL[state], self._name)
        if state in ("stopping", "fired") and self._fired is not None:
            self._fired.set()

    def _until_ns(self) -> int:
        return self._clock.monotonic_ns() + round(self._within_s * 1e9)

    def _left_s(self, until_ns: int) -> float:
        return (until_ns - self._clock.monotonic_ns()) / 1e9

    async def _end(self) -> None:
        await self._tasks.close()
        if self._state != "fired":
            self._turn("ended")
        await self._road.close()


def _state(answer: Answer) -> HeartbeatState:
    """What an answer makes of us. A rehearsal has stopped nothing: the bot is to go on as if nothing had happened."""
    if answer.rehearsal and answer.word in (Word.STOPPING, Word.FIRED):
        return "guarded"
    return STATES[answer.word]
