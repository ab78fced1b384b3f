"""
`python -m tests.guard.rehearsal`: real guards, bots and a Redis as processes of their own, and what happens to
the account when one of them dies. Judged by the simulator's truth; leaves docs/measured/guard.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitget_async.sim import Account, Settings, SimulatedExchange
from tests.soak.measured import machine, write

ROOT = Path(__file__).parent.parent.parent
AFTER_S = 3.0
EVERY_S = 0.3
BLIND_AFTER_S = 2.0
AWAY_S = 4.0
PATIENCE_S = 120.0
REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
PASSWORD = "rehearsal-password-8f2c"


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
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BITGET_")}
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
    account: Account
    folder: Path
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
        command = ("bitget_async", "guard", *where, "--after", str(AFTER_S), "--json", *self.more)
        child = await Child.start(*command, "--base-url", self.exchange.base_url, env=env)
        self.guards.append(child)
        _ = self.stack.push_async_callback(child.end)
        _ = await child.wait_for(event="listening")
        return child

    async def bot(self) -> Child:
        """Start a bot, and wait until it is guarded and has beaten a few times."""
        env = {"WHERE": self.where} if self.where else {}
        child = await Child.start("tests.guard.bot", env=env)
        self.bots.append(child)
        _ = self.stack.push_async_callback(child.end)
        task = {"key": self._keys, "base_url": self.exchange.base_url, "every_s": EVERY_S}
        child.tell(json.dumps(task | {"where": str(self.folder / "guard.sock")}))
        _ = await child.wait_for(state="guarded")
        await asyncio.sleep(EVERY_S * 3)
        return child

    @property
    def commands_ns(self) -> list[int]:
        """When commands for this account arrived at the exchange."""
        uid = self.account.uid
        return [copy.received_ns for copy in self.exchange.truth.wire if copy.method == "POST" and copy.uid == uid]

    def last_beat_ns(self) -> int:
        """When the last beat that the guard took left the bot."""
        return max(int(line["beat_ns"]) for bot in self.bots for line in bot.all(word="armed"))

    async def stopped(self) -> dict[str, Any]:
        """Wait for the proof, and compare it with the truth."""
        done = await self.guards[-1].wait_for(event="confirmed")
        left = self.exchange.truth.open_ids(self.account.uid)
        assert left == (), f"confirmed, and open at the exchange: {left}"
        beat_ns = self.last_beat_ns()
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


async def bot_killed(case: Case) -> dict[str, Any]:
    """SIGKILL: no goodbye."""
    _ = await case.guard()
    await (await case.bot()).end()
    return await case.stopped()


async def bot_hung(case: Case) -> dict[str, Any]:
    """A blocking call on the loop: the process lives, its connection stands, and it does not beat."""
    _ = await case.guard()
    bot = await case.bot()
    bot.tell("hang")
    found = await case.stopped()
    assert bot.process.returncode is None
    return found


async def goodbye(case: Case) -> dict[str, Any]:
    """The bot leaves in peace."""
    guard = await case.guard()
    bot = await case.bot()
    bot.tell("leave")
    _ = await bot.wait_for(state="ended")
    _ = await guard.wait_for(event="bot", standing="gone")
    await asyncio.sleep(2 * AFTER_S)
    return case.untouched()


async def guard_restarted(case: Case) -> dict[str, Any]:
    """The guard is killed, the bot beats on, and the next guard hears it in time."""
    await (await case.guard()).end()
    await asyncio.sleep(0)
    first = await case.guard()
    bot = await case.bot()
    await first.end()
    await asyncio.sleep(AWAY_S)
    _ = await case.guard()
    before = len(bot.all(word="armed"))
    await asyncio.sleep(2 * AFTER_S)
    assert len(bot.all(word="armed")) > before + 3
    return case.untouched()


async def bot_killed_while_the_guard_was_away(case: Case) -> dict[str, Any]:
    """Nobody listened when the bot died: the time counts, and the bot gets two beats to be heard."""
    first = await case.guard()
    bot = await case.bot()
    await first.end()
    await bot.end()
    await asyncio.sleep(AWAY_S)
    guard = await case.guard()
    (listening,) = guard.all(event="listening")
    found = await case.stopped()
    return found | {"stop_after_guard_is_back_s": round((case.commands_ns[0] - listening["read_ns"]) / 1e9, 2)}


async def guard_killed_while_it_stopped(case: Case) -> dict[str, Any]:
    """It had fired, and nothing was proven: the next one goes on."""
    first = await case.guard()
    await (await case.bot()).end()
    _ = await first.wait_for(event="fired")
    await first.end()
    _ = await case.guard()
    return await case.stopped()


async def redis_gone(case: Case) -> dict[str, Any]:
    """Redis dies and stays away, the bot is well: nobody can tell, and the guard was told to fire then."""
    case.more = ("--if-blind", "fire", "--blind-after", str(BLIND_AFTER_S))
    guard = await case.guard()
    _ = await case.bot()
    await case.redis.stop()
    found = await case.stopped()
    assert guard.all(event="fired")[0]["because"] == "blind"
    return found


async def redis_restarted(case: Case) -> dict[str, Any]:
    """Redis comes back empty; the bot was well all the time."""
    case.more = ("--if-blind", "wait")
    guard = await case.guard()
    bot = await case.bot()
    await case.redis.stop()
    _ = await guard.wait_for(event="blind", armed=["bot"])
    await asyncio.sleep(AWAY_S)
    before = len(guard.all(event="sighted"))
    await case.redis.start()
    await asyncio.sleep(2 * AFTER_S)
    assert len(guard.all(event="sighted")) == before + 1
    assert bot.all(word="armed")[-1]["read_ns"] > guard.all(event="sighted")[-1]["read_ns"]
    return case.untouched()


async def bot_killed_while_redis_was_gone(case: Case) -> dict[str, Any]:
    """The guard waits while it is blind, and fires as soon as it sees that nobody beats."""
    case.more = ("--if-blind", "wait")
    guard = await case.guard()
    bot = await case.bot()
    await case.redis.stop()
    _ = await guard.wait_for(event="blind", armed=["bot"])
    await bot.end()
    await asyncio.sleep(AWAY_S)
    await case.redis.start()
    found = await case.stopped()
    seen_ns = guard.all(event="sighted")[-1]["read_ns"]
    return found | {"stop_after_redis_is_back_s": round((case.commands_ns[0] - seen_ns) / 1e9, 2)}


class RedisServer:
    """A Redis on loopback that keeps nothing on disk."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """With its password."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it, and wait until it takes connections."""
        assert REDIS is not None
        options = f"--port {self.port} --bind 127.0.0.1 --requirepass {PASSWORD} --appendonly no --daemonize no"
        self._process = await asyncio.create_subprocess_exec(
            REDIS, *options.split(), "--save", "", stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        """Kill it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            _ = await self._process.wait()


SOCKET_CASES: dict[str, Callable[[Case], Awaitable[dict[str, Any]]]] = {
    "bot killed": bot_killed,
    "bot hung": bot_hung,
    "bot says goodbye": goodbye,
    "guard restarted, bot well": guard_restarted,
    "guard restarted, bot killed meanwhile": bot_killed_while_the_guard_was_away,
    "guard killed while it stopped": guard_killed_while_it_stopped,
}
REDIS_CASES: dict[str, Callable[[Case], Awaitable[dict[str, Any]]]] = {
    "bot killed (Redis)": bot_killed,
    "Redis gone, --if-blind fire": redis_gone,
    "Redis restarted, bot well": redis_restarted,
    "Redis restarted, bot killed meanwhile": bot_killed_while_redis_was_gone,
}


@asynccontextmanager
async def case_of(exchange: SimulatedExchange, *, redis: bool) -> AsyncIterator[Case]:
    """A fresh account with five open orders, and a folder of its own."""
    account = exchange.add_account()
    for symbol, count in (("BTCUSDT", 3), ("ETHUSDT", 2)):
        _ = exchange.rest(symbol, count, account=account, age_s=60)
    folder = Path(tempfile.mkdtemp(prefix="guard-"))
    try:
        async with AsyncExitStack() as stack:
            case = Case(exchange, account, folder, stack)
            if redis:
                case.redis = RedisServer()
                await case.redis.start()
                _ = stack.push_async_callback(case.redis.stop)
                case.where = case.redis.url
            yield case
        for child in case.guards + case.bots:
            assert PASSWORD not in f"{child.said}{child.errors}", "the password of Redis was shown"
            assert "Traceback" not in child.errors, child.errors
    finally:
        shutil.rmtree(folder)


async def run(names: list[str]) -> dict[str, Any]:
    """Run these cases, all at once, each with an account of its own."""
    settings = Settings(listing_lag_s=0.0, history_lag_s=0.05, sweep_delay_s=0.05, ip_per_minute=None)
    async with SimulatedExchange(6, settings=settings) as exchange:

        async def one(name: str) -> dict[str, Any]:
            redis = name in REDIS_CASES
            async with case_of(exchange, redis=redis) as case:
                return await (REDIS_CASES if redis else SOCKET_CASES)[name](case)

        found = await asyncio.gather(*map(one, names))
    return dict(zip(names, found, strict=True))


def main() -> int:
    """All cases, two at a time, so that the machine does not make the figures; kept in docs/measured."""
    if REDIS is None:
        print("redis-server is not installed", file=sys.stderr)
        return 1
    names = [*SOCKET_CASES, *REDIS_CASES]
    began = time.monotonic()
    found: dict[str, Any] = {}
    for at in range(0, len(names), 2):
        found |= asyncio.run(run(names[at : at + 2]))
    facts = {
        "what": "The guard: when the stop went out after the last heartbeat, and when it was confirmed",
        "command": "python -m tests.guard.rehearsal",
        "machine": machine(),
        "after_s": AFTER_S,
        "every_s": EVERY_S,
        "blind_after_s": BLIND_AFTER_S,
        "away_s": AWAY_S,
        "cases": found,
        "duration_s": round(time.monotonic() - began),
    }
    write("guard", facts)
    print(json.dumps(facts, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
