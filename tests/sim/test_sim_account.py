"""The account's ledger, its other accounts, transfers, fees, tax, and what a key may ask of it."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from bitget_async.sim import ROUTES, faults

V2 = "/api/v2/"
ACCOUNT = V2 + "spot/account/"
WALLET = V2 + "spot/wallet/"
NOW = 1_750_000_000_000
DAY = 86_400_000
SPAN = {"startTime": NOW - DAY, "endTime": NOW + DAY}


NAMES = [route.name for route in ROUTES.values()]


@pytest.fixture
def bank(sim):
    """An exchange, somebody who asks, and a key that may transfer."""
    exchange, ask, _ = sim(transfer_delay_s=0.0, quotas=dict.fromkeys(NAMES, 1000))
    return exchange, ask, exchange.add_key(transfer=True)


def transfer(ask, key, **changes):
    """Move 10 USDT from spot to p2p, with changes; `None` leaves a field out."""
    body = {"fromType": "spot", "toType": "p2p", "amount": "10", "coin": "USDT"} | changes
    return ask.post(WALLET + "transfer", {k: v for k, v in body.items() if v is not None}, key)


def test_fill_writes_two_bills_as_recorded(sim):
    """Names, order, signs, eight decimals as recorded on 2025-05-20: what came in has the lower id and the fee."""
    exchange, ask, _ = sim()
    account = exchange.add_account(balances={"USDT": Decimal(100)})
    key = exchange.credentials(account)
    (order_id,) = exchange.rest("TRXUSDT", account=account, price=Decimal("0.25"), size=Decimal(100))
    (waiting,) = exchange.rest("TRXUSDT", account=account, price=Decimal("0.25"), size=Decimal(40))
    exchange.fill(order_id, Decimal(80))
    out, came = ask.get(ACCOUNT + "bills", key).data
    fill = exchange.venue.ledger.fills_of(account.uid)[0]
    assert came == {
        "billId": came["billId"],
        "bizOrderId": fill.trade_id,
        "coin": "TRX",
        "groupType": "transaction",
        "businessType": "ORDER_DEALT_IN",
        "size": "80.00000000",
        "balance": "79.92000000",
        "fees": "-0.08000000",
        "cTime": "1750000000000",
    }
    assert list(came) == list(out)
    # What still is frozen for the other order belongs to the balance.
    assert (out["size"], out["balance"], out["fees"]) == ("-20.00000000", "80.00000000", "0.00000000")
    assert (out["coin"], out["businessType"]) == ("USDT", "ORDER_DEALT_FROZEN_OUT")
    assert int(came["billId"]) < int(out["billId"])
    assert exchange.order(waiting).status == "live"


def test_sale_writes_the_coins_the_other_way_round(sim):
    """Quote coin comes in, base coin goes; the fee is in what came."""
    exchange, ask, _ = sim()
    (order_id,) = exchange.rest("BTCUSDT", side="sell", price=Decimal(200_000), size=Decimal("0.5"))
    exchange.fill(order_id)
    out, came = ask.get(ACCOUNT + "bills").data
    assert [(b["coin"], b["size"], b["fees"]) for b in (came, out)] == [
        ("USDT", "100000.00000000", "-100.00000000"),
        ("BTC", "-0.50000000", "0.00000000"),
    ]


def test_forgetting_drops_old_bills(bank):
    """For long runs; the transfers stay, so that their names still give the first result."""
    exchange, ask, key = bank
    first = transfer(ask, key, clientOid="a").data
    ask.pass_s(10)
    transfer(ask, key)
    exchange.forget(5)
    (bill,) = ask.get(ACCOUNT + "bills").data
    assert bill["bizOrderId"] != first["transferId"]
    assert transfer(ask, key, clientOid="a").data == first


def test_bills_are_filtered_and_paged(bank):
    """By coin in any case, group, business type, time and id; 100 rows unless up to 500 are asked for."""
    exchange, ask, key = bank
    exchange.funds.move(exchange.account, "deposit", "BTC", Decimal(2), age_s=3600)
    exchange.funds.move(exchange.account, "deposit", "BTC", Decimal(2), status="pending")
    for _ in range(150):
        transfer(ask, key)
    transfer(ask, key, fromType="p2p", toType="spot")
    assert len(ask.get(ACCOUNT + "bills").data) == 100
    assert len(ask.get(ACCOUNT + "bills", limit=500).data) == 152
    assert ask.get(ACCOUNT + "bills", limit=501).code == "40017"
    (bill,) = ask.get(ACCOUNT + "bills", coin="btc").data
    assert (bill["groupType"], bill["businessType"], bill["size"]) == ("deposit", "DEPOSIT", "2.00000000")
    assert bill["cTime"] == str(NOW - 3_600_000)
    assert len(ask.get(ACCOUNT + "bills", groupType="transfer", limit=500).data) == 151
    (bill,) = ask.get(ACCOUNT + "bills", businessType="TRANSFER_IN").data
    assert bill["size"] == "10.00000000"
    assert ask.get(ACCOUNT + "bills", coin="NOPE").code == "40034"
    assert ask.get(ACCOUNT + "bills", startTime=NOW - 91 * DAY, endTime=NOW).code == "40705"
    seen: list[str] = []
    page = ask.get(ACCOUNT + "bills", limit=60).data
    while page:
        seen += [row["billId"] for row in page]
        page = ask.get(ACCOUNT + "bills", limit=60, idLessThan=seen[-1]).data
    assert len(set(seen)) == 152
    assert seen == sorted(seen, key=int, reverse=True)


def test_transfer_moves_money_and_is_told_by_name(bank):
    """Out of spot, into funding; both ends and the record tell the same."""
    exchange, ask, key = bank
    start = exchange.account.balance("USDT").available
    data = transfer(ask, key, clientOid="t-1", amount="12.5").data
    assert data == {"transferId": data["transferId"], "clientOid": "t-1"}
    assert exchange.account.balance("USDT").available == start - Decimal("12.5")
    assert ask.get(V2 + "account/funding-assets").data == [
        {"coin": "USDT", "available": "12.5", "frozen": "", "usdtValue": "12.5"}
    ]
    assert ask.get(ACCOUNT + "transferRecords", coin="usdt").data == [
        {
            "coin": "USDT",
            "status": "Successful",
            "toType": "p2p",
            "fromType": "spot",
            "size": "12.50000000",
            "ts": "1750000000000",
            "clientOid": "t-1",
            "toSymbol": "",
            "fromSymbol": "",
            "transferId": data["transferId"],
        }
    ]


def test_same_client_oid_gives_the_first_result(bank):
    """The page's promise: a repetition moves nothing, whatever else it says; a lost answer can be asked for again."""
    exchange, ask, key = bank
    start = exchange.account.balance("USDT").available
    exchange.faults.add("transfer", faults.drop(executed=True))
    assert transfer(ask, key, clientOid="once").kind == "close"
    again = transfer(ask, key, clientOid="once", amount="99").data
    assert transfer(ask, key, clientOid="once").data == again
    assert exchange.account.balance("USDT").available == start - 10
    other = exchange.add_account(transfer=True)
    assert transfer(ask, exchange.credentials(other), clientOid="once").data != again
    assert len(exchange.funds.transfers) == 2


