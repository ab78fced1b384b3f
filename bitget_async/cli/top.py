"""`bitget-async top`: a running client on a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
from argparse import Namespace
from typing import TYPE_CHECKING

from bitget_async import UsageError
from bitget_async.cli.boards import Out
from bitget_async.cli.exits import Exit
from bitget_async.cli.frame import Rates, frame
from bitget_async.cli.signals import on_signals
from bitget_async.clock import Clock, SystemClock
from bitget_async.exposure import Onlooker
from bitget_async.models import Snapshot

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

__all__ = ["Screen", "top"]

# Without a terminal nobody says how wide it is to be.
PLAIN_WIDTH = 118
AGAIN_S = 1.0


def top(args: Namespace) -> Exit:
    """The command."""
    # Where the loop cannot take signals (Windows), Ctrl-C ends it like this.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(args, Out(), SystemClock()))
    return Exit.OK


async def _run(args: Namespace, out: Out, clock: Clock) -> None:
    running = asyncio.current_task()
    assert running is not None
    asked = on_signals(running.cancel)
    try:
        if args.json:
            await _print(args, out)
        elif args.once or out.console is None:
            await _draw_once(args, out)
        else:
            await _watch(args, out.console, clock)
    except asyncio.CancelledError:
        if not asked():
            raise


async def _print(args: Namespace, out: Out) -> None:
    """Snapshots for another program, a line each."""
    async with await Onlooker.at(args.socket) as onlooker:
        if args.once:
            out.raw(json.dumps((await onlooker.once()).to_dict()))
            return
        async for seen in onlooker.every(args.every):
            out.raw(json.dumps(seen.to_dict()))


async def _draw_once(args: Namespace, out: Out) -> None:
    async with await Onlooker.at(args.socket) as onlooker:
        seen = await onlooker.once()
    rates = Rates()
    rates.saw(seen)
    console = out.console or _plain()
    console.print(frame(seen, rates, console.width))


async def _watch(args: Namespace, console: Console, clock: Clock) -> None:
    """Until somebody ends it. The first connection must be there; one that is lost is made anew."""
    onlooker = await Onlooker.at(args.socket)
    with Screen(console) as screen:
        while True:
            try:
                async with onlooker:
                    async for seen in onlooker.every(args.every):
                        screen.show(seen)
            except UsageError as error:
                screen.lost(str(error))
            onlooker = await _again(args.socket, screen, clock)


async def _again(path: str, screen: Screen, clock: Clock) -> Onlooker:
    while True:
        await clock.sleep(AGAIN_S)
        try:
            return await Onlooker.at(path)
        except UsageError as error:
            screen.lost(str(error))


class Screen:
    """The whole terminal, given back at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rates = Rates()
        self._seen: Snapshot | None = None
        self._live = _live(console)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, seen: Snapshot) -> None:
        """Draw what was seen."""
        self._seen = seen
        self._rates.saw(seen)
        self._draw("")

    def lost(self, why: str) -> None:
        """Draw the last that was seen once more, and why nothing newer comes."""
        self._draw(why)

    def _draw(self, lost: str) -> None:
        if self._seen is not None:
            console = self._console
            self._live.update(frame(self._seen, self._rates, console.width, console.height, lost), refresh=True)


def _live(console: Console) -> Live:
    from rich.live import Live

    return Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop")


def _plain() -> Console:
    try:
        from rich.console import Console
    except ImportError:
        raise UsageError("top needs rich: install bitget-async[cli], or ask for --json") from None
    return Console(width=PLAIN_WIDTH)
