"""Bugs of a journal's file. See `planting`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bitget_async import BitgetClient, client
from bitget_async.journal import JournalFile, records
from bitget_async.journal.records import Header, Scan
from bitget_async.resumption import Recorder

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


@plant("a_process_dies_while_its_command_is_on_the_way", 53)
def sending_written_after_the_answer() -> Iterator[None]:
    """The record of a command follows its answer: who dies in between has sent nothing, by the file."""
    with patched(Recorder, "sending", lambda self, course, command: None):
        yield


@plant("a_process_dies_while_its_command_is_on_the_way", 53)
def resumed_commands_sent_again() -> Iterator[None]:
    """What is not known to be done is done once more."""
    original = BitgetClient.resume_pending

    async def resume_pending(self: BitgetClient) -> Any:
        handles = await original(self)
        for each in handles:
            _ = await self.cancel_symbol_orders(each.symbol)
        return handles

    with patched(BitgetClient, "resume_pending", resume_pending):
        yield


@plant("a_client_is_closed_and_another_one_takes_over", 51)
def closing_settles_the_journal() -> Iterator[None]:
    """A report is a report: the entry of a handle that was closed is done."""

    def left(self: Recorder, course: Any) -> None:
        self.settled(course, "client_closed")

    with patched(Recorder, "left", left):
        yield


@plant("a_client_is_forgotten", 52)
def nobody_is_warned() -> Iterator[None]:
    """A client that nobody closed goes without a word."""
    with patched(client, "_warn_of_left", lambda *left: None):
        yield
