"""
One history that its seed decides: callers, other people, the network, the exchange and the clocks.

The world and its judge are those of `tests/contracts`. What came out is written down line by line, so that two runs of
one seed can be compared.
"""

from __future__ import annotations

import functools
import hashlib
import random
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bitget_async.sim import SYMBOLS, Settings
from tests.contracts.commands_judge import CommandsWorld
from tests.contracts.commands_machine import (
    CANCELLING_FAULTS,
    PLACING_FAULTS,
    READ_FAULTS,
    READS,
    REPLACING_FAULTS,
    SWEEP_FAULTS,
)
from tests.contracts.commands_world import KINDS, SIZES
from tests.contracts.machine import SYMBOL_FAULTS, fitting
from tests.contracts.world import World

HANDLES = 50
MOST_SCENES = 400
# Of objects that are shown by where they lie.
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
NOBODY = "1308742897000000007"
PLAYED = {
    "place-order": PLACING_FAULTS,
    "batch-orders": PLACING_FAULTS,
    "place-plan-order": PLACING_FAULTS,
    "cancel-order": CANCELLING_FAULTS,
    "batch-cancel-order": CANCELLING_FAULTS,
    "modify-plan-order": CANCELLING_FAULTS,
    "cancel-plan-order": CANCELLING_FAULTS,
    "cancel-replace-order": REPLACING_FAULTS,
    "batch-cancel-replace-order": REPLACING_FAULTS,
    "cancel-symbol-order": SYMBOL_FAULTS,
    "batch-cancel-plan-order": SWEEP_FAULTS,
    **dict.fromkeys(READS, READ_FAULTS),
}


@dataclass
class Played:
    """
    What a history came to.

    Attributes:
        digest: sha256 of the log, in hexadecimal digits.
        failure: the promise that was broken, or what else went wrong; empty if all is well.
        log: what happened, one line each: requests as they arrived, what the exchange did, orders, reports, errors.
    """

    seed: int
    handles: int
    requests: int
    virtual_s: float
    digest: str
    failure: str
    log: list[str] = field(repr=False)


