"""The guard's file: what the next process finds, and how long ago it was."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from bitget_async.errors import UsageError
from bitget_async.guard import Memory, memory
from bitget_async.journal import disk

WATCH: dict[str, object] = {"stopping": None, "bots": {}}


class Clock:
    """Two clocks that a test sets."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000
        self.ms = 1_750_000_000_000

    def monotonic_ns(self) -> int:
        return self.ns

    def epoch_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


def opened(path: Path, clock: Clock, said: list[str] | None = None) -> Memory:
    """A memory at that place."""
    return Memory(path, clock, (said if said is not None else []).append)


def kept(path: Path, clock: Clock) -> None:
    """Write one, and close it."""
    first = opened(path, clock)
    assert first.left() is None
    assert first.write(WATCH) is True
    first.close()


def test_the_next_process_knows_for_how_long_nobody_listened(tmp_path: Path) -> None:
    """By the monotonic clock, whatever was done to the wall clock."""
    clock = Clock()
    kept(tmp_path / "state", clock)
    clock.ns += 7_000_000_000
    clock.ms -= 3_600_000
    second = opened(tmp_path / "state", clock)
    assert second.left() == (WATCH, 7.0)
    assert second.damaged is False
    assert stat.S_IMODE(os.stat(tmp_path / "state").st_mode) == 0o600
    second.close()


@pytest.mark.parametrize(("wall_ms", "away_s"), [(90_000, 90.0), (0, 0.0), (-1, None)])
def test_after_a_restart_of_the_machine_the_wall_clock_tells(
    wall_ms: int, away_s: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it lies before the last beat, nobody can know."""
    clock = Clock()
    kept(tmp_path / "state", clock)
    monkeypatch.setattr(memory, "boot_id", lambda: "another one")
    clock.ns += 1_000_000_000
    clock.ms += wall_ms
    second = opened(tmp_path / "state", clock)
    assert second.left() == (WATCH, away_s)
    second.close()


def test_the_same_moment_is_known_though_the_wall_clock_was_set_back(tmp_path: Path) -> None:
    """A supervisor can be quick: no time away is a time that is known, and no reason to ask the wall clock."""
    clock = Clock()
    kept(tmp_path / "state", clock)
    clock.ms -= 1
    second = opened(tmp_path / "state", clock)
    assert second.left() == (WATCH, 0.0)
    second.close()


def test_what_is_written_says_its_version(tmp_path: Path) -> None:
    """A guard of a later version must be able to tell it apart."""
    kept(tmp_path / "state", Clock())
    whole = json.loads((tmp_path / "state").read_bytes())
    assert (whole["v"], whole["monotonic_ns"], whole["epoch_ms"]) == (1, 5_000_000_000, 1_750_000_000_000)


def test_a_monotonic_clock_that_went_back_is_not_believed(tmp_path: Path) -> None:
    """A container that was moved to another machine keeps its boot id in some systems."""
    clock = Clock()
    kept(tmp_path / "state", clock)
    clock.ns = 1
    clock.ms += 4_000
    second = opened(tmp_path / "state", clock)
    assert second.left() == (WATCH, 4.0)
    second.close()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"v":2,"watch":{}}',
        b'{"v":1,"watch":[],"boot":"x","monotonic_ns":1,"epoch_ms":1}',
        b'{"v":1,"watch":{},"boot":7,"monotonic_ns":1,"epoch_ms":1}',
        b'{"v":1,"watch":{},"boot":"x","monotonic_ns":"1","epoch_ms":1}',
        b'{"v":1,"watch":{},"boot":"x","monotonic_ns":1,"epoch_ms":null}',
        b"\0" * 200,
    ],
)
def test_a_file_that_cannot_be_read_is_damaged_and_kept(content: bytes, tmp_path: Path) -> None:
    """Whether bots were armed is not known then, and that must not be taken for "none was"."""
    path = tmp_path / "state"
    path.write_bytes(content)
    path.chmod(0o600)
    found = opened(path, Clock())
    assert found.damaged is True
    assert found.left() is None
    assert "state.damaged" in found.keep_aside()
    assert found.write(WATCH) is True
    found.close()
    assert (tmp_path / "state.damaged").read_bytes() == content
    assert json.loads(path.read_bytes())["watch"] == WATCH


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    """It was made, and the guard died before it wrote."""
    path = tmp_path / "state"
    path.touch(0o600)
    found = opened(path, Clock())
    assert found.damaged is False
    found.close()


def test_two_guards_cannot_share_one(tmp_path: Path) -> None:
    """They would stop the account twice, and overwrite what the other one knows."""
    first = opened(tmp_path / "state", Clock())
    with pytest.raises(UsageError, match="in use"):
        _ = opened(tmp_path / "state", Clock())
    first.close()


@pytest.mark.parametrize("kind", ["link", "directory", "no directory"])
def test_a_place_that_is_none_is_refused(kind: str, tmp_path: Path) -> None:
    """In words that name it."""
    path = tmp_path / "state"
    if kind == "link":
        path.symlink_to(tmp_path / "other")
    elif kind == "directory":
        path.mkdir()
    else:
        path = tmp_path / "nowhere" / "state"
    with pytest.raises(UsageError, match="state file"):
        _ = opened(path, Clock())


def test_a_full_disk_stops_no_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, once more when there is room, and anew when it is full again."""
    said: list[str] = []
    found = opened(tmp_path / "state", Clock(), said)

    def full(self: Any, blob: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk.Place, "replace", full)
        assert [found.write(WATCH), found.write(WATCH)] == [False, False]
    assert [found.write(WATCH), found.write(WATCH)] == [True, True]
    with monkeypatch.context() as patch:
        patch.setattr(disk.Place, "replace", full)
        assert found.write(WATCH) is False
    assert ["cannot be written" in text for text in said] == [True, False, True]
    assert "is written again" in said[1]
    found.close()


def test_a_file_that_others_could_read_is_said(tmp_path: Path) -> None:
    """And is private from then on."""
    path = tmp_path / "state"
    kept(path, Clock())
    path.chmod(0o644)
    said: list[str] = []
    opened(path, Clock(), said).close()
    assert len(said) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file_that_cannot_be_kept_aside_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard begins all the same."""
    path = tmp_path / "state"
    path.write_bytes(b"{")
    path.chmod(0o600)
    found = opened(path, Clock())

    def refused(self: Any) -> str:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(disk.Place, "keep_aside", refused)
    assert found.keep_aside() == "it could not be kept aside (Operation not permitted)"
    found.close()
