"""The trading verbs: rules before tokens, what is written when, windows, tpsl orders."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    Fate,
    LocalLimits,
    NotSent,
    OrderType,
    Outcome,
    PlacementOutcome,
    PlacementUnconfirmed,
    Refused,
    Side,
    UsageError,
)
from bitget_async.endpoints import PLACE_ORDER
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import with_exchange

BTC = "BTCUSDT"
PLACE = "place-order"


class Counting(LocalLimits):
    """Limits that count the tokens taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    async def acquire(self, *args: Any, **kwargs: Any) -> Any:
        grant = await super().acquire(*args, **kwargs)
        self.taken += 1
        return grant


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def bodies(exchange: SimulatedExchange, endpoint: str = PLACE) -> list[dict[str, Any]]:
    """What was sent."""
    return [json.loads(copy.body) for copy in exchange.truth.copies(endpoint)]


# -- rules -------------------------------------------------------------------------------------------------------

# The simulator tells 2 decimals of a price, 6 of a size, 8 of quote coin, 1 USDT at least, 10 000 000 at most.
BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"price": "50000.001"}, r"price 50000\.001 is not a multiple of 0\.01"),
    ({"size": "0.0000001"}, r"size 1E-7|size 0\.0000001 is not a multiple"),
    ({"size": "0.00001", "price": "50000"}, "min_trade_usdt"),
    ({"size": "1000", "price": "50000"}, "max_limit_order_value"),
    ({"order_type": "market", "size": None, "price": None, "quote_size": "0.5"}, "min_trade_usdt"),
    ({"order_type": "market", "size": None, "price": None, "quote_size": "2000000"}, "max_market_order_value"),
    ({"order_type": "market", "size": None, "price": None, "quote_size": "10.000000001"}, "quote_size"),
    ({"price": 50000.5}, "price must be a Decimal"),
    ({"size": "1e-"}, "size must be a decimal number"),
]


@pytest.mark.parametrize(("changes", "text"), BROKEN, ids=[str(each[0]) for each in BROKEN])
def test_a_known_rule_that_is_broken_is_named_before_a_token_is_spent(changes: dict[str, Any], text: str) -> None:
    """Of one order, of an item of a batch: no request, no token, no handle."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.symbols(BTC)
        before, tokens = exchange.truth.count(), limits.taken
        order: dict[str, Any] = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000", **changes}
        with pytest.raises(UsageError, match=text) as caught:
            _ = await client.place_order(BTC, **order)
        assert BTC in str(caught.value)
        with pytest.raises(UsageError, match=f"item 0: .*{text}"):
            _ = await client.batch_orders([order], BTC)
        assert (exchange.truth.count(), limits.taken, client.pending) == (before, tokens, ())

    with_exchange(main, options={"limits": limits})


@pytest.mark.parametrize("changes", [{"price": "50000.001"}, {"size": "0.0000001"}])
def test_a_replacement_is_held_to_the_rules_too(changes: dict[str, Any]) -> None:
    """Alone and in a batch."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.symbols(BTC)
        before, tokens = exchange.truth.count(), limits.taken
        change: dict[str, Any] = {"order_id": "7", "price": "50000", "size": "0.01", **changes}
        with pytest.raises(UsageError, match="multiple"):
            _ = await client.cancel_replace_order(BTC, **change)
        with pytest.raises(UsageError, match=r"item 0: .*multiple"):
            _ = await client.batch_cancel_replace_orders([change | {"symbol": BTC}])
        assert (exchange.truth.count(), limits.taken) == (before, tokens)

    with_exchange(main, options={"limits": limits})


