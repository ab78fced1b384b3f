"""
A bot that is killed: `python -m tests.crash.bot` reads its cases as JSON from standard input and forks one child for
each, so that the package is imported once. A child makes one call and dies by SIGKILL at the point that its case names.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from bitget_async import BitgetClient, Credentials, transport
from bitget_async.journal import Journal, JournalFile, Kind
from bitget_async.limits import LocalLimits
from bitget_async.watcher import Watcher

__all__ = ["POINTS", "STALENESS_S"]

STALENESS_S = 0.3
COMMANDS = ("cancel-symbol-order", "place-order")


def die() -> NoReturn:
    """As the kernel kills: no handler, no `finally`, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def before(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die where that method is called."""
    real = getattr(owner, name)

    def call(*args: Any, **options: Any) -> Any:
        if when(*args):
            die()
        return real(*args, **options)

    setattr(owner, name, call)


def after(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die where that method returns."""
    real = getattr(owner, name)

    def call(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        if when(*args):
            die()
        return result

    setattr(owner, name, call)


def writes(kind: Kind) -> Callable[..., bool]:
    """Whether a call of `note` writes such a record."""
    return lambda file, number, what, *_: what is kind


def waiting_for_the_token() -> None:
    """The token of the command takes longer than this process lives."""
    real = LocalLimits.acquire

    async def acquire(self: Any, row: Any, *args: Any, **options: Any) -> Any:
        if row.short in COMMANDS:
            asyncio.get_running_loop().call_later(0.02, die)
            await asyncio.sleep(60)
        return await real(self, row, *args, **options)

    LocalLimits.acquire = acquire  # type: ignore[method-assign]


def on_the_wire() -> None:
    """All bytes are out, and the exchange has not looked at them yet."""
    real = transport._write
    note = JournalFile.note
    sending: list[int] = []

    def noted(self: Any, number: int, kind: Any, data: Any = None) -> bool:
        if kind is Kind.SENDING:
            sending.append(number)
        return note(self, number, kind, data)

    def write(line: asyncio.WriteTransport, written: bytes) -> None:
        real(line, written)
        if sending and written.startswith(b"POST"):
            asyncio.get_running_loop().call_later(0.05, die)

    JournalFile.note = noted  # type: ignore[method-assign]
    transport._write = write


def looked(watcher: Any, course: Any) -> bool:
    """Whether a read was fed after the answer."""
    return course.evidence.answered_ns is not None and bool(course.requests)


POINTS: dict[str, Callable[[], None]] = {
    "before the intent": lambda: before(JournalFile, "begin"),
    "after the intent": lambda: after(JournalFile, "begin"),
    "waiting for the token": waiting_for_the_token,
    "before the first byte": lambda: after(JournalFile, "note", writes(Kind.SENDING)),
    "on the wire": on_the_wire,
    "answered, not written": lambda: before(JournalFile, "note", writes(Kind.ANSWER)),
    "answer written": lambda: after(JournalFile, "note", writes(Kind.ANSWER)),
    "after the first look": lambda: after(Watcher, "_learnt", looked),
    "settled, not written": lambda: before(JournalFile, "note", writes(Kind.DONE)),
}


async def live(case: dict[str, Any]) -> None:
    """One short life."""
    credentials = Credentials(*case["key"])
    journal = Journal(case["journal"], fsync=case["fsync"])
    client = BitgetClient(
        credentials, base_url=case["base_url"], journal=journal, staleness_s=STALENESS_S, execution_grace_s=0.1
    )
    async with client:
        _ = [await client.market.server_time() for _ in range(2)]
        POINTS[case["point"]]()
        if case["verb"] == "sweep":
            await (await client.cancel_symbol_orders("BTCUSDT", confirm_within_s=2.5)).settled()
        else:
            pending = await client.place_order("BTCUSDT", "buy", "limit", "0.01", price="50000", confirm_within_s=2.5)
            await pending.settled()
    os._exit(7)


def main() -> None:
    """Fork, and tell how each child ended."""
    children = []
    for case in json.load(sys.stdin):
        child = os.fork()
        if not child:
            asyncio.run(live(case))
            os._exit(8)
        children.append(child)
    json.dump([os.waitpid(child, 0)[1] for child in children], sys.stdout)


if __name__ == "__main__":
    main()
