"""
The caller leaves, the reader leaves, the time runs out, the client is closed: before every step of the event loop, of
every kind of call. Judged by the undisturbed run, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import BitgetClient
from bitget_async.endpoints import (
    BATCH_ORDERS,
    CANCEL_REPLACE_ORDER,
    CANCEL_SYMBOL_ORDER,
    HISTORY_ORDERS,
    PLACE_ORDER,
)
from bitget_async.sim import SimulatedExchange, faults
from tests.awaiting.moments import Prepare, Run, Scenario, judge, play, report_of, swept

BTC = "BTCUSDT"
KINDS = ("caller", "timeout", "timer", "awaiter", "close")


async def three_rest(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """Three open orders, and a connection that stands."""
    await client.market.server_time()
    exchange.rest(BTC, 3, age_s=60, ids=["1001", "1002", "1003"])


async def three_rest_cold(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """Three open orders; the connection has to be opened."""
    exchange.rest(BTC, 3, age_s=60)


async def answer_gets_lost(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """The next placement is executed, and its answer never comes."""
    await client.market.server_time()
    exchange.faults.add("place-order", faults.drop(executed=True), times=1)


async def connected(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """A connection stands."""
    await client.market.server_time()


async def sweeping(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """A cancellation of this symbol is on its way: whoever places waits behind it."""
    await three_rest(exchange, client)
    _ = await client.cancel_symbol_orders(BTC)


async def one_survives(exchange: SimulatedExchange, client: BitgetClient) -> None:
    """The next cancellation leaves an order open: it has to be cancelled by its id."""
    await three_rest(exchange, client)
    exchange.faults.add("cancel-symbol-order", faults.executed_in_part(("1002",)), times=1)


async def yes(handle: Any) -> object:
    """The short way to wait."""
    return await handle


async def cleared(handle: Any) -> object:
    """The early signal."""
    return await handle.cleared()


async def changes(handle: Any) -> object:
    """Everything as it becomes known."""
    return [(change.order.order_id, change.fate.value) async for change in handle.changes()]


def cancel(client: BitgetClient, **options: Any) -> Any:
    """Everything on the symbol."""
    return client.cancel_symbol_orders(BTC, **options)


def place(client: BitgetClient, **options: Any) -> Any:
    """One order that rests."""
    return client.place_order(BTC, "buy", "limit", "0.001", price="50000", **options)


SCENARIOS = {
    "a cancellation": Scenario(cancel, CANCEL_SYMBOL_ORDER, prepare=three_rest_cold),
    "two callers join and one leaves": Scenario(
        cancel, CANCEL_SYMBOL_ORDER, prepare=three_rest, callers=2, leavers=1, spent=True
    ),
    "two callers join and both leave": Scenario(
        cancel, CANCEL_SYMBOL_ORDER, prepare=three_rest, callers=2, leavers=2, spent=True
    ),
    "a wait for a token": Scenario(cancel, CANCEL_SYMBOL_ORDER, prepare=three_rest, spent=True),
    "a snapshot before": Scenario(
        lambda client: cancel(client, snapshot="before"), CANCEL_SYMBOL_ORDER, prepare=three_rest
    ),
    "a placement without an answer": Scenario(place, PLACE_ORDER, prepare=answer_gets_lost),
    "a batch of two commands": Scenario(
        lambda client: client.batch_orders(
            [{"side": "buy", "order_type": "limit", "size": "0.001", "price": str(50_000 + n)} for n in range(25)], BTC
        ),
        BATCH_ORDERS,
        commands=2,
        prepare=connected,
        spent=True,
    ),
    "a replacement": Scenario(
        lambda client: client.cancel_replace_order(BTC, order_id="1002", price="50000", size="0.001"),
        CANCEL_REPLACE_ORDER,
        prepare=three_rest,
        spent=True,
    ),
    "a placement behind the fence": Scenario(place, PLACE_ORDER, prepare=sweeping),
    "a cancellation that is seen through": Scenario(
        lambda client: cancel(client, ensure=True), CANCEL_SYMBOL_ORDER, prepare=one_survives
    ),
    "readers of every kind": Scenario(
        cancel, CANCEL_SYMBOL_ORDER, prepare=three_rest, reads=(yes, report_of, cleared, changes)
    ),
}


def points(scenario: Scenario, kind: str, calm: Run) -> list[tuple[int, float | None]]:
    """The steps before which, and for a timer the times at which, that can happen to it."""
    first_s = calm.times_s[0]
    if kind == "timer":
        moments = dict.fromkeys(each - first_s for each in calm.times_s[: calm.answered])
        return [(calm.times_s.index(first_s + at_s), at_s) for at_s in moments if first_s + at_s in calm.times_s]
    begin = {"awaiter": calm.answered, "timeout": scenario.callers}.get(kind, 0)
    end = calm.answered if kind in ("caller", "timeout") else calm.settled
    return [(step, None) for step in range(begin, end)]


@pytest.mark.failure(48, 49, 51)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_before_every_step_it_is_all_or_nothing(name: str, kind: str, count_cases: Callable[[int], None]) -> None:
    """Withdrawn before the signing; untouched from there on; an answer for everybody; nothing left behind."""
    scenario = SCENARIOS[name]
    with swept():
        calm, absent = play(scenario, debug=True), play(scenario, "absent", debug=True)
        assert calm.tokens == calm.copies
        assert calm.sent(scenario.row) == scenario.commands
        moments = points(scenario, kind, calm)
        acted = 0
        for number, (at, at_s) in enumerate(moments):
            run = play(scenario, kind, at, at_s=at_s, debug=number % 10 == 0)
            try:
                judge(scenario, kind, at, run, calm, absent)
            except AssertionError as error:
                error.add_note(f"{name}: {kind} before step {at} of {calm.signed}/{calm.answered}/{calm.settled}")
                raise
            acted += run.acted
    # A timer may run out when there is nothing left to end.
    assert acted >= 0.7 * len(moments)
    count_cases(len(moments))


@pytest.mark.failure(50)
@pytest.mark.parametrize(
    "prepare", [three_rest, three_rest_cold], ids=["on a standing connection", "while it is opened"]
)
@pytest.mark.parametrize("spent", [False, True], ids=["with tokens", "without"])
def test_a_read_that_is_left_before_any_step_owes_nothing(
    prepare: Prepare, spent: bool, count_cases: Callable[[int], None]
) -> None:
    """At most one copy and one token, no token for what was proven not sent, and all of them back when it is over."""

    async def read(client: BitgetClient) -> Any:
        return await client.history_orders(BTC)

    scenario = Scenario(read, HISTORY_ORDERS, prepare=prepare, spent=spent)
    with swept():
        calm = play(scenario, debug=True)
        for at in range(calm.answered):
            run = play(scenario, "caller", at, debug=at % 10 == 0)
            assert run.sent(HISTORY_ORDERS) <= 1
            # A connection stood, and the first byte did not get there: such a token stays spent.
            assert 0 <= run.tokens - run.copies <= 1
            assert run.tokens <= calm.tokens
            assert run.truth == calm.truth
    count_cases(calm.answered)
