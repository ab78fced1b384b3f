"""`client.snapshot()`: how a client is, during a story, and that it holds no secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, BitgetError, Credentials, LocalLimits, Snapshot, Unlimited
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER
from bitget_async.limits.ledger import Ledger, Terms
from bitget_async.limits.redis import SharedLine
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import run_virtual, with_exchange
from tests.leaks import MARK

BTC, ETH = "BTCUSDT", "ETHUSDT"
LIMIT: dict[str, Any] = {"size": "0.01", "price": "10000", "force": "gtc"}


def bucket(snapshot: Snapshot, endpoint: str) -> Any:
    """One quota of it."""
    (found,) = [each for each in snapshot.buckets if each.endpoint == endpoint]
    return found


def test_a_client_that_was_not_used_and_one_that_is_closed_have_one_too() -> None:
    """Support gets something, whatever state a program is in."""

    async def main() -> None:
        client = BitgetClient(base_url="http://127.0.0.1:1", clock=VirtualClock())
        snapshot = client.snapshot()
        assert (snapshot.state, snapshot.origin) == ("not used yet", "http://127.0.0.1:1")
        assert snapshot.at_ms == 1_750_000_000_000
        assert not snapshot.clock.synchronised
        async with client:
            assert client.snapshot().state == "open"
            assert client.snapshot().clock.uncertainty_ms is None
            assert client.snapshot().buckets == ()
        assert client.snapshot().state == "closed"

    run_virtual(main)


def test_a_cancellation_is_seen_from_its_answer_to_its_end() -> None:
    """Age, what is left, orders and how many of them have ended, reads; and gone when it has settled."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 3, age_s=60)
        pending = await client.cancel_symbol_orders(BTC)
        await asyncio.sleep(1.0)
        (handle,) = client.snapshot().handles
        assert (handle.call, handle.kind, handle.command) == (pending.call, "cancellation", "cancel-symbol-order")
        assert (handle.symbol, handle.state, handle.acknowledged, handle.attempts) == (BTC, "cleared", True, 1)
        assert handle.age_s == pytest.approx(1.04, abs=0.01)
        assert handle.left_s == pytest.approx(60 - 1.04, abs=0.01)
        assert (handle.orders, handle.ended) == (3, 0)
        assert handle.reads == exchange.truth.count("unfilled-orders")
        _ = await pending
        snapshot = client.snapshot()
        assert snapshot.handles == ()
        assert snapshot.settled == {"CONFIRMED": 1}
        assert snapshot.reads == exchange.truth.count() - 1
        assert snapshot.requests["cancel-symbol-order"] == 1
        assert snapshot.up_s == pytest.approx(2.1, abs=0.2)

    with_exchange(main)


def test_a_handle_that_names_its_orders_is_seen_too() -> None:
    """A batch of which one order is known, and one is in doubt."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("batch-orders", faults.inner_failure("45001", items=0.5))
        orders = [{"side": "buy", "order_type": "limit", **LIMIT} for _ in range(2)]
        _ = await client.batch_orders(orders, BTC)
        await asyncio.sleep(1)
        (handle,) = client.snapshot().handles
        assert (handle.kind, handle.state, handle.orders, handle.ended) == ("placement", "pending", 2, 1)

    with_exchange(main)


def test_tokens_come_and_go() -> None:
    """What is free, who waits, and for how long."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        calls = [client.cancel_symbol_orders(BTC, confirm_within_s=20.0 + n) for n in range(7)]
        tasks = [asyncio.ensure_future(each) for each in calls]
        await asyncio.sleep(0.1)
        busy = bucket(client.snapshot(), "cancel-symbol-order")
        assert (busy.quota, busy.free, busy.waiting, busy.refusals, busy.shared) == (5, 0, 2, 0, False)
        # The third in line: the tokens are back 1.004 s after the answers, which came 60 ms ago.
        assert busy.wait_s == pytest.approx(0.95, abs=0.01)
        _ = await asyncio.gather(*tasks)
        await asyncio.sleep(3)
        calm = bucket(client.snapshot(), "cancel-symbol-order")
        assert (calm.free, calm.waiting, calm.wait_s) == (5, 0, 0.0)

    with_exchange(main)


