"""The desk: client ids, one size for each order, what goes on the wire, and lists that are longer than a command."""

from __future__ import annotations

import enum
import json
import random
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitget_async import BitgetClient, OrderType, Side, UsageError
from bitget_async.desk import ClientOids, _chunks, _values
from bitget_async.evidence.target import has_values
from bitget_async.models import TriggerOrder
from bitget_async.sim import SimulatedExchange
from tests.conftest import client_of, with_exchange

BTC = "BTCUSDT"
SAFE = re.compile(r"[0-9A-Za-z_-]{1,32}")


# -- client ids --------------------------------------------------------------------------------------------------


@given(st.text("abcXYZ019_-", max_size=12), st.integers())
def test_client_ids_are_short_safe_and_begin_with_the_prefix(prefix: str, seed: int) -> None:
    """32 or fewer of [0-9A-Za-z_-]: the strictest of the exchange's rules."""
    oids = ClientOids(prefix, random.Random(seed))
    made = [oids.new() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(SAFE.fullmatch(each) and each.startswith(prefix) and len(each) <= 28 for each in made)


def test_client_ids_of_several_clients_never_meet() -> None:
    """The random part is each client's own; also with one prefix, and with seeds one beside the other."""
    made = [oid for seed in range(200) for oids in [ClientOids("mm", random.Random(seed))] for oid in (oids.new(),)]
    assert len(set(made)) == 200
    assert len({oid[:10] for oid in made}) == 200


def test_client_ids_go_on_when_the_counter_gets_long() -> None:
    """Four thousand million orders of one client, and still 32 characters."""
    oids = ClientOids("p" * 12, random.Random(1))
    oids._count = 16**8 - 1
    assert SAFE.fullmatch(oids.new())


@pytest.mark.parametrize("prefix", ["a" * 13, "a b", "a#", "ä", "a\n", 7, None, b"a"])
def test_a_prefix_that_the_exchange_could_refuse_is_refused_at_once(prefix: Any) -> None:
    """At construction of the client."""
    with pytest.raises(UsageError, match="client_oid_prefix"):
        ClientOids(prefix, random.Random())
    with pytest.raises(UsageError, match="client_oid_prefix"):
        BitgetClient(client_oid_prefix=prefix)


def test_every_order_without_a_client_id_gets_one_of_this_client() -> None:
    """Also the new order of a replacement and trigger orders; one that was given is kept."""

    async def main(exchange: SimulatedExchange, unused: BitgetClient) -> None:
        async with client_of(exchange, client_oid_prefix="desk-") as client:
            order: dict[str, Any] = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
            one = await client.place_order(BTC, **order)
            two = await client.batch_orders([order, order | {"client_oid": "mine"}], BTC)
            old = one.order_id
            three = await client.cancel_replace_order(BTC, order_id=old, price="50000", size="0.01")
            four = await client.trigger.place_plan_order(
                BTC, "buy", "market", "0.01", trigger_price="50000", trigger_type="fill_price"
            )
            made = [
                one.client_oid,
                *(each.client_oid for each in two.placements),
                (await three).new.client_oid,
                four.client_oid,
            ]
            assert made[2] == "mine"
            assert all(each.startswith("desk-") for place, each in enumerate(made) if place != 2)
            assert len(set(made)) == 5
            sent = {each.draft.client_oid for each in exchange.truth.orders.values()}
            assert sent == set(made[:4])

    with_exchange(main)


# -- sizes -------------------------------------------------------------------------------------------------------


def bodies(exchange: SimulatedExchange, endpoint: str) -> list[dict[str, Any]]:
    """What was sent."""
    return [json.loads(copy.body) for copy in exchange.truth.copies(endpoint)]


def test_a_market_buy_is_sized_in_quote_coin_and_everything_else_in_base_coin() -> None:
    """The exchange has one field for both; ours are two, and each fits one kind of order only."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await (await client.place_order(BTC, "buy", "market", quote_size=250))
        await (await client.place_order(BTC, "sell", "market", "0.002"))
        await (await client.place_order(BTC, "buy", "limit", Decimal("0.0010"), price=50_000))
        sent = bodies(exchange, "place-order")
        assert [each["size"] for each in sent] == ["250", "0.002", "0.001"]
        assert not any("quoteSize" in each for each in sent)
        bought, sold, _ = exchange.truth.orders.values()
        # For 250 USDT, and not 250 BTC.
        assert Decimal(0) < bought.filled < Decimal("0.01")
        assert sold.filled == Decimal("0.002")

    with_exchange(main)


class Theirs(enum.Enum):
    """An enum of the caller's own, which is no text."""

    BUY = "buy"
    SELL = "sell"
    LIMIT = "limit"
    MARKET = "market"


WRONG_SIZES: list[tuple[str, str, dict[str, Any]]] = [
    ("buy", "market", {"size": "0.001"}),
    ("buy", "market", {"size": "0.001", "quote_size": "10"}),
    ("buy", "market", {}),
    ("sell", "market", {"quote_size": "10"}),
    ("sell", "market", {"size": "1", "quote_size": "10"}),
    ("buy", "limit", {"quote_size": "10", "price": "50000"}),
    ("sell", "limit", {"price": "50000"}),
]


@pytest.mark.parametrize(("side", "order_type", "sizes"), WRONG_SIZES)
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("how", ["texts", "ours", "their own"])
def test_a_size_in_the_wrong_coin_is_no_order(
    side: str, order_type: str, sizes: dict[str, Any], check: bool, how: str
) -> None:
    """Whatever the enum that names the order, with rules known or not, alone or in a batch: no request, no token."""
    named: tuple[Any, Any] = {
        "texts": (side, order_type),
        "ours": (Side(side), OrderType(order_type)),
        "their own": (Theirs(side), Theirs(order_type)),
    }[how]

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if check:
            await client.market.symbols(BTC)
        before = exchange.truth.count()
        with pytest.raises(UsageError, match="size"):
            _ = await client.place_order(BTC, *named, **sizes, check=check)
        item = {"side": named[0], "order_type": named[1], **sizes}
        good = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
        with pytest.raises(UsageError, match=r"item 1: .*size"):
            _ = await client.batch_orders([good, item], BTC, check=check)
        assert exchange.truth.count() == before

    with_exchange(main)


# -- lists -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 200))
def test_a_list_is_cut_into_commands_of_twenty(count: int) -> None:
    """In their order, none empty; an empty list is one command that its row refuses."""
    items = [{"order_id": str(number)} for number in range(count)]
    chunks = _chunks(items)
    assert [each for chunk in chunks for each in chunk] == items
    assert all(len(chunk) == 20 for chunk in chunks[:-1])
    assert len(chunks[-1]) <= 20
    assert bool(chunks[-1]) is bool(items)


ITEM = {"symbol": BTC, "side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
CHANGE = {"symbol": BTC, "order_id": "7", "price": "50000", "size": "0.01"}


@pytest.mark.parametrize(
    ("call", "argument", "text"),
    [
        ("batch_orders", [], "1 to 20 orders"),
        ("batch_orders", None, "list of mappings"),
        ("batch_orders", ITEM, "list of mappings"),
        ("batch_orders", "abc", "list of mappings"),
        ("batch_orders", [ITEM, 7], "item 1 must be a mapping, not int"),
        ("batch_orders", [ITEM, None], "item 1 must be a mapping, not NoneType"),
        ("batch_orders", [ITEM | {"client_oid": "a"}, ITEM | {"client_oid": "a"}], "'a' is named twice"),
        (
            "batch_orders",
            [ITEM | {"client_oid": f"c{number % 40}"} for number in range(41)],
            "client_oid 'c0' is named twice",
        ),
        ("batch_orders", [ITEM | {"client_oid": "a b!"}], "client_oid"),
        ("batch_orders", [ITEM | {"size": 0.1}], "size"),
        ("batch_orders", [ITEM | {"sise": "1"}], "unknown parameter sise"),
        ("batch_orders", [{**ITEM, "order_type": None}], "order_type"),
        ("batch_orders", [{**ITEM, "symbol": None}], "symbol"),
        ("batch_cancel_replace_orders", [], "1 to 20 orders"),
        ("batch_cancel_replace_orders", [CHANGE, "x"], "item 1 must be a mapping, not str"),
        ("batch_cancel_replace_orders", None, "list of mappings"),
        (
            "batch_cancel_replace_orders",
            [CHANGE | {"order_id": str(number % 21)} for number in range(22)],
            "order_id '0' is named twice",
        ),
        ("batch_cancel_replace_orders", [CHANGE | {"order_id": None}], "order_id or client_oid"),
        ("batch_cancel_replace_orders", [{**CHANGE, "price": None}], "price is missing"),
    ],
)
@pytest.mark.parametrize("rules", [True, False])
def test_a_list_that_cannot_be_meant_makes_no_request(call: str, argument: Any, text: str, rules: bool) -> None:
    """Items that are no mappings, one name twice across commands, nothing at all; with the rules known and without."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        if rules:
            await client.market.symbols(BTC)
        before = exchange.truth.count()
        with pytest.raises(UsageError, match=text):
            _ = await getattr(client, call)(argument)
        assert exchange.truth.count() == before
        assert client.pending == ()

    with_exchange(main)


def test_new_client_ids_and_old_ones_are_checked_across_commands_too() -> None:
    """Twenty are checked by their command; the desk looks at all of them."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for name in ("client_oid", "new_client_oid"):
            items = []
            for number in range(21):
                item: dict[str, Any] = {"symbol": BTC, "price": "50000", "size": "0.01"}
                item |= {"client_oid": f"o{number}", "new_client_oid": f"n{number}"}
                items.append(item)
            items[20][name] = items[0][name]
            with pytest.raises(UsageError, match="named twice"):
                _ = await client.batch_cancel_replace_orders(items)
        with pytest.raises(UsageError, match="named twice"):
            _ = await client.batch_cancel_orders(BTC, client_oids=[f"c{number % 20}" for number in range(21)])
        assert exchange.truth.count() == 0

    with_exchange(main)


def test_a_batch_names_its_symbol_once_or_in_each_order() -> None:
    """`batchMode` says which; the exchange ignores the other one."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        bare = {name: value for name, value in ITEM.items() if name != "symbol"}
        await (await client.batch_orders(iter([bare, bare]), BTC))
        eth = ITEM | {"symbol": "ETHUSDT", "price": "1500"}
        report = await (await client.batch_orders([ITEM, eth]))
        assert report.symbol == "BTCUSDT,ETHUSDT"
        first, second = bodies(exchange, "batch-orders")
        assert (first["symbol"], first["batchMode"]) == (BTC, "single")
        assert (second.get("symbol"), second["batchMode"]) == (None, "multiple")
        assert [each["symbol"] for each in second["orderList"]] == [BTC, "ETHUSDT"]
        before = exchange.truth.count()
        with pytest.raises(UsageError, match="batch_mode"):
            _ = await client.batch_orders([eth], BTC)
        assert exchange.truth.count() == before

    with_exchange(main)


# -- new values of a trigger order -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({}, True),
        ({"trigger_price": Decimal("7.50")}, True),
        ({"trigger_price": Decimal("7.51")}, False),
        ({"size": Decimal(2)}, False),
        ({"size": None}, False),
        ({"execute_price": None}, False),
        ({"order_type": OrderType.MARKET}, False),
        ({"order_type": OrderType("neither")}, False),
    ],
)
@pytest.mark.parametrize("order_type", ["limit", OrderType.LIMIT])
def test_a_row_has_the_new_values_if_all_of_them_are_there(changes: dict[str, Any], has: bool, order_type: Any) -> None:
    """As numbers, not as texts; what was not given is not compared."""
    row: dict[str, Any] = {
        "trigger_price": Decimal("7.5"),
        "execute_price": Decimal(8),
        "size": Decimal(1),
        "order_type": OrderType.LIMIT,
    }
    wanted = {"trigger_price": "7.5", "execute_price": 8, "size": Decimal("1.0"), "order_type": order_type}
    assert has_values(TriggerOrder(**row | changes), _values(wanted)) is has
    market = TriggerOrder(trigger_price=Decimal(7), size=Decimal(1), order_type=OrderType.MARKET)
    given = {"trigger_price": 7, "order_type": "market", "execute_price": None, "size": 1}
    assert has_values(market, _values(given))
