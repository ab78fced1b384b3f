"""Crowds: ten handles a symbol, a cancel behind a queue of readers. In virtual time; every figure is exact."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import re
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from unittest import mock

from bitget_async import BitgetClient, Outcome, PendingCancellation, Unlimited
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange
from bitget_async.sim.market import Symbol

COMMAND = "cancel-symbol-order"
READS = ("unfilled-orders", "history-orders", "orderInfo")
# Memory of the client, by the file that asked for it: asyncio's events and futures are the client's here.
OURS = re.compile(r"/bitget_async/(?!sim/)|/asyncio/")
TOGETHER = 20


@contextlib.contextmanager
def listed(symbols: int) -> Iterator[list[str]]:
    """So many symbols more on the exchange; their names."""
    names = [f"X{number}USDT" for number in range(symbols)]
    more = {name: Symbol(name, name[:-4], "USDT", Decimal(10), 2, 2) for name in names}
    with mock.patch.dict(SYMBOLS, more):
        yield names


@contextlib.asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[tuple[SimulatedExchange, BitgetClient]]:
    """An exchange that lags as it usually does, 20 ms away, and a client of it."""
    settings = Settings(request_latency_s=0.02, answer_latency_s=0.02)
    if isinstance(options.get("limits"), Unlimited):
        settings.quotas = dict.fromkeys((COMMAND, *READS), 1_000_000)
        settings.ip_per_minute = None
    made = SimulatedExchange(3, clock=VirtualClock(), settings=settings, keep_headers=False)
    async with (
        made as exchange,
        BitgetClient(
            exchange.credentials(),
            base_url=exchange.base_url,
            clock=VirtualClock(),
            rng=random.Random(1),
            **options,
        ) as client,
    ):
        yield exchange, client


@dataclass
class Crowd:
    """What a crowd of handles came to; `listings_worst`: most in any one second."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    virtual_s: float = 0.0
    commands: int = 0
    commands_worst: int = 0
    listings: int = 0
    listings_worst: int = 0
    histories: int = 0
    answers_429: int = 0

    @property
    def listings_per_s(self) -> float:
        """Listing reads a second, on average."""
        return round(self.listings / self.virtual_s, 2)


async def crowd(symbols: list[str], handles: int) -> Crowd:
    """
    So many calls in one turn, evenly over the symbols, none of which can join another. There is an order to cancel for
    each of them: the next one is placed when the last one's cancellation has settled.
    """
    found = Crowd()
    loop = asyncio.get_running_loop()
    async with opened() as (exchange, client):
        for name in symbols:
            exchange.rest(name, 1, age_s=60)

        async def one(number: int) -> None:
            name = symbols[number % len(symbols)]
            pending = await client.cancel_symbol_orders(name, confirm_within_s=60.0 + number / 1000)
            found.outcomes[(await pending.settled()).outcome] += 1
            exchange.rest(name, 1)

        began_s = loop.time()
        await asyncio.gather(*(one(number) for number in range(handles)))
        found.virtual_s = round(loop.time() - began_s, 1)
        truth = exchange.truth
        found.commands, found.commands_worst = truth.count(COMMAND), truth.worst_second(COMMAND)
        found.listings, found.listings_worst = truth.count(READS[0]), truth.worst_second(READS[0])
        found.histories, found.answers_429 = truth.count(READS[1]) + truth.count(READS[2]), truth.answers_429
    return found


@dataclass
class Weight:
    """
    Bytes of the client's memory for one handle of one order: `pending`; `settled`, while somebody holds it; `left` when
    nobody does. `listings_worst`: most listing reads in any one second.
    """

    pending: int
    settled: int
    left: int
    listings_worst: int


async def weight(symbols: list[str]) -> Weight:
    """A handle a symbol, all pending at once (limits do not count here); then settled; then let go."""
    handles = len(symbols)
    async with opened(limits=Unlimited()) as (exchange, client):
        for name in symbols:
            exchange.rest(name, 1, age_s=60)

        async def some(start: int) -> list[PendingCancellation]:
            names = symbols[start : start + TOGETHER]
            return await asyncio.gather(*(client.cancel_symbol_orders(name, confirm_within_s=600.0) for name in names))

        async def settle(handles: list[PendingCancellation]) -> None:
            assert {(await each.settled()).outcome for each in handles} == {Outcome.CONFIRMED}

        # Connections and what else is made once are not a handle's.
        await settle(await some(0))
        for name in symbols[:TOGETHER]:
            exchange.rest(name, 1, age_s=60)
        await asyncio.sleep(3)
        before = _bytes()
        held: list[PendingCancellation] = []
        for start in range(0, handles, TOGETHER):
            held += await some(start)
        # All are signed in the last two seconds: the deciding look of the first is still to come.
        await asyncio.sleep(0.2)
        assert len(client.pending) == handles
        assert all(len(each.orders) == 1 for each in held)
        pending = _bytes()
        await settle(held)
        settled = _bytes()
        held.clear()
        return Weight(
            (pending - before) // handles,
            (settled - before) // handles,
            max(0, _bytes() - before) // handles,
            exchange.truth.worst_second(READS[0]),
        )


def _bytes() -> int:
    gc.collect()
    by_file = tracemalloc.take_snapshot().statistics("filename")
    return sum(each.size for each in by_file if OURS.search(each.traceback[0].filename))


@dataclass
class Queue:
    """What cancels met: `arrived_ns` of each, since the beginning, and how long each had waited since its call."""

    arrived_ns: list[int]
    waited_ns: list[int]
    served: int
    confirmed: int


async def behind(readers: int, cancels: int, every_s: float, symbols: list[str]) -> Queue:
    """So many readers in one turn, and then a cancel every now and then."""
    loop = asyncio.get_running_loop()
    async with opened() as (exchange, client):
        for name in symbols:
            exchange.rest(name, 3, age_s=60)
        await client.market.server_time()
        began_s = loop.time()
        reads: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: _page(client.history_orders(limit=1)),
            lambda: _page(client.unfilled_orders(limit=1)),
        ]
        reading = [loop.create_task(reads[number % 2]()) for number in range(readers)]
        await asyncio.sleep(1)
        called_ns: list[int] = []
        calling = []
        for number in range(cancels):
            called_ns.append(round(loop.time() * 1e9))
            # Different options: a command of its own for each.
            call = client.cancel_symbol_orders(symbols[number % len(symbols)], confirm_within_s=20 + number / 1000)
            calling.append(loop.create_task(call))
            await asyncio.sleep(every_s)
        handles = await asyncio.gather(*calling)
        served = sum(task.done() for task in reading)
        for task in reading:
            task.cancel()
        _ = await asyncio.gather(*reading, return_exceptions=True)
        reports = await asyncio.gather(*(handle.settled() for handle in handles))
        copies = exchange.truth.copies(COMMAND)
        assert len(copies) == cancels
        start_ns = round(began_s * 1e9)
        return Queue(
            [copy.received_ns - start_ns for copy in copies],
            [copy.received_ns - at_ns for copy, at_ns in zip(copies, called_ns, strict=True)],
            served,
            sum(report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL) for report in reports),
        )


async def _page(pages: Any) -> object:
    return await pages


def p99(values: list[int]) -> int:
    """The 99th percentile."""
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]
