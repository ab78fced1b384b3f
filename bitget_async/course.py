"""
The course of one pending call, from the signing to the report: what the watcher feeds and the handle shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from itertools import count
from types import MappingProxyType
from typing import Any

import msgspec

from bitget_async.errors import UsageError
from bitget_async.evidence import Book, Certainty, Command, Named, Sweep, Target, Want
from bitget_async.models import (
    CancellationReport,
    Modification,
    ModificationReport,
    Outcome,
    PlacementOutcome,
    PlacementReport,
    Replacement,
    ReplacementOutcome,
    ReplacementReport,
    Report,
    TriggerOrder,
)

__all__ = [
    "STOPPING",
    "Course",
    "NamedCourse",
    "Options",
    "SweepCourse",
    "cancellation_report",
    "is_seconds",
    "modification_report",
    "next_call",
    "placement_report",
    "replacement_report",
]

# Numbers of handles, for who is told of them: one row of them in each process.
next_call = count(1).__next__
# The number of the stop whose command is being made: that happens far below it, and nothing else there needs to know.
STOPPING: ContextVar[int | None] = ContextVar("bitget_async_stopping", default=None)
SNAPSHOTS = ("concurrent", "before", "none")
DAY_S = 86_400.0
ELSEWHERE = {
    Book.NORMAL: "tpsl orders, trigger (plan) orders, margin orders, other sub-accounts",
    Book.TPSL: "normal orders, trigger (plan) orders, margin orders, other sub-accounts",
    Book.PLAN: "spot orders, also those that trigger orders made; margin orders, other sub-accounts",
}


class Options(msgspec.Struct, frozen=True):
    """What the caller asked for; see `BitgetClient.cancel_symbol_orders`."""

    snapshot: str = "concurrent"
    ensure: bool = False
    confirm_within_s: float = 60.0
    max_wait_s: float | None = None

    def __post_init__(self) -> None:
        if self.snapshot not in SNAPSHOTS:
            raise UsageError(f"snapshot must be one of {', '.join(SNAPSHOTS)}, not {self.snapshot!r}")
        check_confirm_within(self.confirm_within_s)


def check_confirm_within(seconds: float) -> None:
    """Raise `UsageError` unless that can be a time to confirm."""
    if not is_seconds(seconds, DAY_S):
        raise UsageError(f"confirm_within_s must be seconds above 0 and up to a day, not {seconds!r}")


def is_seconds(value: object, most: float) -> bool:
    """Whether that is a number of seconds above 0 and up to `most`."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most


