"""
What is known of a cancellation by symbol: which orders it answers for, and what became of each.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator

import msgspec

from bitget_async.evidence.facts import SECOND_NS, Book, Command, Glance, Listing, Page, Push, Row, id_number
from bitget_async.models import Fate, OrderFate, Outcome, Scope
from bitget_async.models.reports import final_fate, order_fate

__all__ = ["Sweep"]

# An order placed after the signing that a push tells of is not kept beside so many: a cancellation may wait for a day.
MOST_BESIDE = 1_000


class _Known(msgspec.Struct):
    """
    All that is known of one order.

    Attributes:
        order, source, server_ms: the last row, and what told it.
        shown_ns, open_ns: when the newest listing was requested that showed it, and showed it open.
        final: whether it is proven to have ended.
        proved_ns: a listing requested up to then may show it rightly although it has ended.
        pushed: whether it is final by a push alone, whose row lacks what a read tells.
        hearsay: whether only pushes, or who follows them, have told of it: those may tell of it long after its end.
    """

    order: Row
    source: str
    server_ms: int | None = None
    shown_ns: int = -1
    open_ns: int = -1
    final: bool = False
    proved_ns: int = -1
    pushed: bool = False
    hearsay: bool = False


class _Before(msgspec.Struct):
    """
    An order that had ended before the signing, as was told without being asked. There are pages of them, and hardly
    ever does one matter: its row is made whole when it does.
    """

    row: Callable[[], Row]
    source: str
    server_ms: int
    proved_ns: int
    pushed: bool


class Sweep(Command, eq=False):
    """
    Everything known about one cancellation by symbol.

    Args:
        symbol: the symbol.
        book: which of its orders: the command takes those of one list only.
        bounds_ms, assumptions: see `Command`.
        snapshot: of a resumed one, whether a complete listing from before its answer is among what was known; `None`
            where the listings tell.
        heard_ns: when the newest push came by which an order ended; -1 before.
        tracked: whether what was open at the signing is known from pushes, as far as these can be trusted.
    """

    symbol: str
    book: Book = Book.NORMAL
    snapshot: bool | None = None
    cleared_ms: int | None = None
    heard_ns: int = -1
    tracked: bool = False
    anomalies: list[str] = msgspec.field(default_factory=list)
    _orders: dict[int, _Known] = msgspec.field(default_factory=dict)
    _ended: dict[int, _Before] = msgspec.field(default_factory=dict)
    _listings: list[tuple[int, int]] = msgspec.field(default_factory=list)
    _pages_ns: list[int] = msgspec.field(default_factory=list)
    _chain: tuple[int, int] | None = None
    _owed: int | None = None

    def odd(self, what: str) -> None:
        """Note an anomaly, once."""
        if what not in self.anomalies:
            self.anomalies.append(what)

    # -- facts ------------------------------------------------------------------------------------------------

    def placed(self, order: Row, source: str = "client", *, hearsay: bool = False) -> None:
        """An order of this symbol that this client knows from elsewhere: placed by it, or seen open before."""
        number = id_number(order.order_id)
        if number is not None and number not in self._orders:
            self._orders[number] = _Known(order, source, hearsay=hearsay)

    def saw_listing(self, listing: Listing) -> list[OrderFate]:
        """Take in a listing that covers the symbol; returns the orders of which something new became known."""
        if not listing.complete:
            return []
        # A row without a symbol may be ours: it must not be missed.
        mine = (*listing.by_symbol.get(self.symbol, ()), *listing.by_symbol.get("", ()))
        changed = [self._saw_open(row, listing) for row in mine]
        insort(self._listings, (listing.requested_ns, listing.server_ms))
        self._look_cleared()
        return [fate for fate in changed if fate is not None]

    def saw_page(self, page: Page) -> list[OrderFate]:
        """Take in finished rows; returns the orders whose fate became known by them."""
        unknown = {number for number in page.numbers if number not in self._orders}
        changed = [self._saw_final(row, page, page.requested_ns) for row in page.rows if row.symbol == self.symbol]
        found = any(number in self._orders for number in unknown)
        if page.source != "orderInfo":
            self._follow(page, found, any(fate is not None for fate in changed))
        self._look_cleared()
        return [fate for fate in changed if fate is not None]

    def saw_push(self, push: Push) -> list[OrderFate]:
        """
        Take in what the stream told; returns the orders that ended by it. Nothing is cleared by it: it lists nothing.
        """
        changed = [self._saw_pushed(row, push) for row in push.rows if row.symbol == self.symbol]
        return [fate for fate in changed if fate is not None]

    def _saw_pushed(self, row: Row, push: Push) -> OrderFate | None:
        number = id_number(row.order_id)
        if number is None or self._foreign(row):
            return None
        known = self._orders.get(number)
        if known is None and self.scope_of(row) is Scope.LATE and len(self._orders) >= MOST_BESIDE:
            return None
        if not row.status.open:
            listed_ns = push.received_ns + round(self.assumptions.staleness_s * SECOND_NS)
            fate = self._saw_final(row, push, listed_ns)
            self.heard_ns = self.heard_ns if fate is None else max(self.heard_ns, push.received_ns)
            return fate
        if known is None:
            # One placed after the signing would only ever be heard of: it is not looked for.
            if self._ended_before(number) is None and self.scope_of(row) is not Scope.LATE:
                self._orders[number] = _Known(row, push.source, push.server_ms, hearsay=True)
        elif known.final:
            # A late push tells of before. Only one of afterwards contradicts.
            ended_ms = known.order.updated_ms
            if row.updated_ms is not None and ended_ms is not None and row.updated_ms > ended_ms:
                self.odd(f"order {row.order_id} was told open after it was final")
        elif known.source == "client":
            known.order = row
        return None

    def _saw_open(self, row: Row, listing: Listing) -> OrderFate | None:
        number = id_number(row.order_id)
        if number is None or self._disowned(row, number):
            return None
        known = self._orders.get(number)
        if known is None and (before := self._ended_before(number)) is not None:
            del self._ended[number]
            known = self._orders[number] = before
        if known is not None and known.final:
            # The final row absorbs: this order is not open, whatever is shown. A listing that was requested before
            # the proof may show it rightly, and is then no clear one; a later one comes from a lagging replica.
            if listing.requested_ns <= known.proved_ns:
                known.shown_ns = max(known.shown_ns, listing.requested_ns)
            else:
                self.odd(f"order {row.order_id} was listed open after it was final")
            return None
        new = known is None or known.source == "client" or known.hearsay
        if known is None:
            known = self._orders[number] = _Known(row, listing.source)
        known.hearsay = False
        if listing.requested_ns >= known.shown_ns:
            known.order, known.source, known.server_ms = row, listing.source, listing.server_ms
            known.shown_ns = listing.requested_ns
            if row.status.open:
                known.open_ns = listing.requested_ns
            else:
                # Shown, so not cleared; but a status that is not an open one does not prove it open either.
                self.odd(f"order {row.order_id} was listed open with status {row.status.value!r}")
        return self._fate(known) if new else None

    def _ended_before(self, number: int) -> _Known | None:
        """An order that is proven to have ended before the signing, or `None`; forgotten if its row cannot be read."""
        before = self._ended.get(number)
        if before is None:
            return None
        row = before.row()
        if not self._readable(row):
            del self._ended[number]
            return None
        told, proved_ns = (before.source, before.server_ms), before.proved_ns
        return _Known(row, *told, final=True, proved_ns=proved_ns, pushed=before.pushed)

    def _readable(self, row: Row) -> bool:
        """Whether a final row can be a proof."""
        if row.unreadable:
            self.odd(f"order {row.order_id} has a final status and fields that cannot be read")
        return not row.unreadable

    def _saw_final(self, seen: Glance, read: Page | Push, proved_ns: int) -> OrderFate | None:
        number = id_number(seen.order_id)
        if number is None or self._disowned(seen, number):
            return None
        known, pushed = self._orders.get(number), isinstance(read, Push)
        if known is not None and known.final:
            if seen.status.final:
                self._saw_again(known, read.whole(seen), proved_ns, pushed=pushed)
            return None
        if not seen.status.final:
            if seen.status.name == "UNKNOWN":
                self.odd(f"order {seen.order_id} has the unknown status {seen.status.value!r}")
            return None
        concerned = self._swept_or_late(seen)
        if known is None and not concerned:
            self._ended[number] = _Before(read.later(seen), read.source, read.server_ms, proved_ns, pushed)
            return None
        row = read.whole(seen)
        if not self._readable(row):
            return None
        if known is None or known.hearsay:
            if not concerned:
                del self._orders[number]
                self._ended[number] = _Before(read.later(seen), read.source, read.server_ms, proved_ns, pushed)
                return None
            known = self._orders[number] = _Known(row, read.source, hearsay=pushed)
        if row.created_ms is None and known.order.created_ms is not None:
            self.odd(f"order {row.order_id} came without its creation time")
        known.order, known.source, known.server_ms = row, read.source, read.server_ms
        known.final, known.proved_ns, known.pushed = True, proved_ns, pushed
        return self._fate(known)

    def _saw_again(self, known: _Known, row: Row, proved_ns: int, *, pushed: bool) -> None:
        """Another final row of an order must say the same; one that was read tells more than a pushed one."""
        if row.status is not known.order.status:
            self.odd(f"order {row.order_id} was told both {known.order.status.value} and {row.status.value}")
        elif known.pushed and not pushed and not row.unreadable:
            known.order, known.pushed, known.hearsay = row, False, False
            known.proved_ns = min(known.proved_ns, proved_ns)

    def _swept_or_late(self, row: Glance) -> bool:
        """Whether a finished order that no listing showed concerns us: it ended at the signing or after it."""
        bounds = self.sign_bounds
        return bounds is not None and row.updated_ms is not None and row.updated_ms >= bounds[0]

    def _follow(self, page: Page, found: bool, moved: bool) -> None:
        """
        Note from which moment on "the history of the symbol was read".

        1. The symbol's pages from the top, each below the last, until one is short or shows nothing that the sweep
           can have taken. 2. Or one page of the account from the top that reaches down past the oldest order in
           scope and shows none of ours that we did not know. 3. If that was read before the rows came, a page further
           down may be the first to show them: then those below it are owed, for the same reason.
        """
        if page.symbol is None:
            oldest = self.oldest
            deep = page.last or (oldest is not None and bool(page.numbers) and min(page.numbers) <= oldest)
            if page.below is None and deep and not found:
                insort(self._pages_ns, page.requested_ns)
            return
        lowest = min(page.numbers, default=0)
        swept = [number for row in page.rows if self._swept(row) and (number := id_number(row.order_id)) is not None]
        ends = page.last or not (swept or self._above(page))
        if not ends and page.below is not None and lowest >= page.below:
            self.odd("a page of the history did not follow its cursor and was not counted")
        elif page.below is None or (self._chain is not None and self._chain[1] == page.below):
            since = page.requested_ns if page.below is None or self._chain is None else self._chain[0]
            self._chain = None if ends else (since, lowest)
            if ends:
                insort(self._pages_ns, since)
                self._reach(min(swept, default=page.below), page.last)
        elif not ends and moved:
            self._owed = lowest if self._owed is None else min(self._owed, lowest)
        elif ends and self._owed is not None and (page.below == self._owed or (page.last and page.below > self._owed)):
            self._reach(min(swept, default=page.below), page.last)

    def _above(self, page: Page) -> bool:
        """
        Whether what was swept may stand below a page that shows nothing of it: days after it there are pages of nothing
        but newer orders. Where orders in scope are known, the history need not be read for them.
        """
        if not self.blind or self.oldest is not None:
            return False
        return bool(page.numbers) and all(self.scope_of(row) is Scope.LATE for row in page.rows)

    def _reach(self, number: int | None, last: bool) -> None:
        """What the sweep took was read down to that id; with `last` nothing lies below the page."""
        if self._owed is not None and (last or (number is not None and number <= self._owed)):
            self._owed = None

    def _swept(self, row: Glance) -> bool:
        """Whether the sweep can have taken this finished order."""
        return self._swept_or_late(row) and self.scope_of(row) is not Scope.LATE

    # -- what follows from them -------------------------------------------------------------------------------

    @property
    def fates(self) -> tuple[OrderFate, ...]:
        """Every order known, oldest id first."""
        return tuple(self._fate(self._orders[number]) for number in sorted(self._orders))

    @property
    def size(self) -> int:
        """How many orders are known, late ones too."""
        return len(self._orders)

    @property
    def ended(self) -> int:
        """How many of them are final."""
        return sum(each.final for each in self._orders.values())

    @property
    def missing(self) -> list[int]:
        """Ids in scope without a final row that the last listing did not show open, oldest first."""
        last = self.last_listing_ns
        return sorted(number for number, known in self._required() if not known.final and known.shown_ns < last)

    @property
    def oldest(self) -> int | None:
        """The smallest id in scope, or `None` if no order is."""
        return min((number for number, _ in self._required()), default=None)

    @property
    def snapshot_known(self) -> bool:
        """Whether what was open before its answer is known."""
        if self.snapshot is not None:
            return self.snapshot
        first = self._listings[0][0] if self._listings else None
        return first is not None and (self.answered_ns is None or first <= self.answered_ns)

    @property
    def blind(self) -> bool:
        """Whether it was resumed without that: then nothing found does not mean that nothing was there."""
        return self.snapshot is False

    @property
    def open_ids(self) -> list[str]:
        """Ids in scope that the last listing showed open, oldest first."""
        last = max(self.last_listing_ns, 0)
        shown = {number: each.order for number, each in self._required() if not each.final and each.shown_ns >= last}
        return [shown[number].order_id for number in sorted(shown)]

    @property
    def last_listing_ns(self) -> int:
        """When the newest complete listing was requested; -1 before the first."""
        return self._listings[-1][0] if self._listings else -1

    @property
    def clear_since_ns(self) -> int | None:
        """The first deciding listing that shows no order in scope and that no later one contradicts, or `None`."""
        clear = self._clear_from(self.deciding_ns)
        return None if clear is None else clear[0]

    @property
    def foretold(self) -> bool:
        """Whether pushes say that a listing will be clear: orders in scope are known, and all have ended."""
        if self.heard_ns < 0:
            return False
        found = False
        for _, known in self._required():
            if not known.final:
                return False
            found = True
        return found

    @property
    def has_run(self) -> bool:
        """
        Whether an order of before the signing was cancelled since; or was open and is gone, not known to have filled:
        the command has run, then. A listing older than the order does not show that it is gone. An order that may be
        younger than the command shows nothing: it can have ended by itself, as one that must fill at once does.
        """
        if self.has_cancelled:
            return True
        stale_ms = round(self.assumptions.staleness_s * 1_000)
        told_ms = self._listings[-1][1] - stale_ms if self._listings else 0
        return any(
            not known.final
            and 0 <= known.shown_ns < self.last_listing_ns
            and known.order.created_ms is not None
            and known.order.created_ms <= told_ms
            and self._older(known.order)
            for _, known in self._required()
        )

    @property
    def has_cancelled(self) -> bool:
        """Whether an order of before the signing is proven cancelled since."""
        return any(
            known.final
            and final_fate(known.order.status) is Fate.CANCELLED
            and self._swept_or_late(known.order)
            and self._older(known.order)
            for known in self._orders.values()
        )

    @property
    def paged_ns(self) -> int:
        """When the newest history that counts as read was requested; -1 before the first."""
        return self._pages_ns[-1] if self._pages_ns else -1

    @property
    def history_read(self) -> bool:
        """Whether the history of the symbol was requested no earlier than the deciding listing."""
        clear = self.clear_since_ns
        return clear is not None and self.paged_ns >= clear and self._owed is None

    @property
    def history_below(self) -> int | None:
        """Where the next history page of the symbol begins: `None` for the top."""
        clear = self.clear_since_ns
        if clear is not None and self.paged_ns >= clear:
            return self._owed
        return None if self._chain is None or clear is None or self._chain[0] < clear else self._chain[1]

    def outcome(self) -> Outcome | None:
        """
        What is proven so far, or `None`.

        1. CONFIRMED: the deciding listing is clear, the history was read, every order in scope has its final row,
           and there is at least one.
        2. NOTHING_TO_CANCEL: the same with no order at all.
        3. STILL_OPEN: after the horizon a listing showed an order in scope open, and no newer one shows it gone.
        """
        if self.answered_ns is None or self.sign_bounds is None:
            return None
        required = [known for _, known in self._required()]
        unproven = [known for known in required if not known.final]
        if self.history_read and not unproven:
            return Outcome.CONFIRMED if required else Outcome.NOTHING_TO_CANCEL
        since_ns = max(self.horizon_ns, self.last_listing_ns)
        if any(known.open_ns >= since_ns for known in unproven):
            return Outcome.STILL_OPEN
        return None

    @property
    def clear_ms(self) -> int | None:
        """The exchange's time of the first listing that says "cleared", or that decides."""
        clear = self._clear_from(self.deciding_ns)
        return self.cleared_ms if self.cleared_ms is not None or clear is None else clear[1]

    def again(self) -> Sweep:
        """The same command and orders, for another round of looking: every listing and page has to be read anew."""
        fresh = Sweep(self.symbol, self.book, bounds_ms=self.bounds_ms, assumptions=self.assumptions)
        fresh.certainty, fresh.answered_ns = self.certainty, self.answered_ns
        fresh.signed(self.signed_ns, self.signed_ms)
        fresh.anomalies = list(self.anomalies)
        fresh.snapshot = True if self.snapshot_known else self.snapshot
        unseen = {"shown_ns": -1, "open_ns": -1}
        fresh._orders = {number: msgspec.structs.replace(known, **unseen) for number, known in self._orders.items()}
        return fresh

    def why_unknown(self) -> str:
        """The reason to give when time runs out."""
        if not any(moment >= self.signed_ns for moment, _ in self._listings):
            return "unreadable"
        fates = [fate.fate for fate in self.fates if fate.scope is not Scope.LATE]
        return "vanished" if Fate.VANISHED in fates and Fate.OPEN not in fates else "deadline"

    def scope_of(self, order: Glance) -> Scope:
        """
        IN if it was created by the signing as far as can be known, BOUNDARY inside the uncertainty, LATE after.

        An order whose creation time cannot be read is required: leaving it out would be a claim.
        """
        bounds = self.sign_bounds
        if bounds is None or order.created_ms is None or order.created_ms <= bounds[0]:
            return Scope.IN
        return Scope.BOUNDARY if order.created_ms <= bounds[1] else Scope.LATE

    def _required(self) -> Iterator[tuple[int, _Known]]:
        """All that are not LATE by `scope_of`, with the exchange's clock looked up once: there may be thousands."""
        bounds = self.sign_bounds
        for number, known in self._orders.items():
            made_ms = known.order.created_ms
            if bounds is None or made_ms is None or made_ms <= bounds[1]:
                yield number, known

    def _scope(self, known: _Known) -> Scope:
        return self.scope_of(known.order)

    def _older(self, row: Glance) -> bool:
        """Whether an order was certainly created before the signing."""
        bounds = self.sign_bounds
        return bounds is not None and row.created_ms is not None and row.created_ms <= bounds[0]

    def _foreign(self, row: Glance) -> bool:
        """Whether a row stands in another list than the one that the command takes."""
        return self.book is Book.NORMAL and getattr(row, "tpsl_type", None) == "tpsl"

    def _disowned(self, row: Glance, number: int) -> bool:
        """The same; and forget it if it was only heard of: the stream does not tell which list an order stands in."""
        foreign = self._foreign(row)
        known = self._orders.get(number)
        if foreign and known is not None and known.hearsay:
            del self._orders[number]
        return foreign

    def _fate(self, known: _Known) -> OrderFate:
        if known.final:
            fate = final_fate(known.order.status)
        else:
            fate = Fate.OPEN if known.shown_ns >= max(self.last_listing_ns, 0) else Fate.VANISHED
        return order_fate(known.order, fate, self._scope(known), known.source, known.server_ms)

    def _last_shown_ns(self) -> int:
        return max((known.shown_ns for _, known in self._required()), default=-1)

    def _look_cleared(self) -> None:
        """Note the first complete listing after the answer that shows no order in scope."""
        if self.cleared_ms is None and self.answered_ns is not None:
            clear = self._clear_from(self.answered_ns)
            self.cleared_ms = None if clear is None else clear[1]

    def _clear_from(self, floor_ns: int) -> tuple[int, int] | None:
        """The first complete listing requested from then on that is newer than all that showed an order in scope."""
        after = max(floor_ns, self._last_shown_ns() + 1)
        return next((listing for listing in self._listings if listing[0] >= after), None)
