"""A stop of everything: the plan before it, the progress during it, the report after it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec

from bitget_async.models.reports import Fate, Fates, OrderFate, Outcome, _plain

__all__ = ["StopCommand", "StopPlan", "StopProgress", "StopReport", "StopSymbol"]


class StopCommand(msgspec.Struct, frozen=True, kw_only=True):
    """
    One command of a plan.

    Attributes:
        endpoint: the exchange's name of the call.
        leaves_s: when it leaves by the plan, in seconds from the plan's making.
        symbols: the symbols that it touches, in alphabetical order; one for a command that takes a whole symbol.
        order_ids: the orders that it names; empty where it takes a whole symbol.
        orders: how many known orders it is to end.
        exposure: price times what is left of the size, of all of them, in quote coin; `None` if one's is not known.
        book: "normal", "tpsl" or "trigger".
    """

    endpoint: str
    leaves_s: float
    symbols: tuple[str, ...]
    order_ids: tuple[str, ...] = ()
    orders: int = 0
    exposure: Decimal | None = None
    book: str = "normal"


class StopPlan(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which command goes when. Each endpoint's commands stand in the order in which they leave.

    Attributes:
        commands: all commands, by their time.
        last_leaves_s: when the last one leaves, in seconds: no plan that keeps the quotas ends earlier.
        orders: known orders to end.
        kept: known orders that are left alone.
        resting: ids that were cancelled less than a second ago: not in this plan, for the exchange refuses them.
    """

    commands: tuple[StopCommand, ...]
    last_leaves_s: float
    orders: int
    kept: int = 0
    resting: tuple[str, ...] = ()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints that it uses, in alphabetical order."""
        return tuple(sorted({each.endpoint for each in self.commands}))

    def of(self, endpoint: str) -> tuple[StopCommand, ...]:
        """The commands of one endpoint."""
        return tuple(each for each in self.commands if each.endpoint == endpoint)

    def __str__(self) -> str:
        lines = [
            f"{self.orders} orders, {len(self.commands)} commands, the last leaves after {self.last_leaves_s:.2f} s"
        ]
        for endpoint in self.endpoints:
            mine = self.of(endpoint)
            ended = sum(each.orders for each in mine)
            lines.append(f"  {endpoint}: {len(mine)} for {ended} orders, until {mine[-1].leaves_s:.2f} s")
        if self.kept:
            lines.append(f"  kept: {self.kept}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON values: amounts as strings."""
        return cast("dict[str, Any]", _plain(self))


class StopProgress(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a stop is.

    Attributes:
        phase: "sending", "checking" (listings until none is left), "proving" (final rows) or "settled".
        commands: commands planned so far; `answered`: those of them that are through, taken or not.
        orders: orders known so far; `ended`: those of them with a final row.
        left: orders in scope that the last listing after the commands showed open; `None` before it.
        eta_s: seconds from now until the last planned command leaves; 0 after it.
    """

    phase: str
    commands: int
    answered: int
    orders: int
    ended: int
    left: int | None
    eta_s: float


class StopSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a stop came to on one symbol.

    Attributes:
        symbol: the symbol.
        outcome: as in `StopReport`, for this symbol alone.
        orders: every order of it that was seen, oldest id first, late ones too.
        kept: ids that were left alone.
    """

    symbol: str
    outcome: Outcome
    orders: tuple[OrderFate, ...] = ()
    kept: tuple[str, ...] = ()


class StopReport(Fates, msgspec.Struct, frozen=True, kw_only=True):
    """
    What a stop came to. Frozen, and never changed after it is given.

    Attributes:
        outcome: CONFIRMED: every order in scope has its final row, and a complete listing that cannot be older than
            `covers_ms` shows none open. NOTHING_TO_CANCEL: the listing shows none, and none was ever found.
            STILL_OPEN: an order in scope is open although no command can act on it any more. UNKNOWN: none of these.
        reason: why UNKNOWN: `vanished`, `unreadable`, `deadline`, `client_closed` or `internal`; else `""`.
        symbols: one entry a symbol, by its name.
        covers_ms: exchange time: orders in scope created by then are what the outcome speaks of; with `late="report"`
            the call, with `late="sweep"` the moment before the last listing that the listing cannot be older than.
        began_at_ms: exchange time of the call.
        clear_at_ms: exchange time of the first complete listing after the commands that shows none in scope, or `None`.
        settled_at_ms: exchange time of settling.
        plan: the plan as it was when all open orders were known.
        attempts: commands on the wire.
        requests: requests by the exchange's name of the call; reads of single commands are shared, and count for each.
        anomalies: what contradicted itself or failed, in words, each once.
        late: ids of orders created after `covers_ms` that were seen.
        assumptions: the assumed parameters and what the report says nothing about, by name.
    """

    outcome: Outcome
    reason: str
    symbols: tuple[StopSymbol, ...]
    covers_ms: int
    began_at_ms: int
    clear_at_ms: int | None
    settled_at_ms: int
    plan: StopPlan
    attempts: int
    requests: Mapping[str, int]
    anomalies: tuple[str, ...]
    late: tuple[str, ...]
    assumptions: Mapping[str, str]

    def __bool__(self) -> bool:
        raise TypeError("a StopReport is neither yes nor no: look at .outcome")

    @property
    def proven(self) -> bool:
        """Whether the outcome is a yes: CONFIRMED or NOTHING_TO_CANCEL."""
        return self.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)

    @property
    def symbol(self) -> str:
        """The symbols, joined by commas."""
        return ",".join(each.symbol for each in self.symbols)

    @property
    def orders(self) -> tuple[OrderFate, ...]:
        """Every order that was seen and was not to be kept, by symbol."""
        return tuple(order for each in self.symbols for order in each.orders)

    def _fated(self, fate: Fate) -> tuple[OrderFate, ...]:
        beside = set(self.late)
        return tuple(each for each in self.orders if each.fate is fate and each.order.order_id not in beside)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: amounts as strings, enums by value. Holds no secrets."""
        return cast("dict[str, Any]", _plain(self))
