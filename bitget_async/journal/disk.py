"""
The place of a journal: descriptors, permissions and the lock. Nothing here knows what a record is.

The lock is `flock` on the journal itself. A rewritten journal is a new file: it is locked before it gets the name, and
whoever got a lock checks that its file still has the name. A child made by `fork` closes its copies at once, or it
would hold the lock after the death of its parent.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import warnings
import weakref
from pathlib import Path

from bitget_async.errors import UsageError

__all__ = ["SUPPORTED", "Place", "boot_id", "sync_data"]

try:
    import fcntl
except ImportError:  # Windows
    SUPPORTED = False
else:
    SUPPORTED = True

PRIVATE = 0o600
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
OPEN_TRIES = 10
ASIDE_NAMES = 100
NEW = ".rewriting"
DAMAGED = ".damaged"
READ_BYTES = 1 << 20


class Place:
    """
    One locked journal file in its directory.

    The directory stays open: the journal is found again after `chdir`, and after its directory was renamed.

    Attributes:
        file: the descriptor of the journal, -1 when closed.
        warnings: what was put right while opening, in words.
    """

    file = -1
    _directory = -1

    def __init__(self, path: Path) -> None:
        """Raises UsageError, OSError: see `Journal.open`."""
        if not SUPPORTED:
            raise UsageError("a journal needs the file locks and permissions of POSIX, which this system does not have")
        self._name = path.name
        self.warnings: list[str] = []
        _open_places.add(self)
        try:
            self._directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self.file = self._locked()
        except BaseException:
            self.close()
            raise

    def __del__(self) -> None:
        if self.file >= 0:
            warnings.warn(f"unclosed journal {self._name}", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def close(self) -> None:
        """Give the lock and the descriptors back. Safe to call twice."""
        for descriptor in (self.file, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self.file = self._directory = -1

    def read(self, most: int) -> bytes:
        """At most so many bytes, from the start."""
        parts = []
        at = 0
        while at < most and (part := os.pread(self.file, min(most - at, READ_BYTES), at)):
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def overwrite(self, byte: int, at: int) -> None:
        """Change one byte in place. Raises: OSError."""
        # At the end of the file is where Linux puts every write to a descriptor that appends, also with an offset.
        flags = fcntl.fcntl(self.file, fcntl.F_GETFL)
        fcntl.fcntl(self.file, fcntl.F_SETFL, flags & ~os.O_APPEND)
        try:
            os.pwrite(self.file, bytes([byte]), at)
        finally:
            fcntl.fcntl(self.file, fcntl.F_SETFL, flags)

    def sync_directory(self) -> None:
        """Make the name of the file as lasting as its content."""
        with contextlib.suppress(OSError):
            os.fsync(self._directory)

    def replace(self, blob: bytes) -> None:
        """
        Put a new file with that content in the place of the journal, at once or not at all, whatever stops it.

        Raises: OSError; the old file is in use then.
        """
        name, new = self._name, self._name + NEW
        self._check_name()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=self._directory)
        made = os.open(new, _flags() | os.O_CREAT | os.O_EXCL, PRIVATE, dir_fd=self._directory)
        try:
            fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(made, blob)
            os.fsync(made)
            os.rename(new, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except BaseException:
            os.close(made)
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=self._directory)
            raise
        old, self.file = self.file, made
        os.close(old)
        # The new file is in use either way; without this, a crash of the machine may bring the old one back.
        self.sync_directory()

    def keep_aside(self) -> str:
        """
        Give the file as it is a second name, `<name>.damaged`, that stays when the journal is replaced.

        Returns: that name. Raises: OSError.
        """
        for count in range(1, ASIDE_NAMES + 1):
            aside = self._name + DAMAGED + (f".{count}" if count > 1 else "")
            with contextlib.suppress(FileExistsError):
                os.link(
                    self._name, aside, src_dir_fd=self._directory, dst_dir_fd=self._directory, follow_symlinks=False
                )
                return aside
        raise OSError(errno.EEXIST, f"there are {ASIDE_NAMES} damaged journals already")

    def drop_aside(self, aside: str) -> None:
        """Take a name of `keep_aside` away again."""
        with contextlib.suppress(OSError):
            os.unlink(aside, dir_fd=self._directory)

    def _check_name(self) -> None:
        """Whoever moved another file to our name meant something by it: it is not overwritten."""
        with contextlib.suppress(FileNotFoundError):
            if not os.path.samestat(self._named(), os.fstat(self.file)):
                raise OSError(errno.EEXIST, "another file stands in the place of the journal")

    def _named(self) -> os.stat_result:
        return os.stat(self._name, dir_fd=self._directory, follow_symlinks=False)

    def _locked(self) -> int:
        for _ in range(OPEN_TRIES):
            descriptor = self._opened()
            if descriptor is None:
                continue
            try:
                self._lock(descriptor)
                # Between open and lock, the holder may have replaced the file: then this is the lock of a dead one.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(self._named(), os.fstat(descriptor)):
                        self._tighten(descriptor)
                        return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise UsageError("the file is replaced again and again")

    def _opened(self) -> int | None:
        """The file of that name, made if there is none; `None` if it came or went in between."""
        name = self._name
        try:
            self._check_kind(self._named())
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                return os.open(name, _flags() | os.O_CREAT | os.O_EXCL, PRIVATE, dir_fd=self._directory)
            return None
        with contextlib.suppress(FileNotFoundError):
            return os.open(name, _flags(), dir_fd=self._directory)
        return None

    def _check_kind(self, found: os.stat_result) -> None:
        """Raises UsageError. Asked before the file is opened: opening some devices does something already."""
        if stat.S_ISLNK(found.st_mode):
            raise UsageError("a symbolic link is not followed")
        if not stat.S_ISREG(found.st_mode):
            raise UsageError("not a regular file")
        if found.st_uid != os.geteuid():
            raise UsageError("the file belongs to another user")
        if found.st_mode & 0o022:
            raise UsageError("others may write to it; look at it, then `chmod 600`")

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("in use by another client or process") from None

    def _tighten(self, descriptor: int) -> None:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, PRIVATE)
            self.warnings.append("others could read the file; it is mode 600 now")


def boot_id() -> str:
    """Which start of the machine this is; where the system does not tell, another one each time."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return os.urandom(16).hex()


def sync_data(descriptor: int) -> None:
    """Wait until what was written is on the medium, as far as the system can tell."""
    # macOS has no fdatasync.
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _flags() -> int:
    # O_NONBLOCK: should a FIFO appear under the name in the last moment, opening it does not wait for a reader.
    return os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def _write_all(descriptor: int, blob: bytes) -> None:
    rest = memoryview(blob)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


_open_places: weakref.WeakSet[Place] = weakref.WeakSet()


def _close_in_child() -> None:
    for place in list(_open_places):
        place.close()


if SUPPORTED:
    os.register_at_fork(after_in_child=_close_in_child)
