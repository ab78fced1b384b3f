"""What the private channels of the simulated exchange tell, when, and to whom."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from bitget_async.sim import Account, SimulatedExchange
from bitget_async.sim.orders import Draft
from tests.sim.chatting import Chat, Door, topic, with_door

# The fields of the two recorded frames of a market buy, in their order.
RECORDED_FILL = [
    "instId",
    "orderId",
    "clientOid",
    "size",
    "newSize",
    "notional",
    "orderType",
    "force",
    "side",
    "fillPrice",
    "tradeId",
    "baseVolume",
    "fillTime",
    "fillFee",
    "fillFeeCoin",
    "tradeScope",
    "accBaseVolume",
    "priceAvg",
    "status",
    "cTime",
    "uTime",
    "feeDetail",
    "enterPointSource",
    "stpMode",
]
FILL_FIELDS = ["fillPrice", "tradeId", "baseVolume", "fillTime", "fillFee", "fillFeeCoin", "tradeScope"]
RECORDED = [name for name in RECORDED_FILL if name not in FILL_FIELDS]


async def row(chat: Chat) -> dict[str, Any]:
    """The only row of the next push, which must be a snapshot."""
    frame = await chat.next()
    assert list(frame) == ["action", "arg", "data", "ts"]
    assert frame["action"] == "snapshot"
    (told,) = frame["data"]
    return dict(told)


def place(exchange: SimulatedExchange, account: Account | None = None, **fields: Any) -> str:
    """An order of that account (else the default one) through the venue, matched."""
    usual: dict[str, Any] = {"symbol": "BTCUSDT", "order_type": "limit", "size": Decimal("0.002")}
    draft = Draft(**(usual | fields))
    now_ns = exchange.venue.timeline.advance()
    return exchange.venue.place(account or exchange.account, draft, now_ns).order_id


def test_orders_says_nothing_at_first_whatever_is_open():
    """There is no snapshot of open orders: only a listing knows them."""

    async def main(door: Door) -> None:
        door.exchange.rest(n=3)
        chat = await door.member(topic("orders"))
        assert await chat.rest(10.0) == []

    with_door(main)


def test_a_placed_and_cancelled_order_is_told_twice():
    """live, then cancelled, each once, with the ids, amounts and times of the truth."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders", "BTCUSDT"))
        (order_id,) = door.exchange.rest(price=Decimal("50000.5"), size=Decimal("0.002"), client_oid="mine")
        live = await row(chat)
        order = door.exchange.truth.orders[order_id]
        assert live == {
            "instId": "BTCUSDT",
            "orderId": order_id,
            "clientOid": "mine",
            "price": "50000.5",
            "size": "100.001",
            "newSize": "0.002",
            "notional": "100.001",
            "orderType": "limit",
            "force": "gtc",
            "side": "buy",
            "accBaseVolume": "0.000000",
            "priceAvg": "0.00",
            "status": "live",
            "cTime": str(order.created_ms),
            "uTime": str(order.created_ms),
            "feeDetail": [],
            "enterPointSource": "API",
            "stpMode": "none",
        }
        await asyncio.sleep(1)
        door.exchange.cancel(order_id)
        gone = await row(chat)
        assert gone == live | {"status": "cancelled", "uTime": str(order.final_ms)}
        assert order.final_ms == order.created_ms + 1010

    with_door(main)


