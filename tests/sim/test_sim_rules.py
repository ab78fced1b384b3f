"""The trading rules: refused with the documented codes, and told by public/symbols as they are enforced."""

from __future__ import annotations

from decimal import Decimal

import pytest


def place(ask, **changes):
    """Place a resting order, with changes; `None` leaves a field out."""
    body = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "30000", "size": "0.001"}
    return ask.post("place-order", {k: v for k, v in (body | changes).items() if v is not None})


# The last price of BTCUSDT is 103884.3, of BTCEUR 93012.7; decimals 2 and 6.
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": "30000.01"}, "00000"),
        ({"price": "30000.001"}, "40808"),
        ({"price": "30000.000"}, "40808"),
        ({"size": "0.001001"}, "00000"),
        ({"size": "0.0010001"}, "40808"),
        ({"orderType": "market", "price": None, "size": "1.00000001"}, "00000"),
        ({"orderType": "market", "price": None, "size": "1.000000001"}, "40808"),
        ({"orderType": "market", "price": None, "size": "0.99"}, "45110"),
        ({"orderType": "market", "side": "sell", "price": None, "size": "0.00001"}, "00000"),
        ({"orderType": "market", "side": "sell", "price": None, "size": "0.000009"}, "45110"),
        ({"price": "1000", "size": "0.001"}, "00000"),
        ({"price": "999.99", "size": "0.001"}, "45110"),
        ({"symbol": "BTCEUR", "price": "1000", "size": "0.0009"}, "00000"),
        ({"symbol": "BTCEUR", "price": "1000", "size": "0.00089"}, "45110"),
        ({"symbol": "ETHBTC", "price": "0.01", "size": "0.001"}, "00000"),
        ({"symbol": "ETHBTC", "price": "0.009", "size": "0.001"}, "45110"),
        ({"price": "100000", "size": "100"}, "00000"),
        ({"price": "100000", "size": "100.000001"}, "45113"),
        ({"orderType": "market", "price": None, "size": "1000000"}, "00000"),
        ({"orderType": "market", "price": None, "size": "1000001"}, "45113"),
        ({"price": "109078.51"}, "00000"),
        ({"price": "109078.52"}, "43009"),
        ({"side": "sell", "price": "98690.09"}, "00000"),
        ({"side": "sell", "price": "98690.08"}, "43008"),
        ({"side": "sell", "price": "1000000"}, "00000"),
    ],
)
def test_a_rule_is_broken_by_the_smallest_step(sim, changes, code):
    """The last value that is taken, and the first that is not, with the code of that rule."""
    exchange, ask, _ = sim()
    answer = place(ask, **changes)
    assert (answer.status, answer.code) == (200 if code == "00000" else 400, code)
    assert len(exchange.truth.orders) == len(exchange.truth.placements) == (code == "00000")


def test_the_texts_are_those_that_were_quoted(sim):
    """Two bodies of the exchange are known; a client may have been written from them."""
    _, ask, _ = sim()
    assert b"Parameter verification exception size checkBDScale error value=0.0000001 checkScale=6" in (
        place(ask, size="0.0000001").body
    )
    assert b"less than the minimum amount 1 USDT" in place(ask, price="1").body


def test_open_orders_on_a_symbol_are_limited(sim):
    """43005 for one more; on another symbol, and after one has ended, there is room."""
    exchange, ask, _ = sim()
    ids = exchange.rest("BTCUSDT", 200)
    assert place(ask).code == "43005"
    assert place(ask, symbol="ETHUSDT", price="2000", size="0.01").code == "00000"
    exchange.cancel(ids[0])
    assert place(ask).code == "00000"
    assert place(ask).code == "43005"


