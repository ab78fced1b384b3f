"""Trading over the stream: the same handles and certainty as over REST, and REST where the socket will not do."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    NotSent,
    Outcome,
    PendingPlacement,
    PlacementOutcome,
    Refused,
    StreamState,
    UsageError,
)
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import with_exchange

OVER_STREAM: dict[str, Any] = {"trade_over": "stream"}
LIMIT: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}
LIVE = StreamState.LIVE


def over_stream(main: Callable[[SimulatedExchange, BitgetClient], Any], **settings: Any) -> None:
    """With a client that trades over the stream, which is up."""

    async def whole(exchange: SimulatedExchange, client: BitgetClient) -> None:
        assert await client.stream.wait_state(LIVE) is LIVE
        # The login and the subscription count among the messages of the first second.
        await asyncio.sleep(2)
        await main(exchange, client)

    with_exchange(whole, options=OVER_STREAM, **settings)


def ways(exchange: SimulatedExchange, endpoint: str) -> list[str]:
    """How each command of that name came."""
    return ["socket" if copy.socket else "REST" for copy in exchange.truth.copies(endpoint)]


def test_orders_are_placed_and_cancelled_over_the_socket_with_the_usual_handles() -> None:
    """The option changes the way, not what is promised."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        assert pending.acknowledged
        placed = await pending
        assert placed.outcome is PlacementOutcome.PLACED
        order_id = placed.placements[0].order_id
        assert exchange.truth.open_ids(exchange.account.uid) == (order_id,)
        cancelled = await (await client.cancel_order("BTCUSDT", order_id=order_id))
        assert cancelled.outcome is Outcome.CONFIRMED
        assert ways(exchange, "place-order") == ways(exchange, "cancel-order") == ["socket"]
        assert exchange.sockets.records[0].trades == 2

    over_stream(main)


def test_the_report_says_that_no_timestamp_bounds_the_command() -> None:
    """The receive window is not sent: a report that printed it would promise what nobody keeps."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        placed = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        assert "30 s" in placed.assumptions["sent_over"]
        assert "receive_window_ms" not in placed.assumptions
        (copy,) = exchange.truth.copies("place-order")
        assert b"receiveWindow" not in copy.body

    over_stream(main)


def test_until_the_socket_is_up_commands_go_over_rest() -> None:
    """Nobody waits for a login."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        first = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        assert first.assumptions["receive_window_ms"] == "5000"
        _ = await client.stream.wait_state(LIVE)
        _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        _ = exchange.sockets.cut()
        _ = await client.stream.wait_state(StreamState.STALE)
        _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        assert ways(exchange, "place-order") == ["REST", "socket", "REST"]

    with_exchange(main, options=OVER_STREAM)


def test_what_the_channel_is_not_known_to_take_goes_over_rest() -> None:
    """Batches, presets, the other list: a field that the socket passed over in silence would make another order."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.place_order("BTCUSDT", "buy", "limit", preset_stop_loss_price="9000", **LIMIT)
        orders = [{"side": "buy", "order_type": "limit", **LIMIT}]
        _ = await client.batch_orders(orders, "BTCUSDT")
        assert ways(exchange, "place-order") == ways(exchange, "batch-orders") == ["REST"]

    over_stream(main)


def test_an_account_without_the_permission_trades_over_rest_and_asks_once() -> None:
    """The exchange gives it to few: the first refusal proves that nothing was executed, and is remembered."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.socket_trading = False
        for _ in range(3):
            placed = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
            assert placed.outcome is PlacementOutcome.PLACED
            assert placed.assumptions["receive_window_ms"] == "5000"
            assert "sent_over" not in placed.assumptions
        assert exchange.sockets.records[0].trades == 1
        assert ways(exchange, "place-order") == ["REST"] * 3

    over_stream(main)


def test_a_refusal_that_proves_is_raised_and_one_that_does_not_is_looked_up() -> None:
    """The table of codes decides, as for an answer over REST."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("43012", text="Insufficient balance"))
        with pytest.raises(Refused) as caught:
            _ = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        assert caught.value.code == "43012"
        exchange.faults.add("place-order", faults.envelope("40010", text="timed out", executed=True))
        pending = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        assert not pending.acknowledged
        assert (await pending).outcome is PlacementOutcome.PLACED
        assert ways(exchange, "place-order") == ["socket"] * 2

    over_stream(main)


def test_a_wrong_call_is_told_before_anything_is_sent() -> None:
    """As over REST."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError):
            _ = await client.place_order("BTCUSDT", "buy", "limit", size="0.01")
        with pytest.raises(UsageError):
            _ = await client.place_order("BTCUSDT", "buy", "limit", max_wait_s=-1, **LIMIT)
        assert exchange.sockets.records[0].trades == 0

    over_stream(main)


