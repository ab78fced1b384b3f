"""
Directed histories of the road of one command: what its connection, its answer, its token and its stamp can do to it.

As in `scenarios`: each builds its own world and raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import aiohappyeyeballs
import aiohttp
import trustme

from bitget_async import BitgetClient, Credentials, NotSent, Outcome, UsageError
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS
from bitget_async.errors import AccountModeMismatch, AuthenticationFailed
from bitget_async.sim import Settings, faults

from .scenarios import BTC, COMMAND, ETH, must_be, world
from .world import Call, World, demand

ROAD: dict[str, Callable[[], None]] = {}
CALM: dict[str, Any] = {
    "request_latency_s": 0.02,
    "answer_latency_s": 0.02,
    "listing_lag_s": 0.0,
    "sweep_delay_s": 0.05,
}


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    ROAD[play.__name__] = play
    return play


def raised(it: World, call: Call, within_s: float = 20.0) -> BaseException:
    """What the call raises."""
    it.advance(within_s)
    demand(call.task.done() and call.task.exception() is not None, "the call raises", call.symbol)
    error = call.task.exception()
    assert error is not None
    return error


def confirmed_unheard(it: World, fault: faults.Fault, what: object, within_s: float = 70.0) -> Any:
    """Two orders, and a command that is executed and whose answer proves nothing: found out by looking, one copy."""
    copies = it.exchange.truth.count(COMMAND)
    it.exchange.rest(BTC, 2)
    it.exchange.faults.add(COMMAND, fault, times=1)
    report = it.settle(it.cancel(BTC), within_s)
    must_be(report, Outcome.CONFIRMED, 2)
    demand(not report.acknowledged, "what is no answer acknowledges nothing", what)
    demand(it.exchange.truth.count(COMMAND) == copies + 1, "7: one copy", what)
    return report


# -- no connection ------------------------------------------------------------------------------------------------


async def _refuse(*given: Any, **options: Any) -> Any:
    raise ConnectionRefusedError("refused")


async def _unknown_host(*given: Any, **options: Any) -> Any:
    raise OSError("Name or service not known")


async def _silence(*given: Any, **options: Any) -> Any:
    await asyncio.sleep(3600)


@scenario
def nothing_stood_and_nothing_was_sent() -> None:
    """No address, no connection, or no end of connecting: NotSent, and the exchange has seen no byte."""
    for owner, name, fails in (
        (aiohttp.TCPConnector, "_resolve_host", _unknown_host),
        (aiohappyeyeballs, "start_connection", _refuse),
        (aiohappyeyeballs, "start_connection", _silence),
    ):
        with world() as it:
            it.exchange.rest(BTC, 1)
            with mock.patch.object(owner, name, fails):
                error = raised(it, it.cancel(BTC))
            demand(isinstance(error, NotSent), "1, 2, 3 of the failure model: nothing was sent", repr(error))
            demand(it.exchange.truth.count() == 0, "no byte arrived")


@scenario
def a_connection_that_comes_back_is_used() -> None:
    """Refused twice, as while the other side starts anew: the command goes out on the third."""
    with world() as it:
        it.exchange.rest(BTC, 1)
        connect: Callable[..., Awaitable[Any]] = aiohappyeyeballs.start_connection
        left = [_refuse, _refuse, _refuse, _refuse]

        async def sometimes(*given: Any, **options: Any) -> Any:
            return await (left.pop() if left else connect)(*given, **options)

        with mock.patch.object(aiohappyeyeballs, "start_connection", sometimes):
            must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 1)


@scenario
def a_certificate_of_nobody_ends_it() -> None:
    """A certificate that no authority of ours has signed: NotSent("tls"), at once, and not one byte of HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    heard: list[bytes] = []
    connections: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.close()

    def hello(socket: object, name: object, used: object) -> None:
        connections.append(name)

    context.sni_callback = hello

    async def whole() -> BaseException | None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: None)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        key = Credentials("key", "secret", "passphrase")
        try:
            async with server, BitgetClient(key, base_url=f"https://localhost:{port}", timeout_s=1.0) as client:
                _ = await client.cancel_symbol_orders(BTC, snapshot="none")
        except Exception as error:
            return error
        return None

    error = asyncio.run(whole())
    demand(isinstance(error, NotSent) and error.reason == "tls", "4 of the failure model: not sent", repr(error))
    demand(not any(heard), "4 of the failure model: no byte of HTTP", heard)
    demand(len(connections) == 1, "4 of the failure model: a bad certificate is not tried again", len(connections))


