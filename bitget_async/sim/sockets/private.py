"""
The private channels: orders, fills, balances, trigger orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bitget_async.sim.fields import plain
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Fill, Mark, Order
from bitget_async.sim.sockets.topics import Channel, Factory, NoTopic, Push, Stage
from bitget_async.sim.triggers import TriggerOrder

__all__ = ["PRIVATE", "private_channel"]

ALL = "default"


class OrdersChannel:
    """`orders`: nothing at first, then every order that changes. Every push says `snapshot`."""

    def __init__(self, stage: Stage) -> None:
        _check_instrument(stage)
        self._stage = stage

    def first(self, now_ns: int) -> Iterable[Push]:
        """Nothing: the channel never tells what is open."""
        return ()

    def start(self, now_ns: int) -> None:
        """Follow the orders."""
        self._stage.venue.order_hooks.append(self._changed)

    def stop(self) -> None:
        """Follow them no more."""
        self._stage.venue.order_hooks.remove(self._changed)

    def _changed(self, order: Order, fill: Fill | None) -> None:
        # Orders with a take-profit or stop-loss price live in a list of their own; that they have no pushes is a guess.
        if not _wanted(self._stage, order.uid, order.symbol) or order.draft.tpsl:
            return
        mark = order.marks[-1]
        cancelled_text = self._stage.settings.cancelled_text
        if fill is not None and order.spends_quote and mark.status == "filled":
            # Recorded: a market buy is partially filled by its last trade, and filled by a push without a trade.
            self._tell(order_row(order, mark._replace(status="partially_filled"), fill, cancelled_text))
            fill = None
        self._tell(order_row(order, mark, fill, cancelled_text))

    def _tell(self, row: dict[str, object]) -> None:
        self._stage.publish(Push("snapshot", [row]))


class FillChannel:
    """`fill`: nothing at first, then every fill."""

    def __init__(self, stage: Stage) -> None:
        _check_instrument(stage)
        self._stage = stage

    def first(self, now_ns: int) -> Iterable[Push]:
        """Nothing."""
        return ()

    def start(self, now_ns: int) -> None:
        """Follow the fills."""
        self._stage.venue.ledger.hooks.append(self._filled)

    def stop(self) -> None:
        """Follow them no more."""
        self._stage.venue.ledger.hooks.remove(self._filled)

    def _filled(self, fill: Fill) -> None:
        if _wanted(self._stage, fill.order.uid, fill.order.symbol):
            self._stage.publish(Push("snapshot", [fill_row(fill)]))


class AccountChannel:
    """`account`: every coin at first, then those that a fill, a transfer, a deposit or a withdrawal has changed."""

    def __init__(self, stage: Stage) -> None:
        if stage.topic.name != ALL:
            raise NoTopic
        self._stage = stage
        self._changed: dict[str, None] = {}

    def first(self, now_ns: int) -> Iterable[Push]:
        """Every coin that the account ever touched."""
        return [self._push(self._stage.venue.accounts[self._stage.uid].balances)]

    def start(self, now_ns: int) -> None:
        """Follow the balances."""
        self._stage.funds.hooks.append(self._moved)

    def stop(self) -> None:
        """Follow them no more."""
        self._stage.funds.hooks.remove(self._moved)

    def _moved(self, uid: str, coin: str) -> None:
        if uid != self._stage.uid:
            return
        if not self._changed:
            # Both coins of a trade, and all trades of one order, make one push.
            self._stage.at(self._stage.venue.timeline.now_ns, self._tell)
        self._changed[coin] = None

    def _tell(self, now_ns: int) -> None:
        coins, self._changed = self._changed, {}
        self._stage.publish(self._push(coins))

    def _push(self, coins: Iterable[str]) -> Push:
        account = self._stage.venue.accounts[self._stage.uid]
        held = [(coin, account.balance(coin)) for coin in coins]
        return Push(
            "snapshot",
            [
                {
                    "coin": coin,
                    "available": plain(balance.available),
                    "frozen": plain(balance.frozen),
                    "locked": "0",
                    "limitAvailable": "0",
                    "uTime": str(balance.updated_ms),
                }
                for coin, balance in held
            ],
        )


class TriggersChannel:
    """`orders-algo`: nothing at first, then every trigger order that changes."""

    def __init__(self, stage: Stage) -> None:
        _check_instrument(stage)
        self._stage = stage

    def first(self, now_ns: int) -> Iterable[Push]:
        """Nothing."""
        return ()

    def start(self, now_ns: int) -> None:
        """Follow the trigger orders."""
        self._stage.triggers.hooks.append(self._changed)

    def stop(self) -> None:
        """Follow them no more."""
        self._stage.triggers.hooks.remove(self._changed)

    def _changed(self, order: TriggerOrder) -> None:
        if _wanted(self._stage, order.uid, order.plan.symbol):
            self._stage.publish(Push("snapshot", [trigger_row(order, self._stage.settings.cancelled_text)]))


def order_row(order: Order, mark: Mark, fill: Fill | None, cancelled_text: str) -> dict[str, object]:
    """A row of `orders`; the fields of a fill are there only when one made the push."""
    draft = order.draft
    symbol = SYMBOLS[draft.symbol]
    row: dict[str, object] = {"instId": draft.symbol, "orderId": order.order_id, "clientOid": order.client_oid}
    if draft.order_type == "limit":
        row["price"] = plain(draft.price)
    # The old rule: a buy's size is what it may spend, also where it has a price; newSize is what was asked for.
    value = plain(draft.size * draft.price) if draft.order_type == "limit" else plain(draft.size)
    row |= {
        "size": value if draft.side == "buy" else plain(draft.size),
        "newSize": plain(draft.size),
        "notional": value,
        "orderType": draft.order_type,
        "force": draft.force,
        "side": draft.side,
    }
    if fill is not None:
        coin, fee = _fee(order, fill.fee)
        row |= {
            "fillPrice": plain(fill.price),
            "tradeId": fill.trade_id,
            "baseVolume": plain(fill.base),
            "fillTime": str(fill.time_ms),
            "fillFee": fee,
            "fillFeeCoin": coin,
            "tradeScope": "T" if fill.scope == "taker" else "M",
        }
    # Where nothing is filled the zeros have as many decimals as the symbol's prices and amounts.
    filled, average = "0." + symbol.size_digits * "0", "0." + symbol.price_digits * "0"
    if mark.filled:
        filled, average = plain(mark.filled), plain(mark.quote / mark.filled)
    coin, fee = _fee(order, mark.fee)
    return row | {
        "accBaseVolume": filled,
        "priceAvg": average,
        "status": cancelled_text if mark.status == "cancelled" else mark.status,
        "cTime": str(order.created_ms),
        "uTime": str(mark.time_ms),
        "feeDetail": [{"feeCoin": coin, "fee": fee}] if mark.filled else [],
        "enterPointSource": draft.source,
        "stpMode": draft.stp,
    }


def fill_row(fill: Fill) -> dict[str, object]:
    """A row of `fill`: its `feeDetail` is a list with a positive fee, where REST has an object with a negative one."""
    order = fill.order
    coin, _ = _fee(order, fill.fee)
    return {
        "orderId": order.order_id,
        "tradeId": fill.trade_id,
        "symbol": order.symbol,
        "orderType": order.draft.order_type,
        "side": order.draft.side,
        "priceAvg": plain(fill.price),
        "size": plain(fill.base),
        "amount": plain(fill.quote),
        "tradeScope": fill.scope,
        "feeDetail": [{"feeCoin": coin, "deduction": "no", "totalDeductionFee": "0", "totalFee": plain(fill.fee)}],
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def trigger_row(order: TriggerOrder, cancelled_text: str) -> dict[str, object]:
    """A row of `orders-algo`: `price` is the trigger price, the limit price stands in `executePrice`."""
    mark = order.marks[-1]
    plan = mark.plan
    born = order.born
    return {
        "instId": plan.symbol,
        "orderId": order.order_id,
        "clientOid": order.client_oid,
        "triggerPrice": plain(plan.trigger_price),
        "triggerType": plan.trigger_type,
        "planType": plan.plan_type,
        "price": plain(plan.trigger_price),
        "size": plain(plan.size),
        "actualSize": "0" if born is None else plain(born.draft.size),
        "orderType": plan.order_type,
        "side": plan.side,
        "status": cancelled_text if mark.status == "cancelled" else mark.status,
        "executePrice": "" if plan.execute_price is None else plain(plan.execute_price),
        "enterPointSource": plan.source,
        "cTime": str(order.created_ms),
        "uTime": str(mark.time_ms),
        "stpMode": "none",
    }


def _fee(order: Order, paid: Decimal) -> tuple[str, str]:
    """Coin and amount, negative when paid."""
    symbol = SYMBOLS[order.symbol]
    return (symbol.base if order.draft.side == "buy" else symbol.quote), plain(-paid)


def _check_instrument(stage: Stage) -> None:
    if stage.topic.field != "instId" or (stage.topic.name != ALL and stage.topic.name not in SYMBOLS):
        raise NoTopic


def _wanted(stage: Stage, uid: str, symbol: str) -> bool:
    return uid == stage.uid and stage.topic.name in (ALL, symbol)


PRIVATE: dict[str, Factory] = {
    "orders": OrdersChannel,
    "fill": FillChannel,
    "account": AccountChannel,
    "orders-algo": TriggersChannel,
}
"""Channel name -> what makes it, for those who have logged in."""


def private_channel(stage: Stage) -> Channel:
    """Make the channel of a topic. Raises `NoTopic`."""
    factory = PRIVATE.get(stage.topic.channel)
    if factory is None:
        raise NoTopic
    return factory(stage)