def test_the_rows_tell_the_rules_that_are_enforced(sim):
    """By default those that were recorded; changed or switched off, the rows change with them."""
    exchange, ask, _ = sim()
    path = "/api/v2/spot/public/symbols"
    (row,) = ask.get(path, symbol="BTCUSDT").data
    told = ("pricePrecision", "quantityPrecision", "quotePrecision", "minTradeUSDT", "buyLimitPriceRatio")
    assert [row[name] for name in told] == ["2", "6", "8", "1", "0.05"]
    assert (row["sellLimitPriceRatio"], row["orderQuantity"]) == ("0.05", "200")
    settings = exchange.settings
    settings.minimum_usdt, settings.price_band, settings.most_open_orders = Decimal(0), Decimal(0), 2
    (row,) = ask.get(path, symbol="BTCUSDT").data
    changed = ("minTradeUSDT", "buyLimitPriceRatio", "sellLimitPriceRatio", "orderQuantity")
    assert [row[name] for name in changed] == ["0", "0", "0", "2"]
    assert place(ask, price="0.01").code == "00000"
    assert place(ask, side="sell", price="5000000").code == "00000"
    assert place(ask, price="900000").code == "43005"


def test_bands_and_values_follow_the_last_price(sim):
    """A rule around a price that has moved."""
    exchange, ask, _ = sim()
    exchange.set_price("BTCUSDT", Decimal(50000))
    assert place(ask, price="52500").code == "00000"
    assert place(ask, price="52500.01").code == "43009"
    sell = {"orderType": "market", "side": "sell", "price": None}
    assert place(ask, size="0.00002", **sell).code == "00000"
    assert place(ask, size="0.000019", **sell).code == "45110"


@pytest.mark.parametrize(
    ("client_oid", "code"),
    [
        ("a" * 32, "00000"),
        ("Az09_:#-+ ", "00000"),
        ("a" * 33, "40304"),
        ("a" * 64, "40304"),
        ("a" * 65, "40305"),
        ("a.b", "40305"),
        ("ä", "40305"),
    ],
)
def test_a_client_oid_has_a_form(sim, client_oid, code):
    """At most 32 of the documented characters; which of two codes says what is wrong."""
    _, ask, _ = sim()
    assert place(ask, clientOid=client_oid).code == code


def test_the_length_of_a_client_oid_has_a_setting(sim):
    """The pages name 32, 50 and 64."""
    _, ask, _ = sim(client_oid_limit=50)
    assert place(ask, clientOid="a" * 50).code == "00000"
    assert place(ask, clientOid="a" * 51).code == "40304"


def test_a_recycled_client_oid_names_the_newest_order(sim):
    """Only pending orders keep a name; then it is free, and orderInfo forgets the order that had it before."""
    _, ask, _ = sim(cancel_delay_s=0.0)
    first = place(ask, clientOid="name").data["orderId"]
    assert place(ask, clientOid="name").code == "43118"
    ask.post("cancel-order", {"symbol": "BTCUSDT", "orderId": first})
    second = place(ask, clientOid="name").data["orderId"]
    assert [row["orderId"] for row in ask.get("orderInfo", clientOid="name").data] == [second]
    assert [row["orderId"] for row in ask.get("orderInfo", orderId=first).data] == [first]


def test_tpsl_orders_have_no_client_oid_of_their_own(sim):
    """It is ignored, whatever it is."""
    exchange, ask, _ = sim()
    for _ in range(2):
        data = place(ask, clientOid="?" * 99, tpslType="tpsl", triggerPrice="29000").data
        assert len(data["clientOid"]) == 36
    assert len(exchange.truth.open_ids(exchange.account.uid, tpsl=True)) == 2


def test_a_placement_is_taken_only_inside_its_receive_window(sim):
    """A copy that was on its way for too long is refused with 40078, and leaves no order."""
    exchange, ask, _ = sim()
    now = exchange.server_ms
    assert place(ask, requestTime=str(now - 5000), receiveWindow="5000").code == "00000"
    assert place(ask, requestTime=str(now - 5001), receiveWindow="5000").code == "40078"
    assert place(ask, requestTime=str(now), receiveWindow="60000").code == "40079"
    assert len(exchange.truth.placements) == 1
