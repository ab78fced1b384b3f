"""The bytes of a journal: what is whole is found, what is not is never taken for a record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import UsageError
from bitget_async.journal import Kind
from bitget_async.journal.records import HEADER_BYTES, Header, NotARecordError, encode, scan, seal
from tests.journal.lives import ACCOUNT, LIFE, ORIGIN, data_of

pytestmark = pytest.mark.failure(54)

HEADER = Header.of(b"0123456789abcdef", ACCOUNT, ORIGIN)
Said = tuple[int, str, dict[str, Any]]
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
DATA = st.dictionaries(
    st.text(max_size=6).map(lambda name: f"x{name}"),
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=4),
    max_size=3,
)
SAID = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([kind.value for kind in Kind]), DATA), max_size=6)


def file_of(said: list[Said], header: Header = HEADER) -> tuple[bytes, list[int]]:
    """A journal that says this, and where its records end; the first place is the end of the header."""
    blob = header.encode()
    ends = [len(blob)]
    for number, kind, data in said:
        blob += seal(encode(number, Kind(kind), data), header.seed)
        ends.append(len(blob))
    return blob, ends


def read(blob: bytes) -> list[Said]:
    """What is said there."""
    return [(r.number, r.kind.value, r.data) for r in scan(blob, HEADER_BYTES, HEADER.seed).records]


LIVED: list[Said] = [(command, kind, data_of(command, kind)) for command, kind in LIFE]


def cut_everywhere(said: list[Said]) -> int:
    """Every cut behind the header gives exactly the records that are whole. Returns the number of cuts."""
    blob, ends = file_of(said)
    for cut in range(HEADER_BYTES, len(blob) + 1):
        whole = sum(end <= cut for end in ends) - 1
        found = scan(blob[:cut], HEADER_BYTES, HEADER.seed)
        assert [(r.number, r.kind.value, r.data) for r in found.records] == said[:whole], cut
        assert not found.damaged, cut
        assert found.torn_at == (None if cut in ends else ends[whole]), cut
    return len(blob) + 1 - HEADER_BYTES


def test_a_life_cut_at_every_byte_gives_the_records_that_were_whole(
    count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """A crash while writing leaves the beginning of a record; nothing before it may suffer, nothing of it may count."""
    cuts = cut_everywhere(LIVED)
    assert cuts > 1000
    count_cases(cuts)
    figure("journal.cuts", cuts)


@settings(max_examples=40, deadline=None)
@given(SAID)
def test_any_records_cut_at_every_byte_give_those_that_were_whole(said: list[Said]) -> None:
    """The same for what nobody thought of: empty data, long texts, characters beyond ASCII."""
    _ = cut_everywhere(said)


def test_any_bit_flipped_costs_one_record_and_never_makes_a_wrong_one(count_cases: Callable[[int], None]) -> None:
    """A disk or a copy that changes a bit must not change what a command is said to have done."""
    blob, ends = file_of(LIVED)
    for at in range(HEADER_BYTES, len(blob)):
        hit = sum(end <= at for end in ends) - 1
        for bit in range(8):
            flipped = bytearray(blob)
            flipped[at] ^= 1 << bit
            assert read(bytes(flipped)) == LIVED[:hit] + LIVED[hit + 1 :], (at, bit)
    count_cases((len(blob) - HEADER_BYTES) * 8)


@settings(max_examples=150, deadline=None)
@given(SAID, st.data())
def test_any_byte_replaced_costs_one_record(said: list[Said], data: st.DataObject) -> None:
    """The same with whole bytes, and the damage is told as a loss that begins in that record."""
    blob, ends = file_of([*said, (1, "done", {})])
    at = data.draw(st.integers(HEADER_BYTES, len(blob) - 1))
    other = data.draw(st.integers(1, 255))
    changed = blob[:at] + bytes([blob[at] ^ other]) + blob[at + 1 :]
    hit = sum(end <= at for end in ends) - 1
    assert read(changed) == [*said, (1, "done", {})][:hit] + [*said, (1, "done", {})][hit + 1 :]
    assert scan(changed, HEADER_BYTES, HEADER.seed).last_loss == ends[hit]


@settings(max_examples=150, deadline=None)
@given(SAID, st.lists(st.tuples(st.integers(0, 6), st.binary(min_size=1, max_size=40)), max_size=3))
def test_garbage_between_records_costs_none_of_them(said: list[Said], garbage: list[tuple[int, bytes]]) -> None:
    """Whatever stands between two records, both are found: a later "done" is worth as much as an earlier one."""
    blob, ends = file_of(said)
    for place, junk in sorted(garbage, reverse=True):
        at = ends[min(place, len(said))]
        blob = blob[:at] + junk + blob[at:]
    assert read(blob) == said


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\xf5\xfa\xf7\xff", b"\0\0\0\x05", b"{}"]), max_size=8))
def test_garbage_is_read_as_no_record(pieces: list[bytes]) -> None:
    """Garbage that looks a little like records gives none, and no exception."""
    assert scan(HEADER.encode() + b"".join(pieces), HEADER_BYTES, HEADER.seed).records == []


def test_a_stretch_of_zeros_is_damage_and_no_records() -> None:
    """A file system gives zeros for what was not yet written when the power went; a CRC of nothing would like them."""
    blob, ends = file_of(LIVED)
    found = scan(blob + bytes(4096), HEADER_BYTES, HEADER.seed)
    assert len(found.records) == len(LIVED)
    assert found.damaged == [(ends[-1], ends[-1] + 4096)]


def test_records_of_another_journal_do_not_count() -> None:
    """Two journals put together with `cat` are not one."""
    mine, ends = file_of(LIVED[:2])
    theirs, _ = file_of(LIVED[2:], Header.of(b"another salt 123", ACCOUNT, ORIGIN))
    assert read(mine + theirs) == LIVED[:2]
    assert scan(mine + theirs, HEADER_BYTES, HEADER.seed).damaged == [(ends[-1], len(mine + theirs))]


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"[1]",
        b"{}",
        b'{"entry":1,"kind":"intent"}',
        b'{"entry":1,"kind":"later invention","data":{}}',
        b'{"entry":1,"kind":[],"data":{}}',
        b'{"entry":true,"kind":"intent","data":{}}',
        b'{"entry":0,"kind":"intent","data":{}}',
        b'{"entry":9007199254740992,"kind":"intent","data":{}}',
        b'{"entry":1,"kind":"intent","data":[]}',
        b"[" * 100_000,
    ],
)
def test_a_whole_record_that_says_nothing_we_know_is_damage(payload: bytes) -> None:
    """A right CRC around nonsense is nonsense still."""
    blob = HEADER.encode() + seal(payload, HEADER.seed)
    found = scan(blob, HEADER_BYTES, HEADER.seed)
    assert (found.records, found.damaged) == ([], [(HEADER_BYTES, len(blob))])


def test_a_file_of_many_beginnings_is_read_in_one_go() -> None:
    """Each marker claims a megabyte: checking each claim would take minutes."""
    blob = HEADER.encode() + b"\xf5\xfa\xf7\xff\x00\x0f\xff\xff\x00\x00\x00\x00" * 100_000
    before = time.process_time()
    assert scan(blob, HEADER_BYTES, HEADER.seed).records == []
    assert time.process_time() - before < 5


def test_every_flipped_bit_of_the_header_is_a_usage_error(count_cases: Callable[[int], None]) -> None:
    """No damage to a header makes it the header of somebody else's journal, or of a newer one that is then read."""
    blob = HEADER.encode()
    for bit in range(len(blob) * 8 - 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UsageError):
            Header.decode(bytes(flipped)).check(ACCOUNT, ORIGIN)
    count_cases(len(blob) * 8 - 8)
    # The last byte is changed in place, so it has no CRC: whatever is not zero there is the careful answer.
    assert all(Header.decode(blob[:-1] + bytes([other])).may_lack("") for other in range(1, 256))
    assert not Header.decode(blob).may_lack("")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_no_header(junk: bytes, magic: bool) -> None:
    """Any file that is no journal is refused in words, also one that begins like a journal."""
    with pytest.raises(UsageError):
        Header.decode(HEADER.encode()[:8] + junk if magic else junk)