def test_a_sell_counts_in_base_coin():
    """The old rule of `size`: a buy's is quote coin, a sell's base coin; `newSize` of both is what was asked for."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        door.exchange.rest(side="sell", price=Decimal(200000), size=Decimal("0.003"))
        told = await row(chat)
        assert (told["size"], told["newSize"], told["notional"]) == ("0.003", "0.003", "600")

    with_door(main)


def test_a_market_buy_is_told_as_recorded():
    """partially_filled with the trade, then filled without it, at one uTime; amounts stay the order's own."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders", "BTCUSDT"))
        order_id = place(door.exchange, side="buy", order_type="market", size=Decimal(100))
        live, part, whole = await row(chat), await row(chat), await row(chat)
        assert [list(live), list(part), list(whole)] == [RECORDED, RECORDED_FILL, RECORDED]
        assert [told["status"] for told in (live, part, whole)] == ["live", "partially_filled", "filled"]
        (fill,) = door.exchange.truth.fills
        assert part["tradeId"] == fill.trade_id
        assert (part["baseVolume"], part["fillPrice"], part["tradeScope"]) == ("0.000962", "103884.3", "T")
        assert (part["fillFeeCoin"], part["fillFee"]) == ("BTC", "-0.000000962")
        assert (whole["accBaseVolume"], whole["priceAvg"]) == ("0.000962", "103884.3")
        assert whole["feeDetail"] == part["feeDetail"] == [{"feeCoin": "BTC", "fee": "-0.000000962"}]
        for told in (live, part, whole):
            assert (told["size"], told["newSize"], told["notional"]) == ("100", "100", "100")
        assert part["uTime"] == whole["uTime"] == str(door.exchange.truth.orders[order_id].final_ms)

    with_door(main, standing_market=True)


def test_a_market_buy_that_spends_everything_is_told_in_the_same_two_steps():
    """Also where the engine's last trade is what filled it."""

    async def main(door: Door) -> None:
        door.exchange.set_price("BTCUSDT", Decimal(100000))
        chat = await door.member(topic("orders"))
        place(door.exchange, side="buy", order_type="market", size=Decimal(100))
        told = [await row(chat) for _ in range(3)]
        assert [each["status"] for each in told] == ["live", "partially_filled", "filled"]
        assert ["tradeId" in each for each in told] == [False, True, False]

    with_door(main, standing_market=True)


def test_a_limit_order_fills_in_parts():
    """Every part has its own amount and the sum so far; the last one is filled with its trade."""

    async def main(door: Door) -> None:
        (order_id,) = door.exchange.rest(side="sell", price=Decimal(104000), size=Decimal("0.003"))
        chat = await door.member(topic("orders"))
        door.exchange.fill(order_id, Decimal("0.001"))
        part = await row(chat)
        door.exchange.fill(order_id)
        whole = await row(chat)
        assert [part["status"], whole["status"]] == ["partially_filled", "filled"]
        assert [part["baseVolume"], whole["baseVolume"]] == ["0.001", "0.002"]
        assert [part["accBaseVolume"], whole["accBaseVolume"]] == ["0.001", "0.003"]
        assert [part["fillFee"], whole["fillFee"]] == ["-0.104", "-0.208"]
        assert whole["feeDetail"] == [{"feeCoin": "USDT", "fee": "-0.312"}]
        assert (whole["tradeScope"], whole["fillFeeCoin"]) == ("M", "USDT")

    with_door(main)


def test_what_the_engine_does_not_want_is_live_and_then_cancelled():
    """The sequence of post_only, ioc and fok."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        for force in ("post_only", "ioc", "fok"):
            price = Decimal(90000) if force != "post_only" else Decimal(110000)
            place(door.exchange, side="buy", price=price, force=force)
            told = [await row(chat) for _ in range(2)]
            assert [(each["status"], each["force"]) for each in told] == [("live", force), ("cancelled", force)]

    with_door(main, standing_market=True)


def test_both_sides_of_a_trade_are_told_each_to_its_account():
    """Maker and taker of different accounts hear of their own order and of nothing else."""

    async def main(door: Door) -> None:
        other = door.exchange.add_account()
        mine = await door.member(topic("orders"))
        theirs = await door.member(topic("orders"), key=door.exchange.credentials(other))
        place(door.exchange, side="sell", price=Decimal(100000))
        place(door.exchange, side="buy", price=Decimal(100000), account=other)
        for chat, side in ((mine, "sell"), (theirs, "buy")):
            rows = [frame["data"][0] for frame in await chat.rest(1)]
            assert [(each["side"], each["status"]) for each in rows] == [(side, "live"), (side, "filled")]

    with_door(main)


def test_a_topic_is_one_symbol_or_all():
    """Somebody who listens to both hears of an order twice, each push with its own argument."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders", "BTCUSDT"), topic("orders"))
        door.exchange.rest("ETHUSDT")
        door.exchange.rest("BTCUSDT")
        heard = [(frame["arg"]["instId"], frame["data"][0]["instId"]) for frame in await chat.rest(1)]
        assert heard == [("default", "ETHUSDT"), ("BTCUSDT", "BTCUSDT"), ("default", "BTCUSDT")]

    with_door(main)


