"""
Accounts of the simulated exchange: keys, permissions, balances.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

from bitget_async.sim.market import COINS
from bitget_async.sim.refusals import Refusal

__all__ = ["Account", "Balance", "Key", "SimulatedKey"]

RICH = Decimal(1_000_000_000)


class SimulatedKey(NamedTuple):
    """The three texts that a client needs. `secret` is empty for a key with an RSA public key."""

    api_key: str
    secret: str
    passphrase: str

    def __repr__(self) -> str:
        return "<SimulatedKey>"


class Key:
    """
    A key of an account.

    Args:
        account: whose it is.
        texts: what the client holds.
        read: whether it may read.
        trade: whether it may place and cancel.
        transfer: whether it may move money between accounts.
        rsa_public_key: PEM text; then signatures are RSA ones and the secret is not used.
    """

    __slots__ = ("account", "read", "rsa", "rsa_public_key", "secret_bytes", "texts", "trade", "transfer")

    def __init__(
        self,
        account: Account,
        texts: SimulatedKey,
        *,
        read: bool,
        trade: bool,
        transfer: bool = False,
        rsa_public_key: str | None = None,
    ) -> None:
        self.account = account
        self.texts = texts
        self.read = read
        self.trade = trade
        self.transfer = transfer
        self.rsa_public_key = rsa_public_key
        self.rsa: object | None = None
        self.secret_bytes = texts.secret.encode()

    def __repr__(self) -> str:
        return f"<Key of {self.account.uid} read={self.read} trade={self.trade}>"


class Balance:
    """What an account has of a coin: free to use, and frozen by its open orders."""

    __slots__ = ("available", "frozen", "updated_ms")

    def __init__(self, available: Decimal) -> None:
        self.available = available
        self.frozen = Decimal(0)
        self.updated_ms = 0


class Account:
    """
    One user id: its keys share limits, orders and balances.

    Args:
        uid: decimal text.
        mode: `unified` accounts refuse every classic private call with 40085.
        balances: coin -> available amount; `None` makes it rich in every coin.
        parent: the main account, if this is a sub-account.

    Attributes:
        deduct: whether fees are said to be paid in BGB; they never are here.
        upgrade: how far it is on the way to a unified account: empty, process, success, fail; and why it failed.
    """

    def __init__(
        self,
        uid: str,
        *,
        mode: Literal["classic", "unified"] = "classic",
        balances: dict[str, Decimal] | None = None,
        parent: Account | None = None,
    ) -> None:
        self.uid = uid
        self.mode = mode
        self.parent = parent
        self.deduct = False
        self.upgrade = ("", "")
        self.keys: list[Key] = []
        amounts = dict.fromkeys(COINS, RICH) if balances is None else balances
        self.balances = {coin: Balance(amount) for coin, amount in amounts.items()}

    def __repr__(self) -> str:
        return f"<Account {self.uid} {self.mode} keys={len(self.keys)}>"

    def balance(self, coin: str) -> Balance:
        """The balance of a coin, made on first use."""
        if coin not in self.balances:
            self.balances[coin] = Balance(Decimal(0))
        return self.balances[coin]

    def freeze(self, coin: str, amount: Decimal, now_ms: int) -> None:
        """Move an amount from available to frozen. Raises `Refusal` 43012 when there is too little."""
        held = self.balance(coin)
        if held.available < amount:
            raise Refusal("43012")
        held.available -= amount
        held.frozen += amount
        held.updated_ms = now_ms

    def release(self, coin: str, amount: Decimal, now_ms: int) -> None:
        """Move an amount from frozen back to available."""
        held = self.balance(coin)
        held.available += amount
        held.frozen -= amount
        held.updated_ms = now_ms

    def pay(self, coin: str, amount: Decimal, now_ms: int) -> None:
        """Take an amount out of what is frozen."""
        held = self.balance(coin)
        held.frozen -= amount
        held.updated_ms = now_ms

    def receive(self, coin: str, amount: Decimal, now_ms: int) -> None:
        """Add an amount to what is available."""
        held = self.balance(coin)
        held.available += amount
        held.updated_ms = now_ms
