"""Waiting for tokens: first come first served, no trace of those who left, one budget for all clients of an account."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import aiohappyeyeballs
import pytest

from bitget_async import BitgetClient, LocalLimits, NotSent, OrderNotFound, Unlimited, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import (
    ACCOUNT_INFO,
    BATCH_CANCEL_ORDER,
    CANCEL_ORDER,
    CANCEL_SYMBOL_ORDER,
    ORDER_INFO,
    PLACE_ORDER,
    SERVER_TIME,
    UNFILLED_ORDERS,
    Endpoint,
)
from bitget_async.limits.local import Grant
from bitget_async.limits.pace import IP_BURST, IP_RATE_PER_S
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import client_of

ORIGIN = "http://127.0.0.1"
HOLD_S = 1.004
# The same id twice within a second would be refused for that.
NUMBERS = itertools.count(1)
Virtual = Callable[..., Any]


class Bench:
    """Limits on the running virtual loop, with short words for what tests do with them."""

    def __init__(self, share: float = 1.0) -> None:
        self.limits = LocalLimits(share)
        self.clock = VirtualClock()

    async def take(
        self,
        row: Endpoint = CANCEL_SYMBOL_ORDER,
        account: str = "1",
        *,
        origin: str = ORIGIN,
        max_wait_s: float | None = None,
        owner: object = None,
        first: bool = False,
    ) -> Grant:
        return await self.limits.acquire(
            row, account, origin, clock=self.clock, max_wait_s=max_wait_s, owner=owner or self, first=first
        )

    def start(self, row: Endpoint = CANCEL_SYMBOL_ORDER, **options: Any) -> asyncio.Task[Grant]:
        return asyncio.get_running_loop().create_task(self.take(row, **options))

    def answer(self, grant: Grant, remaining: int | None = None) -> None:
        grant.answered(self.clock.monotonic_ns(), remaining)

    async def drain(self, row: Endpoint = CANCEL_SYMBOL_ORDER, **options: Any) -> list[Grant]:
        return [await self.take(row, **options) for _ in range(row.quota.per_s)]

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()


class TickingLoop(asyncio.SelectorEventLoop):
    """
    Virtual time that moves at least a microsecond a turn: aiolimiter compares floats, and on a loop whose time stands
    still between timers it wakes itself without end.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__()
        select = self._selector.select  # type: ignore[attr-defined]

        def tick(timeout: float | None) -> Any:
            assert timeout is not None, "nothing will ever happen"
            self._now_s += max(timeout, 1e-6)
            return select(0)

        self._selector.select = tick  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s


def ticking(main: Callable[[], Any]) -> None:
    """Run it on a loop of that kind."""
    loop = TickingLoop()
    loop.set_debug(False)
    try:
        loop.run_until_complete(main())
        assert not asyncio.all_tasks(loop)
    finally:
        loop.close()


async def turns(count: int = 3) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and see them end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_burst_goes_at_once_and_the_next_after_the_first_answer(virtual: Virtual) -> None:
    """Five tokens; the sixth call waits for a second and ten milliseconds after the first answer."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        assert bench.now_s < 0.001
        waiter = bench.start()
        await asyncio.sleep(0.3)
        assert not waiter.done()
        bench.answer(grants[0])
        await waiter
        assert bench.now_s == pytest.approx(0.3 + HOLD_S, abs=0.001)

    virtual(main)


def test_waiters_are_served_in_the_order_in_which_they_came(virtual: Virtual) -> None:
    """Also against somebody who asks in the very tick in which a token comes back."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        order: list[int] = []

        async def one(number: int) -> None:
            grant = await bench.take()
            order.append(number)
            bench.answer(grant)

        tasks = [asyncio.get_running_loop().create_task(one(number)) for number in range(12)]
        await turns()
        for grant in grants:
            bench.answer(grant)
        await asyncio.sleep(HOLD_S - 0.0005)
        tasks += [asyncio.get_running_loop().create_task(one(number)) for number in range(12, 15)]
        await asyncio.gather(*tasks)
        assert order == list(range(15))
        assert bench.now_s == pytest.approx(3 * HOLD_S, abs=0.01)

    virtual(main)


