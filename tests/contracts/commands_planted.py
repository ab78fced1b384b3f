"""Bugs of pending commands, as clients of this exchange have them, planted into ours: the judge must find each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bitget_async import cancellation, commands, evidence, reading, session, tasks, watcher
from bitget_async.errors import OutcomeUnknown
from bitget_async.evidence import Certainty, Command, Named, Target, Verdict, Want
from bitget_async.evidence.target import has_values
from bitget_async.models import Order, OrderStatus

from .planting import patched, plant

SECOND_NS = 1_000_000_000


def ended(target: Target) -> None:
    """The bug's belief: it was cancelled, with nothing filled."""
    target.order_id = target.order_id or "1"
    target.row = Order(order_id=target.order_id, client_oid=target.client_oid, status=OrderStatus("cancelled"))
    target.final = True


@plant("a_placement_that_got_lost_is_not_placed_once_it_cannot_appear", 8, 9)
def receive_window_not_waited_for() -> Iterator[None]:
    """Complete reads without the order, at once: NOT_PLACED."""
    original = Target.over_ns.fget  # type: ignore[attr-defined]

    def over_ns(self: Target) -> int:
        return self.command.deciding_ns if self.want is Want.PRESENT else original(self)

    with patched(Target, "over_ns", property(over_ns)):
        yield


@plant("order_info_is_down_and_the_history_late", 41)
def not_placed_without_order_info() -> Iterator[None]:
    """A listing and the history without the order: NOT_PLACED, though it may have filled and the history lags."""

    def absent_ns(self: Target, book: Any) -> int:
        return min(self.listed_ns, self.paged_ns)

    with patched(Target, "absent_ns", absent_ns):
        yield


@plant("a_batch_without_an_answer", 9, 39)
def not_placed_by_one_empty_listing() -> Iterator[None]:
    """The first listing without the order decides."""
    original = Target.verdict

    def verdict(self: Target, book: Any) -> Verdict | None:
        missing = self.want is Want.PRESENT and self.certainty is Certainty.MAYBE and self.row is None
        answered = self.command.answered_ns is not None
        return Verdict.NOT_DONE if answered and missing and self.listed_ns >= 0 else original(self, book)

    with patched(Target, "verdict", verdict):
        yield


@plant("order_not_found_asks_what_became_of_it", 28, 31)
def order_not_found_taken_as_cancelled() -> Iterator[None]:
    """43001 to a cancel: the order is called cancelled."""
    original = commands.Commander._send

    async def send(self: Any, course: Any, part: Any, max_wait_s: Any) -> None:
        await original(self, course, part, max_wait_s)
        if part.command.heard and part.command.certainty is Certainty.MAYBE:
            for target in part.targets:
                if target.want is Want.FINAL:
                    ended(target)

    with patched(commands.Commander, "_send", send):
        yield


@plant("a_replacement_without_an_answer", 33)
def failure_inside_success_taken_as_success() -> Iterator[None]:
    """The envelope says 00000: every replacement in it is called done."""
    original = commands.read_replacements

    def read(ack: Any, targets: Sequence[Target], odd: Any) -> None:
        original(ack, targets, odd)
        for old, new in zip(targets[::2], targets[1::2], strict=True):
            ended(old)
            new.order_id = new.order_id or "1"
            new.row = Order(order_id=new.order_id, client_oid=new.client_oid)

    from bitget_async import desk

    with patched(desk, "read_replacements", read):
        yield


@plant("acknowledged_is_not_placed", 32)
def acknowledged_taken_as_placed() -> Iterator[None]:
    """An answer with an id is an order."""
    original = Target.verdict

    def verdict(self: Target, book: Any) -> Verdict | None:
        acked = self.want is Want.PRESENT and self.certainty is Certainty.ACKED
        return Verdict.DONE if acked and self.command.answered_ns is not None else original(self, book)

    with patched(Target, "verdict", verdict):
        yield


@plant("a_client_id_is_used_again", 38)
def client_id_compared_without_times() -> Iterator[None]:
    """Whatever carries the client id is ours, also the order of that name before it."""

    def fits(self: Target, row: Any) -> bool:
        return bool(self.client_oid) and row.client_oid == self.client_oid

    with patched(Target, "fits", fits):
        yield


@plant("a_lost_answer_to_a_placement_is_found_by_the_client_id", 6, 10)
def resent_after_a_lost_answer() -> Iterator[None]:
    """A command without an answer is sent once more."""
    original = session.Session._pause_s

    def pause_s(self: Any, row: Any, error: Any, tries: int, left_s: float, **options: Any) -> float | None:
        if isinstance(error, OutcomeUnknown) and tries == 1:
            return 0.1
        return original(self, row, error, tries, left_s, **options)

    with patched(session.Session, "_pause_s", pause_s):
        yield


