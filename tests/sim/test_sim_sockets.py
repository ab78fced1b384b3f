"""The talk on a socket of the simulated exchange: login, subscriptions, limits, goodbyes."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange
from bitget_async.sim.sockets.talk import PRIVATE_PATH, PUBLIC_PATH
from tests.sim.chatting import STEADY, Door, login_frame, topic, with_door


def test_a_ping_is_answered_before_any_login():
    """The first thing that other clients send."""

    async def main(door: Door) -> None:
        for path in (PUBLIC_PATH, PRIVATE_PATH):
            chat = await door.open(path)
            assert await chat.ask("ping") == "pong"

    with_door(main)


@pytest.mark.parametrize("key_name", ["apiKey", "api_key"])
@pytest.mark.parametrize("unit", [1000, 1])
@pytest.mark.parametrize("kind", [str, int])
def test_a_login_takes_either_name_unit_and_type(key_name: str, unit: int, kind: type):
    """Clients in use differ in all three, and are served."""

    async def main(door: Door) -> None:
        chat = await door.open()
        stamp = kind(door.exchange.server_ms // unit)
        answer = await chat.ask(login_frame(door.exchange.credentials(), stamp, key_name=key_name))
        assert answer == {"event": "login", "code": 0, "connId": answer["connId"]}
        assert len(answer["connId"]) == 32
        (record,) = door.exchange.sockets.records
        assert (record.logged_in, record.uid) == (True, door.exchange.account.uid)

    with_door(main)


def test_a_login_is_good_for_thirty_seconds():
    """Older and younger than that it is refused, at the very bound it is taken."""

    async def main(door: Door) -> None:
        for off_ms, event in ((-30_000, "login"), (30_000, "login"), (-30_001, "error"), (30_001, "error")):
            chat = await door.open()
            frame = login_frame(door.exchange.credentials(), str(door.exchange.server_ms + off_ms))
            assert (await chat.ask(frame))["event"] == event

    with_door(main)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"apiKey": "bg_nobody"}, 30011),
        ({"apiKey": 7}, 30011),
        ({"passphrase": "wrong"}, 30012),
        ({"passphrase": None}, 30012),
        ({"timestamp": "soon"}, 30013),
        ({"timestamp": 1.75e9}, 30013),
        ({"timestamp": True}, 30013),
        ({"timestamp": "1700000000"}, 30014),
        ({"sign": "c2lnbg=="}, 30015),
        ({"sign": None}, 30015),
    ],
)
def test_a_refused_login_tells_a_number_and_hangs_up(changed: dict[str, Any], code: int):
    """One code for each thing that can be wrong, never a text; then the server disconnects."""

    async def main(door: Door) -> None:
        chat = await door.open()
        answer = await chat.ask(login_frame(door.exchange.credentials(), str(door.exchange.server_ms), **changed))
        assert (answer["event"], answer["code"], type(answer["code"])) == ("error", code, int)
        assert answer["msg"]
        assert await chat.next() == 1008
        (record,) = door.exchange.sockets.records
        assert (record.logged_in, record.uid, record.close_code, record.errors) == (False, "", 1008, [code])

    with_door(main)


def test_a_login_without_fields_fails():
    """30005 is what is left when nothing can be checked."""

    async def main(door: Door) -> None:
        chat = await door.open()
        assert (await chat.ask({"op": "login", "args": ["me"]}))["code"] == 30005
        assert await chat.next() == 1008

    with_door(main)


def test_every_login_can_be_refused_with_any_code():
    """A setting, for tests of the client's own answer to it."""

    async def main(door: Door) -> None:
        chat = await door.open()
        assert (await chat.log_in())["code"] == 30005
        assert await chat.next() == 1008

    with_door(main, login_refusal="30005")


def test_a_unified_account_cannot_log_in():
    """Its socket is another one."""

    async def main(door: Door) -> None:
        account = door.exchange.add_account(mode="unified")
        chat = await door.open()
        assert (await chat.log_in(door.exchange.credentials(account)))["code"] == 40085
        assert await chat.next() == 1008

    with_door(main)


