"""
A process that journals and is killed. Run as a program, it forks one child for each way to die: importing the package
once is what makes hundreds of real SIGKILLs cheap.

    python -m tests.journal.killed DIRECTORY points     one child for each call to the system, killed before or after it
    python -m tests.journal.killed DIRECTORY fork       a journal, a child that inherits it, and the death of the parent

Each child says through a pipe what it was told to stand in the file; that goes to `DIRECTORY/<case>.promises`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bitget_async.journal import Fsync, Journal, Kind
from tests.journal.lives import ACCOUNT, LIFE, ORIGIN, data_of

CALLS = ("write", "fsync", "fdatasync", "rename", "open", "unlink", "ftruncate", "link")
MODES: tuple[Fsync, ...] = ("never", "sending", "always")
MAX_BYTES = 700


class Reaper:
    """Kills this process at its nth call to the system: before it, after it, or in the middle of a write."""

    def __init__(self, nth: int, when: str) -> None:
        self.left = nth
        self.when = when
        self.real: dict[str, Any] = {name: getattr(os, name, None) for name in CALLS}
        # A killed process leaves its pages to the kernel: waiting for the medium would only cost time.
        self.real["fsync"] = self.real["fdatasync"] = lambda descriptor: None
        for name in CALLS:
            setattr(os, name, self.wrapped(name))

    def wrapped(self, name: str) -> Callable[..., Any]:
        """`os.<name>`, which may be the last thing that this process does."""
        real = self.real[name]

        def call(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left:
                return real(*args, **options)
            if self.when == "within" and name == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            if self.when == "after":
                real(*args, **options)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("still alive")

        return call


def lead(path: Path, fsync: Fsync, nth: int, when: str, pipe: int) -> None:
    """Two lives in one journal, the second after opening it again; tells each step before and after."""
    reaper = Reaper(nth, when)

    def tell(*words: Any) -> None:
        reaper.real["write"](pipe, json.dumps(words).encode() + b"\n")

    for _ in range(2):
        journal = Journal(path, fsync=fsync, max_bytes=MAX_BYTES).open(
            account=ACCOUNT, origin=ORIGIN, warn=lambda text: tell("warning", text)
        )
        numbers: dict[int, int] = {}
        for command, kind in LIFE:
            if kind == "intent":
                numbers[command] = journal.begin(data_of(command, kind))
                written = journal.holds(numbers[command])
            else:
                written = journal.note(numbers[command], Kind(kind), data_of(command, kind))
            tell("wrote", numbers[command], kind, command, written)
        journal.close()
    tell("end")


def run(directory: Path, fsync: Fsync, nth: int, when: str) -> bool:
    """One child that dies there. Returns whether it did: a life has an end, and so has the counting."""
    case = directory / f"{fsync}-{nth}-{when}"
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ear)
        try:
            lead(case, fsync, nth, when, mouth)
        finally:
            os._exit(0)
    os.close(mouth)
    with os.fdopen(ear, "rb") as said:
        case.with_name(case.name + ".promises").write_bytes(said.read())
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def points(directory: Path) -> None:
    """Every point of every mode."""
    for fsync in MODES:
        for when in ("before", "within", "after"):
            nth = 1
            while run(directory, fsync, nth, when):
                nth += 1


def fork(directory: Path) -> None:
    """A client forks a worker that lives on, and is killed itself. The worker ends when its input does."""
    journal = Journal(directory / "journal").open(account=ACCOUNT, origin=ORIGIN, warn=print)
    number = journal.begin({"of": "parent"})
    if os.fork() == 0:
        said = [journal.closed, journal.holds(number), journal.note(number, Kind.DONE), journal.healthy]
        _ = journal.begin({"of": "child"})
        journal.close()
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        os._exit(0)
    signal.pause()


if __name__ == "__main__":
    {"points": points, "fork": fork}[sys.argv[2]](Path(sys.argv[1]))
