"""What a bot and its guard say to each other: one line of JSON each, the same over a socket and over Redis."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["MOST_BYTES", "NAME", "Answer", "Beat", "Word"]

VERSION = 1
MOST_BYTES = 1024
MOST_EVERY_S = 3_600.0
NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")
SESSION = re.compile(r"[0-9a-f]{16,64}")


class Word(enum.StrEnum):
    """
    What the guard answers to a beat.

    ARMED: it counts, and the guard fires when the next ones stay away. DISARMED: the session has said goodbye.
    STOPPING: the account is being stopped now. FIRED: this session was stopped, and is not guarded any more.
    SUPERSEDED: a younger session goes by this name. STRANGER: the guard watches over no such name.
    """

    ARMED = "armed"
    DISARMED = "disarmed"
    STOPPING = "stopping"
    FIRED = "fired"
    SUPERSEDED = "superseded"
    STRANGER = "stranger"


WORDS = frozenset(word.value for word in Word)


@dataclass(frozen=True, slots=True)
class Beat:
    """
    One heartbeat.

    Attributes:
        name: of the bot, as the guard was told.
        session: made up anew each time that a bot begins: 16 to 64 hexadecimal digits.
        number: counts the beats of a session upwards, so that an old one that comes twice is none.
        every_s: how far apart the bot means to beat, in seconds.
        goodbye: the bot ends in peace: the guard is to forget it.
    """

    name: str
    session: str
    number: int
    every_s: float
    goodbye: bool = False

    def encode(self) -> bytes:
        """The line, without its end."""
        said = {"v": VERSION, "name": self.name, "session": self.session, "n": self.number, "every_s": self.every_s}
        return orjson.dumps(said | ({"goodbye": True} if self.goodbye else {}))

    @classmethod
    def decode(cls, raw: bytes) -> Beat | None:
        """The beat, or `None` if that is none: it counts as nothing then, never as a sign of life."""
        said = _object(raw)
        name, session, number, every_s = (said.get(key) for key in ("name", "session", "n", "every_s"))
        goodbye = said.get("goodbye", False)
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            return None
        if not (isinstance(session, str) and SESSION.fullmatch(session)):
            return None
        if type(number) is not int or number < 0 or type(goodbye) is not bool:
            return None
        if not isinstance(every_s, int | float) or not 0 < every_s <= MOST_EVERY_S:
            return None
        return cls(name, session, number, float(every_s), goodbye)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the guard says to a beat.

    Attributes:
        word: what it made of it.
        session, number: of the beat.
        after_s: seconds of silence after which it fires.
        rehearsal: it sends no command, whatever happens.
    """

    word: Word
    session: str
    number: int
    after_s: float
    rehearsal: bool = False

    def encode(self) -> bytes:
        """The line, without its end."""
        said = {"v": VERSION, "word": self.word.value, "session": self.session, "n": self.number}
        return orjson.dumps(said | {"after_s": self.after_s, "rehearsal": self.rehearsal})

    @classmethod
    def decode(cls, raw: bytes) -> Answer | None:
        """The answer, or `None` if that is none, or says a word that we do not know."""
        said = _object(raw)
        word, session, number, after_s = (said.get(key) for key in ("word", "session", "n", "after_s"))
        if not isinstance(word, str) or word not in WORDS or not isinstance(session, str):
            return None
        if type(number) is not int or not isinstance(after_s, int | float) or not after_s > 0:
            return None
        return cls(Word(word), session, number, float(after_s), said.get("rehearsal") is not False)


def _object(raw: bytes) -> dict[str, Any]:
    """The members of an object of our version, or none."""
    if len(raw) > MOST_BYTES:
        return {}
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) and said.get("v") == VERSION else {}
