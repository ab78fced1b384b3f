"""
Who trades with whom at what price: the matching engine.

Beside the orders of the accounts stands the market, which trades at the last price in any amount. A setting takes it
away; then only orders trade with each other, and the last price is that of the last trade.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Protocol

from bitget_async.sim.book import Book
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import ZERO, Order
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.timeline import Timeline

__all__ = ["Floor", "Matching"]


class Floor(Protocol):
    """Where trades and cancellations take effect."""

    timeline: Timeline

    def last(self, symbol: str) -> Decimal:
        """The last price."""

    def trade(self, taker: Order, maker: Order, base: Decimal, price: Decimal, now_ns: int) -> None:
        """Two orders trade."""

    def fill(self, order: Order, now_ns: int, amount: Decimal, price: Decimal, scope: str) -> None:
        """An order trades an amount of base coin with the market."""

    def complete(self, order: Order, now_ns: int) -> None:
        """A market buy has spent what it can."""

    def cancel(self, order: Order, now_ns: int, reason: str = "normal_cancel") -> bool:
        """An order ends."""


class Matching:
    """
    Price first, then time.

    Args:
        floor: the venue.
        settings: `standing_market`, `engine_delay_s`.
        dice: where delays are drawn.
    """

    def __init__(self, floor: Floor, settings: Settings, dice: Dice) -> None:
        self._floor = floor
        self._settings = settings
        self._dice = dice
        self._books: dict[str, Book] = {}

    def book(self, symbol: str) -> Book:
        """The book of a symbol, made on first use."""
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = Book()
        return book

    def take(self, order: Order, now_ns: int) -> None:
        """
        Let a new order trade. What is left of it rests; or, for a market order and by its `force`, dies.

        Being taken is not being matched: an order that the engine does not want is live for a moment.
        """
        draft = order.draft
        limit = draft.order_type == "limit"
        if limit and draft.force == "post_only" and self._offer(order) is not None:
            self._die_soon(order, now_ns)
            return
        if limit and draft.force == "fok" and not self._whole(order):
            self._die_soon(order, now_ns)
            return
        self._walk(order, now_ns)
        if not order.is_open:
            return
        if limit and draft.force in ("gtc", "post_only"):
            self.book(draft.symbol).add(order)
        else:
            self._die_soon(order, now_ns)

    def follow(self, symbol: str, now_ns: int) -> None:
        """Fill what the last price has reached, each order at its own price."""
        book, last = self.book(symbol), self._floor.last(symbol)
        while (order := book.best("buy")) is not None and order.draft.price >= last:
            self._floor.fill(order, now_ns, order.unfilled, order.draft.price, "maker")
        while (order := book.best("sell")) is not None and order.draft.price <= last:
            self._floor.fill(order, now_ns, order.unfilled, order.draft.price, "maker")

    def _walk(self, order: Order, now_ns: int) -> None:
        while order.is_open and (offer := self._offer(order)) is not None:
            price, maker = offer
            if maker is not None and maker.uid == order.uid and order.draft.stp != "none":
                self._prevent(order, maker, now_ns)
                continue
            base = _amount(order, price)
            if not base:
                if order.filled:
                    self._floor.complete(order, now_ns)
                return
            if maker is None:
                self._floor.fill(order, now_ns, base, price, "taker")
            else:
                self._floor.trade(order, maker, min(base, maker.unfilled), price, now_ns)

    def _offer(self, order: Order) -> tuple[Decimal, Order | None] | None:
        """The best price that the order accepts, and whose it is; `None` for the market."""
        draft = order.draft
        buys = draft.side == "buy"
        maker = self.book(draft.symbol).best("sell" if buys else "buy")
        price = None if maker is None else maker.draft.price
        if self._settings.standing_market:
            last = self._floor.last(draft.symbol)
            if price is None or (last < price if buys else last > price):
                price, maker = last, None
        if price is None or (draft.order_type == "limit" and (price > draft.price if buys else price < draft.price)):
            return None
        return price, maker

    def _whole(self, order: Order) -> bool:
        """Whether all of it could trade now."""
        draft = order.draft
        buys = draft.side == "buy"
        if self._settings.standing_market:
            last = self._floor.last(draft.symbol)
            if last <= draft.price if buys else last >= draft.price:
                return True
        left = order.unfilled
        for maker in self.book(draft.symbol).open_orders("sell" if buys else "buy"):
            if maker.draft.price > draft.price if buys else maker.draft.price < draft.price:
                continue
            if maker.uid == order.uid and draft.stp != "none":
                if draft.stp != "cancel_maker":
                    return False
                continue
            left -= maker.unfilled
        return left <= 0

    def _prevent(self, order: Order, maker: Order, now_ns: int) -> None:
        """Self-trade prevention: the taker's mode decides."""
        stp = order.draft.stp
        if stp in ("cancel_maker", "cancel_both"):
            self._floor.cancel(maker, now_ns, "stp_cancel")
        if stp in ("cancel_taker", "cancel_both"):
            self._floor.cancel(order, now_ns, "stp_cancel")

    def _die_soon(self, order: Order, now_ns: int) -> None:
        delay_ns = draw_ns(self._settings.engine_delay_s, self._dice.engine)
        if delay_ns == 0:
            self._floor.cancel(order, now_ns)
        else:
            self._floor.timeline.at(now_ns + delay_ns, lambda due_ns: _ignore(self._floor.cancel(order, due_ns)))


def _amount(order: Order, price: Decimal) -> Decimal:
    """How much base coin the order still wants; a market buy takes whole lots for its money, maybe none."""
    if not order.spends_quote:
        return order.unfilled
    lot = Decimal(1).scaleb(-SYMBOLS[order.symbol].size_digits)
    lots = (order.unfilled / price).quantize(lot, ROUND_DOWN)
    return lots if lots > 0 else ZERO


def _ignore(was_open: bool) -> None:
    """The timeline wants nothing back."""
