"""The fence: a placement waits until no cancellation by symbol of this client can take it any more."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    CancellationUnconfirmed,
    Fate,
    NotSent,
    Outcome,
    PendingCancellation,
    UnknownSymbol,
    UsageError,
)
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import client_of, with_exchange

BTC, ETH = "BTCUSDT", "ETHUSDT"
SWEEP = "cancel-symbol-order"


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def quote(client: BitgetClient, symbol: str = BTC, **more: Any) -> Any:
    """A resting order, far from the market, awaited until it is placed."""
    price = "50000" if symbol == BTC else "1500"
    return (await (await client.place_order(symbol, "buy", "limit", "0.01", price=price, **more))).placement


def alive(exchange: SimulatedExchange, symbol: str = BTC) -> int:
    """How many orders are open there."""
    return len(exchange.truth.open_ids(exchange.account.uid, symbol))


@pytest.mark.parametrize(
    ("call", "endpoint"),
    [
        (lambda client: client.place_order(BTC, "buy", "limit", "0.01", price="50000"), "place-order"),
        (
            lambda client: client.batch_orders(
                [{"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}], BTC
            ),
            "batch-orders",
        ),
        (
            lambda client: client.batch_orders(
                [
                    {"symbol": each, "side": "buy", "order_type": "limit", "size": "0.01", "price": "1500"}
                    for each in (ETH, BTC)
                ]
            ),
            "batch-orders",
        ),
        (
            lambda client: client.cancel_replace_order(BTC, order_id="7", price="50000", size="0.01"),
            "cancel-replace-order",
        ),
        (
            lambda client: client.batch_cancel_replace_orders(
                [{"symbol": BTC, "order_id": "7", "price": "50000", "size": "0.01"}]
            ),
            "batch-cancel-replace-order",
        ),
    ],
    ids=["place", "batch", "batch of several symbols", "replace", "batch of replacements"],
)
def test_whatever_places_an_order_waits_until_the_sweep_has_passed(
    call: Callable[[BitgetClient], Awaitable[Any]], endpoint: str
) -> None:
    """Signed only after a listing showed that the orders of before are gone; long before the report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 3, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        assert pending.acknowledged
        began = now_s()
        _ = await call(client)
        (copy,) = exchange.truth.copies(endpoint)
        (run,) = exchange.truth.executions
        assert copy.received_ns > run.time_ns
        assert now_s() - began <= 0.6
        assert pending.state == "cleared"
        report = await pending
        assert report.placed_meanwhile == ()
        # Those that were placed behind it are late ones, and alive.
        assert {fate.fate for fate in report.late} <= {Fate.OPEN}
        assert len(report.cancelled) == 3

    with_exchange(main, sweep_delay_s=0.2)


def test_while_the_sweep_has_not_run_nothing_is_placed() -> None:
    """Two seconds late, and listings that show the orders all the while."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        placed = await quote(client)
        assert exchange.truth.placements[0].order_id == placed.order_id
        await asyncio.sleep(10)
        assert alive(exchange) == 1

    with_exchange(main, sweep_delay_s=1.6)


def test_a_cancellation_that_is_not_signed_yet_holds_too() -> None:
    """It waits for its token; the placement has one, and would be swept when the command goes out."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        for number in range(5):
            _ = await client.cancel_symbol_orders(ETH, confirm_within_s=50.0 + number)
        waiting = asyncio.ensure_future(client.cancel_symbol_orders(BTC))
        await asyncio.sleep(0.1)
        assert exchange.truth.count(SWEEP) == 5
        placing = asyncio.ensure_future(quote(client))
        await asyncio.sleep(0.5)
        assert exchange.truth.count("place-order") == 0
        await placing
        assert (await (await waiting)).placed_meanwhile == ()
        assert alive(exchange) == 1

    with_exchange(main)


def test_where_nothing_was_open_only_the_report_lifts_it() -> None:
    """A clear listing does not tell whether the sweep has run: it may come yet."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await client.cancel_symbol_orders(BTC)
        began = now_s()
        await pending.cleared()
        assert now_s() - began <= 0.5
        await quote(client)
        assert pending.outcome is Outcome.NOTHING_TO_CANCEL
        assert alive(exchange) == 1

    with_exchange(main, sweep_delay_s=1.5)


def test_a_sweep_whose_orders_are_known_to_have_filled_may_still_run() -> None:
    """Filled is not swept: it holds until it is settled."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, snapshot="before")
        exchange.fill(order_id)
        beside = await client.cancel_order(BTC, order_id=order_id)
        await beside
        await quote(client)
        assert pending.outcome is Outcome.CONFIRMED
        assert alive(exchange) == 1

    with_exchange(main, sweep_delay_s=1.5)