def test_transfer_leaves_at_once_and_arrives_later(sim):
    """In between it is Processing; a fault lets it never happen behind the same answer."""
    exchange, ask, _ = sim(transfer_delay_s=2.0)
    key = exchange.add_key(transfer=True)
    start = exchange.account.balance("USDT").available
    transfer(ask, key)
    assert exchange.account.balance("USDT").available == start - 10
    assert ask.get(V2 + "account/funding-assets").data == []
    (row,) = ask.get(ACCOUNT + "transferRecords", coin="USDT").data
    assert row["status"] == "Processing"
    ask.pass_s(2)
    (row,) = ask.get(ACCOUNT + "transferRecords", coin="USDT").data
    assert row["status"] == "Successful"
    exchange.faults.add("transfer", faults.never_executed())
    assert set(transfer(ask, key).data) == {"transferId", "clientOid"}
    ask.pass_s(60)
    assert exchange.account.balance("USDT").available == start - 10
    assert len(exchange.funds.transfers) == 1
    exchange.settings.transfer_delay_s = math.inf
    transfer(ask, key)
    ask.pass_s(60)
    assert exchange.funds.transfers[-1].arrived_ns is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"coin": None}, "40019"),
        ({"coin": "NOPE"}, "40034"),
        ({"amount": "0"}, "40017"),
        ({"amount": "-1"}, "40017"),
        ({"toType": "spot"}, "40017"),
        ({"toType": "cellar"}, "40017"),
        ({"fromType": None}, "40019"),
        ({"toType": "isolated_margin"}, "40019"),
        ({"toType": "isolated_margin", "symbol": "NOPE"}, "40034"),
        ({"amount": "10000000000"}, "43012"),
        ({"fromType": "p2p", "toType": "spot"}, "43012"),
        ({"clientOid": "x" * 51}, "40304"),
    ],
)
def test_bad_transfers_are_refused(bank, changes, code):
    """With the code for what is wrong, and nothing moves."""
    exchange, ask, key = bank
    answer = transfer(ask, key, **changes)
    assert (answer.status, answer.code) == (400, code)
    assert exchange.funds.transfers == []


