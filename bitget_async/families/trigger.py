"""`client.trigger`: trigger (plan) orders, which wait for a price and then make a spot order."""

from __future__ import annotations

from collections.abc import Callable

from bitget_async.cancellation import Canceller
from bitget_async.course import Options
from bitget_async.desk import Desk
from bitget_async.endpoints import CURRENT_PLAN_ORDER, HISTORY_PLAN_ORDER, PLAN_SUB_ORDER, Endpoint
from bitget_async.errors import UsageError
from bitget_async.evidence import Book
from bitget_async.handle import PendingCancellation, PendingModification, PendingPlacement
from bitget_async.models import OrderType, Side, SubOrder, TriggerOrder
from bitget_async.pages import Call, Pages, Position
from bitget_async.rules import Amount, TradingRules

__all__ = ["Trigger"]

CONFIRM_WITHIN_S = 60.0


class Trigger:
    """
    Trigger orders: their own ids, their own lists, no freezing of funds before they fire.

    Every command gives a handle, as for spot orders. orderInfo does not know trigger orders: after a lost answer a
    placement is looked up by its client id in the lists, which can show that it is there, never that it is not; then
    it ends UNKNOWN (`not_found`).

    The exchange cancels EVERY trigger order of the account when it is given no list of symbols, or a key that it does
    not know. No call here can do that.

    Args:
        call: makes calls of the catalogue.
        now_ms: the exchange's clock.
        parts: what sends commands.
        rules: the known trading rules of a symbol.
    """

    def __init__(
        self,
        call: Call,
        now_ms: Callable[[], int],
        parts: Callable[[], tuple[Desk, Canceller]],
        rules: Callable[[str], TradingRules | None],
    ) -> None:
        self._call = call
        self._now_ms = now_ms
        self._parts = parts
        self._rules = rules

    async def place_plan_order(
        self,
        symbol: str,
        side: Side | str,
        order_type: OrderType | str,
        size: Amount | None = None,
        *,
        trigger_price: Amount,
        trigger_type: str,
        quote_size: Amount | None = None,
        execute_price: Amount | None = None,
        client_oid: str | None = None,
        stp_mode: str | None = None,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingPlacement:
        """
        Place a trigger order, and know whether it was placed.

        Args:
            symbol: exchange spelling.
            side: "buy" or "sell".
            order_type: "limit" (needs `execute_price`) or "market": of the order that it makes.
            size: amount in BASE coin (plan type "amount").
            quote_size: amount in QUOTE coin instead (plan type "total").
            trigger_price: the price it waits for, in quote coin.
            trigger_type: which price is watched: "fill_price" or "mark_price".
            execute_price: limit price of the order that it makes.
            client_oid: your id, 32 or fewer of [0-9A-Za-z_-]; made up if not given.
            stp_mode: of the order that it makes.
            check: refuse prices and sizes that are off the symbol's known grid.
            confirm_within_s: seconds from the signing after which the handle settles whatever is known.
            max_wait_s: longest wait for a token in seconds.

        Returns: PendingPlacement: `placement.trigger` of its report is the trigger order.

        Raises: UsageError, NotSent, Refused.
        Cancelling: safe before the signing; afterwards the order and its handle go on without you.
        Cost: 1 token of place-plan-order (20 a second per UID; its answers have told 10).
        Source: https://www.bitget.com/api-doc/spot/plan/Place-Plan-Order, read 2025-11-30.
        """
        if (size is None) == (quote_size is None):
            raise UsageError("place_plan_order: give either size, in base coin, or quote_size, in quote coin")
        amounts = self._amounts(
            symbol, size, quote_size, trigger_price=trigger_price, execute_price=execute_price, check=check
        )
        given = {
            **amounts,
            "symbol": symbol,
            "side": side,
            "order_type": order_type,
            "trigger_type": trigger_type,
            "plan_type": "amount" if quote_size is None else "total",
            "client_oid": client_oid,
            "stp_mode": stp_mode,
        }
        desk, _ = self._parts()
        return await desk.place_plan(given, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)

    async def modify_plan_order(
        self,
        symbol: str,
        order_type: OrderType | str,
        size: Amount | None = None,
        *,
        trigger_price: Amount,
        quote_size: Amount | None = None,
        execute_price: Amount | None = None,
        order_id: str | None = None,
        client_oid: str | None = None,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingModification:
        """
        Change a trigger order, and know whether it has the new values.

        Args:
            symbol: its symbol: for the reads that prove the change; the command itself takes none.
            order_type, trigger_price, execute_price: the new values; all that are not given are not kept.
            size, quote_size: the new size, in the coin in which the order was placed.
            order_id, client_oid: one of them: the trigger order.
            check, confirm_within_s, max_wait_s: see `place_plan_order`.

        Raises: UsageError, NotSent, Refused.
        Cancelling: safe before the signing; afterwards the command and its handle go on without you.
        Cost: 1 token of modify-plan-order (20 a second per UID; its answers have told 10).
        Source: https://www.bitget.com/api-doc/spot/plan/Modify-Plan-Order, read 2025-11-30.
        """
        if (size is None) == (quote_size is None):
            raise UsageError("modify_plan_order: give either size, in base coin, or quote_size, in quote coin")
        amounts = self._amounts(
            symbol, size, quote_size, trigger_price=trigger_price, execute_price=execute_price, check=check
        )
        given = {**amounts, "order_type": order_type, "order_id": order_id, "client_oid": client_oid}
        desk, _ = self._parts()
        return await desk.modify_plan(symbol, given, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)

    async def cancel_plan_order(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_oid: str | None = None,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingCancellation:
        """
        Cancel one trigger order, and know what became of it: cancelled, or triggered before that.

        Args:
            symbol: its symbol: for the reads that prove it; the command itself takes none.
            order_id, client_oid: one of them.
            confirm_within_s: seconds from the signing after which the handle settles whatever is known.
            max_wait_s: longest wait for a token in seconds.

        Raises: UsageError, NotSent, Refused.
        Cancelling: safe before the signing; afterwards the command and its handle go on without you.
        Cost: 1 token of cancel-plan-order (20 a second per UID; its answers have told 10).
        Source: https://www.bitget.com/api-doc/spot/plan/Cancel-Plan-Order, read 2025-11-30.
        """
        desk, _ = self._parts()
        given = {"order_id": order_id, "client_oid": client_oid}
        return await desk.cancel_plan(symbol, given, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)

    async def batch_cancel_plan_orders(
        self,
        symbol: str,
        *,
        snapshot: str = "concurrent",
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingCancellation:
        """
        Cancel every trigger order of the account on one symbol, and prove it: see `cancel_symbol_orders`.

        One symbol a call, always named: with no symbol the exchange cancels the trigger orders of all.

        Args:
            symbol: exchange spelling.
            snapshot, confirm_within_s, max_wait_s: see `BitgetClient.cancel_symbol_orders`.

        Returns: PendingCancellation; orders that triggered before are in `triggered` of its report. The spot orders
            that they made are not touched.

        Raises: UsageError, NotSent, Refused.
        Cancelling: safe before the signing; afterwards the command and its handle go on without you.
        Cost: 1 token of batch-cancel-plan-order (5 a second per UID), and reads that are shared by all handles.
        Source: https://www.bitget.com/api-doc/spot/plan/Batch-Cancel-Plan-Order, read 2025-11-30.
        """
        options = Options(snapshot, ensure=False, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)
        _, canceller = self._parts()
        return await canceller.cancel(symbol, options, Book.PLAN)

    def current_plan_orders(
        self,
        symbol: str | None = None,
        *,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[TriggerOrder]:
        """
        Trigger orders that wait, newest first: await it for one page, iterate over it for all; see `Pages`.

        Args:
            symbol: one symbol; `None` for all, if the exchange takes that.
            limit: rows a page, 1 to 100.
            id_less_than: only older ones than this id.
            start_ms, end_ms: Unix milliseconds. More than 90 days are asked in parts, newest first.
            position: go on where an earlier read with the same parameters stopped.

        Raises (when it is used): UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of current-plan-order (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/plan/Get-Current-Plan-Order, read 2025-11-30.
        """
        return self._listing(CURRENT_PLAN_ORDER, position, symbol, limit, id_less_than, start_ms, end_ms)

    def history_plan_orders(
        self,
        symbol: str | None = None,
        *,
        limit: int = 100,
        id_less_than: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        position: Position | None = None,
    ) -> Pages[TriggerOrder]:
        """
        Trigger orders that ended (executed, failed, cancelled), newest first: await it for one page, iterate over it
        for all; see `Pages`.

        Args: as `current_plan_orders`; without a symbol, of all symbols.

        Raises (when it is used): UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of history-plan-order (20 a second per UID) a page.
        Source: https://www.bitget.com/api-doc/spot/plan/Get-History-Plan-Order, read 2025-11-30.
        """
        return self._listing(HISTORY_PLAN_ORDER, position, symbol, limit, id_less_than, start_ms, end_ms)

    async def plan_sub_orders(self, plan_order_id: str) -> list[SubOrder]:
        """
        The spot orders that a trigger order made; an empty list before it fired.

        Args:
            plan_order_id: id of the trigger order.

        Raises: UsageError, NotSent, OutcomeUnknown, Refused.
        Cancelling: safe. Cost: 1 token of plan-sub-order (20 a second per UID).
        Source: https://www.bitget.com/api-doc/spot/plan/Get-Plan-Sub-Order, read 2025-11-30.
        """
        rows: list[SubOrder] = await self._call(PLAN_SUB_ORDER, plan_order_id=plan_order_id)
        return rows

    def _listing(
        self,
        row: Endpoint,
        position: Position | None,
        symbol: str | None,
        limit: int,
        id_less_than: str | None,
        start_ms: int | None,
        end_ms: int | None,
    ) -> Pages[TriggerOrder]:
        given = {
            "symbol": symbol,
            "limit": limit,
            "id_less_than": id_less_than,
            "start_time": start_ms,
            "end_time": end_ms,
        }
        return Pages(self._call, row, given, now_ms=self._now_ms, position=position)

    def _amounts(
        self,
        symbol: str,
        size: Amount | None,
        quote_size: Amount | None,
        *,
        trigger_price: Amount,
        execute_price: Amount | None,
        check: bool,
    ) -> dict[str, Amount | None]:
        """Prices and the one size as they go on the wire; on the grid, where it is known."""
        rules = self._rules(symbol) if check else None
        if rules is not None:
            trigger_price = rules.check_price(trigger_price, "trigger_price")
            execute_price = None if execute_price is None else rules.check_price(execute_price, "execute_price")
            size = None if size is None else rules.check_size(size)
            quote_size = None if quote_size is None else rules.check_quote_size(quote_size)
        return {
            "trigger_price": trigger_price,
            "execute_price": execute_price,
            "size": size if quote_size is None else quote_size,
        }
