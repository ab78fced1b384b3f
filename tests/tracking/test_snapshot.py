"""What a cancellation by symbol is given of the tracker can only make it ask for more proof, never for less."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async import Order, Outcome
from bitget_async.evidence import Certainty, Listing, Page, Sweep
from tests.evidence.making import SIGNED_NS, T_MS, bounds, done, listing, ns, order, page

NUMBERS = st.sets(st.integers(1, 5))
AT_S = st.floats(-1.0, 60.0)
CLAIMS = (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL)


def rows(numbers: set[int], *, ended: bool) -> list[Order]:
    """Rows of orders 1 to 5: made at different times before and after the signing, and ended so."""
    return [done(n, n - 3.0, created_s=n - 4.0) if ended else order(n, n - 4.0) for n in sorted(numbers)]


facts = st.lists(
    st.one_of(
        st.builds(lambda at_s, numbers: listing(at_s, *rows(numbers, ended=False)), AT_S, NUMBERS),
        st.builds(lambda at_s, numbers: page(at_s, *rows(numbers, ended=True)), AT_S, NUMBERS),
    ),
    max_size=8,
)


def told(read: list[Listing | Page], snapshot: list[Order]) -> Sweep:
    """A sweep that was acknowledged, with those facts, begun with that snapshot."""
    made = Sweep("BTCUSDT", bounds_ms=bounds)
    made.signed(SIGNED_NS, T_MS)
    for each in snapshot:
        made.placed(each, "tracker", hearsay=True)
    made.answered(Certainty.ACKED, ns(0.05))
    for fact in read:
        _ = made.saw_listing(fact) if isinstance(fact, Listing) else made.saw_page(fact)
    return made


@settings(max_examples=400, deadline=None, derandomize=True)
@given(facts, NUMBERS, st.booleans())
def test_a_snapshot_never_makes_an_outcome(read: list[Listing | Page], numbers: set[int], wrong: bool) -> None:
    """
    True or wrong (orders that do not exist, or ended long ago): what is claimed with it is claimed without it, and
    every order that is required without it is required with it. So it can make no false confirmation.
    """
    snapshot = rows(numbers, ended=False) + ([order(77, -600)] if wrong else [])
    with_it, without = told(read, snapshot), told(read, [])
    outcome = with_it.outcome()
    if outcome in CLAIMS:
        assert without.outcome() in CLAIMS
    if outcome is Outcome.NOTHING_TO_CANCEL:
        assert without.outcome() is Outcome.NOTHING_TO_CANCEL
    if wrong:
        assert outcome is not Outcome.CONFIRMED
    seen = {fate.order.order_id for fate in without.fates}
    assert seen <= {fate.order.order_id for fate in with_it.fates}
    assert {*without.missing} <= {*with_it.missing}


def test_the_snapshot_requires_what_no_listing_shows_any_more() -> None:
    """What it is for: the sweep ran before the first listing, and the history lags. The order is asked for by id."""
    read: list[Listing | Page] = [listing(0.2), listing(2.0), page(2.0)]
    assert told(read, []).outcome() is Outcome.NOTHING_TO_CANCEL
    made = told(read, [order(1, -60)])
    assert made.outcome() is None
    assert len(made.missing) == 1
    _ = made.saw_page(page(3.0, done(1, 0.1, created_s=-60), source="orderInfo"))
    assert made.outcome() is Outcome.CONFIRMED