class Course(msgspec.Struct, eq=False, kw_only=True):
    """
    One pending call.

    Attributes:
        command: the exchange's name of the command that was sent.
        confirm_within_s: seconds from the signing after which it settles whatever is known.
        deadline_ns: the monotonic moment of that.
        attempts: copies of the command that may have reached the exchange.
        acknowledged_ms: `requestTime` of the answer "taken", or `None`.
        requests: requests that served it, by the exchange's name of the call.
        changes: what became known, in that order.
        retry_at_ms: exchange time of the next look that the exchange may let through, while it turns all away.
        report: the report, once settled.
        journaled: whether all of it stands in the client's journal.
        handle: the one handle that shows it.
        call: its number. within: that of the stop that it is a command of, or `None`.
        began_ns: when it was called for, monotonic.
        told, shown, fated: for `telling`: the states that it went through, how many of its changes were told, and the
            orders of whose fate was.
    """

    command: str
    confirm_within_s: float = 60.0
    deadline_ns: int = 1 << 62
    attempts: int = 0
    acknowledged_ms: int | None = None
    requests: dict[str, int] = msgspec.field(default_factory=dict)
    changes: list[Any] = msgspec.field(default_factory=list)
    retry_at_ms: int | None = None
    report: Report | None = None
    journaled: bool = False
    handle: Any = None
    call: int = msgspec.field(default_factory=next_call)
    within: int | None = msgspec.field(default_factory=STOPPING.get)
    began_ns: int = 0
    told: tuple[str, ...] = ()
    shown: int = 0
    fated: set[tuple[str, str]] | None = None
    _news: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def evidence(self) -> Sweep | Named:
        """All facts."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """How many orders are known."""
        raise NotImplementedError

    @property
    def ended(self) -> int:
        """Of how many of them everything is proven."""
        raise NotImplementedError

    @property
    def book(self) -> Book:
        """Whose lists tell of its orders."""
        return self.evidence.book

    @property
    def symbols(self) -> frozenset[str]:
        """Whose rows tell of its orders."""
        raise NotImplementedError

    @property
    def symbol(self) -> str:
        """The symbol, or several joined by commas."""
        return ",".join(sorted(self.symbols))

    @property
    def ripe(self) -> bool:
        """Whether what is known settles it."""
        raise NotImplementedError

    def covers(self, symbol: str | None, book: Book) -> bool:
        """Whether a read of that symbol (`None`: all) and book tells of its orders."""
        return book is self.book and (symbol is None or symbol in self.symbols)

    def signed(self, now: int) -> None:
        """A command was signed; the time to confirm counts from here."""
        self.deadline_ns = now + round(self.confirm_within_s * 1e9)

    def learn(self, news: Sequence[Any], endpoint: str, requests: int) -> bool:
        """Count the requests of a read that served it and tell what it brought; whether that is anything."""
        self.count(endpoint, requests)
        return self.take(news)

    def take(self, news: Sequence[Any]) -> bool:
        """Tell what became known; whether that is anything."""
        self.changes += news
        self.tell()
        return bool(news)

    def count(self, endpoint: str, requests: int = 1) -> None:
        """Count requests that served it."""
        self.requests[endpoint] = self.requests.get(endpoint, 0) + requests

    async def news(self) -> None:
        """Wait until anything is told. Safe to cancel."""
        await self._news.wait()

    def tell(self) -> None:
        """Wake all who wait, and let the next wait be for the next news."""
        self._news.set()
        self._news = asyncio.Event()

    def settle(self, reason: str | None, server_ms: int) -> None:
        """Settle, once and for all: as what is proven, or with that reason as far as nothing is."""
        assert self.report is None
        self.report = self._report(reason, server_ms)
        self.tell()

    def _report(self, reason: str | None, server_ms: int) -> Report:
        raise NotImplementedError

    def _common(self, commands: Sequence[Command], server_ms: int, more: dict[str, str]) -> dict[str, Any]:
        """What all reports say."""
        first = commands[0]
        assumptions = {
            "staleness_s": f"{first.assumptions.staleness_s:g}",
            "execution_grace_s": f"{first.assumptions.execution_grace_s:g}",
            "clock_error_ms": str(first.clock_error_ms),
            **more,
        }
        return {
            "symbol": self.symbol,
            "acknowledged": all(each.certainty is Certainty.ACKED for each in commands),
            "signed_at_ms": first.signed_ms,
            "acknowledged_at_ms": self.acknowledged_ms,
            "settled_at_ms": server_ms,
            "retry_at_ms": self.retry_at_ms,
            "attempts": self.attempts,
            "requests": MappingProxyType({self.command: self.attempts, **self.requests}),
            "anomalies": tuple(self.evidence.anomalies),
            "assumptions": MappingProxyType(assumptions),
        }


class SweepCourse(Course, eq=False, kw_only=True):
    """
    One cancellation by symbol.

    Attributes:
        sweep: its evidence.
        options: what the caller asked for.
        looked_ns: when the snapshot before the command was requested, monotonic ns.
        ensured: when each id was last cancelled by id, monotonic ns.
        meanwhile: client ids of this client's placements that it may take.
        trusting: client ids of those that trusted it to have run by then: see `passed`.
        alone: whether nothing else of this client cancels orders of its symbol: what is gone, it took, or it filled.
    """

    sweep: Sweep
    options: Options = Options()
    looked_ns: int | None = None
    ensured: dict[str, int] = msgspec.field(default_factory=dict)
    meanwhile: dict[str, None] = msgspec.field(default_factory=dict)
    trusting: dict[str, None] = msgspec.field(default_factory=dict)
    alone: bool = True

    @property
    def evidence(self) -> Sweep:
        """All facts."""
        return self.sweep

    @property
    def size(self) -> int:
        """How many orders are known, late ones too."""
        return self.sweep.size

    @property
    def ended(self) -> int:
        """How many of them are final."""
        return self.sweep.ended

    @property
    def symbols(self) -> frozenset[str]:
        """Its symbol."""
        return frozenset((self.sweep.symbol,))

    @property
    def ripe(self) -> bool:
        """Whether the outcome is proven."""
        return self.sweep.outcome() is not None

    @property
    def passed(self) -> bool:
        """
        Whether an order placed now is safe from it: it is settled; or it is cleared, and an order that it swept shows
        that it has run. Where nothing was open, a clear listing does not tell whether the command has run yet.
        """
        cleared = self.sweep.cleared_ms is not None
        return self.report is not None or (cleared and self.alone and self.sweep.has_run)

    def _report(self, reason: str | None, server_ms: int) -> CancellationReport:
        sweep = self.sweep
        outcome = Outcome.UNKNOWN if reason is not None else sweep.outcome()
        assert outcome is not None
        if outcome is Outcome.NOTHING_TO_CANCEL and sweep.blind:
            outcome, reason = Outcome.UNKNOWN, "resumed_without_snapshot"
        proven = outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)
        # What was gone may have filled: then nothing shows that it ran before the placements that trusted it.
        trusting = {} if sweep.has_cancelled else self.trusting
        snapshot = self.options.snapshot + (", open-order tracker" if sweep.tracked else "")
        more = {"snapshot": snapshot, "not_touched": ELSEWHERE[self.book]}
        return CancellationReport(
            outcome=outcome,
            reason=reason or "",
            orders=sweep.fates,
            cleared_at_ms=sweep.clear_ms if proven else sweep.cleared_ms,
            placed_meanwhile=tuple(self.meanwhile | trusting),
            **self._common([sweep], server_ms, more),
        )


class NamedCourse(Course, eq=False, kw_only=True):
    """
    One call whose command, or commands, name their orders.

    Attributes:
        named: its evidence.
        build: makes the report.
        more: further assumptions to print.
    """

    named: Named
    build: Callable[[NamedCourse, str, dict[str, Any]], Report]
    more: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def evidence(self) -> Named:
        """All facts."""
        return self.named

    @property
    def size(self) -> int:
        """How many orders it names."""
        return len(self.named.targets)

    @property
    def ended(self) -> int:
        """Of how many of them something is proven."""
        return len(self.named.targets) - len(self.named.left)

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of its orders."""
        return self.named.symbols

    @property
    def ripe(self) -> bool:
        """Whether something is proven of every order."""
        return self.named.settled

    def signed(self, now: int) -> None:
        """A command of it was signed; the time to confirm counts from the last one: no report may stand before it."""
        if all(command.stamped for command in self.named.commands):
            Course.signed(self, now)

    def take(self, news: Sequence[Target]) -> bool:
        """See `Course.take`."""
        told = [self.named.placement(each) if each.want is Want.PRESENT else self.named.fate(each) for each in news]
        return Course.take(self, told)

    def _report(self, reason: str | None, server_ms: int) -> Report:
        return self.build(self, reason or "", self._common(self.named.commands, server_ms, self.more))


