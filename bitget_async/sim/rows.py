"""
How the simulated exchange writes an order, in each of its three dialects, and an account.
"""

from __future__ import annotations

from decimal import Decimal

from bitget_async.sim.accounts import Account, Key
from bitget_async.sim.fields import long, plain
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Fill, Mark, Order
from bitget_async.sim.series import Candle

__all__ = ["account_row", "asset_rows", "candle_row", "fill_row", "history_row", "order_info_row", "unfilled_row"]

SMALL = Decimal(1).scaleb(-8)


def unfilled_row(order: Order, mark: Mark) -> dict[str, object]:
    """A row of unfilled-orders. The exchange's own trap: `priceAvg` is the order's price, `basePrice` the average."""
    draft, extras = order.draft, order.draft.extras
    return {
        "userId": order.uid,
        "symbol": draft.symbol,
        "orderId": order.order_id,
        "clientOid": order.client_oid,
        "priceAvg": long(draft.price, 16),
        "size": long(draft.size, 16),
        "orderType": draft.order_type,
        "side": draft.side,
        "status": mark.status,
        "basePrice": long(_average(mark), 16) if mark.filled else "0",
        "baseVolume": long(mark.filled, 16),
        "quoteVolume": long(mark.quote, 16),
        "force": draft.force,
        "enterPointSource": draft.source,
        "orderSource": _origin(order),
        "presetTakeProfitPrice": extras.get("presetTakeProfitPrice", ""),
        "executeTakeProfitPrice": extras.get("executeTakeProfitPrice", ""),
        "presetStopLossPrice": extras.get("presetStopLossPrice", ""),
        "executeStopLossPrice": extras.get("executeStopLossPrice", ""),
        "triggerPrice": _maybe(draft.trigger_price),
        "tpslType": "tpsl" if draft.tpsl else "normal",
        "cTime": str(order.created_ms),
        "uTime": str(mark.time_ms),
    }


def history_row(order: Order, cancelled_text: str) -> dict[str, object]:
    """A row of history-orders."""
    return _told(order, order.marks[-1], cancelled_text)


def order_info_row(order: Order, mark: Mark, cancelled_text: str) -> dict[str, object]:
    """The row of orderInfo."""
    return _told(order, mark, cancelled_text)


def candle_row(candle: Candle, *volumes: Decimal) -> list[str]:
    """Time and prices of a candle as texts, then those volumes."""
    prices = [plain(price) for price in (candle.open, candle.high, candle.low, candle.close)]
    return [str(candle.open_ms), *prices, *(plain(volume.quantize(SMALL)) for volume in volumes)]


def fill_row(fill: Fill) -> dict[str, object]:
    """A row of fills; its `feeDetail` is an object, not a text."""
    order = fill.order
    symbol = SYMBOLS[order.symbol]
    return {
        "userId": order.uid,
        "symbol": order.symbol,
        "orderId": order.order_id,
        "tradeId": fill.trade_id,
        "orderType": order.draft.order_type,
        "side": order.draft.side,
        "priceAvg": plain(fill.price),
        "size": plain(fill.base),
        "amount": plain(fill.quote),
        "feeDetail": {
            "deduction": "no",
            "feeCoin": symbol.base if order.draft.side == "buy" else symbol.quote,
            "totalDeductionFee": "",
            "totalFee": plain(-fill.fee),
        },
        "tradeScope": fill.scope,
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def account_row(key: Key, registered_ms: int) -> dict[str, object]:
    """The answer of account/info."""
    account = key.account
    rights = (("stor", key.read), ("stow", key.trade), ("wtow", key.transfer))
    authorities = [name for name, granted in rights if granted]
    return {
        "userId": account.uid,
        "inviterId": None,
        "channelCode": "",
        "channel": "",
        "ips": "",
        "authorities": authorities,
        "parentId": int(account.uid if account.parent is None else account.parent.uid),
        "traderType": "not_trader",
        "regisTime": str(registered_ms),
    }


def asset_rows(account: Account, coin: str | None, *, everything: bool) -> list[dict[str, object]]:
    """The answer of account/assets: coins that the account holds, or every coin that it ever touched."""
    return [
        {
            "coin": name,
            "available": long(held.available, 16),
            "limitAvailable": "0",
            "frozen": long(held.frozen, 16),
            "locked": "0.0000000000000000",
            "uTime": str(held.updated_ms),
        }
        for name, held in account.balances.items()
        if (coin is None or coin.upper() == name) and (everything or held.available or held.frozen)
    ]


def _told(order: Order, mark: Mark, cancelled_text: str) -> dict[str, object]:
    draft = order.draft
    symbol = SYMBOLS[draft.symbol]
    cancelled = mark.status == "cancelled"
    return {
        "userId": order.uid,
        "symbol": draft.symbol,
        "orderId": order.order_id,
        "clientOid": order.client_oid,
        "price": "0" if draft.order_type == "market" else long(draft.price, 16),
        "size": long(draft.size, 16),
        "orderType": draft.order_type,
        "side": draft.side,
        "status": cancelled_text if cancelled else mark.status,
        "priceAvg": long(_average(mark), 16),
        "baseVolume": long(mark.filled, 16),
        "quoteVolume": long(mark.quote, 16),
        "enterPointSource": draft.source,
        "baseCoin": symbol.base,
        "quoteCoin": symbol.quote,
        "feeDetail": _fee_detail(order, mark),
        "orderSource": _origin(order),
        "cancelReason": order.cancel_reason if cancelled else "",
        "triggerPrice": _maybe(draft.trigger_price),
        "tpslType": "tpsl" if draft.tpsl else "normal",
        "cTime": str(order.created_ms),
        "uTime": str(mark.time_ms),
    }


def _fee_detail(order: Order, mark: Mark) -> str:
    """JSON inside a string, with numbers, negative when paid; written by hand so that no float touches them."""
    if not mark.filled:
        return ""
    symbol = SYMBOLS[order.draft.symbol]
    coin = symbol.base if order.draft.side == "buy" else symbol.quote
    paid = plain(-mark.fee)
    return (
        f'{{"newFees":{{"c":0,"d":0,"deduction":false,"r":{paid},"t":{paid},"totalDeductionFee":0}},'
        f'"{coin}":{{"deduction":false,"feeCoinCode":"{coin}","totalDeductionFee":0,"totalFee":{paid}}}}}'
    )


def _average(mark: Mark) -> Decimal:
    return mark.quote / mark.filled if mark.filled else mark.filled


def _origin(order: Order) -> str:
    return "market" if order.draft.order_type == "market" else "normal"


def _maybe(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
