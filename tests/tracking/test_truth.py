"""Whatever becomes of pushes and reads: once they work again, the tracker knows the truth."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitget_async.tracking import Sureness
from tests.tracking.world import CALM, FINAL, Faults, World

chances = st.sampled_from([0.0, 0.1, 0.5, 1.0])
troubles = st.builds(
    Faults,
    loss=chances,
    doubling=chances,
    late_ms=st.sampled_from([0, 50, 5_000, 60_000]),
    stale_ms=st.sampled_from([0, 300, 1_980]),
    history_ms=st.sampled_from([0, 800, 30_000]),
    failing=st.sampled_from([0.0, 0.2, 0.9]),
)
STEPS = ("place", "place", "place", "fill", "part", "cancel", "cancel", "wait", "wait", "long", "cut", "connect")


def play(world: World, steps: list[str]) -> None:
    """Do each of the steps, with time between them."""
    for step in steps:
        opens = world.open_now()
        some = world.dice.choice(opens) if opens else None
        if step == "place":
            _ = world.place(world.dice.choice(["BTCUSDT", "ETHUSDT"]), here=world.dice.random() < 0.5)
        elif step == "cut":
            world.cut()
        elif step == "connect":
            world.connect()
        elif some is not None and step == "part":
            world.become(some, "partially_filled", min(some.past[-1][2] + 1, 9))
        elif some is not None and step in ("fill", "cancel"):
            world.become(some, "filled" if step == "fill" else "cancelled")
        world.run({"wait": 500, "long": 25_000}.get(step, world.dice.randint(0, 40)))


def settle(world: World) -> None:
    """The faults stop: one good listing, and what it makes wanted."""
    world.faults = CALM
    world.cut()
    world.connect()
    # A ban's probe comes after 35 s, the history after 30 s and is swept each 20 s; late pushes after a minute.
    world.run(130_000)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.integers(0, 2**32), troubles, st.lists(st.sampled_from(STEPS), min_size=15, max_size=60))
@pytest.mark.failure(47)
def test_once_the_faults_stop_the_truth_is_known_and_was_told_once(seed: int, faults: Faults, steps: list[str]) -> None:
    """
    The promise of the tracker: the open set is the truth, each end was told to the readers, nothing twice, nothing
    backwards; and on the way there LIVE never claimed more than it promises (`World.judge`, after each event).
    """
    world = World(seed, faults)
    _ = world.place()
    world.run(10)
    world.connect()
    play(world, steps)
    settle(world)
    assert world.sureness() is Sureness.LIVE
    assert world.shown() == {real.number for real in world.open_now()}
    assert world.tracking.missing == 0
    assert world.began_ms is not None
    ended = {real.number: real.past[-1][1:] for real in world.orders.values() if real.past[-1][1] in FINAL}
    told = {int(each.order_id): (each.status.value, int(each.base_volume or 0)) for each in world.told}
    assert {number: told.get(number) for number in ended} == ended
    world.judge_told()


@pytest.mark.failure(47)
def test_an_hour_of_faults(count_cases: Callable[[int], None]) -> None:
    """The same as one long story, for what only shows when faults follow on faults."""
    world = World(7, Faults(loss=0.3, doubling=0.3, late_ms=5_000, stale_ms=1_980, history_ms=800, failing=0.1))
    world.connect()
    dice = random.Random(7)
    play(world, [dice.choice(STEPS) for _ in range(1_200)])
    settle(world)
    assert world.shown() == {real.number for real in world.open_now()}
    told = {int(each.order_id): each.status.value for each in world.told}
    ended = {real.number: real.past[-1][1] for real in world.orders.values() if real.past[-1][1] in FINAL}
    assert {number: told.get(number) for number in ended} == ended
    world.judge_told()
    count_cases(len(world.orders))
