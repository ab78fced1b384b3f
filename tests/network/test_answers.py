"""Answers that are none: pages of a network in front, garbage, bombs, drips, redirects, echoes."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from bitget_async import OutcomeUnknown, RateLimited
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_ORDER, CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS, Endpoint
from bitget_async.sim import FaultProxy, LineFault, faults
from bitget_async.sim.proxy import End
from bitget_async.transport import AiohttpTransport
from bitget_async.wire import Reply, Request, decode
from tests.network.line import CALLS, EXECUTED, READ, Bench, Told, bench, judge, run_over_sockets, trusting, witness
from tests.network.trials import Trial, both, run_trials

ENDS: tuple[End, ...] = ("close", "reset", "half")
GATEWAYS = (502, 503, 504, 520, 521, 522, 523, 524, 525, 526)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.failure(12)
@pytest.mark.parametrize("refusals", [1, 2, 4])
def test_too_many_requests_in_an_envelope_is_waited_out(refusals: int, count_cases: Callable[[int], None]) -> None:
    """Proven not executed: sent again after a pause, with a token each, and executed exactly once."""

    async def one(call: str) -> None:
        async with bench() as case:
            case.exchange.faults.add(call, faults.envelope("429", status=429), times=refusals)
            told = await CALLS[call](case)
            judge(case, call, told)
            assert told.word == EXECUTED[call], f"{call}: {told.error}"
            results = [each.result for each in case.exchange.truth.copies(call)]
            assert results[: refusals + 1] == [*[None] * refusals, "00000"]
            # The reads of a watcher are counted under the name of the read.
            assert call == READ or len(results) == refusals + 1

    async def main() -> None:
        await asyncio.gather(*map(one, CALLS))

    run_over_sockets(main)
    count_cases(len(CALLS))


@pytest.mark.failure(12)
def test_too_many_requests_for_ever_ends_as_a_refusal(count_cases: Callable[[int], None]) -> None:
    """Within the time given, with pauses between the copies, and with nothing executed."""

    async def one(call: str) -> None:
        async with bench() as case:
            case.exchange.faults.add(call, faults.envelope("429", status=429), times=None)
            told = await CALLS[call](case)
            judge(case, call, told)
            assert isinstance(told.error, RateLimited)
            assert 2 <= case.exchange.truth.count(call) <= 15
            assert case.clock.monotonic_ns() <= 11e9
            assert case.open() == set(case.ids)

    async def main() -> None:
        await asyncio.gather(*map(one, CALLS))

    run_over_sockets(main)
    count_cases(len(CALLS))


@pytest.mark.failure(13)
def test_pages_that_limit_or_block_prove_nothing(count_cases: Callable[[int], None]) -> None:
    """429, 403 and 1015 without an envelope come from the network in front, before or after the execution."""
    trials = [*both("429", faults.page, 429), *both("403", faults.page, 403)]
    trials += both("1015", faults.raw, b"error code: 1015", status=429, content_type="text/plain")
    trials += both("1020", faults.raw, b"error code: 1020", status=403, content_type="text/plain")
    count_cases(run_trials(trials, debug=False))


@pytest.mark.failure(14, 15)
@pytest.mark.parametrize("half", [0, 1])
def test_a_gateways_error_proves_nothing(half: int, count_cases: Callable[[int], None]) -> None:
    """Nobody can tell one before the execution from one after it: each of them is looked into."""
    trials = [trial for status in GATEWAYS[half::2] for trial in both(str(status), faults.page, status)]
    count_cases(run_trials(trials, debug=False))


BODIES = {
    "html": b"<html><head><title>Just a moment...</title></head></html>",
    "empty": b"",
    "blanks": b" \r\n",
    "garbage": bytes(range(128, 256)),
    "null": b"null",
    "list": b'["00000"]',
    "code as a number": b'{"code":0,"msg":"success","requestTime":1,"data":{"symbol":"BTCUSDT"}}',
    "code and nothing": b'{"code":null}',
}


@pytest.mark.failure(16, 18)
def test_a_body_that_is_no_envelope_proves_nothing_even_with_200(count_cases: Callable[[int], None]) -> None:
    """A status of success is the network's, not the exchange's."""
    trials = [trial for name, body in BODIES.items() for trial in both(name, faults.raw, body)]
    count_cases(run_trials(trials, debug=False))


NO_HTTP = {
    "garbage status line": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status 400 without a length": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "100 kB header": OK + b"X-Large: " + b"a" * 100_000 + b"\r\n\r\n",
    "a thousand headers": OK + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n",
    "bad length": OK + b"Content-Length: ten\r\n\r\n",
    "bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "random bytes": bytes(range(256)) * 40,
}


@pytest.mark.failure(16, 20)
def test_an_answer_that_is_no_http_proves_nothing(count_cases: Callable[[int], None]) -> None:
    """Some are "400" to the HTTP library: whether the exchange has executed is not told by it."""
    trials = [
        Trial(name=name, executed=executed, line=LineFault(down=0, up=None if executed else 0, insert=told))
        for name, told in NO_HTTP.items()
        for executed in (True, False)
    ]
    count_cases(run_trials(trials, debug=False))


def noted(word: str) -> Callable[[Bench, str, Told], None]:
    """The report of a cancellation by symbol names that oddity."""

    def look(case: Bench, call: str, told: Told) -> None:
        if call == "cancel-symbol-order":
            assert any(word in each for each in told.report.anomalies), told.report.anomalies

    return look


@pytest.mark.failure(21)
@pytest.mark.parametrize("executed", [True, False])
def test_a_redirect_is_not_followed(executed: bool, count_cases: Callable[[int], None]) -> None:
    """The other host, with a certificate as good as any, sees no connection and no byte."""
    for status in (301, 302, 303, 307, 308):
        heard: list[int] = []

        async def main(status: int = status, heard: list[int] = heard) -> None:
            async with FaultProxy("http://127.0.0.1:9", tls=witness()) as evil:
                url = f"{evil.base_url}/api/v2/spot/trade/cancel-symbol-order"
                await asyncio.gather(*(one(url, status, call) for call in CALLS))
                heard.extend((evil.connections, evil.heard))

        async def one(url: str, status: int, call: str) -> None:
            async with bench() as case:
                case.exchange.faults.add(call, faults.redirect(url, status=status, executed=executed))
                told = await CALLS[call](case)
                judge(case, call, told)
                word = EXECUTED[call] if executed or call == READ else None
                assert word in (told.word, None), f"{status}, {call}: {told.word}"
                noted("redirect")(case, call, told)

        run_over_sockets(main, debug=False)
        assert heard == [0, 0]
    count_cases(5 * len(CALLS))


@pytest.mark.failure(19)
def test_an_answer_that_names_another_symbol_is_noted_and_looked_into(count_cases: Callable[[int], None]) -> None:
    """The exchange's own page shows one symbol asked and another echoed: what was asked is looked at."""
    echoes = ("BGBUSDT", "btcusdt", "", "BTCUSDT_SPBL", "BTC/USDT")
    trials = [Trial(name=echo, executed=True, fault=faults.wrong_echo(echo), also=noted("symbol")) for echo in echoes]
    count_cases(run_trials(trials, ["cancel-symbol-order"]))
    lost = faults.wrong_echo("BGBUSDT") | faults.never_executed()
    count_cases(run_trials([Trial(name="and lost", executed=False, fault=lost)], ["cancel-symbol-order"]))


