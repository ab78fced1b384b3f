"""`bitget-async top`: what it draws at any size, and what it says when there is nothing to see."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bitget_async import UsageError
from bitget_async.cli import frame as framing
from bitget_async.cli import main
from bitget_async.cli import top as topping
from bitget_async.cli.frame import Rates, duration, frame
from bitget_async.clock import SystemClock
from bitget_async.exposure import Exposure, Onlooker
from bitget_async.models import (
    BucketState,
    ClockState,
    HandleState,
    PastError,
    Snapshot,
    StopState,
    StreamLine,
)
from bitget_async.pulse.socket import SocketInlet
from tests.top_picture import FILE, draw


def shown(**more: Any) -> Snapshot:
    """A client that has just begun."""
    told: dict[str, Any] = {"at_ms": 1_700_000_000_000, "state": "open", "origin": "https://api.bitget.com"}
    clock = ClockState(synchronised=True, offset_ms=-12, uncertainty_ms=8)
    return Snapshot(**{**told, "up_s": 10.0, "clock": clock, **more})


def handle(call: int, **more: Any) -> HandleState:
    """A pending cancellation."""
    told: dict[str, Any] = {"kind": "cancellation", "command": "cancel-symbol-order", "symbol": f"S{call}USDT"}
    told |= {"state": "pending", "acknowledged": True, "age_s": 1.5, "left_s": 58.5, "attempts": 1}
    return HandleState(**{**told, "call": call, "orders": 20, "ended": 5, "reads": 4, **more})


def busy(handles: int = 14) -> Snapshot:
    """A client in the middle of the night."""

    def bucket(endpoint: str, quota: int, free: int, waiting: int = 0, refusals: int = 0) -> BucketState:
        return BucketState(
            endpoint=endpoint, quota=quota, free=free, waiting=waiting, wait_s=0.412 * bool(waiting), refusals=refusals
        )

    return shown(
        up_s=3725.0,
        buckets=(
            bucket("orderInfo", 20, 20),
            bucket("unfilled-orders", 20, 1),
            bucket("cancel-symbol-order", 5, 0, 7),
            bucket("place-order", 10, 4, 0, 2),
        ),
        handles=(
            handle(12, age_s=42.0, left_s=18.0, acknowledged=False),
            handle(13, state="cleared", symbol="AUSDT,BUSDT,CUSDT"),
            *(handle(14 + each) for each in range(handles - 2)),
        ),
        stops=(
            StopState(
                call=11,
                symbol="*",
                state="sending",
                age_s=3.2,
                commands=14,
                answered=9,
                orders=220,
                ended=100,
                left=None,
                eta_s=1.1,
            ),
        ),
        settled={"CONFIRMED": 12, "NOTHING_TO_CANCEL": 1},
        streams=(
            StreamLine(stream="private stream 1", state="live", topics=1, silent_s=0.2, lag_ms=14, reconnects=0),
            StreamLine(stream="public stream 1", state="stale", topics=30, silent_s=None, lag_ms=None, reconnects=3),
        ),
        open_orders="LIVE",
        requests={"orderInfo": 100, "place-order": 20},
        reads=77,
        errors=(
            PastError(
                at_ms=1_699_999_993_000, endpoint="cancel-order", error="OutcomeUnknown", reason="timeout", code=None
            ),
            PastError(at_ms=1_699_999_998_000, endpoint="place-order", error="RateLimited", reason="", code="429"),
        ),
        failed=2,
        journal=True,
    )


def drawn(seen: Snapshot, width: int, height: int | None = None, lost: str = "", rates: Rates | None = None) -> str:
    """The frame as text."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    known = rates or Rates()
    known.saw(seen)
    console.print(frame(seen, known, width, height, lost))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


# -- the picture --------------------------------------------------------------------------------------------------


def test_everything_is_on_a_wide_screen() -> None:
    """What somebody wants to know who was woken: who waits for what, since when, and what went wrong."""
    text = " ".join(drawn(busy(), 120, 40).split())
    for told in (
        "open 1 h 02 m clock -12 ms ± 8 journal",
        "12 CONFIRMED, 1 NOTHING_TO_CANCEL",
        "open orders: LIVE",
        "cancel-symbol-order □□□□□ 0/5 7 · 412 ms",
        "place-order ■■■■□□□□□□ 4/10 · 2",
        "pending 14, 1 stopping everything",
        "11 stop all sending 9/14 3.2 s 1.1 s 100/220 ████░░░░░░",
        "12 cancellation S12USDT no answer 42.0 s 18.0 s 5/20 ██░░░░░░░░ 4",
        "13 cancellation AUSDT +2 cleared",
        "private stream 1 live 1 200 ms 14 ms ·",
        "2.0 s place-order RateLimited 429",
        "7.0 s cancel-order OutcomeUnknown timeout",
    ):
        assert told in text, text


