"""
The pictures of docs/performance.md, drawn from what the benchmarks found.

Each is an SVG with nothing in it that changes from one drawing to the next: no date, no random names, texts as texts.
It carries a digest of the figures that it shows, so that a test can tell a stale one without drawing it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]

# Okabe and Ito: told apart by those who see fewer colours, and in print.
BLUE, ORANGE, GREEN, RED, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#6b7280"
INK, FAINT = "#1f2937", "#e5e7eb"
STYLE = {
    "svg.hashsalt": "bitget_async",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
LIMIT = 5
# Between two names beside a logarithmic axis, in decades.
APART = 0.29
# Another version of this package, which has a section of its own.
BESIDE = "ours, other version"


def table(data: Figures, name: str, begins: str) -> list[dict[str, Any]]:
    """The table of a benchmark whose title begins so, or nothing; without the other version of this package."""
    tables = data.get(name, {}).get("tables", {})
    rows = next((rows for title, rows in tables.items() if title.startswith(begins)), [])
    return [row for row in rows if row.get("client") != BESIDE]


# -- what is drawn ------------------------------------------------------------------------------------------------


def arrivals(data: Figures) -> Any:
    """Moments at the server, by limiter, those of a few that differ."""
    return [[row["limiter"], row["at_s"]] for row in table(data, "limiter_arrivals", "moments")]


def waiters(data: Figures) -> Any:
    """Cost of a grant by how many wait."""
    rows = table(data, "limiter_arrivals", "a grant")
    return [[row["limiter"], [[each, row[f"us, {each:,}"]] for each in (1, 100, 10_000)]] for row in rows]


def flat(data: Figures) -> Any:
    """Time to flat and the bound, by symbols."""
    names = ("cancel_symbol_orders", "cancel_all_orders")
    return [
        [name, [[row["symbols"], row["flat s"], row["bound s"], row["confirmed s"]] for row in found]]
        for name in names
        if (found := table(data, "growth", name))
    ]


def rules(data: Figures) -> Any:
    """False confirmations by rule."""
    rows = table(data, "rule_table", "rules")
    return [[row["rule"], row["false confirmations"], row["false %"]] for row in rows]


def ratios(data: Figures) -> Any:
    """Ratios with their spread, ten in flight."""
    return [
        [
            title,
            [[row["client"], row["cpu ratio"], row["least"], row["most"]] for row in rows if row["in flight"] == 10],
        ]
        for title in ("signed command (place-order), asyncio", "history page of 100, asyncio")
        if (rows := table(data, "stack_overhead", title))
    ]


def sequence(data: Figures) -> Any:
    """The steps of one cancellation."""
    return table(data, "sequence", "one confirmed")


# -- how ----------------------------------------------------------------------------------------------------------


def draw_arrivals(plt: Any, drawn: Any) -> Any:
    """A line for each limiter; what arrives as the sixth or later of a second is marked."""
    figure, axes = plt.subplots(figsize=(8.6, 0.42 * len(drawn) + 1.7))
    within, beyond = {"s": 30, "color": BLUE, "marker": "|", "linewidths": 1.6}, {"s": 30, "color": RED, "marker": "x"}
    for at, (_, moments) in enumerate(reversed(drawn)):
        over = [sum(each - 1.0 < other <= each for other in moments) > LIMIT for each in moments]
        good = [each for each, bad in zip(moments, over, strict=True) if not bad]
        bad = [each for each, bad in zip(moments, over, strict=True) if bad]
        axes.scatter(good, [at] * len(good), **within, label=None if at else "within the limit")
        axes.scatter(bad, [at] * len(bad), **beyond, label=None if at else "sixth or later in one second")
        axes.text(13.6, at, f"{len(bad)} of {len(moments)}" if bad else "none", va="center", color=RED if bad else BLUE)
    axes.set_yticks(range(len(drawn)), [name for name, _ in reversed(drawn)])
    axes.set_xlim(-0.2, 13.4)
    axes.set_xticks(range(14))
    axes.set_xlabel("seconds since fifty callers asked at once, as the server processes them")
    axes.text(13.6, len(drawn) - 0.2, "too many", va="center", color=GREY)
    axes.set_ylim(-0.6, len(drawn) - 0.2)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderpad=0, handletextpad=0.2)
    axes.grid(axis="x", color=FAINT)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_title("Fifty requests at a server that allows five a second, each way takes 0–300 ms", pad=30)
    return figure


def draw_waiters(plt: Any, drawn: Any) -> Any:
    """Cost by crowd, both logarithmic."""
    figure, axes = plt.subplots(figsize=(8.6, 3.6))
    ends: list[tuple[float, str, str]] = []
    for name, points in drawn:
        ours = name.startswith("bitget_async")
        colour = BLUE if ours else GREY
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour,
            marker="o",
            markersize=5 if ours else 3.5,
            linewidth=2.4 if ours else 1.1,
            zorder=3 if ours else 2,
        )
        ends.append((points[-1][1], name, colour))
    label_ends(axes, 13_000, ends)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.8, 600_000)
    axes.set_ylim(3, 300_000)
    axes.set_xticks([1, 100, 10_000], ["1", "100", "10,000"])
    axes.minorticks_off()
    axes.set_xlabel("callers that wait")
    axes.set_ylabel("processor time a grant, µs")
    axes.grid(axis="y", color=FAINT)
    axes.set_axisbelow(True)
    axes.set_title("What a grant costs while others wait")
    return figure


def label_ends(axes: Any, x: float, ends: list[tuple[float, str, str]]) -> None:
    """Names at the ends of lines, moved apart on a logarithmic axis as little as they must be."""
    ends = sorted(ends)
    places = [math.log10(y) for y, *_ in ends]
    for _ in range(200):
        for at in range(len(places) - 1):
            missing = (APART - (places[at + 1] - places[at])) / 2
            if missing > 0:
                places[at], places[at + 1] = places[at] - missing, places[at + 1] + missing
    for (y, name, colour), place in zip(ends, places, strict=True):
        axes.plot([x * 0.78, x * 1.1], [y, 10**place], color=colour, linewidth=0.6, alpha=0.6)
        axes.text(x * 1.2, 10**place, name, color=colour, va="center", fontsize=9)


def draw_flat(plt: Any, drawn: Any) -> Any:
    """Seconds by symbols, both logarithmic: what was measured as points, the bound as a line."""
    figure, axes = plt.subplots(figsize=(8.6, 3.9))
    shown = (("a handle a symbol", BLUE, "o"), ("one stop of everything", GREEN, "s"))
    for (_, points), (name, colour, marker) in zip(drawn, shown, strict=True):
        counts = [point[0] for point in points]
        axes.plot(counts, [point[1] for point in points], color=colour, marker=marker, label=f"{name}: flat")
        axes.plot(
            counts,
            [point[3] for point in points],
            color=colour,
            marker=marker,
            markerfacecolor="white",
            linestyle=":",
            label=f"{name}: proven",
        )
    counts, limits = [point[0] for point in drawn[0][1]], [point[2] for point in drawn[0][1]]
    axes.plot(counts, limits, color=INK, linewidth=5, alpha=0.18, label="bound: five commands a second", zorder=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.minorticks_off()
    axes.set_xlabel("symbols, one open order each")
    axes.set_ylabel("seconds from the call")
    axes.grid(color=FAINT)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", fontsize=9)
    axes.set_title("Until the last order has ended, and until that is proven")
    return figure


def draw_rules(plt: Any, drawn: Any) -> Any:
    """Bars on a logarithmic axis; none is none."""
    figure, axes = plt.subplots(figsize=(8.6, 0.4 * len(drawn) + 1.2))
    for at, (_, count, share) in enumerate(reversed(drawn)):
        axes.barh(at, max(count, 0.5) - 0.5, left=0.5, color=RED if count else BLUE, height=0.6)
        text = f"{count:,}  ({share:.2g} %)" if count else "none"
        axes.text(max(count, 0.5) * 1.25, at, text, va="center", color=INK if count else BLUE)
    axes.set_xscale("log")
    axes.set_xlim(0.5, 3_000_000)
    axes.set_xticks([1, 10, 100, 1000, 10_000, 100_000], ["1", "10", "100", "1,000", "10,000", "100,000"])
    axes.minorticks_off()
    axes.set_yticks(range(len(drawn)), [name for name, _, _ in reversed(drawn)])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT)
    axes.set_axisbelow(True)
    axes.set_xlabel("cancellations taken for done while an order was open (logarithmic)")
    axes.set_title("False confirmations by rule")
    return figure


def draw_ratios(plt: Any, drawn: Any) -> Any:
    """A point and its spread for each client, the yardstick as a line."""
    figure, panels = plt.subplots(1, len(drawn), figsize=(8.6, 2.9), sharey=True, squeeze=False)
    for axes, (title, rows) in zip(panels[0], drawn, strict=True):
        for at, (name, middle, least, most) in enumerate(reversed(rows)):
            colour = BLUE if name == "ours" else GREY
            axes.plot([least, most], [at, at], color=colour, linewidth=3, alpha=0.35, solid_capstyle="round")
            axes.plot([middle], [at], color=colour, marker="o", markersize=7 if name == "ours" else 5)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            axes.text(most * 1.2, at, f"{middle:.2f}", va="center", color=colour, fontsize=9, bbox=box)
        axes.axvline(1.0, color=INK, linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xlim(0.12, 60)
        axes.set_xticks([0.2, 0.5, 1, 2, 5, 10, 20], ["0.2", "0.5", "1", "2", "5", "10", "20"])
        axes.minorticks_off()
        axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=FAINT)
        axes.set_axisbelow(True)
        axes.set_xlabel("processor time, bare aiohttp = 1")
        axes.set_title(title.partition(",")[0].capitalize())
    return figure


def draw_sequence(plt: Any, drawn: Any) -> Any:
    """Three lines of life, a row for each step; time goes down, not to scale."""
    lanes = {"program": 0.0, "client": 1.0, "exchange": 2.0}
    figure, axes = plt.subplots(figsize=(8.6, 0.3 * len(drawn) + 1.0))
    bottom = len(drawn) - 0.4
    for name, x in lanes.items():
        axes.plot([x, x], [-0.4, bottom], color=FAINT, linewidth=1.5, zorder=1)
        axes.text(x, -1.0, name, ha="center", va="center", fontweight="bold")
    before = None
    for at, step in enumerate(drawn):
        start, end, what = lanes[step["from"]], lanes[step["to"]], step["what"]
        proof = start == end or "report" in what or "cleared" in what
        colour = GREEN if step["to"] != "exchange" and proof else RED if start == end else INK
        if start == end:
            axes.plot([start], [at], marker="o", markersize=5, color=colour, zorder=3)
            axes.text(start + 0.04, at, what, va="center", fontsize=8.5, color=colour)
        else:
            arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", xy=(end, at), xytext=(start, at), arrowprops=arrow)
            axes.text((start + end) / 2, at - 0.12, what, ha="center", va="bottom", fontsize=8.5, color=colour)
        if step["at_ms"] != before:
            before = step["at_ms"]
            axes.text(-0.32, at, f"{before:,} ms", ha="right", va="center", fontsize=8.5, color=GREY)
            if at:
                axes.plot([-0.3, 2.75], [at - 0.62, at - 0.62], color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_xlim(-0.62, 2.78)
    axes.set_ylim(bottom, -1.6)
    axes.axis("off")
    return figure


PICTURES: dict[str, tuple[Callable[[Figures], Any], Callable[[Any, Any], Any]]] = {
    "ratios": (ratios, draw_ratios),
    "arrivals": (arrivals, draw_arrivals),
    "waiters": (waiters, draw_waiters),
    "rules": (rules, draw_rules),
    "flat": (flat, draw_flat),
    "sequence": (sequence, draw_sequence),
}
MARK = "<!-- figures {} -->"


def digest(name: str, data: Figures) -> str:
    """Of what a picture shows."""
    shown = json.dumps(PICTURES[name][0](data), sort_keys=True)
    return MARK.format(hashlib.sha256(shown.encode()).hexdigest()[:16])


def drawable(data: Figures) -> list[str]:
    """The pictures whose figures are there."""
    return [name for name, (subject, _) in PICTURES.items() if subject(data)]


def svg(name: str, data: Figures) -> str:
    """One picture."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    subject, draw = PICTURES[name]
    with matplotlib.rc_context(STYLE):
        figure = draw(plt, subject(data))
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")
        plt.close(figure)
    drawn = re.sub(r"[ \t]+$", "", text.getvalue(), flags=re.MULTILINE)
    return drawn.replace("<svg ", f"{digest(name, data)}\n<svg ", 1)