@scenario
def reads_are_dropped_once_each() -> None:
    """The connection drops after a read was taken: each copy at the exchange has a token of its own."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 2)
        it.exchange.faults.add("unfilled-orders", faults.drop(executed=True), times=4)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 2)


# -- no answer ----------------------------------------------------------------------------------------------------


@scenario
def silence_is_waited_for_once() -> None:
    """Executed, and then nothing for ever: the look follows the timeout of ten seconds at once."""
    with world(**CALM) as it:
        confirmed_unheard(it, faults.hang(executed=True), "silence", within_s=14.0)


@scenario
def executed_half_a_minute_later() -> None:
    """The answer is lost and the command executed 29 s later: no verdict before that, and then the right one."""
    with world(**CALM) as it:
        confirmed_unheard(it, faults.executed_late(29.0) | faults.drop(executed=True), "late")


@scenario
def a_bad_gateway_proves_nothing() -> None:
    """502 in front of an executed command, and of one that never arrived: one copy each, and the truth."""
    with world(**CALM) as it:
        confirmed_unheard(it, faults.page(502, executed=True), 502)
        it.exchange.rest(BTC, 1)
        it.exchange.faults.add(COMMAND, faults.page(503, executed=False), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 1)
        demand(it.exchange.truth.count(COMMAND) == 2, "7: one copy each", it.exchange.truth.count(COMMAND))


@scenario
def too_many_requests_waits_and_goes_on() -> None:
    """429 in an envelope three times: the command goes out a fourth time and is executed once."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        it.exchange.faults.add(COMMAND, faults.envelope("429", status=429), times=3)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 1)
        demand(it.exchange.truth.count(COMMAND) == 4, "12 of the failure model", it.exchange.truth.count(COMMAND))


# -- strange answers ----------------------------------------------------------------------------------------------


@scenario
def only_an_envelope_is_an_answer() -> None:
    """HTTP 200 with nothing, a page, half an answer, an answer of another shape: none of it acknowledges anything."""
    with world(**CALM) as it:
        for body in (
            b"",
            b"<html>done</html>",
            b'{"code":"00000","msg":"success","requestTime":1750000000000,"data":{"symb',
            b'["00000"]',
            b'{"code":0,"msg":"success","requestTime":1750000000000,"data":{"symbol":"BTCUSDT"}}',
            b'{"code":"0","msg":"success","requestTime":1750000000000,"data":{"symbol":"BTCUSDT"}}',
            b'{"data":{"code":"00000","symbol":"BTCUSDT"}}',
        ):
            confirmed_unheard(it, faults.raw(body), body)


@scenario
def the_answer_names_another_symbol() -> None:
    """As in the exchange's own example: in doubt, noted, and the symbol that was asked for is looked at."""
    with world(**CALM) as it:
        report = confirmed_unheard(it, faults.wrong_echo(ETH), "echo")
        demand(any("another symbol" in each for each in report.anomalies), "19 of the failure model: noted", report)


@scenario
def an_endless_answer_is_not_read() -> None:
    """A megabyte of blanks before the right answer: bounded, and so it proves nothing."""
    ack = b'{"code":"00000","msg":"success","requestTime":1750000000000,"data":{"symbol":"BTCUSDT"}}'
    with world(**CALM) as it:
        confirmed_unheard(it, faults.raw(b" " * 1_000_000 + ack), "a megabyte")


@scenario
def what_no_table_lists_proves_nothing() -> None:
    """Release windows, timeouts of the exchange's own, unknown codes, and texts that quote known ones: all executed."""
    with world(**CALM) as it:
        for code, text in (
            ("45001", "Unknown error"),
            ("40725", "service return an error"),
            ("40010", "Request timed out"),
            ("40910", "timed out"),
            ("98765", "?"),
            ("98766", "order not found, see 43001"),
        ):
            confirmed_unheard(it, faults.envelope(code, text=text, executed=True), code)


@scenario
def a_refused_key_is_not_tried_again() -> None:
    """The exchange refuses the key and quotes it: one copy, and the error does not repeat the key."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        key = it.exchange.credentials().api_key
        it.exchange.faults.add(COMMAND, faults.envelope("40006", text=f"Invalid ACCESS_KEY {key}"), times=None)
        error = raised(it, it.cancel(BTC))
        demand(isinstance(error, AuthenticationFailed), "25 of the failure model: refused", repr(error))
        demand(it.exchange.truth.count(COMMAND) == 1, "25 of the failure model: one copy")


@scenario
def a_unified_account_is_told_the_remedy() -> None:
    """40085 is a refusal with a text that says what to do."""
    with world(**CALM) as it:
        it.exchange.faults.add(COMMAND, faults.envelope("40085", text="unified"), times=1)
        error = raised(it, it.cancel(BTC))
        demand(isinstance(error, AccountModeMismatch), "26 of the failure model: refused", repr(error))
        demand("classic" in str(error), "26 of the failure model: the remedy", str(error))


@scenario
def a_misspelt_symbol_never_leaves() -> None:
    """An irreversible command is not mended: lower case, blanks and foreign letters are the caller's to mend."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        for symbol in ("btcusdt", " BTCUSDT", "BTCUSDT\r\n", "", "BTCUSDТ"):
            with contextlib.suppress(UsageError):
                _ = it.do(it.client.cancel_symbol_orders(symbol))
                demand(False, "27 of the failure model: refused before any request", symbol)
        demand(it.exchange.truth.count() == 0, "27 of the failure model: no request")


