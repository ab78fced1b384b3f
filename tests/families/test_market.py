"""`client.market` against the simulator, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from bitget_async import BitgetClient, Refused, UnknownSymbol, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.models import Auction, Book, Candle, Coin, FeeTier, FundFlow, MergedBook, SupportSymbols, Ticker
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import client_of

BTC = "BTCUSDT"
DAY_MS = 86_400_000
MINUTE_MS = 60_000
Virtual = Callable[..., Any]


def against(virtual: Virtual, main: Callable[[SimulatedExchange, BitgetClient], Any], **options: Any) -> None:
    """Run it with a simulated exchange and a client of it, in virtual time."""

    async def whole() -> None:
        async with SimulatedExchange(3, clock=VirtualClock()) as exchange, client_of(exchange, **options) as client:
            await main(exchange, client)

    virtual(whole)


# -- symbols are kept ---------------------------------------------------------------------------------------------


def test_rules_come_from_the_kept_symbols_and_are_what_orders_are_checked_by(virtual: Virtual) -> None:
    """One request for the rules, none for the order that breaks them."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        rules = await client.market.rules(BTC)
        assert rules.price_step == Decimal("0.01")
        assert await client.market.rules(BTC) is rules
        assert exchange.truth.count("symbols") == 1
        with pytest.raises(UsageError, match=r"BTCUSDT.*tick"):
            _ = await client.place_order(BTC, "buy", "limit", "0.001", price="50000.001")
        assert exchange.truth.count() == 1
        with pytest.raises(UnknownSymbol):
            await client.market.rules("NOPEUSDT")

    against(virtual, main)


def test_that_a_symbol_is_closed_counts_for_five_minutes_only(virtual: Virtual) -> None:
    """It may have opened since; its grid stays what it was."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        row = (await client.market.symbols(BTC))[0]
        client._rulebook.take([msgspec.structs.replace(row, status="halt")], client._clock.monotonic_ns())
        with pytest.raises(UsageError, match="halt"):
            _ = await client.place_order(BTC, "buy", "limit", "0.001", price="50000")
        await asyncio.sleep(301)
        placed = await client.place_order(BTC, "buy", "limit", "0.001", price="50000")
        assert placed.acknowledged

    against(virtual, main)


def test_a_symbol_without_a_row_has_no_rules(virtual: Virtual) -> None:
    """An answer that is right and empty says that the exchange does not list it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("symbols", faults.edited_rows(lambda rows: []))
        with pytest.raises(UnknownSymbol, match="no row"):
            await client.market.rules(BTC)

    against(virtual, main)


def test_symbols_are_asked_for_once_in_five_minutes(virtual: Virtual) -> None:
    """All of them are more than a megabyte, and change by the week."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await asyncio.sleep(1_000)
        rows = await client.market.symbols()
        assert len(rows) > 10
        await asyncio.sleep(299)
        assert await client.market.symbols() == rows
        assert exchange.truth.count("symbols") == 1
        await asyncio.sleep(2)
        await client.market.symbols()
        assert exchange.truth.count("symbols") == 2

    against(virtual, main)


def test_one_symbol_comes_out_of_the_whole_listing_and_has_an_age_of_its_own(virtual: Virtual) -> None:
    """But one symbol says nothing of the others."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (one,) = await client.market.symbols(BTC)
        assert (one.symbol, one.base_coin) == (BTC, "BTC")
        rows = await client.market.symbols()
        assert exchange.truth.count("symbols") == 2
        assert await client.market.symbols("ETHUSDT") == [row for row in rows if row.symbol == "ETHUSDT"]
        assert exchange.truth.count("symbols") == 2
        await asyncio.sleep(20)
        await client.market.symbols(BTC, max_age_s=10)
        assert exchange.truth.count("symbols") == 3
        await client.market.symbols("ETHUSDT", max_age_s=10)
        assert exchange.truth.count("symbols") == 4
        await client.market.symbols(BTC, max_age_s=0)
        assert exchange.truth.count("symbols") == 5

    against(virtual, main)


def test_callers_at_once_share_one_request(virtual: Virtual) -> None:
    """Each with a list of its own."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        first, *others = await asyncio.gather(*(client.market.symbols() for _ in range(50)))
        assert exchange.truth.count("symbols") == 1
        assert all(rows == first and rows is not first for rows in others)
        first.clear()
        assert await client.market.symbols() == others[0]

    against(virtual, main)


def test_callers_at_once_share_its_error_and_the_next_one_asks_again(virtual: Virtual) -> None:
    """Fifty callers of an exchange in trouble are one request; an error is not kept."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("symbols", faults.envelope("40034"), times=1)
        errors = await asyncio.gather(*(client.market.symbols() for _ in range(50)), return_exceptions=True)
        assert all(isinstance(error, UnknownSymbol) for error in errors)
        assert exchange.truth.count("symbols") == 1
        assert await client.market.symbols()

    against(virtual, main)


def test_a_cancelled_caller_does_not_take_the_others_with_it(virtual: Virtual) -> None:
    """The first one's request ends with it; one of the others asks."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.settings.answer_latency_s = 0.1
        first, *others = (asyncio.create_task(client.market.symbols(BTC)) for _ in range(4))
        await asyncio.sleep(0.05)
        others[0].cancel()
        first.cancel()
        ended = await asyncio.gather(first, *others, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in ended] == [True, True, False, False]
        assert ended[2] == ended[3]
        assert exchange.truth.count("symbols") == 2

    against(virtual, main)


@pytest.mark.parametrize("age", [-1, True, "5", float("nan"), None])
def test_an_age_that_cannot_be_meant_is_refused(virtual: Virtual, age: Any) -> None:
    """Before any request, as is a symbol in another spelling."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="max_age_s"):
            await client.market.symbols(max_age_s=age)
        with pytest.raises(UsageError, match="symbol"):
            await client.market.symbols("btcusdt")
        assert exchange.truth.count() == 0

    against(virtual, main)


