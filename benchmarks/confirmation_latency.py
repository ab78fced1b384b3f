"""
How long after the exchange has ended the last order does the client know, with the order stream and without it?

One client cancels a symbol's three orders, hundreds of times one after the other, in virtual time, with real aiohttp on
both sides. The exchange tells when the last order ended; from there on the time is taken to `cleared` and to
CONFIRMED. At round trips of 20, 80 and 200 ms, with an exchange whose listings are fresh, with one whose listings lag,
and with one that is slow.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Any

from _common import arguments, machine, report, sized

sys.path.insert(0, str(Path(__file__).parent.parent))

from bitget_async import BitgetClient, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual

ROUND_TRIPS_MS = (20, 80, 200)
SYMBOL = "BTCUSDT"
# Settings of the simulated exchange beside the round trip.
EXCHANGES: dict[str, dict[str, Any]] = {
    "fresh listings, the history 0.1-0.8 s behind": {"listing_lag_s": 0.0},
    "listings up to 0.3 s old, the history 0.1-0.8 s behind": {},
    "a slow exchange: executes 1-8 s after its answer, listings up to 0.3 s old, the history 2-6 s behind": {
        "sweep_delay_s": (1.0, 8.0),
        "history_lag_s": (2.0, 6.0),
    },
}
NOTES = """\
cleared     ms from the end of the last order at the exchange until `cleared()` returned
CONFIRMED   ms from there until the report stood; never before 2 s after the signing, for a listing may be that old
reads       requests that served one cancellation, by its report, without the command
all reads   everything that the exchange was asked, commands left out, a cancellation: also what the tracker of open
            orders reads for itself while the stream is on
pushes leave 5-30 ms after what they tell; all ways have a fifth of jitter, up or down"""


async def cancels(exchange: SimulatedExchange, client: BitgetClient, count: int) -> list[dict[str, float]]:
    """One after the other; what each took."""
    found = []
    # The first call opens the client, and with it the stream.
    _ = await (await client.cancel_symbol_orders(SYMBOL))
    await asyncio.sleep(5)
    for _ in range(count):
        ids = exchange.rest(SYMBOL, 3)
        await asyncio.sleep(0.5)
        pending = await client.cancel_symbol_orders(SYMBOL)
        clear = asyncio.create_task(_when(pending.cleared()))
        settled_ns = await _when(pending.settled())
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        ended_ns = max(exchange.truth.orders[each].final_ns or 0 for each in ids)
        reads = sum(report.requests.values()) - report.attempts
        found.append(
            {"cleared": (await clear - ended_ns) / 1e6, "confirmed": (settled_ns - ended_ns) / 1e6, "reads": reads}
        )
        exchange.forget(60)
    return found


async def _when(work: Any) -> int:
    """The moment at which it came."""
    _ = await work
    return VirtualClock().monotonic_ns()


def measure(round_trip_ms: int, count: int, seed: int, lags: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """One line of the table."""
    way_s = (round_trip_ms * 0.4 / 1000, round_trip_ms * 0.6 / 1000)
    settings = Settings(request_latency_s=way_s, answer_latency_s=way_s, socket_latency_s=way_s, **lags)

    async def main() -> tuple[list[dict[str, float]], int]:
        async with SimulatedExchange(seed, clock=VirtualClock(), settings=settings) as exchange:
            async with client_of(exchange, stream=stream, rng=random.Random(seed)) as client:
                found = await cancels(exchange, client, count)
            return found, exchange.truth.count() - exchange.truth.count("cancel-symbol-order")

    found, asked = run_virtual(main, debug=False)
    row: dict[str, Any] = {"round trip ms": round_trip_ms, "stream": "on" if stream else "off"}
    for name in ("cleared", "confirmed"):
        times = sorted(each[name] for each in found)
        row[f"{name} p50"] = times[len(times) // 2]
        row[f"{name} p99"] = times[-1 - len(times) // 100]
    row["reads"] = sum(each["reads"] for each in found) / count
    row["all reads"] = asked / count
    return row


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--cancels", type=int, help="cancels a line")
    parser.add_argument("--seed", type=int, default=1, help="decides all draws on both sides")
    args = parser.parse_args()
    count = args.cancels or sized(args, 200, 40, 1)
    header, began = machine(), time.perf_counter()
    sections: dict[str, list[dict[str, Any]]] = {}
    for title, lags in EXCHANGES.items():
        rows = [
            measure(round_trip_ms, count, args.seed, lags, stream=stream)
            for round_trip_ms in ROUND_TRIPS_MS
            for stream in (False, True)
        ]
        sections[f"{title} ({count} cancels a line)"] = rows
    header["spread"] = f"one seed a line, virtual time, {time.perf_counter() - began:.1f} s real time"
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
