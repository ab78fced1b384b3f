"""The wallet: transfers between own accounts, deposits and withdrawals as they are listed."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names
from bitget_async.models.texts import TransferStatus, WalletStatus

__all__ = ["DepositAddress", "TransferAck", "TransferRecord", "WalletRecord"]


class TransferAck(Record, frozen=True, kw_only=True, rename="camel"):
    """Receipt of a transfer. With a `client_oid` that was used before it is the first transfer's receipt."""

    transfer_id: str = ""
    client_oid: str | None = None


class TransferRecord(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    One transfer between accounts.

    Attributes:
        coin, size: what was moved, the amount in that coin.
        status: an enum that keeps unknown texts.
        from_type, to_type: kinds of account: `spot`, `p2p` (funding), `usdt_futures`, `crossed_margin`, ...
        from_symbol, to_symbol: with `isolated_margin`, whose.
        time_ms: exchange time.
        client_oid: the caller's name for it.
        transfer_id: digits as a string; the cursor of the main and sub-account listing.
        new_transfer_id: what the transfer's receipt said, since September 2025.
        from_user_id, to_user_id: between main and sub-accounts, whose.
    """

    coin: str = ""
    size: Decimal | None = None
    status: TransferStatus = TransferStatus.UNKNOWN
    from_type: str = ""
    to_type: str = ""
    from_symbol: str = ""
    to_symbol: str = ""
    time_ms: int | None = None
    client_oid: str | None = None
    transfer_id: str = ""
    new_transfer_id: str = ""
    from_user_id: str = ""
    to_user_id: str = ""


class DepositAddress(Record, frozen=True, kw_only=True):
    """
    Where a coin can be sent to.

    Attributes:
        address, chain, coin: the address, on which chain, for which coin.
        tag: must go with it where it is not `""`, or the deposit is lost.
        url: page of a block explorer.
    """

    address: str = ""
    chain: str = ""
    coin: str = ""
    tag: str | None = None
    url: str | None = None


class WalletRecord(
    Amounts, frozen=True, kw_only=True, rename=wire_names(kind="type", created_ms="cTime", updated_ms="uTime")
):
    """
    One deposit or withdrawal.

    Attributes:
        order_id: digits as a string; listings are ordered by it, compare as integers.
        trade_id: hash on the chain, or the id of an internal transfer.
        client_oid: the caller's name for it, or `None`.
        kind: `deposit` or `withdraw`; `""` where not told.
        coin, size: what was moved, the amount in that coin.
        fee: in that coin, negative when paid; `None` where none was told.
        status: an enum that keeps unknown texts.
        dest: `on_chain` or `internal_transfer`.
        from_address, to_address: addresses, or who it was with an internal transfer.
        chain, tag: which chain, and the tag.
        confirm: blocks that confirm it, or `None`.
        created_ms, updated_ms: exchange time.
    """

    order_id: str = ""
    trade_id: str = ""
    client_oid: str | None = None
    kind: str = ""
    coin: str = ""
    size: Decimal | None = None
    fee: Decimal | None = None
    status: WalletStatus = WalletStatus.UNKNOWN
    dest: str = ""
    from_address: str | None = None
    to_address: str | None = None
    chain: str | None = None
    tag: str | None = None
    confirm: int | None = None
    created_ms: int | None = None
    updated_ms: int | None = None
