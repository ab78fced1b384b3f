"""The account's own trades."""

from __future__ import annotations

from decimal import Decimal

from bitget_async.models.record import Amounts, wire_names
from bitget_async.models.texts import OrderType, Side, TradeScope, YesNo

__all__ = ["Fill", "FillFee"]


class FillFee(Amounts, frozen=True, kw_only=True, rename="camel"):
    """
    Fee of one trade.

    Attributes:
        fee_coin: the coin it was taken in.
        total_fee: the amount in that coin; negative when paid. The stream sends it without the sign.
        deduction: whether BGB paid part of it.
        total_deduction_fee: that part, or `None` where none was told.
    """

    fee_coin: str = ""
    total_fee: Decimal | None = None
    deduction: YesNo = YesNo.UNKNOWN
    total_deduction_fee: Decimal | None = None


class Fill(Amounts, frozen=True, kw_only=True, rename=wire_names(created_ms="cTime", updated_ms="uTime")):
    """
    One trade of the account.

    Attributes:
        trade_id: digits as a string; listings are ordered by it, compare as integers.
        order_id, user_id, symbol: whose and of what.
        order_type, side, trade_scope: enums that keep unknown texts.
        price_avg: price of the trade in quote coin.
        size: traded amount in base coin.
        amount: traded amount in quote coin.
        fee_detail: the fee as it came, one or several; `fees` has it as a tuple.
        created_ms, updated_ms: exchange time, or `None` if not told.
    """

    user_id: str = ""
    symbol: str = ""
    order_id: str = ""
    trade_id: str = ""
    order_type: OrderType = OrderType.UNKNOWN
    side: Side = Side.UNKNOWN
    price_avg: Decimal | None = None
    size: Decimal | None = None
    amount: Decimal | None = None
    fee_detail: FillFee | tuple[FillFee, ...] | None = None
    trade_scope: TradeScope = TradeScope.UNKNOWN
    created_ms: int | None = None
    updated_ms: int | None = None

    @property
    def fees(self) -> tuple[FillFee, ...]:
        """The fees; empty where none was told."""
        told = self.fee_detail
        return () if told is None else (told,) if isinstance(told, FillFee) else told
