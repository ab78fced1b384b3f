"""A fault, a call that meets it, and what must come of it: many of them at once, each in a world of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bitget_async.sim import Fault, LineFault
from tests.network.line import CALLS, EXECUTED, NOT_EXECUTED, READ, Bench, Told, bench, judge, run_over_sockets

__all__ = ["Trial", "both", "run_trials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One fault.

    Attributes:
        name: for the list of what went wrong.
        executed: whether the exchange gets and executes the request.
        line, fault: what the proxy, and what the exchange plays on the call.
        words: what a user must be told, where it is not what EXECUTED and NOT_EXECUTED say.
        acknowledged: whether a command's report must say so.
        also: looks at the case and at what was told.
    """

    name: str
    executed: bool
    line: LineFault | None = None
    fault: Fault | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    acknowledged: bool = False
    also: Callable[[Bench, str, Told], None] | None = None


def run_trials(trials: Iterable[Trial], calls: Iterable[str] = tuple(CALLS), *, debug: bool = True) -> int:
    """Every trial with every call, side by side. Returns how many."""
    cases = [(trial, call) for trial in trials for call in calls]
    problems: list[str] = []

    async def one(number: int, trial: Trial, call: str) -> None:
        try:
            async with bench(number) as case:
                await _tried(case, trial, call)
        except Exception as error:
            problems.append(f"{trial.name}, executed={trial.executed}, {call}: {type(error).__name__}: {error}")

    async def main() -> None:
        # Not all at once: a listener has room for a hundred connections.
        for start in range(0, len(cases), 40):
            some = cases[start : start + 40]
            await asyncio.gather(*(one(start + number, *case) for number, case in enumerate(some)))

    run_over_sockets(main, debug=debug)
    assert not problems, "\n".join([f"{len(problems)} of {len(cases)}:", *problems])
    return len(cases)


async def _tried(case: Bench, trial: Trial, call: str) -> None:
    if trial.line is not None:
        case.proxy.play(trial.line, call)
    if trial.fault is not None:
        case.exchange.faults.add(call, trial.fault)
    told = await CALLS[call](case)
    judge(case, call, told)
    words: dict[str, str] = {**(EXECUTED if trial.executed else NOT_EXECUTED), **trial.words}
    assert told.word == words[call], f"{told.word} instead of {words[call]}: {told.error}"
    if call != READ:
        # One copy and no other, whatever became of it.
        assert case.begun(call) == 1
        assert told.report is None or told.report.acknowledged is trial.acknowledged
        if told.report is not None and hasattr(told.report, "attempts"):
            assert told.report.attempts == 1
    if trial.also is not None:
        trial.also(case, call, told)


def both(name: str, make: Callable[..., Fault], *given: Any, **more: Any) -> list[Trial]:
    """A fault of the exchange, after and without executing."""
    return [
        Trial(name=name, executed=executed, fault=make(*given, executed=executed, **more)) for executed in (True, False)
    ]
