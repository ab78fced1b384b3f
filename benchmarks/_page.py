"""
The figures in docs/performance.md: each block between `<!-- figures: NAME -->` and `<!-- end -->` is made here from
what the benchmarks found. What stands outside of the blocks is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from _goals import GOALS, spread
from _pictures import Figures, drawable, table

BLOCK = re.compile(r"(<!-- figures: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
HEADER = ("machine", "python", "packages", "commit", "command", "spread")
Row = dict[str, Any]
Cell = Callable[[Row], str]


def filled(text: str, data: Figures) -> str:
    """The page with every block made anew. Raises KeyError: nobody knows such a block."""

    def block(found: re.Match[str]) -> str:
        name, _, rest = found[2].partition(" ")
        lines = BLOCKS[name](data, rest)
        return f"{found[1]}\n{lines}\n{found[3]}" if lines else f"{found[1]}{found[3]}"

    return BLOCK.sub(block, text)


# -- tables -------------------------------------------------------------------------------------------------------


def number(value: Any) -> str:
    """A cell: the digits that say something."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def lined(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column is text."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def shown(rows: Sequence[Row], columns: dict[str, str | Cell]) -> str:
    """Rows as a table: heading -> key, or how to make the cell."""
    if not rows:
        return ""
    cells = [[each(row) if callable(each) else number(row.get(each)) for each in columns.values()] for row in rows]
    return lined(list(columns), cells)


def whole(rows: Sequence[Row]) -> str:
    """Rows as they are; a ratio with its spread in one cell."""
    if not rows:
        return ""
    hidden = ("ratio", "least", "most") if {"ratio", "least", "most"} <= set(rows[0]) else ()
    columns: dict[str, str | Cell] = {name: name for name in rows[0] if name not in hidden}
    return shown(rows, columns | {"ratio": spread} if hidden else columns)


def pivot(rows: Sequence[Row], first: str, across: str, cell: Cell) -> str:
    """A line for each value of one column, a column for each value of another."""
    if not rows:
        return ""
    heads = list(dict.fromkeys(row[across] for row in rows))
    by = {(row[first], row[across]): cell(row) for row in rows}
    names = dict.fromkeys(row[first] for row in rows)
    lines = [[name, *(by.get((name, each), "–") for each in heads)] for name in names]
    return lined([first, *(f"{each} {across}" for each in heads)], lines)


def cpu_ratio(row: Row) -> str:
    """A ratio, its spread, and the time behind it."""
    return f"{spread(row, 'cpu ratio')}, {row['cpu us']:,} µs"


def ratio_us(row: Row) -> str:
    """The same of another table."""
    return f"{spread(row)}, {number(row['cpu us a push'])} µs"


# -- blocks -------------------------------------------------------------------------------------------------------


def header(data: Figures, name: str) -> str:
    """Where and how it was measured."""
    if name not in data:
        return ""
    told = [f"{key:<10}{data[name][key]}" for key in HEADER if key in data[name]]
    return "```\n" + "\n".join(told) + "\n```\n"


def picture(data: Figures, rest: str) -> str:
    """A picture, where its figures are there: its name, and what it shows in words."""
    name, _, words = rest.partition(": ")
    return f"![{words}](pictures/{name}.svg)\n" if name in drawable(data) else ""


def tables(data: Figures, rest: str) -> str:
    """All tables of a benchmark as they are, or those whose title begins so: `name` or `name: title`."""
    name, _, begins = rest.partition(": ")
    parts = []
    for title, rows in data.get(name, {}).get("tables", {}).items():
        if title.startswith(begins):
            parts += [f"**{title[0].upper() + title[1:]}**\n"] if not begins else []
            parts.append(whole(rows))
    return "\n".join(parts)


def goals(data: Figures, _: str) -> str:
    """What was set, and what came of it."""
    rows, reasons = [], []
    for goal in GOALS:
        if (found := goal.found(data)) is not None:
            rows.append([goal.work, goal.goal, found[0], "met" if found[1] else "**missed**"])
            if not found[1]:
                reasons.append(f"* **{goal.work[0].upper() + goal.work[1:]}**: {goal.why}.")
    if not rows:
        return ""
    why = ["Missed, and why:\n", *reasons] if reasons else []
    return "\n".join([lined(["work", "goal", "measured", ""], rows).replace("---:", "---"), *why]).rstrip() + "\n"


