"""Fees, totals and the tax ledger: the exchange's pages under "common"."""

from __future__ import annotations

from bitget_async.endpoints.checks import coin, cursor, integer, milliseconds, one_of, symbol
from bitget_async.endpoints.row import DAY_MS, Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.models import AccountBalance, BotAsset, FundingAsset, TaxRecord, TradeRate

__all__ = [
    "ALL_ACCOUNT_BALANCE",
    "ALL_TRADE_RATE",
    "BOT_ASSETS",
    "FUNDING_ASSETS",
    "TAX_SPOT_RECORD",
    "TRADE_RATE",
]

PAGES = "https://www.bitget.com/api-doc/common/"
READ_ON = "2025-11-30"
# No dated copy of its page was at hand: names and fields are those that other public clients use too.
UNDATED = ""
HOME = "account"
BUSINESS = Param("business_type", one_of("spot", "mix", "margin"), required=True)

TRADE_RATE = Endpoint(
    name="trade_rate",
    method="GET",
    path="/api/v2/common/trade-rate",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("symbol", symbol, required=True), BUSINESS),
    returns=TradeRate,
    page=PAGES + "public/Get-Trade-Rate",
    read_on=READ_ON,
    home=HOME,
)

ALL_TRADE_RATE = Endpoint(
    name="all_trade_rate",
    method="GET",
    path="/api/v2/common/all-trade-rate",
    signed=True,
    # The documents at hand name no quota: 1 a second is our choice.
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(Param("symbol", symbol), BUSINESS),
    returns=list[TradeRate],
    page=PAGES + "public/Get-All-Trade-Rate",
    read_on=UNDATED,
    home=HOME,
    unnamed=True,
)

ALL_ACCOUNT_BALANCE = Endpoint(
    name="all_account_balance",
    method="GET",
    path="/api/v2/account/all-account-balance",
    signed=True,
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(),
    returns=list[AccountBalance],
    page=PAGES + "account/All-Account-Balance",
    read_on=READ_ON,
    home=HOME,
)

FUNDING_ASSETS = Endpoint(
    name="funding_assets",
    method="GET",
    path="/api/v2/account/funding-assets",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("coin", coin),),
    returns=list[FundingAsset],
    page=PAGES + "account/Funding-Assets",
    read_on=READ_ON,
    home=HOME,
)

BOT_ASSETS = Endpoint(
    name="bot_assets",
    method="GET",
    path="/api/v2/account/bot-assets",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("account_type", one_of("futures", "spot")),),
    returns=list[BotAsset],
    page=PAGES + "account/Bot-Assets",
    read_on=READ_ON,
    home=HOME,
)

TAX_SPOT_RECORD = Endpoint(
    name="tax_spot_record",
    method="GET",
    path="/api/v2/tax/spot-record",
    signed=True,
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin),
        Param("start_time", milliseconds, required=True),
        Param("end_time", milliseconds, required=True),
        Param("limit", integer(1, 500)),
        Param("id_less_than", cursor),
    ),
    returns=list[TaxRecord],
    page=PAGES + "tax/Get-Spot-Account-Record",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="id", key="id", limit=500, span_ms=30 * DAY_MS),
)
