"""Rows of pushes: the recorded and the documented ones field by field, and what is odd about others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bitget_async import (
    Asset,
    BookLevel,
    BookUpdate,
    CandleUpdate,
    CoinFee,
    Fill,
    FillFee,
    MarketFill,
    Order,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
    Ticker,
    TradeScope,
    TriggerOrder,
)
from bitget_async.models import PlanType, Record, TriggerStatus, TriggerType, YesNo
from bitget_async.stream.protocol import Push, Topic, read_frame
from bitget_async.stream.rows import records_of
from tests.stream.frames import DOCUMENTED, RECORDED, compact, frames

TS = 1_774_423_279_501


def pushes(name: str) -> list[Push]:
    """The pushes of a file."""
    found = [read_frame(compact(frame)) for frame in frames(name) if "data" in frame]
    assert found
    assert all(isinstance(each, Push) for each in found)
    return [each for each in found if isinstance(each, Push)]


def told(channel: str, *rows: Any, action: str = "snapshot", inst_id: str | None = "BTCUSDT") -> tuple[Record, ...]:
    """The records of a push with these rows; no row may be lost."""
    lost: list[str] = []
    found = records_of(push(channel, compact(list(rows)), action, inst_id), lost.append)
    assert not lost
    return found


def push(channel: str, data: bytes, action: str = "snapshot", inst_id: str | None = "BTCUSDT") -> Push:
    """A push with that data."""
    return Push(Topic(channel, inst_id), action, msgspec.Raw(data), TS)


def values(record: Record) -> dict[str, Any]:
    """The fields of a record that say something."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name != "fee_detail"}
    return {name: value for name, value in fields.items() if value not in (None, "", ())}


def test_the_recorded_order_pushes_field_by_field() -> None:
    """A market buy of 12 USDT as the exchange pushed it on 2026-03-25: everything else here is second-hand."""
    (first,), (second,) = (records_of(each) for each in pushes("spot_orders_market_buy"))
    shared = {
        "symbol": "AXSUSDT",
        "order_id": "1420599686759628800",
        "client_oid": "my-123456789",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "size": Decimal(12),
        "quote_size": Decimal(12),
        "notional": Decimal(12),
        "force": "gtc",
        "base_volume": Decimal("10.7623"),
        "price_avg": Decimal("1.115"),
        "created_ms": 1774423279466,
        "updated_ms": 1774423279495,
        "enter_point_source": "API",
        "stp_mode": "none",
        "source": "orders",
    }
    trade = {
        "fill_price": Decimal("1.115"),
        "trade_id": "1420599686786174976",
        "fill_size": Decimal("10.7623"),
        "fill_ms": 1774423279472,
        "fill_fee": Decimal("-0.0046916096178282"),
        "fill_fee_coin": "BGB",
        "trade_scope": TradeScope.TAKER,
    }
    partly = {"status": OrderStatus.PARTIALLY_FILLED, "pushed_ms": 1774423279501}
    filled = {"status": OrderStatus.FILLED, "pushed_ms": 1774423279503}
    assert values(first) == {**shared, **trade, **partly}
    assert values(second) == {**shared, **filled}
    for update in (first, second):
        assert isinstance(update, OrderUpdate)
        assert update.fees is not None
        assert update.fees.by_coin == (CoinFee("BGB", Decimal("-0.0046916096178282")),)


def test_the_documented_order_push_field_by_field() -> None:
    """The page's own example, in which `size` and `newSize` differ: `newSize` is the order's."""
    (push,) = pushes("websocket_private_Order-Channel")
    (update,) = records_of(push)
    assert isinstance(update, OrderUpdate)
    assert values(update) == {
        "symbol": "BTCUSDT",
        "order_id": "1",
        "client_oid": "1",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "status": OrderStatus.PARTIALLY_FILLED,
        "size": Decimal("500.0000"),
        "quote_size": Decimal("8.0000"),
        "notional": Decimal("8.000000"),
        "force": "gtc",
        "fill_price": Decimal("26256.0"),
        "trade_id": "1",
        "fill_size": Decimal("0.0003"),
        "fill_ms": 1695797773286,
        "fill_fee": Decimal("-0.00000018"),
        "fill_fee_coin": "BTC",
        "trade_scope": TradeScope.TAKER,
        "base_volume": Decimal("0.0003"),
        "price_avg": Decimal("26256.0"),
        "created_ms": 1695797773257,
        "updated_ms": 1695797773326,
        "stp_mode": "cancel_taker",
        "enter_point_source": "WEB",
        "source": "orders",
        "pushed_ms": 1695797773370,
    }