def stack(data: Figures, kind: str) -> str:
    """One kind of call on asyncio: a line for each client, a column for each number in flight."""
    return pivot(table(data, "stack_overhead", f"{kind}, asyncio"), "client", "in flight", cpu_ratio)


def both(data: Figures, loop: str, in_flight: int) -> dict[str, Row]:
    """Each client's command and page of 100."""
    found: dict[str, Row] = {}
    for key, begins in (("place", "signed command (place-order), "), ("page", "history page of 100, ")):
        for row in table(data, "stack_overhead", begins + loop):
            if row["in flight"] == in_flight:
                found.setdefault(row["client"], {"client": row["client"]})[key] = row
    return found


def uvloop(data: Figures, _: str) -> str:
    """Each client on uvloop, ten in flight."""
    found = both(data, "uvloop", 10)
    for row in table(data, "stack_overhead", "uvloop beside asyncio"):
        if row["in flight"] == 10:
            found[row["client"]]["beside " + ("place" if row["call"].startswith("signed") else "page")] = row
    columns: dict[str, str | Cell] = {
        "client": "client",
        "signed command": lambda row: cpu_ratio(row["place"]),
        "page of 100": lambda row: cpu_ratio(row["page"]),
        "command, by the same on asyncio": lambda row: spread(row["beside place"]),
        "page, by the same on asyncio": lambda row: spread(row["beside page"]),
    }
    return shown(list(found.values()), columns)


def versions(data: Figures, _: str) -> str:
    """This version by the one before its speed was looked at, on asyncio."""
    rows = [row for row in table(data, "stack_overhead", "this version beside") if row["loop"] == "asyncio"]
    columns: dict[str, str | Cell] = {
        "call": "call",
        "in flight": "in flight",
        "processor time, now by before": spread,
        "now µs": "us",
        "before µs": "other us",
    }
    return shown(rows, columns)


def profile(data: Figures, title: str) -> str:
    """Where the time goes, now and before."""
    heads = {"us": "now µs", "us before": "before µs"}
    rows = [row for row in table(data, "profile_by_room", title) if max(row["us"], row.get("us before", 0)) >= 3]
    columns: dict[str, str | Cell] = {"room": "room"}
    for key in heads.keys() & (rows[0].keys() if rows else set()):
        columns[heads[key]] = lambda row, key=key: f"{row[key]:,.0f}"
    return shown(rows, dict(sorted(columns.items(), key=lambda each: ("room", "before µs", "now µs").index(each[0]))))


def latency(data: Figures, _: str) -> str:
    """Each client on asyncio, one in flight."""
    columns: dict[str, str | Cell] = {
        "client": "client",
        "command, median ms": lambda row: number(row["place"]["p50 ms"]),
        "99 % ms": lambda row: number(row["place"]["p99 ms"]),
        "page of 100, median ms": lambda row: number(row["page"]["p50 ms"]),
        "its 99 % ms": lambda row: number(row["page"]["p99 ms"]),
    }
    return shown(list(both(data, "asyncio", 1).values()), columns)


def own(data: Figures, _: str) -> str:
    """What only this client has: the watcher's read, and the verb with its handle."""
    rows = [
        {"call": title, **row}
        for title, rows in data.get("stack_overhead", {}).get("tables", {}).items()
        if title.startswith(("page of 100 as", "place_order with"))
        for row in rows
        if row["client"] == "ours"
    ]
    return shown(rows, {"call": "call", "processor time": cpu_ratio})


def arrivals(data: Figures, network: str) -> str:
    """Fifty callers over that network."""
    columns: dict[str, str | Cell] = {
        "limiter": "limiter",
        "most in a second": "worst second",
        "seeds with more than five": lambda row: f"{row['breach %']:.0f} %",
        "first five after": lambda row: f"{row['first five ms']:.0f} ms",
        "all fifty after": lambda row: f"{row['fifty s']:.2f} s",
        "by the bound": "ratio",
    }
    return shown(table(data, "limiter_arrivals", f"50 callers at once, {network}"), columns)


