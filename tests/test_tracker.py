"""`client.open_orders` and what readers of `client.stream.orders()` get, against the simulated exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    NotSent,
    OrderStatus,
    OrderUpdate,
    Outcome,
    StreamState,
    SubscriptionFailed,
    Sureness,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import CALM, client_of, run_on, with_exchange
from tests.virtualtime import virtual_loop, virtual_sockets

STREAM: dict[str, Any] = {"stream": True}
BTC, ETH = "BTCUSDT", "ETHUSDT"


def shown(client: BitgetClient, symbol: str = BTC) -> tuple[str, ...]:
    """Ids that the tracker calls open."""
    return tuple(each.order.order_id for each in client.open_orders.of(symbol))


def true(exchange: SimulatedExchange, symbol: str = BTC) -> tuple[str, ...]:
    """Ids that are."""
    return exchange.truth.open_ids(exchange.account.uid, symbol)


def sureness(client: BitgetClient) -> Sureness:
    """How sure the tracker is."""
    return client.open_orders.sureness


class Reader:
    """Keeps what `client.stream.orders()` gives."""

    def __init__(self, client: BitgetClient) -> None:
        self.told: list[OrderUpdate] = []
        self._subscription = client.stream.orders()

    async def __aenter__(self) -> Reader:
        self._task = asyncio.get_running_loop().create_task(self._read())
        await self._subscription.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._subscription.close()
        await self._task

    async def _read(self) -> None:
        async for update in self._subscription:
            self.told.append(update)

    def of(self, order_id: str) -> list[tuple[str, str]]:
        """What was told of an order: status and source."""
        return [(each.status.value, each.source) for each in self.told if each.order_id == order_id]


# -- the set -------------------------------------------------------------------------------------------------------


def test_it_is_live_two_seconds_after_the_stream_and_follows_every_change() -> None:
    """The plain case: old orders from the listing, new ones and ends from pushes, tens of milliseconds after them."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        old = exchange.rest(BTC, 2, age_s=3_600)
        orders = client.open_orders
        assert (orders.sureness, orders.as_of_ms, len(orders)) == (Sureness.UNKNOWN, None, 0)
        await orders.ready()
        assert sureness(client) is Sureness.LIVE
        assert shown(client) == tuple(old)
        assert exchange.truth.count("unfilled-orders") == 2

        new = exchange.rest(ETH, 1)
        exchange.fill(old[0])
        await asyncio.sleep(0.1)
        assert (shown(client), shown(client, ETH)) == ((old[1],), tuple(new))
        assert (orders.symbols, len(orders)) == ((BTC, ETH), 2)
        assert [each.source for each in orders] == ["unfilled-orders", "orders"]
        young = orders.of(ETH)[0]
        assert young.order.status is OrderStatus.LIVE
        assert young.age_s < 0.2
        assert "2, live" in repr(orders)

    with_exchange(main, options=STREAM)


@pytest.mark.failure(47)
def test_lost_pushes_are_made_up_for_by_the_next_listing() -> None:
    """The exchange may lose any of them on a line that stands: the promise is half a minute, and the ends are told."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        old = exchange.rest(BTC, 3, age_s=60)
        async with Reader(client) as reader:
            await client.open_orders.ready()
            exchange.settings.push_loss = 1.0
            exchange.fill(old[0])
            exchange.cancel(old[1])
            (new,) = exchange.rest(BTC, 1)
            (brief,) = exchange.rest(BTC, 1)
            exchange.cancel(brief)
            await asyncio.sleep(30)
            assert shown(client) == true(exchange) == (old[2], new)
            assert sureness(client) is Sureness.LIVE
            assert [status for status, _ in reader.of(old[0])] == ["filled"]
            assert [status for status, _ in reader.of(old[1])] == ["cancelled"]
            assert reader.of(new) == [("live", "unfilled-orders")]
            assert reader.of(brief) == [("cancelled", "history-orders")]
            assert len(reader.told) == 4

    with_exchange(main, options=STREAM)


@pytest.mark.failure(47)
def test_after_a_reconnect_the_differences_are_told_as_changes() -> None:
    """What happened while nobody listened reaches the readers once, and says which read told it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        old = exchange.rest(BTC, 2, age_s=60)
        async with Reader(client) as reader:
            await client.open_orders.ready()
            (before,) = exchange.rest(BTC, 1)
            await asyncio.sleep(0.5)
            exchange.sockets.stall(True)
            await asyncio.sleep(1)
            (unseen,) = exchange.rest(BTC, 1)
            exchange.fill(before, exchange.order(before).draft.size / 2)
            exchange.cancel(old[0])
            _ = exchange.sockets.cut()
            exchange.sockets.stall(False)
            assert await client.stream.wait_state(StreamState.STALE) is StreamState.STALE
            assert sureness(client) is Sureness.LISTED
            await client.open_orders.ready()
            await asyncio.sleep(1)
            assert shown(client) == true(exchange)
            assert reader.of(before) == [("live", "orders"), ("partially_filled", "unfilled-orders")]
            assert reader.of(unseen) == [("live", "unfilled-orders")]
            assert [status for status, _ in reader.of(old[0])] == ["cancelled"]
            assert reader.of(old[1]) == []

    with_exchange(main, options=STREAM)


