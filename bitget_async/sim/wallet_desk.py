"""
The desk for the wallet: transfers, addresses, and what came and went. Nothing can be withdrawn here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bitget_async.sim.account_desk import family, member
from bitget_async.sim.after import delay_ns
from bitget_async.sim.call import Call
from bitget_async.sim.drafts import amount, check_client_oid, one_of
from bitget_async.sim.fields import known_coin, long
from bitget_async.sim.funds import ACCOUNT_TYPES, Funds, Movement, Transfer
from bitget_async.sim.market import COINS, SYMBOLS
from bitget_async.sim.pages import Wanted
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.venue import Venue

__all__ = ["WalletDesk"]

MOST_PAGES = 1000
# Recorded clients name a transfer with anything that an order may be named with; fifty is the FAQ's limit.
NAME_LIMIT = 50


class WalletDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, funds: Funds, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._funds = funds
        self._settings = settings
        self._dice = dice

    def table(self) -> dict[str, Callable[[Call], object]]:
        """Route name -> who answers."""
        return {
            "transfer": self.transfer,
            "subaccount-transfer": self.subaccount_transfer,
            "transferRecords": self.transfer_records,
            "sub-main-trans-record": self.sub_main_records,
            "transfer-coin-info": self.transfer_coins,
            "deposit-address": self.deposit_address,
            "deposit-records": self.deposit_records,
            "withdrawal-records": self.withdrawal_records,
            "subaccount-deposit-address": self.subaccount_deposit_address,
            "subaccount-deposit-records": self.subaccount_deposit_records,
        }

    def transfer(self, call: Call) -> object:
        """POST wallet/transfer: between the caller's own accounts of different types."""
        uid = call.account.uid
        if call.params.get("fromType") == call.params.get("toType"):
            raise Refusal("40017", "toType")
        return self._transfer(call, uid, uid)

    def subaccount_transfer(self, call: Call) -> object:
        """POST wallet/subaccount-transfer: within the family, asked for by the main account only."""
        uids = {account.uid for account in family(self._venue, call.account)}
        origin, target = call.need("fromUserId"), call.need("toUserId")
        if call.account.parent is not None or not {origin, target} <= uids:
            raise Refusal("43127")
        return self._transfer(call, origin, target)

    def transfer_records(self, call: Call) -> object:
        """GET transferRecords: own transfers of one coin, newest first, by page number or the older cursor."""
        call.need("coin")
        coin, kind, name = known_coin(call), call.params.get("fromType"), call.params.get("clientOid")
        page = call.integer("pageNum")
        if page is not None and not 1 <= page <= MOST_PAGES:
            raise Refusal("40017", "pageNum")
        wanted = Wanted(call, 100, 500)
        found = [
            made
            for made in reversed(self._funds.transfers)
            if made.inner
            and made.origin[0] == call.account.uid
            and made.coin == coin
            and kind in (None, "", made.origin[1])
            and name in (None, "", made.client_oid)
            and wanted.has(made.number, made.time_ms)
        ]
        start = ((page or 1) - 1) * wanted.limit
        return [_transfer_row(made) for made in found[start : start + wanted.limit]]

    def sub_main_records(self, call: Call) -> object:
        """GET sub-main-trans-record: transfers between the caller's accounts, newest first."""
        role = one_of(call, "role", ("initiator", "receiver"), "initiator")
        uid = member(self._venue, call, call.params.get("subUid")).uid
        coin, name = known_coin(call), call.params.get("clientOid")
        found = (
            made
            for made in reversed(self._funds.transfers)
            if not made.inner
            and (made.origin if role == "initiator" else made.target)[0] == uid
            and coin in (None, made.coin)
            and name in (None, "", made.client_oid)
        )
        page, _ = Wanted(call, 100, 100).page(found, lambda made: (made.number, made.time_ms))
        return [
            {
                **_ends(made),
                "transferId": made.transfer_id,
                "newTransferId": made.transfer_id,
                "fromUserId": made.origin[0],
                "toUserId": made.target[0],
            }
            for made in page
        ]

    def transfer_coins(self, call: Call) -> object:
        """GET transfer-coin-info: bare names."""
        for name in ("fromType", "toType"):
            one_of(call, name, ACCOUNT_TYPES)
        futures = "usdt_futures" in (call.params["fromType"], call.params["toType"])
        return ["USDT"] if futures else list(COINS)

    def deposit_address(self, call: Call) -> object:
        """GET deposit-address."""
        return _address(call, call.account.uid)

    def subaccount_deposit_address(self, call: Call) -> object:
        """GET subaccount-deposit-address."""
        return _address(call, member(self._venue, call, call.need("subUid")).uid)

    def deposit_records(self, call: Call) -> object:
        """GET deposit-records: newest first."""
        found = self._movements(call, call.account.uid, "deposit", needs_span=True)
        return [_movement_row(entry) | {"type": "deposit"} for entry in found]

    def withdrawal_records(self, call: Call) -> object:
        """GET withdrawal-records: newest first."""
        found = self._movements(call, call.account.uid, "withdraw", needs_span=True)
        return [
            _movement_row(entry)
            | {
                "type": "withdraw",
                "clientOid": entry.client_oid,
                "tag": "",
                "fee": long(-entry.fee),
                "confirm": "100",
            }
            for entry in found
        ]

    def subaccount_deposit_records(self, call: Call) -> object:
        """GET subaccount-deposit-records: newest first; rows without a type."""
        uid = member(self._venue, call, call.need("subUid")).uid
        return [_movement_row(entry) for entry in self._movements(call, uid, "deposit", needs_span=False)]

    def _transfer(self, call: Call, origin: str, target: str) -> object:
        from_type, to_type = one_of(call, "fromType", ACCOUNT_TYPES), one_of(call, "toType", ACCOUNT_TYPES)
        symbol = call.params.get("symbol", "")
        if "isolated_margin" in (from_type, to_type) and call.need("symbol") not in SYMBOLS:
            raise Refusal("40034", symbol)
        client_oid = call.params.get("clientOid", "")
        check_client_oid(client_oid, NAME_LIMIT)
        call.need("coin")
        usual_ns = draw_ns(self._settings.transfer_delay_s, self._dice.funds)
        made = self._funds.transfer(
            call.account,
            (origin, from_type),
            (target, to_type),
            known_coin(call) or "",
            amount(call, "amount"),
            client_oid=client_oid,
            symbol=symbol if "isolated_margin" in (from_type, to_type) else "",
            due_ns=call.now_ns + delay_ns(call, usual_ns, self._dice),
            now_ns=call.now_ns,
            executed=call.fault is None or not call.fault.never,
        )
        return {"transferId": made.transfer_id, "clientOid": made.client_oid}

    def _movements(self, call: Call, uid: str, kind: str, *, needs_span: bool) -> list[Movement]:
        wanted = Wanted(call, 20, 100, needs_span=needs_span)
        coin = known_coin(call)
        order_id, name = call.params.get("orderId"), call.params.get("clientOid")
        found = (
            entry
            for entry in self._funds.movements(uid, kind)
            if coin in (None, entry.coin)
            and order_id in (None, "", str(entry.number))
            and name in (None, "", entry.client_oid)
        )
        return wanted.page(found, lambda entry: (entry.number, entry.time_ms))[0]


