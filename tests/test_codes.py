"""The table of exchange codes: complete over the exchange's own tables, and never surer than the text allows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bitget_async import codes
from bitget_async.codes import Verdict, asks_to_wait, classify, known
from bitget_async.errors import (
    AccountModeMismatch,
    AuthenticationFailed,
    ClockSkewed,
    DuplicateClientOid,
    InsufficientFunds,
    NothingToCancel,
    OrderAlreadyFinal,
    OrderNotFound,
    PermissionDenied,
    RateLimited,
    Refused,
    UnknownSymbol,
)

TABLES: dict[str, dict] = {
    name: table
    for name, table in json.loads((Path(__file__).parent / "fixtures" / "error_codes.json").read_text()).items()
    if name != "_meta"
}
LISTED = sorted({code for table in TABLES.values() for code in table} - {"00000"})

# Written from the reference's table of spot codes and the design pages, not from the module under test.
EXPECTED: tuple[tuple[type[Refused], bool, str], ...] = (
    (AuthenticationFailed, True, "40001 40002 40003 40011 40006 40009 40012 40036 40037 40041 49000"),
    (AuthenticationFailed, True, "30004 30005 30011 30012 30015"),
    (ClockSkewed, True, "40005 40004 40911 40008 30013 30014"),
    (AccountModeMismatch, True, "40085"),
    (PermissionDenied, True, "40014 40018 40038 49003 22010 40040"),
    (PermissionDenied, True, "40013 40024 40026 40031 40710 40752 40760"),
    (PermissionDenied, True, "40016 40035 40101 40111"),
    (PermissionDenied, True, "40022 40023 40025 40301 70227 50019"),
    (PermissionDenied, True, "40000 40100 40103 40104 40199 40061 40068 40086 40081 40105 40110 22030 45107 45108"),
    (PermissionDenied, True, "43122 46013 70224 70225 12002 12003 13007 13009 50068 50081 25620"),
    (RateLimited, True, "429 45129 70228 13001 25004 30006 30007"),
    (UnknownSymbol, True, "40034 40102 42016 40309 41113 43119 43120 50025 50026 50028 31021 22004 25100"),
    (UnknownSymbol, False, "41114 43115 25102 50027"),
    (OrderNotFound, True, "43001 40109 45057 31007 40768 40819 43025 25204"),
    (OrderAlreadyFinal, True, "45031 45055 45056 50062 40769 40817 40818 45125 45126 13010 43026"),
    (NothingToCancel, True, "22001 43004 31054"),
    (InsufficientFunds, True, "43012 40754 45002 45004 45008 49023 50020 43132 40711 40759 40762 25202"),
    (DuplicateClientOid, True, "43118 45034 50060 40708 40786 25212"),
    # Invalid requests, limits on open orders, sizes, prices, steps, windows.
    (Refused, True, "40007 40404 40017 40019 40020 40053 40054 40057 40058 40059 40064 40409 40724 40811 40812 40813"),
    (Refused, True, "41002 41101 41103 43011 43058 43111 43123 48001 48002 00171 00172 400172 25200"),
    (Refused, True, "40304 40305 40402 40306 40912 40913 40924 40078 40079 22003 30001 30002 30003 30016 30032"),
    (Refused, True, "40704 40705 00001 40303 40707 20001 42072 43130"),
    (Refused, True, "43005 40723 40761 43128 45118 70223 50048 25211"),
    (Refused, True, "43006 43007 43010 43027 43037 43038 43041 43042 45110 45111 45112 45113 45114 22034 12006"),
    (Refused, True, "43008 43009 43039 43040 40706 40815 40816 22006 22007 22008 22009 43028 45035 45115 22038 01002"),
    (Refused, True, "43013 43014 43015 43016 43034 43035"),
    # Of other products: read from their texts ("missing http header", "account at risk", "unsupported operation").
    (AuthenticationFailed, True, "40039 49002 49004"),
    (Refused, True, "40084 25245"),
    (PermissionDenied, True, "40099 25008 25012 45009"),
    (Refused, True, "40805 40806 40841 22002 22005 22011 22014 22015 22016 31001 31024 31025"),
    (Refused, True, "50001 50002 50003 40028 40029 40032 11000 12007 12008 49020 49050 49060"),
    (Refused, True, "59001 59003 59004 60001 60002 60003"),
    # What may have been executed, or may be yet.
    (Refused, False, "22046 12005 12010 12015 40074 40720 40764"),
    (Refused, False, "40010 40910 25001 50008 40908 25003"),
    (Refused, False, "45001 40725 40808 40015 40200"),
    (Refused, False, "43059 45024 45023 43002 43003 70229 40776 40777 25000 80002 50031 49040"),
    (Refused, False, "22045 70220 40722 40909 49021"),
    # The text is "error {0}": it may be any error.
    (Refused, False, "41100"),
)


@pytest.mark.failure(31)
@pytest.mark.parametrize("table", TABLES)
def test_every_code_of_the_table_is_known(table: str) -> None:
    """No code of the exchange's own tables falls back to the default by silence."""
    assert [code for code in TABLES[table] if code != "00000" and not known(code)] == []


