"""
What really happened: the judge of every test.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from bitget_async.sim.orders import Fill, Order, Placement
from bitget_async.sim.sockets.line import Luck
from bitget_async.sim.triggers import TriggerBook, TriggerOrder
from bitget_async.sim.venue import Execution, Venue

__all__ = ["Truth", "WireCopy"]

SECOND_NS = 1_000_000_000


@dataclass(slots=True, eq=False)
class WireCopy:
    """
    One request as it arrived.

    Attributes:
        index: 0 for the first of this exchange.
        endpoint: last segment of the path.
        received_ns: monotonic time at the socket.
        received_ms: the exchange's clock then.
        processed_ns: when its limit was counted and it was checked and executed; `None`: never, or not yet.
        uid: account of its key, `None` if unsigned or not recognised.
        headers: lower-case names; without key, signature and passphrase.
        timestamp_ms: ACCESS-TIMESTAMP, `None` if absent or malformed.
        status, code: what was answered; `None` where no answer, or none with a code, was sent.
        result: the code of its processing, whatever was answered; `None` if it was not processed.
        fault: name of the fault played on it, or `None`.
        socket: whether it came over a socket; then `path` is that of the REST call of the same name.
    """

    index: int
    method: str
    path: str
    query: str
    body: bytes
    ip: str
    received_ns: int
    received_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)
    processed_ns: int | None = None
    uid: str | None = None
    timestamp_ms: int | None = None
    status: int | None = None
    code: str | None = None
    result: str | None = None
    fault: str | None = None
    socket: bool = False

    @property
    def endpoint(self) -> str:
        """The last segment of the path."""
        return self.path.rsplit("/", 1)[1]

    @property
    def timestamp_age_ms(self) -> int | None:
        """How old ACCESS-TIMESTAMP was on arrival: the exchange's clock then minus the timestamp."""
        return None if self.timestamp_ms is None else self.received_ms - self.timestamp_ms


class Window:
    """Most events in any one second, followed as they happen."""

    __slots__ = ("_times", "worst")

    def __init__(self) -> None:
        self._times: deque[int] = deque()
        self.worst = 0

    def add(self, time_ns: int) -> None:
        """One more event; times never go back."""
        times = self._times
        times.append(time_ns)
        while times[0] <= time_ns - SECOND_NS:
            times.popleft()
        if len(times) > self.worst:
            self.worst = len(times)


