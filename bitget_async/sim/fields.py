"""
Coins in a call, and amounts as the exchange spells them.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from bitget_async.sim.market import COINS
from bitget_async.sim.refusals import Refusal

if TYPE_CHECKING:
    from bitget_async.sim.call import Call

__all__ = ["known_coin", "long", "plain"]


def known_coin(call: Call) -> str | None:
    """The coin of a call, in any case, `None` if absent. Raises `Refusal` 40034."""
    name = call.params.get("coin")
    if not name:
        return None
    if name.upper() not in COINS:
        raise Refusal("40034", name)
    return name.upper()


def long(value: Decimal, digits: int = 8) -> str:
    """With that many decimals: eight in the recordings of bills, sixteen in those of balances and orders."""
    return format(value.quantize(Decimal(1).scaleb(-digits), ROUND_DOWN), "f")


def plain(value: Decimal) -> str:
    """Without exponent and trailing zeros."""
    return format(value.normalize() + 0, "f")
