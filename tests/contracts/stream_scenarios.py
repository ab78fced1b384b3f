"""
Directed histories of the order stream: pushes that are missing, late, twice or swapped beside reads that lag.

As in `scenarios`: each builds its own world and raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from bitget_async import CancellationReport, Outcome, PlacementOutcome
from bitget_async.sim import Settings, faults

from .commands_judge import CommandsWorld
from .commands_scenarios import came_to, played
from .road_scenarios import CALM
from .scenarios import BTC, COMMAND, ETH, must_be
from .streaming import listening, streaming
from .world import World, demand

STREAM: dict[str, Callable[[], None]] = {}
INF = float("inf")
READS = ("unfilled-orders", "history-orders", "orderInfo")


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    STREAM[play.__name__] = play
    return play


@contextlib.contextmanager
def commands(**settings: Any) -> Iterator[CommandsWorld]:
    """The same as `streaming` for commands that name their orders."""
    made = CommandsWorld(1, Settings(**(CALM | settings)), stream=True)
    try:
        listening(made)
        yield made
        made.finish()
    finally:
        if not made.closed:
            made.dispose()


def unpushed(it: World, rest: Callable[[], list[str]]) -> list[str]:
    """Orders of which no push comes."""
    it.exchange.settings.push_loss = 1.0
    ids = rest()
    it.advance(0.1)
    it.exchange.settings.push_loss = 0.0
    return ids


def no_history(it: World) -> None:
    """No read tells of the end of any order."""
    it.exchange.settings.history_lag_s = INF
    it.exchange.faults.add("orderInfo", faults.page(502, executed=False), times=None)


def told_by(report: CancellationReport) -> set[str]:
    """What told of the orders in scope."""
    return {each.source for each in (*report.cancelled, *report.filled)}


@scenario
def an_order_that_nobody_pushed_survives() -> None:
    """Two of three orders are pushed final. Of the third no push ever came, and it is open: only reads tell."""
    with streaming() as it:
        ids = unpushed(it, lambda: it.exchange.rest(BTC, 3, age_s=60))
        it.exchange.faults.add(COMMAND, faults.executed_in_part((ids[2],)), times=1)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.STILL_OPEN, 3)
        demand(told_by(report) == {"orders"}, "47 of the failure model: the others were pushed", report.orders)


@scenario
def pushes_come_twice_and_swapped() -> None:
    """The end before the beginning, each twice, and no read tells of an end: the first final push is proof for ever."""
    with streaming(push_doubling=1.0, push_disorder=1.0) as it:
        no_history(it)
        it.exchange.rest(BTC, 1)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 1)
        demand(told_by(report) == {"orders"}, "47 of the failure model: pushed", report.orders)


@scenario
def pushes_clear_nothing() -> None:
    """The one known order is pushed final while another one is open, too young for every listing so far."""
    with streaming(listing_lag_s=1.9) as it:
        it.exchange.rest(BTC, 1, age_s=60)
        (young,) = unpushed(it, lambda: it.exchange.rest(BTC, 1))
        it.exchange.faults.add(COMMAND, faults.executed_in_part((young,)), times=1)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.STILL_OPEN, 2)
        demand(report.cleared_at_ms is None, "cleared is a listing that shows none of them", report.cleared_at_ms)


@scenario
def another_symbol_ends_at_the_same_time() -> None:
    """Nothing stood on one symbol, three orders on another one, and all pushes come on one channel."""
    with streaming() as it:
        it.exchange.rest(ETH, 3)
        nothing, three = it.cancel(BTC), it.cancel(ETH)
        must_be(it.settle(nothing), Outcome.NOTHING_TO_CANCEL, 0)
        must_be(it.settle(three), Outcome.CONFIRMED, 3)


@scenario
def an_order_comes_while_the_stream_is_away() -> None:
    """The socket is cut, an order comes, the socket is back: no push tells of it, nor an early listing."""
    with streaming(listing_lag_s=1.9) as it:
        it.exchange.rest(BTC, 1, age_s=60)
        it.exchange.sockets.cut()
        it.advance(0.05)
        (young,) = it.exchange.rest(BTC, 1)
        for _ in range(15):
            if it.client.stream.order_desk.live_ns is None:
                it.advance(0.1)
        demand(it.client.stream.order_desk.live_ns is not None, "the stream is back")
        it.exchange.faults.add(COMMAND, faults.executed_in_part((young,)), times=1)
        must_be(it.settle(it.cancel(BTC)), Outcome.STILL_OPEN, 2)


@scenario
def a_live_push_comes_when_everything_is_over() -> None:
    """Pushes are 43 s late: that an order is live comes after the horizon, long after its end, and proves nothing."""
    with streaming() as it:
        no_history(it)
        it.exchange.settings.push_lag_s = 43.0
        it.exchange.rest(BTC, 1)
        call = it.cancel(BTC)
        it.advance(43.05)
        # The push of its end is lost.
        it.exchange.sockets.drop_pushes(1)
        report = it.settle(call)
        must_be(report, Outcome.UNKNOWN, 1)
        demand(report.reason == "vanished", "41 of the failure model: it may have filled", report.reason)


@scenario
def a_push_of_an_order_that_had_the_client_id_before() -> None:
    """The end of the first order is pushed after the command for the second one was signed; that command got lost."""
    with commands() as it:
        it.exchange.settings.push_lag_s = 3.0
        came_to(it, it.place(BTC, "ioc", "mine"), PlacementOutcome.PLACED)
        came_to(it, it.place(BTC, "resting", "mine"), PlacementOutcome.PLACED)
        played(it, "cancel-order", faults.drop(executed=False))
        came_to(it, it.cancel_one(BTC, client_oid="mine"), Outcome.STILL_OPEN)
        came_to(it, it.cancel_one(BTC, client_oid="mine"), Outcome.CONFIRMED)


@scenario
def commands_are_proven_by_their_pushes() -> None:
    """Every read fails: what is placed and cancelled by id is proven all the same, with no read that was answered."""
    with commands() as it:
        for endpoint in READS:
            it.exchange.faults.add(endpoint, faults.page(502, executed=False), times=None)
        report = came_to(it, it.place(BTC, "resting", "mine"), PlacementOutcome.PLACED)
        demand(report.placement.source == "orders", "47 of the failure model: pushed", report)
        report = came_to(it, it.cancel_one(BTC, client_oid="mine"), Outcome.CONFIRMED)
        demand(told_by(report) == {"orders"}, "47 of the failure model: pushed", report)


@scenario
def a_silent_stream_changes_nothing() -> None:
    """The connection stands and nothing comes on it: every outcome is that of a client without the stream."""
    with streaming() as it:
        it.exchange.sockets.stall(True, newcomers=True)
        ids = it.exchange.rest(BTC, 2)
        it.exchange.faults.add(COMMAND, faults.executed_in_part((ids[1],)), times=1)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.STILL_OPEN, 2)
        demand(told_by(report) == {"history-orders"}, "told by reads", report.orders)
        must_be(it.settle(it.cancel(BTC)), Outcome.CONFIRMED, 1)


@scenario
def requests_are_counted_exactly() -> None:
    """One cancellation alone: what its report says was asked is what the exchange was asked; pushes are no requests."""
    with streaming() as it:
        it.exchange.rest(BTC, 3)
        # The tracker of open orders reads by itself when the stream comes.
        it.advance(10)
        before = len(it.exchange.truth.wire)
        report = it.settle(it.cancel(BTC))
        must_be(report, Outcome.CONFIRMED, 3)
        asked = Counter(copy.endpoint for copy in it.exchange.truth.wire[before:])
        demand(report.requests == asked, "counted", report.requests, asked)
        demand(asked.total() == 5, "a command, a snapshot, an early look, the deciding look and a page", asked)
