"""
Paged reads. The walk: every row once, whatever the pages look like, or an error that says so. The shell: one object for
one page and for all, against the simulator in virtual time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import pickle
import random
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from bitget_async import BitgetClient, NotSent, Order, OutcomeUnknown, RateLimited, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CURRENT_PLAN_ORDER, FILLS, HISTORY_ORDERS, SERVER_TIME, Endpoint, Paging, Param
from bitget_async.endpoints.checks import integer
from bitget_async.models import Fill, TriggerOrder, TriggerPage
from bitget_async.pages import Pages, Position, Walk
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import client_of

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000
SPAN_MS = 40
BTC = "BTCUSDT"
Virtual = Callable[..., Any]


def row_with(paging: Paging, of: Endpoint = HISTORY_ORDERS) -> Endpoint:
    """A catalogue row with other pages, and the parameters that all kinds of cursors need."""
    limited = tuple(param for param in of.params if param.name not in ("limit", "page_num"))
    more = (Param("limit", integer(1, 10_000)), Param("page_num", integer(1, 10_000)))
    return structs.replace(of, params=(*limited, *more), paging=paging)


BY_ID = row_with(Paging(by="id", key="order_id", limit=10_000))
WINDOWS = row_with(Paging(by="id", key="order_id", limit=10_000, span_ms=SPAN_MS, kept_ms=20 * SPAN_MS))
BY_NUMBER = row_with(Paging(by="number", key="", limit=10_000))
BY_TIME = row_with(Paging(by="time", key="created_ms", limit=10_000))
BY_ANSWER = row_with(Paging(by="answer", key="", limit=10_000, rows="order_list"), CURRENT_PLAN_ORDER)
EACH_KIND = pytest.mark.parametrize("row", [BY_ID, BY_NUMBER, BY_TIME, BY_ANSWER], ids=lambda row: row.paging.by)


@dataclasses.dataclass
class Server:
    """A list of (id, time) and the pages of it, in the ways in which an exchange may understand what it is asked."""

    rows: list[tuple[int, int]]
    row: Endpoint = BY_ID
    inclusive_cursor: bool = False
    inclusive_start: bool = True
    inclusive_end: bool = True
    ignores_cursor: bool = False
    cap: int = 10_000
    dice: random.Random | None = None
    asked: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def answer(self, params: dict[str, Any]) -> Any:
        """The page for those parameters."""
        self.asked.append(params)
        assert self.row.checked(params) is not None
        by = self.row.paging.by if self.row.paging else ""
        found = [each for each in self.rows if self._in_range(each[1], params, by)]
        found.sort(key=lambda each: each[by == "time"], reverse=True)
        if not self.ignores_cursor:
            found = self._below(found, params, by)
        limit = min(params["limit"], self.cap)
        page = found[:limit]
        if self.dice is not None:
            self.dice.shuffle(page)
        if by == "answer":
            lowest = str(min(each[0] for each in page)) if page else None
            orders = tuple(TriggerOrder(order_id=str(number)) for number, _ in page)
            return TriggerPage(next_flag=len(found) > limit, id_less_than=lowest, order_list=orders)
        if by == "time":
            page.sort(key=lambda each: each[1])
        return [Order(order_id=str(number), created_ms=time_ms) for number, time_ms in page]

    def _in_range(self, time_ms: int, params: dict[str, Any], by: str) -> bool:
        start, end = params.get("start_time"), params.get("end_time")
        after = start is None or time_ms > start or (self.inclusive_start and time_ms == start)
        return after and (by == "time" or end is None or time_ms < end or (self.inclusive_end and time_ms == end))

    def _below(self, found: list[tuple[int, int]], params: dict[str, Any], by: str) -> list[tuple[int, int]]:
        if by == "number":
            return found[(params.get("page_num", 1) - 1) * params["limit"] :]
        place, name = (1, "end_time") if by == "time" else (0, "id_less_than")
        bound = int(params[name]) + self.inclusive_cursor if name in params else math.inf
        return [each for each in found if each[place] < bound]


def walked(server: Server, most: int = 500, *, between: Callable[[], None] | None = None, **given: Any) -> list[Any]:
    """All rows of a walk over that server; fails if it does not end."""
    walk = Walk(server.row, given, lambda: NOW_MS)
    rows: list[Any] = []
    for _ in range(most):
        params = walk.ask()
        if params is None:
            assert walk.position.over
            assert walk.position.given == len(rows)
            return rows
        walk.take(server.answer(params))
        rows += walk.give_all()
        if between is not None:
            between()
    raise AssertionError(f"no end after {most} pages")


def numbers(rows: Iterable[Any]) -> list[int]:
    """Their ids."""
    return [int(row.order_id) for row in rows]


IDS = st.sets(st.one_of(st.integers(1, 30), st.integers(1, 10**20), st.integers(95, 105)), max_size=60)
LIMITS = st.integers(1, 30)


@EACH_KIND
@settings(deadline=None)
@given(ids=IDS, limit=LIMITS, inclusive=st.booleans(), seed=st.integers(0, 9))
@example(ids={9, 10, 11, 99, 100, 101}, limit=2, inclusive=False, seed=0)
def test_every_row_once_whatever_ids_and_pages_look_like(
    row: Endpoint, ids: set[int], limit: int, inclusive: bool, seed: int
) -> None:
    """Ids of any length, shuffled pages, a cursor that shows its own row again: nothing twice, nothing left out."""
    inclusive = inclusive and limit > 1 and row is not BY_NUMBER
    dice = None if row is BY_TIME else random.Random(seed)
    rows = [(number, NOW_MS - 100 + place) for place, number in enumerate(sorted(ids))]
    server = Server(rows, row, inclusive_cursor=inclusive, dice=dice)
    assert sorted(numbers(walked(server, limit=limit))) == sorted(ids)
    fresh_a_page = limit - inclusive
    assert len(server.asked) <= len(ids) // fresh_a_page + 1


@settings(deadline=None)
@given(
    times=st.lists(st.integers(0, 5 * SPAN_MS), max_size=60),
    length=st.integers(0, 5 * SPAN_MS),
    limit=LIMITS,
    inclusive=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 9),
)
def test_a_long_range_is_asked_in_windows_without_gap_and_without_a_row_twice(
    times: list[int], length: int, limit: int, inclusive: tuple[bool, bool], seed: int
) -> None:
    """Newest first, none longer than allowed, whatever bounds mean and whether ids follow time or not."""
    start, end = NOW_MS, NOW_MS + length
    order = random.Random(seed).sample(range(1, 1_000), len(times)) if seed % 2 else range(1, 1_000)
    rows = [(number, NOW_MS + time) for number, time in zip(order, sorted(times), strict=False)]
    server = Server(rows, WINDOWS, inclusive_start=inclusive[0], inclusive_end=inclusive[1])
    given_rows = walked(server, limit=limit, start_time=start, end_time=end)
    inside = [
        number
        for number, at in rows
        if start <= at <= end and (at != start or inclusive[0]) and (at != end or inclusive[1])
    ]
    assert sorted(numbers(given_rows)) == sorted(inside)
    assert all(each["end_time"] - each["start_time"] <= SPAN_MS for each in server.asked)
    ends = [each["end_time"] for each in server.asked]
    assert ends == sorted(ends, reverse=True)
    assert (ends[0], server.asked[-1]["start_time"]) == (end, start)


def test_a_range_that_fits_goes_out_as_it_was_given() -> None:
    """Nothing is widened or made up where the exchange takes the caller's own bounds."""
    each_bounds: list[dict[str, Any]] = [
        {"start_time": NOW_MS, "end_time": NOW_MS + SPAN_MS},
        {"start_time": NOW_MS - 5},
        {"end_time": NOW_MS - 20 * SPAN_MS},
        {},
    ]
    for bounds in each_bounds:
        server = Server([], WINDOWS)
        walked(server, limit=5, **bounds)
        assert server.asked == [{"limit": 5, **bounds}]