def test_the_documented_fills_field_by_field() -> None:
    """The fee is a list here, has no sign, and the scope is misspelt on the page."""
    (push,) = pushes("websocket_private_Fill-Channel")
    first, second = records_of(push)
    assert first == Fill(
        symbol="BTCUSDT",
        order_id="111",
        trade_id="111",
        order_type=OrderType.LIMIT,
        side=Side.BUY,
        price_avg=Decimal("42740.41"),
        size=Decimal("0.0006"),
        amount=Decimal("25.644246"),
        trade_scope=TradeScope.MAKER,
        fee_detail=(
            FillFee(
                fee_coin="USDT",
                total_fee=Decimal("0.01538655"),
                deduction=YesNo.NO,
                total_deduction_fee=Decimal(0),
            ),
        ),
        created_ms=1703580202094,
        updated_ms=1703580202094,
    )
    assert isinstance(second, Fill)
    assert (second.trade_id, second.amount, second.fees[0].total_fee) == (
        "222",
        Decimal("25.644876"),
        Decimal("0.01538693"),
    )


def test_the_documented_balance_field_by_field() -> None:
    """The record is the one of the REST call."""
    (push,) = pushes("websocket_private_Account-Channel")
    zero = Decimal(0)
    assert records_of(push) == (
        Asset(
            coin="USDT",
            available=Decimal(100000),
            frozen=zero,
            locked=zero,
            limit_available=zero,
            updated_ms=1697092295506,
        ),
    )


def test_the_documented_ticker_field_by_field() -> None:
    """The record is the one of the REST call, though two names differ on the wire."""
    (push,) = pushes("websocket_public_Tickers-Channel")
    (ticker,) = records_of(push)
    assert type(ticker) is Ticker
    assert ticker == Ticker(
        symbol="ETHUSDT",
        last_pr=Decimal("2200.10"),
        open=Decimal("0.00"),
        high24h=Decimal("0.00"),
        low24h=Decimal("0.00"),
        change24h=Decimal("0.00"),
        bid_pr=Decimal(1792),
        ask_pr=Decimal("2200.1"),
        bid_sz=Decimal("0.0084"),
        ask_sz=Decimal("19740.8811"),
        base_volume=Decimal("0.0000"),
        quote_volume=Decimal("0.0000"),
        open_utc=Decimal("0.00"),
        change_utc24h=Decimal(0),
        time_ms=1695702438018,
    )


def test_the_documented_book_field_by_field() -> None:
    """Levels keep the exchange's spelling, for the checksum is made of it, and are numbers when read."""
    (push,) = pushes("websocket_public_Depth-Channel")
    (book,) = records_of(push)
    assert book == BookUpdate(
        symbol="BTCUSDT",
        action="snapshot",
        asks=(BookLevel("26274.9", "0.0009"), BookLevel("26275.0", "0.0500")),
        bids=(BookLevel("26274.8", "0.0009"), BookLevel("26274.7", "0.0027")),
        checksum=0,
        seq=123,
        time_ms=1695710946294,
    )
    assert isinstance(book, BookUpdate)
    assert book.asks is not None
    assert (str(book.asks[1].price), book.asks[1].size) == ("26275.0", Decimal("0.05"))


@pytest.mark.parametrize("name", [*RECORDED, *DOCUMENTED])
def test_no_field_of_any_example_is_left_unread(name: str) -> None:
    """A field that our record does not know would be lost in silence."""
    for frame in frames(name):
        if "data" not in frame:
            continue
        read = read_frame(compact(frame))
        assert isinstance(read, Push)
        lost: list[str] = []
        records = records_of(read, lost.append)
        assert not lost
        for record, row in zip(records, frame["data"], strict=True):
            assert record.unreadable == ()
            # The two names in which a ticker differs.
            assert set(row) <= wire_names(type(record)) | {"instId", "open24h"}


