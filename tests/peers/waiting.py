"""Waiting for other clients, but not for ever."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_S = 10


def patient(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """What never comes fails the test instead of hanging it."""

    @functools.wraps(test)
    async def timed(**fixtures: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await test(**fixtures)

    return timed


async def come_true(condition: Callable[[], object]) -> None:
    """Look again and again until it holds."""
    while not condition():  # noqa: ASYNC110 - nobody there would set an event
        await asyncio.sleep(0.01)
