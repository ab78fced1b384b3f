"""A disk that is full, or fails, stops no command: what could not be written is told, kept, and written later."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bitget_async import UsageError
from bitget_async.journal import Entry, Fsync, Journal, Kind
from bitget_async.journal.records import HEADER_BYTES
from tests.journal.lives import (
    ACCOUNT,
    LIFE,
    ORIGIN,
    SETTLED,
    History,
    Warnings,
    after,
    data_of,
    healthy,
    live,
    opened,
    plain,
)

pytestmark = pytest.mark.failure(60)
FULL = "cannot be written (No space left on device); commands go on without it, records wait in memory"
REAL_WRITE = os.write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal goes."""
    return tmp_path / "bot.journal"


class Disk:
    """
    `os.write` and `os.ftruncate` on a disk that is full from the nth write on, for so many writes.

    Args:
        partly: how many bytes a failing write still takes; `None` means that it raises.
        cuts: whether a file can be made shorter meanwhile.
    """

    def __init__(self, first: int, length: int, partly: int | None = None, *, cuts: bool = True) -> None:
        self.failing = range(first, first + length)
        self.partly = partly
        self.cuts = cuts
        self.writes = 0
        self.real_ftruncate = os.ftruncate

    @property
    def full(self) -> bool:
        """Whether the next write fails."""
        return self.writes + 1 in self.failing

    def write(self, descriptor: int, data: bytes) -> int:
        """As `os.write`."""
        self.writes += 1
        if self.writes not in self.failing:
            return REAL_WRITE(descriptor, data)
        if self.partly is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return REAL_WRITE(descriptor, data[: self.partly])

    def ftruncate(self, descriptor: int, length: int) -> None:
        """As `os.ftruncate`."""
        if self.full and not self.cuts:
            self.writes += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.real_ftruncate(descriptor, length)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Everything is written there."""
        with (
            mock.patch.object(os, "write", self.write),
            mock.patch.object(os, "ftruncate", self.ftruncate),
        ):
            yield


def as_found_after_a_crash(path: Path, copy: Path) -> list[Entry]:
    """What another process would read if this one died now."""
    shutil.copy(path, copy)
    with mock.patch.object(os, "write", REAL_WRITE), opened(copy, lambda text: None) as journal:
        return journal.unsettled()


def without_gaps(entries: list[Entry]) -> list[Any]:
    """What the client wrote of them."""
    return [(e.number, e.data, [(kind.value, data) for kind, data in e.notes if kind is not Kind.GAP]) for e in entries]


def outage(path: Path, disk: Disk) -> None:
    """
    A life with an outage in it. Step by step: nothing is raised, what is said to be written is there after a crash, and
    after the outage everything is.
    """
    warnings = Warnings()
    history = History()
    steps = LIFE + [(command + 3, kind) for command, kind in LIFE]
    with opened(path, warnings.append) as journal, disk.in_use():
        for at, (number, kind, written) in enumerate(live(journal, steps)):
            history.wrote(number, kind, data_of(steps[at][0], kind))
            entries = as_found_after_a_crash(path, path.with_name("crash"))
            # Who resumes one that was cut short here must not believe that it was never sent.
            assert all(entry.gap for entry in entries if not journal.holds(entry.number))
            found = without_gaps(entries)
            said = [entry for entry in history.unsettled() if journal.holds(entry[0])]
            assert [entry for entry in found if journal.holds(entry[0])] == said
            assert journal.healthy is (found == history.unsettled())
            assert written or not healthy(journal)
            path.with_name("crash").unlink()
        assert disk.writes >= max(disk.failing)
        assert healthy(journal)
        assert found == history.unsettled()
    assert warnings.about("cannot be written") == warnings.about("is written again") == (disk.writes > 0)
    with opened(path) as journal:
        assert plain(journal) == history.unsettled() == after(steps)


@pytest.mark.parametrize("partly", [None, 0, 1, 11, 40])
@pytest.mark.parametrize("cuts", [True, False])
def test_an_outage_at_any_write_is_survived(
    path: Path, partly: int | None, cuts: bool, monkeypatch: pytest.MonkeyPatch, count_cases: Callable[[int], None]
) -> None:
    """For one write and for four; raising, or leaving a part behind, which may not even be cut off for the while."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    cases = [(first, 1) for first in range(2, 16)] + [(first, 4) for first in range(2, 16, 3)]
    for first, length in cases:
        outage(path, Disk(first, length, partly, cuts=cuts))
        path.unlink()
    count_cases(len(cases))


