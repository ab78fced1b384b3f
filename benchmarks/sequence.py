"""
One confirmed cancellation, as the client's own events tell it: what goes to the exchange, what comes back, and what is
known when. For the diagram in docs/performance.md.

The real client against the simulator, in virtual time, 40 ms round trip; three orders rest, and one of them fills
between the command and its execution. What happens at the exchange is the simulator's truth; all else are events.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

from _common import arguments, machine, report

sys.path.insert(0, str(Path(__file__).parent.parent))

from bitget_async import BitgetClient, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.events import Event, FateKnown, HandleChanged, RequestEnded, RequestStarted
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual

SYMBOL = "BTCUSDT"
CALL = f'cancel_symbol_orders("{SYMBOL}")'
TOLD = {
    "begun": ("program", "client", CALL),
    "answered": ("client", "program", "the handle: taken, not done"),
    "cleared": ("client", "program", "cleared(): none is listed any more"),
}


def step(event: Event) -> tuple[str, str, str] | None:
    """From whom, to whom and what; from and to the same: somebody learns something. `None`: not drawn."""
    if isinstance(event, HandleChanged):
        if event.state == "settled":
            return "client", "program", f"the report: {event.outcome}, {event.orders} orders"
        return TOLD.get(event.state)
    if isinstance(event, FateKnown):
        return "client", "client", f"…{event.order_id[-4:]} is {event.fate}, says {event.source}"
    if isinstance(event, RequestStarted):
        return "client", "exchange", f"{event.method} {event.endpoint}"
    if isinstance(event, RequestEnded):
        return "exchange", "client", f"{event.code}, {event.received_bytes} bytes: {event.endpoint}"
    return None


async def cancellation(exchange: SimulatedExchange, client: BitgetClient) -> list[dict[str, Any]]:
    """The steps in the order of time."""
    ids = exchange.rest(SYMBOL, 3, age_s=60)
    _ = await client.market.server_time()
    began_ns, steps = VirtualClock().monotonic_ns(), []

    def note(at_ns: int, found: tuple[str, str, str] | None) -> None:
        if found is not None:
            steps.append({"at_ms": round((at_ns - began_ns) / 1e6), "from": found[0], "to": found[1], "what": found[2]})

    forget = client.on(Event, lambda event: note(event.at_ns, step(event)))
    pending = await client.cancel_symbol_orders(SYMBOL)
    await asyncio.sleep(0.1)
    exchange.fill(ids[0])
    report = await pending
    forget()
    assert report.outcome is Outcome.CONFIRMED
    for each in ids:
        order = exchange.truth.orders[each]
        note(order.final_ns or 0, ("exchange", "exchange", f"…{each[-4:]} {order.status}, in truth"))
    return sorted(steps, key=lambda each: each["at_ms"])


def main() -> None:
    """Run, and print the steps."""
    args = arguments(__doc__).parse_args()

    async def whole() -> list[dict[str, Any]]:
        settings = Settings(request_latency_s=0.02, answer_latency_s=0.02, sweep_delay_s=0.4, listing_lag_s=0.0)
        made = SimulatedExchange(5, clock=VirtualClock(), settings=settings)
        async with made as exchange, client_of(exchange, rng=random.Random(3)) as client:
            return await cancellation(exchange, client)

    header = machine()
    header["spread"] = "one seed, virtual time"
    steps = run_virtual(whole, debug=False)
    report(args, header, {"one confirmed cancellation": steps}, "at_ms: since the call")


if __name__ == "__main__":
    main()
