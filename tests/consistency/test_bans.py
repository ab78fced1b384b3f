"""Bans and release windows: few requests while they last, back soon after, and commands go out all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bitget_async import BitgetClient, Outcome, RateLimited
from bitget_async.sim import SYMBOLS, SimulatedExchange, faults
from bitget_async.sim.faults import Fault
from tests.conftest import client_of, with_exchange

pytestmark = pytest.mark.failure(59)

BTC, ETH = "BTCUSDT", "ETHUSDT"
BAN_S, WINDOW_S = 300.0, 4 * 3600.0
BACK_S = 35.0
ROUND_TRIP_S = 0.05
ENVELOPE = faults.envelope("429", status=429)
RELEASE = ("45001", "40725", "40808", "40015", "40200")
Main = Callable[[SimulatedExchange, BitgetClient], Awaitable[None]]


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def shut(exchange: SimulatedExchange, fault: Fault, after_s: float, for_s: float) -> tuple[float, float]:
    """Answer every request so, from so many seconds from now on, for so long. Returns the two moments."""
    begins_s = now_s() + after_s
    ends_s = begins_s + for_s
    exchange.faults.add(None, fault, times=None, where=lambda copy: begins_s <= copy.received_ns / 1e9 < ends_s)
    return begins_s, ends_s


def asked(exchange: SimulatedExchange, begins_s: float, ends_s: float) -> int:
    """Requests that arrived in between."""
    return sum(begins_s <= copy.received_ns / 1e9 < ends_s for copy in exchange.truth.wire)


async def confirmed(pending: Any, ends_s: float) -> None:
    """It settles as it should have without the pause, and soon after it."""
    report = await pending.settled()
    assert report.outcome is Outcome.CONFIRMED
    assert now_s() <= ends_s + BACK_S + 1


@pytest.mark.failure(13)
@pytest.mark.parametrize("answer", [ENVELOPE, faults.page(429, executed=False), faults.page(403, executed=False)])
@pytest.mark.parametrize("after_s", [0.0, 0.15, 1.0, 1.99, 2.1])
def test_a_ban_of_five_minutes_costs_ten_requests(answer: Fault, after_s: float, figure: Any) -> None:
    """From the first read to the deciding one: parked at once, told apart from a quota, back within 35 s."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 3, age_s=60)
        snapshot = "concurrent" if after_s else "none"
        pending = await client.cancel_symbol_orders(BTC, snapshot=snapshot, confirm_within_s=600)
        begins_s, ends_s = shut(exchange, answer, after_s, BAN_S)
        await confirmed(pending, ends_s)
        # What was on its way when it began could not know.
        known = asked(exchange, begins_s + ROUND_TRIP_S, ends_s)
        assert known <= 10
        assert asked(exchange, begins_s, begins_s + ROUND_TRIP_S) <= 3
        figure(f"ban.requests.{answer.name.replace(' ', '_')}.after_{after_s:g}_s", asked(exchange, begins_s, ends_s))

    # A history that lags keeps it from being settled before the ban begins.
    with_exchange(main, history_lag_s=2.5)


def test_the_exchanges_own_ban_is_waited_for() -> None:
    """Another program makes 6000 requests a minute: the address is out for five minutes, whoever asks."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, confirm_within_s=600)
        exchange.settings.ip_per_minute = 0
        begins_s = now_s()
        await asyncio.sleep(1)
        exchange.settings.ip_per_minute = 6000
        await confirmed(pending, begins_s + 1 + BAN_S)
        assert asked(exchange, begins_s, begins_s + BAN_S) <= 10

    with_exchange(main, history_lag_s=1.0)


def test_many_handles_park_behind_one_probe() -> None:
    """Twelve symbols: no more requests than for one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        names = list(SYMBOLS)[:12]
        for name in names:
            exchange.rest(name, 2, age_s=60)
        pending = [await client.cancel_symbol_orders(name, confirm_within_s=600) for name in names]
        begins_s, ends_s = shut(exchange, ENVELOPE, 0.5, BAN_S)
        for each in pending:
            await confirmed(each, ends_s)
        assert asked(exchange, begins_s, ends_s) <= 10 + 1

    with_exchange(main, history_lag_s=3.0)


