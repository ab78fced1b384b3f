"""SIGINT and SIGTERM, where the loop can take them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

__all__ = ["on_signals"]


def on_signals(act: Callable[[], object]) -> Callable[[], bool]:
    """Act on SIGINT and SIGTERM; the result tells whether one came."""
    came = False

    def take() -> None:
        nonlocal came
        came = True
        act()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, take)
        except (NotImplementedError, RuntimeError, ValueError):
            continue
    return lambda: came
