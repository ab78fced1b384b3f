"""The trading verbs of `BitgetClient`: place, cancel, replace. All of them give handles; see `handle`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bitget_async.cancellation import Canceller
from bitget_async.course import Options
from bitget_async.desk import Desk
from bitget_async.errors import UsageError
from bitget_async.halt import PendingStop
from bitget_async.handle import PendingCancellation, PendingPlacement, PendingReplacement
from bitget_async.journal import JournalFile
from bitget_async.models import Order, OrderType, Side
from bitget_async.resumer import Resumer
from bitget_async.rules import Amount, Rulebook, TradingRules
from bitget_async.session import Session
from bitget_async.stop import Stopper
from bitget_async.stopping import scope_of
from bitget_async.stream.streams import Streams
from bitget_async.tracker import Tracker
from bitget_async.watcher import Watcher

__all__ = ["Parts", "TradingVerbs"]

RECEIVE_WINDOW_MS = 5_000
CONFIRM_WITHIN_S = 60.0
STATUS_GOOD_FOR_S = 300.0


class Parts(msgspec.Struct, frozen=True):
    """What an open client is made of."""

    session: Session
    watcher: Watcher
    canceller: Canceller
    desk: Desk
    resumer: Resumer
    journal: JournalFile | None
    streams: Streams
    tracker: Tracker
    stopper: Stopper


class TradingVerbs:
    """The verbs that change orders, flat on the client under the exchange's names."""

    _rulebook: Rulebook

    def _open(self) -> Parts:
        raise NotImplementedError

    # -- the flagship -----------------------------------------------------------------------------------------

    async def cancel_symbol_orders(
        self,
        symbol: str,
        *,
        snapshot: str = "concurrent",
        ensure: bool = False,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingCancellation:
        """
        Cancel every open order of the account on one symbol, whoever placed it, and prove it.

        Returns as soon as the exchange has answered, or as soon as it is known that nobody can know. The handle then
        resolves by itself; await it for the proof. Calls for the same symbol and options that come before the command
        is signed share it.

        Args:
            symbol: exchange spelling, e.g. "BTCUSDT".
            snapshot: "concurrent": the open orders are listed beside the command, which is never delayed. "before":
                listed first, for an exact set at the price of one more round trip. "none": the fewest requests.
            ensure: cancel by id what is still open two seconds after the answer.
            confirm_within_s: seconds from the signing after which the handle settles whatever is known.
            max_wait_s: longest wait for a token in seconds.

        Returns:
            PendingCancellation: acknowledged or not, never yet confirmed.

        Raises:
            UsageError: nothing was sent.
            NotSent: proven that no byte left.
            Refused: the exchange said no and did not execute.

        Cancelling: safe before the signing; afterwards the command and its handle (`client.pending`) go on without you.
        Cost: 1 token of cancel-symbol-order (5 a second per UID), and reads that are shared by all handles.
        Source: https://www.bitget.com/api-doc/spot/trade/Cancel-Symbol-Orders, read 2025-11-30.
        """
        parts = self._open()
        return await parts.canceller.cancel(symbol, Options(snapshot, ensure, confirm_within_s, max_wait_s))

    async def cancel_all_orders(
        self,
        symbols: Iterable[str] | None = None,
        *,
        include: Collection[str] = ("normal",),
        keep: Collection[str] | Callable[[Order], bool] | None = None,
        exclude_client_oids: Collection[str] = (),
        late: str = "report",
        dry_run: bool = False,
        confirm_within_s: float = CONFIRM_WITHIN_S,
    ) -> PendingStop:
        """
        Stop everything: cancel all open orders of the account, or of some symbols, as fast as the quotas allow, and
        prove it.

        The work is split over cancel-symbol-order, batch-cancel-order and cancel-order, each with its own quota, so
        that the last command leaves as early as can be, the largest exposure first. Then open orders are listed until
        none is left; what is still open is cancelled again by id, never an id twice within a second. Commands leave as
        soon as the first page of open orders is known, or at once where `client.open_orders` is LIVE.

        Args:
            symbols: exchange spelling; `None` for all symbols.
            include: of "normal", "tpsl" (stand-alone take-profit and stop-loss orders), "trigger" (plan orders).
            keep: orders that are left alone: client ids, or a function that is given an `Order` (of a trigger order,
                what it has in common with one) and says so. An order about which it raises is left alone, too. A
                symbol with such an order is stopped by ids; with a function, or while one of the ids was not seen, so
                are all.
            exclude_client_oids: more client ids to keep.
            late: "report": orders that arrive after the call are named in the report, and no more is done about them,
                though a symbol's command may take them. "sweep": they are cancelled too, until a listing shows none.
            dry_run: list and plan, and send nothing: look at `.plan` (its text is a summary) and `.eta_s`.
            confirm_within_s: seconds after the last planned command in which it settles, whatever is known.

        Returns:
            PendingStop, when all open orders are known; commands are on their way by then.

        Raises:
            UsageError: nothing was sent.
            NotSent, OutcomeUnknown, Refused: open orders could not be listed, and nothing was sent. Where commands
                were refused, the report says so.

        Cancelling: safe until the first command is planned; afterwards the stop (`client.pending`) goes on without you.
        Cost: 1 token of unfilled-orders for every 100 open orders, at the full quota of 20 a second, and a few after
            the commands; commands by the plan; reads for the proof, which are shared by all handles.
        Sources: the pages of the calls named above, read 2025-11-30.
        """
        parts = self._open()
        scope = scope_of(symbols, include, keep, exclude_client_oids, late)
        return await parts.stopper.stop(scope, dry_run=dry_run, confirm_within_s=confirm_within_s)

    # -- placing ----------------------------------------------------------------------------------------------

    async def place_order(
        self,
        symbol: str,
        side: Side | str,
        order_type: OrderType | str,
        size: Amount | None = None,
        *,
        quote_size: Amount | None = None,
        price: Amount | None = None,
        force: str | None = None,
        client_oid: str | None = None,
        stp_mode: str | None = None,
        tpsl_type: str | None = None,
        trigger_price: Amount | None = None,
        preset_take_profit_price: Amount | None = None,
        execute_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        execute_stop_loss_price: Amount | None = None,
        receive_window_ms: int = RECEIVE_WINDOW_MS,
        fence: bool = True,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingPlacement:
        """
        Place one order, and know whether it was placed.

        Returns as soon as the exchange has answered, or as soon as it is known that nobody can know. The handle then
        resolves by itself: to the order's state, or after a lost answer to PLACED, NOT_PLACED or UNKNOWN. It is never
        sent twice by us.

        Args:
            symbol: exchange spelling, e.g. "BTCUSDT".
            side: "buy" or "sell".
            order_type: "limit" or "market".
            size: amount in BASE coin, of everything but a market buy.
            quote_size: amount in QUOTE coin to spend, of a market buy only.
            price: limit price in quote coin; only with "limit".
            force: "gtc" (default for a limit order), "post_only", "fok" or "ioc"; ignored for a market order.
            client_oid: your id, 32 or fewer of [0-9A-Za-z_-]; made up if not given. The exchange checks it for
                duplicates among pending orders only.
            stp_mode: "none" (default), "cancel_taker", "cancel_maker", "cancel_both".
            tpsl_type: "tpsl" for a stand-alone take-profit or stop-loss order, which needs a `trigger_price`. It has no
                client id: after a lost answer its handle ends UNKNOWN.
            preset_take_profit_price, ...: attached take profit and stop loss; an empty execute price means market.
            receive_window_ms: the exchange refuses the order when it arrives later than that after the signing, 1 to
                59999. It bounds how long a lost order can still appear.
            fence: wait until a cancellation by symbol of this client on that symbol can take it no more. Without it, it
                goes at once, and a sweep that is under way may take it: its report names it in `placed_meanwhile`.
            check: refuse what breaks a trading rule of the symbol that is known (see `client.market.symbols`).
            confirm_within_s: seconds from the signing after which the handle settles whatever is known.
            max_wait_s: longest wait for the fence and for a token together, in seconds.

        Raises:
            UsageError: a parameter is wrong, or a trading rule is broken; nothing was sent, no token was taken.
            NotSent: proven that no byte left; `reason="fenced"` behind a cancellation that is not cleared in time.
            Refused: the exchange said no and did not place it (`InsufficientFunds`, ...).

        Cancelling: safe before the signing; afterwards the order and its handle (`client.pending`) go on without you.
        Cost: 1 token of place-order (10 a second per UID) and 1 of the IP budget; reads that are shared by all handles.
        Source: https://www.bitget.com/api-doc/spot/trade/Place-Order, read 2025-11-30.
        """
        parts = self._open()
        given = {
            "symbol": symbol,
            "side": side,
            "order_type": order_type,
            "size": size,
            "quote_size": quote_size,
            "price": price,
            "force": force,
            "client_oid": client_oid,
            "stp_mode": stp_mode,
            "tpsl_type": tpsl_type,
            "trigger_price": trigger_price,
            "preset_take_profit_price": preset_take_profit_price,
            "execute_take_profit_price": execute_take_profit_price,
            "preset_stop_loss_price": preset_stop_loss_price,
            "execute_stop_loss_price": execute_stop_loss_price,
        }
        wire = self._placed(symbol, given, check=check)
        return await parts.desk.place(
            wire,
            receive_window_ms=receive_window_ms,
            fence=self._fenced if fence else None,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def batch_orders(
        self,
        orders: Iterable[Mapping[str, Any]],
        symbol: str | None = None,
        *,
        fence: bool = True,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingPlacement:
        """
        Place many orders, and know of each whether it was placed.

        Args:
            orders: mappings with the parameters of `place_order` that describe an order: `side`, `order_type`, `size`
                or `quote_size`, `price`, `force`, `client_oid`, `stp_mode`, preset prices; and `symbol` in each
                unless all are of one. More than 20 are sent as several commands; the handle shows them together.
            symbol: the symbol of all of them, or `None` where each names its own.
            fence, check, confirm_within_s, max_wait_s: see `place_order`.

        Raises:
            UsageError: an item is wrong; the text names its place, from 0. Nothing was sent.
            NotSent, Refused: that is proven of every command of the call. Where it is of some, their orders are
                NOT_PLACED in the report. So are orders that the exchange refused one by one (`refusal`).

        A batch takes no receive window: after a lost answer it takes 30 s and the grace until an order counts as
        NOT_PLACED.

        Cancelling: safe before the signing; afterwards the orders and their handle go on without you.
        Cost: 1 token of batch-orders (5 a second per UID) for every 20 orders, and 1 of the IP budget each.
        Source: https://www.bitget.com/api-doc/spot/trade/Batch-Place-Orders, read 2025-11-30.
        """
        parts = self._open()
        items = _each("batch_orders", orders, lambda each: self._placed(each.get("symbol", symbol), each, check=check))
        return await parts.desk.place_batch(
            symbol,
            items,
            fence=self._fenced if fence else None,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    # -- cancelling by id -------------------------------------------------------------------------------------

    async def cancel_order(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_oid: str | None = None,
        tpsl_type: str | None = None,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingCancellation:
        """
        Cancel one order, and know what became of it.

        Args:
            symbol: exchange spelling.
            order_id, client_oid: one of them.
            tpsl_type: "tpsl" for a stand-alone take-profit or stop-loss order, which is named by `order_id`.
            confirm_within_s: seconds from the signing after which the handle settles whatever is known.
            max_wait_s: longest wait for a token in seconds.

        Returns:
            PendingCancellation of exactly this order. "Order does not exist" (43001) means "not open any more: find out
            why", and so does the handle: it ends CONFIRMED with the order filled or cancelled, or UNKNOWN.

        Raises:
            UsageError, NotSent.
            Refused: the exchange said no for a reason that is not the order's state.

        Cancelling: safe before the signing; afterwards the command and its handle go on without you.
        Cost: 1 token of cancel-order (10 a second per UID), and reads that are shared by all handles.
        Source: https://www.bitget.com/api-doc/spot/trade/Cancel-Order, read 2025-11-30.
        """
        given = {"symbol": symbol, "order_id": order_id, "client_oid": client_oid, "tpsl_type": tpsl_type}
        desk = self._open().desk
        return await desk.cancel(given, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)

    async def batch_cancel_orders(
        self,
        symbol: str,
        *,
        order_ids: Sequence[str] | None = None,
        client_oids: Sequence[str] | None = None,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingCancellation:
        """
        Cancel orders of one symbol by their ids, all of one kind, and know what became of each.

        Args:
            symbol: exchange spelling.
            order_ids, client_oids: one of them: any number of ids, each once. More than 20 are sent as several
                commands; the handle shows them together.
            confirm_within_s, max_wait_s: see `cancel_order`.

        Returns:
            PendingCancellation of exactly these orders. The exchange answers 00000 even if it refused every one; an
            order that it refused is looked up like the others, and is STILL_OPEN if it is.

        Raises:
            UsageError: no ids, both kinds, or one twice.
            NotSent, Refused: that is proven of every command of the call.

        Cancelling: safe before the signing; afterwards the commands and their handle go on without you.
        Cost: 1 token of batch-cancel-order (10 a second per UID) for every 20 ids.
        Source: https://www.bitget.com/api-doc/spot/trade/Batch-Cancel-Orders, read 2025-11-30.
        """
        if (order_ids is None) == (client_oids is None):
            raise UsageError("batch_cancel_orders: give either order_ids or client_oids")
        kind, ids = ("order_id", order_ids) if client_oids is None else ("client_oid", client_oids)
        if ids is None or isinstance(ids, (str, bytes)):
            raise UsageError(f"batch_cancel_orders: {kind}s must be a list of ids")
        items = [{kind: each} for each in ids]
        desk = self._open().desk
        return await desk.cancel_batch(symbol, items, confirm_within_s=confirm_within_s, max_wait_s=max_wait_s)

    # -- replacing --------------------------------------------------------------------------------------------

    async def cancel_replace_order(
        self,
        symbol: str,
        *,
        price: Amount,
        size: Amount,
        order_id: str | None = None,
        client_oid: str | None = None,
        new_client_oid: str | None = None,
        preset_take_profit_price: Amount | None = None,
        execute_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        execute_stop_loss_price: Amount | None = None,
        fence: bool = True,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingReplacement:
        """
        Cancel one limit order and place another in its stead, and know what became of both. NOT atomic: the old order
        may be gone without a new one, and the exchange reports failures inside an answer that succeeded.

        Args:
            symbol: exchange spelling.
            price, size: of the new order, in quote coin and in BASE coin.
            order_id, client_oid: one of them: the old order.
            new_client_oid: of the new order; made up if not given.
            preset_take_profit_price, ...: attached take profit and stop loss of the new order.
            fence, check, confirm_within_s, max_wait_s: see `place_order`.

        Returns:
            PendingReplacement: its report names the fate of the old and of the new order separately.

        Raises:
            UsageError, NotSent, Refused: nothing was done.

        Cancelling: safe before the signing; afterwards the command and its handle go on without you.
        Cost: 1 token of cancel-replace-order (5 a second per UID) and 1 of the IP budget.
        Source: https://www.bitget.com/api-doc/spot/trade/Cancel-Replace-Order, read 2025-11-30.
        """
        parts = self._open()
        given = {
            "symbol": symbol,
            "price": price,
            "size": size,
            "order_id": order_id,
            "client_oid": client_oid,
            "new_client_oid": new_client_oid,
            "preset_take_profit_price": preset_take_profit_price,
            "execute_take_profit_price": execute_take_profit_price,
            "preset_stop_loss_price": preset_stop_loss_price,
            "execute_stop_loss_price": execute_stop_loss_price,
        }
        wire = self._replaced(given, check=check)
        return await parts.desk.replace(
            wire,
            fence=self._fenced if fence else None,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def batch_cancel_replace_orders(
        self,
        orders: Iterable[Mapping[str, Any]],
        *,
        fence: bool = True,
        check: bool = True,
        confirm_within_s: float = CONFIRM_WITHIN_S,
        max_wait_s: float | None = None,
    ) -> PendingReplacement:
        """
        `cancel_replace_order` for many orders. NOT atomic, and some may fail inside an answer that succeeded.

        Args:
            orders: mappings with `symbol`, `price`, `size`, `order_id` or `client_oid`, and as they like
                `new_client_oid` and preset prices. More than 20 are sent as several commands.
            fence, check, confirm_within_s, max_wait_s: see `place_order`.

        Raises:
            UsageError: an item is wrong; the text names its place, from 0. Nothing was sent.
            NotSent, Refused: that is proven of every command of the call.

        Cancelling: safe before the signing; afterwards the commands and their handle go on without you.
        Cost: 1 token of batch-cancel-replace-order (5 a second per UID) and 1 of the IP budget for every 20 orders.
        Source: https://www.bitget.com/api-doc/spot/trade/Batch-Cancel-Replace-Order, read 2025-11-30.
        """
        parts = self._open()
        items = _each("batch_cancel_replace_orders", orders, lambda each: self._replaced(each, check=check))
        return await parts.desk.replace_batch(
            items,
            fence=self._fenced if fence else None,
            confirm_within_s=confirm_within_s,
            max_wait_s=max_wait_s,
        )

    async def _fenced(
        self, symbols: Collection[str], max_wait_s: float | None, check: Callable[[], None]
    ) -> float | None:
        """`Canceller.fence` of an open client."""
        left_s = await self._open().canceller.fence(symbols, max_wait_s, check)
        # Closing the client lifts the fence too: then nothing is sent any more.
        self._open()
        return left_s

    # -- rules ------------------------------------------------------------------------------------------------

    def _known_rules(self, symbol: object) -> TradingRules | None:
        """The rules of a symbol, where they are known; that it is closed counts for five minutes only."""
        rules = self._rulebook.rules(symbol) if isinstance(symbol, str) else None
        if rules is None or rules.online:
            return rules
        now_ns = self._open().session.clock.monotonic_ns()
        fresh = self._rulebook.fresh(rules.symbol, now_ns, STATUS_GOOD_FOR_S)
        return rules if fresh else msgspec.structs.replace(rules, status="")

    def _placed(self, symbol: object, given: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
        """An order as it goes on the wire: one size, in the coin that the exchange takes it in; and by the rules."""
        wire = dict(given)
        size, quote_size = wire.get("size"), wire.pop("quote_size", None)
        side, order_type = _text(wire.get("side")), _text(wire.get("order_type"))
        spends = order_type == "market" and side == "buy"
        if (quote_size is not None, size is not None) != (spends, not spends):
            what = (
                "a market buy takes quote_size, the amount of quote coin to spend, and no size"
                if spends
                else ("an order takes size, in base coin; quote_size is for a market buy only")
            )
            raise UsageError(what)
        rules = self._known_rules(symbol) if check else None
        if rules is not None:
            trigger_price = wire.get("trigger_price")
            rules.check(side, order_type, size, wire.get("price"), quote_size=quote_size, trigger_price=trigger_price)
        wire["size"] = quote_size if spends else size
        if wire.get("force") is None and order_type == "limit":
            wire["force"] = "gtc"
        return wire

    def _replaced(self, given: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
        """A replacement as it goes on the wire, by the rules."""
        wire = dict(given)
        rules = self._known_rules(wire.get("symbol")) if check else None
        if rules is not None and wire.get("price") is not None and wire.get("size") is not None:
            rules.check(None, "limit", wire["size"], wire["price"])
        return wire


def _text(value: Any) -> Any:
    """The text of an enum member, whoever made the enum: a market buy must not go unnoticed."""
    return value.value if isinstance(value, enum.Enum) else value


def _each(
    call: str, items: Iterable[Mapping[str, Any]], made: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Make every item of a batch; what is wrong with one names its place, from 0."""
    if not isinstance(items, Iterable) or isinstance(items, (str, bytes, Mapping)):
        raise UsageError(f"{call}: give a list of mappings")
    wires = []
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise UsageError(f"{call}: item {place} must be a mapping, not {type(item).__name__}")
        try:
            wires.append(made(item))
        except UsageError as error:
            raise UsageError(f"{call}: item {place}: {error}") from None
    return wires
