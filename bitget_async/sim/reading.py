"""
The desk that answers questions: listings, single orders, the account, the market.
"""

from __future__ import annotations

from bitget_async.sim import market, rows
from bitget_async.sim.call import Call
from bitget_async.sim.market import COINS, SYMBOLS
from bitget_async.sim.orders import Fill, Order
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.trading import check_receive_window
from bitget_async.sim.venue import Venue

__all__ = ["ReadingDesk"]

PAGE = 100
TWO_HOURS_MS = 7_200_000
DAY_MS = 86_400_000
SPAN_DAYS = 90


class ReadingDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._settings = settings
        self._dice = dice
        self._replica_view_ns: dict[int, int] = {}

    def unfilled_orders(self, call: Call) -> object:
        """GET unfilled-orders, from a replica that lags."""
        wanted = _Filter(call)
        view_ns = self._listing_view_ns(call.now_ns)
        symbol = call.params.get("symbol") or None
        if symbol is not None and symbol not in SYMBOLS:
            raise Refusal("40034", symbol)
        pairs = self._venue.shelf(call.account.uid).open_at(view_ns, symbol, tpsl=wanted.tpsl)
        return [rows.unfilled_row(order, mark) for order, mark in pairs if wanted.has(order)][: wanted.limit]

    def history_orders(self, call: Call) -> object:
        """GET history-orders: final orders of the last days, newest id first, each visible after a lag of its own."""
        wanted = _Filter(call)
        symbol = call.params.get("symbol") or None
        if symbol is not None and symbol not in SYMBOLS:
            raise Refusal("40034", symbol)
        oldest_ms = call.now_ms - self._settings.history_days * DAY_MS
        found: list[object] = []
        for order in self._venue.shelf(call.account.uid).final(symbol, wanted.id_less_than):
            if len(found) >= wanted.limit:
                break
            if order.history_from_ns <= call.now_ns and order.created_ms >= oldest_ms and wanted.has(order):
                found.append(rows.history_row(order, self._settings.cancelled_text))
        return found

    def order_info(self, call: Call) -> object:
        """GET orderInfo: a list of no or one order; by clientOid only those of the last two hours."""
        check_receive_window(call)
        uid = call.account.uid
        if order_id := call.params.get("orderId"):
            order = self._venue.orders.get(order_id)
        elif client_oid := call.params.get("clientOid"):
            order = self._venue.shelf(uid).by_client_oid.get(client_oid)
            if order is not None and call.now_ms - order.created_ms > TWO_HOURS_MS:
                order = None
        else:
            raise Refusal("40913", "orderId or clientOid")
        view_ns = call.now_ns - draw_ns(self._settings.order_info_lag_s, self._dice.replicas)
        mark = order.at(view_ns) if order is not None and order.uid == uid and not order.draft.tpsl else None
        if order is None or mark is None:
            if self._settings.unknown_order_code is not None:
                raise Refusal(self._settings.unknown_order_code)
            return []
        return [rows.order_info_row(order, mark, self._settings.cancelled_text)]

    def fills(self, call: Call) -> object:
        """GET fills: the account's fills of the last days, newest first."""
        wanted = _Filter(call)
        symbol = call.params.get("symbol") or None
        if symbol is not None and symbol not in SYMBOLS:
            raise Refusal("40034", symbol)
        wanted.check_span()
        view_ns = call.now_ns - draw_ns(self._settings.fills_lag_s, self._dice.replicas)
        oldest_ms = call.now_ms - self._settings.history_days * DAY_MS
        found: list[object] = []
        for fill in reversed(self._venue.ledger.fills_of(call.account.uid)):
            if len(found) >= wanted.limit:
                break
            shown = oldest_ms <= fill.time_ms and fill.time_ns <= view_ns
            if shown and symbol in (None, fill.order.symbol) and wanted.has_fill(fill):
                found.append(rows.fill_row(fill))
        return found

    def info(self, call: Call) -> object:
        """GET account/info."""
        assert call.key is not None
        return rows.account_row(call.key, self._venue.timeline.epoch_ms(call.now_ns) // DAY_MS * DAY_MS)

    def assets(self, call: Call) -> object:
        """GET account/assets."""
        everything = call.params.get("assetType") == "all"
        return rows.asset_rows(call.account, call.params.get("coin"), everything=everything)

    def settings(self, call: Call) -> object:
        """GET v3 account/settings: refused for classic accounts, the gateway lets unified ones through."""
        if call.account.mode == "classic":
            raise Refusal("40084")
        return {
            "uid": call.account.uid,
            "accountMode": "hybrid",
            "assetMode": "multi_assets",
            "holdMode": "one_way_mode",
            "stpMode": "none",
            "symbolConfigList": [],
        }

    def time(self, call: Call) -> object:
        """GET public/time."""
        return {"serverTime": str(call.now_ms)}

    def symbols(self, call: Call) -> object:
        """GET public/symbols."""
        return [market.symbol_row(symbol, self._settings) for symbol in _symbols(call)]

    def tickers(self, call: Call) -> object:
        """GET market/tickers."""
        last = self._venue.last
        return [market.ticker_row(symbol, last(symbol.name), call.now_ms) for symbol in _symbols(call)]

    def coins(self, call: Call) -> object:
        """GET public/coins."""
        coin = call.params.get("coin")
        if coin and coin not in COINS:
            raise Refusal("40034", coin)
        return [market.coin_row(name) for name in ((coin,) if coin else COINS)]

    def currencies(self, call: Call) -> object:
        """GET margin/currencies: the first few pairs."""
        return [market.currency_row(symbol) for symbol in list(SYMBOLS.values())[:10]]

    def _listing_view_ns(self, now_ns: int) -> int:
        """As of when the replica that answers knows the orders. A replica's view never goes back."""
        dice = self._dice.replicas
        replica = dice.randrange(self._settings.replicas)
        lag_ns = min(draw_ns(self._settings.listing_lag_s, dice), round(self._settings.staleness_limit_s * 1e9))
        view_ns = max(now_ns - lag_ns, self._replica_view_ns.get(replica, now_ns - lag_ns))
        self._replica_view_ns[replica] = view_ns
        return view_ns


class _Filter:
    """The filters that both listings share."""

    def __init__(self, call: Call) -> None:
        check_receive_window(call)
        limit = call.integer("limit")
        if limit is not None and not 1 <= limit <= PAGE:
            raise Refusal("40017", "limit")
        self.limit = PAGE if limit is None else limit
        self.id_less_than = call.integer("idLessThan")
        self.tpsl = call.params.get("tpslType") == "tpsl"
        self._start_ms = call.integer("startTime")
        self._end_ms = call.integer("endTime")
        self._order_id = call.params.get("orderId")

    def has(self, order: Order) -> bool:
        """Whether the order passes. Ids are compared as integers, times are those of the creation."""
        return (
            order.draft.tpsl is self.tpsl
            and (self.id_less_than is None or order.number < self.id_less_than)
            and (self._start_ms is None or order.created_ms >= self._start_ms)
            and (self._end_ms is None or order.created_ms <= self._end_ms)
            and (not self._order_id or order.order_id == self._order_id)
        )

    def has_fill(self, fill: Fill) -> bool:
        """The same for a fill: the cursor is a trade id, the time that of the fill."""
        return (
            (self.id_less_than is None or fill.number < self.id_less_than)
            and (self._start_ms is None or fill.time_ms >= self._start_ms)
            and (self._end_ms is None or fill.time_ms <= self._end_ms)
            and (not self._order_id or fill.order.order_id == self._order_id)
        )

    def check_span(self) -> None:
        """Raises `Refusal` 40705 for more than ninety days, 40707 for a start after the end."""
        if self._start_ms is None or self._end_ms is None:
            return
        if self._start_ms > self._end_ms:
            raise Refusal("40707")
        if self._end_ms - self._start_ms > SPAN_DAYS * DAY_MS:
            raise Refusal("40705")


def _symbols(call: Call) -> list[market.Symbol]:
    name = call.params.get("symbol")
    if not name:
        return list(SYMBOLS.values())
    if name not in SYMBOLS:
        raise Refusal("40034", name)
    return [SYMBOLS[name]]
