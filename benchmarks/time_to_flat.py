"""
How long until nothing is open: `cancel_all_orders`, beside one cancel-symbol-order a symbol and one cancel-order an
order, and beside the lower bound that the quotas allow.

The real client against the simulator, in virtual time, 40 ms round trip; the exchange tells when the last order ended.
Writes docs/measured/time_to_flat.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from _common import dump, machine, show

sys.path.insert(0, str(Path(__file__).parent.parent))

from bitget_async import BitgetClient, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import BATCH_CANCEL_ORDER, CANCEL_ORDER, CANCEL_SYMBOL_ORDER
from bitget_async.sim import Settings, SimulatedExchange
from bitget_async.stopping import Quota, Quotas, Stoppable, bound_ns
from tests.conftest import client_of, run_virtual
from tests.scale.crowds import listed

ROOT = Path(__file__).parent.parent
CASES = ((10, 5), (40, 1), (200, 1), (200, 20), (1000, 3))
# Those whose orders stand in mixed order, so that each page of open orders shows some of many symbols.
MIXED = ((200, 20), (1000, 3))
# So many are run in the other two ways too; of the larger ones, which take minutes, the course is known.
SIMULATED = CASES[:3]
WAY_S = 0.02
# From the answer to the end of the orders: the same for all commands, so that the table compares the clients.
EXECUTION_S = 0.1
NOTES = """\
bound      what the quotas allow with 1 s between two uses of a token, all of them free and every order known at once,
           after the first page of the listing, but no order before its page (a round trip each); and the way of the
           last command with its execution;
           a token of ours is free again 1.004 s after the ANSWER, so that no window of the exchange is ever broken:
           that is a round trip more for each second
