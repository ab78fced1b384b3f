"""The open journal: entries and numbers, who may open it, and what it does with a damaged file."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from bitget_async import UsageError
from bitget_async.journal import Fsync, Journal, Kind, disk
from bitget_async.journal.records import HEADER_BYTES, Header
from tests.journal.lives import ACCOUNT, LIFE, ORIGIN, History, Warnings, after, data_of, live, opened, plain

pytestmark = pytest.mark.failure(53, 54)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal goes."""
    return tmp_path / "bot.journal"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the medium: for tests that open hundreds of journals."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def lived(path: Path) -> bytes:
    """The file of a whole life, as a killed process leaves it."""
    with opened(path) as journal:
        assert all(written for _, _, written in live(journal))
    return path.read_bytes()


def test_what_was_not_settled_is_there_again(path: Path) -> None:
    """The point of the whole: another process finds commands, and what was known of them, in order."""
    with opened(path) as journal:
        assert journal.unsettled() == []
        assert all(written for _, _, written in live(journal))
        assert journal.healthy
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)
        assert [entry.gap for entry in journal.unsettled()] == [False, False]
        assert all(journal.holds(entry.number) for entry in journal.unsettled())


def test_a_record_is_one_write_and_no_other_call(path: Path) -> None:
    """A killed process leaves all of it or nothing; and each further call would be paid by every command."""
    calls = mock.Mock()
    names = ("write", "ftruncate", "fstat", "stat", "fsync", "open")
    with opened(path) as journal, ExitStack() as patches:
        for name in names:
            calls.attach_mock(mock.Mock(wraps=getattr(os, name)), name)
            _ = patches.enter_context(mock.patch.object(os, name, getattr(calls, name)))
        _ = list(live(journal))
    assert [name for name, _, _ in calls.mock_calls] == ["write"] * len(LIFE)


def test_resumed_entries_are_noted_and_settled_like_new_ones(path: Path) -> None:
    """A second crash, while resuming, must find what the first resumption learned."""
    _ = lived(path)
    with opened(path) as journal:
        assert journal.note(1, Kind.ANSWER, {"second": True})
        assert journal.note(3, Kind.DONE)
        assert [entry.number for entry in journal.unsettled()] == [1]
    with opened(path) as journal:
        [(number, _, notes)] = plain(journal)
        assert (number, notes[-1]) == (1, ("answer", {"second": True}))


def test_numbers_are_never_used_again(path: Path) -> None:
    """Also when the entry that had the highest was settled and the file was rewritten without it."""
    seen: set[int] = set()
    for _ in range(4):
        with opened(path) as journal:
            numbers = [journal.begin({}) for _ in range(3)]
            for number in numbers:
                assert journal.note(number, Kind.DONE)
        assert not seen & set(numbers)
        seen |= set(numbers)
        with opened(path):
            pass
    assert path.stat().st_size < 1000


def test_a_settled_or_unknown_number_is_not_noted(path: Path) -> None:
    """It says so, and the file holds nothing of it."""
    with opened(path) as journal:
        number = journal.begin({})
        assert journal.note(number, Kind.DONE)
        size = path.stat().st_size
        assert not journal.note(number, Kind.ANSWER)
        assert not journal.note(99, Kind.SENDING)
        assert not journal.holds(number)
        assert path.stat().st_size == size


def test_after_close_nothing_is_written_and_nothing_raised(path: Path) -> None:
    """A handle that settles after the client was closed must not fail for the journal."""
    with opened(path) as journal:
        number = journal.begin({})
        journal.close()
        assert journal.closed
        assert not journal.healthy
        assert not journal.note(number, Kind.DONE)
        assert not journal.note(journal.begin({}), Kind.SENDING)
        assert repr(journal) == f"<JournalFile {path} closed>"
    with opened(path) as journal:
        assert [entry.number for entry in journal.unsettled()] == [number]


def test_the_state_shows(path: Path) -> None:
    """`repr` names the file and how it is, and nothing of the account."""
    with opened(path) as journal:
        assert repr(journal) == f"<JournalFile {path} healthy>"
        assert ACCOUNT not in repr(journal)


