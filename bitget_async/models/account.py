"""The account: who it is, what it holds, and its ledger."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names
from bitget_async.models.texts import UpgradeState, YesNo

__all__ = [
    "AccountBalance",
    "AccountInfo",
    "Asset",
    "Bill",
    "BotAsset",
    "DeductInfo",
    "FundingAsset",
    "SubAccountAssets",
    "SwitchAck",
    "TaxRecord",
    "TradeRate",
    "UpgradeStatus",
]


class AccountInfo(Amounts, frozen=True, kw_only=True, rename=wire_names(registered_ms="regisTime")):
    """
    The account behind the key.

    Attributes:
        user_id, parent_id, inviter_id: ids, `""` or `None` where the exchange sends none.
        authorities: permission letters, for example `stow` (spot trade), `stor` (spot read), `wwow` (withdraw).
        ips: the key's address list as sent: a text or a list.
        trader_type: `trader` (elite trader of copy trading) or `not_trader`.
        channel_code, channel: where the account was won.
        registered_ms: registration time.
    """

    user_id: str = ""
    inviter_id: str | None = None
    parent_id: str | None = None
    authorities: tuple[str, ...] | None = ()
    ips: str | tuple[str, ...] | None = ""
    trader_type: str = ""
    channel_code: str | None = None
    channel: str | None = None
    registered_ms: int | None = None


class Asset(Amounts, frozen=True, kw_only=True, rename=wire_names(updated_ms="uTime")):
    """
    Balance of one coin, amounts in that coin.

    Attributes:
        coin: the coin, in the exchange's spelling.
        available: free to use.
        frozen: in open orders.
        locked: held back by the exchange, in lock-ups for example.
        limit_available: restricted, for spot copy trading.
        updated_ms: exchange time of the last change.
    """

    coin: str = ""
    available: Decimal | None = None
    frozen: Decimal | None = None
    locked: Decimal | None = None
    limit_available: Decimal | None = None
    updated_ms: int | None = None


class SubAccountAssets(Record, frozen=True, kw_only=True, rename="camel"):
    """
    Balances of one sub-account. Only those that hold something are listed.

    Attributes:
        id: the listing's cursor, no account's id.
        user_id: the sub-account.
        assets_list: its balances; `None` where the exchange sent `null` or nothing.
    """

    id: str = ""
    user_id: str = ""
    assets_list: tuple[Asset, ...] | None = None


class Bill(Amounts, frozen=True, kw_only=True, rename=wire_names(created_ms="cTime")):
    """
    One line of the spot ledger, amounts in `coin`.

    Attributes:
        bill_id: digits as a string; listings are ordered by it, compare as integers.
        biz_order_id: the order or transfer behind it, where told. In no document; seen in answers.
        coin: the coin.
        group_type: `deposit`, `withdraw`, `transaction`, `transfer`, ...
        business_type: finer than that. Recorded ones (`ORDER_DEALT_IN`) are not those of the page (`BUY`).
        size: what came or went.
        balance: what there was afterwards.
        fees: fee.
        created_ms: exchange time.
    """

    bill_id: str = ""
    biz_order_id: str = ""
    coin: str = ""
    group_type: str = ""
    business_type: str = ""
    size: Decimal | None = None
    balance: Decimal | None = None
    fees: Decimal | None = None
    created_ms: int | None = None


class TaxRecord(Amounts, frozen=True, kw_only=True, rename=wire_names(time_ms="ts")):
    """
    One line of the tax ledger, amounts in `coin`.

    Attributes:
        id: digits as a string; listings are ordered by it, compare as integers.
        coin: the coin.
        spot_tax_type: `Buy`, `Sell`, `Deposit`, `Interest`, ... in the exchange's words.
        amount, fee, balance: what came or went, its fee, and what there was afterwards.
        biz_order_id: the order or transfer behind it.
        time_ms: exchange time.
    """

    id: str = ""
    coin: str = ""
    spot_tax_type: str = ""
    amount: Decimal | None = None
    fee: Decimal | None = None
    balance: Decimal | None = None
    biz_order_id: str = ""
    time_ms: int | None = None


class AccountBalance(Amounts, frozen=True, kw_only=True, rename="camel"):
    """Worth of one kind of account (`spot`, `futures`, `funding`, `earn`, `bots`, `margin`), in USDT."""

    account_type: str = ""
    usdt_balance: Decimal | None = None


class FundingAsset(Amounts, frozen=True, kw_only=True, rename="camel"):
    """Balance of one coin in the funding account: `available` and `frozen` in that coin, `usdt_value` in USDT."""

    coin: str = ""
    available: Decimal | None = None
    frozen: Decimal | None = None
    usdt_value: Decimal | None = None


class BotAsset(Amounts, frozen=True, kw_only=True, rename="camel"):
    """
    Balance of one coin in the account of trading bots: `available`, `equity` (all of it), `bonus` (trading bonuses)
    and `frozen` (in orders) in that coin, `usdt_value` in USDT.
    """

    coin: str = ""
    available: Decimal | None = None
    equity: Decimal | None = None
    bonus: Decimal | None = None
    frozen: Decimal | None = None
    usdt_value: Decimal | None = None


class TradeRate(Amounts, frozen=True, kw_only=True, rename="camel"):
    """The account's own fee rates as fractions: 0.001 is 0.1 %. `symbol` is `""` where one symbol was asked for."""

    symbol: str = ""
    maker_fee_rate: Decimal | None = None
    taker_fee_rate: Decimal | None = None


class DeductInfo(Record, frozen=True, kw_only=True):
    """Whether fees are paid in BGB: `deduct` is true only where the exchange said `on`."""

    deduct: YesNo = YesNo.UNKNOWN


class SwitchAck(Record, frozen=True, kw_only=True):
    """Receipt of a switch of the fee deduction: `done` is true only where the exchange said `true`."""

    bare = "done"

    done: YesNo = YesNo.UNKNOWN


class UpgradeStatus(Record, frozen=True, kw_only=True):
    """
    How far the change to a unified account is. After it the classic calls of this catalogue are refused (40085).

    Attributes:
        status: `process`, `success` or `fail`; an enum that keeps unknown texts.
        reason: why it failed, or `None`.
    """

    status: UpgradeState = UpgradeState.UNKNOWN
    reason: str | None = None