# -- candles and trades -------------------------------------------------------------------------------------------


def test_a_page_of_candles_ascends_and_a_walk_descends(virtual: Virtual) -> None:
    """Without gap and without a candle twice, down to the start that was asked for."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        now = exchange.server_ms
        page = await client.market.history_candles(BTC, "1min", limit=50, end_ms=now)
        opens = [candle.open_ms for candle in page]
        assert opens == sorted(opens, key=lambda each: each or 0)
        assert len(page) == 50
        assert page.more
        start = now - 500 * MINUTE_MS
        walked = [candle.open_ms async for candle in client.market.history_candles(BTC, "1min", start_ms=start)]
        assert {newer - older for newer, older in pairwise(walked)} == {MINUTE_MS}  # type: ignore[operator]
        assert walked[-1] is not None
        assert 0 <= walked[-1] - start < MINUTE_MS
        assert len(walked) == 500
        assert exchange.truth.count("history-candles") == 1 + 3

    against(virtual, main)


def test_recent_candles_begin_with_the_unfinished_one(virtual: Virtual) -> None:
    """No end is sent with the first page; the start is kept on this side."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        now = exchange.server_ms
        rows = [each async for each in client.market.candles(BTC, "5min", limit=7, start_ms=now - 100 * MINUTE_MS)]
        assert rows[0].open_ms == now // (5 * MINUTE_MS) * 5 * MINUTE_MS
        assert len(rows) == 20
        assert all(isinstance(each, Candle) and each.low is not None for each in rows)
        first, *_ = exchange.truth.copies("candles")
        assert "Time" not in first.query

    against(virtual, main)


def test_trades_of_more_than_a_week_are_asked_in_parts(virtual: Virtual) -> None:
    """Each once, newest first; no part is longer than seven days."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        end = exchange.server_ms - DAY_MS
        border = end - 7 * DAY_MS
        around: dict[str, Any] = {"start_ms": border - MINUTE_MS, "end_ms": border + MINUTE_MS}
        wanted = [fill.trade_id for fill in await client.market.fills_history(BTC, **around)]
        assert len(wanted) > 20
        read = client.market.fills_history(
            BTC, start_ms=around["start_ms"], end_ms=end, id_less_than=str(int(wanted[0]) + 1)
        )
        assert [fill.trade_id async for fill in read] == wanted
        spans = [dict(parse_qsl(copy.query)) for copy in exchange.truth.copies("fills-history")]
        assert [int(each["endTime"]) - int(each["startTime"]) for each in spans[1:]] == [7 * DAY_MS, MINUTE_MS + 1]
        recent = await client.market.fills(BTC, limit=5)
        assert int(recent[-1].trade_id) > int(wanted[0])

    against(virtual, main)


# -- the rest -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda market: market.coins("BTC"), [Coin]),
        (lambda market: market.coins(), [Coin]),
        (lambda market: market.vip_fee_rate(), [FeeTier]),
        (lambda market: market.tickers(), [Ticker]),
        (lambda market: market.tickers(BTC), [Ticker]),
        (lambda market: market.orderbook(BTC, step="step1", limit=5), Book),
        (lambda market: market.merge_depth(BTC, precision="scale1", limit=5), MergedBook),
        (lambda market: market.merge_depth(BTC, limit="max"), MergedBook),
        (lambda market: market.auction(BTC), Auction),
        (lambda market: market.fund_flow(BTC, period="1h"), FundFlow),
        (lambda market: market.support_symbols(), SupportSymbols),
    ],
)
def test_public_reads_need_no_key_and_give_whole_records(virtual: Virtual, ask: Any, kind: Any) -> None:
    """Nothing in the witness's answer is left unread."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        async with BitgetClient(base_url=exchange.base_url, clock=VirtualClock()) as client:
            answer = await ask(client.market)
            rows = answer if isinstance(kind, list) else [answer]
            assert rows
            assert all(isinstance(row, kind[0] if isinstance(kind, list) else kind) for row in rows)
            assert not any(row.unreadable for row in rows)

    against(virtual, main)


def test_a_candle_kept_raw_is_its_list(virtual: Virtual) -> None:
    """What has no names on the wire has none in `raw`."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        page = await client.market.candles(BTC, "1day", limit=2)
        assert [int(candle.raw[0]) for candle in page] == [candle.open_ms for candle in page]
        assert len(page[0].raw) == 8

    against(virtual, main, keep_raw=True)


def test_wrong_parameters_are_told_in_our_words(virtual: Virtual) -> None:
    """Before any request; what only the exchange knows is its refusal."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for wrong in (
            client.market.candles(BTC, "2h"),
            client.market.orderbook(BTC, limit=151),
            client.market.merge_depth(BTC, limit=7),
            client.market.fills(BTC, limit=501),
            client.market.fills_history("btcusdt"),
        ):
            with pytest.raises(UsageError):
                await wrong
        assert exchange.truth.count() == 0
        with pytest.raises(Refused):
            await client.market.tickers("NOPEUSDT")

    against(virtual, main)