def test_a_range_without_an_end_reaches_until_now_and_stays_open() -> None:
    """The newest window has no end, so that a clock that is behind costs no row, and a tenth of room to grow."""
    server = Server([(1, NOW_MS - 5), (2, NOW_MS + 3), (3, NOW_MS - 60)], WINDOWS)
    assert numbers(walked(server, start_time=NOW_MS - 2 * SPAN_MS)) == [2, 1, 3]
    first, *others = server.asked
    assert "end_time" not in first
    assert NOW_MS - first["start_time"] <= SPAN_MS * 9 // 10
    assert others[-1]["start_time"] == NOW_MS - 2 * SPAN_MS
    server = Server([], WINDOWS)
    walked(server, limit=5, start_time=NOW_MS - SPAN_MS // 2)
    assert server.asked == [{"limit": 5, "start_time": NOW_MS - SPAN_MS // 2}]


def test_a_range_without_a_start_goes_back_as_far_as_rows_are_kept() -> None:
    """Where the row of the catalogue says how far that is."""
    server = Server([(1, NOW_MS - 19 * SPAN_MS), (2, NOW_MS - 3)], WINDOWS)
    assert numbers(walked(server, end_time=NOW_MS)) == [2, 1]
    assert server.asked[-1]["start_time"] == NOW_MS - 20 * SPAN_MS


@EACH_KIND
@settings(deadline=None)
@given(count=st.integers(1, 60), limit=st.integers(2, 30), growth=st.integers(0, 40))
def test_a_list_that_grows_while_it_is_walked_loses_nothing(row: Endpoint, count: int, limit: int, growth: int) -> None:
    """New rows come on top. By page number they push known rows down: those are not given again."""
    growth = min(growth, limit - 1) if row is BY_NUMBER else growth
    server = Server([(number, NOW_MS - 100 + number) for number in range(1, count + 1)], row)

    def grow() -> None:
        if len(server.asked) < 100:
            top = len(server.rows)
            server.rows += [(number, NOW_MS - 100 + number) for number in range(top + 1, top + growth + 1)]

    rows = numbers(walked(server, limit=limit, between=grow))
    assert set(rows) >= set(range(1, count + 1))
    assert len(set(rows)) == len(rows)


@EACH_KIND
@pytest.mark.parametrize("grows", [0, 1, 6])
def test_a_cursor_that_is_ignored_is_an_error_and_no_endless_loop(row: Endpoint, grows: int) -> None:
    """And no end of the list either: what is below the first page was never seen."""
    server = Server([(number, NOW_MS - 100 + number) for number in range(1, 31)], row, ignores_cursor=True)

    def grow() -> None:
        top = len(server.rows)
        server.rows += [(number, NOW_MS - 100 + number) for number in range(top + 1, top + grows + 1)]

    with pytest.raises(OutcomeUnknown, match="further") as caught:
        walked(server, limit=7, between=grow)
    assert caught.value.reason == "unreadable"
    assert caught.value.endpoint == row.label
    assert len(server.asked) == 2


def test_a_cursor_given_by_the_caller_counts_from_the_first_page_on() -> None:
    """A first page that is not below it is as wrong as a second one."""
    rows = [(number, NOW_MS) for number in range(1, 31)]
    assert numbers(walked(Server(rows), limit=7, id_less_than="11")) == list(range(10, 0, -1))
    with pytest.raises(OutcomeUnknown, match="not below 11"):
        walked(Server(rows, ignores_cursor=True), limit=7, id_less_than="11")


def test_a_short_page_that_leads_no_further_is_no_end() -> None:
    """Rows above the cursor on a page that should be below it: nobody knows what that page shows."""
    walk = Walk(BY_ID, {"limit": 2}, lambda: NOW_MS)
    walk.take([Order(order_id="10"), Order(order_id="9")])
    assert numbers(walk.give_all()) == [10, 9]
    walk.take([Order(order_id="10")])
    with pytest.raises(OutcomeUnknown):
        walk.ask()


def test_a_full_page_of_the_border_alone_is_no_end_either() -> None:
    """With one row a page, an inclusive cursor shows the same row for ever."""
    with pytest.raises(OutcomeUnknown, match="not below 9"):
        walked(Server([(8, NOW_MS), (9, NOW_MS)], inclusive_cursor=True), limit=1)


UNREADABLE = pytest.mark.parametrize("unreadable", ["", "x", "१२", "-5", "1.5", "9" * 41])


@UNREADABLE
def test_a_full_page_with_an_id_that_cannot_be_read_ends_in_an_error_after_its_rows(unreadable: str) -> None:
    """A guessed cursor could skip rows; what was read is not lost over it."""
    walk = Walk(BY_ID, {"limit": 3}, lambda: NOW_MS)
    walk.take([Order(order_id="10"), Order(order_id=unreadable), Order(order_id="8")])
    assert [order.order_id for order in walk.give_all()] == ["10", unreadable, "8"]
    assert walk.outlook == (True, None)
    with pytest.raises(OutcomeUnknown, match="order_id of a row on a full page cannot be read"):
        walk.ask()
    assert walk.ask() == {"limit": 3}


@UNREADABLE
def test_an_id_that_cannot_be_read_on_the_last_page_stops_nothing(unreadable: str) -> None:
    """Nothing hangs on it there. Two such rows are two rows: they may differ."""
    walk = Walk(BY_ID, {"limit": 9}, lambda: NOW_MS)
    walk.take([Order(order_id="10"), Order(order_id=unreadable), Order(order_id=unreadable)])
    assert len(walk.give_all()) == 3
    assert walk.ask() is None


@pytest.mark.parametrize("cap", [100, 200])
def test_a_cap_that_the_exchange_does_not_tell_hides_nothing(cap: int) -> None:
    """It was seen to answer 100 rows whatever `limit` said: such a page is short, and not the last."""
    server = Server([(number, NOW_MS) for number in range(1, 451)], cap=cap)
    assert len(walked(server, limit=500)) == 450
    assert len(server.asked) == math.ceil(450 / cap)


def test_both_sides_of_a_trade_with_oneself_are_given() -> None:
    """They share the trade id and differ in the order id."""
    fills = [Fill(trade_id="7", order_id="1"), Fill(trade_id="7", order_id="2"), Fill(trade_id="7", order_id="1")]
    walk = Walk(FILLS, {}, lambda: NOW_MS)
    walk.take(fills)
    assert walk.give_all() == fills[:2]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (TriggerPage(next_flag=True, id_less_than="5", order_list=None), "without its rows"),
        (TriggerPage(next_flag=False, order_list=None, unreadable=("orderList",)), "without its rows"),
        (TriggerPage(next_flag=True, id_less_than=None, order_list=(TriggerOrder(order_id="4"),)), "not where"),
        (TriggerPage(next_flag=True, id_less_than="x", order_list=(TriggerOrder(order_id="4"),)), "not where"),
        (TriggerPage(next_flag=True, id_less_than="4", order_list=()), "nothing new"),
        (TriggerPage(next_flag=True, id_less_than="8", order_list=(TriggerOrder(order_id="4"),)), "no further"),
        (TriggerPage(next_flag=True, id_less_than="9", order_list=(TriggerOrder(order_id="4"),)), "no further"),
        (TriggerPage(next_flag=None, order_list=(TriggerOrder(order_id="4"), TriggerOrder(order_id="3"))), "more"),
    ],
)
def test_an_answer_that_says_more_than_it_shows_is_an_error(page: TriggerPage, message: str) -> None:
    """Its own word on further pages is followed, and doubted where it cannot be."""
    walk = Walk(BY_ANSWER, {"limit": 2}, lambda: NOW_MS)
    walk.take(TriggerPage(next_flag=True, id_less_than="8", order_list=(TriggerOrder(order_id="8"),)))
    walk.give_all()
    walk.take(page)
    walk.give_all()
    with pytest.raises(OutcomeUnknown, match=message):
        walk.ask()


@pytest.mark.parametrize(
    "page",
    [
        TriggerPage(next_flag=False, id_less_than="1", order_list=()),
        TriggerPage(next_flag=False, order_list=None),
        TriggerPage(next_flag=None, order_list=None),
        TriggerPage(next_flag=None, order_list=(TriggerOrder(order_id="4"),)),
    ],
)
def test_an_answer_without_more_is_the_end(page: TriggerPage) -> None:
    """The exchange writes null for an empty list elsewhere."""
    walk = Walk(BY_ANSWER, {"limit": 2}, lambda: NOW_MS)
    walk.take(page)
    walk.give_all()
    assert walk.ask() is None


def test_times_are_given_newest_first_and_no_older_than_asked() -> None:
    """A page of times ascends. A start that the exchange does not take is kept here."""
    kept = tuple(param for param in BY_TIME.params if param.name not in ("start_time", "end_time"))
    end = next(param for param in BY_TIME.params if param.name == "end_time")
    row = structs.replace(BY_TIME, params=(*kept, structs.replace(end, required=True)))
    server = Server([(number, NOW_MS - number * 60_000) for number in range(1, 51)], row)
    rows = []
    walk = Walk(row, {"limit": 10, "start_time": NOW_MS - 20 * 60_000}, lambda: NOW_MS)
    while (params := walk.ask()) is not None:
        assert "start_time" not in params
        walk.take(server.answer(params))
        while walk.waiting:
            rows.append(walk.give())
    assert numbers(rows) == list(range(1, 21))
    assert server.asked[0]["end_time"] == NOW_MS
    assert len(server.asked) == 2
    with pytest.raises(UsageError, match="milliseconds"):
        Walk(row, {"start_time": "yesterday"}, lambda: NOW_MS).ask()


PAGES = st.lists(
    st.lists(st.one_of(st.integers(0, 40).map(str), st.sampled_from(["", "x", "007", "7"])), max_size=5), max_size=30
)


@given(pages=PAGES, limit=st.integers(1, 5))
def test_whatever_pages_come_each_new_row_is_given_and_the_walk_ends(pages: list[list[str]], limit: int) -> None:
    """An end or an error, after at most as many pages as there are ids."""
    walk = Walk(BY_ID, {"limit": limit}, lambda: NOW_MS)
    shown: list[str] = []
    rows: list[str] = []
    feed = iter(pages)
    try:
        while walk.ask() is not None:
            page = next(feed, [])
            shown += page
            walk.take([Order(order_id=each) for each in page])
            rows += [order.order_id for order in walk.give_all()]
    except OutcomeUnknown:
        pass
    readable = {int(each) for each in shown if each.isdigit()}
    assert sorted({int(each) for each in rows if each.isdigit()}) == sorted(readable)
    assert len([each for each in rows if each.isdigit()]) == len(readable)
    assert [each for each in rows if not each.isdigit()] == [each for each in shown if not each.isdigit()]


@settings(deadline=None)
@given(
    times=st.lists(st.integers(0, 4 * SPAN_MS), min_size=1, max_size=50),
    limit=LIMITS,
    stops=st.lists(st.integers(0, 12), max_size=8),
    row=st.sampled_from([WINDOWS, BY_ID, BY_NUMBER]),
)
@example(times=list(range(4 * SPAN_MS)), limit=30, stops=[1] * 4 * SPAN_MS, row=WINDOWS)
def test_a_walk_that_is_taken_up_from_its_position_gives_the_rest(
    times: list[int], limit: int, stops: list[int], row: Endpoint
) -> None:
    """In the middle of a page or between two, in another process: together they are the whole walk."""
    rows = [(number + 1, NOW_MS - 5 * SPAN_MS + time) for number, time in enumerate(sorted(times))]
    server = Server(rows, row)
    given_rows: list[int] = []
    position: Position | None = None
    asked = {"limit": limit, "start_time": NOW_MS - 5 * SPAN_MS - 1, "end_time": NOW_MS}
    for stop in [*stops, 10_000]:
        walk = Walk(row, asked, lambda: NOW_MS, position)
        left = stop
        while left and (params := walk.ask()) is not None:
            walk.take(server.answer(params))
            while left and walk.waiting:
                given_rows.append(int(walk.give().order_id))
                left -= 1
        position = pickle.loads(pickle.dumps(walk.position))  # noqa: S301
        assert position.given == len(given_rows)
    assert position is not None
    assert position.over
    assert sorted(given_rows) == [number for number, _ in rows]


@pytest.mark.parametrize(
    ("row", "given_", "match"),
    [
        (SERVER_TIME, {}, "no pages"),
        (HISTORY_ORDERS, {"limit": 0}, "limit"),
        (HISTORY_ORDERS, {"limit": 1_000}, "limit"),
        (HISTORY_ORDERS, {"start_time": "2025"}, "start_time"),
        (HISTORY_ORDERS, {"start_time": NOW_MS, "end_time": NOW_MS - 1}, "ends before it starts"),
        (HISTORY_ORDERS, {"symbols": "BTCUSDT"}, "unknown parameter"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused_before_anything_is_asked(
    row: Endpoint, given_: dict[str, Any], match: str
) -> None:
    """As with every other call."""
    with pytest.raises(UsageError, match=match):
        Walk(row, given_, lambda: NOW_MS).ask()


def test_a_position_belongs_to_its_read() -> None:
    """With other parameters its cursor and its ids would mean something else."""
    walk = Walk(HISTORY_ORDERS, {"symbol": BTC}, lambda: NOW_MS)
    assert walk.ask() == {"symbol": BTC, "limit": 100}
    position = walk.position
    Walk(HISTORY_ORDERS, {"symbol": BTC}, lambda: NOW_MS, position).ask()
    for row, asked in ((HISTORY_ORDERS, {"symbol": "ETHUSDT"}), (HISTORY_ORDERS, {}), (FILLS, {"symbol": BTC})):
        with pytest.raises(UsageError, match="other parameters"):
            Walk(row, asked, lambda: NOW_MS, position).ask()
    with pytest.raises(UsageError, match="other parameters"):
        Walk(HISTORY_ORDERS, {}, lambda: NOW_MS, "somewhere").ask()  # type: ignore[arg-type]


# -- the shell ----------------------------------------------------------------------------------------------------


def against(virtual: Virtual, main: Callable[[SimulatedExchange, BitgetClient], Any], **calm: Any) -> None:
    """Run it with a calm simulated exchange and a client of it, in virtual time."""

    async def whole() -> None:
        settings_ = Settings(listing_lag_s=0.0, history_lag_s=0.0, order_info_lag_s=0.0, **calm)
        async with (
            SimulatedExchange(3, clock=VirtualClock(), settings=settings_) as exchange,
            client_of(exchange) as client,
        ):
            await main(exchange, client)

    virtual(whole)


async def collect(read: Pages[Order], into: list[str]) -> None:
    """The ids of all that it gives, as they come."""
    async for order in read:
        into.append(order.order_id)


def past(exchange: SimulatedExchange, count: int, *, every_s: float = 60.0) -> list[str]:
    """So many finished orders, the newest first, one each minute."""
    made = [exchange.record(age_s=every_s * (count - place)) for place in range(count)]
    return made[::-1]


def test_one_object_is_a_page_and_all_pages(virtual: Virtual) -> None:
    """Awaited: one request and a list. Iterated over: every record, in requests of a full page."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 250)
        page = await client.history_orders(BTC)
        assert [order.order_id for order in page] == ids[:100]
        assert (page.more, page.next_cursor) == (True, ids[99])
        assert exchange.truth.count("history-orders") == 1
        older = await client.history_orders(BTC, id_less_than=page.next_cursor, limit=30)
        assert [order.order_id for order in older] == ids[100:130]
        assert [order.order_id async for order in client.history_orders(BTC)] == ids
        assert exchange.truth.count("history-orders") == 5
        assert [len(page) async for page in client.history_orders(BTC, limit=90).pages()] == [90, 90, 70]
        assert await client.history_orders("ETHUSDT") == []

    against(virtual, main)


def test_awaiting_again_gives_the_next_page_until_there_is_none(virtual: Virtual) -> None:
    """The empty page after the last costs no request."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 5)
        read = client.history_orders(BTC, limit=2)
        pages = [await read, await read, await read, await read]
        assert [[order.order_id for order in page] for page in pages] == [ids[:2], ids[2:4], ids[4:], []]
        assert [page.more for page in pages] == [True, True, False, False]
        assert pages[2].next_cursor is None
        assert exchange.truth.count("history-orders") == 3
        assert repr(read) == "<Pages history_orders>"

    against(virtual, main)


def test_nothing_is_asked_before_it_is_used(virtual: Virtual) -> None:
    """Making it needs no loop turn; wrong parameters are told when it is used, by every form."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        read = client.unfilled_orders(limit=1_000)
        with pytest.raises(UsageError, match="limit"):
            await read
        with pytest.raises(UsageError, match="limit"):
            await anext(read)
        with pytest.raises(UsageError, match="limit"):
            async for _ in read.pages():
                pass
        assert exchange.truth.count() == 0

    against(virtual, main)


def test_an_error_says_where_it_stopped_and_the_walk_goes_on_from_there(virtual: Virtual) -> None:
    """Its own class, with the position as an attribute and in words; by the same object, or by another."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 250)
        exchange.faults.add("history-orders", faults.envelope("70228"), after=1)
        read = client.history_orders(BTC)
        got: list[str] = []
        with pytest.raises(RateLimited) as caught:
            await collect(read, got)
        assert got == ids[:100]
        position = caught.value.position
        assert (position.given, position.cursor, position.over) == (100, int(ids[99]), False)
        assert caught.value.__notes__ == [f"stopped at history_orders after 100 records, cursor {ids[99]}"]
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
        assert [order.order_id async for order in read] == ids[100:]
        other = client.history_orders(BTC, position=again.position)
        assert [order.order_id async for order in other] == ids[100:]
        assert exchange.truth.count("history-orders") == 2 + 2 + 2

    against(virtual, main)


def test_a_page_that_repeats_ends_in_an_error_with_its_place(virtual: Virtual) -> None:
    """The exchange forgot the cursor: neither an endless loop nor an end."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 150)
        exchange.faults.add("history-orders", faults.ignored_cursor(), times=1, after=1)
        got: list[str] = []
        read = client.history_orders(BTC)
        with pytest.raises(OutcomeUnknown, match="no further") as caught:
            await collect(read, got)
        assert got == ids[:100]
        assert caught.value.position.given == 100
        assert [order.order_id async for order in read] == ids[100:]

    against(virtual, main)


def test_shuffled_and_doubled_rows_change_nothing(virtual: Virtual) -> None:
    """The cursor is the smallest id of the page, not its last one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 130)
        exchange.faults.add("history-orders", faults.shuffled_rows() | faults.duplicated_rows(), times=None)
        got = [order.order_id async for order in client.history_orders(BTC, limit=40)]
        assert sorted(got, key=int, reverse=True) == ids

    against(virtual, main)


def test_ids_of_different_length_are_compared_as_numbers(virtual: Virtual) -> None:
    """Page by page across the border from 999 to 1000."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, ids=[str(number) for number in (8, 9, 10, 98, 99, 100, 999, 1000, 10**19)])
        got = [order.order_id async for order in client.unfilled_orders(BTC, limit=2)]
        assert got == ids[::-1]

    against(virtual, main)


def test_a_long_range_costs_a_page_for_each_part(virtual: Virtual) -> None:
    """History takes 30 days a call: 75 days are three, and each order comes once."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 70, every_s=86_400)
        now = exchange.server_ms
        start, end = now - 75 * DAY_MS, now
        assert [order.order_id async for order in client.history_orders(BTC, start_ms=start, end_ms=end)] == ids
        asked = [dict(parse_qsl(copy.query)) for copy in exchange.truth.copies("history-orders")]
        assert len(asked) == 3
        assert all(int(each["endTime"]) - int(each["startTime"]) <= 30 * DAY_MS for each in asked)
        page = await client.history_orders(BTC, start_ms=start, end_ms=end)
        assert [order.order_id for order in page] == ids[: len(page)]
        assert page.more
        assert page.next_cursor is None

    against(virtual, main)


def test_tasks_take_it_like_any_other_verb(virtual: Virtual) -> None:
    """`create_task`, `gather` and a TaskGroup; cancelling such a task leaves the object usable."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 3)
        task = asyncio.create_task(client.history_orders(BTC))
        assert [order.order_id for order in await task] == ids
        async with asyncio.TaskGroup() as group:
            first = group.create_task(client.history_orders(BTC, limit=1))
            second = group.create_task(client.unfilled_orders(BTC))
        assert (len(first.result()), second.result()) == (1, [])
        both = await asyncio.gather(client.history_orders(BTC), client.unfilled_orders())
        assert [list(page) for page in both] == [await task, []]
        read = client.history_orders(BTC)
        for steps in range(3):
            cancelled = asyncio.create_task(read)
            for _ in range(steps):
                await asyncio.sleep(0)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
        assert [order.order_id async for order in read] == ids
        with pytest.raises(UsageError):
            await asyncio.create_task(client.history_orders(limit=0))

    against(virtual, main, request_latency_s=0.01)


def test_leaving_the_loop_leaves_nothing_behind(virtual: Virtual) -> None:
    """No task, no generator to close; the rest of the page is still there."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 5)
        read = client.history_orders(BTC, limit=3)
        async for order in read:
            assert order.order_id == ids[0]
            break
        assert [each.order_id for each in await read] == ids[1:3]
        assert [each.order_id async for each in read] == ids[3:]
        read.close()
        assert exchange.truth.count("history-orders") == 2

    against(virtual, main)


def test_a_step_that_is_closed_half_way_can_be_made_again(virtual: Virtual) -> None:
    """What a task does with a coroutine that it drops."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 2)
        read = client.history_orders(BTC)
        read.send(None)
        read.close()
        assert [order.order_id for order in await read] == ids

    against(virtual, main)


def test_one_object_is_for_one_task(virtual: Virtual) -> None:
    """Two at once would read one page twice."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        past(exchange, 5)
        read = client.history_orders(BTC)
        one, two = await asyncio.gather(read.next_page(), read.next_page(), return_exceptions=True)
        assert not isinstance(one, BaseException)
        assert len(one) == 5
        assert isinstance(two, UsageError)
        assert exchange.truth.count() == 1

    against(virtual, main)


def test_a_closed_client_says_so_at_the_next_page(virtual: Virtual) -> None:
    """What was read before is still given."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = past(exchange, 5)
        read = client.history_orders(BTC, limit=2)
        got = [(await anext(read)).order_id]
        await client.close()
        with pytest.raises(NotSent, match="closed"):
            await collect(read, got)
        assert got == ids[:2]

    against(virtual, main)


def test_fills_page_by_trade_id(virtual: Virtual) -> None:
    """The cursor is not the order's id."""
    calls: list[dict[str, Any]] = []

    async def call(row: Endpoint, /, **params: Any) -> list[Fill]:
        assert row is FILLS
        calls.append(params)
        below = int(params.get("id_less_than", 6))
        return [Fill(trade_id=str(each), order_id=str(100 - each)) for each in range(below - 1, 0, -1)][:2]

    async def main() -> None:
        read: Pages[Fill] = Pages(call, FILLS, {"limit": 2}, now_ms=lambda: NOW_MS)
        assert [fill.trade_id async for fill in read] == ["5", "4", "3", "2", "1"]
        assert [each.get("id_less_than") for each in calls] == [None, "4", "2"]

    virtual(main)