@pytest.mark.failure(57)
def test_who_goes_first_passes_all_others_and_keeps_his_turn_among_his_like(virtual: Virtual) -> None:
    """Reads of the client itself, behind any number of the program's; those who leave do not disturb the order."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        served: list[str] = []

        async def wait(name: str, *, first: bool = False) -> None:
            grant = await bench.take(first=first)
            served.append(name)
            bench.answer(grant)

        names = ["a", "b", "C", "d", "E", "F", "g", "H"]
        tasks = {name: asyncio.ensure_future(wait(name, first=name.isupper())) for name in names}
        await turns()
        await ended(tasks["E"], tasks["b"])
        late = asyncio.ensure_future(wait("I", first=True))
        await turns()
        for grant in grants:
            grant.unsent()
        await turns()
        assert served == ["C", "F", "H", "I", "a"]
        again = asyncio.ensure_future(wait("J", first=True))
        await asyncio.gather(late, again, tasks["d"], tasks["g"])
        assert served[5:] == ["J", "d", "g"]

    virtual(main)


@pytest.mark.failure(50)
def test_a_token_of_an_unsent_request_goes_to_the_first_waiter_at_once(virtual: Virtual) -> None:
    """Nothing was counted at the exchange, so nobody waits for it."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        first, second = bench.start(), bench.start()
        await turns()
        grants[0].unsent()
        await turns()
        assert first.done()
        assert not second.done()
        await ended(second)

    virtual(main)


@pytest.mark.failure(50)
def test_a_lost_request_keeps_its_token_for_the_whole_timeout(virtual: Virtual) -> None:
    """It may be processed until then."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        waiter = bench.start()
        await asyncio.sleep(0.1)
        grants[0].lost(bench.clock.monotonic_ns(), 10_000_000_000)
        await waiter
        assert bench.now_s == pytest.approx(10 + HOLD_S, abs=0.001)

    virtual(main)


@pytest.mark.failure(50)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cancelled_waiter_leaves_no_trace(virtual: Virtual, place: int) -> None:
    """Whoever stood behind moves up; the token that would have been his is not lost and not late."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        tasks = [bench.start() for _ in range(3)]
        await turns()
        await ended(tasks.pop(place))
        for grant in grants[:2]:
            bench.answer(grant)
        await asyncio.gather(*tasks)
        assert bench.now_s == pytest.approx(HOLD_S, abs=0.001)
        for grant in grants[2:]:
            grant.unsent()
        more = [await bench.take() for _ in range(3)]
        assert len(more) == 3
        assert bench.now_s == pytest.approx(HOLD_S, abs=0.001)

    virtual(main)


@pytest.mark.failure(50)
def test_cancelled_in_the_tick_of_the_grant_gives_the_token_on(virtual: Virtual) -> None:
    """The future has its token, the task has not run yet and is cancelled: the next waiter gets it in the same tick."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        first, second, third = bench.start(), bench.start(), bench.start()
        await turns()
        grants[0].unsent()
        first.cancel()
        await turns()
        assert first.cancelled()
        assert second.done()
        assert not third.done()
        assert bench.now_s < 0.001
        await ended(third)

    virtual(main)


@pytest.mark.failure(50)
def test_ten_thousand_cancelled_waiters_cost_the_next_one_nothing(virtual: Virtual) -> None:
    """No phantom debt and no walk over the dead for every one of them."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        tasks = [bench.start() for _ in range(10_000)]
        await turns()
        began = time.perf_counter()
        await ended(*tasks)
        assert time.perf_counter() - began < 10
        grants[0].unsent()
        await bench.take(max_wait_s=0)
        assert bench.now_s < 0.01
        # And with a living waiter in front of the dead.
        front = bench.start()
        await turns()
        await ended(*[bench.start() for _ in range(1_000)])
        grants[1].unsent()
        grants[2].unsent()
        await turns()
        assert front.done()
        await bench.take(max_wait_s=0)

    virtual(main, debug=False)


