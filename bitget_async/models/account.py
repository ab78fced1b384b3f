"""The account: who it is and what it holds."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, Record, wire_names

__all__ = ["AccountInfo", "Asset"]


class AccountInfo(Record, frozen=True, kw_only=True, rename=wire_names(registered_ms="regisTime")):
    """
    The account behind the key.

    Attributes:
        user_id, parent_id, inviter_id: ids, `""` or `None` where the exchange sends none.
        authorities: permission letters, for example `stow` (spot trade), `stor` (spot read), `wwow` (withdraw).
        ips: the key's address list as sent: a text or a list.
        trader_type: `trader` (elite trader of copy trading) or `not_trader`.
        registered_ms: registration time.
    """

    user_id: str = ""
    inviter_id: str | None = None
    parent_id: int | str | None = None
    authorities: tuple[str, ...] | None = ()
    ips: str | tuple[str, ...] | None = ""
    trader_type: str = ""
    channel_code: str | None = None
    channel: str | None = None
    registered_ms: int | None = None


class Asset(Amounts, frozen=True, kw_only=True, rename=wire_names(updated_ms="uTime")):
    """Balance of one coin: `available`, `frozen` by orders, `locked`, `limit_available`; amounts in that coin."""

    coin: str = ""
    available: Decimal | None = None
    frozen: Decimal | None = None
    locked: Decimal | None = None
    limit_available: Decimal | None = None
    updated_ms: int | None = None
