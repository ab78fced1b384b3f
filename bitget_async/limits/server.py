"""The script of the shared limits on its server, by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any

from bitget_async.redis_server import Away, RedisClient

__all__ = ["SCRIPT", "Away", "RedisServer"]

# Longer than a round trip around the world; nobody but the task of a bucket waits for it.
ANSWER_S = 1.0
SCRIPT = files("bitget_async.limits").joinpath("shared.lua").read_text(encoding="utf-8")
# The name that the server gives it.
HASH = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RedisServer:
    """
    A Redis or Valkey server that runs the script.

    Args:
        url: of the server; shown nowhere.

    Raises:
        UsageError: that is none, or the extra `redis` is not installed.
    """

    def __init__(self, url: str) -> None:
        self._client = RedisClient(url, answer_s=ANSWER_S)

    def __repr__(self) -> str:
        return "<RedisServer>"

    async def ask(self, key: str, message: Sequence[str | int]) -> Sequence[int]:
        """Run the script on that bucket; one round trip. Raises `Away`."""
        from redis.exceptions import NoScriptError

        async def run(client: Any) -> Any:
            try:
                return await client.evalsha(HASH, 1, key, *message)
            except NoScriptError:
                # Proof that it did not run: the server has forgotten it.
                return await client.eval(SCRIPT, 1, key, *message)

        answer = await self._client.ask(run)
        if not isinstance(answer, list):
            raise Away("a strange answer")
        return answer

    async def close(self) -> None:
        """End all connections."""
        await self._client.close()
