"""
The same few clients for days: memory, tasks and promises over as many cancels as one likes.

Each process has one exchange and four accounts with a client each, all behind one address. For every account and
symbol somebody places orders, cancels them, waits for the report, and has it judged against the truth; then begins
anew. The exchange forgets what is over, so that what grows is the client's. Most requests take a shorter way than a
socket, see `wires`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bitget_async import BitgetClient, NotSent, Outcome, Refused
from bitget_async.clock import VirtualClock
from bitget_async.sim import SYMBOLS, Account, Settings, SimulatedExchange, faults
from tests.contracts.commands_judge import CommandsWorld
from tests.contracts.commands_world import Asked, Item, Wire
from tests.contracts.world import QUOTAS, BrokenPromiseError, CountingLimits, Settled, demand
from tests.soak.measured import machine, write
from tests.soak.story import tls
from tests.soak.wires import Shortcut
from tests.virtualtime import virtual_loop, virtual_sockets

ACCOUNTS = 4
LANES = 20
PROCESSES = 2
EACH = 0.01
KEPT_S = 150.0
SECOND_NS = 1_000_000_000
COMMANDS = ("cancel-symbol-order", "place-order", "cancel-order")
READS = ("unfilled-orders", "history-orders", "orderInfo")
# One in a hundred requests of its kind meets each of these.
COMMAND_FAULTS = [
    faults.drop(executed=False),
    faults.drop(executed=True),
    faults.reset(executed=True),
    faults.hang(executed=True),
    faults.delayed(before_s=3.0),
    faults.page(502, executed=True),
    faults.page(503, executed=False),
    faults.truncated(0.5),
    faults.envelope("45001", executed=True),
    faults.envelope("429", status=429, executed=False),
    faults.envelope("40008", executed=False),
]
SWEEP_FAULTS = [faults.never_executed(), faults.executed_in_part(0.5), faults.executed_late(2.5)]
READ_FAULTS = [
    faults.drop(executed=True),
    faults.hang(executed=True),
    faults.page(502, executed=True),
    faults.truncated(0.6),
    faults.envelope("40010", executed=True),
    faults.envelope("429", status=429, executed=False),
    faults.shuffled_rows(),
    faults.duplicated_rows(),
]


def resident_mb() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


@dataclass
class Sample:
    """How things stand at a tenth of the way."""

    cancels: int
    rss_mb: float
    objects: int
    tasks: int
    pending: int
    virtual_s: int
    real_s: int


@dataclass
class Counts:
    """What has happened so far."""

    cancels: int = 0
    placements: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    sweeps: int = 0
    attempts: int = 0
    broken: list[str] = field(default_factory=list)

    def note(self, table: dict[str, int], what: str) -> None:
        """One more of that."""
        table[what] = table.get(what, 0) + 1


class Judge(CommandsWorld):
    """The judge of the contracts, for one account of an exchange that forgets; it drives nothing."""

    def __init__(self, exchange: SimulatedExchange, account: Account) -> None:
        self.exchange = _Seen(exchange, account)
        self.facts = Wire()
        self.handles = {}
        self.asked = []
        self._absent = []
        self.stalled_ns = set()

    def report(self, handle: Any, now_ns: int) -> None:
        """Judge the report of a cancellation by symbol that settled now."""
        report = handle.report
        self._judge_report(Settled(handle, report, "", now_ns))

    def named(self, handle: Any, asked: Asked, now_ns: int) -> None:
        """Judge the report of a command that names its orders."""
        course, settled = handle._course, Settled(handle, handle.report, "", now_ns)
        demand(now_ns <= course.deadline_ns + 260_000_000, "g: settled by its deadline", handle.report)
        if asked.items:
            (item,), (placement,) = asked.items, handle.report.placements
            made = [each for each in self.exchange.truth.placements if each.client_oid == item.client_oid]
            self.facts.born[item.symbol, item.size] = [(each.order_id, each.copy, each.time_ns) for each in made]
            self._judge_placement(settled, item, placement)
            self._judge_absences()
            self._absent.clear()
            self.facts.born.clear()
        else:
            self._judge_named(settled, asked, course.named.targets)

    def _mine(self, symbol: str, until_ns: int) -> list[Any]:
        shelf = self.exchange.venue.shelf(self.exchange.account.uid)
        orders = [*shelf.open_now(symbol), *shelf.final(symbol)]
        return [order for order in orders if order.created_ns <= until_ns]


class _Seen:
    """An exchange as one account sees it."""

    def __init__(self, exchange: SimulatedExchange, account: Account) -> None:
        self.account = account
        self.truth, self.venue, self.settings = exchange.truth, exchange.venue, exchange.settings


class Lane:
    """One symbol of one account: somebody who cancels there again and again."""

    def __init__(self, soak: Soak, account: Account, client: BitgetClient, judge: Judge, symbol: str) -> None:
        self.soak, self.account, self.client, self.judge, self.symbol = soak, account, client, judge, symbol
        self.dice = random.Random(f"{soak.seed}/{account.uid}/{symbol}")
        self.number = 0

    async def run(self) -> None:
        """Until enough has been cancelled."""
        await asyncio.sleep(self.dice.uniform(0.0, 5.0))
        while self.soak.goes_on:
            self.number += 1
            called_ns = self.soak.now_ns
            try:
                await (self._by_id() if self.dice.random() < 0.1 else self._by_symbol())
            except (NotSent, Refused) as error:
                self.soak.counts.note(self.soak.counts.errors, type(error).__name__)
                await self._judge_error(error, called_ns)
            except BrokenPromiseError as error:
                self.soak.counts.broken.append(f"{self.account.uid} {self.symbol} {self.number}: {error}")
            await asyncio.sleep(self.dice.uniform(0.0, 2.0))

    async def _judge_error(self, error: Exception, called_ns: int) -> None:
        """Not sent, or refused: nothing was executed, not even late."""
        await asyncio.sleep(45)
        mine = [run for run in self.soak.exchange.truth.executions if run.uid == self.account.uid]
        if any(run.symbol == self.symbol and run.time_ns >= called_ns for run in mine):
            self.soak.counts.broken.append(f"3: {error!r} and it was executed: {self.account.uid} {self.symbol}")

    async def _by_symbol(self) -> None:
        dice, exchange, counts = self.dice, self.soak.exchange, self.soak.counts
        ids = exchange.rest(self.symbol, dice.choice([0, 1, 1, 2, 3]), account=self.account, age_s=dice.choice([0, 5]))
        if dice.random() < 0.1:
            exchange.schedule_order(self.symbol, dice.uniform(0.0, 3.0), account=self.account)
        if ids and dice.random() < 0.1:
            exchange.schedule_fill(ids[0], dice.uniform(0.0, 1.0), dice.choice([None, Decimal("0.0004")]))
        options = {"ensure": dice.random() < 0.1, "snapshot": dice.choice(["concurrent"] * 8 + ["before", "none"])}
        handle = await self._called(options)
        if handle is None:
            return
        counts.cancels += 1
        counts.sweeps += 1
        report = await handle.settled()
        counts.note(counts.outcomes, report.outcome.name)
        counts.attempts += handle.attempts
        self.judge.report(handle, self.soak.now_ns)
        self.soak.sample()

    async def _called(self, options: dict[str, Any]) -> Any:
        """The handle of a cancellation; one caller in a hundred leaves, and the handle is found where it is kept."""
        call = asyncio.ensure_future(self.client.cancel_symbol_orders(self.symbol, **options))
        if self.dice.random() >= EACH:
            return await call
        await asyncio.sleep(self.dice.choice([0.0, 0.02, 0.2]))
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await call
        kept = [each for each in self.client.pending if each.symbol == self.symbol]
        return kept[-1] if kept else None

    async def _by_id(self) -> None:
        """Place an order, and cancel it by its id."""
        counts = self.soak.counts
        item = Item(self.symbol, Decimal("20"), f"{self.account.uid}-{self.symbol}-{self.number}"[-32:])
        price = (SYMBOLS[self.symbol].last / 2).quantize(Decimal(1).scaleb(-SYMBOLS[self.symbol].price_digits))
        placing = await self.client.place_order(
            self.symbol, "buy", "limit", item.size, price=price, client_oid=item.client_oid, fence=False
        )
        counts.placements += 1
        report = await placing.settled()
        self.judge.named(placing, Asked("place_order", [item]), self.soak.now_ns)
        (placement,) = report.placements
        if placement.order_id is None:
            return
        pending = await self.client.cancel_order(self.symbol, order_id=placement.order_id)
        counts.cancels += 1
        settled = await pending.settled()
        counts.note(counts.outcomes, settled.outcome.name)
        self.judge.named(pending, Asked("cancel_order", named=[("order_id", placement.order_id)]), self.soak.now_ns)
        self.soak.sample()


class Soak:
    """
    One process's share.

    Args:
        seed: decides everything.
        count: cancels.
        told: whether to print each tenth.
    """

    def __init__(self, seed: int, count: int, *, told: bool = False) -> None:
        self.seed, self.count, self.told = seed, count, told
        self.counts = Counts()
        self.samples: list[Sample] = []
        self.limits = CountingLimits()
        self.shortcuts: list[Shortcut] = []
        self._began = time.monotonic()

    @property
    def goes_on(self) -> bool:
        """Whether there is more to cancel."""
        return self.counts.cancels < self.count

    @property
    def now_ns(self) -> int:
        """Monotonic virtual time."""
        return round(asyncio.get_running_loop().time() * 1e9)

    def play(self) -> dict[str, Any]:
        """All of it, on a loop of its own; returns the figures."""
        loop = virtual_loop()
        loop.set_debug(False)
        unheard: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: unheard.append(context))
        with virtual_sockets():
            try:
                asyncio.set_event_loop(loop)
                loop.run_until_complete(self._whole())
                left = len(asyncio.all_tasks(loop))
                virtual_s = loop.time()
            finally:
                asyncio.set_event_loop(None)
                loop.close()
        if unheard:
            self.counts.broken.append(f"20: the loop's exception handler heard {unheard[:3]}")
        return self._figures(left, virtual_s)

    async def _whole(self) -> None:
        settings = Settings(
            request_latency_s=(0.01, 0.05),
            answer_latency_s=(0.01, 0.05),
            listing_lag_s=(0.0, 0.3),
            replicas=3,
        )
        exchange = SimulatedExchange(
            self.seed, clock=VirtualClock(), settings=settings, keep_wire=100, keep_headers=False
        )
        async with contextlib.AsyncExitStack() as stack:
            self.exchange = await stack.enter_async_context(exchange)
            self._script()
            accounts = [exchange.account, *(exchange.add_account() for _ in range(ACCOUNTS - 1))]
            self.clients = [await stack.enter_async_context(self._client(account)) for account in accounts]
            janitor = asyncio.ensure_future(self._forget())
            lanes = [
                Lane(self, account, client, Judge(exchange, account), symbol)
                for account, client in zip(accounts, self.clients, strict=True)
                for symbol in list(SYMBOLS)[:LANES]
            ]
            await asyncio.gather(*(lane.run() for lane in lanes))
            self._judge_wire([account.uid for account in accounts])
            janitor.cancel()
        await asyncio.sleep(1)

    def _client(self, account: Account) -> BitgetClient:
        clock = VirtualClock()
        client = BitgetClient(
            self.exchange.credentials(account),
            base_url=self.exchange.base_url,
            clock=clock,
            rng=random.Random(f"{self.seed}/{account.uid}"),
            limits=self.limits,
            ssl_context=tls(),
        )
        lots = random.Random(f"{self.seed}/{account.uid}/lots")
        shortcut = Shortcut(client._transport, self.exchange.gateway, clock, lots)
        client._transport = shortcut  # type: ignore[assignment]
        self.shortcuts.append(shortcut)
        return client

    def _script(self) -> None:
        self.entries = []
        for endpoints, played in ((COMMANDS, COMMAND_FAULTS), (COMMANDS[:1], SWEEP_FAULTS), (READS, READ_FAULTS)):
            for endpoint in endpoints:
                for fault in played:
                    self.entries.append(self.exchange.faults.add(endpoint, fault, times=None, probability=EACH))

    async def _forget(self) -> None:
        """Have the exchange forget what is over; the number of executions is kept."""
        while True:
            await asyncio.sleep(30)
            before_ns = self.now_ns - round(KEPT_S * 1e9)
            self.counts.runs += sum(run.time_ns < before_ns for run in self.exchange.truth.executions)
            self.exchange.forget(KEPT_S)

    def sample(self) -> None:
        """Write down how things stand, at each tenth of the way."""
        if self.counts.cancels * 10 < self.count * (len(self.samples) + 1):
            return
        gc.collect()
        self.samples.append(
            Sample(
                self.counts.cancels,
                resident_mb(),
                len(gc.get_objects()),
                len(asyncio.all_tasks()),
                sum(len(client.pending) for client in self.clients),
                round(asyncio.get_running_loop().time()),
                round(time.monotonic() - self._began),
            )
        )
        if self.told:
            print(f"process {self.seed}: {self.samples[-1]}", flush=True)

    def _judge_wire(self, uids: list[str]) -> None:
        """What the server counted, over the whole run."""
        truth, counts = self.exchange.truth, self.counts
        played = sum(each.hits for each in self.entries if each.fault.name == "envelope 429")
        self.over = truth.answers_429 - played
        runs = counts.runs + len(truth.executions)
        sent = self.limits.taken - self.limits.unsent
        self.breaches = [
            f"{endpoint} of {uid}: {worst} a second"
            for uid in uids
            for endpoint, quota in QUOTAS.items()
            if (worst := truth.worst_second(endpoint, uid)) > quota
        ]
        try:
            # One whose answer nobody waited for is played and not answered.
            demand(self.over <= 0, "8: no 429 but those of the script", self.over)
            demand(not self.breaches, "8: limits at the server", self.breaches)
            demand(truth.count() == sent, "9: copies equal tokens", truth.count(), sent)
            refused = counts.errors.get("Refused", 0)
            left = sum(counts.errors.values())
            copies = truth.count("cancel-symbol-order")
            demand(runs <= counts.sweeps, "3, 7: executions never exceed commands", runs, counts.sweeps)
            demand(copies <= counts.attempts + 4 * left, "7: copies never exceed attempts", copies, counts, refused)
        except BrokenPromiseError as error:
            counts.broken.append(str(error))

    def _figures(self, left: int, virtual_s: float) -> dict[str, Any]:
        counts, truth = self.counts, self.exchange.truth
        return {
            "cancels": counts.cancels,
            "placements": counts.placements,
            "outcomes": counts.outcomes,
            "errors": counts.errors,
            "requests": truth.count(),
            "over_aiohttp": sum(shortcut.usual for shortcut in self.shortcuts),
            "broken": counts.broken,
            "breaches": len(self.breaches) + max(self.over, 0),
            "tasks_left": left,
            "virtual_s": round(virtual_s),
            "real_s": round(time.monotonic() - self._began),
            "samples": [vars(sample) for sample in self.samples],
        }


def play(seed: int, count: int, told: bool = False) -> dict[str, Any]:
    """One process's share, as figures."""
    return Soak(seed, count, told=told).play()