def cancellation_report(course: NamedCourse, reason: str, common: dict[str, Any]) -> CancellationReport:
    """The report of a cancellation by ids."""
    named = course.named
    left, final = named.left, all(target.final for target in named.targets)
    outcome = Outcome.CONFIRMED if final else Outcome.UNKNOWN if left else Outcome.STILL_OPEN
    cleared_ms = named.cleared_ms
    if cleared_ms is None and final:
        # All of it was known before the answer came.
        cleared_ms = max(target.server_ms or 0 for target in named.targets)
    return CancellationReport(
        outcome=outcome,
        reason=reason if outcome is Outcome.UNKNOWN else "",
        orders=tuple(named.fate(target) for target in named.targets),
        cleared_at_ms=cleared_ms,
        **common,
    )


def placement_report(course: NamedCourse, reason: str, common: dict[str, Any]) -> PlacementReport:
    """The report of a placement, or of a batch of them."""
    placements = tuple(course.named.placement(target) for target in course.named.targets)
    found = {each.outcome for each in placements}
    if PlacementOutcome.UNKNOWN in found:
        outcome = PlacementOutcome.UNKNOWN
    else:
        outcome = found.pop() if len(found) == 1 else PlacementOutcome.PARTLY_PLACED
    reason = reason if outcome is PlacementOutcome.UNKNOWN else ""
    return PlacementReport(outcome=outcome, reason=reason, placements=placements, **common)


def replacement_report(course: NamedCourse, reason: str, common: dict[str, Any]) -> ReplacementReport:
    """The report of a replacement, or of a batch of them: its targets come in pairs, old and new."""
    named = course.named
    pairs = zip(named.targets[::2], named.targets[1::2], strict=True)
    replacements = tuple(_replacement(named, old, new) for old, new in pairs)
    found = {each.outcome for each in replacements}
    if ReplacementOutcome.UNKNOWN in found:
        outcome = ReplacementOutcome.UNKNOWN
    else:
        outcome = found.pop() if len(found) == 1 else ReplacementOutcome.MIXED
    reason = reason if outcome is ReplacementOutcome.UNKNOWN else ""
    return ReplacementReport(outcome=outcome, reason=reason, replacements=replacements, **common)


_REPLACED = {
    (True, PlacementOutcome.PLACED): ReplacementOutcome.REPLACED,
    (True, PlacementOutcome.NOT_PLACED): ReplacementOutcome.NEW_MISSING,
    (False, PlacementOutcome.PLACED): ReplacementOutcome.BOTH_OPEN,
    (False, PlacementOutcome.NOT_PLACED): ReplacementOutcome.OLD_KEPT,
}


def _replacement(named: Named, old: Target, new: Target) -> Replacement:
    fate, placement = named.fate(old), named.placement(new)
    unknown = old.verdict(named.book) is None or placement.outcome is PlacementOutcome.UNKNOWN
    outcome = ReplacementOutcome.UNKNOWN if unknown else _REPLACED[old.final, placement.outcome]
    return Replacement(old=fate, new=placement, outcome=outcome)


def modification_report(course: NamedCourse, reason: str, common: dict[str, Any]) -> ModificationReport:
    """The report of a change of one trigger order."""
    (target,) = course.named.targets
    verdict = target.verdict(course.book)
    outcomes = {None: Modification.UNKNOWN, "DONE": Modification.MODIFIED, "NOT_DONE": Modification.NOT_MODIFIED}
    outcome = outcomes[None if verdict is None else verdict.name]
    row = target.row if isinstance(target.row, TriggerOrder) else None
    reason = reason if outcome is Modification.UNKNOWN else ""
    return ModificationReport(outcome=outcome, reason=reason, order=row, **common)
