"""
`python -m tests.top_picture [SECONDS]` writes docs/pictures/top.svg: `bitget-async top` while the demo runs, so many
seconds after its beginning. In virtual time, so that it takes none.
"""

from __future__ import annotations

import asyncio
import io
import random
import sys
from pathlib import Path

from rich.console import Console

from bitget_async import BitgetClient
from bitget_async.cli.frame import Rates, frame
from bitget_async.cli.scenario import Stage, plan, settings
from bitget_async.cli.tracks import Tracker
from bitget_async.clock import VirtualClock
from bitget_async.models import Snapshot
from bitget_async.sim import SimulatedExchange
from tests.conftest import run_virtual

__all__ = ["FILE", "draw"]

FILE = Path(__file__).parent.parent / "docs" / "pictures" / "top.svg"
AT_S, EVERY_S = 2.0, 0.1
SYMBOLS, SEED = 24, 1
WIDTH, HEIGHT = 126, 36


def seen_at(seconds: float) -> tuple[Snapshot, Rates]:
    """The demo's client so many seconds after the first command, and the rates until then."""
    rates = Rates()
    shown: list[Snapshot] = []

    async def main() -> None:
        exchange = SimulatedExchange(SEED, clock=VirtualClock(), settings=settings())
        stage = Stage(exchange, plan(SEED, SYMBOLS), random.Random(f"stage/{SEED}"))
        stage.set_up()
        async with exchange:
            made = BitgetClient(
                exchange.credentials(),
                base_url=exchange.base_url,
                clock=VirtualClock(),
                rng=random.Random(SEED),
                stream=True,
                timeout_s=1.0,
            )
            async with made as client:
                await client.open_orders.ready()
                names = [part.symbol for part in stage.parts]
                tracker = Tracker(client, names, VirtualClock(), ensure=True, on_taken=stage.taken)
                running = asyncio.ensure_future(tracker.run(stage.tick))
                for _ in range(round(seconds / EVERY_S)):
                    await asyncio.sleep(EVERY_S)
                    shown.append(client.snapshot())
                    rates.saw(shown[-1])
                await running

    run_virtual(main, debug=False)
    return shown[-1], rates


def draw(seconds: float) -> str:
    """The picture as SVG."""
    seen, rates = seen_at(seconds)
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(frame(seen, rates, WIDTH, HEIGHT))
    return console.export_svg(title="bitget-async top ~/demo.sock", unique_id="top")


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    _ = FILE.write_text(draw(float(sys.argv[1]) if len(sys.argv) > 1 else AT_S), encoding="utf-8")
