"""
Time until nothing is open, until that is seen, and until it is proven, and the reads that it takes, as symbols grow.

One order rests on each of 1, 10, 100 and 1000 symbols, and all are cancelled at once: by symbol, with a handle each; by
one stop of everything; and by symbol with a poller for each handle, as a program without a shared watcher would do it.
The real client against the simulator, in virtual time, 40 ms round trip; the exchange tells when the last order ended.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _common import arguments, machine, report, sized

sys.path.insert(0, str(Path(__file__).parent.parent))

from bitget_async import BitgetClient, Order, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS
from bitget_async.pages import Pages
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual
from tests.scale.crowds import listed

WAY_S = 0.02
EXECUTION_S = 0.1
STALENESS_S = 2.0
COMMANDS_PER_S = CANCEL_SYMBOL_ORDER.quota.per_s
READS_PER_S = UNFILLED_ORDERS.quota.per_s
READS = ("unfilled-orders", "history-orders", "orderInfo")
LATEST_S = 600


def bounds(symbols: int) -> dict[str, float]:
    """What the quota of the commands allows: when all can have ended, be seen to have, and be proven."""
    last_s = (-(-symbols // COMMANDS_PER_S) - 1) * 1.0
    flat_s = last_s + WAY_S + EXECUTION_S
    return {"flat": flat_s, "cleared": flat_s + WAY_S, "confirmed": last_s + STALENESS_S + 2 * WAY_S}


class Times:
    """The moments of one run, seconds from its beginning."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.ids = tuple(exchange.truth.orders)
        self.began_ns = VirtualClock().monotonic_ns()
        self.asked = self.reads
        self.cleared: list[float] = []
        self.confirmed: list[float] = []

    @property
    def now_s(self) -> float:
        """Now."""
        return (VirtualClock().monotonic_ns() - self.began_ns) / 1e9

    @property
    def reads(self) -> dict[str, int]:
        """What the exchange was asked so far."""
        return {name: self.exchange.truth.count(name) for name in READS}

    def row(self, symbols: int) -> dict[str, Any]:
        """One line of a table."""
        ended = [self.exchange.truth.orders[each].final_ns for each in self.ids]
        flat_s = (max(each for each in ended if each is not None) - self.began_ns) / 1e9
        spent = {name: count - self.asked[name] for name, count in self.reads.items()}
        bound, over_s = bounds(symbols), max(self.confirmed)
        return {
            "symbols": symbols,
            "flat s": flat_s,
            "bound s": bound["flat"],
            "cleared s": max(self.cleared) if self.cleared else None,
            "cleared bound s": bound["cleared"],
            "confirmed s": over_s,
            "confirmed bound s": bound["confirmed"],
            "confirmed / bound": over_s / bound["confirmed"],
            "reads": sum(spent.values()),
            "reads a symbol": sum(spent.values()) / symbols,
            "% of the read quota": 100 * max(spent.values()) / (READS_PER_S * over_s),
        }


async def by_symbol(client: BitgetClient, names: list[str], times: Times) -> None:
    """A handle for each symbol."""

    async def one(name: str) -> None:
        pending = await client.cancel_symbol_orders(name)
        _ = await pending.cleared()
        times.cleared.append(times.now_s)
        report = await pending
        assert report.outcome is Outcome.CONFIRMED
        times.confirmed.append(times.now_s)

    _ = await asyncio.gather(*(one(name) for name in names))


async def stop(client: BitgetClient, names: list[str], times: Times) -> None:
    """One stop of everything: not by symbol alone, so its flat can come before that bound."""
    pending = await client.cancel_all_orders(confirm_within_s=LATEST_S)
    _ = await pending.cleared()
    times.cleared.append(times.now_s)
    report = await pending.settled()
    assert report.outcome is Outcome.CONFIRMED
    times.confirmed.append(times.now_s)


async def until(read: Callable[[], Pages[Order]], *, empty: bool) -> None:
    """Read four times a second until the answer is empty, or is not."""
    found = not empty
    while found is not empty:
        await asyncio.sleep(0.25)
        found = not await read()


async def pollers(client: BitgetClient, names: list[str], times: Times) -> None:
    """What a program would write by hand: a command and a poller for each symbol; a listing, then the history."""

    async def one(name: str) -> None:
        # The client does not give the bare command away.
        _ = await client._open().session.command(CANCEL_SYMBOL_ORDER, {"symbol": name})
        await until(lambda: client.unfilled_orders(name), empty=True)
        times.cleared.append(times.now_s)
        await until(lambda: client.history_orders(name), empty=False)
        times.confirmed.append(times.now_s)

    _ = await asyncio.gather(*(one(name) for name in names))


WAYS = {
    "cancel_symbol_orders, a handle a symbol": by_symbol,
    "cancel_all_orders, one stop": stop,
    "a poller a symbol, by hand": pollers,
}


def measure(way: str, symbols: int) -> dict[str, Any]:
    """One run."""

    async def main(names: list[str]) -> dict[str, Any]:
        settings = Settings(
            request_latency_s=WAY_S, answer_latency_s=WAY_S, sweep_delay_s=EXECUTION_S, cancel_delay_s=EXECUTION_S
        )
        made = SimulatedExchange(3, clock=VirtualClock(), settings=settings, keep_headers=False)
        async with made as exchange, client_of(exchange) as client:
            for name in names:
                _ = exchange.rest(name, 1, age_s=60)
            _ = await client.market.server_time()
            times = Times(exchange)
            await WAYS[way](client, names, times)
            return times.row(symbols)

    with listed(symbols) as names:
        found: dict[str, Any] = run_virtual(lambda: main(names), debug=False)
    return found


NOTES = """\
flat        the last order has ended, as the exchange tells; bound: five commands a second, and the way of the last one
            with its execution (0.1 s); a stop may come before it, for it also uses the quotas of other commands
cleared     every handle knows a listing without its orders; bound: such a listing, served as the last order ends
confirmed   every handle is CONFIRMED; bound: a listing asked for 2 s (the assumed staleness) after the last signing
% of quota  of the endpoint that was asked most, of its 20 a second from the first call until the last was confirmed
A poller believes a listing whatever its age and the first row of the history: it is later and proves less."""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--symbols", type=int, nargs="+", help="how many symbols (1, 10, 100 and 1000)")
    run(parser.parse_args())


def run(args: argparse.Namespace) -> None:
    """The same with what was asked for."""
    counts = args.symbols or sized(args, [1, 10, 100, 1000], [1, 10, 100], [1])
    header, began = machine(), time.perf_counter()
    sections = {way: [measure(way, symbols) for symbols in counts] for way in WAYS}
    header["spread"] = f"one seed a line, virtual time, {time.perf_counter() - began:.1f} s real time"
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
