"""
Every moment of a call: one run for each step of the event loop, with something happening right before that step.

A step is one callback of the loop. Between two of them other code of the program may run, within one nothing can: who
is cancelled before every step is cancelled at every await there is, and in every order with what he waits for. The runs
are equal to the last microsecond, so the traffic, the truth and the report of a disturbed one can be compared with
those of the undisturbed one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from bitget_async import BitgetClient, NotSent, Pending, Unconfirmed
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import Endpoint
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import CALM, run_virtual
from tests.contracts.world import CountingLimits

# No call of a scenario takes as long; a waiter that is forgotten does.
HANGS_S = 600.0
# From what makes a caller leave to the withdrawal of its command, at most: a time runs out in the next turn of the loop
# and is heard in the one after, and while a connection opens the server's steps stand in between.
HEARD_STEPS = 8

Prepare = Callable[[SimulatedExchange, BitgetClient], Awaitable[None]]
Make = Callable[[BitgetClient], Awaitable[Pending[Any, Any]]]
Read = Callable[[Any], Awaitable[object]]


async def report_of(handle: Any) -> object:
    """What `await handle` is for, without the exception."""
    return await handle.settled()


@dataclass(frozen=True)
class Scenario:
    """
    A call to be disturbed.

    Attributes:
        call: makes it.
        row: its command.
        commands: how many of them it takes.
        prepare: what is done before it.
        callers: how many make the call in one turn.
        leavers: how many of them leave.
        reads: what reads its handle.
        settings: of the exchange.
        options: of the client.
        spent: no token of the row is left when it is made.
    """

    call: Make
    row: Endpoint
    commands: int = 1
    prepare: Prepare | None = None
    callers: int = 1
    leavers: int = 1
    reads: tuple[Read, ...] = (report_of,)
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    spent: bool = False


@dataclass
class Run:
    """
    What a run came to.

    Attributes:
        times_s: the loop's time before every step since the call.
        signed: the step before which the first command was stamped; `answered`, before which the last caller had his
            answer; `settled`, before which the last reader had his.
        acted: whether there was anything left to disturb.
        was_signed: whether a command was stamped already when it was disturbed.
        wire: what arrived at the exchange since the call: endpoint, query and body, and when.
        truth: the orders, and what has become of them.
        callers, readers: what each got: the handle or the text of the report, or the error.
        tokens: taken, and not given back; `copies`: requests that arrived.
        report: the text of the report, `None` where there is no handle.
    """

    times_s: list[float] = field(default_factory=list)
    signed: int = 1 << 60
    answered: int = 1 << 60
    settled: int = 1 << 60
    acted: bool = False
    was_signed: bool = False
    wire: list[tuple[str, str, bytes, int]] = field(default_factory=list)
    truth: dict[str, tuple[str, str]] = field(default_factory=dict)
    callers: list[object] = field(default_factory=list)
    readers: list[object] = field(default_factory=list)
    tokens: int = 0
    copies: int = 0
    report: str | None = None

    def sent(self, row: Endpoint) -> int:
        """How many copies of a command arrived."""
        return sum(endpoint == row.short for endpoint, *_ in self.wire)


class Stage:
    """
    One run of a scenario.

    Args:
        scenario: of what.
        kind: what happens: `nothing`, `caller` or `awaiter` is cancelled, `close` of the client, a `timeout` around the
            call that runs out then, or a `timer` that runs out at the very time of that step; `absent`: nobody calls.
        at: before which step, from 0.
        at_s: the time, for a `timer`.
    """

    def __init__(self, scenario: Scenario, kind: str = "nothing", at: int = -1, at_s: float | None = None) -> None:
        self.scenario, self.kind, self.at, self.at_s = scenario, kind, at, at_s
        self.run = Run()
        self.limits = CountingLimits()
        self.timeouts: list[asyncio.Timeout] = []
        self.closing: asyncio.Task[None] | None = None

    async def main(self) -> None:
        """The whole run."""
        loop = asyncio.get_running_loop()
        settings = Settings(**{**CALM, **self.scenario.settings})
        async with asyncio.timeout(HANGS_S), SimulatedExchange(5, clock=VirtualClock(), settings=settings) as exchange:
            self.exchange = exchange
            self.client = BitgetClient(
                exchange.credentials(),
                base_url=exchange.base_url,
                clock=VirtualClock(),
                rng=random.Random(7),
                limits=self.limits,
                **self.scenario.options,
            )
            async with self.client:
                if self.scenario.prepare is not None:
                    await self.scenario.prepare(exchange, self.client)
                if self.scenario.spent:
                    await self._spend()
                self.others = set(self.client.pending)
                before = len(exchange.truth.wire)
                with self._steps(loop):
                    await self._play()
                for other in self.others:
                    _ = await other.settled()
                # By then no answer can come any more, and the exchange has done whatever it will do.
                await asyncio.sleep(12)
                if self.kind != "close":
                    await self._no_debt()
            self._note(before)
        await asyncio.sleep(1)
        gc.collect()
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        assert not timers, f"timers left behind: {timers}"

    # -- the play ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _steps(self, loop: Any) -> Iterator[None]:
        """Look before every step of the loop, and act before one of them."""
        step = asyncio.Handle._run

        def stepping(handle: Any) -> None:
            run, number = self.run, len(self.run.times_s)
            run.times_s.append(loop.time())
            if run.signed > number and self._mine():
                run.signed = number
            if number == self.at:
                run.was_signed = bool(self._mine())
                self._act(loop)
            step(handle)

        with mock.patch.object(asyncio.Handle, "_run", stepping):
            yield

    def _mine(self) -> list[Pending[Any, Any]]:
        """The handle of the call, once it is signed."""
        return [each for each in self.client.pending if isinstance(each, Pending) and each not in self.others]

    def _act(self, loop: Any) -> None:
        run = self.run
        if self.kind == "caller":
            leaving = [task for task in self.tasks[: self.scenario.leavers] if not task.done()]
            run.acted = bool(leaving)
            for task in leaving:
                task.cancel()
        elif self.kind == "timeout":
            running = [each for each in self.timeouts if not each.expired()]
            run.acted = bool(running)
            for each in running:
                each.reschedule(loop.time())
        elif self.kind == "awaiter":
            reading = [task for task in self.reading if not task.done()]
            run.acted = bool(reading)
            if reading:
                # One of them, or all: the others must not notice.
                for reader in [reading[self.at % len(reading)]] if self.at % 3 else reading:
                    reader.cancel()
        elif self.kind == "close":
            run.acted = True
            self.closing = loop.create_task(self.client.close())

    async def _call(self, number: int) -> Pending[Any, Any]:
        if number >= self.scenario.leavers or self.kind not in ("timeout", "timer"):
            return await self.scenario.call(self.client)
        began_s = self.run.times_s[0]
        async with asyncio.timeout_at(None if self.at_s is None else began_s + self.at_s) as timeout:
            self.timeouts.append(timeout)
            try:
                return await self.scenario.call(self.client)
            finally:
                self.timeouts.remove(timeout)

    async def _play(self) -> None:
        run = self.run
        self.reading: list[asyncio.Task[object]] = []
        callers = 0 if self.kind == "absent" else self.scenario.callers
        self.tasks: list[asyncio.Task[Pending[Any, Any]]] = [
            asyncio.ensure_future(self._call(number)) for number in range(callers)
        ]
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        run.answered = len(run.times_s)
        run.callers = list(results)
        if self.kind == "timer":
            run.acted = any(isinstance(each, TimeoutError) for each in results)
        handles = list(dict.fromkeys([each for each in results if isinstance(each, Pending)]))
        handles += [each for each in self._mine() if each not in handles]
        assert len(handles) <= 1, f"one call, so many handles: {handles}"
        for handle in handles:
            self.reading = [asyncio.ensure_future(read(handle)) for read in self.scenario.reads]
            run.readers = list(await asyncio.gather(*self.reading, return_exceptions=True))
            run.settled = len(run.times_s)
            report = await handle.settled()
            run.report = json.dumps(report.to_dict(), sort_keys=True)
        if self.closing is None:
            await asyncio.sleep(0)
        else:
            await self.closing

    # -- before and after -------------------------------------------------------------------------------------

    async def _take(self, max_wait_s: float) -> Any:
        client: Any = self.client
        return await self.limits.acquire(
            self.scenario.row, client._account, client._origin, clock=VirtualClock(), max_wait_s=max_wait_s, owner=self
        )

    async def _spend(self) -> None:
        """Spend every token of the row; they return in a second."""
        for grant in [await self._take(0) for _ in range(self.scenario.row.quota.per_s)]:
            grant.answered(VirtualClock().monotonic_ns(), None)
            self.limits.unsent += 1

    async def _no_debt(self) -> None:
        """Whatever has happened, every token of the row is there again."""
        for grant in [await self._take(0) for _ in range(self.scenario.row.quota.per_s)]:
            grant.unsent()

    def _note(self, before: int) -> None:
        run, truth = self.run, self.exchange.truth
        run.copies = truth.count()
        run.tokens = self.limits.taken - self.limits.unsent
        run.wire = [(copy.endpoint, copy.query, copy.body, copy.received_ns) for copy in truth.wire[before:]]
        run.truth = {each.order_id: (each.status, str(each.filled)) for each in truth.orders.values()}


def play(scenario: Scenario, kind: str = "nothing", at: int = -1, *, at_s: float | None = None, debug: bool) -> Run:
    """One run; fails on whatever is left behind: a task, a timer, an exception that nobody took."""
    stage = Stage(scenario, kind, at, at_s)
    run_virtual(stage.main, debug=debug)
    return stage.run


# -- the judge ---------------------------------------------------------------------------------------------------


def judge(scenario: Scenario, kind: str, at: int, run: Run, calm: Run, absent: Run) -> None:
    """
    What must be true of a disturbed run.

    1. Tokens taken equal requests that arrived; a closed client may have taken some for what did not get there.
    2. Before the signing, when nobody is left: withdrawn, and the truth is as if nobody had called. 3. From the signing
    on, or when somebody is left: traffic, truth and report are those of the undisturbed run. 4. Closed: everybody has
    an answer, and it is true.
    """
    if kind == "close":
        _judge_closed(scenario, run, calm, absent)
        return
    assert run.tokens == run.copies
    for result in run.callers[: scenario.leavers] if kind in ("caller", "timeout", "timer") else ():
        assert isinstance(result, (asyncio.CancelledError, TimeoutError, Pending)), repr(result)
    everybody = kind != "awaiter" and scenario.leavers == scenario.callers
    if run.acted and everybody and run.sent(scenario.row) == 0:
        assert not run.was_signed, "withdrawn though it was signed"
        assert run.report is None
        assert run.truth == absent.truth
        return
    if run.acted and everybody and kind in ("caller", "timeout"):
        # The leaver is heard a few steps later, in the same moment: a stamp of those steps was in time.
        early = at < calm.signed - HEARD_STEPS or calm.times_s[at] < calm.times_s[calm.signed - 1]
        assert not early, f"not withdrawn though it left {calm.signed - at} steps before"
    assert run.wire == calm.wire
    assert run.truth == calm.truth
    assert run.report == calm.report
    for mine, others in zip(run.readers, calm.readers, strict=True):
        assert not isinstance(others, BaseException), repr(others)
        left = kind == "awaiter" and isinstance(mine, asyncio.CancelledError)
        assert left or _plain(mine) == _plain(others)
    for result in run.callers[scenario.leavers :]:
        assert isinstance(result, Pending)


def _judge_closed(scenario: Scenario, run: Run, calm: Run, absent: Run) -> None:
    sent = run.sent(scenario.row)
    assert sent <= scenario.commands
    assert sent <= run.copies <= run.tokens
    for result in run.callers:
        assert isinstance(result, (NotSent, Pending)), repr(result)
        if isinstance(result, NotSent):
            assert result.reason == "closed"
            assert sent == 0
            assert run.truth == absent.truth
    if run.report is None:
        assert all(isinstance(result, NotSent) for result in run.callers)
        return
    report = json.loads(run.report)
    assert report["reason"] == "client_closed" or report == json.loads(calm.report or "")
    for result in run.readers:
        assert not isinstance(result, asyncio.CancelledError)
        assert not isinstance(result, Exception) or isinstance(result, Unconfirmed), repr(result)


def _plain(result: object) -> str:
    """What a reader got, as text that two runs can share."""
    given = getattr(result, "to_dict", None)
    return repr(result) if given is None else json.dumps(given(), sort_keys=True)


@contextlib.contextmanager
def swept() -> Iterator[None]:
    """Within it, collecting garbage costs what was made within it."""
    gc.collect()
    gc.freeze()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
        gc.unfreeze()
