"""The paged half of `client.account`: ledgers, transfers, deposits and withdrawals as they are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitget_async.endpoints import (
    BILLS,
    DEPOSIT_RECORDS,
    SUB_MAIN_TRANS_RECORD,
    SUBACCOUNT_ASSETS,
    SUBACCOUNT_DEPOSIT_RECORDS,
    TAX_SPOT_RECORD,
    TRANSFER_RECORDS,
    WITHDRAWAL_RECORDS,
    Endpoint,
)
from bitget_async.models import Bill, SubAccountAssets, TaxRecord, TransferRecord, WalletRecord
from bitget_async.pages import Call, Pages, Position

__all__ = ["Ledgers"]


class Ledgers:
    """
    Paged reads of the account: await one for a page, iterate over it for all; see `Pages`.

    Args:
        call: makes the calls.
        now_ms: the exchange's clock.
    """

    def __init__(self, call: Call, *, now_ms: Callable[[], int]) -> None:
        self._call = call
        self._now_ms = now_ms

    def bills(
        self,
        coin: str | None = None,
        *,
        group_type: str | None = None,
        business_type: str | None = None,
        limit: int = 500,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[Bill]:
        """
        The spot ledger, newest first.

        Args:
            coin: one coin, or `None` for all.
            group_type: "deposit", "withdraw", "transaction", "transfer", ...
            business_type: finer than that, in the exchange's words; those of the page differ from recorded ones.
            limit: rows a page, 1 to 500.
            id_less_than: only lines older than this `bill_id`.
            start_ms, end_ms: when; more than 90 days are asked in parts, newest first.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of bills (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-Account-Bills, read 2025-11-30.
        """
        given = {"coin": coin, "group_type": group_type, "business_type": business_type, "limit": limit}
        return self._pages(BILLS, position, start_ms, end_ms, id_less_than=id_less_than, **given)

    def tax_spot_record(
        self,
        coin: str | None = None,
        *,
        start_ms: int,
        end_ms: int | None = None,
        limit: int = 500,
        id_less_than: str | None = None,
        position: Position | None = None,
    ) -> Pages[TaxRecord]:
        """
        The tax ledger, newest first.

        Args:
            coin: one coin, or `None` for all.
            start_ms, end_ms: when; `None`: until now. More than 30 days are asked in parts, newest first.
            limit: rows a page, 1 to 500.
            id_less_than: only lines older than this `id`.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of spot-record (1 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/common/tax/Get-Spot-Account-Record, read 2025-11-30.
        """
        given = {"coin": coin, "limit": limit, "id_less_than": id_less_than}
        return self._pages(TAX_SPOT_RECORD, position, start_ms, end_ms, **given)

    def deposit_records(
        self,
        coin: str | None = None,
        *,
        start_ms: int,
        end_ms: int | None = None,
        order_id: str | None = None,
        limit: int = 100,
        id_less_than: str | None = None,
        position: Position | None = None,
    ) -> Pages[WalletRecord]:
        """
        Deposits, newest first.

        Args:
            coin: one coin, or `None` for all.
            start_ms, end_ms: when; `None`: until now.
            order_id: one deposit.
            limit: rows a page, 1 to 100.
            id_less_than: only those older than this `order_id`.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of deposit-records (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-Deposit-Record, read 2025-11-30.
        """
        given = {"coin": coin, "order_id": order_id, "limit": limit, "id_less_than": id_less_than}
        return self._pages(DEPOSIT_RECORDS, position, start_ms, end_ms, **given)

    def withdrawal_records(
        self,
        coin: str | None = None,
        *,
        start_ms: int,
        end_ms: int | None = None,
        order_id: str | None = None,
        client_oid: str | None = None,
        limit: int = 100,
        id_less_than: str | None = None,
        position: Position | None = None,
    ) -> Pages[WalletRecord]:
        """
        Withdrawals, newest first.

        Args:
            coin: one coin, or `None` for all.
            start_ms, end_ms: when; `None`: until now.
            order_id, client_oid: one withdrawal.
            limit: rows a page, 1 to 100.
            id_less_than: only those older than this `order_id`.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of withdrawal-records (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-Withdraw-Record, read 2025-11-30.
        """
        given = {"coin": coin, "order_id": order_id, "client_oid": client_oid, "limit": limit}
        return self._pages(WITHDRAWAL_RECORDS, position, start_ms, end_ms, id_less_than=id_less_than, **given)

    def subaccount_deposit_records(
        self,
        sub_uid: str,
        coin: str | None = None,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
        id_less_than: str | None = None,
        position: Position | None = None,
    ) -> Pages[WalletRecord]:
        """
        Deposits of a sub-account, newest first.

        Args:
            sub_uid: the sub-account.
            coin: one coin, or `None` for all.
            start_ms, end_ms: when.
            limit: rows a page, 1 to 100.
            id_less_than: only those older than this `order_id`.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of subaccount-deposit-records (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-SubAccount-Deposit-Record, read 2025-11-30.
        """
        given = {"sub_uid": sub_uid, "coin": coin, "limit": limit, "id_less_than": id_less_than}
        return self._pages(SUBACCOUNT_DEPOSIT_RECORDS, position, start_ms, end_ms, **given)

    def transfer_records(
        self,
        coin: str,
        *,
        from_type: str | None = None,
        client_oid: str | None = None,
        limit: int = 500,
        page_num: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[TransferRecord]:
        """
        Transfers between own accounts, newest first.

        Args:
            coin: one coin.
            from_type: "spot", "p2p" (funding), "usdt_futures", "crossed_margin", ...: where from.
            client_oid: one transfer.
            limit: rows a page, 1 to 500.
            page_num: where to begin, counted from 1; new transfers push known ones to later pages.
            start_ms, end_ms: when; more than 90 days are asked in parts, newest first.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of transferRecords (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-Account-TransferRecords, read 2025-11-30.
        """
        given = {"coin": coin, "from_type": from_type, "client_oid": client_oid, "limit": limit, "page_num": page_num}
        return self._pages(TRANSFER_RECORDS, position, start_ms, end_ms, **given)

    def sub_main_trans_record(
        self,
        coin: str | None = None,
        *,
        role: str | None = None,
        sub_uid: str | None = None,
        client_oid: str | None = None,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[TransferRecord]:
        """
        Transfers between the main account and sub-accounts, newest first.

        Args:
            coin: one coin, or `None` for all.
            role: "initiator" or "receiver".
            sub_uid: one sub-account.
            client_oid: one transfer.
            limit: rows a page, 1 to 100.
            id_less_than: only those older than this `transfer_id`.
            start_ms, end_ms: when; more than 90 days are asked in parts, newest first.
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of sub-main-trans-record (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-SubAccount-TransferRecords, read 2025-11-30.
        """
        given = {"coin": coin, "role": role, "sub_uid": sub_uid, "client_oid": client_oid, "limit": limit}
        return self._pages(SUB_MAIN_TRANS_RECORD, position, start_ms, end_ms, id_less_than=id_less_than, **given)

    def subaccount_assets(
        self, *, limit: int = 50, id_less_than: str | None = None, position: Position | None = None
    ) -> Pages[SubAccountAssets]:
        """
        Spot balances of the sub-accounts that hold anything.

        Args:
            limit: sub-accounts a page, 1 to 50.
            id_less_than: only those below this `id` (the listing's cursor, no account's id).
            position: go on where an earlier read with the same parameters stopped.

        Cost: 1 token of subaccount-assets (10 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/account/Get-Subaccount-Assets, read 2025-11-30.
        """
        return self._pages(SUBACCOUNT_ASSETS, position, limit=limit, id_less_than=id_less_than)

    def _pages(
        self,
        row: Endpoint,
        position: Position | None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        **given: Any,
    ) -> Pages[Any]:
        given |= {"start_time": start_ms, "end_time": end_ms}
        return Pages(self._call, row, given, now_ms=self._now_ms, position=position)
