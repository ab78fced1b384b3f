"""The catalogue: every row complete, equal to the exchange's own pages, and known to the simulator as the same call."""

from __future__ import annotations

import datetime
import inspect
from typing import Any, get_args, get_origin

import msgspec
import pytest

from bitget_async import BitgetClient, UsageError
from bitget_async.endpoints import CATALOGUE, Effect, Endpoint, Param, Quota, Scope
from bitget_async.models import Record
from bitget_async.sim import ROUTES

# Copied by hand from the reference's index (section 4.1): method, path, calls a second, counted by, needs a key.
INDEX = {
    ("GET", "/api/v2/public/time"): (20, "ip", False),
    ("GET", "/api/v2/spot/public/symbols"): (20, "ip", False),
    ("GET", "/api/v2/spot/account/info"): (1, "uid", True),
    ("GET", "/api/v2/spot/account/assets"): (10, "uid", True),
    ("POST", "/api/v2/spot/trade/place-order"): (10, "uid", True),
    ("POST", "/api/v2/spot/trade/cancel-order"): (10, "uid", True),
    ("POST", "/api/v2/spot/trade/batch-cancel-order"): (10, "uid", True),
    ("POST", "/api/v2/spot/trade/cancel-symbol-order"): (5, "uid", True),
    ("GET", "/api/v2/spot/trade/orderInfo"): (20, "uid", True),
    ("GET", "/api/v2/spot/trade/unfilled-orders"): (20, "uid", True),
    ("GET", "/api/v2/spot/trade/history-orders"): (20, "uid", True),
}
VERBS = {
    "server_time",
    "symbols",
    "account_info",
    "assets",
    "place_order",
    "cancel_order",
    "batch_cancel_orders",
    "cancel_symbol_orders",
    "order_info",
    "unfilled_orders",
    "history_orders",
}
PARAMS = {
    "place-order": "symbol side orderType force price size clientOid tpslType triggerPrice stpMode "
    "presetTakeProfitPrice executeTakeProfitPrice presetStopLossPrice executeStopLossPrice requestTime receiveWindow",
    "cancel-order": "symbol orderId clientOid tpslType",
    "batch-cancel-order": "symbol orderList",
    "cancel-symbol-order": "symbol",
    "orderInfo": "orderId clientOid requestTime receiveWindow",
    "unfilled-orders": "symbol startTime endTime idLessThan limit orderId tpslType requestTime receiveWindow",
    "history-orders": "symbol startTime endTime idLessThan limit orderId tpslType requestTime receiveWindow",
    "info": "",
    "assets": "coin assetType",
    "time": "",
    "symbols": "symbol",
}

each_row = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)


def test_the_rows_are_the_calls_of_the_index() -> None:
    """Path, quota, scope and signedness against a table copied from the exchange's pages."""
    rows = {
        (row.method, row.path): (row.quota.per_s, row.quota.scope.value, row.signed)  # one row a call
        for row in CATALOGUE
    }
    assert rows == INDEX
    assert len(CATALOGUE) == len(INDEX)


@each_row
def test_row_says_where_and_when_it_was_read(row: Endpoint) -> None:
    """A row without its page cannot be checked against it."""
    assert row.page.startswith("https://www.bitget.com/api-doc/")
    read_on = datetime.date.fromisoformat(row.read_on)
    assert datetime.date(2025, 1, 1) <= read_on <= datetime.date(2027, 12, 31)


@each_row
def test_row_has_a_record_to_be_read_into(row: Endpoint) -> None:
    """A record, or a list of records, made of fields that all have a default: a row can lack any of them."""
    kind = get_args(row.returns)[0] if get_origin(row.returns) is list else row.returns
    assert issubclass(kind, Record)
    if row.name != "server_time":
        assert all(
            field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
            for field in msgspec.structs.fields(kind)
        )


@each_row
def test_effect_follows_the_method(row: Endpoint) -> None:
    """Only GET is repeated by the session: a POST that counted as READ would be sent twice."""
    assert row.effect is (Effect.READ if row.method == "GET" else Effect.COMMAND)
    assert row.cancels == ("cancel" in row.path)


