"""What is told of tokens, requests, quotas and the clock, with real traffic against the simulator."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    BucketTightened,
    ClockSynchronised,
    ForeignUse,
    LocalLimits,
    NotSent,
    OutcomeUnknown,
    Refused,
    RequestEnded,
    RequestEvent,
    RequestStarted,
    StreamState,
    TokenMissed,
    TokenTaken,
    UnknownSymbol,
)
from bitget_async.endpoints import CANCEL_ORDER, ORDER_INFO
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import client_of
from tests.events.telling_tales import in_short, story
from tests.heard import Heard

LIMIT: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}


def test_one_read_is_told_from_the_token_to_the_answer() -> None:
    """Each figure of it: names, bytes, status, code, and where its time went."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = await client.account.assets("USDT")

    heard = story(main)
    (taken,), (started,), (ended,) = heard.of(TokenTaken), heard.of(RequestStarted), heard.of(RequestEnded)
    assert taken.request == started.request == ended.request
    assert (taken.waited_s, taken.first, taken.calls) == (0.0, False, ())
    assert (started.method, started.path) == ("GET", "/api/v2/spot/account/assets")
    assert (ended.endpoint, ended.copy, ended.certainty) == ("assets", 1, "accepted")
    assert (ended.http_status, ended.code, ended.reason) == (200, "00000", "")
    assert ended.sent_bytes == 0
    assert ended.received_bytes > 100
    # 20 ms each way.
    assert ended.wire_s == pytest.approx(0.04, abs=0.001)
    assert (ended.queue_s, ended.decode_s) == (0.0, 0.0)
    assert ended.at_ns - started.at_ns == pytest.approx(40_000_000, abs=1_000_000)


def test_the_bytes_that_are_told_are_those_that_arrived() -> None:
    """Summed over a mixture of calls, on an exchange on which nothing is lost."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest("BTCUSDT", 3, age_s=60)
        _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        _ = await (await client.cancel_symbol_orders("BTCUSDT"))
        _ = await client.history_orders("BTCUSDT")
        ended = heard.of(RequestEnded)
        assert sum(each.sent_bytes for each in ended) == sum(len(copy.body) for copy in exchange.truth.wire)
        assert len(ended) == exchange.truth.count()
        counts = client.snapshot().requests
        assert sum(counts.values()) == len(ended)
        assert {name: exchange.truth.count(name) for name in counts} == counts

    _ = story(main)


def test_a_wait_for_a_token_is_told_when_it_is_over() -> None:
    """Ten placements a second: the eleventh waits until the first token is back, 1.004 s after its answer."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        placing = [client.place_order("BTCUSDT", "buy", "limit", **LIMIT) for _ in range(11)]
        _ = await asyncio.gather(*placing)

    heard = story(main)
    waits = [each.waited_s for each in heard.of(TokenTaken) if each.endpoint == "place-order"]
    assert waits == [0.0] * 10 + [pytest.approx(1.05, abs=0.01)]
    queued = [each.queue_s for each in heard.of(RequestEnded) if each.endpoint == "place-order"]
    assert sorted(queued) == waits


def test_a_read_in_the_background_waits_in_both_of_its_lines() -> None:
    """Half of each read quota is for those who watch; the wait for that half is a wait like the other."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        session = client._open().session
        reads = [session.background(ORDER_INFO, {"order_id": "7"}) for _ in range(11)]
        _ = await asyncio.gather(*reads, return_exceptions=True)

    taken = story(main).of(TokenTaken)
    assert [each.waited_s for each in taken] == [0.0] * 10 + [pytest.approx(1.044, abs=0.001)]
    assert all(each.first for each in taken)


def test_a_token_that_cannot_be_had_in_time_is_told() -> None:
    """With the expected wait; and nothing is on the wire."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        calls = [client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id=str(n), max_wait_s=0) for n in range(11)]
        _ = await asyncio.gather(*calls, return_exceptions=True)

    heard = story(main)
    (missed,) = heard.of(TokenMissed)
    assert (missed.reason, missed.waited_s) == ("rate_limit", 0.0)
    assert missed.expected_wait_s == pytest.approx(1.004)
    assert len(heard.of(RequestStarted)) == 10


