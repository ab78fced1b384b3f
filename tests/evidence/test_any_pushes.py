"""
Property 23 for the evidence alone: the same reads with any pushes beside them, and without.

The exchange of these histories lags and loses, but does not lie. Without pushes a cancellation comes to an outcome at
some read; with them it comes to the same one, no later, and CONFIRMED is never false. There is one exception, and it is
counted: an order that ended before any listing could show it, while the history still hides it, only the stream can
tell of. Then the stream knows more, and says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import Fate, Order, Outcome, Scope
from bitget_async.evidence import Certainty, Command, Listing, Named, Page, Push, Sweep, Target, Verdict, Want
from tests.evidence.making import FIRST_ID, SIGNED_NS, T_MS, bounds, done, edited, listing, ns, order, page, push

NEVER = float("inf")
ANSWERED_S = 0.05
HORIZON_S = 42.005
LATENCY_S = 0.03
# Looks as the watcher makes them, and one after the horizon.
LOOKS_S = (0.0, 0.25, 0.5, 0.75, 2.0, 2.3, 2.9, 4.1, 6.5, 10.0, 15.0, 25.0, 43.0, 50.0)
Fact = Listing | Page | Push
Dated = tuple[float, Fact]


@dataclass(frozen=True)
class Life:
    """One order: when it began and ended, how, and how much of it had filled by then."""

    number: int
    born_s: float
    ended_s: float = NEVER
    status: str = "cancelled"
    filled: str = "0"
    oid: str = ""

    def row(self, at_s: float) -> Order:
        """What the exchange would tell of it at that moment."""
        if self.ended_s <= at_s:
            row = done(self.number, self.ended_s, self.status, self.born_s, self.oid)
        else:
            row = order(self.number, self.born_s, ended_s=self.born_s, oid=self.oid)
        return edited(row, base_volume=Decimal(self.filled if self.ended_s <= at_s else 0), quote_volume=Decimal(7))


@dataclass(frozen=True)
class History:
    """Orders, how far the reads lag, and the pushes as (arrival, row)."""

    lives: tuple[Life, ...]
    listings_lag: tuple[float, ...] = (0.0,) * len(LOOKS_S)
    history_lag_s: float = 0.0
    pushes: tuple[tuple[float, Order], ...] = ()

    def reads(self) -> Iterator[Dated]:
        """Listing, history, and one order after the other, as they come back."""
        for at_s, lag_s in zip(LOOKS_S, self.listings_lag, strict=True):
            seen_s, told_s = at_s - lag_s, at_s - self.history_lag_s
            shown = [each.row(seen_s) for each in self.lives if each.born_s <= seen_s < each.ended_s]
            yield at_s + LATENCY_S, listing(at_s, *shown)
            if at_s >= 2:
                yield (
                    at_s + LATENCY_S + 0.001,
                    page(at_s, *(each.row(NEVER) for each in self.lives if each.ended_s <= told_s)),
                )

    def told(self, kept: Iterable[int] | None = None) -> list[Dated]:
        """Its pushes, or some of them, each in a frame of its own."""
        chosen = range(len(self.pushes)) if kept is None else kept
        return [(self.pushes[each][0], push(*self.pushes[each])) for each in chosen]


@dataclass
class Run:
    """
    What came of one run: the outcome and when, when it was cleared, what was known at the end, and of which orders
    anything was known on the way.
    """

    outcome: Outcome | None = None
    at_s: float = NEVER
    cleared_s: float = NEVER
    fates: dict[int, tuple[Fate, Scope, Decimal | None]] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    anomalies: tuple[str, ...] = ()


def played(history: History, pushes: Sequence[Dated]) -> Run:
    """Feed the reads and these pushes as they arrive, until there is an outcome; judge all on the way."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    run = Run()
    for at_s, fact in sorted([*history.reads(), *pushes], key=lambda each: each[0]):
        if made.answered_ns is None and at_s >= ANSWERED_S:
            made.answered(Certainty.ACKED, ns(ANSWERED_S))
        was = made.cleared_ms
        if isinstance(fact, Push):
            made.saw_push(fact)
            assert made.cleared_ms == was, "a push cleared something"
        elif isinstance(fact, Listing):
            made.saw_listing(fact)
        else:
            made.saw_page(fact)
        if made.cleared_ms is not None:
            run.cleared_s = min(run.cleared_s, at_s)
        judge(history, made, at_s)
        run.known |= {int(each.order.order_id) - FIRST_ID for each in made.fates if each.scope is not Scope.LATE}
        run.outcome = made.outcome()
        if run.outcome is not None:
            run.at_s = at_s
            break
    run.fates = {
        int(each.order.order_id) - FIRST_ID: (each.fate, each.scope, each.order.base_volume)
        for each in made.fates
        if each.scope is not Scope.LATE
    }
    run.anomalies = tuple(made.anomalies)
    return run


