"""Calls taken up by another client, from the journal of the first one or from what its handle told of itself."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, Outcome, PendingCancellation, PlacementOutcome
from bitget_async.journal import Kind
from bitget_async.sim import Fault, SimulatedExchange, faults
from tests.conftest import with_exchange
from tests.lives import BTC, Case, client_at, kinds, lived

HOUR_S, DAY_S = 3_600.0, 86_400.0
KINDS = kinds()
FAULTS: dict[str, Fault | None] = {
    "none": None,
    "answer lost": faults.drop(executed=True),
    "request lost": faults.drop(executed=False),
    "never executed": faults.never_executed(),
    "executed late": faults.executed_late(4.0),
    "late, answer lost": faults.executed_late(4.0) | faults.drop(executed=True),
}
# On its way to the exchange; on its way back; answered; after the first look; after the deciding one; late.
ENDS_S = (0.001, 0.01, 0.03, 0.045, 0.35, 2.3, 6.0)
AWAY_S = (1.0, HOUR_S, 5 * DAY_S, 91 * DAY_S)
OFFSETS_MS = ((0, 0), (29_000, -29_000), (-29_000, 3_600_000), (29_000, 29_000), (0, -3_600_000))
SETTINGS: dict[str, dict[str, Any]] = {
    "calm": {},
    "lagging": {
        "listing_lag_s": (0.5, 1.9),
        "history_lag_s": (0.5, 3.0),
        "order_info_lag_s": (0.0, 1.0),
        "sweep_delay_s": (0.0, 1.0),
        "place_delay_s": 0.3,
        "unknown_order_code": "43001",
    },
}


def cases(kind: str, settings: dict[str, Any]) -> list[tuple[str, Case]]:
    """Every fault, every end of the first life, both ways to go on; absences and wrong clocks in turn."""
    made = []
    for number, (fault, ends_s, by) in enumerate(itertools.product(FAULTS, ENDS_S, ("journal", "dict"))):
        turn = number + len(kind) + len(settings)
        case = Case(
            kind=KINDS[kind],
            fault=FAULTS[fault],
            ends_s=ends_s,
            away_s=AWAY_S[turn // 3 % 4],
            by=by,
            offsets_ms=OFFSETS_MS[turn // 2 % 5],
            informed=turn % 4 != 0,
            settings=settings,
        )
        made.append((fault, case))
    return made


@pytest.mark.failure(53)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_taken_up_anywhere_comes_to_what_it_came_to_or_to_unknown(
    kind: str, settings: dict[str, Any], tmp_path: Path, count_cases: Callable[[int], None]
) -> None:
    """No false claim by the truth, no command sent again, a handle for all that was sent and for nothing else."""
    undisturbed = {
        fault: lived(Case(kind=KINDS[kind], fault=FAULTS[fault], settings=settings), folder(tmp_path))
        .reports[0]
        .outcome
        for fault in FAULTS
    }
    made = cases(kind, settings)[:: 3 if settings else 1]
    for number, (fault, case) in enumerate(made):
        told = lived(case, folder(tmp_path), debug=number % 14 == 0)
        allowed = {undisturbed[fault].name, "UNKNOWN"}
        if fault.startswith("late") or fault == "executed late":
            # Time to confirm counts anew: what came too late for the first life the second one may see.
            allowed |= {undisturbed["none"].name}
        if fault == "never executed" or not case.informed:
            # A clock that was not set can make a placement too old for its window. And who heard no answer may
            # believe its eyes that nothing is there; who heard "taken" may not.
            allowed |= {undisturbed["request lost"].name}
        assert {report.outcome.name for report in told.reports} <= allowed, (fault, case)
        assert len(told.handles) <= 1
        if told.sent and not told.settled:
            assert len(told.handles) == 1, (fault, case)
        if told.settled or not told.stamped:
            assert not told.handles, (fault, case)
    count_cases(len(made))


@pytest.mark.failure(53)
@pytest.mark.parametrize("fault", ["none", "answer lost", "request lost", "executed late"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_answered_comes_to_the_same_as_without_the_crash(kind: str, fault: str, tmp_path: Path) -> None:
    """Within the hour, with the clock known: nothing is lost but time, however wrong its wall clock is."""
    whole = lived(Case(kind=KINDS[kind], fault=FAULTS[fault]), folder(tmp_path)).reports[0].outcome
    for away_s, offset_ms in ((1.0, 29_000), (HOUR_S, -3_600_000), (1.0, 172_800_000)):
        case = Case(
            kind=KINDS[kind], fault=FAULTS[fault], ends_s=0.1, away_s=away_s, offsets_ms=(0, offset_ms), informed=True
        )
        told = lived(case, folder(tmp_path))
        if kind == "trigger" and fault in ("request lost", "executed late"):
            # Whether a trigger order does not exist cannot be proven, and 25 seconds are short.
            continue
        assert [report.outcome for report in told.reports] == ([] if told.settled else [whole])


def folder(parent: Path) -> Path:
    """A fresh one."""
    made = parent / str(sum(1 for _ in parent.iterdir()))
    made.mkdir()
    return made


@pytest.mark.failure(42, 53)
@pytest.mark.parametrize(("hours", "outcome"), [(1, PlacementOutcome.PLACED), (3, PlacementOutcome.UNKNOWN)])
def test_what_the_exchange_forgets_after_two_hours_is_no_proof_of_absence(
    hours: int, outcome: PlacementOutcome, tmp_path: Path
) -> None:
    """Placed, the answer lost, cancelled, never in the history: orderInfo finds it by its client id for two hours."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.history_lag_s = math.inf
        exchange.faults.add("place-order", faults.drop(executed=True))
        path = tmp_path / "journal"
        async with client_at(exchange, 0, 7, journal=path) as first:
            _ = [await first.market.server_time() for _ in range(2)]
            _ = await first.place_order(BTC, "buy", "limit", "0.01", price="50000")
        await asyncio.sleep(1)
        (order_id,) = exchange.truth.orders
        assert exchange.cancel(order_id)
        await asyncio.sleep(hours * HOUR_S)
        async with client_at(exchange, 0, 8, journal=path) as second:
            (pending,) = await second.resume_pending()
            report = await pending.settled()
            assert report.outcome is outcome
            assert exchange.truth.count("place-order") == 1

    with_exchange(main)


