"""
The way in: arrival, latency, limits, checks, faults, answer. Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import orjson

from bitget_async.clock import Clock
from bitget_async.sim.account_desk import AccountDesk
from bitget_async.sim.accounts import Key
from bitget_async.sim.call import Call, Reply, Request
from bitget_async.sim.counters import Counters
from bitget_async.sim.faults import Answer, Fault, FaultScript, Scene
from bitget_async.sim.funds import Funds
from bitget_async.sim.gatekeeper import check_permission, identify, parse_timestamp
from bitget_async.sim.market_desk import MarketDesk
from bitget_async.sim.placing import PlacingDesk
from bitget_async.sim.reading import ReadingDesk
from bitget_async.sim.refusals import MESSAGES, Refusal
from bitget_async.sim.replacing import ReplacingDesk
from bitget_async.sim.routes import ROUTES, Route
from bitget_async.sim.settings import Delay, Dice, Settings, draw_ns
from bitget_async.sim.trading import TradingDesk
from bitget_async.sim.trigger_desk import TriggerDesk
from bitget_async.sim.triggers import TriggerBook
from bitget_async.sim.truth import Truth, WireCopy
from bitget_async.sim.venue import Venue
from bitget_async.sim.wallet_desk import WalletDesk

__all__ = ["Gateway"]

SECRETS = frozenset({"access-key", "access-sign", "access-passphrase"})
JSON = {"Content-Type": "application/json"}
REMAINING = "X-Mbx-Used-Remain-Limit"


class Gateway:
    """
    Turns a `Request` into a `Reply`.

    The processing of a request is an event on the timeline: it happens at its time even when nobody waits for the
    answer any more.

    Args:
        clock: sleeps through the latencies.
        venue, truth, faults, settings, dice: the rest of the exchange.
        keys: api key -> key.
        triggers, funds: the trigger orders, and the money beside the trading.

    Attributes:
        venue: where it trades.
    """

    def __init__(
        self,
        clock: Clock,
        venue: Venue,
        truth: Truth,
        faults: FaultScript,
        settings: Settings,
        dice: Dice,
        keys: Mapping[str, Key],
        triggers: TriggerBook,
        funds: Funds,
    ) -> None:
        self._clock = clock
        self.venue = venue
        self._timeline = venue.timeline
        self._truth = truth
        self._faults = faults
        self._settings = settings
        self._dice = dice
        self._keys = keys
        self._counters = Counters(settings)
        self._desks = _desks(venue, settings, dice)
        self._desks |= TriggerDesk(triggers, settings, dice).table()
        self._desks |= AccountDesk(venue, funds, settings, dice).table()
        self._desks |= WalletDesk(venue, funds, settings, dice).table()
        self._desks |= MarketDesk(venue, funds).table()
        self._previous: dict[tuple[str, str | None], object] = {}

    async def handle(self, request: Request) -> Reply:
        """
        Answer one request, taking the time that the settings and faults say.

        Cancelling: whoever waits may leave at any time; what has arrived is processed all the same.
        """
        now_ns = self._timeline.advance()
        copy = self._receive(request, now_ns)
        fault = self._faults.take(copy)
        job = _Job(self, request, copy, fault)
        due_ns = now_ns + self._latency_ns(self._settings.request_latency_s)
        if fault is not None:
            due_ns += draw_ns(fault.before_s, self._dice.faults)
            if fault.again_s is not None:
                self._resend(request, due_ns + draw_ns(fault.again_s, self._dice.faults))
        if due_ns <= now_ns:
            job.run(now_ns)
        else:
            self._timeline.at(due_ns, job.run)
            await self._until(due_ns)
            self._timeline.advance()
        assert job.reply is not None
        leave_ns = self._latency_ns(self._settings.answer_latency_s)
        if fault is not None:
            leave_ns += draw_ns(fault.after_s, self._dice.faults)
        if leave_ns:
            await self._until(self._clock.monotonic_ns() + leave_ns)
        self._answered(copy, job.reply, job.code)
        return job.reply

    def command(
        self, key: Key, endpoint: str, fields: dict[str, object], ip: str, now_ns: int
    ) -> tuple[str, str, object] | None:
        """
        Do what came over a socket as if it were the REST call of that name, signed by the key: same limits, same desk,
        same truth. Returns code, text and data. Of a fault counts what it does to execution and code; one that sends no
        envelope gives `None`.
        """
        path = f"/api/v2/spot/trade/{endpoint}"
        request = Request(method="POST", path=path, body=orjson.dumps(fields), ip=ip, socket_key=key)
        copy = self._receive(request, now_ns)
        reply, code = self.process(request, copy, self._faults.take(copy), now_ns)
        self._answered(copy, reply, code)
        if code is None:
            return None
        envelope = orjson.loads(reply.body)
        return code, envelope["msg"], envelope["data"]

    def process(self, request: Request, copy: WireCopy, fault: Fault | None, now_ns: int) -> tuple[Reply, str | None]:
        """What the exchange does with a request at that moment: its reply, and the code in it."""
        if fault is None:
            return self._own_answer(request, copy, None, now_ns)
        if fault.executed:
            reply, code = self._own_answer(request, copy, fault, now_ns)
        else:
            reply, code = Reply(kind="close"), None
        if fault.answer is None:
            return reply, code
        return self._played(fault.answer, reply, code, now_ns)

    def _own_answer(
        self, request: Request, copy: WireCopy, fault: Fault | None, now_ns: int
    ) -> tuple[Reply, str | None]:
        now_ms = self._timeline.epoch_ms(now_ns)
        headers = dict(JSON)
        status, code, text, data = 200, "00000", "success", None
        self._truth.processed(copy, now_ns)
        try:
            route = ROUTES.get((request.method, request.path))
            if route is None:
                raise Refusal("40404", status=404)
            data = self._serve(route, request, copy, fault, now_ns, now_ms, headers)
        except Refusal as refusal:
            status, code, text = refusal.status, refusal.code, refusal.text
        copy.result = code
        body = orjson.dumps({"code": code, "msg": text, "requestTime": now_ms, "data": data})
        return Reply(status=status, headers=headers, body=body), code

    def _serve(
        self,
        route: Route,
        request: Request,
        copy: WireCopy,
        fault: Fault | None,
        now_ns: int,
        now_ms: int,
        headers: dict[str, str],
    ) -> object:
        """Limits, checks and the desk; adds what the answer's headers tell. Raises `Refusal`."""
        if not self._counters.admit_address(request.ip, now_ns):
            raise Refusal("429", status=429)
        key = None if route.permission is None else request.socket_key or self._identify(request, now_ms)
        who = request.ip if key is None or route.scope == "IP" else key.account.uid
        admitted, remaining = self._counters.admit(route, who, now_ns)
        if route.advertised:
            headers[REMAINING] = str(remaining)
        if not admitted:
            raise Refusal("429", status=429)
        if key is not None:
            if key.account.mode == "unified" and not _for_unified(route):
                raise Refusal("40085")
            check_permission(key, route.permission or "read")
        params, body = _fields(request, fault)
        call = Call(params=params, body=body, key=key, now_ns=now_ns, now_ms=now_ms, copy=copy.index, fault=fault)
        desk = self._desks.get(route.path) or self._desks[route.name]
        data = desk(call)
        if fault is not None and fault.data is not None:
            data = fault.data(data, Scene(self._dice.faults, self._previous.get((route.name, copy.uid))))
        self._previous[route.name, copy.uid] = data
        return data

    def _resend(self, request: Request, due_ns: int) -> None:
        """Have the request arrive and be processed once more; nobody gets that answer."""

        def run(now_ns: int) -> None:
            copy = self._receive(request, now_ns)
            copy.fault = "second arrival"
            self.process(request, copy, None, now_ns)

        self._timeline.at(due_ns, run)

    def _identify(self, request: Request, now_ms: int) -> Key:
        return identify(
            self._keys,
            method=request.method,
            path=request.path,
            raw_query=request.query,
            headers=request.headers,
            body=request.body,
            now_ms=now_ms,
            tolerance_ms=self._settings.clock_tolerance_ms,
        )

    def _played(self, answer: Answer, own: Reply, code: str | None, now_ns: int) -> tuple[Reply, str | None]:
        """The fault's answer in place of the exchange's own."""
        if answer.kind == "raw":
            return Reply(status=answer.status, headers=answer.headers, body=answer.body), None
        if answer.kind == "envelope":
            envelope = {
                "code": answer.code,
                "msg": answer.text or MESSAGES.get(answer.code, ""),
                "requestTime": self._timeline.epoch_ms(now_ns),
                "data": None,
            }
            return Reply(status=answer.status, headers=JSON, body=orjson.dumps(envelope)), answer.code
        if answer.kind == "cut":
            whole = len(own.body)
            own.cut_at = answer.keep if isinstance(answer.keep, int) else int(whole * answer.keep)
            return own, None
        return Reply(kind=answer.kind), None

    def _receive(self, request: Request, now_ns: int) -> WireCopy:
        headers = request.headers
        key = request.socket_key or self._keys.get(headers.get("access-key", ""))
        kept = {k: v for k, v in headers.items() if k not in SECRETS} if self._truth.keep_headers else {}
        copy = WireCopy(
            index=self._truth.count(),
            method=request.method,
            path=request.path,
            query=request.query,
            body=request.body,
            ip=request.ip,
            received_ns=now_ns,
            received_ms=self._timeline.epoch_ms(now_ns),
            headers=kept,
            uid=None if key is None else key.account.uid,
            timestamp_ms=parse_timestamp(headers.get("access-timestamp")),
            socket=request.socket_key is not None,
        )
        self._truth.receive(copy)
        return copy

    def _answered(self, copy: WireCopy, reply: Reply, code: str | None) -> None:
        self._truth.answer(copy, reply.status if reply.kind == "send" else None, code)

    def _latency_ns(self, latency: Delay) -> int:
        # The usual case draws nothing and costs nothing.
        return 0 if latency == 0.0 else draw_ns(latency, self._dice.network)

    async def _until(self, time_ns: int) -> None:
        """Sleep until that monotonic time or a little later, whatever the clock's resolution."""
        while (left_ns := time_ns - self._clock.monotonic_ns()) > 0:
            await self._clock.sleep(left_ns / 1e9 + 1e-6)


