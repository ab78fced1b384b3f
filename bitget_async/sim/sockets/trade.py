"""
Commands that come over a socket: `op: trade` with the channels place-order and cancel-order.
"""

from __future__ import annotations

from typing import Protocol

from bitget_async.sim.accounts import Key
from bitget_async.sim.gateway import Gateway
from bitget_async.sim.settings import Settings
from bitget_async.sim.venue import Venue

__all__ = ["BadCommand", "command"]

CHANNELS = ("place-order", "cancel-order")
ID_CHARACTERS = 40
# A guess: the code is in the table, that accounts get it for want of this permission is not.
NO_PERMISSION = ("25620", "You do not have the permission to trade over websocket")


class BadCommand(Exception):  # noqa: N818 - the client is wrong, nothing else
    """Not a command; no answer could name it."""


class Floor(Protocol):
    """What a command needs of the exchange."""

    gateway: Gateway
    venue: Venue
    settings: Settings


def command(floor: Floor, key: Key, args: list[object], ip: str, now_ns: int) -> dict[str, object] | None:
    """
    Do what the arguments of an `op: trade` say, with the checks, limits and faults of the REST call of that name (that
    both share one quota is a guess). Returns the answer's frame, `None` where a fault swallows it. Raises `BadCommand`.
    """
    # The documents show one argument; that more are refused is a guess.
    arg = args[0] if len(args) == 1 else None
    if not isinstance(arg, dict):
        raise BadCommand
    names = {name: arg.get(name) for name in ("id", "instType", "channel", "instId")}
    params = arg.get("params")
    if not all(isinstance(text, str) for text in names.values()) or not isinstance(params, dict):
        raise BadCommand
    if names["channel"] not in CHANNELS or names["instType"] != "SPOT" or len(str(names["id"])) > ID_CHARACTERS:
        raise BadCommand
    answer: tuple[str, str, object] | None = (*NO_PERMISSION, None)
    if floor.settings.socket_trading:
        fields = {**params, "symbol": names["instId"]}
        answer = floor.gateway.command(key, str(names["channel"]), fields, ip, now_ns)
    if answer is None:
        return None
    code, text, data = answer
    done = code == "00000"
    return {
        "event": "trade" if done else "error",
        "arg": [{**names, "params": data if done else params}],
        "code": int(code),
        "msg": "Success" if done else text,
        "ts": str(floor.venue.timeline.epoch_ms(now_ns)),
    }