@pytest.mark.failure(37)
def test_a_placement_that_trusted_an_order_to_be_swept_which_had_filled_is_named() -> None:
    """What is gone was swept or filled: where it turns out that all filled, the sweep may have run later."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, snapshot="before")
        exchange.fill(order_id)
        await quote(client, client_oid="trusting")
        report = await pending
        assert len(report.filled) == 1
        assert report.placed_meanwhile == ("trusting",)
        assert alive(exchange) == 0

    with_exchange(main, sweep_delay_s=1.5)


@pytest.mark.failure(37)
@pytest.mark.parametrize("first", ["a sweep", "a cancellation by id"])
def test_what_a_command_that_was_given_up_takes_does_not_show_that_the_sweep_has_run(first: str) -> None:
    """Its report is UNKNOWN, and it is executed after all: the sweep of after that is still to come."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        if first == "a sweep":
            exchange.faults.add(SWEEP, faults.executed_late(3.8) | faults.drop(executed=True), times=1)
            given_up = await client.cancel_symbol_orders(BTC, confirm_within_s=3)
        else:
            exchange.faults.add("cancel-order", faults.executed_late(3.8) | faults.drop(executed=True), times=1)
            given_up = await client.cancel_order(BTC, order_id=order_id, confirm_within_s=3)
        assert (await given_up.settled()).outcome is Outcome.UNKNOWN
        pending = await client.cancel_symbol_orders(BTC)
        await quote(client)
        assert pending.outcome is Outcome.CONFIRMED
        await asyncio.sleep(5)
        assert alive(exchange) == 1

    with_exchange(main, sweep_delay_s=1.9)


@pytest.mark.parametrize("how", ["settled as unknown", "refused", "withdrawn", "never sent"])
def test_it_lifts_however_the_cancellation_ends(how: str) -> None:
    """By its report, by a refusal, by its last caller going, by its token not coming."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        if how == "settled as unknown":
            exchange.faults.add(SWEEP, faults.hang(executed=False))
            exchange.faults.add(SWEEP, faults.drop(executed=False))
            cancelling = asyncio.ensure_future(client.cancel_symbol_orders(BTC, confirm_within_s=3))
        elif how == "refused":
            exchange.faults.add(SWEEP, faults.envelope("40034") | faults.delayed(after_s=2))
            cancelling = asyncio.ensure_future(client.cancel_symbol_orders(BTC))
        else:
            for number in range(5):
                _ = await client.cancel_symbol_orders(ETH, confirm_within_s=50.0 + number)
            wait_s = None if how == "withdrawn" else 0.4
            cancelling = asyncio.ensure_future(client.cancel_symbol_orders(BTC, max_wait_s=wait_s))
        await asyncio.sleep(0.1)
        placing = asyncio.ensure_future(quote(client))
        await asyncio.sleep(0.2)
        if how == "never sent":
            # It is known at once that no token comes in time; nothing was in the way then.
            assert cancelling.done()
        else:
            assert exchange.truth.count("place-order") == 0
        if how == "withdrawn":
            cancelling.cancel()
        began = now_s()
        await placing
        assert now_s() - began <= 3.5
        (result,) = await asyncio.gather(cancelling, return_exceptions=True)
        if isinstance(result, PendingCancellation):
            with pytest.raises(CancellationUnconfirmed):
                await result
        else:
            expected = {"refused": UnknownSymbol, "withdrawn": asyncio.CancelledError, "never sent": NotSent}
            assert isinstance(result, expected[how])

    with_exchange(main)


@pytest.mark.parametrize("max_wait_s", [0, 0.15])
def test_a_caller_that_cannot_wait_hears_that_it_is_fenced(max_wait_s: float) -> None:
    """`NotSent`, in time, without a token and without a request; once it is cleared the same call goes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        began = now_s()
        with pytest.raises(NotSent) as caught:
            await quote(client, max_wait_s=max_wait_s)
        assert caught.value.reason == "fenced"
        assert "BTCUSDT" in str(caught.value)
        assert now_s() - began == pytest.approx(max_wait_s, abs=0.01)
        assert exchange.truth.count("place-order") == 0
        await pending
        await quote(client, max_wait_s=max_wait_s)

    with_exchange(main, sweep_delay_s=1.0)


