"""No connection, no byte: proven not sent, repeated while that may help, and never past a bad certificate."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
import trustme

from bitget_async import NotSent
from bitget_async.sim import FaultProxy, LineFault
from bitget_async.sim.proxy import End
from tests.network.line import CALLS, EXECUTED, READ, Bench, authority, bench, judge, run_over_sockets, serving

SECONDS = 10.0
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """
    How no connection comes about, for as long as it is tried.

    Attributes:
        url: where the client goes instead of the proxy.
        certificate: what the server shows.
        arrange: done to the proxy.
        reason: of the `NotSent`.
        tries: whether it is tried again within the time.
    """

    url: str = ""
    certificate: Callable[[], trustme.LeafCert] | None = None
    arrange: Callable[[FaultProxy], Any] | None = None
    reason: str = "connect"
    tries: bool = True


def at_accept(fault: LineFault) -> Callable[[FaultProxy], None]:
    """Play it on every connection."""
    return lambda proxy: proxy.play(fault, times=None)


NOWHERE = {
    "the name does not resolve": Way(url="https://no-such-name.invalid"),
    "the resolver hangs": Way(url="https://hanging-name.invalid", tries=False),
    "refused": Way(arrange=FaultProxy.refuse),
    "unreachable": Way(url="https://255.255.255.255"),
    "the backlog is full": Way(arrange=FaultProxy.ignore, tries=False),
    "reset when accepted": Way(arrange=at_accept(LineFault(stage="accept", end="reset"))),
    "closed when accepted": Way(arrange=at_accept(LineFault(stage="accept", end="close"))),
}
NO_TLS = {
    "the handshake hangs": Way(arrange=at_accept(LineFault(stage="accept", end="hang")), tries=False),
    "the handshake is never read": Way(arrange=at_accept(LineFault(stage="accept", end="deaf")), tries=False),
    "HTTP instead of TLS": Way(
        arrange=at_accept(LineFault(stage="accept", insert=b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        reason="tls",
        tries=False,
    ),
    "garbage instead of TLS": Way(
        arrange=at_accept(LineFault(stage="accept", insert=bytes(range(256)))), reason="tls", tries=False
    ),
}
BAD_CERTIFICATES = {
    "wrong authority": Way(certificate=lambda: trustme.CA().issue_cert("127.0.0.1"), reason="tls", tries=False),
    "wrong host": Way(certificate=lambda: authority().issue_cert("api.example"), reason="tls", tries=False),
    "expired": Way(
        certificate=lambda: authority().issue_cert("127.0.0.1", not_before=NOW - 9 * DAY, not_after=NOW - DAY),
        reason="tls",
        tries=False,
    ),
    "not yet valid": Way(
        certificate=lambda: authority().issue_cert("127.0.0.1", not_before=NOW + DAY, not_after=NOW + 9 * DAY),
        reason="tls",
        tries=False,
    ),
    "right number, other address": Way(
        certificate=lambda: authority().issue_cert("127.0.0.2"), reason="tls", tries=False
    ),
}


async def resolved(self: object, host: str, *rest: Any, **options: Any) -> list[Any]:
    """A resolver without an answer, or with none ever."""
    if host.startswith("hanging"):
        await asyncio.sleep(3600)
    raise OSError(f"no address of {host}")


def tried(ways: dict[str, Way]) -> int:
    """Each way with each call; how many."""
    cases = [(name, way, call) for name, way in ways.items() for call in CALLS]
    contexts: dict[str, ssl.SSLContext | None] = {
        name: None if way.certificate is None else serving(way.certificate()) for name, way in ways.items()
    }
    problems: list[str] = []

    async def one(name: str, way: Way, call: str) -> None:
        try:
            async with bench(tls=contexts[name], url=way.url, timeout_s=SECONDS) as case:
                await _one(case, way, call)
        except Exception as error:
            problems.append(f"{name}, {call}: {type(error).__name__}: {error}")

    async def main() -> None:
        with mock.patch("aiohttp.resolver.ThreadedResolver.resolve", resolved):
            await asyncio.gather(*(one(*case) for case in cases))

    run_over_sockets(main)
    assert not problems, "\n".join(problems)
    return len(cases)


async def _one(case: Bench, way: Way, call: str) -> None:
    if way.arrange is not None and (waiting := way.arrange(case.proxy)) is not None:
        await waiting
    began = case.clock.monotonic_ns()
    told = await CALLS[call](case)
    took_s = (case.clock.monotonic_ns() - began) / 1e9
    # The listing beside a cancellation has its own 5 s.
    await asyncio.sleep(6)
    judge(case, call, told)
    assert isinstance(told.error, NotSent), f"{told.word}: {told.error}"
    assert told.error.reason == way.reason
    assert took_s <= SECONDS + 1
    assert (case.tokens.taken[call] > 1) is way.tries, f"{case.tokens.taken[call]} tries in {took_s} s"
    assert case.tokens.spent[call] == 0
    assert (case.proxy.heard, case.proxy.requests, case.exchange.truth.count()) == (0, [], 0)
    assert case.client.pending == ()
    assert case.open() == set(case.ids)


@pytest.mark.failure(1, 2, 3)
def test_where_there_is_no_connection_nothing_is_sent(count_cases: Callable[[int], None]) -> None:
    """No address, nobody there, nobody who accepts: the server hears no byte, and the time given is kept."""
    count_cases(tried(NOWHERE))


@pytest.mark.failure(4)
def test_where_there_is_no_tls_nothing_is_sent(count_cases: Callable[[int], None]) -> None:
    """A server that says nothing, or something else: no byte of HTTP is heard."""
    count_cases(tried(NO_TLS))


@pytest.mark.failure(4)
def test_a_bad_certificate_ends_the_call_at_once(count_cases: Callable[[int], None]) -> None:
    """One try: it does not pass, and whoever stands there gets no byte of HTTP."""
    count_cases(tried(BAD_CERTIFICATES))


@pytest.mark.failure(1, 2, 3, 4)
def test_a_connection_that_comes_about_late_is_used(count_cases: Callable[[int], None]) -> None:
    """Two failed connections, then a good one: the command goes out once, stamped anew, and is confirmed."""
    ends: tuple[End, ...] = ("reset", "close")
    cases = [(end, call) for end in ends for call in CALLS]

    async def one(end: End, call: str) -> None:
        async with bench() as case:
            case.proxy.play(LineFault(stage="accept", end=end), times=2)
            told = await CALLS[call](case)
            judge(case, call, told)
            assert told.word == EXECUTED[call], f"{end}, {call}: {told.error}"
            if call != READ:
                assert case.begun(call) == 1
                assert all(0 <= (each.timestamp_age_ms or 0) <= 50 for each in case.exchange.truth.copies(call))

    async def main() -> None:
        await asyncio.gather(*(one(*each) for each in cases))

    run_over_sockets(main)
    count_cases(len(cases))


@pytest.mark.failure(2, 3)
def test_a_server_that_comes_back_is_found_again(count_cases: Callable[[int], None]) -> None:
    """Refused for a while within the time given, on a port that listens again."""

    async def one(call: str) -> None:
        async with bench() as case:
            await case.proxy.refuse()
            told, _ = await asyncio.gather(CALLS[call](case), _back(case.proxy))
            judge(case, call, told)
            assert told.word == EXECUTED[call], f"{call}: {told.error}"
            assert case.tokens.taken[call] > 1

    async def main() -> None:
        await asyncio.gather(*map(one, CALLS))

    run_over_sockets(main)
    count_cases(len(CALLS))


async def _back(proxy: FaultProxy) -> None:
    await asyncio.sleep(2.0)
    await proxy.listen()
