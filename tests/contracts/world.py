"""
A client and a simulated exchange in virtual time, driven step by step, and the judge of what the client claims.

The real aiohttp runs on both sides. The judge knows only what a user sees (handles, reports, errors) and the
simulator's truth; the one thing that it takes from inside is the monotonic moment of a signing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from bitget_async import (
    BitgetClient,
    CancellationReport,
    Fate,
    LocalLimits,
    NotSent,
    Outcome,
    Pending,
    PendingCancellation,
    Refused,
    Report,
    RequestEnded,
    Scope,
)
from bitget_async.clock import VirtualClock
from bitget_async.sim import Order, Settings, SimulatedExchange
from tests.heard import Heard
from tests.virtualtime import virtual_loop, virtual_sockets

SECOND_NS = 1_000_000_000
QUOTAS = {"cancel-symbol-order": 5, "unfilled-orders": 20, "history-orders": 20, "orderInfo": 20}
GRACE_S = 40.0
# When the client gives up an answer: its default, and what it grants the watcher's reads.
COMMAND_S, READ_S = 10, 5


class CountingLimits(LocalLimits):
    """`LocalLimits` that counts the tokens it gave and those that came back unused."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0
        self.unsent = 0

    async def acquire(self, row: Any, account: str, origin: str, **options: Any) -> Any:
        grant = await super().acquire(row, account, origin, **options)
        self.taken += 1
        give_back = grant.unsent

        def unsent() -> None:
            self.unsent += 1
            give_back()

        return _Counted(grant, unsent)


class _Counted:
    def __init__(self, grant: Any, unsent: Any) -> None:
        self.answered, self.lost, self.refused, self.unsent = grant.answered, grant.lost, grant.refused, unsent


@dataclass
class Call:
    """One call of cancel_symbol_orders by one caller."""

    symbol: str
    called_ns: int
    task: asyncio.Task[PendingCancellation]
    ensure: bool


@dataclass
class Settled:
    """A handle that settled: the report, as it was then, and when."""

    handle: Any
    report: Any
    text: str
    settled_ns: int
    judged: bool = False
    readers: list[asyncio.Task[object]] = field(default_factory=list)


class BrokenPromiseError(AssertionError):
    """A promise was broken."""


def demand(kept: bool, promise: str, *facts: object) -> None:
    """Raise `BrokenPromiseError` unless the promise was kept."""
    if not kept:
        raise BrokenPromiseError(f"{promise}: {' '.join(map(str, facts))}")