@pytest.mark.parametrize("data", [{"secret": "s"}, {"x": object()}, {"x": "x" * (1 << 20)}])
def test_what_cannot_be_written_stops_nothing(path: Path, data: dict[str, Any]) -> None:
    """The entry is not journaled, or has a gap where the record would be; commands go on, and a warning says why."""
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        unwritten, partly, settled = journal.begin(data), journal.begin({}), journal.begin({})
        assert not journal.holds(unwritten)
        assert not journal.note(unwritten, Kind.SENDING)
        assert journal.note(partly, Kind.ANSWER, data)
        assert journal.note(settled, Kind.DONE, data)
        assert warnings.about("left out") == 3
        assert journal.healthy
    with opened(path) as journal:
        assert plain(journal) == [(partly, {}, [("gap", {})])]
        assert journal.unsettled()[0].gap


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["begin", "reopen", *Kind]), st.integers()), max_size=25))
def test_any_life_is_remembered(tmp_path_factory: Any, quick: None, steps: list[tuple[int, str, int]]) -> None:
    """Any order of commands, crashes and rewriting leaves what the plain list of what was written leaves."""
    path = tmp_path_factory.mktemp("life") / "journal"
    history = History()
    journal = Journal(path, max_bytes=300).open(account=ACCOUNT, origin=ORIGIN, warn=lambda text: pytest.fail(text))
    for which, step, value in steps:
        open_numbers = list(history.entries)
        if step == "reopen":
            journal.close()
            journal = Journal(path, max_bytes=300).open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail)
            assert plain(journal) == history.unsettled()
        elif step in ("begin", "intent"):
            history.wrote(journal.begin({"v": str(value)}), "intent", {"v": str(value)})
        elif open_numbers:
            number = open_numbers[which % len(open_numbers)]
            assert journal.note(number, Kind(step), {"v": str(value)})
            history.wrote(number, step, {"v": str(value)})
    journal.close()
    with opened(path) as again:
        assert plain(again) == history.unsettled()


def test_every_seventh_cut_of_a_file_is_opened(path: Path, quick: None, count_cases: Callable[[int], None]) -> None:
    """Through the front door: the whole records count, the torn one is reported and gone, and appending goes on."""
    blob = lived(path)
    ends = [HEADER_BYTES]
    while (end := blob.find(b"\xf5\xfa\xf7\xff", ends[-1] + 1)) > 0:
        ends.append(end)
    ends = [*ends[:1], *ends[1:], len(blob)]
    cuts = range(HEADER_BYTES, len(blob) + 1, 7)
    for cut in cuts:
        path.write_bytes(blob[:cut])
        whole = sum(end <= cut for end in ends) - 1
        warnings = Warnings()
        with opened(path, warnings.append) as journal:
            found = [(n, d, [note for note in notes if note != ("gap", {})]) for n, d, notes in plain(journal)]
            assert found == after(LIFE[:whole]), cut
            assert warnings.about("ends inside a record") == (cut not in ends)
            assert [e.gap for e in journal.unsettled()] == [cut not in ends] * len(found)
            number = journal.begin({"after": cut})
        with opened(path) as journal:
            assert plain(journal)[-1] == (number, {"after": cut}, [])
            assert len(plain(journal)) == len(found) + 1
    count_cases(len(cuts))
    assert os.listdir(path.parent) == [path.name]


@pytest.fixture
def restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Starts the machine anew, as far as the system tells."""
    told = tmp_path / "boot_id"
    monkeypatch.setattr(disk, "BOOT_ID", told)
    starts = iter(range(100))

    def again() -> None:
        told.write_text(f"start {next(starts)}\n")

    again()
    return again


def gaps(path: Path, **settings: Any) -> list[bool]:
    """Open it; of each unsettled entry, whether records may be missing."""
    with opened(path, **settings) as journal:
        return [entry.gap for entry in journal.unsettled()]


def test_after_a_power_cut_records_may_be_missing_unless_they_were_waited_for(
    path: Path, restart: Callable[[], None]
) -> None:
    """The intent may have reached the medium and the sending not: "never sent" would be wrong, and is not said."""
    _ = lived(path)
    assert gaps(path) == [False, False]
    restart()
    assert gaps(path) == [True, True]
    # Nor is it forgotten when the file is opened once more.
    assert gaps(path) == [True, True]
    path.unlink()
    lasting: list[Fsync] = ["sending", "always"]
    for fsync in lasting:
        with opened(path, fsync=fsync) as journal:
            _ = list(live(journal))
        restart()
        assert gaps(path, fsync=fsync) == [False, False]
        path.unlink()


def test_a_journal_that_changes_its_mode_is_believed_as_far_as_it_lasts(
    path: Path, restart: Callable[[], None]
) -> None:
    """Opening with another mode rewrites the file, which waits for the medium: what stood there lasts from then on."""
    _ = lived(path)
    assert gaps(path, fsync="sending") == [False, False]
    restart()
    assert gaps(path, fsync="never") == [False, False]
    restart()
    assert gaps(path, fsync="sending") == [True, True]


def test_a_mode_that_cannot_be_written_down_is_taken_for_the_weaker_one(
    path: Path, restart: Callable[[], None]
) -> None:
    """The file says that its records outlast the machine, and new ones do not: then all of them are doubted."""
    with opened(path, fsync="sending") as journal:
        _ = list(live(journal))
    warnings = Warnings()
    full = OSError(28, "No space left on device")
    with mock.patch.object(os, "rename", side_effect=full), opened(path, warnings.append) as journal:
        assert [entry.gap for entry in journal.unsettled()] == [False, False]
    assert warnings.about("cannot be rewritten") == 1
    assert gaps(path, fsync="sending") == [True, True]


def test_a_system_that_does_not_tell_its_starts_is_doubted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux tells; elsewhere each opening could be after a power cut, unless records were waited for."""
    monkeypatch.setattr(disk, "BOOT_ID", path.with_name("missing"))
    _ = lived(path)
    assert gaps(path) == [True, True]
    path.unlink()
    with opened(path, fsync="sending") as journal:
        _ = list(live(journal))
    assert gaps(path, fsync="sending") == [False, False]