@pytest.mark.parametrize("width", [30, 60, 72, 84, 100, 118, 200])
def test_no_frame_is_larger_than_its_terminal(width: int) -> None:
    """A frame that is cut off hides the last line; one that wraps hides all of it."""
    for height in (8, 12, 18, 24, 40):
        for seen, lost in ((shown(), ""), (busy(), "the client has ended"), (busy(100), "")):
            lines = drawn(seen, width, height, lost).splitlines()
            assert len(lines) <= height, "\n".join(lines)
            assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize(("width", "height"), [(120, 34), (80, 24), (60, 20), (30, 10)])
def test_what_is_pending_longest_is_never_left_out(width: int, height: int) -> None:
    """It is what one looks for; of those that do not fit, how many there are is said."""
    text = drawn(busy(500), width, height)
    assert " 12 " in text
    assert " more ─" in text


def test_a_quiet_client_says_so() -> None:
    """Empty boxes would leave one wondering whether anything was read."""
    text = drawn(shown(clock=ClockState(synchronised=False, offset_ms=0, uncertainty_ms=None)), 100, 30)
    assert "nothing is pending" in text
    assert "clock not known yet" in text
    assert "none" in text


def test_the_last_frame_stays_when_the_client_is_gone() -> None:
    """With the reason above it, so that nobody takes it for the present."""
    text = drawn(busy(), 120, 34, "nobody listens at /run/bot.sock")
    assert text.startswith("nobody listens at /run/bot.sock; what follows is the last that was seen")
    assert "pending 14" in text


def test_large_quotas_are_drawn_as_a_share_and_one_token_left_can_be_seen() -> None:
    """A bar of two hundred cells says nothing; an empty one must mean that none is left."""
    told: dict[str, Any] = {"endpoint": "e", "quota": 200, "waiting": 0, "wait_s": 0.0, "refusals": 0}
    texts = [drawn(shown(buckets=(BucketState(**told, free=free),)), 120, 30) for free in (0, 1, 100, 200)]
    bars = ["□" * 10, "■" + "□" * 9, "■" * 5 + "□" * 5, "■" * 10]
    assert [bar in text for bar, text in zip(bars, texts, strict=True)] == [True] * 4


def test_rates_are_of_the_last_seconds() -> None:
    """And at first of the client's whole life: one frame has no other."""
    rates = Rates()
    assert rates.of() == 0.0
    rates.saw(shown(up_s=100.0, requests={"a": 50, "b": 150}))
    assert (rates.of("a"), rates.of()) == (0.5, 2.0)
    for second in range(1, 21):
        rates.saw(shown(up_s=100.0 + second, requests={"a": 50, "b": 150 + 4 * second}))
    assert (rates.of("a"), rates.of("b"), rates.of()) == (0.0, 4.0, 4.0)
    assert rates.of("unheard of") == 0.0
    assert rates.sparks("b", 8) == "████████"
    assert rates.sparks("a", 8) == ""
    rates.saw(shown(up_s=121.0, requests={"a": 51, "b": 231}))
    assert rates.sparks("b", 4) == "███▃"