class World:
    """
    One example.

    Args:
        seed: decides all draws on both sides.
        settings: of the exchange.
        offset_ms: how wrong the client's wall clock is.
        options: the client's; those in `defaults` unless given.
    """

    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, seed: int = 0, settings: Settings | None = None, offset_ms: int = 0, **options: Any) -> None:
        self.loop = virtual_loop()
        self.unheard: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.unheard.append(context))
        self._sockets = contextlib.ExitStack()
        self._sockets.enter_context(virtual_sockets())
        asyncio.set_event_loop(self.loop)
        self.log = _Log()
        logger = logging.getLogger("bitget_async")
        logger.addHandler(self.log)
        # Thousands of examples: nobody else has to keep these lines.
        logger.propagate = False
        self.limits = CountingLimits()
        self.wall = VirtualClock(1_750_000_000_000 + offset_ms, loop=self.loop)
        self.exchange = self.do(self._open_exchange(seed, settings))
        self.client = BitgetClient(
            self.exchange.credentials(),
            base_url=self.exchange.base_url,
            clock=self.wall,
            rng=random.Random(seed),
            limits=self.limits,
            **self.defaults | options,
        )
        self.heard = Heard(self.client)
        self._stamps_seen = 0
        # When the loop, the exchange's too, went on after standing still: what was on its way arrived then.
        self.stalled_ns: set[int] = set()
        self.calls: list[Call] = []
        self.handles: dict[Any, Settled | None] = {}
        self.errors: list[tuple[Call, BaseException]] = []
        # Copies that the network itself made of a request: nobody sent them.
        self.resent: Counter[str] = Counter()
        self.closed = False

    async def _open_exchange(self, seed: int, settings: Settings | None) -> SimulatedExchange:
        exchange = SimulatedExchange(seed, clock=VirtualClock(loop=self.loop), settings=settings)
        await exchange.start()
        return exchange

    # -- driving ----------------------------------------------------------------------------------------------

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run one coroutine to its end."""
        return self.loop.run_until_complete(work)

    @property
    def now_ns(self) -> int:
        return round(self.loop.time() * 1e9)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass, in steps, so that settling is noticed close to when it happens."""

        async def wait() -> None:
            left_ms = round(seconds * 1000)
            self._notice()
            while left_ms:
                quiet = not self.client.pending and all(task.done() for task in self.callers())
                step_ms = left_ms if quiet else min(left_ms, 250)
                await asyncio.sleep(step_ms / 1000)
                self._notice()
                left_ms -= step_ms

        self.do(wait())

    def stall(self, seconds: float) -> None:
        """Let time pass in which the loop does nothing."""

        async def block() -> None:
            self.loop._selector.clock.advance(seconds)

        self.do(block())
        self.stalled_ns.add(self.now_ns)

    def cancel(self, symbol: str, **options: Any) -> Call:
        """Start a call of cancel_symbol_orders; the command may be on its way when this returns."""

        async def start() -> asyncio.Task[PendingCancellation]:
            return asyncio.create_task(self.client.cancel_symbol_orders(symbol, **options))

        called_ns = self.now_ns
        call = Call(symbol, called_ns, self.do(start()), options.get("ensure", False))
        self.calls.append(call)
        return call

    def _notice(self) -> None:
        """Collect the handles that are known now, and note reports and errors as they come."""
        for handle in self.client.pending:
            self.handles.setdefault(handle, None)
        for call in self.calls:
            if call.task.done() and not call.task.cancelled():
                if call.task.exception() is None:
                    self.handles.setdefault(call.task.result(), None)
                elif all(known is not call for known, _ in self.errors):
                    self.errors.append((call, call.task.exception()))  # type: ignore[arg-type]
        for handle, settled in self.handles.items():
            if settled is None and handle.state == "settled":
                report = handle._course.report
                assert report is not None
                self.handles[handle] = Settled(handle, report, _text(report), self.now_ns)

    def callers(self) -> list[asyncio.Task[Any]]:
        """Everybody who made a call."""
        return [call.task for call in self.calls]

    def settle(self, call: Call, within_s: float = 70.0) -> CancellationReport:
        """Let time pass until the call's handle is settled, and return its report."""
        for _ in range(round(within_s / 0.5)):
            self.advance(0.5)
            if call.task.done() and call.task.exception() is not None:
                raise BrokenPromiseError(f"the call raised {call.task.exception()!r}")
            settled = self.handles.get(call.task.result()) if call.task.done() else None
            if settled is not None:
                report: CancellationReport = settled.report
                return report
        raise BrokenPromiseError(f"5: settles in time: {call.symbol}")

    def finish(self) -> None:
        """Faults stop; all that is pending must settle in time; then judge everything and close."""
        self.exchange.faults.clear()
        self.advance(75)
        self.judge()
        self._judge_reports_again()
        self._judge_secrets()
        demand(not self.client.pending, "5: none stays pending past its deadline", self.client.pending)
        self.close()

    def close(self) -> None:
        """Close both sides and look what they left behind."""
        if self.closed:
            return
        self.closed = True
        try:
            self.do(self.client.close())
            self._notice()
            self.do(asyncio.sleep(0.01))
            for task in self.callers():
                demand(task.done(), "20: every awaiter has an answer after close", task)
                if not task.cancelled():
                    task.exception()
            self._judge_events()
            self.do(self.exchange.close())
            self.do(asyncio.sleep(1))
            left = asyncio.all_tasks(self.loop)
            demand(not left, "20: no task after close", left)
            demand(not self.unheard, "20: nothing for the loop's exception handler", self.unheard)
        finally:
            self.dispose()

    def dispose(self) -> None:
        """Give the loop back, whatever happened."""
        self.closed = True
        with contextlib.suppress(Exception):
            self.do(self.client.close())
        with contextlib.suppress(Exception):
            self.do(self.exchange.close())
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.do(asyncio.sleep(1))
        logger = logging.getLogger("bitget_async")
        logger.removeHandler(self.log)
        logger.propagate = True
        self._sockets.close()
        asyncio.set_event_loop(None)
        self.loop.close()

    # -- judging ----------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Every promise about what has happened so far."""
        for settled in list(self.handles.values()):
            if settled is not None and not settled.judged:
                same = self.do(settled.handle.settled()) is settled.report
                demand(same, "6: all readers get the same report", settled.report.symbol)
        # From here on the loop stands still: what is on the wire and what is known of it belong together.
        self._notice()
        for settled in self.handles.values():
            if settled is not None:
                self._judge_report(settled)
        self._judge_wire()
        self._judge_errors()
        self._judge_joins()

    def _judge_reports_again(self) -> None:
        for settled in self.handles.values():
            if settled is not None:
                same = settled.handle._course.report is settled.report and _text(settled.report) == settled.text
                demand(same, "6: a settled report never changes", settled.report.symbol)

    def _mine(self, symbol: str, until_ns: int) -> list[Order]:
        uid = self.exchange.account.uid
        return [
            order
            for order in self.exchange.truth.orders.values()
            if order.uid == uid and order.symbol == symbol and not order.draft.tpsl and order.created_ns <= until_ns
        ]

    def _in_time(self, settled: Settled) -> bool:
        """By its deadline; or right after the program stood still over it. The world looks every 250 ms."""
        late_ns = settled.settled_ns - settled.handle._course.deadline_ns
        return late_ns <= 260_000_000 or any(0 <= settled.settled_ns - each <= 260_000_000 for each in self.stalled_ns)

    def _judge_report(self, settled: Settled) -> None:
        handle, report = settled.handle, settled.report
        if settled.judged:
            return
        settled.judged = True
        signed_ns = handle._course.evidence.signed_ns
        demand(self._in_time(settled), "5: settled by its deadline", report.symbol)
        if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL):
            for order in self._mine(report.symbol, signed_ns):
                final = order.final_ns is not None and order.final_ns <= settled.settled_ns
                demand(final, f"1, 2: {report.outcome.name} and an order is open", order.order_id)
        if report.outcome is Outcome.CONFIRMED:
            demand(bool(report.cancelled or report.filled), "CONFIRMED names at least one order", report.symbol)
        if report.outcome is Outcome.STILL_OPEN:
            demand(bool(report.still_open), "4: STILL_OPEN names an order", report.symbol)
            for fate in report.still_open:
                end = self.exchange.truth.orders[fate.order.order_id].final_ns
                after_ns = signed_ns + round(GRACE_S * SECOND_NS)
                demand(end is None or end > after_ns, "4: open in truth after H", fate.order.order_id)
        for fate in report.orders:
            self._judge_fate(settled, fate, signed_ns)

    def _judge_fate(self, settled: Settled, fate: Any, signed_ns: int) -> None:
        truth = self.exchange.truth.orders[fate.order.order_id]
        demand(truth.uid == self.exchange.account.uid, "only our account's orders", truth.order_id)
        demand(truth.symbol == settled.report.symbol, "only this symbol's orders", truth.order_id)
        if fate.scope is Scope.LATE:
            demand(truth.created_ns > signed_ns, "12: LATE was created after the signing", truth.order_id)
        if fate.scope is Scope.IN:
            # Rounding to the exchange's milliseconds may cost one.
            slack = 2_000_000
            demand(truth.created_ns <= signed_ns + slack, "12: IN was created by the signing", truth.order_id)
        if fate.fate in (Fate.CANCELLED, Fate.FILLED):
            ended = truth.final_ns is not None and truth.final_ns <= settled.settled_ns
            demand(ended, "15: a final fate is final in truth", truth.order_id)
            demand(truth.status == fate.fate.value, "15: the fate is the true one", truth.order_id, fate.fate)
            demand(fate.order.base_volume == truth.filled, "15: the amount is the true one", truth.order_id)
            demand(isinstance(fate.order.base_volume, Decimal), "15: amounts are Decimals", truth.order_id)

    def _worst_in_time(self, endpoint: str) -> int:
        """
        Most copies in a second, without those that were processed when the client had given them up: docs/limits.md
        says that the second in which the exchange counts such a one cannot be foreseen.
        """
        copies = [copy for copy in self.exchange.truth.copies(endpoint) if copy.processed_ns is not None]
        given_up_ns = (COMMAND_S if endpoint == "cancel-symbol-order" else READ_S) * SECOND_NS
        times = sorted(copy.processed_ns for copy in copies if copy.processed_ns - copy.received_ns <= given_up_ns)
        return max((bisect_left(times, since + SECOND_NS) - n for n, since in enumerate(times)), default=0)

    def _judge_wire(self) -> None:
        truth = self.exchange.truth
        for endpoint, quota in QUOTAS.items():
            allowed = quota + self.resent[endpoint]
            worst = truth.worst_second(endpoint)
            if worst > allowed:
                worst = self._worst_in_time(endpoint)
            demand(worst <= allowed, f"8: {endpoint} at most {quota} a second", worst)
        sent = truth.count() - self.resent.total()
        demand(sent <= self.limits.taken - self.limits.unsent, "9: no copy without a token", sent)
        for symbol in {call.symbol for call in self.calls}:
            copies = [copy for copy in truth.copies("cancel-symbol-order") if symbol.encode() in copy.body]
            # A handle that was known for a while and then dropped belongs to a command that was refused.
            kept = [
                handle
                for handle, settled in self.handles.items()
                if _sweeps(handle, symbol) and (settled is not None or handle in self.client.pending)
            ]
            handles = [handle for handle in self.handles if _sweeps(handle, symbol)]
            refused = sum(isinstance(error, Refused) for call, error in self.errors if call.symbol == symbol)
            attempts = sum(handle.attempts for handle in handles)
            # A call that is just learning of its refusal has no handle any more and no error yet.
            undone = sum(not call.task.done() for call in self.calls if call.symbol == symbol)
            demand(
                len(copies) <= attempts + 2 * (refused + undone), "7: copies never exceed attempts", symbol, len(copies)
            )
            runs = [run for run in truth.executions if run.symbol == symbol]
            demand(len(runs) <= len(kept), "3, 7: executions never exceed commands", symbol, len(runs), len(kept))
        demand(truth.count("elsewhere") == 0, "21 of the failure model: no redirect is followed")
        self._judge_stamps()

    def _judge_stamps(self) -> None:
        """18: with a network that takes no time, every stamp is younger than 50 ms on arrival."""
        if self.exchange.settings.request_latency_s != 0.0:
            return
        for copy in self.exchange.truth.wire[self._stamps_seen :]:
            # Until the first answer the client has only its own wall clock.
            own = copy.timestamp_age_ms is not None and copy.fault != "second arrival"
            own = own and copy.received_ns not in self.stalled_ns
            if own and copy.result not in (None, "40008", "40005") and copy.index > 20:
                demand(
                    abs(copy.timestamp_age_ms or 0) <= 50, "18: signed at most 50 ms before the write", copy.endpoint
                )
        self._stamps_seen = max(0, len(self.exchange.truth.wire) - 5)

    def _judge_errors(self) -> None:
        for call, error in self.errors:
            demand(
                isinstance(error, (NotSent, Refused)), "only NotSent and Refused are raised", call.symbol, repr(error)
            )

    def _judge_joins(self) -> None:
        for call in self.calls:
            if call.task.done() and not call.task.cancelled() and call.task.exception() is None:
                course: Any = call.task.result()._course
                signed_ns = course.sweep.signed_ns
                demand(signed_ns >= call.called_ns, "11: the command was signed after the call", call.symbol)

    def _judge_events(self) -> None:
        """What was told is whole, and counts no less than the exchange did."""
        broken = self.heard.broken()
        demand(not broken, "what is told of requests and handles is whole", broken[:5])
        wired = [each for each in self.heard.of(RequestEnded) if each.certainty != "not_sent"]
        seen = [copy for copy in self.exchange.truth.wire if copy.endpoint in {each.endpoint for each in wired}]
        if not self.resent:
            demand(len(seen) <= len(wired), "every copy that arrived was told of", len(seen), len(wired))
            told, arrived = sum(each.sent_bytes for each in wired), sum(len(copy.body) for copy in seen)
            demand(arrived <= told, "and every byte", arrived, told)

    def _judge_secrets(self) -> None:
        key = self.exchange.credentials()
        texts = [repr(self.client), *self.log.lines, *(repr(handle) for handle in self.handles)]
        texts += [repr(self.heard.events), json.dumps(self.client.snapshot().to_dict())]
        texts += [json.dumps(handle.to_dict()) for handle in self.handles]
        texts += [repr(error) + str(error) for _, error in self.errors]
        texts += [str(each.handle._unconfirmed(each.report)) for each in self.handles.values() if each]
        whole = "\n".join(texts)
        for secret in (key.api_key, key.secret, key.passphrase):
            demand(secret not in whole, "19: no secret in any text")


def _sweeps(handle: Pending[Any, Any], symbol: str) -> bool:
    """Whether it is of a cancel-by-symbol of that symbol."""
    return handle._course.command == "cancel-symbol-order" and handle.symbol == symbol


def _text(report: Report) -> str:
    return json.dumps(report.to_dict(), sort_keys=True)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
