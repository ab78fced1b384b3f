"""
Reconnects under load, in virtual time: orders are placed, filled and cancelled all the time, by this client and by
others, while the private line is cut, silenced and robbed of pushes again and again.

    python -m tests.stream.reconnects --count 500

Fails where a test would; prints what it came to and keeps it in docs/measured/reconnects.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import sys
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bitget_async import BitgetError, OrderUpdate, StreamState, Sureness
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange
from bitget_async.sim.orders import Order
from tests.conftest import client_of, run_virtual
from tests.soak.measured import machine, progress, write

__all__ = ["Found", "Storm"]

SECOND_NS = 1_000_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BGBUSDT", "SOLUSDT")
FINAL = ("filled", "cancelled")
ACTION_S = (0.0, 0.2)
COMMAND_S = (0.2, 1.8)
# A line that lasted ten seconds is opened again at once; one that did not, after a pause that grows.
SHORT_S, LONG_S, LONG_CHANCE = (0.3, 5.0), (10.5, 14.0), 0.5
MOST_OPEN = 40
PART = Decimal("0.0003")
# By then the end of an order is known to the readers, whatever happened: the history shows it after 0.8 s, and is swept
# after each reconnect and each 20 s.
KNOWN_NS = 60 * SECOND_NS
OLD_NS = 120 * SECOND_NS
WITHIN_NS = 30 * SECOND_NS
ROUGH: dict[str, Any] = {
    "request_latency_s": (0.01, 0.05),
    "answer_latency_s": (0.01, 0.05),
    "push_lag_s": (0.005, 0.4),
    "push_loss": 0.01,
    "push_doubling": 0.05,
    "push_disorder": 0.05,
    "socket_latency_s": 0.02,
}


@dataclass
class Found:
    """
    What a storm came to.

    Attributes:
        orders, ends: orders that there were; ends that were compared with what readers were told.
        told: updates that readers were given, by source.
        wrong: what contradicts the promises, in words.
        worst_second: most messages of the client in any sliding second of one connection.
        client_bytes, all_bytes: memory of the client's own files, and with the simulator's, after each tenth.
    """

    reconnects: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    ends: int = 0
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    live_samples: int = 0
    connections: int = 0
    worst_second: int = 0
    socket_errors: Counter[int] = field(default_factory=Counter)
    pushes_lost: int = 0
    reads: dict[str, int] = field(default_factory=dict)
    reads_worst_second: int = 0
    answers_429: int = 0
    virtual_s: float = 0.0
    client_bytes: list[int] = field(default_factory=list)
    all_bytes: list[int] = field(default_factory=list)


class Storm:
    """
    One storm.

    Args:
        count: how often the line is struck.
        seed: decides everything.
        weigh: whether memory is measured; `tracemalloc` has to run.
        loud: whether it says how far it is.
    """

    def __init__(self, count: int, seed: int = 1, *, weigh: bool = False, loud: bool = False) -> None:
        self.found = Found()
        self._count = count
        self._dice = random.Random(f"{seed}/storm")
        self._seed = seed
        self._weigh = weigh
        self._loud = loud
        self._over = False
        # Of each order what was told last: (how far, filled), and the texts at that.
        self._states: dict[str, tuple[tuple[int, Decimal], set[str]]] = {}
        self._judged: dict[str, None] = {}

    async def run(self) -> Found:
        """Everything."""
        exchange = SimulatedExchange(self._seed, clock=VirtualClock(), settings=Settings(**ROUGH), keep_wire=1_000)
        began_s = asyncio.get_running_loop().time()
        async with exchange, client_of(exchange, stream=True) as client:
            self._exchange, self._client = exchange, client
            async with client.stream.orders() as updates, asyncio.TaskGroup() as group:
                await client.open_orders.ready()
                reading = group.create_task(self._read(updates))
                load = [group.create_task(work()) for work in (self._trade, self._command)]
                await self._strikes()
                self._over = True
                _ = await asyncio.wait(load)
                await self._settle()
                updates.close()
                await reading
            self._count_up(began_s)
        return self.found

    # -- what readers are told --------------------------------------------------------------------------------

    async def _read(self, updates: Any) -> None:
        async for update in updates:
            self._told(update)

    def _told(self, update: OrderUpdate) -> None:
        self.found.told[update.source] += 1
        status, volume = update.status.value, update.base_volume or Decimal(0)
        state = (2 if status in FINAL else 1, volume)
        known = self._states.get(update.order_id)
        if known is None:
            real = self._exchange.truth.orders.get(update.order_id)
            if real is None or (real.final_ns is not None and self._now_ns - real.final_ns > KNOWN_NS):
                self.found.wrong.append(f"{update.order_id} is told {status} long after its end")
        elif state < known[0] or (state == known[0] and status in known[1]) or known[0][0] == 2:
            self.found.wrong.append(f"{update.order_id}: {status} {volume} after {known}")
        same = known[1] if known is not None and known[0] == state else set()
        self._states[update.order_id] = (state, same | {status})

    # -- the load ---------------------------------------------------------------------------------------------

    @property
    def _now_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * SECOND_NS)

    def _open(self) -> list[Order]:
        exchange = self._exchange
        return [exchange.order(order_id) for order_id in exchange.truth.open_ids(exchange.account.uid)]

    def _elders(self, opens: list[Order]) -> list[Order]:
        """Those that are left alone for minutes: no sweep of the history goes down to them when they end."""
        return [order for order in opens if order.number % 8 == 0]

    async def _trade(self) -> None:
        """Others of the account: places, fills and cancels, some ten times a second."""
        dice, exchange = self._dice, self._exchange
        while not self._over:
            await asyncio.sleep(dice.uniform(*ACTION_S))
            opens, chance = self._open(), dice.random()
            elders = self._elders(opens)
            young = [order for order in opens if order not in elders]
            if not young or (chance < 0.45 and len(young) < MOST_OPEN):
                _ = exchange.rest(dice.choice(SYMBOLS), dice.choice((1, 1, 1, 3)))
            elif chance < 0.6:
                exchange.fill(dice.choice(young).order_id, PART)
            elif chance < 0.8:
                exchange.fill(dice.choice(young).order_id)
            elif chance < 0.95 or not elders or self._now_ns - elders[0].created_ns < OLD_NS:
                _ = exchange.cancel(dice.choice(young).order_id)
            else:
                _ = exchange.cancel(elders[0].order_id)

    async def _command(self) -> None:
        """This client: places, cancels by id and by symbol, and does not wait for the reports."""
        dice, client = self._dice, self._client
        while not self._over:
            await asyncio.sleep(dice.uniform(*COMMAND_S))
            opens = self._open()
            chance = dice.random()
            with contextlib.suppress(BitgetError):
                if chance < 0.5 or not opens:
                    _ = await client.place_order("BTCUSDT", "buy", "limit", size="0.01", price="50000", fence=False)
                elif chance < 0.9:
                    order = dice.choice([each for each in opens if each not in self._elders(opens)] or opens)
                    _ = await client.cancel_order(order.symbol, order_id=order.order_id)
                else:
                    _ = await client.cancel_symbol_orders("BTCUSDT")

    # -- the strikes ------------------------------------------------------------------------------------------

    async def _strikes(self) -> None:
        began = time.monotonic()
        for number in range(1, self._count + 1):
            await asyncio.sleep(self._dice.uniform(*(LONG_S if self._dice.random() < LONG_CHANCE else SHORT_S)))
            self._sample()
            await self._strike()
            _ = await self._client.stream.wait_state(StreamState.STALE)
            _ = await self._client.stream.wait_state(StreamState.LIVE)
            self.found.reconnects += 1
            if number % 10 == 0:
                self._judge(KNOWN_NS)
                self._exchange.forget(300)
            if self._weigh and number % max(1, self._count // 10) == 0:
                self._weight()
            if self._loud:
                progress(number, self._count, f"{self.found.ends} ends, wrong: {len(self.found.wrong)}", began)

    async def _strike(self) -> None:
        """One of the ways in which a line ends, often with pushes lost right before."""
        sockets, dice, settings = self._exchange.sockets, self._dice, self._exchange.settings
        kinds = (
            "cut",
            "half a frame",
            "pushes lost",
            "silence",
            "long silence",
            "no acknowledgements",
            "mute newcomer",
        )
        kind = dice.choices(kinds, (30, 15, 25, 20, 2, 4, 4))[0]
        self.found.strikes[kind] += 1
        if kind == "pushes lost":
            sockets.drop_pushes(dice.randint(1, 8))
            await asyncio.sleep(dice.uniform(0.0, 0.5))
        elif kind == "silence":
            sockets.stall(True)
            await asyncio.sleep(dice.uniform(0.2, 3.0))
        elif kind == "long silence":
            # Until the client notices by itself.
            sockets.stall(True)
            return
        elif kind == "no acknowledgements":
            settings.ack_loss = 0.5
            asyncio.get_running_loop().call_later(3.0, setattr, settings, "ack_loss", 0.0)
        elif kind == "mute newcomer":
            sockets.stall(True, newcomers=True)
            asyncio.get_running_loop().call_later(dice.uniform(1.0, 6.0), sockets.stall, False)
        _ = sockets.cut(mid_frame=kind == "half a frame")

    # -- the judge --------------------------------------------------------------------------------------------

    def _judge(self, known_ns: int) -> None:
        """Orders that ended so long ago: their end was told, and rightly. What was judged is forgotten."""
        before_ns = self._now_ns - known_ns
        for order_id, order in self._exchange.truth.orders.items():
            final_ns = order.final_ns
            if final_ns is None or final_ns > before_ns or order_id in self._judged:
                continue
            self._judged[order_id] = None
            self.found.ends += 1
            told = self._states.pop(order_id, None)
            if told is None or told[0] != (2, order.filled) or order.status not in told[1]:
                self.found.wrong.append(f"{order} ended, and readers know {told}")
        for order_id in [each for each in self._judged if each not in self._exchange.truth.orders]:
            del self._judged[order_id]

    def _sample(self) -> None:
        """What LIVE and LISTED promise, now."""
        client, exchange = self._client, self._exchange
        if client.open_orders.sureness not in (Sureness.LIVE, Sureness.LISTED):
            return
        self.found.live_samples += 1
        since_ns = self._now_ns - WITHIN_NS
        shown = {each.order.order_id for each in client.open_orders}
        for order_id in shown:
            ended_ns = exchange.order(order_id).final_ns
            if ended_ns is not None and ended_ns < since_ns:
                self.found.wrong.append(f"{order_id} is shown open, and ended long ago")
        for order in self._open():
            if order.order_id not in shown and order.created_ns < since_ns:
                self.found.wrong.append(f"{order.order_id} is open for long, and not shown")

    async def _settle(self) -> None:
        """No more faults: everything is known."""
        for knob in ("push_loss", "push_doubling", "push_disorder", "ack_loss"):
            setattr(self._exchange.settings, knob, 0.0)
        await asyncio.sleep(KNOWN_NS / SECOND_NS)
        self._judge(30 * SECOND_NS)
        shown = {each.order.order_id for each in self._client.open_orders}
        if shown != {order.order_id for order in self._open()}:
            self.found.wrong.append("the open orders are not the open orders")
        if self._client.open_orders.sureness is not Sureness.LIVE:
            self.found.wrong.append(f"it is {self._client.open_orders.sureness} at the end")

    def _weight(self) -> None:
        gc.collect()
        own = [tracemalloc.Filter(True, "*/bitget_async/*"), tracemalloc.Filter(False, "*/bitget_async/sim/*")]
        snapshot = tracemalloc.take_snapshot()
        self.found.all_bytes.append(sum(trace.size for trace in snapshot.traces))
        self.found.client_bytes.append(sum(trace.size for trace in snapshot.filter_traces(own).traces))

    def _count_up(self, began_s: float) -> None:
        found, truth, records = self.found, self._exchange.truth, self._exchange.sockets.records
        found.orders = found.ends + len(truth.open_ids(self._exchange.account.uid))
        found.connections = len(records)
        found.worst_second = max(record.worst_second for record in records)
        found.socket_errors.update(code for record in records for code in record.errors)
        found.pushes_lost = sum(record.pushes_lost for record in records)
        reads = ("unfilled-orders", "history-orders", "orderInfo")
        found.reads = {name: truth.count(name) for name in reads}
        found.reads_worst_second = max(truth.worst_second(name) for name in reads)
        found.answers_429 = truth.answers_429
        found.virtual_s = round(asyncio.get_running_loop().time() - began_s, 1)


def main() -> int:
    """The long run, kept in docs/measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    _ = parser.add_argument("--count", type=int, default=500)
    _ = parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    tracemalloc.start(1)
    storm = Storm(chosen.count, chosen.seed, weigh=True, loud=True)
    found = run_virtual(storm.run, debug=False)
    tracemalloc.stop()
    print(found)
    # By the second tenth thousands of orders have ended, and as many as are ever remembered are remembered.
    grown = found.client_bytes[-1] - found.client_bytes[1]
    facts = {
        "what": "Reconnects of the private stream under load: every end known, nothing told twice",
        "command": f"python -m tests.stream.reconnects --count {chosen.count} --seed {chosen.seed}",
        "machine": machine(),
        "reconnects": found.reconnects,
        "strikes": dict(found.strikes),
        "connections": found.connections,
        "orders": found.orders,
        "ends_compared": found.ends,
        "ends_unknown_or_told_twice": len(found.wrong),
        "updates_told_by_source": dict(found.told),
        "pushes_lost_on_standing_lines": found.pushes_lost,
        "messages_in_the_worst_second_of_a_connection": found.worst_second,
        "reads": found.reads,
        "reads_in_the_worst_second_of_an_endpoint": found.reads_worst_second,
        "answers_429": found.answers_429,
        "client_bytes_after_each_tenth": found.client_bytes,
        "bytes_with_the_simulator_after_each_tenth": found.all_bytes,
        "virtual_s": found.virtual_s,
        "duration_s": round(time.monotonic() - began),
    }
    print(facts)
    if found.wrong or found.worst_second > 10 or grown > 200_000:
        print("\n".join(found.wrong[:20]))
        return 1
    write("reconnects", facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
