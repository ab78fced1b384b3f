"""Stops, sweeps and placements with faults, callers who leave and clients that close: what is told stays whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    Event,
    FateKnown,
    HandleChanged,
    RequestEnded,
    RequestStarted,
    TokenTaken,
)
from bitget_async.clock import VirtualClock
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import CALM, client_of, run_virtual
from tests.heard import Heard

BTC, ETH, SOL = "BTCUSDT", "ETHUSDT", "SOLUSDT"
LIMIT: dict[str, Any] = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "10000", "force": "gtc"}
FAULTS = (
    faults.drop(executed=True),
    faults.hang(executed=False),
    faults.envelope("429", status=429),
    faults.envelope("40014"),
    faults.page(502, executed=False),
    faults.never_executed(),
)
PLACES = (None, "unfilled-orders", "history-orders", "cancel-symbol-order", "batch-cancel-order", "place-order")


def call(client: BitgetClient, rng: random.Random) -> Awaitable[object]:
    """One call of some kind."""
    match rng.randrange(6):
        case 0:
            return client.cancel_all_orders(
                rng.choice([None, [BTC]]), dry_run=rng.random() < 0.1, confirm_within_s=rng.choice([1.0, 60.0])
            )
        case 1:
            return client.cancel_symbol_orders(
                BTC,
                max_wait_s=rng.choice([None, 0.0, 0.3]),
                ensure=rng.random() < 0.3,
                snapshot=rng.choice(["before", "concurrent", "none"]),
            )
        case 2:
            return client.place_order(BTC, **LIMIT, max_wait_s=rng.choice([None, 0.0, 0.2]))
        case 3:
            return client.batch_orders([LIMIT] * rng.choice([1, 25]), ETH)
        case 4:
            return client.cancel_order(ETH, order_id="77")
        case _:
            return client.account.assets()


async def drive(exchange: SimulatedExchange, client: BitgetClient, rng: random.Random) -> None:
    """A few calls; some callers leave, after some turns of the loop or some time; then the client closes."""
    for symbol in (BTC, ETH, SOL):
        _ = exchange.rest(symbol, rng.randrange(30), age_s=60)
    for _ in range(rng.randrange(4)):
        exchange.faults.add(rng.choice(PLACES), rng.choice(FAULTS), times=rng.choice([1, 2, 5]))
    tasks: list[asyncio.Future[object]] = []
    for _ in range(rng.randrange(1, 9)):
        task = asyncio.ensure_future(call(client, rng))
        tasks.append(task)
        for _ in range(rng.choice([0, 0, *range(12)])):
            await asyncio.sleep(0)
        await asyncio.sleep(rng.choice([0.0, 0.0, 0.03, 1.0, 5.0]) * rng.random())
        if rng.random() < 0.3:
            task.cancel()
    if rng.random() < 0.5:
        exchange.faults.clear()
        await asyncio.sleep(90)
    _ = client.snapshot()
    await client.close()
    _ = await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("first", range(0, 60, 15))
def test_every_request_and_every_handle_begins_and_ends_once(first: int) -> None:
    """Whatever fails, whoever leaves in whatever turn, and whenever the client closes."""
    for seed in range(first, first + 15):
        rng = random.Random(seed)
        kept: list[Heard] = []

        async def main(seed: int = seed, rng: random.Random = rng, kept: list[Heard] = kept) -> None:
            made = SimulatedExchange(seed, clock=VirtualClock(), settings=Settings(**CALM))
            road = rng.choice(["rest", "rest", "stream"])
            async with made as exchange, client_of(exchange, stream=rng.random() < 0.4, trade_over=road) as client:
                kept.append(Heard(client))
                await drive(exchange, client, rng)

        run_virtual(main, debug=False)
        assert kept[0].broken() == [], seed


# -- the judge is judged ------------------------------------------------------------------------------------------


def taken(**more: Any) -> TokenTaken:
    """A token."""
    return TokenTaken(at_ns=1, request=1, copy=1, endpoint="time", waited_s=0.0, **more)


def started() -> RequestStarted:
    """The start of the same copy."""
    return RequestStarted(at_ns=1, request=1, copy=1, endpoint="time", method="GET", path="/time")


def ended(**more: Any) -> RequestEnded:
    """Its end."""
    what = {"request": 1, "copy": 1, "certainty": "accepted", "code": "00000", **more}
    return RequestEnded(at_ns=1, endpoint="time", method="GET", path="/time", **what)


def state(state: str) -> HandleChanged:
    """A state of one handle."""
    return HandleChanged(at_ns=1, call=1, kind="placement", command="place-order", symbol=BTC, state=state)


def fate(fate: str) -> FateKnown:
    """A fate of one order."""
    return FateKnown(at_ns=1, call=1, order_id="7", client_oid="", symbol=BTC, fate=fate, source="orders")


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([taken(), started(), ended()], ""),
        ([state("begun"), state("settled"), fate("placed")], ""),
        ([taken(), started()], "request 1, copy 1"),
        ([taken(), started(), ended(), ended()], "request 1, copy 1"),
        ([started(), taken(), ended()], "request 1, copy 1"),
        ([ended(copy=2)], "without the one before"),
        ([taken(calls=(1,)), started(), ended()], "has not begun"),
        ([state("signed"), state("settled")], "does not begin once"),
        ([state("begun"), state("begun"), state("settled")], "does not begin once"),
        ([state("begun"), state("answered")], "does not end once"),
        ([state("begun"), state("settled"), state("cleared")], "does not end once"),
        ([fate("placed"), fate("placed")], "was told 2 times"),
        ([taken(), started(), ended(certainty="not_sent", sent_bytes=1)], "not sent, and yet"),
        ([taken(), started(), ended(code=None)], "accepted, and yet"),
        ([taken(), started(), ended(wire_s=-1.0)], "less than no time"),
        ([taken(calls=(object(),))], "no plain value"),
    ],
)
def test_the_judge_finds_what_cannot_be(events: list[Event], what: str) -> None:
    """A judge that finds nothing would let everything pass."""
    heard = Heard(BitgetClient(base_url="http://127.0.0.1:1"))
    heard.events += events
    broken = "\n".join(heard.broken())
    assert what in broken if what else not broken