class _Job:
    """A request that waits for its processing."""

    __slots__ = ("_copy", "_fault", "_gateway", "_request", "code", "reply")

    def __init__(self, gateway: Gateway, request: Request, copy: WireCopy, fault: Fault | None) -> None:
        self._gateway = gateway
        self._request = request
        self._copy = copy
        self._fault = fault
        self.reply: Reply | None = None
        self.code: str | None = None

    def run(self, now_ns: int) -> None:
        """The processing, once."""
        self.reply, self.code = self._gateway.process(self._request, self._copy, self._fault, now_ns)


def _fields(request: Request, fault: Fault | None) -> tuple[dict[str, str], dict[str, object]]:
    """Query or body as text fields without nulls, and the body's fields as they came. Raises `Refusal` 40808."""
    if request.method == "GET":
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        return (query if fault is None or fault.query is None else fault.query(query)), {}
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        raise Refusal("40808", "body") from None
    if not isinstance(body, dict):
        raise Refusal("40808", "body")
    return {name: str(value) for name, value in body.items() if value is not None}, body


def _for_unified(route: Route) -> bool:
    """
    Whether a unified account may call it. How an upgrade ended is a classic call that must work after it (a guess: else
    nobody could ask).
    """
    return route.path.startswith("/api/v3/") or route.name == "upgrade-status"


def _desks(venue: Venue, settings: Settings, dice: Dice) -> dict[str, Callable[[Call], object]]:
    trading, placing = TradingDesk(venue, settings, dice), PlacingDesk(venue, settings, dice)
    replacing = ReplacingDesk(venue, settings, dice, trading, placing)
    reading = ReadingDesk(venue, settings, dice)
    return {
        "place-order": placing.place_order,
        "batch-orders": placing.batch_orders,
        "cancel-replace-order": replacing.cancel_replace_order,
        "batch-cancel-replace-order": replacing.batch_cancel_replace_order,
        "cancel-order": trading.cancel_order,
        "batch-cancel-order": trading.batch_cancel_order,
        "cancel-symbol-order": trading.cancel_symbol_order,
        "orderInfo": reading.order_info,
        "unfilled-orders": reading.unfilled_orders,
        "history-orders": reading.history_orders,
        "fills": reading.fills,
        "info": reading.info,
        "assets": reading.assets,
        "settings": reading.settings,
        "time": reading.time,
        "symbols": reading.symbols,
        "coins": reading.coins,
        "tickers": reading.tickers,
        "currencies": reading.currencies,
    }
