"""
A bot with a heartbeat, as a process of its own: `python -m tests.guard.bot` reads its task as one JSON object from
standard input, prints the monotonic time of every beat that the guard has answered, and goes on until it is told
otherwise by the next lines: `hang` blocks the event loop, `leave` ends it in peace.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from bitget_async import BitgetClient, Credentials
from bitget_async.heartbeat import Heartbeat
from bitget_async.pulse import Road


def say(**facts: Any) -> None:
    """One line for the parent."""
    print(json.dumps(facts), flush=True)


def heard(heartbeat: Heartbeat) -> None:
    """Tell of every beat that was answered."""
    road: Road = vars(heartbeat)["_road"]
    real = road.beat

    async def beat(*args: Any) -> Any:
        # The guard counts from the arrival: not earlier than this.
        sent_ns = time.monotonic_ns()
        answer = await real(*args)
        say(beat_ns=sent_ns, word=answer.word.value)
        return answer

    setattr(road, "beat", beat)  # noqa: B010 - a method of this one road


async def live(task: dict[str, Any], lines: asyncio.StreamReader) -> None:
    """Beat until told otherwise."""
    async with BitgetClient(Credentials(*task["key"]), base_url=task["base_url"]) as client:
        heartbeat = client.heartbeat(task["where"], name=task["name"], every_s=task["every_s"], within_s=120.0)
        heard(heartbeat)
        async with heartbeat:
            say(state=heartbeat.state)
            told = (await lines.readline()).strip()
            if told == b"hang":
                time.sleep(3_600)  # noqa: ASYNC251 - that is the accident
        say(state=heartbeat.state)


async def main() -> None:
    """Read the task, and live."""
    lines = asyncio.StreamReader()
    _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await live(json.loads(await lines.readline()), lines)


if __name__ == "__main__":
    asyncio.run(main())