@pytest.mark.failure(53)
def test_orders_that_no_snapshot_showed_are_found_below_those_of_the_days_since(tmp_path: Path) -> None:
    """Killed before the first listing; the symbol went on trading, and the newest pages show nothing that was swept."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        swept = exchange.rest(BTC, 3, age_s=60)
        path, left = tmp_path / "journal", tmp_path / "left"
        async with client_at(exchange, 0, 7, journal=path) as first:
            _ = [await first.market.server_time() for _ in range(2)]
            call = asyncio.ensure_future(first.cancel_symbol_orders(BTC, snapshot="none"))
            await asyncio.sleep(0.03)
            left.write_bytes(path.read_bytes())
            left.chmod(0o600)
        _ = await asyncio.gather(call, return_exceptions=True)
        await asyncio.sleep(3600)
        for _ in range(250):
            _ = exchange.record(BTC, age_s=100)
        async with client_at(exchange, 0, 8, journal=left) as second:
            (pending,) = await second.resume_pending()
            assert pending.to_dict()["orders"] == []
            report = await pending.settled()
        assert report.outcome is Outcome.CONFIRMED
        assert {fate.order.order_id for fate in report.cancelled} == set(swept)

    with_exchange(main)


@pytest.mark.failure(53)
def test_an_entry_that_cannot_be_read_stays_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a later version, say: a warning names it, the others are taken up."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        path = tmp_path / "journal"
        async with client_at(exchange, 0, 7, journal=path) as first:
            file: Any = first._open().journal
            number = file.begin({"version": 99})
            assert file.note(number, Kind.SENDING, {})
            _ = await first.cancel_symbol_orders(BTC)
        async with client_at(exchange, 0, 8, journal=path) as second:
            (pending,) = await second.resume_pending()
            assert (await pending).proven
            left: Any = second._open().journal
            assert [entry.number for entry in left.unsettled()] == [number]

    with_exchange(main)
    assert f"entry {1} of the journal cannot be taken up and stays: version" in caplog.text


@pytest.mark.failure(53, 54)
def test_a_gap_in_the_journal_means_that_anything_may_have_been_sent(tmp_path: Path) -> None:
    """Intended, then damage: the orders up to now are looked after, and nobody claims that it was not sent."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 2, age_s=60)
        path = tmp_path / "journal"
        async with client_at(exchange, 0, 7, journal=path) as first:
            file: Any = first._open().journal
            note = file.note

            def damaged(number: int, kind: Any, data: Any = None) -> bool:
                return bool(note(number, Kind.GAP, {})) if kind is not Kind.DONE else bool(note(number, kind, data))

            file.note = damaged
            _ = await first.cancel_symbol_orders(BTC)
        await asyncio.sleep(1)
        exchange.rest(BTC, 1)
        async with client_at(exchange, 0, 8, journal=path) as second:
            (pending,) = await second.resume_pending()
            assert isinstance(pending, PendingCancellation)
            report = await pending.settled()
            # The one that was placed since may have been there when it was sent, for all that is known.
            assert len(report.orders) == 3
            assert report.outcome is Outcome.UNKNOWN
            assert any("not known for certain" in each for each in report.anomalies)

    with_exchange(main)
