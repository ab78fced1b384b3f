"""Events and snapshots to metrics: values, whom a point leads to, and who is asked from which thread."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from bitget_async.events import BucketTightened, FateKnown, ForeignUse, StreamChanged, TokenMissed, TokenTaken
from bitget_async.models import BucketState, ClockState, HandleState, Snapshot, StopState, StreamLine
from bitget_async.telemetry import Telemetry
from bitget_async.telemetry import meters as metering
from bitget_async.telemetry.names import BUCKETS_S, METRICS
from tests.telemetry.telling import EPOCH_MS, Desk, Teller, id_of

CANCEL = ("bitget.kind", "cancellation")


def bucket(endpoint: str, free: int, waiting: int = 0) -> BucketState:
    """A quota as a snapshot has it."""
    return BucketState(endpoint=endpoint, quota=20, free=free, waiting=waiting, wait_s=0.0, refusals=0)


def pending(call: int, kind: str) -> HandleState:
    """A pending handle as a snapshot has it."""
    return HandleState(
        call=call,
        kind=kind,
        command="cancel-symbol-order",
        symbol="BTCUSDT",
        state="pending",
        acknowledged=True,
        age_s=1.0,
        left_s=59.0,
        attempts=1,
        orders=3,
        ended=1,
        reads=2,
    )


def stop() -> StopState:
    """A stop as a snapshot has it."""
    return StopState(
        call=9,
        symbol="*",
        state="sending",
        age_s=1.0,
        commands=3,
        answered=1,
        orders=5,
        ended=0,
        left=None,
        eta_s=0.5,
    )


def shown(**more: Any) -> Snapshot:
    """A client at one moment."""
    clock = ClockState(synchronised=True, offset_ms=-250, uncertainty_ms=40)
    told: dict[str, Any] = {"at_ms": EPOCH_MS, "state": "open", "origin": "https://a.example", "up_s": 1.0}
    return Snapshot(**{**told, "clock": clock, **more})


async def test_times_count_from_the_first_signing() -> None:
    """Not from the call, which may wait for a token, and not from a later copy of the same command."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun")
        teller.handle(1000, 1, "signed", attempts=1)
        teller.handle(1300, 1, "signed", attempts=2)
        teller.handle(1400, 1, "answered", acknowledged=True)
        teller.handle(3500, 1, "settled", outcome="CONFIRMED")
    assert desk.points("bitget.ack.duration") == {(("bitget.acknowledged", True), CANCEL): (1, 0.4)}
    assert desk.points("bitget.confirmation.duration") == {(CANCEL, ("bitget.outcome", "CONFIRMED")): (1, 2.5)}
    assert desk.points("bitget.outcomes") == {(CANCEL, ("bitget.outcome", "CONFIRMED")): 1}


async def test_a_stop_counts_from_its_call() -> None:
    """It signs nothing itself."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(100, 1, "begun", kind="stop", command="cancel_all_orders", symbol="*")
        teller.handle(2600, 1, "settled", kind="stop", command="cancel_all_orders", symbol="*", outcome="STILL_OPEN")
    told = (("bitget.kind", "stop"), ("bitget.outcome", "STILL_OPEN"))
    assert desk.points("bitget.confirmation.duration") == {told: (1, 2.5)}


@pytest.mark.parametrize("state", ["refused", "not_sent", "withdrawn"])
async def test_what_was_never_taken_is_an_outcome_but_has_no_time(state: str) -> None:
    """A refusal after 20 ms would make confirmations look quick."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun")
        teller.handle(20, 1, state, reason="40037")
    assert desk.points("bitget.outcomes") == {
        (CANCEL, ("bitget.outcome", state), ("bitget.reason", "40037")): 1,
    }
    assert desk.points("bitget.confirmation.duration") == {}


