"""
How many quotes does a quoting loop lose to its own sweeps, with the fence and without it?

Thirty symbols, ten minutes of virtual time. On each symbol two quotes rest for 6 to 14 s, are cancelled by symbol, and
two new ones follow; two fifths of the quotes fill before that. The real client and the simulated exchange run with real
aiohttp on both sides. A quote is lost when a cancellation that was called before it took it; the exchange tells.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from _common import arguments, machine, report, sized

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.contracts.quoting import NETWORK, play

WAYS = {
    "wait for cleared, fence": {"cleared": True, "fence": True},
    "quote at once, fence": {"cleared": False, "fence": True},
    "wait for cleared, no fence": {"cleared": True, "fence": False},
    "quote at once, no fence": {"cleared": False, "fence": False},
}
NOTES = """\
lost            quotes that a cancellation took which was called before they were placed
named           those of them that stand in the cancellation's report as `placed_meanwhile`
commands        batch-orders and cancel-symbol-order, limited to 5 a second each; worst second: the larger of both
reads a round   unfilled-orders, history-orders and orderInfo for one round of a symbol: one cancellation proven, two
                quotes proven
gap s           from the call that cancels to the acknowledgement of the new quotes: median, and of one round in 100"""


def measure(name: str, seed: int, symbols: int, minutes: float) -> dict[str, Any]:
    """One way to quote."""
    way = WAYS[name]
    run = play(seed, symbols=symbols, minutes=minutes, fence=way["fence"], cleared=way["cleared"], **NETWORK)
    gaps = sorted(run.gap_s)
    return {
        "way": name,
        "quotes": run.quotes,
        "lost": run.lost,
        "named": run.named,
        "commands": run.commands,
        "worst second": max(run.worst_second["batch-orders"], run.worst_second["cancel-symbol-order"]),
        "reads": run.reads,
        "reads a round": run.reads_per_round,
        "gap s": statistics.median(gaps),
        "gap 99 % s": gaps[-1 - len(gaps) // 100],
    }


def main() -> None:
    """Run, and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides all draws on both sides")
    parser.add_argument("--symbols", type=int, default=30, help="how many symbols")
    args = parser.parse_args()
    minutes = sized(args, 10.0, 1.0, 0.2)
    header, began = machine(), time.perf_counter()
    rows = [measure(name, args.seed, args.symbols, minutes) for name in WAYS]
    header["spread"] = f"one seed a line, virtual time, {time.perf_counter() - began:.1f} s real time"
    title = f"{args.symbols} symbols for {minutes:g} minutes, each way takes 10-60 ms"
    report(args, header, {title: rows}, NOTES)


if __name__ == "__main__":
    main()
