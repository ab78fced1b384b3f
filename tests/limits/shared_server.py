"""
A Redis server in virtual time: the very script, run by a Lua interpreter, on a clock that follows the event loop.

It knows the few words that the script uses. That a real server understands them in the same way is for
tests/limits/test_redis_real.py to show.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec
from lupa import lua51

from bitget_async.limits.server import SCRIPT, Away

# Some wall clock or other, in microseconds.
EPOCH_US = 1_750_000_000_000_000
UP_S = 1_000_000


class FakeServer:
    """One server for any number of `Link`s. `up`, and everything that can happen to a server."""

    def __init__(self) -> None:
        self.up = True
        self.calls = 0
        self.step_us = 0
        self._kept: dict[str, bytes] = {}
        self._run = 1
        self._began_s = -float(UP_S)
        self._lua = lua51.LuaRuntime(unpack_returned_tuples=True, encoding="latin-1")
        table = self._lua.table
        names = self._lua.globals()
        names.redis = table(call=self._call)
        names.cmsgpack = table(pack=lambda value: self._pack(value), unpack=lambda text: self._unpack(text))
        self._script = self._lua.eval(f"function(KEYS, ARGV) {SCRIPT} end")

    def run(self, key: str, message: Sequence[str | int]) -> list[int]:
        """What the script answers, now."""
        self.calls += 1
        answer = self._script(self._lua.table(key), self._lua.table(*map(str, message)))
        return [int(each) for each in answer.values()]

    def restart(self, *, kept: bool = False) -> None:
        """Another run of the server: with what it had, as from an old snapshot, or with nothing."""
        self._run += 1
        self._began_s = _now_s()
        if not kept:
            self._kept.clear()

    def flush(self) -> None:
        """Somebody deletes everything."""
        self._kept.clear()

    def state(self, call: str = "cancel-symbol-order") -> Any:
        """The bucket of that call."""
        (raw,) = (kept for key, kept in self._kept.items() if key.endswith(call))
        return msgspec.msgpack.decode(raw)

    def _call(self, name: str, *given: Any) -> Any:
        if name == "TIME":
            us = round(_now_s() * 1e6) + EPOCH_US + self.step_us
            return self._lua.table(str(us // 1_000_000), str(us % 1_000_000))
        if name == "INFO":
            return f"# Server\r\nrun_id:{self._run:040x}\r\nuptime_in_seconds:{int(_now_s() - self._began_s)}\r\n"
        if name == "GET":
            kept = self._kept.get(given[0])
            return False if kept is None else kept.decode("latin-1")
        assert (name, given[2]) == ("SET", "PX")
        self._kept[given[0]] = given[1].encode("latin-1")
        return "OK"

    def _pack(self, value: Any) -> str:
        return msgspec.msgpack.encode(self._plain(value)).decode("latin-1")

    def _plain(self, value: Any) -> Any:
        if lua51.lua_type(value) != "table":
            # As the real one: a number without a fraction is kept as an integer.
            return int(value) if isinstance(value, float) and value.is_integer() else value
        keys = list(value.keys())
        if keys == list(range(1, len(keys) + 1)):
            return [self._plain(each) for each in value.values()]
        return {name: self._plain(each) for name, each in value.items()}

    def _unpack(self, text: str) -> Any:
        return self._lua_of(msgspec.msgpack.decode(text.encode("latin-1")))

    def _lua_of(self, value: Any) -> Any:
        if isinstance(value, list):
            return self._lua.table(*map(self._lua_of, value))
        if isinstance(value, dict):
            return self._lua.table_from({name: self._lua_of(each) for name, each in value.items()})
        return value


class Link:
    """
    The way from one process to the server; a `Server` for `RedisLimits`. A message that is cut off may have been
    acted upon, and may still be, later.
    """

    def __init__(self, server: FakeServer, rng: random.Random, latency_s: float = 0.001) -> None:
        self.server = server
        self.rng = rng
        self.latency_s = latency_s
        self.up = True
        self.asked = 0

    @property
    def _open(self) -> bool:
        return self.up and self.server.up

    async def ask(self, key: str, message: Sequence[str | int]) -> Sequence[int]:
        """There, run, and back."""
        self.asked += 1
        await asyncio.sleep(self._way_s())
        if not self._open:
            if self.rng.random() < 0.3:
                # It stands in some buffer, and the server reads it when it is back.
                asyncio.get_running_loop().call_later(self.rng.uniform(0.1, 3.0), self._late, key, message)
            raise Away("ConnectionError")
        answer = self.server.run(key, message)
        await asyncio.sleep(self._way_s())
        if not self._open:
            raise Away("TimeoutError")
        return answer

    async def close(self) -> None:
        """Nothing to close."""

    def _late(self, key: str, message: Sequence[str | int]) -> None:
        if self.server.up:
            _ = self.server.run(key, message)

    def _way_s(self) -> float:
        return self.rng.uniform(0.0, 2 * self.latency_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