def test_a_damaged_middle_is_kept_aside_and_the_rest_is_used(path: Path) -> None:
    """Nothing is dropped in silence: what can be read counts, and the file as it was is there to look at."""
    blob = lived(path)
    at = blob.index(b'"sending"')
    damaged = blob[:at] + b"#" + blob[at + 1 :]
    path.write_bytes(damaged)
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        # The first command's "sending" is lost; the third began after the damage and has no gap.
        [first, third] = journal.unsettled()
        assert [kind.value for kind, _ in first.notes] == ["answer", "orders", "gap"]
        assert (first.gap, third.gap) == (True, False)
        assert third.data == data_of(3, "intent")
    [text] = warnings
    assert "1 damaged stretches" in text
    assert text.endswith("kept as bot.journal.damaged")
    aside = path.with_name("bot.journal.damaged")
    assert aside.read_bytes() == damaged
    assert aside.stat().st_mode & 0o777 == 0o600
    # The gap is remembered when the damage is not there any more.
    with opened(path) as journal:
        assert [entry.gap for entry in journal.unsettled()] == [True, False]


def test_an_earlier_damaged_file_is_not_overwritten(path: Path) -> None:
    """The second accident must not destroy what is left of the first."""
    blob = lived(path)
    for name in ("bot.journal.damaged", "bot.journal.damaged.2"):
        path.write_bytes(blob + b"junk" + blob[HEADER_BYTES:])
        warnings = Warnings()
        with opened(path, warnings.append):
            assert warnings.about(name) == 1
    assert path.with_name("bot.journal.damaged").stat().st_ino != path.with_name("bot.journal.damaged.2").stat().st_ino


def test_a_file_that_cannot_be_kept_aside_is_used_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without second names: the damage stays in the file, and records before and behind it count."""
    blob = lived(path)
    path.write_bytes(blob + b"junk")

    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    for round_ in (1, 2):
        warnings = Warnings()
        with opened(path, warnings.append) as journal:
            assert warnings.about("stays where it is") == 1
            assert len(journal.unsettled()) == 1 + round_
            number = journal.begin({"later": True})
            assert journal.holds(number)
    assert path.read_bytes().startswith(blob + b"junk")


def test_a_hundred_damaged_files_are_enough(path: Path) -> None:
    """Whoever damages the file again and again does not fill the disk with copies."""
    blob = lived(path)
    path.write_bytes(blob + b"junk")
    for count in range(1, 101):
        path.with_name("bot.journal.damaged" + (f".{count}" if count > 1 else "")).touch()
    warnings = Warnings()
    with opened(path, warnings.append):
        assert warnings.about("100 damaged journals already") == 1


def test_a_command_whose_first_record_is_lost_is_told(path: Path) -> None:
    """Nobody can resume it, for nobody knows its symbol: but a person must hear that there was one."""
    blob = lived(path)
    at = blob.index(b"SYM3USDT")
    path.write_bytes(blob[:at] + b"#" + blob[at + 1 :])
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        assert [entry.number for entry in journal.unsettled()] == [1]
        assert warnings.about("the first record of 1 commands is lost") == 1
        assert journal.begin({}) == 4


def untouched(path: Path, words: str, *, account: str = ACCOUNT, origin: str = ORIGIN) -> None:
    """Opening is refused in those words, names the file, and leaves it as it was."""
    before = (path.read_bytes(), path.stat().st_mode, path.stat().st_ino, path.stat().st_mtime_ns)
    with pytest.raises(UsageError, match=words) as caught:
        _ = Journal(path).open(account=account, origin=origin, warn=pytest.fail)
    assert str(path) in str(caught.value)
    assert ACCOUNT not in str(caught.value)
    assert (path.read_bytes(), path.stat().st_mode, path.stat().st_ino, path.stat().st_mtime_ns) == before
    assert os.listdir(path.parent) == [path.name]


def test_a_foreign_journal_is_refused_and_left_alone(path: Path) -> None:
    """To resume another account's commands would ask the wrong exchange, or the wrong account, and settle them."""
    _ = lived(path)
    untouched(path, "another account", account="7411236986")
    untouched(path, "another origin", origin="http://127.0.0.1:8080")
    with opened(path) as journal:
        assert plain(journal) == after(LIFE)


