"""
One request on its way through the simulated exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bitget_async.sim.accounts import Account, Key
from bitget_async.sim.faults import Fault
from bitget_async.sim.refusals import Refusal

__all__ = ["Call", "Reply", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A request as bytes left it: `query` raw and without "?", `headers` with lower-case names; `socket_key` is the key
    that had logged in on the socket by which it came, `None` for a REST call.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    ip: str = "127.0.0.1"
    socket_key: Key | None = None


@dataclass(slots=True, kw_only=True)
class Reply:
    """
    What the server has to do.

    `kind` is `send`, `close` (no answer, close), `reset` (no answer, RST) or `hang`. With `cut_at` the full
    length is announced, that many bytes are sent, and the connection is closed.
    """

    kind: str = "send"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None


@dataclass(slots=True, kw_only=True)
class Call:
    """
    A checked request, as the desks see it.

    `params` are the query's or the body's fields without nulls, as text; `body` the fields as they came.
    """

    params: dict[str, str]
    body: dict[str, object]
    key: Key | None
    now_ns: int
    now_ms: int
    copy: int
    fault: Fault | None

    @property
    def account(self) -> Account:
        """The account that asks."""
        assert self.key is not None, "a public endpoint asked for the account"
        return self.key.account

    def need(self, name: str) -> str:
        """A parameter that must be there. Raises `Refusal` 40019."""
        value = self.params.get(name)
        if not value:
            raise Refusal("40019", name)
        return value

    def integer(self, name: str) -> int | None:
        """A parameter in decimal digits, `None` if absent. Raises `Refusal` 40017 if it is anything else."""
        text = self.params.get(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit()):
            raise Refusal("40017", name)
        return int(text)