@pytest.mark.failure(47)
@pytest.mark.parametrize("knob", ["push_doubling", "push_disorder"])
def test_doubled_and_swapped_pushes_are_told_once_and_in_order(knob: str) -> None:
    """A reader may add up what it is told."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with Reader(client) as reader:
            await client.open_orders.ready()
            setattr(exchange.settings, knob, 1.0 if knob == "push_doubling" else 0.5)
            made = exchange.rest(BTC, 5)
            for order_id in made:
                size = exchange.order(order_id).draft.size
                for _ in range(3):
                    exchange.fill(order_id, size / 4)
                exchange.fill(order_id)
            await asyncio.sleep(25)
            for order_id in made:
                volumes = [each.base_volume or 0 for each in reader.told if each.order_id == order_id]
                assert volumes == sorted(set(volumes), key=volumes.index)
                assert volumes == sorted(volumes)
                assert reader.of(order_id)[-1][0] == "filled"
                assert len(volumes) == len(set(volumes))

    with_exchange(main, options=STREAM)


@pytest.mark.failure(47)
def test_an_order_placed_by_this_client_is_known_to_its_end_though_every_push_is_lost() -> None:
    """Its id is known from the answer: it is asked for when nobody tells of it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with Reader(client) as reader:
            await client.open_orders.ready()
            exchange.settings.push_loss = 1.0
            exchange.settings.history_lag_s = float("inf")
            pending = await client.place_order(BTC, "buy", "market", quote_size="100")
            await asyncio.sleep(10)
            assert pending.order_id is not None
            (told,) = reader.of(pending.order_id)
            assert told == ("filled", "orderInfo")

    with_exchange(main, options=STREAM)


def test_what_the_watcher_reads_is_taken_in_too() -> None:
    """A read costs a token: what it shows is shown to both."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 3, age_s=60)
        async with Reader(client) as reader:
            await client.open_orders.ready()
            exchange.settings.push_loss = 1.0
            report = await (await client.cancel_symbol_orders(BTC))
            assert report.outcome is Outcome.CONFIRMED
            await asyncio.sleep(0.1)
            assert shown(client) == ()
            assert [each.order_id for each in sorted(reader.told, key=lambda each: each.order_id)] == sorted(ids)

    with_exchange(main, options=STREAM)


# -- cancelling with it --------------------------------------------------------------------------------------------


def test_a_cancellation_has_its_snapshot_from_the_tracker_and_says_so() -> None:
    """The orders are known before the first read: without one that is answered in time, too."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 3, age_s=60)
        await client.open_orders.ready()
        exchange.faults.add("unfilled-orders", faults.envelope("40725", executed=False))
        pending = await client.cancel_symbol_orders(BTC)
        assert sorted(fate.order.order_id for fate in pending.orders) == sorted(ids)
        report = await pending
        assert {fate.order.order_id for fate in report.cancelled} == set(ids)
        assert report.assumptions["snapshot"] == "concurrent, open-order tracker"

    with_exchange(main, options=STREAM)


@pytest.mark.parametrize("options", [{}, STREAM])
def test_a_tracker_that_is_not_live_gives_no_snapshot(options: dict[str, Any]) -> None:
    """Neither without a stream nor before the listing that decides."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 3, age_s=60)
        report = await (await client.cancel_symbol_orders(BTC))
        assert report.assumptions["snapshot"] == "concurrent"

    with_exchange(main, options=options)


# -- when it is kept -----------------------------------------------------------------------------------------------


def test_without_a_stream_nothing_is_read_and_ready_says_how_to_have_it() -> None:
    """Who does not want it pays nothing, and is not left waiting."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 1)
        with pytest.raises(UsageError, match="stream=True"):
            await client.open_orders.ready()
        await asyncio.sleep(60)
        assert exchange.truth.count() == 0
        assert sureness(client) is Sureness.UNKNOWN
        assert client.open_orders.all == ()

    with_exchange(main)


def test_none_known_is_not_taken_for_none_open() -> None:
    """`if client.open_orders` would be false where nothing is known."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(TypeError, match="sureness"):
            _ = bool(client.open_orders)

    with_exchange(main)


def test_it_is_kept_while_somebody_reads_orders_and_forgotten_after() -> None:
    """Reading `client.stream.orders()` is enough; what nobody corrects any more must not be shown."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 1, age_s=60)
        async with Reader(client):
            await client.open_orders.ready()
            assert shown(client) == tuple(ids)
        await asyncio.sleep(0.1)
        assert sureness(client) is Sureness.UNKNOWN
        assert shown(client) == ()
        reads = exchange.truth.count()
        await asyncio.sleep(120)
        assert exchange.truth.count() == reads
        async with Reader(client):
            await client.open_orders.ready()
            assert shown(client) == tuple(ids)

    with_exchange(main)


