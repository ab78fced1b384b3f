"""The catalogue: every row complete, equal to the exchange's own pages, and known to the simulator as the same call."""

from __future__ import annotations

import datetime
import inspect
import json
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from bitget_async import BitgetClient, UsageError
from bitget_async.endpoints import CATALOGUE, LEFT_OUT, Effect, Endpoint, Param, Quota, Scope
from bitget_async.models import Record
from bitget_async.sim import ROUTES

INDEX = json.loads((Path(__file__).parents[1] / "fixtures" / "spot_index.json").read_text(encoding="utf-8"))["rows"]

# The verb of each call, by its path. What has no dot is flat on the client.
VERBS = {
    "POST /api/v2/spot/trade/place-order": "place_order",
    "POST /api/v2/spot/trade/batch-orders": "batch_orders",
    "POST /api/v2/spot/trade/cancel-order": "cancel_order",
    "POST /api/v2/spot/trade/batch-cancel-order": "batch_cancel_orders",
    "POST /api/v2/spot/trade/cancel-symbol-order": "cancel_symbol_orders",
    "POST /api/v2/spot/trade/cancel-replace-order": "cancel_replace_order",
    "POST /api/v2/spot/trade/batch-cancel-replace-order": "batch_cancel_replace_orders",
    "GET /api/v2/spot/trade/orderInfo": "order_info",
    "GET /api/v2/spot/trade/unfilled-orders": "unfilled_orders",
    "GET /api/v2/spot/trade/history-orders": "history_orders",
    "GET /api/v2/spot/trade/fills": "fills",
    "POST /api/v2/spot/trade/place-plan-order": "trigger.place_plan_order",
    "POST /api/v2/spot/trade/modify-plan-order": "trigger.modify_plan_order",
    "POST /api/v2/spot/trade/cancel-plan-order": "trigger.cancel_plan_order",
    "POST /api/v2/spot/trade/batch-cancel-plan-order": "trigger.batch_cancel_plan_orders",
    "GET /api/v2/spot/trade/current-plan-order": "trigger.current_plan_orders",
    "GET /api/v2/spot/trade/history-plan-order": "trigger.history_plan_orders",
    "GET /api/v2/spot/trade/plan-sub-order": "trigger.plan_sub_orders",
    "GET /api/v2/spot/account/info": "account.info",
    "GET /api/v2/spot/account/transferRecords": "account.transfer_records",
    "POST /api/v2/spot/wallet/transfer": "account.transfer",
    "GET /api/v2/tax/spot-record": "account.tax_spot_record",
    "GET /api/v2/public/time": "market.server_time",
}
MARKET = "coins symbols vip_fee_rate tickers orderbook merge_depth candles history_candles fills fills_history auction"
ACCOUNT = (
    "assets bills subaccount_assets sub_main_trans_record deduct_info switch_deduct upgrade upgrade_status trade_rate "
    "subaccount_transfer transfer_coin_info deposit_address deposit_records withdrawal_records all_trade_rate "
    "subaccount_deposit_address subaccount_deposit_records all_account_balance funding_assets bot_assets"
)
FLOWS = "fund_flow fund_net_flow whale_net_flow support_symbols"

