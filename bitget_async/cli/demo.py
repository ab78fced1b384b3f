"""`bitget-async demo`: the client against the bundled simulator, and every claim checked against what happened."""

from __future__ import annotations

import asyncio
import json
import random
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bitget_async import BitgetClient, CancellationReport
from bitget_async.cli.boards import Board, Out, board_for
from bitget_async.cli.claims import COMMAND, Claim, check_claims
from bitget_async.cli.exits import Exit, worst
from bitget_async.cli.scenario import Stage, plan, settings
from bitget_async.cli.tracks import Track, Tracker, plural
from bitget_async.clock import Clock, SystemClock
from bitget_async.sim import SimulatedExchange

__all__ = ["Result", "demo", "play"]

READS = ("unfilled-orders", "history-orders", "orderInfo")


@dataclass(frozen=True, slots=True)
class Result:
    """
    What a run came to.

    `tracks` are the symbols, `claims` what was checked, `seen` counts requests at the exchange by endpoint,
    `worst_second` the most commands that it processed in one second.
    """

    seed: int
    elapsed_s: float
    tracks: list[Track]
    claims: list[Claim]
    seen: dict[str, int]
    worst_second: int
    answers_429: int

    @property
    def exit(self) -> Exit:
        """WRONG if a claim is, else the worst of the symbols."""
        wrong = [Exit.WRONG] if not all(claim.held for claim in self.claims) else []
        return worst([*wrong, *(track.exit for track in self.tracks)])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "seed": self.seed,
            "elapsed_s": round(self.elapsed_s, 3),
            "symbols": [_symbol_dict(track) for track in self.tracks],
            "exchange": {
                "requests": self.seen,
                "worst_second_commands": self.worst_second,
                "answers_429": self.answers_429,
            },
            "claims": [
                {"claim": claim.text, "held": claim.held, "checked": claim.checked, "wrong": claim.wrong}
                for claim in self.claims
            ],
            "ok": self.exit is Exit.OK,
        }


def demo(args: Namespace) -> Exit:
    """The command."""
    out = Out()
    parts = plan(args.seed, args.symbols)
    if not args.json:
        for line in intro(sum(part.orders for part in parts), len(parts)):
            out.line(line, "bold" if line.endswith("later.") else "")
    board = board_for(out, silent=args.json)
    result = asyncio.run(play(args.seed, args.symbols, board, expose=args.expose))
    if args.json:
        out.raw(json.dumps(result.to_dict(), indent=2))
    else:
        summary(result, out)
    return result.exit


def intro(orders: int, symbols: int) -> list[str]:
    """What a stranger needs to know to read the table."""
    return [
        f"A simulated exchange holds {orders} orders on {plural(symbols, 'symbol')}. "
        "It answers a cancel at once and acts later.",
        "Unproven: off the list, fate unknown, maybe filled. CONFIRMED: each order's final row was read. "
        "Late: placed after the command.",
        "",
    ]


async def play(
    seed: int, symbols: int, board: Board, clock: Clock | None = None, *, expose: str | None = None
) -> Result:
    """Run the demo and check it; the client may be watched at a socket meanwhile."""
    the_clock = SystemClock() if clock is None else clock
    exchange = SimulatedExchange(seed, clock=the_clock, settings=settings())
    stage = Stage(exchange, plan(seed, symbols), random.Random(f"stage/{seed}"))
    stage.set_up()
    async with exchange:
        client = BitgetClient(
            exchange.credentials(), base_url=exchange.base_url, clock=the_clock, rng=random.Random(seed)
        )
        async with client:
            if expose is not None:
                _ = await client.expose(expose)
            names = [part.symbol for part in stage.parts]
            tracker = Tracker(client, names, the_clock, ensure=True, on_taken=stage.taken)

            def draw() -> None:
                stage.tick()
                board.draw(tracker.tracks, tracker.elapsed_s)

            with board:
                await tracker.run(draw)
    return _result(seed, tracker, stage)


def _result(seed: int, tracker: Tracker, stage: Stage) -> Result:
    exchange = stage.exchange
    reports: list[CancellationReport] = [track.report for track in tracker.tracks if track.report is not None]
    return Result(
        seed=seed,
        elapsed_s=tracker.elapsed_s,
        tracks=tracker.tracks,
        claims=check_claims(exchange, reports, late=stage.late, others=stage.others),
        seen=dict(Counter(copy.endpoint for copy in exchange.truth.wire)),
        worst_second=exchange.truth.worst_second(COMMAND, exchange.account.uid),
        answers_429=exchange.truth.answers_429,
    )


def _symbol_dict(track: Track) -> dict[str, Any]:
    counts = track.counts()
    report = track.report
    return {
        "symbol": track.symbol,
        "outcome": None if report is None else report.outcome.value,
        "reason": "" if report is None else report.reason,
        "error": None if track.error is None else str(track.error),
        "acknowledged": report is not None and report.acknowledged,
        "attempts": 0 if report is None else report.attempts,
        "cancelled": counts.cancelled,
        "part_filled": counts.part_filled,
        "filled": counts.filled,
        "late": counts.late,
        "open": counts.open,
        "unproven": counts.unproven,
        "cleared_after_ms": track.cleared_ms,
        "proven_after_ms": track.proven_ms,
        "requests": {} if report is None else dict(report.requests),
    }


def summary(result: Result, out: Out) -> None:
    """Outcomes, requests, and the claims."""
    tracks = result.tracks
    out.line()
    for state, count in Counter(track.state for track in tracks).most_common():
        names = ", ".join(track.symbol for track in tracks if track.state == state)
        out.line(f"{state:<18} {count:>3}   {names if count < len(tracks) else 'all symbols'}", indent=25)
    seen = result.seen
    reads = sum(seen.get(name, 0) for name in READS)
    each = ", ".join(f"{seen[name]} {name}" for name in READS if name in seen)
    out.line()
    out.line(f"Took               {result.elapsed_s:.1f} s")
    out.line(
        f"Commands           {seen.get(COMMAND, 0)} by symbol, {seen.get('batch-cancel-order', 0)} by id (survivors)"
    )
    out.line(f"Reads              {reads}: {each}; {reads / len(tracks):.1f} a symbol", indent=19)
    out.line(f"Worst second       {result.worst_second} commands at the exchange, whose limit is 5")
    out.line(f"Answers of 429     {result.answers_429}")
    out.line()
    out.line("The client's claims against the simulator's truth:")
    for claim in result.claims:
        mark, style = ("ok   ", "green") if claim.held else ("WRONG", "bold red")
        out.line(f"  {mark} {claim.checked:>5}  {claim.text}", style, indent=15)
        for line in claim.wrong[:5]:
            out.line(f"               {line}", "red")