def wire_names(record: type[Record]) -> set[str]:
    """The exchange's names of its fields."""
    return {field.encode_name for field in msgspec.structs.fields(record)}


ORDER = {"instId": "BTCUSDT", "orderId": "7", "clientOid": "c7", "status": "live", "cTime": "1774423279466"}


@pytest.mark.parametrize(
    ("row", "size", "quote_size"),
    [
        ({"orderType": "limit", "side": "buy", "size": "50", "newSize": "0.002"}, "0.002", "50"),
        ({"orderType": "limit", "side": "sell", "size": "0.002", "newSize": "0.002"}, "0.002", "0.002"),
        ({"orderType": "market", "side": "buy", "size": "12", "newSize": "12"}, "12", "12"),
        ({"orderType": "market", "side": "sell", "size": "3", "newSize": "3"}, "3", "3"),
        ({"orderType": "market", "side": "buy", "size": "12"}, "12", "12"),
        ({"orderType": "limit", "side": "sell", "size": "0.002", "newSize": ""}, "0.002", "0.002"),
        ({"orderType": "limit", "side": "buy", "size": "50"}, None, "50"),
    ],
)
def test_the_size_of_an_order_is_the_one_that_rest_tells(
    row: dict[str, str], size: str | None, quote_size: str
) -> None:
    """The channel's `size` is in quote coin for a buy (reference 5.4): as a size it would be wrong 26000 times."""
    (update,) = told("orders", {**ORDER, **row})
    assert isinstance(update, OrderUpdate)
    assert update.size == (None if size is None else Decimal(size))
    assert update.quote_size == Decimal(quote_size)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("live", OrderStatus.LIVE),
        ("cancelled", OrderStatus.CANCELLED),
        ("canceled", OrderStatus.CANCELLED),
        ("filled", OrderStatus.FILLED),
    ],
)
def test_a_pushed_order_is_evidence_as_a_row_is(text: str, status: OrderStatus) -> None:
    """The evidence room reads it like any other row; the status decides."""
    (update,) = told("orders", {**ORDER, "status": text})
    assert isinstance(update, Order)
    assert (update.order_id, update.client_oid, update.symbol) == ("7", "c7", "BTCUSDT")
    assert (update.status, update.created_ms, update.unreadable) == (status, 1774423279466, ())


def test_an_unknown_status_keeps_its_text_and_proves_nothing() -> None:
    """The exchange adds statuses without telling."""
    (update,) = told("orders", {**ORDER, "status": "resting"})
    assert isinstance(update, OrderUpdate)
    assert (update.status.value, update.status.open, update.status.final) == ("resting", False, False)


def test_empty_fields_are_not_told() -> None:
    """A `live` push may carry an empty fee list and "0.000" (reference 5.4), and "" stands for no number."""
    (update,) = told("orders", {**ORDER, "feeDetail": [], "priceAvg": "0.000", "fillPrice": "", "baseVolume": None})
    assert isinstance(update, OrderUpdate)
    assert (update.fees, update.price_avg, update.fill_price, update.fill_size) == (None, Decimal(0), None, None)
    assert update.unreadable == ()


@pytest.mark.parametrize("odd", [[], {"a": 1}, "NaN", "Infinity", "1e999999999", "12x", True])
def test_a_field_that_cannot_be_read_costs_nothing_but_itself(odd: Any) -> None:
    """An amount that is none is named, and the order is still known to be final."""
    good = {**ORDER, "orderId": "8", "accBaseVolume": "2"}
    first, second = told("orders", {**ORDER, "status": "filled", "accBaseVolume": odd}, good)
    assert isinstance(first, OrderUpdate)
    assert isinstance(second, OrderUpdate)
    assert (first.base_volume, first.unreadable, first.status) == (None, ("accBaseVolume",), OrderStatus.FILLED)
    assert (second.base_volume, second.unreadable, second.order_id) == (Decimal(2), (), "8")
    assert (first.pushed_ms, first.source) == (TS, "orders")


