"""The client's verbs against the simulator, its arguments, and what it refuses at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    AccountModeMismatch,
    AuthenticationFailed,
    BitgetClient,
    Credentials,
    Fate,
    NotSent,
    OrderNotFound,
    OrderStatus,
    OrderType,
    Outcome,
    PermissionDenied,
    Refused,
    Side,
    UnknownSymbol,
    Unlimited,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, HISTORY_ORDERS, SERVER_TIME
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import client_of, run_virtual

BTC = "BTCUSDT"
COMMAND = "cancel-symbol-order"


def with_client(main: Callable[[SimulatedExchange, BitgetClient], Awaitable[None]], **settings: Any) -> None:
    """Run `main(exchange, client)` in virtual time."""
    calm: dict[str, Any] = {"listing_lag_s": 0.0, "history_lag_s": 0.0, "order_info_lag_s": 0.0, "cancel_delay_s": 0.0}

    async def whole() -> None:
        settings_ = Settings(**{**calm, **settings})
        async with (
            SimulatedExchange(5, clock=VirtualClock(), settings=settings_) as exchange,
            client_of(exchange) as client,
        ):
            await main(exchange, client)

    run_virtual(whole)


def test_public_calls_work_without_credentials() -> None:
    """And signed ones say what is missing, before any request."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        async with BitgetClient(base_url=exchange.base_url, clock=VirtualClock()) as client:
            assert abs(await client.market.server_time() - exchange.server_ms) < 5
            (rules,) = await client.market.symbols(BTC)
            assert (rules.symbol, rules.base_coin, rules.quote_coin, rules.status) == (BTC, "BTC", "USDT", "online")
            assert rules.price_precision is not None
            assert rules.off_ms is None
            assert len(await client.market.symbols()) > 10
            copies = exchange.truth.count()
            with pytest.raises(UsageError, match="credentials"):
                await client.account.assets()
            with pytest.raises(UsageError, match="credentials"):
                _ = await client.cancel_symbol_orders(BTC)
            assert exchange.truth.count() == copies

    with_client(main)


def test_account_and_balances() -> None:
    """Who the key is and what it holds."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        info = await client.account.info()
        assert info.user_id == exchange.account.uid
        assert "stow" in (info.authorities or ())
        (usdt,) = await client.account.assets("USDT")
        assert usdt.coin == "USDT"
        assert isinstance(usdt.available, Decimal)
        assert {asset.coin for asset in await client.account.assets(asset_type="all")} >= {"USDT", "BTC"}

    with_client(main)


def test_an_order_from_placing_to_its_last_row() -> None:
    """Placed, open listing, part-fill, cancel, history: the same fields with the same meaning everywhere."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        placing = await client.place_order(
            BTC, Side.BUY, OrderType.LIMIT, Decimal("0.002"), price="1000.5", client_oid="t-1#a"
        )
        ack = (await placing).placement
        assert ack.client_oid == placing.client_oid == "t-1#a"
        assert ack.order_id is not None
        exchange.fill(ack.order_id, Decimal("0.0005"))
        await asyncio.sleep(0.1)
        (opened,) = await client.unfilled_orders(BTC)
        by_oid = await client.order_info(client_oid="t-1#a")
        assert opened.order_id == by_oid.order_id == ack.order_id
        assert opened.status is by_oid.status is OrderStatus.PARTIALLY_FILLED
        assert opened.price == by_oid.price == Decimal("1000.5")
        assert opened.price_avg == by_oid.price_avg
        assert opened.base_volume == Decimal("0.0005")
        (fate,) = (await (await client.cancel_order(BTC, order_id=ack.order_id))).orders
        assert (fate.order.order_id, fate.fate) == (ack.order_id, Fate.CANCELLED)
        (final,) = await client.history_orders(BTC)
        assert fate.order.base_volume == final.base_volume
        assert final.status is OrderStatus.CANCELLED
        assert (final.price, final.size, final.base_volume) == (Decimal("1000.5"), Decimal("0.002"), Decimal("0.0005"))
        assert final.fees is not None
        assert await client.unfilled_orders() == []
        await asyncio.sleep(1.1)
        # 43001 now: not raised, but looked into.
        again = await client.cancel_order(BTC, order_id=ack.order_id)
        assert not again.acknowledged
        assert (await again).cancelled[0].order == final

    with_client(main)


@pytest.mark.parametrize("code", [None, "43001"])
def test_an_unknown_order_is_not_found_however_the_exchange_says_it(code: str | None) -> None:
    """An empty list, or an error code."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(OrderNotFound):
            await client.order_info(order_id="1")

    with_client(main, unknown_order_code=code)


def test_a_batch_tells_what_was_taken_and_what_was_not() -> None:
    """The exchange answers 00000 either way."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 2)
        pending = await client.batch_cancel_orders(BTC, order_ids=[*ids, "7"])
        report = await pending.settled()
        assert [fate.order.order_id for fate in report.cancelled] == ids
        assert [fate.order.order_id for fate in report.vanished] == ["7"]
        assert (report.outcome, report.reason) == (Outcome.UNKNOWN, "not_found")
        assert any("43001" in each for each in report.anomalies)
        exchange.rest(BTC, 1, client_oid="mine")
        (fate,) = (await (await client.batch_cancel_orders(BTC, client_oids=["mine"]))).cancelled
        assert fate.order.client_oid == "mine"
        copies = exchange.truth.count()
        wrong: list[dict[str, Any]] = [
            {},
            {"order_ids": []},
            {"order_ids": "12"},
            {"order_ids": ids, "client_oids": ["a"]},
        ]
        wrong += [{"order_ids": ["1", "1"]}, {"order_ids": [1]}, {"order_ids": [*map(str, range(24)), "x"]}]
        for options in wrong:
            with pytest.raises(UsageError):
                _ = await client.batch_cancel_orders(BTC, **options)
        assert exchange.truth.count() == copies

    with_client(main)


