"""
How often is a cancellation taken for done that is not, by rules that programs use and by ours?

Two hundred thousand cancellations of a symbol are drawn from a model of the exchange's lags (`_exchange_model.py`): it
answers before it executes, its listings come from replicas that lag, its history comes late, some commands are answered
and never executed, some reads fail. Every rule judges the same reads. The last rule is the client's own evidence code,
fed with them as the watcher feeds it. The percentages depend on the lags that are assumed; the order of the rules and
the zero are the point.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from _common import arguments, machine, report, sized
from _exchange_model import DEADLINE_S, LAGS, STALENESS_S, SYMBOL, Cancellation, Look, ms, ns

from bitget_async.evidence import Assumptions, Certainty, Sweep
from bitget_async.models import Outcome

CHUNK = 500
ASSUMED = Assumptions(staleness_s=STALENESS_S)
OURS = "the evidence of this client"


class Rule:
    """Says after each look whether the cancellation is done."""

    def __init__(self, drawn: Cancellation) -> None:
        self.drawn = drawn
        self.ids: frozenset[str] | None = None
        self.final: set[str] = set()
        self.clear = 0

    def at_once(self) -> bool:
        """Whether it is done with the answer alone."""
        return False

    def first(self, look: Look) -> None:
        """The listing that went out beside the command; the first that is answered tells the ids."""
        if self.ids is None and look.listing is not None:
            self.ids = frozenset(row.order_id for row in look.listing.rows)

    def see(self, look: Look) -> bool:
        """One more look."""
        self.first(look)
        if look.page is not None:
            self.final.update(row.order_id for row in look.page.rows)
        if look.listing is not None:
            self.clear = 0 if look.listing.rows else self.clear + 1
        return self.done(look)

    def done(self, look: Look) -> bool:
        """The rule itself."""
        raise NotImplementedError

    @property
    def all_final(self) -> bool:
        """Whether the history has shown the end of every order that the first listing showed."""
        return self.ids is not None and self.ids <= self.final


class Answer(Rule):
    """The answer 00000."""

    def at_once(self) -> bool:
        return True


class FailedIsEmpty(Rule):
    """An empty listing; one that failed is an empty list too."""

    def done(self, look: Look) -> bool:
        return look.listing is None or not look.listing.rows


class AnyRecord(Rule):
    """Any order of the symbol in the history that ended since the request."""

    def done(self, look: Look) -> bool:
        return look.page is not None and any(row.updated_ms >= ms(0) for row in look.page.rows)  # type: ignore[operator]


class EmptyOnce(Rule):
    """An empty listing."""

    def done(self, look: Look) -> bool:
        return look.listing is not None and self.clear >= 1


class EmptyTwice(Rule):
    """Two of them, one after the other."""

    def done(self, look: Look) -> bool:
        return look.listing is not None and self.clear >= 2


class AllFinal(Rule):
    """Every known order final in the history."""

    def done(self, look: Look) -> bool:
        return bool(self.ids) and self.all_final


class AllFinalAndClear(Rule):
    """The same, and an empty listing."""

    def done(self, look: Look) -> bool:
        return self.all_final and look.listing is not None and self.clear >= 1


class Evidence(Rule):
    """`bitget_async.evidence`, as the watcher feeds it."""

    def __init__(self, drawn: Cancellation) -> None:
        super().__init__(drawn)
        self.sweep = Sweep(SYMBOL, bounds_ms=drawn.known, assumptions=ASSUMED)
        self.sweep.signed(ns(0), ms(0))

    def first(self, look: Look) -> None:
        if look.listing is not None:
            _ = self.sweep.saw_listing(look.listing)
        if self.sweep.answered_ns is None:
            self.sweep.answered(Certainty.ACKED, ns(self.drawn.answered_s))

    def done(self, look: Look) -> bool:
        if look.page is not None:
            _ = self.sweep.saw_page(look.page)
        return self.sweep.outcome() in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)


RULES: dict[str, Callable[[Cancellation], Rule]] = {
    "answered = done": Answer,
    "open list empty once, a failed read taken as empty": FailedIsEmpty,
    "any record in the history since the request": AnyRecord,
    "open list empty once": EmptyOnce,
    "open list empty twice": EmptyTwice,
    "every known order final in the history": AllFinal,
    "the same, and one empty list": AllFinalAndClear,
    OURS: Evidence,
}


@dataclass
class Tally:
    """What one rule came to."""

    false: int = 0
    never: int = 0
    late_s: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Those of another process."""
        self.false += other.false
        self.never += other.never
        self.late_s += other.late_s


