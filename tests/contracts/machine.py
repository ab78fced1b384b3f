"""The state machine: any mixture of calls, orders, faults, lags and time; the world judges after every step."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bitget_async.sim import Fault, Settings, WireCopy, faults

from .world import World

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
symbols = st.sampled_from(SYMBOLS)
seeds = st.integers(0, 2**32)

COMMAND = "cancel-symbol-order"
LISTINGS = ("unfilled-orders", "history-orders")

SYMBOL_FAULTS = [
    faults.drop(executed=False),
    faults.drop(executed=True),
    faults.reset(executed=True),
    faults.hang(executed=False),
    faults.hang(executed=True),
    faults.delayed(before_s=3.0),
    faults.delayed(before_s=29.0),
    faults.delayed(after_s=1.5),
    faults.page(502, executed=True),
    faults.page(503, executed=False),
    faults.page(403, executed=True),
    faults.page(429, executed=False),
    faults.raw(b"", executed=True),
    faults.raw(b"<html>", executed=True),
    faults.truncated(0.5),
    faults.truncated(1),
    faults.envelope("40010", executed=True),
    faults.envelope("45001", executed=True),
    faults.envelope("45001", executed=False),
    faults.envelope("99999", executed=True),
    faults.envelope("40808", status=200, executed=True),
    faults.envelope("22001", executed=False),
    faults.envelope("43004", executed=True),
    faults.envelope("40034", executed=False),
    faults.envelope("429", status=429, executed=False),
    faults.envelope("40008", executed=False),
    faults.wrong_echo("BGBUSDT"),
    faults.never_executed(),
    faults.executed_in_part(0.5),
    faults.executed_late(2.5),
    faults.executed_late(25.0),
]
command_faults = st.sampled_from(SYMBOL_FAULTS)
# Of a quarter of an hour ago.
STALE_COPY = faults.raw(b'{"code":"00000","msg":"success","requestTime":1749999000000,"data":null}')
read_faults = st.sampled_from(
    [
        faults.drop(executed=True),
        faults.hang(executed=True),
        faults.delayed(after_s=2.5),
        faults.page(502, executed=True),
        faults.raw(b"{}", executed=True),
        STALE_COPY,
        faults.truncated(0.6),
        faults.envelope("40010", executed=True),
        faults.envelope("429", status=429, executed=False),
        faults.envelope("12345", executed=True),
        faults.ignored_cursor(),
        faults.repeated_page(),
        faults.shuffled_rows(),
        faults.duplicated_rows(),
        faults.status_text("strange"),
        faults.bad_number("size"),
    ]
)


def fitting(fault: Fault) -> Callable[[WireCopy], bool] | None:
    """
    Which reads a fault may meet. Pages are repeated where somebody turns them: a first page as old as one likes is no
    fault, but a broken assumption (`staleness_s`), and nobody could tell. A stale copy comes once the client knows the
    time: before, with a wrong clock of its own, it could not tell either.
    """
    if fault is STALE_COPY:
        return lambda copy: copy.index > 20
    return (lambda copy: "idLessThan" in copy.query) if fault.name == "repeated page" else None


class Passing(RuleBasedStateMachine):
    """What may happen beside every client's commands: time, stepped clocks, and callers who ask once more."""

    world: Any
    debug = True

    @rule(by_ms=st.sampled_from([-3_600_000, 3_600_000, 50]))
    def the_wall_clock_is_stepped(self, by_ms: int) -> None:
        self.world.wall.step(by_ms)

    @rule()
    def a_settled_handle_is_rechecked(self) -> None:
        for handle, settled in list(self.world.handles.items()):
            if settled is not None and settled.report.outcome.name in ("STILL_OPEN", "UNKNOWN"):
                fresh = self.world.do(handle.recheck())
                self.world.handles.setdefault(fresh, None)
                break

    @rule(seconds=st.sampled_from([0.001, 0.02, 0.2, 0.7, 1.1, 2.3]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([5.0, 15.0, 45.0]))
    def much_time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @invariant()
    def promises_are_kept(self) -> None:
        if hasattr(self, "world"):
            self.world.judge()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.finish()
            finally:
                if not self.world.closed:
                    self.world.dispose()


class Cancelling(Passing):
    """Any history of one client, one account, three symbols."""

    world: World

    @initialize(
        seed=seeds,
        lag=st.sampled_from([(0.0, 0.0), (0.0, 0.3), (0.0, 1.9)]),
        history=st.sampled_from([0.0, (0.1, 0.8), 4.0]),
        latency=st.sampled_from([0.0, 0.04, (0.0, 0.3)]),
        sweep=st.sampled_from([0.0, (0.05, 0.5), 1.5]),
        offset_ms=st.sampled_from([0, 0, 3_600_000, -3_600_000, 400]),
        canceled=st.booleans(),
    )
    def begin(
        self, seed: int, lag: Any, history: Any, latency: Any, sweep: Any, offset_ms: int, canceled: bool
    ) -> None:
        settings = Settings(
            listing_lag_s=lag,
            history_lag_s=history,
            request_latency_s=latency,
            answer_latency_s=latency,
            sweep_delay_s=sweep,
            cancelled_text="canceled" if canceled else "cancelled",
        )
        self.world = self.built(seed, settings, offset_ms)
        self.world.loop.set_debug(self.debug)
        self.other = self.world.exchange.add_account()

    def built(self, seed: int, settings: Settings, offset_ms: int) -> World:
        """The world of this example."""
        return World(seed, settings, offset_ms)

    @rule(symbol=symbols, n=st.sampled_from([1, 2, 5, 60, 101]), age_s=st.sampled_from([0.0, 1.0, 3600.0, 8e6]))
    def orders_rest(self, symbol: str, n: int, age_s: float) -> None:
        self.world.exchange.rest(symbol, n, age_s=self.age(age_s))

    @rule(symbol=symbols, digits=st.sampled_from(["7", "99", "100", "1308742897634820105"]))
    def an_order_with_a_short_id_rests(self, symbol: str, digits: str) -> None:
        if digits not in self.world.exchange.truth.orders:
            self.world.exchange.rest(symbol, ids=[digits], age_s=self.age(5.0))

    def age(self, age_s: float) -> float:
        """Old orders appear only while nothing is pending: no exchange makes an order in the past of a command."""
        quiet = all(call.task.done() for call in self.world.calls) and not self.world.client.pending
        return age_s if quiet else 0.0

    @rule(symbol=symbols)
    def somebody_else_has_orders(self, symbol: str) -> None:
        self.world.exchange.rest(symbol, 2, account=self.other)

    @rule(symbol=symbols, after_s=st.floats(0.0, 3.0))
    def an_order_comes_later(self, symbol: str, after_s: float) -> None:
        self.world.exchange.schedule_order(symbol, after_s)

    @rule(symbol=symbols, after_s=st.sampled_from([0.01, 0.5]))
    def a_crowd_of_orders_comes_later(self, symbol: str, after_s: float) -> None:
        for _ in range(101):
            self.world.exchange.schedule_order(symbol, after_s)

    @rule(symbol=symbols, after_s=st.floats(0.0, 2.0), whole=st.booleans())
    def an_order_fills(self, symbol: str, after_s: float, whole: bool) -> None:
        for order_id in self.world.exchange.truth.open_ids(self.world.exchange.account.uid, symbol)[:2]:
            self.world.exchange.schedule_fill(order_id, after_s, None if whole else Decimal("0.0004"))

    @rule(
        symbol=symbols, ensure=st.booleans(), snapshot=st.sampled_from(["concurrent", "concurrent", "before", "none"])
    )
    def somebody_cancels(self, symbol: str, ensure: bool, snapshot: str) -> None:
        self.world.cancel(symbol, ensure=ensure, snapshot=snapshot)

    @rule(symbol=symbols, callers=st.integers(2, 8))
    def many_cancel(self, symbol: str, callers: int) -> None:
        for _ in range(callers):
            self.world.cancel(symbol)

    @rule(symbol=symbols)
    def somebody_is_impatient(self, symbol: str) -> None:
        self.world.cancel(symbol, max_wait_s=0.3, confirm_within_s=8.0)

    @rule(which=st.integers(0, 100))
    def a_caller_is_cancelled(self, which: int) -> None:
        if self.world.calls:
            self.world.calls[which % len(self.world.calls)].task.cancel()

    @rule(fault=command_faults)
    def the_next_command_fails(self, fault: Fault) -> None:
        self.world.exchange.faults.add(COMMAND, fault, times=1)

    @rule(executed=st.booleans())
    def the_next_command_is_redirected(self, executed: bool) -> None:
        there = f"{self.world.exchange.base_url}/api/v2/spot/trade/elsewhere"
        self.world.exchange.faults.add(COMMAND, faults.redirect(there, executed=executed), times=1)

    @rule(fault=read_faults, endpoint=st.sampled_from([*LISTINGS, "orderInfo"]), times=st.integers(1, 3))
    def the_next_reads_fail(self, fault: Fault, endpoint: str, times: int) -> None:
        self.world.exchange.faults.add(endpoint, fault, times=times, where=fitting(fault))
