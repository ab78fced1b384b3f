"""Each verb of the families calls its own row, with parameters that the row takes, and reaches all of them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any, get_origin

import pytest

from bitget_async.endpoints import CATALOGUE, Endpoint
from bitget_async.families.account import Account
from bitget_async.families.market import Market
from bitget_async.models import ServerTime
from bitget_async.pages import Pages
from bitget_async.rules import Rulebook

T0 = 1_760_000_000_000
RANGE = {"start_ms": T0, "end_ms": T0 + 1_000}
MOVE = {"from_type": "spot", "to_type": "isolated_margin", "coin": "USDT", "amount": "1.5", "symbol": "BTCUSDT"}

# Every parameter of each verb, given.
GIVEN: dict[str, dict[str, Any]] = {
    "market.server_time": {},
    "market.symbols": {"symbol": "BTCUSDT", "max_age_s": 0},
    "market.coins": {"coin": "USDT"},
    "market.vip_fee_rate": {},
    "market.tickers": {"symbol": "BTCUSDT"},
    "market.orderbook": {"symbol": "BTCUSDT", "step": "step1", "limit": 5},
    "market.merge_depth": {"symbol": "BTCUSDT", "precision": "scale1", "limit": 50},
    "market.candles": {"symbol": "BTCUSDT", "granularity": "1min", "limit": 9, **RANGE},
    "market.history_candles": {"symbol": "BTCUSDT", "granularity": "1Dutc", "limit": 9, **RANGE},
    "market.fills": {"symbol": "BTCUSDT", "limit": 9},
    "market.fills_history": {"symbol": "BTCUSDT", "limit": 9, "id_less_than": "7", **RANGE},
    "market.auction": {"symbol": "BTCUSDT"},
    "market.fund_flow": {"symbol": "BTCUSDT", "period": "15m"},
    "market.fund_net_flow": {"symbol": "BTCUSDT"},
    "market.whale_net_flow": {"symbol": "BTCUSDT"},
    "market.support_symbols": {},
    "account.info": {},
    "account.assets": {"coin": "USDT", "asset_type": "all"},
    "account.bills": {
        "coin": "USDT",
        "group_type": "transfer",
        "business_type": "TRANSFER_IN",
        "limit": 9,
        "id_less_than": "7",
        **RANGE,
    },
    "account.subaccount_assets": {"limit": 9, "id_less_than": "7"},
    "account.sub_main_trans_record": {
        "coin": "USDT",
        "role": "receiver",
        "sub_uid": "8",
        "client_oid": "a",
        "limit": 9,
        "id_less_than": "7",
        **RANGE,
    },
    "account.transfer_records": {
        "coin": "USDT",
        "from_type": "spot",
        "client_oid": "a",
        "limit": 9,
        "page_num": 2,
        **RANGE,
    },
    "account.deduct_info": {},
    "account.switch_deduct": {"deduct": True},
    "account.upgrade": {"sub_uid": "8"},
    "account.upgrade_status": {"sub_uid": "8"},
    "account.transfer": {**MOVE, "client_oid": "a"},
    "account.subaccount_transfer": {**MOVE, "client_oid": "a", "from_user_id": "8", "to_user_id": "9"},
    "account.transfer_coin_info": {"from_type": "spot", "to_type": "p2p"},
    "account.deposit_address": {"coin": "BTC", "chain": "LIGHTNING", "size": "0.1"},
    "account.subaccount_deposit_address": {"sub_uid": "8", "coin": "BTC", "chain": "BTC", "size": "0.1"},
    "account.deposit_records": {"coin": "BTC", "order_id": "5", "limit": 9, "id_less_than": "7", **RANGE},
    "account.withdrawal_records": {
        "coin": "BTC",
        "order_id": "5",
        "client_oid": "a",
        "limit": 9,
        "id_less_than": "7",
        **RANGE,
    },
    "account.subaccount_deposit_records": {"sub_uid": "8", "coin": "BTC", "limit": 9, "id_less_than": "7", **RANGE},
    "account.trade_rate": {"symbol": "BTCUSDT", "business_type": "margin"},
    "account.all_trade_rate": {"symbol": "BTCUSDT", "business_type": "mix"},
    "account.all_account_balance": {},
    "account.funding_assets": {"coin": "USDT"},
    "account.bot_assets": {"account_type": "futures"},
    "account.tax_spot_record": {"coin": "BTC", "limit": 9, "id_less_than": "7", **RANGE},
}
ROWS = {row.verb: row for row in CATALOGUE if row.home in ("market", "account")}


class Recorder:
    """A caller that notes what is called and answers with something of the right shape."""

    def __init__(self) -> None:
        self.calls: list[tuple[Endpoint, dict[str, Any]]] = []

    async def __call__(self, row: Endpoint, /, **params: Any) -> Any:
        """Note it."""
        self.calls.append((row, params))
        return [] if get_origin(row.returns) is list else ServerTime(server_ms=T0)


def verb_of(name: str, call: Recorder) -> Any:
    """The verb of that name, on families that call this."""
    market = Market(call, now_ms=lambda: T0, monotonic_ns=lambda: 0, rulebook=Rulebook())
    account = Account(call, now_ms=lambda: T0, new_client_oid=lambda: "made-up")
    home, verb = name.split(".")
    return getattr({"market": market, "account": account}[home], verb)


def test_there_is_a_verb_for_every_row_and_none_more() -> None:
    """The families are the catalogue's."""
    assert set(GIVEN) == set(ROWS)
    for home, family in (("market", Market), ("account", Account)):
        public = {f"{home}.{name}" for name, _ in inspect.getmembers(family, callable) if not name.startswith("_")}
        # `rules` reads the row of `symbols`.
        assert public - {"market.rules"} == {name for name in ROWS if name.startswith(home)}


@pytest.mark.parametrize("name", sorted(GIVEN))
async def test_verb_calls_its_row_with_all_that_it_can_take(name: str) -> None:
    """No parameter of the exchange is out of reach, and none is spelt in a way that the row refuses."""
    call = Recorder()
    verb, row = verb_of(name, call), ROWS[name]
    # But for `position`, the sample gives everything.
    assert set(inspect.signature(verb).parameters) - {"position"} == set(GIVEN[name])
    result = verb(**GIVEN[name])
    assert isinstance(result, Awaitable)
    assert isinstance(result, Pages) is (row.paging is not None)
    await result
    ((called, params),) = call.calls
    assert called is row
    wire = row.checked(params)
    # Where the cursor is a time, the start is kept on this side.
    ours = {"startTime"} if row.paging is not None and row.paging.by == "time" else set()
    assert set(wire) == {param.wire_name for param in row.params} - ours


@pytest.mark.parametrize("name", sorted(GIVEN))
async def test_verb_takes_the_least_that_its_row_needs(name: str) -> None:
    """What the exchange does not require is not required here, but for ids of transfers, which we make up."""
    call = Recorder()
    verb, row = verb_of(name, call), ROWS[name]
    needed = {n for n, each in inspect.signature(verb).parameters.items() if each.default is inspect.Parameter.empty}
    least = {key: value for key, value in GIVEN[name].items() if key in needed}
    if "isolated_margin" in least.values():
        least["to_type"] = "p2p"
    await verb(**least)
    ((called, params),) = call.calls
    wire = called.checked(params)
    required = {param.wire_name for param in row.params if param.required}
    assert set(wire) >= required
    assert set(wire) - required <= {"limit", "clientOid"}
    assert len(needed) <= len(required)
