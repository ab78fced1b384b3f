"""
The desk: turns what a caller asks for (place, cancel by id, replace, and the same for trigger orders) into commands
with their orders, and sends them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from bitget_async.commands import (
    Commander,
    Part,
    Road,
    Sender,
    read_batch,
    read_one,
    read_replacements,
    read_result,
)
from bitget_async.course import (
    NamedCourse,
    cancellation_report,
    check_confirm_within,
    modification_report,
    placement_report,
    replacement_report,
)
from bitget_async.endpoints import (
    BATCH_CANCEL_ORDER,
    BATCH_CANCEL_REPLACE_ORDER,
    BATCH_ORDERS,
    CANCEL_ORDER,
    CANCEL_PLAN_ORDER,
    CANCEL_REPLACE_ORDER,
    MODIFY_PLAN_ORDER,
    PLACE_ORDER,
    PLACE_PLAN_ORDER,
)
from bitget_async.errors import UsageError
from bitget_async.evidence import Assumptions, Book, Command, Named, Target, Want
from bitget_async.handle import (
    Pending,
    PendingCancellation,
    PendingModification,
    PendingPlacement,
    PendingReplacement,
)
from bitget_async.watcher import Watcher

__all__ = ["ClientOids", "Desk"]

BATCH = 20
PREFIX = re.compile(r"[0-9A-Za-z_\-]{0,12}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
RANDOM_DIGITS = 8
COUNTER_DIGITS = 8

H = TypeVar("H", bound="Pending[Any, Any]")
Item = Mapping[str, Any]
Fence = Callable[[Collection[str], float | None, Callable[[], None]], Awaitable[float | None]]


class ClientOids:
    """
    Client ids that no two clients share: a prefix, eight random letters or digits of this client, and a counter.

    At most 28 of [0-9A-Za-z_-]: the strictest of the exchange's rules is 32.

    Args:
        prefix: at most 12 of [0-9A-Za-z_-], to tell one's own orders apart.
        rng: the random part.

    Raises:
        UsageError: the prefix has other characters, or too many.
    """

    def __init__(self, prefix: str, rng: random.Random) -> None:
        if not isinstance(prefix, str) or PREFIX.fullmatch(prefix) is None:
            raise UsageError(f"client_oid_prefix must be at most 12 of letters, digits, _ and -, not {prefix!r}")
        self._start = prefix + "".join(rng.choice(DIGITS) for _ in range(RANDOM_DIGITS))
        self._count = 0

    def new(self) -> str:
        """The next one."""
        self._count += 1
        return f"{self._start}{self._count:0{COUNTER_DIGITS}x}"

    def made(self, client_oid: object) -> bool:
        """Whether that is one of them."""
        return isinstance(client_oid, str) and client_oid.startswith(self._start)


class Desk:
    """
    Commands that name their orders.

    Args:
        session, watcher: of the client.
        assumptions: of every handle.
        client_oids: for orders without one.
        road: another way for commands than a request, if there is one.
    """

    def __init__(
        self,
        session: Sender,
        watcher: Watcher,
        assumptions: Assumptions,
        client_oids: ClientOids,
        road: Road | None = None,
    ) -> None:
        self._session = session
        self._watcher = watcher
        self._commander = Commander(session, watcher, road)
        self._assumptions = assumptions
        self._client_oids = client_oids

    async def close(self) -> None:
        """Commands in flight end."""
        await self._commander.close()

    # -- placing ----------------------------------------------------------------------------------------------

    async def place(
        self,
        given: Item,
        *,
        receive_window_ms: int,
        fence: Fence | None,
        confirm_within_s: float,
        max_wait_s: float | None,
    ) -> PendingPlacement:
        """See `BitgetClient.place_order`."""
        tpsl = given.get("tpsl_type") == "tpsl"
        wire = {**given, "receive_window": receive_window_ms}
        # The exchange ignores the client id of a tpsl order: one that was sent could not be looked up.
        wire["client_oid"] = None if tpsl else given.get("client_oid") or self._client_oids.new()
        command = self._command(accepted_for_ns=receive_window_ms * 1_000_000)
        target = self._target(command, wire, Want.PRESENT)
        part = Part(PLACE_ORDER, wire, command, (target,), read_one)
        return await self._start(
            PendingPlacement,
            [part],
            placement_report,
            book=Book.TPSL if tpsl else Book.NORMAL,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
            fence=fence,
            more={"receive_window_ms": str(receive_window_ms)},
        )

    async def place_batch(
        self,
        symbol: str | None,
        orders: Sequence[Item],
        *,
        fence: Fence | None,
        confirm_within_s: float,
        max_wait_s: float | None,
    ) -> PendingPlacement:
        """See `BitgetClient.batch_orders`."""
        items = [
            {**item, "client_oid": item.get("client_oid") or self._client_oids.new()}
            for item in _once("batch_orders", orders, "client_oid")
        ]

        def part(chunk: Sequence[Item]) -> Part:
            command = self._command()
            targets = [self._target(command, {"symbol": symbol, **item}, Want.PRESENT) for item in chunk]
            return Part(BATCH_ORDERS, _batch(symbol, chunk), command, targets, read_batch)

        parts = [part(chunk) for chunk in _chunks(items)]
        return await self._start(
            PendingPlacement,
            parts,
            placement_report,
            fence=fence,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def place_plan(self, given: Item, *, confirm_within_s: float, max_wait_s: float | None) -> PendingPlacement:
        """See `Trigger.place_plan_order`."""
        wire = {**given, "client_oid": given.get("client_oid") or self._client_oids.new()}
        command = self._command()
        part = Part(PLACE_PLAN_ORDER, wire, command, (self._target(command, wire, Want.PRESENT),), read_one)
        return await self._start(
            PendingPlacement,
            [part],
            placement_report,
            book=Book.PLAN,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    # -- cancelling by id -------------------------------------------------------------------------------------

    async def cancel(self, given: Item, *, confirm_within_s: float, max_wait_s: float | None) -> PendingCancellation:
        """See `BitgetClient.cancel_order`."""
        command = self._command()
        part = Part(CANCEL_ORDER, given, command, (self._target(command, given, Want.FINAL),), read_one)
        return await self._start(
            PendingCancellation,
            [part],
            cancellation_report,
            book=Book.TPSL if given.get("tpsl_type") == "tpsl" else Book.NORMAL,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def cancel_batch(
        self, symbol: str | None, ids: Sequence[Item], *, confirm_within_s: float, max_wait_s: float | None
    ) -> PendingCancellation:
        """See `BitgetClient.batch_cancel_orders`; without a `symbol`, each item names its own."""

        def part(chunk: Sequence[Item]) -> Part:
            command = self._command()
            targets = [self._target(command, {"symbol": symbol, **item}, Want.FINAL) for item in chunk]
            return Part(BATCH_CANCEL_ORDER, _batch(symbol, chunk), command, targets, read_batch)

        items = _once("batch_cancel_orders", ids, "order_id", "client_oid")
        parts = [part(chunk) for chunk in _chunks(items)]
        return await self._start(
            PendingCancellation, parts, cancellation_report, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s
        )

    async def cancel_plan(
        self, symbol: str, given: Item, *, confirm_within_s: float, max_wait_s: float | None
    ) -> PendingCancellation:
        """See `Trigger.cancel_plan_order`. The command takes no symbol; the reads after it do."""
        command = self._command()
        target = self._target(command, {"symbol": symbol, **given}, Want.FINAL)
        part = Part(CANCEL_PLAN_ORDER, given, command, (target,), read_result)
        return await self._start(
            PendingCancellation,
            [part],
            cancellation_report,
            book=Book.PLAN,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    # -- replacing and changing -------------------------------------------------------------------------------

    async def replace(
        self, given: Item, *, fence: Fence | None, confirm_within_s: float, max_wait_s: float | None
    ) -> PendingReplacement:
        """See `BitgetClient.cancel_replace_order`."""
        wire = self._renamed(given)
        command = self._command()
        part = Part(CANCEL_REPLACE_ORDER, wire, command, self._pair(command, wire), read_replacements)
        return await self._start(
            PendingReplacement,
            [part],
            replacement_report,
            fence=fence,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def replace_batch(
        self, orders: Sequence[Item], *, fence: Fence | None, confirm_within_s: float, max_wait_s: float | None
    ) -> PendingReplacement:
        """See `BitgetClient.batch_cancel_replace_orders`."""

        def part(chunk: Sequence[Item]) -> Part:
            command = self._command()
            targets = [target for item in chunk for target in self._pair(command, item)]
            return Part(BATCH_CANCEL_REPLACE_ORDER, {"order_list": chunk}, command, targets, read_replacements)

        named = _once("batch_cancel_replace_orders", orders, "order_id", "client_oid", "new_client_oid")
        items = [self._renamed(item) for item in named]
        parts = [part(chunk) for chunk in _chunks(items)]
        return await self._start(
            PendingReplacement,
            parts,
            replacement_report,
            fence=fence,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def modify_plan(
        self, symbol: str, given: Item, *, confirm_within_s: float, max_wait_s: float | None
    ) -> PendingModification:
        """See `Trigger.modify_plan_order`. The command takes no symbol; the reads after it do."""
        command = self._command()
        target = self._target(command, {"symbol": symbol, **given}, Want.CHANGED)
        target.wanted = _values(given)
        part = Part(MODIFY_PLAN_ORDER, given, command, (target,), read_one)
        return await self._start(
            PendingModification,
            [part],
            modification_report,
            book=Book.PLAN,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    # -- what they share --------------------------------------------------------------------------------------

    def _command(self, accepted_for_ns: int | None = None) -> Command:
        command = Command(bounds_ms=self._session.server.bounds_ms, assumptions=self._assumptions)
        if accepted_for_ns is not None:
            command.accepted_for_ns = accepted_for_ns
        return command

    def _target(self, command: Command, given: Item, want: Want) -> Target:
        symbol, client_oid = given.get("symbol"), given.get("client_oid") or ""
        return Target(
            command=command,
            symbol=symbol if isinstance(symbol, str) else "",
            want=want,
            order_id=given.get("order_id"),
            client_oid=client_oid,
            own_oid=self._client_oids.made(client_oid),
        )

    def _pair(self, command: Command, given: Item) -> tuple[Target, Target]:
        """The old order and the new one of a replacement."""
        new = {"symbol": given.get("symbol"), "client_oid": given["new_client_oid"]}
        return self._target(command, given, Want.FINAL), self._target(command, new, Want.PRESENT)

    def _renamed(self, given: Item) -> dict[str, Any]:
        """The parameters of a replacement with a name for the new order."""
        return {**given, "new_client_oid": given.get("new_client_oid") or self._client_oids.new()}

    async def _start(
        self,
        kind: Callable[[NamedCourse, Watcher], H],
        parts: Sequence[Part],
        build: Callable[[NamedCourse, str, dict[str, Any]], Any],
        *,
        confirm_within_s: float,
        max_wait_s: float | None,
        book: Book = Book.NORMAL,
        fence: Fence | None = None,
        more: dict[str, str] | None = None,
    ) -> H:
        check_confirm_within(confirm_within_s)
        course = NamedCourse(
            command=parts[0].row.short,
            named=Named(tuple(target for part in parts for target in part.targets), book),
            build=build,
            confirm_within_s=confirm_within_s,
            more=more or {},
        )
        handle = kind(course, self._watcher)

        def check() -> None:
            self._commander.check(parts)
            self._watcher.telling.fenced(course)

        try:
            if fence is not None and book is Book.NORMAL:
                max_wait_s = await fence(course.symbols, max_wait_s, check)
            await self._commander.start(course, parts, max_wait_s=max_wait_s)
        except BaseException as error:
            self._watcher.telling.kept_out(course, error)
            raise
        return handle


def _once(call: str, items: Sequence[Item], *names: str) -> Sequence[Item]:
    """The items, if no two have the same name: a command sees only its own twenty."""
    for name in names:
        given = [item[name] for item in items if item.get(name) is not None]
        twice = next((each for place, each in enumerate(given) if each in given[:place]), None)
        if twice is not None:
            raise UsageError(f"{call}: {name} {twice!r} is named twice")
    return items


def _chunks(items: Sequence[Item]) -> list[Sequence[Item]]:
    """As many as one command holds; one empty chunk for nothing, so that the row says what is wrong with it."""
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)] or [items]


def _batch(symbol: str | None, items: Sequence[Item]) -> dict[str, Any]:
    """A batch on one symbol, or where every item names its own."""
    mode = "multiple" if symbol is None else "single"
    return {"symbol": symbol, "batch_mode": mode, "order_list": items}


def _values(given: Item) -> dict[str, str]:
    """The new values of a changed trigger order, as its row names them."""
    amounts = ("trigger_price", "execute_price", "size")
    wanted = {name: format(Decimal(given[name]), "f") for name in amounts if given.get(name) is not None}
    return {**wanted, "order_type": str(getattr(given["order_type"], "value", given["order_type"]))}
