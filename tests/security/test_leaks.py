"""The search for secrets is searched: what is planted is found, wherever it is planted."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bitget_async import Credentials, ForeignUse
from bitget_async.sim import SimulatedExchange
from tests.leaks import MARK, Search, chain, is_watched

ROOT = Path(__file__).parents[2]
MADE = f"bg_{MARK}k0123456789"
OURS = "/somewhere/bitget_async/session.py"


class PlantedError(Exception):
    """Not of the tree: the search that runs over this very test would find it."""

    __module__ = "bitget_async.errors"


def raised(local: object, file: str = OURS) -> BaseException:
    """An error that came through a frame of that file, which holds that local."""
    space: dict[str, Any] = {"error": PlantedError("timeout"), "given": [local]}
    exec(compile("def f():\n  held = given[0]\n  raise error\n", file, "exec"), space)  # noqa: S102 - our own text
    try:
        space["f"]()
    except PlantedError as error:
        return error
    raise AssertionError


def found(search: Search) -> list[str]:
    """What was found, and what was counted."""
    told = search.end()
    assert search.counts["leaks"] == len(told)
    return told


def test_the_keys_of_the_simulator_hold_the_canaries() -> None:
    """All three of them, and the simulator still knows them: every test of the suite signs with such a key."""
    key = SimulatedExchange(3).credentials()
    assert [text.count(MARK) for text in key] == [1, 1, 1]
    assert key == SimulatedExchange(3).credentials()
    assert key != SimulatedExchange(4).credentials()


@pytest.mark.parametrize("kind", ["k", "s", "p"])
def test_a_canary_in_a_text_is_found_and_not_repeated(kind: str) -> None:
    """The report of a leak is no second leak."""
    search = Search()
    search.text(f"before {MARK}{kind}123 after", "a place")
    (told,) = found(search)
    assert told.endswith("in a place")
    assert MARK not in told


def test_a_signature_is_found_until_thousands_of_others_were_made() -> None:
    """It is 44 characters without a mark of ours, so it is remembered."""
    search = Search()
    signature = Credentials("a", "b", "c").sign(b"x")
    search.text(f"sign={signature}", "a place")
    assert found(search) == []
    search.signature(signature)
    search.text(f"a=b, ACCESS-SIGN={signature}, c=d", "a place")
    search.text(signature[:-2], "a place")
    assert found(search) == ["a signature in a place"]


def test_a_log_record_is_searched_with_what_hangs_on_it() -> None:
    """Its arguments, its extra fields, its exception."""
    for args, extra, error in [
        ((MADE,), {}, None),
        (("x",), {"sent": {"key": MADE}}, None),
        (("x",), {}, raised(MADE)),
    ]:
        search = Search()
        record = logging.makeLogRecord({"msg": "%s", "args": args, **extra})
        if error is not None:
            record.exc_info = (type(error), error, error.__traceback__)
        search.record(record)
        assert len(found(search)) == 1


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        (OURS, True),
        ("/lib/aiohttp/client.py", True),
        ("/lib/asyncio/tasks.py", True),
        ("/lib/aiohttp/web_protocol.py", False),
        ("/somewhere/bitget_async/sim/gateway.py", False),
        ("/somewhere/tests/test_session.py", False),
    ],
)
def test_locals_of_the_package_and_its_http_client_count(file: str, counts: bool) -> None:
    """The simulator and the tests know the keys rightly."""
    assert is_watched(file) is counts
    search = Search()
    search.exception(raised({"held": [MADE]}, file))
    assert bool(found(search)) is counts


def test_what_is_chained_is_searched_even_where_it_is_hidden() -> None:
    """`from None` hides a context from people, not from crash reporters."""
    outer = PlantedError("timeout")
    outer.__context__ = raised(MADE)
    outer.__suppress_context__ = True
    assert len(list(chain(outer))) == 2
    search = Search()
    search.exception(outer)
    assert len(found(search)) == 1


def test_an_exception_of_the_http_client_in_the_chain_is_a_find() -> None:
    """It holds the request, and the request holds the headers."""
    outer = PlantedError("timeout")
    outer.__context__ = type("ClientError", (Exception,), {"__module__": "aiohttp.client_exceptions"})()
    search = Search()
    search.exception(outer)
    assert found(search) == ["aiohttp's ClientError of a PlantedError"]


def test_an_error_is_searched_when_it_dies_or_when_its_test_ends() -> None:
    """Once, whichever comes first."""
    search = Search()
    lives, dies = raised(MADE), raised(MADE, "/x/bitget_async/wire.py")
    for error in (lives, dies):
        search.made(error)
    search.died(dies)
    assert search.counts["errors"] == 1
    assert len(found(search)) == 2
    search.died(lives)
    assert search.counts["errors"] == 2


def test_reports_and_journals_are_searched() -> None:
    """A settled handle, and a record on its way to the disk."""
    search = Search()
    report = SimpleNamespace(to_dict=lambda: {"note": MADE})
    search.settled(SimpleNamespace(handle="h", report=report))  # type: ignore[arg-type]
    search.journal(b"\xf5\xfa" + MADE.encode())
    assert found(search) == ["an API key in a report's to_dict()", "an API key in a journal"]


def test_events_and_snapshots_are_searched() -> None:
    """Whatever is told to whoever listens, and what is given to support."""
    search = Search()
    search.event(ForeignUse(at_ns=1, endpoint=MADE, cause="refused"))
    search.snapshot(SimpleNamespace(to_dict=lambda: {"errors": [MADE]}))
    assert found(search) == ["an API key in a ForeignUse", "an API key in a snapshot"]
    assert (search.counts["events"], search.counts["snapshots"]) == (1, 1)


PLANTED = """
import logging, sys, warnings
from bitget_async import Credentials, OutcomeUnknown
from bitget_async.sim import SimulatedExchange

