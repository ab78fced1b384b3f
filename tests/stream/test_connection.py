"""Connections against a misbehaving exchange, in virtual time: found out, given up, opened again, closed at once."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web
from aiohttp.http_websocket import WebSocketWriter

from bitget_async import BitgetClient, NotSent, StreamState, Subscription, SubscriptionFailed, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange
from bitget_async.stream.connection import Dialer, ws_origin_of
from bitget_async.stream.live_book import LiveBook
from tests.conftest import client_of, run_virtual, with_exchange

LIVE, STALE, CLOSED = StreamState.LIVE, StreamState.STALE, StreamState.CLOSED
KEY_SHAPED: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def until(holds: Callable[[], bool], every_s: float = 0.001) -> None:
    """Let time pass until that holds."""
    while not holds():  # noqa: ASYNC110 - the exchange has no event for it
        await asyncio.sleep(every_s)


@contextlib.asynccontextmanager
async def served(handler: Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]) -> AsyncIterator[str]:
    """A web server with that handler; gives its host and port."""
    server = web.Server(handler, handler_cancellation=True)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        listener.close()
        await server.shutdown(0.1)
        await asyncio.sleep(0.1)


# -- where to ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ws_url", "base_url", "demo", "origin"),
    [
        (None, "https://api.bitget.com", False, "wss://ws.bitget.com"),
        (None, "https://api.bitget.com", True, "wss://wspap.bitget.com"),
        (None, "https://vip-api.bitget.com", False, "wss://vip-ws.bitget.com"),
        (None, "http://127.0.0.1:8000", False, "ws://127.0.0.1:8000"),
        (None, "https://proxy.example:8443", False, "wss://proxy.example:8443"),
        ("wss://elsewhere.example/", "https://api.bitget.com", False, "wss://elsewhere.example"),
        ("ws://localhost:1", "https://api.bitget.com", True, "ws://localhost:1"),
    ],
)
def test_the_sockets_are_where_the_exchange_has_them(
    ws_url: str | None, base_url: str, demo: bool, origin: str
) -> None:
    """The hosts of reference 1.1; what is not the exchange serves both from one address."""
    assert ws_origin_of(ws_url, base_url, demo=demo) == origin


@pytest.mark.parametrize(
    "ws_url",
    [
        "ws://ws.bitget.com",
        "https://ws.bitget.com",
        "wss://ws.bitget.com/v2/ws",
        "wss://u:p@ws.bitget.com",
        "wss://",
        5,
    ],
)
def test_an_address_that_would_show_the_key_is_refused(ws_url: Any) -> None:
    """The login holds the passphrase: it leaves through TLS or stays on this machine."""
    with pytest.raises(UsageError, match="ws_url"):
        _ = BitgetClient(ws_url=ws_url)


def test_a_redirect_is_not_followed() -> None:
    """It would carry the login to another host."""
    seen: list[str] = []

    async def main() -> None:
        async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
            seen.append(request.path)
            return web.Response()

        async with served(elsewhere) as other:

            async def moved(request: web.BaseRequest) -> web.StreamResponse:
                return web.Response(status=302, headers={"Location": f"http://{other}/v2/ws/private"})

            async with served(moved) as host:
                dialer = Dialer(f"ws://{host}", ssl_context=None, headers={})
                with pytest.raises(NotSent) as caught:
                    _ = await dialer.open("/v2/ws/private")
                await dialer.close()
        assert caught.value.reason == "connect"
        assert seen == []

    run_virtual(main)


def test_what_is_no_websocket_is_no_connection() -> None:
    """A page of the network in front, or of a release, answers with HTTP."""

    async def main() -> None:
        async def busy(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=503)

        async with served(busy) as host:
            dialer = Dialer(f"ws://{host}", ssl_context=None, headers={})
            with pytest.raises(NotSent, match="HTTP 503"):
                _ = await dialer.open("/v2/ws/public")
            await dialer.close()

    run_virtual(main)


def test_a_server_that_accepts_and_says_nothing_is_given_up_after_ten_seconds() -> None:
    """Nothing hangs."""

    async def main() -> None:
        async def mute(request: web.BaseRequest) -> web.StreamResponse:
            await asyncio.sleep(1000)
            return web.Response()

        async with served(mute) as host:
            dialer = Dialer(f"ws://{host}", ssl_context=None, headers={})
            began = now_s()
            with pytest.raises(NotSent, match="no answer in time"):
                _ = await dialer.open("/v2/ws/public")
            assert now_s() - began == pytest.approx(10.0, abs=0.01)
            await dialer.close()

    run_virtual(main)


def test_a_message_that_is_too_long_ends_the_connection() -> None:
    """A frame of gigabytes must not become one of ours."""

    async def main() -> None:
        async def flood(request: web.BaseRequest) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            _ = await socket.prepare(request)
            with contextlib.suppress(ConnectionError):
                await socket.send_str("x" * (2 << 20))
            await asyncio.sleep(1)
            return socket

        async with served(flood) as host:
            dialer = Dialer(f"ws://{host}", ssl_context=None, headers={})
            socket = await dialer.open("/v2/ws/public")
            assert await socket.receive() is None
            assert "WebSocketError" in socket.ended
            await socket.close()
            await dialer.close()

    run_virtual(main)


def test_a_context_that_does_not_verify_is_refused() -> None:
    """The stream has the rules of the calls."""
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(UsageError, match="ssl_context"):
        _ = BitgetClient(ssl_context=context)


# -- silence and cuts ----------------------------------------------------------------------------------------------


@pytest.mark.failure(47)
@pytest.mark.parametrize("mid_frame", [False, True])
def test_a_cut_is_stale_at_once_and_live_again_within_a_second(mid_frame: bool) -> None:
    """The first attempt is quick; half a frame is nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders() as updates:
            await updates.ready()
            began = now_s()
            assert exchange.sockets.cut(mid_frame=mid_frame) == 1
            assert await updates.wait_state(STALE) is STALE
            assert await updates.wait_state(LIVE) is LIVE
            assert now_s() - began < 1.0
            assert client.stream.connections == 1

    with_exchange(main)