def test_only_the_buckets_of_this_account_and_address_are_shown() -> None:
    """Limits are shared by all clients of a loop: what others do on other accounts is not this client's state."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        other = exchange.add_account()
        key = exchange.credentials(other)
        async with BitgetClient(key, base_url=exchange.base_url, clock=VirtualClock()) as second:
            _ = await second.account.assets()
            _ = await second.market.server_time()
            _ = await client.account.info()
            assert {each.endpoint for each in client.snapshot().buckets} == {"info", "time"}
            assert {each.endpoint for each in second.snapshot().buckets} == {"assets", "time"}

    with_exchange(main)


def test_limits_that_cannot_tell_have_no_buckets() -> None:
    """`Unlimited`, or limits of somebody's own."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.market.server_time()
        assert client.snapshot().buckets == ()
        assert client.snapshot().requests == {"time": 1}

    with_exchange(main, options={"limits": Unlimited()})


def test_a_bucket_that_several_processes_share_says_so() -> None:
    """What this process knows of it: the whole quota, and that others use it too."""

    async def main() -> None:
        clock = VirtualClock()
        ledger = Ledger("me", Terms.of(CANCEL_SYMBOL_ORDER.quota.per_s, 0.5, 1, 10**10), clock.monotonic_ns())
        line = SharedLine(CANCEL_SYMBOL_ORDER.label, ledger, "key")
        line.clock = clock
        state = line.state()
        assert (state.endpoint, state.quota, state.shared) == ("cancel-symbol-order", 5, True)
        assert 0 <= state.free <= 5

    run_virtual(main)


def test_a_stop_is_seen_with_the_handles_of_its_commands() -> None:
    """How far it is, and when its last command leaves."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for symbol in (BTC, ETH):
            _ = exchange.rest(symbol, 3, age_s=60)
        stopping = await client.cancel_all_orders()
        await asyncio.sleep(0.5)
        snapshot = client.snapshot()
        (stop,) = snapshot.stops
        assert (stop.call, stop.symbol, stop.state) == (stopping.call, "*", "checking")
        assert (stop.orders, stop.commands, stop.answered, stop.eta_s) == (6, 2, 2, 0.0)
        assert 0.5 < stop.age_s < 1
        assert {each.call for each in snapshot.handles} == {each.call for each in stopping.handles}
        _ = await stopping
        assert client.snapshot().stops == ()

    with_exchange(main)


def test_it_tells_of_the_journal_and_of_open_orders(tmp_path: Path) -> None:
    """Both change what a crash means."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        assert client.snapshot().journal
        assert client.snapshot().open_orders == "unknown"
        await client.open_orders.ready()
        assert client.snapshot().open_orders == "live"

    with_exchange(main, options={"journal": tmp_path / "journal", "stream": True})


def test_it_is_plain_json_and_frozen() -> None:
    """It goes over a socket, into a ticket, into a test."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 1, age_s=60)
        _ = await client.cancel_symbol_orders(BTC)
        snapshot = client.snapshot()
        plain = snapshot.to_dict()
        assert json.loads(json.dumps(plain)) == plain
        assert set(plain) == set(snapshot.__struct_fields__)
        assert plain["handles"][0]["symbol"] == BTC
        with pytest.raises(AttributeError):
            snapshot.state = "closed"  # type: ignore[misc]

    with_exchange(main)


@pytest.mark.failure(25)
def test_an_exchange_that_echoes_the_key_gets_it_into_no_snapshot() -> None:
    """Not by its message, not by its code, not by a name that it makes up."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        key = exchange.credentials()
        assert MARK in key.passphrase
        _ = exchange.rest(BTC, 1, age_s=60)
        for part in (key.api_key, key.secret, key.passphrase):
            for fault in (faults.envelope("40034", text=part), faults.envelope(part), faults.raw(part.encode())):
                exchange.faults.clear()
                exchange.faults.add("assets", fault, times=None)
                with pytest.raises(BitgetError):
                    _ = await client.account.assets()
        _ = await client.cancel_symbol_orders(BTC)
        text = json.dumps(client.snapshot().to_dict()) + repr(client.snapshot())
        assert MARK not in text
        assert "unreadable" in text
        assert Credentials.of(key).fingerprint not in text

    with_exchange(main)


def test_shared_limits_are_those_of_the_loop() -> None:
    """A client without limits of its own shows those that it shares."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = await client.market.server_time()
        assert bucket(client.snapshot(), "time").free == 19
        assert len(LocalLimits.shared().states("", exchange.base_url)) == 1

    with_exchange(main)
