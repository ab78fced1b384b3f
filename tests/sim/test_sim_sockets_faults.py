"""What goes wrong on a socket of the simulated exchange, on command or by chance."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from bitget_async.sim.sockets.talk import PUBLIC_PATH
from tests.sim.chatting import Door, login_frame, topic, with_door


def ids(frames: list[Any]) -> list[str]:
    """The order id of each push."""
    return [frame["data"][0]["orderId"] for frame in frames]


def live(door: Door, count: int) -> list[str]:
    """So many new orders, one after the other."""
    return door.exchange.rest(n=count)


def test_pushes_are_lost_by_chance():
    """About as often as it says; those that come keep their order, and truth and records count both kinds."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        told, heard = live(door, 400), ids(await chat.rest(5))
        assert 150 < len(heard) < 250
        assert heard == [order_id for order_id in told if order_id in set(heard)]
        (record,) = door.exchange.sockets.records
        assert (record.pushes_sent, record.pushes_lost) == (len(heard), 400 - len(heard))
        assert door.exchange.truth.pushes == len(heard)

    with_door(main, push_loss=0.5)


def test_pushes_are_doubled_by_chance():
    """The same frame again, right behind."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        told = live(door, 5)
        assert ids(await chat.rest(5)) == [each for each in told for _ in range(2)]
        assert door.exchange.truth.pushes == 10

    with_door(main, push_doubling=1.0)


def test_pushes_change_places_by_chance():
    """Each with the next one; the last one waits a second for a next one and then comes."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        a, b, c, d, e = live(door, 5)
        assert ids(await chat.rest(0.9)) == [b, a, d, c]
        assert ids(await chat.rest(0.2)) == [e]

    with_door(main, push_disorder=1.0)


def test_without_disorder_one_connection_keeps_the_order_whatever_the_lag():
    """Late pushes hold up the ones behind them; answers do not wait for pushes."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        told = live(door, 200)
        assert await chat.ask("ping") == "pong"
        frames = await chat.rest(10)
        assert ids(frames) == told
        stamps = [frame["ts"] for frame in frames]
        assert stamps == sorted(stamps)

    with_door(main, push_lag_s=(0.1, 3.0))


def test_so_many_pushes_are_dropped_on_command():
    """The next ones, counted over all connections."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        door.exchange.sockets.drop_pushes(2)
        told = live(door, 5)
        assert ids(await chat.rest(5)) == told[2:]

    with_door(main)


def test_acknowledgements_may_never_come():
    """Of login, subscription and end of one; all three have taken effect."""

    async def main(door: Door) -> None:
        chat = await door.open()
        await chat.say(login_frame(door.exchange.credentials(), door.exchange.server_ms))
        await chat.say({"op": "subscribe", "args": [topic("orders")]})
        await asyncio.sleep(0.1)
        told = live(door, 1)
        (push,) = await chat.rest(5)
        assert ids([push]) == told
        await chat.say({"op": "unsubscribe", "args": [topic("orders")]})
        assert await chat.rest(5) == []
        assert door.exchange.sockets.topics == []
        assert (await chat.listen(topic("nope")))[0]["code"] == 30001

    with_door(main, ack_loss=1.0)


def test_acknowledgements_may_come_late():
    """In the order of the questions, and no push waits for them."""

    async def main(door: Door) -> None:
        chat = await door.open()
        started_s = asyncio.get_running_loop().time()
        await chat.say(login_frame(door.exchange.credentials(), door.exchange.server_ms))
        await chat.say({"op": "subscribe", "args": [topic("orders")]})
        await asyncio.sleep(0.1)
        told = live(door, 1)
        assert ids([await chat.next()]) == told
        assert [frame["event"] for frame in await chat.hear(2)] == ["login", "subscribe"]
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(3.0, abs=0.01)

    with_door(main, ack_lag_s=3.0)


def test_latency_counts_each_way_and_keeps_the_order():
    """A ping takes two of them; ten pings with a jitter come back as ten pongs before what was asked last."""

    async def main(door: Door) -> None:
        chat = await door.open()
        started_s = asyncio.get_running_loop().time()
        assert await chat.ask("ping") == "pong"
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(0.16, abs=0.001)
        door.exchange.settings.socket_latency_s = (0.01, 1.5)
        for _ in range(8):
            await chat.say("ping")
        await chat.say("last")
        *pongs, last = await chat.hear(9)
        assert (pongs, last["code"]) == (["pong"] * 8, 30002)

    with_door(main, socket_latency_s=0.08)


