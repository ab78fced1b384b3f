"""
When a public channel speaks.
"""

from __future__ import annotations

from collections.abc import Callable

from bitget_async.sim.depth import Depth
from bitget_async.sim.market import SYMBOLS, Symbol
from bitget_async.sim.sockets.topics import NoTopic, Stage

__all__ = ["BookPace", "Pace", "at_ms", "symbol_of"]

MS_NS = 1_000_000
MILLION = 1_000_000


class Pace:
    """
    Something done soon after it is asked for, but never more often than at a pace. Nothing runs in between.

    Args:
        stage: of the channel.
        seconds: least time between two runs.
        action: what is done, called with the time.
        now_ns: the first run comes no sooner than one pace after that.
    """

    def __init__(self, stage: Stage, seconds: float, action: Callable[[int], None], now_ns: int) -> None:
        self._stage = stage
        self._pace_ns = round(seconds * 1e9)
        self._action = action
        self._last_ns = now_ns
        self._due_ns: int | None = None

    def nudge(self, now_ns: int) -> None:
        """Do it as soon as the pace allows."""
        due_ns = max(now_ns, self._last_ns + self._pace_ns)
        if self._due_ns is None or due_ns < self._due_ns:
            self._due_ns = due_ns
            self._stage.at(due_ns, self._run)

    def _run(self, now_ns: int) -> None:
        if self._due_ns is None or now_ns < self._due_ns:
            return
        self._due_ns, self._last_ns = None, now_ns
        self._action(now_ns)


class BookPace(Pace):
    """
    The same for a channel that follows a book, from `start` to `stop`: `action` is called some time after the book may
    have changed, with the book brought up to then.
    """

    def __init__(self, stage: Stage, seconds: float, depth: Depth, action: Callable[[int], None], now_ns: int) -> None:
        super().__init__(stage, seconds, self._look, now_ns)
        self._depth = depth
        self._then = action

    def start(self) -> None:
        """Watch the book."""
        self._depth.hooks.append(self.nudge)
        self._wait()

    def stop(self) -> None:
        """Watch it no more."""
        self._depth.hooks.remove(self.nudge)

    def _look(self, now_ns: int) -> None:
        self._depth.look(now_ns)
        self._wait()
        self._then(now_ns)

    def _wait(self) -> None:
        """For the stirring, which calls nobody."""
        if (due_ns := self._depth.next_change_ns()) is not None:
            self.nudge(due_ns)


def at_ms(stage: Stage, time_ms: int, action: Callable[[int], None], now_ns: int) -> None:
    """Have it called when the exchange's clock shows that time."""

    def look(due_ns: int) -> None:
        if stage.epoch_ms(due_ns) >= time_ms:
            action(due_ns)
        else:
            wait(due_ns)

    def wait(from_ns: int) -> None:
        # At least a moment: an action that asks for its next turn does not call itself.
        wait_ms = max(1, time_ms - stage.epoch_ms(from_ns))
        stage.at(from_ns + wait_ms * MS_NS * MILLION // round(MILLION + stage.settings.clock_drift_ppm), look)

    wait(now_ns)


def symbol_of(stage: Stage) -> Symbol:
    """The symbol of the topic. Raises `NoTopic` where there is none."""
    topic = stage.topic
    symbol = SYMBOLS.get(topic.name)
    if symbol is None or topic.field != "instId" or topic.inst_type != "SPOT":
        raise NoTopic
    return symbol
