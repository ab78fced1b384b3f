"""
What a signed command and a page of finished orders cost, through this client and through others.

A raw server in a process of its own keeps one core, the clients share the other: one process for each client and loop,
which is idle unless it is its turn. In every round each of them makes the same calls, in another order; what counts is
the ratio of its processor time to that of bare aiohttp with hmac and orjson, on the same loop, in the same round.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _common import arguments, cores, machine, ratio, report, server, sized, where
from _contenders import present
from _worker import Worker, workers

BASE = "bare aiohttp"
KINDS = {
    "place": "signed command (place-order)",
    "page1": "history page of 1",
    "page10": "history page of 10",
    "page100": "history page of 100",
}
# What only this client has, and what it is compared with.
BESIDE = "ours, other version"
OWN = {
    "looked": ("page of 100 as the watcher reads it", "page100"),
    "proven": ("place_order with its handle, proven", "place"),
}
Key = tuple[str, str, str, int]
PACKAGES = ("ccxt", "httpx", "pybotters", "pydantic", "typed-bitget", "uvloop")


@dataclass
class Series:
    """What the rounds of one contender, loop, kind and number in flight have cost."""

    cpu_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, found: dict[str, float]) -> None:
        """One round more."""
        for name, value in found.items():
            getattr(self, name).append(value)


def plan(in_flights: list[int], own: bool) -> list[tuple[str, int]]:
    """Kinds of calls and how many at a time. What only we have is measured where it is usual."""
    found = [(kind, each) for kind in KINDS for each in in_flights]
    return [*found, *((kind, each) for kind in OWN for each in in_flights if each == 10)] if own else found


def calls_of(kind: str, calls: int) -> int:
    """A page of 100 takes longer."""
    return max(1, calls // 3) if kind in ("page100", "looked") else calls


def measure(made: list[Worker], rounds: int, calls: int, in_flights: list[int]) -> dict[Key, Series]:
    """All rounds: each kind of call in turn, and for each of them every worker in turn."""
    rng, found = random.Random(1), dict[Key, Series]()
    for number in range(rounds + 1):
        for kind, in_flight in plan(in_flights, own=True):
            turn = [each for each in made if kind not in OWN or each.name in ("ours", BESIDE)]
            for worker in rng.sample(turn, len(turn)):
                spent = worker.spent(kind, in_flight, max(in_flight, calls_of(kind, calls)))
                # The first round is not counted: code and caches are cold.
                if number:
                    found.setdefault((worker.name, worker.loop, kind, in_flight), Series()).add(spent)
    return found


def row(found: dict[Key, Series], key: Key, base: Key) -> dict[str, Any]:
    """One line of a table."""
    mine, other = found[key], found[base]
    ratios = ratio(mine.cpu_us, other.cpu_us)
    return {
        "client": key[0],
        "in flight": key[3],
        "cpu ratio": ratios["ratio"],
        "least": ratios["least"],
        "most": ratios["most"],
        "cpu us": round(statistics.median(mine.cpu_us)),
        "wall us": round(statistics.median(mine.wall_us)),
        "p50 ms": statistics.median(mine.p50_ms),
        "p99 ms": statistics.median(mine.p99_ms),
    }


def sections(found: dict[Key, Series], names: list[str], loops: list[str], in_flights: list[int]) -> dict[str, Any]:
    """All tables."""
    tables: dict[str, list[dict[str, Any]]] = {}
    mine = [name for name in names if name in ("ours", BESIDE)]
    own = [each for kind, each in plan(in_flights, own=True) if kind == "proven"]
    for loop in loops:
        for kind, title in KINDS.items():
            tables[f"{title}, {loop}"] = [
                row(found, (name, loop, kind, each), (BASE, loop, kind, each)) for each in in_flights for name in names
            ]
        for kind, (title, base) in OWN.items():
            tables[f"{title}, {loop}"] = [
                row(found, (name, loop, kind, each), (BASE, loop, base, each)) for each in own for name in mine
            ]
    if BESIDE in names:
        tables["this version beside the other"] = beside(found, loops, in_flights)
    if "uvloop" in loops and "asyncio" in loops:
        tables["uvloop beside asyncio"] = loop_ratios(found, names, in_flights)
    return {title: rows for title, rows in tables.items() if rows}


def beside(found: dict[Key, Series], loops: list[str], in_flights: list[int]) -> list[dict[str, Any]]:
    """Two versions of this package, kind by kind."""
    rows = []
    for loop in loops:
        for kind, each in plan(in_flights, own=True):
            now, other = found["ours", loop, kind, each].cpu_us, found[BESIDE, loop, kind, each].cpu_us
            costs = {"us": round(statistics.median(now)), "other us": round(statistics.median(other))}
            title = KINDS[kind] if kind in KINDS else OWN[kind][0]
            rows.append({"call": title, "in flight": each, "loop": loop, **ratio(now, other), **costs})
    return rows


def loop_ratios(found: dict[Key, Series], names: list[str], in_flights: list[int]) -> list[dict[str, Any]]:
    """What the other loop saves each client."""
    rows = []
    for kind in ("place", "page100"):
        for each in in_flights:
            for name in names:
                ratios = ratio(found[name, "uvloop", kind, each].cpu_us, found[name, "asyncio", kind, each].cpu_us)
                rows.append({"client": name, "call": KINDS[kind], "in flight": each, **ratios})
    return rows


NOTES = """\
cpu ratio   processor time of the client, by that of bare aiohttp + hmac + orjson on the same loop in the same round:
            the median of the rounds, then the least and the most
cpu, wall   processor time of the client process, and time on the clock, microseconds a call (medians)
p50, p99    from the call to its result, milliseconds (medians of the rounds)
bare aiohttp and raw asyncio give dicts of texts, so does pybotters; ours gives frozen records with Decimal amounts,
typed-bitget dicts with Decimal, ccxt dicts with floats. Pacing is off everywhere."""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="paired rounds")
    parser.add_argument("--calls", type=int, help="calls a round (a third of it for pages of 100)")
    parser.add_argument("--in-flight", type=int, nargs="+", help="callers at once (1, 10 and 100)")
    parser.add_argument("--clients", nargs="+", help="which (all that are installed)")
    parser.add_argument("--loops", nargs="+", help="asyncio, uvloop (both, where that is installed)")
    parser.add_argument("--beside", type=Path, help="folder of another version of this package: one contender more")
    args = parser.parse_args()
    run(args)


def run(args: argparse.Namespace) -> None:
    """The same with what was asked for."""
    rounds = args.rounds or sized(args, 11, 5, 1)
    calls = args.calls or sized(args, 100, 60, 3)
    in_flights = args.in_flight or sized(args, [1, 10, 100], [1, 10], [1])
    loops = args.loops or (["asyncio", "uvloop"] if find_spec("uvloop") and not args.tiny else ["asyncio"])
    names = args.clients or sized(args, present(), present(), ["ours", BASE, "raw asyncio"])
    if BASE not in names:
        sys.exit(f"{BASE} is what the others are compared with: name it too")
    header, (mine, other) = machine(PACKAGES), cores()
    elsewhere = {BESIDE: args.beside} if args.beside else {}
    names = [*names, *elsewhere]
    with server(other) as base_url, workers(names, loops, base_url, mine, elsewhere) as made:
        found = measure(made, rounds, calls, in_flights)
    header["spread"] = (
        f"{rounds} paired rounds of {calls} calls ({calls_of('page100', calls)} pages of 100), {where(mine)}"
    )
    report(args, header, sections(found, names, loops, in_flights), NOTES)


if __name__ == "__main__":
    main()
