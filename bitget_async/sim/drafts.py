"""
What somebody wants to place, read from the fields of a request.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal

from bitget_async.sim.call import Call
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import Draft
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Settings

__all__ = ["amount", "check_client_oid", "extras", "known_symbol", "one_of", "read_draft"]

PRESETS = ("presetTakeProfitPrice", "executeTakeProfitPrice", "presetStopLossPrice", "executeStopLossPrice")
# A recorded client sends the force in upper case and is served.
FORCES = ("gtc", "post_only", "ioc", "fok", "GTC", "POST_ONLY", "IOC", "FOK")
STP_MODES = ("none", "cancel_taker", "cancel_maker", "cancel_both")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
OID = re.compile(r"[0-9A-Za-z_:#\-+\s]*", re.ASCII)


def read_draft(call: Call, settings: Settings) -> Draft:
    """
    The order that the fields describe. Raises `Refusal` 40019 for a missing field, 40017 for one that is no such thing,
    40034 for an unknown symbol, 40304 and 40305 for a clientOid.
    """
    symbol = known_symbol(call)
    order_type = one_of(call, "orderType", ("limit", "market"))
    tpsl = call.params.get("tpslType") == "tpsl"
    client_oid = "" if tpsl else call.params.get("clientOid", "")
    check_client_oid(client_oid, settings.client_oid_limit)
    return Draft(
        symbol=symbol,
        side=one_of(call, "side", ("buy", "sell")),
        order_type=order_type,
        force=one_of(call, "force", FORCES, "gtc").lower(),
        size=amount(call, "size"),
        price=amount(call, "price") if order_type == "limit" else Decimal(0),
        client_oid=client_oid,
        tpsl=tpsl,
        trigger_price=amount(call, "triggerPrice") if tpsl else None,
        stp=one_of(call, "stpMode", STP_MODES, "none"),
        extras=extras(call),
    )


def extras(call: Call) -> dict[str, str]:
    """The preset take-profit and stop-loss prices."""
    return {name: call.params[name] for name in PRESETS if name in call.params}


def known_symbol(call: Call) -> str:
    """The symbol. Raises `Refusal` 40019 without one, 40034 for an unknown one."""
    symbol = call.need("symbol")
    if symbol not in SYMBOLS:
        raise Refusal("40034", symbol)
    return symbol


def one_of(call: Call, name: str, words: Collection[str], usual: str | None = None) -> str:
    """A field with one of these words; without `usual` it must be there. Raises `Refusal` 40019, 40017."""
    word = call.need(name) if usual is None else call.params.get(name) or usual
    if word not in words:
        raise Refusal("40017", name)
    return word


def amount(call: Call, name: str) -> Decimal:
    """A positive plain decimal number. Raises `Refusal` 40019 without one, 40017 for anything else."""
    text = call.need(name)
    if not NUMBER.fullmatch(text):
        raise Refusal("40017", name)
    number = Decimal(text)
    if not number:
        raise Refusal("40017", name)
    return number


def check_client_oid(text: str, limit: int) -> None:
    """Raises `Refusal` 40304 for too long a clientOid, 40305 for a much too long one or a wrong character."""
    if len(text) > 64 or not OID.fullmatch(text):
        raise Refusal("40305")
    if len(text) > limit:
        raise Refusal("40304")
