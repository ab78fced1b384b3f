"""From a course to plain data."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal

import msgspec

from bitget_async.course import (
    Course,
    NamedCourse,
    SweepCourse,
    cancellation_report,
    modification_report,
    placement_report,
    replacement_report,
)
from bitget_async.evidence import Command, Sweep, Target, Want
from bitget_async.models import OrderFate
from bitget_async.resumption.states import (
    VERSION,
    AimedOrder,
    CommandState,
    NamedOptions,
    NamedState,
    Refusal,
    SweepOptions,
    SweepState,
    SweptOrder,
    Wanted,
)

__all__ = ["REPORTS", "Home", "aimed", "command_state", "commands_of", "describe", "state_of", "swept"]

REPORTS = {
    "cancellation": cancellation_report,
    "placement": placement_report,
    "replacement": replacement_report,
    "modification": modification_report,
}
KINDS = {build: kind for kind, build in REPORTS.items()}
MOST_TEXT = 1_000


class Home(msgspec.Struct, frozen=True):
    """
    Where a call belongs.

    Attributes:
        origin: scheme and host of the exchange.
        account: what the exchange counts by.
        salt: 16 hex digits. The account is described as a hash of both: two descriptions do not show that they are of
            one account, and nobody reads a UID from one without trying them all.
    """

    origin: str = ""
    account: str = ""
    salt: str = "0" * 16

    @property
    def mark(self) -> str:
        """What stands for the account in a description."""
        key, text = self.salt.encode(), f"{self.account}\0{self.origin}".encode()
        return f"{self.salt}:{hmac.new(key, text, hashlib.sha256).hexdigest()[:32]}"

    def owns(self, mark: str) -> bool:
        """Whether that mark stands for this account."""
        salt = mark.partition(":")[0]
        return hmac.compare_digest(Home(self.origin, self.account, salt).mark, mark)


def describe(course: Course, home: Home, at_ms: int) -> dict[str, Any]:
    """
    A call as plain JSON values, from which it can be resumed.

    Args:
        course: the call.
        home: where it belongs.
        at_ms: the exchange's time now.
    """
    plain: dict[str, Any] = msgspec.to_builtins(state_of(course, home, at_ms))
    return plain


def state_of(course: Course, home: Home, at_ms: int) -> SweepState | NamedState:
    """The same, typed."""
    commands = commands_of(course)
    signed = next((each.signed_ms for each in commands if each.stamped), None)
    common: dict[str, Any] = {
        "version": VERSION,
        "origin": home.origin,
        "account": home.mark,
        "command": course.command,
        "book": course.book,
        "symbol": course.symbol,
        "state": _state(course),
        "certainty": course.evidence.certainty,
        "attempts": course.attempts,
        "acknowledged_at_ms": course.acknowledged_ms,
        "signed_at_ms": signed,
        "described_at_ms": max(at_ms, 0),
        "requests": dict(course.requests),
        "anomalies": [each[:MOST_TEXT] for each in course.evidence.anomalies],
        "commands": [command_state(each) for each in commands],
        "report": None if course.report is None else course.report.to_dict(),
    }
    assumptions = commands[0].assumptions
    asked: dict[str, Any] = {
        "confirm_within_s": float(course.confirm_within_s),
        "staleness_s": assumptions.staleness_s,
        "execution_grace_s": assumptions.execution_grace_s,
    }
    if isinstance(course, SweepCourse):
        options = course.options
        return SweepState(
            kind="sweep",
            options=SweepOptions(snapshot=options.snapshot, ensure=options.ensure, **asked),  # type: ignore[arg-type]
            orders=[swept(each) for each in course.sweep.fates],
            snapshot_known=course.sweep.snapshot_known,
            meanwhile=list(course.meanwhile | course.trusting),
            **common,
        )
    assert isinstance(course, NamedCourse)
    window = course.more.get("receive_window_ms")
    places = {id(each): place for place, each in enumerate(commands)}
    return NamedState(
        kind=KINDS[course.build],  # type: ignore[arg-type, index]
        options=NamedOptions(receive_window_ms=None if window is None else int(window), **asked),
        orders=[aimed(each, places[id(each.command)], course) for each in course.named.targets],
        **common,
    )


def commands_of(course: Course) -> tuple[Command, ...]:
    """The commands of a call."""
    evidence = course.evidence
    return (evidence,) if isinstance(evidence, Sweep) else evidence.commands


def command_state(command: Command) -> CommandState:
    """What is known of a command."""
    return CommandState(
        certainty=command.certainty,
        heard=command.heard,
        signed_ms=command.signed_ms if command.stamped else None,
        sign_bounds_ms=command.sign_bounds if command.stamped else None,
        accepted_for_ms=command.accepted_for_ns // 1_000_000,
    )


def swept(fate: OrderFate) -> SweptOrder:
    """One order of a cancellation by symbol."""
    order = fate.order
    return SweptOrder(
        order_id=order.order_id,
        client_oid=order.client_oid[:MOST_TEXT],
        created_ms=order.created_ms,
        source=fate.source,
        fate=fate.fate.value,
        scope=fate.scope.value,
    )


def aimed(target: Target, command: int, course: NamedCourse) -> AimedOrder:
    """One order that a command names."""
    said, wanted = target.refusal, target.wanted
    refusal = None
    if said is not None:
        refusal = Refusal(error_code=said.error_code[:MOST_TEXT], error_msg=said.error_msg[:MOST_TEXT])
    return AimedOrder(
        symbol=target.symbol,
        want=target.want,
        order_id=target.order_id,
        client_oid=target.client_oid,
        own_oid=target.own_oid,
        command=command,
        certainty=target.certainty,
        refusal=refusal,
        wanted=None if wanted is None else Wanted(**wanted),
        fate=_fate(target, course),
    )


def _state(course: Course) -> Literal["pending", "cleared", "settled"]:
    if course.report is not None:
        return "settled"
    cancels = isinstance(course, SweepCourse) or (
        isinstance(course, NamedCourse) and course.build is cancellation_report
    )
    return "cleared" if cancels and course.evidence.cleared_ms is not None else "pending"


def _fate(target: Target, course: NamedCourse) -> str:
    if target.want is Want.PRESENT:
        return course.named.placement(target).outcome.value
    return course.named.fate(target).fate.value
