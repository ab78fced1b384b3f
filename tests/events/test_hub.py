"""Who hears what: the hub by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

import bitget_async.events
from bitget_async import (
    BitgetClient,
    BucketTightened,
    ClockSynchronised,
    Event,
    FateKnown,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    RequestEvent,
    RequestStarted,
    StreamChanged,
    TokenMissed,
    TokenTaken,
    UsageError,
)
from bitget_async.events import Events

PLAIN = {str, int, float, bool, type(None), tuple[int, ...]}


def foreign(at_ns: int = 0) -> ForeignUse:
    """One event."""
    return ForeignUse(at_ns=at_ns, endpoint="place-order", cause="refused")


def taken(at_ns: int = 0) -> TokenTaken:
    """One about a request."""
    return TokenTaken(at_ns=at_ns, request=1, copy=1, endpoint="place-order", waited_s=0.0)


def kinds(root: type[Event] = Event) -> Iterator[type[Event]]:
    """Every class of events."""
    yield root
    for each in root.__subclasses__():
        yield from kinds(each)


# -- records ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_a_record_has_room_for_plain_values_only(kind: type[Event]) -> None:
    """Headers, bodies, errors and credentials cannot get into a record by accident: no field would take them."""
    hints = get_type_hints(kind)
    for name in kind.__struct_fields__:
        parts = set(get_args(hints[name])) if type(None) in get_args(hints[name]) else {hints[name]}
        assert parts <= PLAIN, name


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_a_record_is_documented_field_by_field_and_exported(kind: type[Event]) -> None:
    """Who reads a dashboard at three in the morning has to know what a figure means."""
    known = (kind.__doc__ or "") + (RequestEvent.__doc__ or "") + "at_ns" + (RequestStarted.__doc__ or "")
    assert [name for name in kind.__struct_fields__ if f"{name}:" not in known and name not in known] == []
    assert kind.__name__ in bitget_async.__all__


def test_a_record_cannot_be_changed() -> None:
    """Everybody gets the same one."""
    with pytest.raises(AttributeError):
        foreign().endpoint = "another"  # type: ignore[misc]


# -- who hears what -----------------------------------------------------------------------------------------------


def test_a_class_is_heard_with_all_below_it() -> None:
    """`Event` hears everything, `RequestEvent` all of a request, a leaf only itself."""
    hub, heard = Events(), list[tuple[str, Event]]()
    for kind in (Event, RequestEvent, TokenTaken, ForeignUse):

        def hear(event: Event, name: str = kind.__name__) -> None:
            heard.append((name, event))

        hub.on(kind, hear)
    first, second = taken(), foreign()
    hub.emit(first)
    hub.emit(second)
    assert heard == [
        ("Event", first),
        ("RequestEvent", first),
        ("TokenTaken", first),
        ("Event", second),
        ("ForeignUse", second),
    ]


def test_nothing_is_wanted_that_nobody_listens_to() -> None:
    """What is not wanted is not made: that is what makes it free."""
    hub = Events()
    assert not any(hub.wants(kind) for kind in kinds())
    off = hub.on(RequestEnded, lambda event: None)
    assert {kind for kind in kinds() if hub.wants(kind)} == {Event, RequestEvent, RequestEnded}
    off()
    assert not any(hub.wants(kind) for kind in kinds())
    hub.on(RequestEvent, lambda event: None)
    wanted = {Event, RequestEvent, TokenTaken, TokenMissed, RequestStarted, RequestEnded}
    assert {kind for kind in kinds() if hub.wants(kind)} == wanted


def test_who_has_left_hears_nothing_and_may_leave_twice() -> None:
    """Calling the end again does no harm, and does not end somebody else."""
    hub, heard = Events(), list[Event]()
    off = hub.on(Event, heard.append)
    hub.on(Event, heard.append)
    off()
    off()
    hub.emit(foreign())
    assert len(heard) == 1


def test_one_function_may_listen_twice() -> None:
    """Each has its own end."""
    hub, heard = Events(), list[Event]()
    ends = [hub.on(Event, heard.append), hub.on(ForeignUse, heard.append)]
    hub.emit(foreign())
    ends[0]()
    hub.emit(foreign())
    assert len(heard) == 3


def test_a_callback_may_end_itself_and_others_while_it_is_called() -> None:
    """Whoever is gone is not called any more, not even with what is being told right now."""
    hub, heard = Events(), list[str]()
    ends: dict[str, Any] = {}

    def first(event: Event) -> None:
        heard.append("first")
        ends["first"]()
        ends["third"]()

    ends["first"] = hub.on(Event, first)
    hub.on(Event, lambda event: heard.append("second"))
    ends["third"] = hub.on(Event, lambda event: heard.append("third"))
    hub.emit(foreign())
    hub.emit(foreign())
    assert heard == ["first", "second", "second"]


def test_a_callback_may_bring_others_who_hear_what_comes_next() -> None:
    """A listener hears what happens after it came."""
    hub, heard = Events(), list[int]()

    def first(event: Event) -> None:
        if event.at_ns == 1:
            hub.on(Event, lambda event: heard.append(event.at_ns))

    hub.on(Event, first)
    hub.emit(foreign(1))
    hub.emit(foreign(2))
    assert heard == [2]


def test_what_a_callback_sets_off_is_told_after_what_is_being_told() -> None:
    """Everybody hears everything in the same order, which is the order of events."""
    hub, heard = Events(), list[int]()

    def first(event: Event) -> None:
        if event.at_ns == 1:
            hub.emit(foreign(2))
            hub.emit(foreign(3))

    hub.on(Event, first)
    hub.on(Event, lambda event: heard.append(event.at_ns))
    hub.emit(foreign(1))
    assert heard == [1, 2, 3]


# -- callbacks that fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [ValueError("my-own-secret"), asyncio.CancelledError("my-own-secret"), GeneratorExit()]
)
def test_a_callback_that_raises_harms_nobody_and_is_reported_once(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The others hear it all the same, and so does it, next time; the log names it, and shows nothing of its values."""
    hub, heard, called = Events(), list[Event](), list[Event]()

    def bad(event: Event) -> None:
        called.append(event)
        raise error

    hub.on(Event, bad)
    hub.on(Event, heard.append)
    for _ in range(5):
        hub.emit(foreign())
    assert len(heard) == len(called) == 5
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("bitget_async.events", logging.ERROR)
    assert "bad" in record.getMessage()
    assert type(error).__name__ in record.getMessage()
    assert "my-own-secret" not in caplog.text
    assert record.exc_info is None