def test_who_leaves_the_line_or_is_closed_out_of_it_is_told_of() -> None:
    """Two calls wait for the only free token: one is cancelled, the other one's client closes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        calls = [client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id=str(n)) for n in range(12)]
        tasks = [asyncio.ensure_future(each) for each in calls]
        await asyncio.sleep(0.001)
        tasks[10].cancel()
        await asyncio.sleep(0.3)
        await client.close()
        _ = await asyncio.gather(*tasks, return_exceptions=True)

    heard = story(main)
    assert [each.reason for each in heard.of(TokenMissed)] == ["cancelled", "closed"]
    assert [each.expected_wait_s for each in heard.of(TokenMissed)] == [None, None]


FAULTS: dict[str, tuple[Any, str]] = {
    "refused": (faults.envelope("43012"), "refused 43012"),
    "a claim": (faults.envelope("43001"), "refused 43001"),
    "a doubtful code": (faults.envelope("45001"), "unknown 45001 code"),
    "a code that is none": (faults.envelope("you sent pass"), "unknown unreadable code"),
    "a page without an envelope": (faults.page(502, executed=False), "unknown http_status"),
    "a dropped connection": (faults.drop(executed=True), "unknown connection"),
    "no answer": (faults.hang(executed=False), "unknown timeout"),
    "a redirect": (faults.redirect("http://127.0.0.1/elsewhere"), "unknown redirect"),
    "rubbish": (faults.raw(b"<html>"), "unknown unreadable"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_end_of_a_command_says_what_is_proven(name: str) -> None:
    """The same words as the errors: refused, unknown and why; the code where it is one."""
    fault, end = FAULTS[name]

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("cancel-order", fault)
        with pytest.raises((Refused, OutcomeUnknown)):
            await client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id="7")

    heard = story(main)
    (ended,) = heard.of(RequestEnded)
    assert in_short([ended]) == [f"RequestEnded cancel-order {end}"]
    assert ended.sent_bytes > 0
    assert ended.wire_s > 0


def test_each_copy_of_a_repeated_read_is_told() -> None:
    """One request, three copies: each with its token and its end."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("assets", faults.drop(executed=True), times=2)
        _ = await client.account.assets()

    heard = story(main)
    assert [each.copy for each in heard.of(RequestEnded)] == [1, 2, 3]
    assert len({each.request for each in heard.of(RequestEnded)}) == 1
    assert [each.certainty for each in heard.of(RequestEnded)] == ["unknown", "unknown", "accepted"]


def test_what_no_connection_took_was_not_sent() -> None:
    """Proven: no byte left, and none is counted."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        await exchange.close()
        with pytest.raises(NotSent):
            await client.call(CANCEL_ORDER, symbol="BTCUSDT", order_id="7", max_wait_s=0.2)
        assert client.snapshot().requests == {}
        assert {each.reason for each in client.snapshot().errors} == {"connect"}

    heard = story(main)
    for ended in heard.of(RequestEnded):
        assert in_short([ended]) == ["RequestEnded cancel-order not_sent connect"]


def test_a_read_whose_caller_has_gone_is_unknown() -> None:
    """It was on the wire: what became of it, nobody waits for."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        reading = asyncio.ensure_future(client.account.assets())
        await asyncio.sleep(0.01)
        reading.cancel()
        _ = await asyncio.gather(reading, return_exceptions=True)

    heard = story(main)
    assert in_short(list(heard.of(RequestEnded))) == ["RequestEnded assets unknown cancelled"]


