"""
The form of a described call. Nothing in it is secret, and nothing but these fields is taken.

Moments are the exchange's Unix milliseconds, for a monotonic clock means nothing to another process.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from bitget_async.evidence import Book, Certainty, Want

__all__ = [
    "VERSION",
    "AimedOrder",
    "CommandState",
    "NamedNote",
    "NamedOptions",
    "NamedState",
    "Refusal",
    "State",
    "SweepNote",
    "SweepOptions",
    "SweepState",
    "SweptOrder",
    "Wanted",
]

VERSION = 2

Ms = Annotated[int, Meta(ge=0, le=9_999_999_999_999)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
OrderId = Annotated[str, Meta(pattern=r"^[0-9]{1,40}\Z")]
ClientOid = Annotated[str, Meta(max_length=64)]
Symbol = Annotated[str, Meta(pattern=r"^[A-Z0-9$._\-]{2,40}\Z")]
Text = Annotated[str, Meta(max_length=1_000)]
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,40}(\.[0-9]{1,40})?\Z")]


class Plain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all have in common."""


class CommandState(Plain, frozen=True, kw_only=True):
    """
    One command.

    Attributes:
        certainty: what its answer proved; `pending` before.
        heard: whether the exchange said what it did with it.
        signed_ms: its timestamp, `None` before it was stamped.
        sign_bounds_ms: earliest and latest that the exchange's clock can have shown then; `None` if not known.
        accepted_for_ms: how long after its timestamp the exchange may still accept it.
    """

    certainty: Certainty
    heard: bool = False
    signed_ms: Ms | None = None
    sign_bounds_ms: tuple[Ms, Ms] | None = None
    accepted_for_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 30_000


class SweptOrder(Plain, frozen=True, kw_only=True):
    """An order that a cancellation by symbol knows. `fate` and `scope` are for reading: both are found out anew."""

    order_id: OrderId
    client_oid: Text = ""
    created_ms: Ms | None = None
    source: Text = "client"
    fate: Text = ""
    scope: Text = ""


class Refusal(Plain, frozen=True, kw_only=True):
    """What the exchange said against one order."""

    error_code: Text = ""
    error_msg: Text = ""


class Wanted(Plain, frozen=True, kw_only=True):
    """The values that a trigger order is to get; `None`: that one stays."""

    order_type: Text
    trigger_price: Amount | None = None
    execute_price: Amount | None = None
    size: Amount | None = None


class AimedOrder(Plain, frozen=True, kw_only=True):
    """
    An order that a command names.

    Attributes:
        symbol, want, order_id, client_oid: see `Target`.
        own_oid: whether the client made the client id up, so that no other order can have it.
        command: which of the commands.
        certainty, refusal: see `Target`.
        wanted: for a change.
        fate: for reading: it is found out anew.
    """

    symbol: Symbol
    want: Want
    order_id: OrderId | None = None
    client_oid: ClientOid = ""
    own_oid: bool = False
    command: Count = 0
    certainty: Certainty = Certainty.PENDING
    refusal: Refusal | None = None
    wanted: Wanted | None = None
    fate: Text = ""


class NamedOptions(Plain, frozen=True, kw_only=True):
    """What the caller asked for and what was assumed."""

    confirm_within_s: Seconds
    staleness_s: Seconds
    execution_grace_s: Seconds
    receive_window_ms: Annotated[int, Meta(ge=1, le=3_600_000)] | None = None


class SweepOptions(Plain, frozen=True, kw_only=True):
    """The same of a cancellation by symbol."""

    confirm_within_s: Seconds
    staleness_s: Seconds
    execution_grace_s: Seconds
    snapshot: Literal["concurrent", "before", "none"] = "concurrent"
    ensure: bool = False


class State(Plain, frozen=True, kw_only=True):
    """
    A call. `state`, `certainty`, `signed_at_ms` and `report` are for reading; `commands` and `orders` are what counts.
    """

    version: Literal[2]
    origin: Text
    account: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}:[0-9a-f]{32}\Z")]
    command: Annotated[str, Meta(pattern=r"^[a-z\-]{1,60}\Z")]
    book: Book
    symbol: Annotated[str, Meta(max_length=20_000)]
    state: Literal["pending", "cleared", "settled"]
    certainty: Certainty
    attempts: Count
    acknowledged_at_ms: Ms | None
    signed_at_ms: Ms | None
    described_at_ms: Ms
    requests: dict[Annotated[str, Meta(max_length=60)], Count]
    anomalies: list[Text]
    commands: Annotated[list[CommandState], Meta(min_length=1, max_length=1_000)]
    report: dict[str, Any] | None = None


class SweepState(State, frozen=True, kw_only=True):
    """
    A cancellation by symbol.

    Attributes:
        snapshot_known: whether a complete listing from before its answer is among what is known.
        meanwhile: client ids of placements that it may take.
    """

    kind: Literal["sweep"]
    options: SweepOptions
    orders: list[SweptOrder]
    snapshot_known: bool
    meanwhile: list[ClientOid]


class NamedState(State, frozen=True, kw_only=True):
    """A call whose commands name their orders."""

    kind: Literal["cancellation", "placement", "replacement", "modification"]
    options: NamedOptions
    orders: Annotated[list[AimedOrder], Meta(min_length=1, max_length=20_000)]


class Note(Plain, frozen=True, kw_only=True):
    """What changed of a call; what is not set did not."""

    command: Count | UnsetType = UNSET
    became: CommandState | UnsetType = UNSET
    attempts: Count | UnsetType = UNSET
    acknowledged_at_ms: Ms | UnsetType | None = UNSET


class SweepNote(Note, frozen=True, kw_only=True):
    """The same of a cancellation by symbol; `orders` are new ones."""

    orders: list[SweptOrder] | UnsetType = UNSET
    snapshot_known: bool | UnsetType = UNSET


class NamedNote(Note, frozen=True, kw_only=True):
    """The same of a call whose commands name their orders; `orders` are (which one, what is known of it now)."""

    orders: list[tuple[Count, AimedOrder]] | UnsetType = UNSET