@pytest.mark.parametrize("max_wait_s", [0, 0.5, 1.0])
def test_a_wait_that_cannot_end_in_time_is_refused_at_once_with_the_expected_wait(
    virtual: Virtual, max_wait_s: float
) -> None:
    """Nobody waits in vain: the error comes now and says how long it would take."""

    async def main() -> None:
        bench = Bench()
        for grant in await bench.drain():
            bench.answer(grant)
        with pytest.raises(NotSent) as caught:
            await bench.take(max_wait_s=max_wait_s)
        assert bench.now_s < 0.001
        assert caught.value.reason == "rate_limit"
        assert caught.value.expected_wait_s == pytest.approx(HOLD_S, abs=0.001)
        assert caught.value.endpoint == CANCEL_SYMBOL_ORDER.label
        assert "a token is expected in 1.00 s" in str(caught.value)

    virtual(main)


def test_the_expected_wait_counts_the_waiters_ahead(virtual: Virtual) -> None:
    """Eight stand there and five tokens come back each second: the ninth goes in the second round."""

    async def main() -> None:
        bench = Bench()
        for grant in await bench.drain():
            bench.answer(grant)
        tasks = [bench.start() for _ in range(8)]
        await turns()
        with pytest.raises(NotSent) as caught:
            await bench.take(max_wait_s=2 * HOLD_S - 0.01)
        assert caught.value.expected_wait_s == pytest.approx(2 * HOLD_S, abs=0.01)
        ninth = bench.start(max_wait_s=2 * HOLD_S + 0.01)
        for task in tasks:
            bench.answer(await task)
        await ninth
        assert bench.now_s == pytest.approx(2 * HOLD_S, abs=0.01)

    virtual(main)


def test_a_wait_that_turns_out_too_long_ends_at_its_time(virtual: Virtual) -> None:
    """The answers that were expected do not come: after `max_wait_s` it is over, and its place is free."""

    async def main() -> None:
        bench = Bench()
        grants = await bench.drain()
        waiter = bench.start(max_wait_s=1.5)
        behind = bench.start()
        await asyncio.sleep(1.4)
        assert not waiter.done()
        with pytest.raises(NotSent) as caught:
            await waiter
        assert bench.now_s == pytest.approx(1.5, abs=0.001)
        assert caught.value.expected_wait_s is not None
        grants[0].unsent()
        await behind
        assert bench.now_s == pytest.approx(1.5, abs=0.001)

    virtual(main)


@pytest.mark.failure(51)
def test_abandoned_waiters_get_not_sent_and_others_stay() -> None:
    """Closing one client answers its own waiters, of tokens and of the address's budget, and nobody else's."""

    async def main() -> None:
        bench = Bench()
        mine, yours = object(), object()
        grants = await bench.drain()
        tasks = [bench.start(owner=mine), bench.start(owner=yours), bench.start(owner=mine)]
        await turns()
        bench.limits.abandon(mine)
        for task in (tasks[0], tasks[2]):
            with pytest.raises(NotSent) as caught:
                await task
            assert (caught.value.reason, caught.value.expected_wait_s) == ("closed", None)
        grants[0].unsent()
        await tasks[1]
        # And behind the address's budget.
        await spend_address(bench)
        waiting = [bench.start(PLACE_ORDER, owner=mine), bench.start(PLACE_ORDER, owner=yours)]
        await turns()
        bench.limits.abandon(mine)
        with pytest.raises(NotSent, match="closed"):
            await waiting[0]
        await waiting[1]

    ticking(main)


async def spend_address(bench: Bench, origin: str = ORIGIN) -> None:
    """Use up the burst of the address with reads of many accounts."""
    for number in range(IP_BURST):
        await bench.take(UNFILLED_ORDERS, f"uid {number}", origin=origin)
    assert bench.now_s == pytest.approx(0, abs=0.5)


@pytest.mark.failure(58)
@pytest.mark.parametrize(
    ("share", "row", "tokens"),
    [
        (1.0, CANCEL_SYMBOL_ORDER, 5),
        (1, UNFILLED_ORDERS, 20),
        (0.5, CANCEL_SYMBOL_ORDER, 2),
        (0.5, UNFILLED_ORDERS, 10),
        (0.1, PLACE_ORDER, 1),
        (0.01, UNFILLED_ORDERS, 1),
        (0.5, ACCOUNT_INFO, 1),
    ],
)
def test_a_share_of_each_quota_and_never_less_than_one_token(
    virtual: Virtual, share: float, row: Endpoint, tokens: int
) -> None:
    """What is left is for other processes of the account."""

    async def main() -> None:
        bench = Bench(share)
        for _ in range(tokens):
            await bench.take(row, max_wait_s=0)
        with pytest.raises(NotSent):
            await bench.take(row, max_wait_s=0)

    virtual(main)