def test_the_wait_for_the_fence_and_for_a_token_is_one_budget() -> None:
    """What the fence has used up is not there for the token."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        fenced = asyncio.ensure_future(quote(client, max_wait_s=2.0))
        await asyncio.sleep(1.2)
        # Every token of the next second goes to others.
        for _ in range(10):
            _ = await client.place_order(ETH, "buy", "limit", "0.01", price="1500")
        began = now_s()
        with pytest.raises(NotSent) as caught:
            await fenced
        assert caught.value.reason == "rate_limit"
        assert now_s() - began <= 0.8

    with_exchange(main, sweep_delay_s=1.3)


@pytest.mark.parametrize("max_wait_s", [-1, math.nan, math.inf])
def test_a_wait_that_cannot_be_meant_is_refused_before_the_fence(max_wait_s: float) -> None:
    """Not "fenced": the call is wrong with and without a cancellation under way."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for fenced in (False, True):
            if fenced:
                _ = await client.cancel_symbol_orders(BTC)
            with pytest.raises(UsageError, match="max_wait_s"):
                await quote(client, max_wait_s=max_wait_s)
        assert exchange.truth.count("place-order") == 0

    with_exchange(main)


@pytest.mark.failure(37)
def test_without_the_fence_it_goes_at_once_and_is_named_in_the_report() -> None:
    """The risk: the sweep may take it. The report of the cancellation says of which orders it may be so."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        began = now_s()
        placing = await client.place_order(
            BTC, "buy", "limit", "0.01", price="50000", fence=False, client_oid="too-early"
        )
        assert now_s() - began <= 0.05
        batch = await client.batch_orders(
            [{"side": "buy", "order_type": "limit", "size": "0.01", "price": "50001", "client_oid": "in-a-batch"}],
            BTC,
            fence=False,
        )
        elsewhere = await client.place_order(ETH, "buy", "limit", "0.01", price="1500", fence=False)
        await pending.cleared()
        await quote(client, client_oid="later")
        report = await pending
        assert report.placed_meanwhile == ("too-early", "in-a-batch")
        assert report.to_dict()["placed_meanwhile"] == ["too-early", "in-a-batch"]
        # Here it was taken: the orders were placed, and are gone.
        for handle in (placing, batch, elsewhere):
            assert (await handle).proven
        await asyncio.sleep(5)
        assert (alive(exchange), alive(exchange, ETH)) == (1, 1)

    with_exchange(main, sweep_delay_s=0.5)


@pytest.mark.failure(37)
def test_a_placement_that_has_no_answer_when_the_sweep_is_signed_is_named_too() -> None:
    """It was sent before, and may arrive after: the sweep may take it or not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.delayed(after_s=1))
        placing = asyncio.ensure_future(quote(client, client_oid="on-its-way"))
        await asyncio.sleep(0.1)
        pending = await client.cancel_symbol_orders(BTC)
        assert (await pending).placed_meanwhile == ("on-its-way",)
        await placing
        await asyncio.sleep(1)
        again = await (await client.cancel_symbol_orders(BTC))
        assert again.placed_meanwhile == ()

    with_exchange(main)


@pytest.mark.parametrize("blocker", ["other symbol", "trigger orders", "by id", "tpsl order"])
def test_what_cannot_take_an_order_does_not_hold_it(blocker: str) -> None:
    """Sweeps of other symbols and lists, cancellations of named orders; a tpsl order, which no sweep takes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        if blocker == "other symbol":
            _ = await client.cancel_symbol_orders(ETH)
        elif blocker == "trigger orders":
            exchange.rest_trigger(BTC, 1)
            _ = await client.trigger.batch_cancel_plan_orders(BTC)
        elif blocker == "by id":
            _ = await client.cancel_order(BTC, order_id=order_id)
        else:
            _ = await client.cancel_symbol_orders(BTC)
        began = now_s()
        if blocker == "tpsl order":
            handle = await client.place_order(
                BTC, "buy", "limit", "0.01", price="50000", tpsl_type="tpsl", trigger_price="50000"
            )
        else:
            handle = await client.place_order(BTC, "buy", "limit", "0.01", price="50000")
        assert now_s() - began <= 0.06
        assert handle.acknowledged

    with_exchange(main, sweep_delay_s=1.5)


def test_two_cancellations_of_one_symbol_must_both_have_passed() -> None:
    """Different options, two commands: the later one can still take it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        first = await client.cancel_symbol_orders(BTC)
        exchange.faults.add(SWEEP, faults.executed_late(1.8))
        second = await client.cancel_symbol_orders(BTC, ensure=True)
        await first.cleared()
        await quote(client)
        await asyncio.gather(first.settled(), second.settled())
        await asyncio.sleep(5)
        assert alive(exchange) == 1

    with_exchange(main)


