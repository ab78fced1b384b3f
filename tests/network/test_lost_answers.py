"""Requests and answers that are cut on the way: looked after, never sent again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

import pytest

from bitget_async.sim import LineFault, faults
from bitget_async.sim.proxy import End
from tests.network.line import CALLS, READ, Bench, Told, bench, run_over_sockets
from tests.network.trials import Trial, run_trials

ENDS: tuple[End, ...] = ("close", "reset", "half")
SILENT = {READ: "OutcomeUnknown"}
ALL_ENDS: dict[End, dict[str, str]] = {**{end: {} for end in ENDS}, "hang": SILENT, "deaf": SILENT}
BODY = b'{"symbol":"BTCUSDT"}'


def soon(case: Bench, call: str, told: Told) -> None:
    """After the 10 s of the timeout the fate was looked at, not after another timeout."""
    if told.report is not None:
        assert told.report.settled_at_ms - told.report.signed_at_ms <= 12_500


def length_of_the_request() -> int:
    """Bytes of a cancel-by-symbol on the wire: of its parts only the values of the key and the time vary."""

    async def main() -> int:
        async with bench() as case:
            pending = await case.client.cancel_symbol_orders("BTCUSDT", snapshot="none")
            heard = case.proxy.heard
            unused = await pending
            assert unused.attempts == 1
            return heard

    return run_over_sockets(main)


@pytest.mark.failure(5, 9, 11)
def test_a_request_cut_before_the_exchange_has_it_is_proven_not_executed(count_cases: Callable[[int], None]) -> None:
    """Nothing of it, its first byte, its head, half of its body passed on; then FIN, RST, or silence."""
    trials = [
        Trial(name=f"{up} bytes, then {end}", executed=False, line=LineFault(up=up, end=end), words=words)
        for up in (0, 1, 120)
        for end, words in ALL_ENDS.items()
    ]
    count_cases(run_trials(trials, debug=False))


@pytest.mark.failure(5)
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_request_cut_at_any_byte_is_not_executed_and_not_repeated(
    end: End, count_cases: Callable[[int], None]
) -> None:
    """At every byte of the body, and at every 31st of the head."""
    whole = length_of_the_request()
    head = whole - len(BODY)
    cuts = [*range(1, head, 31), *range(head, whole)]
    trials = [Trial(name=f"{cut} of {whole}", executed=False, line=LineFault(up=cut, end=end)) for cut in cuts]
    count_cases(run_trials(trials, ["cancel-symbol-order"], debug=False))


@pytest.mark.failure(6, 11)
def test_an_executed_request_without_a_whole_answer_is_told_by_evidence(count_cases: Callable[[int], None]) -> None:
    """Nothing of the answer, its first byte, part of its head; then FIN with and without a goodbye, or RST."""
    trials = [
        Trial(name=f"{down} bytes, then {end}", executed=True, line=LineFault(down=down, end=end))
        for down in (0, 1, 60, 170)
        for end in ENDS
    ]
    trials += [Trial(name="the server closes", executed=True, fault=faults.drop(executed=True))]
    trials += [Trial(name="the server resets", executed=True, fault=faults.reset(executed=True))]
    count_cases(run_trials(trials, debug=False))


@pytest.mark.failure(7, 11)
def test_silence_after_the_execution_is_looked_into_when_the_time_is_up(count_cases: Callable[[int], None]) -> None:
    """No byte of the answer, some of its head, some of its body."""
    trials = [
        Trial(name=f"{down} bytes, then silence", executed=True, line=line, words=SILENT, also=soon)
        for down in (0, 20, 200)
        for line in (LineFault(down=down, end="hang"),)
    ]
    count_cases(run_trials(trials))


@pytest.mark.failure(8)
def test_an_unanswered_command_that_runs_late_is_waited_for(count_cases: Callable[[int], None]) -> None:
    """Up to 29 s after the signing: never "still open" before the last moment at which it may run."""
    late = (0.5, 2.0, 5.0, 9.0, 11.0, 15.0, 20.0, 25.0, 29.0)
    trials = [
        Trial(name=f"{by_s} s", executed=True, fault=faults.delayed(before_s=by_s) | faults.hang(executed=True))
        for by_s in late
    ]
    count_cases(run_trials(trials, ["cancel-symbol-order", "cancel-order"], debug=False))
    # An order is not taken when it arrives later than its window.
    words = {"place-order": "NOT_PLACED"}
    placements = [
        Trial(name=each.name, executed=True, fault=each.fault, words=words if by_s > 5 else {})
        for by_s, each in zip(late, trials, strict=True)
    ]
    count_cases(run_trials(placements, ["place-order"]))


ACK = b'{"code":"00000","msg":"success","requestTime":1747574763291,"data":{"symbol":"BTCUSDT"}}'
TYPE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FRAMINGS = {
    "length": (TYPE + b"Content-Length: %d\r\n\r\n" % len(ACK), ACK),
    "chunked": (TYPE + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(ACK), ACK)),
    "until close": (TYPE + b"Connection: close\r\n\r\n", ACK),
}


@pytest.mark.failure(17)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("half", [0, 1])
def test_an_answer_cut_at_any_byte_is_no_answer(framing: str, half: int, count_cases: Callable[[int], None]) -> None:
    """Every byte of the body, three ways to say how long it is; only the whole one counts, and one chunk is not all."""
    head, body = FRAMINGS[framing]
    trials = []
    for cut in range(half, len(body) + 1, 2):
        line = LineFault(
            down=0, insert=head + body[:cut], end="reset" if cut % 4 > 1 and framing == "length" else "close"
        )
        trials.append(Trial(name=f"{cut} of {len(body)}", executed=True, line=line, acknowledged=cut == len(body)))
    count_cases(run_trials(trials, ["cancel-symbol-order"], debug=False))


@pytest.mark.failure(17)
def test_the_exchanges_own_answer_cut_at_any_byte_is_no_answer(count_cases: Callable[[int], None]) -> None:
    """Head and body as the server sends them, with RST; commands that answer with ids too."""
    trials = [
        Trial(name=f"{cut} bytes", executed=True, line=LineFault(down=cut, end="reset")) for cut in range(5, 200, 13)
    ]
    count_cases(run_trials(trials, [call for call in CALLS if call != "cancel-symbol-order"], debug=False))


def sockets_to(port: int) -> int:
    """How many sockets of this process are connected to that port."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as twin:
            peer = twin.getpeername()
            count += isinstance(peer, tuple) and peer[1] == port
    return count


@pytest.mark.failure(7, 51)
def test_a_lost_request_leaves_no_socket_behind(count_cases: Callable[[int], None]) -> None:
    """On a dead line nobody answers TLS's goodbye, and asyncio would wait for it for half a minute after `close()`."""

    async def one(call: str) -> None:
        async with bench() as case:
            case.proxy.play(LineFault(up=0, end="deaf"), call, times=None)
            unused = await CALLS[call](case)
            assert unused.rows is None
            await case.client.close()
            for _ in range(3):
                await asyncio.sleep(0)
            assert sockets_to(int(case.proxy.base_url.rpartition(":")[2])) == 0

    async def main() -> None:
        for call in CALLS:
            await one(call)

    run_over_sockets(main, debug=False)
    count_cases(len(CALLS))