@pytest.mark.parametrize("share", [0, -0.5, 1.01, 20, math.nan, math.inf])
def test_a_share_that_cannot_be_meant_is_refused(share: float) -> None:
    """Twenty is no percentage, and nothing is no share."""
    with pytest.raises(UsageError, match="share"):
        LocalLimits(share)


@pytest.mark.failure(58)
@pytest.mark.parametrize("share", [0.05 * number for number in range(1, 21)])
@pytest.mark.parametrize("quota", [1, 3, 5, 10, 20])
def test_no_share_is_more_than_its_part(share: float, quota: int) -> None:
    """However the float rounds."""
    assert max(1, int(quota * share)) <= max(1, round(quota * share + 0.5 - 1e-9))


def test_buckets_are_apart_by_endpoint_account_and_exchange(virtual: Virtual) -> None:
    """The exchange counts each of them by itself; public calls are counted by address, whoever asks."""

    async def main() -> None:
        bench = Bench()
        await bench.drain()
        for options in ({"row": CANCEL_ORDER}, {"account": "2"}, {"origin": "http://127.0.0.2"}):
            await bench.take(**options, max_wait_s=0)
        with pytest.raises(NotSent):
            await bench.take(max_wait_s=0)
        await bench.drain(SERVER_TIME, account="1")
        with pytest.raises(NotSent):
            await bench.take(SERVER_TIME, "2", max_wait_s=0)

    virtual(main)


@pytest.mark.failure(57)
def test_reads_wait_for_the_address_and_cancels_do_not() -> None:
    """The budget of the address is spent by reads and placed orders: whoever must cancel passes them all."""

    async def main() -> None:
        bench = Bench()
        await spend_address(bench)
        began = bench.now_s
        read, placed = bench.start(ORDER_INFO), bench.start(PLACE_ORDER)
        await turns()
        for row in (CANCEL_SYMBOL_ORDER, CANCEL_ORDER, BATCH_CANCEL_ORDER):
            await bench.drain(row)
        assert bench.now_s == pytest.approx(began, abs=0.001)
        assert not read.done()
        assert not placed.done()
        await asyncio.gather(read, placed)
        assert bench.now_s == pytest.approx(began + 2 / IP_RATE_PER_S, abs=0.02)

    ticking(main)


@pytest.mark.failure(57)
def test_calls_that_are_not_sent_do_not_spend_the_budget_of_the_address() -> None:
    """The token comes first: four hundred calls that get none leave the burst to somebody else."""

    async def main() -> None:
        bench = Bench()
        await bench.drain(PLACE_ORDER)
        for _ in range(400):
            with pytest.raises(NotSent):
                await bench.take(PLACE_ORDER, max_wait_s=0)
        await bench.take(UNFILLED_ORDERS, "other account", max_wait_s=0)

    ticking(main)


def test_a_budget_that_cannot_serve_in_time_refuses_at_once_and_gives_the_token_back() -> None:
    """As for tokens: the error comes now, with the wait, and whoever cancels on the same bucket finds it full."""

    async def main() -> None:
        bench = Bench()
        await spend_address(bench)
        waiters = [bench.start(UNFILLED_ORDERS, account=f"x{number}") for number in range(500)]
        await turns()
        began = bench.now_s
        for _ in range(2 * PLACE_ORDER.quota.per_s):
            with pytest.raises(NotSent) as caught:
                await bench.take(PLACE_ORDER, "y", max_wait_s=1.0)
            assert caught.value.reason == "rate_limit"
            assert caught.value.expected_wait_s == pytest.approx(500 / IP_RATE_PER_S, rel=0.05)
            assert "IP budget" in str(caught.value)
        assert bench.now_s - began < 0.1
        await ended(*waiters)

    ticking(main)


