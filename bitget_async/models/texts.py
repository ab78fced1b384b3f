"""Texts of the exchange with a closed list of known values and a place for the others."""

from __future__ import annotations

import enum
from typing import Self, cast

__all__ = [
    "AuctionStage",
    "OrderStatus",
    "OrderType",
    "PlanType",
    "Result",
    "Side",
    "SubOrderStatus",
    "Text",
    "TradeScope",
    "TransferStatus",
    "TriggerStatus",
    "TriggerType",
    "UpgradeState",
    "WalletStatus",
    "YesNo",
]


class Text(enum.StrEnum):
    """A closed list of texts with a place for the ones that we do not know: they become UNKNOWN, text kept."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = cls._value2member_map_.get(cls._spelling(value))
        if member is not None:
            return cast("Self", member)
        other = str.__new__(cls, value)
        other._name_ = "UNKNOWN"
        other._value_ = value
        return other

    @classmethod
    def _spelling(cls, value: str) -> str:
        return value.lower()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"


class Side(Text):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = ""


class OrderType(Text):
    """Type of an order."""

    LIMIT = "limit"
    MARKET = "market"
    UNKNOWN = ""


class OrderStatus(Text):
    """
    Status of an order. The exchange spells CANCELLED in two ways; both become this one.

    Only FILLED and CANCELLED are final. An UNKNOWN status is neither open nor final.
    """

    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    UNKNOWN = ""

    @classmethod
    def _spelling(cls, value: str) -> str:
        low = value.lower()
        return "cancelled" if low == "canceled" else low

    @property
    def final(self) -> bool:
        """Whether an order with this status can never change again."""
        return self is OrderStatus.FILLED or self is OrderStatus.CANCELLED

    @property
    def open(self) -> bool:
        """Whether an order with this status can still trade. Not the opposite of `final`: UNKNOWN is neither."""
        return self is OrderStatus.LIVE or self is OrderStatus.PARTIALLY_FILLED


class TriggerStatus(Text):
    """
    Status of a trigger (plan) order. A documented example shows `not_trigger` where the list says `live`.

    EXECUTED (it made a spot order), FAIL_EXECUTE and CANCELLED are final. An UNKNOWN status is neither open nor final.
    """

    LIVE = "live"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAIL_EXECUTE = "fail_execute"
    CANCELLED = "cancelled"
    UNKNOWN = ""

    @classmethod
    def _spelling(cls, value: str) -> str:
        low = value.lower()
        return {"canceled": "cancelled", "not_trigger": "live"}.get(low, low)

    @property
    def final(self) -> bool:
        """Whether a trigger order with this status can never change again."""
        return self in (TriggerStatus.EXECUTED, TriggerStatus.FAIL_EXECUTE, TriggerStatus.CANCELLED)

    @property
    def open(self) -> bool:
        """Whether it is still waiting for its price, or being executed."""
        return self is TriggerStatus.LIVE or self is TriggerStatus.EXECUTING


class PlanType(Text):
    """What the size of a trigger order is in: AMOUNT base coin, TOTAL quote coin. Answers have it in capitals too."""

    AMOUNT = "amount"
    TOTAL = "total"
    UNKNOWN = ""


class TriggerType(Text):
    """Which price a trigger order watches: that of trades, or the mark price."""

    FILL_PRICE = "fill_price"
    MARK_PRICE = "mark_price"
    UNKNOWN = ""


class SubOrderStatus(Text):
    """What became of the spot order that a trigger order was to make."""

    SUCCESS = "success"
    FAIL = "fail"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in_progress"
    IN_PROGRESS_TRACKING = "in_progress_tracking"
    UNKNOWN = ""

    @classmethod
    def _spelling(cls, value: str) -> str:
        low = value.lower()
        return "cancelled" if low == "canceled" else low


class TradeScope(Text):
    """Which side of a trade the account was on. Streams write `T` and `M`, and a documented example `marker`."""

    TAKER = "taker"
    MAKER = "maker"
    UNKNOWN = ""

    @classmethod
    def _spelling(cls, value: str) -> str:
        low = value.lower()
        return _SCOPES.get(low, low)


_SCOPES = {"t": "taker", "m": "maker", "marker": "maker"}


class Result(Text):
    """A yes or no inside an answer that succeeded. True only for SUCCESS: an unknown text is no yes."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = ""

    def __bool__(self) -> bool:
        return self is Result.SUCCESS


class YesNo(Text):
    """A yes or no that the exchange writes in words: yes, true, on, 1. True only for YES: an unknown text is no yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = ""

    @classmethod
    def _spelling(cls, value: str) -> str:
        low = value.lower()
        return {"true": "yes", "on": "yes", "1": "yes", "false": "no", "off": "no", "0": "no"}.get(low, low)

    def __bool__(self) -> bool:
        return self is YesNo.YES


class TransferStatus(Text):
    """Status of a transfer between accounts. The exchange writes them with a capital."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    PROCESSING = "processing"
    UNKNOWN = ""


class WalletStatus(Text):
    """Status of a deposit or withdrawal."""

    PENDING = "pending"
    SUCCESS = "success"
    FAIL = "fail"
    UNKNOWN = ""


class UpgradeState(Text):
    """How far the change to a unified account is."""

    PROCESS = "process"
    SUCCESS = "success"
    FAIL = "fail"
    UNKNOWN = ""


class AuctionStage(Text):
    """Stage of an opening auction, in the exchange's words: `callAuction`, `noCancelAuction`, `match`, ..."""

    CALL_AUCTION = "callauction"
    NO_CANCEL_AUCTION = "nocancelauction"
    MATCH = "match"
    CONTINUOUS_TRADE = "continuoustrade"
    UNKNOWN = ""
