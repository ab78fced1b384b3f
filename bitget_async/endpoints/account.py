"""Spot account: the exchange's pages under "spot/account"."""

from __future__ import annotations

from bitget_async.endpoints.checks import client_oid, coin, cursor, integer, milliseconds, one_of, user_id, word
from bitget_async.endpoints.row import DAY_MS, KIB, Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.models import (
    AccountInfo,
    Asset,
    Bill,
    DeductInfo,
    SubAccountAssets,
    SwitchAck,
    TransferRecord,
    UpgradeStatus,
)

__all__ = [
    "ACCOUNT_INFO",
    "ACCOUNT_UPGRADE",
    "ASSETS",
    "BILLS",
    "DEDUCT_INFO",
    "SUBACCOUNT_ASSETS",
    "SUB_MAIN_TRANS_RECORD",
    "SWITCH_DEDUCT",
    "TRANSFER_RECORDS",
    "UPGRADE_STATUS",
]

PAGES = "https://www.bitget.com/api-doc/spot/account/"
READ_ON = "2025-11-30"
# No dated copy of these pages was at hand: names and fields are those that other public clients use.
UNDATED = ""
HOME = "account"
ACK = 64 * KIB
ACCOUNT_TYPE = one_of(
    "spot", "p2p", "coin_futures", "usdt_futures", "usdc_futures", "crossed_margin", "isolated_margin"
)

ACCOUNT_INFO = Endpoint(
    name="account_info",
    method="GET",
    path="/api/v2/spot/account/info",
    signed=True,
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(),
    returns=AccountInfo,
    page=PAGES + "Get-Account-Info",
    read_on=READ_ON,
    home=HOME,
)

ASSETS = Endpoint(
    name="assets",
    method="GET",
    path="/api/v2/spot/account/assets",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("coin", coin), Param("asset_type", one_of("hold_only", "all"))),
    returns=list[Asset],
    page=PAGES + "Get-Account-Assets",
    read_on=READ_ON,
    home=HOME,
)

BILLS = Endpoint(
    name="bills",
    method="GET",
    path="/api/v2/spot/account/bills",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin),
        Param("group_type", word),
        Param("business_type", word),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
        Param("limit", integer(1, 500)),
        Param("id_less_than", cursor),
    ),
    returns=list[Bill],
    page=PAGES + "Get-Account-Bills",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="id", key="bill_id", limit=500, span_ms=90 * DAY_MS),
)

SUBACCOUNT_ASSETS = Endpoint(
    name="subaccount_assets",
    method="GET",
    path="/api/v2/spot/account/subaccount-assets",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("id_less_than", cursor), Param("limit", integer(1, 50))),
    returns=list[SubAccountAssets],
    page=PAGES + "Get-Subaccount-Assets",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="id", key="id", limit=50),
)

SUB_MAIN_TRANS_RECORD = Endpoint(
    name="sub_main_trans_record",
    method="GET",
    path="/api/v2/spot/account/sub-main-trans-record",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin),
        Param("role", one_of("initiator", "receiver")),
        Param("sub_uid", user_id),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
        Param("client_oid", client_oid),
        Param("limit", integer(1, 100)),
        Param("id_less_than", cursor),
    ),
    returns=list[TransferRecord],
    page=PAGES + "Get-SubAccount-TransferRecords",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="id", key="transfer_id", limit=100, span_ms=90 * DAY_MS),
)

TRANSFER_RECORDS = Endpoint(
    name="transfer_records",
    method="GET",
    path="/api/v2/spot/account/transferRecords",
    signed=True,
    quota=Quota(20, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin, required=True),
        Param("from_type", ACCOUNT_TYPE),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
        Param("client_oid", client_oid),
        Param("page_num", integer(1, 1000)),
        Param("limit", integer(1, 500)),
    ),
    returns=list[TransferRecord],
    page=PAGES + "Get-Account-TransferRecords",
    read_on=READ_ON,
    home=HOME,
    paging=Paging(by="number", key="", limit=500, span_ms=90 * DAY_MS),
)

DEDUCT_INFO = Endpoint(
    name="deduct_info",
    method="GET",
    path="/api/v2/spot/account/deduct-info",
    signed=True,
    quota=Quota(5, Scope.UID),
    effect=Effect.READ,
    params=(),
    returns=DeductInfo,
    page=PAGES + "Get-Deduct-Info",
    read_on=READ_ON,
    home=HOME,
)

SWITCH_DEDUCT = Endpoint(
    name="switch_deduct",
    method="POST",
    path="/api/v2/spot/account/switch-deduct",
    signed=True,
    quota=Quota(1, Scope.UID),
    effect=Effect.COMMAND,
    params=(Param("deduct", one_of("on", "off"), required=True),),
    returns=SwitchAck,
    page=PAGES + "Switch-Deduct",
    read_on=READ_ON,
    home=HOME,
    max_bytes=ACK,
)

ACCOUNT_UPGRADE = Endpoint(
    name="account_upgrade",
    method="POST",
    path="/api/v2/spot/account/upgrade",
    signed=True,
    # The documents at hand name no quota: 1 a second is our choice.
    quota=Quota(1, Scope.UID),
    effect=Effect.COMMAND,
    params=(Param("sub_uid", user_id),),
    returns=UpgradeStatus,
    page=PAGES + "Upgrade_Account",
    read_on=UNDATED,
    home=HOME,
    unnamed=True,
    max_bytes=ACK,
)

UPGRADE_STATUS = Endpoint(
    name="upgrade_status",
    method="GET",
    path="/api/v2/spot/account/upgrade-status",
    signed=True,
    # The documents at hand name no quota: 1 a second is our choice.
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(Param("sub_uid", user_id),),
    returns=UpgradeStatus,
    page=PAGES + "Get_Upgrade_Status",
    read_on=UNDATED,
    home=HOME,
    unnamed=True,
)
