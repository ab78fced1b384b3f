"""The state machine of pending commands: any mixture of verbs, faults, lags and time, judged step by step."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from bitget_async.sim import Fault, Settings, faults

from .commands_judge import CommandsWorld
from .commands_world import KINDS
from .machine import Passing, fitting, seeds, symbols

READS = ("unfilled-orders", "history-orders", "orderInfo", "current-plan-order", "history-plan-order")

# Late by less than the client assumes (`execution_grace_s`, 10 s), where the answer does not name the order.
LATE = faults.executed_late(8.0)


def _foreign_id(data: Any) -> Any:
    """Another order's id, or one of none, in place of the right one."""
    if isinstance(data, dict) and data.get("orderId"):
        return data | {"orderId": str(int(data["orderId"]) - 1)}
    if isinstance(data, dict) and "successList" in data:
        done = data["successList"] or []
        return data | {"successList": [_foreign_id(each) for each in done]}
    return [_foreign_id(each) for each in data] if isinstance(data, list) else data


def _foreign_name(data: Any) -> Any:
    """Another client id in place of the right one."""
    return data | {"clientOid": "somebody-elses"} if isinstance(data, dict) and "clientOid" in data else data


def _swapped(data: Any) -> Any:
    """The items of a batch in reverse."""
    if isinstance(data, dict) and data.get("successList"):
        return data | {"successList": data["successList"][::-1]}
    return data[::-1] if isinstance(data, list) else data


def _silent(data: Any) -> Any:
    """An answer that names only half of what was asked for."""
    if isinstance(data, dict) and data.get("successList"):
        return data | {"successList": data["successList"][::2]}
    return data


# Of every command. Where it is executed and the answer says no, the code is one that proves nothing.
any_command = [
    faults.drop(executed=False),
    faults.drop(executed=True),
    faults.reset(executed=False),
    faults.reset(executed=True),
    faults.hang(executed=False),
    faults.hang(executed=True),
    faults.delayed(before_s=3.0),
    faults.delayed(before_s=3.0) | faults.drop(executed=True),
    faults.delayed(before_s=4.9) | faults.reset(executed=True),
    faults.delayed(before_s=5.5) | faults.drop(executed=True),
    faults.delayed(before_s=29.0) | faults.drop(executed=True),
    faults.delayed(before_s=35.0) | faults.drop(executed=True),
    faults.delayed(after_s=1.5),
    faults.truncated(0.5),
    faults.page(502, executed=True),
    faults.page(403, executed=True),
    faults.page(503, executed=False),
    faults.raw(b"", executed=True),
    faults.envelope("40010", executed=True),
    faults.envelope("40015", executed=True),
    faults.envelope("45001", executed=True),
    faults.envelope("45001", executed=False),
    faults.envelope("12345", executed=True),
    faults.envelope("12345", executed=False),
    faults.envelope("429", status=429, executed=False),
    faults.envelope("40008", executed=False),
    faults.envelope("40034", executed=False),
    faults.never_executed(),
    faults.executed_late(2.5),
    LATE,
    LATE | faults.drop(executed=True),
    LATE | faults.truncated(0.3),
    LATE | faults.envelope("45001", executed=True),
    faults.processed_twice(0.2),
    faults.processed_twice(2.0) | faults.drop(executed=True),
    faults.edited_data(_foreign_id, name="foreign id"),
    faults.edited_data(_foreign_id, name="foreign id") | faults.never_executed(),
    faults.edited_data(_foreign_name, name="foreign name"),
    faults.edited_data(_swapped, name="swapped"),
    faults.edited_data(_silent, name="silent"),
    faults.inner_failure("45001", executed=True, items=0.5),
    faults.inner_failure("45001", executed=False, items=0.5),
    faults.inner_failure("43012", executed=False, items=0.5),
    faults.executed_in_part(0.5),
]