pytest_plugins = []
key = lambda: SimulatedExchange(1).credentials()

def test_log(): logging.getLogger("aiohttp.client").debug("sent %s", key().secret)
def test_output(): print(key().passphrase)
def test_read(capsys):
    print(key().passphrase)
    capsys.readouterr()
def test_warning(): warnings.warn(key().api_key)
def test_error():
    try:
        raise OutcomeUnknown("x", message=key().api_key)
    except OutcomeUnknown:
        pass
def test_own(): logging.getLogger("x").info("%s", Credentials("k", "made-up-by-a-test", "p") and "made-up-by-a-test")
def test_sign():
    signed = Credentials("k", "s", "p").headers(1, "GET", "/", b"")
    logging.getLogger("x").info("%s", dict(signed))
def test_clean(): logging.getLogger("x").info("%s %r", key(), Credentials.of(key()))
"""


def test_a_planted_leak_fails_its_test_and_the_counts_come_home(tmp_path: Path) -> None:
    """A whole run with two workers: seven leaks, seven tests that fail, one that does not, one line that says so."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.leaks"]\n')
    (tmp_path / "test_planted.py").write_text(PLANTED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "-W",
        "default",
        str(tmp_path),
    ]
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "LEAKS": str(tmp_path / "leaks.json")}
    done = subprocess.run([*command, "--rootdir", str(tmp_path)], capture_output=True, text=True, env=env, check=False)
    failed = {line.split("::")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("ERROR ")}
    assert failed == {"test_log", "test_output", "test_read", "test_error", "test_own", "test_sign"}, done.stdout
    counts = json.loads((tmp_path / "leaks.json").read_text())
    # A warning belongs to no test: it is counted, and the run says so.
    assert counts["leaks"] >= 7
    assert counts["characters"] > 100
    assert f"{counts['leaks']} leaks" in done.stdout
    assert MARK not in "".join(line for line in done.stdout.splitlines() if "were shown" in line)


def test_a_leak_that_belongs_to_no_test_fails_the_run(tmp_path: Path) -> None:
    """A warning is told when its test is over, and the next test has done nothing."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.leaks"]\n')
    source = "import warnings\nfrom bitget_async.sim import SimulatedExchange\n"
    source += "def test_warns(): warnings.warn(SimulatedExchange(1).credentials().api_key)\ndef test_next(): pass\n"
    (tmp_path / "test_warned.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", str(tmp_path)]
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "LEAKS": str(tmp_path / "leaks.json")}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False)
    assert "2 passed" in done.stdout
    assert ", 1 leaks" in done.stdout
    assert done.returncode == 1


def test_a_warning_is_searched() -> None:
    """It stands in the summary of a run."""
    search = Search()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        warnings.warn(MADE, stacklevel=1)
    search.text(str(heard[0].message), "a warning")
    assert found(search) == ["an API key in a warning"]
