"""What is told of handles and of their orders, with real traffic against the simulator."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    Event,
    FateKnown,
    HandleChanged,
    NotSent,
    Pending,
    Refused,
    RequestEnded,
    RequestEvent,
    UsageError,
)
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import client_of
from tests.events.telling_tales import in_short, story
from tests.heard import ENDS, Heard

BTC, ETH = "BTCUSDT", "ETHUSDT"
LIMIT: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}


def states(heard: Heard, call: int | None = None) -> list[str]:
    """The states of one handle, or of all."""
    return [each.state for each in heard.of(HandleChanged) if call in (None, each.call)]


def test_a_confirmed_cancellation_is_told_whole_and_in_order() -> None:
    """From the call to the report: every request that was made for it, and each order as it became known."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 2, age_s=60)
        _ = await (await client.cancel_symbol_orders(BTC))

    heard = story(main)
    assert in_short(heard.events) == [
        "1 cancellation begun",
        "TokenTaken cancel-symbol-order for 1",
        "RequestStarted cancel-symbol-order for 1",
        "1 cancellation signed",
        # The snapshot, beside the command.
        "TokenTaken unfilled-orders for 1",
        "RequestStarted unfilled-orders for 1",
        "ClockSynchronised first +0",
        "RequestEnded cancel-symbol-order for 1 accepted 00000",
        "1 cancellation answered",
        "RequestEnded unfilled-orders for 1 accepted 00000",
        # The first look.
        "TokenTaken unfilled-orders for 1",
        "RequestStarted unfilled-orders for 1",
        "RequestEnded unfilled-orders for 1 accepted 00000",
        "1 cancellation cleared",
        # The deciding look, with the history.
        "TokenTaken unfilled-orders for 1",
        "RequestStarted unfilled-orders for 1",
        "TokenTaken history-orders for 1",
        "RequestStarted history-orders for 1",
        "RequestEnded history-orders for 1 accepted 00000",
        "1 cancelled by history-orders",
        "1 cancelled by history-orders",
        "RequestEnded unfilled-orders for 1 accepted 00000",
        "1 cancellation settled CONFIRMED",
    ]
    last = heard.of(HandleChanged)[-1]
    assert (last.command, last.symbol, last.orders, last.attempts) == ("cancel-symbol-order", BTC, 2, 1)
    assert last.acknowledged
    assert last.age_s == pytest.approx(2.04, abs=0.2)
    assert {each.symbol for each in heard.of(FateKnown)} == {BTC}


def test_the_requests_that_are_told_are_those_of_the_report() -> None:
    """The report counts what served it; so does whoever listens."""
    reports: list[Any] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 3, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        reports.append((pending.call, await pending))

    heard = story(main, listing_lag_s=0.7, history_lag_s=3.0)
    ((call, report),) = reports
    made = [each.endpoint for each in heard.of(RequestEnded) if call in each.calls]
    assert {name: made.count(name) for name in made} == dict(report.requests)


def test_a_read_that_several_share_names_all_of_them() -> None:
    """Two symbols, one listing of the account: a child of both."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        for symbol in (BTC, ETH):
            _ = exchange.rest(symbol, 2, age_s=60)
        first, second = await asyncio.gather(*(client.cancel_symbol_orders(each) for each in (BTC, ETH)))
        assert first.call != second.call
        _ = await first, await second
        shared = [each for each in heard.of(RequestEnded) if len(each.calls) > 1]
        assert shared
        assert {each.calls for each in shared} == {(first.call, second.call)}

    _ = story(main)


def test_a_placement_is_told_from_the_call_to_the_proof() -> None:
    """Placed, by whatever told it first."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        pending = await client.place_order(BTC, "buy", "limit", **LIMIT)
        report = await pending
        (fate,) = heard.of(FateKnown)
        assert (fate.order_id, fate.client_oid) == (report.placements[0].order_id, pending.client_oid)
        assert (fate.symbol, fate.source) == (BTC, "orderInfo")

    heard = story(main)
    told = [each for each in heard.events if isinstance(each, (HandleChanged, FateKnown))]
    assert in_short(told) == [
        "1 placement begun",
        "1 placement signed",
        "1 placement answered",
        "1 placed by orderInfo",
        "1 placement settled PLACED",
    ]


def test_an_order_that_is_proven_not_to_exist_has_its_fate_with_the_report() -> None:
    """One of a batch, refused by itself."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        exchange.faults.add("batch-orders", faults.inner_failure("43012", items=0.5))
        pending = await client.batch_orders([{"side": "buy", "order_type": "limit", **LIMIT} for _ in range(2)], BTC)
        _ = await pending.settled()

    heard = story(main)
    assert sorted(each.fate for each in heard.of(FateKnown)) == ["not_placed", "placed"]
    assert in_short(list(heard.of(HandleChanged)))[-1] == "1 placement settled PARTLY_PLACED"


def test_a_replacement_tells_of_both_orders() -> None:
    """The old one ends, the new one exists."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        (old,) = exchange.rest(BTC, 1, age_s=60)
        _ = await (await client.cancel_replace_order(BTC, order_id=old, price="11000", size="0.01"))

    heard = story(main)
    assert sorted(each.fate for each in heard.of(FateKnown)) == ["cancelled", "placed"]
    assert in_short(list(heard.of(HandleChanged)))[-1] == "1 replacement settled REPLACED"