planned    the same by the client's own plan, made for its own tokens, when all open orders were known
flat       seconds from the call until the last order had ended, as the exchange tells
cleared    until the handle said so; proven: until the report stood
by symbol  flat with one cancel_symbol_orders a symbol; one by one: with one cancel_order an order
how        whether these two were run, or are arithmetic: bursts of a quota, 1.05 s apart
worst      most commands of one endpoint in any second, as the exchange counts, and answers 429"""


def bound_s(symbols: int, orders: int) -> float:
    """The lower bound for that book."""
    book = [Stoppable(f"{place}-{each}", f"X{place}") for place in range(symbols) for each in range(orders)]
    rows = (CANCEL_SYMBOL_ORDER, BATCH_CANCEL_ORDER, CANCEL_ORDER)
    free = [Quota(row.short, (0,) * row.quota.per_s) for row in rows]
    none = Quota("none", ())
    sent_s = bound_ns(book, Quotas(*free, none, none)) / 1e9
    # Each page of open orders is asked for with the last id of the page before.
    listed_s = 2 * WAY_S * -(-len(book) // 100)
    return max(sent_s + 2 * WAY_S, listed_s) + WAY_S + EXECUTION_S


async def flat(exchange: SimulatedExchange, began_ns: int, ids: list[str]) -> float:
    """When the last of them ended, seconds from the beginning."""
    ended = [exchange.truth.orders[each].final_ns for each in ids]
    while None in ended:
        await asyncio.sleep(0.1)
        ended = [exchange.truth.orders[each].final_ns for each in ids]
    return (max(each for each in ended if each is not None) - began_ns) / 1e9


async def stop(exchange: SimulatedExchange, client: BitgetClient, began_ns: int, ids: list[str]) -> dict[str, Any]:
    """The stop, to its report."""
    pending = await client.cancel_all_orders(confirm_within_s=300)
    known_s = (VirtualClock().monotonic_ns() - began_ns) / 1e9
    planned_s = known_s + pending.eta_s + WAY_S + EXECUTION_S
    _ = await pending.cleared()
    cleared_s = (VirtualClock().monotonic_ns() - began_ns) / 1e9
    report = await pending.settled()
    assert report.outcome is Outcome.CONFIRMED, (report.outcome, report.reason, report.anomalies)
    proven_s = (VirtualClock().monotonic_ns() - began_ns) / 1e9
    flat_s = await flat(exchange, began_ns, ids)
    truth = exchange.truth
    worst = [truth.worst_second(row.short) for row in (CANCEL_SYMBOL_ORDER, BATCH_CANCEL_ORDER, CANCEL_ORDER)]
    return {
        "planned": planned_s,
        "flat": flat_s,
        "cleared": cleared_s,
        "proven": proven_s,
        "commands": report.attempts,
        "worst": "/".join(map(str, worst)) + f", {truth.answers_429}",
    }


async def others(
    exchange: SimulatedExchange, client: BitgetClient, began_ns: int, ids: list[str], way: str
) -> dict[str, Any]:
    """Every command at once, as a program without a planner would send them; the limiter lets them through."""
    truth = exchange.truth.orders
    if way == "by symbol":
        calls: list[Any] = [
            client.cancel_symbol_orders(each, snapshot="none") for each in sorted({truth[one].symbol for one in ids})
        ]
    else:
        calls = [client.cancel_order(truth[one].symbol, order_id=one) for one in ids]
    _ = await asyncio.gather(*calls)
    return {"flat": await flat(exchange, began_ns, ids)}


def measure(symbols: int, orders: int, way: str, *, shuffled: bool) -> dict[str, Any]:
    """One run."""

    async def main(names: list[str]) -> dict[str, Any]:
        settings = Settings(
            request_latency_s=WAY_S, answer_latency_s=WAY_S, sweep_delay_s=EXECUTION_S, cancel_delay_s=EXECUTION_S
        )
        made = SimulatedExchange(3, clock=VirtualClock(), settings=settings, keep_headers=False)
        async with made as exchange, client_of(exchange) as client:
            places = [name for name in names for _ in range(orders)]
            if shuffled:
                random.Random(1).shuffle(places)
            ids = [exchange.rest(name, 1, age_s=60)[0] for name in places]
            _ = await client.market.server_time()
            began_ns = VirtualClock().monotonic_ns()
            if way == "stop":
                return await stop(exchange, client, began_ns, ids)
            return await others(exchange, client, began_ns, ids, way)

    with listed(symbols) as names:
        found: dict[str, Any] = run_virtual(lambda: main(names), debug=False)
    return found


def computed(way: str, symbols: int, orders: int) -> float:
    """
    The same by arithmetic, for runs of minutes whose course is known: bursts of a quota, a hold apart.
    """
    count, quota = (symbols, 5) if way == "by symbol" else (symbols * orders, 10)
    return (-(-count // quota) - 1) * (1.004 + 2 * WAY_S) + WAY_S + EXECUTION_S


def line(symbols: int, orders: int, *, shuffled: bool, simulate_all: bool) -> dict[str, Any]:
    """One row of the table."""
    began_s = time.process_time()
    found = measure(symbols, orders, "stop", shuffled=shuffled)
    bound = bound_s(symbols, orders)
    run = simulate_all or ((symbols, orders) in SIMULATED and not shuffled)
    beside = {
        way: measure(symbols, orders, way, shuffled=shuffled)["flat"] if run else computed(way, symbols, orders)
        for way in ("by symbol", "one by one")
    }
    row = {"symbols x orders": f"{symbols}x{orders}" + (", mixed" if shuffled else ""), "bound": round(bound, 2)}
    row |= {name: round(each, 2) if isinstance(each, float) else each for name, each in found.items()}
    row["flat/bound"] = round(found["flat"] / bound, 3)
    row |= {name: round(each, 2) for name, each in beside.items()}
    row["how"] = "run" if run else "arithmetic"
    row["cpu s"] = round(time.process_time() - began_s, 1)
    print(row, file=sys.stderr, flush=True)
    return row


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    _ = parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    _ = parser.add_argument("--quick", action="store_true", help="the small books only, and no file")
    _ = parser.add_argument("--simulate-all", action="store_true", help="run the other ways too, not by arithmetic")
    given = parser.parse_args()
    cases = CASES[:3] if given.quick else CASES
    rows = [line(*case, shuffled=False, simulate_all=given.simulate_all) for case in cases]
    rows += [line(*case, shuffled=True, simulate_all=given.simulate_all) for case in MIXED if case in cases]
    header = machine()
    body = {"round_trip_ms": 2 * WAY_S * 1000, "execution_s": EXECUTION_S, "rows": rows}
    if not given.quick:
        (ROOT / "docs" / "measured" / "time_to_flat.json").write_text(
            json.dumps({**header, **body}, indent=1) + "\n", encoding="utf-8"
        )
    if given.json:
        dump(header, body)
    else:
        show(header, [("seconds until nothing is open", rows)], NOTES)


if __name__ == "__main__":
    main()
