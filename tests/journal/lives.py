"""
What journals are made to live through, and what must be left of it by the rules alone.

`History` is the witness: a plain list of what was written, which shares nothing with the journal but the meaning of
the words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bitget_async.journal import Journal, JournalFile, Kind

ACCOUNT = "7411236985"
ORIGIN = "https://api.bitget.com"


class Warnings(list):
    """What `warn` was told, one text each."""

    def about(self, words: str) -> int:
        """How many texts hold these words."""
        return sum(words in text for text in self)


@contextmanager
def opened(path: Path | str, warn: Callable[[str], None] | None = None, **settings: Any) -> Iterator[JournalFile]:
    """An open journal of the one account. Without `warn`, any warning fails the test."""
    journal = Journal(path, **settings).open(account=ACCOUNT, origin=ORIGIN, warn=warn or complain)
    try:
        yield journal
    finally:
        journal.close()


def complain(text: str) -> None:
    """For journals that have nothing to warn of."""
    raise AssertionError(f"unexpected warning: {text}")


def plain(journal: JournalFile) -> list[tuple[int, Any, list[tuple[str, Any]]]]:
    """What is unsettled, in plain words."""
    return [(e.number, e.data, [(kind.value, data) for kind, data in e.notes]) for e in journal.unsettled()]


def healthy(journal: JournalFile) -> bool:
    """Asked anew: type checkers believe that a property asked twice says the same."""
    return journal.healthy


class History:
    """What was written, in order, and what of it is unsettled."""

    def __init__(self) -> None:
        self.entries: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}

    def wrote(self, number: int, kind: str, data: Any) -> None:
        """One record more."""
        if kind == "intent":
            self.entries[number] = (data, [])
        elif kind == "done":
            del self.entries[number]
        else:
            self.entries[number][1].append((kind, data))

    def unsettled(self) -> list[tuple[int, Any, list[tuple[str, Any]]]]:
        """As `plain` tells it."""
        return [(number, data, list(notes)) for number, (data, notes) in self.entries.items()]


# (command, kind): three commands that overlap, as a client writes them. The second settles, the others do not.
LIFE: list[tuple[int, str]] = [
    *((1, "intent"), (1, "sending"), (2, "intent"), (1, "answer"), (2, "sending"), (2, "answer"), (2, "done")),
    *((3, "intent"), (1, "orders"), (3, "sending")),
]

SETTLED: list[tuple[int, str]] = [(2, "intent"), (2, "sending"), (2, "answer"), (2, "done")]


def data_of(command: int, kind: str) -> dict[str, Any]:
    """What a client would write there, more or less."""
    return {"symbol": f"SYM{command}USDT", "at_ms": 1_760_000_000_000 + command, "kind": kind, "ids": ["1", "2"]}


def live(journal: JournalFile, steps: list[tuple[int, str]] = LIFE) -> Iterator[tuple[int, str, bool]]:
    """Lead that life; after each step (number, kind, whether the journal says that it stands in the file)."""
    numbers: dict[int, int] = {}
    for command, kind in steps:
        if kind == "intent":
            numbers[command] = journal.begin(data_of(command, kind))
            yield numbers[command], kind, journal.holds(numbers[command])
        else:
            yield numbers[command], kind, journal.note(numbers[command], Kind(kind), data_of(command, kind))


def after(steps: list[tuple[int, str]]) -> list[tuple[int, Any, list[tuple[str, Any]]]]:
    """What that life leaves."""
    history = History()
    for command, kind in steps:
        history.wrote(command, kind, data_of(command, kind))
    return history.unsettled()


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/dev/fd"))
