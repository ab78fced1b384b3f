"""Public calls: the exchange's pages under "common/public" and "spot/market"."""

from __future__ import annotations

from bitget_async.endpoints.checks import symbol
from bitget_async.endpoints.row import KIB, Effect, Endpoint, Param, Quota, Scope
from bitget_async.models import ServerTime, Symbol

__all__ = ["SERVER_TIME", "SYMBOLS"]

READ_ON = "2025-11-30"

SERVER_TIME = Endpoint(
    name="server_time",
    method="GET",
    path="/api/v2/public/time",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(),
    returns=ServerTime,
    page="https://www.bitget.com/api-doc/common/public/Get-Server-Time",
    read_on=READ_ON,
)

SYMBOLS = Endpoint(
    name="symbols",
    method="GET",
    path="/api/v2/spot/public/symbols",
    signed=False,
    quota=Quota(20, Scope.IP),
    effect=Effect.READ,
    params=(Param("symbol", symbol),),
    returns=list[Symbol],
    page="https://www.bitget.com/api-doc/spot/market/Get-Symbols",
    read_on=READ_ON,
    # 3,169 pairs of about 500 bytes were seen in 2026.
    max_bytes=16 * 1024 * KIB,
)
