"""
A script of misbehaviour: which request meets which fault.

Make a fault with one of the functions below, combine two with `|`, and play it with `exchange.faults.add`. The
right-hand fault of `|` wins where both say something; the request is executed only if both let it be.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bitget_async.sim.settings import Delay
from bitget_async.sim.truth import WireCopy

__all__ = [
    "Answer",
    "Entry",
    "Fault",
    "FaultScript",
    "Inner",
    "bad_number",
    "delayed",
    "drop",
    "duplicated_rows",
    "edited_data",
    "edited_query",
    "edited_rows",
    "envelope",
    "executed_in_part",
    "executed_late",
    "half_replaced",
    "hang",
    "ignored_cursor",
    "inner_failure",
    "never_executed",
    "page",
    "processed_twice",
    "raw",
    "redirect",
    "repeated_page",
    "reset",
    "shuffled_rows",
    "status_text",
    "truncated",
    "wrong_echo",
]

Row = dict[str, object]


class Scene(NamedTuple):
    """What an edit may use: the fault generator, and the `data` of the previous answer of this endpoint and account."""

    dice: random.Random
    previous: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes out instead of the exchange's own answer."""

    kind: Literal["close", "reset", "hang", "raw", "envelope", "cut"]
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    text: str = ""
    keep: int | float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A failure told inside an answer of success: of a fraction of the items, or of those with these ids."""

    code: str
    text: str
    executed: bool
    items: float | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One way to misbehave. `None` and zero mean: as usual.

    Attributes:
        name: for the log, `WireCopy.fault`.
        executed: whether the request reaches the exchange's own processing at all.
        before_s: extra seconds before the processing.
        after_s: extra seconds before the answer.
        answer: what goes out instead of the real answer.
        never: the command is answered as usual and then not executed.
        late_s: seconds from the answer to the execution, instead of the usual delay.
        survivors: which orders an execution misses: a fraction of them, or their ids. Of a placement they are orders
            that never come into being, named by their clientOids.
        half: which step of a replacement is the only one to be executed: `cancelled` or `placed`.
        inner: which items of a batch, or which replacement, are told to have failed.
        again_s: seconds until the same request reaches the exchange a second time.
        query: changes the query parameters of a read.
        data: changes the `data` of the answer.
    """

    name: str
    executed: bool = True
    before_s: Delay = 0.0
    after_s: Delay = 0.0
    answer: Answer | None = None
    never: bool = False
    late_s: Delay | None = None
    survivors: float | tuple[str, ...] | None = None
    half: Literal["cancelled", "placed"] | None = None
    inner: Inner | None = None
    again_s: Delay | None = None
    query: Callable[[dict[str, str]], dict[str, str]] | None = None
    data: Callable[[object, Scene], object] | None = None

    def __or__(self, other: Fault) -> Fault:
        usual = Fault(name="")
        said = {
            spot.name: getattr(other, spot.name)
            for spot in dataclasses.fields(Fault)
            if getattr(other, spot.name) != getattr(usual, spot.name)
        }
        said |= {"name": f"{self.name} | {other.name}", "executed": self.executed and other.executed}
        return dataclasses.replace(self, **said)


def drop(*, executed: bool) -> Fault:
    """Close the connection without an answer, after or without executing."""
    return Fault(name="drop", executed=executed, answer=Answer(kind="close"))


def reset(*, executed: bool) -> Fault:
    """Reset the connection (RST) without an answer."""
    return Fault(name="reset", executed=executed, answer=Answer(kind="reset"))


def hang(*, executed: bool) -> Fault:
    """Never answer; the connection stays open until the client or the exchange closes it."""
    return Fault(name="hang", executed=executed, answer=Answer(kind="hang"))


def delayed(*, before_s: Delay = 0.0, after_s: Delay = 0.0) -> Fault:
    """Process that many seconds later, answer that many seconds later."""
    return Fault(name="delayed", before_s=before_s, after_s=after_s)


def raw(
    body: bytes = b"", *, status: int = 200, content_type: str = "application/json", executed: bool = True
) -> Fault:
    """Any bytes with any status: an empty or garbage body with 200, a misshapen envelope."""
    headers = {"Content-Type": content_type}
    return Fault(
        name=f"raw {status}", executed=executed, answer=Answer(kind="raw", status=status, body=body, headers=headers)
    )


def page(status: int, *, executed: bool) -> Fault:
    """An HTML page of the network in front: 403, 429 without JSON, 502 to 526."""
    body = f"<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>".encode()
    fault = raw(body, status=status, content_type="text/html", executed=executed)
    return dataclasses.replace(fault, name=f"page {status}")


def truncated(keep: int | float = 0.5) -> Fault:
    """Execute, announce the full Content-Length, send `keep` bytes (a float: that fraction) and close."""
    return Fault(name="truncated", answer=Answer(kind="cut", keep=keep))


def envelope(code: str, *, status: int = 400, text: str = "", executed: bool = False) -> Fault:
    """A proper envelope with that code, `data` null, and any HTTP status."""
    return Fault(
        name=f"envelope {code}",
        executed=executed,
        answer=Answer(kind="envelope", status=status, code=code, text=text),
    )


def redirect(url: str, *, status: int = 307, executed: bool = False) -> Fault:
    """Send the client elsewhere."""
    answer = Answer(kind="raw", status=status, headers={"Location": url})
    return Fault(name=f"redirect {status}", executed=executed, answer=answer)