def test_a_second_login_must_be_of_the_same_account():
    """A connection that listens for one account never speaks of another."""

    async def main(door: Door) -> None:
        other = door.exchange.credentials(door.exchange.add_account())
        chat = await door.member(topic("orders"))
        assert (await chat.log_in(door.exchange.add_key()))["event"] == "login"
        assert (await chat.log_in(other))["code"] == 30005
        assert await chat.next() == 1008

    with_door(main)


def test_rsa_keys_log_in():
    """The same message, signed the other way."""
    private = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    async def main(door: Door) -> None:
        key = door.exchange.add_key(rsa_public_key=private.public_key().public_bytes(*form).decode())
        stamp = str(door.exchange.server_ms)
        signature = private.sign(f"{stamp}GET/user/verify".encode(), padding.PKCS1v15(), hashes.SHA256())
        good = login_frame(key, stamp, sign=base64.b64encode(signature).decode())
        assert (await (await door.open()).ask(good))["event"] == "login"
        assert (await (await door.open()).ask(login_frame(key, stamp)))["code"] == 30015

    with_door(main)


def test_each_argument_is_acknowledged_by_itself_in_camel_case():
    """One acknowledgement an argument, however the argument was spelt."""

    async def main(door: Door) -> None:
        chat = await door.member()
        snake = {"inst_type": "SPOT", "channel": "orders", "inst_id": "ETHUSDT"}
        answers = await chat.listen(topic("orders"), snake, topic("fill", "BTCUSDT"))
        assert answers == [
            {"event": "subscribe", "arg": arg}
            for arg in (topic("orders"), topic("orders", "ETHUSDT"), topic("fill", "BTCUSDT"))
        ]
        assert door.exchange.sockets.records[0].subscribes == 1

    with_door(main)