def test_a_header_shows_neither_account_nor_origin() -> None:
    """The UID stands in no file in the clear, and two journals of one account do not show that they are."""
    one, other = (Header.of(random.Random(seed).randbytes(16), ACCOUNT, ORIGIN) for seed in (1, 2))
    for header in (one, other):
        assert ACCOUNT.encode() not in header.encode()
        assert b"bitget" not in header.encode()
        header.check(ACCOUNT, ORIGIN)
    assert one.account_mark != other.account_mark
    assert one.account_mark != one.origin_mark


def test_account_and_origin_are_told_apart() -> None:
    """A reader of the error knows what to look at; and no account is taken for an origin."""
    with pytest.raises(UsageError, match="another account"):
        HEADER.check("7411236986", ORIGIN)
    with pytest.raises(UsageError, match="another origin"):
        HEADER.check(ACCOUNT, "https://127.0.0.1:8443")
    with pytest.raises(UsageError):
        HEADER.check(ORIGIN, ACCOUNT)


@pytest.mark.failure(53)
@pytest.mark.parametrize(
    "data",
    [
        {"access-key": "k"},
        {"ACCESS-SIGN": "s"},
        {"ACCESS-PASSPHRASE": "p"},
        {"api_key": "k"},
        {"apiSecret": "s"},
        {"request": {"headers": [{"sign": "s"}]}},
        {"passphrase": ""},
        {"deep": ({"secretKey": 1},)},
        {"private-key": "-----"},
        {"Authorization": "x"},
    ],
)
def test_names_of_secrets_are_refused(data: dict[str, Any]) -> None:
    """Defence in depth: whoever hands headers to the journal by mistake is stopped at its door, at any depth."""
    with pytest.raises(NotARecordError):
        encode(1, Kind.INTENT, data)


@pytest.mark.parametrize("data", [{"design": 1}, {"signed_at_ms": 1}, {"key": "BTCUSDT"}, {"secrets_seen": 0}])
def test_names_that_only_resemble_secrets_are_written(data: dict[str, Any]) -> None:
    """A guard that refuses what is harmless would cost records."""
    assert encode(1, Kind.INTENT, data)


class Strange:
    """Something JSON does not know."""


@dataclass
class Hidden:
    """The encoder would write its fields, past the guard that looks at names."""

    secret: str = "s"


def endless() -> dict[str, Any]:
    """Data that holds itself."""
    data: dict[str, Any] = {}
    data["data"] = data
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"x": Strange()},
        {"x": Hidden()},
        {"x": "\ud800"},
        {"x": 2**70},
        {1: "number"},
        endless(),
        {"x": "x" * (1 << 20)},
    ],
    ids=["object", "dataclass", "surrogate", "number", "name", "endless", "long"],
)
def test_what_cannot_be_a_record_is_one_kind_of_error(data: Any) -> None:
    """The file answers it with a gap; any other exception would stop a command."""
    with pytest.raises(NotARecordError):
        encode(1, Kind.INTENT, data)
