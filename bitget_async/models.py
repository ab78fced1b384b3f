"""
Frozen records: what the exchange says, and what a cancellation came to.

Amounts are `Decimal`, ids are `str`, times are Unix milliseconds of the exchange's clock. A value that the
exchange spells in a way we do not know keeps its text (`OrderStatus.UNKNOWN.value`); a field that cannot be
read is `None` and its wire name stands in `unreadable`. Neither is ever proof of anything.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Self, cast

import msgspec

__all__ = [
    "AccountInfo",
    "Asset",
    "BatchAck",
    "CancellationReport",
    "Fate",
    "FeeDetail",
    "Order",
    "OrderAck",
    "OrderFailure",
    "OrderFate",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Scope",
    "Side",
    "Symbol",
]

SECONDS_BELOW = 100_000_000_000


class _Text(enum.StrEnum):
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


class Side(_Text):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = ""


class OrderType(_Text):
    """Type of an order."""

    LIMIT = "limit"
    MARKET = "market"
    UNKNOWN = ""


class OrderStatus(_Text):
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


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _wire_names(**special: str) -> Callable[[str], str]:
    return lambda name: special.get(name) or _camel(name)


def _finite(value: object) -> None:
    """Raise for NaN and infinity, which `Decimal` reads from a text like any number."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("an amount is not a number")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the exchange answers. `unreadable` lists the wire names of fields that could not be read."""

    unreadable: tuple[str, ...] = msgspec.field(default=(), name="-")


class _Amounts(Record, frozen=True, kw_only=True):
    """Base of records with amounts: all of them are numbers, or the record is not made."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            _finite(getattr(self, name))


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
            _finite(amount)


class _CoinFeeRow(msgspec.Struct, frozen=True, rename="camel"):
    fee_coin_code: str = ""
    fee_coin: str = ""
    total_fee: Decimal | None = None
    fee: Decimal | None = None

    def __post_init__(self) -> None:
        _finite(self.total_fee)
        _finite(self.fee)


class Order(Record, frozen=True, kw_only=True, gc=False, rename=_wire_names(created_ms="cTime", updated_ms="uTime")):
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

    order_id: str = ""
    symbol: str = ""
    client_oid: str = ""
    side: Side = Side.UNKNOWN
    order_type: OrderType = OrderType.UNKNOWN
    status: OrderStatus = OrderStatus.UNKNOWN
    price: Decimal | None = None
    price_avg: Decimal | None = None
    size: Decimal | None = None
    base_volume: Decimal | None = None
    quote_volume: Decimal | None = None
    created_ms: int | None = None
    updated_ms: int | None = None
    cancel_reason: str | None = None
    force: str = ""
    enter_point_source: str = ""
    order_source: str = ""
    tpsl_type: str | None = None
    trigger_price: Decimal | None = None
    preset_take_profit_price: str | None = None
    execute_take_profit_price: str | None = None
    preset_stop_loss_price: str | None = None
    execute_stop_loss_price: str | None = None
    base_coin: str = ""
    quote_coin: str = ""
    user_id: str = ""
    fee_detail: msgspec.Raw = msgspec.Raw(b"")

    def __post_init__(self) -> None:
        # Documented examples show seconds and a lower-case symbol; recordings milliseconds and upper case.
        created_ms, updated_ms = self.created_ms, self.updated_ms
        if created_ms is not None and created_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "created_ms", created_ms * 1000)
        if updated_ms is not None and updated_ms < SECONDS_BELOW:
            msgspec.structs.force_setattr(self, "updated_ms", updated_ms * 1000)
        if not self.symbol.isupper():
            msgspec.structs.force_setattr(self, "symbol", self.symbol.upper())
        # Written out: this runs a hundred times a page, and a loop costs as much as the checks.
        price, average, size, base, quote = self.price, self.price_avg, self.size, self.base_volume, self.quote_volume
        trigger = self.trigger_price
        if not (
            (price is None or price.is_finite())
            and (average is None or average.is_finite())
            and (size is None or size.is_finite())
            and (base is None or base.is_finite())
            and (quote is None or quote.is_finite())
            and (trigger is None or trigger.is_finite())
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


class BatchAck(Record, frozen=True, kw_only=True, rename=_wire_names(success="successList", failure="failureList")):
    """Receipt of a batch: the orders taken and the orders refused, each in the exchange's order."""

    success: tuple[OrderAck, ...] | None = ()
    failure: tuple[OrderFailure, ...] | None = ()


