"""Commands that come over a socket of the simulated exchange: the same desk, limits and truth as by REST."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from bitget_async.sim import faults
from bitget_async.sim.sockets.talk import PUBLIC_PATH
from tests.sim.chatting import Door, topic, with_door

LIMIT = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "50000", "size": "0.001"}


def trade(channel: str, params: object, *, request_id: object = "r-1", **changed: object) -> dict[str, Any]:
    """An `op: trade` frame."""
    arg = {"id": request_id, "instType": "SPOT", "instId": "BTCUSDT", "channel": channel, "params": params}
    return {"op": "trade", "args": [arg | changed]}


def test_an_order_is_placed_and_cancelled():
    """The answers repeat the id and name the order; truth knows both commands as it knows those of REST."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        chat = await door.member()
        placed = await chat.ask(trade("place-order", LIMIT | {"clientOid": "mine"}))
        (order_id,) = exchange.truth.open_ids(exchange.account.uid)
        names = {"orderId": order_id, "clientOid": "mine"}
        arg = {"id": "r-1", "instType": "SPOT", "channel": "place-order", "instId": "BTCUSDT", "params": names}
        assert placed == {"event": "trade", "arg": [arg], "code": 0, "msg": "Success", "ts": placed["ts"]}
        assert int(placed["ts"]) == exchange.truth.orders[order_id].created_ms
        cancelled = await chat.ask(trade("cancel-order", {"clientOid": "mine"}, request_id="r-2"))
        assert cancelled["arg"] == [arg | {"id": "r-2", "channel": "cancel-order"}]
        assert (cancelled["event"], cancelled["code"]) == ("trade", 0)
        assert exchange.truth.open_ids(exchange.account.uid) == ()
        assert [run.order_ids for run in exchange.truth.cancels] == [(order_id,)]
        assert [made.order_id for made in exchange.truth.placements] == [order_id]
        for endpoint in ("place-order", "cancel-order"):
            (copy,) = exchange.truth.copies(endpoint)
            assert (copy.socket, copy.uid, copy.result, copy.code) == (True, exchange.account.uid, "00000", "00000")
            assert exchange.truth.worst_second(endpoint, exchange.account.uid) == 1
        assert exchange.truth.placements[0].copy == exchange.truth.copies("place-order")[0].index
        assert exchange.sockets.records[0].trades == 2

    with_door(main)