def test_a_sweep_beside_a_cancel_by_id_is_not_shown_by_what_that_one_took() -> None:
    """The order is gone because it was cancelled by its id: the sweep may come yet."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for first in ("sweep", "by id"):
            (order_id,) = exchange.rest(BTC, 1, age_s=60)
            if first == "by id":
                _ = await client.cancel_order(BTC, order_id=order_id)
            _ = await client.cancel_symbol_orders(BTC)
            if first == "sweep":
                _ = await client.cancel_order(BTC, order_id=order_id)
            placed = await quote(client)
            await asyncio.sleep(10)
            assert exchange.truth.open_ids(exchange.account.uid, BTC) == (placed.order_id,)
            _ = await (await client.cancel_symbol_orders(BTC))

    with_exchange(main, sweep_delay_s=1.5)


@pytest.mark.failure(48)
def test_cancelling_a_caller_behind_the_fence_withdraws_its_order() -> None:
    """Nothing was signed: nothing is sent when the fence lifts."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        placing = asyncio.ensure_future(quote(client))
        await asyncio.sleep(0.05)
        placing.cancel()
        await pending
        await asyncio.sleep(5)
        assert placing.cancelled()
        assert exchange.truth.count("place-order") == 0

    with_exchange(main)


@pytest.mark.failure(51)
def test_closing_the_client_frees_whoever_waits_behind_the_fence() -> None:
    """`NotSent`: nobody hangs."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        placing = asyncio.ensure_future(quote(client))
        await asyncio.sleep(0.05)
        await client.close()
        (result,) = await asyncio.wait_for(asyncio.gather(placing, return_exceptions=True), 5)
        assert isinstance(result, NotSent)
        assert result.reason == "closed"
        assert exchange.truth.count("place-order") == 0

    with_exchange(main)


def test_closing_the_client_frees_whoever_waits_behind_a_command_without_token() -> None:
    """That command is in no report, and none of its callers waits any more: the placement must hear of it still."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(5):
            _ = await client.cancel_symbol_orders(ETH, confirm_within_s=50.0 + number)
        waiting = asyncio.ensure_future(client.cancel_symbol_orders(BTC))
        await asyncio.sleep(0.01)
        placing = asyncio.ensure_future(quote(client))
        await asyncio.sleep(0.01)
        await client.close()
        await asyncio.sleep(0.01)
        assert waiting.done()
        assert placing.done()
        assert isinstance(placing.exception(), NotSent)
        assert isinstance(waiting.exception(), NotSent)
        assert (exchange.truth.count(SWEEP), exchange.truth.count("place-order")) == (5, 0)

    with_exchange(main)


def test_an_order_placed_while_the_command_waited_for_its_token_is_in_its_scope() -> None:
    """The snapshot before the command is as old as that wait; what this client placed since stands in the report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        async with client_of(exchange, rng=random.Random(8)) as other:
            many = [other.cancel_symbol_orders(ETH, confirm_within_s=30.0 + number) for number in range(28)]
            others = asyncio.gather(*many)
            await asyncio.sleep(0.001)
            before = asyncio.ensure_future(client.cancel_symbol_orders(BTC, snapshot="before"))
            await asyncio.sleep(0.2)
            placed = await quote(client, fence=False)
            report = await (await before)
            _ = await others
        assert report.signed_at_ms is not None
        assert report.signed_at_ms - placed.order.created_ms > 4_500
        assert placed.order_id in {fate.order.order_id for fate in report.orders}

    with_exchange(main, sweep_delay_s=0.0, history_lag_s=5.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.place_order(BTC, "buy", "limit", "0.01", price="50000", stp_mode="never"),
        lambda client: client.batch_orders(
            [{"side": "up", "order_type": "limit", "size": "1", "price": "2"}] * 25, BTC
        ),
        lambda client: client.cancel_replace_order(BTC, order_id="seven", price="50000", size="0.01"),
        lambda client: client.batch_cancel_replace_orders([{"symbol": BTC, "price": "1", "size": "1"}]),
    ],
    ids=["place", "batch", "replace", "batch replace"],
)
def test_what_is_wrong_with_a_call_is_said_before_the_wait_behind_the_fence(
    call: Callable[[BitgetClient], Awaitable[object]],
) -> None:
    """A second of waiting does not make it right, and `NotSent` would hide it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        since = now_s()
        with pytest.raises(UsageError):
            await call(client)
        assert now_s() == since

    with_exchange(main, sweep_delay_s=1.0)


@pytest.mark.parametrize("wrong", ["1", -0.1, math.inf, math.nan, True])
def test_a_longest_wait_that_cannot_be_meant_is_refused(wrong: Any) -> None:
    """Whether there is something to wait for or not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="max_wait_s"):
            await quote(client, max_wait_s=wrong)
        with pytest.raises(UsageError, match="max_wait_s"):
            _ = await client.cancel_order(BTC, order_id="7", max_wait_s=wrong)
        assert exchange.truth.count() == 0

    with_exchange(main)
