"""The Redis or Valkey server: connections, the script by its hash, and every failure as one `Away`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from bitget_async.errors import UsageError

__all__ = ["SCRIPT", "Away", "RedisServer"]

# Longer than a round trip around the world; nobody but the task of a bucket waits for it.
ANSWER_S = 1.0
SCHEMES = ("redis://", "rediss://", "unix://")
SCRIPT = files("bitget_async.limits").joinpath("shared.lua").read_text(encoding="utf-8")


class Away(Exception):  # noqa: N818 - a state, and never leaves the package
    """The server did not answer. `reason` names the kind of failure and nothing of the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RedisServer:
    """
    redis-py's asyncio client on a pool of connections, made at the first use.

    Its own repeats are off: a repeated message would take tokens that nobody knows of.
    """

    def __init__(self, url: str) -> None:
        if not isinstance(url, str) or not url.startswith(SCHEMES):
            raise UsageError("url must begin with redis://, rediss:// or unix://")
        try:
            import redis.asyncio
            import redis.asyncio.retry
            import redis.backoff
        except ImportError:
            raise UsageError("RedisLimits needs the extra: pip install 'bitget_async[redis]'") from None
        try:
            self._client: Any = redis.asyncio.Redis.from_url(
                url,
                socket_timeout=ANSWER_S,
                socket_connect_timeout=ANSWER_S,
                retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
                decode_responses=False,
            )
        except Exception:
            # What it says may show the url, and with it the password.
            self._client = None
        if self._client is None:
            raise UsageError("url is not the address of a Redis server")
        self._failures = (redis.RedisError, OSError, TimeoutError)
        self._unknown = redis.exceptions.NoScriptError
        self._hash = ""

    def __repr__(self) -> str:
        return "<RedisServer>"

    async def prove(self) -> None:
        """Raises `Away` unless the server answers and has the script."""
        reason = ""
        try:
            loaded = await self._client.script_load(SCRIPT)
            self._hash = loaded.decode() if isinstance(loaded, bytes) else loaded
        except self._failures as error:
            reason = type(error).__name__
        if reason:
            raise Away(reason)

    async def ask(self, key: str, message: Sequence[str | int]) -> Sequence[int]:
        """Run the script on that bucket; one round trip. Raises `Away`."""
        reason, answer = "", None
        try:
            try:
                answer = await self._client.evalsha(self._hash, 1, key, *message)
            except self._unknown:
                # Proof that it did not run: the server has forgotten it.
                answer = await self._client.eval(SCRIPT, 1, key, *message)
        except self._failures as error:
            reason = type(error).__name__
        if reason or not isinstance(answer, list):
            raise Away(reason or "a strange answer")
        return answer

    async def close(self) -> None:
        """End all connections."""
        with contextlib.suppress(*self._failures):
            await self._client.aclose()