def test_isolated_margin_names_its_symbol(bank):
    """On the side that has one."""
    _, ask, key = bank
    transfer(ask, key, toType="isolated_margin", symbol="BTCUSDT")
    (row,) = ask.get(ACCOUNT + "transferRecords", coin="USDT").data
    assert (row["toSymbol"], row["fromSymbol"]) == ("BTCUSDT", "")


def test_transfer_records_have_page_numbers(bank):
    """`pageNum` from 1 to 1000, newest first; the old cursor still works; the coin must be named."""
    _, ask, key = bank
    ids = [transfer(ask, key).data["transferId"] for _ in range(7)][::-1]
    path = ACCOUNT + "transferRecords"
    pages = [[r["transferId"] for r in ask.get(path, coin="USDT", limit=3, pageNum=n).data] for n in (1, 2, 3, 4)]
    assert pages == [ids[:3], ids[3:6], ids[6:], []]
    assert [r["transferId"] for r in ask.get(path, coin="USDT", idLessThan=ids[4]).data] == ids[5:]
    assert ask.get(path, coin="USDT", fromType="p2p").data == []
    assert ask.get(path, coin="BTC").data == []
    assert ask.get(path).code == "40019"
    for page in ("0", "1001", "x"):
        assert ask.get(path, coin="USDT", pageNum=page).code == "40017"


def test_transfer_is_a_permission_of_its_own(sim):
    """A key that may read and trade may not move money: 40014 names what is missing."""
    exchange, ask, _ = sim()
    for path in ("transfer", "subaccount-transfer"):
        answer = ask.post(WALLET + path, {})
        assert (answer.status, answer.code) == (400, "40014")
        assert b"transfer" in answer.body
    mover = exchange.add_key(read=False, trade=False, transfer=True)
    assert transfer(ask, mover).code == "00000"
    assert ask.get(ACCOUNT + "bills", mover).code == "40014"
    reader = exchange.add_key(transfer=True)
    assert "wtow" in ask.get(ACCOUNT + "info", reader).data["authorities"]


@pytest.mark.parametrize("path", ["withdrawal", "cancel-withdrawal", "modify-deposit-account"])
def test_nothing_can_be_withdrawn(sim, path):
    """Left out on purpose, so 404: a trading key must not need them."""
    exchange, ask, _ = sim()
    answer = ask.post(WALLET + path, {}, exchange.add_key(transfer=True))
    assert (answer.status, answer.code) == (404, "40404")


def test_sub_accounts_and_transfers_among_them(bank):
    """Only the main account may move them; its records show both directions, from the side that is asked for."""
    exchange, ask, key = bank
    sub = exchange.add_account(parent=exchange.account, balances={}, transfer=True)
    stranger = exchange.add_account()
    main = exchange.account
    body = {"fromType": "spot", "toType": "spot", "coin": "USDT", "amount": "30", "clientOid": "s-1"}
    there = body | {"fromUserId": main.uid, "toUserId": sub.uid}
    first = ask.post(WALLET + "subaccount-transfer", there, key).data
    assert ask.post(WALLET + "subaccount-transfer", there, key).data == first
    assert sub.balance("USDT").available == 30
    back = {**body, "fromUserId": sub.uid, "toUserId": main.uid, "amount": "5", "clientOid": "s-2"}
    ask.post(WALLET + "subaccount-transfer", back, key)
    assert sub.balance("USDT").available == 25
    for wrong in ({"toUserId": stranger.uid}, {"fromUserId": stranger.uid}):
        assert ask.post(WALLET + "subaccount-transfer", there | wrong, key).code == "43127"
    assert ask.post(WALLET + "subaccount-transfer", back, exchange.credentials(sub)).code == "43127"
    (row,) = ask.get(ACCOUNT + "sub-main-trans-record").data
    assert row == {
        "coin": "USDT",
        "status": "Successful",
        "toType": "spot",
        "fromType": "spot",
        "size": "30.00000000",
        "ts": "1750000000000",
        "clientOid": "s-1",
        "transferId": first["transferId"],
        "newTransferId": first["transferId"],
        "fromUserId": main.uid,
        "toUserId": sub.uid,
    }
    (row,) = ask.get(ACCOUNT + "sub-main-trans-record", role="receiver").data
    assert row["clientOid"] == "s-2"
    (row,) = ask.get(ACCOUNT + "sub-main-trans-record", subUid=sub.uid).data
    assert row["clientOid"] == "s-2"
    assert ask.get(ACCOUNT + "sub-main-trans-record", subUid=stranger.uid).code == "40066"
    assert ask.get(ACCOUNT + "transferRecords", coin="USDT").data == []
    names = [b["businessType"] for b in ask.get(ACCOUNT + "bills", exchange.credentials(sub)).data]
    assert names == ["TRANSFER_OUT", "TRANSFER_IN"]


