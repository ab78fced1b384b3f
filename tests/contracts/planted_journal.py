"""Bugs of a journal's file. See `planting`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bitget_async.journal import JournalFile, records
from bitget_async.journal.records import Header, Scan

from .planting import patched, plant


@plant("a_cut_journal_claims_nothing", 53, 54)
def lost_records_never_were() -> Iterator[None]:
    """What stands in the file is all that happened: a command whose sending was cut off was never sent."""
    with patched(Scan, "last_loss", -1):
        yield


@plant("a_changed_byte_is_no_record", 54)
def records_not_checked() -> Iterator[None]:
    """A record is what has the length of one."""
    with patched(records, "_crc", lambda payload, seed: 0), patched(records, "crc32", lambda *given: 0):
        yield


@plant("a_journal_of_somebody_else_is_refused", 54)
def foreign_journals_taken() -> Iterator[None]:
    """A file is a file: the commands of another account are looked for with this key."""
    with patched(Header, "check", lambda self, account, origin: None):
        yield


@plant("a_full_disk_stops_no_command", 60)
def a_full_disk_raises() -> Iterator[None]:
    """No record, no command: the panic button does not work when the disk is full."""
    original = JournalFile._append

    def append(self: Any, blob: bytes, *, sync: bool) -> bool:
        if not original(self, blob, sync=sync):
            raise OSError("the journal cannot be written")
        return True

    with patched(JournalFile, "_append", append):
        yield


@plant("a_full_disk_stops_no_command", 60)
def missing_records_not_told() -> Iterator[None]:
    """Whoever has a handle thinks that it outlives the process."""
    with patched(JournalFile, "holds", lambda self, number: True):
        yield
