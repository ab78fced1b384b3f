"""
Calls that outlive their client: one life makes a call and ends anywhere, the next takes it up, and the exchange's truth
judges what it says.

A life ends as a process does: its journal is what stood in the file at that moment, and what it does afterwards (it
has to be closed, for the loop is shared) touches a file that nobody looks at.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitget_async import (
    BitgetClient,
    Fate,
    Modification,
    Outcome,
    Pending,
    PlacementOutcome,
    ReplacementOutcome,
)
from bitget_async.clock import VirtualClock
from bitget_async.evidence import Certainty
from bitget_async.sim import Fault, Settings, SimulatedExchange
from tests.conftest import CALM, run_virtual
from tests.test_handle import KINDS, Kind

BTC = "BTCUSDT"
START_MS = 1_750_000_000_000
FINAL = {Fate.CANCELLED, Fate.FILLED, Fate.TRIGGERED, Fate.FAILED}
Make = Callable[[SimulatedExchange, BitgetClient], Awaitable[Any]]


async def two_commands(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A batch of more orders than one command holds."""
    order = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
    return await client.batch_orders([order] * 21, BTC)


async def cancelling_two_commands(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """The same of a cancellation by ids."""
    return await client.batch_cancel_orders(BTC, order_ids=exchange.rest(BTC, 21, age_s=60))


async def sweeping_nothing(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation by symbol with nothing open."""
    return await client.cancel_symbol_orders(BTC)


async def sweeping_before(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation by symbol behind its snapshot; one order fills before it can be cancelled."""
    first, _, _ = exchange.rest(BTC, 3, age_s=3600)
    exchange.schedule_fill(first, 0.07)
    return await client.cancel_symbol_orders(BTC, snapshot="before")


async def sweeping_triggers(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation of all trigger orders of a symbol."""
    exchange.rest_trigger(BTC, 2, age_s=60)
    return await client.trigger.batch_cancel_plan_orders(BTC)


def kinds() -> dict[str, Kind]:
    """Every kind of call, with the handle that it gives."""
    sweep, place, cancel = KINDS["sweep"], KINDS["place"], KINDS["cancel"]
    return {
        **KINDS,
        "two commands": Kind(place.handle, place.error, "batch-orders", two_commands),
        "two cancels": Kind(cancel.handle, cancel.error, "batch-cancel-order", cancelling_two_commands),
        "sweep nothing": Kind(sweep.handle, sweep.error, "cancel-symbol-order", sweeping_nothing),
        "sweep before": Kind(sweep.handle, sweep.error, "cancel-symbol-order", sweeping_before),
        "sweep triggers": Kind(sweep.handle, sweep.error, "batch-cancel-plan-order", sweeping_triggers),
    }


@dataclass(kw_only=True)
class Case:
    """
    One story.

    Attributes:
        kind: the call.
        fault: what happens to its commands.
        ends_s: seconds from the call to the end of the first life; `None`: it lives on.
        away_s: seconds until the second one begins.
        by: what the second life has: the journal, or what `to_dict` gave.
        offsets_ms: how wrong the wall clocks of the two lives are.
        informed: whether the first life knew the exchange's clock before.
        settings: of the exchange.
    """

    kind: Kind
    fault: Fault | None = None
    ends_s: float | None = None
    away_s: float = 1.0
    by: str = "journal"
    offsets_ms: tuple[int, int] = (0, 0)
    informed: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """
    What came of it.

    Attributes:
        settled: whether the first life's handle had settled when it ended.
        sent: copies of the command at the exchange.
        stamped: whether the first life had stamped a command.
        handles: what the second life took up.
        reports: theirs, or the first life's if it lived on.
        entries: what the journal held unsettled when the second life began.
    """

    settled: bool = False
    sent: int = 0
    stamped: bool = False
    handles: list[Pending[Any, Any]] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)
    entries: int = 0


def commands_at(exchange: SimulatedExchange) -> int:
    """How many commands have reached the exchange."""
    return sum(copy.method == "POST" for copy in exchange.truth.wire)


def client_at(exchange: SimulatedExchange, offset_ms: int, seed: int, **options: Any) -> BitgetClient:
    """A client on a machine whose wall clock is that wrong."""
    clock = VirtualClock(START_MS + offset_ms)
    rng = random.Random(seed)
    return BitgetClient(exchange.credentials(), base_url=exchange.base_url, clock=clock, rng=rng, **options)


def lived(case: Case, folder: Path, *, debug: bool = False) -> Told:
    """Play a case, judge it by the truth, and tell what came of it."""

    async def main() -> Told:
        settings: Any = {**CALM, **case.settings}
        made = SimulatedExchange(5, clock=VirtualClock(START_MS), settings=Settings(**settings))
        async with made as exchange:
            told = await _both_lives(exchange, case, folder)
            # What the exchange does late, it has done now.
            await asyncio.sleep(60)
            for report in told.reports:
                judge(exchange, report)
            return told

    return run_virtual(main, debug=debug)


async def _both_lives(exchange: SimulatedExchange, case: Case, folder: Path) -> Told:
    told = Told()
    first, second = folder / "first.journal", folder / "second.journal"
    client = client_at(exchange, case.offsets_ms[0], 7, journal=first)
    async with client:
        if case.informed:
            _ = [await client.market.server_time() for _ in range(2)]
        if case.fault is not None:
            exchange.faults.add(case.kind.endpoint, case.fault, times=None)
        call = asyncio.ensure_future(case.kind.make(exchange, client))
        if case.ends_s is None:
            told.reports = [await (await call).settled()]
            return told
        await asyncio.sleep(case.ends_s)
        second.write_bytes(first.read_bytes())
        second.chmod(0o600)
        told.stamped = bool(client.pending)
        described = [json.loads(json.dumps(handle.to_dict())) for handle in client.pending]
        told.settled = call.done() and call.result().state == "settled"
    _ = await asyncio.gather(call, return_exceptions=True)
    await asyncio.sleep(case.away_s)
    exchange.faults.clear()
    before = commands_at(exchange)
    told.sent = exchange.truth.count(case.kind.endpoint)
    told.reports, told.handles = await _second_life(exchange, case, second, described, told)
    assert commands_at(exchange) == before, "a resumed client sent a command"
    return told


async def _second_life(exchange: SimulatedExchange, case: Case, journal: Path, described: Any, told: Told) -> Any:
    options = {"journal": journal} if case.by == "journal" else {}
    async with client_at(exchange, case.offsets_ms[1], 8, **options) as client:
        if case.by == "journal":
            told.entries = len(client._open().journal.unsettled())  # type: ignore[union-attr]
            handles = list(await client.resume_pending())
            assert await client.resume_pending() == (), "taken up twice"
        else:
            handles = [await client.resume(each) for each in described]
        assert all(type(handle) is case.kind.handle for handle in handles)
        reports = [await handle.settled() for handle in handles]
        if case.by == "journal":
            assert client._open().journal.unsettled() == []  # type: ignore[union-attr]
        return reports, handles


# -- the judge -------------------------------------------------------------------------------------------------------


def judge(exchange: SimulatedExchange, report: Any) -> None:
    """Every claim of a report, a minute later: nothing else happens on this exchange."""
    name = type(report).__name__
    if name == "CancellationReport":
        _judge_cancellation(exchange, report)
    elif name == "PlacementReport":
        for placement in report.placements:
            _judge_placement(exchange, placement)
    elif name == "ReplacementReport":
        for each in report.replacements:
            _judge_placement(exchange, each.new)
            _judge_fates(exchange, (each.old,))
            if each.outcome in (ReplacementOutcome.REPLACED, ReplacementOutcome.NEW_MISSING):
                assert each.old.fate in FINAL
    else:
        values = [(order.plan.size, order.plan.trigger_price) for order in exchange.truth.triggers.values()]
        changed = [str(size) == "0.02" and price == 51000 for size, price in values]
        if report.outcome is not Modification.UNKNOWN:
            assert changed == [report.outcome is Modification.MODIFIED]


def _judge_cancellation(exchange: SimulatedExchange, report: Any) -> None:
    truth = exchange.truth
    trigger = (
        any(fate.trigger is not None for fate in report.orders)
        or "spot orders" in report.assumptions.get("not_touched", "")[:11]
    )
    named = {fate.order.order_id for fate in report.orders}
    orders = truth.triggers if trigger else truth.orders
    sweep = "snapshot" in report.assumptions
    if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL):
        concerned = [each for each in orders.values() if sweep or each.order_id in named]
        assert all(each.final_ns is not None for each in concerned), f"{report.outcome} and an order is open"
    if report.outcome is Outcome.NOTHING_TO_CANCEL:
        assert not orders, "NOTHING_TO_CANCEL and there was something"
    if report.outcome is Outcome.STILL_OPEN:
        assert report.still_open
    _judge_fates(exchange, report.orders)


def _judge_fates(exchange: SimulatedExchange, fates: Any) -> None:
    for fate in fates:
        number = fate.order.order_id
        truth = exchange.truth.triggers.get(number) or exchange.truth.orders.get(number)
        if fate.fate in FINAL:
            assert truth is not None
            assert truth.final_ns is not None
            assert truth.status == fate.fate.value
        elif fate.fate is Fate.OPEN:
            assert truth is not None
            assert truth.final_ns is None


def _judge_placement(exchange: SimulatedExchange, placement: Any) -> None:
    oid = placement.client_oid
    spot = [order for order in exchange.truth.orders.values() if order.client_oid == oid]
    plans = [order for order in exchange.truth.triggers.values() if order.client_oid == oid]
    if placement.outcome is PlacementOutcome.PLACED:
        assert len(spot) + len(plans) == 1, f"{oid} was placed"
    if placement.outcome is PlacementOutcome.NOT_PLACED:
        assert len(spot) + len(plans) == 0, f"{oid} was not placed"


def certainties(handle: Pending[Any, Any]) -> set[Certainty]:
    """What a handle knows of its commands."""
    evidence = handle._course.evidence
    commands = getattr(evidence, "commands", (evidence,))
    return {command.certainty for command in commands}
