"""
From plain data to a course.

Moments come back in the careful direction: a command counts as signed at the latest moment that it can have been, so
that no read is taken for a decisive one too early; its bounds are those of the exchange's clock that were known then.
Every answer counts as heard now. What the data does not tell for certain is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, structs

from bitget_async.course import Course, NamedCourse, Options, SweepCourse, check_confirm_within
from bitget_async.errors import UsageError
from bitget_async.evidence import Assumptions, Book, Certainty, Command, Named, Sweep, Target, Want
from bitget_async.journal import Kind
from bitget_async.models import Order, OrderFailure, TriggerOrder
from bitget_async.resumption.describing import REPORTS, Home
from bitget_async.resumption.states import (
    VERSION,
    AimedOrder,
    CommandState,
    NamedNote,
    NamedState,
    Refusal,
    SweepNote,
    SweepState,
)

__all__ = ["Now", "fold", "read", "restore", "was_sent"]

# The exchange takes no timestamp that is further off.
TOLERANCE_MS = 30_000
UNDATED = "when the command was signed is not known for certain"
WANTS = {
    "cancellation": {Want.FINAL},
    "placement": {Want.PRESENT},
    "replacement": {Want.FINAL, Want.PRESENT},
    "modification": {Want.CHANGED},
}


class Now(msgspec.Struct, frozen=True):
    """The moment of resuming: monotonic, and earliest and latest of the exchange's clock then."""

    ns: int
    bounds_ms: tuple[int, int]


