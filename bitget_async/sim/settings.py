"""
The knobs of the simulated exchange, and how a delay is drawn from one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

__all__ = ["Delay", "Dice", "Settings", "draw_ns", "usual_sweep_delay"]

Delay = float | tuple[float, float] | Callable[[random.Random], float]
"""Seconds: a constant, a (low, high) range drawn evenly, or a function of the random generator; `inf` means never."""

NEVER_NS = 1 << 62


def usual_sweep_delay(dice: random.Random) -> float:
    """Seconds from the answer of a cancel-by-symbol to its execution: log-normal, median 0.12, at most 1."""
    return min(1.0, 0.12 * math.exp(dice.gauss(0.0, 0.6)))


def draw_ns(delay: Delay, dice: random.Random) -> int:
    """One drawn delay in nanoseconds; an infinite one gives `NEVER_NS`."""
    if callable(delay):
        seconds = delay(dice)
    elif isinstance(delay, tuple):
        low, high = delay
        seconds = low if low == high else dice.uniform(low, high)
    else:
        seconds = delay
    return NEVER_NS if math.isinf(seconds) else round(seconds * 1e9)


class Dice:
    """
    Every source of chance, each with its own stream, so that one more draw here changes nothing there.

    Args:
        seed: decides all streams.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.network = random.Random(f"{seed}/network")
        self.engine = random.Random(f"{seed}/engine")
        self.replicas = random.Random(f"{seed}/replicas")
        self.history = random.Random(f"{seed}/history")
        self.ids = random.Random(f"{seed}/ids")
        self.triggers = random.Random(f"{seed}/triggers")
        self.funds = random.Random(f"{seed}/funds")
        self.faults = random.Random(f"{seed}/faults")
        self.sockets = random.Random(f"{seed}/sockets")
        self.pushes = random.Random(f"{seed}/pushes")

    def of(self, name: str) -> random.Random:
        """One more source, which nobody else has: the same for the same name, from its beginning."""
        return random.Random(f"{self._seed}/{name}")


