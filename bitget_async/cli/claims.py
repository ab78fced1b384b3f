"""
The client's claims against the simulator's truth.

The reports are what the client says; `Truth` is what happened. Nothing here trusts the one to judge the other: every
claim is looked up, order by order, in the records of the exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bitget_async import CancellationReport, Fate, OrderFate, Outcome, Scope
from bitget_async.sim import Order, SimulatedExchange

__all__ = ["Claim", "check_claims"]

COMMAND = "cancel-symbol-order"
QUOTA = 5
STATUS = {Fate.CANCELLED: "cancelled", Fate.FILLED: "filled"}


@dataclass(slots=True)
class Claim:
    """
    One claim.

    Attributes:
        text: what is claimed.
        checked: how many facts were compared.
        wrong: what does not agree, one line each.
    """

    text: str
    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether nothing disagreed."""
        return not self.wrong

    def check(self, holds: bool, otherwise: str) -> None:
        """Compare one fact."""
        self.checked += 1
        if not holds:
            self.wrong.append(otherwise)


def check_claims(
    exchange: SimulatedExchange, reports: Sequence[CancellationReport], *, late: Iterable[str], others: Iterable[str]
) -> list[Claim]:
    """
    Compare the reports with the truth.

    Args:
        exchange: whose truth.
        reports: one a symbol, of its default account.
        late: ids of orders that were placed after the sweeps.
        others: ids of orders of other users, which were open at the start.
    """
    return [
        _fates(exchange, reports),
        _all_accounted_for(exchange, reports),
        _nothing_left(exchange, reports),
        _late(exchange, reports, list(late)),
        _by_id(exchange, reports),
        _others(exchange, others),
        _sent_once(exchange, reports),
        _paced(exchange),
    ]


def _mine(exchange: SimulatedExchange, report: CancellationReport) -> list[Order]:
    """Orders of the account on the symbol that were open at the signing, by the truth."""
    return [
        order
        for order in exchange.truth.orders.values()
        if order.uid == exchange.account.uid
        and order.symbol == report.symbol
        and order.created_ms <= report.signed_at_ms
        and (order.final_ms is None or order.final_ms > report.signed_at_ms)
    ]


def _fates(exchange: SimulatedExchange, reports: Sequence[CancellationReport]) -> Claim:
    claim = Claim("every order reported cancelled or filled is so, with the same amounts")
    for report in reports:
        for each in (*report.cancelled, *report.filled):
            order = exchange.truth.orders.get(each.order.order_id)
            claim.check(order is not None and _agrees(each, order), f"{report.symbol} {each.order.order_id}")
    return claim


def _agrees(said: OrderFate, order: Order) -> bool:
    amounts = (said.order.base_volume or 0, said.order.quote_volume or 0)
    return STATUS[said.fate] == order.status and amounts == (order.filled, order.filled_quote)


def _all_accounted_for(exchange: SimulatedExchange, reports: Sequence[CancellationReport]) -> Claim:
    claim = Claim("every order that was open when a command was signed is in its report")
    for report in reports:
        known = {each.order.order_id for each in report.orders if each.scope is not Scope.LATE}
        for order in _mine(exchange, report):
            claim.check(order.order_id in known, f"{report.symbol} {order.order_id} is missing")
    return claim


def _nothing_left(exchange: SimulatedExchange, reports: Sequence[CancellationReport]) -> Claim:
    claim = Claim("where the outcome is CONFIRMED or NOTHING_TO_CANCEL, none of them is open")
    for report in reports:
        orders = _mine(exchange, report)
        if report.outcome is Outcome.CONFIRMED:
            left = [order.order_id for order in orders if order.is_open]
            claim.check(not left, f"{report.symbol} still has {', '.join(left)}")
        elif report.outcome is Outcome.NOTHING_TO_CANCEL:
            claim.check(not orders, f"{report.symbol} had {len(orders)} orders")
    return claim


def _late(exchange: SimulatedExchange, reports: Sequence[CancellationReport], late: list[str]) -> Claim:
    claim = Claim("orders placed after the commands are reported as late, not claimed, and still open")
    said_late = {each.order.order_id for report in reports for each in report.late}
    claimed = {each.order.order_id for report in reports for each in report.orders} - said_late
    for order_id in late:
        order = exchange.truth.orders[order_id]
        claim.check(order_id in said_late, f"{order.symbol} {order_id} is not reported")
        claim.check(order_id not in claimed, f"{order.symbol} {order_id} is claimed")
        claim.check(order.is_open, f"{order.symbol} {order_id} was touched")
    return claim


def _by_id(exchange: SimulatedExchange, reports: Sequence[CancellationReport]) -> Claim:
    claim = Claim("what was cancelled by id were survivors of a command, and nothing else")
    scope = {each.order.order_id for report in reports for each in report.orders if each.scope is not Scope.LATE}
    spared = {order_id for run in exchange.truth.executions for order_id in run.spared}
    for run in exchange.truth.cancels:
        for order_id in run.order_ids:
            claim.check(order_id in scope & spared, f"{run.symbol} {order_id}")
    return claim


def _others(exchange: SimulatedExchange, others: Iterable[str]) -> Claim:
    claim = Claim("orders of other users are untouched")
    for order_id in others:
        order = exchange.truth.orders[order_id]
        claim.check(order.is_open, f"{order.symbol} {order_id} is {order.status}")
    return claim


def _sent_once(exchange: SimulatedExchange, reports: Sequence[CancellationReport]) -> Claim:
    claim = Claim("each command was on the wire as often as reported, and executed no more often")
    copies, runs = exchange.truth.copies(COMMAND), exchange.truth.executions
    for report in reports:
        sent = sum(f'"{report.symbol}"'.encode() in copy.body for copy in copies)
        done = sum(run.symbol == report.symbol for run in runs)
        claim.check(sent == report.attempts, f"{report.symbol}: {sent} copies, {report.attempts} reported")
        claim.check(done <= report.attempts, f"{report.symbol}: executed {done} times")
    claim.check(len(copies) == sum(report.attempts for report in reports), f"{len(copies)} commands in all")
    return claim


def _paced(exchange: SimulatedExchange) -> Claim:
    claim = Claim(f"the exchange never processed more than {QUOTA} commands in a second, nor answered 429")
    worst = exchange.truth.worst_second(COMMAND, exchange.account.uid)
    claim.check(worst <= QUOTA, f"{worst} commands in one second")
    claim.check(exchange.truth.answers_429 == 0, f"{exchange.truth.answers_429} answers of 429")
    return claim