def wrong_echo(symbol: str) -> Fault:
    """Execute, and name another symbol in the answer."""
    return edited_data(lambda data: data | {"symbol": symbol} if isinstance(data, dict) else data, name="wrong echo")


def never_executed() -> Fault:
    """Answer a command as usual, with ids where it has them, and never execute it."""
    return Fault(name="never executed", never=True)


def executed_in_part(survivors: float | tuple[str, ...]) -> Fault:
    """
    Answer as usual, and miss some: that fraction (rounded up) of the orders of a cancel or of the items of a batch, or
    those ids: order ids of a cancel, clientOids or old order ids of a batch.
    """
    return Fault(name="executed in part", survivors=survivors)


def executed_late(by_s: Delay) -> Fault:
    """Answer as usual, and execute that many seconds after the processing: an order comes into being only then."""
    return Fault(name="executed late", late_s=by_s)


def inner_failure(code: str, text: str = "", *, executed: bool = False, items: float | tuple[str, ...] = 1.0) -> Fault:
    """
    Tell a failure inside an answer of success: of a replacement, or of that fraction (rounded up) of the items of a
    batch, or of those with these order ids or clientOids.
    """
    return Fault(name=f"inner failure {code}", inner=Inner(code=code, text=text, executed=executed, items=items))


def half_replaced(step: Literal["cancelled", "placed"]) -> Fault:
    """Answer a replacement as usual, and only cancel the old order, or only place the new one."""
    return Fault(name=f"half replaced: {step}", half=step)


def processed_twice(after_s: Delay = 0.2) -> Fault:
    """The same request reaches the exchange again that many seconds later, as if resent on the way; one answer."""
    return Fault(name="processed twice", again_s=after_s)


def edited_query(edit: Callable[[dict[str, str]], dict[str, str]], *, name: str = "edited query") -> Fault:
    """Answer a read as if it had been asked with other parameters."""
    return Fault(name=name, query=edit)


def ignored_cursor() -> Fault:
    """Answer a listing as if it had no `idLessThan`: the first page again."""
    return edited_query(lambda query: {k: v for k, v in query.items() if k != "idLessThan"}, name="ignored cursor")


def edited_data(edit: Callable[..., object], *, name: str = "edited data") -> Fault:
    """Pass the answer's `data` through a function."""
    return Fault(name=name, data=lambda data, scene: edit(data))


def edited_rows(edit: Callable[[list[Row]], list[Row]], *, name: str = "edited rows") -> Fault:
    """Pass the rows of a listing through a function."""
    return Fault(name=name, data=lambda data, scene: edit(data) if isinstance(data, list) else data)


def repeated_page() -> Fault:
    """Answer with the rows of the previous answer of this endpoint to this account."""
    return Fault(name="repeated page", data=lambda data, scene: scene.previous if scene.previous is not None else data)


def shuffled_rows() -> Fault:
    """The right rows in a wrong order."""
    return Fault(name="shuffled rows", data=lambda data, scene: _shuffled(data, scene.dice))


def duplicated_rows() -> Fault:
    """Every row twice, one behind the other."""
    return edited_rows(lambda rows: [row for row in rows for _ in range(2)], name="duplicated rows")


def status_text(text: str) -> Fault:
    """Every row has that status."""
    return edited_rows(lambda rows: [row | {"status": text} for row in rows], name="status text")


def bad_number(field_name: str = "size", text: object = "1e") -> Fault:
    """Every row has that text where an amount belongs."""
    return edited_rows(lambda rows: [row | {field_name: text} for row in rows], name="bad number")


def _shuffled(data: object, dice: random.Random) -> object:
    return dice.sample(data, len(data)) if isinstance(data, list) else data


@dataclass(slots=True, eq=False)
class Entry:
    """
    One line of the script.

    Attributes:
        hits: how many requests have met it.
    """

    endpoint: str | None
    fault: Fault
    times: int | None
    after: int
    where: Callable[[WireCopy], bool] | None
    probability: float
    hits: int = 0
    _seen: int = 0

    def meets(self, copy: WireCopy, dice: random.Random) -> bool:
        """Whether this request gets the fault; counts it."""
        if self.endpoint not in (None, copy.endpoint) or (self.times is not None and self.hits >= self.times):
            return False
        if self.where is not None and not self.where(copy):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.probability < 1.0 and dice.random() >= self.probability):
            return False
        self.hits += 1
        return True


class FaultScript:
    """The faults still to be played; the first entry that meets a request is played on it, and only that one."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.entries: list[Entry] = []

    def add(
        self,
        endpoint: str | None,
        fault: Fault,
        *,
        times: int | None = 1,
        after: int = 0,
        where: Callable[[WireCopy], bool] | None = None,
        probability: float = 1.0,
    ) -> Entry:
        """
        Play a fault.

        Args:
            endpoint: last segment of a path, `None` for every endpoint.
            fault: what to play.
            times: on how many requests, `None` for ever.
            after: how many fitting requests pass before it starts.
            where: which requests fit.
            probability: with which it is played on a fitting request.
        """
        entry = Entry(endpoint, fault, times, after, where, probability)
        self.entries.append(entry)
        return entry

    def clear(self, endpoint: str | None = None) -> None:
        """Drop the entries of an endpoint, or all of them."""
        self.entries = [e for e in self.entries if endpoint is not None and e.endpoint != endpoint]

    def take(self, copy: WireCopy) -> Fault | None:
        """The fault for this request, if any."""
        for entry in self.entries:
            if entry.meets(copy, self._dice):
                copy.fault = entry.fault.name
                return entry.fault
        return None
