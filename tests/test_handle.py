"""Handles of every kind: awaited, watched, looked at again, printed, handed on, and left behind."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    CancellationUnconfirmed,
    Fate,
    ModificationUnconfirmed,
    OrderStatus,
    Outcome,
    PendingCancellation,
    PendingModification,
    PendingPlacement,
    PendingReplacement,
    Placement,
    PlacementOutcome,
    PlacementUnconfirmed,
    ReplacementUnconfirmed,
    Unconfirmed,
    UsageError,
)
from bitget_async.handle import Pending
from bitget_async.models import OrderFate
from bitget_async.sim import Fault, SimulatedExchange, faults
from tests.conftest import with_exchange

BTC = "BTCUSDT"
Main = Callable[[SimulatedExchange, BitgetClient], Awaitable[None]]


class Kind:
    """One kind of handle: how to get one, and how to get one that is no yes."""

    def __init__(
        self,
        handle: Any,
        error: type[Unconfirmed],
        endpoint: str,
        make: Callable[[SimulatedExchange, BitgetClient], Awaitable[Any]],
    ) -> None:
        self.handle, self.error, self.endpoint, self.make = handle, error, endpoint, make


async def placing(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A placement."""
    return await client.place_order(BTC, "buy", "limit", "0.01", price="50000", client_oid="p", confirm_within_s=25)