# -- clocks, stamps, tokens -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def skewed(offset_ms: int, **settings: Any) -> Iterator[World]:
    """A world whose client has a wrong wall clock."""
    made = World(1, Settings(**settings), offset_ms)
    try:
        yield made
        made.finish()
    finally:
        if not made.closed:
            made.dispose()


@scenario
def a_clock_that_is_an_hour_off_is_set() -> None:
    """Refused for its stamp, signed anew with the exchange's time: once, and executed once."""
    with skewed(3_600_000, **CALM) as it:
        it.exchange.rest(BTC, 1)
        must_be(it.settle(it.cancel(BTC, snapshot="none")), Outcome.CONFIRMED, 1)
        demand(it.exchange.truth.count(COMMAND) == 2, "22 of the failure model: once more")


@scenario
def a_stepped_wall_clock_moves_no_deadline() -> None:
    """An hour forward while the history is late: a minute is a minute, and the report comes when it can."""
    with world(**CALM, history_lag_s=25.0, order_info_lag_s=25.0) as it:
        it.exchange.rest(BTC, 2)
        call = it.cancel(BTC)
        it.advance(3)
        it.wall.step(3_600_000)
        must_be(it.settle(call), Outcome.CONFIRMED, 2)


@scenario
def who_leaves_takes_no_token_along() -> None:
    """Three who were handed a token are cancelled in that very turn: all five are there for those who follow."""
    with world(**CALM) as it:

        async def acquire() -> Any:
            return await it.limits.acquire(CANCEL_SYMBOL_ORDER, "a", "o", clock=it.wall, max_wait_s=None, owner=it)

        async def whole() -> None:
            grants = [await acquire() for _ in range(5)]
            waiting = [asyncio.create_task(acquire()) for _ in range(3)]
            await asyncio.sleep(0.1)
            for grant in grants:
                grant.unsent()
            for task in waiting:
                task.cancel()
            await asyncio.sleep(0.01)
            try:
                async with asyncio.timeout(0.5):
                    again = [await acquire() for _ in range(5)]
            except TimeoutError:
                demand(False, "50 of the failure model: no token is lost")
            for grant in again:
                grant.unsent()

        it.do(whole())


@scenario
def readers_who_leave_give_no_token_back() -> None:
    """Sixty reads are written and then cancelled: the exchange counts them all the same."""
    with world(request_latency_s=0.3) as it:

        async def whole() -> None:
            for _ in range(60):
                task = asyncio.create_task(it.client.call(UNFILLED_ORDERS, symbol=BTC))
                await asyncio.sleep(0.02)
                task.cancel()

        it.do(whole())
        it.advance(2)
        it.judge()


@scenario
def requests_on_a_slow_road_arrive_together() -> None:
    """The road takes up to nine tenths of a second: those of two seconds must not arrive in one."""
    with world(request_latency_s=lambda dice: dice.choice([0.0, 0.9])) as it:
        for number in range(30):
            it.cancel(BTC, confirm_within_s=30.0 + number, snapshot="none")
        it.advance(20)


@scenario
def after_a_standstill_no_burst() -> None:
    """The loop stands still for two minutes: nothing was saved up in them."""
    with world(**CALM) as it:
        it.settle(it.cancel(BTC))
        it.stall(120)
        for number in range(40):
            it.cancel(BTC, confirm_within_s=30.0 + number, snapshot="none")
        it.advance(20)


@scenario
def fifty_calls_in_one_turn_cost_two_commands() -> None:
    """All ask for the same before it is signed: they share it."""
    with world(**CALM) as it:
        it.exchange.rest(BTC, 1)
        calls = [it.client.cancel_symbol_orders(BTC) for _ in range(50)]

        async def whole() -> None:
            _ = await asyncio.gather(*calls)

        it.do(whole())
        it.advance(10)
        demand(it.exchange.truth.count(COMMAND) <= 2, "11: at most two commands", it.exchange.truth.count(COMMAND))


@scenario
def a_cancel_waits_for_no_reader() -> None:
    """A hundred reads queue up for their quota: the command leaves at once."""
    with world(**CALM) as it:

        async def whole() -> None:
            readers = [asyncio.create_task(it.client.call(UNFILLED_ORDERS, symbol=ETH)) for _ in range(100)]
            await asyncio.sleep(0.1)
            began = it.now_ns
            _ = await it.client.cancel_symbol_orders(BTC, snapshot="none")
            demand(it.now_ns - began < 100_000_000, "22: a cancel waits for its own bucket only", it.now_ns - began)
            _ = await asyncio.gather(*readers)

        it.do(whole())


@scenario
def somebody_else_spends_the_quota() -> None:
    """The exchange takes two commands a second instead of five: refusals make us slower, not busier."""
    with world(**CALM, quotas={COMMAND: 2}) as it:
        for number in range(30):
            it.cancel(BTC, confirm_within_s=60.0 + number, snapshot="none")
        it.advance(25)
        refused = sum(copy.result == "429" for copy in it.exchange.truth.copies(COMMAND))
        demand(refused <= 25, "58 of the failure model: slower after a refusal", refused)