async def test_requests_are_measured_by_the_conventions() -> None:
    """Those of pending handles count as reads too, if they reached the network."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, **desk.options):
        teller.ended(50, 1, (7, 8), wire_s=0.05)
        teller.ended(60, 2, wire_s=0.01)
        teller.ended(70, 3, (7,), certainty="not_sent", http_status=None, reason="connect", wire_s=0.25)
        teller.ended(80, 4, (7,), method="WS")
    server = (("server.address", "api.bitget.com"), ("server.port", 443), ("url.template", "/unfilled"))
    get = ("http.request.method", "GET")
    assert desk.points("http.client.request.duration") == {
        (get, ("http.response.status_code", 200), *server): (2, 0.06),
        (("error.type", "connect"), get, *server): (1, 0.25),
    }
    assert desk.points("bitget.reads") == {(("bitget.endpoint", "unfilled-orders"),): 1}


async def test_everything_else_is_counted() -> None:
    """Waits, tokens that nobody got, fates, refusals, strangers, and the stream."""
    teller, desk = Teller(), Desk()
    copy: dict[str, Any] = {"at_ns": 0, "request": 1, "copy": 1, "endpoint": "place-order"}
    with Telemetry(teller, name="maker", **desk.options):
        teller.hub.emit(TokenTaken(**copy, waited_s=0.5))
        teller.hub.emit(TokenMissed(**copy, waited_s=0.5, reason="rate_limit"))
        teller.hub.emit(
            FateKnown(at_ns=0, call=1, order_id="1", client_oid="", symbol="B", fate="filled", source="orders")
        )
        teller.hub.emit(BucketTightened(at_ns=0, endpoint="place-order", quota=10, refusals=1))
        teller.hub.emit(ForeignUse(at_ns=0, endpoint="place-order", cause="refused"))
        teller.hub.emit(StreamChanged(at_ns=0, stream="private stream 1", state="lost", reason="closed"))
    name, of = ("bitget.client", "maker"), ("bitget.endpoint", "place-order")
    assert desk.points("bitget.queue.duration") == {(name, of): (1, 0.5)}
    assert desk.points("bitget.tokens.missed") == {(name, of, ("bitget.reason", "rate_limit")): 1}
    assert desk.points("bitget.fates") == {(name, ("bitget.fate", "filled")): 1}
    assert desk.points("bitget.buckets.tightened") == {(name, of): 1}
    assert desk.points("bitget.foreign_uses") == {(("bitget.cause", "refused"), name, of): 1}
    assert desk.points("bitget.stream.changes") == {(name, ("bitget.stream.state", "lost")): 1}


async def test_gauges_show_the_client_as_it_is_when_somebody_collects() -> None:
    """Tokens come back with time and not with events."""
    teller, desk = Teller(), Desk()
    line: dict[str, Any] = {"topics": 1, "silent_s": 0.1, "lag_ms": 5, "reconnects": 0}
    with Telemetry(teller, **desk.options):
        teller.shown = shown(
            buckets=(bucket("place-order", 7), bucket("orderInfo", 0, 12)),
            handles=(pending(1, "cancellation"), pending(2, "cancellation"), pending(3, "placement")),
            stops=(stop(),),
            streams=(StreamLine(stream="a", state="live", **line), StreamLine(stream="b", state="stale", **line)),
        )
        seen = {name: desk.points(name) for name, metric in METRICS.items() if metric.kind == "gauge"}
        assert seen == {
            "bitget.tokens.free": {
                (("bitget.endpoint", "place-order"),): 7,
                (("bitget.endpoint", "orderInfo"),): 0,
            },
            "bitget.tokens.waiting": {
                (("bitget.endpoint", "place-order"),): 0,
                (("bitget.endpoint", "orderInfo"),): 12,
            },
            "bitget.calls.pending": {(CANCEL,): 2, (("bitget.kind", "placement"),): 1, (("bitget.kind", "stop"),): 1},
            "bitget.stream.live": {(("bitget.stream", "a"),): 1, (("bitget.stream", "b"),): 0},
            "bitget.clock.offset": {(): -0.25},
            "bitget.clock.uncertainty": {(): 0.04},
        }
        teller.shown = shown(buckets=(bucket("place-order", 8),))
        assert desk.points("bitget.tokens.free") == {(("bitget.endpoint", "place-order"),): 8}
        teller.shown = shown(state="closed", buckets=(bucket("place-order", 8),))
        assert desk.points("bitget.tokens.free") == {}


async def test_whoever_is_detached_is_asked_no_more() -> None:
    """OpenTelemetry keeps a gauge for ever, and makes no second one by its name: the next one must be asked too."""
    teller, desk = Teller(), Desk()
    teller.shown = shown(buckets=(bucket("place-order", 8),))
    with Telemetry(teller, name="first", **desk.options):
        pass
    assert desk.points("bitget.tokens.free") == {}
    with Telemetry(teller, name="second", **desk.options), Telemetry(teller, name="third", **desk.options):
        names = [dict(each)["bitget.client"] for each in desk.points("bitget.tokens.free")]
    assert sorted(names) == ["second", "third"]


async def test_a_client_that_nobody_holds_is_not_kept_by_a_gauge() -> None:
    """A provider lives as long as the process."""
    desk = Desk()

    def attached() -> weakref.ref[Teller]:
        teller = Teller()
        assert Telemetry(teller, **desk.options).attach()
        return weakref.ref(teller)

    gone = attached()
    _ = gc.collect()
    assert gone() is None
    assert desk.points("bitget.tokens.free") == {}


async def test_another_thread_asks_by_way_of_the_loop() -> None:
    """A reader that exports now and then has a thread of its own; what it asks for is the loop's."""
    teller, desk = Teller(), Desk()
    threads: list[int] = []

    def snapshot() -> Snapshot:
        threads.append(threading.get_ident())
        return shown(buckets=(bucket("place-order", 7),))

    with Telemetry(teller, **desk.options):
        teller.snapshot = snapshot  # type: ignore[method-assign]
    with Telemetry(teller, **desk.options):
        threads.clear()
        seen = await asyncio.to_thread(desk.points, "bitget.tokens.free")
    assert seen == {(("bitget.endpoint", "place-order"),): 7}
    assert threads == [threading.get_ident()]