def test_a_refused_read_is_told_with_its_code() -> None:
    """A user's typo looks like one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        with pytest.raises(UnknownSymbol):
            _ = await client.market.symbols("NOPEUSDT")
        (error,) = client.snapshot().errors
        assert (error.endpoint, error.error, error.code, error.reason) == ("symbols", "UnknownSymbol", "40034", "")

    heard = story(main)
    assert in_short(list(heard.of(RequestEnded))) == ["RequestEnded symbols refused 40034"]


# -- quotas -------------------------------------------------------------------------------------------------------


@pytest.mark.failure(58)
def test_too_many_requests_tighten_the_bucket_and_show_foreign_use() -> None:
    """We had kept the limit: somebody else is there. Told each time, and counted."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("place-order", faults.envelope("429", status=429), times=2)
        _ = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        (bucket,) = [each for each in client.snapshot().buckets if each.endpoint == "place-order"]
        assert (bucket.quota, bucket.refusals) == (10, 2)
        assert bucket.free < 10

    heard = story(main)
    told = [each for each in heard.events if isinstance(each, (ForeignUse, BucketTightened))]
    assert in_short(told) == [
        "ForeignUse place-order refused 0",
        "BucketTightened place-order 10 1",
        "ForeignUse place-order refused 0",
        "BucketTightened place-order 10 2",
    ]


@pytest.mark.failure(58)
def test_a_header_that_leaves_fewer_calls_than_ours_shows_foreign_use() -> None:
    """A second client of the account with limits of its own spends six of ten: the first one sees it by its answer."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        async with client_of(exchange, limits=LocalLimits()) as other:
            for _ in range(6):
                _ = await other.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        _ = await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)
        (bucket,) = [each for each in client.snapshot().buckets if each.endpoint == "place-order"]
        # Ten, less the six of the other and the one that was just used.
        assert bucket.free == 3

    heard = story(main, request_latency_s=0.001, answer_latency_s=0.001)
    assert in_short(list(heard.of(ForeignUse))) == ["ForeignUse place-order remaining 6"]


def test_with_nobody_else_there_is_no_foreign_use() -> None:
    """The whole quota for three seconds: it does not cry wolf."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        placing = [client.place_order("BTCUSDT", "buy", "limit", **LIMIT) for _ in range(35)]
        _ = await asyncio.gather(*placing)

    heard = story(main)
    assert not heard.of(ForeignUse)
    assert not heard.of(BucketTightened)


# -- the clock ----------------------------------------------------------------------------------------------------


@pytest.mark.failure(22)
def test_the_clock_is_told_when_it_is_set_and_not_when_it_is_known_better() -> None:
    """An exchange 5 s ahead: set by the first answer, and once more where it refuses a timestamp."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        for _ in range(3):
            _ = await client.market.server_time()
        exchange.faults.add("assets", faults.envelope("40008"))
        _ = await client.account.assets()
        clock = client.snapshot().clock
        assert clock.synchronised
        assert clock.offset_ms == pytest.approx(5_000, abs=25)
        assert clock.uncertainty_ms is not None
        assert clock.uncertainty_ms <= 25

    heard = story(main, clock_offset_ms=5_000)
    first, again = heard.of(ClockSynchronised)
    assert (first.cause, again.cause) == ("first", "refused")
    assert first.offset_ms == pytest.approx(5_000, abs=25)
    # One stamp alone may be a stale copy: until a second one agrees this machine's own clock may be right too.
    assert first.uncertainty_ms >= 4_900
    assert again.uncertainty_ms <= 25


def test_a_clock_that_moves_is_told_when_two_answers_agree() -> None:
    """Another server behind the address, a minute off: one answer alone is not believed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        server = client._open().session
        for _ in range(2):
            _ = await client.market.server_time()
        before_ms = server.server.estimate_ms(server.clock.monotonic_ns())
        exchange.faults.clear()
        for number in range(2):
            await asyncio.sleep(1)
            body = '{"code":"00000","msg":"success","requestTime":%d,"data":{"serverTime":"1"}}'
            moved_ms = before_ms + 60_000 + round((number + 1) * 1_040) - 20
            exchange.faults.add("time", faults.raw((body % moved_ms).encode()))
            _ = await client.market.server_time()
            assert len(heard.of(ClockSynchronised)) == 1 + number

    heard = story(main)
    assert [each.cause for each in heard.of(ClockSynchronised)] == ["first", "moved"]
    assert heard.of(ClockSynchronised)[1].offset_ms == pytest.approx(60_000, abs=100)


