"""The loop in virtual time, where runs of days need it to be exact."""

from __future__ import annotations

import asyncio

import async_solipsism
import pytest

from tests.virtualtime import virtual_loop


@pytest.mark.parametrize("seconds", [0.1, 86_399.0, 86_400.0, 3 * 86_400.0, 1e7])
def test_a_sleep_of_days_ends_when_it_should(seconds: float) -> None:
    """The loop asks for at most a day at a time; the virtual selector takes that for "no timer"."""
    loop = virtual_loop()
    loop.run_until_complete(asyncio.sleep(seconds))
    assert loop.time() == pytest.approx(seconds, abs=2e-6)
    loop.close()


def test_a_timer_due_now_fires_after_weeks_too() -> None:
    """Late in a run a fixed resolution is lost in the float: the timer would be neither due nor ahead, for ever."""
    loop = virtual_loop()
    moments: list[float] = []

    async def main() -> None:
        await asyncio.sleep(3e6)
        for number in range(50):
            loop.call_at(loop.time(), lambda: moments.append(loop.time()))
            await asyncio.sleep(number * 1e-6)

    loop.run_until_complete(main())
    assert len(moments) == 50
    loop.close()


def test_a_loop_with_nothing_to_wait_for_says_so() -> None:
    """A test that would hang ends instead."""
    loop = virtual_loop()
    with pytest.raises(async_solipsism.SleepForeverError):
        loop.run_until_complete(loop.create_future())
    loop.close()