LISTED = "symbol startTime endTime idLessThan limit orderId"
PLAN_LISTED = "symbol limit idLessThan startTime endTime"
PRESETS = "presetTakeProfitPrice executeTakeProfitPrice presetStopLossPrice executeStopLossPrice"
MOVED = "fromType toType amount coin symbol clientOid"
# By the part of the path after /api/v2/. What has no line takes nothing.
PARAMS = {
    "spot/trade/place-order": "symbol side orderType force price size clientOid tpslType triggerPrice stpMode "
    f"{PRESETS} requestTime receiveWindow",
    "spot/trade/batch-orders": "symbol batchMode orderList",
    "spot/trade/cancel-order": "symbol orderId clientOid tpslType",
    "spot/trade/batch-cancel-order": "symbol batchMode orderList",
    "spot/trade/cancel-symbol-order": "symbol",
    "spot/trade/cancel-replace-order": f"symbol price size orderId clientOid newClientOid {PRESETS}",
    "spot/trade/batch-cancel-replace-order": "orderList",
    "spot/trade/orderInfo": "orderId clientOid requestTime receiveWindow",
    "spot/trade/unfilled-orders": f"{LISTED} tpslType requestTime receiveWindow",
    "spot/trade/history-orders": f"{LISTED} tpslType requestTime receiveWindow",
    "spot/trade/fills": LISTED,
    "spot/trade/place-plan-order": "symbol side triggerPrice orderType executePrice planType size triggerType "
    "clientOid stpMode",
    "spot/trade/modify-plan-order": "orderId clientOid triggerPrice orderType executePrice size",
    "spot/trade/cancel-plan-order": "orderId clientOid",
    "spot/trade/batch-cancel-plan-order": "symbolList",
    "spot/trade/current-plan-order": PLAN_LISTED,
    "spot/trade/history-plan-order": PLAN_LISTED,
    "spot/trade/plan-sub-order": "planOrderId",
    "spot/account/assets": "coin assetType",
    "spot/account/bills": "coin groupType businessType startTime endTime limit idLessThan",
    "spot/account/subaccount-assets": "idLessThan limit",
    "spot/account/sub-main-trans-record": "coin role subUid startTime endTime clientOid limit idLessThan",
    "spot/account/transferRecords": "coin fromType startTime endTime clientOid pageNum limit",
    "spot/account/switch-deduct": "deduct",
    "spot/account/upgrade": "subUid",
    "spot/account/upgrade-status": "subUid",
    "spot/wallet/transfer": MOVED,
    "spot/wallet/subaccount-transfer": f"{MOVED} fromUserId toUserId",
    "spot/wallet/transfer-coin-info": "fromType toType",
    "spot/wallet/deposit-address": "coin chain size",
    "spot/wallet/deposit-records": "coin orderId startTime endTime idLessThan limit",
    "spot/wallet/withdrawal-records": "coin clientOid startTime endTime idLessThan orderId limit",
    "spot/wallet/subaccount-deposit-address": "subUid coin chain size",
    "spot/wallet/subaccount-deposit-records": "subUid coin startTime endTime idLessThan limit",
    "common/trade-rate": "symbol businessType",
    "common/all-trade-rate": "symbol businessType",
    "account/funding-assets": "coin",
    "account/bot-assets": "accountType",
    "tax/spot-record": "coin startTime endTime limit idLessThan",
    "spot/public/coins": "coin",
    "spot/public/symbols": "symbol",
    "spot/market/tickers": "symbol",
    "spot/market/orderbook": "symbol type limit",
    "spot/market/merge-depth": "symbol precision limit",
    "spot/market/candles": "symbol granularity startTime endTime limit",
    "spot/market/history-candles": "symbol granularity endTime limit",
    "spot/market/fills": "symbol limit",
    "spot/market/fills-history": "symbol limit idLessThan startTime endTime",
    "spot/market/auction": "symbol",
    "spot/market/fund-flow": "symbol period",
    "spot/market/fund-net-flow": "symbol",
    "spot/market/whale-net-flow": "symbol",
}
# Pages: how, by which field of a row, most rows, longest range and how far back, in days. From the same pages.
PAGING = {
    "spot/trade/unfilled-orders": ("id", "orderId", 100, None, None),
    "spot/trade/history-orders": ("id", "orderId", 100, 30, 90),
    "spot/trade/fills": ("id", "tradeId", 100, 90, 90),
    "spot/trade/current-plan-order": ("answer", "", 100, 90, None),
    "spot/trade/history-plan-order": ("answer", "", 100, 90, None),
    "spot/account/bills": ("id", "billId", 500, 90, None),
    "spot/account/subaccount-assets": ("id", "id", 50, None, None),
    "spot/account/sub-main-trans-record": ("id", "transferId", 100, 90, None),
    "spot/account/transferRecords": ("number", "", 500, 90, None),
    "spot/wallet/deposit-records": ("id", "orderId", 100, None, None),
    "spot/wallet/withdrawal-records": ("id", "orderId", 100, None, None),
    "spot/wallet/subaccount-deposit-records": ("id", "orderId", 100, None, None),
    "tax/spot-record": ("id", "id", 500, 30, None),
    "spot/market/candles": ("time", "open_ms", 1000, None, None),
    "spot/market/history-candles": ("time", "open_ms", 200, None, None),
    "spot/market/fills-history": ("id", "tradeId", 1000, 7, 90),
}
DAY_MS = 24 * 60 * 60 * 1000

each_row = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)


def rest(row: Endpoint) -> str:
    """Its path as the tables here have it."""
    return row.path.removeprefix("/api/v2/")


def record_of(row: Endpoint) -> Any:
    """What its answer is made of."""
    return get_args(row.returns)[0] if get_origin(row.returns) is list else row.returns


def test_every_call_of_the_index_is_a_row_or_left_out_with_its_reason() -> None:
    """Path, quota, who shares it and whether it is signed, against a table that was not made from our rows."""
    rows = {
        row.label: [row.method, row.path, None if row.unnamed else row.quota.per_s, row.quota.scope.name, row.signed]
        for row in CATALOGUE
    }
    index = {f"{method} {path}": [method, path, n, scope, needs != "none"] for method, path, n, scope, needs in INDEX}
    assert len(index) == len(INDEX) == 61
    assert not rows.keys() & LEFT_OUT.keys()
    assert index.keys() == rows.keys() | LEFT_OUT.keys()
    assert rows == {label: row for label, row in index.items() if label not in LEFT_OUT}


def test_what_needs_a_key_that_may_withdraw_is_left_out() -> None:
    """A trading key must not need it; each with a reason in words."""
    assert {label for label, reason in LEFT_OUT.items() if len(reason) > 20} == {
        f"{method} {path}" for method, path, _, _, needs in INDEX if needs == "withdraw"
    }


def test_a_quota_that_no_document_names_is_one_a_second() -> None:
    """Our choice: the least there can be."""
    assert {row.quota.per_s for row in CATALOGUE if row.unnamed} == {1}


