"""A journal that has grown is rewritten with what is unsettled: at once or not at all, whatever stops it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bitget_async.journal import Kind
from bitget_async.journal.file import BATCH_BYTES
from tests.journal.lives import LIFE, Warnings, after, descriptors, live, opened, plain

pytestmark = pytest.mark.failure(53)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal goes."""
    return tmp_path / "bot.journal"


def test_it_stays_small_however_long_the_client_runs(path: Path) -> None:
    """A bot that cancels for months must not fill the disk; what is unsettled stays through every rewriting."""
    with opened(path, max_bytes=4000) as journal:
        _ = list(live(journal))
        for _ in range(300):
            number = journal.begin({"symbol": "ETHUSDT"})
            assert journal.note(number, Kind.SENDING)
            assert journal.note(number, Kind.DONE)
            assert path.stat().st_size < 4200
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)


def test_many_unsettled_entries_do_not_mean_a_rewriting_for_each_record(path: Path) -> None:
    """Ten thousand open handles are more than the limit: rewriting them for each record would cost their square."""
    with opened(path, max_bytes=500) as journal, mock.patch.object(os, "rename", wraps=os.rename) as renames:
        for at in range(600):
            _ = journal.begin({"at": at})
        # Each rewriting needs twice the length of the one before.
        assert renames.call_count <= 8
    with opened(path) as journal:
        assert [entry.data["at"] for entry in journal.unsettled()] == list(range(600))


def test_a_journal_with_nothing_to_drop_is_not_rewritten(path: Path) -> None:
    """Opening costs no wait for the medium when there is no need."""
    with opened(path) as journal:
        _ = journal.begin({})
    with mock.patch.object(os, "rename") as rename, opened(path) as journal:
        assert len(journal.unsettled()) == 1
    assert not rename.called


CALLS = ("open", "write", "fsync", "rename", "unlink", "close", "stat", "fstat")


@contextmanager
def failing(nth: int, error: OSError) -> Iterator[list[str]]:
    """Inside, the nth call to the system fails. Gives the names of the calls so far."""
    seen: list[str] = []

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            seen.append(name)
            if len(seen) == nth and name != "close":
                raise error
            return real(*args, **options)

        return call

    wrappers: dict[str, Any] = {name: wrapped(name, getattr(os, name)) for name in CALLS}
    with mock.patch.multiple(os, **wrappers):
        yield seen


def rewriting(path: Path, nth: int, error: OSError) -> tuple[list[str], Warnings]:
    """Rewrite with the nth call failing, and go on."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        _ = list(live(journal))
        with failing(nth, error) as seen:
            assert journal._rewrite() is not bool(warnings)
        number = journal.begin({"more": True})
        assert journal.holds(number)
        assert journal.note(number, Kind.DONE)
        assert journal.healthy
    return seen, warnings


STEPS = 14


@pytest.mark.parametrize("nth", range(1, STEPS + 1))
def test_a_rewriting_that_fails_at_any_step_loses_nothing(
    path: Path, nth: int, count_cases: Callable[[int], None]
) -> None:
    """A full disk, a directory that may not be written, a lost mount: the old file goes on and a warning says so."""
    before = descriptors()
    for code in (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS):
        seen, warnings = rewriting(path, nth, OSError(code, os.strerror(code)))
        assert len(seen) < STEPS
        # The sync of the directory comes after the new file is in use; an old name that is missing is no fault.
        harmless = nth > len(seen) or seen[nth - 1] in ("close",) or seen[: nth - 1].count("rename") == 1
        assert warnings.about("cannot be rewritten") == (not harmless)
        with opened(path) as journal:
            assert plain(journal) == after(LIFE)
        assert os.listdir(path.parent) == [path.name]
        path.unlink()
    assert descriptors() == before
    count_cases(4)


def test_what_an_earlier_crash_left_beside_it_does_not_stop_a_rewriting(path: Path) -> None:
    """Half a file under the passing name is replaced; it never had the name of the journal."""
    path.with_name("bot.journal.rewriting").write_bytes(b"half a file of an earlier crash")
    with opened(path) as journal:
        _ = list(live(journal))
        assert journal._rewrite()
    assert os.listdir(path.parent) == [path.name]


def test_a_rewriting_that_is_written_in_pieces_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take fewer bytes than it is given: of a new file, the rest follows."""
    real = os.write
    with opened(path) as journal:
        _ = list(live(journal))
        with mock.patch.object(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:100])):
            assert journal._rewrite()
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)


