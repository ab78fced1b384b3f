"""One process of the proof: two clients of one account, as many callers each, commands and reads without a pause."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bitget_async import BitgetClient, BitgetError, Credentials, RedisLimits
from bitget_async.clock import SystemClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS

CALLERS = 4


async def caller(client: BitgetClient, number: int, row: Any) -> None:
    """One request after the other, and a word about each answer."""
    session = client._open().session
    while True:
        given = {"symbol": "BTCUSDT"} if row is CANCEL_SYMBOL_ORDER else {}
        try:
            # The bare call: this is about the limit, and the verb would look after every command with reads.
            await session.call(row, given, repeat=False)
        except BitgetError as error:
            print(row.short, type(error).__name__, flush=True)
        else:
            print(row.short, "ok", flush=True)


async def main() -> None:
    """Until it is killed, or told to end."""
    told = json.loads(sys.stdin.readline())
    key = Credentials(*told["key"])
    async with RedisLimits(told["redis"], uid=told["uid"], share=told["share"], lease_s=told["lease_s"]) as limits:
        clients = [
            BitgetClient(key, base_url=told["base_url"], limits=limits, clock=SystemClock(), timeout_s=told["lease_s"])
            for _ in range(2)
        ]
        try:
            loop = asyncio.get_running_loop()
            work = [
                loop.create_task(caller(client, number, row))
                for client in clients
                for row in (CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS)
                for number in range(CALLERS)
            ]
            _ = await loop.run_in_executor(None, sys.stdin.readline)
            for task in work:
                task.cancel()
            _ = await asyncio.gather(*work, return_exceptions=True)
        finally:
            for client in clients:
                await client.close()


if __name__ == "__main__":
    asyncio.run(main())
