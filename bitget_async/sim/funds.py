"""
Money beside the trading: bills, accounts of other types, transfers, deposits, withdrawals. Pure: no I/O, no timers.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from bitget_async.sim.accounts import Account
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Fill
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import NEVER_NS, Dice
from bitget_async.sim.venue import Venue

__all__ = ["ACCOUNT_TYPES", "Bill", "Funds", "Movement", "Transfer"]

ACCOUNT_TYPES = ("spot", "p2p", "coin_futures", "usdt_futures", "usdc_futures", "crossed_margin", "isolated_margin")
FIRST_ID = 1_308_557_000_000_000_000
ZERO = Decimal(0)


class Bill(NamedTuple):
    """
    One change of a spot balance. `size` is before the fee, `fee` negative when paid, `balance` all that is held of the
    coin afterwards, frozen included; `tax` is what the tax ledger calls it.
    """

    number: int
    time_ms: int
    coin: str
    group: str
    business: str
    size: Decimal
    fee: Decimal
    balance: Decimal
    origin: str
    tax: str


@dataclass(slots=True, eq=False)
class Transfer:
    """A transfer between two pockets, each an account and a type. It leaves at once and arrives at `arrived_ns`."""

    number: int
    client_oid: str
    coin: str
    amount: Decimal
    origin: tuple[str, str]
    target: tuple[str, str]
    symbol: str
    time_ms: int
    inner: bool
    arrived_ns: int | None = None

    @property
    def transfer_id(self) -> str:
        """The id as the exchange spells it."""
        return str(self.number)


class Movement(NamedTuple):
    """A deposit or a withdrawal; both are written down from outside only, nobody can ask for them here."""

    number: int
    kind: str
    coin: str
    amount: Decimal
    fee: Decimal
    status: str
    address: str
    chain: str
    client_oid: str
    time_ms: int


class Funds:
    """
    What the account and wallet endpoints tell of every account.

    Args:
        venue: the accounts, the prices, and the fills that bills are written of.
        dice: ids.

    Attributes:
        transfers: oldest first.
        hooks: called as `hook(uid, coin)` after a balance changed by a fill, a transfer, a deposit or a withdrawal.
    """

    def __init__(self, venue: Venue, dice: Dice) -> None:
        self._venue = venue
        self._timeline = venue.timeline
        self._dice = dice
        self._next = FIRST_ID
        self._bills: dict[str, list[Bill]] = defaultdict(list)
        self._pockets: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
        self._movements: dict[str, list[Movement]] = defaultdict(list)
        self._by_client_oid: dict[tuple[str, str], Transfer] = {}
        self.transfers: list[Transfer] = []
        self.hooks: list[Callable[[str, str], None]] = []
        venue.ledger.hooks.append(self._filled)

    def bills(self, uid: str) -> Iterator[Bill]:
        """The bills of an account, newest first."""
        return reversed(self._bills[uid])

    def movements(self, uid: str, kind: str) -> Iterator[Movement]:
        """The deposits (`deposit`) or withdrawals (`withdraw`) of an account, the last one written down first."""
        return (entry for entry in reversed(self._movements[uid]) if entry.kind == kind)

    def pocket(self, uid: str, account_type: str) -> dict[str, Decimal]:
        """What an account has of each coin in the account of another type than spot."""
        return {coin: held for coin, held in self._pockets[uid, account_type].items() if held}

    def give(self, uid: str, account_type: str, coin: str, amount: Decimal) -> None:
        """Add to the account of another type than spot, out of nowhere; `bots` and `earn` are types as well."""
        pocket = self._pockets[uid, account_type]
        pocket[coin] = pocket.get(coin, ZERO) + amount

    def usdt(self, coin: str, amount: Decimal) -> Decimal:
        """What an amount is worth in USDT at the last prices; nothing for a coin without a price."""
        if coin == "USDT":
            return amount
        if coin + "USDT" in SYMBOLS:
            return amount * self._venue.last(coin + "USDT")
        if "BTC" + coin not in SYMBOLS:
            return ZERO
        return amount * self._venue.last("BTCUSDT") / self._venue.last("BTC" + coin)

    def transfer(
        self,
        caller: Account,
        origin: tuple[str, str],
        target: tuple[str, str],
        coin: str,
        amount: Decimal,
        *,
        client_oid: str,
        symbol: str,
        due_ns: int,
        now_ns: int,
        executed: bool = True,
    ) -> Transfer:
        """
        Move an amount from a pocket to another, each a user id and an account type; it arrives at that monotonic time.
        If it is not executed, only the answer is made up.

        With a clientOid that the caller has used before, gives the first transfer and moves nothing. Raises `Refusal`
        43012 when there is too little.
        """
        known = self._by_client_oid.get((caller.uid, client_oid)) if client_oid else None
        if known is not None:
            return known
        if self._free(origin, coin) < amount:
            raise Refusal("43012")
        now_ms = self._timeline.epoch_ms(now_ns)
        client_oid = client_oid or str(uuid.UUID(int=self._dice.funds.getrandbits(128), version=4))
        inner = origin[0] == target[0] == caller.uid
        made = Transfer(self._id(), client_oid, coin, amount, origin, target, symbol, now_ms, inner)
        if not executed:
            return made
        self._add(origin, coin, -amount, now_ms)
        self._by_client_oid[caller.uid, client_oid] = made
        self.transfers.append(made)
        if origin[1] == "spot":
            self._write(origin[0], now_ms, coin, "transfer", "TRANSFER_OUT", -amount, made.transfer_id, "Transfer out")
        if due_ns <= now_ns:
            self._arrive(made, now_ns)
        elif due_ns < NEVER_NS:
            self._timeline.at(due_ns, lambda at_ns: self._arrive(made, at_ns))
        return made

    def move(
        self,
        account: Account,
        kind: str,
        coin: str,
        amount: Decimal,
        *,
        fee: Decimal = ZERO,
        status: str = "success",
        age_s: float = 0.0,
        client_oid: str = "",
    ) -> str:
        """
        Write down a deposit (`deposit`) or a withdrawal (`withdraw`) of `age_s` ago. One with the status `success`
        (others are pending and fail) moves the spot balance by the amount, and writes a bill. Returns its id. Raises
        `ValueError` for withdrawing more than there is.
        """
        time_ms = self._timeline.epoch_ms(self._timeline.advance() - round(age_s * 1e9))
        if kind == "withdraw" and status == "success" and account.balance(coin).available < amount:
            raise ValueError(f"account {account.uid} has not that much {coin} to withdraw")
        address = f"0x{self._dice.funds.getrandbits(160):040x}"
        entry = Movement(self._id(), kind, coin, amount, fee, status, address, coin, client_oid, time_ms)
        self._movements[account.uid].append(entry)
        if status == "success":
            size = amount if kind == "deposit" else -amount
            account.receive(coin, size, time_ms)
            business, tax = ("DEPOSIT", "Deposit") if kind == "deposit" else ("WITHDRAW", "Withdrawal")
            self._write(account.uid, time_ms, coin, kind, business, size, str(entry.number), tax)
        return str(entry.number)

    def forget_before(self, time_ns: int) -> None:
        """Drop bills of before that monotonic time; transfers and their names stay."""
        time_ms = self._timeline.epoch_ms(time_ns)
        for uid, bills in self._bills.items():
            self._bills[uid] = [bill for bill in bills if bill.time_ms >= time_ms]

    def _filled(self, fill: Fill) -> None:
        """Two bills of a trade, as recorded: what came in, then with a higher id what went out of the frozen."""
        order = fill.order
        symbol = SYMBOLS[order.symbol]
        buys = order.draft.side == "buy"
        got, gave = (symbol.base, symbol.quote) if buys else (symbol.quote, symbol.base)
        came, went = (fill.base, fill.quote) if buys else (fill.quote, fill.base)
        tax = "Buy" if buys else "Sell"
        uid, time_ms, origin = order.uid, fill.time_ms, fill.trade_id
        self._write(uid, time_ms, got, "transaction", "ORDER_DEALT_IN", came, origin, tax, -fill.fee)
        self._write(uid, time_ms, gave, "transaction", "ORDER_DEALT_FROZEN_OUT", -went, origin, tax)

    def _free(self, pocket: tuple[str, str], coin: str) -> Decimal:
        uid, account_type = pocket
        if account_type == "spot":
            return self._venue.accounts[uid].balance(coin).available
        return self._pockets[pocket].get(coin, ZERO)

    def _add(self, pocket: tuple[str, str], coin: str, amount: Decimal, now_ms: int) -> None:
        uid, account_type = pocket
        if account_type == "spot":
            self._venue.accounts[uid].receive(coin, amount, now_ms)
        else:
            self.give(uid, account_type, coin, amount)

    def _arrive(self, made: Transfer, now_ns: int) -> None:
        uid, account_type = made.target
        now_ms = self._timeline.epoch_ms(now_ns)
        made.arrived_ns = now_ns
        self._add(made.target, made.coin, made.amount, now_ms)
        if account_type == "spot":
            self._write(uid, now_ms, made.coin, "transfer", "TRANSFER_IN", made.amount, made.transfer_id, "Transfer in")

    def _write(
        self,
        uid: str,
        time_ms: int,
        coin: str,
        group: str,
        business: str,
        size: Decimal,
        origin: str,
        tax: str,
        fee: Decimal = ZERO,
    ) -> None:
        held = self._venue.accounts[uid].balance(coin)
        balance = held.available + held.frozen
        self._bills[uid].append(
            Bill(self._id(), time_ms, coin, group, business, size, fee, balance, origin, tax),
        )
        for hook in self.hooks:
            hook(uid, coin)

    def _id(self) -> int:
        self._next += self._dice.funds.randrange(1, 5_000_000)
        return self._next
