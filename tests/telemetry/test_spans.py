"""Events to spans: names, parents, links, statuses, and that nothing is held for ever."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from bitget_async.errors import UsageError
from bitget_async.telemetry import Telemetry
from bitget_async.telemetry.making import Epoch
from tests.leaks import MARK
from tests.telemetry.telling import EPOCH_MS, MS_NS, Desk, SetClock, Teller, id_of, parent_of


def at(ms: int) -> int:
    """That moment as OpenTelemetry has it."""
    return (EPOCH_MS + ms) * MS_NS


async def test_a_call_is_one_span_from_its_begin_to_its_end() -> None:
    """With all that a report would be searched for: what it came to, by how many orders and reads."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, name="maker", **desk.options):
        teller.handle(10, 7, "begun")
        teller.handle(20, 7, "signed", attempts=1)
        teller.handle(60, 7, "answered", acknowledged=True)
        teller.started(100, 1, (7,))
        teller.ended(140, 1, (7,))
        teller.handle(2100, 7, "settled", outcome="CONFIRMED", acknowledged=True, attempts=1, orders=3)
    read, call = desk.spans
    assert (call.name, call.kind, call.start_time, call.end_time) == (
        "cancel-symbol-order",
        SpanKind.INTERNAL,
        at(10),
        at(2100),
    )
    assert dict(call.attributes or {}) == {
        "bitget.client": "maker",
        "bitget.call": 7,
        "bitget.kind": "cancellation",
        "bitget.command": "cancel-symbol-order",
        "bitget.symbol": "BTCUSDT",
        "bitget.state": "settled",
        "bitget.outcome": "CONFIRMED",
        "bitget.acknowledged": True,
        "bitget.attempts": 1,
        "bitget.reads": 1,
        "bitget.reads.shared": 0,
        "bitget.orders": 3,
    }
    assert [(each.name, each.timestamp) for each in call.events] == [("signed", at(20)), ("answered", at(60))]
    assert call.status.status_code is StatusCode.UNSET
    assert call.parent is None
    assert parent_of(read) == id_of(call)


async def test_a_request_has_the_names_of_the_conventions() -> None:
    """So that every back end shows it as what it is; without the query."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.started(0, 5, method="POST", path="/api/v2/spot/trade/place-order", endpoint="place-order")
        teller.ended(
            40,
            5,
            method="POST",
            path="/api/v2/spot/trade/place-order",
            endpoint="place-order",
            code="00000",
            queue_s=0.25,
        )
    (span,) = desk.spans
    assert (span.name, span.kind, span.start_time, span.end_time) == (
        "POST /api/v2/spot/trade/place-order",
        SpanKind.CLIENT,
        at(0),
        at(40),
    )
    assert dict(span.attributes or {}) == {
        "bitget.endpoint": "place-order",
        "bitget.request": 5,
        "bitget.certainty": "accepted",
        "bitget.code": "00000",
        "bitget.queue.duration": 0.25,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "api.bitget.com",
        "server.port": 443,
        "url.full": "https://api.bitget.com/api/v2/spot/trade/place-order",
        "url.template": "/api/v2/spot/trade/place-order",
    }


async def test_a_shared_read_is_a_child_of_its_first_call_and_linked_to_the_others() -> None:
    """A span has one parent; every trace that the read served can still be reached."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        for call in (1, 2, 3):
            teller.handle(0, call, "begun")
        teller.started(10, 9, (1, 2, 3))
        teller.ended(20, 9, (1, 2, 3))
        for call in (1, 2, 3):
            teller.handle(30, call, "settled", outcome="CONFIRMED")
    read, *calls = desk.spans
    assert parent_of(read) == id_of(calls[0])
    assert [link.context for link in read.links] == [each.get_span_context() for each in calls[1:]]
    assert (read.attributes or {})["bitget.calls"] == (1, 2, 3)
    assert [(each.attributes or {})["bitget.reads"] for each in calls] == [1, 1, 1]
    assert [(each.attributes or {})["bitget.reads.shared"] for each in calls] == [1, 1, 1]