def test_each_bad_callback_is_reported_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    """One that fails must not hide another one; one without a name of its own is called by its class."""

    class Bad:
        def __call__(self, event: Event) -> None:
            raise KeyError(event)

    hub = Events()
    hub.on(Event, Bad())
    hub.on(Event, lambda event: [][event.at_ns])
    hub.emit(foreign())
    hub.emit(foreign())
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert "Bad raised KeyError" in texts[0]


def test_a_builtin_that_raises_is_named_too(caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback ends in our own frame."""
    hub = Events()
    hub.on(Event, int)  # type: ignore[arg-type]
    hub.emit(foreign())
    assert "int raised TypeError" in caplog.text


def test_an_interrupt_goes_through_and_the_hub_goes_on() -> None:
    """Ctrl-C in a callback is no defect of the callback; what was left to tell is told with the next event."""
    hub, heard = Events(), list[int]()

    def interrupted(event: Event) -> None:
        if event.at_ns == 1:
            hub.emit(foreign(2))
            raise KeyboardInterrupt

    hub.on(Event, interrupted)
    hub.on(Event, lambda event: heard.append(event.at_ns))
    with pytest.raises(KeyboardInterrupt):
        hub.emit(foreign(1))
    hub.emit(foreign(3))
    assert heard == [2, 3]


# -- what cannot be meant -----------------------------------------------------------------------------------------


async def coroutine(event: Event) -> None:
    """Not for `on`: nobody would await it."""


@pytest.mark.parametrize(
    ("kind", "callback"),
    [(int, print), ("Event", print), (foreign(), print), (Event, None), (Event, "print"), (Event, coroutine)],
)
def test_what_cannot_be_meant_is_refused(kind: Any, callback: Any) -> None:
    """A listener that could never be called would be silent for ever."""
    client = BitgetClient(base_url="http://127.0.0.1:1")
    with pytest.raises(UsageError):
        client.on(kind, callback)


def test_a_client_that_is_not_open_can_be_listened_to() -> None:
    """Whoever wants to hear the first request has to be there before it."""
    client = BitgetClient(base_url="http://127.0.0.1:1")
    off = client.on(Event, print)
    off()


def test_every_leaf_is_told_somewhere() -> None:
    """A class of events that nothing emits would be a promise that is not kept."""
    leaves = {kind for kind in kinds() if not kind.__subclasses__()}
    told = {
        *(TokenTaken, TokenMissed, RequestStarted, RequestEnded, BucketTightened, ForeignUse, ClockSynchronised),
        *(HandleChanged, FateKnown, StreamChanged),
    }
    assert leaves == told
