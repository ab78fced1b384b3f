"""`bitget-async guard`: the dead man's switch, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bitget_async import BitgetClient, Credentials, UsageError
from bitget_async.cli.boards import Out
from bitget_async.cli.exits import Exit
from bitget_async.cli.signals import on_signals
from bitget_async.clock import Clock, SystemClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.guard import Memory, Rules
from bitget_async.guardian import AccountHands, Guardian
from bitget_async.pulse import Inlet, inlet_of
from bitget_async.redis_server import SealedUrl

__all__ = ["REDIS_URL", "guard"]

REDIS_URL = "BITGET_GUARD_REDIS"
MOST_LOOK_S = 0.25
LOUD = ("fired", "resumed_stop", "unconfirmed", "late", "not_ready", "odd_key", "blind", "memory_damaged", "warning")


def guard(args: Namespace) -> Exit:
    """The command."""
    for symbol in args.symbol:
        CANCEL_SYMBOL_ORDER.checked({"symbol": symbol})
    rules = Rules(
        tuple(dict.fromkeys(args.name)) or ("bot",),
        args.after,
        together=args.all,
        fire_if_blind=args.if_blind == "fire",
        blind_after_s=args.blind_after,
        look_s=min(MOST_LOOK_S, args.after / 20),
        rearm=args.rehearse,
    )
    clock = SystemClock()
    told = Teller(clock, as_json=args.json)
    credentials = Credentials.from_env()
    inlet = inlet_of(_where(args), rules.names, rules.look_s, clock)
    memory = None
    if not args.forget:
        memory = Memory(_state_of(args), clock, lambda text: told("warning", {"what": text}))
    try:
        ended = asyncio.run(_run(args, rules, inlet, credentials, memory, clock, told))
    except KeyboardInterrupt:
        # Where the loop cannot take signals (Windows), Ctrl-C ends it like this.
        ended = Exit.INTERRUPTED
    finally:
        if memory is not None:
            memory.close()
    return ended


def _where(args: Namespace) -> str:
    """The path of the socket, or the URL of the Redis."""
    if args.socket is not None and "://" in args.socket:
        raise UsageError("--socket takes a path; the URL of a Redis goes with --redis")
    if args.socket is not None:
        return str(args.socket)
    if args.redis and ("@" in args.redis or "password" in args.redis):
        raise UsageError(
            f"a password in a command line is seen by everybody on this machine: put the URL in {REDIS_URL}"
        )
    found = args.redis or os.environ.get(REDIS_URL, "")
    if not found:
        raise UsageError(f"--redis without a URL takes it from {REDIS_URL}, which is not set")
    return SealedUrl(found)


async def _run(
    args: Namespace,
    rules: Rules,
    inlet: Inlet,
    credentials: Credentials,
    memory: Memory | None,
    clock: Clock,
    told: Callable[[str, Mapping[str, Any]], None],
) -> Exit:
    options: dict[str, Any] = {"demo": args.demo_trading} | ({"base_url": args.base_url} if args.base_url else {})
    async with BitgetClient(credentials, clock=clock, **options) as client:
        guardian = Guardian(
            rules,
            inlet,
            AccountHands(client, include=("normal", *args.include), symbols=args.symbol),
            memory,
            armed=args.armed,
            rehearse=args.rehearse,
            once=args.once,
            clock=clock,
            tell=told,
        )
        running = asyncio.current_task()
        assert running is not None
        asked = on_signals(running.cancel)
        try:
            await guardian.run()
        except asyncio.CancelledError:
            if not asked():
                raise
        return _ended(guardian, told)


def _ended(guardian: Guardian, told: Callable[[str, Mapping[str, Any]], None]) -> Exit:
    """What is left undone; a guard that ends while a bot relies on it says so."""
    stopping = guardian.dog.stopping is not None
    told("ended", {"stop_unproven": stopping, "armed": list(guardian.dog.armed)})
    return Exit.UNKNOWN if stopping else Exit.OK


def _state_of(args: Namespace) -> Path:
    """The state file: beside the socket, unless given. A rehearsal leaves that of the real guard alone."""
    if args.state is None and args.socket is None:
        raise UsageError("a guard on Redis needs --state FILE, or --forget to remember nothing over a restart")
    path = args.state if args.state is not None else f"{args.socket}.state"
    return Path(f"{path}.rehearsal" if args.rehearse else path)


class Teller:
    """
    Says what happens: a line each, or with `as_json` a JSON object a line. What somebody should read goes to standard
    error too where that is another place.
    """

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self._out, self._err = Out(), Out(sys.stderr)

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        if self._as_json:
            self._out.raw(json.dumps({"event": event, "at_ms": self._clock.epoch_ms(), **facts}))
            return
        to = self._err if event in LOUD else self._out
        to.line(f"{'rehearsal: ' if facts.get('rehearsal') else ''}{sentence_of(event, facts)}")


def sentence_of(event: str, facts: Mapping[str, Any]) -> str:
    """One line for a person."""
    bots = ", ".join(facts.get("bots", ()))
    match event:
        case "listening":
            return f"listening at {facts['at']} for {bots}; fires after {facts['after_s']:g} s of silence"
        case "remembered":
            away = facts["away_s"]
            known = "for nobody knows how long" if away is None else f"for {away:.1f} s"
            states = ", ".join(f"{name} {state}" for name, state in facts["bots"].items())
            return f"an earlier guard was here; nobody listened {known}; {states}"
        case "memory_damaged":
            return f"the state file cannot be read, so every bot counts as armed; {facts['what']}"
        case "bot":
            return f"{facts['name']}: {facts['standing']}"
        case "fired":
            why = "was not heard" if facts["because"] == "silent" else "could not be heard"
            then = "the account would be stopped" if facts.get("rehearsal") else "the account is being stopped"
            return f"FIRED: {bots} {why} for {facts['silent_s']:.1f} s; {then}"
        case "resumed_stop":
            return f"the stop because of {bots} was not finished; going on with it"
        case "confirmed":
            return f"CONFIRMED: nothing is open. {_symbols(facts['symbols'])}"
        case "unconfirmed":
            left = facts.get("left")
            known = "what is open is not known" if left is None else f"open: {_symbols(left) or 'none'}"
            wrong = "".join(f"; {each}" for each in facts.get("wrong", ()))
            return f"NOT CONFIRMED, going on: {known}; {_symbols(facts['symbols'])}{wrong}"
        case "late":
            return f"orders arrived after the stop, and are stopped too: {_symbols(facts['symbols'])}"
        case "late_confirmed":
            return f"CONFIRMED again: nothing is open. {_symbols(facts['symbols'])}"
        case "rehearsed":
            if facts["plan"] is None:
                return f"would stop the account now; what is open could not be listed: {facts['wrong']}"
            return f"would stop the account now. Open: {_symbols(facts['left']) or 'none'}. Plan: {facts['plan']}"
        case "blind":
            armed = ", ".join(facts["armed"]) or "nobody"
            return f"heartbeats cannot be seen ({facts['why']}); armed: {armed}"
        case "sighted":
            return f"heartbeats can be seen again, after {facts['blind_s']:.1f} s"
        case "ready":
            return f"the exchange answers this key; {facts['open_orders']} open orders"
        case "not_ready":
            return f"NOT READY: the exchange does not answer this key as it should: {facts['why']}"
        case "odd_key":
            return "; ".join(facts["what"])
        case "ended":
            undone = "; a stop is NOT proven: start it again with the same state" if facts["stop_unproven"] else ""
            armed = f"; nobody guards {', '.join(facts['armed'])} now" if facts["armed"] else ""
            return f"ended{armed}{undone}"
        case _:
            return str(facts.get("what", event))


def _symbols(found: Mapping[str, object]) -> str:
    return ", ".join(f"{symbol} {what}" for symbol, what in found.items())
