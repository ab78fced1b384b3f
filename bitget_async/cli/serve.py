"""`bitget-async sim`: the simulated exchange as a server of its own."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace

from bitget_async import UsageError
from bitget_async.cli.boards import Out
from bitget_async.cli.exits import Exit
from bitget_async.cli.signals import on_signals
from bitget_async.sim import SYMBOLS, SimulatedExchange

__all__ = ["serve"]


def serve(args: Namespace) -> Exit:
    """The command."""
    for symbol, _ in args.rest:
        if symbol not in SYMBOLS:
            raise UsageError(f"the simulator has no symbol {symbol!r}; it has {', '.join(SYMBOLS)}")
    try:
        asyncio.run(_serve(args))
    except OSError as error:
        raise UsageError(f"cannot listen on {args.host} port {args.port}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        # Where the loop cannot take signals (Windows), Ctrl-C ends it like this.
        pass
    return Exit.OK


async def _serve(args: Namespace) -> None:
    stop = asyncio.Event()
    _ = on_signals(stop.set)
    # An open exchange for days must not remember every request.
    async with SimulatedExchange(args.seed, host=args.host, port=args.port, keep_wire=10_000) as exchange:
        for symbol, count in args.rest:
            exchange.rest(symbol, count)
        key = exchange.credentials()
        # The only place where this program prints a key: a made-up one, of an exchange that ends with it.
        line = {
            "base_url": exchange.base_url,
            "api_key": key.api_key,
            "secret": key.secret,
            "passphrase": key.passphrase,
        }
        Out().raw(json.dumps(line))
        await stop.wait()