@pytest.mark.failure(47)
def test_a_silent_line_is_stale_after_an_unanswered_ping_and_given_up_after_two() -> None:
    """TCP alone would take a quarter of an hour to find out that a cable was pulled."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders() as updates:
            await updates.ready()
            exchange.sockets.stall(True)
            began = now_s()
            _ = await updates.wait_state(STALE)
            assert now_s() - began <= 30.1
            _ = await updates.wait_state(LIVE)
            assert now_s() - began <= 51.0
            assert len(exchange.sockets.records) == 2

    with_exchange(main)


def test_a_line_that_was_only_silent_for_a_while_is_live_again_and_kept() -> None:
    """What gathered meanwhile comes in order: nothing was missed, and no new connection is needed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders() as updates:
            await updates.ready()
            exchange.sockets.stall(True)
            _ = await updates.wait_state(STALE)
            order_id = exchange.rest("BTCUSDT")[0]
            await asyncio.sleep(5)
            exchange.sockets.stall(False, keep=True)
            _ = await updates.wait_state(LIVE)
            assert (await anext(updates)).order_id == order_id
            assert len(exchange.sockets.records) == 1

    with_exchange(main)


def test_a_quiet_line_is_kept_by_its_pings() -> None:
    """Most of the day nothing happens on an account."""

    async def main() -> None:
        async with SimulatedExchange(1, clock=VirtualClock()) as exchange, client_of(exchange) as client:
            async with client.stream.trigger_orders() as updates:
                await updates.ready()
                await asyncio.sleep(3600)
                assert updates.state is LIVE
            (record,) = exchange.sockets.records
            assert 142 <= record.pings <= 144

    run_virtual(main, debug=False)


