"""`bitget-async guard` as a user runs it: what it refuses, what it says, and what it ends with."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bitget_async.cli import main
from bitget_async.cli.exits import Exit
from bitget_async.cli.guard import LOUD, Teller, sentence_of
from bitget_async.clock import SystemClock
from bitget_async.sim import SimulatedExchange

COMMAND = "cancel-symbol-order"
SYMBOLS = {"BTCUSDT": "CONFIRMED"}
SAID: dict[str, tuple[dict[str, Any], str]] = {
    "listening": ({"at": "/run/g", "bots": ["a", "b"], "after_s": 10.0}, "/run/g for a, b; fires after 10 s"),
    "remembered": ({"away_s": 3.0, "bots": {"a": "armed"}}, "nobody listened for 3.0 s; a armed"),
    "memory_damaged": ({"what": "it is kept as x"}, "every bot counts as armed; it is kept as x"),
    "bot": ({"name": "a", "standing": "armed"}, "a: armed"),
    "fired": ({"bots": ["a"], "because": "silent", "silent_s": 10.1}, "FIRED: a was not heard for 10.1 s"),
    "resumed_stop": ({"bots": ["a"]}, "because of a was not finished"),
    "confirmed": ({"symbols": SYMBOLS, "rounds": 1}, "CONFIRMED: nothing is open. BTCUSDT CONFIRMED"),
    "unconfirmed": ({"symbols": {}, "left": {"X": 2}, "wrong": ["w"]}, "NOT CONFIRMED, going on: open: X 2; ; w"),
    "late": ({"symbols": {"X": 1}}, "arrived after the stop, and are stopped too: X 1"),
    "late_confirmed": ({"symbols": SYMBOLS}, "CONFIRMED again"),
    "rehearsed": ({"plan": "2 orders", "left": {"X": 2}}, "would stop the account now. Open: X 2. Plan: 2 orders"),
    "blind": ({"why": "refused", "armed": []}, "cannot be seen (refused); armed: nobody"),
    "sighted": ({"blind_s": 4.0}, "can be seen again, after 4.0 s"),
    "ready": ({"open_orders": 5}, "5 open orders"),
    "not_ready": ({"why": "40006"}, "NOT READY"),
    "odd_key": ({"what": ["a", "b"]}, "a; b"),
    "ended": ({"stop_unproven": True, "armed": ["a"]}, "nobody guards a now; a stop is NOT proven"),
    "warning": ({"what": "the disk is full"}, "the disk is full"),
}


@pytest.fixture
def nook() -> Iterator[Path]:
    """A private folder with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="g"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def guard(
    exchange: SimulatedExchange, key: None, capsys: pytest.CaptureFixture[str], nook: Path
) -> Callable[..., tuple[int, str, str]]:
    """`guard("--armed")`: run it at the exchange until it ends by itself."""

    def run(*args: str, where: bool = True) -> tuple[int, str, str]:
        place = ["--socket", str(nook / "sock")] if where else []
        code = main(["guard", *place, *args, "--after", "0.3", "--base-url", exchange.base_url])
        shown = capsys.readouterr()
        for secret in exchange.credentials():
            assert secret not in shown.out + shown.err
        return code, shown.out, shown.err

    return run


def test_a_stop_that_is_proven_ends_with_0(guard: Callable[..., Any], exchange: SimulatedExchange, nook: Path) -> None:
    """Armed at once and no bot: the account is stopped, and the truth agrees."""
    exchange.rest("BTCUSDT", 3)
    code, out, err = guard("--armed", "--once")
    assert code == Exit.OK
    assert "FIRED: bot was not heard for " in err
    assert "the account is being stopped" in err
    assert "CONFIRMED: nothing is open. BTCUSDT CONFIRMED" in out
    assert exchange.truth.open_ids(exchange.account.uid) == ()
    assert sorted(path.name for path in nook.iterdir()) == ["sock.state"]