class SymbolAck(Record, frozen=True, kw_only=True):
    """Receipt of a cancel-by-symbol: the symbol echoed, nothing else."""

    symbol: str | None = None


class ServerTime(Record, frozen=True, kw_only=True, rename=_wire_names(server_ms="serverTime")):
    """The exchange's clock in Unix milliseconds."""

    server_ms: int


class Symbol(
    _Amounts,
    frozen=True,
    kw_only=True,
    rename=_wire_names(min_trade_usdt="minTradeUSDT", open_ms="openTime", off_ms="offTime"),
):
    """
    Trading rules of one symbol.

    Attributes:
        symbol, base_coin, quote_coin: exchange spelling.
        status: `online`, `halt`, `gray`, `offline`, ...
        price_precision, quantity_precision, quote_precision: decimal places.
        min_trade_usdt: least value of an order in USDT.
        maker_fee_rate, taker_fee_rate: default rates as fractions.
        buy_limit_price_ratio, sell_limit_price_ratio: how far a limit may be from the market, as fractions.
        order_quantity: most open orders on this symbol.
        open_ms, off_ms: start of trading and planned delisting, or `None`.
        max_limit_order_value, max_market_order_value: in quote coin, or `None` where not told.
    """

    symbol: str = ""
    base_coin: str = ""
    quote_coin: str = ""
    status: str = ""
    price_precision: int | None = None
    quantity_precision: int | None = None
    quote_precision: int | None = None
    min_trade_amount: Decimal | None = None
    max_trade_amount: Decimal | None = None
    min_trade_usdt: Decimal | None = None
    taker_fee_rate: Decimal | None = None
    maker_fee_rate: Decimal | None = None
    buy_limit_price_ratio: Decimal | None = None
    sell_limit_price_ratio: Decimal | None = None
    area_symbol: str = ""
    order_quantity: int | None = None
    open_ms: int | None = None
    off_ms: int | None = None
    max_limit_order_value: Decimal | None = None
    max_market_order_value: Decimal | None = None


class AccountInfo(Record, frozen=True, kw_only=True, rename=_wire_names(registered_ms="regisTime")):
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


class Asset(_Amounts, frozen=True, kw_only=True, rename=_wire_names(updated_ms="uTime")):
    """Balance of one coin: `available`, `frozen` by orders, `locked`, `limit_available`; amounts in that coin."""

    coin: str = ""
    available: Decimal | None = None
    frozen: Decimal | None = None
    locked: Decimal | None = None
    limit_available: Decimal | None = None
    updated_ms: int | None = None


class Outcome(enum.Enum):
    """What a cancellation came to. Only the first two are a yes."""

    CONFIRMED = "confirmed"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    STILL_OPEN = "still_open"
    UNKNOWN = "unknown"


class Fate(enum.Enum):
    """What is known of one order. CANCELLED and FILLED are proven by a final row; the others are not final."""

    CANCELLED = "cancelled"
    FILLED = "filled"
    OPEN = "open"
    VANISHED = "vanished"


class Scope(enum.Enum):
    """
    Whether a cancellation answers for an order.

    IN: created by the moment of signing. BOUNDARY: created within the uncertainty of the exchange's clock
    around that moment; required like IN. LATE: created after it; reported, never required, never claimed.
    """

    IN = "in"
    BOUNDARY = "boundary"
    LATE = "late"


