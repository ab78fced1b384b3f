"""Reports: what the fates of single orders make of a whole call; and the course between."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import Fate, Order, OrderStatus, Outcome, PlacementOutcome, ReplacementOutcome, UsageError
from bitget_async.course import (
    NamedCourse,
    Options,
    SweepCourse,
    cancellation_report,
    check_confirm_within,
    is_seconds,
    modification_report,
    placement_report,
    replacement_report,
)
from bitget_async.evidence import Assumptions, Book, Certainty, Command, Named, Sweep, Target, Want
from bitget_async.models import Modification, OrderFailure, TriggerOrder, TriggerStatus

BTC = "BTCUSDT"
SECOND = 1_000_000_000
LATE = 100 * SECOND


def command(certainty: Certainty = Certainty.ACKED, signed_ms: int = 1_750_000_000_000) -> Command:
    """A command that was signed at one second and answered at two."""
    made = Command(bounds_ms=lambda at_ns: (signed_ms - 4, signed_ms + 3), assumptions=Assumptions(1.5, 9))
    made.signed(SECOND, signed_ms)
    made.answered(certainty, 2 * SECOND)
    return made


def row(status: str, number: int = 1) -> Order:
    """A row of an order."""
    return Order(order_id=str(number), symbol=BTC, status=OrderStatus(status), size=Decimal(1))


def ending(state: str) -> Target:
    """An order that is to end, of which that is known."""
    target = Target(command=command(), symbol=BTC, want=Want.FINAL, order_id="1", certainty=Certainty.ACKED)
    if state == "open":
        target.row, target.open_ns, target.shown_ns = row("live"), LATE, LATE
    elif state != "unknown":
        target.row, target.final, target.server_ms = row(state), True, 77
    return target


def coming(state: str) -> Target:
    """An order that is to exist, of which that is known."""
    certainty = {"refused": Certainty.REFUSED, "unknown": Certainty.MAYBE}.get(state, Certainty.ACKED)
    target = Target(command=command(), symbol=BTC, want=Want.PRESENT, client_oid="n", certainty=certainty)
    if state == "placed":
        target.row, target.order_id, target.source = row("filled", 2), "2", "orderInfo"
    if state == "refused":
        target.refusal = OrderFailure(client_oid="n", error_code="43012", error_msg="low")
    return target


def settled(build: Any, *targets: Target, reason: str | None = None, book: Book = Book.NORMAL, **fields: Any) -> Any:
    """The report of a call on these orders."""
    course = NamedCourse(command="some-call", named=Named(targets, book), build=build, **fields)
    course.settle(reason, 1_750_000_009_000)
    return course.report


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["cancelled"], Outcome.CONFIRMED),
        (["cancelled", "filled"], Outcome.CONFIRMED),
        (["cancelled", "open"], Outcome.STILL_OPEN),
        (["open", "open"], Outcome.STILL_OPEN),
        (["cancelled", "unknown"], Outcome.UNKNOWN),
        (["open", "unknown"], Outcome.UNKNOWN),
    ],
)
def test_a_cancellation_by_ids_is_as_sure_as_its_least_sure_order(states: list[str], outcome: Outcome) -> None:
    """CONFIRMED needs a final row of each; STILL_OPEN a proof of each that is not final."""
    report = settled(cancellation_report, *map(ending, states), reason="deadline")
    assert report.outcome is outcome
    assert report.reason == ("deadline" if outcome is Outcome.UNKNOWN else "")
    assert report.proven is (outcome is Outcome.CONFIRMED)
    fates = {"cancelled": Fate.CANCELLED, "filled": Fate.FILLED, "open": Fate.OPEN, "unknown": Fate.VANISHED}
    assert [each.fate for each in report.orders] == [fates[state] for state in states]
    # All of it known before the answer: the moment of the last row stands for "cleared".
    assert report.cleared_at_ms == (77 if outcome is Outcome.CONFIRMED else None)
    with pytest.raises(TypeError, match="neither yes nor no"):
        bool(report)


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["placed"], "PLACED"),
        (["placed", "placed"], "PLACED"),
        (["refused"], "NOT_PLACED"),
        (["refused", "refused"], "NOT_PLACED"),
        (["placed", "refused"], "PARTLY_PLACED"),
        (["placed", "unknown"], "UNKNOWN"),
        (["refused", "unknown", "placed"], "UNKNOWN"),
    ],
)
def test_a_placement_is_as_sure_as_its_least_sure_order(states: list[str], outcome: str) -> None:
    """Of a batch some may be placed and others not; one in doubt makes the whole UNKNOWN, never a NO."""
    report = settled(placement_report, *map(coming, states), reason="not_found")
    assert report.outcome is PlacementOutcome[outcome]
    assert report.reason == ("not_found" if outcome == "UNKNOWN" else "")
    assert report.proven is (outcome == "PLACED")
    parts = (report.placed, report.not_placed, report.unknown)
    assert [len(part) for part in parts] == [states.count(each) for each in ("placed", "refused", "unknown")]
    assert all(each.refusal is not None and each.refusal.error_code == "43012" for each in report.not_placed)
    if len(states) == 1:
        assert report.placement == report.placements[0]
    else:
        with pytest.raises(ValueError, match="unpack"):
            _ = report.placement


PAIRS = [
    ("cancelled", "placed", "REPLACED"),
    ("filled", "placed", "REPLACED"),
    ("open", "refused", "OLD_KEPT"),
    ("cancelled", "refused", "NEW_MISSING"),
    ("open", "placed", "BOTH_OPEN"),
    ("unknown", "placed", "UNKNOWN"),
    ("cancelled", "unknown", "UNKNOWN"),
    ("unknown", "unknown", "UNKNOWN"),
]


@pytest.mark.parametrize(("old", "new", "outcome"), PAIRS)
def test_a_replacement_has_two_fates(old: str, new: str, outcome: str) -> None:
    """Each of the four combinations has its name; one in doubt makes it UNKNOWN."""
    report = settled(replacement_report, ending(old), coming(new), reason="deadline")
    assert report.outcome is report.replacements[0].outcome is ReplacementOutcome[outcome]
    assert report.reason == ("deadline" if outcome == "UNKNOWN" else "")
    assert report.proven is (outcome == "REPLACED")
    assert (report.old, report.new) == (report.replacements[0].old, report.replacements[0].new)


@pytest.mark.parametrize(
    ("pairs", "outcome"),
    [
        ([0, 1], "REPLACED"),
        ([2, 2], "OLD_KEPT"),
        ([0, 2], "MIXED"),
        ([0, 2, 5], "UNKNOWN"),
    ],
)
def test_a_batch_of_replacements_is_mixed_where_they_differ(pairs: list[int], outcome: str) -> None:
    """And UNKNOWN where one is."""
    targets = [each for place in pairs for each in (ending(PAIRS[place][0]), coming(PAIRS[place][1]))]
    report = settled(replacement_report, *targets)
    assert report.outcome is ReplacementOutcome[outcome]
    assert [each.outcome.name for each in report.replacements] == [PAIRS[place][2] for place in pairs]


@pytest.mark.parametrize(
    ("status", "price", "outcome"),
    [
        ("live", 8, Modification.MODIFIED),
        ("executed", 8, Modification.MODIFIED),
        ("live", 7, Modification.NOT_MODIFIED),
        ("cancelled", 7, Modification.NOT_MODIFIED),
        (None, 0, Modification.UNKNOWN),
    ],
)
def test_a_change_is_known_by_the_rows_values(status: str | None, price: int, outcome: Modification) -> None:
    """The report has the row."""
    seen = None
    target = Target(command=command(), symbol=BTC, want=Want.CHANGED, order_id="1", certainty=Certainty.ACKED)
    target.wanted = {"trigger_price": "8"}
    if status is not None:
        seen = TriggerOrder(
            order_id="1", symbol=BTC, status=TriggerStatus(status), trigger_price=Decimal(price), updated_ms=10**13
        )
        target.row, target.final, target.open_ns = seen, seen.status.final, LATE
        target.shown_ns = LATE
    report = settled(modification_report, target, reason="vanished", book=Book.PLAN)
    assert report.outcome is outcome
    assert report.order == seen
    assert report.reason == ("vanished" if outcome is Modification.UNKNOWN else "")
    assert report.proven is (outcome is Modification.MODIFIED)


def test_every_report_says_what_was_sent_and_what_was_assumed() -> None:
    """Moments, attempts, requests by name, anomalies, assumptions; as JSON with amounts as texts."""
    course = NamedCourse(
        command="place-order", named=Named((coming("placed"),)), build=placement_report, more={"window": "5"}
    )
    course.attempts, course.acknowledged_ms = 2, 1_750_000_000_050
    course.count("orderInfo")
    course.count("orderInfo", 2)
    course.named.odd("something odd")
    course.settle(None, 1_750_000_009_000)
    report: Any = course.report
    assert (report.symbol, report.acknowledged, report.attempts) == (BTC, True, 2)
    assert (report.signed_at_ms, report.acknowledged_at_ms, report.settled_at_ms) == (
        1_750_000_000_000,
        1_750_000_000_050,
        1_750_000_009_000,
    )
    assert dict(report.requests) == {"place-order": 2, "orderInfo": 3}
    assert report.anomalies == ("something odd",)
    assert dict(report.assumptions) == {
        "staleness_s": "1.5",
        "execution_grace_s": "9",
        "clock_error_ms": "7",
        "window": "5",
    }
    plain = report.to_dict()
    assert plain["outcome"] == "placed"
    assert plain["placements"][0]["order"]["size"] == "1"
    assert plain["requests"] == {"place-order": 2, "orderInfo": 3}


def test_a_call_on_several_symbols_names_them_all() -> None:
    """In one text, sorted; a read of any of them, or of all, is its."""
    one, two = coming("placed"), coming("placed")
    two.symbol = "ADAUSDT"
    course = NamedCourse(command="batch-orders", named=Named((one, two)), build=placement_report)
    assert course.symbol == "ADAUSDT,BTCUSDT"
    assert course.covers(None, Book.NORMAL)
    assert course.covers("ADAUSDT", Book.NORMAL)
    assert not course.covers("ETHUSDT", Book.NORMAL)
    assert not course.covers(None, Book.PLAN)


def test_whoever_waits_is_told_of_every_news_once() -> None:
    """Each wait is for the next news, and not for one that was heard."""

    async def main() -> None:
        course = SweepCourse(command="cancel-symbol-order", sweep=Sweep(BTC, bounds_ms=lambda at_ns: (0, 1)))
        heard = []

        async def reader() -> None:
            for number in range(2):
                await course.news()
                heard.append(number)

        task = asyncio.ensure_future(reader())
        await asyncio.sleep(0)
        course.tell()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert heard == [0]
        course.tell()
        await task
        assert heard == [0, 1]

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "60", None, 86_401])
def test_a_time_to_confirm_is_seconds_up_to_a_day(seconds: Any) -> None:
    """Of every handle."""
    with pytest.raises(UsageError, match="confirm_within_s"):
        check_confirm_within(seconds)
    with pytest.raises(UsageError, match="confirm_within_s"):
        Options(confirm_within_s=seconds)
    assert not is_seconds(seconds, 86_400.0)
    assert is_seconds(0.001, 86_400.0)
    check_confirm_within(86_400)


def test_the_time_to_confirm_counts_from_the_last_command_of_a_call() -> None:
    """A batch whose second command waits for its token: no report may stand while that can still go out."""
    commands = [Command(bounds_ms=lambda at_ns: None) for _ in range(2)]
    targets = tuple(Target(command=each, symbol=BTC, want=Want.FINAL, order_id="1") for each in commands)

    async def main() -> None:
        course = NamedCourse(
            command="batch-cancel-order", named=Named(targets), build=cancellation_report, confirm_within_s=8.0
        )
        commands[0].signed(SECOND, 1)
        course.signed(SECOND)
        assert course.deadline_ns > 10**6 * SECOND
        commands[1].signed(30 * SECOND, 2)
        course.signed(30 * SECOND)
        assert course.deadline_ns == 38 * SECOND

    asyncio.run(main())
