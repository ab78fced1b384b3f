"""Orders, their fees, and the receipts of commands on them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from bitget_async.models.record import LEAST_DIGITS, MOST_DIGITS, SECONDS_BELOW, Record, finite, wire_names
from bitget_async.models.texts import OrderStatus, OrderType, Result, Side

__all__ = [
    "BatchAck",
    "CoinFee",
    "FeeDetail",
    "OpenOrder",
    "Order",
    "OrderAck",
    "OrderFailure",
    "ReplaceAck",
    "SymbolAck",
]


class CoinFee(msgspec.Struct, frozen=True):
    """Fee in one coin. `amount` is negative when paid."""

    coin: str
    amount: Decimal


class FeeDetail(msgspec.Struct, frozen=True):
    """
    Fees of an order.

    Attributes:
        by_coin: one entry a fee coin.
        total: the exchange's `newFees.t`: the total, negative when paid; `None` if it did not send one.
        coupon: part paid by coupon (`newFees.c`), or `None`.
        bgb: part paid in BGB (`newFees.d`), or `None`.
        rest: part taken from the received coin (`newFees.r`), or `None`.
    """

    by_coin: tuple[CoinFee, ...] = ()
    total: Decimal | None = None
    coupon: Decimal | None = None
    bgb: Decimal | None = None
    rest: Decimal | None = None


class _NewFees(msgspec.Struct, frozen=True):
    t: Decimal | None = None
    c: Decimal | None = None
    d: Decimal | None = None
    r: Decimal | None = None

    def __post_init__(self) -> None:
        for amount in (self.t, self.c, self.d, self.r):
            finite(amount)


class _CoinFeeRow(msgspec.Struct, frozen=True, rename="camel"):
    fee_coin_code: str = ""
    fee_coin: str = ""
    total_fee: Decimal | None = None
    fee: Decimal | None = None

    def __post_init__(self) -> None:
        finite(self.total_fee)
        finite(self.fee)


class Order(Record, frozen=True, kw_only=True, gc=False, rename=wire_names(created_ms="cTime", updated_ms="uTime")):
    """
    One order as the exchange last told it.

    Attributes:
        symbol: exchange spelling, upper case.
        order_id: decimal digits as a string; compare as integers.
        client_oid: the caller's id, or the one that the exchange made up.
        side, order_type, status: enums that keep unknown texts.
        price: limit price in quote coin; 0 or `None` for a market order.
        price_avg: average fill price, `None` or 0 before any fill.
        size: ordered amount in base coin; in QUOTE coin for a market buy.
        base_volume, quote_volume: filled amounts.
        created_ms, updated_ms: exchange time of creation and of the last change, or `None` if not told.
        cancel_reason: `""`, `normal_cancel`, `stp_cancel`, ...
        force: `gtc`, `post_only`, `fok`, `ioc`, or `""` where the exchange does not tell.
        enter_point_source: `API`, `WEB`, `APP`, ...: where the order came from.
        tpsl_type: `normal` or `tpsl`; `""` where not told.
        fee_detail: the fee field as it came, raw JSON: a text, an object or a list; `fees` reads it.
    """

    # In the order in which the exchange writes them: the decoder looks for the next field first.
    user_id: str = ""
    symbol: str = ""
    order_id: str = ""
    client_oid: str = ""
    price: Decimal | None = None
    size: Decimal | None = None
    order_type: OrderType = OrderType.UNKNOWN
    side: Side = Side.UNKNOWN
    status: OrderStatus = OrderStatus.UNKNOWN
    price_avg: Decimal | None = None
    base_volume: Decimal | None = None
    quote_volume: Decimal | None = None
    enter_point_source: str = ""
    fee_detail: msgspec.Raw = msgspec.Raw(b"")
    order_source: str = ""
    cancel_reason: str | None = None
    created_ms: int | None = None
    updated_ms: int | None = None
    force: str = ""
    tpsl_type: str | None = None
    trigger_price: Decimal | None = None
    preset_take_profit_price: str | None = None
    execute_take_profit_price: str | None = None
    preset_stop_loss_price: str | None = None
    execute_stop_loss_price: str | None = None
    base_coin: str = ""
    quote_coin: str = ""

    def __post_init__(self) -> None:
        # Documented examples show seconds and a lower-case symbol; recordings milliseconds and upper case.
        created_ms, updated_ms = self.created_ms, self.updated_ms
        if created_ms is not None and created_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "created_ms", created_ms * 1000)
        if updated_ms is not None and updated_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "updated_ms", updated_ms * 1000)
        if not self.symbol.isupper():
            msgspec.structs.force_setattr(self, "symbol", self.symbol.upper())
        # Like `finite`, without its call and without a loop: this runs a hundred times a page.
        if not (
            ((it := self.price) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.size) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.price_avg) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.base_volume) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and ((it := self.quote_volume) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS))
            and (
                (it := self.trigger_price) is None or (it.is_finite() and LEAST_DIGITS <= it.adjusted() <= MOST_DIGITS)
            )
        ):
            raise ValueError("an amount is not a number")

    @property
    def fees(self) -> FeeDetail | None:
        """The fees, or `None` where nothing was charged yet or the field cannot be read."""
        return _read_fees(self.fee_detail)


class OpenOrder(Order, frozen=True, kw_only=True, gc=False):
    """An `Order` as the open listing writes it: there `priceAvg` is the order price and `basePrice` the average."""

    price: Decimal | None = msgspec.field(default=None, name="priceAvg")
    price_avg: Decimal | None = msgspec.field(default=None, name="basePrice")


class OrderAck(Record, frozen=True, kw_only=True, rename="camel"):
    """Receipt of a command on one order: taken, not done."""

    order_id: str = ""
    client_oid: str | None = None


class OrderFailure(Record, frozen=True, kw_only=True, rename="camel"):
    """One order of a batch that the exchange did not take."""

    order_id: str | None = None
    client_oid: str | None = None
    error_code: str = ""
    error_msg: str = ""


class BatchAck(Record, frozen=True, kw_only=True, rename=wire_names(success="successList", failure="failureList")):
    """Receipt of a batch: the orders taken and the orders refused, each in the exchange's order."""

    success: tuple[OrderAck, ...] | None = ()
    failure: tuple[OrderFailure, ...] | None = ()


