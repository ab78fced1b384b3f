"""Who stands on the line and means no good: nothing of ours goes elsewhere, nothing of theirs counts as an answer."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import BitgetError, NotSent, UsageError
from bitget_async.endpoints import UNFILLED_ORDERS
from bitget_async.sim import LineFault
from tests.network.line import CALLS, Bench, Told, authority, bench, judge, run_over_sockets

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ACK = b'{"code":"00000","msg":"success","requestTime":1750000000000,"data":{"symbol":"BTCUSDT","orderId":"1"}}'
NOTHING = b'{"code":"00000","msg":"success","requestTime":1750000000000,"data":[]}'


def answer(body: bytes, *headers: bytes) -> bytes:
    """A whole answer."""
    return OK + b"".join(each + b"\r\n" for each in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


EXTRA = {
    "a receipt": answer(ACK),
    "an empty page": answer(NOTHING),
    "a timeout of the server": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "garbage": b"\x00\x01\x02",
}


@pytest.mark.failure(10, 16)
@pytest.mark.parametrize("idle", [False, True])
def test_an_answer_that_nobody_asked_for_is_nobodys_answer(idle: bool, count_cases: Callable[[int], None]) -> None:
    """
    Bytes behind an answer, at once or on the idle connection, must not be read as the answer to the next request: a
    command would be acknowledged by a stranger, and every answer after it would belong to the request before.
    """
    # Half a head at once is lost with the parser that got it; the connection stays good.
    cases = [(name, call) for name in EXTRA for call in CALLS if idle or name != "half a head"]
    problems: list[str] = []

    async def one(name: str, call: str) -> None:
        async with bench() as case:
            told = await _spoken_to(case, call, EXTRA[name], idle=idle)
            try:
                judge(case, call, told)
                assert told.word in ("STILL_OPEN", "NOT_PLACED", "OutcomeUnknown"), told.word
                assert told.report is None or not told.report.acknowledged, "acknowledged by a stranger"
            except AssertionError as error:
                problems.append(f"{name}, {call}: {error}")

    async def main() -> None:
        await asyncio.gather(*(one(*each) for each in cases))

    run_over_sockets(main, debug=False)
    assert not problems, "\n".join(problems)
    count_cases(len(cases))


async def _spoken_to(case: Bench, call: str, extra: bytes, *, idle: bool) -> Told:
    """A good answer, then bytes that nobody asked for; then a call that nobody executes."""
    if idle:
        unused = await case.client.market.server_time()
        case.proxy.say(extra)
        await asyncio.sleep(0.5)
    else:
        whole = answer(b'{"code":"00000","data":{"serverTime":"1750000000000"}}')
        case.proxy.play(LineFault(down=0, insert=whole + extra, end="hang"), "time")
        unused = await case.client.market.server_time()
    assert unused
    case.proxy.play(LineFault(up=0, end="hang"), call, times=None)
    return await CALLS[call](case)


NASTY = [
    "",
    " ",
    "btcusdt",
    "BTC/USDT",
    "BTC USDT",
    "BTCUSDT\r\nX-Evil: 1",
    "BTCUSDT\n",
    "BTCUSDT\x00",
    "BTCUSDT\t",
    '"BTCUSDT"',
    "BTCUSDT&limit=1",
    "BTCUSDT?x=1",
    "BTCUSDT#",
    "../../v2/spot/trade/place-order",
    "BTC%0d%0aUSDT",
    "{}",
    "BTCUSDT;DROP",
    "ＢＴＣＵＳＤＴ",
    "БТСUSDT",
    "BTC\u200bUSDT",
    "BTC\u202eUSDT",
    "\ud800",
    "B" * 41,
    "B" * 10_000,
    None,
    7,
    b"BTCUSDT",
    ["BTCUSDT"],
]


@pytest.mark.failure(27)
def test_a_symbol_that_cannot_be_one_never_reaches_the_network(count_cases: Callable[[int], None]) -> None:
    """Line breaks, separators, other alphabets, other types: said before a connection opens, and nothing is mended."""

    async def main() -> int:
        async with bench() as case:
            tried = 0
            for symbol in NASTY:
                given: Any = symbol
                calls = [
                    case.client.cancel_symbol_orders(given),
                    case.client.place_order(given, "buy", "limit", 1, price=1),
                    case.client.cancel_order(given, order_id="1"),
                    case.client.batch_cancel_orders(given, order_ids=["1"]),
                ]
                # Where a symbol may be left out, `None` is no mistake.
                calls += [] if given is None else [case.client.call(UNFILLED_ORDERS, symbol=given)]
                for call in calls:
                    with pytest.raises(UsageError):
                        _ = await call
                    tried += 1
            assert (case.proxy.connections, case.exchange.truth.count(), case.client.pending) == (0, 0, ())
            return tried

    count_cases(run_over_sockets(main))


@pytest.mark.failure(27)
def test_no_id_can_carry_a_second_header_or_parameter(count_cases: Callable[[int], None]) -> None:
    """An id goes into bodies and queries: with a separator in it, it is refused, and never sent as two."""
    bad = ["1\r\nX: y", "1&symbol=ETHUSDT", "1\n", "\x00", "a" * 10_000, "1 2", '1","symbol":"ETHUSDT']

    async def main() -> None:
        async with bench() as case:
            for each in bad:
                for call in (
                    case.client.cancel_order("BTCUSDT", order_id=each),
                    case.client.order_info(order_id=each),
                ):
                    with pytest.raises(UsageError):
                        _ = await call
            assert case.proxy.connections == 0

    run_over_sockets(main)
    count_cases(2 * len(bad))


@pytest.mark.failure(4)
def test_old_versions_of_tls_are_not_spoken(count_cases: Callable[[int], None]) -> None:
    """1.2 is the least; a server that knows 1.1 only hears no byte of HTTP."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(old)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    async def one(call: str) -> None:
        async with bench(tls=old) as case:
            told = await CALLS[call](case)
            await asyncio.sleep(6)
            judge(case, call, told)
            assert isinstance(told.error, NotSent)
            assert (case.proxy.heard, case.exchange.truth.count()) == (0, 0)

    async def main() -> None:
        await asyncio.gather(*map(one, CALLS))

    run_over_sockets(main)
    count_cases(len(CALLS))


