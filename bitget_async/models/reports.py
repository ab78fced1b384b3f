"""What a pending command came to: frozen reports, order by order."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import msgspec

from bitget_async.models.orders import Order, OrderFailure
from bitget_async.models.triggers import TriggerOrder

__all__ = [
    "CancellationReport",
    "Fate",
    "Fates",
    "Modification",
    "ModificationReport",
    "OrderFate",
    "Outcome",
    "Placement",
    "PlacementOutcome",
    "PlacementReport",
    "Replacement",
    "ReplacementOutcome",
    "ReplacementReport",
    "Report",
    "Scope",
    "final_fate",
    "order_fate",
    "order_view",
]


class Outcome(enum.Enum):
    """What a cancellation came to. Only the first two are a yes."""

    CONFIRMED = "confirmed"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    STILL_OPEN = "still_open"
    UNKNOWN = "unknown"


class PlacementOutcome(enum.Enum):
    """
    What a placement came to.

    PLACED: the order exists (or did: it may have ended since). NOT_PLACED: it was refused, or it can appear no more
    and fresh complete reads show nothing of it. PARTLY_PLACED: of a batch, some were placed and the others not.
    UNKNOWN: neither is proven.
    """

    PLACED = "placed"
    PARTLY_PLACED = "partly_placed"
    NOT_PLACED = "not_placed"
    UNKNOWN = "unknown"


class ReplacementOutcome(enum.Enum):
    """
    What a replacement (cancel, then place; not atomic) came to.

    REPLACED: the old order is final and the new one was placed. OLD_KEPT: the old one is still open and there is no
    new one. NEW_MISSING: the old one is final and there is no new one. BOTH_OPEN: the old one is still open although
    the new one was placed. MIXED: of a batch, they differ. UNKNOWN: one of the two fates is not proven.
    """

    REPLACED = "replaced"
    OLD_KEPT = "old_kept"
    NEW_MISSING = "new_missing"
    BOTH_OPEN = "both_open"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Modification(enum.Enum):
    """
    What a change of a trigger order came to.

    MODIFIED: it has the new values. NOT_MODIFIED: it still has other values although the command can act no more, or
    it ended without them. UNKNOWN: neither is proven.
    """

    MODIFIED = "modified"
    NOT_MODIFIED = "not_modified"
    UNKNOWN = "unknown"


class Fate(enum.Enum):
    """
    What is known of one order.

    CANCELLED, FILLED, and for trigger orders TRIGGERED (it made a spot order) and FAILED (it could not) are proven by
    a final row. OPEN: the last read showed it open. VANISHED: gone without a final row, or never seen.
    """

    CANCELLED = "cancelled"
    FILLED = "filled"
    TRIGGERED = "triggered"
    FAILED = "failed"
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
        scope: see `Scope`; always IN where the order was named by the caller.
        source: what told it: `history-orders`, `orderInfo`, `unfilled-orders`, `history-plan-order`,
            `current-plan-order`; `orders` (the order stream), and then `order` may hold what a read told later beside
            it; `tracker` (open by the pushes of before, not seen since); or `client` (ours, not seen yet).
        server_ms: exchange time of the answer that told it, or `None`.
        trigger: for a trigger order, its own row; `order` holds what it has in common with an order.
    """

    order: Order
    fate: Fate
    scope: Scope
    source: str
    server_ms: int | None = None
    trigger: TriggerOrder | None = None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """
    One order to be placed and what became of it.

    Attributes:
        client_oid: the client id that was sent; `""` for a tpsl order, for which the exchange ignores it.
        order_id: the exchange's id, or `None` while it is not known.
        outcome: PLACED, NOT_PLACED or UNKNOWN.
        order: the last row seen, or `None`. A PLACED order may be live, filled or cancelled: see `order.status`.
        source: what told it, as in `OrderFate`; `client` if nothing but the answer did.
        server_ms: exchange time of the answer that told it, or `None`.
        refusal: the exchange's code and text where it refused this order by itself, else `None`.
        trigger: for a trigger order, its own row.
    """

    client_oid: str
    order_id: str | None
    outcome: PlacementOutcome
    order: Order | None
    source: str
    server_ms: int | None = None
    refusal: OrderFailure | None = None
    trigger: TriggerOrder | None = None


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """One replacement: the fate of the `old` order and that of the `new` one, told apart, and what that makes."""

    old: OrderFate
    new: Placement
    outcome: ReplacementOutcome


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    What all reports say. Frozen, and never changed after it is given.

    Attributes:
        symbol: the symbol, or several joined by commas.
        outcome: what it came to; each kind of report has its own enum.
        reason: why UNKNOWN (`vanished`: gone without a final row; `not_found`: never seen; `unreadable`,
            `rate_banned`, `client_closed`, `deadline`, `internal`; `resumed_without_snapshot`: taken up from a journal
            that does not tell what was open, and nothing was found), else `""`.
        acknowledged: whether the exchange said "taken", to every command if there were several.
        signed_at_ms: exchange time of the command's timestamp, of the first if there were several.
        acknowledged_at_ms: `requestTime` of the answer, or `None`.
        settled_at_ms: exchange time of settling.
        retry_at_ms: exchange time from which on `recheck` may be worth it: set where the exchange was turning every
            read away, banned or closed, when the time was up; else `None`.
        attempts: copies of the command on the wire.
        requests: how many requests served it, by the exchange's name of the call; shared reads count for each.
        anomalies: what contradicted itself, in words, each once.
        assumptions: the assumed parameters and what the report says nothing about, by name. `snapshot` tells how what
            was open was found, with ", open-order tracker" where the client's own tracker knew it, too.
    """

    symbol: str
    outcome: enum.Enum
    reason: str
    acknowledged: bool
    signed_at_ms: int
    acknowledged_at_ms: int | None
    settled_at_ms: int
    attempts: int
    requests: Mapping[str, int]
    anomalies: tuple[str, ...]
    assumptions: Mapping[str, str]
    retry_at_ms: int | None = None

    def __bool__(self) -> bool:
        raise TypeError(f"a {type(self).__name__} is neither yes nor no: look at .outcome")

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors carry reports to other processes, and a read-only mapping cannot be pickled.
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        plain = {name: dict(each) if isinstance(each, Mapping) else each for name, each in values.items()}
        return _rebuilt, (type(self), plain)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: amounts as strings, enums by value. Holds no secrets."""
        return cast("dict[str, Any]", _plain(self))


