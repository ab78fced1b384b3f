"""
A soak in real time: TLS on loopback through the fault proxy, five cancellations a second, one in a hundred of each of
28 faults.

    python -m tests.network.soak --minutes 10

Prints what it came to and keeps it in docs/measured/realtime_soak.json.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bitget_async import BitgetClient, BitgetError, NotSent, Outcome, Refused
from bitget_async.clock import Clock, SystemClock
from bitget_async.limits import LocalLimits
from bitget_async.sim import SYMBOLS, FaultProxy, LineFault, SimulatedExchange, faults
from tests.network.line import trusting, witness
from tests.soak.measured import machine, write

__all__ = ["Soak"]

RATE_PER_S = 5.0
SHARE = 0.01
LIMITS = {"cancel-symbol-order": 5, "unfilled-orders": 20, "history-orders": 20, "orderInfo": 20}

LINES = (
    LineFault(name="reset when accepted", stage="accept", end="reset"),
    LineFault(name="garbage instead of TLS", stage="accept", insert=b"SSH-2.0-OpenSSH_9.2\r\n"),
    LineFault(name="cut before it arrives, FIN", up=0, end="close"),
    LineFault(name="cut before it arrives, RST", up=120, end="reset"),
    LineFault(name="swallowed", up=0, end="hang"),
    LineFault(name="no answer, FIN", down=0, end="close"),
    LineFault(name="no answer, RST", down=0, end="reset"),
    LineFault(name="half an answer, FIN without goodbye", down=230, end="half"),
    LineFault(name="half an answer, silence", down=230, end="hang"),
    LineFault(name="garbage status line", down=0, insert=b"garbage\r\n\r\n"),
    LineFault(name="garbage in the body", down=250, insert=b"\xff\xfe", end="on"),
    LineFault(name="drip", piece_bytes=40, latency_s=(0.0, 0.05)),
    LineFault(name="slow", latency_s=(0.1, 0.6)),
)
ANY = [faults.page(429, executed=False), faults.raw(b"", executed=True), faults.redirect("https://127.0.0.1:9/")]
ANY += [faults.page(status, executed=executed) for status in (502, 524) for executed in (True, False)]
ANY += [faults.envelope("45001", executed=True), faults.envelope("99999"), faults.envelope("429", status=429)]
COMMAND = [faults.wrong_echo("BGBUSDT"), faults.never_executed(), faults.executed_in_part(0.5)]
# Later than the client's 2 s a request is counted in a second of its own choice: nobody can keep a limit then.
COMMAND += [faults.executed_late((0.5, 25.0)), faults.delayed(before_s=(0.5, 1.5)) | faults.hang(executed=True)]


@dataclass
class Soak:
    """
    One soak.

    Args:
        seconds: how long cancellations are started.
        seed: decides the faults, given the same order of requests, and which symbol comes next.
        clock: of both sides.

    Attributes:
        outcomes: what the calls came to, by name.
        false: what the truth contradicts, in words.
    """

    seconds: float
    seed: int = 1
    clock: Clock = field(default_factory=SystemClock)
    outcomes: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    cancels: int = 0
    _busy: set[str] = field(default_factory=set)
    _exchange: SimulatedExchange = field(init=False)

    async def run(self) -> dict[str, Any]:
        """Everything; returns the figures."""
        self._exchange = SimulatedExchange(self.seed, clock=self.clock, keep_wire=5_000, keep_headers=False)
        loop = asyncio.get_running_loop()
        # The server's side of a broken handshake is told to the loop; that is what was asked for.
        loop.set_exception_handler(lambda *_: None)
        async with self._exchange as exchange, FaultProxy(exchange.base_url, tls=witness(), seed=self.seed) as proxy:
            self._arrange(proxy)
            async with BitgetClient(
                exchange.credentials(),
                base_url=proxy.base_url,
                ssl_context=trusting(),
                clock=self.clock,
                timeout_s=2.0,
                limits=LocalLimits(),
                rng=random.Random(self.seed),
            ) as client:
                async with asyncio.TaskGroup() as calls:
                    await self._started(client, calls)
                left = len(client.pending)
            return self._figures(proxy, left)

    def _arrange(self, proxy: FaultProxy) -> None:
        for line in LINES:
            proxy.play(line, times=None, probability=SHARE)
        for fault in COMMAND:
            self._exchange.faults.add("cancel-symbol-order", fault, times=None, probability=SHARE)
        for fault in ANY:
            self._exchange.faults.add(None, fault, times=None, probability=SHARE)

    async def _started(self, client: BitgetClient, calls: asyncio.TaskGroup) -> None:
        """One call a tick on a symbol without one; every minute what is over is forgotten."""
        loop, dice = asyncio.get_running_loop(), random.Random(self.seed)
        began = loop.time()
        for tick in range(round(self.seconds * RATE_PER_S)):
            await asyncio.sleep(max(0.0, began + tick / RATE_PER_S - loop.time()))
            if idle := [symbol for symbol in SYMBOLS if symbol not in self._busy]:
                symbol = dice.choice(idle)
                self._busy.add(symbol)
                self.cancels += 1
                _ = calls.create_task(self._cancelled(client, symbol, dice.randint(1, 4)))
            if tick % 300 == 299:
                self._exchange.forget(120)
                print(f"{tick / RATE_PER_S:.0f} s: {dict(self.outcomes)}, false: {len(self.false)}", flush=True)

    async def _cancelled(self, client: BitgetClient, symbol: str, orders: int) -> None:
        exchange = self._exchange
        ids = set(exchange.rest(symbol, orders, age_s=60))
        before, began_ms = exchange.truth.count(), exchange.server_ms
        word = ""
        try:
            report = await (await client.cancel_symbol_orders(symbol)).settled()
        except (NotSent, Refused) as error:
            word = type(error).__name__
            if any(run.symbol == symbol and run.time_ms >= began_ms for run in exchange.truth.executions):
                self.false.append(f"{word} of {symbol}, and executed: {error}")
        except BitgetError as error:
            self.false.append(f"{symbol}: {error!r}")
        else:
            word = report.outcome.name
            still = set(exchange.truth.open_ids(exchange.account.uid, symbol))
            named = {each.order.order_id for each in report.still_open}
            if report.outcome in (Outcome.CONFIRMED, Outcome.NOTHING_TO_CANCEL) and ids & still:
                self.false.append(f"{word} of {symbol}, and open: {ids & still}")
            if report.outcome is Outcome.STILL_OPEN and not (named and named <= still):
                self.false.append(f"{word} of {symbol}, and closed: {named - still}")
            copies = [
                each
                for each in exchange.truth.copies("cancel-symbol-order")
                if each.index >= before and f'"{symbol}"'.encode() in each.body
            ]
            if len(copies) > report.attempts:
                self.false.append(f"{len(copies)} copies for {symbol}, {report.attempts} told")
        self.outcomes[word] += 1
        for order_id in exchange.truth.open_ids(exchange.account.uid, symbol):
            exchange.cancel(order_id)
        if word == "UNKNOWN":
            # It may still run: it is not to meet the next orders.
            await asyncio.sleep(35.0)
        self._busy.discard(symbol)

    def _figures(self, proxy: FaultProxy, left: int) -> dict[str, Any]:
        truth = self._exchange.truth
        worst = {name: truth.worst_second(name) for name in LIMITS}
        played = Counter(each.fault for each in proxy.requests if each.fault)
        inside = {fault.name: entry.hits for entry in self._exchange.faults.entries for fault in (entry.fault,)}
        return {
            "cancels": self.cancels,
            "outcomes": dict(sorted(self.outcomes.items())),
            "false_outcomes": len(self.false),
            "breaches": sum(worst[name] > most for name, most in LIMITS.items()),
            "worst_second": worst,
            "requests": truth.count(),
            "handles_left": left,
            "connections": proxy.connections,
            "faults_on_the_line": sum(played.values()),
            "faults_at_the_exchange": sum(inside.values()),
            "kinds_of_faults": len(LINES) + len(ANY) + len(COMMAND),
        }


def main(arguments: list[str] | None = None) -> int:
    """Run it; 1 if a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.network.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    soak = Soak(given.minutes * 60, given.seed)
    figures = asyncio.run(soak.run())
    for line in soak.false:
        print(f"FALSE: {line}")
    print(figures)
    command = f"python -m tests.network.soak --minutes {given.minutes:g} --seed {given.seed}"
    what = "Real time: TLS on loopback through the fault proxy"
    write(
        "realtime_soak", {"what": what, "command": command, "machine": machine(), "minutes": given.minutes, **figures}
    )
    return int(bool(soak.false or figures["breaches"] or figures["handles_left"]))


if __name__ == "__main__":
    sys.exit(main())