@pytest.mark.failure(21)
def test_an_answer_cannot_send_us_elsewhere_or_mark_us(count_cases: Callable[[int], None]) -> None:
    """Cookies, another host for later, a demand for a password: the next request goes as before, to the same host."""
    odd = (
        b"Set-Cookie: a=b; Path=/",
        b"Location: https://127.0.0.1:9/",
        b'Alt-Svc: h2=":9"; ma=3600',
        b"Refresh: 0; url=https://127.0.0.1:9/",
        b"WWW-Authenticate: Basic realm=x",
        b"Proxy-Authenticate: Basic realm=x",
        b"Clear-Site-Data: *",
        b"Link: <https://127.0.0.1:9/>; rel=preload",
    )

    async def main() -> None:
        async with bench() as case:
            whole = answer(b'{"code":"00000","data":{"serverTime":"1750000000000"}}', *odd)
            for status in (b"200 OK", b"401 Unauthorized", b"407 Proxy Authentication Required"):
                case.proxy.play(LineFault(down=0, insert=whole.replace(b"200 OK", status), end="close"), "time")
                with contextlib.suppress(BitgetError):
                    _ = await case.client.market.server_time()
                assert len(await case.client.unfilled_orders("BTCUSDT")) == 2
            for copy in case.exchange.truth.wire:
                assert not copy.headers.keys() & {"cookie", "authorization", "proxy-authorization"}
            assert all(
                copy.headers["host"] == case.proxy.base_url.rpartition("/")[2] for copy in case.exchange.truth.wire
            )

    run_over_sockets(main)
    count_cases(3 * len(odd))
