"""
Orders and their past: what each one looked like at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

__all__ = ["Draft", "Fill", "Mark", "Order", "Placement"]

ZERO = Decimal(0)
OPEN = ("live", "partially_filled")


class Mark(NamedTuple):
    """
    What an order was from `time_ns` on: `filled` in base coin, `quote` in quote coin, `fee` paid in the coin received.
    """

    time_ns: int
    time_ms: int
    status: str
    filled: Decimal
    quote: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    An order somebody wants to place.

    `size` is in base coin, of a market buy in quote coin. `source` is where it came from: API, WEB, APP, SYS.
    A `tpsl` order waits for its `trigger_price` in a list of its own. `stp` says what happens when it meets an order of
    its own account: none, cancel_taker, cancel_maker, cancel_both.
    """

    symbol: str
    side: str
    order_type: str
    size: Decimal
    price: Decimal = ZERO
    force: str = "gtc"
    client_oid: str = ""
    source: str = "API"
    tpsl: bool = False
    trigger_price: Decimal | None = None
    stp: str = "none"
    extras: Mapping[str, str] = field(default_factory=dict)

    @property
    def spends_quote(self) -> bool:
        """Whether its size is an amount of quote coin: market buys only."""
        return self.order_type == "market" and self.side == "buy"


@dataclass(slots=True, eq=False)
class Order:
    """
    One order of one account. Tests read it as the truth; only the venue writes it.

    Attributes:
        number: its id as an integer, the order of ids.
        order_id: its id as the exchange spells it.
        uid: the account.
        draft: what was asked for.
        client_oid: the client's id, or the one that the exchange made.
        created_ns, created_ms: monotonic and exchange time of its creation; may lie long before the start.
        marks: its states, oldest first.
        history_from_ns: when its row appears in history-orders; meaningless before the final state.
        cancel_reason: as in the rows, empty unless cancelled.
    """

    number: int
    order_id: str
    uid: str
    draft: Draft
    client_oid: str
    created_ns: int
    created_ms: int
    marks: list[Mark]
    history_from_ns: int = 0
    cancel_reason: str = ""

    def __repr__(self) -> str:
        mark = self.marks[-1]
        return f"<Order {self.order_id} {self.draft.symbol} {mark.status} filled={mark.filled} uid={self.uid}>"

    @property
    def symbol(self) -> str:
        """The symbol in the exchange's spelling."""
        return self.draft.symbol

    @property
    def status(self) -> str:
        """What it is now: live, partially_filled, filled, cancelled."""
        return self.marks[-1].status

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.marks[-1].status in OPEN

    @property
    def filled(self) -> Decimal:
        """Filled so far, in base coin."""
        return self.marks[-1].filled

    @property
    def filled_quote(self) -> Decimal:
        """Filled so far, in quote coin."""
        return self.marks[-1].quote

    @property
    def final_ns(self) -> int | None:
        """Monotonic time of its last event, `None` while open."""
        return None if self.is_open else self.marks[-1].time_ns

    @property
    def final_ms(self) -> int | None:
        """Exchange time of its last event, `None` while open."""
        return None if self.is_open else self.marks[-1].time_ms

    @property
    def unfilled(self) -> Decimal:
        """What is left to fill, in the unit of `draft.size`."""
        mark = self.marks[-1]
        return self.draft.size - (mark.quote if self.spends_quote else mark.filled)

    @property
    def spends_quote(self) -> bool:
        """Whether its size is an amount of quote coin: market buys only."""
        return self.draft.spends_quote

    def at(self, view_ns: int) -> Mark | None:
        """What it was at that monotonic time, `None` before its creation."""
        for mark in reversed(self.marks):
            if mark.time_ns <= view_ns:
                return mark
        return None


class Placement(NamedTuple):
    """
    One order that a request has made.

    `client_oid` is the order's, as sent or as the exchange made it; `time_ns` and `time_ms` are when the order came
    into being, which by a fault may be later than the answer; `copy` is the index of the wire copy that asked for it.
    """

    uid: str
    symbol: str
    client_oid: str
    order_id: str
    time_ns: int
    time_ms: int
    copy: int


class Fill(NamedTuple):
    """
    One order's side of a trade.

    `number` is the trade id as an integer, `base` and `quote` what changed hands, `fee` is in the coin received,
    `scope` is `taker` or `maker`.
    """

    number: int
    order: Order
    base: Decimal
    quote: Decimal
    price: Decimal
    fee: Decimal
    scope: str
    time_ns: int
    time_ms: int

    @property
    def trade_id(self) -> str:
        """The trade id as the exchange spells it."""
        return str(self.number)