def test_any_row_can_be_called_but_the_bare_cancel_by_symbol() -> None:
    """`call` is for the catalogue; the one whose answer proves nothing has its own verb."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        assert (await client.call(SERVER_TIME)).server_ms > 0
        assert await client.call(HISTORY_ORDERS, symbol=BTC, limit=5) == []
        with pytest.raises(UsageError, match="unknown parameter"):
            await client.call(HISTORY_ORDERS, simbol=BTC)
        with pytest.raises(UsageError, match="cancel_symbol_orders"):
            await client.call(CANCEL_SYMBOL_ORDER, symbol=BTC)
        assert exchange.truth.count(COMMAND) == 0

    with_client(main)


@pytest.mark.parametrize(
    "symbol", ["", "btcusdt", "BTC USDT", "BTC/USDT", "BTCUSDT\r\nX: y", "A" * 5000, None, 7, "ÄUSDT"]
)
def test_a_malformed_symbol_makes_no_request(symbol: Any) -> None:
    """Nothing is corrected silently in an irreversible command."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UsageError, match="symbol"):
            _ = await client.cancel_symbol_orders(symbol)
        assert exchange.truth.count() == 0

    with_client(main)


def test_a_symbol_with_a_dollar_and_digits_is_real() -> None:
    """It is not refused, and the simulator knows one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest("$1DOLLARUSDT", 1, age_s=60)
        report = await (await client.cancel_symbol_orders("$1DOLLARUSDT"))
        assert len(report.cancelled) == 1

    with_client(main)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("key", AuthenticationFailed),
        ("secret", AuthenticationFailed),
        ("passphrase", AuthenticationFailed),
        ("permission", PermissionDenied),
        ("unified", AccountModeMismatch),
        ("symbol", UnknownSymbol),
    ],
)
def test_what_is_refused_is_refused_at_once_with_one_command(spoil: str, expected: type[Refused]) -> None:
    """No repeat, no handle left behind, and the text names code and endpoint."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        key = exchange.credentials()
        parts = {"api_key": key.api_key, "secret": key.secret, "passphrase": key.passphrase}
        if spoil in ("key", "secret", "passphrase"):
            parts["api_key" if spoil == "key" else spoil] = "wrong"
        if spoil == "permission":
            parts = exchange.add_key(trade=False)._asdict()
        if spoil == "unified":
            exchange.account.mode = "unified"
        symbol = "NOPEUSDT" if spoil == "symbol" else BTC
        async with BitgetClient(Credentials(**parts), base_url=exchange.base_url, clock=VirtualClock()) as client:
            with pytest.raises(expected, match="cancel-symbol-order") as caught:
                _ = await client.cancel_symbol_orders(symbol)
            assert type(caught.value) is expected
            assert caught.value.http_status == 400
            assert client.pending == ()
            await asyncio.sleep(60)
            assert exchange.truth.count(COMMAND) == 1

    with_client(main)


def test_a_clock_that_is_an_hour_off_costs_one_more_copy() -> None:
    """Refused once, set by the answer, signed anew; the next command needs no second one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest(BTC, 1, age_s=60)
        report = await (await client.cancel_symbol_orders(BTC))
        assert len(report.cancelled) == 1
        assert [copy.result for copy in exchange.truth.copies(COMMAND)] == ["40008", "00000"]
        assert (await (await client.cancel_symbol_orders(BTC))).attempts == 1

    with_client(main, clock_offset_ms=3_600_000)


def test_demo_trading_sends_its_header_with_every_request() -> None:
    """`paptrading: 1`, and a plain user agent and locale on all."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        async with client_of(exchange, demo=True) as client:
            await client.account.assets()
        async with client_of(exchange) as client:
            await client.account.assets()
        first, second = (copy.headers for copy in exchange.truth.copies("assets"))
        assert (first["paptrading"], first["locale"], first["user-agent"]) == ("1", "en-US", "bitget-async")
        assert "paptrading" not in second
        assert not any("channel" in name or "broker" in name for name in first)

    with_client(main)


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "http://api.bitget.com"},
        {"base_url": "https://user:pass@api.bitget.com"},
        {"base_url": "https://api.bitget.com/path"},
        {"base_url": "ftp://api.bitget.com"},
        {"base_url": "https://api.bitget.com\r\nx"},
        {"base_url": ""},
        {"base_url": None},
        {"timeout_s": 0},
        {"timeout_s": float("inf")},
        {"timeout_s": True},
        {"staleness_s": -1},
        {"execution_grace_s": -1},
        {"uid": ""},
        {"uid": 7},
        {"limits": Unlimited()},
        {"credentials": object()},
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    """At construction, without a loop or a request."""
    with pytest.raises(UsageError):
        BitgetClient(**options)


def test_a_client_works_without_async_with_and_says_when_it_is_closed() -> None:
    """Closing twice is fine; afterwards every call is NotSent."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        client = client_of(exchange)
        assert "not used yet" in repr(client)
        assert client.pending == ()
        await client.account.assets()
        assert "open" in repr(client)
        await client.close()
        await client.close()
        assert "closed" in repr(client)
        with pytest.raises(NotSent, match="closed"):
            await client.account.assets()

    with_client(main)
