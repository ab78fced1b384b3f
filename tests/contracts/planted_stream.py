"""Bugs of listening: what pushes, and their absence, are taken for. See `planting`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import structs

from bitget_async.course import SweepCourse
from bitget_async.evidence import Listing, Push, Sweep, Target, id_number
from bitget_async.hearing import Hearing

from .planting import patched, plant


@plant("an_order_that_nobody_pushed_survives", 47)
def what_is_not_pushed_is_not_there() -> Iterator[None]:
    """The stream is on, so it is believed more than a listing: a row of which no push came is an old one."""
    original = Sweep.saw_listing

    def saw_listing(self: Sweep, listing: Listing) -> Any:
        if self.heard_ns >= 0:
            heard = {number for number, known in self._orders.items() if known.final}
            rows = tuple(row for row in listing.rows if id_number(row.order_id) in heard)
            for number in [each for each in self._orders if each not in heard]:
                del self._orders[number]
            listing = structs.replace(listing, rows=rows)
        return original(self, listing)

    with patched(Sweep, "saw_listing", saw_listing):
        yield


@plant("pushes_come_twice_and_swapped", 36, 47)
def the_last_push_wins() -> Iterator[None]:
    """Frames come in order: what is pushed open is open, whatever was pushed before."""
    original = Sweep._saw_pushed

    def saw_pushed(self: Sweep, row: Any, push: Push) -> Any:
        number = id_number(row.order_id)
        known = None if number is None else self._orders.get(number)
        if known is not None and row.status.open:
            known.final = False
        return original(self, row, push)

    with patched(Sweep, "_saw_pushed", saw_pushed):
        yield


@plant("pushes_clear_nothing", 47)
def cleared_by_pushes() -> Iterator[None]:
    """All that is known has ended: so the book is empty, and no listing is needed to say so."""
    original = Sweep.saw_push

    def saw_push(self: Sweep, push: Push) -> Any:
        changed = original(self, push)
        if self.foretold and self.cleared_ms is None:
            self.cleared_ms = push.server_ms
        return changed

    with patched(Sweep, "saw_push", saw_push):
        yield


@plant("another_symbol_ends_at_the_same_time", 47)
def pushes_of_any_symbol_settle() -> Iterator[None]:
    """One channel tells of all symbols, and nobody looks which."""
    original = Hearing.told

    def told(self: Hearing, updates: Any, received_ns: int) -> Any:
        for course in [each for each in self._names if isinstance(each, SweepCourse)]:
            rows = [structs.replace(row, symbol=course.symbol) for row in updates]
            yield from original(self, rows, received_ns)

    with patched(Hearing, "told", told):
        yield


@plant("an_order_comes_while_the_stream_is_away", 39, 47)
def nothing_is_missed_while_the_stream_is_away() -> Iterator[None]:
    """It is on again: what it says of all orders is as good as the deciding listing."""
    original: Any = Sweep.clear_since_ns

    def clear_since_ns(self: Sweep) -> int | None:
        return self.deciding_ns if self.foretold else original.fget(self)

    with patched(Sweep, "clear_since_ns", property(clear_since_ns)):
        yield


@plant("a_live_push_comes_when_everything_is_over", 36, 47)
def pushed_open_is_open_now() -> Iterator[None]:
    """An order that is pushed open is open for as long as a listing may be old: after the horizon it has survived."""
    original = Sweep._saw_pushed

    def saw_pushed(self: Sweep, row: Any, push: Push) -> Any:
        fate = original(self, row, push)
        number = id_number(row.order_id)
        known = None if number is None else self._orders.get(number)
        if known is not None and row.status.open and not known.final:
            known.open_ns = known.shown_ns = push.received_ns + round(self.assumptions.staleness_s * 1e9)
        return fate

    with patched(Sweep, "_saw_pushed", saw_pushed):
        yield


@plant("a_push_of_an_order_that_had_the_client_id_before", 36, 47)
def a_client_id_is_name_enough_in_a_push() -> Iterator[None]:
    """Whatever is pushed with the client id is the order of that name, whenever it lived."""
    original = Target.called

    def called(self: Target, row: Any) -> bool:
        return original(self, row) or (bool(self.client_oid) and row.client_oid == self.client_oid)

    with patched(Target, "called", called):
        yield
