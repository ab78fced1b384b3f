"""docs/grafana.json asks for what Prometheus is told, by the names that the exporter makes of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

from bitget_async.events import (
    BucketTightened,
    FateKnown,
    ForeignUse,
    StreamChanged,
    TokenMissed,
    TokenTaken,
)
from bitget_async.models import BucketState, ClockState, StreamLine
from bitget_async.telemetry import Telemetry
from bitget_async.telemetry.names import METRICS
from tests.telemetry.dashboard import FILE, dashboard
from tests.telemetry.telling import Desk, Teller
from tests.telemetry.test_meters import pending, shown

DOCS = Path(__file__).parent.parent.parent / "docs" / "observability.md"


def everything(teller: Teller) -> None:
    """Tell of everything that a metric is made of."""
    copy: dict[str, Any] = {"at_ns": 0, "request": 1, "copy": 1, "endpoint": "place-order"}
    teller.shown = shown(
        clock=ClockState(synchronised=True, offset_ms=1, uncertainty_ms=1),
        buckets=(BucketState(endpoint="place-order", quota=10, free=9, waiting=0, wait_s=0.0, refusals=0),),
        handles=(pending(1, "cancellation"),),
        streams=(StreamLine(stream="a", state="live", topics=1, silent_s=0.0, lag_ms=1, reconnects=0),),
    )
    teller.handle(0, 1, "begun")
    teller.handle(0, 1, "signed", attempts=1)
    teller.handle(20, 1, "answered", acknowledged=True)
    teller.handle(2000, 1, "settled", outcome="UNKNOWN", reason="deadline")
    teller.ended(0, 1, (1,))
    teller.ended(0, 2, certainty="unknown", http_status=502, reason="status")
    for event in (
        TokenTaken(**copy, waited_s=0.0),
        TokenMissed(**copy, waited_s=0.0, reason="rate_limit"),
        FateKnown(at_ns=0, call=1, order_id="1", client_oid="", symbol="B", fate="filled", source="orders"),
        BucketTightened(at_ns=0, endpoint="place-order", quota=10, refusals=1),
        ForeignUse(at_ns=0, endpoint="place-order", cause="refused"),
        StreamChanged(at_ns=0, stream="a", state="live"),
    ):
        teller.hub.emit(event)


def scraped() -> list[Metric]:
    """What Prometheus would be told."""
    reader = PrometheusMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    try:
        teller = Teller()
        with Telemetry(teller, tracer_provider=Desk().tracers, meter_provider=provider):
            everything(teller)
            return list(REGISTRY.collect())
    finally:
        provider.shutdown()


async def test_every_query_names_what_is_exported() -> None:
    """A panel that stays empty is found at night. Names of metrics and labels, as the exporter spells them."""
    labels: dict[str, set[str]] = {}
    for metric in scraped():
        for sample in metric.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    queries = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    assert len(queries) > 25
    for query in queries:
        (name,) = re.findall(r"\b(?:bitget|http)_[a-z_]+(?=\{)", query)
        assert name in labels, f"{name} is not exported"
        ((wanted),) = re.findall(r"by \(([^)]*)\)", query)
        known = labels[name] | {"__name__"}
        assert set(wanted.split(", ")) <= known, f"{name} has no label {wanted}"
        # Of the scrape and not of ours.
        selected = set(re.findall(r'([a-z_]+)(?:=~|!=|=)"', query)) - {"job"}
        assert selected <= known, f"{name} has no label {selected}"


async def test_every_metric_has_a_panel() -> None:
    """What is worth measuring is worth a look."""
    text = " ".join(target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])
    assert [name for name in METRICS if name.replace(".", "_") not in text] == []


def test_the_file_is_what_the_module_writes() -> None:
    """It is changed there: `python -m tests.telemetry.dashboard`."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == dashboard()


def test_the_documents_list_every_metric_as_it_is() -> None:
    """Name, kind and attributes; a reader builds alerts on them."""
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| (histogram|counter|gauge)\b[^|]* \|[^|]*\| ([^|]*) \|$", DOCS.read_text("utf-8"), re.M
    )
    listed = {name: (kind, tuple(re.findall(r"`([a-z_.]+)`", attributes))) for name, kind, attributes in rows}
    assert listed == {
        name: (metric.kind, tuple(each for each in metric.attributes if not each.startswith("server.")))
        for name, metric in METRICS.items()
    }
