"""The handle: its members, its readers, and what ends it. Sweep and looks have tests of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from bitget_async import (
    CancellationUnconfirmed,
    Fate,
    NotSent,
    Outcome,
    PendingCancellation,
    RateLimited,
    Scope,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.evidence import Sweep
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import client_of, run_virtual

BTC, ETH = "BTCUSDT", "ETHUSDT"
COMMAND = "cancel-symbol-order"
Main = Callable[[], Any]


def exchange_of(**settings: Any) -> SimulatedExchange:
    """An exchange with 20 ms each way, in virtual time."""
    settings = {"request_latency_s": 0.02, "answer_latency_s": 0.02, "sweep_delay_s": 0.1, **settings}
    return SimulatedExchange(3, clock=VirtualClock(), settings=Settings(**settings))


def test_the_handle_is_given_at_the_answer_and_the_report_when_it_is_proven() -> None:
    """Taken after a round trip; cleared; settled two seconds after the signing."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 3, age_s=60)
            began_s = asyncio.get_running_loop().time()
            pending = await client.cancel_symbol_orders(BTC)
            assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.04, abs=0.01)
            assert (pending.symbol, pending.state, pending.acknowledged, pending.outcome) == (
                BTC,
                "pending",
                True,
                None,
            )
            assert list(client.pending) == [pending]
            cleared_ms = await pending.cleared()
            assert pending.state == "cleared"
            report = await pending
            assert asyncio.get_running_loop().time() - began_s == pytest.approx(2.04, abs=0.1)
            assert (pending.state, pending.outcome) == ("settled", Outcome.CONFIRMED)
            assert len(client.pending) == 0
            assert report.cleared_at_ms == cleared_ms
            assert report.acknowledged_at_ms is not None
            assert report.signed_at_ms <= report.acknowledged_at_ms <= cleared_ms <= report.settled_at_ms
            assert len(report.cancelled) == len(report.orders) == 3
            assert (report.filled, report.still_open, report.vanished, report.late) == ((), (), (), ())
            assert report.attempts == report.requests[COMMAND] == 1
            assert "tpsl" in report.assumptions["not_touched"]
            assert report.assumptions["staleness_s"] == "2"

    run_virtual(main)


def test_neither_the_handle_nor_the_report_is_a_yes() -> None:
    """`if pending:` and `if report:` are the mistakes that cost money."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            pending = await client.cancel_symbol_orders(BTC)
            with pytest.raises(TypeError, match="neither yes nor no"):
                bool(pending)
            with pytest.raises(TypeError, match="neither yes nor no"):
                bool(await pending)

    run_virtual(main)


def test_awaiting_twice_from_two_tasks_in_any_order_gives_one_report() -> None:
    """Readers before and after settling."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1)
            pending = await client.cancel_symbol_orders(BTC)

            async def reader() -> Any:
                return await pending

            early = await asyncio.gather(reader(), reader(), pending.settled())
            late = [await pending, await pending.settled()]
            assert all(report is early[0] for report in [*early, *late])

    run_virtual(main)


@pytest.mark.failure(49)
def test_a_settled_timeout_leaves_the_handle_running() -> None:
    """Also the one of cleared."""

    async def main() -> None:
        async with exchange_of(sweep_delay_s=1.0) as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1, age_s=60)
            pending = await client.cancel_symbol_orders(BTC)
            with pytest.raises(TimeoutError):
                await pending.cleared(0.05)
            with pytest.raises(TimeoutError):
                await pending.settled(0.05)
            assert (await pending).outcome is Outcome.CONFIRMED

    run_virtual(main)


@pytest.mark.failure(48)
def test_cancelling_a_reader_changes_nothing() -> None:
    """Neither the handle nor the other readers notice."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1)
            pending = await client.cancel_symbol_orders(BTC)
            readers = [asyncio.ensure_future(pending.settled()) for _ in range(3)]
            await asyncio.sleep(0.1)
            readers[1].cancel()
            assert (await readers[0]) is (await readers[2])
            assert readers[1].cancelled()

    run_virtual(main)


@pytest.mark.failure(34)
def test_changes_tell_each_order_and_then_its_fate_to_every_reader() -> None:
    """Replayable from the start, also after settling."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            ids = exchange.rest(BTC, 2, age_s=60)
            exchange.schedule_fill(ids[0], 0.05)
            pending = await client.cancel_symbol_orders(BTC)

            async def read() -> list[tuple[str, Fate]]:
                return [(change.order.order_id, change.fate) async for change in pending.changes()]

            first, second = await asyncio.gather(read(), read())
            assert first == second == await read()
            assert set(first) == {
                (ids[0], Fate.OPEN),
                (ids[1], Fate.OPEN),
                (ids[0], Fate.FILLED),
                (ids[1], Fate.CANCELLED),
            }

    run_virtual(main)