def waiters(data: Figures, _: str) -> str:
    """What a grant costs, and the manners of each."""
    rows = table(data, "limiter_arrivals", "a grant")
    manners = {row["limiter"]: row for row in table(data, "limiter_arrivals", "order")}
    counts = [key for key in (rows[0] if rows else {}) if key.startswith("us, ")]
    columns: dict[str, str | Cell] = {
        "limiter": "limiter",
        **{f"{key.removeprefix('us, ')} waiting, µs": key for key in counts},
        "most by fewest": spread,
        "overtaken": lambda row: number(manners[row["limiter"]]["overtaken"]),
        "tokens lost": lambda row: manners[row["limiter"]]["lost"],
    }
    return shown(rows, columns)


def rules(data: Figures, _: str) -> str:
    """The table of rules."""
    columns: dict[str, str | Cell] = {
        "rule": "rule",
        "false confirmations": "false confirmations",
        "of all": lambda row: f"{row['false %']:.3f} %" if row["false %"] < 10 else f"{row['false %']:.1f} %",
        "done, never confirmed": lambda row: f"{row['done, never confirmed %']:.2f} %",
        "later than the truth": lambda row: f"{row['later than the truth, median s']:.2f} s",
        "99 % of them": lambda row: f"{row['99 % s']:.2f} s",
    }
    return shown(table(data, "rule_table", "rules"), columns)


def growth(data: Figures, _: str) -> str:
    """Times and reads, a table for each way."""
    columns: dict[str, str | Cell] = {
        "symbols": "symbols",
        "flat (bound) s": lambda row: f"{row['flat s']:.2f} ({row['bound s']:.2f})",
        "cleared (bound) s": lambda row: f"{row['cleared s']:.2f} ({row['cleared bound s']:.2f})",
        "confirmed (bound) s": lambda row: f"{row['confirmed s']:.2f} ({row['confirmed bound s']:.2f})",
        "reads a symbol": "reads a symbol",
        "of the read quota": lambda row: f"{row['% of the read quota']:.0f} %",
    }
    found = data.get("growth", {}).get("tables", {}).items()
    return "\n".join(f"**{title}**\n\n{shown(rows, columns)}" for title, rows in found)


def stops(data: Figures, _: str) -> str:
    """A stop of everything, and other ways."""
    columns: dict[str, str | Cell] = {
        "symbols x orders": "symbols x orders",
        **{f"{each} s": each for each in ("bound", "flat", "cleared", "proven")},
        "flat by bound": "flat/bound",
        "one command a symbol s": "by symbol",
        "one an order s": "one by one",
    }
    return shown(data.get("time_to_flat", {}).get("rows", []), columns)


def starts(data: Figures, _: str) -> str:
    """Import, first command and memory."""
    columns: dict[str, str | Cell] = {
        "client": "client",
        "import, cpu s": lambda row: f"{row['import cpu s']:.2f} ({row['least']:.2f}–{row['most']:.2f})",
        "first command ms": "first command ms",
        "of it cpu ms": "of it cpu ms",
        "memory, MB": "memory MB",
    }
    return shown(table(data, "footprint", "a fresh process"), columns)


def pushes(data: Figures, _: str) -> str:
    """One push, by how many come at a time."""
    return pivot(table(data, "push_cost", "One order push"), "side", "at a time", ratio_us)


def listeners(data: Figures, _: str) -> str:
    """Who listens, for both kinds of call."""
    found: dict[str, Row] = {}
    kinds = list(data.get("listening_cost", {}).get("tables", {}).items())
    for title, rows in kinds:
        for row in rows:
            found.setdefault(row["who listens"], {"who listens": row["who listens"]})[title] = row
    columns: dict[str, str | Cell] = {"who listens": "who listens"}
    for title, _rows in kinds:
        columns[title] = lambda row, title=title: f"{spread(row[title])}, {number(round(row[title]['cpu us']))} µs"
    return shown(list(found.values()), columns)


BLOCKS: dict[str, Callable[[Figures, str], str]] = {
    "header": header,
    "picture": picture,
    "tables": tables,
    "goals": goals,
    "stack": stack,
    "uvloop": uvloop,
    "versions": versions,
    "profile": profile,
    "latency": latency,
    "own": own,
    "arrivals": arrivals,
    "waiters": waiters,
    "rules": rules,
    "growth": growth,
    "stops": stops,
    "starts": starts,
    "pushes": pushes,
    "listeners": listeners,
}