class Fates:
    """The orders of a report, by what became of them; those that came later than it speaks of are left out."""

    __slots__ = ()

    def _fated(self, fate: Fate) -> tuple[OrderFate, ...]:
        raise NotImplementedError

    @property
    def cancelled(self) -> tuple[OrderFate, ...]:
        """Orders proven cancelled, part-filled ones included (see `order.base_volume`)."""
        return self._fated(Fate.CANCELLED)

    @property
    def filled(self) -> tuple[OrderFate, ...]:
        """Orders proven filled."""
        return self._fated(Fate.FILLED)

    @property
    def triggered(self) -> tuple[OrderFate, ...]:
        """Trigger orders that made a spot order before they could be cancelled."""
        return self._fated(Fate.TRIGGERED)

    @property
    def failed(self) -> tuple[OrderFate, ...]:
        """Trigger orders that were triggered and failed."""
        return self._fated(Fate.FAILED)

    @property
    def still_open(self) -> tuple[OrderFate, ...]:
        """Orders that the last complete listing showed open."""
        return self._fated(Fate.OPEN)

    @property
    def vanished(self) -> tuple[OrderFate, ...]:
        """Orders gone from the listing without a final row (they may have filled), or never seen."""
        return self._fated(Fate.VANISHED)


class CancellationReport(Fates, Report, frozen=True, kw_only=True):
    """
    What a cancellation came to, order by order.

    Attributes:
        outcome: CONFIRMED, NOTHING_TO_CANCEL, STILL_OPEN or UNKNOWN.
        orders: every order seen, in scope or late, oldest id first; for a cancellation by ids, those ids.
        cleared_at_ms: exchange time of the first complete listing without an in-scope order, or `None`.
        placed_meanwhile: client ids of this client's own placements on the symbol that the cancellation may have
            taken: signed, or not answered yet, between its signing and its end; or given up before that as unknown
            while they could still be executed.
    """

    outcome: Outcome
    orders: tuple[OrderFate, ...]
    cleared_at_ms: int | None
    placed_meanwhile: tuple[str, ...] = ()

    def _fated(self, fate: Fate) -> tuple[OrderFate, ...]:
        return tuple(each for each in self.orders if each.fate is fate and each.scope is not Scope.LATE)

    @property
    def proven(self) -> bool:
        """Whether the outcome is a yes: CONFIRMED or NOTHING_TO_CANCEL."""
        return self.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)

    @property
    def late(self) -> tuple[OrderFate, ...]:
        """Orders created after the signing, whatever became of them."""
        return tuple(each for each in self.orders if each.scope is Scope.LATE)


