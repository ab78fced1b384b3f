"""What a client does against the simulator, as OpenTelemetry exports it: whole traces, and the metrics of the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from bitget_async import BitgetClient, NotSent, Refused
from bitget_async.sim import SYMBOLS, SimulatedExchange, faults
from bitget_async.telemetry import Telemetry
from tests.conftest import with_exchange
from tests.telemetry.telling import Desk, id_of, parent_of

MS_NS = 1_000_000
TRADE = "/api/v2/spot/trade"


def ms_of(span: ReadableSpan, since: ReadableSpan) -> tuple[int, int]:
    """Beginning and end of a span in milliseconds since that of another one."""
    assert span.start_time is not None
    assert span.end_time is not None
    assert since.start_time is not None
    return round((span.start_time - since.start_time) / MS_NS), round((span.end_time - since.start_time) / MS_NS)


def told(span: ReadableSpan) -> dict[str, Any]:
    """The attributes, without the numbers that only this process knows."""
    left_out = ("bitget.call", "bitget.calls", "bitget.request", "server.port", "url.full")
    return {name: value for name, value in (span.attributes or {}).items() if name not in left_out}


def named(desk: Desk, name: str) -> list[ReadableSpan]:
    """The spans of that name, in the order in which they began."""
    return sorted((each for each in desk.spans if each.name == name), key=lambda each: each.start_time or 0)


def test_one_confirmed_cancellation_is_one_trace() -> None:
    """The whole of it: a parent from the call to the proof, and each request below it with what it was and did."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 3)
        with Telemetry(client, **desk.options), desk.tracers.get_tracer("bot").start_as_current_span("requote"):
            pending = await client.cancel_symbol_orders("BTCUSDT")
            report = await pending
        assert report.requests == {"cancel-symbol-order": 1, "unfilled-orders": 3, "history-orders": 1}

    with_exchange(main)
    *requests, call, requote = desk.spans
    assert requote.name == "requote"
    assert parent_of(call) == id_of(requote)
    assert {each.context.trace_id for each in desk.spans if each.context} == {requote.get_span_context().trace_id}  # type: ignore[union-attr]
    assert (call.name, call.kind, call.status.status_code) == (
        "cancel-symbol-order",
        SpanKind.INTERNAL,
        StatusCode.UNSET,
    )
    assert told(call) == {
        "bitget.kind": "cancellation",
        "bitget.command": "cancel-symbol-order",
        "bitget.symbol": "BTCUSDT",
        "bitget.state": "settled",
        "bitget.outcome": "CONFIRMED",
        "bitget.acknowledged": True,
        "bitget.attempts": 1,
        "bitget.reads": 4,
        "bitget.reads.shared": 0,
        "bitget.orders": 3,
        "bitget.orders.cancelled": 3,
    }
    # 20 ms each way; the deciding look is 2 s after the signing.
    assert ms_of(call, call) == (0, 2040)
    marks = [(each.name, round((each.timestamp - (call.start_time or 0)) / MS_NS)) for each in call.events]
    assert [name for name, _ in marks] == ["signed", "answered", "cleared"]
    assert [marks[0][1], marks[1][1]] == [0, 40]
    assert [parent_of(each) for each in requests] == [id_of(call)] * 5
    assert [each.links for each in requests] == [()] * 5
    command, *reads = sorted(requests, key=lambda each: (each.name[:3] == "GET", each.start_time))
    assert told(command) == {
        "bitget.endpoint": "cancel-symbol-order",
        "bitget.certainty": "accepted",
        "bitget.code": "00000",
        "bitget.queue.duration": 0.0,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "url.template": f"{TRADE}/cancel-symbol-order",
    }
    assert (command.name, command.kind) == (f"POST {TRADE}/cancel-symbol-order", SpanKind.CLIENT)
    assert ms_of(command, call) == (0, 40)
    assert sorted(each.name for each in reads) == [f"GET {TRADE}/history-orders"] + [f"GET {TRADE}/unfilled-orders"] * 3
    # The snapshot beside the command, the look for `cleared`, and the deciding one with the history.
    assert [ms_of(each, call)[0] for each in reads if each.name.endswith("unfilled-orders")][::2] == [0, 2000]
    for read in reads:
        began, ended = ms_of(read, call)
        assert ended - began == 40
        assert told(read)["url.template"] == read.name.removeprefix("GET ")


