"""
The guard as it runs: it listens, asks the watchdog, stops the account, and goes on until the stop is proven. What is
decided is decided in `guard`; what is done to the account is `hands`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from bitget_async.clock import Clock
from bitget_async.errors import BitgetError
from bitget_async.guard import Answer, Beat, Decision, Memory, Rules, Watchdog
from bitget_async.guardian.hands import Hands, Round
from bitget_async.pulse import Inlet
from bitget_async.tasks import Tasks

__all__ = ["Guardian"]

log = logging.getLogger("bitget_async.guard")

LEAST_WAIT_S, MOST_WAIT_S = 1.0, 10.0
# As long as a command that was signed right before the bot's end can still be accepted (30 s) and executed (10 s).
AFTERWARDS_S = 45.0
AFTERWARDS_EVERY_S = 2.0
CHECK_EVERY_S = 60.0
REMIND_EVERY_S = 60.0

Tell = Callable[[str, dict[str, Any]], None]


class Guardian:
    """
    One guard. It runs until it is cancelled, and never ends because a stop fails.

    Args:
        rules: what it was told.
        inlet: where it listens.
        hands: what it does to the account.
        memory: its file, `None` to remember nothing over a restart. `run` closes it.
        armed: count silence from the start, before the first beat of a bot that nothing is remembered of.
        rehearse: do everything but send commands.
        once: end after the first stop that is proven, or would have been sent.
        clock: the only clock.
        tell: told what happens: an event's name and plain JSON values.
    """

    def __init__(
        self,
        rules: Rules,
        inlet: Inlet,
        hands: Hands,
        memory: Memory | None,
        *,
        armed: bool = False,
        rehearse: bool = False,
        once: bool = False,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._rules = rules
        self._inlet = inlet
        self._hands = hands
        self._memory = memory
        self._armed = armed
        self._rehearse = rehearse
        self._once = once
        self._clock = clock
        self._tell_out = tell
        self._tasks = Tasks()
        self._dog: Watchdog | None = None
        self._done = asyncio.Event()
        self._standing: dict[str, Any] = {}
        self._kept_ns = 0
        self._reminded_ns = 0
        self._ready: bool | None = None

    @property
    def dog(self) -> Watchdog:
        """The watchdog of a guard that runs."""
        assert self._dog is not None
        return self._dog

    async def run(self) -> None:
        """
        Guard. Cancelling it is the way to end it; commands on their way stay sent, and a stop that is not proven is
        taken up by the next guard with the same memory.

        Raises:
            UsageError: it cannot listen there.
        """
        try:
            self._begin()
            await self._inlet.open(self._hear, self._sight)
            self._tell("listening", at=str(self._inlet), after_s=self._rules.after_s, bots=list(self._rules.names))
            self._tasks.start(self._check(), "bitget_async: the guard's checks")
            if self.dog.stopping is not None:
                self._tell("resumed_stop", **_decision(self.dog.stopping))
                self._tasks.start(self._stop(self.dog.stopping), "bitget_async: the stop")
            await self._watch()
        finally:
            await self._inlet.close()
            await self._tasks.close()
            if self._memory is not None:
                if self._dog is not None:
                    self._keep()
                self._memory.close()

    def _begin(self) -> None:
        now_ns = self._clock.monotonic_ns()
        damaged = self._memory is not None and self._memory.damaged
        self._dog = Watchdog(self._rules, now_ns, armed=self._armed or damaged, blind=self._inlet.blind)
        if damaged:
            assert self._memory is not None
            self._tell("memory_damaged", what=self._memory.keep_aside())
        left = self._memory.left() if self._memory is not None else None
        if left is not None:
            try:
                self._dog.restore(*left, now_ns)
            except ValueError:
                self._dog = Watchdog(self._rules, now_ns, armed=True, blind=self._inlet.blind)
                assert self._memory is not None
                self._tell("memory_damaged", what=self._memory.keep_aside())
            else:
                self._tell("remembered", away_s=left[1], bots=self._dog.standing)
        self._note_standing()

    # -- what is heard ----------------------------------------------------------------------------------------

    def _hear(self, raw: bytes) -> bytes:
        beat = Beat.decode(raw)
        if beat is None:
            return b""
        word = self.dog.hear(beat, self._clock.monotonic_ns())
        self._note_standing()
        return Answer(word, beat.session, beat.number, self._rules.after_s, self._rehearse).encode()

    def _sight(self, seen: bool, why: str) -> None:
        now_ns = self._clock.monotonic_ns()
        if not seen:
            if self.dog.lose_sight(now_ns) or now_ns - self._reminded_ns >= REMIND_EVERY_S * 1e9:
                self._reminded_ns = now_ns
                self._tell("blind", why=why, armed=list(self.dog.armed))
        elif (blind_s := self.dog.regain_sight(now_ns)) is not None:
            self._tell("sighted", blind_s=round(blind_s, 3))

    def _note_standing(self) -> None:
        """Tell and keep what has changed of any bot."""
        standing = {name: (each, self.dog.session(name)) for name, each in self.dog.standing.items()}
        changed = [name for name in standing if standing[name] != self._standing.get(name)]
        first, self._standing = not self._standing, standing
        if not changed:
            return
        for name in changed:
            state = standing[name][0].value
            if not first or state != "awaited":
                self._tell("bot", name=name, standing=state)
        self._keep()

    def _keep(self) -> None:
        self._kept_ns = self._clock.monotonic_ns()
        if self._memory is not None:
            _ = self._memory.write(self.dog.to_dict(self._kept_ns))

    # -- what follows -----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        keep_every_ns = self._rules.after_s * 1e9 / 5
        while not self._done.is_set():
            now_ns = self._clock.monotonic_ns()
            # What was decided at the last look is written only now: the stop went first, and a guard that dies in
            # between fires again.
            self._note_standing()
            decision = self.dog.tick(now_ns)
            if decision is not None:
                self._tell("fired", **_decision(decision))
                self._tasks.start(self._stop(decision), "bitget_async: the stop")
            elif self.dog.armed and now_ns - self._kept_ns >= keep_every_ns:
                self._keep()
            await self._clock.sleep(self._rules.look_s)

    async def _stop(self, decision: Decision) -> None:
        """Carry a decision out; it ends when the stop is proven."""
        if self._rehearse:
            await self._rehearsed()
        else:
            await self._until_confirmed()
        self.dog.stopped()
        self._keep()
        if not self._rehearse:
            await self._afterwards()
        if self._once:
            self._done.set()

    async def _until_confirmed(self) -> None:
        wait_s, number = LEAST_WAIT_S, 1
        while True:
            done = await self._round(number)
            if done.confirmed:
                self._tell("confirmed", rounds=number, symbols=done.symbols)
                return
            self._tell("unconfirmed", round=number, symbols=done.symbols, left=done.left, wrong=list(done.wrong))
            await self._clock.sleep(wait_s)
            wait_s, number = min(2 * wait_s, MOST_WAIT_S), number + 1

    async def _round(self, number: int) -> Round:
        try:
            return await self._hands.round()
        except Exception as error:
            # A defect of ours must not end the only thing that still acts.
            log.exception("round %d of the stop failed", number)
            return Round(False, wrong=(f"a defect: {type(error).__name__}",))

    async def _rehearsed(self) -> None:
        try:
            left = await self._hands.plan()
            plan = await self._hands.rehearse()
        except BitgetError as error:
            self._tell("rehearsed", plan=None, wrong=str(error))
        else:
            self._tell("rehearsed", plan=str(plan), left=left)

    async def _afterwards(self) -> None:
        """Orders of the dead bot may still arrive: they are swept too, while nobody else is armed."""
        until_ns = self._clock.monotonic_ns() + round(AFTERWARDS_S * 1e9)
        while self._clock.monotonic_ns() < until_ns and not self._once:
            await self._clock.sleep(AFTERWARDS_EVERY_S)
            if self.dog.armed or self.dog.stopping is not None:
                return
            try:
                late = await self._hands.plan()
            except BitgetError as error:
                log.warning("the listing after the stop failed: %s", error)
                continue
            if late and not self.dog.armed and self.dog.stopping is None:
                self._tell("late", symbols=late)
                done = await self._round(0)
                self._tell("late_confirmed" if done.confirmed else "unconfirmed", symbols=done.symbols, left=done.left)

    async def _check(self) -> None:
        """A key that was revoked, or an exchange out of reach, should be known before it matters."""
        odd_before: tuple[str, ...] = ()
        while True:
            try:
                count, odd = await self._hands.check()
            except BitgetError as error:
                self._tell("not_ready", why=str(error))
                self._ready = False
            else:
                if self._ready is not True:
                    self._tell("ready", open_orders=count)
                self._ready = True
                if odd and odd != odd_before:
                    self._tell("odd_key", what=list(odd))
                odd_before = odd
            await self._clock.sleep(CHECK_EVERY_S)

    def _tell(self, event: str, **facts: Any) -> None:
        self._tell_out(event, ({"rehearsal": True} if self._rehearse else {}) | facts)


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "bots": list(decision.names),
        "because": decision.because,
        "silent_s": round(decision.silent_s, 3),
    }