def _address(call: Call, uid: str) -> dict[str, object]:
    """An address for every user, coin and chain, in the form and order of the recording: a tag of null."""
    call.need("coin")
    coin = known_coin(call) or ""
    chain = call.params.get("chain") or coin
    if chain.upper() != coin:
        raise Refusal("40034", chain)
    address = hashlib.sha256(f"{uid}/{coin}".encode()).hexdigest()[:40]
    return {
        "coin": coin,
        "address": f"0x{address}",
        "chain": coin,
        "tag": None,
        "url": "https://explorer.example/transaction/",
    }


def _ends(made: Transfer) -> dict[str, object]:
    return {
        "coin": made.coin,
        "status": "Processing" if made.arrived_ns is None else "Successful",
        "toType": made.target[1],
        "fromType": made.origin[1],
        "size": long(made.amount),
        "ts": str(made.time_ms),
        "clientOid": made.client_oid,
    }


def _transfer_row(made: Transfer) -> dict[str, object]:
    """A row of transferRecords; the symbols are there for isolated margin only."""
    sides = {"toSymbol": made.target[1], "fromSymbol": made.origin[1]}
    symbols = {name: made.symbol if kind == "isolated_margin" else "" for name, kind in sides.items()}
    return {**_ends(made), **symbols, "transferId": made.transfer_id}


def _movement_row(entry: Movement) -> dict[str, object]:
    deposit = entry.kind == "deposit"
    elsewhere, here = entry.address, "0x" + hashlib.sha256(entry.chain.encode()).hexdigest()[:40]
    return {
        "orderId": str(entry.number),
        "tradeId": "0x" + hashlib.sha256(str(entry.number).encode()).hexdigest(),
        "coin": entry.coin,
        "dest": "on_chain",
        "size": long(entry.amount),
        "status": entry.status,
        "toAddress": here if deposit else elsewhere,
        "fromAddress": elsewhere if deposit else here,
        "chain": entry.chain,
        "cTime": str(entry.time_ms),
        "uTime": str(entry.time_ms),
    }