def test_its_metrics_are_the_same_story() -> None:
    """Latency of the answer and of the proof, reads spent, fates, and the tokens that are left while it goes on."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 3)
        with Telemetry(client, **desk.options):
            pending = await client.cancel_symbol_orders("BTCUSDT")
            free = {dict(each)["bitget.endpoint"]: count for each, count in desk.points("bitget.tokens.free").items()}
            assert free["cancel-symbol-order"] == 4
            assert desk.points("bitget.calls.pending") == {(("bitget.kind", "cancellation"),): 1}
            assert len(desk.points("bitget.clock.offset")) == 1
            _ = await pending
            assert desk.points("bitget.calls.pending") == {}
            free = {dict(each)["bitget.endpoint"]: count for each, count in desk.points("bitget.tokens.free").items()}
            assert free["cancel-symbol-order"] == 5

    with_exchange(main)
    kind = ("bitget.kind", "cancellation")
    ((count, total),) = desk.points("bitget.ack.duration").values()
    assert (count, round(total, 3)) == (1, 0.04)
    ((count, total),) = desk.points("bitget.confirmation.duration").values()
    assert (count, round(total, 3)) == (1, 2.04)
    assert desk.points("bitget.outcomes") == {(kind, ("bitget.outcome", "CONFIRMED")): 1}
    assert desk.points("bitget.fates") == {(("bitget.fate", "cancelled"),): 3}
    reads = {dict(each)["bitget.endpoint"]: count for each, count in desk.points("bitget.reads").items()}
    assert reads == {"unfilled-orders": 3, "history-orders": 1}
    durations = desk.points("http.client.request.duration")
    assert {dict(each)["url.template"]: count for each, (count, _) in durations.items()} == {
        f"{TRADE}/cancel-symbol-order": 1,
        f"{TRADE}/unfilled-orders": 3,
        f"{TRADE}/history-orders": 1,
    }


def test_two_cancellations_share_their_reads_and_each_trace_leads_to_them() -> None:
    """A read is below the first of them, and linked to the other one."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            _ = exchange.rest(symbol, 2)
        with Telemetry(client, **desk.options):
            both = await asyncio.gather(*(client.cancel_symbol_orders(each) for each in ("BTCUSDT", "ETHUSDT")))
            for each in both:
                _ = await each

    with_exchange(main)
    first, second = named(desk, "cancel-symbol-order")
    reads = [each for each in desk.spans if each.name.startswith("GET")]
    assert len(reads) == 4
    for read in reads:
        assert parent_of(read) == id_of(first)
        assert [link.context for link in read.links] == [second.get_span_context()]
    commands = named(desk, f"POST {TRADE}/cancel-symbol-order")
    assert [parent_of(each) for each in commands] == [id_of(first), id_of(second)]
    assert [(told(each)["bitget.reads"], told(each)["bitget.reads.shared"]) for each in (first, second)] == [(4, 4)] * 2


def test_an_answer_that_is_lost_fails_its_request_and_not_its_call() -> None:
    """The command was executed: the reads prove it, and the call is a yes."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 2)
        exchange.faults.add("cancel-symbol-order", faults.drop(executed=True))
        with Telemetry(client, **desk.options):
            _ = await (await client.cancel_symbol_orders("BTCUSDT"))

    with_exchange(main, options={"timeout_s": 1.0})
    (command,) = named(desk, f"POST {TRADE}/cancel-symbol-order")
    (call,) = named(desk, "cancel-symbol-order")
    assert command.status.status_code is StatusCode.ERROR
    assert told(command)["bitget.certainty"] == "unknown"
    assert told(command)["error.type"]
    assert "http.response.status_code" not in told(command)
    assert call.status.status_code is StatusCode.UNSET
    assert (told(call)["bitget.outcome"], told(call)["bitget.acknowledged"]) == ("CONFIRMED", False)
    assert list(desk.points("bitget.ack.duration")) == [
        (("bitget.acknowledged", False), ("bitget.kind", "cancellation"))
    ]


def test_a_refusal_fails_both() -> None:
    """Nothing was executed, and the caller got an error: so does the trace, with the exchange's code."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with Telemetry(client, **desk.options):
            with pytest.raises(Refused) as refused:
                _ = await client.cancel_symbol_orders("NOSUCHUSDT")
            codes.append(refused.value.code)

    codes: list[str] = []
    with_exchange(main)
    (command,) = named(desk, f"POST {TRADE}/cancel-symbol-order")
    (call,) = named(desk, "cancel-symbol-order")
    assert told(command)["bitget.code"] == told(call)["bitget.reason"] == codes[0]
    assert told(command)["bitget.certainty"] == "refused"
    assert (told(call)["bitget.state"], told(call)["error.type"]) == ("refused", "refused")
    assert [each.status.status_code for each in (command, call)] == [StatusCode.ERROR] * 2
    assert desk.points("bitget.confirmation.duration") == {}