@pytest.mark.parametrize("row", [b"7", b"null", b"[]", b'"text"', b"true"])
def test_a_row_that_is_none_does_not_lose_its_neighbours(row: bytes) -> None:
    """Half a frame is worth more than none; the reader hears of the other half."""
    lost: list[str] = []
    records = records_of(push("orders", b"[" + compact(ORDER) + b"," + row + b"," + compact(ORDER) + b"]"), lost.append)
    assert [each.order_id for each in records if isinstance(each, OrderUpdate)] == ["7", "7"]
    assert lost == ["a row that cannot be read"]


@pytest.mark.parametrize("data", [b"{}", b"7", b"null", b'"[]"', b"[", b""])
def test_data_that_is_no_list_is_told_and_gives_nothing(data: bytes) -> None:
    """Never an exception in the middle of a socket's reader."""
    lost: list[str] = []
    assert records_of(push("orders", data), lost.append) == ()
    assert lost == ["data that is no list of rows"]
    assert records_of(push("orders", data)) == ()


def test_a_channel_of_another_kind_gives_nothing() -> None:
    """A channel that we never asked for, or that is new."""
    lost: list[str] = []
    assert records_of(push("auction", b"[{}]"), lost.append) == ()
    assert lost == ["a channel of another kind: 'auction'"]


def test_names_that_only_we_know_cannot_be_pushed() -> None:
    """`source` says what proves a change: the other side may not choose it."""
    (update,) = told("orders", {**ORDER, "-source": "orderInfo", "-pushed": 5, "source": "x", "pushed_ms": 6})
    assert isinstance(update, OrderUpdate)
    assert (update.source, update.pushed_ms) == ("orders", TS)


def test_times_are_milliseconds_and_symbols_in_capitals() -> None:
    """As in every other record: pages show seconds and lower case."""
    (update,) = told("orders", {**ORDER, "instId": "btcusdt", "fillTime": "1774423279"})
    assert isinstance(update, OrderUpdate)
    assert (update.symbol, update.fill_ms) == ("BTCUSDT", 1774423279000)


def test_a_symbol_that_the_row_leaves_out_is_the_topics() -> None:
    """Where it was asked for one symbol, the echo says which."""
    row = {name: value for name, value in ORDER.items() if name != "instId"}
    assert [each.symbol for each in told("orders", row) if isinstance(each, OrderUpdate)] == ["BTCUSDT"]
    assert [each.symbol for each in told("orders", row, inst_id="default") if isinstance(each, OrderUpdate)] == [""]


def test_an_order_of_a_read_becomes_an_update_that_says_so() -> None:
    """After a reconnect the differences are told as updates: readers see one type."""
    order = Order(order_id="7", symbol="BTCUSDT", status=OrderStatus.CANCELLED, quote_volume=Decimal(3), updated_ms=TS)
    update = OrderUpdate.of(order, "history-orders")
    assert (update.source, update.pushed_ms, update.order_id, update.quote_volume) == (
        "history-orders",
        None,
        "7",
        Decimal(3),
    )
    assert {name: getattr(update, name) for name in Order.__struct_fields__} == {
        name: getattr(order, name) for name in Order.__struct_fields__
    }


def test_a_trigger_order_field_by_field() -> None:
    """The fields of reference 5.4; there is no recording."""
    row = {
        "instId": "BTCUSDT",
        "orderId": "11",
        "clientOid": "c11",
        "triggerPrice": "30000",
        "triggerType": "fill_price",
        "planType": "amount",
        "price": "30010",
        "size": "0.5",
        "actualSize": "0",
        "orderType": "limit",
        "side": "sell",
        "status": "live",
        "executePrice": "30010",
        "enterPointSource": "API",
        "cTime": "1774423279466",
        "uTime": "1774423279495",
        "stpMode": "none",
    }
    (order,) = told("orders-algo", row)
    assert type(order) is TriggerOrder
    assert order == TriggerOrder(
        symbol="BTCUSDT",
        order_id="11",
        client_oid="c11",
        trigger_price=Decimal(30000),
        trigger_type=TriggerType.FILL_PRICE,
        plan_type=PlanType.AMOUNT,
        execute_price=Decimal(30010),
        size=Decimal("0.5"),
        order_type=OrderType.LIMIT,
        side=Side.SELL,
        status=TriggerStatus.LIVE,
        enter_point_source="API",
        created_ms=1774423279466,
        updated_ms=1774423279495,
    )