# -- size and time ------------------------------------------------------------------------------------------------


def packed(zeros: int) -> bytes:
    """That many zeros, compressed a thousandfold."""
    return gzip.compress(b"\0" * zeros, 9)


MUCH = 200_000_000


async def failed(sending: Awaitable[Reply], row: Endpoint) -> str:
    """Why it is not known what became of it."""
    try:
        error = decode(row, await sending).error
    except OutcomeUnknown as unknown:
        error = unknown
    assert isinstance(error, OutcomeUnknown)
    return error.reason


def bombs() -> dict[str, tuple[bytes, bytes, int]]:
    """Head, a piece of the body, how many pieces: 200 MB packed, announced, in one chunk, in many, or until the end."""
    # Gzip may be put together from parts.
    bomb, piece = packed(MUCH // 8), b"x" * 65_536
    pieces = MUCH // len(piece)
    length = b"Content-Length: %d\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "gzip": (length % (8 * len(bomb)) + b"Content-Encoding: gzip\r\n\r\n", bomb, 8),
        "br": (length % (8 * len(bomb)) + b"Content-Encoding: br\r\n\r\n", bomb, 8),
        "gzip_poured": (b"Content-Encoding: gzip\r\n" + chunks, b"%x\r\n%b\r\n" % (len(bomb), bomb), 8),
        "declared": (length % MUCH + b"\r\n", piece, pieces),
        "one_chunk": (chunks + b"%x\r\n" % MUCH, piece, pieces),
        "chunks": (chunks, b"10000\r\n" + piece + b"\r\n", pieces),
        "until_close": (b"Connection: close\r\n\r\n", piece, pieces),
    }


