"""
The file in which a guard keeps what its next process must know: who is armed, since when nobody was heard, and whether
a stop is under way. Mode 600, locked: two guards cannot share one. Replaced as a whole, at once or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from bitget_async.clock import Clock
from bitget_async.errors import UsageError
from bitget_async.journal.disk import Place, boot_id

__all__ = ["Memory"]

VERSION = 1
MOST_BYTES = 1 << 20
NS = 1_000_000_000


class Memory:
    """
    The open file of one guard.

    Args:
        path: the file; made if there is none.
        clock: gives the moments that are written with it.
        warn: told in words what is wrong, but stops nothing.

    Attributes:
        damaged: there is something in the file that cannot be read: whether bots were armed is not known.

    Raises:
        UsageError: it is in use, a link, no regular file, of another user, or writable for others; or the system
            refuses.
    """

    def __init__(self, path: str | os.PathLike[str], clock: Clock, warn: Callable[[str], None]) -> None:
        self._clock = clock
        self._warn = warn
        self._complained = False
        self._boot = boot_id()
        whole = Path(os.path.abspath(path))
        try:
            self._place = Place(whole)
        except OSError as error:
            raise UsageError(f"state file {whole}: {error.strerror or error}") from error
        except UsageError as error:
            raise UsageError(f"state file {whole}: {error}") from None
        for text in self._place.warnings:
            warn(f"state file {whole}: {text}")
        self.path = whole
        raw = self._place.read(MOST_BYTES)
        self._left = _read(raw)
        self.damaged = bool(raw) and self._left is None

    def left(self) -> tuple[dict[str, Any], float | None] | None:
        """
        What an earlier process wrote last, and how many seconds ago; `None` seconds if nobody can know. By the
        monotonic clock, if the machine was not started anew since; otherwise by the wall clock, which may have been
        set: a time that lies ahead is not known.
        """
        if self._left is None:
            return None
        past_ns = self._clock.monotonic_ns() - self._left["monotonic_ns"]
        if self._left["boot"] == self._boot and past_ns >= 0:
            return self._left["watch"], past_ns / NS
        past_ms = self._clock.epoch_ms() - self._left["epoch_ms"]
        return self._left["watch"], None if past_ms < 0 else past_ms / 1000

    def keep_aside(self) -> str:
        """Give a damaged file a second name, which stays; in words, how that went. Never raises."""
        try:
            return f"it is kept as {self._place.keep_aside()}"
        except OSError as error:
            return f"it could not be kept aside ({error.strerror})"

    def write(self, watch: Mapping[str, Any]) -> bool:
        """Write what the next process must know. Returns whether it stands there. Never raises."""
        whole = {
            "v": VERSION,
            "boot": self._boot,
            "monotonic_ns": self._clock.monotonic_ns(),
            "epoch_ms": self._clock.epoch_ms(),
            "watch": watch,
        }
        try:
            self._place.replace(orjson.dumps(whole))
        except OSError as error:
            if not self._complained:
                self._complained = True
                self._warn(
                    f"state file {self.path}: cannot be written ({error.strerror}); the guard goes on, and a restart "
                    "would know less"
                )
            return False
        if self._complained:
            self._complained = False
            self._warn(f"state file {self.path}: is written again")
        return True

    def close(self) -> None:
        """Give the lock back."""
        self._place.close()


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(whole, dict) or whole.get("v") != VERSION or not isinstance(whole.get("watch"), dict):
        return None
    numbers = type(whole.get("monotonic_ns")) is int and type(whole.get("epoch_ms")) is int
    return whole if numbers and isinstance(whole.get("boot"), str) else None
