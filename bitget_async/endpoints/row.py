"""What a row of the catalogue is."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from bitget_async.errors import UsageError

__all__ = ["Effect", "Endpoint", "Fields", "Paging", "Param", "Quota", "Rule", "Scope"]

KIB = 1024
DAY_MS = 86_400_000
Rule = Callable[[Mapping[str, Any]], None]

# Rows cannot be changed; what follows from their fields is put down when they are made.
_force = msgspec.structs.force_setattr


class Effect(enum.Enum):
    """READ may be repeated inside the deadline, each copy with its token. COMMAND is never repeated by us."""

    READ = "read"
    COMMAND = "command"


class Scope(enum.Enum):
    """What the exchange counts a quota by."""

    UID = "uid"
    IP = "ip"


class Quota(msgspec.Struct, frozen=True):
    """So many calls a second, counted by account (UID) or by address (IP)."""

    per_s: int
    scope: Scope


class Param(msgspec.Struct, frozen=True):
    """
    One parameter: its name in snake case, the check that turns a value into what goes on the wire, and
    whether it must be given. The check raises `UsageError` with a text that ends the sentence "`name` ...".
    `wire_name` is the exchange's spelling: camel case.
    """

    name: str
    check: Callable[[Any], Any]
    required: bool = False
    wire_name: str = ""

    def __post_init__(self) -> None:
        head, *rest = self.name.split("_")
        _force(self, "wire_name", head + "".join(part.capitalize() for part in rest))


class Fields(msgspec.Struct, frozen=True):
    """
    Parameters that are given together, those of a call or of one item of a batch, and a rule over several of them.
    The rule gets them by snake-case name as they go on the wire.
    """

    params: tuple[Param, ...]
    rule: Rule | None = None
    _names: frozenset[str] = frozenset()
    _plan: tuple[tuple[str, str, Callable[[Any], Any], bool], ...] = ()

    def __post_init__(self) -> None:
        # Looked at on every request: worked out once.
        plan = tuple((each.name, each.wire_name, each.check, each.required) for each in self.params)
        _force(self, "_plan", plan)
        _force(self, "_names", frozenset(each.name for each in self.params))

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """
        Wire names and values of the given parameters; `None` counts as not given.

        Raises:
            UsageError: a parameter is missing, unknown or wrong.
        """
        wire: dict[str, Any] = {}
        seen: dict[str, Any] = {}
        for name, wire_name, check, required in self._plan:
            value = given.get(name)
            if value is not None:
                try:
                    wire[wire_name] = seen[name] = check(value)
                except UsageError as error:
                    raise UsageError(f"{name} {error}") from None
            elif required:
                raise UsageError(f"{name} is missing")
        left = [] if given.keys() <= self._names else [n for n in given.keys() - self._names if given[n] is not None]
        if left:
            known = ", ".join(param.name for param in self.params) or "none"
            raise UsageError(f"unknown parameter {', '.join(sorted(map(str, left)))}; it takes: {known}")
        if self.rule is not None:
            self.rule(seen)
        return wire


NO_FIELDS = Fields(())


class Paging(msgspec.Struct, frozen=True):
    """
    How one page of a call leads to the next. `pages` follows it.

    Attributes:
        by: "id": `id_less_than` is the smallest `key` of the page, ids compared as integers. "answer": the answer's
            own `id_less_than`, while its `next_flag` says that there is more. "number": `page_num` counts from 1.
            "time": `end_time` is the smallest `key` of the page.
        key: the record's attribute that the cursor is made of; `""` for "answer" and "number".
        limit: most rows a page.
        rows: the attribute of the answer that holds the rows; `""` where the answer is the list.
        span_ms: longest range from `start_time` to `end_time` in one call, or `None` where no limit is known.
        kept_ms: how far back the exchange keeps rows, or `None` where not told.
    """

    by: Literal["id", "answer", "number", "time"]
    key: str
    limit: int
    rows: str = ""
    span_ms: int | None = None
    kept_ms: int | None = None


class Endpoint(msgspec.Struct, frozen=True, eq=False):
    """
    One call of the exchange.

    Attributes:
        name: snake case, unique.
        method, path: as on the wire.
        signed: whether it needs credentials.
        quota: the documented limit.
        effect: READ or COMMAND.
        params: what it takes.
        returns: the record, or `list[record]`, that its `data` holds.
        page, read_on: the exchange's documentation page, and the date of the copy that was read; `""` where no dated
            copy was at hand.
        home: where its verb is: `""` for the client itself, else "trigger", "account" or "market".
        cancels: a cancelling command, which does not wait for the IP budget.
        check: a rule over several parameters; see `Fields`.
        max_bytes: longest answer body that is read.
        dated: the body takes `requestTime`, which the session writes at the signing if a `receive_window` was given.
        paging: how to get the next page, for calls that have pages.
        unnamed: the documents at hand name no quota, so that `quota` is our choice.
        glance: the record of a row at a glance, for who need not read all of it: see `models.glances`.
        label: `"POST /api/..."`, as errors show it.
    """

    name: str
    method: str
    path: str
    signed: bool
    quota: Quota
    effect: Effect
    params: tuple[Param, ...]
    returns: Any
    page: str
    read_on: str
    home: str = ""
    cancels: bool = False
    check: Rule | None = None
    max_bytes: int = 1024 * KIB
    dated: bool = False
    paging: Paging | None = None
    unnamed: bool = False
    glance: Any = None
    label: str = ""
    _fields: Fields = NO_FIELDS

    def __post_init__(self) -> None:
        _force(self, "label", f"{self.method} {self.path}")
        _force(self, "_fields", Fields(self.params, self.check))

    @property
    def verb(self) -> str:
        """`"market.fills"`: how it is called on the client. The home is not said twice (`market_fills`)."""
        return f"{self.home}.{self.name.removeprefix(self.home + '_')}" if self.home else self.name

    @property
    def short(self) -> str:
        """Last part of the path, the exchange's own name of the call."""
        return self.path.rsplit("/", 1)[1]

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """
        Wire names and values of the given parameters; `None` counts as not given.

        Raises:
            UsageError: a parameter is missing, unknown or wrong. Nothing was sent.
        """
        try:
            return self._fields.checked(given)
        except UsageError as error:
            raise UsageError(f"{self.name}: {error}") from None
