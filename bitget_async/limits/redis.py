"""
One bucket for several processes and machines, on a Redis or Valkey server.

The arithmetic stands in shared.lua, which the server runs, and in `Ledger`, which says what this process may use and
has to tell. Here is what waits and talks: one task a bucket, and one message on its way at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from hashlib import blake2b
from types import TracebackType
from typing import Protocol, Self

from bitget_async.clock import Clock
from bitget_async.endpoints import CATALOGUE, Endpoint, Scope
from bitget_async.errors import NotSent, UsageError
from bitget_async.limits.ledger import Ledger, Terms
from bitget_async.limits.local import Line, LocalLimits
from bitget_async.limits.server import Away, RedisServer
from bitget_async.redis_server import SealedUrl
from bitget_async.tasks import Tasks

__all__ = ["RedisLimits", "SharedLine"]

log = logging.getLogger("bitget_async.limits")

GOODBYE_S = 0.5
MOST_SHARE = 1.0
LEAST_LEASE_S, MOST_LEASE_S = 0.1, 60.0
AT_ONCE = tuple(row for row in CATALOGUE if row.cancels and not row.home and row.quota.scope is Scope.UID)


class Server(Protocol):
    """Where the script runs."""

    async def ask(self, key: str, message: Sequence[str | int]) -> Sequence[int]:
        """Run the script on that bucket. Raises `Away`."""

    async def close(self) -> None:
        """End all connections."""


class SharedLine(Line):
    """A line of this process at a bucket that others use too."""

    shared = True

    def __init__(self, name: str, ledger: Ledger, key: str) -> None:
        super().__init__(name, ledger)
        self.ledger = ledger
        self.key = key
        self.news = asyncio.Event()
        self.planned_ns = 0

    def wake(self) -> None:
        """See `Line.wake`; and whether the server has to be asked sooner than planned."""
        super().wake()
        self._look()

    def settled(self) -> None:
        """See `Line.settled`."""
        if self.waiters:
            self.wake()
        else:
            self._look()

    def refuse_late(self) -> None:
        """Everybody whose token cannot come in time hears of it now."""
        assert self.clock is not None
        now, ahead = self.clock.monotonic_ns(), 0
        for future, _, until_ns in self.waiters:
            if future.done():
                continue
            if until_ns is not None and now + (wait_ns := self.ledger.wait_ns(now, ahead)) > until_ns:
                self.waiting -= 1
                future.set_exception(NotSent("rate_limit", endpoint=self.name, expected_wait_s=wait_ns / 1e9))
            else:
                ahead += 1

    def _look(self) -> None:
        assert self.clock is not None
        if self.ledger.speak_ns(self.clock.monotonic_ns(), self.waiting) < self.planned_ns:
            self.news.set()


class RedisLimits(LocalLimits):
    """
    One budget for all processes of an account, on whatever machines: each quota is one bucket on a Redis or Valkey
    server, on that server's clock. See docs/limits.md. Needs the extra `redis`.

    One object may serve any number of clients of that account on one event loop. Close it after them, or use it as an
    async context manager. Quotas counted by IP, and the budget of the address, stay with each process.

    Args:
        url: `redis://`, `rediss://` or `unix://`. A password in it is shown nowhere.
        uid: the account's UID. Key names hold a hash of it.
        share: the part of each quota that is this process's own while the server is away, in whole tokens: 1/n for n
            processes. All processes declare the same; one more than that has nothing of its own.
        pocket: of each share, the tokens that nobody else is ever lent while this process runs (at most the share): a
            cancel takes them without asking anybody. 0: everything is shared, and after losing the server a process
            waits for some 17 s until its share is sure.
        lease_s: a process that falls silent may use the tokens that it was lent for so long: the longest time from a
            token to the end of the exchange's processing, so at least the client's `timeout_s`.
        prefix: begins all key names.

    Raises:
        UsageError: an argument cannot be meant, or the extra is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        uid: str,
        share: float = 0.25,
        pocket: int = 1,
        lease_s: float = 10.0,
        prefix: str = "bitget_async",
    ) -> None:
        url = SealedUrl(url)
        super().__init__()
        if not isinstance(uid, str) or not uid:
            raise UsageError("uid must be the account's UID as a non-empty str")
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= MOST_SHARE:
            raise UsageError(f"share must be above 0 and at most 1, not {share!r}")
        if isinstance(pocket, bool) or not isinstance(pocket, int) or pocket < 0:
            raise UsageError(f"pocket must be a number of tokens, 0 or more, not {pocket!r}")
        if not LEAST_LEASE_S <= lease_s <= MOST_LEASE_S:
            raise UsageError(f"lease_s must be from {LEAST_LEASE_S:g} to {MOST_LEASE_S:g} seconds, not {lease_s!r}")
        if not isinstance(prefix, str) or not prefix:
            raise UsageError("prefix must be a non-empty str")
        self._server: Server = RedisServer(url)
        self._uid = uid
        self._part = float(share)
        self._kept = pocket
        self._lease_ns = round(lease_s * 1e9)
        self._prefix = prefix
        self._talks = Tasks()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._away = False
        self._said: set[str] = set()
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "away" if self._away else "open"
        return f"<RedisLimits share={self._part:g} {state}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        Leave: waiters get `NotSent("closed")`, what this process had goes to the others. Safe to call twice. Without it
        they set this process's share aside until another one takes its place, ten minutes at most.
        """
        if self._closed:
            return
        self._closed = True
        for line in self._lines.values():
            for _, owner, _ in list(line.waiters):
                self.abandon(owner)
        await self._talks.close()
        leaving = [line for line in self._lines.values() if isinstance(line, SharedLine) and line.ledger.known]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await asyncio.gather(*(self._speak(line, leaving=True) for line in leaving))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._server.close()

    def _line(self, row: Endpoint, account: str, origin: str, clock: Clock) -> Line:
        if self._closed:
            raise NotSent("closed", endpoint=row.label, detail="these limits are closed")
        if row.quota.scope is not Scope.UID:
            return super()._line(row, account, origin, clock)
        line = self._lines.get((origin, "", row.path))
        if line is None:
            loop = asyncio.get_running_loop()
            if self._loop not in (None, loop):
                raise UsageError("these limits belong to another event loop: make new ones")
            if self._loop is None:
                self._loop = loop
            line = self._join(row, origin, clock)
            for other in AT_ONCE:
                # The day on which a cancel is needed for the first time may be the day on which the server is away.
                if (origin, "", other.path) not in self._lines:
                    _ = self._join(other, origin, clock)
        line.clock = clock
        return line

    def _join(self, row: Endpoint, origin: str, clock: Clock) -> SharedLine:
        terms = Terms.of(row.quota.per_s, self._part, self._kept, self._lease_ns)
        ledger = Ledger(os.urandom(6).hex(), terms, clock.monotonic_ns())
        whose = blake2b(f"{self._prefix}\0{self._uid}\0{origin}".encode(), digest_size=12).hexdigest()
        line = SharedLine(row.label, ledger, f"{self._prefix}:{{{whose}}}:{row.path.removeprefix('/api/v2/')}")
        line.clock = clock
        key = (origin, "", row.path)
        self._lines[key] = line
        self._talks.start(self._talk(line, key, keep=row in AT_ONCE), f"bitget_async: shared limits, {row.name}")
        return line

    async def _talk(self, line: SharedLine, key: tuple[str, str, str], *, keep: bool) -> None:
        """Tell and ask whenever it is time, until the bucket has not been used for a while."""
        ledger = line.ledger
        # Not only by a cancellation: some version of redis-py may swallow it while a connection fails.
        while not self._closed:
            assert line.clock is not None
            now = line.clock.monotonic_ns()
            if not keep and not line.waiting and ledger.idle(now):
                del self._lines[key]
                if ledger.known:
                    await self._speak(line, leaving=True)
                return
            line.planned_ns = ledger.speak_ns(now, line.waiting)
            if line.planned_ns <= now:
                line.planned_ns = 0
                await self._speak(line)
                continue
            line.news.clear()
            try:
                # A timer may fire a little early: at least 50 us, or it could spin until its time.
                async with asyncio.timeout(max(line.planned_ns - now, 50_000) / 1e9):
                    _ = await line.news.wait()
            except TimeoutError:
                pass

    async def _speak(self, line: SharedLine, *, leaving: bool = False) -> None:
        """One message and its answer, or none."""
        assert line.clock is not None
        clock, ledger = line.clock, line.ledger
        try:
            message = ledger.message(clock.monotonic_ns(), line.waiting, leaving=leaving)
            answer = await self._server.ask(line.key, message)
        except Away as away:
            ledger.unheard(clock.monotonic_ns(), silent=away.reason == "TimeoutError")
            self._lost(away.reason)
        except BaseException:
            ledger.unheard(clock.monotonic_ns(), silent=True)
            raise
        else:
            ledger.heard(answer, clock.monotonic_ns())
            if not leaving:
                self._found(ledger)
        line.refuse_late()
        line.wake()

    def _lost(self, reason: str) -> None:
        if not self._away:
            self._away = True
            log.warning(
                "the server of the shared limits is away (%s): until it is back this process uses its own share of "
                "each quota, %g, and no more",
                reason,
                self._part,
            )

    def _found(self, ledger: Ledger) -> None:
        if self._away and not ledger.away:
            self._away = False
            log.info("the server of the shared limits is back")
        if ledger.crowded:
            self._say(
                "crowded",
                "more processes share these limits than the declared share allows (%g each): this one has nothing of "
                "its own while the server is away",
            )
        if ledger.silent:
            self._say(
                "silent",
                "another process of these limits has fallen silent: its share of each quota (%g) is set aside until it "
                "is back, another one takes its place, or ten minutes have passed",
            )

    def _say(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.warning(text, self._part)