class ReplaceAck(Record, frozen=True, kw_only=True, rename="camel"):
    """
    Receipt of a cancel-and-replace. Not atomic: the old order can be cancelled and the new one refused.

    Attributes:
        order_id: the NEW order's id after a success; recorded failures echo the OLD one.
        client_oid: name of the new order, or `None`.
        success: true only where the exchange said `success`. A failure comes with code 00000 all the same.
        msg: the exchange's reason in its own words, or `None`. Never branch on it.
    """

    order_id: str = ""
    client_oid: str | None = None
    success: Result = Result.UNKNOWN
    msg: str | None = None


class SymbolAck(Record, frozen=True, kw_only=True):
    """Receipt of a cancel-by-symbol: the symbol echoed, nothing else."""

    symbol: str | None = None


def _read_fees(raw: msgspec.Raw) -> FeeDetail | None:
    """Fees from JSON text, an object, or a list of objects; `None` for anything else."""
    try:
        value = bytes(raw)
        if value[:1] == b'"':
            value = msgspec.json.decode(value, type=str).encode()
        if value[:1] == b"[":
            listed = msgspec.json.decode(value, type=list[_CoinFeeRow])
            return FeeDetail(by_coin=_coin_fees(listed)) if listed else None
        if value[:1] != b"{":
            return None
        fields = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        new = msgspec.json.decode(fields.pop("newFees"), type=_NewFees) if "newFees" in fields else _NewFees()
        rows = [msgspec.json.decode(each, type=_CoinFeeRow) for each in fields.values()]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return FeeDetail(by_coin=_coin_fees(rows), total=new.t, coupon=new.c, bgb=new.d, rest=new.r)


def _coin_fees(rows: list[_CoinFeeRow]) -> tuple[CoinFee, ...]:
    amounts = [(row.fee_coin_code or row.fee_coin, row.fee if row.total_fee is None else row.total_fee) for row in rows]
    return tuple(CoinFee(coin, amount) for coin, amount in amounts if amount is not None)