def test_a_rehearsal_sends_nothing_and_has_a_state_of_its_own(
    guard: Callable[..., Any], exchange: SimulatedExchange, nook: Path
) -> None:
    """The real guard must not find a stop that it never made."""
    exchange.rest("BTCUSDT", 3)
    code, out, err = guard("--armed", "--once", "--rehearse")
    assert code == Exit.OK
    assert "rehearsal: FIRED" in err
    assert "the account would be stopped" in err
    assert "rehearsal: would stop the account now. Open: BTCUSDT 3. Plan: 3 orders" in out
    assert exchange.truth.count(COMMAND) == 0
    assert sorted(path.name for path in nook.iterdir()) == ["sock.state.rehearsal"]


@pytest.mark.parametrize(
    ("args", "where", "text"),
    [
        (("--symbol", "btc/usdt"), True, "symbol"),
        (("--name", "a b"), True, "name"),
        (("--redis",), False, "BITGET_GUARD_REDIS"),
        (("--redis", "redis://:sec-ret-77@host", "--forget"), False, "BITGET_GUARD_REDIS"),
        (("--redis", "redis://host:nonsense", "--forget"), False, "URL"),
        (("--redis", "sec-ret-77:6379", "--forget"), False, "redis://"),
        (("--socket", "redis://:sec-ret-77@host", "--forget"), False, "--redis"),
        (("--redis", "redis://host"), False, "--state"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    args: tuple[str, ...], where: bool, text: str, guard: Callable[..., Any], exchange: SimulatedExchange
) -> None:
    """One line, before anything listens; a password in it is not shown."""
    code, _, err = guard(*args, where=where)
    assert code == Exit.USAGE
    assert err.count("\n") == 1
    assert text in err
    assert "sec-ret-77" not in err
    assert exchange.truth.count() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("moment", "code", "text"),
    [("listening", Exit.OK, "ended; nobody guards bot now"), ("fired", Exit.UNKNOWN, "a stop is NOT proven")],
)
def test_a_signal_ends_it_and_it_says_what_is_left_undone(
    moment: str,
    code: Exit,
    text: str,
    number: signal.Signals,
    guard: Callable[..., Any],
    nook: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C and a supervisor: a line, a code that tells them apart, no traceback, and the next guard goes on."""
    said = Teller.__call__

    def then(self: Teller, event: str, facts: Mapping[str, Any]) -> None:
        said(self, event, facts)
        if event == moment:
            signal.raise_signal(number)

    monkeypatch.setattr(Teller, "__call__", then)
    ended, out, err = guard("--armed")
    assert ended == code
    assert text in out.splitlines()[-1]
    assert "Traceback" not in out + err
    assert sorted(path.name for path in nook.iterdir()) == ["sock.state"]
    kept = json.loads((nook / "sock.state").read_bytes())["watch"]
    assert (kept["stopping"] is None) is (code == Exit.OK)
    assert kept["bots"]["bot"]["standing"] == ("armed" if code == Exit.OK else "spent")


def test_a_wrong_url_in_the_environment_ends_with_2(guard: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The right place for a password, and it is not shown either."""
    monkeypatch.setenv("BITGET_GUARD_REDIS", "redis://:sec-ret-77@host:nonsense")
    code, out, err = guard("--redis", "--forget", where=False)
    assert code == Exit.USAGE
    assert "no URL of a Redis" in err
    assert err.count("\n") == 1
    assert "sec-ret-77" not in out + err


@pytest.mark.parametrize(
    "args", [[], ["--socket", "x"], ["--socket", "x", "--redis", "--after", "1"], ["--after", "0"]]
)
def test_argparse_asks_for_what_is_needed(args: list[str]) -> None:
    """A place, one of two, and how long is too long."""
    with pytest.raises(SystemExit):
        _ = main(["guard", *args])


@pytest.mark.parametrize("event", SAID)
def test_each_event_is_a_sentence(event: str) -> None:
    """What the person at the screen reads."""
    facts, text = SAID[event]
    assert text in sentence_of(event, facts)


def test_what_somebody_should_read_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is for a log."""
    told = Teller(SystemClock(), as_json=False)
    for event, (facts, _) in SAID.items():
        told(event, facts)
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == len(LOUD)
    assert len(shown.out.splitlines()) == len(SAID) - len(LOUD)