@functools.cache
def tls() -> ssl.SSLContext:
    """Nobody speaks TLS here, and reading the certificates of the system takes as long as a tenth of a history."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Story:
    """
    A history.

    Args:
        seed: decides everything.
        debug: whether asyncio's debug mode is on.
        handles: how many calls have been signed when the last scene ends.
    """

    def __init__(self, seed: int, *, debug: bool = False, handles: int = HANDLES) -> None:
        self.dice = random.Random(f"story/{seed}")
        self.enough = handles
        self.world = CommandsWorld(
            seed, self._settings(), self.dice.choice([0, 0, 400, 3_600_000, -3_600_000]), ssl_context=tls()
        )
        self.world.loop.set_debug(debug)
        self.other = self.world.exchange.add_account()
        self.sweep_symbols = self.dice.sample(sorted(SYMBOLS), 6)
        self.symbols = sorted(SIZES)
        self.trouble = self.dice.choice([0.0, 0.02, 0.1, 0.3])
        self._begin()

    def _settings(self) -> Settings:
        pick: Callable[[list[Any]], Any] = self.dice.choice
        latency: Any = pick([0.0, 0.04, (0.0, 0.3)])
        return Settings(
            clock_offset_ms=pick([0, 0, 0, 29_000, 86_400_000]),
            clock_drift_ppm=pick([0.0, 50.0, -50.0]),
            replicas=pick([1, 2, 3]),
            listing_lag_s=pick([0.0, (0.0, 0.3), (0.0, 1.9)]),
            order_info_lag_s=pick([0.0, (0.0, 0.1), (0.0, 1.9)]),
            history_lag_s=pick([0.0, (0.1, 0.8), (0.1, 0.8), (0.1, 0.8), 4.0, float("inf")]),
            request_latency_s=latency,
            answer_latency_s=latency,
            sweep_delay_s=pick([0.0, (0.05, 0.5), 1.5]),
            place_delay_s=pick([0.0, 0.0, (0.0, 0.3)]),
            replace_delay_s=pick([0.0, (0.0, 0.3)]),
            unknown_order_code=pick([None, "43001", "40109"]),
            trigger_failure_inside=pick([False, True]),
            cancelled_text=pick(["cancelled", "canceled"]),
            nothing_open_code=pick([None, None, "22001", "43004"]),
        )

    def _begin(self) -> None:
        exchange = self.world.exchange
        for symbol in sorted({*self.symbols, *self.sweep_symbols}):
            exchange.rest(symbol, self.dice.choice([0, 1, 3]), age_s=self.dice.choice([1.0, 3600.0, 8e6]))
            exchange.rest(symbol, self.dice.choice([0, 1]), account=self.other)
        for endpoint in sorted(PLAYED):
            faults = PLAYED[endpoint]
            for fault in self.dice.sample(faults, 3):
                exchange.faults.add(endpoint, fault, times=None, probability=self.trouble / 3, where=fitting(fault))

    # -- playing ----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """All scenes, then the end. Raises `BrokenPromiseError`."""
        world, scenes = self.world, list(SCENES)
        weights = list(SCENES.values())
        for _ in range(MOST_SCENES):
            if len(world.handles) >= self.enough:
                break
            (scene,) = self.dice.choices(scenes, weights)
            scene(self)
            world.advance(self.dice.choice([0.0, 0.0, 0.001, 0.02, 0.2, 0.7, 2.3]))
        if self.dice.random() < 0.05:
            world.judge()
            world.close()
        else:
            world.finish()

    def _symbol(self) -> str:
        return self.dice.choice(self.symbols)

    def _options(self) -> dict[str, Any]:
        """Of a placement or a replacement."""
        return {
            "fence": self.dice.random() < 0.7,
            "max_wait_s": self.dice.choice([None, None, None, 0.2, 3.0]),
            "confirm_within_s": self.dice.choice([60.0, 20.0, 8.0, 1.5]),
        }

    def _open(self, symbol: str) -> list[str]:
        return list(self.world.exchange.truth.open_ids(self.world.exchange.account.uid, symbol))

    def _name(self, symbol: str) -> tuple[str, str]:
        """An order of the symbol by one of its names: mostly an open one, else an ended one or nobody's."""
        by_oid, orders = self.dice.random() < 0.4, self.world.exchange.truth.orders
        ids = self._open(symbol)
        if not ids or self.dice.random() < 0.1:
            ids = [o.order_id for o in orders.values() if o.symbol == symbol and not o.draft.tpsl][-12:]
        mine = [each for each in ids if orders[each].uid == self.world.exchange.account.uid]
        if not mine or self.dice.random() < 0.05:
            return ("client_oid", "nobody-1") if by_oid else ("order_id", NOBODY)
        order = orders[self.dice.choice(mine)]
        return ("client_oid", order.client_oid) if by_oid else ("order_id", order.order_id)

    def cancels(self) -> None:
        """Several symbols at once, each with options of its own, some by two callers."""
        for symbol in self.dice.sample([*self.symbols, *self.sweep_symbols], self.dice.choice([1, 2, 6])):
            options = {
                "ensure": self.dice.random() < 0.3,
                "snapshot": self.dice.choice(["concurrent", "concurrent", "before", "none"]),
                "confirm_within_s": self.dice.choice([60.0, 20.0, 8.0]),
                "max_wait_s": self.dice.choice([None, None, None, 0.3]),
            }
            for _ in range(self.dice.choice([1, 1, 1, 2])):
                self.world.cancel(symbol, **options)

    def places(self) -> None:
        """Some orders, one call each."""
        for _ in range(self.dice.choice([1, 2, 5])):
            self.world.place(self._symbol(), self.dice.choice(sorted(KINDS)), **self._options())

    def places_a_batch(self) -> None:
        """Orders of one or of several symbols."""
        count, single = self.dice.choice([1, 5, 25]), self.dice.random() < 0.5
        names = [self._symbol()] * count if single else [self._symbol() for _ in range(count)]
        kinds = self.dice.sample(sorted(KINDS), 2)
        options = self._options()
        del options["max_wait_s"]
        self.world.batch(names, kinds, single=single, **options)

    def places_tpsl(self) -> None:
        """A take-profit order that stands alone."""
        self.world.place_tpsl(self._symbol())

    def cancels_orders(self) -> None:
        """By id or client id."""
        for _ in range(self.dice.choice([1, 3])):
            symbol = self._symbol()
            self.world.cancel_one(symbol, **dict([self._name(symbol)]))

    def cancels_many(self) -> None:
        """All that are open, up to some, by one kind of name."""
        symbol, by_oid = self._symbol(), self.dice.random() < 0.3
        orders = [self.world.exchange.order(each) for each in self._open(symbol)[: self.dice.choice([1, 4, 30])]]
        ids = [order.client_oid if by_oid else order.order_id for order in orders]
        self.world.cancel_many(symbol, "client_oid" if by_oid and ids else "order_id", ids or [NOBODY])

    def replaces(self) -> None:
        """One order, whatever became of it."""
        symbol = self._symbol()
        self.world.replace(symbol, self._name(symbol), fence=self.dice.random() < 0.7)

    def replaces_many(self) -> None:
        """Open ones of a symbol."""
        symbol = self._symbol()
        ids = self._open(symbol)[: self.dice.choice([2, 22])] or [NOBODY]
        self.world.replace_many([(symbol, "order_id", each) for each in ids])

    def requotes(self) -> None:
        """Place, cancel all, place again behind the fence or not."""
        symbol = self._symbol()
        self.world.place(symbol)
        self.world.advance(self.dice.choice([0.0, 0.01, 0.1]))
        self.world.cancel(symbol)
        self.world.advance(self.dice.choice([0.0, 0.01, 0.1]))
        self.world.place(symbol, fence=self.dice.random() < 0.7)

    def triggers(self) -> None:
        """Trigger orders: one more, one changed, one cancelled, one fired, or all of a symbol cancelled."""
        world, symbol = self.world, self._symbol()
        uid = world.exchange.account.uid
        mine = [each for each in world.exchange.truth.triggers.values() if each.uid == uid][-6:]
        act = self.dice.choice(["place", "place", "modify", "cancel", "sweep", "fire"])
        if act == "place" or not mine:
            world.place_plan(symbol)
        elif act == "sweep":
            world.cancel_plans(symbol, snapshot=self.dice.choice(["concurrent", "none"]))
        else:
            order = self.dice.choice(mine)
            by_oid = self.dice.random() < 0.5
            name = ("client_oid", order.client_oid) if by_oid else ("order_id", order.order_id)
            if act == "modify":
                world.modify_plan(order.plan.symbol, ("order_id", order.order_id))
            elif act == "cancel":
                world.cancel_plan(order.plan.symbol, name)
            else:
                world.exchange.fire(order.order_id)

    # -- others, clocks, the network --------------------------------------------------------------------------

    def others_trade(self) -> None:
        """Orders fill, are cancelled on the website, or come from elsewhere, now or soon."""
        symbol = self._symbol()
        open_ids = self._open(symbol)
        after_s = self.dice.uniform(0.0, 2.0)
        act = self.dice.choice(["fill", "part", "cancel", "place", "rest"])
        if act == "place":
            for _ in range(self.dice.choice([1, 1, 3])):
                self.world.exchange.schedule_order(self.dice.choice([symbol, *self.sweep_symbols]), after_s)
        elif act == "rest" or not open_ids:
            for each in (symbol, *self.dice.sample(self.sweep_symbols, 3)):
                self.world.exchange.rest(each, self.dice.choice([1, 3]))
        elif act == "cancel":
            self.world.others_cancel(self.dice.choice(open_ids))
        else:
            amount = Decimal("0.0004") if act == "part" else None
            self.world.others_fill(self.dice.choice(open_ids), after_s, amount)

    def a_caller_leaves(self) -> None:
        """One of those who called last is cancelled."""
        callers = self.world.callers()
        if callers:
            self.dice.choice(callers[-6:]).cancel()

    def a_caller_leaves_at_once(self) -> None:
        """The next caller is cancelled some turns of the loop after its call."""
        self.world.turns = self.dice.randrange(12)
        self.dice.choice([self.places, self.cancels_orders, self.replaces])()
        self.world.turns = None

    def a_handle_is_rechecked(self) -> None:
        """Where somebody would: still open, or not known."""
        for handle, settled in list(self.world.handles.items()):
            if settled is not None and settled.report.outcome.name in ("STILL_OPEN", "UNKNOWN"):
                self.world.handles.setdefault(self.world.do(handle.recheck()), None)
                break

    def the_wall_clock_steps(self) -> None:
        """NTP, or somebody's hand."""
        self.world.wall.step(self.dice.choice([-3_600_000, 3_600_000, 50]))

    def the_loop_stalls(self) -> None:
        """Somebody computes in the loop, or the machine sleeps: nothing is done meanwhile, and time passes."""
        self.world.stall(self.dice.choice([0.1, 5.0, 35.0, 120.0]))

    def the_address_is_banned(self) -> None:
        """As if somebody behind it had asked too much."""
        settings = self.world.exchange.settings
        settings.ip_ban_s, settings.ip_per_minute = self.dice.choice([5.0, 60.0, 300.0]), 0
        self.world.advance(1.0)
        settings.ip_per_minute = 6000

    def much_time_passes(self) -> None:
        """Handles settle."""
        self.world.advance(self.dice.choice([5.0, 15.0]))

    # -- the log ----------------------------------------------------------------------------------------------

    def log(self) -> Iterator[str]:
        """What happened, as far as anybody outside can see it."""
        world, truth = self.world, self.world.exchange.truth
        for copy in truth.wire:
            yield (
                f"wire {copy.index} at {copy.received_ns} {copy.method} {copy.path}?{copy.query} {copy.body.decode()} "
                f"stamp {copy.timestamp_ms} processed {copy.processed_ns} {copy.fault} -> {copy.status} {copy.code} "
                f"{copy.result} {sorted(copy.headers.items())}"
            )
        for run in (*truth.executions, *truth.cancels, *truth.trigger_cancels):
            yield f"ran {run}"
        for order in (*truth.orders.values(), *truth.triggers.values()):
            yield f"order {order.order_id} {order.client_oid} of {order.uid} {order.marks}"
        for handle, settled in world.handles.items():
            told = None if settled is None else (settled.settled_ns, settled.text)
            yield f"handle {handle!r} {told}"
            for change in handle._course.changes:
                yield f"change {ADDRESS.sub('', repr(change))}"
        for task in world.callers():
            error = None if task.cancelled() else task.exception()
            yield f"caller {'cancelled' if task.cancelled() else repr(error)} {error}"