@pytest.mark.failure(33)
def test_a_survivor_raises_with_its_report_and_can_be_rechecked() -> None:
    """STILL_OPEN after about 42 s; later a recheck without a command finds it gone."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            ids = exchange.rest(BTC, 2, age_s=60)
            exchange.faults.add(COMMAND, faults.executed_in_part((ids[1],)), times=1)
            pending = await client.cancel_symbol_orders(BTC)
            with pytest.raises(CancellationUnconfirmed, match=ids[1]) as caught:
                await pending
            report = caught.value.report
            assert report.outcome is Outcome.STILL_OPEN
            assert [fate.order.order_id for fate in report.still_open] == [ids[1]]
            assert [fate.order.order_id for fate in report.cancelled] == [ids[0]]
            with pytest.raises(CancellationUnconfirmed):
                await pending.cleared()
            exchange.cancel(ids[1])
            again = await pending.recheck()
            assert again is not pending
            assert client.pending == (again,)
            assert (await again).outcome is Outcome.CONFIRMED
            assert pending.outcome is Outcome.STILL_OPEN
            assert await pending.settled() is report
            assert exchange.truth.count(COMMAND) == 1
            with pytest.raises(UsageError, match="recheck"):
                _ = await again.recheck()

    run_virtual(main)


@pytest.mark.failure(35)
def test_a_part_fill_stands_in_the_report_with_its_amount() -> None:
    """Cancelled after a part was filled: in `cancelled`, with the filled amount."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            (order_id,) = exchange.rest(BTC, 1, age_s=60)
            from decimal import Decimal

            exchange.fill(order_id, Decimal("0.0004"))
            report = await (await client.cancel_symbol_orders(BTC))
            (fate,) = report.cancelled
            assert fate.order.base_volume == Decimal("0.0004")
            assert fate.source == "history-orders"
            assert fate.scope is Scope.IN

    run_virtual(main)


@pytest.mark.failure(51)
def test_closing_gives_every_awaiter_an_answer() -> None:
    """A pending handle: UNKNOWN (client_closed). A command that waits for its token: NotSent."""

    async def main() -> None:
        async with exchange_of() as exchange:
            client = client_of(exchange)
            async with client:
                exchange.rest(BTC, 1)
                pending = await client.cancel_symbol_orders(BTC)
                reader = asyncio.ensure_future(pending.settled())
                waiting = [
                    asyncio.ensure_future(client.cancel_symbol_orders(ETH, confirm_within_s=50.0 + n)) for n in range(8)
                ]
                await asyncio.sleep(0.01)
            report = await reader
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "client_closed")
            results = await asyncio.gather(*waiting, return_exceptions=True)
            handles = [each for each in results if isinstance(each, PendingCancellation)]
            errors = [each for each in results if isinstance(each, NotSent)]
            assert (len(handles), len(errors)) == (4, 4)
            assert {error.reason for error in errors} == {"closed"}
            for handle in handles:
                assert (await handle.settled()).reason == "client_closed"
            with pytest.raises(NotSent, match="closed"):
                _ = await client.cancel_symbol_orders(BTC)
            await client.close()

    run_virtual(main)


@pytest.mark.failure(61)
def test_a_defect_of_ours_settles_as_internal_and_is_reported() -> None:
    """Nobody hangs, and the loop's exception handler hears of it."""
    heard: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        async with exchange_of() as exchange, client_of(exchange) as client:
            pending = await client.cancel_symbol_orders(BTC)
            with mock.patch.object(Sweep, "saw_listing", side_effect=ZeroDivisionError):
                report = await pending.settled()
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "internal")
            exchange.rest(BTC, 1)
            assert (await (await client.cancel_symbol_orders(BTC))).outcome is Outcome.CONFIRMED

    run_virtual(main)
    assert [type(context["exception"]) for context in heard] == [ZeroDivisionError]


@pytest.mark.failure(45)
@pytest.mark.failure(12)
def test_no_copy_of_a_command_leaves_when_the_time_of_its_handle_is_up() -> None:
    """
    Four tokens lost for eleven seconds, and a refusal for the number: the next token comes too late for its repeat. A
    copy that left then would take what was placed since, behind a report that said that nobody knows.
    """

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.faults.add(COMMAND, faults.hang(executed=False), times=4)
            exchange.faults.add(COMMAND, faults.envelope("429", status=429))
            lost = [asyncio.ensure_future(client.cancel_symbol_orders(ETH, confirm_within_s=50 + n)) for n in range(4)]
            await asyncio.sleep(0.01)
            began_s = asyncio.get_running_loop().time()
            with pytest.raises(RateLimited):
                _ = await client.cancel_symbol_orders(BTC, confirm_within_s=5.0)
            assert asyncio.get_running_loop().time() - began_s < 5
            assert [handle.symbol for handle in client.pending] == [ETH] * 4
            (placed,) = exchange.rest(BTC, 1)
            _ = await asyncio.gather(*lost)
            await asyncio.sleep(30)
            assert [copy.body for copy in exchange.truth.copies(COMMAND)].count(b'{"symbol":"BTCUSDT"}') == 1
            assert exchange.truth.open_ids(exchange.account.uid, BTC) == (placed,)

    run_virtual(main)


