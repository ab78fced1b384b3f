"""
The journal of a client: what it is about to do stands on disk before the first byte leaves.

`Journal` is what a user passes, `JournalFile` the open file. Everything is a plain call that ends before the next
line; a record is one `os.write`, so what was written outlives the process, however it dies. Nothing here ever stops a
command: when the disk is full, records wait in memory, a warning is given, and they are written when there is room.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from bitget_async.errors import UsageError
from bitget_async.journal import records
from bitget_async.journal.disk import Place, boot_id, sync_data
from bitget_async.journal.records import HEADER_BYTES, Entry, Header, Kind, NotARecordError, Scan

__all__ = ["Fsync", "Journal", "JournalFile"]

Fsync = Literal["never", "sending", "always"]
SALT_BYTES = 16
MAX_BYTES = 8 << 20
READ_LIMIT = 256 << 20
BATCH_BYTES = 64 << 10


class Journal(msgspec.Struct, frozen=True):
    """
    Where the journal is and how much it may cost.

    Args:
        path: the file; made with mode 600 if there is none. One client at a time has it.
        fsync: "never": what was written outlives a crash of the process, not of the machine. "sending": the record
            that a command is about to be sent, and with it all before, is on the medium before the first byte leaves.
            "always": every record. The event loop stands still for the while; see docs/journal.md for figures.
        max_bytes: when the file is longer, it is rewritten with the unsettled entries only.

    Raises: UsageError: a setting is none of these.
    """

    path: str | Path
    fsync: Fsync = "never"
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if not isinstance(self.path, (str, Path)) or "\0" in str(self.path):
            raise UsageError("the path of a journal is a str or a Path")
        if self.fsync not in ("never", "sending", "always"):
            raise UsageError(f"fsync is one of never, sending, always; not {self.fsync!r}")
        if not 0 < self.max_bytes <= READ_LIMIT // 2:
            raise UsageError(f"max_bytes is 1 to {READ_LIMIT // 2}")

    def open(self, *, account: str, origin: str, warn: Callable[[str], None]) -> JournalFile:
        """
        Open or make the file, lock it, and read what an earlier process left.

        Args:
            account: whose commands stand in it: UID, or a fingerprint of the key. Only a salted hash is written.
            origin: scheme and host of the exchange; a journal of the simulator is none of the exchange.
            warn: told in words what is wrong but stops nothing. Must not raise.

        Raises: UsageError, and the file is left as it is: no journal, of another account or origin, of another
            format, in use, a link, no regular file, of another user, writable for others, or the system refuses.
        """
        path = Path(os.path.abspath(self.path))
        try:
            return JournalFile(self, path, account, origin, warn)
        except OSError as error:
            raise UsageError(f"journal {path}: {error.strerror or error}") from error
        except UsageError as error:
            raise UsageError(f"journal {path}: {error}") from None


class JournalFile:
    """
    An open journal. Of one event loop: not for several threads. In a child made by `fork` it is closed.

    A command has one entry: `begin` before it waits for anything, `note` with SENDING right before its first byte,
    then whatever comes, and DONE when its handle has settled. An entry without DONE is `unsettled` for the next
    process. That an entry has neither SENDING nor GAP proves that it was never sent.
    """

    def __init__(self, settings: Journal, path: Path, account: str, origin: str, warn: Callable[[str], None]) -> None:
        """Use `Journal.open`."""
        self._settings = settings
        self._path = path
        self._tell = warn
        self._limit = settings.max_bytes
        self._complained = False
        # The file is good up to here; ragged: something that is no record may stand behind.
        self._size = 0
        self._ragged = False
        # By entry: all records of the unsettled, which a rewritten file must hold; and those not in the file yet.
        self._live: dict[int, list[bytes]] = {}
        self._owed: dict[int, list[tuple[Kind, bytes]]] = {}
        self._left: dict[int, Entry] = {}
        self._boot = boot_id() if settings.fsync == "never" else ""
        self._place = Place(path)
        try:
            for text in self._place.warnings:
                self._warn(text)
            self._header = self._own_header(account, origin)
            self._next = self._header.next_number
            self._take_over()
        except BaseException:
            self._place.close()
            raise

    def __repr__(self) -> str:
        state = "closed" if self.closed else "healthy" if self.healthy else "records wait for room"
        return f"<JournalFile {self._path} {state}>"

    @property
    def closed(self) -> bool:
        """Closed, or in a child made by `fork`: nothing is written any more."""
        return self._place.file < 0

    @property
    def healthy(self) -> bool:
        """Whether everything that could be written stands in the file."""
        return self._size > 0 and not self._owed and not self.closed

    def begin(self, data: Mapping[str, Any]) -> int:
        """
        Write that a command is intended.

        Args: data: JSON, at most 1 MiB, without secrets.
        Returns: the number of the entry, never used again in this journal. Whether it stands in the file: `holds`.
        Raises: never.
        """
        number = self._next
        self._next += 1
        raw = self._sealed(number, Kind.INTENT, data)
        if raw is not None:
            self._live[number] = []
            _ = self._add(number, Kind.INTENT, raw)
        return number

    def note(self, number: int, kind: Kind, data: Mapping[str, Any] | None = None) -> bool:
        """
        Write what became of an entry. With DONE it is settled and forgotten.

        Returns: whether everything of this entry stands in the file. If not, the handle should say so.
        Raises: never.
        """
        if number not in self._live:
            return False
        raw = self._sealed(number, kind, data or {})
        if raw is None:
            # An entry that says less than it should must not be taken for one that was never sent.
            kind = kind if kind is Kind.DONE else Kind.GAP
            raw = self._seal(number, kind, {})
        return self._add(number, kind, raw)

    def holds(self, number: int) -> bool:
        """Whether that entry is unsettled, and everything of it stands in the file."""
        return number in self._live and number not in self._owed and not self.closed

    def unsettled(self) -> list[Entry]:
        """What an earlier process began and nobody has settled since, oldest first. Go on with `note`."""
        return list(self._left.values())

    def close(self) -> None:
        """Give the file back. Entries without DONE stay unsettled; records that wait for room get a last try."""
        if not self.closed:
            self._catch_up()
            self._place.close()

    def _add(self, number: int, kind: Kind, raw: bytes) -> bool:
        if self.closed:
            return False
        if kind is Kind.DONE:
            del self._live[number]
            self._left.pop(number, None)
            if number in self._owed and self._owed[number][0][0] is Kind.INTENT:
                # Nothing of it ever reached the file: nobody will ask about it.
                del self._owed[number]
                return True
        else:
            self._live[number].append(raw)
        self._owed.setdefault(number, []).append((kind, raw))
        self._catch_up()
        return number not in self._owed

    def _catch_up(self) -> None:
        if self._write_owed() and self._size > self._limit:
            _ = self._rewrite()

    def _write_owed(self) -> bool:
        """Write what is not in the file yet, in pieces of whole entries. Healthy, that is one record."""
        while self._owed:
            numbers: list[int] = []
            batch: list[tuple[Kind, bytes]] = []
            # While the disk is full, one entry is enough to find out whether it still is.
            room = 0 if self._complained else BATCH_BYTES
            for number, owed in self._owed.items():
                numbers.append(number)
                batch += owed
                room -= sum(len(raw) for _, raw in owed)
                if room <= 0:
                    break
            if not self._append(b"".join(raw for _, raw in batch), sync=self._waits_for(kind for kind, _ in batch)):
                return False
            for number in numbers:
                del self._owed[number]
        return True

    def _waits_for(self, kinds: Iterable[Kind]) -> bool:
        """Whether records of these kinds have to be on the medium before the next line."""
        fsync = self._settings.fsync
        return fsync == "always" or (fsync == "sending" and Kind.SENDING in kinds)

    def _append(self, blob: bytes, *, sync: bool) -> bool:
        """One write, all or nothing: what stands there only in part, or may not be on the medium, is cut off again."""
        if not self._size:
            blob = self._header.encode() + blob
        try:
            self._cut()
            self._ragged = True
            if (written := os.write(self._place.file, blob)) != len(blob):
                raise OSError(errno.ENOSPC, f"only {written} of {len(blob)} bytes were written")
            if sync:
                sync_data(self._place.file)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._cut()
            if not self._complained:
                self._complained = True
                self._mark_incomplete()
                self._warn(f"cannot be written ({error.strerror}); commands go on without it, records wait in memory")
            return False
        self._size += len(blob)
        self._ragged = False
        if self._complained:
            self._complained = False
            # The mark goes with the next rewriting: at once, when all is written that waits.
            self._limit = 0
            self._warn("is written again")
        return True

    def _mark_incomplete(self) -> None:
        """Should this process die now, the next one must not take an entry for one that was never sent."""
        with contextlib.suppress(OSError):
            if self._size:
                self._place.overwrite(1, HEADER_BYTES - 1)
                if self._settings.fsync != "never":
                    sync_data(self._place.file)

    def _cut(self) -> None:
        if self._ragged:
            os.ftruncate(self._place.file, self._size)
            self._ragged = False

    def _rewrite(self) -> bool:
        """Put a file with the unsettled entries only in the place of this one; if that fails, this one goes on."""
        kept = b"".join(raw for entry in self._live.values() for raw in entry)
        header = msgspec.structs.replace(self._header, next_number=self._next, incomplete=False).started(self._boot)
        blob = header.encode() + kept
        try:
            self._place.replace(blob)
        except OSError as error:
            # Not again for every record.
            self._limit = max(self._limit, 2 * self._size)
            self._warn(f"cannot be rewritten ({error.strerror}); the old file goes on")
            return False
        self._header = header
        self._size = len(blob)
        self._ragged = False
        self._limit = max(self._settings.max_bytes, 2 * self._size)
        return True

    def _sealed(self, number: int, kind: Kind, data: Mapping[str, Any]) -> bytes | None:
        try:
            return self._seal(number, kind, data)
        except NotARecordError as defect:
            self._warn(f"a record ({kind.value}) was left out: {defect}")
            return None

    def _seal(self, number: int, kind: Kind, data: Mapping[str, Any]) -> bytes:
        return records.seal(records.encode(number, kind, data), self._header.seed)

    def _warn(self, text: str) -> None:
        self._tell(f"journal {self._path}: {text}")

    def _own_header(self, account: str, origin: str) -> Header:
        blob = self._place.read(HEADER_BYTES)
        if not records.torn_header(blob):
            header = Header.decode(blob)
            header.check(account, origin)
            self._size = len(blob)
            return header
        if blob:
            self._warn("it was not complete when its making was interrupted; it is made anew")
        self._ragged = bool(blob)
        self._header = Header.of(os.urandom(SALT_BYTES), account, origin, self._boot)
        sync = self._settings.fsync != "never"
        if self._append(b"", sync=sync) and sync:
            self._place.sync_directory()
        return self._header

    def _take_over(self) -> None:
        blob = self._place.read(READ_LIMIT + 1)
        if len(blob) > READ_LIMIT:
            raise UsageError(f"the file is longer than {READ_LIMIT} bytes")
        found = records.scan(blob, HEADER_BYTES, self._header.seed)
        self._size = len(blob)
        settled = self._collect(found)
        if found.torn_at is not None:
            self._warn(
                f"ends inside a record, as after a crash while writing; "
                f"its last {len(blob) - found.torn_at} bytes are cut off"
            )
        aside = None
        if found.damaged:
            try:
                aside = self._place.keep_aside()
            except OSError as error:
                self._warn(f"{_stretches(found)}; that cannot be kept aside ({error.strerror}), and stays where it is")
                return
            self._warn(f"{_stretches(found)}; the file as it was is kept as {aside}")
        stale = self._header != msgspec.structs.replace(self._header, incomplete=False).started(self._boot)
        if not (settled or aside or stale or found.torn_at is not None) or self._rewrite():
            return
        if aside:
            self._place.drop_aside(aside)
        if stale:
            self._mark_incomplete()

    def _collect(self, found: Scan) -> bool:
        """Sort the records by entry. Returns whether a rewritten file would be shorter."""
        done: set[int] = set()
        lost: set[int] = set()
        begun: dict[int, int] = {}
        for record in found.records:
            number = record.number
            self._next = max(self._next, number + 1)
            if record.kind is Kind.DONE:
                done.add(number)
                self._left.pop(number, None)
                self._live.pop(number, None)
            elif number in self._left:
                self._left[number].notes.append((record.kind, record.data))
                self._live[number].append(record.raw)
            elif record.kind is Kind.INTENT:
                begun[number] = record.at
                self._left[number] = Entry(number, record.data)
                self._live[number] = [record.raw]
            else:
                lost.add(number)
        lacking = self._header.may_lack(boot_id())
        for number, entry in self._left.items():
            if lacking or begun[number] < found.last_loss:
                entry.notes.append((Kind.GAP, {}))
                self._live[number].append(self._seal(number, Kind.GAP, {}))
        if lost - done:
            self._warn(f"the first record of {len(lost - done)} commands is lost; they cannot be resumed")
        return bool(done)


def _stretches(found: Scan) -> str:
    where = ", ".join(f"{begin}-{end}" for begin, end in found.damaged[:5])
    return f"{len(found.damaged)} damaged stretches (bytes {where}); the records around them count"