def test_one_outage_is_one_warning_and_the_next_is_another(path: Path) -> None:
    """A bot in trouble must not fill the log as well; and it hears when it is over."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        for _ in range(2):
            with Disk(1, 1000).in_use():
                number = journal.begin({})
                assert not journal.holds(number)
                assert not journal.note(number, Kind.SENDING)
                assert not healthy(journal)
                assert repr(journal) == f"<JournalFile {path} records wait for room>"
            assert journal.note(number, Kind.ANSWER)
            assert journal.holds(number)
            assert healthy(journal)
    assert warnings == [f"journal {path}: {text}" for text in (FULL, "is written again") * 2]


def test_a_command_that_begins_and_settles_in_an_outage_is_forgotten(path: Path) -> None:
    """Nobody has to resume it, so it takes no memory: an outage may last for weeks."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        begun = journal.begin({})
        with Disk(1, 10_000).in_use():
            for _ in range(1000):
                assert list(live(journal, SETTLED))[-1][2]
            assert not journal.note(begun, Kind.DONE)
            assert journal._owed.keys() == {begun}
            assert not journal._live
        journal.close()
    with opened(path) as journal:
        assert journal.unsettled() == []


def test_a_mark_that_cannot_be_taken_away_stays(path: Path) -> None:
    """After an outage the file is rewritten without its mark; until that works, a resumption is careful."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        number = journal.begin({})
        with Disk(1, 2).in_use():
            assert not journal.note(number, Kind.SENDING)
        with mock.patch.object(os, "rename", side_effect=OSError(errno.EACCES, os.strerror(errno.EACCES))):
            assert journal.note(number, Kind.ANSWER)
        assert healthy(journal)
        assert warnings.about("cannot be rewritten") == 1
        [entry] = as_found_after_a_crash(path, path.with_name("crash"))
        assert entry.gap
        assert without_gaps([entry]) == [(number, {}, [("sending", {}), ("answer", {})])]
    with opened(path) as journal:
        assert [entry.gap for entry in journal.unsettled()] == [True]
    assert path.read_bytes()[HEADER_BYTES - 1] == 0


def test_close_gives_the_records_that_wait_a_last_try(path: Path) -> None:
    """Space may have come back since the last record."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        with Disk(1, 100).in_use():
            number = journal.begin({"a": 1})
        journal.close()
    with opened(path) as journal:
        assert plain(journal) == [(number, {"a": 1}, [])]


