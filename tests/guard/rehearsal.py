"""
`python -m tests.guard.rehearsal`: what happens to the account when a bot, a guard, a Redis or the line to the exchange
dies. Judged by the simulator's truth; leaves docs/measured/guard.json.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from bitget_async.sim import Settings, SimulatedExchange
from tests.guard.stage import Case, Pace, case_of
from tests.sharing.server import program
from tests.soak.measured import machine, write

MEASURED = Pace(after_s=3.0, every_s=0.3, blind_after_s=2.0, away_s=4.0)


async def bot_killed(case: Case) -> dict[str, Any]:
    """SIGKILL: no goodbye."""
    _, bot = await case.both()
    await bot.end()
    return await case.stopped()


async def bot_hung(case: Case) -> dict[str, Any]:
    """A blocking call on the loop: the process lives, its connection stands, and it does not beat."""
    _, bot = await case.both()
    bot.tell("hang")
    found = await case.stopped()
    assert bot.process.returncode is None
    return found


async def goodbye(case: Case) -> dict[str, Any]:
    """The bot leaves in peace."""
    guard, bot = await case.both()
    bot.tell("leave")
    _ = await bot.wait_for(state="ended")
    _ = await guard.wait_for(event="bot", standing="gone")
    await asyncio.sleep(2 * case.pace.after_s)
    return case.untouched()


async def rehearsed(case: Case) -> dict[str, Any]:
    """The bot is killed under a guard that only rehearses: it says what it would have done."""
    case.more = ("--rehearse",)
    guard, bot = await case.both()
    await bot.end()
    said = await guard.wait_for(event="rehearsed")
    assert said["left"] == {"BTCUSDT": 3, "ETHUSDT": 2}
    return case.untouched() | {"said": said["plan"]}


async def one_of_two_killed(case: Case) -> dict[str, Any]:
    """Two bots under one guard: the death of one stops the account, the other one beats on and stays guarded."""
    case.more = ("--name", "maker", "--name", "hedger")
    guard, maker, hedger = await asyncio.gather(case.guard(), case.bot("maker"), case.bot("hedger"))
    await maker.end()
    found = await case.stopped(of=maker)
    assert guard.all(event="fired")[0]["bots"] == ["maker"]
    beats = len(hedger.all(word="armed"))
    await asyncio.sleep(case.pace.every_s * 4)
    assert len(hedger.all(word="armed")) > beats
    return found


async def name_taken(case: Case) -> dict[str, Any]:
    """Two bots by one name: the older one is told, and only the death of the younger one counts."""
    _, older = await case.both()
    younger = await case.bot()
    _ = await older.wait_for(word="superseded")
    await older.end()
    await asyncio.sleep(2 * case.pace.after_s)
    assert case.commands_ns == []
    await younger.end()
    return await case.stopped()


async def guard_restarted(case: Case) -> dict[str, Any]:
    """The guard is killed, the bot beats on, and the next guard hears it in time."""
    first, bot = await case.both()
    await first.end()
    await asyncio.sleep(case.pace.away_s)
    _ = await case.guard()
    before = len(bot.all(word="armed"))
    await asyncio.sleep(2 * case.pace.after_s)
    assert len(bot.all(word="armed")) > before + 3
    return case.untouched()


async def bot_killed_while_the_guard_was_away(case: Case) -> dict[str, Any]:
    """Nobody listened when the bot died: the time counts, and the bot gets two beats to be heard."""
    first, bot = await case.both()
    await first.end()
    await bot.end()
    await asyncio.sleep(case.pace.away_s)
    guard = await case.guard()
    (listening,) = guard.all(event="listening")
    found = await case.stopped()
    return found | {"stop_after_guard_is_back_s": round((case.commands_ns[0] - listening["read_ns"]) / 1e9, 2)}


async def guard_killed_after_the_bot(case: Case) -> dict[str, Any]:
    """The bot is dead, the guard counts its silence and dies too; its supervisor starts it again at once."""
    first, bot = await case.both()
    await bot.end()
    await asyncio.sleep(case.pace.after_s / 3)
    await first.end()
    assert not first.all(event="fired")
    _ = await case.guard()
    return await case.stopped()


async def guard_killed_while_it_stopped(case: Case) -> dict[str, Any]:
    """It had fired, and nothing was proven: the next one goes on."""
    first, bot = await case.both()
    await bot.end()
    _ = await first.wait_for(event="fired")
    await first.end()
    _ = await case.guard()
    return await case.stopped()


async def exchange_unreachable(case: Case) -> dict[str, Any]:
    """
    Nobody listens at the exchange's address when the stop is due. The guard says so and tries on; a bot that is started
    meanwhile is not let in before the stop is proven.
    """
    guard, bot = await case.both()
    _ = await guard.wait_for(event="ready")
    await case.proxy.refuse()
    case.proxy.hang_up()
    await bot.end()
    _ = await guard.wait_for(event="unconfirmed")
    restarted = await case.bot(guarded=False)
    _ = await guard.wait_for(event="unconfirmed", round=2)
    assert case.commands_ns == []
    await case.proxy.listen()
    back_ns = time.monotonic_ns()
    found = await case.stopped()
    let_in = await restarted.wait_for(state="guarded")
    assert let_in["read_ns"] > guard.all(event="confirmed")[0]["read_ns"]
    said_ns = [line["read_ns"] for line in (guard.all(event="fired")[0], *guard.all(event="unconfirmed"))]
    return found | {
        "said_so_after_s": [round((at - said_ns[0]) / 1e9, 1) for at in said_ns[1:]],
        "back_after_s": round((back_ns - said_ns[0]) / 1e9, 1),
        "stop_after_exchange_is_back_s": round((case.commands_ns[0] - back_ns) / 1e9, 2),
    }


async def redis_gone(case: Case) -> dict[str, Any]:
    """Redis dies and stays away, the bot is well: nobody can tell, and the guard was told to fire then."""
    case.more = ("--if-blind", "fire", "--blind-after", str(case.pace.blind_after_s))
    guard, _ = await case.both()
    case.redis.kill()
    found = await case.stopped()
    assert guard.all(event="fired")[0]["because"] == "blind"
    return found


async def redis_and_the_bot_gone(case: Case) -> dict[str, Any]:
    """Both at once, as when one machine had both."""
    case.more = ("--if-blind", "fire", "--blind-after", str(case.pace.blind_after_s))
    guard, bot = await case.both()
    case.redis.kill()
    await bot.end()
    found = await case.stopped()
    assert guard.all(event="fired")[0]["because"] == "blind"
    return found


async def redis_restarted(case: Case) -> dict[str, Any]:
    """Redis comes back empty; the bot was well all the time."""
    case.more = ("--if-blind", "wait")
    guard, bot = await case.both()
    case.redis.kill()
    _ = await guard.wait_for(event="blind", armed=["bot"])
    await asyncio.sleep(case.pace.away_s)
    before = len(guard.all(event="sighted"))
    await asyncio.to_thread(case.redis.start)
    await asyncio.sleep(2 * case.pace.after_s)
    assert len(guard.all(event="sighted")) == before + 1
    assert bot.all(word="armed")[-1]["read_ns"] > guard.all(event="sighted")[-1]["read_ns"]
    return case.untouched()


async def bot_killed_while_redis_was_gone(case: Case) -> dict[str, Any]:
    """The guard waits while it is blind, and fires as soon as it sees that nobody beats."""
    case.more = ("--if-blind", "wait")
    guard, bot = await case.both()
    case.redis.kill()
    _ = await guard.wait_for(event="blind", armed=["bot"])
    await bot.end()
    await asyncio.sleep(case.pace.away_s)
    await asyncio.to_thread(case.redis.start)
    found = await case.stopped()
    seen_ns = guard.all(event="sighted")[-1]["read_ns"]
    return found | {"stop_after_redis_is_back_s": round((case.commands_ns[0] - seen_ns) / 1e9, 2)}


Play = Callable[[Case], Awaitable[dict[str, Any]]]
SOCKET_CASES: dict[str, Play] = {
    "bot killed": bot_killed,
    "bot hung": bot_hung,
    "bot says goodbye": goodbye,
    "bot killed, rehearsal": rehearsed,
    "one of two bots killed": one_of_two_killed,
    "the same name twice, the younger killed": name_taken,
    "guard restarted, bot well": guard_restarted,
    "guard restarted, bot killed meanwhile": bot_killed_while_the_guard_was_away,
    "bot killed, then the guard, restarted": guard_killed_after_the_bot,
    "guard killed while it stopped": guard_killed_while_it_stopped,
    "bot killed, exchange unreachable": exchange_unreachable,
}
REDIS_CASES: dict[str, Play] = {
    "bot killed (Redis)": bot_killed,
    "Redis gone, --if-blind fire": redis_gone,
    "Redis and the bot gone, --if-blind fire": redis_and_the_bot_gone,
    "Redis restarted, bot well": redis_restarted,
    "Redis restarted, bot killed meanwhile": bot_killed_while_redis_was_gone,
}


async def run(names: Sequence[str], pace: Pace) -> dict[str, Any]:
    """Run these cases, all at once, each with an account of its own."""
    settings = Settings(listing_lag_s=0.0, history_lag_s=0.05, sweep_delay_s=0.05, ip_per_minute=None)
    async with SimulatedExchange(6, settings=settings) as exchange:

        async def one(name: str) -> dict[str, Any]:
            redis = name in REDIS_CASES
            async with case_of(exchange, pace, redis=redis) as case:
                return await (REDIS_CASES if redis else SOCKET_CASES)[name](case)

        found = await asyncio.gather(*map(one, names))
    return dict(zip(names, found, strict=True))


def main() -> int:
    """All cases, two at a time, so that the machine does not make the figures; kept in docs/measured."""
    if program() is None:
        print("redis-server is not installed", file=sys.stderr)
        return 1
    names = [*SOCKET_CASES, *REDIS_CASES]
    began = time.monotonic()
    found: dict[str, Any] = {}
    for at in range(0, len(names), 2):
        found |= asyncio.run(run(names[at : at + 2], MEASURED))
    facts = {
        "what": "The guard: when the stop went out after the last heartbeat, and when it was confirmed",
        "command": "python -m tests.guard.rehearsal",
        "machine": machine(),
        **asdict(MEASURED),
        "cases": found,
        "duration_s": round(time.monotonic() - began),
    }
    write("guard", facts)
    print(json.dumps(facts, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