@pytest.mark.parametrize("why", ["not known", "not checked"])
def test_the_exchange_decides_where_rules_are_not_known_or_not_wanted(why: str) -> None:
    """What it takes is taken, whatever it told before; and its own refusal is raised."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if why == "not checked":
            await client.market.symbols(BTC)
            exchange.settings.minimum_usdt = Decimal("0.1")
            with pytest.raises(UsageError, match="min_trade_usdt"):
                _ = await client.place_order(BTC, "buy", "limit", "0.00001", price="50000")
        exchange.settings.minimum_usdt = Decimal("0.1")
        check = why == "not known"
        pending = await client.place_order(BTC, "buy", "limit", "0.00001", price="50000", check=check)
        assert pending.acknowledged
        with pytest.raises(Refused):
            _ = await client.place_order(BTC, "buy", "limit", "0.000001", price="50000", check=check)
        assert exchange.truth.count(PLACE) == 2

    with_exchange(main)


def test_amounts_go_out_with_no_more_decimals_than_the_grid_has() -> None:
    """The exchange counts the decimals that are written: zeros at the end are no offence."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.symbols(BTC)
        await (await client.place_order(BTC, "buy", "limit", Decimal("0.01000000"), price="50000.10000"))
        await (await client.place_order(BTC, "buy", "market", quote_size="25.0000000000"))
        first, second = bodies(exchange)
        assert (Decimal(first["size"]), Decimal(first["price"])) == (Decimal("0.01"), Decimal("50000.1"))
        for text, digits in ((first["size"], 6), (first["price"], 2), (second["size"], 8)):
            assert len(text.partition(".")[2]) <= digits

    with_exchange(main)


# -- the body ----------------------------------------------------------------------------------------------------


def test_an_order_goes_out_as_it_was_asked_for() -> None:
    """Every parameter under the exchange's name; a limit order says its force."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        handle = await client.place_order(
            BTC,
            Side.SELL,
            OrderType.LIMIT,
            "0.01",
            price="200000",
            force="post_only",
            client_oid="mine",
            stp_mode="cancel_maker",
            preset_take_profit_price="150000",
            execute_take_profit_price="",
            preset_stop_loss_price="250000",
            execute_stop_loss_price="260000",
            receive_window_ms=2_000,
        )
        assert handle.acknowledged
        (sent,) = bodies(exchange)
        stamp = sent.pop("requestTime")
        assert stamp == str(exchange.truth.copies(PLACE)[0].timestamp_ms)
        assert sent == {
            "symbol": BTC,
            "side": "sell",
            "orderType": "limit",
            "force": "post_only",
            "price": "200000",
            "size": "0.01",
            "clientOid": "mine",
            "stpMode": "cancel_maker",
            "presetTakeProfitPrice": "150000",
            "executeTakeProfitPrice": "",
            "presetStopLossPrice": "250000",
            "executeStopLossPrice": "260000",
            "receiveWindow": "2000",
        }
        await handle
        _ = await client.place_order(BTC, "buy", "limit", "0.01", price="50000")
        _ = await client.place_order(BTC, "sell", "market", "0.01")
        limit, market = bodies(exchange)[1:]
        assert limit["force"] == "gtc"
        assert not {"force", "price"} & set(market)

    with_exchange(main)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"receive_window_ms": 0}, "receive_window"),
        ({"receive_window_ms": 60_000}, "receive_window"),
        ({"receive_window_ms": "5000"}, "receive_window"),
        ({"confirm_within_s": 0}, "confirm_within_s"),
        ({"side": "BUY"}, "side"),
        ({"order_type": "stop"}, "order_type"),
        ({"force": "GTC"}, "force"),
        ({"client_oid": "a" * 65}, "client_oid"),
        ({"price": None}, "price"),
        ({"tpsl_type": "tpsl"}, "trigger_price"),
        ({"trigger_price": "50000"}, "trigger_price"),
        ({"order_type": OrderType.MARKET, "side": Side.SELL}, "price"),
    ],
)
def test_parameters_that_cannot_be_meant_make_no_request(changes: dict[str, Any], text: str) -> None:
    """Neither a token nor a handle."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        order: dict[str, Any] = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000", **changes}
        with pytest.raises(UsageError, match=text):
            _ = await client.place_order(BTC, **order)
        assert (exchange.truth.count(), client.pending) == (0, ())

    with_exchange(main)