def test_sub_account_assets_are_paged_by_account(bank):
    """Ten accounts a page, those that hold something; their numbers are JSON numbers as in the page's example."""
    exchange, ask, _ = bank
    assert ask.get(ACCOUNT + "subaccount-assets").data == []
    subs = [exchange.add_account(parent=exchange.account, balances={"USDT": Decimal(n)}) for n in range(13)]
    page = ask.get(ACCOUNT + "subaccount-assets").data
    assert [row["userId"] for row in page] == [int(sub.uid) for sub in subs[:2:-1]]
    rest = ask.get(ACCOUNT + "subaccount-assets", idLessThan=page[-1]["id"]).data
    assert [row["userId"] for row in rest] == [int(subs[2].uid), int(subs[1].uid)]
    assert rest[1]["assetsList"] == [
        {
            "coin": "USDT",
            "available": "1.0000000000000000",
            "limitAvailable": "0",
            "frozen": "0.0000000000000000",
            "locked": "0.0000000000000000",
            "uTime": "0",
        }
    ]
    assert ask.get(ACCOUNT + "subaccount-assets", limit=51).code == "40017"
    theirs = exchange.credentials(subs[1])
    assert ask.get(ACCOUNT + "subaccount-assets", theirs).code == "40068"
    assert ask.get(ACCOUNT + "info", theirs).data["parentId"] == int(exchange.account.uid)


def test_fee_deduction_can_be_switched(bank):
    """Switched on and off; anything else gets the recorded refusal; the answer is a bare true."""
    exchange, ask, _ = bank
    assert ask.get(ACCOUNT + "deduct-info").data == {"deduct": "off"}
    assert ask.post(ACCOUNT + "switch-deduct", {"deduct": "on"}).data is True
    assert ask.get(ACCOUNT + "deduct-info").data == {"deduct": "on"}
    answer = ask.post(ACCOUNT + "switch-deduct", {"deduct": True})
    assert (answer.status, answer.code) == (400, "400172")
    assert b"deduct does not conform to specification" in answer.body
    exchange.faults.add("switch-deduct", faults.never_executed())
    assert ask.post(ACCOUNT + "switch-deduct", {"deduct": "off"}).data is True
    assert ask.get(ACCOUNT + "deduct-info").data == {"deduct": "on"}


def test_upgrade_ends_the_classic_account(sim):
    """process, then success: from then on every classic private call but the status gives 40085."""
    exchange, ask, _ = sim(upgrade_delay_s=3.0)
    assert ask.get(ACCOUNT + "upgrade-status").data == {"status": "", "reason": ""}
    assert ask.post(ACCOUNT + "upgrade", {}).data == {"status": "process"}
    ask.pass_s(1)
    assert ask.post(ACCOUNT + "upgrade", {}).data == {"status": "process"}
    assert ask.get(ACCOUNT + "assets").code == "00000"
    ask.pass_s(2)
    assert ask.get(ACCOUNT + "upgrade-status").data == {"status": "success", "reason": ""}
    for path in (ACCOUNT + "assets", ACCOUNT + "info", V2 + "tax/spot-record"):
        answer = ask.get(path)
        assert (answer.status, answer.code) == (400, "40085")
    assert ask.cancel().code == "40085"
    assert exchange.account.mode == "unified"


