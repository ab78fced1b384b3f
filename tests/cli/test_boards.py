"""What a terminal shows, and what is shown where there is none."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest

from bitget_async.cli.boards import LineBoard, LiveBoard, Out, SilentBoard, board_for


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [80, 140])
def test_a_terminal_gets_a_table_that_fits(columns: int) -> None:
    """Drawn anew in place, every column readable, at the usual width and at a wide one."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bitget_async", "demo", "--symbols", "2"],
        env=os.environ | {"COLUMNS": str(columns), "LINES": "40", "TERM": "xterm-256color", "NO_COLOR": ""},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait(timeout=20) == 0
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "\n").splitlines()
    heads = [line for line in lines if line.lstrip().startswith("symbol ")]
    assert len(heads) > 5, "it is drawn again and again"
    names = "symbol state open unproven cancelled filled late cleared" + (" proven" if columns > 100 else "") + " note"
    assert heads[-1].split() == names.split()
    assert max(len(line) for line in lines) <= columns
    assert any("ETHUSDT" in line and "CONFIRMED" in line and "answer" in line for line in lines)


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rich` is an extra: the program works without it."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    out = Out(Terminal())
    assert out.console is None
    assert isinstance(board_for(out, silent=False), LineBoard)


def test_the_board_follows_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table on a terminal, lines in a pipe and on a dumb terminal, nothing beside a JSON document."""
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(board_for(Out(Terminal()), silent=False), LiveBoard)
    assert isinstance(board_for(Out(Terminal()), silent=True), SilentBoard)
    assert isinstance(board_for(Out(io.StringIO()), silent=False), LineBoard)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(board_for(Out(Terminal()), silent=False), LineBoard)


def test_json_is_never_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program reads it, whatever the width of the window."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    Out(stream).raw("x" * 500)
    assert stream.getvalue() == "x" * 500 + "\n"