def test_a_loop_that_stood_still_does_not_lose_a_healthy_line() -> None:
    """A program that computes for a minute has not listened; that is not the exchange's silence."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async with client.stream.orders() as updates:
            await updates.ready()
            for _ in range(5):
                await asyncio.sleep(20)
                asyncio.get_running_loop()._selector.clock.advance(80)  # type: ignore[attr-defined]
            await asyncio.sleep(60)
            assert updates.state is LIVE
            assert len(exchange.sockets.records) == 1

    with_exchange(main)


def test_a_day_old_connection_is_renewed_before_the_exchange_cuts_it() -> None:
    """The cut would come in the middle of something; the plain reconnect takes a moment, and is told as any other."""

    async def main() -> None:
        async with SimulatedExchange(1, clock=VirtualClock()) as exchange, client_of(exchange) as client:
            async with client.stream.ticker("BTCUSDT") as prices:
                await prices.ready()
                await asyncio.sleep(24 * 3600)
                assert prices.state is LIVE
            first, second = exchange.sockets.records
            assert first.close_code == 1000
            assert first.closed_ns is not None
            assert 23 * 3600 < (first.closed_ns - first.opened_ns) / 1e9 < 24 * 3600
            assert second.closed_ns is None

    run_virtual(main, debug=False)


# -- acknowledgements and logins -----------------------------------------------------------------------------------


def test_a_topic_that_is_never_acknowledged_fails_to_its_reader() -> None:
    """Asked four times, five seconds each: then its reader hears that there was no answer."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.ack_lag_s = 0.05
        updates = client.stream.orders()
        await until(lambda: any(each.logged_in for each in exchange.sockets.records))
        exchange.settings.ack_loss = 1.0
        with pytest.raises(SubscriptionFailed) as caught:
            await updates.ready()
        assert caught.value.code is None
        assert exchange.sockets.records[0].subscribes == 4
        assert now_s() < 30.0

    with_exchange(main)


def test_a_login_that_is_never_answered_is_tried_on_a_new_connection() -> None:
    """Nobody can tell whether it was taken."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.ack_loss = 1.0
        updates = client.stream.orders()
        await asyncio.sleep(9)
        exchange.settings.ack_loss = 0.0
        await updates.ready()
        assert len(exchange.sockets.records) >= 2

    with_exchange(main)


def test_a_clock_that_is_an_hour_off_signs_in_at_the_first_attempt() -> None:
    """The exchange's clock is read before, if no answer has told it yet."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        wrong = VirtualClock(1_750_003_600_000)
        async with client_of(exchange, clock=wrong) as other, other.stream.orders() as updates:
            await updates.ready()
        assert [each.errors for each in exchange.sockets.records] == [[]]

    with_exchange(main)


def test_a_refused_timestamp_sets_the_clock_and_signs_in_again() -> None:
    """The one refusal of a login that our clock can explain."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.market.server_time()
        before = exchange.truth.count("time")
        exchange.settings.login_refusal = "30014"
        updates = client.stream.orders()
        await until(lambda: exchange.truth.count("time") == before + 2)
        exchange.settings.login_refusal = ""
        await updates.ready()
        assert [each.errors for each in exchange.sockets.records] == [[30014], []]

    with_exchange(main)


@pytest.mark.parametrize(("code", "attempts"), [("30015", 1), ("30012", 1), ("30014", 2)])
def test_a_login_that_stays_refused_ends_its_readers_with_the_code(code: str, attempts: int) -> None:
    """A wrong key stays wrong: its owner must hear of it, and the exchange must not hear of it for ever."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.login_refusal = code
        updates, fills = client.stream.orders(), client.stream.fills()
        for each in (updates, fills):
            with pytest.raises(SubscriptionFailed) as caught:
                _ = await anext(each)
            assert caught.value.code == code
        await asyncio.sleep(60)
        assert len(exchange.sockets.records) == attempts
        assert client.stream.connections == 0

    with_exchange(main)


def test_with_a_refused_key_the_held_channel_is_tried_rarely_and_a_new_reader_hears_at_once() -> None:
    """stream=True must not hammer a login; a reader must not wait minutes for an answer that is known."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.login_refusal = "30015"
        _ = await client.market.server_time()
        await asyncio.sleep(3600)
        assert 12 <= len(exchange.sockets.records) <= 26
        updates = client.stream.orders()
        began = now_s()
        with pytest.raises(SubscriptionFailed):
            await updates.ready()
        assert now_s() - began < 31.0

    with_exchange(main, options={"stream": True})


def test_a_login_that_cannot_be_written_shows_nothing_of_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception of the WebSocket's writer has the frame in its text and in its frames: it must stay where it is."""
    raised: list[bytes] = []
    write = WebSocketWriter._write_websocket_frame

    def broken(self: WebSocketWriter, message: bytes, opcode: int, rsv: int) -> None:
        if b"login" in message and len(raised) < 3:
            raised.append(bytes(message))
            raise RuntimeError(bytes(message).decode())
        write(self, message, opcode, rsv)

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        key = exchange.credentials()
        with caplog.at_level(logging.DEBUG):
            async with client.stream.orders() as updates:
                await updates.ready()
        assert len(raised) == 3
        assert all(key.passphrase.encode() in each for each in raised)
        assert not any(part in caplog.text for part in (key.passphrase, key.api_key, '"sign"'))

    monkeypatch.setattr(WebSocketWriter, "_write_websocket_frame", broken)
    with_exchange(main)