def test_the_push_of_a_command_comes_besides_its_answer():
    """Two frames on one connection, one from the desk and one from the venue."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        answer = await chat.ask(trade("place-order", LIMIT))
        push = await chat.next()
        assert push["data"][0]["orderId"] == answer["arg"][0]["params"]["orderId"]

    with_door(main)


@pytest.mark.parametrize(
    ("channel", "params", "code"),
    [
        ("place-order", LIMIT | {"price": "1000000"}, 43009),
        ("place-order", LIMIT | {"size": "0.0000001"}, 40808),
        ("place-order", LIMIT | {"size": "0.00001", "price": "50000"}, 45110),
        ("place-order", {"side": "buy"}, 40019),
        ("place-order", LIMIT | {"side": "sell", "size": "10000", "price": "110000"}, 45113),
        ("cancel-order", {}, 40913),
        ("cancel-order", {"orderId": "1"}, 43001),
    ],
)
def test_a_refusal_is_the_one_of_rest(channel: str, params: dict[str, str], code: int):
    """As `event: error` with the number, the id and what was asked for."""

    async def main(door: Door) -> None:
        chat = await door.member()
        answer = await chat.ask(trade(channel, params))
        assert (answer["event"], answer["code"], answer["arg"][0]["id"]) == ("error", code, "r-1")
        assert answer["arg"][0]["params"] == params
        assert answer["msg"]
        assert door.exchange.truth.copies(channel)[0].result == str(code)

    with_door(main)


def test_the_order_id_wins_over_the_client_oid():
    """As documented for cancel-order."""

    async def main(door: Door) -> None:
        chat = await door.member()
        first, second = door.exchange.rest(n=2, client_oid="mine")
        answer = await chat.ask(trade("cancel-order", {"orderId": second, "clientOid": "mine"}))
        assert answer["arg"][0]["params"]["orderId"] == second
        assert door.exchange.truth.open_ids(door.exchange.account.uid) == (first,)

    with_door(main)


@pytest.mark.parametrize(
    "frame",
    [
        trade("cancel-symbol-order", {}),
        trade("place-order", "buy"),
        trade("place-order", LIMIT, request_id=7),
        trade("place-order", LIMIT, request_id="x" * 41),
        trade("place-order", LIMIT, instType="USDT-FUTURES"),
        trade("place-order", LIMIT, instId=None),
        {"op": "trade", "args": trade("place-order", LIMIT)["args"] * 2},
        {"op": "trade", "args": ["place-order"]},
    ],
)
def test_what_is_no_command_reaches_no_desk(frame: dict[str, Any]):
    """30016, and the truth has never heard of it. There is no cancel-by-symbol on this socket."""

    async def main(door: Door) -> None:
        chat = await door.member()
        answer = await chat.ask(frame)
        assert (answer["event"], answer["code"]) == ("error", 30016)
        assert door.exchange.truth.count() == 0

    with_door(main)


def test_commands_need_a_login_on_the_private_socket():
    """30004 before it, and on the public socket always."""

    async def main(door: Door) -> None:
        private, public = await door.open(), await door.open(PUBLIC_PATH)
        assert (await public.log_in())["event"] == "login"
        for chat in (private, public):
            assert (await chat.ask(trade("place-order", LIMIT)))["code"] == 30004
        assert door.exchange.truth.count() == 0

    with_door(main)


def test_an_account_may_lack_the_permission():
    """Of this way of trading (a setting), or of trading at all (its key)."""

    async def main(door: Door) -> None:
        chat = await door.member()
        answer = await chat.ask(trade("place-order", LIMIT))
        assert (answer["event"], answer["code"], answer["arg"][0]["id"]) == ("error", 25620, "r-1")
        door.exchange.settings.socket_trading = True
        reader = await door.member(key=door.exchange.add_key(trade=False))
        assert (await reader.ask(trade("place-order", LIMIT)))["code"] == 40014
        assert door.exchange.truth.open_ids(door.exchange.account.uid) == ()

    with_door(main, socket_trading=False)


def test_sockets_and_rest_share_one_quota():
    """Two connections of one account: the eleventh placement within a second is refused with 429."""

    async def main(door: Door) -> None:
        first, second = await door.member(), await door.member()
        await asyncio.sleep(1)
        codes = []
        for number in range(11):
            answer = await (first, second)[number % 2].ask(trade("place-order", LIMIT))
            codes.append(answer["code"])
        assert codes == [0] * 10 + [429]
        assert door.exchange.truth.worst_second("place-order", door.exchange.account.uid) == 11

    with_door(main)


def test_faults_strike_commands_of_a_socket():
    """What changes execution and code counts; an answer that would not be sent is not sent."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        chat = await door.member()
        exchange.faults.add("place-order", faults.never_executed())
        assert (await chat.ask(trade("place-order", LIMIT)))["event"] == "trade"
        assert exchange.truth.open_ids(exchange.account.uid) == ()
        exchange.faults.add("place-order", faults.envelope("45113"))
        assert (await chat.ask(trade("place-order", LIMIT)))["code"] == 45113
        exchange.faults.add("place-order", faults.drop(executed=True))
        await chat.say(trade("place-order", LIMIT))
        assert await chat.rest(5) == []
        assert len(exchange.truth.open_ids(exchange.account.uid)) == 1
        told = [copy.fault for copy in exchange.truth.copies("place-order")]
        assert told == ["never executed", "envelope 45113", "drop"]
        exchange.faults.add("place-order", faults.truncated())
        await chat.say(trade("place-order", LIMIT))
        assert await chat.rest(5) == []

    with_door(main)


def test_a_lost_acknowledgement_is_an_order_all_the_same():
    """The case that a client must sort out."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        door.exchange.settings.ack_loss = 1.0
        await chat.say(trade("place-order", LIMIT | {"clientOid": "mine"}))
        (push,) = await chat.rest(5)
        assert (push["data"][0]["clientOid"], push["data"][0]["price"]) == ("mine", "50000")
        assert door.exchange.truth.orders[push["data"][0]["orderId"]].draft.price == Decimal(50000)

    with_door(main)


def test_a_command_that_is_on_its_way_when_the_client_goes_is_done():
    """Closing is no way to take it back; a subscription on its way is nobody's any more."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        chat = await door.member()
        await chat.say({"op": "subscribe", "args": [topic("orders")]})
        await chat.say(trade("place-order", LIMIT))
        await chat.socket.close()
        assert exchange.sockets.open == 0
        assert exchange.truth.open_ids(exchange.account.uid) == ()
        await asyncio.sleep(0.2)
        assert len(exchange.truth.open_ids(exchange.account.uid)) == 1
        assert exchange.sockets.topics == []
        second = await door.member()
        await second.say(trade("place-order", LIMIT))
        await asyncio.sleep(0.01)
        exchange.sockets.cut()
        await asyncio.sleep(0.2)
        assert len(exchange.truth.open_ids(exchange.account.uid)) == 1

    with_door(main, socket_latency_s=0.1)
