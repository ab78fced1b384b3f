"""A simulator in a thread of its own, so that the program can be run as a user runs it: `main([...])`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from bitget_async.cli import main
from bitget_async.sim import Settings, SimulatedExchange


class Ran(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    """A quick exchange on loopback, served while the test runs."""
    settings = Settings(sweep_delay_s=0.05, listing_lag_s=0.0, history_lag_s=0.05)
    made = SimulatedExchange(seed=1, settings=settings)
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with made:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield made
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def key(exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator's key in the environment."""
    texts = exchange.credentials()
    monkeypatch.setenv("BITGET_API_KEY", texts.api_key)
    monkeypatch.setenv("BITGET_API_SECRET", texts.secret)
    monkeypatch.setenv("BITGET_API_PASSPHRASE", texts.passphrase)


@pytest.fixture
def run(exchange: SimulatedExchange, key: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`run("BTCUSDT", "--yes")`: `bitget-async cancel` at the exchange. No part of the key may be in its output."""

    def cancel(*args: str) -> Ran:
        code = main(["cancel", *args, "--base-url", exchange.base_url])
        shown = capsys.readouterr()
        for secret in exchange.credentials():
            assert secret not in shown.out + shown.err
        return Ran(code, shown.out, shown.err)

    return cancel


@pytest.fixture
def at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`at_the_keyboard("yes")`: standard input is a terminal where that will be typed."""

    class Terminal:
        def __init__(self, text: str) -> None:
            self._text = text

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return self._text

    def sit_down(text: str) -> Any:
        monkeypatch.setattr("sys.stdin", Terminal(text))

    return sit_down
