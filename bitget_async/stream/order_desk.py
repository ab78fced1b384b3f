"""The order channel: one subscription for everybody who wants to know of orders, inside the package and outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bitget_async.clock import Clock
from bitget_async.errors import StreamError
from bitget_async.stream.listening import OrderListener, OrderListeners
from bitget_async.stream.pool import Pool
from bitget_async.stream.protocol import Topic
from bitget_async.stream.state import News
from bitget_async.stream.subscription import Feed

if TYPE_CHECKING:
    from bitget_async.models import OrderUpdate

__all__ = ["ORDERS", "OrderDesk"]

# All symbols together: there is one account, and whoever wants one symbol picks it out.
ORDERS = Topic("orders", "default")


class OrderDesk:
    """
    A `Receiver` of the order channel. It is subscribed to while somebody holds it or reads it.

    Listeners are told of every push as it comes. One of them, the tracker of open orders, knows which of them are news
    and what was missed: readers get what it passes to `deliver`.

    Args:
        pool: of the private lines.
        clock: for moments.
        news: told when it cannot be had.

    Attributes:
        failure: why it cannot be had at the moment, where the exchange has said so.
    """

    topics = (ORDERS,)

    def __init__(self, pool: Pool, clock: Clock, news: News) -> None:
        self.failure: StreamError | None = None
        self.news = news
        self._pool = pool
        self._clock = clock
        self._listeners = OrderListeners()
        self._feeds: dict[Feed[OrderUpdate], None] = {}
        self._holds = 0
        self._joined = False

    @property
    def live_ns(self) -> int | None:
        """Since when pushes come; `None` while none do."""
        return self._listeners.connected_ns

    @property
    def wanted(self) -> bool:
        """Whether anybody holds it or reads it."""
        return self._joined

    def listen(self, listener: OrderListener) -> None:
        """Tell that one of every push. It does not hold the channel."""
        self._listeners.add(listener)

    def hold(self) -> None:
        """Keep the channel subscribed, whether anybody reads it or not."""
        self._holds += 1
        self._need()

    def release(self) -> None:
        """Undo one `hold`."""
        self._holds -= 1
        self._need()

    def join(self, feed: Feed[OrderUpdate]) -> None:
        """One more reader."""
        self._feeds[feed] = None
        if self.live_ns is not None:
            feed.live(ORDERS, self.live_ns)
        self._need()
        self._pool.urge(ORDERS)

    def leave(self, feed: Feed[OrderUpdate]) -> None:
        """One reader less."""
        self._feeds.pop(feed, None)
        self._need()

    def deliver(self, updates: Sequence[OrderUpdate], received_ns: int) -> None:
        """Hand these on to the readers."""
        for feed in tuple(self._feeds):
            feed.pushed(updates, received_ns)

    def _need(self) -> None:
        needed = bool(self._holds or self._feeds)
        if needed and not self._joined:
            self._joined = True
            self._pool.join(self)
        elif self._joined and not needed:
            self._joined = False
            self._pool.leave(self)
            self._listeners.disconnected(self._clock.monotonic_ns())

    def close(self) -> None:
        """The client closes: listeners are told, and nothing more comes. Readers are ended by whoever made them."""
        self._holds = 0
        self._need()

    # -- Receiver ---------------------------------------------------------------------------------------------

    def live(self, topic: Topic, now_ns: int) -> None:
        """Acknowledged."""
        self.failure = None
        self._listeners.connected(now_ns)
        for feed in tuple(self._feeds):
            feed.live(topic, now_ns)

    def lapsed(self, topic: Topic, now_ns: int, *, cut: bool) -> None:
        """Lost, or silent: what is not pushed may have happened either way."""
        self._listeners.disconnected(now_ns)
        for feed in tuple(self._feeds):
            feed.lapsed(topic, now_ns, cut=cut)

    def pushed(self, records: Sequence[OrderUpdate], received_ns: int) -> None:
        """One frame."""
        self._listeners.pushed(records, received_ns)

    def failed(self, error: StreamError) -> None:
        """It cannot be had: readers end. Who holds it stays, for it may be had later."""
        self.failure = error
        self.news.tell()
        for feed in tuple(self._feeds):
            feed.failed(error)