@pytest.mark.parametrize(
    "names", [{}, {"order_id": "1", "client_oid": "a"}, {"order_id": "x"}, {"client_oid": "a", "tpsl_type": "tpsl"}]
)
def test_an_order_is_cancelled_by_one_name(names: dict[str, Any]) -> None:
    """None, both, or one that cannot be one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError):
            _ = await client.cancel_order(BTC, **names)
        assert exchange.truth.count() == 0

    with_exchange(main)


# -- requestTime and receiveWindow -------------------------------------------------------------------------------


def test_request_time_is_taken_at_the_signing_and_not_when_the_call_was_made() -> None:
    """Twelve seconds in the queue for a token: with the time of the call it would be refused."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        exchange.faults.add(PLACE, faults.hang(executed=False), times=10)
        lost = [
            asyncio.ensure_future(client.place_order(BTC, "buy", "limit", "0.01", price="50000")) for _ in range(10)
        ]
        await asyncio.sleep(0.01)
        began_ms = exchange.server_ms
        handle = await client.place_order(BTC, "buy", "limit", "0.01", price="50000")
        assert handle.acknowledged
        copy = exchange.truth.copies(PLACE)[-1]
        sent = json.loads(copy.body)
        assert int(sent["requestTime"]) == copy.timestamp_ms
        assert int(sent["requestTime"]) - began_ms > 9_000
        assert copy.result == "00000"
        await asyncio.gather(*lost)

    with_exchange(main)


def test_a_copy_that_goes_again_is_dated_again() -> None:
    """After "too many requests" its window begins anew; the body that was signed is the body that was sent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        exchange.faults.add(PLACE, faults.envelope("429", status=429), times=2)
        _ = await client.place_order(BTC, "buy", "limit", "0.01", price="50000", receive_window_ms=1_000)
        copies = exchange.truth.copies(PLACE)
        assert [copy.code for copy in copies] == ["429", "429", "00000"]
        stamps = [int(json.loads(copy.body)["requestTime"]) for copy in copies]
        assert stamps == [copy.timestamp_ms for copy in copies]
        assert stamps[0] < stamps[1] < stamps[2]

    with_exchange(main)


@pytest.mark.parametrize(("offset_ms", "first"), [(-20_000, ["00000"]), (20_000, ["40078", "00000"])])
def test_an_order_that_was_too_old_because_our_clock_was_wrong_goes_once_more(offset_ms: int, first: list[str]) -> None:
    """
    20 s behind passes the timestamp's 30 s and fails the window of 5 s: set by the answer, it goes again, once. Ahead
    of the exchange's clock nothing is too old.
    """

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        codes = []
        for _ in range(2):
            handle = await client.place_order(BTC, "buy", "limit", "0.01", price="50000")
            codes.append([copy.result for copy in exchange.truth.copies(PLACE)])
        assert handle.acknowledged
        assert len(exchange.truth.placements) == 2
        assert codes == [first, [*first, "00000"]]

    with_exchange(main, clock_offset_ms=offset_ms)


def test_an_order_that_was_too_old_with_a_right_clock_is_refused() -> None:
    """It was slow on its way: the window did what it is for. One copy, and the caller decides."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        exchange.faults.add(PLACE, faults.delayed(before_s=6.0), times=None)
        with pytest.raises(Refused) as caught:
            _ = await client.place_order(BTC, "buy", "limit", "0.01", price="50000")
        assert caught.value.code == "40078"
        assert exchange.truth.count(PLACE) == 1
        assert (client.pending, exchange.truth.placements) == ((), [])

    with_exchange(main)


def test_an_order_that_stays_too_old_goes_no_third_time() -> None:
    """Our clock was wrong and the way is slow: one repeat, then the refusal."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(PLACE, faults.delayed(before_s=6.0), times=None)
        with pytest.raises(Refused) as caught:
            # The answer tells the clock to 3 s each way only.
            _ = await client.place_order(BTC, "buy", "limit", "0.01", price="50000", receive_window_ms=1_000)
        assert caught.value.code == "40078"
        assert exchange.truth.count(PLACE) == 2

    with_exchange(main, clock_offset_ms=20_000)


def test_a_call_of_the_row_may_bring_its_own_request_time() -> None:
    """What the caller gave is sent as it is."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        given: dict[str, Any] = {"symbol": BTC, "side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
        now_ms = exchange.server_ms
        await client.call(PLACE_ORDER, **given, request_time=now_ms - 7, receive_window=5_000)
        await client.call(PLACE_ORDER, **given, receive_window=5_000)
        await client.call(PLACE_ORDER, **given)
        first, second, third = bodies(exchange)
        assert first["requestTime"] == str(now_ms - 7)
        assert abs(int(second["requestTime"]) - now_ms) < 1_000
        assert not {"requestTime", "receiveWindow"} & set(third)

    with_exchange(main)