@each_row
def test_row_takes_the_parameters_of_its_page(row: Endpoint) -> None:
    """In the exchange's spelling, none missing and none made up."""
    assert [param.wire_name for param in row.params] == PARAMS[row.short].split()


@each_row
def test_answer_of_a_row_is_bounded(row: Endpoint) -> None:
    """Acknowledgements are small, listings of 100 rows fit into a megabyte, all symbols into 16."""
    most = (
        64 if row.effect is Effect.COMMAND or row.name == "order_info" else 16 * 1024 if row.name == "symbols" else 1024
    )
    assert row.max_bytes == most * 1024


@each_row
def test_row_has_a_verb_that_takes_its_parameters(row: Endpoint) -> None:
    """`client.<name>` exists, is a coroutine function and says what it costs and from which page it was read."""
    verb = getattr(BitgetClient, row.name)
    assert inspect.iscoroutinefunction(verb)
    doc = verb.__doc__ or ""
    assert row.page in doc
    assert f"Cost: 1 token of {row.short} ({row.quota.per_s} a second per {row.quota.scope.name})" in doc
    assert "Cancelling:" in doc
    assert "Raises:" in doc
    assert row.name in VERBS


def test_names_and_labels_are_unique() -> None:
    """Two rows of one name would hide each other in the docs and on the command line."""
    assert len({row.name for row in CATALOGUE}) == len({row.label for row in CATALOGUE}) == len(CATALOGUE)
    assert {row.name for row in CATALOGUE} == VERBS


@each_row
def test_the_simulator_knows_the_row_as_the_same_call(row: Endpoint) -> None:
    """The witness wrote its table from the pages as well: method, path, quota, who shares it, signed or not."""
    route = ROUTES[row.method, row.path]
    assert (route.name, route.per_second, route.scope) == (row.short, row.quota.per_s, row.quota.scope.name)
    assert (route.permission is not None) is row.signed
    assert (route.permission == "trade") is (row.effect is Effect.COMMAND)


TWICE = Endpoint(
    name="made_up",
    method="GET",
    path="/api/v2/made/up",
    signed=False,
    quota=Quota(1, Scope.IP),
    effect=Effect.READ,
    params=(Param("first_one", str, required=True), Param("second", lambda value: value)),
    returns=Record,
    page="https://www.bitget.com/api-doc/",
    read_on="2025-11-30",
)


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ({"first_one": 1}, {"firstOne": "1"}),
        ({"first_one": 1, "second": None}, {"firstOne": "1"}),
        ({"second": 2, "first_one": 1}, {"firstOne": "1", "second": 2}),
    ],
)
def test_given_parameters_become_wire_names(given: dict[str, Any], wire: dict[str, Any]) -> None:
    """`None` counts as not given; the order is the row's own."""
    checked = TWICE.checked(given)
    assert checked == wire
    assert list(checked) == list(wire)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "made_up: first_one is missing"),
        ({"first_one": None}, "made_up: first_one is missing"),
        ({"first_one": 1, "secnd": 2}, "made_up: unknown parameter secnd; it takes: first_one, second"),
        ({"first_one": 1, "b": 2, "a": 2}, "unknown parameter a, b;"),
        ({"firstOne": 1, "first_one": 2}, "unknown parameter firstOne"),
    ],
)
def test_missing_and_unknown_parameters_are_refused(given: dict[str, Any], problem: str) -> None:
    """A misspelt parameter of an irreversible command must not be dropped."""
    with pytest.raises(UsageError, match=problem):
        TWICE.checked(given)


def test_a_row_without_parameters_says_so() -> None:
    """The text lists what a row takes."""
    row = next(row for row in CATALOGUE if row.name == "server_time")
    with pytest.raises(UsageError, match="unknown parameter symbol; it takes: none"):
        row.checked({"symbol": "BTCUSDT"})