def test_a_replacement_that_kept_the_old_order_says_that_it_is_open() -> None:
    """Neither order was touched: the old one is proven open, the new one proven not to be there."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        (old,) = exchange.rest(BTC, 1, age_s=60)
        exchange.faults.add("cancel-replace-order", faults.hang(executed=False))
        _ = await (await client.cancel_replace_order(BTC, order_id=old, price="11000", size="0.01")).settled()

    heard = story(main)
    assert sorted(each.fate for each in heard.of(FateKnown)) == ["not_placed", "open"]
    assert in_short(list(heard.of(HandleChanged)))[-1] == "1 replacement settled OLD_KEPT"


@pytest.mark.parametrize(("executed", "fate"), [(True, "modified"), (False, "not_modified")])
def test_a_change_of_a_trigger_order_is_told(executed: bool, fate: str) -> None:
    """Its order stays open: what is known is whether it has the new values."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        trigger_id = exchange.rest_trigger(BTC, trigger_price=Decimal(40_000))[0]
        if not executed:
            exchange.faults.add("modify-plan-order", faults.hang(executed=False))
        pending = await client.trigger.modify_plan_order(
            BTC, order_id=trigger_id, order_type="market", trigger_price="39000", size="50"
        )
        _ = await pending.settled()

    heard = story(main)
    assert [each.fate for each in heard.of(FateKnown)] == [fate]
    assert heard.of(HandleChanged)[-1].kind == "modification"


def test_an_order_that_stays_open_is_told_so_at_the_end() -> None:
    """STILL_OPEN is proven, order by order."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        exchange.faults.add("cancel-symbol-order", faults.never_executed())
        _ = await (await client.cancel_symbol_orders(BTC)).settled()

    heard = story(main)
    assert [(each.fate, each.source) for each in heard.of(FateKnown)] == [("open", "unfilled-orders")]
    assert in_short(list(heard.of(HandleChanged)))[-1] == "1 cancellation settled STILL_OPEN"


def test_what_nobody_knows_has_no_fate() -> None:
    """Gone from the listings, and no history shows it: UNKNOWN, and why; nothing is claimed of the order."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        _ = await (await client.cancel_symbol_orders(BTC, confirm_within_s=10)).settled()

    heard = story(main, history_lag_s=100.0, order_info_lag_s=100.0)
    assert not heard.of(FateKnown)
    assert in_short(list(heard.of(HandleChanged)))[-1] == "1 cancellation settled UNKNOWN vanished"


# -- ends without a report ----------------------------------------------------------------------------------------


def test_a_refused_command_ends_refused() -> None:
    """With the exchange's code, after it was signed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        for verb in (
            lambda: client.place_order(BTC, "buy", "limit", **LIMIT),
            lambda: client.cancel_symbol_orders(BTC),
        ):
            exchange.faults.add(None, faults.envelope("40014"))
            with pytest.raises(Refused):
                _ = await verb()
        assert client.snapshot().handles == ()

    heard = story(main)
    assert in_short([each for each in heard.of(HandleChanged) if each.state in ENDS]) == [
        "1 placement refused 40014",
        "2 cancellation refused 40014",
    ]


def test_a_command_without_a_token_ends_not_sent() -> None:
    """It was never signed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        for number in range(6):
            try:
                _ = await client.cancel_symbol_orders(BTC, max_wait_s=0, confirm_within_s=20.0 + number)
            except NotSent:
                assert number == 5

    heard = story(main)
    told = [each for each in heard.of(HandleChanged) if each.state == "not_sent"]
    assert [(each.reason, each.attempts) for each in told] == [("rate_limit", 0)]
    assert states(heard, told[0].call) == ["begun", "not_sent"]


