"""
The bytes of a journal: one header, then records. Pure: bytes in, records out.

    header   magic (8), version (u32), salt (16), mark of the account (16), of the origin (16), of the start of the
             machine (16), number of the next entry (u64), CRC-32 of all that; big-endian. And one byte that is not
             zero once a record could not be written: it is set in place, which a full disk allows. 89 bytes
    record   marker F5 FA F7 FF, length of the payload (u32), CRC-32 (u32), payload

A payload is JSON in UTF-8, `{"entry": 7, "kind": "sending", "data": {...}}`. No byte of the marker occurs in UTF-8,
so the next record can be found behind any damage, and none is ever found inside another. The CRC covers length and
payload and starts from the salt: records of another journal do not count here.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from zlib import crc32

import msgspec
import orjson

from bitget_async.errors import UsageError

__all__ = [
    "HEADER_BYTES",
    "Entry",
    "Header",
    "Kind",
    "NotARecordError",
    "Record",
    "Scan",
    "encode",
    "scan",
    "seal",
    "torn_header",
]

MAGIC = b"\x89BGJ\r\n\x1a\n"
VERSION = 1
MARKER = b"\xf5\xfa\xf7\xff"
NO_MARK = bytes(16)
MAX_PAYLOAD_BYTES = 1 << 20
MAX_NUMBER = (1 << 53) - 1
HEADER = struct.Struct(">8sI16s16s16s16sQ")
HEADER_BYTES = HEADER.size + 5
FRAME = struct.Struct(">4sII")
SECRET_NAMES = {
    *("accesskey", "accesspassphrase", "accesssign", "apikey", "apisecret", "authorization", "passphrase"),
    *("privatekey", "secret", "secretkey", "sign", "signature"),
}


class Kind(StrEnum):
    """
    What a record says about its entry.

    INTENT opens the entry. SENDING: the first byte is about to leave. ANSWER: what the exchange replied. ORDERS: ids
    that belong to it. GAP: records of it may be missing here. DONE: settled; the entry is dropped.
    """

    INTENT = "intent"
    SENDING = "sending"
    ANSWER = "answer"
    ORDERS = "orders"
    GAP = "gap"
    DONE = "done"


class NotARecordError(AssertionError):
    """What should be written cannot be a record: a defect of the caller. Reported, never raised into a command."""


class Entry(msgspec.Struct, frozen=True):
    """
    One command that an earlier process began and did not settle.

    Attributes:
        number: what `begin` returned for it; `note` takes it on.
        data: what `begin` was given.
        notes: (kind, data) in the order of writing.
    """

    number: int
    data: dict[str, Any]
    notes: list[tuple[Kind, dict[str, Any]]] = msgspec.field(default_factory=list)

    @property
    def gap(self) -> bool:
        """Whether records of it may be missing: then that there is no SENDING proves nothing."""
        return any(kind is Kind.GAP for kind, _ in self.notes)


class Record(msgspec.Struct, frozen=True):
    """One whole record: where it begins in the file, its bytes, and what they say."""

    at: int
    raw: bytes
    number: int
    kind: Kind
    data: dict[str, Any]


class Scan(msgspec.Struct, frozen=True):
    """
    Everything that can be read.

    Attributes:
        records: the whole records, in the order of the file.
        damaged: (from, to) of stretches that are no record.
        torn_at: where a record begins that the end of the file cuts off, or `None`.
    """

    records: list[Record]
    damaged: list[tuple[int, int]]
    torn_at: int | None

    @property
    def last_loss(self) -> int:
        """Where the last lost stretch begins; -1 if nothing was lost."""
        lost = [begin for begin, _ in self.damaged] + ([] if self.torn_at is None else [self.torn_at])
        return max(lost, default=-1)


class Header(msgspec.Struct, frozen=True):
    """
    Whose journal it is. Account and origin stand in it as salted hashes: they are recognised, not shown. That hides a
    UID from a look, not from somebody who has the file and tries every UID.
    """

    salt: bytes
    account_mark: bytes
    origin_mark: bytes
    boot_mark: bytes
    next_number: int = 1
    incomplete: bool = False

    @classmethod
    def of(cls, salt: bytes, account: str, origin: str, boot: str = "") -> Header:
        """The header for that account at that origin; for `boot` see `started`."""
        return cls(salt, _mark(salt, "account", account), _mark(salt, "origin", origin), NO_MARK).started(boot)

    def encode(self) -> bytes:
        """The 89 bytes."""
        marks = (self.account_mark, self.origin_mark, self.boot_mark)
        head = HEADER.pack(MAGIC, VERSION, self.salt, *marks, self.next_number)
        return head + crc32(head).to_bytes(4) + bytes([self.incomplete])

    @classmethod
    def decode(cls, blob: bytes) -> Header:
        """Raises UsageError: no journal, of another version, or damaged so that nobody can tell whose it is."""
        if blob[: len(MAGIC)] != MAGIC:
            raise UsageError("the file is no journal of this package")
        if len(blob) < HEADER_BYTES:
            raise UsageError("the header of the journal is cut off")
        _, version, salt, account_mark, origin_mark, boot_mark, next_number = HEADER.unpack_from(blob)
        if version != VERSION:
            raise UsageError(f"the journal has format {version}, this version of the package reads format {VERSION}")
        whole = crc32(blob[: HEADER.size]) == int.from_bytes(blob[HEADER.size : HEADER.size + 4])
        if not whole or not 0 < next_number <= MAX_NUMBER:
            raise UsageError("the header of the journal is damaged")
        return cls(salt, account_mark, origin_mark, boot_mark, next_number, blob[HEADER_BYTES - 1] != 0)

    def started(self, boot: str) -> Header:
        """The header for records that last while the machine runs that started as `boot`; with "" they outlast it."""
        return msgspec.structs.replace(self, boot_mark=_mark(self.salt, "boot", boot) if boot else NO_MARK)

    def may_lack(self, boot: str) -> bool:
        """Whether records may be missing: one could not be written, or the machine was started anew since."""
        return self.incomplete or self.boot_mark not in (NO_MARK, self.started(boot).boot_mark)

    def check(self, account: str, origin: str) -> None:
        """Raises UsageError: it belongs to another account or to another origin."""
        if not hmac.compare_digest(self.account_mark, _mark(self.salt, "account", account)):
            raise UsageError("the journal belongs to another account")
        if not hmac.compare_digest(self.origin_mark, _mark(self.salt, "origin", origin)):
            raise UsageError("the journal belongs to another origin (exchange address)")

    @property
    def seed(self) -> int:
        """Where the CRC of every record of this journal starts."""
        return crc32(self.salt)


def torn_header(blob: bytes) -> bool:
    """Whether these are the first bytes of a header and nothing else: a crash while the journal was created."""
    return len(blob) < HEADER_BYTES and blob[: len(MAGIC)] == MAGIC[: len(blob)]


def encode(number: int, kind: Kind, data: Mapping[str, Any]) -> bytes:
    """
    The payload of a record.

    Raises: NotARecordError: a name in it says that a secret stands there, it is no JSON, or it is too long.
    """
    try:
        payload = orjson.dumps(
            {"entry": number, "kind": kind.value, "data": dict(data)}, option=orjson.OPT_PASSTHROUGH_DATACLASS
        )
    except TypeError as error:
        raise NotARecordError(f"a journal record must be JSON: {error}") from None
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise NotARecordError(f"a journal record of {len(payload)} bytes is too long, {MAX_PAYLOAD_BYTES} are allowed")
    # After the encoder, which bounds the depth.
    _refuse_secrets(data)
    return payload


def seal(payload: bytes, seed: int) -> bytes:
    """The whole record around that payload."""
    return FRAME.pack(MARKER, len(payload), _crc(payload, seed)) + payload


def scan(blob: bytes, start: int, seed: int) -> Scan:
    """Every whole record from `start` on. What lies between two of them is damage."""
    records: list[Record] = []
    damaged: list[tuple[int, int]] = []
    at = start
    while at < len(blob):
        record = _record_at(blob, at, seed)
        if record is not None:
            records.append(record)
            at += len(record.raw)
            continue
        following = _next_record(blob, at + 1, seed)
        if following is None and _torn(blob, at):
            return Scan(records, damaged, at)
        end = len(blob) if following is None else following
        damaged.append((at, end))
        at = end
    return Scan(records, damaged, None)


def _record_at(blob: bytes, at: int, seed: int) -> Record | None:
    if not blob.startswith(MARKER, at) or len(blob) - at < FRAME.size:
        return None
    _, length, crc = FRAME.unpack_from(blob, at)
    begin, end = at + FRAME.size, at + FRAME.size + length
    # A stretch with a marker in it is no payload. Asked first, it keeps a file full of markers from costing its square.
    if not 0 < length <= MAX_PAYLOAD_BYTES or end > len(blob) or blob.find(MARKER, begin, end) >= 0:
        return None
    payload = blob[begin:end]
    if _crc(payload, seed) != crc:
        return None
    try:
        said = orjson.loads(payload)
        number, kind, data = said["entry"], Kind(said["kind"]), said["data"]
    except (ValueError, TypeError, KeyError):
        return None
    if type(number) is not int or not 0 < number <= MAX_NUMBER or type(data) is not dict:
        return None
    return Record(at, blob[at:end], number, kind, data)


def _next_record(blob: bytes, at: int, seed: int) -> int | None:
    """Where the next whole record begins."""
    while (at := blob.find(MARKER, at)) >= 0:
        if _record_at(blob, at, seed) is not None:
            return at
        at += 1
    return None


def _torn(blob: bytes, at: int) -> bool:
    """Whether the file ends inside a record that begins here."""
    rest = len(blob) - at
    if not MARKER.startswith(blob[at : at + len(MARKER)]):
        return False
    if rest < FRAME.size:
        return True
    length = FRAME.unpack_from(blob, at)[1]
    return bool(0 < length <= MAX_PAYLOAD_BYTES and rest < FRAME.size + length)


def _crc(payload: bytes, seed: int) -> int:
    return crc32(payload, crc32(len(payload).to_bytes(4), seed))


def _mark(salt: bytes, purpose: str, text: str) -> bytes:
    return hmac.new(salt, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()[:16]


def _refuse_secrets(value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            plain = "".join(c for c in str(name).lower() if c.isalnum())
            if plain in SECRET_NAMES:
                raise NotARecordError(f"a journal record must hold no secrets, and {name!r} is the name of one")
            _refuse_secrets(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_secrets(inner)
