"""A `Talk` driven step by step, as its shell would do it: time jumps to what is due."""

from __future__ import annotations

import json
from typing import Any

from bitget_async.stream.events import Event
from bitget_async.stream.protocol import Failed, Frame, LoggedIn, Pong, Subscribed, Topic, Unsubscribed
from bitget_async.stream.talk import LoginDue, Talk

__all__ = ["Driven", "said"]

SECOND_NS = 1_000_000_000
START_NS = 1_000 * SECOND_NS


def said(frame: bytes | LoginDue) -> str:
    """A frame in short: `ping`, `login`, `subscribe ticker:BTCUSDT ticker:ETHUSDT`."""
    if isinstance(frame, LoginDue):
        return "login"
    if frame == b"ping":
        return "ping"
    request = json.loads(frame)
    names = [f"{row['channel']}:{row.get('instId') or row['coin']}" for row in request["args"]]
    return " ".join([request["op"], *names])


class Driven:
    """The shell: seconds since the connection was opened, what was sent at which, and what happened."""

    def __init__(self, *topics: Topic, private: bool = False, answers: bool = False, **options: Any) -> None:
        self.talk = Talk(private=private, **options)
        self.now_ns = START_NS
        self.sent: list[tuple[float, str]] = []
        self.events: list[tuple[float, Event]] = []
        self.answers = answers
        self.talk.want(topics)
        self.opened_ns = START_NS
        self.talk.opened(self.now_ns)

    @property
    def at_s(self) -> float:
        """Seconds since the connection was opened."""
        return (self.now_ns - self.opened_ns) / SECOND_NS

    def turn(self) -> None:
        """What the shell does whenever it wakes."""
        self._happened(self.talk.tick(self.now_ns))
        while (frame := self.talk.next_frame(self.now_ns)) is not None:
            self.sent.append((round(self.at_s, 3), said(frame)))
            if self.answers:
                self._answer(frame)

    def to(self, at_s: float) -> None:
        """Let time pass up to that second, waking whenever something is due."""
        end_ns = self.opened_ns + round(at_s * SECOND_NS)
        self.turn()
        while self.talk.due_ns <= end_ns and self.alive:
            before_ns, self.now_ns = self.now_ns, max(self.talk.due_ns, self.now_ns)
            self.turn()
            assert self.now_ns > before_ns or self.talk.due_ns > self.now_ns or not self.alive, "it turns in a circle"
        self.now_ns = end_ns

    def hear(self, *frames: Frame) -> None:
        """These come now."""
        for frame in frames:
            self._happened(self.talk.heard(frame, self.now_ns))
        self.turn()

    def pushed(self, topic: Topic) -> None:
        """A push comes now."""
        self._happened(self.talk.heard_push(topic, self.now_ns))
        self.turn()

    def reopen(self) -> None:
        """The connection is lost, and another one there."""
        self.talk.closed()
        self.sent.clear()
        self.events.clear()
        self.opened_ns = self.now_ns
        self.talk.opened(self.now_ns)
        self.turn()

    @property
    def alive(self) -> bool:
        """Whether it may still be talked on."""
        return not any(type(event).__name__ in ("Dead", "SignInRefused") for _, event in self.events)

    @property
    def happened(self) -> list[Event]:
        """The events."""
        return [event for _, event in self.events]

    @property
    def requests(self) -> list[str]:
        """What was sent, without pings."""
        return [text for _, text in self.sent if text != "ping"]

    def _happened(self, events: tuple[Event, ...]) -> None:
        self.events += [(round(self.at_s, 3), event) for event in events]

    def _answer(self, frame: bytes | LoginDue) -> None:
        """An exchange that answers everything at once."""
        if isinstance(frame, LoginDue):
            self._happened(self.talk.heard(LoggedIn(), self.now_ns))
        elif frame == b"ping":
            self._happened(self.talk.heard(Pong(), self.now_ns))
        else:
            request = json.loads(frame)
            kind = Subscribed if request["op"] == "subscribe" else Unsubscribed
            for row in request["args"]:
                topic = Topic(row["channel"], row.get("instId"), row.get("coin"))
                self._happened(self.talk.heard(kind(topic), self.now_ns))


def refusal(topic: Topic | None, code: str) -> Failed:
    """An error of the exchange."""
    return Failed(topic, code, "in words")
