"""Cancellations on their way: what is known of each symbol, for whoever shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bitget_async import (
    BitgetClient,
    BitgetError,
    CancellationReport,
    CancellationUnconfirmed,
    Fate,
    OrderFate,
    PendingCancellation,
    Scope,
)
from bitget_async.cli.exits import Exit, exit_of, exit_of_outcome
from bitget_async.clock import Clock

__all__ = ["Counts", "Event", "Track", "Tracker", "plural"]

TICK_S = 0.1


class Event(NamedTuple):
    """Something that happened to a symbol, `at_s` seconds after the start."""

    at_s: float
    text: str


class Counts(NamedTuple):
    """How many orders are in which state; late ones count as late only."""

    open: int
    unproven: int
    cancelled: int
    part_filled: int
    filled: int
    late: int

    @property
    def seen(self) -> int:
        """Orders in scope."""
        return self.open + self.unproven + self.cancelled + self.filled


@dataclass(eq=False)
class Track:
    """
    One symbol.

    Attributes:
        symbol: exchange spelling.
        handle: from the signing on.
        answered: whether the call has returned.
        cleared_ms: milliseconds from the signing to the listing that cleared it, `None` before.
        report: once settled.
        error: instead of a handle: refused, or not sent.
        events: what happened, oldest first.
    """

    symbol: str
    handle: PendingCancellation | None = None
    answered: bool = False
    cleared_ms: int | None = None
    report: CancellationReport | None = None
    error: BitgetError | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether nothing more will happen."""
        return self.report is not None or self.error is not None

    @property
    def state(self) -> str:
        """`waiting`, `signed`, `taken`, `no answer`, `cleared`, or the outcome, or the class of the error."""
        if self.error is not None:
            return type(self.error).__name__
        if self.report is not None:
            return self.report.outcome.name
        if self.handle is None:
            return "waiting"
        if self.cleared_ms is not None:
            return "cleared"
        if self.answered:
            return "taken" if self.handle.acknowledged else "no answer"
        return "signed"

    @property
    def proven_ms(self) -> int | None:
        """Milliseconds from the signing to the settling."""
        return None if self.report is None else self.report.settled_at_ms - self.report.signed_at_ms

    @property
    def exit(self) -> Exit:
        """The exit code that this symbol asks for; one that is not done is unknown."""
        if self.error is not None:
            return exit_of(self.error)
        return Exit.UNKNOWN if self.report is None else exit_of_outcome(self.report.outcome)

    @property
    def orders(self) -> tuple[OrderFate, ...]:
        """Every order known so far."""
        return () if self.handle is None else self.handle.orders

    def counts(self) -> Counts:
        """What is known now."""
        mine = [each for each in self.orders if each.scope is not Scope.LATE]
        fates = [each.fate for each in mine]
        parts = [each for each in mine if each.fate is Fate.CANCELLED and each.order.base_volume]
        return Counts(
            open=fates.count(Fate.OPEN),
            unproven=fates.count(Fate.VANISHED),
            cancelled=fates.count(Fate.CANCELLED),
            part_filled=len(parts),
            filled=fates.count(Fate.FILLED),
            late=len(self.orders) - len(mine),
        )

    def note(self, *, brief: bool = False) -> str:
        """What is special about it, from what the client itself knows; in a word or two if `brief`."""
        counts = self.counts()
        said = []
        if self.answered and self.handle is not None and not self.handle.acknowledged:
            said.append("no answer" if brief else "answer lost")
        if self.report is not None and self.report.requests.get("batch-cancel-order"):
            said.append("by id" if brief else "rest by id")
        if self.report is not None and self.report.reason:
            said.append(self.report.reason)
        if counts.part_filled and not brief:
            said.append(f"{counts.part_filled} part-filled")
        return ", ".join(said[:1] if brief else said)


class Tracker:
    """
    Cancels symbols through a client and follows each to its end.

    Args:
        client: sends and proves.
        symbols: which, each once.
        clock: for the times of events.
        ensure, confirm_within_s: as in `BitgetClient.cancel_symbol_orders`.
        on_taken: called with each symbol whose command was answered, or lost its answer.
    """

    def __init__(
        self,
        client: BitgetClient,
        symbols: Sequence[str],
        clock: Clock,
        *,
        ensure: bool,
        confirm_within_s: float = 60.0,
        on_taken: Callable[[str], None] | None = None,
    ) -> None:
        self.tracks = [Track(symbol) for symbol in symbols]
        self._client = client
        self._clock = clock
        self._ensure = ensure
        self._confirm_within_s = confirm_within_s
        self._on_taken = on_taken
        self._start_ns = clock.monotonic_ns()
        self._end_ns: int | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds from the start to now, or to the end of `run`."""
        return ((self._end_ns or self._clock.monotonic_ns()) - self._start_ns) / 1e9

    async def run(self, draw: Callable[[], None]) -> None:
        """Cancel all of them at once; `draw` is called whenever there may be something new to show."""
        await asyncio.gather(self._ticking(draw), *(self._follow(track) for track in self.tracks))
        self._end_ns = self._clock.monotonic_ns()
        draw()

    def look(self) -> None:
        """Find the handles of commands that are signed but not answered yet."""
        pending = self._client.pending
        signed = {handle.symbol: handle for handle in pending if isinstance(handle, PendingCancellation)}
        for track in self.tracks:
            if track.handle is None and not track.done and track.symbol in signed:
                track.handle = signed[track.symbol]
                self._tell(track, "signed: on its way")

    async def _ticking(self, draw: Callable[[], None]) -> None:
        while not all(track.done for track in self.tracks):
            self.look()
            draw()
            await self._clock.sleep(TICK_S)

    async def _follow(self, track: Track) -> None:
        try:
            handle = await self._client.cancel_symbol_orders(
                track.symbol, ensure=self._ensure, confirm_within_s=self._confirm_within_s
            )
        except BitgetError as error:
            track.error = error
            self._tell(track, f"{type(error).__name__}: see below")
            return
        track.handle, track.answered = handle, True
        taken = "taken by the exchange" if handle.acknowledged else "no answer: executed or not, the reads will tell"
        self._tell(track, f"{taken}; {plural(track.counts().seen, 'order')} seen so far")
        if self._on_taken is not None:
            self._on_taken(track.symbol)
        try:
            cleared_ms = await handle.cleared()
        except CancellationUnconfirmed:
            pass
        else:
            track.cleared_ms = cleared_ms - int(handle.to_dict()["signed_at_ms"])
            self._tell(track, f"cleared {track.cleared_ms} ms after the signing: none is listed as open any more")
        track.report = await handle.settled()
        self._tell(track, _ending(track))

    def _tell(self, track: Track, text: str) -> None:
        track.events.append(Event(self.elapsed_s, text))


def plural(number: int, noun: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ending(track: Track) -> str:
    counts = track.counts()
    parts = [f"{counts.cancelled} cancelled", f"{counts.filled} filled"]
    if counts.open:
        parts.append(f"{counts.open} open")
    if counts.unproven:
        parts.append(f"{counts.unproven} unproven")
    if counts.late:
        parts.append(f"{counts.late} late")
    note = track.note()
    return f"{track.state}: {', '.join(parts)}" + (f" ({note})" if note else "")
