"""Spot account: the exchange's pages under "spot/account"."""

from __future__ import annotations

from bitget_async.endpoints.checks import coin, one_of
from bitget_async.endpoints.row import Effect, Endpoint, Param, Quota, Scope
from bitget_async.models import AccountInfo, Asset

__all__ = ["ACCOUNT_INFO", "ASSETS"]

PAGES = "https://www.bitget.com/api-doc/spot/account/"
READ_ON = "2025-11-30"

ACCOUNT_INFO = Endpoint(
    name="account_info",
    method="GET",
    path="/api/v2/spot/account/info",
    signed=True,
    quota=Quota(1, Scope.UID),
    effect=Effect.READ,
    params=(),
    returns=AccountInfo,
    page=PAGES + "Get-Account-Info",
    read_on=READ_ON,
)

ASSETS = Endpoint(
    name="assets",
    method="GET",
    path="/api/v2/spot/account/assets",
    signed=True,
    quota=Quota(10, Scope.UID),
    effect=Effect.READ,
    params=(Param("coin", coin), Param("asset_type", one_of("hold_only", "all"))),
    returns=list[Asset],
    page=PAGES + "Get-Account-Assets",
    read_on=READ_ON,
)
