"""`client.account` against the simulator, in virtual time: ledgers page by page, and transfers that are made once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bitget_async import BitgetClient, OutcomeUnknown, PermissionDenied, Refused, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import client_of

DAY_MS = 86_400_000
Virtual = Callable[..., Any]


def against(virtual: Virtual, main: Callable[[SimulatedExchange, BitgetClient], Any]) -> None:
    """Run it with a client whose key may transfer, in virtual time."""

    async def whole() -> None:
        async with SimulatedExchange(3, clock=VirtualClock()) as exchange:
            account = exchange.add_account(transfer=True)
            clock = VirtualClock()
            async with BitgetClient(
                exchange.credentials(account), base_url=exchange.base_url, clock=clock, uid=account.uid
            ) as client:
                await main(exchange, client)

    virtual(whole)


def queries(exchange: SimulatedExchange, endpoint: str) -> list[dict[str, str]]:
    """What was asked, copy by copy."""
    return [dict(parse_qsl(copy.query)) for copy in exchange.truth.copies(endpoint)]


async def free(client: BitgetClient, coin: str = "USDT") -> Decimal:
    """What can be used of a coin in the spot account."""
    (asset,) = await client.account.assets(coin)
    assert asset.available is not None
    return asset.available


# -- transfers ----------------------------------------------------------------------------------------------------


def test_a_transfer_carries_a_name_of_ours_and_can_be_found_by_it(virtual: Virtual) -> None:
    """At most 32 safe characters, another one each time; by it the listing shows the transfer."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        acks = [await client.account.transfer("spot", "p2p", "USDT", Decimal("1.5")) for _ in range(3)]
        names = [ack.client_oid or "" for ack in acks]
        assert len(set(names)) == 3
        assert all(re.fullmatch(r"[0-9A-Za-z_-]{1,32}", name) for name in names)
        await asyncio.sleep(5)
        (row,) = await client.account.transfer_records("USDT", client_oid=names[1])
        assert (row.client_oid, row.size, row.to_type) == (names[1], Decimal("1.5"), "p2p")

    against(virtual, main)


def test_after_a_lost_answer_the_same_name_moves_nothing_twice(virtual: Virtual) -> None:
    """The error tells the name that was made up, so that its caller can do the same once more."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        before = await free(client)
        exchange.faults.add("transfer", faults.drop(executed=True), times=1)
        with pytest.raises(OutcomeUnknown) as caught:
            await client.account.transfer("spot", "p2p", "USDT", 100)
        name = caught.value.client_oid
        assert name is not None
        assert any(name in note for note in caught.value.__notes__)
        ack = await client.account.transfer("spot", "p2p", "USDT", 100, client_oid=name)
        assert ack.client_oid == name
        await asyncio.sleep(5)
        assert before - await free(client) == 100
        assert len(await client.account.transfer_records("USDT")) == 1

    against(virtual, main)


def test_a_transfer_is_never_sent_twice_by_us(virtual: Virtual) -> None:
    """A command in doubt is not repeated behind the caller's back, although its name would allow it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("transfer", faults.page(502, executed=False), times=None)
        with pytest.raises(OutcomeUnknown):
            await client.account.transfer("spot", "p2p", "USDT", 1, client_oid="mine")
        assert exchange.truth.count("transfer") == 1
        assert b'"clientOid":"mine"' in exchange.truth.wire[-1].body

    against(virtual, main)


def test_a_transfer_to_a_sub_account_and_its_listing(virtual: Virtual) -> None:
    """From the main account; the listing knows both sides."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        me = (await client.account.info()).user_id
        sub = exchange.add_account(parent=exchange.venue.accounts[me], balances={})
        ack = await client.account.subaccount_transfer(me, sub.uid, "spot", "spot", "USDT", "7")
        assert ack.client_oid
        await asyncio.sleep(5)
        (row,) = [each async for each in client.account.sub_main_trans_record("USDT", client_oid=ack.client_oid)]
        assert (row.from_user_id, row.to_user_id, row.size) == (me, sub.uid, Decimal(7))
        (assets,) = [each async for each in client.account.subaccount_assets()]
        assert assets.user_id == sub.uid
        assert [(asset.coin, asset.available) for asset in assets.assets_list or ()] == [("USDT", Decimal(7))]

    against(virtual, main)


def test_what_cannot_be_meant_moves_nothing(virtual: Virtual) -> None:
    """Before any request; and a refusal of the exchange is no doubt."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        wrong: list[dict[str, Any]] = [
            {"amount": 1.5},
            {"amount": 0},
            {"to_type": "savings"},
            {"to_type": "isolated_margin"},
            {"client_oid": ""},
            {"coin": "US DT"},
        ]
        for each in wrong:
            given = {"from_type": "spot", "to_type": "p2p", "coin": "USDT", "amount": 1, **each}
            with pytest.raises(UsageError):
                await client.account.transfer(**given)
        with pytest.raises(UsageError, match="deduct"):
            await client.account.switch_deduct("off")  # type: ignore[arg-type]
        assert exchange.truth.count() == 0
        with pytest.raises(Refused) as caught:
            await client.account.transfer("spot", "p2p", "USDT", 10**15)
        assert not hasattr(caught.value, "client_oid")
        async with client_of(exchange) as poor:
            with pytest.raises(PermissionDenied):
                await poor.account.transfer("spot", "p2p", "USDT", 1)

    against(virtual, main)