def test_a_client_that_began_anew_has_no_past() -> None:
    """Its counts begin at 0, and rates must not be negative."""
    rates = Rates()
    rates.saw(shown(up_s=100.0, requests={"a": 50}))
    rates.saw(shown(up_s=2.0, requests={"a": 4}))
    assert rates.of("a") == 2.0
    assert rates.sparks("a", 4) == ""
    rates.saw(shown(up_s=0.0))
    assert rates.of("a") == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 ms"),
        (0.0124, "12 ms"),
        (1.0, "1.0 s"),
        (99.94, "99.9 s"),
        (100.0, "1 m 40 s"),
        (3599.0, "59 m 59 s"),
        (3600.0, "1 h 00 m"),
        (90_000.0, "1 d 1 h"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """A column of them is read at a glance."""
    assert duration(seconds) == text


# -- the program --------------------------------------------------------------------------------------------------


@pytest.fixture
def nook() -> Iterator[Path]:
    """A private folder with a short name: the path of a socket is bounded."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    yield folder
    shutil.rmtree(folder)


class Served:
    """Something that listens, in a thread of its own."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        made = self._make()
        if isinstance(made, SocketInlet):
            await made.open(lambda raw: b"", lambda seen, why: None)
        else:
            await made.open()
        self._ready.set()
        _ = await self._stop.wait()
        # Python 3.11 drops a connection unclosed that comes in the very turn in which its server is closed.
        for _ in range(5):
            await asyncio.sleep(0)
        await made.close()

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()


def client_at(path: Path, *snapshots: Snapshot | bytes) -> Served:
    """A client there that shows these, and then the last one again and again."""
    left = [each if isinstance(each, bytes) else json.dumps(each.to_dict()).encode() for each in snapshots]

    def snapshot() -> bytes:
        return left.pop(0) if len(left) > 1 else left[0]

    return Served(lambda: Exposure(path, snapshot, SystemClock()))


def test_without_a_terminal_it_prints_one_frame(nook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a log, a pipe, or a message to somebody."""
    with client_at(nook / "s", busy()):
        assert main(["top", str(nook / "s")]) == 0
    out = capsys.readouterr().out
    assert "pending 14" in out
    assert "S25USDT" in out
    assert "\x1b" not in out
    assert len(out.splitlines()) < 45


def test_once_as_json_is_the_snapshot(nook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For another program."""
    with client_at(nook / "s", busy()):
        assert main(["top", "--json", "--once", str(nook / "s")]) == 0
    assert json.loads(capsys.readouterr().out) == busy().to_dict()


def test_json_goes_on_until_the_client_ends(nook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each; then why there are no more, as for every error."""
    with client_at(nook / "s", shown(up_s=1.0), shown(up_s=2.0), b"{}"):
        assert main(["top", "--json", "--every", "0.1", str(nook / "s")]) == 2
    shown_ = capsys.readouterr()
    assert [json.loads(line)["up_s"] for line in shown_.out.splitlines()] == [1.0, 2.0]
    assert "another version" in shown_.err


@contextlib.contextmanager
def left_behind(path: Path) -> Iterator[None]:
    """The socket of a process that was killed."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    yield


@contextlib.contextmanager
def a_file(path: Path) -> Iterator[None]:
    """No socket."""
    path.write_text("mine")
    yield


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (lambda path: contextlib.nullcontext(), "there is no socket at"),
        (a_file, "is no socket"),
        (left_behind, "the client that made it has ended"),
        (lambda path: Served(lambda: SocketInlet(str(path))), "was closed: the client has ended, or it is something"),
        (lambda path: client_at(path, b"{}"), "another version, or no client"),
        (lambda path: client_at(path, b"hello"), "another version, or no client"),
        (lambda path: client_at(path, b"[" * 3000), "another version, or no client"),
    ],
    ids=["nothing", "file", "left", "guard", "other", "noise", "deep"],
)
def test_what_is_no_client_is_said_in_a_sentence(
    there: Callable[[Path], Any], said: str, nook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do; never a traceback."""
    with there(nook / "s"):
        assert main(["top", str(nook / "s")]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert str(nook / "s") in err
    assert "Traceback" not in err


def test_a_client_that_hangs_is_not_waited_for(
    nook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loop stands still: the system takes the connection, and nobody answers."""
    monkeypatch.setattr("bitget_async.exposure.ANSWER_WITHIN_S", 0.01)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(nook / "s"))
        deaf.listen()
        assert main(["top", str(nook / "s")]) == 2
    assert "the client hangs" in capsys.readouterr().err


def test_a_socket_of_another_user_is_not_believed(
    nook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could show anything."""
    with client_at(nook / "s", shown()):
        monkeypatch.setattr("bitget_async.exposure.is_trusted", lambda writer: False)
        assert main(["top", str(nook / "s")]) == 2
    assert "another user listens" in capsys.readouterr().err


@pytest.mark.parametrize("every", ["0", "0.09", "61", "x", "nan"])
def test_an_interval_that_cannot_be_meant_is_refused(every: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As every wrong argument."""
    with pytest.raises(SystemExit) as left:
        _ = main(["top", "--every", every, "/run/x"])
    assert left.value.code == 2
    assert "--every" in capsys.readouterr().err


class Terminal(io.StringIO):
    """Standard output that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 120 by 34."""
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "120"), ("LINES", "34")):
        monkeypatch.setenv(name, value)
    return Terminal()


WANTED = ("up 1", "has ended", "no socket", "up 2")


