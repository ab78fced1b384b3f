"""The program as a whole: help, version, the simulator as a server, interruption."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

from bitget_async.cli import main
from bitget_async.sim import Settings, SimulatedExchange

PROGRAM = [sys.executable, "-m", "bitget_async"]
NO_KEY = {name: value for name, value in os.environ.items() if not name.startswith("BITGET_")}


def started(*args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    # What is ignored is inherited: run in the background, this suite would start a program that cannot be interrupted.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*PROGRAM, *args],
            env=NO_KEY | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def line_of(stream: IO[str] | None) -> str:
    """The next line."""
    assert stream is not None
    return stream.readline()


@pytest.fixture
def served() -> Iterator[Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]]:
    """`served("--rest", "BTCUSDT=2")`: a running `bitget-async sim` and what it printed."""
    processes = []

    def start(*args: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = started("sim", "--port", "0", *args)
        processes.append(process)
        return process, json.loads(line_of(process.stdout))

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_sim_prints_one_line_and_ends_on_a_signal(end: signal.Signals, served: Callable[..., Any]) -> None:
    """A script reads the line, uses the exchange, and ends it."""
    process, told = served()
    assert set(told) == {"base_url", "api_key", "secret", "passphrase"}
    assert told["base_url"].startswith("http://127.0.0.1:")
    process.send_signal(end)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("", "", 0)


async def test_an_interruption_says_what_was_sent() -> None:
    """Ctrl-C while orders are pending (the exchange never gets to them): it goes on, and the text says so."""
    async with SimulatedExchange(seed=1, settings=Settings(sweep_delay_s=math.inf)) as exchange:
        exchange.rest("BTCUSDT", 2)
        keys = exchange.credentials()
        env = {
            "BITGET_API_KEY": keys.api_key,
            "BITGET_API_SECRET": keys.secret,
            "BITGET_API_PASSPHRASE": keys.passphrase,
        }
        process = started("cancel", "BTCUSDT", "--yes", "--base-url", exchange.base_url, env=env)
        seen = ""
        while "taken by the exchange" not in seen:
            line = await asyncio.to_thread(line_of, process.stdout)
            assert line, process.communicate()
            seen += line
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.to_thread(process.communicate, timeout=10)
    assert process.returncode == 130
    assert "What was sent stays sent" in err
    assert "BTCUSDT: sent, and taken by the exchange" in err
    assert "Traceback" not in err
    assert not [part for part in env.values() if part in seen + out + err]


def test_ctrl_c_at_the_prompt_says_that_nothing_was_sent(
    served: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The question itself must be safe to leave."""
    _, told = served("--rest", "BTCUSDT=2")
    for name, part in (("KEY", "api_key"), ("SECRET", "secret"), ("PASSPHRASE", "passphrase")):
        monkeypatch.setenv(f"BITGET_API_{name}", told[part])

    class Keyboard:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Keyboard())
    assert main(["cancel", "BTCUSDT", "--base-url", told["base_url"]]) == 130
    assert "no command was sent" in capsys.readouterr().err


def test_sim_on_a_taken_port_is_a_usage_error(served: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, no traceback."""
    _, told = served()
    port = told["base_url"].rsplit(":", 1)[1]
    assert main(["sim", "--port", port]) == 2
    assert "cannot listen" in capsys.readouterr().err


def test_sim_of_an_unknown_symbol_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Before it listens."""
    assert main(["sim", "--rest", "NOPEUSDT=3"]) == 2
    assert "NOPEUSDT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args", [["--help"], ["demo", "--help"], ["cancel", "--help"], ["sim", "--help"], ["--version"]]
)
def test_help_and_version_end_with_0(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself."""
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 0
    assert "bitget-async" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nonsense"],
        ["cancel"],
        ["demo", "--symbols", "0"],
        ["demo", "--symbols", "x"],
        ["sim", "--port", "-1"],
        ["cancel", "BTCUSDT", "--confirm-within", "0"],
        ["cancel", "BTCUSDT", "--confirm-within", "nan"],
    ],
)
def test_wrong_arguments_end_with_2(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With a line that names what is wrong."""
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_reader_who_leaves_does_not_end_the_run() -> None:
    """`bitget-async demo | head -1`: no traceback, and the run goes to its end."""
    process = started("demo", "--symbols", "1")
    assert "simulated exchange" in line_of(process.stdout)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=20) == 0