def test_public_trades_know_their_symbol() -> None:
    """The rows do not name it: the topic does."""
    row = {"ts": "1774423279466", "price": "26274.9", "size": "0.5", "side": "sell", "tradeId": "9"}
    assert told("trade", row, action="update") == (
        MarketFill(
            symbol="BTCUSDT",
            trade_id="9",
            side=Side.SELL,
            price=Decimal("26274.9"),
            size=Decimal("0.5"),
            time_ms=1774423279466,
        ),
    )


def test_candles_have_their_volumes_in_the_right_place() -> None:
    """The last two stand the other way round than in the answers of REST (reference 5.5)."""
    row = ["1774423260000", "1", "4", "0.5", "3", "100", "200", "201"]
    (candle,) = told("candle1m", row)
    assert candle == CandleUpdate(
        open_ms=1774423260000,
        open=Decimal(1),
        high=Decimal(4),
        low=Decimal("0.5"),
        close=Decimal(3),
        base_volume=Decimal(100),
        quote_volume=Decimal(200),
        usdt_volume=Decimal(201),
        symbol="BTCUSDT",
        interval="1m",
    )


def test_a_ticker_field_that_cannot_be_read_is_named() -> None:
    """Changing the record's type on the way may not lose it."""
    (ticker,) = told("ticker", {"instId": "BTCUSDT", "lastPr": [], "open24h": "5"})
    assert isinstance(ticker, Ticker)
    assert (ticker.last_pr, ticker.open, ticker.unreadable) == (None, Decimal(5), ("lastPr",))


LEVEL = ["26274.9", "0.0009"]


@pytest.mark.parametrize(
    "bad",
    [
        ["26274.9"],
        ["NaN", "1"],
        ["-1", "1"],
        ["1", "-1"],
        ["1e5", "1"],
        ["", "1"],
        ["1", ""],
        ["1 ", "1"],
        ["1 2", "1"],
        ["1.", "1"],
        [".5", "1"],
        ["1.2.3", "1"],
        ["１", "1"],
        ["9" * 41, "1"],
        [1.5, "1"],
        "x",
        None,
    ],
)
def test_half_a_side_of_a_book_is_no_side(bad: Any) -> None:
    """A level left out would make a book that looks right: the side is named, and the book is asked for anew."""
    (book,) = told("books", {"asks": [LEVEL, bad], "bids": [LEVEL], "checksum": 5, "seq": 6, "ts": "1774423279466"})
    assert isinstance(book, BookUpdate)
    assert (book.asks, book.unreadable, book.seq) == (None, ("asks",), 6)
    assert book.bids == (BookLevel(*LEVEL),)
    (book,) = told("books", {"bids": [LEVEL, bad], "asks": [LEVEL]})
    assert isinstance(book, BookUpdate)
    assert (book.bids, book.unreadable) == (None, ("bids",))


@pytest.mark.parametrize("data", [b"[7]", b"{}", b"null", b"[[]]"])
@pytest.mark.parametrize("channel", ["books", "books1", "books5", "books15"])
def test_an_update_of_a_book_is_never_left_out_in_silence(channel: str, data: bytes) -> None:
    """The next one would be put onto a book that misses it."""
    (book,) = records_of(push(channel, data, "update"))
    assert book == BookUpdate(symbol="BTCUSDT", action="update", unreadable=("data",))


def test_an_update_of_a_book_tells_what_it_follows() -> None:
    """`pseq` on newer feeds; the time in seconds is one in milliseconds."""
    (book,) = told("books", {"asks": [], "bids": None, "seq": "7", "pseq": 6, "ts": "1774423279"}, action="update")
    assert isinstance(book, BookUpdate)
    assert (book.asks, book.bids, book.seq, book.pseq, book.time_ms) == ((), None, 7, 6, 1774423279000)
    assert book.action == "update"


def test_a_frame_of_bad_rows_is_read_up_to_a_bound() -> None:
    """A thousand rows are salvaged, field by field; no honest frame has more of them."""
    rows = [{**ORDER, "accBaseVolume": []}] * 1_005
    lost: list[str] = []
    records = records_of(push("orders", json.dumps(rows).encode()), lost.append)
    assert (len(records), len(lost)) == (1_000, 5)
