"""The public channels through a socket: real frames, in virtual time."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bitget_async.sim.sockets.public import PUBLIC
from bitget_async.sim.sockets.talk import PUBLIC_PATH
from tests.sim.chatting import Chat, Door, topic, with_door
from tests.sim.listening import Copy

FRAMES = Path(__file__).parents[1] / "fixtures" / "ws"
MARKET: dict[str, Any] = {"standing_market": True, "socket_silence_s": 1e9, "socket_life_s": 1e9}


async def pushes(chat: Chat, seconds: float) -> list[Any]:
    """The pushes of that many seconds."""
    return [frame for frame in await chat.rest(seconds) if "action" in frame]


async def subscribed(door: Door, *topics: dict[str, str]) -> Chat:
    """A public connection that has asked for those topics."""
    chat = await door.open(PUBLIC_PATH)
    await chat.say({"op": "subscribe", "args": topics})
    return chat


@pytest.mark.parametrize(
    ("page", "channel", "name"),
    [("Tickers-Channel", "ticker", "ETHUSDT"), ("Depth-Channel", "books5", "BTCUSDT")],
)
def test_frames_have_the_shape_of_the_documents(page: str, channel: str, name: str):
    """Acknowledgement and push: the same keys and kinds of values as on the exchange's pages."""
    _, acknowledged, pushed = json.loads((FRAMES / f"websocket_public_{page}.json").read_text("utf-8"))["frames"]

    async def main(door: Door) -> None:
        chat = await subscribed(door, topic(channel, name))
        assert await chat.next() == acknowledged
        told = await chat.next()
        assert {**told, "data": None, "ts": None} == {**pushed, "data": None, "ts": None}
        (row,), (documented,) = told["data"], pushed["data"]
        assert {key: type(value) for key, value in row.items()} == {key: type(v) for key, v in documented.items()}
        assert type(told["ts"]) is type(pushed["ts"])

    with_door(main, **MARKET)


@pytest.mark.parametrize("channel", PUBLIC)
def test_every_channel_is_acknowledged_and_begins_with_a_snapshot(channel: str):
    """In that order, with the topic as it was asked for, and nothing more until something happens."""

    async def main(door: Door) -> None:
        arg = topic(channel, "BTCUSDT")
        chat = await subscribed(door, arg)
        assert await chat.next() == {"event": "subscribe", "arg": arg}
        push = await chat.next()
        assert (push["action"], push["arg"], bool(push["data"])) == ("snapshot", arg, True)
        assert 0 <= door.exchange.server_ms - push["ts"] < 50
        assert channel == "trade" or await chat.rest(0.5) == []

    with_door(main, **MARKET)


def test_books_of_two_listeners_stay_true():
    """One comes later, one goes: each book kept from its own frames passes every checksum and is the true one."""

    async def main(door: Door) -> None:
        exchange = door.exchange
        exchange.depths.stir("BTCUSDT", 100)
        copies: list[Copy] = []
        told = 0
        chats = []
        for _ in range(3):
            chat = await subscribed(door, topic("books", "BTCUSDT"))
            _, snapshot = await chat.hear(2)
            chats.append(chat)
            copies.append(Copy(snapshot["data"][0]))
            exchange.set_price("BTCUSDT", Decimal("103884.3") + len(chats))
            exchange.rest("BTCUSDT", price=Decimal("103884.2"))
            await asyncio.sleep(7.77)
        await chats[0].socket.close()
        exchange.depths.stir("BTCUSDT", 0)
        for chat, copy in list(zip(chats, copies, strict=True))[1:]:
            frames = await pushes(chat, 1)
            assert all(copy.take(row) for frame in frames for row in frame["data"])
            told += len(frames)
            assert copy.is_true(exchange)
        assert told > 60
        assert len(exchange.sockets.topics) == 1

    with_door(main, **MARKET)


def test_an_idle_hour_of_a_quiet_market_costs_nothing():
    """Books, tickers and candles of a month: not one frame, and the exchange looks at its timeline a few times."""

    async def main(door: Door) -> None:
        chat = await subscribed(
            door, *(topic(channel, "BTCUSDT") for channel in ("books", "books1", "ticker", "candle1M"))
        )
        await chat.hear(8)
        timeline, looks = door.exchange.venue.timeline, 0
        advance = timeline.advance

        def counted() -> int:
            nonlocal looks
            looks += 1
            return advance()

        timeline.advance = counted  # type: ignore[method-assign]
        assert await chat.rest(3600) == []
        assert looks < 5

    with_door(main, **MARKET)


def test_one_seed_tells_one_story():
    """Two runs of a stirred market with trades and spoilt books: the same frames at the same times."""

    def run() -> list[Any]:
        told: list[Any] = []

        async def main(door: Door) -> None:
            door.exchange.depths.stir("BTCUSDT", 50)
            channels = ("books", "books5", "ticker", "trade", "candle1m")
            chat = await subscribed(door, *(topic(channel, "BTCUSDT") for channel in channels))
            told.extend(await pushes(chat, 30))

        with_door(main, **MARKET, book_loss=0.1, book_wrong_checksum=0.1, push_lag_s=(0.005, 0.03))
        return told

    first = run()
    assert first == run()
    assert len(first) > 300


def test_a_wrong_interval_is_a_wrong_parameter():
    """30016 beside the topic, and the connection goes on."""

    async def main(door: Door) -> None:
        chat = await door.open(PUBLIC_PATH)
        answer = await chat.ask({"op": "subscribe", "args": [topic("candle2h", "BTCUSDT")]})
        assert (answer["event"], answer["code"], answer["arg"]) == ("error", 30016, topic("candle2h", "BTCUSDT"))
        assert (await chat.ask({"op": "subscribe", "args": [topic("candle1H", "BTCUSDT")]}))["event"] == "subscribe"

    with_door(main, **MARKET)