def judge(drawn: Cancellation, tallies: dict[str, Tally]) -> None:
    """One cancellation under every rule."""
    rules = {name: make(drawn) for name, make in RULES.items()}
    first = drawn.look(0.0, history=False)
    said: dict[str, float] = {}
    for name, rule in rules.items():
        rule.first(first)
        if rule.at_once():
            said[name] = drawn.answered_s
    for at_s in drawn.moments():
        left = [name for name in rules if name not in said]
        if not left:
            break
        look = drawn.look(at_s)
        said.update((name, look.answered_s) for name in left if rules[name].see(look))
    for name, tally in tallies.items():
        at_s = said.get(name, math.inf)
        if at_s < drawn.done_s:
            tally.false += 1
        elif at_s == math.inf:
            # The last look is some seconds before the deadline.
            tally.never += drawn.done_s < DEADLINE_S - 10
        else:
            tally.late_s.append(at_s - max(drawn.done_s, 0.0))


def chunk(seed: int) -> dict[str, Tally]:
    """Some cancellations, which the seed decides."""
    rng, tallies = random.Random(f"rule table/{seed}"), {name: Tally() for name in RULES}
    for _ in range(CHUNK):
        judge(Cancellation(rng), tallies)
    return tallies


def measure(cancels: int) -> list[dict[str, Any]]:
    """The table."""
    chunks = -(-cancels // CHUNK)
    total = {name: Tally() for name in RULES}
    processes = min(chunks, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    if processes == 1:
        parts = map(chunk, range(chunks))
        for part in parts:
            _add(total, part)
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for part in pool.imap_unordered(chunk, range(chunks)):
                _add(total, part)
    return [row(name, tally, chunks * CHUNK) for name, tally in total.items()]


def _add(total: dict[str, Tally], part: dict[str, Tally]) -> None:
    for name, tally in part.items():
        total[name].add(tally)


def row(name: str, tally: Tally, cancels: int) -> dict[str, Any]:
    """One line."""
    late_s = sorted(tally.late_s)
    return {
        "rule": name,
        "false confirmations": tally.false,
        "false %": 100 * tally.false / cancels,
        "done, never confirmed %": 100 * tally.never / cancels,
        "later than the truth, median s": statistics.median(late_s) if late_s else None,
        "99 % s": late_s[len(late_s) * 99 // 100] if late_s else None,
    }


NOTES = "\n".join(
    [
        "false confirmations      the rule said done while an order that existed at the signing was open in truth",
        "done, never confirmed    all were final and the rule did not say so within a minute",
        "later than the truth     from the end of the last order to the answer by which the rule knew",
        "",
        *(f"{name:<20} {what}" for name, what in LAGS.items()),
    ]
)


def main() -> None:
    """Run, and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--cancels", type=int, help="how many")
    args = parser.parse_args()
    cancels = args.cancels or sized(args, 200_000, 10_000, 200)
    header, began = machine(), time.perf_counter()
    rows = measure(cancels)
    header["spread"] = (
        f"{cancels} cancellations, seeds 0 to {-(-cancels // CHUNK) - 1}, {time.perf_counter() - began:.0f} s"
    )
    report(args, header, {"rules": rows}, NOTES)


if __name__ == "__main__":
    main()