@plant("a_refusal_of_order_info_is_an_answer", 45)
def order_not_found_of_order_info_is_a_failed_read() -> Iterator[None]:
    """OrderInfo's refusal of an unknown id counts as no answer: what is absent is never proven absent."""

    class NeverError(Exception):
        """Nobody raises it."""

    with patched(reading, "OrderNotFound", NeverError):
        yield


@plant("the_answer_to_a_cancel_names_another_order", 19)
def any_id_in_the_answer_is_ours() -> Iterator[None]:
    """The id in an answer is taken, whatever was asked for."""

    def name(order_id: str, client_oid: str | None, target: Target, odd: Any) -> None:
        target.order_id, target.certainty = order_id, Certainty.ACKED

    with patched(commands, "_name", name):
        yield


@plant("an_answer_names_the_order_of_somebody_else", 19)
def client_id_of_the_answered_order_not_compared() -> Iterator[None]:
    """A row with the id of the answer is ours, whatever client id it carries."""
    original = Named._saw

    def saw(self: Named, targets: list[Target], read: Any) -> Any:
        named = {id(each): each.client_oid for each in targets if each.order_id is not None}
        for each in targets:
            if id(each) in named:
                each.client_oid = ""
        try:
            return original(self, targets, read)
        finally:
            for each in targets:
                each.client_oid = named.get(id(each), each.client_oid)

    with patched(Named, "_saw", saw):
        yield


@plant("a_quote_behind_the_fence_is_not_swept", 37)
def fence_removed() -> Iterator[None]:
    """Placements go at once, whatever is being swept, and nobody notes it."""

    async def fence(self: Any, symbols: Any, max_wait_s: Any) -> Any:
        return max_wait_s

    with (
        patched(cancellation.Canceller, "fence", fence),
        patched(watcher.Watcher, "_note_placements", lambda self, course: None),
    ):
        yield


@plant("a_quote_behind_the_fence_is_not_swept", 39)
def fence_opened_by_an_empty_listing() -> Iterator[None]:
    """Cleared is enough: nothing has to show that the sweep has run."""
    with patched(evidence.Sweep, "has_run", property(lambda self: True)):
        yield


@plant("a_quote_without_the_fence_is_named", 37)
def swept_placements_not_named() -> Iterator[None]:
    """The cancellation does not know what this client placed meanwhile."""
    with patched(watcher, "_placing", lambda course, sweep: {}):
        yield


@plant("many_ids_each_with_its_own_fate", 33)
def batch_items_matched_by_position() -> Iterator[None]:
    """The first item of the answer is the first order of the batch."""

    def take(left: list[Target], order_id: str, client_oid: Any, odd: Any) -> Target | None:
        return left.pop(0) if left else None

    def name(order_id: str, client_oid: str | None, target: Target, odd: Any) -> None:
        target.order_id, target.certainty = order_id, Certainty.ACKED

    with patched(commands, "_take", take), patched(commands, "_name", name):
        yield


@plant("a_cancel_that_acts_at_the_last_moment", 8)
def horizon_without_the_grace() -> Iterator[None]:
    """A command that was accepted has acted at once."""
    horizon, finished = Command.horizon_ns.fget, Command.finished_ns.fget  # type: ignore[attr-defined]

    def less(self: Command, moment: Any) -> int:
        without: int = moment(self) - round(self.assumptions.execution_grace_s * SECOND_NS)
        return without

    with (
        patched(Command, "horizon_ns", property(lambda self: less(self, horizon))),
        patched(Command, "finished_ns", property(lambda self: less(self, finished))),
    ):
        yield


@plant("many_replacements_each_for_itself", 41)
def vanished_named_order_taken_as_cancelled() -> Iterator[None]:
    """A named order that the listing does not show any more is called cancelled."""
    original = Named.saw_listing

    def saw_listing(self: Named, listing: Any) -> Any:
        changed = original(self, listing)
        for target in self.targets:
            gone = target.want is Want.FINAL and not target.final and target.listed_ns >= 0
            if gone and target.command.answered_ns is not None:
                ended(target)
        return changed

    with patched(Named, "saw_listing", saw_listing):
        yield


@plant("a_change_is_proven_by_what_the_order_has_since", 36, 39)
def old_values_taken_as_the_change() -> Iterator[None]:
    """A listing of before the change shows the wanted values, from the time before."""

    def has_changed(self: Target) -> bool:
        return self.row is not None and self.wanted is not None and has_values(self.row, self.wanted)

    with patched(Target, "_has_changed", has_changed):
        yield


@plant("a_caller_is_cancelled_while_it_waits_for_the_answer", 48, 49)
def cancelled_caller_takes_its_command_along() -> Iterator[None]:
    """Cancelling the caller ends the command's task, also when it is on the wire."""
    original = tasks.Tasks.outliving

    async def outliving(self: Any, work: Any, name: str, *, signed: Any, closed: Any) -> Any:
        return await original(self, work, name, signed=lambda: False, closed=closed)

    with patched(tasks.Tasks, "outliving", outliving):
        yield
