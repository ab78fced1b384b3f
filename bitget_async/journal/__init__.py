"""The write-ahead journal: which commands may be on their way, kept where a crash of the process does not reach it."""

from __future__ import annotations

from bitget_async.journal.file import Fsync, Journal, JournalFile
from bitget_async.journal.records import Entry, Kind

__all__ = ["Entry", "Fsync", "Journal", "JournalFile", "Kind"]