# -- ledgers ------------------------------------------------------------------------------------------------------


def test_ledgers_are_walked_to_their_end(virtual: Virtual) -> None:
    """By id, by page number, and in parts of thirty days: each line once, and the three agree."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        long_ago = exchange.server_ms - 70 * DAY_MS
        for number in range(1, 26):
            await client.account.transfer("spot", "p2p", "USDT", number)
            await asyncio.sleep(1)
        sizes = list(range(25, 0, -1))
        moved = [row async for row in client.account.transfer_records("USDT", limit=10)]
        assert [row.size for row in moved] == sizes
        assert [each.get("pageNum") for each in queries(exchange, "transferRecords")] == [None, "2", "3"]
        bills = [bill async for bill in client.account.bills("USDT", group_type="transfer", limit=7)]
        assert [-bill.size for bill in bills if bill.size is not None] == sizes
        assert len({bill.bill_id for bill in bills}) == 25
        taxes = [line async for line in client.account.tax_spot_record("USDT", start_ms=long_ago, limit=9)]
        assert [line.id for line in taxes] == [bill.bill_id for bill in bills]
        spans = [int(each["endTime"]) - int(each["startTime"]) for each in queries(exchange, "spot-record")]
        assert len(spans) == 3 + 2
        assert max(spans) == 30 * DAY_MS

    against(virtual, main)


def test_listings_that_need_a_range_reach_until_now(virtual: Virtual) -> None:
    """The exchange wants both ends; the caller need not know the time."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        start = exchange.server_ms - DAY_MS
        assert [row async for row in client.account.deposit_records(start_ms=start)] == []
        assert [row async for row in client.account.withdrawal_records("BTC", start_ms=start)] == []
        for endpoint in ("deposit-records", "withdrawal-records"):
            (asked,) = queries(exchange, endpoint)
            assert asked["startTime"] == str(start)
            assert abs(int(asked["endTime"]) - exchange.server_ms) < 1_000

    against(virtual, main)


# -- the rest -----------------------------------------------------------------------------------------------------


def test_who_it_is_what_it_pays_and_what_it_holds(virtual: Virtual) -> None:
    """Each read gives whole records."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        account = client.account
        info = await account.info()
        sub = exchange.add_account(parent=exchange.venue.accounts[info.user_id])
        rate = await account.trade_rate("BTCUSDT")
        address = await account.deposit_address("BTC")
        assert address.address
        assert address != await account.subaccount_deposit_address(sub.uid, "BTC")
        records: list[Any] = [info, rate, address, await account.deduct_info(), await account.upgrade_status()]
        records += await account.all_trade_rate()
        records += await account.all_account_balance()
        records += await account.funding_assets()
        records += await account.bot_assets("spot")
        records += await account.assets(asset_type="all")
        assert all(record is not None and not record.unreadable for record in records)
        assert rate.maker_fee_rate is not None
        assert "USDT" in await account.transfer_coin_info("spot", "usdt_futures")
        assert [row async for row in account.subaccount_deposit_records(sub.uid)] == []

    against(virtual, main)


def test_paying_fees_in_bgb_is_switched_by_yes_and_no(virtual: Virtual) -> None:
    """What the receipt says, and what is told afterwards."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for wanted in (True, False):
            assert (await client.account.switch_deduct(wanted)).done
            assert bool((await client.account.deduct_info()).deduct) is wanted

    against(virtual, main)