def test_what_gets_no_token_in_time_has_a_span_and_no_request() -> None:
    """The trace of a slow minute shows what never left."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with Telemetry(client, **desk.options):
            several = [client.cancel_symbol_orders(f"S{each}USDT", max_wait_s=0.0) for each in range(6)]
            found = await asyncio.gather(*several, return_exceptions=True)
            assert sum(isinstance(each, NotSent) for each in found) == 1

    with_exchange(main)
    (call,) = [each for each in named(desk, "cancel-symbol-order") if told(each)["bitget.state"] == "not_sent"]
    assert told(call)["bitget.reason"] == "rate_limit"
    assert not [each for each in desk.spans if parent_of(each) == id_of(call)]
    assert desk.points("bitget.tokens.missed") == {
        (("bitget.endpoint", "cancel-symbol-order"), ("bitget.reason", "rate_limit")): 1
    }


def test_a_stop_of_several_symbols_is_a_tree() -> None:
    """The stop, its commands below it, and below each command its request; what it lists itself is the stop's own."""
    desk = Desk()
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for symbol in symbols:
            _ = exchange.rest(symbol, 2)
        with Telemetry(client, **desk.options):
            with desk.tracers.get_tracer("bot").start_as_current_span("shutdown"):
                stopping = await client.cancel_all_orders()
            _ = await stopping

    with_exchange(main)
    (shutdown,), (stop,) = named(desk, "shutdown"), named(desk, "cancel_all_orders")
    assert parent_of(stop) == id_of(shutdown)
    assert told(stop)["bitget.outcome"] == "CONFIRMED"
    assert told(stop)["bitget.orders"] == 6
    calls = named(desk, "cancel-symbol-order")
    assert sorted(told(each)["bitget.symbol"] for each in calls) == list(symbols)
    assert [parent_of(each) for each in calls] == [id_of(stop)] * 3
    commands = named(desk, f"POST {TRADE}/cancel-symbol-order")
    assert sorted(str(parent_of(each)) for each in commands) == sorted(id_of(each) for each in calls)
    survey, *_ = named(desk, f"GET {TRADE}/unfilled-orders")
    assert parent_of(survey) == id_of(stop)
    assert {each.get_span_context().trace_id for each in desk.spans} == {shutdown.get_span_context().trace_id}  # type: ignore[union-attr]


def test_requests_of_the_program_are_below_its_own_span() -> None:
    """And those that are made for all, whoever began, are below nobody's: the stranger's span has long ended."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 1)
        tracer = desk.tracers.get_tracer("bot")
        with Telemetry(client, **desk.options):
            with tracer.start_as_current_span("look"):
                _ = await client.unfilled_orders("BTCUSDT")
            with tracer.start_as_current_span("hold"):
                async with client.stream.orders("BTCUSDT"):
                    await client.open_orders.ready()

    with_exchange(main)
    (look,) = named(desk, "look")
    mine, *others = named(desk, f"GET {TRADE}/unfilled-orders")
    assert parent_of(mine) == id_of(look)
    assert others
    assert [each.parent for each in others] == [None] * len(others)


def test_detached_it_is_silent() -> None:
    """Nothing is told, and the client does what it did."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 1)
        telemetry = Telemetry(client, **desk.options).attach()
        telemetry.detach()
        assert (await (await client.cancel_symbol_orders("BTCUSDT"))).proven

    with_exchange(main)
    assert desk.spans == []
    assert desk.metrics() == []


def test_nothing_is_held_when_all_has_settled() -> None:
    """A bot runs for months."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        telemetry = Telemetry(client, **desk.options).attach()
        for _ in range(5):
            handles = await asyncio.gather(*(client.cancel_symbol_orders(each) for each in list(SYMBOLS)[:4]))
            for handle in handles:
                _ = await handle.settled()
        await asyncio.sleep(10)
        assert repr(telemetry) == "<Telemetry attached, 0 spans open>"
        assert vars(telemetry)["_parts"][1].open == 0

    with_exchange(main)


def test_a_closing_client_ends_its_spans() -> None:
    """What is not proven then is unknown, and the trace says so."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 1)
        telemetry = Telemetry(client, **desk.options).attach()
        _ = await client.cancel_symbol_orders("BTCUSDT")
        await client.close()
        assert repr(telemetry) == "<Telemetry attached, 0 spans open>"

    with_exchange(main)
    (call,) = named(desk, "cancel-symbol-order")
    assert (told(call)["bitget.outcome"], told(call)["bitget.reason"]) == ("UNKNOWN", "client_closed")
    assert call.status.status_code is StatusCode.ERROR


def test_placements_and_batches_are_traced_as_cancellations_are() -> None:
    """One row for each kind of handle."""
    desk = Desk()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with Telemetry(client, **desk.options):
            order: dict[str, Any] = {
                "side": "buy",
                "order_type": "limit",
                "force": "gtc",
                "price": "20000",
                "size": "0.01",
            }
            placed = await client.place_order("BTCUSDT", **order)
            report = await placed
            cancelled = await client.cancel_order("BTCUSDT", order_id=report.placement.order_id)
            _ = await cancelled

    with_exchange(main)
    (placement,), (cancellation,) = named(desk, "place-order"), named(desk, "cancel-order")
    assert (told(placement)["bitget.kind"], told(placement)["bitget.outcome"]) == ("placement", "PLACED")
    assert told(placement)["bitget.orders.placed"] == 1
    assert told(cancellation)["bitget.orders.cancelled"] == 1
