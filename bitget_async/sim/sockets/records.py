"""
What is remembered of a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["SocketRecord"]


@dataclass(slots=True, eq=False)
class SocketRecord:
    """
    One connection, from its opening on. Times are monotonic nanoseconds.

    Attributes:
        path, ip: where it came to and from.
        opened_ns, closed_ns: `closed_ns` is `None` while it is open.
        uid: whose login it has, empty before one.
        logged_in: whether a login succeeded.
        close_code: the code of the exchange's goodbye or else of the client's, `None` without any.
        messages: messages of the client, pings included.
        worst_second: most of them in any sliding second [t, t + 1 s).
        subscribes: how many of them asked for a subscription.
        trades: how many of them were commands.
        pings: how many of them were `ping`.
        pushes_sent, pushes_lost: pushes that left, doubles included, and that a fault kept from leaving.
        errors: the codes of errors that were sent, in their order.
    """

    path: str
    ip: str
    opened_ns: int
    closed_ns: int | None = None
    uid: str = ""
    logged_in: bool = False
    close_code: int | None = None
    messages: int = 0
    worst_second: int = 0
    subscribes: int = 0
    trades: int = 0
    pings: int = 0
    pushes_sent: int = 0
    pushes_lost: int = 0
    errors: list[int] = field(default_factory=list)
