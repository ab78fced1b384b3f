"""
The single road: what happens to a call.

Token, timestamp, signature, write, in this order and nowhere else. A read may be repeated inside its deadline, each
copy with a token of its own. A command is repeated only where the last copy is proven not executed and the reason
passes: no byte left, "too many requests", or a refused timestamp (once, after setting the clock).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from bitget_async.clock import Clock, ServerClock
from bitget_async.codes import classify
from bitget_async.credentials import Credentials
from bitget_async.endpoints import Effect, Endpoint
from bitget_async.endpoints.checks import wait_s
from bitget_async.errors import (
    BitgetError,
    ClockSkewed,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    UsageError,
    redact,
)
from bitget_async.events import Events
from bitget_async.events.copies import Told
from bitget_async.limits.local import Grant, Limits, LocalLimits
from bitget_async.models.raw import keep_rows
from bitget_async.tally import Tally
from bitget_async.tasks import Tasks
from bitget_async.transport import UNSENT, Transport
from bitget_async.wire import Answer, Request, date, decode, encode

__all__ = ["Session"]

OnSigned = Callable[[int, int, int], None]

READ_REPEATS = 3
FIRST_PAUSE_S = 0.2
BACKGROUND_TIMEOUT_S = 5.0
# A call fails before its handle does: by so much more than a timer can be late.
REPEAT_SPARE_S = 0.05
TOO_MANY = "429"
TOO_OLD = "40078"
# A wrong clock is off by more than the jitter between two estimates of a right one.
MISDATED_MS = 1000
SLOW_STAMP_NS = 25_000_000
MOST_STAMPS = 3


class Session:
    """
    One account on one exchange: credentials, clock, limits and transport.

    Args:
        credentials: `None` for public calls only.
        origin: scheme, host and port; names the exchange in the limiter.
        account: what the exchange counts by: the UID, or what stands for it.
        transport, limits, clock: see there.
        timeout_s: seconds for one copy on the wire, and for the repeats of a read together.
        rng: jitter.
        keep_raw: whether records keep the JSON that they were read from.
        events: who is told what happens.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        *,
        origin: str,
        account: str,
        transport: Transport,
        limits: Limits,
        clock: Clock,
        timeout_s: float,
        rng: random.Random,
        keep_raw: bool = False,
        events: Events | None = None,
    ) -> None:
        self._credentials = credentials
        self._origin = origin
        self._account = account
        self._transport = transport
        self._limits = limits
        self.timeout_s = timeout_s
        self._rng = rng
        self._keep_raw = keep_raw
        self._share = LocalLimits(share=0.5)
        self._tasks = Tasks()
        self._closed = False
        self.clock = clock
        self.began_ns = clock.monotonic_ns()
        self.server = ServerClock(clock)
        self.events = events or Events()
        self.tally = Tally(self.events, self.server)

    async def call(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        max_wait_s: float | None = None,
        on_signed: OnSigned | None = None,
        repeat: bool = True,
        repeat_within_s: float | None = None,
        timeout_s: float | None = None,
        first: bool = False,
        calls: tuple[int, ...] = (),
        since_ns: int | None = None,
        glance: bool = False,
    ) -> Answer[Any]:
        """
        Make one call and return its answer, `value` set.

        Args:
            row: the catalogue row.
            given: parameters by snake-case name; `None` counts as not given.
            max_wait_s: longest wait for a token in seconds; `None` waits as long as it takes.
            on_signed: called with (monotonic ns, exchange ms, copy) each time a copy is stamped; copies that are
                proven not sent do not count.
            repeat: whether a read may be repeated.
            repeat_within_s: a copy after one that was stamped leaves within that many seconds of the first token, a
                little less, or not at all: then what became of the last copy is raised.
            timeout_s: instead of the session's.
            first: whether it waits for its token in front of all calls without this.
            calls: numbers of the handles that it is made for, for who is told of it.
            since_ns: when it began to wait, if that was before now.
            glance: whether its rows are only looked at, where the catalogue says how: the value is `Glances`.

        Raises:
            UsageError, NotSent, OutcomeUnknown, Refused: see `errors`.

        Cancelling: safe while waiting for a token; a copy that was written stays written.
        """
        request = encode(row, given)
        wait_s(max_wait_s)
        if row.signed and self._credentials is None:
            raise UsageError(f"{row.name} needs credentials")
        budget_s = self.timeout_s if timeout_s is None else timeout_s
        began_ns: int | None = None
        deadline_ns: int | None = None
        token_s, tries, copies, resynced = max_wait_s, 0, 1, False
        last: BitgetError | None = None
        told = self.tally.told(row, calls, first=first, since_ns=since_ns)
        while True:
            grant = await self._token(row, token_s, last, first=first, told=told)
            now = self.clock.monotonic_ns()
            began_ns = began_ns or now
            deadline_ns = deadline_ns or now + round(budget_s * 1e9)
            # A read's repeats share one budget; a command gets the whole time, a short one would only make doubt.
            left_s = budget_s if row.effect is Effect.COMMAND else max((deadline_ns - now) / 1e9, 0.05)
            dated_ms = self.server.estimate_ms(now) if request.dated else 0
            copy = date(request, dated_ms) if request.dated else request
            answer = await self._attempt(copy, grant, self._stamp(copy, on_signed, copies), left_s, told, glance=glance)
            if answer.error is None:
                return answer
            if not isinstance(answer.error, NotSent):
                last, copies = answer.error, copies + 1
            tries += 1
            left_s = (deadline_ns - self.clock.monotonic_ns()) / 1e9
            skewed = isinstance(answer.error, ClockSkewed) or self._misdated(answer.error, now, dated_ms)
            pause_s = self._pause_s(row, answer.error, tries, left_s, skewed=skewed and not resynced, repeat=repeat)
            resynced = resynced or skewed
            if pause_s is None:
                raise last or answer.error
            await self.clock.sleep(pause_s)
            if repeat_within_s is not None:
                token_s = repeat_within_s - REPEAT_SPARE_S - (self.clock.monotonic_ns() - began_ns) / 1e9
                if token_s <= 0:
                    raise last or answer.error
                token_s = token_s if max_wait_s is None else min(token_s, max_wait_s)

    async def _token(
        self, row: Endpoint, max_wait_s: float | None, last: BitgetError | None, *, first: bool, told: Told | None
    ) -> Grant:
        """A token for one more copy. If a copy was on the wire before, failing now says what became of that one."""
        if told is not None:
            told.asks(self.clock.monotonic_ns())
        missed: NotSent | None = None
        try:
            if self._closed:
                raise NotSent("closed", endpoint=row.label)
            grant = await self._limits.acquire(
                row,
                self._account,
                self._origin,
                clock=self.clock,
                max_wait_s=max_wait_s,
                owner=self,
                first=first,
            )
        except NotSent as error:
            missed, failure = error, last or error
        except BaseException:
            if told is not None:
                told.missed(self.clock.monotonic_ns(), None)
            raise
        else:
            if told is not None:
                told.got(self.clock.monotonic_ns())
            return grant
        if told is not None:
            told.missed(self.clock.monotonic_ns(), missed)
        raise failure

    async def token(self, row: Endpoint, max_wait_s: float | None, told: Told | None = None) -> Grant:
        """
        A token for a copy that goes another way than over the transport. Whoever takes it gives it back.

        Raises:
            UsageError: `max_wait_s` is no wait.
            NotSent: it cannot be had in time, or the session is closed.
        """
        wait_s(max_wait_s)
        return await self._token(row, max_wait_s, None, first=False, told=told)

    def outlook(self, row: Endpoint) -> list[int]:
        """When each token of the row is free, in nanoseconds from now; all at once where the limits cannot tell."""
        if isinstance(self._limits, LocalLimits):
            return self._limits.outlook(row, self._account, self._origin, clock=self.clock)
        return [0] * row.quota.per_s

    def redact(self, text: str) -> str:
        """The text without any part of the key."""
        return text if self._credentials is None else self._credentials.redact(text)

    async def background(self, row: Endpoint, given: Mapping[str, Any], *, calls: tuple[int, ...] = ()) -> Answer[Any]:
        """
        `call` for reads that nobody waits for directly: at most half of the row's quota, never repeated. They go before
        the reads that the program makes: however many of those wait, what became of a command has to be known.
        Their rows are only looked at where the catalogue says how: then the value is `Glances`.
        """
        since_ns = self.clock.monotonic_ns()
        self.tally.reads += 1
        share = await self._share.acquire(
            row, self._account, self._origin, clock=self.clock, max_wait_s=None, owner=self
        )
        try:
            timeout_s = min(self.timeout_s, BACKGROUND_TIMEOUT_S)
            return await self.call(
                row, given, repeat=False, timeout_s=timeout_s, first=True, calls=calls, since_ns=since_ns, glance=True
            )
        finally:
            share.answered(self.clock.monotonic_ns(), None)

    async def command(
        self,
        row: Endpoint,
        given: Mapping[str, Any],
        *,
        max_wait_s: float | None = None,
        calls: tuple[int, ...] = (),
    ) -> Answer[Any]:
        """
        `call` for a command, in a task of the session's own: cancelling the caller before the signing withdraws
        it, afterwards it runs to its end and no answer is lost half-way.
        """
        signed: list[int] = []

        def closed() -> BitgetError:
            if signed:
                return OutcomeUnknown("closed", endpoint=row.label, message="the client was closed")
            return NotSent("closed", endpoint=row.label)

        call = self.call(
            row, given, max_wait_s=max_wait_s, on_signed=lambda now, ms, copy: signed.append(copy), calls=calls
        )
        return await self._tasks.outliving(
            call, f"bitget_async: {row.name}", signed=lambda: bool(signed), closed=closed
        )

    async def close(self) -> None:
        """Waiters for tokens get `NotSent`, running commands end, connections close. Safe to call twice."""
        self._closed = True
        self._limits.abandon(self)
        self._share.abandon(self)
        # Those that just got their `NotSent` run now; what is still on the wire ends here.
        await asyncio.sleep(0)
        await self._tasks.close()
        await self._transport.close()

    async def _attempt(
        self,
        request: Request,
        grant: Grant,
        stamp: Callable[[], Mapping[str, str]],
        timeout_s: float,
        told: Told | None,
        *,
        glance: bool = False,
    ) -> Answer[Any]:
        """One copy on the wire. The token's end is settled here, whatever happens."""
        sent_ns = self.clock.monotonic_ns()
        if told is not None:
            told.started(sent_ns)
        try:
            reply = await self._transport.send(request, stamp, timeout_s)
        except (NotSent, OutcomeUnknown) as error:
            return self._failed(request, error, grant, sent_ns, sent_ns + round(timeout_s * 1e9), told)
        except BaseException as error:
            unsent, now = error.args == (UNSENT,), self.clock.monotonic_ns()
            if unsent:
                grant.unsent()
            else:
                self.tally.sent(request.row)
                grant.lost(now, sent_ns + round(timeout_s * 1e9))
            if told is not None:
                told.lost(now, None, unsent=unsent, sent_bytes=len(request.body))
            raise
        answer = decode(request.row, reply, glance=glance)
        if told is not None:
            decode_ns = self.clock.monotonic_ns() - reply.received_ns
        if self._keep_raw:
            keep_rows(answer.value, reply.body)
        self.tally.sent(request.row)
        if reply.status == 429 or (isinstance(answer.error, RateLimited) and answer.error.code == TOO_MANY):
            grant.refused(reply.received_ns)
            self.tally.refused(request.row, reply.received_ns)
        else:
            resting = grant.answered(reply.received_ns, reply.remaining)
            if resting:
                self.tally.rested(request.row, resting, reply.received_ns)
        self._learn(answer)
        if answer.error is not None:
            self.tally.unsuccessful(request.row, answer.error, reply.received_ns)
        if told is not None:
            told.answered(
                self.clock.monotonic_ns(),
                error=answer.error,
                http_status=reply.status,
                sent_bytes=len(request.body),
                received_bytes=len(reply.body),
                wire_ns=reply.received_ns - reply.sent_ns,
                decode_ns=decode_ns,
            )
        return answer

    def _failed(
        self,
        request: Request,
        error: NotSent | OutcomeUnknown,
        grant: Grant,
        sent_ns: int,
        until_ns: int,
        told: Told | None,
    ) -> Answer[Any]:
        """No whole answer came."""
        now = self.clock.monotonic_ns()
        if isinstance(error, NotSent):
            grant.unsent()
        else:
            self.tally.sent(request.row)
            grant.lost(now, until_ns)
        self.tally.unsuccessful(request.row, error, now)
        if told is not None:
            told.lost(now, error, sent_bytes=len(request.body))
        return Answer(None, error, None, sent_ns, now)

    def _stamp(self, request: Request, on_signed: OnSigned | None, copy: int) -> Callable[[], Mapping[str, str]]:
        credentials = self._credentials
        if not request.row.signed or credentials is None:
            return dict

        def stamp() -> Mapping[str, str]:
            for _ in range(MOST_STAMPS):
                now = self.clock.monotonic_ns()
                timestamp_ms = self.server.estimate_ms(now)
                if on_signed is not None:
                    on_signed(now, timestamp_ms, copy)
                # It may write a journal, on a slow disk: a stamp is to be fresh when the first byte leaves.
                if self.clock.monotonic_ns() - now <= SLOW_STAMP_NS:
                    break
            return credentials.headers(timestamp_ms, request.row.method, request.raw_target, request.body)

        return stamp

    def _learn(self, answer: Answer[Any]) -> None:
        """Set the clock by the answer, and take what it echoes of the key out of its error."""
        if answer.request_time_ms is not None:
            self._set_clock(answer.request_time_ms, answer)
        if isinstance(answer.error, (Refused, OutcomeUnknown)) and self._credentials is not None:
            redact(answer.error, self._credentials.redact)

    def _set_clock(self, request_time_ms: int, answer: Answer[Any]) -> None:
        known = self.server.synchronised
        if isinstance(answer.error, ClockSkewed):
            self.server.resync(request_time_ms, answer.sent_ns, answer.received_ns)
            self.tally.clock_set("refused", answer.received_ns)
        elif self.server.observe(request_time_ms, answer.sent_ns, answer.received_ns):
            self.tally.clock_set("moved" if known else "first", answer.received_ns)

    def _misdated(self, error: BitgetError, at_ns: int, dated_ms: int) -> bool:
        """Whether a request was too old for its receive window because our clock was wrong, as the answer has shown."""
        late = isinstance(error, Refused) and error.code == TOO_OLD and bool(dated_ms)
        return late and abs(self.server.estimate_ms(at_ns) - dated_ms) > MISDATED_MS

    def _pause_s(
        self, row: Endpoint, error: BitgetError, tries: int, left_s: float, *, skewed: bool, repeat: bool
    ) -> float | None:
        """
        How long to pause before the next copy, or `None` for no further copy.

        1. A timestamp refused because our clock was wrong: once more, at once; the clock is set.
        2. No byte left, for a reason that may pass; or "too many requests" in an envelope: after a pause.
        3. A read without a usable answer: the same, a few times.
        4. Everything else: never.
        """
        if skewed:
            return 0.0
        if isinstance(error, ClockSkewed):
            return None
        passes = (isinstance(error, NotSent) and error.reason == "connect") or (
            isinstance(error, RateLimited) and error.code == TOO_MANY
        )
        doubtful = row.effect is Effect.READ and tries <= READ_REPEATS and _may_pass(error)
        if not repeat or not (passes or doubtful):
            return None
        # Full jitter, so that many callers that failed together do not come back together.
        pause_s = self._rng.uniform(0.0, FIRST_PAUSE_S * 2 ** min(tries, 5))
        return pause_s if pause_s < left_s else None


def _may_pass(error: BitgetError) -> bool:
    """Whether a read that failed so may succeed when asked again."""
    return isinstance(error, OutcomeUnknown) or (isinstance(error, Refused) and not classify(error.code).definitive)