def test_a_journal_can_be_made_on_a_full_disk(path: Path) -> None:
    """A bot that comes back to cancel everything must come up; its journal begins when there is room."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        pass
    path.unlink()
    with Disk(1, 2).in_use():
        journal = Journal(path, fsync="always").open(account=ACCOUNT, origin=ORIGIN, warn=warnings.append)
        assert not healthy(journal)
        assert not journal.holds(journal.begin({"first": True}))
        assert path.stat().st_size == 0
        assert journal.holds(journal.begin({"second": True}))
        assert healthy(journal)
    journal.close()
    with opened(path) as journal:
        assert [data for _, data, _ in plain(journal)] == [{"first": True}, {"second": True}]


def test_a_torn_end_that_cannot_be_cut_off_while_opening_is_written_behind(path: Path) -> None:
    """A full disk and a crash: the journal opens, and records behind the torn one are found."""
    with opened(path) as journal:
        _ = list(live(journal))
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[: whole - 5])
    warnings = Warnings()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with mock.patch.object(os, "rename", side_effect=full), opened(path, warnings.append) as journal:
        assert warnings.about("ends inside a record") == 1
        number = journal.begin({"behind": True})
        assert journal.holds(number)
    with opened(path, warnings.append) as journal:
        assert plain(journal)[-1] == (number, {"behind": True}, [])
        assert [entry.gap for entry in journal.unsettled()] == [True, True, False]


def test_the_kernel_s_own_short_writes_are_survived(path: Path) -> None:
    """The limit of a process on file sizes gives real partial writes and refusals, without a disk to fill."""
    warnings = Warnings()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(path, warnings.append) as journal:
        before = journal.begin({"before": True})
        size = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, hard))
        try:
            within = journal.begin({"within": "x" * 50})
            held = journal.holds(within)
            length = path.stat().st_size
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (held, length) == (False, size)
        assert journal.note(before, Kind.SENDING)
        assert healthy(journal)
    assert "only 30 of" in warnings[0]
    with opened(path) as journal:
        assert [entry.number for entry in journal.unsettled()] == [before, within]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a small file system")
def test_a_really_full_file_system(tmp_path: Path) -> None:
    """A disk of 64 kB filled to the last byte, and freed again; nothing here is patched."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"needs root that may mount: {mounted.stderr.strip()}")
    try:
        filled_and_freed(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def filled_and_freed(directory: Path) -> None:
    """Fill it while journaling, go on, free it, go on."""
    warnings = Warnings()
    path = directory / "journal"
    with opened(path, warnings.append, max_bytes=20_000, fsync="sending") as journal:
        first = journal.begin({"first": True})
        with (directory / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(100))
        numbers = [journal.begin({"filler": "x" * 200}) for _ in range(60)]
        assert not healthy(journal)
        assert not journal.note(numbers[-1], Kind.SENDING)
        assert warnings.about("cannot be written") == len(warnings) == 1
        (directory / "filler").unlink()
        for number in numbers[20:]:
            _ = journal.note(number, Kind.DONE)
        assert journal.note(first, Kind.SENDING)
        assert healthy(journal)
    with opened(path) as journal:
        assert [entry.number for entry in journal.unsettled()] == [first, *numbers[:20]]


def synced(steps: Callable[[], Any]) -> list[str]:
    """What is waited for during these steps."""
    waited = mock.Mock()
    with mock.patch.object(os, "fdatasync", waited.data, create=True), mock.patch.object(os, "fsync", waited.whole):
        _ = steps()
    return [name for name, _, _ in waited.mock_calls]


@pytest.mark.failure(53)
@pytest.mark.parametrize(("fsync", "data_syncs"), [("never", 0), ("sending", 3), ("always", 10)])
def test_each_mode_waits_for_the_medium_exactly_as_it_says(path: Path, fsync: Fsync, data_syncs: int) -> None:
    """Three of the ten records of the life say SENDING. The names of new files are made to last unless "never"."""
    made = synced(lambda: Journal(path, fsync=fsync).open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail).close())
    assert made == ([] if fsync == "never" else ["data", "whole"])
    with opened(path, fsync=fsync) as journal:
        assert synced(lambda: list(live(journal))) == ["data"] * data_syncs
        # A rewritten file is on the medium before it gets the name, and so is the name, in every mode.
        assert synced(lambda: journal._rewrite()) == ["whole", "whole"]


@pytest.mark.failure(53)
def test_a_sync_that_fails_counts_as_a_write_that_failed(path: Path) -> None:
    """Pages that could not be written are dropped by the kernel: the next sync would say yes without them."""
    warnings = Warnings()
    with opened(path, warnings.append, fsync="sending") as journal:
        number = journal.begin({})
        size = path.stat().st_size
        with mock.patch.object(os, "fdatasync", side_effect=OSError(errno.EIO, os.strerror(errno.EIO))):
            assert not journal.note(number, Kind.SENDING)
            assert not journal.holds(number)
        assert path.stat().st_size == size
        # One for both records, and the two of rewriting, which takes the mark of the outage away.
        assert synced(lambda: journal.note(number, Kind.ANSWER)) == ["data", "whole", "whole"]
        assert journal.holds(number)
    assert warnings.about("Input/output error") == 1
    with opened(path) as journal:
        assert plain(journal) == [(number, {}, [("sending", {}), ("answer", {})])]


def test_a_directory_that_cannot_be_synchronised_stops_nothing(path: Path) -> None:
    """Some file systems refuse it; the journal is there all the same."""
    refused = OSError(errno.EINVAL, "Invalid argument")
    with mock.patch.object(os, "fsync", side_effect=refused), opened(path, fsync="always") as journal:
        assert journal.holds(journal.begin({}))


def test_no_room_even_for_the_name_is_a_usage_error(path: Path) -> None:
    """Then there is no file to be healthy again later: the user decides to go without."""
    real = os.open

    def refuse(name: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(name, flags, *args, **options)

    with mock.patch.object(os, "open", refuse), pytest.raises(UsageError, match="No space left on device"):
        _ = Journal(path).open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail)