@pytest.mark.failure(57)
def test_the_address_stays_below_six_thousand_a_minute_with_every_cancel_added() -> None:
    """Reads of a thousand accounts without pause for three minutes: their worst minute plus 25 cancels a second."""

    async def main() -> None:
        bench = Bench()
        moments: list[float] = []

        async def reader(number: int) -> None:
            while bench.now_s < 180:
                grant = await bench.take(UNFILLED_ORDERS, f"uid {number}")
                moments.append(bench.now_s)
                bench.answer(grant)

        await asyncio.gather(*(reader(number) for number in range(100)))
        worst = max(
            next((later for later in range(first, len(moments)) if moments[later] >= moments[first] + 60), first)
            - first
            for first in range(0, len(moments), 50)
        )
        assert worst + 50 <= 4_600
        assert worst + 50 + 25 * 60 <= 6_100
        assert len(moments) >= 0.95 * (IP_BURST + 180 * IP_RATE_PER_S)

    ticking(main)


@pytest.mark.failure(58)
def test_a_refusal_makes_it_slower(virtual: Virtual) -> None:
    """429 although we counted: somebody else spends the quota. Half the tokens rest for ten seconds."""

    async def main() -> None:
        bench = Bench()
        for _ in range(3):
            grant = await bench.take()
            grant.refused(bench.clock.monotonic_ns())
            await asyncio.sleep(30)
        grant = await bench.take()
        grant.refused(bench.clock.monotonic_ns())
        began = bench.now_s
        served = 0
        while bench.now_s < began + 5:
            try:
                bench.answer(await bench.take(max_wait_s=0.2))
            except NotSent:
                await asyncio.sleep(0.2)
            else:
                served += 1
        # Three tokens instead of five, each once a second, for the four seconds after the first.
        assert 9 <= served <= 12

    virtual(main)


@pytest.mark.failure(58)
@pytest.mark.parametrize(("remaining", "left"), [(None, 4), (19, 4), (4, 4), (2, 2), (0, 0)])
def test_the_remaining_header_may_only_tighten(virtual: Virtual, remaining: int | None, left: int) -> None:
    """Recorded: 19 where the page says 5. A figure below ours is somebody else's spending."""

    async def main() -> None:
        bench = Bench()
        bench.answer(await bench.take(), remaining)
        for _ in range(left):
            await bench.take(max_wait_s=0)
        with pytest.raises(NotSent):
            await bench.take(max_wait_s=0)

    virtual(main)


async def cancel_one(client: BitgetClient) -> None:
    """A command that only counts here: there is no such order, and it may not wait for its token."""
    with pytest.raises(OrderNotFound):
        await client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id=str(next(NUMBERS)), max_wait_s=0)


@pytest.mark.failure(58)
def test_all_clients_of_an_account_on_a_loop_share_its_tokens(virtual: Virtual) -> None:
    """Two clients with one UID, a third that came later, and one of another UID."""

    async def main() -> None:
        exchange = SimulatedExchange(clock=VirtualClock())
        second_key = exchange.add_key()
        other = exchange.add_account()
        async with exchange:
            clients = [
                client_of(exchange, uid=exchange.account.uid),
                BitgetClient(second_key, base_url=exchange.base_url, uid=exchange.account.uid, clock=VirtualClock()),
            ]
            stranger = BitgetClient(exchange.credentials(other), base_url=exchange.base_url, clock=VirtualClock())
            for number in range(10):
                await cancel_one(clients[number % 2])
            for client in clients:
                with pytest.raises(NotSent):
                    await client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id="1", max_wait_s=0)
            await cancel_one(stranger)
            for client in clients:
                await client.close()
            # The tokens outlive those who took them.
            late = client_of(exchange, uid=exchange.account.uid)
            with pytest.raises(NotSent):
                await late.call(CANCEL_ORDER, symbol="BTCUSDT", order_id="1", max_wait_s=0)
            await late.close()
            await stranger.close()
            assert exchange.truth.worst_second("cancel-order", exchange.account.uid) == 10

    virtual(main)


@pytest.mark.failure(12, 58)
@pytest.mark.parametrize("command", ["place-order", "cancel-symbol-order"])
def test_three_refusals_in_a_row_do_not_stop_a_command(virtual: Virtual, command: str) -> None:
    """429 three times, then yes: the repeats find a token each time, well inside the command's time."""

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            exchange.faults.add(command, faults.envelope("429", status=429), times=3)
            async with client_of(exchange, limits=LocalLimits()) as client:
                if command == "place-order":
                    placed = await client.place_order("BTCUSDT", "buy", "limit", size="0.01", price="30000")
                    assert placed.acknowledged
                else:
                    pending = await client.cancel_symbol_orders("BTCUSDT")
                    assert pending.acknowledged
            assert exchange.truth.count(command) == 4

    virtual(main)


