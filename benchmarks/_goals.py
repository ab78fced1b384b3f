"""The goals, what was measured of each, and why one is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from _pictures import Figures, table

PEERS = ("pybotters", "ccxt", "typed-bitget")
OURS = "bitget_async LocalLimits"
SIZES = ("place-order", "of 1,", "of 10,", "of 100,")


@dataclass(frozen=True)
class Goal:
    """
    One goal.

    Attributes:
        work, goal: as they were set.
        found: what was measured, as text, and whether that meets it; `None`: nothing was measured.
        why: the reason, for the case that it is missed.
    """

    work: str
    goal: str
    found: Callable[[Figures], tuple[str, bool] | None]
    why: str = ""


def row_of(data: Figures, name: str, begins: str, **wanted: Any) -> dict[str, Any] | None:
    """The row of a table whose columns have these values."""
    rows = table(data, name, begins)
    named = {key.replace("_", " "): each for key, each in wanted.items()}
    return next((row for row in rows if named.items() <= row.items()), None)


def spread(row: dict[str, Any], key: str = "ratio") -> str:
    """A ratio with its spread."""
    middle, least, most = (f"{row[each]:,.{0 if row[each] >= 100 else 2}f}" for each in (key, "least", "most"))
    return f"{middle} ({least}–{most})"


def stack(begins: str, most: float) -> Callable[[Figures], tuple[str, bool] | None]:
    """Ours in a table of `stack_overhead`, ten in flight on asyncio."""

    def found(data: Figures) -> tuple[str, bool] | None:
        row = row_of(data, "stack_overhead", begins, client="ours", in_flight=10)
        return None if row is None else (f"{spread(row, 'cpu ratio')} ×", row["cpu ratio"] <= most)

    return found


def crowd(data: Figures) -> tuple[str, bool] | None:
    """A grant with ten thousand waiters, and the manners."""
    cost = row_of(data, "limiter_arrivals", "a grant", limiter=OURS)
    manners = row_of(data, "limiter_arrivals", "order", limiter=OURS)
    if cost is None or manners is None:
        return None
    text = f"{spread(cost)} ×; {manners['overtaken']} overtaken; {manners['lost']} lost"
    return text, cost["ratio"] <= 1.5 and manners["overtaken"] == 0 and manners["lost"] == "0"


def burst(data: Figures) -> tuple[str, bool] | None:
    """The first five and all fifty, with 40 ms and with 300 ms of round trip on average."""
    parts, good = [], True
    for title, trip_s in (("50 callers at once, 20 ms", 0.04), ("50 callers at once, each way", 0.3)):
        row = row_of(data, "limiter_arrivals", title, limiter=OURS)
        if row is None:
            return None
        # Nine seconds, and the ten round trips of the token that is used last: they are not mean ones.
        bound_s = row["bound s"] + trip_s
        good = good and row["first five ms"] < 5 and row["fifty s"] <= bound_s
        parts.append(f"{row['first five ms']:.1f} ms / {row['fifty s']:.2f} s of {bound_s:.2f} s")
    return "; ".join(parts), good


def start(data: Figures) -> tuple[str, bool] | None:
    """Import and memory."""
    row = row_of(data, "footprint", "a fresh process", client="ours")
    if row is None:
        return None
    text = f"{row['import cpu s']:.2f} s ({row['least']:.2f}–{row['most']:.2f}); {row['memory MB']:.0f} MB"
    return text, row["import cpu s"] <= 0.2 and row["memory MB"] <= 42


def push(data: Figures) -> tuple[str, bool] | None:
    """One push that wakes the loop."""
    row = row_of(data, "push_cost", "One order push", side="ours, to the record", at_a_time=1)
    many = row_of(data, "push_cost", "One order push", side="ours, to the record", at_a_time=50)
    if row is None or many is None:
        return None
    return f"{spread(row)} ×; fifty in one write {many['ratio']:.2f} ×", row["ratio"] <= 1.3


def reads(data: Figures) -> tuple[str, bool] | None:
    """A thousand symbols."""
    row = row_of(data, "growth", "cancel_symbol_orders", symbols=1000)
    if row is None:
        return None
    share = row["% of the read quota"]
    return f"{row['reads a symbol']:.2f} a symbol; {share:.0f} % of the quota", row[
        "reads a symbol"
    ] <= 0.5 and share <= 20


def dearer(data: Figures) -> Iterator[str]:
    """Every row in which a peer is cheaper."""
    for title, rows in data.get("stack_overhead", {}).get("tables", {}).items():
        ours = {row["in flight"]: row["cpu us"] for row in rows if row.get("client") == "ours" and "cpu us" in row}
        for row in rows:
            if row.get("client") in PEERS and "cpu us" in row and row["cpu us"] < ours[row["in flight"]]:
                yield f"{title}, {row['in flight']} in flight: {row['client']}"
    mine = row_of(data, "footprint", "a fresh process", client="ours")
    for row in table(data, "footprint", "a fresh process"):
        if mine is not None and row["client"] in PEERS:
            if row["import cpu s"] + row["of it cpu ms"] / 1e3 < mine["import cpu s"] + mine["of it cpu ms"] / 1e3:
                yield f"import and first command: {row['client']}"
            if row["memory MB"] < mine["memory MB"]:
                yield f"memory: {row['client']} {row['memory MB']:.0f} MB"
    for own in (row for row in table(data, "push_cost", "One order push") if row["side"] == "ours, to the record"):
        for row in table(data, "push_cost", "One order push"):
            peer = row["side"].startswith(("websockets", "picows")) and row["at a time"] == own["at a time"]
            if peer and row["ratio"] < own["ratio"]:
                yield f"a push, {row['at a time']} at a time: {row['side']} {row['ratio']:.2f} of {own['ratio']:.2f}"


def never(data: Figures) -> tuple[str, bool] | None:
    """No row in which a peer is cheaper."""
    if not table(data, "stack_overhead", "signed"):
        return None
    found = list(dearer(data))
    return ("; ".join(found) if found else "in none"), not found


GOALS = (
    Goal(
        "signed command through the whole stack, 10 in flight",
        "≤ 1.10 × bare aiohttp",
        stack("signed command (place-order), asyncio", 1.10),
        "what bare aiohttp does not do: parameters are checked, the answer is bounded and classified, the clock is set",
    ),
    Goal(
        "history page of 100 orders as typed records",
        "≤ 1.50 × bare aiohttp with orjson",
        stack("history page of 100, asyncio", 1.50),
        "500 amounts become `Decimal` and 100 records are made, while bare orjson hands out texts",
    ),
    Goal(
        "a watcher's read of that page (only what it needs)",
        "≤ 1.10 ×",
        stack("page of 100 as the watcher reads it, asyncio", 1.10),
        "it decodes whole orders: a final row is trusted only if every field of it can be read, and reports hold it "
        "([what is left](#what-was-won-and-what-it-cost))",
    ),
    Goal(
        "a grant with 10,000 waiters beside 1",
        "≤ 1.5 ×; 0 overtaken; 0 lost on cancel",
        crowd,
        "a place in the line costs a future and its wake-up",
    ),
    Goal(
        "first five commands / fifty commands",
        "< 5 ms / 9.0 s + 10 round trips",
        burst,
        "a token rests 4 ms longer than a second, so that no rounding of a clock breaks the limit, nine times in a row",
    ),
    Goal(
        "import CPU; resident memory after 1000 commands",
        "≤ 0.20 s; ≤ 42 MB",
        start,
        "aiohttp's own import is most of it (the row `bare aiohttp` under [weight](#weight))",
    ),
    Goal(
        "push from socket to record",
        "≤ 1.3 × aiohttp's bytes with orjson",
        push,
        "a push has nine amounts, which become `Decimal`",
    ),
    Goal(
        "reads to confirm 1000 symbols at 5/s",
        "≤ 0.5 a symbol, ≤ 20 % of the read quota",
        reads,
        "all thousand orders rest at once, so a listing of the account has five and a half pages on average; fewer "
        "looks would make `cleared` later",
    ),
    Goal(
        "ours never dearer than any peer in any row",
        "",
        never,
        "none of those makes records: picows hands frames that it reads in C to a callback, without a task in between, "
        "websockets ends at a dict of texts, and pybotters has neither typed records nor anything that proves an order",
    ),
)