def test_upgrade_can_fail(sim):
    """With a reason; the account stays classic, and may try again."""
    exchange, ask, _ = sim(upgrade_delay_s=1.0, upgrade_refusal="open orders")
    sub = exchange.add_account(parent=exchange.account)
    assert ask.post(ACCOUNT + "upgrade", {"subUid": sub.uid}).data == {"status": "process"}
    ask.pass_s(1)
    status = ask.get(ACCOUNT + "upgrade-status", subUid=sub.uid).data
    assert status == {"status": "fail", "reason": "open orders"}
    assert (sub.mode, exchange.account.upgrade) == ("classic", ("", ""))
    exchange.settings.upgrade_refusal = ""
    assert ask.post(ACCOUNT + "upgrade", {"subUid": sub.uid}).data == {"status": "process"}
    ask.pass_s(1)
    assert ask.get(ACCOUNT + "assets", exchange.credentials(sub)).code == "40085"
    assert ask.post(ACCOUNT + "upgrade", {"subUid": "1"}).code == "40066"


def test_deposit_address_has_the_recorded_form(bank):
    """coin, address, chain, a tag of null, url; the same each time, another for a sub-account."""
    exchange, ask, _ = bank
    sub = exchange.add_account(parent=exchange.account)
    data = ask.get(WALLET + "deposit-address", coin="USDT", chain="usdt").data
    assert list(data) == ["coin", "address", "chain", "tag", "url"]
    assert data["tag"] is None
    assert ask.get(WALLET + "deposit-address", coin="USDT").data == data
    other = ask.get(WALLET + "subaccount-deposit-address", coin="USDT", subUid=sub.uid).data
    assert other["address"] != data["address"]
    assert ask.get(WALLET + "deposit-address").code == "40019"
    assert ask.get(WALLET + "deposit-address", coin="USDT", chain="moon").code == "40034"
    assert ask.get(WALLET + "subaccount-deposit-address", coin="USDT", subUid="7").code == "40066"


def test_deposits_and_withdrawals_are_told(bank):
    """Fields of the pages, eight decimals, newest first; both times are needed and bounded."""
    exchange, ask, _ = bank
    start = exchange.account.balance("USDT").available
    first = exchange.funds.move(exchange.account, "deposit", "USDT", Decimal(100), age_s=60)
    exchange.funds.move(exchange.account, "deposit", "BTC", Decimal(1), status="pending")
    out = exchange.funds.move(exchange.account, "withdraw", "USDT", Decimal(30), fee=Decimal(1), client_oid="w-1")
    assert exchange.account.balance("USDT").available == start + 70
    rows = ask.get(WALLET + "deposit-records", **SPAN).data
    assert [(r["coin"], r["status"]) for r in rows] == [("BTC", "pending"), ("USDT", "success")]
    fields = "orderId tradeId coin dest size status toAddress fromAddress chain cTime uTime type"
    assert list(rows[1]) == fields.split()
    assert (rows[1]["orderId"], rows[1]["size"], rows[1]["cTime"]) == (first, "100.00000000", str(NOW - 60_000))
    (row,) = ask.get(WALLET + "withdrawal-records", clientOid="w-1", **SPAN).data
    assert (row["orderId"], row["fee"], row["type"]) == (out, "-1.00000000", "withdraw")
    assert ask.get(WALLET + "withdrawal-records", orderId="7", **SPAN).data == []
    for path in ("deposit-records", "withdrawal-records"):
        assert ask.get(WALLET + path).code == "40019"
        assert ask.get(WALLET + path, startTime=NOW - 91 * DAY, endTime=NOW).code == "40705"
        assert ask.get(WALLET + path, limit=101, **SPAN).code == "40017"


def test_more_than_there_is_cannot_be_withdrawn(bank):
    """A test's slip, so `ValueError`; a failed withdrawal may be of any amount."""
    exchange, _, _ = bank
    poor = exchange.add_account(balances={})
    with pytest.raises(ValueError, match="not that much"):
        exchange.funds.move(poor, "withdraw", "USDT", Decimal(1))
    exchange.funds.move(poor, "withdraw", "USDT", Decimal(1), status="fail")
    assert poor.balance("USDT").available == 0


