"""typed-bitget validates the account and wallet rows of the simulated exchange."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

pytest.importorskip("typed_bitget")
pytestmark = pytest.mark.peers


@pytest.fixture
def client(typed_classic):
    """The classic spot surface with validation on."""
    return typed_classic.spot


def day(exchange):
    """The last day as a range of times."""
    now = datetime.fromtimestamp(exchange.server_ms / 1000, UTC)
    return {"start_time": now - timedelta(days=1), "end_time": now + timedelta(seconds=1)}


async def test_bills_and_tax_validate(exchange, client, typed_classic):
    """The ledger of a trade, in the words of both pages."""
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "force": "gtc", "size": "100"}
    placed = exchange.order((await client.order.place(order))["orderId"])
    bills = await client.account.bills(limit=10)
    assert {bill["coin"]: bill["size"] for bill in bills} == {"USDT": -placed.filled_quote, "BTC": placed.filled}
    taxed = await typed_classic.tax.spot_records(**day(exchange))
    assert [row["id"] for row in taxed] == [bill["billId"] for bill in bills]


async def test_transfers_validate(exchange, client):
    """Asked for, answered, recorded, and found in the funding account."""
    made = await client.transfer.create(from_type="spot", to_type="p2p", amount="5", coin="USDT", client_oid="move-1")
    await asyncio.sleep(0.05)
    (record,) = await client.transfer.records(coin="USDT", from_type="spot")
    assert (record["transferId"], record["clientOid"]) == (made["transferId"], "move-1")
    assert (record["fromType"], record["toType"], float(record["size"])) == ("spot", "p2p", 5)
    assert "BTC" in await client.transfer.transferable_coins(from_type="spot", to_type="p2p")


async def test_sub_accounts_validate(exchange, client):
    """What a sub-account holds, and a transfer to it."""
    sub = exchange.add_account(parent=exchange.account, balances={"BTC": Decimal(1)})
    (row,) = await client.subaccount.assets()
    assert (row["userId"], row["assetsList"][0]["coin"]) == (int(sub.uid), "BTC")
    made = await client.subaccount.transfer(
        from_type="spot",
        to_type="spot",
        amount="5",
        coin="USDT",
        client_oid="sub-1",
        from_user_id=exchange.account.uid,
        to_user_id=sub.uid,
    )
    await asyncio.sleep(0.05)
    (record,) = await client.sub_main_transfer_records()
    assert (record["transferId"], record["toUserId"]) == (made["transferId"], sub.uid)
    assert sub.balance("USDT").available == 5


async def test_deposits_and_withdrawals_validate(exchange, client):
    """Rows and an address, of the main account and of a sub-account."""
    sub = exchange.add_account(parent=exchange.account, balances={})
    came = exchange.funds.move(exchange.account, "deposit", "USDT", Decimal(100), age_s=60)
    gone = exchange.funds.move(
        exchange.account, "withdraw", "USDT", Decimal(40), fee=Decimal("1.5"), age_s=30, client_oid="out-1"
    )
    theirs = exchange.funds.move(sub, "deposit", "BTC", Decimal(1), age_s=30)
    assert [row["orderId"] for row in await client.deposit.records(**day(exchange))] == [came]
    (row,) = await client.withdrawal.records(**day(exchange))
    assert (row["orderId"], row["size"], row["clientOid"]) == (gone, 40, "out-1")
    (row,) = await client.subaccount.deposit_records(sub_uid=sub.uid)
    assert (row["orderId"], float(row["size"])) == (theirs, 1)
    assert (await client.deposit.address(coin="USDT", size="1"))["coin"] == "USDT"
    # Its schema wants a text as `tag` here, and allows the null of the same field one call above.
    address = await client.subaccount.deposit_address(sub_uid=sub.uid, coin="USDT", size="1", validate=False)
    assert (address["coin"], address["tag"]) == ("USDT", None)


async def test_rates_and_totals_validate(exchange, client, typed_classic):
    """Fees, the fee coin, and what the accounts of all types are worth."""
    common = typed_classic.common
    exchange.funds.give(exchange.account.uid, "bots", "USDT", Decimal(7))
    assert (await common.trade_rate("BTCUSDT", business_type="spot"))["takerFeeRate"] == Decimal("0.001")
    assert len(await common.all_trade_rates("spot")) > 20
    assert {row["accountType"] for row in await common.all_account_balance()} >= {"spot", "funding", "bots"}
    (row,) = await common.bot_assets()
    assert (row["coin"], float(row["equity"])) == ("USDT", 7)
    assert await client.bgb_deduct.info() == {"deduct": "off"}
