"""Real guards, bots and a Redis, each a process of its own, and an account that they act on, whose truth is known."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitget_async.sim import Account, FaultProxy, SimulatedExchange
from tests.sharing.server import RealServer

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 120.0
PASSWORD = "rehearsal-password-8f2c"


@dataclass(frozen=True, slots=True)
class Pace:
    """The guard's `--after` and `--blind-after`, the bots' beat, and how long somebody stays away; in seconds."""

    after_s: float
    every_s: float
    blind_after_s: float
    away_s: float


class Child:
    """A process that says a JSON object a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self.errors = ""
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self._complaining = asyncio.create_task(self._complain())

    @classmethod
    async def start(cls, *args: str, env: dict[str, str]) -> Child:
        """Start `python -m ...`."""
        pipe = asyncio.subprocess.PIPE
        # Without the debug mode that the suite may run in: what is measured is the program as it is.
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("BITGET_", "PYTHON"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *args, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env=clean | env
        )
        return cls(process)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._news:
                self.said.append(json.loads(line) | {"read_ns": time.monotonic_ns()})
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _complain(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.errors += line.decode()

    async def wait_for(self, **facts: Any) -> dict[str, Any]:
        """The first line that has all of these, said or still to come."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while not (found := self.all(**facts)):
                assert not self._reading.done(), f"it ended without {facts}: {self.said} {self.errors}"
                await self._news.wait()
        return found[0]

    def all(self, **facts: Any) -> list[dict[str, Any]]:
        """Every such line so far."""
        return [line for line in self.said if all(line.get(name) == value for name, value in facts.items())]

    def tell(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it and read what it left to say."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        _ = await self.process.wait()
        await asyncio.gather(self._reading, self._complaining)
        if self.process.stdin is not None:
            self.process.stdin.close()


@dataclass
class Case:
    """One account with its guard and its bot."""

    exchange: SimulatedExchange
    proxy: FaultProxy
    account: Account
    folder: Path
    pace: Pace
    stack: AsyncExitStack
    where: str = ""
    more: tuple[str, ...] = ()
    redis: Any = None
    guards: list[Child] = field(default_factory=list)
    bots: list[Child] = field(default_factory=list)

    @property
    def _keys(self) -> list[str]:
        key = self.exchange.credentials(self.account)
        return [key.api_key, key.secret, key.passphrase]

    async def guard(self) -> Child:
        """Start a guard, and wait until it listens."""
        names = ("BITGET_API_KEY", "BITGET_API_SECRET", "BITGET_API_PASSPHRASE")
        env = dict(zip(names, self._keys, strict=True))
        where: tuple[str, ...] = ("--socket", str(self.folder / "guard.sock"))
        if self.where:
            env["BITGET_GUARD_REDIS"] = self.where
            where = ("--redis", "--state", str(self.folder / "guard.state"))
        command = ("bitget_async", "guard", *where, "--after", str(self.pace.after_s), "--json", *self.more)
        child = await Child.start(*command, "--base-url", self.proxy.base_url, env=env)
        self.guards.append(child)
        _ = self.stack.push_async_callback(child.end)
        _ = await child.wait_for(event="listening")
        return child

    async def bot(self, name: str = "bot", *, guarded: bool = True) -> Child:
        """Start a bot; wait until it is guarded and has beaten a few times."""
        child = await Child.start("tests.guard.bot", env={})
        self.bots.append(child)
        _ = self.stack.push_async_callback(child.end)
        task = {"key": self._keys, "base_url": self.exchange.base_url, "every_s": self.pace.every_s, "name": name}
        child.tell(json.dumps(task | {"where": self.where or str(self.folder / "guard.sock")}))
        if guarded:
            _ = await child.wait_for(state="guarded")
            await asyncio.sleep(self.pace.every_s * 3)
        return child

    async def both(self) -> tuple[Child, Child]:
        """Start a guard and a bot, which waits for it."""
        guard, bot = await asyncio.gather(self.guard(), self.bot())
        return guard, bot

    @property
    def commands_ns(self) -> list[int]:
        """When commands for this account arrived at the exchange."""
        uid = self.account.uid
        return [copy.received_ns for copy in self.exchange.truth.wire if copy.method == "POST" and copy.uid == uid]

    async def stopped(self, of: Child | None = None) -> dict[str, Any]:
        """Wait for the proof, and compare it with the truth; counted from the last beat of that bot, or of any."""
        done = await self.guards[-1].wait_for(event="confirmed")
        left = self.exchange.truth.open_ids(self.account.uid)
        assert left == (), f"confirmed, and open at the exchange: {left}"
        # When the last one that the guard took left the bot.
        beats = [line for bot in ([of] if of else self.bots) for line in bot.all(word="armed")]
        beat_ns = max(int(line["beat_ns"]) for line in beats if line["beat_ns"] < self.commands_ns[0])
        return {
            "stop_after_last_beat_s": round((self.commands_ns[0] - beat_ns) / 1e9, 2),
            "confirmed_after_last_beat_s": round((done["read_ns"] - beat_ns) / 1e9, 2),
            "open_at_the_exchange": 0,
            "rounds": done["rounds"],
        }

    def untouched(self) -> dict[str, Any]:
        """Nothing was sent, and everything is open."""
        assert self.commands_ns == [], self.guards[-1].said
        count = len(self.exchange.truth.open_ids(self.account.uid))
        assert count == 5
        return {"stop_after_last_beat_s": None, "open_at_the_exchange": count}


@asynccontextmanager
async def case_of(exchange: SimulatedExchange, pace: Pace, *, redis: bool) -> AsyncIterator[Case]:
    """A fresh account with five open orders, and a folder and a line to the exchange of its own."""
    account = exchange.add_account()
    for symbol, count in (("BTCUSDT", 3), ("ETHUSDT", 2)):
        _ = exchange.rest(symbol, count, account=account, age_s=60)
    folder = Path(tempfile.mkdtemp(prefix="guard-"))
    try:
        async with FaultProxy(exchange.base_url) as proxy, AsyncExitStack() as stack:
            case = Case(exchange, proxy, account, folder, pace, stack)
            if redis:
                case.redis = RealServer(folder, PASSWORD)
                await asyncio.to_thread(case.redis.start)
                _ = stack.callback(case.redis.kill)
                case.where = case.redis.url
            yield case
        for child in case.guards + case.bots:
            assert PASSWORD not in f"{child.said}{child.errors}", "the password of Redis was shown"
            assert "Traceback" not in child.errors, child.errors
    finally:
        shutil.rmtree(folder)