def test_a_client_that_comes_back_is_shown_again(
    nook: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot was restarted: nobody wants to start everything else anew. And a signal gives the terminal back."""
    monkeypatch.setattr(topping, "AGAIN_S", 0.01)
    frames: list[str] = []
    news = threading.Condition()
    real = framing.frame

    def spied(seen: Snapshot, rates: Rates, width: int, height: int | None = None, lost: str = "") -> Any:
        with news:
            frames.append(lost or f"up {seen.up_s:g}")
            news.notify_all()
        return real(seen, rates, width, height, lost)

    monkeypatch.setattr(topping, "frame", spied)

    def until(wanted: str) -> None:
        with news:
            _ = news.wait_for(lambda: any(wanted in each for each in frames), 10)

    def life() -> None:
        with client_at(nook / "s", shown(up_s=1.0)):
            started.set()
            until("up 1")
        until("has ended")
        until("no socket")
        with client_at(nook / "s", shown(up_s=2.0)):
            until("up 2")
            os.kill(os.getpid(), signal.SIGTERM)
            ended.wait(10)

    started, ended = threading.Event(), threading.Event()
    bot = threading.Thread(target=life)
    bot.start()
    assert started.wait(10)
    with monkeypatch.context() as patch:
        # Here and not in the fixture: pytest puts its own one there before each test's body.
        patch.setattr(sys, "stdout", terminal)
        code = main(["top", "--every", "0.1", str(nook / "s")])
    ended.set()
    bot.join(10)
    assert code == 0
    found = [next((number for number, each in enumerate(frames) if wanted in each), -1) for wanted in WANTED]
    assert found == sorted(found), frames
    assert min(found) >= 0, frames
    text = terminal.getvalue()
    assert text.index("\x1b[?1049h") < text.rindex("\x1b[?1049l")
    assert "pending 0" in text


def test_a_terminal_without_rich_hears_what_to_install(
    nook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--json` needs nothing."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with client_at(nook / "s", shown()):
        assert main(["top", str(nook / "s")]) == 2
        assert "bitget-async[cli]" in capsys.readouterr().err
        assert main(["top", "--json", "--once", str(nook / "s")]) == 0


async def test_the_first_connection_must_be_there(nook: Path) -> None:
    """A typing error in the path is no client that will come back."""
    args = SimpleNamespace(socket=str(nook / "nothing"), every=0.1)
    with pytest.raises(UsageError, match="no socket"):
        await topping._watch(args, Console(file=Terminal(), force_terminal=True), SystemClock())  # type: ignore[arg-type]


async def test_an_onlooker_that_goes_leaves_nothing_behind(nook: Path) -> None:
    """A program that looks once a minute for months."""
    exposure = Exposure(nook / "s", lambda: json.dumps(busy().to_dict()).encode(), SystemClock())
    await exposure.open()
    async with exposure:
        for _ in range(3):
            async with await Onlooker.at(nook / "s") as onlooker:
                assert await onlooker.once() == busy()
        while exposure.readers:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0)


def test_the_client_of_the_demo_can_be_watched(nook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make demo EXPOSE=...` here and `bitget-async top` there: what it shows is what happens."""
    seen: list[Snapshot] = []

    async def look() -> None:
        while not (nook / "s").exists():
            await SystemClock().sleep(0.005)
        async with await Onlooker.at(nook / "s") as onlooker:
            with contextlib.suppress(UsageError):
                async for each in onlooker.every(0.1):
                    seen.append(each)

    reader = threading.Thread(target=lambda: asyncio.run(look()))
    reader.start()
    code = main(["demo", "--json", "--symbols", "2", "--expose", str(nook / "s")])
    reader.join(10)
    assert code == 0
    assert not reader.is_alive()
    assert not (nook / "s").exists()
    # Each is pending first and proven at the end; what was used is listed with its quota.
    assert {handle.symbol for each in seen for handle in each.handles} == {"BTCUSDT", "ETHUSDT"}
    assert {"cleared", "pending"} <= {handle.state for each in seen for handle in each.handles}
    assert {bucket.endpoint: bucket.quota for bucket in seen[-1].buckets}["cancel-symbol-order"] == 5
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_the_picture_in_the_documents_is_of_the_demo() -> None:
    """`make docs` draws it anew: nine cancellations sent, the others waiting for their tokens, an answer lost."""
    text = draw(2.0).replace("&#160;", " ")
    for told in ("cancel-symbol-order", "15 ·", "pending 9", "OutcomeUnknown connection", "private stream 1"):
        assert told in text
    assert "pending 9" in FILE.read_text(encoding="utf-8").replace("&#160;", " ")
