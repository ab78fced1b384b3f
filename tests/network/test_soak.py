"""The soak of a release run, shorter, and with the waiting left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bitget_async.clock import VirtualClock
from tests.network.line import run_over_sockets
from tests.network.soak import Soak


@pytest.mark.failure(5, 6, 7, 9, 10, 11, 13, 14, 15, 16, 17, 19, 21, 29, 31, 32, 33)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_minute_of_every_fault_breaks_no_promise(
    seed: int, count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """Five cancels a second, one in a hundred of each fault, on real sockets and TLS, mixed as chance will have it."""

    async def main() -> tuple[dict[str, Any], list[str]]:
        soak = Soak(60.0, seed, clock=VirtualClock())
        return await soak.run(), soak.false

    figures, false = run_over_sockets(main, debug=False)
    assert false == []
    assert (figures["breaches"], figures["handles_left"]) == (0, 0), figures
    assert figures["cancels"] > 120
    assert figures["faults_on_the_line"] > 20
    count_cases(figures["cancels"])
    figure(f"short_soak.seed_{seed}_cancels", figures["cancels"])