def false_ones(broken: list[str]) -> tuple[int, int]:
    """How many confirmations and how many failures were false."""
    confirmed = sum(Outcome.CONFIRMED.name in each or Outcome.NOTHING_TO_CANCEL.name in each for each in broken)
    failed = sum(": 3" in each or each.startswith("3:") for each in broken)
    return confirmed, failed


def many(count: int, seed: int) -> int:
    """The long run on two processes, kept in docs/measured. Returns 1 if a promise broke."""
    context, began = multiprocessing.get_context("spawn"), time.monotonic()
    shares = [(seed + number, count // PROCESSES, True) for number in range(PROCESSES)]
    with context.Pool(PROCESSES) as pool:
        parts = pool.starmap(play, shares, chunksize=1)
    broken = [each for part in parts for each in part["broken"]]
    confirmed, failed = false_ones(broken)
    figures = {
        "cancels": sum(part["cancels"] for part in parts),
        "placements": sum(part["placements"] for part in parts),
        "requests": sum(part["requests"] for part in parts),
        "over_aiohttp": sum(part["over_aiohttp"] for part in parts),
        "false_confirmations": confirmed,
        "false_failures": failed,
        "broken_promises": len(broken),
        "breaches_at_the_server": sum(part["breaches"] for part in parts),
        "tasks_left": sum(part["tasks_left"] for part in parts),
        "rss_growth_mb_10_to_100_percent": max(growth(part) for part in parts),
        "virtual_hours": round(sum(part["virtual_s"] for part in parts) / 3600, 1),
        "duration_s": round(time.monotonic() - began),
    }
    line = f"python -m tests.soak cancels --count {count} --seed {seed}"
    facts = {"command": line, "seed": seed, **figures, "machine": machine(), "processes": parts}
    write("soak", facts)
    print("\n".join([*broken[:20], str(figures)]))
    return int(bool(broken) or figures["tasks_left"] > 0)


def growth(part: dict[str, Any]) -> float:
    """By how many MB memory grew from a tenth of the way to its end."""
    samples = part["samples"]
    return round(samples[-1]["rss_mb"] - samples[0]["rss_mb"], 1) if samples else 0.0