# -- over the stream ----------------------------------------------------------------------------------------------


def over_stream(main: Any, **settings: Any) -> Heard:
    """With a client that trades over the stream, which is up; what it told before is left out."""

    async def whole(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        assert await client.stream.wait_state(StreamState.LIVE) is StreamState.LIVE
        await asyncio.sleep(2.5)
        await main(exchange, client, heard)

    return story(whole, options={"trade_over": "stream"}, **settings)


def commands(heard: Heard) -> list[str]:
    """What is told of placements on the wire."""
    return in_short([each for each in heard.of(RequestEvent) if each.endpoint == "place-order"])


def test_a_command_over_the_stream_is_told_like_a_request() -> None:
    """With `WS` for the method, and no status; it counts among the requests."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        assert client.snapshot().requests["place-order"] == 1

    heard = over_stream(main)
    assert commands(heard) == [
        "TokenTaken place-order for 1",
        "RequestStarted place-order for 1",
        "RequestEnded place-order for 1 accepted 00000",
    ]
    (ended,) = [each for each in heard.of(RequestEnded) if each.endpoint == "place-order"]
    assert (ended.method, ended.path, ended.http_status) == ("WS", "/v2/ws/private", None)
    assert ended.sent_bytes > 100
    assert 0 < ended.wire_s < 0.04


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (faults.envelope("43012"), "refused 43012"),
        (faults.envelope("45001"), "unknown 45001 code"),
        (faults.hang(executed=True), "unknown timeout"),
    ],
)
def test_what_becomes_of_it_over_the_stream_is_told_in_the_same_words(fault: Any, end: str) -> None:
    """Refused, doubtful, and lost."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("place-order", fault)
        with contextlib.suppress(Refused):
            _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT)).settled()

    assert commands(over_stream(main))[-1] == f"RequestEnded place-order for 1 {end}"


def test_a_command_that_the_stream_refuses_goes_again_over_rest() -> None:
    """Two requests for one handle: the second one has a token of its own."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("place-order", faults.envelope("40014"))
        _ = await (await client.place_order("BTCUSDT", "buy", "limit", **LIMIT))

    heard = over_stream(main)
    assert commands(heard) == [
        "TokenTaken place-order for 1",
        "RequestStarted place-order for 1",
        "RequestEnded place-order for 1 refused 40014",
        "TokenTaken place-order for 1",
        "RequestStarted place-order for 1",
        "RequestEnded place-order for 1 accepted 00000",
    ]
    assert [each.method for each in heard.of(RequestEnded) if each.calls][:2] == ["WS", "POST"]


def test_a_caller_who_is_closed_out_of_the_stream_leaves_an_unknown_end() -> None:
    """The command is on its way when the client closes."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        placing = asyncio.ensure_future(client.place_order("BTCUSDT", "buy", "limit", **LIMIT))
        await asyncio.sleep(0.001)
        await client.close()
        _ = await asyncio.gather(placing, return_exceptions=True)

    assert commands(over_stream(main))[-1].startswith("RequestEnded place-order for 1 unknown c")


def test_a_refusal_for_ever_is_counted_for_ever() -> None:
    """Fifty errors are kept, and all of them are counted."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("assets", faults.envelope("40034"), times=None)
        for _ in range(60):
            with pytest.raises(Refused):
                _ = await client.account.assets()
        snapshot = client.snapshot()
        assert (snapshot.failed, len(snapshot.errors)) == (60, 50)
        assert snapshot.errors[0].at_ms < snapshot.errors[-1].at_ms

    _ = story(main)
