"""
What it costs to watch a client: nobody listens, somebody does, telemetry is on, everything is logged.

The same signed command, and the same placement with its handle and its proof, through clients that differ in nothing
but who listens; all in one process, in turns, round by round, against a raw server in a process of its own. What counts
is the ratio of processor times to the client to which nobody listens, in the same round.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

from _common import arguments, cores, machine, pin, ratio, report, server, sized, where
from _contenders import Ours
from _worker import measured

from bitget_async.events import Event

PACKAGES = ("opentelemetry-api", "opentelemetry-sdk")
NOBODY = "nobody"
KINDS = {"place": "a signed command", "proven": "a placement with its handle, proven"}


@contextmanager
def logged(level: int) -> Iterator[None]:
    """The client's log, formatted and written to nowhere."""
    logger = logging.getLogger("bitget_async")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        before = logger.level, logger.propagate
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before[0])
            logger.propagate = before[1]


@contextmanager
def told(client: Any) -> Iterator[None]:
    """Telemetry on, with the SDK: spans are batched, points are kept in memory, and nothing leaves the process."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    from bitget_async.telemetry import Telemetry

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    tracers, meters = TracerProvider(), MeterProvider([InMemoryMetricReader()])
    tracers.add_span_processor(BatchSpanProcessor(Nowhere()))
    with Telemetry(client, tracer_provider=tracers, meter_provider=meters):
        yield
    tracers.shutdown()
    meters.shutdown()


@asynccontextmanager
async def reading(client: Any) -> AsyncIterator[None]:
    """`async for event in client.events()` in a task."""
    events = client.events()

    async def read() -> None:
        async for _ in events:
            pass

    task = asyncio.ensure_future(read())
    yield
    task.cancel()
    _ = await asyncio.wait((task,))


async def sides(base_url: str, stack: AsyncExitStack) -> dict[str, tuple[Ours, Any]]:
    """A client for each way to watch, and what must be on while it is measured."""
    made: dict[str, tuple[Ours, Any]] = {}

    async def side(name: str, during: Any = None) -> Any:
        ours = Ours(base_url)
        stack.push_async_callback(ours.close)
        _ = await ours.place()
        made[name] = ours, during
        return ours.client

    _ = await side(NOBODY)
    _ = await side("nobody, once more")
    (await side("one callback")).on(Event, lambda event: None)
    _ = await stack.enter_async_context(reading(await side("one reader of events()")))
    _ = await side("logging at INFO", lambda: logged(logging.INFO))
    _ = await side("logging at DEBUG", lambda: logged(logging.DEBUG))
    if find_spec("opentelemetry") and find_spec("opentelemetry.sdk"):
        _ = stack.enter_context(told(await side("telemetry, spans and metrics")))
    return made


async def measure(base_url: str, rounds: int, calls: int) -> dict[str, list[dict[str, Any]]]:
    """Both tables."""
    rng = random.Random(1)
    async with AsyncExitStack() as stack:
        made = await sides(base_url, stack)
        return {
            f"{title}, 10 in flight": await compare(made, kind, rng, rounds, calls) for kind, title in KINDS.items()
        }


async def compare(
    made: dict[str, tuple[Ours, Any]], kind: str, rng: random.Random, rounds: int, calls: int
) -> list[dict[str, Any]]:
    """In every round every side in turn."""
    costs: dict[str, list[float]] = {name: [] for name in made}
    for number in range(rounds + 1):
        for name in rng.sample(list(made), len(made)):
            ours, during = made[name]
            with nullcontext() if during is None else during():
                found = await measured(ours, kind, min(10, calls), calls)
            if number:
                costs[name].append(found["cpu_us"])
    return [
        {"who listens": name, **ratio(each, costs[NOBODY]), "cpu us": statistics.median(each)}
        for name, each in costs.items()
    ]


NOTES = """\
ratio   processor time by that of the client to which nobody listens, in the same round: median, least, most
The log is formatted and written to nowhere; spans are batched and thrown away; points are kept in memory."""


def main() -> None:
    """Run, and print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="paired rounds")
    parser.add_argument("--calls", type=int, help="calls a round")
    args = parser.parse_args()
    rounds = args.rounds or sized(args, 11, 5, 1)
    calls = args.calls or sized(args, 150, 60, 3)
    header, (mine, other) = machine(PACKAGES), cores()
    with server(other) as base_url:
        pin(mine)
        sections = asyncio.run(measure(base_url, rounds, calls))
    header["spread"] = f"{rounds} paired rounds of {calls} calls a side, {where(mine)}"
    report(args, header, sections, NOTES)


if __name__ == "__main__":
    main()