def judge(history: History, made: Sweep, at_s: float) -> None:
    """Nothing is claimed that is not true."""
    lives = {each.number: each for each in history.lives}
    for fate in made.fates:
        life = lives[int(fate.order.order_id) - FIRST_ID]
        if fate.fate in (Fate.CANCELLED, Fate.FILLED):
            assert life.ended_s <= at_s
            assert (life.status, Decimal(life.filled)) == (fate.fate.value, fate.order.base_volume)
    if made.outcome() in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL):
        assert all(each.ended_s <= at_s for each in lives.values() if each.born_s <= 0), "a false confirmation"
    if made.outcome() is Outcome.STILL_OPEN:
        assert any(each.ended_s > HORIZON_S - 2 for each in lives.values() if each.born_s <= 0)


def same_and_no_later(without: Run, beside: Run) -> bool:
    """Whether pushes changed nothing but the time; raises if they did. No: they told of an order that no read did."""
    assert set(beside.anomalies) <= set(without.anomalies)
    assert beside.cleared_s <= without.cleared_s
    if beside.fates.keys() - without.fates.keys():
        assert without.outcome is None or beside.outcome in (Outcome.CONFIRMED, None)
        return False
    if beside.known - without.known and beside.at_s > without.at_s:
        # A late push tells that an order is open which had ended before: only the history can say so, and it lags.
        assert without.outcome is None or beside.outcome in (without.outcome, None)
        return False
    assert without.fates.keys() - beside.fates.keys() == set() or beside.at_s < without.at_s
    assert (beside.outcome, beside.at_s <= without.at_s) == (without.outcome, True)
    if beside.at_s == without.at_s:
        assert beside.fates == without.fates
    return True


# -- every subset of the pushes of small histories -----------------------------------------------------------------

SMALL: dict[str, History] = {
    "two orders that end at once": History((Life(1, -10, 0.1), Life(2, -1, 0.12, "filled", "1"))),
    "one ends while the listings lag": History((Life(1, -10, 0.1), Life(2, -0.5, 1.9)), (1.99,) * len(LOOKS_S)),
    "one never ends": History((Life(1, -10, 0.1, filled="0.5"), Life(2, -1))),
    "one ends late": History((Life(1, -10, 0.1), Life(2, -1, 7.7)), history_lag_s=1.0),
    "one had ended before": History((Life(1, -10, -1), Life(2, -1, 0.2))),
    "all had ended before": History((Life(1, -10, -3), Life(2, -1, -0.4, "filled", "1"))),
    "one is late": History((Life(1, -10, 0.1), Life(2, 0.3, 0.9))),
    "only late ones": History((Life(1, 0.1, 0.2), Life(2, 0.3))),
    "a history that lags far behind": History((Life(1, -10, 0.1), Life(2, -1, 0.6)), history_lag_s=8.0),
}


def with_pushes(history: History, lags_s: Sequence[float]) -> History:
    """The same with a live and a final push of each order, which come so much later, one after the other."""
    events = [(life.born_s, life.row(life.born_s)) for life in history.lives]
    events += [(life.ended_s, life.row(NEVER)) for life in history.lives if life.ended_s < NEVER]
    pushes = [(max(at_s + lag_s, 0.001), row) for (at_s, row), lag_s in zip(events, lags_s, strict=False)]
    return History(history.lives, history.listings_lag, history.history_lag_s, tuple(pushes))


@pytest.mark.failure(36, 47)
@pytest.mark.parametrize("name", SMALL)
def test_every_subset_of_pushes_in_every_order_changes_only_the_time(
    name: str, count_cases: Callable[[int], None]
) -> None:
    """Each push lost or not, in each order of arrival, early or late: lost pushes delay, late ones undo nothing."""
    without = played(SMALL[name], ())
    cases = more = 0
    for lags_s in itertools.product((0.01, 2.5), repeat=4):
        history = with_pushes(SMALL[name], lags_s)
        for kept in itertools.chain.from_iterable(
            itertools.combinations(range(len(history.pushes)), size) for size in range(len(history.pushes) + 1)
        ):
            more += not same_and_no_later(without, played(history, history.told(kept)))
            cases += 1
    count_cases(cases)
    # Only where the history lags can the stream know of an order that no read told of.
    assert not more or SMALL[name].history_lag_s, more


@pytest.mark.failure(47)
def test_what_only_the_stream_can_tell_of_is_told() -> None:
    """Swept before the first listing, and the history hides it for eight seconds: CONFIRMED instead of nothing."""
    history = with_pushes(History((Life(1, -10, -0.003),), history_lag_s=8.0), (0.01, 0.01))
    without, beside = played(history, ()), played(history, history.told())
    assert (without.outcome, beside.outcome) == (Outcome.NOTHING_TO_CANCEL, Outcome.CONFIRMED)
    assert beside.at_s == without.at_s