def test_another_format_is_refused_and_left_alone(path: Path) -> None:
    """An older package must not take the journal of a newer one apart."""
    blob = lived(path)
    path.write_bytes(blob[:8] + (2).to_bytes(4) + blob[12:])
    untouched(path, "format 2, this version of the package reads format 1")


def test_a_header_without_a_usable_number_is_damaged(path: Path) -> None:
    """A number that no record can hold would make every later entry unreadable."""
    for number in (0, 1 << 53):
        path.write_bytes(structs.replace(Header.of(bytes(16), ACCOUNT, ORIGIN), next_number=number).encode())
        path.chmod(0o600)
        untouched(path, "header of the journal is damaged")


@pytest.mark.parametrize(
    "content",
    [b"\0" * 100, b"# my notes\n", b"\x89PNG\r\n\x1a\n" + b"x" * 100, b"{}" * 500, b"\x89BGJ\r\n\x1a\nx" + b"y" * 99],
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    """A slip in a setting must not cost the file that was named by mistake."""
    path.write_bytes(content)
    path.chmod(0o600)
    untouched(path, "journal")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, HEADER_BYTES))
def test_garbage_is_refused_or_read_but_never_raises_anything_else(
    path: Path, quick: None, junk: bytes, kept: int
) -> None:
    """Behind any part of a real header: a usage error, or an open journal without entries."""
    path.write_bytes(Header.of(b"0123456789abcdef", ACCOUNT, ORIGIN).encode()[:kept] + junk)
    path.chmod(0o600)
    try:
        with opened(path, lambda text: None) as journal:
            assert journal.unsettled() == []
            assert journal.holds(journal.begin({}))
    except UsageError:
        assert kept < HEADER_BYTES


@pytest.mark.parametrize("length", [0, 1, 8, 40, HEADER_BYTES - 1])
def test_a_journal_whose_making_was_interrupted_is_made_anew(path: Path, length: int) -> None:
    """No record can stand in it: a record comes after the whole header."""
    path.write_bytes(Header.of(bytes(16), "somebody", "else").encode()[:length])
    path.chmod(0o600)
    warnings = Warnings()
    with opened(path, warnings.append) as journal:
        assert warnings.about("made anew") == (length > 0)
        assert journal.begin({"a": 1}) == 1
    with opened(path) as journal:
        assert plain(journal) == [(1, {"a": 1}, [])]


def test_a_file_too_long_to_be_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is bounded before anything is taken apart."""
    _ = lived(path)
    monkeypatch.setattr("bitget_async.journal.file.READ_LIMIT", 500)
    journal = Journal(path, max_bytes=250)
    with pytest.raises(UsageError, match="longer than 500 bytes"):
        _ = journal.open(account=ACCOUNT, origin=ORIGIN, warn=pytest.fail)


@pytest.mark.parametrize(
    "options", [{"fsync": "sometimes"}, {"max_bytes": 0}, {"max_bytes": 1 << 40}, {"path": 7}, {"path": "a\0b"}]
)
def test_settings_are_checked_when_they_are_made(options: dict[str, Any]) -> None:
    """Not when the first cancellation is under way."""
    with pytest.raises(UsageError):
        _ = Journal(**{"path": "journal", **options})