def test_when_nothing_can_be_read_the_reason_says_so() -> None:
    """Every read fails: UNKNOWN, unreadable, at the deadline."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1)
            for endpoint in ("unfilled-orders", "history-orders", "orderInfo"):
                exchange.faults.add(endpoint, faults.page(502, executed=True), times=None)
            pending = await client.cancel_symbol_orders(BTC, confirm_within_s=20)
            began_s = asyncio.get_running_loop().time()
            report = await pending.settled()
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "unreadable")
            assert asyncio.get_running_loop().time() - began_s <= 20

    run_virtual(main)


@pytest.mark.failure(59)
def test_a_ban_is_named_and_not_hammered() -> None:
    """Every read answers 429: UNKNOWN, rate_banned."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            for endpoint in ("unfilled-orders", "history-orders", "orderInfo"):
                exchange.faults.add(endpoint, faults.envelope("429", status=429), times=None)
            report = await (await client.cancel_symbol_orders(BTC)).settled()
            assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "rate_banned")
            reads = sum(exchange.truth.count(endpoint) for endpoint in ("unfilled-orders", "history-orders"))
            assert reads <= 8

    run_virtual(main)


@pytest.mark.failure(39)
def test_an_order_of_this_client_is_in_scope_though_no_listing_shows_it() -> None:
    """Placed a moment before, hidden by a lagging listing, and the history lags too."""

    async def main() -> None:
        settings: dict[str, Any] = {"listing_lag_s": 1.9, "history_lag_s": 3.0, "sweep_delay_s": 0.0}
        async with exchange_of(**settings) as exchange, client_of(exchange) as client:
            ack = await client.place_order(BTC, "buy", "limit", "0.001", price="2000")
            pending = await client.cancel_symbol_orders(BTC)
            assert [fate.order.order_id for fate in pending.orders] == [ack.order_id]
            report = await pending
            assert report.outcome is Outcome.CONFIRMED
            assert [fate.order.order_id for fate in report.cancelled] == [ack.order_id]

    run_virtual(main)


def test_to_dict_is_json_with_a_version_and_without_secrets() -> None:
    """Before and after settling."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1)
            pending = await client.cancel_symbol_orders(BTC)
            early = json.loads(json.dumps(pending.to_dict()))
            await pending
            late = json.loads(json.dumps(pending.to_dict()))
            assert (early["version"], early["state"], early["report"]) == (2, "pending", None)
            assert late["report"]["outcome"] == "confirmed"
            assert late["orders"][0]["fate"] == "cancelled"
            key = exchange.credentials()
            for secret in (key.api_key, key.secret, key.passphrase):
                assert secret not in json.dumps(late) + repr(pending)

    run_virtual(main)


@pytest.mark.failure(55)
def test_after_a_stall_of_the_loop_nobody_is_late_before_a_fresh_look() -> None:
    """The loop stands still past the deadline; the orders were long gone: CONFIRMED, not UNKNOWN."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1, age_s=60)
            pending = await client.cancel_symbol_orders(BTC, confirm_within_s=5)
            await asyncio.sleep(1.0)
            clock = asyncio.get_running_loop()._selector.clock  # type: ignore[attr-defined]
            clock.advance(35.0)
            assert (await pending.settled()).outcome is Outcome.CONFIRMED

    run_virtual(main)


@pytest.mark.failure(27)
@pytest.mark.parametrize(
    "options",
    [
        {"snapshot": "sometimes"},
        {"confirm_within_s": 0},
        {"confirm_within_s": -1.0},
        {"confirm_within_s": float("nan")},
        {"confirm_within_s": True},
        {"confirm_within_s": "60"},
        {"max_wait_s": -1},
        {"max_wait_s": float("nan")},
    ],
)
def test_options_that_cannot_be_meant_are_refused_before_any_request(options: dict[str, Any]) -> None:
    """UsageError, and nothing on the wire."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            with pytest.raises(UsageError):
                _ = await client.cancel_symbol_orders(BTC, **options)
            assert exchange.truth.count() == 0

    run_virtual(main)


@pytest.mark.failure(62)
def test_ignoring_the_handle_is_legal() -> None:
    """The client resolves it and forgets it."""

    async def main() -> None:
        async with exchange_of() as exchange, client_of(exchange) as client:
            exchange.rest(BTC, 1)
            _ = await client.cancel_symbol_orders(BTC)
            assert len(client.pending) == 1
            await asyncio.sleep(5)
            assert len(client.pending) == 0

    run_virtual(main)