SCENES: dict[Callable[[Story], None], float] = {
    Story.cancels: 6,
    Story.places: 6,
    Story.places_a_batch: 2,
    Story.places_tpsl: 0.5,
    Story.cancels_orders: 4,
    Story.cancels_many: 2,
    Story.replaces: 3,
    Story.replaces_many: 1,
    Story.requotes: 2,
    Story.triggers: 3,
    Story.others_trade: 5,
    Story.a_caller_leaves: 2,
    Story.a_caller_leaves_at_once: 1,
    Story.a_handle_is_rechecked: 0.5,
    Story.the_wall_clock_steps: 0.5,
    Story.the_loop_stalls: 0.3,
    Story.the_address_is_banned: 0.1,
    Story.much_time_passes: 0.5,
}


def play(seed: int, *, debug: bool = False) -> Played:
    """Play the history of a seed, to its end or to the first promise that is broken."""
    story = Story(seed, debug=debug)
    failure = ""
    try:
        story.play()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
    virtual_s = story.world.loop.time()
    if not story.world.closed:
        story.world.dispose()
    log = list(story.log())
    digest = hashlib.sha256("\n".join(log).encode()).hexdigest()
    world: World = story.world
    return Played(seed, len(world.handles), world.exchange.truth.count(), virtual_s, digest, failure, log)
