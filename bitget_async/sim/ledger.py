"""
Money: what an order freezes, what a trade moves, who holds what. Nothing is made and nothing gets lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Draft, Fill, Order

__all__ = ["Ledger", "cost", "trim"]

FEE = Decimal("0.001")
SMALLEST = Decimal(1).scaleb(-16)
FIRST_TRADE = 1_308_742_900_000_000_000
STEP = 4_194_304


class Ledger:
    """
    The accounts, the market that trades with them, the fees, and every fill.

    Attributes:
        accounts: user id -> account.
        market: the counter account of all trades with the market; starts with nothing, may owe.
        fees: coin -> what the exchange has earned.
        fills: one for each side of each trade, oldest first; a trade with the market has one side.
        hooks: called with each fill that has moved money.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.market = Account("0", balances={})
        self.fees: dict[str, Decimal] = defaultdict(Decimal)
        self.fills: list[Fill] = []
        self.hooks: list[Callable[[Fill], None]] = []
        self._fills_of: dict[str, list[Fill]] = defaultdict(list)
        self._next = FIRST_TRADE

    def fills_of(self, uid: str) -> list[Fill]:
        """The fills of an account, oldest first."""
        return self._fills_of[uid]

    def book(
        self, order: Order, base: Decimal, quote: Decimal, price: Decimal, scope: str, now_ns: int, now_ms: int
    ) -> Fill:
        """One order's side of a trade: its money moves, and the fill is written down."""
        account, draft = self.accounts[order.uid], order.draft
        symbol = SYMBOLS[draft.symbol]
        if draft.side == "sell":
            coin, fee = symbol.quote, trim(quote * FEE)
            account.pay(symbol.base, base, now_ms)
            account.receive(coin, quote - fee, now_ms)
        else:
            coin, fee = symbol.base, trim(base * FEE)
            # A buy froze its own price: what a better one leaves over goes back.
            frozen = quote if order.spends_quote else base * draft.price
            account.pay(symbol.quote, frozen, now_ms)
            if frozen != quote:
                account.receive(symbol.quote, frozen - quote, now_ms)
            account.receive(coin, base - fee, now_ms)
        self.fees[coin] += fee
        fill = self.note(order, base, quote, price, fee, scope, now_ns, now_ms)
        for hook in self.hooks:
            hook(fill)
        return fill

    def against_market(self, order: Order, base: Decimal, quote: Decimal, now_ms: int) -> None:
        """The market's side of a trade."""
        symbol = SYMBOLS[order.symbol]
        sign = 1 if order.draft.side == "buy" else -1
        self.market.receive(symbol.base, -sign * base, now_ms)
        self.market.receive(symbol.quote, sign * quote, now_ms)

    def note(
        self,
        order: Order,
        base: Decimal,
        quote: Decimal,
        price: Decimal,
        fee: Decimal,
        scope: str,
        time_ns: int,
        time_ms: int,
    ) -> Fill:
        """Write a fill down; moves nothing."""
        self._next += STEP
        fill = Fill(self._next, order, base, quote, price, fee, scope, time_ns, time_ms)
        self.fills.append(fill)
        self._fills_of[order.uid].append(fill)
        return fill

    def forget_before(self, time_ns: int) -> None:
        """Drop fills that happened before that monotonic time."""
        self.fills = [fill for fill in self.fills if fill.time_ns >= time_ns]
        for uid, fills in self._fills_of.items():
            self._fills_of[uid] = [fill for fill in fills if fill.time_ns >= time_ns]


def trim(amount: Decimal) -> Decimal:
    """Rows show sixteen decimals, so no amount has more."""
    return amount.quantize(SMALLEST, ROUND_DOWN)


def cost(draft: Draft, size: Decimal | None = None) -> tuple[str, Decimal]:
    """What an order freezes: coin and amount."""
    symbol = SYMBOLS[draft.symbol]
    amount = draft.size if size is None else size
    if draft.side == "sell":
        return symbol.base, amount
    return symbol.quote, amount if draft.order_type == "market" else amount * draft.price