def test_deposits_of_a_sub_account(bank):
    """Asked for by the main account, without times if it likes; rows without a type."""
    exchange, ask, _ = bank
    sub = exchange.add_account(parent=exchange.account, balances={})
    exchange.funds.move(sub, "deposit", "USDT", Decimal(5))
    (row,) = ask.get(WALLET + "subaccount-deposit-records", subUid=sub.uid).data
    assert (row["size"], "type" in row) == ("5.00000000", False)
    assert ask.get(WALLET + "subaccount-deposit-records").code == "40019"


def test_transferable_coins_are_bare_names(bank):
    """A list of texts."""
    _, ask, _ = bank
    assert ask.get(WALLET + "transfer-coin-info", fromType="spot", toType="usdt_futures").data == ["USDT"]
    assert "BTC" in ask.get(WALLET + "transfer-coin-info", fromType="spot", toType="p2p").data
    assert ask.get(WALLET + "transfer-coin-info", fromType="spot", toType="x").code == "40017"


def test_trade_rates(bank):
    """Texts; of one symbol or of all."""
    _, ask, _ = bank
    rate = {"makerFeeRate": "0.001", "takerFeeRate": "0.001"}
    assert ask.get(V2 + "common/trade-rate", symbol="BTCUSDT", businessType="spot").data == rate
    assert ask.get(V2 + "common/trade-rate", symbol="BTCUSDT").code == "40019"
    everything = ask.get(V2 + "common/all-trade-rate", businessType="spot").data
    assert {"symbol": "ETHBTC"} | rate in everything
    assert ask.get(V2 + "common/all-trade-rate", businessType="spot", symbol="NOPE").code == "40034"


def test_totals_are_worth_in_usdt(sim):
    """The six types of the page; coins at the last price, what is frozen included."""
    exchange, ask, _ = sim(quotas={"all-account-balance": 9, "bot-assets": 9})
    account = exchange.add_account(
        balances={"USDT": Decimal(1000), "BTC": Decimal(1), "EUR": Decimal(10), "NEW": Decimal(5)}
    )
    key = exchange.credentials(account)
    exchange.set_price("BTCUSDT", Decimal(100_000))
    exchange.set_price("BTCEUR", Decimal(80_000))
    exchange.rest("BTCUSDT", account=account, price=Decimal(50_000), size=Decimal("0.01"))
    exchange.funds.give(account.uid, "bots", "USDT", Decimal("7.5"))
    exchange.funds.give(account.uid, "usdt_futures", "USDT", Decimal(3))
    rows = ask.get(V2 + "account/all-account-balance", key).data
    assert [(row["accountType"], row["usdtBalance"]) for row in rows] == [
        ("spot", "101012.5"),
        ("futures", "3"),
        ("funding", "0"),
        ("earn", "0"),
        ("bots", "7.5"),
        ("margin", "0"),
    ]
    bots = {"coin": "USDT", "available": "7.5", "equity": "7.5", "bonus": "0", "frozen": "0", "usdtValue": "7.5"}
    assert ask.get(V2 + "account/bot-assets", key).data == [bots]
    assert ask.get(V2 + "account/bot-assets", key, accountType="futures").data == []


def test_tax_ledger_tells_the_same_in_other_words(sim):
    """Rows of the page; both times needed, thirty days at most; once a second."""
    exchange, ask, _ = sim(quotas={"spot-record": 9})
    account = exchange.add_account(balances={"USDT": Decimal(100)})
    key = exchange.credentials(account)
    (order_id,) = exchange.rest("TRXUSDT", account=account, price=Decimal("0.25"), size=Decimal(100))
    exchange.fill(order_id)
    out, came = ask.get(V2 + "tax/spot-record", key, **SPAN).data
    bills = ask.get(ACCOUNT + "bills", key).data
    assert came == {
        "id": bills[1]["billId"],
        "coin": "TRX",
        "spotTaxType": "Buy",
        "amount": "100.00000000",
        "fee": "-0.10000000",
        "balance": "99.90000000",
        "bizOrderId": bills[1]["bizOrderId"],
        "ts": "1750000000000",
    }
    assert out["amount"] == "-25.00000000"
    assert ask.get(V2 + "tax/spot-record", key).code == "40019"
    assert ask.get(V2 + "tax/spot-record", key, startTime=NOW - 31 * DAY, endTime=NOW).code == "00001"
    assert ask.get(V2 + "tax/spot-record", key, limit=501, **SPAN).code == "40017"
