"""
What is known of orders that a command names: each is to end, to exist, or to have new values.

An order is named by its id, or by its client id where the id is not known yet. A client id is unique only among
pending orders: a row is taken for ours only if its times fit the command.

    it is to end          proven by a row with a final status
    it is to exist        proven by any row of it with a status that we know
    it is to change       proven by a row with the new values

The contrary is proven by reads requested when the command can do nothing any more: a row that shows it still open or
unchanged; for a placement without an answer, all of: a complete open listing, orderInfo, and the history down to the
signing, none of which shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bitget_async.evidence.facts import SECOND_NS, Book, Certainty, Command, Glance, Listing, Page, Push, Row, id_number
from bitget_async.evidence.target import Target, Verdict, Want
from bitget_async.models import Fate, Order, OrderFate, Placement, PlacementOutcome, Scope, TriggerOrder
from bitget_async.models.reports import final_fate, order_fate, order_view

__all__ = ["Named"]


class Named(msgspec.Struct, eq=False):
    """
    Everything known about the orders of one call.

    Args:
        targets: the orders, in the order in which they were given.
        book: the list that they stand in.
    """

    targets: tuple[Target, ...]
    book: Book = Book.NORMAL
    anomalies: list[str] = msgspec.field(default_factory=list)
    cleared_ms: int | None = None
    read_ns: int = -1
    _chains: dict[str | None, tuple[int, int]] = msgspec.field(default_factory=dict)
    symbols: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.symbols = frozenset(target.symbol for target in self.targets)

    def odd(self, what: str) -> None:
        """Note an anomaly, once."""
        if what not in self.anomalies:
            self.anomalies.append(what)

    # -- facts ------------------------------------------------------------------------------------------------

    def saw_listing(self, listing: Listing) -> list[Target]:
        """Take in a listing that covers them; returns the orders of which something new became known."""
        if not listing.complete:
            return []
        self.read_ns = max(self.read_ns, listing.requested_ns)
        mine = [target for target in self.targets if listing.symbol in (None, target.symbol)]
        changed = self._saw(mine, listing)
        for target in mine:
            if max(target.shown_ns, target.hidden_ns) < listing.requested_ns:
                target.listed_ns = max(target.listed_ns, listing.requested_ns)
        self._end(changed, listing.server_ms)
        return changed

    def saw_page(self, page: Page) -> list[Target]:
        """Take in finished rows, or the answer of orderInfo; returns the orders of which something new is known."""
        self.read_ns = max(self.read_ns, page.requested_ns)
        mine = [target for target in self.targets if page.symbol in (None, target.symbol)]
        changed = self._saw(mine, page)
        if page.asked is not None:
            for target in mine:
                asked = page.asked == target.order_id or (
                    page.asked == target.client_oid and target.findable(page.server_ms)
                )
                if asked and max(target.shown_ns, target.hidden_ns) < page.requested_ns:
                    target.asked_ns = max(target.asked_ns, page.requested_ns)
        else:
            self._follow(page, mine)
        self._end(changed, page.server_ms)
        return changed

    def saw_push(self, push: Push) -> list[Target]:
        """
        Take in what the stream told; returns the orders of which something new became known. A final row ends an order,
        any row shows that it exists; that it is still open, or absent, only reads show.
        """
        changed = []
        for row in push.rows:
            for target in self.targets:
                if target.called(row) and self._hear(target, row, push):
                    changed.append(target)
        if changed:
            self._end(changed, push.server_ms)
        return changed

    def _hear(self, target: Target, row: Row, push: Push) -> bool:
        """Take in a pushed row of an order; returns whether it told anything new."""
        if target.final:
            known = target.row
            if row.status.final and known is not None and row.status is not known.status:
                self.odd(f"order {row.order_id} was told both {known.status.value} and {row.status.value}")
            return False
        if not self._credible(row) or (row.status.open and not target.stirred(row)):
            return False
        target.order_id = target.order_id or row.order_id
        target.row, target.source, target.server_ms = row, push.source, push.server_ms
        target.final = target.pushed = row.status.final
        if target.final:
            stale_ns = round(target.command.assumptions.staleness_s * SECOND_NS)
            target.shown_ns = max(target.shown_ns, push.received_ns + stale_ns)
        return True

    def _saw(self, targets: list[Target], read: Listing | Page) -> list[Target]:
        source, requested_ns, server_ms = read.source, read.requested_ns, read.server_ms
        alone = isinstance(read, Page) and read.asked is not None
        by_id, by_oid = read.by_id, read.by_oid
        changed = []
        for target in targets:
            named = [each for each in by_oid.get(target.client_oid, ()) if target.client_oid and target.fits(each)]
            row = None if target.order_id is None else by_id.get(id_number(target.order_id))
            if row is not None and target.client_oid and row.client_oid not in ("", target.client_oid):
                self.odd(f"the answer named order {row.order_id}, which has another client id than {target.client_oid}")
                row, target.order_id, target.certainty = None, None, Certainty.MAYBE
            if target.order_id is None:
                row = next((each for each in named if id_number(each.order_id) is not None), None)
            others = () if target.order_id else (*by_oid.get(target.client_oid, ()), *by_oid.get("", ()))
            ours = row is not None or any(target.may_be(read.whole(each), alone=alone) for each in others)
            if row is not None and self._show(target, read.whole(row), source, requested_ns, server_ms):
                changed.append(target)
            if ours and target.shown_ns < requested_ns:
                target.hidden_ns = max(target.hidden_ns, requested_ns)
            if target.want is Want.PRESENT and any(each.order_id != target.order_id for each in named):
                self.odd(f"another order carries the client id {target.client_oid}")
            if target.want is Want.FINAL and target.order_id is None and target.client_oid:
                self._note_earlier(target, by_oid.get(target.client_oid, ()), read)
        return changed

    @staticmethod
    def _note_earlier(target: Target, named: Sequence[Glance], read: Listing | Page) -> None:
        """Keep the newest order with its client id that had ended before the signing."""
        bounds = target.command.sign_bounds
        for seen in named:
            row, known = read.whole(seen), target.earlier
            number = id_number(row.order_id)
            past = bounds is not None and row.created_ms is not None and row.created_ms <= bounds[1]
            if number is None or not past or not row.status.final or row.unreadable:
                continue
            if known is None:
                # What was read before need not reach down to that one: see `deep`.
                target.paged_ns = -1
            if known is None or number > int(known[0].order_id):
                target.earlier = (row, read.source, read.server_ms)

    def _show(self, target: Target, row: Row, source: str, requested_ns: int, server_ms: int) -> bool:
        """Take in a row of an order; returns whether it told anything new."""
        status = row.status
        if target.final:
            if status.final and target.row is not None and status is not target.row.status:
                self.odd(f"order {row.order_id} was told both {target.row.status.value} and {status.value}")
            elif not status.final and requested_ns > target.shown_ns:
                self.odd(f"order {row.order_id} was told open after it was final")
            elif status.final and target.pushed and not row.unreadable:
                target.row, target.pushed = row, False
            return False
        if not self._credible(row):
            return False
        if not status.final and requested_ns < target.shown_ns:
            return False
        new = target.row is None or status.final or status is not target.row.status
        target.order_id = target.order_id or row.order_id
        target.row, target.source, target.server_ms = row, source, server_ms
        target.final = status.final
        target.shown_ns = max(target.shown_ns, requested_ns)
        if status.open:
            target.open_ns = max(target.open_ns, requested_ns)
        return new or target.want is Want.CHANGED

    def _credible(self, row: Row) -> bool:
        """Whether a row can be evidence: its status is one that we know, and if it is final, nothing is unreadable."""
        if not row.status.final and not row.status.open:
            self.odd(f"order {row.order_id} has the unknown status {row.status.value!r}")
            return False
        if row.status.final and row.unreadable:
            self.odd(f"order {row.order_id} has a final status and fields that cannot be read")
            return False
        return True

    def _follow(self, page: Page, mine: list[Target]) -> None:
        """Note from which moment on the history was read, page below page, down to the signing of the targets."""
        if page.below is None:
            since = page.requested_ns
        else:
            known = self._chains.get(page.symbol)
            if known is None or known[1] != page.below:
                return
            since = known[0]
        left = False
        for target in mine:
            if page.last or not page.rows or target.deep(page):
                if max(target.shown_ns, target.hidden_ns) < since:
                    target.paged_ns = max(target.paged_ns, since)
            elif target.verdict(self.book) is None:
                left = True
        lowest = min(page.numbers, default=None)
        if left and lowest is not None and (page.below is None or lowest < page.below):
            self._chains[page.symbol] = (since, lowest)
        else:
            self._chains.pop(page.symbol, None)

    def _end(self, changed: list[Target], server_ms: int) -> None:
        """
        Draw what follows from all reads together: an order named by its client id alone that ended before the signing,
        once nothing shows another one; and the moment at which none is open any more.
        """
        for target in self.targets:
            if target.earlier is None or target.row is not None:
                continue
            if target.absent_ns(self.book) >= target.command.deciding_ns:
                target.row, target.source, target.server_ms = target.earlier
                target.order_id, target.final = target.row.order_id, True
                changed.append(target)
        if self.cleared_ms is None and all(self._ended(target) for target in self.targets):
            self.cleared_ms = server_ms

    @staticmethod
    def _ended(target: Target) -> bool:
        """Whether it is known not to be open, if it was to end."""
        answered_ns = target.command.answered_ns
        if target.want is not Want.FINAL or target.final:
            return answered_ns is not None
        return answered_ns is not None and target.listed_ns >= answered_ns

    # -- what follows from them -------------------------------------------------------------------------------

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands, in the order of their first targets."""
        return tuple({id(target.command): target.command for target in self.targets}.values())

    @property
    def answered_ns(self) -> int | None:
        """When the last answer came; `None` while one is missing."""
        moments = [command.answered_ns for command in self.commands]
        return None if None in moments else max(moment for moment in moments if moment is not None)

    @property
    def horizon_ns(self) -> int:
        """A read requested from this moment on shows what the commands did: they can do nothing any more."""
        return max(command.horizon_ns for command in self.commands)

    @property
    def certainty(self) -> Certainty:
        """What is known of the commands together: the least certain one's."""
        known = {command.certainty for command in self.commands}
        for each in (Certainty.PENDING, Certainty.MAYBE, Certainty.REFUSED):
            if each in known:
                return each
        return Certainty.ACKED

    @property
    def left(self) -> list[Target]:
        """The orders of which nothing is proven yet."""
        return [target for target in self.targets if target.verdict(self.book) is None]

    @property
    def named(self) -> bool:
        """Whether all its orders are to end, and are known by their ids."""
        return all(target.want is Want.FINAL and target.order_id is not None for target in self.targets)

    @property
    def settled(self) -> bool:
        """Whether something is proven of every order."""
        return self.answered_ns is not None and all(target.verdict(self.book) is not None for target in self.targets)

    def fate(self, target: Target) -> OrderFate:
        """What is known of an order that is to end."""
        row: Row = target.row or Order(
            order_id=target.order_id or "", client_oid=target.client_oid, symbol=target.symbol
        )
        if target.final:
            fate = final_fate(row.status)
        else:
            fate = Fate.OPEN if 0 <= target.open_ns >= target.listed_ns else Fate.VANISHED
        return order_fate(row, fate, Scope.IN, target.source, target.server_ms)

    def placement(self, target: Target) -> Placement:
        """What is known of an order that is to exist."""
        verdict = target.verdict(self.book)
        outcomes = {Verdict.DONE: PlacementOutcome.PLACED, Verdict.NOT_DONE: PlacementOutcome.NOT_PLACED}
        return Placement(
            client_oid=target.client_oid,
            order_id=target.order_id,
            outcome=PlacementOutcome.UNKNOWN if verdict is None else outcomes[verdict],
            order=None if target.row is None else order_view(target.row),
            source=target.source,
            server_ms=target.server_ms,
            refusal=target.refusal if verdict is Verdict.NOT_DONE else None,
            trigger=target.row if isinstance(target.row, TriggerOrder) else None,
        )

    @property
    def hopeless(self) -> bool:
        """Whether no read can tell anything: the orders that are left have no name by which to find them."""
        left = self.left
        return bool(left) and not any(target.order_id or target.client_oid for target in left)

    def next_over_ns(self, now: int) -> int | None:
        """The next moment from which on a read can prove the contrary, or `None`."""
        moments = [target.over_ns for target in self.left]
        moments += [target.command.deciding_ns for target in self.left if target.earlier is not None]
        return min((moment for moment in moments if moment > now), default=None)

    def history_below(self, symbol: str | None, since_ns: int) -> int | None:
        """Where the next history page begins, if one that was begun from that moment on is not at its end yet."""
        chain = self._chains.get(symbol)
        return chain[1] if chain is not None and chain[0] >= since_ns else None

    def again(self) -> Named:
        """The same commands and orders, for another round of looking: what was read stays, absence is read anew."""
        fresh = [
            msgspec.structs.replace(target, open_ns=-1, listed_ns=-1, asked_ns=-1, paged_ns=-1, hidden_ns=-1)
            for target in self.targets
        ]
        made = Named(tuple(fresh), self.book)
        made.anomalies = list(self.anomalies)
        return made

    def why_unknown(self) -> str:
        """The reason to give when time runs out."""
        if self.read_ns < 0:
            return "unreadable"
        left = self.left
        if any(target.row is not None and target.listed_ns > target.shown_ns for target in left):
            return "vanished"
        return "not_found" if any(target.row is None for target in left) else "deadline"