async def test_a_loop_that_hangs_has_no_tokens_to_tell_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter must not hang with it."""
    monkeypatch.setattr(metering, "MOST_WAIT_S", 0.01)
    teller, desk = Teller(), Desk()
    teller.shown = shown(buckets=(bucket("place-order", 7),))
    told: list[Any] = []
    with Telemetry(teller, **desk.options):
        thread = threading.Thread(target=lambda: told.append(desk.points("bitget.tokens.free")))
        thread.start()
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.001)  # noqa: ASYNC251 - a loop that hangs
        thread.join()
    assert told == [{}]
    # What it asked for comes too late, and does no harm.
    await asyncio.sleep(0)


def test_a_loop_that_is_closed_is_not_asked() -> None:
    """A process may export for the last time after its event loop has ended."""
    teller, desk = Teller(), Desk()
    telemetry: list[Telemetry] = []

    async def main() -> None:
        telemetry.append(Telemetry(teller, **desk.options).attach())

    asyncio.run(main())
    told: list[Any] = []
    thread = threading.Thread(target=lambda: told.append(desk.points("bitget.tokens.free")))
    thread.start()
    thread.join()
    assert told == [{}]
    telemetry[0].detach()


async def test_a_snapshot_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The other metrics are exported all the same."""
    teller, desk = Teller(), Desk()

    def broken() -> Snapshot:
        raise ZeroDivisionError

    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun")
        teller.handle(0, 1, "withdrawn")
    with Telemetry(teller, **desk.options) as telemetry:
        vars(telemetry)["_parts"][1]._snapshot = broken
        assert desk.points("bitget.outcomes") != {}
        seen = await asyncio.to_thread(desk.points, "bitget.outcomes")
    assert seen != {}
    assert "Callback failed" in caplog.text


async def test_times_of_calls_that_never_end_are_let_go() -> None:
    """Of too many the oldest."""
    teller, desk = Teller(), Desk()
    with Telemetry(teller, most_open=2, **desk.options) as telemetry:
        for call in range(1, 6):
            teller.handle(0, call, "begun")
            teller.handle(0, call, "signed", attempts=1)
        assert vars(telemetry)["_parts"][1].open == 2
        for call in range(1, 6):
            teller.handle(1000, call, "settled", outcome="CONFIRMED")
        assert vars(telemetry)["_parts"][1].open == 0
    assert desk.points("bitget.confirmation.duration") == {(CANCEL, ("bitget.outcome", "CONFIRMED")): (2, 2.0)}
    assert desk.points("bitget.outcomes") == {(CANCEL, ("bitget.outcome", "CONFIRMED")): 5}


async def test_a_point_leads_to_its_trace() -> None:
    """The slowest confirmation of a night is one click away, and never that of whose task happened to tell."""
    teller, desk = Teller(), Desk()
    with (
        Telemetry(teller, **desk.options),
        desk.tracers.get_tracer("bot").start_as_current_span("stranger"),
    ):
        teller.handle(0, 1, "begun")
        teller.handle(0, 1, "signed", attempts=1)
        teller.started(10, 1, (1,))
        teller.ended(20, 1, (1,), wire_s=0.01)
        teller.handle(1000, 1, "settled", outcome="CONFIRMED")
        teller.hub.emit(TokenTaken(at_ns=0, request=2, copy=1, endpoint="place-order", waited_s=0.0))
    read, call, _ = desk.spans
    told = {}
    for metric in desk.metrics():
        for point in metric.data.data_points:
            told[metric.name] = [f"{each.span_id:016x}" for each in getattr(point, "exemplars", ())]
    assert told["bitget.confirmation.duration"] == [id_of(call)]
    assert told["http.client.request.duration"] == [id_of(read)]
    assert told["bitget.queue.duration"] == []


async def test_every_metric_is_described_and_histograms_bring_their_buckets() -> None:
    """A back end shows the text and the unit; the buckets reach from a round trip to the deadline."""
    desk = Desk()
    teller = Teller()
    with Telemetry(teller, **desk.options):
        teller.handle(0, 1, "begun")
        teller.handle(0, 1, "settled", outcome="CONFIRMED")
    (metric,) = [each for each in desk.metrics() if each.name == "bitget.confirmation.duration"]
    assert (metric.unit, metric.description) == ("s", METRICS[metric.name].text)
    assert tuple(metric.data.data_points[0].explicit_bounds) == BUCKETS_S


async def test_providers_do_not_share_gauges() -> None:
    """Each asks those that were attached to it."""
    readers = [InMemoryMetricReader(), InMemoryMetricReader()]
    providers = [MeterProvider(metric_readers=[reader]) for reader in readers]
    desk, teller = Desk(), Teller()
    teller.shown = shown(buckets=(bucket("place-order", 7),))
    with Telemetry(teller, tracer_provider=desk.tracers, meter_provider=providers[0]):
        assert readers[0].get_metrics_data() is not None
        assert readers[1].get_metrics_data() is None
