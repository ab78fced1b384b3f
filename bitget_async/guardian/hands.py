"""The guard's hands: what it does to the account when it fires, and what it asks while it waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bitget_async.client import BitgetClient
from bitget_async.errors import BitgetError
from bitget_async.models import StopPlan, StopReport

__all__ = ["AccountHands", "Hands", "Round"]

TRADE_LETTERS = "stow"
WITHDRAW_LETTERS = "wwow"
PROVEN = {"CONFIRMED", "NOTHING_TO_CANCEL"}


@dataclass(frozen=True, slots=True)
class Round:
    """
    What one round of stopping came to.

    Attributes:
        confirmed: proven: every order that was open at its beginning is final, and a complete listing after is empty.
        symbols: outcome, or what went wrong, by symbol.
        left: open orders by symbol, by the last complete listing; `None` if there was none.
        wrong: what else went wrong, in words.
    """

    confirmed: bool
    symbols: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] | None = None
    wrong: tuple[str, ...] = ()


class Hands(Protocol):
    """What a guard needs of the account."""

    async def check(self) -> tuple[int, tuple[str, ...]]:
        """How many orders are open, and what is odd about the key. Raises: BitgetError."""

    async def plan(self) -> dict[str, int]:
        """Open orders by symbol. Sends no command. Raises: BitgetError."""

    async def rehearse(self) -> StopPlan:
        """The commands that a round would send. Sends none. Raises: BitgetError."""

    async def round(self) -> Round:
        """Stop the account as far as it goes. Raises nothing of the package: what failed stands in the result."""


class AccountHands:
    """
    Stops by `cancel_all_orders`; where open orders cannot be listed, by symbol, on every symbol that was seen before,
    and in the round after that without waiting for the listing.

    Args:
        client: with a key of its own, which needs to trade only.
        include: which orders, see `cancel_all_orders`.
        symbols: commands for these go at once, without waiting for the listing.
        confirm_within_s: seconds after the last command in which a round is to be proven.
    """

    def __init__(
        self,
        client: BitgetClient,
        *,
        include: Iterable[str] = ("normal",),
        symbols: Iterable[str] = (),
        confirm_within_s: float = 60.0,
    ) -> None:
        self._client = client
        self._include = tuple(dict.fromkeys(include))
        self._always = tuple(dict.fromkeys(symbols))
        self._confirm_within_s = confirm_within_s
        self._seen: set[str] = set(self._always)
        self._unlisted = False

    async def check(self) -> tuple[int, tuple[str, ...]]:
        """See `Hands.check`. Cost: a listing of the whole account, and 1 token of the account's info."""
        count = sum((await self.plan()).values())
        letters = (await self._client.account.info()).authorities or ()
        odd = []
        if letters and TRADE_LETTERS not in letters:
            odd.append("the exchange does not list the permission to trade spot for this key: a stop may be refused")
        if WITHDRAW_LETTERS in letters:
            odd.append("this key may withdraw: a guard needs to trade spot, and nothing else")
        return count, tuple(odd)

    async def plan(self) -> dict[str, int]:
        """See `Hands.plan`. Cost: 1 token of unfilled-orders for every 100 open orders."""
        found = Counter([order.symbol async for order in self._client.unfilled_orders()])
        self._seen.update(found)
        return dict(sorted(found.items()))

    async def rehearse(self) -> StopPlan:
        """See `Hands.rehearse`."""
        return (await self._client.cancel_all_orders(include=self._include, dry_run=True)).plan

    async def round(self) -> Round:
        """See `Hands.round`. Cost: see `cancel_all_orders`, and a listing of the whole account."""
        wrong: list[str] = []
        at_once = set(self._seen) if self._unlisted else set(self._always)
        report, outcomes = await asyncio.gather(self._stopped(wrong), self._swept(at_once))
        if report is None:
            # A listing that fails must not save the orders of symbols that were seen before.
            outcomes |= await self._swept(self._seen - at_once)
        # It has just been tried for as long as a read is: another time in this round would only delay the next one.
        left = None if report is None else await self._listed(wrong)
        self._unlisted = left is None
        proven = report is not None and report.proven and left == {} and PROVEN.issuperset(outcomes.values())
        if report is not None:
            outcomes |= {each.symbol: each.outcome.name for each in report.symbols}
        return Round(proven, dict(sorted(outcomes.items())), left, tuple(wrong))

    async def _stopped(self, wrong: list[str]) -> StopReport | None:
        try:
            pending = await self._client.cancel_all_orders(
                include=self._include, late="sweep", confirm_within_s=self._confirm_within_s
            )
            report: StopReport = await pending.settled()
        except BitgetError as error:
            wrong.append(f"the stop of everything failed: {error}")
            return None
        if not report.proven:
            wrong += [f"{report.outcome.name} {report.reason}".rstrip(), *report.anomalies]
        return report

    async def _listed(self, wrong: list[str]) -> dict[str, int] | None:
        try:
            return await self.plan()
        except BitgetError as error:
            wrong.append(f"the open orders could not be listed: {error}")
            return None

    async def _swept(self, symbols: Collection[str]) -> dict[str, str]:
        ordered = sorted(symbols)
        return dict(zip(ordered, await asyncio.gather(*map(self._sweep, ordered)), strict=True))

    async def _sweep(self, symbol: str) -> str:
        """One symbol; what went wrong stands in the place of its outcome."""
        try:
            pending = await self._client.cancel_symbol_orders(
                symbol, ensure=True, confirm_within_s=self._confirm_within_s
            )
            report = await pending.settled()
        except BitgetError as error:
            return str(error)
        return report.outcome.name if report.proven else f"{report.outcome.name} {report.reason}".rstrip()