def test_two_clients_are_ten_requests_each() -> None:
    """They share an address and know nothing of each other's reads."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        exchange.rest(ETH, 1, age_s=60)
        async with client_of(exchange) as other:
            pending = [
                await client.cancel_symbol_orders(BTC, confirm_within_s=600),
                await other.cancel_symbol_orders(ETH, confirm_within_s=600),
            ]
            begins_s, ends_s = shut(exchange, ENVELOPE, 0.3, BAN_S)
            for each in pending:
                await confirmed(each, ends_s)
            assert asked(exchange, begins_s, ends_s) <= 20

    with_exchange(main, history_lag_s=1.0)


def test_a_ban_that_is_extended_is_waited_for_as_well() -> None:
    """Another five minutes on top: one request in some thirty seconds, as before."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, confirm_within_s=900)
        begins_s, _ = shut(exchange, ENVELOPE, 0.3, BAN_S)
        _, ends_s = shut(exchange, ENVELOPE, 0.3 + BAN_S, BAN_S)
        await confirmed(pending, ends_s)
        assert asked(exchange, begins_s, ends_s) <= 20

    with_exchange(main, history_lag_s=1.0)


@pytest.mark.failure(29)
@pytest.mark.parametrize("code", RELEASE)
def test_a_release_window_of_four_hours_is_waited_for(code: str) -> None:
    """Every answer has the code of a release window, that to the command too: in doubt, parked, CONFIRMED after it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        asyncio.get_running_loop().set_debug(False)
        exchange.rest(BTC, 2, age_s=60)
        exchange.faults.add("cancel-symbol-order", faults.envelope(code, executed=True), times=1)
        begins_s, ends_s = shut(exchange, faults.envelope(code), 0.0, WINDOW_S)
        pending = await client.cancel_symbol_orders(BTC, confirm_within_s=86_400)
        assert not pending.acknowledged
        await confirmed(pending, ends_s)
        assert exchange.truth.count("cancel-symbol-order") == 1
        assert asked(exchange, begins_s, ends_s) <= WINDOW_S / 33 + 3

    with_exchange(main)


@pytest.mark.parametrize("answer", [ENVELOPE, faults.page(429, executed=False)])
def test_time_that_is_up_during_a_ban_says_when_to_look_again(answer: Fault) -> None:
    """UNKNOWN, rate_banned, with the moment of the next probe; a recheck from then on brings the report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        _, ends_s = shut(exchange, answer, 0.05, BAN_S)
        report = await pending.settled()
        assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "rate_banned")
        assert report.retry_at_ms is not None
        assert 0 <= report.retry_at_ms - report.settled_at_ms <= BACK_S * 1000
        assert report.to_dict()["retry_at_ms"] == report.retry_at_ms
        again = await pending.recheck()
        early = await again.settled()
        assert (early.outcome, early.reason) == (Outcome.UNKNOWN, "rate_banned")
        await asyncio.sleep(ends_s - now_s())
        report = await (await again.recheck()).settled()
        assert report.outcome is Outcome.CONFIRMED
        assert report.retry_at_ms is None

    with_exchange(main)


def test_a_deadline_for_another_reason_names_no_moment() -> None:
    """Reads that fail without being turned away: nobody knows when looking again helps."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, snapshot="none")
        shut(exchange, faults.page(502, executed=False), 0.0, BAN_S)
        report = await pending.settled()
        assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "unreadable")
        assert report.retry_at_ms is None

    with_exchange(main)


@pytest.mark.failure(12)
def test_commands_go_out_during_a_ban_and_are_refused_by_the_exchange_alone() -> None:
    """The panic button is never held back: each call makes its copies at once and ends as refused, in its time."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        exchange.rest(ETH, 1, age_s=60)
        pending = await client.cancel_symbol_orders(BTC, confirm_within_s=600)
        _, ends_s = shut(exchange, ENVELOPE, 0.3, BAN_S)
        await asyncio.sleep(60)
        for _ in range(3):
            before, began_s = exchange.truth.count("cancel-symbol-order"), now_s()
            with pytest.raises(RateLimited):
                _ = await client.cancel_symbol_orders(ETH)
            assert now_s() - began_s <= 12
            copies = exchange.truth.copies("cancel-symbol-order")[before:]
            # The exchange has just said "too many": tokens rest for a second.
            assert copies[0].received_ns / 1e9 - began_s <= 1.1
            assert all(copy.status == 429 for copy in copies)
        await confirmed(pending, ends_s)
        assert exchange.truth.open_ids(exchange.account.uid, ETH)
        last = await client.cancel_symbol_orders(ETH)
        assert (await last).outcome is Outcome.CONFIRMED

    with_exchange(main, history_lag_s=1.0)


@pytest.mark.failure(12)
@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_command_refused_for_its_number_a_few_times_is_executed_once(times: int) -> None:
    """An envelope 429 proves that nothing was executed: it goes again after a pause, and its handle is CONFIRMED."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        exchange.faults.add("cancel-symbol-order", ENVELOPE, times=times)
        report = await (await client.cancel_symbol_orders(BTC))
        assert report.outcome is Outcome.CONFIRMED
        assert len(exchange.truth.executions) == 1
        assert exchange.truth.count("cancel-symbol-order") == times + 1

    with_exchange(main)
