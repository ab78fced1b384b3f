"""Lines of the security checklist that no other module proves; docs/security.md names the test of every line."""

from __future__ import annotations

import ast
import base64
import hmac
import inspect
import logging
import random
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bitget_async import BitgetClient, BitgetError, Credentials, OutcomeUnknown, Refused, UsageError
from bitget_async.client import BASE_URL
from bitget_async.endpoints import CANCEL_ORDER, ORDER_INFO, SYMBOLS
from bitget_async.limits import Unlimited
from bitget_async.sim import SimulatedExchange, faults
from bitget_async.transport import tls_context
from tests.conftest import with_exchange
from tests.test_transport import ACK, COMMAND, failed, http, served, stamp, transport_to

ROOT = Path(__file__).parents[2]
SECRET = "checklist-secret-5Yp"
KEY = Credentials("checklist-key-5Yp", SECRET, "checklist-pass-5Yp")
NO = b'{"code":"40034","msg":"no","requestTime":1747574763291,"data":null}'
CASES = 1000
WHERE: dict[str, Any] = {"symbol": "BTCUSDT"}


@pytest.mark.failure(25)
async def test_what_was_signed_is_what_was_sent_for_a_thousand_random_calls(count_cases: Callable[[int], None]) -> None:
    """Computed from the captured bytes as the exchange does it: the decoded query, the body to the byte."""
    dice = random.Random(20_251)
    oid = "0123456789abcXYZ_:#+- "
    async with (
        served(lambda raw: http(NO, "400 Bad Request")) as raw,
        BitgetClient(KEY, base_url=raw.url, limits=Unlimited()) as client,
    ):
        for number in range(CASES):
            name = "".join(dice.choices(oid, k=dice.randint(1, 64)))
            row, given = (CANCEL_ORDER, WHERE) if number % 2 else (ORDER_INFO, {})
            with pytest.raises(Refused):
                await client.call(row, client_oid=name, **given)
        assert raw.connections == 1
        assert len(raw.requests) == CASES
        for request in raw.requests:
            head, _, body = request.partition(b"\r\n\r\n")
            line, *lines = head.decode("ascii").split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
            message = f"{headers['access-timestamp']}{method}{unquote(target)}".encode() + body
            signature = base64.b64encode(hmac.digest(SECRET.encode(), message, "sha256")).decode()
            assert headers["access-sign"] == signature
            assert "+" not in target
            assert " " not in target
    count_cases(CASES)


@pytest.mark.failure(16)
@pytest.mark.parametrize("read", [True, False], ids=["read", "command"])
def test_the_exchanges_text_cannot_write_our_log(read: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks, escape sequences and a flood, in text and code: one line of bounded length in log and error."""
    forged = "no\r\n2026-01-01 INFO bitget_async: cancelled 500 orders\x1b[2J\x00\u202e" + "x" * 5_000
    shown: list[str] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for fault in (faults.envelope("40034", text=forged), faults.envelope(forged, text=forged)):
            exchange.faults.clear()
            exchange.faults.add(None, fault, times=None)
            call = (
                client.call(ORDER_INFO, order_id="1") if read else client.call(CANCEL_ORDER, symbol="X1", order_id="1")
            )
            with pytest.raises((Refused, OutcomeUnknown)) as caught:
                await call
            shown.extend([str(caught.value), repr(caught.value)])

    with caplog.at_level(logging.DEBUG, logger="bitget_async"):
        with_exchange(main)
    texts = [record.getMessage() for record in caplog.records if record.name.startswith("bitget_async")]
    assert texts
    assert shown
    for text in texts + shown:
        assert text.isprintable()
        assert len(text) < 1_200
    assert not any("x" * 257 in text for text in texts + shown)


@pytest.mark.failure(4)
def test_the_default_context_verifies_and_speaks_tls_1_2_at_least() -> None:
    """Whatever the system's settings say."""
    context = tls_context(None, "https://api.bitget.com")
    assert isinstance(context, ssl.SSLContext)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.failure(4)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_context_that_would_speak_older_tls_is_refused() -> None:
    """Said when the client is made, not when a desk's traffic has been read."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(UsageError, match=r"TLS 1\.2"):
        BitgetClient(ssl_context=context)


@pytest.mark.failure(4)
def test_there_is_no_switch_for_verification_proxies_or_redirects() -> None:
    """A parameter of such a name would be found by somebody in a hurry."""
    for made in (BitgetClient, type(COMMAND)):
        names = " ".join(inspect.signature(made).parameters)
        assert not re.search(r"verify|insecure|proxy|redirect|cookie", names)
    assert BASE_URL == "https://api.bitget.com"


@pytest.mark.failure(20)
@pytest.mark.parametrize("lines", [1_000, 200_000])
async def test_an_answer_of_headers_without_end_is_given_up(lines: int) -> None:
    """Each one short: their number is bounded too, so memory is."""
    told = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(lines)) + b"\r\n" + ACK
    async with served(lambda raw: told) as raw, transport_to(raw.url) as transport:
        error = await failed(transport.send(COMMAND, stamp, 5))
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "connection"


@pytest.mark.failure(27)
@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "*",
        "all",
        "ALL,BTCUSDT",
        "btcusdt",
        "BTCUSDT\r\nX: y",
        'BTC"USDT',
        "BTC/USDT",
        "ＢＴＣUSDT",
        "B" * 10_000,
        None,
        [],
        ["BTCUSDT"],
    ],
    ids=lambda value: repr(value)[:16],
)
def test_no_slip_means_all_symbols_or_another_one(symbol: Any) -> None:
    """The command cannot be undone: nothing is corrected, nothing is the default, and nothing is sent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest("BTCUSDT", 2)
        with pytest.raises(UsageError):
            _ = await client.cancel_symbol_orders(symbol)
        assert exchange.truth.count() == 0

    with_exchange(main)
    parameter = inspect.signature(BitgetClient.cancel_symbol_orders).parameters["symbol"]
    assert parameter.default is inspect.Parameter.empty


@pytest.mark.failure(48)
def test_a_client_shows_nothing_of_its_key() -> None:
    """Its repr, its URL and its fields."""
    client = BitgetClient(KEY)
    shown = f"{client!r} {vars(client)!r}"
    assert "5Yp" not in shown
    assert "api.bitget.com" in shown
    assert all("key" not in row.path and "secret" not in row.path for row in (CANCEL_ORDER, SYMBOLS))


def test_no_secret_is_taken_from_the_command_line() -> None:
    """Arguments of a process can be read by every user of the machine."""
    for path in sorted((ROOT / "bitget_async" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add_argument"):
                said = " ".join(ast.unparse(each) for each in node.args)
                assert not re.search(r"key\b|secret|pass(phrase|word)|token", said), said


def test_the_page_names_a_test_for_every_line_of_the_checklist() -> None:
    """And every test that it names exists: a table that nobody checks is a promise that nobody keeps."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (\d+) \|(.*)\|$", page, flags=re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, 19))
    for number, line in lines:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", line)
        assert named, f"line {number} names no test"
        for path, name in named:
            source = (ROOT / path).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in source, f"{path}::{name}"


def test_an_error_of_the_tree_is_no_error_of_the_http_client() -> None:
    """Whoever catches aiohttp's errors around us catches nothing: none gets out."""
    assert not any(each.__module__.startswith("aiohttp") for each in BitgetError.__mro__)
