"""
The simulated exchange as tests, benchmarks and the demo use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Literal, Self

from bitget_async.clock import Clock, SystemClock
from bitget_async.sim.accounts import Account, Key, SimulatedKey
from bitget_async.sim.faults import FaultScript
from bitget_async.sim.funds import Funds
from bitget_async.sim.gateway import Gateway
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.orders import ZERO, Draft, Mark, Order
from bitget_async.sim.server import SimulatorServer
from bitget_async.sim.settings import Dice, Settings
from bitget_async.sim.sockets.hall import Sockets
from bitget_async.sim.sockets.line import Luck
from bitget_async.sim.sockets.pump import Pump
from bitget_async.sim.timeline import Timeline
from bitget_async.sim.triggers import Plan, TriggerBook
from bitget_async.sim.truth import Truth
from bitget_async.sim.venue import Venue

__all__ = ["SimulatedExchange"]

SECOND_NS = 1_000_000_000
FIRST_UID = 1_000_000_001


class SimulatedExchange:
    """
    A Bitget V2 spot exchange in this process, reachable over loopback.

        async with SimulatedExchange(seed=1) as exchange:
            exchange.rest("BTCUSDT", 5)
            ...  # a client with exchange.base_url and exchange.credentials()
            assert exchange.truth.open_ids(exchange.account.uid, "BTCUSDT") == ()

    Without `async with` it has no socket, and `exchange.gateway.handle(request)` serves.

    Args:
        seed: decides every draw, given the same order of requests.
        clock: the only clock that is read; a `SystemClock` unless given.
        host, port: where to listen; port 0 picks a free one.
        settings: how it behaves; may be changed later through `exchange.settings`.
        keep_wire, keep_headers: what `truth.wire` remembers; for long runs.
        keepalive_s: how long an idle connection is kept.
        balances: of the default account, coin -> amount; `None`: rich.

    Attributes:
        account: the default account, with one key that may read and trade.
        depths: the true order books, how they are stirred and what is spoilt in telling them.
        sockets: who is connected by WebSocket, and what goes wrong there.
        settings, faults, truth, venue, triggers, funds, gateway: its other parts.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Settings | None = None,
        keep_wire: int | None = None,
        keep_headers: bool = True,
        keepalive_s: float = 75.0,
        balances: dict[str, Decimal] | None = None,
    ) -> None:
        the_clock = SystemClock() if clock is None else clock
        self.settings = Settings() if settings is None else settings
        self._dice = Dice(seed)
        self._keys: dict[str, Key] = {}
        self._timeline = Timeline(the_clock, self.settings)
        self.venue = Venue(self._timeline, self.settings, self._dice)
        self.depths = self.venue.depths
        self.triggers = TriggerBook(self.venue, self.settings, self._dice)
        self.funds = Funds(self.venue, self._dice)
        luck = Luck()
        self.truth = Truth(self.venue, self.triggers, luck, keep_wire=keep_wire, keep_headers=keep_headers)
        self.faults = FaultScript(self._dice.faults)
        self.gateway = Gateway(
            the_clock,
            self.venue,
            self.truth,
            self.faults,
            self.settings,
            self._dice,
            self._keys,
            self.triggers,
            self.funds,
        )
        self.sockets = Sockets(self.gateway, self.triggers, self.funds, self.settings, self._dice, self._keys, luck)
        pump = Pump(self._timeline, the_clock)
        self.sockets.opened, self.sockets.closed = pump.start, pump.stop
        self._server = SimulatorServer(self.gateway, self.sockets, host, port, keepalive_s=keepalive_s)
        self.account = self.add_account(balances=balances)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen; `async with` does it."""
        self._timeline.advance()
        await self._server.start()

    async def close(self) -> None:
        """Close every connection, also those whose answer hangs; the truth stays readable."""
        await self._server.close()

    @property
    def base_url(self) -> str:
        """Where it listens, e.g. `http://127.0.0.1:40123`. Raises `RuntimeError` when it does not."""
        if self._server.address is None:
            raise RuntimeError("the simulated exchange is not listening: use `async with`")
        host, port = self._server.address
        return f"http://{host}:{port}"

    @property
    def ws_url(self) -> str:
        """The same for WebSockets, e.g. `ws://127.0.0.1:40123`; the paths are /v2/ws/public and /v2/ws/private."""
        return "ws" + self.base_url.removeprefix("http")

    @property
    def server_ms(self) -> int:
        """The exchange's clock now, in Unix milliseconds."""
        return self._timeline.epoch_ms(self._timeline.advance())

    def add_account(
        self,
        *,
        mode: Literal["classic", "unified"] = "classic",
        read: bool = True,
        trade: bool = True,
        transfer: bool = False,
        balances: dict[str, Decimal] | None = None,
        parent: Account | None = None,
        rsa_public_key: str | None = None,
    ) -> Account:
        """
        Open an account with one key, a sub-account if it has a parent. The next free user id is taken;
        `balances=None` makes it rich.
        """
        uid = str(FIRST_UID + len(self.venue.accounts))
        account = Account(uid, mode=mode, balances=balances, parent=parent)
        self.venue.open_account(account)
        self.add_key(account, read=read, trade=trade, transfer=transfer, rsa_public_key=rsa_public_key)
        return account

    def add_key(
        self,
        account: Account | None = None,
        *,
        read: bool = True,
        trade: bool = True,
        transfer: bool = False,
        rsa_public_key: str | None = None,
    ) -> SimulatedKey:
        """One more key of an account; all of them share its limits and orders. Returns what the client holds."""
        owner = self.account if account is None else account
        dice = self._dice.ids
        secret = "" if rsa_public_key is not None else f"{dice.getrandbits(256):064x}"
        texts = SimulatedKey(f"bg_{dice.getrandbits(128):032x}", secret, f"pass{dice.getrandbits(64):016x}")
        key = Key(owner, texts, read=read, trade=trade, transfer=transfer, rsa_public_key=rsa_public_key)
        owner.keys.append(key)
        self._keys[texts.api_key] = key
        return texts

    def credentials(self, account: Account | None = None) -> SimulatedKey:
        """What a client of the account (default: the default one) holds: its first key."""
        return (self.account if account is None else account).keys[0].texts

    def rest(
        self,
        symbol: str = "BTCUSDT",
        n: int = 1,
        *,
        account: Account | None = None,
        side: str = "buy",
        price: Decimal | None = None,
        size: Decimal = Decimal("0.001"),
        age_s: float = 0.0,
        ids: Sequence[str] | None = None,
        source: str = "API",
        tpsl: bool = False,
        client_oid: str = "",
    ) -> list[str]:
        """
        Place resting orders past the API, without matching.

        Args:
            symbol, n: where and how many.
            account: whose; the default account's unless given.
            side, price, size: of each; without a price, half the last price (twice, for a sell).
            age_s: how long ago they were created; may exceed 90 days.
            ids: order ids to give them, in decimal digits of any length.
            source: API, WEB, APP.
            tpsl: put them into the list of take-profit and stop-loss orders.
            client_oid: of the first order; the others get made-up ones.

        Returns: their ids, in the order of placing.
        """
        now_ns = self._timeline.advance()
        owner = self.account if account is None else account
        made = []
        for index in range(n if ids is None else len(ids)):
            oid = client_oid if index == 0 else ""
            draft = _resting(symbol, side, price, size, source, tpsl, oid)
            order = self.venue.place(
                owner,
                draft,
                now_ns,
                order_id=None if ids is None else ids[index],
                created_ns=now_ns - round(age_s * SECOND_NS),
                match=False,
            )
            made.append(order.order_id)
        return made

    def record(
        self,
        symbol: str = "BTCUSDT",
        *,
        status: str = "cancelled",
        account: Account | None = None,
        age_s: float = 60.0,
        lived_s: float = 10.0,
        filled: Decimal = ZERO,
        size: Decimal = Decimal("0.001"),
        side: str = "buy",
        price: Decimal | None = None,
        order_id: str | None = None,
        source: str = "API",
    ) -> str:
        """
        Write down an order that began `age_s` ago and ended `lived_s` later, `filled` or `cancelled`. It is in
        history-orders at once. Returns its id.
        """
        now_ns = self._timeline.advance()
        owner = self.account if account is None else account
        draft = _resting(symbol, side, price, size, source, False, "")
        amount = size if status == "filled" else filled
        born_ns = now_ns - round(age_s * SECOND_NS)
        end_ns = min(now_ns, born_ns + round(lived_s * SECOND_NS))
        marks = [
            Mark(born_ns, self._timeline.epoch_ms(born_ns), "live", ZERO, ZERO, ZERO),
            Mark(end_ns, self._timeline.epoch_ms(end_ns), status, amount, amount * draft.price, ZERO),
        ]
        return self.venue.record(owner, draft, marks, order_id).order_id

    def rest_trigger(
        self,
        symbol: str = "BTCUSDT",
        n: int = 1,
        *,
        account: Account | None = None,
        side: str = "buy",
        trigger_price: Decimal | None = None,
        execute_price: Decimal | None = None,
        size: Decimal = Decimal("0.001"),
        plan_type: str = "amount",
        age_s: float = 0.0,
        ids: Sequence[str] | None = None,
        source: str = "API",
        client_oid: str = "",
    ) -> list[str]:
        """
        Place trigger orders past the API.

        Args:
            symbol, n, account, age_s, ids, source, client_oid: as for `rest`.
            side, size, plan_type: of each; `plan_type` is amount (size in base coin) or total (quote coin).
            trigger_price: half the last price unless given, twice for a sell.
            execute_price: of the limit order that is to be born; `None`: a market order.

        Returns: their ids, in the order of placing.
        """
        now_ns = self._timeline.advance()
        owner = self.account if account is None else account
        far = self.venue.last(symbol) * (Decimal("0.5") if side == "buy" else 2)
        made = []
        for index in range(n if ids is None else len(ids)):
            plan = Plan(
                symbol=symbol,
                side=side,
                order_type="market" if execute_price is None else "limit",
                trigger_price=far if trigger_price is None else trigger_price,
                size=size,
                execute_price=execute_price,
                plan_type=plan_type,
                client_oid=client_oid if index == 0 else "",
                source=source,
            )
            born_ns = now_ns - round(age_s * SECOND_NS)
            order_id = None if ids is None else ids[index]
            made.append(self.triggers.place(owner, plan, now_ns, order_id=order_id, created_ns=born_ns).order_id)
        return made

    def fire(self, trigger_id: str) -> None:
        """Trigger an order now, whatever the price. Does nothing unless it is live."""
        self.triggers.fire(self.truth.triggers[trigger_id], self._timeline.now_ns)

    def order(self, order_id: str) -> Order:
        """The record of an order. Raises `KeyError` for an unknown id."""
        return self.truth.orders[order_id]

    def fill(self, order_id: str, amount: Decimal | None = None) -> None:
        """Trade an amount of base coin (`None`: all that is left) of an order now. Does nothing if it is final."""
        order = self.order(order_id)
        self.venue.fill(order, self._timeline.now_ns, amount)

    def cancel(self, order_id: str, reason: str = "normal_cancel") -> bool:
        """Cancel an order now, as its owner would on the website. Returns whether it was open."""
        order = self.order(order_id)
        return self.venue.cancel(order, self._timeline.now_ns, reason)

    def schedule_fill(self, order_id: str, after_s: float, amount: Decimal | None = None) -> None:
        """Trade an amount (`None`: all that is left then) of an order in that many seconds, if it is still open."""
        order = self.order(order_id)
        due_ns = self._timeline.now_ns + round(after_s * SECOND_NS)
        self._timeline.at(due_ns, lambda now_ns: self.venue.fill(order, now_ns, amount))

    def schedule_order(
        self,
        symbol: str,
        after_s: float,
        *,
        account: Account | None = None,
        side: str = "buy",
        price: Decimal | None = None,
        size: Decimal = Decimal("0.001"),
        order_id: str | None = None,
        source: str = "API",
    ) -> None:
        """Place a resting order in that many seconds. Find it in `truth.orders`."""
        owner = self.account if account is None else account
        draft = _resting(symbol, side, price, size, source, False, "")
        due_ns = self._timeline.advance() + round(after_s * SECOND_NS)
        self._timeline.at(
            due_ns, lambda now_ns: _ignore(self.venue.place(owner, draft, now_ns, order_id=order_id, match=False))
        )

    def set_price(self, symbol: str, price: Decimal) -> None:
        """
        Move the last price of a symbol now. Resting orders that it reaches are filled, each at its own price. Raises
        `KeyError` for an unknown symbol, `ValueError` unless the price is positive.
        """
        self.venue.move_price(symbol, _price(symbol, price), self._timeline.advance())

    def schedule_price(self, symbol: str, after_s: float, price: Decimal) -> None:
        """The same in that many seconds."""
        to = _price(symbol, price)
        due_ns = self._timeline.advance() + round(after_s * SECOND_NS)
        self._timeline.at(due_ns, lambda now_ns: self.venue.move_price(symbol, to, now_ns))

    def publish_history(self) -> None:
        """Show every final order in its history from now on, whatever lag was drawn for it."""
        now_ns = self._timeline.advance()
        for order in self.venue.orders.values():
            order.history_from_ns = min(order.history_from_ns, now_ns)
        self.triggers.publish(now_ns)

    def forget(self, older_than_s: float = 0.0) -> None:
        """Drop final orders, executions and wire copies that are older; for long runs. Counters stay."""
        before_ns = self._timeline.advance() - round(older_than_s * SECOND_NS)
        self.venue.forget_before(before_ns)
        self.triggers.forget_before(before_ns)
        self.funds.forget_before(before_ns)
        self.truth.forget()


def _price(symbol: str, price: Decimal) -> Decimal:
    if not (SYMBOLS[symbol].last and price.is_finite() and price > 0):
        raise ValueError(f"no price: {price}")
    return price


def _resting(
    symbol: str, side: str, price: Decimal | None, size: Decimal, source: str, tpsl: bool, client_oid: str
) -> Draft:
    if price is None:
        price = SYMBOLS[symbol].last * (Decimal("0.5") if side == "buy" else 2)
    return Draft(
        symbol=symbol,
        side=side,
        order_type="limit",
        price=price,
        size=size,
        source=source,
        tpsl=tpsl,
        trigger_price=price if tpsl else None,
        client_oid=client_oid,
    )


def _ignore(order: Order) -> None:
    """The timeline wants nothing back."""
