"""What is told of connections of the stream, with real traffic against the simulator."""

from __future__ import annotations

import asyncio
from typing import Any

from bitget_async import BitgetClient, StreamChanged, StreamState
from bitget_async.sim import SimulatedExchange
from tests.events.telling_tales import in_short, story
from tests.heard import Heard

STREAMED: dict[str, Any] = {"options": {"stream": True}}
PRIVATE = "private stream 1"


async def live(client: BitgetClient) -> None:
    """Wait until all of it is."""
    assert await client.stream.wait_state(StreamState.LIVE) is StreamState.LIVE


async def silent(client: BitgetClient) -> None:
    """Wait until that is told."""
    async for event in client.events(StreamChanged):
        if isinstance(event, StreamChanged) and event.state == "silent":
            return


def lines(heard: Heard) -> list[str]:
    """What was told of streams."""
    return in_short(heard.of(StreamChanged))


def test_a_connection_is_told_from_its_opening_to_its_end() -> None:
    """Connected, live when every topic is acknowledged, closed with the client."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await live(client)
        (line,) = client.snapshot().streams
        assert (line.stream, line.state, line.topics, line.reconnects) == (PRIVATE, "live", 1, 0)
        assert client.snapshot().stream == "live"

    heard = story(main, **STREAMED)
    assert lines(heard) == [f"{PRIVATE} connected", f"{PRIVATE} live", f"{PRIVATE} closed (given up)"]
    assert [each.topics for each in heard.of(StreamChanged)] == [1, 1, 0]


def test_a_cut_line_is_lost_with_the_reason_and_connected_again() -> None:
    """The snapshot shows it stale meanwhile, and counts how often it came back."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await live(client)
        await asyncio.sleep(15)
        assert exchange.sockets.cut() == 1
        assert await client.stream.wait_state(StreamState.STALE) is StreamState.STALE
        (line,) = client.snapshot().streams
        assert (line.state, line.silent_s) == ("stale", None)
        await live(client)
        (line,) = client.snapshot().streams
        assert (line.state, line.reconnects) == ("live", 1)

    heard = story(main, **STREAMED)
    assert lines(heard)[2].startswith(f"{PRIVATE} lost (")
    assert lines(heard)[3:5] == [f"{PRIVATE} connected", f"{PRIVATE} live"]


def test_a_line_on_which_nothing_is_heard_is_silent_and_then_lost() -> None:
    """A network that swallows everything says nothing of it: the answer to a ping is missing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await live(client)
        exchange.sockets.stall(on=True)
        await silent(client)
        (line,) = client.snapshot().streams
        assert line.state == "stale"
        await asyncio.sleep(60)

    heard = story(main, **STREAMED)
    assert lines(heard)[2] == f"{PRIVATE} silent"
    assert lines(heard)[3].startswith(f"{PRIVATE} lost (nothing was heard")


def test_a_line_that_is_heard_again_is_live_again() -> None:
    """A stall of some seconds: silent, and then live, with no new connection."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await live(client)
        exchange.sockets.stall(on=True)
        await silent(client)
        exchange.sockets.stall(on=False, keep=True)
        await asyncio.sleep(40)

    heard = story(main, **STREAMED)
    assert lines(heard)[1:4] == [f"{PRIVATE} live", f"{PRIVATE} silent", f"{PRIVATE} live"]


def test_an_exchange_that_is_away_is_told_once_an_outage() -> None:
    """The attempts go on for as long as it takes; nobody needs a line for each."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await exchange.close()
        kept = client.stream.orders()
        await asyncio.sleep(120)
        (line,) = client.snapshot().streams
        assert (line.state, line.silent_s, kept.state) == ("connecting", None, StreamState.CONNECTING)

    assert lines(story(main)) == [f"{PRIVATE} unreachable (connect)"]


def test_a_refused_login_is_told_with_its_code() -> None:
    """A number and nothing else: the exchange's text may echo the key."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = client.stream.orders()
        await asyncio.sleep(5)

    heard = story(main, login_refusal="30011")
    assert f"{PRIVATE} refused (login, code 30011)" in lines(heard)
    assert lines(heard)[-1] == f"{PRIVATE} closed (the login was refused with code 30011)"


def test_a_refused_topic_is_told_with_its_channel() -> None:
    """A symbol that there is not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = client.stream.ticker("NOPEUSDT")
        await asyncio.sleep(2)

    told = lines(story(main))
    assert "public stream 1 refused (ticker, code 30001)" in told


def test_a_topic_more_on_a_live_line_makes_it_live_anew() -> None:
    """So the last word on a line is true, and says of how many topics."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        first = client.stream.ticker("BTCUSDT")
        await live(client)
        second = client.stream.ticker("ETHUSDT")
        assert client.snapshot().streams[0].state == "connecting"
        await live(client)
        assert first.state is second.state is StreamState.LIVE

    heard = story(main)
    assert [each.topics for each in heard.of(StreamChanged) if each.state == "live"] == [1, 2]


def test_the_lag_of_a_push_is_its_age_when_it_came() -> None:
    """By the exchange's clock as it is known here."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await live(client)
        (line,) = client.snapshot().streams
        assert line.lag_ms is None
        _ = await client.place_order("BTCUSDT", "buy", "limit", size="0.01", price="10000", force="gtc")
        await asyncio.sleep(1)
        (line,) = client.snapshot().streams
        assert line.lag_ms is not None
        # As well as the exchange's clock is known.
        assert -25 <= line.lag_ms <= 25
        assert line.silent_s is not None
        assert 0 < line.silent_s < 1.1

    _ = story(main, **STREAMED)
