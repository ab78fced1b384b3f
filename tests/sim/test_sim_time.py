"""Time, chance, and what is remembered."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

import bitget_async.sim
from bitget_async.sim import ROUTES, Settings, SimulatedExchange

DRAWN = {
    "listing_lag_s": (0.0, 0.3),
    "history_lag_s": (0.1, 0.8),
    "request_latency_s": (0.0, 0.2),
    "answer_latency_s": (0.0, 0.2),
}


def play(ask, exchange):
    """A little of everything."""
    told = []
    for round_ in range(8):
        exchange.rest("BTCUSDT", 2)
        ask.cancel()
        ask.pass_s(0.15)
        told.append(ask.get("unfilled-orders").body)
        told.append(ask.get("history-orders").body)
        exchange.schedule_fill(exchange.rest("ETHUSDT", 1, side="sell")[0], 0.1 * round_)
    ask.pass_s(5)
    truth = exchange.truth
    return told, truth.executions, [(c.received_ns, c.processed_ns, c.code) for c in truth.wire]


def test_one_seed_decides_everything(sim):
    """The same requests get the same answers at the same times; another seed differs."""
    runs = []
    for seed in (1, 1, 2):
        exchange, ask, _ = sim(seed=seed, **DRAWN)
        runs.append(play(ask, exchange))
    assert runs[0] == runs[1] != runs[2]


def test_exchange_clock_follows_monotonic_time(sim):
    """An offset and a drift, and no jump when the wall clock of this machine jumps."""
    exchange, ask, clock = sim(clock_offset_ms=3_600_000, clock_drift_ppm=200.0)
    start = exchange.server_ms
    assert start == 1_750_000_000_000 + 3_600_000
    clock.epoch_ms = lambda: 0
    ask.pass_s(1000)
    assert exchange.server_ms - start == 1_000_200


def test_events_happen_at_their_own_times_whenever_one_looks(sim):
    """Lazy, but never late: what was due is dated when it was due, and in order."""
    exchange, ask, _ = sim()
    (order_id,) = exchange.rest("BTCUSDT", 1, size=Decimal("0.004"))
    born = exchange.order(order_id).created_ns
    exchange.schedule_fill(order_id, 3.0)
    exchange.schedule_fill(order_id, 1.0, Decimal("0.001"))
    ask.pass_s(10)
    marks = exchange.order(order_id).marks
    assert [(mark.time_ns - born) // 10**9 for mark in marks] == [0, 1, 3]
    assert [mark.filled for mark in marks] == [0, Decimal("0.001"), Decimal("0.004")]
    assert exchange.order(order_id).final_ms == exchange.order(order_id).created_ms + 3000


def test_long_runs_can_forget(sim):
    """Rows, runs and copies go, counters stay, open orders stay."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 3, client_oid="mine")
    ask.cancel()
    ask.pass_s(10)
    kept = exchange.rest("BTCUSDT", 1)
    exchange.forget(older_than_s=5)
    truth = exchange.truth
    assert (list(truth.orders), truth.executions, truth.wire) == (kept, [], [])
    assert (truth.count(), truth.count("cancel-symbol-order"), truth.worst_second()) == (1, 1, 1)
    assert ask.get("history-orders").data == []


def test_wire_memory_can_be_bounded():
    """keep_wire copies, without headers if so wished."""
    exchange = SimulatedExchange(keep_wire=2, keep_headers=False)
    assert exchange.truth.wire == []
    with pytest.raises(RuntimeError, match="async with"):
        _ = exchange.base_url


def test_order_ids_are_never_given_twice(sim):
    """A test that chooses an id in use is told so."""
    exchange, _, _ = sim()
    exchange.rest("BTCUSDT", ids=["7"])
    with pytest.raises(ValueError, match="taken"):
        exchange.rest("BTCUSDT", ids=["7"])


def test_routes_are_the_documented_ones():
    """Quotas and scopes of the endpoints that the client's promise rests on, copied by hand from the documents."""
    table = {route.name: (method, route.per_second, route.scope) for (method, _), route in ROUTES.items()}
    assert table["cancel-symbol-order"] == ("POST", 5, "UID")
    assert table["place-order"] == table["cancel-order"] == table["batch-cancel-order"] == ("POST", 10, "UID")
    assert table["orderInfo"] == table["unfilled-orders"] == table["history-orders"] == ("GET", 20, "UID")
    assert (table["info"], table["assets"]) == (("GET", 1, "UID"), ("GET", 10, "UID"))
    assert (table["time"], table["symbols"], table["coins"]) == (("GET", 20, "IP"), ("GET", 20, "IP"), ("GET", 3, "IP"))


def test_the_witness_shares_only_the_clock():
    """An import from the client's side would let both make the same mistake."""
    folder = Path(bitget_async.sim.__file__).parent
    own = []
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bitget_async"):
                own.append(node.module or "")
            assert not (isinstance(node, ast.ImportFrom) and node.level), path
    assert {module for module in own if not module.startswith("bitget_async.sim")} == {"bitget_async.clock"}


def test_exports_are_exactly_the_listed_ones():
    """`__all__` names what the front door re-exports, all of it."""
    module = bitget_async.sim
    assert all(hasattr(module, name) for name in module.__all__)
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {a.asname for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names if a.asname}
    assert names == set(module.__all__)


def test_settings_know_their_names():
    """A misspelt knob is an error, not a silent nothing."""
    with pytest.raises(TypeError):
        Settings(sweep_delay=1.0)  # type: ignore[call-arg]
