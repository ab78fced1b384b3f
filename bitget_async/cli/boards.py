"""Showing it: a live table on a terminal, plain lines elsewhere, nothing for `--json`."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from bitget_async.cli.tracks import Track

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["Board", "Out", "board_for"]

# From these widths on: every column and whole notes; a space between columns that can be seen.
WIDE = 116
ROOMY = 92
STYLES = {
    "CONFIRMED": "bold green",
    "NOTHING_TO_CANCEL": "green",
    "STILL_OPEN": "bold red",
    "UNKNOWN": "bold yellow",
    "waiting": "dim",
    "cleared": "cyan",
    "no answer": "yellow",
}


class Out:
    """
    Text to a stream: with colours on a terminal if rich is there. A reader who went away (`| head`) is no reason to
    stop what is on the wire, so writing to nobody is silent.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self.console = _console(self._stream)

    def line(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """One line; a terminal that is too narrow for it gets several, all but the first indented."""
        try:
            if self.console is None:
                print(text, file=self._stream, flush=True)
            else:
                text = textwrap.fill(text, self.console.width, subsequent_indent=" " * indent)
                self.console.print(text, style=style or None, markup=False, highlight=False)
        except BrokenPipeError:
            self._gone()

    def raw(self, text: str) -> None:
        """Text for another program: as it is, never wrapped."""
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            self._gone()

    def _gone(self) -> None:
        # Python flushes once more when it ends, and that must not find the broken pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def _console(stream: TextIO) -> Console | None:
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream)


class Board(Protocol):
    """Shows tracks while they run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def draw(self, tracks: Sequence[Track], elapsed_s: float) -> None:
        """Show what is new."""


class SilentBoard:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def draw(self, tracks: Sequence[Track], elapsed_s: float) -> None:
        """Nothing."""


class LineBoard(SilentBoard):
    """A line for each event, in the order of their times."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._shown = 0

    def draw(self, tracks: Sequence[Track], elapsed_s: float) -> None:
        """Print the events since the last time."""
        events = sorted((event.at_s, track.symbol, event.text) for track in tracks for event in track.events)
        for at_s, symbol, text in events[self._shown :]:
            self._out.line(f"{at_s:7.2f} s  {symbol:<10} {text}")
        self._shown = len(events)


class LiveBoard:
    """One table that is drawn again and again, and stays when it is over."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="ellipsis")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def draw(self, tracks: Sequence[Track], elapsed_s: float) -> None:
        """Draw the table anew."""
        self._live.update(_table(tracks, elapsed_s, self._console.width), refresh=True)


def _table(tracks: Sequence[Track], elapsed_s: float, width: int) -> Table:
    from rich import box
    from rich.table import Table

    wide = width >= WIDE
    done = sum(track.done for track in tracks)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1 if width >= ROOMY else 0, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_footer=True,
    )
    table.add_column("symbol", f"{done}/{len(tracks)}", no_wrap=True, min_width=8)
    table.add_column("state", f"{elapsed_s:.1f} s", no_wrap=True, min_width=17)
    sums = [sum(column) for column in zip(*(_numbers(track) for track in tracks), strict=True)]
    for name, total in zip(("open", "unproven", "cancelled", "filled", "late"), sums, strict=True):
        table.add_column(name, str(total), justify="right", no_wrap=True, min_width=len(name))
    table.add_column("cleared", justify="right", no_wrap=True, min_width=7)
    if wide:
        table.add_column("proven", justify="right", no_wrap=True, min_width=7)
    table.add_column("note")
    for track in tracks:
        table.add_row(*_cells(track, wide=wide))
    return table


def _numbers(track: Track) -> tuple[int, int, int, int, int]:
    counts = track.counts()
    return counts.open, counts.unproven, counts.cancelled, counts.filled, counts.late


def _cells(track: Track, *, wide: bool) -> list[Any]:
    from rich.text import Text

    state = track.state
    colours = ("yellow", "magenta", "", "blue", "dim")
    numbers = [
        Text(str(number) if number else "·", style=colour if number else "dim")
        for number, colour in zip(_numbers(track), colours, strict=True)
    ]
    times = [_ms(track.cleared_ms)] + ([_ms(track.proven_ms)] if wide else [])
    style = STYLES.get(state, "bold red" if track.error else "")
    return [track.symbol, Text(state, style=style), *numbers, *times, Text(track.note(brief=not wide), style="dim")]


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value} ms"


def board_for(out: Out, *, silent: bool) -> Board:
    """The board that fits the stream."""
    if silent:
        return SilentBoard()
    return LineBoard(out) if out.console is None else LiveBoard(out.console)
