"""
What the simulated exchange can be asked, written from the exchange's documents and not from the client's catalogue.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["ROUTES", "Route"]


class Route(NamedTuple):
    """
    One endpoint.

    `name` is the last segment of the path, `per_second` the documented quota, `scope` who shares it,
    `permission` what the key must be allowed (`None`: nothing, and no signature is looked at), `advertised`
    whether the answer carries the header of what is left.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    per_second: int
    scope: Literal["UID", "IP"]
    permission: Literal["read", "trade", "transfer"] | None
    advertised: bool = True


def _trade(name: str, per_second: int) -> Route:
    return Route(name, "POST", f"/api/v2/spot/trade/{name}", per_second, "UID", "trade")


def _orders(name: str, *, advertised: bool = True) -> Route:
    return Route(name, "GET", f"/api/v2/spot/trade/{name}", 20, "UID", "read", advertised)


def _account(path: str, per_second: int, permission: Literal["read", "trade", "transfer"] = "read") -> Route:
    method: Literal["GET", "POST"] = "GET" if permission == "read" else "POST"
    return Route(path.rsplit("/", 1)[1], method, f"/api/v2/{path}", per_second, "UID", permission)


def _public(path: str, per_second: int) -> Route:
    return Route(path.rsplit("/", 1)[1], "GET", path, per_second, "IP", None)


ROUTES: dict[tuple[str, str], Route] = {
    (route.method, route.path): route
    for route in (
        _trade("place-order", 10),
        _trade("cancel-order", 10),
        _trade("batch-cancel-order", 10),
        _trade("batch-orders", 5),
        _trade("cancel-replace-order", 5),
        _trade("batch-cancel-replace-order", 5),
        _trade("cancel-symbol-order", 5),
        # Recorded answers of orderInfo carry no remaining-limit header, those of its siblings do.
        _orders("orderInfo", advertised=False),
        _orders("unfilled-orders"),
        _orders("history-orders"),
        Route("fills", "GET", "/api/v2/spot/trade/fills", 10, "UID", "read"),
        _trade("place-plan-order", 20),
        _trade("modify-plan-order", 20),
        _trade("cancel-plan-order", 20),
        _trade("batch-cancel-plan-order", 5),
        _orders("current-plan-order"),
        _orders("history-plan-order"),
        _orders("plan-sub-order"),
        _account("spot/account/info", 1),
        _account("spot/account/assets", 10),
        _account("spot/account/bills", 10),
        _account("spot/account/subaccount-assets", 10),
        _account("spot/account/sub-main-trans-record", 20),
        _account("spot/account/transferRecords", 20),
        _account("spot/account/deduct-info", 5),
        # No page names the permission that these two need; trading is the one that a key without it must not have.
        _account("spot/account/switch-deduct", 1, "trade"),
        _account("spot/account/upgrade", 1, "trade"),
        _account("spot/account/upgrade-status", 1),
        _account("spot/wallet/transfer", 10, "transfer"),
        _account("spot/wallet/subaccount-transfer", 10, "transfer"),
        _account("spot/wallet/transfer-coin-info", 10),
        _account("spot/wallet/deposit-address", 10),
        _account("spot/wallet/deposit-records", 10),
        _account("spot/wallet/withdrawal-records", 10),
        _account("spot/wallet/subaccount-deposit-address", 10),
        _account("spot/wallet/subaccount-deposit-records", 10),
        _account("common/trade-rate", 10),
        _account("common/all-trade-rate", 1),
        _account("account/all-account-balance", 1),
        _account("account/funding-assets", 10),
        _account("account/bot-assets", 10),
        _account("tax/spot-record", 1),
        # The unified API's page gives no quota that concerns a classic account; 10 is a guess and never binding here.
        Route("settings", "GET", "/api/v3/account/settings", 10, "UID", "read"),
        _public("/api/v2/public/time", 20),
        _public("/api/v2/spot/public/symbols", 20),
        _public("/api/v2/spot/public/coins", 3),
        _public("/api/v2/spot/market/vip-fee-rate", 10),
        _public("/api/v2/spot/market/tickers", 20),
        _public("/api/v2/spot/market/orderbook", 20),
        _public("/api/v2/spot/market/merge-depth", 20),
        _public("/api/v2/spot/market/candles", 20),
        _public("/api/v2/spot/market/history-candles", 20),
        # The account's own fills have the same name; the two have nothing else in common.
        _public("/api/v2/spot/market/fills", 10),
        _public("/api/v2/spot/market/fills-history", 10),
        _public("/api/v2/spot/market/auction", 1),
        _public("/api/v2/spot/market/fund-flow", 1),
        _public("/api/v2/spot/market/fund-net-flow", 1),
        _public("/api/v2/spot/market/whale-net-flow", 1),
        _public("/api/v2/spot/market/support-symbols", 1),
        _public("/api/v2/margin/currencies", 10),
    )
}
"""(method, path) -> route: everything that the simulated exchange answers; all else is 404 with code 40404."""
