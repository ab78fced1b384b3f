"""
`python -m tests.sharing.processes`: four processes with two clients each, one account, a real server, real time.

One process is killed, then the server is killed and started again with nothing of what it had. The simulated exchange
counts. Leaves docs/measured/shared_limits.json; `--seconds 14` is what the suite runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bitget_async import RedisLimits
from bitget_async.clock import SystemClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER as COMMAND_ROW
from bitget_async.limits.redis import SharedLine
from bitget_async.sim import Settings, SimulatedExchange
from tests.sharing.server import RealServer

ROOT = Path(__file__).parent.parent.parent
MEASURED = ROOT / "docs" / "measured" / "shared_limits.json"
PROCESSES = 4
COMMAND, READ = "cancel-symbol-order", "unfilled-orders"
QUOTAS = {COMMAND: 5, READ: 20}
LATENCY_S = (0.0, 0.15)
HOLD_S = 1.004
# As long as the timeout of the clients.
LEASE_S = 5.0


@dataclass
class Bot:
    """One process and what it said: the answers to each call."""

    process: asyncio.subprocess.Process
    answers: list[tuple[float, str, str]] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        loop = asyncio.get_running_loop()
        async for line in self.process.stdout:
            call, how = line.decode().split()
            self.answers.append((loop.time(), call, how))
            self.began.set()

    def count(self, call: str, from_s: float, until_s: float) -> int:
        """Requests of that call that were answered in that time."""
        return sum(each == call and from_s <= at < until_s for at, each, _ in self.answers)


@dataclass(frozen=True)
class Proof:
    """What the exchange counted, and what became of the quota; the parts are those of the story, by name."""

    seconds: float
    worst_command_second: int
    worst_read_second: int
    answers_429: int
    commands: int
    reads: int
    command_share: dict[str, float]
    read_share: dict[str, float]
    commands_by_process: dict[str, list[int]]
    reads_by_process: dict[str, list[int]]
    script_us: float
    calls_a_token: float
    client_us_a_call: float
    client_us_a_token: float
    failures: dict[str, int]


async def prove(seconds: float, folder: Path) -> Proof:
    """Play the story: a third with all, a third with one process killed, then the server restarts."""
    server = RealServer(folder)
    settings = Settings(request_latency_s=LATENCY_S, answer_latency_s=LATENCY_S, listing_lag_s=0.0)
    loop = asyncio.get_running_loop()
    async with SimulatedExchange(3, settings=settings) as exchange:
        server.start()
        bots: list[Bot] = []
        try:
            bots = [await start(exchange, server) for _ in range(PROCESSES)]
            hearing = [loop.create_task(bot.listen()) for bot in bots]
            await settled(bots)
            moments = [loop.time()]
            before = spent(server)
            await asyncio.sleep(seconds / 3)
            moments.append(loop.time())
            script = tuple(now - then for now, then in zip(spent(server), before, strict=True))
            cost = await work(server)
            bots[0].process.kill()
            await asyncio.sleep(seconds / 3)
            moments.append(loop.time())
            server.kill()
            await asyncio.sleep(0.5)
            server.start()
            await asyncio.sleep(seconds / 3)
            moments.append(loop.time())
            for bot in bots[1:]:
                assert bot.process.stdin is not None
                bot.process.stdin.write(b"\n")
            _ = await asyncio.gather(*hearing, *(bot.process.wait() for bot in bots))
        finally:
            for bot in bots:
                if bot.process.returncode is None:
                    bot.process.kill()
                    _ = await bot.process.wait()
            server.kill()
        return judged(exchange, bots, moments, script, cost)


async def start(exchange: SimulatedExchange, server: RealServer) -> Bot:
    """One more process of the account."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.sharing.bot", stdin=pipe, stdout=pipe, cwd=ROOT, env=dict(os.environ)
    )
    key = exchange.credentials()
    told = {
        "key": [key.api_key, key.secret, key.passphrase],
        "base_url": exchange.base_url,
        "redis": server.url,
        "uid": "1234567890",
        "share": 1 / PROCESSES,
        "lease_s": LEASE_S,
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    return Bot(process)


async def settled(bots: list[Bot]) -> None:
    """Until each has had an answer: a process takes its time to start."""
    async with asyncio.timeout(120):
        for bot in bots:
            _ = await bot.began.wait()


def spent(server: RealServer) -> tuple[float, float]:
    """How often the script ran so far, and the server's microseconds for that."""
    with server.client() as client:
        stats: Any = client.info("commandstats")
    line = stats["cmdstat_evalsha"]
    return float(line["calls"]), float(line["usec"])


async def work(server: RealServer, times: int = 1000) -> tuple[float, float]:
    """
    Microseconds of this process's CPU for one call of the script with its answer, and for a token that is there: taking
    it and giving it back.
    """
    clock = SystemClock()
    async with RedisLimits(server.url, uid="somebody else", lease_s=0.1) as limits:

        async def token() -> None:
            grant = await limits.acquire(COMMAND_ROW, "a", "b", clock=clock, max_wait_s=None, owner=server)
            grant.unsent()

        await token()
        line = limits._lines["b", "", COMMAND_ROW.path]
        assert isinstance(line, SharedLine)
        # It speaks from here only.
        await limits._talks.close()
        began_ns = time.process_time_ns()
        for _ in range(times):
            await limits._speak(line)
        calls_ns = time.process_time_ns() - began_ns
        for _ in range(times):
            await token()
        tokens_ns = time.process_time_ns() - began_ns - calls_ns
    return calls_ns / times / 1000, tokens_ns / times / 1000


def judged(
    exchange: SimulatedExchange,
    bots: list[Bot],
    moments: list[float],
    script: tuple[float, ...],
    cost: tuple[float, float],
) -> Proof:
    """The exchange's figures, and the part of what the quota allows at this round trip that was used."""
    names = ("all run", "one killed", "server restarted")
    parts = dict(zip(names, pairwise(moments), strict=True))
    cycle_s = HOLD_S + sum(LATENCY_S)
    by_process = {
        call: {name: [bot.count(call, *part) for bot in bots] for name, part in parts.items()} for call in QUOTAS
    }
    shares = {
        call: {
            name: round(sum(by_process[call][name]) * cycle_s / (quota * (until - since)), 3)
            for name, (since, until) in parts.items()
        }
        for call, quota in QUOTAS.items()
    }
    failures: dict[str, int] = {}
    for _, _, how in (each for bot in bots for each in bot.answers):
        if how != "ok":
            failures[how] = failures.get(how, 0) + 1
    tokens = sum(moments[0] <= at < moments[1] for bot in bots for at, _, _ in bot.answers)
    calls, us = script
    truth = exchange.truth
    return Proof(
        seconds=round(moments[-1] - moments[0], 1),
        worst_command_second=truth.worst_second(COMMAND),
        worst_read_second=truth.worst_second(READ),
        answers_429=truth.answers_429,
        commands=truth.count(COMMAND),
        reads=truth.count(READ),
        command_share=shares[COMMAND],
        read_share=shares[READ],
        commands_by_process=by_process[COMMAND],
        reads_by_process=by_process[READ],
        script_us=round(us / max(1.0, calls), 1),
        calls_a_token=round(calls / max(1, tokens), 2),
        client_us_a_call=round(cost[0], 1),
        client_us_a_token=round(cost[1], 1),
        failures=failures,
    )


def main() -> None:
    """Run, print, and leave the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.sharing.processes")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        proof = asdict(asyncio.run(prove(given.seconds, Path(folder))))
    text = json.dumps(proof, indent=1)
    print(text)
    MEASURED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
