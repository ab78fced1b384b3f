"""`client.events()`: readers at their own pace."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    Event,
    EventReader,
    ForeignUse,
    HandleChanged,
    RequestEnded,
    RequestEvent,
    UsageError,
)
from bitget_async.events import Events
from bitget_async.sim import SimulatedExchange
from tests.conftest import with_exchange

Virtual = Callable[..., Any]


def foreign(at_ns: int = 0) -> ForeignUse:
    """One event."""
    return ForeignUse(at_ns=at_ns, endpoint="place-order", cause="refused")


def test_a_slow_reader_loses_the_oldest_and_knows_how_many(virtual: Virtual) -> None:
    """It never holds the client up, and what is left is the newest, in order."""

    async def main() -> None:
        hub = Events()
        reader = EventReader(hub, (), 3)
        for moment in range(10):
            hub.emit(foreign(moment))
        assert reader.lost == 7
        assert repr(reader) == "<EventReader open, 3 waiting, 7 lost>"
        hub.close()
        assert [event.at_ns async for event in reader] == [7, 8, 9]
        assert repr(reader) == "<EventReader ended, 0 waiting, 7 lost>"

    virtual(main)


def test_a_reader_waits_for_what_comes(virtual: Virtual) -> None:
    """Each event goes to one of those who wait at one reader; none is lost when one of them is cancelled."""

    async def main() -> None:
        hub = Events()
        reader = EventReader(hub, (), 10)
        first = asyncio.ensure_future(anext(reader))
        second = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        first.cancel()
        hub.emit(foreign(1))
        assert (await second).at_ns == 1
        hub.emit(foreign(2))
        assert (await anext(reader)).at_ns == 2
        assert first.cancelled()

    virtual(main)


def test_a_reader_hears_each_event_once_however_its_classes_overlap() -> None:
    """`events(RequestEvent, RequestEnded)` names the ends twice."""
    hub = Events()
    reader = EventReader(hub, (RequestEnded, RequestEvent, RequestEnded, ForeignUse), 10)
    hub.emit(RequestEnded(at_ns=1, request=1, copy=1, endpoint="x", method="GET", path="/x", certainty="unknown"))
    hub.emit(foreign())
    assert repr(reader).startswith("<EventReader open, 2 waiting")


def test_a_reader_that_is_closed_gives_what_it_has_and_ends(virtual: Virtual) -> None:
    """And hears nothing more; closing it twice does no harm."""

    async def main() -> None:
        hub = Events()
        reader = EventReader(hub, (), 10)
        hub.emit(foreign(1))
        reader.close()
        reader.close()
        hub.emit(foreign(2))
        assert not hub.wants(ForeignUse)
        assert [event.at_ns async for event in reader] == [1]

    virtual(main)


def test_a_loop_that_was_left_keeps_nothing() -> None:
    """`async for ... : break` must not leave a buffer behind that fills for as long as the client lives."""
    hub = Events()
    reader = EventReader(hub, (), 10)
    assert hub.wants(ForeignUse)
    del reader
    gc.collect()
    assert not hub.wants(ForeignUse)


def test_a_reader_that_dies_while_it_is_told_harms_nobody() -> None:
    """The last reference may go in a callback that is called before it."""
    hub = Events()
    kept: list[EventReader] = []
    hub.on(Event, lambda event: kept.clear())
    kept.append(EventReader(hub, (), 10))
    gc.disable()
    try:
        hub.emit(foreign())
        hub.emit(foreign())
    finally:
        gc.enable()
    hub.close()


def test_a_reader_of_a_closed_client_ends_at_once(virtual: Virtual) -> None:
    """Nothing will ever come: a wait would be for ever."""

    async def main() -> None:
        client = BitgetClient(base_url="http://127.0.0.1:1")
        await client.close()
        assert [event async for event in client.events()] == []

    virtual(main)


@pytest.mark.parametrize("most", [0, -1, True, 1.5, "10", None])
def test_a_buffer_that_cannot_be_meant_is_refused(most: Any) -> None:
    """No room at all would lose everything."""
    client = BitgetClient(base_url="http://127.0.0.1:1")
    with pytest.raises(UsageError):
        client.events(most=most)


def test_a_class_that_is_none_is_refused_and_leaves_nobody_behind() -> None:
    """Also where the classes before it were right."""
    client = BitgetClient(base_url="http://127.0.0.1:1")
    with pytest.raises(UsageError):
        client.events(RequestEnded, int)  # type: ignore[arg-type]
    gc.collect()
    assert not client._events.wants(RequestEnded) or client._events._journal is not None
    assert not client._events._ears


def test_the_events_of_a_client_end_with_it() -> None:
    """A task that reads them ends by itself, with the last event of all in its hands."""
    read: list[Event] = []

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        async def follow() -> None:
            async for event in client.events(HandleChanged):
                read.append(event)

        following = asyncio.ensure_future(follow())
        await asyncio.sleep(0)
        exchange.faults.clear()
        pending = await client.cancel_symbol_orders("BTCUSDT")
        await client.close()
        await following
        assert pending.report is not None

    with_exchange(main)
    assert [event.state for event in read if isinstance(event, HandleChanged)] == [
        *("begun", "signed", "answered", "settled")
    ]
    assert read[-1].outcome == "UNKNOWN"  # type: ignore[attr-defined]
    assert read[-1].reason == "client_closed"  # type: ignore[attr-defined]
