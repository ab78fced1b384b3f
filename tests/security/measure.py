"""What one input costs: milliseconds of this process's CPU, and the most memory that Python held for it."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

__all__ = ["MOST_BYTES", "MOST_MS", "cpu_ms", "peak_bytes"]

MOST_MS = 50.0
MOST_BYTES = 8 * 1024 * 1024


def cpu_ms(run: Callable[[], object], *, enough_ms: float = MOST_MS, tries: int = 5) -> float:
    """The least of some tries, for another process's cache misses are not ours; the first that is enough ends it."""
    least = float("inf")
    for _ in range(tries):
        before = time.process_time_ns()
        run()
        least = min(least, (time.process_time_ns() - before) / 1e6)
        if least <= enough_ms:
            break
    return least


def peak_bytes(run: Callable[[], object]) -> int:
    """The most that was held at a time."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
