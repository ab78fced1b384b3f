"""`python -m tests.scale`: ten thousand handles over a thousand symbols, and cancels behind ten thousand readers."""

from __future__ import annotations

import sys
import time
import tracemalloc

from tests.conftest import run_virtual
from tests.scale.crowds import behind, crowd, listed, weight
from tests.scale.test_crowds import judge_crowd, judge_queue
from tests.soak.measured import machine, write

HANDLES = 10_000
SYMBOLS = 1_000
READERS = 10_000
CANCELS = 1_000


def main() -> int:
    """The long runs, kept in docs/measured; fails where a test would."""
    began = time.monotonic()
    with listed(SYMBOLS) as symbols:
        many = run_virtual(lambda: crowd(symbols, HANDLES), debug=False)
    judge_crowd(many, HANDLES)
    with listed(20) as symbols:
        quiet = run_virtual(lambda: behind(0, CANCELS, 0.21, symbols), debug=False)
        found = run_virtual(lambda: behind(READERS, CANCELS, 0.21, symbols), debug=False)
    extra_ns = judge_queue(found, quiet)
    tracemalloc.start(1)
    with listed(80) as symbols:
        heavy = run_virtual(lambda: weight(symbols), debug=False)
    tracemalloc.stop()
    facts = {
        "what": "Ten thousand handles, and cancels behind ten thousand readers",
        "command": "python -m tests.scale",
        "machine": machine(),
        "handles": HANDLES,
        "symbols": SYMBOLS,
        "outcomes": {outcome.name: count for outcome, count in many.outcomes.items()},
        "virtual_s": many.virtual_s,
        "virtual_s_allowed": HANDLES / 5 * 1.4 + 60,
        "commands_in_the_worst_second": many.commands_worst,
        "listing_reads_per_s": many.listings_per_s,
        "history_and_order_reads": many.histories,
        "answers_429": many.answers_429,
        "bytes_of_a_pending_handle": heavy.pending,
        "bytes_of_a_settled_handle": heavy.settled,
        "bytes_left_of_a_handle": heavy.left,
        "readers": READERS,
        "reads_served_meanwhile": found.served,
        "cancels": CANCELS,
        "cancels_confirmed_behind_readers": found.confirmed,
        "extra_wait_of_a_cancel_p99_ms": extra_ns / 1e6,
        "duration_s": round(time.monotonic() - began),
    }
    write("handles", facts)
    print(facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
