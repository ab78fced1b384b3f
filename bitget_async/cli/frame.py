"""A snapshot as a picture of a terminal's size: what `bitget-async top` shows. Nothing here waits or reads."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bitget_async.models import BucketState, HandleState, PastError, Snapshot, StopState, StreamLine

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["Rates", "frame"]

# From these widths on: two panels side by side; a bar of progress; how much time is left; what kind of call it is.
WIDE, BARS, ROOMY, PLAIN = 118, 100, 84, 72
MOST_SAMPLES = 120
RATE_OVER_S = 5.0
CELLS = 10
SPARKS = "▁▂▃▄▅▆▇█"
SLOW_S, LATE_S = 5.0, 20.0
ENDLESS = 1_000
# So many rows two boxes above a third take.
TALL = 16
# Of a box: its frame and the head of its table.
FRAME_ROWS = 3
NONE = "·"


class Rates:
    """How many requests a second a client makes, by call: from the snapshots that were seen of it."""

    def __init__(self) -> None:
        self._seen: deque[Snapshot] = deque(maxlen=MOST_SAMPLES)

    def saw(self, snapshot: Snapshot) -> None:
        """One more snapshot. A client that began anew has no past."""
        if self._seen and snapshot.up_s < self._seen[-1].up_s:
            self._seen.clear()
        self._seen.append(snapshot)

    def of(self, endpoint: str | None = None) -> float:
        """Requests a second of one call, or of all: over the last seconds, or as long as it was watched, or has run."""
        if not self._seen:
            return 0.0
        last = self._seen[-1]
        early = next((each for each in self._seen if last.up_s - each.up_s <= RATE_OVER_S), last)
        if early is last:
            return _count(last, endpoint) / last.up_s if last.up_s > 0 else 0.0
        return _between(early, last, endpoint)

    def sparks(self, endpoint: str, width: int) -> str:
        """The last rates of one call as a row of bars, the newest last."""
        seen = list(self._seen)[-width - 1 :]
        rates = [_between(one, other, endpoint) for one, other in itertools.pairwise(seen)]
        top = max(rates, default=0.0)
        if top <= 0:
            return ""
        return "".join(" " if rate <= 0 else SPARKS[min(int(rate / top * 8), 7)] for rate in rates).rjust(width)


def _count(seen: Snapshot, endpoint: str | None) -> int:
    return sum(seen.requests.values()) if endpoint is None else seen.requests.get(endpoint, 0)


def _between(early: Snapshot, late: Snapshot, endpoint: str | None) -> float:
    passed_s = late.up_s - early.up_s
    return (_count(late, endpoint) - _count(early, endpoint)) / passed_s if passed_s > 0 else 0.0


class _Panel(NamedTuple):
    """
    One box.

    Attributes:
        title: stands over it.
        rows: how many it would like.
        least: how many it gets before the others get more.
        draw: makes it, with that width inside and that many rows.
    """

    title: str
    rows: int
    least: int
    draw: Callable[[int, int], RenderableType]


def frame(seen: Snapshot, rates: Rates, width: int, height: int | None = None, lost: str = "") -> RenderableType:
    """
    Draw it.

    Args:
        seen: the snapshot.
        rates: what is known of request rates.
        width: columns. height: rows; `None`: as many as it takes.
        lost: why nothing newer comes, or `""`.
    """
    from rich.console import Group

    head = [*([_lost(lost)] if lost else []), _header(seen, rates, width)]
    # The header has two lines.
    room = ENDLESS if height is None else height - len(head) - 1
    pending, tokens, errors, streams = _panels(seen, rates)
    beside = [errors, streams] if seen.streams else [errors]
    if width < WIDE or room < TALL:
        return Group(*head, *_stacked([pending, tokens, *beside], width, room))
    left = width * 11 // 20
    wanted = max(tokens.rows, sum(each.rows for each in beside) + FRAME_ROWS * (len(beside) - 1))
    upper = min(wanted, max(room // 2 - FRAME_ROWS, 3)) + FRAME_ROWS
    sides = _beside(_stacked([tokens], left, upper), left, _stacked(beside, width - left, upper), width - left)
    return Group(*head, sides, *_stacked([pending], width, room - upper))


def _panels(seen: Snapshot, rates: Rates) -> list[_Panel]:
    handles = len(seen.handles) + len(seen.stops)
    stops = f", {len(seen.stops)} stopping everything" if seen.stops else ""
    return [
        _Panel(f"pending {len(seen.handles)}{stops}", handles, 4, lambda width, rows: _pending(seen, width, rows)),
        _Panel("tokens", len(seen.buckets), 3, lambda width, rows: _tokens(seen, rates, width, rows)),
        _Panel(f"errors {seen.failed}", len(seen.errors), 2, lambda width, rows: _errors(seen, rows)),
        _Panel("streams", len(seen.streams), 2, lambda width, rows: _streams(seen.streams, width, rows)),
    ]


def _beside(left: list[RenderableType], left_width: int, right: list[RenderableType], right_width: int) -> Table:
    from rich.console import Group
    from rich.table import Table

    grid = Table.grid()
    grid.add_column(width=left_width)
    grid.add_column(width=right_width)
    grid.add_row(Group(*left), Group(*right))
    return grid


def _stacked(panels: Sequence[_Panel], width: int, room: int) -> list[RenderableType]:
    """Boxes one below the other; the last ones go where there is no room for all."""
    shown = list(panels)
    while len(shown) > 1 and sum(FRAME_ROWS + min(max(each.rows, 1), each.least) for each in shown) > room:
        _ = shown.pop()
    left = max(room - FRAME_ROWS * len(shown), 1)
    shares = [max(min(each.rows, each.least, room - FRAME_ROWS), 1) for each in shown]
    for index, panel in enumerate(shown):
        more = min(max(panel.rows - shares[index], 0), max(left - sum(shares), 0))
        shares[index] += more
    return [_box(each, width, rows) for each, rows in zip(shown, shares, strict=True)]


def _box(panel: _Panel, width: int, rows: int) -> RenderableType:
    from rich import box
    from rich.panel import Panel

    return Panel(
        panel.draw(width - 4, rows),
        title=f"[bold]{panel.title}[/]",
        title_align="left",
        subtitle=f"[dim]and {panel.rows - rows} more[/]" if rows < panel.rows else None,
        subtitle_align="left",
        box=box.ROUNDED,
        border_style="bright_black",
        padding=(0, 1),
        width=width,
    )


class _Rows:
    """A table of which some columns give way where it is too narrow, and the others do not."""

    def __init__(self, width: int, *columns: str) -> None:
        """A name ends with `<` (left), `>` (right) or `~` (left, and gives way)."""
        from rich.table import Table

        gap = 1 if width < PLAIN else 2
        self.table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim")
        for name in columns:
            justify: Any = "right" if name.endswith(">") else "left"
            self.table.add_column(name[:-1], justify=justify, no_wrap=not name.endswith("~"), overflow="ellipsis")

    def add(self, *cells: str | Text) -> None:
        """One row."""
        self.table.add_row(*(_text(each) if isinstance(each, str) else each for each in cells))


# -- the parts ----------------------------------------------------------------------------------------------------


def _header(seen: Snapshot, rates: Rates, width: int) -> RenderableType:
    from rich.text import Text

    clock = seen.clock
    known = f"clock {clock.offset_ms:+d} ms ± {clock.uncertainty_ms}" if clock.synchronised else "clock not known yet"
    settled = ", ".join(f"{count} {outcome}" for outcome, count in sorted(seen.settled.items())) or "none"
    first = Text.assemble(
        ("bitget-async top  ", "bold"),
        (seen.origin, "cyan"),
        "  ",
        (seen.state, "green" if seen.state == "open" else "bold yellow"),
        f" {duration(seen.up_s)}  {known}" + ("  journal" if seen.journal else ""),
        no_wrap=True,
        overflow="ellipsis",
    )
    total = sum(seen.requests.values())
    second = Text.assemble(
        f"{rates.of():.1f} requests/s  {total} in all, {seen.reads} of them reads for handles  ",
        ("settled: ", "dim"),
        settled,
        ("  open orders: " if seen.open_orders else "", "dim"),
        seen.open_orders,
        no_wrap=True,
        overflow="ellipsis",
    )
    first.truncate(width, overflow="ellipsis")
    second.truncate(width, overflow="ellipsis")
    return Text("\n").join([first, second])


def _lost(why: str) -> RenderableType:
    return _text(f"{why}; what follows is the last that was seen", "bold white on red")


def _tokens(seen: Snapshot, rates: Rates, width: int, rows: int) -> RenderableType:
    if not seen.buckets:
        return _text("no request yet", "dim")
    sparks = max(min(width - 64, 30), 0)
    table = _Rows(width, "endpoint~", "free<", "waiting>", "429s>", "per s>", *(["<"] if sparks >= 6 else []))
    # Those that somebody waits for, then those of which least is left.
    busy = sorted(seen.buckets, key=lambda each: (-each.waiting, each.free / max(each.quota, 1), each.endpoint))
    for each in busy[:rows]:
        waiting = _text(f"{each.waiting} · {duration(each.wait_s)}", "yellow") if each.waiting else _number(0)
        rate = rates.of(each.endpoint)
        table.add(
            each.endpoint,
            _bar(each),
            waiting,
            _number(each.refusals, "bold red"),
            f"{rate:.1f}" if rate >= 0.05 else _number(0),
            *([_text(rates.sparks(each.endpoint, sparks), "blue")] if sparks >= 6 else []),
        )
    return table.table


def _bar(bucket: BucketState) -> Text:
    """One cell a token; of larger quotas a share."""
    from rich.text import Text

    cells = min(bucket.quota, CELLS)
    free = -(-bucket.free * cells // bucket.quota) if bucket.quota else 0
    style = "red" if not bucket.free else "yellow" if bucket.free * 2 < bucket.quota else "green"
    bar = Text.assemble(("■" * free, style), ("□" * (cells - free), "bright_black"), " " * (CELLS - cells))
    return bar.append(f" {bucket.free:>2}/{bucket.quota}")


def _pending(seen: Snapshot, width: int, rows: int) -> RenderableType:
    if not seen.handles and not seen.stops:
        return _text("nothing is pending", "dim")
    table = _Rows(
        width,
        "call>",
        *(["kind<"] if width >= PLAIN else []),
        "symbol~",
        "state<",
        "age>",
        *(["left>"] if width >= ROOMY - 4 else []),
        "ended>",
        *(["<"] if width >= BARS - 4 else []),
        "reads>",
    )
    for stop in seen.stops[:rows]:
        table.add(*_stop_row(stop, width))
    room = max(rows - len(seen.stops), 0)
    for handle in seen.handles[:room]:
        table.add(*_handle_row(handle, width))
    return table.table


def _handle_row(handle: HandleState, width: int) -> list[str | Text]:
    return [
        str(handle.call),
        *([handle.kind] if width >= PLAIN else []),
        _shortened(handle.symbol),
        _state_of(handle),
        _age(handle.age_s),
        *([duration(handle.left_s)] if width >= ROOMY - 4 else []),
        f"{handle.ended}/{handle.orders}",
        *([_progress(handle.ended, handle.orders)] if width >= BARS - 4 else []),
        _number(handle.reads),
    ]


def _stop_row(stop: StopState, width: int) -> list[str | Text]:
    return [
        str(stop.call),
        *([_text("stop", "bold red")] if width >= PLAIN else []),
        "all" if stop.symbol == "*" else _shortened(stop.symbol),
        f"{stop.state} {stop.answered}/{stop.commands}",
        _age(stop.age_s),
        *([duration(stop.eta_s) if stop.eta_s > 0 else NONE] if width >= ROOMY - 4 else []),
        f"{stop.ended}/{stop.orders}",
        *([_progress(stop.ended, stop.orders)] if width >= BARS - 4 else []),
        _number(0),
    ]


def _state_of(handle: HandleState) -> Text:
    if handle.state != "pending":
        return _text(handle.state, "cyan")
    return _text("taken") if handle.acknowledged else _text("no answer", "yellow")


def _progress(part: int, whole: int) -> Text:
    from rich.text import Text

    if not whole:
        return _number(0)
    full = CELLS * part // whole
    return Text.assemble(("█" * full, "green"), ("░" * (CELLS - full), "bright_black"))


def _streams(lines: Sequence[StreamLine], width: int, rows: int) -> RenderableType:
    table = _Rows(width, "stream~", "state<", "topics>", "silent>", "lag>", "again>")
    styles = {"live": "green", "connecting": "yellow", "stale": "bold red"}
    for line in lines[:rows]:
        table.add(
            line.stream,
            _text(line.state, styles.get(line.state, "")),
            str(line.topics),
            NONE if line.silent_s is None else duration(line.silent_s),
            NONE if line.lag_ms is None else f"{line.lag_ms} ms",
            _number(line.reconnects, "yellow"),
        )
    return table.table


def _errors(seen: Snapshot, rows: int) -> RenderableType:
    if not seen.errors:
        return _text("none", "dim")
    table = _Rows(0, "ago>", "endpoint~", "what~")
    for error in reversed(seen.errors[-rows:]):
        ago_s = max(seen.at_ms - error.at_ms, 0) / 1000
        table.add(_text(duration(ago_s), "dim"), error.endpoint, _text(_why(error), "red"))
    return table.table


def _why(error: PastError) -> str:
    return " ".join(each for each in (error.error, error.reason, error.code or "") if each)


# -- words --------------------------------------------------------------------------------------------------------


def _text(text: object, style: str = "") -> Text:
    from rich.text import Text

    return Text(str(text), style=style, no_wrap=True, overflow="ellipsis")


def _number(value: int, style: str = "") -> Text:
    return _text(value, style) if value else _text(NONE, "dim")


def _age(seconds: float) -> Text:
    return _text(duration(seconds), "bold red" if seconds >= LATE_S else "yellow" if seconds >= SLOW_S else "")


def _shortened(symbols: str) -> str:
    first, _, more = symbols.partition(",")
    return f"{first} +{more.count(',') + 1}" if more else first


def duration(seconds: float) -> str:
    """`850 ms`, `7.3 s`, `4 m 12 s`, `3 h 05 m`, `2 d 4 h`."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