@pytest.mark.failure(20)
@pytest.mark.parametrize(
    "row", [CANCEL_SYMBOL_ORDER, PLACE_ORDER, CANCEL_ORDER, UNFILLED_ORDERS], ids=lambda r: r.short
)
def test_a_bomb_stays_as_small_as_it_came(
    row: Endpoint, count_cases: Callable[[int], None], figure: Callable[[str, object], None]
) -> None:
    """200 MB: not unpacked, not read on, and client and server together take less than 5 MB for it."""
    poured: list[int] = []
    worst = 0

    async def main(head: bytes, piece: bytes, pieces: int) -> int:
        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, EOFError):
                _ = await reader.readuntil(b"\r\n\r\n")
                writer.write(OK + head)
                for _ in range(pieces):
                    writer.write(piece)
                    await writer.drain()
                    # Without a turn of the loop it would not hear that the client has left.
                    await asyncio.sleep(0)
                    poured.append(len(piece))
            writer.close()

        server = await asyncio.start_server(pour, "127.0.0.1", 0, ssl=witness())
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = AiohttpTransport(
            url, VirtualClock(), ssl_context=trusting(), headers={"Accept-Encoding": "identity"}
        )
        tracemalloc.start()
        try:
            told = await failed(transport.send(Request(row, row.path, row.path, b""), dict, 5.0), row)
            assert told in ("too_large", "unreadable", "connection")
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            await transport.close()
            server.close()
        return peak

    for head, piece, pieces in bombs().values():
        worst = max(worst, run_over_sockets(partial(main, head, piece, pieces), debug=False))
    assert worst < 5_000_000, f"{worst} bytes"
    # Most of what the server got rid of lies in the kernel's buffers.
    assert sum(poured) < 7 * 16_000_000
    figure(f"bomb.{row.short}_kb", round(worst / 1000))
    count_cases(len(bombs()))


@pytest.mark.failure(20, 7)
def test_an_endless_drip_ends_with_the_time_given(count_cases: Callable[[int], None]) -> None:
    """A byte a fifth of a second keeps every idle timer happy: the time is counted over all."""

    def ended(case: Bench, call: str, told: Told) -> None:
        assert case.clock.monotonic_ns() <= 14e9

    drip = LineFault(piece_bytes=1, latency_s=0.2)
    poured = LineFault(down=0, insert=OK + b"X-Slow: ", end="hang")
    slow = [
        Trial(
            name="a slow body",
            executed=True,
            line=LineFault(down=0, insert=OK + b"Content-Length: 90\r\n\r\n{", end="hang"),
        ),
        Trial(name="a slow head", executed=True, line=poured),
    ]
    count_cases(
        run_trials(
            [Trial(name=e.name, executed=True, line=e.line, words={READ: "OutcomeUnknown"}, also=ended) for e in slow]
        )
    )

    async def one(call: str) -> None:
        async with bench() as case:
            case.proxy.play(drip, call)
            began = case.clock.monotonic_ns()
            told = await CALLS[call](case)
            judge(case, call, told)
            # The request itself drips for longer than 10 s: it never arrives whole.
            assert told.word in ("STILL_OPEN", "NOT_PLACED", "OutcomeUnknown")
            assert case.clock.monotonic_ns() - began <= 62e9

    async def main() -> None:
        await asyncio.gather(*map(one, CALLS))

    run_over_sockets(main, debug=False)
    count_cases(len(CALLS))