@dataclass(kw_only=True)
class Settings:
    """
    How the simulated exchange behaves. Every field may be changed while it runs.

    Attributes:
        clock_offset_ms: exchange time minus the local wall clock at the start.
        clock_drift_ppm: how much faster the exchange's clock runs than the local monotonic one.
        request_latency_s: from the socket to the processing.
        answer_latency_s: from the processing to the answer.
        sweep_delay_s: from the answer of cancel-symbol-order to its execution.
        cancel_delay_s: the same for cancel-order and batch-cancel-order, and for the commands on trigger orders.
        trigger_delay_s: from the price that a trigger order waited for to the birth of its spot order.
        trigger_failure_inside: a cancel-plan-order that finds nothing live answers 00000 with `result` failure,
            instead of 43025 or 43026.
        listing_lag_s: how old the state is that unfilled-orders shows.
        place_delay_s: from the answer to a placement to the order's birth; if it cannot be made then, it never is.
        replace_delay_s: the same for both steps of a replacement; nothing is placed if the old order is final by then.
        engine_delay_s: from taking what the engine does not want (post_only that crosses, ioc, fok) to its end.
        standing_market: whether somebody trades any amount at the last price; if not, only orders trade.
        batch_limit: most items of a batch that are taken.
        client_oid_limit: most characters of a clientOid.
        minimum_usdt: least value of an order in USDT; 0: none.
        price_band: how far a buy may be above the last price and a sell below it, as a fraction; 0: as far as you like.
        most_open_orders: open orders that an account may have on a symbol.
        transfer_delay_s: from the answer to a transfer to its arrival; it leaves at once.
        upgrade_delay_s: from the answer to an upgrade until the account is unified.
        upgrade_refusal: why every upgrade fails; empty: it does not.
        staleness_limit_s: no listing lag may exceed it.
        replicas: how many servers answer listings; each one's view only moves forward.
        history_lag_s: from an order's final event to its row in history-orders; `inf`: never.
        order_info_lag_s: how old the state is that orderInfo shows.
        fills_lag_s: how old the state is that fills shows.
        history_days: how many days after its creation an order leaves history-orders.
        nothing_open_code: code of a cancel-by-symbol that finds nothing open; `None`: 00000 as if there were.
        unknown_order_code: code of orderInfo for an id that it does not know; `None`: an empty list.
        cancelled_text: how a cancelled status is spelt, `cancelled` or `canceled`.
        quotas: endpoint name -> calls a second, where it shall differ from `ROUTES`.
        advertised_quotas: endpoint name -> the quota that the remaining-limit header pretends.
        ip_per_minute: requests a minute of one address before it is banned; `None`: no such limit.
        ip_ban_s: for how long.
        clock_tolerance_ms: how far a timestamp may be off; on a socket too.
        socket_latency_s: between a client and its socket, each way.
        ack_lag_s: from a login, subscription or command on a socket to its answer.
        ack_loss: chance that such an answer is never sent; errors always are.
        login_refusal: code that every login is refused with; empty: none is.
        push_lag_s: from what happens to the leaving of the frame that tells it.
        push_loss: chance that a push is never sent.
        push_doubling: chance that one is sent twice.
        push_disorder: chance that one changes places with the next on its socket.
        book_loss: chance that an update of channel `books` is not sent to anybody.
        book_wrong_checksum: chance that one carries a wrong checksum.
        book_unknown_level: chance that one takes away a level that was never there.
        book_pseq: whether it names the `seq` of the push before it, as newer feeds do.
        socket_trading: whether accounts may place and cancel over a socket.
        socket_life_s: after that long a connection is cut.
        socket_silence_s: without a `ping` for that long a connection is closed.
        socket_buffer_bytes: what a client leaves unread before its connection is cut.
        sockets_open: most connections of one address at a time; `None`: no limit.
        sockets_opened: most new ones of one address in five minutes; `None`: no limit.
    """

    clock_offset_ms: int = 0
    clock_drift_ppm: float = 0.0
    request_latency_s: Delay = 0.0
    answer_latency_s: Delay = 0.0
    sweep_delay_s: Delay = usual_sweep_delay
    cancel_delay_s: Delay = (0.005, 0.04)
    place_delay_s: Delay = 0.0
    replace_delay_s: Delay = 0.0
    engine_delay_s: Delay = 0.002
    standing_market: bool = True
    batch_limit: int = 20
    client_oid_limit: int = 32
    minimum_usdt: Decimal = Decimal(1)
    price_band: Decimal = Decimal("0.05")
    most_open_orders: int = 200
    trigger_delay_s: Delay = (0.005, 0.04)
    trigger_failure_inside: bool = False
    transfer_delay_s: Delay = (0.005, 0.04)
    upgrade_delay_s: Delay = 2.0
    upgrade_refusal: str = ""
    staleness_limit_s: float = 2.0
    listing_lag_s: Delay = (0.0, 0.3)
    replicas: int = 3
    history_lag_s: Delay = (0.1, 0.8)
    order_info_lag_s: Delay = (0.0, 0.1)
    fills_lag_s: Delay = (0.0, 0.3)
    history_days: int = 90
    nothing_open_code: str | None = None
    unknown_order_code: str | None = None
    cancelled_text: str = "cancelled"
    quotas: dict[str, int] = field(default_factory=dict)
    advertised_quotas: dict[str, int] = field(default_factory=dict)
    ip_per_minute: int | None = 6000
    ip_ban_s: float = 300.0
    clock_tolerance_ms: int = 30_000
    socket_latency_s: Delay = 0.0
    ack_lag_s: Delay = (0.001, 0.005)
    ack_loss: float = 0.0
    login_refusal: str = ""
    push_lag_s: Delay = (0.005, 0.03)
    push_loss: float = 0.0
    push_doubling: float = 0.0
    push_disorder: float = 0.0
    book_loss: float = 0.0
    book_wrong_checksum: float = 0.0
    book_unknown_level: float = 0.0
    book_pseq: bool = False
    socket_trading: bool = True
    socket_life_s: float = 86_400.0
    socket_silence_s: float = 120.0
    socket_buffer_bytes: int = 1 << 20
    sockets_open: int | None = 100
    sockets_opened: int | None = 300

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dataclass_fields__:
            raise AttributeError(f"no such setting: {name}")
        object.__setattr__(self, name, value)
        if name in ("listing_lag_s", "staleness_limit_s"):
            self._check_lag()

    def _check_lag(self) -> None:
        lag = getattr(self, "listing_lag_s", 0.0)
        worst = max(lag) if isinstance(lag, tuple) else lag
        if not callable(worst) and worst > self.staleness_limit_s:
            raise ValueError(f"listing_lag_s {lag} exceeds staleness_limit_s {self.staleness_limit_s}")
