"""
`python -m tests.telemetry.dashboard` writes docs/grafana.json: a panel for each question that is asked at night.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["FILE", "dashboard"]

FILE = Path(__file__).parent.parent.parent / "docs" / "grafana.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
ONLY = 'job=~"$job"'
# A rate needs some points; Grafana puts in what fits the time that is shown.
OVER = "$__rate_interval"


def quantile(share: float, name: str, by: str) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({name}_bucket{{{ONLY}}}[{OVER}])))"


def rate(name: str, by: str) -> str:
    """A counter's rate."""
    return f"sum by ({by}) (rate({name}{{{ONLY}}}[{OVER}]))"


def gauge(name: str, by: str, how: str = "max") -> str:
    """A gauge as it is."""
    return f"{how} by ({by}) ({name}{{{ONLY}}})"


LATENCIES = (0.5, 0.95, 0.99)

# title, unit, what it says, legend, queries
PANELS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "Time to the answer",
        "s",
        "From the signing of a command to its answer.",
        "{{bitget_kind}}",
        tuple(quantile(each, "bitget_ack_duration_seconds", "bitget_kind") for each in LATENCIES),
    ),
    (
        "Time to the proof",
        "s",
        "From the signing of a command to its report.",
        "{{bitget_kind}}",
        tuple(quantile(each, "bitget_confirmation_duration_seconds", "bitget_kind") for each in LATENCIES),
    ),
    (
        "Outcomes",
        "ops",
        "Calls with a handle, by how they ended. STILL_OPEN and UNKNOWN are what somebody should look at.",
        "{{bitget_kind}} {{bitget_outcome}}",
        (rate("bitget_outcomes_total", "bitget_kind, bitget_outcome"),),
    ),
    (
        "Pending handles",
        "short",
        "A line that only rises is an exchange that does not do what it took.",
        "{{bitget_kind}}",
        (gauge("bitget_calls_pending", "bitget_kind", "sum"),),
    ),
    (
        "Orders by fate",
        "ops",
        "What is proven of orders.",
        "{{bitget_fate}}",
        (rate("bitget_fates_total", "bitget_fate"),),
    ),
    (
        "Reads for handles",
        "reqps",
        "Reads that the watcher spends.",
        "{{bitget_endpoint}}",
        (rate("bitget_reads_total", "bitget_endpoint"),),
    ),
    (
        "Tokens left",
        "short",
        "0 means that the next command waits.",
        "{{bitget_endpoint}}",
        (gauge("bitget_tokens_free", "bitget_endpoint", "min"),),
    ),
    (
        "Requests that wait for a token",
        "short",
        "How long the lines are.",
        "{{bitget_endpoint}}",
        (gauge("bitget_tokens_waiting", "bitget_endpoint"),),
    ),
    (
        "Wait for a token",
        "s",
        "How long it took those that got one.",
        "{{bitget_endpoint}}",
        tuple(quantile(each, "bitget_queue_duration_seconds", "bitget_endpoint") for each in LATENCIES),
    ),
    (
        "Quota trouble",
        "ops",
        '"Too many requests", requests that got no token, and signs that somebody else uses the quota.',
        "{{bitget_endpoint}} {{bitget_reason}}{{bitget_cause}}",
        (
            rate("bitget_buckets_tightened_total", "bitget_endpoint"),
            rate("bitget_tokens_missed_total", "bitget_endpoint, bitget_reason"),
            rate("bitget_foreign_uses_total", "bitget_endpoint, bitget_cause"),
        ),
    ),
    (
        "Time of a request",
        "s",
        "From the first byte to the last of the answer.",
        "{{url_template}}",
        tuple(quantile(each, "http_client_request_duration_seconds", "url_template") for each in LATENCIES),
    ),
    (
        "Requests that failed",
        "reqps",
        "By the HTTP status, the exchange's code, or the reason.",
        "{{url_template}} {{error_type}}",
        (
            "sum by (url_template, error_type) "
            f'(rate(http_client_request_duration_seconds_count{{{ONLY}, error_type!=""}}[{OVER}]))',
        ),
    ),
    (
        "Streams",
        "short",
        "1 where every topic of the connection is acknowledged.",
        "{{bitget_stream}}",
        (gauge("bitget_stream_live", "bitget_stream", "min"),),
    ),
    (
        "Changes of streams",
        "ops",
        "Lost, silent, live again.",
        "{{bitget_stream_state}}",
        (rate("bitget_stream_changes_total", "bitget_stream_state"),),
    ),
    (
        "The exchange's clock",
        "s",
        "How far it is from this machine's, and how well that is known.",
        "{{__name__}}",
        (
            gauge("bitget_clock_offset_seconds", "__name__"),
            gauge("bitget_clock_uncertainty_seconds", "__name__"),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The whole file."""
    return {
        "title": "bitget-async",
        "uid": "bitget-async",
        "tags": ["bitget-async"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "source", "type": "datasource", "query": "prometheus"},
                {
                    "name": "job",
                    "label": "job",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": "label_values(bitget_outcomes_total, job)",
                    "includeAll": True,
                    "multi": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": [_panel(number, *each) for number, each in enumerate(PANELS)],
    }


def _panel(number: int, title: str, unit: str, text: str, legend: str, queries: tuple[str, ...]) -> dict[str, Any]:
    shares = [f" p{round(share * 100)}" for share in LATENCIES] if "histogram_quantile" in queries[0] else [""] * 3
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "description": text,
        "datasource": SOURCE,
        "gridPos": {"x": number % 2 * 12, "y": number // 2 * 8, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": None if "clock" in title else 0}, "overrides": []},
        "targets": [
            {"refId": "ABC"[index], "datasource": SOURCE, "expr": query, "legendFormat": legend + shares[index]}
            for index, query in enumerate(queries)
        ],
    }


if __name__ == "__main__":
    _ = FILE.write_text(json.dumps(dashboard(), indent=1) + "\n", encoding="utf-8")