def test_what_other_keys_and_past_orders_do():
    """Every key of the account hears; orders written into the past and take-profit orders are no news."""

    async def main(door: Door) -> None:
        first = await door.member(topic("orders"))
        second = await door.member(topic("orders"), key=door.exchange.add_key())
        door.exchange.record()
        door.exchange.rest(tpsl=True)
        (order_id,) = door.exchange.rest()
        assert [(await row(chat))["orderId"] for chat in (first, second)] == [order_id] * 2

    with_door(main)


def test_a_push_tells_when_it_left_and_comes_on_time():
    """`ts` is the exchange's clock at the leaving: the lag after the event, whatever the way to the client takes."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        before_s = asyncio.get_running_loop().time()
        (order_id,) = door.exchange.rest()
        frame = await chat.next()
        assert frame["ts"] == door.exchange.truth.orders[order_id].created_ms + 250
        assert asyncio.get_running_loop().time() - before_s == pytest.approx(0.32, abs=0.001)

    with_door(main, push_lag_s=0.25, socket_latency_s=0.07)


def test_what_the_engine_does_later_is_told_later_although_nobody_asks():
    """The pump: a sweep's execution reaches a client that only listens."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        door.exchange.schedule_order("BTCUSDT", 30.0, order_id="77")
        door.exchange.schedule_order("BTCUSDT", 20.0, order_id="66")
        before_s = asyncio.get_running_loop().time()
        assert [(await row(chat))["orderId"] for _ in range(2)] == ["66", "77"]
        assert asyncio.get_running_loop().time() - before_s == pytest.approx(30.01, abs=0.001)

    with_door(main)


def test_fills_are_told_as_documented():
    """A list of fees with a positive sum, where REST has an object with a negative one."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("fill", "BTCUSDT"))
        place(door.exchange, side="buy", order_type="market", size=Decimal(100))
        told = await row(chat)
        (fill,) = door.exchange.truth.fills
        assert told == {
            "orderId": fill.order.order_id,
            "tradeId": fill.trade_id,
            "symbol": "BTCUSDT",
            "orderType": "market",
            "side": "buy",
            "priceAvg": "103884.3",
            "size": "0.000962",
            "amount": "99.9366966",
            "tradeScope": "taker",
            "feeDetail": [{"feeCoin": "BTC", "deduction": "no", "totalDeductionFee": "0", "totalFee": "0.000000962"}],
            "cTime": str(fill.time_ms),
            "uTime": str(fill.time_ms),
        }
        place(door.exchange, symbol="ETHUSDT", side="buy", order_type="market", size=Decimal(100))
        assert await chat.rest(1) == []

    with_door(main, standing_market=True)


def test_account_begins_with_every_coin_and_goes_on_with_those_that_moved():
    """A trade moves two coins and makes one push; placing and cancelling make none."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        chat = await door.member(topic("account"))
        first = await chat.next()
        assert first["arg"] == topic("account")
        assert {each["coin"]: each["available"] for each in first["data"]} == {"USDT": "1000", "BTC": "0"}
        assert set(first["data"][0]) == {"coin", "available", "frozen", "locked", "limitAvailable", "uTime"}
        exchange.cancel(exchange.rest(price=Decimal(50000))[0])
        assert await chat.rest(1) == []
        (order_id,) = exchange.rest(price=Decimal(50000), size=Decimal("0.01"))
        exchange.fill(order_id, Decimal("0.002"))
        (frame,) = await chat.rest(1)
        told = {each["coin"]: (each["available"], each["frozen"]) for each in frame["data"]}
        assert told == {"BTC": ("0.001998", "0"), "USDT": ("500", "400")}
        exchange.funds.move(exchange.account, "deposit", "ETH", Decimal(2))
        assert [(each["coin"], each["available"]) for each in (await chat.next())["data"]] == [("ETH", "2")]

    async def with_balances(door: Door) -> None:
        account = door.exchange.account
        account.balances.clear()
        account.receive("USDT", Decimal(1000), 0)
        account.receive("BTC", Decimal(0), 0)
        await main(door)

    with_door(with_balances)