PLACING_FAULTS = [
    *any_command,
    faults.envelope("43118", executed=True),
    faults.envelope("43118", executed=False),
    faults.envelope("43012", executed=False),
    LATE | faults.envelope("43118", executed=True),
    faults.inner_failure("43118", executed=True, items=0.5),
]
REPLACING_FAULTS = [
    *any_command,
    faults.envelope("43001", executed=False),
    faults.half_replaced("cancelled"),
    faults.half_replaced("placed"),
    faults.half_replaced("cancelled") | faults.drop(executed=True),
    faults.half_replaced("placed") | faults.drop(executed=True),
    LATE | faults.half_replaced("cancelled") | faults.drop(executed=True),
]
CANCELLING_FAULTS = [
    *any_command,
    faults.envelope("43001", executed=True),
    faults.envelope("43001", executed=False),
    faults.envelope("43025", executed=True),
    faults.executed_late(25.0),
    LATE | faults.envelope("43001", executed=True),
    faults.inner_failure("43001", executed=False, items=0.5),
    faults.inner_failure("43001", executed=True, items=0.5),
]
SWEEP_FAULTS = [
    faults.drop(executed=False),
    faults.drop(executed=True),
    faults.hang(executed=True),
    faults.delayed(after_s=1.5),
    faults.never_executed(),
    faults.executed_late(2.5),
    faults.executed_in_part(0.5),
    faults.envelope("43001", executed=False),
]
READ_FAULTS = [
    faults.drop(executed=True),
    faults.hang(executed=True),
    faults.delayed(after_s=2.5),
    faults.page(502, executed=True),
    faults.raw(b"{}", executed=True),
    faults.raw(b'{"code":"00000","msg":"success","data":null}'),
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


def sometimes(played: list[Fault]) -> st.SearchStrategy[Fault | None]:
    """One of these faults, or as often none."""
    return st.one_of(st.none(), st.sampled_from(played))


placing_faults = sometimes(PLACING_FAULTS)
replacing_faults = sometimes(REPLACING_FAULTS)
cancelling_faults = sometimes(CANCELLING_FAULTS)
sweep_faults = sometimes(SWEEP_FAULTS)
read_faults = st.sampled_from(READ_FAULTS)
kinds = st.sampled_from(sorted(KINDS))
oids = st.sampled_from([None, None, "mine-1", "mine-2"])


class Commanding(Passing):
    """Any history of one client's commands, one account, three symbols."""

    world: CommandsWorld

    @initialize(
        seed=seeds,
        lag=st.sampled_from([(0.0, 0.0), (0.0, 0.3), (0.0, 1.9)]),
        info_lag=st.sampled_from([0.0, (0.0, 0.1), (0.0, 1.9)]),
        history=st.sampled_from([0.0, (0.1, 0.8), 4.0, float("inf")]),
        latency=st.sampled_from([0.0, 0.04, (0.0, 0.3)]),
        sweep=st.sampled_from([0.0, (0.05, 0.5), 1.5]),
        place=st.sampled_from([0.0, 0.0, (0.0, 0.3)]),
        replace=st.sampled_from([0.0, (0.0, 0.3)]),
        offset_ms=st.sampled_from([0, 0, 3_600_000, -3_600_000, 400]),
        unknown=st.sampled_from([None, "43001", "40109"]),
        inside=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        lag: Any,
        info_lag: Any,
        history: Any,
        latency: Any,
        sweep: Any,
        place: Any,
        replace: Any,
        offset_ms: int,
        unknown: str | None,
        inside: bool,
    ) -> None:
        settings = Settings(
            listing_lag_s=lag,
            order_info_lag_s=info_lag,
            history_lag_s=history,
            request_latency_s=latency,
            answer_latency_s=latency,
            sweep_delay_s=sweep,
            place_delay_s=place,
            replace_delay_s=replace,
            unknown_order_code=unknown,
            trigger_failure_inside=inside,
        )
        self.world = self.built(seed, settings, offset_ms)
        self.world.loop.set_debug(self.debug)

    def built(self, seed: int, settings: Settings, offset_ms: int) -> CommandsWorld:
        """The world of this example."""
        return CommandsWorld(seed, settings, offset_ms)

    # -- names of orders --------------------------------------------------------------------------------------

    def open_ids(self, symbol: str) -> list[str]:
        return list(self.world.exchange.truth.open_ids(self.world.exchange.account.uid, symbol))

    def trigger(self, which: int) -> Any:
        """A trigger order, waiting or over; there is always one."""
        exchange = self.world.exchange
        mine = [each for each in exchange.truth.triggers.values() if each.uid == exchange.account.uid][-6:]
        return mine[which % len(mine)] if mine else exchange.truth.triggers[exchange.rest_trigger("BTCUSDT", 1)[0]]

    def name(self, symbol: str, which: int, *, by_oid: bool) -> tuple[str, str]:
        """An order of the symbol, open or ended; or one that nobody knows."""
        orders = [o for o in self.world.exchange.truth.orders.values() if o.symbol == symbol and not o.draft.tpsl]
        orders = orders[-12:]
        if not orders or which % 13 == 12:
            return ("client_oid", "nobody-1") if by_oid else ("order_id", "1308742897000000007")
        order = orders[which % len(orders)]
        return ("client_oid", order.client_oid) if by_oid else ("order_id", order.order_id)

    def recyclable(self, client_oid: str | None, book: str = "normal") -> str | None:
        """A name of ours is used again only once what had it is over, as far as its handle tells."""
        for asked in self.world.asked:
            for item in asked.items:
                if client_oid is not None and item.client_oid == client_oid and item.book == book:
                    over = asked.task.done() and (asked.handle is None or asked.handle.state == "settled")
                    orders: Any = self.world.exchange.truth
                    living = any(
                        each.client_oid == client_oid and each.final_ns is None
                        for each in (orders.triggers if book == "plan" else orders.orders).values()
                    )
                    unknown = asked.handle is not None and "UNKNOWN" in str(asked.handle.outcome)
                    if not over or living or unknown:
                        return None
        return client_oid

    def play(self, endpoint: str, fault: Fault | None) -> None:
        """The next command of that kind meets this."""
        if fault is not None:
            self.world.exchange.faults.add(endpoint, fault, times=1)

    # -- placing ----------------------------------------------------------------------------------------------

    @rule(symbol=symbols, kind=kinds, oid=oids, fence=st.booleans(), fault=placing_faults)
    def somebody_places(self, symbol: str, kind: str, oid: str | None, fence: bool, fault: Fault | None) -> None:
        self.play("place-order", fault)
        self.world.place(symbol, kind, self.recyclable(oid), fence=fence)

    @rule(symbol=symbols, wait_s=st.sampled_from([0.0, 0.2, 3.0]), fault=placing_faults)
    def somebody_impatient_places(self, symbol: str, wait_s: float, fault: Fault | None) -> None:
        self.play("place-order", fault)
        self.world.place(symbol, max_wait_s=wait_s, confirm_within_s=8.0)

    @rule(symbol=symbols, window_ms=st.sampled_from([1, 200, 2_000, 30_000]), fault=placing_faults)
    def somebody_places_with_a_window(self, symbol: str, window_ms: int, fault: Fault | None) -> None:
        self.play("place-order", fault)
        self.world.place(symbol, receive_window_ms=window_ms)

    @rule(symbol=symbols, fault=placing_faults)
    def somebody_places_tpsl(self, symbol: str, fault: Fault | None) -> None:
        self.play("place-order", fault)
        self.world.place_tpsl(symbol)

    @rule(
        symbol=symbols,
        n=st.sampled_from([1, 5, 25]),
        kind=kinds,
        single=st.booleans(),
        fence=st.booleans(),
        fault=placing_faults,
    )
    def somebody_places_a_batch(
        self, symbol: str, n: int, kind: str, single: bool, fence: bool, fault: Fault | None
    ) -> None:
        self.play("batch-orders", fault)
        names = [symbol] * n if single else ["BTCUSDT", symbol] * n
        self.world.batch(names[:n], [kind, "resting"], single=single, fence=fence)

    @rule(symbol=symbols, within_s=st.sampled_from([0.3, 1.5]))
    def somebody_in_a_hurry_places_a_batch(self, symbol: str, within_s: float) -> None:
        self.world.batch([symbol] * 25, ["resting"], confirm_within_s=within_s)

    @rule(symbol=symbols, n=st.sampled_from([1, 3]))
    def orders_rest(self, symbol: str, n: int) -> None:
        self.world.exchange.rest(symbol, n)

    # -- cancelling by id, replacing --------------------------------------------------------------------------

    @rule(symbol=symbols, which=st.integers(0, 100), by_oid=st.booleans(), fault=cancelling_faults)
    def somebody_cancels_an_order(self, symbol: str, which: int, by_oid: bool, fault: Fault | None) -> None:
        self.play("cancel-order", fault)
        self.world.cancel_one(symbol, **dict([self.name(symbol, which, by_oid=by_oid)]))

    @rule(symbol=symbols, n=st.sampled_from([1, 4, 45]), by_oid=st.booleans(), fault=cancelling_faults)
    def somebody_cancels_many(self, symbol: str, n: int, by_oid: bool, fault: Fault | None) -> None:
        self.play("batch-cancel-order", fault)
        orders = [self.world.exchange.order(each) for each in self.open_ids(symbol)[:n]]
        ids = [order.client_oid if by_oid else order.order_id for order in orders] or ["1308742897000000007"]
        self.world.cancel_many(symbol, "client_oid" if by_oid else "order_id", ids)

    @rule(symbol=symbols, fault=cancelling_faults)
    def somebody_cancels_tpsl(self, symbol: str, fault: Fault | None) -> None:
        for order_id in self.world.exchange.truth.open_ids(self.world.exchange.account.uid, symbol, tpsl=True)[:1]:
            self.play("cancel-order", fault)
            self.world.cancel_one(symbol, order_id=order_id, tpsl_type="tpsl")

    @rule(symbol=symbols, which=st.integers(0, 100), by_oid=st.booleans(), fence=st.booleans(), fault=replacing_faults)
    def somebody_replaces(self, symbol: str, which: int, by_oid: bool, fence: bool, fault: Fault | None) -> None:
        self.play("cancel-replace-order", fault)
        self.world.replace(symbol, self.name(symbol, which, by_oid=by_oid), fence=fence)

    @rule(symbol=symbols, n=st.sampled_from([2, 22]), fault=replacing_faults)
    def somebody_replaces_many(self, symbol: str, n: int, fault: Fault | None) -> None:
        self.play("batch-cancel-replace-order", fault)
        ids = self.open_ids(symbol)[:n] or ["1308742897000000007"]
        self.world.replace_many([(symbol, "order_id", each) for each in ids])

    # -- trigger orders ---------------------------------------------------------------------------------------

    @rule(symbol=symbols, oid=st.sampled_from([None, None, "plan-1"]), fault=placing_faults)
    def somebody_places_a_trigger(self, symbol: str, oid: str | None, fault: Fault | None) -> None:
        self.play("place-plan-order", fault)
        self.world.place_plan(symbol, self.recyclable(oid, "plan"))

    @rule(which=st.integers(0, 100), back=st.booleans(), fault=cancelling_faults)
    def somebody_changes_a_trigger(self, which: int, back: bool, fault: Fault | None) -> None:
        self.play("modify-plan-order", fault)
        order = self.trigger(which)
        plan = order.marks[which % len(order.marks)].plan
        wanted = (plan.trigger_price, plan.size) if back else None
        self.world.modify_plan(plan.symbol, ("order_id", order.order_id), wanted)

    @rule(which=st.integers(0, 100), by_oid=st.booleans(), fault=cancelling_faults)
    def somebody_cancels_a_trigger(self, which: int, by_oid: bool, fault: Fault | None) -> None:
        self.play("cancel-plan-order", fault)
        order = self.trigger(which)
        name = ("client_oid", order.client_oid) if by_oid else ("order_id", order.order_id)
        self.world.cancel_plan(order.plan.symbol, name)

    @rule(symbol=symbols, snapshot=st.sampled_from(["concurrent", "none"]), fault=sweep_faults)
    def somebody_cancels_all_triggers(self, symbol: str, snapshot: str, fault: Fault | None) -> None:
        self.play("batch-cancel-plan-order", fault)
        self.world.cancel_plans(symbol, snapshot=snapshot)

    @rule(which=st.integers(0, 100))
    def a_trigger_fires(self, which: int) -> None:
        self.world.exchange.fire(self.trigger(which).order_id)

    # -- cancelling by symbol ---------------------------------------------------------------------------------

    @rule(symbol=symbols, ensure=st.booleans(), fault=sweep_faults)
    def somebody_cancels_the_symbol(self, symbol: str, ensure: bool, fault: Fault | None) -> None:
        self.play("cancel-symbol-order", fault)
        self.world.cancel(symbol, ensure=ensure)

    @rule(
        symbol=symbols,
        after_s=st.sampled_from([0.0, 0.01, 0.1]),
        fence=st.booleans(),
        first=placing_faults,
        fault=sweep_faults,
    )
    def somebody_requotes(
        self, symbol: str, after_s: float, fence: bool, first: Fault | None, fault: Fault | None
    ) -> None:
        self.play("place-order", first)
        self.play("cancel-symbol-order", fault)
        self.world.place(symbol)
        self.world.advance(after_s)
        self.world.cancel(symbol)
        self.world.advance(after_s)
        self.world.place(symbol, fence=fence)

    # -- others, callers, faults, time ------------------------------------------------------------------------

    @rule(symbol=symbols, after_s=st.floats(0.0, 2.0), whole=st.booleans())
    def an_order_fills(self, symbol: str, after_s: float, whole: bool) -> None:
        for order_id in self.open_ids(symbol)[-2:]:
            self.world.others_fill(order_id, after_s, None if whole else Decimal("0.0004"))

    @rule(symbol=symbols)
    def somebody_else_cancels(self, symbol: str) -> None:
        for order_id in self.open_ids(symbol)[-1:]:
            self.world.others_cancel(order_id)

    @rule(which=st.integers(0, 5))
    def a_caller_is_cancelled(self, which: int) -> None:
        callers = self.world.callers()[-6:]
        if callers:
            callers[which % len(callers)].cancel()

    @rule(fault=read_faults, endpoint=st.sampled_from(READS), times=st.integers(1, 3))
    def the_next_reads_fail(self, fault: Fault, endpoint: str, times: int) -> None:
        self.world.exchange.faults.add(endpoint, fault, times=times, where=fitting(fault))