def read(data: object, home: Home) -> SweepState | NamedState:
    """
    Take a description back in.

    Raises:
        UsageError: it is none, of another version, origin or account, or a field cannot be meant.
    """
    if not isinstance(data, Mapping):
        raise UsageError(f"a described handle is a dict, as to_dict() makes it, not a {type(data).__name__}")
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise UsageError(f"version: this version of the package resumes version {VERSION} only")
    kind: type[SweepState | NamedState] = SweepState if data.get("kind") == "sweep" else NamedState
    try:
        state = msgspec.convert(data, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UsageError(f"not a described handle: {str(error)[:300]}") from None
    if state.origin != home.origin:
        raise UsageError(f"origin: the call was made to {state.origin!r}, this client talks to {home.origin!r}")
    if not home.owns(state.account):
        raise UsageError("account: the call was made for another account or key")
    check_confirm_within(state.options.confirm_within_s)
    _check(state)
    return state


def _check(state: SweepState | NamedState) -> None:
    """What the types do not say."""
    for place, command in enumerate(state.commands):
        bounds = command.sign_bounds_ms
        if bounds is not None and bounds[0] > bounds[1]:
            raise UsageError(f"commands[{place}].sign_bounds_ms: the first is above the second")
    if isinstance(state, SweepState):
        if len(state.commands) != 1:
            raise UsageError("commands: a cancellation by symbol has one")
        if not state.symbol or state.book is Book.TPSL:
            raise UsageError("symbol, book: no cancellation by symbol is like that")
        return
    wants = [order.want for order in state.orders]
    if not set(wants) <= WANTS[state.kind]:
        raise UsageError(f"orders: what is wanted of them is not a {state.kind}")
    pairs = [Want.FINAL, Want.PRESENT] * (len(wants) // 2)
    if (state.kind == "replacement" and wants != pairs) or (state.kind == "modification" and len(wants) != 1):
        raise UsageError(f"orders: their number or order is not that of a {state.kind}")
    if {order.command for order in state.orders} != set(range(len(state.commands))):
        raise UsageError("orders: each names one of the commands, and each command one of the orders")
    if state.kind == "modification" and state.orders[0].wanted is None:
        raise UsageError("orders[0].wanted: a modification has new values")


def fold(data: Mapping[str, Any], notes: Iterable[tuple[Kind, Mapping[str, Any]]], home: Home) -> tuple[Any, bool]:
    """
    What a journal tells of a call.

    Args:
        data: the description that the entry begins with.
        notes: (kind, what changed) in the order of writing.
        home: where it must belong.

    Returns: its state, and whether nothing that happened since can be missing.

    Raises:
        UsageError: the description itself cannot be read.
    """
    state = read(data, home)
    kind: type[SweepNote | NamedNote] = SweepNote if isinstance(state, SweepState) else NamedNote
    whole = True
    for what, change in notes:
        try:
            changed = None if what is Kind.GAP else _changed(state, msgspec.convert(change, kind, strict=True))
        except (msgspec.ValidationError, IndexError):
            changed = None
        whole = whole and changed is not None
        state = changed or state
    return state, whole


def _changed(state: Any, note: SweepNote | NamedNote) -> Any:
    """The state after that. Raises `IndexError` for a command or an order that it does not have."""
    new: dict[str, Any] = {}
    if note.command is not UNSET and note.became is not UNSET:
        commands = list(state.commands)
        commands[note.command] = note.became
        new["commands"] = commands
    if note.orders is not UNSET:
        orders = list(state.orders)
        if isinstance(note, SweepNote):
            orders += note.orders
        else:
            for place, order in note.orders:
                orders[place] = order
        new["orders"] = orders
    for name in ("attempts", "acknowledged_at_ms", "snapshot_known"):
        if (value := getattr(note, name, UNSET)) is not UNSET:
            new[name] = value
    return structs.replace(state, **new)


def was_sent(state: SweepState | NamedState) -> bool:
    """Whether a command of it was stamped."""
    return any(command.signed_ms is not None for command in state.commands)


def restore(state: SweepState | NamedState, now: Now, *, whole: bool) -> Course:
    """
    The course of that call, as far as it is known.

    Args:
        state: see `read`.
        now: the moment.
        whole: whether nothing that happened after it can be missing: then what was not stamped never was.
    """
    options = state.options
    assumptions = Assumptions(options.staleness_s, options.execution_grace_s)
    common: dict[str, Any] = {
        "command": state.command,
        "confirm_within_s": options.confirm_within_s,
        "attempts": state.attempts,
        "acknowledged_ms": state.acknowledged_at_ms,
        "requests": dict(state.requests),
    }
    if isinstance(state, SweepState):
        sweep = Sweep(state.symbol, state.book, bounds_ms=_unknown, assumptions=assumptions)
        sweep.snapshot = state.snapshot_known
        _date(sweep, state.commands[0], state, now, whole=whole, names=True)
        sweep.anomalies = list(state.anomalies)
        for each in state.orders:
            made = Order if state.book is Book.NORMAL else TriggerOrder
            sweep.placed(
                made(
                    order_id=each.order_id,
                    symbol=state.symbol,
                    client_oid=each.client_oid,
                    created_ms=each.created_ms,
                )
            )
        asked = Options(snapshot=state.options.snapshot, confirm_within_s=options.confirm_within_s)
        meanwhile = dict.fromkeys(state.meanwhile)
        return SweepCourse(sweep=sweep, options=asked, meanwhile=meanwhile, alone=False, **common)
    commands = [Command(bounds_ms=_unknown, assumptions=assumptions) for _ in state.commands]
    for place, (command, told) in enumerate(zip(commands, state.commands, strict=True)):
        names = all(each.order_id or each.own_oid for each in state.orders if each.command == place)
        _date(command, told, state, now, whole=whole, names=names)
    targets = tuple(_target(each, commands[each.command]) for each in state.orders)
    named = Named(targets, state.book)
    named.anomalies = list(state.anomalies)
    window = state.options.receive_window_ms
    more = {} if window is None else {"receive_window_ms": str(window)}
    return NamedCourse(named=named, build=REPORTS[state.kind], more=more, **common)


def _date(
    command: Command, told: CommandState, state: SweepState | NamedState, now: Now, *, whole: bool, names: bool
) -> None:
    """
    Give a command its times and its certainty.

    1. Stamped, and nothing is missing or its answer is known: at its time. 2. Not stamped, and nothing is missing: it
    never left. 3. Else it may have been stamped, perhaps again, at any moment up to now.

    Args:
        names: whether its orders can be told from all others by their names alone. If not, and its time is hardly
            known, they are not told by it either: an order of before could have had the same name.
    """
    command.accepted_for_ns = told.accepted_for_ms * 1_000_000
    known = told.certainty
    low, high = now.bounds_ms
    bounds: tuple[int, int] | None
    if told.signed_ms is not None and (whole or known is not Certainty.PENDING):
        bounds = told.sign_bounds_ms or (told.signed_ms - TOLERANCE_MS, told.signed_ms + TOLERANCE_MS)
        # Evidence counts moments from 0 on. A command from before the machine was started is dated 0: that is late.
        signed_ns = max(now.ns - (low - bounds[1]) * 1_000_000, 0)
        command.signed(signed_ns, told.signed_ms)
        if told.sign_bounds_ms is None and not names:
            bounds = None
    elif whole:
        known, bounds = Certainty.REFUSED, now.bounds_ms
        command.signed(now.ns, high)
    else:
        first_ms = state.described_at_ms if told.signed_ms is None else told.signed_ms
        bounds = (first_ms - TOLERANCE_MS, max(high, first_ms + TOLERANCE_MS)) if names else None
        command.signed(now.ns, high)
        if UNDATED not in state.anomalies:
            state.anomalies.append(UNDATED)
    command.bounds_ms = _known(bounds)
    command.heard = told.heard
    command.answered(Certainty.MAYBE if known is Certainty.PENDING else known, now.ns)


def _unknown(_: int) -> tuple[int, int] | None:
    return None


def _known(bounds: tuple[int, int] | None) -> Any:
    return lambda _: bounds


def _target(told: AimedOrder, command: Command) -> Target:
    wanted = None if told.wanted is None else {k: v for k, v in structs.asdict(told.wanted).items() if v is not None}
    certainty = command.certainty if told.certainty is Certainty.PENDING else told.certainty
    return Target(
        command=command,
        symbol=told.symbol,
        want=told.want,
        order_id=told.order_id,
        client_oid=told.client_oid,
        own_oid=told.own_oid,
        wanted=wanted,
        certainty=certainty,
        refusal=_refusal(told.refusal),
    )


def _refusal(told: Refusal | None) -> OrderFailure | None:
    return None if told is None else OrderFailure(error_code=told.error_code, error_msg=told.error_msg)