class Truth:
    """
    The facts, for tests and benchmarks. Everything due by now has happened when an attribute is read.

    Args:
        venue, triggers: whose facts.
        luck: counts the pushes.
        keep_wire: how many wire copies to remember, `None` for all. Counters count all.
        keep_headers: whether wire copies hold their headers.
    """

    def __init__(
        self,
        venue: Venue,
        triggers: TriggerBook,
        luck: Luck,
        *,
        keep_wire: int | None = None,
        keep_headers: bool = True,
    ) -> None:
        self._venue = venue
        self._triggers = triggers
        self._luck = luck
        self._wire: deque[WireCopy] = deque(maxlen=keep_wire)
        self._received: Counter[str] = Counter()
        self._windows: dict[tuple[str | None, str | None], Window] = {}
        self._answers: Counter[int] = Counter()
        self.keep_headers = keep_headers

    @property
    def orders(self) -> Mapping[str, Order]:
        """Order id -> its record; live objects, not to be written."""
        self._venue.timeline.advance()
        return self._venue.orders

    @property
    def executions(self) -> list[Execution]:
        """Executed cancel-by-symbol commands, oldest first."""
        self._venue.timeline.advance()
        return [run for run in self._venue.executions if run.endpoint == "cancel-symbol-order"]

    @property
    def cancels(self) -> list[Execution]:
        """Executed commands that cancel by id, replacements among them, oldest first."""
        self._venue.timeline.advance()
        return [run for run in self._venue.executions if run.endpoint != "cancel-symbol-order"]

    @property
    def triggers(self) -> Mapping[str, TriggerOrder]:
        """Trigger order id -> its record; live objects, not to be written."""
        self._venue.timeline.advance()
        return self._triggers.orders

    @property
    def trigger_cancels(self) -> list[Execution]:
        """Executed cancel-plan-order and batch-cancel-plan-order commands, oldest first; `symbol` empty for all."""
        self._venue.timeline.advance()
        return list(self._triggers.executions)

    @property
    def placements(self) -> list[Placement]:
        """Orders that requests have made, oldest first; not those that `rest` and its like put there."""
        self._venue.timeline.advance()
        return list(self._venue.placements)

    @property
    def fills(self) -> list[Fill]:
        """Every fill, oldest first: one for each of our sides of a trade."""
        self._venue.timeline.advance()
        return list(self._venue.ledger.fills)

    @property
    def wire(self) -> list[WireCopy]:
        """Every request received, in the order of arrival (the last `keep_wire` ones)."""
        self._venue.timeline.advance()
        return list(self._wire)

    def copies(self, endpoint: str) -> list[WireCopy]:
        """The wire copies of one endpoint, named by the last segment of its path."""
        return [copy for copy in self.wire if copy.endpoint == endpoint]

    def count(self, endpoint: str | None = None) -> int:
        """How many requests were received, of one endpoint or of all; not bounded by `keep_wire`."""
        return self._received.total() if endpoint is None else self._received[endpoint]

    def worst_second(self, endpoint: str | None = None, uid: str | None = None) -> int:
        """
        Most requests processed in any sliding second [t, t + 1 s), of one endpoint or all, of one account or all.
        Those answered 429 by a limit are counted; requests that a fault kept from being processed are not.
        """
        self._venue.timeline.advance()
        window = self._windows.get((endpoint, uid))
        return window.worst if window else 0

    @property
    def answers_429(self) -> int:
        """How many requests were answered with HTTP status 429, by a limit or by a fault."""
        return self.answered(429)

    def answered(self, status: int) -> int:
        """How many requests were answered with that HTTP status."""
        self._venue.timeline.advance()
        return self._answers[status]

    def open_ids(self, uid: str, symbol: str | None = None, *, tpsl: bool = False) -> tuple[str, ...]:
        """Ids of the account's open orders now, oldest first; normal ones, or with `tpsl` those of the other list."""
        self._venue.timeline.advance()
        return tuple(order.order_id for order in self._venue.shelf(uid).open_now(symbol, tpsl=tpsl))

    def open_trigger_ids(self, uid: str, symbol: str | None = None) -> tuple[str, ...]:
        """Ids of the account's trigger orders that are live or executing now, oldest first."""
        self._venue.timeline.advance()
        return tuple(o.order_id for o in self._triggers.pending(uid, None if symbol is None else (symbol,)))

    @property
    def pushes(self) -> int:
        """How many pushes have left on all sockets, doubles included."""
        self._venue.timeline.advance()
        return self._luck.sent

    def forget(self) -> None:
        """Drop all wire copies; counters stay."""
        self._wire.clear()

    def receive(self, copy: WireCopy) -> None:
        """For the gateway: a request has arrived."""
        self._received[copy.endpoint] += 1
        self._wire.append(copy)

    def processed(self, copy: WireCopy, now_ns: int) -> None:
        """For the gateway: a request is being processed."""
        copy.processed_ns = now_ns
        endpoint, uid = copy.endpoint, copy.uid
        keys = ((None, None), (endpoint, None), (None, uid), (endpoint, uid))
        for key in keys if uid is not None else keys[:2]:
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = Window()
            window.add(now_ns)

    def answer(self, copy: WireCopy, status: int | None, code: str | None) -> None:
        """For the gateway: what was answered."""
        copy.status, copy.code = status, code
        if status is not None:
            self._answers[status] += 1
