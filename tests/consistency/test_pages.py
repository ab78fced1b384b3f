"""Listings of many pages, and all that can be wrong with one: no evidence, no hidden order, no false report."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from bitget_async import Outcome
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, faults
from bitget_async.sim.faults import Fault
from tests.conftest import client_of, run_virtual

pytestmark = pytest.mark.failure(44)

BTC = "BTCUSDT"
COMMAND = "cancel-symbol-order"
COUNTS = (0, 1, 99, 100, 101, 200, 250, 1000)
# Ids of 9 to 11 digits in one book: as text the longest of them are the smallest.
MIXED = 999_999_900
PAGES: dict[str, Fault] = {
    "fails": faults.page(502, executed=False),
    "is refused": faults.envelope("45001"),
    "hangs": faults.hang(executed=True),
    "is cut": faults.truncated(0.7),
    "ignores the cursor": faults.ignored_cursor(),
    "repeats the last": faults.repeated_page(),
    "is shuffled": faults.shuffled_rows(),
    "has rows twice": faults.duplicated_rows(),
    "has a bad number": faults.bad_number(),
    "has no ids": faults.edited_rows(lambda rows: [row | {"orderId": "none"} for row in rows]),
    "is empty": faults.edited_rows(lambda rows: []),
}
# What reads well and shows too little is a lie that nobody can see: these are judged by what must not be claimed.
HARMLESS = ("is shuffled", "has rows twice")


def settings() -> Settings:
    """20 ms each way and a listing without lag: what is wrong is the page's fault."""
    return Settings(
        request_latency_s=0.02, answer_latency_s=0.02, listing_lag_s=0.0, history_lag_s=0.2, most_open_orders=5_000
    )


def ids_of(kind: str, count: int) -> list[str]:
    """Ids in the order of their numbers."""
    first = {"numeric": 1_308_742_897_634_820_105, "mixed": MIXED}[kind]
    step = 1 if kind == "numeric" else 11
    return [str(first + number * step) for number in range(count)]


async def played(count: int, kind: str, lost: bool, *entries: tuple[str, Fault, int, int | None]) -> Any:
    """One cancellation of so many orders with these faults; its report, and the exchange's open ids at the end."""
    exchange = SimulatedExchange(count, clock=VirtualClock(), settings=settings(), keep_headers=False)
    async with exchange, client_of(exchange, rng=random.Random(count)) as client:
        ids = exchange.rest(BTC, ids=ids_of(kind, count), age_s=60)
        if lost:
            exchange.faults.add(COMMAND, faults.never_executed(), times=1)
        for endpoint, fault, after, times in entries:
            exchange.faults.add(endpoint, fault, after=after, times=times)
        report = await (await client.cancel_symbol_orders(BTC)).settled()
        return report, ids, exchange.truth.open_ids(exchange.account.uid, BTC)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["numeric", "mixed"])
@pytest.mark.parametrize("lost", [False, True])
def test_every_order_of_a_listing_of_any_length_is_told(count: int, kind: str, lost: bool) -> None:
    """Executed: all of them CONFIRMED. Taken and never executed: all of them STILL_OPEN, to the last page."""
    report, ids, left = run_virtual(partial(played, count, kind, lost), debug=count < 200)
    wanted = Outcome.NOTHING_TO_CANCEL if not count else Outcome.STILL_OPEN if lost else Outcome.CONFIRMED
    assert report.outcome is wanted
    told = [fate.order.order_id for fate in (report.still_open if lost else report.cancelled)]
    assert told == ids
    assert len(left) == (count if lost else 0)


@pytest.mark.parametrize("what", PAGES)
@pytest.mark.parametrize("count", [101, 250])
def test_a_page_that_is_wrong_once_anywhere_in_a_listing_changes_no_report(
    what: str, count: int, count_cases: Any
) -> None:
    """The first page, the second, the third: later ones are read again, and the report is as if nothing had been."""
    pages = 1 + count // 100
    cases = [(after, lost) for after in range(pages) for lost in (False, True)]
    for after, lost in cases:
        entry = ("unfilled-orders", PAGES[what], after, 1)
        report, ids, _ = run_virtual(partial(played, count, "mixed", lost, entry), debug=count < 200 and not after)
        assert report.outcome is (Outcome.STILL_OPEN if lost else Outcome.CONFIRMED), (after, lost)
        told = {fate.order.order_id for fate in (report.still_open if lost else report.cancelled)}
        assert told <= set(ids)
        # A page that shows nothing hides orders; those of a command that never ran come up again.
        assert told == set(ids) or (what == "is empty" and not lost)
    count_cases(len(cases))