async def test_each_copy_of_a_request_is_a_span() -> None:
    """The conventions want a retry to be seen as one."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.started(0, 1)
        teller.ended(10, 1, certainty="unknown", http_status=None, reason="timeout")
        teller.started(20, 1, copy=2)
        teller.ended(30, 1, copy=2)
    first, second = desk.spans
    assert "http.request.resend_count" not in (first.attributes or {})
    assert (second.attributes or {})["http.request.resend_count"] == 1


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({}, None),
        ({"certainty": "refused", "http_status": 400, "code": "43025"}, "400"),
        ({"certainty": "refused", "http_status": 200, "code": "43025"}, "43025"),
        ({"certainty": "refused", "http_status": 200, "code": "99999999"}, "_OTHER"),
        ({"certainty": "refused", "http_status": 429}, "429"),
        ({"certainty": "unknown", "http_status": None, "reason": "timeout"}, "timeout"),
        ({"certainty": "not_sent", "http_status": None, "reason": "connect"}, "connect"),
        ({"certainty": "unknown", "http_status": 502, "reason": "status"}, "502"),
    ],
)
async def test_a_request_failed_as_the_conventions_say(told: dict[str, Any], error: str | None) -> None:
    """`error.type` has few values, so that it can be counted by."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.started(0, 1)
        teller.ended(10, 1, **told)
    (span,) = desk.spans
    assert (span.attributes or {}).get("error.type") == error
    assert span.status.status_code is (StatusCode.UNSET if error is None else StatusCode.ERROR)


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ({"state": "settled", "outcome": "CONFIRMED"}, None),
        ({"state": "settled", "outcome": "NOTHING_TO_CANCEL"}, None),
        ({"state": "settled", "outcome": "PLACED"}, None),
        ({"state": "settled", "outcome": "REPLACED"}, None),
        ({"state": "settled", "outcome": "MODIFIED"}, None),
        ({"state": "settled", "outcome": "STILL_OPEN"}, "still_open"),
        ({"state": "settled", "outcome": "UNKNOWN", "reason": "deadline"}, "unknown"),
        ({"state": "settled", "outcome": "PARTLY_PLACED"}, "partly_placed"),
        ({"state": "refused", "reason": "40037"}, "refused"),
        ({"state": "not_sent", "reason": "rate_limit"}, "not_sent"),
        ({"state": "withdrawn"}, None),
    ],
)
async def test_a_call_is_an_error_only_where_it_is_one(ending: dict[str, Any], error: str | None) -> None:
    """A yes is none, and neither is a caller who changed his mind before anything was sent."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun")
        teller.handle(10, 1, **ending)
    (span,) = desk.spans
    assert (span.attributes or {}).get("error.type") == error
    assert span.status.status_code is (StatusCode.UNSET if error is None else StatusCode.ERROR)
    assert span.status.description == (None if error is None else ending.get("reason", error))


async def test_spans_of_the_caller_are_parents() -> None:
    """Who has a trace of his own finds his calls and his requests in it."""
    teller, desk = Teller(), Desk()
    tracer = desk.tracers.get_tracer("bot")
    with Telemetry(teller, **desk.options):
        with tracer.start_as_current_span("quote"):
            teller.handle(0, 1, "begun")
            teller.started(0, 1)
        teller.ended(10, 1)
        teller.handle(20, 1, "settled", outcome="CONFIRMED")
    quote, request, call = desk.spans
    assert parent_of(request) == parent_of(call) == id_of(quote)


async def test_a_read_for_calls_that_nobody_traces_is_nobodys_child() -> None:
    """It is made by a task that was begun in whatever context: that of a stranger."""
    teller, desk = Teller(), Desk()
    with (
        Telemetry(teller, **desk.options),
        desk.tracers.get_tracer("bot").start_as_current_span("stranger"),
    ):
        teller.started(0, 1, (77,))
        teller.ended(10, 1, (77,))
    assert desk.spans[0].parent is None


async def test_a_command_over_the_stream_is_no_http() -> None:
    """It has no method, no status and no URL."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun", command="place-order", kind="placement")
        teller.started(0, 1, (1,), method="WS", path="/v2/ws/private", endpoint="place-order")
        teller.ended(10, 1, (1,), method="WS", path="/v2/ws/private", endpoint="place-order", http_status=None)
    span = desk.spans[0]
    assert span.name == "WS place-order"
    assert not [name for name in span.attributes or {} if name.startswith(("http.", "url.", "server."))]


async def test_what_never_ends_cannot_fill_the_memory() -> None:
    """The oldest make room, and say so."""
    teller, desk = Teller(), Desk()
    telemetry = Telemetry(teller, most_open=3, **desk.options).attach()
    for number in range(1, 11):
        teller.handle(number, number, "begun")
        teller.started(number, number, (number,))
    assert repr(telemetry) == "<Telemetry attached, 6 spans open>"
    assert [(each.attributes or {})["bitget.abandoned"] for each in desk.spans] == [True] * 14
    telemetry.detach()
    assert len(desk.spans) == 20