def test_a_wrong_call_that_has_begun_ends_not_sent() -> None:
    """What is wrong with it comes to light when its bytes are made."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        with pytest.raises(UsageError):
            _ = await client.cancel_order("not a symbol", order_id="7")

    heard = story(main)
    assert in_short(list(heard.of(HandleChanged))) in ([], ["1 cancellation begun", "1 cancellation not_sent usage"])


@pytest.mark.parametrize("verb", ["sweep", "place"])
def test_a_caller_who_leaves_before_the_signing_withdraws_it(verb: str) -> None:
    """While it waits for its token: it ends there, and nothing was signed."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        def call(number: int) -> Any:
            if verb == "sweep":
                return client.cancel_symbol_orders(BTC, confirm_within_s=20.0 + number)
            return client.place_order(BTC, "buy", "limit", **LIMIT)

        tasks = [asyncio.ensure_future(call(number)) for number in range(11)]
        await asyncio.sleep(0.02)
        tasks[-1].cancel()
        _ = await asyncio.gather(*tasks, return_exceptions=True)

    heard = story(main)
    (told,) = [each for each in heard.of(HandleChanged) if each.state == "withdrawn"]
    assert states(heard, told.call) == ["begun", "withdrawn"]


# -- the fence ----------------------------------------------------------------------------------------------------


def test_a_placement_behind_a_cancellation_is_told_to_wait_there() -> None:
    """What looks like a hanging call at three in the morning is the fence, and says so."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        pending = await client.place_order(BTC, "buy", "limit", **LIMIT)
        _ = await pending
        assert states(heard, pending.call) == ["begun", "fenced", "unfenced", "signed", "answered", "settled"]
        fenced, free = (each for each in heard.of(HandleChanged) if "fenced" in each.state)
        assert free.at_ns - fenced.at_ns > 100_000_000

    _ = story(main)


@pytest.mark.parametrize("turns", range(-1, 6))
def test_a_caller_may_leave_in_any_turn_in_which_the_fence_falls(turns: int) -> None:
    """Its placement has begun, and its sending may not have: it ends once all the same."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        sweep = await client.cancel_symbol_orders(BTC)
        placing = asyncio.ensure_future(client.place_order(BTC, "buy", "limit", **LIMIT))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        def cleared(event: HandleChanged) -> None:
            if event.state == "cleared":
                leave(turns)

        def leave(left: int) -> None:
            if left < 0:
                placing.cancel()
            else:
                asyncio.get_running_loop().call_soon(leave, left - 1)

        _ = client.on(HandleChanged, cleared)
        _ = await asyncio.gather(placing, return_exceptions=True)
        _ = await sweep
        await asyncio.sleep(3)

    heard = story(main)
    told = [each.state for each in heard.of(HandleChanged) if each.kind == "placement"]
    assert told[:2] == ["begun", "fenced"]
    assert told[-1] in ("withdrawn", "settled")


@pytest.mark.parametrize("how", ["no time", "cancelled"])
def test_a_placement_that_does_not_get_past_the_fence_ends(how: str) -> None:
    """It has begun, so it ends: by its time, or by its caller."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        within = 0.05 if how == "no time" else None
        placing = asyncio.ensure_future(client.place_order(BTC, "buy", "limit", max_wait_s=within, **LIMIT))
        await asyncio.sleep(0.02)
        if how == "cancelled":
            placing.cancel()
        _ = await asyncio.gather(placing, return_exceptions=True)

    heard = story(main)
    told = [each.state for each in heard.of(HandleChanged) if each.kind == "placement"]
    assert told[:2] == ["begun", "fenced"]
    assert told[-1] == ("not_sent" if how == "no time" else "withdrawn")


@pytest.mark.parametrize("turns", range(12))
def test_a_caller_may_leave_in_any_turn(turns: int) -> None:
    """Of the road of one call, from before its first step on: it begins and ends once, or never begins."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        sweep = await client.cancel_symbol_orders(BTC)
        for _ in range(2):
            placing = asyncio.ensure_future(client.place_order(BTC, "buy", "limit", **LIMIT))
            for _ in range(turns):
                await asyncio.sleep(0)
            placing.cancel()
            _ = await asyncio.gather(placing, return_exceptions=True)
            _ = await sweep.settled()
            await asyncio.sleep(3)

    _ = story(main)


# -- taken up again -----------------------------------------------------------------------------------------------


def test_a_handle_that_is_taken_up_again_begins_as_resumed() -> None:
    """By `recheck` here, by `resume` in another client: another number, the same orders, and no command."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        exchange.faults.add("cancel-symbol-order", faults.never_executed())
        pending = await client.cancel_symbol_orders(BTC)
        _ = await pending.settled()
        exchange.cancel(exchange.truth.open_ids(exchange.account.uid)[0])
        again = await pending.recheck()
        _ = await again.settled()
        assert states(heard, again.call)[0] == "resumed"
        assert states(heard, again.call)[-1] == "settled"
        assert again.call > pending.call
        async with client_of(exchange) as other:
            told = Heard(other)
            taken_up: Pending[Any, Any] = await other.resume(pending.to_dict())
            _ = await taken_up.settled()
        assert told.broken() == []
        assert states(told)[0] == "resumed"
        assert not [each for each in told.of(RequestEvent) if each.endpoint == "cancel-symbol-order"]

    _ = story(main)


# -- stops --------------------------------------------------------------------------------------------------------


def test_a_stop_is_told_with_the_handles_of_its_commands() -> None:
    """A handle like the others, with numbers of those that it is made of, and the reads that it makes itself."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        for symbol in (BTC, ETH):
            _ = exchange.rest(symbol, 3, age_s=60)
        stop = await client.cancel_all_orders()
        _ = await stop
        mine = [each for each in heard.of(HandleChanged) if each.call == stop.call]
        assert [each.state for each in mine] == ["begun", "checking", "proving", "settled"]
        assert {(each.kind, each.command, each.symbol) for each in mine} == {("stop", "cancel_all_orders", "*")}
        last = mine[-1]
        assert (last.outcome, last.orders, last.acknowledged) == ("CONFIRMED", 6, True)
        assert set(last.parts) == {handle.call for handle in stop.handles}
        assert any(each.calls[:1] == (stop.call,) for each in heard.of(RequestEnded))

    _ = story(main)


