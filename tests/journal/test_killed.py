"""Real SIGKILLs at every call to the system: what the journal said was written is there again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.journal.killed import MODES
from tests.journal.lives import History, Warnings, data_of, opened, plain

pytestmark = pytest.mark.failure(53)
ROOT = Path(__file__).parent.parent.parent


def judged(case: Path) -> None:
    """The opened journal holds all that was promised, and at most the one record more that was under way."""
    history = History()
    finished = False
    for line in case.with_name(case.name + ".promises").read_text().splitlines():
        what, *words = json.loads(line)
        finished = what == "end"
        if what == "wrote":
            number, kind, command, written = words
            assert written, case
            history.wrote(number, kind, data_of(command, kind))
    warnings = Warnings()
    with opened(case, warnings.append) as journal:
        found = without_gaps(plain(journal))
        promised = history.unsettled()
        assert found == promised or one_step_on(promised, found), case
        assert not finished or found == promised
        assert not warnings.about("damaged"), case
        number = journal.begin({"after": "death"})
        assert number > max([0, *(entry[0] for entry in promised)])
        assert journal.holds(number)
    assert not case.with_name(case.name + ".damaged").exists()


def without_gaps(entries: list[Any]) -> list[Any]:
    """A torn end makes the journal say that something may be missing; that is no record of the client."""
    return [(number, data, [note for note in notes if note != ("gap", {})]) for number, data, notes in entries]


def one_step_on(promised: list[Any], found: list[Any]) -> bool:
    """The record whose writing had no time to be told: a new entry, one more note, or one entry settled."""
    new_entry = found[:-1] == promised and found[-1][2] == []
    settled = len(found) == len(promised) - 1 and all(entry in promised for entry in found)
    differing = [(p, f) for p, f in zip(promised, found, strict=False) if p != f]
    noted = (
        len(found) == len(promised)
        and len(differing) == 1
        and all(p[:2] == f[:2] and f[2][:-1] == p[2] for p, f in differing)
    )
    return new_entry or settled or noted


def test_killed_at_every_call_to_the_system(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count_cases: Callable[[int], None],
    figure: Callable[[str, Any], None],
) -> None:
    """Before, within and after each write, rename and sync, in each mode of fsync, also while rewriting."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    subprocess.run([sys.executable, "-m", "tests.journal.killed", str(tmp_path), "points"], cwd=ROOT, check=True)
    cases = [Path(str(name).removesuffix(".promises")) for name in sorted(tmp_path.glob("*.promises"))]
    for case in cases:
        if case.exists():
            judged(case)
        else:
            assert case.with_name(case.name + ".promises").read_bytes() == b""
    assert all(sum(case.name.startswith(mode) for case in cases) > 60 for mode in MODES)
    count_cases(len(cases))
    figure("journal.kills", len(cases))


@pytest.mark.failure(52)
def test_a_forked_child_neither_writes_nor_keeps_the_lock(tmp_path: Path) -> None:
    """A worker that outlives its killed parent must not keep the next client from the journal."""
    command = [sys.executable, "-m", "tests.journal.killed", str(tmp_path), "fork"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent,
        ExitStack() as at_last,
    ):
        # It waits for its death, also when a line below fails.
        _ = at_last.callback(parent.kill)
        assert parent.stdin is not None
        assert parent.stdout is not None
        closed, holds, noted, healthy = json.loads(parent.stdout.readline())
        assert (closed, holds, noted, healthy) == (True, False, False, False)
        os.kill(parent.pid, signal.SIGKILL)
        _ = parent.wait()
        with opened(tmp_path / "journal") as journal:
            assert plain(journal) == [(1, {"of": "parent"}, [])]
        parent.stdin.close()
        assert parent.stdout.read() == ""