def test_balances_of_others_are_nobodys_business():
    """A sub-account's deposit is no push of the main account."""

    async def main(door: Door) -> None:
        other = door.exchange.add_account()
        chat = await door.member(topic("account"))
        await chat.next()
        door.exchange.funds.move(other, "deposit", "ETH", Decimal(2))
        assert await chat.rest(1) == []

    with_door(main)


def test_a_frame_may_be_as_long_as_it_must():
    """The three forms of a frame's length: a pong, a push, and an account of two thousand coins."""

    async def main(door: Door) -> None:
        for number in range(2000):
            door.exchange.account.receive(f"C{number}", Decimal(1), 0)
        chat = await door.member(topic("account"))
        frame = await chat.next()
        assert len(str(frame)) > 1 << 16
        assert [each["coin"] for each in frame["data"]][-2000:] == [f"C{number}" for number in range(2000)]
        assert await chat.ask("ping") == "pong"

    with_door(main)


def test_trigger_orders_are_told_from_live_to_their_end():
    """live, executing, executed; `price` is the trigger price and `executePrice` the limit; or cancelled."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        chat = await door.member(topic("orders-algo"), topic("orders"))
        (first,) = exchange.rest_trigger(trigger_price=Decimal(90000), execute_price=Decimal(89000), client_oid="mine")
        live = await row(chat)
        assert (live["orderId"], live["clientOid"], live["status"]) == (first, "mine", "live")
        assert (live["triggerPrice"], live["price"], live["executePrice"]) == ("90000", "90000", "89000")
        assert (live["size"], live["actualSize"], live["planType"]) == ("0.001", "0", "amount")
        assert (live["instId"], live["triggerType"], live["orderType"]) == ("BTCUSDT", "fill_price", "limit")
        exchange.fire(first)
        frames = await chat.rest(1)
        algo = [frame["data"][0] for frame in frames if frame["arg"]["channel"] == "orders-algo"]
        spot = [frame["data"][0] for frame in frames if frame["arg"]["channel"] == "orders"]
        assert [each["status"] for each in algo] == ["executing", "executed"]
        assert algo[-1]["actualSize"] == "0.001"
        assert [(each["status"], each["price"]) for each in spot] == [("live", "89000")]
        (second,) = exchange.rest_trigger()
        assert (await row(chat))["status"] == "live"
        assert exchange.triggers.cancel(exchange.truth.triggers[second], exchange.venue.timeline.advance())
        assert (await row(chat))["status"] == "cancelled"

    with_door(main)


def test_a_key_that_may_not_read_hears_nothing():
    """It can log in; the code is a guess."""

    async def main(door: Door) -> None:
        key = door.exchange.add_key(read=False)
        chat = await door.open()
        assert (await chat.log_in(key))["event"] == "login"
        assert (await chat.listen(topic("orders")))[0]["code"] == 40014

    with_door(main)


def test_the_last_listener_takes_the_channel_along():
    """Nothing is hooked into the venue when nobody listens, so nothing is paid for."""

    async def main(door: Door) -> None:
        venue = door.exchange.venue
        idle = (list(venue.order_hooks), list(venue.ledger.hooks), list(door.exchange.funds.hooks))
        first = await door.member(topic("orders"), topic("fill"), topic("account"))
        second = await door.member(topic("orders"))
        assert len(venue.order_hooks) == 1
        await first.socket.close()
        await asyncio.sleep(0.1)
        assert door.exchange.sockets.topics == [("orders", "default", "instId", "SPOT")]
        await second.socket.close()
        await asyncio.sleep(0.1)
        assert (list(venue.order_hooks), list(venue.ledger.hooks), list(door.exchange.funds.hooks)) == idle
        assert idle[0] == []

    with_door(main)
