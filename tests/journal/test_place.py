"""Where a journal may stand, who else may have it, and what opening it leaves behind."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from bitget_async import UsageError
from bitget_async.journal import Journal, disk
from tests.journal.lives import ACCOUNT, LIFE, ORIGIN, SETTLED, Warnings, after, descriptors, live, opened, plain

pytestmark = pytest.mark.failure(54)
# Another program's view of the lock, by the bare system call.
TRY_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("taken", flush=True)
    else:
        print("free", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal goes, in a directory of its own."""
    directory = tmp_path / "state"
    directory.mkdir()
    return directory / "bot.journal"


def refused(path: Path | str, words: str) -> None:
    """A usage error in those words, and no descriptor left open."""
    before = descriptors()
    with pytest.raises(UsageError, match=words):
        _ = Journal(path).open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail)
    assert descriptors() == before


def lock_seen_from_outside(path: Path) -> str:
    """What another process is told about the lock."""
    done = subprocess.run([sys.executable, "-c", TRY_LOCK, str(path)], input="", capture_output=True, text=True)
    return done.stdout.strip()


def test_a_journal_is_private_whatever_the_umask(path: Path) -> None:
    """It holds order ids and symbols: nobody else's business, also after it was rewritten."""
    before = os.umask(0)
    try:
        for _ in range(2):
            with opened(path) as journal:
                assert path.stat().st_mode & 0o777 == 0o600
                assert all(written for _, _, written in live(journal))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_journal_that_others_can_read_is_made_private(path: Path) -> None:
    """A copy or a backup comes back with a wider mode: that is put right and told, it stops nobody."""
    with opened(path) as journal:
        _ = list(live(journal))
    path.chmod(0o644)
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        assert plain(journal) == after(LIFE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert warnings == [f"journal {path}: others could read the file; it is mode 600 now"]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_journal_that_others_can_write_is_refused(path: Path, mode: int) -> None:
    """What others may have written is not resumed before a person has looked at it."""
    with opened(path):
        pass
    path.chmod(mode)
    refused(path, "others may write to it")
    assert path.stat().st_mode & 0o777 == mode


def test_the_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could change it at any time."""
    with opened(path):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    refused(path, "belongs to another user")


def test_links_and_other_kinds_of_files_are_refused(path: Path) -> None:
    """A link could point to any file of the user; a FIFO would wait for a reader for ever."""
    target = path.with_name("target")
    target.write_bytes(b"dear diary")
    path.symlink_to(target)
    refused(path, "symbolic link")
    assert target.read_bytes() == b"dear diary"
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))
    refused(path, "symbolic link")
    assert not path.with_name("nowhere").exists()
    os.mkfifo(path.with_name("fifo"))
    refused(path.with_name("fifo"), "not a regular file")
    refused(path.parent, "not a regular file")
    refused("/dev/null", "not a regular file")


def test_what_the_system_refuses_is_a_usage_error(path: Path) -> None:
    """A missing directory, a file in its place, a name that is too long, no name at all."""
    refused(path.parent / "missing" / "journal", "No such file or directory")
    path.with_name("file").touch()
    refused(path.with_name("file") / "journal", "Not a directory")
    refused(path.with_name("x" * 300), "too long")
    refused("/", "No such file or directory")


def test_a_link_that_appears_in_the_last_moment_is_not_followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the opening, somebody puts a link there."""
    with opened(path):
        pass
    target = path.with_name("target")
    target.write_bytes(b"dear diary")

    def look(found: Any) -> None:
        path.unlink()
        path.symlink_to(target)

    monkeypatch.setattr(disk.Place, "_check_kind", lambda self, found: look(found))
    refused(path, "symbolic links")
    assert target.read_bytes() == b"dear diary"


def test_one_client_at_a_time(path: Path) -> None:
    """Two clients in one process would settle each other's commands; so would two processes."""
    with opened(path) as journal:
        assert lock_seen_from_outside(path) == "taken"
        refused(path, "in use by another client or process")
        assert journal.holds(journal.begin({}))
    assert lock_seen_from_outside(path) == "free"
    with opened(path) as journal:
        assert len(journal.unsettled()) == 1


def test_the_lock_is_on_the_rewritten_file_as_well(path: Path) -> None:
    """A rewritten journal is another file: the lock must not stay behind on the old one."""
    with opened(path, max_bytes=500) as journal, mock.patch.object(os, "rename", wraps=os.rename) as renames:
        while not renames.called:
            _ = list(live(journal, SETTLED))
        assert lock_seen_from_outside(path) == "taken"
        refused(path, "in use")


def test_a_journal_in_use_by_a_process_is_refused_at_once(path: Path) -> None:
    """Not after a wait: a bot that is started twice should hear of it."""
    with opened(path):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", TRY_LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "free\n"
        refused(path, "in use by another client or process")
        _ = other.communicate("")
    with opened(path):
        pass


def replaced_under(path: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Right before we get the lock, the holder replaces the file and goes: so many times."""
    real = fcntl.flock
    left = [times]

    def lock(descriptor: int, operation: int) -> None:
        if left[0]:
            left[0] -= 1
            copy = path.with_name("copy")
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o600)
            copy.rename(path)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock)


def test_the_lock_of_a_replaced_file_is_not_taken_for_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever locked the old file after the holder rewrote it would write where nobody looks."""
    with opened(path) as journal:
        _ = list(live(journal))
    replaced_under(path, monkeypatch, 3)
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)
        assert journal.holds(journal.begin({}))
    with opened(path) as journal:
        assert len(journal.unsettled()) == 3


def test_a_file_that_is_replaced_for_ever_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No loop without an end."""
    with opened(path):
        pass
    replaced_under(path, monkeypatch, 1000)
    refused(path, "again and again")


def test_a_file_that_comes_or_goes_while_it_is_opened_is_looked_at_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by another client between look and creation, removed between look and opening, or right after the lock."""
    real_open, real_flock = os.open, fcntl.flock
    steps = ["made", "removed", "removed after the lock"]

    def open_(name: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if name == path.name and flags & os.O_CREAT and steps[:1] == ["made"]:
            steps.pop(0)
            path.touch(0o600)
        elif name == path.name and steps[:1] == ["removed"]:
            steps.pop(0)
            path.unlink()
        return real_open(name, flags, mode, **options)

    def lock(descriptor: int, operation: int) -> None:
        real_flock(descriptor, operation)
        if steps[:1] == ["removed after the lock"]:
            steps.pop(0)
            path.unlink()

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(fcntl, "flock", lock)
    with opened(path) as journal:
        assert not steps
        assert journal.holds(journal.begin({}))
    assert path.stat().st_size > 72


def test_the_journal_is_found_after_the_directory_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path means the directory at the time of opening, also when the file is rewritten much later."""
    monkeypatch.chdir(path.parent)
    with opened("bot.journal", max_bytes=500) as journal:
        monkeypatch.chdir("/")
        moved = path.parent.rename(path.parent.with_name("moved"))
        for _ in range(10):
            assert all(written for _, _, written in live(journal, SETTLED))
    assert os.listdir(moved) == ["bot.journal"]
    assert (moved / "bot.journal").stat().st_size < 600


def test_no_descriptor_is_left_open(path: Path) -> None:
    """A bot that opens and closes clients for months must not run out of them."""
    before = descriptors()
    for _ in range(10):
        with opened(path, max_bytes=500) as journal:
            _ = list(live(journal))
            assert descriptors() == before + 2
        journal.close()
    assert descriptors() == before


def test_no_descriptor_is_inherited_by_other_programs(path: Path) -> None:
    """A program that a bot starts must not hold the lock when the bot is gone."""
    with opened(path, max_bytes=300) as journal:
        _ = list(live(journal))
        place = journal._place
        assert not os.get_inheritable(place.file)
        assert not os.get_inheritable(place._directory)


@pytest.mark.failure(52)
def test_a_fork_closes_every_journal_of_the_child(path: Path) -> None:
    """What the hook does in the child, seen here: closed, not unlocked, which would take the lock from the parent."""
    before = descriptors()
    with opened(path) as one, opened(path.with_name("other")) as other:
        with mock.patch.object(fcntl, "flock") as lock:
            disk._close_in_child()
        assert (one.closed, other.closed) == (True, True)
        assert not lock.called
        assert descriptors() == before


def test_a_forgotten_journal_is_closed_and_told(path: Path) -> None:
    """Like any file of Python: the lock goes with the object, and a ResourceWarning says that it was forgotten."""
    before = descriptors()
    forgotten = [Journal(path).open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail)]
    with pytest.warns(ResourceWarning, match=r"unclosed journal bot\.journal"):
        forgotten.clear()
    assert descriptors() == before
    with opened(path):
        pass


def test_a_system_without_file_locks_is_told_so_and_can_import_the_package(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows the rest of the package works, and a journal is refused in words instead of half kept."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    spec = importlib.util.spec_from_file_location("disk_without_fcntl", disk.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.SUPPORTED is False
    with pytest.raises(UsageError, match="POSIX"):
        _ = module.Place(path)
    assert not path.exists()


def test_a_file_system_without_locks_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none: without a lock there is no journal."""

    def lock(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", lock)
    refused(path, "No locks available")


def test_data_is_synchronised_where_there_is_no_fdatasync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as macOS, which has fsync only."""
    asked: list[int] = []
    monkeypatch.setattr(disk, "os", SimpleNamespace(fsync=asked.append))
    disk.sync_data(7)
    assert asked == [7]