# -- any history ------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any orders, any lags of the reads within what is assumed, and pushes lost, doubled, late and out of order."""
    lives = []
    for number in range(draw(st.integers(0, 5))):
        born_s = draw(st.sampled_from([-1e6, -60, -2.5, -1, -0.1, -0.01, 0.02, 0.5, 3]))
        after_s = draw(st.sampled_from([0.01, 0.06, 0.2, 0.6, 1.5, 2.2, 7, NEVER]))
        early = born_s <= -1 and draw(st.integers(0, 4)) == 0
        ended_s = born_s + after_s / 10 if early else max(born_s, 0) + after_s
        status = draw(st.sampled_from(["cancelled", "filled"]))
        filled = "1" if status == "filled" else draw(st.sampled_from(["0", "0.25"]))
        lives.append(Life(number, born_s, ended_s, status, filled))
    lags = draw(st.lists(st.sampled_from([0.0, 0.1, 0.4, 1.2, 1.99]), min_size=len(LOOKS_S), max_size=len(LOOKS_S)))
    history = History(tuple(lives), tuple(lags), draw(st.sampled_from([0.0, 0.0, 0.3, 1.4, 5.0])))
    pushes = []
    for life in lives:
        for at_s in (life.born_s, life.ended_s):
            for _ in range(draw(st.integers(0, 2)) if at_s < NEVER else 0):
                came_s = at_s + draw(st.sampled_from([0.002, 0.03, 0.4, 2.5, 9.0]))
                if came_s > 0:
                    pushes.append((came_s, life.row(at_s)))
    return History(history.lives, history.listings_lag, history.history_lag_s, tuple(pushes))


@pytest.mark.failure(36, 41, 47)
@settings(max_examples=500, deadline=None)
@given(histories())
def test_no_pushes_make_a_false_claim_or_another_outcome_or_a_later_one(history: History) -> None:
    """0 false confirmations, the same outcome with and without, and CONFIRMED no later."""
    same_and_no_later(played(history, ()), played(history, history.told()))


@st.composite
def named_histories(draw: st.DrawFn) -> tuple[History, Want, bool]:
    """One order that a command names, another one with its client id before it, and pushes of both."""
    want = draw(st.sampled_from([Want.FINAL, Want.PRESENT]))
    by_id = want is Want.FINAL and draw(st.booleans())
    born_s = 0.03 if want is Want.PRESENT else draw(st.sampled_from([-60, -1, -0.2]))
    ended_s = max(born_s, 0) + draw(st.sampled_from([0.01, 0.2, 1.5, 7, NEVER]))
    status, filled = draw(st.sampled_from([("cancelled", "0.5"), ("filled", "1")]))
    lives = [Life(5, born_s, ended_s, status, filled, "mine")]
    if draw(st.booleans()):
        lives.insert(0, Life(1, -90, -70, "cancelled", "0", "mine"))
    pushes = []
    for life in lives:
        for at_s in (life.born_s, life.ended_s):
            for _ in range(draw(st.integers(0, 2)) if at_s < NEVER else 0):
                pushes.append((max(at_s, 0) + draw(st.sampled_from([0.002, 0.03, 0.4, 2.5, 90.0])), life.row(at_s)))
    lags = draw(st.lists(st.sampled_from([0.0, 0.4, 1.99]), min_size=len(LOOKS_S), max_size=len(LOOKS_S)))
    return History(tuple(lives), tuple(lags), draw(st.sampled_from([0.0, 1.4])), tuple(pushes)), want, by_id


@pytest.mark.failure(36, 47)
@settings(max_examples=300, deadline=None)
@given(named_histories())
def test_no_pushes_prove_of_a_named_order_what_is_not_so(case: tuple[History, Want, bool]) -> None:
    """The same verdict with and without, no later, and never of another order that had its client id."""
    history, want, by_id = case
    found = []
    for pushes in ((), history.told()):
        command = Command(bounds_ms=bounds)
        command.signed(SIGNED_NS, T_MS)
        command.answered(Certainty.ACKED, ns(ANSWERED_S))
        named = str(FIRST_ID + 5) if by_id else None
        target = Target(
            command=command, symbol="BTCUSDT", want=want, order_id=named, client_oid="mine", certainty=Certainty.ACKED
        )
        made = Named((target,))
        proven_s = NEVER
        for at_s, fact in sorted([*history.reads(), *pushes], key=lambda each: each[0]):
            if isinstance(fact, Push):
                made.saw_push(fact)
            else:
                _ = made.saw_listing(fact) if isinstance(fact, Listing) else made.saw_page(fact)
            if made.settled:
                proven_s = at_s
                break
        found.append((target.verdict(made.book), proven_s))
        life = history.lives[-1]
        if target.verdict(made.book) is Verdict.DONE:
            assert target.order_id == str(FIRST_ID + 5)
            assert (life.ended_s if want is Want.FINAL else life.born_s) <= proven_s
        if target.final:
            assert target.row is not None
            assert target.row.status.value == life.status
    (without, without_s), (beside, beside_s) = found
    assert (beside, beside_s <= without_s) == (without, True)