def test_a_failed_rewriting_is_not_tried_again_for_each_record(path: Path) -> None:
    """Each try costs: the next one waits until the file has doubled."""
    warnings = Warnings()
    with (
        opened(path, warnings.append, max_bytes=500) as journal,
        mock.patch.object(os, "rename", side_effect=OSError(errno.EACCES, "Permission denied")),
    ):
        for _ in range(100):
            assert journal.note(journal.begin({}), Kind.DONE)
        assert 3 <= len(warnings) <= 8
        assert set(warnings) == {f"journal {path}: cannot be rewritten (Permission denied); the old file goes on"}


def test_a_rewriting_that_fails_while_opening_keeps_the_damaged_file_in_use(path: Path) -> None:
    """Then the second name is dropped: the damage is still in the journal itself, and the next client tells of it."""
    with opened(path) as journal:
        _ = list(live(journal))
    path.write_bytes(path.read_bytes() + b"junk")
    warnings = Warnings()
    with (
        mock.patch.object(os, "rename", side_effect=OSError(errno.ENOSPC, "No space left on device")),
        opened(path, warnings.append) as journal,
    ):
        assert len(journal.unsettled()) == 2
        assert journal.holds(journal.begin({}))
    assert len(warnings) == 2
    assert os.listdir(path.parent) == [path.name]
    with opened(path, warnings.append) as journal:
        assert len(journal.unsettled()) == 3
    assert sorted(os.listdir(path.parent)) == [path.name, "bot.journal.damaged"]


def test_a_file_put_in_our_place_is_not_overwritten(path: Path) -> None:
    """Somebody moved the journal away and another file there: that file is not ours to replace."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        _ = list(live(journal))
        path.rename(path.with_name("moved"))
        path.write_bytes(b"dear diary")
        assert not journal._rewrite()
        assert warnings.about("another file stands in the place of the journal") == 1
        assert journal.holds(journal.begin({}))
    assert path.read_bytes() == b"dear diary"
    with opened(path.with_name("moved")) as journal:
        assert len(journal.unsettled()) == 3


def test_a_removed_file_comes_back_with_the_next_rewriting(path: Path) -> None:
    """What is unsettled is known in memory as well."""
    with opened(path) as journal:
        _ = list(live(journal))
        path.unlink()
        assert journal._rewrite()
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)


def test_the_new_file_is_locked_before_it_has_the_name(path: Path) -> None:
    """Or a second client could take it in the moment between."""
    calls = mock.Mock()
    with opened(path) as journal:
        calls.attach_mock(mock.Mock(wraps=fcntl.flock), "flock")
        calls.attach_mock(mock.Mock(wraps=os.rename), "rename")
        with mock.patch.object(fcntl, "flock", calls.flock), mock.patch.object(os, "rename", calls.rename):
            assert journal._rewrite()
    order = [name for name, _, _ in calls.mock_calls]
    assert order == ["flock", "rename"]


@pytest.mark.failure(60)
def test_entries_owed_for_long_are_written_in_pieces(path: Path) -> None:
    """After a long outage, thousands of records go into writes of some kilobytes each."""
    warnings = Warnings()
    real = os.write
    sizes: list[int] = []

    def write(descriptor: int, data: bytes) -> int:
        if descriptor == appended_to:
            sizes.append(len(data))
        return real(descriptor, data)

    with opened(path, warnings.append) as journal:
        # After an outage the journal is rewritten as well, in one piece.
        appended_to = journal._place.file
        with mock.patch.object(os, "write", side_effect=OSError(errno.ENOSPC, "No space left on device")):
            numbers = [journal.begin({"filler": "x" * 100}) for _ in range(2000)]
        with mock.patch.object(os, "write", write):
            assert journal.note(numbers[0], Kind.SENDING)
        assert all(journal.holds(number) for number in numbers)
    assert len(sizes) > 3
    assert max(sizes) < 2 * BATCH_BYTES
    with opened(path) as journal:
        assert [entry.number for entry in journal.unsettled()] == numbers