class PlacementReport(Report, frozen=True, kw_only=True):
    """
    What a placement came to.

    Attributes:
        outcome: PLACED, NOT_PLACED, UNKNOWN, and for a batch also PARTLY_PLACED.
        placements: one entry an order, in the order in which they were given.
    """

    outcome: PlacementOutcome
    placements: tuple[Placement, ...]

    @property
    def proven(self) -> bool:
        """Whether the outcome is a yes: every order was placed."""
        return self.outcome is PlacementOutcome.PLACED

    @property
    def placement(self) -> Placement:
        """The one order. Raises `ValueError` for a batch."""
        (placement,) = self.placements
        return placement

    def _with(self, outcome: PlacementOutcome) -> tuple[Placement, ...]:
        return tuple(each for each in self.placements if each.outcome is outcome)

    @property
    def placed(self) -> tuple[Placement, ...]:
        """The orders that were placed."""
        return self._with(PlacementOutcome.PLACED)

    @property
    def not_placed(self) -> tuple[Placement, ...]:
        """The orders that were not placed."""
        return self._with(PlacementOutcome.NOT_PLACED)

    @property
    def unknown(self) -> tuple[Placement, ...]:
        """The orders of which neither is proven."""
        return self._with(PlacementOutcome.UNKNOWN)


class ReplacementReport(Report, frozen=True, kw_only=True):
    """
    What a replacement came to.

    Attributes:
        outcome: see `ReplacementOutcome`; for a batch that of all, or MIXED, or UNKNOWN if one is unknown.
        replacements: one entry an order, in the order in which they were given.
    """

    outcome: ReplacementOutcome
    replacements: tuple[Replacement, ...]

    @property
    def proven(self) -> bool:
        """Whether the outcome is a yes: every order was replaced."""
        return self.outcome is ReplacementOutcome.REPLACED

    @property
    def old(self) -> OrderFate:
        """The one old order. Raises `ValueError` for a batch."""
        (replacement,) = self.replacements
        return replacement.old

    @property
    def new(self) -> Placement:
        """The one new order. Raises `ValueError` for a batch."""
        (replacement,) = self.replacements
        return replacement.new


class ModificationReport(Report, frozen=True, kw_only=True):
    """
    What a change of a trigger order came to.

    Attributes:
        outcome: MODIFIED, NOT_MODIFIED or UNKNOWN.
        order: the trigger order's last row, or `None` if it was never seen.
    """

    outcome: Modification
    order: TriggerOrder | None

    @property
    def proven(self) -> bool:
        """Whether the outcome is a yes: it has the new values."""
        return self.outcome is Modification.MODIFIED


# By the names of both status enums.
_FATES = {
    "CANCELLED": Fate.CANCELLED,
    "FILLED": Fate.FILLED,
    "EXECUTED": Fate.TRIGGERED,
    "FAIL_EXECUTE": Fate.FAILED,
}


def final_fate(status: Any) -> Fate:
    """The fate that a final status proves."""
    return _FATES[status.name]


def order_view(row: Any) -> Order:
    """A row as an `Order`: itself, or for a trigger order what it has in common with one."""
    if not isinstance(row, TriggerOrder):
        return cast("Order", row)
    return Order(
        order_id=row.order_id,
        client_oid=row.client_oid,
        symbol=row.symbol,
        side=row.side,
        order_type=row.order_type,
        price=row.execute_price,
        trigger_price=row.trigger_price,
        size=row.size,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        enter_point_source=row.enter_point_source,
    )


def order_fate(row: Any, fate: Fate, scope: Scope, source: str, server_ms: int | None) -> OrderFate:
    """An `OrderFate` from a row of either kind."""
    trigger = row if isinstance(row, TriggerOrder) else None
    return OrderFate(order=order_view(row), fate=fate, scope=scope, source=source, server_ms=server_ms, trigger=trigger)


def _rebuilt(kind: type[Report], values: dict[str, Any]) -> Report:
    given: dict[str, Any] = {
        name: MappingProxyType(each) if isinstance(each, dict) else each for name, each in values.items()
    }
    return kind(**given)


def _plain(value: Any) -> Any:
    """
    Plain JSON values, by our field names: on the wire the same name means different things in different listings.
    """
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value) if bytes(value) else None
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return msgspec.to_builtins(value)
