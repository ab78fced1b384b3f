"""Property 23: the same histories with the stream and without it come to the same, and with it no later."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from bitget_async import Outcome
from bitget_async.sim import Fault, Settings, faults

from . import world as world_module
from .commands_scenarios import COMMANDS
from .judged import CATCHERS
from .scenarios import SCENARIOS
from .streaming import listening, unlucky
from .test_planted_bugs import quiet_loop
from .watch_scenarios import WATCH
from .world import World

# Directed histories that come to something else with the stream on, and why.
OTHERWISE = {
    "gone_from_the_listing_is_not_cancelled": "no read tells the end, but a push does: CONFIRMED instead of UNKNOWN",
    "a_status_that_nobody_knows": "the same",
    "a_misspelt_symbol_never_leaves": "it counts all requests, and the stream asks for the time",
}
SAME = sorted((SCENARIOS | WATCH | COMMANDS).keys() - OTHERWISE.keys())
PARTS = 4


@pytest.mark.failure(47)
@pytest.mark.parametrize("chunk", range(PARTS))
def test_directed_histories_come_to_the_same_with_the_stream_on(chunk: int, count_cases: Callable[[int], None]) -> None:
    """Every promise that is kept without the stream is kept with it, outcome by outcome."""
    mine = SAME[chunk::PARTS]
    with (
        mock.patch.object(World, "defaults", {"stream": True}),
        mock.patch.object(world_module, "virtual_loop", quiet_loop),
    ):
        for name in mine:
            CATCHERS[name]()
    count_cases(len(mine))


# -- the same history twice ------------------------------------------------------------------------------------------

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
HISTORIES = int(os.environ.get("BESIDE_HISTORIES", "16"))
CHUNKS = 4
SYMBOL_FAULTS: tuple[Fault, ...] = (
    faults.never_executed(),
    faults.executed_in_part(0.5),
    faults.executed_late(2.5),
    faults.executed_late(21.0),
    faults.drop(executed=True),
    faults.drop(executed=False),
    faults.envelope("45001", executed=True),
    faults.hang(executed=True),
)


@dataclass(frozen=True)
class Ended:
    """What came of one cancellation: the outcome, orders in scope with their fates, and when, in ms of the exchange."""

    outcome: Outcome
    reason: str
    orders: tuple[tuple[str, str, Decimal | None], ...]
    settled_ms: int
    signed_ms: int
    reads: int
    sources: frozenset[str]


def told(seed: int, *, stream: bool) -> list[Ended]:
    """A history that the seed decides: nothing that the exchange does depends on who reads when."""
    rng = random.Random(seed)
    latency = rng.choice([0.01, 0.04, 0.1])
    settings = Settings(
        request_latency_s=latency,
        answer_latency_s=latency,
        listing_lag_s=rng.choice([0.0, 0.2, 1.9]),
        history_lag_s=rng.choice([0.0, 0.6, 4.0]),
        order_info_lag_s=rng.choice([0.0, 0.5]),
        sweep_delay_s=rng.choice([0.05, 0.4, 1.2]),
    )
    world = World(seed, unlucky(settings, seed) if stream else settings, stream=stream)
    try:
        listening(world)
        calls, gap_s = [], 61.0
        # Each symbol once: what one sweep is told of a symbol depends on who else reads it then.
        for symbol in rng.sample(SYMBOLS, 3):
            # No exchange makes an order in the past of a command that is pending.
            world.exchange.rest(symbol, rng.choice([0, 1, 3, 12]), age_s=5.0 if gap_s > 60 else 0.0)
            if rng.random() < 0.4:
                world.exchange.rest(symbol, 1)
            for order_id in world.exchange.truth.open_ids(world.exchange.account.uid, symbol)[:2]:
                if rng.random() < 0.4:
                    amount = rng.choice([None, Decimal("0.0004")])
                    world.exchange.schedule_fill(order_id, rng.choice([0.01, 0.3, 1.0, 6.0]), amount)
            if rng.random() < 0.4:
                world.exchange.schedule_order(symbol, rng.choice([0.05, 1.0]))
            if rng.random() < 0.5:
                world.exchange.faults.add("cancel-symbol-order", rng.choice(SYMBOL_FAULTS), times=1)
            calls.append(world.cancel(symbol))
            gap_s = rng.choice([3.0, 61.0])
            world.advance(gap_s)
        world.finish()
        return [_ended(world, call) for call in calls]
    finally:
        if not world.closed:
            world.dispose()


def _ended(world: World, call: Any) -> Ended:
    settled = world.handles[call.task.result()]
    assert settled is not None
    report = settled.report
    orders = tuple(
        (each.order.order_id, each.fate.value, each.order.base_volume if each.fate.value != "open" else None)
        for each in report.orders
        if each.scope.value != "late"
    )
    reads = sum(count for name, count in report.requests.items() if name != "cancel-symbol-order")
    sources = frozenset(each.source for each in (*report.cancelled, *report.filled))
    return Ended(report.outcome, report.reason, orders, report.settled_at_ms, report.signed_at_ms, reads, sources)


@pytest.mark.slow
@pytest.mark.failure(47)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_history_comes_to_the_same_with_the_stream_and_without(
    chunk: int, count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """
    Outcomes, orders and amounts are equal, whatever becomes of the pushes, and CONFIRMED comes no later. Only an order
    that ended before a listing showed it, while the history hides it, is known to the stream alone; or, with its pushes
    lost, to who waited for the history.
    """
    later_ms = reads_without = reads_beside = cases = pushed = more = 0
    for seed in range(chunk, HISTORIES, CHUNKS):
        for without, beside in zip(told(seed, stream=False), told(seed, stream=True), strict=True):
            if set(without.orders) < set(beside.orders):
                known = (without.outcome, Outcome.CONFIRMED)
                assert beside.outcome in known[without.outcome is Outcome.NOTHING_TO_CANCEL :][:1], seed
                more += 1
                continue
            if set(beside.orders) < set(without.orders) and beside.settled_ms < without.settled_ms:
                # It was there before the history was.
                assert beside.outcome is without.outcome is Outcome.CONFIRMED, seed
                more += 1
                continue
            assert (beside.outcome, beside.reason, beside.orders) == (
                without.outcome,
                without.reason,
                without.orders,
            ), seed
            if without.outcome is Outcome.CONFIRMED:
                # The deciding look has its moment. Those that wait for the exchange are up to five seconds apart.
                decided = without.settled_ms - without.signed_ms < 2_500
                assert beside.settled_ms <= without.settled_ms + (600 if decided else 5_100), seed
                later_ms += beside.settled_ms - without.settled_ms
            pushed += "orders" in beside.sources
            reads_without += without.reads
            reads_beside += beside.reads
            cases += 1
    count_cases(cases)
    figure(f"streams.beside.{chunk}", {"cancels": cases, "settled_ms_gained": -later_ms, "told_by_pushes": pushed})
    # An early look that comes too early is one look more.
    assert reads_beside <= reads_without + cases
    assert pushed > more