async def test_after_detaching_it_is_silent() -> None:
    """Open spans end, and what happens afterwards is told to nobody; attached again it begins anew."""
    teller, desk = Teller(), Desk()
    telemetry = Telemetry(teller, **desk.options)
    with telemetry:
        teller.handle(0, 1, "begun")
        teller.started(5, 1, (1,))
    assert [(each.attributes or {})["bitget.abandoned"] for each in desk.spans] == [True, True]
    assert [each.end_time for each in desk.spans] == [at(5)] * 2
    teller.ended(10, 1, (1,))
    teller.handle(20, 1, "settled", outcome="CONFIRMED")
    teller.handle(30, 2, "begun")
    telemetry.detach()
    assert len(desk.spans) == 2
    assert repr(telemetry) == "<Telemetry detached>"
    with telemetry.attach():
        teller.handle(40, 3, "begun")
        teller.handle(50, 3, "withdrawn")
    assert len(desk.spans) == 3


async def test_an_exporter_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Nor does a processor, which may be the caller's own code: the client goes on, and so do the other listeners."""

    class Broken(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            raise OSError("the collector is gone")

    class Worse(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise KeyError("at the start")

        def on_end(self, span: Any) -> None:
            raise ValueError("at the end")

    for processor in (SimpleSpanProcessor(Broken()), Worse()):
        teller, desk = Teller(), Desk()
        desk.tracers.add_span_processor(processor)
        with Telemetry(teller, **desk.options):
            teller.handle(0, 1, "begun")
            teller.started(0, 1, (1,))
            teller.ended(10, 1, (1,))
            teller.handle(20, 1, "settled", outcome="CONFIRMED", acknowledged=True)
        assert desk.points("bitget.outcomes") == {(("bitget.kind", "cancellation"), ("bitget.outcome", "CONFIRMED")): 1}
    assert "the collector is gone" in caplog.text


async def test_without_a_provider_nothing_is_told_and_nothing_fails() -> None:
    """The API alone, without an SDK: what a library that only has the extra runs into."""
    teller = Teller()
    telemetry = Telemetry(teller, tracer_provider=trace.NoOpTracerProvider(), meter_provider=None).attach()
    teller.handle(0, 1, "begun")
    teller.started(0, 1, (1,))
    teller.ended(10, 1, (1,))
    teller.handle(20, 1, "settled", outcome="CONFIRMED")
    assert repr(telemetry) == "<Telemetry attached, 0 spans open>"
    telemetry.detach()


def test_it_is_attached_on_the_loop() -> None:
    """Elsewhere nobody could take a snapshot for its gauges."""
    with pytest.raises(UsageError, match="event loop"):
        _ = Telemetry(Teller(), **Desk().options).attach()


@pytest.mark.parametrize("most", [0, -1, 2.5, True, "3"])
def test_a_bound_that_cannot_be_meant_is_refused(most: Any) -> None:
    """Before anything is attached."""
    with pytest.raises(UsageError, match="most_open"):
        _ = Telemetry(Teller(), most_open=most)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of an ImportError from somewhere inside."""
    for name in [name for name in sys.modules if name.startswith("bitget_async.telemetry.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    for name in [name for name in sys.modules if name.startswith("opentelemetry.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"bitget-async\[otel\]"):
        _ = Telemetry(Teller())


def test_moments_are_exact_although_the_wall_clock_tells_milliseconds() -> None:
    """A child that began before its parent would be shown as a mistake; and a wall clock may step either way."""
    clock = SetClock()
    now_ns = [0]
    clock.monotonic_ns = lambda: now_ns[0]  # type: ignore[method-assign]
    true_ns = EPOCH_MS * MS_NS + 400_000
    clock.epoch_ms = lambda: (now_ns[0] + true_ns) // MS_NS  # type: ignore[method-assign]
    epoch = Epoch(clock)
    told = []
    for now_ns[0] in range(0, 50 * MS_NS, 130_000):
        told.append(epoch(now_ns[0]) - now_ns[0])
    assert told == sorted(told)
    assert 0 <= true_ns - told[-1] < 130_000
    true_ns -= 3_600_000 * MS_NS
    assert 0 <= true_ns - (epoch(None) - now_ns[0]) < MS_NS
    true_ns += 7_200_000 * MS_NS
    assert 0 <= true_ns - (epoch(None) - now_ns[0]) < MS_NS


async def test_a_secret_in_a_span_or_a_metric_would_be_found(request: pytest.FixtureRequest) -> None:
    """The search for leaks reads what is exported, whichever test exports it."""
    search = next(each.search for each in request.config.pluginmanager.get_plugins() if hasattr(each, "search"))
    found, search.found, before = search.found, [], search.counts["leaks"]
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun", symbol=f"x{MARK}sy")
        teller.handle(1, 1, "refused", reason=f"x{MARK}py")
        _ = desk.metrics()
    told, search.found = search.found, found
    search.counts["leaks"] = before
    assert {each.split(" in ")[-1] for each in told} >= {"an exported span", "exported metrics"}