@pytest.mark.failure(47)
@pytest.mark.parametrize("executed", [True, False])
def test_an_answer_that_never_comes_is_looked_up_and_never_sent_again(executed: bool) -> None:
    """Executed or not, the command is on the wire once; not placed is proven when it can be accepted no more."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.drop(executed=executed))
        began = asyncio.get_running_loop().time()
        pending = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        assert not pending.acknowledged
        report = await pending.settled()
        took = asyncio.get_running_loop().time() - began
        if executed:
            assert report.outcome is PlacementOutcome.PLACED
            assert took < 12.0
        else:
            # 30 s in which a command without a timestamp is assumed to be accepted, the grace, and a listing's age.
            assert report.outcome is PlacementOutcome.NOT_PLACED
            assert 42.0 <= took < 45.0
        assert ways(exchange, "place-order") == ["socket"]

    over_stream(main)


@pytest.mark.failure(47)
@pytest.mark.parametrize("at_ms", range(0, 60, 6))
def test_a_cut_at_any_moment_leaves_one_order_or_none(at_ms: int) -> None:
    """Before the write REST takes it; after it nobody sends it again."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async def cut() -> None:
            await asyncio.sleep(at_ms / 1000)
            _ = exchange.sockets.cut()

        cutting = asyncio.ensure_future(cut())
        report = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)).settled()
        await cutting
        placed = len(exchange.truth.open_ids(exchange.account.uid))
        assert len(exchange.truth.copies("place-order")) == placed <= 1
        assert report.outcome is (PlacementOutcome.PLACED if placed else PlacementOutcome.NOT_PLACED)

    over_stream(main, socket_latency_s=0.02)


def test_a_burst_spills_over_to_rest_and_breaks_no_limit() -> None:
    """A socket takes ten messages a second, pings included; the token of the call is taken whichever way it goes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await asyncio.gather(*[client.place_order("BTCUSDT", "buy", "limit", **LIMIT) for _ in range(40)])
        for each in pending:
            assert (await each).outcome is PlacementOutcome.PLACED
        sent = Counter(ways(exchange, "place-order"))
        assert sent.total() == 40
        assert sent["socket"] >= 3
        assert sent["REST"] >= 20
        assert exchange.truth.worst_second("place-order") <= 10
        assert max(each.worst_second for each in exchange.sockets.records) <= 8
        assert exchange.truth.answers_429 == 0

    over_stream(main)


def test_a_caller_who_waits_too_long_for_a_token_is_told_that_nothing_was_sent() -> None:
    """The bound of the wait holds for both ways."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for _ in range(10):
            _ = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        with pytest.raises(NotSent) as caught:
            _ = await client.place_order("BTCUSDT", "buy", "limit", max_wait_s=0.0, **LIMIT)
        assert caught.value.reason == "rate_limit"
        assert len(exchange.truth.copies("place-order")) == 10

    over_stream(main, request_latency_s=0.0, answer_latency_s=0.0)


def test_closing_with_a_command_on_its_way_settles_its_handle() -> None:
    """The order may be there: nobody is told that it is not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.drop(executed=False))
        placing = asyncio.ensure_future(client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        await asyncio.sleep(1)
        await client.close()
        report = await (await placing).settled()
        assert (report.outcome, report.reason) == (PlacementOutcome.UNKNOWN, "client_closed")

    over_stream(main)


@pytest.mark.parametrize("over_rest", [False, True])
def test_who_takes_the_call_up_later_knows_for_how_long_it_may_be_accepted(over_rest: bool, tmp_path: Path) -> None:
    """After a crash the journal is all there is: 5 s of a receive window that was never sent would prove wrongly."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if not over_rest:
            _ = await client.stream.wait_state(LIVE)
        exchange.faults.add("place-order", faults.drop(executed=False))
        pending = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        await client.close()
        assert ways(exchange, "place-order") == ["REST" if over_rest else "socket"]
        clock = client._clock
        options: dict[str, Any] = {"base_url": exchange.base_url, "clock": clock, "journal": tmp_path / "journal"}
        async with BitgetClient(exchange.credentials(), **options) as later:
            (again,) = await later.resume_pending()
            report = await again.settled()
            assert report.outcome is PlacementOutcome.NOT_PLACED
            settled_after_s = (report.settled_at_ms - report.signed_at_ms) / 1000
            low, high = (17.0, 25.0) if over_rest else (42.0, 50.0)
            assert low <= settled_after_s <= high
        assert not pending.acknowledged

    with_exchange(main, options={**OVER_STREAM, "journal": tmp_path / "journal"})


@pytest.mark.parametrize("value", ["socket", "", None, True])
def test_another_way_is_refused(value: Any) -> None:
    """A typing error must not decide how orders go."""
    with pytest.raises(UsageError, match="trade_over"):
        _ = BitgetClient(trade_over=value)


@pytest.mark.failure(47)
@pytest.mark.parametrize("seed", range(6))
def test_whatever_goes_wrong_every_order_is_placed_at_most_once_and_told_truly(
    seed: int, count_cases: Callable[[int], None]
) -> None:
    """Lost answers, cuts, silence and refusals in any mixture: the truth of the exchange is the judge."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        dice = random.Random(seed)
        exchange.settings.ack_loss = 0.2
        handles: dict[str, PendingPlacement | None] = {}
        for number in range(30):
            name = f"seed{seed}n{number}"
            if dice.random() < 0.2:
                exchange.faults.add("place-order", faults.drop(executed=dice.random() < 0.5))
            try:
                handles[name] = await client.place_order("BTCUSDT", "buy", "limit", client_oid=name, **LIMIT)
            except (NotSent, Refused):
                handles[name] = None
            if dice.random() < 0.3:
                _ = exchange.sockets.cut(mid_frame=dice.random() < 0.5)
            await asyncio.sleep(dice.uniform(0, 3))
        made = Counter(order.client_oid for order in exchange.truth.orders.values())
        for name, handle in handles.items():
            assert made[name] <= 1
            if handle is None:
                assert made[name] == 0
                continue
            report = await handle.settled()
            assert report.outcome is (PlacementOutcome.PLACED if made[name] else PlacementOutcome.NOT_PLACED)
        assert "socket" in ways(exchange, "place-order")
        count_cases(30)

    over_stream(main)