# -- tpsl orders -------------------------------------------------------------------------------------------------


async def tpsl(client: BitgetClient, **more: Any) -> Any:
    """A stand-alone stop order."""
    return await client.place_order(
        BTC, "buy", "limit", "0.01", price="50000", tpsl_type="tpsl", trigger_price="50000", **more
    )


def test_a_tpsl_order_has_no_client_id_and_its_own_lists() -> None:
    """The exchange ignores one; the reads that prove it are of the tpsl lists. Cancelled by its order id."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await tpsl(client, client_oid="ignored")
        assert pending.client_oid == ""
        (sent,) = bodies(exchange)
        assert "clientOid" not in sent
        report = await pending
        assert (report.placement.order_id, report.placement.source) == (pending.order_id, "unfilled-orders")
        assert "orderInfo" not in report.requests
        assert exchange.truth.open_ids(exchange.account.uid, BTC, tpsl=True) == (pending.order_id,)
        cancelling = await client.cancel_order(BTC, order_id=pending.order_id, tpsl_type="tpsl")
        assert (await cancelling).orders[0].fate is Fate.CANCELLED
        assert all("tpslType=tpsl" in copy.query for copy in exchange.truth.copies("unfilled-orders"))
        assert all("tpslType=tpsl" in copy.query for copy in exchange.truth.copies("history-orders"))

    with_exchange(main)


@pytest.mark.parametrize("executed", [True, False])
def test_a_tpsl_order_whose_answer_is_lost_is_unknown_at_once(executed: bool) -> None:
    """It has no name by which to find it: no read could tell, and none is made."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(PLACE, faults.drop(executed=executed))
        began = now_s()
        pending = await tpsl(client)
        report = await pending.settled()
        assert now_s() - began <= 0.2
        assert (report.outcome, report.reason) == (PlacementOutcome.UNKNOWN, "not_found")
        with pytest.raises(PlacementUnconfirmed, match="not_found"):
            await pending
        assert exchange.truth.count() == 1

    with_exchange(main)


# -- waiting and cancelling --------------------------------------------------------------------------------------


def test_the_longest_wait_for_a_token_holds_for_every_verb() -> None:
    """Nothing was sent: `NotSent`, with the wait to expect."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for number in range(10):
            _ = await client.cancel_order(BTC, order_id=str(number + 1))
        with pytest.raises(NotSent) as caught:
            _ = await client.cancel_order(BTC, order_id="11", max_wait_s=0)
        assert caught.value.reason == "rate_limit"
        assert 0 < (caught.value.expected_wait_s or 0) <= 1.1

    with_exchange(main)


def test_a_cancel_by_id_ends_with_the_order_however_it_ended() -> None:
    """Cancelled with its part-fill, filled before the cancel, and by either name."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        first, second = exchange.rest(BTC, 2, age_s=60, client_oid="named")
        exchange.fill(first, Decimal("0.0004"))
        cancelling = await client.cancel_order(BTC, client_oid="named")
        began = now_s()
        cleared_ms = await cancelling.cleared()
        report = await cancelling
        assert now_s() - began <= 1.0
        (fate,) = report.cancelled
        assert (fate.order.order_id, fate.order.base_volume) == (first, Decimal("0.0004"))
        assert report.cleared_at_ms == cleared_ms
        exchange.schedule_fill(second, 0.01)
        report = await (await client.cancel_order(BTC, order_id=second))
        assert (report.outcome, report.filled[0].order.order_id) == (Outcome.CONFIRMED, second)

    with_exchange(main)
