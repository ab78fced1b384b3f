"""`client.account`: who the account is, what it holds and pays, and transfers between its own accounts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bitget_async.endpoints import (
    ACCOUNT_INFO,
    ACCOUNT_UPGRADE,
    ALL_ACCOUNT_BALANCE,
    ALL_TRADE_RATE,
    ASSETS,
    BOT_ASSETS,
    DEDUCT_INFO,
    DEPOSIT_ADDRESS,
    FUNDING_ASSETS,
    SUBACCOUNT_DEPOSIT_ADDRESS,
    SUBACCOUNT_TRANSFER,
    SWITCH_DEDUCT,
    TRADE_RATE,
    TRANSFER_COIN_INFO,
    UPGRADE_STATUS,
    WALLET_TRANSFER,
    Endpoint,
)
from bitget_async.errors import OutcomeUnknown, UsageError
from bitget_async.families.ledgers import Ledgers
from bitget_async.models import (
    AccountBalance,
    AccountInfo,
    Asset,
    BotAsset,
    DeductInfo,
    DepositAddress,
    FundingAsset,
    SwitchAck,
    TradeRate,
    TransferAck,
    UpgradeStatus,
)
from bitget_async.pages import Call

__all__ = ["Account"]


class Account(Ledgers):
    """
    The account and its sub-accounts, under the exchange's names. Withdrawals are left out: a trading key must not need
    them.

    Every verb raises UsageError (nothing was sent), NotSent, OutcomeUnknown or Refused (`PermissionDenied`,
    `AccountModeMismatch` for a unified account). Reads may be repeated, and cancelling one is safe. Amounts are in the
    row's coin, times in Unix milliseconds. Paged reads are awaited for one page, or iterated over for all: see `Pages`.

    Args:
        call: makes the calls.
        now_ms: the exchange's clock.
        new_client_oid: makes up names of transfers.
    """

    def __init__(self, call: Call, *, now_ms: Callable[[], int], new_client_oid: Callable[[], str]) -> None:
        super().__init__(call, now_ms=now_ms)
        self._new_client_oid = new_client_oid

    # -- who it is and what it holds --------------------------------------------------------------------------

    async def info(self) -> AccountInfo:
        """
        User id, permissions and address list of the key.

        Cost: 1 token of info (1 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-Account-Info, read 2025-11-30.
        """
        info: AccountInfo = await self._call(ACCOUNT_INFO)
        return info

    async def assets(self, coin: str | None = None, *, asset_type: str | None = None) -> list[Asset]:
        """
        Spot balances.

        Args:
            coin: one coin, or `None` for all.
            asset_type: "hold_only" (the exchange's default: coins that are held) or "all".

        Cost: 1 token of assets (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-Account-Assets, read 2025-11-30.
        """
        rows: list[Asset] = await self._call(ASSETS, coin=coin, asset_type=asset_type)
        return rows

    async def all_account_balance(self) -> list[AccountBalance]:
        """
        Worth of each kind of account (spot, futures, funding, earn, bots, margin), in USDT.

        Cost: 1 token of all-account-balance (1 a second per UID).
        Source: https://www.bitget.com/api-doc/common/account/All-Account-Balance, read 2025-11-30.
        """
        rows: list[AccountBalance] = await self._call(ALL_ACCOUNT_BALANCE)
        return rows

    async def funding_assets(self, coin: str | None = None) -> list[FundingAsset]:
        """
        Balances of the funding account: of one coin or of all.

        Cost: 1 token of funding-assets (10 a second per UID).
        Source: https://www.bitget.com/api-doc/common/account/Funding-Assets, read 2025-11-30.
        """
        rows: list[FundingAsset] = await self._call(FUNDING_ASSETS, coin=coin)
        return rows

    async def bot_assets(self, account_type: str | None = None) -> list[BotAsset]:
        """
        Balances of trading bots.

        Args: account_type: "spot" or "futures", or `None` for both.
        Cost: 1 token of bot-assets (10 a second per UID).
        Source: https://www.bitget.com/api-doc/common/account/Bot-Assets, read 2025-11-30.
        """
        rows: list[BotAsset] = await self._call(BOT_ASSETS, account_type=account_type)
        return rows

    # -- transfers --------------------------------------------------------------------------------------------

    async def transfer(
        self,
        from_type: str,
        to_type: str,
        coin: str,
        amount: Decimal | int | str,
        *,
        symbol: str | None = None,
        client_oid: str | None = None,
    ) -> TransferAck:
        """
        Move a coin between two of the account's own accounts. The answer is a receipt: `transfer_records` shows it.

        A `client_oid` always goes with it: a transfer with one that was used before is not made again, its answer is
        the first one's. So after OutcomeUnknown, do the same once more with the same `client_oid`: yours, or
        `error.client_oid` where it was made up here.

        Args:
            from_type, to_type: "spot", "p2p" (funding), "coin_futures", "usdt_futures", "usdc_futures",
                "crossed_margin" or "isolated_margin".
            coin, amount: what and how much, in that coin.
            symbol: of isolated margin, and needed there.
            client_oid: your name for it, 32 or fewer of [0-9A-Za-z_-]; made up unless given.

        Cancelling: safe before the signing; afterwards the transfer goes on without you.
        Cost: 1 token of transfer (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Wallet-Transfer, read 2025-11-30.
        """
        given = {"from_type": from_type, "to_type": to_type, "coin": coin, "amount": amount, "symbol": symbol}
        return await self._move(WALLET_TRANSFER, client_oid, **given)

    async def subaccount_transfer(
        self,
        from_user_id: str,
        to_user_id: str,
        from_type: str,
        to_type: str,
        coin: str,
        amount: Decimal | int | str,
        *,
        symbol: str | None = None,
        client_oid: str | None = None,
    ) -> TransferAck:
        """
        Move a coin between the main account and a sub-account, or between two of them. The answer is a receipt:
        `sub_main_trans_record` shows it. After OutcomeUnknown: as with `transfer`.

        Args:
            from_user_id, to_user_id: user ids of the two.
            from_type, to_type: kinds of account, as in `transfer`.
            coin, amount: what and how much, in that coin.
            symbol: of isolated margin, and needed there.
            client_oid: your name for it, 32 or fewer of [0-9A-Za-z_-]; made up unless given.

        Cancelling: safe before the signing; afterwards the transfer goes on without you.
        Cost: 1 token of subaccount-transfer (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Sub-Transfer, read 2025-11-30.
        """
        given = {"from_type": from_type, "to_type": to_type, "coin": coin, "amount": amount, "symbol": symbol}
        return await self._move(
            SUBACCOUNT_TRANSFER, client_oid, from_user_id=from_user_id, to_user_id=to_user_id, **given
        )

    async def _move(self, row: Endpoint, client_oid: str | None, **given: Any) -> TransferAck:
        name = self._new_client_oid() if client_oid is None else client_oid
        if not name:
            raise UsageError(f"{row.name}: client_oid must not be empty")
        try:
            ack: TransferAck = await self._call(row, client_oid=name, **given)
        except OutcomeUnknown as error:
            error.client_oid = name
            error.add_note(f"its client_oid is {name}: the same transfer with it again is made at most once")
            raise
        return ack

    async def transfer_coin_info(self, from_type: str, to_type: str) -> list[str]:
        """
        Coins that can be moved between two kinds of account (as in `transfer`).

        Cost: 1 token of transfer-coin-info (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-Transfer-Coins, read 2025-11-30.
        """
        coins: list[str] = await self._call(TRANSFER_COIN_INFO, from_type=from_type, to_type=to_type)
        return coins

    async def deposit_address(
        self, coin: str, *, chain: str | None = None, size: Decimal | int | str | None = None
    ) -> DepositAddress:
        """
        Where to send a coin to.

        Args:
            coin: which.
            chain: one of the coin's chains (`client.market.coins`); `None`: the exchange's main one.
            size: amount of the deposit; only for coins on the Lightning network.

        Cost: 1 token of deposit-address (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-Deposit-Address, read 2025-11-30.
        """
        address: DepositAddress = await self._call(DEPOSIT_ADDRESS, coin=coin, chain=chain, size=size)
        return address

    async def subaccount_deposit_address(
        self, sub_uid: str, coin: str, *, chain: str | None = None, size: Decimal | int | str | None = None
    ) -> DepositAddress:
        """
        Where to send a coin to for a sub-account.

        Args:
            sub_uid: the sub-account.
            coin, chain, size: as in `deposit_address`.

        Cost: 1 token of subaccount-deposit-address (10 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-SubAccount-Deposit-Address, read 2025-11-30.
        """
        address: DepositAddress = await self._call(
            SUBACCOUNT_DEPOSIT_ADDRESS, sub_uid=sub_uid, coin=coin, chain=chain, size=size
        )
        return address

    # -- fees and settings ------------------------------------------------------------------------------------

    async def trade_rate(self, symbol: str, *, business_type: str = "spot") -> TradeRate:
        """
        The account's own fee rates on a symbol, as fractions.

        Args:
            symbol: which.
            business_type: "spot", "mix" (futures) or "margin".

        Cost: 1 token of trade-rate (10 a second per UID).
        Source: https://www.bitget.com/api-doc/common/public/Get-Trade-Rate, read 2025-11-30.
        """
        rate: TradeRate = await self._call(TRADE_RATE, symbol=symbol, business_type=business_type)
        return rate

    async def all_trade_rate(self, symbol: str | None = None, *, business_type: str = "spot") -> list[TradeRate]:
        """
        The account's own fee rates on all symbols, or on one, as fractions.

        Args:
            symbol: one symbol, or `None` for all.
            business_type: "spot", "mix" (futures) or "margin".

        Cost: 1 token of all-trade-rate (1 a second per UID).
        Source: https://www.bitget.com/api-doc/common/public/Get-All-Trade-Rate, read 2025-11-30.
        """
        rows: list[TradeRate] = await self._call(ALL_TRADE_RATE, symbol=symbol, business_type=business_type)
        return rows

    async def deduct_info(self) -> DeductInfo:
        """
        Whether fees are paid in BGB.

        Cost: 1 token of deduct-info (5 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get-Deduct-Info, read 2025-11-30.
        """
        told: DeductInfo = await self._call(DEDUCT_INFO)
        return told

    async def switch_deduct(self, deduct: bool) -> SwitchAck:
        """
        Pay fees in BGB, or not. After OutcomeUnknown, `deduct_info` tells; doing it again does no harm.

        Cancelling: safe before the signing; afterwards it goes on without you.
        Cost: 1 token of switch-deduct (1 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Switch-Deduct, read 2025-11-30.
        """
        if not isinstance(deduct, bool):
            raise UsageError(f"switch_deduct: deduct must be True or False, not {deduct!r}")
        ack: SwitchAck = await self._call(SWITCH_DEDUCT, deduct="on" if deduct else "off")
        return ack

    async def upgrade(self, sub_uid: str | None = None) -> UpgradeStatus:
        """
        Turn an account into a unified one. EVERY private call of this client is refused afterwards
        (`AccountModeMismatch`). The answer is a receipt: `upgrade_status` tells what became of it, also after
        OutcomeUnknown.

        Args: sub_uid: a sub-account, or `None` for the key's own account.
        Cancelling: safe before the signing; afterwards it goes on without you.
        Cost: 1 token of upgrade (1 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Upgrade_Account, read 2025-11-30.
        """
        status: UpgradeStatus = await self._call(ACCOUNT_UPGRADE, sub_uid=sub_uid)
        return status

    async def upgrade_status(self, sub_uid: str | None = None) -> UpgradeStatus:
        """
        How far an upgrade is.

        Args: sub_uid: a sub-account, or `None` for the key's own account.
        Cost: 1 token of upgrade-status (1 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/account/Get_Upgrade_Status, read 2025-11-30.
        """
        status: UpgradeStatus = await self._call(UPGRADE_STATUS, sub_uid=sub_uid)
        return status
