"""
Many symbols at once, and many callers of one, on a network that takes time: limits, reads and how soon the news comes.

Virtual time with the real aiohttp stack; every figure is the simulator's own.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest

from bitget_async import BitgetClient, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange
from tests.conftest import run_virtual

COMMAND = "cancel-symbol-order"


@dataclass
class Run:
    """What one run came to; times in seconds since the calls."""

    commands: int
    worst_second: int
    answers_429: int
    last_sent_s: float
    reads: int
    cleared_late_s: list[float]
    confirmed_late_s: list[float]
    outcomes: set[Outcome]


def play(seed: int, symbols: int, orders: int, callers: int = 1, **settings: Any) -> Run:
    """So many symbols with so many orders each, all cancelled in one turn of the loop by so many callers each."""

    async def main() -> Run:
        async with SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**settings)) as exchange:
            return await _play(exchange, seed, symbols, orders, callers)

    return run_virtual(main)


async def _play(exchange: SimulatedExchange, seed: int, symbols: int, orders: int, callers: int) -> Run:
    loop = asyncio.get_running_loop()
    names = list(SYMBOLS)[:symbols]
    for name in names:
        exchange.rest(name, orders, age_s=60)
    began_s = loop.time()
    news: list[tuple[str, float, float, float, Any]] = []

    async def caller(name: str) -> None:
        pending = await client.cancel_symbol_orders(name)
        answered_s = loop.time()
        await pending.cleared()
        cleared_s = loop.time()
        report = await pending
        news.append((name, answered_s, cleared_s, loop.time(), report))

    rng = random.Random(seed)
    async with BitgetClient(
        exchange.credentials(), base_url=exchange.base_url, clock=VirtualClock(), rng=rng
    ) as client:
        await asyncio.gather(*(caller(name) for name in names for _ in range(callers)))
    truth = exchange.truth
    ended_s = {name: max(o.final_ns or 0 for o in truth.orders.values() if o.symbol == name) / 1e9 for name in names}
    copies = truth.copies(COMMAND)
    return Run(
        commands=len(copies),
        worst_second=truth.worst_second(COMMAND),
        answers_429=truth.answers_429,
        last_sent_s=max(copy.received_ns for copy in copies) / 1e9 - began_s,
        reads=sum(truth.count(endpoint) for endpoint in ("unfilled-orders", "history-orders", "orderInfo")),
        cleared_late_s=[cleared_s - max(answered_s, ended_s[name]) for name, answered_s, cleared_s, _, _ in news],
        confirmed_late_s=[(r.settled_at_ms - r.signed_at_ms) / 1000 - 2.0 for *_, r in news],
        outcomes={report.outcome for *_, report in news},
    )


@pytest.mark.failure(57)
@pytest.mark.parametrize("seed", range(20))
def test_26_symbols_keep_the_limit_and_share_their_reads(seed: int) -> None:
    """0 to 300 ms each way: five a second at the exchange, no 429, near the bound, at most two reads a symbol."""
    run = play(seed, 26, 3, request_latency_s=(0.0, 0.3), answer_latency_s=(0.0, 0.3))
    assert run.commands == 26
    assert run.worst_second <= 5
    assert run.answers_429 == 0
    # The 26th command is the sixth that uses its token: five times a second and a round trip of 0.3 s on average.
    assert run.last_sent_s <= 1.15 * 5 * (1.0 + 0.3)
    assert run.reads <= 2 * 26
    assert run.outcomes == {Outcome.CONFIRMED}


@pytest.mark.parametrize("seed", range(8))
def test_one_symbol_alone_takes_at_most_eight_reads(seed: int) -> None:
    """Quick looks until cleared, one deciding look with the history."""
    run = play(seed, 1, 5, request_latency_s=(0.0, 0.3), answer_latency_s=(0.0, 0.3))
    assert run.reads <= 8
    assert run.outcomes == {Outcome.CONFIRMED}


@pytest.mark.failure(56)
@pytest.mark.parametrize("seed", range(4))
def test_200_callers_of_one_symbol_cost_at_most_two_commands(seed: int) -> None:
    """They come in one turn, before the signing."""
    run = play(seed, 1, 5, callers=200, request_latency_s=(0.0, 0.3), answer_latency_s=(0.0, 0.3))
    assert run.commands <= 2
    assert run.reads <= 8


@pytest.mark.parametrize("symbols", [1, 26])
@pytest.mark.parametrize("seed", range(6))
def test_the_news_comes_soon_after_it_can(seed: int, symbols: int) -> None:
    """
    With 20 ms each way and listings 100 ms old: `cleared` at most 0.3 s after the first listing that could show it,
    CONFIRMED at most 0.2 s after the answer to a read made at the moment that the contract names.
    """
    lag_s, way_s = 0.1, 0.02
    run = play(seed, symbols, 3, request_latency_s=way_s, answer_latency_s=way_s, listing_lag_s=lag_s)
    assert max(run.cleared_late_s) <= lag_s + way_s + 0.3
    assert max(run.confirmed_late_s) <= 2 * way_s + 0.2


@pytest.mark.failure(57)
@pytest.mark.parametrize("seed", range(3))
def test_many_symbols_of_a_large_account_share_looks_of_several_pages(seed: int) -> None:
    """
    26 symbols with 20 orders each, five pages and more at first: at most two reads a symbol, a listing and its history
    every three and a half seconds; the news that much and a reading later than alone.
    """
    way_s, lag_s = 0.02, 0.1
    run = play(seed, 26, 20, request_latency_s=way_s, answer_latency_s=way_s, listing_lag_s=lag_s)
    assert run.outcomes == {Outcome.CONFIRMED}
    assert run.answers_429 == 0
    assert run.reads <= 2 * 26
    reading_s = 6 * 2 * way_s
    assert max(run.cleared_late_s) <= lag_s + 3.5 + reading_s + 0.3
    assert max(run.confirmed_late_s) <= 3.5 + reading_s + 2 * way_s + 0.2