@pytest.mark.failure(17, 20)
def test_a_slow_or_sliced_line_changes_nothing_but_the_time(count_cases: Callable[[int], None]) -> None:
    """Pieces of 1 to 64 bytes, jitter, little bandwidth: one copy, the whole answer, acknowledged."""
    lines = [LineFault(name=f"pieces of {size}", piece_bytes=size) for size in (1, 2, 3, 7, 16, 64)]
    lines += [LineFault(name=f"{rate} B/s", bytes_per_s=rate) for rate in (500, 2_000, 20_000)]
    lines += [LineFault(name="jitter", piece_bytes=50, latency_s=(0.01, 0.3))]
    trials = [Trial(name=line.name, executed=True, line=line, acknowledged=True) for line in lines]
    count_cases(run_trials(trials, debug=False))


# -- kept connections ---------------------------------------------------------------------------------------------


@pytest.mark.failure(10, 11)
def test_a_command_that_meets_a_closing_connection_goes_out_at_most_once(count_cases: Callable[[int], None]) -> None:
    """
    FIN or RST crosses it: sent on the old connection it is in doubt and looked into, sent on a fresh one it is done; on
    the wire there is one copy, and for a read as many as tokens.
    """
    cases = [(call, reset, turns) for call in CALLS for reset in (False, True) for turns in range(5)]
    seen: list[str] = []

    async def one(call: str, reset: bool, turns: int) -> None:
        async with bench() as case:
            unused = await case.client.market.server_time()
            assert unused
            asked = asyncio.ensure_future(CALLS[call](case))
            for _ in range(turns):
                await asyncio.sleep(0)
            case.proxy.hang_up(reset=reset)
            told = await asked
            assert case.proxy.connections >= 2
            assert told.word in (EXECUTED[call], "STILL_OPEN", "NOT_PLACED")
            if call != READ:
                assert case.exchange.truth.count(call) <= 1
                assert case.begun(call) <= case.tokens.spent[call] == 1
                seen.append("acknowledged" if told.report.acknowledged else "in doubt")

    async def main() -> None:
        await asyncio.gather(*(one(*each) for each in cases))

    run_over_sockets(main)
    assert set(seen) == {"acknowledged", "in doubt"}, "both sides of the race are met"
    count_cases(len(cases))


@pytest.mark.failure(10)
def test_a_command_on_a_connection_that_the_server_has_just_left_is_in_doubt(
    count_cases: Callable[[int], None],
) -> None:
    """The server closes upon the first byte, unread: nobody can know, one copy, and the orders tell."""
    trials = [Trial(name=end, executed=False, line=LineFault(up=0, end=end)) for end in ENDS]

    async def one(trial: Trial, call: str) -> None:
        async with bench() as case:
            unused = await case.client.market.server_time()
            assert unused
            assert trial.line is not None
            case.proxy.play(trial.line, call)
            told = await CALLS[call](case)
            judge(case, call, told)
            assert case.proxy.requests[1].connection == 1 or call == "cancel-symbol-order"
            assert case.exchange.truth.count(call) == (call == READ)
            assert told.word in ("STILL_OPEN", "NOT_PLACED", "rows")

    async def main() -> None:
        await asyncio.gather(*(one(trial, call) for trial in trials for call in CALLS))

    run_over_sockets(main, debug=False)
    count_cases(len(trials) * len(CALLS))