def test_unsubscribing_is_answered_and_ends_the_pushes():
    """Also where nothing was subscribed."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        for _ in range(2):
            answer = await chat.ask({"op": "unsubscribe", "args": [topic("orders")]})
            assert answer == {"event": "unsubscribe", "arg": topic("orders")}
        door.exchange.rest()
        assert await chat.rest(5.0) == []
        assert door.exchange.sockets.topics == []

    with_door(main)


@pytest.mark.parametrize("path", [PUBLIC_PATH, PRIVATE_PATH])
@pytest.mark.parametrize("channel", ["orders", "fill", "account", "orders-algo"])
def test_private_channels_need_a_login(path: str, channel: str):
    """30004 with the argument, and the connection stays."""

    async def main(door: Door) -> None:
        chat = await door.open(path)
        (answer,) = await chat.listen(topic(channel))
        assert answer == {"event": "error", "code": 30004, "msg": "User needs to log in", "arg": topic(channel)}
        assert await chat.ask("ping") == "pong"

    with_door(main)


def test_what_does_not_exist_is_refused_by_name():
    """As recorded: code 30001 and a text that tells what was asked for; the others of the message are served."""

    async def main(door: Door) -> None:
        chat = await door.member()
        wrong = [
            topic("order"),
            topic("orders", "NOPEUSDT"),
            topic("account", "BTC"),
            {**topic("orders"), "instType": "sp"},
            {"instType": "SPOT", "channel": "orders", "coin": "default"},
            topic("ticker", "BTCUSDT"),
        ]
        answers = await chat.listen(*wrong, topic("orders"))
        assert [answer["code"] for answer in answers[:-1]] == [30001] * len(wrong)
        assert [answer["arg"] for answer in answers[:-1]] == wrong
        assert answers[3]["msg"] == "instType:sp,channel:orders,instId:default doesn't exist"
        assert answers[-1]["event"] == "subscribe"

    with_door(main)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 30002),
        ("[]", 30002),
        ("pong", 30002),
        ('{"op":"jump","args":[{}]}', 30003),
        ('{"args":[{}]}', 30003),
        ('{"op":["subscribe"],"args":[{}]}', 30003),
        ('{"op":"subscribe"}', 30016),
        ('{"op":"subscribe","args":[]}', 30016),
        ('{"op":"subscribe","args":["ticker"]}', 30016),
        ('{"op":"subscribe","args":[{"channel":"ticker"}]}', 30016),
        ('{"op":"unsubscribe","args":[7]}', 30016),
        ('{"op":"subscribe","args":[{}]}' + " " * 4096, 30002),
        (b"ping", 30002),
    ],
)
def test_an_improper_message_gets_its_code_and_the_talk_goes_on(message: str | bytes, code: int):
    """No JSON, no known op, no arguments, too long, not a text."""

    async def main(door: Door) -> None:
        chat = await door.open(PUBLIC_PATH)
        if isinstance(message, bytes):
            await chat.socket.send_bytes(message)
        else:
            await chat.say(message)
        answer = await chat.next()
        assert (answer["event"], answer["code"]) == ("error", code)
        assert await chat.ask("ping") == "pong"

    with_door(main)


def test_a_message_of_4096_bytes_is_taken():
    """The limit itself is within it, and it counts bytes, not characters."""

    async def main(door: Door) -> None:
        chat = await door.open(PUBLIC_PATH)
        frame = '{"op":"subscribe","args":[{"instType":"SPOT","channel":"ticker","instId":"BTCUSDT"}]}'
        assert (await chat.ask(frame.ljust(4096)))["event"] == "subscribe"
        await chat.next()
        assert (await chat.ask(frame.replace("BTCUSDT", "\u20ac").ljust(4094)))["code"] == 30001
        assert (await chat.ask(frame.replace("BTCUSDT", "\u20ac").ljust(4095)))["code"] == 30002

    with_door(main)


def test_ten_messages_a_second_are_served_and_the_eleventh_ends_it():
    """Pings are counted; the window slides."""

    async def main(door: Door) -> None:
        chat = await door.open()
        for _ in range(3):
            for _ in range(10):
                assert await chat.ask("ping") == "pong"
            await asyncio.sleep(1.0)
        assert door.exchange.sockets.records[0].worst_second == 10
        for _ in range(5):
            assert await chat.ask("ping") == "pong"
        await asyncio.sleep(0.9)
        for _ in range(6):
            await chat.say("ping")
        *pongs, error, goodbye = await chat.hear(7)
        assert (pongs, error["code"], goodbye) == (["pong"] * 5, 30007, 1008)
        record = door.exchange.sockets.records[0]
        assert (record.messages, record.worst_second, record.pings) == (41, 11, 40)

    with_door(main)


def test_240_subscriptions_an_hour():
    """Messages count, not arguments; an hour later there is room again."""

    async def main(door: Door) -> None:
        chat = await door.member()
        for _ in range(240):
            assert (await chat.listen(topic("orders")))[0]["event"] == "subscribe"
            await asyncio.sleep(0.2)
            if door.exchange.sockets.records[0].subscribes % 100 == 0:
                assert await chat.ask("ping") == "pong"
        assert (await chat.listen(topic("orders")))[0]["code"] == 30006
        for _ in range(36):
            await asyncio.sleep(100)
            assert await chat.ask("ping") == "pong"
        assert (await chat.listen(topic("orders")))[0]["event"] == "subscribe"

    with_door(main)


def test_silence_of_two_minutes_is_the_end():
    """Only a ping keeps a connection: not what is subscribed, not what is pushed."""

    async def main(door: Door) -> None:
        loop = asyncio.get_running_loop()
        chat = await door.open()
        await asyncio.sleep(100)
        assert await chat.ask("ping") == "pong"
        pinged_s = loop.time()
        assert (await chat.log_in())["event"] == "login"
        assert (await chat.listen(topic("orders")))[0]["event"] == "subscribe"
        await asyncio.sleep(110)
        door.exchange.rest()
        assert (await chat.next())["data"][0]["status"] == "live"
        assert await chat.next() == 1001
        assert loop.time() - pinged_s == pytest.approx(120, abs=0.01)

    with_door(main)


def test_a_connection_lives_a_day():
    """However often it pings."""

    async def main(door: Door) -> None:
        chat = await door.open()
        for _ in range(9):
            await asyncio.sleep(100)
            assert await chat.ask("ping") == "pong"
        await asyncio.sleep(99)
        assert door.exchange.sockets.open == 1
        assert await chat.next() == 1001
        assert asyncio.get_running_loop().time() == pytest.approx(1000, abs=1)
        await asyncio.sleep(0.1)
        assert door.exchange.sockets.open == 0

    with_door(main, socket_life_s=1000.0)


def test_an_address_opens_so_many_connections():
    """A hundred at a time and 300 in five minutes, as documented; the rest is turned away with 429."""

    async def main(door: Door) -> None:
        for _ in range(2):
            await door.open()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await door.open()
        assert refused.value.status == 429
        door.exchange.sockets.cut()
        await asyncio.sleep(1)
        await door.open()
        door.exchange.sockets.cut()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await door.open()
        await asyncio.sleep(300)
        await door.open()
        assert len(door.exchange.sockets.records) == 4

    with_door(main, sockets_open=2, sockets_opened=3)


def test_the_client_may_say_goodbye():
    """Its code is in the record, and the exchange is quiet afterwards."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        await chat.socket.close(code=4000)
        await asyncio.sleep(0.1)
        (record,) = door.exchange.sockets.records
        assert (record.close_code, door.exchange.sockets.open) == (4000, 0)
        assert record.closed_ns is not None
        door.exchange.rest()
        assert record.pushes_sent == 0

    with_door(main)