def test_a_reader_that_leaves_while_the_stream_is_down_stops_it_too() -> None:
    """No word comes then that pushes have ended: they had already."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with Reader(client):
            await client.open_orders.ready()
            exchange.sockets.stall(True, newcomers=True)
            _ = exchange.sockets.cut()
            await asyncio.sleep(1)
        await asyncio.sleep(30)
        assert sureness(client) is Sureness.UNKNOWN
        reads = exchange.truth.count("unfilled-orders")
        await asyncio.sleep(60)
        assert exchange.truth.count("unfilled-orders") == reads

    with_exchange(main)


def test_without_its_stream_it_lists_on_and_says_that_it_does() -> None:
    """A stream that is down for long leaves the set as good as its listings."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.open_orders.ready()
        exchange.sockets.stall(True, newcomers=True)
        await asyncio.sleep(60)
        assert sureness(client) is Sureness.LISTED
        ids = exchange.rest(BTC, 2)
        await asyncio.sleep(30)
        assert shown(client) == tuple(ids)
        exchange.faults.add("unfilled-orders", faults.page(502, executed=False), times=None)
        await asyncio.sleep(40)
        assert sureness(client) is Sureness.STALE
        assert client.open_orders.as_of_ms is not None

    with_exchange(main, options=STREAM)


def test_ready_says_why_when_the_stream_is_refused() -> None:
    """A wrong key must not look like a slow network."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.login_refusal = "30011"
        with pytest.raises(SubscriptionFailed):
            await client.open_orders.ready()

    with_exchange(main, options=STREAM)


def test_ready_ends_when_the_client_is_closed() -> None:
    """Nobody hangs."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.sockets.stall(True, newcomers=True)
        waiting = asyncio.get_running_loop().create_task(client.open_orders.ready())
        await asyncio.sleep(1)
        await client.close()
        with pytest.raises(NotSent):
            await waiting

    with_exchange(main, options=STREAM)


# -- what it costs -------------------------------------------------------------------------------------------------


def test_a_quiet_account_costs_six_reads_a_minute() -> None:
    """The docstring says so."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 5, age_s=60)
        await client.open_orders.ready()
        before = exchange.truth.count()
        await asyncio.sleep(600)
        assert exchange.truth.count() - before <= 6.7 * 10
        assert sureness(client) is Sureness.LIVE

    with_exchange(main, options=STREAM)


@pytest.mark.failure(59)
def test_a_ban_meets_few_of_its_reads() -> None:
    """Ten probes in five minutes at most, and it is LIVE again by itself."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.open_orders.ready()
        await asyncio.sleep(15)
        ban = [exchange.faults.add(None, faults.page(403, executed=False), times=None)]
        before = exchange.truth.count()
        await asyncio.sleep(300)
        assert exchange.truth.count() - before <= 10
        assert sureness(client) is Sureness.STALE
        assert ban
        exchange.faults.clear()
        await asyncio.sleep(60)
        assert sureness(client) is Sureness.LIVE

    with_exchange(main, options=STREAM)


# -- defects of ours -----------------------------------------------------------------------------------------------


def broken(main: Callable[[SimulatedExchange, BitgetClient], Any]) -> None:
    """`with_exchange` with a stream, where the loop's handler may hear of a ZeroDivisionError."""

    async def whole() -> None:
        made = SimulatedExchange(5, clock=VirtualClock(), settings=Settings(**CALM))
        async with made as exchange, client_of(exchange, stream=True) as client:
            await main(exchange, client)

    loop = virtual_loop()
    with virtual_sockets():
        run_on(loop, whole, expected=ZeroDivisionError)


@pytest.mark.parametrize("where", ["pushed", "done", "due", "listed"])
def test_a_defect_of_the_tracker_costs_neither_readers_nor_cancellations(where: str) -> None:
    """Pushes go on to the readers as they come, calls settle, and the set says that nobody knows."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 1, age_s=60)
        async with Reader(client) as reader:
            await client.open_orders.ready()
            tracker = client._open().tracker

            def fails(*_: Any, **__: Any) -> Any:
                raise ZeroDivisionError

            setattr(tracker.tracking, where, fails)
            await asyncio.sleep(25)
            report = await (await client.cancel_symbol_orders(BTC))
            assert report.outcome is Outcome.CONFIRMED
            assert [status for status, _ in reader.of(ids[0])] == ["cancelled"]
            assert sureness(client) is Sureness.UNKNOWN
            _ = exchange.sockets.cut()
            await asyncio.sleep(5)
            assert sureness(client) is Sureness.LIVE

    broken(main)


def test_what_should_not_be_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """An odd row comes with every listing; the log is not to fill up with it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.open_orders.ready()
        tracker = client._open().tracker
        tracker.pushed([OrderUpdate(symbol=BTC)] * 3, 0)
        assert [record.message for record in caplog.records if record.name == "bitget_async.tracker"] == [
            "an order came without an id"
        ]

    with caplog.at_level(logging.WARNING):
        with_exchange(main, options=STREAM)