def test_a_stop_that_cannot_list_ends_without_a_report() -> None:
    """Nothing was sent; a rehearsal is no handle at all."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = await client.cancel_all_orders([BTC], dry_run=True)
        assert not heard.of(HandleChanged)
        exchange.faults.add("unfilled-orders", faults.envelope("40014"), times=None)
        with pytest.raises(Refused):
            _ = await client.cancel_all_orders([ETH, BTC])

    heard = story(main)
    assert in_short(list(heard.of(HandleChanged))) == ["1 stop begun", "1 stop refused 40014"]
    assert heard.of(HandleChanged)[0].symbol == f"{BTC},{ETH}"


@pytest.mark.parametrize("turns", range(8))
def test_a_stop_whose_caller_leaves_as_it_is_listed_is_withdrawn_or_goes_on(turns: int) -> None:
    """With nothing open there is nothing to send, and it still lists until that is proven: seen in `pending` then."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        stopping = asyncio.ensure_future(client.cancel_all_orders())
        async for _ in client.events(RequestEnded):
            break
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping.cancel()
        _ = await asyncio.gather(stopping, return_exceptions=True)
        assert bool(client.pending) is (states(heard)[-1] != "withdrawn")
        await asyncio.sleep(10)
        assert states(heard)[-1] in ("withdrawn", "settled")

    _ = story(main)


def test_closing_ends_what_is_pending_and_that_is_the_last_that_is_told() -> None:
    """Whoever draws handles from events has none left over."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 3, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        waiting = asyncio.ensure_future(client.cancel_all_orders())
        await asyncio.sleep(0.05)
        await client.close()
        _ = await asyncio.gather(waiting, return_exceptions=True)
        assert client.snapshot().state == "closed"

    heard = story(main)
    ended = [each for each in heard.of(HandleChanged) if each.state == "settled"]
    assert {each.reason for each in ended} == {"client_closed"}


# -- listeners that come late, and that are in the way --------------------------------------------------------------


def test_who_comes_later_hears_what_comes_then() -> None:
    """The states and the fates that follow, and whole requests only."""

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 2, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        await asyncio.sleep(0.5)
        late = Heard(client)
        _ = await pending
        assert states(late)[-1] == "settled"
        assert "begun" not in states(late)
        assert len(late.of(FateKnown)) == 2
        assert late.events == heard.events[-len(late.events) :]

    _ = story(main)


def test_a_listener_that_raises_and_one_that_takes_its_time_change_nothing() -> None:
    """The same story, with the same end, and a signature that is fresh when it arrives."""

    def bad(event: Event) -> None:
        raise RuntimeError(event)

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = client.on(Event, bad)
        _ = exchange.rest(BTC, 2, age_s=60)
        report = await (await client.cancel_symbol_orders(BTC))
        assert report.proven
        assert {copy.code for copy in exchange.truth.wire} == {"00000"}

    heard = story(main)
    assert states(heard) == ["begun", "signed", "answered", "cleared", "settled"]


def test_a_listener_may_use_the_client() -> None:
    """It rechecks a handle in the moment in which that settles: the new one is told after the old one's end."""
    made: list[Any] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient, heard: Heard) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        exchange.faults.add("cancel-symbol-order", faults.never_executed())
        pending = await client.cancel_symbol_orders(BTC)
        loop = asyncio.get_running_loop()

        def settled(event: HandleChanged) -> None:
            if event.state == "settled" and not made:
                made.append(loop.create_task(pending.recheck()))

        _ = client.on(HandleChanged, settled)
        _ = await pending.settled()
        again = await made[0]
        exchange.cancel(exchange.truth.open_ids(exchange.account.uid)[0])
        _ = await again.settled()

    heard = story(main)
    told = in_short(list(heard.of(HandleChanged)))
    assert told.index("2 cancellation resumed") == told.index("1 cancellation settled STILL_OPEN") + 1
