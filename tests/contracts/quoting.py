"""
A quoting loop: on each symbol two quotes rest for a while, are cancelled by symbol, and two new ones follow at once.

A quote is lost to its own sweep when a cancellation that was called before the quote took it. Where the market has
filled both quotes meanwhile, nothing is open, and a clear listing does not tell whether the sweep has run.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bitget_async import BitgetClient, Outcome, PlacementOutcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange
from tests.conftest import run_virtual

READS = ("unfilled-orders", "history-orders", "orderInfo")
COMMANDS = {"batch-orders": 5, "cancel-symbol-order": 5}


@dataclass
class Run:
    """
    What one run came to.

    Attributes:
        quotes: orders placed.
        lost: those that an earlier cancellation took.
        named: of these, those that stand in that cancellation's `placed_meanwhile`.
        commands, reads: requests, all symbols together.
        rounds: quotes of a symbol cancelled and replaced.
        worst_second: most requests of each endpoint that the exchange processed in one second.
        gap_s: seconds from the call that cancels to the new quotes' acknowledgement, of each round.
        outcomes: what cancellations and placements came to.
    """

    quotes: int = 0
    lost: int = 0
    named: int = 0
    commands: int = 0
    reads: int = 0
    rounds: int = 0
    worst_second: dict[str, int] = field(default_factory=dict)
    gap_s: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def reads_per_round(self) -> float:
        """Reads for one symbol's round: a cancellation proven and two placements proven."""
        return self.reads / self.rounds


class Quoting:
    """
    The loops of all symbols.

    Args:
        exchange, client: both sides.
        until_s: when to stop, in the loop's time.
        fence: whether placements wait behind cancellations.
        cleared: whether the loop itself waits for `cleared()` before it quotes again.
        rng: how long quotes rest, which are filled.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        client: BitgetClient,
        until_s: float,
        *,
        fence: bool,
        cleared: bool,
        rng: random.Random,
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._until_s = until_s
        self._fence = fence
        self._cleared = cleared
        self._rng = rng
        self.run = Run()
        # Client id of each quote -> its symbol and the round that it was placed in.
        self.rounds: dict[str, tuple[str, int]] = {}
        self.handles: dict[tuple[str, int], Any] = {}
        self.placements: list[Any] = []

    async def symbol(self, symbol: str) -> None:
        """The loop of one symbol."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._rng.uniform(0.0, 6.0))
        await self._quote(symbol, 0)
        number = 0
        while loop.time() < self._until_s:
            await asyncio.sleep(self._rng.uniform(6.0, 14.0))
            began_s = loop.time()
            pending = await self._client.cancel_symbol_orders(symbol)
            self.handles[symbol, number] = pending
            if self._cleared:
                await pending.cleared()
            number += 1
            await self._quote(symbol, number)
            self.run.gap_s.append(loop.time() - began_s)
            self.run.rounds += 1

    async def _quote(self, symbol: str, number: int) -> None:
        """Two quotes; each is filled with a chance of two fifths before it is cancelled."""
        known = SYMBOLS[symbol]
        size = (Decimal(20) / known.last).quantize(Decimal(1).scaleb(-known.size_digits)) + Decimal(1).scaleb(
            -known.size_digits
        )
        tick = Decimal(1).scaleb(-known.price_digits)
        orders = [
            {"side": side, "order_type": "limit", "size": size, "price": (known.last * share).quantize(tick)}
            for side, share in (("buy", Decimal("0.9")), ("sell", Decimal("1.1")))
        ]
        pending = await self._client.batch_orders(orders, symbol, fence=self._fence)
        self.placements.append(pending)
        for placement in pending.placements:
            self.rounds[placement.client_oid] = (symbol, number)
            if placement.order_id is not None and self._rng.random() < 0.4:
                self._exchange.schedule_fill(placement.order_id, self._rng.uniform(0.5, 5.0))


def play(seed: int, *, symbols: int = 30, minutes: float = 10.0, fence: bool, cleared: bool, **settings: Any) -> Run:
    """Quote so many symbols for so long, in virtual time, and count."""

    async def main() -> Run:
        made = SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**settings))
        async with made as exchange:
            return await _play(exchange, seed, symbols, minutes, fence=fence, cleared=cleared)

    return run_virtual(main, debug=False)


async def _play(
    exchange: SimulatedExchange, seed: int, symbols: int, minutes: float, *, fence: bool, cleared: bool
) -> Run:
    loop = asyncio.get_running_loop()
    made = BitgetClient(
        exchange.credentials(), base_url=exchange.base_url, clock=VirtualClock(), rng=random.Random(seed)
    )
    async with made as client:
        until_s = loop.time() + 60 * minutes
        quoting = Quoting(exchange, client, until_s, fence=fence, cleared=cleared, rng=random.Random(f"{seed}/loop"))
        names = list(SYMBOLS)[:symbols]
        await asyncio.gather(*(quoting.symbol(name) for name in names))
        await asyncio.gather(*(pending.settled() for pending in client.pending))
    _count(quoting, exchange)
    return quoting.run


def _count(quoting: Quoting, exchange: SimulatedExchange) -> None:
    """What the truth says."""
    run, truth = quoting.run, exchange.truth
    orders, asked = truth.orders, truth.copies("cancel-symbol-order")
    run.quotes = len(truth.placements)
    run.commands = sum(truth.count(endpoint) for endpoint in COMMANDS)
    run.reads = sum(truth.count(endpoint) for endpoint in READS)
    run.worst_second = {endpoint: truth.worst_second(endpoint) for endpoint in (*COMMANDS, *READS)}
    number_of: dict[str, int] = {}
    rounds = {}
    for copy in asked:
        symbol = next(name for name in SYMBOLS if f'"{name}"'.encode() in copy.body)
        rounds[copy.index] = number_of.get(symbol, 0)
        number_of[symbol] = rounds[copy.index] + 1
    for sweep in truth.executions:
        for order_id in sweep.order_ids:
            client_oid = orders[order_id].client_oid
            if quoting.rounds[client_oid][1] > rounds[sweep.copy]:
                report = quoting.handles[sweep.symbol, rounds[sweep.copy]].report
                run.lost += 1
                run.named += client_oid in report.placed_meanwhile
    for handle in (*quoting.handles.values(), *quoting.placements):
        name = handle.outcome.name
        run.outcomes[name] = run.outcomes.get(name, 0) + 1


GOOD = {Outcome.CONFIRMED.name, Outcome.NOTHING_TO_CANCEL.name, PlacementOutcome.PLACED.name}
NETWORK: dict[str, Any] = {"request_latency_s": (0.01, 0.06), "answer_latency_s": (0.01, 0.06)}
