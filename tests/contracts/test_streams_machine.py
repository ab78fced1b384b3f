"""Property 23 against the simulator's truth: the state machines again, with the order stream on, and unlucky."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.stateful import invariant

from bitget_async.sim import Settings

from .commands_judge import CommandsWorld
from .commands_machine import Commanding
from .machine import Cancelling
from .streaming import Pushing, listening, unlucky
from .test_state_machine import EXAMPLES, PARTS, run_part
from .world import World

# A fifth of the examples of the machines without it.
SHARE = 5


class StreamingCancels(Pushing, Cancelling):
    """Any history of cancellations by symbol, beside any history of the stream."""

    def built(self, seed: int, settings: Settings, offset_ms: int) -> World:
        """The same world with the stream on."""
        return listening(World(seed, unlucky(settings, seed), offset_ms, stream=True))

    @invariant()
    def sockets_are_used_politely(self) -> None:
        """Reconnecting, too."""
        if hasattr(self, "world"):
            self.judge_sockets()


class StreamingCommands(Pushing, Commanding):
    """The same of commands that name their orders."""

    def built(self, seed: int, settings: Settings, offset_ms: int) -> CommandsWorld:
        """The same world with the stream on."""
        made = CommandsWorld(seed, unlucky(settings, seed), offset_ms, stream=True)
        listening(made)
        return made

    @invariant()
    def sockets_are_used_politely(self) -> None:
        """Reconnecting, too."""
        if hasattr(self, "world"):
            self.judge_sockets()


@pytest.mark.slow
@pytest.mark.failure(36, 47)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("machine", [StreamingCancels, StreamingCommands])
def test_no_history_of_the_stream_breaks_a_promise(machine: Any, part: int, count_cases: Callable[[int], None]) -> None:
    """60 examples of 50 steps of each: 0 false confirmations, whatever is pushed, lost, doubled, late or swapped."""
    run_part(machine, part, share=SHARE)
    count_cases(max(1, EXAMPLES // PARTS // SHARE))