@each_row
def test_row_says_where_and_when_it_was_read(row: Endpoint) -> None:
    """A row without its page cannot be checked against it."""
    assert row.page.startswith("https://www.bitget.com/api-doc/")
    if row.unnamed:
        # What no dated copy was at hand of, no quota is known of either.
        assert row.read_on == ""
        return
    read_on = datetime.date.fromisoformat(row.read_on)
    assert datetime.date(2025, 1, 1) <= read_on <= datetime.date(2027, 12, 31)


@each_row
def test_row_has_a_record_to_be_read_into(row: Endpoint) -> None:
    """A record, or a list of records, made of fields that all have a default: a row can lack any of them."""
    kind = record_of(row)
    if row.name == "transfer_coin_info":
        # A bare list of names.
        assert kind is str
        return
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
    assert row.cancels == ("cancel" in row.path and "replace" not in row.path)


@each_row
def test_row_takes_the_parameters_of_its_page(row: Endpoint) -> None:
    """In the exchange's spelling, none missing and none made up."""
    assert [param.wire_name for param in row.params] == PARAMS.get(rest(row), "").split()


@each_row
def test_row_knows_its_pages(row: Endpoint) -> None:
    """The cursor is a field of its record, and the largest page is what `limit` takes."""
    if rest(row) not in PAGING:
        assert row.paging is None
        return
    by, key, limit, span, kept = PAGING[rest(row)]
    assert row.paging is not None
    names = {field.name: field.encode_name for field in msgspec.structs.fields(record_of(row))}
    assert (row.paging.by, names.get(row.paging.key, ""), row.paging.limit) == (by, key, limit)
    assert row.paging.span_ms == (None if span is None else span * DAY_MS)
    assert row.paging.kept_ms == (None if kept is None else kept * DAY_MS)
    assert row.paging.rows == ("order_list" if by == "answer" else "")
    assert row.paging.rows == "" or row.paging.rows in names
    (check,) = [param.check for param in row.params if param.name == "limit"]
    assert check(limit) == str(limit)
    with pytest.raises(UsageError):
        check(limit + 1)
    cursor = {"id": "id_less_than", "answer": "id_less_than", "number": "page_num", "time": "end_time"}[by]
    assert cursor in [param.name for param in row.params]


@each_row
def test_answer_of_a_row_is_bounded(row: Endpoint) -> None:
    """Receipts are small, listings of one page fit into a megabyte, what lists every symbol or coin into 16."""
    receipt = row.effect is Effect.COMMAND and row.name != "batch_cancel_plan_orders"
    most = 64 if receipt or row.name == "order_info" else 1024
    assert row.max_bytes == (16 * 1024 if row.name in ("symbols", "coins", "tickers") else most) * 1024


def home(row: Endpoint) -> Any:
    """What holds the verb of a row: the client, or one of its families."""
    return get_type_hints(inspect.getattr_static(BitgetClient, row.home).fget)["return"] if row.home else BitgetClient


def found(row: Endpoint) -> Any:
    """The verb of a row."""
    return getattr(home(row), row.verb.rpartition(".")[2])


@each_row
def test_row_has_a_verb_that_says_what_it_costs(row: Endpoint) -> None:
    """It exists and says its cost and page; it, or its family for all of it, what it raises and about cancelling."""
    verb = found(row)
    doc = verb.__doc__ or ""
    assert inspect.iscoroutinefunction(verb) is (row.paging is None)
    assert row.page in doc
    assert f"of {row.short} ({row.quota.per_s} a second per {row.quota.scope.name}" in doc
    said = (doc if row.home == "" else doc + (home(row).__doc__ or "")).lower()
    assert "raises" in said
    assert "cancelling" in said


def test_only_the_single_placement_is_dated() -> None:
    """`requestTime` in a body: the page of place-order has it, those of the batches and of cancelling do not."""
    assert [row.name for row in CATALOGUE if row.dated] == ["place_order"]


def test_names_and_labels_are_unique() -> None:
    """Two rows of one name would hide each other in the docs and on the command line."""
    assert len({row.name for row in CATALOGUE}) == len({row.label for row in CATALOGUE}) == len(CATALOGUE)
    assert len({row.verb for row in CATALOGUE}) == len(CATALOGUE)


def test_verbs_are_the_exchanges_names() -> None:
    """Trading is flat, the rest is by family; two calls have too bare a name of their own."""
    verbs = {row.label: row.verb for row in CATALOGUE}
    assert {label: verbs[label] for label in VERBS} == VERBS
    others = {verb for label, verb in verbs.items() if label not in VERBS}
    assert others == {f"account.{name}" for name in ACCOUNT.split()} | {
        f"market.{name}" for name in f"{MARKET} {FLOWS}".split()
    }


@each_row
def test_the_simulator_knows_the_row_as_the_same_call(row: Endpoint) -> None:
    """The witness wrote its table from the pages as well: method, path, quota, who shares it, signed or not."""
    route = ROUTES[row.method, row.path]
    assert (route.name, route.per_second, route.scope) == (row.short, row.quota.per_s, row.quota.scope.name)
    assert (route.permission is not None) is row.signed
    assert (route.permission in ("trade", "transfer")) is (row.effect is Effect.COMMAND)


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