class OrderFate(msgspec.Struct, frozen=True, kw_only=True):
    """
    One order and what became of it.

    Attributes:
        order: the last row seen. An order known by its id alone has no amounts.
        fate: see `Fate`.
        scope: see `Scope`.
        source: what told it: `history-orders`, `orderInfo`, `unfilled-orders`, or `client` (ours, not seen yet).
        server_ms: exchange time of the answer that told it, or `None`.
    """

    order: Order
    fate: Fate
    scope: Scope
    source: str
    server_ms: int | None = None


class CancellationReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a cancellation by symbol came to, order by order. Frozen, and never changed after it is given.

    Attributes:
        symbol: the symbol.
        outcome: CONFIRMED, NOTHING_TO_CANCEL, STILL_OPEN or UNKNOWN.
        reason: why UNKNOWN (`vanished`, `unreadable`, `rate_banned`, `client_closed`, `deadline`, `internal`),
            else `""`.
        orders: every order seen, in scope or late, oldest id first.
        acknowledged: whether the exchange said "taken".
        signed_at_ms: exchange time of the command's timestamp.
        acknowledged_at_ms: `requestTime` of the answer, or `None`.
        cleared_at_ms: exchange time of the first complete listing without an in-scope order, or `None`.
        settled_at_ms: exchange time of settling.
        attempts: copies of the command on the wire.
        requests: how many requests by endpoint served this handle (shared reads count for each).
        anomalies: what contradicted itself, in words, each once.
        assumptions: the assumed parameters and what the report says nothing about, by name.
    """

    symbol: str
    outcome: Outcome
    reason: str
    orders: tuple[OrderFate, ...]
    acknowledged: bool
    signed_at_ms: int
    acknowledged_at_ms: int | None
    cleared_at_ms: int | None
    settled_at_ms: int
    attempts: int
    requests: Mapping[str, int]
    anomalies: tuple[str, ...]
    assumptions: Mapping[str, str]

    def __bool__(self) -> bool:
        raise TypeError("a CancellationReport is neither yes nor no: look at .outcome")

    def _fated(self, fate: Fate) -> tuple[OrderFate, ...]:
        return tuple(each for each in self.orders if each.fate is fate and each.scope is not Scope.LATE)

    @property
    def cancelled(self) -> tuple[OrderFate, ...]:
        """In-scope orders proven cancelled, part-filled ones included (see `order.base_volume`)."""
        return self._fated(Fate.CANCELLED)

    @property
    def filled(self) -> tuple[OrderFate, ...]:
        """In-scope orders proven filled."""
        return self._fated(Fate.FILLED)

    @property
    def still_open(self) -> tuple[OrderFate, ...]:
        """In-scope orders that the last complete listing showed open."""
        return self._fated(Fate.OPEN)

    @property
    def vanished(self) -> tuple[OrderFate, ...]:
        """In-scope orders gone from the listing without a final row: they may have filled."""
        return self._fated(Fate.VANISHED)

    @property
    def late(self) -> tuple[OrderFate, ...]:
        """Orders created after the signing, whatever became of them."""
        return tuple(each for each in self.orders if each.scope is Scope.LATE)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: amounts as strings, enums by value. Holds no secrets."""
        return cast("dict[str, Any]", msgspec.to_builtins(_jsonable(self), enc_hook=_plain, str_keys=True))


def _jsonable(report: CancellationReport) -> dict[str, Any]:
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    orders = [
        {**{name: getattr(fate, name) for name in fate.__struct_fields__}, "order": _by_our_names(fate.order)}
        for fate in report.orders
    ]
    return {
        **fields,
        "orders": orders,
        "requests": dict(report.requests),
        "assumptions": dict(report.assumptions),
    }


def _by_our_names(order: Order) -> dict[str, Any]:
    """An order by our field names: on the wire the same name means different things in different listings."""
    return {name: getattr(order, name) for name in order.__struct_fields__}


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value) if bytes(value) else None
    raise NotImplementedError(type(value).__name__)


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