@pytest.mark.failure(45)
@pytest.mark.parametrize("what", PAGES)
@pytest.mark.parametrize("after", [0, 1])
def test_a_page_that_is_wrong_for_ever_never_confirms_what_is_open(what: str, after: int) -> None:
    """The command never ran, and each second page, or each page, is wrong until the end: nothing is claimed."""

    async def main() -> tuple[Any, list[str]]:
        exchange = SimulatedExchange(3, clock=VirtualClock(), settings=settings())
        async with exchange, client_of(exchange) as client:
            ids = exchange.rest(BTC, ids=ids_of("mixed", 150), age_s=60)
            exchange.faults.add(COMMAND, faults.never_executed(), times=1)
            second = "idLessThan="
            exchange.faults.add(
                "unfilled-orders", PAGES[what], times=None, where=lambda copy: (second in copy.query) is bool(after)
            )
            return await (await client.cancel_symbol_orders(BTC)).settled(), ids

    report, ids = run_virtual(main)
    told = {fate.order.order_id for fate in report.still_open}
    if what in HARMLESS:
        assert (report.outcome, told) == (Outcome.STILL_OPEN, set(ids))
    elif what == "is empty" and after == 0:
        # The exchange says that nothing is open, each time, and its history says so too.
        assert report.outcome is Outcome.NOTHING_TO_CANCEL
    else:
        assert report.outcome in (Outcome.UNKNOWN, Outcome.STILL_OPEN)
        assert report.outcome is Outcome.UNKNOWN or told


@pytest.mark.failure(45)
@pytest.mark.parametrize("what", ["fails", "is refused", "hangs", "is cut"])
@pytest.mark.parametrize("endpoint", ["unfilled-orders", "history-orders", "orderInfo"])
def test_reads_that_bring_nothing_delay_the_report_and_never_make_one(
    what: str, endpoint: str, count_cases: Any
) -> None:
    """The first one, three or eight of a kind fail, whatever the way: no evidence, never "empty"."""

    async def main(times: int, lost: bool) -> Any:
        exchange = SimulatedExchange(times, clock=VirtualClock(), settings=settings())
        async with exchange, client_of(exchange) as client:
            exchange.rest(BTC, 2, age_s=60)
            if lost:
                exchange.faults.add(COMMAND, faults.never_executed(), times=1)
            exchange.faults.add(endpoint, PAGES[what], times=times)
            return await (await client.cancel_symbol_orders(BTC, confirm_within_s=120)).settled()

    cases = [(times, lost) for times in (1, 3, 8) for lost in (False, True)]
    for times, lost in cases:
        report = run_virtual(partial(main, times, lost), debug=times == 1)
        assert report.outcome is (Outcome.STILL_OPEN if lost else Outcome.CONFIRMED), (times, lost)
        assert len(report.still_open if lost else report.cancelled) == 2
    count_cases(len(cases))


@pytest.mark.failure(46)
@pytest.mark.parametrize("text", ["frozen", "", "Cancelled ", "cancelling", "9", "rejected", "null"])
@pytest.mark.parametrize("endpoint", ["unfilled-orders", "history-orders", "orderInfo"])
def test_a_status_that_is_not_known_proves_nothing(text: str, endpoint: str) -> None:
    """Neither open nor final: in the history it delays, in the listing it blocks, and it is named."""

    async def main() -> Any:
        exchange = SimulatedExchange(1, clock=VirtualClock(), settings=settings())
        async with exchange, client_of(exchange) as client:
            exchange.rest(BTC, 2, age_s=60)
            exchange.faults.add(endpoint, faults.status_text(text), times=None)
            if endpoint == "orderInfo":
                exchange.faults.add("history-orders", faults.status_text(text), times=None)
            if endpoint == "unfilled-orders":
                exchange.faults.add(COMMAND, faults.never_executed(), times=1)
            return await (await client.cancel_symbol_orders(BTC)).settled()

    report = run_virtual(main)
    if endpoint == "history-orders":
        # orderInfo tells.
        assert report.outcome is Outcome.CONFIRMED
    else:
        assert report.outcome is Outcome.UNKNOWN
    assert any("status" in anomaly for anomaly in report.anomalies)