def test_closing_the_exchange_says_goodbye_to_everybody():
    """No client is left to wait."""

    async def main(door: Door) -> None:
        chats = [await door.open(path) for path in (PUBLIC_PATH, PRIVATE_PATH)]
        await door.exchange.close()
        assert [await chat.next() for chat in chats] == [1001, 1001]
        assert door.exchange.sockets.open == 0

    with_door(main)


def test_a_protocol_ping_is_answered_and_counts_as_no_ping():
    """Some clients have heartbeats of their own; the exchange wants its text."""

    async def main(door: Door) -> None:
        chat = await door.open(heartbeat=20.0)
        assert await chat.next() == 1001
        assert asyncio.get_running_loop().time() == pytest.approx(120, abs=1)
        assert door.exchange.sockets.records[0].messages == 0

    with_door(main)


def test_without_an_upgrade_the_path_is_unknown():
    """A plain GET, and the paths of the unified account's sockets."""

    async def main(door: Door) -> None:
        for path in (PRIVATE_PATH, "/v3/ws/private"):
            async with door.session.get(door.exchange.base_url + path) as response:
                assert (response.status, (await response.json())["code"]) == (404, "40404")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await door.open("/v3/ws/private")

    with_door(main)


async def test_it_works_on_real_sockets_too():
    """The pump's timer against the machine's clock; a push leaves although nobody asks anything."""
    async with SimulatedExchange(3) as exchange, aiohttp.ClientSession() as session:
        for name, value in STEADY.items():
            setattr(exchange.settings, name, value)
        door = Door(exchange, session)
        chat = await door.member(topic("orders"))
        exchange.schedule_order("BTCUSDT", 0.02, order_id="77")
        assert (await chat.next())["data"][0]["orderId"] == "77"
        await door.close()


def test_nothing_runs_when_nothing_is_to_come():
    """An idle hour with a connection is one look at its silence in two minutes, and none without one."""

    async def main(door: Door) -> None:
        looks = 0
        timeline = door.exchange.venue.timeline
        advance = timeline.advance

        def counted() -> int:
            nonlocal looks
            looks += 1
            return advance()

        chat = await door.open()
        assert await chat.ask("ping") == "pong"
        timeline.advance = counted  # type: ignore[method-assign]
        await asyncio.sleep(119)
        assert looks <= 1
        await chat.socket.close()
        await asyncio.sleep(1)
        looks = 0
        door.exchange.rest()
        await asyncio.sleep(3600)
        assert looks == 1

    with_door(main, socket_silence_s=1e6)


def test_virtual_clock_is_what_the_pump_follows():
    """A wall clock that steps moves no push."""

    async def main(door: Door) -> None:
        clock = door.exchange.venue.timeline._clock
        assert isinstance(clock, VirtualClock)
        chat = await door.member(topic("orders"))
        clock.step(3_600_000)
        started_s = asyncio.get_running_loop().time()
        door.exchange.rest()
        await chat.next()
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(0.01, abs=0.001)

    with_door(main)