# -- manners -------------------------------------------------------------------------------------------------------


def test_reconnecting_to_an_exchange_that_cuts_everything_stays_within_its_limits() -> None:
    """300 connections in five minutes get an address banned."""

    async def main() -> None:
        async with SimulatedExchange(1, clock=VirtualClock()) as exchange, client_of(exchange) as client:
            readers: list[Subscription[Any]] = [client.stream.orders(), client.stream.ticker("BTCUSDT")]
            for _ in range(3_000):
                await asyncio.sleep(0.1)
                _ = exchange.sockets.cut()
            # Two lines that pause up to 30 s each time, 15 s on average.
            assert 30 <= len(exchange.sockets.records) <= 80
            for each in readers:
                await each.ready()
            assert max(each.worst_second for each in exchange.sockets.records) <= 10

    run_virtual(main, debug=False)


def test_many_changes_of_mind_stay_below_ten_messages_a_second() -> None:
    """Beyond ten the exchange cuts the connection, and may block the address."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for _ in range(400):
            subscription = client.stream.ticker("BTCUSDT")
            await asyncio.sleep(0.02)
            subscription.close()
            await asyncio.sleep(0.005)
        assert max(each.worst_second for each in exchange.sockets.records) <= 8
        assert [each.errors for each in exchange.sockets.records] == [[]] * len(exchange.sockets.records)

    with_exchange(main)


# -- closing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_s", [0.0, 0.001, 0.02, 0.041, 0.045, 0.05, 0.06, 0.1, 1.0, 26.0, 31.0, 51.0])
@pytest.mark.parametrize("trouble", ["", "stalled", "cut", "refused", "unreachable"])
def test_closing_is_prompt_whatever_is_going_on(at_s: float, trouble: str) -> None:
    """A program that wants to end must not wait for an exchange that does not answer; nothing is left behind."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if trouble == "refused":
            exchange.settings.login_refusal = "30005"
        elif trouble == "unreachable":
            exchange.settings.sockets_opened = 0
        readers: list[asyncio.Task[object]] = []

        async def read() -> object:
            async with client.stream.orders() as updates, client.stream.ticker("BTCUSDT") as prices:
                _ = await anext(prices)
                return [each async for each in updates]

        async def keep() -> object:
            book: LiveBook = await client.stream.book("BTCUSDT")
            while await book.changed() is not CLOSED:
                pass
            return book

        readers += [asyncio.ensure_future(read()), asyncio.ensure_future(keep())]
        await asyncio.sleep(at_s / 2)
        if trouble == "stalled":
            exchange.sockets.stall(True, newcomers=True)
        elif trouble == "cut":
            _ = exchange.sockets.cut()
        await asyncio.sleep(at_s / 2)
        began = now_s()
        await client.close()
        assert now_s() - began <= 1.0
        _ = await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.sleep(1.5)
        assert exchange.sockets.open == 0

    with_exchange(main, options={"stream": True})


@pytest.mark.parametrize("turns", range(0, 60, 3))
def test_a_reader_that_is_cancelled_at_any_turn_harms_nobody(turns: int) -> None:
    """Whatever it waits for then, the others read on, and closing leaves nothing."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        other = client.stream.orders()

        async def read() -> None:
            async with client.stream.orders() as updates, client.stream.ticker("BTCUSDT") as prices:
                await updates.ready()
                _ = await client.stream.book("BTCUSDT")
                async for _ in prices:
                    pass

        reading = asyncio.ensure_future(read())
        for _ in range(turns):
            await asyncio.sleep(0 if turns % 2 else 0.003)
        reading.cancel()
        _ = await asyncio.gather(reading, return_exceptions=True)
        await other.ready()
        (order_id,) = exchange.rest("BTCUSDT")
        assert (await anext(other)).order_id == order_id

    with_exchange(main)


def test_a_client_that_is_dropped_with_open_streams_warns() -> None:
    """As one with pending calls: its connections live on without anybody who reads them."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        dropped = client_of(exchange)
        prices = dropped.stream.ticker("BTCUSDT")
        await prices.ready()
        streams = dropped.stream
        del dropped
        with pytest.warns(ResourceWarning, match="streams are still connected"):
            _ = gc.collect()
        prices.close()
        await streams.close()

    with_exchange(main)
