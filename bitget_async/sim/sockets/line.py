"""
What one connection gets to read, when and in which order. Pure: the timeline calls, the wire writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import orjson

from bitget_async.sim.settings import NEVER_NS, Delay, Dice, Settings, draw_ns
from bitget_async.sim.sockets.records import SocketRecord
from bitget_async.sim.timeline import Timeline

__all__ = ["Line", "Luck", "Wire"]

# A push that changes places with the next one does not wait for it for ever.
HELD_NS = 1_000_000_000
STALLED = 10_000
# How long a goodbye waits for the client's.
LINGER_NS = 1_000_000_000


class Wire(Protocol):
    """The way to one client."""

    def write(self, text: bytes) -> int:
        """Send a text frame. Returns how many bytes are waiting to be read."""

    def pong(self, data: bytes) -> None:
        """Answer a ping of the protocol, which is none of the exchange's."""

    def close(self, code: int) -> None:
        """Say goodbye."""

    def abort(self, *, mid_frame: bool) -> None:
        """Be gone at once, in the middle of a frame or between two."""


@dataclass(slots=True)
class Luck:
    """
    What is done to every line.

    Attributes:
        drop: how many pushes are still to be lost.
        sent, lost: pushes that left, doubles included, and that did not.
    """

    drop: int = 0
    sent: int = 0
    lost: int = 0


class Line:
    """
    Frames in their lanes: answers among themselves and pushes among themselves keep their order, whatever lag is drawn;
    a `pong` or an error waits for nobody. From the leaving on there is one order, as TCP keeps it.

    Args:
        timeline, settings, dice: when things leave.
        luck: shared by all lines.
        wire: where they go.
        record: where they are counted.
        hang_up: called when the client has left too much unread, or a goodbye unanswered.
    """

    def __init__(
        self,
        timeline: Timeline,
        settings: Settings,
        dice: Dice,
        luck: Luck,
        wire: Wire,
        record: SocketRecord,
        hang_up: Callable[[], None],
    ) -> None:
        self._timeline = timeline
        self._settings = settings
        self._dice = dice
        self._luck = luck
        self._wire = wire
        self._record = record
        self._hang_up = hang_up
        self._answer_ns = self._push_ns = self._arrive_ns = 0
        self._swapped: bytes | None = None
        self._stalled: deque[bytes] | None = None
        self._closed = self._leaving = False

    def say(self, frame: bytes, now_ns: int) -> None:
        """Send at once: a pong, an error."""
        self._depart(lambda: self._write(frame), now_ns)

    def pong(self, data: bytes, now_ns: int) -> None:
        """Answer a ping of the protocol, unless stalled."""
        self._depart(lambda: None if self._closed or self._stalled is not None else self._wire.pong(data), now_ns)

    def answer(self, frame: dict[str, object], now_ns: int) -> None:
        """Send the answer to a login, a subscription or a command."""
        due_ns = self._due(self._settings.ack_lag_s, self._answer_ns, now_ns)
        if due_ns < NEVER_NS:
            self._answer_ns = due_ns
        if self._strikes(self._settings.ack_loss):
            return
        text = orjson.dumps(frame)
        self._timeline.at(due_ns, lambda at_ns: self.say(text, at_ns))

    def push(self, head: bytes, now_ns: int) -> None:
        """Send a push; `head` is its frame without the closing `,"ts":...}`, which tells when it left."""
        due_ns = self._due(self._settings.push_lag_s, self._push_ns, now_ns)
        if due_ns < NEVER_NS:
            self._push_ns = due_ns
        self._timeline.at(due_ns, lambda at_ns: self._leave(head, at_ns))

    def stall(self, on: bool, *, keep: bool) -> None:
        """Send nothing from now on; or again, with what has gathered since if it is to be kept."""
        if on and self._stalled is None:
            self._stalled = deque(maxlen=STALLED)
        elif not on and self._stalled is not None:
            waiting, self._stalled = self._stalled, None
            for frame in waiting if keep else ():
                self._write(frame)

    def close(self, code: int, now_ns: int) -> None:
        """Say goodbye behind everything that has left; no push leaves any more."""
        self._leaving = True
        self._depart(lambda: self._goodbye(code), now_ns)

    def end(self) -> None:
        """The connection is gone: whatever is still under way is written nowhere."""
        self._closed = True

    def _leave(self, head: bytes, now_ns: int) -> None:
        if self._closed or self._leaving:
            return
        settings, luck = self._settings, self._luck
        frame = b'%b,"ts":%d}' % (head, self._timeline.epoch_ms(now_ns))
        if luck.drop or self._strikes(settings.push_loss):
            luck.drop -= luck.drop > 0
            luck.lost += 1
            self._record.pushes_lost += 1
        elif self._swapped is None and self._strikes(settings.push_disorder):
            self._swapped = frame
            self._timeline.at(now_ns + HELD_NS, lambda at_ns: self._release(at_ns) if self._swapped is frame else None)
            return
        else:
            self._send(frame, now_ns)
            if self._strikes(settings.push_doubling):
                self._send(frame, now_ns)
        self._release(now_ns)

    def _release(self, now_ns: int) -> None:
        frame, self._swapped = self._swapped, None
        if frame is not None:
            self._send(frame, now_ns)

    def _send(self, frame: bytes, now_ns: int) -> None:
        if not self._closed:
            self._luck.sent += 1
            self._record.pushes_sent += 1
            self.say(frame, now_ns)

    def _depart(self, arrive: Callable[[], None], now_ns: int) -> None:
        """Have it arrive after the latency, and behind what left before."""
        if self._settings.socket_latency_s == 0.0 and self._arrive_ns <= now_ns:
            arrive()
            return
        self._arrive_ns = self._due(self._settings.socket_latency_s, self._arrive_ns, now_ns)
        self._timeline.at(self._arrive_ns, lambda at_ns: arrive())

    def _write(self, frame: bytes) -> None:
        if self._closed:
            return
        if self._stalled is not None:
            self._stalled.append(frame)
        elif self._wire.write(frame) > self._settings.socket_buffer_bytes:
            self._hang_up()

    def _goodbye(self, code: int) -> None:
        if self._closed or self._stalled is not None:
            return
        self._wire.close(code)
        self._timeline.at(self._timeline.now_ns + LINGER_NS, lambda _: None if self._closed else self._hang_up())

    def _due(self, lag: Delay, earliest_ns: int, now_ns: int) -> int:
        return max(now_ns + draw_ns(lag, self._dice.pushes), earliest_ns)

    def _strikes(self, chance: float) -> bool:
        return chance > 0.0 and self._dice.pushes.random() < chance
