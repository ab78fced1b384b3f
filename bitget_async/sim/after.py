"""
What a fault changes about the execution of a command that was answered already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from bitget_async.sim.call import Call
from bitget_async.sim.settings import NEVER_NS, Dice, draw_ns

__all__ = ["delay_ns", "split"]

T = TypeVar("T")


def delay_ns(call: Call, usual_ns: int, dice: Dice) -> int:
    """Nanoseconds from the processing of a command to its execution: the usual ones, unless a fault says otherwise."""
    fault = call.fault
    if fault is None:
        return usual_ns
    if fault.never:
        return NEVER_NS
    return usual_ns if fault.late_s is None else draw_ns(fault.late_s, dice.faults)


def split(call: Call, items: Sequence[T], name: Callable[[T], str], dice: Dice) -> tuple[list[T], list[T]]:
    """What an execution takes, and what a fault makes it miss."""
    survivors = call.fault.survivors if call.fault is not None else None
    if survivors is None:
        return list(items), []
    if isinstance(survivors, tuple):
        lucky = set(survivors)
    else:
        lucky = {name(item) for item in dice.faults.sample(items, math.ceil(survivors * len(items)))}
    return [i for i in items if name(i) not in lucky], [i for i in items if name(i) in lucky]
