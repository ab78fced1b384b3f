"""
A stop against the simulator's truth: what must be true of every one of them, whatever book, faults and options.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bitget_async import BitgetClient, BitgetError, Order, Outcome, PendingStop, StopReport
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Settings, SimulatedExchange, faults
from tests.conftest import CALM, client_of, run_virtual
from tests.stops import named_twice

from .world import BrokenPromiseError, demand

QUOTAS = {
    "cancel-symbol-order": 5,
    "batch-cancel-order": 10,
    "cancel-order": 10,
    "batch-cancel-plan-order": 5,
    "cancel-plan-order": 20,
    "unfilled-orders": 20,
    "current-plan-order": 20,
    "history-orders": 20,
}
COMMANDS = tuple(QUOTAS)[:5]
NAMING = ("cancel-order", "batch-cancel-order", "cancel-plan-order")
KINDS = ("normal", "tpsl", "trigger")
SECOND = 1_000_000_000


@dataclass
class StopWorld:
    """
    One exchange and one client, and what the judge has to know of the stop.

    Attributes:
        kept: ids that it must leave alone; within_s: its `confirm_within_s`.
    """

    exchange: SimulatedExchange
    client: BitgetClient
    kept: set[str] = field(default_factory=set)
    within_s: float = 60.0

    async def begin(self, **given: Any) -> PendingStop:
        """Call for a stop."""
        self.began_ns, self.began_ms = VirtualClock().monotonic_ns(), self.exchange.server_ms
        self.given = given
        return await self.client.cancel_all_orders(confirm_within_s=self.within_s, **given)

    async def judged(self, pending: PendingStop) -> StopReport:
        """Its report, if all is true that must be."""
        try:
            report = await pending.settled(pending.plan.last_leaves_s + self.within_s + 60)
        except TimeoutError:
            raise BrokenPromiseError("a stop settles in time") from None
        self.judge(report)
        return report

    def open_now(self) -> dict[str, Any]:
        """Orders of the kinds that it includes that are open in truth, on its symbols, and not to be kept."""
        truth, uid = self.exchange.truth, self.exchange.account.uid
        include, symbols = self.given.get("include", ("normal",)), self.given.get("symbols")
        found: dict[str, Any] = {}
        for name in SYMBOLS if symbols is None else symbols:
            if "normal" in include:
                found |= {each: truth.orders[each] for each in truth.open_ids(uid, name)}
            if "tpsl" in include:
                found |= {each: truth.orders[each] for each in truth.open_ids(uid, name, tpsl=True)}
            if "trigger" in include:
                found |= {each: truth.triggers[each] for each in truth.open_trigger_ids(uid, name)}
        return {each: order for each, order in found.items() if each not in self.kept}

    def judge(self, report: StopReport) -> None:
        """Raise `BrokenPromiseError` if it claims what is not true, or did what it must not."""
        truth = self.exchange.truth
        open_now = self.open_now()
        covered = {each for each, order in open_now.items() if order.created_ms <= report.covers_ms}
        if report.proven:
            demand(not covered, "what is in scope is not open", report.outcome.name, covered)
        if report.outcome is Outcome.STILL_OPEN:
            demand(bool(open_now), "an order that is called open is", report.still_open)
        for each in (*report.cancelled, *report.filled):
            if each.trigger is None:
                status = truth.orders[each.order.order_id].status
                demand(status == each.fate.value, "a fate is what happened", each.order.order_id, status, each.fate)
        taken = {each for run in (*truth.executions, *truth.cancels) for each in run.order_ids}
        demand(not taken & self.kept, "what is to be kept is left alone", taken & self.kept)
        demand(not named_twice(self.exchange), "no id is named twice within a second", named_twice(self.exchange))
        for endpoint, quota in QUOTAS.items():
            demand(truth.worst_second(endpoint) <= quota, "no quota is exceeded", endpoint)


def stop_world(main: Callable[[StopWorld], Awaitable[None]], seed: int = 5, **settings: Any) -> None:
    """Run `main` in a world of its own; whatever is left behind is a broken promise too."""

    async def whole() -> None:
        made = SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**{**CALM, **settings}))
        async with made as exchange, client_of(exchange, rng=random.Random(seed)) as client:
            await main(StopWorld(exchange, client))

    try:
        run_virtual(whole, debug=False)
    except BrokenPromiseError:
        raise
    except AssertionError as error:
        raise BrokenPromiseError(str(error)) from error


# -- any book, any faults, any options ------------------------------------------------------------------------------

FAULTS = (
    faults.drop(executed=True),
    faults.drop(executed=False),
    faults.hang(executed=True),
    faults.hang(executed=False),
    faults.delayed(before_s=1.5),
    faults.delayed(after_s=1.5),
    faults.envelope("429", status=429),
    faults.page(429, executed=False),
    faults.page(502, executed=True),
    faults.envelope("40010", executed=True),
    faults.truncated(),
    faults.envelope("40034"),
)
NOT_EXECUTED = (faults.never_executed(), faults.executed_late(3.0), faults.executed_in_part(0.5))


def play(seed: int) -> Outcome | None:
    """One random history; its outcome, or `None` where nothing was begun."""
    dice = random.Random(f"stops/{seed}")
    lags = {"listing_lag_s": (0.0, 1.9), "history_lag_s": (0.1, 1.0), "order_info_lag_s": (0.0, 0.5)}
    settings = lags if dice.random() < 0.6 else {}
    settings |= {"sweep_delay_s": (0.05, 1.0), "cancel_delay_s": (0.0, 1.0)}
    found: list[Outcome | None] = []

    async def main(world: StopWorld) -> None:
        found.append(await _history(world, dice))

    stop_world(main, seed, **settings)
    return found[0]


async def _history(world: StopWorld, dice: random.Random) -> Outcome | None:
    names = dice.sample(tuple(SYMBOLS), dice.randint(1, 8))
    given = _options(world, dice, names)
    calm = dice.random() < 0.3
    if not calm:
        _trouble(world, dice)
    ids = _book(world, dice, names)
    symbols, normal = given.get("symbols"), "normal" in given["include"]
    ids = {each for each in ids if normal and (symbols is None or world.exchange.order(each).symbol in symbols)}
    call = asyncio.ensure_future(world.begin(**given))
    leaves = dice.random() < 0.15
    if leaves:
        await asyncio.sleep(dice.random() * 0.2)
        _ = call.cancel()
    try:
        pending = await call
    except BitgetError:
        demand(not calm, "a stop on a calm exchange begins")
        return None
    except asyncio.CancelledError:
        stops = [each for each in world.client.pending if isinstance(each, PendingStop)]
        if not stops:
            await asyncio.sleep(5)
            demand(not any(map(world.exchange.truth.count, COMMANDS)), "withdrawn is withdrawn")
            return None
        (pending,) = stops
    report = await world.judged(pending)
    if calm:
        demand(report.proven, "what can be proven is proven", report.outcome.name, report.reason, report.anomalies)
        # What filled before any listing showed it, nobody can have seen.
        missing = ids - {each.order.order_id for each in report.orders}
        missing = {each for each in missing if world.exchange.order(each).status != "filled"}
        demand(not missing, "every order that was ended is in the report", missing)
    return report.outcome


def _options(world: StopWorld, dice: random.Random, names: list[str]) -> dict[str, Any]:
    include = dice.choice((("normal",), ("normal",), ("normal", "tpsl"), ("trigger",), KINDS))
    given: dict[str, Any] = {"include": include, "late": dice.choice(("report", "sweep"))}
    if dice.random() < 0.3:
        given["symbols"] = dice.sample(names, dice.randint(1, len(names)))
    if "normal" in include and dice.random() < 0.4:
        oid = "hedge"
        world.kept = set(world.exchange.rest(dice.choice(names), 1, client_oid=oid, age_s=60))
        given |= dice.choice(({"keep": [oid]}, {"exclude_client_oids": [oid]}, {"keep": _function(oid, dice)}))
    return given


def _function(oid: str, dice: random.Random) -> Callable[[Order], bool]:
    raises = dice.random() < 0.5

    def keep(order: Order) -> bool:
        if raises and order.client_oid == oid:
            raise ValueError(oid)
        return order.client_oid == oid

    return keep


def _book(world: StopWorld, dice: random.Random, names: list[str]) -> set[str]:
    """Orders of all kinds, some of which fill, and some that come later; ids that the stop has to end."""
    exchange = world.exchange
    ids = []
    for name in names:
        made = exchange.rest(name, dice.choice((0, 1, 3, 30, 120)), age_s=dice.choice((0.2, 60.0, 4e6)))
        for each in made[: dice.randint(0, 2)]:
            exchange.schedule_fill(each, dice.random() * 3)
        for _ in range(dice.choice((0, 0, 0, 2))):
            exchange.schedule_order(name, dice.random() * 4)
        ids += made
        _ = exchange.rest(name, dice.choice((0, 0, 3)), tpsl=True, age_s=60)
        _ = exchange.rest_trigger(name, dice.choice((0, 0, 3)), age_s=60)
    return set(ids)


def _trouble(world: StopWorld, dice: random.Random) -> None:
    for endpoint in QUOTAS:
        if dice.random() < 0.5:
            some = FAULTS if endpoint not in COMMANDS else (*FAULTS, *NOT_EXECUTED)
            _ = world.exchange.faults.add(
                endpoint, dice.choice(some), times=dice.randint(1, 3), after=dice.randint(0, 3)
            )