@pytest.mark.parametrize("mid_frame", [False, True])
def test_a_cut_comes_without_goodbye(mid_frame: bool):
    """Between two frames or inside one; what follows goes nowhere, and a new connection begins afresh."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        assert door.exchange.sockets.cut(mid_frame=mid_frame) == 1
        live(door, 1)
        assert await chat.next() == 1006
        (record,) = door.exchange.sockets.records
        assert (record.close_code, record.pushes_sent, door.exchange.sockets.open) == (None, 0, 0)
        assert record.closed_ns is not None
        again = await door.member(topic("orders"))
        assert ids([(await again.rest(1))[0]] if live(door, 1) else []) != []

    with_door(main)


def test_half_a_frame_really_comes():
    """The bytes of a frame that promises more: seen below the WebSocket layer of the client."""

    async def main(door: Door) -> None:
        host, port = door.exchange.base_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /v2/ws/public HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        door.exchange.sockets.cut(mid_frame=True)
        rest = await reader.read()
        assert rest[0] == 0x81
        assert 0 < len(rest) - 2 < rest[1]
        writer.close()
        await writer.wait_closed()

    with_door(main)


def test_a_cut_may_concern_one_kind_of_connection():
    """Private ones only, or public ones only."""

    async def main(door: Door) -> None:
        public, private = await door.open(PUBLIC_PATH), await door.open()
        assert door.exchange.sockets.cut(private=True) == 1
        assert await private.next() == 1006
        assert await public.ask("ping") == "pong"
        assert door.exchange.sockets.cut(private=False) == 1
        assert await public.next() == 1006

    with_door(main)


@pytest.mark.parametrize("keep", [False, True])
def test_a_stall_is_silence_on_an_open_connection(keep: bool):
    """No push, no pong, no goodbye; afterwards what was held comes, or is lost."""

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        door.exchange.sockets.stall(True)
        told = live(door, 2)
        await chat.say("ping")
        await chat.socket.ping()
        assert await chat.rest(500) == []
        assert door.exchange.sockets.open == 1
        door.exchange.sockets.stall(False, keep=keep)
        later = await chat.rest(1)
        if keep:
            assert (ids([each for each in later if each != "pong"]), later.count("pong")) == (told, 1)
        else:
            assert later == []

    with_door(main)


def test_a_stall_spares_newcomers_unless_told_otherwise():
    """A client that reconnects is served, or is met by the same silence until the stall ends."""

    async def main(door: Door) -> None:
        for newcomers, answer in ((False, ["pong"]), (True, [])):
            door.exchange.sockets.stall(True, newcomers=newcomers)
            chat = await door.open()
            await chat.say("ping")
            assert await chat.rest(1) == answer
        door.exchange.sockets.stall(False)
        assert await (await door.open()).ask("ping") == "pong"

    with_door(main)


def test_a_client_that_does_not_read_is_cut_and_nobody_waits_for_it():
    """Its buffer is bounded; others get every push on time."""

    async def main(door: Door) -> None:
        door.exchange.settings.socket_buffer_bytes = 20_000
        deaf, other = await door.member(topic("orders")), await door.member(topic("orders"))
        connection: Any = deaf.socket._response.connection
        connection.protocol.transport.pause_reading()
        heard: list[str] = []
        for _ in range(40):
            told = live(door, 10)
            frames = await other.rest(0.5)
            assert ids(frames) == told
            heard += ids(frames)
        first, second = door.exchange.sockets.records
        assert (second.pushes_sent, second.closed_ns) == (400, None)
        assert first.closed_ns is not None
        assert first.pushes_sent < 400
        assert door.exchange.sockets.open == 1

    with_door(main)


def test_one_seed_one_fate():
    """Which pushes are lost, doubled and swapped is decided by the seed, and by nothing that REST draws."""
    fates = []

    async def main(door: Door) -> None:
        chat = await door.member(topic("orders"))
        told = live(door, 60)
        fates.append([told.index(each) for each in ids(await chat.rest(10))])

    knobs: dict[str, Any] = {"push_loss": 0.2, "push_doubling": 0.2, "push_disorder": 0.2, "push_lag_s": (0.0, 0.1)}
    with_door(main, seed=7, **knobs)
    with_door(main, seed=7, **knobs)
    with_door(main, seed=8, **knobs)
    assert fates[0] == fates[1] != fates[2]


def test_listeners_change_nothing_else():
    """The same requests with and without somebody listening: the same ids, the same ends at the same times."""
    ends: list[list[tuple[object, ...]]] = []

    async def main(door: Door) -> None:
        chat = None if ends else await door.member(topic("orders"), topic("account"), topic("fill"))
        start_ns = door.exchange.venue.timeline.advance()
        for _ in range(3):
            told = door.exchange.rest(n=4)
            for number, order_id in enumerate(told):
                door.exchange.schedule_fill(order_id, 0.1 * number)
            await asyncio.sleep(1)
        orders = door.exchange.truth.orders.values()
        ends.append([(each.order_id, each.status, (each.final_ns or 0) - start_ns) for each in orders])
        if chat is not None:
            assert len(await chat.rest(1)) > 20

    with_door(main, push_lag_s=(0.0, 0.5))
    with_door(main, push_lag_s=(0.0, 0.5))
    assert ends[0] == ends[1]


def test_the_secrets_of_a_login_are_in_no_record():
    """What is remembered of a connection can be printed."""

    async def main(door: Door) -> None:
        await door.member()
        key = door.exchange.credentials()
        text = repr(door.exchange.sockets.records)
        assert door.exchange.account.uid in text
        assert not any(secret in text for secret in key)

    with_door(main)


def test_an_unfinished_handshake_is_no_connection():
    """Somebody who hangs up in the middle leaves nothing behind."""

    async def main(door: Door) -> None:
        host, port = door.exchange.base_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v2/ws/public HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert (door.exchange.sockets.open, door.exchange.sockets.records) == (0, [])
        async with door.session.get(door.exchange.base_url + "/api/v2/public/time") as response:
            assert response.status == 200

    with_door(main)


def test_a_message_beyond_all_measure_ends_the_connection():
    """Before it is read whole; the others go on."""

    async def main(door: Door) -> None:
        chat = await door.open(PUBLIC_PATH)
        await chat.say("x" * 70_000)
        assert await chat.next() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        await asyncio.sleep(1)
        assert door.exchange.sockets.open == 0

    with_door(main)