def test_the_tables_are_the_whole_ones() -> None:
    """A cut copy of the fixture would make the check above pass emptily."""
    assert {name: len(table) for name, table in TABLES.items()} == {
        "rest_mar2025_with_http": 905,
        "rest_nov2025": 834,
        "ws_before_oct2025": 13,
        "ws_nov2025": 157,
    }


@pytest.mark.failure(25, 26, 27, 28, 29, 30)
@pytest.mark.parametrize(
    ("error", "definitive", "code"),
    [(error, definitive, code) for error, definitive, listed in EXPECTED for code in listed.split()],
)
def test_code_has_the_class_and_certainty_of_the_reference(error: type[Refused], definitive: bool, code: str) -> None:
    """The codes that matter for spot, against a second table written from the reference."""
    assert classify(code) == Verdict(error, definitive)


def test_success_is_no_error() -> None:
    """00000 never reaches the table; if it did, it must not read as a refusal."""
    assert not known("00000")
    assert classify("00000") == Verdict(Refused, False)


@pytest.mark.failure(31)
def test_unknown_codes_are_never_definitive() -> None:
    """A code that nobody has documented proves nothing: 200 of them, of every length."""
    rng = random.Random(20)
    unknown: set[str] = set()
    while len(unknown) < 200:
        code = "".join(rng.choices("0123456789", k=rng.randint(1, 8)))
        if code not in LISTED and not known(code):
            unknown.add(code)
    for code in (*unknown, "", "40001 ", " 40001", "４０００１", "success", "\x00"):
        assert not known(code)
        assert classify(code) == Verdict(Refused, False)


@pytest.mark.parametrize(
    ("listed", "other"), [("00001", "1"), ("00171", "171"), ("01002", "1002"), ("429", "0429"), ("40017", "400170")]
)
def test_codes_are_strings_and_leading_zeros_matter(listed: str, other: str) -> None:
    """`int(code)` anywhere on the way would give another code."""
    assert known(listed)
    assert not known(other)


@pytest.mark.failure(29, 30)
@pytest.mark.parametrize(
    "word",
    [
        "timed out",
        "unknown error",
        "system error",
        "system is abnormal",
        "service return",
        "please retry",
        "in progress",
    ],
)
def test_no_text_that_admits_execution_is_definitive(word: str) -> None:
    """Codes whose own text leaves the outcome open, found by the text and not by the code."""
    texts = {
        code: (entry if isinstance(entry, str) else entry["msg"]).lower()
        for table in TABLES.values()
        for code, entry in table.items()
    }
    # "The copy is in progress, the balance cannot be transferred" is a rule that was broken, not work on this request.
    found = [code for code, text in texts.items() if word in text and code != "40850"]
    assert found
    assert [code for code in found if classify(code).definitive] == []


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        # The vendor's FAQ: release windows.
        *((code, True) for code in ("40015", "40725", "40808", "45001", "40200")),
        # Texts of the same kind, but not in that list; other codes, none, and parts of one.
        *((code, False) for code in ("40809", "429", "40001", "00000", "4001", "", " ", None)),
    ],
)
def test_a_release_window_asks_everybody_to_wait(code: str | None, waits: bool) -> None:
    """Reads park for it; a code too many here would park them for one request's fault."""
    assert asks_to_wait(code) is waits


def test_a_code_in_two_groups_stops_the_import() -> None:
    """Two verdicts on one code: the later one would win unseen."""
    with pytest.raises(RuntimeError, match="40001"):
        codes._built(((AuthenticationFailed, True, "one", "40001 40002"), (Refused, False, "two", "40001")))


def test_every_row_says_what_it_is_and_holds_codes_only() -> None:
    """A row without a reason, or with a typing mistake among its codes, is no table."""
    for error, _, group, listed in codes._ROWS:
        assert issubclass(error, Refused)
        assert group
        assert all(code.isascii() and code.isdigit() for code in listed.split())


def test_codes_beyond_the_tables_are_the_ones_met_elsewhere() -> None:
    """Each of them needs a source; a mistyped code would show up here."""
    beyond = {code for _, _, _, listed in codes._ROWS for code in listed.split()} - set(LISTED)
    assert beyond == {"22046", "30032", "40084", "40085", "40099", "41117", "50008"}