async def batch(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """Two placements."""
    order = {"side": "buy", "order_type": "limit", "size": "0.01", "price": "50000"}
    return await client.batch_orders([order, order], BTC, confirm_within_s=50)


async def cancelling(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation by id."""
    (order_id,) = exchange.rest(BTC, 1, age_s=60)
    return await client.cancel_order(BTC, order_id=order_id)


async def sweeping(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation by symbol."""
    exchange.rest(BTC, 1, age_s=60)
    return await client.cancel_symbol_orders(BTC)


async def replacing(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A replacement."""
    (order_id,) = exchange.rest(BTC, 1, age_s=60)
    return await client.cancel_replace_order(BTC, order_id=order_id, price="50000", size="0.02", new_client_oid="n")


async def trigger_placing(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A placement of a trigger order."""
    return await client.trigger.place_plan_order(
        BTC, "buy", "market", "0.01", trigger_price="50000", trigger_type="fill_price", confirm_within_s=25
    )


async def modifying(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A change of a trigger order."""
    (order_id,) = exchange.rest_trigger(BTC, 1, age_s=60)
    return await client.trigger.modify_plan_order(BTC, "market", "0.02", trigger_price="51000", order_id=order_id)


async def trigger_cancelling(exchange: SimulatedExchange, client: BitgetClient) -> Any:
    """A cancellation of a trigger order."""
    (order_id,) = exchange.rest_trigger(BTC, 1, age_s=60)
    return await client.trigger.cancel_plan_order(BTC, order_id=order_id)


KINDS = {
    "place": Kind(PendingPlacement, PlacementUnconfirmed, "place-order", placing),
    "batch": Kind(PendingPlacement, PlacementUnconfirmed, "batch-orders", batch),
    "cancel": Kind(PendingCancellation, CancellationUnconfirmed, "cancel-order", cancelling),
    "sweep": Kind(PendingCancellation, CancellationUnconfirmed, "cancel-symbol-order", sweeping),
    "replace": Kind(PendingReplacement, ReplacementUnconfirmed, "cancel-replace-order", replacing),
    "trigger": Kind(PendingPlacement, PlacementUnconfirmed, "place-plan-order", trigger_placing),
    "modify": Kind(PendingModification, ModificationUnconfirmed, "modify-plan-order", modifying),
    "trigger cancel": Kind(PendingCancellation, CancellationUnconfirmed, "cancel-plan-order", trigger_cancelling),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@every_kind
def test_a_handle_becomes_its_report(kind: Kind) -> None:
    """Pending at the answer; awaited by two, settled for a third, and late: one and the same report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending: Any = await kind.make(exchange, client)
        assert type(pending) is kind.handle
        assert (pending.symbol, pending.acknowledged, pending.attempts) == (BTC, True, 1)
        assert (pending.report, pending.outcome) == (None, None)
        assert list(client.pending) == [pending]

        async def reader() -> Any:
            return await pending

        reports = await asyncio.gather(reader(), reader(), pending.settled(60))
        assert all(each is reports[0] for each in (*reports, await pending, pending.report))
        assert (pending.state, pending.outcome) == ("settled", reports[0].outcome)
        assert reports[0].proven
        assert len(client.pending) == 0

    with_exchange(main)


@every_kind
def test_a_handle_is_neither_yes_nor_no(kind: Kind) -> None:
    """`if pending:` is the mistake that costs money, and so is `if report:`."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await kind.make(exchange, client)
        with pytest.raises(TypeError, match=f"a {kind.handle.__name__} is neither yes nor no"):
            bool(pending)
        with pytest.raises(TypeError, match="neither yes nor no"):
            bool(await pending)

    with_exchange(main)


LOST: Fault = faults.never_executed() | faults.drop(executed=False)


@every_kind
def test_what_is_no_yes_is_raised_with_its_report(kind: Kind) -> None:
    """The error says which call, what came of it and of which orders; it survives pickle with its report."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(kind.endpoint, LOST)
        pending = await kind.make(exchange, client)
        assert not pending.acknowledged
        with pytest.raises(kind.error) as caught:
            await pending
        error = caught.value
        assert type(error) is kind.error
        assert error.report is pending.report
        assert not error.report.proven
        assert f"of {BTC} is {error.report.outcome.name}" in str(error)
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
            assert type(again) is kind.error
            assert str(again) == str(error)
            assert again.report.to_dict() == error.report.to_dict()
        with pytest.raises(kind.error):
            await pending

    with_exchange(main)


@pytest.mark.failure(48, 49)
@every_kind
def test_a_timeout_and_a_cancelled_reader_leave_the_handle_running(kind: Kind) -> None:
    """It resolves by itself."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await kind.make(exchange, client)
        with pytest.raises(TimeoutError):
            await pending.settled(0.01)
        reader = asyncio.ensure_future(pending.settled())
        await asyncio.sleep(0.01)
        reader.cancel()
        assert (await pending).proven
        assert reader.cancelled()

    with_exchange(main)


@every_kind
def test_a_handle_is_json_before_and_after_and_holds_no_secret(kind: Kind) -> None:
    """A version, the command, what was asked for and what is known; and a repr for the log."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await kind.make(exchange, client)
        early, shown = json.loads(json.dumps(pending.to_dict())), repr(pending)
        assert (early["version"], early["command"], early["state"]) == (2, kind.endpoint, "pending")
        assert (early["symbol"], early["certainty"], early["attempts"], early["report"]) == (BTC, "acked", 1, None)
        assert early["options"]["confirm_within_s"] > 0
        assert early["options"]["staleness_s"] == 2.0
        assert early["signed_at_ms"] == exchange.truth.copies(kind.endpoint)[0].timestamp_ms
        assert shown.startswith(f"<{kind.handle.__name__} {BTC} pending, acknowledged")
        await pending
        late = json.loads(json.dumps(pending.to_dict()))
        assert late["state"] == "settled"
        assert late["report"]["outcome"] == pending.outcome.value
        assert late["orders"]
        key = exchange.credentials()
        for secret in (key.api_key, key.secret, key.passphrase):
            assert secret not in json.dumps(late) + repr(pending) + shown

    with_exchange(main)


@pytest.mark.failure(51)
@every_kind
def test_closing_settles_every_kind_of_handle(kind: Kind) -> None:
    """UNKNOWN (client_closed): every reader gets an answer, and the reason."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(kind.endpoint, faults.never_executed())
        pending = await kind.make(exchange, client)
        reader = asyncio.ensure_future(pending.settled())
        told = asyncio.ensure_future(_all(pending))
        await asyncio.sleep(0)
        await client.close()
        report = await reader
        assert (report.outcome.name, report.reason) == ("UNKNOWN", "client_closed")
        await told
        with pytest.raises(kind.error, match="client_closed"):
            await pending

    with_exchange(main)


async def _all(pending: Pending[Any, Any]) -> list[Any]:
    return [each async for each in pending.changes()]


def test_all_kinds_are_pending_together() -> None:
    """Oldest first, whether anybody holds them or not; gone as they settle."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        # The sweep last: placements would wait behind it.
        made = [await kind.make(exchange, client) for name, kind in KINDS.items() if name != "sweep"]
        made.append(await sweeping(exchange, client))
        assert [type(each) for each in client.pending if each in made] == [
            type(each) for each in made if each.report is None
        ]
        assert made[-1] in client.pending
        await asyncio.gather(*(each.settled() for each in made))
        assert client.pending == ()

    with_exchange(main)


# -- changes -----------------------------------------------------------------------------------------------------


def test_changes_tell_of_each_order_in_the_form_of_its_wish() -> None:
    """Placements of orders that are to exist, fates of those that are to end; to every reader, from the start."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await replacing(exchange, client)
        first, second = await asyncio.gather(_all(pending), _all(pending))
        assert first == second == await _all(pending)
        assert {type(each) for each in first} == {OrderFate, Placement}
        (placement,) = (each for each in first if isinstance(each, Placement))
        assert (placement.outcome, placement.client_oid) == (PlacementOutcome.PLACED, "n")
        fates = [each.fate for each in first if isinstance(each, OrderFate)]
        assert fates[-1] is Fate.CANCELLED

    with_exchange(main)


def test_a_batch_is_told_order_by_order() -> None:
    """As they become known, not all at the end."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 2, age_s=60)
        exchange.faults.add("batch-cancel-order", faults.executed_in_part((ids[1],)))
        pending = await client.batch_cancel_orders(BTC, order_ids=ids)
        async for change in pending.changes():
            if change.fate is Fate.CANCELLED:
                break
        assert change.order.order_id == ids[0]
        assert pending.report is None
        assert [each.fate for each in pending.orders] == [Fate.CANCELLED, Fate.OPEN]
        exchange.cancel(ids[1])
        await pending
        assert [each.fate for each in pending.orders] == [Fate.CANCELLED, Fate.CANCELLED]

    with_exchange(main)


# -- names -------------------------------------------------------------------------------------------------------


def test_one_order_has_names_and_a_batch_has_many() -> None:
    """`client_oid` and `order_id` are of one order; of a batch they are in `placements`."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        one = await placing(exchange, client)
        assert (one.client_oid, one.order_id) == ("p", exchange.truth.placements[0].order_id)
        assert repr(one).endswith(", p>")
        two = await batch(exchange, client)
        assert repr(two).endswith(", 2 orders>")
        assert len(two.placements) == 2
        for name in ("client_oid", "order_id"):
            with pytest.raises(ValueError, match="unpack"):
                getattr(two, name)
        await asyncio.gather(one.settled(), two.settled())
        assert two.placements == two.report.placements

    with_exchange(main)


def test_a_modification_shows_the_order_as_it_is() -> None:
    """The last row, while it is pending and after."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await modifying(exchange, client)
        assert pending.order is None
        report = await pending
        assert pending.order == report.order
        assert report.order is not None
        assert (report.order.trigger_price, report.order.size) == (Decimal(51_000), Decimal("0.02"))

    with_exchange(main)


# -- cleared -----------------------------------------------------------------------------------------------------


def test_cleared_of_a_cancellation_by_ids() -> None:
    """All of them are gone: at the last one, with its read's exchange time."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        ids = exchange.rest(BTC, 3, age_s=60)
        pending = await client.batch_cancel_orders(BTC, order_ids=ids)
        cleared_ms = await pending.cleared(5)
        assert pending.state in ("cleared", "settled")
        report = await pending
        assert report.cleared_at_ms == cleared_ms
        assert (report.acknowledged_at_ms or 0) <= cleared_ms <= report.settled_at_ms

    with_exchange(main)


def test_a_cancellation_that_was_known_before_its_answer_is_cleared_too() -> None:
    """The reads of another handle showed its order final while the command was on its way."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        (order_id,) = exchange.rest(BTC, 1, age_s=60)
        first = await client.cancel_order(BTC, order_id=order_id)
        exchange.faults.add("cancel-order", faults.envelope("43001") | faults.delayed(before_s=2))
        second = asyncio.ensure_future(client.cancel_order(BTC, order_id=order_id))
        await first
        again = await second
        assert await again.cleared(1) > 0
        assert (await again).outcome is Outcome.CONFIRMED

    with_exchange(main)


def test_cleared_of_orders_that_stay_raises_with_the_report() -> None:
    """It settled without: an order is still open."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("cancel-order", faults.never_executed())
        pending = await cancelling(exchange, client)
        with pytest.raises(TimeoutError):
            await pending.cleared(0.5)
        with pytest.raises(CancellationUnconfirmed, match="STILL_OPEN"):
            await pending.cleared()

    with_exchange(main)


# -- once more ---------------------------------------------------------------------------------------------------


@every_kind
def test_what_is_known_needs_no_second_look(kind: Kind) -> None:
    """Neither while it is pending nor when it is settled with certainty."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        pending = await kind.make(exchange, client)
        for _ in range(2):
            with pytest.raises(UsageError, match="recheck"):
                _ = await pending.recheck()
            await pending

    with_exchange(main)


@pytest.mark.failure(45)
def test_a_lost_order_that_could_not_be_looked_up_is_found_later() -> None:
    """Every read failed: UNKNOWN. Looked at again, without a second command: PLACED."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.drop(executed=True))
        for endpoint in ("unfilled-orders", "history-orders", "orderInfo"):
            exchange.faults.add(endpoint, faults.page(502, executed=True), times=None)
        pending = await placing(exchange, client)
        report = await pending.settled()
        assert (report.outcome, report.reason) == (PlacementOutcome.UNKNOWN, "unreadable")
        exchange.faults.clear()
        again = await pending.recheck()
        assert again is not pending
        assert client.pending == (again,)
        assert (again.client_oid, again.attempts) == ("p", 1)
        placement = (await again).placement
        assert placement.order is not None
        assert placement.order.status is OrderStatus.LIVE
        assert await pending.settled() is report
        assert exchange.truth.count("place-order") == 1

    with_exchange(main)


@pytest.mark.parametrize("name", ["cancel", "trigger cancel"])
def test_an_order_that_was_still_open_is_looked_at_again(name: str) -> None:
    """Cancelled by hand since: the new handle is CONFIRMED, the old report stays."""
    kind = KINDS[name]

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(kind.endpoint, faults.never_executed())
        pending = await kind.make(exchange, client)
        report = await pending.settled()
        assert report.outcome is Outcome.STILL_OPEN
        (still,) = report.still_open
        if name == "cancel":
            exchange.cancel(still.order.order_id)
        else:
            exchange.fire(still.order.order_id)
        again = await pending.recheck()
        ended = (await again).orders[0]
        assert ended.fate is (Fate.CANCELLED if name == "cancel" else Fate.TRIGGERED)
        assert pending.report is report
        assert exchange.truth.count(kind.endpoint) == 1

    with_exchange(main)
