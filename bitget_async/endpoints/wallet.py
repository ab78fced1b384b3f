"""Wallet: reads and transfers between own accounts, under "spot/account" too.

Withdrawals are left out on purpose: see `LEFT_OUT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitget_async.endpoints.account import ACCOUNT_TYPE
from bitget_async.endpoints.checks import (
    amount,
    client_oid,
    coin,
    cursor,
    integer,
    milliseconds,
    order_id,
    symbol,
    user_id,
    word,
)
from bitget_async.endpoints.row import KIB, Effect, Endpoint, Paging, Param, Quota, Scope
from bitget_async.errors import UsageError
from bitget_async.models import DepositAddress, TransferAck, WalletRecord

__all__ = [
    "DEPOSIT_ADDRESS",
    "DEPOSIT_RECORDS",
    "SUBACCOUNT_DEPOSIT_ADDRESS",
    "SUBACCOUNT_DEPOSIT_RECORDS",
    "SUBACCOUNT_TRANSFER",
    "TRANSFER_COIN_INFO",
    "WALLET_TRANSFER",
    "WITHDRAWAL_RECORDS",
]

PAGES = "https://www.bitget.com/api-doc/spot/account/"
READ_ON = "2025-11-30"
HOME = "account"
ACK = 64 * KIB
MOVED = (
    Param("from_type", ACCOUNT_TYPE, required=True),
    Param("to_type", ACCOUNT_TYPE, required=True),
    Param("amount", amount, required=True),
    Param("coin", coin, required=True),
    Param("symbol", symbol),
    Param("client_oid", client_oid),
)
ADDRESS = (
    Param("coin", coin, required=True),
    Param("chain", word),
    Param("size", amount),
)
BY_ORDER_ID = Paging(by="id", key="order_id", limit=100)


def _isolated(given: Mapping[str, Any]) -> None:
    if "isolated_margin" in (given["from_type"], given["to_type"]) and "symbol" not in given:
        raise UsageError("symbol is missing: isolated margin is kept by symbol")


WALLET_TRANSFER = Endpoint(
    name="transfer",
    method="POST",
    path="/api/v2/spot/wallet/transfer",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=MOVED,
    returns=TransferAck,
    page=PAGES + "Wallet-Transfer",
    read_on=READ_ON,
    home=HOME,
    check=_isolated,
    max_bytes=ACK,
)

SUBACCOUNT_TRANSFER = Endpoint(
    name="subaccount_transfer",
    method="POST",
    path="/api/v2/spot/wallet/subaccount-transfer",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.COMMAND,
    params=(*MOVED, Param("from_user_id", user_id, required=True), Param("to_user_id", user_id, required=True)),
    returns=TransferAck,
    page=PAGES + "Sub-Transfer",
    read_on=READ_ON,
    home=HOME,
    check=_isolated,
    max_bytes=ACK,
)

TRANSFER_COIN_INFO = Endpoint(
    name="transfer_coin_info",
    method="GET",
    path="/api/v2/spot/wallet/transfer-coin-info",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("from_type", ACCOUNT_TYPE, required=True), Param("to_type", ACCOUNT_TYPE, required=True)),
    returns=list[str],
    page=PAGES + "Get-Transfer-Coins",
    read_on=READ_ON,
    home=HOME,
)

DEPOSIT_ADDRESS = Endpoint(
    name="deposit_address",
    method="GET",
    path="/api/v2/spot/wallet/deposit-address",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=ADDRESS,
    returns=DepositAddress,
    page=PAGES + "Get-Deposit-Address",
    read_on=READ_ON,
    home=HOME,
)

DEPOSIT_RECORDS = Endpoint(
    name="deposit_records",
    method="GET",
    path="/api/v2/spot/wallet/deposit-records",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin),
        Param("order_id", order_id),
        Param("start_time", milliseconds, required=True),
        Param("end_time", milliseconds, required=True),
        Param("id_less_than", cursor),
        Param("limit", integer(1, 100)),
    ),
    returns=list[WalletRecord],
    page=PAGES + "Get-Deposit-Record",
    read_on=READ_ON,
    home=HOME,
    paging=BY_ORDER_ID,
)

WITHDRAWAL_RECORDS = Endpoint(
    name="withdrawal_records",
    method="GET",
    path="/api/v2/spot/wallet/withdrawal-records",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("coin", coin),
        Param("client_oid", client_oid),
        Param("start_time", milliseconds, required=True),
        Param("end_time", milliseconds, required=True),
        Param("id_less_than", cursor),
        Param("order_id", order_id),
        Param("limit", integer(1, 100)),
    ),
    returns=list[WalletRecord],
    page=PAGES + "Get-Withdraw-Record",
    read_on=READ_ON,
    home=HOME,
    paging=BY_ORDER_ID,
)

SUBACCOUNT_DEPOSIT_ADDRESS = Endpoint(
    name="subaccount_deposit_address",
    method="GET",
    path="/api/v2/spot/wallet/subaccount-deposit-address",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("sub_uid", user_id, required=True), *ADDRESS),
    returns=DepositAddress,
    page=PAGES + "Get-SubAccount-Deposit-Address",
    read_on=READ_ON,
    home=HOME,
)

SUBACCOUNT_DEPOSIT_RECORDS = Endpoint(
    name="subaccount_deposit_records",
    method="GET",
    path="/api/v2/spot/wallet/subaccount-deposit-records",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(
        Param("sub_uid", user_id, required=True),
        Param("coin", coin),
        Param("start_time", milliseconds),
        Param("end_time", milliseconds),
        Param("id_less_than", cursor),
        Param("limit", integer(1, 100)),
    ),
    returns=list[WalletRecord],
    page=PAGES + "Get-SubAccount-Deposit-Record",
    read_on=READ_ON,
    home=HOME,
    paging=BY_ORDER_ID,
)
