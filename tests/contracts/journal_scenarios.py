"""
Directed histories of a journal's file: torn, damaged, foreign, and on a full disk.

As in `scenarios`: each raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from bitget_async.errors import UsageError
from bitget_async.journal import Journal, JournalFile
from bitget_async.journal.records import HEADER_BYTES, Kind

from .world import demand

JOURNAL: dict[str, Callable[[], None]] = {}


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    JOURNAL[play.__name__] = play
    return play


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A path for a journal, gone afterwards."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made) / "journal"


@contextlib.contextmanager
def opened(path: Path, account: str = "1", origin: str = "https://a") -> Iterator[tuple[JournalFile, list[str]]]:
    """That journal, and what it warns of."""
    told: list[str] = []
    journal = Journal(path).open(account=account, origin=origin, warn=told.append)
    try:
        yield journal, told
    finally:
        journal.close()


@scenario
def a_cut_journal_claims_nothing() -> None:
    """Cut at every byte of the record of a sending: the command is there, and nobody may say that it was never sent."""
    with folder() as path:
        with opened(path) as (journal, _):
            number = journal.begin({"symbol": "BTCUSDT"})
            before = path.stat().st_size
            journal.note(number, Kind.SENDING)
        whole = path.read_bytes()
        for size in range(before + 1, len(whole) + 1):
            path.write_bytes(whole[:size])
            with opened(path) as (journal, _):
                (entry,) = journal.unsettled()
            told = {kind for kind, _ in entry.notes}
            demand(bool(told & {Kind.SENDING, Kind.GAP}), "17: a byte may have left", size)


@scenario
def a_changed_byte_is_no_record() -> None:
    """Every byte of a record changed in turn: what is read is what was written, or nothing."""
    with folder() as path:
        with opened(path) as (journal, _):
            journal.begin({"symbol": "BTCUSDT"})
        whole = path.read_bytes()
        for at in range(HEADER_BYTES, len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with opened(path) as (journal, _):
                found = [entry.data for entry in journal.unsettled()]
            demand(found in ([], [{"symbol": "BTCUSDT"}]), "54 of the failure model: whole records count", found)
            for aside in path.parent.glob("*.damaged*"):
                aside.unlink()


@scenario
def a_journal_of_somebody_else_is_refused() -> None:
    """Another account, another exchange: it is left as it is."""
    with folder() as path:
        with opened(path) as (journal, _):
            journal.begin({"symbol": "BTCUSDT"})
        for account, origin in (("2", "https://a"), ("1", "https://b")):
            with contextlib.suppress(UsageError), opened(path, account, origin):
                demand(False, "54 of the failure model: a foreign journal is refused", account, origin)


@scenario
def a_full_disk_stops_no_command() -> None:
    """No room: nothing raises, the entry is known to be missing, and somebody is told; with room it is written."""

    def full(file: int, blob: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with folder() as path, opened(path) as (journal, told):
        with mock.patch.object(os, "write", full):
            try:
                number = journal.begin({"symbol": "BTCUSDT"})
                journal.note(number, Kind.SENDING)
            except OSError as error:
                demand(False, "60 of the failure model: the command goes on", error)
            demand(not journal.holds(number), "60 of the failure model: the handle is flagged")
            demand(bool(told), "60 of the failure model: a warning")
        journal.note(number, Kind.ANSWER)
        demand(journal.holds(number), "60 of the failure model: written when there is room")
