"""ccxt reads the account and the wallet of the simulated exchange."""

from __future__ import annotations

from decimal import Decimal

import pytest

pytest.importorskip("ccxt.async_support")
pytestmark = pytest.mark.peers


@pytest.fixture
def client(bitget_of_ccxt):
    """The client at the simulator's address."""
    return bitget_of_ccxt


async def test_ledger_follows_a_trade(exchange, client):
    """What was paid and what was received, before and after, by coin."""
    before = (await client.fetch_balance())["USDT"]["total"]
    placed = await client.create_order("BTC/USDT", "market", "buy", 0.002, 100000)
    truth = exchange.order(placed["id"])
    (paid,) = await client.fetch_ledger("USDT")
    assert (paid["direction"], paid["type"], paid["currency"]) == ("out", "trade", "USDT")
    assert paid["amount"] == float(truth.filled_quote)
    assert (paid["before"], paid["after"]) == (before, (await client.fetch_balance())["USDT"]["total"])
    (received,) = await client.fetch_ledger("BTC")
    assert (received["direction"], received["amount"]) == ("in", float(truth.filled))
    # Bills have eight decimals, as recorded; a fee may have more.
    assert received["fee"]["cost"] == pytest.approx(float(truth.marks[-1].fee), abs=1e-8)


async def test_fees_are_the_ones_of_the_simulator(exchange, client):
    """Its own rate of one symbol, and the default rates of all of them."""
    own = await client.fetch_trading_fee("BTC/USDT")
    assert (own["maker"], own["taker"]) == (0.001, 0.001)
    assert (await client.fetch_trading_fees())["ETH/USDT"]["taker"] == 0.001


async def test_transfer_and_its_record(exchange, client):
    """It sends the amount as a JSON number, which is taken; the record is found, and the spot balance is lower."""
    before = (await client.fetch_balance())["USDT"]["free"]
    made = await client.transfer("USDT", 5, "spot", "swap")
    (record,) = await client.fetch_transfers("USDT")
    assert (record["id"], record["amount"], record["status"]) == (made["id"], 5, "ok")
    assert (record["fromAccount"], record["toAccount"]) == ("spot", "swap")
    assert before - (await client.fetch_balance())["USDT"]["free"] == 5


async def test_deposits_and_withdrawals_are_read_right(exchange, client):
    """What came and what went, with its fee and state."""
    came = exchange.funds.move(exchange.account, "deposit", "USDT", Decimal(100), age_s=60)
    gone = exchange.funds.move(exchange.account, "withdraw", "USDT", Decimal(40), fee=Decimal("1.5"), age_s=30)
    (deposit,) = await client.fetch_deposits("USDT")
    (withdrawal,) = await client.fetch_withdrawals("USDT")
    assert (deposit["id"], deposit["amount"], deposit["status"]) == (came, 100, "ok")
    # It takes the fee off what the exchange calls the size.
    assert (withdrawal["id"], withdrawal["amount"], withdrawal["status"]) == (gone, 38.5, "ok")
    assert withdrawal["fee"]["cost"] == 1.5
    address = await client.fetch_deposit_address("USDT")
    assert address["currency"] == "USDT"
    assert address["address"]