@pytest.mark.failure(50)
def test_a_read_that_is_cancelled_while_connecting_gives_its_token_back(virtual: Virtual) -> None:
    """Nothing left the machine: the only token of a call is free for the next one at once."""

    async def main() -> None:
        connect = aiohappyeyeballs.start_connection

        async def slowly(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(3)
            return await connect(*args, **kwargs)

        exchange = SimulatedExchange(clock=VirtualClock())
        async with exchange, client_of(exchange, limits=LocalLimits()) as client:
            with mock.patch("aiohappyeyeballs.start_connection", slowly):
                task = asyncio.ensure_future(client.account.info())
                await asyncio.sleep(0.1)
                await ended(task)
            assert exchange.truth.count() == 0
            await client.call(ACCOUNT_INFO, max_wait_s=0)

    virtual(main)


def test_clients_with_limits_of_their_own_share_nothing(virtual: Virtual) -> None:
    """Whoever brings limits has asked for it."""

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            exchange.settings.quotas["cancel-order"] = 100
            for _ in range(2):
                async with client_of(exchange, limits=LocalLimits()) as client:
                    for _ in range(10):
                        await cancel_one(client)

    virtual(main)


def test_shared_limits_belong_to_the_running_loop(virtual: Virtual) -> None:
    """Another loop has other timers; those of closed loops are dropped."""

    async def main() -> LocalLimits:
        assert LocalLimits.shared() is LocalLimits.shared()
        return LocalLimits.shared()

    first, second = virtual(main), virtual(main)
    assert first is not second
    assert first not in LocalLimits._of_loop.values()


@pytest.mark.failure(58)
@pytest.mark.parametrize("seed", range(3))
def test_no_second_at_the_exchange_holds_more_than_five_commands(virtual: Virtual, seed: int) -> None:
    """Sixty cancels at once over a network of 0 to 300 ms each way, some answers lost: the exchange's own count."""

    async def main() -> None:
        settings = Settings(request_latency_s=(0.0, 0.3), answer_latency_s=(0.0, 0.3))
        async with SimulatedExchange(seed, clock=VirtualClock(), settings=settings) as exchange:
            async with client_of(exchange, rng=random.Random(seed)) as client:
                handles = [client.cancel_symbol_orders(symbol) for symbol in ("BTCUSDT", "ETHUSDT")]
                calls = [client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id=str(number + 1)) for number in range(60)]
                await asyncio.gather(*handles, *calls, return_exceptions=True)
            assert exchange.truth.worst_second("cancel-order") <= 10
            assert exchange.truth.worst_second("cancel-symbol-order") <= 5
            assert exchange.truth.count("cancel-order") == 60
            assert exchange.truth.answers_429 == 0

    virtual(main)


@pytest.mark.parametrize("url", ["https://api.bitget.com", "https://127.0.0.1.example.com", "https://10.0.0.1"])
def test_unlimited_is_refused_off_loopback(url: str) -> None:
    """The exchange bans who breaks its limits."""
    with pytest.raises(UsageError, match="loopback only"):
        BitgetClient(base_url=url, limits=Unlimited())


def test_unlimited_grants_everything_on_loopback(virtual: Virtual) -> None:
    """For benchmarks: no wait at all, whatever the end of each call."""

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            exchange.settings.quotas["time"] = 10_000
            async with client_of(exchange, limits=Unlimited()) as client:
                await asyncio.gather(*(client.market.server_time() for _ in range(100)))
                assert asyncio.get_running_loop().time() < 0.5
        limits = Unlimited()
        grant = await limits.acquire(SERVER_TIME, "", ORIGIN, clock=VirtualClock(), max_wait_s=0, owner=None)
        grant.answered(0, 0)
        grant.lost(0, 10)
        grant.unsent()
        grant.refused(0)
        limits.abandon(None)

    virtual(main)
